"""Columns of a node of a graph, and the path of a column: where it comes from and what comes from it.

Column lineage is that of the store; no SQL is analysed. The path of a column has the same columns as
`recce-meta impact` and `recce-meta trace`, but stops at `MOST_ON_PATH` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from recce_meta.api.browse.node import column_names
from recce_meta.api.impact import Address, ColumnNames, find_column
from recce_meta.api.impact import column_names as known_names
from recce_meta.api.run_reader import RunReader
from recce_meta.api.runs import find_node
from recce_meta.errors import plural
from recce_meta.graph import LineageGraph, is_ephemeral
from recce_meta.models import NodeMetadata
from recce_meta.models.change import Change, Impact, Reach, Reason, RunDiff, Status
from recce_meta.models.graph_view import ColumnPath, GraphColumn, GraphColumns, PathColumn, PathRows
from recce_meta.models.lineage import REFERENCED, ColumnEdge, NodeColumns
from recce_meta.models.node import matching_name
from recce_meta.report.labels import TESTS, join_words
from recce_meta.report.lineage import confidence_text
from recce_meta.sql_lineage.impact import (
    ANY,
    COLUMNS,
    ColumnRef,
    Step,
    columns_read,
    downstream,
    upstream,
    walk,
)

PAGE = 10
"""Number of columns of an unfolded node, as on the path of a column: `PER_PAGE` of `graph.js`."""
MOST_ON_PATH = 1_000
"""Largest number of columns of a path."""
MOST_ROWS = 1_000
"""Largest number of columns that decide over rows along a path."""
LACKS_LINEAGE = "The run was recorded without column lineage: the path of its columns is unknown."
LACKS_COLUMN = "The column lineage of the node does not list this column: its path may be longer."
_NO_GRAPH = LineageGraph({}, {})
ColumnLink = Callable[[str, str], str]
"""Function from a unique id and a column to the address of its page."""


def graph_columns(
    reader: RunReader,
    node: str,
    search: str = "",
    page: int = 1,
    *,
    size: int = PAGE,
    change: Change | None = None,
    impact: Impact | None = None,
) -> GraphColumns:
    """Return one page of *size* columns of *node* whose names contain *search*.

    In the graph of a diff, *change* and *impact* are those of the node; affected columns are first. Raises
    SelectorError for an unknown node.
    """
    unique_id = find_node(node, reader.names)
    with reader.session():
        found = reader.described([unique_id]).get(unique_id)
        lineage = reader.columns_of([unique_id]).get(unique_id) if reader.has_columns else None
    types = {column.name: column.type or "" for column in found.columns} if found else {}
    names = [name for name in (column_names(found, lineage) if found else ()) if name != ANY]
    columns = [GraphColumn(name=name, type=types.get(name, "")) for name in names]
    if change is not None or impact is not None:
        columns = _with_changes(columns, change, impact)
    wanted = search.casefold()
    matching = [column for column in columns if wanted in column.name.casefold()]
    # The negations round up without floats.
    pages = max(1, -(-len(matching) // size))
    page = min(max(page, 1), pages)
    return GraphColumns(
        node=unique_id,
        columns=tuple(matching[(page - 1) * size : page * size]),
        total=len(matching),
        page=page,
        pages=pages,
        note="" if names and found is not None else _unknown(found, lineage, reader),
    )


def diff_columns(
    diff: RunDiff,
    base: RunReader,
    current: RunReader,
    node: str,
    search: str = "",
    page: int = 1,
    size: int = PAGE,
) -> GraphColumns:
    """Return one page of *size* columns of *node* with their changes; of a removed node, those of *base*."""
    reader, unique_id = side_of(base, current, node)
    change = next((one for one in diff.changed if one.unique_id == unique_id), None)
    impact = next((one for one in diff.impacted if one.unique_id == unique_id), None)
    return graph_columns(reader, unique_id, search, page, size=size, change=change, impact=impact)


def side_of(base: RunReader, current: RunReader, node: str) -> tuple[RunReader, str]:
    """Return the run that shows *node*, which is *current* if it has the node, and its unique id."""
    if node in base.names and node not in current.names:
        return base, node
    return current, find_node(
        node, {**base.names, **current.names} if node not in current.names else current.names
    )


def _unknown(node: NodeMetadata | None, lineage: NodeColumns | None, reader: RunReader) -> str:
    """Return why no column of a node is known."""
    if lineage is not None and lineage.reason:
        return f"The columns are not known: {lineage.reason}."
    if node is not None and node.resource_type in _WITHOUT_COLUMNS:
        return f"A node of type {node.resource_type.replace('_', ' ')} has no columns."
    why = "" if reader.has_columns else ", and the run was recorded without column lineage"
    return f"The columns are not known: the run has no catalog of the node{why}."


_WITHOUT_COLUMNS = frozenset({*TESTS, "exposure", "operation", "schema", "group"})


def _with_changes(
    columns: Sequence[GraphColumn], change: Change | None, impact: Impact | None
) -> list[GraphColumn]:
    """Return *columns* and removed ones with their changes; what changed is first, then what is affected."""
    known = {column.name.casefold(): column for column in columns}
    found: dict[str, GraphColumn] = {}
    for name, status, about in _changes(change):
        column = known.get(name.casefold()) or GraphColumn(name=name)
        before = found.get(name.casefold())
        words = "; ".join(dict.fromkeys(filter(None, (before.about if before else "", about))))
        # A column can have two changes, such as another type and other values.
        found[name.casefold()] = GraphColumn(
            name=column.name, type=column.type, status=before.status if before else status, about=words
        )
    reached = impact or (change.reached if change is not None else None)
    if reached is not None:
        if reached.reach is Reach.COLUMNS:
            affected = {name.casefold(): name for name in reached.columns}
            about = "its values may change"
        elif reached.reach is Reach.ROWS:
            affected = {name: column.name for name, column in known.items()}
            about = "the rows of the node may change"
        else:
            affected, about = {}, ""
        if reached.confidence < 1:
            about = f"{about}, {confidence_text(reached.confidence)}"
        for folded, name in affected.items():
            if folded not in found:
                column = known.get(folded) or GraphColumn(name=name)
                found[folded] = GraphColumn(
                    name=column.name, type=column.type, status="impacted", about=about
                )
    rest = [column for folded, column in known.items() if folded not in found]
    return [*found.values(), *rest]


def _changes(change: Change | None) -> Iterator[tuple[str, str, str]]:
    """Yield name, status and effect of each changed column."""
    if change is None:
        return
    if change.status is Status.REMOVED:
        return
    for column in change.columns:
        about = f"renamed to {column.renamed_to}" if column.renamed_to else _ABOUT[column.status]
        yield column.name, column.status.value, about
    for detail in change.details:
        if detail.reason is Reason.COLUMNS:
            if detail.base is None:
                yield detail.key, Status.ADDED.value, _ABOUT[Status.ADDED]
            elif detail.current is None:
                yield detail.key, Status.REMOVED.value, _ABOUT[Status.REMOVED]
            else:
                yield detail.key, Status.MODIFIED.value, f"{detail.base} → {detail.current}"


_ABOUT = {
    Status.ADDED: "added",
    Status.REMOVED: "removed",
    Status.MODIFIED: "other values",
    Status.UNCHANGED: "",
}


class _Walked(NamedTuple):
    """One direction of a path."""

    columns: dict[tuple[str, str], float]
    """Columns by node and name with the confidence of the best path, the nearest first."""
    edges: set[tuple[tuple[str, str], tuple[str, str]]]
    """Source, and what is computed from it."""
    is_cut: bool
    unknown: tuple[str, ...] = ()
    """Nodes at which the path may go on, because their columns are unknown."""


def column_path(
    reader: RunReader, node: str, column: str, *, link: ColumnLink | None = None, most: int = MOST_ON_PATH
) -> ColumnPath:
    """Return all columns that *column* of *node* comes from, and that come from it, at most *most* columns.

    *link* returns the address of a column's page. Raises SelectorError for an unknown node or column.
    """
    unique_id = find_node(node, reader.names)
    if not reader.has_columns:
        asked = PathColumn(node=unique_id, name=_label(reader, unique_id), column=column)
        return ColumnPath(node=unique_id, column=column, columns=(asked,), edges=(), notes=(LACKS_LINEAGE,))
    with reader.session():
        names = known_names(reader, unique_id)
        name = _known_column(reader, unique_id, column, names)
        lineage: dict[str, NodeColumns] = {}
        start = ColumnRef(unique_id, COLUMNS, name)
        up = _walked(start, partial(_sources, reader, lineage), most, is_up=True)
        down, decided = _down(reader, start, most)
        return _path(reader, (unique_id, name), up, down, lineage, decided, link)


def _known_column(reader: RunReader, unique_id: str, column: str, names: ColumnNames) -> str:
    """Return *column* as the node spells it: in its SQL, else in the catalog or YAML."""
    name = matching_name(column, names.known)
    if name is None:
        node = reader.described([unique_id]).get(unique_id)
        name = matching_name(column, (one.name for one in node.columns)) if node else None
    return name or find_column(column, Address(unique_id), names).column or column


def _sources(
    reader: RunReader, lineage: dict[str, NodeColumns], ids: Sequence[str]
) -> dict[str, Callable[[ColumnRef], Iterable[Step]]]:
    """Return the steps from the columns of each of *ids* to their sources."""
    found = reader.columns_of(ids)
    # Kept for the details of the path, which would otherwise be read again.
    lineage.update(found)
    return {
        unique_id: upstream(columns_read(unique_id, found[unique_id]), _NO_GRAPH, ())
        if unique_id in found
        else lambda ref: ()
        for unique_id in ids
    }


def _down(reader: RunReader, start: ColumnRef, most: int) -> tuple[_Walked, list[PathRows]]:
    """Return what comes from a column, and the nodes whose rows these columns decide."""
    children: dict[str, list[str]] = {}
    for edge in reader.edges:
        children.setdefault(edge.parent_id, []).append(edge.node_id)
    rows: dict[tuple[str, str, str, str], PathRows] = {}
    unknown: dict[str, None] = {}

    def readers(ids: Sequence[str]) -> dict[str, Callable[[ColumnRef], Iterable[Step]]]:
        by_parent: dict[str, list[ColumnEdge]] = {one: [] for one in ids}
        for edge in reader.column_children(ids):
            # A mere reference passes no value on.
            if edge.kind != REFERENCED:
                by_parent[edge.parent_id].append(edge)
        near = {child for one in ids for child in children.get(one, ())}
        # The gaps of a whole level in one statement.
        gaps = reader.gaps(near) if near else {}
        for one in ids:
            is_inlined = is_ephemeral(one, reader.names) and not by_parent[one]
            for child in children.get(one, ()):
                has_query = child in gaps and gaps[child] is not None
                if has_query or (is_inlined and child in gaps):
                    unknown[child] = None
        # No graph: only edges between columns belong to a path, and not whole nodes.
        return {one: downstream(edges, _NO_GRAPH, ()) for one, edges in by_parent.items()}

    def decides(step: Step) -> None:
        reader_id, origin = step.target.unique_id, step.origin
        key = (origin.unique_id, origin.column or "", reader_id, step.kind)
        rows.setdefault(key, PathRows(node=key[0], column=key[1], reader=key[2], usage=key[3]))

    walked = _walked(start, readers, most, is_up=False, decides=decides)
    return walked._replace(unknown=tuple(unknown)), list(rows.values())


def _walked(
    start: ColumnRef,
    load: Callable[[Sequence[str]], Mapping[str, Callable[[ColumnRef], Iterable[Step]]]],
    most: int,
    *,
    is_up: bool,
    decides: Callable[[Step], None] | None = None,
) -> _Walked:
    """Follow the steps between columns from *start*; *load* returns the steps of nodes, a level at a time."""
    steps_of: dict[str, Callable[[ColumnRef], Iterable[Step]]] = {}
    taken: dict[ColumnRef, list[Step]] = {}
    known = {start}
    level = [start]
    is_cut = False
    while level:
        missing = sorted({ref.unique_id for ref in level} - steps_of.keys())
        if missing:
            steps_of |= load(missing)
        further: list[ColumnRef] = []
        for ref in level:
            own = taken[ref] = []
            for step in steps_of[ref.unique_id](ref):
                target = step.target
                if target.reach != COLUMNS or target.column is None:
                    if decides is not None and target.unique_id != ref.unique_id:
                        decides(step)
                    continue
                if target not in known:
                    # Steps between known columns are still taken, so that no edge among them is missing.
                    if len(known) >= most:
                        is_cut = True
                        continue
                    known.add(target)
                    further.append(target)
                own.append(step)
        # Sorted, so that a cut path is the same each time.
        level = sorted(further, key=lambda ref: (ref.unique_id, ref.column or ""))
    found = walk([start], lambda ref: taken.get(ref, ()))
    edges = set()
    for step in found.steps:
        pair = (_place(step.origin), _place(step.target))
        # A walk to sources goes against the direction of the data.
        edges.add(pair[::-1] if is_up else pair)
    return _Walked({_place(ref): found.confidences[ref] for ref in found.distances}, edges, is_cut)


def _place(ref: ColumnRef) -> tuple[str, str]:
    return ref.unique_id, ref.column or ""


def _path(
    reader: RunReader,
    asked: tuple[str, str],
    up: _Walked,
    down: _Walked,
    lineage: dict[str, NodeColumns],
    decided: Sequence[PathRows],
    link: ColumnLink | None,
) -> ColumnPath:
    # The asked column is part of both directions, and must not be on a side.
    places = {**dict.fromkeys(up.columns, "up"), **dict.fromkeys(down.columns, "down"), asked: ""}
    order = [asked, *(place for place in places if place != asked)]
    index = {place: number for number, place in enumerate(order)}
    missing = sorted({node for node, _ in order} - lineage.keys())
    lineage = {**lineage, **(reader.columns_of(missing) if missing else {})}
    nodes = reader.described(sorted({node for node, _ in order}))
    types = {
        (unique_id, column.name.casefold()): column.type or ""
        for unique_id, node in nodes.items()
        for column in node.columns
    }
    outputs = {
        (unique_id, output.name): output for unique_id, found in lineage.items() for output in found.outputs
    }
    sure = {**up.columns, **down.columns}
    columns = []
    for node, column in order:
        output = outputs.get((node, column))
        columns.append(
            PathColumn(
                node=node,
                name=_label(reader, node),
                column=column,
                type=types.get((node, column.casefold()), ""),
                side=places[node, column],
                expression=(output.expression or "") if output else "",
                kind=output.kind.value if output else "",
                confidence=confidence_text(sure[node, column]),
                href=link(node, column) if link and node in reader.names and column != ANY else "",
            )
        )
    rows = _rows(up, lineage, decided)
    is_cut = up.is_cut or down.is_cut or len(rows) > MOST_ROWS
    return ColumnPath(
        node=asked[0],
        column=asked[1],
        columns=tuple(columns),
        edges=tuple(sorted((index[source], index[target]) for source, target in up.edges | down.edges)),
        rows=tuple(rows[:MOST_ROWS]),
        is_cut=is_cut,
        notes=(
            *([] if asked in outputs or (asked[0], ANY) in outputs else [LACKS_COLUMN]),
            *_path_notes(reader, up, down, lineage, is_cut),
        ),
    )


def _rows(up: _Walked, lineage: Mapping[str, NodeColumns], decided: Sequence[PathRows]) -> list[PathRows]:
    """Return *decided* and the columns that decide over the rows of the nodes that a column comes from."""
    used = {
        (use.parent, use.column, node, use.usage.value)
        for node in dict.fromkeys(node for node, _ in up.columns)
        for use in (lineage[node].uses if node in lineage else ())
    }
    rows = [
        PathRows(node=node, column=name, reader=one, usage=usage) for node, name, one, usage in sorted(used)
    ]
    return rows + [one for one in decided if (one.node, one.column, one.reader, one.usage) not in used]


def _path_notes(
    reader: RunReader, up: _Walked, down: _Walked, lineage: Mapping[str, NodeColumns], is_cut: bool
) -> Iterator[str]:
    if is_cut:
        yield "The path is longer than shown: it is cut."
    above = [
        node
        for node in dict.fromkeys(node for node, _ in up.columns)
        if node in lineage and lineage[node].reason
    ]
    for ids, text in ((above, "The path may begin before"), (down.unknown, "The path may go on in")):
        if ids:
            listed = [_label(reader, one) for one in ids[:3]]
            more = [plural(len(ids) - 3, "further node")] if ids[3:] else []
            columns = "its columns are" if len(ids) == 1 else "their columns are"
            yield f"{text} {join_words([*listed, *more])}: {columns} not known."


def _label(reader: RunReader, unique_id: str) -> str:
    node = reader.names.get(unique_id)
    return unique_id if node is None else node.label
