"""Pages of a node: overview, columns, and lineage. Each tab is an address of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from recce_meta.api.browse.node import (
    LastCount,
    LastResult,
    Measurement,
    NodeHistoryEntry,
    NodeOutcome,
    NodeTest,
    last_count,
    last_results,
    node_history,
    node_outcomes,
    node_tests,
)
from recce_meta.api.browse.run import runs_around
from recce_meta.api.runs import find_node, ids_by_name
from recce_meta.diff.scan import is_scan
from recce_meta.errors import plural
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.catalog import RELATIONS
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.models.node import matching_name
from recce_meta.models.node_types import TESTED, WITH_ROWS
from recce_meta.report.labels import TESTS, count_of, join_words, node_label, short_run_id, unchanged_in
from recce_meta.report.labels import moment as moment_text
from recce_meta.report.lineage import confidence_text
from recce_meta.report.values import count
from recce_meta.server.pages.nodes.relation import relation_values
from recce_meta.server.site.annotations import annotated_nodes, notes_panel
from recce_meta.server.site.handlers import MovedTo, PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import Page, TimeChart, time_chart
from recce_meta.server.stores.stores import Graph
from recce_meta.store.read import load_nodes_by_id
from recce_meta.store.select import require_complete

pages = PageSet()
MOST_TESTS = 300
"""Largest number of tests of one node whose results are read."""
TESTS_SHOWN = 25
NODES_SHOWN = 25
DESCRIPTION = 4_000
"""Number of characters of a description on a page; the JSON of the columns, and the API, have the rest."""
TONES = {
    "success": "same", "pass": "same", "no-op": "none", "skipped": "one-sided", "warn": "differs",
    "error": "failed", "runtime error": "failed", "fail": "failed", "partial success": "failed",
}  # fmt: skip
"""Class of the style sheet for each of dbt's statuses."""


