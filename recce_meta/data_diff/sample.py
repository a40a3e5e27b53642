"""Sample rows of both sides: the first keys of either side with their rows on both.

Each side is cut to its first keys before the join. A key among the first of both sides is among the first of
its own side, so no row of the sample is missed, and the warehouse joins few rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from recce_meta.data_diff.keyed import (
    KeyedSides,
    KeyFacts,
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
    FLAGS,
    fetchable,
    parse_fetched,
    raw_columns,
    read_row,
    rows_by_key,
)
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import DataSide, KeyCounts, Value

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
    return rows_by_key(sides, facts, firsts, columns, with_flags=len(firsts) == 2)


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


def _sample_row(sides: KeyedSides, row: Sequence[Value], columns: Sequence[int]) -> SampleRow:
    found = read_row(sides, row, columns)
    is_both = found.base is not None and found.current is not None
    differs = tuple(bool(flag) for flag in found.flags) if is_both else ()
    return SampleRow(key=found.key, base=found.base, current=found.current, differs=differs)


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
