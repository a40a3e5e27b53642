"""An impact as Markdown: a Mermaid graph, and a table of what is reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from recce_meta.models.change import Reach
from recce_meta.models.impact import ImpactView, ReachedColumn, ReachedNode
from recce_meta.models.lineage import Direction
from recce_meta.report.escape import code, prose, words
from recce_meta.report.impact_wording import (
    COLUMNS_SHOWN,
    doubt_of,
    failing,
    labels_of,
    made_how,
    references_of,
    rows_of,
    shown_columns,
    sources_of,
    subject,
    sure,
)
from recce_meta.report.mermaid import Flowchart, Vertex, flowchart
from recce_meta.report.wording import TESTS, counts_by_kind, kind_order, more, node_label

NODES_LISTED = 100
COLUMNS_DRAWN = 3
PATH_SHOWN = 8
"""Nodes of a path that are told; of a longer one the first and the last."""


def impact_markdown(view: ImpactView) -> str:
    """*view* as a graph and a table for each direction; tests are counted."""
    chart = impact_flowchart(view)
    text = f"### Impact of {code(subject(view))}\n"
    text += "".join(f"\n> {prose(note)}\n" for note in view.notes)
    text += f"\n```mermaid\n{chart.text}\n```\n"
    if chart.drawn < chart.total:
        text += f"\nThe graph shows the {chart.drawn} nearest of {chart.total:,} nodes.\n"
    labels = labels_of(view)
    if view.direction is not Direction.DOWNSTREAM:
        text += _section("Upstream", [node for node in view.nodes if node.distance < 0], labels)
    if view.direction is not Direction.UPSTREAM:
        text += _section("Downstream", [node for node in view.nodes if node.distance > 0], labels)
        text += _failing(view, labels)
    return text


def _failing(view: ImpactView, labels: Mapping[str, str]) -> str:
    if not view.fails:
        return ""
    text = f"\n**If removed or renamed**: {failing(view.fails)}\n\n"
    for node in view.fails[:NODES_LISTED]:
        names = code(", ".join(references_of(node, view.root, labels)))
        doubt = f", {sure(node.confidence)}" if sure(node.confidence) else ""
        text += f"- {code(node_label(node))} ({words(node.resource_type)}) names {names}{doubt}\n"
    hidden = len(view.fails) - NODES_LISTED
    return text + (f"\n{more(hidden)}\n" if hidden > 0 else "")


def impact_flowchart(view: ImpactView) -> Flowchart:
    """The reached nodes without tests, the nearest first where there are too many."""
    nodes = sorted(
        (node for node in view.nodes if node.resource_type not in TESTS or node.unique_id == view.root),
        key=lambda n: (abs(n.distance), kind_order(n.resource_type), n.unique_id),
    )
    vertices = [_vertex(node, view) for node in nodes]
    return flowchart(vertices, [(edge.parent_id, edge.node_id) for edge in view.edges])


def _vertex(node: ReachedNode, view: ImpactView) -> Vertex:
    if node.unique_id == view.root:
        return Vertex(node.unique_id, subject(view), node.resource_type, "root")
    names = [column.name for column in shown_columns(node) if column.reach is Reach.COLUMNS]
    about = ", ".join([*names[:COLUMNS_DRAWN], "…"] if len(names) > COLUMNS_DRAWN else names)
    return Vertex(node.unique_id, node_label(node), node.resource_type, _style(node), about)


def _style(node: ReachedNode) -> str:
    if node.distance < 0:
        return "columns" if any(column.reach is Reach.COLUMNS for column in node.columns) else "other"
    return "rows" if Reach.ROWS in node.reach else node.reach[0].value


def _section(title: str, nodes: Sequence[ReachedNode], labels: Mapping[str, str]) -> str:
    if not nodes:
        return f"\n**{title}**: nothing\n"
    counts = Counter(node.resource_type for node in nodes)
    listed = [node for node in nodes if node.resource_type not in TESTS]
    listed.sort(key=lambda node: (abs(node.distance), kind_order(node.resource_type), node_label(node)))
    text = f"\n**{title}**: {counts_by_kind(counts)}\n"
    if listed:
        text += "\n| object | type | steps | reached | by way of | sure |\n|---|---|---:|---|---|---:|\n"
        text += "".join(_row(node, labels) for node in listed[:NODES_LISTED])
    return text + (f"\n{more(len(listed) - NODES_LISTED)}\n" if len(listed) > NODES_LISTED else "")


def _row(node: ReachedNode, labels: Mapping[str, str]) -> str:
    cells = [
        code(node_label(node)),
        words(node.resource_type),
        str(abs(node.distance)),
        _reached(node, labels),
        _way(node, labels),
        sure(node.confidence) or "1",
    ]
    return f"| {' | '.join(cells)} |\n"


def _reached(node: ReachedNode, labels: Mapping[str, str]) -> str:
    """What of the node is reached, one line for each: its rows, then its columns."""
    near, lines = node.path[-2].unique_id, []
    phrases = rows_of(node, near, labels)
    if phrases:
        lines.append("rows, " + "; ".join(_coded(phrase) for phrase in phrases))
    elif node.distance > 0 and Reach.ROWS in node.reach:
        lines.append("rows")
    if doubt_of(node):
        lines.append(prose(doubt_of(node)))
    columns = shown_columns(node)
    lines += [_column(column, near, labels) for column in columns[:COLUMNS_SHOWN]]
    if len(columns) > COLUMNS_SHOWN:
        lines.append(more(len(columns) - COLUMNS_SHOWN))
    return "<br>".join(lines)


def _coded(phrase: str) -> str:
    """`joined on id, orders.id` with its names as code."""
    first, second, names = phrase.split(" ", 2)
    return f"{first} {second} {code(names)}"


def _column(column: ReachedColumn, near: str, labels: Mapping[str, str]) -> str:
    text = code(column.name)
    if column.sources:
        text += f" ← {code(', '.join(sources_of(column, near, labels)))}"
    remarks = ("for rows" if column.reach is Reach.ROWS else "", made_how(column), sure(column.confidence))
    return text + "".join(f", {remark}" for remark in remarks if remark)


def _way(node: ReachedNode, labels: Mapping[str, str]) -> str:
    stops = [code(_stop(stop.unique_id, stop.column, labels)) for stop in node.path[:-1]]
    if len(stops) > PATH_SHOWN:
        stops = [*stops[: PATH_SHOWN - 1], "…", stops[-1]]
    return (" → " if node.distance > 0 else " ← ").join(stops)


def _stop(unique_id: str, column: str | None, labels: Mapping[str, str]) -> str:
    label = labels.get(unique_id, unique_id)
    return label if column is None else f"{label}.{column}"
