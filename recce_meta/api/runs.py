"""Contents of runs: their nodes by name, their lineage, and pairs of runs with selection of nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.run_reader import Origins, RunReader, StoredRunReader, folder_of, open_run, read_run
from recce_meta.diff.scan import is_scan
from recce_meta.errors import SelectorError, did_you_mean, first_of
from recce_meta.graph import LineageGraph, StateResolver, build_lineage_graph, select
from recce_meta.lazy import LazyModule
from recce_meta.models import LineageEdge, NodeMetadata, NodeResult, RunMetadata
from recce_meta.models.catalog import RELATIONS
from recce_meta.models.lineage import Direction, KnownEdge, LineageNode, LineageView, NodeColumns
from recce_meta.models.marks.annotation import Annotation, annotations_of
from recce_meta.models.node_types import WITH_RELATION, WITH_ROWS
from recce_meta.models.rows import ResultList, RowTable, Tabular
from recce_meta.models.stored import StatisticsSummary
from recce_meta.store import read
from recce_meta.store.marks.annotations import list_annotations
from recce_meta.store.read import foreign_keys_of
from recce_meta.store.select import RunSelector, resolve_run
from recce_meta.store.statistics import count_statistics

if TYPE_CHECKING:
    from recce_meta.diff import dbt_state
else:
    dbt_state = LazyModule("recce_meta.diff.dbt_state")

SHOWN = 8
"""Maximum number of candidates that an error lists."""


class RunSummary(Tabular, frozen=True, kw_only=True):
    """The recorded `run`, with the `results` of its nodes."""

    run: RunMetadata
    counts: dict[str, int]
    """Number of nodes by resource type."""
    results: list[NodeResult]
    statistics: StatisticsSummary | None = None
    """Statistics stored with the run; None for artifacts on disk."""
    annotations: tuple[Annotation, ...] = ()
    """Notes, tags and owners of its nodes, of their columns, and of edges to them."""

    def to_table(self) -> RowTable:
        """Return the results of its nodes as rows."""
        results = sorted(self.results, key=lambda result: result.unique_id)
        return ResultList(NodeResult, results).to_table()


def show(
    connect: Callable[[], UnifiedSqlAdapter], selector: RunSelector, *, project: str | None = None
) -> RunSummary:
    """Return the run that *selector* names (or `path:DIR`), with its contents and results."""
    folder = folder_of(selector)
    if folder is not None:
        found = read_run(folder, hash_seed_files=False)
        counts = Counter(node.resource_type for node in found.nodes)
        return RunSummary(run=found.run, counts=dict(counts), results=list(found.results))
    adapter = connect()
    run = resolve_run(adapter, selector, project=project)
    return RunSummary(
        run=run,
        counts=read.count_nodes(adapter, run),
        results=read.load_results(adapter, run),
        statistics=count_statistics(adapter, run),
        annotations=annotations_of(list_annotations(adapter, run=run)),
    )


def load_lineage(
    connect: Callable[[], UnifiedSqlAdapter],
    selector: RunSelector,
    node: str,
    *,
    direction: Direction = Direction.BOTH,
    depth: int | None = None,
    project: str | None = None,
) -> LineageView:
    """Return upstream and downstream nodes of *node* in the run that *selector* names (or `path:DIR`).

    For a scan, include the foreign keys from and to the node.
    Raises SelectorError if *node* names no node, or more than one.
    """
    run = open_run(connect, selector, project=project)
    root = find_node(node, run.names)
    view = lineage_view(root, run.names, run.origins, direction, depth)
    view = replace(view, annotations=run.annotations([one.unique_id for one in view.nodes]))
    if not (isinstance(run, StoredRunReader) and is_scan(run.run)):
        return view
    return replace(view, foreign_keys=foreign_keys_of(run.adapter, run.run, root))


def find_node(
    name: str, nodes: Mapping[str, NodeMetadata], by_name: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Return the unique id of the node that *name* means: its unique id, its name, or `source.table`.

    Pass *by_name*, the `ids_by_name` of *nodes*, to look up many names. Raises SelectorError if *name* names
    no node, or more than one.
    """
    if name in nodes:
        return name
    found = sorted((ids_by_name(nodes) if by_name is None else by_name).get(name, ()))
    # A test or an exposure may share the name of a model, which is meant more often.
    models = [unique_id for unique_id in found if nodes[unique_id].resource_type in WITH_RELATION]
    if len(found) == 1 or len(models) == 1:
        return (models or found)[0]
    if found:
        raise SelectorError(
            f"'{name}' names {len(found)} nodes: {first_of(found, SHOWN)}",
            hint="use one of these unique ids",
        )
    known = sorted({known for node in nodes.values() for known in names_of(node)} | nodes.keys())
    hint = did_you_mean(name, known) or "write the name or the unique id of an enabled node of the run"
    raise SelectorError(f"Node '{name}' not found", hint=hint)


