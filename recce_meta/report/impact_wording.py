"""The words in which both the terminal and Markdown tell of an impact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from recce_meta.models.change import Reach
from recce_meta.models.column_lineage import Kind, Usage
from recce_meta.models.impact import FailingNode, ImpactView, Influence, ReachedColumn, ReachedNode
from recce_meta.report.wording import counts_by_kind, node_label, node_part

COLUMNS_SHOWN = 12
"""Columns of one node that are told."""
SOURCES_SHOWN = 5
"""Sources of one column, and columns that decide over the rows of one node, that are told."""

_USAGES = {
    Usage.FILTER.value: "filtered by",
    Usage.JOIN.value: "joined on",
    Usage.GROUP.value: "grouped by",
    Usage.ORDER.value: "ordered by",
}
_PLAIN_KINDS = frozenset({Kind.PASSTHROUGH.value, Kind.RENAMED.value})
"""Kinds that the names of both columns tell."""


def subject(view: ImpactView) -> str:
    """What was asked for: `orders`, `orders.amount`."""
    root = next(node for node in view.nodes if node.unique_id == view.root)
    return node_label(root) if view.column is None else f"{node_label(root)}.{view.column}"


def labels_of(view: ImpactView) -> Mapping[str, str]:
    """What each node is called, by unique id."""
    return {node.unique_id: node_label(node) for node in view.nodes}


def named(influence: Influence, near: str | None, labels: Mapping[str, str]) -> str:
    """`amount` where it is a column of *near*, the node before; else with its node: `orders.amount`."""
    if influence.parent_id == near:
        return influence.column
    return f"{labels.get(influence.parent_id) or node_part(influence.parent_id)}.{influence.column}"


def sources_of(column: ReachedColumn, near: str | None, labels: Mapping[str, str]) -> list[str]:
    """The names of what *column* comes from, cut where there are many."""
    return _first(list(dict.fromkeys(named(source, near, labels) for source in column.sources)))


def made_how(column: ReachedColumn) -> str:
    """`derived`, `aggregated`; empty where it is the column that it comes from."""
    kinds = {source.kind for source in column.sources} - _PLAIN_KINDS
    return " and ".join(sorted(kinds))


def rows_of(node: ReachedNode, near: str | None, labels: Mapping[str, str]) -> list[str]:
    """Why the rows of *node* are reached: `joined on id`, `filtered by status, amount`."""
    phrases = []
    for usage, words in _USAGES.items():
        names = list(dict.fromkeys(named(use, near, labels) for use in node.uses if use.kind == usage))
        if names:
            phrases.append(f"{words} {', '.join(_first(names))}")
    return phrases


def doubt_of(node: ReachedNode) -> str:
    """`perhaps`, with the reason where the node has one; empty where it is known how far it is reached."""
    if Reach.UNKNOWN not in node.reach or not node.distance:
        return ""
    if node.distance < 0:
        return "perhaps any column"
    if Reach.ROWS in node.reach:
        return ""
    word = "perhaps more" if Reach.COLUMNS in node.reach else "perhaps"
    return f"{word}: {node.reason}" if node.reason else word


def shown_columns(node: ReachedNode) -> Sequence[ReachedColumn]:
    """The columns of *node* that are told: those that flow, then those that only decide over rows."""
    return sorted(node.columns, key=lambda column: (column.reach is not Reach.COLUMNS, column.name))


def failing(nodes: Sequence[FailingNode]) -> str:
    """Return `2 models, 1 test fail`."""
    counts = counts_by_kind(Counter(node.resource_type for node in nodes))
    return f"{counts} {'fails' if len(nodes) == 1 else 'fail'}"


def references_of(node: FailingNode, root: str, labels: Mapping[str, str]) -> list[str]:
    """Return the columns that *node* names: `amount` of *root*, `orders.amount` of another node."""
    return [
        stop.column or ""
        if stop.unique_id == root
        else f"{labels.get(stop.unique_id) or node_part(stop.unique_id)}.{stop.column}"
        for stop in node.references
    ]


def sure(confidence: float) -> str:
    """`0.45`; empty where it is sure."""
    return "" if confidence >= 1 else f"{confidence:.2g}"


def _first(names: list[str]) -> list[str]:
    return [*names[:SOURCES_SHOWN], "…"] if len(names) > SOURCES_SHOWN else names
