"""Value diff: comparison of rows matched by key, with all columns in one full outer join.

1. The columns of both sides are looked up.
2. Rows and keys are counted on each side (`key_facts`). Rows with a NULL or repeated key are left out.
3. One join matches the sides, and only differing rows are aggregated: their number, and per column how many
   differ, by how much, and the first and last differing key. The number of equal rows is computed from these.
4. The cells of those keys are fetched as examples.

Cells are fetched as stored, next to the form in which they are compared. Points in time and unknown types are
fetched as text, because drivers fail after year 9999 and at infinity. `detail` has the differing rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace
from sqlglot import exp

from recce_meta.data_diff.across import load_differences
from recce_meta.data_diff.compare import ColumnComparison, no_common_type
from recce_meta.data_diff.keyed import (
    BASE,
    CURRENT,
    KeyedSides,
    KeyFacts,
    has_token,
    is_missing,
    key_facts,
    match_by_key,
    sample_token,
    token_of,
)
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Plan, Query, Rows, rows_of
from recce_meta.data_diff.portable import parse_portable, plain
from recce_meta.data_diff.source import (
    ColumnPair,
    LiveColumn,
    Pair,
    is_null,
    negation,
    select_of,
    with_alias,
)
from recce_meta.errors import QueryTimeout, first_line
from recce_meta.lazy import LazyModule
from recce_meta.models.data_diff import ColumnValues, DataSide, Example, Value, ValueDiff
from recce_meta.models.explanations import TriedEdits
from recce_meta.warehouses.arithmetic import Distances, all_of, any_of
from recce_meta.warehouses.dialect import Dialect
from recce_meta.warehouses.types import ColumnType, Kind, Sql

if TYPE_CHECKING:
    from recce_meta.data_diff import edit_trials, parents, slices
else:
    # Few value diffs are explained.
    edit_trials = LazyModule("recce_meta.data_diff.edit_trials")
    parents = LazyModule("recce_meta.data_diff.parents")
    slices = LazyModule("recce_meta.data_diff.slices")

_BY_TEXT = frozenset([Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIME, Kind.OTHER])


def fetchable(value: Sql, of: ColumnType, dialect: Dialect) -> Sql:
    """Return *value* in a form that every driver can return."""
    return dialect.portable_text(value, of) if _travels_as_text(of) else dialect.fetched(value, of)


def parse_fetched(value: Value, of: ColumnType) -> Value:
    """Convert a result of `fetchable` to a Python value."""
    return parse_portable(value, of) if _travels_as_text(of) else plain(value, of)


def raw_columns(sides: KeyedSides, wanted: Iterable[int]) -> list[int]:
    """Return the *wanted* columns that are compared in another form than they are stored in."""

    def is_stored(value: Sql, column: LiveColumn) -> bool:
        # A collation changes how a text compares, not what it contains.
        return (value.this if isinstance(value, exp.Collate) else value) == column.of("t")

    return [
        index
        for index in wanted
        for column in [sides.compared[index]]
        if not is_stored(column.base_value("t"), column.pair.base)
        or not is_stored(column.current_value("t"), column.pair.current)
    ]


def stored_column(index: int, alias: str, raw: Sequence[int]) -> Sql:
    """Return a compared column as stored, from the subquery *alias*."""
    return exp.column(f"r{index}" if index in raw else f"c{index}", table=alias)


def cell(sides: KeyedSides, index: int, side: DataSide, value: Sql) -> Sql:
    """Return *value*, a compared column as stored in *side*, for display."""
    shown = fetchable(value, _own_type(sides.compared[index], side), sides.dialect)
    return with_alias(shown, f"{side.value}_{index}")


def read_cell(sides: KeyedSides, index: int, side: DataSide, value: Value) -> Value:
    """Convert a result of `cell`."""
    return parse_fetched(value, _own_type(sides.compared[index], side))


def key_cells(sides: KeyedSides, columns: Sequence[Sql]) -> list[Sql]:
    """Return the key *columns* in their common types for display, as key_0, key_1, …"""
    return [
        with_alias(fetchable(_plain(part, column), _key_type(part), sides.dialect), f"key_{i}")
        for i, (part, column) in enumerate(zip(sides.key, columns, strict=True))
    ]


def read_key(sides: KeyedSides, values: Sequence[Value]) -> tuple[Value, ...]:
    """Convert the results of `key_cells`."""
    return tuple(parse_fetched(value, _key_type(part)) for part, value in zip(sides.key, values, strict=True))


FLAGS = 2
"""Number of flags at the start of every row of `rows_by_key`: base lacks it, current lacks it."""


def rows_by_key(
    sides: KeyedSides,
    facts: KeyFacts,
    rows: Sequence[exp.Select],
    columns: Sequence[int],
    *,
    condition: Sql | None = None,
    with_flags: bool = False,
) -> exp.Select:
    """Return the first *rows* by key, a select of each side, plus one to detect whether there are more.

    A result has flags, the key, the key as each side stores it, and the *columns* of each side; *with_flags*,
    also whether each column differs. *condition* limits the rows.
    """
    if len(rows) == 2:
        select = sides.join(*rows)
        keys = sides.joined_key()
        is_added, is_removed = is_missing(BASE), is_missing(CURRENT)
    else:
        (side,) = sides.sides
        select = exp.Select().from_(rows[0].subquery(_alias(side), copy=False), copy=False)
        keys = sides.key_columns(_alias(side))
        is_added = exp.true() if side is DataSide.CURRENT else exp.false()
        is_removed = negation(is_added.copy())
    raw = raw_columns(sides, columns)
    of_sides = [(side, i) for side in sides.sides for i in columns]
    inner = select.select(
        with_alias(is_added, "is_added"),
        with_alias(is_removed, "is_removed"),
        *(with_alias(key, f"k{i}") for i, key in enumerate(keys)),
        *(
            with_alias(exp.column(f"o{i}", table=_alias(side)), f"{side.value}_o{i}")
            for side in sides.sides
            for i in sides.retyped_key
        ),
        *(with_alias(stored_column(i, _alias(side), raw), f"{side.value}_{i}") for side, i in of_sides),
        *(with_alias(sides.differ(i), f"differs_{i}") for i in columns if with_flags),
        copy=False,
    )
    inner = inner if condition is None else inner.where(condition, copy=False)
    first = (
        select_of(
            exp.column("is_added", table="d"),
            exp.column("is_removed", table="d"),
            *key_cells(sides, sides.key_columns("d")),
            *_own_key_cells(sides, "d"),
            *(cell(sides, i, side, exp.column(f"{side.value}_{i}", table="d")) for side, i in of_sides),
            *(exp.column(f"differs_{i}", table="d") for i in columns if with_flags),
        )
        .from_(inner.subquery("d", copy=False), copy=False)
        .order_by(*sides.in_key_order(sides.key_columns("d")), copy=False)
        .limit(sides.options.limit + 1, copy=False)
    )
    return sides.with_repeated(first, facts.excluded)


class KeyedRow(NamedTuple):
    """Row of `rows_by_key`: the values of each side, None if it lacks the row."""

    key: tuple[Value, ...]
    base: tuple[Value, ...] | None
    current: tuple[Value, ...] | None
    flags: Sequence[object]


def read_row(sides: KeyedSides, row: Sequence[Value], columns: Sequence[int]) -> KeyedRow:
    """Convert a row of `rows_by_key`."""
    absent = dict(zip((DataSide.BASE, DataSide.CURRENT), row[:FLAGS], strict=True))
    of_key = FLAGS + len(sides.key)
    begin = of_key + len(sides.sides) * len(sides.retyped_key)
    key = read_key(sides, row[FLAGS:of_key])
    if sides.retyped_key:
        # A key of both sides is shown as current writes it.
        shown = DataSide.BASE if absent[DataSide.CURRENT] else DataSide.CURRENT
        key = _read_own_key(sides, shown, key, row[of_key:begin])
    values: dict[DataSide, tuple[Value, ...]] = {}
    for side in sides.sides:
        end = begin + len(columns)
        if not absent[side]:
            cells = zip(columns, row[begin:end], strict=True)
            values[side] = tuple(read_cell(sides, i, side, value) for i, value in cells)
        begin = end
    return KeyedRow(key, values.get(DataSide.BASE), values.get(DataSide.CURRENT), row[begin:])


def _alias(side: DataSide) -> str:
    return BASE if side is DataSide.BASE else CURRENT


def _own_key_cells(sides: KeyedSides, alias: str) -> list[Sql]:
    """Return retyped key columns as each side stores them, from the subquery *alias*."""
    return [
        with_alias(
            fetchable(
                exp.column(f"{side.value}_o{i}", table=alias), _own_type(sides.key[i], side), sides.dialect
            ),
            f"{side.value}_key_{i}",
        )
        for side in sides.sides
        for i in sides.retyped_key
    ]


def _read_own_key(
    sides: KeyedSides, side: DataSide, key: tuple[Value, ...], values: Sequence[Value]
) -> tuple[Value, ...]:
    """Return *key* with the values of *side*, from the results of `_own_key_cells`."""
    retyped = sides.retyped_key
    begin = sides.sides.index(side) * len(retyped)
    own = {
        i: parse_fetched(value, _own_type(sides.key[i], side))
        for i, value in zip(retyped, values[begin : begin + len(retyped)], strict=True)
    }
    return tuple(own.get(i, value) for i, value in enumerate(key))


def _travels_as_text(of: ColumnType) -> bool:
    """Return True if drivers may fail on values of *of*; elements of such arrays become text in a list."""
    return of.kind in _BY_TEXT or (
        of.kind is Kind.ARRAY and any(_travels_as_text(element) for element in of.elements)
    )


def _plain(part: ColumnComparison, column: Sql) -> Sql:
    return part.dialect.plain_text(column) if part.common.kind is Kind.TEXT else column


def _own_type(how: ColumnComparison, side: DataSide) -> ColumnType:
    return (how.pair.base if side is DataSide.BASE else how.pair.current).type


def _key_type(part: ColumnComparison) -> ColumnType:
    if part.common.label is None:
        return part.pair.current.type
    return ColumnType(part.common.label, part.common.kind)


VALUES_PER_COLUMN = 3
"""Number of values per column: whether it differs, base's value, current's value."""
COLUMNS_AT_ONCE = 250
"""Limit for warehouses without one of their own; larger queries would be unreadable."""


class ExampleKeys(NamedTuple):
    """Column that differs, and two keys at which it does."""

    column: int
    first_token: object
    last_token: object


def fetch_examples(
    sides: KeyedSides, facts: KeyFacts, found: Sequence[ExampleKeys]
) -> Plan[dict[int, tuple[Example, ...]]]:
    """Return examples by column index: the first by key, or the first and the last.

    Up to two are fetched by their tokens; for more, the sides are joined again.
    """
    if not found:
        return {}
    size = sides.dialect.columns_per_statement or COLUMNS_AT_ONCE * VALUES_PER_COLUMN
    # A wide key may leave no room, but a query needs at least one column.
    size = max(1, (size - len(sides.key)) // VALUES_PER_COLUMN)
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    by_token = sides.options.examples <= 2
    answers = yield [
        Query(
            expression=_by_token(sides, part) if by_token else _by_rank(sides, facts, part),
            dialect=sides.dialect,
            about=f"examples of {sides.name}",
            assumed=[],
        )
        for part in parts
    ]
    examples: dict[int, tuple[Example, ...]] = {}
    for part, answer in zip(parts, answers, strict=True):
        examples |= _read(sides, part, rows_of(answer))
    return examples


def _by_token(sides: KeyedSides, found: Sequence[ExampleKeys]) -> exp.Select:
    """Select the rows with one of the tokens."""
    is_one = sides.options.examples == 1
    tokens = {token: None for each in found for token in ((each.first_token, each.last_token)[: 2 - is_one])}
    wanted = [each.column for each in found]
    # Leaving out repeated keys would scan both sides again: `_read` drops the few that tokens select.
    chosen = [
        sides.rows(side, wanted, raw=raw_columns(sides, wanted), keep=has_token(sides, side, tokens))
        for side in (DataSide.BASE, DataSide.CURRENT)
    ]
    flags = [with_alias(sides.differ(index), f"d{index}") for index in wanted]
    select = sides.join(*chosen, how="inner").select(
        *key_cells(sides, sides.key_columns(BASE)), *_example_cells(sides, wanted, flags), copy=False
    )
    return select.order_by(*sides.in_key_order(sides.key_columns(BASE)), copy=False)


def _by_rank(sides: KeyedSides, facts: KeyFacts, found: Sequence[ExampleKeys]) -> exp.Select:
    """Select the first differing rows by key, for each column."""
    wanted = [each.column for each in found]
    raw = raw_columns(sides, wanted)
    rows = [
        sides.rows(side, wanted, raw=raw, excluded=facts.excluded)
        for side in (DataSide.BASE, DataSide.CURRENT)
    ]
    keys = sides.key_columns(BASE)
    ranks: list[Sql] = []
    for index in wanted:
        order = exp.Order(expressions=sides.in_key_order(keys))
        # Rows that differ are numbered apart from equal ones, so their numbers begin at 1.
        rank = exp.Window(this=exp.RowNumber(), partition_by=[sides.differ(index)], order=order)
        ranks.append(with_alias(rank, f"n{index}"))
    ranked = sides.join(*rows, how="inner").where(any_of(sides.differ(index) for index in wanted), copy=False)
    flags = [with_alias(sides.differ(index), f"d{index}") for index in wanted]
    ranked = ranked.select(
        *keys, *key_cells(sides, keys), *_example_cells(sides, wanted, flags), *ranks, copy=False
    )
    is_first = [
        all_of(
            [
                exp.column(f"d{index}", table="d"),
                exp.LTE(
                    this=exp.column(f"n{index}", table="d"),
                    expression=exp.Literal.number(sides.options.examples),
                ),
            ]
        )
        for index in wanted
    ]
    names = [f"key_{i}" for i in range(len(keys))]
    names += [name for index in wanted for name in (f"d{index}", f"base_{index}", f"current_{index}")]
    select = (
        select_of(*(exp.column(name, table="d") for name in names))
        .from_(ranked.subquery("d", copy=False), copy=False)
        .where(any_of(is_first), copy=False)
        .order_by(*sides.in_key_order(sides.key_columns("d")), copy=False)
    )
    return sides.with_repeated(select, facts.excluded)


def _example_cells(sides: KeyedSides, wanted: Sequence[int], flags: Sequence[Sql]) -> list[Sql]:
    raw = raw_columns(sides, wanted)
    cells: list[Sql] = []
    for index, flag in zip(wanted, flags, strict=True):
        cells.append(flag)
        cells.append(cell(sides, index, DataSide.BASE, stored_column(index, BASE, raw)))
        cells.append(cell(sides, index, DataSide.CURRENT, stored_column(index, CURRENT, raw)))
    return cells


def _read(sides: KeyedSides, found: Sequence[ExampleKeys], rows: Rows) -> dict[int, tuple[Example, ...]]:
    """Convert *rows* to examples, without repeated keys, which a token collision may have selected."""
    width = len(sides.key)
    # Values of a driver may not be hashable.
    times = Counter(repr(row[:width]) for row in rows)
    once = [row for row in rows if times[repr(row[:width])] == 1]
    examples: dict[int, tuple[Example, ...]] = {}
    for place, each in enumerate(found):
        at = width + place * VALUES_PER_COLUMN
        cells = [
            Example(
                key=read_key(sides, row[:width]),
                base=read_cell(sides, each.column, DataSide.BASE, row[at + 1]),
                current=read_cell(sides, each.column, DataSide.CURRENT, row[at + 2]),
            )
            for row in once
            if row[at]
        ]
        wanted = sides.options.examples
        # Keys can share a token, so there may be more rows than requested.
        chosen = (cells[0], cells[-1]) if wanted == 2 and len(cells) > 2 else cells[:wanted]
        examples[each.column] = tuple(chosen)
    return examples


PARTS = "xy"
"""Letters of columns with a row's parts of the difference figures."""


