"""Figures of columns for any number of relations, and column profiles of both sides.

One scan of each relation computes all cheap figures, and medians, for all its columns. Exact counts of
distinct values are separate queries if several in one scan would cost more than one scan each
(`Aggregates.has_cheap_distinct`). Queries are independent, so several connections can share them. If a scan
fails, its columns are queried one by one, and a column that fails alone gets only the counts that every type
supports.

Floats follow the warehouse's rules: NaN is the largest number, and a mean that includes it is NaN. The mean
of booleans is the share of true values among all rows, as in recce.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence

from msgspec import Struct
from sqlglot import exp

from recce_meta.data_diff.plan import Answer, Plan, Query, failure, rows_of
from recce_meta.data_diff.portable import approximately, parse_portable, plain
from recce_meta.data_diff.source import (
    LiveColumn,
    Pair,
    SideColumn,
    SideRelation,
    select_columns,
    with_condition,
)
from recce_meta.errors import QueryTimeout, WarehouseError, first_line
from recce_meta.models.data_diff import ColumnProfile, DataSide, Profile, ProfileDiff, Value
from recce_meta.warehouses.dialect import Aggregates, Dialect
from recce_meta.warehouses.types import ColumnType, Kind, Sql

BLANKS = "blank_count"
"""Name of a figure outside of profiles: number of texts that are empty or only spaces."""
NO_FIGURES = "No figures"
"""Kind of gap of a column that could not be read."""

Read = Callable[[Value, ColumnType], Value]


class FigureOptions(Struct, frozen=True, kw_only=True):
    """Selection of the requested figures."""

    where: str | None = None
    """Condition on rows, in the warehouse's SQL."""
    approximate: bool = False
    """True to estimate distinct values in the same scan, if the warehouse can."""
    withheld: frozenset[str] = frozenset()
    """Columns whose values must not be fetched or revealed: only counts and lengths are."""
    has_blanks: bool = False
    """True to also count blank texts."""


class MissingFigures(Struct, frozen=True):
    """Missing figures of one column."""

    side: DataSide
    column: str
    what: str
    """Kind of gap: `Only the counts`, `No distinct count`, …"""
    error: WarehouseError


class Figures(Struct):
    """Results that are available so far."""

    scope: FigureOptions
    rows: dict[DataSide, int] = {}
    """Row counts of the sides that could be read."""
    values: dict[tuple[DataSide, str], dict[str, Value]] = {}
    problems: list[MissingFigures] = []

    def profile(self, source: SideRelation, column: LiveColumn) -> Profile | None:
        """Return the figures of *column* in *source*, or None if it could not be read."""
        figures = self.values.get((source.side, column.name))
        if figures is None or "not_null_count" not in figures:
            return None
        rows = self.rows[source.side]
        if "true_count" in figures:
            figures = {**figures, **_of_booleans(rows, figures)}
        is_estimate = self.scope.approximate and source.dialect.aggregates.has_approximate_distinct
        return Profile(
            type=column.type.text,
            row_count=rows,
            # Distinct booleans follow from exact counts.
            is_approximate=is_estimate and column.type.kind is not Kind.BOOLEAN,
            **{name: value for name, value in figures.items() if name != BLANKS},
        )


class _Aggregate(Struct, frozen=True):
    """Aggregate over one column."""

    name: str
    """Field name in `Profile`, or BLANKS."""
    value: Sql
    read: Read
    assumed: Value = None
    is_alone: bool = False
    """True if it is a separate query."""
    counts_rows: bool = False
    """True if it counts the rows of `SELECT DISTINCT value`."""


class _FigureTask(Struct, frozen=True):
    """Query, with the columns and figures that its result contains."""

    query: Query
    source: SideRelation
    figures: tuple[tuple[LiveColumn, _Aggregate], ...]


def figures(
    asked: Sequence[tuple[SideRelation, Sequence[LiveColumn]]], scope: FigureOptions
) -> Plan[Figures]:
    """Return the figures of each source's columns; each source is a different side.

    Raises errors that stop every query. One that takes too long leaves its columns without figures.
    """
    tasks = [task for source, columns in asked for task in _tasks(source, columns, scope)]
    found = Figures(scope=scope)
    while tasks:
        answers = yield [task.query for task in tasks]
        tasks = [
            again
            for task, answer in zip(tasks, answers, strict=True)
            for again in _settled(task, answer, found)
        ]
    unread = {(one.side, one.column) for one in found.problems if one.what == NO_FIGURES}
    # A column without figures has one reason, from which its other failures follow.
    found.problems = [
        one for one in found.problems if one.what == NO_FIGURES or (one.side, one.column) not in unread
    ]
    return found


