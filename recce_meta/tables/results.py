"""Columns and rows of each type of result; a type that is not listed has one row, its fields.

CSV, TSV, data frames and notebooks have the same columns. Columns are only added, at the end, and never
change their meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import singledispatch

from recce_meta.models.change import Change, ColumnChange, Impact, Reach, RunDiff, ScanReport, Status
from recce_meta.models.checks import CheckReport
from recce_meta.models.data_diff import (
    Failed,
    HistogramDiff,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.lineage import FailingNode, ImpactView, LineageView, ReachedNode, Stop
from recce_meta.models.node import NodeMetadata
from recce_meta.models.quality import ColumnQuality, MetricResult, Quality, TableQuality
from recce_meta.models.rows import RowTable, Scalar, Tabular
from recce_meta.models.run import Project
from recce_meta.tables import data as data_tables
from recce_meta.tables.arrow import arrow_table, polars_frame
from recce_meta.tables.rows import field_row, field_types, html_of, joined, scalar

__all__ = ["arrow_table", "column_types", "html_of", "polars_frame", "table_of"]

Row = tuple[Scalar, ...]


# Functions instead of methods, so that the types of results load without their columns.
@singledispatch
def table_of(result: Tabular) -> RowTable:
    """Return the columns and rows of *result*."""
    return RowTable(field_types(type(result)), [field_row(result)])


CHANGES: Mapping[str, type] = {
    "status": str,
    "unique_id": str,
    "name": str,
    "resource_type": str,
    "path": str,
    "reasons": str,
    "category": str,
    "category_reasons": str,
    "columns": str,
    "distance": int,
    "origins": str,
    "reach": str,
    "affected_columns": str,
    "confidence": float,
    "fails": bool,
}
"""Columns of a diff: one row for each changed node, and one with the status `impacted` for each affected."""
IMPACTED = "impacted"


def column_types(kind: type[Tabular]) -> Mapping[str, type]:
    """Return the columns of results of type *kind*."""
    if issubclass(kind, (Change, Impact)):
        return CHANGES
    diff = str(kind.__struct_config__.tag)
    return data_tables.data_types(diff) if diff in data_tables.COLUMNS else field_types(kind)


@table_of.register
def _(result: RunDiff) -> RowTable:
    return RowTable(CHANGES, [node_row(one) for one in nodes_of(result)])


def nodes_of(diff: RunDiff) -> list[Change | Impact]:
    """Return the changed nodes of *diff*, then the affected nodes."""
    return [*diff.changed, *diff.impacted]


@table_of.register
def _(result: ScanReport) -> RowTable:
    return RowTable(CHANGES, []) if result.diff is None else table_of(result.diff)


@table_of.register(Change)
@table_of.register(Impact)
def _(result: Change | Impact) -> RowTable:
    return RowTable(CHANGES, [node_row(result)])


def node_row(node: Change | Impact) -> Row:
    """Return the values of the columns CHANGES."""
    if isinstance(node, Impact):
        named = (IMPACTED, node.unique_id, node.name, node.resource_type, *[None] * 5)
        reach = (scalar(node.reach), joined(node.columns), node.confidence, node.fails)
        return (*named, node.distance, node.origin, *reach)
    reached = node.reached
    # None instead of an empty text, so that data frames show a missing value.
    named = (node.status.value, node.unique_id, node.name, node.resource_type, node.path or None)
    reasons = (joined(node.reasons), scalar(node.category), joined(node.category_reasons))
    effects: Row = (None,) * 5
    if reached is not None:
        effects = (joined(reached.origins), reached.reach.value, joined(reached.columns))
        effects += (reached.confidence, reached.fails)
    return (*named, *reasons, _columns(node.columns), None, *effects)


def _columns(columns: Sequence[ColumnChange]) -> str | None:
    """Return `amount modified; id removed, renamed to order_id`."""
    # The new name of a renamed column is part of the text of the removed one.
    renamed = {column.renamed_to for column in columns if column.renamed_to is not None}
    return joined(
        f"{column.name} {column.status.value}"
        + (f", renamed to {column.renamed_to}" if column.renamed_to is not None else "")
        for column in columns
        if column.name not in renamed or column.status is not Status.ADDED
    )


@table_of.register
def _(result: Project) -> RowTable:
    return RowTable(field_types(NodeMetadata), [field_row(node) for node in result.nodes])


NODES: Mapping[str, type] = {"unique_id": str, "name": str, "resource_type": str, "distance": int}
"""First columns of a lineage; `distance` is negative upstream and positive downstream."""
LINEAGE: Mapping[str, type] = {**NODES, "parents": str}
"""Columns of a lineage: one row for each node, from the farthest upstream to the farthest downstream."""


@table_of.register
def _(result: LineageView) -> RowTable:
    parents: dict[str, list[str]] = {}
    for edge in sorted(result.edges):
        parents.setdefault(edge.node_id, []).append(edge.parent_id)
    rows = [
        (one.unique_id, one.name, one.resource_type, one.distance, joined(parents.get(one.unique_id, ())))
        for one in sorted(result.nodes, key=lambda node: (node.distance, node.unique_id))
    ]
    return RowTable(LINEAGE, rows)


IMPACT: Mapping[str, type] = {
    **NODES,
    "reach": str,
    "column": str,
    "confidence": float,
    "fails": bool,
    "path": str,
    "reason": str,
}
"""Columns of an impact: one row for each affected column, and for each node that is affected as a whole.

