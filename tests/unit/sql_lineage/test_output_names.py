"""Names of outputs without an alias: DuckDB is asked, those of other warehouses are as they were seen."""

from __future__ import annotations

import duckdb
import pytest

from recce_meta.sql_lineage import analyse_query

SCHEMAS = {"t": {"a": "int", "b": "int", "c": "varchar"}}
OUTPUTS = "count(*), a + b * 2, coalesce(a, 1), 'x', sum(b), LOWER(c), a = 1, max(a - b), t.a, ((b) + 1)"


def names(outputs: str, dialect: str) -> list[str]:
    return [output.name for output in analyse_query(f"select {outputs} from t", dialect, SCHEMAS).outputs]


def test_duckdb_calls_them_so() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t (a int, b int, c varchar)")
        rows = connection.execute(f"select {OUTPUTS} from t group by all")

        assert names(OUTPUTS, "duckdb") == [column[0] for column in rows.description]


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("bigquery", ["f0_", "named", "f1_", "a"]),
        ("postgres", ["count", "named", "?column?", "a"]),
        ("snowflake", ["COUNT(*)", "named", "A + B", "a"]),
        ("databricks", ["count(1)", "named", "(a + b)", "a"]),
    ],
)
def test_other_warehouses_call_them_so(dialect: str, expected: list[str]) -> None:
    assert names("count(*), b as named, a + b, a", dialect) == expected


def test_two_columns_that_postgres_calls_alike_are_both_there() -> None:
    assert names("a + b, a + 1", "postgres") == ["?column?", "a + 1"]


@pytest.mark.parametrize("dialect", ["duckdb", "databricks", "snowflake"])
def test_a_name_that_is_not_known_is_the_text(dialect: str) -> None:
    assert names("case when a = 'x' then 2 end", dialect) == ["CASE WHEN a = 'x' THEN 2 END"]


@pytest.mark.parametrize(
    "query",
    [
        "select * from a join b using (k) join c on c.k = a.x",
        "select * from a join b using (k) join c using (k)",
        "select * from a natural join b cross join c",
        "select * from a right join b using (k) join c on true",
        "select * exclude (k) from a join b using (k) join c on true",
        "select * from (a join b using (k)) join c on true",
    ],
)
def test_a_star_has_the_columns_that_duckdb_gives_it_below_using(query: str) -> None:
    schemas = {"a": {"k": "int", "x": "int"}, "b": {"k": "int", "y": "int"}, "c": {"k": "int", "z": "int"}}
    with duckdb.connect() as connection:
        for name, columns in schemas.items():
            connection.execute(f"create table {name} ({', '.join(f'{one} int' for one in columns)})")
        described = connection.execute(query).description

    assert [output.name for output in analyse_query(query, "duckdb", schemas).outputs] == [
        column[0] for column in described
    ]
