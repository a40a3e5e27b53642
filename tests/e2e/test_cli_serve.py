"""`recce-meta serve` as a process: how it starts and ends, and that it never blocks a command."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener
from uuid import uuid4

import pytest

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.store.session import init_store

pytestmark = pytest.mark.extensive

COMMAND = [sys.executable, "-m", "recce_meta"]
RUNS = "s/default/runs"
Serving = Callable[..., "Server"]


class Server:
    """A running server."""

    def __init__(self, arguments: Sequence[str], environ: dict[str, str], directory: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, cwd=directory,
        )  # fmt: skip
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.fullmatch(r"Serving on (http://.+/) \(Ctrl-C stops\)\n", line)
        if found is None:
            self.process.kill()
            pytest.fail(line + self.process.stderr.read())
        self.address = found[1]

    def get(self, path: str = "", **headers: str) -> tuple[int, str]:
        """Return the status and the text of a page."""
        request = Request(self.address + path, headers=headers)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=120) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, float]:
        """Send a signal; return the exit code, the output, and the seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(number)
        out, messages = self.process.communicate(timeout=120)
        return self.process.returncode, out + messages, time.monotonic() - began


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """A function that starts a server, which is killed in the end."""
    servers: list[Server] = []
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def start(*arguments: str, **variables: str) -> Server:
        environ = {**os.environ, "TMPDIR": str(temporary), **variables}
        servers.append(Server(arguments, environ, tmp_path))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    environ = {**os.environ, **variables}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False, env=environ
    )


