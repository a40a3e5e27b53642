"""Two servers and two workers on one PostgreSQL, behind a proxy that takes the servers in turn."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from itertools import cycle
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, update

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.repositories.state import tables
from recce_meta.repositories.state.database import State, open_state
from tests.e2e.conftest import Cli
from tests.e2e.served_shop import Running, connected_shop, running
from tests.support.git_server import Answer, GitServer, git_backend, git_server

pytestmark = pytest.mark.extensive

__all__ = ["git_backend", "git_server"]

TOKEN = "token-of-serve-0123456789"
KEY = "x5k3Zb0mXl1yqk8b8m4B0Ew7m1o2yGkq0JmCk0dZb5A="
PLACE = re.compile(r"http://127\.0\.0\.1:([0-9]+)/ ")
REFUSED = (502, 503, 504)


class TurnProxy:
    """TCP proxy that gives each connection to the next of its servers, and closes it if that one is gone."""

    def __init__(self) -> None:
        self.servers: list[int] = []
        """Ports of the servers."""
        self.used: set[int] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop accepting connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            for turn in cycle((0, 1)):
                here, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(here, self.servers[turn]), daemon=True).start()

    def _serve(self, here: socket.socket, port: int) -> None:
        with closing(here), suppress(OSError), socket.create_connection(("127.0.0.1", port)) as there:
            back = threading.Thread(target=_pass_on, args=(there, here), daemon=True)
            back.start()
            self.used.add(port)
            _pass_on(here, there)
            back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


class Browser:
    """Client that opens a connection for each request, and repeats a failed request once."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Connection": "close", "Origin": f"http://127.0.0.1:{port}"},
            timeout=60,
        )
        self.retried = 0

    def __call__(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Return the answer to a request. Raises httpx.TransportError if both attempts fail."""
        with suppress(httpx.TransportError):
            answer = self._client.request(method, path, **sent)
            if answer.status_code not in REFUSED:
                return answer
        self.retried += 1
        return self._client.request(method, path, **sent)


@contextmanager
def traffic(browser: Browser) -> Iterator[Callable[[int], None]]:
    """Send requests of a session within the block, and check that each is answered.

    Yields a function that waits for a number of further answers.
    """
    answers: list[int | str] = []
    changed, end = threading.Condition(), threading.Event()

    def send() -> None:
        paths = cycle(
            ("/s/default/runs", "/api/metadata/connections", "/connections", "/s/default/runs.json")
        )
        while not end.wait(0.02):
            try:
                found: int | str = browser("GET", next(paths)).status_code
            except httpx.TransportError as error:
                found = repr(error)
            with changed:
                answers.append(found)
                changed.notify_all()

    def wait(count: int) -> None:
        with changed:
            goal = len(answers) + count
            assert changed.wait_for(lambda: len(answers) >= goal, 120), answers[-20:]

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    yield wait
    end.set()
    sender.join(120)
    assert {*answers} == {200}, answers


def port_of(server: Running) -> int:
    return int(server.until(lambda: PLACE.findall(server.log.read_text()))[0])


def kill(process: Running) -> None:
    process.process.kill()
    process.process.wait()


def polls(state: State, git: GitServer, name: str, worker: Running) -> int:
    """Return the number of requests that a due look at the repository sends."""
    before, due = git.count(name), datetime.now(timezone.utc) - timedelta(seconds=1)
    with state.write() as session:
        session.execute(update(tables.connections).values(next_check_at=due))

    def is_polled() -> bool:
        with state.read() as session:
            return session.scalar(select(tables.connections.c.next_check_at)) != due

    worker.until(is_polled)
    return git.count(name) - before


def test_any_server_or_worker_may_be_killed(cli: Cli, git_server: GitServer, postgres_url: str) -> None:
    name = uuid4().hex[:8]
    schemas = {kind: f"two_{name}_{kind}" for kind in ("state", "state_jobs", "store")}
    url = f"{postgres_url}?schema={schemas['state']}"
    cli = cli.within(
        RECCE_META_TOKEN=TOKEN,
        RECCE_META_KEY=KEY,
        RECCE_META_STATE_URL=url,
        RECCE_META_URL=postgres_url,
        RECCE_META_SCHEMA=schemas["store"],
    )
    with ExitStack() as stack:
        database = stack.enter_context(UnifiedSqlAdapter.from_url(postgres_url))
        for schema in schemas.values():
            stack.callback(database.execute, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        shop = connected_shop(cli, git_server)
        repository = json.loads(shop("connection", "show", "shop", "--format", "json").out)["connection"][
            "repo_url"
        ].rpartition("/")[2]
        state = stack.enter_context(closing(open_state(url, {})))

        def start(*arguments: str) -> Running:
            return stack.enter_context(running(shop, *arguments))

        def server() -> Running:
            return start("serve", "--port", "0", "--no-open", "--web-only")

        def worker(worker_name: str) -> Running:
            work = str(shop.folder / worker_name)
            found = start("worker", "--worker-name", worker_name, "--work-dir", work)
            found.until(lambda: "runs the jobs of" in found.log.read_text())
            return found

        def jobs() -> list[dict[str, Any]]:
            found = json.loads(shop("connection", "show", "shop", "--format", "json").out)
            return found["jobs"]  # type: ignore[no-any-return]

        proxy = stack.enter_context(closing(TurnProxy()))
        servers = [server(), server()]
        proxy.servers = [port_of(one) for one in servers]
        first = worker("a")
        browser = Browser(proxy.port)

        # Signed in by one server, known to both.
        assert browser("POST", "/login", data={"token": TOKEN, "next": "/"}).status_code == 303
        assert {browser("GET", "/connections").status_code for _ in range(4)} == {200}
        assert proxy.used == {*proxy.servers} and browser.retried == 0
        extract = ("POST", "/api/metadata/connections/shop/extract")
        assert browser(*extract, json={}).status_code == 202
        first.until(lambda: {one["status"] for one in jobs()} == {"success"})

        # Two workers look at the repository as often as one.
        alone = polls(state, git_server, repository, first)
        second = worker("b")
        assert polls(state, git_server, repository, first) == alone > 0

        with traffic(browser) as answered:
            answered(20)
            for place in (0, 1):
                kill(servers[place])
                answered(20)
                servers[place] = server()
                proxy.servers[place] = port_of(servers[place])
                answered(20)
            assert browser.retried > 0

            # The worker that clones is killed: the other one finishes its job, and looks for commits.
            git_server.answer(repository, Answer(body=b"0", is_endless=True, pause=0.5))
            asked = browser(*extract, json={"force": True})
            assert asked.status_code == 202, asked.text
            second.until(lambda: jobs()[0]["status"] == "running")
            workers = {"a": first, "b": second}
            kill(workers.pop(jobs()[0]["worker"]))
            git_server.answer(repository, None)
            (left,) = workers.values()
            left.until(lambda: jobs()[0]["status"] == "success")
            assert polls(state, git_server, repository, left) == alone
            third = worker("c")
            kill(left)
            assert polls(state, git_server, repository, third) == alone
            answered(20)
        assert {one["status"] for one in jobs()} == {"success"}
