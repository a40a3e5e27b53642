"""Values as text that is the same in every warehouse if they are equal, and as Python values.

Numbers are written in digits without trailing zeros. If either side is a float, both are written with 15
significant digits, which every double holds. Points in time are in ISO 8601 and UTC, to the microsecond.
JSON, arrays, structs, maps, intervals and unknown types are written differently by each kind of warehouse, so
they are only compared between two of the same kind.

`parse_portable` converts the text back (`Dialect.portable_text`). Text is used if a driver's own values fail:
PostgreSQL's driver stops at year 9999 and at infinity, DuckDB's returns another date for infinity. It is also
used if a query combines columns of several types. Python values of two warehouses have an equality, a sort
order and SQL literals here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, time, timezone
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TypeAlias
from uuid import UUID

from sqlglot import exp

from recce_meta.data_diff.compare import normalize
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.source import ColumnPair
from recce_meta.models.data_diff import DataSide, Value
from recce_meta.models.numbers import digits_of, is_finite, is_infinite, round_number
from recce_meta.warehouses.dialect import Dialect
from recce_meta.warehouses.types import ColumnType, Kind, Sql

_PLAIN = frozenset(
    [
        *(Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP),
        *(Kind.TIMESTAMPTZ, Kind.TIME, Kind.BINARY, Kind.UUID),
    ]
)
"""Kinds whose text contains only letters, digits and a few marks."""
_CONVERTED = frozenset([Kind.FLOAT, Kind.TIMESTAMP, Kind.TIMESTAMPTZ])
"""Kinds that other kinds are cast to; a whole number already is a decimal."""

PortableValue = Callable[[DataSide, str], Sql]

_ALIKE = frozenset([Kind.BOOLEAN, Kind.TEXT, Kind.TIME, Kind.BINARY, Kind.UUID])
"""Kinds that all warehouses can write alike, and that equal no other kind."""
_LIKE_TEXT = frozenset([Kind.INTEGER, Kind.DATE, Kind.UUID])
"""Kinds that equal a text with the same notation."""


def portable_value(
    pair: ColumnPair, base: Dialect, current: Dialect, options: ValueOptions
) -> PortableValue | None:
    """Return how the values of *pair*, one of each dialect, become text, or None if incomparable."""
    is_same = base.name == current.name
    kind = common_kind(pair.base.type, pair.current.type, is_same=is_same)
    if kind is None:
        return None
    # Two kinds of warehouses write equal doubles differently, unless both can format them alike.
    if (
        kind is Kind.FLOAT
        and not is_same
        and any(dialect.scientific(exp.null()) is None for dialect in (base, current))
    ):
        return None

    def written(side: DataSide, alias: str) -> Sql:
        dialect, own = (base, pair.base) if side is DataSide.BASE else (current, pair.current)
        of = own.type
        value = own.of(alias)
        if kind is Kind.TEXT:
            text = normalize(dialect, dialect.canonical.text(value, of), kind, options)
            return dialect.canonical.part(text)
        if kind is Kind.INTEGER and of.kind is Kind.BOOLEAN:
            numbers = exp.Case(this=dialect.canonical.text(value, of))
            for word, digit in (("true", "1"), ("false", "0")):
                numbers = numbers.when(exp.Literal.string(word), exp.Literal.string(digit))
            return dialect.canonical.part(numbers.else_(dialect.canonical.text(value.copy(), of)))
        # The text of a value follows its type, so both sides need one type before they become text.
        if kind is not of.kind and kind in _CONVERTED:
            value, of = _as_kind(dialect, value, kind), ColumnType(kind.value, kind)
        text = dialect.canonical.text(normalize(dialect, value, kind, options), of)
        return text if kind in _PLAIN and dialect.enforces_types else dialect.canonical.part(text)

    return written


def common_kind(base: ColumnType, current: ColumnType, *, is_same: bool) -> Kind | None:
    """Return the kind as which two types are written alike; *is_same* if one kind of warehouse has both."""
    kinds = {base.kind, current.kind}
    if kinds == {Kind.BOOLEAN, Kind.INTEGER}:  # MySQL has no booleans
        return Kind.INTEGER
    if all(kind.is_number for kind in kinds):
        return Kind.FLOAT if Kind.FLOAT in kinds else Kind.DECIMAL if Kind.DECIMAL in kinds else Kind.INTEGER
    if all(kind.is_point_in_time for kind in kinds):
        if Kind.TIMESTAMPTZ in kinds:
            return Kind.TIMESTAMPTZ
        return Kind.TIMESTAMP if Kind.TIMESTAMP in kinds else Kind.DATE
    if len(kinds) == 1:
        (kind,) = kinds
        return kind if kind in _ALIKE or (is_same and base.text == current.text) else None
    return Kind.TEXT if Kind.TEXT in kinds and kinds & _LIKE_TEXT else None


def _as_kind(dialect: Dialect, value: Sql, kind: Kind) -> Sql:
    """Cast *value* to a *kind* that can hold it."""
    if kind is Kind.FLOAT:  # `CanonicalTexts.text` casts
        return value
    return dialect.as_utc(value) if kind is Kind.TIMESTAMPTZ else dialect.as_timestamp(value)


_MICROSECONDS = 6
"""Digits of fractional seconds in a portable text."""


def is_rounded_text(pair: ColumnPair) -> bool:
    """Return True if the portable text of a column may lack digits of its values."""
    types = (pair.base.type, pair.current.type)
    return any(of.kind is Kind.FLOAT for of in types) or any(
        of.kind.is_point_in_time and ((of.precision or 0) > _MICROSECONDS or "_NS" in of.text.upper())
        for of in types
    )


_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T]00:00:00(?:\.0+)?)?")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?")

_FAR = re.compile(r"^(\d{4,}-\d\d-\d\d)T")
"""Date of a timestamp. Some warehouses write the letter T before the time, others a space."""


def parse_portable(text: str | None, of: ColumnType) -> Value:
    """Convert *text* to a value of type *of*, or return the text if Python has no such value.

    Timestamps with a zone are in UTC. Years from 10000, years BC, infinity, precision beyond
    microseconds, and JSON remain text.
    """
    if text is None:
        return None
    reader = _READERS.get(of.kind)
    try:
        return text if reader is None else reader(str(text))
    except ValueError:  # SQLite allows any value in any column
        return text


def plain(value: Value, of: ColumnType) -> Value:
    """Convert a driver's number to the column's kind of number; zero has no sign."""
    if of.kind is Kind.INTEGER and isinstance(value, Decimal) and value.is_finite():
        return int(value)
    if of.kind is Kind.INTEGER and isinstance(value, str):  # may have any number of digits
        return _integer(value)
    return value + 0.0 if isinstance(value, float) else value


def approximately(value: Value) -> float | Decimal | None:
    """Convert a mean or median to a double, because drivers return decimals of varying length.

    A number out of a double's range becomes a decimal. A fraction may be text: `7/2`.
    """
    if value is None:
        return None
    if isinstance(value, str) and "/" in value:
        above, below = map(Decimal, value.split("/"))
        return round_number(Fraction(above) / Fraction(below))
    return round_number(value) if isinstance(value, (int, float, Decimal)) else float(value)


def _integer(text: str) -> Value:
    # Python refuses to parse more than 4,300 digits as an int, but not as a decimal.
    return int(Decimal(text)) if re.fullmatch(r"-?\d+", text) else _decimal(text)


def _decimal(text: str) -> Value:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _float(text: str) -> Value:
    return float(text) + 0.0  # 0.0 and -0.0 are equal: use 0.0 for both


def _boolean(text: str) -> Value:
    return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(
        text.lower(), text
    )


def _date(text: str) -> Value:
    # A driver may write a date with a midnight; Python's calendar begins with the year 1.
    found = _DATE.fullmatch(text)
    try:
        return date(*map(int, found.groups())) if found else text
    except ValueError:  # MariaDB has dates without a month or a day
        return text


def _time(text: str) -> Value:
    found = _TIME.fullmatch(text)
    # PostgreSQL has a time 24:00:00, which Python lacks.
    if not found or int(found[1]) > 23 or _has_nanoseconds(found[4]):
        return text
    return time(int(found[1]), int(found[2]), int(found[3]), _micros(found[4]))


def _micros(digits: str | None) -> int:
    return int((digits or "").ljust(6, "0")[:6])


def _has_nanoseconds(digits: str | None) -> bool:
    return bool((digits or "")[6:].strip("0"))


def _instant(text: str) -> Value:
    text = text.replace("TBC", " BC")  # the blank before BC was taken for that before the time
    found = _INSTANT.fullmatch(text)
    if not found or _has_nanoseconds(found[3]):
        return _FAR.sub(r"\1 ", text)
    try:
        # Python 3.10 only reads fractions of three or six digits.
        return datetime.fromisoformat(f"{found[1]}T{found[2]}.{_micros(found[3]):06}")
    except ValueError:  # MariaDB has dates without a month or a day
        return _FAR.sub(r"\1 ", text)


def _instant_in_utc(text: str) -> Value:
    value = _instant(text)
    return value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value


def _binary(text: str) -> Value:
    return bytes.fromhex(text)


def _nested(text: str) -> Value:
    try:
        # Doubles would lose digits of decimals, and Python would accept NaN, which is not JSON.
        return json.loads(text, parse_float=_signless, parse_constant=_refused)
    except ValueError:
        return text


def _signless(text: str) -> Decimal:
    """Convert a JSON number; zero has no sign."""
    number = Decimal(text)
    return number or abs(number)


def _refused(text: str) -> Decimal:
    raise ValueError(f"{text} is not a JSON number")


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
    """Return a sample value of type *of* as text, for printed plans."""
    return _SAMPLES.get(of.kind, "0")


LARGEST_DECIMAL = 10**38
LARGEST_SINGLE = 3.4028235e38
"""Largest 32-bit float."""


_MOMENT = re.compile(r"(\d{4,})-(.*?)( BC)?")
"""Date or timestamp as text: year, rest, and the mark of years BC."""

Same: TypeAlias = "str | int | bool | Decimal | date | time | tuple[object, ...]"
"""Hashable form that equal values of two warehouses share."""


def same_of(value: Value, of: ColumnType) -> Same:
    """Return a form of *value*, of type *of*, that every equal value shares."""
    if isinstance(value, (list, dict)):
        has_moments = any(element.kind.is_point_in_time for element in of.elements)
        return ("nested", _frozen(value, has_moments=has_moments))
    if isinstance(value, (float, Decimal)) and math.isnan(value):
        return ("nan",)
    if isinstance(value, float):
        # The shortest digits of a double equal the decimal that the other warehouse may store.
        return Decimal(repr(value))
    found: Same = value
    return found


def _frozen(value: Value, *, has_moments: bool) -> object:
    """Return *value*, part of a nested value, in hashable form; a boolean is not a number."""
    if isinstance(value, list):
        return ("list", *(_frozen(item, has_moments=has_moments) for item in value))
    if isinstance(value, dict):
        pairs = ((key, _frozen(item, has_moments=has_moments)) for key, item in value.items())
        return ("dict", *sorted(pairs, key=lambda pair: pair[0]))
    if isinstance(value, bool) or value is None:
        return (value,)
    if isinstance(value, str) and has_moments:
        return value.replace("T", " ")
    return value


def sort_key(value: Value, text: str, of: ColumnType) -> tuple[object, ...]:
    """Return the sort key of *value*, of type *of* and written as *text*, in SQL's order."""
    # Years can have five digits or be BC, so texts do not sort as points in time do.
    if of.kind.is_point_in_time:
        return _moment_place(value)
    if of.kind.is_number:
        is_nan = isinstance(value, (float, Decimal)) and math.isnan(value)
        is_text = isinstance(value, str)
        return (2, value) if is_text else (1, 0) if is_nan else (0, value)
    if of.kind in (Kind.BOOLEAN, Kind.UUID) and not isinstance(value, str):
        return (0, value)
    return (1, value if of.kind is Kind.TEXT else text)


