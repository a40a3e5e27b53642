"""Pairs of queries are told as the rules say: docs/concepts/change-categories.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from recce_meta.models.change import Category, SqlChange
from recce_meta.sql_diff import compare_sql

CASES = Path(__file__).parents[2] / "data" / "change_cases" / "own.jsonl"
OWN: list[dict[str, Any]] = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
SCHEMAS = {
    "t": dict.fromkeys(("a", "b", "c", "d", "arr", "s", "ts", "name"), ""),
    "u": dict.fromkeys(("a", "e", "f"), ""),
}
"""Nobody knows the columns of other tables."""


def is_beyond_old_parsers(change: SqlChange) -> bool:
    """Whether an old sqlglot cannot read a text, or not say where in it a word stands."""
    if int(sqlglot.__version__.split(".")[0]) >= 30:
        return False
    is_severe = change.category is Category.BREAKING and change.reasons == ("words changed",)
    return is_severe or any("does not parse" in reason for reason in change.reasons)


@pytest.mark.parametrize("dialect", sorted({case["dialect"] for case in OWN}))
def test_cases_of_our_own_are_told_as_expected(dialect: str) -> None:
    cases = [case for case in OWN if case["dialect"] == dialect]
    changes = [compare_sql(case["old"], case["new"], dialect, SCHEMAS) for case in cases]

    wrong = [
        (case, change)
        for case, change in zip(cases, changes, strict=True)
        if change.category != case["expected"] and not is_beyond_old_parsers(change)
    ]
    assert not wrong
