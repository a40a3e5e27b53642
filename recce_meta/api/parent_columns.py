"""The columns of what a query reads, as both runs of a diff know them.

Often one run has a catalog and the other has none: production builds its documentation, a pull request only
its models. What differs then is what is known, not what is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from recce_meta.api.run_facts import RunFacts
from recce_meta.graph import LineageGraph
from recce_meta.graph.columns.project import offered_columns
from recce_meta.graph.columns.project_results import Spelling
from recce_meta.models import NodeMetadata

Types = Mapping[str, str]
"""The types of a node's columns by name, in their order."""


class ParentColumns:
    """The columns of nodes, so that equal queries over equal nodes read equal columns on both sides.

    A node that neither changed nor is downstream of *changed* nodes has one list of columns: a
    catalog's, where either side has one. Of the others each side has its own list; where a catalog tells
    one and the query the other, names that differ in case alone are spelt as in the catalog.
    """

    def __init__(self, facts: tuple[RunFacts, RunFacts], graph: LineageGraph, changed: Iterable[str]) -> None:
        self._facts = facts
        self._differs = graph.downstream(changed)
        self._found: dict[str, tuple[Types | None, Types | None]] = {}

    def of(self, index: int, ids: Collection[str]) -> dict[str, Types]:
        """The columns of *ids* on one side (0: base, 1: current), as far as they are known."""
        new = [unique_id for unique_id in dict.fromkeys(ids) if unique_id not in self._found]
        if new:
            self._look_up(new)
        return {unique_id: types for unique_id in ids if (types := self._found[unique_id][index]) is not None}

    def _look_up(self, ids: Collection[str]) -> None:
        base, current = ({key: nodes[key] for key in ids if key in nodes} for nodes in self._nodes(ids))
        untold = [
            unique_id
            for unique_id in ids
            if unique_id in self._differs
            or not (_has_catalog(base.get(unique_id)) or _has_catalog(current.get(unique_id)))
        ]
        inferred = tuple(
            facts.names(asked)
            if (asked := [key for key in untold if not _has_catalog(nodes.get(key))])
            else {}
            for facts, nodes in zip(self._facts, (base, current), strict=True)
        )
        for unique_id in ids:
            both = (base.get(unique_id), current.get(unique_id))
            names = tuple(found.get(unique_id, ()) for found in inferred)
            types = tuple(
                None if node is None else _types(node, own) for node, own in zip(both, names, strict=True)
            )
            self._found[unique_id] = (
                _spelt_alike(both, (types[0], types[1]))
                if unique_id in self._differs
                else _one(both, (types[0], types[1]))
            )

    def _nodes(self, ids: Collection[str]) -> Iterable[Mapping[str, NodeMetadata]]:
        """Both sides' nodes; a parent that only one side's query has is not read with the other's."""
        for facts in self._facts:
            nodes = facts.nodes([])
            missing = [unique_id for unique_id in ids if unique_id not in nodes]
            yield facts.nodes(missing) if missing else nodes


def _types(node: NodeMetadata, inferred: tuple[str, ...]) -> Types | None:
    columns = offered_columns(node, inferred)
    return None if columns.names is None else columns.types


def _has_catalog(node: NodeMetadata | None) -> bool:
    return node is not None and node.columns_from == "catalog"


def _one(
    nodes: tuple[NodeMetadata | None, NodeMetadata | None], types: tuple[Types | None, Types | None]
) -> tuple[Types | None, Types | None]:
    """The columns of a node that is the same on both sides: a catalog's, else what either side knows."""
    told = [found for node, found in zip(nodes, types, strict=True) if _has_catalog(node)]
    known = [found for found in (*reversed(told), *reversed(types)) if found is not None]
    return (known[0], known[0]) if known else (None, None)


def _spelt_alike(
    nodes: tuple[NodeMetadata | None, NodeMetadata | None], types: tuple[Types | None, Types | None]
) -> tuple[Types | None, Types | None]:
    """The columns of a node that differs, in the words of the one side that has a catalog.

    Where the other side does not know its columns, what the catalog adds would be taken for a difference.
    """
    if None in nodes or _has_catalog(nodes[0]) == _has_catalog(nodes[1]):
        return types
    base, current = types
    if base is None or current is None:
        return None, None
    catalog, other = (base, current) if _has_catalog(nodes[0]) else (current, base)
    spelling = Spelling(catalog)
    spelt = {spelling.of(name): kind for name, kind in other.items()}
    if len(spelt) != len(other):  # two columns that differ in case alone
        return types
    return (catalog, spelt) if _has_catalog(nodes[0]) else (spelt, catalog)
