"""`demo`: the whole story on an embedded DuckDB, from two real dbt runs that come with the package."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api import comparing
from recce_meta.api.comparing_data import open_comparison
from recce_meta.api.recording import record_project
from recce_meta.api.run_pair import load_pair
from recce_meta.api.subjects import Sides
from recce_meta.api.value_jobs import value_jobs
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import RunDiff, Status
from recce_meta.models.data_diff import AnyDataDiff


class Demo(Struct, frozen=True, kw_only=True):
    """What the demo shows."""

    database: Path
    recorded: tuple[bool, bool]
    """Whether each run was new."""
    diff: RunDiff
    data: tuple[AnyDataDiff, ...]
    """How the values of every changed model differ."""


def demo(folder: Path) -> Demo:
    """Build the shop's two schemas in `folder/jaffle_shop.duckdb`, record both runs there, and diff them."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / f"{demo_data.DATABASE}.duckdb"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{database}") as adapter:
        demo_data.load_tables(adapter.execute)
        recorded = (_record(adapter, "base"), _record(adapter, "current"))
        diff = comparing.diff(lambda: adapter, "base", "current", project=demo_data.DATABASE)
        return Demo(database=database, recorded=recorded, diff=diff, data=tuple(_data(adapter, diff)))


def _record(adapter: UnifiedSqlAdapter, side: demo_data.Side) -> bool:
    origin = demo_data.origin(side)
    project = extract_project(
        demo_data.artifacts(side),
        environment=side,
        git=GitState(sha=origin.sha, branch=origin.branch, dirty=False, pull_request=origin.pull_request),
    )
    return record_project(adapter, project).is_new


def _data(adapter: UnifiedSqlAdapter, diff: RunDiff) -> list[AnyDataDiff]:
    """The values of every model that changed and is on both sides."""
    runs = load_pair(lambda: adapter, "base", "current", project=demo_data.DATABASE)
    ids = [
        change.unique_id
        for change in diff.changes
        if change.status is Status.MODIFIED and change.resource_type == "model"
    ]
    changed = [Sides(*both) for both in runs.sides(ids)]
    comparison = open_comparison(adapter)
    try:
        return comparison.run_all(value_jobs(comparison.places, runs, changed, ValueOptions()))
    finally:
        comparison.close()
