"""Numbers and cell values as text; rounding and truncation never hide a difference.

Values are written as SQL prints them. A string is unquoted only if it cannot be mistaken for another value:
NULL is not `'NULL'`, and `'12'` is not 12. Other strings are quoted, with control characters, quotes and
backslashes escaped.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import msgspec

from recce_meta.models.data_diff import ColumnValues, Value
from recce_meta.models.node import Json
from recce_meta.models.numbers import digits_of, is_infinite, round_number
from recce_meta.report.terminal import display_width, shorten

UNKNOWN = "–"
"""Placeholder of a missing figure."""


def count(number: int | None) -> str:
    """Return `12,345`."""
    return UNKNOWN if number is None else f"{number:,}"


def signed_count(number: int | None) -> str:
    """Return `+12`, `-3` or `0`."""
    return UNKNOWN if number is None else f"{number:+,}" if number else "0"


def percent(share: float | None) -> str:
    """Return a fraction of 1 in per cent; only 1 is shown as 100% and only 0 as 0%.

    >>> percent(0.5), percent(0.99999), percent(0.00001), percent(1.0), percent(None)
    ('50.0%', '>99.9%', '<0.1%', '100%', '–')
    """
    if share is None:
        return UNKNOWN
    if share in (0, 1):
        return f"{share:.0%}"
    text = f"{share:,.1%}"
    if text == "100.0%":
        return ">99.9%" if share < 1 else text
    return "<0.1%" if text in ("0.0%", "-0.0%") else text


def change_percent(share: float | None) -> str:
    """Return a relative change in per cent with its sign; empty if there is no change."""
    if not share:
        return ""
    text = f"{share:+,.1%}"
    return text if text[1:] != "0.0%" else f"{text[0]}<0.1%"


def figure(number: float | Decimal | None, digits: int = 6) -> str:
    """Return a computed number with *digits* significant digits, without an exponent if that is readable.

    >>> figure(1234567.891), figure(0.125), figure(1e-9), figure(float("nan"))
    ('1,234,568', '0.125', '1e-09', 'NaN')
    """
    if number is None:
        return UNKNOWN
    if isinstance(number, (int, Decimal)) and not _fits_float(number):
        return f"{Decimal(number):.{digits - 1}e}"
    number = float(number)
    if not math.isfinite(number):
        return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(number)))
    # Beyond these bounds, most digits would be zeros.
    if not -5 <= magnitude < 15:
        return f"{number:.{digits}g}"
    text = f"{number:,.{max(digits - 1 - magnitude, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fits_float(number: int | Decimal) -> bool:
    """Return True if a float can represent *number* approximately."""
    exact = Decimal(number)
    return not exact or not exact.is_finite() or abs(exact.adjusted()) < sys.float_info.max_10_exp


def signed_figure(number: float | Decimal | None) -> str:
    """Return `figure`, with a plus sign if the number is positive."""
    text = figure(number)
    return f"+{text}" if number is not None and number > 0 else text


def difference_figures(column: ColumnValues) -> tuple[str, str]:
    """Return the mean and the largest difference; ≈ marks results rounded by floating point."""
    mark = "≈" if column.is_difference_rounded else ""
    mean, largest = column.mean_difference, column.largest_difference
    return (
        "" if mean is None else mark + signed_figure(mean),
        "" if largest is None else mark + figure(largest),
    )


def figures_apart(base: float | Decimal, current: float | Decimal) -> tuple[str, str]:
    """Return both numbers with as many digits as needed to distinguish them.

    >>> figures_apart(1.00000001, 1.0)
    ('1.00000001', '1')
    """
    # 17 digits distinguish any two doubles.
    for digits in (6, 9, 12, 17):
        texts = figure(base, digits), figure(current, digits)
        if texts[0] != texts[1] or base == current:
            break
    return texts


NULL = "NULL"
CELL_WIDTH = 40
"""Default display width of a value in a table."""

_KEYWORDS = frozenset({"null", "true", "false", "nan", "infinity", "-infinity", "inf", "-inf"})
_LIKE_A_NUMBER = re.compile(r"[-+]?[.]?[0-9][-+0-9.:,eEpP TZ]*")
_OPENING = ("'", "[", "{", "x'", "≈")


def cell_text(value: Value, width: int = CELL_WIDTH) -> str:
    """Return *value* on one line of at most *width* cells (0: no limit), without control characters.

    >>> cell_text(None), cell_text("NULL"), cell_text(""), cell_text("paid"), cell_text(True)
    ('NULL', "'NULL'", "''", 'paid', 'true')
    """
    # A value may have megabytes, of which few characters are shown.
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
    """Return both cells as `cell_text`; long values that begin alike start shortly before they differ.

    Doubles have 15 digits, which every decimal survives, unless they differ only after these.

    >>> pair_text("a" * 99 + "b", "a" * 99 + "c", 8)
    ('…aaab', '…aaac')
    >>> pair_text(18.61, 19.009999999999998), pair_text(0.3, 0.1 + 0.2)
    (('18.61', '19.01'), ('0.3', '0.30000000000000004'))
    """
    if isinstance(base, float) and isinstance(current, float):
        short = number_text(float(f"{base:.15g}")), number_text(float(f"{current:.15g}"))
        if short[0] != short[1]:
            return short
    texts = cell_text(base, width), cell_text(current, width)
    if texts[0] != texts[1] or are_same(base, current):
        return texts
    whole = _text_of(base, 0), _text_of(current, 0)
    start = next((at for at, (a, b) in enumerate(zip(*whole, strict=False)) if a != b), min(map(len, whole)))
    # Half of the width is for what precedes the difference.
    before = max(start - width // 2 + 1, 0)
    return shorten("…" + whole[0][before:], width), shorten("…" + whole[1][before:], width)


def _of_text(text: str) -> str:
    """Return *text* unquoted if it is unambiguous, else quoted."""
    is_clear = (
        text.isprintable()
        and text.strip() == text != ""
        and text.lower() not in _KEYWORDS
        and not text.startswith(_OPENING)
        and not _LIKE_A_NUMBER.fullmatch(text)
    )
    return text if is_clear else quoted(text)


def quoted(text: str) -> str:
    r"""Return *text* in quotes, with quotes and invisible characters escaped.

    >>> print(quoted("it's\n"))
    'it\'s\n'
    """
    return "'" + "".join(_spelt(char) for char in text) + "'"


def _spelt(char: str) -> str:
    if char in "'\\":
        return "\\" + char
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def number_text(value: float | Decimal) -> str:
    """Return a fraction as SQL prints it: `NaN`, `Infinity`, short decimals without an exponent."""
    if value != value:
        return "NaN"
    if is_infinite(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Decimal):
        exponent = value.adjusted()
        # Beyond these bounds, a decimal without an exponent is a line of zeros.
        return f"{value:f}" if -30 < exponent < 60 else str(value)
    return repr(value)


def moment_text(value: datetime | date | time | timedelta) -> str:
    """Return ISO 8601 with a space before the time; durations as days and `hh:mm:ss`.

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
    """Return *value* like JSON with quoted strings, evaluated only as far as it is shown."""
    # Formatting stops early, because a nested value may have millions of items.
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
    # Always quoted, because a comma in a text would look like a separator.
    return quoted(value[: read or None]) if isinstance(value, str) else _text_of(value, read)


