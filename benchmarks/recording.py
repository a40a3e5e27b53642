"""Recording, compared with a bulk load of the same rows, and again, compared with extraction."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from benchmarks.measure import Figure, compared, in_fresh_process, in_turns
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project
from recce_meta.store import content
from recce_meta.store.grants import init_sql
from recce_meta.store.read import run_row
from recce_meta.store.session import init_store
from recce_meta.store.write import RUN_COLUMNS, record_run

POSTGRES = os.environ.get("RECCE_META_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
Tables = dict[str, tuple[Sequence[str], list[content.Row]]]
_run_numbers = count()


def extracted(folder: Path, *, results: bool = False) -> Project:
    """Extract the project in *folder*, each time with a new run id."""
    project = extract_project(
        folder, git=GitState(), project_dir=folder, run_id=f"run-{next(_run_numbers)}", environ={}
    )
    return project if results else replace(project, results=())


def stored_rows(project: Project) -> Tables:
    """Return every row that recording *project* writes, by table."""
    pieces = content.contents(project)
    run = replace(
        project.run,
        recorded_at=project.run.run_at,
        graph_id=pieces.graph_id,
        macro_set_id=pieces.macro_set_id,
    )
    versions = list(pieces.versions.items())
    return {
        "graph_parts": (content.PART_COLUMNS, [(pieces.graph_id, part) for part in pieces.parts]),
        "part_nodes": (content.NODE_COLUMNS, list(content.part_rows(pieces.parts.items()))),
        "node_versions": (
            content.VERSION_COLUMNS,
            list(content.version_rows(pieces.versions)),
        ),
        "version_parents": (
            content.PARENT_COLUMNS,
            list(content.parent_rows((identity, node) for identity, (node, _) in versions)),
        ),
        "macro_sets": (content.MACRO_SET_COLUMNS, [(pieces.macro_set_id, key) for key in pieces.macros]),
        "macros": (content.MACRO_COLUMNS, [content.macro_row(*item) for item in pieces.macros.items()]),
        "runs": (RUN_COLUMNS, [run_row(run)]),
    }


def adapter_at(path: Path) -> UnifiedSqlAdapter:
    """Return an adapter for the DuckDB file at *path*."""
    return UnifiedSqlAdapter.from_url(f"duckdb:///{path}")


def record_into_duckdb(path: Path, project: Project) -> None:
    """Record into the file at *path*, and close it."""
    with adapter_at(path) as adapter:
        record_run(adapter, project)


def load_from_arrow(path: Path, tables: dict[str, Any]) -> None:
    """Create a store at *path* from Arrow tables in one transaction."""
    import duckdb

    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.0.0"}) as connection:
        with adapter_at(Path(":memory:")) as adapter:
            script = init_sql(adapter.warehouse)
        connection.execute("BEGIN")
        connection.execute(script)
        for name, table in tables.items():
            connection.register("rows", table)
            columns = ", ".join(f'"{column}"' for column in table.column_names)
            connection.execute(f"INSERT INTO recce_metadata.store_{name} ({columns}) SELECT * FROM rows")
        connection.execute("COMMIT")


def arrow_tables(tables: Tables) -> dict[str, Any]:
    """Return *tables* as Arrow tables."""
    import pyarrow  # type: ignore[import-untyped]

    return {
        name: pyarrow.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
        for name, (columns, rows) in tables.items()
    }


def first_record_duckdb(project: Project, folder: Path, scratch: Path) -> list[Figure]:
    """Measure the first record into a new DuckDB file."""
    ours, least = scratch / "ours.duckdb", scratch / "floor.duckdb"
    arrow = arrow_tables(stored_rows(project))

    def clean() -> None:
        for path in (ours, least):
            path.unlink(missing_ok=True)

    whole, record, floor = in_turns(
        lambda: record_into_duckdb(ours, extracted(folder)),
        lambda: record_into_duckdb(ours, project),
        lambda: load_from_arrow(least, arrow),
        rounds=4,
        before=clean,
    )
    clean()
    what = "first record of 5,000 models and 20,000 tests into DuckDB"
    return [
        compared(what, record, floor, 3, "DuckDB from Arrow"),
        dataclasses.replace(
            compared(f"{what}, extraction included", whole, floor, 3, "DuckDB from Arrow"),
            target="–",
            met=None,
        ),
    ]


def copy_into_postgres(schema: str, tables: Tables) -> None:
    """Create a store in *schema* by COPY in one transaction."""
    import psycopg

    from recce_meta.warehouses import warehouse_named

    with psycopg.connect(POSTGRES) as connection, connection.cursor() as cursor:
        cursor.execute(init_sql(warehouse_named("postgres"), schema).encode())
        for name, (columns, rows) in tables.items():
            names = ", ".join(f'"{column}"' for column in columns)
            with cursor.copy(f'COPY "{schema}"."store_{name}" ({names}) FROM STDIN'.encode()) as copy:
                for row in rows:
                    copy.write_row(row)


def first_record_postgres(project: Project, folder: Path) -> list[Figure]:
    """Measure the first record into a new schema of the PostgreSQL server at RECCE_META_TEST_POSTGRES_URL."""
    import psycopg

    schemas = (f"bench_{os.getpid()}_ours", f"bench_{os.getpid()}_floor")
    rows = stored_rows(project)

    def clean() -> None:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            for schema in schemas:
                connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())

    def record(make: Callable[[], Project]) -> None:
        with UnifiedSqlAdapter.from_url(POSTGRES) as adapter:
            record_run(adapter.at(schemas[0]), make())

    try:
        whole, ours, floor = in_turns(
            lambda: record(lambda: extracted(folder)),
            lambda: record(lambda: project),
            lambda: copy_into_postgres(schemas[1], rows),
            rounds=3,
            before=clean,
        )
    finally:
        clean()
    what = "first record of 5,000 models and 20,000 tests into PostgreSQL"
    return [
        compared(what, ours, floor, 3, "COPY"),
        dataclasses.replace(
            compared(f"{what}, extraction included", whole, floor, 3, "COPY"), target="–", met=None
        ),
    ]


MEMORY = """
import json, sys
from pathlib import Path
from benchmarks.measure import peak_rss, rss
from benchmarks.recording import adapter_at, extracted, record_run
with adapter_at(Path(sys.argv[2])) as adapter:
    adapter.execute("SELECT 1")
    before = rss()
    record_run(adapter, extracted(Path(sys.argv[1])))
