"""Routes below `/api/webhooks`: deliveries, which forges sign, and the set-up of webhooks.

A delivery needs no token, and comes from a program: its signature alone decides. All that are not proven get
the same answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Request
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from recce_meta.errors import UsageError
from recce_meta.plugins import forge_names
from recce_meta.repositories.service.deliveries import HookOutcome, HookReceiver
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.server.access import problems
from recce_meta.server.access.limits import RateLimit
from recce_meta.server.access.problems import UnknownEncoding, UploadTooLarge
from recce_meta.server.access.sessions import client_address
from recce_meta.server.api.call import Asked, decoded_body
from recce_meta.server.api.openapi import FAILURES, body_of, document_of
from recce_meta.server.site.rendering import encoded
from recce_meta.server.site.serving import Site
from recce_meta.telemetry import WEBHOOKS as WEBHOOKS_RECEIVED

LARGEST_DELIVERY = 25 * 2**20
"""Bytes of a delivery: the largest limit of a forge."""
LARGEST_OF_FAILING = 2**20
"""Bytes of a delivery from an address whose last ones were not proven."""
DELIVERY_SECONDS = 20.0
"""Time in which a delivery must arrive."""
MOST_FAILURES = 60
"""Deliveries of one address within a minute that may fail."""
WEBHOOKS = "Webhooks"

router = APIRouter(prefix="/webhooks", responses=FAILURES)
if TYPE_CHECKING:
    Name: TypeAlias = str
else:
    Name = Annotated[Literal[forge_names()], Path(description="Forge of the webhook.", examples=["github"])]


class SetUpRequest(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"connection_id": "connectionId"},
):
    """Request to set up a webhook."""

    connection_id: str
    """Id or name of the connection."""
    rotate: bool = False
    """Whether the webhook gets a new secret."""


class Deliveries:
    """What one application needs to receive deliveries."""

    def __init__(self) -> None:
        self.failures = RateLimit("deliveries without a valid signature", MOST_FAILURES, 60.0)
        self._receiver: tuple[RepositoryService, HookReceiver] | None = None

    def receiver(self, service: RepositoryService) -> HookReceiver:
        """Return the receiver for *service*, which remembers its secrets."""
        if self._receiver is None or self._receiver[0] is not service:
            self._receiver = service, service.receiver()
        return self._receiver[1]


async def _deliveries(request: Request) -> Deliveries:
    found: Deliveries = request.app.state.deliveries
    return found


@router.post(
    "/{forge}",
    tags=[WEBHOOKS],
    status_code=202,
    responses={**document_of("received_delivery", 202), **document_of("received_delivery", 200)},
)
async def deliver(
    request: Request,
    forge: Name,
    deliveries: Annotated[Deliveries, Depends(_deliveries)],
    connection: Annotated[str | None, Query(description="Id of the connection.")] = None,
) -> Response:
    """Receive a delivery of a forge, which its signature proves; it needs no token.

    The status is 202 if a job was requested, and 200 if none is needed; the answer has the reason. A delivery
    that is not proven has the status 401, whatever is wrong with it.
    """
    site: Site = request.app.state.site
    receiver = deliveries.receiver(site.required_service())
    address = client_address(request.scope)
    _require_json(request)
    is_failing = deliveries.failures.is_over(address)
    # Deliveries behind one proxy share its address, so a failing one must not exclude the others.
    body = await _body(request, LARGEST_OF_FAILING if is_failing else LARGEST_DELIVERY)
    headers = {name.lower(): value for name, value in request.headers.items()}
    found = await run_in_threadpool(receiver.receive, forge, headers, body, connection_id=connection)
    WEBHOOKS_RECEIVED.count(forge, "unproven" if found is None else found.status.value)
    if found is None:
        deliveries.failures.count(address)
        return problems.failed(
            401,
            "unauthorized",
            "The delivery is not proven",
            "check the address and the secret of the webhook: recce-meta connection webhook NAME",
        )
    status = 202 if found.status is HookOutcome.QUEUED else 200
    return Response(encoded(found), status, {"Cache-Control": "no-store"}, media_type="application/json")


@router.post(
    "/{forge}/setup",
    tags=[WEBHOOKS],
    responses=document_of("webhook_answer"),
    openapi_extra=body_of("set_up_request"),
)
async def set_up(asked: Asked, forge: Name) -> Response:
    """Set up the webhook of a connection at its forge.

    If its token may not do that, `manual` has the steps for a person, with a secret that is shown only once.
    """

    async def act(service: RepositoryService) -> object:
        request = decoded_body(await asked.body(), SetUpRequest)
        asked.limits.tests.count(asked.caller.name)
        found = await asked.threaded(lambda: service.get(request.connection_id))
        if found.type != forge:
            raise UsageError(
                f"{found.name} is a connection of {found.type}",
                hint=f"POST /api/webhooks/{found.type}/setup",
            )
        return await service.set_up_webhook(found.id, is_rotated=request.rotate)

    answer = await asked.awaited(act)
    # It may have a secret.
    answer.headers["Cache-Control"] = "no-store"
    del answer.headers["ETag"]
    return answer


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # A forge may send a form, whose signature is that of other bytes.
    if kind != "application/json":
        raise UnknownEncoding(
            "A delivery must be JSON", hint="choose the content type application/json in the webhook"
        )


async def _body(request: Request, most: int) -> bytes:
    """Return the body of *request*. Raises UploadTooLarge without reading on."""
    length = request.headers.get("content-length", "")
    # The header spares the transfer; it may be missing or wrong, so bytes are counted too.
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    try:
        return await asyncio.wait_for(_read(request, most), DELIVERY_SECONDS)
    except asyncio.TimeoutError:
        raise ClientDisconnect from None


async def _read(request: Request, most: int) -> bytes:
    # Not `bytes` that grow: each part would copy all parts before it.
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> UploadTooLarge:
    return UploadTooLarge(f"The delivery has more than {most // 2**20} MB", hint="send fewer events")
