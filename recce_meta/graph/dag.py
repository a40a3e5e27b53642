"""Lineage graph of nodes with breadth-first search.

Every search is linear in the part of the graph that it visits. Dangling ids, which real manifests contain in
edges but not in nodes, are members like any other. Cycles, which dbt refuses and plain SQL can contain, end
at their start.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from recce_meta.models import LineageEdge, NodeMetadata

IdPredicate = Callable[[str], bool]


# `eq=False`, because a comparison of two graphs would walk all of their edges.
class LineageGraph(Struct, frozen=True, eq=False):
    """Dependencies between nodes in both directions. An id outside the graph has no relatives."""

    parents_of: Mapping[str, tuple[str, ...]]
    """Every member's parents, sorted."""
    children_of: Mapping[str, tuple[str, ...]]
    """Every member's children, sorted."""

    def __contains__(self, unique_id: object) -> bool:
        return unique_id in self.parents_of

    def __len__(self) -> int:
        return len(self.parents_of)

    def parents(self, unique_id: str) -> tuple[str, ...]:
        """Return the nodes that *unique_id* reads, sorted."""
        return self.parents_of.get(unique_id, ())

    def children(self, unique_id: str) -> tuple[str, ...]:
        """Return the nodes that read *unique_id*, sorted."""
        return self.children_of.get(unique_id, ())

    def ancestors(self, unique_id: str, depth: int | None = None) -> dict[str, int]:
        """Return all upstream nodes within *depth* edges (None: all) and their distances, nearest first."""
        return self._relatives(unique_id, self.parents_of, depth)

    def descendants(
        self, unique_id: str, depth: int | None = None, *, through: IdPredicate | None = None
    ) -> dict[str, int]:
        """Return all downstream nodes within *depth* edges (None: all) and their distances, nearest first.

        Only nodes that *through* accepts are followed further.
        """
        return self._relatives(unique_id, self.children_of, depth, through)

    def upstream(
        self,
        unique_ids: Iterable[str],
        depth: int | None = None,
        *,
        within: Collection[str] | None = None,
        through: IdPredicate | None = None,
    ) -> set[str]:
        """Return *unique_ids* and all upstream nodes within *depth* edges, on paths that stay *within*.

        Only *unique_ids* and nodes that *through* accepts are followed further.
        """
        return set(reachable(sorted(unique_ids), self.parents_of, depth, within, through))

    def downstream(
        self,
        unique_ids: Iterable[str],
        depth: int | None = None,
        *,
        within: Collection[str] | None = None,
        through: IdPredicate | None = None,
    ) -> set[str]:
        """Return *unique_ids* and all downstream nodes, as `upstream` does for upstream nodes."""
        return set(reachable(sorted(unique_ids), self.children_of, depth, within, through))

    def nearest_upstream(self, unique_ids: Collection[str], most: int) -> set[str]:
        """Return *unique_ids* and about *most* of the nearest upstream nodes, or all of them."""
        waiting, seen = [*unique_ids], {*unique_ids}
        for one in waiting:
            if len(seen) - len(unique_ids) < most:
                new = sorted({*self.parents(one)} - seen)
                seen.update(new)
                waiting += new
        return seen

    def impact(self, changed_ids: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Return all nodes downstream of *changed_ids*, each with distance and id of the nearest.

        *changed_ids* are excluded. Ties go to the first id. Nearest first.
        """
        reached = reachable(sorted(set(changed_ids)), self.children_of)
        return {unique_id: found for unique_id, found in reached.items() if found[0] > 0}

    def _relatives(
        self,
        unique_id: str,
        neighbours: Mapping[str, tuple[str, ...]],
        depth: int | None,
        through: IdPredicate | None = None,
    ) -> dict[str, int]:
        reached = reachable([unique_id], neighbours, depth, through=through)
        return {found: distance for found, (distance, _) in reached.items() if found != unique_id}


def build_lineage_graph(
    nodes: Iterable[NodeMetadata], edges: Iterable[LineageEdge] | None = None
) -> LineageGraph:
    """Return the graph of *nodes*, connected by *edges* or, if None, by each node's own parents."""
    if edges is None:
        parents_of = {node.unique_id: node.parents for node in nodes}
    else:
        parents_of = {node.unique_id: () for node in nodes}
        # Sets, because the edges of two runs repeat each other.
        found: dict[str, set[str]] = defaultdict(set)
        for edge in edges:
            found[edge.node_id].add(edge.parent_id)
        parents_of.update((child, tuple(sorted(parents))) for child, parents in found.items())
    children: dict[str, list[str]] = {unique_id: [] for unique_id in parents_of}
    dangling: dict[str, list[str]] = defaultdict(list)
    # Parents are visited in order, so that each list of children is sorted.
    for child in sorted(parents_of):
        for parent in parents_of[child]:
            (children if parent in children else dangling)[parent].append(child)
    children.update(dangling)
    parents_of.update((unique_id, ()) for unique_id in dangling)
    return LineageGraph(parents_of, {unique_id: tuple(ids) for unique_id, ids in children.items()})


def is_ephemeral(unique_id: str, nodes: Mapping[str, NodeMetadata]) -> bool:
    """Return True if *unique_id* is an ephemeral model of *nodes*."""
    node = nodes.get(unique_id)
    return node is not None and node.is_ephemeral


def failing_with(graph: LineageGraph, is_inlined: IdPredicate, unique_id: str) -> list[str]:
    """Return the nodes with the SQL of *unique_id*: its unit tests, and readers of an ephemeral model."""
    below = graph.descendants(unique_id, through=is_inlined) if is_inlined(unique_id) else {}
    readers = [one for one in below if one.startswith(("model.", "snapshot.", "test.", "analysis."))]
    return [*readers, *(one for one in graph.children(unique_id) if one.startswith("unit_test."))]


def parents_first(
    parents_of: Mapping[str, Sequence[str]],
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return every key of *parents_of*, parents before their children, and the cycles that had to be cut.

    Parents that are not keys are skipped. A cycle starts at the member that depends on itself first. The
    order depends on the ids alone.
    """
    order: list[str] = []
    circles: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in sorted(parents_of):
        if start in done:
            continue
        path = {start: None}  # an ordered set
        waiting = [iter(sorted(parents_of[start]))]
        while waiting:
            parent = next(waiting[-1], None)
            if parent is None:
                waiting.pop()
                unique_id, _ = path.popitem()
                done.add(unique_id)
                order.append(unique_id)
            elif parent in path:
                members = list(path)
                if len(circle := tuple(members[members.index(parent) :])) > 1:
                    circles.append(circle)
            elif parent in parents_of and parent not in done:
                path[parent] = None
                waiting.append(iter(sorted(parents_of[parent])))
    return order, circles


def cycles_of(parents_of: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return cycles of *parents_of*, each node before the one that reads it; none if the graph has none."""
    own = [(one,) for one, parents in parents_of.items() if one in parents]
    return [*own, *(tuple(reversed(cycle)) for cycle in parents_first(parents_of)[1])]


def by_levels(order: Sequence[str], parents_of: Mapping[str, Sequence[str]]) -> list[str]:
    """Return *order*, parents first, by the longest path to each node: neighbours do not read each other."""
    levels: dict[str, int] = {}
    for unique_id in order:
        found = [levels[parent] for parent in parents_of[unique_id] if parent in levels]
        levels[unique_id] = max(found, default=-1) + 1
    return sorted(order, key=levels.__getitem__)


def reachable(
    starts: Iterable[str],
    neighbours: Mapping[str, Sequence[str]],
    depth: int | None = None,
    within: Collection[str] | None = None,
    through: IdPredicate | None = None,
) -> dict[str, tuple[int, str]]:
    """Return every id reachable from *starts*, with its distance and its nearest start.

    The queue holds the ids of each distance in the order of their starts, so the first of *starts* wins a
    tie.
    """
    reached = {start: (0, start) for start in starts}
    queue = deque(reached)
    while queue:
        unique_id = queue.popleft()
        distance, origin = reached[unique_id]
        if depth is not None and distance >= depth:
            continue
        if distance and through is not None and not through(unique_id):
            continue
        for neighbour in neighbours.get(unique_id, ()):
            if neighbour not in reached and (within is None or neighbour in within):
                reached[neighbour] = (distance + 1, origin)
                queue.append(neighbour)
    return reached
