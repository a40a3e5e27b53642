"""Jobs of users: what a form asks for, the state of its answer, and both as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from recce_meta.api.data.execution import DataDiffRunner
from recce_meta.api.data.option_texts import read_options
from recce_meta.api.data.requests import REQUESTED, AnyAnswer, DataDiffRequest
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.errors import UsageError, did_you_mean
from recce_meta.models import RunMetadata
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.diff_kinds import ALL_NODES, QUERY, REQUESTED_KINDS
from recce_meta.report.json import data_tree
from recce_meta.server.access.problems import StopRequest

LONGEST_FIELD = 100_000


_OPTIONS = {one.field_name: one for one in REQUESTED.values()}
FIELDS = ("kind", "base", "current", "project", "node", "base_sql", "current_sql", *_OPTIONS)
"""Fields of a form that starts a data diff."""


def refuse_unknown_fields(fields: Iterable[str]) -> None:
    """Raise UsageError for a field that a form of data diffs does not have: it would be ignored."""
    for name in fields:
        if name not in FIELDS:
            hint = did_you_mean(name, FIELDS) or f"known fields: {', '.join(FIELDS)}"
            raise UsageError(f"Unknown field '{name}'", hint=hint)


def request_of(fields: Mapping[str, str]) -> DataDiffRequest:
    """Return the request of a form with *fields*. Raises UsageError for a missing, unknown or invalid one."""
    refuse_unknown_fields(fields)
    kind = REQUESTED_KINDS.get(fields.get("kind", ""))
    if kind is None:
        raise UsageError(f"The form has no valid kind: {', '.join(REQUESTED_KINDS)}", hint="fill in kind")
    for side in ("base", "current"):
        if not fields.get(side):
            raise UsageError(f"The form has no run of {side}", hint=f"fill in {side}")
    if kind is QUERY and not fields.get("current_sql", "").strip():
        raise UsageError("The form has no query", hint="fill in current_sql")
    has_node = kind not in (QUERY, ALL_NODES)
    if has_node and not fields.get("node"):
        raise UsageError("The form has no node", hint="fill in node")
    if any(len(text) > LONGEST_FIELD for text in fields.values()):
        raise UsageError("A field of the form is too long", hint=f"use at most {LONGEST_FIELD:,} characters")
    return DataDiffRequest(
        kind=kind,
        base=fields["base"],
        current=fields["current"],
        node=fields["node"] if has_node else None,
        # Fields of other kinds too, so that they are refused.
        **read_options(_OPTIONS, fields),
        base_sql=_sql(fields, "base_sql"),
        current_sql=_sql(fields, "current_sql"),
    )


def _sql(fields: Mapping[str, str], name: str) -> str | None:
    """Return SQL with the line breaks that it had before a browser sent it; None if it is blank."""
    return fields.get(name, "").replace("\r\n", "\n").strip() or None


class PageState(str, Enum):
    """State of a page that shows a job."""

    OPEN = "open"
    HIDDEN = "hidden"
    """In the background, where browsers slow down its updates."""
    CLOSED = "closed"


class JobState(str, Enum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """True if the job has ended."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass
class RanStatement:
    """Statement of a job."""

    about: str
    """What it reads."""
    side: str
    sql: str | None
    """None if values are withheld, because statements may contain values."""
    began: float | None = None
    """Reading of `time.monotonic`; None while it waits for its turn."""
    seconds: float | None = None
    """None until it ends."""
    rows: int | None = None
    """Number of rows that it returned; None until it ends, and if it failed."""


