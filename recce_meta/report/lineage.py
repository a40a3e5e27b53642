"""Lineage of a node, and impact of a node or column, as text and Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from recce_meta.errors import agree
from recce_meta.lazy import LazyModule
from recce_meta.models.change import CERTAIN, Reach
from recce_meta.models.lineage import (
    Direction,
    FailingNode,
    ForeignKey,
    ImpactView,
    Influence,
    Kind,
    LineageNode,
    LineageView,
    ReachedColumn,
    ReachedNode,
    Usage,
)
from recce_meta.models.marks.annotation import Annotation
from recce_meta.models.node import LineageEdge
from recce_meta.report.labels import (
    TESTS,
    count_of,
    counts_by_kind,
    kind_order,
    more_phrase,
    node_label,
    node_part,
)
from recce_meta.report.review.notes import in_order_of, note_lines, notes_markdown, owners_of
from recce_meta.report.terminal import (
    BLANK,
    Line,
    Span,
    Style,
    code,
    md_table,
    plain_line,
    prose,
    render,
    table,
)
from recce_meta.report.terminal import plain_words as words_of

if TYPE_CHECKING:
    from recce_meta.report import mermaid
else:
    mermaid = LazyModule("recce_meta.report.mermaid")  # draws Markdown's graphs, which texts do not have

_SEEN = Span("  (shown above)", Style.DIM)


def lineage_text(view: LineageView, *, width: int, color: bool) -> str:
    """Return the node and a tree for each direction; a repeated node is marked and not expanded."""
    nodes = {node.unique_id: node for node in view.nodes}
    root = nodes[view.root]
    lines: list[Line] = [(Span(node_label(root), Style.BOLD), Span(f"  {root.resource_type}", Style.DIM))]
    if view.direction is not Direction.DOWNSTREAM:
        above = [node for node in view.nodes if node.distance < 0]
        lines += _lineage_section("Upstream", above, _lineage_tree(view.root, _parents(view.edges), nodes))
    if view.direction is not Direction.UPSTREAM:
        below = [node for node in view.nodes if node.distance > 0]
        lines += _lineage_section("Downstream", below, _lineage_tree(view.root, _children(view.edges), nodes))
    lines += _references("References", [key for key in view.foreign_keys if key.node_id == view.root], True)
    coming = [key for key in view.foreign_keys if key.parent_id == view.root]
    lines += _references("Referenced by", coming, False)
    labels = {unique_id: node_label(node) for unique_id, node in nodes.items()}
    nearest = sorted(view.nodes, key=lambda node: (abs(node.distance), node.unique_id))
    lines += note_lines(in_order_of(view.annotations, [node.unique_id for node in nearest]), labels)
    return render(lines, width=width, color=color)


def _lineage_section(title: str, nodes: Sequence[LineageNode], tree: Iterator[Line]) -> list[Line]:
    counts = Counter(node.resource_type for node in nodes)
    heading = (Span(title, Style.BOLD), Span(f"  {counts_by_kind(counts)}", Style.DIM))
    return [BLANK, heading, *(tree if nodes else [plain_line("  nothing")])]


def _references(title: str, keys: Sequence[ForeignKey], is_own: bool) -> list[Line]:
    """Return foreign keys of the node, or to it; they are not lineage and therefore not in the tree."""
    if not keys:
        return []
    rows = [
        [Span(node_part(key.parent_id if is_own else key.node_id)), Span(joined_columns(key), Style.DIM)]
        for key in keys
    ]
    count = Span(f"  {count_of(len(keys), 'foreign key')}", Style.DIM)
    return [BLANK, (Span(title, Style.BOLD), count), *table(rows)]


def joined_columns(key: ForeignKey) -> str:
    """Return `language_id → language_id` with the action on delete, unless deleting is rejected."""
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


def _lineage_tree(
    root: str, following: Mapping[str, Sequence[str]], nodes: Mapping[str, LineageNode]
) -> Iterator[Line]:
    """Yield the lines below *root*; iterative, since lineage can exceed Python's recursion limit."""

    def branches(unique_id: str, indent: str) -> list[tuple[str, str, bool]]:
        known = {step for step in following.get(unique_id, ()) if step in nodes}
        ordered = sorted(
            known, key=lambda step: (kind_order(nodes[step].resource_type), node_label(nodes[step]), step)
        )
        # Reversed, because the stack returns its last entry first.
        return [(step, indent, step == ordered[-1]) for step in reversed(ordered)]

    seen = {root}
    stack = branches(root, "")
    while stack:
        unique_id, indent, is_last = stack.pop()
        node, leads_on = nodes[unique_id], bool(following.get(unique_id))
        kind = Span(f"  {node.resource_type}", Style.DIM)
        line = [Span(f"  {indent}{'└─ ' if is_last else '├─ '}", Style.DIM), Span(node_label(node)), kind]
        # A repeated leaf has nothing to expand, so it needs no mark.
        yield [*line, _SEEN] if unique_id in seen and leads_on else line
        if unique_id not in seen:
            seen.add(unique_id)
            stack += branches(unique_id, indent + ("   " if is_last else "│  "))


