"""Readers that name a relation without `ref` if its node moves or goes, or to read whole rows."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, failing_changes, stored_diff, whole_diff
from recce_meta.api.record import record_run
from recce_meta.models import NodeMetadata
from recce_meta.sql_lineage.propagation import NAMES_GONE
from tests.support.once import empty_store
from tests.unit.api.test_kept_rows import node, project


def moved(built: NodeMetadata, **places: str) -> NodeMetadata:
    found = replace(built, **places)  # type: ignore[arg-type]
    return replace(found, relation_name=f'"d"."{found.schema_name}"."{found.identifier}"')


BUILT = node("a", "select 1 as id")
SOURCE = NodeMetadata(
    unique_id="source.shop.raw.a",
    name="a",
    resource_type="source",
    package_name="shop",
    database_name="d",
    schema_name="s",
    identifier="a",
    relation_name='"d"."s"."a"',
    source_name="raw",
)
READERS = [
    node("whole", "select id from d.s.a where id > 0"),
    node("with_schema", "select x.id from s.a as x"),
    node("bare", "select id from A as x join b using (id)"),
    node("cte", "with a as (select 1 as id) select id from a"),
    node("other", "select id from t.a"),
    node("by_source", 'select id from "d"."s"."a"', SOURCE.unique_id),
]
NAMING = {"whole", "with_schema", "bare"}


@pytest.mark.parametrize("sources", [(), (SOURCE,)], ids=["no_source", "source"])
@pytest.mark.parametrize(
    "after",
    [None, moved(BUILT, schema_name="s_stg"), moved(BUILT, identifier="a2")],
    ids=["removed", "schema", "alias"],
)
def test_readers_of_a_relation_that_moves_or_goes_may_fail(after: NodeMetadata | None, sources: Any) -> None:
    readers = [one for one in READERS if sources or one.name != "by_source"]
    sides = [
        project(run_id, *([built] if built else []), *sources, *readers)
        for run_id, built in (("b", BUILT), ("bc", after))
    ]
    with empty_store() as store:
        runs = [record_run(store, side).run for side in sides]
        diffs = [whole_diff(*sides, NOTHING_MORE), stored_diff(store, *runs)]
    for diff in diffs:
        failing = {one.name for one in diff.impacted if one.may_fail == NAMES_GONE}
        assert failing == NAMING | ({"by_source"} if sources else set())
        assert [one.name for one in failing_changes(diff, frozenset({"may_fail"}))] == ["a"]


REFERENCING = {
    "by_schema": "select id from s.a",
    "by_database": "select id from D.S.A where id > 0",
    "bare": "select id from a as x",
    "quoted": 'select id from "d"."s"."a"',
    "as_value": "select (select max(id) from s.a) as m",
    "twice": "select id from {a} union all select id from s.a",
    "comment_alone": "select 1 as x /* once from s.a */ -- s.a",
    "string": "select id, 's.a' as origin from {a}",
    "as_it_is_called": "select a.id from {a} as a",
    "cte": "with a as (select id from {a}) select id from a",
}
"""Readers that keep the edge of dbt, by a comment or by reading the node's relation as well."""
FAILING = {"by_schema", "by_database", "bare", "quoted", "as_value", "twice"}


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("after", [moved(BUILT, schema_name="s_stg"), moved(BUILT, identifier="a2")])
def test_readers_that_keep_the_edge_may_fail_if_they_name_the_former_relation(
    after: NodeMetadata, is_compiled: bool
) -> None:
    def readers(relation: str | None, *, has_sql: bool) -> list[NodeMetadata]:
        texts = {
            name: f"-- depends_on: {relation}\n{sql.format(a=relation)}" for name, sql in REFERENCING.items()
        }
        return [
            replace(
                node(name, REFERENCING[name]),
                parents=(BUILT.unique_id,),
                compiled_code=texts[name] if has_sql else None,
            )
            for name in texts
        ]

    sides = [
        project("b", BUILT, *readers(BUILT.relation_name, has_sql=True)),
        project("bc", after, *readers(after.relation_name, has_sql=is_compiled)),
    ]
    with empty_store() as store:
        runs = [record_run(store, side).run for side in sides]
        diffs = [whole_diff(*sides, NOTHING_MORE), stored_diff(store, *runs)]
    for diff in diffs:
        failing = {one.name for one in (*diff.changes, *diff.impacted) if one.may_fail == NAMES_GONE}
        # Without the SQL of current, what base wrote like dbt may have come from `ref`.
        assert failing == (FAILING if is_compiled else FAILING - {"quoted"})


@pytest.mark.cases(6)
@pytest.mark.parametrize(
    ("query", "lost"),
    [
        ("select(city)as c from city", "city"),
        ("select count(City) as n from city", "city"),
        ("select id from city where(city)is not null", "city"),
        ("select id from city as x order by(x)", "x"),
        ("select x.city from city as x", "city"),
        ("select(city.city)as c from city", "city"),
        ("with x as (select * from city) select(city)as c from x", "city"),
    ],
)
@pytest.mark.parametrize("adapter", ["duckdb", "snowflake"])
def test_a_lost_column_called_as_its_relation_stands_for_the_rows(
    query: str, lost: str, adapter: str
) -> None:
    before, after = f"select 1 as id, 'a' as {lost}", "select 1 as id, 'a' as town"
    reader = node("r", query, "model.shop.city")
    sides = [
        project(run_id, node("city", sql), reader, adapter=adapter)
        for run_id, sql in (("b", before), ("bc", after))
    ]
    with duckdb.connect() as session:
        session.sql(f"create table city as {after}")
        try:
            session.sql(query).fetchall()
            is_built = True
        except duckdb.BinderException:
            is_built = False
    (found,) = whole_diff(*sides, NOTHING_MORE).impacted

    may_fail = is_built and adapter == "duckdb"
    assert (found.fails, bool(found.may_fail)) == (not may_fail, may_fail)
