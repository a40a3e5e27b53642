"""Values of a change in few words."""

from __future__ import annotations

import msgspec

from recce_meta.models.node import Json
from recce_meta.report.characters import shorten

VALUE_WIDTH = 48


def short_value(value: Json) -> str:
    """A JSON value in at most `VALUE_WIDTH` cells; texts without quotes where that is clear.

    >>> short_value("view"), short_value(""), short_value(True), short_value(["a"])
    ('view', '""', 'true', '["a"]')
    """
    if isinstance(value, str) and value.strip() == value != "":
        return shorten(value, VALUE_WIDTH)
    return shorten(msgspec.json.encode(value, order="deterministic").decode(), VALUE_WIDTH)


def from_to(label: str, base: Json, current: Json) -> str:
    """`+ label: value` where it came, `- label: value` where it went, else `label: old → new`."""
    if base is None and current is not None:
        return f"+ {label}: {short_value(current)}"
    if current is None and base is not None:
        return f"- {label}: {short_value(base)}"
    return f"{label}: {short_value(base)} → {short_value(current)}"
