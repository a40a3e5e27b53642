"""The review page: verdict, list or graph, and a drawer; its address holds all that it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recce_meta.errors import SelectorError
from recce_meta.models.marks.review import PairContext
from recce_meta.models.run import RunMetadata
from recce_meta.report.html.listing import ONLY, ReviewList, shown_rows
from recce_meta.report.html.page import heading_of, lineage_of
from recce_meta.report.labels import moment, revision, short_run_id
from recce_meta.report.review.parts import VerdictLine, headline_of
from recce_meta.server.access.problems import problem
from recce_meta.server.pages.review.checklist import pages as checklist
from recce_meta.server.pages.review.drawer import Drawer, drawer_of, one_of
from recce_meta.server.pages.review.drawing import AROUND, ASKED, OPEN, Drawn, drawn
from recce_meta.server.pages.review.grid import OF_GRID
from recce_meta.server.pages.review.grid import pages as grids
from recce_meta.server.pages.review.lists import pages as lists
from recce_meta.server.pages.runs.pair import ReportedPair, known_list, known_pair, pair_of, with_ids
from recce_meta.server.pages.runs.results import QUESTION, job_of_all, result_values
from recce_meta.server.site.handlers import PageSet, Parameters, Redirect, Request
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.stores import StoreView

pages = PageSet()
ROWS_SHOWN = 150
"""Rows of the list; a filter finds the others."""
WITH_LIST = 12
"""Rows up to which the graph is below the list."""
VIEWS = ("list", "graph")
_IN_DRAWER = ("node", "tab", "panel", "column", "unfold", "result", *QUESTION, *OF_GRID)
"""Parameters of the drawer; review.js has the same."""


class Links:
    """Addresses of the page with changed parameters."""

    def __init__(self, request: Request, pair: ReportedPair) -> None:
        self._address, self._given = pair.address, request.query

    def __call__(self, **changes: str | None) -> str:
        """Return the address after *changes*; None removes a parameter."""
        kept = [(name, value) for name, value in self._given.pairs if name not in changes]
        given = [(name, value) for name, value in changes.items() if value is not None]
        return (self._address + Parameters([*kept, *given]).encoded()) if kept or given else self._address

    def also(self, name: str, value: str) -> str:
        """Return the address with one more *value* of the parameter *name*."""
        return self._address + Parameters([*self._given.pairs, (name, value)]).encoded()

    def node(self, key: str, tab: str | None = None) -> str:
        """Return the address of a node in the drawer."""
        return self._in_drawer(node=key, tab=tab)

    def panel(self, name: str) -> str:
        """Return the address of a panel in the drawer."""
        return self._in_drawer(panel=name)

    def column(self, key: str, name: str) -> str:
        """Return the address of the path of a column, in the graph and in the drawer."""
        return self._in_drawer(view="graph", node=key, tab="columns", column=f"{key}.{name}")

    def _in_drawer(self, **shown: str | None) -> str:
        return self(**shown, **dict.fromkeys(name for name in _IN_DRAWER if name not in shown))

    @property
    def closed(self) -> str:
        """Address of the page with its drawer closed."""
        return self._in_drawer()


@pages.page("/diff/{base}/{current}")
def review_page(request: Request) -> Page | Redirect:
    """Show the review of two runs."""
    if (redirect := with_ids(request)) is not None:
        return redirect
    pair = pair_of(request)
    found, failure = known_list(request.view, pair), None
    drawer: Drawer | None = None
    try:
        drawer = drawer_of(request, pair, found)
    # The list remains, so that the reader can choose another node.
    except SelectorError as error:
        failure = error
    on_path = _on_path(drawer)
    values = {**_frame(request, pair, found, on_path), **_drawer_values(request, pair, drawer)}
    values["failure"] = failure = failure or values["graph"].failure
    status = problem(failure).status if failure else 200
    values["on_path"] = on_path
    if drawer is not None and "editor" in drawer.values and drawer.values["editor"].get("failure"):
        status = 400
    job = job_of_all(request, pair)
    values["all"] = job and result_values(request, pair, job)
    values["can_compare"] = request.view.store.permissions.queries
    docked = drawer.values.get("result") if drawer is not None else None
    values["is_waiting"] = any(one and one["is_active"] for one in (values["all"], docked))
    return Page("review.html", pair.title, values, status=status, is_kept=job is None and _is_kept(drawer))


def _on_path(drawer: Drawer | None) -> dict[str, list[str]]:
    """Return the columns of the shown path by the unique id of their node."""
    path = drawer.values.get("path") if drawer is not None else None
    found: dict[str, list[str]] = {}
    for one in path.columns if path is not None else ():
        found.setdefault(one.node, []).append(one.column)
    return found


def _is_kept(drawer: Drawer | None) -> bool:
    # No version of the store shows the state of a job, nor the files of the project that render a query.
    return drawer is None or not {"editor", "result"} & set(drawer.values)


@pages.page("/diff/{base}/{current}/all")
def all_page(request: Request) -> Page:
    """Show how far the comparison of all nodes is, as a part of the page."""
    pair = pair_of(request)
    job = job_of_all(request, pair)
    values = {"all": job and result_values(request, pair, job)}
    return Page("all.html", pair.title, values, is_kept=False)


@pages.page("/diff/{base}/{current}/drawer")
def drawer_page(request: Request) -> Page | Redirect:
    """Show the drawer alone, as a part of the page."""
    pair = pair_of(request)
    drawer = drawer_of(request, pair, known_list(request.view, pair))
    values = {**_drawer_values(request, pair, drawer), "failure": None}
    return Page("drawer.html", pair.title, values, is_kept=_is_kept(drawer))


def _drawer_values(request: Request, pair: ReportedPair, drawer: Drawer | None) -> dict[str, Any]:
    return {"pair": pair, "drawer": drawer, "link": Links(request, pair)}


def _frame(
    request: Request, pair: ReportedPair, found: ReviewList, on_path: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    diff, report, query = pair.report.diff, pair.report, request.query
    heading = heading_of(diff, report.data, report.checks, None, PairContext(taken_at=report.data_taken_at))
    rows = shown_rows(found, query)
    view = one_of(request, "view", VIEWS, VIEWS[0])
    graph = Drawn(None)
    if view == "graph":
        graph = drawn(request, pair, found, on_path)
    elif len(found.changed) + len(found.affected) <= WITH_LIST and (lineage := lineage_of(diff)):
        graph = Drawn(lineage.drawing, lineage.view)
    return {
        **_headline(pair)._asdict(),
        "branches": " → ".join(filter(None, (pair.current.branch, pair.base.branch))),
        "sentences": heading["sentences"],
        "remarks": [*heading["remarks"], *diff.notes],
        "runs": [
            label
            | {
                "address": pair.to.run(run.run_id),
                "short": _short(run, pair),
                "at": moment(run.run_at),
            }
            for label, run in zip(heading["runs"], (diff.base, diff.current), strict=True)
        ],
        "found": found,
        "rows": rows,
        "rows_shown": ROWS_SHOWN,
        "filters": [
            (name, title, sum(map(holds, found.rows)), query.get("only") == name)
            for name, (title, holds) in ONLY.items()
        ],
        "view": view,
        "graph": graph,
        "of_graph": dict.fromkeys((*ASKED, OPEN)),
        "shown_ids": {row.unique_id for row in rows},
        "by_id": {**graph.folders, **{row.unique_id: row for row in found.rows}},
        "check_count": len(report.checks),
        "query": query,
    }


def kept_headline(view: StoreView, base: RunMetadata, current: RunMetadata) -> VerdictLine | None:
    """Return the headline of a pair; None if its diff is not in memory."""
    if not view.has_diff(base, current):
        return None
    pair = known_pair(view, base, current)
    return view.cached(("headline", base.run_id, current.run_id), lambda: _headline(pair))


def _headline(pair: ReportedPair) -> VerdictLine:
    return headline_of(pair.report.diff, pair.report.data, pair.report.checks, pair.reviews)


def _short(run: RunMetadata, pair: ReportedPair) -> str:
    """Return the revision of a run, or its environment and id; the title has the branch of current."""
    found = revision(run) or f"{run.environment} {short_run_id(run.run_id)}"
    return (
        found.removeprefix(f"{run.branch}@")
        if run.run_id == pair.current.run_id and pair.base.branch
        else found
    )


def _moved(below: str, **view: str) -> None:
    """Register the redirect of a page that this one replaces, with its parameters."""

    @pages.page(f"/diff/{{base}}/{{current}}/{below}")
    def moved(request: Request) -> Redirect:
        query, project = request.query, request.query.get("project")
        ids = [request.view.run(request.parts[side], project).run_id for side in ("base", "current")]
        node = {name: request.parts[name] for name in ("node",) if name in request.parts}
        given = [*view.items(), *node.items(), *query.without("project", *view, *node).pairs]
        if below == "graph":
            # The graph opened around a node; other parameters were those of its script.
            given += [(AROUND, value) for name, value in given if name == "node"]
            given = [one for one in given if one[0] in ("view", "node", "column", *ASKED)]
        return Redirect(request.to.diff(*ids) + Parameters(given).encoded())


_moved("nodes/{node}")
_moved("graph", view="graph")
_moved("changes")
_moved("impacted")
_moved("query", panel="query")
pages.registered.extend([*lists.registered, *checklist.registered, *grids.registered])
