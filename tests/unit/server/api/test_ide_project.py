"""Projects of syncs from editors: names are resolved, and equal states have one run id."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.errors import UsageError
from recce_meta.server.api.ide_project import (
    MOST_CONFLICTS,
    IdeProject,
    SyncRequest,
    ide_project,
    items_of,
    new_counts,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
Json = dict[str, Any]
STATE: Json = {
    "objects": [{"id": f"model.shop.{name}", "name": name} for name in ("orders", "payments", "Customers")],
    "columns": [
        {"object": "orders", "name": "Amount", "data_type": "DOUBLE"},
        {"object": "payments", "name": "a.b", "data_type": "TEXT"},
        {"object": "Customers", "name": "id"},
    ],
    "dependencies": [
        {"source": "orders", "target": "payments", "confidence": 0.5},
        {"source": "Customers", "target": "orders"},
    ],
    "column_lineage": [
        {"target": "orders.Amount", "source": "payments.a.b", "transformation": "sum(x)"},
        {"target": "Customers.id", "source": "orders.Amount", "confidence": 0.7},
    ],
}


def read(*, workspace: str = "w", project: str = "shop", **fields: object) -> IdeProject:
    """Return the project of a sync."""
    request = msgspec.convert({"workspace_id": workspace, **fields}, SyncRequest)
    return ide_project(request, project, NOW)


def derivations(found: IdeProject) -> set[tuple[str, str, str, str]]:
    """Return target and source of each derivation."""
    return {(key, name, parent, column) for key, name, _, parent, column, _ in found.items.column_lineage}  # type: ignore[misc]


@given(st.data())
def test_the_order_of_a_request_does_not_matter(data: st.DataObject) -> None:
    shuffled: Json = {key: data.draw(st.permutations(items)) for key, items in STATE.items()}

    assert read(**shuffled) == read(**STATE)


def test_the_run_depends_on_workspace_project_and_contents() -> None:
    runs = [
        read(**STATE),
        read(workspace="other", **STATE),
        read(project="other", **STATE),
        read(**{**STATE, "columns": STATE["columns"][:2]}),
        read(**{**STATE, "column_lineage": STATE["column_lineage"][:1]}),
    ]
    assert len({one.project.run.run_id for one in runs}) == 5
    assert runs[0].project.run.environment == "workspace:w"
    # A graph with the id of a stored one gets the column lineage of that one.
    assert runs[0].project.nodes != runs[4].project.nodes


@pytest.mark.parametrize(
    "reference", ["orders.Amount", "ORDERS.amount", "model.shop.orders.Amount", "MODEL.SHOP.ORDERS.AMOUNT"]
)
def test_a_column_is_found_by_its_id_and_by_the_name_of_its_object(reference: str) -> None:
    lineage = [{"target": "Customers.id", "source": reference}]
    found = read(**{**STATE, "column_lineage": lineage})

    assert derivations(found) == {("model.shop.Customers", "id", "model.shop.orders", "Amount")}
    assert not found.conflicts


def test_a_name_with_dots_is_that_of_the_longest_object() -> None:
    objects = [{"name": "a"}, {"name": "a.b"}, {"name": "c"}]
    lineage = [{"target": "c.x", "source": "a.b.y"}, {"target": "c.x", "source": "a.z.y"}]

    assert derivations(read(objects=objects, column_lineage=lineage)) == {
        ("c", "x", "a.b", "y"),
        ("c", "x", "a", "z.y"),
    }


def test_a_name_of_several_objects_means_none_of_them() -> None:
    objects = [{"id": "1", "name": "orders"}, {"id": "2", "name": "Orders"}, {"id": "3", "name": "x"}]
    dependencies = [{"source": "x", "target": name} for name in ("orders", "Orders", "ORDERS")]
    found = read(objects=objects, dependencies=dependencies)

    assert found.items.dependencies == {("3", "1", 1.0), ("3", "2", 1.0)}
    assert [one.id for one in found.conflicts] == ["x → ORDERS"]


def test_conflicts_are_limited() -> None:
    found = read(
        objects=[{"name": "a"}], dependencies=[{"source": "a", "target": str(i)} for i in range(500)]
    )

    assert len(found.conflicts) == MOST_CONFLICTS
    assert found.project.warnings == ("500 items of the sync were left out",)


def test_an_object_needs_an_id_or_a_name() -> None:
    with pytest.raises(UsageError, match=r"objects\[1\] has neither an id nor a name"):
        read(objects=[{"name": "a"}, {"object_type": "view"}])


def test_only_what_is_new_or_changed_is_counted() -> None:
    before, nothing = read(**STATE).items, items_of((), {})
    more = [*STATE["columns"], {"object": "orders", "name": "tax"}]

    assert new_counts(before, nothing) == {
        "objects": 3, "columns": 3, "dependencies": 2, "column_lineage": 2,
    }  # fmt: skip
    assert new_counts(before, before) == dict.fromkeys(STATE, 0)
    assert new_counts(read(**{**STATE, "columns": more}).items, before) == {
        **dict.fromkeys(STATE, 0),
        "columns": 1,
    }