class Cells(NamedTuple):
    """Figures of one column from the join."""

    mismatched: int = 0
    null_to_value: int = 0
    value_to_null: int = 0
    first_token: object = None
    last_token: object = None
    distances: tuple[object, ...] = ()
    """Figures of numeric differences, in the form that the column's arithmetic reads."""
    reason: str | None = None
    """Why there are no figures."""


class DiffTotals(NamedTuple):
    """Figures of rows from the join."""

    added: int = 0
    removed: int = 0
    changed: int = 0


def value_diff(pair: Pair, options: ValueOptions) -> Plan[ValueDiff]:
    """Compare the values of *pair*, row by row with equal keys.

    If a side is missing, all rows of the other are added or removed. Raises UsageError if there is no key on
    both sides or its types are not comparable, and the queries' errors.
    """
    if pair.is_cross_warehouse:
        across = yield from load_differences(pair, options)
        return (yield from across.compare(value_diff))
    sides = yield from match_by_key(pair, options)
    facts = yield from key_facts(sides)
    return (yield from value_diff_of(pair, sides, facts))


def value_diff_of(pair: Pair, sides: KeyedSides, facts: KeyFacts) -> Plan[ValueDiff]:
    """Return the value diff for known columns and counted keys."""
    if sides.base is None or sides.current is None:
        return _one_sided(pair, sides, facts)
    before, after = facts.of(DataSide.BASE).compared, facts.of(DataSide.CURRENT).compared
    if not (before and after):
        totals, cells = DiffTotals(added=after, removed=before), [Cells()] * len(sides.compared)
    else:
        totals, cells = yield from _compared(sides, facts)
    # Keys are unique among compared rows, so each row of base is either common or removed.
    common = before - totals.removed
    notes: tuple[str, ...] = ()
    try:
        examples = yield from _examples(sides, facts, cells)
    except QueryTimeout as error:
        examples, notes = {}, (f"No examples: {first_line(error)}",)
    columns = {
        how.pair.name: _column(sides, i, common, cells[i], examples.get(i, ()))
        for i, how in enumerate(sides.compared)
    }
    columns |= {
        each.name: _not_compared(each, no_common_type(each.base, each.current)) for each in sides.incomparable
    }
    in_key = [_key_column(part.pair, part.common.label, common) for part in sides.key]
    found = (*in_key, *(columns[each.name] for each in sides.pairs))
    answer = _answer(pair, sides, facts, totals, common, found, notes)
    if sides.options.why is None or not (before and after) or answer.is_equal:
        return answer
    compared = [columns[how.pair.name] for how in sides.compared]
    targets = slices.targets_of(totals.added, totals.removed, totals.changed, common, compared)
    asked = sides.options.why
    linked = yield from parents.linked_parents(sides, asked.parents)
    shown = linked if asked.shows_parents else ()
    why = yield from slices.explain(sides, facts, targets, compared, asked.is_private, shown)
    differing = [index for index, one in enumerate(compared) if one.mismatched]
    why = replace(why, parents=(yield from parents.read_changed(sides, facts, targets, differing, linked)))
    if asked.queries is not None:
        why = replace(why, edits=(yield from edit_trials.try_edits(sides, facts, targets, asked.queries)))
    elif asked.untried:
        why = replace(why, edits=TriedEdits(note=asked.untried))
    return replace(answer, why=why)


