"""Part of a graph that an address names: steps around a node, expansions, selectors of dbt, and filters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple, Protocol

from msgspec import Struct

from recce_meta.api.runs import find_node
from recce_meta.errors import UnknownNameError, UsageError, did_you_mean, plural
from recce_meta.graph.selection import RESOURCE_TYPES
from recce_meta.models import NodeMetadata
from recce_meta.report.labels import TESTS

MOST_SHOWN = 500
"""Default of the largest number of nodes of a view."""
MOST_POSSIBLE = 10_000
MOST_STEPS = 50
"""Largest number of steps around a node."""
HUB = 30
"""A hub has more neighbours than this; tests are not counted."""
STAGES = 12
"""Number of expansions that keep the positions of the nodes before them."""
UP, DOWN = "up", "down"
HIDE = "hide"

Places = Mapping[str, Sequence[int]]
"""Positions (x, y) of an earlier view by unique id."""


class KnownGraph(Protocol):
    """Nodes and edges of a whole graph."""

    @property
    def names(self) -> Mapping[str, NodeMetadata]: ...
    @property
    def parents(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def children(self) -> Mapping[str, Sequence[str]]: ...


class WholeGraph(NamedTuple):
    """Nodes and edges of a whole graph."""

    names: Mapping[str, NodeMetadata]
    parents: Mapping[str, Sequence[str]]
    """Parents of each node, sorted."""
    children: Mapping[str, Sequence[str]]


class GraphQuery(Struct, frozen=True, kw_only=True):
    """Part of a graph that an address names."""

    node: str = ""
    """Unique id or name of the node around which the view opens."""
    up: int = 1
    """Number of steps to parents."""
    down: int = 1
    """Number of steps to children."""
    expand: tuple[str, ...] = ()
    """Further nodes with their parents or children: `ID:up` or `ID:down`, in the order of the clicks."""
    path_nodes: tuple[str, ...] = ()
    """Nodes of the path of a column; they are shown in addition, and first if the view is cut."""
    select: str = ""
    """Selectors of dbt; the nodes are shown in addition to those around `node`."""
    exclude: str = ""
    type: tuple[str, ...] = ()
    """Resource types; any of them is shown. Tests are shown only if they are one of them."""
    tag: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    """Folders, files or patterns."""
    owner: tuple[str, ...] = ()
    """Parts of the names of owners."""
    package: tuple[str, ...] = ()
    hubs: str = ""
    """`hide` leaves out nodes with more than `HUB` neighbours."""
    most: int = MOST_SHOWN
    """Largest number of nodes of the view."""

    @property
    def has_filter(self) -> bool:
        """True if nodes are hidden by a property."""
        return bool(self.type or self.tag or self.path or self.owner or self.package or self.exclude)


def graph_query(values_of: Callable[[str], Sequence[str]]) -> GraphQuery:
    """Return the query of an address; *values_of* returns all values of a parameter.

    Raises UsageError for an invalid number, and for an unknown value of `hubs`, `expand` or `type`.
    """
    several = {
        name: tuple(filter(None, values_of(name))) for name in ("type", "tag", "path", "owner", "package")
    }
    hubs = (*values_of("hubs"), "")[0]
    if hubs not in ("", HIDE):
        raise UnknownNameError("value of hubs", hubs, [HIDE])
    expand = tuple(filter(None, values_of("expand")))
    for one in expand:
        _expansion(one)
    return GraphQuery(
        node=(*values_of("node"), "")[0],
        up=_number(values_of, "up", 1, 0, MOST_STEPS),
        down=_number(values_of, "down", 1, 0, MOST_STEPS),
        expand=expand,
        select=" ".join(values_of("select")),
        exclude=" ".join(values_of("exclude")),
        **several,
        hubs=hubs,
        most=_number(values_of, "most", MOST_SHOWN, 1, MOST_POSSIBLE),
    )


def _number(values_of: Callable[[str], Sequence[str]], name: str, default: int, least: int, most: int) -> int:
    text = (*values_of(name), "")[0]
    if not text:
        return default
    # An address may hold a number of any length, which Python converts slowly.
    if not text.isdecimal() or len(text) > 6 or not least <= int(text) <= most:
        raise UsageError(
            f"'{name}' must be a number from {least:,} to {most:,}, got '{text}'",
            hint=f"write {name}={default}, or leave it out",
        )
    return int(text)


def _expansion(text: str) -> tuple[str, str]:
    """Return the node and the direction of `ID:up` or `ID:down`."""
    unique_id, _, direction = text.rpartition(":")
    if not unique_id or direction not in (UP, DOWN):
        raise UsageError(f"Invalid value of expand: '{text}'", hint="write ID:up or ID:down")
    return unique_id, direction


class ShownNodes(NamedTuple):
    """Nodes of a view."""

    ids: tuple[str, ...]
    """The most important first."""
    focus: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    """Nodes that a filter or the cap hides: paths through them are drawn."""
    hubs: tuple[str, ...] = ()
    is_cut: bool = False
    notes: tuple[str, ...] = ()


class GraphPart:
    """Choice of the nodes of a view."""

    def __init__(
        self,
        graph: KnownGraph,
        query: GraphQuery,
        *,
        selected: Callable[[str, str], Collection[str]],
        owners: Callable[[Collection[str]], Mapping[str, str]],
    ) -> None:
        """Choose nodes of *graph*.

        *selected* returns the nodes that selectors name and exclude, and *owners* the owners of nodes.
        Raises UsageError for a wrong query.
        """
        self.graph, self.query = graph, query
        self._selected, self._owners = selected, owners
        self._types = _known_types(query.type, graph.names)
        self.focus = find_node(query.node, graph.names) if query.node else ""
        self._expansions = [self._known(one) for one in query.expand]
        self.has_tests = not TESTS.isdisjoint(query.type)

    def is_listed(self, unique_id: str) -> bool:
        """Return False for a test, unless tests are asked for."""
        return self.has_tests or unique_id == self.focus or kind_of(unique_id, self.graph.names) not in TESTS

    def listed(self) -> list[str]:
        """Return all nodes that a view may show, sorted."""
        graph = self.graph
        found = graph.names.keys() | graph.parents.keys() | graph.children.keys()
        return sorted(filter(self.is_listed, found))

    def total(self) -> int:
        """Return the number of nodes that a view may show."""
        graph = self.graph
        unknown = (graph.parents.keys() | graph.children.keys()) - graph.names.keys()
        if self.has_tests:
            return len(graph.names) + len(unknown)
        known = sum(node.resource_type not in TESTS for node in graph.names.values())
        is_extra = bool(self.focus) and kind_of(self.focus, graph.names) in TESTS
        return known + sum(map(self.is_listed, unknown)) + is_extra

    def neighbours(self, unique_id: str) -> tuple[list[str], list[str]]:
        """Return the parents and the children of a node that a view may show."""
        graph = self.graph
        return (
            [one for one in graph.parents.get(unique_id, ()) if self.is_listed(one)],
            [one for one in graph.children.get(unique_id, ()) if self.is_listed(one)],
        )

    def unshown(self, unique_id: str, shown: Collection[str]) -> tuple[int, int]:
        """Return the numbers of parents and children of a node that an expansion would add to *shown*."""
        above, below = (
            sum(one not in shown and self.is_listed(one) for one in near.get(unique_id, ()))
            for near in (self.graph.parents, self.graph.children)
        )
        return above, below

    def shown(self, opened: Sequence[str], *, expansions: int | None = None) -> ShownNodes:
        """Return the nodes of the view: *opened*, those that the query adds, without those that it hides.

        With *expansions*, only as many expansions of the query are made.
        """
        query = self.query
        base = self._base(opened, expansions)
        whole = base if not (query.select or opened) else None
        kept = self._filtered(list(base))
        notes = []
        if len(kept) < len(base):
            notes.append(f"The filter hides {plural(len(base) - len(kept), 'node')}.")
        hubs: list[str] = []
        if query.hubs == HIDE:
            # The node in focus is shown even if it is a hub.
            hubs = [one for one in kept if one != self.focus and sum(map(len, self.neighbours(one))) > HUB]
            kept = [one for one in kept if one not in set(hubs)]
            if hubs:
                notes.append(
                    f"{plural(len(hubs), 'node')} with more than {HUB} neighbours and the paths through them"
                    " are hidden."
                )
        is_cut = len(kept) > query.most
        if is_cut:
            notes.append(
                f"The view shows {query.most:,} of {len(kept):,} nodes: the nearest or most connected."
            )
            kept = kept[: query.most]
        if not kept:
            notes.append("No node matches the selection and the filter.")
        # Around a node, the rest of the graph is absent and not hidden: no path leads through it.
        hidden = (set(self.listed()) if whole is None else set(whole)).difference(kept, hubs)
        return ShownNodes(
            ids=tuple(kept),
            focus=(self.focus,) if self.focus else (),
            hidden=frozenset(hidden),
            hubs=tuple(hubs),
            is_cut=is_cut,
            notes=tuple(notes),
        )

    def stages(self) -> range:
        """Return the numbers of expansions after which a view was laid out before the present one."""
        # Each stage is a layout of its own, so that a long address must not cost without limit.
        return range(max(0, len(self._expansions) - STAGES), len(self._expansions))

    def by_degree(self) -> list[str]:
        """Return all nodes that a view may show, the most connected first."""
        graph, listed = self.graph, set(self.listed())

        def degree(unique_id: str) -> int:
            near = (*graph.parents.get(unique_id, ()), *graph.children.get(unique_id, ()))
            return sum(one in listed for one in near)

        return sorted(listed, key=lambda one: (-degree(one), one))

    def _known(self, text: str) -> tuple[str, str]:
        unique_id, direction = _expansion(text)
        graph = self.graph
        if (
            unique_id not in graph.names
            and unique_id not in graph.children
            and unique_id not in graph.parents
        ):
            raise UsageError(
                f"Node '{unique_id}' of expand not found", hint=did_you_mean(unique_id, sorted(graph.names))
            )
        return unique_id, direction

    def _base(self, opened: Sequence[str], expansions: int | None) -> dict[str, int]:
        """Return the nodes before any filter with their distances, the nearest first."""
        query, graph = self.query, self.graph
        found: dict[str, int] = {}
        if self.focus:
            found = _around(self.focus, graph.parents, query.up, self.is_listed)
            for one, distance in _around(self.focus, graph.children, query.down, self.is_listed).items():
                found[one] = min(distance, found.get(one, distance))
        known = (one for one in query.path_nodes if one in graph.names and self.is_listed(one))
        found |= {one: 0 for one in (*known, *opened) if one not in found}
        if query.select:
            chosen = self._selected(query.select, "")
            found |= {one: 0 for one in sorted(chosen) if one not in found and self.is_listed(one)}
        for unique_id, direction in self._expansions[:expansions]:
            near = self.neighbours(unique_id)[direction == DOWN]
            # The address may name fewer steps than at the time of the click.
            distance = found.setdefault(unique_id, 0) + 1
            found |= {one: distance for one in near if one not in found}
        # The caller's order is that of importance.
        if opened or query.select or query.path_nodes:
            return found
        return dict(sorted(found.items(), key=lambda one: (one[1], one[0])))

    def _filtered(self, ids: Sequence[str]) -> list[str]:
        query, names = self.query, self.graph.names
        kept = list(ids)
        if query.exclude:
            excluded = self._selected(query.exclude, "")
            kept = [one for one in kept if one not in excluded or one == self.focus]
        if self._types:
            kept = [one for one in kept if kind_of(one, names) in self._types or one == self.focus]
        if query.tag:
            kept = [one for one in kept if one == self.focus or _has_tag(names.get(one), query.tag)]
        if query.package:
            kept = [one for one in kept if one == self.focus or _is_of(names.get(one), query.package)]
        if query.path:
            kept = [one for one in kept if one == self.focus or _is_in(names.get(one), query.path)]
        if query.owner:
            wanted = [one.casefold() for one in query.owner]
            # Owners are read from the store, so that this filter is the last, for the fewest nodes.
            owners = self._owners(kept)
            kept = [
                one
                for one in kept
                if one == self.focus or any(part in owners.get(one, "").casefold() for part in wanted)
            ]
        return kept


def kind_of(unique_id: str, names: Mapping[str, NodeMetadata]) -> str:
    """Return the resource type of a node; of an unknown one, the first part of its id."""
    node = names.get(unique_id)
    return unique_id.split(".")[0] if node is None else node.resource_type


def _known_types(asked: Sequence[str], names: Mapping[str, NodeMetadata]) -> frozenset[str]:
    # Types of scans, such as `table`, are known from the nodes alone.
    known = {*RESOURCE_TYPES, *(node.resource_type for node in names.values())} if asked else set()
    for one in asked:
        if one not in known:
            raise UnknownNameError("resource type", one, sorted(known))
    return frozenset(asked)


def _has_tag(node: NodeMetadata | None, tags: Sequence[str]) -> bool:
    return node is not None and any(fnmatchcase(one, tag) for one in node.tags for tag in tags)


def _is_of(node: NodeMetadata | None, packages: Sequence[str]) -> bool:
    return node is not None and any(fnmatchcase(node.package_name, one) for one in packages)


def _is_in(node: NodeMetadata | None, paths: Sequence[str]) -> bool:
    """Return True if the file of *node* is one of *paths*, in one of them, or matches one."""
    if node is None or not node.path:
        return False
    return any(
        node.path == path or node.path.startswith(f"{path.rstrip('/')}/") or fnmatchcase(node.path, path)
        for path in paths
    )


def _around(
    start: str, neighbours: Mapping[str, Sequence[str]], steps: int, is_listed: Callable[[str], bool]
) -> dict[str, int]:
    """Return the nodes within *steps* of *start* with their distances."""
    found = {start: 0}
    front: Iterable[str] = [start]
    for distance in range(1, steps + 1):
        near = dict.fromkeys(two for one in front for two in neighbours.get(one, ()))
        front = [one for one in near if one not in found and is_listed(one)]
        found |= dict.fromkeys(front, distance)
    return found
