"""One request about connections: finds the service, checks the parameters, and answers with JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from recce_meta.errors import UsageError
from recce_meta.models import RunMetadata
from recce_meta.repositories.service import RepositoryService
from recce_meta.repositories.state.requests import Caller
from recce_meta.server.access.limits import ConnectionLimits
from recce_meta.server.access.problems import NotFound, UploadTooLarge
from recce_meta.server.access.scopes import Grant
from recce_meta.server.access.sessions import read_body
from recce_meta.server.json_api.call import answer, check_parameters, etag_of, has_etag
from recce_meta.server.json_api.paging import ItemList, page_of
from recce_meta.server.json_api.parameters import Paging
from recce_meta.server.site.rendering import encoded
from recce_meta.server.site.serving import Site
from recce_meta.server.site.uploads import store_of
from recce_meta.server.stores.stores import Store, StoreView

LARGEST_REQUEST = 256 * 1024
"""Bytes of a request about a connection; its variables are the largest part."""
MOST_JOBS = 1000
"""Largest number of jobs of a history."""

Value = TypeVar("Value")


def caller_of(request: Request) -> Caller:
    """Return who sends *request*."""
    grant: Grant = request.state.grant
    return Caller(name=grant.name, is_admin=grant.is_admin, is_remote=True)


class ServiceCall:
    """One request about connections."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.caller = caller_of(request)

    @property
    def service(self) -> RepositoryService:
        """Service of the state, for what the caller may know. Raises NoState without one."""
        service = self.site.required_service()
        bound = self.grant.connection
        return service if bound is None else service.limited_to(bound)

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
    def limits(self) -> ConnectionLimits:
        """Limits of the requests about connections."""
        found: ConnectionLimits = self.request.app.state.limits
        return found

    async def document(self, read: Callable[[RepositoryService], object], status: int = 200) -> Response:
        """Answer with what *read* returns, which runs in a thread."""
        return await self.awaited(lambda service: run_in_threadpool(read, service), status)

    async def awaited(
        self, act: Callable[[RepositoryService], Awaitable[object]], status: int = 200
    ) -> Response:
        """Answer with the outcome of *act*; an answer is passed on as it is."""
        check_parameters(self.request)
        found = await act(self.service)
        return found if isinstance(found, Response) else self.answered(found, status)

    async def page(
        self, paging: Paging, read: Callable[[RepositoryService], ItemList], *identity: str
    ) -> Response:
        """Answer with a page of the list that *read* returns; *identity* distinguishes it from others."""

        def listed(service: RepositoryService) -> dict[str, Any]:
            return page_of(read(service), identity, paging.limit, paging.cursor)._asdict()

        return await self.document(listed)

    async def about_run(self, connection: str, build: Callable[[StoreView, RunMetadata], object]) -> Response:
        """Answer with what *build* returns for the last run of *connection*, in a thread of its store."""

        async def act(service: RepositoryService) -> object:
            site = self.site
            # Each store has its own threads, so one that does not answer blocks neither the state nor others.
            store, run_id = await run_in_threadpool(_last_run, site, service, connection)

            def read() -> object:
                with store.view() as view:
                    return build(view, view.run(run_id))

            return await asyncio.get_running_loop().run_in_executor(site.threads(store.name), read)

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


Asked = Annotated[ServiceCall, Depends(ServiceCall)]


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
    run_id = service.last_run(found.id)
    if run_id is None:
        raise NotFound(
            f"The connection {found.name} has no run yet", hint=f"recce-meta connection extract {found.name}"
        )
    return store_of(site, found.store), run_id
