"""The parts of a project's column lineage: names, order, snapshots, tests, results."""

from __future__ import annotations

import pytest

from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph import parents_first
from recce_meta.models import NodeMetadata
from recce_meta.models.lineage import ColumnOutput, ColumnSource, Kind, is_late
from recce_meta.sql_lineage.project import jobs
from recce_meta.sql_lineage.project.jobs import AnalysisJob, Failure, analyse_job
from recce_meta.sql_lineage.project.names import last_part, parent_name, parseable_sql, schemas_key
from recce_meta.sql_lineage.project.nodes import Spelling, argument_reads, snapshot_columns, snapshot_names

ORDERS = "model.shop.orders"
OUTPUTS = (
    ColumnOutput("id", Kind.PASSTHROUGH, None, (ColumnSource(ORDERS, "id"),)),
    ColumnOutput("region", Kind.PASSTHROUGH, None, (ColumnSource(ORDERS, "region"),)),
    ColumnOutput("changed_at", Kind.RENAMED, None, (ColumnSource(ORDERS, "updated"),)),
)


@pytest.mark.parametrize(
    ("relation", "part"),
    [
        ('"db"."prod"."Order Lines"', '"Order Lines"'),
        ('"db"."prod"."say ""hi"""', '"say ""hi"""'),
        ("db.prod.orders", "orders"),
        ("`project`.`data`.`orders`", "`orders`"),
        ("`project.data.orders`", "`orders`"),
        ("[db].[dbo].[orders]", "[orders]"),
        ("orders", "orders"),
        ("read_parquet('s3://shop/orders.parquet')", "t"),
        ("'orders.csv'", "t"),
    ],
)
def test_the_last_part_of_a_relation_keeps_its_quotes(relation: str, part: str) -> None:
    assert last_part(relation) == part


def test_stored_sql_becomes_sql_that_every_dialect_parses() -> None:
    sql = parseable_sql(f"select orders.id from ⟦{ORDERS}⟧ -- ⟦⟧", {ORDERS: '"db"."prod"."Orders"'})

    assert sql == f'select orders.id from {parent_name(ORDERS)}."Orders" -- ⟦'
    assert schemas_key(ORDERS, '"db"."prod"."Orders"') == f"{parent_name(ORDERS)}.Orders"
    assert parent_name(ORDERS).isidentifier()
    assert parent_name(ORDERS).islower()


def test_parents_come_before_their_children_whatever_their_names() -> None:
    order, circles = parents_first({"a": ["c"], "b": ["a", "gone"], "c": ["d"], "d": []})

    assert order == ["d", "c", "a", "b"]
    assert circles == []


def test_every_circle_is_cut_once_and_a_node_that_reads_itself_is_none() -> None:
    order, circles = parents_first({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["d"], "e": ["a"]})

    assert sorted(order) == ["a", "b", "c", "d", "e"]
    assert circles == [("a", "b", "c")]


def test_columns_are_found_whatever_the_case_unless_there_are_two() -> None:
    spelling = Spelling(["ID", "Name", "name"])

    assert [spelling.of(name) for name in ("id", "name", "NAME", "other")] == ["ID", "name", "NAME", "other"]
    assert "id" in spelling
    assert "NAME" not in spelling


def snapshot(**config: object) -> NodeMetadata:
    return NodeMetadata(unique_id="snapshot.shop.s", name="s", resource_type="snapshot", config=config)


def made(node: NodeMetadata) -> dict[str, tuple[Kind, set[str]]]:
    return {
        output.name: (output.kind, {source.column for source in output.sources})
        for output in snapshot_columns(node, OUTPUTS)
    }


def test_a_snapshot_by_time_takes_its_times_from_the_query() -> None:
    assert made(snapshot(strategy="timestamp", unique_key="id", updated_at="changed_at")) == {
        "dbt_scd_id": (Kind.DERIVED, {"id", "updated"}),
        "dbt_updated_at": (Kind.RENAMED, {"updated"}),
        "dbt_valid_from": (Kind.RENAMED, {"updated"}),
        "dbt_valid_to": (Kind.DERIVED, {"updated"}),
    }


