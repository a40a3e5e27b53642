"""Routes below `/api/metadata`: connections, their extractions, and lineage of what they extracted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from operator import attrgetter
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import quote, unquote

import msgspec
from fastapi import APIRouter, Depends, Query
from msgspec import Struct, structs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from recce_meta.models.lineage import Direction
from recce_meta.redaction import harmless_json
from recce_meta.repositories.extraction.manifest_reader import UPLOAD, UploadDetails
from recce_meta.repositories.service.answers import ConnectionAnswer, ExtractAnswer, ProgressAnswer
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.requests import decode_change, decode_new_connection
from recce_meta.repositories.state.tokens import TokenScope
from recce_meta.repositories.state.types import JobEvent
from recce_meta.server.access.limits import UploadLimits, receive_upload
from recce_meta.server.access.problems import NotFound
from recce_meta.server.api.call import Asked, decoded_body
from recce_meta.server.api.lineage import impact_answer, lineage_answer
from recce_meta.server.api.openapi import FAILURES, body_of, document_of, page_of_items
from recce_meta.server.api.paging import (
    ConnectionId,
    Days,
    ItemList,
    JobId,
    ObjectName,
    Paging,
    Way,
    upload_details,
)
from recce_meta.server.site.uploads import UploadPlace, record_upload

Paged = Annotated[Paging, Depends()]
MOST_JOBS = 1000
"""Largest number of jobs of a history."""

router = APIRouter(prefix="/metadata", responses=FAILURES)
CONNECTIONS, EXTRACTIONS, LINEAGE = "Connections", "Extractions", "Connected lineage"


class CreatedConnection(ConnectionAnswer, frozen=True, kw_only=True):
    """A new connection, with its first extractions."""

    jobs: tuple[ExtractAnswer, ...]
    """First extraction of each branch."""


class TokenAnswer(Struct, frozen=True, kw_only=True):
    """What the token of a request may do."""

    name: str
    """Name of the token, or address of a client without one."""
    scopes: tuple[TokenScope, ...]
    connection_id: str | None
    """Only connection that it reaches; null for everything."""
    connection: str | None
    """Name of this connection."""


class ExtractRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Request of an extraction."""

    force: bool = False
    """Whether the commit is extracted again if its run is stored."""
    branch: str | None = None
    """Branch to extract; null for the main one."""


@router.get("/connections", tags=[CONNECTIONS], responses=page_of_items("connection_answer"))
async def connections(asked: Asked, paging: Paged) -> Response:
    """List the connections by name."""
    return await asked.service_page(
        paging, lambda service: ItemList(service.list(), attrgetter("id")), "connections"
    )


@router.post(
    "/connections",
    tags=[CONNECTIONS],
    status_code=201,
    responses=document_of("created_connection", 201),
    openapi_extra=body_of("new_connection"),
)
async def add_connection(
    asked: Asked,
    test: Annotated[bool, Query(description="Test the connection before it is stored.")] = True,
) -> Response:
    """Connect a repository, and request its first extraction.

    A failed test has the status 422 and names what is wrong: address, token, branch, project or adapter. Only
    the scope `admin` may set `token_env` and `is_trusted`. Each token may add or test at most 10 connections
    within a minute; further ones have the status 429.
    """

    async def act(service: RepositoryService) -> object:
        request = decode_new_connection(await asked.body())
        # Also without a test: the first extraction connects to any host in the request.
        asked.limits.tests.count(asked.caller.name)
        added = await service.add(request, caller=asked.caller, is_tested=test)
        # A flat document: the answer for a connection, with one more field.
        return CreatedConnection(**structs.asdict(added.connection), jobs=tuple(added.jobs))

    return await asked.awaited(act, 201)


@router.get("/connections/{id}", tags=[CONNECTIONS], responses=document_of("connection_answer"))
async def connection(asked: Asked, name: ConnectionId) -> Response:
    """Show one connection; never its token."""
    return await asked.service_document(lambda service: service.get(name))


