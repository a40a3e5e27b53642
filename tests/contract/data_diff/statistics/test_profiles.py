"""Profiles on each warehouse: every type, and an independent computation."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from recce_meta.checks.expectations import violations
from recce_meta.data_diff.profile import profile_diff
from recce_meta.errors import UnknownNameError
from recce_meta.models.checks import NONE, ExpectProfile
from recce_meta.tables.gaps import limits_of
from tests.proofs import sampled

UTC = timezone.utc
EVERY = {
    "whole": "integer",
    "large": "bigint",
    "exact": "decimal(12,3)",
    "double": "double",
    "flag": "boolean",
    "text": "varchar",
    "day": "date",
    "moment": "timestamp",
    "instant": "timestamptz",
    "binary": "binary",
    "list": "integer[]",
    "token": "uuid",
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "whole": st.integers(-(2**31), 2**31 - 1),
    "large": st.integers(-(2**63), 2**63 - 1),
    "exact": st.decimals(-999_999, 999_999, places=3),
    "double": st.floats(-1e300, 1e300).map(lambda value: value + 0.0),
    "flag": st.booleans(),
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    "day": st.dates(),
    "moment": st.datetimes(),
    "instant": st.datetimes(timezones=st.just(UTC), max_value=datetime(9999, 12, 30)),
    "binary": st.binary(max_size=6),
    "list": st.lists(st.integers(0, 9), max_size=4),
    "token": st.uuids(),
}
ROWS = st.lists(st.tuples(*(st.none() | strategy for strategy in VALUES.values())), max_size=7)


def expected(name: str, column: Sequence[Any]) -> dict[str, Any]:
    """What the profile of *column* says, counted here."""
    values = [value for value in column if value is not None]
    figures: dict[str, Any] = {
        "row_count": len(column),
        "not_null_count": len(values),
        "distinct_count": len({str(value) if isinstance(value, list) else value for value in values}),
    }
    if name == "flag":
        figures |= {"true_count": sum(values), "avg": sum(values) / len(column) if column else None}
    if name in ("text", "binary", "list"):
        lengths = list(map(len, values)) or [None]
        figures |= {"min_length": min(lengths), "max_length": max(lengths)}
    if values and name in ("whole", "large", "exact", "double", "text", "day", "moment", "instant"):
        figures |= {"min": min(values), "max": max(values)}
    if values and name in ("whole", "large", "exact", "double"):
        figures["avg"] = float(sum(map(Fraction, values)) / len(values))
        figures["median"] = float(statistics.median(map(Fraction, values)))
    if name in ("day", "moment", "instant"):
        figures["median"] = statistics.median_low(values) if values else None
    return figures


def agrees(own: Any, other: Any) -> bool:
    """Whether a figure is what it should be; computed ones up to rounding."""
    if isinstance(own, float) and isinstance(other, float):
        return math.isclose(own, other, rel_tol=1e-9, abs_tol=1e-9 * 2**64)
    return bool(own == other)


@pytest.mark.beyond_emulators
@settings(
    max_examples=sampled(15, 4),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(base=ROWS, current=ROWS)
def test_figures_are_those_of_an_independent_computation(bench: Any, base: Any, current: Any) -> None:
    name = f"t {uuid4().hex}"
    bench.fill(f"{name} b", EVERY, base)
    bench.fill(f"{name} c", EVERY, current)

    found = bench.run(profile_diff(bench.pair(f"{name} b", f"{name} c")))

    for place, column in enumerate(found.columns):
        for rows, profile in ((base, column.base), (current, column.current)):
            figures = expected(column.name, [row[place] for row in rows])
            for figure, value in figures.items():
                assert agrees(getattr(profile, figure), value), (column.name, figure, profile, value)
    for table in ("b", "c"):
        bench.adapter.execute(f"DROP TABLE {bench.quoted(f'{name} {table}')}")


def rows_of_all() -> list[tuple[Any, ...]]:
    start = datetime(2026, 1, 1, 23, 59, 59, 999_999)
    return [
        (
            number,
            number * 10**15,
            Decimal(number) / 8,
            number / 3,
            number % 2 == 0,
            f"n{number}",
            start.date() + timedelta(days=number),
            start + timedelta(hours=number),
            (start + timedelta(hours=number)).replace(tzinfo=UTC),
            bytes([number] * number),
            [number] * (number % 3),
            UUID(int=number),
        )
        for number in range(9)
    ] + [(None,) * len(EVERY)]


def test_both_warehouses_say_the_same(benches: list[Any]) -> None:
    profiles = []
    for bench in benches:
        bench.fill("t", EVERY, rows_of_all())
        found = bench.run(profile_diff(bench.pair("t", "t")))
        profiles.append(
            [{figure: getattr(column.base, figure) for figure in FIGURES} for column in found.columns]
        )
        assert all(column.base == column.current for column in found.columns)

    assert profiles[0] == profiles[1]


FIGURES = (
    "row_count",
    "not_null_count",
    "distinct_count",
    "min",
    "max",
    "avg",
    "median",
    "true_count",
    "min_length",
    "max_length",
    "avg_length",
)


def test_numbers_that_sums_would_overflow_have_a_mean(bench: Any) -> None:
    wide = "decimal(38,0)"
    bench.fill("t", {"large": "bigint", "wide": wide}, [(2**63 - 1, Decimal("9" * 38))] * 3)

    large, wide_column = bench.run(profile_diff(bench.pair("t", "t"))).columns

    assert large.current.avg == pytest.approx(2**63 - 1)
    assert wide_column.current.avg == pytest.approx(1e38)
    assert wide_column.current.max == int("9" * 38)


def test_nan_and_infinities_sort_as_the_warehouse_sorts_them(bench: Any) -> None:
    bench.fill("t", {"x": "double", "y": "real"}, [(float("nan"), 0.1), (float("inf"), 0.2), (-0.0, None)])

    x, y = (column.current for column in bench.run(profile_diff(bench.pair("t", "t"))).columns)

    assert math.isnan(x.max) and math.isnan(x.avg)
    assert (x.min, math.copysign(1, x.min)) == (0.0, 1.0)
    assert (y.min, y.max) == (0.1, 0.2)


def test_dates_beyond_the_calendar_stay_text(bench: Any) -> None:
    bench.fill(
        "t", {"d": "date", "m": "timestamp", "i": "timestamptz"}, [("infinity", "infinity", "-infinity")]
    )
    bench.fill("far", {"d": "date", "m": "timestamp"}, [("20000-01-01", "20000-01-01 00:00:01")])

    day, moment, instant = bench.run(profile_diff(bench.pair("t", "t"))).columns
    far, far_moment = bench.run(profile_diff(bench.pair("far", "far"))).columns

    assert (day.current.min, moment.current.max, instant.current.min) == ("infinity", "infinity", "-infinity")
    assert (far.current.min, far_moment.current.max[:5]) == ("20000-01-01", "20000")


def test_times_are_profiled_and_what_nothing_can_be_said_of_is_counted(bench: Any) -> None:
    bench.fill("t", {"at": "time", "span": "interval", "doc": "json"}, [("23:59:59.5", "1 day", '{"a": 1}')])

    at, span, doc = (column.current for column in bench.run(profile_diff(bench.pair("t", "t"))).columns)

    assert at.min.isoformat() == "23:59:59.500000"
    assert (span.not_null_count, span.distinct_count) == (1, 1)
    assert (doc.not_null_count, doc.distinct_count, doc.min) == (1, 1, None)


def test_texts_sort_by_code_point_and_count_characters(bench: Any) -> None:
    bench.fill("t", {"w": "varchar"}, [("Z",), ("a",), ("é🛒",)])

    (column,) = bench.run(profile_diff(bench.pair("t", "t"))).columns

    assert (column.current.min, column.current.max, column.current.max_length) == ("Z", "é🛒", 2)


def test_empty_tables_and_empty_columns_have_figures(bench: Any) -> None:
    bench.fill("empty", EVERY)
    bench.fill("nulls", EVERY, [(None,) * len(EVERY)] * 2)

    for column in bench.run(profile_diff(bench.pair("empty", "nulls"))).columns:
        assert (column.base.row_count, column.base.not_null_proportion) == (0, None)
        assert (column.current.row_count, column.current.not_null_proportion) == (2, 0.0)
        assert column.current.distinct_count == 0
        assert column.current.min is column.current.median is None


def test_columns_of_one_side_and_names_that_need_quotes(bench: Any) -> None:
    bench.fill("old", {"order": "integer", 'a"b': "integer", "gone": "date"}, [(1, 2, "2026-01-01")])
    bench.fill("new", {"order": "bigint", 'a"b': "integer", "c0_min": "integer"}, [(1, 2, 3)])

    found = bench.run(profile_diff(bench.pair("old", "new")))

    assert [(one.name, one.base is None, one.current is None) for one in found.columns] == [
        ("order", False, False),
        ('a"b', False, False),
        ("gone", False, True),
        ("c0_min", True, False),
    ]
    assert bench.run(profile_diff(bench.pair(None, "new"))).columns[0].base is None
    assert [
        one.name for one in bench.run(profile_diff(bench.pair("old", "new"), ["GONE", '"order"'])).columns
    ] == [
        "gone",
        "order",
    ]
    assert [
        one.name for one in bench.run(profile_diff(bench.pair("old", "new"), exclude=["order"])).columns
    ] == [
        'a"b',
        "gone",
        "c0_min",
    ]
    with pytest.raises(UnknownNameError, match="nowhere"):
        bench.run(profile_diff(bench.pair("old", "new"), ["nowhere"]))


def test_a_condition_restricts_every_figure(bench: Any) -> None:
    bench.fill("t", {"x": "integer"}, [(number,) for number in range(10)])

    (column,) = bench.run(profile_diff(bench.pair("t", "t"), where="x >= 6 -- late")).columns

    assert (column.current.row_count, column.current.min, column.current.distinct_count) == (4, 6, 4)


def test_estimates_are_told_and_are_near(bench: Any) -> None:
    bench.fill("t", {"x": "integer"}, [(number,) for number in range(500)])

    found = bench.run(profile_diff(bench.pair("t", "t"), approximate=True))

    profile = found.columns[0].current
    assert profile.distinct_count == pytest.approx(500, rel=0.1)
    assert profile.is_approximate == bench.dialect.aggregates.has_approximate_distinct
    assert bool(found.notes) != profile.is_approximate
    statements = [query for query in bench.asked if not query.describes]
    at_once = profile.is_approximate and bench.dialect.aggregates.has_many_medians
    assert len(statements) == (2 if at_once else 4)


@pytest.mark.core("duckdb")
def test_a_thousand_columns_are_profiled(bench: Any) -> None:
    names = {f"column {number}": "integer" for number in range(1000)}
    bench.fill("wide", names, [tuple(range(1000)), tuple(range(1, 1001))])

    found = bench.run(profile_diff(bench.pair(None, "wide"), approximate=True))

    assert len(found.columns) == 1000
    last = found.columns[-1].current
    assert (last.row_count, last.min, last.max, last.distinct_count) == (2, 999, 1000, 2)


def test_a_column_that_cannot_be_profiled_keeps_its_counts(bench: Any) -> None:
    if bench.dialect.name != "postgres":
        pytest.skip("DuckDB's means do not overflow")
    bench.fill("t", {"x": "double", "y": "integer"}, [(1e308, 1), (1.1e308, 2)])

    found = bench.run(profile_diff(bench.pair("t", "t")))

    x, y = (column.current for column in found.columns)
    assert (x.row_count, x.not_null_count, x.distinct_count, x.avg) == (2, 2, 2, None)
    assert (y.avg, y.distinct_count) == (1.5, 2)
    assert [note.partition(":")[0] for note in found.notes] == [
        "Only the counts of x in base",
        "Only the counts of x in current",
    ]
    assert found.columns[0].reason.startswith("only the counts in base: ") and found.columns[1].reason is None
    assert limits_of(found) == [f"column x: {found.columns[0].reason}"]
    for figure, is_refused in (("avg", True), ("distinct_count", False)):
        expect = ExpectProfile(max_change={figure: NONE})
        assert bool(violations(expect, [found])) is is_refused


def test_types_that_nobody_knows_are_counted(bench: Any) -> None:
    if bench.dialect.name != "postgres":
        pytest.skip("types of the other warehouse")
    bench.fill(
        "t", {"p": "point", "b": "bit(3)", "j": "json[]", "n": "numeric"}, [("(1,2)", "101", [], "Infinity")]
    )

    found = bench.run(profile_diff(bench.pair("t", "t")))

    assert [column.current.distinct_count for column in found.columns] == [1, 1, 1, 1]
    assert found.columns[-1].current.max == Decimal("Infinity")
    assert found.notes == ()


def test_sessions_may_have_any_settings(bench: Any) -> None:
    bench.fill("t", {"d": "date", "i": "timestamptz"}, [(date(2026, 2, 1), "2026-02-01 00:30:00+00")])
    bench.adapter.execute("SET TimeZone = 'America/New_York'")
    if bench.dialect.name == "postgres":
        bench.adapter.execute("SET DateStyle = 'German'")

    day, instant = bench.run(profile_diff(bench.pair("t", "t"))).columns

    assert day.current.max == date(2026, 2, 1)
    assert instant.current.max == datetime(2026, 2, 1, 0, 30, tzinfo=UTC)
