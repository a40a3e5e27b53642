"""Tolerances, mean and largest differences of numbers up to the ends of their types, against exact Python."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.value import value_diff
from recce_meta.models.data_diff import ColumnValues

few = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a failure takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

EVERYWHERE = {"smallint": 16, "integer": 32, "bigint": 64}
OF_DUCKDB = {"hugeint": 128, "uhugeint": -128, "ubigint": -64, "utinyint": -8, "bignum": 1200}
DECIMALS = (
    *("decimal(9,2)", "decimal(18,0)", "decimal(27,9)", "decimal(28,28)", "decimal(38,0)"),
    *("decimal(38,10)", "decimal(38,37)", "decimal(38,38)"),
)
OF_POSTGRES = ("numeric", "decimal(100,40)")
ODD = tuple(Decimal(text) for text in ("NaN", "Infinity", "-Infinity"))


WITHOUT_LIMIT = {"duckdb": tuple(OF_DUCKDB), "postgres": OF_POSTGRES}
"""Warehouses where all values of all types are measured exactly, and the types that only they have."""
SHORT = 27
"""Digits of values that are measured exactly everywhere."""


def kinds_of(backend: str) -> list[str]:
    """The types of numbers that a warehouse measures exactly, floats aside."""
    if backend in WITHOUT_LIMIT:
        return [*EVERYWHERE, *DECIMALS, *WITHOUT_LIMIT[backend]]
    return [*EVERYWHERE, *(kind for kind in DECIMALS if len(str(ends(kind)[1])) <= SHORT)]


def ends(kind: str) -> tuple[int, int, int]:
    """The smallest and the largest value of *kind*, as whole numbers of its last digit, and its scale."""
    bits = {**EVERYWHERE, **OF_DUCKDB}.get(kind)
    if bits is not None:
        return (0, 2**-bits - 1, 0) if bits < 0 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0)
    if kind == "numeric":
        return -(10**420), 10**420, 20
    precision, scale = (int(text) for text in kind.partition("(")[2].rstrip(")").split(","))
    return 1 - 10**precision, 10**precision - 1, scale


def values_of(kind: str) -> st.SearchStrategy[Any]:
    """Values of *kind*: anywhere, near its ends, and near 0."""
    low, high, scale = ends(kind)
    near = st.one_of(
        st.integers(low, high),
        st.integers(max(low, -20), min(high, 20)),
        st.integers(low, min(low + 20, high)),
        st.integers(max(high - 20, low), high),
        st.integers(0, len(str(high)) - 1).map(lambda zeros: min(10**zeros, high)),
    )
    numbers = near if not scale else near.map(lambda whole: decimal_of(whole, scale))
    return st.one_of(numbers, st.sampled_from(ODD)) if kind == "numeric" else numbers


def decimal_of(whole: int, scale: int) -> Decimal:
    """A decimal of that last digit, exactly."""
    sign = int(whole < 0)
    return Decimal((sign, tuple(map(int, str(abs(whole)))), -scale))


@st.composite
def pairs_of(draw: st.DrawFn, kind: str) -> tuple[Any, Any]:
    """Base's value and current's: some equal, some close, some far, some missing."""
    base = draw(st.none() | values_of(kind))
    low, high, scale = ends(kind)
    if base is None or base in ODD or not draw(st.booleans()):
        return base, draw(st.none() | values_of(kind))
    whole = int(Fraction(base) * 10**scale)
    moved = min(max(whole + draw(st.integers(-120, 120)), low), high)
    return base, decimal_of(moved, scale) if scale else moved


tolerances = st.sampled_from(
    [
        *(Decimal(text) for text in ("0", "0.001", "0.1", "1", "1.5", "100", "1E-30")),
        Decimal("0.019999999999999999"),
        *(Decimal(10**18), Decimal(10**37), Decimal(2 * 10**38), Decimal("1E+300")),
    ]
)
shares = st.sampled_from(
    [
        *(Decimal(text) for text in ("0", "0.01", "0.5", "1", "1.999999999999999999", "2", "1E-18", "1E-9")),
        *(Decimal(text) for text in ("0.123456789012345678", "0.333333333333333333")),
    ]
)


def is_number(value: Any) -> bool:
    return value is not None and value not in ODD and value == value


def is_close(base: Any, current: Any, absolute: Decimal, relative: Decimal) -> bool:
    if base is None or current is None:
        return base is current
    if not (is_number(base) and is_number(current)):
        return base == current or (base != base and current != current)
    b, c = Fraction(base), Fraction(current)
    return abs(c - b) <= max(Fraction(relative) * max(abs(b), abs(c)), Fraction(absolute))


def check(column: ColumnValues, pairs: Sequence[Any], absolute: Decimal, relative: Decimal) -> None:
    far = [pair for pair in pairs if not is_close(*pair, absolute, relative)]
    assert column.mismatched == len(far)
    found = [Fraction(c) - Fraction(b) for b, c in far if is_number(b) and is_number(c)]
    assert not column.is_difference_rounded
    if not found:
        assert column.mean_difference is None and column.largest_difference is None
        return
    assert Fraction(column.largest_difference) == max(map(abs, found))
    assert isinstance(column.mean_difference, Decimal)
    mean = sum(found, Fraction()) / len(found)
    assert abs(Fraction(column.mean_difference) - mean) <= abs(mean) / 10**37
    if (mean.denominator & (mean.denominator - 1)) == 0:  # a power of 2, so that it has an end
        assert Fraction(column.mean_difference) == mean


@pytest.fixture
def kinds(site: Any) -> Iterator[list[str]]:
    """The types of this site's numbers, of which each table has a column."""
    found = kinds_of(site.adapter.warehouse.name)
    if site.adapter.warehouse.name == "duckdb" and not has_bignum(site):
        found.remove("bignum")
    yield found


