"""Tokens of the API, and sessions of browsers, in the state.

The text of a token is shown once, and only the SHA-256 of its secret is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.repositories.state.audit import AuditAction, note
from recce_meta.repositories.state.database import State, rows_as, values_of
from recce_meta.repositories.state.tables import api_tokens, sessions

_SECRET_BYTES = 32
# The id finds the row, so that only one digest is compared; the prefix helps scanners of secrets.
_TEXT = re.compile(r"rm_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")
_LAST_USE_STEP = timedelta(minutes=1)
"""Precision of the last use: not every request writes."""


class TokenScope(str, Enum):
    """Right of a token. Each other one includes `read`, and `admin` includes all."""

    READ = "read"
    """Read connections, jobs, runs and lineage."""
    WRITE = "write"
    """Add, change and remove connections and workspaces; includes `upload`."""
    UPLOAD = "upload"
    """Upload artifacts of dbt to connections."""
    EXTRACT = "extract"
    """Start and cancel jobs."""
    QUERY = "query"
    """Query the warehouse."""
    ADMIN = "admin"
    """Everything, also tokens."""


class ApiToken(Struct, frozen=True, kw_only=True):
    """A token without its text."""

    id: str
    """12 hexadecimal digits, part of the text."""
    name: str
    scopes: tuple[TokenScope, ...]
    connection_id: str | None = None
    """Only connection that the token may read, upload to and extract; None for everything."""
    created_at: datetime
    expires_at: datetime | None = None
    """None if it never expires."""
    last_used_at: datetime | None = None
    """To the minute."""

    def allows(self, scope: TokenScope) -> bool:
        """Return True if one of the scopes is or includes *scope*."""
        return allows(self.scopes, scope)


OF_ONE_CONNECTION = frozenset((TokenScope.READ, TokenScope.WRITE, TokenScope.UPLOAD, TokenScope.EXTRACT))
"""Scopes of a token that is bound to a connection: the others are about stores or the whole server."""


def allows(scopes: Collection[TokenScope], needed: TokenScope) -> bool:
    """Return True if one of *scopes* is or includes *needed*.

    >>> allows([TokenScope.WRITE], TokenScope.UPLOAD), allows([TokenScope.UPLOAD], TokenScope.WRITE)
    (True, False)
    """
    including = {needed, TokenScope.ADMIN} | ({TokenScope.WRITE} if needed is TokenScope.UPLOAD else set())
    return needed is TokenScope.READ or not including.isdisjoint(scopes)


def add_token(
    state: State,
    name: str,
    scopes: Collection[TokenScope],
    *,
    connection_id: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Create a token and return it with its text, which cannot be read again.

    With *connection_id*, it is bound to this connection, and removed with it. Raises UsageError if the name
    is taken, no scope is given, or one that a bound token cannot have.
    """
    if not scopes:
        raise UsageError(
            "A token needs a scope", hint="give --scope read, write, upload, extract, query or admin"
        )
    if connection_id is not None and (wide := [one for one in scopes if one not in OF_ONE_CONNECTION]):
        raise UsageError(
            f"A token of one connection cannot have the scope {wide[0].value}",
            hint="give --scope upload, extract or read, or no --connection",
        )
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(_SECRET_BYTES)
    row = {
        "id": token_id,
        "name": name,
        "scopes": [scope.value for scope in TokenScope if scope in scopes],
        "connection_id": connection_id,
        "digest": _digest(secret),
        "created_at": datetime.now(timezone.utc),
        "expires_at": expires_at,
    }
    try:
        with state.write() as session:
            session.execute(insert(api_tokens).values(row))
            note(state, session, AuditAction.ADD_TOKEN, name, after=_shown(row))
    except IntegrityError:
        raise UsageError(f"A token '{name}' exists", hint="choose another name") from None
    return msgspec.convert(row, ApiToken), f"rm_{token_id}_{secret}"


def find_token(state: State, text: str, *, now: datetime | None = None) -> ApiToken | None:
    """Return the token of *text* and note its use; None if it is unknown or expired at *now*."""
    parts = _TEXT.fullmatch(text)
    if parts is None:
        return None
    now = now or datetime.now(timezone.utc)
    with state.read() as session:
        row = session.execute(select(api_tokens).filter_by(id=parts["id"])).mappings().first()
    # In constant time: the duration must not show how many characters match.
    if row is None or not hmac.compare_digest(row["digest"], _digest(parts["secret"])):
        return None
    token = msgspec.convert(values_of(row), ApiToken)
    if token.expires_at is not None and token.expires_at <= now:
        return None
    if token.last_used_at is None or token.last_used_at + _LAST_USE_STEP <= now:
        with state.write() as session:
            session.execute(update(api_tokens).filter_by(id=token.id).values(last_used_at=now))
    return token


def list_tokens(state: State) -> list[ApiToken]:
    """Return all tokens, sorted by name."""
    with state.read() as session:
        return rows_as(session, select(api_tokens).order_by(api_tokens.c.name), ApiToken)


def remove_token(state: State, id_or_name: str) -> ApiToken:
    """Remove a token and return it. Raises UnknownNameError if it does not exist."""
    with state.write() as session:
        is_meant = or_(api_tokens.c.id == id_or_name, api_tokens.c.name == id_or_name)
        # An id precedes an equal name.
        query = select(api_tokens).where(is_meant).order_by(api_tokens.c.id != id_or_name)
        row = session.execute(query).mappings().first()
        if row is None:
            names = session.scalars(select(api_tokens.c.name).order_by(api_tokens.c.name)).all()
            raise UnknownNameError("token", id_or_name, names)
        session.execute(delete(api_tokens).filter_by(id=row["id"]))
        note(state, session, AuditAction.REMOVE_TOKEN, row["name"], before=_shown(values_of(row)))
        return msgspec.convert(values_of(row), ApiToken)


class StoredSessions:
    """Sessions of browsers, by names that do not reveal their secrets, for all servers with one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, name: str, seconds: float) -> None:
        """Add a session that ends after *seconds*, and remove those that have ended."""
        now = datetime.now(timezone.utc)
        with self._state.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            new = {"name": name, "expires_at": now + timedelta(seconds=seconds)}
            connection.execute(insert(sessions).values(new))

    def has(self, name: str) -> bool:
        """Return True if the session was added and has not ended."""
        is_open = (sessions.c.name == name, sessions.c.expires_at > datetime.now(timezone.utc))
        with self._state.read() as connection:
            return connection.execute(select(sessions.c.name).where(*is_open)).first() is not None

    def remove(self, name: str) -> None:
        """End a session."""
        with self._state.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.name == name))


def _digest(secret: str) -> str:
    # Without salt and stretching: a random secret cannot be guessed, and each request pays for it.
    return hashlib.sha256(secret.encode()).hexdigest()


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit says of a token."""
    return {key: row[key] for key in ("id", "scopes", "connection_id", "expires_at")}
