"""The API as an application of its own: its routes, the OpenAPI document, and the pages that describe it.

It is mounted at `/api`, so that its failures are JSON whatever the failures of pages look like.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import Future
from contextlib import suppress

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from recce_meta.diff.scan import is_scan
from recce_meta.errors import RecceMetaError
from recce_meta.models.run import OF_WORKSPACE
from recce_meta.server.access import problems
from recce_meta.server.access.limits import ConnectionLimits
from recce_meta.server.api.call import answer, etag_of, has_etag
from recce_meta.server.api.connection_routes import router as metadata
from recce_meta.server.api.exchange_routes import router as workspaces
from recce_meta.server.api.exchange_routes import sync_router as exchange
from recce_meta.server.api.guide import ExampleSubject, guide_page, schema_page
from recce_meta.server.api.openapi import PREFIX, ApiDescription
from recce_meta.server.api.store_routes import of_store, router
from recce_meta.server.api.webhook_routes import Deliveries
from recce_meta.server.api.webhook_routes import router as webhooks
from recce_meta.server.site.rendering import render_page
from recce_meta.server.site.serving import HTML, Site, rendered, respond
from recce_meta.server.stores.stores import Store
from recce_meta.store.quality import list_quality_runs
from recce_meta.store.read import list_runs


def api_description() -> ApiDescription:
    """Return the description of the API."""
    return ApiDescription((router, of_store, metadata, workspaces, exchange, webhooks))


def api_mount(site: Site) -> Mount:
    """Return the route of everything below `/api`, for the stores of *site*."""
    found = Mount(PREFIX, _api_app(site))
    # Starlette's own pattern does not match a path with a line break.
    found.path_regex = re.compile(rf"{PREFIX}/(?P<path>.*)\Z", re.DOTALL)
    return found


def _api_app(site: Site) -> FastAPI:
    # FastAPI's own pages load scripts from a foreign server, which the policy forbids.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.site, app.state.api, app.state.limits = site, api_description(), ConnectionLimits()
    app.include_router(router)
    app.include_router(of_store)
    app.include_router(metadata)
    app.include_router(workspaces)
    app.include_router(exchange)
    app.include_router(webhooks)
    app.state.deliveries = Deliveries()
    # Plain routes: these answers are not part of the OpenAPI document.
    app.router.routes += [
        Route("/", _home, methods=["GET"]),
        Route("/openapi.json", _openapi, methods=["GET"]),
        Route("/docs", _guide, methods=["GET"]),
        Route("/docs/{kind}", _schema, methods=["GET"]),
    ]
    problems.install(app)
    return app


async def _home(request: Request) -> Response:
    return RedirectResponse("/api/docs", 303)


async def _openapi(request: Request) -> Response:
    body: bytes = request.app.state.api.body
    etag = etag_of(body.decode())
    if has_etag(request, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return answer(request, body, etag)


EXAMPLE_SECONDS = 2.0
"""Time for which the guide waits for the store that its examples are about."""


def _reader(site: Site, store: str) -> Future[ExampleSubject]:
    """Return the project and node of the examples about *store*, read in its threads."""
    threads = site.threads(store)
    assert threads is not None
    return threads.submit(_example_subject, site.stores[store])


def _example_subject(store: Store) -> ExampleSubject:
    with store.view() as view:
        stored = list_runs(view.adapter)
        runs = [run for run in stored if not run.environment.startswith(OF_WORKSPACE)]
        if not runs:
            return ExampleSubject()
        # Examples are about models, which a scan does not have.
        run = next((one for one in runs if not is_scan(one)), runs[0])
        names = view.graph(run).names
        node = next((key for key, one in names.items() if one.resource_type == "model"), None)
        # A selector needs the project only if the store has several.
        is_one = len({one.project_name for one in runs}) == 1
        contents = {
            "quality": list_quality_runs(view.adapter, limit=1),
            "tables": any(map(is_scan, runs)),
        }
        lacks = tuple(name for name, found in contents.items() if not found)
        return ExampleSubject(None if is_one else run.project_name, node or next(iter(names), None), lacks)


async def _guide(request: Request) -> Response:
    site: Site = request.app.state.site
    # The address that the reader's browser uses, so that commands can be copied.
    server = site.origin or f"{request.url.scheme}://{request.url.netloc}"
    store = next(iter(site.stores), None)
    subject = ExampleSubject()
    if store is not None:
        found = asyncio.wrap_future(_reader(site, store))
        # The guide must also open if the store does not: it then has general examples.
        with suppress(RecceMetaError, asyncio.TimeoutError):
            subject = await asyncio.wait_for(found, EXAMPLE_SECONDS)
    page = guide_page(request.app.state.api.document, server, store, subject)
    return respond(rendered(render_page(page, **site.shared(None)), HTML), request)


async def _schema(request: Request) -> Response:
    site: Site = request.app.state.site
    page = schema_page(request.app.state.api.document, request.path_params["kind"])
    if page is None:
        return problems.failed(404, "not_found", "The API has no such schema", "/api/docs lists all schemas")
    return respond(rendered(render_page(page, **site.shared(None)), HTML), request)
