"""Messages of warehouses about a relation that is missing, and about one that a view reads."""

from __future__ import annotations

import pytest
from sqlglot import exp

from recce_meta.data_diff.source import SideRelation, is_absent
from recce_meta.errors import MissingRelation
from recce_meta.models.data_diff import DataSide
from recce_meta.warehouses.duckdb.dialect import DuckDB


@pytest.mark.parametrize(
    ("message", "absent"),
    [
        ("Catalog Error: Table with name orders does not exist!", True),
        ('Catalog Error: Table with name "s.orders" does not exist because schema "s" does not exist.', True),
        ("Catalog Error: Table with name payments does not exist!", False),
        ('Binder Error: Referenced column "amount" not found in FROM clause!', False),
        ('Binder Error: Referenced column "orders" not found in FROM clause!', False),
        ('relation "s.orders" does not exist', True),
        ('relation "s.raw_orders" does not exist', False),
        (
            "[TABLE_OR_VIEW_NOT_FOUND] The table or view `s`.`orders` cannot be found. Verify the schema.",
            True,
        ),
        ("[TABLE_OR_VIEW_NOT_FOUND] The table or view `s`.`raw` cannot be found. Verify the schema.", False),
        ("[SCHEMA_NOT_FOUND] The schema `d`.`s` cannot be found.", True),
        ("SQL compilation error: Object 'D.S.ORDERS' does not exist or not authorized.", True),
        ("Failure during expansion of view 'ORDERS': Object 'D.S.RAW' does not exist", False),
        ("SQL compilation error: Database 'D' does not exist or not authorized.", True),
        ("404 Not found: Table d:s.orders was not found in location EU", True),
        ("404 Not found: Dataset my-project:s was not found in location EU", True),
        ("404 Not found: Table d:s.raw was not found in location EU", False),
        ("no such table: orders", True),
        ('relation "raw.orders" does not exist', False),
        ('column "amount" does not exist in orders', False),
        ("Unrecognized name: orders at [2:3]", False),
        ("SQL compilation error: error line 1 at position 7 invalid identifier 'ORDERS'", False),
        ('Table with name orders does not exist!\nDid you mean "raw.orders"?', True),
        ('Table with name orders does not exist!\nDid you mean "s.orders"?', False),
        ("[TABLE_OR_VIEW_NOT_FOUND] The table or view `raw`.`orders` cannot be found.", False),
        ("404 Not found: Table d:raw.orders was not found in location EU", False),
        ("404 Not found: Dataset d:raw was not found in location EU", False),
        ("[SCHEMA_NOT_FOUND] The schema `d`.`raw` cannot be found.", False),
        ("Not found: Table d:s.raw was not found; failed to parse view 'd.s.orders' at [2:5]", False),
        ("View definition for 'D.S.ORDERS' declared 3 column(s), but its query produces 4.", False),
        ("Table 's.orders' doesn't exist", True),
    ],
)
def test_only_a_message_that_names_the_relation_means_that_it_was_not_built(
    message: str, absent: bool
) -> None:
    relation = exp.to_table("d.s.orders")
    source = SideRelation(name="orders", relation=relation, dialect=DuckDB(), side=DataSide.BASE)

    assert is_absent(source, MissingRelation(message)) is absent
