"""Turns of jobs: which job begins next if more wait than a worker has slots.

Branches precede pull requests, and these precede forks, whose files anyone can write. Each of the three gets
at least every fifth free slot while its jobs wait. Within each, repositories take turns. A job of a fork
never takes the last free slot, so a push never waits for forks alone. A worker with one slot runs forks if
nothing else waits. A repository whose jobs exceed a limit pauses.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import RowMapping, Select, and_, func, or_, select

from recce_meta.models.run import Trigger
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import connections, jobs, pull_requests
from recce_meta.repositories.state.types import EXCEEDED, JobSource, JobStatus, Stage

REMEMBERED = 50
"""Number of starts that decide whose turn it is."""


class Rank(IntEnum):
    """What a job reads, the first to begin first."""

    BRANCH = 0
    PULL_REQUEST = 1
    FORK = 2


_PASSED_OVER = {Rank.BRANCH: 4, Rank.PULL_REQUEST: 3, Rank.FORK: 4}
"""Number of starts of others after which a rank is next. One slot is left if two ranks are due together."""


Holder = tuple[str, bool]
"""Repository that holds places, and whether its forks are meant: they leave places to its own pushes."""


class Turn(NamedTuple):
    """A job that waits for a slot, or has got one."""

    job_id: str
    rank: Rank
    repository: str
    at: float
    """Time in seconds: of the request of a job that waits, of the start of another."""

    @property
    def holder(self) -> Holder:
        """Holder of the place of the job."""
        return self.repository, self.rank is Rank.FORK


_Entry = tuple[Turn, "asyncio.Future[None]"]


def rank_of(source: JobSource, *, is_fork: bool) -> Rank:
    """Return the rank of a job; that of a merge base has the rank of its pull request."""
    if source in (JobSource.BRANCH, JobSource.DATABASE):
        return Rank.BRANCH
    return Rank.FORK if is_fork else Rank.PULL_REQUEST


def next_turn(waiting: Sequence[Turn], recent: Sequence[Turn], *, free: int, slots: int) -> Turn | None:
    """Return the job of *waiting* that begins next; None if none may.

    *waiting* are the jobs that wait, the oldest request first, and *recent* those that have begun, the newest
    first. *free* and *slots* are the numbers of free slots and of all slots.
    """
    others = [turn for turn in waiting if turn.rank is not Rank.FORK]
    if free < 2 and (slots > 1 or others):
        waiting = others
    if free < 1 or not waiting:
        return None
    passed = {turn.rank: 0 for turn in waiting}
    for rank in passed:
        since = min(turn.at for turn in waiting if turn.rank is rank)
        for turn in recent:
            if turn.rank is rank or turn.at < since:
                break
            passed[rank] += 1
    due = [rank for rank, count in passed.items() if count >= _PASSED_OVER[rank]]
    chosen = max(due, key=lambda rank: (passed[rank] - _PASSED_OVER[rank], rank)) if due else min(passed)
    starts = {turn.repository: turn.at for turn in reversed(recent)}
    return min(
        (turn for turn in waiting if turn.rank is chosen),
        key=lambda turn: starts.get(turn.repository, float("-inf")),
    )


def finds_place(held: int, free: int) -> bool:
    """Return True if a repository, or its forks, with *held* places may take one of *free* more.

    The fewer are free, the fewer a holder may have, so that a server that never answers leaves places to
    others: of 8 places, one repository gets 3, another one 2 of the rest.
    """
    return held < (free + 1) // 2


class Slot:
    """Slot of one job, which it may give back for some time."""

    def __init__(self, slots: Slots, job_id: str, rank: Rank, repository: str) -> None:
        self._slots = slots
        self._of_job = (job_id, rank, repository)
        self._entry: _Entry | None = None

    @asynccontextmanager
    async def given_back(self) -> AsyncIterator[None]:
        """Leave the slot to other jobs within the block, and wait for a turn at its end."""
        self.give_back()
        # Not in `finally`: a job that ends in the block needs no slot.
        yield
        await self.take()

    async def take(self) -> None:
        """Wait for the slot."""
        loop = asyncio.get_running_loop()
        self._entry = (Turn(*self._of_job, loop.time()), loop.create_future())
        self._slots.add(self._entry)
        await self._entry[1]

    def give_back(self) -> None:
        """Give the slot back, or stop waiting for it; do nothing without one."""
        entry, self._entry = self._entry, None
        if entry is not None:
            self._slots.remove(entry)


class Slots:
    """Slots of a worker for the stages that compute. A job that waits for a server takes none."""

    def __init__(self, count: int) -> None:
        """Create *count* slots."""
        self._count = self._free = count
        self._waiting: list[_Entry] = []
        self._recent: deque[Turn] = deque(maxlen=REMEMBERED)

    def add(self, entry: _Entry) -> None:
        """Let *entry* wait; its future has a result when it gets a slot."""
        self._waiting.append(entry)
        self._give()

    def remove(self, entry: _Entry) -> None:
        """Take back the slot of *entry*, or its place among those that wait."""
        if entry in self._waiting:
            self._waiting.remove(entry)
        else:
            self._free += 1
        self._give()

    @asynccontextmanager
    async def taken(self, job_id: str, rank: Rank, repository: str) -> AsyncIterator[Slot]:
        """Wait for a slot, and hold it within the block."""
        slot = Slot(self, job_id, rank, repository)
        try:
            await slot.take()
            yield slot
        finally:
            slot.give_back()

    def _give(self) -> None:
        """Give free slots to the jobs whose turn it is."""
        while turn := next_turn(
            [turn for turn, _ in self._waiting], self._recent, free=self._free, slots=self._count
        ):
            entry = next(one for one in self._waiting if one[0] is turn)
            self._waiting.remove(entry)
            self._free -= 1
            self._recent.appendleft(turn._replace(at=entry[1].get_loop().time()))
            if not entry[1].done():
                entry[1].set_result(None)


_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
"""Pause after the first job that exceeds a limit; it doubles with each further one, up to the second."""
_ENDED = 30
"""Number of requested jobs among which the last ones that have ended are found."""
_IS_FORK = func.coalesce(pull_requests.c.is_fork, False).label("is_fork")
_JOBS = select(jobs, connections.c.repo_url, _IS_FORK).select_from(
    jobs.join(connections, connections.c.id == jobs.c.connection_id).outerjoin(
        pull_requests,
        and_(
            pull_requests.c.connection_id == jobs.c.connection_id,
            pull_requests.c.number == jobs.c.pull_request,
        ),
    )
)


class Turns(Struct, frozen=True, kw_only=True):
    """Jobs as `next_turn` needs them."""

    waiting: Mapping[str, Turn]
    """Pending jobs by id, the oldest first."""
    running: Mapping[Holder, int]
    """Number of running jobs of each holder, except those that write their run."""
    recent: Sequence[Turn]
    """Jobs that have begun, the newest first."""
    paused_until: Mapping[tuple[str, bool], datetime]
    """End of the pause of a connection that waits, by its id and whether its forks are meant."""


def read_turns(state: State) -> Turns:
    """Return the jobs that decide whose turn it is."""
    pending = _JOBS.where(jobs.c.status == JobStatus.PENDING.value)
    pending = pending.order_by(jobs.c.requested_at, jobs.c.row)
    # Uploads take no slot.
    begun = _JOBS.where(jobs.c.started_at.is_not(None), jobs.c.trigger != Trigger.UPLOAD.value)
    running = _JOBS.where(jobs.c.status == JobStatus.RUNNING.value, jobs.c.trigger != Trigger.UPLOAD.value)
    # A job that waits for the writers of its store holds up no job of another store.
    running = running.where(func.coalesce(jobs.c.stage, "") != Stage.STORE.value)
    with state.read() as session:
        held = Counter(_turn(row, row["requested_at"]).holder for row in session.execute(running).mappings())
        waiting = session.execute(pending).mappings().all()
        recent = session.execute(begun.order_by(jobs.c.row.desc()).limit(REMEMBERED)).mappings().all()
        pauses = {}
        for connection_id, is_fork in {(row["connection_id"], row["is_fork"]) for row in waiting}:
            # Few rows, by the index on connections: a pause is at most an hour.
            last = _last(connection_id, is_fork=is_fork)
            until = _pause_end(session.execute(last).mappings().all())
            if until is not None:
                pauses[connection_id, bool(is_fork)] = until
    turns = sorted((_turn(row, row["started_at"]) for row in recent), key=lambda turn: turn.at, reverse=True)
    return Turns(
        waiting={row["id"]: _turn(row, row["requested_at"]) for row in waiting},
        running=held,
        recent=turns,
        paused_until=pauses,
    )


def _last(connection_id: str, *, is_fork: bool) -> Select[tuple[object, ...]]:
    """Return a query of the last jobs that have read files of the repository, or of its forks."""
    # The merge base of a fork is a commit of the repository itself.
    has_files_of_fork = and_(_IS_FORK, jobs.c.source == JobSource.PULL_REQUEST.value)
    of_connection = _JOBS.where(jobs.c.connection_id == connection_id, has_files_of_fork.is_(is_fork))
    # These have computed. A job that a newer push has cancelled, an upload, and a commit that was stored
    # already prove nothing.
    has_recorded = and_(jobs.c.status == JobStatus.SUCCESS.value, jobs.c.is_new)
    ended = of_connection.where(or_(jobs.c.status == JobStatus.FAILED.value, has_recorded))
    ended = ended.where(jobs.c.trigger != Trigger.UPLOAD.value)
    # More than count: a job that was requested before others may end after them.
    return ended.order_by(jobs.c.row.desc()).limit(_ENDED)


def _pause_end(ended: Sequence[RowMapping]) -> datetime | None:
    """Return the end of the pause after the jobs that *ended*; None without one."""
    exceeded = 0
    ended = sorted(ended, key=lambda row: (row["ended_at"], row["row"]), reverse=True)
    for row in ended:
        if row["failure"] not in EXCEEDED:
            break
        exceeded += 1
    if not exceeded:
        return None
    end: datetime = ended[0]["ended_at"] + min(_PAUSE * 2 ** (exceeded - 1), _LONGEST_PAUSE)
    return end


def _turn(row: RowMapping, at: datetime) -> Turn:
    rank: Rank = rank_of(JobSource(row["source"]), is_fork=bool(row["is_fork"]))
    return Turn(row["id"], rank, row["repo_url"], at.timestamp())
