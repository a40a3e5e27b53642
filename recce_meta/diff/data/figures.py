"""Figures of columns of any number of relations: what is asked, and what the answers tell.

One scan of each relation computes everything that is cheap, and medians, for all its columns; exact counts of
distinct values are statements of their own where several of them in one scan would cost more than a scan each
(`Dialect.has_cheap_distinct`). Statements do not depend on each other, so that several connections can share
them. Where a scan fails, its columns are asked for one by one, and the one at fault keeps the counts that any
type has.

Floats are left to the warehouse: NaN is the largest number, and a mean with it is NaN. The mean of booleans
is the share of all rows that are true, as in recce.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence

from msgspec import Struct
from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.diff.data.failures import OF_ALL, OF_LONG_SCANS, failure
from recce_meta.diff.data.plan import Answer, Plan, Query, rows_of
from recce_meta.diff.data.reading import approximately, plain, read
from recce_meta.diff.data.source import LiveColumn, Source, restricted
from recce_meta.errors import QueryTimeout, WarehouseError
from recce_meta.models.data_diff import DataSide, Profile, Value

BLANKS = "blank_count"
"""The figure that no profile has: texts that are empty or of spaces alone."""

Read = Callable[[Value, ColumnType], Value]


class Scope(Struct, frozen=True, kw_only=True):
    """Which figures are asked for."""

    where: str | None = None
    """A condition on rows, in the warehouse's SQL."""
    approximate: bool = False
    """Whether distinct values are estimated, where the warehouse can, in the same scan."""
    withheld: frozenset[str] = frozenset()
    """Columns of which nothing is fetched that is, or tells, a value: only counts and lengths."""
    has_blanks: bool = False
    """Whether empty texts are counted, too."""
    is_patient: bool = False
    """Whether a column that cannot be read at all, or takes too long, leaves the others alone."""


class Problem(Struct, frozen=True):
    """Figures that are missing."""

    side: DataSide
    column: str
    what: str
    """`Only the counts`, `No distinct count`, …"""
    error: WarehouseError


class Figures(Struct):
    """What was found."""

    scope: Scope
    rows: dict[DataSide, int] = {}
    """Of each side, where anything could be read of it."""
    values: dict[tuple[DataSide, str], dict[str, Value]] = {}
    problems: list[Problem] = []

    def profile(self, source: Source, column: LiveColumn) -> Profile | None:
        """The figures of *column* of *source*; None where it could not be read at all."""
        figures = self.values.get((source.side, column.name))
        if figures is None or "not_null_count" not in figures:
            return None
        rows = self.rows[source.side]
        if "true_count" in figures:
            figures = {**figures, **_of_booleans(rows, figures)}
        is_estimate = self.scope.approximate and source.dialect.has_approximate_distinct
        return Profile(
            type=column.type.text,
            row_count=rows,
            is_approximate=is_estimate and column.type.kind is not Kind.BOOLEAN,
            **{name: value for name, value in figures.items() if name != BLANKS},
        )


class _Figure(Struct, frozen=True):
    """One aggregate over one column."""

    name: str
    """Of the field of `Profile`, or BLANKS."""
    value: Sql
    read: Read
    assumed: Value = None
    is_alone: bool = False
    """Whether it is a statement of its own."""
    counts_rows: bool = False
    """Whether it counts the rows of `SELECT DISTINCT value`."""


class _Task(Struct, frozen=True):
    """One statement, and where its figures belong."""

    query: Query
    source: Source
    figures: tuple[tuple[LiveColumn, _Figure], ...]


