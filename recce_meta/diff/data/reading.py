"""Values that a warehouse has written as text (`Dialect.portable_text`), as Python's own.

Texts serve where a driver's own values would not do: PostgreSQL's stop at year 9999 and at infinity, DuckDB's
give another date for it, and one statement over columns of several types has but one type for their values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, time, timezone
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from uuid import UUID

from recce_meta.dialects import ColumnType, Kind
from recce_meta.models.data_diff import Value
from recce_meta.models.numbers import rounded

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T]00:00:00(?:\.0+)?)?")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?")

_FAR = re.compile(r"^(\d{4,}-\d\d-\d\d)T")
"""The date of a timestamp. Some warehouses write a letter before its time, others a space."""


def read(text: str | None, of: ColumnType) -> Value:
    """The value of the type *of* that *text* writes; the text itself where Python has no such value.

    Timestamps with a zone come in UTC. Year 10000, years before Christ, infinity and what is finer than a
    microsecond stay text, as does JSON.
    """
    if text is None:
        return None
    reader = _READERS.get(of.kind)
    return text if reader is None else reader(str(text))


def plain(value: Value, of: ColumnType) -> Value:
    """*value*, a number as the driver gives it, as the kind of number that it is; zero has no sign."""
    if of.kind is Kind.INTEGER and isinstance(value, Decimal) and value.is_finite():
        return int(value)
    if of.kind is Kind.INTEGER and isinstance(value, str):  # of any number of digits
        return _integer(value)
    return value + 0.0 if isinstance(value, float) else value


def approximately(value: Value) -> float | Decimal | None:
    """*value*, a mean or median of numbers, as a double: drivers give decimals of differing length.

    A number beyond doubles is a decimal. A fraction may come as text: `7/2`.
    """
    if value is None:
        return None
    if isinstance(value, str) and "/" in value:
        above, below = map(Decimal, value.split("/"))
        return rounded(Fraction(above) / Fraction(below))
    return rounded(value) if isinstance(value, (int, float, Decimal)) else float(value)


def _integer(text: str) -> Value:
    # Python refuses to read more than 4,300 digits of an int, and not of a decimal.
    return int(Decimal(text)) if re.fullmatch(r"-?\d+", text) else _decimal(text)


def _decimal(text: str) -> Value:
    try:
        return Decimal(text)
    except InvalidOperation:  # SQLite keeps any text in a column of numbers
        return text


def _float(text: str) -> Value:
    return float(text) + 0.0  # 0.0 and -0.0 are equal: which one stands for both is chance


def _boolean(text: str) -> Value:
    return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(
        text.lower(), text
    )


def _date(text: str) -> Value:
    found = _DATE.fullmatch(text)
    return date(*map(int, found.groups())) if found and found[1] != "0000" else text


def _time(text: str) -> Value:
    found = _TIME.fullmatch(text)
    if not found or int(found[1]) > 23 or _has_nanoseconds(found[4]):
        return text
    return time(int(found[1]), int(found[2]), int(found[3]), _micros(found[4]))


def _micros(digits: str | None) -> int:
    return int((digits or "").ljust(6, "0")[:6])


def _has_nanoseconds(digits: str | None) -> bool:
    return bool((digits or "")[6:].strip("0"))


def _instant(text: str) -> Value:
    found = _INSTANT.fullmatch(text)
    if not found or text.startswith("0000") or _has_nanoseconds(found[3]):
        return _FAR.sub(r"\1 ", text)
    return datetime.fromisoformat(f"{found[1]}T{found[2]}.{_micros(found[3]):06}")


def _instant_in_utc(text: str) -> Value:
    value = _instant(text)
    return value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value


def _binary(text: str) -> Value:
    return bytes.fromhex(text)


def _nested(text: str) -> Value:
    try:
        return json.loads(text, parse_float=_signless, parse_constant=_refused)
    except ValueError:
        return text


def _signless(text: str) -> Decimal:
    """Return a number of JSON; zero has no sign."""
    number = Decimal(text)
    return number or abs(number)


def _refused(text: str) -> Decimal:
    raise ValueError(f"{text} is not a number of JSON")


_READERS: dict[Kind, Callable[[str], Value]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.TIMESTAMP: _instant,
    Kind.TIMESTAMPTZ: _instant_in_utc,
    Kind.BINARY: _binary,
    Kind.UUID: UUID,
    Kind.ARRAY: _nested,
    Kind.STRUCT: _nested,
    Kind.MAP: _nested,
}

_SAMPLES = {
    Kind.BOOLEAN: "true",
    Kind.DATE: "2000-01-01",
    Kind.TIMESTAMP: "2000-01-01 00:00:00",
    Kind.TIMESTAMPTZ: "2000-01-01 00:00:00",
    Kind.TIME: "00:00:00",
    Kind.BINARY: "00",
    Kind.UUID: "00000000-0000-0000-0000-000000000000",
    Kind.TEXT: "…",
    Kind.OTHER: "…",
    Kind.JSON: "{}",
    Kind.STRUCT: "{}",
    Kind.MAP: "{}",
    Kind.ARRAY: "[]",
}


def sample(of: ColumnType) -> str:
    """Some value of the type *of* as text, for plans that are printed and not run."""
    return _SAMPLES.get(of.kind, "0")
