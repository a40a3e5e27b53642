"""Several statements at once, and statements that are described and not run."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import yaml

from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.adapter.connection import DriverConnection
from recce_meta.adapter.pool import Pool
from recce_meta.api.data.execution import SEVERAL_MOMENTS, open_data_diff_runner
from recce_meta.api.data.jobs import NodePair, row_count_job
from recce_meta.errors import MissingRelation, QueryCancelled, QueryTimeout, UsageError, WarehouseError
from recce_meta.warehouses import OneMoment
from tests.contract.conftest import Backend

pytestmark = pytest.mark.emulated("snowflake", "bigquery", "redshift")

ENDLESS = {
    "duckdb": "SELECT count(*) FROM range(100000000000) AS a",
    "postgres": "SELECT count(*) FROM generate_series(1, 100000000000) AS a",
    "redshift": "SELECT COUNT(*) FROM pg_catalog.pg_attribute AS a, pg_catalog.pg_attribute AS b,"
    " pg_catalog.pg_attribute AS c",
    "bigquery": "SELECT SUM(a * b) FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS a"
    " CROSS JOIN UNNEST(GENERATE_ARRAY(1, 1000000)) AS b",
    "snowflake": "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 1000000)) AS a"
    " CROSS JOIN TABLE(GENERATOR(ROWCOUNT => 1000000)) AS b",
    "databricks": "SELECT COUNT(*) FROM range(10000000) AS a CROSS JOIN range(10000000) AS b"
    " WHERE sin(a.id + b.id) > 2",
}


def test_a_statement_is_described_with_the_warehouse_s_own_types(
    backend: Backend, adapter: UnifiedSqlAdapter, schema: str
) -> None:
    table = adapter.quote_table(schema, "a table")
    adapter.execute(
        f'CREATE TABLE {table} ("Id" bigint, price decimal(10, 2), seen timestamp with time zone)'
    )

    described = adapter.describe(f'SELECT *, \'x\' || "Id" AS "a""b" FROM {table} -- a comment')

    assert [name for name, _ in described] == ["Id", "price", "seen", 'a"b']
    assert [text.lower() for _, text in described][1:3] == [
        "decimal(10,2)" if backend.name == "duckdb" else "numeric(10,2)",
        "timestamp with time zone",
    ]


def test_a_described_statement_is_not_run(adapter: UnifiedSqlAdapter) -> None:
    assert adapter.describe("SELECT 1 / (SELECT 0) AS never") != []


def test_what_cannot_be_described_says_why(adapter: UnifiedSqlAdapter) -> None:
    with pytest.raises(MissingRelation, match="not_there"):
        adapter.describe("SELECT * FROM not_there")
    assert adapter.describe("SELECT 1 AS one")[0][0] == "one"


def test_answers_come_in_the_order_of_the_statements(adapter: UnifiedSqlAdapter) -> None:
    adapter.execute("SELECT 1")
    with Pool(adapter, 3) as pool:
        assert pool.each(pool.execute, [f"SELECT {number}" for number in range(9)]) == [
            [(number,)] for number in range(9)
        ]


def test_statements_run_at_once(adapter: UnifiedSqlAdapter) -> None:
    here = threading.Barrier(3, timeout=120)

    def meet(_item: int) -> int:
        with pool.connection() as one:
            one.execute("SELECT 1")
            return here.wait()

    with Pool(adapter, 3) as pool:
        assert sorted(pool.each(meet, [1, 2, 3])) == [0, 1, 2]


def test_the_failure_of_one_statement_stops_the_others(backend: Backend, adapter: UnifiedSqlAdapter) -> None:
    adapter.execute("SELECT 1")
    with Pool(adapter, 2) as pool:
        with pytest.raises(WarehouseError, match="not_there"):
            pool.each(pool.execute, [ENDLESS[backend.name], "SELECT * FROM not_there"])
        with pytest.raises(QueryCancelled):
            pool.execute("SELECT 1")
    assert adapter.execute("SELECT 1")[1] == [(1,)]


def test_a_deadline_stops_what_runs_and_what_would(backend: Backend, adapter: UnifiedSqlAdapter) -> None:
    adapter.execute("SELECT 1")
    with Pool(adapter, 2, deadline=time.monotonic() + 0.3) as pool:
        with pytest.raises(QueryTimeout, match="budget is used up"):
            pool.execute(ENDLESS[backend.name])
        with pytest.raises(QueryTimeout, match="budget is used up"):
            pool.execute("SELECT 1")
    assert adapter.execute("SELECT 1")[1] == [(1,)]


def test_a_database_in_memory_has_one_connection() -> None:
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as adapter:
        adapter.execute("CREATE TABLE t AS SELECT 42 AS answer")
        with Pool(adapter, 8) as pool:
            assert pool.each(pool.execute, ["SELECT answer FROM t"] * 3) == [[(42,)]] * 3


def test_there_are_as_many_connections_as_the_profile_has_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PROFILES_DIR", "PROJECT_DIR", "PROFILE", "TARGET"):
        monkeypatch.delenv(f"DBT_{name}", raising=False)
    server = {"type": "postgres", "host": "h", "user": "u", "password": "p", "dbname": "d", "schema": "s"}
    outputs = {"server": {**server, "threads": 7}, "file": {"type": "duckdb", "path": "x.db", "threads": 7}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": outputs}}), encoding="utf-8")

    sizes = {
        target: Pool(UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", target)).size for target in outputs
    }

    assert sizes == {"server": 7, "file": 1}  # DuckDB gives one statement all cores
    assert Pool(UnifiedSqlAdapter.from_url("postgresql://u@h/d")).size == 4
    assert Pool(UnifiedSqlAdapter.from_url("postgresql://u@h/d"), 2).size == 2


def test_no_threads_are_refused(adapter: UnifiedSqlAdapter) -> None:
    with pytest.raises(UsageError, match="threads must be at least 1, got 0"):
        Pool(adapter, 0)


def test_every_statement_of_a_pool_sees_one_moment(postgres_url: str) -> None:
    name = f"moment_{uuid4().hex[:8]}"
    count = f"SELECT COUNT(*) FROM {name}"
    with (
        UnifiedSqlAdapter.from_url(postgres_url) as adapter,
        UnifiedSqlAdapter.from_url(postgres_url) as other,
    ):
        other.execute(f"CREATE TABLE {name} AS SELECT 1 AS id")
        try:
            with Pool(adapter, 3, of_one_moment=True) as pool:
                before = pool.execute(count)
                other.execute(f"INSERT INTO {name} VALUES (2)")
                with pytest.raises(WarehouseError):
                    pool.execute("SELECT no_such_column")
                during = pool.each(pool.execute, [count] * 6)
                with pool.connection() as connection:
                    own = connection.execute(count)[1]
            with Pool(adapter, 3, of_one_moment=True) as pool:
                after = pool.execute(count)
        finally:
            other.execute(f"DROP TABLE {name}")

    assert (before, during) == ([(1,)], [[(1,)]] * 6)
    assert (own, after) == ([(2,)], [(2,)])


NEW_TABLE = (
    "DROP TABLE {0} CASCADE",
    "CREATE TABLE {0} AS SELECT 7 AS id",
    "CREATE VIEW {0}_view AS SELECT * FROM {0}",
)


@pytest.mark.parametrize(
    ("rebuild", "read"),
    [
        (("TRUNCATE {0}",), "{0}"),
        (("TRUNCATE {0}",), "{0}_view"),
        (NEW_TABLE, "{0}"),
        (NEW_TABLE, "{0}_view"),
        (("DROP VIEW {0}_view", "ALTER TABLE {0} ALTER id TYPE bigint USING id + 1"), "{0}"),
    ],
)
def test_a_relation_rebuilt_meanwhile_is_an_error_and_not_empty(
    postgres_url: str, rebuild: tuple[str, ...], read: str
) -> None:
    name = f"moment_{uuid4().hex[:8]}"
    with (
        UnifiedSqlAdapter.from_url(postgres_url) as adapter,
        UnifiedSqlAdapter.from_url(postgres_url) as other,
    ):
        other.execute(f"CREATE TABLE {name} AS SELECT 1 AS id")
        other.execute(f"CREATE VIEW {name}_view AS SELECT * FROM {name}")
        try:
            with Pool(adapter, 2, of_one_moment=True) as pool:
                assert pool.execute(f"SELECT id FROM {name}") == [(1,)]
                for statement in rebuild:
                    other.execute(statement.format(name))
                with pytest.raises(WarehouseError, match="rebuilt during the comparison"):
                    pool.execute(f"SELECT id FROM {read.format(name)}")
        finally:
            other.execute(f"DROP TABLE {name} CASCADE")


def test_mariadb_reads_one_moment_in_one_transaction(mysql_url: str) -> None:
    # A user who sees no table of other tests: one in another engine would end the claim.
    name = f"moment_{uuid4().hex[:8]}"
    place = urlsplit(mysql_url)
    user = f"{name}:{name}@{place.hostname}:{place.port or 3306}"
    own = place._replace(netloc=user, path=f"/{name}").geturl()
    count = "SELECT COUNT(*) FROM t"
    with UnifiedSqlAdapter.from_url(mysql_url) as other:
        other.execute("SET SESSION lock_wait_timeout = 10")
        other.execute(f"CREATE DATABASE {name}")
        other.execute(f"CREATE USER {name}@'%' IDENTIFIED BY '{name}'")
        try:
            other.execute(f"GRANT ALL ON {name}.* TO {name}@'%'")
            other.execute(f"CREATE TABLE {name}.t ENGINE=InnoDB AS SELECT 1 AS id")
            with UnifiedSqlAdapter.from_url(own) as adapter:
                with Pool(adapter, of_one_moment=True) as pool:
                    before = pool.execute(count)
                    other.execute(f"INSERT INTO {name}.t VALUES (2)")
                    with pytest.raises(WarehouseError):
                        pool.execute("SELECT no_such_column")
                    during = pool.each(pool.execute, [count] * 3)
                    assert (pool.size, pool.sees_one_moment) == (1, True)
                    other.execute(f"TRUNCATE {name}.t")
                    with pytest.raises(WarehouseError, match="Table definition has changed"):
                        pool.execute(count)
                with Pool(adapter, 3, of_one_moment=True) as pool:
                    assert pool.execute(count) == [(0,)]
                    assert not pool.sees_one_moment
                other.execute(f"CREATE TABLE {name}.other (id int) ENGINE=MyISAM")
                with Pool(adapter, of_one_moment=True) as pool:
                    assert pool.execute(count) == [(0,)]
                    assert not pool.sees_one_moment
        finally:
            other.execute(f"DROP USER {name}@'%'")
            other.execute(f"DROP DATABASE {name}")

    assert (before, during) == ([(1,)], [[(1,)]] * 3)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_sqlite_file_is_read_in_one_transaction_unless_writers_would_wait(
    tmp_path: Path, mode: str
) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    with closing(sqlite3.connect(tmp_path / "shop.db")) as made:
        made.execute(f"PRAGMA journal_mode = {mode}")
    count = "SELECT COUNT(*) FROM t"
    with UnifiedSqlAdapter.from_url(url) as adapter, UnifiedSqlAdapter.from_url(url) as other:
        other.execute("CREATE TABLE t AS SELECT 1 AS id")
        with Pool(adapter, of_one_moment=True) as pool:
            before = pool.execute(count)
            other.execute("INSERT INTO t VALUES (2)")
            with pytest.raises(WarehouseError):
                pool.execute("SELECT no_such_column")
            during = pool.execute(count)
            assert pool.sees_one_moment is (mode == "wal")
        other.execute("INSERT INTO t VALUES (3)")

    assert (before, during) == ([(1,)], [(1,)] if mode == "wal" else [(2,)])


def test_without_a_connection_for_the_snapshot_no_moment_is_claimed(postgres_url: str) -> None:
    role = f"moment_{uuid4().hex[:8]}"
    place = urlsplit(postgres_url)
    own = place._replace(netloc=f"{role}@{place.hostname}:{place.port or 5432}").geturl()
    with UnifiedSqlAdapter.from_url(postgres_url) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")
        try:
            with UnifiedSqlAdapter.from_url(own) as adapter, Pool(adapter, 1, of_one_moment=True) as pool:
                assert pool.sees_one_moment
                assert pool.execute("SELECT 1") == [(1,)]
                assert not pool.sees_one_moment
        finally:
            admin.execute(f"DROP ROLE {role}")


def test_the_first_statement_leaves_the_connections_of_other_threads_alone(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, opened = threading.Event(), DriverConnection.open
    of_threads: dict[DriverConnection, int] = {}

    def open_slowly(self: DriverConnection) -> None:
        of_threads[self] = threading.get_ident()
        opening.set()
        time.sleep(0.2)
        opened(self)

    def describe() -> None:
        pool.describe("SELECT 1 AS one")

    def execute() -> None:
        opening.wait()
        pool.execute("SELECT 1")

    monkeypatch.setattr(DriverConnection, "open", open_slowly)
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter, Pool(adapter, 2, of_one_moment=True) as pool:
        pool.each(lambda act: act(), [describe, execute])

    # One for the description; one for the statement, and one for its snapshot.
    assert sorted(Counter(of_threads.values()).values()) == [1, 2]


def test_with_foreign_tables_no_moment_is_claimed(postgres_url: str) -> None:
    # A database of its own: reports of other tests would have the note meanwhile.
    name = f"moment_{uuid4().hex[:8]}"
    own = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            with UnifiedSqlAdapter.from_url(own) as adapter, Pool(adapter, 1, of_one_moment=True) as pool:
                adapter.execute("CREATE FOREIGN DATA WRAPPER w")
                adapter.execute("CREATE SERVER s FOREIGN DATA WRAPPER w")
                adapter.execute("CREATE FOREIGN TABLE t (id int) SERVER s")
                assert pool.execute("SELECT 1") == [(1,)]
                assert not pool.sees_one_moment
        finally:
            admin.execute(f"DROP DATABASE {name}")


def test_a_failure_to_export_a_snapshot_claims_no_moment(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Session) -> None:
        raise WarehouseError("cannot export a snapshot during recovery")

    monkeypatch.setattr(Session, "take_snapshot", refuse)
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter, Pool(adapter, 2, of_one_moment=True) as pool:
        assert pool.each(pool.execute, ["SELECT 1"] * 4) == [[(1,)]] * 4
        assert not pool.sees_one_moment


@pytest.mark.parametrize(
    ("attached", "way"),
    [
        ([], OneMoment.ALWAYS),
        ([{"path": "other.duckdb", "read_only": True}], OneMoment.ALWAYS),
        ([{"path": "md:other"}], OneMoment.NEVER),
        ([{"path": "host=h", "type": "postgres", "alias": "p"}], OneMoment.NEVER),
        ([{"path": "other.sqlite", "type": "sqlite"}], OneMoment.NEVER),
    ],
)
def test_duckdb_sees_one_moment_without_databases_of_others(
    tmp_path: Path, attached: list[dict[str, object]], way: OneMoment
) -> None:
    output = {"type": "duckdb", "path": str(tmp_path / "shop.db"), "attach": attached}
    (tmp_path / "profiles.yml").write_text(
        yaml.safe_dump({"shop": {"target": "dev", "outputs": {"dev": output}}}), encoding="utf-8"
    )

    assert UnifiedSqlAdapter.from_dbt_profile(tmp_path, "shop", "dev").one_moment is way


@pytest.mark.parametrize(("scheme", "notes"), [("duckdb", ()), ("sqlite", (SEVERAL_MOMENTS,))])
def test_a_report_says_that_queries_may_have_seen_several_moments(
    tmp_path: Path, scheme: str, notes: tuple[str, ...]
) -> None:
    if scheme == "sqlite":
        with closing(sqlite3.connect(tmp_path / "shop.db")) as made:
            made.execute("CREATE TABLE t (id int)")  # in the default mode, unlike a file that we create
    with UnifiedSqlAdapter.from_url(f"{scheme}:///{tmp_path / 'shop.db'}") as adapter:
        runner = open_data_diff_runner(adapter)
        try:
            before = runner.notes
            runner.run(row_count_job(runner.places, [NodePair("sqlite_master", "sqlite_schema")]).plan())
            found = runner.notes
        finally:
            runner.close()

    assert (before, found) == ((), notes)
