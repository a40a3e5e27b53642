"""Property files: what YAML beside the models says of models, seeds, snapshots and sources.

https://docs.getdbt.com/reference/configs-and-properties
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from recce_meta.errors import ConfigurationError
from recce_meta.extractors.sql_project.files import find_files
from recce_meta.extractors.sql_project.settings import Settings
from recce_meta.models import Column, Json
from recce_meta.profiles.yaml_file import read_mapping

_BESIDE_CONFIG = ("tags", "meta", "docs", "access", "group", "contract", "enabled", "latest_version")


class Description(Struct, frozen=True, kw_only=True):
    """What YAML says of one model, seed or snapshot."""

    name: str
    patch_path: str
    text: str = ""
    columns: tuple[Column, ...] = ()
    config: dict[str, Json] = field(default_factory=dict)
    versions: tuple[dict[str, Json], ...] = ()
    latest_version: str | None = None


class SourceTable(Struct, frozen=True, kw_only=True):
    """One table of one source."""

    source: str
    table: str
    path: str
    block: dict[str, Json]
    entry: dict[str, Json]


class Properties(Struct, frozen=True, kw_only=True):
    """All property files of one package."""

    described: dict[tuple[str, str], Description]
    """By section (`models`, `seeds`, `snapshots`) and name."""
    tables: list[SourceTable]
    snapshots: list[tuple[str, dict[str, Json]]]
    """Snapshots that YAML defines itself (dbt 1.9), with their files."""
    texts: list[tuple[str, str]]
    """Files, with what tells whether they changed."""


def read_properties(settings: Settings, warnings: list[str]) -> Properties:
    """The property files of a package; one that is not YAML costs itself, and one of *warnings*."""
    found = Properties(described={}, tables=[], snapshots=[], texts=[])
    folders = [
        place for kind in ("models", "seeds", "snapshots", "analyses") for place in settings.paths[kind]
    ]
    for path in find_files(settings.root, folders, (".yml", ".yaml")):
        relative = (
            path.relative_to(settings.root).as_posix() if path.is_relative_to(settings.root) else path.name
        )
        content = _content(path, relative, warnings)
        found.texts.append((relative, sha256(path.read_bytes()).hexdigest() if content else ""))
        for section in ("models", "seeds", "snapshots"):
            for entry in _entries(content.get(section)):
                key = (section, str(entry["name"]))
                if section == "snapshots" and "relation" in entry:
                    found.snapshots.append((relative, entry))
                if key in found.described:
                    warnings.append(
                        f"{entry['name']} is described in {found.described[key].patch_path} and in {relative}"
                    )
                    continue
                found.described[key] = _description(entry, f"{settings.name}://{relative}")
        for block in _entries(content.get("sources")):
            for entry in _entries(block.get("tables")):
                found.tables.append(
                    SourceTable(
                        source=str(block["name"]),
                        table=str(entry["name"]),
                        path=relative,
                        block={key: value for key, value in block.items() if key != "tables"},
                        entry=entry,
                    )
                )
    return found


def _content(path: Path, relative: str, warnings: list[str]) -> Mapping[str, Any]:
    try:
        if not path.read_bytes().strip():
            return {}
        told: list[str] = []
        content = read_mapping(path, ConfigurationError, told)
        warnings += [warning.replace(str(path), relative) for warning in told]
        return content
    except ConfigurationError as error:
        warnings.append(f"{error.message.replace(str(path), relative)}; it was left out")
    except OSError as error:
        warnings.append(f"{relative} cannot be read and was left out: {error.strerror or error}")
    return {}


def _entries(value: Json) -> Iterator[dict[str, Json]]:
    """The entries of a list that have a name."""
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, dict) and entry.get("name") is not None)


def _description(entry: dict[str, Json], patch_path: str) -> Description:
    config = {key: entry[key] for key in _BESIDE_CONFIG if key in entry}
    latest = config.pop("latest_version", None)
    versions = tuple(one for one in entry.get("versions") or () if isinstance(one, dict) and "v" in one)
    if isinstance(entry.get("config"), dict):
        config |= entry["config"]
    return Description(
        name=str(entry["name"]),
        patch_path=patch_path,
        text=str(entry.get("description") or ""),
        columns=columns_of(entry),
        config=config,
        versions=versions,
        latest_version=None if latest is None else str(latest),
    )


def columns_of(entry: Mapping[str, Json]) -> tuple[Column, ...]:
    """The columns that *entry* documents."""
    return tuple(
        Column(
            name=str(column["name"]),
            type=None if column.get("data_type") is None else str(column["data_type"]),
            description=str(column.get("description") or ""),
            tags=tuple(map(str, tags)) if isinstance(tags := column.get("tags"), list) else (),
            meta=meta if isinstance(meta := column.get("meta"), dict) else {},
            quote=column.get("quote") if isinstance(column.get("quote"), bool) else None,
            documented=True,
            documented_type=None if column.get("data_type") is None else str(column["data_type"]),
        )
        for column in _entries(entry.get("columns"))
    )
