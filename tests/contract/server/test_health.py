"""Probes of the server: no token, any host name, and what works."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import delete
from starlette.testclient import TestClient

from recce_meta.errors import ConnectionFailed
from recce_meta.repositories.state import workers
from recce_meta.repositories.state.tables import workers as worker_rows
from recce_meta.server import health
from recce_meta.server.access.sessions import Access
from recce_meta.server.stores.stores import Store
from tests.contract.server.connected_shop import Connected, connected
from tests.contract.server.small_store import client_of, file_url, record_side, store_at

GUARDED = Access("correct horse battery staple", frozenset(["recce.example.com"]))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    file = tmp_path_factory.mktemp("health") / "shop.duckdb"
    record_side(file_url(file))
    found = store_at(file_url(file))
    yield found
    found.close()


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again for each probe."""
    monkeypatch.setattr(health, "_KNOWN", -1.0)


def checks(client: TestClient, status: int) -> dict[str, str]:
    """Return the checks of an answer with *status*."""
    answer = client.get("/readyz")
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == ("ready" if status == 200 else "not_ready")
    return answer.json()["checks"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_no_token_and_no_host_name(store: Store, path: str) -> None:
    client = client_of(store, access=GUARDED)
    for answer in (client.get(path, headers={"Host": "10.0.0.7:8765"}), client.head(path)):
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    assert client.post(path, headers={"Host": "10.0.0.7"}).status_code == 400
    assert client.get(f"{path}/", headers={"Host": "10.0.0.7"}).status_code == 400


def test_stores_fail_if_none_can_be_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks(client_of(store), 200) == {"stores": "ok"}
    duckdb.connect(tmp_path / "new.duckdb").close()
    assert checks(client_of(store_at(file_url(tmp_path / "new.duckdb"))), 200) == {"stores": "ok"}

    @contextmanager
    def refused(self: Store) -> Iterator[None]:
        raise ConnectionFailed("No connection to secret-host")
        yield

    monkeypatch.setattr(Store, "view", refused)
    answer = client_of(store).get("/readyz")
    assert answer.status_code == 503 and "secret" not in answer.text
    assert client_of(store).get("/healthz").status_code == 200


def test_a_store_that_does_not_answer_is_asked_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, end = [], threading.Event()

    @contextmanager
    def hanging(self: Store) -> Iterator[None]:
        asked.append(1)
        end.wait(20)
        yield

    monkeypatch.setattr(health, "PATIENCE", 0.1)
    monkeypatch.setattr(Store, "view", hanging)
    with client_of(store) as client:  # one loop for all requests
        try:
            for _ in range(3):
                assert checks(client, 503) == {"stores": "failed"}
            assert len(asked) == 1
        finally:
            end.set()


@pytest.fixture
def shop(tmp_path: Path, store: Store) -> Iterator[Connected]:
    with connected(tmp_path, store) as found:
        yield found


def test_the_worker_of_the_process_needs_a_heartbeat(shop: Connected, tmp_path: Path) -> None:
    assert checks(shop.client, 200) == {"stores": "ok", "state": "ok", "scheduler": "none"}
    workers.beat(shop.state, "other", host="elsewhere", pid=7)
    assert checks(shop.client, 200) == {"stores": "ok", "state": "ok", "scheduler": "ok"}
    shop.service.work = tmp_path
    assert checks(shop.client, 503)["worker"] == "failed"
    workers.beat(shop.state, "own", host=socket.gethostname(), pid=os.getpid())
    assert checks(shop.client, 200)["worker"] == "ok"
    with shop.state.write() as session:
        session.execute(delete(worker_rows))
    assert checks(shop.client, 503) == {
        "stores": "ok",
        "state": "ok",
        "scheduler": "none",
        "worker": "failed",
    }


@pytest.mark.parametrize(
    "error", [ConnectionFailed("No connection"), OSError("foreign"), KeyError("foreign")]
)
def test_a_state_that_cannot_be_read_is_not_ready(
    shop: Connected, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failed(*_: object) -> None:
        raise error

    monkeypatch.setattr(health, "list_workers", failed)
    assert checks(shop.client, 503) == {"stores": "ok", "state": "failed"}


def test_a_file_that_is_no_store_is_not_ready(tmp_path: Path) -> None:
    """The errors are those of the driver and of the system."""
    folder = tmp_path / "folder.duckdb"
    folder.mkdir()
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"no database" * 1000)
    for file in (folder, damaged):
        store = store_at(file_url(file))
        assert checks(client_of(store), 503) == {"stores": "failed"}
        store.close()
