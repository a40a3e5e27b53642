"""Page of a column: where it comes from, step by step, who reads it, tests, types over time, and quality.

The list of all columns is a tab of the node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from recce_meta.api.browse.node import (
    ANY,
    ColumnOrigin,
    ColumnReader,
    ColumnStep,
    NodeTest,
    column_changes,
    column_name,
    column_names,
    column_origin,
    column_readers,
    node_columns,
    node_history,
    node_quality,
    node_tests,
    unknown_readers,
)
from recce_meta.errors import agree, did_you_mean, plural
from recce_meta.models import NodeMetadata
from recce_meta.models.lineage import REFERENCED, ColumnSource, ColumnUse, Kind, NodeColumns
from recce_meta.models.marks.annotation import NOT_ANNOTATED, AnnotationTarget
from recce_meta.models.node import matching_name
from recce_meta.models.node_types import WITH_ROWS
from recce_meta.report.labels import UNCHANGED, join_words
from recce_meta.report.lineage import confidence_text
from recce_meta.report.review.annotations import annotation_phrase
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.forms.offers import forms_of_run
from recce_meta.server.pages.nodes.history import MeasuredColumn, column_changes_listing, measured_columns
from recce_meta.server.pages.nodes.node import (
    TONES,
    FigureLink,
    OpenedNode,
    certainty,
    earlier_columns,
    kind_phrase,
    label_of,
    name_of,
    open_node,
    status_tone,
)
from recce_meta.server.site.annotations import NotesPanel, annotated_nodes, notes_panel
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import Page

pages = PageSet()
KIND_WORDS = {
    Kind.PASSTHROUGH: UNCHANGED,
    Kind.RENAMED: "renamed",
    Kind.DERIVED: "computed row by row",
    Kind.AGGREGATED: "aggregated over rows",
    Kind.SOURCE: "from outside the project",
    Kind.CONSTANT: "constant",
}
USAGES = {"filter": "filters", "join": "joins", "group": "groups", "order": "orders", REFERENCED: "names it"}


class OpenedColumn(NamedTuple):
    """Column that an address names."""

    opened: OpenedNode
    name: str
    lineage: NodeColumns | None

    @property
    def title(self) -> str:
        """Name of the node and the column."""
        return f"{name_of(self.opened.node)}.{self.name}"

    def address(self, *parts: str) -> str:
        """Return the address of the column, or of a list of it."""
        return self.opened.address("columns", self.name, *parts)

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Pages above the column."""
        return [*self.opened.inner_crumbs, ("Columns", self.opened.address("columns"))]


def open_column(request: Request, *parts: str, with_tests: bool = False) -> OpenedColumn:
    """Return the column of an address. Raises NotFound if the node does not have it."""
    asked = request.parts["column"]
    opened = open_node(request, "columns", asked, *parts, with_tests=with_tests)
    view, node = request.view, opened.node
    lineage = node_columns(view.adapter, opened.run, node.unique_id)
    name = column_name(asked, node, lineage)
    # The last resort, because it needs a further query.
    if name is None and column_readers(view.adapter, opened.run, node.unique_id, asked):
        name = asked  # no catalog lists it, but a query reads it
    if name is None:
        known = column_names(node, lineage)
        raise NotFound(
            f"Column '{asked}' of {name_of(node)} not found",
            hint=did_you_mean(asked, known) or "the page of the node lists its columns",
        )
    return OpenedColumn(opened, name, lineage)


