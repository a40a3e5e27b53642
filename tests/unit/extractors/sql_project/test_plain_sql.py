"""Plain SQL: what statements build are nodes, the relations they name are edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.errors import UsageError
from recce_meta.models import EdgeOrigin
from recce_meta.sql_lineage.project.columns import analyse_project

FILES = {
    "orders.sql": (
        "create table analytics.orders as\nwith o as (select * from raw.orders)\n"
        "select o.id, o.amount, c.name from o join customers c on c.id = o.customer_id;\n"
        "create view analytics.big as select orders.id, orders.amount * 2 as twice from analytics.orders;"
    ),
    "customers.sql": "select id, upper(nm) as name from raw.customers",
    "reports/report.sql": (
        "with orders as (select id, amount from orders)\n"
        "select orders.id, sum(orders.amount) as total from orders group by 1"
    ),
    "reports/fill.sql": (
        "create table t2 (x int, y text);\ninsert into t2 (x, y) select id, name from customers;\n"
        "set something = 1;\nselect broken from from;\n"
    ),
}


def test_statements_and_files_are_nodes_and_names_are_edges(read: Callable[..., Any]) -> None:
    shop = read(FILES, dialect="duckdb")

    assert {unique_id: node.parents for unique_id, node in shop.nodes.items() if node.parents} == {
        "model.shop.orders": ("model.shop.customers", "source.shop.raw.orders"),
        "model.shop.big": ("model.shop.orders",),
        "model.shop.customers": ("source.shop.raw.customers",),
        "model.shop.report": ("model.shop.orders",),
        "model.shop.t2": ("model.shop.customers",),
    }
    assert (shop["big"].materialized, shop["orders"].relation_name) == ("view", "analytics.orders")
    assert [column.name for column in shop["t2"].columns] == ["x", "y"]
    assert shop.project.run.extractor == "sql"
    assert shop.project.warnings == (
        "reports/fill.sql:4 is not understood: Expected table name; its parents come from the names in it",
    )


def test_an_edge_is_less_sure_where_words_alone_name_it_or_it_may_be_another(
    read: Callable[..., Any],
) -> None:
    shop = read(
        {
            "a.sql": "create view x.t as select 1 as id; create view y.t as select 2 as id",
            "b.sql": "select * from t join raw.orders using (id)",
            "c.sql": "create table c as select from ((( from b; insert into c select * from d",
        }
    )

    assert shop["b"].edge_origins == {
        "source.shop.default.t": EdgeOrigin("sql", 0.5),
        "source.shop.raw.orders": EdgeOrigin("sql", 0.9),
    }
    assert shop["c"].edge_origins == {
        "model.shop.b": EdgeOrigin("sql", 0.5),
        "source.shop.default.d": EdgeOrigin("sql", 0.9),
    }


def test_columns_are_traced_through_names_that_are_spelt_in_several_ways(read: Callable[..., Any]) -> None:
    shop = read(FILES, dialect="duckdb")

    graph = analyse_project(shop.project)

    found = graph.analyses[graph.lineage_ids["model.shop.report"]]
    (total,) = [output for output in found.outputs if output.name == "total"]
    assert [(edge.parent, edge.column) for edge in total.sources] == [("model.shop.orders", "amount")]


@pytest.mark.parametrize("dialect", ["redshift", "tsql", "postgres"])
def test_what_a_query_selects_into_is_what_it_builds(read: Callable[..., Any], dialect: str) -> None:
    text = (
        "with o as (select * from raw.orders) select id, amount into s1.tot from o;\n"
        "select id into s1.both_ from s1.tot union all select id from raw.orders;\nselect id from tot;"
    )
    shop = read({"last.sql": text}, dialect=dialect)

    assert {unique_id: node.parents for unique_id, node in shop.nodes.items()} == {
        "model.shop.tot": ("source.shop.raw.orders",),
        "model.shop.both_": ("model.shop.tot", "source.shop.raw.orders"),
        "model.shop.last": ("model.shop.tot",),
        "source.shop.raw.orders": (),
    }
    graph = analyse_project(shop.project)
    (output,) = graph.analyses[graph.lineage_ids["model.shop.last"]].outputs
    assert [(edge.parent, edge.column) for edge in output.sources] == [("model.shop.tot", "id")]
    assert graph.analyses[graph.lineage_ids["model.shop.tot"]].names == ("id", "amount")


def test_a_clone_reads_what_it_copies(read: Callable[..., Any]) -> None:
    shop = read({"a.sql": "create table s.c clone s.orders; create table s.d copy s.c"}, dialect="snowflake")

    assert shop["c"].parents == ("source.shop.s.orders",)
    assert shop["d"].parents == ("model.shop.c",)


def test_a_cte_hides_a_relation_only_within_its_reach(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "a.sql": "select 1 as id",
            "b.sql": "with a as (select * from a), c as (select * from a) select * from c",
            "d.sql": "with recursive a as (select 1 as id union all select id + 1 from a) select * from a",
            "e.sql": "select * from (with a as (select 2 as id) select * from a) x",
        }
    )

    assert shop["b"].parents == ("model.shop.a",)
    assert shop["d"].parents == () == shop["e"].parents


def test_a_name_that_fits_several_relations_is_a_source_and_is_told(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "a.sql": "create view x.t as select 1 as id; create view y.t as select 2 as id",
            "b.sql": "select * from t",
        }
    )

    assert sorted(shop.nodes) == ["model.shop.b", "model.shop.x.t", "model.shop.y.t", "source.shop.default.t"]
    assert shop.project.warnings == ("t is ambiguous (x.t, y.t); it counts as a source",)


def test_a_dialect_that_nobody_speaks_is_refused(read: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="Unknown SQL dialect: 'klingon'"):
        read({"a.sql": "select 1"}, dialect="klingon")


def test_files_in_which_nothing_is_built_say_so(read: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="No query, table or view found"):
        read({"a.sql": "drop table x; -- nothing"})


def test_columns_that_move_reach_those_who_read_them_by_place(read: Callable[..., Any]) -> None:
    readers = {
        "filled.sql": "insert into filled select * from a",
        "named.sql": "insert into named (id, x, y) select id, x, y from a",
        "both_.sql": "select * from a union all select 1, 2, 3",
        "hashed.sql": "select hash(a) as h from a",
        "plain.sql": "select id, max(x) as x from a group by id",
    }
    base = read({"a.sql": "select id, x, y from raw.t", **readers}, dialect="duckdb")
    current = read({"a.sql": "select x, id, y from raw.t", **readers}, dialect="duckdb")

    found = whole_diff(base.project, current.project, NOTHING_MORE)

    assert [change.category for change in found.changed] == ["breaking"]
    assert {impact.name for impact in found.impacted} == {"filled", "both_", "hashed"}