@dataclass
class QueryJob:
    """Data diff that a user started. Its manager changes it, under a lock."""

    id: str
    store: str
    request: DataDiffRequest
    base: RunMetadata
    current: RunMetadata
    started_by: list[str]
    """Who started it, then who asked the same while it ran."""
    asked_at: datetime
    leases: dict[str, float] = field(default_factory=dict)
    """Reading of `time.monotonic` until which each page keeps it; that of requests for it is named ``""``."""
    state: JobState = JobState.QUEUED
    began: float | None = None
    seconds: float | None = None
    """Duration; None until it ends."""
    ended: float | None = None
    ended_at: datetime | None = None
    statements: list[RanStatement] = field(default_factory=list)
    expected: int = 0
    """Number of statements that the plan has asked for until now."""
    compared: tuple[int, int] | None = None
    """Number of comparisons of all nodes that ended, and their total until now."""
    size: str = ""
    """Sizes of what is read, in words."""
    queries: tuple[str, ...] = ()
    """Rendered queries of the user: base's and current's."""
    result: AnyAnswer | tuple[AnyDataDiff, ...] | None = None
    """Several results if all nodes are compared."""
    result_bytes: int = 0
    notes: tuple[str, ...] = ()
    """What its queries saw: several moments, other time zones than UTC."""
    is_forgotten: bool = False
    """True if the result was removed from memory."""
    message: str | None = None
    """Why it failed or was cancelled."""
    hint: str | None = None
    reason: str | None = None
    """Why it is to be cancelled; None if it is not."""
    saved_at: datetime | None = None
    is_saving: bool = False
    """True while a thread saves the result."""
    stop: StopRequest = field(default_factory=StopRequest)
    runner: DataDiffRunner | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since it began, or its duration."""
        if self.seconds is not None:
            return self.seconds
        return 0.0 if self.began is None else time.monotonic() - self.began

    @property
    def lease(self) -> float:
        """Reading of `time.monotonic` until which a page keeps it."""
        return max(self.leases.values(), default=0.0)

    @property
    def results(self) -> tuple[AnyDataDiff, ...]:
        """Results that can be saved to the store; a sample shows no comparison."""
        if self.result is None or isinstance(self.result, RowSample):
            return ()
        return self.result if isinstance(self.result, tuple) else (self.result,)

    @property
    def progress(self) -> str:
        """Which statement of how many runs, in words."""
        done = sum(one.seconds is not None for one in self.statements)
        if self.state.is_over:
            return f"{done:,} statement{'' if done == 1 else 's'}"
        if self.state is JobState.QUEUED:
            return "waits for its turn"
        running = [one for one in self.statements if one.began is not None and one.seconds is None]
        if not self.statements:
            return "reads the store and connects"
        # A plan asks for its statements in batches, so the total may still grow.
        if self.compared:
            return f"{self.compared[0]:,} of {self.compared[1]:,} comparisons ended"
        total = max(self.expected, len(self.statements))
        if not running:
            waits = len(self.statements) > done
            return f"{done:,} of {total:,} statements ended, " + (
                "the next waits for its turn" if waits else "the next is prepared"
            )
        about = "; ".join(dict.fromkeys(one.about for one in running if one.about)) or "the query"
        return f"statement {min(done + 1, total):,} of {total:,} until now: {about}"

    @property
    def rows(self) -> int:
        """Rows that the warehouse has returned."""
        return sum(one.rows or 0 for one in self.statements)


def job_tree(job: QueryJob) -> dict[str, Any]:
    """Return *job* as values of JSON; its result is that of the commands' `--format json`."""
    request = job.request
    return {
        "id": job.id,
        "state": job.state.value,
        "kind": request.kind.name,
        "node": request.node,
        "columns": list(request.columns),
        "base": job.base.run_id,
        "current": job.current.run_id,
        "started_by": list(job.started_by),
        "asked_at": job.asked_at,
        "seconds": round(job.elapsed, 3),
        "progress": job.progress,
        "rows": job.rows,
        "size": job.size or None,
        "queries": list(job.queries),
        "statements": [
            {
                "about": one.about,
                "side": one.side,
                "sql": one.sql,
                "seconds": None if one.seconds is None else round(one.seconds, 3),
                "rows": one.rows,
            }
            # A copy, because the thread of the job adds statements meanwhile.
            for one in list(job.statements)
        ],
        "message": job.message,
        "hint": job.hint,
        "saved_at": job.saved_at,
        "notes": list(job.notes),
        "result": result_tree(job.result),
    }


def result_tree(result: AnyAnswer | tuple[AnyDataDiff, ...] | None) -> Any:
    """Return a result as values of JSON: that of the commands, or a list if all nodes are compared."""
    if isinstance(result, tuple):
        return [data_tree(one) for one in result]
    return None if result is None else data_tree(result)


def title_of_request(request: DataDiffRequest, name: str | None) -> str:
    """Return a title such as `Row count of orders`; *name* is that of the node."""
    kind = request.kind.title
    columns: Sequence[str] = request.columns
    of = name or request.node
    listed = f" ({', '.join(columns[:3])}{' …' if len(columns) > 3 else ''})" if columns else ""
    return f"{kind} of {of}{listed}" if of else kind
