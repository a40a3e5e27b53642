"""SIGTERM ends `serve` and `worker` within ten seconds, whatever they wait for, and loses no job."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from tests.e2e.conftest import Cli
from tests.e2e.served_shop import Running, connected_shop, running, shop
from tests.support.git_server import Answer, GitServer, git_backend, git_server
from tests.support.line import Line

pytestmark = pytest.mark.extensive

__all__ = ["git_backend", "git_server", "shop"]

LIMIT = 10.0
"""Seconds after which `docker stop` kills a process."""


def only_job(shop: Cli) -> dict[str, object]:
    """Return the only job of the connection."""
    (job,) = json.loads(shop("connection", "show", "shop", "--format", "json").out)["jobs"]
    return dict(job)


def silence(shop: Cli, git_server: GitServer) -> str:
    """Let the server of the repository accept connections and never answer; return the repository."""
    shown = json.loads(shop("connection", "show", "shop", "--format", "json").out)
    name = str(shown["connection"]["repo_url"]).rpartition("/")[2].removesuffix(".git")
    git_server.answer(name, Answer(body=b"0", is_endless=True, pause=60))
    return name


def processes_with(text: str) -> list[str]:
    """Return the command lines of processes that contain *text*."""
    shown = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True)
    return [line for line in shown.stdout.splitlines() if text in line]


def address_of(serving: Running) -> str:
    """Return host and port of a server as soon as it listens."""
    return serving.until(lambda: re.findall(r"http://(\S+)/ ", serving.log.read_text()))[0]


def test_a_signal_that_another_thread_of_a_worker_receives_ends_it(shop: Cli) -> None:
    send = getattr(ctypes.CDLL(None), "tgkill", None)
    if send is None:
        pytest.skip("tgkill, of Linux, sends a signal to a thread")
    with running(shop, "worker", "--work-dir", str(shop.folder / "work")) as worker:
        worker.until(lambda: "runs the jobs of" in worker.log.read_text())
        pid = worker.process.pid
        thread = next(int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid)
        assert send(pid, thread, signal.SIGTERM) == 0
        assert worker.process.wait(LIMIT) == 0


def test_a_worker_that_waits_for_git_ends_and_the_next_one_does_its_job(
    shop: Cli, git_server: GitServer
) -> None:
    name = silence(shop, git_server)
    work = shop.folder / "work"
    with running(shop, "worker", "--work-dir", str(work)) as worker:
        worker.until(lambda: "runs the jobs of" in worker.log.read_text())
        assert shop("connection", "extract", "shop").code == 0
        worker.until(lambda: only_job(shop)["status"] == "running")
        # git and its launcher
        assert worker.until(lambda: processes_with(git_server.url(name)))

        code, seconds = worker.end()

    assert (code, seconds < LIMIT) == (0, True), (seconds, worker.log.read_text())
    assert processes_with(git_server.url(name)) == []
    assert only_job(shop)["status"] == "running"

    git_server.answer(name, None)
    with running(shop, "worker", "--work-dir", str(work)) as worker:
        worker.until(lambda: only_job(shop)["status"] == "success")
        assert only_job(shop)["attempts"] == 2


def test_a_server_with_a_job_a_stream_and_a_request_ends(shop: Cli, git_server: GitServer) -> None:
    silence(shop, git_server)
    with running(shop, "serve", "--port", "0", "--work-dir", str(shop.folder / "work")) as serving:
        place = address_of(serving)
        assert shop("connection", "extract", "shop").code == 0
        serving.until(lambda: only_job(shop)["status"] == "running")
        shown = json.loads(shop("connection", "show", "shop", "--format", "json").out)
        path = f"/api/metadata/connections/{shown['connection']['id']}/progress"
        with (
            closing(http.client.HTTPConnection(place)) as stream,
            closing(http.client.HTTPConnection(place)) as half,
        ):
            stream.request("GET", path, headers={"Accept": "text/event-stream"})
            assert stream.getresponse().readline() == b"retry: 2000\n"
            half.putrequest("POST", "/connections")
            half.putheader("Content-Length", "1000")
            half.endheaders(b"name=")

            code, seconds = serving.end()

    assert (code, seconds < LIMIT) == (0, True), (seconds, serving.log.read_text())
    assert only_job(shop)["status"] == "running"


@pytest.fixture
def line(postgres_url: str) -> Iterator[Line]:
    """A line to PostgreSQL."""
    place = urlsplit(postgres_url)
    line = Line(place.hostname or "127.0.0.1", place.port or 5432)
    yield line
    line.close()


def through(url: str, line: Line) -> str:
    """Return *url* with the address of *line*."""
    place = urlsplit(url)
    return place._replace(netloc=f"{place.username}@127.0.0.1:{line.port}").geturl()


def test_a_server_whose_store_is_silent_ends(cli: Cli, postgres_url: str, line: Line) -> None:
    cli = cli.within(RECCE_META_URL=through(postgres_url, line), RECCE_META_SCHEMA=f"stop_{uuid4().hex[:8]}")
    with running(cli, "serve", "--port", "0") as serving:
        place = address_of(serving)
        line.freeze()
        readings = [
            threading.Thread(target=read, args=(place, path), daemon=True)
            for path in ("/s/default/runs", "/readyz")
        ]
        for reading in readings:
            reading.start()
        readings[1].join(60)

        code, seconds = serving.end()

    assert (code, seconds < LIMIT) == (0, True), (seconds, serving.log.read_text())


def read(place: str, path: str) -> None:
    """Read a page that may never come."""
    with closing(http.client.HTTPConnection(place)) as connection:
        try:
            connection.request("GET", path)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):  # the server has ended
            pass


def test_a_worker_whose_state_is_silent_ends(
    cli: Cli, git_server: GitServer, postgres_url: str, line: Line
) -> None:
    schema = f"stop_{uuid4().hex[:8]}"
    key = "x5k3Zb0mXl1yqk8b8m4B0Ew7m1o2yGkq0JmCk0dZb5A="
    shop = connected_shop(
        cli.within(RECCE_META_STATE_URL=f"{postgres_url}?schema={schema}", RECCE_META_KEY=key), git_server
    )
    name = silence(shop, git_server)
    on_line = shop.within(RECCE_META_STATE_URL=f"{through(postgres_url, line)}?schema={schema}")
    try:
        assert shop("connection", "extract", "shop").code == 0
        with running(on_line, "worker", "--work-dir", str(shop.folder / "work")) as worker:
            worker.until(lambda: only_job(shop)["status"] == "running")
            line.freeze()

            code, seconds = worker.end()

        assert (code, seconds < LIMIT) == (0, True), (seconds, worker.log.read_text())
        git_server.answer(name, None)
        with running(shop, "worker", "--work-dir", str(shop.folder / "work")) as worker:
            worker.until(lambda: only_job(shop)["status"] == "success")
    finally:
        with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
            adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            adapter.execute(f"DROP SCHEMA IF EXISTS {schema}_jobs CASCADE")
