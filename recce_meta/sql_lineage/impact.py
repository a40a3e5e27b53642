"""Column-level impact of a change, column-level upstream sources, and the report data of both.

The walk goes from point to point. A point is a column of a node, the rows of a node, or a node with an
unknown extent of impact. Downstream, each of these is one step:

- a column affects each column made from it, and the rows that it filters, joins or groups;
- a column affects every reader with unknown columns, as `unknown`;
- rows affect the rows of every reader, and `unknown` affects every reader as `unknown`.

Upstream are the same steps in reverse. In addition, a column depends on the rows of its own node, at no
distance. The distance of a point is the number of steps on the shortest path. The confidence of a path is
that of its least certain step, and a point has the confidence of its best path, so cycles change nothing.
Work and memory are linear in the affected part. Each point is expanded once, and cycles end at their start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from recce_meta.graph.dag import LineageGraph
from recce_meta.models import LineageEdge, NodeMetadata
from recce_meta.models.change import CERTAIN, Reach
from recce_meta.models.lineage import (
    EVERYTHING,
    REFERENCED,
    UNSURE,
    ColumnEdge,
    Direction,
    FailingNode,
    ImpactView,
    Influence,
    Kind,
    NodeColumns,
    ReachedColumn,
    ReachedNode,
    Stop,
    Usage,
)
from recce_meta.sql_lineage.project.semantics import DEFINITION_PREFIXES

COLUMNS, ROWS, UNKNOWN = "columns", "rows", "unknown"
"""Values of `models.change.Reach`; plain strings because hundreds of thousands of points are hashed."""
FAILS = "fails"
"""Reach of a node that names a removed column."""
ANY = EVERYTHING
"""Column of a parent with unknown columns, and of a node that passes such columns on."""


class ColumnRef(NamedTuple):
    """One point of a walk. Rows and `unknown` have no column; upstream, a column can determine rows."""

    unique_id: str
    reach: str
    column: str | None = None


class Step(NamedTuple):
    """One step, directed away from the start of the walk."""

    origin: ColumnRef
    target: ColumnRef
    kind: str
    """A `Kind` or `Usage` if the step reads a column, else the reach."""
    confidence: float = 1.0


Steps: TypeAlias = Callable[[ColumnRef], Iterable[Step]]


class Walk(Struct, frozen=True, eq=False):
    """All points found by a walk. Its starts have distance 0."""

    distances: dict[ColumnRef, int]
    """Nearest first."""
    before: dict[ColumnRef, ColumnRef]
    """The previous point on one shortest path, for each point."""
    steps: list[Step]
    """Every step between the points found, including those on no shortest path."""
    confidences: dict[ColumnRef, float]


def walk(starts: Sequence[ColumnRef], steps: Steps, depth: int | None = None) -> Walk:
    """Return everything within *depth* steps (None: all) of *starts*; *steps* yields the steps from a point.

    A step inside a node does not count as a step.
    """
    distances = dict.fromkeys(sorted(starts, key=_order), 0)
    before: dict[ColumnRef, ColumnRef] = {}
    taken: list[Step] = []
    level, distance = list(distances), 0
    while level:
        further: list[Step] = []
        for ref in level:  # grows during iteration: a step inside a node ends in the same level
            for step in steps(ref):
                if step.kind == ROWS and step.origin.unique_id == step.target.unique_id:
                    taken.append(step)
                    if step.target not in distances:
                        distances[step.target], before[step.target] = distance, ref
                        level.append(step.target)
                else:
                    further.append(step)
        if distance == depth:
            break
        distance += 1
        level = []
        for step in further:
            if step.target not in distances:
                distances[step.target], before[step.target] = distance, step.origin
                level.append(step.target)
        level.sort(key=_order)  # makes the paths independent of the order of the edges
        taken += further
    return Walk(distances, before, taken, _confidences(starts, taken))


def _order(ref: ColumnRef) -> tuple[str, str, str]:
    return ref.unique_id, ref.reach, ref.column or ""


def _confidences(starts: Iterable[ColumnRef], steps: Iterable[Step]) -> dict[ColumnRef, float]:
    """Return the confidence of the best path to each point, visiting each point once, highest first."""
    leaving: dict[ColumnRef, list[Step]] = defaultdict(list)
    for step in steps:
        leaving[step.origin].append(step)
    found: dict[ColumnRef, float] = {}
    # Confidences have few distinct values, so lists by value do the work of a heap.
    waiting = {1.0: list(starts)}
    while waiting:
        sure = max(waiting)
        refs = waiting.pop(sure)
        while refs:
            ref = refs.pop()
            if ref in found:
                continue
            found[ref] = sure
            for step in leaving.get(ref, ()):
                if step.confidence >= sure:
                    refs.append(step.target)
                else:
                    waiting.setdefault(step.confidence, []).append(step.target)
    return found


def columns_read(unique_id: str, columns: NodeColumns) -> Iterator[ColumnEdge]:
    """Yield every column that a node reads, as edges."""
    for output in columns.outputs:
        for source in output.sources:
            yield ColumnEdge(
                unique_id, output.name, source.parent, source.column, output.kind.value, source.confidence
            )
    for use in columns.uses:
        yield ColumnEdge(unique_id, None, use.parent, use.column, use.usage.value, use.confidence)
    for named in columns.references:
        yield ColumnEdge(unique_id, None, named.parent, named.column, REFERENCED, named.confidence)


def downstream(
    edges: Iterable[ColumnEdge],
    graph: LineageGraph,
    known: Collection[str],
    inlined: Collection[str] = (),
) -> Steps:
    """Return the downstream steps of a change over *edges*; nodes in *known* have known columns.

    *edges* must include every read of a node that the walk can visit. *inlined* are ephemeral models at the
    start of the walk to which no edge leads: their readers were analysed with the SQL of the model as theirs.
    """
    # A column that SQL only names, as in an unused CTE, carries no change of values.
    of_node = _EdgeIndex((edge for edge in edges if edge.kind != REFERENCED), "parent_id", "parent_column")

    def steps(ref: ColumnRef) -> Iterator[Step]:
        unique_id, reach, column = ref
        if column is None:
            for child in graph.children(unique_id):
                yield Step(ref, ColumnRef(child, reach), reach)
            return
        for edge in of_node[unique_id].of(column):
            yield _into_reader(ref, edge)
        for child in graph.children(unique_id):
            if child not in known or unique_id in inlined:
                yield Step(ref, ColumnRef(child, UNKNOWN), UNKNOWN, UNSURE)

    return steps


def _of_none(unique_id: str) -> Iterable[str]:
    return ()


def removal(edges: Iterable[ColumnEdge], failing_with: Callable[[str], Iterable[str]] = _of_none) -> Steps:
    """Return the steps of a column that is removed or renamed; *edges* as for `downstream`.

    *failing_with* returns the nodes that have the SQL of a node. They fail with it. A unit test may not,
    because it does not build the model.
    A reader that names the column fails, and the path ends there. A star loses the column, and so does a
    metric, semantic model or saved query for the columns that it computes from it.
    """
    edges = list(edges)
    of_node = _EdgeIndex(edges, "parent_id", "parent_column")
    outputs: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        if edge.column_name is not None and edge.node_id.startswith(DEFINITION_PREFIXES):
            outputs[edge.node_id].add(edge.column_name)

    def steps(ref: ColumnRef) -> Iterator[Step]:
        unique_id, _, column = ref
        if column is None:
            return
        readers = of_node[unique_id]
        structs = frozenset(structs_around(column))
        for name in readers.names(column):
            # An incremental model reads its own table, which loses the column together with its query.
            read = [edge for edge in readers.get(name, ()) if edge.node_id != unique_id]
            # If it is not certain that the reader fails, its own readers may.
            named = {edge.node_id for edge in read if edge.kind == REFERENCED and edge.confidence >= CERTAIN}
            for edge in read:
                # The reader of a struct may use another of its fields.
                sure = min(edge.confidence, UNSURE) if name in structs else edge.confidence
                if edge.kind == REFERENCED:
                    yield Step(ref, ColumnRef(edge.node_id, FAILS), edge.kind, sure)
                    for other in failing_with(edge.node_id):
                        least = UNSURE if other.startswith("unit_test.") else 1.0
                        yield Step(ref, ColumnRef(other, FAILS), edge.kind, min(sure, least))
                elif edge.node_id in outputs:
                    lost = outputs[edge.node_id] if loses_all(edge) else {edge.column_name}
                    for name_lost in sorted(filter(None, lost)):
                        yield Step(ref, ColumnRef(edge.node_id, COLUMNS, name_lost), edge.kind, sure)
                elif edge.node_id not in named and _is_starred(edge):
                    yield _into_reader(ref, edge)._replace(confidence=sure)

    return steps


def loses_all(edge: ColumnEdge) -> bool:
    """Return True if no column of a definition is left without the column that *edge* reads.

    The time by which only some queries group a metric is not needed by the others.
    """
    return edge.column_name is None and edge.kind not in (REFERENCED, Usage.GROUP)


def _is_starred(edge: ColumnEdge) -> bool:
    """Return whether *edge* leads from a column that is not named to one with its value."""
    # SQL names a column that it renames, except in `* RENAME`.
    return edge.kind in (Kind.PASSTHROUGH, Kind.RENAMED) or edge.column_name == ANY == edge.parent_column


def structs_around(column: str) -> Iterator[str]:
    """Yield the structs that contain a field. Catalogs list them too, and a reader of the field reads one.

    >>> list(structs_around("address.city.name"))
    ['address', 'address.city']
    """
    parts = column.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


class EdgesByColumn(dict[str | None, list[ColumnEdge]]):
    """Edges of one node by column. Rows are the column None."""

    def add(self, column: str | None, edge: ColumnEdge) -> None:
        """Add *edge* under *column*."""
        self.setdefault(column, []).append(edge)

    def names(self, column: str) -> Iterable[str | None]:
        """Return the names under which *column* is read: its own, its structs' and `*`; all names for `*`."""
        return self if column == ANY else (column, *structs_around(column), ANY)

    def of(self, column: str) -> Iterator[ColumnEdge]:
        """Yield the edges that read *column*."""
        for name in self.names(column):
            yield from self.get(name, ())


