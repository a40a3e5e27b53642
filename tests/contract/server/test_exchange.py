"""The exchange of a store with a server on loopback: push and pull, scopes, limits, and hostile senders."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from msgspec import structs

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_project
from recce_meta.extractors.project import extract_project
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.repositories.state.tokens import TokenScope, add_token
from recce_meta.server.access.limits import UploadLimits
from recce_meta.server.access.scopes import Permissions
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.main import bound_socket
from recce_meta.server.stores.stores import Store
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.prune import Retention, prune
from recce_meta.store.read import list_runs
from recce_meta.store.session import SCHEMA_VERSION
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.sync import encoding
from recce_meta.sync.client import RemoteReplica, WorkspaceOf
from recce_meta.sync.encoding import MEDIA_TYPE, pack
from recce_meta.sync.exchange import exchange
from recce_meta.sync.server_client import RequestFailed
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.types import Batch, ExchangeStatus, Inventory, Key, ObjectKind, SyncReport
from recce_meta.sync.verify import VerifyingReplica
from tests.contract.server.connected_shop import CONNECTION, Connected, connected
from tests.contract.server.small_store import file_url, record_side
from tests.support.once import built_once

pytestmark = pytest.mark.extensive

ORDERS = AnnotationTarget(project_name="jaffle_shop", unique_id="model.jaffle_shop.orders")
WRITES = Permissions(writes=True)
SERVE_TOKEN = "token-of-the-serving-command"


@dataclass(frozen=True)
class Served:
    """A server on loopback with an empty store, and a local store with two runs."""

    url: str
    shop: Connected
    store: Store
    folder: Path

    def peer(self, token: str | None = SERVE_TOKEN, **others: Any) -> RemoteReplica:
        """Return the store of the server, as a client with *token* sees it."""
        environ = {} if token is None else {"RECCE_META_TOKEN": token}
        return RemoteReplica(self.url, environ, say=_silent, **others)

    def token(self, *scopes: TokenScope, connection: str | None = None) -> str:
        """Return the text of a new token."""
        return add_token(self.shop.state, uuid4().hex, scopes, connection_id=connection)[1]


def _silent(_: str) -> None:
    return None


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Yield the address of a server of *app* on loopback."""
    socket = bound_socket("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        socket.close()


@pytest.fixture(params=["duckdb", "postgres"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """Yield a server whose store does not exist yet."""
    if request.param == "duckdb":
        url, schema = file_url(tmp_path / "team.duckdb"), DEFAULT_SCHEMA
    else:
        url, schema = request.getfixturevalue("postgres_url"), f"exchange_{uuid4().hex[:12]}"
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url).at(schema), permissions=WRITES)
    try:
        with (
            connected(tmp_path, store, Access(SERVE_TOKEN)) as shop,
            listening(shop.client.app) as address,
        ):
            yield Served(address, shop, store, tmp_path)
    finally:
        if request.param == "postgres":
            with UnifiedSqlAdapter.from_url(url) as adapter:
                adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def replica(url: str, *, creates: bool = False) -> StoreReplica:
    """Return the store at *url* as a side of an exchange."""
    return StoreReplica(UnifiedSqlAdapter.from_url(url), name="mine", pack=pack, creates=creates)


def build(folder: Path) -> None:
    """Create a store with two runs and a note in *folder*."""
    url = file_url(folder / "mine.duckdb")
    record_side(url, "base", "current")
    found = replica(url)
    note(found, "first")
    found.close()


@pytest.fixture
def mine(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReplica]:
    """Yield a local store with two runs and a note."""
    source = built_once(tmp_path_factory, "exchanged", build) / "mine.duckdb"
    found = replica(file_url(Path(shutil.copy(source, tmp_path))))
    yield found
    found.close()


def note(store: StoreReplica, text: str) -> None:
    """Write a note about the orders."""
    change = AnnotationChange(target=ORDERS, field="note", value=text)
    add_annotations(store.adapter, [change], author="ann")


def statuses(report: SyncReport) -> dict[tuple[str, str], int]:
    """Return how often each kind of object has each status."""
    return Counter((str(one.kind), str(one.status)) for one in report.outcomes)


SENT = {("run", "sent"): 2, ("column lineage", "sent"): 2, ("annotation", "sent"): 1}


def test_pushed_objects_are_pulled_by_another_store(served: Served, mine: StoreReplica) -> None:
    assert statuses(exchange(mine, served.peer(), "push")) == SENT
    assert exchange(mine, served.peer(), "sync").outcomes == ()

    other = replica(file_url(served.folder / "other.duckdb"), creates=True)
    assert statuses(exchange(VerifyingReplica(other), served.peer(), "pull")) == SENT
    assert exchange(VerifyingReplica(other), served.peer(), "sync").outcomes == ()

    before, after = (
        {run.run_id: run for run in list_runs(store.adapter, status=None)} for store in (mine, other)
    )
    assert before.keys() == after.keys() and len(before) == 2
    for run_id, run in before.items():
        assert after[run_id].column_graph_id is not None
        assert structs.replace(after[run_id], column_graph_id=run.column_graph_id) == run
    # What came from outside never has an id that a recorder would use.
    _, ids = other.adapter.execute("SELECT lineage_id FROM recce_metadata.store_column_analyses")
    assert ids and all("x" in row[0] for row in ids)
    other.close()


def test_an_unchanged_inventory_is_not_sent_again(served: Served, mine: StoreReplica) -> None:
    exchange(mine, served.peer(), "push")
    cache = served.folder / "cache"
    first = served.peer(cache=cache).inventory()
    (file,) = cache.iterdir()

    assert file.stat().st_mode & 0o777 == 0o600
    assert served.peer(cache=cache).inventory() == first
    headers = {"Authorization": f"Bearer {SERVE_TOKEN}"}
    answer = httpx.get(f"{served.url}/api/metadata/sync/inventory", headers=headers)
    again = {**headers, "If-None-Match": answer.headers["etag"]}
    unchanged = httpx.get(f"{served.url}/api/metadata/sync/inventory", headers=again)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    file.write_bytes(b"damaged")
    assert served.peer(cache=cache).inventory() == first
    note(mine, "second")
    exchange(mine, served.peer(cache=cache), "push")
    assert len(served.peer(cache=cache).inventory().entries) == len(first.entries) + 1


def test_deletions_need_an_administrator(served: Served, mine: StoreReplica) -> None:
    exchange(mine, served.peer(), "push")
    prune(mine.adapter, Retention(keep_last=0, environment="base"))
    deleted = [key for key in mine.inventory().entries if key.kind is ObjectKind.DELETION]
    assert len(deleted) == 1

    writer = served.peer(served.token(TokenScope.WRITE))
    report = exchange(mine, writer, "push")
    (refused,) = report.outcomes
    assert report.status == "success"
    assert (refused.status, refused.reason) == (
        ExchangeStatus.SKIPPED,
        "deleting runs needs a token with the scope admin",
    )
    admin = served.peer(served.token(TokenScope.ADMIN))
    assert statuses(exchange(mine, admin, "push")) == {("deletion", "sent"): 1}
    assert Key(ObjectKind.RUN, deleted[0].id) not in admin.inventory().entries


def test_each_right_needs_its_scope(served: Served, mine: StoreReplica) -> None:
    exchange(mine, served.peer(), "push")
    reader = served.peer(served.token(TokenScope.READ))
    assert len(reader.inventory().entries) == 5
    note(mine, "second")
    for scope in (TokenScope.READ, TokenScope.UPLOAD, TokenScope.EXTRACT):
        with pytest.raises(RequestFailed) as failed:
            exchange(mine, served.peer(served.token(scope)), "push")
        assert failed.value.status == 403
    assert statuses(exchange(mine, served.peer(served.token(TokenScope.WRITE)), "push")) == {
        ("annotation", "sent"): 1
    }
    for token in (None, "rm_0123456789ab_" + "a" * 43):
        with pytest.raises(RequestFailed) as failed:
            served.peer(token).inventory()
        assert failed.value.status == 401 and "RECCE_META_TOKEN" in (failed.value.hint or "")


def test_a_token_of_one_connection_reaches_nothing_of_the_exchange(
    served: Served, mine: StoreReplica
) -> None:
    bound = served.peer(served.token(TokenScope.WRITE, connection=CONNECTION))
    for act in (
        bound.inventory,
        lambda: bound.read([Key(ObjectKind.RUN, "one")]),
        lambda: bound.write(mine.read([*mine.inventory().entries]), "mine"),
    ):
        with pytest.raises(RequestFailed) as failed:
            act()
        assert failed.value.status == 403


def test_a_server_that_does_not_write_is_only_pulled_from(served: Served, mine: StoreReplica) -> None:
    exchange(mine, served.peer(), "push")
    served.store.permissions = Permissions()
    note(mine, "second")
    with pytest.raises(RequestFailed, match="This server does not write to the store") as failed:
        exchange(mine, served.peer(), "push")
    assert failed.value.hint == "start it with serve --allow-writes"
    assert len(served.peer().inventory().entries) == 5


def test_forged_objects_are_refused_and_the_others_written(served: Served, mine: StoreReplica) -> None:
    keys = [*mine.inventory().entries]
    forged, honest = [key for key in keys if key.kind is ObjectKind.RUN]
    batch = full_batch(mine, keys)
    place = 5
    batch.tables["runs"][:] = [
        (*row[:place], "forged", *row[place + 1 :]) if row[0] == forged.id else row
        for row in batch.tables["runs"]
    ]
    results = {one.key: one for one in served.peer().write(batch, "mine")}

    assert results[honest].status is ExchangeStatus.SENT
    assert results[forged].status is ExchangeStatus.FAILED
    assert results[forged].reason == "its contents do not match its hash"
    assert Key(ObjectKind.RUN, forged.id) not in served.peer().inventory().entries


def full_batch(store: StoreReplica, keys: list[Key]) -> Batch:
    """Return the objects *keys* with all their pieces."""
    sent: list[Batch] = []

    class Sink:
        name = "sink"

        def lacking(self, piece: Any, ids: Any) -> set[str]:
            return set(ids)

        def write(self, batch: Batch, peer: str) -> list[Any]:
            sent.append(batch)
            return []

        def __getattr__(self, name: str) -> Any:
            return lambda *_: Inventory({}, SCHEMA_VERSION)

    exchange(store, Sink(), "push")
    tables: dict[str, list[Any]] = {}
    for batch in sent:
        for table, rows in batch.tables.items():
            tables.setdefault(table, []).extend(rows)
    return Batch(tuple(keys), tables)


def test_the_same_run_with_other_contents_is_a_conflict(served: Served, mine: StoreReplica) -> None:
    exchange(mine, served.peer(), "push")
    run = next(key for key in mine.inventory().entries if key.kind is ObjectKind.RUN)
    mine.adapter.execute(
        f"UPDATE recce_metadata.store_runs SET environment = 'other' WHERE run_id = '{run.id}'"
    )
    mine.adapter.execute(f"DELETE FROM recce_metadata.store_run_hashes WHERE run_id = '{run.id}'")
    for is_new in (True, False):
        (found,) = exchange(mine, served.peer(), "push").outcomes
        assert (found.status, found.is_new) == (ExchangeStatus.CONFLICT, is_new)
    assert served.peer().inventory().entries[run] != mine.inventory().entries[run]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"nonsense", 400), (b"PK\x03\x04" + b"\0" * 200, 400), (b"{}", 400)],
)
def test_a_damaged_bundle_is_refused(served: Served, body: bytes, status: int) -> None:
    answer = send(served, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "bad_request")
    assert "bundle" in answer.json()["error"]["message"]


