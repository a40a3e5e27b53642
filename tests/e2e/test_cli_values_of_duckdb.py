"""Values of DuckDB that its texts do not tell apart, or that it writes unlike other databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest


def is_equal(cli: Any, base: Path, current: Path, *options: str) -> bool:
    ran = cli(
        *("value", "--tables", "base", "current", "--format", "json", *options),
        *("--base-target", f"duckdb:///{base}", "--data-target", f"duckdb:///{current}"),
    )
    assert ran.code == 0, ran.err
    (result,) = json.loads(ran.out)["results"]
    found: bool = result["is_equal"]
    return found


def written(path: Path, **selects: str) -> Path:
    with duckdb.connect(path) as connection:
        for name, select in selects.items():
            connection.execute(f"CREATE TABLE {name} AS {select}")
    return path


@pytest.mark.parametrize("options", [[], ["-k", "id"]])
@pytest.mark.parametrize(("current", "expected"), [("'1'", False), ("1", True), ("'[1]'", False)])
def test_variants_of_two_types_are_not_the_same(
    cli: Any, tmp_path: Path, options: list[str], current: str, expected: bool
) -> None:
    try:
        base = "SELECT 1 AS id, CAST(1 AS VARIANT) AS v"
        place = written(tmp_path / "a", base=base, current=f"SELECT 1 AS id, CAST({current} AS VARIANT) AS v")
    except duckdb.Error:
        pytest.skip("this DuckDB has no VARIANT")
    assert is_equal(cli, place, place, *options) is expected


def test_decimals_without_digits_before_the_point_are_the_same_in_two_files(cli: Any, tmp_path: Path) -> None:
    rows = "SELECT CAST(x AS DECIMAL({})) AS v FROM (VALUES (0.5), (0), (-0.25)) AS t(x)"
    base = written(tmp_path / "a", base=rows.format("4, 4"))
    assert is_equal(cli, base, written(tmp_path / "b", current=rows.format("5, 4")))
    assert is_equal(cli, base, written(tmp_path / "c", current=rows.format("4, 4")))
    assert not is_equal(cli, base, written(tmp_path / "d", current=f"{rows.format('5, 4')} WHERE x <> 0"))