`fails` is None if it is unknown which nodes fail."""


@table_of.register
def _(result: ImpactView) -> RowTable:
    failing = None if result.fails is None else {one.unique_id for one in result.fails}
    rows = [row for node in result.nodes for row in _reached(node, failing)]
    # A removed column may fail nodes that a changed value does not reach.
    known = {node.unique_id for node in result.nodes}
    rows += [_failing(one) for one in result.fails or () if one.unique_id not in known]
    return RowTable(IMPACT, rows)


def _reached(node: ReachedNode, failing: set[str] | None) -> Iterator[Row]:
    named = (node.unique_id, node.name, node.resource_type)
    fails = None if failing is None else node.unique_id in failing
    rest = (fails, _path(node.path), node.reason)
    wholes: list[str | None] = [reach.value for reach in node.reach if reach is not Reach.COLUMNS]
    if not wholes and not node.columns:
        wholes.append(None)
    for reach in wholes:
        yield (*named, node.distance, reach, None, node.confidence, *rest)
    for column in node.columns:
        yield (*named, column.distance, column.reach.value, column.name, column.confidence, *rest)


def _failing(node: FailingNode) -> Row:
    named = (node.unique_id, node.name, node.resource_type, node.distance)
    return (*named, None, None, node.confidence, True, _path(node.path), None)


def _path(path: Sequence[Stop]) -> str:
    stops = (stop.unique_id if stop.column is None else f"{stop.unique_id}.{stop.column}" for stop in path)
    return " > ".join(stops)


CHECKS: Mapping[str, type] = {
    "name": str,
    "type": str,
    "status": str,
    "optional": bool,
    "has_expectations": bool,
    "seconds": float,
    "message": str,
    "hint": str,
    "violations": str,
    "where": str,
    "description": str,
}
"""Columns of a report of checks: one row for each check."""


@table_of.register
def _(result: CheckReport) -> RowTable:
    rows = [
        (
            *(one.name, one.type or None, one.status.value, one.optional, one.has_expectations, one.seconds),
            *(one.message or None, one.hint, joined(one.violations), one.where or None),
            one.description or None,
        )
        for one in result.checks
    ]
    return RowTable(CHECKS, rows)


@table_of.register(RowCountDiff)
@table_of.register(SchemaDiff)
@table_of.register(ValueDiff)
@table_of.register(ProfileDiff)
@table_of.register(TopKDiff)
@table_of.register(HistogramDiff)
def _(
    result: RowCountDiff | SchemaDiff | ValueDiff | ProfileDiff | TopKDiff | HistogramDiff,
) -> RowTable:
    return data_tables.data_table([result], str(type(result).__struct_config__.tag))


table_of.register(ValueDetail, data_tables.detail_table)
table_of.register(RowsDiff, data_tables.rows_table)
table_of.register(QueryDiff, data_tables.query_table)
table_of.register(Failed, data_tables.unfinished_table)
table_of.register(NotCompared, data_tables.unfinished_table)

QUALITY_FIGURES: Mapping[str, type] = {
    "score": float,
    "row_count": int,
    "column_count": int,
    "null_count": int,
    "null_share": float,
    "blank_count": int,
    "distinct_count": int,
    "distinct_share": float,
    "min": object,
    "max": object,
    "mean": object,
    "median": object,
    "true_count": int,
    "min_length": int,
    "max_length": int,
    "avg_length": float,
    "metrics": str,
    "reason": str,
}
"""Figures of a table or column; `metrics` are the custom ones, as JSON."""
QUALITY: Mapping[str, type] = {
    "unique_id": str,
    "table": str,
    "relation": str,
    "column": str,
    "measured_at": datetime,
    **QUALITY_FIGURES,
}
"""Columns of a measurement: one row without `column` for each table, followed by its columns."""


@table_of.register
def _(result: Quality) -> RowTable:
    return RowTable(QUALITY, [row for table in result.tables for row in _quality_rows(table)])


def _quality_rows(table: TableQuality) -> Iterator[Row]:
    named = (table.unique_id, table.name, table.relation)
    yield (*named, None, table.measured_at, *quality_figures(table))
    for column in table.columns:
        yield (*named, column.name, table.measured_at, *quality_figures(column))


def quality_figures(subject: TableQuality | ColumnQuality) -> Row:
    """Return the values of the columns QUALITY_FIGURES."""
    last = (_metrics(subject.metrics), _reasons(subject))
    if isinstance(subject, TableQuality):
        count = subject.column_count if subject.columns else None
        return (subject.score, subject.row_count, count, *[None] * 13, *last)
    profile = subject.profile
    shares = (subject.null_count, subject.null_share, subject.blank_count)
    if profile is None:
        return (subject.score, None, None, *shares, *[None] * 10, *last)
    return (
        *(subject.score, profile.row_count, None, *shares),
        *(profile.distinct_count, subject.distinct_share),
        *map(scalar, (profile.min, profile.max, profile.avg, profile.median)),
        *(profile.true_count, profile.min_length, profile.max_length, scalar(profile.avg_length)),
        *last,
    )


def _metrics(metrics: Sequence[MetricResult]) -> str | None:
    text: str | None = scalar({metric.name: metric.value for metric in metrics}) if metrics else None
    return text


def _reasons(subject: TableQuality | ColumnQuality) -> str | None:
    """Return why figures are missing, and why metrics are."""
    own = [subject.reason] if subject.reason else []
    return joined([*own, *(f"{one.name}: {one.reason}" for one in subject.metrics if one.reason)])
