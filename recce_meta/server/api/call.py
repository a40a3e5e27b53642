"""One request to the API: finds the store, checks the ETag before the work, limits and compresses answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from recce_meta._version import __version__
from recce_meta.api.run_reader import folder_of
from recce_meta.errors import UsageError, did_you_mean, first_of
from recce_meta.models import RunMetadata
from recce_meta.models.quality import QualityRun
from recce_meta.report.addresses import segment_text
from recce_meta.report.json import data_tree
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.requests import Caller
from recce_meta.server.access.limits import ConnectionLimits
from recce_meta.server.access.problems import (
    AnswerTooLarge,
    InvalidParameter,
    NotFound,
    RequestStopped,
    StopRequest,
    UploadTooLarge,
    failure,
)
from recce_meta.server.access.scopes import Grant
from recce_meta.server.access.sessions import read_body
from recce_meta.server.api.paging import ItemList, Paging, page_of
from recce_meta.server.site.rendering import encoded
from recce_meta.server.site.serving import Site, compressed, disconnected
from recce_meta.server.site.uploads import store_of
from recce_meta.server.stores.stores import Store, StoreView
from recce_meta.store.select import require_complete

LARGEST_REQUEST = 256 * 1024
"""Bytes of the body of a request; variables of a connection are the largest part."""
LARGEST = 16 * 2**20
"""Largest number of bytes of an answer, before compression."""
JSON = "application/json"
PRIVATE = "private, no-cache"

Chosen = TypeVar("Chosen")
Value = TypeVar("Value")


class Call:
    """One request: about a store, or about the connections of the state."""

    def __init__(self, request: Request, store_name: str = "") -> None:
        self.request, self._store_name = request, store_name

    @property
    def site(self) -> Site:
        """Site with the stores."""
        found: Site = self.request.app.state.site
        return found

    @property
    def grant(self) -> Grant:
        """What the request may do."""
        found: Grant = self.request.state.grant
        return found

    @property
    def caller(self) -> Caller:
        """Who sends the request."""
        return Caller(name=self.grant.name, is_admin=self.grant.is_admin, is_remote=True)

    @property
    def limits(self) -> ConnectionLimits:
        """Limits of the requests about connections."""
        found: ConnectionLimits = self.request.app.state.limits
        return found

    @property
    def service(self) -> RepositoryService:
        """Service of the state, for what the caller may know. Raises NoState without one."""
        service = self.site.required_service()
        bound = self.grant.connection
        return service if bound is None else service.limited_to(bound)

    async def document(
        self, choose: Callable[[StoreView], Chosen], build: Callable[[StoreView, Chosen], str]
    ) -> Response:
        """Answer with the JSON that *build* returns for the runs that *choose* returns.

        *choose* must be fast: its result is part of the ETag, which is checked before *build* is called. Both
        run in a thread. Each store has its own threads: a store that does not answer must not block others.
        If the client has gone, the statements are stopped.
        """
        stop = StopRequest()
        answered = partial(self._answered, choose, build, stop)
        # An unknown store has no threads: the default ones answer that it is unknown.
        made = asyncio.get_running_loop().run_in_executor(self.site.threads(self._store_name), answered)
        gone = asyncio.ensure_future(disconnected(self.request))
        waiting: set[asyncio.Future[Any]] = {made, gone}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return made.result() if made.done() else failure(RequestStopped("The client has gone"))
        finally:
            gone.cancel()
            # A request that waits for a thread never begins.
            if made.cancel():
                stop.ask()

    def _answered(
        self,
        choose: Callable[[StoreView], Chosen],
        build: Callable[[StoreView, Chosen], str],
        stop: StopRequest,
    ) -> Response:
        try:
            check_parameters(self.request)

            def document(view: StoreView) -> tuple[str, bytes | None]:
                chosen = choose(view)
                etag = self._etag(view, ids_of(chosen))
                if has_etag(self.request, etag):
                    return etag, None
                return etag, build(view, chosen).encode("utf-8", "backslashreplace")

            etag, body = self._store().answered(document, stop)
            # Compression needs no connection.
            return (
                Response(status_code=304, headers=_headers(etag))
                if body is None
                else answer(self.request, body, etag)
            )
        except Exception as error:  # noqa: BLE001 - every failure is an answer
            return failure(error)

    async def page(
        self,
        paging: Paging,
        choose: Callable[[StoreView], Chosen],
        listed: Callable[[StoreView, Chosen], ItemList],
    ) -> Response:
        """Answer with a page of the list that *listed* returns for the runs that *choose* returns."""

        def build(view: StoreView, chosen: Chosen) -> str:
            found = listed(view, chosen)
            # With the ids of runs: a cursor of `latest` must not continue in another run.
            identity = (self.request.url.path, parameters_of(self.request, "limit", "cursor"), ids_of(chosen))
            page = page_of(found, identity, paging.limit, paging.cursor)
            items = [data_tree(item) for item in page.items] if found.is_tree else page.items
            return encoded({**page._asdict(), "items": items})

        return await self.document(choose, build)

    async def change(self, act: Callable[[StoreView, bytes, Grant], object]) -> Response:
        """Answer with what *act* returns for the body of the request and its grant; it may write."""
        check_parameters(self.request)
        # Read before a thread is taken: a slow client must not occupy one.
        body, store, grant = await self.body(), self._store(), self.grant

        found = await self.in_store(
            store.name, lambda: store.answered(lambda view: encoded(act(view, body, grant)))
        )
        return answer(self.request, found.encode("utf-8", "backslashreplace"), etag_of(found))

    async def in_store(self, name: str, act: Callable[[], Value]) -> Value:
        """Return what *act* returns, in a thread of the store *name*.

        Each store has its own threads: one that does not answer must block neither the state nor others.
        """
        return await asyncio.get_running_loop().run_in_executor(self.site.threads(name), act)

    def _store(self) -> Store:
        store = self.site.stores.get(self._store_name)
        if store is None:
            raise NotFound("No store has this name", hint="/api/stores lists the stores")
        return store

    def _etag(self, view: StoreView, ids: Sequence[str]) -> str:
        path, parameters = self.request.url.path, parameters_of(self.request)
        # With the version of recce_meta: another one may write other documents about the same store.
        return etag_of(repr((__version__, view.store.name, view.version, ids, path, parameters)))

    async def service_document(
        self, read: Callable[[RepositoryService], object], status: int = 200
    ) -> Response:
        """Answer with what *read* returns, which runs in a thread."""
        return await self.awaited(lambda service: run_in_threadpool(read, service), status)

    async def awaited(
        self, act: Callable[[RepositoryService], Awaitable[object]], status: int = 200
    ) -> Response:
        """Answer with the outcome of *act*; an answer is passed on as it is."""
        check_parameters(self.request)
        found = await act(self.service)
        return found if isinstance(found, Response) else self.answered(found, status)

    async def service_page(
        self, paging: Paging, read: Callable[[RepositoryService], ItemList], *identity: str
    ) -> Response:
        """Answer with a page of the list that *read* returns; *identity* distinguishes it from others."""

        def listed(service: RepositoryService) -> dict[str, Any]:
            return page_of(read(service), identity, paging.limit, paging.cursor)._asdict()

        return await self.service_document(listed)

    async def about_run(self, connection: str, build: Callable[[StoreView, RunMetadata], object]) -> Response:
        """Answer with what *build* returns for the last run of *connection*, in a thread of its store."""

        async def act(service: RepositoryService) -> object:
            store, run_id = await run_in_threadpool(_last_run, self.site, service, connection)

            return await self.in_store(
                store.name, lambda: store.answered(lambda view: build(view, view.run(run_id)))
            )

        return await self.awaited(act)

    async def threaded(self, read: Callable[[], Value]) -> Value:
        """Return what *read* returns, which runs in a thread."""
        return await run_in_threadpool(read)

    async def body(self) -> bytes:
        """Return the body of the request. Raises UploadTooLarge."""
        found = await read_body(self.request, LARGEST_REQUEST)
        if found is None:
            raise UploadTooLarge(f"The request has more than {LARGEST_REQUEST // 1024} kB", hint="send less")
        return found

    def answered(self, found: object, status: int = 200) -> Response:
        """Return *found* as JSON, or 304 if the client has it."""
        body = encoded(found).encode("utf-8", "backslashreplace")
        etag = etag_of(body.decode())
        # Only for answers that a client may keep: those of POST report what happened.
        if status == 200 and self.request.method == "GET" and has_etag(self.request, etag):
            return Response(status_code=304, headers={"ETag": etag})
        sent = answer(self.request, body, etag)
        sent.status_code = status
        return sent


async def call_of_store(
    request: Request,
    store: Annotated[str, Path(description="Name of the store, as in `/api/stores`.", examples=["default"])],
) -> Call:
    """Return the call of *request*: a dependency of the routes of a store."""
    return Call(request, segment_text(store))


async def call_of_state(request: Request) -> Call:
    """Return the call of *request*: a dependency of the routes of no store, or of one that they choose."""
    return Call(request)


OfStore = Annotated[Call, Depends(call_of_store)]
Asked = Annotated[Call, Depends(call_of_state)]


def parameters_of(request: Request, *without: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters of the address of *request*, sorted, but for those called *without*."""
    given = request.query_params.multi_items()
    # Sorted, so that the order of parameters changes neither ETags nor cursors.
    return tuple(sorted((name, value) for name, value in given if name not in without))


