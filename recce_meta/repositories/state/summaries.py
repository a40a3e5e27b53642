"""Summaries of the state for pages: webhooks, pull requests, environments and seconds of all connections."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, case, func, select

from recce_meta.repositories.state.database import State, rows_as, values_of
from recce_meta.repositories.state.tables import (
    connections,
    jobs,
    pull_requests,
    stale_branches,
    webhook_deliveries,
    webhooks,
)
from recce_meta.repositories.state.types import (
    QUALITY,
    JobSource,
    JobStatus,
    PullRequestState,
    Webhook,
    WebhookDelivery,
    base_environment_of,
    head_environment_of,
)


class HookSummary(Struct, frozen=True, kw_only=True):
    """Webhook of one connection, with its last delivery."""

    webhook: Webhook | None = None
    delivery: WebhookDelivery | None = None


class EnvironmentSummary(Struct, frozen=True, kw_only=True):
    """Runs of one branch, or of one side of a pull request."""

    connection_id: str
    connection: str
    """Name of the connection."""
    store: str
    environment: str
    source: JobSource
    branch: str
    """Name of the branch, or the label of the pull request."""
    pull_request: int | None
    runs: int
    """Number of recorded runs."""
    run_id: str
    """The last recorded run."""
    recorded_at: datetime | None
    stale_at: datetime | None
    """When the branch was deleted, or the pull request closed."""
    pruned_at: datetime | None

    @property
    def state(self) -> str:
        """`current`, `stale` or `pruned`."""
        if self.pruned_at is not None:
            return "pruned"
        return "current" if self.stale_at is None else "stale"


class ConnectionSeconds(Struct, frozen=True, kw_only=True):
    """Time of the jobs of one connection."""

    connection_id: str
    connection: str
    """Name of the connection."""
    jobs: int
    failed: int
    seconds: float
    cpu_seconds: float
    longest: float
    """Seconds of the longest job."""
    peak_memory: int | None
    """Bytes of the largest process."""
    fetched: int
    """Bytes received from the repository's server."""


