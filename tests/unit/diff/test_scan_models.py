"""A database against what a dbt project says of it: what is there unclaimed, and what is claimed in vain."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta import demo_data
from recce_meta.api.diff import NOTHING_MORE, DiffQuestion, failing_changes, whole_diff
from recce_meta.errors import UsageError
from recce_meta.extractors.project import extract_project
from recce_meta.models import Column, NodeMetadata, Project, RunDiff, RunMetadata
from recce_meta.models.catalog import relation_id, schema_id

NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)


def run(run_id: str, **fields: Any) -> RunMetadata:
    return RunMetadata(
        run_id=run_id, run_at=NOW, project_name="shop", **{"adapter_type": "postgres", **fields}
    )


def relation(schema: str, name: str, kind: str = "table", *columns: Column) -> NodeMetadata:
    return NodeMetadata(
        unique_id=relation_id(schema, name),
        name=name,
        resource_type=kind,
        fqn=(schema, name),
        schema_name=schema,
        identifier=name,
        materialized=kind,
        columns=columns or (Column("id", "integer"),),
        columns_from="catalog",
    )


def scan(*relations: NodeMetadata, command: str = "scan", **fields: Any) -> Project:
    schemas = sorted({node.schema_name or "" for node in relations})
    nodes = [
        NodeMetadata(unique_id=schema_id(name), name=name, resource_type="schema", schema_name=name)
        for name in schemas
    ]
    facts = {"extractor": "database", "command": command, "target_database": "dvd", **fields}
    return Project(run=run("scan", **facts), nodes=(*nodes, *relations))


def model(name: str, schema: str = "prod", **fields: Any) -> NodeMetadata:
    kind = fields.pop("kind", "model")
    given = {
        "database_name": "dvd",
        "identifier": name,
        "relation_name": f'"dvd"."{schema}"."{name}"',
        "materialized": "table",
        "columns": (Column("id", "integer"),),
        "columns_from": "catalog",
    }
    return NodeMetadata(
        unique_id=f"{kind}.shop.{name}",
        name=name,
        resource_type=kind,
        schema_name=schema,
        **{**given, **fields},
    )


def dbt(*nodes: NodeMetadata) -> Project:
    return Project(run=run("dbt", extractor="dbt"), nodes=nodes)


def told(diff: RunDiff) -> dict[str, str]:
    return {change.unique_id: change.status.value for change in diff.changes}


def compare(base: Project, current: Project, question: DiffQuestion = NOTHING_MORE) -> RunDiff:
    return whole_diff(base, current, question)


def test_what_is_there_unclaimed_is_added_and_what_is_claimed_in_vain_is_removed() -> None:
    database = scan(relation("prod", "orders"), relation("prod", "backup"))
    project = dbt(model("orders"), model("customers"))

    assert told(compare(project, database)) == {
        "model.shop.customers": "removed",
        "relation.prod.backup": "added",
    }
    assert told(compare(database, project)) == {
        "model.shop.customers": "added",
        "relation.prod.backup": "removed",
    }


def test_columns_types_and_kinds_that_differ_are_told_in_the_direction_asked_for() -> None:
    database = scan(
        relation(
            "prod", "orders", "view", Column("id", "bigint"), Column("Name", "text"), Column("x", "text")
        )
    )
    claimed = (Column("id", "integer"), Column("name", "character varying"), Column("day", "date"))
    project = dbt(model("orders", columns=claimed))

    (there,) = compare(project, database).changes
    (back,) = compare(database, project).changes

    assert [(one.reason.value, one.key, one.base, one.current) for one in there.details] == [
        ("config", "materialized", "table", "view"),
        ("columns", "id", "integer", "bigint"),
        ("columns", "day", "date", None),
        ("columns", "x", None, "text"),
    ]
    assert [(one.key, one.base, one.current) for one in back.details] == [
        (one.key, one.current, one.base) for one in there.details
    ]
    assert there.category is None


def test_only_schemas_that_both_know_are_compared_and_the_rest_is_counted() -> None:
    database = scan(relation("prod", "orders"), relation("raw", "a"), relation("raw", "b"))
    project = dbt(model("orders"), model("x", schema="marts"), model("y", database_name="other"))

    diff = compare(project, database)

    assert told(diff) == {}
    notes = "\n".join(diff.notes)
    assert "2 relations of the database in schemas that the run does not use (raw)" in notes
    assert "1 relation of the run that the scan excluded" in notes and "(marts)" in notes
    assert "1 relation of the run in other databases (other)" in notes


def test_sources_seeds_snapshots_and_kept_failures_claim_and_ephemeral_models_do_not() -> None:
    names = ("model", "seed", "snapshot", "source", "test")
    database = scan(*(relation("prod", f"a_{kind}") for kind in names))
    nodes = [model(f"a_{kind}", kind=kind) for kind in names]
    nodes.append(model("gone", materialized="ephemeral", relation_name=None))

    assert told(compare(dbt(*nodes), database)) == {}
    assert told(compare(dbt(*nodes[1:]), database)) == {"relation.prod.a_model": "added"}


@pytest.mark.parametrize(
    ("adapter", "written", "there", "fits"),
    [
        ("postgres", '"dvd"."prod"."Orders"', "orders", False),
        ("postgres", "dvd.prod.Orders", "orders", True),
        ("snowflake", "DVD.PROD.Orders", "ORDERS", True),
        ("snowflake", '"DVD"."PROD"."Orders"', "ORDERS", False),
        ("duckdb", '"dvd"."prod"."Orders"', "orders", True),
    ],
)
def test_names_are_matched_as_the_warehouse_folds_them(
    adapter: str, written: str, there: str, fits: bool
) -> None:
    database = scan(relation("prod", there), adapter_type=adapter)
    project = dbt(model("Orders", relation_name=written))

    assert (told(compare(project, database)) == {}) is fits


@pytest.mark.parametrize(
    ("claimed", "actual", "same"),
    [
        ("character varying", "character varying(40)", True),
        ("NUMBER", "NUMBER(38,0)", True),
        ("numeric(4,2)", "numeric(5,2)", False),
        ("text", "integer", False),
    ],
)
def test_a_catalog_that_leaves_out_lengths_claims_none(claimed: str, actual: str, same: bool) -> None:
    database = scan(relation("prod", "orders", "table", Column("a", actual)))

    assert (told(compare(dbt(model("orders", columns=(Column("a", claimed),))), database)) == {}) is same


def test_of_a_run_without_a_catalog_only_what_is_documented_is_compared() -> None:
    database = scan(relation("prod", "orders"), relation("prod", "other"))
    documented = model("orders", columns=(Column("gone"),), columns_from="manifest")
    diff = compare(dbt(documented, model("other", columns=(), columns_from=None)), database)

    assert [detail.key for change in diff.changes for detail in change.details] == ["gone"]
    assert any("Only documented columns are known for 1 node (orders)" in note for note in diff.notes)
    assert any("No columns are known for 1 node (other)" in note for note in diff.notes)


def test_what_a_scan_did_not_look_for_is_not_missing() -> None:
    database = scan(relation("prod", "orders"), command="scan --include ord*")

    assert told(compare(dbt(model("orders"), model("customers")), database)) == {}


def test_nothing_is_said_of_effects_and_a_condition_on_them_is_refused() -> None:
    diff = compare(dbt(model("orders")), scan(relation("prod", "other")))

    assert len(failing_changes(diff, frozenset(["removed"]))) == 1
    with pytest.raises(UsageError, match="would never fail"):
        failing_changes(diff, frozenset(["breaking"]))
    with pytest.raises(UsageError, match="--like-dbt cannot be combined with a scan"):
        compare(dbt(model("orders")), scan(relation("prod", "other")), DiffQuestion(like_dbt=True))


def test_a_selection_names_nodes_of_either_side() -> None:
    both = dbt(model("orders"), model("customers")), scan(relation("prod", "other"))

    assert told(compare(*both, DiffQuestion(["orders"]))) == {"model.shop.orders": "removed"}
    assert told(compare(*both, DiffQuestion(["resource_type:table"]))) == {"relation.prod.other": "added"}


def test_the_demo_is_what_its_artifacts_say() -> None:
    project = extract_project(demo_data.artifacts("current"))
    there = [
        relation(
            node.schema_name or "",
            node.identifier or "",
            "view" if node.materialized == "view" else "table",
            *node.columns,
        )
        for node in project.nodes
        if node.relation_name and node.resource_type != "test" and node.materialized != "ephemeral"
    ]
    place = {"target_database": project.run.target_database, "adapter_type": "duckdb"}
    less = [node for node in there if node.name != "orders"]

    assert told(compare(project, scan(*there, **place))) == {}
    assert told(compare(project, scan(*less, **place))) == {"model.jaffle_shop.orders": "removed"}
    assert told(compare(replace(project, nodes=project.nodes[:0]), scan(*there, **place))) == {}