class _EdgeIndex(dict[str, EdgesByColumn]):
    """Edges by node and column. The columns are indexed only for requested nodes, usually few."""

    def __init__(
        self,
        edges: Iterable[ColumnEdge],
        node: Literal["node_id", "parent_id"],
        column: Literal["column_name", "parent_column"],
    ) -> None:
        self._by_node: dict[str, list[ColumnEdge]] = defaultdict(list)
        self._column = attrgetter(column)
        get_node = attrgetter(node)
        for edge in edges:
            self._by_node[get_node(edge)].append(edge)

    def __missing__(self, unique_id: str) -> EdgesByColumn:
        found = self[unique_id] = EdgesByColumn()
        for edge in self._by_node.get(unique_id, ()):
            found.add(self._column(edge), edge)
        return found


def _into_reader(ref: ColumnRef, edge: ColumnEdge) -> Step:
    column = ref.column if edge.column_name == ANY == edge.parent_column else edge.column_name
    target = ColumnRef(edge.node_id, ROWS) if column is None else ColumnRef(edge.node_id, COLUMNS, column)
    return Step(ref, target, edge.kind, edge.confidence)


def upstream(edges: Iterable[ColumnEdge], graph: LineageGraph, known: Collection[str]) -> Steps:
    """Return the steps from a column to its sources; as `downstream`, but *edges* are the nodes' own reads.

    A point that only determines rows is marked as such, as are all its sources.
    """
    of_node = _EdgeIndex((edge for edge in edges if edge.kind != REFERENCED), "node_id", "column_name")

    def steps(ref: ColumnRef) -> Iterator[Step]:
        unique_id, reach, column = ref
        if column is not None:
            sources = of_node[unique_id]
            for edge in sources.get(column) or sources.get(ANY) or ():
                passed_on = edge.column_name == ANY == edge.parent_column
                name = column if passed_on else edge.parent_column
                yield Step(ref, ColumnRef(edge.parent_id, reach, name), edge.kind, edge.confidence)
            yield Step(ref, ColumnRef(unique_id, ROWS), ROWS)
            return
        if reach == ROWS:
            for edge in of_node[unique_id].get(None, ()):
                target = ColumnRef(edge.parent_id, ROWS, edge.parent_column)
                yield Step(ref, target, edge.kind, edge.confidence)
        for parent in graph.parents(unique_id):
            yield Step(ref, ColumnRef(parent, reach), reach)
            if reach == ROWS and unique_id not in known:
                yield Step(ref, ColumnRef(parent, UNKNOWN), UNKNOWN, UNSURE)

    return steps


