"""An impact as a tree on a terminal: every node once, on one shortest way to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from recce_meta.models.change import Reach
from recce_meta.models.impact import ImpactView, ReachedNode
from recce_meta.models.lineage import Direction
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
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render
from recce_meta.report.wording import counts_by_kind, kind_order, more, node_label

MOST_INDENT = 90
"""Characters before a branch; what is deeper is drawn no further in, or a long way would be all margin."""


def impact_text(view: ImpactView, *, width: int, color: bool) -> str:
    """What was asked for, and a tree for each direction; under each node how it is reached."""
    root = next(node for node in view.nodes if node.unique_id == view.root)
    lines: list[Line] = [(Span(subject(view), Style.BOLD), Span(f"  {root.resource_type}", Style.DIM))]
    labels = labels_of(view)
    if view.direction is not Direction.DOWNSTREAM:
        above = [node for node in view.nodes if node.distance < 0]
        lines += _section("Upstream", above)
        # What the root is made of is told where it is asked for; downstream it is where all comes from.
        lines += _told(root, None, "", labels)
        lines += _tree(root, above, labels)
    if view.direction is not Direction.UPSTREAM:
        below = [node for node in view.nodes if node.distance > 0]
        lines += [*_section("Downstream", below), *_tree(root, below, labels)]
        lines += _failing(view, labels)
    lines += [line for note in view.notes for line in (BLANK, (Span("note: ", Style.YELLOW), Span(note)))]
    return render(lines, width=width, color=color)


def _section(title: str, nodes: Sequence[ReachedNode]) -> list[Line]:
    counts = Counter(node.resource_type for node in nodes)
    heading = (Span(title, Style.BOLD), Span(f"  {counts_by_kind(counts)}", Style.DIM))
    return [BLANK, heading] if nodes else [BLANK, heading, plain("  nothing")]


def _failing(view: ImpactView, labels: Mapping[str, str]) -> Iterator[Line]:
    """Yield a line for each node that fails if the column is removed or renamed."""
    if not view.fails:
        return
    yield BLANK
    yield (Span("If removed or renamed", Style.BOLD), Span(f"  {failing(view.fails)}", Style.DIM))
    for node in view.fails:
        names = ", ".join(references_of(node, view.root, labels))
        line = [Span(f"  {node_label(node)}"), Span(f"  {node.resource_type}", Style.DIM)]
        line.append(Span(f"  names {names}"))
        if sure(node.confidence):
            line.append(Span(f"  {sure(node.confidence)}", Style.YELLOW))
        yield line


def _tree(root: ReachedNode, nodes: Sequence[ReachedNode], labels: Mapping[str, str]) -> Iterator[Line]:
    """The lines of *nodes*; a stack rather than recursion, since ways can be deeper than Python's."""
    after: dict[str, list[ReachedNode]] = {}
    for node in sorted(nodes, key=_place):
        after.setdefault(node.path[-2].unique_id, []).append(node)
    stack = [(node, root.unique_id, "") for node in reversed(after.get(root.unique_id, ()))]
    last = {siblings[-1].unique_id for siblings in after.values()}
    while stack:
        node, near, indent = stack.pop()
        is_last, following = node.unique_id in last, after.get(node.unique_id, ())
        yield _heading(node, near, f"  {indent}{'└─ ' if is_last else '├─ '}", labels)
        deeper = indent + ("   " if is_last else "│  ") if len(indent) < MOST_INDENT else indent
        yield from _told(node, near, deeper + ("│  " if following else "   "), labels)
        stack += [(step, node.unique_id, deeper) for step in reversed(following)]


def _place(node: ReachedNode) -> tuple[bool, tuple[int, str], str, str]:
    """Where *node* stands among its siblings: upstream, what flows before what only decides over rows."""
    only_rows = node.distance < 0 and Reach.COLUMNS not in {column.reach for column in node.columns}
    return only_rows, kind_order(node.resource_type), node_label(node), node.unique_id


def _heading(node: ReachedNode, near: str, branch: str, labels: Mapping[str, str]) -> Line:
    line = [Span(branch, Style.DIM), Span(node_label(node)), Span(f"  {node.resource_type}", Style.DIM)]
    phrases = rows_of(node, near, labels)
    if phrases or (Reach.ROWS in node.reach and node.distance > 0):
        line.append(Span("  rows" + (": " + "; ".join(phrases) if phrases else "")))
    if doubt_of(node):
        line.append(Span(f"  {doubt_of(node)}"))
    if sure(node.confidence):
        line.append(Span(f"  {sure(node.confidence)}", Style.YELLOW))
    return line


def _told(node: ReachedNode, near: str | None, indent: str, labels: Mapping[str, str]) -> Iterator[Line]:
    """A line for each column of *node*."""
    columns = [column for column in shown_columns(node) if column.sources or node.distance < 0]
    if not node.distance:
        for phrase in rows_of(node, near, labels):
            yield (Span("  " + indent, Style.DIM), Span(f"rows {phrase}"))
    for column in columns[:COLUMNS_SHOWN]:
        line = [Span("  " + indent, Style.DIM), Span(column.name, Style.CYAN)]
        if column.sources:
            line += [Span(" ← ", Style.DIM), Span(", ".join(sources_of(column, near, labels)))]
        if column.reach is Reach.ROWS:
            line.append(Span("  for rows", Style.DIM))
        if made_how(column):
            line.append(Span(f"  {made_how(column)}", Style.DIM))
        if sure(column.confidence):
            line.append(Span(f"  {sure(column.confidence)}", Style.YELLOW))
        yield line
    if len(columns) > COLUMNS_SHOWN:
        yield (Span("  " + indent, Style.DIM), Span(more(len(columns) - COLUMNS_SHOWN, hint=True), Style.DIM))
