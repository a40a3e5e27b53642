"""dbt_project.yml of one project or package: where its files are, and what it configures.

https://docs.getdbt.com/reference/dbt_project.yml
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from recce_meta.errors import ConfigurationError
from recce_meta.extractors.jinja import template_text
from recce_meta.models import Json
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.profiles.yaml_file import read_mapping

_PATHS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "models": (("model-paths", "source-paths"), "models"),
    "seeds": (("seed-paths", "data-paths"), "seeds"),
    "snapshots": (("snapshot-paths",), "snapshots"),
    "macros": (("macro-paths",), "macros"),
    "analyses": (("analysis-paths",), "analyses"),
    "tests": (("test-paths",), "tests"),
}
"""Keys of each kind of folder, today's and dbt 0.21's, and dbt's default."""
_ADDED = frozenset(["tags"])
_MERGED = frozenset(["meta"])
_KNOWN = frozenset(
    "materialized schema database alias enabled tags meta unique_key pre-hook post-hook pre_hook post_hook "
    "incremental_strategy on_schema_change full_refresh persist_docs quoting grants contract access group "
    "docs partition_by cluster_by sort dist file_format strategy updated_at check_cols target_schema "
    "target_database invalidate_hard_deletes hard_deletes quote_columns column_types delimiter "
    "event_time".split()
)
"""Settings that dbt takes without a plus sign, too."""

Variable = Callable[[str], tuple[bool, Any]]


class Settings(Struct, frozen=True, kw_only=True):
    """What one dbt_project.yml says."""

    name: str
    root: Path
    paths: dict[str, list[str]]
    """Folders by kind: models, seeds, snapshots, macros, analyses, tests."""
    trees: dict[str, Json]
    """The `models:`, `seeds:` and `snapshots:` of it."""
    profile: str | None = None
    text: str = ""
    """Of the file, for telling whether it changed."""


def read_settings(root: Path, warnings: list[str]) -> Settings:
    """Return the dbt_project.yml in *root*; its duplicate keys are among *warnings*.

    Raises ConfigurationError if it cannot be read.
    """
    path = root / PROJECT_FILE
    content = read_mapping(path, ConfigurationError, warnings)
    name = content.get("name")
    if not name:
        raise ConfigurationError(f"No 'name:' in {path}")
    return Settings(
        name=str(name),
        root=root,
        paths={kind: _folders(content, keys, default) for kind, (keys, default) in _PATHS.items()},
        trees={kind: content.get(kind) for kind in ("models", "seeds", "snapshots", "sources")},
        profile=None if content.get("profile") is None else str(content["profile"]),
        text=path.read_text(encoding="utf-8-sig"),
    )


def without_file(root: Path, name: str) -> Settings:
    """What stands for a dbt_project.yml where there is none: models are anywhere below *root*."""
    paths = {kind: [default] for kind, (_, default) in _PATHS.items()}
    return Settings(name=name, root=root, paths={**paths, "models": ["."], "macros": ["."]}, trees={})


def _folders(content: Mapping[str, object], keys: Sequence[str], default: str) -> list[str]:
    for key in keys:
        value = content.get(key)
        if isinstance(value, str):
            return [value]
        if isinstance(value, list) and value:
            return [str(entry) for entry in value]
    return [default]


def configured(tree: Json, fqn: Sequence[str], variable: Variable) -> dict[str, Json]:
    """What *tree*, such as `models:`, says of the node with that *fqn*: the deepest level wins."""
    found: dict[str, Json] = {}
    for level in ("", *fqn):
        tree = tree if not level else tree.get(level)
        if not isinstance(tree, dict):
            break
        merge(found, _own(tree, variable))
    return found


def _own(tree: Mapping[str, Json], variable: Variable) -> dict[str, Json]:
    """The settings at one level of a tree: those with a plus sign, and those that can be nothing else."""
    found: dict[str, Json] = {}
    for key, value in tree.items():
        if not isinstance(key, str):
            continue
        if key.startswith("+"):
            found[key[1:]] = folded(value, variable)
        elif key in _KNOWN and (not isinstance(value, dict) or key in ("meta", "grants", "persist_docs")):
            found[key] = folded(value, variable)
    return {key: value for key, value in found.items() if value is not UNSURE}


UNSURE: Any = object()
"""A setting that only rendering knows."""
_WORDS: Mapping[str, Json] = {"true": True, "false": False, "none": None}


def folded(value: Json, variable: Variable) -> Json:
    """*value* with the Jinja in its text worked out; UNSURE where that takes rendering."""
    if isinstance(value, str) and "{" in value:
        text = template_text(value, variable=variable)
        return UNSURE if text is None else _WORDS.get(text.strip().lower(), text)
    if isinstance(value, list):
        parts = [folded(entry, variable) for entry in value]
        return UNSURE if any(part is UNSURE for part in parts) else parts
    return value


def merge(into: dict[str, Json], more: Mapping[str, Json]) -> None:
    """Put *more*, which is nearer to the node, into *into*: tags add up, `meta` is merged."""
    for key, value in more.items():
        if key in _ADDED:
            into[key] = list(dict.fromkeys([*_list(into.get(key)), *_list(value)]))
        elif key in _MERGED and isinstance(into.get(key), dict) and isinstance(value, dict):
            into[key] = {**into[key], **value}
        else:
            into[key.replace("pre_hook", "pre-hook").replace("post_hook", "post-hook")] = value


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]
