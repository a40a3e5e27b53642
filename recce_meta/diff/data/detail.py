"""`value_diff_detail`: the rows that differ, ordered by key, with the values of both sides."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from recce_meta.dialects import Sql
from recce_meta.diff.data.cells import (
    cell,
    key_cells,
    own_key_cells,
    raw_columns,
    read_cell,
    read_key,
    read_own_key,
    stored,
)
from recce_meta.diff.data.key_facts import KeyFacts, key_facts
from recce_meta.diff.data.keyed import BASE, CURRENT, Keyed, is_missing, keyed
from recce_meta.diff.data.plan import Plan, Query, Rows, rows_of
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import Pair
from recce_meta.diff.data.sql import aliased, negated, selecting
from recce_meta.models.data_diff import DataSide, DetailRow, ValueDetail

FLAGS = 2
"""Whether the row is added, and whether it is removed: what every row begins with."""


def value_diff_detail(pair: Pair, options: ValueOptions) -> Plan[ValueDetail]:
    """The first `options.limit` rows of *pair* that differ, in the order of their keys.

    Rows whose key is NULL or repeated take no part, as in `value_diff`. Raises what that raises.
    """
    pair.check_joined("value diff detail")
    sides = yield from keyed(pair, options)
    facts = yield from key_facts(sides)
    return (yield from value_detail_of(pair, sides, facts))


def value_detail_of(pair: Pair, sides: Keyed, facts: KeyFacts) -> Plan[ValueDetail]:
    """The same, where the columns are known and the keys counted."""
    columns = range(len(sides.compared))
    most = sides.dialect.columns_per_statement
    per_column = len(sides.sides)
    in_key = len(sides.key) + per_column * len(sides.retyped_key)
    size = len(columns) if most is None else (most - in_key - FLAGS) // per_column
    parts = [columns[start : start + size] for start in columns[:: max(1, size)]] or [columns]
    make = _differing if len(sides.sides) == 2 else _one_sided
    answers = yield [
        Query(
            expression=make(sides, facts, part),
            dialect=sides.dialect,
            side=sides.sides[-1],
            about=f"rows of {sides.name} that differ",
            assumed=[],
        )
        for part in parts
    ]
    limit = sides.options.limit
    rows = _merged([_read(sides, part, rows_of(answer)) for part, answer in zip(parts, answers, strict=True)])
    return ValueDetail(
        subject=pair.subject,
        notes=() if per_column == 2 else (pair.one_sided_note,),
        key=sides.key_names,
        key_source=sides.key_source,
        base=facts.base,
        current=facts.current,
        columns=tuple(how.pair.name for how in sides.compared),
        rows=tuple(rows[:limit]),
        limit=limit,
        is_cut=len(rows) > limit,
        base_only=sides.base_only,
        current_only=sides.current_only,
        incomparable=tuple(each.name for each in sides.incomparable),
        rounded=sides.rounded,
        **sides.options.narrowing(sides.excluded),
    )


def _differing(sides: Keyed, facts: KeyFacts, part: Sequence[int]) -> exp.Select:
    """Rows of one side alone and rows that differ in any column, with the values of the columns *part*."""
    everything = range(len(sides.compared))
    raw = raw_columns(sides, part)
    rows = [
        sides.rows(side, everything, raw=raw, own_key=True, excluded=facts.excluded)
        for side in (DataSide.BASE, DataSide.CURRENT)
    ]
    own_keys = [
        aliased(exp.column(f"o{i}", table=alias), f"{side.value}_o{i}")
        for side, alias in ((DataSide.BASE, BASE), (DataSide.CURRENT, CURRENT))
        for i in sides.retyped_key
    ]
    keys = [
        aliased(exp.func("COALESCE", base, current), f"k{i}")
        for i, (base, current) in enumerate(
            zip(sides.key_columns(BASE), sides.key_columns(CURRENT), strict=True)
        )
    ]
    select = sides.joined(*rows).select(
        aliased(is_missing(BASE), "is_added"),
        aliased(is_missing(CURRENT), "is_removed"),
        *keys,
        *own_keys,
        *_passed_on(part, raw, BASE),
        *_passed_on(part, raw, CURRENT),
        copy=False,
    )
    return _cut(sides, facts, select.where(sides.row_differs(everything), copy=False), part)


def _one_sided(sides: Keyed, facts: KeyFacts, part: Sequence[int]) -> exp.Select:
    """Rows of the side that is there, in the same shape."""
    (side,) = sides.sides
    alias = BASE if side is DataSide.BASE else CURRENT
    raw = raw_columns(sides, part)
    is_added = exp.true() if side is DataSide.CURRENT else exp.false()
    select = (
        selecting(aliased(is_added, "is_added"), aliased(negated(is_added.copy()), "is_removed"))
        .from_(
            sides.rows(side, part, raw=raw, excluded=facts.excluded).subquery(alias, copy=False), copy=False
        )
        .select(*(aliased(key, f"k{i}") for i, key in enumerate(sides.key_columns(alias))), copy=False)
        .select(*_passed_on(part, raw, alias), copy=False)
    )
    return _cut(sides, facts, select, part)


def _cut(sides: Keyed, facts: KeyFacts, select: exp.Select, part: Sequence[int]) -> exp.Select:
    """The first rows of *select*, a subquery, by key, and one more to tell that there are more."""
    flags = [exp.column(name, table="d") for name in ("is_added", "is_removed")]
    values = [
        cell(sides, i, side, exp.column(f"{side.value}_{i}", table="d")) for side in sides.sides for i in part
    ]
    first = (
        selecting(*flags, *key_cells(sides, sides.key_columns("d")), *own_key_cells(sides, "d"), *values)
        .from_(select.subquery("d", copy=False), copy=False)
        .order_by(*sides.in_key_order(sides.key_columns("d")), copy=False)
        .limit(sides.options.limit + 1, copy=False)
    )
    return sides.with_repeated(first, facts.excluded)


def _passed_on(part: Sequence[int], raw: Sequence[int], alias: str) -> list[Sql]:
    side = DataSide.BASE if alias == BASE else DataSide.CURRENT
    return [aliased(stored(i, alias, raw), f"{side.value}_{i}") for i in part]


def _read(sides: Keyed, part: Sequence[int], rows: Rows) -> list[DetailRow]:
    begin = FLAGS + len(sides.key) + len(sides.sides) * len(sides.retyped_key)
    return [_detail_row(sides, row, begin, part) for row in rows]


def _detail_row(sides: Keyed, row: Sequence[object], begin: int, part: Sequence[int]) -> DetailRow:
    is_added, is_removed = row[:FLAGS]
    values = {
        side: tuple(
            read_cell(sides, index, side, row[begin + i * len(part) + at]) for at, index in enumerate(part)
        )
        for i, side in enumerate(sides.sides)
    }
    in_common = FLAGS + len(sides.key)
    key = read_key(sides, row[FLAGS:in_common])
    if sides.retyped_key:
        shown = DataSide.BASE if is_removed else DataSide.CURRENT
        key = read_own_key(sides, shown, key, row[in_common:begin])
    return DetailRow(
        status="added" if is_added else "removed" if is_removed else "changed",
        key=key,
        base=None if is_added else values[DataSide.BASE],
        current=None if is_removed else values[DataSide.CURRENT],
    )


def _merged(parts: Sequence[list[DetailRow]]) -> list[DetailRow]:
    """The rows of several statements, which gave the same rows, with the columns of all."""
    merged = []
    for rows in zip(*parts, strict=True):
        first = rows[0]
        base = None if first.base is None else sum((row.base or () for row in rows), ())
        current = None if first.current is None else sum((row.current or () for row in rows), ())
        merged.append(DetailRow(status=first.status, key=first.key, base=base, current=current))
    return merged
