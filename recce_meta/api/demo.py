"""`demo`: the whole story on an embedded DuckDB, from two real dbt runs that come with the package."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api import comparing
from recce_meta.api.recording import record_project
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import RunDiff, Status
from recce_meta.store.read import load_nodes_by_id


class Rows(Struct, frozen=True):
    """How the rows of one relation differ between the two sides."""

    name: str
    base: int
    current: int
    only_in_base: int | None = None
    """Rows without an equal one on the other side; None where the columns differ."""
    only_in_current: int | None = None

    @property
    def differing(self) -> int | None:
        """How many rows differ: what has no equal on the side that has more of them."""
        if self.only_in_base is None or self.only_in_current is None:
            return None
        return max(self.only_in_base, self.only_in_current)


class Demo(Struct, frozen=True, kw_only=True):
    """What the demo shows."""

    database: Path
    recorded: tuple[bool, bool]
    """Whether each run was new."""
    diff: RunDiff
    rows: tuple[Rows, ...]


def demo(folder: Path) -> Demo:
    """Build the shop's two schemas in `folder/jaffle_shop.duckdb`, record both runs there, and diff them."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / f"{demo_data.DATABASE}.duckdb"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{database}") as adapter:
        demo_data.load_tables(adapter.execute)
        recorded = (_record(adapter, "base"), _record(adapter, "current"))
        diff = comparing.diff(lambda: adapter, "base", "current", project=demo_data.DATABASE)
        return Demo(database=database, recorded=recorded, diff=diff, rows=tuple(_rows(adapter, diff)))


def _record(adapter: UnifiedSqlAdapter, side: demo_data.Side) -> bool:
    origin = demo_data.origin(side)
    project = extract_project(
        demo_data.artifacts(side),
        environment=side,
        git=GitState(sha=origin.sha, branch=origin.branch, dirty=False, pull_request=origin.pull_request),
    )
    return record_project(adapter, project).is_new


def _rows(adapter: UnifiedSqlAdapter, diff: RunDiff) -> list[Rows]:
    """The rows of every model that changed and has a relation on both sides."""
    ids = [
        change.unique_id
        for change in diff.changes
        if change.status is Status.MODIFIED and change.resource_type == "model"
    ]
    sides = [
        {node.unique_id: node for node in load_nodes_by_id(adapter, run, ids)}
        for run in (diff.base, diff.current)
    ]
    found = []
    for unique_id in ids:
        before, after = sides[0][unique_id], sides[1][unique_id]
        if before.relation_name and after.relation_name:
            same_columns = [c.name for c in before.columns] == [c.name for c in after.columns]
            counts = _compared(adapter, before.relation_name, after.relation_name, same_columns)
            found.append(Rows(after.name, *counts))
    return found


def _compared(adapter: UnifiedSqlAdapter, base: str, current: str, same_columns: bool) -> tuple[int, ...]:
    """Rows of either relation, and where the columns are the same, rows that only one of them has."""
    from sqlglot import exp

    left, right = (exp.maybe_parse(name, into=exp.Table, dialect="duckdb") for name in (base, current))
    counted = [exp.select("count(*)").from_(table.copy()) for table in (left, right)]
    if same_columns:
        for one, other in ((left, right), (right, left)):
            everything = [exp.select("*").from_(table.copy()) for table in (one, other)]
            only = exp.except_(everything[0], everything[1], distinct=False)
            counted.append(exp.select("count(*)").from_(only.subquery("only_in_one")))
    values = exp.select(*(query.subquery() for query in counted))
    (row,) = adapter.execute(values.sql("duckdb"))[1]
    return tuple(row)
