"""Events of OpenLineage are those of its schemas, and say what the run says."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace
from referencing import Registry, Resource

from recce_meta import NodeMetadata, Project, RunMetadata
from recce_meta.models.export import Analysis, AnalysisEdge, ColumnLineage, Export
from recce_meta.models.lineage import Tier
from recce_meta.models.node import Column, NodeResult
from recce_meta.models.stored import NodeStatistics
from recce_meta.report.openlineage import lines

SCHEMAS = Path(__file__).parents[2] / "data" / "openlineage"
NAMESPACE = "postgres://db:5432"
AT = datetime(2026, 11, 20, 8, 0, tzinfo=timezone.utc)


def node(name: str, *parents: NodeMetadata, kind: str = "model", **fields: Any) -> NodeMetadata:
    stored = fields.setdefault("materialized", "table") != "ephemeral"
    return NodeMetadata(
        unique_id=f"{kind}.shop.{name}",
        name=name,
        resource_type=kind,
        database_name="db",
        schema_name="prod",
        identifier=name,
        relation_name=f'"db"."prod"."{name}"' if stored else None,
        parents=tuple(parent.unique_id for parent in parents),
        **fields,
    )


RAW = node("raw", kind="source", columns=(Column("id", "int"), Column("amount", "numeric", "In cents")))
CENTS = node("cents", RAW, materialized="ephemeral")
ORDERS = node(
    "orders", CENTS, RAW, compiled_code="select 1", description="All orders", columns=(Column("n"),)
)
TEST = node("is_there", ORDERS, kind="test")
EDGES = {
    CENTS.unique_id: [
        AnalysisEdge("total", RAW.unique_id, "amount", "aggregated"),
        AnalysisEdge(None, RAW.unique_id, "id", "filter", confidence=0.5),
    ],
    ORDERS.unique_id: [
        AnalysisEdge("n", CENTS.unique_id, "total", "renamed", confidence=0.9),
        AnalysisEdge("n", RAW.unique_id, "id", "derived"),
        AnalysisEdge("one", None, None, "constant"),
        AnalysisEdge(None, '"db"."other"."t"', "k", "join"),
        AnalysisEdge(None, RAW.unique_id, "unused", "referenced"),
    ],
}


def export(*results: NodeResult, **statistics: int) -> Export:
    run = RunMetadata(
        run_id="of today",
        run_at=AT,
        project_name="shop",
        environment="prod",
        extractor="dbt",
        dbt_version="1.11.0",
    )
    return Export(
        project=Project(run=run, nodes=(RAW, CENTS, ORDERS, TEST), results=results),
        graph={},
        macro_ids={},
        column_lineage=ColumnLineage(
            parts={"part": {one: one for one in EDGES}},
            analyses=tuple(
                Analysis(lineage_id=one, tier=Tier.GOLD, edges=tuple(edges)) for one, edges in EDGES.items()
            ),
        ),
        statistics=tuple(
            NodeStatistics(unique_id=f"model.shop.{name}", counted_at=AT, row_count=rows)
            for name, rows in statistics.items()
        ),
    )


def events_of(given: Export) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(given, NAMESPACE)]


def refused(event: dict[str, Any]) -> list[str]:
    """What the schemas of OpenLineage refuse: of the event, and of each facet."""
    known = [json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")]
    registry = Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in known)
    found = []

    def check(value: Any, url: str) -> None:
        validator = jsonschema.Draft202012Validator(
            {"$ref": url}, registry=registry, format_checker=jsonschema.FormatChecker()
        )
        found.extend(f"{url}: {error.message}" for error in validator.iter_errors(value))

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "_schemaURL" in value:
                check(value, value["_schemaURL"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    check(event, event["schemaURL"])
    walk(event)
    return found


def test_a_node_that_ran_starts_and_completes() -> None:
    ran = NodeResult(
        unique_id=ORDERS.unique_id, status="success", seconds=2.5, completed_at="2026-11-20T08:30:00Z"
    )
    started, completed = events_of(export(ran, orders=7))

    assert refused(started) == refused(completed) == []
    assert (started["eventType"], completed["eventType"]) == ("START", "COMPLETE")
    assert (started["eventTime"], completed["eventTime"]) == (
        "2026-11-20T08:29:57.500Z",
        "2026-11-20T08:30:00.000Z",
    )
    assert started["run"] == completed["run"]
    assert completed["job"]["name"] == "db.prod.shop.orders"
    assert completed["job"]["facets"]["sql"]["query"] == "select 1"
    read, named = completed["inputs"]
    assert named["name"] == "db.other.t"
    assert (read["namespace"], read["name"]) == (NAMESPACE, "db.prod.raw")
    assert read["facets"]["schema"]["fields"][1] == {
        "name": "amount",
        "type": "numeric",
        "description": "In cents",
    }
    (written,) = completed["outputs"]
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 7
    assert written["facets"]["documentation"]["description"] == "All orders"


def test_columns_lead_through_ephemeral_models_to_relations() -> None:
    (event,) = events_of(export())

    lineage = event["outputs"][0]["facets"]["columnLineage"]
    perhaps = {"description": "perhaps"}
    assert [
        (one["name"], one["field"], one["transformations"]) for one in lineage["fields"]["n"]["inputFields"]
    ] == [
        ("db.prod.raw", "amount", [{"type": "DIRECT", "subtype": "AGGREGATION", **perhaps}]),
        ("db.prod.raw", "id", [{"type": "DIRECT", "subtype": "TRANSFORMATION"}]),
    ]
    assert lineage["fields"]["one"] == {"inputFields": []}
    assert [(one["name"], one["field"], one["transformations"]) for one in lineage["dataset"]] == [
        ("db.prod.raw", "id", [{"type": "INDIRECT", "subtype": "FILTER", **perhaps}]),
        ("db.other.t", "k", [{"type": "INDIRECT", "subtype": "JOIN"}]),
    ]


@pytest.mark.parametrize("status", [None, "skipped"])
def test_a_node_that_did_not_run_is_a_job_without_a_run(status: str | None) -> None:
    results = [] if status is None else [NodeResult(unique_id=ORDERS.unique_id, status=status)]
    (event,) = events_of(export(*results))

    assert refused(event) == []
    assert event["schemaURL"].endswith("/JobEvent")
    assert "run" not in event and "eventType" not in event
    assert [one["name"] for one in event["outputs"]] == ["db.prod.orders"]


def test_a_failed_node_writes_nothing_and_says_why() -> None:
    failed = NodeResult(unique_id=ORDERS.unique_id, status="error", message="no column n")
    started, event = events_of(export(failed))

    assert refused(event) == []
    assert (event["eventType"], event["outputs"]) == ("FAIL", [])
    assert event["run"]["facets"]["errorMessage"]["message"] == "no column n"
    assert "errorMessage" not in started["run"]["facets"]


def test_columns_that_are_not_traced_have_no_facet() -> None:
    whole = export()
    lineage = whole.column_lineage
    assert lineage is not None
    unknown = tuple(replace(one, reason="not compiled") for one in lineage.analyses)
    for columns in (None, replace(lineage, analyses=unknown)):
        (event,) = events_of(replace(whole, column_lineage=columns))
        assert refused(event) == []
        assert "columnLineage" not in event["outputs"][0]["facets"]


def test_a_facet_that_differs_from_its_schema_is_found() -> None:
    (event,) = events_of(export())
    event["outputs"][0]["facets"]["columnLineage"]["fields"]["n"] = {"inputFields": [{"name": "raw"}]}

    assert any("'namespace' is a required property" in problem for problem in refused(event))