def ids_by_name(nodes: Mapping[str, NodeMetadata]) -> dict[str, list[str]]:
    """Return the unique ids of the nodes that each name may mean."""
    found: dict[str, list[str]] = {}
    for unique_id, node in nodes.items():
        for name in names_of(node):
            found.setdefault(name, []).append(unique_id)
    return found


def lineage_view(
    root: str,
    nodes: Mapping[str, NodeMetadata],
    known: Origins,
    direction: Direction,
    depth: int | None,
) -> LineageView:
    """Return the part of the graph of *known* edges within *depth* edges of *root*."""
    graph = build_lineage_graph(
        [], sorted(LineageEdge(one, parent) for one in known for parent in known[one])
    )
    distances = {root: 0}
    if direction is not Direction.DOWNSTREAM:
        distances |= {found: -steps for found, steps in graph.ancestors(root, depth).items()}
    if direction is not Direction.UPSTREAM:
        distances |= graph.descendants(root, depth)
    # Set again, in case a cycle leads back to the root.
    distances[root] = 0
    return LineageView(
        root=root,
        direction=direction,
        nodes=tuple(
            LineageNode(
                unique_id=unique_id,
                name=nodes[unique_id].label if unique_id in nodes else unique_id,
                resource_type=nodes[unique_id].resource_type
                if unique_id in nodes
                else unique_id.split(".")[0],
                distance=distance,
            )
            for unique_id, distance in sorted(distances.items(), key=lambda item: (item[1], item[0]))
        ),
        edges=tuple(
            KnownEdge.of(child, parent, known[child][parent])
            for parent in sorted(distances)
            for child in graph.children(parent)
            if child in distances
        ),
    )


def names_of(node: NodeMetadata) -> set[str]:
    """Return the names of *node* other than its unique id: plain, and with version, source or schema."""
    names = {node.name, node.label}
    if node.source_name:
        names |= {f"{node.source_name}.{node.name}", f"source:{node.source_name}.{node.name}"}
    if is_scanned(node) and node.fqn:
        names.add(".".join(node.fqn))
    return names


def is_scanned(node: NodeMetadata) -> bool:
    """Return True if *node* is a relation of a scanned database, which can be named with its schema."""
    return node.resource_type in RELATIONS


def columns_upstream(runs: Iterable[RunReader], ids: Iterable[str]) -> list[dict[str, NodeColumns | None]]:
    """Return the column lineage of *ids* and of all nodes upstream, for each of *runs* that has lineage.

    A node that was not analysed has None.
    """
    traced = [run for run in runs if run.has_columns]
    above = build_lineage_graph([], {edge for run in traced for edge in run.edges}).upstream(ids)
    found: list[dict[str, NodeColumns | None]] = []
    for run in traced:
        known = above & run.names.keys()
        found.append({**dict.fromkeys(known), **run.columns_of(known)})
    return found


