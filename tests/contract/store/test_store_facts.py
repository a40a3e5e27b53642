"""Scanned runs: what the catalog knew of the data, and which relation refers to which."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.store.prune import Retention, prune
from recce_meta.store.read import foreign_keys_of, list_runs, load_facts
from recce_meta.store.select import load_run
from recce_meta.store.write import record_run

pytestmark = pytest.mark.core("sqlite")

AT = datetime(2026, 11, 1, 10, 0, 0, 250000, tzinfo=timezone.utc)
TO_CUSTOMERS = {
    "name": "orders_customer",
    "type": "foreign_key",
    "columns": ["customer", 'a "b", c'],
    "references": {"relation": "relation.shop.customers", "columns": ["id", "⟦ünï⟧"]},
    "on_update": "cascade",
    "on_delete": "set null",
}
TO_ITSELF = {
    "type": "foreign_key",
    "columns": ["parent"],
    "references": {"relation": "relation.shop.orders", "columns": ["id"]},
}


def facts(count: int = 40, **changed: int) -> tuple[RelationFacts, ...]:
    """What is known of the tables t00, t01, …; of some, other sizes."""
    found = []
    for number in range(count):
        name = f"t{number:02}"
        found.append(
            RelationFacts(
                unique_id=f"relation.shop.{name}",
                row_estimate=changed.get(name, number),
                bytes=2**40 + number if number % 2 else None,
                created_at=AT if number % 3 else None,
                altered_at=AT + timedelta(days=number),
            )
        )
    return tuple(found)


def scan(run_id: str, *, age: int = 0, known: tuple[RelationFacts, ...] = (), **fields: Any) -> Project:
    constraints = [{"type": "primary_key", "columns": ["id"]}, TO_CUSTOMERS, TO_ITSELF]
    nodes = (
        NodeMetadata(unique_id="relation.shop.customers", name="customers", resource_type="table"),
        NodeMetadata(
            unique_id="relation.shop.orders",
            name="orders",
            resource_type="table",
            properties={"constraints": constraints},
        ),
    )
    run = RunMetadata(
        run_id=run_id,
        run_at=AT - timedelta(days=age),
        project_name="shop",
        extractor="database",
        command="scan",
        **fields,
    )
    return Project(run=run, nodes=nodes, facts=known)


def rows_of(store: Any, table: str) -> int:
    return int(store.scalar(f"SELECT COUNT(*) FROM {{s}}.store_{table}"))


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_loaded_scan_equals_what_was_extracted(store):
    project = scan("one", known=facts())
    done = record_run(store.adapter.at(store.schema), project)

    loaded = load_run(store.adapter.at(store.schema), "one")
    assert loaded == replace(project, run=done.run)
    assert load_facts(store.adapter.at(store.schema), done.run) == project.facts


def test_a_scan_of_an_unchanged_database_writes_no_facts(store):
    record_run(store.adapter.at(store.schema), scan("one", age=2, known=facts()))
    written, parts = rows_of(store, "relation_facts"), rows_of(store, "fact_parts")
    record_run(store.adapter.at(store.schema), scan("two", age=1, known=facts()))
    assert (rows_of(store, "relation_facts"), rows_of(store, "fact_parts")) == (written, 2 * parts)

    grown = facts(t07=1000)
    record_run(store.adapter.at(store.schema), scan("three", known=grown))
    assert 0 < rows_of(store, "relation_facts") - written < written / 2
    assert load_run(store.adapter.at(store.schema), "three").facts == grown
    assert load_run(store.adapter.at(store.schema), "one").facts == facts()


def test_a_table_that_is_gone_has_no_facts_in_later_scans(store):
    for age, run_id, known in ((1, "one", facts(3)), (0, "two", facts(2))):
        record_run(store.adapter.at(store.schema), scan(run_id, age=age, known=known))

    assert load_run(store.adapter.at(store.schema), "two").facts == facts(2)
    assert load_run(store.adapter.at(store.schema), "latest~1").facts == facts(3)


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_moment_is_the_same_fact_in_any_zone(store):
    (one,) = facts(2)[1:]
    there = timezone(timedelta(hours=5, minutes=30))
    elsewhere = replace(one, created_at=AT.astimezone(there), altered_at=one.altered_at.astimezone(there))
    for age, run_id, known in ((1, "one", one), (0, "two", elsewhere)):
        record_run(store.adapter.at(store.schema), scan(run_id, age=age, known=(known,)))

    assert rows_of(store, "relation_facts") == 1
    (loaded,) = load_run(store.adapter.at(store.schema), "two").facts
    assert (loaded, loaded.created_at.tzinfo) == (one, timezone.utc)


def test_facts_go_with_the_last_run_that_has_them(store):
    record_run(store.adapter.at(store.schema), scan("one", age=2, known=facts()))
    record_run(store.adapter.at(store.schema), scan("two", age=1, known=facts(t07=1000)))
    before = rows_of(store, "relation_facts")

    prune(store.adapter.at(store.schema), Retention(keep_last=1))
    assert load_run(store.adapter.at(store.schema), "two").facts == facts(t07=1000)
    assert 0 < rows_of(store, "relation_facts") < before

    result = prune(store.adapter.at(store.schema), Retention(keep_last=0))
    tables = ("fact_parts", "relation_facts", "version_references")
    assert [rows_of(store, table) for table in tables] == [0, 0, 0]
    assert (result.rows["relation_facts"], result.rows["version_references"]) == (40, 2)


def test_foreign_keys_are_rows_of_the_version_and_no_lineage(store):
    done = record_run(store.adapter.at(store.schema), scan("one", age=1))
    record_run(store.adapter.at(store.schema), scan("two"))

    quoted = store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))
    rows = store.adapter.execute(
        "SELECT run_id, ordinal, name, parent_id, column_names, parent_column_names, on_update, on_delete"
        f" FROM {quoted}.foreign_keys ORDER BY run_id, ordinal"
    )[1]
    assert done.run.edge_count == 0
    assert rows_of(store, "version_references") == 2, "of the version that both runs have"
    (run, *_) = list_runs(store.adapter.at(store.schema))
    keys = foreign_keys_of(store.adapter.at(store.schema), run, "relation.shop.orders")
    assert [(key.parent_id, key.columns, key.parent_columns) for key in keys] == [
        ("relation.shop.customers", ("customer", 'a "b", c'), ("id", "⟦ünï⟧")),
        ("relation.shop.orders", ("parent",), ("id",)),
    ]
    assert foreign_keys_of(store.adapter.at(store.schema), run, "relation.shop.customers") == keys[:1]
    customers, itself = "relation.shop.customers", "relation.shop.orders"
    named = (r"customer, a \"b\", c", "id, ⟦ünï⟧", "cascade", "set null")
    assert [tuple(row) for row in rows] == [
        ("one", 1, "orders_customer", customers, *named),
        ("one", 2, None, itself, "parent", "id", None, None),
        ("two", 1, "orders_customer", customers, *named),
        ("two", 2, None, itself, "parent", "id", None, None),
    ]


def test_constraints_of_another_shape_are_no_foreign_keys(store):
    for constraints in ("none", ["not an object"], [{"references": "x"}], [{"references": {}}]):
        project = scan(f"scan {constraints}")
        odd = replace(project.nodes[1], properties={"constraints": constraints})
        record_run(store.adapter.at(store.schema), replace(project, nodes=(odd,)))
    assert rows_of(store, "version_references") == 0


def test_scans_are_found_among_other_runs(store, make_project):
    record_run(store.adapter.at(store.schema), make_project("dbt-1"))
    record_run(store.adapter.at(store.schema), scan("old", age=5))
    record_run(store.adapter.at(store.schema), scan("new", age=1))
    record_run(store.adapter.at(store.schema), scan("other", environment="prod"))

    found = list_runs(
        store.adapter.at(store.schema), project="shop", environment="current", extractor="database"
    )
    assert [run.run_id for run in found] == ["new", "old"]
