"""Results of data diffs to report on, made by hand: every kind, every type of value, and hostile names."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import (
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

KEPT_AT = datetime(2026, 11, 18, 23, 5, tzinfo=timezone.utc)
ORDERS = Subject(
    name="orders",
    unique_id="model.jaffle_shop.orders",
    base='"prod"."analytics"."orders"',
    current='"prod"."pr_42"."orders"',
)
CUSTOMERS = Subject(
    name="customers",
    unique_id="model.jaffle_shop.customers",
    base='"prod"."analytics"."customers"',
    current='"prod"."pr_42"."customers"',
)
REFUNDS = Subject(
    name="stg_refunds", unique_id="model.jaffle_shop.stg_refunds", current='"prod"."pr_42"."stg_refunds"'
)
HOSTILE = "</script><script>alert(1)</script>|`@admin`\n</details>\x1b[31m"


def subject(name: str) -> Subject:
    return Subject(name=name, unique_id=f"model.jaffle_shop.{name}", base=f"a.{name}", current=f"b.{name}")


ROW_COUNTS = RowCountDiff(
    counts=(
        RowCount(subject=ORDERS, base=1_284_003, current=1_284_011),
        RowCount(subject=CUSTOMERS, base=100_120, current=96_004, base_kept_at=KEPT_AT),
        RowCount(subject=subject("stg_payments"), base=1_600_400, current=1_600_400),
        RowCount(subject=REFUNDS, current=312, base_reason="the node is new"),
        RowCount(subject=subject("payment_fees"), base=0, current=18),
        RowCount(
            subject=Subject(name="int_orders_joined", unique_id="model.jaffle_shop.int_orders_joined"),
            base_reason="ephemeral: it has no relation",
            current_reason="ephemeral: it has no relation",
        ),
        RowCount(subject=subject("legacy_orders"), base=48, current=0),
    ),
    notes=("Base's rows of customers were kept with the run of 2026-11-18 23:05 UTC",),
)

SCHEMA = SchemaDiff(
    subject=ORDERS,
    columns=(
        ColumnDelta(
            name="order_id",
            status="unchanged",
            base_type="BIGINT",
            current_type="BIGINT",
            base_position=1,
            current_position=1,
        ),
        ColumnDelta(
            name="status",
            status="retyped",
            base_type="INTEGER",
            current_type="VARCHAR",
            base_position=3,
            current_position=2,
        ),
        ColumnDelta(
            name="customer_id",
            status="moved",
            base_type="BIGINT",
            current_type="BIGINT",
            base_position=2,
            current_position=3,
        ),
        ColumnDelta(name="amount", status="removed", base_type="DOUBLE", base_position=4),
        ColumnDelta(name="net_amount", status="added", current_type="DECIMAL(12,2)", current_position=4),
    ),
)

VALUES = ValueDiff(
    subject=ORDERS,
    key=("order_id",),
    key_source="unique_key",
    base=KeyCounts(rows=1_284_003, null_keys=2, duplicate_keys=1, duplicate_rows=2),
    current=KeyCounts(rows=1_284_011),
    added=15,
    removed=3,
    common=1_283_996,
    changed=12_840,
    columns=(
        ColumnValues(
            name="customer_id", base_type="BIGINT", current_type="BIGINT", matched=1_283_996, mismatched=0
        ),
        ColumnValues(
            name="net_amount",
            base_type="DOUBLE",
            current_type="DECIMAL(12,2)",
            compared_as="DOUBLE",
            matched=1_271_160,
            mismatched=12_836,
            null_to_value=40,
            mean_difference=-1.25,
            largest_difference=1200.5,
            examples=(
                Example(key=(17,), base=19.99, current=Decimal("18.74")),
                Example(key=(23,), base=None, current=Decimal("4.00")),
                Example(key=(42,), base=float("nan"), current=Decimal("0.00")),
                Example(key=(99,), base=1.0, current=Decimal("2.00")),
            ),
        ),
        ColumnValues(
            name="status",
            base_type="VARCHAR",
            current_type="VARCHAR",
            matched=1_283_992,
            mismatched=4,
            value_to_null=3,
            examples=(
                Example(key=(5,), base="paid", current=None),
                Example(key=(6,), base="NULL", current=None),
                Example(key=(7,), base="", current=None),
                Example(key=(8,), base="paid", current="paid "),
            ),
        ),
        ColumnValues(
            name="payload",
            base_type="STRUCT(a INTEGER)",
            current_type="DATE",
            reason="the types have no common one",
        ),
        ColumnValues(
            name="ordered_at", base_type="DATE", current_type="DATE", matched=1_283_996, mismatched=0
        ),
    ),
    base_only=("amount",),
    current_only=("currency", "tax"),
    where="ordered_at >= '2026-01-01'",
    sample=10.0,
    notes=("Rows whose key is NULL, or has several rows on a side, are not compared",),
)
EQUAL_VALUES = ValueDiff(
    subject=CUSTOMERS,
    key=("region", "customer_id"),
    key_source="unique combination test",
    base=KeyCounts(rows=100_120),
    current=KeyCounts(rows=100_120),
    common=100_120,
    columns=(
        ColumnValues(name="name", base_type="VARCHAR", current_type="VARCHAR", matched=100_120, mismatched=0),
        ColumnValues(name="since", base_type="DATE", current_type="DATE", matched=100_120, mismatched=0),
    ),
)
NEW_VALUES = ValueDiff(
    subject=REFUNDS,
    key=("refund_id",),
    key_source="unique test",
    base=None,
    current=KeyCounts(rows=312),
    added=312,
    notes=("Base has no such relation",),
)

DETAIL = ValueDetail(
    subject=ORDERS,
    key=("order_id",),
    key_source="unique_key",
    columns=("customer_id", "status", "net_amount"),
    rows=(
        DetailRow(
            status="changed", key=(17,), base=(3, "paid", 19.99), current=(3, "paid", Decimal("18.74"))
        ),
        DetailRow(status="changed", key=(18,), base=(3, "NULL", 1.0), current=(3, None, Decimal("1.00"))),
        DetailRow(status="added", key=(1_284_012,), current=(9, "open", Decimal("7.50"))),
        DetailRow(status="removed", key=(4,), base=(9, "", None)),
    ),
    limit=4,
    is_cut=True,
)
WIDE_DETAIL = ValueDetail(
    subject=CUSTOMERS,
    key=("region", "customer_id"),
    key_source="option",
    columns=tuple(f"attribute_{index:02}" for index in range(24)),
    rows=(
        DetailRow(
            status="changed",
            key=("EMEA", 1),
            base=tuple(f"value {index}" for index in range(24)),
            current=tuple(f"value {index + (index % 11 == 5)}" for index in range(24)),
        ),
        DetailRow(status="added", key=("APAC", 2), current=tuple(f"value {index}" for index in range(24))),
    ),
    limit=100,
)
EVERY_TYPE = ValueDetail(
    subject=subject("every_type"),
    key=("kind",),
    key_source="option",
    columns=("value",),
    rows=tuple(
        DetailRow(status="changed", key=(kind,), base=(base,), current=(current,))
        for kind, base, current in (
            ("null and its name", None, "NULL"),
            ("null and nothing", None, ""),
            ("blanks", "a", "a "),
            ("number and text", 12, "012"),
            ("boolean", True, "true"),
            ("large integer", 2**53, 2**127),
            ("floats", 0.1, 0.30000000000000004),
            ("not a number", float("nan"), float("inf")),
            ("decimals", Decimal("1.10"), Decimal("-0.000000000000000001")),
            ("dates", date(2026, 1, 31), date(2026, 2, 1)),
            (
                "timestamps",
                datetime(2026, 1, 31, 23, 59, 59, 999999),
                datetime(2026, 1, 31, 23, 59, 59, 999998, tzinfo=timezone.utc),
            ),
            ("times", time(8, 0), time(8, 0, 0, 1)),
            ("intervals", timedelta(days=1, seconds=5), timedelta(days=-1)),
            ("binary", b"\x00\xff", b""),
            ("uuid", UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"), UUID(int=0)),
            ("lists", [1, None, "a"], [1, "NULL", "a"]),
            ("structs", {"a": 1, "b": [date(2026, 1, 1)]}, {"a": 1, "b": []}),
            ("maps", {1: "a", 2: "b"}, {1: "a"}),
            ("line ends", "first\nsecond", "first\r\nsecond"),
            ("hostile", HOSTILE, HOSTILE[::-1]),
            ("long", "x" * 5_000, "x" * 5_001),
        )
    ),
    limit=100,
)

ROWS = RowsDiff(
    subject=Subject(name="query"),
    columns=("day", "orders"),
    base_rows=31,
    current_rows=32,
    common=29,
    added=3,
    removed=2,
    incomparable=("payload",),
    rows=(
        DetailRow(status="added", key=(), current=(date(2026, 1, 31), 4), current_count=2),
        DetailRow(status="removed", key=(), base=(date(2026, 1, 30), 7)),
    ),
    limit=2,
    is_cut=True,
)
QUERY = QueryDiff(
    subject=Subject(name="query"),
    base_sql="select ordered_at as day, count(*) as orders\nfrom analytics.orders\ngroup by 1",
    current_sql="select ordered_at as day, count(*) as orders\nfrom pr_42.orders\ngroup by 1",
    rows=ROWS,
)

PROFILE = ProfileDiff(
    subject=ORDERS,
    columns=(
        ColumnProfile(
            name="order_id",
            base=Profile(
                type="BIGINT", row_count=1000, not_null_count=1000, distinct_count=1000, min=1, max=1000,
                avg=500.5, median=500.5,
            ),
            current=Profile(
                type="BIGINT", row_count=1000, not_null_count=1000, distinct_count=1000, min=1, max=1000,
                avg=500.5000000000001, median=500.5,
            ),
        ),
        ColumnProfile(
            name="net_amount",
            base=Profile(
                type="DOUBLE", row_count=1000, not_null_count=998, distinct_count=412, is_approximate=True,
                min=0.5, max=99.5, avg=20.123456789, median=19.0,
            ),
            current=Profile(
                type="DECIMAL(12,2)", row_count=1000, not_null_count=1000, distinct_count=415,
                is_approximate=True, min=Decimal("0.50"), max=Decimal("1200.50"), avg=20.123456788,
                median=Decimal("19.00"),
            ),
        ),
        ColumnProfile(
            name="is_gift",
            current=Profile(
                type="BOOLEAN", row_count=1000, not_null_count=1000, distinct_count=2, true_count=7
            ),
        ),
        ColumnProfile(
            name="note",
            base=Profile(
                type="VARCHAR", row_count=1000, not_null_count=10, distinct_count=10, min="", max="zebra",
                min_length=0, max_length=80, avg_length=12.5,
            ),
            current=Profile(
                type="VARCHAR", row_count=1000, not_null_count=10, distinct_count=10, min=" ", max="zebra",
                min_length=1, max_length=80, avg_length=12.625,
            ),
        ),
    ),
    current_kept_at=KEPT_AT,
)  # fmt: skip

TOP_K = TopKDiff(
    subject=ORDERS,
    k=4,
    columns=(
        ColumnTopK(
            name="status",
            values=(
                TopValue(value="completed", base=700, current=640),
                TopValue(value="shipped", base=150, current=210),
                TopValue(value="NULL", base=20, current=21),
                TopValue(value="", base=0, current=1),
            ),
            base_valid=900,
            base_total=1000,
            current_valid=880,
            current_total=1000,
        ),
        ColumnTopK(
            name="is_gift",
            values=(TopValue(value=False, base=0, current=993), TopValue(value=True, base=0, current=7)),
            current_valid=1000,
            current_total=1000,
        ),
        ColumnTopK(name="payload", reason="values of STRUCT(a INTEGER) cannot be grouped"),
    ),
)

HISTOGRAM = HistogramDiff(
    subject=ORDERS,
    columns=(
        ColumnHistogram(
            name="net_amount",
            edges=tuple(float(edge) for edge in range(0, 105, 5)),
            base=(3, 9, 20, 44, 80, 120, 160, 130, 100, 80, 60, 50, 40, 30, 20, 14, 10, 6, 4, 2),
            current=(3, 9, 20, 40, 60, 90, 130, 160, 140, 100, 70, 50, 40, 30, 20, 0, 0, 0, 0, 30),
            min=0.5,
            max=99.5,
            base_total=982,
            current_total=992,
            base_nulls=0,
            current_nulls=12,
            current_outside=2,
        ),
        ColumnHistogram(
            name="ordered_at",
            kind="date",
            unit="1 month",
            edges=tuple(date(2026, month, 1) for month in range(1, 8)),
            base=(100, 120, 90, 110, 130, 20),
            current=(100, 120, 90, 110, 130, 140),
            min=date(2026, 1, 3),
            max=date(2026, 6, 30),
            base_total=570,
            current_total=690,
        ),
        ColumnHistogram(name="is_new", edges=(0, 5, 10), current=(4, 6), min=0, max=9, current_total=10),
        ColumnHistogram(name="note", reason="VARCHAR has no order that bins could follow"),
    ),
)

FAILED = Failed(
    subject=subject("never_built"),
    diff="value_diff",
    error="never_built does not exist in pr_42",
    hint="build it with dbt build --select never_built, or leave it out with --exclude never_built",
)

HOSTILE_RESULTS: tuple[AnyDataDiff, ...] = (
    ValueDiff(
        subject=Subject(name=HOSTILE, unique_id=HOSTILE, base=HOSTILE, current=HOSTILE),
        key=(HOSTILE,),
        key_source=HOSTILE,
        base=KeyCounts(rows=1),
        current=KeyCounts(rows=1),
        common=1,
        changed=1,
        columns=(
            ColumnValues(
                name=HOSTILE,
                base_type=HOSTILE,
                current_type="INT",
                compared_as=HOSTILE,
                matched=0,
                mismatched=1,
                examples=(Example(key=(HOSTILE,), base=HOSTILE, current=None),),
            ),
        ),
        base_only=(HOSTILE,),
        where=HOSTILE,
        notes=(HOSTILE,),
    ),
    Failed(subject=Subject(name=HOSTILE), diff=HOSTILE, error=HOSTILE, hint=HOSTILE),
    TopKDiff(
        subject=Subject(name=HOSTILE),
        k=1,
        columns=(
            ColumnTopK(
                name=HOSTILE,
                values=(TopValue(value=HOSTILE, base=1, current=2),),
                base_valid=1,
                base_total=1,
                current_valid=2,
                current_total=2,
            ),
        ),
    ),
)

PULL_REQUEST: tuple[AnyDataDiff, ...] = (
    ROW_COUNTS,
    SCHEMA,
    VALUES,
    DETAIL,
    PROFILE,
    TOP_K,
    HISTOGRAM,
    EQUAL_VALUES,
    NEW_VALUES,
    FAILED,
)
CHECKS = CheckReport(
    checks=(
        CheckResult(
            name="orders keep their amounts",
            type="value_diff",
            status=CheckStatus.FAILED,
            message="net_amount: 1.0% of the rows differ, at most 0.1% may",
            results=(VALUES,),
            violations=(
                "net_amount: 1.0% of the rows differ, at most 0.1% may",
                "3 rows were removed, none may be",
            ),
            seconds=2.31,
            has_expectations=True,
            where="checks.yml:3",
        ),
        CheckResult(
            name="refunds are there",
            type="row_count_diff",
            status=CheckStatus.ERROR,
            message="refunds does not exist in pr_42",
            hint="build it with dbt build --select refunds",
            where="checks.yml:14",
        ),
        CheckResult(name="old dashboard", type="query_diff", status=CheckStatus.SKIPPED, optional=True),
        CheckResult(
            name="customers are the same",
            type="value_diff",
            status=CheckStatus.PASSED,
            message="100,120 rows, all the same",
            results=(EQUAL_VALUES,),
            seconds=0.2,
            has_expectations=True,
        ),
    ),
    path="checks.yml",
    seconds=2.6,
)

CASES: dict[str, tuple[AnyDataDiff, ...]] = {
    "row_counts": (ROW_COUNTS,),
    "schema": (SCHEMA,),
    "values": (VALUES, EQUAL_VALUES, NEW_VALUES),
    "detail": (DETAIL, WIDE_DETAIL),
    "every_type": (EVERY_TYPE,),
    "query": (QUERY,),
    "profile": (PROFILE,),
    "top_k": (TOP_K,),
    "histogram": (HISTOGRAM,),
    "failed": (FAILED,),
    "hostile": HOSTILE_RESULTS,
    "nothing": (),
}
