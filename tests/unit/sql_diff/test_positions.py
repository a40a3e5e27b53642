"""Which queries take columns by their place, and which through a star."""

from __future__ import annotations

import pytest

from recce_meta.sql_diff import reads_by_position, reads_star
from recce_meta.sql_lineage import resolve_query

SCHEMAS = {"t": dict.fromkeys(("a", "b"), "int"), "u": dict.fromkeys(("a", "b"), "int")}


@pytest.mark.parametrize(
    ("sql", "by_position", "star"),
    [
        ("select a, b from t", False, False),
        ("select * from t", False, True),
        ("select * from t union all select * from u", True, True),
        ("select * from raw union all select a, b from t", False, False),
        ("select a, b from t union all select a, b from u", False, False),
        ("select * from u union all select * from u", False, False),
        ("select * from t union all by name select * from u", False, True),
        (
            "with x as (select * from t), y as (select * from x) select a from y union select a from u",
            False,
            False,
        ),
        (
            "with x as (select * from t), y as (select * from x) select * from y union select * from u",
            True,
            True,
        ),
        ("with x as (select a, b from t) select * from x union select * from u", False, False),
        ("with x (p, q) as (select a, b from t) select p from x", False, False),
        ("select p from t as x (p, q)", True, False),
        ("select *, 1 as n from t order by 1", True, True),
        ("select a, count(*) as n from t group by 1", False, False),
        ("select to_json(t) as j from t", True, False),
        ("select u.a from u where (a, b) in (select * from t)", True, False),
        ("select u.a from u where exists (select * from t)", False, False),
        ("select * from t join u using (a)", False, True),
    ],
)
def test_a_query_takes_columns_of_a_table_by_place_or_by_star(
    sql: str, by_position: bool, star: bool
) -> None:
    query = resolve_query(sql, "duckdb", SCHEMAS)

    assert reads_by_position(query, "t") is by_position
    assert reads_star(query, "T") is star


@pytest.mark.parametrize("schemas", [{}, SCHEMAS])
def test_columns_need_not_be_known(schemas: dict[str, dict[str, str]]) -> None:
    query = resolve_query("select * from t union all select * from u", "duckdb", schemas)

    assert reads_by_position(query, "t")
    assert reads_star(query, "u")
