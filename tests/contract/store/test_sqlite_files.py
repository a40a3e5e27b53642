"""Files of SQLite that hold a store: schema, a user's tables, two processes, read-only places, types."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import duckdb
import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import DatabaseNotFound, PermissionDenied, StoreError, TransientFailure, UsageError
from recce_meta.models import Project
from recce_meta.store import sql_files
from recce_meta.store.read import list_runs
from recce_meta.store.session import InitAction, init_store, open_store, store_versions
from recce_meta.store.write import record_run
from recce_meta.warehouses.sqlite.driver import BOOLEANS, JSON_COLUMNS

Make = Callable[..., Project]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def adapter(file: Path) -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url(f"sqlite:///{file}") as adapter:
        yield adapter


def test_the_shell_reads_the_views_without_a_schema_also_of_an_attached_file(
    adapter: UnifiedSqlAdapter, file: Path, make_project: Make
) -> None:
    record_run(adapter, make_project())
    adapter.close()

    with sqlite3.connect(file) as shell:
        assert shell.execute("SELECT run_id, run_at FROM runs").fetchall() == [
            ("run-1", "2026-11-01 10:00:00.000000+00:00")
        ]
        assert shell.execute(
            "SELECT COUNT(*) FROM runs WHERE run_at < datetime('2026-11-02')"
        ).fetchone() == (1,)
    shell.close()
    with sqlite3.connect(":memory:") as another:
        another.execute(f"ATTACH '{file}' AS kept")
        for view in sql_files.public_relations("sqlite"):
            another.execute(f"SELECT * FROM kept.{view}").fetchall()
    another.close()


def test_a_file_holds_one_store(adapter: UnifiedSqlAdapter, make_project: Make) -> None:
    assert init_store(adapter.at("main")).action is InitAction.CREATED
    assert init_store(adapter).action is InitAction.REFRESHED
    for refused in (init_store, list_runs, store_versions):
        with pytest.raises(UsageError, match="'other' is not supported in sqlite"):
            refused(adapter.at("other"))


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ("CREATE TABLE runs (a)", "runs"),
        ("CREATE VIEW nodes AS SELECT 1 AS a", "nodes"),
        ("CREATE TABLE store (city)", r"store \(of the user\)"),
        ("CREATE TABLE Store_Runs (a)", "store_runs"),
    ],
)
def test_names_of_a_user_are_refused_before_anything_is_written(
    adapter: UnifiedSqlAdapter, file: Path, make_project: Make, own: str, named: str
) -> None:
    adapter.execute(own)
    before = adapter.execute("SELECT name, sql FROM sqlite_schema")[1]

    for create in (lambda: init_store(adapter), lambda: record_run(adapter, make_project())):
        with pytest.raises(StoreError, match=f"relations with its names: {named}\n"):
            create()
    assert adapter.execute("SELECT name, sql FROM sqlite_schema")[1] == before
    assert store_versions(adapter) is None


def test_a_file_holds_data_and_a_store(adapter: UnifiedSqlAdapter, make_project: Make) -> None:
    adapter.execute("CREATE TABLE orders (id INTEGER, is_private INTEGER)")
    adapter.execute("INSERT INTO orders VALUES (1, 2)")

    assert record_run(adapter, make_project()).written
    assert adapter.execute("SELECT * FROM orders")[1] == [(1, 2)]
    assert adapter.execute("PRAGMA journal_mode")[1] == [("wal",)], "the file was made by this test's adapter"


def test_an_existing_file_keeps_its_mode(adapter: UnifiedSqlAdapter, file: Path) -> None:
    sqlite3.connect(file).close()

    init_store(adapter)

    assert adapter.execute("PRAGMA journal_mode")[1] == [("delete",)]


def test_a_reader_makes_no_file(file: Path) -> None:
    with (
        UnifiedSqlAdapter.from_url(f"sqlite:///{file}", may_create=False) as adapter,
        pytest.raises(DatabaseNotFound, match="SQLite file not found"),
    ):
        list_runs(adapter)
    assert not file.exists()


def test_readers_see_the_last_commit_while_a_recorder_writes(
    adapter: UnifiedSqlAdapter, file: Path, make_project: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recce_meta.warehouses.sqlite.driver._BUSY_SECONDS", 0.05)
    record_run(adapter, make_project())
    with UnifiedSqlAdapter.from_url(f"sqlite:///{file}") as reader, open_store(adapter, writes=True) as store:
        store.execute("set_edge_origin", kind="ref", confidence=1.0, version_ids="", edges="")
        assert [run.run_id for run in list_runs(reader)] == ["run-1"]
        with pytest.raises(TransientFailure, match="another process writes"), open_store(reader, writes=True):
            pass
    assert record_run(adapter, make_project("run-2")).written


def test_queries_of_users_cannot_write(adapter: UnifiedSqlAdapter, make_project: Make) -> None:
    record_run(adapter, make_project())
    for opened in (adapter.reader("recce_metadata"), adapter.guarded()):
        with opened as reader:
            assert reader.execute("SELECT COUNT(*) FROM runs")[1] == [(1,)]
            with pytest.raises(PermissionDenied):
                reader.execute("DELETE FROM store_runs")


READ = """
import os, sqlite3, sys
import sqlalchemy.dialects.sqlite.pysqlite
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.store.read import list_runs
import recce_meta.warehouses.sqlite.driver, recce_meta.store.session
import sqlglot.dialects.sqlite
with UnifiedSqlAdapter.from_url("sqlite:///:memory:") as adapter:
    adapter.execute("SELECT 1")  # everything is imported before the rights end
