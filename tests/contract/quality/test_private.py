"""Values of private columns: they never leave the warehouse, in no figure and in no error."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from recce_meta.models.quality import Sample
from recce_meta.quality.measure import QualitySettings
from recce_meta.quality.metrics import WITHHELD, MetricQuery, reads_unnamed_columns
from recce_meta.quality.privacy import Privacy
from recce_meta.warehouses.dialect import dialect_named
from tests.contract.quality.conftest import Shop

NO_VALUES = QualitySettings(privacy=Privacy(keeps_values=False))
COLUMNS = {
    "id": "integer",
    "email": "varchar",
    "phone_number": "bigint",
    "card_number": "decimal(20,2)",
    "birth_date": "date",
    "token_at": "timestamp",
    "has_pin": "boolean",
    "rating": "integer",
}
MARK = 4_915_112_345
BORN = date(1951, 12, 3)
ROWS = [
    (
        number,
        f"ann{MARK}@example.com",
        MARK,
        Decimal(MARK),
        date(1951, 12, 3),
        datetime(1951, 12, 3),
        True,
        31,
    )
    for number in range(1, 6)
]


def is_telling(cell: object) -> bool:
    """Whether *cell* has a value of a private column in it."""
    shown = f"{cell} {cell!r}"
    return str(MARK) in shown or "1951-12" in shown or "1951, 12" in shown


@pytest.mark.parametrize(
    "settings",
    [QualitySettings(), NO_VALUES, QualitySettings(sample=Sample(percent=99.9))],
    ids=["patterns", "no values", "sample"],
)
def test_values_of_private_columns_never_leave_the_warehouse(shop: Shop, settings: QualitySettings) -> None:
    name = shop.fill("people", COLUMNS, ROWS)

    found = shop.ask(name, settings)

    assert found.reason is None and shop.answers
    assert [cell for cell in shop.answers if is_telling(cell)] == []
    assert not is_telling(found)
    for column in found.columns:
        plain = settings.privacy.keeps_values and column.name in ("id", "rating")
        profile = column.profile
        assert profile is not None and column.is_private is not plain and column.reason is None
        assert (profile.not_null_count, column.null_count) == (profile.row_count, 0)
        assert profile.distinct_count == (profile.row_count if column.name == "id" else 1)
        if not plain:
            values = (profile.min, profile.max, profile.avg, profile.median, profile.true_count)
            assert (*values, column.top_values) == (None,) * 5 + ((),)
    email = found.columns[1].profile
    assert email is not None and email.min_length == email.max_length == len(ROWS[0][1])


def test_the_test_itself_sees_values_that_do_leave(shop: Shop) -> None:
    name = shop.fill("people", COLUMNS, ROWS)

    found = shop.ask(name, QualitySettings(privacy=Privacy(patterns=())))

    assert len([cell for cell in shop.answers if is_telling(cell)]) >= 10 and is_telling(found)


def test_errors_do_not_quote_what_is_private(shop: Shop) -> None:
    shop.fill("people", COLUMNS, ROWS)
    people = shop.quoted("people")
    view = shop.view("v", f"SELECT id, email, CAST(email AS INTEGER) AS rating FROM {people}")
    metrics = (MetricQuery(name="sum", sql="SUM(CAST(email AS INTEGER))", threshold="> 0"),)

    for settings in (QualitySettings(), NO_VALUES, QualitySettings(sample=Sample(percent=50))):
        found = shop.ask(view, settings, metrics=metrics, is_view=settings.sample is not None)

        assert not is_telling(found)
        said = repr(found)
        assert "withheld because it may quote values" in said and "example.com" not in said


def test_what_is_not_private_may_be_quoted(shop: Shop) -> None:
    shop.fill("people", COLUMNS, ROWS)
    view = shop.view("v", f"SELECT id, CAST(email AS INTEGER) AS number FROM {shop.quoted('people')}")

    found = shop.ask(view)

    assert "example.com" in str(found.columns[1].reason)
    assert found.columns[0].reason is None and found.columns[0].profile is not None


@pytest.mark.parametrize(
    ("sql", "is_kept"),
    [
        ("COUNT(DISTINCT email)", True),
        ("MAX(email)", False),
        ("MAX(birth_date)", False),
        ("MIN(CASE WHEN email LIKE '%@%' THEN 1 ELSE 0 END)", True),
        ("MAX(rating)", True),
        ("COUNT(*)", True),
        ("(SELECT MAX(e) FROM {name} AS z (i, e))", False),
    ],
)
def test_a_metric_that_mentions_a_private_column_keeps_numbers_alone(
    shop: Shop, sql: str, is_kept: bool
) -> None:
    name = shop.fill("people", COLUMNS, ROWS)
    seen: list[Any] = []

    def holds(value: Any) -> bool:
        seen.append(value)
        return True

    sql = sql.format(name=name)
    (metric,) = shop.measure(
        name, metrics=(MetricQuery(name="m", sql=sql, threshold="any", holds=holds),)
    ).metrics

    assert (metric.value is not None, metric.reason) == (is_kept, None if is_kept else WITHHELD)
    assert metric.holds is True and seen != [None]  # it is judged all the same


@pytest.mark.parametrize(
    "sql",
    ["(SELECT MAX(email) FROM {people})", "(SELECT MAX(CAST(p AS VARCHAR)) FROM {people} AS p)"],
)
def test_a_metric_that_reads_another_table_keeps_no_text_of_it(shop: Shop, sql: str) -> None:
    shop.fill("people", COLUMNS, ROWS)
    name = shop.fill("orders", {"id": "integer", "status": "varchar"}, [(1, "paid")])
    wrong = sql.replace("MAX(", "SUM(1 / ").replace("email", "CAST(email AS INTEGER)")
    asked = [sql, wrong, "(SELECT COUNT(*) FROM {people})", "MAX(status)"]
    metrics = [
        MetricQuery(name=f"m{number}", sql=text.format(people=shop.quoted("people")))
        for number, text in enumerate(asked)
    ]

    found = shop.measure(name, metrics=tuple(metrics)).metrics

    assert not is_telling(found) and "example.com" not in repr(found)
    assert (found[0].reason, found[2].value, found[3].value) == (WITHHELD, 5, "paid")


def test_what_the_warehouse_says_is_not_passed_on_where_a_column_is_private(shop: Shop) -> None:
    name = shop.fill("noted", {"email": "varchar", "notes": "varchar"}, [("a@b.org", "of ann")])

    (metric,) = shop.measure(
        name, metrics=(MetricQuery(name="m", sql="MAX(CAST(notes AS INTEGER))"),)
    ).metrics

    assert "withheld because it may quote values" in str(metric.reason) and "ann" not in str(metric.reason)


def test_what_a_view_computes_is_not_quoted(shop: Shop) -> None:
    shop.fill("people", COLUMNS, ROWS)
    view = shop.view("v", f"SELECT id, CAST(email AS INTEGER) AS number FROM {shop.quoted('people')}")

    found = shop.ask(view, is_view=True)

    assert found.columns[0].profile is not None and "example.com" not in repr(found)
    assert "withheld because it may quote values" in str(found.columns[1].reason)


@pytest.mark.parametrize(
    "sql", ["max(COLUMNS('em.*'))", "max(COLUMNS(lambda c: c LIKE 'em%'))", "max(#2)", "list(struct_pack(*))"]
)
def test_columns_that_duckdb_reads_unnamed_are_known_to_be_read(sql: str) -> None:
    assert reads_unnamed_columns(sql, dialect_named("duckdb"))
    assert not reads_unnamed_columns("max(rating * 2) || 'em'", dialect_named("duckdb"))