@pages.page("/runs/{run}/nodes/{node}/columns/{column}")
def column(request: Request) -> Page:
    """Show a column: its origin, its readers, tests, type over time and quality."""
    found = open_column(request, with_tests=True)
    opened, name, _ = found
    view, run, unique_id = request.view, opened.run, opened.node.unique_id
    tests = _tests(opened, name)
    readers = column_readers(view.adapter, run, unique_id, name)
    origin = column_origin(view.adapter, run, unique_id, name)
    history = node_history(view.adapter, run, unique_id)
    changes = column_changes(view.adapter, run, unique_id, history)
    # Warehouses may change the case of names between runs.
    own_changes = [one for one in changes if one.column_name.casefold() == name.casefold()]
    declared = next((one for one in opened.node.columns if one.name == name), None)
    measured = _measured(opened, name)
    own_notes, edge_notes = _panels(opened, name)
    values = {
        "panel": own_notes,
        "edge_panels": edge_notes,
        "found": found,
        "declared": declared,
        "description": declared.description if declared else "",
        "sentence": " ".join(filter(None, (sentence(found, origin, readers), unknown_phrase(opened)))),
        "figures": _figures(found, tests, readers, measured),
        "steps": steps(opened, origin),
        "origin": origin,
        "unknown": _unknown(opened, origin),
        "uses": uses_listing(found, origin.uses if origin else ()),
        "readers": readers_listing(found, readers),
        "tests": _tests_listing(opened, tests),
        "changes": column_changes_listing(opened, own_changes),
        "measured": measured,
        "impact": request.to.impact(run.run_id, unique_id, name),
        "graph": request.to.graph(run.run_id, node=unique_id, column=name, of=unique_id),
        "own": found.address,
        "quality_address": opened.address("quality"),
        "environment": run.environment,
        "forms": forms_of_run(view, run, opened.node, name),
    }
    return Page("column.html", found.title, values, crumbs=found.crumbs)


def _panels(opened: OpenedNode, name: str) -> tuple[NotesPanel, list[NotesPanel]]:
    """Return the notes on a column, and those on the edges that lead to it."""
    view, unique_id, project = opened.request.view, opened.node.unique_id, opened.run.project_name
    found, place = annotated_nodes(view, project, [unique_id]), {"run": opened.run.run_id}
    target = AnnotationTarget(project_name=project, unique_id=unique_id, column_name=name)
    own = found.of_columns(unique_id).get(name.casefold(), (target, NOT_ANNOTATED))
    edges = [
        notes_panel(view, one, marks, place)
        for one, marks in found.of_edges(unique_id)
        if (one.column_name or "").casefold() == name.casefold()
    ]
    return notes_panel(view, *own, place), edges


def _tests(opened: OpenedNode, name: str) -> list[NodeTest]:
    own = [test for test in node_tests(opened.node.unique_id, opened.tests, {}) if test.column is not None]
    # Results are read for these tests only: a wide node may have hundreds.
    ids = {test.unique_id for test in own if (test.column or "").casefold() == name.casefold()}
    if not ids:
        return []
    results = opened.last_results(sorted(ids))
    return node_tests(
        opened.node.unique_id, [test for test in opened.tests if test.unique_id in ids], results
    )


def _measured(opened: OpenedNode, name: str) -> MeasuredColumn | None:
    view = opened.request.view
    quality = node_quality(view.adapter, opened.run, opened.node.unique_id)
    if quality is None:
        return None
    found = (one for one in measured_columns(opened, quality) if one.name.casefold() == name.casefold())
    return next(found, None)


def sentence(found: OpenedColumn, origin: ColumnOrigin | None, readers: Sequence[ColumnReader]) -> str:
    """Return where a column comes from and what reads it, in one sentence."""
    output = origin.steps[0].output if origin else None
    # Counted once, although a query may read the column several times.
    flows = {(one.node_id, one.column_name) for one in readers if one.column_name is not None}
    # A query that only names the column may fail with it, but its rows do not depend on it.
    decides = {one.node_id for one in readers if one.column_name is None and one.kind != REFERENCED}
    read = [plural(len(flows), "column")] if flows else []
    if decides:
        read.append(f"the rows of {plural(len(decides), 'node')}")
    effects = f"it directly affects {join_words(read)}" if read else "no other node is known to read it"
    if output is None:
        return f"Its origin is unknown; {effects}." if origin else "The run has no column lineage."
    if not output.sources:
        return f"{KIND_WORDS[output.kind].capitalize()}; {effects}."
    names = found.opened.graph.names
    sources = [f"{label_of(one.parent, names)}.{one.column}" for one in output.sources[:3]]
    more = len(output.sources) - len(sources)
    listed = join_words([*sources, *([f"{more} more"] if more else [])])
    return f"{KIND_WORDS[output.kind].capitalize()}, from {listed}; {effects}."


def unknown_phrase(opened: OpenedNode) -> str:
    """Return which nodes may read any column of the node, because their columns are unknown; or nothing."""
    view, names = opened.request.view, opened.graph.names
    found = unknown_readers(view.adapter, opened.run, opened.children)
    if not found:
        return ""
    listed = [label_of(one, names) for one in found[:3]]
    more = [f"{len(found) - 3:,} more"] if found[3:] else []
    return f"It is unknown which columns {join_words([*listed, *more])} {agree(len(found), 'read')}."


