"""Column lineage in the store: a second tree next to the graph, split into parts in the same way.

An analysis is stored once, under the hash of its inputs. A column graph assigns an analysis to each node
of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import RunMetadata
from recce_meta.models.lineage import (
    REFERENCED,
    ColumnEdge,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    KnownColumns,
    NodeColumns,
    Tier,
    Usage,
    has_references,
    is_late,
)
from recce_meta.store import content
from recce_meta.store.content import Row
from recce_meta.store.read import names_of
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import storable

PART_COLUMNS = ("column_graph_id", "part_id")
NODE_COLUMNS = ("part_id", "unique_id", "lineage_id")
ANALYSIS_COLUMNS = ("lineage_id", "tier", "reason")
EDGE_COLUMNS = (
    "lineage_id", "ordinal", "column_name", "parent_id", "parent_column", "kind", "expression", "confidence",
)  # fmt: skip


class AnalysesGone(Exception):
    """A column graph refers to known analyses that are no longer stored."""


class ColumnPieces(Struct, frozen=True):
    """Pieces of a column graph by id."""

    column_graph_id: str
    parts: dict[str, list[Row]]
    """Rows of `column_part_nodes` by part id, without the part id."""
    analyses: dict[str, NodeColumns]
    """New analyses by lineage id."""


def column_pieces(graph: ColumnGraph) -> ColumnPieces:
    """Return all pieces of *graph* to store."""
    # Sorted, so that equal graphs have equal parts and one id.
    parts = content.parts_of(sorted(graph.lineage_ids.items()))
    return ColumnPieces(content.tree_id(parts), parts, graph.analyses)


class FoundGraph(Struct, frozen=True):
    """Stored column graph."""

    column_graph_id: str
    gaps: tuple[str, ...] = ()
    """Unique ids of the nodes without columns in it."""


def find_column_graph(store: StoreSession, run: RunMetadata) -> FoundGraph | None:
    """Return the column graph of an earlier run with the same inputs as *run*, or None.

    Also None if the analysis of a node timed out then, if the analysis did not collect references, or if an
    analysis came from outside.
    """
    found = store.query(
        "column_graph_of",
        graph_id=run.graph_id,
        extractor=run.extractor,
        adapter_type=run.adapter_type,
        recorder_version=run.recorder_version,
    )
    if not found:
        return None
    graph_id = str(found[0][0])
    if not has_stored_references(store, graph_id) or _has_arrived(store, graph_id):
        return None
    gaps = store.query("column_gaps", column_graph_id=graph_id)
    # A timeout depends on the machine, so that another attempt may succeed.
    if any(is_late(str(reason)) for _, reason in gaps):
        return None
    return FoundGraph(graph_id, tuple(sorted(str(unique_id) for unique_id, _ in gaps)))


def _has_arrived(store: StoreSession, column_graph_id: str) -> bool:
    """Return True if an analysis of a column graph came from outside, so its contents are not proven."""
    ((count,),) = store.query("arrived_analyses", column_graph_id=column_graph_id)
    return bool(count)


def has_stored_references(store: StoreSession, column_graph_id: str) -> bool:
    """Return True if the analyses of a column graph include the columns that SQL references."""
    ((lineage_id,),) = store.query("oldest_analysis", column_graph_id=column_graph_id)
    return lineage_id is None or has_references(str(lineage_id))


def known_columns(store: StoreSession, run: RunMetadata) -> KnownColumns:
    """Return the columns in the latest column graphs of *run*'s project: of its environment, and of any.

    Both are needed: production may have a catalog and a pull request may not, so their analyses differ.
    """
    known: dict[str, list[tuple[int, str]]] = {}
    rows = store.query("known_columns", project=run.project_name, environment=run.environment)
    for lineage_id, name, ordinal in rows:
        names = known.setdefault(str(lineage_id), [])
        if name is not None:
            names.append((int(str(ordinal)), str(name)))
    # By ordinal: the order of columns decides what `*` means downstream.
    return {lineage_id: tuple(name for _, name in sorted(names)) for lineage_id, names in known.items()}


def write_columns(store: StoreSession, pieces: ColumnPieces) -> int:
    """Write the missing parts of a column graph in the writer's transaction. Return the number of analyses.

    Raises AnalysesGone if an analysis is neither stored nor in *pieces*.
    """
    new = write_column_parts(store, pieces.column_graph_id, pieces.parts)
    if not all(map(pieces.analyses.__contains__, new)):
        raise AnalysesGone
    if not new:
        return 0
    analyses = {lineage_id: pieces.analyses[lineage_id] for lineage_id in new}
    # An analysis counts as stored once its own row exists, so its edges come first.
    store.insert(
        "column_edges",
        EDGE_COLUMNS,
        (row for lineage_id, columns in analyses.items() for row in edge_rows(lineage_id, columns)),
    )
    store.insert(
        "column_analyses",
        ANALYSIS_COLUMNS,
        (
            (lineage_id, columns.tier.value, columns.reason and storable(columns.reason))
            for lineage_id, columns in analyses.items()
        ),
    )
    return len(analyses)


def write_column_parts(store: StoreSession, graph_id: str, parts: Mapping[str, Sequence[Row]]) -> list[str]:
    """Write the missing parts of a column graph. Return the ids of the analyses that are not stored yet."""
    # Parts alone prove nothing: without transactions, a recorder may have been killed between them.
    if store.query("column_graph_stored", column_graph_id=graph_id):
        return []
    store.insert("column_parts", PART_COLUMNS, ((graph_id, part) for part in parts))
    missing = names_of(store.query("missing_column_parts", column_graph_id=graph_id))
    store.insert(
        "column_part_nodes", NODE_COLUMNS, content.part_rows((part, parts[part]) for part in missing)
    )
    return names_of(store.query("missing_analyses", column_graph_id=graph_id))


def edge_rows(lineage_id: str, columns: NodeColumns) -> Iterator[Row]:
    """Yield the rows of `column_edges`: outputs in order, one row per source, then uses and references."""
    edges = (*_output_edges(columns), *_use_edges(columns))
    return ((lineage_id, ordinal, *edge) for ordinal, edge in enumerate(edges, 1))


def _output_edges(columns: NodeColumns) -> Iterator[Row]:
    for output in columns.outputs:
        name, expression = storable(output.name), output.expression and storable(output.expression)
        # A column without sources, such as a constant, still needs a row.
        if not output.sources:
            yield name, None, None, output.kind.value, expression, None
        for source in output.sources:
            place = storable(source.parent), storable(source.column)
            yield name, *place, output.kind.value, expression, source.confidence


def _use_edges(columns: NodeColumns) -> Iterator[Row]:
    for use in columns.uses:
        yield None, storable(use.parent), storable(use.column), use.usage.value, None, use.confidence
    for named in columns.references:
        yield None, storable(named.parent), storable(named.column), REFERENCED, None, named.confidence


def load_columns(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, node_ids: Iterable[str] | None = None
) -> dict[str, NodeColumns] | None:
    """Return the columns of *run*'s nodes by unique id; only of *node_ids* if given.

    None if the run was recorded without columns. Nodes that were not analysed are left out. Columns of one
    node with the same name are merged.
    """
    if run.column_graph_id is None:
        return None
    with open_store(adapter) as store:
        return columns_of(store, run, node_ids)


def columns_of(
    store: StoreSession, run: RunMetadata, node_ids: Iterable[str] | None = None
) -> dict[str, NodeColumns]:
    """Return the result of `load_columns` from an open store; empty if there are no columns."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    if node_ids is None:
        rows = store.query("columns", column_graph_id=run.column_graph_id)
    else:
        rows = store.query("columns_by_id", column_graph_id=run.column_graph_id, ids="\n".join(node_ids))
    for row in rows:
        found.setdefault(str(row[0]), []).append(row[1:])
    return {unique_id: _columns_of(found[unique_id]) for unique_id in sorted(found)}


