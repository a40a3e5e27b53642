"""Options that narrow a comparison (rows, keys, case, units of time), against plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from recce_meta.data_diff.detail import value_diff_detail
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.value import value_diff
from recce_meta.models.data_diff import PRECISIONS, ValueDiff
from tests.proofs import sampled

Rows = Sequence[Sequence[Any]]


@pytest.fixture(
    params=[
        "one target",
        pytest.param("two targets", marks=pytest.mark.extensive),
        pytest.param("two targets, in parts", marks=pytest.mark.core("duckdb")),
    ]
)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


few = settings(
    max_examples=sampled(7, 3),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def by_key(rows: Rows) -> dict[Any, Sequence[Any]]:
    return {row[0]: row for row in rows}


def check(
    diff: ValueDiff, base: Rows, current: Rows, seen: Callable[[Any], Any] = lambda value: value
) -> None:
    """*diff* is that of *base* and *current*, whose keys are unique, by what of a value is *seen*."""
    before, after = by_key(base), by_key(current)
    common = sorted(before.keys() & after)
    assert (diff.common, diff.added, diff.removed) == (
        len(common),
        len(after.keys() - before),
        len(before.keys() - after),
    )
    unequal = {
        key: [seen(b) != seen(c) for b, c in zip(before[key][1:], after[key][1:], strict=True)]
        for key in common
    }
    assert diff.changed == sum(map(any, unequal.values()))
    for at, column in enumerate(diff.columns[1:]):
        assert column.mismatched == sum(flags[at] for flags in unequal.values()), column.name


unique = {"unique_by": lambda row: row[0], "max_size": 10}
small_rows = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.none() | st.integers(-2, 2),
        st.none() | st.sampled_from(["", "a", "A", "b", "it's", "ä", "--"]),
    ),
    **unique,  # type: ignore[arg-type]
)

CONDITIONS: Mapping[str, Callable[[Sequence[Any]], bool]] = {
    "n > 0": lambda row: row[1] is not None and row[1] > 0,
    "n > 0 or t = 'a' -- or is it": lambda row: (row[1] is not None and row[1] > 0) or row[2] == "a",
    "not (n = 1)": lambda row: row[1] is not None and row[1] != 1,
    "t is null or n in (1, -2)": lambda row: row[2] is None or row[1] in (1, -2),
    "t = 'ä' /* a text */": lambda row: row[2] == "ä",
    "id = (select 3)": lambda row: row[0] == 3,
    "1 = 0": lambda row: False,
}


@given(base=small_rows, current=small_rows, where=st.sampled_from(list(CONDITIONS)))
@few
def test_a_condition_leaves_the_rows_of_both_sides_that_meet_it(
    site: Any, tables: Any, base: Rows, current: Rows, where: str
) -> None:
    tables({"id": "INTEGER", "n": "INTEGER", "t": "VARCHAR"}, base, current)
    kept = [[row for row in rows if CONDITIONS[where](row)] for rows in (base, current)]

    diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), where=where)))
    detail = site.run(value_diff_detail(site.pair(), ValueOptions(key=("id",), where=where)))
    whole = site.run(rows_diff(site.pair(), ValueOptions(where=where)))

    check(diff, *kept)
    assert (diff.base.rows, diff.current.rows) == tuple(map(len, kept))
    before, after = map(by_key, kept)
    differing = {key for key in before.keys() | after if before.get(key) != after.get(key)}
    assert {row.key[0] for row in detail.rows} == differing
    assert whole.common == len(set(map(tuple, kept[0])) & set(map(tuple, kept[1])))
    assert (whole.base_rows, whole.current_rows) == tuple(map(len, kept))


@pytest.mark.core("duckdb")
def test_a_sample_is_one_set_of_keys_on_both_sides_and_in_larger_samples(site: Any, tables: Any) -> None:
    base = [(i, i % 7, f"t{i % 5}") for i in range(0, 1_500)]
    current = [(i, (i + (i % 11 == 0)) % 7, f"t{i % 5}") for i in range(300, 1_800)]
    columns = {"id": "INTEGER", "n": "INTEGER", "t": "VARCHAR"}
    tables(columns, base, current)
    site.create("nothing", columns, [])

    def chosen(side: str, percent: float) -> set[Any]:
        options = ValueOptions(key=("id",), sample=percent, limit=2_000)
        return {row.key[0] for row in site.run(value_diff_detail(site.pair("nothing", side), options)).rows}

    smaller: set[Any] = set()
    for percent in (0.5, 10, 60, 100):
        before, after = chosen("base", percent), chosen("current", percent)
        shared = range(300, 1_500)
        assert {key for key in before if key in shared} == {key for key in after if key in shared}
        assert smaller <= before
        assert abs(len(before) / 1_500 - percent / 100) < 0.05
        smaller = before
        diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), sample=percent)))
        check(diff, [row for row in base if row[0] in before], [row for row in current if row[0] in after])


def folded(text: Any) -> Any:
    """Each character as its own lower case, as LOWER makes it: `ß` is not `ss`, nor `ſ` an `s`."""
    return None if text is None else "".join(character.lower()[0] for character in text)


letters = st.text(st.sampled_from("aAäÄßẞsSiIıKkéÉΣςσ Ǆǆ1_"), max_size=3)


@given(pairs=st.lists(st.tuples(st.none() | letters, st.none() | letters), min_size=1, max_size=12))
@few
def test_case_is_ignored_as_lower_does(site: Any, tables: Any, pairs: Sequence[tuple[Any, Any]]) -> None:
    base, current = (
        [(f"K{i}" if i % 2 else f"k{i}", pair[side]) for i, pair in enumerate(pairs)] for side in (0, 1)
    )
    tables({"id": "VARCHAR", "t": "VARCHAR"}, base, current)

    exact = site.run(value_diff(site.pair(), ValueOptions(key=("id",))))
    diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), ignore_case=True)))
    whole = site.run(rows_diff(site.pair(), ValueOptions(columns=("t",), ignore_case=True)))

    check(exact, base, current)
    check(diff, base, current, folded)
    counts = [[folded(row[1]) for row in rows] for rows in (base, current)]
    assert whole.common == sum(min(counts[0].count(each), counts[1].count(each)) for each in {*counts[0]})


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("base", "current", "is_same"),
    [
        ("ß", "ẞ", True),
        ("ß", "ss", False),
        ("ſ", "s", False),
        ("K", "k", True),  # the sign of the unit
        ("ı", "I", False),
        ("ς", "σ", False),
        ("ÀÉ", "àé", True),
        ("a", "a ", False),
    ],
)
def test_letters_without_one_lower_case_are_told_apart(
    site: Any, tables: Any, base: str, current: str, is_same: bool
) -> None:
    tables({"id": "INTEGER", "t": "VARCHAR"}, [(1, base)], [(1, current)])
    diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), ignore_case=True)))
    assert (diff.changed == 0) is is_same


def cut(moment: Any, unit: str) -> Any:
    """*moment* without what is smaller than *unit*; a date stays one."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        whole = datetime(moment.year, moment.month, moment.day)
        return cut(whole, unit).date()
    if unit == "microsecond":
        return moment
    if unit == "millisecond":
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    if unit == "week":
        return cut(moment, "day") - timedelta(days=moment.weekday())
    first = {"month": moment.month - (moment.month - 1) % 3, "day": 1} if unit == "quarter" else {}
    kept = ("year", "month", "day", "hour", "minute", "second")
    names = kept[: kept.index("month" if unit == "quarter" else unit) + 1]
    fields = {"year": 1, "month": 1, "day": 1} | {name: getattr(moment, name) for name in names} | first
    return datetime(**fields)


