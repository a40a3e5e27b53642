"""Exchange of the objects of a store with the stores of clients: inventory, reading, and arriving bundles.

A client asks for the inventory, reads what it lacks as bundles, and sends what the store lacks as bundles.
What it sends is not trusted. Reading needs the scope `read`; writing needs `write`, and a server that may
write to its stores; deletions need `admin`. Tokens that are bound to a connection are refused, because a
store has the runs of several connections.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from recce_meta._version import __version__
from recce_meta.errors import ArtifactError, DatabaseNotFound, StoreNotFound, UsageError
from recce_meta.models.run import COMPLETE
from recce_meta.repositories.state.requests import PermissionRefused
from recce_meta.repositories.state.tokens import TokenScope
from recce_meta.repositories.state.types import Workspace
from recce_meta.repositories.state.workspaces import touch_workspace
from recce_meta.server.access.limits import UploadLimits, receive_upload
from recce_meta.server.access.problems import AnswerTooLarge, NotFound
from recce_meta.server.api.call import Call, check_parameters, decoded_body, etag_of, has_etag
from recce_meta.server.api.workspaces import SyncedCounts, find_syncable
from recce_meta.server.site.rendering import encoded
from recce_meta.server.stores.stores import Store, StoreView
from recce_meta.store.session import SCHEMA_VERSION
from recce_meta.sync.encoding import MEDIA_TYPE, OF_REQUESTS, ListedObject, listed, pack, unpack
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.tables import column_position
from recce_meta.sync.types import (
    Batch,
    ExchangeStatus,
    Inventory,
    Key,
    ObjectKind,
    Piece,
    Replica,
    Row,
    WriteResult,
)
from recce_meta.sync.verify import verify
from recce_meta.temporary import temporary_folder

BUNDLE_LIMITS = UploadLimits(OF_REQUESTS.compressed, OF_REQUESTS.compressed, "send fewer runs at once")
"""Limits of the body of a request with a bundle."""
MOST_IDS = 5_000
"""Ids of one request."""
_COMPRESSED = 1024
_STORED = (ExchangeStatus.SENT, ExchangeStatus.PRESENT)
_NO_DELETIONS = "deleting runs needs a token with the scope admin"

Answer = TypeVar("Answer")


class ExchangeInventory(Struct, frozen=True, kw_only=True):
    """Objects of a store, for an exchange."""

    store_version: int
    """Version of the tables of the rows that are read."""
    producer: str
    """Version of recce_meta on the server."""
    objects: Sequence[ListedObject]
    """All objects, sorted by kind and id."""


class LackingRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces that a client may send."""

    piece: Piece
    ids: tuple[str, ...]


class LackingAnswer(Struct, frozen=True, kw_only=True):
    """Pieces that the store does not have."""

    ids: Sequence[str]


class ObjectsRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Objects to read, each by its kind and id."""

    objects: tuple[tuple[ObjectKind, str], ...]


class PiecesRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces to read."""

    piece: Piece
    ids: tuple[str, ...]


class WrittenObject(Struct, frozen=True, kw_only=True):
    """What happened to one object of a bundle."""

    kind: ObjectKind
    id: str
    status: ExchangeStatus
    reason: str | None
    """Why it was not written; null if it was."""
    is_new: bool
    """False for a conflict that an earlier bundle has caused."""


class BundleAnswer(Struct, frozen=True, kw_only=True):
    """Outcome of a bundle."""

    success: bool
    """False if an object failed or is a conflict."""
    synced: SyncedCounts
    conflicts: Sequence[WrittenObject]
    outcomes: Sequence[WrittenObject]
    """All objects of the bundle."""


async def inventory(asked: Call, name: str | None) -> Response:
    """Answer with the objects of a store, or with 304 if the client has them."""
    store = await _opened(asked, name)

    def answered() -> Response:
        try:
            with store.view() as view:
                etag = etag_of(repr((__version__, store.name, view.version, "inventory")))
                if has_etag(asked.request, etag):
                    return Response(status_code=304, headers={"ETag": etag})
                found = _replica(view).inventory()
        except (StoreNotFound, DatabaseNotFound):
            # The first bundle creates the store.
            if not store.permissions.writes:
                raise
            etag, found = etag_of("no store"), Inventory({}, SCHEMA_VERSION)
        answer = ExchangeInventory(
            store_version=found.store_version, producer=__version__, objects=listed(found.entries)
        )
        return _large(asked.request, encoded(answer).encode(), etag)

    return await asked.in_store(store.name, answered)