def send(served: Served, body: bytes, **parameters: str) -> httpx.Response:
    """Send a bundle with the token of serve."""
    headers = {"Authorization": f"Bearer {SERVE_TOKEN}", "Content-Type": MEDIA_TYPE}
    return httpx.post(
        f"{served.url}/api/metadata/sync-from-ide", content=body, headers=headers, params=parameters
    )


def test_a_large_bundle_is_refused_before_it_arrives(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = "recce_meta.server.api.exchange.BUNDLE_LIMITS"
    monkeypatch.setattr(limits, UploadLimits(1000, 1000, "send fewer runs at once"))
    answer = send(served, b"x" * 2000)
    assert (answer.status_code, answer.json()["error"]["hint"]) == (413, "send fewer runs at once")


def test_the_answer_to_a_bundle_has_the_shape_of_a_sync(served: Served, mine: StoreReplica) -> None:
    batch = full_batch(mine, [*mine.inventory().entries])
    found = send(served, pack(batch)).json()

    assert found["success"] is True and found["conflicts"] == []
    assert found["synced"]["objects"] > 10 and found["synced"]["column_lineage"] > 50
    assert found["synced"]["columns"] > 20 and found["synced"]["dependencies"] > 10
    assert {one["status"] for one in found["outcomes"]} == {"sent"}
    again = send(served, pack(batch)).json()
    assert {one["status"] for one in again["outcomes"]} == {"present"} and again["success"]
    assert again["synced"] == {"objects": 0, "columns": 0, "dependencies": 0, "column_lineage": 0}


def test_a_push_creates_its_workspace_once(served: Served, mine: StoreReplica) -> None:
    workspace = WorkspaceOf(project_name="jaffle_shop", path_hash="0a1b")
    exchange(mine, served.peer(workspace=workspace), "push")
    note(mine, "second")
    exchange(mine, served.peer(workspace=workspace), "push")
    headers = {"Authorization": f"Bearer {SERVE_TOKEN}"}
    (found,) = httpx.get(f"{served.url}/api/metadata/workspaces", headers=headers).json()["items"]

    assert (found["project_name"], found["project_path_hash"]) == ("jaffle_shop", "0a1b")
    assert datetime.fromisoformat(found["last_sync_at"].replace("Z", "+00:00")) > datetime.now(
        timezone.utc
    ) - timedelta(hours=1)


def test_other_stores_and_invalid_requests_are_refused(served: Served) -> None:
    with pytest.raises(RequestFailed, match="No store has this name"):
        served.peer(store="nope").inventory()
    headers = {"Authorization": f"Bearer {SERVE_TOKEN}"}
    url = f"{served.url}/api/metadata/sync"
    for path, body, status in (
        ("lacking", {"piece": "runs", "ids": []}, 400),
        ("lacking", {"piece": "macros", "ids": ["a\nb"]}, 400),
        ("lacking", {"piece": "macros", "ids": ["a"] * 6000}, 400),
        ("objects", {"objects": [["run"]]}, 400),
        ("objects", {"objects": [["other", "a"]]}, 400),
        ("pieces", {"piece": "macros", "ids": [1]}, 400),
    ):
        assert httpx.post(f"{url}/{path}", json=body, headers=headers).status_code == status, (path, body)
    assert httpx.get(f"{url}/inventory", params={"other": "1"}, headers=headers).status_code == 422


def test_a_server_without_a_state_exchanges_too(tmp_path: Path, mine: StoreReplica) -> None:
    url = file_url(tmp_path / "team.duckdb")
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url), permissions=WRITES)
    with listening(create_app({"default": store}, Access())) as address:
        peer = RemoteReplica(
            address, {}, say=_silent, workspace=WorkspaceOf(project_name="jaffle_shop", path_hash="0a")
        )
        assert statuses(exchange(mine, peer, "push")) == SENT
        assert exchange(mine, peer, "sync").outcomes == ()
    store.close()