moments = st.sampled_from(
    [
        datetime(2024, 2, 29, 23, 59, 59, 999_999),
        datetime(2024, 3, 1),
        datetime(2024, 2, 29, 23, 59, 59, 999_000),
        datetime(2024, 2, 29, 23, 0, 0),
        datetime(2024, 2, 26),
        datetime(2024, 12, 31, 12, 30, 15, 123_456),
        datetime(2025, 1, 1),
        datetime(1969, 12, 31, 23, 59, 59, 500_000),
        datetime(1582, 10, 15, 1),
        datetime(1900, 1, 1, 0, 0, 0, 1),
        datetime(9999, 12, 31, 23, 59, 59, 999_999),
    ]
)


@given(
    pairs=st.lists(st.tuples(st.none() | moments, st.none() | moments), min_size=1, max_size=12),
    unit=st.sampled_from(PRECISIONS),
)
@few
def test_times_are_cut_to_a_unit(site: Any, tables: Any, pairs: Sequence[tuple[Any, Any]], unit: str) -> None:
    def day(moment: datetime | None) -> date | None:
        return None if moment is None else moment.date()

    sides = [[(i, pair[side], day(pair[side])) for i, pair in enumerate(pairs)] for side in (0, 1)]
    tables({"id": "INTEGER", "at": "TIMESTAMP", "day": "DATE"}, *sides)
    options = ValueOptions(key=("id",), timestamp_precision=unit)

    def seen(value: Any) -> Any:
        is_finer = not isinstance(value, datetime) and PRECISIONS.index(unit) < PRECISIONS.index("day")
        return value if is_finer else cut(value, unit)

    check(site.run(value_diff(site.pair(), options)), *sides, seen)
    columns = {"id": "INTEGER", "at": "DATE", "day": "TIMESTAMP"}
    retyped = [(i, day(pair[1]), pair[1]) for i, pair in enumerate(pairs)]
    tables({"id": "INTEGER", "at": "TIMESTAMP", "day": "DATE"}, sides[0], retyped, columns)
    diff = site.run(value_diff(site.pair(), options))

    def midnight(value: Any) -> Any:
        return value if value is None or isinstance(value, datetime) else datetime(*value.timetuple()[:3])

    check(diff, sides[0], retyped, lambda value: cut(midnight(value), unit))