def _moment_place(value: Value) -> tuple[object, ...]:
    if isinstance(value, datetime):
        return (1, value.year, f"{value:%m-%d %H:%M:%S.%f}")
    if isinstance(value, date):
        return (1, value.year, f"{value:%m-%d}")
    found = _MOMENT.fullmatch(str(value))
    if found is None:
        # -infinity comes before all years, infinity after them.
        return (0, 0, "") if str(value).startswith("-") else (2, 0, str(value))
    year = int(found[1])
    # SQL has no year 0: 1 BC is the year before 1.
    return (1, 1 - year if found[3] else year, found[2])


def fits(value: Value, of: ColumnType, dialect: Dialect) -> bool:
    """Return True if a column of type *of* can hold *value*."""
    if not of.kind.is_number or not isinstance(value, (int, float, Decimal)):
        return True
    if of.kind is Kind.FLOAT:
        is_single = of.precision == 32 and is_finite(value)
        return not is_single or abs(float(value)) <= LARGEST_SINGLE
    if dialect.decimal_digits is None or _has_wide_integers(of):
        return True
    return Decimal(value).is_finite() and abs(Decimal(value)) < LARGEST_DECIMAL


def _has_wide_integers(of: ColumnType) -> bool:
    """Return True if values of *of* may be integers too large for a literal."""
    return of.kind is Kind.INTEGER and of.scale is None and (of.precision or 0) > 64


