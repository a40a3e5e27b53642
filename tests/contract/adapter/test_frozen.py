"""A network that is frozen: each phase ends, Ctrl-C is heard, and a statement that takes long is left alone.

A frozen line keeps every connection open and forwards nothing, as a proxy does whose other side is gone. A
line that swallows answers nothing at all, as a network does that was unplugged.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml
from sqlalchemy import make_url

from recce_meta.adapter import UnifiedSqlAdapter, cancellation, connection
from recce_meta.adapter.pool import Pool
from recce_meta.errors import ConnectionFailed, ConnectionLost
from recce_meta.warehouses import driver
from recce_meta.warehouses.postgres import connection as postgres_warehouse
from tests import emulators
from tests.support.line import Line

# Drivers leave the sockets of connections that never came about to the garbage collector.
pytestmark = [pytest.mark.extensive, pytest.mark.filterwarnings("ignore::ResourceWarning")]

BOUNDED = 100.0
"""Seconds after which a call counts as frozen for good; the longest limit is TCP's minute."""


@dataclass(frozen=True)
class Server:
    """A server and a line to it."""

    name: str
    direct: str
    line: Line
    sleep: str

    def url(self, **parameters: str) -> str:
        """The server's URL over the line."""
        url = make_url(self.direct).set(host="127.0.0.1", port=self.line.port)
        return url.update_query_dict(parameters).render_as_string(hide_password=False)

    def connect(self, **parameters: str) -> UnifiedSqlAdapter:
        """An adapter over the line."""
        return UnifiedSqlAdapter.from_url(self.url(**parameters))


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Wait for threads that were left alone, and let no other test meet what they leave.

    Those of BigQuery's client go on for minutes.
    """
    yield
    for thread in threading.enumerate():
        if thread.name == "recce_meta statement":
            thread.join(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def redshift_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulators.running("redshift", tmp_path_factory.mktemp("redshift")) as output:
        user, password = output["user"], output["password"]
        place = f"{output['host']}:{output['port']}/{output['dbname']}"
        yield f"redshift://{user}:{password}@{place}?sslmode=disable"


@pytest.fixture(params=["postgres", "mysql", "redshift"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    url = request.getfixturevalue(f"{request.param}_url")
    sleep = "SELECT sleep({})" if request.param == "mysql" else "SELECT pg_sleep({})"
    place = make_url(url)
    line = Line(place.host or "127.0.0.1", place.port or {"mysql": 3306}.get(request.param, 5432))
    yield Server(request.param, url, line, sleep)
    line.close()


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of seconds instead of a minute."""
    monkeypatch.setattr(cancellation, "LOOK_SECONDS", 0.4)
    monkeypatch.setattr(cancellation, "LOOK_PATIENCE_SECONDS", 0.4)
    monkeypatch.setattr(cancellation, "LOOKS", 2)
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.5)


def table(server: Server) -> Iterator[str]:
    """A table of the server, dropped afterwards."""
    with UnifiedSqlAdapter.from_url(server.direct) as adapter:
        schema = {"mysql": make_url(server.direct).database or ""}.get(server.name, "public")
        name = adapter.quote_table(schema, f"frozen_{uuid4().hex[:12]}")
        adapter.execute(f"CREATE TABLE {name} (a INTEGER)")
        yield name
        server.line.close()  # the server ends what it still has open
        adapter.execute(f"DROP TABLE {name}")


written = pytest.fixture(table, name="written")


def rows_of(server: Server, table: str) -> int:
    with UnifiedSqlAdapter.from_url(server.direct) as other:
        ((count,),) = other.execute(f"SELECT count(*) FROM {table}")[1]
    return int(count)


# --- the phases ---------------------------------------------------------------------------------------

Phase = Callable[[Server, UnifiedSqlAdapter, str], None]


def statement(server: Server, adapter: UnifiedSqlAdapter, _table: str) -> None:
    server.line.freeze()
    adapter.execute("CREATE TABLE no_such_schema_at_all.t (a INTEGER)")


def begin(server: Server, adapter: UnifiedSqlAdapter, _table: str) -> None:
    server.line.freeze()
    with adapter.session() as session:
        session.query("SELECT 1")


def bulk_load(server: Server, adapter: UnifiedSqlAdapter, table: str) -> None:
    def rows() -> Iterator[tuple[int]]:
        for number in range(3_000_000):
            if number == 2_000:
                server.line.freeze()
            yield (number,)

    with adapter.session() as session:
        session.insert_rows(table, ["a"], rows())


def commit(server: Server, adapter: UnifiedSqlAdapter, table: str) -> None:
    with adapter.session() as session:
        session.execute(f"INSERT INTO {table} VALUES (1)")
        server.line.freeze()


