"""From a request to a page: finds the store, borrows a connection, renders, and keeps what was rendered.

A handler is a plain function with a `Request`, and returns a Page or a Listing. It runs in a thread, because
reading a store blocks.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from recce_meta._version import __version__
from recce_meta.api.caches import LruCache
from recce_meta.errors import AmbiguousProject
from recce_meta.report.addresses import Addresses, segment, segment_text
from recce_meta.report.tabular.delimited import delimited
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.server.access.problems import (
    LATE,
    NoState,
    NotFound,
    Problem,
    StopRequest,
    api_failure,
    failure_headers,
    is_api,
    problem,
)
from recce_meta.server.access.scopes import sender
from recce_meta.server.access.sessions import client_address
from recce_meta.server.site.handlers import (
    Data,
    Download,
    Handler,
    MovedTo,
    PageSet,
    Parameters,
    Redirect,
    Registered,
    Request,
    decoded,
    form_of,
    query_of,
)
from recce_meta.server.site.listing import Listing, ListQuery, list_view, matching, plain_row
from recce_meta.server.site.rendering import Page, encoded, render_page
from recce_meta.server.stores.stores import CONNECTIONS, Store, StoreView

CACHED_BYTES = 16 * 2**20
"""Size of rendered pages in memory."""
THREADS = 2 * CONNECTIONS
"""Number of requests to one store that are answered concurrently; the others wait."""


OVERVIEW_SECONDS = 5.0
"""Time for which the overview of all stores waits for each of them."""
Value = TypeVar("Value")


class Rendered(NamedTuple):
    """A response body that may be sent again."""

    body: bytes
    media_type: str
    etag: str
    status: int = 200
    location: str | None = None


@dataclass
class _Job:
    """A page that is being made, for all requests that wait for it."""

    future: Future[Rendered | Download]
    stop: StopRequest
    readers: int = 0


class Site:
    """All pages of all stores."""

    def __init__(
        self,
        stores: Mapping[str, Store],
        *,
        has_login: bool = False,
        origin: str | None = None,
        service: RepositoryService | None = None,
    ) -> None:
        """Create the site of *stores*; with *has_login*, its frame has a button to log out.

        *origin* is the scheme and host that browsers use, if a proxy changes them. *service* has the
        connections of repositories; None without a state.
        """
        self.stores, self.origin, self.service = stores, origin, service
        self._has_login = has_login
        self._rendered = LruCache(CACHED_BYTES)
        self._jobs: dict[Hashable, _Job] = {}
        self._jobs_lock = Lock()
        # Each store has its own threads: a store that does not answer must not block the others.
        self._threads = {name: ThreadPoolExecutor(THREADS, f"recce_meta {name}") for name in stores}

    def required_service(self) -> RepositoryService:
        """Return the service of connections. Raises NoState without a state."""
        if self.service is None:
            raise NoState(
                "This server has no state, which stores connections",
                hint="recce-meta connection add ADDRESS creates it; then restart the server",
            )
        return self.service

    def threads(self, store: str) -> ThreadPoolExecutor | None:
        """Return the threads that answer about *store*; None if no store has this name."""
        return self._threads.get(store)

    def routes(self, *sets: PageSet) -> list[Route]:
        """Return a route for each handler of *sets*."""
        found = []
        for registered in (one for pages in sets for one in pages.registered):
            for suffix in registered.suffixes:
                found.append(
                    Route(
                        f"/s/{{store}}{registered.path}{suffix}",
                        self._action(registered)
                        if registered.is_action
                        else self._endpoint(registered, suffix),
                        methods=["POST"] if registered.is_action else ["GET"],
                    )
                )
        return found

    def shared(self, view: StoreView | None, request: Request | None = None) -> dict[str, Any]:
        """Return the values that all templates need: without a *view*, the addresses of the only store."""
        stores = [Addresses(name) for name in self.stores]
        to = view.to if view is not None else stores[0] if len(stores) == 1 else None
        is_search = to is not None and request is not None and request.path == to.search()
        return {
            "version": __version__,
            "stores": stores,
            "to": to,
            "read_at": None if view is None else view.read_at,
            "has_login": self._has_login,
            "has_connections": self.service is not None,
            "path": "" if request is None else request.path,
            "searched": request.query.get("q", "") if request is not None and is_search else "",
        }

    def read_all(
        self, read: Callable[[StoreView], Value], seconds: float = OVERVIEW_SECONDS
    ) -> dict[str, Value | Problem]:
        """Return the result of *read* for each store by name, or why it failed.

        All stores are read concurrently. One that does not answer within *seconds* is a `timeout`.
        """
        stops = {name: StopRequest() for name in self.stores}

        def one(name: str) -> Value:
            with self.stores[name].view(stops[name]) as view:
                return read(view)

        futures = {name: self._threads[name].submit(one, name) for name in self.stores}
        late = wait(futures.values(), seconds).not_done
        found: dict[str, Value | Problem] = {}
        for name, future in futures.items():
            if future in late:
                # Its thread may run already: `cancel` only removes one that waits for its turn.
                stops[name].ask()
                future.cancel()
                found[name] = LATE
            else:
                error = future.exception()
                found[name] = future.result() if error is None else problem(error)
        return found

    def _endpoint(self, registered: Registered, suffix: str) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def endpoint(request: HttpRequest) -> Response:
            found = await self._answered(registered, suffix, request)
            return sent(found) if isinstance(found, Download) else respond(found, request)

        return endpoint

    def _action(self, registered: Registered) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def endpoint(http: HttpRequest) -> Response:
            store, parts = self._place_of(http)
            form, query = await form_of(http), query_of(http)
            # The form was read before a thread is taken: a slow client must not occupy one.
            by = sender(client_address(http.scope), http.state.grant)

            def act(view: StoreView) -> Rendered:
                author = http.state.grant.author
                path = str(http.scope["path"])
                state = None if self.service is None else self.service.state
                request = Request(view, path, parts, query, form, by, author, state)
                answer = registered.handler(request)
                if isinstance(answer, Redirect):
                    return Rendered(b"", "text/plain", "", 303, answer.address)
                assert not isinstance(answer, Download)
                return self._render(answer, request, "")

            # The context has who acts, for the audit.
            work = self._threads[store.name].submit(copy_context().run, store.answered, act)
            answer = respond(await asyncio.wrap_future(work), http)
            answer.headers["Cache-Control"] = "no-store"
            return answer

        return endpoint

    def _place_of(self, http: HttpRequest) -> tuple[Store, Mapping[str, str]]:
        """Return the store of an address, and the parts of its path. Raises NotFound without the store."""
        parts = {name: decoded(segment_text(str(value))) for name, value in http.path_params.items()}
        store = self.stores.get(parts.pop("store"))
        if store is None:
            raise NotFound("No store has this name", hint="the overview lists all stores")
        return store, parts

    async def _answered(self, registered: Registered, suffix: str, http: HttpRequest) -> Rendered | Download:
        """Return the answer to *http*; concurrent requests for one address share the work.

        If all of its readers have gone, the statements of a page are stopped.
        """
        store, parts = self._place_of(http)
        name, query = store.name, query_of(http)
        path = str(http.scope["path"])
        version = store.known_version()
        known = None if version is None else self._rendered.get(_key(store, version, path, query))
        if known is not None:  # without a thread or a connection
            return known  # type: ignore[no-any-return]
        # A file is read once, so each of its readers gets one of its own.
        key = (name, path, object() if registered.is_file else query.pairs)
        # The key lacks the version, for which only a thread can ask the store.
        with self._jobs_lock:
            job = self._jobs.get(key)
            if job is None:
                asked = _Asked(registered.handler, suffix, path, parts, query, StopRequest())
                made_by = self._threads[name].submit(self._answer, store, asked)
                job = self._jobs[key] = _Job(made_by, asked.stop)
            job.readers += 1
        # Outside the lock: a future that is done calls back at once, and `_forget` takes the lock.
        job.future.add_done_callback(partial(self._forget, key))
        gone = asyncio.ensure_future(disconnected(http))
        try:
            made = asyncio.wrap_future(job.future)
            # asyncio logs errors that are never read: those of pages whose readers have gone.
            made.add_done_callback(lambda done: done.cancelled() or done.exception())
            waiting: set[asyncio.Future[Any]] = {made, gone}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not made.done():
                raise ClientDisconnect
            return made.result()
        finally:
            gone.cancel()
            self._leave(key, job)

    def _leave(self, key: Hashable, job: _Job) -> None:
        """Count one reader of *job* less, and stop it without any."""
        with self._jobs_lock:
            job.readers -= 1
            if job.readers or job.future.done():
                return
            # A reader that arrives now starts a new job instead of joining one that is being stopped.
            self._jobs.pop(key, None)
        job.stop.ask()
        job.future.cancel()

    def _forget(self, key: Hashable, future: Future[Rendered | Download]) -> None:
        with self._jobs_lock:
            # Each reader registers this callback, and a new job may have the key by now.
            if key in self._jobs and self._jobs[key].future is future:
                del self._jobs[key]

    def _answer(self, store: Store, asked: _Asked) -> Rendered | Download:
        def answer(view: StoreView) -> Rendered | Download:
            key = _key(store, view.version, asked.path, asked.query)
            found = self._rendered.get(key)
            if found is None:
                request = Request(view, asked.path.removesuffix(asked.suffix), asked.parts, asked.query)
                try:
                    answer = asked.handler(request)
                except AmbiguousProject as error:
                    answer = _in_one_project(error, request, asked.path)
                except MovedTo as moved:
                    answer = Redirect(str(moved))
                if isinstance(answer, Download):
                    return answer
                found = self._render(answer, request, asked.suffix)
                if isinstance(answer, Redirect) or answer.is_kept:
                    self._rendered.put(key, found, len(found.body) + len(repr(key)) + 500)
            return found  # type: ignore[no-any-return]

        return store.answered(answer, asked.stop)

    def _render(self, answer: Page | Listing | Redirect | Data, request: Request, suffix: str) -> Rendered:
        if isinstance(answer, Redirect):
            # Not permanent: selectors such as `latest` lead to another run tomorrow.
            return Rendered(b"", "text/plain", "", 307, answer.address)
        if isinstance(answer, Data):
            return rendered(encoded(answer.value), "application/json", answer.status)
        shared = self.shared(request.view, request)
        return self.render(answer, request.path, request.query, suffix, shared)

    def render(
        self,
        answer: Page | Listing,
        path: str,
        parameters: Parameters,
        suffix: str,
        shared: Mapping[str, Any],
    ) -> Rendered:
        """Return the page *answer* of the address with *path* and *parameters*.

        *suffix* is that of a list as CSV or JSON, and *shared* has the values that all templates need.
        """
        if isinstance(answer, Listing) and suffix:
            query = ListQuery.parse(parameters, answer)
            table = answer.to_table(matching(answer, query))
            if suffix == ".csv":
                return rendered(delimited(table, "csv"), "text/csv; charset=utf-8")
            return rendered(encoded(list(map(plain_row, table.to_dicts()))), "application/json")
        if isinstance(answer, Listing):
            view = list_view(answer, parameters, path)
            answer = Page(
                answer.template, answer.title, {**answer.values, "list": view}, crumbs=answer.crumbs
            )
        return rendered(render_page(answer, **shared), HTML, answer.status)

    def failure(self, error: Exception, request: HttpRequest) -> Response:
        """Return the answer to a request that failed: a page with the next step, JSON for the API."""
        if is_api(request):
            return api_failure(error)
        found = problem(error)
        title = _TITLES.get(found.status, "Something went wrong")
        page = Page("error.html", title, {"message": found.message, "hint": found.hint, "choices": ()})
        body = render_page(page, **{**self.shared(None), **self._place(str(request.scope["path"]))})
        return Response(body, found.status, media_type=HTML, headers=failure_headers(found))

    def _place(self, path: str) -> dict[str, Any]:
        """Return the values of the frame that name the store of *path*; none for another address."""
        parts = path.split("/")
        name = segment_text(parts[2]) if parts[1:2] == ["s"] and len(parts) > 2 else ""
        return {"to": Addresses(name), "path": path} if name in self.stores else {}


class _Asked(NamedTuple):
    """What a thread needs to make a page."""

    handler: Handler
    suffix: str
    path: str
    parts: Mapping[str, str]
    query: Parameters
    stop: StopRequest


def _in_one_project(error: AmbiguousProject, request: Request, path: str) -> Page | Redirect:
    """Return the page that links *path* in each project, or the address with the runs of `?project=`.

    Raises *error* if no part of the path is a selector of a run.
    """
    query, project = request.query.without("project"), request.query.get("project")
    if project is None:
        choices = [
            (name, path + Parameters((*query.pairs, ("project", name))).encoded()) for name in error.projects
        ]
        values = {"message": error.message, "hint": "choose the project", "choices": choices}
        return Page("error.html", "Several projects", values, status=404)
    parts = path.split("/")  # "", s, STORE, runs, RUN or "", s, STORE, diff, BASE, CURRENT
    for place in range(4, {"runs": 5, "diff": 6}.get(parts[3], 4)):
        parts[place] = segment(request.view.run(segment_text(parts[place]), project).run_id)
    address = "/".join(parts)
    if address == path:
        raise error
    return Redirect(address + query.encoded())


def _key(store: Store, version: Hashable, path: str, query: Parameters) -> Hashable:
    # The review shows jobs, of which the version of the store says nothing.
    return store.name, version, store.queries.started, path, query.pairs


async def disconnected(http: HttpRequest) -> None:
    """Wait until the reader of *http* has gone."""
    while (await http.receive())["type"] != "http.disconnect":
        pass


HTML = "text/html; charset=utf-8"
_TITLES = {
    400: "This address cannot be answered",
    403: "Not allowed",
    404: "Not found",
    405: "This address cannot be answered",
    503: "The store cannot be read now",
    504: "The answer takes too long",
}


def rendered(content: str, media_type: str, status: int = 200) -> Rendered:
    """Return *content* with its digest as ETag."""
    body = content.encode("utf-8", "backslashreplace")
    return Rendered(body, media_type, f'"{sha256(body).hexdigest()[:32]}"', status)


COMPRESSED = 1024
"""Size in bytes from which answers are compressed."""


def compressed(request: HttpRequest, body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return *body*, compressed if it is large and the client accepts it, and the headers that say so."""
    headers = {"Vary": "Accept-Encoding"}
    if len(body) < COMPRESSED or not _accepts_gzip(request.headers.get("accept-encoding", "")):
        return body, headers
    # Without a time, equal answers have equal bytes.
    return gzip.compress(body, 5, mtime=0), {**headers, "Content-Encoding": "gzip"}


