"""Webhooks in the state: the secrets that prove deliveries, the last deliveries, and deleted branches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from recce_meta.repositories.state.connections import change_secrets
from recce_meta.repositories.state.database import State, row_as, rows_as
from recce_meta.repositories.state.jobs import lock_connection
from recce_meta.repositories.state.secrets import Keys, SecretField
from recce_meta.repositories.state.tables import (
    connection_secrets,
    connections,
    jobs,
    stale_branches,
    webhook_deliveries,
    webhooks,
)
from recce_meta.repositories.state.types import (
    ForgeName,
    JobSource,
    JobStatus,
    Webhook,
    WebhookDelivery,
)

MOST_DELIVERIES = 100
"""Deliveries of a connection that are stored."""
SECRET: SecretField = "webhook_secret"
FORMER_SECRET: SecretField = "former_webhook_secret"


class HookCandidate(Struct, frozen=True, kw_only=True):
    """A connection whose webhook may have sent a delivery; its secrets are sealed."""

    connection_id: str
    repo_url: str
    repository_id: str | None
    secret: str | None = None
    former_secret: str | None = None

    def __repr__(self) -> str:
        return f"HookCandidate({self.connection_id!r})"


def webhook_candidates(
    state: State, forge: ForgeName, connection_id: str | None = None
) -> list[HookCandidate]:
    """Return the connections of the type *forge* that have a webhook's secret; only one if given."""
    secrets = connection_secrets
    query = (
        select(connections.c.id, connections.c.repo_url, connections.c.repository_id, secrets.c.field)
        .add_columns(secrets.c.sealed)
        .join(secrets, secrets.c.connection_id == connections.c.id)
        .where(connections.c.type == forge, secrets.c.field.in_((SECRET, FORMER_SECRET)))
        .order_by(connections.c.id)
    )
    if connection_id is not None:
        query = query.where(connections.c.id == connection_id)
    found: dict[str, dict[str, str | None]] = {}
    with state.read() as session:
        for row in session.execute(query):
            one = {"connection_id": row.id, "repo_url": row.repo_url, "repository_id": row.repository_id}
            name = "secret" if row.field == SECRET else "former_secret"
            found.setdefault(row.id, one)[name] = row.sealed
    return [msgspec.convert(one, HookCandidate) for one in found.values()]


def get_webhook(state: State, connection_id: str) -> Webhook | None:
    """Return the webhook of a connection; None if none was set up."""
    with state.read() as session:
        return row_as(session, select(webhooks).filter_by(connection_id=connection_id), Webhook)


def put_webhook(
    state: State,
    webhook: Webhook,
    *,
    keys: Keys | None = None,
    secrets: Mapping[SecretField, str | None] | None = None,
) -> None:
    """Store the *webhook* of a connection in place of the previous one, with new *secrets*.

    Raises UnknownNameError if the connection does not exist.
    """
    with state.write() as session:
        lock_connection(session, webhook.connection_id)
        session.execute(delete(webhooks).filter_by(connection_id=webhook.connection_id))
        row = msgspec.structs.asdict(webhook)
        session.execute(insert(webhooks).values(row | {"events": list(webhook.events)}))
        change_secrets(state, session, webhook.connection_id, keys, secrets or {})


def list_deliveries(
    state: State, connection_id: str, *, limit: int = MOST_DELIVERIES
) -> list[WebhookDelivery]:
    """Return the last deliveries of a connection, the newest first."""
    query = select(webhook_deliveries).filter_by(connection_id=connection_id)
    with state.read() as session:
        return rows_as(session, query.order_by(webhook_deliveries.c.row.desc()).limit(limit), WebhookDelivery)


def note_delivery(
    state: State, delivery: WebhookDelivery, *, repository_id: str | None, is_current: bool
) -> None:
    """Store a verified *delivery*, and what it proves.

    It proves the id of the repository. If *is_current*, the forge has the current secret: the webhook is
    active, and the former secret is not needed any more. Raises UnknownNameError if the connection does not
    exist.
    """
    of_connection = webhook_deliveries.c.connection_id == delivery.connection_id
    with state.write() as session:
        lock_connection(session, delivery.connection_id)
        session.execute(insert(webhook_deliveries).values(**msgspec.structs.asdict(delivery)))
        last = select(webhook_deliveries.c.row).where(of_connection)
        last = last.order_by(webhook_deliveries.c.row.desc()).offset(MOST_DELIVERIES).limit(1)
        oldest = session.scalar(last)
        if oldest is not None:
            surplus = and_(of_connection, webhook_deliveries.c.row <= oldest)
            session.execute(delete(webhook_deliveries).where(surplus))
        if repository_id is not None:
            is_new = connections.c.repository_id.is_distinct_from(repository_id)
            learned = update(connections).where(connections.c.id == delivery.connection_id, is_new)
            session.execute(learned.values(repository_id=repository_id))
        if is_current:
            _confirm(state, session, delivery.connection_id)


def _confirm(state: State, session: Connection, connection_id: str) -> None:
    is_open = and_(
        webhooks.c.connection_id == connection_id,
        or_(webhooks.c.is_active.is_(False), webhooks.c.error.is_not(None)),
    )
    session.execute(update(webhooks).where(is_open).values(is_active=True, error=None))
    change_secrets(state, session, connection_id, None, {FORMER_SECRET: None})


class NewestJob(Struct, frozen=True, kw_only=True):
    """The newest job of a branch."""

    id: str
    status: JobStatus
    commit_sha: str | None


def newest_job(state: State, connection_id: str, branch: str) -> NewestJob | None:
    """Return the newest job of a branch; None if it has none."""
    query = select(jobs.c.id, jobs.c.status, jobs.c.commit_sha).where(
        jobs.c.connection_id == connection_id, jobs.c.branch == branch
    )
    with state.read() as session:
        return row_as(session, query.order_by(jobs.c.row.desc()).limit(1), NewestJob)


def mark_stale(state: State, connection_id: str, branch: str) -> list[str]:
    """Store that *branch* was deleted, and return the ids of its jobs that have no commit yet.

    They can only fail. Raises UnknownNameError if the connection does not exist.
    """
    key = {"connection_id": connection_id, "branch": branch}
    hopeless = (
        select(jobs.c.id)
        .where(jobs.c.connection_id == connection_id, jobs.c.branch == branch)
        .where(jobs.c.source == JobSource.BRANCH.value, jobs.c.commit_sha.is_(None))
        .where(jobs.c.status.in_((JobStatus.PENDING.value, JobStatus.RUNNING.value)))
    )
    with state.write() as session:
        lock_connection(session, connection_id)
        if session.scalar(select(stale_branches.c.branch).filter_by(**key)) is None:
            session.execute(insert(stale_branches).values(**key, stale_at=state.now()))
        return list(session.scalars(hopeless.order_by(jobs.c.row)))


def clear_stale(state: State, connection_id: str, branches: Iterable[str]) -> None:
    """Store that *branches* exist again."""
    names = list(branches)
    query = delete(stale_branches).where(stale_branches.c.connection_id == connection_id)
    with state.write() as session:
        session.execute(query.where(stale_branches.c.branch.in_(names)))


def list_stale(state: State, ids: Iterable[str]) -> dict[str, set[str]]:
    """Return the deleted branches of the connections *ids*, by connection."""
    query = select(stale_branches).where(stale_branches.c.connection_id.in_(list(ids)))
    found: defaultdict[str, set[str]] = defaultdict(set)
    with state.read() as session:
        for row in session.execute(query):
            found[row.connection_id].add(row.branch)
    return dict(found)
