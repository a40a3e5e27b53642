"""Edges of histograms: recce's where recce is right, and every span beyond."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.data_diff.bins import moment_bins, nice_width, number_bins
from recce_meta.warehouses.types import ColumnType, Kind

INTEGER, DECIMAL, FLOAT = [Kind.INTEGER], [Kind.DECIMAL], [Kind.FLOAT]


@pytest.mark.parametrize(
    ("smallest", "largest", "kinds", "first", "last", "count"),
    [
        (1, 150, INTEGER, [0, 5], 150, 30),
        (-20, 19, INTEGER, [-20, -19], 20, 40),
        (1, 126, INTEGER, [0, 2.5], 127.5, 51),
        (7, 7, INTEGER, [7, 8], 8, 1),
        (1, 1, INTEGER, [0, 1], 2, 2),
        (0, 1, INTEGER, [0, 1], 2, 2),
        (-3, -3, INTEGER, [-3, -2], -2, 1),
        (0.5, 0.5, FLOAT, [0.0, 1.0], 1.0, 1),
        (Decimal("0.005"), Decimal("1.050"), DECIMAL, [0, Decimal("0.025")], Decimal("1.05"), 42),
        (2**63 - 3, 2**63 - 1, INTEGER, [2**63 - 3, 2**63 - 2], 2**63, 3),
    ],
)
def test_widths_are_nice_and_begin_at_a_multiple(
    smallest: Any, largest: Any, kinds: list[Kind], first: list[Any], last: Any, count: int
) -> None:
    bins = number_bins(smallest, largest, 50, kinds)

    assert (list(bins.edges[:2]), bins.edges[-1], len(bins)) == (first, last, count)


@given(st.fractions(min_value=0, max_value=10**30).filter(bool))
def test_a_nice_width_is_the_next_in_its_series(least: Fraction) -> None:
    width = nice_width(least)

    digits = str(width.numerator * 10**40 // width.denominator).strip("0")
    assert least <= width < least * Fraction(5, 2) + Fraction(1, 10**40)
    assert digits in ("1", "2", "25", "5")


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(1, 99),
)
def test_edges_of_floats_hold_both_ends_and_rise(one: float, other: float, wanted: int) -> None:
    smallest, largest = min(one, other), max(one, other)

    bins = number_bins(smallest, largest, wanted, FLOAT)

    assert bins.edges[0] <= smallest and largest <= bins.edges[-1]
    assert all(before < after for before, after in pairwise(bins.edges))
    assert max(map(abs, bins.edges)) <= sys.float_info.max
    assert len(bins) <= wanted + 2


@given(st.datetimes(), st.datetimes(), st.integers(1, 99), st.booleans())
def test_edges_of_moments_hold_both_ends_and_rise(
    one: datetime, other: datetime, wanted: int, is_date: bool
) -> None:
    first, last = min(one, other), max(one, other)

    if is_date:
        day_bins = moment_bins(first.date(), last.date(), wanted, [Kind.DATE])
        assert day_bins.edges[0] <= first.date() and last.date() <= day_bins.edges[-1]
    bins = moment_bins(first, last, wanted, [Kind.TIMESTAMP])

    assert bins.edges[0] <= first and last <= bins.edges[-1]
    assert all(before < after for before, after in pairwise(bins.edges))
    assert len(bins) <= max(wanted + 1, 62)


@pytest.mark.parametrize(
    ("days", "unit"), [(0, "1 day"), (60, "1 day"), (61, "1 month"), (1460, "1 month"), (1461, "1 year")]
)
def test_dates_go_by_days_months_and_years_as_in_recce(days: int, unit: str) -> None:
    first = date(2020, 3, 15)

    bins = moment_bins(first, first + timedelta(days=days), 50, [Kind.DATE])

    assert (bins.kind, bins.unit) == ("date", unit)


def test_the_last_day_of_all_closes_the_bin_before_it() -> None:
    bins = moment_bins(date.max, date.max, 50, [Kind.DATE])

    assert bins.edges == (date(9999, 12, 30), date.max)


def test_boundaries_are_of_the_columns_own_type() -> None:
    numbers = number_bins(0, 5, 2, [Kind.INTEGER, Kind.DECIMAL])
    moments = moment_bins(datetime(2026, 1, 1), datetime(2026, 1, 2), 4, [Kind.TIMESTAMP, Kind.DATE])

    assert numbers.edges == (0, 2.5, 5)
    assert numbers.boundary(1, ColumnType("", Kind.INTEGER)) == "3"
    assert numbers.boundary(1, ColumnType("", Kind.DECIMAL, scale=0)) == "3"
    assert numbers.boundary(1, ColumnType("", Kind.DECIMAL, scale=2)) == "2.5"
    assert numbers.boundary(1, ColumnType("", Kind.FLOAT)) == "2.5"
    assert moments.boundary(1, ColumnType("", Kind.DATE)) == "2026-01-02"
    assert moments.boundary(1, ColumnType("", Kind.TIMESTAMP)) == "2026-01-01 06:00:00.000000"
