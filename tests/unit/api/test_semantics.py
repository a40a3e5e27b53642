"""Metrics and saved queries that need a removed column, or a removed element of a semantic model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, stored_diff, whole_diff
from recce_meta.api.impact import impact_in
from recce_meta.api.record import record_run
from recce_meta.api.run_reader import MemoryRunReader, StoredRunReader
from recce_meta.extractors.manifest import read_manifest
from recce_meta.models import NodeMetadata, Project, RunDiff
from recce_meta.models.lineage import Direction
from recce_meta.sql_lineage.project.columns import analyse_project
from tests.support.once import empty_store
from tests.unit.api.test_kept_rows import node, project

ARTIFACTS = Path(__file__).parents[2] / "data" / "artifacts"
SQL = {
    "orders": "select id, customer_id, status, amount, tax, is_big, at, sent_at from raw",
    "customers": "select customer_id, region_id, segment, since from raw",
    "regions": "select region_id, region_name, population from raw",
    "spine": "select date_day, week from raw",
}
ELEMENTS: dict[str, dict[str, Any]] = {
    "orders": {
        "defaults": {"agg_time_dimension": "at"},
        "entities": [
            {"name": "order", "type": "primary", "expr": "id"},
            {"name": "customer", "type": "foreign", "expr": "customer_id"},
        ],
        "dimensions": [{"name": "status"}, {"name": "big", "expr": "is_big"}, {"name": "at", "type": "time"}],
        "measures": [
            {"name": "total", "agg": "sum", "expr": "amount"},
            {"name": "taxes", "agg": "sum", "expr": "tax", "agg_time_dimension": "sent_at"},
        ],
    },
    "customers": {
        "entities": [
            {"name": "customer", "type": "primary", "expr": "customer_id"},
            {"name": "region", "type": "foreign", "expr": "region_id"},
        ],
        "dimensions": [{"name": "segment"}],
        "measures": [{"name": "people", "agg": "count", "expr": "*"}],
    },
    "regions": {
        "entities": [{"name": "region", "type": "primary", "expr": "region_id"}],
        "dimensions": [{"name": "region_name"}],
    },
}


def definition(kind: str, name: str, *parents: str, **properties: Any) -> NodeMetadata:
    return NodeMetadata(
        unique_id=f"{kind}.shop.{name}", name=name, resource_type=kind, package_name="shop",
        parents=parents, properties=properties,
    )  # fmt: skip


AGGREGATION, CUMULATIVE = "metric_aggregation_params", "cumulative_type_params"


def metric(name: str, measure: str = "total", where: Any = None, **params: Any) -> NodeMetadata:
    """A metric as dbt 1.7 and later write it; *where* is its filter."""
    own = {"filter": {"where_filters": [{"where_sql_template": where}]}} if isinstance(where, str) else where
    parent = f"semantic_model.shop.{'customers' if measure == 'people' else 'orders'}"
    given = (
        params if "metrics" in params or AGGREGATION in params else {"measure": {"name": measure}, **params}
    )
    kind = "cumulative" if CUMULATIVE in params else "derived" if "metrics" in params else "simple"
    return definition("metric", name, parent, type=kind, type_params=given, **(own or {}))


def shop(
    run_id: str,
    *definitions: NodeMetadata,
    without: str = "",
    lost: str = "",
    edited: Mapping[str, dict[str, Any]] | None = None,
) -> Project:
    """A project without a column of a model, or with an element of a semantic model lost or *edited*."""
    models = [node(name, _without(sql, name, without)) for name, sql in SQL.items()]
    spine = replace(models[3], properties={"time_spine": {"standard_granularity_column": "date_day"}})
    semantic = [
        definition("semantic_model", name, f"model.shop.{name}", **{
            key: [
                {**one, **(edited or {}).get(f"{name}.{one['name']}", {})}
                for one in value
                if f"{name}.{one['name']}" != lost
            ]
            if key != "defaults"
            else {**value, **(edited or {}).get(f"{name}.{key}", {})}
            for key, value in own.items()
        })
        for name, own in ELEMENTS.items()
    ]  # fmt: skip
    return project(run_id, *models[:3], spine, *semantic, *definitions)


def _without(sql: str, name: str, column: str) -> str:
    words = sql.removeprefix("select ").removesuffix(" from raw").split(", ")
    return "select " + ", ".join(one for one in words if f"{name}.{one}" != column) + " from raw"


def answers(diff: RunDiff) -> dict[str, str]:
    return {
        one.name: "fails" if one.fails else "may fail" if one.may_fail else str(one.reach)
        for one in diff.impacted
        if not one.unique_id.startswith("semantic_model.")
    }


STATUS = "{{ Dimension('order__status') }} = 'paid'"
SEGMENT = "{{ Dimension('customer__segment') }} = 'a' and {{ Dimension('order__big') }}"
REGION = "{{ Dimension('region__region_name', entity_path=['customer']) }} is null"
OF_ORDERS = {"semantic_model": "orders"}
FORMER = {"expression": "amount", "filters": [{"field": "status"}]}
READS = [
    # filters, by the version of dbt that writes them
    (metric("m", where=STATUS), "orders.status", "fails"),
    (metric("m", where={"filter": {"where_sql_template": STATUS}}), "orders.status", "fails"),
    (metric("m", where={"filter": STATUS}), "orders.status", "fails"),
    (metric("m", where={"filter": [STATUS]}), "orders.status", "fails"),
    (metric("m", where=STATUS), "orders.tax", ""),
    (metric("m", where=STATUS), "orders.at", "may fail"),
    (metric("m", where="{{ TimeDimension('metric_time', 'day') }} > now()"), "orders.at", "fails"),
    (metric("m", where="{{ TimeDimension('order__at__month') }} > now()"), "orders.at", "fails"),
    # elements of joined semantic models, and the entities that join them
    (metric("m", where=SEGMENT), "customers.segment", "fails"),
    (metric("m", where=SEGMENT), "customers.customer_id", "fails"),
    (metric("m", where=SEGMENT), "orders.customer_id", "fails"),
    (metric("m", where=SEGMENT), "orders.is_big", "fails"),
    (metric("m", where=SEGMENT), "customers.region_id", ""),
    (metric("m", where=REGION), "regions.region_name", "fails"),
    (metric("m", where=REGION), "customers.region_id", "fails"),
    (metric("m", where=REGION), "regions.population", ""),
    (metric("m", where="{{ Entity('customer') }} is null"), "orders.customer_id", "fails"),
    # names that cannot be read, or followed
    (metric("m", where="{{ Dimension('customer__' ~ 'segment') }} is null"), "customers.segment", "may fail"),
    (metric("m", where="{{ Dimension('owner__segment') }} is null"), "customers.segment", "may fail"),
    (metric("m", "lost", where=STATUS), "orders.status", "fails"),
    (metric("m", metrics=[{"name": "lost"}], where=STATUS), "orders.status", "may fail"),
    (definition("metric", "m", "semantic_model.shop.orders", type="new"), "orders.status", "may fail"),
    # measures
    (metric("m", "taxes"), "orders.tax", "fails"),
    (metric("m", "taxes"), "orders.amount", ""),
    (metric("m", "people"), "customers.customer_id", ""),
    (metric("m", cumulative_type_params={"window": "x"}), "orders.at", "fails"),
    (metric("m", cumulative_type_params={"window": "x"}), "spine.date_day", "fails"),
    (metric("m", cumulative_type_params={"window": "x"}), "spine.week", ""),
    # dbt Fusion and dbt 1.12: metrics that read columns themselves
    (metric("m", metric_aggregation_params={**OF_ORDERS, "expr": "amount + 1"}), "orders.amount", "fails"),
    (metric("amount", metric_aggregation_params=OF_ORDERS), "orders.amount", "fails"),
    (metric("amount", metric_aggregation_params=OF_ORDERS), "orders.tax", ""),
    # dbt 1.0 to 1.5
    (definition("metric", "m", "model.shop.orders", sql="amount"), "orders.amount", "fails"),
    (definition("metric", "m", "model.shop.orders", **FORMER), "orders.amount", "fails"),
    (definition("metric", "m", "model.shop.orders", **FORMER), "orders.status", "fails"),
    (definition("metric", "m", "model.shop.orders", expression="*", timestamp="at"), "orders.at", "may fail"),
    (definition("metric", "m", "model.shop.orders", expression="*", timestamp="at"), "orders.tax", ""),
]  # fmt: skip


@pytest.mark.cases(8)
@pytest.mark.parametrize(("read", "column", "expected"), READS)
def test_a_metric_fails_without_a_column_that_it_needs(
    read: NodeMetadata, column: str, expected: str
) -> None:
    sides = shop("b", read), shop("bc", read, without=column)
    assert answers(whole_diff(*sides, NOTHING_MORE)).get(read.name, "") == expected


QUERY = {
    "metrics": ["m"],
    "group_by": ["Dimension('customer__segment')", "TimeDimension('metric_time', 'month')"],
    "where": {"where_filters": [{"where_sql_template": STATUS}]},
}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("orders.amount", {"m": "fails", "q": "fails", "twice": "fails"}),
        ("orders.status", {"q": "fails"}),
        ("customers.segment", {"q": "fails"}),
        ("customers.customer_id", {"q": "fails"}),
        ("orders.at", {"m": "may fail", "q": "fails", "twice": "may fail"}),
        ("orders.tax", {}),
        ("regions.region_name", {}),
    ],
)
def test_what_needs_a_column_is_the_same_in_the_store_and_in_every_answer(
    column: str, expected: dict[str, str]
) -> None:
    twice = metric("twice", metrics=[{"name": "m"}], expr="m * 2")
    query = definition("saved_query", "q", "metric.shop.m", query_params=QUERY)
    definitions = (metric("m"), replace(twice, parents=("metric.shop.m",)), query)
    sides = [shop("b", *definitions), shop("bc", *definitions, without=column)]
    found = whole_diff(*sides, NOTHING_MORE)
    assert answers(found) == expected
    with empty_store() as store:
        runs = [record_run(store, side).run for side in sides]
        assert answers(stored_diff(store, *runs)) == expected
        views = [
            impact_in(reader, column, Direction.DOWNSTREAM, None)
            for reader in (StoredRunReader(store, runs[0]), MemoryRunReader(sides[0]))
        ]
    assert views[0].fails == views[1].fails
    reported = {one.name: one.confidence for one in found.impacted if one.fails or one.may_fail}
    assert {one.name: one.confidence for one in views[0].fails or ()} == reported


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ("orders.status", {"m": "fails", "q": "fails"}),
        ("customers.segment", {"m": "rows", "q": "fails"}),
        ("customers.customer", {"m": "rows", "q": "fails"}),
        ("orders.customer", {"m": "rows", "q": "fails"}),
    ],
)
def test_an_element_that_a_semantic_model_loses_is_a_column_that_it_loses(
    lost: str, expected: dict[str, str]
) -> None:
    query = definition("saved_query", "q", "metric.shop.m", query_params={**QUERY, "where": None})
    definitions = (metric("m", where=STATUS), query)
    diff = whole_diff(shop("b", *definitions), shop("bc", *definitions, lost=lost), NOTHING_MORE)
    found = answers(diff)
    assert found["q"] == expected["q"]
    if lost.startswith("orders."):
        assert found["m"] == expected["m"]
    (change,) = diff.changed
    assert [(one.name, str(one.status)) for one in change.columns] == [(lost.split(".")[1], "removed")]


ALL_BY_ROWS = dict.fromkeys(["m", "q", "plain", "others"], "rows")


@pytest.mark.parametrize(
    ("edited", "values", "expected"),
    [
        # Only what reads the element is affected.
        ("orders.status", {"expr": "upper(status)"}, {"m": "rows", "q": "rows"}),
        ("orders.big", {"expr": "tax > 5"}, {}),
        ("orders.total", {"expr": "amount + 1"}, {"m": "changed", "plain": "changed", "q": "rows"}),
        ("orders.taxes", {"agg": "max"}, {"others": "changed"}),
        ("customers.segment", {"expr": "lower(segment)"}, {"q": "rows"}),
        # Descriptions change nothing; what joins semantic models and what groups by time changes all.
        ("orders.status", {"description": "of the order"}, {}),
        ("orders.customer", {"expr": "tax"}, ALL_BY_ROWS),
        (
            "orders.defaults",
            {"agg_time_dimension": "sent_at"},
            ALL_BY_ROWS,
        ),
    ],
)
def test_an_edited_element_of_a_semantic_model_affects_what_reads_it(
    edited: str, values: dict[str, Any], expected: dict[str, str]
) -> None:
    query = definition("saved_query", "q", "metric.shop.m", query_params={**QUERY, "where": None})
    definitions = (metric("m", where=STATUS), metric("plain"), metric("others", "taxes"), query)
    sides = shop("b", *definitions), shop("bc", *definitions, edited={edited: values})
    diff = whole_diff(*sides, NOTHING_MORE)
    changed = {one.name: "changed" for one in diff.changed if one.resource_type != "semantic_model"}
    assert {**answers(diff), **changed} == expected


def test_every_metric_and_saved_query_of_real_manifests_has_columns(subtests: pytest.Subtests) -> None:
    for path in (
        "real/dbt_core_state/v9", "real/dbt_docs",
        "real/dbt_core_state/v10", "real/dbt_core_state/v11", "real/dbt_core_state/v12",
        "real/colibri/duckdb", "real/bouncer/dbt_20", "generated/jaffle_ext_full/dbt_1.12",
    ):  # fmt: skip
        with subtests.test(path=path):
            read = read_manifest(ARTIFACTS / path / "manifest.json.gz")
            graph = analyse_project(project("r", *read.nodes, adapter=read.adapter_type or ""))
            asked = [one for one in read.nodes if one.resource_type in ("metric", "saved_query")]
            assert asked
            for one in asked:
                found = graph.analyses[graph.lineage_ids[one.unique_id]]
                assert found.reason is None and found.outputs, one.unique_id
                # Nothing that a definition names is unknown: each place is a column of a node.
                columns = {
                    (unique_id, name)
                    for unique_id, lineage_id in graph.lineage_ids.items()
                    for name in graph.analyses[lineage_id].names
                }
                semantic = {place for place in columns if place[0].startswith(("semantic_model.", "metric."))}
                read_there = {
                    (source.parent, source.column)
                    for source in found.references
                    if source.parent.startswith(("semantic_model.", "metric."))
                }
                assert read_there <= semantic, one.unique_id