def _compared(sides: KeyedSides, facts: KeyFacts) -> Plan[tuple[DiffTotals, list[Cells]]]:
    """Return the results of the join, split into several queries if the warehouse limits columns.

    If time is up for a later query, its columns have a reason instead of figures.
    """
    everything = range(len(sides.compared))
    parts = _parts(sides)
    answers = yield [
        Query(
            # Only the first part counts all rows that differ; the others read no more columns than they need.
            expression=_join(sides, facts, part, everything if not i else part),
            dialect=sides.dialect,
            about=f"values of {sides.name}" + (f", part {i + 1} of {len(parts)}" if len(parts) > 1 else ""),
            assumed=[_assumed(sides, part)],
        )
        for i, part in enumerate(parts)
    ]
    cells: list[Cells] = []
    totals = DiffTotals()
    for i, (part, answer) in enumerate(zip(parts, answers, strict=True)):
        if i and isinstance(answer, QueryTimeout):
            cells += [Cells(reason=first_line(answer))] * len(part)
            continue
        figures = iter(rows_of(answer)[0])
        found = DiffTotals(*(int(next(figures)) for _ in DiffTotals._fields))
        totals = totals if i else found
        cells += [_cells(sides, index, figures) for index in part]
    return totals, cells


def _parts(sides: KeyedSides) -> list[list[int]]:
    """Split the columns into queries by the number of their figures."""
    most = sides.dialect.columns_per_statement or math.inf
    parts: list[list[int]] = [[]]
    used = len(DiffTotals._fields)
    for index in range(len(sides.compared)):
        size = len(_figure_names(sides, index))
        if parts[-1] and used + size > most:
            parts.append([])
            used = len(DiffTotals._fields)
        parts[-1].append(index)
        used += size
    return parts


