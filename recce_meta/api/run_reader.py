"""Reader of one run, stored or in memory, that fetches or computes each part on first use.

The run selector `path:DIR` names dbt artifacts on disk, which are read into memory.

Both readers return the same data. Diffs and impact analyses use few of thousands of nodes, so
`StoredRunReader` fetches only these, unless the complete run is already loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api import partial_run
from recce_meta.diff.project_side import ProjectSide
from recce_meta.errors import ArtifactError
from recce_meta.graph import LineageGraph, build_lineage_graph, is_ephemeral
from recce_meta.lazy import LazyModule
from recce_meta.models import (
    EdgeOrigin,
    LineageEdge,
    MacroMetadata,
    NodeMetadata,
    NodeResult,
    Project,
    RunMetadata,
)
from recce_meta.models.lineage import ColumnEdge, NodeColumns
from recce_meta.models.marks.annotation import Annotation, annotations_of
from recce_meta.models.node import NodeOutline, outline_of
from recce_meta.models.node_types import WITH_QUERY
from recce_meta.models.relation_tokens import RelationIndex, tokenise
from recce_meta.models.run import DBT, is_build
from recce_meta.provisional import note_provisional
from recce_meta.sql_lineage.impact import columns_read
from recce_meta.sql_lineage.project.columns import analyse_project
from recce_meta.sql_lineage.project.names import RelationFinder, dialect_of
from recce_meta.sql_lineage.project.semantics import DEFINITIONS, is_semantic, reads_by_name
from recce_meta.store import columns, read
from recce_meta.store.graphs import node_outlines
from recce_meta.store.marks.annotations import find_annotations
from recce_meta.store.select import RunSelector, load_run, resolve_complete_run
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.warehouses.hooks import hook_writers

if TYPE_CHECKING:
    from recce_meta.extractors import git, project
else:
    # Most commands read stored runs and need no artifacts.
    git = LazyModule("recce_meta.extractors.git")
    project = LazyModule("recce_meta.extractors.project")

PREFIX = "path:"
FEW_NODES = 200
"""Most nodes of a run of which all are read at once: a statement takes longer than their rows."""
AHEAD = 20
"""Most nodes upstream of each node of a diff that are read with it, in addition to `FEW_NODES`."""


def folder_of(selector: RunSelector | None) -> Path | None:
    """Return the folder that *selector* names; None if it names a stored run, or is not given."""
    is_folder = isinstance(selector, str) and selector.startswith(PREFIX)
    return Path(str(selector)[len(PREFIX) :]) if is_folder else None


def read_run(folder: Path, *, hash_seed_files: bool) -> Project:
    """Read the run from the artifacts in *folder*, which is also the name of its environment."""
    if not folder.exists():
        raise ArtifactError(f"Folder not found: {folder}", hint="pass dbt's target folder as path:DIR")
    # The artifacts may have been built from another checkout than the one around them.
    no_git = git.GitState()
    return project.extract_project(
        folder, environment=str(folder), git=no_git, hash_seed_files=hash_seed_files
    )


Origins: TypeAlias = Mapping[str, Mapping[str, EdgeOrigin | None]]
"""Parents of each node, with the origins of the edges."""


class RunReader(ABC):
    """One run, stored or in memory."""

    run: RunMetadata
    has_columns: bool
    """Whether the run has column lineage."""
    lacks_columns: bool
    """Whether column lineage was requested but missing."""
    store_schema: str = DEFAULT_SCHEMA
    """Schema of the store, which a scan without named schemas leaves out."""

    @property
    @abstractmethod
    def project(self) -> Project:
        """Return the complete run."""

    @property
    @abstractmethod
    def names(self) -> Mapping[str, NodeMetadata]:
        """Return every node by unique id, with at least the fields of `load_narrow_nodes`."""

    @property
    @abstractmethod
    def edges(self) -> Sequence[LineageEdge]:
        """Return every edge between nodes."""

    @property
    @abstractmethod
    def origins(self) -> Origins:
        """Return the parents of each node with the origin of each edge."""

    @property
    @abstractmethod
    def results(self) -> Sequence[NodeResult]:
        """Return dbt's results."""

    @property
    @abstractmethod
    def macros(self) -> Mapping[str, MacroMetadata]:
        """Return every macro by unique id."""

    @property
    @abstractmethod
    def has_references(self) -> bool:
        """Return True if column lineage includes columns that SQL only refers to."""

    @abstractmethod
    def nodes(self, ids: Iterable[str]) -> Mapping[str, NodeMetadata]:
        """Return the nodes *ids* that the run has, with all fields."""

    def described(self, ids: Iterable[str]) -> Mapping[str, NodeMetadata]:
        """Return the nodes *ids*; compiled code may be in its stored form, and parents may be missing."""
        return self.nodes(ids)

    def outlines(self, ids: Iterable[str]) -> Mapping[str, NodeOutline]:
        """Return what a drawing needs of the nodes *ids* that the run has, in addition to `names`."""
        return {one: outline_of(node) for one, node in self.nodes(ids).items()}

    @abstractmethod
    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """Return the tests that read one of the nodes *ids*."""

    @abstractmethod
    def with_parents(self, ids: Collection[str]) -> Mapping[str, NodeMetadata]:
        """Return the nodes *ids* with all fields, and at least all nodes that their code may read."""

    @abstractmethod
    def tokenised(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return the compiled code of *ids*, with tokens for relations, of nodes that have code."""

    def kept_sql(self, ids: Collection[str]) -> Mapping[str, partial_run.KeptSql]:
        """Return the SQL from other runs of the nodes of *ids* that dbt did not compile in this run.

        Artifacts on disk have none.
        """
        return {}

    @abstractmethod
    def columns(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        """Return the column lineage of *ids*, and of nodes that read ephemeral models among them."""

    @abstractmethod
    def columns_of(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        """Return the column lineage of exactly the nodes *ids*; nodes that were not analysed are left out."""

    def results_of(self, ids: Collection[str]) -> Mapping[str, NodeResult]:
        """Return dbt's results of the nodes *ids* by unique id."""
        wanted = frozenset(ids)
        return {result.unique_id: result for result in self.results if result.unique_id in wanted}

    def output_names(self, ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the output columns of *ids* according to their SQL."""
        return {unique_id: found.names for unique_id, found in self.columns_of(ids).items()}

    def gaps(self, ids: Collection[str]) -> Mapping[str, str | None]:
        """Return the analysed nodes of *ids*, each with the reason if it has no columns."""
        return {unique_id: found.reason for unique_id, found in self.columns_of(ids).items()}

    @abstractmethod
    def column_readers(self, ids: Collection[str]) -> Iterable[tuple[str, str]]:
        """Return nodes with one of *ids* that their code reads, at least if dbt does not know of it."""

    @abstractmethod
    def column_children(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        """Return every edge from a column of *ids* to a node that reads it."""

    def column_parents(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        """Return every edge to a column of *ids* from a column that it reads."""
        return list(_column_edges(self.columns_of(ids)))

    def annotations(self, ids: Collection[str]) -> tuple[Annotation, ...]:
        """Return the notes, tags and owners of the nodes *ids*, of their columns, and of edges to them.

        Artifacts on disk have none.
        """
        return ()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Read names, edges and columns in one session of the store within the block."""
        yield

    def for_diff(self, project: Project, graph: LineageGraph, changed: Collection[str]) -> RunReader:
        """Return a reader for a diff with *graph* and the nodes *changed*; *project* is the compared part."""
        return MemoryRunReader(project, graph, changed)

    @cached_property
    def stale(self) -> Mapping[str, str]:
        """Return the reason for each stale node by unique id."""
        own = partial_run.failure_reasons(self.results)
        names, edges, built = self.names, self.edges, {result.unique_id for result in self.results}
        known = is_build(self.run) and self.run.extractor == DBT
        parents = partial_run.parents_of(names, edges)
        earlier = partial_run.not_in_builds(names, parents, built, lambda _: None) if known else {}
        labels = {unique_id: node.label for unique_id, node in names.items()}
        return {**earlier, **partial_run.stale_reasons(own, self.results, edges, labels)}


class MemoryRunReader(RunReader):
    """Run in memory; its SQL is analysed on demand."""

    has_columns, lacks_columns, has_references = True, False, True

    def __init__(
        self, project: Project, graph: LineageGraph | None = None, changed: Collection[str] | None = None
    ) -> None:
        """Create a reader; *graph* is by default that of *project*.

        If *changed* is given, unchanged nodes with a catalog are not analysed for their children.
        """
        self._project, self._changed = project, changed
        self.run = project.run
        if graph is not None:
            self._graph = graph
        self._asked: set[str] = set()
        self._found: dict[str, NodeColumns] = {}
        self._analyses: dict[str, NodeColumns] = {}

    @property
    def project(self) -> Project:
        return self._project

    @cached_property
    def names(self) -> Mapping[str, NodeMetadata]:
        return {node.unique_id: node for node in self._project.nodes}

    @cached_property
    def edges(self) -> Sequence[LineageEdge]:
        return self._project.edges

    @property
    def origins(self) -> Origins:
        return {
            node.unique_id: {parent: node.edge_origins.get(parent) for parent in node.parents}
            for node in self._project.nodes
        }

    @property
    def results(self) -> Sequence[NodeResult]:
        return self._project.results

    @property
    def macros(self) -> Mapping[str, MacroMetadata]:
        return {macro.unique_id: macro for macro in self._project.macros}

    def nodes(self, ids: Iterable[str]) -> Mapping[str, NodeMetadata]:
        return {unique_id: self.names[unique_id] for unique_id in ids if unique_id in self.names}

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        found = {test.unique_id: test for unique_id in ids for test in self._tests.get(unique_id, ())}
        return list(found.values())

    def with_parents(self, ids: Collection[str]) -> Mapping[str, NodeMetadata]:
        return self.names

    def tokenised(self, ids: Collection[str]) -> Mapping[str, str]:
        return {
            node.unique_id: tokenise(node.compiled_code, self._relations.relations_of(node))
            for node in self.nodes(ids).values()
            if node.compiled_code
        }

    def columns(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        is_inlined = partial(is_ephemeral, nodes=self.names)
        wanted = {*ids, *self._graph.downstream(filter(is_inlined, ids), through=is_inlined)}
        return self.columns_of(wanted)

    def column_readers(self, ids: Collection[str]) -> Iterable[tuple[str, str]]:
        return {(child, one) for one in ids for child in self._direct.get(one, ())}

    def column_children(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        parents = frozenset(ids)
        children = {child for one in parents for child in self._graph.children(one)}
        children.update(*(self._direct.get(one, ()) for one in parents))
        # dbt's graph lacks the semantic models that filters and groups join.
        if any(map(is_semantic, self.nodes({*parents, *children}).values())):
            children.update(node.unique_id for node in self._layer if node.resource_type in DEFINITIONS)
        return [one for one in _column_edges(self.columns({*parents, *children})) if one.parent_id in parents]

    @cached_property
    def _writers(self) -> Mapping[str, frozenset[str]]:
        return hook_writers(self._project.nodes, self._project.macros)

    @cached_property
    def _direct(self) -> Mapping[str, Sequence[str]]:
        return self._finder.direct_readers(self._writers)

    @cached_property
    def _finder(self) -> RelationFinder:
        return RelationFinder(self._project.nodes, dialect_of(self.run.adapter_type) or "")

    @cached_property
    def _graph(self) -> LineageGraph:
        return build_lineage_graph(self._project.nodes)

    @cached_property
    def _layer(self) -> Sequence[NodeMetadata]:
        """Return the nodes that the columns of each metric and saved query may depend on."""
        return [node for node in self._project.nodes if is_semantic(node)]

    @cached_property
    def _relations(self) -> RelationIndex:
        return RelationIndex(self.names)

    @cached_property
    def _tests(self) -> Mapping[str, list[NodeMetadata]]:
        """Return the tests of each node by its unique id."""
        found: dict[str, list[NodeMetadata]] = {}
        for node in self._project.nodes:
            if node.resource_type == "test":
                for parent in node.parents:
                    found.setdefault(parent, []).append(node)
        return found

    def columns_of(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        wanted, seen = dict.fromkeys(ids), (self._asked, self._found)
        missing = [one for one in wanted if one in self.names and not any(one in each for each in seen)]
        if missing:
            # A node without a result is not analysed again either.
            self._asked.update(missing)
            part, stubs = self._part(missing)
            known = {lineage_id: found.names for lineage_id, found in self._analyses.items()}
            graph = analyse_project(replace(self._project, nodes=tuple(part)), known, writers=self._writers)
            self._analyses.update(graph.analyses)
            for unique_id, lineage_id in graph.lineage_ids.items():
                if unique_id not in stubs:
                    self._found[unique_id] = self._analyses[lineage_id]
        return {unique_id: self._found[unique_id] for unique_id in wanted if unique_id in self._found}

    def _part(self, wanted: Iterable[str]) -> tuple[list[NodeMetadata], set[str]]:
        """Return the nodes that the analysis of *wanted* needs, and those needed only for their columns.

        If the catalog has the columns of an unchanged parent, its own parents are not needed.
        """
        part: dict[str, NodeMetadata] = {}
        waiting, stubs = list(wanted), set()
        asked = set(waiting)
        while waiting:
            unique_id = waiting.pop()
            node = self.names.get(unique_id)
            if node is None or unique_id in part:
                continue
            if (
                self._changed is not None
                and unique_id not in self._changed
                and unique_id not in asked
                and node.columns_from == "catalog"
                and node.resource_type in WITH_QUERY
            ):
                stubs.add(unique_id)
                # The catalog has its columns, so its own query need not be parsed.
                part[unique_id] = replace(node, compiled_code=None, parents=())
            else:
                part[unique_id] = node
                waiting += [*(() if reads_by_name(node) else node.parents), *self._finder.direct_reads(node)]
        if any(node.resource_type in DEFINITIONS for node in part.values()):
            for node in self._layer:
                if node.unique_id not in part:
                    stubs.add(node.unique_id)
                    part[node.unique_id] = replace(node, compiled_code=None, parents=())
        return list(part.values()), stubs


def _column_edges(found: Mapping[str, NodeColumns]) -> Iterator[ColumnEdge]:
    for unique_id, node_columns in found.items():
        yield from columns_read(unique_id, node_columns)


class StoredRunReader(RunReader):
    """Run in the store; each part is read when it is needed."""

    def __init__(
        self, adapter: UnifiedSqlAdapter, run: RunMetadata, graph: LineageGraph | None = None
    ) -> None:
        """Create a reader; *graph*, by default that of the run, has the nodes downstream of a change."""
        self.adapter, self.run, self._given = adapter, run, graph
        self.store_schema = adapter.schema
        self.has_columns, self.lacks_columns = run.column_graph_id is not None, False
        self._is_small = run.node_count <= FEW_NODES
        self._has_few_columns = self._is_small and self.has_columns
        self._session: StoreSession | None = None
        self._complete: MemoryRunReader | None = None
        self._nodes: dict[str, NodeMetadata] = {}
        """Nodes that were read, with SQL of other runs."""
        self._read_nodes: dict[str, NodeMetadata] = {}
        """The same nodes as they are stored."""
        self._codes: dict[str, str | None] = {}
        self._few_edges: Sequence[tuple[Any, ...]] | None = None
        """Edges of a small run, if they were read."""
        self._asked: set[str] = set()
        self._kept: dict[str, partial_run.KeptSql] = {}
        self._searched: set[str] = set()
        self._loaded_columns: dict[str, NodeColumns | None] = {}
        """Column lineage that was read; None for a node without any."""
        self._columns_read: set[str] = set()
        """Nodes whose column lineage was read with that of all downstream nodes."""

    @property
    def project(self) -> Project:
        return self._in_memory.project

    @cached_property
    def names(self) -> Mapping[str, NodeMetadata]:
        if self._complete:
            return self._complete.names
        with self._open() as store:
            return {node.unique_id: node for node in read.narrow_nodes(store, self.run)}

    @cached_property
    def edges(self) -> Sequence[LineageEdge]:
        if self._complete:
            return self._complete.edges
        return read.edges_in(self._edge_rows())

    @property
    def origins(self) -> Origins:
        return read.parents_in(self.run, self._edge_rows())

    def _edge_rows(self) -> Sequence[tuple[Any, ...]]:
        if self._few_edges is not None:
            return self._few_edges
        with self._open() as store:
            rows = store.query("edges", graph_id=self.run.graph_id)
        # The rows of a large graph take more memory than its edges.
        if self._is_small:
            self._few_edges = rows
        return rows

    @cached_property
    def results(self) -> Sequence[NodeResult]:
        if self._complete:
            return self._complete.results
        return read.load_results(self.adapter, self.run)

    @cached_property
    def has_references(self) -> bool:
        if self.run.column_graph_id is None:
            return False
        with self._open() as store:
            return columns.has_stored_references(store, self.run.column_graph_id)

    @cached_property
    def stale(self) -> Mapping[str, str]:
        """Return the reason for each stale node by unique id; other runs tell when a node was last built."""
        own = partial_run.failure_reasons(self.results)
        names, edges = self.names, self.edges
        with self._open() as store:
            earlier = partial_run.not_built_since(store, self.run, names, edges)
        labels = {unique_id: node.label for unique_id, node in names.items()}
        return {**earlier, **partial_run.stale_reasons(own, self.results, edges, labels)}

    @cached_property
    def macros(self) -> Mapping[str, MacroMetadata]:
        with self._open() as store:
            return read.macros_by_id(store, self.run)[0]

    def nodes(self, ids: Iterable[str]) -> Mapping[str, NodeMetadata]:
        if self._complete:
            return self._complete.nodes(ids)
        if not (wanted := list(ids)):
            return {}
        if self._is_small and self.names.keys() >= {*wanted}:
            self._read_with_parents(wanted)
            return {one: self._read_nodes[one] for one in wanted}
        with self._open() as store:
            return {node.unique_id: node for node in read.nodes_by_id(store, self.run, wanted)}

    def described(self, ids: Iterable[str]) -> Mapping[str, NodeMetadata]:
        with self._open() as store:
            found = read.described_nodes(store, self.run, ids, edges=())
        return {node.unique_id: node for node in found}

    def outlines(self, ids: Iterable[str]) -> Mapping[str, NodeOutline]:
        with self._open() as store:
            return node_outlines(store, self.run, ids)

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        if self._complete:
            return self._complete.tests_of(ids)
        return read.load_tests_of(self.adapter, self.run, ids)

    def with_parents(self, ids: Collection[str]) -> Mapping[str, NodeMetadata]:
        """Return *ids*, their parents, and the nodes that ephemeral parents read."""
        self._read_with_parents(ids)
        kept = self.kept_sql(ids)
        found = partial_run.filled(self._lacking(ids), kept, self._nodes)
        self._nodes.update((node.unique_id, node) for node in found)
        return self._nodes

    def _read_with_parents(self, ids: Collection[str]) -> None:
        wanted = set(ids)
        # A graph that was given saves a statement for the parents; that of this run would cost one.
        if (graph := self._given) is not None:
            wanted.update(parent for one in ids for parent in graph.parents(one))
        while wanted:
            if new := wanted - self._asked:
                new = self._with_next(new) - self._asked
                self._asked |= new
                found = self._load_nodes(new)
                self._nodes.update((node.unique_id, node) for node in found)
                self._read_nodes.update((node.unique_id, node) for node in found)
            above = (self._nodes[key] for key in wanted if key in self._nodes)
            # A node that was read as a parent lacks its own parents.
            wanted = {
                parent
                for node in above
                if node.unique_id in ids or node.is_ephemeral
                for parent in node.parents
                if parent not in self._asked
            }

    def _load_nodes(self, ids: Collection[str]) -> Sequence[NodeMetadata]:
        if not self._is_small:
            return read.load_nodes_by_id(self.adapter, self.run, sorted(ids))
        if not (wanted := self.names.keys() & ids):
            return ()
        edges = [edge for edge in self._edge_rows() if edge[0] in wanted]
        with self._open() as store:
            found = read.described_nodes(store, self.run, sorted(wanted), edges=edges)
        self._codes |= {node.unique_id: node.compiled_code for node in found}
        relations = {one: node.relation_name for one, node in self.names.items() if node.relation_name}
        return [read.with_relations(node, relations) for node in found]

    def _with_all(self, ids: set[str]) -> set[str]:
        """Return *ids*, with all nodes of a small run, of which most would be read one after the other."""
        return ids.union(self.names) if self._is_small else ids

    def _with_next(self, ids: set[str]) -> set[str]:
        """Return the same and, in a diff of a large run, nodes upstream: columns follow from them."""
        if self._is_small or self._given is None:
            return self._with_all(ids)
        return self._given.nearest_upstream(ids, FEW_NODES + AHEAD * len(ids))

    def _lacking(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """Return the nodes of *ids* that were read and that dbt did not compile in this run."""
        nodes = (self._nodes[key] for key in ids if key in self._nodes)
        return [node for node in nodes if partial_run.lacks_sql(node)]

    def kept_sql(self, ids: Collection[str]) -> Mapping[str, partial_run.KeptSql]:
        """Return the SQL of the nodes *ids* that dbt did not compile in this run, from other runs."""
        # Others, such as exposures, are not even read.
        if new := {one for one in ids if one.split(".", 1)[0] in partial_run.WITH_SQL} - self._searched:
            self._searched |= new
            self._read_with_parents(new)
            if missing := self._lacking(new):
                # Another run may be stored later.
                note_provisional()
                # The macros open a session of their own.
                side = ProjectSide(self._nodes, self.macros, self.run)
                with self._open() as store:
                    self._kept.update(partial_run.kept_sql(store, side, missing))
        return {key: self._kept[key] for key in ids if key in self._kept}

    def tokenised(self, ids: Collection[str]) -> Mapping[str, str]:
        if new := self._with_all({*ids}) - self._codes.keys() if ids else ():
            self._codes |= dict.fromkeys(new)
            self._codes |= read.load_code(self.adapter, self.run, "compiled_code", sorted(new))
        found = {one: self._codes[one] for one in sorted(ids)}
        without = [unique_id for unique_id, code in found.items() if not code]
        kept = self.kept_sql(without) if without else {}
        return {
            **{unique_id: code for unique_id, code in found.items() if code},
            **{unique_id: sql.code for unique_id, sql in kept.items()},
        }

    def columns(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        """Return column lineage; all downstream nodes are read together, since a change may affect any."""
        if set(ids) <= self._columns_read:
            return self._load_columns(ids)
        below = self._graph.downstream(ids)
        self._columns_read |= below
        return self._load_columns(below)

    def columns_of(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        return self._load_columns(ids)

    def results_of(self, ids: Collection[str]) -> Mapping[str, NodeResult]:
        with self._open() as store:
            found = store.query("results_by_id", run_id=self.run.run_id, ids="\n".join(ids))
        return {result.unique_id: result for result in map(read.result_of, found)}

    def output_names(self, ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        return {unique_id: found.names for unique_id, found in self._load_columns(ids).items()}

    def gaps(self, ids: Collection[str]) -> Mapping[str, str | None]:
        with self._open() as store:
            found = columns.column_analyses(store, self.run, ids)
        return {unique_id: reason for unique_id, (_, reason) in found.items()}

    def column_readers(self, ids: Collection[str]) -> Iterable[tuple[str, str]]:
        if self._has_few_columns:
            return {(edge.node_id, edge.parent_id) for edge in self.column_children(ids)}
        with self._open() as store:
            return columns.column_readers(store, self.run, ids)

    def column_children(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        if self._has_few_columns:
            parents = frozenset(ids)
            return [edge for edge in _column_edges(self.columns_of(self.names)) if edge.parent_id in parents]
        with self._open() as store:
            return columns.column_children(store, self.run, ids)

    def column_parents(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        if self._has_few_columns:
            return super().column_parents(ids)
        with self._open() as store:
            return columns.column_parents(store, self.run, ids)

    def annotations(self, ids: Collection[str]) -> tuple[Annotation, ...]:
        with self._open() as store:
            found = find_annotations(store, project=self.run.project_name, unique_ids=ids)
        return annotations_of(found)

    @contextmanager
    def session(self) -> Iterator[None]:
        with open_store(self.adapter) as self._session:
            try:
                yield
            finally:
                self._session = None

    def with_graph(self, graph: LineageGraph) -> StoredRunReader:
        """Return a reader of the run with *graph*, which has the edges that were read if they are few."""
        reader = StoredRunReader(self.adapter, self.run, graph)
        reader._few_edges = self._few_edges
        return reader

    def for_diff(self, project: Project, graph: LineageGraph, changed: Collection[str]) -> RunReader:
        if self.has_columns:
            return StoredRunReader(self.adapter, self.run, graph)
        return super().for_diff(project, graph, changed)

    @contextmanager
    def _open(self) -> Iterator[StoreSession]:
        """Use the session of `session`, or a new one."""
        if self._session is not None:
            yield self._session
        else:
            with open_store(self.adapter) as store:
                yield store

    @property
    def _in_memory(self) -> MemoryRunReader:
        """Return the complete run, read on first use."""
        if self._complete is None:
            self._complete = MemoryRunReader(load_run(self.adapter, self.run))
        return self._complete

    @cached_property
    def _graph(self) -> LineageGraph:
        return build_lineage_graph([], self.edges) if self._given is None else self._given

    def _load_columns(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        if not ids:
            return {}
        if not self.has_columns:
            self.lacks_columns = True
            return {}
        new = {*ids} - self._loaded_columns.keys()
        if new and self._is_small:
            self._loaded_columns |= dict.fromkeys(new - self.names.keys())
        if new:
            new = self._with_next(new) - self._loaded_columns.keys()
        if new:
            with self._open() as store:
                found = columns.columns_of(store, self.run, sorted(new))
            self._loaded_columns.update((unique_id, found.get(unique_id)) for unique_id in new)
        return {one: known for one in ids if (known := self._loaded_columns[one]) is not None}


def open_run(
    connect: Callable[[], UnifiedSqlAdapter], selector: RunSelector, *, project: str | None
) -> RunReader:
    """Return the run that *selector* names; `path:DIR` reads artifacts from disk without connecting."""
    if (folder := folder_of(selector)) is not None:
        return MemoryRunReader(read_run(folder, hash_seed_files=False))
    adapter = connect()
    run = resolve_complete_run(adapter, selector, project=project)
    return StoredRunReader(adapter, run)
