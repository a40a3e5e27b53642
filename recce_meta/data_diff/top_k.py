"""Most frequent values of columns, counted on both sides.

One query contains a block for each column: the rows of both sides grouped by the value, the first *k* by
current count, then base count, then the value itself, so that the result is deterministic. Values of several
types cannot share a result column, so they are fetched as portable text and converted back (`portable`).
They are grouped and sorted by type, texts by code point. Values that a warehouse cannot group
(`Aggregates.groupable`) are grouped by their text. A second query, run in the same batch, counts rows.

If no query can read both sides, each side returns its own first *k*, and then the counts of values that only
the other side listed. Values with the same current count as the last one shown are ordered by base count only
if base listed them. Nested values of two kinds of warehouses are equal if their text is equal. JSON and
intervals of two kinds are not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from struct import pack, unpack
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from recce_meta.data_diff.compare import common_type
from recce_meta.data_diff.names import Guard
from recce_meta.data_diff.plan import (
    Answer,
    Plan,
    Query,
    Rows,
    failure,
    rows_of,
    run_both,
)
from recce_meta.data_diff.portable import (
    Same,
    fits,
    literal_of,
    parse_portable,
    same_of,
    sample,
    sort_key,
    texts_of,
)
from recce_meta.data_diff.source import (
    LiveColumn,
    Pair,
    SideColumn,
    SideRelation,
    select_columns,
    with_condition,
)
from recce_meta.errors import QueryTimeout, UsageError, WarehouseError, first_line
from recce_meta.models.data_diff import ROUNDED_DOUBLE, ColumnTopK, DataSide, TopKDiff, TopValue, Value
from recce_meta.warehouses.arithmetic import any_of
from recce_meta.warehouses.dialect import GROUPED_BY_TEXT, Dialect
from recce_meta.warehouses.types import ColumnType, Kind, Sql

_WRITTEN = {Kind.JSON: "JSON", Kind.INTERVAL: "intervals"}
"""Kinds whose equal values have different texts in another kind of warehouse."""
NO_VALUES = "no row has a value"
NUMBERS = frozenset([Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT])

Cast = Callable[[Sql], Sql]


class GroupingKey(Struct, frozen=True):
    """Expression that groups a column's values."""

    type: ColumnType
    casts: dict[DataSide, Cast]
    """Casts of each side's values to the key; a side without the column is missing."""
    is_rounded: bool = False
    """True if values are rounded to doubles, so that different values may be equal."""

    def text(self, key: Sql, dialect: Dialect) -> Sql:
        """Return *key* as text, to fetch it."""
        return dialect.aggregates.group_text(key, self.type)

    def sorted(self, key: Sql, dialect: Dialect) -> Sql:
        """Return *key* as an expression to sort by."""
        return dialect.aggregates.group_sorted(key, self.type)


class CountableColumn(Struct, frozen=True):
    """Column whose values are counted."""

    number: int
    """Number that identifies the column's rows in a result."""
    column: SideColumn
    key: GroupingKey

    @property
    def name(self) -> str:
        """Return the column's name."""
        return self.column.name

    def on(self, side: DataSide) -> LiveColumn | None:
        """Return the column of *side*, or None."""
        own: LiveColumn | None = getattr(self.column, side.value)
        return own

    def keys(self, source: SideRelation, where: str | None, *others: Sql) -> exp.Select:
        """Select the keys `v` of *source*'s rows with a value, and *others*."""
        own = self.on(source.side)
        assert own is not None, f"{self.name} is not in {source.side.value}"
        key = self.key.casts[source.side](own.of("t"))
        selected = source.select(exp.alias_(key, "v", copy=False), *others).where(
            exp.Not(this=exp.Is(this=own.of("t"), expression=exp.null())), copy=False
        )
        return with_condition(selected, where)