@dataclass(frozen=True)
class RunPair:
    """Two runs, read lazily."""

    base: RunReader
    current: RunReader

    @cached_property
    def names(self) -> dict[str, NodeMetadata]:
        """Return the nodes of both sides by unique id, with their names; current's takes precedence."""
        return {**self.base.names, **self.current.names}

    def named(self, names: Iterable[str]) -> list[str]:
        """Return the unique ids that *names* mean, in their order; each node must have data.

        The name of a model with several versions means the latest, as in `ref`. Raises SelectorError for a
        name of no node, of several nodes, or of a node without rows.
        """
        nodes = self.names
        found = list(
            dict.fromkeys(self._latest(name) or find_node(name, nodes, self._by_name) for name in names)
        )
        for unique_id in found:
            if nodes[unique_id].resource_type not in WITH_ROWS:
                raise SelectorError(
                    f"'{unique_id}' is of type {nodes[unique_id].resource_type}, which has no rows",
                    hint="name a model, seed, snapshot or source, or a scanned table or view",
                )
        return found

    def selected(self, selection: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
        """Return the sorted unique ids of the nodes with data that match *selection* but not *exclude*."""
        nodes = self._nodes
        chosen = self.matching(selection, exclude)
        return sorted(unique_id for unique_id in chosen if nodes[unique_id].resource_type in WITH_ROWS)

    def matching(self, selection: Sequence[str], exclude: Sequence[str] = ()) -> frozenset[str]:
        """Return the nodes of both sides that match *selection* but not *exclude*."""
        return select(
            selection,
            self._nodes,
            self._graph,
            exclude=exclude,
            # Only selections by state need the comparison of both projects.
            state=lambda name: self._state(name),
            project=self.current.project,
        )

    def sides(self, ids: Iterable[str]) -> list[tuple[NodeMetadata | None, NodeMetadata | None]]:
        """Return each of *ids* on both sides, with all fields; None if a side does not have the node."""
        wanted = list(ids)
        before, after = self.base.nodes(wanted), self.current.nodes(wanted)
        return [(before.get(unique_id), after.get(unique_id)) for unique_id in wanted]

    def placed(self, ids: Iterable[str]) -> list[tuple[NodeMetadata | None, NodeMetadata | None]]:
        """Return the same as `sides`, from names and relations already loaded if these suffice."""
        pairs = [(self.base.names.get(unique_id), self.current.names.get(unique_id)) for unique_id in ids]
        if all(node is None or has_relation_name(node) for pair in pairs for node in pair):
            return pairs
        return self.sides(node.unique_id for before, after in pairs if (node := before or after) is not None)

    def defined(self, ids: Iterable[str]) -> dict[str, NodeMetadata]:
        """Return *ids* with all fields, as current or else base has them."""
        wanted = list(ids)
        after = self.current.nodes(wanted)
        return {**self.base.nodes([unique_id for unique_id in wanted if unique_id not in after]), **after}

    # Cached: a file of checks may select nodes hundreds of times, seldom by state.

    @cached_property
    def _nodes(self) -> dict[str, NodeMetadata]:
        projects = (self.base.project, self.current.project)
        return {node.unique_id: node for project in projects for node in project.nodes}

    @cached_property
    def _graph(self) -> LineageGraph:
        edges = {*self.base.project.edges, *self.current.project.edges}
        return build_lineage_graph(self._nodes.values(), edges)

    @cached_property
    def _state(self) -> StateResolver:
        is_scanned = is_scan(self.current.run)
        resolver = dbt_state.scan_state_resolver if is_scanned else dbt_state.diff_state_resolver
        return resolver(self.base.project, self.current.project)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return ids_by_name(self.names)

    def _latest(self, name: str) -> str | None:
        """Return the latest version of the versioned model *name*; None for any other name."""
        if name in self.names:
            return None
        named = [self.names[unique_id] for unique_id in self._by_name.get(name, ())]
        named = [node for node in named if node.name == name]
        if len({(node.package_name, node.resource_type) for node in named}) != 1 or not named[0].version:
            return None
        ids = [node.unique_id for node in named]
        # The names of a stored run lack the property with the latest version.
        whole = {**self.base.nodes(ids), **self.current.nodes(ids)}
        latest = [node for node in whole.values() if node.version and node.version == _latest_version(node)]
        return latest[0].unique_id if len(latest) == 1 else None


def has_relation_name(node: NodeMetadata) -> bool:
    """Return True if *node* has its relation name, or is ephemeral: no further fields are needed."""
    return node.relation_name is not None or node.is_ephemeral


def _latest_version(node: NodeMetadata) -> str:
    return str(node.properties.get("latest_version"))


def load_pair(
    connect: Callable[[], UnifiedSqlAdapter],
    base: RunSelector,
    current: RunSelector,
    *,
    project: str | None = None,
) -> RunPair:
    """Return the runs that the selectors *base* and *current* name; `path:DIR` reads artifacts from disk."""
    before, after = (open_run(connect, name, project=project) for name in (base, current))
    return RunPair(before, after)
