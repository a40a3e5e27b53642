"""What a change reaches, column by column, and what a column is made of.

A change is followed from place to place. A place is a column of a node, the rows of a node, or a node of
which nobody knows how much is reached. Downstream, each of these is one step:

- a column goes into a column that is made from it, and into the rows that it filters, joins or groups;
- a column goes into every reader whose own columns are not known, as `unknown`;
- rows go into the rows of every reader, and `unknown` goes into every reader as `unknown`.

Upstream are the same steps backwards; besides, a column depends on the rows of its own node, in no step.
The distance of a place is the number of steps on the shortest way. Its confidence is that of the surest way,
and a way is as sure as its least sure step: so going round in a cycle changes nothing. Work and memory are
linear in what is reached, each place is left once, and cycles end where they began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from recce_meta.graph.dag import LineageGraph
from recce_meta.models.column_lineage import REFERENCED, ColumnEdge, Kind, NodeColumns

COLUMNS, ROWS, UNKNOWN = "columns", "rows", "unknown"
"""The words of `models.change.Reach`; plain texts, because places are hashed by the hundred thousand."""
UNSURE = 0.5
"""Confidence of a step into a node whose own columns are not known."""
FAILS = "fails"
"""The reach of a node that names a column which is gone."""
ANY = "*"
"""The column of a parent whose columns are not known, and of a node that passes such columns on."""


class Place(NamedTuple):
    """What can be reached. Rows and `unknown` have no column; upstream, a column can decide over rows."""

    unique_id: str
    reach: str
    column: str | None = None


class Hop(NamedTuple):
    """One step, away from where the walk began."""

    origin: Place
    target: Place
    kind: str
    """A `Kind` or `Usage` where the step is a column that is read, else the reach."""
    confidence: float = 1.0


Hops: TypeAlias = Callable[[Place], Iterable[Hop]]


class Walk(Struct, frozen=True, eq=False):
    """All places that were reached; those that the walk began with have distance 0."""

    distances: dict[Place, int]
    """Nearest first."""
    before: dict[Place, Place]
    """The place before each on one shortest way to it."""
    hops: list[Hop]
    """Every step between reached places, also those that are on no shortest way."""
    confidences: dict[Place, float]


def walk(starts: Sequence[Place], hops: Hops, depth: int | None = None) -> Walk:
    """Everything within *depth* steps (None: all) of *starts*; *hops* gives the steps that leave a place.

    A hop inside a node is no step.
    """
    distances = dict.fromkeys(sorted(starts, key=_order), 0)
    before: dict[Place, Place] = {}
    taken: list[Hop] = []
    level, distance = list(distances), 0
    while level:
        further: list[Hop] = []
        for place in level:  # grows while it is read: a hop inside a node ends in the same level
            for hop in hops(place):
                if _is_inside(hop):
                    taken.append(hop)
                    if hop.target not in distances:
                        distances[hop.target], before[hop.target] = distance, place
                        level.append(hop.target)
                else:
                    further.append(hop)
        if distance == depth:
            break
        distance += 1
        level = []
        for hop in further:
            if hop.target not in distances:
                distances[hop.target], before[hop.target] = distance, hop.origin
                level.append(hop.target)
        level.sort(key=_order)  # whatever order the edges came in, the same ways are found
        taken += further
    return Walk(distances, before, taken, _confidences(starts, taken))


def _order(place: Place) -> tuple[str, str, str]:
    return place.unique_id, place.reach, place.column or ""


def _is_inside(hop: Hop) -> bool:
    return hop.kind == ROWS and hop.origin.unique_id == hop.target.unique_id


def _confidences(starts: Iterable[Place], hops: Iterable[Hop]) -> dict[Place, float]:
    """For each place the confidence of the surest way to it: surest first, so that each is found once."""
    leaving: dict[Place, list[Hop]] = defaultdict(list)
    for hop in hops:
        leaving[hop.origin].append(hop)
    found: dict[Place, float] = {}
    waiting = {1.0: list(starts)}
    while waiting:
        sure = max(waiting)
        places = waiting.pop(sure)
        while places:
            place = places.pop()
            if place in found:
                continue
            found[place] = sure
            for hop in leaving.get(place, ()):
                if hop.confidence >= sure:
                    places.append(hop.target)
                else:
                    waiting.setdefault(hop.confidence, []).append(hop.target)
    return found


def columns_read(unique_id: str, columns: NodeColumns) -> Iterator[ColumnEdge]:
    """Every column that a node reads, as edges."""
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
) -> Hops:
    """The steps of a change: *edges* are the reads of columns, *known* the nodes whose columns are known.

    *edges* must hold every read of a node that the walk can come to. *inlined* are ephemeral models where
    the walk begins: the columns of their readers are known to come from what these models read, and so
    nothing is known to come from the models themselves.
    """
    of_node = _Index((edge for edge in edges if edge.kind != REFERENCED), "parent_id", "parent_column")

    def hops(place: Place) -> Iterator[Hop]:
        unique_id, reach, column = place
        if column is None:
            for child in graph.children(unique_id):
                yield Hop(place, Place(child, reach), reach)
            return
        readers = of_node[unique_id]
        for name in readers if column == ANY else (column, *structs_around(column), ANY):
            for edge in readers.get(name, ()):
                yield _into_reader(place, edge)
        for child in graph.children(unique_id):
            if child not in known or unique_id in inlined:
                yield Hop(place, Place(child, UNKNOWN), UNKNOWN, UNSURE)

    return hops


def removal(edges: Iterable[ColumnEdge]) -> Hops:
    """Return the steps of a column that is removed or renamed; *edges* as for `downstream`.

    A reader that names the column fails, and its way ends there. A star loses the column.
    """
    of_node = _Index(edges, "parent_id", "parent_column")

    def hops(place: Place) -> Iterator[Hop]:
        unique_id, _, column = place
        if column is None:
            return
        readers = of_node[unique_id]
        structs = frozenset(structs_around(column))
        for name in readers if column == ANY else (column, *structs, ANY):
            read = [edge for edge in readers.get(name, ()) if edge.node_id != unique_id]
            named = {edge.node_id for edge in read if edge.kind == REFERENCED}
            for edge in read:
                sure = min(edge.confidence, UNSURE) if name in structs else edge.confidence
                if edge.kind == REFERENCED:
                    yield Hop(place, Place(edge.node_id, FAILS), edge.kind, sure)
                elif edge.node_id not in named and _is_starred(edge):
                    yield _into_reader(place, edge)._replace(confidence=sure)

    return hops


def _is_starred(edge: ColumnEdge) -> bool:
    """Return whether *edge*, from a column that is not named, leads to a column of the same name."""
    return edge.kind == Kind.PASSTHROUGH or edge.column_name == ANY == edge.parent_column


def structs_around(column: str) -> Iterator[str]:
    """The structs that hold a field, which catalogs list beside them: whoever reads it reads one of these.

    >>> list(structs_around("address.city.name"))
    ['address', 'address.city']
    """
    parts = column.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


class _Index(dict[str, dict[str | None, list[ColumnEdge]]]):
    """Edges by node, and by column; by column only of the nodes that are asked for, which are mostly few."""

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

    def __missing__(self, unique_id: str) -> dict[str | None, list[ColumnEdge]]:
        found = self[unique_id] = {}
        for edge in self._by_node.get(unique_id, ()):
            found.setdefault(self._column(edge), []).append(edge)
        return found


def _into_reader(place: Place, edge: ColumnEdge) -> Hop:
    column = place.column if edge.column_name == ANY == edge.parent_column else edge.column_name
    target = Place(edge.node_id, ROWS) if column is None else Place(edge.node_id, COLUMNS, column)
    return Hop(place, target, edge.kind, edge.confidence)


def upstream(edges: Iterable[ColumnEdge], graph: LineageGraph, known: Collection[str]) -> Hops:
    """The steps back from a column to what it is made of; as `downstream`, but *edges* are made by the nodes.

    A place that only decides over rows says so, as does all that it is made of.
    """
    of_node = _Index((edge for edge in edges if edge.kind != REFERENCED), "node_id", "column_name")

    def hops(place: Place) -> Iterator[Hop]:
        unique_id, reach, column = place
        if column is not None:
            sources = of_node[unique_id]
            for edge in sources.get(column) or sources.get(ANY) or ():
                passed_on = edge.column_name == ANY == edge.parent_column
                name = column if passed_on else edge.parent_column
                yield Hop(place, Place(edge.parent_id, reach, name), edge.kind, edge.confidence)
            yield Hop(place, Place(unique_id, ROWS), ROWS)
            return
        if reach == ROWS:
            for edge in of_node[unique_id].get(None, ()):
                target = Place(edge.parent_id, ROWS, edge.parent_column)
                yield Hop(place, target, edge.kind, edge.confidence)
        for parent in graph.parents(unique_id):
            yield Hop(place, Place(parent, reach), reach)
            if reach == ROWS and unique_id not in known:
                yield Hop(place, Place(parent, UNKNOWN), UNKNOWN, UNSURE)

    return hops


def ways(found: Walk) -> dict[Place, tuple[Place, ...]]:
    """One shortest way to each place, from where the walk began; hops inside a node are left out."""
    known: dict[Place, tuple[Place, ...]] = {}
    for place in found.distances:  # nearest first
        earlier = found.before.get(place)
        if earlier is not None and earlier.unique_id == place.unique_id:
            known[place] = known[earlier]
        else:
            known[place] = (*(known[earlier] if earlier else ()), place)
    return known


def by_node(found: Walk) -> dict[str, list[Place]]:
    """The reached places of each node, nearest first."""
    nodes: dict[str, list[Place]] = {}
    for place in found.distances:
        nodes.setdefault(place.unique_id, []).append(place)
    return nodes
