"""Statements that are no SELECT, or that no parser reads, stay in the impact of what they read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.impact import impact_in
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.models import EdgeOrigin
from recce_meta.models.lineage import Direction

P = {"p.sql": "select 1 as id, 2 as a, 3 as b"}


def affected(shop: Any, target: str) -> set[str]:
    view = impact_in(MemoryRunReader(shop.project), target, Direction.DOWNSTREAM, None)
    return {node.name for node in view.nodes if node.distance}


ASKING = {
    "duckdb": [
        "pivot p on a using sum(b) group by id",
        "pivot p on a using sum(a) group by id",
        "unpivot p on a, b into name n value v",
        "with q as (select * from p) pivot q on a using sum(b)",
        "create table r as pivot p on a using count(*)",
        "insert into r pivot p on a using sum(b)",
        "select a from query_table('p')",
        "select a from query('select * from p')",
        "copy (select a from p) to 'x.csv'",
        "copy p to 'x.csv'",
        "values ((select max(a) from p))",
        "summarize p",
    ],
    "postgres": ["copy (select a from p) to stdout", "values ((select max(a) from p))"],
    "snowflake": [
        "select a from identifier('p')",
        "copy into @stage from (select a from p)",
        "copy into t from (select a from p)",
        "insert all into r values (a) select a, b from p",
    ],
    "databricks": ["select a from identifier('p')", "cache table r as select a from p"],
    "bigquery": ["export data options(uri='x') as select a from p"],
    "redshift": ["unload ('select a from p') to 's3://x'"],
    "hive": ["from p insert into r select a"],
}


@pytest.mark.parametrize(
    ("dialect", "text"), [(dialect, text) for dialect, texts in ASKING.items() for text in texts]
)
def test_whatever_reads_a_column_is_a_node_in_its_impact(
    read: Callable[..., Any], dialect: str, text: str
) -> None:
    shop = read({**P, "r.sql": text}, dialect=dialect)

    assert affected(shop, "p.a") == {"t" if "into t" in text else "r"}


def test_what_calls_read_whose_argument_is_computed_is_reported(read: Callable[..., Any]) -> None:
    shop = read(
        {
            **P,
            "r.sql": "select p.id, q.a from p, query_table(getvariable('t')) q",
            "s.sql": "select a from query_table(['p', 'p'])",
            "t.sql": "select a from query('select a from p where ' || getvariable('z'))",
        },
        dialect="duckdb",
    )

    assert [warning.partition(";")[0] for warning in shop.project.warnings] == [
        "r.sql:1 is not understood: query_table(…) is only supported with a single string argument",
        "s.sql:1 is not understood: query_table(…) is only supported with a single string argument",
        "t.sql:1 is not understood: query(…) is only supported with a single string argument",
    ]
    assert shop["r"].edge_origins == {"model.shop.p": EdgeOrigin("sql", 0.5)}
    assert shop["r"].edge_origins == shop["s"].edge_origins == shop["t"].edge_origins
    assert affected(shop, "p.a") == {"r", "s", "t"}


def test_a_pivot_that_is_edited_is_a_change(read: Callable[..., Any]) -> None:
    base = read({**P, "r.sql": "pivot p on a using sum(b) group by id"}, dialect="duckdb")
    current = read({**P, "r.sql": "pivot p on a using max(b) group by id"}, dialect="duckdb")

    found = whole_diff(base.project, current.project, NOTHING_MORE)

    assert [(change.name, change.category) for change in found.changed] == [("r", "breaking")]


@pytest.mark.parametrize(
    "text",
    [
        "select x.id, a from raw.x x, p",
        "pivot p on a using sum(b)",
        "select a from query_table('p')",
        "select a from query('select * from p')",
        "merge into r using p on r.id = p.id when matched then update set a = p.a",
        "update r set a = p.a from p where p.id = r.id",
    ],
)
def test_columns_of_a_relation_are_traced_wherever_its_name_is_spelt_otherwise(
    read: Callable[..., Any], text: str
) -> None:
    shop = read(
        {"p.sql": "create table s.p as select 1 as id, 2 as a, 3 as b", "r.sql": text}, dialect="duckdb"
    )

    assert affected(shop, "p.a") == {"r"}
