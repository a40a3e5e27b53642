"""Edges of a drawing: those between the nodes that it shows, and paths through the nodes that it hides.

All drawings have their edges from `drawn_edges`. Sets of shown nodes are bits of one number each, so that
thousands of hidden nodes take milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from recce_meta.graph.dag import reachable
from recce_meta.models.graph_view import ADDED, BACKWARD, INDIRECT, REMOVED

Pair = tuple[str, str]
"""Parent and child."""
Children = Mapping[str, Sequence[str]]


class DrawnEdge(NamedTuple):
    """Edge of a drawing, with a sum of the flags of `models.graph_view`."""

    parent: str
    child: str
    flags: int = 0

    @property
    def pair(self) -> Pair:
        """Ends of the edge."""
        return self.parent, self.child


def drawn_edges(
    shown: Sequence[str],
    children: Children,
    hidden: Collection[str],
    one_sided: Mapping[Pair, int] | None = None,
) -> list[DrawnEdge]:
    """Return the edges between *shown* nodes, and paths between them through *hidden* nodes, sorted.

    *children* are those of two runs if *one_sided* has flags: `ADDED` for an edge that only current has,
    `REMOVED` for one that only base has. A path is `INDIRECT`. It is in one of the runs, or in both if it has
    no other flag. Two nodes have an edge and a path if one run has no edge between them.

    >>> drawn_edges(["a", "c"], {"a": ["b"], "b": ["c"]}, {"b"}, {("b", "c"): ADDED})
    [DrawnEdge(parent='a', child='c', flags=9)]
    """
    ids = frozenset(shown)
    marks = one_sided or {}
    found = [
        DrawnEdge(one, child, marks.get((one, child), 0))
        for one in ids
        for child in children.get(one, ())
        if child in ids
    ]
    if not hidden:
        return sorted(found)
    if not marks:
        paths: Iterable[DrawnEdge] = (
            DrawnEdge(*pair, INDIRECT) for pair in paths_through(hidden, shown, children)
        )
    else:
        paths = _of_both(
            *(_Paths(hidden, shown, _without(children, marks, flag)) for flag in (ADDED, REMOVED))
        )
    return sorted([*found, *paths])


def closing_cycles(edges: Sequence[DrawnEdge], backward: Collection[Pair]) -> list[DrawnEdge]:
    """Return *edges* with the flag `BACKWARD` on those of *backward* that close a cycle of one run.

    A drawing of two runs may have a cycle that neither run has.
    """
    if not backward:
        return list(edges)
    sides = []
    for other in (ADDED, REMOVED):
        children: dict[str, list[str]] = {}
        for edge in edges:
            if not edge.flags & other:
                children.setdefault(edge.parent, []).append(edge.child)
        sides.append((other, children))
    return [
        edge._replace(flags=edge.flags | BACKWARD)
        if edge.pair in backward
        and any(
            not edge.flags & other and edge.parent in reachable([edge.child], children)
            for other, children in sides
        )
        else edge
        for edge in edges
    ]


def _without(children: Children, one_sided: Mapping[Pair, int], flag: int) -> Children:
    """Return *children* without the edges that have *flag*."""
    parents = {parent for (parent, _), found in one_sided.items() if found & flag}
    return {
        **children,
        **{
            parent: [
                child for child in children.get(parent, ()) if not one_sided.get((parent, child), 0) & flag
            ]
            for parent in parents
        },
    }


def _of_both(base: _Paths, current: _Paths) -> Iterable[DrawnEdge]:
    """Yield the paths that the edges of one run do not show."""
    for parent, child in {*base.needed(), *current.needed()}:
        is_before, is_after = base.has(parent, child), current.has(parent, child)
        side = 0 if is_before and is_after else ADDED if is_after else REMOVED
        yield DrawnEdge(parent, child, INDIRECT | side)


def paths_through(hidden: Collection[str], shown: Sequence[str], children: Children) -> list[Pair]:
    """Return an edge for each path between two *shown* nodes through *hidden* ones, sorted.

    An edge is left out if further edges show that there is a path.

    >>> paths_through({"b"}, ["a", "c"], {"a": ["b"], "b": ["c"]})
    [('a', 'c')]
    """
    return sorted(_Paths(hidden, shown, children).needed())


class _Paths:
    """Paths of one run between *shown* nodes through *hidden* nodes.

    A step handles the bits of all shown nodes at once. There is one for each edge of the graph, and one for
    each edge of the drawing that no other edges imply.
    """

    def __init__(self, hidden: Collection[str], shown: Sequence[str], children: Children) -> None:
        own = frozenset(shown)
        order = _children_first(shown, children, own.union(hidden))
        # Parents have lower bits than their children, so that the lowest bit of a set is a nearest node.
        self._shown = [one for one in reversed(order) if one in own]
        self._bit = {one: 1 << number for number, one in enumerate(self._shown)}
        closed = _reach(order, children, self._bit)
        self._closed = [closed[one] for one in self._shown]
        reach = _reach([one for one in order if one not in own], children, self._bit)
        self._direct = [_bits(children.get(one, ()), self._bit) for one in self._shown]
        self._through = {one: _bits(children.get(one, ()), reach) for one in self._shown}

    def has(self, parent: str, child: str) -> bool:
        """Return True if a path leads from *parent* to *child* through hidden nodes alone."""
        return bool(self._through[parent] & self._bit[child])

    def needed(self) -> Iterator[Pair]:
        """Yield the ends of the paths that no edges between shown nodes, and no other paths, imply."""
        circles = self._circles()
        for number, (parent, through) in enumerate(self._through.items()):
            direct = self._direct[number]
            # A direct edge already shows the path. A path back to its start has no second node.
            wanted = through & ~(direct | self._bit[parent])
            # Nodes of one cycle imply nothing about each other.
            waiting = (direct | wanted) & ~(self._bit[parent] | circles[number])
            while wanted and waiting:
                nearest = waiting & -waiting
                one = nearest.bit_length() - 1
                implied = self._closed[one] & ~circles[one]
                wanted &= ~implied
                # An implied node implies no more than the node that leads to it.
                waiting &= ~(implied | nearest)
            for target in _numbers(wanted):
                yield parent, self._shown[target]

    def _circles(self) -> list[int]:
        """Return the nodes that are in a cycle with each node, itself included."""
        found: dict[int, int] = {}
        is_in = [closed >> number & 1 for number, closed in enumerate(self._closed)]
        for number, closed in enumerate(self._closed):
            # All nodes of a cycle lead to the same nodes.
            if is_in[number]:
                found[closed] = found.get(closed, 0) | 1 << number
        return [found[closed] if one else 0 for one, closed in zip(is_in, self._closed, strict=True)]


def _bits(ids: Sequence[str], bits: Mapping[str, int]) -> int:
    found = 0
    for one in ids:
        found |= bits.get(one, 0)
    return found


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        # Only bits that are set cost time, in numbers of thousands of bits.
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _children_first(starts: Sequence[str], children: Children, within: Collection[str]) -> list[str]:
    """Return *starts* and the nodes downstream *within* the given ones, children before their parents."""
    order: list[str] = []
    seen: set[str] = set()
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        path = [(start, iter(children.get(start, ())))]
        while path:
            node, waiting = path[-1]
            for child in waiting:
                if child in within and child not in seen:
                    seen.add(child)
                    path.append((child, iter(children.get(child, ()))))
                    break
            else:
                order.append(node)
                path.pop()
    return order


def _reach(order: Sequence[str], children: Children, bit: Mapping[str, int]) -> dict[str, int]:
    """Return the nodes of *bit* that each node of *order* leads to, through nodes of *order* alone."""
    reach = dict.fromkeys(order, 0)
    is_stable = False
    while not is_stable:  # a second round, and further ones for cycles
        is_stable = True
        for node in order:
            found = reach[node]
            bits = found
            for child in children.get(node, ()):
                bits |= reach.get(child, 0) | bit.get(child, 0)
            if bits != found:
                reach[node] = bits
                is_stable = False
    return reach