@dataclass(frozen=True)
class OpenedNode:
    """Node that an address names, with what all of its tabs show."""

    request: Request
    run: RunMetadata
    node: NodeMetadata
    graph: Graph
    tests: tuple[NodeMetadata, ...] = ()
    """Tests that read the node, at most `MOST_TESTS`; only on request."""

    @property
    def children(self) -> list[str]:
        """Nodes that read the node, without tests."""
        # Tests read nearly every node, and would hide the models among the children.
        return [one for one in self._all_children if not _is_test(self.graph.names.get(one))]

    @property
    def test_ids(self) -> list[str]:
        """Tests that read the node."""
        return [one for one in self._all_children if _is_test(self.graph.names.get(one))]

    @property
    def parents(self) -> Sequence[str]:
        """Nodes that the node reads."""
        return self.graph.parents.get(self.node.unique_id, ())

    @property
    def _all_children(self) -> Sequence[str]:
        return self.graph.children.get(self.node.unique_id, ())

    def address(self, *parts: str, **parameters: object) -> str:
        """Return the address of the node, or of one of its parts."""
        return self.request.to.node(self.run.run_id, self.node.unique_id, *parts, **parameters)

    def last_results(self, ids: Sequence[str]) -> dict[str, LastResult]:
        """Return dbt's last results of the nodes *ids*, in this run or before it."""
        view, graph = self.request.view, self.graph
        return last_results(view.adapter, self.run, ids, graph.names, graph.parents)

    def column_link(self, name: str | None) -> str | None:
        """Return the page of the column *name*; None if the run does not list it."""
        if name is None or matching_name(name, (column.name for column in self.node.columns)) is None:
            return None
        return self.address("columns", name)

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Pages above the node: its project, and its run."""
        to, run = self.request.to, self.run
        return [
            (run.project_name, to.project(run.project_name)),
            (f"{run.environment} {short_run_id(run.run_id)}", to.run(run.run_id)),
        ]

    @property
    def inner_crumbs(self) -> list[tuple[str, str]]:
        """Pages above a part of the node."""
        return [*self.crumbs, (name_of(self.node), self.address())]

    def values(self, tab: str) -> dict[str, Any]:
        """Return the values of the frame of all tabs, at the *tab*."""
        return {
            "node": self.node,
            "run": self.run,
            "tabs": [(title, address, title == tab) for title, address in self._tabs()],
            "kind": kind_phrase(self.node),
            "own": self.address,
        }

    def _tabs(self) -> list[tuple[str, str]]:
        node = self.node
        tabs = [("Overview", self.address())]
        if has_columns(node):
            tabs.append(("Columns", self.address("columns")))
        if node.raw_code or node.compiled_code:
            tabs.append(("Code", self.address("code")))
        tabs += [("Lineage", self.address("lineage")), ("History", self.address("history"))]
        if node.resource_type in WITH_ROWS:
            tabs += [("Quality", self.address("quality")), ("Data", self.address("data"))]
        return tabs

    def page(self, template: str, tab: str, values: Mapping[str, Any]) -> Page:
        """Return the page of one *tab*."""
        title = name_of(self.node)
        return Page(template, title, {**self.values(tab), **values}, crumbs=self.crumbs)


def _is_test(node: NodeMetadata | None) -> bool:
    return node is not None and node.resource_type in TESTS


def name_of(node: NodeMetadata) -> str:
    """Return the name of *node* as titles and lists show it; a scanned relation has its schema."""
    return node.label if node.resource_type in RELATIONS else node_label(node)


def has_columns(node: NodeMetadata) -> bool:
    """Return True if nodes like *node* have columns."""
    return bool(node.columns) or node.resource_type in WITH_ROWS


def open_node(request: Request, *parts: str, with_tests: bool = False) -> OpenedNode:
    """Return the node of an address, of which *parts* are the parts after the node.

    Raises MovedTo if the address has its name instead of its id, RunNotFound, and SelectorError if no node,
    or more than one, has the name.
    """
    view = request.view
    run = require_complete(view.run(request.parts["run"]))
    graph = view.graph(run)
    named = request.parts["node"]
    if named not in graph.names:
        by_name = view.cached(("ids by name", run.graph_id), lambda: ids_by_name(graph.names))
        # One address for each node: caches, bookmarks and comments agree on it.
        unique_id = find_node(named, graph.names, by_name)
        raise MovedTo(request.to.node(run.run_id, unique_id, *parts) + request.query.encoded())
    wanted = [named]
    if with_tests:
        found = [one for one in graph.children.get(named, ()) if _is_test(graph.names.get(one))]
        if len(found) > MOST_TESTS:  # failures are among those that are shown
            results = last_results(view.adapter, run, found, graph.names, graph.parents)
            found.sort(key=lambda one: _tone(results.get(one)) not in ("failed", "differs"))
        wanted += found[:MOST_TESTS]
    # One query for the node and its tests; the graph in memory has neither code nor columns.
    nodes = {one.unique_id: one for one in load_nodes_by_id(view.adapter, run, wanted)}
    node = nodes.pop(named)
    return OpenedNode(request, run, node, graph, tuple(nodes.values()))


def kind_phrase(node: NodeMetadata) -> str:
    """Return what *node* is in words, such as `table model` or `materialized view`."""
    kind = node.resource_type.replace("_", " ")
    materialized = (node.materialized or "").replace("_", " ")
    # `view view` for a scanned view says nothing more.
    if not materialized or materialized in kind or node.resource_type in TESTS:
        return kind
    return f"{materialized} {kind}"


@pages.page("/runs/{run}/nodes/{node}")
def overview(request: Request) -> Page:
    """Show what a node is, its tests, its last change and its results."""
    opened = open_node(request, with_tests=True)
    view, run, node = request.view, opened.run, opened.node
    # Of all tests, although only some are loaded: the figures count every one.
    ids = [node.unique_id, *opened.test_ids]
    results = opened.last_results(ids)
    tests = node_tests(node.unique_id, opened.tests, results)
    history = node_history(view.adapter, run, node.unique_id)
    outcomes = node_outcomes(view.adapter, run, node.unique_id)
    last = results.get(node.unique_id)
    rows = last_count(view.adapter, run, node.materialized, outcomes, last)
    target = AnnotationTarget(project_name=run.project_name, unique_id=node.unique_id)
    annotated = annotated_nodes(view, run.project_name, [node.unique_id])
    values = {
        "panel": notes_panel(view, target, annotated.of_node(node.unique_id), {"run": run.run_id}),
        "sentences": sentences(opened, last, history),
        "figures": figures(opened, results, rows),
        "facts": facts(node),
        "description": node.description[:DESCRIPTION],
        "is_cut": len(node.description) > DESCRIPTION,
        "tests": tests_listing(opened, tests),
        "outcomes": outcomes_listing(opened, outcomes),
        "charts": outcome_charts(outcomes),
        "change": last_change(history, run),
        "relation": relation_values(request, run, node) or None,
        "has_tests": bool(opened.test_ids) or node.resource_type in TESTED,
        "has_outcomes": bool(outcomes) or not is_scan(run),
    }
    return opened.page("node_overview.html", "Overview", values)


def last_change(history: Sequence[NodeHistoryEntry], run: RunMetadata) -> NodeHistoryEntry | None:
    """Return the last change of the project's own text up to *run*."""
    for entry in history:
        # Versions of dbt and relations change without an edit of the project.
        if entry.run_at <= run.counted_at and entry.status not in ("rewritten", "moved"):
            return entry
    return None


