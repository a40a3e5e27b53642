"""The API answers as its OpenAPI document says and as the commands print, and fails in one form."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from msgspec.structs import replace
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.public.data import ComparisonOptions, diff_data
from recce_meta.api.public.databases import measure_quality
from recce_meta.api.public.store import copy_runs
from recce_meta.api.record import record_run
from recce_meta.config.file import Config
from recce_meta.errors import QueryCancelled
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.models.stored import NodeStatistics
from recce_meta.server.api import answers, call
from recce_meta.server.site.serving import Site
from recce_meta.server.stores import stores
from recce_meta.server.stores.stores import Store, StoreView
from recce_meta.store.read import list_runs
from recce_meta.store.statistics import write_statistics
from tests.contract.server.api_shop import (
    PROJECT,
    SHOP,
    STRANGE,
    answer,
    check,
    client_of,
    described,
    items,
    serving,
    shop_url,
)
from tests.contract.server.small_store import copy_annotations
from tests.e2e.conftest import Cli

SHOP_RUN = {"run": "current", "project": PROJECT}
LISTS = {
    "/projects": {},
    "/runs": {},
    "/nodes": SHOP_RUN,
    "/search": {"q": "order"},
    "/databases": {},
    "/tables": {},
    "/quality/measurements": {},
    "/quality/tables": {},
    "/checks": {},
    "/annotations": {},
    "/annotations/history": {},
}
DOCUMENTS = {
    "/run": SHOP_RUN,
    "/node": {**SHOP_RUN, "node": "orders"},
    "/lineage": {**SHOP_RUN, "node": "orders", "depth": 2},
    "/impact": {**SHOP_RUN, "node": "stg_orders"},
    "/diff": {"project": PROJECT},
    "/quality": {},
    "/quality/history": {"name": "orders"},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of the shop's store; tests must not write to it."""
    return shop_url(tmp_path_factory)


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[TestClient]:
    """Yield a client of the shop's server."""
    with serving(url) as client:
        yield client


