"""Rows compared without a key, as two multisets: how often each is on either side.

Rows are grouped by a 64-bit hash of their values, both sides in one scan each. What one side has more often
is added or removed. Two different rows with one hash could hide a difference; among a hundred million rows,
the odds of any such two are one in a few thousand.
"""

from __future__ import annotations

from sqlglot import exp

from recce_meta.dialects import Dialect
from recce_meta.diff.data.plan import Plan, Query, rows_of
from recce_meta.diff.data.rows_apart import rows_diff_apart
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import Pair
from recce_meta.diff.data.sql import aliased, selecting
from recce_meta.diff.data.whole import HASH, Whole, whole, with_rows
from recce_meta.models.data_diff import DataSide, RowsDiff

COUNTS = {DataSide.BASE: "n_base", DataSide.CURRENT: "n_current"}


def rows_diff(pair: Pair, options: ValueOptions) -> Plan[RowsDiff]:
    """What rows *pair* has on one side, or more often there than on the other.

    The sides may be in two targets. A side that is missing makes all rows of the other added or removed.
    Raises UsageError where no column can be compared, or for a tolerance, and whatever a statement raises.
    """
    sides = yield from whole(pair, options)
    if pair.is_apart:
        return (yield from rows_diff_apart(sides))
    dialect = pair.sides[-1].dialect
    (answer,) = yield [_totals(sides, dialect)]
    base, current, common = (int(figure) for figure in rows_of(answer)[0])
    result = sides.answer(
        None if pair.base is None else base, None if pair.current is None else current, common
    )
    if not options.limit or not (result.added or result.removed):
        return result
    (answer,) = yield [_differing(sides, dialect)]
    counts = {row[0]: (int(row[1]), int(row[2])) for row in rows_of(answer)}
    first = list(counts)[: result.limit]
    return (yield from with_rows(sides, result, counts, dict.fromkeys(DataSide, first)))


def _grouped(sides: Whole, dialect: Dialect) -> exp.Select:
    """Each hash, and how often it is on either side."""
    parts = []
    for source in sides.pair.sides:
        numbers = [
            aliased(exp.Literal.number(int(source.side is side)), name) for side, name in COUNTS.items()
        ]
        hashes = sides.sampled(source).subquery("t", copy=False)
        parts.append(selecting(exp.column(HASH, table="t"), *numbers).from_(hashes, copy=False))
    both: exp.Select | exp.Union = parts[0]
    for part in parts[1:]:
        both = exp.Union(this=both, expression=part, distinct=False)
    h = exp.column(HASH, table="u")
    sums = [aliased(exp.Sum(this=exp.column(name, table="u")), name) for name in COUNTS.values()]
    return (
        selecting(h, *sums).from_(both.subquery("u", copy=False), copy=False).group_by(h.copy(), copy=False)
    )


def _totals(sides: Whole, dialect: Dialect) -> Query:
    """Rows of base, rows of current, and rows that both have."""
    base, current = (exp.column(name, table="g") for name in COUNTS.values())
    fewer = exp.Case().when(exp.LT(this=base.copy(), expression=current.copy()), base.copy())
    common = fewer.else_(current.copy())
    figures = {"base_rows": base, "current_rows": current, "common": common}
    return Query(
        expression=selecting(
            *(aliased(dialect.sum_of(figure), name) for name, figure in figures.items())
        ).from_(_grouped(sides, dialect).subquery("g", copy=False), copy=False),
        dialect=dialect,
        about=f"rows of {sides.pair.subject.name}",
        side=sides.pair.sides[-1].side,
        assumed=[(1, 1, 0)],
    )


def _differing(sides: Whole, dialect: Dialect) -> Query:
    """The first hashes that one side has more often."""
    names = (HASH, *COUNTS.values())
    base, current = (exp.column(name, table="g") for name in COUNTS.values())
    return Query(
        expression=selecting(*(exp.column(name, table="g") for name in names))
        .from_(_grouped(sides, dialect).subquery("g", copy=False), copy=False)
        .where(exp.NEQ(this=base, expression=current), copy=False)
        .order_by(exp.Ordered(this=exp.column(HASH, table="g"), desc=False, nulls_first=False), copy=False)
        .limit(sides.options.limit + 1, copy=False),
        dialect=dialect,
        about=f"rows of {sides.pair.subject.name} that differ",
        side=sides.pair.sides[-1].side,
        assumed=[(1, 0, 1)],
    )
