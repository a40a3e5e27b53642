"""Recording with column lineage: by default, once per content, and told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import recce_meta
from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import ColumnsKept, Recorded, record_project
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project
from recce_meta.models.lineage import NodeColumns
from recce_meta.models.node_types import WITH_QUERY
from recce_meta.store.columns import load_columns
from tests.contract.store.conftest import adapter, database, schema, store

__all__ = ["adapter", "database", "schema", "store"]
pytestmark = [pytest.mark.beyond_emulators, pytest.mark.core("duckdb")]
SHOP = extract_project(demo_data.artifacts("base"), environment="base", git=GitState())
CUSTOMERS = "model.jaffle_shop.customers"


def computed_columns() -> Mapping[str, NodeColumns]:
    """The columns of the whole shop, computed in memory."""
    return MemoryRunReader(SHOP).columns([node.unique_id for node in SHOP.nodes])


def run_of(run_id: str, **fields: Any) -> Project:
    return replace(SHOP, run=replace(SHOP.run, run_id=run_id, **fields))


def changed(project: Project, unique_id: str, before: str, after: str) -> Project:
    nodes = [
        replace(node, compiled_code=(node.compiled_code or "").replace(before, after))
        if node.unique_id == unique_id
        else node
        for node in project.nodes
    ]
    assert tuple(nodes) != project.nodes
    return replace(project, nodes=tuple(nodes))


@pytest.mark.core("duckdb", "postgres")
def test_a_run_is_recorded_with_the_columns_that_are_computed_from_its_nodes(
    adapter: UnifiedSqlAdapter, schema: str
) -> None:
    recorded = record_project(adapter.at(schema), SHOP)

    stored = load_columns(adapter.at(schema), recorded.run)

    assert stored == computed_columns()
    assert stored[CUSTOMERS].outputs
    assert MemoryRunReader(SHOP).columns([CUSTOMERS]) == {CUSTOMERS: stored[CUSTOMERS]}
    queries = sum(node.resource_type in WITH_QUERY for node in SHOP.nodes)
    assert recorded.columns == ColumnsKept(traced=queries)
    assert recorded.warnings == ()


def test_what_is_as_before_is_not_analysed_again(adapter: UnifiedSqlAdapter, schema: str) -> None:
    def record(project: Project) -> Recorded:
        return record_project(adapter.at(schema), project)

    first = record(run_of("run-1"))
    same = record(run_of("run-2"))
    edited = record(changed(run_of("run-3"), CUSTOMERS, "select", "select /* again */"))

    queries = first.columns.traced if first.columns else 0
    assert same.columns == ColumnsKept(reused=queries)
    assert edited.columns == ColumnsKept(traced=1, reused=queries - 1)
    assert same.run.column_graph_id == first.run.column_graph_id


@pytest.mark.extensive
def test_environments_with_and_without_a_catalog_each_reuse_their_own(
    adapter: UnifiedSqlAdapter, schema: str
) -> None:
    def record(run_id: str, environment: str, edit: str) -> ColumnsKept | None:
        project = run_of(run_id, environment=environment)
        if environment != "base":
            nodes = tuple(replace(node, columns=(), columns_from=None) for node in project.nodes)
            project = replace(project, nodes=nodes)
        edited = changed(project, CUSTOMERS, "select", f"select /* {edit} */")
        return record_project(adapter.at(schema), edited).columns

    for number, environment in enumerate(("base", "current")):
        record(f"run-{number}", environment, "first")
    again = [record(f"run-{number}", name, "then") for number, name in ((2, "base"), (3, "current"))]

    assert [found.traced if found else None for found in again] == [1, 1]


def test_a_query_that_cannot_be_read_is_one_warning(adapter: UnifiedSqlAdapter, schema: str) -> None:
    broken = changed(SHOP, CUSTOMERS, "select", "select ((")

    recorded = record_project(adapter.at(schema), broken)

    assert len([text for text in recorded.warnings if CUSTOMERS in text]) == 1
    assert recorded.columns is not None
    assert recorded.columns.not_traced == 1
    stored = load_columns(adapter.at(schema), recorded.run)
    assert stored is not None
    found = stored[CUSTOMERS]
    assert found.reason is not None
    assert found.reason in recorded.warnings[-1]


@pytest.mark.extensive
def test_a_query_that_had_too_little_time_is_tried_again_with_more(
    adapter: UnifiedSqlAdapter, schema: str
) -> None:
    def record(run_id: str, seconds: float) -> Recorded:
        return record_project(adapter.at(schema), run_of(run_id), column_timeout=seconds)

    first = record("run-1", 1e-9)
    same = record("run-2", 1e-9)
    more = record("run-3", 60.0)
    then = record("run-4", 60.0)

    queries = sum(node.resource_type in WITH_QUERY for node in SHOP.nodes)
    assert first.columns == same.columns == ColumnsKept(not_traced=queries)
    assert (more.columns, then.columns) == (ColumnsKept(traced=queries), ColumnsKept(reused=queries))
    assert more.warnings == ()
    assert load_columns(adapter.at(schema), then.run) == computed_columns()


def test_where_all_is_as_before_what_could_not_be_read_is_still_counted(
    adapter: UnifiedSqlAdapter, schema: str
) -> None:
    broken = changed(SHOP, CUSTOMERS, "select", "select ((")
    record_project(adapter.at(schema), broken)

    again = record_project(adapter.at(schema), replace(broken, run=replace(broken.run, run_id="run-2")))

    queries = sum(node.resource_type in WITH_QUERY for node in SHOP.nodes)
    assert again.columns == ColumnsKept(reused=queries - 1, not_traced=1)


def test_columns_are_added_to_a_run_that_was_recorded_without(
    adapter: UnifiedSqlAdapter, schema: str
) -> None:
    record_project(adapter.at(schema), SHOP, columns=False)

    again = record_project(adapter.at(schema), SHOP)

    queries = sum(node.resource_type in WITH_QUERY for node in SHOP.nodes)
    assert (again.is_new, again.columns) == (False, ColumnsKept(traced=queries))
    assert load_columns(adapter.at(schema), again.run) == computed_columns()


def test_a_run_may_be_recorded_without_columns(adapter: UnifiedSqlAdapter, schema: str) -> None:
    recorded = record_project(adapter.at(schema), SHOP, columns=False)

    assert recorded.columns is None
    assert load_columns(adapter.at(schema), recorded.run) is None


@pytest.mark.extensive
def test_the_public_function_records_columns_unless_told_otherwise(tmp_path: Path) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'store.duckdb'}") as adapter:
        with_columns = recce_meta.record_run(adapter, run_of("run-1"))
        without = recce_meta.record_run(adapter, run_of("run-2", environment="current"), columns=False)

    assert with_columns.run.column_graph_id is not None
    assert without.run.column_graph_id is None
