"""Values of two warehouses as text, written alike where they are equal.

Numbers are written in digits, without zeros at the end; where either side is a float, both are, with 15
significant digits, which every double holds. Points in time are in ISO 8601 and UTC, to the microsecond.
JSON, arrays, structs, maps, intervals and types that nobody knows are spelt by each kind of warehouse in its
own way, so that they are compared between two of the same kind alone.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.diff.data.compare import prepared
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import ColumnPair
from recce_meta.models.data_diff import DataSide

_PLAIN = frozenset(
    [
        *(Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP),
        *(Kind.TIMESTAMPTZ, Kind.TIME, Kind.BINARY, Kind.UUID),
    ]
)
"""Kinds whose texts have no characters but letters, digits and a few marks."""
_CONVERTED = frozenset([Kind.FLOAT, Kind.TIMESTAMP, Kind.TIMESTAMPTZ])
"""Kinds that others are cast to; a whole number is a decimal already."""

PortableValue = Callable[[DataSide, str], Sql]

_ALIKE = frozenset([Kind.BOOLEAN, Kind.TEXT, Kind.TIME, Kind.BINARY, Kind.UUID])
"""Kinds that all warehouses can write alike, and that equal no other kind."""
_LIKE_TEXT = frozenset([Kind.INTEGER, Kind.DATE, Kind.UUID])
"""Kinds that a text is equal to if it is written like the value."""


def portable_value(
    pair: ColumnPair, base: Dialect, current: Dialect, options: ValueOptions
) -> PortableValue | None:
    """How the values of *pair*, one of each dialect, become texts; None where they cannot be compared."""
    is_same = base.name == current.name
    kind = _common_kind(pair.base.type, pair.current.type, is_same=is_same)
    if kind is None:
        return None
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
            text = prepared(dialect, dialect.canonical_text(value, of), kind, options)
            return dialect.portable_part(text)
        if kind is not of.kind and kind in _CONVERTED:
            value, of = _as_kind(dialect, value, kind), ColumnType(kind.value, kind)
        text = dialect.canonical_text(prepared(dialect, value, kind, options), of)
        return text if kind in _PLAIN else dialect.portable_part(text)

    return written


def _common_kind(base: ColumnType, current: ColumnType, *, is_same: bool) -> Kind | None:
    kinds = {base.kind, current.kind}
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
    """*value* as a *kind* that holds it."""
    if kind is Kind.FLOAT:
        return dialect.double(value)
    if kind is Kind.TIMESTAMPTZ:
        return dialect.as_utc(value)
    return exp.cast(value, "TIMESTAMP", dialect=dialect.name)
