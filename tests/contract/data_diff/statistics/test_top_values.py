"""The most frequent values on each warehouse: order, ties, types, one side alone, two targets."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from recce_meta.checks.expectations import violations
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.source import LiveColumn, Pair, SideColumn, find_expressions
from recce_meta.data_diff.top_k import NO_VALUES, top_k_diff
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.checks import NONE, ExpectDistribution
from recce_meta.models.data_diff import ColumnTopK, Subject, TopKDiff, TopValue
from recce_meta.quality.masking import mask_results, privacy_of
from recce_meta.report.data.verdicts import Outcome, verdict
from recce_meta.tables.gaps import limits_of
from recce_meta.warehouses.dialect import dialect_named
from recce_meta.warehouses.types import ColumnType, Kind
from tests.proofs import sampled

COLUMNS = {"word": "varchar", "number": "decimal(6,2)", "day": "date", "flag": "boolean"}
ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["a", "B", "é", "", " ", "NULL", "__null__", "🛒"]),
        st.none() | st.decimals(-2, 2, places=1).map(lambda value: value + 0),
        st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 6)),
        st.none() | st.booleans(),
    ),
    max_size=30,
)


def expected(base: list[Any], current: list[Any], k: int) -> list[tuple[Any, int, int]]:
    """Values with both counts, counted here."""
    before, after = (Counter(value for value in column if value is not None) for column in (base, current))
    values = sorted(before | after, key=lambda value: (-after[value], -before[value], value))
    return [(value, before[value], after[value]) for value in values[:k]]


def listed(column: ColumnTopK) -> list[tuple[Any, int, int]]:
    return [(one.value, one.base, one.current) for one in column.values]


@pytest.mark.extensive
@pytest.mark.beyond_emulators
@settings(
    max_examples=sampled(20, 6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(base=ROWS, current=ROWS, k=st.integers(1, 12))
def test_values_are_those_of_an_independent_count(bench: Any, base: Any, current: Any, k: int) -> None:
    names = [f"{side} {uuid4().hex}" for side in "bc"]
    for name, rows in zip(names, (base, current), strict=True):
        bench.fill(name, COLUMNS, rows)

    found = bench.run(top_k_diff(bench.pair(*names), k=k))

    for place, column in enumerate(found.columns):
        before, after = ([row[place] for row in rows] for rows in (base, current))
        assert listed(column) == expected(before, after, k)
        assert (column.base_total, column.current_total) == (len(before), len(after))
        valid = [sum(value is not None for value in values) for values in (before, after)]
        assert [column.base_valid, column.current_valid] == valid
    assert len([query for query in bench.asked if not query.describes]) == 2
    apart = bench.run(top_k_diff(bench.pair(*names, is_joined=False), k=100))
    assert apart.columns == bench.run(top_k_diff(bench.pair(*names), k=100)).columns
    for name in names:
        bench.adapter.execute(f"DROP TABLE {bench.quoted(name)}")


EVERY: dict[str, tuple[str, Any]] = {
    "integer": ("integer", 7),
    "bigint": ("bigint", 2**62),
    "decimal": ("decimal(10,2)", Decimal("1.50")),
    "double": ("double", 0.1),
    "real": ("real", 0.1),
    "boolean": ("boolean", True),
    "text": ("varchar", "it's é"),
    "date": ("date", date(2026, 2, 1)),
    "time": ("time", time(23, 59, 59, 500_000)),
    "timestamp": ("timestamp", datetime(2026, 2, 1, 1, 2, 3, 4)),
    "timestamptz": ("timestamptz", datetime(2026, 2, 1, 1, 2, 3, tzinfo=timezone.utc)),
    "binary": ("binary", b"\x00\xffa"),
    "uuid": ("uuid", UUID(int=5)),
    "array": ("integer[]", [1, 2]),
}


@pytest.mark.parametrize("is_joined", [True, False])
def test_values_of_every_type_come_back_as_what_they_are(bench: Any, is_joined: bool) -> None:
    columns = {name: type_ for name, (type_, _) in EVERY.items()}
    values = [value for _, value in EVERY.values()]
    bench.fill("old", columns, [values])
    bench.fill("new", columns, [values, [None] * len(values)])

    found = bench.run(top_k_diff(bench.pair("old", "new", is_joined=is_joined)))

    for column, value in zip(found.columns, values, strict=True):
        assert listed(column) == [(value, 1, 1)], column
        assert type(column.values[0].value) is type(value)


@pytest.mark.parametrize("is_joined", [True, False])
def test_an_expression_is_a_column_like_others(bench: Any, is_joined: bool) -> None:
    # Its name is never that of a column, whatever the text says.
    columns = {"word": "varchar", "n": "integer", "n + 1": "integer"}
    rows = [("a", 1, 7), ("A", 2, 7), ("b", 3, 8)]
    bench.fill("old", columns, rows)
    bench.fill("new", columns, [*rows, ("B", None, 8)])
    pair = bench.pair("old", "new", is_joined=is_joined)
    doubled, last = "coalesce(n, 0) * 2 -- twice", f"{bench.dialect.render(exp.column('n', quoted=True))} + 2"
    asked: list[str] = []

    found = bench.run(top_k_diff(pair, ["lower(word)", "n + 1", doubled, last], guard=asked.append))
    counted = bench.run(histogram_diff(pair, [doubled], guard=asked.append)).columns[0]

    assert [(column.name, column.reads) for column in found.columns] == [
        ("lower(word)", ("word",)), ("n + 1", ()), (doubled, ("n",)), (last, ("n",))
    ]  # fmt: skip
    assert [[(str(value), *rows) for value, *rows in listed(column)] for column in found.columns] == [
        [("a", 2, 2), ("b", 1, 2)],
        [("7", 2, 2), ("8", 1, 2)],
        [("2", 1, 1), ("4", 1, 1), ("6", 1, 1), ("0", 0, 1)],
        [("3", 1, 1), ("4", 1, 1), ("5", 1, 1)],
    ]
    assert (counted.base_total, counted.current_total, counted.reads) == (3, 4, ("n",))
    assert asked == ["lower(word)", doubled, last, doubled]
    for unknown in ("wrd", "lower(wrd)", "n +", "n) from (select 1", "1", "word other", "(select 1)"):
        with pytest.raises(UnknownNameError):
            bench.run(top_k_diff(pair, [unknown], guard=asked.append))
    with pytest.raises(UnknownNameError):  # without a guard, there are no expressions
        bench.run(top_k_diff(pair, ["lower(word)"]))


@pytest.mark.parametrize(
    ("expression", "is_withheld"),
    [
        ("n + 1", False),
        ("upper(WORD)", True),
        ("n || word", True),
        # What it reads is not known.
        ("my_function(n)", True),
        ("coalesce(n, t)", True),
        ("n + (select max(n) from t)", True),
        ("n + ?", True),
        ("#1 || n", True),
        ("cast(n as decimal(10, 2)) between 1 and 2 or n in (3, 4)", False),
        ("case when n is null then 'x' else date_trunc('month', n) end", False),
    ],
)
def test_an_expression_is_private_like_what_it_reads(expression: str, is_withheld: bool) -> None:
    known = [SideColumn(LiveColumn(name, ColumnType("text", Kind.TEXT)), None) for name in ("word", "n")]
    (reads,) = find_expressions([expression], known, dialect_named("duckdb")).values()
    columns = [ColumnTopK(name="x", values=(TopValue(value=1, base=1, current=1),), reads=reads)]
    result = TopKDiff(subject=Subject(name="t"), k=1, columns=tuple(columns))

    (masked,) = mask_results([result], privacy_of(no_values=False, private=["word"]))

    assert isinstance(masked, TopKDiff)
    assert (masked.columns[0].values == ()) is is_withheld


@pytest.mark.parametrize("is_joined", [True, False])
def test_values_that_python_lacks_stay_text(bench: Any, is_joined: bool) -> None:
    columns = {"d": "date", "i": "timestamptz", "x": "double"}
    bench.fill("old", columns, [("infinity", "-infinity", math.inf)])
    bench.fill("new", columns, [("infinity", "2026-01-01 00:00:00+00", math.nan), (None, None, math.nan)])

    day, instant, number = bench.run(
        top_k_diff(bench.pair("old", "new", is_joined=is_joined), ["d", "i", "x"])
    ).columns

    assert listed(day) == [("infinity", 1, 1)]
    assert listed(instant) == [(datetime(2026, 1, 1, tzinfo=timezone.utc), 0, 1), ("-infinity", 1, 0)]
    assert [(str(one.value), one.base, one.current) for one in number.values] == [
        ("nan", 0, 2),
        ("inf", 1, 0),
    ]


def test_minus_zero_is_zero(bench: Any) -> None:
    bench.fill("t", {"x": "double"}, [(-0.0,), (0.0,), (-0.0,)])

    (column,) = bench.run(top_k_diff(bench.pair("t", "t"))).columns

    assert listed(column) == [(0.0, 3, 3)]
    assert math.copysign(1, column.values[0].value) == 1


@pytest.mark.parametrize("is_joined", [True, False])
def test_a_changed_type_is_counted_through_the_common_one(bench: Any, is_joined: bool) -> None:
    bench.fill("old", {"n": "integer", "x": "integer"}, [(1, 5), (2, 6)])
    bench.fill(
        "new", {"n": "decimal(10,2)", "x": "integer[]"}, [(Decimal("1.00"), [5]), (Decimal("1.5"), [6])]
    )

    number, other = bench.run(top_k_diff(bench.pair("old", "new", is_joined=is_joined))).columns

    assert listed(number) == [(1, 1, 1), (Decimal("1.5"), 0, 1), (2, 1, 0)]
    assert (other.values, other.base_total) == ((), 2)
    assert other.reason == f"{'integer' if bench.dialect.name == 'postgres' else 'INTEGER'} in base and " + (
        "integer[] in current have nothing in common"
        if bench.dialect.name == "postgres"
        else "INTEGER[] in current have nothing in common"
    )


def test_one_side_alone_is_an_answer(bench: Any) -> None:
    bench.fill("old", {"order": "integer", "gone": "integer"}, [(1, 2), (1, None)])
    bench.fill("new", {"order": "integer", 'a"b': "integer"}, [(1, 3)])

    order, gone, new = bench.run(top_k_diff(bench.pair("old", "new"))).columns
    (alone, _) = bench.run(top_k_diff(bench.pair("old", None))).columns

    assert listed(order) == [(1, 2, 1)]
    assert (gone.name, listed(gone)) == ("gone", [(2, 1, 0)])
    assert (gone.base_valid, gone.base_total, gone.current_valid, gone.current_total) == (1, 2, None, None)
    assert (new.name, listed(new), new.base_total) == ('a"b', [(3, 0, 1)], None)
    assert (listed(alone), alone.current_total) == ([(1, 2, 0)], None)


def test_empty_tables_have_no_values(bench: Any) -> None:
    bench.fill("t", COLUMNS)

    for column in bench.run(top_k_diff(bench.pair("t", "t"))).columns:
        assert (column.values, column.base_total, column.current_valid) == ((), 0, 0)


@pytest.mark.parametrize("is_joined", [True, False])
def test_a_column_of_which_nothing_was_seen_says_so(bench: Any, is_joined: bool) -> None:
    bench.fill("none", {"x": "integer"})
    bench.fill("nulls", {"x": "integer"}, [(None,)])
    expect = ExpectDistribution(max_distance={"*": NONE})

    def reason(base: str, current: str) -> str | None:
        found = bench.run(top_k_diff(bench.pair(base, current, is_joined=is_joined)))
        (column,) = found.columns
        assert bool(violations(expect, [found])) is bool(column.reason)
        return column.reason

    assert reason("none", "none") == reason("none", "nulls") == reason("nulls", "none") == NO_VALUES
    assert reason("nulls", "nulls") is None


def test_a_condition_holds_for_values_and_totals(bench: Any) -> None:
    bench.fill("t", {"x": "integer"}, [(1,), (2,), (2,)])

    for is_joined in (True, False):
        pair = bench.pair("t", "t", is_joined=is_joined)
        (column,) = bench.run(top_k_diff(pair, where="x > 1 -- late")).columns
        assert (listed(column), column.current_total) == ([(2, 2, 2)], 2)


def test_two_targets_find_what_the_other_side_listed(bench: Any) -> None:
    bench.fill("old", {"x": "integer"}, [(1,)] * 5 + [(2,)] * 4 + [(3,)])
    bench.fill("new", {"x": "integer"}, [(3,)] * 5 + [(4,)] * 4 + [(1,)])

    (column,) = bench.run(top_k_diff(bench.pair("old", "new", is_joined=False), k=2)).columns

    assert listed(column) == [(3, 1, 5), (4, 0, 4)]


OTHERS: dict[str, tuple[str, Any]] = {
    "integer": ("integer", 8),
    "bigint": ("bigint", -(2**63)),
    "decimal": ("decimal(10,2)", Decimal("2.00")),
    "double": ("double", 1e300),
    "real": ("real", 3e30),
    "boolean": ("boolean", False),
    "text": ("varchar", "-infinity"),
    "date": ("date", date(1, 1, 1)),
    "time": ("time", time(0)),
    "timestamp": ("timestamp", datetime(9999, 12, 31, 23, 59, 59, 999_999)),
    "timestamptz": ("timestamptz", datetime(1900, 6, 1, tzinfo=timezone.utc)),
    "binary": ("binary", b"\xab\xcd"),
    "uuid": ("uuid", UUID(int=2**128 - 1)),
    "array": ("integer[]", []),
    "texts": ("varchar[]", ['x"y', "\\", "é,{"]),
    "decimals": ("decimal(9,2)[]", [Decimal("0.10"), Decimal("2.00")]),
    "floats": ("float8[]", [0.1, 1e300]),
}
"""Another value of each type."""


@pytest.mark.parametrize("is_swapped", [False, True])
def test_two_targets_find_a_value_of_any_type(bench: Any, is_swapped: bool) -> None:
    if bench.dialect.name not in ("duckdb", "postgres"):
        pytest.skip("this warehouse has no arrays of a type, or finds them by their text")
    columns = {name: type_ for name, (type_, _) in OTHERS.items()}
    more = {"texts": ["a"], "decimals": [Decimal("1.00")], "floats": [0.0, -0.0]}
    rows = [
        [EVERY[name][1] if name in EVERY else more[name] for name in OTHERS],
        [value for _, value in OTHERS.values()],
    ]
    first, second = reversed(rows) if is_swapped else rows
    bench.fill("old", columns, [first, first, second])
    bench.fill("new", columns, [first, second, second])

    found = bench.run(top_k_diff(bench.pair("old", "new", is_joined=False), k=1)).columns

    assert {column.name: [(one.base, one.current) for one in column.values] for column in found} == {
        name: [(1, 2)] for name in columns
    }


def test_equal_values_that_are_written_in_two_ways_are_one(bench: Any) -> None:
    if bench.dialect.name not in ("duckdb", "postgres"):
        pytest.skip("arrays of this warehouse are grouped by their text")
    bench.fill("old", {"x": "float8[]"}, [([0.0, -0.0],), ([0.0, 0.0],)])
    bench.fill("new", {"x": "float8[]"}, [([-0.0, -0.0],)])

    for is_joined in (True, False):
        (column,) = bench.run(top_k_diff(bench.pair("old", "new", is_joined=is_joined))).columns
        assert listed(column) == [([0, 0], 2, 1)]


@pytest.mark.parametrize("is_joined", [True, False])
def test_values_that_are_written_alike_and_differ_are_two(bench: Any, is_joined: bool) -> None:
    cases = {
        "duckdb": ("union(a integer, b varchar)", "1::INTEGER", "'1'", ['{"a":1}', '{"b":"1"}']),
        "postgres": ("integer[]", "'{1,2}'", "'[2:3]={1,2}'", [[1, 2], "[2:3]={1,2}"]),
    }
    if bench.dialect.name not in cases:
        pytest.skip("this warehouse has no such values")
    type_, one, other, values = cases[bench.dialect.name]
    bench.fill("t", {"x": type_})
    bench.adapter.execute(f"INSERT INTO {bench.quoted('t')} VALUES ({one}), ({one}), ({other})")

    (column,) = bench.run(top_k_diff(bench.pair("t", "t", is_joined=is_joined))).columns

    assert listed(column) == [(values[0], 2, 2), (values[1], 1, 1)]


def test_ties_sort_alike_within_one_target_and_across_two(bench: Any) -> None:
    if bench.dialect.name not in ("duckdb", "postgres"):
        pytest.skip("this warehouse has no such dates")
    early = {"duckdb": "0044-03-15 (BC)", "postgres": "0044-03-15 BC"}[bench.dialect.name]
    moments = [early, "12026-01-01", "2026-01-01", "infinity", "-infinity"]
    texts = ["infinity", "-infinity", "-5", "a", "É"]
    times = ["24:00:00", "00:00:00.5", "01:00:00", "00:00:00", "23:59:59"]
    rows = list(zip(moments, moments, texts, times, strict=True))
    bench.fill("t", {"d": "date", "i": "timestamp", "w": "varchar", "c": "time"}, rows)

    joined, apart = (
        bench.run(top_k_diff(bench.pair("t", "t", is_joined=is_joined))) for is_joined in (True, False)
    )

    assert joined == apart
    assert [one.value for one in joined.columns[0].values][:2] == ["-infinity", "0044-03-15 BC"]


def test_integers_and_doubles_are_said_to_be_rounded(bench: Any) -> None:
    if bench.dialect.name not in ("duckdb", "postgres"):
        pytest.skip("integers of this warehouse may have other digits")
    bench.fill("old", {"x": "bigint", "y": "integer"}, [(2**53 + 1, 1)])
    bench.fill("new", {"x": "double", "y": "double"}, [(float(2**53), 1.0)])

    found = bench.run(top_k_diff(bench.pair("old", "new")))

    assert [column.is_rounded for column in found.columns] == [True, False]
    assert limits_of(found) == ["1 column (x) compared as doubles, to 15 digits"]
    assert verdict(found).outcome is Outcome.PARTIAL
    (apart, _) = bench.run(top_k_diff(bench.pair("old", "new", is_joined=False))).columns
    assert [(one.base, one.current) for one in apart.values] == [(0, 1), (1, 0)]


@pytest.mark.parametrize("other", ["double", "decimal(3,1)"])
@pytest.mark.parametrize("is_joined", [True, False])
def test_a_tenth_of_32_bits_is_no_other_tenth(bench: Any, other: str, is_joined: bool) -> None:
    if bench.dialect.name not in ("duckdb", "postgres"):
        pytest.skip("real numbers of this warehouse may have 64 bits")
    bench.fill("old", {"x": "real"}, [(0.1,), (0.5,)])
    bench.fill("new", {"x": other}, [(0.1 if other == "double" else Decimal("0.1"),), (0.5,)])

    (found,) = bench.run(top_k_diff(bench.pair("old", "new", is_joined=is_joined))).columns

    assert sorted((one.base, one.current) for one in found.values) == [(0, 1), (1, 0), (1, 1)]


def test_more_columns_than_one_statement_holds(bench: Any) -> None:
    names = {f"column {number}": "integer" for number in range(120)}
    bench.fill("wide", names, [tuple(range(120))])

    found = bench.run(top_k_diff(bench.pair("wide", "wide"), k=1))

    assert [column.values[0].value for column in found.columns] == list(range(120))
    assert len([query for query in bench.asked if not query.describes]) == 6


def test_what_cannot_be_asked(bench: Any) -> None:
    bench.fill("t", COLUMNS)

    with pytest.raises(UsageError, match="most frequent values invalid: 0"):
        bench.run(top_k_diff(bench.pair("t", "t"), k=0))
    with pytest.raises(UnknownNameError):
        bench.run(top_k_diff(bench.pair("t", "t"), ["nowhere"]))
    with pytest.raises(UsageError, match="in base or current"):
        bench.run(top_k_diff(bench.pair(None, None)))


def test_both_warehouses_say_the_same(benches: list[Any]) -> None:
    answers = []
    for bench in benches:
        columns = {name: type_ for name, (type_, _) in EVERY.items()}
        bench.fill("t", columns, [[value for _, value in EVERY.values()]] * 2)
        answers.append(bench.run(top_k_diff(bench.pair("t", "t"))).columns)

    assert answers[0] == answers[1]


def test_two_kinds_of_warehouses_find_each_other_s_values(benches: list[Any]) -> None:
    duckdb, postgres = benches
    for bench, early in zip(benches, ("0044-03-15 (BC) 01:02:03", "0044-03-15 01:02:03 BC"), strict=True):
        columns = {"at": "timestamp", "x": "float8[]", "j": "json", "i": "interval"}
        rows = [
            (early, [0.0], '{"b": 1, "a": 2}', "3 months"),
            ("12026-01-01 00:00:00", [0.5], "[1, 2]", "-1 day"),
        ]
        bench.fill("t", columns, rows if bench is duckdb else [*rows, rows[1]])

    pair = Pair(
        subject=Subject(name="t", base="t", current="t"),
        base=duckdb.pair("t", None).base,
        current=postgres.pair(None, "t").current,
        is_joined=False,
    )
    found = postgres.run(top_k_diff(pair, k=1), duckdb)

    at, x, j, i = found.columns
    assert (listed(at), listed(x)) == ([("12026-01-01 00:00:00", 1, 2)], [([Decimal("0.5")], 1, 2)])
    assert j.reason == "duckdb and postgres write JSON differently"
    assert i.reason == "duckdb and postgres write intervals differently"
