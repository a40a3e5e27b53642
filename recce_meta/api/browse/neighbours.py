"""Lineage around one node, limited in depth and size, from edges that are already in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from recce_meta.api.run_reader import Origins
from recce_meta.models import NodeMetadata
from recce_meta.models.lineage import Direction, KnownEdge, LineageNode, LineageView

DEEPEST = 5
"""Largest distance from the root."""
MOST_NODES = 500
"""Largest number of nodes."""

NeighbourIds = Mapping[str, Sequence[str]]
"""Ids of the parents, or of the children, of each node."""


class Neighbours(NamedTuple):
    """Lineage around a node."""

    view: LineageView
    truncated: bool
    """True if nodes within the depth were left out."""


def neighbours(
    root: str,
    names: Mapping[str, NodeMetadata],
    edges: tuple[NeighbourIds, NeighbourIds],
    origins_of: Callable[[Collection[str]], Origins],
    *,
    direction: Direction = Direction.BOTH,
    depth: int = 1,
    most: int = MOST_NODES,
) -> Neighbours:
    """Return the nodes within *depth* edges of *root*, the nearest *most* of them, with their edges.

    *edges* are the parents and the children of each node. *depth* is limited to 1 to `DEEPEST`. *origins_of*
    returns the origins of the edges to parents of nodes.
    """
    depth = min(max(depth, 1), DEEPEST)
    parents, children = edges
    distances: dict[str, int] = {}
    if direction is not Direction.DOWNSTREAM:
        distances |= {found: -steps for found, steps in _distances(root, parents, depth).items()}
    if direction is not Direction.UPSTREAM:
        distances |= _distances(root, children, depth)
    # The root is added below, in front of the nearest nodes.
    distances.pop(root, None)
    nearest = sorted(distances, key=lambda found: (abs(distances[found]), found))
    kept = {root: 0, **{found: distances[found] for found in nearest[: most - 1]}}
    readers = sorted(found for found in kept if any(parent in kept for parent in parents.get(found, ())))
    # After the cut: origins are read from the store, which the edges are not.
    origins = origins_of(readers) if readers else {}
    view = LineageView(
        root=root,
        direction=direction,
        nodes=tuple(
            _node(found, kept[found], names) for found in sorted(kept, key=lambda one: (kept[one], one))
        ),
        edges=tuple(
            KnownEdge.of(reader, parent, origins.get(reader, {}).get(parent))
            for reader in readers
            for parent in parents[reader]
            if parent in kept
        ),
    )
    # `kept` contains the root, and `distances` does not.
    return Neighbours(view, len(kept) <= len(distances))


def _distances(root: str, neighbours_of: NeighbourIds, depth: int) -> dict[str, int]:
    """Return the number of edges from *root* to each node within *depth* edges."""
    found = {root: 0}
    front = [root]
    for distance in range(1, depth + 1):
        front = list(
            dict.fromkeys(near for one in front for near in neighbours_of.get(one, ()) if near not in found)
        )
        found |= dict.fromkeys(front, distance)
    return found


def _node(unique_id: str, distance: int, names: Mapping[str, NodeMetadata]) -> LineageNode:
    node = names.get(unique_id)
    return LineageNode(
        unique_id=unique_id,
        name=unique_id if node is None else node.label,
        resource_type=unique_id.split(".")[0] if node is None else node.resource_type,
        distance=distance,
    )