@router.patch(
    "/connections/{id}",
    tags=[CONNECTIONS],
    responses=document_of("connection_answer"),
    openapi_extra=body_of("connection_change"),
)
async def change_connection(asked: Asked, name: ConnectionId) -> Response:
    """Change fields of a connection; the others stay. Its address cannot change."""

    async def act(service: RepositoryService) -> object:
        change = decode_change(await asked.body())
        return await asked.threaded(lambda: service.set(name, change, caller=asked.caller))

    return await asked.awaited(act)


@router.delete("/connections/{id}", tags=[CONNECTIONS], responses=document_of("connection_answer"))
async def remove_connection(asked: Asked, name: ConnectionId) -> Response:
    """Cancel the jobs of a connection, and remove it with its secrets and history.

    Recorded runs stay in their store.
    """
    return await asked.service_document(lambda service: service.remove(name))


@router.post(
    "/connections/{id}/extract",
    tags=[EXTRACTIONS],
    status_code=202,
    responses=document_of("extract_answer", 202),
    openapi_extra=body_of("extract_request", is_required=False),
)
async def extract(asked: Asked, name: ConnectionId) -> Response:
    """Request an extraction, which joins a waiting one of the branch.

    Each connection has at most 20 new extractions within a minute; further ones have the status 429. A
    request that joins a waiting extraction is never refused.
    """

    async def act(service: RepositoryService) -> object:
        request = decoded_body(await asked.body(), ExtractRequest)

        def requested() -> object:
            found = service.get(name)
            return service.jobs_of(found.id).extract(
                caller=asked.caller,
                branch=request.branch,
                is_forced=request.force,
                # Called by the service, which alone knows if the request joins a waiting job.
                admit=lambda: asked.limits.extractions.count(found.id),
            )

        return await asked.threaded(requested)

    return await asked.awaited(act, 202)


@router.get("/connections/{id}/progress", tags=[EXTRACTIONS], responses=document_of("progress_answer"))
async def progress(
    asked: Asked,
    name: ConnectionId,
    job: Annotated[str | None, Query(description="Id of a job; without it, the current one.")] = None,
) -> Response:
    """Show the progress of a job: of the current one, or else of the last one, unless `job` names one.

    With `Accept: text/event-stream`, the answer is a stream of server-sent events until the job ends: `log`
    is a line of its log, and `progress` the progress after it. `Last-Event-ID` continues a stream.
    """

    async def act(service: RepositoryService) -> object:
        # Asked before the stream begins: an unknown connection must get the status 404.
        found = await asked.threaded(lambda: service.jobs_of(name).progress(job or None))
        if found is None:
            raise NotFound("The connection has no job yet", hint="POST …/extract requests one")
        return (
            await progress_events(asked.request, service, name, found)
            if wants_events(asked.request)
            else found
        )

    return await asked.awaited(act)


@router.get("/connections/{id}/extractions", tags=[EXTRACTIONS], responses=page_of_items("job_answer"))
async def extractions(asked: Asked, paging: Paged, name: ConnectionId) -> Response:
    """List the jobs of a connection, newest first, at most 1,000."""

    def read(service: RepositoryService) -> ItemList:
        found = service.jobs_of(name).newest(limit=MOST_JOBS)
        return ItemList(found, attrgetter("job_id"), truncated=len(found) == MOST_JOBS)

    return await asked.service_page(paging, read, "extractions", name)


@router.get(
    "/connections/{id}/extractions/{job:path}", tags=[EXTRACTIONS], responses=document_of("job_details")
)
async def extraction(asked: Asked, name: ConnectionId, job: JobId) -> Response:
    """Show one job with its stages and its log."""
    return await asked.service_document(lambda service: service.jobs_of(name).details(job))


@router.post(
    "/connections/{id}/extractions/{job:path}/cancel",
    tags=[EXTRACTIONS],
    status_code=202,
    responses=document_of("job_answer", 202),
)
async def cancel(asked: Asked, name: ConnectionId, job: JobId) -> Response:
    """Cancel a job: its worker stops it, and a waiting one never starts."""
    return await asked.service_document(lambda service: service.jobs_of(name).cancel(job), 202)


