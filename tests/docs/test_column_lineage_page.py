"""The table of docs/concepts/column-lineage.md says what the analysis finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recce_meta.sql_lineage import analyse_query

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "column-lineage.md"
ROW = re.compile(
    r"^\| `(?P<sql>.+?)` \| `(?P<name>\w+)` \| `(?P<kind>\w+)` \| (?P<sources>.*)\|$", re.MULTILINE
)
ROWS = [found.groupdict() for found in ROW.finditer(PAGE.read_text(encoding="utf-8"))]
ORDERS = {"orders": dict.fromkeys(["id", "customer_id", "amount", "rate", "status"], "")}


def test_the_page_has_a_row_for_every_kind_of_expression() -> None:
    assert {row["kind"] for row in ROWS} == {"passthrough", "renamed", "derived", "aggregated", "constant"}


@pytest.mark.parametrize("row", ROWS, ids=[row["sql"] for row in ROWS])
def test_columns_are_made_as_the_page_says(row: dict[str, str]) -> None:
    (output,) = analyse_query(f"select {row['sql']} from orders", "duckdb", ORDERS).outputs

    assert (output.name, output.kind) == (row["name"], row["kind"])
    told = re.findall(r"`orders\.(\w+)`", row["sources"])
    assert [(source.parent, source.column) for source in output.sources] == [
        ("orders", name) for name in told
    ]
