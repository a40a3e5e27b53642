"""Scores: the worked examples of the page, and what they do where something is missing."""

from __future__ import annotations

import doctest
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.models.data_diff import Profile
from recce_meta.models.quality import ColumnQuality, MetricResult, TableQuality
from recce_meta.quality.measure import mean_score, with_scores

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "quality.md"
HOLDS = MetricResult(name="holds", value=1, threshold="> 0", holds=True)
BROKEN = MetricResult(name="broken", value=0, threshold="> 0", holds=False)
UNKNOWN = MetricResult(name="unknown", threshold="> 0", reason="no such column")
FREE = MetricResult(name="free", value=1)


def column(rows: int, values: int, distinct: int | None = 1, **others: Any) -> ColumnQuality:
    profile = Profile(type="text", row_count=rows, not_null_count=values, distinct_count=distinct)
    return ColumnQuality(name="c", profile=profile, **others)


def table(*columns: ColumnQuality, metrics: tuple[MetricResult, ...] = ()) -> TableQuality:
    return with_scores(
        TableQuality(
            unique_id="relation.a.b",
            name="b",
            relation="a.b",
            measured_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
            columns=columns,
            metrics=metrics,
        )
    )


def test_the_examples_of_the_page_hold() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)

    assert tried > 8
    assert failed == 0


@pytest.mark.parametrize(
    ("given", "score"),
    [
        (column(4, 4), 100.0),
        (column(4, 0, 0), 0.0),
        (column(4, 4, blank_count=4), 0.0),
        (column(0, 0, 0), None),
        (column(0, 0, 0, metrics=(HOLDS,)), None),
        (ColumnQuality(name="c", reason="no right to read it", metrics=(HOLDS,)), None),
        (column(4, 4, 2), 100.0),  # nobody says that it is unique
        (column(4, 4, 2, is_declared_unique=True), 75.0),
        (column(4, 0, 0, is_declared_unique=True), 0.0),  # no value is repeated
        (column(4, 4, None, is_declared_unique=True), 100.0),  # distinct values could not be counted
        (column(4, 4, metrics=(FREE,)), 100.0),
        (column(4, 4, metrics=(HOLDS, BROKEN, FREE)), 75.0),
        (column(4, 4, metrics=(UNKNOWN,)), 50.0),  # what nobody has seen does not hold
        (column(4, 2, 1, is_declared_unique=True, metrics=(BROKEN,)), 100 * (1 / 2 + 1 / 2 + 0) / 3),
    ],
)
def test_a_columns_score_is_the_mean_of_the_parts_that_apply(
    given: ColumnQuality, score: float | None
) -> None:
    assert table(given).columns[0].score == (None if score is None else pytest.approx(score))


def test_a_tables_parts_are_those_of_its_columns_that_were_measured() -> None:
    good, bad = column(4, 4), column(4, 2)
    missing = ColumnQuality(name="c", reason="no right to read it")

    assert table(good, bad, missing).score == 75.0
    assert table(good, bad, column(4, 4, 2, is_declared_unique=True)).score == pytest.approx(
        100 * ((1 + 0.5 + 1) / 3 + 1 / 2) / 2
    )
    assert table(missing).score is None
    assert table(column(0, 0, 0), metrics=(HOLDS,)).score is None


def test_metrics_of_table_and_columns_are_one_part_of_the_tables_score() -> None:
    measured = table(column(4, 4, metrics=(HOLDS, HOLDS)), column(4, 4), metrics=(BROKEN, FREE))

    assert measured.score == pytest.approx(100 * (1 + 2 / 3) / 2)


def test_a_measurements_score_is_the_mean_of_the_tables_that_have_one() -> None:
    tables = [table(column(4, 4)), table(column(4, 0)), table()]

    assert [one.score for one in tables] == [100.0, 0.0, None]
    assert mean_score(tables) == 50.0
    assert mean_score([replace(tables[2], reason="gone")]) is None