def record(url: str, side: demo_data.Side = "base", *options: str) -> subprocess.CompletedProcess[str]:
    """Record one side of the demo."""
    target = str(demo_data.artifacts(side))
    return run("record", "--url", url, "--target-path", target, "--environment", side, *options)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with one run."""
    file = tmp_path_factory.mktemp("recorded") / "shop.duckdb"
    assert record(f"duckdb:///{file}").returncode == 0
    return file


@pytest.fixture
def url(recorded: Path, tmp_path: Path) -> str:
    """A copy of `recorded` for one test."""
    return f"duckdb:///{shutil.copy(recorded, tmp_path)}"


class Slow:
    """A store in PostgreSQL whose list of runs takes a minute."""

    def __init__(self, url: str, adapter: UnifiedSqlAdapter, schema: str) -> None:
        self.url, self.schema, self._adapter = url, schema, adapter
        init_store(adapter.at(schema))
        adapter.execute(f"ALTER TABLE {schema}.store_runs RENAME TO quick")
        adapter.execute(
            f"CREATE VIEW {schema}.store_runs AS SELECT quick.* FROM (SELECT pg_sleep(60)) AS sleeping "
            f"LEFT JOIN {schema}.quick AS quick ON TRUE"
        )

    def sleeps(self) -> bool:
        """Return True if exactly one statement sleeps in the server."""
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE "
        return self._adapter.answer(f"{sql} '%{self.schema}%'") == [(1,)]


@pytest.fixture
def slow(postgres_url: str) -> Iterator[Slow]:
    schema = f"serve_{uuid4().hex[:10]}"
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        try:
            yield Slow(postgres_url, adapter, schema)
        finally:
            adapter.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_with_0_although_connections_are_open(
    url: str, serving: Serving, tmp_path: Path, number: int
) -> None:
    server = serving("--url", url)
    assert server.get(RUNS)[0] == 200
    place = server.address.removeprefix("http://").rstrip("/")
    with (
        closing(http.client.HTTPConnection(place)) as idle,
        closing(socket.create_connection(place.split(":"))) as mute,
    ):
        idle.request("GET", "/")
        idle.getresponse().read()
        mute.sendall(b"GET / HT")
        code, output, seconds = server.end(number)

    assert (code, output) == (0, "")
    assert seconds < 30
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_signal_stops_a_running_statement(slow: Slow, serving: Serving) -> None:
    server = serving("--url", slow.url, "--schema", slow.schema)
    answers: list[object] = []
    reading = threading.Thread(target=lambda: answers.append(server.get(RUNS)[0]))
    reading.start()
    assert _until(slow.sleeps)

    code, output, seconds = server.end()

    reading.join()
    assert (code, output) == (0, "") and seconds < 40, "its statement takes a minute"
    assert _until(lambda: not slow.sleeps())
    assert answers == [503]


def test_a_reader_that_leaves_stops_its_statement(slow: Slow, serving: Serving) -> None:
    server = serving("--url", slow.url, "--schema", slow.schema)
    place = server.address.removeprefix("http://").rstrip("/")
    connections = [http.client.HTTPConnection(place) for _ in range(2)]
    for connection in connections:
        connection.request("GET", f"/{RUNS}")
    assert _until(slow.sleeps)

    connections[0].close()
    time.sleep(0.5)
    assert slow.sleeps(), "the other reader still waits"
    connections[1].close()
    assert _until(lambda: not slow.sleeps())


def _until(is_true: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_true():
            return True
        time.sleep(0.05)
    return False


def test_a_busy_port_is_an_error(url: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--url", url, "--port", str(port))

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr.splitlines() == [
        f"error: Port {port} is in use", "hint: name another with --port, or stop the other server"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "message"),
    [
        (["--host", "0.0.0.0"], {}, 2, "Listening on 0.0.0.0 requires a token"),
        (["--host", "::"], {}, 2, "Listening on :: requires a token"),
        (["--host", "no such host"], {"RECCE_META_TOKEN": "x" * 16}, 3, "Cannot listen on no such host"),
        (["--host", "x" * 70], {"RECCE_META_TOKEN": "x" * 16}, 3, "Cannot listen on xxxx"),
        (["--host", "192.0.2.1"], {"RECCE_META_TOKEN": "x" * 16}, 3, "Cannot listen on 192.0.2.1"),
        ([], {"RECCE_META_TOKEN": "short"}, 2, "has fewer than 16 characters"),
        (["--token-file", "missing"], {}, 2, "Cannot read the token file missing"),
        (["--public-url", "recce.example.com"], {}, 2, "public URL is not"),
        (["--public-url", "https://u:pa55w0rd@recce.example.com"], {}, 2, "public URL is not"),
        ([], {"RECCE_META_PUBLIC_URL": "https://example.com/recce"}, 2, "public URL is not"),
        (["--port", "65536"], {}, 2, "65536"),
        (["--data-target", "postgresql//u:pa55w0rd@h/d"], {}, 3, "profiles.yml"),
        (["--base-target", "postgresql://u:pa55w0rd@h:x/d"], {}, 2, "URL"),
    ],
)
def test_wrong_options_are_errors(
    arguments: list[str], variables: dict[str, str], code: int, message: str
) -> None:
    result = run("serve", "--url", "duckdb:///missing.duckdb", *arguments, **variables)

    assert result.returncode == code
    assert message in result.stderr and result.stderr.count("\n") <= 2
    assert "pa55w0rd" not in result.stderr


def test_without_the_extra_the_command_names_it(tmp_path: Path, url: str) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['fastapi'] = None\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", str(Path(__file__).parents[2]))])

    result = run("serve", "--url", url, PYTHONPATH=path)

    assert result.returncode == 3
    assert result.stderr.splitlines()[1] == "hint: pip install '.[server]' in the checkout of recce_meta"


def test_a_token_file_opens_the_server_to_other_machines(url: str, serving: Serving, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a token of many characters\n")
    file.chmod(0o644)
    refused = run("serve", "--url", url, "--token-file", str(file))
    assert refused.returncode == 2 and f"chmod 600 {file}" in refused.stderr

    file.chmod(0o600)
    server = serving("--url", url, "--host", "0.0.0.0", "--token-file", str(file))

    assert server.get(f"{RUNS}.json")[0] == 401
    assert server.get(RUNS, Authorization="Bearer a token of many characters", Host="any.name")[0] == 200
    assert "a token of many characters" not in server.end()[1]


def test_a_store_that_appears_is_shown_without_a_restart(tmp_path: Path, serving: Serving) -> None:
    url = f"duckdb:///{tmp_path / 'later.duckdb'}"
    server = serving("--url", url)
    status, text = server.get(RUNS)
    assert status == 503 and "recce-meta init" in text
    assert server.get()[0] == 200

    assert record(url).returncode == 0

    assert server.get(RUNS)[0] == 200
    assert "a copy of the database file" in server.get(RUNS)[1]


def test_named_stores_of_the_configuration_are_served(tmp_path: Path, url: str, serving: Serving) -> None:
    other = f"duckdb:///{tmp_path / 'other.duckdb'}"
    assert record(other, "current", "--schema", "meta").returncode == 0
    (tmp_path / "recce_meta.yml").write_text(
        "stores:\n  main: duckdb:///shop.duckdb\n  staging: {url: 'duckdb:///other.duckdb', schema: meta}\n"
    )
    server = serving()
    found = {
        name: json.loads(server.get(f"s/{name}/runs.json")[1])[0]["environment"]
        for name in ("main", "staging")
    }

    assert found == {"main": "base", "staging": "current"}
    assert server.get(RUNS)[0] == 404
    assert all(f'href="/s/{name}' in server.get()[1] for name in found)
    assert serving("--url", other, "--schema", "meta").get(f"{RUNS}.json")[0] == 200, "options are stronger"


class Readers:
    """Clients that ask for pages without pause."""

    def __init__(self, server: Server, count: int = 4) -> None:
        self.answers: list[tuple[int, str]] = []
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(server,)) for _ in range(count)]

    def _read(self, server: Server) -> None:
        while not self._is_over.is_set():
            for path in (RUNS, f"{RUNS}.json", ""):
                self.answers.append(server.get(path))

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()


def test_commands_that_write_never_wait_for_readers(url: str, serving: Serving, tmp_path: Path) -> None:
    server = serving("--url", url)
    server.get(RUNS)
    commands = [
        ["init"],
        ["record", "--target-path", str(demo_data.artifacts("current")), "--environment", "current"],
        ["prune", "--keep-last", "0", "--environment", "base"],
        ["record", "--target-path", str(demo_data.artifacts("base")), "--environment", "third"],
    ]
    commands[-1] += ["--run-id", "again"]  # a pruned run is not recorded under its own id
    results = []
    with Readers(server) as readers:
        for command in commands:
            # Without time to wait, a file that the server keeps open would be an error.
            results.append(run(*command, "--url", url, "--lock-timeout", "0"))
            time.sleep(0.3)
        assert _until(lambda: '"third"' in server.get(f"{RUNS}.json")[1])

    assert [(result.returncode, result.stderr) for result in results if result.returncode] == []
    assert {status for status, _ in readers.answers} == {200}
    assert len(readers.answers) > 20
    copies = [entry.name for entry in (tmp_path / "temporary").iterdir()]
    assert len(copies) == 1, "only the last copy is kept"


def test_copies_of_a_killed_server_are_removed(url: str, serving: Serving, tmp_path: Path) -> None:
    server = serving("--url", url)
    server.get(RUNS)
    (left,) = (tmp_path / "temporary").iterdir()
    server.process.kill()
    server.process.wait()
    assert left.exists()

    other = serving("--url", url)
    other.get(RUNS)

    assert not left.exists()
    assert len(list((tmp_path / "temporary").iterdir())) == 1


def test_only_serve_imports_fastapi() -> None:
    code = (
        "import sys\nfrom recce_meta.cli.main import cli, COMMANDS\nimport click\n"
        "context = click.Context(cli)\n"
        "for name in COMMANDS:\n    cli.get_command(context, name).get_help(context)\n"
        "import recce_meta.api.demo, recce_meta.cli.run.serve, recce_meta.cli.run.store\n"
        "print([name for name in ('fastapi', 'starlette', 'uvicorn', 'pygments', 'recce_meta.server')"
        " if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert result.stdout == "[]\n", result.stderr
