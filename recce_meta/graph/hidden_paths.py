"""Paths through the nodes that a view hides, as edges between the nodes that it shows.

Sets of shown nodes are bits of one number each, so that thousands of hidden nodes take milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

Pair = tuple[str, str]


def drawn_edges(
    shown: Sequence[str], children: Mapping[str, Sequence[str]], hidden: Collection[str]
) -> dict[Pair, bool]:
    """Return the edges of a drawing of *shown*, by parent and child: True for a path through *hidden* nodes.

    >>> drawn_edges(["a", "c", "d"], {"a": ["b"], "b": ["c"], "c": ["d"]}, {"b"})
    {('c', 'd'): False, ('a', 'c'): True}
    """
    ids = frozenset(shown)
    found = {(one, child): False for one in shown for child in children.get(one, ()) if child in ids}
    return {**found, **dict.fromkeys(paths_through(hidden, shown, children) if hidden else (), True)}


def paths_through(
    hidden: Collection[str], shown: Sequence[str], children: Mapping[str, Sequence[str]]
) -> list[Pair]:
    """Return an edge for each path between two *shown* nodes through *hidden* ones, sorted.

    An edge is left out if further edges show that there is a path.

    >>> paths_through({"b"}, ["a", "c"], {"a": ["b"], "b": ["c"]})
    [('a', 'c')]
    """
    bit = {one: 1 << number for number, one in enumerate(shown)}
    direct = [_bits(children.get(one, ()), bit) for one in shown]
    reach = _reach(hidden, shown, children, bit)
    through = [0] * len(shown)
    for number, one in enumerate(shown):
        for child in children.get(one, ()):
            through[number] |= reach.get(child, 0)
        # A direct edge already shows the path. A path back to its start has no second node.
        through[number] &= ~(direct[number] | bit[one])
    if not any(through):
        return []
    following = [one | other for one, other in zip(direct, through, strict=True)]
    closed = _closure(following)
    found = []
    for number, targets in enumerate(through):
        for target in _numbers(targets):
            if not _is_implied(number, target, following[number], closed):
                found.append((shown[number], shown[target]))
    return sorted(found)


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
