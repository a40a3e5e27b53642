"""Jobs that decide whose turn it is: those that wait, the last that began, those that exceeded a limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import RowMapping, Select, and_, func, or_, select

from recce_meta.models.run import Trigger
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import connections, jobs, pull_requests
from recce_meta.repositories.turns import REMEMBERED, Holder, Rank, Turn, rank_of
from recce_meta.repositories.types import EXCEEDED, JobSource, JobStatus

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
    """Number of running jobs of each holder."""
    recent: Sequence[Turn]
    """Jobs that have begun, the newest first."""
    paused_until: Mapping[tuple[str, bool], datetime]
    """End of the pause of a connection that waits, by its id and whether its forks are meant."""


def read_turns(state: State) -> Turns:
    """Return the jobs that decide whose turn it is."""
    pending = _JOBS.where(jobs.c.status == JobStatus.PENDING.value).order_by(jobs.c.row)
    # Uploads take no slot.
    begun = _JOBS.where(jobs.c.started_at.is_not(None), jobs.c.trigger != Trigger.UPLOAD.value)
    running = _JOBS.where(jobs.c.status == JobStatus.RUNNING.value, jobs.c.trigger != Trigger.UPLOAD.value)
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
