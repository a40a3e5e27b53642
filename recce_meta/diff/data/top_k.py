"""The most frequent values of columns, counted on both sides.

One statement holds a block for each column: the rows of both sides grouped by the value, the first *k* by
current count, then base count, then the value itself, so that two runs agree. Values of several types
cannot share a column of one result, so they travel as texts that mean the same everywhere and are read back
as what they are (`reading`); they are grouped and sorted by type, texts by code point. Arrays, structs,
maps, JSON, binary and types that nobody knows are grouped by their text. A second statement, asked together
with the first, counts rows. Across two targets each side is asked for its own first *k* (`top_k_apart`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from sqlglot import exp

from recce_meta.dialects import Sql
from recce_meta.diff.data.choice import SideColumn, chosen
from recce_meta.diff.data.failures import failure, first_line
from recce_meta.diff.data.plan import Answer, Plan, Query, rows_of
from recce_meta.diff.data.reading import read, sample
from recce_meta.diff.data.source import Pair
from recce_meta.diff.data.top_k_apart import top_k_apart
from recce_meta.diff.data.top_keys import Counted, Totals, counted, totals
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import ColumnTopK, DataSide, TopKDiff, TopValue

COLUMNS_PER_STATEMENT = 50


class _Task(Struct, frozen=True):
    query: Query
    columns: tuple[Counted, ...]


class _Found(Struct):
    values: dict[int, list[TopValue]] = {}
    reasons: dict[str, str] = {}


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
    return TopKDiff(subject=pair.subject, k=k, columns=tuple(found))


def _together(pair: Pair, wanted: Sequence[SideColumn], k: int, where: str | None) -> Plan[list[ColumnTopK]]:
    columns, reasons = counted(pair, wanted)
    found = _Found(reasons=reasons)
    parts = [
        wanted[start : start + COLUMNS_PER_STATEMENT]
        for start in range(0, len(wanted), COLUMNS_PER_STATEMENT)
    ]
    tasks = [
        _task(pair, columns[start : start + COLUMNS_PER_STATEMENT], k, where)
        for start in range(0, len(columns), COLUMNS_PER_STATEMENT)
    ]
    answers = yield [*(task.query for task in tasks), *(totals(pair.sides, part, where) for part in parts)]
    rows = Totals()
    for part, answer in zip(parts, answers[len(tasks) :], strict=True):
        rows.add(rows_of(answer), part)
    tasks = [
        one
        for task, answer in zip(tasks, answers, strict=False)
        for one in _settled(task, answer, found, pair, k, where)
    ]
    if tasks:
        answers = yield [task.query for task in tasks]
        for task, answer in zip(tasks, answers, strict=True):
            for _ in _settled(task, answer, found, pair, k, where):
                raise AssertionError("a single column is not asked for again")
    numbers = {column.name: column.number for column in columns}
    return [
        rows.of(column, found.values.get(numbers.get(column.name, -1), ()), found.reasons.get(column.name))
        for column in wanted
    ]


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
    dialect = pair.sides[-1].dialect
    sides = [source for source in pair.sides if column.on(source.side) is not None]
    rows = [column.keys(source, where, exp.alias_(_number(source.side), "side")) for source in sides]
    counts = [
        exp.alias_(
            dialect.count_if(exp.EQ(this=exp.column("side", table="g"), expression=_number(side))),
            f"{side.value}_rows",
        )
        for side in DataSide
    ]
    both = exp.union(*rows, distinct=False, copy=False) if len(rows) > 1 else rows[0]
    grouped = exp.select(exp.column("v", table="g"), *counts).from_(both.subquery("g")).group_by("1")
    first = (
        exp.select("c.v", "c.base_rows", "c.current_rows")
        .from_(grouped.subquery("c"))
        .order_by(*_order(pair, column, "c"))
        .limit(k)
    )
    place = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=_order(pair, column, "f")))
    return exp.select(
        exp.alias_(exp.Literal.number(column.number), "column_number"),
        exp.alias_(place, "place"),
        exp.alias_(column.key.text(exp.column("v", table="f"), dialect), "value"),
        "f.base_rows",
        "f.current_rows",
    ).from_(first.subquery("f"))


def _number(side: DataSide) -> Sql:
    return exp.Literal.number(list(DataSide).index(side))


def _order(pair: Pair, column: Counted, table: str) -> list[exp.Ordered]:
    value = column.key.sorted(exp.column("v", table=table), pair.sides[-1].dialect)
    return [
        exp.Ordered(this=exp.column("current_rows", table=table), desc=True),
        exp.Ordered(this=exp.column("base_rows", table=table), desc=True),
        exp.Ordered(this=value),
    ]


def _settled(
    task: _Task, answer: Answer, found: _Found, pair: Pair, k: int, where: str | None
) -> Iterable[_Task]:
    """Notes what *answer* tells in *found*; what to ask instead where it tells nothing."""
    error = failure(answer)
    if error is not None:
        if len(task.columns) > 1:
            return [_task(pair, [column], k, where) for column in task.columns]
        found.reasons[task.columns[0].name] = first_line(error)
        return ()
    types = {column.number: column.key.type for column in task.columns}
    for number, _, text, base, current in sorted(rows_of(answer), key=lambda row: (int(row[0]), int(row[1]))):
        value = TopValue(value=read(text, types[int(number)]), base=int(base), current=int(current))
        found.values.setdefault(int(number), []).append(value)
    return ()