NODE_COLUMNS_SHOWN = 12
"""Columns shown for each node."""
SOURCES_SHOWN = 5
"""Sources shown for each column, and columns shown for each use of rows."""

_USAGES = {
    Usage.FILTER.value: "filtered by",
    Usage.JOIN.value: "joined on",
    Usage.GROUP.value: "grouped by",
    Usage.ORDER.value: "ordered by",
}
_PLAIN_KINDS = frozenset({Kind.PASSTHROUGH.value, Kind.RENAMED.value})
"""Kinds that are evident from the names of both columns."""


def subject(view: ImpactView) -> str:
    """Return the requested node or column: `orders` or `orders.amount`."""
    root = next(node for node in view.nodes if node.unique_id == view.root)
    return node_label(root) if view.column is None else f"{node_label(root)}.{view.column}"


def labels_of(view: ImpactView) -> Mapping[str, str]:
    """Return the label of each node by unique id."""
    return {node.unique_id: node_label(node) for node in view.nodes}


def source_name(influence: Influence, near: str | None, labels: Mapping[str, str]) -> str:
    """Return `amount` for a column of *near*, the previous node; else with its node: `orders.amount`."""
    if influence.parent_id == near:
        return influence.column
    return f"{labels.get(influence.parent_id) or node_part(influence.parent_id)}.{influence.column}"


def source_names(column: ReachedColumn, near: str | None, labels: Mapping[str, str]) -> list[str]:
    """Return the names of the sources of *column*, cut if there are many."""
    return _first(list(dict.fromkeys(source_name(source, near, labels) for source in column.sources)))


def derivation(column: ReachedColumn) -> str:
    """Return `derived` or `aggregated`; empty for a column passed through unchanged."""
    kinds = {source.kind for source in column.sources} - _PLAIN_KINDS
    return " and ".join(sorted(kinds))


def row_phrases(node: ReachedNode, near: str | None, labels: Mapping[str, str]) -> list[str]:
    """Return why the rows of *node* are affected: `joined on id`, `filtered by status, amount`."""
    phrases = []
    for usage, words in _USAGES.items():
        names = list(dict.fromkeys(source_name(use, near, labels) for use in node.uses if use.kind == usage))
        if names:
            phrases.append(f"{words} {', '.join(_first(names))}")
    return phrases


def doubt_phrase(node: ReachedNode) -> str:
    """Return `perhaps` with the reason; empty if it is known which part of *node* is affected."""
    if Reach.UNKNOWN not in node.reach or not node.distance:
        return ""
    if node.distance < 0:
        return "perhaps any column"
    if Reach.ROWS in node.reach:
        return ""
    word = "perhaps more" if Reach.COLUMNS in node.reach else "perhaps"
    return f"{word}: {node.reason}" if node.reason else word


def shown_columns(node: ReachedNode) -> Sequence[ReachedColumn]:
    """Return the columns of *node*: first those with values passed on, then those that affect rows."""
    return sorted(node.columns, key=lambda column: (column.reach is not Reach.COLUMNS, column.name))


def affected_phrase(view: ImpactView) -> str:
    """Return `2 models, 1 test`, the affected nodes downstream, and those that are in doubt."""
    counts = counts_by_kind(Counter(node.resource_type for node in view.nodes if node.distance > 0))
    return "; ".join(filter(None, (counts, _doubts(view, view.doubtful))))


