"""The lineage graph, and breadth-first questions about it.

Every answer costs time linear in the part of the graph that it visits. Ids that edges name and no
node has (dangling ones, which real manifests hold) are members like any other; cycles, which dbt
refuses and plain SQL can hold, end where they began.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from recce_meta.models import LineageEdge, NodeMetadata


class LineageGraph(Struct, frozen=True, eq=False):
    """Who reads whom, both ways. An id that the graph does not hold has no relatives."""

    parents_of: Mapping[str, tuple[str, ...]]
    """Every member's parents, sorted."""
    children_of: Mapping[str, tuple[str, ...]]
    """Every member's children, sorted."""

    def __contains__(self, unique_id: object) -> bool:
        return unique_id in self.parents_of

    def __len__(self) -> int:
        return len(self.parents_of)

    def parents(self, unique_id: str) -> tuple[str, ...]:
        """What *unique_id* reads, sorted."""
        return self.parents_of.get(unique_id, ())

    def children(self, unique_id: str) -> tuple[str, ...]:
        """What reads *unique_id*, sorted."""
        return self.children_of.get(unique_id, ())

    def ancestors(self, unique_id: str, depth: int | None = None) -> dict[str, int]:
        """Everything upstream within *depth* edges (None: all) and its distance, nearest first."""
        return self._relatives(unique_id, self.parents_of, depth)

    def descendants(self, unique_id: str, depth: int | None = None) -> dict[str, int]:
        """Everything downstream within *depth* edges (None: all) and its distance, nearest first."""
        return self._relatives(unique_id, self.children_of, depth)

    def upstream(
        self, unique_ids: Iterable[str], depth: int | None = None, *, within: Collection[str] | None = None
    ) -> set[str]:
        """*unique_ids* and all that they read within *depth* edges, on paths that stay *within*."""
        return set(_walk(sorted(unique_ids), self.parents_of, depth, within))

    def downstream(
        self, unique_ids: Iterable[str], depth: int | None = None, *, within: Collection[str] | None = None
    ) -> set[str]:
        """*unique_ids* and all that reads them within *depth* edges, on paths that stay *within*."""
        return set(_walk(sorted(unique_ids), self.children_of, depth, within))

    def impact(self, changed_ids: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Everything downstream of *changed_ids* but themselves: its distance to, and id of, the nearest.

        Of several that are as near, the first by id. Nearest first.
        """
        reached = _walk(sorted(set(changed_ids)), self.children_of)
        return {unique_id: found for unique_id, found in reached.items() if found[0] > 0}

    def _relatives(
        self, unique_id: str, neighbours: Mapping[str, tuple[str, ...]], depth: int | None
    ) -> dict[str, int]:
        reached = _walk([unique_id], neighbours, depth)
        return {found: distance for found, (distance, _) in reached.items() if found != unique_id}


def build_lineage_graph(
    nodes: Iterable[NodeMetadata], edges: Iterable[LineageEdge] | None = None
) -> LineageGraph:
    """The graph of *nodes*, joined by *edges* or, without them, by each node's own parents."""
    if edges is None:
        parents_of = {node.unique_id: node.parents for node in nodes}
    else:
        parents_of = {node.unique_id: () for node in nodes}
        found: dict[str, set[str]] = defaultdict(set)
        for edge in edges:
            found[edge.node_id].add(edge.parent_id)
        parents_of.update((child, tuple(sorted(parents))) for child, parents in found.items())
    children: dict[str, list[str]] = {unique_id: [] for unique_id in parents_of}
    dangling: dict[str, list[str]] = defaultdict(list)
    # Children are visited in order, so that every list of them is born sorted.
    for child in sorted(parents_of):
        for parent in parents_of[child]:
            (children if parent in children else dangling)[parent].append(child)
    children.update(dangling)
    parents_of.update((unique_id, ()) for unique_id in dangling)
    return LineageGraph(parents_of, {unique_id: tuple(ids) for unique_id, ids in children.items()})


def _walk(
    starts: Iterable[str],
    neighbours: Mapping[str, tuple[str, ...]],
    depth: int | None = None,
    within: Collection[str] | None = None,
) -> dict[str, tuple[int, str]]:
    """Every id reached from *starts*, with its distance and the start that it was reached from.

    The queue holds each distance's ids in the order of their starts, so among starts that are equally
    near the first in *starts* wins.
    """
    reached = {start: (0, start) for start in starts}
    queue = deque(reached)
    while queue:
        unique_id = queue.popleft()
        distance, origin = reached[unique_id]
        if depth is not None and distance >= depth:
            continue
        for neighbour in neighbours.get(unique_id, ()):
            if neighbour not in reached and (within is None or neighbour in within):
                reached[neighbour] = (distance + 1, origin)
                queue.append(neighbour)
    return reached