def roll_back(server: Server, adapter: UnifiedSqlAdapter, table: str) -> None:
    with adapter.session() as session:
        session.execute(f"INSERT INTO {table} VALUES (1)")
        server.line.freeze()
        raise ConnectionLost("on its way")


def stream(server: Server, adapter: UnifiedSqlAdapter, _table: str) -> None:
    one = "SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3"
    many = f"SELECT x.a FROM ({one}) AS x" + "".join(f", ({one}) AS y{n}" for n in range(13))
    with adapter.stream(many, batch_rows=10) as rows:
        next(rows)
        server.line.freeze()
        for _ in rows:
            pass


ON_SOME = {"mysql": (statement, stream), "redshift": (statement,)}
"""Phases on servers that are not PostgreSQL, where all are tried: the code is the same but for the driver."""
CASES = [("postgres", phase) for phase in (statement, begin, bulk_load, commit, roll_back, stream)]
CASES += [(name, phase) for name, phases in ON_SOME.items() for phase in phases]


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize(("server", "phase"), CASES, indirect=["server"])
def test_every_frozen_phase_ends_with_an_error_and_leaves_nothing_behind(
    server: Server, written: str, phase: Phase
) -> None:
    adapter = server.connect()
    adapter.connect()
    started = time.monotonic()

    with pytest.raises(ConnectionLost, match=r"Connection lost: no answer|on its way"):
        phase(server, adapter, written)

    adapter.close()
    assert time.monotonic() - started < BOUNDED
    assert rows_of(server, written) == 0
    server.line.thaw()
    with server.connect() as after:
        assert after.execute("SELECT 1")[1] == [(1,)]


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("server", ["postgres"], indirect=True)
def test_whoever_is_impatient_looks_sooner(
    server: Server, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancellation, "LOOK_SECONDS", 600)
    monkeypatch.setattr(cancellation, "SHORT_LOOK_SECONDS", 0.4)
    adapter = server.connect()
    adapter.connect()
    started = time.monotonic()

    with cancellation.impatient(), pytest.raises(ConnectionLost, match="Connection lost: no answer"):
        statement(server, adapter, written)

    adapter.close()
    assert time.monotonic() - started < BOUNDED


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize(("server", "phase"), CASES, indirect=["server"])
def test_ctrl_c_ends_every_frozen_phase(server: Server, written: str, phase: Phase) -> None:
    adapter = server.connect()
    adapter.connect()
    pressed: list[float] = []

    def press() -> None:
        server.line.frozen.wait(BOUNDED)
        time.sleep(0.3)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt) as caught:
        phase(server, adapter, written)
    adapter.close()

    assert time.monotonic() - pressed[0] < BOUNDED
    if phase is not stream:  # of which a batch may be here already
        assert caught.value.args == (cancellation.UNCONFIRMED,)
    assert rows_of(server, written) == 0


@pytest.mark.usefixtures("short_limits")
def test_a_frozen_close_ends(server: Server) -> None:
    adapter = server.connect()
    adapter.connect()
    server.line.freeze()
    started = time.monotonic()

    adapter.close()

    assert time.monotonic() - started < BOUNDED


@pytest.mark.parametrize("sent", [-1, 20])  # while TLS is agreed on, and later
def test_a_login_that_freezes_ends_with_the_connect_timeout(server: Server, sent: int) -> None:
    line = Line("127.0.0.1", make_url(server.direct).port or 5432, freeze_at=sent)
    if sent < 0:
        line.freeze()
    frozen = Server(server.name, server.direct, line, "")
    started = time.monotonic()

    with pytest.raises((ConnectionFailed, ConnectionLost)), frozen.connect(connect_timeout="1") as adapter:
        adapter.execute("SELECT 1")

    assert time.monotonic() - started < BOUNDED
    line.close()


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_ctrl_c_ends_a_login_that_freezes(server: Server) -> None:
    server.line.freeze()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()

    with pytest.raises(KeyboardInterrupt), server.connect() as adapter:
        adapter.connect()

    assert time.monotonic() - started < BOUNDED


@pytest.mark.usefixtures("short_limits")
def test_a_statement_that_takes_longer_than_the_limits_runs_to_its_end(server: Server) -> None:
    with server.connect() as adapter:
        adapter.connect()
        before = server.line.connections

        assert len(adapter.execute(server.sleep.format(2.5))[1]) == 1

    assert server.line.connections >= before + 2, "the server was asked whether it is there"


@pytest.mark.skipif(
    "RECCE_META_TEST_FROZEN_POOL" not in os.environ,
    reason="threads of a pool may wait a minute on a busy machine; RECCE_META_TEST_FROZEN_POOL=1 runs it",
)
def test_ctrl_c_ends_the_threads_of_a_pool(server: Server) -> None:
    adapter = server.connect()
    pressed: list[float] = []

    def press() -> None:
        while server.line.connections < 3:
            time.sleep(0.05)
        time.sleep(0.5)
        server.line.freeze()
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt), Pool(adapter, 3) as pool:
        pool.each(pool.execute, [server.sleep.format(60)] * 3)
    adapter.close()

    assert time.monotonic() - pressed[0] < BOUNDED