def literal_of(value: Value, of: ColumnType, dialect: Dialect) -> Sql | None:
    """Return *value* as SQL of type *of*, or None if only its text can be compared."""
    if isinstance(value, (list, dict)):
        return dialect.nested_literal(value, of)
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, (int, float, Decimal)) and of.kind.is_number:
        return _number(value, of, dialect)
    if isinstance(value, date) and of.kind.is_point_in_time:
        # strftime does not pad years before 1000, but a literal needs four digits.
        text = value.isoformat() if of.kind is Kind.DATE else f"{value:%Y-%m-%d %H:%M:%S.%f}"
        return dialect.moment(text.rjust(10 if of.kind is Kind.DATE else 26, "0"), of)
    if isinstance(value, time):
        return exp.cast(exp.Literal.string(value.isoformat()), "TIME")
    return exp.Literal.string(value) if of.kind is Kind.TEXT else None


def _number(value: float | Decimal, of: ColumnType, dialect: Dialect) -> Sql | None:
    if of.kind is Kind.FLOAT:
        number = dialect.number(_number_text(value), of)
        # The double 0.1 differs from the 32-bit float 0.1 that the column stores.
        return exp.cast(number, of.text, dialect=dialect.name) if of.precision == 32 else number
    if not is_finite(value) or _has_wide_integers(of):
        return None
    return dialect.number(_number_text(value), of)


def _number_text(value: float | Decimal) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return digits_of(value) if isinstance(value, int) else repr(value)


def texts_of(value: Value, text: str) -> list[str]:
    """Return every notation that a warehouse may use for *value*, which another one writes as *text*."""
    if isinstance(value, (bytes, bytearray)):
        return [bytes(value).hex(), bytes(value).hex().upper()]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return list(dict.fromkeys([*_number_texts(value), text]))
    if isinstance(value, str):
        return list(dict.fromkeys([text, value, *_with_letter(value)]))
    return [text]


def _number_texts(value: float | Decimal) -> list[str]:
    if value != value:
        return ["NaN", "nan"]
    if is_infinite(value):
        return ["Infinity", "inf"] if value > 0 else ["-Infinity", "-inf"]
    whole = int(value)
    # A whole double may be written with or without a fraction.
    return [_number_text(value), *([digits_of(whole)] if value == whole else [])]


def _with_letter(value: str) -> list[str]:
    """Return the timestamp text *value* as JSON writes it, with a T."""
    found = re.fullmatch(r"(\d{4,}-\d\d-\d\d) (\d\d:.*)", value)
    return [f"{found[1]}T{found[2]}"] if found else []
