"""Tests of membership in another form: IN, EXISTS, the left anti join; the proof `facts` executes them."""

from __future__ import annotations

import pytest

from recce_meta.models.change import Category
from recce_meta.sql_diff import compare_sql
from tests.unit.sql_diff.test_facts import SCHEMAS, compared

ORDERS = "select o.id from orders o"
IN = f"{ORDERS} where o.customer_id in (select c.id from customers c)"
EXISTS = f"{ORDERS} where exists (select 1 from customers c where c.id = o.customer_id)"
NOT_IN = f"{ORDERS} where o.id not in (select l.qty from lines l)"
NOT_EXISTS = f"{ORDERS} where not exists (select 1 from lines l where l.qty = o.id)"
ANTI = f"{ORDERS} left join lines l on l.qty = o.id where l.qty is null"
L = "with l as (select * from lines where line > 2)"
GROUPS = "with l as (select qty, count(*) as n from lines group by qty)"
FOR_ALL_ROWS = [
    (IN, EXISTS),
    (IN, IN.replace("select c.id", "select distinct c.id")),
    (IN, "select o.id from orders o where o.customer_id in (select id from (select * from customers) c)"),
    (f"{IN} or o.id = 1", f"{EXISTS} or o.id = 1"),
    (f"{IN} and o.status = 'a'", EXISTS.replace("where", "where 'a' = o.status and", 1)),
    (ANTI, NOT_EXISTS),
    (f"{L} {ANTI}", f"{L} {NOT_EXISTS}"),
    (f"{GROUPS} {ANTI}", f"{GROUPS} {NOT_EXISTS}"),
    (
        f"{ORDERS} left join lines l on l.qty = o.id and l.line = 1 where l.qty is null and o.rate > 1",
        f"{ORDERS} where o.rate > 1 and not exists (select 1 from lines l where l.qty = o.id and l.line = 1)",
    ),
]


@pytest.mark.parametrize(("old", "new"), FOR_ALL_ROWS)
def test_forms_that_mean_the_same_for_all_rows_need_no_fact(old: str, new: str) -> None:
    for one, other in ((old, new), (new, old)):
        change = compared(one, other)

        assert (change.category, change.facts) == (Category.NONE, ())


@pytest.mark.parametrize(
    ("old", "new"), [(NOT_IN, NOT_EXISTS), (NOT_IN, ANTI), (f"{L} {NOT_IN}", f"{L} {ANTI}")]
)
def test_not_in_is_not_exists_only_without_nulls(old: str, new: str) -> None:
    for one, other in ((old, new), (new, old)):
        change = compared(one, other)

        assert change.category is Category.NONE
        assert sorted(fact.name for fact in change.facts) == ["not_null_lines_qty", "not_null_orders_id"]
        assert compare_sql(one, other, "duckdb", SCHEMAS).category is Category.BREAKING


def test_another_column_that_is_never_null_proves_an_anti_join() -> None:
    change = compared(ANTI.replace("l.qty = o.id", "l.line = o.id"), NOT_EXISTS.replace("l.qty", "l.line"))

    assert (change.category, [fact.name for fact in change.facts]) == (Category.NONE, ["not_null_lines_qty"])


DIFFERENT = [
    (NOT_IN.replace("l.qty", "l.line"), NOT_EXISTS.replace("l.qty", "l.line")),
    (NOT_IN.replace("o.id not", "o.customer_id not"), NOT_EXISTS.replace("= o.id", "= o.customer_id")),
    (IN.replace("where", "where not (", 1) + ")", EXISTS.replace("where", "where not", 1)),
    (*(f"{one.replace('where', 'where (', 1)}) is not null" for one in (IN, EXISTS)),),
    (IN.replace("in (", "in (select 1 union all "), EXISTS),
    (IN.replace("c)", "c limit 1)"), EXISTS),
    (IN, EXISTS.replace("c.id =", "c.id + 1 =")),
    (IN, EXISTS.replace("c.id = o.customer_id", "c.id = o.customer_id and c.name = 'a'")),
    (IN.replace("o.customer_id in", "o.rate in"), EXISTS.replace("o.customer_id", "o.rate")),
    (ANTI.replace("where l.qty", "where l.line"), NOT_EXISTS),
    (ANTI.replace("left join", "join"), NOT_EXISTS),
    (ANTI.replace("id from", "id, l.line from"), NOT_EXISTS.replace("id from", "id, null as line from")),
    (ANTI.replace("= o.id", "> o.id"), NOT_EXISTS.replace("= o.id", "> o.id").replace("l.qty", "l.line")),
    (f"{ANTI} or o.id = 1", f"{NOT_EXISTS} or o.id = 1"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), DIFFERENT)
def test_other_edits_stay_breaking(old: str, new: str) -> None:
    assert compared(old, new).category is Category.BREAKING
    assert compared(new, old).category is Category.BREAKING


def test_two_subqueries_of_not_in_that_differ_in_nulls_are_not_one() -> None:
    other = NOT_IN.replace("l.qty", "l.line")

    assert compared(other, f"{other[:-1]} where l.line is not null)").category is Category.BREAKING


def test_types_that_are_not_known_prove_nothing() -> None:
    assert compared(IN, EXISTS, is_typed=False).category is Category.BREAKING


def test_a_subquery_that_repeats_the_test_is_not_one_that_may_be_null() -> None:
    line = NOT_IN.replace("l.qty", "l.line")

    assert compared(line, f"{line[:-1]} where l.line = o.id)").category is Category.BREAKING
