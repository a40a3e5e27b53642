"""`runs`, `show` and `lineage`: what is in the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.on_disk import folder_of, read_run
from recce_meta.diff.scanned_scope import is_scan
from recce_meta.errors import SelectorError, did_you_mean, first_of
from recce_meta.graph import build_lineage_graph
from recce_meta.models import EdgeOrigin, LineageEdge, NodeMetadata, NodeResult, RunMetadata
from recce_meta.models.kinds import RELATIONS
from recce_meta.models.lineage import Direction, KnownEdge, LineageNode, LineageView
from recce_meta.models.statistics import StatisticsKept
from recce_meta.store import read
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.foreign_keys import foreign_keys_of
from recce_meta.store.select import resolve_complete_run, resolve_run
from recce_meta.store.statistics import statistics_kept

Parents: TypeAlias = Mapping[str, Mapping[str, EdgeOrigin | None]]
"""The parents of each node, with how the edges are known."""
MEANT = frozenset(["model", "seed", "snapshot"]) | RELATIONS
"""What a name means rather than others that are called so, such as a test or a schema."""
SHOWN = 8
"""How many candidates an error lists."""


class RunSummary(Struct, frozen=True, kw_only=True):
    """One run, as `show` tells it."""

    run: RunMetadata
    counts: dict[str, int]
    """Nodes by resource type."""
    results: list[NodeResult]
    statistics: StatisticsKept | None = None
    """What is kept with the run; None for artifacts on disk."""


def show(
    connect: Callable[[], UnifiedSqlAdapter],
    selector: str,
    *,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> RunSummary:
    """The run that *selector* names (or `path:DIR`), with what it holds and what happened in it."""
    folder = folder_of(selector)
    if folder is not None:
        found = read_run(folder, hash_seed_files=False)
        counts = Counter(node.resource_type for node in found.nodes)
        return RunSummary(run=found.run, counts=dict(counts), results=list(found.results))
    adapter = connect()
    run = resolve_run(adapter, selector, project=project, schema=schema)
    return RunSummary(
        run=run,
        counts=read.count_nodes(adapter, run, schema=schema),
        results=read.load_results(adapter, run, schema=schema),
        statistics=statistics_kept(adapter, run, schema=schema),
    )


def lineage(
    connect: Callable[[], UnifiedSqlAdapter],
    selector: str,
    node: str,
    *,
    direction: Direction = Direction.BOTH,
    depth: int | None = None,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> LineageView:
    """What *node* reads and what reads it, in the run that *selector* names (or `path:DIR`).

    In a scan, also the foreign keys that begin or end at it.
    Raises SelectorError where *node* names no node, or more than one.
    """
    nodes: Iterable[NodeMetadata]
    known: Parents
    folder = folder_of(selector)
    if folder is not None:
        found = read_run(folder, hash_seed_files=False)
        nodes = found.nodes
        known = {
            one.unique_id: {parent: one.edge_origins.get(parent) for parent in one.parents} for one in nodes
        }
    else:
        adapter = connect()
        run = resolve_complete_run(adapter, selector, project=project, schema=schema)
        nodes = read.load_narrow_nodes(adapter, run, schema=schema)
        known = read.load_parents(adapter, run, schema=schema)
    by_id = {node.unique_id: node for node in nodes}
    root = find_node(node, by_id)
    view = lineage_view(root, by_id, known, direction, depth)
    if folder is not None or not is_scan(run):
        return view
    return replace(view, foreign_keys=foreign_keys_of(adapter, run, root, schema=schema))


def find_node(
    name: str, nodes: Mapping[str, NodeMetadata], by_name: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The unique id of the one node that *name* means: its unique id, its name, or `source.table`.

    Who asks for many gives *by_name*, the `ids_by_name` of *nodes*. Raises SelectorError where it names no
    node, or more than one.
    """
    if name in nodes:
        return name
    found = sorted((ids_by_name(nodes) if by_name is None else by_name).get(name, ()))
    models = [unique_id for unique_id in found if nodes[unique_id].resource_type in MEANT]
    if len(found) == 1 or len(models) == 1:
        return (models or found)[0]
    if found:
        raise SelectorError(
            f"'{name}' names {len(found)} nodes: {first_of(found, SHOWN)}",
            hint="give one of these unique ids",
        )
    known = sorted({known for node in nodes.values() for known in names_of(node)} | nodes.keys())
    raise SelectorError(f"No node is called '{name}'", hint=did_you_mean(name, known))


def ids_by_name(nodes: Mapping[str, NodeMetadata]) -> dict[str, list[str]]:
    """The unique ids of the nodes that each name could mean."""
    found: dict[str, list[str]] = {}
    for unique_id, node in nodes.items():
        for name in names_of(node):
            found.setdefault(name, []).append(unique_id)
    return found


def lineage_view(
    root: str,
    nodes: Mapping[str, NodeMetadata],
    known: Parents,
    direction: Direction,
    depth: int | None,
) -> LineageView:
    """Return the part of the graph of *known* edges that is at most *depth* edges from *root*."""
    graph = build_lineage_graph(
        [], sorted(LineageEdge(one, parent) for one in known for parent in known[one])
    )
    distances = {root: 0}
    if direction is not Direction.DOWNSTREAM:
        distances |= {found: -steps for found, steps in graph.ancestors(root, depth).items()}
    if direction is not Direction.UPSTREAM:
        distances |= graph.descendants(root, depth)
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
            _known_edge(child, parent, known[child][parent])
            for parent in sorted(distances)
            for child in graph.children(parent)
            if child in distances
        ),
    )


def _known_edge(child: str, parent: str, origin: EdgeOrigin | None) -> KnownEdge:
    if origin is None:
        return KnownEdge(child, parent)
    return KnownEdge(child, parent, origin.kind, origin.confidence)


def names_of(node: NodeMetadata) -> set[str]:
    """What *node* may be called beside its unique id: its name, with its version, its source, its schema."""
    names = {node.name, node.label}
    if node.source_name:
        names |= {f"{node.source_name}.{node.name}", f"source:{node.source_name}.{node.name}"}
    if is_scanned(node) and node.fqn:
        names.add(".".join(node.fqn))
    return names


def is_scanned(node: NodeMetadata) -> bool:
    """Whether *node* is a relation of a scanned database, which is named with its schema, too."""
    return node.resource_type in RELATIONS