def failing_phrase(view: ImpactView) -> str:
    """Return `2 models fail`, or `at least 2 models fail; 3 nodes not traced`; empty if no node can fail."""
    if view.fails is None:
        return ""
    sure = [node for node in view.fails if node.confidence >= CERTAIN]
    guesses = {*view.doubtful, *(node.unique_id for node in view.fails)}
    doubts = _doubts(view, guesses - {node.unique_id for node in sure})
    counts = counts_by_kind(Counter(node.resource_type for node in sure))
    phrase = f"{counts} {agree(len(sure), 'fail')}" if sure else ""
    if not doubts:
        return phrase
    return f"at least {phrase}; {doubts}" if sure else f"no failure is certain; {doubts}"


def _doubts(view: ImpactView, ids: Collection[str]) -> str:
    """Return `3 nodes not traced, 1 node uncertain` for the nodes *ids*; empty without any."""
    reasons = [node.reason for node in view.nodes if node.unique_id in ids]
    untraced = len(reasons) - reasons.count(None)
    counts = {"not traced": untraced, "uncertain": len(ids) - untraced}
    return ", ".join(f"{count_of(count, 'node')} {words}" for words, count in counts.items() if count)


def references_of(node: FailingNode, root: str, labels: Mapping[str, str]) -> list[str]:
    """Return the columns referenced by *node*: `amount` of *root*, else with its node: `orders.amount`."""
    return [
        stop.column or ""
        if stop.unique_id == root
        else f"{labels.get(stop.unique_id) or node_part(stop.unique_id)}.{stop.column}"
        for stop in node.references
    ]


def path_text(node: ReachedNode | FailingNode, labels: Mapping[str, str]) -> str:
    """Return the path from the root to *node*: `orders.amount → customers.total`; long paths are cut."""
    stops = [_stop(stop.unique_id, stop.column, labels) for stop in node.path]
    if len(stops) > PATH_SHOWN:
        stops = [*stops[: PATH_SHOWN - 1], "…", stops[-1]]
    return (" → " if node.distance > 0 else " ← ").join(stops)


def reached_phrases(node: ReachedNode, labels: Mapping[str, str]) -> list[str]:
    """Return the affected parts of *node*: `rows joined on id`, `total ← amount, aggregated`."""
    near = node.path[-2].unique_id if len(node.path) > 1 else None
    lines = [f"rows {phrase}" for phrase in row_phrases(node, near, labels)]
    if not lines and node.distance > 0 and Reach.ROWS in node.reach:
        lines.append("rows")
    lines += [doubt_phrase(node)] if doubt_phrase(node) else []
    columns = shown_columns(node)
    for column in columns[:NODE_COLUMNS_SHOWN]:
        sources = ", ".join(source_names(column, near, labels))
        remarks = ("rows only" if column.reach is Reach.ROWS else "", derivation(column))
        text = f"{column.name} ← {sources}" if sources and sources != column.name else column.name
        lines.append(", ".join(filter(None, (text, *remarks))))
    hidden = len(columns) - NODE_COLUMNS_SHOWN
    return [*lines, more_phrase(hidden)] if hidden > 0 else lines


def confidence_text(confidence: float) -> str:
    """Return the confidence as `confidence 45%`; empty if it is certain."""
    return "" if confidence >= 1 else f"confidence {confidence:.0%}"


def _first(names: list[str]) -> list[str]:
    return [*names[:SOURCES_SHOWN], "…"] if len(names) > SOURCES_SHOWN else names


MOST_INDENT = 90
"""Characters before a branch; deeper branches are not indented further."""


def impact_text(view: ImpactView, *, width: int, color: bool) -> str:
    """Return the requested subject and a tree for each direction, with the reason under each node."""
    root = next(node for node in view.nodes if node.unique_id == view.root)
    labels, owners = labels_of(view), owners_of(view.annotations)
    title = (Span(subject(view), Style.BOLD), Span(f"  {root.resource_type}", Style.DIM))
    lines: list[Line] = [[*title, *_owner_spans(owners.get(view.root))]]
    if view.direction is not Direction.DOWNSTREAM:
        above = [node for node in view.nodes if node.distance < 0]
        lines += _text_section("Upstream", above, _counts(above))
        # The sources of the root are part of its upstream; downstream, the root is the only source.
        lines += _column_lines(root, None, "", labels)
        lines += _impact_tree(root, above, labels, owners)
    if view.direction is not Direction.UPSTREAM:
        below = [node for node in view.nodes if node.distance > 0]
        lines += _text_section("Downstream", below, affected_phrase(view))
        lines += _impact_tree(root, below, labels, owners)
        lines += _text_failing(view, labels)
    lines += note_lines(_nearest_notes(view), labels)
    lines += [line for note in view.notes for line in (BLANK, (Span("note: ", Style.YELLOW), Span(note)))]
    return render(lines, width=width, color=color)


