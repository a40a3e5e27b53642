"""Pairs of queries of other projects' tests are told as those say, or as we decided; ours as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from recce_meta.diff.semantic import classify_change, compare_sql
from recce_meta.models.category import SqlChange

CASES = Path(__file__).parents[3] / "data" / "change_cases"
PUBLIC = [json.loads(line) for line in (CASES / "public.jsonl").read_text(encoding="utf-8").splitlines()]
DECIDED: dict[str, tuple[str, str]] = json.loads((CASES / "decided.json").read_text(encoding="utf-8"))
OWN = [json.loads(line) for line in (CASES / "own.jsonl").read_text(encoding="utf-8").splitlines()]
NAMED = [
    case
    for case in PUBLIC
    if case["columns"] and DECIDED.get(case["id"], [""])[0] not in ("none", "partial_breaking")
]
SCHEMAS = {
    "t": dict.fromkeys(("a", "b", "c", "d", "arr", "s", "ts", "name"), ""),
    "u": dict.fromkeys(("a", "e", "f"), ""),
}
"""Of the tables in our own cases; nobody knows the columns of others."""
WORDS = {"partial": "partial_breaking"}
MILDEST_FIRST = ("none", "non_breaking", "partial_breaking", "breaking", "unknown")


def is_beyond_old_parsers(change: SqlChange) -> bool:
    """Whether the parser of an old sqlglot is what cannot read a text."""
    is_old = int(sqlglot.__version__.split(".")[0]) < 30
    return is_old and any("does not parse" in reason for reason in change.reasons)


def answer(case: dict[str, Any]) -> str:
    return classify_change(case["old"], case["new"], case["dialect"], case["schemas"])


@pytest.mark.parametrize("case", PUBLIC, ids=lambda case: case["id"])
def test_a_public_case_is_told_as_expected_or_as_decided(case: dict[str, Any]) -> None:
    decided = DECIDED.get(case["id"])
    accepted = [decided[0]] if decided else [WORDS.get(word, word) for word in case["accept"]]

    assert answer(case) in accepted


def test_what_was_decided_otherwise_is_milder_only_where_nothing_changes() -> None:
    expected = {case["id"]: WORDS.get(case["expected"], case["expected"]) for case in PUBLIC}
    milder = {
        name
        for name, (category, _) in DECIDED.items()
        if MILDEST_FIRST.index(category)
        < MILDEST_FIRST.index(expected[name])
        < MILDEST_FIRST.index("unknown")
    }

    assert {DECIDED[name][0] for name in milder} == {"none"}


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case["id"])
def test_the_columns_of_a_public_case_are_named(case: dict[str, Any]) -> None:
    change = compare_sql(case["old"], case["new"], case["dialect"], case["schemas"])

    assert {column.name: column.status.value for column in change.columns} == case["columns"]


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
