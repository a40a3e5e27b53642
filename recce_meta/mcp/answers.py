"""Answers of tools: small JSON documents, whose strings are quoted data of the project.

An answer without a limit takes about 2 kB, and never more than 20 kB. Rows that do not fit are named by a
cursor, so nothing is left out without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from recce_meta.errors import UsageError, quoted
from recce_meta.redaction import harmless_json
from recce_meta.report.terminal import shorten

SHORT = 1_900
"""Bytes of an answer without a limit; the cursor takes the rest of 2 kB."""
LARGEST = 19_000
"""Bytes of an answer with a limit."""
_LONGEST = 240
"""Characters of a string in a row."""
_SHORTEST = 100
"""Characters of a string in a row that alone is too large."""
_NOTES = 5


def cut(text: str | None, most: int = _LONGEST) -> str | None:
    """Return *text* on one line with at most *most* characters; None for an empty one."""
    return shorten(" ".join(text.split()), most) if text and not text.isspace() else None


def short_notes(notes: Sequence[str]) -> list[str]:
    """Return the first of *notes*, and the number of the others."""
    found = [str(cut(note)) for note in dict.fromkeys(notes)]
    return first_few(found, _NOTES)


def first_few(texts: Sequence[str], most: int) -> list[str]:
    """Return the first of *texts*, at most *most*, and the number of the others."""
    return [*texts[:most], *([f"and {len(texts) - most} more"] if len(texts) > most else [])]


def answer(
    head: Mapping[str, Any],
    name: str = "",
    rows: Sequence[Mapping[str, Any]] = (),
    *,
    limit: int = 0,
    cursor: str = "",
) -> str:
    """Return *head* with those of *rows* that fit, as JSON.

    *name* is the key of the rows. *limit* is the most rows, 0 for those that fit into 2 kB. *cursor* is that
    of the answer before. Raises UsageError for a cursor of another answer.
    """
    if limit < 0:
        raise UsageError(f"Invalid limit: {limit}", hint="0 for an answer of 2 kB, or a number of rows")
    start = position(cursor, len(rows))
    document = _filled(head)
    if not rows:
        return _encoded(document).decode()
    most, room = (limit or len(rows)), (LARGEST if limit else SHORT) - len(_encoded(document))
    shown: list[dict[str, Any]] = []
    for row in rows[start : start + most]:
        entry = _filled(row)
        room -= len(_encoded(entry)) + 1
        if room < 0:
            # One row at least: an answer without any would never end.
            if shown:
                break
            entry = _shortened(entry)
        shown.append(entry)
    end = start + len(shown)
    document[name] = shown
    if start or end < len(rows):
        document["shown"] = f"{start + 1} to {end} of {len(rows)}"
    if end < len(rows):
        document["cursor"] = str(end)
    return _encoded(document).decode()


def _shortened(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return as many fields of *entry* as fit, with the beginning of their strings."""
    found: dict[str, Any] = {}
    for field, value in entry.items():
        found[field] = _short(value)
        if len(_encoded(found)) > SHORT:
            del found[field]
            return {**found, "is_cut": True}
    return found


def _short(value: Any) -> Any:
    """Return *value* with the beginning of its strings, and of a list of them."""
    if isinstance(value, str):
        return cut(value, _SHORTEST)
    return [_short(one) for one in value[:_NOTES]] if isinstance(value, list) else value


def position(cursor: str, count: int) -> int:
    """Return the first of *count* rows after *cursor*. Raises UsageError for a cursor of another answer."""
    if not cursor:
        return 0
    is_number = cursor.isascii() and cursor.isdecimal() and len(cursor) < 10
    if not is_number or int(cursor) >= max(count, 1):
        shown = quoted(str(cut(cursor, _SHORTEST)))
        raise UsageError(f"Invalid cursor: {shown}", hint="pass the cursor of the answer before")
    return int(cursor)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* without empty ones; False and 0 are answers."""
    return {name: value for name, value in values.items() if value not in (None, "", [], (), {})}


def _encoded(document: Mapping[str, Any]) -> bytes:
    return harmless_json(msgspec.json.encode(document))
