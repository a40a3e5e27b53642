"""Rows on their way into BigQuery: how many requests they need, how values are written. No server here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from recce_meta.errors import WarehouseError
from recce_meta.warehouses.bigquery.driver import (
    BATCH_BYTES,
    MOST_BYTES,
    _batches,
    _from_json,
    _parameter_type,
    interval,
)

REQUEST = 10 * 1024 * 1024
"""https://cloud.google.com/bigquery/quotas#query_jobs"""


def batches(rows: Iterable[Sequence[object]]) -> list[str]:
    return list(_batches(rows, "`d`.`t`", ("id", "body")))


@pytest.mark.parametrize("character", ["x", '"', "\\", "é", "漢", "🦆", "\n"])
def test_every_batch_fits_a_request_whatever_its_text(character: str) -> None:
    found = batches((str(number), character * 1000) for number in range(4000))

    assert all(len(json.dumps(batch)) < REQUEST - 500_000 for batch in found)
    assert sum(len(json.loads(batch)) for batch in found) == 4000


def test_round_trips_grow_with_bytes_and_not_with_rows() -> None:
    """20,000 tests with their SQL, some 30 MB."""
    test = "select * from shop.orders where order_id is null -- " + "x" * 1400

    many = batches((f"test.shop.not_null_{number}", test) for number in range(20_000))
    few = batches((f"test.shop.not_null_{number}", test * 100) for number in range(200))

    assert len(many) <= 6
    assert abs(len(many) - len(few)) <= 1


def test_small_rows_are_one_statement_and_no_rows_are_none() -> None:
    assert len(batches((str(number), None) for number in range(20_000))) == 1
    assert batches([]) == []


def test_a_row_that_no_request_can_hold_is_refused_by_name() -> None:
    with pytest.raises(WarehouseError, match=r"Row too long for `d`\.`t`: .*; BigQuery's limit") as caught:
        batches([("model.shop.huge", "x" * (MOST_BYTES + 1))])

    assert "model.shop.huge" in (caught.value.hint or "")
    assert len(batches([("a", "x" * BATCH_BYTES), ("b", "x" * BATCH_BYTES)])) == 2


def test_nul_is_refused_with_its_column() -> None:
    with pytest.raises(WarehouseError, match="column 'body'"):
        batches([("a", "x\0y")])


def test_values_are_texts_that_casts_read_and_null_is_null() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=timezone(timedelta(hours=2)))
    values = (None, True, 2**63 - 1, 0.1, float("nan"), float("-inf"), Decimal("1.50"), moment, b"\xff", "é")

    (batch,) = _batches([values], "t", [str(place) for place in range(len(values))])

    assert json.loads(batch) == [
        [
            None, "true", "9223372036854775807", "0.1", "nan", "-inf", "1.50",
            "2026-01-02 03:04:05.000600+02:00", "/w==", "é",
        ]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("STRING", "JSON_VALUE(line, '$[2]')"),
        ("INT64", "CAST(JSON_VALUE(line, '$[2]') AS INT64)"),
        ("TIMESTAMP", "CAST(JSON_VALUE(line, '$[2]') AS TIMESTAMP)"),
        ("JSON", "PARSE_JSON(JSON_VALUE(line, '$[2]'), wide_number_mode => 'round')"),
        ("BYTES", "FROM_BASE64(JSON_VALUE(line, '$[2]'))"),
    ],
)
def test_a_column_is_read_from_json_by_its_type(kind: str, sql: str) -> None:
    assert _from_json(2, kind) == sql


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "STRING"),
        ("a", "STRING"),
        (True, "BOOL"),
        (1, "INT64"),
        (1.5, "FLOAT64"),
        (Decimal(1), "BIGNUMERIC"),
        (b"a", "BYTES"),
        (date(2026, 1, 1), "DATE"),
        (time(1), "TIME"),
        (datetime(2026, 1, 1), "DATETIME"),
        (datetime(2026, 1, 1, tzinfo=timezone.utc), "TIMESTAMP"),
        (["a"], "ARRAY<STRING>"),
        ([], "ARRAY<STRING>"),
        ([1], "ARRAY<INT64>"),
    ],
)
def test_a_parameter_has_a_type_by_its_value(value: object, kind: str) -> None:
    assert _parameter_type(value) == kind


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0-0 0 0:0:0", timedelta()),
        ("0-0 3 4:5:6.000007", timedelta(days=3, hours=4, minutes=5, seconds=6, microseconds=7)),
        ("0-0 -3 -4:5:6.5", -timedelta(days=3, hours=4, minutes=5, seconds=6, milliseconds=500)),
        ("1-2 3 4:5:6", "1-2 3 4:5:6"),
        ("-0-1 0 0:0:0", "-0-1 0 0:0:0"),
    ],
)
def test_an_interval_without_months_is_a_length_of_time(text: str, value: object) -> None:
    assert interval(text) == value