def _cells(sides: KeyedSides, index: int, figures: Iterator[object]) -> Cells:
    """Read one column's result from the next *figures*."""
    found = {name: next(figures) for name in _figure_names(sides, index)}
    plain = {name: found.pop(name) for name in Cells._fields if name in found}
    return Cells(**plain, distances=tuple(found.values()))  # type: ignore[arg-type]


def _join(sides: KeyedSides, facts: KeyFacts, part: Sequence[int], differing: Sequence[int]) -> exp.Select:
    """Aggregate the columns *part* over rows that differ in one of the columns *differing*."""
    flags: list[Sql] = [
        with_alias(is_missing(BASE), "is_added"),
        with_alias(is_missing(CURRENT), "is_removed"),
    ]
    if sides.options.examples and part:
        flags.append(with_alias(token_of(sides, BASE), "token"))
    for index in part:
        flags += _cell_flags(sides, index)
    rows = sides.join(
        sides.rows(DataSide.BASE, differing, excluded=facts.excluded),
        sides.rows(DataSide.CURRENT, differing, excluded=facts.excluded),
    )
    rows = rows.select(*flags, copy=False).where(sides.row_differs(differing), copy=False)
    figures = [
        *_total_figures(sides),
        *(figure for index in part for figure in _figures(sides, index).values()),
    ]
    select = select_of(*figures).from_(
        sides.dialect.evaluated_once(rows).subquery("d", copy=False), copy=False
    )
    return sides.with_repeated(select, facts.excluded)


