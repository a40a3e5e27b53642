"""Implementation of the commands of `token`, and of `audit`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import msgspec

from recce_meta.cli.options import emit, say, screen
from recce_meta.cli.run import connection_report as texts
from recce_meta.cli.run.connection import opened
from recce_meta.report.labels import moment
from recce_meta.report.terminal import Span, Style, grid, heading_row, plain_line, render
from recce_meta.repositories.state import tokens
from recce_meta.repositories.state.audit import AuditEvent, list_events, remove_events


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


def audit(
    state: str | None,
    within: timedelta | None,
    actor: str | None,
    action: str | None,
    object_name: str | None,
    limit: int,
    remove_older: timedelta | None,
    style: str,
) -> None:
    """Print the events, or remove old ones."""
    now = datetime.now(timezone.utc)
    with opened(state) as service:
        if remove_older is not None:
            count = remove_events(service.state, now - remove_older)
            say(f"Removed {count:,} {'event' if count == 1 else 'events'}")
            return
        since = None if within is None else now - within
        events = list_events(
            service.state, since=since, actor=actor, action=action, name=object_name, limit=limit
        )
    if style == "jsonl":
        emit("\n".join(msgspec.json.encode(event).decode() for event in events))
    else:
        emit(events_text(events, **screen()))


def events_text(events: Sequence[AuditEvent], *, width: int, color: bool) -> str:
    """Return one line for each event."""
    if not events:
        return render([plain_line("No events")], width=width, color=color)
    rows = [heading_row("at", "who", "from", "action", "object", "change")]
    for event in events:
        texts = (event.actor, event.address or event.origin.value, event.action.value, event.object)
        rows.append([Span(moment(event.at), Style.DIM), *map(Span, texts), Span(event.change)])
    return render(grid(rows, width=width, indent=0), width=width, color=color)
