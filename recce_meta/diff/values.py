"""JSON values compared the way YAML is meant: null, empty and absent are the same."""

from __future__ import annotations

from collections.abc import Iterator

from recce_meta.models import Json


def normal(value: Json) -> Json:
    """*value* without members that say nothing; a list of one scalar is that scalar (`unique_key`)."""
    if isinstance(value, dict):
        members = {key: normal(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member is not None} or None
    if isinstance(value, (list, tuple)):
        items = [normal(item) for item in value]
        return (items[0] if len(items) == 1 and not isinstance(items[0], (dict, list)) else items) or None
    if isinstance(value, str):
        return value.rstrip("\n") or value or None  # YAML readers differ in the last line end of a block
    return value


def constraints_of(value: Json) -> list[dict[str, Json]]:
    """Return dbt constraints as objects: `"not_null"` as `{"type": "not_null"}`, one object as a list of it.

    dbt refuses other shapes only if the contract is enforced, so that manifests may hold them.
    """
    listed = value if isinstance(value, (list, tuple)) else [value]
    return [
        each if isinstance(each, dict) else {"type": each if isinstance(each, str) else str(each)}
        for each in listed
        if each is not None
    ]


def differences(base: Json, current: Json, path: str = "") -> Iterator[tuple[str, Json, Json]]:
    """(path, base, current) of every leaf that differs; lists of named things are compared by name."""
    if base == current:
        return
    old, new = _keyed(base), _keyed(current)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys(), key=str):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif normal(base) != normal(current):
        yield path, _told(base), _told(current)


def _keyed(value: Json) -> Json:
    """A list whose members all have a distinct name, as a dict by name."""
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, dict) and item.get("name") for item in value)
    ):
        named = {item["name"]: item for item in value}
        if len(named) == len(value):
            return named
    return value


def _told(value: Json) -> Json:
    return value if value not in ({}, [], "") else None
