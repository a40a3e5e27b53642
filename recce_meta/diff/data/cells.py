"""Cells as they are shown: stored values, beside the form in which they are compared.

Points in time, and types that nobody knows, travel as text: drivers stop at year 9999 and at infinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.diff.data.compare import Comparison
from recce_meta.diff.data.keyed import Keyed
from recce_meta.diff.data.reading import plain, read
from recce_meta.diff.data.sql import aliased
from recce_meta.models.data_diff import DataSide, Value

_BY_TEXT = frozenset([Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIME, Kind.OTHER])


def fetched(value: Sql, of: ColumnType, dialect: Dialect) -> Sql:
    """*value* in a form that every driver can give."""
    return dialect.portable_text(value, of) if _travels_as_text(of) else value


def as_read(value: Value, of: ColumnType) -> Value:
    """What came of `fetched`, as Python's own value."""
    return read(value, of) if _travels_as_text(of) else plain(value, of)


def raw_columns(sides: Keyed, wanted: Iterable[int]) -> list[int]:
    """Those of the *wanted* columns that are compared in another form than they are stored in."""
    return [
        index
        for index in wanted
        if not all(
            isinstance(value.this if isinstance(value, exp.Collate) else value, exp.Column)
            for value in (sides.compared[index].base_value("t"), sides.compared[index].current_value("t"))
        )
    ]


def stored(index: int, alias: str, raw: Sequence[int]) -> Sql:
    """A compared column as it is stored, out of the subquery called *alias*."""
    return exp.column(f"r{index}" if index in raw else f"c{index}", table=alias)


def cell(sides: Keyed, index: int, side: DataSide, value: Sql) -> Sql:
    """*value*, a compared column as *side* stores it, to be shown."""
    shown = fetched(value, _own_type(sides.compared[index], side), sides.dialect)
    return aliased(shown, f"{side.value}_{index}")


def read_cell(sides: Keyed, index: int, side: DataSide, value: Value) -> Value:
    """What came of `cell`."""
    return as_read(value, _own_type(sides.compared[index], side))


def key_cells(sides: Keyed, columns: Sequence[Sql]) -> list[Sql]:
    """*columns*, the key's in their common types, to be shown as key_0, key_1, …"""
    return [
        aliased(fetched(_plain(part, column), _key_type(part), sides.dialect), f"key_{i}")
        for i, (part, column) in enumerate(zip(sides.key, columns, strict=True))
    ]


def read_key(sides: Keyed, values: Sequence[Value]) -> tuple[Value, ...]:
    """What came of `key_cells`."""
    return tuple(as_read(value, _key_type(part)) for part, value in zip(sides.key, values, strict=True))


def own_key_cells(sides: Keyed, alias: str) -> list[Sql]:
    """The key's columns whose types differ, as each side stores them, out of the subquery called *alias*."""
    return [
        aliased(
            fetched(
                exp.column(f"{side.value}_o{i}", table=alias), _own_type(sides.key[i], side), sides.dialect
            ),
            f"{side.value}_key_{i}",
        )
        for side in sides.sides
        for i in sides.retyped_key
    ]


def read_own_key(
    sides: Keyed, side: DataSide, key: tuple[Value, ...], values: Sequence[Value]
) -> tuple[Value, ...]:
    """*key* with what came of `own_key_cells`: the values that *side* has."""
    retyped = sides.retyped_key
    begin = sides.sides.index(side) * len(retyped)
    own = {
        i: as_read(value, _own_type(sides.key[i], side))
        for i, value in zip(retyped, values[begin : begin + len(retyped)], strict=True)
    }
    return tuple(own.get(i, value) for i, value in enumerate(key))


def _travels_as_text(of: ColumnType) -> bool:
    """Whether drivers might not know a value of *of*; what arrays hold is then text in a list."""
    return of.kind in _BY_TEXT or (
        of.kind is Kind.ARRAY and any(_travels_as_text(element) for element in of.elements)
    )


def _plain(part: Comparison, column: Sql) -> Sql:
    return part.dialect.plain_text(column) if part.common.kind is Kind.TEXT else column


def _own_type(how: Comparison, side: DataSide) -> ColumnType:
    return (how.pair.base if side is DataSide.BASE else how.pair.current).type


def _key_type(part: Comparison) -> ColumnType:
    if part.common.label is None:
        return part.pair.current.type
    return ColumnType(part.common.label, part.common.kind)