def _figures(
    found: OpenedColumn,
    tests: Sequence[NodeTest],
    readers: Sequence[ColumnReader],
    measured: MeasuredColumn | None,
) -> list[FigureLink]:
    declared = next((one for one in found.opened.node.columns if one.name == found.name), None)
    figures = [FigureLink((declared.type if declared else None) or "unknown", "type")]
    states = Counter(TONES.get((test.status or "").lower(), "") for test in tests)
    if states["failed"]:
        figures.append(
            FigureLink(f"{states['failed']:,}", f"of {plural(len(tests), 'test')} failed", "#tests", "failed")
        )
    else:
        figures.append(FigureLink(f"{len(tests):,}", "test" if len(tests) == 1 else "tests", "#tests"))
    flows = {(one.node_id, one.column_name) for one in readers if one.column_name is not None}
    decides = {one.node_id for one in readers if one.column_name is None and one.kind != REFERENCED}
    figures.append(
        FigureLink(f"{len(flows):,}", "column reads it" if len(flows) == 1 else "columns read it", "#readers")
    )
    if decides:
        figures.append(
            FigureLink(
                f"{len(decides):,}",
                "node filters, joins or groups by it"
                if len(decides) == 1
                else "nodes filter, join or group by it",
                "#readers",
            )
        )
    if measured and measured.null_share:
        figures.append(FigureLink(measured.null_share, "NULL", "#quality"))
    return figures


class StepView(NamedTuple):
    """Step of the origin of a column on the page."""

    distance: str
    node: str
    node_address: str | None
    column: str
    column_address: str | None
    kind: str
    expression: str | None
    sources: Sequence[tuple[str, str]]
    """Name of each source, and how certain it is."""
    note: str


def steps(opened: OpenedNode, origin: ColumnOrigin | None) -> list[StepView]:
    """Return the steps of *origin* with names and addresses."""
    return [_step_view(opened, step) for step in origin.steps] if origin else []


def _step_view(opened: OpenedNode, step: ColumnStep) -> StepView:
    names, to, run_id = opened.graph.names, opened.request.to, opened.run.run_id
    node, output = names.get(step.unique_id), step.output
    name = output.name if output else step.column
    has_page = node is not None and name != ANY
    return StepView(
        distance="this column" if step.distance == 0 else f"{plural(step.distance, 'step')} before",
        node=label_of(step.unique_id, names),
        node_address=to.node(run_id, step.unique_id) if node else None,
        column=name,
        column_address=to.column(run_id, step.unique_id, name) if has_page else None,
        kind=KIND_WORDS[output.kind] if output else "",
        expression=output.expression if output else None,
        sources=[_source(one, names) for one in output.sources] if output else [],
        note=_note(step, node),
    )


def _source(source: ColumnSource, names: Mapping[str, NodeMetadata]) -> tuple[str, str]:
    return f"{label_of(source.parent, names)}.{source.column}", confidence_text(source.confidence)


def _note(step: ColumnStep, node: NodeMetadata | None) -> str:
    if step.column == ANY:
        return "The query reads all columns of this relation, whose columns are unknown."
    if step.output is not None:
        return ""
    if node is None:
        return "No node of this run has this relation."
    return "Its SQL was not analysed, or does not have this column."


def _unknown(opened: OpenedNode, origin: ColumnOrigin | None) -> str:
    if origin is None:
        return "The run was recorded without column lineage: record it again without --no-columns."
    if origin.reason:
        return f"The SQL of {name_of(opened.node)} could not be analysed: {origin.reason}."
    return ""


def uses_listing(found: OpenedColumn, uses: Sequence[ColumnUse]) -> Listing:
    """Return the columns that decide over the rows of the node of a column."""
    opened = found.opened
    names, to, run_id = opened.graph.names, opened.request.to, opened.run.run_id
    columns = [
        ListColumn("usage", "used in", "tag", tone=lambda one: "one-sided", has_facets=True),
        ListColumn(
            "column",
            "column",
            "code",
            of=lambda one: f"{label_of(one.parent, names)}.{one.column}",
            link=lambda one: (
                to.column(run_id, one.parent, one.column)
                if one.parent in names and one.column != ANY
                else None
            ),
        ),
        ListColumn("confidence", "certainty", of=lambda one: certainty(one.confidence)),
    ]
    title = f"Columns that decide over the rows of {name_of(opened.node)}"
    return Listing.of(
        title,
        columns,
        uses,
        empty="No filter, join or group is known.",
        crumbs=[*found.crumbs, (found.name, found.address())],
    )


