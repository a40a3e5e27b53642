"""What a node tells of itself, and what its code is known by."""

from __future__ import annotations

from recce_meta.models import NodeMetadata, code_hash


def test_white_space_does_not_count_in_the_hash_of_code() -> None:
    assert code_hash("select  1\n from\ta ") == code_hash("select 1 from a")
    assert code_hash("select 1") != code_hash("select 2")


def test_half_a_surrogate_pair_can_be_hashed() -> None:
    assert code_hash("\ud800") != code_hash("?")


def test_a_label_tells_versions_apart() -> None:
    node = NodeMetadata(unique_id="model.shop.orders.v2", name="orders", resource_type="model", version="2")

    assert node.label == "orders.v2"
