"""One journey through each warehouse: two runs are recorded, and compared down to the values of a table.

The gate runs it on the emulators as well; other tests of emulators are the part `emulators`.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from recce_meta import NodeMetadata, Project, RunMetadata, UnifiedSqlAdapter, diff_data, list_runs, record_run
from recce_meta.api.browse.overview import store_overview
from recce_meta.models.checks import StoredCheck
from recce_meta.models.data_diff import RowCountDiff, ValueDiff
from recce_meta.store.check_results import save_checks

COLUMNS = {"id": "integer", "name": "text", "price": "decimal(12, 2)"}
ROWS = {
    "base": [(1, "a", "1.50"), (2, "b", None)],
    "current": [(1, "a", "1.50"), (2, "é", None), (3, "c", "2")],
}


def project(adapter: UnifiedSqlAdapter, schema: str, side: str, day: int) -> Project:
    """Return a project with one model, whose table is *side* in *schema*."""
    code = f"select id, name, price from raw.orders where day <= {day}"
    model = NodeMetadata(
        unique_id="model.shop.orders",
        name="orders",
        resource_type="model",
        raw_code=code,
        compiled_code=code,
        code_hash=side,
        materialized="table",
        schema_name=schema,
        identifier=side,
        relation_name=adapter.quote_table(schema, side),
        config={"unique_key": "id"},
    )
    run = RunMetadata(
        run_id=side,
        run_at=datetime(2026, 11, day, tzinfo=timezone.utc),
        project_name="shop",
        environment=side,
        adapter_type=adapter.warehouse.name,
    )
    return Project(run=run, nodes=(model,))


def check(status: str, second: int) -> StoredCheck:
    """Return the result of a check of both runs."""
    return StoredCheck(
        check_result_id="",
        checked_at=datetime(2026, 11, 3, 12, 0, second, tzinfo=timezone.utc),
        base_run_id="base",
        current_run_id="current",
        file_name="checks.yml",
        ordinal=1,
        check_name="orders",
        check_type="row_count_diff",
        status=status,
        has_expectations=True,
        recorder_version="0.1.0",
    )


@pytest.mark.journey
@pytest.mark.emulated
def test_runs_are_recorded_and_compared_down_to_values(
    adapter: UnifiedSqlAdapter, schema: str, backend: Any
) -> None:
    for day, (side, rows) in enumerate(ROWS.items(), start=1):
        backend.spelling.create_table(adapter, adapter.quote_table(schema, side), COLUMNS, rows)
        record_run(adapter.at(schema), project(adapter, schema, side, day))

    found = diff_data(adapter.at(schema), "base", "current")
    for second, status in enumerate(("passed", "failed")):
        save_checks(adapter.at(schema), [check(status, second)])
    overview = store_overview(adapter.at(schema))

    assert [run.run_id for run in list_runs(adapter.at(schema))] == ["current", "base"]
    (change,) = found.diff.changes
    assert (change.unique_id, str(change.category)) == ("model.shop.orders", "breaking")
    (count,) = next(one for one in found.data if isinstance(one, RowCountDiff)).counts
    assert (count.base, count.current) == (2, 3)
    values = next(one for one in found.data if isinstance(one, ValueDiff))
    assert (values.added, values.removed, values.common, values.changed) == (1, 0, 2, 1)
    assert {column.name: column.mismatched for column in values.columns} == {"id": 0, "name": 1, "price": 0}
    failing = {state.run.run_id: state.failing_checks for state in overview.environments}
    assert failing == {"current": 1, "base": 0}
