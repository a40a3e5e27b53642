"""Lists of the API: what a page is cut from, in an order that does not depend on the database."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from recce_meta.api.browse.search import KINDS, search
from recce_meta.api.browse.summaries import node_summaries, scanned_databases, scanned_tables, stored_projects
from recce_meta.diff.scan import DATABASE
from recce_meta.models import RunMetadata
from recce_meta.models.quality import QualityRun
from recce_meta.report.addresses import segment
from recce_meta.server.json_api.call import answer, etag_of, first_item_id
from recce_meta.server.json_api.paging import ItemList, ItemPage
from recce_meta.server.site.rendering import encoded
from recce_meta.server.stores.stores import StoreView, cached_index
from recce_meta.store.check_results import list_checks
from recce_meta.store.quality import list_quality_runs, load_quality
from recce_meta.store.read import list_runs, load_facts

MOST_CHECKS = 10_000
"""Largest number of check results of a list."""
MOST_MATCHES = 1000
"""Largest number of nodes, and of columns, that a search returns."""

Listed = Callable[[StoreView, object], ItemList]


class ServedStore(Struct, frozen=True, kw_only=True):
    """Store that the server reads."""

    name: str
    url: str
    """Prefix of the paths of the store."""
    pages: str
    """Address of its pages."""


def stores(request: Request) -> Response:
    """Answer with the stores of the server."""
    items = [
        ServedStore(name=name, url=f"/api/stores/{segment(name)}", pages=f"/s/{segment(name)}")
        for name in request.app.state.site.stores
    ]
    body = encoded(ItemPage(items, None, len(items), False)._asdict())
    return answer(request, body.encode(), etag_of(body))


def projects(view: StoreView, chosen: object) -> ItemList:
    """Return the projects of a store."""
    # With failed runs: a project whose runs all failed still belongs to the store.
    found = stored_projects(list_runs(view.adapter, status=None, schema=view.schema))
    return ItemList(found, attrgetter("project_name"))


def runs(
    *,
    project: str | None,
    environment: str | None,
    branch: str | None,
    extractor: str | None,
    status: str | None,
) -> Listed:
    """Return a function that lists the runs that match all filters."""

    def listed(view: StoreView, chosen: object) -> ItemList:
        found = list_runs(
            view.adapter,
            project=project,
            environment=environment,
            extractor=extractor,
            status=status,
            schema=view.schema,
        )
        return ItemList([run for run in found if branch in (None, run.branch)], attrgetter("run_id"))

    return listed


def nodes(text: str | None, **filters: str | None) -> Callable[[StoreView, RunMetadata], ItemList]:
    """Return a function that lists the nodes of a run that match all filters."""
    return lambda view, chosen: ItemList(
        node_summaries(view.graph(chosen).names.values(), text=text, **filters), first_item_id
    )


def matches(text: str, kind: str | None, project: str | None) -> Listed:
    """Return a function that searches nodes and columns."""
    kinds = KINDS if kind is None else (kind,)

    def listed(view: StoreView, chosen: object) -> ItemList:
        found = search(
            view.adapter,
            text,
            project=project,
            kinds=kinds,
            limit=MOST_MATCHES,
            index_of=cached_index(view),
            schema=view.schema,
        )
        # A hit may be a node or a column of it, so no single field identifies it.
        return ItemList(found.hits, repr, truncated=found.truncated)

    return listed


def databases(view: StoreView, chosen: object) -> ItemList:
    """Return the scanned databases of a store."""
    found = scanned_databases(list_runs(view.adapter, extractor=DATABASE, status=None, schema=view.schema))
    return ItemList(found, lambda one: repr((one.project_name, one.environment)))


def tables(text: str | None) -> Callable[[StoreView, RunMetadata], ItemList]:
    """Return a function that lists the tables and views of a scan."""

    def listed(view: StoreView, chosen: RunMetadata) -> ItemList:
        facts = view.cached(
            ("api.facts", chosen.run_id), lambda: load_facts(view.adapter, chosen, schema=view.schema)
        )
        return ItemList(scanned_tables(view.graph(chosen).names.values(), facts, text=text), first_item_id)

    return listed


def measurements(project: str | None, environment: str | None) -> Listed:
    """Return a function that lists the measurements of quality."""
    return lambda view, chosen: ItemList(
        list_quality_runs(
            view.adapter, project=project, environment=environment, with_failed=True, schema=view.schema
        ),
        attrgetter("quality_run_id"),
        is_tree=True,
    )


def measured(text: str | None) -> Callable[[StoreView, QualityRun], ItemList]:
    """Return a function that lists the tables of a measurement; frequent values are read for one page."""

    def listed(view: StoreView, chosen: QualityRun) -> ItemList:
        found = view.cached(
            ("api.quality", chosen.quality_run_id),
            # Frequent values are the largest part of a measurement.
            lambda: load_quality(view.adapter, chosen, top_values=False, schema=view.schema).tables,
        )
        wanted = (text or "").casefold()
        tables = [one for one in found if wanted in one.unique_id.casefold() or wanted in one.name.casefold()]

        def details(page):  # type: ignore[no-untyped-def]
            ids = [one.unique_id for one in page]
            return load_quality(view.adapter, chosen, unique_ids=ids, schema=view.schema).tables

        return ItemList(tables, first_item_id, is_tree=True, details=details)

    return listed


def checks(name: str | None, project: str | None) -> Callable[[StoreView, RunMetadata | None], ItemList]:
    """Return a function that lists check results, of one run if it is given."""

    def listed(view: StoreView, chosen: RunMetadata | None) -> ItemList:
        found = list_checks(
            view.adapter,
            check_name=name,
            run=chosen,
            project=None if chosen else project,
            # One more than the limit shows whether any were left out.
            limit=MOST_CHECKS + 1,
            schema=view.schema,
        )
        return ItemList(
            found[:MOST_CHECKS], attrgetter("check_result_id"), truncated=len(found) > MOST_CHECKS
        )

    return listed
