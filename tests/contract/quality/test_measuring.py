"""Tables measured together: what cannot be measured has a reason, and all else is measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.quality_tables import TableRequest, measure_tables, measuring_statements
from recce_meta.models import NodeMetadata
from recce_meta.models.node import Column
from recce_meta.models.quality import TableQuality
from recce_meta.quality.measure import QualitySettings, declared_unique
from recce_meta.quality.metrics import MetricQuery
from tests.contract.quality.conftest import Shop

COLUMNS = {"id": "integer", "word": "varchar"}
ROWS = [(1, "a"), (2, "b"), (3, "a"), (4, None), (4, " ")]


def test_tables_are_measured_together_and_each_fails_alone(shop: Shop) -> None:
    names = [shop.fill(f"t{number}", COLUMNS, ROWS[: number + 1]) for number in range(5)]
    gone = shop.quoted("gone")
    done: list[TableQuality] = []

    found = measure_tables(
        shop.adapter,
        [TableRequest(relation=name) for name in (*names[:2], gone, *names[2:])],
        threads=3,
        on_done=done.append,
    )

    assert [table.row_count for table in found] == [1, 2, None, 3, 4, 5]
    assert [table.relation for table in found if table.reason] == [gone]
    assert found[2].columns == () and found[2].score is None and "gone" in str(found[2].reason)
    assert sorted(table.relation for table in done) == sorted(table.relation for table in found)
    assert all(table.measured_at.tzinfo is not None for table in found)


def test_a_view_is_measured_as_a_table_is(shop: Shop) -> None:
    name = shop.fill("t", COLUMNS, ROWS)
    view = shop.view("v", f"SELECT id, word FROM {name}")

    table, viewed = shop.measure(name), shop.measure(view)

    assert viewed.columns == table.columns and viewed.row_count == 5
    word = table.columns[1]
    assert (word.null_count, word.blank_count) == (1, 1)
    assert [(one.value, one.count) for one in word.top_values] == [("a", 2), (" ", 1), ("b", 1)]
    assert word.score == 60.0


def test_a_column_at_fault_has_a_reason_and_the_others_their_figures(shop: Shop) -> None:
    name = shop.fill("t", COLUMNS, ROWS)
    view = shop.view("v", f"SELECT id, word, CAST(word AS INTEGER) AS wrong FROM {name}")

    found = shop.measure(view)

    key, word, wrong = found.columns
    assert (found.reason, found.row_count, key.reason, word.reason) == (None, 5, None, None)
    assert wrong.profile is None and wrong.score is None and wrong.top_values == ()
    assert str(wrong.reason).startswith("No figures: ") and "\n" not in str(wrong.reason)
    assert found.score == pytest.approx((100 + 60) / 2)


def test_a_metric_at_fault_has_a_reason_with_its_sql_and_the_others_their_values(shop: Shop) -> None:
    name = shop.fill("t", COLUMNS, ROWS)
    metrics = (
        MetricQuery(
            name="rows", sql="COUNT(*) -- all of them", threshold="> 4", holds=lambda value: value > 4
        ),
        MetricQuery(name="wrong", sql="SUM(no_such_column)", threshold="> 4", holds=lambda value: value > 4),
        MetricQuery(name="each", sql="id"),
        MetricQuery(name="two", sql="1) AS x, (2"),
        MetricQuery(name="drop", sql="1) FROM t; DROP TABLE t; SELECT (1"),
        MetricQuery(name="nothing", sql=" "),
        MetricQuery(name="null", sql="MAX(CASE WHEN id > 99 THEN id END)", column="ID"),
        MetricQuery(name="elsewhere", sql="COUNT(t.id)", column="gone"),
    )

    found = shop.measure(name, metrics=metrics)

    results = {metric.name: metric for metric in found.metrics}
    assert (int(results["rows"].value), results["rows"].holds, results["rows"].reason) == (5, True, None)
    assert results["wrong"].holds is None and results["wrong"].value is None
    assert "no_such_column" in str(results["wrong"].reason)
    assert str(results["wrong"].reason).endswith(", in: SUM(no_such_column)")
    for refused in ("each", "two", "drop", "nothing"):
        assert results[refused].reason and results[refused].value is None, refused
    assert str(results["drop"].reason).startswith("it is not a single SQL expression")
    assert list(results) == ["rows", "wrong", "each", "two", "drop", "nothing", "elsewhere"]
    assert [(one.name, one.value, one.reason) for one in found.columns[0].metrics] == [("null", None, None)]
    assert found.score == pytest.approx(100 * ((1 + 0.6) / 2 + 1 / 2) / 2)


def test_all_metrics_of_a_table_are_one_statement(shop: Shop) -> None:
    name = shop.fill("t", COLUMNS, ROWS)
    metrics = tuple(MetricQuery(name=f"m{number}", sql=f"SUM(id) + {number}") for number in range(30))

    with_them = measuring_statements(shop.adapter, [TableRequest(relation=name, metrics=metrics)])
    without = measuring_statements(shop.adapter, [TableRequest(relation=name)])
    found = shop.measure(name, metrics=metrics)

    assert len(with_them) == len(without) + 1
    assert [int(metric.value) for metric in found.metrics] == [14 + number for number in range(30)]


def test_a_table_without_columns_has_rows(postgres: UnifiedSqlAdapter, schema_of_ours: str) -> None:
    name = f"{schema_of_ours}.bare"
    postgres.execute(f"CREATE TABLE {name} ()")
    postgres.execute(f"INSERT INTO {name} DEFAULT VALUES")

    (found,) = measure_tables(postgres, [TableRequest(relation=name)])

    assert (found.row_count, found.columns, found.reason, found.score) == (1, (), None, None)


def test_a_table_that_the_role_may_not_read_is_told(
    postgres: UnifiedSqlAdapter, schema_of_ours: str, postgres_url: str
) -> None:
    role = f"reader_{uuid4().hex[:12]}"
    tables = [f"{schema_of_ours}.{name}" for name in ("open", "shut")]
    for name in tables:
        postgres.execute(f"CREATE TABLE {name} AS SELECT 1 AS id")
    postgres.execute(f"CREATE ROLE {role}")
    try:
        postgres.execute(f"GRANT USAGE ON SCHEMA {schema_of_ours} TO {role}")
        postgres.execute(f"GRANT SELECT ON {tables[0]} TO {role}")
        with UnifiedSqlAdapter.from_url(f"{postgres_url}?options=-crole%3D{role}") as reader:
            readable, shut = measure_tables(reader, [TableRequest(relation=name) for name in tables])
    finally:
        postgres.execute(f"DROP OWNED BY {role}")
        postgres.execute(f"DROP ROLE {role}")

    assert (readable.reason, readable.row_count) == (None, 1)
    assert shut.reason == "permission denied for table shut" and shut.columns == ()


@pytest.mark.extensive
def test_what_exceeds_the_budget_is_told_and_what_was_measured_stays(
    postgres: UnifiedSqlAdapter, schema_of_ours: str
) -> None:
    postgres.execute(f"CREATE TABLE {schema_of_ours}.quick AS SELECT 1 AS id")
    postgres.execute(
        f"CREATE VIEW {schema_of_ours}.slow AS SELECT id, pg_sleep(60)::text AS nap"
        f" FROM {schema_of_ours}.quick"
    )
    wanted = [TableRequest(relation=f"{schema_of_ours}.{name}") for name in ("quick", "slow", "quick")]
    begun = time.monotonic()

    quick, slow, after = measure_tables(postgres, wanted, threads=1, deadline=begun + 8)

    assert time.monotonic() - begun < 60
    assert (quick.reason, quick.row_count) == (None, 1)
    assert slow.reason is not None and "time budget" in slow.reason
    assert after.reason == "The time budget is used up" and after.columns == ()


def test_a_statement_that_the_server_stops_costs_its_own_figures_alone(
    postgres_url: str, postgres: UnifiedSqlAdapter, schema_of_ours: str
) -> None:
    name = f"{schema_of_ours}.quick"
    postgres.execute(f"CREATE TABLE {name} AS SELECT 1 AS id")
    slow = MetricQuery(name="slow", sql="MAX(pg_sleep(60)::text)", threshold="= 1")
    with UnifiedSqlAdapter.from_url(f"{postgres_url}?options=-cstatement_timeout%3D1500") as limited:
        (found,) = measure_tables(limited, [TableRequest(relation=name, metrics=(slow,))])

    assert (found.reason, found.row_count, found.columns[0].reason) == (None, 1, None)
    assert "Stopped by the warehouse" in str(found.metrics[0].reason) and found.metrics[0].holds is None


def test_keys_are_primary_keys_and_what_is_declared_unique() -> None:
    node = NodeMetadata(
        unique_id="relation.a.b",
        name="b",
        resource_type="table",
        columns=(Column("id"), Column("code", constraints=({"type": "unique"},)), Column("other")),
        properties={
            "constraints": [
                {"type": "unique", "columns": ["a", "b"]},
                {"type": "primary_key", "columns": ["id"]},
                {"type": "unique", "columns": ["ID"]},
                {"type": "check", "columns": ["other"]},
            ]
        },
    )

    assert declared_unique(node) == (("id",), ("a", "b"), ("code",))


def test_only_what_is_declared_unique_is_scored_for_it(shop: Shop) -> None:
    name = shop.fill("t", COLUMNS, ROWS)
    node = NodeMetadata(
        unique_id="relation.a.t",
        name="t",
        resource_type="table",
        relation_name=name,
        properties={"constraints": [{"type": "unique", "columns": ["ID"]}]},
    )

    (found,) = measure_tables(shop.adapter, [TableRequest(relation=node)], QualitySettings(top=0))

    key, word = found.columns
    assert (found.unique_id, found.name, found.relation) == ("relation.a.t", node.label, name)
    assert found.measured_at <= datetime.now(timezone.utc)
    assert [one.is_declared_unique for one in (key, word)] == [key.name == "ID" or shop.ignores_case, False]
    assert word.score == 60.0 and word.top_values == ()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[UnifiedSqlAdapter]:
    """PostgreSQL."""
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        yield adapter


@pytest.fixture
def schema_of_ours(postgres: UnifiedSqlAdapter) -> Iterator[str]:
    """A schema there, dropped afterwards."""
    name = f"quality_{uuid4().hex[:12]}"
    postgres.execute(f"CREATE SCHEMA {name}")
    yield name
    postgres.execute(f"DROP SCHEMA {name} CASCADE")