@pages.listing("/runs/{run}/nodes/{node}/columns/{column}/uses")
def uses(request: Request) -> Listing:
    """List the columns that decide over the rows of the node of a column."""
    found = open_column(request, "uses")
    return uses_listing(found, found.lineage.uses if found.lineage else ())


def readers_listing(found: OpenedColumn, readers: Sequence[ColumnReader]) -> Listing:
    """Return what reads a column directly."""
    opened = found.opened
    unknown = unknown_phrase(opened)
    names, to, run_id = opened.graph.names, opened.request.to, opened.run.run_id
    rows: list[Row] = []
    for one in readers:
        node = names.get(one.node_id)
        rows.append(
            {
                "node": label_of(one.node_id, names),
                "node_id": one.node_id,
                "resource_type": node.resource_type if node else None,
                "column": one.column_name,
                "effect": "value" if one.column_name is not None else "rows",
                "kind": KIND_WORDS[Kind(one.kind)]
                if one.column_name is not None
                else USAGES.get(one.kind, one.kind),
                "confidence": certainty(one.confidence),
            }
        )
    columns = [
        ListColumn("node", "node", "code", link=lambda row: to.node(run_id, row["node_id"])),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn(
            "column", "column", "code", link=lambda row: to.column(run_id, row["node_id"], row["column"])
        ),
        ListColumn("effect", "affects", "tag", tone=lambda row: _EFFECTS[row["effect"]], has_facets=True),
        ListColumn("kind", "how", has_facets=True),
        ListColumn("confidence", "certainty"),
    ]
    return Listing(
        f"Readers of {found.title}",
        columns,
        rows,
        notes=[unknown] if unknown else [],
        empty="No node of this run is known to read this column directly."
        if opened.run.column_graph_id
        else "The run was recorded without column lineage: its readers are unknown.",
        crumbs=[*found.crumbs, (found.name, found.address())],
    )


_EFFECTS = {"value": "same", "rows": "one-sided"}


@pages.listing("/runs/{run}/nodes/{node}/columns/{column}/readers")
def readers(request: Request) -> Listing:
    """List what reads a column directly."""
    found = open_column(request, "readers")
    view, opened = request.view, found.opened
    listed = column_readers(view.adapter, opened.run, opened.node.unique_id, found.name)
    return readers_listing(found, listed)


def _tests_listing(opened: OpenedNode, tests: Sequence[NodeTest]) -> Listing:
    to, run_id = opened.request.to, opened.run.run_id
    rows: list[Row] = [test.to_dicts()[0] for test in tests]
    columns = [
        ListColumn("name", "test", "code", link=lambda row: to.node(run_id, row["unique_id"])),
        ListColumn("test", "type"),
        ListColumn("status", "result", "tag", tone=status_tone),
        ListColumn("failures", "failing rows", "number"),
        ListColumn("message", "message"),
        *earlier_columns(opened, rows),
    ]
    return Listing("Tests", columns, rows, empty="No test of the project is about this column alone.")


@pages.listing("/runs/{run}/nodes/{node}/columns")
def columns(request: Request) -> Listing:
    """List the columns of a node: type, tests, origin and readers."""
    opened = open_node(request, "columns", with_tests=True)
    view, run, node = request.view, opened.run, opened.node
    lineage = node_columns(view.adapter, run, node.unique_id)
    readers = column_readers(view.adapter, run, node.unique_id)
    tested = node_tests(node.unique_id, opened.tests, {})
    to, run_id = request.to, run.run_id
    annotated = annotated_nodes(view, run.project_name, [node.unique_id]).of_columns(node.unique_id)
    notes = {name: annotation_phrase(found) for name, (_, found) in annotated.items()}
    shown = [
        ListColumn("name", "column", "code", link=lambda row: to.column(run_id, node.unique_id, row["name"])),
        ListColumn("type", "type", "code"),
        ListColumn("description", "description"),
        ListColumn("tests", "tests", has_facets=True, about="Tests of this column in the project"),
        ListColumn("kind", "computed", has_facets=True, about="How the SQL computes the column"),
        ListColumn("origin", "comes from", "code", about="Columns that the value is computed from"),
        ListColumn("readers", "read by", "number", about="Number of columns computed from it in other nodes"),
        ListColumn(
            "row_readers", "decides rows of", "number", about="Nodes that filter, join or group by it"
        ),
        ListColumn("notes", "notes", about="Owners, tags and the note of the column, from recce-meta note"),
    ]
    rows = column_rows(opened, lineage, readers, tested)
    return Listing(
        name_of(node),
        shown,
        [{**row, "notes": notes.get(row["name"].casefold())} for row in rows],
        empty=_no_columns(opened, lineage),
        notes=[*_column_notes(opened, lineage), *_unknown_readers(opened)],
        crumbs=opened.crumbs,
        template="node_columns.html",
        values=opened.values("Columns"),
    )


