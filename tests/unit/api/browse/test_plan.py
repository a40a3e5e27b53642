"""Plan of a build: unedited readers that get other columns are in it, as DuckDB has their columns."""

from __future__ import annotations

import duckdb
import pytest
from msgspec.structs import replace

from recce_meta.api.browse.plan import plan_build
from recce_meta.api.diff import NOTHING_MORE, stored_diff, whole_diff
from recce_meta.api.record import record_run
from tests.support.once import empty_store
from tests.unit.api.test_kept_rows import node, project

P, INNER = "model.shop.stg", "model.shop.inner"
RESHAPED = [
    node("star", "select * from stg", P),
    node("renamed", "with s as (select x.*, 1 as n from stg as x) select * exclude (n) from s", P),
    node("computed", "select max(columns(*)) from stg", P),
    node("joined", "select u.b, x.* from other as u join stg as x using (a)", P),
    node("pivoted", "select * from (select * from stg) pivot (sum(b) for a in (1, 2))", P),
    node("below", "select * from star", "model.shop.star"),
    replace(node("inner", "select * from stg", P, materialized="ephemeral"), relation_name=None),
    node(
        "through", "with __dbt__cte__inner as (select * from d.s.stg) select * from __dbt__cte__inner", INNER
    ),
]
AS_BEFORE = [
    node("named", "with s as (select * from stg) select a, b from s", P),
    node("counted", "select count(*) as n from stg", P),
    node("end", "select a from star", "model.shop.star"),
    node(
        "through_named",
        "with __dbt__cte__inner as (select * from d.s.stg) select b from __dbt__cte__inner",
        INNER,
    ),
    node("tested", "select b from other where exists (select * from stg)", P),
]
UNPROVEN = [
    replace(node("python", "", P), language="python", compiled_code=None),
    node("unreadable", "select * from stg where )", P),
]


@pytest.mark.cases(1)
@pytest.mark.parametrize(
    "edited", ["select 1 as a, 3 as c, 2 as b", "select 2 as b, 1 as a"], ids=["added", "moved"]
)
def test_readers_with_other_columns_are_built(edited: str) -> None:
    before = "select 1 as a, 2 as b"
    for one in [*RESHAPED, *AS_BEFORE]:
        differs = _columns(one.compiled_code, before) != _columns(one.compiled_code, edited)
        # The columns of a pivot that it does not name are none here if they only move.
        assert differs is (one in RESHAPED) or one.name == "pivoted"
    readers = [*RESHAPED, *AS_BEFORE, *UNPROVEN]
    sides = [project(run, node("stg", sql), *readers) for run, sql in (("b", before), ("bc", edited))]
    with empty_store() as store:
        runs = [record_run(store, side).run for side in sides]
        diffs = [whole_diff(*sides, NOTHING_MORE), stored_diff(store, *runs)]
    for diff in diffs:
        plan = plan_build(diff, {one.unique_id: one for one in sides[1].nodes})
        built = {one.unique_id.split(".")[-1] for one in plan.nodes}
        assert built == {"stg", *(one.name for one in [*RESHAPED, *UNPROVEN])}
        assert not {one.name for one in diff.impacted} & {one.name for one in AS_BEFORE}
        assert plan.skipped == len(AS_BEFORE)


def _columns(sql: str | None, parent: str) -> list[str]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as d; create schema d.s")
        connection.execute(f"create table d.s.stg as {parent}; create table other as select 1 as a, 2 as b")
        connection.execute("create table d.s.star as select * from d.s.stg")
        found = connection.execute(sql or "")
        return [str(column[0]) for column in found.description or ()]