async def lacking(asked: Call, name: str | None) -> Response:
    """Answer with the pieces of the request that a store lacks."""
    request = decoded_body(await asked.body(), LackingRequest)
    _check_ids(request.ids)
    store = await _opened(asked, name)

    def answered() -> Response:
        try:
            found = _viewed(store, lambda replica: replica.lacking(request.piece, request.ids))
        except (StoreNotFound, DatabaseNotFound):
            if not store.permissions.writes:
                raise
            found = set(request.ids)
        return asked.answered(LackingAnswer(ids=sorted(found)))

    return await asked.in_store(store.name, answered)


async def objects(asked: Call, name: str | None) -> Response:
    """Answer with the rows of objects, as a bundle."""
    request = decoded_body(await asked.body(), ObjectsRequest)
    keys = tuple(Key(*one) for one in dict.fromkeys(request.objects))
    _check_ids([key.id for key in keys])
    store = await _opened(asked, name)
    return await asked.in_store(store.name, lambda: _bundle(_viewed(store, lambda found: found.read(keys))))


async def pieces(asked: Call, name: str | None) -> Response:
    """Answer with the rows of pieces, as a bundle."""
    request = decoded_body(await asked.body(), PiecesRequest)
    _check_ids(request.ids)
    store = await _opened(asked, name)

    def answered() -> Response:
        rows = _viewed(store, lambda found: found.read_pieces(request.piece, request.ids))
        return _bundle(Batch((), rows))

    return await asked.in_store(store.name, answered)


async def receive_bundle(asked: Call, name: str | None, workspace_id: str | None) -> Response:
    """Write the objects of the bundle in the body, and answer with what happened to each.

    Raises PermissionRefused for a token without the right, NotAllowed if the server does not write to its
    stores or the workspace is disabled, UnknownNameError for an unknown workspace, StoreBusy if other bundles
    are being read, and UsageError for a bundle that is damaged.
    """
    _require_write(asked)
    check_parameters(asked.request)
    store = _chosen(asked, name)
    store.permissions.require_writes()
    asked.limits.bundles.count(asked.caller.name)
    workspace = None
    if workspace_id is not None:
        service, grant = asked.service, asked.grant
        # Before the bundle: one that is written must not have an error as its answer.
        workspace = await asked.threaded(lambda: find_syncable(service, grant, workspace_id))
    places = asked.limits.sync_places
    with places.of(asked.caller.name), temporary_folder() as folder:
        file = Path(folder, "bundle.zip")
        await receive_upload(asked.request.headers, asked.request.stream(), file, BUNDLE_LIMITS)
        async with places.reading():
            return await asked.in_store(store.name, lambda: _received(asked, store, file, workspace))


def _require_write(asked: Call) -> None:
    if asked.grant.connection is not None:
        raise PermissionRefused(
            "The token is bound to one connection, and a bundle may have runs of others",
            hint="use a token of recce-meta token add NAME --scope write, without --connection",
        )
    if not asked.grant.allows(TokenScope.WRITE):
        raise PermissionRefused(
            "A bundle needs a token with the scope write",
            hint="use a token of recce-meta token add NAME --scope write",
        )


def _received(asked: Call, store: Store, file: Path, workspace: Workspace | None) -> Response:
    try:
        batch = unpack(file)
    except ArtifactError as error:
        raise UsageError(error.message, hint=error.hint) from None
    answer = _written(asked, store, batch)
    if workspace is not None:
        run_id = _last_run(batch, answer.outcomes, workspace.project_name)
        now = datetime.now(timezone.utc)
        touch_workspace(asked.service.state, workspace.id, now, store=store.name, run_id=run_id)
    return asked.answered(answer)


def _last_run(batch: Batch, outcomes: Iterable[WrittenObject], project: str) -> str | None:
    """Return the last run of *project* in *batch* that the store now has; None without one."""
    stored = {one.id for one in outcomes if one.kind is ObjectKind.RUN and one.status in _STORED}
    run_id, name, at, status = (
        column_position("runs", column) for column in ("run_id", "project_name", "run_at", "status")
    )
    found = [
        (row[at], row[run_id])
        for row in batch.tables.get("runs", ())
        if row[run_id] in stored and row[name] == project and row[status] == COMPLETE
    ]
    return max(found)[1] if found else None


