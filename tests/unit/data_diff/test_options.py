"""Which columns identify a row, as projects say it."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.data_diff.options import DeclaredKey, declared_keys, fitting_key
from recce_meta.models import Column, NodeMetadata

MODEL = "model.shop.orders"


def model(**fields: Any) -> NodeMetadata:
    return NodeMetadata(unique_id=MODEL, name="orders", resource_type="model", **fields)


def check(
    name: str, *, config: dict[str, Any] | None = None, column: str | None = None, **kwargs: Any
) -> Any:
    properties: dict[str, Any] = {
        "test_metadata": {"name": name, "kwargs": kwargs},
        "attached_node": MODEL,
    }
    if column:
        properties["column_name"] = column
    return NodeMetadata(
        unique_id=f"test.shop.{name}",
        name=name,
        resource_type="test",
        config=config or {},
        properties=properties,
    )


def test_the_most_trustworthy_comes_first_and_each_key_once() -> None:
    node = model(
        properties={"constraints": [{"type": "primary_key", "columns": ["id"]}, {"type": "unique"}]},
        columns=(Column("ID", constraints=({"type": "primary_key"},)), Column("line")),
        config={"unique_key": ["order_id", "line"]},
    )
    tests = [
        check("unique_combination_of_columns", combination_of_columns=["line", "order_id"]),
        check("expect_compound_columns_to_be_unique", column_list=["day", "shop"]),
        check("unique", column="number", column_name="number"),
    ]

    assert declared_keys(node, tests) == (
        DeclaredKey(("id",), "primary key"),
        DeclaredKey(("order_id", "line"), "unique_key"),
        DeclaredKey(("number",), "unique test"),
        DeclaredKey(("day", "shop"), "expect_compound_columns_to_be_unique test"),
    )


@pytest.mark.parametrize(
    ("value", "columns"),
    [("id", ("id",)), (["a", "b"], ("a", "b")), ('"Order Id"', ("Order Id",)), ("`x`", ("x",))],
)
def test_a_unique_key_is_a_text_or_a_list(value: object, columns: tuple[str, ...]) -> None:
    assert declared_keys(model(config={"unique_key": value})) == (DeclaredKey(columns, "unique_key"),)


@pytest.mark.parametrize("value", [None, [], "", 3, ["a", None], {"a": 1}])
def test_a_unique_key_that_names_no_columns_is_none(value: object) -> None:
    assert declared_keys(model(config={"unique_key": value})) == ()


@pytest.mark.parametrize(
    "test",
    [
        check("unique", column="id", config={"where": "not is_deleted"}),
        check("unique", column="id", config={"enabled": False}),
        check("unique", column="id", where="not is_deleted"),
        check("expect_compound_columns_to_be_unique", column_list=["id"], row_condition="a > 1"),
        check("not_null", column="id"),
    ],
)
def test_a_test_that_says_nothing_of_all_rows_makes_no_key(test: NodeMetadata) -> None:
    assert declared_keys(model(), [test]) == ()


def test_tests_of_other_models_are_passed_over() -> None:
    other = NodeMetadata(
        unique_id="test.shop.u",
        name="u",
        resource_type="test",
        properties={
            "test_metadata": {"name": "unique", "kwargs": {"column_name": "id"}},
            "attached_node": "model.shop.customers",
        },
    )
    assert declared_keys(model(), [other]) == ()


def test_arguments_may_be_kept_one_level_down() -> None:
    test = check("unique_combination_of_columns", arguments={"combination_of_columns": ["a", "b"]})
    assert declared_keys(model(), [test])[0].columns == ("a", "b")


def test_the_first_key_that_both_sides_have_fits() -> None:
    keys = (DeclaredKey(("gone",), "unique_key"), DeclaredKey(("id", "Line"), "unique test"))

    assert fitting_key(keys, ["ID", "line"], ["id", "LINE", "gone"]) == keys[1]
    assert fitting_key(keys, ["id"], ["id"]) is None


@pytest.mark.parametrize(("declared", "stored"), [('"Order ID"', "Order ID"), ("k" * 70, "k" * 63)])
def test_a_declared_key_is_found_without_its_quotes_and_as_the_warehouse_cuts_it(
    declared: str, stored: str
) -> None:
    keys = (DeclaredKey((declared,), "unique_key"),)

    assert fitting_key(keys, [stored], [stored, "n"]) == DeclaredKey((stored,), "unique_key")
    assert fitting_key(keys, [stored], ["n"]) is None
