"""The columns that a query names, and fails without."""

from __future__ import annotations

import pytest

from recce_meta.sql_lineage import analyse_query

SCHEMAS = {
    "t": {"a": "int", "b": "int", "c": "int", "d": "int"},
    "u": {"a": "int", "e": "int", "f": "int"},
}

CASES = {
    "select a from t order by b": "t.a t.b",
    "with s as (select * from t), f as (select a, b from s) select a from f order by a": "t.a t.b",
    "with s as (select * from t), unread as (select d from s) select a from s": "t.a t.d",
    "select a from t where exists (select e from u where u.a = 1)": "t.a u.a u.e",
    "select t.a from t join u using (a)": "t.a u.a",
    "select a from t window w as (order by d)": "t.a t.d",
    "select a from t qualify row_number() over (partition by b order by c) = 1": "t.a t.b t.c",
    "select a, k from t, lateral (select t.c + 1 as k) as l": "t.a t.c",
    "select (select max(f) from u where u.e = t.b) as m from t": "t.b u.e u.f",
    "select * from t pivot (sum(b) for a in (1, 2))": "t.a t.b",
    "select count(c) as n from t": "t.c",
    # A star names nothing,
    "select * from t": "",
    "with s as (select * from t) select * from (select * from s) as q": "",
    "select count(*) as n from (select * from t) as q": "",
    # but the names in it, and perhaps its positions: a renamed column keeps its position.
    "select * exclude (b) from t": "t.b",
    "select * replace (1 as c) from t": "t.c",
    "select * from u group by 1, 2, 3": "u.a~0.5 u.e~0.5 u.f~0.5",
    "with q (x, y, z) as (select * from u) select x from q": "u.a u.e~0.5 u.f~0.5",
    "select x from u as q (x, y, z)": "u.a u.e~0.5 u.f~0.5",
    "select columns(* exclude (b)) from t": "t.b",
    "select max(columns(* exclude (b))) as m from t": "t.b",
    "select columns(['a', 'c']) from t": "t.a t.c",
    # DuckDB renames only columns that are there.
    "select * rename (b as x) from t": "",
    # A pattern has to select a column, which may have another name.
    "select columns('[bc]') from t": "",
    "select columns('b') from t": "t.b~0.5",
    "select a, * like 'b%' from t": "t.a t.b~0.5",
    "select a from t order by columns(lambda x: x = 'b')": "t.a t.b~0.5",
    "select a from t where columns(lambda x: length(x) = 1) > 0": "t.a t.b~0.5 t.c~0.5 t.d~0.5",
    # A query that selects no column, or has too few at a position, has lost one that it needs.
    "select * exclude (a, b, c, d) from t": "t.* t.a t.b t.c t.d",
    "select columns('z') from t": "t.*",
    "select t.a from t join u on columns('z') > 0": "t.* t.a u.*",
    "select * from u group by 1, 4": "u.* u.a~0.5",
    "select *, count(*) as n from u group by 1, 2, 4": "u.* u.a~0.5 u.e~0.5 u.f~0.5",
    "select x from u as q (x, y, z, w)": "u.* u.a u.e~0.5 u.f~0.5",
    "select * from u except select 1": "u.* u.a~0.5 u.e~0.5 u.f~0.5",
    "select #2 as x from t": "t.a t.b",
    # So do subqueries of a limit.
    "select e from u limit (select max(d) from t)": "t.d u.e",
    # Operands of a set operation fail together if they have different numbers of columns.
    "select a from (select * from u union all select a, b, c from t) as q": "t.a t.b t.c u.a u.e~0.5 u.f~0.5",
    "select 1 as one from (select * from u where a = 1 union all select * from u) as q": "u.a",
    "select 1 as one from (select * from t union all by name select * from u) as q": "",
    # If names match, one operand is enough.
    "select a, e from (select * from t union all by name select * from u) as q": "t.a~0.5 u.a~0.5 u.e",
    "select a from (select * from t union all by name select 1 as a) as q": "",
    # A column that no relation has may be one that was removed.
    "with s as (select * from t) select s.a, s.gone from s": "t.a t.gone~0.5",
    "with s as (select a from t) select gone from s": "t.a",
    "select gone from (select * from t pivot (sum(b) for a in (1, 2)))": "t.a t.b t.gone~0.5",
    "select a_1 from (select t.a, u.a from t join u on t.b = u.e)": "t.a t.b u.a u.e",
    # A statement in WITH names columns of what it changes and of what it reads.
    "with x as (delete from t where d > 1) select e from u": "t.d u.e",
    "with x as (insert into t (a, b) select e, f from u returning a) select a from x": "t.a t.b u.e u.f",
    "with x as (update t set a = e from u returning c) select c from x": "t.a t.c u.e",
    "with x as (delete from other returning *) select gone from x": "other.gone~0.9",
}


def named(sql: str, schemas: dict[str, dict[str, str]]) -> str:
    return " ".join(
        f"{one.parent}.{one.column}" + ("" if one.confidence == 1 else f"~{one.confidence:g}")
        for one in analyse_query(sql, "duckdb", schemas).references
    )


@pytest.mark.parametrize("sql", CASES)
def test_a_query_fails_without_the_columns_that_it_names(sql: str) -> None:
    assert named(sql, SCHEMAS) == CASES[sql]


def test_a_name_behind_a_star_over_an_unknown_table_is_a_column_of_it() -> None:
    sql = "with s as (select * from raw) select s.a from s order by b"

    assert named(sql, {}) == "raw.a~0.9 raw.b~0.9"


def test_a_star_over_an_unknown_table_in_a_union_names_any_of_its_columns() -> None:
    assert named("select * from raw union all select a, b from t", SCHEMAS) == "raw.*~0.5 t.a t.b"
