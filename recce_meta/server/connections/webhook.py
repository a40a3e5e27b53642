"""Webhook of a connection: its state and its last deliveries, and the form that sets it up.

If the forge does not let the token create it, the answer to the form has the steps for a person, with the
secret. It is the only page with that secret, and it is never stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from recce_meta.repositories.forges.registry import find_forge
from recce_meta.repositories.service.answers import ConnectionAnswer
from recce_meta.repositories.service.webhooks import WebhookAnswer
from recce_meta.repositories.state.webhooks import get_webhook, list_deliveries
from recce_meta.server.connections.lists import deliveries_listing, own_crumbs, status_tone, webhook_word
from recce_meta.server.connections.routing import (
    ConnectionPages,
    ConnectionRequest,
    address_of,
    require_admin,
)
from recce_meta.server.site.handlers import Redirect
from recce_meta.server.site.rendering import Page

pages = ConnectionPages()

DELIVERIES_SHOWN = 5


def webhook_values(request: ConnectionRequest, found: ConnectionAnswer) -> Mapping[str, Any]:
    """Return the values of the section on the webhook of *found*."""
    webhook = get_webhook(request.service.state, found.id)
    received = list_deliveries(request.service.state, found.id, limit=DELIVERIES_SHOWN)
    word = webhook_word(webhook)
    columns = ("received_at", "event", "outcome", "reason", "job_id")
    return {
        "webhook": webhook,
        "webhook_word": word,
        "webhook_tone": status_tone(word),
        "is_polled": found.poll_minutes is not None,
        "has_forge": find_forge(found.type) is not None and not found.is_upload_only,
        "deliveries": deliveries_listing(found, received).narrowed(columns),
    }


@pages.page("/{id}/webhook")
def webhook(request: ConnectionRequest) -> Page:
    """Show the webhook of a connection, and the form that sets it up."""
    require_admin(request)
    found = request.repository()
    return _page(request, found, request.service.webhook(found.id))


@pages.action("/{id}/webhook")
async def set_up(request: ConnectionRequest) -> Page | Redirect:
    """Set up the webhook of a connection; without success, show the steps for a person."""
    require_admin(request)
    found = await asyncio.to_thread(request.service.get, request.connection)
    answer = await request.service.set_up_webhook(found.id, is_rotated="is_rotated" in request.form)
    if answer.manual is None:
        return Redirect(address_of(found.id, "webhook"))
    return await asyncio.to_thread(_page, request, found, answer)


def _page(request: ConnectionRequest, found: ConnectionAnswer, answer: WebhookAnswer) -> Page:
    values = {
        **webhook_values(request, found),
        "answer": answer,
        "address": address_of(found.id),
        "own": address_of(found.id, "webhook"),
        "all_deliveries": address_of(found.id, "deliveries"),
    }
    title = f"Webhook of {found.name}"
    return Page("webhook.html", title, values, crumbs=own_crumbs(found), is_kept=False)
