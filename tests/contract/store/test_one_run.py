"""A stored run that is read in parts gives what the whole run has."""

from __future__ import annotations

import pytest

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.run_reader import MemoryRunReader, StoredRunReader
from recce_meta.extractors.project import extract_project
from recce_meta.store.write import record_run

ORDERS = "model.jaffle_shop.orders"


@pytest.fixture
def runs(adapter: UnifiedSqlAdapter, schema: str) -> tuple[MemoryRunReader, StoredRunReader]:
    """The demo's current run as it was read, and as it is stored."""
    project = extract_project(demo_data.artifacts("current"), environment="current")
    recorded = record_run(adapter.at(schema), project)
    return MemoryRunReader(project), StoredRunReader(adapter.at(schema), recorded.run)


def test_parts_are_what_the_whole_has(runs: tuple[MemoryRunReader, StoredRunReader]) -> None:
    read, stored = runs
    ids = [ORDERS, "model.jaffle_shop.customers", "model.jaffle_shop.nowhere"]

    assert stored.run.run_id == read.run.run_id
    assert set(stored.names) == set(read.names)
    assert stored.names[ORDERS].relation_name == read.names[ORDERS].relation_name
    assert stored.nodes(ids) == read.nodes(ids)
    assert stored.outlines(ids) == read.outlines(ids)
    assert stored.outlines(ids)[ORDERS].columns > 3
    tests = {test.unique_id for test in read.tests_of(ids)}
    assert len(tests) > 3
    assert {test.unique_id for test in stored.tests_of(ids)} == tests
    assert stored.tests_of(["seed.jaffle_shop.nowhere"]) == []
    assert stored.project.nodes == read.project.nodes
    assert stored.nodes(ids) == read.nodes(ids), "also once the whole is here"
