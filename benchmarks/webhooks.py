"""Deliveries of webhooks to a server on this machine: the time until each is answered."""

from __future__ import annotations

import asyncio
import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import uvicorn

from benchmarks.measure import Figure, Timing, within
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import add_connection, put_secret
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.secrets import read_keys
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.main import bound_socket
from tests import states
from tests.deliveries import OTHER_SECRET, SECRET, Recorded, recorded
from tests.forge_names import Forge

DELIVERIES = 200
CONNECTIONS = 100
"""Connections with a webhook; one of them is that of the deliveries."""
SECONDS = 0.05
"""Maximum seconds of an answer, in the median."""
ENVIRON = {"RECCE_META_KEY": states.KEY}
POSTGRES = "RECCE_META_TEST_POSTGRES_URL"


def run(scratch: Path) -> list[Figure]:
    """Run all measurements, with PostgreSQL if RECCE_META_TEST_POSTGRES_URL names a server."""
    scratch.mkdir(parents=True)
    figures = []
    for database in states.DATABASES if os.environ.get(POSTGRES) else states.DATABASES[:1]:
        address = states.state_address(database, scratch, os.environ.get(POSTGRES, ""))
        with address as url, states.opened(url) as state:
            connection = _connect(state)
            with _serving(state) as port:
                figures += _answers(database, port, connection)
    return figures


def _connect(state: State) -> str:
    keys = read_keys(ENVIRON, state)
    for number in range(CONNECTIONS):
        repository = "shop" if number == 0 else f"other-{number}"
        one = states.shop(name=repository, repo_url=f"https://github.com/acme/{repository}")
        add_connection(state, one)
        put_secret(state, keys, one.id, "webhook_secret", SECRET)
        if number == 0:
            shop = one.id
    return shop


def _answers(database: str, port: int, connection: str) -> list[Figure]:
    """Return the median time of answers, each of which is checked."""
    push = recorded(Forge.GITHUB, "push")
    unknown = push.changed(repository={"id": 1, "html_url": "https://github.com/acme/unknown"})
    kinds: dict[str, tuple[Recorded, str, int, str]] = {
        "push, by the id of the connection": (push, SECRET, 202, f"?connection={connection}"),
        "push, by its repository": (push, SECRET, 202, ""),
        "wrong signature": (push, OTHER_SECRET, 401, ""),
        "unknown repository": (unknown, SECRET, 401, ""),
    }
    figures = []
    for name, (one, secret, status, query) in kinds.items():
        headers, path = one.signed(secret), f"/api/webhooks/github{query}"
        # Failures of one address within a minute are limited.
        count = DELIVERIES if status == 202 else 25
        timing = _median(port, count, partial(_send, path, one.body, headers, status))
        figures.append(within(f"webhook on {database}, {CONNECTIONS} connections: {name}", timing, SECONDS))
    return figures


def _median(port: int, count: int, send: Callable[[http.client.HTTPConnection], None]) -> Timing:
    walls, client = [], http.client.HTTPConnection("127.0.0.1", port)
    send(client)
    cpu = time.process_time()
    for _ in range(count):
        began = time.perf_counter()
        send(client)
        walls.append(time.perf_counter() - began)
    client.close()
    return Timing(median(walls), (time.process_time() - cpu) / count)


def _send(
    path: str, body: bytes, headers: dict[str, str], status: int, client: http.client.HTTPConnection
) -> None:
    client.request("POST", path, body, headers)
    answer = client.getresponse()
    answer.read()
    assert answer.status == status, answer.status


@contextmanager
def _serving(state: State) -> Iterator[int]:
    """Yield the port of a server of *state*."""
    app = create_app({}, Access(), RepositoryService(state, environ=ENVIRON))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    # As `serve` binds it: asyncio only sends at once on sockets whose protocol is named.
    with bound_socket("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(30)