def are_same(base: Value, current: Value) -> bool:
    """Return True if two cells are equal by the rules of a diff, whatever their types.

    NaN equals NaN, a date its midnight, a decimal the nearest double, and a number its text. A comparison
    with options, such as a tolerance, may have found cells equal that this function distinguishes.

    >>> are_same(Decimal("1.10"), 1.1), are_same(date(2026, 1, 1), datetime(2026, 1, 1)), are_same(1, "01")
    (True, True, False)
    """
    if base is None or current is None:
        return base is current
    for one, other in ((base, current), (current, base)):
        if isinstance(one, float) and isinstance(other, Decimal):
            return one == round_number(other) or _text_of(base, 0) == _text_of(current, 0)
        if isinstance(one, datetime) and isinstance(other, date):
            return _in_utc(one) == _in_utc(other)
        if isinstance(one, str) and isinstance(other, (int, date, UUID)):
            return not isinstance(other, (bool, datetime)) and one == str(other)
    return bool(base == current) or _text_of(base, 0) == _text_of(current, 0)


def _in_utc(value: date) -> datetime:
    """Return *value* as a point in time: a date is its midnight, and without a zone, UTC is assumed."""
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


VALUE_WIDTH = 48
_CONTEXT = 12
"""Characters of the common parts of two long texts on each side of the difference."""


def value_text(value: Json) -> str:
    """Return a JSON value on one line; strings without quotes if that is unambiguous."""
    if isinstance(value, str) and value.strip() == value != "":
        return value
    return msgspec.json.encode(value, order="deterministic").decode()


def short_value(value: Json) -> str:
    """Return a JSON value in at most `VALUE_WIDTH` cells.

    >>> short_value("view"), short_value(""), short_value(True), short_value(["a"])
    ('view', '""', 'true', '["a"]')
    """
    return shorten(value_text(value), VALUE_WIDTH)


def short_pair(base: str, current: str, width: int = VALUE_WIDTH) -> tuple[str, str]:
    """Return two texts in at most *width* cells each; common parts of long texts are shortened.

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
    """Return the length of the common prefix."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _kept_head(text: str) -> str:
    """Return the end of a common prefix, from a word boundary if there is one."""
    if len(text) <= _CONTEXT + 2:
        return text
    kept = text[-_CONTEXT:]
    word = kept.find(" ")
    return f"… {kept[word + 1 :]}" if 0 <= word < len(kept) - 1 else f"…{kept}"


def from_to(label: str, base: Json, current: Json) -> str:
    """Return `+ label: value` for an added value, `- label: value` for a removed one, else both."""
    if base is None and current is not None:
        return f"+ {label}: {short_value(current)}"
    if current is None and base is not None:
        return f"- {label}: {short_value(base)}"
    return f"{label}: {arrow(base, current)}"


def arrow(base: Json, current: Json, width: int = VALUE_WIDTH) -> str:
    """Return `old → new`, with the differing parts of long values."""
    return " → ".join(short_pair(value_text(base), value_text(current), width))
