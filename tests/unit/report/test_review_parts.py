"""First word and parts of a review: never milder than what they are made of, and never green over a gap."""

from __future__ import annotations

from itertools import product

import pytest

from recce_meta.models.change import Category
from recce_meta.models.marks.review import NO_REVIEWS
from recce_meta.report.review.parts import (
    DataCounts,
    Part,
    checks_part,
    code_part,
    review_part,
    verdict_word,
)
from recce_meta.report.review.verdict import TONES, verdict_of
from tests.unit.report.test_verdict import (
    BREAKING,
    CASES,
    HARMLESS,
    NO_CODE,
    Case,
    changed,
    check,
    code,
)

WHOLE = DataCounts(nodes=1, compared=1, differ=0, one_sided=0, partial=0, failed=0).part


def word(case: Case, data: Part = WHOLE) -> tuple[str, str]:
    """Return tone and word of *case* with *data*."""
    checks = (
        [one for one in case.checks if not isinstance(one, str)] if isinstance(case.checks, tuple) else []
    )
    return verdict_word(case.diff, verdict_of(case.diff, case.results, case.checks), checks, data)


@pytest.mark.parametrize("name", CASES)
def test_the_word_is_never_milder_than_the_verdict_and_the_data(name: str) -> None:
    case = CASES[name]
    for numbers in product((0, 1), repeat=5):
        data = DataCounts(3, *numbers).part
        tone, _ = word(case, data)
        verdict = verdict_of(case.diff, case.results, case.checks).tone
        assert TONES.index(tone) <= min(TONES.index(verdict), TONES.index(data.tone))


def test_data_are_green_only_if_every_node_is_compared_in_full() -> None:
    for nodes, compared, *others in product(range(4), repeat=6):
        part = DataCounts(nodes, compared, *others).part
        assert (part.tone == "same") is (compared >= nodes > 0 and not any(others)), part


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
    nothing = DataCounts(0, 0, 0, 0, 0, 0).part

    assert word(Case("", ()), nothing) == ("not-compared", "Not compared")


def test_parts_count_what_they_are_about() -> None:
    diff = code(BREAKING, HARMLESS, changed("a", Category.PARTIAL_BREAKING))

    assert code_part(diff, "failed").text == "1 breaking, 1 change values"
    assert code_part(code(HARMLESS), "info").text == "1 non-breaking"
    assert code_part(NO_CODE, "same").text == "no changes"
    assert review_part(diff, NO_REVIEWS).text == "0 of 3 approved"
    assert checks_part([]).text == "none yet"
    assert checks_part([check("passed")]) == Part("checks", "same", "1 passed")
    assert checks_part([check("passed"), check("error")]) == Part("checks", "failed", "1 of 2 in error")
    assert checks_part([check("passed"), check("skipped")]).tone == "one-sided"
    assert DataCounts(6, 6, 4, 2, 1, 0).part.text == "4 of 6 nodes differ, 2 only on one side, 1 not in full"
