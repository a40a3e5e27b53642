"""From a request to a page about connections, which belongs to no store.

A handler is a plain function with a `ConnectionRequest`, which runs in a thread, or a coroutine function.
Actions change something: only the token of `serve`, a session of the login page, or a token with the scope
`admin` may send them, see `scopes`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from recce_meta.report.addresses import segment, segment_text
from recce_meta.repositories.service.answers import ConnectionAnswer, connection_answer
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.requests import Caller, refuse_database
from recce_meta.server.access.problems import NotAllowed
from recce_meta.server.site.handlers import (
    PageSet,
    Parameters,
    Redirect,
    Registered,
    decoded,
    form_of,
    query_of,
)
from recce_meta.server.site.serving import Site, respond

ROOT = "/connections"


def address_of(connection_id: str, *parts: str) -> str:
    """Return the address of a page about a connection.

    >>> address_of("0a1b", "jobs", "0a1b:main:1")
    '/connections/0a1b/jobs/0a1b~3Amain~3A1'
    """
    return "/".join([ROOT, *map(segment, (connection_id, *parts))])


@dataclass(frozen=True)
class ConnectionRequest:
    """Request for a page about connections."""

    site: Site
    service: RepositoryService
    caller: Caller
    path: str
    """Path of the address, without the suffix `.csv` or `.json`."""
    parts: Mapping[str, str]
    query: Parameters
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    http: HttpRequest | None = field(default=None, repr=False)
    """The request itself for a form with files, whose body is not read yet."""

    @property
    def connection(self) -> str:
        """Id of the connection in the address."""
        return self.parts["id"]

    def repository(self) -> ConnectionAnswer:
        """Return the connection in the address. Raises NotARepository for a database."""
        connection = self.service.find(self.connection)
        refuse_database(connection)
        return connection_answer(connection)


def require_admin(request: ConnectionRequest) -> None:
    """Raise NotAllowed unless an administrator asks."""
    if not request.caller.is_admin:
        raise NotAllowed("Only an administrator may do this", hint="log in with the token of serve")


def routes(pages: PageSet, site: Site) -> list[Route]:
    """Return a route below `/connections` for each handler of *pages*."""
    return [
        Route(
            f"{ROOT}{one.path}{suffix}",
            _endpoint(site, one, suffix),
            methods=["POST" if one.is_action else "GET"],
        )
        for one in pages.registered
        for suffix in one.suffixes
    ]


def _endpoint(
    site: Site, registered: Registered, suffix: str
) -> Callable[[HttpRequest], Awaitable[Response]]:
    is_action = registered.is_action

    async def endpoint(http: HttpRequest) -> Response:
        grant = http.state.grant
        path = str(http.scope["path"])
        request = ConnectionRequest(
            site,
            # Raises before the body of a form is read.
            site.required_service(),
            # From the token or the session, never from the form: jobs store who requested them.
            Caller(name=grant.name, is_admin=grant.is_admin, is_remote=True),
            path.removesuffix(suffix),
            {name: decoded(segment_text(str(value))) for name, value in http.path_params.items()},
            query_of(http),
            await form_of(http) if is_action and not registered.has_files else {},
            http if registered.has_files else None,
        )
        handler = registered.handler
        # Tests of a connection wait for a git server: as coroutines, they occupy no thread.
        if inspect.iscoroutinefunction(handler):
            found = await handler(request)
        else:
            found = await run_in_threadpool(handler, request)
        if isinstance(found, Redirect):
            # 303 turns POST into GET, so reloading the next page does not send the form again.
            return RedirectResponse(found.address, 303, {"Cache-Control": "no-store"})
        shared = {**site.shared(None), "path": path}
        answer = respond(site.render(found, request.path, request.query, suffix, shared), http)
        if is_action:
            # A refused form is shown again with what the user typed.
            answer.headers["Cache-Control"] = "no-store"
        if registered.has_files:
            # The rest of a refused upload is not read, so the connection cannot carry another request.
            answer.headers["Connection"] = "close"
        return answer

    return endpoint
