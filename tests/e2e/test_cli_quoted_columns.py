"""Columns whose names need quotes, in options that take several names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest


@pytest.mark.parametrize(
    "options",
    [
        ("-k", '"a,b"'),
        ("-k", '"a,b",line', "-c", '"x ""y"""'),
        ("-k", "line", "-c", '"a,b"'),
        ("-k", "line", "--exclude-columns", '"a,b"'),
    ],
)
def test_a_column_with_a_comma_or_quotes_can_be_named(
    cli: Any, tmp_path: Path, options: tuple[str, ...]
) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as session:
        session.execute('create table t as select 1 as line, 2 as "a,b", 3 as "x ""y"""')
        session.execute("create table u as select * from t")

    compared = (
        "value",
        "--tables",
        "t",
        "u",
        "--url",
        f"duckdb:///{tmp_path}/shop.duckdb",
        "--format",
        "json",
    )
    found = cli(*compared, *options)

    assert found.code == 0, found.err
    assert json.loads(found.out)["results"][0]["is_equal"] is not False
    assert '"a,b"' in cli(*compared, "-k", "a,b").err


def test_without_a_store_the_option_for_relations_is_named(cli: Any, tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "shop.duckdb")).close()

    found = cli("query-diff", "select 1 as id", "--url", f"duckdb:///{tmp_path}/shop.duckdb")

    assert found.code == 3 and "--tables BASE CURRENT" in " ".join(found.err.split())


def test_whole_rows_of_a_wide_table_show_the_columns_that_distinguish_them(cli: Any, tmp_path: Path) -> None:
    columns = ", ".join(f"{place} AS c{place}" for place in range(90))
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as session:
        session.execute(f"CREATE TABLE t AS SELECT {columns}")
        session.execute("CREATE TABLE u AS SELECT * REPLACE (-7 AS c7) FROM t")

    for style, cells in (("table", ["- 7", "+ -7"]), ("markdown", ["| `7` |", "| `-7` |"])):
        url = f"duckdb:///{tmp_path}/shop.duckdb"
        found = cli("value", "--tables", "t", "u", "--url", url, "--format", style)
        assert "89 other columns with one value in the rows shown" in found.out
        assert all(cell in " ".join(found.out.split()) for cell in cells) and "c70" not in found.out