@pytest.fixture
def own(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a copy of the store, each write to which is seen at once."""
    # On a busy machine, the pause after a slow copy would be longer than the test.
    monkeypatch.setattr(stores, "COPY_PAUSE", 0.0)
    copied = tmp_path / "jaffle_shop.duckdb"
    shutil.copy(url.removeprefix("duckdb:///"), copied)
    return f"duckdb:///{copied}"


def test_every_path_of_a_store_is_tested_here():
    stores = "/api/stores"
    paths = {path.removeprefix(f"{stores}/{{store}}") for path in described()["paths"] if stores in path}
    assert paths == {*LISTS, *DOCUMENTS, stores}


@pytest.mark.cases(5)
@pytest.mark.parametrize("path", LISTS)
def test_pages_have_every_item_once(client: TestClient, path: str):
    whole = answer(client, path, **LISTS[path], limit=500)
    assert whole["items"] and whole["total"] == len(whole["items"]) and whole["next_cursor"] is None
    size = max(1, len(whole["items"]) // 4)

    assert items(client, path, **LISTS[path], limit=size) == whole["items"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents_have_their_schemas(client: TestClient, path: str):
    assert answer(client, path, **DOCUMENTS[path])


LIKE_COMMANDS = [
    ("/run", SHOP_RUN, "show current"),
    ("/lineage", {**SHOP_RUN, "node": "orders", "depth": 2}, "lineage orders --depth 2 --run current"),
    (
        "/impact",
        {**SHOP_RUN, "node": "stg_orders", "column": "STATUS"},
        "impact stg_orders.status --run current",
    ),
    (
        "/impact",
        {**SHOP_RUN, "node": "orders", "direction": "both"},
        "impact orders --direction both --run current",
    ),
    ("/diff", {"project": PROJECT}, "diff base current"),
    ("/quality", {"table": "customers"}, "quality customers --show latest"),
    ("/quality/history", {"name": "orders.status"}, "quality orders.status --history"),
]


@pytest.mark.cases(4)
@pytest.mark.parametrize(("path", "parameters", "command"), LIKE_COMMANDS)
def test_documents_are_those_of_the_commands(
    client: TestClient, url: str, tmp_path: Path, path: str, parameters: dict[str, str], command: str
):
    found = answer(client, path, **parameters)
    assert found.pop("truncated", False) is False
    cli = Cli(tmp_path).within(RECCE_META_URL=url)
    printed = cli(*command.split(), "--format", "json", "--project", PROJECT)

    assert printed.code == 0, printed.err
    assert found == json.loads(printed.out)


def test_a_node_has_code_columns_and_neighbours(client: TestClient):
    found = answer(client, "/node", **SHOP_RUN, node="model.jaffle_shop.orders")
    assert found["node"]["raw_code"] and found["node"]["compiled_code"] and found["node"]["columns"]
    assert "model.jaffle_shop.stg_orders" in [parent["unique_id"] for parent in found["parents"]]
    assert found["children"] and found["column_lineage"]["outputs"] and not found["truncated"]


@pytest.mark.extensive
def test_nodes_are_filtered(client: TestClient):
    found = items(client, "/nodes", **SHOP_RUN, resource_type="model", q="STG_")
    assert found and all(one["resource_type"] == "model" and "stg_" in one["name"] for one in found)
    assert items(client, "/nodes", **SHOP_RUN, tag="no such tag") == []


def test_names_of_any_characters_are_parameters(client: TestClient):
    (found,) = items(client, "/tables", q="WE<B>IRD")
    node = answer(client, "/node", run="latest", project="live", node=found["unique_id"])
    assert node["node"]["name"] == found["name"] == STRANGE
    assert [key["node_id"] for key in node["foreign_keys"]] == ["relation.extra.child"]
    for path in ("/lineage", "/impact"):
        assert answer(client, path, project="live", node=found["unique_id"])["root"] == found["unique_id"]
    column = answer(client, "/impact", project="live", node=found["unique_id"], column=STRANGE)
    assert column["column"] == STRANGE


def test_large_answers_are_cut_and_say_so(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answers, "MOST_IMPACTED", 2)
    monkeypatch.setattr(answers, "MOST_CHANGES", 1)
    impact = answer(client, "/impact", **SHOP_RUN, node="stg_orders")
    assert impact["truncated"] and len(impact["nodes"]) == 2
    assert {end for edge in impact["edges"] for end in edge.values()} <= {
        node["unique_id"] for node in impact["nodes"]
    }
    diff = answer(client, "/diff", project=PROJECT)
    assert diff["truncated"] and len(diff["changes"]) == len(diff["impacted"]) == 1
    assert diff["summary"] == answer(client, "/diff", project=PROJECT)["summary"]
    monkeypatch.setattr(call, "LARGEST", 1000)
    refused = client.get(f"{SHOP}/diff", params={"project": PROJECT})
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "answer_too_large")


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("path", "status", "code", "text"),
    [
        (f"{SHOP}/nope", 404, "not_found", "no such path"),
        ("/api/nope", 404, "not_found", "no such path"),
        ("/api/no%0Ape%0A", 404, "not_found", "no such path"),
        ("/api/docs/nope", 404, "not_found", "no such schema"),
        ("/api/stores/nope/runs", 404, "not_found", "No store"),
        (f"{SHOP}/run?run=nope", 404, "run_not_found", "'nope'"),
        (f"{SHOP}/run?run=path:/etc", 400, "bad_request", "no folders"),
        (f"{SHOP}/diff?base=path:/etc&project={PROJECT}", 400, "bad_request", "no folders"),
        (f"{SHOP}/checks?run=path:/etc", 400, "bad_request", "no folders"),
        (f"{SHOP}/tables?run=current&project={PROJECT}", 400, "bad_request", "not a scan"),
        (f"{SHOP}/diff?base=current&project={PROJECT}", 400, "bad_request", "the same run"),
        (f"{SHOP}/node?node=nope&project={PROJECT}", 404, "not_found", "'nope'"),
        (f"{SHOP}/impact?node=orders&column=nope&project={PROJECT}", 404, "not_found", "no column 'nope'"),
        (f"{SHOP}/quality?measurement=nope", 404, "not_found", "nope"),
        (f"{SHOP}/node", 422, "invalid_parameter", "node"),
        (f"{SHOP}/runs?limit=0", 422, "invalid_parameter", "limit"),
        (f"{SHOP}/runs?limit=501", 422, "invalid_parameter", "limit"),
        (f"{SHOP}/runs?limit=ten", 422, "invalid_parameter", "limit"),
        (f"{SHOP}/runs?projct=x", 422, "invalid_parameter", "projct"),
        (f"{SHOP}/runs?project=x&project=y", 422, "invalid_parameter", "twice"),
        (f"{SHOP}/runs?project=%00", 422, "invalid_parameter", "NUL"),
        (f"{SHOP}/runs?status=done", 422, "invalid_parameter", "status"),
        (f"{SHOP}/runs?cursor=%C3%A9", 400, "bad_request", "cursor"),
        (f"{SHOP}/runs?cursor=AAAA", 400, "bad_request", "cursor"),
    ],
)
def test_failures_have_one_form(client: TestClient, path: str, status: int, code: str, text: str):
    answered = client.get(path)
    assert answered.status_code == status, answered.text
    assert answered.headers["content-type"] == "application/json"
    assert answered.headers["cache-control"] == "no-store" and "etag" not in answered.headers
    error = answered.json()["error"]
    assert set(error) == {"code", "message", "hint"} and error["code"] == code
    assert text in error["message"]


def test_other_methods_are_refused_in_the_same_form(client: TestClient):
    answered = client.post(f"{SHOP}/runs", headers={"Origin": "http://127.0.0.1"})
    assert (answered.status_code, answered.headers["allow"]) == (405, "GET")
    assert answered.json()["error"]["code"] == "wrong_method"


def test_an_unexpected_failure_is_logged_and_not_shown(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(answers, "run_document", broken)
    answered = client.get(f"{SHOP}/run", params=SHOP_RUN)
    assert (answered.status_code, answered.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in answered.text and "secret detail" in caplog.text


def test_a_token_is_required_where_the_server_has_one(url: str):
    with client_of(url, token="t" * 32) as client:
        for path in ("/api/stores", f"{SHOP}/runs", "/api/openapi.json"):
            refused = client.get(path, follow_redirects=False)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            check(refused.json(), {"$ref": "#/components/schemas/error_answer"})
            admitted = client.get(path, headers={"Authorization": "Bearer " + "t" * 32})
            assert admitted.status_code == 200


def test_a_store_that_is_missing_is_a_failure_with_a_hint(tmp_path: Path):
    with serving(f"duckdb:///{tmp_path / 'none.duckdb'}") as client:
        answered = client.get(f"{SHOP}/runs")
    assert answered.status_code == 503 and answered.json()["error"]["hint"]


def test_a_cursor_belongs_to_one_list(client: TestClient):
    cursor = answer(client, "/nodes", **SHOP_RUN, limit=1)["next_cursor"]
    others = [
        ("/nodes", {**SHOP_RUN, "run": "base"}),
        ("/nodes", {**SHOP_RUN, "tag": "x"}),
        ("/runs", {}),
    ]
    for path, parameters in others:
        refused = client.get(SHOP + path, params={**parameters, "cursor": cursor})
        assert refused.status_code == 400 and "another list" in refused.json()["error"]["message"]


def test_new_runs_neither_repeat_nor_hide_runs_on_later_pages(own: str):
    with serving(own) as client:
        known = [run["run_id"] for run in items(client, "/runs")]
        first = answer(client, "/runs", limit=1)
        with UnifiedSqlAdapter.from_url(own) as adapter:
            now = datetime.now(timezone.utc)
            record_run(
                adapter, Project(run=RunMetadata(run_id="new", run_at=now, project_name="p"), nodes=())
            )
        rest = items_after(client, first["next_cursor"])
    assert [first["items"][0]["run_id"], *rest] == known


def items_after(client: TestClient, cursor: str) -> list[str]:
    page = answer(client, "/runs", limit=500, cursor=cursor)
    return [run["run_id"] for run in page["items"]]


def test_an_etag_saves_the_work(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    paths = [SHOP + path for path in (*LISTS, *DOCUMENTS)]
    given = [*LISTS.values(), *DOCUMENTS.values()]
    etags = []
    for path, parameters in zip(paths, given, strict=True):
        found = client.get(path, params=parameters)
        assert found.headers["cache-control"] == "private, no-cache"
        etags.append(found.headers["etag"])
    assert len(set(etags)) == len(etags)

    monkeypatch.setattr(call, "answer", None)  # no answer is built
    for path, parameters, etag in zip(paths, given, etags, strict=True):
        again = client.get(path, params=parameters, headers={"If-None-Match": f'"x", {etag}'})
        assert (again.status_code, again.headers["etag"], again.content) == (304, etag, b"")


@pytest.mark.extensive
@pytest.mark.parametrize("added", ["statistics", "data diffs", "quality"])
def test_an_etag_changes_with_what_is_added_to_a_run_later_and_only_then(own: str, added: str):
    def tag() -> str:
        return str(client.get(f"{SHOP}/run", params=SHOP_RUN).headers["etag"])

    with serving(own) as client:
        before = tag()
        assert tag() == before
        with UnifiedSqlAdapter.from_url(own) as adapter:
            list_runs(adapter)
        assert tag() == before, "reading changes nothing"
        with UnifiedSqlAdapter.from_url(own) as adapter:
            if added == "quality":
                measure_quality(adapter, "orders", run="current", project=PROJECT)
            elif added == "data diffs":
                diff_data(
                    *(adapter, "base", "current"),
                    select="orders",
                    options=ComparisonOptions(save=True),
                    config=Config(project=PROJECT),
                )
            else:
                (run,) = list_runs(adapter, project=PROJECT, environment="current")
                counted = NodeStatistics(
                    unique_id="model.jaffle_shop.orders", counted_at=datetime.now(timezone.utc), row_count=1
                )
                write_statistics(adapter, run, [counted])
        after = tag()
        assert after != before and tag() == after


def test_large_answers_are_compressed_on_request(client: TestClient):
    plain = client.get(f"{SHOP}/run", params=SHOP_RUN, headers={"Accept-Encoding": "identity"})
    small = client.get("/api/stores", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers and "content-encoding" not in small.headers
    with client.stream(
        "GET", f"{SHOP}/run", params=SHOP_RUN, headers={"Accept-Encoding": "br, gzip;q=0.5"}
    ) as packed:
        assert packed.headers["content-encoding"] == "gzip" and packed.headers["vary"] == "Accept-Encoding"
        raw = b"".join(packed.iter_raw())
    assert gzip.decompress(raw) == plain.content and len(raw) < len(plain.content)
    unwanted = client.get(f"{SHOP}/run", params=SHOP_RUN, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in unwanted.headers


@pytest.mark.extensive
def test_the_guide_describes_every_path_without_scripts(client: TestClient):
    page = client.get("/api/docs")
    assert page.status_code == 200 and len(page.content) < 200_000
    for path, methods in described()["paths"].items():
        assert path in page.text
        for parameter in (one for operation in methods.values() for one in operation.get("parameters", ())):
            assert parameter["description"] and parameter["name"] in page.text
    assert not re.search(r"<script(?! src=\"/static/)|<style|\sstyle=|https?://(?!127\.0\.0\.1)", page.text)
    for address in sorted(set(re.findall(r'href="(/api/docs/[^"]+)"', page.text))):
        shown = client.get(address)
        assert shown.status_code == 200, address
        for other in re.findall(r'href="(/api/docs/[^"]+)"', shown.text):
            assert client.get(other).status_code == 200
    examples = re.findall(r'<a href="(/api/[^"]*)">Try it', page.text)
    # This server has no connections, so only the routes of stores can be tried.
    assert len(examples) == sum(
        "get" in methods and not path.startswith("/api/metadata/")
        for path, methods in described()["paths"].items()
    )


def test_the_openapi_document_is_served(client: TestClient):
    found = client.get("/api/openapi.json")
    assert found.json() == described()
    again = client.get("/api/openapi.json", headers={"If-None-Match": found.headers["etag"]})
    assert again.status_code == 304
    operations = [
        (method, one) for methods in described()["paths"].values() for method, one in methods.items()
    ]
    for method, operation in operations:
        answers = set(operation["responses"])
        assert operation["description"] and {"404", "422"} <= answers
        assert ("304" in answers) is (method == "get")
        assert ("415" in answers) is (method != "get")
    ids = [operation["operationId"] for _, operation in operations]
    assert len(set(ids)) == len(ids) and {"get_diff", "get_connections_id_lineage"} <= set(ids)


@pytest.mark.extensive
def test_postgresql_answers_the_same(url: str, client: TestClient, postgres_url: str):
    schema = f"api_{uuid4().hex[:12]}"
    with UnifiedSqlAdapter.from_url(url) as source, UnifiedSqlAdapter.from_url(postgres_url) as target:
        copy_runs(source, target.at(schema), [run.run_id for run in list_runs(source, status=None)])
        copy_annotations(source, target, schema)
        try:
            with serving(postgres_url, schema) as other:
                for path, parameters in {**LISTS, **DOCUMENTS}.items():
                    mine, theirs = (answer(one, path, **parameters) for one in (client, other))
                    assert _without_times(mine) == _without_times(theirs), path
        finally:
            target.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def _without_times(value: object) -> object:
    """Return *value* without what a copy changes."""
    if isinstance(value, dict):
        return {
            name: _without_times(one)
            for name, one in value.items()
            if name not in ("recorded_at", "recorder_version", "next_cursor")
        }
    return [_without_times(one) for one in value] if isinstance(value, list) else value


@pytest.mark.extensive
def test_a_hub_lists_some_of_its_children_and_says_so(tmp_path: Path):
    url = f"duckdb:///{tmp_path / 'hub.duckdb'}"
    hub = NodeMetadata(unique_id="model.p.hub", name="hub", resource_type="model")
    readers = [
        replace(hub, unique_id=f"model.p.r{number:04}", name=f"r{number:04}", parents=("model.p.hub",))
        for number in range(1100)
    ]
    run = RunMetadata(run_id="r", run_at=datetime(2026, 1, 1, tzinfo=timezone.utc), project_name="p")
    with UnifiedSqlAdapter.from_url(url) as adapter:
        record_run(adapter, Project(run=run, nodes=(hub, *readers)), columns=False)
    with serving(url) as client:
        node = answer(client, "/node", node="hub")
        assert node["truncated"] and len(node["children"]) == 1000
        lineage = answer(client, "/lineage", node="hub")
        assert lineage["truncated"] and len(lineage["nodes"]) == 500
        assert len(items(client, "/nodes", limit=500)) == 1101


def test_a_client_that_goes_stops_the_statements(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    began, ended = threading.Event(), threading.Event()

    def choose(view: StoreView) -> None:
        began.set()
        try:
            view.adapter.answer("SELECT count(*) FROM range(100000000) a (i), range(100000) b (i)")
        except QueryCancelled:
            ended.set()
            raise

    async def receive() -> Message:
        await asyncio.to_thread(began.wait, 20)
        return {"type": "http.disconnect"}

    async def ask() -> int:
        app = SimpleNamespace(state=SimpleNamespace(site=Site({"default": store})))
        asked = call.Call(Request({"type": "http", "app": app}, receive), "default")
        return (await asked.document(choose, lambda view, chosen: "{}")).status_code

    monkeypatch.setattr(call, "check_parameters", lambda request: None)
    with closing(Store("default", lambda: UnifiedSqlAdapter.from_url(url))) as store:
        assert asyncio.run(ask()) == 503
        assert ended.wait(20)