def test_runs_without_a_hash_are_read_from_a_server_that_only_reads(
    served: Served, mine: StoreReplica
) -> None:
    exchange(mine, served.peer(), "push")
    with served.store.writing() as adapter:
        adapter.execute(f"DELETE FROM {adapter.schema}.store_run_hashes")
    served.store.permissions = Permissions()
    assert (
        served.peer().inventory() == mine.inventory() or exchange(mine, served.peer(), "sync").outcomes == ()
    )


def test_a_large_answer_is_asked_for_in_parts(
    served: Served, mine: StoreReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(mine, served.peer(), "push")
    keys = [*mine.inventory().entries]
    whole = served.peer().read(keys)
    rows = sum(map(len, whole.tables.values()))
    monkeypatch.setattr(encoding, "OF_REQUESTS", _with_rows(encoding.OF_REQUESTS, rows - 1))
    parts = served.peer().read(keys)

    assert set(parts.keys) == set(whole.keys)
    assert {name: set(some) for name, some in parts.tables.items() if some} == {
        name: set(some) for name, some in whole.tables.items() if some
    }


def _with_rows(limits: Any, rows: int) -> Any:
    return structs.replace(limits, rows=rows)


def test_a_large_bundle_is_sent_in_parts(
    served: Served, mine: StoreReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sum(map(len, full_batch(mine, [*mine.inventory().entries]).tables.values()))
    monkeypatch.setattr(encoding, "OF_REQUESTS", _with_rows(encoding.OF_REQUESTS, whole - 1))

    assert statuses(exchange(mine, served.peer(), "push")) == SENT
    assert exchange(mine, served.peer(), "sync").outcomes == ()
    monkeypatch.setattr(encoding, "OF_REQUESTS", _with_rows(encoding.OF_REQUESTS, 10))
    run = next(key for key in mine.inventory().entries if key.kind is ObjectKind.RUN)
    (failed,) = served.peer().write(full_batch(mine, [run]), "mine")
    assert failed.status is ExchangeStatus.FAILED and "do not fit into one bundle" in (failed.reason or "")


def test_a_recorder_does_not_take_over_lineage_from_outside(served: Served, mine: StoreReplica) -> None:
    exchange(mine, served.peer(), "push")
    other = file_url(served.folder / "other.duckdb")
    replica_of_other = replica(other, creates=True)
    exchange(VerifyingReplica(replica_of_other), served.peer(), "pull")
    replica_of_other.close()
    with UnifiedSqlAdapter.from_url(other) as adapter:
        project = extract_project(demo_data.artifacts("base"), environment="again")
        run = structs.replace(project.run, run_id="recorded-here")
        recorded = record_project(adapter, structs.replace(project, run=run)).run
        (earlier,) = [one for one in list_runs(adapter, status=None) if one.graph_id == recorded.graph_id][1:]
        _, ids = adapter.execute(
            "SELECT DISTINCT lineage_id FROM recce_metadata.store_column_part_nodes "
            "JOIN recce_metadata.store_column_parts USING (part_id) "
            f"WHERE column_graph_id = '{recorded.column_graph_id}'"
        )

    assert recorded.column_graph_id not in (None, earlier.column_graph_id)
    assert ids and not any("x" in row[0] for row in ids)
