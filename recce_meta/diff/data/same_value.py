"""Values of two warehouses in Python: which are equal, how they sort, and how SQL asks for one of them."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.models.data_diff import Value
from recce_meta.models.numbers import digits_of, is_finite, is_infinite

LARGEST_DECIMAL = 10**38
LARGEST_SINGLE = 3.4028235e38
"""The largest float of 32 bits."""


_MOMENT = re.compile(r"(\d{4,})-(.*?)( BC)?")
"""A date or timestamp as text: the year, the rest, and the mark of years before Christ."""

Same: TypeAlias = "str | int | bool | Decimal | date | time | tuple[object, ...]"
"""What equal values of two warehouses have in common."""


def same_of(value: Value, of: ColumnType) -> Same:
    """Return what *value*, of the type *of*, has in common with every equal value."""
    if isinstance(value, (list, dict)):
        has_moments = any(element.kind.is_point_in_time for element in of.elements)
        return ("nested", _frozen(value, has_moments=has_moments))
    if isinstance(value, (float, Decimal)) and math.isnan(value):
        return ("nan",)
    if isinstance(value, float):
        return Decimal(repr(value))
    found: Same = value
    return found


def _frozen(value: Value, *, has_moments: bool) -> object:
    """Return *value*, a part of a nested one, as what can be hashed; a boolean is not a number."""
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


def place_of(value: Value, text: str, of: ColumnType) -> tuple[object, ...]:
    """Return where *value* of a column of the type *of*, written as *text*, sorts: as in SQL."""
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
        return (0, 0, "") if str(value).startswith("-") else (2, 0, str(value))
    year = int(found[1])
    return (1, 1 - year if found[3] else year, found[2])


def fits(value: Value, of: ColumnType, dialect: Dialect) -> bool:
    """Return True if a column of the type *of* could hold *value* at all."""
    if not of.kind.is_number or not isinstance(value, (int, float, Decimal)):
        return True
    if of.kind is Kind.FLOAT:
        is_single = of.precision == 32 and is_finite(value)
        return not is_single or abs(float(value)) <= LARGEST_SINGLE
    if dialect.decimal_digits is None or _has_wide_integers(of):
        return True
    return Decimal(value).is_finite() and abs(Decimal(value)) < LARGEST_DECIMAL


def _has_wide_integers(of: ColumnType) -> bool:
    """Return True if values of *of* may be integers for which there is no literal."""
    return of.kind is Kind.INTEGER and of.scale is None and (of.precision or 0) > 64


def literal_of(value: Value, of: ColumnType, dialect: Dialect) -> Sql | None:
    """Return *value* as SQL of the type *of*; None if only its text can be compared."""
    if isinstance(value, (list, dict)):
        return dialect.nested_literal(value, of)
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, (int, float, Decimal)) and of.kind.is_number:
        return _number(value, of, dialect)
    if isinstance(value, date) and of.kind.is_point_in_time:
        text = value.isoformat() if of.kind is Kind.DATE else f"{value:%Y-%m-%d %H:%M:%S.%f}"
        return dialect.moment(text.rjust(10 if of.kind is Kind.DATE else 26, "0"), of)
    if isinstance(value, time):
        return exp.cast(exp.Literal.string(value.isoformat()), "TIME")
    return exp.Literal.string(value) if of.kind is Kind.TEXT else None


def _number(value: float | Decimal, of: ColumnType, dialect: Dialect) -> Sql | None:
    if of.kind is Kind.FLOAT:
        number = dialect.number(_number_text(value), of)
        return exp.cast(number, of.text, dialect=dialect.name) if of.precision == 32 else number
    if not is_finite(value) or _has_wide_integers(of):
        return None
    return dialect.number(_number_text(value), of)


def _number_text(value: float | Decimal) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return digits_of(value) if isinstance(value, int) else repr(value)


def texts_of(value: Value, text: str) -> list[str]:
    """Return every way in which a warehouse writes *value*, which another one has written as *text*."""
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
    return [_number_text(value), *([digits_of(whole)] if value == whole else [])]


def _with_letter(value: str) -> list[str]:
    """Return *value*, a timestamp as text, as JSON writes it."""
    found = re.fullmatch(r"(\d{4,}-\d\d-\d\d) (\d\d:.*)", value)
    return [f"{found[1]}T{found[2]}"] if found else []
