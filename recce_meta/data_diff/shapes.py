"""Shapes of a value diff: in which way the values of a column differ, in one query.

A shape holds for all or a counted part of the differing rows: a constant factor or difference, one pair of
values, letter case or blanks alone. Numbers and times are compared as doubles, to nine digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlglot import exp

from recce_meta.data_diff.keyed import BASE, CURRENT, KeyedSides, KeyFacts
from recce_meta.data_diff.plan import Plan, Query, failure, rows_of
from recce_meta.data_diff.source import is_not_null, select_of, with_alias
from recce_meta.models.data_diff import ColumnValues, DataSide
from recce_meta.models.explanations import ValueShape
from recce_meta.warehouses.arithmetic import all_of, any_of
from recce_meta.warehouses.types import Kind, Sql

FEWEST = 3
"""Differing rows below which a constant factor or difference says nothing."""
_PRECISION = 1e-9
_PAIRED = frozenset([Kind.TEXT, Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL, Kind.DATE])


def read_shapes(
    sides: KeyedSides, facts: KeyFacts, columns: Sequence[ColumnValues], wanted: Sequence[int]
) -> Plan[tuple[ValueShape, ...]]:
    """Return the shapes of the compared columns *wanted*, whose figures are those of *columns*."""
    figures = [(index, name, figure) for index in wanted for name, figure in _figures(sides, index)]
    if not figures:
        return ()
    rows = sides.join(
        *(sides.rows(side, wanted, excluded=facts.excluded) for side in (DataSide.BASE, DataSide.CURRENT)),
        how="inner",
    )
    rows = rows.select(*(with_alias(figure, f"f{i}") for i, (*_, figure) in enumerate(figures)), copy=False)
    rows = rows.where(any_of(sides.differ(index) for index in wanted), copy=False)
    totals: list[Sql] = []
    for i in range(len(figures)):
        value = exp.column(f"f{i}", table="d")
        totals += [
            with_alias(aggregate(this=value.copy()), f"{name}{i}")
            for name, aggregate in (("a", exp.Min), ("z", exp.Max), ("n", exp.Count))
        ]
    select = select_of(*totals).from_(rows.subquery("d", copy=False), copy=False)
    query = Query(
        expression=sides.with_repeated(select, facts.excluded),
        dialect=sides.dialect,
        about=f"how values of {sides.name} differ",
        assumed=[(None,) * len(totals)],
    )
    (answer,) = yield [query]
    if failure(answer):
        return ()
    values = iter(rows_of(answer)[0])
    found: dict[int, dict[str, tuple[object, object, int]]] = {}
    for index, name, _ in figures:
        found.setdefault(index, {})[name] = (next(values), next(values), int(next(values)))
    return tuple(
        shape for index, own in found.items() if (shape := _shape(sides, index, columns[index], own))
    )


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
        as_number = dialect.double if kind.is_number else (lambda value: dialect.double(dialect.epoch(value)))
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
    sides: KeyedSides, index: int, column: ColumnValues, own: dict[str, tuple[object, object, int]]
) -> ValueShape | None:
    """Return the shape of most differing rows of a column; None without one."""
    changed = column.mismatched or 0
    kind = sides.compared[index].common.kind

    def shape(rows: int, text: str) -> ValueShape:
        return ValueShape(column=column.name, text=text, rows=rows, changed=changed)

    sides_of = [own[name] for name in ("before", "after") if name in own]
    if sides_of and all(low == high and number == changed for low, high, number in sides_of):
        quote = "'" if kind in (Kind.TEXT, Kind.DATE) else ""
        return shape(changed, " → ".join(f"{quote}{low}{quote}" for low, *_ in sides_of))
    for name in ("factor", "difference"):
        low, high, number = own.get(name, (None, None, 0))
        value = _constant(low, high)
        if value is not None and number == changed >= FEWEST:
            if name == "factor":
                inverse = round(1 / value, 9) if value else 0.0
                is_division = 0 < abs(value) < 1 and inverse == round(inverse)
                return shape(changed, f"÷ {inverse:.0f}" if is_division else f"× {value:.9g}")
            return shape(
                changed, _moved(value) if kind.is_point_in_time else f"{_sign(value)} {abs(value):.9g}"
            )
    for name, text in (("case", "letter case only"), ("blanks", "blanks around only")):
        number = own.get(name, (None, None, 0))[2]
        if number and number >= 0.9 * changed:
            return shape(number, text)
    nulls = ((column.null_to_value, "NULL → a value"), (column.value_to_null, "a value → NULL"))
    for rows, text in nulls:
        if rows and rows >= 0.9 * changed:
            return shape(rows, text)
    return None


def _constant(low: object, high: object) -> float | None:
    """Return the value of *low* and *high* if they are equal to nine digits; None otherwise."""
    if low is None or high is None:
        return None
    one, other = float(str(low)), float(str(high))
    size = max(abs(one), abs(other))
    return round((one + other) / 2, 12) if size and abs(one - other) <= _PRECISION * size else None


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