def check_parameters(request: Request) -> None:
    """Raise InvalidParameter for an unknown or repeated parameter, and for a NUL character."""
    # From the OpenAPI document, so that the description and the check cannot differ.
    known = request.app.state.api.parameters_of(request.method, request.scope["route"].path_format)
    seen: set[str] = set()
    for name, value in parameters_of(request):
        if name not in known:
            raise InvalidParameter(
                f"Unknown parameter '{name}'",
                hint=did_you_mean(name, known)
                or f"known parameters: {first_of(known, len(known)) or 'none'}",
            )
        # FastAPI would silently use the last one.
        if name in seen:
            raise InvalidParameter(f"Parameter '{name}' is given twice", hint="give it once")
        # Databases refuse it in texts, which would look like a failure of the store.
        if "\0" in value:
            raise InvalidParameter(f"Parameter '{name}' contains a NUL character", hint="remove it")
        seen.add(name)


def ids_of(chosen: object) -> tuple[str, ...]:
    """Return the ids of the runs and measurements in *chosen*, for the ETag and for cursors."""
    if isinstance(chosen, RunMetadata):
        return (chosen.run_id,)
    if isinstance(chosen, QualityRun):
        return (chosen.quality_run_id,)
    if isinstance(chosen, (tuple, list)):
        return tuple(found for one in chosen for found in ids_of(one))
    return ()