os.setgid(65534); os.setuid(65534)
with UnifiedSqlAdapter.from_url(sys.argv[1], may_create=False) as adapter:
    print([run.run_id for run in list_runs(adapter)], adapter.execute("SELECT COUNT(*) FROM nodes")[1])
"""


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="the test gives up the rights of root")
@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_file_in_a_read_only_place_is_readable(
    tmp_path_factory: pytest.TempPathFactory, make_project: Make, mode: str
) -> None:
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    url = f"sqlite:///{folder / 'store.db'}"
    try:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            record_run(adapter, make_project())
        with sqlite3.connect(folder / "store.db") as shell:
            assert shell.execute(f"PRAGMA journal_mode = {mode}").fetchone() == (mode,)
        shell.close()
        folder.chmod(0o555)
        (folder / "store.db").chmod(0o444)

        done = subprocess.run(
            [sys.executable, "-c", READ, url],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(folder)},
        )

        assert (done.stdout, done.stderr) == ("['run-1'] [(12,)]\n", "")
    finally:
        folder.chmod(0o755)
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()


def test_values_come_back_with_their_types(adapter: UnifiedSqlAdapter, make_project: Make) -> None:
    record_run(adapter, make_project(git_dirty=True))
    moment = datetime(2026, 11, 1, 10, tzinfo=timezone.utc)

    sql = "SELECT run_at, git_dirty, MAX(run_at) AS last_run_at FROM runs"
    assert adapter.execute(sql)[1] == [(moment, True, moment)]
    assert adapter.execute("SELECT config FROM nodes LIMIT 1")[1] == [({"materialized": "table"},)]
    assert adapter.answer("SELECT git_dirty, run_at FROM runs") == [(1, "2026-11-01 10:00:00.000000+00:00")]
    odd = adapter.execute("SELECT 7 AS git_dirty, 'soon' AS run_at, 'no' AS tags")[1]
    assert odd == [(7, "soon", "no")]


def test_names_show_the_types_that_other_warehouses_have() -> None:
    """A column of the store has a type in DuckDB; in SQLite, the driver knows it from the name."""
    kinds: dict[str, set[str]] = {}
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA recce_metadata")
        for file in (*sql_files.ddl("duckdb"), *sql_files.views("duckdb")):
            for statement in file.statements():
                connection.execute(statement)
        described = [f"SELECT * FROM recce_metadata.{name}" for name in sql_files.relations("duckdb")]
        for file in (*sql_files.queries("duckdb"), *sql_files.cookbook("duckdb")):
            found = (re.sub(r"(?<![:\w]):(\w+)", "NULL", statement) for statement in file.statements())
            described += [text for text in found if re.match(r"(--.*\n)*\s*(SELECT|WITH)\b", text)]
        for text in described:
            for name, kind, *_ in connection.execute(f"DESCRIBE {text}").fetchall():
                kinds.setdefault(name, set()).add(kind)

    of_kind = {name for name, found in kinds.items() if "BOOLEAN" in found}
    assert of_kind == BOOLEANS
    assert all(kinds[name] == {"BOOLEAN"} for name in BOOLEANS)
    assert {name for name, found in kinds.items() if "JSON" in found} == JSON_COLUMNS
    moments = {name for name, found in kinds.items() if "TIMESTAMP WITH TIME ZONE" in found}
    # dbt's own text, which the form of its values tells from a time of the store
    assert {name for name in kinds if name.endswith("_at")} == moments | {"completed_at"}
