"""Relations of nodes that dbt read in another target."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.changes import detect_changes
from recce_meta.extractors.deferred import with_deferred_relations
from recce_meta.models import NodeMetadata, Project, Reason, RunMetadata, Status

QUOTES = ['"{}"', "`{}`", "[{}]", "{}"]


def node(name: str, quotes: str, code: str | None = None, *parents: str, **fields: Any) -> NodeMetadata:
    parts = ("db", "dev", name.rpartition(".")[2])
    return NodeMetadata(
        **{
            "unique_id": name if "." in name else f"model.shop.{name}",
            "name": parts[2],
            "resource_type": name.split(".")[0] if "." in name else "model",
            "package_name": "shop",
            "database_name": parts[0],
            "schema_name": parts[1],
            "identifier": parts[2],
            "relation_name": ".".join(map(quotes.format, parts)),
            "compiled_code": code,
            "parents": parents,
            "language": "sql",
        }
        | fields
    )


def placed(*nodes: NodeMetadata) -> dict[str, tuple[str | None, ...]]:
    found = with_deferred_relations(nodes)
    return {
        one.unique_id.removeprefix("model.shop."): (one.database_name, one.schema_name, one.relation_name)
        for one in found
    }


@pytest.mark.parametrize("quotes", QUOTES)
def test_a_deferred_node_has_the_relation_that_its_readers_read(quotes: str) -> None:
    orders, prod = node("orders", quotes), ".".join(map(quotes.format, ("live", "prod", "orders")))
    code = f"select orders.id from {prod} as orders join x.orders_old on {prod}.id = 1"

    found = placed(orders, node("totals", quotes, code, orders.unique_id))

    assert found["orders"] == ("live", "prod", prod)
    assert found["totals"][1] == "dev"


def test_a_relation_without_a_database_has_another_schema_only() -> None:
    orders = node("orders", "{}", relation_name="dev.orders")

    found = placed(orders, node("totals", "{}", "select * from prod.orders", orders.unique_id))

    assert found["orders"] == ("db", "prod", "prod.orders")


@pytest.mark.parametrize(
    "code",
    [
        None,
        'select * from "db"."dev"."orders"',
        'select * from "db"."prod"."orders" union all select * from "db"."dev"."orders"',
        'select * from "db"."prod"."orders" union all select * from "db"."test"."orders"',
        'select * from "db"."raw"."orders"',
        'select * from "db"."prod"."orders_2"',
        'select * from "x"."db"."prod"."orders"',
        "select * from db.prod.orders",
    ],
)
def test_a_relation_that_sql_does_not_prove_is_kept(code: str | None) -> None:
    orders = node("orders", '"{}"')
    raw = node("source.shop.raw.orders", '"{}"', schema_name="raw", relation_name='"db"."raw"."orders"')
    reader = node("totals", '"{}"', code, orders.unique_id, raw.unique_id)

    assert placed(orders, raw, reader)["orders"] == ("db", "dev", orders.relation_name)


def test_a_reader_of_an_ephemeral_model_reads_its_parents_and_one_reader_is_enough() -> None:
    orders = node("orders", '"{}"')
    recent = node("recent", '"{}"', None, orders.unique_id, relation_name=None, materialized="ephemeral")
    code = 'with __dbt__cte__recent as (select * from "db"."prod"."orders") select * from __dbt__cte__recent'
    readers = [node("totals", '"{}"', code, recent.unique_id), node("built", '"{}"', None, orders.unique_id)]

    assert placed(orders, recent, *readers)["orders"][1] == "prod"


@pytest.mark.parametrize(("command", "is_edit"), [("build --defer", False), ("build", True)])
def test_another_place_of_a_deferred_node_is_no_edit(command: str, is_edit: bool) -> None:
    orders = node("orders", '"{}"')
    run = RunMetadata(
        run_id="1", run_at=datetime(2026, 1, 1, tzinfo=UTC), project_name="shop", command=command,
        adapter_type="duckdb", target_name="dev", target_database="db", target_schema="dev",
    )  # fmt: skip
    there = replace(orders, schema_name="prod", relation_name='"db"."prod"."orders"')

    (change,) = detect_changes(
        Project(run=replace(run, command="build"), nodes=(orders,)), Project(run=run, nodes=(there,))
    ).values()

    assert (change.status, change.reasons) == (
        (Status.MODIFIED, (Reason.RELATION,)) if is_edit else (Status.UNCHANGED, (Reason.ENVIRONMENT,))
    )
