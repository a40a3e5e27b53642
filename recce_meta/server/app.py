"""The application: pages, API, static files and login."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from recce_meta.errors import ConfigurationError, RecceMetaError, UsageError
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.audit import Actor, AuditAction, AuditOrigin, acting_as, note_now
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tokens import StoredSessions, find_token
from recce_meta.server import health
from recce_meta.server.access.problems import NotFound, WrongMethod
from recce_meta.server.access.scopes import Grant, grant_of
from recce_meta.server.access.sessions import (
    LOGIN,
    METRICS,
    Access,
    AccessMiddleware,
    log_in,
    log_out,
    own_path,
    raw_path,
)
from recce_meta.server.api.application import api_mount
from recce_meta.server.api.openapi import PREFIX
from recce_meta.server.metrics import Metrics
from recce_meta.server.pages.connections import admin, connection, databases, forms, lists
from recce_meta.server.pages.connections.routing import routes as connection_routes
from recce_meta.server.pages.forms import editor
from recce_meta.server.pages.graph import pages as graph
from recce_meta.server.pages.nodes import column, data, database, history, lineage, node, notes
from recce_meta.server.pages.projects import (
    builds,
    column_quality,
    overview,
    project,
    quality,
    quality_lists,
    search,
)
from recce_meta.server.pages.review import page as review
from recce_meta.server.pages.runs import checks, impact, queries, run
from recce_meta.server.requests import RequestMiddleware
from recce_meta.server.site.assets import STATIC, static_body
from recce_meta.server.site.rendering import Page, render_page
from recce_meta.server.site.serving import HTML, Rendered, Site, rendered, respond
from recce_meta.server.stores.stores import Store

log = logging.getLogger(__name__)

# Starlette takes the first route that matches, so the order counts: see `quality_lists`.
PAGES = (
    overview.pages,
    project.pages,
    run.pages,
    node.pages,
    lineage.pages,
    history.pages,
    column.pages,
    search.pages,
    review.pages,
    graph.pages,
    impact.pages,
    checks.pages,
    notes.pages,
    database.pages,
    quality_lists.pages,
    quality.pages,
    column_quality.pages,
    queries.pages,
    builds.pages,
    editor.pages,
    data.pages,
)
CONNECTION_PAGES = (
    databases.pages,
    forms.pages,
    admin.pages,
    lists.pages,
    connection.pages,
)
"""Pages of no store. /connections/new and /connections/admin come first: they are not ids of connections."""


def create_app(
    stores: Mapping[str, Store], access: Access, service: RepositoryService | None = None
) -> Starlette:
    """Return the application for *stores* by name.

    *access* has the rules of access. *service* has the connections of repositories, and the tokens of the
    API; None without a state.
    """
    state = None if service is None else service.state
    if service is not None:
        access.find_token = partial(_grant_of_token, service.state)
        access.note_refusal = partial(_note_refusal, service.state)
        access.sessions = StoredSessions(service.state)
        # The option of serve is known here alone, and forges call the same address as browsers.
        service.public_url = access.public_origin or service.public_url
    site = Site(stores, has_login=access.token is not None, origin=access.public_origin, service=service)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # The app may run without `main`, as in tests; closing a store twice does nothing.
        yield
        for store in stores.values():
            store.stop()
            store.close()

    routes = [
        Route("/", overview.home(site), methods=["GET"]),
        *site.routes(*PAGES),
        *(route for pages in CONNECTION_PAGES for route in connection_routes(pages, site)),
        api_mount(site),
        Route("/help", partial(_help, site), methods=["GET"]),
        Route("/static/{name}", _static, methods=["GET"]),
        *health.routes(stores.values(), service),
        Route(METRICS, _metrics(state, stores.values()), methods=["GET"]),
        Route(LOGIN, partial(_login_page, access, site), methods=["GET", "POST"]),
        Route("/logout", partial(log_out, access=access), methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False  # see `_without_slash`

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        # Only for addresses without a page, so that no page is hidden by the redirect.
        target = _without_slash(request) if status == 404 else None
        if target is not None:
            return RedirectResponse(target, 307)
        # The texts of Starlette, such as `Not Found`, name no next step.
        answer = site.failure(UNROUTED.get(status) or UNROUTED[400], request)
        answer.headers.update((error.headers or {}) if isinstance(error, HTTPException) else {})
        return answer

    async def failed(error: Exception, request: Request) -> Response:
        # Rendering the page would block the loop.
        return await run_in_threadpool(site.failure, error, request)

    app.add_exception_handler(HTTPException, refused)
    app.add_middleware(AccessMiddleware, access=access, failed=failed)
    app.add_middleware(ApiOrigins, origins=access.origins)
    app.add_middleware(RequestMiddleware)  # around the rules of access: refused requests are counted, too
    return app


class ApiOrigins(CORSMiddleware):
    """Middleware that lets pages of named origins read answers of the API, and no page of the server.

    It is around the rules of access, because a browser asks before it sends a request with a token.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        """Create the middleware around *app*; without *origins* it does nothing."""
        super().__init__(
            app,
            allow_origins=sorted(origins),
            allow_methods=("GET", "POST", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "If-None-Match"),
            expose_headers=("ETag", "Retry-After"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_of_api = scope["type"] == "http" and str(scope["path"]).startswith(f"{PREFIX}/")
        await (super().__call__ if self.allow_origins and is_of_api else self.app)(scope, receive, send)


def _note_refusal(state: State, address: str) -> None:
    """Note that a wrong token of *address* was refused; a state that fails must not hide the refusal."""
    try:
        with acting_as(Actor("", AuditOrigin.REQUEST, address)):
            note_now(state, AuditAction.REFUSE_TOKEN, "")
    except RecceMetaError as error:
        log.warning("A refused token of %s is not in the audit: %s", address, error.message)


def _grant_of_token(state: State, text: str) -> Grant | None:
    """Return what requests with the token *text* may do; None if *state* does not have it."""
    token = find_token(state, text)
    return None if token is None else grant_of(token)


def _without_slash(request: Request) -> str | None:
    """Return the address without the slash in the end; None for one that is not below a store.

    It has no host: a proxy may serve it by another name, or over TLS.
    """
    path, query = raw_path(request.scope).decode("latin-1"), request.url.query
    # The prefix also excludes `//host/`, which a browser would follow to another site.
    if not path.startswith("/s/") or not path.endswith("/"):
        return None
    return path.rstrip("/") + (f"?{query}" if query else "")


UNROUTED = {
    400: UsageError("The request cannot be understood", hint="open a page from the overview"),
    404: NotFound("No page has this address", hint="the overview lists all pages"),
    405: WrongMethod("The address does not answer this method", hint="read it with GET"),
}
"""Errors of requests that no page answers, by status."""


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return Response("Not found\n", 404, media_type="text/plain")
    # The name is looked up, never a path: no request can leave the folder of the package.
    body, digest = static_body(name)
    # The address of a page names the bytes; any other one may get an older script for five minutes.
    is_named = request.query_params.get("v") == digest
    lifetime = "max-age=31536000, immutable" if is_named else "max-age=300"
    found = Rendered(body, STATIC[name][1], f'"{digest}"')
    return respond(found, request, f"public, {lifetime}")


async def _help(site: Site, request: Request) -> Response:
    page = render_page(Page("help.html", "Keyboard and lists"), **site.shared(None))
    return respond(rendered(page, HTML), request)


async def _login_page(access: Access, site: Site, request: Request) -> Response:
    # Checked here as well as in `log_in`: the page repeats it in a hidden field.
    target, is_wrong = own_path(request.query_params.get("next", "/")), request.method == "POST"
    if is_wrong:
        answer = await log_in(request, access)
        if isinstance(answer, Response):
            return answer
        target = answer
    page = Page("login.html", "Log in", {"target": target, "is_wrong": is_wrong})
    # The frame has no links into a store: names of stores are only for those who are logged in.
    body = render_page(page, **{**site.shared(None), "to": None, "has_login": False})
    return Response(body, 401 if is_wrong else 200, media_type=HTML, headers={"Cache-Control": "no-store"})


def _metrics(state: State | None, stores: Collection[Store]) -> Callable[[Request], Awaitable[Response]]:
    @cache
    def metrics() -> Metrics:
        return Metrics(state, stores)

    async def endpoint(request: Request) -> Response:
        try:
            found = await run_in_threadpool(metrics)
        except ConfigurationError as error:
            return Response(f"{error.message}: {error.hint}.\n", 503, media_type="text/plain")
        text, media_type = await run_in_threadpool(found.render, request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    return endpoint