@router.get("/extractions/active", tags=[EXTRACTIONS], responses=page_of_items("active_job"))
async def active(asked: Asked, paging: Paged) -> Response:
    """List the jobs of all connections that wait or run, oldest first."""
    return await asked.service_page(
        paging, lambda service: ItemList(service.active(), attrgetter("job_id")), "active"
    )


@router.get("/connections/{id}/stats", tags=[EXTRACTIONS], responses=document_of("connection_statistics"))
async def stats(asked: Asked, name: ConnectionId, days: Days = 30) -> Response:
    """Show statistics of the jobs of the last days: outcomes, seconds by stage, and objects over time."""
    return await asked.service_document(lambda service: service.jobs_of(name).statistics(days=days))


@router.post(
    "/connections/{id}/manifest",
    tags=[EXTRACTIONS],
    responses=document_of("upload_answer"),
    openapi_extra=body_of("upload_request"),
)
async def manifest(
    asked: Asked, name: ConnectionId, details: Annotated[UploadDetails, Depends(upload_details)]
) -> Response:
    """Record a manifest that was built elsewhere, with its column lineage.

    The body may be compressed: `Content-Encoding: gzip`. It has at most 256 MB, and 512 MB when inflated, or
    the `upload_megabytes` of the connection. The manifest has at most its `upload_nodes` nodes. Each
    connection has at most 10 uploads within a minute, and each token two concurrently. After 10 seconds, at
    least 16 KB per second must have arrived. An upload that fails is a failed job. Artifacts of another
    project than that of the connection's last run have the status 409. `recce-meta record --to URL` sends
    this request.
    """

    async def receive(folder: Path, most: UploadLimits) -> UploadDetails:
        await receive_upload(asked.request.headers, asked.request.stream(), folder / UPLOAD, most)
        return details

    def place(service: RepositoryService) -> UploadPlace:
        return UploadPlace(site=asked.site, service=service, limits=asked.limits, caller=asked.caller.name)

    return await asked.awaited(lambda service: record_upload(place(service), name, receive, details))


@router.get("/token", tags=[CONNECTIONS], responses=document_of("token_answer"))
async def token(asked: Asked) -> Response:
    """Show the name and the scopes of the token, and the connection that it is bound to."""

    def read(service: RepositoryService) -> TokenAnswer:
        grant = asked.grant
        return TokenAnswer(
            name=grant.name,
            scopes=tuple(scope for scope in TokenScope if scope in grant.scopes),
            connection_id=grant.connection,
            connection=None if grant.connection is None else service.get(grant.connection).name,
        )

    return await asked.service_document(read)


@router.get("/connections/{id}/lineage", tags=[LINEAGE], responses=document_of("lineage_answer"))
async def lineage(
    asked: Asked,
    name: ConnectionId,
    object_name: ObjectName = None,
    include_column_lineage: Annotated[
        bool, Query(description="Whether the answer has the lineage of columns.")
    ] = False,
    depth: Annotated[
        int, Query(description="Largest number of dependencies from the object; limited to 1 to 5.")
    ] = 1,
) -> Response:
    """Show the objects of the last run and their dependencies, at most 1,000 objects.

    The id of an object is its unique id; the id of a column is that of its object, a dot and its name.
    """
    return await asked.about_run(
        name,
        lambda view, run: lineage_answer(view, run, object_name, depth, has_columns=include_column_lineage),
    )


@router.get("/connections/{id}/impact", tags=[LINEAGE], responses=document_of("impact_answer"))
async def impact(
    asked: Asked,
    name: ConnectionId,
    object_name: Annotated[
        str, Query(description="Unique id of a node, or a name that only it has.", examples=["orders"])
    ],
    column: Annotated[str | None, Query(description="Column; without it, the whole object.")] = None,
    direction: Way = "downstream",
) -> Response:
    """Show what a change of an object or column affects in the last run, at most 1,000 objects."""
    way = Direction(direction)
    return await asked.about_run(name, lambda view, run: impact_answer(view, run, object_name, column, way))


