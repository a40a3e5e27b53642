"""Columns of a catalog on the nodes of a manifest."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from recce_meta.extractors.project import extract_columns_from_catalog
from recce_meta.models import Column, NodeMetadata

ORDERS = "model.shop.orders"


def node(*documented: str) -> NodeMetadata:
    columns = tuple(Column(name=name, description=f"about {name}", documented=True) for name in documented)
    return NodeMetadata(
        unique_id=ORDERS, name="orders", resource_type="model", columns=columns, columns_from="manifest"
    )


def catalog(folder: Path, *found: tuple[int, str]) -> Path:
    columns = {name: {"index": index, "name": name, "type": "TEXT"} for index, name in found}
    path = folder / "catalog.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"nodes": {ORDERS: {"columns": columns}}}).encode()))
    return path


@pytest.mark.parametrize(
    ("documented", "found", "described"),
    [
        (("id", "amount"), ((2, "amount"), (1, "id")), [("id", "about id"), ("amount", "about amount")]),
        (("id", "amount"), ((1, "AMOUNT"), (2, "ID")), [("AMOUNT", "about amount"), ("ID", "about id")]),
        (("id",), ((1, "ID"), (2, "id")), [("ID", ""), ("id", "about id")]),
        (("id", "ID"), ((1, "ID"), (2, "id")), [("ID", "about ID"), ("id", "about id")]),
        ((), ((0, "a"), (7, "b")), [("a", ""), ("b", "")]),
    ],
    ids=["by index", "upper case of Snowflake", "two of one name in quotes", "both documented", "gaps"],
)
def test_columns_stand_in_order_with_the_documentation_of_their_name(
    documented: tuple[str, ...],
    found: tuple[tuple[int, str], ...],
    described: list[tuple[str, str]],
    tmp_path: Path,
) -> None:
    given = [node(*documented)]

    (answer,) = extract_columns_from_catalog(catalog(tmp_path, *found), given)

    assert [(column.name, column.description) for column in answer.columns] == described
    assert answer.columns_from == "catalog"
    assert given == [node(*documented)]


def test_documented_columns_that_the_relation_lacks_are_kept_apart(tmp_path: Path) -> None:
    (answer,) = extract_columns_from_catalog(catalog(tmp_path, (1, "id")), [node("id", "gone")])

    assert [column.name for column in answer.columns] == ["id"]
    assert [column["name"] for column in answer.properties["columns_not_in_catalog"]] == ["gone"]


@pytest.mark.parametrize(
    ("contract", "order"), [({"enforced": True}, ["amount", "id"]), (None, None)], ids=["contract", "none"]
)
def test_the_order_of_a_contract_is_kept_next_to_that_of_an_older_catalog(
    contract: dict[str, bool] | None, order: list[str] | None, tmp_path: Path
) -> None:
    given = replace(node("amount", "id"), contract=contract)

    (answer,) = extract_columns_from_catalog(catalog(tmp_path, (1, "id"), (2, "amount")), [given])

    assert answer.properties.get("contract_order") == order
    assert [column.name for column in answer.columns] == ["id", "amount"]
