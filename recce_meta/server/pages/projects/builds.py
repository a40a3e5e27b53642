"""Page of builds: seconds by run and node, slow nodes, unreliable tests and late sources.

Each table is a question of the cookbook, and shows its SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

from sqlglot import exp

from recce_meta.api.browse.run import BASE
from recce_meta.errors import UnknownNameError, plural
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import moment, node_part
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.projects.project import Bar, Chart, heights
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import Kind, ListColumn, Listing
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.query import cookbook_query

pages = PageSet()
BY_NODE = "slowest_nodes_of_each_build"
NO_TIMES = "No build has times of its nodes. Next: recce-meta hook -- dbt build."
QUESTIONS: Mapping[str, tuple[str, str]] = {
    BY_NODE: ("Seconds by node", NO_TIMES),
    "longest_builds": ("Longest builds", NO_TIMES),
    "slowest_models": ("Slowest models", NO_TIMES),
    "flaky_tests": ("Flaky tests", "No test changed between pass and fail."),
    "late_sources": (
        "Late sources",
        "No source is late. recce-meta hook -- dbt source freshness records their freshness.",
    ),
}
"""Title and sentence for an empty table, by the name of the question."""
NAMED = 5
"""Number of nodes with a shade of their own."""


@pages.page("/builds")
def builds(request: Request) -> Page:
    """Show the builds of an environment, by default base."""
    view, environment = request.view, request.query.get("environment", BASE)
    tables = {name: _listing(request, name, environment) for name in QUESTIONS}
    rows = tables[BY_NODE].rows
    seconds: Counter[str] = Counter()
    for row in rows:
        seconds[row["unique_id"]] += row["seconds"]
    shades = {name: f"shade-{place}" for place, (name, _) in enumerate(seconds.most_common(NAMED))}
    values = {
        "tables": [
            (one, view.to.of("builds", name, "rows", environment=environment)) for name, one in tables.items()
        ],
        "environment": environment,
        "environments": _environments(view),
        "chart": _chart(rows, shades) if rows else None,
        "legend": [(shade, node_part(name)) for name, shade in shades.items()],
        "times": (rows[-1]["run_at"], rows[0]["run_at"]) if rows else None,
    }
    return Page("builds.html", "Builds", values, crumbs=[("Overview", view.to.root)])


def _chart(rows: Sequence[Mapping[str, Any]], shades: Mapping[str, str]) -> Chart:
    """Return a bar for each build, oldest first, with a part for each node that has a shade."""
    runs = [list(group) for _, group in groupby(rows, lambda row: row["run_id"])]
    highest = max(run[0]["node_seconds"] for run in runs)
    bars = []
    for x, run in enumerate(reversed(runs)):
        named = [(shades[row["unique_id"]], row["seconds"]) for row in run if row["unique_id"] in shades]
        rest = run[0]["node_seconds"] - sum(seconds for _, seconds in named)
        slowest = ", ".join(f"{node_part(row['unique_id'])} {row['seconds']:,.1f} s" for row in run)
        title = f"{moment(run[0]['run_at'])}: {run[0]['node_seconds']:,.1f} s, of which {slowest}"
        bars.append(Bar(x, title, tuple(heights([("rest", max(rest, 0.0)), *named], highest))))
    label = f"Seconds of all nodes in {plural(len(runs), 'build')}: at most {highest:,.1f} s"
    return Chart(
        "Work", "Seconds of all nodes: a sum, not elapsed time", f"{highest:,.1f} s", label, tuple(bars)
    )


@pages.listing("/builds/{question}/rows")
def question(request: Request) -> Listing:
    """List all rows of a question."""
    return _listing(request, request.parts["question"], request.query.get("environment", BASE))


def _environments(view: StoreView) -> list[str]:
    found = {state.run.environment for state in view.overview().environments if not state.is_scan}
    return sorted(found, key=lambda name: (name != BASE, name))


def _listing(request: Request, name: str, environment: str) -> Listing:
    view = request.view
    if name not in QUESTIONS:
        error = UnknownNameError("question", name, sorted(QUESTIONS))
        raise NotFound(error.message, hint=error.hint or "the page of builds lists the questions")
    if environment not in (BASE, *_environments(view)):
        raise NotFound(f"No run of environment '{environment}'", hint="the overview lists all environments")
    warehouse = view.adapter.warehouse
    literal = exp.Literal.string(environment).sql(warehouse.dialect)
    sql = cookbook_query(name, warehouse, view.adapter.schema).replace(
        f"environment = '{BASE}'", f"environment = {literal}"
    )
    columns, rows = view.cached((name, environment), lambda: view.adapter.execute(sql))
    title, empty = QUESTIONS[name]
    return Listing(
        title,
        [_column(view.to, column) for column in columns],
        [dict(zip(columns, row, strict=True)) for row in rows],
        empty=empty,
        crumbs=[("Overview", view.to.root), ("Builds", view.to.of("builds", environment=environment))],
        parameters={"environment": environment},
        sql=sql,
    )


_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("seconds", "duration", "critical_path", "waiting", "node_seconds", "longest_seconds"), "seconds"
    ),
    **dict.fromkeys(("flips", "failed_results", "results", "rows_affected", "hours_old"), "number"),
    **dict.fromkeys(("run_id", "unique_id"), "code"),
    **dict.fromkeys(("run_at", "since_run_at", "max_loaded_at", "snapshotted_at"), "time"),
    **dict.fromkeys(("status", "build_status", "outcome"), "tag"),
}


def _column(to: Addresses, name: str) -> ListColumn:
    column = ListColumn(name, name.replace("_", " "), _KINDS.get(name, "text"))
    return replace(column, link=partial(_page_of, to, name)) if name in ("run_id", "unique_id") else column


def _page_of(to: Addresses, name: str, row: Mapping[str, Any]) -> str | None:
    if name == "run_id":
        return to.run(row["run_id"])
    return to.node(row["run_id"], row["unique_id"]) if "run_id" in row else None