@router.post("/connections/{id}/test", tags=[CONNECTIONS], responses=document_of("connection_test"))
async def test(asked: Asked, name: ConnectionId) -> Response:
    """Test a connection with its stored token: address, token, branch, project and adapter.

    A problem is a failed check of the answer. Each token may test at most 10 connections within a minute.
    """

    async def act(service: RepositoryService) -> object:
        asked.limits.tests.count(asked.caller.name)
        return await service.test_stored(name)

    return await asked.awaited(act)


EVENT_STREAM = "text/event-stream"
RETRY_MILLISECONDS = 2000
"""Time after which a browser connects again."""
PAUSE = 0.5
"""Seconds between two looks at the state."""
SILENCE = 15.0
"""Seconds after which a comment shows proxies that the connection is in use."""
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class LogPosition(NamedTuple):
    """Last line of a log that a client has."""

    job_id: str
    seq: int = 0

    def __str__(self) -> str:
        # The client sends the id back in a header, so it is ASCII without line breaks.
        return f"{quote(self.job_id, safe=':')}/{self.seq}"


def position_of(text: str | None) -> LogPosition | None:
    """Return the position that the id *text* of an event names; None for another text.

    >>> position_of(str(LogPosition("0a1b:feature/x:3", 17)))
    LogPosition(job_id='0a1b:feature/x:3', seq=17)
    """
    job, slash, seq = (text or "").rpartition("/")
    # The header comes from the client: its number must fit into the database.
    if not (job and slash and seq.isascii() and seq.isdecimal() and len(seq) < 10):
        return None
    return LogPosition(unquote(job), int(seq))


def wants_events(request: Request) -> bool:
    """Return True if the client of *request* accepts server-sent events."""
    return EVENT_STREAM in request.headers.get("accept", "").lower()


async def progress_events(
    request: Request, service: RepositoryService, connection_id: str, progress: ProgressAnswer
) -> Response:
    """Answer with the log of the job of *progress* from the last line that the client has, until its end.

    The answer to a client that has all lines of an ended job is 204, after which browsers do not reconnect.
    """
    position = position_of(request.headers.get("last-event-id"))
    # A client that saw another job starts with the first line of this one.
    if position is None or position.job_id != progress.job_id:
        position = LogPosition(progress.job_id)
    elif progress.status.is_over:
        own = await run_in_threadpool(service.jobs_of, connection_id)
        events = await run_in_threadpool(own.events, progress.job_id, after=position.seq)
        if not events:
            return Response(status_code=204, headers=_HEADERS)
    return StreamingResponse(
        _stream(service, connection_id, position), media_type=EVENT_STREAM, headers=_HEADERS
    )


async def _stream(
    service: RepositoryService, connection_id: str, position: LogPosition
) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
    # Only changes are sent: a job may wait for hours.
    known: ProgressAnswer | None = None
    said = time.monotonic()
    while True:
        found, events = await run_in_threadpool(_read, service, connection_id, position)
        for event in events:
            position = position._replace(seq=event.seq)
            yield _message("log", position, event)
        if found is not None and found != known:
            yield _message("progress", position, found)
        if found is None or found.status.is_over:
            return
        now = time.monotonic()
        if events or found != known:
            said, known = now, found
        elif now - said >= SILENCE:
            said = now
            yield b": the job continues\n\n"
        await asyncio.sleep(PAUSE)


def _read(
    service: RepositoryService, connection_id: str, position: LogPosition
) -> tuple[ProgressAnswer | None, list[JobEvent]]:
    """Return the progress of a job, and the lines of its log after *position*."""
    # The progress comes first: lines of a job that is over are complete.
    own = service.jobs_of(connection_id)
    found = own.progress(position.job_id)
    return found, own.events(position.job_id, after=position.seq)


def _message(name: str, position: LogPosition, value: object) -> bytes:
    # JSON on one line: a line break would end the field.
    data = harmless_json(msgspec.json.encode(value))
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), str(position).encode(), data)
