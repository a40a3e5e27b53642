"""Distributions of columns, counted in the same bins on both sides.

The first query finds the smallest and largest value of every column on both sides. The second query counts
rows per column, side and bin, and reads each side once by using grouping sets. Bins are computed in between
(`bins`). A value's bin is found by comparing it with the exact edges that are shown, in a search tree. So the
warehouse does no arithmetic that could overflow or round a value across an edge. NaN, infinities and dates
beyond Python's calendar are outside of all bins. Across two targets, each query runs once per side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from sqlglot import exp

from recce_meta.data_diff.bins import Bins, moment_bins, naive, number_bins
from recce_meta.data_diff.names import Guard
from recce_meta.data_diff.plan import Plan, Query, Rows, failure, rows_of
from recce_meta.data_diff.portable import parse_portable, plain
from recce_meta.data_diff.source import (
    LiveColumn,
    Pair,
    SideColumn,
    SideRelation,
    select_columns,
    with_condition,
)
from recce_meta.data_diff.top_k import NO_VALUES
from recce_meta.errors import QueryTimeout, UsageError, first_line
from recce_meta.models.data_diff import ColumnHistogram, DataSide, HistogramDiff, Value
from recce_meta.warehouses.dialect import Dialect
from recce_meta.warehouses.types import ColumnType, Kind, Sql

COLUMNS_PER_STATEMENT = 50
MOST_BINS = 1000
OUTSIDE = -1
NOTHING = -2
"""Bin numbers for a value outside of all bins, and for no value."""

ALL_NAN = "every value is NaN or infinite"
UNREADABLE = "the value '{}' cannot be read as a date or timestamp"
_FINER = re.compile(r"(\.\d{6})\d+")
ALL_FAR = "every value is infinite, before the year 1 or after the year 9999"

_ASSUMED = {Kind.DATE: ("2000-01-01", "2000-12-31")}
_INSTANTS = ("2000-01-01 00:00:00", "2000-01-02 00:00:00")
_TABLES = ("b", "c")


class _Range(Struct, frozen=True):
    smallest: Value
    largest: Value
    count: int
    """Number of all values, including those outside."""


class _BinCounts(Struct):
    """Intermediate results by side and column name."""

    ranges: dict[tuple[DataSide, str], _Range] = {}
    counts: dict[tuple[DataSide, str], dict[int, int]] = {}
    reasons: dict[str, str] = {}


class _HistogramTask(Struct, frozen=True):
    """Query about some columns, limited to those that *sources* have."""

    query: Query
    sources: tuple[SideRelation, ...]
    columns: tuple[SideColumn, ...]


_Make: TypeAlias = Callable[[Sequence[SideRelation], Sequence[SideColumn]], _HistogramTask]
_Keep: TypeAlias = Callable[[_HistogramTask, Rows, _BinCounts], None]


def histogram_diff(
    pair: Pair,
    columns: Sequence[str] = (),
    num_bins: int = 50,
    where: str | None = None,
    *,
    exclude: Sequence[str] = (),
    may_lack_excluded: bool = False,
    guard: Guard | None = None,
) -> Plan[HistogramDiff]:
    """Return the distributions of *columns*, or of all number, date and timestamp columns if none are named.

    Columns in *exclude* are left out. Each column has about *num_bins* bins. *where* restricts the rows of
    both sides, in the warehouse's SQL. A column without bins has a reason. Raises UsageError for a number of
    bins below 1 or above 1,000, UnknownNameError for a column that neither side has, unless
    *may_lack_excluded* is set and *exclude* has it, and errors that stop every query.
    """
    if not 1 <= num_bins <= MOST_BINS:
        raise UsageError(f"Number of bins invalid: {num_bins}", hint=f"use 1 to {MOST_BINS:,} bins")
    wanted, excluded, pair = yield from select_columns(
        pair, columns=columns, exclude=exclude, may_lack_excluded=may_lack_excluded, guard=guard
    )
    found = _BinCounts(reasons={column.name: reason for column in wanted if (reason := _unfit(column))})
    # Columns of other types have no bins, but may differ.
    left_out = [] if columns else [column.name for column in wanted if column.name in found.reasons]
    wanted = [column for column in wanted if column.name not in left_out]
    fit = [column for column in wanted if column.name not in found.reasons]
    yield from _asked(pair, fit, found, lambda sources, some: _ranges(sources, some, where), _keep_ranges)
    bins = {column.name: made for column in fit if (made := _bins(column, found, num_bins))}
    yield from _asked(
        pair,
        [column for column in fit if column.name in bins],
        found,
        lambda sources, some: _counts(sources, some, bins, where),
        _keep_counts,
    )
    answers = tuple(_histogram(column, bins.get(column.name), found) for column in wanted)
    return HistogramDiff(
        subject=pair.subject, columns=answers, where=where, excluded=excluded, left_out=tuple(left_out)
    )


# Suitable columns


def _own(column: SideColumn, side: DataSide) -> LiveColumn | None:
    own: LiveColumn | None = getattr(column, side.value)
    return own


def _types(column: SideColumn) -> list[ColumnType]:
    return [own.type for own in (column.base, column.current) if own is not None]


def _unfit(column: SideColumn) -> str | None:
    """Return why *column* has no histogram, or None if it has one."""
    types = _types(column)
    for of in types:
        if not of.kind.is_number and not of.kind.is_point_in_time:
            return f"{of.text} is not a number, date or timestamp"
    if len({of.kind.is_number for of in types}) > 1:
        return f"{types[0].text} in base and {types[1].text} in current cannot share bins"
    return None


def _bins(column: SideColumn, found: _BinCounts, wanted: int) -> Bins | None:
    span = _span(column, found)
    if span is None or column.name in found.reasons:
        return None
    kinds = [of.kind for of in _types(column)]
    return (number_bins if kinds[0].is_number else moment_bins)(*span, wanted, kinds)


def _span(column: SideColumn, found: _BinCounts) -> tuple[Value, Value] | None:
    """Return the smallest and largest value of both sides, or None if there are no values."""
    ranges = [
        one
        for side in DataSide
        if (one := found.ranges.get((side, column.name))) is not None and one.smallest is not None
    ]
    if not ranges:
        return None
    place = naive if _types(column)[0].kind.is_point_in_time else lambda value: value
    return min((one.smallest for one in ranges), key=place), max((one.largest for one in ranges), key=place)


# Queries


def _asked(
    pair: Pair, columns: Sequence[SideColumn], found: _BinCounts, make: _Make, keep: _Keep
) -> Plan[None]:
    """Run queries that *make* builds for *columns*, one by one if they fail; *keep* stores results."""
    groups = [pair.sides] if pair.is_joined else [(source,) for source in pair.sides]
    tasks = [
        make(_having(some, sources), some)
        for sources in groups
        if (known := [column for column in columns if _having([column], sources)])
        for some in _chunks(known)
    ]
    is_read = False
    while tasks:
        answers = yield [task.query for task in tasks]
        late = [answer for answer in answers if isinstance(answer, QueryTimeout)]
        if len(late) == len(answers) and not is_read:
            raise late[0]
        is_read, again = True, []
        for task, answer in zip(tasks, answers, strict=True):
            error = failure(answer)
            if error is None:
                keep(task, rows_of(answer), found)
            # One column that the warehouse cannot compute fails the whole query.
            elif len(task.columns) > 1 and not isinstance(error, QueryTimeout):
                again += [make(_having([column], task.sources), [column]) for column in task.columns]
            else:
                found.reasons.update({column.name: first_line(error) for column in task.columns})
        tasks = again


def _having(columns: Sequence[SideColumn], sources: Sequence[SideRelation]) -> list[SideRelation]:
    """Return the *sources* that have any of *columns*: a query without columns is invalid SQL."""
    return [source for source in sources if any(_own(column, source.side) for column in columns)]


def _chunks(columns: Sequence[SideColumn]) -> Iterator[Sequence[SideColumn]]:
    for start in range(0, len(columns), COLUMNS_PER_STATEMENT):
        yield columns[start : start + COLUMNS_PER_STATEMENT]


def _about(what: str, sources: Sequence[SideRelation], columns: Sequence[SideColumn]) -> str:
    name = columns[0].name if len(columns) == 1 else f"{len(columns)} columns"
    return f"{what} of {name} of {sources[-1].name}"


# First query: ranges


def _ranges(
    sources: Sequence[SideRelation], columns: Sequence[SideColumn], where: str | None
) -> _HistogramTask:
    selects = [_range(source, columns, where) for source in sources]
    expression = selects[0]
    if len(selects) > 1:
        # A UNION would need the same columns and types on both sides; a join of two single rows does not.
        names = [[one.alias for one in select.expressions] for select in selects]
        expression = (
            exp.select(
                *(
                    exp.column(name, table=table)
                    for table, own in zip(_TABLES, names, strict=True)
                    for name in own
                )
            )
            .from_(selects[0].subquery(_TABLES[0]))
            .join(selects[1].subquery(_TABLES[1]), join_type="cross")
        )
    query = Query(
        expression=expression,
        dialect=sources[-1].dialect,
        side=sources[-1].side,
        about=_about("range", sources, columns),
        assumed=[
            tuple(
                value for source in sources for column in columns for value in _assumed(column, source.side)
            )
        ],
    )
    return _HistogramTask(query, tuple(sources), tuple(columns))


def _range(source: SideRelation, columns: Sequence[SideColumn], where: str | None) -> exp.Select:
    """Select the smallest and largest binnable value of each column, and the count of all values."""
    prefix = source.side.value
    figures: list[Sql] = []
    for place, column in enumerate(columns):
        own = _own(column, source.side)
        if own is None:
            continue
        value = source.dialect.measured(own.of("t"), own.type)
        within = source.dialect.is_within(own.of("t"), own.type)
        if within is not None:
            value = exp.Case().when(within, value)
        for name, edge in (("min", exp.Min(this=value.copy())), ("max", exp.Max(this=value.copy()))):
            is_text = own.type.kind.is_point_in_time
            edge_value = source.dialect.portable_text(edge, own.type) if is_text else edge
            figures.append(exp.alias_(edge_value, f"{prefix}_c{place}_{name}"))
        figures.append(exp.alias_(exp.Count(this=own.of("t")), f"{prefix}_c{place}_count"))
    return with_condition(source.select(*figures), where)


def _assumed(column: SideColumn, side: DataSide) -> tuple[Value, ...]:
    own = _own(column, side)
    if own is None:
        return ()
    if own.type.kind.is_number:
        return 0, 100, 1
    return (*_ASSUMED.get(own.type.kind, _INSTANTS), 1)


def _keep_ranges(task: _HistogramTask, rows: Rows, found: _BinCounts) -> None:
    values = iter(rows[0])
    for source in task.sources:
        for column in task.columns:
            own = _own(column, source.side)
            if own is not None:
                smallest, largest = (_value(next(values), own.type) for _ in range(2))
                found.ranges[source.side, column.name] = _Range(smallest, largest, int(next(values)))
                if own.type.kind.is_point_in_time and (isinstance(smallest, str) or isinstance(largest, str)):
                    found.reasons[column.name] = UNREADABLE.format(
                        smallest if isinstance(smallest, str) else largest
                    )


def _value(value: Value, of: ColumnType) -> Value:
    if of.kind.is_point_in_time and isinstance(value, str):  # bins are no finer than a microsecond
        return parse_portable(_FINER.sub(r"\1", value), of)
    if value is None:
        return None
    return float(value) if of.kind is Kind.FLOAT else plain(value, of)


# Second query: counts


def _counts(
    sources: Sequence[SideRelation],
    columns: Sequence[SideColumn],
    bins: Mapping[str, Bins],
    where: str | None,
) -> _HistogramTask:
    """Count rows by side and bin for each column; each result row has a bin for only one column."""
    selects = [_binned(source, columns, bins, where) for source in sources]
    rows = exp.union(*selects, distinct=False, copy=False) if len(selects) > 1 else selects[0]
    side = exp.column("side", table="r")
    places = [exp.column(f"c{place}", table="r") for place in range(len(columns))]
    selected = exp.select(side, *places, exp.alias_(exp.Count(this=exp.Star()), "row_count")).from_(
        rows.subquery("r")
    )
    sets = [exp.Tuple(expressions=[side.copy(), place.copy()]) for place in places]
    selected.set("group", exp.Group(grouping_sets=[exp.GroupingSets(expressions=sets)]))
    query = Query(
        expression=selected,
        dialect=sources[-1].dialect,
        side=sources[-1].side,
        about=_about("histogram", sources, columns),
        assumed=[],
    )
    return _HistogramTask(query, tuple(sources), tuple(columns))


def _binned(
    source: SideRelation, columns: Sequence[SideColumn], bins: Mapping[str, Bins], where: str | None
) -> exp.Select:
    """Select the bin number of each column, row by row."""
    numbers = [
        exp.Literal.number(NOTHING)
        if (own := _own(column, source.side)) is None
        else _bin(source.dialect, own, bins[column.name])
        for column in columns
    ]
    selected = source.select(
        exp.alias_(exp.Literal.number(list(DataSide).index(source.side)), "side"),
        *(exp.alias_(number, f"c{place}") for place, number in enumerate(numbers)),
    )
    return with_condition(selected, where)


def _bin(dialect: Dialect, column: LiveColumn, bins: Bins) -> Sql:
    value = column.of("t")
    # NULL marks the columns of other grouping sets, so a missing value has a number of its own.
    case = exp.Case().when(exp.Is(this=value, expression=exp.null()), exp.Literal.number(NOTHING))
    within = dialect.is_within(value.copy(), column.type)
    if within is not None:
        case = case.when(exp.not_(within), exp.Literal.number(OUTSIDE))
    return case.else_(_searched(dialect, column, bins, 0, len(bins) - 1), copy=False)


def _searched(dialect: Dialect, column: LiveColumn, bins: Bins, first: int, last: int) -> Sql:
    """Return SQL that finds a value's bin from *first* to *last* by binary search."""
    if first == last:
        return exp.Literal.number(first)
    # Ten comparisons find one of 1,000 bins.
    middle = (first + last + 1) // 2
    text = bins.boundary(middle, column.type)
    is_number = column.type.kind.is_number
    boundary = dialect.number(text, column.type) if is_number else dialect.moment(text, column.type)
    return (
        exp.Case()
        .when(
            exp.LT(this=dialect.measured(column.of("t"), column.type), expression=boundary),
            _searched(dialect, column, bins, first, middle - 1),
            copy=False,
        )
        .else_(_searched(dialect, column, bins, middle, last), copy=False)
    )