def _written(asked: Call, store: Store, batch: Batch) -> BundleAnswer:
    refused = None if asked.grant.is_admin else _NO_DELETIONS
    found = verify(batch, deletions=refused)
    results = [_refused(key, reason) for key, reason in found.failures.items()]
    if found.batch.keys:
        with store.writing() as adapter:
            replica = StoreReplica(adapter, name=store.name, pack=pack, creates=True)
            results += replica.write(found.batch, asked.caller.name)
    outcomes = [
        WrittenObject(
            kind=one.key.kind, id=one.key.id, status=one.status, reason=one.reason, is_new=one.is_new
        )
        for one in results
    ]
    return BundleAnswer(
        success=not any(one.status in (ExchangeStatus.FAILED, ExchangeStatus.CONFLICT) for one in outcomes),
        synced=_counts(found.batch, results),
        conflicts=[one for one in outcomes if one.status is ExchangeStatus.CONFLICT],
        outcomes=outcomes,
    )


def _refused(key: Key, reason: str) -> WriteResult:
    """Return the outcome of an object that is not written: skipped if only the token is insufficient."""
    # As for a role that cannot delete: each push of a developer who pruned a run would fail otherwise.
    status = ExchangeStatus.SKIPPED if reason == _NO_DELETIONS else ExchangeStatus.FAILED
    return WriteResult(key, status, reason)


def _counts(batch: Batch, results: Iterable[WriteResult]) -> SyncedCounts:
    """Return the numbers of items that arrived with runs that were written."""
    if not any(
        one.status is ExchangeStatus.SENT and one.key.kind in (ObjectKind.RUN, ObjectKind.COLUMNS)
        for one in results
    ):
        return SyncedCounts()
    edges = batch.tables.get("column_edges", ())
    name, parent = (
        column_position("column_edges", "column_name"),
        column_position("column_edges", "parent_id"),
    )
    outputs: set[Row] = {(row[0], row[name]) for row in edges if row[name] is not None}
    return SyncedCounts(
        objects=len(batch.tables.get("node_versions", ())),
        columns=len(outputs),
        dependencies=len(batch.tables.get("version_parents", ())),
        column_lineage=sum(row[name] is not None and row[parent] is not None for row in edges),
    )


async def _opened(asked: Call, name: str | None) -> Store:
    """Return the store of a request that reads, and count the request."""
    check_parameters(asked.request)
    store = _chosen(asked, name)
    asked.limits.exchange_reads.count(asked.caller.name)
    return store


def _chosen(asked: Call, name: str | None) -> Store:
    """Return the store called *name*, by default `default` or the first one. Raises NotFound."""
    stores = asked.site.stores
    if name is None:
        name = "default" if "default" in stores else next(iter(stores), "default")
    found = stores.get(name)
    if found is None:
        raise NotFound("No store has this name", hint="/api/stores lists the stores")
    return found


def _viewed(store: Store, read: Callable[[Replica], Answer]) -> Answer:
    with store.view() as view:
        return read(_replica(view))


def _replica(view: StoreView) -> Replica:
    return StoreReplica(view.adapter, name=view.store.name, pack=pack)


def _check_ids(ids: Sequence[str]) -> None:
    if len(ids) > MOST_IDS:
        raise UsageError(f"The request has more than {MOST_IDS:,} ids", hint="send several requests")
    # Lists of ids are sent to the store as lines.
    if any("\n" in one or "\0" in one for one in ids):
        raise UsageError("An id contains a line break or a NUL character", hint="send ids of the inventory")


def _bundle(batch: Batch) -> Response:
    try:
        body = pack(batch)
    except ArtifactError as error:
        raise AnswerTooLarge(error.message, hint="ask for fewer objects") from None
    return Response(body, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _large(request: Request, body: bytes, etag: str) -> Response:
    """Return JSON that may be larger than other answers: a store has many objects."""
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if len(body) >= _COMPRESSED and "gzip" in request.headers.get("accept-encoding", ""):
        # Without a time, equal answers have equal bytes.
        body = gzip.compress(body, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)
