"""Conditions on figures: how they are read, and of which values they hold, at the bound and beside it."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.errors import UsageError
from recce_meta.models.quality import read_condition, read_fail_on
from recce_meta.quality.figures import change_holds, holds


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("<= 1%", Fraction(1, 100), True),
        ("< 1%", Fraction(1, 100), False),
        (">= 0.95", 0.95, True),
        (">= 95%", Decimal("0.9499999"), False),
        ("= 0", 0, True),
        ("== 0", 1, False),
        ("<> 0", 1, True),
        ("between 1 and 5", 5, True),
        ("between 1 and 5", 5.0001, False),
        ("BETWEEN 10% AND 20%", Fraction(1, 10), True),
        ("between -5 and -1", -1, True),
        ("> 2026-01-01", date(2026, 1, 2), True),
        ("> 2026-01-01", "2026-01-01", False),
        (">= 2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=timezone.utc), True),
        ("= 'it''s'", "it's", True),
        ("= true", 1, True),
        ("= null", None, True),
        ("!= null", 0, True),
        ("> 5", float("inf"), True),
        ("> 1e3", 1001, True),
        ("> 10", "11.5", True),
        ("> 5", None, None),
        ("> 5", float("nan"), None),
        ("> 5", "many", None),
        ("> 2026-01-01", 7, None),
    ],
)
def test_a_condition_holds_of_exact_values_alone(text: str, value: Any, expected: bool | None) -> None:
    assert holds(read_condition(text), value) is expected


@pytest.mark.parametrize(
    ("condition", "figure", "base", "current", "expected"),
    [
        ("> +5%", "null_share", Fraction(0), Fraction(5, 100), False),
        ("> +5%", "null_share", Fraction(0), Fraction(5001, 100_000), True),
        ("< -10%", "row_count", 100, 90, False),
        ("< -10%", "row_count", 100, 89, True),
        ("> +100", "row_count", 100, 201, True),
        ("> +5%", "row_count", 0, 1, True),
        ("> +5%", "row_count", 0, 0, False),
        ("> +5%", "mean", -100.0, -94.0, True),
        ("< -0", "max", date(2026, 1, 2), date(2026, 1, 1), True),
        ("< -1", "max", date(2026, 1, 2), date(2026, 1, 1), None),
        ("> +1%", "mean", None, 1, None),
    ],
)
def test_a_change_of_shares_is_in_points_and_of_others_relative(
    condition: str, figure: str, base: Any, current: Any, expected: bool | None
) -> None:
    assert change_holds(read_condition(condition, has_sign=True), figure, base, current) is expected


def test_fail_on_reads_several_with_subjects() -> None:
    read = read_fail_on(["film.rating: null_share > 10%, known = 'a, b'", "regression"], ["known"])
    assert [(one.subject, one.figure) for one in read] == [
        ("film.rating", "null_share"),
        (None, "known"),
        (None, "regression"),
    ]
    assert read[1].condition is not None and read[1].condition.bound == "a, b"
    assert read[2].condition is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nul_share > 1", "Unknown figure 'nul_share'"),
        ("null_share", "no comparison"),
        ("null_share > many", "Invalid value 'many': not a number"),
        ("null_share >", "has no value to compare with"),
        ("mean between 1", "needs two bounds"),
        ("mean between +1 and 5", "mixes a bound with a sign and a bound without"),
        ("min > null", "compares with null"),
        ("regression > 1", "regression takes no comparison"),
        (": > 1", "expected FIGURE OPERATOR VALUE"),
        ("", "has no condition"),
        (" , ", "has no condition"),
        ("mean between 5 and 1", "is never true: the first bound is above the second"),
        ("null_share > +500e999%", "is too large"),
        ("max < -1e309", "is too large"),
        ("null_share > 5", "null_share cannot exceed 100%"),
        ("film: distinct_share < -101%", "distinct_share cannot exceed 100%"),
        ("null_share between 0 and 2", "null_share cannot exceed 100%"),
        ("max between 2026-02-01 and 2026-01-31", "is never true: the first bound is above the second"),
    ],
)
def test_what_is_no_condition_says_why(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_fail_on([text])


@pytest.mark.parametrize("text", ["null_share >= 100%", "null_share > +100%", "max < 1e308", "mean > 500%"])
def test_bounds_that_a_figure_can_reach_are_read(text: str) -> None:
    (condition,) = read_fail_on([text])
    assert condition.condition is not None


@given(st.fractions(), st.fractions())
def test_comparing_numbers_is_exact(value: Fraction, bound: Fraction) -> None:
    whole = value * bound.denominator
    condition = read_condition(f"<= {bound.numerator}")
    assert holds(condition, whole) is (whole <= bound.numerator)