def countable_columns(
    pair: Pair, columns: Sequence[SideColumn]
) -> tuple[list[CountableColumn], dict[str, str]]:
    """Return the *columns* that can be counted, and reasons for the other columns by name."""
    found, reasons = [], {}
    for number, column in enumerate(columns):
        key = _key(pair, column)
        if isinstance(key, str):
            reasons[column.name] = key
        else:
            found.append(CountableColumn(number, column, key))
    return found, reasons


def _key(pair: Pair, column: SideColumn) -> GroupingKey | str:
    """Return the key of *column*, or why it has none."""
    own = {
        source.side: (source.dialect, live.type)
        for source in pair.sides
        if (live := getattr(column, source.side.value)) is not None
    }
    if len(own) == 1:
        ((side, (dialect, of)),) = own.items()
        return GroupingKey(of, {side: _as_it_is(dialect, of)})
    (base_dialect, base), (dialect, current) = own[DataSide.BASE], own[DataSide.CURRENT]
    incomparable = f"{base.text} in base and {current.text} in current have nothing in common"
    if not pair.is_joined:
        if base.kind is current.kind and base.kind in _WRITTEN and base_dialect.name != dialect.name:
            return f"{base_dialect.name} and {dialect.name} write {_WRITTEN[base.kind]} differently"
        are_alike = base.kind is current.kind or {base.kind, current.kind} <= NUMBERS
        casts = {DataSide.BASE: _as_it_is(base_dialect, base), DataSide.CURRENT: _as_it_is(dialect, current)}
        return GroupingKey(current, casts) if are_alike else incomparable
    common = common_type(dialect, base, current)
    if common is None:
        return incomparable
    if common.kind in GROUPED_BY_TEXT:
        casts = {
            DataSide.BASE: _aligned(dialect, base, current),
            DataSide.CURRENT: _aligned(dialect, current, base),
        }
        return GroupingKey(current, casts)
    # The key's type decides how its text is read; a cast key no longer has the column's type.
    of = common.type if common.type and common.type.kind is common.kind else ColumnType("", common.kind)
    casts = {DataSide.BASE: common.base, DataSide.CURRENT: common.current}
    return GroupingKey(of, casts, is_rounded=common.label == ROUNDED_DOUBLE)


def _as_it_is(dialect: Dialect, of: ColumnType) -> Cast:
    return lambda value: dialect.aggregates.groupable(value, of)


def _aligned(dialect: Dialect, own: ColumnType, other: ColumnType) -> Cast:
    """Return the cast for a column whose type on the other side may differ within the same kind."""
    if own.text == other.text:
        return _as_it_is(dialect, own)
    return lambda value: dialect.aggregates.groupable(dialect.aligned(value, own, other), own)


def totals(sources: Sequence[SideRelation], columns: Sequence[SideColumn], where: str | None) -> Query:
    """Count all rows of each source, and those with a value in each column: one result row per source."""
    selects = []
    for source in sources:
        values = [
            exp.Literal.number(0) if own is None else exp.Count(this=own.of("t"))
            for own in (getattr(column, source.side.value) for column in columns)
        ]
        selected = source.select(
            exp.alias_(exp.Literal.number(list(DataSide).index(source.side)), "side"),
            exp.alias_(exp.Count(this=exp.Star()), "row_count"),
            *(exp.alias_(value, f"c{place}_valid") for place, value in enumerate(values)),
        )
        selects.append(with_condition(selected, where))
    return Query(
        expression=exp.union(*selects, distinct=False, copy=False) if len(selects) > 1 else selects[0],
        dialect=sources[-1].dialect,
        side=sources[-1].side,
        about=f"values of {sources[-1].name}",
        assumed=[(number, 0, *(0 for _ in columns)) for number in range(len(sources))],
    )