def column_rows(
    opened: OpenedNode,
    lineage: NodeColumns | None,
    readers: Sequence[ColumnReader],
    tests: Sequence[NodeTest],
) -> list[Row]:
    """Return a row for each column of a node."""
    node, names = opened.node, opened.graph.names
    known = {column.name: column for column in node.columns}
    listed = column_names(node, lineage)
    # The catalog and the SQL may spell a column in different cases.
    outputs = {one.name.casefold(): one for one in lineage.outputs} if lineage else {}
    tested: dict[str, list[str]] = {}
    for test in tests:
        tested.setdefault((test.column or "").casefold(), []).append(test.test)
    flows, decides = Counter[str](), Counter[str]()
    for (column, is_flow), number in _reader_counts(listed, readers).items():
        (flows if is_flow else decides)[column] = number
    rows: list[Row] = []
    for name in listed:
        output = outputs.get(name.casefold())
        rows.append(
            {
                "name": name,
                "type": known[name].type if name in known else None,
                "description": known[name].description if name in known else None,
                "tests": ", ".join(sorted(set(tested.get(name.casefold(), ())))) or None,
                "kind": output.kind.value if output else None,
                "origin": ", ".join(
                    f"{label_of(source.parent, names)}.{source.column}" for source in output.sources
                )
                if output
                else None,
                # Zero would mean that nothing reads it, which is unknown without column lineage.
                "readers": flows[name] if opened.run.column_graph_id else None,
                "row_readers": decides[name] if opened.run.column_graph_id else None,
            }
        )
    return rows


def _reader_counts(listed: Sequence[str], readers: Sequence[ColumnReader]) -> Mapping[tuple[str, bool], int]:
    """Return the number of columns, and of nodes whose rows are decided, that read each column."""
    by_parent: dict[str, set[tuple[str, str | None]]] = {}
    for reader in readers:
        # A set: one column may read another in several places of its query.
        by_parent.setdefault(reader.parent_column, set()).add((reader.node_id, reader.column_name))
    found: Counter[tuple[str, bool]] = Counter()
    for parent_column, places in by_parent.items():
        # A query may read a field of a struct: it counts for the column.
        name = matching_name(parent_column, listed) or matching_name(parent_column.split(".")[0], listed)
        for _, column in places if name else ():
            found[str(name), column is not None] += 1
    return found


def _no_columns(opened: OpenedNode, lineage: NodeColumns | None) -> str:
    if lineage and lineage.reason:
        return f"The columns are unknown: {lineage.reason}. Record the catalog of dbt docs generate."
    if opened.node.resource_type in WITH_ROWS:
        return "The columns are unknown: record the catalog of dbt docs generate, or document the columns."
    return f"A {kind_phrase(opened.node)} has no columns."


def _unknown_readers(opened: OpenedNode) -> list[str]:
    """Return the note on readers that the figures leave out, because their columns are unknown."""
    view = opened.request.view
    found = unknown_readers(view.adapter, opened.run, opened.children)
    if not found:
        return []
    listed = join_words([label_of(one, opened.graph.names) for one in found[:5]])
    more = f", and {len(found) - 5:,} more" if found[5:] else ""
    return [f"Not counted as readers, because it is unknown which columns they read: {listed}{more}."]


def _column_notes(opened: OpenedNode, lineage: NodeColumns | None) -> list[str]:
    notes = []
    if opened.node.columns_from == "manifest":
        notes.append("The run has no catalog of this node: only documented columns have a type.")
    if opened.run.column_graph_id is None:
        notes.append("The run was recorded without column lineage: origin and readers are unknown.")
    elif lineage and lineage.reason:
        notes.append(f"The SQL could not be analysed: {lineage.reason}.")
    return notes
