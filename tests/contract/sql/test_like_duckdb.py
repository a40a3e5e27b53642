"""Every view and every question of the cookbook gives on every warehouse what it gives on DuckDB."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from recce_meta.models.marks.annotation import AnnotationEvent, with_id
from recce_meta.store import sql_files
from recce_meta.store.marks.annotations import insert_events
from recce_meta.store.prune import Tombstone, apply_tombstones
from recce_meta.store.session import open_store
from recce_meta.sync.history import save_sync
from recce_meta.sync.types import SyncRecord
from tests.proofs import sampled

pytestmark = [pytest.mark.emulated, pytest.mark.core("postgres", "sqlite")]

OF_EACH_STORE = ("recorded_at",)
"""Columns that two stores cannot have in common: when they were written."""
OF_EACH_WAREHOUSE = ("storage_used",)
"""Questions about the warehouse itself."""


@pytest.mark.timeout(1800)  # hundreds of statements, of which Spark takes seconds for each
def test_every_view_and_every_question_has_the_same_answer(
    own_store: Any, store_on_duckdb: Any, scan_too: Callable[[Any], Any]
) -> None:
    store = own_store
    for one in (store, store_on_duckdb):
        scan_too(one)
        add_marks(one)
    warehouse = store.adapter.warehouse.name
    step = sampled(1, 4) if warehouse == "databricks" else 1  # Spark takes a second for each
    for view in sql_files.views(warehouse)[::step]:
        here, there = (
            table(*one.adapter.execute(f"SELECT * FROM {schema_of(one)}.{view.name}"))
            for one in (store, store_on_duckdb)
        )
        assert here == there, view.name
        assert there or view.name in NEEDS_MORE, view.name
    for question in sql_files.cookbook(warehouse)[::step]:
        if question.name not in OF_EACH_WAREHOUSE:
            here, there = (answer(one, question.name) for one in (store, store_on_duckdb))
            assert here == there, question.name


AT = datetime(2026, 11, 1, 10, tzinfo=timezone.utc)


def annotation(value: str | None, wall_ms: int, **fields: Any) -> AnnotationEvent:
    return with_id(
        AnnotationEvent(
            event_id="",
            project_name="shop",
            unique_id="model.shop.orders",
            value=value,
            author="ada",
            wall_ms=wall_ms,
            counter=0,
            writer_id="w",
            recorder_version="0",
            **{"field": "note", **fields},
        )
    )


def add_marks(store: Any) -> None:
    """Add annotations, the tombstone of another run, and an exchange."""
    events = (
        annotation("first", 1),
        annotation("second, ünï", 2),
        annotation("of a column", 3, column_name="id"),
        annotation("of an edge", 3, parent_id="model.shop.raw"),
        annotation("true", 4, field="tag", item="core"),
        annotation(None, 5, field="tag", item="core"),
    )
    gone = Tombstone(
        run_id="gone",
        project_name="shop",
        deleted_at=AT,
        deleted_by="ada",
        reason="prune --keep-last 1",
        recorder_version="0",
    )
    with open_store(store.adapter.at(store.schema), writes=True) as opened:
        insert_events(opened, events)
        apply_tombstones(opened, [gone])
    exchanged = SyncRecord(
        sync_id="1",
        started_at=AT,
        finished_at=AT,
        direction="push",
        peer="team",
        author="ada",
        sent=1,
        received=0,
        conflicts=0,
        skipped=0,
        failed=0,
        status="success",
        recorder_version="0",
    )
    assert save_sync(store.adapter.at(store.schema), exchanged)


NEEDS_MORE = (
    "check_history",
    "column_diff_history",
    "column_profiles",
    "column_statistics",
    "data_diff_history",
    "freshness_history",
    "latest_freshness",
    "latest_row_counts",
    "node_statistics",
    "reviews",
    "row_count_history",
    "source_freshness",
    "sync_conflicts",
)
"""Views of what is kept with a run, which this history has none of."""


def schema_of(store: Any) -> str:
    adapter = store.adapter
    return str(adapter.quote_identifier(adapter.warehouse.folded(store.schema)))


def answer(store: Any, question: str) -> list[str]:
    rows = store.answer(question)
    columns = list(rows[0]) if rows else []
    return table(columns, [tuple(row.values()) for row in rows])


def table(columns: list[str], rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """The rows in words that do not tell one warehouse from another, in no order."""
    kept = [place for place, name in enumerate(columns) if name.lower() not in OF_EACH_STORE]
    named = [{columns[place].lower(): plain(row[place]) for place in kept} for row in rows]
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in named)


def plain(value: Any) -> Any:
    """*value* as it is everywhere: JSON as values, numbers as one kind, times in UTC."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or timezone.utc).astimezone(timezone.utc).isoformat()
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return round(float(value), 6)
    return value
