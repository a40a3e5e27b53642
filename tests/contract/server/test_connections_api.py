"""Routes of connections: shapes, uploads, progress as events, lineage and impact, and no secrets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.routing import Mount

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.repositories.git.client import GitClient
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.state.audit import list_events
from recce_meta.repositories.state.jobs import add_event, finish_job, request_cancel, request_job, start_job
from recce_meta.repositories.state.tokens import TokenScope
from recce_meta.repositories.state.types import JobOutcome, JobRequest, JobStatus, Stage, Trigger
from recce_meta.server.access import limits as uploads
from recce_meta.server.access.sessions import Access
from recce_meta.server.api import connection_routes as progress
from recce_meta.server.site import uploads as manifests
from recce_meta.server.stores.stores import Store
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.api_shop import check, described
from tests.contract.server.connected_shop import (
    API,
    CANARY,
    CONNECTION,
    SHOP,
    Connected,
    artifact,
    connected,
    upload_of,
)
from tests.contract.server.small_store import client_of, store_at

pytestmark = pytest.mark.core("duckdb")

ORDERS, STG_ORDERS = "model.jaffle_shop.orders", "model.jaffle_shop.stg_orders"


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """Yield a server whose connection has one uploaded run."""
    folder = tmp_path_factory.mktemp("connected")
    if request.param == "duckdb":
        store = Store("default", lambda: UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'shop.duckdb'}"))
        with connected(folder, store) as found:
            _upload(found)
            yield found
        return
    url, schema = request.getfixturevalue("postgres_url"), f"connected_{uuid4().hex[:12]}"
    try:
        store = Store("default", lambda: UnifiedSqlAdapter.from_url(url).at(schema))
        with connected(folder, store) as found:
            _upload(found)
            yield found
    finally:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def _upload(shop: Connected, **others: object) -> dict[str, Any]:
    _forget_limits(shop)
    body = gzip.compress(upload_of(**others))
    return answer(
        shop, "post", "/connections/{id}/manifest", content=body, headers={"Content-Encoding": "gzip"}
    )


def answer(shop: Connected, method: str, path: str, *, status: int = 200, **sent: Any) -> Any:
    """Return the answer to a request about the shop, after it was checked against the OpenAPI document."""
    job = sent.pop("job", "")
    response = shop.client.request(
        method.upper(), API + path.replace("{id}", "shop").replace("{job}", job), **sent
    )
    assert response.status_code == status, response.text
    operation = described()["paths"][API + path][method]
    check(response.json(), operation["responses"][str(status)]["content"]["application/json"]["schema"])
    return response.json()


def error(response: Any) -> tuple[int, str]:
    """Return status and code of a failure."""
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture
def job(shop: Connected) -> Iterator[str]:
    """Yield the id of a running job of `feature/x` with a log of two lines, which ends after the test."""
    found = request_job(
        shop.state, CONNECTION, JobRequest(branch="feature/x", trigger=Trigger.MANUAL, requested_by="ann")
    ).job
    start_job(shop.state, found.id, "worker")
    add_event(shop.state, found.id, Stage.RESOLVE, "started")
    add_event(shop.state, found.id, Stage.RESOLVE, "done", "commit 0a1b")
    yield found.id
    finish_job(shop.state, found.id, JobStatus.CANCELLED)


@pytest.mark.extensive
def test_an_upload_is_recorded_once_and_is_shown_by_the_connection(shop: Connected) -> None:
    _forget_limits(shop)
    found = _upload(shop)

    assert found["success"] and not found["is_new"]
    extraction = found["extraction"]
    assert (extraction["models"], extraction["sources"], extraction["extraction_tier"]) == (10, 0, "GOLD")
    manifest, kinds = artifact("manifest"), ("nodes", "sources", "exposures", "metrics", "semantic_models")
    nodes = [one for kind in kinds for one in manifest[kind].values()]
    objects = [one for one in nodes if one["resource_type"] not in ("test", "unit_test", "operation")]
    assert len(objects) < len(nodes)
    assert extraction["dependencies"] == sum(len(one["depends_on"].get("nodes", ())) for one in objects)
    assert extraction["column_lineage"] > 50
    assert extraction["accuracy"]["model_lineage"] == 1
    assert 0.9 < extraction["accuracy"]["column_lineage"] <= 1
    connection = answer(shop, "get", "/connections/{id}")
    assert (connection["manifest_uploaded"], connection["tier"], connection["manifest_version"]) == (
        True, "GOLD", "v12",
    )  # fmt: skip
    details = answer(shop, "get", "/connections/{id}/extractions/{job}", job=found["job_id"])
    assert (details["job"]["trigger"], details["job"]["run_id"]) == ("upload", found["run_id"])
    assert answer(shop, "get", "/connections/{id}/stats")["objects"][-1]["objects"] == len(objects)
    assert answer(shop, "get", "/connections/{id}/stats")["jobs"]["success"] >= 2
    run = shop.client.get("/api/stores/default/run", params={"run": found["run_id"]}).json()["run"]
    assert run["extraction"]["connection"] == "shop" and run["environment"] == "prod"


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"nonsense", {}, (400, "bad_request")),
        (b'{"manifest": {"a": 1}}', {}, (400, "bad_request")),
        (b'{"manifest": ' + b"[" * 100_000, {}, (400, "bad_request")),
        (b"{}", {"Content-Encoding": "br"}, (415, "unknown_encoding")),
        (b"{}", {"Content-Encoding": "gzip"}, (400, "bad_request")),
        (gzip.compress(b"{}", mtime=0)[:-3], {"Content-Encoding": "gzip"}, (400, "bad_request")),
        (gzip.compress(b"{}", mtime=0) + b"more", {"Content-Encoding": "gzip"}, (400, "bad_request")),
    ],
)
def test_a_malformed_upload_is_refused(
    shop: Connected, body: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    _forget_limits(shop)
    assert error(shop.client.post(f"{SHOP}/manifest", content=body, headers=headers)) == expected


def _forget_limits(shop: Connected) -> None:
    (api,) = [route.app for route in shop.client.app.routes if isinstance(route, Mount)]
    api.state.limits = type(api.state.limits)()


@pytest.mark.extensive
def test_an_upload_of_an_unknown_branch_is_refused(shop: Connected) -> None:
    _forget_limits(shop)
    refused = shop.client.post(f"{SHOP}/manifest", content=upload_of(branch="nope"))

    assert error(refused) == (400, "bad_request")
    assert "main, feature/x" in refused.json()["error"]["hint"]


def test_a_large_upload_is_refused_before_it_is_read(
    shop: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forget_limits(shop)
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 1000)
    monkeypatch.setattr(uploads, "LARGEST_INFLATED", 5000)

    def parts() -> Iterator[bytes]:
        for _ in range(10):
            yield b"x" * 500

    sent = [
        {"content": b"x" * 2000},
        {"content": parts()},
        {"content": gzip.compress(b"x" * 100_000), "headers": {"Content-Encoding": "gzip"}},
    ]
    for one in sent:
        refused = shop.client.post(f"{SHOP}/manifest", **one)
        assert error(refused) == (413, "too_large") and refused.headers["connection"] == "close"


def test_a_connection_has_limits_of_its_own_for_uploads(shop: Connected) -> None:
    _forget_limits(shop)
    write, admin = shop.bearer(TokenScope.WRITE), shop.bearer(TokenScope.ADMIN)
    for given, headers, status in (
        ({"upload_nodes": 2}, write, 403),
        ({"upload_nodes": 0}, admin, 400),
        ({"upload_megabytes": 513}, admin, 400),
        ({"upload_nodes": 2, "upload_megabytes": 1}, admin, 200),
    ):
        assert shop.client.patch(SHOP, json=given, headers=headers).status_code == status

    many = {f"model.shop.m{number}": {} for number in range(3)}
    refused = shop.client.post(f"{SHOP}/manifest", json={"manifest": {"nodes": many}})
    assert (
        refused.json()["error"]["message"] == "The manifest has 3 nodes and macros, the connection accepts 2"
    )
    assert "--upload-nodes" in refused.json()["error"]["hint"]
    large = shop.client.post(f"{SHOP}/manifest", content=b"x" * (2**20 + 1))
    assert error(large) == (413, "too_large") and "upload_megabytes" in large.json()["error"]["hint"]
    usual = {"upload_nodes": 50_000, "upload_megabytes": 512}
    assert shop.client.patch(SHOP, json=usual, headers=admin).status_code == 200


def test_uploads_and_extractions_are_limited(shop: Connected) -> None:
    _forget_limits(shop)
    refused = [shop.client.post(f"{SHOP}/manifest", content=b"{}", headers={"Content-Encoding": "br"})
               for _ in range(11)]  # fmt: skip
    assert [one.status_code for one in refused] == [415] * 10 + [429]
    assert 0 < int(refused[-1].headers["retry-after"]) <= 60
    codes = []
    for _ in range(21):
        asked = shop.client.post(f"{SHOP}/extract")
        codes.append(asked.status_code)
        if asked.status_code == 202:
            request_cancel(shop.state, asked.json()["job_id"])
    assert codes == [202] * 20 + [429]
    assert 0 < int(asked.headers["retry-after"]) <= 60


@pytest.mark.extensive
def test_a_hundred_concurrent_requests_for_a_branch_create_one_job(shop: Connected) -> None:
    _forget_limits(shop)
    with ThreadPoolExecutor(20) as threads:
        asked = list(threads.map(lambda _: shop.client.post(f"{SHOP}/extract"), range(100)))
    assert {one.status_code for one in asked} == {202}
    answers = [one.json() for one in asked]
    assert len({one["job_id"] for one in answers}) == 1
    assert [one["joined"] for one in answers].count(False) == 1
    request_cancel(shop.state, answers[0]["job_id"])


@pytest.mark.extensive
def test_an_upload_has_an_outcome_however_it_ends(shop: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that stayed `running` would keep the connection `extracting`, and its stream open."""

    def broken(*_: object, **__: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(manifests, "record_run", broken)
    _forget_limits(shop)
    assert shop.client.post(f"{SHOP}/manifest", content=upload_of()).status_code == 500
    job, *_ = answer(shop, "get", "/connections/{id}/extractions")["items"]
    assert (job["status"], job["error"], job["failure"]) == (
        "failed", "The upload ended unexpectedly", "unexpected",
    )  # fmt: skip
    assert answer(shop, "get", "/connections/{id}")["status"] == "failed"
    monkeypatch.undo()
    _upload(shop)
    assert answer(shop, "get", "/connections/{id}")["status"] == "active"


def test_tests_of_new_connections_are_limited(shop: Connected) -> None:
    _forget_limits(shop)
    body = {"repo_url": "https://127.0.0.1/example/other"}
    write, admin = shop.bearer(TokenScope.WRITE), shop.bearer(TokenScope.ADMIN)
    asked = [shop.client.post(f"{API}/connections", json=body, headers=write) for _ in range(11)]
    assert [error(one)[0] for one in asked] == [422] * 10 + [429]
    assert error(shop.client.post(f"{API}/connections", json=body, headers=admin)) == (422, "test_failed")
    untested = shop.client.post(f"{API}/connections?test=false", json=body, headers=write)
    assert error(untested)[0] == 429, "the first extraction connects, too"
    untested = shop.client.post(f"{API}/connections?test=false", json=body, headers=admin)
    assert error(untested) == (400, "bad_request")


def test_lineage_has_objects_columns_and_dependencies(shop: Connected) -> None:
    path = "/connections/{id}/lineage"
    whole = answer(shop, "get", path, params={"include_column_lineage": True})
    near = answer(shop, "get", path, params={"object_name": "orders", "depth": 1})

    ids = {one["id"] for one in whole["objects"]}
    columns = {column["id"] for one in whole["objects"] for column in one["columns"]}
    assert ORDERS in ids and "test" not in {one["object_type"] for one in whole["objects"]}
    assert {"source": ORDERS, "target": STG_ORDERS, "confidence": 1.0} in whole["dependencies"]
    assert {end for one in whole["dependencies"] for end in (one["source"], one["target"])} <= ids
    assert {end for one in whole["column_lineage"] for end in (one["source"], one["target"])} <= columns
    link = next(one for one in whole["column_lineage"] if one["target"] == f"{ORDERS}.order_id")
    assert (link["source"], link["transformation"]) == (f"{STG_ORDERS}.order_id", "order_id")
    assert not whole["truncated"] and near["column_lineage"] == []
    assert {one["name"] for one in near["objects"]} > {"orders", "stg_orders", "customers"}
    assert len(near["objects"]) < len(whole["objects"])
    types = {one["name"]: one["data_type"] for found in near["objects"] if found["id"] == ORDERS
             for one in found["columns"]}  # fmt: skip
    assert types["order_id"] == "INTEGER"


def test_impact_has_paths_and_columns(shop: Connected) -> None:
    path = "/connections/{id}/impact"
    below = answer(shop, "get", path, params={"object_name": "stg_orders", "column": "ORDER_ID"})
    above = answer(
        shop, "get", path, params={"object_name": "orders", "column": "amount", "direction": "upstream"}
    )

    found = {one["name"]: one for one in below["impacted_objects"]}
    assert found["orders"]["path"] == [STG_ORDERS, ORDERS] and found["customers"]["distance"] == 2
    assert {one["direction"] for one in below["impacted_objects"]} == {"downstream"}
    link = {"column": f"{ORDERS}.order_id", "affected_by": f"{STG_ORDERS}.order_id", "confidence": 1.0}
    assert link in below["impacted_columns"]
    assert {one["direction"] for one in above["impacted_objects"]} == {"upstream"}
    assert f"{ORDERS}.amount" in {one["column"] for one in above["impacted_columns"]}
    nothing = shop.client.get(f"{SHOP}/impact", params={"object_name": "orders", "column": "nope"})
    assert error(nothing) == (404, "not_found")
    assert error(shop.client.get(f"{SHOP}/lineage?object_name=nope")) == (404, "not_found")
    assert error(shop.client.get(f"{SHOP}/lineage?objekt=nope")) == (422, "invalid_parameter")


def test_jobs_are_requested_joined_shown_and_cancelled(shop: Connected) -> None:
    _forget_limits(shop)
    sent = {"json": {"branch": "feature/x", "force": True}, "status": 202}
    first = answer(shop, "post", "/connections/{id}/extract", **sent)
    second = answer(shop, "post", "/connections/{id}/extract", **sent)

    assert not first["joined"] and second == {**first, "joined": True}
    active = answer(shop, "get", "/extractions/active")["items"]
    assert [(one["job_id"], one["connection"]) for one in active] == [(first["job_id"], "shop")]
    cancelled = answer(
        shop, "post", "/connections/{id}/extractions/{job}/cancel", status=202, job=first["job_id"]
    )
    assert (cancelled["status"], cancelled["is_forced"]) == ("cancelled", True)
    listed = answer(shop, "get", "/connections/{id}/extractions", params={"limit": 1})
    assert listed["items"][0]["job_id"] == first["job_id"] and listed["next_cursor"]
    assert error(shop.client.get(f"{SHOP}/extractions/0:main:1")) == (404, "not_found")
    assert error(shop.client.post(f"{SHOP}/extract", json={"branch": "nope"})) == (404, "not_found")
    assert error(shop.client.post(f"{SHOP}/extract", json={"forced": 1})) == (400, "bad_request")


def test_a_connection_is_tested(shop: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    _forget_limits(shop)

    async def read(client: GitClient, branch: str) -> str:
        raise GitFailure(GitFailureKind.TOKEN, "The server refuses the token", hint="create another one")

    monkeypatch.setattr(GitClient, "head", read)
    found = answer(shop, "post", "/connections/{id}/test")

    assert not found["ok"]
    # Nothing passes before the server has answered about a branch: it does not say if the repository exists.
    assert [(one["name"], one["ok"]) for one in found["checks"]] == [("token", False)]
    assert CANARY not in json.dumps(found)
    assert error(shop.client.post(f"{API}/connections/nope/test")) == (404, "not_found")


def events_of(text: str) -> list[tuple[str, str, Any]]:
    """Return kind, id and data of each event of a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def test_progress_is_resumed_by_the_id_of_the_last_event(shop: Connected, job: str) -> None:
    shown = answer(shop, "get", "/connections/{id}/progress")
    assert (shown["job_id"], shown["status"], shown["percent"]) == (job, "running", 5)
    add_event(shop.state, job, Stage.CLONE, "started")
    finish_job(shop.state, job, JobStatus.FAILED, JobOutcome(error="the address is wrong"))

    accept = {"Accept": "text/event-stream"}
    stream = shop.client.get(f"{SHOP}/progress", headers=accept)
    assert (stream.headers["cache-control"], stream.headers["x-accel-buffering"]) == ("no-cache", "no")
    assert stream.text.startswith("retry: ")
    events = events_of(stream.text)
    assert [kind for kind, _, _ in events] == ["log", "log", "log", "progress"]
    assert [data["seq"] for kind, _, data in events if kind == "log"] == [1, 2, 3]
    assert (events[-1][2]["status"], events[-1][2]["error"]) == ("failed", "the address is wrong")

    resumed = shop.client.get(f"{SHOP}/progress", headers={**accept, "Last-Event-ID": events[1][1]})
    assert [(kind, one) for kind, one, _ in events_of(resumed.text)] == [(k, i) for k, i, _ in events[2:]]
    ended = shop.client.get(f"{SHOP}/progress", headers={**accept, "Last-Event-ID": events[-1][1]})
    assert (ended.status_code, ended.text) == (204, "")
    for other in ("nonsense", f"{CONNECTION}:main:1/2", "/", "a/99999999999999999999"):
        whole = shop.client.get(f"{SHOP}/progress", headers={**accept, "Last-Event-ID": other})
        assert events_of(whole.text) == events


def test_a_stream_ends_with_its_job(shop: Connected, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    monkeypatch.setattr(progress, "SILENCE", 0.0)
    looks: list[object] = []
    read = progress._read

    def look(*arguments: Any) -> Any:
        looks.append(arguments)
        if len(looks) == 4:
            finish_job(shop.state, job, JobStatus.SUCCESS)
        return read(*arguments)

    monkeypatch.setattr(progress, "_read", look)
    stream = shop.client.get(f"{SHOP}/progress", headers={"Accept": "text/event-stream"})

    assert len(looks) == 4 and "\n\n: " in stream.text
    assert [data["status"] for kind, _, data in events_of(stream.text) if kind == "progress"] == [
        "running",
        "success",
    ]


def test_connections_are_listed_changed_and_removed(shop: Connected) -> None:
    _forget_limits(shop)
    body = {"repo_url": "https://github.com/example/other", "branch": "main", "access_token": CANARY}
    created = answer(shop, "post", "/connections", status=201, json=body, params={"test": "false"})
    own = f"{API}/connections/{created['id']}"

    assert created["has_token"] and created["token_hint"] == CANARY[-4:] and len(created["jobs"]) == 1
    assert {one["name"] for one in answer(shop, "get", "/connections")["items"]} >= {"shop", "other"}
    changed = shop.client.patch(own, json={"poll_minutes": None, "access_token": None})
    assert (changed.json()["poll_minutes"], changed.json()["has_token"]) == (None, False)
    assert error(shop.client.patch(own, json={"repo_url": "https://x.example/y"})) == (400, "bad_request")
    for change, stored in (
        ({"required_dbt_version": "1.10"}, "1.10"),
        ({"dbt_version": "1.9"}, "1.9"),  # the deprecated name
        ({"required_dbt_version": "1.8", "dbt_version": "1.8"}, "1.8"),
        ({"required_dbt_version": None}, None),
    ):
        changed = shop.client.patch(own, json=change).json()
        assert (changed["required_dbt_version"], changed["dbt_version"]) == (stored, None)
    both = {"required_dbt_version": "1.8", "dbt_version": "1.9"}
    assert error(shop.client.patch(own, json=both)) == (400, "bad_request")
    assert error(shop.client.post(f"{API}/connections?test=false", json=body | {"name": "other"})) == (
        400, "bad_request",
    )  # fmt: skip
    assert shop.client.delete(own).status_code == 200
    assert error(shop.client.get(own)) == (404, "not_found")
    assert error(shop.client.post(f"{API}/connections", content=b"x" * 300_000)) == (413, "too_large")


def test_only_an_administrator_sets_fields_of_the_owner(shop: Connected) -> None:
    _forget_limits(shop)
    body = {"repo_url": "https://github.com/example/evil", "branch": "main", "token_env": "HOME"}
    for changes in ({"token_env": "HOME"}, {"is_trusted": True}):
        refused = shop.client.patch(SHOP, json=changes, headers=shop.bearer(TokenScope.WRITE))
        assert error(refused) == (403, "not_allowed")
    refused = shop.client.post(
        f"{API}/connections?test=false", json=body, headers=shop.bearer(TokenScope.WRITE)
    )
    assert error(refused) == (403, "not_allowed")


def test_no_answer_has_a_secret(shop: Connected, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    pages = [f"/connections{part}" for part in ("", ".csv", ".json", f"/{CONNECTION}", f"/{CONNECTION}/edit")]
    routes = [SHOP + part for part in ("", "/progress", "/extractions", "/stats", "/lineage")]
    answers = [shop.client.get(path) for path in (*pages, *routes, f"{API}/connections", "/api/openapi.json")]
    refused = {"repo_url": "ftp://example.com/x", "access_token": CANARY}
    answers += [
        shop.client.post(f"{API}/connections", json=refused),
        shop.client.post(f"{API}/connections", json={**refused, "poll_minutes": CANARY}),
        shop.client.post(f"{API}/connections", json={**refused, "access_token": f"{CANARY} {CANARY}"}),
        shop.client.patch(SHOP, json={"access_token": f"{CANARY}\n"}),
        shop.client.patch(SHOP, content=f'{{"access_token": "{CANARY}'),
        shop.client.post("/connections", data=refused),
        shop.client.post(f"/connections/{CONNECTION}/edit", data={**refused, "poll_minutes": "x"}),
        shop.client.get(f"{SHOP}?token={CANARY[:8]}"),
    ]

    assert all(CANARY not in one.text + str(one.headers) for one in answers)
    assert all(one.status_code < 500 for one in answers)
    texts = [*shop.texts.values(), *(text.split("_", 2)[2] for text in shop.texts.values())]
    assert not any(text in one.text for text in texts for one in answers)
    assert CANARY not in caplog.text


def test_without_a_state_the_routes_name_the_command_that_creates_it() -> None:
    client = client_of(store_at("duckdb:///:memory:"))
    for path in (f"{API}/connections", f"{SHOP}/lineage", f"{SHOP}/progress"):
        refused = client.get(path)
        assert error(refused) == (503, "no_state")
        assert "recce-meta connection add" in refused.json()["error"]["hint"]
    page = client.get("/connections")
    assert page.status_code == 503 and "recce-meta connection add" in page.text
    assert "/connections" not in client.get("/help").text


def test_a_connection_without_a_run_says_so(shop: Connected) -> None:
    body = {"repo_url": "https://github.com/example/empty", "branch": "main"}
    created = answer(shop, "post", "/connections", status=201, json=body, params={"test": "false"})
    try:
        for part in ("lineage", "impact?object_name=x"):
            refused = shop.client.get(f"{API}/connections/{created['id']}/{part}")
            assert error(refused) == (404, "not_found")
            assert "recce-meta connection extract" in refused.json()["error"]["hint"]
    finally:
        shop.client.delete(f"{API}/connections/{created['id']}")


@pytest.mark.extensive
def test_a_manifest_alone_is_enough(shop: Connected) -> None:
    _forget_limits(shop)
    body = json.dumps({"manifest": artifact("manifest", "base"), "catalog": None, "branch": "feature/x"})
    found = answer(shop, "post", "/connections/{id}/manifest", content=body.encode())

    assert found["success"] and found["job_id"].startswith(f"{CONNECTION}:feature/x:")


def test_the_audit_names_the_token_and_the_address_of_a_request(tmp_path: Path) -> None:
    store = store_at(f"duckdb:///{tmp_path / 'shop.duckdb'}", DEFAULT_SCHEMA)
    with connected(tmp_path, store) as shop:
        write, extract = shop.bearer(TokenScope.WRITE), shop.bearer(TokenScope.EXTRACT)

        assert shop.client.patch(SHOP, json={"poll_minutes": 30}, headers=write).status_code == 200
        asked = shop.client.post(f"{SHOP}/extract", json={"branch": "feature/x"}, headers=extract)
        assert asked.status_code == 202, asked.text

        by = [(event.actor, event.address, event.action.value) for event in list_events(shop.state, limit=2)]
        assert by == [
            ("token extract", "testclient", "job.request"),
            ("token write", "testclient", "connection.set"),
        ]


def test_the_first_wrong_tokens_of_an_address_are_in_the_audit(tmp_path: Path) -> None:
    store = store_at(f"duckdb:///{tmp_path / 'shop.duckdb'}", DEFAULT_SCHEMA)
    with connected(tmp_path, store, Access("the right one")) as shop:
        for number in range(15):
            header = {"Authorization": f"Bearer rm_000000000000_{'x' * 42}{number % 10}"}
            assert shop.client.get(API + "/connections", headers=header).status_code in (401, 429)
        own = {"Origin": "http://127.0.0.1"}
        assert shop.client.post("/login", data={"token": "wrong"}, headers=own).status_code == 429

        refused = list_events(shop.state, action="token.refuse")

        assert {(event.actor, event.address, event.object) for event in refused} == {("", "testclient", "")}
        assert 1 <= len(refused) <= 10
