"""profiles.yml that dbt parses a project with: ours, with dummy credentials, never that of the repository."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import yaml
from msgspec import Struct

from recce_meta.errors import ConfigurationError
from recce_meta.profiles.discovery import PROFILES_FILE
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
