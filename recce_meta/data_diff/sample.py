"""Sample rows of both sides: the first keys of either side with their rows on both.

Each side is cut to its first keys before the join. A key among the first of both sides is among the first of
its own side, so no row of the sample is missed, and the warehouse joins few rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from recce_meta.data_diff.keyed import (
    BASE,
    CURRENT,
    KeyedSides,
    KeyFacts,
    is_missing,
    key_facts,
    match_by_key,
)
from recce_meta.data_diff.options import NoKey, ValueOptions
from recce_meta.data_diff.plan import Plan, Query, rows_of
from recce_meta.data_diff.row_sample import RowSample, SampleRow
from recce_meta.data_diff.source import (
    LiveColumn,
    Pair,
    SideRelation,
    describe,
    match_columns,
    name_folding,
    select_of,
    sides_of,
    with_alias,
    with_condition,
)
from recce_meta.data_diff.value import (
    cell,
    fetchable,
    key_cells,
    own_key_cells,
    parse_fetched,
    raw_columns,
    read_cell,
    read_key,
    read_own_key,
    stored_column,
)
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import DataSide, KeyCounts, Value
from recce_meta.warehouses.types import Sql

FLAGS = 2
"""Number of flags at the start of every row: base has it, current has it."""
NOT_MATCHED = (
    "No key is known: these are any rows of each side, which are not matched, so they are not comparable"
)
NOT_ACROSS = "Rows of two targets are not matched: these are any rows of each side, not comparable"


def row_sample(pair: Pair, options: ValueOptions) -> Plan[RowSample]:
    """Return the first `options.limit` keys of *pair* with the rows of both sides.

    Rows whose key is NULL or repeated are left out, as in `value_diff`. Without a key, and across two
    targets, return any rows of each side. Raises MissingRelation, and UnknownNameError for unknown columns.
    """
    if pair.is_cross_warehouse:
        return (yield from _unmatched(pair, options, NOT_ACROSS))
    try:
        sides = yield from match_by_key(pair, options)
    except NoKey:
        return (yield from _unmatched(pair, options, NOT_MATCHED))
    facts = yield from key_facts(sides)
    shown, most = len(sides.compared), sides.dialect.columns_per_statement
    if most is not None:
        # A column takes three columns of the result: base's value, current's value, and whether they differ.
        in_key = FLAGS + len(sides.key) + 2 * len(sides.retyped_key)
        shown = min(shown, max(0, most - in_key) // 3)
    columns = range(shown)
    (answer,) = yield [
        Query(
            expression=_first_rows(sides, facts, columns),
            dialect=sides.dialect,
            side=sides.sides[-1],
            about=f"first rows of {sides.name}",
            assumed=[],
        )
    ]
    rows = [_sample_row(sides, row, columns) for row in rows_of(answer)]
    notes = list(_left_out(sides, facts))
    if shown < len(sides.compared):
        notes.append(f"{shown} of {len(sides.compared)} columns are shown: name others in the form")
    return RowSample(
        subject=pair.subject,
        key=sides.key_names,
        key_source=sides.key_source,
        columns=tuple(how.pair.name for how in sides.compared[:shown]),
        rows=tuple(rows[: options.limit]),
        limit=options.limit,
        is_cut=len(rows) > options.limit,
        where=options.where,
        base_only=sides.base_only,
        current_only=sides.current_only,
        notes=tuple(notes),
    )


def _first_rows(sides: KeyedSides, facts: KeyFacts, columns: Sequence[int]) -> exp.Select:
    """Return the first keys, with flags, key, values of each side, and whether each column differs."""
    raw = raw_columns(sides, columns)
    firsts = [_first_of(sides, side, facts, columns, raw) for side in sides.sides]
    if len(firsts) == 2:
        select = sides.join(*firsts)
        keys = [
            with_alias(exp.func("COALESCE", base, current), f"k{i}")
            for i, (base, current) in enumerate(
                zip(sides.key_columns(BASE), sides.key_columns(CURRENT), strict=True)
            )
        ]
    else:
        select = exp.Select().from_(firsts[0].subquery(_alias(sides.sides[0]), copy=False), copy=False)
        keys = [with_alias(key, f"k{i}") for i, key in enumerate(sides.key_columns(_alias(sides.sides[0])))]
    both = len(firsts) == 2
    flags = [
        with_alias(is_missing(_alias(side)), f"is_not_in_{side.value}") if both else _flag(sides, side)
        for side in (DataSide.BASE, DataSide.CURRENT)
    ]
    own = [
        with_alias(exp.column(f"o{i}", table=_alias(side)), f"{side.value}_o{i}")
        for side in sides.sides
        for i in sides.retyped_key
    ]
    values = [
        with_alias(stored_column(i, _alias(side), raw), f"{side.value}_{i}")
        for side in sides.sides
        for i in columns
    ]
    differences = [with_alias(sides.differ(i), f"differs_{i}") for i in columns] if both else []
    inner = select.select(*flags, *keys, *own, *values, *differences, copy=False).subquery("d", copy=False)
    shown = [
        cell(sides, i, side, exp.column(f"{side.value}_{i}", table="d"))
        for side in sides.sides
        for i in columns
    ]
    outer = (
        select_of(
            exp.column("is_not_in_base", table="d"),
            exp.column("is_not_in_current", table="d"),
            *key_cells(sides, sides.key_columns("d")),
            *own_key_cells(sides, "d"),
            *shown,
            *(exp.column(f"differs_{i}", table="d") for i in columns if both),
        )
        .from_(inner, copy=False)
        .order_by(*sides.in_key_order(sides.key_columns("d")), copy=False)
        # One row more than shown reveals that there are more.
        .limit(sides.options.limit + 1, copy=False)
    )
    return sides.with_repeated(outer, facts.excluded)


def _first_of(
    sides: KeyedSides, side: DataSide, facts: KeyFacts, columns: Sequence[int], raw: Sequence[int]
) -> exp.Select:
    """Return the rows of the first keys of *side*."""
    rows = sides.rows(side, columns, raw=raw, own_key=True, excluded=facts.excluded)
    names = [each.alias_or_name for each in rows.selects]
    return (
        select_of(*(exp.column(name, table="s") for name in names))
        .from_(rows.subquery("s", copy=False), copy=False)
        .order_by(*sides.in_key_order(sides.key_columns("s")), copy=False)
        .limit(sides.options.limit + 1, copy=False)
    )


def _alias(side: DataSide) -> str:
    return BASE if side is DataSide.BASE else CURRENT


def _flag(sides: KeyedSides, side: DataSide) -> Sql:
    return with_alias(exp.false() if side in sides.sides else exp.true(), f"is_not_in_{side.value}")


def _sample_row(sides: KeyedSides, row: Sequence[object], columns: Sequence[int]) -> SampleRow:
    absent = dict(zip((DataSide.BASE, DataSide.CURRENT), row[:FLAGS], strict=True))
    of_key = FLAGS + len(sides.key)
    begin = of_key + len(sides.sides) * len(sides.retyped_key)
    key = read_key(sides, row[FLAGS:of_key])
    if sides.retyped_key:
        # A key of both sides is shown as current writes it.
        shown = DataSide.BASE if absent[DataSide.CURRENT] else DataSide.CURRENT
        key = read_own_key(sides, shown, key, row[of_key:begin])
    values: dict[DataSide, tuple[object, ...]] = {}
    for number, side in enumerate(sides.sides):
        start = begin + number * len(columns)
        if not absent[side]:
            values[side] = tuple(read_cell(sides, i, side, row[start + i]) for i in columns)
    flags = row[begin + len(sides.sides) * len(columns) :]
    return SampleRow(
        key=key,
        base=values.get(DataSide.BASE),
        current=values.get(DataSide.CURRENT),
        differs=tuple(bool(flag) for flag in flags) if len(values) == 2 else (),
    )


def _left_out(sides: KeyedSides, facts: KeyFacts) -> Iterator[str]:
    for name, counts in (("base", facts.base), ("current", facts.current)):
        if isinstance(counts, KeyCounts) and counts.rows != counts.compared:
            number = counts.rows - counts.compared
            yield f"{number:,} rows of {name} are left out: their key is NULL or repeated"
    if sides.incomparable:
        names = ", ".join(each.name for each in sides.incomparable)
        yield f"Columns without a common type are left out: {names}"
    if len(sides.sides) == 1:
        absent = "current" if sides.sides[0] is DataSide.BASE else "base"
        yield f"{sides.name} is not in {absent}"


def _unmatched(pair: Pair, options: ValueOptions, note: str) -> Plan[RowSample]:
    """Return any rows of each side."""
    sources = sides_of(pair)
    described = yield from describe(sources)
    sides = (described[0], described[-1])
    fold = name_folding(sources, *([column.name for column in side] for side in sides))
    columns = match_columns(*sides, fold)
    asked = {fold(name) for name in options.columns}
    excluded = {fold(name) for name in options.exclude_columns}

    def is_shown(column: LiveColumn) -> bool:
        name = fold(column.name)
        return (not asked or name in asked) and name not in excluded

    common = [both for both in columns.common if is_shown(both.current)]
    if not common:
        raise UsageError(f"No column of {pair.subject.name} is shown: base and current share none of them")
    own = {
        source.side: [both.base if source.side is DataSide.BASE else both.current for both in common]
        for source in sources
    }
    answers = yield [
        Query(
            expression=with_condition(
                source.select(
                    *(
                        with_alias(fetchable(column.of("t"), column.type, source.dialect), f"c{i}")
                        for i, column in enumerate(own[source.side])
                    )
                ),
                options.where,
            ).limit(options.limit + 1, copy=False),
            dialect=source.dialect,
            side=source.side,
            about=f"rows of {source.name}",
            assumed=[],
        )
        for source in sources
    ]
    rows: list[SampleRow] = []
    for source, answer in zip(sources, answers, strict=True):
        rows += _rows_of_side(source, rows_of(answer)[: options.limit], own[source.side])
    return RowSample(
        subject=pair.subject,
        columns=tuple(both.name for both in common),
        rows=tuple(rows),
        limit=options.limit,
        is_cut=any(len(rows_of(answer)) > options.limit for answer in answers),
        where=options.where,
        base_only=tuple(column.name for column in columns.base_only if is_shown(column)),
        current_only=tuple(column.name for column in columns.current_only if is_shown(column)),
        notes=(note,),
    )


def _rows_of_side(
    source: SideRelation, rows: Sequence[Sequence[Value]], columns: Sequence[LiveColumn]
) -> Iterator[SampleRow]:
    is_base = source.side is DataSide.BASE
    for row in rows:
        values = tuple(parse_fetched(value, column.type) for value, column in zip(row, columns, strict=True))
        yield SampleRow(base=values) if is_base else SampleRow(current=values)
