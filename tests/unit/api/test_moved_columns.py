"""Readers of a parent whose columns have another order, with DuckDB as the judge."""

from __future__ import annotations

import duckdb
import pytest

from recce_meta.api.diff import NOTHING_MORE, stored_diff, whole_diff
from recce_meta.api.record import record_run
from recce_meta.models.change import Category, Reach
from recce_meta.report.diff_details import detail_phrases
from tests.support.once import empty_store
from tests.unit.api.test_kept_rows import node, project

ORDERS = "select {} from (values (1, 100), (2, 200), (3, -5)) as v(id, amount)"
BASE, CURRENT = ORDERS.format("id, amount"), ORDERS.format("amount, id")
PASSED = "from parent"
BY_POSITION = [
    "with c(x, y) as (select * from parent) select x from c",
    "with c(x, y) as (from parent) select x from c",
    "with c(x, y) as (table parent) select x from c",
    "with a as (select * from parent), c(x, y) as (from a) select x from c",
    "with c(x, y) as (-- all of them\n from parent) select x from c",
    "select x from (select * from parent) as t(x, y)",
    "select t.x from parent s join (select * from parent) as t(x, y) on s.id = t.y",
    "select x from (from passed) as t(x, y)",
    "select #1 as x from parent",
    "select id from parent where #2 > 50",
    "select id from (select * from parent order by all limit 1)",
    "select id from (from parent order by 2 limit 1)",
    "select id from parent p where p < row(3, 4)",
    "select id from parent p where row(3, 4) >= p",
    "select id from parent p order by p limit 1",
    "select id from parent where (amount, id) in (from parent)",
    "select hash(*columns(*)) as h from parent",
    "select coalesce(*columns(*)) as x from parent",
    "select p::varchar as x from parent p",
]
BY_NAME = [
    "select id from parent",
    "with c as (select * from parent) select id, amount from c",
    "with c(x, y) as (select id, amount from parent) select x from c",
    "select id, count(*) as n from parent group by all",
    "select id from parent order by all limit 1",
    "select p.id from parent p where p.id < 3 order by p.amount",
    "from passed select id",
]


def rows_over(parent: str, sql: str) -> list[str]:
    with duckdb.connect() as session:
        session.sql(f"create table parent as {parent}")
        session.sql(f"create table passed as {PASSED}")
        return sorted(map(repr, session.sql(sql).fetchall()))


@pytest.mark.cases(4)
@pytest.mark.parametrize("sql", [*BY_POSITION, *BY_NAME])
def test_readers_by_position_are_affected_by_another_order(sql: str) -> None:
    above = next(name for name in ("passed", "parent") if name in sql)
    sides = [
        project(
            run_id,
            node("parent", query),
            node("passed", PASSED, "model.shop.parent"),
            node("reader", sql, f"model.shop.{above}"),
            node("below", "select 1 as k from reader", "model.shop.reader"),
        )
        for run_id, query in (("b", BASE), ("bc", CURRENT))
    ]
    with empty_store() as store:
        runs = [record_run(store, side).run for side in sides]
        diffs = [whole_diff(*sides, NOTHING_MORE), stored_diff(store, *runs)]

    assert (rows_over(BASE, sql) != rows_over(CURRENT, sql)) is (sql in BY_POSITION)
    is_parsed = "*columns" not in sql
    for diff in diffs:
        assert {one.name: one.reach for one in diff.impacted} == (
            dict.fromkeys(("reader", "below"), Reach.ROWS if is_parsed else Reach.UNKNOWN)
            if sql in BY_POSITION
            else {}
        )
        assert "columns reordered" in detail_phrases(diff.changes[0])
        harm = Category.BREAKING if is_parsed else Category.UNKNOWN
        assert diff.changes[0].category is (harm if sql in BY_POSITION else Category.NON_BREAKING)


@pytest.mark.parametrize(
    ("sql", "category", "words"),
    [
        ("select * from parent natural join o", Category.BREAKING, "changes the rows of reader"),
        ("select distinct * from parent", Category.BREAKING, "changes the rows of reader"),
        ("pivot parent on a using sum(k)", Category.UNKNOWN, "has an unknown effect on reader"),
        (
            "select (select max(n) from parent) as m from o",
            Category.PARTIAL_BREAKING,
            "changes columns of reader",
        ),
        ("select k, a from parent", Category.NON_BREAKING, ""),
    ],
)
def test_a_new_column_is_as_harmful_as_to_its_readers(sql: str, category: Category, words: str) -> None:
    before, after = "select 1 as k, 'x' as a", "select 1 as k, 'x' as a, 5 as n"
    reader = node("reader", sql, "model.shop.parent", "model.shop.o")
    sides = [
        project(run_id, node("parent", query), node("o", "select 1 as k, 3 as n"), reader)
        for run_id, query in (("b", before), ("bc", after))
    ]

    (change,) = whole_diff(*sides, NOTHING_MORE).changes

    assert change.category is category
    assert words in " ".join(change.category_reasons)


@pytest.mark.parametrize(
    ("kind", "sql", "category"),
    [
        ("table", "select 1 as k from src order by k", Category.NON_BREAKING),
        ("view", "select 1 as k from src order by k", Category.BREAKING),
        ("table", "select 1 as k from src order by k limit 1", Category.BREAKING),
        ("table", "select 1 as k, 2 as n from src order by k", Category.BREAKING),
    ],
)
def test_rows_of_a_table_have_no_order(kind: str, sql: str, category: Category) -> None:
    before, after = (
        project(run_id, node("src", "select 1 as k"), node("m", query, "model.shop.src", materialized=kind))
        for run_id, query in (("b", "select 1 as k from src"), ("bc", sql))
    )

    (change,) = whole_diff(before, after, NOTHING_MORE).changes

    assert change.category is category