def column_readers(store: StoreSession, run: RunMetadata, parent_ids: Iterable[str]) -> set[tuple[str, str]]:
    """Return pairs of a node and one of *parent_ids* of which it reads a column in *run*."""
    ids = "\n".join(parent_ids)
    found = store.query("column_readers", column_graph_id=run.column_graph_id, ids=ids)
    return {(str(reader), str(parent)) for reader, parent in found}


def column_children(store: StoreSession, run: RunMetadata, parent_ids: Iterable[str]) -> list[ColumnEdge]:
    """Return the column edges of *run* from the nodes *parent_ids* to their children, unordered."""
    return _edges(store, "column_children", run, parent_ids)


def column_parents(store: StoreSession, run: RunMetadata, node_ids: Iterable[str]) -> list[ColumnEdge]:
    """Return the column edges of *run* from their parents to the nodes *node_ids*, unordered."""
    return _edges(store, "column_parents", run, node_ids)


def column_analyses(
    store: StoreSession, run: RunMetadata, node_ids: Iterable[str]
) -> dict[str, tuple[Tier, str | None]]:
    """Return the tier of the nodes *node_ids*, and the reason if a node has no columns.

    Nodes that were not analysed are left out.
    """
    found = store.query("column_analyses", column_graph_id=run.column_graph_id, ids="\n".join(node_ids))
    return {
        str(unique_id): (Tier(str(tier)), None if reason is None else str(reason))
        for unique_id, tier, reason in found
    }


def _edges(store: StoreSession, query: str, run: RunMetadata, ids: Iterable[str]) -> list[ColumnEdge]:
    found: Any = store.query(query, column_graph_id=run.column_graph_id, ids="\n".join(ids))
    return [ColumnEdge(*row) for row in found]


def _columns_of(rows: list[tuple[Any, ...]]) -> NodeColumns:
    """Return the columns of one node from its rows, in any order."""
    tier, reason = rows[0][:2]
    outputs: dict[str, ColumnOutput] = {}
    sources: dict[str, list[ColumnSource]] = {}
    uses: list[ColumnUse] = []
    references: list[ColumnSource] = []
    for *_, name, parent, column, kind, expression, confidence in sorted(rows, key=lambda row: row[2] or 0):
        # The outer join of an analysis without columns returns one empty row.
        if kind is None:
            continue
        if kind == REFERENCED:
            references.append(ColumnSource(parent, column, confidence))
            continue
        if name is None:
            uses.append(ColumnUse(Usage(kind), parent, column, confidence))
            continue
        if name not in outputs:
            outputs[name] = ColumnOutput(name, Kind(kind), expression)
        if parent is not None:
            sources.setdefault(name, []).append(ColumnSource(parent, column, confidence))
    return NodeColumns(
        tier=Tier(tier),
        outputs=tuple(
            msgspec.structs.replace(output, sources=tuple(sources[name])) if name in sources else output
            for name, output in outputs.items()
        ),
        uses=tuple(uses),
        references=tuple(references),
        reason=reason,
    )
