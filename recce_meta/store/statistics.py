"""Statistics of a run's nodes, written with the run or added to it later, and read back.

What is kept never changes: of statistics that come later, only what a run lacks is written. A node's rows
are counted once, and its columns profiled once, all of them together. Several writers leave the figures of
the one that came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreError
from recce_meta.models import RunMetadata
from recce_meta.models.data_diff import Profile, Value
from recce_meta.models.statistics import ColumnStatistics, NodeStatistics, StatisticsKept
from recce_meta.store.content import Row
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.read import run_by_id
from recce_meta.store.retry import retrying
from recce_meta.store.rows import in_utc
from recce_meta.store.values import kind_and_text, number_of, storable, value_of

NODE_COLUMNS = ("run_id", "unique_id", "row_count", "counted_at", "reason", "profile_reason")
FIGURES = ("min", "max", "average", "median")
"""What is kept as text and as a number; `value_kinds` has these names."""
COLUMN_COLUMNS = (
    "run_id", "unique_id", "ordinal", "column_name", "column_type", "profiled_at", "row_count",
    "not_null_count", "distinct_count", "is_approximate", *(f"{name}_value" for name in FIGURES),
    *(f"{name}_number" for name in FIGURES), "value_kinds", "true_count", "min_length", "max_length",
    "average_length",
)  # fmt: skip

_kinds = msgspec.json.Decoder(dict[str, str]).decode


class StatisticsWritten(Struct, frozen=True, kw_only=True):
    """What was written of statistics; the rest was there before."""

    nodes_counted: int = 0
    nodes_profiled: int = 0


def write_statistics(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    statistics: Iterable[NodeStatistics],
    *,
    schema: str = DEFAULT_SCHEMA,
) -> StatisticsWritten:
    """Add to *run* what it lacks of *statistics*, in one transaction; what it has stays as it is.

    Other writers are waited for. Raises StoreError where *run* is not in the store.
    """
    listed = tuple(statistics)

    def work() -> StatisticsWritten:
        with open_store(adapter, schema, writes=True) as store:
            if run_by_id(store, run.run_id) is None:
                raise StoreError(
                    f"Run {run.run_id} is not in the store: nothing can be kept with it",
                    hint="recce-meta record writes it, recce-meta runs lists those that are there",
                )
            return add_statistics(store, run.run_id, listed)

    return retrying(work)


def add_statistics(
    store: StoreSession, run_id: str, statistics: Sequence[NodeStatistics]
) -> StatisticsWritten:
    """Add to the run what it lacks of *statistics*, within the open transaction of a writer."""
    if not statistics:
        return StatisticsWritten()
    kept = kept_statistics(store, run_id, {node.unique_id for node in statistics})
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
    if profiled:  # before the nodes that they belong to, for who has no transactions and stops here
        columns = (row for node in profiled for row in _column_rows(run_id, node))
        store.insert("column_statistics", COLUMN_COLUMNS, columns)
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
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    unique_ids: Iterable[str] | None = None,
    *,
    schema: str = DEFAULT_SCHEMA,
) -> dict[str, NodeStatistics]:
    """What is kept with *run* by unique id: of the nodes that *unique_ids* name, or of all; times in UTC."""
    with open_store(adapter, schema) as store:
        return kept_statistics(store, run.run_id, unique_ids)


def statistics_kept(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> StatisticsKept:
    """How much is kept with *run*, without reading it."""
    with open_store(adapter, schema) as store:
        (found,) = store.query("statistics_kept", run_id=run.run_id)
    counted, uncounted, profiled, columns, first, last = found
    return StatisticsKept(
        nodes_counted=int(str(counted)),
        nodes_not_counted=int(str(uncounted)),
        nodes_profiled=int(str(profiled)),
        columns_profiled=int(str(columns)),
        first_counted_at=in_utc(first),
        last_counted_at=in_utc(last),
    )


def kept_statistics(
    store: StoreSession, run_id: str, unique_ids: Iterable[str] | None
) -> dict[str, NodeStatistics]:
    """What `load_statistics` gives, from an open store."""
    binds = {"run_id": run_id, "ids": None if unique_ids is None else "\n".join(unique_ids)}
    profiles: dict[str, tuple[datetime, list[ColumnStatistics]]] = {}
    for row in store.query("column_statistics", **binds):
        unique_id, profiled_at, column = _column_of(row)
        profiles.setdefault(unique_id, (profiled_at, []))[1].append(column)
    nodes: dict[str, NodeStatistics] = {}
    for row in sorted(store.query("node_statistics", **binds), key=lambda row: str(row[0])):
        node = _node_of(row, profiles.get(str(row[0])))
        nodes[node.unique_id] = node
    return nodes


def _node_row(run_id: str, node: NodeStatistics) -> Row:
    reasons = (reason and storable(reason) for reason in (node.reason, node.profile_reason))
    return (run_id, node.unique_id, node.row_count, node.counted_at, *reasons)


def _column_rows(run_id: str, node: NodeStatistics) -> Iterable[Row]:
    profiled_at = node.profiled_at or node.counted_at
    for ordinal, column in enumerate(node.columns, 1):
        profile = column.profile
        values = (profile.min, profile.max, profile.avg, profile.median)
        texts = [None if value is None else kind_and_text(value) for value in values]
        kinds = {name: text[0] for name, text in zip(FIGURES, texts, strict=True) if text}
        yield (
            run_id,
            node.unique_id,
            ordinal,
            storable(column.name),
            storable(profile.type),
            profiled_at,
            profile.row_count,
            profile.not_null_count,
            profile.distinct_count,
            profile.is_approximate,
            *(text and text[1] for text in texts),
            *map(number_of, values),
            msgspec.json.encode(kinds).decode(),
            profile.true_count,
            profile.min_length,
            profile.max_length,
            profile.avg_length,
        )


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
    (
        unique_id, name, column_type, profiled_at, row_count, not_null_count, distinct_count, is_approximate,
        *texts, value_kinds, true_count, min_length, max_length, average_length,
    ) = row  # fmt: skip
    kinds = _kinds(value_kinds)
    smallest, largest, average, median = (
        _value(kinds.get(figure), text) for figure, text in zip(FIGURES, texts, strict=True)
    )
    profile = Profile(
        type=column_type,
        row_count=row_count,
        not_null_count=not_null_count,
        distinct_count=distinct_count,
        is_approximate=is_approximate,
        min=smallest,
        max=largest,
        avg=average,
        median=median,
        true_count=true_count,
        min_length=min_length,
        max_length=max_length,
        avg_length=average_length,
    )
    return unique_id, profiled_at.astimezone(timezone.utc), ColumnStatistics(name=name, profile=profile)


def _value(kind: str | None, text: str | None) -> Value:
    return None if kind is None or text is None else value_of(kind, text)
