"""What only dbt's two engines spell differently is no change."""

from __future__ import annotations

from datetime import datetime, timezone

from recce_meta.diff.changes import detect_changes
from recce_meta.models import Column, NodeMetadata, Project, RunMetadata


def project(dbt_version: str, *nodes: NodeMetadata, adapter: str = "duckdb") -> Project:
    run = RunMetadata(
        run_id=dbt_version,
        run_at=datetime(2026, 11, 1, tzinfo=timezone.utc),
        project_name="shop",
        dbt_version=dbt_version,
        adapter_type=adapter,
    )
    return Project(run=run, nodes=nodes)


def unit_test(ending: str, version: str | None = "3", **fields: object) -> NodeMetadata:
    return NodeMetadata(
        unique_id=f"unit_test.shop.customers.clv{ending}",
        name="clv",
        resource_type="unit_test",
        fqn=("shop", "customers", "clv"),
        version=version,
        **fields,  # type: ignore[arg-type]
    )


def test_the_unit_test_of_a_versioned_model_is_one_under_both_ids() -> None:
    assert detect_changes(project("1.10.22", unit_test("_v3")), project("2.0.0", unit_test(".v3"))) == {}


def test_its_edit_is_told_under_the_current_id() -> None:
    base = project("1.10.22", unit_test("_v3", properties={"expect": {"rows": [{"a": 1}]}}))
    current = project("2.0.0", unit_test(".v3", properties={"expect": {"rows": [{"a": 2}]}}))
    (change,) = detect_changes(base, current).values()
    assert (change.unique_id, [*change.reasons]) == ("unit_test.shop.customers.clv.v3", ["body"])


def test_under_one_version_of_dbt_another_id_is_another_test() -> None:
    changes = detect_changes(project("2.0.0", unit_test("_v3")), project("2.0.0", unit_test(".v3")))
    assert sorted(change.status.value for change in changes.values()) == ["added", "removed"]


def test_other_versions_are_not_taken_for_each_other() -> None:
    changes = detect_changes(project("1.10.22", unit_test("_v2", "2")), project("2.0.0", unit_test(".v3")))
    assert sorted(change.status.value for change in changes.values()) == ["added", "removed"]


def test_two_warehouses_spell_one_type_in_two_ways() -> None:
    sides = [
        project(
            "1.10.22",
            NodeMetadata(
                unique_id="model.shop.orders",
                name="orders",
                resource_type="model",
                columns=(Column("status", type=kind),),
                columns_from="catalog",
            ),
            adapter=adapter,
        )
        for kind, adapter in (("character varying", "postgres"), ("VARCHAR", "duckdb"))
    ]
    assert detect_changes(*sides) == {}
