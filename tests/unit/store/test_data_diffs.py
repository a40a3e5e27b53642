"""Results of data diffs as JSON, and the figures that stand in columns."""

from __future__ import annotations

import math
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from recce_meta.errors import StoreError
from recce_meta.models.data_diff import (
    ROUNDED_DOUBLE,
    AnyDataDiff,
    ColumnDelta,
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    ColumnValues,
    DetailRow,
    Example,
    Failed,
    HistogramDiff,
    KeyCounts,
    NotCompared,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    TopValue,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.stored import Headline
from recce_meta.store.data_diffs import (
    column_rows,
    headline_of,
    kind_of,
    one_subject_each,
    result_of,
    result_text,
    subject_of,
)

AT = datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=timezone.utc)
ORDERS = Subject(
    name="orders", unique_id="model.shop.orders", base='"db"."prod"."orders"', current='"db"."pr"."orders"'
)
VALUES = ValueDiff(
    subject=ORDERS,
    notes=("Keys are compared in any case", "a\0b"),
    key=("id", "day"),
    key_source="unique test",
    base=KeyCounts(rows=10, null_keys=1),
    current=KeyCounts(rows=12, duplicate_keys=1, duplicate_rows=2),
    added=2,
    removed=1,
    common=8,
    changed=3,
    columns=(
        ColumnValues(
            name="amount",
            base_type="DECIMAL(9,2)",
            current_type="DECIMAL(12,4)",
            compared_as="DECIMAL(12,4)",
            matched=5,
            mismatched=3,
            null_to_value=1,
            value_to_null=0,
            mean_difference=-0.5,
            largest_difference=2.0,
            examples=(Example(key=(1, date(2026, 1, 1)), base=Decimal("1.50"), current=None),),
        ),
        ColumnValues(name="note", base_type="TEXT", current_type="TEXT", matched=8, mismatched=0),
        ColumnValues(name="shape", base_type="JSON", current_type="GEOMETRY", reason="no common type"),
    ),
    base_only=("gone",),
    current_only=("new",),
    where="id > 0",
    sample=10.0,
)
DETAIL = ValueDetail(
    subject=ORDERS,
    key=("id",),
    key_source="option",
    columns=("amount",),
    base=KeyCounts(rows=1),
    current=KeyCounts(rows=2),
    rows=(
        DetailRow(status="added", key=(3,), current=(b"\x00",)),
        DetailRow(status="changed", key=(2**70,), base=({"a": [1.5]},), current=([1, [2]],)),
    ),
    limit=100,
)
ROWS = RowsDiff(
    subject=Subject(name="query"), columns=("a",), base_rows=5, current_rows=6, common=4, added=2, removed=1,
    base_only=("b",), incomparable=("c",),
    rows=(DetailRow(status="added", key=(), current=("x",), base_count=0, current_count=2),),
)  # fmt: skip
PROFILE = Profile(type="DOUBLE", row_count=10, not_null_count=9, min=-0.0, max=math.inf, avg=1.5)
RESULTS: dict[str, tuple[AnyDataDiff, Headline]] = {
    "row counts": (
        RowCountDiff(counts=(RowCount(subject=ORDERS, base=10, current=12, base_kept_at=AT),), notes=("n",)),
        Headline(is_equal=False, base_rows=10, current_rows=12),
    ),
    "row counts, not known": (
        RowCountDiff(counts=(RowCount(subject=ORDERS, base=10, current_reason="no such table"),)),
        Headline(base_rows=10, error="no such table"),
    ),
    "schema": (
        SchemaDiff(
            subject=ORDERS,
            columns=(ColumnDelta(name="a", status="unchanged"), ColumnDelta(name="b", status="added")),
        ),
        Headline(is_equal=False, differing_columns=1),
    ),
    "values": (
        VALUES,
        Headline(
            is_equal=False, base_rows=10, current_rows=12, added_rows=2, removed_rows=1, common_rows=8,
            changed_rows=3, differing_columns=4,
        ),
    ),
    "detail": (DETAIL, Headline(is_equal=False, added_rows=1, removed_rows=0, changed_rows=1)),
    "detail, cut": (replace(DETAIL, is_cut=True), Headline(is_equal=False)),
    "rows": (
        ROWS,
        Headline(
            is_equal=False, base_rows=5, current_rows=6, added_rows=2, removed_rows=1, common_rows=4,
            differing_columns=2,
        ),
    ),
    "query by key": (
        QueryDiff(subject=Subject(name="q"), base_sql="select 1", current_sql="select '\0'", values=VALUES),
        Headline(
            is_equal=False, base_rows=10, current_rows=12, added_rows=2, removed_rows=1, common_rows=8,
            changed_rows=3, differing_columns=4,
        ),
    ),
    "profiles": (
        ProfileDiff(
            subject=ORDERS,
            columns=(
                ColumnProfile(name="a", base=PROFILE, current=replace(PROFILE, median=Decimal("1.0"))),
                ColumnProfile(name="b", base=replace(PROFILE, row_count=10)),
                ColumnProfile(name="c", base=replace(PROFILE, max=math.inf), current=PROFILE),
            ),
            current_kept_at=AT,
        ),
        Headline(is_equal=False, base_rows=10, current_rows=10, differing_columns=2),
    ),
    "top k": (
        TopKDiff(
            subject=ORDERS,
            k=10,
            columns=(
                ColumnTopK(
                    name="status",
                    values=(TopValue(value=None, base=1, current=1), TopValue(value="b", base=2, current=2)),
                    base_valid=2, base_total=3, current_valid=2, current_total=3,
                ),
            ),
        ),
        Headline(is_equal=True, base_rows=3, current_rows=3, differing_columns=0),
    ),
    "histogram": (
        HistogramDiff(
            subject=ORDERS,
            columns=(
                ColumnHistogram(
                    name="day", kind="date", edges=(date(2026, 1, 1), date(2026, 1, 2)), unit="1 day",
                    base=(3,), current=(4,),
                    min=date(2026, 1, 1), max=date(2026, 1, 1), base_total=3, current_total=4,
                ),
                ColumnHistogram(name="text", reason="no numbers"),
            ),
        ),
        Headline(is_equal=False, differing_columns=2),
    ),
    "histogram, not known": (
        HistogramDiff(subject=ORDERS, columns=(ColumnHistogram(name="text", reason="no numbers"),)),
        Headline(differing_columns=1),
    ),
    "failed": (
        Failed(subject=ORDERS, diff="value_diff", error="no key", hint="name one"),
        Headline(error="no key"),
    ),
    "not compared": (
        NotCompared(subject=ORDERS, diff="value_diff", reason="switched off"),
        Headline(error="switched off"),
    ),
    "values of a sample": (
        ValueDiff(
            subject=ORDERS, key=("id",), key_source="option", base=KeyCounts(rows=1),
            current=KeyCounts(rows=1), common=1, sample=10.0,
        ),
        Headline(
            is_equal=None, base_rows=1, current_rows=1, added_rows=0, removed_rows=0, common_rows=1,
            changed_rows=0, differing_columns=0,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RESULTS)
def test_a_result_comes_back_from_its_json(case: str) -> None:
    result, _ = RESULTS[case]
    text = result_text(result)
    assert result_of(text) == result
    assert result_text(result_of(text)) == text
    assert "\\u0000" not in text.replace("\\\\", ""), "PostgreSQL reads no JSON past one"


@pytest.mark.parametrize("case", RESULTS)
def test_the_figures_that_history_is_made_of(case: str) -> None:
    result, headline = RESULTS[case]
    assert headline_of(result) == headline


def test_every_kind_of_result_is_tried_here() -> None:
    assert {type(result) for result, _ in RESULTS.values()} == set(get_args(AnyDataDiff))


def test_nan_comes_back_as_nan() -> None:
    result = RESULTS["profiles"][0]
    column = ColumnProfile(
        name="a", base=replace(PROFILE, max=math.nan), current=replace(PROFILE, max=math.nan)
    )
    back: Any = result_of(result_text(replace(result, columns=(column,))))  # type: ignore[arg-type]
    assert math.isnan(back.columns[0].base.max)
    now = replace(back, current_kept_at=None)
    assert headline_of(now).is_equal, "a NaN on both sides is the same"
    assert headline_of(back).is_equal is None, "figures of two moments prove nothing"


def test_rounded_and_outdated_results_are_not_stored_as_equal() -> None:
    rounded = ColumnValues(
        name="v",
        base_type="BIGINT",
        current_type="DOUBLE",
        compared_as=ROUNDED_DOUBLE,
        matched=1,
        mismatched=0,
    )
    result = ValueDiff(
        subject=ORDERS, key=("id",), key_source="option", base=KeyCounts(rows=1), current=KeyCounts(rows=1),
        common=1, columns=(rounded,),
    )  # fmt: skip
    ((name, status, _, _, _, matched, mismatched, *_, reason),) = column_rows(result)
    assert (name, status, matched, mismatched) == ("v", "incomparable", None, None)
    assert reason == "compared as doubles, to 15 digits"
    assert headline_of(result).is_equal is None

    stale = replace(ORDERS, current_stale="its build failed")
    count = RowCount(subject=ORDERS, base=1, current=1)
    assert headline_of(RowCountDiff(counts=(count,))).is_equal
    assert headline_of(RowCountDiff(counts=(replace(count, subject=stale),))).is_equal is None


def test_rows_of_top_values_are_those_of_any_column() -> None:
    added = ColumnTopK(name="new", current_valid=2, current_total=3)
    other = ColumnTopK(name="old", base_valid=2, base_total=4, current_valid=3, current_total=3)

    found = headline_of(TopKDiff(subject=ORDERS, k=10, columns=(added, other)))

    assert (found.base_rows, found.current_rows) == (4, 3)


def test_row_counts_are_kept_one_by_one() -> None:
    counts = tuple(RowCount(subject=Subject(name=name), base=1, current=1) for name in "ab")
    single = list(one_subject_each([VALUES, RowCountDiff(counts=counts, notes=("n",))]))
    assert [subject_of(result).name for result in single] == ["orders", "a", "b"]
    assert [kind_of(result) for result in single] == ["value_diff", "row_count_diff", "row_count_diff"]
    assert single[2] == RowCountDiff(counts=counts[1:], notes=("n",))


def test_a_failed_diff_is_of_the_kind_that_it_was_to_be() -> None:
    assert kind_of(RESULTS["failed"][0]) == "value_diff"


def test_columns_of_values_have_rows_of_their_own() -> None:
    rows = column_rows(VALUES)
    assert [row[:2] for row in rows] == [
        ("amount", "changed"),
        ("note", "equal"),
        ("shape", "incomparable"),
        ("gone", "removed"),
        ("new", "added"),
    ]
    assert rows[0][2:] == ("DECIMAL(9,2)", "DECIMAL(12,4)", "DECIMAL(12,4)", 5, 3, 1, 0, -0.5, 2.0, None)
    assert {len(row) for row in rows} == {12}
    assert column_rows(RESULTS["query by key"][0]) == rows
    assert column_rows(ROWS) == []


@pytest.mark.parametrize("text", ['{"type":"wish_diff"}', '{"type":"value_diff"}', "[]"])
def test_results_that_nobody_knows_are_refused_with_advice(text: str) -> None:
    with pytest.raises(StoreError, match="cannot be read") as caught:
        result_of(text)
    assert "upgrade" in (caught.value.hint or "")
