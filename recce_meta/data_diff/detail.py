"""Plans that return rows: differing rows by key, differences between two query results, rows of one query.

A query diff matches rows by key, or compares both results as multisets.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from recce_meta.data_diff.across import load_differences
from recce_meta.data_diff.keyed import (
    KeyedSides,
    KeyFacts,
    key_facts,
    match_by_key,
)
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Plan, Query, rows_of
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.source import Pair, SideRelation, describe
from recce_meta.data_diff.value import (
    FLAGS,
    fetchable,
    parse_fetched,
    raw_columns,
    read_row,
    rows_by_key,
    value_diff,
    value_diff_of,
)
from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.models.data_diff import (
    DataSide,
    DetailRow,
    QueryDiff,
    RowsDiff,
    Subject,
    Value,
    ValueDetail,
    ValueDiff,
)


def value_diff_detail(pair: Pair, options: ValueOptions) -> Plan[ValueDetail]:
    """Return the first `options.limit` differing rows of *pair*, ordered by key.

    Rows whose key is NULL or repeated are left out, as in `value_diff`. Raises the same errors.
    """
    if pair.is_cross_warehouse:
        across = yield from load_differences(pair, options)
        return (yield from across.compare(value_diff_detail))
    sides = yield from match_by_key(pair, options)
    facts = yield from key_facts(sides)
    return (yield from value_detail_of(pair, sides, facts))


def value_detail_of(pair: Pair, sides: KeyedSides, facts: KeyFacts) -> Plan[ValueDetail]:
    """Return the value detail for known columns and counted keys."""
    columns = range(len(sides.compared))
    most = sides.dialect.columns_per_statement
    per_column = len(sides.sides)
    in_key = len(sides.key) + per_column * len(sides.retyped_key)
    size = len(columns) if most is None else max(1, (most - in_key - FLAGS) // per_column)
    # Without compared columns, one query still returns the keys of one side.
    parts = [columns[start : start + size] for start in columns[:: size or 1]] or [columns]
    answers = yield [
        Query(
            expression=_rows(sides, facts, part),
            dialect=sides.dialect,
            side=sides.sides[-1],
            about=f"rows of {sides.name} that differ",
            assumed=[],
        )
        for part in parts
    ]
    limit = sides.options.limit
    rows = _merged(
        sides.name,
        [
            [_detail_row(sides, row, part) for row in rows_of(answer)]
            for part, answer in zip(parts, answers, strict=True)
        ],
    )
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
        rounded=sides.rounded_columns,
        **sides.options.narrowing(sides.excluded),
    )


def _rows(sides: KeyedSides, facts: KeyFacts, part: Sequence[int]) -> exp.Select:
    """Return one-sided rows and rows that differ in any column, with the values of the columns *part*."""
    has_both = len(sides.sides) == 2
    # All parts filter by all columns, so that they return the same rows.
    everything = range(len(sides.compared)) if has_both else part
    raw = raw_columns(sides, part)
    rows = [
        sides.rows(side, everything, raw=raw, own_key=True, excluded=facts.excluded) for side in sides.sides
    ]
    differs = sides.row_differs(everything) if has_both else None
    return rows_by_key(sides, facts, rows, part, condition=differs)


def _detail_row(sides: KeyedSides, row: Sequence[Value], part: Sequence[int]) -> DetailRow:
    found = read_row(sides, row, part)
    status = "added" if found.base is None else "removed" if found.current is None else "changed"
    return DetailRow(status=status, key=found.key, base=found.base, current=found.current)


def _merged(name: str, parts: Sequence[list[DetailRow]]) -> list[DetailRow]:
    """Return the rows of several queries with the columns of all.

    Raises RecceMetaError if the queries returned different rows of the relation *name*.
    """
    # As text, because a NaN in a key does not equal itself.
    found = [[repr((row.status, row.key)) for row in part] for part in parts]
    if any(one != found[0] for one in found):
        raise RecceMetaError(f"Rows of {name} changed while they were compared", hint="compare again")
    merged = []
    for rows in zip(*parts, strict=True):
        first = rows[0]
        base = None if first.base is None else sum((row.base or () for row in rows), ())
        current = None if first.current is None else sum((row.current or () for row in rows), ())
        merged.append(DetailRow(status=first.status, key=first.key, base=base, current=current))
    return merged


def chance_notes(pair: Pair, *queries: str) -> tuple[str, ...]:
    """Return notes on what makes *queries* return other rows each time."""
    found: set[str] = set()
    for side, text in zip(pair.sides, queries, strict=False):
        try:
            tree = parse_one(text, dialect=side.dialect.name)
        except (SqlglotError, RecursionError):
            continue
        if tree.find(exp.Rand, exp.TableSample, exp.Uuid):
            found.add("random values or a sample")
        limits = tree.find_all(exp.Limit, exp.Fetch)
        if any(one.parent is not None and one.parent.args.get("order") is None for one in limits):
            found.add("LIMIT without ORDER BY")
    return tuple(f"The query has {reason}: it may return other rows each time" for reason in sorted(found))


def query_diff(
    pair: Pair, options: ValueOptions, *, base_sql: str, current_sql: str, finds_key: bool = False
) -> Plan[QueryDiff]:
    """Compare the results of *base_sql* and *current_sql*, from which *pair* was made.

    With a key, rows are matched by it: the result has value statistics and the first differing rows, and rows
    with repeated keys are counted. Without a key, it has the rows that one side has more often; this also
    works across two targets. With *finds_key*, columns by which both queries group are the key, if it
    identifies every row. Raises the same errors as `value_diff` and `rows_diff`.
    """
    chance = chance_notes(pair, base_sql, current_sql)
    values, detail = None, None
    if options.key is not None:
        values, detail = yield from _by_key(pair, options)
    elif finds_key and (key := _grouped_key(pair, base_sql, current_sql)):
        # A side may lack such a column, or its types may not be comparable.
        with suppress(UsageError):
            values, detail = yield from _by_key(pair, replace(options, key=key, key_source="GROUP BY"))
        # A group of NULL, or of ROLLUP, has no key of its own: whole rows compare it as well.
        if values is not None and values.left_out:
            values, detail = None, None
    rows = (yield from rows_diff(pair, options)) if values is None else None
    compared = values or rows
    return QueryDiff(
        subject=pair.subject,
        notes=(*(compared.notes if compared else ()), *chance),
        base_sql=base_sql,
        current_sql=current_sql,
        values=values,
        detail=detail,
        rows=rows,
    )


def _grouped_key(pair: Pair, *queries: str) -> tuple[str, ...]:
    """Return the columns by which all *queries* group; empty unless each shows all of them."""
    found = {_grouping(text, side.dialect.name) for side, text in zip(pair.sides, queries, strict=False)}
    return found.pop() if len(found) == 1 else ()


def _grouping(text: str, dialect: str) -> tuple[str, ...]:
    try:
        tree = parse_one(text, dialect=dialect)
    except (SqlglotError, RecursionError):
        return ()
    if not isinstance(tree, exp.Select) or (group := tree.args.get("group")) is None:
        return ()
    columns = tree.selects
    names = {one.unalias(): one.alias_or_name for one in columns} | {
        exp.column(one.alias_or_name): one.alias_or_name for one in columns
    }
    found = [
        columns[int(part.name) - 1].alias_or_name
        if part.is_int and 0 < int(part.name) <= len(columns)
        else names.get(part, "")
        for part in group.expressions
    ]
    return tuple(found) if all(found) else ()


def _by_key(pair: Pair, options: ValueOptions) -> Plan[tuple[ValueDiff, ValueDetail | None]]:
    """Return the value statistics, and the first differing rows if there are any and the options ask."""
    detail = None
    if pair.is_cross_warehouse:
        across = yield from load_differences(pair, options)
        values = yield from across.compare(value_diff)
        if _has_differing_rows(values, options):
            detail = yield from across.compare(value_diff_detail)
        return values, detail
    sides = yield from match_by_key(pair, options)
    facts = yield from key_facts(sides)
    values = yield from value_diff_of(pair, sides, facts)
    if _has_differing_rows(values, options):
        detail = yield from value_detail_of(pair, sides, facts)
    return values, detail


def _has_differing_rows(values: ValueDiff, options: ValueOptions) -> bool:
    return bool(options.limit and (values.added or values.removed or values.changed))


LIMIT = 100


def query_rows(source: SideRelation, subject: Subject, sql: str, *, limit: int = LIMIT) -> Plan[QueryDiff]:
    """Return the row count of the query *sql* of *source*, and its first *limit* rows.

    The other side has no count in `rows`. Raises the query's errors.
    """
    (columns,) = yield from describe([source])
    everything = source.select(
        *(
            exp.alias_(fetchable(each.of("t"), each.type, source.dialect), each.name, quoted=True)
            for each in columns
        )
    )
    counted, fetched = yield [
        Query(
            expression=source.select(exp.Count(this=exp.Star())),
            dialect=source.dialect,
            side=source.side,
            about="rows of the query",
            assumed=[(0,)],
        ),
        Query(
            expression=everything.limit(limit),
            dialect=source.dialect,
            side=source.side,
            about="the query",
            assumed=[],
        ),
    ]
    count = int(rows_of(counted)[0][0])
    is_base = source.side is DataSide.BASE
    found = tuple(
        DetailRow(
            status="removed" if is_base else "added",
            key=(),
            base=row if is_base else None,
            current=None if is_base else row,
            base_count=int(is_base),
            current_count=int(not is_base),
        )
        for values in rows_of(fetched)
        for row in [
            tuple(parse_fetched(value, each.type) for value, each in zip(values, columns, strict=True))
        ]
    )
    rows = RowsDiff(
        subject=subject,
        columns=tuple(column.name for column in columns),
        base_rows=count if is_base else None,
        current_rows=None if is_base else count,
        rows=found,
        limit=limit,
        is_cut=count > limit,
    )
    return QueryDiff(
        subject=subject, base_sql=sql if is_base else "", current_sql="" if is_base else sql, rows=rows
    )
