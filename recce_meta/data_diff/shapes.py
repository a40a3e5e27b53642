"""Shapes of a value diff: in which way the values of a column differ.

A shape holds for all or a counted part of the differing rows: a constant factor or difference, one pair of
values, letter case or blanks alone. Numbers and times are compared as doubles, to nine digits. Its figures
are columns of the query that counts the slices, or of one of their own if there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from sqlglot import exp

from recce_meta.data_diff.keyed import BASE, CURRENT, KeyedSides, KeyFacts
from recce_meta.data_diff.plan import Plan, Query, failure, rows_of
from recce_meta.data_diff.source import is_not_null, select_of, with_alias
from recce_meta.models.data_diff import ColumnValues, DataSide
from recce_meta.models.explanations import ValueShape
from recce_meta.warehouses.arithmetic import all_of, any_of
from recce_meta.warehouses.dialect import epoch
from recce_meta.warehouses.types import Kind, Sql

FEWEST = 3
"""Differing rows below which a constant factor or difference says nothing."""
_PRECISION = 1e-9
_PAIRED = frozenset([Kind.TEXT, Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL, Kind.DATE])


class _FigureRange(NamedTuple):
    """Lowest and highest value of a figure, by group of rows, and the number of rows that have it."""

    values: tuple[object, ...] = ()
    number: int = 0

    @property
    def only(self) -> object | None:
        """Return the one value of all rows; None if there are several."""
        first = self.values[0] if self.values else None
        return first if all(value == first for value in self.values) else None

    @property
    def constant(self) -> float | None:
        """Return the one number of all rows, to nine digits; None if there are several."""
        numbers = [float(str(value)) for value in self.values]
        if not numbers or any(math.isnan(one) for one in numbers):
            return None
        low, high = min(numbers), max(numbers)
        size = max(abs(low), abs(high))
        return round((low + high) / 2, 12) if size and high - low <= _PRECISION * size else None


@dataclass(frozen=True)
class ShapeFigures:
    """Figures of the compared columns *wanted*, whose counts are those of *columns*.

    `expressions` are columns of a join of both sides, `totals` the aggregates of them in a query on the join
    as `z`; `shapes` reads their values.
    """

    sides: KeyedSides
    columns: Sequence[ColumnValues]
    wanted: Sequence[int]

    @cached_property
    def _all(self) -> list[tuple[int, str, Sql]]:
        return [
            (index, name, figure) for index in self.wanted for name, figure in _figures(self.sides, index)
        ]

    @property
    def expressions(self) -> list[Sql]:
        return [with_alias(figure.copy(), f"f{i}") for i, (*_, figure) in enumerate(self._all)]

    @property
    def totals(self) -> list[Sql]:
        return [
            with_alias(aggregate(this=exp.column(f"f{i}", table="z")), f"{name}{i}")
            for i in range(len(self._all))
            for name, aggregate in (("f_a", exp.Min), ("f_z", exp.Max), ("f_n", exp.Count))
        ]

    def shapes(self, rows: Iterable[Sequence[object]]) -> tuple[ValueShape, ...]:
        """Return the shapes of *rows*, the values of `totals` for parts of the rows."""
        parts = list(rows)
        found: dict[int, dict[str, _FigureRange]] = {index: {} for index in self.wanted}
        for i, (index, name, _) in enumerate(self._all):
            values = [value for row in parts for value in row[3 * i : 3 * i + 2] if value is not None]
            number = sum(int(str(row[3 * i + 2])) for row in parts)
            found[index][name] = _FigureRange(tuple(values), number)
        shapes = (_shape(self.sides, index, self.columns[index], own) for index, own in found.items())
        return tuple(one for one in shapes if one is not None)

    def read(self, facts: KeyFacts) -> Plan[tuple[ValueShape, ...]]:
        """Return the shapes, by a query of their own."""
        if not self._all:
            return self.shapes(())
        both = (DataSide.BASE, DataSide.CURRENT)
        rows = self.sides.join(
            *(self.sides.rows(side, self.wanted, excluded=facts.excluded) for side in both), how="inner"
        )
        rows = rows.select(*self.expressions, copy=False)
        rows = rows.where(any_of(self.sides.differ(index) for index in self.wanted), copy=False)
        totals = self.totals
        select = select_of(*totals).from_(rows.subquery("z", copy=False), copy=False)
        query = Query(
            expression=self.sides.with_repeated(select, facts.excluded),
            dialect=self.sides.dialect,
            about=f"how values of {self.sides.name} differ",
            assumed=[(None, None, 0) * len(self._all)],
        )
        (answer,) = yield [query]
        return () if failure(answer) else self.shapes(rows_of(answer))


def _figures(sides: KeyedSides, index: int) -> Iterator[tuple[str, Sql]]:
    """Yield figures of a row: each is NULL if the column does not differ, or the figure is not defined."""
    how, dialect = sides.compared[index], sides.dialect
    kinds = {how.pair.base.type.kind, how.pair.current.type.kind}
    before, after = exp.column(f"c{index}", table=BASE), exp.column(f"c{index}", table=CURRENT)

    def if_differing(value: Sql, *conditions: Sql) -> Sql:
        return exp.Case().when(all_of([sides.differ(index), *conditions]), value, copy=False)

    if len(kinds) > 1 and not all(kind.is_number for kind in kinds):
        return
    kind = how.common.kind
    if kind.is_number or kind.is_point_in_time:
        as_number = dialect.double if kind.is_number else (lambda value: dialect.double(epoch(value)))
        one, other = as_number(before.copy()), as_number(after.copy())
        yield "difference", if_differing(exp.Sub(this=other, expression=exp.Paren(this=one)))
        if kind.is_number:
            is_divided = exp.NEQ(this=before.copy(), expression=exp.Literal.number(0))
            ratio = exp.Div(this=other.copy(), expression=one.copy())
            yield "factor", if_differing(ratio, is_divided, is_not_null(after.copy()))
    if kind is Kind.TEXT:
        exact = dialect.exact_text
        for name, change in (("case", exp.Lower), ("blanks", exp.Trim)):
            same = exp.EQ(this=exact(change(this=before.copy())), expression=exact(change(this=after.copy())))
            yield name, if_differing(exp.Literal.number(1), same)
    if kind in _PAIRED and len(kinds) == 1:
        for name, value in (("before", before), ("after", after)):
            text = dialect.portable_text(value.copy(), how.pair.base.type)
            yield (
                name,
                if_differing(dialect.exact_text(text), is_not_null(before.copy()), is_not_null(after.copy())),
            )


def _shape(
    sides: KeyedSides, index: int, column: ColumnValues, own: dict[str, _FigureRange]
) -> ValueShape | None:
    """Return the shape of most differing rows of a column; None without one."""
    changed = column.mismatched or 0
    kind = sides.compared[index].common.kind

    def shape(rows: int, text: str) -> ValueShape:
        return ValueShape(column=column.name, text=text, rows=rows, changed=changed)

    pair = [own[name] for name in ("before", "after") if name in own]
    if pair and all(one.only is not None and one.number == changed for one in pair):
        quote = "'" if kind in (Kind.TEXT, Kind.DATE) else ""
        return shape(changed, " → ".join(f"{quote}{one.only}{quote}" for one in pair))
    for name in ("factor", "difference"):
        figure = own.get(name, _FigureRange())
        value = figure.constant
        if value is not None and figure.number == changed >= FEWEST:
            if name == "factor":
                inverse = round(1 / value, 9) if value else 0.0
                is_division = 0 < abs(value) < 1 and inverse == round(inverse)
                return shape(changed, f"÷ {inverse:.0f}" if is_division else f"× {value:.9g}")
            return shape(
                changed, _moved(value) if kind.is_point_in_time else f"{_sign(value)} {abs(value):.9g}"
            )
    for name, text in (("case", "letter case only"), ("blanks", "blanks around only")):
        number = own.get(name, _FigureRange()).number
        if number and number >= 0.9 * changed:
            return shape(number, text)
    nulls = ((column.null_to_value, "NULL → a value"), (column.value_to_null, "a value → NULL"))
    for rows, text in nulls:
        if rows and rows >= 0.9 * changed:
            return shape(rows, text)
    return None


def _sign(value: float) -> str:
    return "-" if value < 0 else "+"


def _moved(seconds: float) -> str:
    """Return `+ 1 day`, `- 2 hours` or a duration."""
    size = abs(seconds)
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if size >= unit and size % unit == 0:
            number = round(size / unit)
            return f"{_sign(seconds)} {number:,} {name}{'' if number == 1 else 's'}"
    return f"{_sign(seconds)} {timedelta(seconds=size)}"