# --- a network that answers nothing -------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="drops packets by a filter of Linux")
@pytest.mark.parametrize(
    ("server", "phase"),
    [("postgres", statement), ("postgres", commit), ("mysql", statement)],
    indirect=["server"],
)
def test_the_kernel_ends_a_connection_whose_packets_are_lost(
    server: Server, written: str, phase: Phase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "USER_TIMEOUT", 1)
    short = {**postgres_warehouse.KEEPALIVES, "tcp_user_timeout": 1000}
    arguments = {**postgres_warehouse._DRIVER_ARGUMENTS, **short}
    monkeypatch.setattr(postgres_warehouse, "_DRIVER_ARGUMENTS", arguments)
    monkeypatch.setattr(server.line, "freeze", server.line.swallow)
    adapter = server.connect()
    adapter.connect()

    with pytest.raises(ConnectionLost), suppress(KeyboardInterrupt):
        phase(server, adapter, written)

    adapter.close()
    assert rows_of(server, written) == 0


def test_keep_alive_of_a_profile_wins(postgres_url: str, tmp_path: Path) -> None:
    url = make_url(postgres_url).update_query_dict({"keepalives_idle": "77"})
    with UnifiedSqlAdapter.from_url(url.render_as_string(hide_password=False)) as adapter:
        arguments = adapter._plan.connect_args

    assert "keepalives_idle" not in arguments
    assert arguments["tcp_user_timeout"] == 60_000


# --- over HTTP ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cloud:
    """An emulated warehouse that is asked over HTTP, and a line to it."""

    line: Line
    profiles: Path

    def connect(self) -> UnifiedSqlAdapter:
        """An adapter over the line."""
        return UnifiedSqlAdapter.from_dbt_profile(str(self.profiles), "emulated", "emulated")


@pytest.fixture(scope="module", params=["snowflake", "bigquery"])
def http_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, object]]:
    with emulators.running(request.param, tmp_path_factory.mktemp(request.param)) as output:
        yield output


@pytest.fixture
def cloud(http_server: Mapping[str, object], tmp_path: Path) -> Iterator[Cloud]:
    given = urlsplit(str(http_server.get("api_endpoint") or f"http://x:{http_server.get('port')}"))
    line = Line("127.0.0.1", given.port or 0)
    if "api_endpoint" in http_server:
        place: dict[str, object] = {"api_endpoint": f"http://127.0.0.1:{line.port}"}
    else:
        place = {"port": line.port}
    outputs = {"emulated": {**http_server, **place}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"emulated": {"outputs": outputs}}), "utf-8")
    yield Cloud(line, tmp_path)
    line.close()


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("way", ["freeze", "swallow"])
def test_a_frozen_call_over_http_ends_with_an_error(cloud: Cloud, way: str) -> None:
    if way == "swallow" and sys.platform != "linux":
        pytest.skip("only Linux drops packets this way")
    adapter = cloud.connect()
    assert adapter.execute("SELECT 1")[1] == [(1,)]
    getattr(cloud.line, way)()
    started = time.monotonic()

    with pytest.raises(ConnectionLost, match="Connection lost: no answer"):
        adapter.execute("SELECT 2")
    adapter.close()

    assert time.monotonic() - started < BOUNDED


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_ctrl_c_ends_a_frozen_call_over_http(cloud: Cloud) -> None:
    adapter = cloud.connect()
    assert adapter.execute("SELECT 1")[1] == [(1,)]
    cloud.line.freeze()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()

    with pytest.raises(KeyboardInterrupt) as caught:
        adapter.execute("SELECT 2")
    adapter.close()

    assert caught.value.args == (cancellation.UNCONFIRMED,)
    assert time.monotonic() - started < BOUNDED


@pytest.mark.usefixtures("short_limits")
def test_a_call_over_http_that_takes_longer_than_the_limits_runs_to_its_end(cloud: Cloud) -> None:
    with cloud.connect() as adapter:
        assert adapter.execute("SELECT 1")[1] == [(1,)]
        cloud.line.hold(2.5)

        assert adapter.execute("SELECT 2")[1] == [(2,)]


def test_any_answer_over_http_shows_that_the_network_is_alive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert not driver.answers_http(f"http://127.0.0.1:{port}", 0.2)
        assert not driver.answers_http(f"https://127.0.0.1:{port}", 0.2)
    assert driver.answers_http(f"https://127.0.0.1:{port}", 0.2)  # refused
    assert not driver.answers_http("https://no-such-host.invalid", 0.2)