def sentences(
    opened: OpenedNode, last: LastResult | None, history: Sequence[NodeHistoryEntry]
) -> list[tuple[str, str | None]]:
    """Return the state of a node as sentences, each with an address or None."""
    node, run, to = opened.node, opened.run, opened.request.to
    change = last_change(history, run)
    found: list[tuple[str, str | None]] = []
    if node.is_ephemeral:
        found.append(("dbt inlines this model into the SQL of its readers: no relation exists.", None))
    if last is not None:
        result, measured = last.result, last.measured
        seconds = f" in {result.seconds:,.2f} s" if result.seconds is not None else ""
        message = (
            f": {result.message}" if result.message and TONES.get(result.status.lower()) == "failed" else ""
        )
        text = f"{result.status}{seconds}{message}."
        if measured.is_own:
            limited = f", {measured.since}" if measured.since else ""
            found.append((f"Result in this run{limited}: {text}", None))
        else:
            said = f"Last result, {_when(measured)}: {text}"
            found.append((said, to.node(measured.run_id, node.unique_id)))
    if change is None:
        found.append((_unchanged(opened, history), None))
    else:
        parts = f" ({join_words(change.parts)})" if change.parts else ""
        text = f"Last change: {change.status} {moment_text(change.run_at)}{parts}."
        found.append((text, to.diff(change.previous_run_id, change.run_id, node=node.unique_id)))
    return found


def _when(measured: Measurement) -> str:
    """Return when an earlier run measured a node, which build, and what changed since then."""
    found = [] if measured.is_own else [moment_text(measured.run_at)]
    if measured.built_at is not None:
        found.append(f"of the build of {moment_text(measured.built_at)}")
    elif not measured.is_build_known:
        found.append("of an unknown build")
    found += [f"{measured.since} since then"] if measured.since else []
    return ", ".join(found)


def _unchanged(opened: OpenedNode, history: Sequence[NodeHistoryEntry]) -> str:
    """Return since when a node without a last change is unchanged, and what the comparison leaves out."""
    view, run = opened.request.view, opened.run
    if runs_around(view.adapter, run)[0] is None:
        return f"{first_of(run)}: changes are known from the next one on."
    passed = {entry.status for entry in history if entry.run_at <= run.counted_at}
    limits = [words for status, words in _LIMITS.items() if status in passed]
    # dbt compares such a seed by its path, so changed rows leave the checksum as it was.
    if opened.node.checksum_rule == "path":
        limits.append(", apart from the rows of the seed: dbt does not hash a file over 1 MiB")
    return unchanged_in(run.environment, limits)


_LIMITS = {
    "moved": ", apart from its relation",
    "rewritten": ", but the versions of dbt differ, which limits the comparison",
}
"""What the statuses that are not changes mean for `unchanged`."""


def first_of(run: RunMetadata) -> str:
    """Return what *run* is, if it has no previous run."""
    return (
        "This is the first scan of this scope"
        if is_scan(run)
        else f"This is the first run of {run.environment}"
    )


class FigureLink(NamedTuple):
    """Figure of the first screen, with the address of what it counts."""

    value: str
    label: str
    address: str | None = None
    tone: str = ""


