"""Several statements that fill one relation: each column that one of them reads is in the impact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.impact import impact_in
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.models.lineage import Direction
from recce_meta.sql_lineage.project.columns import analyse_project

P = {"p.sql": "select 1 as id, 2 as a, 3 as b"}
SCRIPTS = {
    "etl.sql": "create table tgt as select id from p;\ninsert into tgt select a from p;\n",
    "etl2.sql": (
        "create table tgt2 (id int, a int);\ninsert into tgt2 select id, 0 from p where b > 1;\n"
        "update tgt2 set a = p.a from p where p.id = tgt2.id;\n"
        "delete from tgt2 using p where p.a = tgt2.id;\n"
    ),
    "etl3.sql": (
        "create table tgt3 as select 1 as id, 2 as x;\n"
        "merge into tgt3 using p on p.id = tgt3.id when matched then update set x = p.a;\n"
    ),
}


def affected(shop: Any, target: str) -> set[str]:
    view = impact_in(MemoryRunReader(shop.project), target, Direction.DOWNSTREAM, None)
    return {node.name for node in view.nodes if node.distance}


def made_of(shop: Any, name: str) -> dict[str, set[str]]:
    graph = analyse_project(shop.project)
    found = graph.analyses[graph.lineage_ids[f"model.shop.{name}"]]
    return {output.name: {source.column for source in output.sources} for output in found.outputs}


def test_each_statement_is_in_the_impact_of_the_columns_that_it_reads(read: Callable[..., Any]) -> None:
    shop = read({**P, **SCRIPTS}, dialect="postgres")

    assert affected(shop, "p.a") == {"tgt", "tgt2", "tgt3"}
    assert affected(shop, "p.b") == {"tgt2"}
    assert made_of(shop, "tgt") == {"id": {"id", "a"}}
    assert made_of(shop, "tgt2")["a"] == {"a"}
    assert made_of(shop, "tgt3")["x"] == {"a"}


def test_a_column_that_is_removed_breaks_each_statement_that_reads_it(read: Callable[..., Any]) -> None:
    base = read({**P, **SCRIPTS}, dialect="postgres")
    current = read({"p.sql": "select 1 as id, 3 as b", **SCRIPTS}, dialect="postgres")

    found = whole_diff(base.project, current.project, NOTHING_MORE)

    assert {impact.name for impact in found.impacted} == {"tgt", "tgt2", "tgt3"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("select id from p", "select b from p"),
        ("select a from p", "select b from p"),
        ("a = tgt2", "b = tgt2"),
    ],
)
def test_an_edit_of_any_statement_is_a_change(read: Callable[..., Any], old: str, new: str) -> None:
    edited = {name: text.replace(old, new) for name, text in SCRIPTS.items()}
    base = read({**P, **SCRIPTS}, dialect="postgres")
    current = read({**P, **edited}, dialect="postgres")

    found = whole_diff(base.project, current.project, NOTHING_MORE)

    assert [change.category for change in found.changed] == ["breaking"]


@pytest.mark.parametrize(
    "text",
    [
        "create table r as select id from p; create table r as pivot p on a using count(*)",
        "create table r as select id from p; insert into r pivot p on a using sum(b)",
        "create table r as select id from p; insert into r select a from query_table(getvariable('x'))",
        "create table r as select * from q; insert into r select a from p",
        "create table r as select id, b from p; insert into r select * from p where a > 1",
        "create table r (x int); insert into r values ((select max(a) from p))",
    ],
)
def test_what_one_statement_reads_in_an_unknown_way_stays_in_the_impact(
    read: Callable[..., Any], text: str
) -> None:
    assert affected(read({**P, "r.sql": text}, dialect="duckdb"), "p.a") == {"r"}


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("bigquery", "delete r where id in (select a from p)"),
        ("postgres", "with q as (select a from p) delete from r using q where q.a = r.id"),
        ("mysql", "delete o from r o join p on p.a = o.id"),
        ("tsql", "delete o from r o join p on p.a = o.id"),
    ],
)
def test_a_delete_reads_what_it_decides_by(read: Callable[..., Any], dialect: str, text: str) -> None:
    shop = read({**P, "r.sql": f"create table r as select 1 as id; {text}"}, dialect=dialect)

    assert affected(shop, "p.a") == {"r"}
    assert shop["r"].parents == ("model.shop.p",)


def test_a_delete_alone_builds_nothing(read: Callable[..., Any]) -> None:
    shop = read(
        {**P, "x.sql": "delete from raw.t where id > 1", "y.sql": "delete from z using p where p.a = z.id"}
    )

    assert sorted(shop.nodes) == ["model.shop.p", "model.shop.z"]
    assert affected(shop, "p.a") == {"z"}
