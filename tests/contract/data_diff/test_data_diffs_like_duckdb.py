"""The same two tables give the same answers on every warehouse: each kind of data diff, beside DuckDB's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import recce_meta
from recce_meta import UnifiedSqlAdapter
from recce_meta.warehouses import OneMoment
from recce_meta.warehouses.dialect import dialect_named
from tests.spelling import Spelling, spelling_of

pytestmark = pytest.mark.emulated

COLUMNS = {
    "id": "integer",
    "name": "text",
    "price": "decimal(12, 2)",
    "ratio": "double precision",
    "flag": "boolean",
    "day": "date",
    "moment": "timestamp",
    "instant": "timestamptz",
}
UTC = timezone.utc
DECIMAL = re.compile(r"-?\d+\.\d+")


def row(number: int, name: str | None, price: str | None, ratio: float | None = 0.5) -> tuple[Any, ...]:
    moment = datetime(2026, 1, number, 12, 30, 15)
    cents = None if price is None else Decimal(price)
    return (
        number,
        name,
        cents,
        ratio,
        number % 2 == 0,
        date(2026, 1, number),
        moment,
        moment.replace(tzinfo=UTC),
    )


BASE = [
    row(1, "a", "1.50"),
    row(2, "b", "2.50"),
    row(3, None, None),
    row(4, "é'", "-7.25", None),
    row(5, "x", "0"),
]
CURRENT = [
    row(1, "a", "1.50"),
    row(2, "B", "2.51"),
    row(3, "c", None),
    row(4, "é'", None, 1e100),
    row(6, "x", "9"),
]

OF_EACH_WAREHOUSE = frozenset(
    {"type", "base_type", "current_type", "subject", "relation", "estimated", "base_sql", "current_sql"}
)
"""What is said of types and relations in each warehouse's own words."""


@pytest.fixture
def pairs(
    adapter: UnifiedSqlAdapter, schema: str, backend: Any, tmp_path: Path
) -> Iterator[list[tuple[UnifiedSqlAdapter, str, str]]]:
    """The adapter and both tables, here and on DuckDB."""
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'beside.duckdb'}") as other:
        yield [made(adapter, schema, backend.spelling), made(other, "main", spelling_of("duckdb"))]


def made(adapter: UnifiedSqlAdapter, schema: str, spelling: Spelling) -> tuple[UnifiedSqlAdapter, str, str]:
    names = (adapter.quote_table(schema, "before"), adapter.quote_table(schema, "after"))
    for name, rows in zip(names, (BASE, CURRENT), strict=True):
        spelling.create_table(adapter, name, COLUMNS, rows)
    return adapter, *names


def test_every_kind_of_diff_gives_the_same(pairs: list[tuple[UnifiedSqlAdapter, str, str]]) -> None:
    is_exact = dialect_named(pairs[0][0].warehouse.dialect).aggregates.has_exact_median
    left_out = OF_EACH_WAREHOUSE if is_exact else OF_EACH_WAREHOUSE | {"median", "notes"}
    if pairs[0][0].one_moment is OneMoment.NEVER:
        left_out |= {"notes"}
    here, there = (answers(*pair, left_out) for pair in pairs)

    for kind, answer in there.items():
        assert here[kind] == answer, kind


def answers(adapter: UnifiedSqlAdapter, base: str, current: str, left_out: frozenset[str]) -> dict[str, Any]:
    """What each function says of the two tables, in words that no warehouse is known by."""
    sql = "SELECT id, name, price FROM {} WHERE id < 5"
    found = {
        "row counts": recce_meta.row_count_diff(adapter, [(base, current)]),
        "columns": recce_meta.schema_diff(adapter, base, current).changed,
        "values by key": recce_meta.value_diff(adapter, base, current, key="id"),
        "rows that differ": recce_meta.value_diff_detail(adapter, base, current, key="id"),
        "whole rows": recce_meta.value_diff(adapter, base, current),
        "profiles": recce_meta.profile_diff(adapter, base, current),
        "top values": recce_meta.top_k_diff(
            adapter, base, current, scope=recce_meta.FigureScope(columns=("name", "flag", "day"))
        ),
        "histograms": recce_meta.histogram_diff(
            adapter, base, current, scope=recce_meta.FigureScope(columns=("price", "day", "instant"))
        ),
        "queries": recce_meta.query_diff(adapter, sql.format(base), sql.format(current), key="id"),
    }
    return {
        kind: plain(msgspec.to_builtins(result, enc_hook=str), left_out) for kind, result in found.items()
    }


def plain(value: Any, left_out: frozenset[str]) -> Any:
    """*value* without what is *left_out*, and its numbers of one kind."""
    if isinstance(value, dict):
        kept = {key: plain(each, left_out) for key, each in value.items() if key not in left_out}
        if isinstance(rows := kept.get("rows"), list):  # those without a key come in the order of hashes
            rows.sort(key=str)
        if isinstance(kept.get("median"), str):  # of moments: Databricks has none
            kept["median"] = None
        return {key: each for key, each in kept.items() if not isinstance(each, str) or '"' not in each}
    if isinstance(value, (list, tuple)):
        return [plain(each, left_out) for each in value]
    if isinstance(value, float):
        # An average of decimals has some four digits more than they have, in most warehouses.
        return json.loads(f"{value:.6g}") if abs(value) < float("inf") else str(value)
    if isinstance(value, str) and DECIMAL.fullmatch(value):  # BigQuery keeps no zeros at its end
        return value.rstrip("0").rstrip(".")
    return value