def _nearest_notes(view: ImpactView) -> list[Annotation]:
    """Return the annotations of *view*, those of the nearest nodes first."""
    nearest = sorted(view.nodes, key=lambda node: (abs(node.distance), node.unique_id))
    return in_order_of(view.annotations, [node.unique_id for node in nearest])


def _counts(nodes: Sequence[ReachedNode]) -> str:
    return counts_by_kind(Counter(node.resource_type for node in nodes))


def _text_section(title: str, nodes: Sequence[ReachedNode], counts: str) -> list[Line]:
    heading = (Span(title, Style.BOLD), Span(f"  {counts}", Style.DIM))
    return [BLANK, heading] if nodes else [BLANK, heading, plain_line("  nothing")]


def _text_failing(view: ImpactView, labels: Mapping[str, str]) -> Iterator[Line]:
    """Yield a line for each node that fails if the column is removed or renamed."""
    if not (phrase := failing_phrase(view)):
        return
    yield BLANK
    yield (Span("If removed or renamed", Style.BOLD), Span(f"  {phrase}", Style.DIM))
    for node in view.fails or ():
        names = ", ".join(references_of(node, view.root, labels))
        line = [Span(f"  {node_label(node)}"), Span(f"  {node.resource_type}", Style.DIM)]
        line.append(Span(f"  references {names}"))
        if confidence_text(node.confidence):
            line.append(Span(f"  {confidence_text(node.confidence)}", Style.YELLOW))
        yield line


def _impact_tree(
    root: ReachedNode,
    nodes: Sequence[ReachedNode],
    labels: Mapping[str, str],
    owners: Mapping[str, str],
) -> Iterator[Line]:
    """Yield the lines of *nodes* with their owners; iterative, since paths can exceed the recursion limit."""
    after: dict[str, list[ReachedNode]] = {}
    for node in sorted(nodes, key=_place):
        # A node has one path, so that it occurs once in the tree.
        after.setdefault(node.path[-2].unique_id, []).append(node)
    stack = [(node, root.unique_id, "") for node in reversed(after.get(root.unique_id, ()))]
    last = {siblings[-1].unique_id for siblings in after.values()}
    while stack:
        node, near, indent = stack.pop()
        is_last, following = node.unique_id in last, after.get(node.unique_id, ())
        branch = f"  {indent}{'└─ ' if is_last else '├─ '}"
        yield _heading(node, near, branch, labels, _owner_spans(owners.get(node.unique_id)))
        deeper = indent + ("   " if is_last else "│  ") if len(indent) < MOST_INDENT else indent
        yield from _column_lines(node, near, deeper + ("│  " if following else "   "), labels)
        stack += [(step, node.unique_id, deeper) for step in reversed(following)]


def _owner_spans(owners: str | None) -> Line:
    return [] if owners is None else [Span(f"  owners: {owners}", Style.CYAN)]


def _place(node: ReachedNode) -> tuple[bool, tuple[int, str], str, str]:
    """Return the sort key among siblings: upstream, values come before columns that only affect rows."""
    only_rows = node.distance < 0 and Reach.COLUMNS not in {column.reach for column in node.columns}
    return only_rows, kind_order(node.resource_type), node_label(node), node.unique_id


def _heading(node: ReachedNode, near: str, branch: str, labels: Mapping[str, str], owners: Line) -> Line:
    name = (Span(node_label(node)), Span(f"  {node.resource_type}", Style.DIM))
    # Owners come first, because a long line is cut at its end.
    line = [Span(branch, Style.DIM), *name, *owners]
    phrases = row_phrases(node, near, labels)
    if phrases or (Reach.ROWS in node.reach and node.distance > 0):
        words = "rows affected" if node.distance > 0 else "rows"
        line.append(Span(f"  {words}" + (": " + "; ".join(phrases) if phrases else "")))
    if doubt_phrase(node):
        line.append(Span(f"  {doubt_phrase(node)}"))
    if confidence_text(node.confidence):
        line.append(Span(f"  {confidence_text(node.confidence)}", Style.YELLOW))
    return line