def _accepts_gzip(accepted: str) -> bool:
    for one in accepted.split(","):
        name, _, weight = one.strip().partition(";")
        if name.strip().lower() == "gzip":
            # A weight of zero means that the client refuses the encoding.
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def respond(found: Rendered, request: HttpRequest, lifetime: str = "private, no-cache") -> Response:
    """Return *found*, or 304 if the browser has it; *lifetime* is how long it may be kept, and by whom."""
    if found.location is not None:
        return RedirectResponse(found.location, found.status)
    # Weak: the bytes of an answer depend on its compression as well.
    headers = {"ETag": f"W/{found.etag}", "Cache-Control": lifetime, "Vary": "Accept-Encoding"}
    asked = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if found.status == 200 and found.etag in asked:
        return Response(status_code=304, headers=headers)
    body, encoding = compressed(request, found.body)
    return Response(body, found.status, headers={**headers, **encoding}, media_type=found.media_type)


def sent(found: Download) -> Response:
    """Return *found* as a response that reads its file in pieces."""
    headers = {
        "Content-Disposition": f'attachment; filename="{_UNSAFE.sub("_", found.name)}"',
        "Content-Length": str(found.size),
        "Cache-Control": "no-store",
    }
    pieces = iter(lambda: found.file.read(PIECE), b"")
    return StreamingResponse(
        pieces, headers=headers, media_type=found.media_type, background=BackgroundTask(found.file.close)
    )


PIECE = 2**16
"""Bytes of a file that are sent together."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