print(json.dumps({"before": before, "peak": peak_rss()}))
"""


def memory_of_record(what: str, folder: Path, scratch: Path) -> Figure:
    """Return the peak memory of recording: reading, decoding, hashing, sending, and DuckDB's own."""
    store = scratch / "memory.duckdb"
    store.unlink(missing_ok=True)
    memory = in_fresh_process(MEMORY, str(folder), str(store))
    store.unlink()
    size = (folder / "manifest.json").stat().st_size
    grown = memory["peak"] - memory["before"]
    return Figure(
        f"memory that the first record of {what} adds at its peak, DuckDB's own included",
        f"{grown / 1e6:.0f} MB",
        f"manifest: {size / 1e6:.0f} MB",
        f"{grown / size:.2f}",
        "≤ 4",
        grown <= 4 * size,
    )


def second_record(folder: Path, scratch: Path) -> list[Figure]:
    """Measure recording the same graph again, and a graph with three models changed."""
    store = scratch / "second.duckdb"
    store.unlink(missing_ok=True)
    project = extracted(folder)
    with adapter_at(store) as adapter:
        init_store(adapter)
        record_run(adapter, project)
        before = row_counts(adapter)
        record_run(adapter, extracted(folder))
        written = sum(row_counts(adapter).values()) - sum(before.values())
        ours, floor = in_turns(
            lambda: record_run(adapter, fresh_run(project)), lambda: extracted(folder), rounds=7
        )
        changed = with_changed_models(fresh_run(project), 3)
        sent = record_run(adapter, changed).code_sent
    text = sum(
        len(node.raw_code or "") + len(node.compiled_code or "")
        for node, old in zip(changed.nodes, project.nodes, strict=True)
        if node is not old
    )
    store.unlink()
    return [
        Figure("rows that recording the same graph again writes", str(written), target="1", met=written == 1),
        compared("recording 5,000 models again", ours, floor, 1.5, "extracting them"),
        Figure(
            "code sent when three models changed",
            f"{sent} characters",
            f"theirs: {text} characters",
            f"{sent / text:.2f}",
            "≤ 1.1",
            sent <= 1.1 * text,
        ),
    ]


def fresh_run(project: Project) -> Project:
    """Return *project* as another run."""
    return replace(project, run=replace(project.run, run_id=f"run-{next(_run_numbers)}"))


def with_changed_models(project: Project, most: int, salt: str = "x") -> Project:
    """Return *project* with the code of *most* of its models edited."""
    from recce_meta.models import code_hash

    nodes = list(project.nodes)
    models = [i for i, node in enumerate(nodes) if node.resource_type == "model"]
    for i in models[:: max(1, len(models) // most)][:most]:
        node = nodes[i]
        raw = f"{node.raw_code}\n  and {salt!r} <> ''"
        compiled = f"{node.compiled_code}\n  and {salt!r} <> ''"
        nodes[i] = replace(node, raw_code=raw, compiled_code=compiled, code_hash=code_hash(raw))
    return replace(project, nodes=tuple(nodes))


def row_counts(adapter: UnifiedSqlAdapter) -> dict[str, int]:
    """Return the number of rows by table of the store."""
    tables = ("runs", "graph_parts", "part_nodes", "node_versions", "version_parents", "macros", "macro_sets")
    return {
        table: adapter.execute(f"SELECT COUNT(*) FROM recce_metadata.store_{table}")[1][0][0]
        for table in tables
    }


def run(large: Path, with_tests: Path, scratch: Path) -> list[Figure]:
    """Run all measurements; *large* has 5,000 models, *with_tests* also 20,000 tests."""
    project = extracted(with_tests)
    parts: tuple[Callable[[], list[Figure]], ...] = (
        partial(second_record, large, scratch),
        partial(first_record_duckdb, project, with_tests, scratch),
        partial(first_record_postgres, project, with_tests),
        lambda: [memory_of_record("5,000 models and 20,000 tests", with_tests, scratch)],
        lambda: [memory_of_record("5,000 models", large, scratch)],
    )
    return [figure for part in parts for figure in part()]
