"""The most frequent values of columns, counted on both sides.

One statement holds a block for each column: the rows of both sides grouped by the value, the first *k* by
current count, then base count, then the value itself, so that two runs agree. Values of several types
cannot share a column of one result, so they travel as texts that mean the same everywhere and are read back
as what they are (`reading`); they are grouped and sorted by type, texts by code point. What a
warehouse cannot group (`Dialect.groupable`) is grouped by its text. A second statement, asked together with
the first, counts rows. Across two targets each side is asked for its own first *k* (`top_k_apart`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from recce_meta.dialects import Dialect, Sql
from recce_meta.diff.data.choice import SideColumn, chosen
from recce_meta.diff.data.failures import OF_ALL, OF_LONG_SCANS, failure, first_line
from recce_meta.diff.data.plan import Answer, Plan, Query, both, rows_of
from recce_meta.diff.data.reading import read, sample
from recce_meta.diff.data.source import Pair, Source
from recce_meta.diff.data.top_k_apart import top_k_apart
from recce_meta.diff.data.top_keys import Counted, Totals, counted, totals
from recce_meta.errors import QueryTimeout, RecceMetaError, UsageError, WarehouseError
from recce_meta.models.data_diff import ColumnTopK, DataSide, TopKDiff, TopValue

COLUMNS_PER_STATEMENT = 50
COUNTS = tuple(f"{side.value}_rows" for side in DataSide)


class TopValues(Struct):
    """What was found of each column, by name."""

    values: dict[str, list[TopValue]] = {}
    errors: dict[str, WarehouseError] = {}
    reasons: dict[str, str] = {}
    """Why a column was not asked for."""
    rounded: frozenset[str] = frozenset()
    """Columns of which doubles were counted that do not hold all digits."""


class _Task(Struct, frozen=True):
    query: Query
    columns: tuple[Counted, ...]


def top_k_diff(
    pair: Pair, columns: Sequence[str] = (), k: int = 10, where: str | None = None
) -> Plan[TopKDiff]:
    """The *k* most frequent values of *columns* (all, where none are named), NULL left out.

    *where* restricts the rows of both sides, in the warehouse's SQL. A column whose types have nothing in
    common, or that the warehouse cannot group, has a reason instead. Raises UnknownNameError for a column
    that neither side has, and what stops every statement.
    """
    if k < 1:
        raise UsageError(f"There is no list of the {k} most frequent values", hint="give a k of 1 or more")
    wanted = yield from chosen(pair, columns=columns)
    found = yield from (top_k_apart if pair.is_apart else _together)(pair, wanted, k, where)
    return TopKDiff(subject=pair.subject, k=k, columns=tuple(found), where=where)


def _together(pair: Pair, wanted: Sequence[SideColumn], k: int, where: str | None) -> Plan[list[ColumnTopK]]:
    found, rows = yield from both(top_values(pair, wanted, k, where), _totals(pair, wanted, where))
    reasons = {**found.reasons, **{name: first_line(error) for name, error in found.errors.items()}}
    return [
        replace(
            rows.of(column, found.values.get(column.name, ()), reasons.get(column.name)),
            is_rounded=column.name in found.rounded,
        )
        for column in wanted
    ]


def _totals(pair: Pair, wanted: Sequence[SideColumn], where: str | None) -> Plan[Totals]:
    parts = [
        wanted[start : start + COLUMNS_PER_STATEMENT]
        for start in range(0, len(wanted), COLUMNS_PER_STATEMENT)
    ]
    answers = yield [totals(pair.sides, part, where) for part in parts]
    rows = Totals()
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
    is_patient: bool = False,
) -> Plan[TopValues]:
    """The *k* most frequent values of each of *wanted*, of sides that one statement can read.

    A statement lists those of *most* columns. Raises what stops every statement; where it *is_patient*,
    columns that take too long have an error, too.
    """
    columns, reasons = counted(pair, wanted)
    rounded = frozenset(column.name for column in columns if column.key.is_rounded)
    found = TopValues(reasons=reasons, rounded=rounded)
    tasks = [_task(pair, columns[start : start + most], k, where) for start in range(0, len(columns), most)]
    while tasks:
        answers = yield [task.query for task in tasks]
        failed = [
            column
            for task, answer in zip(tasks, answers, strict=True)
            for column in _settled(task, answer, found, OF_ALL if is_patient else OF_LONG_SCANS)
        ]
        tasks = [_task(pair, [column], k, where) for column in failed]
    return found


def _task(pair: Pair, columns: Sequence[Counted], k: int, where: str | None) -> _Task:
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
    return _Task(query, tuple(columns))


def _block(pair: Pair, column: Counted, k: int, where: str | None) -> exp.Select:
    """The first *k* of one column: its number, places from 1, values as text, and both counts."""
    # Nothing is parsed or copied: hundreds of tables have thousands of blocks.
    dialect = pair.sides[-1].dialect
    sides = [source for source in pair.sides if column.on(source.side) is not None]
    rows = [column.keys(source, where, *_told(source, sides)) for source in sides]
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
    place = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=_order(pair, column, "f")))
    return exp.select(
        exp.alias_(exp.Literal.number(column.number), "column_number", copy=False),
        exp.alias_(place, "place", copy=False),
        exp.alias_(column.key.text(exp.column("v", table="f"), dialect), "value", copy=False),
        *(exp.column(name, table="f") for name in COUNTS),
        copy=False,
    ).from_(first.subquery("f", copy=False), copy=False)


def _told(source: Source, sides: Sequence[Source]) -> list[Sql]:
    """The side of each row, where there are two."""
    return [exp.alias_(_number(source.side), "side", copy=False)] if len(sides) > 1 else []


def _rows_of(side: DataSide, sides: Sequence[Source], dialect: Dialect) -> Sql:
    """How many rows of a group are of *side*."""
    if len(sides) > 1:
        return dialect.count_if(exp.EQ(this=exp.column("side", table="g"), expression=_number(side)))
    return exp.Count(this=exp.Star()) if sides[0].side is side else exp.Literal.number(0)


def _number(side: DataSide) -> Sql:
    return exp.Literal.number(list(DataSide).index(side))


def _order(pair: Pair, column: Counted, table: str) -> list[exp.Ordered]:
    value = column.key.sorted(exp.column("v", table=table), pair.sides[-1].dialect)
    counts = [f"{side.value}_rows" for side in reversed(DataSide) if column.on(side) is not None]
    return [
        *(exp.Ordered(this=exp.column(name, table=table), desc=True) for name in counts),
        exp.Ordered(this=value),
    ]


def _settled(
    task: _Task, answer: Answer, found: TopValues, fatal: tuple[type[RecceMetaError], ...]
) -> Iterable[Counted]:
    """Notes what *answer* tells in *found*; the columns to ask for one by one where it tells nothing."""
    error = failure(answer, fatal)
    if error is not None:
        if len(task.columns) > 1 and not isinstance(error, QueryTimeout):
            return task.columns
        found.errors.update({column.name: error for column in task.columns})
        return ()
    columns = {column.number: column for column in task.columns}
    for number, _, text, base, current in sorted(rows_of(answer), key=lambda row: (int(row[0]), int(row[1]))):
        column = columns[int(number)]
        value = TopValue(value=read(text, column.key.type), base=int(base), current=int(current))
        found.values.setdefault(column.name, []).append(value)
    return ()