class RowTotals(Struct):
    """Row counts of both sides, and counts of rows with a value in each column."""

    # msgspec gives each instance its own copy of an empty default.
    rows: dict[DataSide, int] = {}
    valid: dict[tuple[DataSide, str], int] = {}

    def add(self, answer: Rows, columns: Sequence[SideColumn]) -> None:
        """Add the result of `totals` for *columns*."""
        for number, rows, *valid in answer:
            side = list(DataSide)[int(number)]
            self.rows[side] = int(rows)
            for column, count in zip(columns, valid, strict=True):
                if getattr(column, side.value) is not None:
                    self.valid[side, column.name] = int(count)

    def of(
        self, column: SideColumn, values: Iterable[TopValue] = (), reason: str | None = None
    ) -> ColumnTopK:
        """Return the result for *column*."""
        base, current = (DataSide.BASE, column.name), (DataSide.CURRENT, column.name)
        if reason is None and self._saw_nothing(column):
            reason = NO_VALUES
        return ColumnTopK(
            name=column.name,
            values=tuple(values),
            base_valid=self.valid.get(base),
            base_total=self.rows[DataSide.BASE] if base in self.valid else None,
            current_valid=self.valid.get(current),
            current_total=self.rows[DataSide.CURRENT] if current in self.valid else None,
            reason=reason,
            reads=column.reads,
        )

    def _saw_nothing(self, column: SideColumn) -> bool:
        """Return True if no row has a value and at least one side has no rows.

        NULL in all rows of both sides is a valid result.
        """
        sides = [side for side in DataSide if (side, column.name) in self.valid]
        has_values = any(self.valid[side, column.name] for side in sides)
        return not has_values and not all(self.rows[side] for side in sides)


class ListedValue(NamedTuple):
    """Value that one side listed."""

    value: Value
    text: str
    """Text of the value in that side's warehouse."""
    rows: int


Counts: TypeAlias = dict[Same, ListedValue]


def cross_warehouse_top_k(
    pair: Pair, wanted: Sequence[SideColumn], k: int, where: str | None
) -> Plan[list[ColumnTopK]]:
    """Return the result for each of *wanted*, in its order."""
    columns, reasons = countable_columns(pair, wanted)
    asked = [(source, column) for source in pair.sides for column in columns if column.on(source.side)]
    answers = yield [
        *(_first(source, column, k, where) for source, column in asked),
        *(totals([source], wanted, where) for source in pair.sides),
    ]
    rows = RowTotals()
    for answer in answers[len(asked) :]:
        rows.add(rows_of(answer), wanted)
    counts: dict[tuple[DataSide, int], Counts] = {}
    for (source, column), answer in zip(asked, answers, strict=False):
        error = failure(answer)
        if error is not None:
            reasons[column.name] = first_line(error)
        else:
            counts[source.side, column.number] = _counts(rows_of(answer), column, source)
    missing = [
        (source, column, values)
        for source, column in asked
        if column.name not in reasons and (values := _missing(column, source, counts))
    ]
    answers = yield [_rest(source, column, values, where) for source, column, values in missing]
    for (source, column, _), answer in zip(missing, answers, strict=True):
        error = failure(answer)
        if error is not None:
            reasons[column.name] = first_line(error)
        else:
            counts[source.side, column.number] |= _counts(rows_of(answer), column, source)
    by_name = {column.name: column for column in columns}
    return [
        rows.of(column, reason=reasons[column.name])
        if column.name in reasons
        else rows.of(column, _merged(by_name[column.name], counts)[:k])
        for column in wanted
    ]


def _first(source: SideRelation, column: CountableColumn, k: int, where: str | None) -> Query:
    """Select the first *k* of one side by its own count, then by value."""
    grouped = _grouped(source, column, where)
    value = source.dialect.aggregates.group_sorted(exp.column("v", table="c"), _own(column, source).type)
    first = (
        exp.select("c.v", "c.row_count")
        .from_(grouped.subquery("c"))
        .order_by(exp.Ordered(this=exp.column("row_count", table="c"), desc=True), exp.Ordered(this=value))
        .limit(k)
    )
    return _query(first, source, column, "most frequent values")


