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
    """Paths of one run between *shown* nodes through *hidden* nodes."""

    def __init__(self, hidden: Collection[str], shown: Sequence[str], children: Children) -> None:
        self._shown = shown
        self._bit = {one: 1 << number for number, one in enumerate(shown)}
        self._direct = [_bits(children.get(one, ()), self._bit) for one in shown]
        reach = _reach(hidden, shown, children, self._bit)
        self._through = dict.fromkeys(shown, 0)
        for one in shown:
            for child in children.get(one, ()):
                self._through[one] |= reach.get(child, 0)

    def has(self, parent: str, child: str) -> bool:
        """Return True if a path leads from *parent* to *child* through hidden nodes alone."""
        return bool(self._through[parent] & self._bit[child])

    def needed(self) -> list[Pair]:
        """Return the ends of the paths that no edges between shown nodes, and no other paths, imply."""
        # A direct edge already shows the path. A path back to its start has no second node.
        through = [
            self._through[one] & ~(self._direct[number] | self._bit[one])
            for number, one in enumerate(self._shown)
        ]
        if not any(through):
            return []
        following = [one | other for one, other in zip(self._direct, through, strict=True)]
        closed = _closure(following)
        return [
            (self._shown[number], self._shown[target])
            for number, targets in enumerate(through)
            for target in _numbers(targets)
            if not _is_implied(number, target, following[number], closed)
        ]


def _is_implied(start: int, target: int, following: int, closed: Sequence[int]) -> bool:
    """Return True if another node after *start* leads to *target*; nodes of one cycle imply nothing."""
    own = 1 << target
    return any(
        closed[one] & own and not closed[target] >> one & 1 and not closed[one] >> start & 1
        for one in _numbers(following & ~own)
    )


def _bits(ids: Sequence[str], bit: Mapping[str, int]) -> int:
    found = 0
    for one in ids:
        found |= bit.get(one, 0)
    return found


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        # Only bits that are set cost time, in numbers of thousands of bits.
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _reach(
    hidden: Collection[str],
    shown: Sequence[str],
    children: Mapping[str, Sequence[str]],
    bit: Mapping[str, int],
) -> dict[str, int]:
    """Return the shown nodes that each hidden node leads to, through hidden nodes alone."""
    order: list[str] = []
    seen: set[str] = set()
    for start in (child for one in shown for child in children.get(one, ())):
        if start not in hidden or start in seen:
            continue
        seen.add(start)
        path = [(start, iter(children.get(start, ())))]
        while path:
            node, waiting = path[-1]
            for child in waiting:
                if child in hidden and child not in seen:
                    seen.add(child)
                    path.append((child, iter(children.get(child, ()))))
                    break
            else:
                order.append(node)
                path.pop()
    reach: dict[str, int] = {}
    is_stable = False
    while not is_stable:  # a second round, and further ones for cycles
        is_stable = True
        for node in order:
            found = reach.get(node, 0)
            bits = found
            for child in children.get(node, ()):
                bits |= reach.get(child, 0) | bit.get(child, 0)
            if bits != found or node not in reach:
                reach[node] = bits
                is_stable = False
    return reach


def _closure(following: Sequence[int]) -> list[int]:
    """Return the numbers that each number leads to over one or more steps."""
    closed = list(following)
    # With the ends of paths first, one round is enough unless there are cycles.
    order = _postorder(following)
    is_stable = False
    while not is_stable:
        is_stable = True
        for number in order:
            bits = following[number]
            for one in _numbers(following[number]):
                bits |= closed[one]
            if bits != closed[number]:
                closed[number] = bits
                is_stable = False
    return closed


def _postorder(following: Sequence[int]) -> list[int]:
    order: list[int] = []
    seen: set[int] = set()
    for start in range(len(following)):
        if start in seen:
            continue
        seen.add(start)
        path = [(start, _numbers(following[start]))]
        while path:
            node, waiting = path[-1]
            for child in waiting:
                if child not in seen:
                    seen.add(child)
                    path.append((child, _numbers(following[child])))
                    break
            else:
                order.append(node)
                path.pop()
    return order
