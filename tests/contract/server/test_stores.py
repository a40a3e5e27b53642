"""Stores of the server: what they report, what they limit, and that they only read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import QueryTimeout, RecceMetaError, WarehouseError
from recce_meta.server.access.problems import Problem, RequestStopped, StopRequest, StoreBusy, problem
from recce_meta.server.site.serving import Site
from recce_meta.server.stores import stores as serving
from recce_meta.server.stores.stores import Store
from recce_meta.store.read import list_runs
from recce_meta.store.session import init_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.small_store import client_of, file_url, record_side, store_at

pytestmark = pytest.mark.extensive

RUNS = "/s/default/runs"


@pytest.fixture
def kept() -> Iterator[Callable[[Store], Store]]:
    """A function that closes a store in the end."""
    stores: list[Store] = []

    def keep(store: Store) -> Store:
        stores.append(store)
        return store

    yield keep
    for store in stores:
        store.close()


@pytest.fixture
def schema(postgres_url: str) -> Iterator[str]:
    """A schema of PostgreSQL, which is dropped in the end."""
    name = f"serve_{uuid4().hex[:10]}"
    yield name
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        adapter.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def failure(store: Store) -> tuple[int, str, str]:
    """Return status and code of a page, and the page itself."""
    client = client_of(store)
    page = client.get(RUNS)
    with pytest.raises(RecceMetaError) as found, store.view():
        pass
    return page.status_code, problem(found.value).code, page.text


def test_a_missing_file_is_reported_until_a_command_creates_it(
    tmp_path: Path, kept: Callable[[Store], Store]
) -> None:
    url = file_url(tmp_path / "later.duckdb")
    store = kept(store_at(url))

    status, code, text = failure(store)
    assert (status, code) == (503, "store_not_found")
    assert "later.duckdb" in text and "recce-meta init" in text

    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute("CREATE TABLE anything (i INTEGER)")
    status, code, text = failure(store)
    assert (status, code) == (503, "store_not_found") and "No store found" in text

    record_side(url)
    assert "jaffle_shop" in client_of(store).get(RUNS).text


def test_an_older_store_is_reported_and_not_migrated(tmp_path: Path, kept: Callable[[Store], Store]) -> None:
    url = file_url(tmp_path / "old.duckdb")
    record_side(url)
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute(f"UPDATE {DEFAULT_SCHEMA}.store SET schema_version = 8, read_version = 8")
    store = kept(store_at(url))

    status, code, text = failure(store)

    assert (status, code) == (503, "store_outdated")
    assert "version 8" in text and "recce-meta init" in text
    with UnifiedSqlAdapter.from_url(url) as adapter:
        assert adapter.answer(f"SELECT schema_version FROM {DEFAULT_SCHEMA}.store") == [(8,)]
        adapter.execute(f"UPDATE {DEFAULT_SCHEMA}.store SET schema_version = 99, read_version = 99")
    assert failure(store)[:2] == (503, "store_unreadable")


def test_a_server_that_cannot_be_reached_is_reported(kept: Callable[[Store], Store]) -> None:
    store = kept(store_at("postgresql://someone:pa55w0rd@127.0.0.1:1/test"))

    status, code, text = failure(store)

    assert (status, code) == (503, "unreachable") and "pa55w0rd" not in text


def test_a_store_that_is_dropped_and_created_again_is_read_again(
    postgres_url: str, schema: str, kept: Callable[[Store], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "KNOWN_SECONDS", 0.0)
    store = kept(store_at(postgres_url, schema))
    assert failure(store)[:2] == (503, "store_not_found")

    record_side(postgres_url, schema=schema)
    assert client_of(store).get(RUNS).status_code == 200

    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        adapter.execute(f"DROP SCHEMA {schema} CASCADE")
    assert failure(store)[:2] == (503, "store_not_found")
    record_side(postgres_url, schema=schema)
    assert client_of(store).get(RUNS).status_code == 200


def test_missing_rights_are_reported(postgres_url: str, schema: str, kept: Callable[[Store], Store]) -> None:
    record_side(postgres_url, schema=schema)
    role = f"role_{schema}"
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        adapter.execute(f"CREATE ROLE {role} LOGIN")
        try:
            place = postgres_url.partition("@")[2]
            store = kept(store_at(f"postgresql://{role}@{place}", schema))
            status, code, text = failure(store)
        finally:
            store.close()
            adapter.execute(f"DROP ROLE {role}")

    assert (status, code) == (503, "permission_denied")
    assert "Next:" in text


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_connections_only_read(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, kept: Callable[[Store], Store]
) -> None:
    url = file_url(tmp_path / "a.duckdb") if kind == "duckdb" else request.getfixturevalue("postgres_url")
    schema = DEFAULT_SCHEMA if kind == "duckdb" else request.getfixturevalue("schema")
    record_side(url, schema=schema)

    with kept(store_at(url, schema)).view() as view:
        for statement in (
            f"UPDATE {schema}.store SET schema_version = 1",
            f"DELETE FROM {schema}.store_runs",
            f"CREATE TABLE {schema}.new_table (i INTEGER)",
            "CREATE SCHEMA new_schema",
        ):
            with pytest.raises(WarehouseError), view.adapter.session() as session:
                session.execute(statement)
            with pytest.raises(WarehouseError):
                view.adapter.execute(statement)


@pytest.fixture
def slow(postgres_url: str, schema: str) -> str:
    """A store in PostgreSQL whose list of runs takes a minute."""
    record_side(postgres_url, schema=schema)
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        adapter.execute(f"ALTER TABLE {schema}.store_runs RENAME TO store_runs_quick")
        adapter.execute(
            f"CREATE VIEW {schema}.store_runs AS SELECT quick.* FROM {schema}.store_runs_quick AS quick, "
            "(SELECT pg_sleep(60)) AS sleeping"
        )
    return schema


def sleeping(url: str, schema: str) -> int:
    """Return the number of statements on *schema* that sleep on the server."""
    with UnifiedSqlAdapter.from_url(url) as adapter:
        ((count,),) = adapter.answer(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
            f"AND pid <> pg_backend_pid() AND query LIKE '%{schema}%'"
        )
        return int(count)


def until(is_true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Return True once *is_true*, False after *seconds*."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_true():
            return True
        time.sleep(0.05)
    return False


def test_the_time_limit_stops_the_statement_in_the_warehouse(
    postgres_url: str, slow: str, kept: Callable[[Store], Store]
) -> None:
    store = kept(store_at(postgres_url, slow, seconds=0.6))
    began = time.monotonic()

    answer = client_of(store).get(RUNS)

    assert answer.status_code == 504 and "Next: narrow the question" in answer.text
    assert time.monotonic() - began < 40, "the statement takes a minute"
    assert until(lambda: sleeping(postgres_url, slow) == 0)
    with store.view() as view:
        assert view.adapter.answer("SELECT 1") == [(1,)]


def test_statements_after_the_time_limit_are_stopped_too(
    tmp_path: Path, kept: Callable[[Store], Store]
) -> None:
    url = file_url(tmp_path / "a.duckdb")
    record_side(url)
    endless = "SELECT count(*) FROM range(10000000) a, range(10000000) b"

    with pytest.raises(QueryTimeout, match=r"0\.2 seconds"), kept(store_at(url, seconds=0.2)).view() as view:
        time.sleep(0.4)
        view.adapter.answer(endless)


def test_a_slow_page_blocks_no_other_page(
    postgres_url: str, slow: str, tmp_path: Path, kept: Callable[[Store], Store]
) -> None:
    quick = kept(store_at(postgres_url, slow, name="quick"))
    other_url = file_url(tmp_path / "other.duckdb")
    record_side(other_url)
    stop_at = time.monotonic() + 8
    store = kept(store_at(postgres_url, slow, seconds=8))
    client = client_of(store, kept(store_at(other_url, name="other")), quick)
    statuses: list[int] = []
    # More requests than connections: for one address, for different ones.
    paths = [RUNS] * 20 + [f"{RUNS}?q={number}" for number in range(4)]
    threads = [
        threading.Thread(target=lambda path=path: statuses.append(client.get(path).status_code))
        for path in paths
    ]
    for thread in threads:
        thread.start()
    assert until(lambda: sleeping(postgres_url, slow) == 5), "one statement for each address"
    assert client.get("/s/other/runs").status_code == 200
    assert client.get("/static/server.css").status_code == 200
    assert client.get("/s/default/nothing").status_code == 404
    with store.view() as view:
        assert view.adapter.answer("SELECT 1") == [(1,)]
    assert time.monotonic() < stop_at, "the slow pages were waited for"
    for thread in threads:
        thread.join()
    assert statuses == [504] * len(paths)


def test_a_stopped_request_ends_its_statement(
    postgres_url: str, slow: str, kept: Callable[[Store], Store]
) -> None:
    store = kept(store_at(postgres_url, slow))

    def read(stop: StopRequest, failures: list[Any]) -> None:
        try:
            with store.view(stop) as view:
                view.adapter.answer(f"SELECT * FROM {slow}.store_runs")
        except RecceMetaError as error:
            failures.append(error)

    for ask in (lambda stop: stop.ask(), lambda stop: store.stop()):
        stop, failures = StopRequest(), []
        thread = threading.Thread(target=read, args=(stop, failures))
        thread.start()
        assert until(lambda: sleeping(postgres_url, slow) == 1)
        ask(stop)
        thread.join(40)
        assert [type(error) for error in failures] == [RequestStopped]


def test_a_store_whose_connections_are_in_use_is_busy(
    tmp_path: Path, kept: Callable[[Store], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = file_url(tmp_path / "a.duckdb")
    record_side(url)
    monkeypatch.setattr(serving, "BUSY_SECONDS", 0.1)
    store = kept(Store("default", lambda: UnifiedSqlAdapter.from_url(url), connections=1))

    with store.view(), pytest.raises(StoreBusy), store.view():
        pass
    with store.view():
        pass

    # A file has fewer connections than a server: no request waits for one without a limit.
    store = kept(store_at(url))
    with ExitStack() as opened:
        for _ in range(serving.FILE_CONNECTIONS):
            opened.enter_context(store.view())
        with pytest.raises(StoreBusy), store.view():
            pass


def test_connections_survive_requests_that_failed(tmp_path: Path, kept: Callable[[Store], Store]) -> None:
    url = file_url(tmp_path / "a.duckdb")
    record_side(url)
    store = kept(store_at(url))
    for _ in range(20):
        with suppress(WarehouseError), store.view() as view:
            view.adapter.answer("SELECT * FROM nothing")
    with store.view() as view:
        assert view.adapter.answer("SELECT 1") == [(1,)]
    assert init_store(UnifiedSqlAdapter.from_url(url)).schema == DEFAULT_SCHEMA


def test_stores_are_read_concurrently_and_a_failure_is_about_one_of_them(
    postgres_url: str, slow: str, tmp_path: Path, kept: Callable[[Store], Store]
) -> None:
    record_side(file_url(tmp_path / "a.duckdb"))
    stores = {
        "quick": kept(store_at(file_url(tmp_path / "a.duckdb"))),
        "slow": kept(store_at(postgres_url, slow)),
        "missing": kept(store_at(file_url(tmp_path / "missing.duckdb"))),
    }

    found = Site(stores).read_all(lambda view: len(list_runs(view.adapter)), 4.0)

    assert found["quick"] == 1
    codes = {name: one.code for name, one in found.items() if isinstance(one, Problem)}
    assert codes["slow"] == "timeout"
    assert codes["missing"] == "store_not_found"
    assert until(lambda: sleeping(postgres_url, slow) == 0)


def test_a_search_does_not_wait_for_the_index_of_another_store(
    tmp_path: Path, kept: Callable[[Store], Store]
) -> None:
    serving._INDEXES.clear()
    url = file_url(tmp_path / "a.duckdb")
    record_side(url)
    other, store = (kept(store_at(url, name=name)) for name in ("other", "default"))

    # A lock for both stores would keep this thread waiting for itself.
    with ThreadPoolExecutor(1) as threads, other.indexing:
        found = threads.submit(client_of(store).get, "/s/default/search?q=orders").result(20)
    assert found.status_code == 200 and "model.jaffle_shop.orders" in found.text
