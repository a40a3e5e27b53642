"""Annotations over HTTP: authors, scopes, edits and deletions, refusals, and random requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.marks.annotation import LONGEST_NOTE, AnnotationEvent
from recce_meta.repositories.state.tokens import TokenScope, add_token
from recce_meta.server.access.scopes import BOUND, READ_ONLY, Permissions
from recce_meta.server.access.sessions import Access
from recce_meta.server.api import call
from recce_meta.server.stores.stores import Store
from recce_meta.store.marks.annotations import list_annotations
from tests.contract.server.api_shop import check, described
from tests.contract.server.connected_shop import CONNECTION, SERVE_TOKEN, Connected, connected
from tests.contract.server.small_store import LOCAL, client_of, file_url, record_side
from tests.contract.server.test_api_schemathesis import ALWAYS, QUICK
from tests.contract.server.test_connections_schemathesis import _is_json as is_json

PATH = "/api/stores/{store}/annotations"
SHOP = PATH.replace("{store}", "default")
ORDERS, STG_ORDERS = "model.jaffle_shop.orders", "model.jaffle_shop.stg_orders"
WRITES = Permissions(writes=True)
NOTE = {"node": "orders", "field": "note", "value": "Text", "author": "Ann"}


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with one side of the demo."""
    file = tmp_path_factory.mktemp("annotated") / "store.duckdb"
    record_side(file_url(file))
    return file


@pytest.fixture
def own_file(whole_file: Path, tmp_path: Path) -> str:
    """URL of a copy of `whole_file`, which the test may write to."""
    file = tmp_path / "store.duckdb"
    file.write_bytes(whole_file.read_bytes())
    return file_url(file)


def writing_store(url: str, permissions: Permissions = WRITES) -> Store:
    return Store(
        "default",
        lambda: UnifiedSqlAdapter.from_url(url, may_create=False),
        permissions=permissions,
    )


@pytest.fixture
def client(own_file: str) -> Iterator[TestClient]:
    with client_of(writing_store(own_file)) as client:
        yield client


def events_at(url: str) -> list[AnnotationEvent]:
    with UnifiedSqlAdapter.from_url(url) as adapter:
        return list(list_annotations(adapter, with_history=True))


def changed(client: TestClient, **given: Any) -> dict[str, Any]:
    """Return the answer to a change, after it was checked against the OpenAPI document."""
    answer = client.post(SHOP, json={**NOTE, **given})
    assert answer.status_code == 200, answer.text
    check(answer.json(), {"$ref": "#/components/schemas/notes_document"})
    found: dict[str, Any] = answer.json()
    return found