def shortest_paths(found: Walk) -> dict[ColumnRef, tuple[ColumnRef, ...]]:
    """Return one shortest path to each point from the start of the walk, without steps inside a node."""
    known: dict[ColumnRef, tuple[ColumnRef, ...]] = {}
    for ref in found.distances:  # nearest first
        earlier = found.before.get(ref)
        if earlier is not None and earlier.unique_id == ref.unique_id:
            known[ref] = known[earlier]
        else:
            known[ref] = (*(known[earlier] if earlier else ()), ref)
    return known


def by_node(found: Walk) -> dict[str, list[ColumnRef]]:
    """Return the points of each node, nearest first."""
    nodes: dict[str, list[ColumnRef]] = {}
    for ref in found.distances:
        nodes.setdefault(ref.unique_id, []).append(ref)
    return nodes


_REACHES = {reach.value: rank for rank, reach in enumerate(Reach)}
_WORDS = {reach.value: reach for reach in Reach}
_USAGES = frozenset(usage.value for usage in Usage)


def impact_view(
    root: Stop,
    direction: Direction,
    walks: Mapping[Direction, Walk],
    nodes: Mapping[str, NodeMetadata],
    *,
    reasons: Mapping[str, str] | None = None,
    removed: Walk | None = None,
    queries: Collection[str] = (),
) -> ImpactView:
    """Return the view, without notes, of *walks* up and down from *root*, and of the removal of its column.

    *nodes* provide names (an id without a node is its own name); *reasons* explain unknown columns by node.
    *removed* is the walk of the removal, and *queries* are the nodes with SQL.
    """
    start, column = root.unique_id, root.column
    parts = [part for way, found in walks.items() for part in _parts(start, way, found, nodes, reasons or {})]
    around = {part.unique_id: part for part in parts if part.unique_id != start}
    whole = _merged([part for part in parts if part.unique_id == start])
    reached = [whole, *around.values()]
    return ImpactView(
        root=start,
        column=column,
        direction=direction,
        nodes=tuple(sorted(reached, key=lambda node: (node.distance, node.unique_id))),
        edges=tuple(sorted({edge for way, found in walks.items() for edge in _edges(way, found)})),
        fails=None if removed is None else tuple(_failing(removed, nodes)),
        doubtful=tuple(sorted(node.unique_id for node in reached if _is_doubtful(node, queries))),
    )


