"""Expectations and --fail-on held against measurements; what could not be seen says so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from recce_meta.models.quality import (
    ColumnRules,
    CustomMetric,
    Expectation,
    MetricResult,
    Quality,
    Sample,
    TableQuality,
    TableRules,
    read_condition,
    read_fail_on,
)
from recce_meta.quality.compare import compare_quality, table_labels
from recce_meta.quality.conditions import FailOnConditions, stored_verdict, with_expectations
from recce_meta.quality.figures import QualityVerdict, figure_text
from tests.support.quality_cases import column, earlier, film, lost, measurement, table


def rules(
    expect: dict[str, str] | None = None,
    columns: dict[str, dict[str, str]] | None = None,
    metrics: dict[str, str] | None = None,
) -> TableRules:
    return TableRules(
        name="film",
        line=1,
        expectations=_expected(expect or {}),
        columns=tuple(
            ColumnRules(name=name, line=1, expectations=_expected(given))
            for name, given in (columns or {}).items()
        ),
        metrics=tuple(
            CustomMetric(name=name, sql="1", condition=read_condition(text), line=1)
            for name, text in (metrics or {}).items()
        ),
    )


def _expected(given: dict[str, str]) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(figure=figure, condition=read_condition(text), line=1) for figure, text in given.items()
    )


def messages(verdict: QualityVerdict) -> list[str]:
    return [violation.message for violation in verdict.violations]


def fail_on(text: str, current: Quality, before: Quality | None = None) -> tuple[list[str], list[str]]:
    known = {} if before is None else earlier(before)
    changes = compare_quality(current, known)
    judging = FailOnConditions(current, table_labels(current.tables), known, changes)
    verdict = judging.verdict(read_fail_on([text], ["known"]))
    return messages(verdict), list(verdict.notes)


def test_what_is_expected_is_kept_as_metrics_and_counts_for_the_score() -> None:
    judged, verdict = with_expectations(
        film(), [rules({"row_count": "> 0", "score": ">= 99"}, {"rating": {"null_share": "< 1%"}})], "film"
    )
    rating = judged.columns[1]
    assert [(one.name, one.threshold, one.holds) for one in judged.metrics] == [
        ("row_count", "> 0", True),
        ("score", ">= 99", False),
    ]
    assert [(one.name, one.value, one.holds) for one in rating.metrics] == [("null_share", 0.01, False)]
    assert rating.score == pytest.approx(100 * (0.99 + 0) / 2)
    # Completeness of four columns, uniqueness of the id, one of two thresholds; the score's own is no part.
    assert judged.score == pytest.approx(100 * ((3 + 0.99) / 4 + 1 + 0.5) / 3)
    assert messages(verdict) == [
        "film.rating: null_share is 1%, expected < 1%",
        "film: score is 83.25, expected >= 99",
    ]
    assert set(messages(stored_verdict(judged, "film"))) == set(messages(verdict))


def test_what_could_not_be_seen_does_not_hold() -> None:
    measured = replace(
        film(), metrics=(MetricResult(name="m", reason="no column x"), MetricResult(name="n", value=None))
    )
    columns = {"ratng": {"score": "> 0"}, "email": {"min": "> 'a'"}, "days": {"min_length": "> 0"}}
    _, verdict = with_expectations(
        measured, [rules({}, columns, {"m": "> 0", "n": "> 0", "o": "> 0"})], "film"
    )
    assert messages(verdict) == [
        "film: m could not be measured: no column x, expected > 0",
        "film: n is NULL, expected > 0",
        "film: o could not be measured: was not measured, expected > 0",
        "film: column 'ratng' not found; did you mean 'rating'?",
        "film.email: min could not be measured: its values are withheld, expected > 'a'",
        "film.days: min_length is NULL, expected > 0",
    ]
    _, verdict = with_expectations(lost("film", "no rights"), [rules({"row_count": "> 0"})], "film")
    assert messages(verdict) == ["film: could not be measured: no rights"]


def test_what_an_empty_table_does_not_have_does_not_hold() -> None:
    empty = table("film", 0, [column("rating", 0)])
    judged, verdict = with_expectations(
        empty, [rules({"row_count": "= 0"}, {"rating": {"null_share": "= 0", "min": ">= 0"}})], "film"
    )
    found = [
        f"film.rating: {figure} could not be measured: the table has no rows, expected {condition}"
        for figure, condition in (("null_share", "= 0"), ("min", ">= 0"))
    ]
    assert messages(verdict) == messages(stored_verdict(judged, "film")) == found


def test_a_glob_stands_for_columns_and_a_name_goes_before_it() -> None:
    odd = table("t", 10, [column("a*", 10, 5), column("ab", 10, 10)])
    _, verdict = with_expectations(odd, [rules({}, {"a*": {"null_share": "= 0"}})], "t")
    assert messages(verdict) == ["t.a*: null_share is 50%, expected = 0"]
    _, verdict = with_expectations(odd, [rules({}, {"*": {"null_share": "= 0"}})], "t")
    assert len(verdict.violations) == 2


def test_a_metric_that_was_judged_when_it_was_measured_stays_as_it_was() -> None:
    withheld = MetricResult(name="m", value=None, threshold="= 'a'", holds=True, reason="withheld")
    _, verdict = with_expectations(
        replace(film(), metrics=(withheld,)), [rules(metrics={"m": "= 'a'"})], "film"
    )
    assert verdict.violations == ()
    wrong = replace(withheld, holds=False)
    _, verdict = with_expectations(replace(film(), metrics=(wrong,)), [rules(metrics={"m": "= 'a'"})], "film")
    assert messages(verdict) == ["film: m does not meet = 'a': withheld"]


def test_a_change_of_a_share_is_in_points_and_of_a_count_relative() -> None:
    before, now = measurement(film(1000, 10)), measurement(film(900, 90), days=1)
    assert fail_on("null_share > +8.9%", now, before) == (
        ["film.rating: null_share went from 1% to 10% (--fail-on null_share > +8.9%)"],
        [],
    )
    assert fail_on("null_share > +9%", now, before) == ([], [])
    assert fail_on("row_count < -9%", now, before)[0] == [
        "film: row_count went from 1,000 to 900 (--fail-on row_count < -9%)"
    ]
    assert fail_on("row_count < -10%", now, before)[0] == []


def test_a_subject_is_a_table_a_column_or_a_glob() -> None:
    now = measurement(film(1000, 10), replace(film(1000, 20), unique_id="relation.shop.other", name="other"))
    for subject in ("film.rating", "shop.film.rating", "relation.shop.film", "fil?.r*", "FILM"):
        assert [one.partition(":")[0] for one in fail_on(f"{subject}: null_share > 0", now)[0]] == [
            "film.rating"
        ]
    found, _ = fail_on("film.ratng: null_share > 0", now)
    assert found == [
        "'film.ratng' matches nothing that was measured; "
        "did you mean 'film.rating' or 'film.days' or 'film.shape'? "
        "(--fail-on film.ratng: null_share > 0)"
    ]


def test_conditions_that_saw_nothing_say_so() -> None:
    now = measurement(film())
    nothing = "was not checked: there is no earlier measurement"
    assert fail_on("null_share > +5%", now) == ([], [f"--fail-on null_share > +5% {nothing}"])
    assert fail_on("regression", now) == ([], [f"--fail-on regression {nothing}"])
    empty = measurement(film(0, 0))
    assert fail_on("known > 5", empty)[1] == ["--fail-on known > 5 was not checked: no known was measured"]
    partly = measurement(table("film", 1000, [column("days", 1000, 0, 7)]))
    assert fail_on("null_share > +5%", now, partly)[1] == [
        "--fail-on null_share > +5%: 3 figures of 4 without an earlier measurement"
    ]


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("known > 5", "no known was measured"),
        ("film.email: mean > +5%", "no mean was measured"),
        ("t.on: max > 5", "1 figure could not be compared, and no other was measured"),
    ],
)
def test_a_condition_on_a_figure_that_nothing_has_is_a_failure(condition: str, says: str) -> None:
    days = [column("on", 9, type="DATE", max=date(2026, 1, 1))]
    now = measurement(film(), table("t", 9, days))

    assert fail_on(condition, now) == ([f"{says} (--fail-on {condition})"], [])


def test_what_cannot_be_compared_is_not_said_to_be_new() -> None:
    days = [column("on", 9, type="DATE", max=date(2026, 1, 1)), column("id", 9, max=9)]
    before, now = measurement(table("t", 9, days)), measurement(table("t", 9, days), days=1)
    assert fail_on("max < +1", now, before) == (
        ["t.id: max went from 9 to 9 (--fail-on max < +1)"],
        ["--fail-on max < +1: 1 figure could not be compared; for dates and strings only +0 can be used"],
    )
    assert fail_on("max < +0", now, before) == ([], [])


def test_a_table_that_lost_all_rows_is_a_regression() -> None:
    before, now = measurement(film(1000, 10)), measurement(film(0, 0), days=1)
    assert fail_on("regression", now, before)[0] == ["film: no longer has rows (--fail-on regression)"]


def test_a_figure_of_tables_is_none_of_a_column() -> None:
    assert fail_on("film.rating: row_count > 0", measurement(film())) == (
        [
            "'film.rating' is a column, but row_count is a figure of tables "
            "(--fail-on film.rating: row_count > 0)"
        ],
        [],
    )


def test_numbers_are_told_without_the_zeros_that_are_stored() -> None:
    assert figure_text("max", Decimal("95.0000000")) == "95"
    assert figure_text("max", Decimal("1250.50")) == "1250.5"


def test_a_regression_is_a_fallen_score_a_lost_table_or_column_or_what_held_before() -> None:
    held = MetricResult(name="m", threshold="> 0", value=1, holds=True)
    before = measurement(replace(film(), metrics=(held,)), table("gone", 3, [column("a", 3)]))
    worse = film(1000, 200)
    worse = replace(worse, columns=worse.columns[:2], metrics=(replace(held, value=0, holds=False),))
    now = measurement(worse, lost("gone", "no such table"), days=1)
    found, notes = fail_on("regression", now, before)
    assert [one.removesuffix(" (--fail-on regression)") for one in found] == [
        "film.rating: score fell from 99.0 to 80.0",
        "film.days: no longer exists",
        "film.email: no longer exists",
        "film.shape: no longer exists",
        "film: score fell from 99.9 to 97.5",
        "film: m > 0 held before",
        "gone: is no longer measured",
    ]
    assert notes == [] and fail_on("regression", before, before) == ([], [])


def test_counts_of_unequal_samples_are_not_compared() -> None:
    before, sample = measurement(film(1000, 10)), Sample(percent=10)
    now = measurement(replace(film(100, 1), sampled_rows=100), days=1, sample=sample)
    (change,) = compare_quality(now, earlier(before))
    assert "Not exactly comparable" in change.notes[0]
    counted = {"null_count", "distinct_count", "distinct_share", "blank_count", "true_count"}
    assert not counted & {figure.name for one in change.columns for figure in one.figures}
    assert fail_on("null_count < -5%", now, before)[0] == []
    # All rows of a table that is smaller than the sample are looked at.
    whole = measurement(film(900, 10), days=1, sample=Sample(rows=5000))
    assert compare_quality(whole, earlier(before))[0].notes == ()
    assert len(fail_on("distinct_count < +0, null_share > +0", whole, before)[0]) == 3


def test_a_mean_that_differs_by_rounding_alone_is_no_change() -> None:
    before = measurement(table("t", 3, [column("a", 3, avg=0.1 + 0.2)]))
    now = measurement(table("t", 3, [column("a", 3, avg=0.3)]), days=1)
    (change,) = compare_quality(now, earlier(before))
    assert not change.is_changed


def test_tables_of_one_name_go_by_their_relation() -> None:
    tables: list[TableQuality] = [
        film(),
        replace(film(), unique_id="x", relation='"b"."film"'),
        table("t", 1),
    ]
    assert list(table_labels(tables).values()) == ['"db"."shop"."film"', '"b"."film"', "t"]
