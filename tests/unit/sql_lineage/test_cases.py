"""What each construct of SQL means for lineage, as pairs of a query and its columns."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot
from packaging.version import Version

from recce_meta.models.lineage import ColumnSource, ColumnUse
from recce_meta.sql_lineage import analyse_query, column_lineage

CASES = Path(__file__).parents[2] / "data" / "lineage_cases"
SCHEMAS = {
    "t": {"a": "int", "b": "int", "c": "int"},
    "u": {"a": "int", "d": "int", "e": "int"},
    "arr": {"id": "int", "items": "array", "js": "json"},
}


def cases() -> dict[str, str]:
    """The cases by their names."""
    return {
        f"{file.stem}-{place + 1}": block
        for file in sorted(CASES.glob("*.sql"))
        for place, block in enumerate(file.read_text(encoding="utf-8").strip().split("\n\n"))
    }


def parts(block: str) -> tuple[str, str, str, list[str]]:
    """The dialect of a case, the oldest sqlglot that reads it, its SQL, and what is expected."""
    settings, sql, expected = {"dialect": "", "since": "0"}, [], []
    for line in block.splitlines():
        if line.startswith("=>"):
            expected.append(line.removeprefix("=>").strip())
        elif line.startswith("-- ") and ":" in line:
            name, _, value = line.removeprefix("-- ").partition(":")
            settings[name] = value.strip()
        else:
            sql.append(line)
    return settings["dialect"], settings["since"], "\n".join(sql), expected


def sure(item: ColumnSource | ColumnUse) -> str:
    doubt = "" if item.confidence == 1 else f"~{item.confidence:g}"
    return f"{item.parent}.{item.column}{doubt}"


def told(sql: str, dialect: str) -> list[str]:
    found = analyse_query(sql, dialect, SCHEMAS)
    outputs = [
        f"{output.name} | {output.kind.value} | {' '.join(map(sure, output.sources))}".strip()
        for output in found.outputs
    ]
    return outputs + [f"uses {use.usage.value} {sure(use)}" for use in found.uses]


def test_a_query_has_the_columns_that_its_case_says(subtests: pytest.Subtests) -> None:
    blocks = cases()
    assert blocks
    for name, block in blocks.items():
        with subtests.test(name):
            dialect, since, sql, expected = parts(block)
            if Version(sqlglot.__version__) < Version(since):
                pytest.skip(f"sqlglot {sqlglot.__version__} cannot parse this")

            assert told(sql, dialect) == expected


def test_the_short_form_has_the_sources_alone_and_the_first_of_two_columns_with_one_name() -> None:
    assert column_lineage("select t.a, u.a, t.b + t.c as d from t join u on t.a = u.a", "", SCHEMAS) == {
        "a": {("t", "a")},
        "d": {("t", "b"), ("t", "c")},
    }


def test_the_short_form_can_have_how_sure_each_source_is() -> None:
    sql = "select t.a, z from t join x on t.a = x.a join y on y.a = x.a"

    assert column_lineage(sql, "", SCHEMAS, confidence=True) == {
        "a": {("t", "a"): 1.0},
        "z": {("x", "z"): 0.5, ("y", "z"): 0.5},
    }


@pytest.mark.parametrize(
    ("option", "kind", "expected"),
    [
        ("recursive := true", "STRUCT(a INTEGER, b STRUCT(c INTEGER, d INTEGER))", ["a", "c", "d"]),
        ("recursive => true", "STRUCT(a INTEGER, b STRUCT(c INTEGER, d INTEGER))[]", ["a", "c", "d"]),
        ("recursive := false", "STRUCT(a INTEGER, b STRUCT(c INTEGER))", ["a", "b"]),
        ("recursive := true", "STRUCT(a INTEGER, l STRUCT(x INTEGER)[], m INTEGER[])", ["a", "l", "m"]),
        ("recursive := true", "INTEGER[][]", ["v"]),
        ("recursive := true", "", ["*"]),
        ("max_depth := 2", "STRUCT(a INTEGER, b STRUCT(c INTEGER))", ["*"]),
    ],
)
def test_unnest_unpacks_structs_within_structs_if_it_is_recursive(
    option: str, kind: str, expected: list[str]
) -> None:
    found = column_lineage(f"select unnest(s, {option}) as v from t", "duckdb", {"t": {"s": kind}})

    assert found == {name: {("t", "s")} for name in expected}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("STRUCT(a INTEGER, b STRUCT(c INTEGER, d INTEGER))", "{'a': 1, 'b': {'c': 2, 'd': 3}}"),
        ("STRUCT(a INTEGER, l STRUCT(x INTEGER)[])", "{'a': 1, 'l': [{'x': 2}]}"),
        ("STRUCT(a STRUCT(b STRUCT(c INTEGER)))[][]", "[[{'a': {'b': {'c': 1}}}]]"),
        ("INTEGER[][]", "[[1]]"),
    ],
)
def test_columns_of_a_recursive_unnest_are_those_of_duckdb(kind: str, value: str) -> None:
    sql = "SELECT unnest(s, recursive := true) AS v FROM t"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t (s {kind})")
        connection.execute(f"INSERT INTO t VALUES ({value})")
        names = connection.sql(sql).columns

    assert list(column_lineage(sql, "duckdb", {"t": {"s": kind}})) == names