def test_a_snapshot_that_checks_columns_depends_on_them() -> None:
    found = made(snapshot(strategy="check", unique_key=["id", "region"], check_cols="all"))

    assert found["dbt_scd_id"] == (Kind.DERIVED, {"id", "region", "updated"})
    assert found["dbt_valid_from"] == (Kind.DERIVED, {"id", "region", "updated"})
    assert made(snapshot(strategy="check", unique_key="id", check_cols=["region"]))["dbt_valid_to"] == (
        Kind.DERIVED,
        {"region"},
    )


def test_a_snapshots_key_may_be_an_expression_and_its_columns_have_other_names() -> None:
    node = snapshot(
        strategy="timestamp",
        unique_key="id || '-' || region",
        updated_at="changed_at",
        hard_deletes="new_record",
        snapshot_meta_column_names={"dbt_scd_id": "version_id", "dbt_is_deleted": "gone"},
    )

    assert made(node)["version_id"] == (Kind.DERIVED, {"id", "region", "updated"})
    assert made(node)["gone"] == (Kind.DERIVED, {"id", "region"})
    assert {"version_id", "gone", "dbt_valid_to"} <= snapshot_names(node)


def data_test(name: str, *parents: str, **fields: object) -> NodeMetadata:
    metadata = {"name": name, "kwargs": fields.get("arguments"), "namespace": fields.get("namespace")}
    return NodeMetadata(
        unique_id="test.shop.t",
        name="t",
        resource_type="test",
        parents=(ORDERS, *parents),
        config={"where": fields.get("where")},
        properties={"test_metadata": metadata, "attached_node": ORDERS},
    )


def test_dbts_own_tests_read_what_their_arguments_say_and_nothing_else() -> None:
    customers = "model.shop.customers"
    unique = argument_reads(data_test("unique", arguments={"column_name": '"Id"'}))
    arguments = {"column_name": "customer_id", "to": "ref('customers')", "field": "id"}
    related = argument_reads(data_test("relationships", customers, arguments=arguments))
    itself = argument_reads(data_test("relationships", arguments=arguments))

    assert (unique.columns, unique.whole) == (((ORDERS, "Id"),), True)
    assert (related.columns, related.whole) == (((customers, "id"), (ORDERS, "customer_id")), True)
    assert (itself.columns, itself.whole) == (((ORDERS, "customer_id"), (ORDERS, "id")), True)


@pytest.mark.parametrize(
    "test",
    [
        data_test("unique", arguments={"column_name": "id"}, where="region = 'eu'"),
        data_test("unique", arguments={"column_name": "id"}, namespace="dbt_utils"),
        data_test("unique_combination", arguments={"combination_of_columns": ["id", "region"]}),
        data_test("unique", arguments={"column_name": "id || region"}),
        data_test("expression_is_true", arguments={"expression": "id > 0"}),
        data_test("unique", arguments="odd"),
        NodeMetadata(unique_id="test.shop.singular", name="singular", resource_type="test"),
    ],
    ids=lambda test: test.name,
)
def test_other_tests_may_read_more_than_their_arguments_say(test: NodeMetadata) -> None:
    assert not argument_reads(test).whole


def test_what_takes_too_long_is_told_from_what_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SqlNotAnalysed("no result")

    monkeypatch.setattr(jobs, "_analyse", fail)

    assert analyse_job(AnalysisJob("select 1", "", {}), 0.0) == Failure("no result (after 0 s)", is_late=True)
    assert analyse_job(AnalysisJob("select 1", "", {}), 60) == Failure("no result")
    assert analyse_job(AnalysisJob("select 1", "", {}), None) == Failure("no result")


def test_what_is_refused_for_its_length_may_be_read_in_more_time() -> None:
    query = AnalysisJob(f"select {', '.join(map(str, range(20_000)))}", "duckdb", {})

    found = analyse_job(query, 0.2)

    assert isinstance(found, Failure)
    assert found.is_late
    assert is_late(found.reason)


def test_a_reason_is_one_line_of_a_length_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SqlNotAnalysed("no\nresult " * 100)

    monkeypatch.setattr(jobs, "_analyse", fail)

    found = analyse_job(AnalysisJob("select 1", "", {}), None)

    assert isinstance(found, Failure)
    assert len(found.reason) == jobs.LONGEST_REASON
    assert "\n" not in found.reason