def no_runs(view: StoreView) -> None:
    """Choose no run: the answer depends on the whole store."""


def run_choice(selector: str, project: str | None) -> Callable[[StoreView], RunMetadata]:
    """Return a function that finds the run *selector*, which must be complete."""

    def choose(view: StoreView) -> RunMetadata:
        refuse_folder(selector)
        return require_complete(view.run(selector, project))

    return choose


def refuse_folder(selector: str | None) -> None:
    """Raise UsageError for `path:DIR`: a client must not read files of the server."""
    if folder_of(selector) is not None:
        raise UsageError(
            "The server reads stored runs only, no folders", hint="use a run of /api/stores/{store}/runs"
        )


def etag_of(text: str) -> str:
    """Return a weak ETag: the bytes of an answer depend on its compression as well."""
    return f'W/"{sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'


def has_etag(request: Request, etag: str) -> bool:
    """Return True if the client has the answer with *etag*."""
    asked = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return etag.removeprefix("W/") in asked or asked == ["*"]


def answer(request: Request, body: bytes, etag: str, media_type: str = JSON) -> Response:
    """Return *body*, compressed if it is large and the client accepts it. Raises AnswerTooLarge."""
    # A bound on memory: each request has the document, its bytes and the compressed ones.
    if len(body) > LARGEST:
        raise AnswerTooLarge(
            f"The answer has {len(body):,} bytes, more than the limit of {LARGEST:,}",
            hint="ask for less: filter, or page with limit",
        )
    body, encoding = compressed(request, body)
    return Response(body, media_type=media_type, headers=_headers(etag) | encoding)


def _headers(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": PRIVATE, "Vary": "Accept-Encoding"}


def first_item_id(item: Any) -> str:
    """Return the unique id of an item of a list."""
    return str(item.unique_id)


def decoded_body(body: bytes, kind: type[Value]) -> Value:
    """Return *body*, JSON or empty, as *kind*. Raises UsageError for another form."""
    try:
        # A request without a body means the defaults: `curl -X POST` is enough to extract.
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        # Of lists within lists: the decoder stops at the depth that Python allows.
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else reason
        raise UsageError(f"Invalid request: {reason}", hint="/api/docs describes the request") from None


def _last_run(site: Site, service: RepositoryService, connection: str) -> tuple[Store, str]:
    """Return the store of *connection*, and the id of its last run. Raises NotFound without a run."""
    found = service.get(connection)
    run_id = service.jobs_of(found.id).last_run()
    if run_id is None:
        raise NotFound(
            f"The connection {found.name} has no run yet", hint=f"recce-meta connection extract {found.name}"
        )
    return store_of(site, found.store), run_id