def _cell_flags(sides: KeyedSides, index: int) -> list[Sql]:
    """Return a row's flags for one column: whether it differs between common rows, and how."""
    how = sides.compared[index]
    before, after = exp.column(f"c{index}", table=BASE), exp.column(f"c{index}", table=CURRENT)
    # One-sided rows have NULL as k0 of the other side, so the equality is never true for them.
    is_common = exp.EQ(this=exp.column("k0", table=BASE), expression=exp.column("k0", table=CURRENT))
    flags: list[Sql] = [
        with_alias(all_of([is_common, sides.differ(index)]), f"d{index}"),
        with_alias(is_null(before.copy()), f"e{index}"),
        with_alias(is_null(after.copy()), f"f{index}"),
    ]
    if how.has_difference:
        parts = how.arithmetic.parts(before, after)
        flags += [with_alias(part, f"{letter}{index}") for letter, part in zip(PARTS, parts, strict=False)]
    return flags


def _total_figures(sides: KeyedSides) -> list[Sql]:
    added, removed = exp.column("is_added", table="d"), exp.column("is_removed", table="d")
    # The join keeps only rows that differ.
    changed = all_of([negation(added.copy()), negation(removed.copy())])
    return [
        with_alias(sides.dialect.aggregates.count_if(condition), name)
        for name, condition in zip(DiffTotals._fields, (added, removed, changed), strict=True)
    ]


