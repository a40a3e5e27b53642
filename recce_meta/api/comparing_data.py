"""Runs data diffs: several at once, each failing alone, or printed instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.api.asking import Warehouses
from recce_meta.api.places import Places
from recce_meta.dialects import dialect_named
from recce_meta.diff.data.plan import Plan, Query, Result
from recce_meta.errors import QueryCancelled, RecceMetaError
from recce_meta.extractors.live_sizes import relation_bytes
from recce_meta.models.data_diff import AnyDataDiff, DataSide, Failed, Subject

OnDone: TypeAlias = Callable[[AnyDataDiff], None]


class Job(Struct, frozen=True):
    """One data diff to make."""

    diff: str
    """Its type: value_diff, profile_diff, …"""
    subject: Subject
    plan: Callable[[], Plan[AnyDataDiff]]


class Comparison:
    """The data of base and current, through one connection or two, as several threads ask for it."""

    def __init__(self, warehouses: Warehouses, places: Places, pools: Sequence[Pool]) -> None:
        self.places = places
        self._warehouses = warehouses
        self._pools = pools

    def run(self, plan: Plan[Result]) -> Result:
        """The result of *plan*; raises what it met."""
        return self._warehouses.run(plan)

    def run_all(self, jobs: Sequence[Job], on_done: OnDone | None = None) -> list[AnyDataDiff]:
        """The result of each of *jobs*, or Failed; *on_done* is told each as it ends, in any order."""

        def answer(job: Job) -> AnyDataDiff:
            try:
                result = self.run(job.plan())
            except QueryCancelled:
                raise
            except RecceMetaError as error:
                result = failed(job, error)
            if on_done is not None:
                on_done(result)
            return result

        return self._warehouses.each(answer, jobs)

    def statements(self, jobs: Iterable[Job]) -> list[Query]:
        """What *jobs* would run, as far as it can be told before anything has."""
        return [query for job in jobs for query in self._warehouses.print(job.plan())]

    def relation_bytes(self, side: DataSide, schemas: Sequence[str]) -> dict[tuple[str, str], int]:
        """The bytes of the relations in *schemas* of *side*, as `relation_bytes` has them."""
        pool = self._pools[-1 if side is DataSide.BASE else 0]
        with pool.connection() as adapter:
            return relation_bytes(adapter, schemas)

    def close(self) -> None:
        """Close the connections that were opened for this."""
        for pool in self._pools:
            pool.close()


def open_comparison(
    current: UnifiedSqlAdapter,
    base: UnifiedSqlAdapter | None = None,
    *,
    threads: int | None = None,
    deadline: float | None = None,
) -> Comparison:
    """A comparison of data that *current* reaches with data that it, or *base*, reaches.

    *threads* is the number of statements at once, each profile's own unless it is given; *deadline* a reading
    of `time.monotonic` at which they are stopped. Both adapters stay their owner's.
    """
    other = None if base is None or base.reaches_same(current) else base
    pools = [Pool(adapter, threads, deadline=deadline) for adapter in (current, other) if adapter is not None]
    places = Places(
        base=dialect_named((other or current).warehouse.dialect),
        current=dialect_named(current.warehouse.dialect),
        is_joined=other is None,
    )
    return Comparison(Warehouses(*pools), places, pools)


def failed(job: Job, error: RecceMetaError) -> Failed:
    """What stands in the place of a result that there is none of."""
    return Failed(subject=job.subject, diff=job.diff, error=_sentence(error.message), hint=error.hint)


def _sentence(message: str) -> str:
    """What a warehouse says, in one line, without the statement and the caret below it.

    >>> _sentence("Binder Error: no column x\\nCandidates: y\\n\\nLINE 1: SELECT x\\n               ^")
    'Binder Error: no column x Candidates: y'
    """
    lines = [line.strip() for line in message.strip().splitlines()]
    end = next((at for at, line in enumerate(lines) if at and (not line or line.startswith("LINE "))), None)
    return " ".join(lines[:end])
