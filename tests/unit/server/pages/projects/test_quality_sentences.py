"""Sentences of the overview of quality: what holds, what is unknown, and which tables may be gone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from recce_meta.api.browse.quality import MeasuredTable, QualityViolation
from recce_meta.server.pages.projects.quality import conditions_phrase, of_last_measurement

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


def measured(name: str, quality_run_id: str, *, hours: float, environment: str = "live") -> MeasuredTable:
    return MeasuredTable(
        "shop", environment, name, name, name, quality_run_id, "run", NOW - timedelta(hours=hours),
        10, None, 1, 100.0, None, None, None, None, 0,
    )  # fmt: skip


def violation(reason: str | None = None) -> QualityViolation:
    return QualityViolation("shop", "live", "t", "t", None, "m", None, "> 1", None, reason, "q", NOW)


def test_conditions_hold_only_if_there_are_some() -> None:
    assert conditions_phrase(0, []) == "No condition is defined"
    assert conditions_phrase(3, []) == "Every measured condition holds"
    assert conditions_phrase(3, [violation()]) == "1 condition is not met"
    assert conditions_phrase(3, [violation(), violation(), violation("no such column")]) == (
        "2 conditions are not met; 1 figure could not be measured"
    )


def test_a_table_of_an_earlier_measurement_may_be_gone() -> None:
    dropped, kept = measured("a", "q1", hours=2), measured("b", "q2", hours=1)
    elsewhere = measured("c", "q0", hours=9, environment="staging")

    assert of_last_measurement([dropped, kept, elsewhere]) == [kept, elsewhere]