def listed(client: TestClient, part: str = "", **parameters: str) -> list[dict[str, Any]]:
    answer = client.get(SHOP + part, params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest.mark.extensive
def test_values_are_set_edited_and_deleted(client: TestClient) -> None:
    assert changed(client)["annotations"][0]["note"] == "Text"
    (edited,) = changed(client, value="Other <b>\nline", author="Bob")["annotations"]
    assert (edited["note"], edited["author"]) == ("Other <b>\nline", "Bob")
    changed(client, field="tag", item="pii", value="true")
    changed(client, field="owner", item="Finance", value="true")
    (found,) = listed(client)
    assert (found["unique_id"], found["tags"], found["owners"]) == (ORDERS, ["pii"], ["Finance"])

    assert changed(client, field="tag", item="pii", value=None)["annotations"][0]["tags"] == []
    changed(client, field="owner", item="Finance", value=None)
    assert changed(client, value=None)["annotations"] == []
    assert listed(client) == []
    history = listed(client, "/history")
    assert [(one["field"], one["value"], one["is_latest"]) for one in history] == [
        ("note", None, True),
        ("owner", None, True),
        ("tag", None, True),
        ("owner", "true", False),
        ("tag", "true", False),
        ("note", "Other <b>\nline", False),
        ("note", "Text", False),
    ]


def test_a_change_to_the_present_value_stores_nothing(client: TestClient, own_file: str) -> None:
    changed(client)
    again = changed(client, author="Bob")

    assert again["changes"] == [] and again["annotations"][0]["author"] == "Ann"
    assert len(events_at(own_file)) == 1


@pytest.mark.extensive
def test_columns_and_edges_are_annotated_and_filtered(client: TestClient) -> None:
    changed(client, column="STATUS", value="column")
    changed(client, parent="stg_orders", value="edge")
    changed(client, column="status", parent=STG_ORDERS, parent_column="status", value="column edge")
    changed(client, node="stg_orders", value="other node")

    own = [
        (one["column_name"], one["parent_id"], one["parent_column"], one["note"])
        for one in listed(client, node=ORDERS)
    ]
    assert sorted(own, key=str) == [
        ("status", STG_ORDERS, "status", "column edge"),
        ("status", None, None, "column"),
        (None, STG_ORDERS, None, "edge"),
    ]
    assert len(listed(client, project="jaffle_shop")) == 4 and listed(client, project="x") == []
    found = client.get("/api/stores/default/lineage", params={"node": "orders"}).json()
    assert {one["note"] for one in found["annotations"]} == {"column", "edge", "column edge", "other node"}


INVALID: list[tuple[dict[str, Any], int, str]] = [
    ({"author": ""}, 400, "name of the author is missing"),
    ({"author": "x" * 201}, 400, "more than 200"),
    ({"value": "x" * (LONGEST_NOTE + 1)}, 400, "more than 4,000"),
    ({"value": " "}, 400, "note is empty"),
    ({"item": "x"}, 400, "A note has no item"),
    ({"field": "tag"}, 400, "must be 'true'"),
    ({"field": "tag", "value": "true"}, 400, "tag is empty"),
    ({"field": "colour"}, 400, "Invalid request"),
    ({"colour": "red"}, 400, "Invalid request"),
    ({"node": "nope"}, 404, "nope"),
    ({"column": "nope"}, 404, "no column nope"),
    ({"parent": "customers"}, 404, "does not read"),
    ({"parent_column": "status"}, 400, "needs both columns"),
    ({"project": "nope"}, 404, "nope"),
]


def test_invalid_changes_are_refused(client: TestClient, own_file: str, subtests: pytest.Subtests) -> None:
    for fields, status, message in INVALID:
        with subtests.test(**fields):
            answer = client.post(SHOP, json={**NOTE, **fields})

            said = answer.json()["error"]["message"]
            assert (answer.status_code, message in said) == (status, True), answer.text
    assert events_at(own_file) == []


def test_refused_requests_write_nothing(own_file: str) -> None:
    with client_of(writing_store(own_file, READ_ONLY)) as client:
        answer = client.post(SHOP, json=NOTE)
        assert (answer.status_code, "--allow-writes" in answer.text) == (403, True)
    with client_of(writing_store(own_file)) as client:
        foreign = client.post(SHOP, json=NOTE, headers={"Origin": "https://evil.example"})
        assert foreign.json()["error"]["code"] == "foreign_origin"
        assert client.post(SHOP, content=b"{").status_code == 400
        assert client.post(SHOP, content=b" " * (call.LARGEST_REQUEST + 1)).status_code == 413
        assert client.post(f"{SHOP}?colour=red", json=NOTE).status_code == 422
        assert client.post(SHOP.replace("default", "nope"), json=NOTE).status_code == 404
        assert events_at(own_file) == []
        assert client.post(SHOP, json=NOTE, headers={"Origin": LOCAL}).status_code == 200


@pytest.fixture
def shop(own_file: str, tmp_path: Path) -> Iterator[Connected]:
    """Yield a server with tokens."""
    with connected(tmp_path, writing_store(own_file), Access(SERVE_TOKEN)) as found:
        yield found


@pytest.mark.extensive
def test_the_author_is_the_token_or_the_given_name(shop: Connected, own_file: str) -> None:
    for scope in (TokenScope.READ, TokenScope.QUERY, TokenScope.EXTRACT):
        refused = shop.client.post(SHOP, json=NOTE, headers=shop.bearer(scope))
        assert refused.json()["error"]["code"] == "wrong_scope"
    forged = shop.client.post(SHOP, json={**NOTE, "author": "Eve"}, headers=shop.bearer(TokenScope.WRITE))
    assert forged.status_code == 200, forged.text
    serve = {"Authorization": f"Bearer {SERVE_TOKEN}"}
    assert shop.client.post(SHOP, json={**NOTE, "value": "2"}, headers=serve).status_code == 200
    form = {"run": "latest", "node": ORDERS, "had_note": "2", "note": "3", "reviewer": "Eve"}
    assert shop.client.post("/s/default/notes", data=form, headers=shop.bearer(TokenScope.WRITE)).is_redirect
    assert shop.client.post("/s/default/notes", data=form).status_code == 303  # leads to the login
    assert [event.author for event in sorted(events_at(own_file), key=lambda one: one.clock)] == [
        "write",
        "Ann",
        "write",
    ]


@pytest.mark.extensive
def test_a_token_of_one_connection_reaches_no_annotation(shop: Connected, own_file: str) -> None:
    _, text = add_token(shop.state, "bound", [TokenScope.WRITE], connection_id=CONNECTION)
    bound = {"Authorization": f"Bearer {text}"}

    for method, path in (
        ("GET", SHOP),
        ("GET", f"{SHOP}/history"),
        ("POST", SHOP),
        ("POST", "/s/default/notes"),
    ):
        answer = shop.client.request(method, path, headers=bound, json=NOTE)
        assert answer.status_code == 403, (method, path)
    assert not [path for _, path in BOUND if "annotations" in path or "notes" in path]
    assert events_at(own_file) == []


@pytest.mark.extensive
def test_random_changes_are_answered_as_described(client: TestClient) -> None:
    operation = schemathesis.openapi.from_dict(described())[PATH]["POST"]
    kinds = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
    nodes = st.sampled_from(["orders", STG_ORDERS, "nothing", "\ud800"])

    @settings(QUICK, max_examples=30)
    @given(case=st.one_of(kinds), node=nodes)
    def run(case: schemathesis.Case, node: str) -> None:
        if case.method != "POST":
            return
        case.path_parameters = {"store": "default"}
        body = case.body
        if isinstance(body, dict) and "node" in body:
            body = {**body, "node": node}
        sent = {"content": json.dumps(body)} if is_json(body) else {}
        answer = client.post(case.formatted_path, params=dict(case.query or {}), **sent)
        case.validate_response(answer, checks=ALWAYS)
        if not answer.is_success:
            check(answer.json(), {"$ref": "#/components/schemas/error_answer"})

    run()
