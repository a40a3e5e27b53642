"""Queries that are wrapped, split or inlined: the same query, or not provably so."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from recce_meta.sql_diff import classify_change

PAIRS = Path(__file__).parents[2] / "data/change_cases/wraps.jsonl"
SCHEMAS = {
    "t": dict.fromkeys(["id", "a", "b", "c"], "int"),
    "u": dict.fromkeys(["id", "a", "d", "e"], "int"),
}
QUERIES = [
    "select id, a from t where a > 1",
    "select * from t where a > 1",
    "select id, a + 1 as x, coalesce(b, 0) as y from t",
    "select t.id, u.d from t left join u on t.id = u.id where t.a > 1",
    "select t.id, u.d from t join u using (id)",
    "select a, count(*) as n, sum(b) as s from t group by a",
    "select a, sum(b) as n from t group by rollup(a) having sum(b) > 2",
    "select count(*) as n from t",
    "select distinct a, b from t",
    "select distinct on (a) a, b from t order by a, b limit 4",
    "select a, b from t order by a, b limit 3",
    "select a from t limit 3",
    "select a from t union all select a from u",
    "select a from t union distinct select a from u order by 1 limit 2",
    "select a from t except distinct select a from u",
    "select a from t where a > 1 union all select a from u where a > 2",
    "select a, row_number() over (partition by b order by id) as rn from t where b > 1",
    "select a, sum(sum(b)) over () as share from t group by a",
    "select a from t qualify row_number() over (order by a) = 1",
    "select a, (select max(d) from u where u.id = t.id) as m from t where b > 0",
    "select a from t where exists (select 1 from u where u.id = t.id)",
    "select a, random() as r from t where b > 0",
    "select a, sum(b) filter (where c > 1) as n from t group by a",
    "select * from x where a > 1",
    "select *, a + 1 as k from x where a > 1",
    "select x.*, a + 1 as k, y.* from x join y on x.i = y.i",
    "select * from x union all select * from y",
    "with r as (select * from t where b > 1), s as (select a, max(id) k from r group by 1) select * from s",
]  # fmt: skip
WRAPS = [
    "with final as ({}) select * from final",
    "select * from ({}) as q",
    "with one as ({}), two as (select * from one), three as (select * from two) select * from three",
    "select q.* from (select * from ({}) as p) as q",
]


@pytest.mark.cases(2)
@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery", ""])
def test_a_wrapped_query_is_the_same_query(dialect: str) -> None:
    wrong = []
    for sql, wrap, schemas in product(QUERIES, WRAPS, (SCHEMAS, {})):
        wrapped = wrap.format(sql)
        there = classify_change(sql, wrapped, dialect, schemas)
        back = classify_change(wrapped, sql, dialect, schemas)
        if there != "none" or back != "none":
            wrong.append((there, back, bool(schemas), sql, wrapped))

    assert not wrong


def pairs() -> list[tuple[str, str, bool]]:
    """The queries of each pair, in both directions, and whether they are the same."""
    found = [json.loads(line) for line in PAIRS.read_text().splitlines()]
    there = [(pair["old"], pair["new"], pair["is_same"]) for pair in found]
    return there + [(new, old, is_same) for old, new, is_same in there]


@pytest.mark.parametrize(("old", "new", "is_same"), pairs())
def test_a_query_that_is_split_or_inlined_is_the_same_query_and_what_looks_so_is_not(
    old: str, new: str, is_same: bool
) -> None:
    assert (classify_change(old, new, "duckdb", SCHEMAS) == "none") is is_same
