"""`impact`: what a node or column reaches, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Protocol

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.column_address import Address, Names, find_address
from recce_meta.api.on_disk import folder_of, read_run
from recce_meta.graph import LineageGraph, build_lineage_graph
from recce_meta.graph.columns.project import QUERIES
from recce_meta.graph.columns.project_dialects import dialect_of
from recce_meta.graph.impact import (
    ANY,
    COLUMNS,
    ROWS,
    Hops,
    Place,
    columns_read,
    downstream,
    removal,
    upstream,
    walk,
)
from recce_meta.graph.impact_view import impact_view
from recce_meta.models import LineageEdge, NodeMetadata, Project, RunMetadata
from recce_meta.models.column_lineage import ColumnEdge, NodeColumns
from recce_meta.models.impact import ImpactView
from recce_meta.models.lineage import Direction
from recce_meta.report.wording import kind_plural
from recce_meta.store.columns import column_analyses, column_children, column_parents, references_known
from recce_meta.store.columns import columns_of as stored_columns
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.select import load_run, resolve_complete_run
from recce_meta.store.walking import named_nodes, node_edges

UNCHECKED = (
    "References not checked: nodes that fail if the column is removed or renamed are not listed; "
    "record the run again"
)


class Lineage(Protocol):
    """The lineage of one run, in the parts that a walk asks for."""

    @property
    def nodes(self) -> Mapping[str, NodeMetadata]:
        """Every node, with at least what it is called."""

    @property
    def edges(self) -> Sequence[LineageEdge]:
        """Every edge between nodes."""

    def children(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        """Every read of a column of *ids*."""

    def parents(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        """Every read of a column that *ids* make."""

    def analyses(self, ids: Collection[str]) -> Mapping[str, str | None]:
        """Those of *ids* that were looked at, and why one has no columns."""

    def columns(self, unique_id: str) -> Names:
        """The columns that a node is known to have."""

    @property
    def has_references(self) -> bool:
        """Return whether *children* has the columns that SQL only names."""


class StoredLineage:
    """That of a run whose columns are in the store; each method is one query."""

    def __init__(self, store: StoreSession, run: RunMetadata) -> None:
        self._store, self._run = store, run
        self.nodes = named_nodes(store, run)
        self.edges = node_edges(store, run)

    @property
    def has_references(self) -> bool:
        """Return whether *children* has the columns that SQL only names."""
        graph_id = self._run.column_graph_id
        return graph_id is not None and references_known(self._store, graph_id)

    def children(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        """Every read of a column of *ids*."""
        return column_children(self._store, self._run, ids)

    def parents(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        """Every read of a column that *ids* make."""
        return column_parents(self._store, self._run, ids)

    def analyses(self, ids: Collection[str]) -> Mapping[str, str | None]:
        """Those of *ids* that were looked at, and why one has no columns."""
        found = column_analyses(self._store, self._run, ids)
        return {unique_id: reason for unique_id, (_, reason) in found.items()}

    def columns(self, unique_id: str) -> Names:
        """The columns that a node is known to have."""
        found = stored_columns(self._store, self._run, [unique_id]).get(unique_id)
        return _column_names(self, unique_id, found, self._run)


class ComputedLineage:
    """That of a run that is here whole: the columns are looked at when they are asked for."""

    def __init__(self, project: Project) -> None:
        self.nodes = {node.unique_id: node for node in project.nodes}
        self.edges = [
            LineageEdge(node.unique_id, parent) for node in project.nodes for parent in node.parents
        ]
        self._project = project
        self._graph = build_lineage_graph(project.nodes)
        self._found: dict[str, NodeColumns] = {}
        self._asked: set[str] = set()

    has_references = True

    def children(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        """Every read of a column of *ids* by a node of which dbt knows that it reads one of them."""
        wanted = frozenset(ids)
        found = self._columns_of(self._readers(wanted))
        return [edge for edge in _reads(found) if edge.parent_id in wanted]

    def parents(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        """Every read of a column that *ids* make."""
        return list(_reads(self._columns_of(ids)))

    def analyses(self, ids: Collection[str]) -> Mapping[str, str | None]:
        """Those of *ids* that were looked at, and why one has no columns."""
        return {unique_id: columns.reason for unique_id, columns in self._columns_of(ids).items()}

    def columns(self, unique_id: str) -> Names:
        """The columns that a node is known to have."""
        found = self._columns_of([unique_id]).get(unique_id)
        return _column_names(self, unique_id, found, self._project.run)

    def _readers(self, ids: frozenset[str]) -> set[str]:
        """Those and what reads them, also through ephemeral models, whose readers have their SQL inside."""
        found = set(ids)
        waiting = list(ids)
        while waiting:
            for child in self._graph.children(waiting.pop()):
                node = self.nodes.get(child)
                if child not in found and node is not None and node.materialized == "ephemeral":
                    waiting.append(child)
                found.add(child)
        return found

    def _columns_of(self, ids: Iterable[str]) -> dict[str, NodeColumns]:
        from recce_meta.api.columns import columns_of_project  # parses SQL: stored runs need not wait for it

        wanted = set(ids)
        missing = wanted - self._asked
        if missing:
            self._asked |= missing
            self._found |= columns_of_project(self._project, node_ids=missing)
        return {unique_id: self._found[unique_id] for unique_id in wanted & self._found.keys()}


def _reads(found: Mapping[str, NodeColumns]) -> Iterator[ColumnEdge]:
    for unique_id, columns in found.items():
        yield from columns_read(unique_id, columns)


def _column_names(lineage: Lineage, unique_id: str, found: NodeColumns | None, run: RunMetadata) -> Names:
    """The output columns of a node; where these are not all, also what its readers take it to have."""
    names = dict.fromkeys(found.names if found else ())
    are_all = bool(names) and ANY not in names
    if not are_all:
        read = lineage.children([unique_id])
        names |= dict.fromkeys(sorted({edge.parent_column for edge in read}))
    return Names([name for name in names if name != ANY], are_all, dialect_of(run.adapter_type))


def impact(
    connect: Callable[[], UnifiedSqlAdapter],
    selector: str,
    target: str,
    *,
    direction: Direction = Direction.DOWNSTREAM,
    depth: int | None = None,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> ImpactView:
    """What *target*, `NODE` or `NODE.COLUMN`, reaches in the run that *selector* names (or `path:DIR`).

    Columns of a run that was recorded without them are looked at now. Raises SelectorError where *target*
    names nothing, or more than one thing.
    """
    folder = folder_of(selector)
    if folder is not None:
        found = ComputedLineage(read_run(folder, hash_seed_files=False))
        return impact_in(found, target, direction, depth)
    adapter = connect()
    run = resolve_complete_run(adapter, selector, project=project, schema=schema)
    if run.column_graph_id is None:
        return impact_in(ComputedLineage(load_run(adapter, run, schema=schema)), target, direction, depth)
    with open_store(adapter, schema) as store:
        return impact_in(StoredLineage(store, run), target, direction, depth)


def impact_in(lineage: Lineage, target: str, direction: Direction, depth: int | None) -> ImpactView:
    """What *target* reaches, and what it is made of, in *lineage*."""
    columns_of = cache(lineage.columns)
    address = find_address(target, lineage.nodes, columns_of)
    root, column = address
    names = columns_of(root)
    if column is not None:
        starts = [Place(root, COLUMNS, column)]
    else:
        all_of_them = names.known if names.are_all else [*names.known, ANY]
        starts = [Place(root, ROWS), *(Place(root, COLUMNS, name) for name in all_of_them)]
    around = {
        way: surroundings(lineage, root, way)
        for way in (Direction.UPSTREAM, Direction.DOWNSTREAM)
        if direction in (way, Direction.BOTH)
    }
    reasons = {unique_id: reason for near in around.values() for unique_id, reason in near.reasons.items()}
    below = around.get(Direction.DOWNSTREAM) if column is not None else None
    is_known = below is None or lineage.has_references
    return impact_view(
        root,
        column,
        direction,
        {way: walk(starts, near.hops, depth) for way, near in around.items()},
        lineage.nodes,
        reasons=reasons,
        notes=(*_notes(address, names, around, reasons), *([] if is_known else [UNCHECKED])),
        removed=walk(starts, below.removal, depth) if below and is_known and not below.is_inlined else None,
    )


class Surroundings(Struct, frozen=True):
    """What is on one side of a node."""

    hops: Hops
    others: int
    """How many other nodes there are with a query that has columns."""
    known: int
    """Of how many of them the columns are known."""
    reasons: dict[str, str]
    """Why the columns of some are not."""
    removal: Hops
    """The steps of a column that is removed, downstream."""
    is_inlined: bool = False
    """Whether the readers of the node hold its SQL, and are not known to read it."""


def surroundings(lineage: Lineage, root: str, way: Direction) -> Surroundings:
    """Everything that a walk from *root* can come to: mostly one question for edges, one for analyses."""
    is_down = way is Direction.DOWNSTREAM
    graph = build_lineage_graph([], lineage.edges)
    relatives = graph.descendants if is_down else graph.ancestors
    edges: list[ColumnEdge] = []
    asked: set[str] = set()
    wanted = {root, *relatives(root)}
    while wanted:
        found = lineage.children(wanted) if is_down else lineage.parents(wanted)
        edges += found
        asked |= wanted
        # SQL can name relations in words of its own, of which the graph does not know.
        ends = {edge.node_id if is_down else edge.parent_id for edge in found} - asked
        wanted = {relative for end in ends for relative in (end, *relatives(end))} - asked
    analyses = lineage.analyses(asked)
    known = {unique_id for unique_id, reason in analyses.items() if reason is None}
    whole = _with_reads(lineage, graph, edges)
    is_inlined = is_down and _is_inlined(lineage.nodes.get(root))
    inlined = {root} if is_inlined else ()
    others = {one for one in asked - {root} if _has_query(lineage.nodes.get(one))}
    return Surroundings(
        hops=downstream(edges, whole, known, inlined) if is_down else upstream(edges, whole, known),
        others=len(others),
        known=len(others & known),
        reasons={
            unique_id: analyses.get(unique_id) or _has_none(lineage.nodes.get(unique_id))
            for unique_id in asked - known
        },
        removal=removal(edges),
        is_inlined=is_inlined and len(asked) > 1,
    )


def _with_reads(lineage: Lineage, graph: LineageGraph, reads: Iterable[ColumnEdge]) -> LineageGraph:
    """*graph* with what SQL reads and dbt does not know of; not what stands in a query's ephemeral models."""
    pairs = {(read.node_id, read.parent_id) for read in reads}
    unknown = [
        LineageEdge(child, parent)
        for child, parent in pairs
        if parent not in graph.parents(child) and parent not in _behind_inlined(lineage, graph, child)
    ]
    return build_lineage_graph([], [*lineage.edges, *unknown]) if unknown else graph