def _keep_counts(task: _HistogramTask, rows: Rows, found: _BinCounts) -> None:
    for number, *places, count in rows:
        side = list(DataSide)[int(number)]
        place = next(place for place, value in enumerate(places) if value is not None)
        column = task.columns[place]
        if _own(column, side) is not None:
            found.counts.setdefault((side, column.name), {})[int(places[place])] = int(count)


# Result


def _histogram(column: SideColumn, bins: Bins | None, found: _BinCounts) -> ColumnHistogram:
    if column.name in found.reasons:
        return ColumnHistogram(name=column.name, reason=found.reasons[column.name], reads=column.reads)
    kinds = {of.kind for of in _types(column)}
    kind = (
        "date"
        if kinds == {Kind.DATE}
        else "timestamp"
        if all(one.is_point_in_time for one in kinds)
        else "number"
    )
    sides = {side: _side(column, side, bins, found) for side in DataSide}
    (base, base_outside, base_nulls) = sides[DataSide.BASE]
    (current, current_outside, current_nulls) = sides[DataSide.CURRENT]
    smallest, largest = _span(column, found) or (None, None)
    return ColumnHistogram(
        name=column.name,
        kind=kind,
        edges=() if bins is None else bins.edges,
        unit=None if bins is None else bins.unit,
        base=base,
        current=current,
        min=smallest,
        max=largest,
        base_total=None if base is None else sum(base),
        current_total=None if current is None else sum(current),
        base_outside=base_outside,
        current_outside=current_outside,
        base_nulls=base_nulls,
        current_nulls=current_nulls,
        reason=_without_bins(column, found) if bins is None else None,
        reads=column.reads,
    )


def _without_bins(column: SideColumn, found: _BinCounts) -> str:
    """Return why no row of *column* is in a bin."""
    if not any(
        found.ranges[side, column.name].count for side in DataSide if (side, column.name) in found.ranges
    ):
        return NO_VALUES
    return ALL_NAN if _types(column)[0].kind.is_number else ALL_FAR


def _side(
    column: SideColumn, side: DataSide, bins: Bins | None, found: _BinCounts
) -> tuple[tuple[int, ...] | None, int, int | None]:
    """Return the row counts inside and outside of the bins, None for a side without the column, and NULLs."""
    if (side, column.name) not in found.ranges:
        return None, 0, None
    if bins is None:
        return (), found.ranges[side, column.name].count, None
    counts = found.counts.get((side, column.name), {})
    in_bins = tuple(counts.get(number, 0) for number in range(len(bins)))
    return in_bins, counts.get(OUTSIDE, 0), counts.get(NOTHING, 0)
