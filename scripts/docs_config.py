"""Build the JSON schema of recce_meta.yml, and the table of its keys, from the types of the reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct

from recce_meta.config.file import (
    KEYS,
    PLAIN_NAME,
    TEXT,
    TEXTS,
    Config,
    EnvironmentSettings,
    FailOnSettings,
    NamedSelection,
    PrivacySettings,
    StoreSettings,
)
from recce_meta.config.nodes import COMPARE_MODES, NodeSettings

SCHEMA_ID = "recce_meta/recce_meta.yml/v1"
NULL = {"type": "null"}
NUMBER = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\d+(\.\d+)?[eE][-+]?\d{1,3}$"},
    ]
}
NODE: dict[str, tuple[dict[str, Any], str]] = {
    "key": (
        {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]},
        "Columns that identify a row: a list, or names separated by commas.",
    ),
    "where": (TEXT, "Condition on the rows of both sides, in the warehouse's SQL."),
    "sample": (
        {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?|\.\d+)\s*%\s*$"},
        "Share of the keys to compare: `10%`.",
    ),
    "tolerance": (NUMBER, "Largest absolute difference at which two numbers are equal."),
    "relative_tolerance": (NUMBER, "Largest difference as a share of the larger number: `1e-9`."),
    "exclude": (TEXTS, "Columns that are not compared."),
    "compare": (
        {"enum": list(COMPARE_MODES)},
        "`values` by key, whole `rows`, only `counts` and columns, or `none`.",
    ),
}
"""How each setting of a node is written, and its meaning; a setting without an entry is a KeyError."""
NODES = "nodes"
SHORT_FORMS: dict[str, list[dict[str, Any]]] = {
    "store": [TEXT],
    "stores": [TEXT],
    "fail_on": list(TEXTS["anyOf"]),
    "selections": list(TEXTS["anyOf"]),
}
"""Short forms of keys that are otherwise mappings; those of `selections` are for each entry."""


def config_schema() -> str:
    """Return the JSON schema of recce_meta.yml."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Configuration of recce_meta",
        "description": "recce_meta.yml, or [tool.recce-meta] in pyproject.toml. No URL may have a password.",
        **_object(Config, KEYS),
        "type": ["object", "null"],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _object(kind: type[Struct], names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return the schema of a mapping with the fields of *kind*."""
    properties = {name: _field(kind, name) for name in names or kind.__struct_fields__}
    made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    if kind is StoreSettings:
        properties["url"]["anyOf"][0] = {"type": "string", "pattern": "://"}
        made["not"] = {"required": ["url", "target"]}
    return made


def _field(kind: type[Struct], name: str) -> dict[str, Any]:
    if kind is NodeSettings:
        written, meaning = NODE[name]
        return {"description": meaning, "anyOf": [written, NULL]}
    hint = get_type_hints(kind, include_extras=True)[name]
    meta = next(one for one in hint.__metadata__ if isinstance(one, Meta))
    written = (meta.extra_json_schema or {}).get("written")
    forms = [written] if written is not None else _forms(name, get_args(hint)[0])
    return {"description": meta.description, "anyOf": [*forms, NULL]}


def _forms(name: str, kind: Any) -> list[dict[str, Any]]:
    """Return the ways to write a key whose value is a mapping."""
    if name == NODES:
        entry: dict[str, Any] = {"anyOf": [_object(NodeSettings), NULL]}
        return [{"type": "object", "additionalProperties": entry}]
    short = SHORT_FORMS.get(name, [])
    if get_origin(kind) is not dict:
        return [*short, _object(kind)]
    entry = {"anyOf": [*short, _object(get_args(kind)[1])]} if short else _object(get_args(kind)[1])
    form: dict[str, Any] = {"type": "object", "additionalProperties": entry}
    if name in ("selections", "stores"):
        form["propertyNames"] = {"pattern": PLAIN_NAME}
    return [form]


BELOW: dict[str, tuple[str, type[Struct]]] = {
    "store": ("store", StoreSettings),
    "stores": ("stores.NAME", StoreSettings),
    "environments": ("environments.NAME", EnvironmentSettings),
    "selections": ("selections.NAME", NamedSelection),
    "privacy": ("privacy", PrivacySettings),
    "fail_on": ("fail_on", FailOnSettings),
    "nodes": ("nodes.GLOB", NodeSettings),
}
"""Keys with mappings: the path to the fields, and their type."""


def config_rows() -> Iterator[str]:
    """Yield the table of all keys."""
    yield "| key | meaning |\n| --- | --- |"
    for key in KEYS:
        yield f"| `{key}` | {_field(Config, key)['description']} |"
        path, kind = BELOW.get(key, ("", None))
        for name in kind.__struct_fields__ if kind is not None else ():
            yield f"| `{path}.{name}` | {_field(kind, name)['description']} |"