def _figure_names(sides: KeyedSides, index: int) -> list[str]:
    """Return the names of the `_figures` of one column without building them."""
    how = sides.compared[index]
    names = ["mismatched", "null_to_value", "value_to_null"]
    if how.has_difference:
        names += [f"distance_{number}" for number in range(how.arithmetic.counts[1])]
    return [*names, "first_token", "last_token"] if sides.options.examples else names


def _figures(sides: KeyedSides, index: int) -> dict[str, Sql]:
    """Return the aggregates of one column, by the field names of Cells."""
    dialect = sides.dialect

    def flag(letter: str) -> Sql:
        return exp.column(f"{letter}{index}", table="d")

    found: dict[str, Sql] = {
        "mismatched": dialect.aggregates.count_if(flag("d")),
        "null_to_value": dialect.aggregates.count_if(all_of([flag("d"), flag("e")])),
        "value_to_null": dialect.aggregates.count_if(all_of([flag("d"), flag("f")])),
    }
    if sides.compared[index].has_difference:
        arithmetic = sides.compared[index].arithmetic
        letters = PARTS[: arithmetic.counts[0]]
        parts = [exp.Case().when(flag("d"), flag(letter), copy=False) for letter in letters]
        found |= {f"distance_{i}": figure for i, figure in enumerate(arithmetic.aggregates(parts))}
    if sides.options.examples:
        token = exp.Case().when(flag("d"), exp.column("token", table="d"), copy=False)
        found["first_token"] = exp.Min(this=token)
        found["last_token"] = exp.Max(this=token.copy())
    return {name: with_alias(figure, f"{name}_{index}") for name, figure in found.items()}


