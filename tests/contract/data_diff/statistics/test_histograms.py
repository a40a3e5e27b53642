"""Histograms on each warehouse: every value is in the bin whose edges hold it, whatever the span."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recce_meta.data_diff.histogram import ALL_FAR, histogram_diff
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import ColumnHistogram
from recce_meta.report.data.figures import rows_phrases
from recce_meta.store.data_diffs import headline_of
from tests.proofs import sampled

UTC = timezone.utc
VALUES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "whole": ("integer", st.integers(-(2**31), 2**31 - 1) | st.integers(-30, 30)),
    "large": ("bigint", st.integers(-(2**63), 2**63 - 1)),
    "exact": ("decimal(12,3)", st.decimals(-999_999, 999_999, places=3)),
    "wide": ("decimal(38,10)", st.decimals(-(10**27), 10**27, places=10)),
    "double": ("double", st.floats() | st.integers(-50, 50).map(lambda value: value / 10)),
    "single": ("real", st.floats(width=32) | st.integers(-50, 50).map(lambda value: value / 8)),
    "day": ("date", st.dates()),
    "near": ("date", st.dates(date(2026, 1, 1), date(2026, 2, 20))),
    "moment": ("timestamp", st.datetimes()),
    "soon": ("timestamp", st.datetimes(datetime(1969, 12, 31, 23), datetime(1970, 1, 1, 2))),
    "instant": ("timestamptz", st.datetimes(timezones=st.just(UTC), max_value=datetime(9999, 12, 30))),
}
COLUMNS = {name: type_ for name, (type_, _) in VALUES.items()}
ROWS = st.lists(st.tuples(*(st.none() | strategy for _, strategy in VALUES.values())), max_size=12)


def counted(values: Sequence[Any], edges: Sequence[Any]) -> tuple[list[int], int]:
    """How many of *values* are in each bin, and outside of all, counted here."""
    counts, outside = [0] * max(len(edges) - 1, 0), 0
    for value in values:
        if value is None:
            continue
        if isinstance(value, float) and not math.isfinite(value):
            outside += 1
            continue
        counts[min(bisect_right(edges, value) - 1, len(counts) - 1)] += 1
    return counts, outside


def check(column: ColumnHistogram, base: Sequence[Any], current: Sequence[Any]) -> None:
    """Whether *column* tells what *base* and *current* hold."""
    finite = [
        value
        for value in (*base, *current)
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    ]
    edges = column.edges
    if not finite:
        assert edges == () and column.reason
    else:
        assert all(before < after for before, after in pairwise(edges))
        assert edges[0] <= min(finite) and max(finite) <= edges[-1]
        assert (column.min, column.max) == (min(finite), max(finite))
    for values, counts, total, outside in (
        (base, column.base, column.base_total, column.base_outside),
        (current, column.current, column.current_total, column.current_outside),
    ):
        assert (list(counts or ()), outside) == counted(values, edges), column
        assert total == sum(counts or ())
    if edges:
        assert (column.base_nulls, column.current_nulls) == (base.count(None), current.count(None))


@pytest.mark.extensive
@pytest.mark.beyond_emulators
@settings(
    max_examples=sampled(10, 4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(base=ROWS, current=ROWS, bins=st.integers(1, 60))
def test_every_value_is_in_its_bin(bench: Any, base: Any, current: Any, bins: int) -> None:
    names = [f"{side} {uuid4().hex}" for side in "bc"]
    for name, rows in zip(names, (base, current), strict=True):
        bench.fill(name, COLUMNS, rows)

    joined = bench.run(histogram_diff(bench.pair(*names), num_bins=bins))
    statements = [query for query in bench.asked if not query.describes]
    apart = bench.run(histogram_diff(bench.pair(*names, is_joined=False), num_bins=bins))

    for place, column in enumerate(joined.columns):
        check(column, [row[place] for row in base], [row[place] for row in current])
    assert apart == joined
    assert len(statements) <= 2
    for name in names:
        bench.adapter.execute(f"DROP TABLE {bench.quoted(name)}")


SPANS = {
    "years": (timedelta(days=3000), "1 year"),
    "centuries": (timedelta(days=150_000), "9 years"),
    "months": (timedelta(days=100), "1 month"),
    "days": (timedelta(days=60), "1 day"),
    "hours": (timedelta(days=2), "1 hour"),
    "half days": (timedelta(days=20), "12 hours"),
    "minutes": (timedelta(minutes=50), "1 minute"),
    "seconds": (timedelta(seconds=50), "1 second"),
    "fractions": (timedelta(milliseconds=400), "10 milliseconds"),
    "nothing": (timedelta(0), "1 second"),
}


@pytest.mark.cases(8)
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("type_", ["timestamp", "timestamptz"])
def test_timestamps_of_any_span_have_bins(bench: Any, span: str, type_: str) -> None:
    start = datetime(1969, 11, 5, 6, 7, 8, 9, tzinfo=UTC if type_ == "timestamptz" else None)
    length, unit = SPANS[span]
    rows = [(start + length * part / 4,) for part in range(5)]
    bench.fill("t", {"at": type_}, rows)

    (column,) = bench.run(histogram_diff(bench.pair("t", "t"))).columns

    assert (column.kind, column.unit) == ("timestamp", unit)
    check(column, [at for (at,) in rows], [at for (at,) in rows])


def test_ends_of_the_calendar_and_what_lies_beyond(bench: Any) -> None:
    columns = {"d": "date", "m": "timestamp", "i": "timestamptz"}
    far = ("infinity", "-infinity", "infinity")
    last = (date.max, datetime.max, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    bench.fill("ends", columns, [last, far, ("20000-01-01", "20000-01-01", "20000-01-01")])
    bench.fill("all", columns, [(date.min, datetime.min, datetime(1, 1, 1, tzinfo=UTC)), last])

    for column in bench.run(histogram_diff(bench.pair("ends", "ends"))).columns:
        assert (column.base_total, column.base_outside) == (1, 2)
        assert column.edges[0] < column.edges[-1]
    for column in bench.run(histogram_diff(bench.pair("all", "all"))).columns:
        assert (column.base[0], column.base[-1], column.unit) == (1, 1, "200 years")


def test_sessions_may_have_any_time_zone(bench: Any) -> None:
    rows = [(datetime(2026, 3, 1, hour, tzinfo=UTC),) for hour in (0, 23)]
    bench.fill("t", {"i": "timestamptz"}, rows)
    bench.adapter.execute("SET TimeZone = 'Asia/Tokyo'")

    (column,) = bench.run(histogram_diff(bench.pair("t", "t"))).columns

    check(column, [at for (at,) in rows], [at for (at,) in rows])


@pytest.mark.parametrize(
    ("types", "rows", "edges"),
    [
        (("integer", "bigint"), (7, 7), (7, 8)),
        (("integer", "integer"), (0, 1), (0, 1, 2)),
        (("integer", "decimal(10,2)"), (1, Decimal("1.25")), None),
        (("integer", "double"), (3, 0.5), None),
        (("decimal(5,2)", "double"), (Decimal("0.10"), 0.30000000000000004), None),
        (("date", "timestamp"), (date(2026, 1, 1), datetime(2026, 1, 1, 5, 30)), None),
    ],
)
def test_sides_of_two_types_share_their_bins(bench: Any, types: Any, rows: Any, edges: Any) -> None:
    for name, type_, value in zip(("old", "new"), types, rows, strict=True):
        bench.fill(name, {"x": type_}, [(value,)])

    (column,) = bench.run(histogram_diff(bench.pair("old", "new"))).columns

    assert column.reason is None
    assert (column.base_total, column.current_total) == (1, 1)
    assert edges is None or column.edges == edges


def test_nanoseconds_and_years_that_they_do_not_reach(bench: Any) -> None:
    if bench.dialect.name != "duckdb":
        pytest.skip("this warehouse counts microseconds")
    bench.fill("old", {"x": "timestamp_ns"}, [("2026-01-01 00:00:00.123456789",), ("infinity",)])
    bench.fill("new", {"x": "timestamp"}, [(datetime(1, 1, 1),)])

    (column,) = bench.run(histogram_diff(bench.pair("old", "new"))).columns

    assert (column.base_total, column.base_outside, column.current_total) == (1, 1, 1)
    assert (column.unit, column.base[-1], column.current[0]) == ("41 years", 1, 1)


def test_what_has_no_bins_says_why(bench: Any) -> None:
    old = {"t": "varchar", "changed": "integer", "empty": "integer", "order": "integer"}
    bench.fill("old", old, [("a", 1, None, 1)])
    bench.fill("new", {**old, "changed": "date"}, [("a", "2026-01-01", None, 2)])

    pair = bench.pair("old", "new")
    (text,) = bench.run(histogram_diff(pair, ["t"])).columns
    answer = bench.run(histogram_diff(pair))
    found = answer.columns

    assert answer.left_out == ("t", "changed") and not headline_of(answer).is_equal
    assert text.reason is not None and "is not a number" in text.reason
    assert [(one.name, one.reason is None) for one in found] == [("empty", False), ("order", True)]
    (changed,) = bench.run(histogram_diff(pair, ["changed"])).columns
    assert changed.reason is not None and "cannot share bins" in changed.reason


def test_one_side_alone_is_an_answer(bench: Any) -> None:
    bench.fill("old", {"x": "integer", "gone": "integer"}, [(1, 5), (2, 6)])
    bench.fill("new", {"x": "integer"}, [(3,)])

    x, gone = bench.run(histogram_diff(bench.pair("old", "new"), ["x", "gone"])).columns
    (alone,) = bench.run(histogram_diff(bench.pair(None, "new"))).columns

    assert (x.base_total, x.current_total) == (2, 1)
    assert (gone.base_total, gone.current, gone.current_total) == (2, None, None)
    assert (alone.base, alone.current, alone.edges) == (None, (1,), (3, 4))


@pytest.mark.parametrize("rows", [[], [(3,)]])
@pytest.mark.parametrize("columns", [["gone"], ["gone", "lost"], ["x", "gone"]])
def test_a_side_without_any_of_the_columns_is_not_asked(bench: Any, rows: Any, columns: list[str]) -> None:
    bench.fill("old", {"x": "integer", "gone": "integer", "lost": "date"}, [(1, 5, "2026-01-01")])
    bench.fill("new", {"x": "integer"}, rows)

    for pair in (bench.pair("old", "new"), bench.pair("old", "new", is_joined=False)):
        found = bench.run(histogram_diff(pair, columns)).columns
        asked = [query for query in bench.asked if not query.describes]
        assert [one.reason for one in found] == [None] * len(columns)
        assert (found[-1].base_total, found[-1].current) == (1, None)
        assert all(query.expression.expressions for query in asked)
        assert ("x" in columns) is any("new" in query.sql for query in asked)


def test_a_chunk_may_hold_columns_of_one_side_alone(bench: Any) -> None:
    names = {f"column {number}": "integer" for number in range(50)}
    bench.fill("old", {**names, "gone": "integer"}, [(*range(50), 7)])
    bench.fill("new", names)

    found = bench.run(histogram_diff(bench.pair("old", "new"))).columns

    assert len(found) == 51
    assert all(one.reason is None and one.base_total == 1 for one in found)
    assert [one.current is None for one in found] == [False] * 50 + [True]


@pytest.mark.beyond_emulators
@pytest.mark.parametrize("type_", ["date", "timestamp", "timestamptz"])
@pytest.mark.parametrize("is_joined", [True, False])
def test_dates_that_no_calendar_of_python_has_are_counted_apart(
    bench: Any, type_: str, is_joined: bool
) -> None:
    if bench.dialect.name not in ("duckdb", "postgres"):
        pytest.skip("this warehouse has no such dates")
    early = {"duckdb": "0044-03-15 (BC)", "postgres": "0044-03-15 BC"}[bench.dialect.name]
    bench.fill("old", {"at": type_}, [(early,), (None,)])
    bench.fill("new", {"at": type_}, [("12026-01-01",), ("infinity",)])
    bench.fill("mixed", {"at": type_}, [(early,), ("12026-01-01",), ("2026-01-01",)])

    (far,) = bench.run(histogram_diff(bench.pair("old", "new", is_joined=is_joined))).columns
    (mixed,) = bench.run(histogram_diff(bench.pair("old", "mixed", is_joined=is_joined))).columns

    assert (far.base_outside, far.current_outside, far.reason) == (1, 2, ALL_FAR)
    assert (mixed.base_outside, mixed.current_outside, mixed.current_total) == (1, 2, 1)
    assert mixed.reason is None
    assert rows_phrases(mixed) == (
        "0 rows, 1 outside the years 1 to 9999, 1 NULL",
        "1 row, 2 outside the years 1 to 9999",
    )


def test_a_condition_restricts_both_statements(bench: Any) -> None:
    bench.fill("t", {"x": "integer"}, [(number,) for number in range(100)])

    (column,) = bench.run(histogram_diff(bench.pair("t", "t"), where="x < 10 -- few")).columns

    assert (column.max, column.current_total) == (9, 10)


def test_a_number_of_bins_that_makes_no_sense_is_refused(bench: Any) -> None:
    bench.fill("t", {"x": "integer"})

    for bins in (0, 1001):
        with pytest.raises(UsageError, match="bins"):
            bench.run(histogram_diff(bench.pair("t", "t"), num_bins=bins))


def test_both_warehouses_say_the_same(benches: list[Any]) -> None:
    start = datetime(2026, 1, 1, 12)
    rows = [
        (
            number * number,
            number * 10**15,
            Decimal(number) / 8,
            Decimal(number) * 10**20,
            number / 3,
            number / 8,
            start.date() + timedelta(days=number * 40),
            start.date() + timedelta(days=number),
            start + timedelta(days=number * 300),
            start + timedelta(minutes=number),
            (start + timedelta(hours=number)).replace(tzinfo=UTC),
        )
        for number in range(-9, 10)
    ]
    answers = []
    for bench in benches:
        bench.fill("t", COLUMNS, rows)
        answers.append(bench.run(histogram_diff(bench.pair("t", "t"))).columns)

    assert answers[0] == answers[1]