def figures(
    opened: OpenedNode, results: Mapping[str, LastResult], rows: LastCount | None
) -> list[FigureLink]:
    """Return the figures of a node: columns, tests, parents, children and rows.

    *results* are those of the node's tests, by unique id.
    """
    node = opened.node
    found = []
    if has_columns(node):
        number = len(node.columns)
        found.append(
            FigureLink(count(number), "column" if number == 1 else "columns", opened.address("columns"))
        )
    if opened.test_ids:
        found.append(_tests_figure([results.get(one) for one in opened.test_ids]))
    elif node.resource_type in TESTED:
        found.append(FigureLink("0", "tests"))
    for label, ids in (("parent", opened.parents), ("child", opened.children)):
        words = label if len(ids) == 1 else {"parent": "parents", "child": "children"}[label]
        found.append(FigureLink(count(len(ids)), words, opened.address("lineage")))
    if rows is not None:
        label = " ".join(filter(None, ("rows", _when(rows.measured))))
        found.append(FigureLink(count(rows.row_count), label, opened.address("history")))
    return found


def _tests_figure(results: Sequence[LastResult | None]) -> FigureLink:
    """Return how many tests failed, else warned, else passed; *results* has None for those without one."""
    states = Counter(map(_tone, results))
    total = plural(len(results), "test")
    known = [one.measured for one in results if one is not None]
    # Zero passed tests would look like a failure.
    if not known:
        return FigureLink(total.split()[0], f"{total.split()[1]}, without results", "#tests")
    outdated = sum(measured.since is not None and measured.is_certain for measured in known)
    unsure = sum(not measured.is_certain for measured in known)
    earlier = sum(not measured.is_own for measured in known)
    limits = f", {earlier:,} in earlier runs" if earlier else ""
    limits += f", {outdated:,} outdated" if outdated else ""
    limits += f", {unsure:,} perhaps outdated" if unsure else ""
    if states["failed"]:
        return FigureLink(f"{states['failed']:,}", f"of {total} failed{limits}", "#tests", "failed")
    if states["differs"]:
        return FigureLink(f"{states['differs']:,}", f"of {total} warned{limits}", "#tests", "differs")
    tone = "same" if states["same"] == len(results) and not (outdated or unsure) else ""
    return FigureLink(f"{states['same']:,}", f"of {total} passed{limits}", "#tests", tone)


def _tone(last: LastResult | None) -> str:
    return "" if last is None else TONES.get(last.result.status.lower(), "")


def facts(node: NodeMetadata) -> list[tuple[str, str]]:
    """Return what else is recorded of a node, as names and texts."""
    # Exposures and scanned relations have it as a property; projects use `meta` or `config` for models.
    owner = node.properties.get("owner") or node.meta.get("owner") or node.config.get("owner")
    if isinstance(owner, Mapping):
        owner = " ".join(str(one) for one in owner.values() if one)
    listed = {
        "Relation": node.relation_name,
        "Unique id": node.unique_id,
        "File": node.path,
        "Package": node.package_name,
        "Owner": str(owner) if owner else None,
        "Group": node.group_name,
        "Access": node.access,
        "Tags": ", ".join(node.tags),
        "Language": node.language,
        "Contract": "enforced" if (node.contract or {}).get("enforced") else None,
        "Address": str(node.properties["url"]) if node.properties.get("url") else None,
        "Columns from": {"catalog": "the warehouse's catalog", "manifest": "the project's YAML"}.get(
            node.columns_from or ""
        ),
    }
    return [(name, text) for name, text in listed.items() if text]


def tests_listing(opened: OpenedNode, tests: Sequence[NodeTest]) -> Listing:
    """Return the tests of a node, failures first."""
    to, run_id = opened.request.to, opened.run.run_id
    rows: list[Row] = [{**test.to_dicts()[0]} for test in tests]
    columns = [
        ListColumn("name", "test", "code", link=lambda row: to.node(run_id, row["unique_id"])),
        ListColumn("test", "type", has_facets=True),
        ListColumn(
            "column",
            "column",
            "code",
            link=lambda row: opened.column_link(row["column"]),
            has_facets=True,
        ),
        ListColumn("status", "result", "tag", tone=status_tone, has_facets=True),
        ListColumn("failures", "failing rows", "number"),
        ListColumn("message", "message"),
        *earlier_columns(opened, rows),
    ]
    total = len(opened.test_ids)
    notes = [f"{count_of(total, 'test')}, of which {MOST_TESTS} are shown"] if total > len(rows) else []
    empty = "No test reads this node: add tests to the YAML of the project, and record the next run."
    return Listing(
        f"Tests of {name_of(opened.node)}",
        columns,
        rows,
        empty=empty,
        notes=notes,
        crumbs=opened.inner_crumbs,
        total=total,
    )


