"""Thresholds against answers: what holds, and the sentence for what does not."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta.checks.expectations import violations
from recce_meta.checks.expected_data import distribution_distance
from recce_meta.models.change import Change, Reason, RunDiff, Status
from recce_meta.models.checks import (
    Amount,
    ExpectCounts,
    ExpectDistribution,
    ExpectEqual,
    ExpectLineage,
    ExpectProfile,
    ExpectResult,
    ExpectRows,
    ExpectSchema,
    ExpectValues,
)
from recce_meta.models.data_diff import (
    ROUNDED_DOUBLE,
    ColumnDelta,
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    ColumnValues,
    DataSide,
    DetailRow,
    HistogramDiff,
    KeyCounts,
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
from recce_meta.models.run import RunMetadata

ORDERS = Subject(name="orders", base="prod.orders", current="pr.orders")


def share(text: str) -> Amount:
    return Amount(Decimal(text) / 100, is_share=True)


def rows(number: Any) -> Amount:
    return Amount(Decimal(str(number)))


def allow(*words: str) -> frozenset[str]:
    return frozenset(words)


def column(name: str, mismatched: int | None = 0, *, reason: str | None = None) -> ColumnValues:
    matched = None if mismatched is None else 1000 - mismatched
    return ColumnValues(
        name=name,
        base_type="INTEGER",
        current_type="INTEGER",
        matched=matched,
        mismatched=mismatched,
        reason=reason,
    )


def value_diff(**fields: Any) -> ValueDiff:
    defaults: dict[str, Any] = {
        "subject": ORDERS,
        "key": ("id",),
        "key_source": "option",
        "base": KeyCounts(rows=1000),
        "current": KeyCounts(rows=1000),
        "common": 1000,
        "columns": (column("amount"), column("status")),
    }
    return ValueDiff(**(defaults | fields))


CHANGED = value_diff(changed=32, columns=(column("amount", 30), column("Status", 4)))


@pytest.mark.parametrize(
    ("expect", "diff", "expected"),
    [
        (ExpectValues(), value_diff(), ()),
        (
            ExpectValues(max_mismatch=share("1")),
            CHANGED,
            ("orders: 32 of 1,000 common rows (3.2%) changed (amount 30, Status 4), at most 1% allowed",),
        ),
        (ExpectValues(max_mismatch=share("3.2")), CHANGED, ()),
        (
            ExpectValues(),
            value_diff(columns=(replace(column("amount"), compared_as=ROUNDED_DOUBLE),)),
            (
                "orders: column amount was compared as doubles, to 15 digits, so values that differ may "
                "count as equal",
            ),
        ),
        (ExpectValues(max_mismatch=rows(32)), CHANGED, ()),
        (
            ExpectValues(),
            CHANGED,
            ("orders: 32 of 1,000 common rows (3.2%) changed (amount 30, Status 4), none allowed",),
        ),
        (ExpectValues(allow=allow("changed")), CHANGED, ()),
        (
            ExpectValues(max_mismatch={"amount": share("1"), "status": rows(4)}),
            CHANGED,
            ("orders: 30 of 1,000 common rows (3%) changed in column amount, at most 1% allowed",),
        ),
        (
            ExpectValues(max_mismatch={"amount": share("5")}),
            CHANGED,
            ("orders: 4 of 1,000 common rows (0.4%) changed in column Status, none allowed",),
        ),
        (ExpectValues(max_mismatch={"*": share("3")}), CHANGED, ()),
        (
            ExpectValues(max_mismatch={"*": share("3"), "amuont": rows(1)}),
            CHANGED,
            ("orders: column amuont was not compared; did you mean 'amount'?",),
        ),
        (
            ExpectValues(),
            value_diff(added=1, removed=100, common=900),
            (
                "orders: 1 row was added (0.1% of base's 1,000), none allowed",
                "orders: 100 rows were removed (10% of base's 1,000), none allowed",
            ),
        ),
        (
            ExpectValues(max_added=rows(1), max_removed=share("10")),
            value_diff(added=1, removed=100, common=900),
            (),
        ),
        (ExpectValues(allow=allow("added", "removed")), value_diff(added=5, removed=999, common=1), ()),
        (
            ExpectValues(max_added=share("50")),
            value_diff(base=KeyCounts(rows=0), common=0, added=2),
            ("orders: 2 rows were added, at most 50% allowed",),
        ),
        (
            ExpectValues(max_added=rows(10_000)),
            value_diff(base=None, common=0, columns=()),
            ("orders: is not in base, and added is not allowed",),
        ),
        (ExpectValues(allow=allow("added")), value_diff(base=None, common=0, columns=()), ()),
        (
            ExpectValues(allow=allow("added")),
            value_diff(current=None, common=0, columns=()),
            ("orders: is not in current, and removed is not allowed",),
        ),
        (
            ExpectValues(allow=allow("added", "removed")),
            value_diff(base=None, current=None, common=0, columns=()),
            ("orders: is on neither side",),
        ),
        (
            ExpectValues(),
            value_diff(columns=(column("payload", None, reason="JSON and INTEGER have no common type"),)),
            ("orders: column payload was not compared: JSON and INTEGER have no common type",),
        ),
        (
            ExpectValues(allow=allow("incomparable_columns")),
            value_diff(columns=(column("amount"), column("payload", None, reason="no common type"))),
            (),
        ),
        (
            ExpectValues(),
            value_diff(base_only=("tax", "fee"), current_only=("total",)),
            ("orders: only base has the columns tax, fee",),
        ),
        (ExpectValues(allow=allow("removed_columns")), value_diff(base_only=("tax",)), ()),
        (
            ExpectValues(),
            value_diff(
                base=KeyCounts(rows=1000, null_keys=1),
                current=KeyCounts(rows=1000, null_keys=3, duplicate_keys=2, duplicate_rows=5),
            ),
            (
                "orders: 1 row of base has NULL in the key (id), and was not compared",
                "orders: 3 rows of current have NULL in the key (id), and were not compared",
                "orders: 2 keys (id) are not unique in current, so 5 rows were not compared",
            ),
        ),
        (
            ExpectValues(allow=allow("null_keys", "duplicate_keys")),
            value_diff(current=KeyCounts(rows=9, null_keys=3, duplicate_keys=2, duplicate_rows=5)),
            (),
        ),
        (ExpectEqual(), value_diff(), ()),
        (
            ExpectValues(allow=allow("added", "removed")),
            value_diff(common=0, added=1000, removed=1000),
            ("orders: no key (id) is on both sides, so no value was compared",),
        ),
        (
            ExpectValues(allow=allow("added", "removed", "changed")),
            value_diff(common=0, added=9, removed=9),
            (),
        ),
        (
            ExpectValues(allow=allow("added")),
            value_diff(base=KeyCounts(rows=0), common=0, added=1000),
            (),
        ),
        (
            ExpectEqual(),
            value_diff(current_only=("total",)),
            ("orders: only current has the column total",),
        ),
    ],
)
def test_value_diffs(expect: Any, diff: ValueDiff, expected: tuple[str, ...]) -> None:
    assert violations(expect, [diff]) == expected


def rows_diff(**fields: Any) -> RowsDiff:
    defaults: dict[str, Any] = {
        "subject": ORDERS,
        "columns": ("a",),
        "base_rows": 10,
        "current_rows": 10,
        "common": 10,
    }
    return RowsDiff(**(defaults | fields))


@pytest.mark.parametrize(
    ("expect", "diff", "expected"),
    [
        (ExpectValues(), rows_diff(), ()),
        (
            ExpectValues(),
            rows_diff(common=9, added=1, removed=1),
            (
                "orders: 1 row was added (10% of base's 10), none allowed",
                "orders: 1 row was removed (10% of base's 10), none allowed",
            ),
        ),
        (
            ExpectValues(max_added=share("10"), max_removed=rows(1)),
            rows_diff(common=9, added=1, removed=1),
            (),
        ),
        (
            ExpectValues(max_mismatch=share("10")),
            rows_diff(),
            (
                "orders: has no key, so changed rows cannot be distinguished from removed and added rows; "
                "set params.primary_key",
            ),
        ),
        (ExpectValues(), rows_diff(base_rows=None), ("orders: is not in base, and added is not allowed",)),
        (ExpectValues(), rows_diff(incomparable=("geo",)), ("orders: column geo was not compared",)),
        (ExpectEqual(), rows_diff(current_only=("b",)), ("orders: only current has the column b",)),
        (ExpectEqual(), rows_diff(), ()),
    ],
)
def test_value_diffs_without_a_key(expect: Any, diff: RowsDiff, expected: tuple[str, ...]) -> None:
    assert violations(expect, [diff]) == expected


def detail(*statuses: str, is_cut: bool = False) -> ValueDetail:
    return ValueDetail(
        subject=ORDERS,
        key=("id",),
        key_source="option",
        columns=("a",),
        rows=tuple(DetailRow(status=status, key=(i,)) for i, status in enumerate(statuses)),
        limit=3,
        is_cut=is_cut,
    )


@pytest.mark.parametrize(
    ("expect", "answer", "expected"),
    [
        (ExpectRows(), detail(), ()),
        (ExpectRows(), detail("added"), ("orders: 1 row differs, none allowed",)),
        (ExpectRows(max_differing_rows=rows(2)), detail("added", "changed"), ()),
        (
            ExpectRows(max_differing_rows=rows(2)),
            detail("added", "changed", "removed", is_cut=True),
            ("orders: 3 rows or more differ, at most 2 allowed",),
        ),
        (ExpectRows(allow=allow("added")), detail("added", "added"), ()),
        (
            ExpectRows(max_differing_rows=rows(1), allow=allow("added")),
            detail("added", "added", "added", is_cut=True),
            (
                "orders: more rows differ than the 3 that were fetched, so at most 1 allowed cannot be "
                "checked; raise params.limit",
            ),
        ),
        (ExpectRows(allow=allow("added", "removed", "changed")), detail("added", is_cut=True), ()),
        (ExpectEqual(), detail("changed"), ("orders: 1 row differs, none allowed",)),
        (
            ExpectRows(),
            replace(detail(), current=KeyCounts(rows=2, null_keys=1)),
            ("orders: 1 row of current has NULL in the key (id), and was not compared",),
        ),
        (ExpectRows(allow=allow("null_keys")), replace(detail(), current=KeyCounts(rows=2, null_keys=1)), ()),
        (ExpectRows(), replace(detail(), incomparable=("b",)), ("orders: column b was not compared",)),
        (ExpectEqual(), replace(detail(), base_only=("b",)), ("orders: only base has the column b",)),
        (
            ExpectEqual(),
            replace(detail(), base=KeyCounts(rows=0), current=KeyCounts(rows=0), where="x > 1"),
            ("orders: where x > 1 left no row to compare",),
        ),
    ],
)
def test_details(expect: Any, answer: ValueDetail, expected: tuple[str, ...]) -> None:
    assert violations(expect, [answer]) == expected


def query_diff(**fields: Any) -> QueryDiff:
    return QueryDiff(subject=Subject(name="query"), base_sql="select 1", current_sql="select 2", **fields)


@pytest.mark.parametrize(
    ("expect", "answer", "expected"),
    [
        (ExpectRows(), query_diff(rows=rows_diff()), ()),
        (
            ExpectRows(max_differing_rows=share("10")),
            query_diff(rows=rows_diff(common=8, added=2, removed=2)),
            ("query: 4 of 12 rows (33.3%) differ (2 added, 2 removed), at most 10% allowed",),
        ),
        (ExpectRows(allow=allow("added")), query_diff(rows=rows_diff(common=10, added=2)), ()),
        (
            ExpectRows(),
            query_diff(values=value_diff(changed=5, common=1000)),
            ("query: 5 of 1,000 rows (0.5%) differ (5 changed), none allowed",),
        ),
        (
            ExpectRows(max_differing_rows=share("100")),
            query_diff(
                values=value_diff(
                    base=KeyCounts(rows=5, duplicate_keys=1, duplicate_rows=2), base_only=("total",)
                )
            ),
            (
                "query: only base has the column total",
                "query: 1 key (id) is not unique in base, so 2 rows were not compared",
            ),
        ),
        (ExpectRows(), query_diff(), ("query: the results were not compared",)),
        (
            ExpectEqual(),
            query_diff(rows=rows_diff(current_only=("b",))),
            ("query: only current has the column b",),
        ),
    ],
)
def test_query_diffs(expect: Any, answer: QueryDiff, expected: tuple[str, ...]) -> None:
    assert violations(expect, [answer]) == expected


def counted(base: int | None, current: int | None, **fields: Any) -> RowCountDiff:
    subject = fields.pop("subject", ORDERS)
    return RowCountDiff(counts=(RowCount(subject=subject, base=base, current=current, **fields),))


ADDED = Subject(name="orders", current="pr.orders")
REMOVED = Subject(name="orders", base="prod.orders")
EPHEMERAL = Subject(name="orders")


@pytest.mark.parametrize(
    ("expect", "answer", "expected"),
    [
        (ExpectCounts(row_count_change=share("5")), counted(100, 105), ()),
        (
            ExpectCounts(row_count_change=share("5")),
            counted(1000, 940),
            ("orders: went from 1,000 to 940 rows (-60, −6%), at most 5% allowed",),
        ),
        (
            ExpectCounts(row_count_change=rows(3)),
            counted(0, 4),
            ("orders: went from 0 to 4 rows (+4), at most 3 allowed",),
        ),
        (
            ExpectCounts(row_count_change=share("500")),
            counted(0, 1),
            ("orders: went from 0 to 1 row (+1), at most 500% allowed",),
        ),
        (ExpectCounts(row_count_change=share("5")), counted(0, 0), ()),
        (ExpectCounts(max_decrease=rows(0)), counted(10, 1000), ()),
        (
            ExpectCounts(max_decrease=rows(0)),
            counted(10, 9),
            ("orders: went from 10 to 9 rows (-1, −10%), none allowed",),
        ),
        (
            ExpectCounts(row_count_change=share("5"), max_increase=share("5")),
            counted(10, 20),
            ("orders: went from 10 to 20 rows (+10, +100%), at most 5% allowed",),
        ),
        (ExpectCounts(min_rows=1), counted(None, 0), ("orders: has 0 rows, at least 1 expected",)),
        (ExpectCounts(max_rows=1), counted(None, 2), ("orders: has 2 rows, at most 1 expected",)),
        (ExpectCounts(row_count_change=share("5")), counted(None, 7, subject=ADDED), ()),
        (
            ExpectCounts(row_count_change=share("5"), allow=allow()),
            counted(None, 7, subject=ADDED),
            ("orders: is not in base, and added is not allowed",),
        ),
        (
            ExpectCounts(min_rows=1),
            counted(7, None, subject=REMOVED),
            ("orders: is not in current, and removed is not allowed",),
        ),
        (ExpectCounts(min_rows=1, allow=allow("removed")), counted(7, None, subject=REMOVED), ()),
        (
            ExpectCounts(row_count_change=share("5")),
            counted(None, 7, base_reason="permission denied"),
            ("orders: could not be counted in base: permission denied",),
        ),
        (
            ExpectCounts(max_rows=9),
            counted(7, None, current_reason="the relation does not exist"),
            ("orders: could not be counted in current: the relation does not exist",),
        ),
        (ExpectCounts(row_count_change=rows(0)), counted(None, None, subject=EPHEMERAL), ()),
        (
            ExpectCounts(min_rows=1),
            counted(None, None, subject=EPHEMERAL, current_reason="ephemeral: it has no relation"),
            ("orders: could not be counted in current: ephemeral: it has no relation",),
        ),
        (ExpectEqual(), counted(5, 5), ()),
        (ExpectEqual(), counted(5, 6), ("orders: went from 5 to 6 rows (+1, +20%), none allowed",)),
        (
            ExpectEqual(),
            counted(None, 6, subject=ADDED),
            ("orders: is not in base, and added is not allowed",),
        ),
    ],
)
def test_row_counts(expect: Any, answer: RowCountDiff, expected: tuple[str, ...]) -> None:
    assert violations(expect, [answer]) == expected


def schema(*columns: ColumnDelta, subject: Subject = ORDERS) -> SchemaDiff:
    return SchemaDiff(subject=subject, columns=columns)


SAME = ColumnDelta(name="id", status="unchanged")
NEW = ColumnDelta(name="tax", status="added", current_type="INTEGER")
RETYPED = ColumnDelta(name="amount", status="retyped", base_type="INTEGER", current_type="TEXT")
MOVED = ColumnDelta(name="status", status="moved", base_position=2, current_position=3)


@pytest.mark.parametrize(
    ("expect", "answer", "expected"),
    [
        (ExpectSchema(), schema(SAME), ()),
        (ExpectSchema(allow=allow("added", "moved")), schema(SAME, NEW, MOVED), ()),
        (
            ExpectSchema(),
            schema(SAME, NEW, RETYPED, MOVED),
            (
                "orders: column tax was added, which is not allowed",
                "orders: column amount was retyped from INTEGER to TEXT, which is not allowed",
                "orders: column status was moved from position 2 to 3, which is not allowed",
            ),
        ),
        (
            ExpectSchema(),
            schema(NEW, subject=ADDED),
            ("orders: is not in base, and added is not allowed",),
        ),
        (ExpectSchema(allow=allow("added")), schema(NEW, subject=ADDED), ()),
        (ExpectEqual(), schema(SAME, NEW), ("orders: column tax was added, which is not allowed",)),
    ],
)
def test_schemas(expect: Any, answer: SchemaDiff, expected: tuple[str, ...]) -> None:
    assert violations(expect, [answer]) == expected


def profile(**figures: Any) -> Profile:
    return Profile(**({"type": "INTEGER", "row_count": 100, "not_null_count": 100} | figures))


def profiled(base: Profile | None, current: Profile | None, name: str = "amount") -> ProfileDiff:
    return ProfileDiff(subject=ORDERS, columns=(ColumnProfile(name=name, base=base, current=current),))


def unread(*sides: DataSide, current: Profile | None = None) -> ProfileDiff:
    """A profile of one column that is equal, and one of which *sides* could not be read."""
    return ProfileDiff(
        subject=ORDERS,
        columns=(
            ColumnProfile(name="id", base=profile(), current=profile()),
            ColumnProfile(name="n", current=current, reason="no figures in base: overflow", unread=sides),
        ),
    )


NOT_READ = "orders: column n could not be read: no figures in base: overflow"


@pytest.mark.parametrize(
    ("expect", "answer", "expected"),
    [
        (ExpectProfile(max_change={"avg": share("5")}), profiled(profile(avg=10.0), profile(avg=10.5)), ()),
        (
            ExpectProfile(max_change={"avg": share("5")}),
            profiled(profile(avg=10.0), profile(avg=Decimal("10.6"))),
            ("orders: avg of column amount went from 10 to 10.6 (+6%), at most 5% allowed",),
        ),
        (
            ExpectProfile(max_change={"avg": rows(0.5)}),
            profiled(profile(avg=-1.0), profile(avg=1.0)),
            ("orders: avg of column amount went from -1 to 1 (+2), at most 0.5 allowed",),
        ),
        (
            ExpectProfile(max_change={"not_null_proportion": share("1")}),
            profiled(profile(not_null_count=98), profile(not_null_count=95)),
            (
                "orders: not_null_proportion of column amount went from 98% to 95% (-3 points), "
                "at most 1 point allowed",
            ),
        ),
        (
            ExpectProfile(max_change={"not_null_proportion": share("3")}),
            profiled(profile(not_null_count=98), profile(not_null_count=95)),
            (),
        ),
        (
            ExpectProfile(max_change={"avg": share("5")}, columns={"AMOUNT": {"avg": share("50")}}),
            profiled(profile(avg=10), profile(avg=15)),
            (),
        ),
        (
            ExpectProfile(columns={"amuont": {"avg": share("50")}}),
            profiled(profile(avg=10), profile(avg=10)),
            ("orders: column amuont was not profiled; did you mean 'amount'?",),
        ),
        (
            ExpectProfile(max_change={"min": rows(0)}),
            profiled(profile(min=date(2026, 1, 1)), profile(min=date(2026, 1, 2))),
            ("orders: min of column amount went from 2026-01-01 to 2026-01-02, none allowed",),
        ),
        (
            ExpectProfile(max_change={"min": share("5")}),
            ProfileDiff(
                subject=ORDERS,
                columns=(
                    ColumnProfile(name="a", base=profile(min="a"), current=profile(min="b")),
                    ColumnProfile(name="n", base=profile(min=1), current=profile(min=1)),
                ),
            ),
            (),
        ),
        (
            ExpectProfile(columns={"amount": {"min": share("5")}}),
            profiled(profile(min="a"), profile(min="b")),
            (
                "orders: min of column amount is not a number, so its limit (at most 5% allowed) cannot be "
                "checked; only 0 can",
            ),
        ),
        (
            ExpectProfile(max_change={"avg": rows(0)}),
            ProfileDiff(
                subject=ORDERS,
                columns=(
                    ColumnProfile(name="a", base=profile(), current=profile()),
                    ColumnProfile(name="n", base=profile(avg=1), current=profile(avg=1)),
                ),
            ),
            (),
        ),
        (
            ExpectProfile(max_change={"avg": share("5")}),
            profiled(profile(avg=None), profile(avg=1.5)),
            ("orders: avg of column amount went from none to 1.5, at most 5% allowed",),
        ),
        (
            ExpectProfile(max_change={"avg": rows(0)}),
            profiled(profile(avg=0.1 + 0.2), profile(avg=0.3)),
            (),
        ),
        (
            ExpectProfile(max_change={"max": share("5")}),
            profiled(profile(max=float("nan")), profile(max=float("nan"))),
            (),
        ),
        (
            ExpectProfile(max_change={"max": share("5")}),
            profiled(profile(max=1.0), profile(max=float("inf"))),
            ("orders: max of column amount went from 1 to inf (not finite), at most 5% allowed",),
        ),
        (
            ExpectProfile(max_change={"avg": share("5")}),
            profiled(profile(avg=0), profile(avg=1)),
            ("orders: avg of column amount went from 0 to 1 (from 0), at most 5% allowed",),
        ),
        (ExpectProfile(max_change={"avg": share("5")}), profiled(None, profile(avg=1)), ()),
        (
            ExpectProfile(max_change={"avg": share("5")}),
            profiled(profile(), None),
            ("orders: column amount is not in current, and removed is not allowed",),
        ),
        (ExpectProfile(max_change={"not_null_count": share("50")}), unread(*DataSide), (NOT_READ,)),
        (ExpectProfile(columns={"n": {"not_null_count": rows(0)}}), unread(*DataSide), (NOT_READ,)),
        (
            ExpectProfile(columns={"id": {"not_null_count": rows(0)}}, allow=frozenset()),
            unread(*DataSide),
            (),
        ),
        (ExpectEqual(), unread(*DataSide), (NOT_READ,)),
        (ExpectEqual(), unread(DataSide.BASE, current=profile()), (NOT_READ,)),
        (ExpectEqual(), profiled(profile(max=3), profile(max=3)), ()),
        (
            ExpectProfile(columns={"amount": {"avg": rows(0)}}),
            profiled(profile(), profile()),
            ("orders: avg of column amount is unknown on both sides",),
        ),
        (
            ExpectEqual(),
            profiled(profile(max=Decimal("1.0000000001")), profile(max=Decimal("1.0000000002"))),
            ("orders: max of column amount went from 1.0000000001 to 1.0000000002, none allowed",),
        ),
        (
            ExpectEqual(),
            profiled(None, profile()),
            ("orders: column amount is not in base, and added is not allowed",),
        ),
    ],
)
def test_profiles(expect: Any, answer: ProfileDiff, expected: tuple[str, ...]) -> None:
    assert violations(expect, [answer]) == expected


def histogram(base: Any, current: Any, **fields: Any) -> HistogramDiff:
    column = ColumnHistogram(name="amount", edges=(0, 10, 20), base=base, current=current, **fields)
    return HistogramDiff(subject=ORDERS, columns=(column,))


def top_k(
    values: list[tuple[str, int, int]], base: int | None, current: int | None, **totals: int
) -> TopKDiff:
    column = ColumnTopK(
        name="status",
        values=tuple(TopValue(value=value, base=b, current=c) for value, b, c in values),
        base_valid=base,
        current_valid=current,
        **totals,
    )
    return TopKDiff(subject=ORDERS, k=2, columns=(column,))


ALL = ExpectDistribution(max_distance={"*": share("5")})


@pytest.mark.parametrize(
    ("expect", "answer", "expected"),
    [
        (ALL, histogram((50, 50), (55, 45)), ()),
        (ALL, histogram((5, 5), (5000, 5000)), ()),
        (
            ALL,
            histogram((50, 50), (56, 44)),
            ("orders: 6% of the distribution of column amount moved, at most 5% allowed",),
        ),
        (
            ALL,
            histogram((50, 50), (50, 50), current_outside=100),
            ("orders: 50% of the distribution of column amount moved, at most 5% allowed",),
        ),
        (ALL, histogram((0, 0), (0, 0)), ()),
        (
            ALL,
            histogram((0, 0), (1, 0)),
            ("orders: 100% of the distribution of column amount moved, at most 5% allowed",),
        ),
        (ALL, histogram(None, (1, 0)), ("orders: column amount was counted on one side only",)),
        (
            ALL,
            histogram(None, None, reason="TEXT has no order of magnitude"),
            ("orders: column amount was not counted: TEXT has no order of magnitude",),
        ),
        (
            ExpectDistribution(max_distance={"amuont": share("5")}),
            histogram((50, 50), (56, 44)),
            ("orders: column amuont was not counted; did you mean 'amount'?",),
        ),
        (ALL, top_k([("paid", 60, 62), ("open", 30, 28)], 100, 100), ()),
        (
            ALL,
            top_k([("paid", 60, 60), ("open", 30, 20)], 100, 100),
            ("orders: 10% of the distribution of column status moved, at most 5% allowed",),
        ),
        (ALL, top_k([], None, 100), ("orders: column status was counted on one side only",)),
        (ALL, HistogramDiff(subject=ORDERS, columns=()), ("orders: no column was counted",)),
        (ExpectEqual(), TopKDiff(subject=ORDERS, k=2, columns=()), ("orders: no column was counted",)),
        (
            ExpectEqual(),
            top_k([("paid", 60, 60)], 60, 60, base_total=60, current_total=61),
            ("orders: column status differs in its distribution",),
        ),
        (ExpectEqual(), histogram((1, 2), (1, 2)), ()),
        (ExpectEqual(), histogram((1, 2), (2, 4)), ("orders: column amount differs in its distribution",)),
    ],
)
def test_distributions(expect: Any, answer: HistogramDiff | TopKDiff, expected: tuple[str, ...]) -> None:
    assert violations(expect, [answer]) == expected


counts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=6)


@given(counts)
def test_a_distance_is_the_same_both_ways_and_between_none_and_all(pairs: list[tuple[int, int]]) -> None:
    base, current = [b for b, _ in pairs], [c for _, c in pairs]
    distance = distribution_distance(base, current)

    assert 0 <= distance <= 1
    assert distance == distribution_distance(current, base)
    assert distribution_distance(base, [3 * count for count in base]) == 0


@given(st.integers(0, 200), st.integers(0, 100))
def test_a_share_in_per_cent_allows_exactly_that_many_rows_of_a_hundred(changed: int, limit: int) -> None:
    expect = ExpectValues(max_mismatch=share(str(limit)))
    found = violations(expect, [value_diff(common=100, changed=changed)])

    assert bool(found) == (changed > limit)


def single(count: int | None, *cells: tuple[Any, ...], is_base: bool = False) -> QueryDiff:
    side = "base" if is_base else "current"
    rows = RowsDiff(
        subject=Subject(name="query"),
        columns=("n",),
        base_rows=count if is_base else None,
        current_rows=None if is_base else count,
        rows=tuple(DetailRow(status="added", key=(), **{side: cell}) for cell in cells),
    )
    return QueryDiff(subject=Subject(name="query"), base_sql="", current_sql="", rows=rows)


UTC_NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("expect", "answer", "expected"),
    [
        (ExpectResult(rows=0), single(0), ()),
        (ExpectResult(rows=0), single(3), ("query: gives 3 rows, 0 expected",)),
        (ExpectResult(min_rows=1, max_rows=5), single(3), ()),
        (ExpectResult(min_rows=4), single(3), ("query: has 3 rows, at least 4 expected",)),
        (ExpectResult(rows=1), single(1, (5,), is_base=True), ()),
        (ExpectResult(value=42), single(1, (Decimal("42.00"),)), ()),
        (ExpectResult(value=0.1), single(1, (Decimal("0.1"),)), ()),
        (ExpectResult(value=42), single(1, ("42",)), ()),
        (ExpectResult(value=1), single(1, (True,)), ("query: gives True, 1 expected",)),
        (ExpectResult(value=True), single(1, (True,)), ()),
        (ExpectResult(value=None), single(1, (None,)), ()),
        (ExpectResult(value=None), single(1, (0,)), ("query: gives 0, NULL expected",)),
        (ExpectResult(value=date(2026, 11, 20)), single(1, (date(2026, 11, 20),)), ()),
        (ExpectResult(value="2026-11-20 12:00:00+00:00"), single(1, (UTC_NOON,)), ()),
        (ExpectResult(value="paid"), single(1, ("open",)), ("query: gives 'open', 'paid' expected",)),
        (
            ExpectResult(value=1),
            single(2, (1,), (1,)),
            ("query: gives 2 rows of 1 column, a single value expected",),
        ),
        (
            ExpectResult(value=1),
            single(1, (1, 2)),
            ("query: gives 1 row of 2 columns, a single value expected",),
        ),
        (ExpectResult(value=1), single(0), ("query: gives 0 rows, a single value expected",)),
        (ExpectResult(rows=1), single(None), ("query: has no result",)),
        (ExpectResult(rows=1), query_diff(), ("query: has no result",)),
    ],
)
def test_single_queries(expect: ExpectResult, answer: QueryDiff, expected: tuple[str, ...]) -> None:
    assert violations(expect, [answer]) == expected


def run() -> RunMetadata:
    return RunMetadata(run_id="1", run_at=UTC_NOON, project_name="shop")


def change(name: str, status: Status, *reasons: Reason) -> Change:
    return Change(
        unique_id=f"model.shop.{name}", name=name, resource_type="model", status=status, reasons=reasons
    )


LINEAGE = RunDiff(
    base=run(),
    current=run(),
    changes=(
        change("orders", Status.MODIFIED, Reason.BODY, Reason.DESCRIPTIONS),
        change("customers", Status.MODIFIED, Reason.DESCRIPTIONS, Reason.ENVIRONMENT),
        change("payments", Status.ADDED),
        change("stores", Status.UNCHANGED, Reason.FORMATTING),
    ),
)


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        (ExpectLineage(allow=allow("modified", "added")), ()),
        (
            ExpectLineage(allow=allow("added", "descriptions")),
            ("1 node was modified, which is not allowed: orders (body)",),
        ),
        (
            ExpectLineage(),
            (
                "2 nodes were modified, which is not allowed: orders (body, descriptions), "
                "customers (descriptions)",
                "1 node was added, which is not allowed: payments",
            ),
        ),
    ],
)
def test_lineage(expect: ExpectLineage, expected: tuple[str, ...]) -> None:
    assert violations(expect, [LINEAGE]) == expected
    assert bool(violations(ExpectEqual(), [LINEAGE])) is True


def test_several_answers_are_all_looked_at() -> None:
    assert len(violations(ExpectSchema(), [schema(NEW), schema(SAME), schema(RETYPED)])) == 2


def test_nothing_expected_is_nothing_violated() -> None:
    assert violations(None, [CHANGED]) == ()


def test_an_answer_of_another_type_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="ExpectSchema does not apply to ValueDiff"):
        violations(ExpectSchema(), [CHANGED])


def test_share_of_a_distance_is_a_fraction() -> None:
    assert distribution_distance([1, 2], [2, 1]) == Fraction(1, 3)


@pytest.mark.parametrize("expect", [ExpectEqual(), ExpectValues()])
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"where": "1 = 0"}, "where 1 = 0 left no row to compare"),
        ({"sample": 0.001}, "a sample of 0.001% left no row to compare"),
        ({}, None),
    ],
)
def test_a_condition_that_leaves_no_row_has_shown_nothing(
    expect: ExpectEqual | ExpectValues, fields: dict[str, Any], told: str | None
) -> None:
    nothing = KeyCounts(rows=0)
    by_key = ValueDiff(subject=ORDERS, key=("id",), key_source="", base=nothing, current=nothing, **fields)
    whole = RowsDiff(subject=ORDERS, columns=("id",), base_rows=0, current_rows=0, **fields)

    for diff in (by_key, whole):
        assert violations(expect, [diff]) == (() if told is None else (f"orders: {told}",))


NULL_KEYS = KeyCounts(rows=900, null_keys=900)
DUPLICATES = KeyCounts(rows=900, duplicate_keys=5, duplicate_rows=900)
WITHOUT_KEY = "has no key, so changed rows cannot be distinguished from removed and added rows"


@pytest.mark.parametrize(
    ("expect", "answer", "says"),
    [
        (
            ExpectValues(allow=allow("null_keys", "changed")),
            value_diff(base=NULL_KEYS, current=NULL_KEYS, common=0),
            "every key (id) is NULL or not unique, so no row was compared",
        ),
        (
            ExpectValues(allow=allow("duplicate_keys")),
            value_diff(base=DUPLICATES, current=DUPLICATES, common=0),
            "every key (id) is NULL or not unique, so no row was compared",
        ),
        (
            ExpectValues(allow=allow("null_keys", "added")),
            value_diff(base=NULL_KEYS, common=0, added=1000),
            "no key (id) is on both sides, so no value was compared",
        ),
        (
            ExpectRows(allow=allow("null_keys")),
            replace(detail(), base=NULL_KEYS, current=NULL_KEYS),
            "every key (id) is NULL or not unique, so no row was compared",
        ),
        (
            ExpectRows(allow=allow("added", "removed")),
            replace(detail("added", "removed"), base=KeyCounts(rows=1), current=KeyCounts(rows=1)),
            "no key (id) is on both sides, so no value was compared",
        ),
        (
            ExpectValues(allow=allow("removed_columns")),
            value_diff(columns=(column("ID"),), base_only=("total",)),
            "only the key (id) was compared, not the values of total",
        ),
        (
            ExpectValues(),
            value_diff(columns=(column("id"),), current_only=("total",)),
            "only the key (id) was compared, not the values of total",
        ),
        (
            ExpectValues(allow=allow("incomparable_columns")),
            value_diff(columns=(column("id"), column("payload", None, reason="no common type"))),
            "only the key (id) was compared, not the values of payload",
        ),
        (
            ExpectRows(allow=allow("incomparable_columns")),
            replace(
                detail(),
                columns=(),
                incomparable=("payload",),
                base=KeyCounts(rows=1),
                current=KeyCounts(rows=1),
            ),
            "only the key (id) was compared, not the values of payload",
        ),
        (ExpectRows(), replace(detail(), base_only=("total",)), "only base has the column total"),
        (
            ExpectValues(max_mismatch={"payload": share("1")}, allow=allow("incomparable_columns")),
            value_diff(columns=(column("amount"), column("payload", None, reason="no common type"))),
            "column payload was not compared, so its limit cannot be checked",
        ),
        (
            ExpectValues(allow=allow("added", "removed")),
            rows_diff(common=9, added=1, removed=1),
            f"{WITHOUT_KEY}; set params.primary_key",
        ),
        (
            ExpectRows(allow=allow("added", "removed")),
            rows_diff(common=9, added=1, removed=1),
            f"{WITHOUT_KEY}; set a primary key in params",
        ),
        (
            ExpectProfile(max_change={"avg": rows(0), "median": share("5")}),
            profiled(profile(avg=None), profile(avg=None)),
            "no column has the figure avg, so its limit cannot be checked",
        ),
        (
            ExpectProfile(max_change={"min": share("5")}),
            profiled(profile(min="a"), profile(min="b")),
            "min is not a number in any column, so its limit cannot be checked (only 0 can)",
        ),
        (ExpectSchema(), schema(), "has no columns, nothing was compared"),
    ],
)
def test_a_check_that_compared_nothing_fails(expect: Any, answer: Any, says: str) -> None:
    assert violations(expect, [answer])[:1] == (f"{answer.subject.name}: {says}",)


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        (ExpectValues(), value_diff(columns=(column("id"),))),
        (ExpectValues(), value_diff(base=KeyCounts(rows=0), current=KeyCounts(rows=0), common=0)),
        (ExpectValues(allow=allow("null_keys")), value_diff(base=KeyCounts(rows=1001, null_keys=1))),
        (ExpectValues(allow=allow("added", "removed")), rows_diff(common=9, added=1)),
        (ExpectProfile(max_change={"min": share("5")}), profiled(profile(min="a"), profile(min="a"))),
    ],
)
def test_a_check_that_compared_all_there_is_passes(expect: Any, answer: Any) -> None:
    assert violations(expect, [answer]) == ()


def test_a_check_does_not_pass_on_rounded_values() -> None:
    as_doubles = (
        "column amount was compared as doubles, to 15 digits, so values that differ may count as equal"
    )
    by_key = value_diff(columns=(replace(column("amount"), compared_as=ROUNDED_DOUBLE),))
    whole = rows_diff(rounded=("amount",))
    some = replace(detail(), rounded=("amount",), base=KeyCounts(rows=1), current=KeyCounts(rows=1))
    query = QueryDiff(subject=ORDERS, base_sql="", current_sql="", values=by_key)
    top = top_k([("1", 5, 5)], 5, 5)
    top = replace(top, columns=(replace(top.columns[0], name="amount", is_rounded=True),))
    cases: tuple[tuple[Any, Any], ...] = (
        (ExpectValues(), by_key), (ExpectRows(), query), (ALL, top),
        *((ExpectEqual(), answer) for answer in (by_key, query, top)),
    )  # fmt: skip
    for expect, answer in cases:
        assert violations(expect, [answer]) == (f"orders: {as_doubles}",)
    for expect in (ExpectValues(), ExpectRows(), ExpectEqual()):
        for answer in (whole, some) if not isinstance(expect, ExpectValues) else (whole,):
            (said,) = violations(expect, [answer])
            assert "compared to 15 digits or microseconds" in said
    allowed = ExpectValues(allow=allow("incomparable_columns"))
    assert violations(allowed, [by_key]) == violations(allowed, [whole]) == ()
    # A double that is near is another value of a row, although a near average may be noise.
    large = profiled(profile(max=2**53 + 1, avg=1e9), profile(max=float(2**53), avg=1e9 + 1e-3))
    (said,) = violations(ExpectEqual(), [large])
    assert said.startswith("orders: max of column amount went")
    # A median does not depend on the order of rows.
    (said,) = violations(ExpectEqual(), [profiled(profile(median=3.0), profile(median=3.0000000001))])
    assert said.startswith("orders: median of column amount went")
