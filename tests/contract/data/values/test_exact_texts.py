"""Texts and JSON that a warehouse takes for equal, though they are not."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.diff.data.detail import value_diff_detail
from recce_meta.diff.data.rows import rows_diff
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.value import value_diff

COLLATIONS = {
    "postgres": (
        "CREATE COLLATION {name} (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
    ),
    "duckdb": None,
}
BY_ID = ValueOptions(key=("id",))


@pytest.fixture
def collated(site: Any) -> str:
    """The type of a text whose collation ignores case."""
    name = site.adapter.warehouse.name
    if name not in COLLATIONS:
        pytest.skip("its collations are named otherwise")
    if name == "duckdb":
        return "VARCHAR COLLATE NOCASE"
    own = site.adapter.quote_table(site.schema, "ignoring_case")
    site.adapter.execute(COLLATIONS[name].format(name=own))
    return f"TEXT COLLATE {own}"


def create(site: Any, name: str, kind: str, values: str) -> None:
    relation = site.relation(name)
    site.adapter.execute(f"CREATE TABLE {relation} (id {kind}, t {kind}, n INTEGER)")
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


def test_a_text_and_a_number_are_compared_exactly_whatever_the_collation(site: Any, collated: str) -> None:
    base, current = site.relation("base"), site.relation("current")
    site.adapter.execute(f"CREATE TABLE {base} (id INTEGER, t INTEGER)")
    site.adapter.execute(f"CREATE TABLE {current} (id INTEGER, t {collated})")
    site.adapter.execute(f"INSERT INTO {base} VALUES (1, 12), (2, 13)")
    site.adapter.execute(f"INSERT INTO {current} VALUES (1, '12'), (2, '014')")

    diff = site.run(value_diff(site.pair(), BY_ID))

    assert (diff.columns[1].compared_as, diff.columns[1].mismatched) == ("text", 1)


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
    if site.adapter.warehouse.name not in COLLATIONS:
        pytest.skip("JSON is compared as the warehouse writes it")
    tables({"id": "INTEGER", "j": "JSON"}, [(1, base)], [(1, current)])

    keyed = site.run(value_diff(site.pair(), BY_ID))
    whole = site.run(rows_diff(site.pair(), ValueOptions()))

    assert (keyed.is_equal, whole.is_equal) == (is_same, is_same)
