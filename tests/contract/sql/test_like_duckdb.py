"""Every view and every question of the cookbook gives on every warehouse what it gives on DuckDB."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from recce_meta.store import files

OF_EACH_STORE = ("recorded_at",)
"""Columns that two stores cannot have in common: when they were written."""
OF_EACH_WAREHOUSE = ("storage_used",)
"""Questions about the warehouse itself."""


def test_every_view_and_every_question_has_the_same_answer(
    store: Any, store_on_duckdb: Any, scan_too: Callable[[Any], Any]
) -> None:
    for one in (store, store_on_duckdb):
        scan_too(one)
    for view in files.views(store.adapter.warehouse.name):
        here, there = (
            table(*one.adapter.execute(f"SELECT * FROM {schema_of(one)}.{view.name}"))
            for one in (store, store_on_duckdb)
        )
        assert here == there, view.name
        assert there or view.name in NEEDS_MORE, view.name
    for question in files.cookbook(store.adapter.warehouse.name):
        if question.name not in OF_EACH_WAREHOUSE:
            here, there = (answer(one, question.name) for one in (store, store_on_duckdb))
            assert here == there, question.name


NEEDS_MORE = (
    "check_history",
    "column_diff_history",
    "column_profiles",
    "data_diff_history",
    "latest_row_counts",
    "row_count_history",
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
