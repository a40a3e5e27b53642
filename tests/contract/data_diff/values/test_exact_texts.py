"""Texts and JSON that a warehouse takes for equal, though they are not."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.data_diff.detail import value_diff_detail
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.data_diff.value import value_diff

COLLATED = {
    "postgres": "TEXT COLLATE {own}",
    "duckdb": "VARCHAR COLLATE NOCASE",
    "snowflake": "VARCHAR COLLATE 'en-ci'",
    "bigquery": "STRING COLLATE 'und:ci'",
    "redshift": "VARCHAR(20) COLLATE case_insensitive",
    "databricks": "STRING COLLATE UTF8_LCASE",
    "mysql": "VARCHAR(20) COLLATE utf8mb4_general_ci",
    "sqlite": "TEXT COLLATE NOCASE",
}
"""The type of a text whose collation ignores case."""
WHOLE = {"bigquery": "INT64"}
COLLATION = "CREATE COLLATION {own} (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
BY_ID = ValueOptions(key=("id",))


@pytest.fixture
def collated(site: Any) -> str:
    """The type of a text whose collation ignores case."""
    kind = COLLATED[site.adapter.warehouse.name]
    own = site.adapter.quote_table(site.schema, "ignoring_case")
    if "{own}" in kind:
        site.adapter.execute(COLLATION.format(own=own))
    return kind.format(own=own)


def create(site: Any, name: str, kind: str, values: str) -> None:
    relation, number = site.relation(name), WHOLE.get(site.adapter.warehouse.name, "INTEGER")
    site.adapter.execute(f"CREATE TABLE {relation} (id {kind}, t {kind}, n {number})")
    site.adapter.execute(f"INSERT INTO {relation} VALUES {values}")


def test_texts_are_compared_exactly_whatever_their_collation(site: Any, collated: str) -> None:
    create(site, "base", collated, "('k', 'A', 1), ('l', 'é', 1), ('m', NULL, 1), ('N', 'x', 1)")
    create(site, "current", collated, "('k', 'a', 1), ('l', 'é', 1), ('m', '', 1), ('n', 'x', 1)")

    diff = site.run(value_diff(site.pair(), BY_ID))
    folded = site.run(value_diff(site.pair(), ValueOptions(key=("id",), ignore_case=True)))
    detail = site.run(value_diff_detail(site.pair(), BY_ID))
    rows = site.run(rows_diff(site.pair(), ValueOptions()))

    assert (diff.common, diff.changed, diff.added, diff.removed) == (3, 2, 1, 1)
    assert [(one.base, one.current) for one in diff.columns[1].examples] == [("A", "a"), (None, "")]
    assert folded.changed == 1
    assert [(row.key, row.status) for row in detail.rows] == [
        (("N",), "removed"),
        (("k",), "changed"),
        (("m",), "changed"),
        (("n",), "added"),
    ]
    assert (rows.common, rows.added, rows.removed) == (1, 3, 3)


def test_distinct_and_frequent_texts_are_counted_exactly_whatever_their_collation(
    site: Any, collated: str
) -> None:
    create(site, "base", collated, "('k', 'A', 1), ('l', 'a', 1), ('m', 'B', 1), ('n', 'B', 1)")
    create(site, "current", collated, "('k', 'a', 1), ('l', 'a', 1), ('m', 'b', 1), ('n', 'B', 1)")

    profiles = site.run(profile_diff(site.pair(), columns=("t",))).columns[0]
    values = site.run(top_k_diff(site.pair(), columns=("t",))).columns[0].values

    assert profiles.base is not None and profiles.current is not None
    assert (profiles.base.distinct_count, profiles.current.distinct_count) == (3, 3)
    assert (profiles.base.min, profiles.base.max) == ("A", "a")
    assert (profiles.current.min, profiles.current.max) == ("B", "b")
    assert [(one.value, one.base, one.current) for one in values] == [
        ("a", 1, 2),
        ("B", 2, 1),
        ("b", 0, 1),
        ("A", 1, 0),
    ]


def test_repeated_keys_are_found_exactly_whatever_their_collation(site: Any, collated: str) -> None:
    create(site, "base", collated, "('k', 'A', 1), ('K', 'A', 1), ('l', 'A', 1)")
    create(site, "current", collated, "('k', 'A', 1), ('K', 'B', 1), ('l', 'A', 1), ('l', 'A', 1)")

    diff = site.run(value_diff(site.pair(), BY_ID))

    assert diff.base is not None and diff.current is not None
    assert (diff.base.duplicate_keys, diff.current.duplicate_keys) == (0, 1)
    assert (diff.common, diff.changed) == (2, 1)


def test_texts_within_arrays_and_structs_are_compared_exactly_whatever_their_collation(site: Any) -> None:
    if site.adapter.warehouse.name != "databricks":
        pytest.skip("a collation of what an array holds has another form, or none")
    texts = "STRING COLLATE UTF8_LCASE"
    for name, first, second in (("base", "A", "b"), ("current", "a", "B")):
        site.adapter.execute(
            f"CREATE TABLE {site.relation(name)} (id INT, a ARRAY<{texts}>, s STRUCT<f: {texts}>)"
        )
        site.adapter.execute(
            f"INSERT INTO {site.relation(name)}"
            f" VALUES (1, ARRAY('{first}'), NAMED_STRUCT('f', 'x')),"
            f" (2, ARRAY('x'), NAMED_STRUCT('f', '{second}'))"
        )

    diff = site.run(value_diff(site.pair(), BY_ID))

    assert [column.mismatched for column in diff.columns] == [0, 1, 1]


@pytest.mark.parametrize("fixed", ["char(5)", "bpchar", "name"])
@pytest.mark.parametrize("other", ["varchar(80)", "text"])
def test_blanks_at_the_end_count_where_one_side_has_texts_of_fixed_length(
    site: Any, fixed: str, other: str
) -> None:
    if site.adapter.warehouse.name != "postgres":
        pytest.skip("these are types of PostgreSQL")
    long = "x" * 63
    for name, kind, values in (
        (
            "base",
            fixed,
            f"('ab', 'k', 1), ('cd', 'l', 2), ('{'x' * 5 if fixed == 'char(5)' else long}', 'm', 3)",
        ),
        ("current", other, f"('ab  ', 'k ', 1), ('cd', 'l', 2), ('{long}yz', 'm', 3)"),
    ):
        site.adapter.execute(f"CREATE TABLE {site.relation(name)} (t {kind}, k {kind}, id integer)")
        site.adapter.execute(f"INSERT INTO {site.relation(name)} VALUES {values}")

    keyed = site.run(value_diff(site.pair(), ValueOptions(key=("id",))))
    by_text = site.run(value_diff(site.pair(), ValueOptions(key=("k",))))
    detail = site.run(value_diff_detail(site.pair(), ValueOptions(key=("id",))))
    rows = site.run(rows_diff(site.pair(), ValueOptions()))
    (top,) = site.run(top_k_diff(site.pair(), columns=("t",))).columns

    assert {column.name: column.mismatched for column in keyed.columns} == {"id": 0, "t": 2, "k": 1}
    assert (by_text.common, by_text.added, by_text.removed) == (2, 1, 1)
    assert [row.key for row in detail.rows] == [(1,), (3,)]
    assert (rows.common, rows.added, rows.removed) == (1, 2, 2)
    assert sorted((one.base, one.current) for one in top.values) == [(0, 1), (0, 1), (1, 0), (1, 0), (1, 1)]


def test_a_text_and_a_number_are_compared_exactly_whatever_the_collation(site: Any, collated: str) -> None:
    base, current = site.relation("base"), site.relation("current")
    number = WHOLE.get(site.adapter.warehouse.name, "INTEGER")
    site.adapter.execute(f"CREATE TABLE {base} (id {number}, t {number})")
    site.adapter.execute(f"CREATE TABLE {current} (id {number}, t {collated})")
    site.adapter.execute(f"INSERT INTO {base} VALUES (1, 12), (2, 13)")
    site.adapter.execute(f"INSERT INTO {current} VALUES (1, '12'), (2, '014')")

    diff = site.run(value_diff(site.pair(), BY_ID))

    assert (diff.columns[1].compared_as, diff.columns[1].mismatched) == ("text", 1)


def test_trailing_blanks_are_spaces_alone(site: Any, tables: Any) -> None:
    texts = ("a", "a ", "a  ", "a\t", "a\n", "a\u00a0", "a\u3000", " a", "", "   ")
    tables(
        {"id": "INTEGER", "t": "TEXT"},
        [(place, "" if place > 7 else "a") for place in range(len(texts))],
        list(enumerate(texts)),
    )

    diff = site.run(
        value_diff(site.pair(), ValueOptions(key=("id",), ignore_trailing_blanks=True, examples=9))
    )

    differing = {example.key[0] for example in diff.columns[1].examples}
    assert differing == {3, 4, 5, 6, 7}


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("base", "current", "is_same"),
    [
        ('{"a": 1.00000000000000000001}', '{"a": 1.0}', False),
        ("[0.12345678901234567]", "[0.12345678901234568]", False),
        ("[12345678901234567890123]", "[12345678901234567890124]", False),
        ("[1e400]", "[1e401]", False),
        ("[1e-400]", "[0.0]", False),
        ("[1e-400]", "[ 1e-400 ]", True),
        ('{"a": "\\"1.10 ", "b": 1.20, "c": 1e300}', '{"a": "\\"1.10 ", "b": 1.2, "c":1e300}', True),
        ('{"a": "\\"1.10 ", "b": 1.20, "c": 1e300}', '{"a": "\\"1.1 ", "b": 1.2, "c":1e300}', False),
        ('{"a" : 1.00000000000000000001}', '{"a":1.0000000000000000000100}', True),
        ("[1.5000000000000000000000]", "[1.5]", True),
        ("[1.10, 100000000000000000000]", "[1.1,100000000000000000000]", True),
        ('{"a": "1.00000000000000000001"}', '{"a": "1.00000000000000000001 "}', False),
        ('{"a": "\\"1.00000000000000000001  x"}', '{ "a": "\\"1.00000000000000000001  x"}', True),
        ("null", None, False),
    ],
)
def test_numbers_in_json_are_compared_in_all_their_digits(
    site: Any, tables: Any, base: str, current: str | None, is_same: bool
) -> None:
    if site.adapter.warehouse.name not in ("duckdb", "postgres"):
        pytest.skip("JSON is compared as the warehouse writes it")
    tables({"id": "INTEGER", "j": "JSON"}, [(1, base)], [(1, current)])

    keyed = site.run(value_diff(site.pair(), BY_ID))
    whole = site.run(rows_diff(site.pair(), ValueOptions()))

    assert (keyed.is_equal, whole.is_equal) == (is_same, is_same)