def _column_lines(
    node: ReachedNode, near: str | None, indent: str, labels: Mapping[str, str]
) -> Iterator[Line]:
    """Yield a line for each column of *node*."""
    columns = [column for column in shown_columns(node) if column.sources or node.distance < 0]
    if not node.distance:
        for phrase in row_phrases(node, near, labels):
            yield (Span("  " + indent, Style.DIM), Span(f"rows {phrase}"))
    for column in columns[:NODE_COLUMNS_SHOWN]:
        line = [Span("  " + indent, Style.DIM), Span(column.name, Style.CYAN)]
        if column.sources:
            line += [Span(" ← ", Style.DIM), Span(", ".join(source_names(column, near, labels)))]
        if column.reach is Reach.ROWS:
            line.append(Span("  affects rows only", Style.DIM))
        if derivation(column):
            line.append(Span(f"  {derivation(column)}", Style.DIM))
        if confidence_text(column.confidence):
            line.append(Span(f"  {confidence_text(column.confidence)}", Style.YELLOW))
        yield line
    if len(columns) > NODE_COLUMNS_SHOWN:
        yield (
            Span("  " + indent, Style.DIM),
            Span(more_phrase(len(columns) - NODE_COLUMNS_SHOWN, hint=True), Style.DIM),
        )


NODES_LISTED = 100
COLUMNS_DRAWN = 3
PATH_SHOWN = 8
"""Nodes shown of a path; of a longer one, the first nodes and the last."""


def impact_markdown(view: ImpactView) -> str:
    """Return *view* as a graph and a table for each direction; tests are counted."""
    chart = impact_flowchart(view)
    text = f"### Impact of {code(subject(view))}\n"
    text += "".join(f"\n> {prose(note)}\n" for note in view.notes)
    text += chart.markdown("the nearest ")
    labels = labels_of(view)
    if view.direction is not Direction.DOWNSTREAM:
        above = [node for node in view.nodes if node.distance < 0]
        text += _markdown_section("Upstream", above, labels, _counts(above))
    if view.direction is not Direction.UPSTREAM:
        below = [node for node in view.nodes if node.distance > 0]
        text += _markdown_section("Downstream", below, labels, affected_phrase(view))
        text += _markdown_failing(view, labels)
    return text + notes_markdown(_nearest_notes(view), labels)


def _markdown_failing(view: ImpactView, labels: Mapping[str, str]) -> str:
    if not (phrase := failing_phrase(view)):
        return ""
    fails = view.fails or ()
    text = f"\n**If removed or renamed**: {phrase}\n" + ("\n" if fails else "")
    for node in fails[:NODES_LISTED]:
        names = code(", ".join(references_of(node, view.root, labels)))
        doubt = f", {confidence_text(node.confidence)}" if confidence_text(node.confidence) else ""
        text += f"- {code(node_label(node))} ({words_of(node.resource_type)}) references {names}{doubt}\n"
    hidden = len(fails) - NODES_LISTED
    return text + (f"\n{more_phrase(hidden)}\n" if hidden > 0 else "")


def impact_flowchart(view: ImpactView) -> mermaid.Flowchart:
    """Return the affected nodes without tests; if there are too many, the nearest are drawn."""
    nodes = sorted(
        (node for node in view.nodes if node.resource_type not in TESTS or node.unique_id == view.root),
        key=lambda n: (abs(n.distance), kind_order(n.resource_type), n.unique_id),
    )
    vertices = [_vertex(node, view) for node in nodes]
    return mermaid.nearest_flowchart(vertices, view.edges)


def _vertex(node: ReachedNode, view: ImpactView) -> mermaid.FlowchartNode:
    if node.unique_id == view.root:
        return mermaid.FlowchartNode(node.unique_id, subject(view), node.resource_type, "root")
    names = [column.name for column in shown_columns(node) if column.reach is Reach.COLUMNS]
    about = ", ".join([*names[:COLUMNS_DRAWN], "…"] if len(names) > COLUMNS_DRAWN else names)
    return mermaid.FlowchartNode(node.unique_id, node_label(node), node.resource_type, _style(node), about)


