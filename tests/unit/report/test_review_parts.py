"""First word and parts of a review: never milder than what they are made of, and never green over a gap."""

from __future__ import annotations

import pytest

from recce_meta.models.change import Category
from recce_meta.models.data_diff import KeyCounts, ValueDiff
from recce_meta.models.marks.review import NO_REVIEWS
from recce_meta.report.review.parts import (
    Part,
    checks_part,
    code_part,
    data_part,
    review_part,
    verdict_word,
)
from recce_meta.report.review.verdict import TONES, verdict_of
from tests.unit.report.test_verdict import (
    BREAKING,
    CASES,
    DIFFERENT,
    EQUAL,
    HARMLESS,
    MISSING,
    NO_CODE,
    Case,
    changed,
    check,
    code,
)

VALUES = ValueDiff(
    subject=EQUAL.counts[0].subject,
    key=("id",),
    key_source="option",
    base=KeyCounts(rows=5),
    current=KeyCounts(rows=5),
    common=5,
)
WHOLE = Part("data", "same", "equal data in 1 node")


def word(case: Case, data: Part = WHOLE) -> tuple[str, str]:
    """Return tone and word of *case* with *data*."""
    checks = (
        [one for one in case.checks if not isinstance(one, str)] if isinstance(case.checks, tuple) else []
    )
    return verdict_word(case.diff, verdict_of(case.diff, case.results, case.checks), checks, data)


@pytest.mark.parametrize("name", CASES)
def test_the_word_is_never_milder_than_the_verdict_and_the_data(name: str) -> None:
    case = CASES[name]
    for found in TONES:
        tone, _ = word(case, Part("data", found, ""))
        verdict = verdict_of(case.diff, case.results, case.checks).tone
        assert TONES.index(tone) <= min(TONES.index(verdict), TONES.index(found))


def test_data_are_green_only_if_every_node_is_compared_in_full() -> None:
    expected = {
        (VALUES,): Part("data", "same", "equal data in 1 node"),
        (EQUAL,): Part("data", "one-sided", "equal row count in 1 node"),
        (VALUES, MISSING): Part("data", "not-compared", "1 of 2 nodes not compared, equal data in 1 node"),
        (DIFFERENT, MISSING): Part("data", "differs", "differs in 1 of 2 nodes, 1 node not compared"),
        (): Part("data", "not-compared", "0 of 1 node compared"),
    }

    assert {results: data_part(code(HARMLESS), results) for results in expected} == expected


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (Case("", (), code(BREAKING, HARMLESS)), ("failed", "Breaking")),
        (Case("", (), code(changed("a", Category.PARTIAL_BREAKING))), ("differs", "Partial breaking")),
        (Case("", (), code(changed("a", Category.UNKNOWN))), ("not-compared", "Unknown effect")),
        (Case("", (), code(HARMLESS)), ("info", "Non-breaking")),
        (Case("", (), code(HARMLESS), (), (check("error"),)), ("failed", "Checks in error")),
        (Case("", (), checks=(check("error"), check("failed"))), ("failed", "Checks failed")),
        (Case("", ()), ("same", "Equal")),
        (CASES["two runs without dbt"], ("differs", "To review")),
        (CASES["a failed build without an edit"], ("failed", "Build failed")),
    ],
)
def test_the_first_word_is_the_worst_finding(case: Case, expected: tuple[str, str]) -> None:
    assert word(case) == expected


def test_without_a_change_and_a_comparison_nothing_is_equal() -> None:
    nothing = data_part(NO_CODE, ())

    assert word(Case("", ()), nothing) == ("not-compared", "Not compared")


def test_parts_count_what_they_are_about() -> None:
    diff = code(BREAKING, HARMLESS, changed("a", Category.PARTIAL_BREAKING))

    assert code_part(diff, "failed").text == "1 breaking, 1 change values"
    assert code_part(code(HARMLESS), "info").text == "1 non-breaking"
    assert code_part(NO_CODE, "same").text == "no changes"
    assert review_part(diff, NO_REVIEWS).text == "0 of 3 approved"
    assert checks_part([]).text == "none yet"
    assert checks_part([check("passed")]) == Part("checks", "same", "1 passed")
    assert checks_part([check("passed"), check("error")]) == Part(
        "checks", "failed", "1 of 2 in error, 1 passed"
    )
    assert checks_part([check("passed"), check("skipped")]).tone == "one-sided"
