"""Layered layout of a lineage graph: parents to the left of their children, few crossings, stable order.

1. Edges that close a cycle are set aside. They are drawn backwards.
2. A node is one layer to the right of its rightmost parent. A node without parents is placed directly
   before its first child, so that the first layer is not a tower of sources.
3. A parent with distant children has one waypoint in each layer in between, which all of its edges share. So
   edges run between boxes rather than through them.
4. Sweeps in both directions sort each layer by the mean position of neighbours.
5. Each layer is moved as near to its neighbours as the distances between boxes permit.

With the positions of an earlier layout, a node stays in its row, and new nodes get the nearest free places.
The layout depends only on its input. Nothing recurses, so the depth of a graph is not limited.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from msgspec import Struct

from recce_meta.models.graph_view import BOX_HEIGHT, LAYER_PITCH, ROW_PITCH

SWEEPS = 4
"""Number of sweeps in each direction that sort the layers."""
MOVES = 2
"""Number of sweeps in each direction that move the layers."""
BOX_HALF, LINE_HALF = ROW_PITCH // 2, 4
"""Half of the height that a box, or an edge that runs past it, takes in a layer."""
BLOCK_WIDTH = 6
"""Least number of columns of the block of nodes without neighbours."""


class Position(NamedTuple):
    """Left upper corner of a box, in pixels, and its layer."""

    x: int
    y: int
    layer: int = 0


Edge = tuple[str, str]
"""Parent and child."""


class GraphLayout(Struct, frozen=True):
    """Positions of the nodes of a graph."""

    positions: dict[str, Position]
    backward: frozenset[Edge] = frozenset()
    """Edges that close a cycle, including those from a node to itself."""
    bends: dict[Edge, tuple[int, ...]] = {}
    """For each edge over several layers: its vertical position in each layer in between, from the parent."""


def layout(
    ids: Iterable[str],
    parents: Mapping[str, Iterable[str]],
    seed: Mapping[str, Sequence[int]] | None = None,
) -> GraphLayout:
    """Return positions of the nodes *ids*; *parents* outside of them are ignored.

    *seed* has positions (x, y) of an earlier layout. Its nodes keep them if no new edge prevents it.
    """
    names = sorted(set(ids))
    graph = _acyclic(names, parents)
    layers = _layers(graph)
    known = (
        {}
        if seed is None
        else {graph.numbers[one]: place for one, place in seed.items() if one in graph.numbers}
    )
    items = _with_waypoints(graph, layers)
    if known:
        middles = _seeded(graph, items, layers, known)
    else:
        _sort(items)
        middles = _moved(items)
    shift = _shift(layers, known)
    places = {
        node: Position(
            (layers[node] + shift) * LAYER_PITCH, round(middles[node]) - BOX_HEIGHT // 2, layers[node]
        )
        for node in range(len(names))
        if layers[node] >= 0
    }
    # A first layout starts at the top. A later one keeps the coordinates that its reader remembers.
    if not known and places:
        top = min(place.y for place in places.values())
        places = {node: place._replace(y=place.y - top) for node, place in places.items()}
        middles = [middle - top for middle in middles]
    _pack(layers, places, known)
    return GraphLayout(
        {names[node]: places[node] for node in sorted(places)},
        frozenset((names[parent], names[child]) for parent, child in graph.backward),
        _bends(graph, items, layers, middles),
    )


class _Acyclic(NamedTuple):
    names: list[str]
    numbers: dict[str, int]
    parents: list[list[int]]
    children: list[list[int]]
    backward: set[tuple[int, int]]
    order: list[int]
    """Nodes after their parents."""


def _acyclic(names: list[str], parents_of: Mapping[str, Iterable[str]]) -> _Acyclic:
    """Return the graph as numbers, without the edges that close a cycle."""
    index = {name: number for number, name in enumerate(names)}
    parents: list[list[int]] = []
    backward: set[tuple[int, int]] = set()
    children: list[list[int]] = [[] for _ in names]
    for child, name in enumerate(names):
        found = {index[parent] for parent in parents_of.get(name, ()) if parent in index}
        if child in found:
            found.discard(child)
            backward.add((child, child))
        parents.append(sorted(found))
        for parent in parents[-1]:
            children[parent].append(child)
    graph = _Acyclic(names, index, parents, children, backward, [])
    # Cycles are rare, so they are searched only if some nodes have no place in the order.
    if not _ordered(graph):
        for parent, child in _closing(graph):
            graph.children[parent].remove(child)
            graph.parents[child].remove(parent)
            backward.add((parent, child))
        graph.order.clear()
        _ordered(graph)
    return graph


def _ordered(graph: _Acyclic) -> bool:
    """Fill `order`; return False if a cycle prevents it."""
    missing = [len(found) for found in graph.parents]
    order = graph.order
    order += [node for node, count in enumerate(missing) if not count]
    for node in order:  # grows during iteration
        for child in graph.children[node]:
            missing[child] -= 1
            if not missing[child]:
                order.append(child)
    return len(order) == len(graph.names)


def _closing(graph: _Acyclic) -> list[tuple[int, int]]:
    """Return the edges that close a cycle in a search from the nodes without parents, then the others."""
    fresh, on_path, done = 0, 1, 2
    state = [fresh] * len(graph.names)
    found = []
    for start in sorted(range(len(state)), key=lambda node: (bool(graph.parents[node]), node)):
        if state[start] != fresh:
            continue
        path = [(start, iter(graph.children[start]))]
        state[start] = on_path
        while path:
            node, waiting = path[-1]
            for child in waiting:
                if state[child] == on_path:
                    found.append((node, child))
                elif state[child] == fresh:
                    state[child] = on_path
                    path.append((child, iter(graph.children[child])))
                    break
            else:
                state[node] = done
                path.pop()
    return found


def _layers(graph: _Acyclic) -> list[int]:
    """Return the layer of each node; -1 for a node without neighbours."""
    layers = [0] * len(graph.names)
    for node in graph.order:
        after = layers[node] + 1
        for child in graph.children[node]:
            if layers[child] < after:
                layers[child] = after
    for node, (above, below) in enumerate(zip(graph.parents, graph.children, strict=True)):
        if not above:
            layers[node] = min((layers[child] for child in below), default=0) - 1
    return layers


class _Items(NamedTuple):
    """Nodes and waypoints by layer; a waypoint is a number after those of the nodes."""

    layers: list[list[int]]
    left: list[list[int]]
    """Neighbours in the layer before."""
    right: list[list[int]]
    nodes: int
    """Number of nodes."""
    group: list[int]
    """Connected part of each item, the largest part first."""
    chain: dict[int, int]
    """First waypoint of a node with distant children; the others follow."""


def _with_waypoints(graph: _Acyclic, layers: Sequence[int]) -> _Items:
    total = len(layers)
    left: list[list[int]] = [[] for _ in range(total)]
    right: list[list[int]] = [[] for _ in range(total)]
    found: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    part = _parts(graph)
    chain: dict[int, int] = {}
    # Connected parts start as blocks, so the sweeps cannot interleave them.
    for node in sorted(range(total), key=lambda one: (part[one], one)):
        layer = layers[node]
        if layer < 0:
            continue
        found[layer].append(node)
        below = graph.children[node]
        last = max((layers[child] for child in below), default=layer) - layer - 1
        if last > 0:
            chain[node] = first = len(left)
            before = node
            for step in range(last):
                way = first + step
                left.append([before])
                right.append([])
                right[before].append(way)
                part.append(part[node])
                found[layer + 1 + step].append(way)
                before = way
        for child in below:
            step = layers[child] - layer - 1
            nearest = node if not step else chain[node] + step - 1
            right[nearest].append(child)
            left[child].append(nearest)
    return _Items(found, left, right, total, part, chain)


def _parts(graph: _Acyclic) -> list[int]:
    """Return the number of the connected part of each node, the largest part first."""
    part = [-1] * len(graph.names)
    sizes: list[int] = []
    for start in range(len(part)):
        if part[start] >= 0:
            continue
        part[start] = len(sizes)
        members = [start]
        for node in members:  # grows during iteration
            for near in (*graph.parents[node], *graph.children[node]):
                if part[near] < 0:
                    part[near] = len(sizes)
                    members.append(near)
        sizes.append(len(members))
    rank = {
        number: place for place, number in enumerate(sorted(range(len(sizes)), key=lambda one: -sizes[one]))
    }
    return [rank[number] for number in part]


def _sort(items: _Items) -> None:
    """Sort each layer by the mean place of neighbours; connected parts stay together."""
    place = [0.0] * len(items.left)
    group = items.group
    for layer in items.layers:
        for index, item in enumerate(layer):
            place[item] = index
    key = [0.0] * len(place)
    for _ in range(SWEEPS):
        for near, found in ((items.left, items.layers[1:]), (items.right, items.layers[-2::-1])):
            for layer in found:
                for item in layer:
                    around = near[item]
                    # Most items have one neighbour: no list and no division for them.
                    if len(around) == 1:
                        mean = place[around[0]]
                    elif around:
                        mean = sum([place[one] for one in around]) / len(around)
                    else:
                        mean = place[item]
                    key[item] = mean + group[item] * _FAR
                layer.sort(key=key.__getitem__)
                for index, item in enumerate(layer):
                    place[item] = index


_FAR = 1e9
"""Larger than the number of items, so that connected parts are sorted first."""


def _moved(items: _Items) -> list[float]:
    """Return the vertical middle of each item; each layer is near to its neighbours."""
    middles = [0.0] * len(items.left)
    gaps = [_gaps(layer, items.nodes) for layer in items.layers]
    for layer, own in zip(items.layers, gaps, strict=True):
        total = -sum(own) / 2
        for item, gap in zip(layer, own, strict=True):
            total += gap
            middles[item] = total
    whole = list(zip(items.layers, gaps, strict=True))
    for _ in range(MOVES):
        for near, found in ((items.right, whole[-2::-1]), (items.left, whole[1:])):
            for layer, own in found:
                wanted = []
                for item in layer:
                    around = near[item]
                    if len(around) == 1:
                        wanted.append(middles[around[0]])
                    elif around:
                        wanted.append(sum([middles[one] for one in around]) / len(around))
                    else:
                        wanted.append(middles[item])
                for item, middle in zip(layer, _spread(wanted, own), strict=True):
                    middles[item] = middle
    return middles


def _gaps(layer: Sequence[int], nodes: int) -> list[int]:
    """Return the least distance of each item of a layer to the one above."""
    found = []
    above = 0
    for item in layer:
        half = BOX_HALF if item < nodes else LINE_HALF
        found.append(above + half if above else 0)
        above = half
    return found


def _spread(wanted: Sequence[float], gaps: Sequence[int]) -> list[float]:
    """Return places at least *gaps* apart with the least sum of squared distances from *wanted*.

    >>> _spread([0, 0, 500], [0, 60, 60])
    [-30.0, 30.0, 500.0]
    """
    # Isotonic regression: merging neighbours that are too close is optimal and takes linear time.
    means: list[float] = []
    counts: list[int] = []
    offset = 0
    for place, gap in zip(wanted, gaps, strict=True):
        offset += gap
        mean, count = float(place - offset), 1
        while means and means[-1] >= mean:
            before = counts.pop()
            mean = (means.pop() * before + mean * count) / (before + count)
            count += before
        means.append(mean)
        counts.append(count)
    found: list[float] = []
    offset = 0
    own = iter(gaps)
    for mean, count in zip(means, counts, strict=True):
        for _ in range(count):
            offset += next(own)
            found.append(mean + offset)
    return found


def _seeded(
    graph: _Acyclic, items: _Items, layers: Sequence[int], known: Mapping[int, Sequence[int]]
) -> list[float]:
    """Return the vertical middle of each item: that of *known* nodes, else a free place near neighbours."""
    middles = [0.0] * len(items.left)
    taken: list[list[float]] = [[] for _ in items.layers]
    placed: list[int] = []
    for node in sorted(known, key=lambda one: (known[one][1], one)):
        middle = float(known[node][1] + BOX_HEIGHT // 2)
        own = taken[layers[node]] if layers[node] >= 0 else None
        # One pixel less, because earlier places were rounded.
        if own is not None and (not own or middle - own[-1] >= ROW_PITCH - 1):
            own.append(middle)
            middles[node] = middle
            placed.append(node)
    is_placed = [False] * len(middles)
    for node in placed:
        is_placed[node] = True
    # First the neighbours of known nodes, then each connected part without known nodes.
    for start in (None, *range(items.nodes)):
        if start is not None:
            if is_placed[start] or layers[start] < 0:
                continue
            lowest = max((own[-1] for own in taken if own), default=-ROW_PITCH)
            wanted = known[start][1] + BOX_HEIGHT // 2 if start in known else lowest + ROW_PITCH
            _place(start, wanted, middles, taken[layers[start]], is_placed)
            placed = [start]
        for node in placed:  # grows during iteration
            for near in (*graph.children[node], *graph.parents[node]):
                if is_placed[near]:
                    continue
                around = [
                    middles[one] for one in (*graph.parents[near], *graph.children[near]) if is_placed[one]
                ]
                mean = sum(around) / len(around)
                wanted = known[near][1] + BOX_HEIGHT // 2 if near in known else mean
                _place(near, wanted, middles, taken[layers[near]], is_placed)
                placed.append(near)
    for layer, own in zip(items.layers, taken, strict=True):
        for item in layer:
            if item >= items.nodes:
                wanted = middles[items.left[item][0]]
                middles[item] = _free(own, wanted, BOX_HEIGHT // 2 + LINE_HALF)
    return middles


def _place(node: int, wanted: float, middles: list[float], taken: list[float], is_placed: list[bool]) -> None:
    middles[node] = round(_free(taken, wanted, ROW_PITCH))
    insort(taken, middles[node])
    is_placed[node] = True


def _free(taken: Sequence[float], wanted: float, room: int) -> float:
    """Return the place nearest to *wanted* that is at least *room* from those that are *taken*, sorted.

    >>> _free([0, 60, 200], 50, 60), _free([0, 60, 200], 50, 26)
    (120, 34)
    """
    above = below = wanted
    index = bisect_left(taken, wanted + room) - 1
    while index >= 0 and taken[index] > above - room:
        above = taken[index] - room
        index -= 1
    index = bisect_left(taken, wanted - room)
    while index < len(taken) and taken[index] < below + room:
        if taken[index] > below - room:
            below = taken[index] + room
        index += 1
    return below if below - wanted <= wanted - above else above


def _shift(layers: Sequence[int], known: Mapping[int, Sequence[int]]) -> int:
    """Return the number of layers by which to move the graph, so that most known nodes keep their column."""
    moves = Counter(
        round(place[0] / LAYER_PITCH) - layers[node] for node, place in known.items() if layers[node] >= 0
    )
    # Of equally good moves, the smallest one changes the picture least.
    return min(moves, key=lambda move: (-moves[move], abs(move), move)) if moves else 0


def _pack(layers: Sequence[int], places: dict[int, Position], known: Mapping[int, Sequence[int]]) -> None:
    """Add the nodes without neighbours to *places*: as before if *known*, else as a block below the graph."""
    single = [node for node, layer in enumerate(layers) if layer < 0]
    if not single:
        return
    taken: dict[int, list[int]] = {}
    for place in places.values():
        insort(taken.setdefault(place.x, []), place.y)
    waiting = []
    for node in single:
        if node in known and _is_free(taken, *known[node][:2]):
            x, y = known[node][:2]
            places[node] = Position(x, y, max(0, round(x / LAYER_PITCH)))
            insort(taken.setdefault(x, []), y)
        else:
            waiting.append(node)
    lowest = max((own[-1] for own in taken.values()), default=-2 * ROW_PITCH)
    kept = [places[node] for node in single if node in places]
    top = min((place.y for place in kept), default=lowest + 2 * ROW_PITCH)
    first = min((place.x for place in places.values()), default=0)
    # Three rows for each column give the block about the shape of a screen.
    width = max(BLOCK_WIDTH, len({place.x for place in places.values()}), round((len(single) / 3) ** 0.5))
    cells = ((first + cell % width * LAYER_PITCH, top + cell // width * ROW_PITCH) for cell in count())
    for node in waiting:
        x, y = next(cell for cell in cells if _is_free(taken, *cell))
        places[node] = Position(x, y, (x - first) // LAYER_PITCH)
        insort(taken.setdefault(x, []), y)


def _is_free(taken: Mapping[int, list[int]], x: int, y: int) -> bool:
    """Return True if no box of *taken*, by column, is within a row of the box at *x*, *y*."""
    own = taken.get(x, ())
    index = bisect_left(own, y - ROW_PITCH + 1)
    return index == len(own) or own[index] >= y + ROW_PITCH


def _bends(
    graph: _Acyclic, items: _Items, layers: Sequence[int], middles: Sequence[float]
) -> dict[Edge, tuple[int, ...]]:
    found: dict[Edge, tuple[int, ...]] = {}
    for node, first in items.chain.items():
        for child in graph.children[node]:
            between = layers[child] - layers[node] - 1
            if between > 0:
                heights = tuple(map(round, middles[first : first + between]))
                found[graph.names[node], graph.names[child]] = heights
    return found