def _rest(
    source: SideRelation, column: CountableColumn, listed: Sequence[ListedValue], where: str | None
) -> Query:
    """Count the values *listed* by the other side.

    Some are matched by a literal, others by their text. Additional matches are harmless.
    """
    own, dialect = _own(column, source), source.dialect
    literals = [(one, literal_of(one.value, own.type, dialect)) for one in listed]
    texts = dict.fromkeys(
        text for one, literal in literals if literal is None for text in texts_of(one.value, one.text)
    )
    among: list[Sql] = []
    if values := [literal for _, literal in literals if literal is not None]:
        among.append(exp.In(this=own.of("t"), expressions=values))
    if texts:
        text = dialect.aggregates.group_text(dialect.aggregates.groupable(own.of("t"), own.type), own.type)
        among.append(exp.In(this=text, expressions=[exp.Literal.string(each) for each in texts]))
    return _query(_grouped(source, column, where).where(any_of(among)), source, column, "other side's values")


def _grouped(source: SideRelation, column: CountableColumn, where: str | None) -> exp.Select:
    return column.keys(source, where, exp.alias_(exp.Count(this=exp.Star()), "row_count")).group_by("1")


def _own(column: CountableColumn, source: SideRelation) -> LiveColumn:
    own = column.on(source.side)
    assert own is not None, "only sides that have the column are asked"
    return own


def _query(grouped: exp.Select, source: SideRelation, column: CountableColumn, about: str) -> Query:
    own = _own(column, source)
    # Only the grouped keys become text, not the value of each row.
    text = source.dialect.aggregates.group_text(exp.column("v", table="f"), own.type)
    return Query(
        expression=exp.select(exp.alias_(text, "value"), "f.row_count").from_(grouped.subquery("f")),
        dialect=source.dialect,
        side=source.side,
        about=f"{about} of {source.name}.{own.name}",
        # Only current has rows in a printed plan, so that the plan shows the query to base for them.
        assumed=[(sample(own.type), 1)] if source.side is DataSide.CURRENT else [],
    )


def _counts(rows: Rows, column: CountableColumn, source: SideRelation) -> Counts:
    of = _own(column, source).type
    widens = _is_single(of) and not all(
        own is None or _is_single(own.type) for own in map(column.on, DataSide)
    )
    found: Counts = {}
    for text, count in rows:
        value = parse_portable(text, of)
        if widens and isinstance(value, float) and isfinite(value):
            (value,) = unpack("f", pack("f", value))  # 0.1 differs between 32 and 64 bits
        # Values that the warehouse groups apart may be equal in Python, so their counts are added.
        same = same_of(value, of)
        before = found[same].rows if same in found else 0
        found[same] = ListedValue(value, str(text), int(count) + before)
    return found


def _is_single(of: ColumnType) -> bool:
    return of.kind is Kind.FLOAT and of.precision == 32


def _missing(
    column: CountableColumn, source: SideRelation, counts: dict[tuple[DataSide, int], Counts]
) -> list[ListedValue]:
    """Return the values that only the other side listed and that *source* can hold."""
    other = next(one for one in DataSide if one is not source.side)
    here, there = (counts.get((side, column.number), {}) for side in (source.side, other))
    of = _own(column, source).type
    return [one for same, one in there.items() if same not in here and fits(one.value, of, source.dialect)]


def _merged(column: CountableColumn, counts: dict[tuple[DataSide, int], Counts]) -> list[TopValue]:
    base, current = (counts.get((side, column.number), {}) for side in DataSide)
    both = {**base, **current}
    values = [
        (one, base[same].rows if same in base else 0, current[same].rows if same in current else 0)
        for same, one in both.items()
    ]
    of = column.key.type
    values.sort(key=lambda found: (-found[2], -found[1], sort_key(found[0].value, found[0].text, of)))
    return [TopValue(value=one.value, base=before, current=after) for one, before, after in values]


COLUMNS_PER_STATEMENT = 50
COUNTS = tuple(f"{side.value}_rows" for side in DataSide)


class TopValues(Struct):
    """Results of all columns, by name."""

    # msgspec gives each instance its own copy of an empty default.
    values: dict[str, list[TopValue]] = {}
    errors: dict[str, WarehouseError] = {}
    reasons: dict[str, str] = {}
    """Reasons for columns that were not queried."""
    rounded: frozenset[str] = frozenset()
    """Columns counted as doubles that cannot hold all their digits."""


