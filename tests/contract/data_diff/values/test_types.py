"""Values of every type that the warehouses have: equal to themselves, different from others, and shown."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from recce_meta.data_diff.detail import value_diff_detail
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.value import value_diff
from recce_meta.report.data.verdicts import equal_word
from recce_meta.store.data_diffs import headline_of
from recce_meta.tables.gaps import limits_of

DUCKDB = {
    "TINYINT": ("1", "2"),
    "UBIGINT": ("18446744073709551615", "0"),
    "HUGEINT": ("-1", "0"),
    "UHUGEINT": ("'340282366920938463463374607431768211455'", "0"),
    "DECIMAL(38,37)": ("9.9999999999999999999999999999999999999", "-9"),
    "FLOAT": ("'nan'", "0.1"),
    "DOUBLE": ("'inf'", "'-inf'"),
    "BIT": ("'101'", "'100'"),
    "BLOB": ("'\\x00\\xFF'", "'\\x00'"),
    "DECIMAL(38,2)": ("-0.01", "0"),
    "UUID": ("'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
    "DATE": ("'infinity'", "'0044-03-15 (BC)'"),
    "TIME": ("'24:00:00'", "'00:00:00.000001'"),
    "TIMESTAMP": ("'infinity'", "'290000-01-01 00:00:00'"),
    "TIMESTAMP_NS": ("'2020-01-01 00:00:00.000000001'", "'2020-01-01 00:00:00.000000002'"),
    "TIMESTAMPTZ": ("'2020-01-01 00:00:00+00'", "'2020-01-01 00:00:00+01'"),
    "INTERVAL": ("'1 month'", "'31 days'"),
    "JSON": ("""'{"a": 1}'""", """'{"a": 2}'"""),
    "INTEGER[]": ("[1, NULL, 3]", "[1, 3]"),
    "DOUBLE[]": ("['nan'::DOUBLE]", "[0.5]"),
    "STRUCT(a INTEGER, b VARCHAR)": ("{'a': 1, 'b': NULL}", "{'a': 1, 'b': ''}"),
    "MAP(VARCHAR, INTEGER)": ("MAP {'a': 1}", "MAP {'a': 2}"),
    "ENUM('x', 'y')": ("'x'", "'y'"),
    "STRUCT(a STRUCT(b JSON)[])": ("""{'a': [{'b': '{"c":1}'}]}""", "{'a': []}"),
    "INTEGER[2]": ("[1, 2]", "[2, 1]"),
}
POSTGRES = {
    "numeric": ("'NaN'", "1e200"),
    "real": ("'NaN'", "0.1"),
    "money": ("'1.00'", "'2.00'"),
    "json": ("""'{"a": 1, "b": 2}'""", """'{"a": 1}'"""),
    "jsonb": ("""'{"a": 1, "b": 2}'""", "'null'"),
    "json[]": ("""ARRAY['{"a":1}'::json]""", """ARRAY['{"a":2}'::json]"""),
    "jsonb[]": ("""ARRAY['{"a":1}'::jsonb]""", "'{}'"),
    "point[]": ("ARRAY['(1,2)'::point]", "'{}'"),
    "integer[]": ("ARRAY[1, NULL]", "ARRAY[1]"),
    "double precision[]": ("ARRAY['NaN'::float8]", "ARRAY[0.5]"),
    "timestamp[]": ("ARRAY['infinity'::timestamp]", "'{}'"),
    "bytea": ("'\\x00ff'", "'\\x00'"),
    "uuid": ("'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
    "date": ("'infinity'", "'0044-03-15 BC'"),
    "time": ("'24:00:00'", "'00:00:00.000001'"),
    "timetz": ("'12:00:00+00'", "'12:00:00+01'"),
    "timestamp": ("'infinity'", "'20000-01-01'"),
    "timestamptz": ("'2020-01-01 00:00:00+00'", "'2020-01-01 00:00:00+01'"),
    "interval": ("'1 month'", "'31 days'"),
    "inet": ("'10.0.0.1'", "'10.0.0.2'"),
    "point": ("'(1,2)'", "'(1,3)'"),
    "int4range": ("'[1,3)'", "'[1,4)'"),
    "xml": ("'<a/>'", "'<b/>'"),
    "tsvector": ("'a b'", "'a c'"),
    "char(5)": ("'a'", "'b'"),
    '"char"': ("'a'", "'b'"),
    "bit(3)": ("B'101'", "B'100'"),
    "name": ("'a'", "'b'"),
}
ALL = [("duckdb", kind) for kind in DUCKDB] + [("postgres", kind) for kind in POSTGRES]


@pytest.mark.cases(8)
@pytest.mark.parametrize(("backend_name", "kind"), ALL)
def test_values_of_a_type_are_compared_and_shown(site: Any, backend_name: str, kind: str) -> None:
    if site.dialect.name != backend_name:
        return
    one, other = (DUCKDB if backend_name == "duckdb" else POSTGRES)[kind]
    columns = {"id": "INTEGER", "v": kind}
    for name, values in (("base", (one, one, one, "NULL")), ("current", (one, other, "NULL", "NULL"))):
        site.create(name, columns, [])
        rows = ", ".join(f"({i}, {value}::{kind})" for i, value in enumerate(values))
        site.adapter.execute(f"INSERT INTO {site.relation(name)} VALUES {rows}")
    options = ValueOptions(key=("id",))

    diff = site.run(value_diff(site.pair(), options))
    detail = site.run(value_diff_detail(site.pair(), options))
    whole = site.run(rows_diff(site.pair(), ValueOptions()))

    found = diff.columns[1]
    assert found.reason is None
    assert (found.matched, found.mismatched, found.value_to_null) == (2, 2, 1)
    assert [each.key for each in found.examples] == [(1,), (2,)]
    assert found.examples[1].current is None
    assert [row.key for row in detail.rows] == [(1,), (2,)]
    assert (whole.common, whole.added, whole.removed) == (2, 2, 2)


KEYS = [
    *(
        ("duckdb", kind)
        for kind in ("UUID", "DATE", "TIMESTAMP", "DECIMAL(9,2)", "BLOB", "BOOLEAN", "HUGEINT", "TIME")
    ),
    *(
        ("postgres", kind)
        for kind in ("uuid", "date", "timestamptz", "numeric", "bytea", "boolean", "real", "inet")
    ),
]
SAMPLES = {
    "uuid": POSTGRES["uuid"],
    "date": ("'2020-01-01'", "'2020-01-02'"),
    "timestamp": ("'2020-01-01 10:00:00.5'", "'2020-01-02'"),
    "timestamptz": ("'2020-01-01 10:00:00.5+00'", "'infinity'"),
    "decimal(9,2)": ("1.50", "-2"),
    "numeric": ("1.50", "'NaN'"),
    "blob": DUCKDB["BLOB"],
    "bytea": POSTGRES["bytea"],
    "boolean": ("true", "false"),
    "hugeint": ("170141183460469231731687303715884105727", "-170141183460469231731687303715884105727"),
    "time": DUCKDB["TIME"],
    "real": ("0.1", "'-inf'"),
    "inet": POSTGRES["inet"],
}


@pytest.mark.cases(8)
@pytest.mark.parametrize(("backend_name", "kind"), KEYS)
@pytest.mark.parametrize("examples", [2, 3])
def test_a_key_may_be_of_any_type(site: Any, backend_name: str, kind: str, examples: int) -> None:
    if site.dialect.name != backend_name:
        return
    one, other = SAMPLES[kind.lower()]
    columns = {"key": kind, "v": "INTEGER"}
    for name, value in (("base", 1), ("current", 2)):
        site.create(name, columns, [])
        site.adapter.execute(
            f"INSERT INTO {site.relation(name)} VALUES ({one}::{kind}, {value}), ({other}::{kind}, {value})"
        )
    options = ValueOptions(key=("key",), examples=examples)

    diff = site.run(value_diff(site.pair(), options))
    detail = site.run(value_diff_detail(site.pair(), options))

    assert (diff.common, diff.changed) == (2, 2)
    assert len(diff.columns[1].examples) == 2
    assert str([row.key for row in detail.rows]) == str([each.key for each in diff.columns[1].examples])


RETYPED_KEYS = [
    ("duckdb", "DECIMAL(10,2)", "INTEGER", ("1", "2.5"), ("1", "3"), Decimal("2.50"), 3),
    ("duckdb", "INTEGER", "DECIMAL(10,2)", ("1", "3"), ("1", "2.5"), 3, Decimal("2.50")),
    ("duckdb", "DATE", "TIMESTAMP", ("'2020-01-01'", "'2020-01-02'"), ("'2020-01-01'", "'2020-01-03 12:00'"),
     date(2020, 1, 2), datetime(2020, 1, 3, 12)),
    ("duckdb", "VARCHAR", "BIGINT", ("'1'", "'x'"), ("1", "2"), "x", 2),
    ("duckdb", "TIMESTAMP", "TIMESTAMP_NS", ("'2020-01-01'", "'1600-01-01'"),
     ("'2020-01-01'", "'2020-01-02'"), datetime(1600, 1, 1), datetime(2020, 1, 2)),
    ("postgres", "numeric", "integer", ("1.00", "2.50"), ("1", "3"), Decimal("2.50"), 3),
    ("postgres", "char(3)", "text", ("'a'", "'b'"), ("'a'", "'c'"), "b  ", "c"),
    ("postgres", "date", "timestamp", ("'2020-01-01'", "'2020-01-02'"),
     ("'2020-01-01'", "'2020-01-03 12:00'"), date(2020, 1, 2), datetime(2020, 1, 3, 12)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("backend_name", "base", "current", "before", "after", "removed", "added"), RETYPED_KEYS
)
def test_a_key_of_two_types_is_shown_as_each_side_has_it(
    site: Any, backend_name: str, base: str, current: str, before: Any, after: Any, removed: Any, added: Any
) -> None:
    if site.dialect.name != backend_name:
        return
    for name, kind, keys, value in (("base", base, before, 1), ("current", current, after, 2)):
        site.create(name, {"key": kind, "v": "INTEGER"}, [])
        rows = ", ".join(f"({key}, {value})" for key in keys)
        site.adapter.execute(f"INSERT INTO {site.relation(name)} VALUES {rows}")

    diff = site.run(value_diff(site.pair(), ValueOptions(key=("key",))))
    detail = site.run(value_diff_detail(site.pair(), ValueOptions(key=("key",))))

    keys = {row.status: row.key[0] for row in detail.rows}
    assert (keys["removed"], keys["added"]) == (removed, added)
    assert (type(keys["removed"]), type(keys["added"])) == (type(removed), type(added))
    assert [(each.base, each.current) for each in diff.columns[1].examples] == [(1, 2)]


WRITTEN_IN_TWO_WAYS = [
    ("duckdb", "DOUBLE", "0.0", "'-0.0'"),
    ("postgres", "double precision", "0.0", "'-0.0'"),
    ("postgres", "numeric", "1.0", "1.00"),
    ("postgres", "interval", "'1 month'", "'30 days'"),
    ("duckdb", "INTERVAL", "'1 month'", "'30 days'"),
    ("postgres", "jsonb", "'1.0'", "'1.00'"),
]


@pytest.mark.parametrize(("backend_name", "kind", "base", "current"), WRITTEN_IN_TWO_WAYS)
def test_a_key_may_be_written_otherwise_in_current(
    site: Any, backend_name: str, kind: str, base: str, current: str
) -> None:
    if site.dialect.name != backend_name:
        return
    for name, key, value in (("base", base, 1), ("current", current, 2)):
        site.create(name, {"key": kind, "v": "INTEGER"}, [])
        site.adapter.execute(f"INSERT INTO {site.relation(name)} VALUES ({key}, {value})")

    diff = site.run(value_diff(site.pair(), ValueOptions(key=("key",))))

    assert diff.common == 1
    assert [(each.base, each.current) for each in diff.columns[1].examples] == [(1, 2)]


NEVER_FAIL = [
    ("duckdb", "HUGEINT", "DECIMAL(38,0)", "170141183460469231731687303715884105727", "1"),
    ("duckdb", "TIMESTAMP", "TIMESTAMP_NS", "'1600-01-01'", "'2000-01-01'"),
    ("duckdb", "TIMESTAMP_S", "TIMESTAMP_NS", "'1600-01-01'", "'2000-01-01'"),
    ("duckdb", "DATE", "TIMESTAMP_NS", "'1600-01-01'", "'2000-01-01'"),
    ("duckdb", "INTEGER[]", "INTEGER[2]", "[]", "[1, 2]"),
    ("duckdb", "INTEGER[2]", "INTEGER[3]", "[1, 2]", "[1, 2, 3]"),
    ("postgres", "json", "json", r"'\"\u0000\"'".replace('\\"', '"'), "'1'"),
    ("postgres", "json", "jsonb", "'1e400000'", "'1'"),
    ("postgres", "numeric(10,0)", "bigint", "'NaN'", "1"),
    ("postgres", "time", "timetz", "'12:00'", "'12:00+01'"),
    ("duckdb", "TIME", "TIMETZ", "'12:00:00'", "'12:00:00+01'"),
]


@pytest.mark.cases(8)
@pytest.mark.parametrize(("backend_name", "base", "current", "one", "other"), NEVER_FAIL)
@pytest.mark.parametrize("precision", [None, "day"])
def test_values_that_the_other_type_does_not_hold_are_compared(
    site: Any, backend_name: str, base: str, current: str, one: str, other: str, precision: str | None
) -> None:
    if site.dialect.name != backend_name:
        return
    for name, kind, value in (("base", base, one), ("current", current, other)):
        site.create(name, {"id": "INTEGER", "v": kind}, [])
        site.adapter.execute(f"INSERT INTO {site.relation(name)} VALUES (1, ({value})::{kind})")
    options = ValueOptions(key=("id",), timestamp_precision=precision)

    diff = site.run(value_diff(site.pair(), options))
    site.run(value_diff_detail(site.pair(), options))
    whole = site.run(rows_diff(site.pair(), ValueOptions(timestamp_precision=precision)))

    assert diff.columns[1].mismatched == 1 or diff.columns[1].reason
    assert whole.added == 1 or whole.incomparable == ("v",)


def test_a_nanosecond_differs_from_a_point_in_time(site: Any) -> None:
    if site.dialect.name != "duckdb":
        return
    moment = "2026-01-01 00:00:00"
    for name, kind, value in (
        ("base", "TIMESTAMP_NS", f"{moment}.000000001"),
        ("current", "TIMESTAMPTZ", f"{moment}+00"),
    ):
        site.adapter.execute(f"CREATE TABLE {site.relation(name)} AS SELECT 1 AS id, '{value}'::{kind} AS v")

    assert site.run(value_diff(site.pair(), ValueOptions(key=("id",)))).columns[1].mismatched == 1
    assert site.run(rows_diff(site.pair(), ValueOptions())).added == 1


NUMBERS = [
    # types, two values that a double does not tell apart, and whether the types hold others exactly
    ("duckdb", "BIGINT", "DOUBLE", "9007199254740993", "9007199254740992", True),
    ("duckdb", "DECIMAL(38,0)", "HUGEINT", "9007199254740993", "9007199254740992", True),
    ("duckdb", "UHUGEINT", "HUGEINT", "9007199254740993", "9007199254740992", True),
    ("duckdb", "DECIMAL(38,20)", "DECIMAL(38,0)", "9007199254740993", "9007199254740992", True),
    ("postgres", "bigint", "float8", "9007199254740993", "9007199254740992", True),
    ("postgres", "numeric", "float8", "9007199254740993", "9007199254740992", True),
    ("duckdb", "INTEGER", "DOUBLE", "7", "7", False),
    ("duckdb", "DECIMAL(15,2)", "DOUBLE", "7.25", "7.25", False),
    ("duckdb", "FLOAT", "DOUBLE", "7.25", "7.25", False),
    ("duckdb", "INTEGER", "BIGINT", "7", "7", False),
    ("duckdb", "DECIMAL(18,2)", "DECIMAL(38,2)", "7", "7", False),
    ("postgres", "integer", "float8", "7", "7", False),
    ("postgres", "bigint", "numeric", "9007199254740993", "9007199254740993", False),
]


@pytest.mark.parametrize(("backend_name", "base", "current", "one", "other", "is_rounded"), NUMBERS)
def test_numbers_that_are_rounded_are_never_the_same(
    site: Any, backend_name: str, base: str, current: str, one: str, other: str, is_rounded: bool
) -> None:
    if site.dialect.name != backend_name:
        return
    for name, kind, value in (("base", base, one), ("current", current, other)):
        site.create(name, {"id": "INTEGER", "v": kind}, [])
        site.adapter.execute(f"INSERT INTO {site.relation(name)} VALUES (1, '{value}'::{kind})")

    answers = [
        site.run(value_diff(site.pair(), ValueOptions(key=("id",)))),
        site.run(value_diff_detail(site.pair(), ValueOptions(key=("id",)))),
        site.run(rows_diff(site.pair(), ValueOptions())),
    ]

    for answer in answers:
        assert answer.is_equal is (None if is_rounded else True), answer
        assert [limit for limit in limits_of(answer) if "15 digits" in limit] == (
            limits_of(answer) if is_rounded else []
        )
        assert bool(limits_of(answer)) is is_rounded
        assert headline_of(answer).is_equal is answer.is_equal
    words = ("equal to 15 digits", "equal to 15 digits or microseconds") if is_rounded else ("equal", "equal")
    assert (equal_word(answers[0]), equal_word(answers[2])) == words


@pytest.mark.parametrize("current", ["{'c': 1, 'd': 2}", "{'b': 2, 'a': 1}"])
def test_structs_of_other_fields_are_not_comparable(site: Any, current: str) -> None:
    if site.dialect.name != "duckdb":
        return
    for name, value in (("base", "{'a': 1, 'b': 2}"), ("current", current)):
        site.adapter.execute(f"CREATE TABLE {site.relation(name)} AS SELECT 1 AS id, {value} AS v")

    by_key = site.run(value_diff(site.pair(), ValueOptions(key=("id",))))
    whole = site.run(rows_diff(site.pair(), ValueOptions()))

    assert by_key.columns[1].reason
    assert whole.incomparable == ("v",)
    assert by_key.is_equal is whole.is_equal is None


@pytest.mark.parametrize("current", ["TIMESTAMP_NS", "TIMESTAMP_S", "DATE"])
def test_a_sample_of_timestamps_is_the_same_in_any_unit(site: Any, current: str) -> None:
    if site.dialect.name != "duckdb":
        return
    day = "TIMESTAMP '2000-01-01' + INTERVAL 1 DAY * i"
    days = "SELECT CAST(" + day + " AS {}) AS day, i AS v FROM range(3000) AS s(i)"
    for name, kind in (("base", "TIMESTAMP"), ("current", current)):
        site.adapter.execute(f"CREATE TABLE {site.relation(name)} AS {days.format(kind)}")

    diff = site.run(value_diff(site.pair(), ValueOptions(key=("day",), sample=10)))

    assert (diff.added, diff.removed) == (0, 0)
    assert 200 < diff.common < 400