# Queries


def _tasks(
    source: SideRelation, columns: Sequence[LiveColumn], scope: FigureOptions
) -> Generator[_FigureTask, None, None]:
    """Yield the scans of a side, and its separate queries."""
    figures = {column.name: _figures(source.dialect, column, scope) for column in columns}
    scanned: list[tuple[LiveColumn, _Aggregate]] = []
    for column in columns:
        own = [(column, figure) for figure in figures[column.name] if not figure.is_alone]
        # A column's figures stay in one scan, so that `_settled` finds `not_null_count` first.
        if len(scanned) + len(own) >= source.dialect.aggregates.figures_per_statement:
            yield _scan(source, scanned, scope.where)
            scanned = []
        scanned += own
    if scanned:
        yield _scan(source, scanned, scope.where)
    for column in columns:
        for figure in figures[column.name]:
            if figure.is_alone:
                yield _alone(source, column, figure, scope.where)


def _scan(
    source: SideRelation, figures: Sequence[tuple[LiveColumn, _Aggregate]], where: str | None
) -> _FigureTask:
    names = list(dict.fromkeys(column.name for column, _ in figures))
    places = {name: place for place, name in enumerate(names)}
    selected = source.select(
        exp.alias_(exp.Count(this=exp.Star()), "row_count"),
        *(exp.alias_(figure.value, f"c{places[column.name]}_{figure.name}") for column, figure in figures),
    )
    return _FigureTask(
        Query(
            expression=with_condition(selected, where),
            dialect=source.dialect,
            side=source.side,
            about=f"profile of {_named(names, source)}",
            assumed=[(1, *(figure.assumed for _, figure in figures))],
        ),
        source,
        tuple(figures),
    )


def _alone(source: SideRelation, column: LiveColumn, figure: _Aggregate, where: str | None) -> _FigureTask:
    if figure.counts_rows:
        inner = with_condition(source.select(exp.alias_(figure.value, "v")).distinct(), where)
        value = exp.column("v", table="d")
        selected = exp.select(exp.alias_(exp.Count(this=value), figure.name)).from_(inner.subquery("d"))
    else:
        selected = with_condition(source.select(exp.alias_(figure.value, figure.name)), where)
    return _FigureTask(
        Query(
            expression=selected,
            dialect=source.dialect,
            side=source.side,
            about=f"{figure.name.replace('_', ' ')} of {_named([column.name], source)}",
            assumed=[(figure.assumed,)],
        ),
        source,
        ((column, figure),),
    )


def _named(names: Sequence[str], source: SideRelation) -> str:
    return f"{source.name}.{names[0]}" if len(names) == 1 else f"{len(names)} columns of {source.name}"


# Figures


def _figures(dialect: Dialect, column: LiveColumn, scope: FigureOptions) -> list[_Aggregate]:
    """Return the figures that suit the column's type; `not_null_count` comes first and suits any type."""
    value, of = column.of("t"), column.type
    is_withheld = column.name in scope.withheld
    figures = [_Aggregate("not_null_count", exp.Count(this=value), _count, 0)]
    if not is_withheld:
        figures += _of_values(dialect, value, of)
    figures += _of_lengths(dialect, value, of)
    if scope.has_blanks and of.kind is Kind.TEXT:
        is_blank = dialect.is_blank(value.copy())
        figures.append(_Aggregate(BLANKS, dialect.aggregates.count_if(is_blank), _count, 0))
    if is_withheld or of.kind is not Kind.BOOLEAN:  # for booleans, it follows from the other counts
        comparable = dialect.comparable(value.copy(), of)
        figures.append(_distinct(dialect.aggregates, comparable, of, approximate=scope.approximate))
    return figures


def _of_values(dialect: Dialect, value: Sql, of: ColumnType) -> list[_Aggregate]:
    if of.kind.is_number:
        return _of_numbers(dialect, value, of)
    if of.kind.is_point_in_time or of.kind is Kind.TIME:
        return _of_times(dialect, value, of)
    if of.kind is Kind.BOOLEAN:
        return [_Aggregate("true_count", dialect.aggregates.count_if(value.copy()), _count, 0)]
    if of.kind is not Kind.TEXT:
        return []
    text = dialect.ordered_text(value)
    return [
        _Aggregate("min", exp.Min(this=text.copy()), _as_is),
        _Aggregate("max", exp.Max(this=text), _as_is),
    ]