class _TopKTask(Struct, frozen=True):
    query: Query
    columns: tuple[CountableColumn, ...]


def top_k_diff(
    pair: Pair,
    columns: Sequence[str] = (),
    k: int = 10,
    where: str | None = None,
    *,
    exclude: Sequence[str] = (),
    may_lack_excluded: bool = False,
    guard: Guard | None = None,
) -> Plan[TopKDiff]:
    """Return the *k* most frequent values of *columns* (all but *exclude* if empty), without NULL.

    *where* restricts the rows of both sides, in the warehouse's SQL. With *guard*, *columns* can be
    expressions, as in `select_columns`. A column with incomparable types, or that the warehouse cannot group,
    has a reason instead. Raises UnknownNameError for a column that neither side has, unless
    *may_lack_excluded* is set and *exclude* has it, and errors that stop every query.
    """
    if k < 1:
        raise UsageError(f"Number of most frequent values invalid: {k}", hint="use a k of 1 or more")
    wanted, excluded, pair = yield from select_columns(
        pair, columns=columns, exclude=exclude, may_lack_excluded=may_lack_excluded, guard=guard
    )
    count = cross_warehouse_top_k if pair.is_cross_warehouse else _joined_top_k
    found = yield from count(pair, wanted, k, where)
    return TopKDiff(subject=pair.subject, k=k, columns=tuple(found), where=where, excluded=excluded)


def _joined_top_k(
    pair: Pair, wanted: Sequence[SideColumn], k: int, where: str | None
) -> Plan[list[ColumnTopK]]:
    found, rows = yield from run_both(top_values(pair, wanted, k, where), _totals(pair, wanted, where))
    reasons = {**found.reasons, **{name: first_line(error) for name, error in found.errors.items()}}
    return [
        replace(
            rows.of(column, found.values.get(column.name, ()), reasons.get(column.name)),
            is_rounded=column.name in found.rounded,
        )
        for column in wanted
    ]


def _totals(pair: Pair, wanted: Sequence[SideColumn], where: str | None) -> Plan[RowTotals]:
    parts = [
        wanted[start : start + COLUMNS_PER_STATEMENT]
        for start in range(0, len(wanted), COLUMNS_PER_STATEMENT)
    ]
    answers = yield [totals(pair.sides, part, where) for part in parts]
    rows = RowTotals()
    for part, answer in zip(parts, answers, strict=True):
        rows.add(rows_of(answer), part)
    return rows


def top_values(
    pair: Pair,
    wanted: Sequence[SideColumn],
    k: int,
    where: str | None = None,
    *,
    most: int = COLUMNS_PER_STATEMENT,
) -> Plan[TopValues]:
    """Return the *k* most frequent values of *wanted*, for sides that one query can read.

    A query covers *most* columns. Raises errors that stop every query; a timeout only marks its columns with
    an error.
    """
    columns, reasons = countable_columns(pair, wanted)
    rounded = frozenset(column.name for column in columns if column.key.is_rounded)
    found = TopValues(reasons=reasons, rounded=rounded)
    tasks = [_task(pair, columns[start : start + most], k, where) for start in range(0, len(columns), most)]
    while tasks:
        answers = yield [task.query for task in tasks]
        # A query of a single column fails for good, so the loop ends after two rounds.
        failed = [
            column
            for task, answer in zip(tasks, answers, strict=True)
            for column in _settled(task, answer, found)
        ]
        tasks = [_task(pair, [column], k, where) for column in failed]
    return found


def _task(pair: Pair, columns: Sequence[CountableColumn], k: int, where: str | None) -> _TopKTask:
    blocks = [_block(pair, column, k, where) for column in columns]
    source = pair.sides[-1]
    name = columns[0].name if len(columns) == 1 else f"{len(columns)} columns"
    query = Query(
        expression=exp.union(*blocks, distinct=False, copy=False) if len(blocks) > 1 else blocks[0],
        dialect=source.dialect,
        side=source.side,
        about=f"most frequent values of {name} of {source.name}",
        assumed=[(column.number, 1, sample(column.key.type), 0, 0) for column in columns],
    )
    return _TopKTask(query, tuple(columns))


