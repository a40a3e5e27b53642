"""The examples of docs/concepts/change-categories.md are told as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recce_meta.models.change import Category
from recce_meta.sql_diff import classify_change, compare_sql

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "change-categories.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sql\n-- (\w+)(?:: ([^\n]+))?\n(.*?)\n-- becomes\n(.*?)\n```", PAGE, re.DOTALL)
ORDERS = dict.fromkeys(("id", "customer_id", "amount", "status", "ordered_at"), "int")
SCHEMAS = {
    "orders": ORDERS,
    "refunds": ORDERS,
    "customers": dict.fromkeys(("id", "name", "country"), "text"),
}


@pytest.mark.parametrize(("category", "columns", "old", "new"), EXAMPLES)
def test_an_example_of_the_page_is_told_as_it_says(category: str, columns: str, old: str, new: str) -> None:
    assert classify_change(old, new, "duckdb", SCHEMAS) == category

    change = compare_sql(old, new, "duckdb", SCHEMAS)

    assert change.category == Category(category)
    if columns or category == "none":
        assert ", ".join(f"{column.name} {column.status}" for column in change.columns) == columns


def test_every_block_of_sql_on_the_page_is_an_example() -> None:
    assert len(EXAMPLES) == PAGE.count("```sql") >= 30


def test_the_page_has_an_example_of_every_category_but_of_what_does_not_parse() -> None:
    assert {category for category, *_ in EXAMPLES} == {*Category} - {Category.UNKNOWN}
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == {*Category}
