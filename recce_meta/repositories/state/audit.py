"""Audit: who changed which connection, token, secret, owner or job, or ran which query, from where, and how.

Events are only added, in the transaction of what they describe; that of a query precedes it. None holds a
secret: of secrets and of values of variables, only the names are kept.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select

from recce_meta.repositories.state.database import State, rows_as
from recce_meta.repositories.state.tables import audit_events


class AuditOrigin(str, Enum):
    """Way by which something was asked for."""

    COMMAND = "command"
    REQUEST = "request"
    """A page or the API."""
    WEBHOOK = "webhook"
    SERVER = "server"
    """The server or a worker itself, such as its scheduler."""


class AuditAction(str, Enum):
    """What was done."""

    ADD_CONNECTION = "connection.add"
    SET_CONNECTION = "connection.set"
    REMOVE_CONNECTION = "connection.remove"
    SET_UP_WEBHOOK = "webhook.set_up"
    ROTATE_SECRETS = "secrets.rotate"
    ADD_TOKEN = "token.add"
    REMOVE_TOKEN = "token.remove"
    REQUEST_JOB = "job.request"
    CANCEL_JOB = "job.cancel"
    CLAIM_PROJECT = "project.claim"
    REFUSE_TOKEN = "token.refuse"
    RUN_QUERY = "query.run"
    REMOVE_EVENTS = "audit.remove"


class Actor(Struct, frozen=True):
    """Who asks for something."""

    name: str
    """Name of the user, the token, or the session."""
    origin: AuditOrigin
    address: str | None = None
    """Address of the client; None for a command."""


class AuditEvent(Struct, frozen=True, kw_only=True):
    """One event."""

    id: int
    """Number, in the order in which events were stored."""
    at: datetime
    actor: str
    origin: AuditOrigin
    address: str | None = None
    action: AuditAction
    object: str
    """Name of the connection, token, project or store, or id of the job; empty if the action has none."""
    before: dict[str, Any] | None = None
    """Former values of what has changed."""
    after: dict[str, Any] | None = None

    @property
    def change(self) -> str:
        """Changed values, such as `poll_minutes 15 → 5; name "a"`."""
        before, after = self.before or {}, self.after or {}
        found: dict[str, str] = {}
        for name in {**before, **after}:
            values = [json.dumps(side[name], ensure_ascii=False) for side in (before, after) if name in side]
            found[name] = " → ".join(values)
        return "; ".join(f"{name} {text}" for name, text in found.items())


_SERVER = Actor("recce_meta", AuditOrigin.SERVER)
_ACTING: ContextVar[Actor] = ContextVar("who acts", default=_SERVER)
_UNSHOWN = frozenset(
    """id created_at created_by next_check_at last_extraction_at last_commit_sha manifest_version
    manifest_uploaded last_dbt_version tier status error forge_error repository_id token_hint""".split()
)
"""Fields of a connection that the server keeps for itself, and one with a part of a secret."""


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Attribute events within the block to *actor*, also in tasks and threads with a copy of its context."""
    token = _ACTING.set(actor)
    try:
        yield
    finally:
        _ACTING.reset(token)


def note(
    state: State,
    session: Connection,
    action: AuditAction,
    name: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an event by the actor of `acting_as` in the transaction *session*."""
    by = _ACTING.get()
    row = {
        "at": state.now(),
        "actor": by.name,
        "origin": by.origin.value,
        "address": by.address,
        "action": action.value,
        "object": name,
        "before": before and msgspec.to_builtins(before),
        "after": after and msgspec.to_builtins(after),
    }
    session.execute(insert(audit_events).values(row))


def note_now(state: State, action: AuditAction, name: str, *, after: Mapping[str, Any] | None = None) -> None:
    """Add an event in a transaction of its own."""
    with state.write() as session:
        note(state, session, action, name, after=after)


def settings_of(connection: Struct, secrets: Collection[str] = ()) -> dict[str, Any]:
    """Return what an event says of *connection*; *secrets* are the names of those that are set or removed."""
    values: dict[str, Any] = msgspec.to_builtins(connection)
    shown = {name: value for name, value in values.items() if name not in _UNSHOWN}
    # Their values may be secret.
    shown["variables"] = sorted(shown["variables"])
    return shown | ({"secrets": sorted(secrets)} if secrets else {})


def changes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of *before* and *after* that differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def list_events(
    state: State,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    actor: str | None = None,
    action: str | None = None,
    name: str | None = None,
    limit: int | None = None,
) -> list[AuditEvent]:
    """Return events, the latest first: those from *since* to before *until*, and at most *limit*.

    *action* is one of `AuditAction`, or its part before the dot for all of an object. *name* is that of the
    object.
    """
    table = audit_events.c
    query = select(audit_events).order_by(table.id.desc()).limit(limit)
    if since is not None:
        query = query.where(table.at >= since)
    if until is not None:
        query = query.where(table.at < until)
    if actor is not None:
        query = query.where(table.actor == actor)
    if action is not None:
        of_object = [one.value for one in AuditAction if one.value.partition(".")[0] == action]
        query = query.where(table.action.in_(of_object or [action]))
    if name is not None:
        query = query.where(table.object == name)
    with state.read() as session:
        return rows_as(session, query, AuditEvent)


def remove_events(state: State, before: datetime) -> int:
    """Remove the events from before *before*, and return how many there were. The removal is an event."""
    with state.write() as session:
        count = session.execute(delete(audit_events).where(audit_events.c.at < before)).rowcount
        if count:
            removed = {"until": before.isoformat(), "events": count}
            note(state, session, AuditAction.REMOVE_EVENTS, "", after=removed)
    return count
