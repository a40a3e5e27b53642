"""The answer of `recce-meta impact` from the walks that found it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from recce_meta.graph.impact import COLUMNS, FAILS, Place, Walk, by_node, ways
from recce_meta.models import LineageEdge, NodeMetadata
from recce_meta.models.change import Reach
from recce_meta.models.column_lineage import Usage
from recce_meta.models.impact import FailingNode, ImpactView, Influence, ReachedColumn, ReachedNode, Stop
from recce_meta.models.lineage import Direction

_REACHES = {reach.value: rank for rank, reach in enumerate(Reach)}
_WORDS = {reach.value: reach for reach in Reach}
_USAGES = frozenset(usage.value for usage in Usage)


def impact_view(
    root: str,
    column: str | None,
    direction: Direction,
    walks: Mapping[Direction, Walk],
    nodes: Mapping[str, NodeMetadata],
    *,
    reasons: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    removed: Walk | None = None,
) -> ImpactView:
    """What *walks*, upstream and downstream of *root*, found; and *removed*, that of the column's removal.

    *nodes* say what the reached ones are called (an id without a node is its own name), *reasons* why the
    columns of some are not known.
    """
    parts = [part for way, found in walks.items() for part in _parts(root, way, found, nodes, reasons or {})]
    around = {part.unique_id: part for part in parts if part.unique_id != root}
    whole = _merged([part for part in parts if part.unique_id == root])
    reached = [whole, *around.values()]
    return ImpactView(
        root=root,
        column=column,
        direction=direction,
        nodes=tuple(sorted(reached, key=lambda node: (node.distance, node.unique_id))),
        edges=tuple(sorted({edge for way, found in walks.items() for edge in _edges(way, found)})),
        notes=tuple(notes),
        fails=None if removed is None else tuple(_failing(removed, nodes)),
    )


def _failing(found: Walk, nodes: Mapping[str, NodeMetadata]) -> Iterator[FailingNode]:
    """Yield the nodes in which a removal ends, nearest first."""
    paths = ways(found)
    named: dict[Place, set[Stop]] = {}
    for hop in found.hops:
        if hop.target.reach == FAILS:
            named.setdefault(hop.target, set()).add(Stop(hop.origin.unique_id, hop.origin.column))
    for place in sorted(named, key=lambda place: (found.distances[place], place.unique_id)):
        node = nodes.get(place.unique_id)
        yield FailingNode(
            unique_id=place.unique_id,
            name=node.label if node else place.unique_id,
            resource_type=node.resource_type if node else _kind_of(place.unique_id),
            distance=found.distances[place],
            confidence=found.confidences[place],
            path=tuple(Stop(stop.unique_id, stop.column) for stop in paths[place]),
            references=tuple(sorted(named[place], key=lambda stop: (stop.unique_id, stop.column or ""))),
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
    paths = ways(found)
    stops = {place: Stop(place.unique_id, place.column) for place in found.distances}
    parts = []
    for unique_id, places in by_node(found).items():
        node = nodes.get(unique_id)
        nearest = min(places, key=lambda p: (found.distances[p], _REACHES[p.reach], p.column or ""))
        reached = {place.reach for place in places}
        parts.append(
            ReachedNode(
                unique_id=unique_id,
                name=node.label if node else unique_id,
                resource_type=node.resource_type if node else _kind_of(unique_id),
                distance=0 if unique_id == root else sign * found.distances[nearest],
                reach=tuple(reach for reach in Reach if reach.value in reached),
                confidence=max(found.confidences[place] for place in places),
                path=tuple(map(stops.__getitem__, paths[nearest])),
                columns=_columns(places, sign, found, influences),
                uses=tuple(sorted(influences.get((unique_id, None), ()))),
                reason=reasons.get(unique_id),
            )
        )
    return parts


def _kind_of(unique_id: str) -> str:
    """Of an id that no node has: what it begins with where it looks like a unique id, else `relation`."""
    kind, dot, rest = unique_id.partition(".")
    return kind if dot and "." in rest and kind.isidentifier() and kind.islower() else "relation"


def _columns(
    places: Sequence[Place],
    sign: int,
    found: Walk,
    influences: Mapping[tuple[str, str | None], set[Influence]],
) -> tuple[ReachedColumn, ...]:
    """The columns among *places*; one that is reached in both ways flows into others."""
    best: dict[str, Place] = {}
    for place in places:
        if place.column is not None and (place.reach == COLUMNS or place.column not in best):
            best[place.column] = place
    return tuple(
        ReachedColumn(
            name=name,
            distance=sign * found.distances[place],
            confidence=found.confidences[place],
            reach=_WORDS[place.reach],
            sources=tuple(sorted(influences.get((place.unique_id, name), ()))),
        )
        for name, place in sorted(best.items())
    )


def _influences(way: Direction, found: Walk) -> dict[tuple[str, str | None], set[Influence]]:
    """What flows into each column of the answer, and, under None, what decides over each node's rows."""
    into: dict[tuple[str, str | None], set[Influence]] = {}
    is_up = way is Direction.UPSTREAM
    for origin, target, kind, confidence in found.hops:
        if kind in _REACHES:  # no column is read
            continue
        reader, read = (origin, target) if is_up else (target, origin)
        influence = Influence(read.unique_id, read.column or "", kind, confidence)
        into.setdefault((reader.unique_id, None if kind in _USAGES else reader.column), set()).add(influence)
    return into


def _edges(way: Direction, found: Walk) -> set[LineageEdge]:
    pairs = {(hop.origin.unique_id, hop.target.unique_id) for hop in found.hops}
    if way is Direction.UPSTREAM:
        return {LineageEdge(reader, read) for reader, read in pairs if reader != read}
    return {LineageEdge(reader, read) for read, reader in pairs if reader != read}


def _merged(parts: Sequence[ReachedNode]) -> ReachedNode:
    """The root as both walks see it: what it is made of is told upstream, what it is used for downstream."""
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
