"""Charts over time: points in the order of time, interrupted where a value is missing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from recce_meta.server.site.rendering import MARGIN, time_chart

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


def hours(*values: float | None) -> list[tuple[datetime, float | None]]:
    return [(NOON + timedelta(hours=index), value) for index, value in enumerate(values)]


def test_a_line_rises_with_its_values_and_its_places_are_those_of_the_times() -> None:
    later = (NOON + timedelta(hours=4), 20.0)

    chart = time_chart("Rows", [*hours(0, 10), later], lambda value: f"{value:g} rows")

    assert chart is not None
    assert [point.y for point in chart.points] == [100 - MARGIN, 50, MARGIN]
    first, second, third = (point.x for point in chart.points)
    assert (second - first) * 3 == third - second  # one hour, then three
    assert (chart.lowest, chart.highest) == ("0 rows", "20 rows")
    assert chart.points[2].label == "20 rows at 2026-11-20 16:00 UTC"
    assert chart.path.count("M") == 1 and chart.path.count("L") == 2


def test_a_missing_value_interrupts_the_line() -> None:
    chart = time_chart("Rows", hours(1, None, 3, 4), str)

    assert chart is not None
    assert len(chart.points) == 3 and chart.path.count("M") == 2


def test_values_that_do_not_change_are_a_line_in_the_middle() -> None:
    chart = time_chart("Rows", hours(7, 7), str)

    assert chart is not None
    assert {point.y for point in chart.points} == {50} and "always 7" in chart.summary


def test_points_of_one_moment_are_side_by_side() -> None:
    chart = time_chart("Rows", [(NOON, 1.0), (NOON, 2.0)], str)

    assert chart is not None
    assert chart.points[0].x < chart.points[1].x


def test_one_value_is_no_chart() -> None:
    assert time_chart("Rows", hours(1, None), str) is None
    assert time_chart("Rows", [], str) is None


def test_charts_of_one_table_have_one_scale() -> None:
    chart = time_chart("Score", hours(40, 60), str, shared=[0, None, 100])

    assert chart is not None
    assert [point.y for point in chart.points] == [
        100 - MARGIN - (100 - 2 * MARGIN) * level for level in (0.4, 0.6)
    ]
    assert chart.scale == ("0", "100")
    assert (chart.lowest, chart.highest) == ("40", "60")