def earlier_columns(opened: OpenedNode, rows: Sequence[Row]) -> list[ListColumn]:
    """Return the columns of a list of tests that show earlier runs; none if all results are of this run."""
    if not any(row["run_id"] for row in rows):
        return []
    to = opened.request.to
    return [
        ListColumn("run_at", "result of", "time", about="Earlier run, if this run has no result"),
        ListColumn(
            "run_id",
            "in run",
            "code",
            link=lambda row: to.node(row["run_id"], row["unique_id"]) if row["run_id"] else None,
        ),
        ListColumn("since", "changed since then", about="Code that the result does not cover"),
    ]


def status_tone(row: Row) -> str | None:
    """Return the class of the status of a row."""
    tone = TONES.get(str(row.get("status") or "").lower(), "none")
    # A pass of other code proves nothing about this run.
    return "none" if tone == "same" and row.get("since") else tone


@pages.listing("/runs/{run}/nodes/{node}/tests")
def tests(request: Request) -> Listing:
    """List the tests of a node."""
    opened = open_node(request, "tests", with_tests=True)
    results = opened.last_results([test.unique_id for test in opened.tests])
    return tests_listing(opened, node_tests(opened.node.unique_id, opened.tests, results))


def outcomes_listing(opened: OpenedNode, outcomes: Sequence[NodeOutcome]) -> Listing:
    """Return the results and row counts of a node, newest first."""
    to, unique_id = opened.request.to, opened.node.unique_id
    columns = [
        ListColumn("run_at", "time", "time"),
        ListColumn("run_id", "run", "code", link=lambda row: to.node(row["run_id"], unique_id)),
        ListColumn("status", "result", "tag", tone=status_tone, has_facets=True),
        ListColumn("seconds", "duration", "seconds"),
        ListColumn("row_count", "rows", "number", about="Rows of the relation, from record --stats"),
        ListColumn("rows_affected", "rows affected", "number", about="As the warehouse reported to dbt"),
        ListColumn("failures", "failing rows", "number"),
        ListColumn("message", "message"),
    ]
    rows: list[Row] = [one.to_dicts()[0] for one in outcomes]
    # dbt's results have no row counts, and statistics no status: empty columns would fill the page.
    used = {name for row in rows for name, value in row.items() if value is not None}
    return Listing(
        f"Results of {name_of(opened.node)}",
        [column for column in columns if column.name in used or not rows],
        rows,
        empty=f"No stored run of {opened.run.environment} has a result or a row count of this node: "
        "record run_results.json with the run, or use record --stats.",
        crumbs=opened.inner_crumbs,
    )


def outcome_charts(outcomes: Sequence[NodeOutcome]) -> list[TimeChart]:
    """Return charts of row counts and durations over time."""
    # Outcomes are newest first, and time runs to the right.
    oldest_first = list(reversed(outcomes))
    charts = [
        time_chart(
            "Rows", [(one.run_at, one.row_count) for one in oldest_first], lambda value: f"{value:,.0f}"
        ),
        time_chart(
            "Seconds", [(one.run_at, one.seconds) for one in oldest_first], lambda value: f"{value:,.2f} s"
        ),
    ]
    return [chart for chart in charts if chart]


@pages.listing("/runs/{run}/nodes/{node}/results")
def results(request: Request) -> Listing:
    """List the results and row counts of a node over time."""
    opened = open_node(request, "results")
    view = request.view
    found = node_outcomes(view.adapter, opened.run, opened.node.unique_id)
    return outcomes_listing(opened, found)


def label_of(unique_id: str, names: Mapping[str, NodeMetadata]) -> str:
    """Return the name of a node; an unknown id is returned unchanged."""
    return name_of(names[unique_id]) if unique_id in names else unique_id


def certainty(confidence: float) -> str:
    """Return how certain an edge is, in words."""
    return confidence_text(confidence) or "certain"
