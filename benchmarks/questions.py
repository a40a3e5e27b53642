"""Questions of a platform team and joins of two views, over 500 runs of 500 nodes.

`python -m benchmarks.questions --seconds 600` prints those that take too long: in DuckDB, in SQLite, and in
PostgreSQL with and without statistics of the planner. The history is the same each time.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from benchmarks.generate import write
from benchmarks.recording import POSTGRES, Tables, extracted
from benchmarks.views import NODE, Rows, fill, history, rewired
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.store.sql_files import DEFAULT_SCHEMA, cookbook

RUNS, MODELS, TESTS, BRANCHES = 500, 400, 100, 5
MOST, MOST_OF_SQLITE, MOST_OF_JOIN = 0.3, 1.0, 1.0
"""Maximum seconds."""
KEY = "project_name environment unique_id"
JOINED = (
    ("unused_nodes", "latest_results", KEY),
    ("unused_nodes", "latest_row_counts", KEY),
    ("latest_nodes", "latest_results", KEY),
    ("latest_nodes", "latest_row_counts", KEY),
    ("latest_nodes", "node_owners", KEY),
    ("latest_results", "latest_row_counts", KEY),
    ("latest_results", "node_owners", KEY),
    ("latest_results", "run_history", KEY),
    ("latest_results", "coverage", "project_name environment schema_name"),
    ("test_history", "latest_results", KEY),
    ("test_history", "node_owners", KEY),
    ("column_changes", "latest_nodes", KEY),
    ("node_changes", "result_history", "run_id unique_id"),
    ("node_changes", "latest_results", KEY),
    ("build_history", "latest_runs", "run_id"),
    ("branch_changes", "result_history", "run_id unique_id"),
    ("latest_runs", "node_columns", "run_id"),
)
"""Pairs of views, with the columns that join them."""
OF_IMPACT = ("latest_nodes", "latest_results", "node_owners")
"""Views that are joined with the impact of a column."""


def rows_of(folder: Path) -> Tables:
    """Return the rows of the history: every fourth run is one of a branch."""
    rows = Rows()
    for number, project in enumerate(history(rewired(extracted(write(folder, MODELS, TESTS))), RUNS)):
        is_base = project.run.environment == "base"
        branch = "main" if is_base else f"feature/{number % BRANCHES}"
        rows.add_run(replace(project, run=replace(project.run, branch=branch)))
    return rows.tables


def statements(dialect: str, schema: str) -> Iterator[tuple[str, str, float]]:
    """Yield the name and the text of each statement, and its maximum seconds."""
    most = MOST_OF_SQLITE if dialect == "sqlite" else MOST
    for file in cookbook(dialect):
        (text,) = file.statements(schema)
        text = re.sub(r"'model\.shop\.\w+'", f"'{NODE}'", text).replace("= 'amount'", "= 'c1'")
        # Walks of columns take over 8 s in SQLite.
        if dialect != "sqlite" or "latest_column_impact" not in text:
            yield file.name, text, most
    for left, right, columns in JOINED:
        using = ", ".join(columns.split())
        text = f"SELECT COUNT(*) FROM {schema}.{left} JOIN {schema}.{right} USING ({using})"
        yield f"{left} and {right}", text, MOST_OF_JOIN
    for view in () if dialect == "sqlite" else OF_IMPACT:
        yield (
            f"latest_column_impact and {view}",
            f"SELECT COUNT(*) FROM {schema}.latest_column_impact AS impact JOIN {schema}.{view} AS other"
            " ON other.project_name = impact.project_name AND other.environment = impact.environment"
            " AND other.unique_id = impact.impacted_id"
            f" WHERE impact.environment = 'base' AND impact.node_id = '{NODE}' AND impact.column_name = 'c1'",
            MOST_OF_JOIN,
        )


def slow(adapter: UnifiedSqlAdapter, name: str, schema: str, until: float) -> int:
    """Print the statements that take too long, and return their number."""
    found = 0
    for what, text, most in statements(adapter.warehouse.name, schema):
        if time.monotonic() > until:
            print(f"{name}: time is up before {what}")
            break
        took = []
        for _ in range(2):
            begun = time.monotonic()
            adapter.execute(text)
            took.append(time.monotonic() - begun)
        if min(took) > most:
            found += 1
            print(f"{name}: {what} takes {min(took):.2f} s, at most {most:g} s")
    return found


def main() -> int:
    """Measure until the time is up; the exit code is 1 if a statement takes too long."""
    parser = ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600)
    until = time.monotonic() + parser.parse_args().seconds
    found = 0
    schema = f"bench_{os.getpid()}_questions"
    with tempfile.TemporaryDirectory() as name:
        tables = rows_of(Path(name) / "project")
        for dialect, place in (("duckdb", DEFAULT_SCHEMA), ("sqlite", "main")):
            with UnifiedSqlAdapter.from_url(f"{dialect}:///{name}/store.{dialect}") as adapter:
                fill(adapter, DEFAULT_SCHEMA, tables)
                found += slow(adapter, dialect, place, until)
        with UnifiedSqlAdapter.from_url(POSTGRES) as adapter:
            try:
                fill(adapter, schema, tables)
                found += slow(adapter, "postgres", schema, until)
                adapter.execute(
                    "DELETE FROM pg_catalog.pg_statistic WHERE starelid IN"
                    f" (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace = '{schema}'::regnamespace)"
                )
                found += slow(adapter, "postgres without statistics", schema, until)
            finally:
                adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
