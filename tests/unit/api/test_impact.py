"""Which node and column `NODE.COLUMN` means, names having dots, quotes and cases."""

from __future__ import annotations

import pytest

from recce_meta.api.impact import Address, ColumnNames, find_address
from recce_meta.errors import SelectorError
from recce_meta.models import NodeMetadata


def node(unique_id: str, name: str, **others: str) -> NodeMetadata:
    return NodeMetadata(
        unique_id=unique_id,
        name=name,
        resource_type=unique_id.partition(".")[0],
        **others,  # type: ignore[arg-type]
    )


NODES = {
    one.unique_id: one
    for one in (
        node("model.shop.orders", "orders"),
        node("source.shop.raw.orders", "orders", source_name="raw"),
        node("source.shop.raw.raw_orders", "raw_orders", source_name="raw"),
        node("model.shop.dim.v1", "dim", version="1"),
        node("model.shop.dim.v2", "dim", version="2"),
        node("model.shop.py", "py", language="python"),
        node("model.shop.odd.name", "odd.name"),
        node("model.shop.odd", "odd"),
        node("test.shop.unique.1a", "orders"),
        node("exposure.shop.board", "board"),
        node("model.shop.twin", "twin"),
        node("model.other.twin", "twin"),
        node("model.shop.stg", "stg"),
        node("model.shop.stg.order", "stg.order"),
    )
}
COLUMNS = {
    "model.shop.orders": ["id", "Amount", "order.date", 'say "x"'],
    "source.shop.raw.orders": ["id"],
    "source.shop.raw.raw_orders": ["ID", "Id"],
    "model.shop.dim.v1": ["key"],
    "model.shop.dim.v2": ["key", "V3"],
    "model.shop.stg": ["order.date"],
    "model.shop.stg.order": ["date"],
    "model.shop.odd": ["name", "other"],
    "model.shop.odd.name": ["other"],
    "model.shop.twin": ["mine", "both"],
    "model.other.twin": ["theirs", "both"],
}


def found(text: str) -> Address:
    return find_address(text, NODES, lambda one: ColumnNames(COLUMNS.get(one, []), one in COLUMNS))


@pytest.mark.parametrize(
    ("text", "unique_id", "column"),
    [
        ("orders", "model.shop.orders", None),
        ("model.shop.orders", "model.shop.orders", None),
        ("orders.id", "model.shop.orders", "id"),
        ("orders.AMOUNT", "model.shop.orders", "Amount"),
        ("model.shop.orders.amount", "model.shop.orders", "Amount"),
        ("orders.order.date", "model.shop.orders", "order.date"),
        ('orders."order.date"', "model.shop.orders", "order.date"),
        ('orders."say ""x"""', "model.shop.orders", 'say "x"'),
        ("orders.`Amount`", "model.shop.orders", "Amount"),
        ("orders.[id]", "model.shop.orders", "id"),
        ("raw.orders", "source.shop.raw.orders", None),
        ("raw.orders.ID", "source.shop.raw.orders", "id"),
        ("source:raw.orders.id", "source.shop.raw.orders", "id"),
        ("raw_orders.ID", "source.shop.raw.raw_orders", "ID"),
        ("dim.v2", "model.shop.dim.v2", None),
        ("dim.v2.v3", "model.shop.dim.v2", "V3"),
        ("dim.v3", "model.shop.dim.v2", "V3"),
        ("dim.v1.key", "model.shop.dim.v1", "key"),
        ("py.anything", "model.shop.py", "anything"),
        ("py.AnyThing", "model.shop.py", "anything"),
        ('py."AnyThing"', "model.shop.py", "anything"),
        ("odd.name.other", "model.shop.odd.name", "other"),
        ("odd.other", "model.shop.odd", "other"),
        ('odd."name"', "model.shop.odd", "name"),
        ("model.shop.odd.name", "model.shop.odd.name", None),
        ("twin.theirs", "model.other.twin", "theirs"),
    ],
)
def test_the_longest_node_is_tried_first_and_columns_in_any_case(
    text: str, unique_id: str, column: str | None
) -> None:
    assert found(text) == Address(unique_id, column)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "odd.name",
            "'odd.name' is ambiguous, 2 matches: model.shop.odd.name, column name of model.shop.odd",
            "use the unique id of a node, or put the column name in quotes",
        ),
        (
            "twin.both",
            "'twin.both' is ambiguous, 2 matches: column both of model.other.twin, "
            "column both of model.shop.twin",
            "start with one of these unique ids",
        ),
        (
            "raw.raw_orders.id",
            "'raw.raw_orders.id' is ambiguous, 2 matches: column ID of source.shop.raw.raw_orders, "
            "column Id of source.shop.raw.raw_orders",
            "put the column name in quotes, in its exact spelling",
        ),
        (
            "stg.order.date",
            "'stg.order.date' is ambiguous, 2 matches: column date of model.shop.stg.order, "
            "column order.date of model.shop.stg",
            "put the column name in quotes, in its exact spelling",
        ),
        ("orders.amuont", "model.shop.orders has no column 'amuont'", "did you mean 'Amount'?"),
        (
            "orders.zzz",
            "model.shop.orders has no column 'zzz'",
            'its columns: id, Amount, order.date, say "x"',
        ),
        ('orders."amount"', "model.shop.orders has no column '\"amount\"'", "did you mean 'Amount'?"),
        ("oders.id", "Node 'oders.id' not found", None),
        ("twni.theirs", "Node 'twni.theirs' not found", "did you mean 'twin.theirs'?"),
        ("board.x", "exposure.shop.board has no columns", "name a model, seed, snapshot or source"),
        ("orders.", "Node 'orders.' not found", None),
        (
            "twin",
            "'twin' is ambiguous, 2 matches: model.other.twin, model.shop.twin",
            "start with one of these unique ids",
        ),
    ],
)
def test_what_cannot_be_told_is_an_error_that_says_how_to_go_on(
    text: str, message: str, hint: str | None
) -> None:
    with pytest.raises(SelectorError) as caught:
        found(text)
    assert caught.value.message == message
    assert hint is None or caught.value.hint == hint
