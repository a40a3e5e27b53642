"""Rows of many relations on both sides, in few statements.

Each statement counts as many relations of one side as the dialect takes; all of them are asked at once. Where
one fails, a relation in it is missing or out of reach: it is cut into smaller ones, and those that fail again
into single counts, so that one broken relation of 50 costs 15 more statements and only it goes without a
figure. A relation that both sides share is counted once.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Sequence

from msgspec import Struct
from sqlglot import exp

from recce_meta.diff.data.failures import OF_ALL, failure, first_line
from recce_meta.diff.data.plan import Answer, Plan, Query, rows_of
from recce_meta.diff.data.source import Pair, Source, restricted
from recce_meta.errors import MissingRelation, PermissionDenied, QueryTimeout, WarehouseError
from recce_meta.models.data_diff import DataSide, RowCount, RowCountDiff

NOT_THERE = {DataSide.BASE: "only in current", DataSide.CURRENT: "only in base"}
"""Why a side that has no relation is not counted, where nobody knows better."""


class Countable(Struct, frozen=True, kw_only=True):
    """A subject whose rows are to be counted."""

    pair: Pair
    base_reason: str | None = None
    """Why base has no relation, where it has none: `ephemeral: no relation`."""
    current_reason: str | None = None
    where: str | None = None
    """Count only the rows that meet this condition, in the warehouse's SQL."""


class _Target(Struct, frozen=True):
    """One relation to count, however many subjects name it."""

    connection: DataSide | None
    """None where one connection reaches both sides."""
    relation: str
    where: str | None


class _Batch(Struct, frozen=True):
    targets: tuple[_Target, ...]
    source: Source
    """Any of those counted: all share its dialect and its connection."""


def row_counts(wanted: Sequence[Pair | Countable]) -> Plan[RowCountDiff]:
    """The rows of each of *wanted* on both sides, in its order.

    A side that cannot be counted has None and a reason. Raises what would stop every count: QueryCancelled,
    ConnectionFailed, StoreLocked.
    """
    countables = [one if isinstance(one, Countable) else Countable(pair=one) for one in wanted]
    targets = [
        {source.side: _target(source, countable) for source in countable.pair.sides}
        for countable in countables
    ]
    sources = {
        own[source.side]: source
        for own, countable in zip(targets, countables, strict=True)
        for source in countable.pair.sides
    }
    counts: dict[_Target, int | WarehouseError] = {}
    pending = [
        batch
        for group in _by_connection(sources)
        for batch in _cut(group, sources, sources[group[0]].dialect.relations_per_statement)
    ]
    while pending:
        answers = yield [_query(batch, sources) for batch in pending]
        pending = [
            smaller
            for batch, answer in zip(pending, answers, strict=True)
            for smaller in _settled(batch, answer, counts, sources)
        ]
    return RowCountDiff(
        counts=tuple(
            _row_count(countable, {side: counts[target] for side, target in own.items()})
            for countable, own in zip(countables, targets, strict=True)
        )
    )


def _target(source: Source, of: Countable) -> _Target:
    connection = None if of.pair.is_joined else source.side
    return _Target(connection, source.text or source.dialect.render(source.relation), of.where)


def _by_connection(targets: Iterable[_Target]) -> list[list[_Target]]:
    groups: dict[DataSide | None, list[_Target]] = {}
    for target in targets:
        groups.setdefault(target.connection, []).append(target)
    return list(groups.values())


def _cut(
    targets: Sequence[_Target], sources: dict[_Target, Source], most: int
) -> Generator[_Batch, None, None]:
    for start in range(0, len(targets), most):
        part = tuple(targets[start : start + most])
        yield _Batch(part, sources[part[0]])


def _query(batch: _Batch, sources: dict[_Target, Source]) -> Query:
    selects = [_count(number, target, sources[target]) for number, target in enumerate(batch.targets)]
    names = [sources[target].name for target in batch.targets]
    return Query(
        expression=exp.union(*selects, distinct=False, copy=False) if len(selects) > 1 else selects[0],
        dialect=batch.source.dialect,
        side=batch.source.side,
        about=f"rows of {names[0]}" if len(names) == 1 else f"rows of {len(names)} relations",
        assumed=[(number, 0) for number in range(len(batch.targets))],
    )


def _count(number: int, target: _Target, source: Source) -> exp.Select:
    counted = source.select(
        exp.alias_(exp.Literal.number(number), "relation_number"),
        exp.alias_(exp.Count(this=exp.Star()), "row_count"),
    )
    return restricted(counted, target.where)


def _settled(
    batch: _Batch,
    answer: Answer,
    counts: dict[_Target, int | WarehouseError],
    sources: dict[_Target, Source],
) -> Iterable[_Batch]:
    """Notes what *answer* settles in *counts*; the smaller batches to ask where it settles nothing."""
    error = failure(answer, OF_ALL)
    if error is None:
        for number, rows in rows_of(answer):
            counts[batch.targets[int(number)]] = int(rows)
        return ()
    if len(batch.targets) == 1:
        counts[batch.targets[0]] = error
        return ()
    return _cut(batch.targets, sources, _smaller(len(batch.targets)))


def _smaller(size: int) -> int:
    """How many relations each part of a failed batch counts: in two rounds, the parts are single ones."""
    return math.isqrt(size) if size > 8 else 1


def _row_count(countable: Countable, found: dict[DataSide, int | WarehouseError]) -> RowCount:
    reasons = {DataSide.BASE: countable.base_reason, DataSide.CURRENT: countable.current_reason}
    sides: dict[DataSide, tuple[int | None, str | None]] = {}
    for side, reason in reasons.items():
        rows = found.get(side)
        if rows is None:
            sides[side] = None, reason or (NOT_THERE[side] if found else "no relation")
        elif isinstance(rows, WarehouseError):
            sides[side] = None, _why(rows, countable.where)
        else:
            sides[side] = rows, None
    (base, base_reason), (current, current_reason) = sides[DataSide.BASE], sides[DataSide.CURRENT]
    return RowCount(
        subject=countable.pair.subject,
        base=base,
        current=current,
        base_reason=base_reason,
        current_reason=current_reason,
    )


def _why(error: WarehouseError, where: str | None) -> str:
    first = first_line(error)
    if isinstance(error, MissingRelation) and where is None:  # else it may be a column of the condition
        return f"not built: {first}"
    if isinstance(error, PermissionDenied):
        return f"no permission: {first}"
    if isinstance(error, QueryTimeout):
        return f"stopped: {first}"
    return first
