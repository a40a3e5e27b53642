"""Values of a change in few words."""

from __future__ import annotations

import msgspec

from recce_meta.models.node import Json
from recce_meta.report.characters import display_width, shorten

VALUE_WIDTH = 48
_CONTEXT = 12
"""Characters that stay of what two long texts have in common, on each side of what differs."""


def value_text(value: Json) -> str:
    """A JSON value on one line, whole; texts without quotes where that is clear."""
    if isinstance(value, str) and value.strip() == value != "":
        return value
    return msgspec.json.encode(value, order="deterministic").decode()


def short_value(value: Json) -> str:
    """A JSON value in at most `VALUE_WIDTH` cells; texts without quotes where that is clear.

    >>> short_value("view"), short_value(""), short_value(True), short_value(["a"])
    ('view', '""', 'true', '["a"]')
    """
    return shorten(value_text(value), VALUE_WIDTH)


def short_pair(base: str, current: str, width: int = VALUE_WIDTH) -> tuple[str, str]:
    """Two texts in at most *width* cells each; where one is longer, without most of what both share.

    >>> short_pair("CREATE INDEX i ON t (a) WHERE b", "CREATE INDEX i ON t (a) WHERE c", 30)
    ('… (a) WHERE b', '… (a) WHERE c')
    """
    if base == current or max(map(display_width, (base, current))) <= width:
        return shorten(base, width), shorten(current, width)
    start = _shared(base, current)
    ends = base[start:][::-1], current[start:][::-1]
    same = _shared(*ends)
    head, tail = _kept_head(base[:start]), _kept_head(ends[0][:same])[::-1]
    left, right = (f"{head}{text[start : len(text) - same]}{tail}" for text in (base, current))
    return shorten(left, width), shorten(right, width)


def _shared(one: str, other: str) -> int:
    """How many characters the two begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _kept_head(text: str) -> str:
    """The end of what two texts begin with, from a word on where there is one."""
    if len(text) <= _CONTEXT + 2:
        return text
    kept = text[-_CONTEXT:]
    word = kept.find(" ")
    return f"… {kept[word + 1 :]}" if 0 <= word < len(kept) - 1 else f"…{kept}"


def from_to(label: str, base: Json, current: Json) -> str:
    """`+ label: value` where it came, `- label: value` where it went, else `label: old → new`."""
    if base is None and current is not None:
        return f"+ {label}: {short_value(current)}"
    if current is None and base is not None:
        return f"- {label}: {short_value(base)}"
    return f"{label}: {arrow(base, current)}"


def arrow(base: Json, current: Json, width: int = VALUE_WIDTH) -> str:
    """`old → new`, with what differs of long values."""
    return " → ".join(short_pair(value_text(base), value_text(current), width))