def last_issues(state: State) -> dict[str, tuple[str, int]]:
    """Return the job of the last measurement of each database, and its number of issues, by connection."""
    ended = jobs.alias()
    # By the index of a connection's jobs: as many rows as scans since the last measurement.
    last = (
        select(ended.c.row)
        .where(ended.c.connection_id == connections.c.id, ended.c.branch == QUALITY)
        .where(ended.c.source == JobSource.DATABASE.value, ended.c.status == JobStatus.SUCCESS.value)
        .order_by(ended.c.row.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(jobs.c.connection_id, jobs.c.id, jobs.c.issues).join(connections, jobs.c.row == last)
    with state.read() as session:
        return {
            connection: (str(job_id), issues)
            for connection, job_id, issues in session.execute(query)
            if issues is not None
        }


def hook_summaries(state: State) -> dict[str, HookSummary]:
    """Return the webhook and the last delivery of each connection that has one, by the connection's id."""
    last = select(func.max(webhook_deliveries.c.row)).group_by(webhook_deliveries.c.connection_id)
    query = select(webhook_deliveries).where(webhook_deliveries.c.row.in_(last))
    with state.read() as session:
        by_connection = {hook.connection_id: hook for hook in rows_as(session, select(webhooks), Webhook)}
        deliveries = {one.connection_id: one for one in rows_as(session, query, WebhookDelivery)}
    return {
        name: HookSummary(webhook=by_connection.get(name), delivery=deliveries.get(name))
        for name in by_connection.keys() | deliveries.keys()
    }


def open_pull_requests(state: State) -> dict[str, int]:
    """Return the number of open pull requests by the id of their connection."""
    query = (
        select(pull_requests.c.connection_id, func.count().label("number"))
        .where(pull_requests.c.state == PullRequestState.OPEN.value)
        .group_by(pull_requests.c.connection_id)
    )
    with state.read() as session:
        return {row.connection_id: row.number for row in session.execute(query)}


def environment_summaries(state: State, *, limit: int = 1_000) -> list[EnvironmentSummary]:
    """Return what the jobs of each branch and pull request have recorded, the last recorded first."""
    recorded: ColumnElement[bool] = (jobs.c.status == JobStatus.SUCCESS.value) & jobs.c.run_id.is_not(None)
    groups = (
        select(func.max(jobs.c.row).label("last"), func.count(jobs.c.run_id.distinct()).label("runs"))
        .where(recorded)
        .group_by(jobs.c.connection_id, jobs.c.branch)
        .subquery()
    )
    of_request = (pull_requests.c.connection_id == jobs.c.connection_id) & (
        pull_requests.c.number == jobs.c.pull_request
    )
    # A label of a pull request never is a branch, but a row must not be stale for both reasons.
    of_branch = (
        (stale_branches.c.connection_id == jobs.c.connection_id)
        & (stale_branches.c.branch == jobs.c.branch)
        & (jobs.c.source == JobSource.BRANCH.value)
    )
    query = (
        select(
            *(jobs.c.connection_id, connections.c.name.label("connection"), connections.c.store),
            *(connections.c.environment, jobs.c.source, jobs.c.branch, jobs.c.pull_request),
            *(groups.c.runs, jobs.c.run_id, jobs.c.ended_at.label("recorded_at")),
            *(stale_branches.c.stale_at, pull_requests.c.closed_at, pull_requests.c.pruned_at),
        )
        .join_from(groups, jobs, jobs.c.row == groups.c.last)
        .join(connections, connections.c.id == jobs.c.connection_id)
        .outerjoin(pull_requests, of_request)
        .outerjoin(stale_branches, of_branch)
        .order_by(jobs.c.row.desc())
        .limit(limit)
    )
    with state.read() as session:
        return [_environment(values_of(row)) for row in session.execute(query).mappings()]


def _environment(values: dict[str, Any]) -> EnvironmentSummary:
    closed_at, number = values.pop("closed_at"), values["pull_request"]
    if number is not None:
        is_base = values["source"] == JobSource.MERGE_BASE.value
        environment_of = base_environment_of if is_base else head_environment_of
        values["environment"] = environment_of(number, values["environment"])
        values["stale_at"] = closed_at
    return msgspec.convert(values, EnvironmentSummary)


def seconds_by_connection(
    state: State, days: int = 30, *, now: datetime | None = None
) -> list[ConnectionSeconds]:
    """Return the time of the jobs that were requested in the *days* before *now*, the most seconds first."""
    since = (now or datetime.now(timezone.utc)) - timedelta(days=days)
    seconds = func.coalesce(func.sum(jobs.c.seconds), 0.0).label("seconds")
    query = (
        select(
            *(jobs.c.connection_id, connections.c.name.label("connection"), func.count().label("jobs")),
            func.sum(case((jobs.c.status == JobStatus.FAILED.value, 1), else_=0)).label("failed"),
            *(seconds, func.coalesce(func.sum(jobs.c.cpu_seconds), 0.0).label("cpu_seconds")),
            func.coalesce(func.max(jobs.c.seconds), 0.0).label("longest"),
            func.max(jobs.c.peak_memory).label("peak_memory"),
            func.coalesce(func.sum(jobs.c.fetched), 0).label("fetched"),
        )
        .join(connections, connections.c.id == jobs.c.connection_id)
        .where(jobs.c.requested_at >= since)
        .group_by(jobs.c.connection_id, connections.c.name)
        .order_by(seconds.desc(), connections.c.name)
    )
    with state.read() as session:
        rows = [values_of(row) for row in session.execute(query).mappings()]
    # PostgreSQL adds up whole numbers as decimals.
    return [msgspec.convert(row | {"fetched": int(row["fetched"])}, ConnectionSeconds) for row in rows]