def figures(asked: Sequence[tuple[Source, Sequence[LiveColumn]]], scope: Scope) -> Plan[Figures]:
    """The figures of the columns of each source, no two of which are of one side.

    Raises what stops every statement, and, unless *scope* is patient, what stops those of one relation.
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
    return found


# Statements


def _tasks(source: Source, columns: Sequence[LiveColumn], scope: Scope) -> Generator[_Task, None, None]:
    """The scans of a side, and what is asked beside them."""
    figures = {column.name: _figures(source.dialect, column, scope) for column in columns}
    scanned: list[tuple[LiveColumn, _Figure]] = []
    for column in columns:
        own = [(column, figure) for figure in figures[column.name] if not figure.is_alone]
        if len(scanned) + len(own) >= source.dialect.figures_per_statement:
            yield _scan(source, scanned, scope.where)
            scanned = []
        scanned += own
    if scanned:
        yield _scan(source, scanned, scope.where)
    for column in columns:
        for figure in figures[column.name]:
            if figure.is_alone:
                yield _alone(source, column, figure, scope.where)


def _scan(source: Source, figures: Sequence[tuple[LiveColumn, _Figure]], where: str | None) -> _Task:
    names = list(dict.fromkeys(column.name for column, _ in figures))
    places = {name: place for place, name in enumerate(names)}
    selected = source.select(
        exp.alias_(exp.Count(this=exp.Star()), "row_count"),
        *(exp.alias_(figure.value, f"c{places[column.name]}_{figure.name}") for column, figure in figures),
    )
    return _Task(
        Query(
            expression=restricted(selected, where),
            dialect=source.dialect,
            side=source.side,
            about=f"profile of {_named(names, source)}",
            assumed=[(1, *(figure.assumed for _, figure in figures))],
        ),
        source,
        tuple(figures),
    )


def _alone(source: Source, column: LiveColumn, figure: _Figure, where: str | None) -> _Task:
    if figure.counts_rows:
        inner = restricted(source.select(exp.alias_(figure.value, "v")).distinct(), where)
        value = exp.column("v", table="d")
        selected = exp.select(exp.alias_(exp.Count(this=value), figure.name)).from_(inner.subquery("d"))
    else:
        selected = restricted(source.select(exp.alias_(figure.value, figure.name)), where)
    return _Task(
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


def _named(names: Sequence[str], source: Source) -> str:
    return f"{source.name}.{names[0]}" if len(names) == 1 else f"{len(names)} columns of {source.name}"


# Figures


def _figures(dialect: Dialect, column: LiveColumn, scope: Scope) -> list[_Figure]:
    """What makes sense for the column's type, `not_null_count` first: any type has that."""
    value, of = column.of("t"), column.type
    is_withheld = column.name in scope.withheld
    figures = [_Figure("not_null_count", exp.Count(this=value), _count, 0)]
    if not is_withheld:
        figures += _of_values(dialect, value, of)
    figures += _of_lengths(dialect, value, of)
    if scope.has_blanks and of.kind is Kind.TEXT:
        figures.append(_Figure(BLANKS, dialect.count_if(dialect.is_blank(value.copy())), _count, 0))
    if is_withheld or of.kind is not Kind.BOOLEAN:  # what is true and what is there tell how many there are
        comparable = dialect.comparable(value.copy(), of)
        figures.append(_distinct(dialect, comparable, of, approximate=scope.approximate))
    return figures


def _of_values(dialect: Dialect, value: Sql, of: ColumnType) -> list[_Figure]:
    if of.kind.is_number:
        return _of_numbers(dialect, value, of)
    if of.kind.is_point_in_time or of.kind is Kind.TIME:
        return _of_times(dialect, value, of)
    if of.kind is Kind.BOOLEAN:
        return [_Figure("true_count", dialect.count_if(value.copy()), _count, 0)]
    if of.kind is not Kind.TEXT:
        return []
    text = dialect.ordered_text(value)
    return [
        _Figure("min", exp.Min(this=text.copy()), _as_is),
        _Figure("max", exp.Max(this=text), _as_is),
    ]


def _of_numbers(dialect: Dialect, value: Sql, of: ColumnType) -> list[_Figure]:
    smallest: Sql = exp.Min(this=value.copy())
    largest: Sql = exp.Max(this=value.copy())
    read_one: Read = plain
    if of.kind is Kind.FLOAT and of.precision == 32:  # as 0.1, where drivers widen it to 0.10000000149011612
        smallest, largest = (dialect.portable_text(edge, of) for edge in (smallest, largest))
        read_one = read
    figures = [
        _Figure("min", smallest, read_one),
        _Figure("max", largest, read_one),
        _Figure("avg", dialect.mean(value.copy(), of), _rounded),
    ]
    if dialect.has_median:
        median = dialect.median_as_double(value.copy(), of)
        figures.append(_Figure("median", median, _rounded, is_alone=not dialect.has_many_medians))
    return figures


