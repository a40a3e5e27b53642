"""A writer that is lost blocks no other one, and a writer that waits says for whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest

from recce_meta.adapter import UnifiedSqlAdapter, waiting
from recce_meta.api.demo import doctor
from recce_meta.errors import StoreLocked
from recce_meta.models import Project
from recce_meta.store.read import list_runs
from recce_meta.store.session import init_store
from recce_meta.store.write import record_run
from recce_meta.warehouses.postgres import connection as postgres
from recce_meta.warehouses.postgres.catalog import _SETTINGS
from tests.proofs import sampled

pytestmark = pytest.mark.core("duckdb", "postgres")
MakeProject = Callable[..., Project]


@pytest.fixture
def shop(store: Any) -> Any:
    """A store in PostgreSQL."""
    if store.backend.name != "postgres":
        pytest.skip("only PostgreSQL says who writes to the store")
    return store


@contextmanager
def held(store: Any) -> Iterator[Any]:
    """Hold the store as a recorder does that never ends."""
    table = f"{store.adapter.quote_identifier(store.schema)}.store"
    store.adapter.close()
    with psycopg.connect(store.url, application_name="lost") as session:
        session.execute(f"UPDATE {table} SET written_at = now()")
        yield session
        with suppress(psycopg.OperationalError):  # the test ended the session
            session.rollback()


def test_a_recorder_says_for_whom_it_waits_and_goes_on_when_that_one_ends(
    shop: Any, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TELL_SECONDS", 0.2)
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 0.1)
    said: list[str] = []

    def tell(message: str) -> None:
        said.append(message)
        threading.Timer(0.2, session.rollback).start()

    with held(shop) as session, shop.backend.connect(lock_timeout=30, on_wait=tell) as adapter:
        assert record_run(adapter.at(shop.schema), make_project()).written
        (message,) = said
        who = f"session {session.info.backend_pid} of {session.info.user}"
        assert message.startswith(f"Waiting up to 30 s: {who} at ")
        assert "idle in transaction, has held the store for " in message


def test_a_recorder_ends_after_the_lock_timeout_with_the_session_that_blocks_it(
    shop: Any, make_project: MakeProject
) -> None:
    with held(shop) as session, shop.backend.connect(lock_timeout=0.5) as adapter:
        started = time.monotonic()
        with pytest.raises(StoreLocked) as caught:
            record_run(adapter.at(shop.schema), make_project())
        pid = session.info.backend_pid

        assert time.monotonic() - started < 10
        assert caught.value.message.startswith(
            f"The store in '{shop.schema}' was blocked for 0.5 s: session {pid} "
        )
        assert f"pg_terminate_backend({pid})" in str(caught.value.hint)
        adapter.execute(f"SELECT pg_terminate_backend({pid})")
        assert record_run(adapter.at(shop.schema), make_project()).written


def test_a_lock_of_the_whole_table_is_waited_for_no_longer_and_its_holder_named(
    shop: Any, make_project: MakeProject
) -> None:
    with held(shop) as session, shop.backend.connect(lock_timeout=0.5) as adapter:
        session.execute(f"LOCK TABLE {adapter.quote_identifier(shop.schema)}.store")
        with pytest.raises(StoreLocked, match=f"blocked for 0.5 s: session {session.info.backend_pid} of "):
            record_run(adapter.at(shop.schema), make_project())


def test_a_limit_of_the_role_stays_and_a_scan_waits_no_longer_than_its_own(shop: Any) -> None:
    def limit(adapter: UnifiedSqlAdapter, *statements: str) -> object:
        with adapter.session() as session:
            for statement in statements:
                session.execute(statement)
            return session.query("SELECT current_setting('lock_timeout')")[0][0]

    with shop.backend.connect() as adapter:
        assert limit(adapter) == "1min"
        assert limit(adapter, *_SETTINGS) == "10s"
    with UnifiedSqlAdapter.from_url(f"{shop.url}?options=-clock_timeout%3D250") as adapter:
        assert limit(adapter) == limit(adapter, *_SETTINGS) == "250ms"


def test_doctor_shows_a_session_that_holds_the_store(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recce_meta.api.demo.TELL_SECONDS", 0.0)

    with held(shop) as session:
        checks = doctor(lambda: shop.backend.connect().at(shop.schema))
        (writer,) = (check for check in checks if check.name == "writer")
        assert writer.detail.startswith(f"session {session.info.backend_pid} of ")
        assert f"pg_terminate_backend({session.info.backend_pid})" in str(writer.hint)
    assert [
        check for check in doctor(lambda: shop.backend.connect().at(shop.schema)) if check.name == "writer"
    ] == []


def test_recorders_that_wait_are_no_writers(shop: Any, make_project: MakeProject) -> None:
    with held(shop) as session, shop.backend.connect(lock_timeout=20) as waiter:
        recorder = threading.Thread(target=lambda: record_run(waiter.at(shop.schema), make_project()))
        recorder.start()
        try:
            time.sleep(0.5)
            with shop.backend.connect() as adapter:
                found = [writer.pid for writer in waiting.writers(adapter.at(shop.schema))]
        finally:
            session.rollback()
            recorder.join()

        assert found == [session.info.backend_pid]


CHILD = """
import os, signal, sys
from datetime import datetime, timezone
from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.store.write import record_run
from recce_meta.warehouses.postgres import connection

url, schema, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection.VANISHED_CLIENT["idle_in_transaction_session_timeout"] = "1s"
done = 0

def counting(method):
    def call(*arguments, **keywords):
        global done
        done += 1
        if done == last:
            print("vanished", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        return method(*arguments, **keywords)
    return call

for name in ("query", "execute", "insert_rows"):
    setattr(Session, name, counting(getattr(Session, name)))
nodes = tuple(
    NodeMetadata(unique_id=f"model.p.{n}", name=n, resource_type="model", raw_code="1", code_hash=str(last))
    for n in ("a", "b", "c")
)
run = RunMetadata(run_id=f"lost-{last}", run_at=datetime(2026, 11, 1, tzinfo=timezone.utc), project_name="p")
with UnifiedSqlAdapter.from_url(url).at(schema) as adapter:
    record_run(adapter, Project(run=run, nodes=nodes))
print("whole", flush=True)
"""


@pytest.mark.extensive
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="the test freezes processes")
def test_a_client_that_vanishes_at_any_statement_blocks_the_next_recorder_for_seconds(
    shop: Any, make_project: MakeProject
) -> None:
    for last in range(1, 60, sampled(1, 6)):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(CHILD), shop.url, shop.schema, str(last)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert child.stdout is not None
        try:
            if child.stdout.readline() == "whole\n":
                break
            started = time.monotonic()
            with shop.backend.connect() as adapter:
                assert record_run(adapter.at(shop.schema), make_project(f"next-{last}")).written
                assert {run.run_id for run in list_runs(adapter.at(shop.schema))} >= {f"next-{last}"}
            assert time.monotonic() - started < 30
        finally:
            child.kill()
            child.communicate()
    assert last > 12


@pytest.mark.without_store
def test_four_that_create_a_store_at_once_all_succeed(store: Any) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def create() -> None:
        barrier.wait()
        try:
            with store.another() as adapter:
                init_store(adapter.at(store.schema))
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with store.another() as adapter:
        assert isinstance(adapter, UnifiedSqlAdapter)
        assert init_store(adapter.at(store.schema)).action.value == "refreshed"
