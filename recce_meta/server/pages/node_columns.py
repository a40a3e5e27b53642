"""Tab of a node with its columns: type, tests, origin and readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from recce_meta.api.browse.node import (
    ColumnReader,
    NodeTest,
    column_names,
    column_readers,
    node_columns,
    node_tests,
    unknown_readers,
)
from recce_meta.api.runs import WITH_DATA
from recce_meta.models.lineage import NodeColumns
from recce_meta.models.node import matching_name
from recce_meta.report.labels import join_words
from recce_meta.report.review.annotations import annotation_phrase
from recce_meta.server.pages.node import OpenedNode, kind_phrase, label_of, name_of, open_node
from recce_meta.server.site.annotations import annotated_nodes
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row

pages = PageSet()


@pages.listing("/runs/{run}/nodes/{node}/columns")
def columns(request: Request) -> Listing | Redirect:
    """List the columns of a node: type, tests, origin and readers."""
    opened = open_node(request, "columns", with_tests=True)
    if isinstance(opened, Redirect):
        return opened
    view, run, node = request.view, opened.run, opened.node
    lineage = node_columns(view.adapter, run, node.unique_id, schema=view.schema)
    readers = column_readers(view.adapter, run, node.unique_id, schema=view.schema)
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
    if opened.node.resource_type in WITH_DATA:
        return "The columns are unknown: record the catalog of dbt docs generate, or document the columns."
    return f"A {kind_phrase(opened.node)} has no columns."


def _unknown_readers(opened: OpenedNode) -> list[str]:
    """Return the note on readers that the figures leave out, because their columns are unknown."""
    view = opened.request.view
    found = unknown_readers(view.adapter, opened.run, opened.children, schema=view.schema)
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
