"""Which refusals of a binder say that a query cannot be built."""

from __future__ import annotations

import pytest

from recce_meta.sql_diff import Fault, Reading, bound_fault, lacking_column, lacking_function
from recce_meta.warehouses.binding import Refusal

SURE = Reading(is_exact=True, is_closed=True)
MISSING = Refusal("Binder", 'Referenced column "total" not found in FROM clause!', 2, "total")
AMBIGUOUS = Refusal("Binder", "Ambiguous reference to column name \"id\" (use: 'a.id' or 'b.id')")
TYPES = Refusal("Binder", "No function matches the given name and argument types '+(INTEGER, VARCHAR)'. You")


@pytest.mark.parametrize(
    ("refusal", "reading", "certain"),
    [
        (MISSING, SURE, True),
        (MISSING, SURE._replace(is_exact=False), True),
        (MISSING, SURE._replace(is_closed=False), False),
        (MISSING, SURE._replace(is_own=False), False),
        (MISSING, SURE._replace(has_base=False), True),
        (AMBIGUOUS, SURE._replace(is_closed=False), True),
        (AMBIGUOUS, SURE._replace(is_own=False), False),
        (TYPES, SURE, True),
        (TYPES, SURE._replace(is_exact=False), None),
        (TYPES, SURE._replace(is_own=False), None),
        (TYPES, SURE._replace(has_base=False), None),
        (Refusal("Catalog", "Scalar Function with name foo does not exist!", 1, "foo"), SURE, False),
        (Refusal("Catalog", "Type with name nope does not exist!", 1, "nope"), SURE, False),
        (Refusal("Binder", 'Referenced table "x" not found!'), SURE, True),
        (Refusal("Binder", 'Referenced table "x" not found!'), SURE._replace(is_own=False), False),
        (Refusal("Binder", 'Referenced table "x" not found!'), SURE._replace(has_fields=True), None),
        (Refusal("Binder", 'Referenced column "rowid" not found in FROM clause!'), SURE, None),
        (Refusal("Binder", 'No matching columns found that match regex "^i.*"'), SURE, None),
        (Refusal("Catalog", "Table with name x does not exist!", 1, "x"), SURE, None),
        (Refusal("Parser", 'syntax error at or near ","', 1), SURE, True),
        (Refusal("Parser", 'syntax error at or near ","', 1), SURE._replace(is_own=False), None),
        (Refusal("Parser", "unterminated string literal"), SURE, True),
        (Refusal("Parser", "Max expression depth limit of 1000 exceeded."), SURE, None),
        (
            Refusal("Permission", 'Cannot access file "a.csv" - disabled by configuration'),
            SURE,
            None,
        ),
        (Refusal("Binder", "Deprecated lambda arrow (->) detected."), SURE, None),
        (Refusal("Binder", "Could not choose a best candidate function for the call"), SURE, None),
        (Refusal("Relation", "no such relation can be created: syntax error"), SURE, None),
    ],
)
def test_only_sentences_of_a_closed_list_are_faults(
    refusal: Refusal, reading: Reading, certain: bool | None
) -> None:
    found = bound_fault(refusal, reading, "m.sql:2, DuckDB 1.4.0")

    assert found == (None if certain is None else Fault(f"{refusal.text} (m.sql:2, DuckDB 1.4.0)", certain))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('Referenced column "a b" not found in FROM clause!', "a b"),
        ('Table "o" does not have a column named "x"', "x"),
        ('Values list "c" does not have a column named "nam"', "nam"),
        ("Referenced column t not found in FROM clause and can't find in alias map.", "t"),
        ('Column "x" in EXCLUDE list not found in t', "x"),
        ("Referenced update column x not found in table!", "x"),
        ('Table "t" does not have a column with name "x"', "x"),
        ("Ambiguous reference to column name \"id\" (use: 'a.id' or 'b.id')", ""),
    ],
)
def test_the_column_that_nothing_has_is_in_the_sentence(text: str, name: str) -> None:
    assert lacking_column(Refusal("Binder", text)) == name


def test_the_function_that_duckdb_lacks_is_in_the_sentence() -> None:
    known = 'Scalar Function with name "st_area" is not in the catalog, but exists in the gis extension.'

    assert lacking_function(Refusal("Catalog", "Scalar Function with name foo does not exist!")) == "foo"
    assert lacking_function(Refusal("Catalog", known)) == ""
    assert lacking_function(Refusal("Catalog", "Table Function with name foo does not exist!")) == ""