def _style(node: ReachedNode) -> str:
    if node.distance < 0:
        return "columns" if any(column.reach is Reach.COLUMNS for column in node.columns) else "other"
    return "rows" if Reach.ROWS in node.reach else node.reach[0].value


def _markdown_section(
    title: str, nodes: Sequence[ReachedNode], labels: Mapping[str, str], counts: str
) -> str:
    if not nodes:
        return f"\n**{title}**: nothing\n"
    listed = [node for node in nodes if node.resource_type not in TESTS]
    listed.sort(key=lambda node: (abs(node.distance), kind_order(node.resource_type), node_label(node)))
    text = f"\n**{title}**: {counts}\n"
    if listed:
        titles = ("node", "type", "steps", "affected", "via", "confidence")
        rows = [_row(node, labels) for node in listed[:NODES_LISTED]]
        text += "\n" + md_table(titles, rows, right=(2, 5))
    return text + (f"\n{more_phrase(len(listed) - NODES_LISTED)}\n" if len(listed) > NODES_LISTED else "")


def _row(node: ReachedNode, labels: Mapping[str, str]) -> list[str]:
    return [
        code(node_label(node)),
        words_of(node.resource_type),
        str(abs(node.distance)),
        _reached(node, labels),
        _way(node, labels),
        f"{node.confidence:.0%}",
    ]


def _reached(node: ReachedNode, labels: Mapping[str, str]) -> str:
    """Return the affected parts of *node*, one per line: its rows, then its columns."""
    near, lines = node.path[-2].unique_id, []
    phrases = row_phrases(node, near, labels)
    if phrases:
        lead = "rows affected, " if node.distance > 0 else "rows, "
        lines.append(lead + "; ".join(_coded(phrase) for phrase in phrases))
    elif node.distance > 0 and Reach.ROWS in node.reach:
        lines.append("rows affected")
    if doubt_phrase(node):
        lines.append(prose(doubt_phrase(node)))
    columns = shown_columns(node)
    lines += [_column(column, near, labels) for column in columns[:NODE_COLUMNS_SHOWN]]
    if len(columns) > NODE_COLUMNS_SHOWN:
        lines.append(more_phrase(len(columns) - NODE_COLUMNS_SHOWN))
    return "<br>".join(lines)


def _coded(phrase: str) -> str:
    """Return `joined on id, orders.id` with the names as code."""
    first, second, names = phrase.split(" ", 2)
    return f"{first} {second} {code(names)}"


def _column(column: ReachedColumn, near: str, labels: Mapping[str, str]) -> str:
    text = code(column.name)
    if column.sources:
        text += f" ← {code(', '.join(source_names(column, near, labels)))}"
    remarks = (
        "affects rows only" if column.reach is Reach.ROWS else "",
        derivation(column),
        confidence_text(column.confidence),
    )
    return text + "".join(f", {remark}" for remark in remarks if remark)


def _way(node: ReachedNode, labels: Mapping[str, str]) -> str:
    stops = [code(_stop(stop.unique_id, stop.column, labels)) for stop in node.path[:-1]]
    if len(stops) > PATH_SHOWN:
        stops = [*stops[: PATH_SHOWN - 1], "…", stops[-1]]
    return (" → " if node.distance > 0 else " ← ").join(stops)


def _stop(unique_id: str, column: str | None, labels: Mapping[str, str]) -> str:
    label = labels.get(unique_id, unique_id)
    return label if column is None else f"{label}.{column}"


def lineage_markdown(view: LineageView) -> str:
    """Return *view* as a Mermaid graph, with its size if some nodes are not drawn."""
    root = next(node for node in view.nodes if node.unique_id == view.root)
    chart = mermaid.lineage_flowchart(view)
    text = f"### {code(node_label(root))}\n{chart.markdown('the nearest ')}"
    if view.foreign_keys:
        keys = [
            [code(node_part(key.node_id)), code(node_part(key.parent_id)), code(joined_columns(key))]
            for key in view.foreign_keys
        ]
        text += "\n" + md_table(("foreign key of", "to", "columns"), keys)
    labels = {node.unique_id: node_label(node) for node in view.nodes}
    nearest = sorted(view.nodes, key=lambda node: (abs(node.distance), node.unique_id))
    return text + notes_markdown(in_order_of(view.annotations, [node.unique_id for node in nearest]), labels)
