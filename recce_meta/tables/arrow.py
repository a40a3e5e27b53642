"""Conversion of tables to Arrow and Polars, with the extra `data`.

The type of a column comes from the result if that is fixed, else from the values, which are those of a
warehouse's driver. Decimals have 38 digits and the largest scale of their column.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from recce_meta.errors import ConfigurationError, install_hint
from recce_meta.models.rows import RowTable, Scalar
from recce_meta.tables.rows import text

if TYPE_CHECKING:
    import polars
    import pyarrow

DIGITS = 38
"""Digits of `decimal128`."""
_INT64 = range(-(2**63), 2**63)
# Larger integers lose digits as doubles.
_EXACT_IN_DOUBLE = 2**53


def arrow_table(table: RowTable) -> pyarrow.Table:
    """Return *table* as an Arrow table. Raises ConfigurationError without pyarrow."""
    try:
        import pyarrow as arrow
    except ImportError as error:
        raise _missing("pyarrow") from error
    # Without rows, `zip` yields no columns at all.
    columns = [list(column) for column in zip(*table.rows, strict=True)] or [[] for _ in table.types]
    return arrow.table(
        {
            name: _array(arrow, kind, values)
            for (name, kind), values in zip(table.types.items(), columns, strict=True)
        }
    )


def polars_frame(table: RowTable) -> polars.DataFrame:
    """Return *table* as a Polars data frame. Raises ConfigurationError without polars or pyarrow."""
    try:
        import polars
    except ImportError as error:
        raise _missing("polars") from error
    found: Any = polars.from_arrow(arrow_table(table))
    return found


def _missing(package: str) -> ConfigurationError:
    return ConfigurationError(
        f"Data frames require {package}, which is not installed", hint=install_hint("data")
    )


def _array(arrow: Any, kind: type, values: list[Scalar]) -> Any:
    """Return *values* as an Arrow array of the type for *kind*, or of the type that the values need."""
    declared = {str: arrow.string(), int: arrow.int64(), float: arrow.float64(), bool: arrow.bool_()}
    if kind is datetime:
        return arrow.array(values, arrow.timestamp("us", "UTC"))
    if kind is str:
        values = [None if value is None else text(value) for value in values]
    if kind is float:
        # Some of these figures are exact decimals.
        values = [None if value is None else float(value) for value in values]
    if kind is not object:
        return arrow.array(values, declared[kind])
    found = _value_type(arrow, [value for value in values if value is not None])
    if found == arrow.string():
        values = [None if value is None else text(value) for value in values]
    return arrow.array(_converted(arrow, found, values), found)


def _converted(arrow: Any, found: Any, values: list[Scalar]) -> list[Scalar]:
    """Return *values* as Python types that Arrow converts to *found*: integers in a column of decimals."""
    if not arrow.types.is_decimal(found):
        return values
    return [Decimal(value) if isinstance(value, int) else value for value in values]


def _value_type(arrow: Any, values: Sequence[Scalar]) -> Any:
    """Return the Arrow type that holds all *values* exactly, or string."""
    # By exact type, because bool is a subclass of int, and datetime of date.
    kinds = {type(value) for value in values}
    if not kinds:
        return arrow.null()
    if kinds == {bool}:
        return arrow.bool_()
    if kinds == {int} and all(value in _INT64 for value in values):
        return arrow.int64()
    if float in kinds and kinds <= {int, float}:
        is_exact = all(isinstance(value, float) or abs(value) <= _EXACT_IN_DOUBLE for value in values)
        return arrow.float64() if is_exact else arrow.string()
    if kinds <= {int, Decimal}:
        return _decimal_type(arrow, [Decimal(value) for value in values])
    if kinds == {datetime}:
        return _timestamp_type(arrow, values)
    # Arrow has no times of day with a zone.
    if kinds == {time} and all(value.tzinfo is None for value in values):
        return arrow.time64("us")
    simple = {bytes: arrow.binary(), date: arrow.date32(), timedelta: arrow.duration("us")}
    return simple.get(kinds.pop(), arrow.string()) if len(kinds) == 1 else arrow.string()


def _decimal_type(arrow: Any, values: Sequence[Decimal]) -> Any:
    if not all(value.is_finite() for value in values):
        return arrow.string()
    exponents = [value.as_tuple().exponent for value in values]
    scale = max(0, *(-exponent for exponent in exponents if isinstance(exponent, int)))
    whole = max(value.adjusted() + 1 for value in values)
    # Numbers that do not fit would lose digits, so they become strings.
    return arrow.decimal128(DIGITS, scale) if max(whole, 0) + scale <= DIGITS else arrow.string()


def _timestamp_type(arrow: Any, values: Sequence[datetime]) -> Any:
    """Return the type of points in time: in their common zone, else in UTC; string if only some have one."""
    if all(value.tzinfo is None for value in values):
        return arrow.timestamp("us")
    if any(value.tzinfo is None for value in values):
        return arrow.string()
    zones = {_zone(value) for value in values}
    return arrow.timestamp("us", zones.pop() if len(zones) == 1 else "UTC")


def _zone(value: datetime) -> str:
    """Return the name of the zone of *value*; UTC for a fixed offset, which Polars does not accept."""
    zone = value.tzinfo
    if zone is timezone.utc:
        return "UTC"
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    return name if isinstance(name, str) else "UTC"