def has_bignum(site: Any) -> bool:
    (found,) = site.adapter.execute("SELECT COUNT(*) FROM duckdb_types() WHERE lower(type_name) = 'bignum'")[
        1
    ]
    return bool(found[0])


@pytest.mark.extensive
@given(data=st.data(), absolute=tolerances, relative=shares)
@few
@pytest.mark.core("postgres")
def test_distances_are_those_of_exact_arithmetic(
    site: Any, tables: Any, kinds: list[str], data: st.DataObject, absolute: Decimal, relative: Decimal
) -> None:
    if site.adapter.warehouse.name not in WITHOUT_LIMIT:
        relative = round(relative, 2)
    number = data.draw(st.integers(1, 5))
    columns = {kind: [data.draw(pairs_of(kind)) for _ in range(number)] for kind in kinds}
    spelt = {"id": "INTEGER"} | {f"c{i}": kind.upper() for i, kind in enumerate(kinds)}
    sides = [
        [(row, *(columns[kind][row][side] for kind in kinds)) for row in range(number)] for side in (0, 1)
    ]
    tables(spelt, *sides)

    diff = site.run(
        value_diff(site.pair(), ValueOptions(key=("id",), tolerance=absolute, relative_tolerance=relative))
    )

    by_name = {column.name: column for column in diff.columns}
    for i, kind in enumerate(kinds):
        check(by_name[f"c{i}"], columns[kind], absolute, relative)


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("base", "current"),
    [
        *(("bigint", "uhugeint"), ("uhugeint", "bigint"), ("bigint", "ubigint"), ("ubigint", "utinyint")),
        *(("hugeint", "ubigint"), ("uhugeint", "bignum"), ("bignum", "hugeint"), ("integer", "uhugeint")),
    ],
)
@pytest.mark.parametrize(
    ("absolute", "relative"), [("0", "0"), ("1", "0"), ("1e30", "0"), ("0", "0.5"), ("3", "1e-9")]
)
def test_whole_numbers_of_two_types_are_measured_without_overflow(
    site: Any, base: str, current: str, absolute: str, relative: str
) -> None:
    if site.adapter.warehouse.name != "duckdb":
        pytest.skip("has no types of so many bits")
    values = [
        sorted({ends(kind)[0], ends(kind)[0] + 1, 0, 1, ends(kind)[1] - 1, ends(kind)[1]})
        for kind in (base, current)
    ]
    pairs = list(itertools.product(*values))
    for name, kind, place in (("base", base, 0), ("current", current, 1)):
        relation = site.relation(name)
        rows = ", ".join(f"({number}, '{pair[place]}'::{kind})" for number, pair in enumerate(pairs))
        site.adapter.execute(f"CREATE TABLE {relation} (id INTEGER, n {kind})")
        site.adapter.execute(f"INSERT INTO {relation} VALUES {rows}")

    options = ValueOptions(key=("id",), tolerance=Decimal(absolute), relative_tolerance=Decimal(relative))
    column = site.run(value_diff(site.pair(), options)).columns[1]

    far = [
        abs(before - after)
        for before, after in pairs
        if abs(before - after) > max(Fraction(absolute), Fraction(relative) * max(abs(before), abs(after)))
    ]
    assert column.mismatched == len(far)
    if "uhugeint" in (base, current) and "bignum" not in (base, current):  # no type but a double holds both
        assert (column.compared_as, column.is_difference_rounded) == ("double, rounded", True)
        assert column.largest_difference == pytest.approx(max(far), rel=1e-9)
    else:
        assert (column.compared_as, column.is_difference_rounded) == (None, False)
        assert column.largest_difference == max(far, default=None)