def _of_numbers(dialect: Dialect, value: Sql, of: ColumnType) -> list[_Aggregate]:
    smallest: Sql = exp.Min(this=value.copy())
    largest: Sql = exp.Max(this=value.copy())
    read_one: Read = plain
    aggregates = dialect.aggregates
    if of.kind is Kind.FLOAT and of.precision == 32:  # drivers return 0.10000000149011612 for 0.1
        smallest, largest = (dialect.portable_text(edge, of) for edge in (smallest, largest))
        read_one = parse_portable
    figures = [
        _Aggregate("min", smallest, read_one),
        _Aggregate("max", largest, read_one),
        _Aggregate("avg", aggregates.mean(value.copy(), of), _rounded),
    ]
    if aggregates.has_median:
        median = aggregates.median_as_double(value.copy(), of)
        figures.append(_Aggregate("median", median, _rounded, is_alone=not aggregates.has_many_medians))
    return figures


def _of_times(dialect: Dialect, value: Sql, of: ColumnType) -> list[_Aggregate]:
    found: dict[str, Sql | None] = {"min": exp.Min(this=value.copy()), "max": exp.Max(this=value.copy())}
    if of.kind.is_point_in_time:
        found["median"] = dialect.aggregates.median_moment(value.copy())
    return [
        _Aggregate(name, dialect.portable_text(moment, of), parse_portable)
        for name, moment in found.items()
        if moment is not None
    ]


def _of_lengths(dialect: Dialect, value: Sql, of: ColumnType) -> list[_Aggregate]:
    length = dialect.aggregates.length(value.copy(), of)
    if length is None:
        return []
    of_length = ColumnType("", Kind.INTEGER, precision=64)
    return [
        _Aggregate("min_length", exp.Min(this=length.copy()), _count),
        _Aggregate("max_length", exp.Max(this=length.copy()), _count),
        _Aggregate("avg_length", dialect.aggregates.mean(length, of_length), _rounded),
    ]


def _distinct(aggregates: Aggregates, value: Sql, of: ColumnType, *, approximate: bool) -> _Aggregate:
    if approximate and aggregates.has_approximate_distinct:
        return _Aggregate("distinct_count", aggregates.approximate_distinct(value), _count, 0)
    if aggregates.has_cheap_distinct:
        return _Aggregate("distinct_count", aggregates.count_distinct(value, of), _count, 0)
    if aggregates.counts_distinct_rows(of):
        return _Aggregate("distinct_count", value, _count, 0, is_alone=True, counts_rows=True)
    return _Aggregate("distinct_count", aggregates.count_distinct(value, of), _count, 0, is_alone=True)


def _count(value: Value, of: ColumnType) -> Value:
    return None if value is None else int(value)


def _rounded(value: Value, of: ColumnType) -> Value:
    return approximately(value)


def _as_is(value: Value, of: ColumnType) -> Value:
    return value


# Answers


def _settled(task: _FigureTask, answer: Answer, found: Figures) -> Iterable[_FigureTask]:
    """Store the figures of *answer* in *found*; if it failed, return the queries that replace it."""
    error = failure(answer)
    if error is None:
        _keep(task, rows_of(answer)[0], found)
        return ()
    names = list(dict.fromkeys(column.name for column, _ in task.figures))
    if isinstance(error, QueryTimeout):  # a replacement query would take about as long
        is_all = task.figures[0][1].name == "not_null_count"
        what = NO_FIGURES if is_all else _missing(task.figures[0][1])
        found.problems += [MissingFigures(task.source.side, name, what, error) for name in names]
        return ()
    where = found.scope.where
    if len(names) > 1:
        return [
            _scan(task.source, [pair for pair in task.figures if pair[0].name == name], where)
            for name in names
        ]
    if len(task.figures) == 1:
        ((column, figure),) = task.figures
        what = NO_FIGURES if figure.name == "not_null_count" else _missing(figure)
        found.problems.append(MissingFigures(task.source.side, column.name, what, error))
        return ()
    # A type may lack one of its aggregates, but every type can be counted.
    found.problems.append(MissingFigures(task.source.side, names[0], "Only the counts", error))
    return [_scan(task.source, task.figures[:1], where)]


def _missing(figure: _Aggregate) -> str:
    return f"No {figure.name.replace('_', ' ')}"


def _keep(task: _FigureTask, row: Sequence[Value], found: Figures) -> None:
    side = task.source.side
    if not task.figures[0][1].is_alone:
        found.rows[side] = int(row[0])
        row = row[1:]
    for (column, figure), value in zip(task.figures, row, strict=True):
        own = found.values.setdefault((side, column.name), {})
        own[figure.name] = figure.read(value, column.type)


