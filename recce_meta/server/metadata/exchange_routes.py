"""Routes of the exchange with the stores of clients; `sync-from-ide` takes their bundles."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from recce_meta.server.json_api.openapi import FAILURES, body_of, document_of
from recce_meta.server.metadata import exchange
from recce_meta.server.metadata.call import Asked
from recce_meta.sync.encoding import MEDIA_TYPE

StoreName = Annotated[
    str | None, Query(alias="store", description="Name of the store; by default `default`, or the first one.")
]
_BUNDLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A bundle: a zip with `manifest.json`, and the rows of each table as NDJSON.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}

router = APIRouter(prefix="/metadata/sync", responses=FAILURES)
EXCHANGE = "Exchange of stores"


@router.get("/inventory", tags=[EXCHANGE], responses=document_of("exchange_inventory"))
async def inventory(asked: Asked, store: StoreName = None) -> Response:
    """List all objects of a store: runs, what belongs to them, annotations and deletions.

    `recce-meta push`, `pull` and `sync` compare it with their own store. Each token has at most 600 requests
    of the exchange within a minute.
    """
    return await exchange.inventory(asked, store)


@router.post(
    "/lacking",
    tags=[EXCHANGE],
    responses=document_of("lacking_answer"),
    openapi_extra=body_of("lacking_request"),
)
async def lacking(asked: Asked, store: StoreName = None) -> Response:
    """Show which of at most 5,000 pieces the store lacks, so that a bundle need not have the others."""
    return await exchange.lacking(asked, store)


@router.post("/objects", tags=[EXCHANGE], responses=_BUNDLE, openapi_extra=body_of("objects_request"))
async def objects(asked: Asked, store: StoreName = None) -> Response:
    """Read at most 5,000 objects as a bundle, without the pieces that they share with others.

    An object that does not exist is left out. More than 512 MB of rows have the status 413.
    """
    return await exchange.objects(asked, store)


@router.post("/pieces", tags=[EXCHANGE], responses=_BUNDLE, openapi_extra=body_of("pieces_request"))
async def pieces(asked: Asked, store: StoreName = None) -> Response:
    """Read at most 5,000 pieces of one kind as a bundle."""
    return await exchange.pieces(asked, store)
