"""Row counts of many relations on both sides, in few queries.

Each query counts as many relations of one side as the dialect allows; all queries run concurrently. If one
fails, a relation in it is missing or not readable. The query is split into smaller ones, and those that fail
again into single counts. So one broken relation of 50 costs 15 more queries, and only its figure is missing.
A relation that both sides share is counted once.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Sequence

from msgspec import Struct
from sqlglot import exp

from recce_meta.data_diff.plan import Answer, Plan, Query, failure, rows_of
from recce_meta.data_diff.source import Pair, SideRelation, is_absent, with_condition
from recce_meta.errors import MissingRelation, PermissionDenied, QueryTimeout, WarehouseError, first_line
from recce_meta.models.data_diff import DataSide, RowCount, RowCountDiff

NOT_THERE = {DataSide.BASE: "only in current", DataSide.CURRENT: "only in base"}
"""Default reasons for a side without a relation."""


class Countable(Struct, frozen=True, kw_only=True):
    """Subject whose rows are counted."""

    pair: Pair
    base_reason: str | None = None
    """Reason if base has no relation: `ephemeral: no relation`."""
    current_reason: str | None = None
    where: str | None = None
    """Condition on the counted rows, in the warehouse's SQL."""


class _Target(Struct, frozen=True):
    """Relation to count once, even if several subjects refer to it."""

    connection: DataSide | None
    """None if one connection reaches both sides."""
    relation: str
    where: str | None


class _Batch(Struct, frozen=True):
    targets: tuple[_Target, ...]
    source: SideRelation
    """Source of any of the targets: they share dialect and connection."""


def row_counts(wanted: Sequence[Pair | Countable]) -> Plan[RowCountDiff]:
    """Return the row counts of *wanted* on both sides, in its order.

    A side that cannot be counted has None and a reason. Raises errors that would stop every count:
    QueryCancelled, ConnectionFailed, StoreLocked.
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
        for batch in _cut(group, sources, sources[group[0]].dialect.aggregates.relations_per_statement)
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


def _target(source: SideRelation, of: Countable) -> _Target:
    # Two targets may have relations of the same name, which are counted apart.
    connection = None if of.pair.is_joined else source.side
    # Rendering hundreds of relations takes time, so a known text is preferred.
    return _Target(connection, source.text or source.dialect.render(source.relation), of.where)


def _by_connection(targets: Iterable[_Target]) -> list[list[_Target]]:
    groups: dict[DataSide | None, list[_Target]] = {}
    for target in targets:
        groups.setdefault(target.connection, []).append(target)
    return list(groups.values())


def _cut(
    targets: Sequence[_Target], sources: dict[_Target, SideRelation], most: int
) -> Generator[_Batch, None, None]:
    for start in range(0, len(targets), most):
        part = tuple(targets[start : start + most])
        yield _Batch(part, sources[part[0]])


def _query(batch: _Batch, sources: dict[_Target, SideRelation]) -> Query:
    selects = [_count(number, target, sources[target]) for number, target in enumerate(batch.targets)]
    names = [sources[target].name for target in batch.targets]
    return Query(
        expression=exp.union(*selects, distinct=False, copy=False) if len(selects) > 1 else selects[0],
        dialect=batch.source.dialect,
        side=batch.source.side,
        about=f"rows of {names[0]}" if len(names) == 1 else f"rows of {len(names)} relations",
        assumed=[(number, 0) for number in range(len(batch.targets))],
    )


def _count(number: int, target: _Target, source: SideRelation) -> exp.Select:
    counted = source.select(
        exp.alias_(exp.Literal.number(number), "relation_number"),
        exp.alias_(exp.Count(this=exp.Star()), "row_count"),
    )
    return with_condition(counted, target.where)


def _settled(
    batch: _Batch,
    answer: Answer,
    counts: dict[_Target, int | WarehouseError],
    sources: dict[_Target, SideRelation],
) -> Iterable[_Batch]:
    """Store the counts of a successful *answer* in *counts*; for a failed one, return smaller batches."""
    error = failure(answer)
    if error is None:
        for number, rows in rows_of(answer):
            counts[batch.targets[int(number)]] = int(rows)
        return ()
    if len(batch.targets) == 1:
        counts[batch.targets[0]] = error
        return ()
    return _cut(batch.targets, sources, _smaller(len(batch.targets)))


def _smaller(size: int) -> int:
    """Return the batch size after a failure, chosen so that the second split yields single relations."""
    return math.isqrt(size) if size > 8 else 1


def _row_count(countable: Countable, found: dict[DataSide, int | WarehouseError]) -> RowCount:
    reasons = {DataSide.BASE: countable.base_reason, DataSide.CURRENT: countable.current_reason}
    sides: dict[DataSide, tuple[int | None, str | None]] = {}
    subject = countable.pair.subject
    sources = {source.side: source for source in countable.pair.sides}
    for side, reason in reasons.items():
        rows = found.get(side)
        if rows is None:
            sides[side] = None, reason or (NOT_THERE[side] if found else "no relation")
        elif isinstance(rows, WarehouseError):
            # A condition may be at fault as well.
            is_missing = countable.where is None and is_absent(sources[side], rows)
            is_broken = countable.where is None and isinstance(rows, MissingRelation)
            kind = "not built" if is_missing else "cannot be read" if is_broken else _kind(rows)
            said = (is_missing and sources[side].stale) or first_line(rows)
            sides[side] = None, f"{kind}: {said}" if kind else "; ".join(filter(None, (said, rows.hint)))
            if is_missing:
                subject = subject.without_stale(side.value)
        else:
            sides[side] = rows, None
    (base, base_reason), (current, current_reason) = sides[DataSide.BASE], sides[DataSide.CURRENT]
    return RowCount(
        subject=subject,
        base=base,
        current=current,
        base_reason=base_reason,
        current_reason=current_reason,
        where=countable.where,
    )


def _kind(error: WarehouseError) -> str:
    if isinstance(error, PermissionDenied):
        return "no permission"
    return "stopped" if isinstance(error, QueryTimeout) else ""
