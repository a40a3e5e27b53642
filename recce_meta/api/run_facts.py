"""What a diff asks of one of its runs to tell what changes break: from a run at hand, or from the store.

Both give the same answers. Nothing is read, and nothing analysed, before it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Protocol

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.graph import LineageGraph
from recce_meta.graph.columns.project import QUERIES, analyse_project
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.models.column_lineage import NodeColumns
from recce_meta.models.tokens import RelationIndex, tokenise
from recce_meta.store import read
from recce_meta.store.columns import load_columns, references_known
from recce_meta.store.migrate import open_store


class RunFacts(Protocol):
    """One of the two runs."""

    def nodes(self, ids: Collection[str]) -> Mapping[str, NodeMetadata]:
        """*ids*, whole, with at least all that their code may read."""

    def tokenised(self, ids: Collection[str]) -> Mapping[str, str]:
        """The compiled code of *ids* with tokens for relations, where there is any."""

    def columns(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        """The column lineage of *ids*, and of what reads ephemeral models among them."""

    def names(self, ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The output columns of *ids* as their own SQL has them."""

    @property
    def has_columns(self) -> bool:
        """Whether there is any column lineage to ask for."""

    @property
    def has_references(self) -> bool:
        """Return whether its column lineage has the columns that SQL names."""

    @property
    def lacks_columns(self) -> bool:
        """Whether column lineage was asked for in vain."""


class FactsAtHand:
    """A run at hand, whose SQL is analysed as it is asked for."""

    def __init__(self, project: Project, graph: LineageGraph, changed: Collection[str]) -> None:
        self._project, self._graph, self._changed = project, graph, changed
        self._nodes = {node.unique_id: node for node in project.nodes}
        self._relations = RelationIndex(self._nodes)
        self._found: dict[str, NodeColumns] = {}
        self._analyses: dict[str, NodeColumns] = {}

    has_columns, has_references, lacks_columns = True, True, False

    def nodes(self, ids: Collection[str]) -> Mapping[str, NodeMetadata]:
        """Every node there is."""
        return self._nodes

    def tokenised(self, ids: Collection[str]) -> Mapping[str, str]:
        """As `RunFacts` says."""
        nodes = [self._nodes[unique_id] for unique_id in ids if unique_id in self._nodes]
        return {
            node.unique_id: tokenise(node.compiled_code, self._relations.relations_of(node))
            for node in nodes
            if node.compiled_code
        }

    def columns(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        """As `RunFacts` says."""
        wanted, waiting = set(ids), list(ids)
        while waiting:
            node = self._nodes.get(waiting.pop())
            if node is not None and node.materialized == "ephemeral":
                new = set(self._graph.children(node.unique_id)) - wanted
                wanted |= new
                waiting += new
        self._analyse(wanted)
        return {unique_id: self._found[unique_id] for unique_id in wanted if unique_id in self._found}

    def names(self, ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """As `RunFacts` says."""
        self._analyse(ids)
        return {unique_id: self._found[unique_id].names for unique_id in ids if unique_id in self._found}

    def _analyse(self, ids: Iterable[str]) -> None:
        wanted = [unique_id for unique_id in ids if unique_id in self._nodes and unique_id not in self._found]
        if not wanted:
            return
        part, stubs = self._part(wanted)
        known = {lineage_id: columns.names for lineage_id, columns in self._analyses.items()}
        graph = analyse_project(replace(self._project, nodes=tuple(part)), known)
        self._analyses.update(graph.analyses)
        for unique_id, lineage_id in graph.lineage_ids.items():
            if unique_id not in stubs:
                self._found[unique_id] = self._analyses[lineage_id]

    def _part(self, wanted: Iterable[str]) -> tuple[list[NodeMetadata], set[str]]:
        """The nodes that the analysis of *wanted* needs, and which of them only for their columns.

        What the catalog says of a parent that did not change spares looking further up.
        """
        part: dict[str, NodeMetadata] = {}
        waiting, stubs = list(wanted), set()
        asked = set(waiting)
        while waiting:
            unique_id = waiting.pop()
            node = self._nodes.get(unique_id)
            if node is None or unique_id in part:
                continue
            is_told = node.columns_from == "catalog" and unique_id not in self._changed
            if is_told and unique_id not in asked and node.resource_type in QUERIES:
                stubs.add(unique_id)
                part[unique_id] = replace(node, compiled_code=None, parents=())
            else:
                part[unique_id] = node
                waiting.extend(node.parents)
        return list(part.values()), stubs


class StoredFacts:
    """A run in the store, of which only what is asked for is read."""

    def __init__(
        self, adapter: UnifiedSqlAdapter, run: RunMetadata, schema: str, graph: LineageGraph
    ) -> None:
        self._adapter, self._run, self._schema, self._graph = adapter, run, schema, graph
        self._nodes: dict[str, NodeMetadata] = {}
        self._looked_for: set[str] = set()
        self._columns: dict[str, NodeColumns] = {}
        self._below: set[str] = set()
        self.has_columns = run.column_graph_id is not None
        self.lacks_columns = False

    @cached_property
    def has_references(self) -> bool:
        """As `RunFacts` says."""
        if self._run.column_graph_id is None:
            return False
        with open_store(self._adapter, self._schema) as store:
            return references_known(store, self._run.column_graph_id)

    def nodes(self, ids: Collection[str]) -> Mapping[str, NodeMetadata]:
        """As `RunFacts` says: *ids*, their parents, and what is behind ephemeral parents."""
        wanted = set(ids)
        while new := wanted - self._looked_for:
            self._looked_for |= new
            found = read.load_nodes_by_id(self._adapter, self._run, sorted(new), schema=self._schema)
            self._nodes.update((node.unique_id, node) for node in found)
            wanted |= {
                parent
                for node in found
                if node.unique_id in ids or node.materialized == "ephemeral"
                for parent in node.parents
            }
        return self._nodes

    def tokenised(self, ids: Collection[str]) -> Mapping[str, str]:
        """As `RunFacts` says."""
        found = read.load_code(self._adapter, self._run, "compiled_code", sorted(ids), schema=self._schema)
        return {unique_id: code for unique_id, code in found.items() if code}

    def columns(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        """As `RunFacts` says; all that is downstream is read at once, as a change may go anywhere there."""
        new = set(ids) - self._below
        if new:
            below = self._graph.downstream(new) - self._below
            self._below |= below
            self._columns.update(self._load(below))
        through = self._graph.downstream(ids) if new else ids
        return {unique_id: self._columns[unique_id] for unique_id in through if unique_id in self._columns}

    def names(self, ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """As `RunFacts` says."""
        return {unique_id: columns.names for unique_id, columns in self._load(ids).items()}

    def _load(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        found = load_columns(self._adapter, self._run, node_ids=sorted(ids), schema=self._schema)
        self.lacks_columns = self.lacks_columns or found is None
        return found or {}