def _behind_inlined(lineage: Lineage, graph: LineageGraph, child: str) -> set[str]:
    """What the ephemeral models read whose SQL *child* holds."""
    found: set[str] = set()
    waiting = [parent for parent in graph.parents(child) if _is_inlined(lineage.nodes.get(parent))]
    while waiting:
        parents = set(graph.parents(waiting.pop())) - found
        found |= parents
        waiting += [parent for parent in parents if _is_inlined(lineage.nodes.get(parent))]
    return found


def _is_inlined(node: NodeMetadata | None) -> bool:
    return node is not None and node.materialized == "ephemeral"


def _has_query(node: NodeMetadata | None) -> bool:
    return node is not None and node.resource_type in QUERIES


def _has_none(node: NodeMetadata | None) -> str:
    """Why a node that was not looked at has no columns."""
    if node is None:
        return "no node of this run"
    return f"{kind_plural(node.resource_type)} are not looked at column by column"


def _notes(
    address: Address,
    names: Names,
    around: Mapping[Direction, Surroundings],
    reasons: Mapping[str, str],
) -> Iterator[str]:
    """What could not be told."""
    root, column = address
    if column is not None and column not in names.known:
        why = f" ({reasons[root]})" if root in reasons else ""
        yield f"Not all columns of {root} are known{why}: '{column}' is taken to be one"
    for way, near in around.items():
        if near.others and not near.known:
            yield f"No columns are known {way.value}: nodes are told as a whole"
        if near.is_inlined:
            yield f"{root} is ephemeral: which columns of its readers come from it is not known"