def _is_doubtful(node: ReachedNode, queries: Collection[str]) -> bool:
    is_guess = node.confidence <= UNSURE or (Reach.UNKNOWN in node.reach and Reach.ROWS not in node.reach)
    return node.distance > 0 and node.unique_id in queries and is_guess


def _failing(found: Walk, nodes: Mapping[str, NodeMetadata]) -> Iterator[FailingNode]:
    """Yield the nodes that fail when the column is removed, nearest first."""
    paths = shortest_paths(found)
    named: dict[ColumnRef, set[Stop]] = {}
    for step in found.steps:
        if step.target.reach == FAILS:
            named.setdefault(step.target, set()).add(Stop(step.origin.unique_id, step.origin.column))
    for ref in sorted(named, key=lambda ref: (found.distances[ref], ref.unique_id)):
        node = nodes.get(ref.unique_id)
        yield FailingNode(
            unique_id=ref.unique_id,
            name=node.label if node else ref.unique_id,
            resource_type=node.resource_type if node else _kind_of(ref.unique_id),
            distance=found.distances[ref],
            confidence=found.confidences[ref],
            path=tuple(Stop(stop.unique_id, stop.column) for stop in paths[ref]),
            references=tuple(sorted(named[ref], key=lambda stop: (stop.unique_id, stop.column or ""))),
        )


