"""Connections of repositories in the state, and their encrypted secrets.

The status and the error of a connection are derived when it is read: it is disconnected if the server refused
it at the last look, extracting while one of its jobs runs, and has failed if its last job failed or its
repository could not be polled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, RowMapping, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.run import Trigger
from recce_meta.repositories.state.audit import AuditAction, changes_of, note, settings_of
from recce_meta.repositories.state.database import State, values_of
from recce_meta.repositories.state.secrets import Keys, SecretField, seal, unseal, wrong_key
from recce_meta.repositories.state.tables import api_tokens, connection_secrets, connections, jobs
from recce_meta.repositories.state.types import (
    ConnectionStatus,
    ExtractionJob,
    JobSource,
    JobStatus,
    RepositoryConnection,
)

TOKEN: SecretField = "token"
NO_SECRETS: Mapping[SecretField, str | None] = MappingProxyType({})
_HINT_LENGTH = 4
_LEAST_TOKEN_WITH_HINT = 16
"""Length from which the last four characters of a token are stored in plain text."""

# Derived: a stored flag would stay set if the worker died.
_IS_EXTRACTING = exists().where(
    jobs.c.connection_id == connections.c.id, jobs.c.status == JobStatus.RUNNING.value
)
_ALL = select(connections, _IS_EXTRACTING.label("is_extracting"))


def add_connection(
    state: State,
    connection: RepositoryConnection,
    *,
    keys: Keys | None = None,
    secrets: Mapping[SecretField, str | None] = NO_SECRETS,
) -> RepositoryConnection:
    """Store a new *connection* and its *secrets*, and return it as stored.

    Raises UsageError if its name or id is taken.
    """
    try:
        with state.write() as session:
            session.execute(insert(connections).values(_to_row(connection)))
            change_secrets(state, session, connection.id, keys, secrets)
            given = [field for field, value in secrets.items() if value is not None]
            settings = settings_of(connection, given)
            note(state, session, AuditAction.ADD_CONNECTION, connection.name, after=settings)
    except IntegrityError:
        raise _name_is_taken(connection.name) from None
    # Read again, because `change_secrets` sets the hint of the token.
    return get_connection(state, connection.id)


def get_connection(state: State, id_or_name: str) -> RepositoryConnection:
    """Return one connection. Raises UnknownNameError if none has this id or name."""
    with state.read() as session:
        return _from_row(_row(session, id_or_name))


def list_connections(state: State) -> list[RepositoryConnection]:
    """Return all connections, sorted by name."""
    with state.read() as session:
        return [_from_row(row) for row in session.execute(_ALL.order_by(connections.c.name)).mappings()]


def update_connection(
    state: State,
    connection_id: str,
    *,
    keys: Keys | None = None,
    secrets: Mapping[SecretField, str | None] = NO_SECRETS,
    **changes: object,
) -> RepositoryConnection:
    """Change fields and *secrets* of a connection, and return it; a secret that becomes None is removed.

    The status can be set to `disconnected`, and to `active`, which also removes the error. A new time of the
    next look removes the outcome of the last one. Raises UnknownNameError if the connection does not exist,
    UsageError if its new name is taken.
    """
    try:
        with state.write() as session:
            before = _from_row(_row(session, connection_id))
            every = _to_row(msgspec.structs.replace(before, **changes))
            # A worker may change other columns at the same time.
            row = {name: every[name] for name in changes if name in every}
            if "status" in changes:
                row["is_disconnected"] = every["is_disconnected"]
            if changes.get("status") == ConnectionStatus.ACTIVE:
                row |= {"job_error": None, "poll_error": None}
            elif "error" in changes:
                row["job_error"] = changes["error"]
            if "next_check_at" in changes:
                row |= {"poll_error": None, "is_disconnected": False}
            if row:
                session.execute(update(connections).where(connections.c.id == before.id).values(row))
            change_secrets(state, session, before.id, keys, secrets)
            changed = _from_row(_row(session, before.id))
            old, new = changes_of(settings_of(before), settings_of(changed, secrets))
            if old or new:
                note(state, session, AuditAction.SET_CONNECTION, before.name, before=old, after=new)
            return changed
    except IntegrityError:
        raise _name_is_taken(str(changes.get("name"))) from None


def remove_connection(state: State, connection_id: str) -> None:
    """Remove a connection with its secrets, tokens, jobs and events.

    Cancel its jobs first. Raises UnknownNameError if it does not exist.
    """
    with state.write() as session:
        row = _row(session, connection_id)
        # In a migrated state, tokens have no foreign key that would remove them.
        session.execute(delete(api_tokens).where(api_tokens.c.connection_id == row["id"]))
        session.execute(delete(connections).where(connections.c.id == row["id"]))
        removed = settings_of(_from_row(row))
        note(state, session, AuditAction.REMOVE_CONNECTION, row["name"], before=removed)


def read_secret(state: State, keys: Keys, connection_id: str, field: SecretField) -> str | None:
    """Return a secret of a connection; None if it has none.

    Raises ConfigurationError if the keys do not open it, StoreError if it was stored for another connection.
    """
    query = select(connection_secrets.c.sealed).filter_by(connection_id=connection_id, field=field)
    with state.read() as session:
        sealed = session.scalar(query)
    return None if sealed is None else unseal(keys, connection_id, field, sealed)


def rotate_secrets(state: State, keys: Keys) -> int:
    """Encrypt all secrets with the newest key and return their number.

    Raises ConfigurationError, and changes nothing, if the keys do not open one of them.
    """
    with state.write() as session:
        # Locked, because a secret that is set meanwhile must not be replaced by the old one.
        rows = session.execute(select(connection_secrets).with_for_update()).all()
        for row in rows:
            renewed = keys.renew(row.sealed)
            if renewed is None:
                raise wrong_key(keys, row.connection_id, row.field)
            change = update(connection_secrets).filter_by(connection_id=row.connection_id, field=row.field)
            session.execute(change.values(sealed=renewed))
        note(state, session, AuditAction.ROTATE_SECRETS, "", after={"secrets": len(rows)})
    return len(rows)


def note_outcome(state: State, job: ExtractionJob, *, manifest_version: str | None = None) -> None:
    """Store the outcome of the finished *job* in its connection.

    A failure of any branch is the connection's error until the next success, and so is a refusal by dbt.
    Commit, time, tier and versions are those of the last success of the main branch. A cancelled job
    changes nothing.
    """
    changes: dict[str, object] = {}
    # A pull request that cannot be parsed says nothing about the connection.
    if job.source not in (JobSource.BRANCH, JobSource.DATABASE):
        return
    if job.status is JobStatus.FAILED:
        changes["job_error"] = job.error
    elif job.status is JobStatus.SUCCESS:
        changes["job_error"] = job.refusal
    with state.write() as session:
        row = _row(session, job.connection_id)
        if job.status is JobStatus.SUCCESS and job.branch == row["branches"][0]:
            changes |= {
                "last_extraction_at": job.ended_at,
                "last_commit_sha": job.commit_sha,
                "last_dbt_version": job.dbt_version,
                "tier": job.tier and job.tier.value,
                "manifest_version": manifest_version,
                "manifest_uploaded": job.trigger is Trigger.UPLOAD,
            }
        # A job has read the repository, so the login works again; an upload proves nothing about it.
        if job.status is JobStatus.SUCCESS and job.trigger is not Trigger.UPLOAD and row["is_disconnected"]:
            changes |= {"is_disconnected": False, "poll_error": None}
        # A cancelled job changes nothing, and an UPDATE without columns is invalid.
        if changes:
            session.execute(update(connections).where(connections.c.id == job.connection_id).values(changes))


def due_connections(state: State, now: datetime) -> list[RepositoryConnection]:
    """Return the connections that are to be polled, or scanned, at *now*, the most overdue first."""
    due = (
        # Scans of a database may be off, and its measurements on.
        _ALL.where(or_(connections.c.poll_minutes.is_not(None), connections.c.database.is_not(None)))
        .where(connections.c.is_paused.is_(False))
        .where(or_(connections.c.next_check_at.is_(None), connections.c.next_check_at <= now))
        # SQLite and PostgreSQL place NULL at different ends, so the order names it first.
        .order_by(connections.c.next_check_at.is_not(None), connections.c.next_check_at, connections.c.id)
    )
    with state.read() as session:
        return [_from_row(row) for row in session.execute(due).mappings()]


def polled_connections(state: State, repo_urls: Iterable[str]) -> list[RepositoryConnection]:
    """Return the connections of the repositories at *repo_urls* that are polled, also those not due yet."""
    polled = _ALL.where(
        connections.c.poll_minutes.is_not(None),
        connections.c.is_paused.is_(False),
        connections.c.repo_url.in_(list(repo_urls)),
    )
    with state.read() as session:
        return [_from_row(row) for row in session.execute(polled).mappings()]


def note_poll(
    state: State,
    ids: Iterable[str],
    next_check_at: datetime,
    error: str | None,
    *,
    is_disconnected: bool = False,
) -> None:
    """Store when the connections *ids* are polled again, and why they could not be polled now.

    They are disconnected if the server refuses their token, or has no such repository.
    """
    changes = {"next_check_at": next_check_at, "poll_error": error, "is_disconnected": is_disconnected}
    with state.write() as session:
        session.execute(update(connections).where(connections.c.id.in_(list(ids))).values(changes))


class LastCommit(Struct, frozen=True, kw_only=True):
    """Commit of the newest finished job of a branch."""

    sha: str
    failure: str | None = None
    """Kind of the failure of that job."""
    failures: int = 0
    """Number of failed jobs of the commit."""
    ended_at: datetime


def postpone_poll(state: State, ids: Iterable[str], next_check_at: datetime) -> None:
    """Store when the connections *ids* are polled; the outcome of the last look stays."""
    with state.write() as session:
        change = update(connections).where(connections.c.id.in_(list(ids)))
        session.execute(change.values(next_check_at=next_check_at))


def last_commits(state: State, ids: Iterable[str]) -> dict[tuple[str, str], LastCommit]:
    """Return the commit of the newest finished job by connection and branch, for the connections *ids*."""
    ended = (
        jobs.c.connection_id.in_(list(ids)) & jobs.c.commit_sha.is_not(None) & jobs.c.ended_at.is_not(None)
    )
    # By row: the times of two jobs can be equal.
    last = select(func.max(jobs.c.row)).where(ended).group_by(jobs.c.connection_id, jobs.c.branch)
    other = jobs.alias()
    failures = (
        select(func.count())
        .where(other.c.connection_id == jobs.c.connection_id, other.c.branch == jobs.c.branch)
        .where(other.c.commit_sha == jobs.c.commit_sha, other.c.status == JobStatus.FAILED.value)
        .scalar_subquery()
    )
    with state.read() as session:
        return {
            (row.connection_id, row.branch): LastCommit(
                sha=row.commit_sha,
                # A job that read the commit without dbt has succeeded, and stores why dbt did not read it.
                failure=row.failure if row.status == JobStatus.FAILED.value else None,
                failures=row.failures,
                ended_at=row.ended_at,
            )
            for row in session.execute(select(jobs, failures.label("failures")).where(jobs.c.row.in_(last)))
        }


def _row(session: Connection, id_or_name: str) -> RowMapping:
    """Return the row of a connection. Raises UnknownNameError if it does not exist."""
    found = session.execute(
        _ALL.where(or_(connections.c.id == id_or_name, connections.c.name == id_or_name))
        # An id precedes an equal name.
        .order_by(connections.c.id != id_or_name)
    )
    row = found.mappings().first()
    if row is None:
        names = session.scalars(select(connections.c.name).order_by(connections.c.name)).all()
        raise UnknownNameError("connection", id_or_name, names)
    return row


def _name_is_taken(name: str) -> UsageError:
    return UsageError(f"A connection '{name}' exists", hint="choose another name")


def change_secrets(
    state: State,
    session: Connection,
    connection_id: str,
    keys: Keys | None,
    secrets: Mapping[SecretField, str | None],
) -> None:
    """Encrypt and store *secrets* of a connection in place of the previous ones; None removes one."""
    for field, value in secrets.items():
        key = {"connection_id": connection_id, "field": field}
        # Delete and insert: SQLAlchemy has no upsert that serves both databases.
        session.execute(delete(connection_secrets).filter_by(**key))
        if value is not None:
            assert keys is not None
            sealed = {"sealed": seal(keys, connection_id, field, value), "changed_at": state.now()}
            session.execute(insert(connection_secrets).values(key | sealed))
        if field == TOKEN:
            is_long = value is not None and len(value) >= _LEAST_TOKEN_WITH_HINT
            hint = value[-_HINT_LENGTH:] if value is not None and is_long else None
            change = update(connections).where(connections.c.id == connection_id)
            session.execute(change.values(has_token=value is not None, token_hint=hint))


def _to_row(connection: RepositoryConnection) -> dict[str, Any]:
    """Return the columns of *connection*, without its errors."""
    row: dict[str, Any] = msgspec.to_builtins(connection, builtin_types=(datetime,))
    del row["error"]
    return row | {"is_disconnected": row.pop("status") == ConnectionStatus.DISCONNECTED.value}


def _from_row(row: RowMapping) -> RepositoryConnection:
    values = values_of(row)
    is_disconnected, is_extracting = values.pop("is_disconnected"), values.pop("is_extracting")
    job_error, poll_error = values.pop("job_error"), values.pop("poll_error")
    error = poll_error if job_error is None else job_error
    if is_disconnected:
        status, error = ConnectionStatus.DISCONNECTED, poll_error
    elif is_extracting:
        status = ConnectionStatus.EXTRACTING
    else:
        status = ConnectionStatus.ACTIVE if error is None else ConnectionStatus.FAILED
    return msgspec.convert(values | {"status": status, "error": error}, RepositoryConnection)