def _assumed(sides: KeyedSides, part: Sequence[int]) -> tuple[object, ...]:
    """Return a result row that differs in every column, so that a printed plan shows the next queries."""
    token = sample_token(sides)
    cells = Cells(1, 0, 0, token, token)._asdict()
    return (0, 0, 1, *(cells.get(name, 1) for index in part for name in _figure_names(sides, index)))


def _examples(
    sides: KeyedSides, facts: KeyFacts, cells: Sequence[Cells]
) -> Plan[dict[int, tuple[Example, ...]]]:
    if not sides.options.examples:
        return {}
    found = [
        ExampleKeys(index, cell.first_token, cell.last_token)
        for index, cell in enumerate(cells)
        if cell.mismatched
    ]
    return (yield from fetch_examples(sides, facts, found))


def _column(
    sides: KeyedSides, index: int, common: int, cell: Cells, examples: tuple[Example, ...]
) -> ColumnValues:
    how = sides.compared[index]
    if cell.reason is not None:
        return _not_compared(how.pair, cell.reason)
    found = how.arithmetic.read(cell.distances) if cell.distances else Distances()
    return ColumnValues(
        name=how.pair.name,
        base_type=how.pair.base.type.text,
        current_type=how.pair.current.type.text,
        compared_as=how.common.label,
        matched=common - int(cell.mismatched),
        mismatched=int(cell.mismatched),
        null_to_value=int(cell.null_to_value),
        value_to_null=int(cell.value_to_null),
        mean_difference=found.mean,
        largest_difference=found.largest,
        is_difference_rounded=found.is_rounded or (how.rounds and found.largest is not None),
        examples=examples,
    )


def _key_column(pair: ColumnPair, label: str | None, common: int) -> ColumnValues:
    """Return the result of a key column, which matches in every common row."""
    return ColumnValues(
        name=pair.name,
        base_type=pair.base.type.text,
        current_type=pair.current.type.text,
        compared_as=label,
        matched=common,
        mismatched=0,
        null_to_value=0,
        value_to_null=0,
    )


def _not_compared(pair: ColumnPair, reason: str) -> ColumnValues:
    return ColumnValues(
        name=pair.name,
        base_type=pair.base.type.text,
        current_type=pair.current.type.text,
        reason=reason,
    )


def _one_sided(pair: Pair, sides: KeyedSides, facts: KeyFacts) -> ValueDiff:
    (side,) = sides.sides
    rows = facts.of(side).compared
    totals = DiffTotals(added=rows) if side is DataSide.CURRENT else DiffTotals(removed=rows)
    return _answer(pair, sides, facts, totals, 0, (), notes=(pair.one_sided_note,))


def _answer(
    pair: Pair,
    sides: KeyedSides,
    facts: KeyFacts,
    totals: DiffTotals,
    common: int,
    columns: tuple[ColumnValues, ...],
    notes: tuple[str, ...] = (),
) -> ValueDiff:
    return ValueDiff(
        subject=pair.subject,
        notes=notes,
        key=sides.key_names,
        key_source=sides.key_source,
        base=facts.base,
        current=facts.current,
        **totals._asdict(),
        common=common,
        columns=columns,
        base_only=sides.base_only,
        current_only=sides.current_only,
        **sides.options.narrowing(sides.excluded),
    )
