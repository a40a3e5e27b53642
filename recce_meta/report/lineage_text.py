"""A node's lineage as a tree on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from recce_meta.models.lineage import Direction, ForeignKey, LineageNode, LineageView
from recce_meta.models.node import LineageEdge
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render, table
from recce_meta.report.wording import count_of, counts_by_kind, kind_order, node_label, node_part

_SEEN = Span("  (shown above)", Style.DIM)


def lineage_text(view: LineageView, *, width: int, color: bool) -> str:
    """The node that was asked for and a tree for each direction; a node met again is marked, not expanded."""
    nodes = {node.unique_id: node for node in view.nodes}
    root = nodes[view.root]
    lines: list[Line] = [(Span(node_label(root), Style.BOLD), Span(f"  {root.resource_type}", Style.DIM))]
    if view.direction is not Direction.DOWNSTREAM:
        above = [node for node in view.nodes if node.distance < 0]
        lines += _section("Upstream", above, _tree(view.root, _parents(view.edges), nodes))
    if view.direction is not Direction.UPSTREAM:
        below = [node for node in view.nodes if node.distance > 0]
        lines += _section("Downstream", below, _tree(view.root, _children(view.edges), nodes))
    lines += _references("References", [key for key in view.foreign_keys if key.node_id == view.root], True)
    coming = [key for key in view.foreign_keys if key.parent_id == view.root]
    lines += _references("Referenced by", coming, False)
    return render(lines, width=width, color=color)


def _section(title: str, nodes: Sequence[LineageNode], tree: Iterator[Line]) -> list[Line]:
    counts = Counter(node.resource_type for node in nodes)
    heading = (Span(title, Style.BOLD), Span(f"  {counts_by_kind(counts)}", Style.DIM))
    return [BLANK, heading, *(tree if nodes else [plain("  nothing")])]


def _references(title: str, keys: Sequence[ForeignKey], is_own: bool) -> list[Line]:
    """Foreign keys, of the node itself or of others: no lineage, and so no tree."""
    if not keys:
        return []
    rows = [
        [Span(node_part(key.parent_id if is_own else key.node_id)), Span(joined_columns(key), Style.DIM)]
        for key in keys
    ]
    count = Span(f"  {count_of(len(keys), 'foreign key')}", Style.DIM)
    return [BLANK, (Span(title, Style.BOLD), count), *table(rows)]


def joined_columns(key: ForeignKey) -> str:
    """`language_id → language_id`, with what becomes of rows whose parent is deleted, unless none may be."""
    there = ", ".join(key.parent_columns)
    joined = f"{', '.join(key.columns)} → {there}" if there else ", ".join(key.columns)
    is_usual = key.on_delete in (None, "no action", "restrict")
    return joined if is_usual else f"{joined}, on delete {key.on_delete}"


def _parents(edges: Sequence[LineageEdge]) -> dict[str, list[str]]:
    following: dict[str, list[str]] = {}
    for edge in edges:
        following.setdefault(edge.node_id, []).append(edge.parent_id)
    return following


def _children(edges: Sequence[LineageEdge]) -> dict[str, list[str]]:
    following: dict[str, list[str]] = {}
    for edge in edges:
        following.setdefault(edge.parent_id, []).append(edge.node_id)
    return following


def _tree(
    root: str, following: Mapping[str, Sequence[str]], nodes: Mapping[str, LineageNode]
) -> Iterator[Line]:
    """The lines below *root*; a stack rather than recursion, since lineages can be deeper than Python's."""

    def branches(unique_id: str, indent: str) -> list[tuple[str, str, bool]]:
        known = {step for step in following.get(unique_id, ()) if step in nodes}
        ordered = sorted(
            known, key=lambda step: (kind_order(nodes[step].resource_type), node_label(nodes[step]), step)
        )
        return [(step, indent, step == ordered[-1]) for step in reversed(ordered)]

    seen = {root}
    stack = branches(root, "")
    while stack:
        unique_id, indent, is_last = stack.pop()
        node, leads_on = nodes[unique_id], bool(following.get(unique_id))
        kind = Span(f"  {node.resource_type}", Style.DIM)
        line = [Span(f"  {indent}{'└─ ' if is_last else '├─ '}", Style.DIM), Span(node_label(node)), kind]
        yield [*line, _SEEN] if unique_id in seen and leads_on else line
        if unique_id not in seen:
            seen.add(unique_id)
            stack += branches(unique_id, indent + ("   " if is_last else "│  "))
