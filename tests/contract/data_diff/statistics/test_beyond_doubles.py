"""Numbers that no double holds: `numeric` of PostgreSQL, BIGNUM of DuckDB."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from statistics import mean, median
from typing import Any

import pytest

from recce_meta.checks.expectations import violations
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.data_diff.value import value_diff
from recce_meta.models.checks import NONE, ExpectProfile
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.numbers import round_number
from recce_meta.report.data.text import data_text
from recce_meta.report.json import data_tree

KINDS = {"duckdb": "BIGNUM", "postgres": "NUMERIC"}


@pytest.fixture(params=[400, 5000])
def filled(request: pytest.FixtureRequest, bench: Any) -> int:
    """The power of ten near which both sides have one number, that of current being larger by one."""
    power: int = request.param
    kind = KINDS[bench.adapter.warehouse.name]
    for name, more in (("b", 0), ("c", 1)):
        number = f"1{more:0{power}}"
        bench.adapter.execute(f"CREATE TABLE {bench.quoted(name)} (id INTEGER, n {kind})")
        bench.adapter.execute(f"INSERT INTO {bench.quoted(name)} VALUES (1, '{number}'), (2, '-7'), (3, '2')")
    return power


def shown(result: AnyDataDiff) -> str:
    """All that reports say of *result*."""
    return data_text([result], width=100, color=False) + json.dumps(data_tree(result))


def test_values_beyond_doubles_are_compared_and_shown_exactly(bench: Any, filled: int) -> None:
    diff = bench.run(value_diff(bench.pair("b", "c"), ValueOptions(key=("id",))))
    assert diff.columns[1].largest_difference == 1
    assert (diff.columns[1].examples[0].base, diff.columns[1].examples[0].current) == (
        10**filled,
        10**filled + 1,
    )
    assert "Infinity" not in shown(diff)


@pytest.mark.parametrize("is_joined", [True, False])
def test_top_values_beyond_doubles_are_counted_exactly(bench: Any, filled: int, is_joined: bool) -> None:
    diff = bench.run(top_k_diff(bench.pair("b", "c", is_joined=is_joined), columns=("n",)))
    listed = {one.value: (one.base, one.current) for one in diff.columns[0].values}
    assert listed == {-7: (1, 1), 2: (1, 1), 10**filled: (1, 0), 10**filled + 1: (0, 1)}
    assert "Infinity" not in shown(diff)


@pytest.mark.parametrize("is_joined", [True, False])
def test_top_values_that_both_sides_have_are_found_apart(bench: Any, filled: int, is_joined: bool) -> None:
    diff = bench.run(top_k_diff(bench.pair("c", "c", is_joined=is_joined), columns=("n",), k=1))
    assert [(one.base, one.current) for one in diff.columns[0].values] == [(1, 1)]


def test_a_profile_of_numbers_beyond_doubles_has_exact_ends(bench: Any, filled: int) -> None:
    diff = bench.run(profile_diff(bench.pair("b", "c"), columns=("n",)))
    base, current = diff.columns[0].base, diff.columns[0].current
    assert (base.min, base.max, current.max) == (-7, 10**filled, 10**filled + 1)
    assert base.median == (2.0 if bench.adapter.warehouse.name == "duckdb" else None)
    assert abs(base.avg / (Decimal(10**filled) / 3) - 1) < Decimal("1e-15")
    assert "Infinity" not in shown(diff)
    assert violations(ExpectProfile(max_change={"max": NONE}), [diff])


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2],
        [-3, 2],
        [0, 0, 1],
        [2**70, 2**70 + 2],
        [10**400, 10**400 + 2],
        [-(10**400), 10**400],
        [-5, 4, 9, 10],
        [7],
        [],
    ],
)
def test_the_median_of_whole_numbers_of_any_size_is_the_mean_of_the_middle_two(
    bench: Any, numbers: list[int]
) -> None:
    if bench.adapter.warehouse.name != "duckdb":
        pytest.skip("numbers beyond doubles have no median")
    bench.adapter.execute(f"CREATE TABLE {bench.quoted('t')} (n BIGNUM)")
    for number in [None, *reversed(numbers)]:
        text = "NULL" if number is None else f"'{number}'"
        bench.adapter.execute(f"INSERT INTO {bench.quoted('t')} VALUES ({text})")
    found = bench.run(profile_diff(bench.pair(None, "t"))).columns[0].current
    exact = [Fraction(number) for number in numbers]
    expected = (round_number(median(exact)), round_number(mean(exact))) if numbers else (None, None)
    assert (found.median, found.avg) == expected


def test_a_median_is_missing_if_numeric_goes_beyond_doubles(bench: Any) -> None:
    if bench.adapter.warehouse.name != "postgres":
        pytest.skip("other warehouses have no such decimals")
    bench.adapter.execute(f"CREATE TABLE {bench.quoted('t')} (n NUMERIC, tiny NUMERIC, plain NUMERIC)")
    rows = "(1e309, 1e-400, 'NaN'), (1, 1, 'Infinity'), (2, 2, 3)"
    bench.adapter.execute(f"INSERT INTO {bench.quoted('t')} VALUES {rows}")
    found = [column.current for column in bench.run(profile_diff(bench.pair(None, "t"))).columns]
    assert [side.median for side in found] == [None, 1.0, math.inf]
    assert found[0].max == Decimal("1e309")


def test_histograms_have_bins_for_numbers_beyond_doubles(bench: Any, filled: int) -> None:
    diff = bench.run(histogram_diff(bench.pair("b", "c"), columns=("n",)))
    column = diff.columns[0]
    assert column.reason is None
    assert (sum(column.base), sum(column.current), column.base_outside) == (3, 3, 0)
    assert column.base[-1] + column.base[-2] == 1
    assert "Infinity" not in shown(diff)
