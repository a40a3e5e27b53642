"""Figures of columns, side by side.

One scan of each side computes everything that is cheap, and medians, for all its columns; exact counts of
distinct values are statements of their own where several of them in one scan would cost more than a scan each
(`Dialect.has_cheap_distinct`). Statements do not depend on each other, so that several connections can share
them. Where a scan fails, its columns are profiled one by one, and the one at fault keeps the counts that any
type has.

Floats are left to the warehouse: NaN is the largest number, and a mean with it is NaN. The mean of booleans
is the share of all rows that are true, as in recce.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence

from msgspec import Struct
from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.diff.data.choice import SideColumn, chosen
from recce_meta.diff.data.failures import failure, first_line
from recce_meta.diff.data.plan import Answer, Plan, Query, rows_of
from recce_meta.diff.data.reading import approximately, plain, read
from recce_meta.diff.data.source import LiveColumn, Pair, Source, restricted
from recce_meta.errors import WarehouseError
from recce_meta.models.data_diff import ColumnProfile, DataSide, Profile, ProfileDiff, Value

NO_MEDIANS = "There are no medians: {dialect} has no aggregate for them"
MEDIANS_ESTIMATED = "Medians are estimates: {dialect} has no exact aggregate for them"
DISTINCT_EXACT = "Distinct values are counted exactly: {dialect} has no estimate of them"

Read = Callable[[Value, ColumnType], Value]


class _Figure(Struct, frozen=True):
    """One aggregate over one column."""

    name: str
    """Of the field of `Profile`."""
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


class _Found(Struct):
    """What is known so far."""

    rows: dict[DataSide, int] = {}
    figures: dict[tuple[DataSide, str], dict[str, Value]] = {}
    notes: list[str] = []


def profile_diff(
    pair: Pair,
    columns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    where: str | None = None,
    approximate: bool = False,
) -> Plan[ProfileDiff]:
    """The figures of *columns* (all but *exclude*, where none are named) on both sides, or the one there is.

    *where* restricts the rows of both sides, in the warehouse's SQL. With *approximate*, distinct values are
    estimated, where the warehouse can, in the same scan. Raises UnknownNameError for a column that neither
    side has, and what stops every statement.
    """
    wanted = yield from chosen(pair, columns=columns, exclude=exclude)
    tasks = [
        task
        for source in pair.sides
        for task in _tasks(source, _of_side(wanted, source.side), where, approximate)
    ]
    found = _Found()
    while tasks:
        answers = yield [task.query for task in tasks]
        tasks = [
            again
            for task, answer in zip(tasks, answers, strict=True)
            for again in _settled(task, answer, found, where)
        ]
    return ProfileDiff(
        subject=pair.subject,
        columns=tuple(_column_profile(column, found, approximate, pair) for column in wanted),
        notes=(*_notes(pair.sides, wanted, approximate), *found.notes),
    )


def _of_side(columns: Iterable[SideColumn], side: DataSide) -> list[LiveColumn]:
    return [own for column in columns if (own := getattr(column, side.value)) is not None]


# Statements


def _tasks(
    source: Source, columns: Sequence[LiveColumn], where: str | None, approximate: bool
) -> Generator[_Task, None, None]:
    """The scans of a side, and what is asked beside them."""
    figures = {column.name: _figures(source.dialect, column, approximate) for column in columns}
    scanned: list[tuple[LiveColumn, _Figure]] = []
    for column in columns:
        own = [(column, figure) for figure in figures[column.name] if not figure.is_alone]
        if len(scanned) + len(own) >= source.dialect.figures_per_statement:
            yield _scan(source, scanned, where)
            scanned = []
        scanned += own
    if scanned:
        yield _scan(source, scanned, where)
    for column in columns:
        for figure in figures[column.name]:
            if figure.is_alone:
                yield _alone(source, column, figure, where)


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
            assumed=[(0, *(figure.assumed for _, figure in figures))],
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


def _figures(dialect: Dialect, column: LiveColumn, approximate: bool) -> list[_Figure]:
    """What makes sense for the column's type, `not_null_count` first: any type has that."""
    value, of = column.of("t"), column.type
    figures = [_Figure("not_null_count", exp.Count(this=value), _count, 0)]
    if of.kind.is_number:
        figures += _of_numbers(dialect, value, of)
    elif of.kind.is_point_in_time or of.kind is Kind.TIME:
        figures += _of_times(dialect, value, of)
    elif of.kind is Kind.BOOLEAN:
        figures.append(_Figure("true_count", dialect.count_if(value.copy()), _count, 0))
    elif of.kind is Kind.TEXT:
        text = dialect.ordered_text(value)
        figures += [
            _Figure("min", exp.Min(this=text.copy()), _as_is),
            _Figure("max", exp.Max(this=text), _as_is),
        ]
    figures += _of_lengths(dialect, value, of)
    if of.kind is not Kind.BOOLEAN:  # what is true and what is there tell how many there are
        figures.append(_distinct(dialect, dialect.comparable(value.copy(), of), of, approximate))
    return figures


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


