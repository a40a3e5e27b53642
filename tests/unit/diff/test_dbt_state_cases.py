"""Sources and removed nodes as dbt 1.12.6 selects them by `dbt ls --resource-type all --state BASE`."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from recce_meta.diff.dbt_state import dbt_state_resolver, diff_state_resolver
from recce_meta.models import NodeMetadata, Project, RunMetadata

AT = datetime(2026, 11, 20, tzinfo=timezone.utc)
TARGET = "{{ target.schema }}_raw"


def project(version: str, *nodes: NodeMetadata) -> Project:
    run = RunMetadata(run_id="r", run_at=AT, project_name="shop", dbt_version=version)
    return Project(run=run, nodes=nodes)


def source(schema: str, written: str) -> NodeMetadata:
    return NodeMetadata(
        unique_id="source.shop.raw.t",
        name="t",
        resource_type="source",
        schema_name=schema,
        identifier="t",
        properties={"unrendered_schema": written},
    )


@pytest.mark.parametrize(
    ("before", "after", "before_1_12", "since_1_12"),
    [
        (source("dev_raw", TARGET), source("prod_raw", TARGET), True, False),
        (source("x", "{{ var('s', 'x') }}"), source("y", "{{ var('s', 'x') }}"), True, False),
        (source("lit_a", "lit_a"), source("lit_b", "lit_b"), True, True),
        (source("dev_raw", "dev_raw"), source("dev_raw", TARGET), False, True),
    ],
)
def test_since_1_12_sources_are_compared_as_they_are_written(
    before: NodeMetadata, after: NodeMetadata, before_1_12: bool, since_1_12: bool
) -> None:
    for version, expected in (("1.11.15", before_1_12), ("1.12.6", since_1_12)):
        resolve = dbt_state_resolver(project(version, before), project(version, after))
        for selector in ("modified", "modified.relation"):
            assert bool(resolve(selector)) is expected, (version, selector)


def test_removed_nodes_are_in_state_modified_of_a_check_alone() -> None:
    kept, gone = (
        NodeMetadata(unique_id=f"model.shop.{name}", name=name, resource_type="model", raw_code="select 1")
        for name in ("kept", "gone")
    )
    base, current = project("1.12.6", kept, gone), project("1.12.6", kept)

    for resolver in (dbt_state_resolver, diff_state_resolver):
        resolve = resolver(base, current)
        assert set(resolve("old")) == {kept.unique_id}
        for part in ("body", "configs", "contract", "macros", "persisted_descriptions", "relation"):
            assert not resolve(f"modified.{part}")
    assert not dbt_state_resolver(base, current)("modified")
    assert set(diff_state_resolver(base, current)("modified")) == {gone.unique_id}
