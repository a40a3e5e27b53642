"""One relation under two names is not compared with itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.place import DatabasePlace
from recce_meta.api.data.diffs import value_diff
from recce_meta.api.data.execution import open_data_diff_runner
from recce_meta.api.data.jobs import NodePair, row_count_job, value_jobs
from recce_meta.data_diff.options import ValueOptions
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import Failed, NotCompared, RowCountDiff, RowsDiff
from recce_meta.tables.gaps import SAME_RELATION
from recce_meta.warehouses.dialect import dialect_named
from tests.contract.conftest import Backend

LONG = "t" * 63


@pytest.fixture
def place(postgres_url: str) -> Iterator[tuple[UnifiedSqlAdapter, str]]:
    """Adapter, and a schema with tables that is also first in its search path."""
    schema = f"same_{uuid4().hex[:8]}"
    with UnifiedSqlAdapter.from_url(postgres_url) as owner:
        owner.execute(f"CREATE SCHEMA {schema}")
        for name in ("t", "other", LONG):
            owner.execute(f"CREATE TABLE {schema}.{name} AS SELECT 1 AS id")
        path = f"{postgres_url}?options=-csearch_path%3D{schema}"
        with UnifiedSqlAdapter.from_url(path) as adapter:
            yield adapter, schema
        owner.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.mark.parametrize(
    ("base", "current", "is_same"),
    [
        ("{schema}.t", "t", True),
        ("{schema}.t", "{database}.{schema}.t", True),
        ("{schema}." + LONG + "x", "{schema}." + LONG + "y", True),
        ("{schema}.t", "{schema}.T", True),
        ("{schema}.t", "other", False),
        ("{schema}.t", "{database}.{schema}.other", False),
    ],
)
def test_names_of_one_relation_are_recognized(
    place: tuple[UnifiedSqlAdapter, str], postgres_url: str, base: str, current: str, is_same: bool
) -> None:
    adapter, schema = place
    names = {"schema": schema, "database": urlsplit(postgres_url).path.strip("/")}
    pairs = [NodePair(base.format(**names), current.format(**names))]
    if is_same:
        with pytest.raises(UsageError, match=SAME_RELATION):
            value_diff(adapter, pairs[0].base, pairs[0].current)
    runner = open_data_diff_runner(adapter, threads=1)
    jobs = value_jobs(runner.places, None, pairs, ValueOptions())
    (values,) = runner.run_all(jobs)
    (counts,) = runner.run_all([row_count_job(runner.places, pairs)])
    runner.close()

    assert isinstance(counts, RowCountDiff)
    if is_same:
        assert isinstance(values, NotCompared) and values.reason == SAME_RELATION
        assert (counts.counts[0].base, counts.counts[0].base_reason) == (None, SAME_RELATION)
    else:
        assert isinstance(values, RowsDiff) and values.is_equal
        assert (counts.counts[0].base, counts.counts[0].current) == (1, 1)


@pytest.mark.parametrize(
    ("base", "current", "is_same"),
    [
        *[("s.t", "p.s.t", True), ("t", "main.t", True), ("t", "p.main.T", True), ("p.t", "main.t", True)],
        *[("t", "p.s.t", False), ("s.t", "main.t", False), ("v", "main.v", True), ("t", "v", False)],
    ],
)
def test_names_of_one_relation_of_duckdb(tmp_path: Path, base: str, current: str, is_same: bool) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'p.duckdb'}") as adapter:
        for sql in ("CREATE SCHEMA s", "CREATE TABLE s.t AS SELECT 1 AS id", "CREATE TABLE t AS FROM s.t"):
            adapter.execute(sql)
        adapter.execute("CREATE VIEW v AS FROM t")
        assert is_compared(adapter, base, current) is not is_same


@pytest.mark.parametrize(
    ("base", "current", "is_same"),
    [("t", "main.t", True), ("T", "main.t", True), ("v", "main.V", True), ("t", "main.v", False)],
)
def test_names_of_one_relation_of_sqlite(tmp_path: Path, base: str, current: str, is_same: bool) -> None:
    with UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'p.db'}") as adapter:
        adapter.execute("CREATE TABLE t AS SELECT 1 AS id")
        adapter.execute("CREATE VIEW v AS SELECT * FROM t")
        assert is_compared(adapter, base, current) is not is_same


DATABASE = {"bigquery": "@@project_id", "databricks": "CURRENT_CATALOG()"}
"""SQL of the database that completes a name."""


@pytest.mark.emulated
def test_a_name_with_and_without_its_place_is_one_relation(
    adapter: UnifiedSqlAdapter, backend: Backend, schema: str
) -> None:
    quote = adapter.quote_identifier
    ((database,),) = adapter.execute(f"SELECT {DATABASE.get(backend.name, 'CURRENT_DATABASE()')}")[1]
    for name in ("t", "other"):
        adapter.execute(f"CREATE TABLE {quote(schema)}.{quote(name)} AS SELECT 1 AS id")
    short, long = quote(schema), f"{quote(database)}.{quote(schema)}"

    assert not is_compared(adapter, f"{short}.{quote('t')}", f"{long}.{quote('t')}")
    assert is_compared(adapter, f"{short}.{quote('t')}", f"{long}.{quote('other')}")


def test_names_of_one_relation_of_mysql(mysql_url: str) -> None:
    name = f"same_{uuid4().hex[:8]}"
    schema = urlsplit(mysql_url).path.strip("/")
    with UnifiedSqlAdapter.from_url(mysql_url) as adapter:
        ((ignores_case,),) = adapter.execute("SELECT @@lower_case_table_names > 0")[1]
        adapter.execute(f"CREATE TABLE {name} AS SELECT 1 AS id")
        try:
            assert not is_compared(adapter, name, f"{schema}.{name}")
            if not ignores_case:
                adapter.execute(f"CREATE TABLE {name.upper()} AS SELECT 1 AS id")
            assert is_compared(adapter, name, f"{schema}.{name.upper()}") is not ignores_case
        finally:
            adapter.execute(f"DROP TABLE IF EXISTS {name}, {name.upper()}")


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
@pytest.mark.parametrize("link", [os.symlink, os.link, shutil.copy])
def test_two_paths_of_one_file_are_one_place(tmp_path: Path, kind: str, link: Callable[..., None]) -> None:
    file, other = tmp_path / "p.db", tmp_path / "q.db"
    with UnifiedSqlAdapter.from_url(f"{kind}:///{file}") as adapter:
        adapter.execute("CREATE TABLE t AS SELECT 1 AS id")
        adapter.close()
        link(file, other)
        with UnifiedSqlAdapter.from_url(f"{kind}:///{other}") as base:
            assert is_compared(adapter, "t", "t", base) is (link is shutil.copy)


@pytest.mark.emulated
def test_two_connections_of_one_server_are_one_place(
    adapter: UnifiedSqlAdapter, backend: Backend, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = f"{adapter.quote_identifier(schema)}.{adapter.quote_identifier('t')}"
    adapter.execute(f"CREATE TABLE {table} AS SELECT 1 AS id")
    is_known = adapter.warehouse.is_in_process
    if not is_known:  # as with two spellings of a host
        monkeypatch.setattr(DatabasePlace, "reaches_same", lambda *_: False)
        is_known = dialect_named(adapter.warehouse.dialect).server is not None
    with backend.connect() as other:
        assert is_compared(adapter, table, table, other) is not is_known


def is_compared(
    adapter: UnifiedSqlAdapter, base: str, current: str, of_base: UnifiedSqlAdapter | None = None
) -> bool:
    runner = open_data_diff_runner(adapter, of_base, threads=1)
    jobs = value_jobs(runner.places, None, [NodePair(base, current)], ValueOptions())
    (values,) = runner.run_all(jobs)
    runner.close()
    assert not isinstance(values, Failed), values.error
    return not isinstance(values, NotCompared)