def _distinct(dialect: Dialect, value: Sql, of: ColumnType, approximate: bool) -> _Figure:
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


def _settled(task: _Task, answer: Answer, found: _Found, where: str | None) -> Iterable[_Task]:
    """Notes what *answer* tells in *found*; what to ask instead where it tells nothing."""
    error = failure(answer)
    if error is None:
        _keep(task, rows_of(answer)[0], found)
        return ()
    names = list(dict.fromkeys(column.name for column, _ in task.figures))
    if len(names) > 1:
        return [
            _scan(task.source, [pair for pair in task.figures if pair[0].name == name], where)
            for name in names
        ]
    if len(task.figures) == 1:
        return _given_up(task, error, found)
    found.notes.append(_why(task, "Only the counts", error))
    return [_scan(task.source, task.figures[:1], where)]


def _given_up(task: _Task, error: WarehouseError, found: _Found) -> Iterable[_Task]:
    figure = task.figures[0][1]
    if figure.name == "not_null_count":  # which any column has: the relation cannot be read
        raise error
    found.notes.append(_why(task, f"No {figure.name.replace('_', ' ')}", error))
    return ()


def _why(task: _Task, what: str, error: WarehouseError) -> str:
    first = first_line(error)
    return f"{what} of {task.figures[0][0].name} in {task.source.side.value}: {first}"


def _keep(task: _Task, row: Sequence[Value], found: _Found) -> None:
    side = task.source.side
    if not task.figures[0][1].is_alone:
        found.rows[side] = int(row[0])
        row = row[1:]
    for (column, figure), value in zip(task.figures, row, strict=True):
        own = found.figures.setdefault((side, column.name), {})
        own[figure.name] = figure.read(value, column.type)


def _column_profile(column: SideColumn, found: _Found, approximate: bool, pair: Pair) -> ColumnProfile:
    profiles = {
        source.side: _profile(getattr(column, source.side.value), source, found, approximate)
        for source in pair.sides
    }
    is_same = None
    if column.base and column.current and len({source.dialect.name for source in pair.sides}) == 2:
        is_same = column.base.type.kind is column.current.type.kind
    return ColumnProfile(
        name=column.name,
        base=profiles.get(DataSide.BASE),
        current=profiles.get(DataSide.CURRENT),
        is_same_type=is_same,
    )


def _profile(column: LiveColumn | None, source: Source, found: _Found, approximate: bool) -> Profile | None:
    if column is None:
        return None
    figures = found.figures[source.side, column.name]
    rows = found.rows[source.side]
    if column.type.kind is Kind.BOOLEAN:
        figures = {**figures, **_of_booleans(rows, figures)}
    is_estimate = approximate and source.dialect.has_approximate_distinct
    return Profile(
        type=column.type.text,
        row_count=rows,
        is_approximate=is_estimate and column.type.kind is not Kind.BOOLEAN,
        **figures,
    )


def _of_booleans(rows: int, figures: dict[str, Value]) -> dict[str, Value]:
    """What follows from the counts; nothing where only values were counted."""
    if "true_count" not in figures:
        return {}
    true, values = figures["true_count"], figures["not_null_count"]
    return {"distinct_count": (true > 0) + (values > true), "avg": true / rows if rows else None}


def _notes(sources: Sequence[Source], columns: Sequence[SideColumn], approximate: bool) -> list[str]:
    notes = []
    for dialect in {source.dialect.name: source.dialect for source in sources}.values():
        kinds = {own.type.kind for source in sources for own in _of_side(columns, source.side)}
        if not dialect.has_median and any(kind.is_number for kind in kinds):
            notes.append(NO_MEDIANS.format(dialect=dialect.name))
        elif not dialect.has_exact_median and any(kind.is_number or kind.is_point_in_time for kind in kinds):
            notes.append(MEDIANS_ESTIMATED.format(dialect=dialect.name))
        if approximate and not dialect.has_approximate_distinct:
            notes.append(DISTINCT_EXACT.format(dialect=dialect.name))
    return notes