def _block(pair: Pair, column: CountableColumn, k: int, where: str | None) -> exp.Select:
    """Select the first *k* of one column: column number, place from 1, value as text, and both counts."""
    # Builds expressions without parsing or copying: hundreds of tables have thousands of blocks.
    dialect = pair.sides[-1].dialect
    sides = [source for source in pair.sides if column.on(source.side) is not None]
    rows = [column.keys(source, where, *_side_number(source, sides)) for source in sides]
    both = exp.union(*rows, distinct=False, copy=False) if len(rows) > 1 else rows[0]
    counts = [
        exp.alias_(_rows_of(side, sides, dialect), f"{side.value}_rows", copy=False) for side in DataSide
    ]
    grouped = (
        exp.select(exp.column("v", table="g"), *counts, copy=False)
        .from_(both.subquery("g", copy=False), copy=False)
        .group_by(exp.Literal.number(1), copy=False)
    )
    first = (
        exp.select(*(exp.column(name, table="c") for name in ("v", *COUNTS)), copy=False)
        .from_(grouped.subquery("c", copy=False), copy=False)
        .order_by(*_order(pair, column, "c"), copy=False)
        .limit(exp.Literal.number(k), copy=False)
    )
    # A UNION ALL has no order, so each row carries its position.
    place = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=_order(pair, column, "f")))
    return exp.select(
        exp.alias_(exp.Literal.number(column.number), "column_number", copy=False),
        exp.alias_(place, "place", copy=False),
        exp.alias_(column.key.text(exp.column("v", table="f"), dialect), "value", copy=False),
        *(exp.column(name, table="f") for name in COUNTS),
        copy=False,
    ).from_(first.subquery("f", copy=False), copy=False)


def _side_number(source: SideRelation, sides: Sequence[SideRelation]) -> list[Sql]:
    """Return the side as a column for each row, if there are two sides."""
    return [exp.alias_(_number(source.side), "side", copy=False)] if len(sides) > 1 else []


def _rows_of(side: DataSide, sides: Sequence[SideRelation], dialect: Dialect) -> Sql:
    """Count a group's rows of *side*."""
    if len(sides) > 1:
        is_side = exp.EQ(this=exp.column("side", table="g"), expression=_number(side))
        return dialect.aggregates.count_if(is_side)
    return exp.Count(this=exp.Star()) if sides[0].side is side else exp.Literal.number(0)


def _number(side: DataSide) -> Sql:
    return exp.Literal.number(list(DataSide).index(side))


def _order(pair: Pair, column: CountableColumn, table: str) -> list[exp.Ordered]:
    value = column.key.sorted(exp.column("v", table=table), pair.sides[-1].dialect)
    counts = [f"{side.value}_rows" for side in reversed(DataSide) if column.on(side) is not None]
    return [
        *(exp.Ordered(this=exp.column(name, table=table), desc=True) for name in counts),
        exp.Ordered(this=value),
    ]


def _settled(task: _TopKTask, answer: Answer, found: TopValues) -> Iterable[CountableColumn]:
    """Store the values of *answer* in *found*; if it failed, return the columns to query one by one."""
    error = failure(answer)
    if error is not None:
        # One bad column fails the whole query. A timeout is final: each replacement would take about as long.
        if len(task.columns) > 1 and not isinstance(error, QueryTimeout):
            return task.columns
        found.errors.update({column.name: error for column in task.columns})
        return ()
    columns = {column.number: column for column in task.columns}
    for number, _, text, base, current in sorted(rows_of(answer), key=lambda row: (int(row[0]), int(row[1]))):
        column = columns[int(number)]
        value = TopValue(value=parse_portable(text, column.key.type), base=int(base), current=int(current))
        found.values.setdefault(column.name, []).append(value)
    return ()