def _of_times(dialect: Dialect, value: Sql, of: ColumnType) -> list[_Figure]:
    found: dict[str, Sql | None] = {"min": exp.Min(this=value.copy()), "max": exp.Max(this=value.copy())}
    if of.kind.is_point_in_time:
        found["median"] = dialect.median_moment(value.copy())
    return [
        _Figure(name, dialect.portable_text(moment, of), read)
        for name, moment in found.items()
        if moment is not None
    ]


def _of_lengths(dialect: Dialect, value: Sql, of: ColumnType) -> list[_Figure]:
    length = dialect.length(value.copy(), of)
    if length is None:
        return []
    return [
        _Figure("min_length", exp.Min(this=length.copy()), _count),
        _Figure("max_length", exp.Max(this=length.copy()), _count),
        _Figure("avg_length", dialect.mean(length, ColumnType("", Kind.INTEGER, precision=64)), _rounded),
    ]


def _distinct(dialect: Dialect, value: Sql, of: ColumnType, *, approximate: bool) -> _Figure:
    if approximate and dialect.has_approximate_distinct:
        return _Figure("distinct_count", dialect.approximate_distinct(value), _count, 0)
    if dialect.has_cheap_distinct:
        return _Figure("distinct_count", dialect.count_distinct(value, of), _count, 0)
    if dialect.counts_distinct_rows(of):
        return _Figure("distinct_count", value, _count, 0, is_alone=True, counts_rows=True)
    return _Figure("distinct_count", dialect.count_distinct(value, of), _count, 0, is_alone=True)


def _count(value: Value, of: ColumnType) -> Value:
    return None if value is None else int(value)


def _rounded(value: Value, of: ColumnType) -> Value:
    return approximately(value)


def _as_is(value: Value, of: ColumnType) -> Value:
    return value


# Answers


def _settled(task: _Task, answer: Answer, found: Figures) -> Iterable[_Task]:
    """Notes what *answer* tells in *found*; what to ask instead where it tells nothing."""
    is_patient = found.scope.is_patient
    error = failure(answer, OF_ALL if is_patient else OF_LONG_SCANS)
    if error is None:
        _keep(task, rows_of(answer)[0], found)
        return ()
    names = list(dict.fromkeys(column.name for column, _ in task.figures))
    if isinstance(error, QueryTimeout):  # what would take its place is about as long
        is_all = task.figures[0][1].name == "not_null_count"
        what = "No figures" if is_all else _missing(task.figures[0][1])
        found.problems += [Problem(task.source.side, name, what, error) for name in names]
        return ()
    where = found.scope.where
    if len(names) > 1:
        return [
            _scan(task.source, [pair for pair in task.figures if pair[0].name == name], where)
            for name in names
        ]
    if len(task.figures) == 1:
        return _given_up(task, error, found)
    found.problems.append(Problem(task.source.side, names[0], "Only the counts", error))
    return [_scan(task.source, task.figures[:1], where)]


def _given_up(task: _Task, error: WarehouseError, found: Figures) -> Iterable[_Task]:
    ((column, figure),) = task.figures
    is_first = figure.name == "not_null_count"  # which any column has: the relation cannot be read
    if is_first and not found.scope.is_patient:
        raise error
    what = "No figures" if is_first else _missing(figure)
    found.problems.append(Problem(task.source.side, column.name, what, error))
    return ()


def _missing(figure: _Figure) -> str:
    return f"No {figure.name.replace('_', ' ')}"


def _keep(task: _Task, row: Sequence[Value], found: Figures) -> None:
    side = task.source.side
    if not task.figures[0][1].is_alone:
        found.rows[side] = int(row[0])
        row = row[1:]
    for (column, figure), value in zip(task.figures, row, strict=True):
        own = found.values.setdefault((side, column.name), {})
        own[figure.name] = figure.read(value, column.type)


def _of_booleans(rows: int, figures: dict[str, Value]) -> dict[str, Value]:
    """What follows from the counts."""
    true, values = figures["true_count"], figures["not_null_count"]
    return {"distinct_count": (true > 0) + (values > true), "avg": true / rows if rows else None}
