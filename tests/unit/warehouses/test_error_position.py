"""From what warehouses tell of a place to a line and a column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.adapter.errors import translate_error
from recce_meta.warehouses import warehouse_named
from recce_meta.warehouses.error_position import EXCERPT_CHARACTERS, excerpt, line_and_column, place_by_caret


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_number_of_a_character_leads_to_it(before: str, after: str) -> None:
    sql = f"{before}!{after}"

    line, column = line_and_column(len(before) + 1, sql)

    assert sql.split("\n")[line - 1][column - 1] == "!"


@pytest.mark.parametrize(
    ("message", "sql", "place"),
    [
        ('Binder Error: "x"\n\nLINE 2:   nope,\n          ^^^^', "SELECT 1,\n  nope,\n 3", (2, 3)),
        ("Error\nLINE 1: SELECT '漢字', nope\n                       ^", "SELECT '漢字', nope", (1, 14)),
        ("Error\nLINE 1: ...b, nope, c...\n              ^", "SELECT a, b, nope, cd", (1, 14)),
        ("Error\nLINE 1: SELECT 1 +\n                 ^", "SELECT 1 +", (1, 10)),
        ("Parser Error: syntax error at or near", "SELEKT", None),
        ("Error\nLINE 9: x\n        ^", "SELECT", None),
        ("Error\nLINE 1: something else\n        ^", "SELECT", None),
    ],
)
def test_a_caret_points_to_a_place(message: str, sql: str, place: tuple[int, int] | None) -> None:
    assert place_by_caret(message, sql) == place


def test_an_excerpt_of_a_long_line_shows_the_place() -> None:
    sql = f"{'a' * 5000}!{'b' * 5000}"

    found = excerpt(sql, 1, 5001)

    assert found is not None
    shown, caret = found.split("\n")
    assert len(shown) == EXCERPT_CHARACTERS
    assert shown[caret.index("^")] == "!"


def test_an_excerpt_counts_wide_characters_double_and_tabs_once() -> None:
    assert excerpt("\t漢 x", 1, 4) == " 漢 x\n    ^"


def test_there_is_no_excerpt_of_a_line_that_is_not_there() -> None:
    assert excerpt("SELECT 1", 2, 1) is None
    assert excerpt("SELECT 1", 1, 10) is None
    assert excerpt("SELECT 1 +", 1, 11) == "SELECT 1 +\n          ^"


class Told(Exception):
    """An error that says what it is given."""


@pytest.mark.parametrize(
    ("name", "error", "place"),
    [
        (
            "snowflake",
            Told("001003 (42000): SQL compilation error:\nsyntax error line 2 at position 2"),
            (2, 3),
        ),
        ("bigquery", Told('400 Syntax error: Unexpected identifier "nope" at [2:3]'), (2, 3)),
        ("databricks", Told("[PARSE_SYNTAX_ERROR] Syntax error at or near 'nope'.(line 2, pos 2)"), (2, 3)),
        ("databricks", Told("[UNRESOLVED_COLUMN] `nope` cannot be resolved.; line 2 pos 2"), (2, 3)),
        ("redshift", Told({"S": "ERROR", "C": "42601", "M": "syntax error", "P": "13"}), (2, 3)),
        ("redshift", Told({"S": "ERROR", "C": "42601", "M": "syntax error"}), None),
        ("snowflake", Told("something else"), None),
    ],
)
def test_every_warehouse_tells_its_place(name: str, error: Exception, place: tuple[int, int] | None) -> None:
    sql = "SELECT 1,\n  nope"

    told = translate_error(error, warehouse_named(name), sql=sql, secrets=())

    assert (told.line, told.column) == (place or (None, None))
    assert told.excerpt == (place and "  nope\n  ^")
    assert place is None or told.message.endswith("LINE 2, COLUMN 3:\n  nope\n  ^")
