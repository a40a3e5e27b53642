"""Routes of workspaces, and of the exchange of stores, below `/api/metadata`."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from recce_meta.repositories.service.service import RepositoryService
from recce_meta.server.api import exchange, workspaces
from recce_meta.server.api.call import Asked
from recce_meta.server.api.openapi import COMPONENTS, FAILURES, body_of, document_of, page_of_items
from recce_meta.server.api.paging import ItemList, Paging
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

sync_router = APIRouter(prefix="/metadata/sync", responses=FAILURES)
EXCHANGE = "Exchange of stores"


@sync_router.get("/inventory", tags=[EXCHANGE], responses=document_of("exchange_inventory"))
async def inventory(asked: Asked, store: StoreName = None) -> Response:
    """List all objects of a store: runs, what belongs to them, annotations and deletions.

    `recce-meta push`, `pull` and `sync` compare it with their own store. Each token has at most 600 requests
    of the exchange within a minute.
    """
    return await exchange.inventory(asked, store)


@sync_router.post(
    "/lacking",
    tags=[EXCHANGE],
    responses=document_of("lacking_answer"),
    openapi_extra=body_of("lacking_request"),
)
async def lacking(asked: Asked, store: StoreName = None) -> Response:
    """Show which of at most 5,000 pieces the store lacks, so that a bundle need not have the others."""
    return await exchange.lacking(asked, store)


@sync_router.post("/objects", tags=[EXCHANGE], responses=_BUNDLE, openapi_extra=body_of("objects_request"))
async def objects(asked: Asked, store: StoreName = None) -> Response:
    """Read at most 5,000 objects as a bundle, without the pieces that they share with others.

    An object that does not exist is left out. More than 512 MB of rows have the status 413.
    """
    return await exchange.objects(asked, store)


@sync_router.post("/pieces", tags=[EXCHANGE], responses=_BUNDLE, openapi_extra=body_of("pieces_request"))
async def pieces(asked: Asked, store: StoreName = None) -> Response:
    """Read at most 5,000 pieces of one kind as a bundle."""
    return await exchange.pieces(asked, store)


Paged = Annotated[Paging, Depends()]
WorkspaceId = Annotated[
    str, Path(alias="id", description="Id of the workspace.", examples=["0a1b2c3d4e5f6071"])
]

router = APIRouter(prefix="/metadata", responses=FAILURES)
WORKSPACES = "Workspaces"


@router.get("/workspaces", tags=[WORKSPACES], responses=page_of_items("workspace_answer"))
async def list_workspaces(asked: Asked, paging: Paged) -> Response:
    """List the workspaces of the token, by project; a token with the scope `admin` lists all."""

    def read(service: RepositoryService) -> ItemList:
        found = workspaces.listed(service, asked.grant)
        is_cut = len(found) == workspaces.MOST_LISTED
        return ItemList([workspaces.answer_of(one) for one in found], attrgetter("id"), truncated=is_cut)

    return await asked.service_page(paging, read, "workspaces", asked.grant.name)


@router.post(
    "/workspaces",
    tags=[WORKSPACES],
    status_code=201,
    responses={**document_of("workspace_answer", 201), **document_of("workspace_answer")},
    openapi_extra=body_of("new_workspace"),
)
async def add_workspace(asked: Asked) -> Response:
    """Add a workspace: a copy of a project in an editor.

    A workspace of the same token with the same `project_name` and `project_path_hash` is returned unchanged,
    with the status 200. A token that is bound to a connection adds workspaces of this connection only.
    """

    async def act(service: RepositoryService) -> object:
        body = await asked.body()
        asked.limits.workspaces.count(asked.caller.name)
        found, is_new = await asked.threaded(lambda: workspaces.added(service, asked.grant, body))
        return asked.answered(workspaces.answer_of(found), 201 if is_new else 200)

    return await asked.awaited(act)


@router.patch(
    "/workspaces/{id}",
    tags=[WORKSPACES],
    responses=document_of("workspace_answer"),
    openapi_extra=body_of("workspace_change"),
)
async def change_workspace(asked: Asked, workspace_id: WorkspaceId) -> Response:
    """Change fields of a workspace; the others stay."""

    async def act(service: RepositoryService) -> object:
        body = await asked.body()
        asked.limits.workspaces.count(asked.caller.name)
        found = await asked.threaded(lambda: workspaces.changed(service, asked.grant, workspace_id, body))
        return workspaces.answer_of(found)

    return await asked.awaited(act)


@router.get("/workspaces/{id}/lineage", tags=[WORKSPACES], responses=document_of("workspace_lineage"))
async def workspace_lineage(
    asked: Asked,
    workspace_id: WorkspaceId,
    since: Annotated[
        str | None,
        Query(
            description="Time of the last known state: the lists are empty if nothing is newer.",
            examples=["2026-11-01T12:30:00Z"],
        ),
    ] = None,
) -> Response:
    """Show the last synced state of a workspace, at most 1,000 objects.

    Without a sync, it is the last run of the connection, or else of the project. Lists have at most 20,000
    columns and derivations.
    """
    return await asked.awaited(lambda _: workspaces.workspace_lineage(asked, workspace_id, since))


_SYNCED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer to JSON, or to a bundle.",
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [{"$ref": f"{COMPONENTS}{kind}"} for kind in ("sync_answer", "bundle_answer")]
                }
            }
        },
    }
}
_SYNC_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": f"{COMPONENTS}sync_request"}},
            MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    "/sync-from-ide",
    tags=[WORKSPACES],
    responses=_SYNCED,
    openapi_extra=_SYNC_BODY,
)
async def sync_from_ide(
    asked: Asked,
    store: StoreName = None,
    workspace: Annotated[
        str | None,
        Query(description="Id of the workspace that sends a bundle.", examples=["0a1b2c3d4e5f6071"]),
    ] = None,
) -> Response:
    """Store the objects, columns and dependencies that an editor knows, as a run of its workspace.

    The request replaces the state that was synced before. Objects and columns are named by their ids or
    names. An item that names an unknown object is left out, and listed in `conflicts`. `synced` has the
    numbers of items that were new or changed. The same state is stored once, and has the same answer. The
    body may be compressed: `Content-Encoding: gzip`. It has at most 32 MB, and 128 MB when inflated. Each
    workspace has at most 30 syncs within a minute, and each token 120. The run has the environment
    `workspace:ID`, and is never `latest`.

    With the content type `application/zip`, the body is a bundle of `recce-meta push`, of at most 256 MB, and
    `store` is the store that it is written to. Ids are computed again, and each run is written in one
    transaction. Then `outcomes` has what happened to each object. A bundle needs the scope `write`, deletions
    in it `admin`, and a server with `--allow-writes`. Each token may send 120 bundles within a minute.
    """
    kind = asked.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == MEDIA_TYPE:
        return await exchange.receive_bundle(asked, store, workspace)
    return await asked.awaited(lambda _: workspaces.sync_from_ide(asked))
