"""Tables of an exchange: their columns, and which rows belong to which object or piece. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from recce_meta.models.marks.annotation import AnnotationEvent
from recce_meta.store import check_results, columns, content, data_diffs, quality, read, statistics, write
from recce_meta.store.marks import reviews
from recce_meta.sync.types import ObjectKind, Piece, Row


class ExchangeTable(NamedTuple):
    """Table of the store, named without its prefix."""

    columns: tuple[str, ...]
    """Columns in the order of a row; the first one is the id of the object or piece that a row belongs to."""
    times: frozenset[int]
    """Positions of timestamps, which are datetimes in UTC."""
    texts_of_json: frozenset[int]
    """Positions of columns that hold JSON, as text."""


TOMBSTONE_COLUMNS = ("run_id", "project_name", "deleted_at", "deleted_by", "reason", "recorder_version")
HASH_COLUMNS = ("run_id", "content_hash")
JSON_COLUMNS = frozenset(
    (
        "adapter_response", "args", "columns", "config", "contract", "criteria", "extraction", "failed_rows",
        "findings", "fqn", "job", "macros", "meta", "notes", "parameters", "parent_columns", "properties",
        "result", "tags", "unrendered_config", "value_kinds", "variables", "violations", "warnings",
    )
)  # fmt: skip
_TEXT_TIMES = frozenset(("completed_at",))
"""Columns with the name of a time that hold text."""


def _table(names: Sequence[str]) -> ExchangeTable:
    times = (place for place, name in enumerate(names) if name.endswith("_at") and name not in _TEXT_TIMES)
    texts = (place for place, name in enumerate(names) if name in JSON_COLUMNS)
    return ExchangeTable(tuple(names), frozenset(times), frozenset(texts))


TABLES: Mapping[str, ExchangeTable] = {
    name: _table(names)
    for name, names in (
        ("runs", write.RUN_COLUMNS),
        ("run_hashes", HASH_COLUMNS),
        ("run_results", write.RESULT_COLUMNS),
        ("source_freshness", read.FRESHNESS_COLUMNS),
        ("fact_parts", read.PART_COLUMNS),
        ("node_statistics", statistics.NODE_COLUMNS),
        ("column_statistics", statistics.COLUMN_COLUMNS),
        ("quality_runs", quality.RUN_COLUMNS),
        ("table_quality", quality.TABLE_COLUMNS),
        ("column_quality", quality.COLUMN_COLUMNS),
        ("column_top_values", quality.VALUE_COLUMNS),
        ("quality_metrics", quality.METRIC_COLUMNS),
        ("data_diffs", data_diffs.DIFF_COLUMNS),
        ("column_diffs", data_diffs.COLUMN_COLUMNS),
        ("check_results", check_results.COLUMNS),
        ("reviews", reviews.COLUMNS),
        ("annotation_events", AnnotationEvent.__struct_fields__),
        ("tombstones", TOMBSTONE_COLUMNS),
        ("graph_parts", content.PART_COLUMNS),
        ("part_nodes", content.NODE_COLUMNS),
        ("node_versions", content.VERSION_COLUMNS),
        ("version_parents", content.PARENT_COLUMNS),
        ("version_references", content.REFERENCE_COLUMNS),
        ("macro_sets", content.MACRO_SET_COLUMNS),
        ("macros", content.MACRO_COLUMNS),
        ("column_parts", columns.PART_COLUMNS),
        ("column_part_nodes", columns.NODE_COLUMNS),
        ("column_analyses", columns.ANALYSIS_COLUMNS),
        ("column_edges", columns.EDGE_COLUMNS),
        ("relation_facts", read.FACT_COLUMNS),
    )
}
"""Tables of an exchange, in the order of the statements of `sql/queries/exchange_rows.sql`."""

OBJECT_TABLES: Mapping[ObjectKind, tuple[str, ...]] = {
    ObjectKind.DELETION: ("tombstones",),
    ObjectKind.RUN: ("runs", "run_hashes", "run_results", "source_freshness", "fact_parts"),
    ObjectKind.COLUMNS: ("runs",),
    ObjectKind.STATISTICS: ("node_statistics", "column_statistics"),
    ObjectKind.QUALITY: (
        "quality_runs",
        "table_quality",
        "column_quality",
        "column_top_values",
        "quality_metrics",
    ),
    ObjectKind.DATA_DIFF: ("data_diffs", "column_diffs"),
    ObjectKind.CHECK_RESULT: ("check_results",),
    ObjectKind.REVIEW: ("reviews",),
    ObjectKind.ANNOTATION: ("annotation_events",),
}
"""Tables of each kind of object; the first column of each is the id of the object."""

PIECE_TABLES: Mapping[Piece, tuple[str, ...]] = {
    Piece.GRAPH: ("graph_parts",),
    Piece.PART: ("part_nodes",),
    Piece.VERSION: ("node_versions", "version_parents", "version_references"),
    Piece.MACRO_SET: ("macro_sets",),
    Piece.MACRO: ("macros",),
    Piece.COLUMN_GRAPH: ("column_parts",),
    Piece.COLUMN_PART: ("column_part_nodes",),
    Piece.ANALYSIS: ("column_analyses", "column_edges"),
    Piece.FACT_PART: ("relation_facts",),
}
"""Tables of each piece; the first column of each is the id of the piece."""


class Reference(NamedTuple):
    """Column that refers to pieces."""

    table: str
    column: str
    piece: Piece


RUN_REFERENCES = (
    Reference("runs", "graph_id", Piece.GRAPH),
    Reference("runs", "macro_set_id", Piece.MACRO_SET),
    Reference("fact_parts", "part_id", Piece.FACT_PART),
)
"""References of a run without its column lineage."""
COLUMNS_REFERENCES = (Reference("runs", "column_graph_id", Piece.COLUMN_GRAPH),)
"""References of the column lineage of a run."""
PIECE_REFERENCES: Mapping[Piece, Reference] = {
    Piece.GRAPH: Reference("graph_parts", "part_id", Piece.PART),
    Piece.PART: Reference("part_nodes", "version_id", Piece.VERSION),
    Piece.MACRO_SET: Reference("macro_sets", "version_id", Piece.MACRO),
    Piece.COLUMN_GRAPH: Reference("column_parts", "part_id", Piece.COLUMN_PART),
    Piece.COLUMN_PART: Reference("column_part_nodes", "lineage_id", Piece.ANALYSIS),
}
"""References between pieces."""


def column_position(table: str, column: str) -> int:
    """Return the position of *column* in the rows of *table*."""
    return TABLES[table].columns.index(column)


def values_of(rows: Iterable[Row], table: str, column: str) -> set[str]:
    """Return the values of *column* in *rows* of *table*, without NULL."""
    place = column_position(table, column)
    return {row[place] for row in rows if row[place] is not None}


def fields_of(table: str, row: Row) -> dict[str, Any]:
    """Return the values of *row* of *table* by column."""
    return dict(zip(TABLES[table].columns, row, strict=True))
