"""Implementation of the commands of `token`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from recce_meta.cli.options import emit, say, screen
from recce_meta.cli.run import connection_report as texts
from recce_meta.cli.run.connection import opened
from recce_meta.repositories.state import tokens


def add(
    state: str | None, name: str, scopes: tuple[str, ...], only_connection: str | None, days: int | None
) -> None:
    """Create a token, and print its text."""
    expires = None if days is None else datetime.now(timezone.utc) + timedelta(days=days)
    with opened(state, is_created=True) as service:
        token, text = tokens.add_token(
            service.state,
            name,
            [tokens.TokenScope(scope) for scope in scopes],
            connection_id=None if only_connection is None else service.get(only_connection).id,
            expires_at=expires,
        )
    say(f"Created {token.name}; it cannot be shown again:")
    emit(text)


def list_all(state: str | None, style: str) -> None:
    """Print all tokens, without their secrets."""
    with opened(state) as service:
        found = tokens.list_tokens(service.state)
    if style == "json":
        emit(texts.document_json(texts.TokensDocument(tokens=found)))
    else:
        emit(texts.tokens_text(found, **screen()))


def remove(state: str | None, name: str) -> None:
    """Remove a token."""
    with opened(state) as service:
        removed = tokens.remove_token(service.state, name)
    say(f"Removed {removed.name}")