def _of_booleans(rows: int, figures: dict[str, Value]) -> dict[str, Value]:
    """Return the figures of booleans that follow from the counts."""
    true, values = figures["true_count"], figures["not_null_count"]
    return {"distinct_count": (true > 0) + (values > true), "avg": true / rows if rows else None}


NO_MEDIANS = "There are no medians: {dialect} has no aggregate for them"
MEDIANS_ESTIMATED = "Medians are estimates: {dialect} has no exact aggregate for them"
DISTINCT_EXACT = "Distinct values are counted exactly: {dialect} has no estimate of them"


def profile_diff(
    pair: Pair,
    columns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    where: str | None = None,
    approximate: bool = False,
    *,
    may_lack_excluded: bool = False,
) -> Plan[ProfileDiff]:
    """Return the profiles of *columns*, or of all except *exclude*, on each side that exists.

    *where* restricts the rows of both sides, in the warehouse's SQL. With *approximate*, distinct values are
    estimated in the same scan, if the warehouse can. Raises UnknownNameError for a column that neither side
    has, unless *may_lack_excluded* is set and *exclude* has it, and errors that stop every query.
    """
    wanted, excluded, _ = yield from select_columns(
        pair, columns=columns, exclude=exclude, may_lack_excluded=may_lack_excluded
    )
    scope = FigureOptions(where=where, approximate=approximate)
    asked = [(source, _of_side(wanted, source.side)) for source in pair.sides]
    found = yield from figures(asked, scope)
    unread = [one for one in found.problems if one.side not in found.rows]
    if unread:
        raise unread[0].error
    return ProfileDiff(
        subject=pair.subject,
        columns=tuple(_column_profile(column, found, pair) for column in wanted),
        notes=(
            *notes_on_medians(asked),
            *_notes_on_estimates(pair.sides, approximate),
            *map(_note, found.problems),
        ),
        where=where,
        excluded=excluded,
    )


def notes_on_medians(asked: Iterable[tuple[SideRelation, Sequence[LiveColumn]]]) -> list[str]:
    """Return notes on missing or estimated medians, one sentence per dialect."""
    notes: dict[str, None] = {}
    for source, columns in asked:
        kinds = {column.type.kind for column in columns}
        dialect = source.dialect
        if not dialect.aggregates.has_median and any(kind.is_number for kind in kinds):
            notes[NO_MEDIANS.format(dialect=dialect.name)] = None
        elif not dialect.aggregates.has_exact_median and any(
            kind.is_number or kind.is_point_in_time for kind in kinds
        ):
            notes[MEDIANS_ESTIMATED.format(dialect=dialect.name)] = None
    return list(notes)


def _of_side(columns: Iterable[SideColumn], side: DataSide) -> list[LiveColumn]:
    return [own for column in columns if (own := getattr(column, side.value)) is not None]


def _column_profile(column: SideColumn, found: Figures, pair: Pair) -> ColumnProfile:
    profiles = {
        source.side: _profile(getattr(column, source.side.value), source, found) for source in pair.sides
    }
    is_same = None
    # Two kinds of warehouses write one type differently, so only kinds can be compared.
    if column.base and column.current and len({source.dialect.name for source in pair.sides}) == 2:
        is_same = column.base.type.kind is column.current.type.kind
    return ColumnProfile(
        name=column.name,
        base=profiles.get(DataSide.BASE),
        current=profiles.get(DataSide.CURRENT),
        is_same_type=is_same,
        reason="; ".join(_reasons(column, found.problems)) or None,
        unread=tuple(
            side for side, profile in profiles.items() if profile is None and getattr(column, side.value)
        ),
    )


def _profile(column: LiveColumn | None, source: SideRelation, found: Figures) -> Profile | None:
    return None if column is None else found.profile(source, column)


def _reasons(column: SideColumn, problems: Iterable[MissingFigures]) -> list[str]:
    return [
        f"{problem.what.lower()} in {problem.side.value}: {first_line(problem.error)}"
        for problem in problems
        if (own := getattr(column, problem.side.value)) is not None and own.name == problem.column
    ]


def _note(problem: MissingFigures) -> str:
    return f"{problem.what} of {problem.column} in {problem.side.value}: {first_line(problem.error)}"


def _notes_on_estimates(sources: Sequence[SideRelation], approximate: bool) -> list[str]:
    names = dict.fromkeys(
        source.dialect.name for source in sources if not source.dialect.aggregates.has_approximate_distinct
    )
    return [DISTINCT_EXACT.format(dialect=name) for name in names] if approximate else []
