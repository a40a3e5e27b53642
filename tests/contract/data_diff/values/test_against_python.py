"""Diffs of small tables of all types, with NULLs, duplicates and keys, against plain Python over the rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recce_meta.api.data.execution import QueryExecutor
from recce_meta.data_diff import across
from recce_meta.data_diff.detail import value_diff_detail
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.source import Pair
from recce_meta.data_diff.value import value_diff
from recce_meta.models.data_diff import DataSide, RowsDiff, Subject, ValueDiff
from tests.proofs import sampled
from tests.spelling import spelling_of

DOUBLES = 'a "quoted" one'
COLUMNS = {
    "id": "INTEGER",
    "order": "VARCHAR",
    "k0": "BIGINT",
    DOUBLES: "DOUBLE PRECISION",
    "Größe": "NUMERIC(12,3)",
    "text": "VARCHAR",
    "day": "DATE",
    "at": "TIMESTAMP",
    "is_it": "BOOLEAN",
}
KEY = ("id", "order")
VALUES = tuple(name for name in COLUMNS if name not in KEY)


@pytest.fixture(
    params=[
        "one target",
        pytest.param("two targets", marks=pytest.mark.extensive),
        pytest.param("two targets, in parts", marks=pytest.mark.extensive),
    ]
)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


few = settings(
    max_examples=sampled(10, 4),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

texts = st.sampled_from(["", " ", "a", "A", "a ", "ä", "b|c", "~N", "it's", "\\", "%", "|"])
doubles = st.sampled_from([0.0, -0.0, 1.5, -2.25, math.nan, math.inf, -math.inf, 1e300, -1e300, 5e-324])
rows_of_table = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 4)),
        st.one_of(st.none(), st.sampled_from(["x", "X", "x|", "|x", ""])),
        st.one_of(st.none(), st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)])),
        st.one_of(st.none(), doubles),
        st.one_of(st.none(), st.sampled_from([Decimal("1.500"), Decimal("0.000"), Decimal("-99999.125")])),
        st.one_of(st.none(), texts),
        st.one_of(st.none(), st.sampled_from([date(2020, 2, 29), date(1, 1, 1), date(9999, 12, 31)])),
        st.one_of(st.none(), st.sampled_from([datetime(2020, 1, 1), datetime(2020, 1, 1, 0, 0, 0, 1)])),
        st.one_of(st.none(), st.booleans()),
    ),
    max_size=14,
)


def kept(site: Any, rows: Any) -> Any:
    """*rows* as the warehouse can keep them: some have neither NaN nor infinity."""
    spelling = spelling_of(site.adapter.warehouse.name)
    return [tuple(spelling.kept(value) for value in row) for row in rows]


def same(left: Any, right: Any) -> Any:
    """What equal values have in common: all NaN are one, and so are both zeros."""
    if left is None or right is None:
        return left is right
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left) and math.isnan(right):
        return True
    return left == right


def told(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value + 0.0
    return value


@dataclass
class Expected:
    """What the keyed diff has to say."""

    figures: dict[str, int]
    columns: dict[str, tuple[int, int, int]]
    differing: dict[tuple[Any, ...], str]


def expected(base: Sequence[Any], current: Sequence[Any], width: int) -> Expected:
    sides = {"base": base, "current": current}
    whole = {side: [row for row in rows if None not in row[:width]] for side, rows in sides.items()}
    counts = {side: Counter(row[:width] for row in rows) for side, rows in whole.items()}
    repeated = {key for count in counts.values() for key, n in count.items() if n > 1}
    once = {
        side: {row[:width]: row for row in rows if row[:width] not in repeated}
        for side, rows in whole.items()
    }
    before, after = once["base"], once["current"]
    figures = {
        "added": len(after.keys() - before),
        "removed": len(before.keys() - after),
        "common": len(before.keys() & after),
    }
    for side, rows in sides.items():
        figures[f"{side}.rows"] = len(rows)
        figures[f"{side}.null_keys"] = len(rows) - len(whole[side])
        figures[f"{side}.duplicate_keys"] = sum(n > 1 for n in counts[side].values())
        figures[f"{side}.duplicate_rows"] = sum(n for key, n in counts[side].items() if key in repeated)
    columns = {}
    common = sorted(before.keys() & after)
    for at in range(width, len(COLUMNS)):
        pairs = [(before[key][at], after[key][at]) for key in common]
        unequal = [(left, right) for left, right in pairs if not same(left, right)]
        columns[list(COLUMNS)[at]] = (
            len(unequal),
            sum(left is None for left, _ in unequal),
            sum(right is None for _, right in unequal),
        )
    changed = [key for key in common if not all(map(same, before[key][width:], after[key][width:]))]
    figures["changed"] = len(changed)
    differing = dict.fromkeys(after.keys() - before, "added") | dict.fromkeys(
        before.keys() - after, "removed"
    )
    return Expected(figures, columns, differing | dict.fromkeys(changed, "changed"))


def figures_of(diff: ValueDiff) -> dict[str, int]:
    figures = {name: getattr(diff, name) for name in ("added", "removed", "common", "changed")}
    for side in ("base", "current"):
        for name in ("rows", "null_keys", "duplicate_keys", "duplicate_rows"):
            figures[f"{side}.{name}"] = getattr(getattr(diff, side), name)
    return figures


@given(base=rows_of_table, current=rows_of_table, is_composite=st.booleans())
@few
def test_values_are_compared_as_python_compares_them(
    site: Any, tables: Callable[..., None], base: Any, current: Any, is_composite: bool
) -> None:
    base, current = kept(site, base), kept(site, current)
    tables(COLUMNS, base, current)
    width = 2 if is_composite else 1

    check_values(site.run, site.pair(), base, current, width)


def check_values(run: Any, pair: Pair, base: Any, current: Any, width: int) -> None:
    """The diff of *pair* by a key of *width* columns is that of its rows, for columns that are compared."""
    wanted, key = expected(base, current, width), KEY[:width]

    diff = run(value_diff(pair, ValueOptions(key=key)))

    assert figures_of(diff) == wanted.figures
    assert [column.name for column in diff.columns] == list(COLUMNS)
    by_name = {column.name: column for column in diff.columns}
    for name, (mismatched, null_to_value, value_to_null) in wanted.columns.items():
        column = by_name[name]
        if column.reason is not None:
            assert name == DOUBLES and not pair.is_joined  # MariaDB has no portable text of them
            continue
        assert (column.mismatched, column.null_to_value, column.value_to_null) == (
            mismatched,
            null_to_value,
            value_to_null,
        ), name
        assert column.matched == wanted.figures["common"] - mismatched
        assert len(column.examples) == min(mismatched, 2)
        for example in column.examples:
            assert not same(example.base, example.current)

    detail = run(value_diff_detail(pair, ValueOptions(key=key, limit=100)))
    assert {row.key: row.status for row in detail.rows} == wanted.differing
    assert [row.key for row in detail.rows] == sorted(row.key for row in detail.rows)
    shown = [list(COLUMNS).index(name) for name in detail.columns]
    by_key = {
        side: {row[:width]: [row[at] for at in shown] for row in rows}
        for side, rows in (("b", base), ("c", current))
    }
    for row in detail.rows:
        for values, side in ((row.base, "b"), (row.current, "c")):
            if values is not None:
                assert list(map(told, values)) == list(map(told, by_key[side][row.key]))


def multiset(rows: Any) -> Counter[Any]:
    return Counter(tuple(map(told, row)) for row in rows)


def check_rows(diff: RowsDiff, base: Any, current: Any) -> None:
    before, after = multiset(base), multiset(current)
    assert (diff.base_rows, diff.current_rows) == (len(base), len(current))
    assert (diff.added, diff.removed) == (sum((after - before).values()), sum((before - after).values()))
    assert diff.common == sum((before & after).values())
    shown = {}
    for row in diff.rows:
        own = tuple(map(told, row.base if row.base is not None else row.current))
        assert row.base is None or row.current is None or tuple(map(told, row.current)) == own
        shown[own] = (row.base_count, row.current_count)
    unequal = {row: (before[row], after[row]) for row in before | after if before[row] != after[row]}
    assert shown == unequal


@given(base=rows_of_table, current=rows_of_table)
@few
def test_rows_without_a_key_are_counted_as_python_counts_them(
    site: Any, tables: Callable[..., None], base: Any, current: Any
) -> None:
    base, current = kept(site, base), kept(site, current + base[:5])
    tables(COLUMNS, base, current)

    check_rows(site.run(rows_diff(site.pair(), ValueOptions())), base, current)


def two_sites(sites: tuple[Any, Any], base: Any, current: Any) -> tuple[Any, Pair]:
    """What runs a plan on two warehouses, and the tables that they hold."""
    first, second = sites
    first.create("base", COLUMNS, base)
    second.create("current", COLUMNS, current)
    pair = Pair(
        subject=Subject(name="orders"),
        base=first.source("base", DataSide.BASE),
        current=second.source("current", DataSide.CURRENT),
        is_joined=False,
    )
    return QueryExecutor(second.pool, first.pool).run, pair


@pytest.mark.parametrize(
    "sites",
    [
        "duckdb-postgres",
        *(
            pytest.param(sites, marks=pytest.mark.extensive)
            for sites in ("postgres-mysql", "mysql-sqlite", "sqlite-duckdb")
        ),
    ],
    indirect=True,
)
@given(base=rows_of_table, current=rows_of_table, is_composite=st.booleans(), is_in_parts=st.booleans())
@few
def test_values_of_two_kinds_of_warehouses_are_compared_as_python_compares_them(
    sites: tuple[Any, Any], base: Any, current: Any, is_composite: bool, is_in_parts: bool
) -> None:
    for site in sites:
        base, current = kept(site, base), kept(site, current)
    if any(site.dialect.name == "mysql" for site in sites):
        at = list(COLUMNS).index(DOUBLES)
        base, current = ([(*row[:at], None, *row[at + 1 :]) for row in rows] for rows in (base, current))
    run, apart = two_sites(sites, base, current)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(across, "FEW_ROWS", 0 if is_in_parts else 1000)
        check_values(run, apart, base, current, 1 + is_composite)


@pytest.mark.extensive
@given(base=rows_of_table, current=rows_of_table)
@few
def test_rows_of_two_kinds_of_warehouses_are_counted_as_python_counts_them(
    sites: tuple[Any, Any], base: Any, current: Any
) -> None:
    run, apart = two_sites(sites, base, current := current + base[:5])

    diff = run(rows_diff(apart, ValueOptions()))

    assert diff.incomparable == ()
    check_rows(diff, base, current)


@pytest.mark.extensive
@given(base=rows_of_table, current=rows_of_table)
@few
def test_both_warehouses_give_the_same_answer(sites: tuple[Any, Any], base: Any, current: Any) -> None:
    answers = []
    for site in sites:
        site.create("base", COLUMNS, base)
        site.create("current", COLUMNS, current)
        diff = site.run(value_diff(site.pair(), ValueOptions(key=KEY, tolerance=0.5)))
        answers.append(
            (
                figures_of(diff),
                [
                    (
                        column.name,
                        column.mismatched,
                        column.mean_difference,
                        column.largest_difference,
                        [(each.key, told(each.base), told(each.current)) for each in column.examples],
                    )
                    for column in diff.columns
                ],
            )
        )
    assert answers[0] == answers[1]


@pytest.mark.extensive
@given(rows=rows_of_table, data=st.data())
@few
def test_a_table_equals_itself_in_any_order(
    site: Any, tables: Callable[..., None], rows: Any, data: st.DataObject
) -> None:
    rows = kept(site, rows)
    shuffled = data.draw(st.permutations(rows))
    tables(COLUMNS, rows, shuffled)

    diff = site.run(value_diff(site.pair(), ValueOptions(key=KEY)))
    whole = site.run(rows_diff(site.pair(), ValueOptions()))

    # Rows without a key of their own are left out; between targets, doubles have 15 digits.
    assert diff.is_equal is (None if diff.left_out or not site.is_joined else True)
    assert diff.changed == diff.added == diff.removed == 0
    assert whole.is_equal is (True if site.is_joined else None)
    assert whole.common == len(rows)


@pytest.mark.extensive
@given(base=rows_of_table, current=rows_of_table)
@few
def test_swapping_the_sides_swaps_the_answer(
    site: Any, tables: Callable[..., None], base: Any, current: Any
) -> None:
    base, current = kept(site, base), kept(site, current)
    tables(COLUMNS, base, current)
    there = site.run(value_diff(site.pair(), ValueOptions(key=KEY)))
    back = site.run(value_diff(site.pair("current", "base"), ValueOptions(key=KEY)))

    assert (there.added, there.removed, there.common, there.changed) == (
        back.removed,
        back.added,
        back.common,
        back.changed,
    )
    for one, other in zip(there.columns, back.columns, strict=True):
        assert (one.mismatched, one.null_to_value, one.value_to_null) == (
            other.mismatched,
            other.value_to_null,
            other.null_to_value,
        )
        assert one.largest_difference == other.largest_difference
        assert (one.mean_difference is None) == (other.mean_difference is None)
        if one.mean_difference is not None:
            assert one.mean_difference == pytest.approx(-other.mean_difference)


unique_rows = rows_of_table.map(
    lambda rows: list({row[:2]: row for row in rows if None not in row[:2]}.values())
)


@pytest.mark.extensive
@given(base=unique_rows, current=unique_rows)
@few
def test_with_a_clean_key_both_ways_of_comparing_agree(
    site: Any, tables: Callable[..., None], base: Any, current: Any
) -> None:
    base, current = kept(site, base), kept(site, current)
    tables(COLUMNS, base, current)
    keyed = site.run(value_diff(site.pair(), ValueOptions(key=KEY)))
    whole = site.run(rows_diff(site.pair(), ValueOptions()))

    assert whole.added == keyed.added + keyed.changed
    assert whole.removed == keyed.removed + keyed.changed
    assert whole.common == keyed.common - keyed.changed
