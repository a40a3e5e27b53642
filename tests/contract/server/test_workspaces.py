"""Workspaces of editors and their syncs, with the state in SQLite and in PostgreSQL."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import RunNotFound, UnknownNameError
from recce_meta.repositories.state.connections import add_connection, remove_connection
from recce_meta.repositories.state.tokens import TokenScope, add_token
from recce_meta.repositories.state.workspaces import get_workspace, touch_workspace
from recce_meta.server.access.limits import ConnectionLimits
from recce_meta.server.access.scopes import Permissions
from recce_meta.server.access.sessions import Access
from recce_meta.server.api.workspaces import SYNC_LIMITS
from recce_meta.server.stores.stores import Store
from recce_meta.store.read import list_runs
from recce_meta.store.select import load_run, resolve_run
from recce_meta.sync.bundle import BundleReplica
from recce_meta.sync.encoding import MEDIA_TYPE, pack
from recce_meta.sync.exchange import exchange
from recce_meta.sync.stores import StoreReplica
from tests.contract.server.api_shop import check
from tests.contract.server.connected_shop import API, CONNECTION, SERVE_TOKEN, Connected, connected
from tests.contract.server.small_store import client_of, file_url, record_side, store_at
from tests.support import states

WORKSPACES, SYNC = f"{API}/workspaces", f"{API}/sync-from-ide"
NEW = {"project_name": "jaffle_shop", "project_path_hash": "5e88", "client_version": "1.2.0"}
Json = dict[str, Any]
STATE: Json = {
    "objects": [
        {"id": "model.shop.orders", "name": "orders", "object_type": "model"},
        {"id": "source.shop.raw.orders", "name": "raw_orders", "object_type": "source"},
        {"name": "report", "object_type": "view"},
    ],
    "columns": [
        {"id": "c1", "object": "orders", "name": "amount", "data_type": "DOUBLE"},
        {"object_id": "source.shop.raw.orders", "name": "cents", "data_type": "INTEGER"},
        {"id": "report.total", "name": "total", "data_type": None},
    ],
    "dependencies": [
        {"source": "model.shop.orders", "target": "raw_orders", "confidence": 1.0},
        {"source": "report", "target": "ORDERS", "confidence": 0.5},
    ],
    "column_lineage": [
        {"target": "c1", "source": "raw_orders.cents", "transformation": "cents / 100", "confidence": 0.9},
        {"target": "report.total", "source": "model.shop.orders.amount", "transformation": "amount"},
    ],
}


pytestmark = pytest.mark.core("sqlite")


@pytest.fixture(scope="module", params=states.DATABASES)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Connected, str, str]]:
    """Yield a server of a store with one run, the URL of the store, and the database of the state."""
    folder = tmp_path_factory.mktemp("workspaces")
    url = file_url(folder / "shop.duckdb")
    record_side(url)
    server = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with (
        states.state_address(request.param, folder, server) as state_url,
        connected(folder, store_at(url), Access(SERVE_TOKEN), state_url=state_url) as found,
    ):
        yield found, url, request.param


@pytest.fixture
def shop(place: tuple[Connected, str, str]) -> Connected:
    """Return the server."""
    return place[0]


@pytest.fixture
def store_url(place: tuple[Connected, str, str]) -> str:
    """Return the URL of the store of the server."""
    return place[1]


@pytest.fixture
def database(place: tuple[Connected, str, str]) -> str:
    """Return the database of the state."""
    return place[2]


@pytest.fixture(autouse=True)
def forget_limits(shop: Connected) -> None:
    """Let each test send as many requests as the first one."""
    api = next(route for route in shop.client.app.routes if route.path == "/api")  # type: ignore[attr-defined]
    api.app.state.limits = ConnectionLimits()


@pytest.fixture
def folder_hash(request: pytest.FixtureRequest) -> str:
    """Return a hash of a folder that no other test has."""
    return str(request.node.name).encode().hex()[-100:]


@pytest.fixture
def token(shop: Connected) -> dict[str, str]:
    """Return the header of a token that may upload."""
    return shop.bearer(TokenScope.UPLOAD)


def new_token(
    shop: Connected, name: str, *scopes: TokenScope, connection: str | None = None
) -> dict[str, str]:
    """Return the header of a new token."""
    _, text = add_token(shop.state, name, scopes or [TokenScope.UPLOAD], connection_id=connection)
    return {"Authorization": f"Bearer {text}"}


def create(shop: Connected, headers: dict[str, str], **fields: object) -> Json:
    """Create a workspace, and return it."""
    found = shop.client.post(WORKSPACES, headers=headers, json={**NEW, **fields})
    assert found.status_code in (200, 201), found.text
    answer: Json = found.json()
    check(answer, {"$ref": "#/components/schemas/workspace_answer"})
    return answer


def sync(shop: Connected, headers: dict[str, str], workspace: str, **fields: object) -> Json:
    """Sync STATE with *fields*, and return the answer."""
    found = shop.client.post(SYNC, headers=headers, json={"workspace_id": workspace, **STATE, **fields})
    assert found.status_code == 200, found.text
    answer: Json = found.json()
    check(answer, {"$ref": "#/components/schemas/sync_answer"})
    return answer


def lineage(shop: Connected, headers: dict[str, str], workspace: str, **parameters: str) -> Json:
    """Return the lineage of a workspace."""
    found = shop.client.get(f"{WORKSPACES}/{workspace}/lineage", headers=headers, params=parameters)
    assert found.status_code == 200, found.text
    answer: Json = found.json()
    check(answer, {"$ref": "#/components/schemas/workspace_lineage"})
    return answer


def error_of(response: Any) -> tuple[int, str]:
    """Return status and code of a failure."""
    check(response.json(), {"$ref": "#/components/schemas/error_answer"})
    return response.status_code, response.json()["error"]["code"]


def test_a_workspace_is_created_once_and_changed(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    given = {**NEW, "project_path_hash": folder_hash, "connection_id": "shop", "unknown": [1]}
    first = shop.client.post(WORKSPACES, headers=token, json=given)
    again = shop.client.post(WORKSPACES, headers=token, json={**given, "client_version": "2"})
    found = first.json()

    assert (first.status_code, again.status_code, again.json()) == (201, 200, found)
    assert found["connection_id"] == CONNECTION
    assert (found["sync_enabled"], found["last_sync_at"], found["created_by"]) == (True, None, "token upload")
    changed = shop.client.patch(
        f"{WORKSPACES}/{found['id']}", headers=token, json={"client_version": "2", "connection_id": None}
    )
    assert changed.json() == {**found, "client_version": "2", "connection_id": None}
    listed = shop.client.get(WORKSPACES, headers=token).json()["items"]
    assert changed.json() in listed


def test_a_change_to_the_folder_of_another_workspace_is_refused(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    create(shop, token, project_path_hash=folder_hash)
    other = create(shop, token, project_path_hash=f"{folder_hash}-other")

    change = {"project_path_hash": folder_hash}
    assert error_of(shop.client.patch(f"{WORKSPACES}/{other['id']}", headers=token, json=change)) == (
        400,
        "bad_request",
    )


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    "fields",
    [
        {"project_name": ""},
        {"project_name": "a\u0000b"},
        {"project_name": 7},
        {"project_path_hash": "x" * 201},
        {"project_path_hash": None},
        {"sync_enabled": "yes"},
        {"client_version": "a\nb"},
    ],
)
def test_an_invalid_workspace_is_refused(shop: Connected, token: dict[str, str], fields: Json) -> None:
    answer = shop.client.post(WORKSPACES, headers=token, json={**NEW, **fields})
    assert error_of(answer) == (400, "bad_request")


def test_a_workspace_exists_for_its_token_and_for_administrators_only(
    shop: Connected, folder_hash: str
) -> None:
    ada, bob = new_token(shop, f"ada {folder_hash}"), new_token(shop, f"bob {folder_hash}")
    own = create(shop, ada, project_path_hash=folder_hash)
    other = create(shop, bob, project_path_hash=folder_hash)
    admin = shop.bearer(TokenScope.ADMIN)
    address = f"{WORKSPACES}/{own['id']}"

    assert own["id"] != other["id"]
    unknown = shop.client.get(f"{WORKSPACES}/nothing/lineage", headers=bob).json()
    for method, path, body in (
        ("GET", f"{address}/lineage", None),
        ("PATCH", address, {"sync_enabled": False}),
        ("POST", SYNC, {"workspace_id": own["id"], **STATE}),
    ):
        found = shop.client.request(method, path, headers=bob, json=body)
        assert error_of(found) == (404, "not_found")
        assert found.json()["error"]["message"].replace(own["id"], "nothing") == unknown["error"]["message"]
        assert shop.client.request(method, path, headers=admin, json=body and {}).status_code != 404
    assert [one["id"] for one in shop.client.get(WORKSPACES, headers=bob).json()["items"]] == [other["id"]]
    every = shop.client.get(WORKSPACES, headers=admin, params={"limit": "500"}).json()["items"]
    assert {own["id"], other["id"]} <= {one["id"] for one in every}


def test_a_token_of_one_connection_has_workspaces_of_this_connection_only(
    shop: Connected, folder_hash: str
) -> None:
    secret = states.shop(name=f"secret-{folder_hash[-8:]}")
    add_connection(shop.state, secret)
    bound = new_token(shop, f"bound {folder_hash}", connection=CONNECTION)
    own = create(shop, bound, project_path_hash=folder_hash)
    address = f"{WORKSPACES}/{own['id']}"

    assert own["connection_id"] == CONNECTION
    for name in (secret.id, secret.name, "nothing"):
        given = {**NEW, "project_path_hash": "other", "connection_id": name}
        assert error_of(shop.client.post(WORKSPACES, headers=bound, json=given)) == (404, "not_found")
        assert error_of(shop.client.patch(address, headers=bound, json={"connection_id": name}))[0] == 404
    cleared = shop.client.patch(address, headers=bound, json={"connection_id": None})
    assert error_of(cleared) == (403, "not_allowed")
    assert sync(shop, bound, own["id"])["success"]


def test_a_workspace_outlives_its_connection(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    connection = states.shop(name=f"gone-{folder_hash[-8:]}")
    add_connection(shop.state, connection)
    found = create(shop, token, project_path_hash=folder_hash, connection_id=connection.id)
    remove_connection(shop.state, connection.id)

    assert get_workspace(shop.state, found["id"]).connection_id is None


def test_a_sync_is_stored_once_and_answers_the_same(
    shop: Connected, store_url: str, token: dict[str, str], folder_hash: str
) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    first, again = sync(shop, token, workspace), sync(shop, token, workspace)

    assert first["synced"] == {"objects": 3, "columns": 3, "dependencies": 2, "column_lineage": 2}
    assert (first["success"], first["conflicts"]) == (True, [])
    assert again == first
    with UnifiedSqlAdapter.from_url(store_url) as adapter:
        runs = [run for run in list_runs(adapter) if run.environment == f"workspace:{workspace}"]
        assert [(run.run_id, run.extractor, run.status) for run in runs] == [
            (first["run_id"], "ide", "complete")
        ]
        stored = load_run(adapter, f"workspace:{workspace}")
    assert stored.run.project_name == "jaffle_shop"
    assert [node.unique_id for node in stored.nodes] == [
        "model.shop.orders",
        "report",
        "source.shop.raw.orders",
    ]


def test_the_lineage_is_that_of_the_last_sync(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    synced = sync(shop, token, workspace)
    found = lineage(shop, token, workspace)

    assert found["run_id"] == synced["run_id"] and not found["truncated"]
    assert found["objects"][0] == {
        "id": "model.shop.orders",
        "name": "orders",
        "object_type": "model",
        "columns": [{"id": "model.shop.orders.amount", "name": "amount", "data_type": "DOUBLE"}],
    }
    assert found["columns"] == [
        {"object": one["id"], **column} for one in found["objects"] for column in one["columns"]
    ]
    assert found["dependencies"] == [
        {"source": "model.shop.orders", "target": "source.shop.raw.orders", "confidence": 1.0},
        {"source": "report", "target": "model.shop.orders", "confidence": 0.5},
    ]
    assert found["column_lineage"] == [
        {
            "target": "model.shop.orders.amount",
            "source": "source.shop.raw.orders.cents",
            "transformation": "cents / 100",
            "confidence": 0.9,
        },
        {
            "target": "report.total",
            "source": "model.shop.orders.amount",
            "transformation": "amount",
            "confidence": 1.0,
        },
    ]
    # What a client has read, it may send again.
    again = {key: found[key] for key in STATE}
    assert sync(shop, token, workspace, **again)["synced"] == synced["synced"]


@pytest.mark.extensive
def test_a_change_is_counted_and_an_earlier_state_is_the_last_one_again(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    first = sync(shop, token, workspace)
    edited = [dict(one) for one in STATE["column_lineage"]]
    edited[0]["transformation"] = "cents / 1000"
    second = sync(shop, token, workspace, column_lineage=edited)
    sure = [{**one, "confidence": 1.0} for one in STATE["dependencies"]]
    third = sync(shop, token, workspace, dependencies=sure)
    back = sync(shop, token, workspace)

    assert second["synced"] == {"objects": 0, "columns": 0, "dependencies": 0, "column_lineage": 1}
    assert third["synced"] == {"objects": 0, "columns": 0, "dependencies": 1, "column_lineage": 1}
    assert back["run_id"] == first["run_id"] != second["run_id"]
    assert back["synced"] == {"objects": 0, "columns": 0, "dependencies": 1, "column_lineage": 0}
    found = lineage(shop, token, workspace)
    assert found["run_id"] == first["run_id"]
    assert found["column_lineage"][0]["transformation"] == "cents / 100"
    assert [one["confidence"] for one in found["dependencies"]] == [1.0, 0.5]


def test_items_that_name_no_object_are_conflicts(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    fields: Json = {
        "objects": [*STATE["objects"], {"id": "model.shop.orders", "name": "bills"},
                    {"id": "a", "name": "report"}],
        "columns": [{"object": "nothing", "name": "x"}, {"id": "orders.x", "name": "x", "data_type": "A"},
                    {"object": "orders", "name": "x", "data_type": "B"}],
        "dependencies": [{"source": "orders", "target": "nothing"}, {"source": "orders", "target": "orders"}],
        "column_lineage": [{"target": "orders.x", "source": "nothing.y"}],
    }  # fmt: skip
    found = sync(shop, token, workspace, **fields)

    assert [(one["kind"], one["id"]) for one in found["conflicts"]] == [
        ("object", "model.shop.orders"),
        ("column", "x"),
        ("column", "model.shop.orders.x"),
        ("dependency", "orders → nothing"),
        ("dependency", "orders → orders"),
        ("column lineage", "orders.x ← nothing.y"),
    ]
    assert found["synced"] == {"objects": 4, "columns": 1, "dependencies": 0, "column_lineage": 0}


def test_concurrent_syncs_count_each_item_once(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    body = {"workspace_id": workspace, **STATE}
    found = states.at_once(4, lambda: shop.client.post(SYNC, headers=token, json=body))
    answers = [one.json() for one in found if one.status_code == 200]

    # A server that reads many syncs refuses others.
    assert {one.status_code for one in found} <= {200, 503}
    assert answers and all(one == answers[0] for one in answers)
    assert answers[0]["synced"]["objects"] == 3


def test_an_empty_sync_changes_nothing(shop: Connected, token: dict[str, str], folder_hash: str) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    synced = sync(shop, token, workspace)
    empty = sync(shop, token, workspace, **{key: [] for key in STATE})

    assert (empty["success"], empty["run_id"]) == (True, None)
    assert set(empty["synced"].values()) == {0}
    assert lineage(shop, token, workspace)["run_id"] == synced["run_id"]


def test_a_disabled_workspace_is_not_synced(shop: Connected, token: dict[str, str], folder_hash: str) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash, sync_enabled=False)["id"]
    body = {"workspace_id": workspace, **STATE}
    answer = shop.client.post(SYNC, headers=token, json=body)

    assert error_of(answer) == (403, "not_allowed")
    shop.client.patch(f"{WORKSPACES}/{workspace}", headers=token, json={"sync_enabled": True})
    assert shop.client.post(SYNC, headers=token, json=body).status_code == 200


def test_synced_runs_are_chosen_by_their_environment_only(
    shop: Connected, store_url: str, token: dict[str, str], folder_hash: str
) -> None:
    with UnifiedSqlAdapter.from_url(store_url) as adapter:
        latest, base = resolve_run(adapter, "latest"), resolve_run(adapter, "base")
    workspace = create(shop, token, project_path_hash=folder_hash, project_name="of an editor")["id"]
    found = sync(shop, token, workspace)
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).date()

    with UnifiedSqlAdapter.from_url(store_url) as adapter:
        # Without the project: a workspace must not make a store ambiguous.
        assert resolve_run(adapter, "latest").run_id == latest.run_id
        assert resolve_run(adapter, f"before:{tomorrow}").run_id == latest.run_id
        assert resolve_run(adapter, "base").run_id == base.run_id
        with pytest.raises(RunNotFound):
            resolve_run(adapter, "latest", project="of an editor")
        assert resolve_run(adapter, f"workspace:{workspace}").run_id == found["run_id"]


def test_pages_show_synced_runs_in_their_environment_only(
    shop: Connected, store_url: str, token: dict[str, str], folder_hash: str
) -> None:
    with UnifiedSqlAdapter.from_url(store_url) as adapter:
        latest = resolve_run(adapter, "latest")
    workspace = create(shop, token, project_path_hash=folder_hash, project_name=latest.project_name)["id"]
    objects = [{"id": "model.shop.only_in_an_editor", "name": "only_in_an_editor"}]
    found = sync(shop, token, workspace, objects=objects, columns=[], dependencies=[], column_lineage=[])
    project, environment = f"/s/default/projects/{latest.project_name}", f"workspace:{workspace}"

    def text(path: str, **parameters: str) -> str:
        page = shop.client.get(path, headers=token, params=parameters)
        assert page.status_code == 200, page.text
        return str(page.text)

    for path in ("/", "/s/default", "/s/default/environments", project):
        assert workspace not in text(path)
    assert found["run_id"] in text("/s/default/runs")
    assert found["run_id"] in text(project, environment=environment)
    assert "only_in_an_editor" not in text("/api/stores/default/search", q="only_in_an_editor")
    projects = json.loads(text("/api/stores/default/projects"))["items"]
    (own,) = [one for one in projects if one["project_name"] == latest.project_name]
    assert own["latest"]["run_id"] == latest.run_id and environment in own["environments"]


def test_since_leaves_out_what_is_known(shop: Connected, token: dict[str, str], folder_hash: str) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    sync(shop, token, workspace)
    full = lineage(shop, token, workspace)
    at = datetime.fromisoformat(full["last_updated"].replace("Z", "+00:00"))

    known = lineage(shop, token, workspace, since=full["last_updated"])
    assert (known["objects"], known["columns"], known["dependencies"], known["column_lineage"]) == (
        [], [], [], [],
    )  # fmt: skip
    assert known["last_updated"] == full["last_updated"]
    assert lineage(shop, token, workspace, since=(at - timedelta(seconds=1)).isoformat()) == full
    address = f"{WORKSPACES}/{workspace}/lineage"
    # A plus that is not encoded is a space.
    assert shop.client.get(f"{address}?since=2026-01-01T00:00:00+00:00", headers=token).json() == full
    for text in ("", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00"):
        refused = shop.client.get(address, headers=token, params={"since": text})
        assert error_of(refused) == (400, "bad_request")
    etag = shop.client.get(address, headers=token).headers["ETag"]
    same = shop.client.get(address, headers={**token, "If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")


def test_without_a_sync_the_lineage_is_that_of_the_project(
    shop: Connected, store_url: str, token: dict[str, str], folder_hash: str
) -> None:
    with UnifiedSqlAdapter.from_url(store_url) as adapter:
        latest = resolve_run(adapter, "latest")
    workspace = create(shop, token, project_path_hash=folder_hash, project_name=latest.project_name)["id"]
    unknown = create(shop, token, project_path_hash=folder_hash, project_name="nothing")["id"]
    found, nothing = lineage(shop, token, workspace), lineage(shop, token, unknown)

    assert found["run_id"] == latest.run_id
    assert found["objects"] and found["columns"]
    assert (nothing["run_id"], nothing["objects"], nothing["last_updated"]) == (None, [], None)
    # As for a run that a bundle has brought.
    touch_workspace(shop.state, unknown, datetime.now(timezone.utc), store="default", run_id=latest.run_id)
    assert lineage(shop, token, unknown)["objects"] == found["objects"]
    touch_workspace(shop.state, unknown, datetime.now(timezone.utc), store="default", run_id="pruned")
    assert lineage(shop, token, unknown)["run_id"] is None
    with pytest.raises(UnknownNameError):
        touch_workspace(shop.state, "nothing", datetime.now(timezone.utc))


def test_a_token_of_one_connection_reads_no_project_of_others_by_its_name(
    shop: Connected, store_url: str, folder_hash: str
) -> None:
    new = states.shop(name=f"new-{folder_hash[-8:]}")
    add_connection(shop.state, new)
    bound = new_token(shop, f"new {folder_hash}", connection=new.id)
    with UnifiedSqlAdapter.from_url(store_url) as adapter:
        project = resolve_run(adapter, "latest").project_name
    workspace = create(shop, bound, project_path_hash=folder_hash, project_name=project)["id"]

    found = lineage(shop, bound, workspace)
    assert (found["run_id"], found["objects"]) == (None, [])


@pytest.mark.extensive
def test_a_bundle_is_a_sync_of_its_workspace(
    tmp_path: Path, postgres_url: str, database: str, folder_hash: str
) -> None:
    local, served = file_url(tmp_path / "local.duckdb"), file_url(tmp_path / "served.duckdb")
    record_side(local, "current")
    record_side(served, "base")
    bundle = BundleReplica(tmp_path / "runs.zip", creates=True)
    with UnifiedSqlAdapter.from_url(local) as adapter:
        exchange(StoreReplica(adapter, name="local", pack=pack), bundle, "push")
        last = resolve_run(adapter, "latest")
    bundle.close()
    body, headers = bundle.path.read_bytes(), {"Content-Type": MEDIA_TYPE}
    store = Store(
        "default",
        lambda: UnifiedSqlAdapter.from_url(served, may_create=False),
        permissions=Permissions(writes=True),
    )
    with (
        states.state_address(database, tmp_path, postgres_url) as state_url,
        connected(tmp_path, store, Access(SERVE_TOKEN), state_url=state_url) as shop,
    ):
        writer = shop.bearer(TokenScope.WRITE)
        workspace = create(shop, writer, project_path_hash=folder_hash, project_name=last.project_name)["id"]
        other = create(shop, shop.bearer(TokenScope.UPLOAD), project_path_hash=folder_hash)["id"]

        def send(to: str) -> Any:
            return shop.client.post(
                SYNC, headers={**writer, **headers}, params={"workspace": to}, content=body
            )

        assert error_of(send(other)) == (404, "not_found"), "a workspace of another token"
        sync(shop, writer, workspace)
        found = send(workspace)
        assert found.status_code == 200 and found.json()["success"], found.text
        assert lineage(shop, writer, workspace)["run_id"] == last.run_id
        assert sync(shop, writer, workspace)["synced"]["objects"] == 3
        assert lineage(shop, writer, workspace)["run_id"] != last.run_id
        shop.client.patch(f"{WORKSPACES}/{workspace}", headers=writer, json={"sync_enabled": False})
        assert error_of(send(workspace)) == (403, "not_allowed")


def test_a_compressed_sync_is_read(shop: Connected, token: dict[str, str], folder_hash: str) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    body = gzip.compress(json.dumps({"workspace_id": workspace, **STATE}).encode())
    found = shop.client.post(SYNC, headers={**token, "Content-Encoding": "gzip"}, content=body)

    assert found.status_code == 200, found.text
    assert get_workspace(shop.state, workspace).last_sync_at is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"workspace_id": "x", "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"workspace_id": "x", "objects": {}}',
        b'{"workspace_id": "x", "objects": [{"name": 1}]}',
        b'{"workspace_id": "x", "objects": [{"name": "a\\u0000"}]}',
        b'{"workspace_id": "x", "objects": [{"name": "%s"}]}' % (b"a" * 1001),
        b'{"workspace_id": "x", "objects": [%s]}' % b",".join([b"{}"] * 20_001),
        b'{"workspace_id": "x", "dependencies": [{"source": "a", "target": "b", "confidence": 1.5}]}',
    ],
)
def test_a_malformed_sync_is_refused(shop: Connected, token: dict[str, str], body: bytes) -> None:
    assert error_of(shop.client.post(SYNC, headers=token, content=body)) == (400, "bad_request")


def test_an_object_without_id_and_name_is_refused(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    body = {"workspace_id": workspace, "objects": [{"object_type": "model"}]}
    assert error_of(shop.client.post(SYNC, headers=token, json=body)) == (400, "bad_request")


@pytest.mark.extensive
def test_a_sync_that_is_too_large_is_refused_while_it_arrives(shop: Connected, token: dict[str, str]) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 4 * SYNC_LIMITS.received:
            sent += 2**20
            yield b" " * 2**20

    assert error_of(shop.client.post(SYNC, headers=token, content=endless())) == (413, "too_large")
    bomb = gzip.compress(b" " * (SYNC_LIMITS.inflated + 1))
    headers = {**token, "Content-Encoding": "gzip"}
    assert error_of(shop.client.post(SYNC, headers=headers, content=bomb)) == (413, "too_large")


def test_syncs_and_changes_are_limited(shop: Connected, token: dict[str, str], folder_hash: str) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash)["id"]
    body = {"workspace_id": workspace}
    statuses = [shop.client.post(SYNC, headers=token, json=body).status_code for _ in range(31)]
    changes = [
        shop.client.patch(f"{WORKSPACES}/{workspace}", headers=token, json={}).status_code for _ in range(61)
    ]

    assert statuses == [200] * 30 + [429]
    assert changes[-1] == 429


def test_a_token_needs_the_scope(shop: Connected, folder_hash: str) -> None:
    reader = new_token(shop, f"reader {folder_hash}", TokenScope.READ)

    assert error_of(shop.client.post(WORKSPACES, headers=reader, json=NEW)) == (403, "wrong_scope")
    assert error_of(shop.client.post(SYNC, headers=reader, json={})) == (403, "wrong_scope")
    assert shop.client.get(WORKSPACES, headers=reader).json()["items"] == []


@pytest.mark.extensive
def test_a_server_without_a_state_has_no_workspaces(tmp_path: Path) -> None:
    url = file_url(tmp_path / "shop.duckdb")
    record_side(url)
    with client_of(store_at(url)) as client:
        assert_no_state(client)


def assert_no_state(client: TestClient) -> None:
    """Assert that *client* is told that the server has no state."""
    assert error_of(client.get(WORKSPACES)) == (503, "no_state")
    assert error_of(client.post(WORKSPACES, json=NEW)) == (503, "no_state")
    assert error_of(client.get(f"{WORKSPACES}/x/lineage")) == (503, "no_state")
    assert error_of(client.post(SYNC, json={"workspace_id": "x", **STATE})) == (503, "no_state")


def test_administrators_see_a_list_of_workspaces(
    shop: Connected, token: dict[str, str], folder_hash: str
) -> None:
    workspace = create(shop, token, project_path_hash=folder_hash, connection_id="shop")["id"]
    run_id = sync(shop, token, workspace)["run_id"]
    page = shop.client.get("/connections/admin/workspaces", headers=shop.bearer(TokenScope.ADMIN))
    hidden = shop.client.get("/connections/admin/workspaces", headers=token)

    assert page.status_code == 200
    for text in (workspace, folder_hash[:12], "jaffle_shop", "1.2.0", f"/s/default/runs/{run_id}"):
        assert text in page.text
    assert f"/connections/{CONNECTION}" in page.text
    assert hidden.status_code == 403
