"""Values of cells as text that cannot be mistaken: NULL is not `'NULL'`, and `'12'` is not 12.

A value stands as SQL would print it. A text stands bare where that is clear, so that bare text means exactly
its characters; otherwise it is quoted, with control characters, quotes and backslashes spelt out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from recce_meta.models.data_diff import Value
from recce_meta.models.numbers import digits_of, is_infinite
from recce_meta.report.characters import shorten

NULL = "NULL"
CELL_WIDTH = 40
"""Cells that a value takes in a table unless told otherwise."""

_KEYWORDS = frozenset({"null", "true", "false", "nan", "infinity", "-infinity", "inf", "-inf"})
_LIKE_A_NUMBER = re.compile(r"[-+]?[.]?[0-9][-+0-9.:,eEpP TZ]*")
_OPENING = ("'", "[", "{", "x'", "≈")


def cell_text(value: Value, width: int = CELL_WIDTH) -> str:
    """*value* in one line of at most *width* cells (0: as long as it is), without control characters.

    >>> cell_text(None), cell_text("NULL"), cell_text(""), cell_text("paid"), cell_text(True)
    ('NULL', "'NULL'", "''", 'paid', 'true')
    """
    text = _text_of(value, width * 4 if width else 0)
    return shorten(text, width) if width else text


def _text_of(value: Value, read: int) -> str:
    if isinstance(value, str):
        return _of_text(value[:read] + "…" if read and len(value) > read else value)
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return digits_of(value)
    if isinstance(value, (float, Decimal)):
        return number_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"x'{bytes(value)[: read or None].hex()}'"
    if isinstance(value, (datetime, date, time, timedelta)):
        return moment_text(value)
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return _of_collection(value, read)
    return str(value) if isinstance(value, UUID) else _of_text(str(value))


def pair_text(base: Value, current: Value, width: int = CELL_WIDTH) -> tuple[str, str]:
    """Both cells as `cell_text`; where long ones begin alike, from shortly before they part.

    >>> pair_text("a" * 99 + "b", "a" * 99 + "c", 8)
    ('…aaab', '…aaac')
    """
    texts = cell_text(base, width), cell_text(current, width)
    if texts[0] != texts[1] or are_same(base, current):
        return texts
    whole = _text_of(base, 0), _text_of(current, 0)
    start = next((at for at, (a, b) in enumerate(zip(*whole, strict=False)) if a != b), min(map(len, whole)))
    before = max(start - width // 2 + 1, 0)
    return shorten("…" + whole[0][before:], width), shorten("…" + whole[1][before:], width)


def _of_text(text: str) -> str:
    """Bare where nothing else reads like it, quoted otherwise."""
    is_clear = (
        text.isprintable()
        and text.strip() == text != ""
        and text.lower() not in _KEYWORDS
        and not text.startswith(_OPENING)
        and not _LIKE_A_NUMBER.fullmatch(text)
    )
    return text if is_clear else quoted(text)


def quoted(text: str) -> str:
    r"""*text* in quotes, with what cannot be seen or would end the quotes spelt out.

    >>> print(quoted("it's\n"))
    'it\'s\n'
    """
    return "'" + "".join(_spelt(char) for char in text) + "'"


def _spelt(char: str) -> str:
    if char in "'\\":
        return "\\" + char
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def number_text(value: float | Decimal) -> str:
    """A fraction as SQL prints it: `NaN`, `Infinity`, decimals without an exponent where that is short."""
    if value != value:
        return "NaN"
    if is_infinite(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Decimal):
        exponent = value.adjusted()
        return f"{value:f}" if -30 < exponent < 60 else str(value)
    return repr(value)


def moment_text(value: datetime | date | time | timedelta) -> str:
    """ISO 8601, with a space before the time; durations in days and `hh:mm:ss`.

    >>> moment_text(timedelta(days=-1, hours=1)), moment_text(datetime(2026, 11, 19, 8))
    ('-23:00:00', '2026-11-19 08:00:00')
    """
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if not isinstance(value, timedelta):
        return value.isoformat()
    sign, size = ("-", -value) if value < timedelta() else ("", value)
    days = f"{size.days} day{'s' * (size.days != 1)} " if size.days else ""
    hours, rest = divmod(size.seconds, 3600)
    fraction = f".{size.microseconds:06}".rstrip("0").rstrip(".") if size.microseconds else ""
    return f"{sign}{days}{hours:02}:{rest // 60:02}:{rest % 60:02}{fraction}"


def _of_collection(value: Collection[Value], read: int) -> str:
    """Like JSON, with texts always quoted; reading stops where nothing more would be shown."""
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    texts = _members(value, read) if isinstance(value, dict) else (_inside(item, read) for item in value)
    parts, room = [], read or math.inf
    for part in texts:
        parts.append(part)
        room -= len(part) + 2
        if room < 0:
            parts.append("…")
            break
    return opening + ", ".join(parts) + closing


def _members(value: dict[Value, Value], read: int) -> Iterator[str]:
    return (f"{_inside(key, read)}: {_inside(item, read)}" for key, item in value.items())


def _inside(value: Value, read: int) -> str:
    return quoted(value[: read or None]) if isinstance(value, str) else _text_of(value, read)


def are_same(base: Value, current: Value) -> bool:
    """Whether two cells of one row read the same: NaN is NaN, and 1 is 1.0.

    A comparison with a tolerance may still have found equal what this tells apart.
    """
    if base is None or current is None:
        return base is current
    return bool(base == current) or _text_of(base, 0) == _text_of(current, 0)
