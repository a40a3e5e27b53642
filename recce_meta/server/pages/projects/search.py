"""Search page: nodes and columns by name."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.api.browse.search import KINDS, search, searched_runs
from recce_meta.diff.scan import is_scan
from recce_meta.models import RunMetadata
from recce_meta.report.labels import moment, short_run_id
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.stores import StoreView, cached_index
from recce_meta.store.select import require_complete

pages = PageSet()
HITS = 50
"""Number of nodes, and of columns, on the page."""
MOST_TEXT = 200
"""Number of characters of a question; further ones are ignored."""


@pages.page("/search")
def find(request: Request) -> Page:
    """Show the nodes and columns that match `q`; `run` or `project` restrict the search."""
    view, query = request.view, request.query
    text = query.get("q", "").strip()[:MOST_TEXT]
    project, selector = query.get("project"), query.get("run")
    runs = _runs(view, project, selector)
    result = search(view.adapter, text, limit=HITS, runs=runs, index_of=cached_index(view))
    values = {
        "text": text,
        "result": result,
        **{f"{kind}s": [hit for hit in result.hits if hit.kind == kind] for kind in KINDS},
        "scopes": [(_scope_text(run), _address(request, text, run.run_id)) for run in runs],
        "is_only": selector is not None,
        "everywhere": _address(request, text, None) if project or selector else None,
        # The form must search in the same scope again.
        "kept": {name: query[name] for name in ("project", "run") if name in query},
        "has_several": len({(run.project_name, run.environment) for run in runs}) > 1,
        "limit": HITS,
    }
    return Page(
        "search.html",
        f"Search: {text}" if text else "Search",
        values,
        crumbs=[(view.store.name, view.to.root)],
    )


def _runs(view: StoreView, project: str | None, selector: str | None) -> Sequence[RunMetadata]:
    if selector:
        # A run that is named may be any, and not only the latest of its project.
        return [require_complete(view.run(selector, project))]
    return view.cached(
        ("searched runs", project),
        lambda: searched_runs(view.adapter, project=project),
    )


def _address(request: Request, text: str, run_id: str | None) -> str:
    return request.to.of("search", q=text or None, run=run_id)


def _scope_text(run: RunMetadata) -> str:
    kind = "scan" if is_scan(run) else "run"
    return f"{run.project_name} {run.environment}, {kind} {short_run_id(run.run_id)} of {moment(run.run_at)}"