def _parts(
    root: str,
    way: Direction,
    found: Walk,
    nodes: Mapping[str, NodeMetadata],
    reasons: Mapping[str, str],
) -> list[ReachedNode]:
    sign = -1 if way is Direction.UPSTREAM else 1
    influences = _influences(way, found)
    paths = shortest_paths(found)
    stops = {ref: Stop(ref.unique_id, ref.column) for ref in found.distances}
    parts = []
    for unique_id, refs in by_node(found).items():
        node = nodes.get(unique_id)
        nearest = min(refs, key=lambda p: (found.distances[p], _REACHES[p.reach], p.column or ""))
        reached = {ref.reach for ref in refs}
        parts.append(
            ReachedNode(
                unique_id=unique_id,
                name=node.label if node else unique_id,
                resource_type=node.resource_type if node else _kind_of(unique_id),
                distance=0 if unique_id == root else sign * found.distances[nearest],
                reach=tuple(reach for reach in Reach if reach.value in reached),
                confidence=max(found.confidences[ref] for ref in refs),
                path=tuple(map(stops.__getitem__, paths[nearest])),
                columns=_columns(refs, sign, found, influences),
                uses=tuple(sorted(influences.get((unique_id, None), ()))),
                reason=reasons.get(unique_id),
            )
        )
    return parts


def _kind_of(unique_id: str) -> str:
    """Return the kind of an id without a node: its prefix if it looks like a unique id, else `relation`."""
    kind, dot, rest = unique_id.partition(".")
    return kind if dot and "." in rest and kind.isidentifier() and kind.islower() else "relation"


def _columns(
    refs: Sequence[ColumnRef],
    sign: int,
    found: Walk,
    influences: Mapping[tuple[str, str | None], set[Influence]],
) -> tuple[ReachedColumn, ...]:
    """Return the columns among *refs*. A column reached both ways counts as flowing into others."""
    best: dict[str, ColumnRef] = {}
    for ref in refs:
        if ref.column is not None and (ref.reach == COLUMNS or ref.column not in best):
            best[ref.column] = ref
    return tuple(
        ReachedColumn(
            name=name,
            distance=sign * found.distances[ref],
            confidence=found.confidences[ref],
            reach=_WORDS[ref.reach],
            sources=tuple(sorted(influences.get((ref.unique_id, name), ()))),
        )
        for name, ref in sorted(best.items())
    )


def _influences(way: Direction, found: Walk) -> dict[tuple[str, str | None], set[Influence]]:
    """Return the sources of each column and, under None, of each node's rows."""
    into: dict[tuple[str, str | None], set[Influence]] = {}
    is_up = way is Direction.UPSTREAM
    for origin, target, kind, confidence in found.steps:
        if kind in _REACHES:  # not a column read
            continue
        reader, read = (origin, target) if is_up else (target, origin)
        influence = Influence(read.unique_id, read.column or "", kind, confidence)
        into.setdefault((reader.unique_id, None if kind in _USAGES else reader.column), set()).add(influence)
    return into


def _edges(way: Direction, found: Walk) -> set[LineageEdge]:
    pairs = {(step.origin.unique_id, step.target.unique_id) for step in found.steps}
    if way is Direction.UPSTREAM:
        return {LineageEdge(reader, read) for reader, read in pairs if reader != read}
    return {LineageEdge(reader, read) for read, reader in pairs if reader != read}


def _merged(parts: Sequence[ReachedNode]) -> ReachedNode:
    """Return the root of both walks: its sources come from upstream, its uses from downstream."""
    first, *others = parts
    if not others:
        return first
    (other,) = others
    columns = {column.name: column for column in other.columns}
    columns |= {
        column.name: column for column in first.columns if column.sources or column.name not in columns
    }
    return ReachedNode(
        unique_id=first.unique_id,
        name=first.name,
        resource_type=first.resource_type,
        distance=0,
        reach=tuple(reach for reach in Reach if reach in first.reach or reach in other.reach),
        confidence=1.0,
        path=first.path,
        columns=tuple(column for _, column in sorted(columns.items())),
        uses=tuple(sorted({*first.uses, *other.uses})),
        reason=first.reason,
    )
