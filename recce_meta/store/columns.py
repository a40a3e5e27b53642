"""Column lineage in and out of the store: a second tree beside the graph, cut into parts in the same way.

An analysis is stored once, under the hash of what it was computed from; a column graph says which analysis
each node of a run has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import RunMetadata
from recce_meta.models.column_lineage import (
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
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.rows import names_of
from recce_meta.store.values import storable

PART_COLUMNS = ("column_graph_id", "part_id")
NODE_COLUMNS = ("part_id", "unique_id", "lineage_id")
ANALYSIS_COLUMNS = ("lineage_id", "tier", "reason")
EDGE_COLUMNS = (
    "lineage_id", "ordinal", "column_name", "parent_id", "parent_column", "kind", "expression", "confidence",
)  # fmt: skip


class AnalysesGone(Exception):
    """A column graph leaves out analyses that were known, and are not stored any more."""


class ColumnPieces(Struct, frozen=True):
    """A column graph by the ids of its pieces."""

    column_graph_id: str
    parts: dict[str, list[Row]]
    """Rows of `column_part_nodes` without their part's id, by that id."""
    analyses: dict[str, NodeColumns]
    """By lineage id: those that were computed now."""


def column_pieces(graph: ColumnGraph) -> ColumnPieces:
    """Everything that the store keeps of *graph*."""
    parts = content.parts_of(sorted(graph.lineage_ids.items()))
    return ColumnPieces(content.tree_id(parts), parts, graph.analyses)


class FoundGraph(Struct, frozen=True):
    """A column graph that is stored."""

    column_graph_id: str
    gaps: tuple[str, ...] = ()
    """Unique ids of the nodes that have no columns there."""


def find_column_graph(store: StoreSession, run: RunMetadata) -> FoundGraph | None:
    """The column graph that *run* would have: that of an earlier run with all the same.

    None also if the query of a node had too little time then, or if the analysis looked for less.
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
    if not references_known(store, graph_id):
        return None
    gaps = store.query("column_gaps", column_graph_id=graph_id)
    if any(is_late(str(reason)) for _, reason in gaps):
        return None
    return FoundGraph(graph_id, tuple(sorted(str(unique_id) for unique_id, _ in gaps)))


def references_known(store: StoreSession, column_graph_id: str) -> bool:
    """Return whether the analyses of a column graph looked for the columns that SQL names."""
    ((lineage_id,),) = store.query("oldest_analysis", column_graph_id=column_graph_id)
    return lineage_id is None or has_references(str(lineage_id))


def known_columns(store: StoreSession, run: RunMetadata) -> KnownColumns:
    """What the latest column graphs of *run*'s project hold, of its own environment and of any.

    Production may have a catalog where a pull request has none, and the analyses of one not be the other's.
    """
    known: dict[str, list[tuple[int, str]]] = {}
    rows = store.query("known_columns", project=run.project_name, environment=run.environment)
    for lineage_id, name, ordinal in rows:
        names = known.setdefault(str(lineage_id), [])
        if name is not None:
            names.append((int(str(ordinal)), str(name)))
    return {lineage_id: tuple(name for _, name in sorted(names)) for lineage_id, names in known.items()}


def write_columns(store: StoreSession, pieces: ColumnPieces) -> int:
    """Write what is missing of a column graph, within the open transaction of a writer; how many analyses.

    Raises AnalysesGone where one is neither stored nor among *pieces*.
    """
    graph_id = pieces.column_graph_id
    if store.query("column_graph_stored", column_graph_id=graph_id):
        return 0
    store.insert("column_parts", PART_COLUMNS, ((graph_id, part) for part in pieces.parts))
    missing = names_of(store.query("missing_column_parts", column_graph_id=graph_id))
    rows = content.part_rows((part, pieces.parts[part]) for part in missing)
    store.insert("column_part_nodes", NODE_COLUMNS, rows)
    new = names_of(store.query("missing_analyses", column_graph_id=graph_id))
    if not all(map(pieces.analyses.__contains__, new)):
        raise AnalysesGone
    analyses = {lineage_id: pieces.analyses[lineage_id] for lineage_id in new}
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


def edge_rows(lineage_id: str, columns: NodeColumns) -> Iterator[Row]:
    """The rows of `column_edges`: outputs in order, one for each source, then what decides over rows."""
    edges = (*_output_edges(columns), *_use_edges(columns))
    return ((lineage_id, ordinal, *edge) for ordinal, edge in enumerate(edges, 1))


def _output_edges(columns: NodeColumns) -> Iterator[Row]:
    for output in columns.outputs:
        name, expression = storable(output.name), output.expression and storable(output.expression)
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
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    *,
    node_ids: Iterable[str] | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> dict[str, NodeColumns] | None:
    """The columns of the nodes of *run* by unique id: of those that *node_ids* name, or of all.

    None where the run was recorded without columns. A node that was not looked at is left out. Columns of one
    node under one name come back as one.
    """
    if run.column_graph_id is None:
        return None
    with open_store(adapter, schema) as store:
        return columns_of(store, run, node_ids)


def columns_of(
    store: StoreSession, run: RunMetadata, node_ids: Iterable[str] | None = None
) -> dict[str, NodeColumns]:
    """What `load_columns` gives, from an open store; nothing where there are no columns."""
    ids = None if node_ids is None else "\n".join(node_ids)
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in store.query("columns", column_graph_id=run.column_graph_id, ids=ids):
        found.setdefault(str(row[0]), []).append(row[1:])
    return {unique_id: _columns_of(found[unique_id]) for unique_id in sorted(found)}


def column_children(store: StoreSession, run: RunMetadata, parent_ids: Iterable[str]) -> list[ColumnEdge]:
    """What nodes of *run* read from those that *parent_ids* name, in no order."""
    return _edges(store, "column_children", run, parent_ids)


def column_parents(store: StoreSession, run: RunMetadata, node_ids: Iterable[str]) -> list[ColumnEdge]:
    """What those nodes of *run* that *node_ids* name read, in no order."""
    return _edges(store, "column_parents", run, node_ids)


def column_analyses(
    store: StoreSession, run: RunMetadata, node_ids: Iterable[str]
) -> dict[str, tuple[Tier, str | None]]:
    """The tier of those nodes that *node_ids* name, and why one has no columns.

    Nodes that were not looked at are left out.
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
    """The columns of one node, of its rows in any order."""
    tier, reason = rows[0][:2]
    outputs: dict[str, ColumnOutput] = {}
    sources: dict[str, list[ColumnSource]] = {}
    uses: list[ColumnUse] = []
    references: list[ColumnSource] = []
    for *_, name, parent, column, kind, expression, confidence in sorted(rows, key=_ordinal):
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


def _ordinal(row: tuple[Any, ...]) -> int:
    return row[2] or 0
