"""profiles.yml that dbt parses a project with: ours, with dummy credentials, never that of the repository.

Its adapter and its target are guessed from the files of the repository.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml
from msgspec import Struct

from recce_meta.errors import ConfigurationError, ProfileError, RecceMetaError
from recce_meta.profiles.discovery import PROFILES_FILE
from recce_meta.profiles.yaml_file import read_mapping
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.warehouses import available, warehouse_named

DEFAULT_TARGET = ProfileTarget(target="dev", schema="analytics", database="analytics")


class DbtProfile(Struct, frozen=True, kw_only=True):
    """Written profiles.yml."""

    folder: Path
    name: str
    target: str
    digest: str
    """SHA-256 of the file."""


def merge_targets(*targets: ProfileTarget | None) -> ProfileTarget:
    """Return for each value the first one that is set in *targets*, or a default."""
    given = (*targets, DEFAULT_TARGET)

    def first(field: str) -> str | None:
        values = (getattr(target, field) for target in given if target is not None)
        return next((value for value in values if value), None)

    return ProfileTarget(target=first("target"), schema=first("schema"), database=first("database"))


def write_profile(folder: Path, name: str, adapter: str, target: ProfileTarget) -> DbtProfile:
    """Write profiles.yml for the profile *name* into *folder*, which is created.

    Raises ConfigurationError if *adapter* is not supported, or the database cannot be the name of a file for
    DuckDB.
    """
    complete = merge_targets(target)
    chosen = complete.target or ""
    fields = _output(adapter, complete.database or "", complete.schema or "")
    content = {name: {"target": chosen, "outputs": {chosen: {"type": adapter, **fields, "threads": 1}}}}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROFILES_FILE).write_text(text, encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return DbtProfile(folder=folder, name=name, target=chosen, digest=digest)


def _output(adapter: str, database: str, schema: str) -> Mapping[str, object]:
    """Return the fields of a target; values are quoted by Jinja-free YAML, braces in them are refused."""
    for value in (database, schema):
        if "{{" in value or "{%" in value:
            raise ConfigurationError(f"'{value}' is a template, not a name", hint="set the name itself")
    if adapter not in available():
        raise ConfigurationError(f"The adapter '{adapter}' is not supported")
    return warehouse_named(adapter).parse_fields(database, schema)


_PROFILES = ("*profiles*.yml", "*/*profiles*.yml", "*profiles*.yaml", ".*/*profiles*.yml")
_REQUIREMENTS = (
    "*requirements*.txt", "*requirements*.in", "requirements/*.txt", "pyproject.toml", "Pipfile", "setup.py",
    "setup.cfg", "environment.yml", "Dockerfile", ".github/workflows/*.yml", ".gitlab-ci.yml",
)  # fmt: skip
_REQUIRED = re.compile(r"(?<![\w/-])dbt-(\w+)\b(?!/)")
_LONGEST_FILE = 2**20
_MOST_FILES = 50


class AdapterGuess(Struct, frozen=True, kw_only=True):
    """Adapter of a project and its target, if the repository shows them."""

    adapter: str | None = None
    """Name of the adapter, supported or not."""
    source: str | None = None
    """File, or kind of configuration, that shows the adapter."""
    target: ProfileTarget = ProfileTarget()
    """Names that profiles.yml in the repository sets without templates."""


def guess_adapter(
    folder: Path, clone: Path, content: Mapping[str, object], packages: Sequence[Mapping[str, object]]
) -> AdapterGuess:
    """Guess the adapter from profiles.yml, requirements, packages and configurations, in this order.

    *folder* is that of the project, and *clone* that of the repository. *content* is dbt_project.yml, and
    *packages* are the entries of `packages:`.
    """
    found = _from_profiles(folder, clone, content.get("profile"))
    if found is not None:
        return found
    for source, adapters in (
        ("requirements", _from_requirements(folder, clone)),
        ("packages", _from_packages(packages)),
        ("configurations", _from_configs(content)),
    ):
        # Several adapters prove nothing; the next kind of file may be clearer.
        if len(adapters) == 1:
            return AdapterGuess(adapter=next(iter(adapters)), source=source)
    return AdapterGuess()


def _from_profiles(folder: Path, clone: Path, profile: object) -> AdapterGuess | None:
    for path in _files((folder, clone), _PROFILES):
        try:
            profiles = read_mapping(path, ProfileError)
        except RecceMetaError:
            continue
        named = profiles.get(profile) if isinstance(profile, str) else None
        candidates = [named] if named is not None else [profiles[key] for key in profiles if key != "config"]
        if len(candidates) == 1 and (found := _from_profile(candidates[0], path.relative_to(clone))):
            return found
    return None


def _from_profile(profile: object, path: Path) -> AdapterGuess | None:
    outputs = profile.get("outputs") if isinstance(profile, Mapping) else None
    if not isinstance(profile, Mapping) or not isinstance(outputs, Mapping):
        return None
    target = _plain(profile.get("target"))
    chosen = outputs.get(target) if target else None
    if target is None and len(outputs) == 1:
        target, chosen = next(((_plain(name), output) for name, output in outputs.items()), (None, None))
    types = [_plain(output.get("type")) for output in outputs.values() if isinstance(output, Mapping)]
    if not isinstance(chosen, Mapping):
        alone = set(types)
        adapter = alone.pop() if len(alone) == 1 else None
        return None if adapter is None else AdapterGuess(adapter=adapter, source=path.as_posix())
    adapter = _plain(chosen.get("type"))
    if adapter is None:
        return None
    # Most other adapters name the fields as that of PostgreSQL does.
    warehouse = warehouse_named(adapter if adapter in available() else "postgres")
    fields = {str(name): _plain(value) for name, value in chosen.items()}
    database, schema = warehouse.place_in_profile(fields)
    names = ProfileTarget(target=target, schema=schema, database=database)
    return AdapterGuess(adapter=adapter, source=path.as_posix(), target=names)


def _plain(value: object) -> str | None:
    """Return text that is not a template."""
    return value if isinstance(value, str) and value and "{{" not in value and "{%" not in value else None


def _from_requirements(folder: Path, clone: Path) -> set[str]:
    return {
        found[1]
        for path in _files((folder, clone), _REQUIREMENTS)
        for found in _REQUIRED.finditer(path.read_text(encoding="utf-8", errors="replace"))
        if found[1] in available()
    }


def _from_packages(packages: Iterable[Mapping[str, object]]) -> set[str]:
    names = [str(entry.get("package") or entry.get("git") or "").lower() for entry in packages]
    found = {adapter for adapter in available() for name in names if re.search(rf"(?<![a-z]){adapter}", name)}
    return found | {"databricks" for name in names if "spark_utils" in name or "spark-utils" in name}


def _from_configs(content: Mapping[str, object]) -> set[str]:
    keys = (key for part in ("models", "snapshots", "seeds") for key in _keys(content.get(part)))
    owners = {name: adapter for adapter in available() for name in warehouse_named(adapter).own_configs}
    return {owners[key] for key in keys if key in owners}


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield str(key).removeprefix("+")
            yield from _keys(entry)


def _files(folders: Iterable[Path], patterns: Iterable[str]) -> Iterator[Path]:
    """Yield the regular files of limited size that match, each once, in folders of any order."""
    seen: set[Path] = set()
    for base in folders:
        for pattern in patterns:
            for path in sorted(base.glob(pattern)):
                if len(seen) >= _MOST_FILES:
                    return
                # A link could show a file of the worker, whose content then appears in answers.
                is_in_base = path.is_file() and path.resolve().is_relative_to(base.resolve())
                if path not in seen and is_in_base and path.stat().st_size <= _LONGEST_FILE:
                    seen.add(path)
                    yield path
