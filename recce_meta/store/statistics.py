"""Statistics of a run's nodes: written with the run or added later, and read back.

Stored statistics never change: later statistics only add what a run lacks. A node's rows are counted
once, and all its columns are profiled together once. If there are several writers, the figures of the
first one stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.models import RunMetadata
from recce_meta.models.stored import ColumnStatistics, NodeStatistics, StatisticsSummary
from recce_meta.store.content import Row
from recce_meta.store.read import in_utc, require_run
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import FIGURES, profile_fields, profile_from, storable

NODE_COLUMNS = ("run_id", "unique_id", "row_count", "counted_at", "reason", "profile_reason")
COLUMN_COLUMNS = (
    "run_id", "unique_id", "ordinal", "column_name", "column_type", "profiled_at", "row_count",
    "not_null_count", "distinct_count", "is_approximate", *(f"{name}_value" for name in FIGURES),
    *(f"{name}_number" for name in FIGURES), "value_kinds", "true_count", "min_length", "max_length",
    "average_length",
)  # fmt: skip


class StatisticsWritten(Struct, frozen=True, kw_only=True):
    """Number of nodes with new statistics; the rest was already stored."""

    nodes_counted: int = 0
    nodes_profiled: int = 0


def write_statistics(
    adapter: UnifiedSqlAdapter, run: RunMetadata, statistics: Iterable[NodeStatistics]
) -> StatisticsWritten:
    """Add the *statistics* that *run* lacks, in one transaction; stored statistics are not changed.

    Waits for other writers. Raises StoreError if *run* is not in the store.
    """
    # An iterator would be empty when `work` runs again after a conflict.
    listed = tuple(statistics)

    def work() -> StatisticsWritten:
        with open_store(adapter, writes=True) as store:
            require_run(store, run.run_id, "statistics")
            return add_statistics(store, run.run_id, listed)

    return retrying(adapter, work)


def add_statistics(
    store: StoreSession, run_id: str, statistics: Sequence[NodeStatistics]
) -> StatisticsWritten:
    """Add the *statistics* that the run lacks, within the open transaction of a writer."""
    if not statistics:
        return StatisticsWritten()
    kept = read_statistics(store, run_id, {node.unique_id for node in statistics})
    merged = dict(kept)
    for node in statistics:
        known = merged.get(node.unique_id)
        merged[node.unique_id] = node if known is None else known.with_missing_from(node)
    steps = [(kept.get(unique_id), node) for unique_id, node in merged.items()]
    rows = [
        _node_row(run_id, after)
        for before, after in steps
        if before is None or _node_row(run_id, before) != _node_row(run_id, after)
    ]
    profiled = [after for before, after in steps if after.columns and not (before and before.columns)]
    if profiled:  # written before their nodes, because a warehouse without transactions may stop here
        columns = (row for node in profiled for row in column_rows(run_id, node))
        store.insert("column_statistics", COLUMN_COLUMNS, columns)
    # A bulk insert cannot update, so a changed row is deleted first.
    if kept:
        store.execute("delete_node_statistics", run_id=run_id, ids="\n".join(str(row[1]) for row in rows))
    if rows:
        store.insert("node_statistics", NODE_COLUMNS, rows)
    counted = sum(
        after.row_count is not None and (before is None or before.row_count is None)
        for before, after in steps
    )
    return StatisticsWritten(nodes_counted=counted, nodes_profiled=len(profiled))


def load_statistics(
    adapter: UnifiedSqlAdapter, run: RunMetadata, unique_ids: Iterable[str] | None = None
) -> dict[str, NodeStatistics]:
    """Return the stored statistics of *run* by unique id; only of *unique_ids* if given. Times are in UTC."""
    with open_store(adapter) as store:
        return read_statistics(store, run.run_id, unique_ids)


def count_statistics(adapter: UnifiedSqlAdapter, run: RunMetadata) -> StatisticsSummary:
    """Return how many statistics are stored for *run*, without reading them."""
    with open_store(adapter) as store:
        return statistics_of(store, run.run_id)


def statistics_of(store: StoreSession, run_id: str) -> StatisticsSummary:
    """Return the result of `count_statistics` from an open store."""
    (found,) = store.query("statistics_kept", run_id=run_id)
    counted, uncounted, profiled, columns, first, last = found
    return StatisticsSummary(
        nodes_counted=int(str(counted)),
        nodes_not_counted=int(str(uncounted)),
        nodes_profiled=int(str(profiled)),
        columns_profiled=int(str(columns)),
        first_counted_at=in_utc(first),
        last_counted_at=in_utc(last),
    )


def read_statistics(
    store: StoreSession, run_id: str, unique_ids: Iterable[str] | None
) -> dict[str, NodeStatistics]:
    """Return the result of `load_statistics` from an open store."""
    binds = {"run_id": run_id, "ids": None if unique_ids is None else "\n".join(unique_ids)}
    return statistics_from(store.query("node_statistics", **binds), store.query("column_statistics", **binds))


def statistics_from(nodes: Iterable[Row], columns: Iterable[Row]) -> dict[str, NodeStatistics]:
    """Return the statistics in rows of `node_statistics` and `column_statistics` by unique id.

    The rows have neither the run nor the ordinal; those of *columns* are in order.
    """
    profiles: dict[str, tuple[datetime, list[ColumnStatistics]]] = {}
    for row in columns:
        unique_id, profiled_at, column = _column_of(row)
        profiles.setdefault(unique_id, (profiled_at, []))[1].append(column)
    ordered = sorted(nodes, key=lambda row: str(row[0]))
    return {str(row[0]): _node_of(row, profiles.get(str(row[0]))) for row in ordered}


def _node_row(run_id: str, node: NodeStatistics) -> Row:
    reasons = (reason and storable(reason) for reason in (node.reason, node.profile_reason))
    return (run_id, node.unique_id, node.row_count, node.counted_at, *reasons)


def column_rows(run_id: str, node: NodeStatistics) -> Iterable[Row]:
    """Yield the rows of `column_statistics` of *node*, in the order of `COLUMN_COLUMNS`."""
    profiled_at = node.profiled_at or node.counted_at
    for ordinal, column in enumerate(node.columns, 1):
        kind, *figures = profile_fields(column.profile)
        yield (run_id, node.unique_id, ordinal, storable(column.name), kind, profiled_at, *figures)


def _node_of(row: tuple[Any, ...], profile: tuple[datetime, list[ColumnStatistics]] | None) -> NodeStatistics:
    unique_id, row_count, counted_at, reason, profile_reason = row
    return NodeStatistics(
        unique_id=unique_id,
        row_count=row_count,
        counted_at=counted_at.astimezone(timezone.utc),
        reason=reason,
        profiled_at=profile[0] if profile else None,
        columns=tuple(profile[1]) if profile else (),
        profile_reason=profile_reason,
    )


def _column_of(row: tuple[Any, ...]) -> tuple[str, datetime, ColumnStatistics]:
    unique_id, name, column_type, profiled_at, *figures = row
    statistics = ColumnStatistics(name=name, profile=profile_from((column_type, *figures)))
    return unique_id, profiled_at.astimezone(timezone.utc), statistics
