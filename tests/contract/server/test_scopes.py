"""Scopes of tokens: each route needs the scope of the documented table, and other tokens are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from recce_meta.repositories.state.tokens import TokenScope, add_token, allows, remove_token
from recce_meta.server.access.scopes import RULES, SAFE, scope_of
from recce_meta.server.access.sessions import FAILURES, Access
from recce_meta.server.api.application import api_description
from recce_meta.server.app import create_app
from tests.contract.server.connected_shop import (
    API,
    CONNECTION,
    SERVE_TOKEN,
    SHOP,
    Connected,
    connected,
)
from tests.contract.server.small_store import file_url, record_side, store_at

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "http-api.md"
UNSCOPED = {("POST", "/login"), ("POST", "/logout"), ("POST", "/api/webhooks/{forge}")}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """Yield a server with a token, which accepts the tokens of its state too."""
    folder = tmp_path_factory.mktemp("scopes")
    url = file_url(folder / "shop.duckdb")
    record_side(url)
    with connected(folder, store_at(url), Access(SERVE_TOKEN)) as found:
        yield found


def changing_routes() -> set[tuple[str, str]]:
    """Return method and path of every route that may change something."""
    return {(method, path) for method, path in all_routes() if method not in SAFE}


def all_routes() -> set[tuple[str, str]]:
    """Return method and path of every route."""
    pages = {
        (method, route.path)
        for route in create_app({}, Access()).routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    api = {
        (method.upper(), path)
        for path, operations in api_description().document["paths"].items()
        for method in operations
    }
    return pages | api


def test_the_table_names_every_route_that_changes_something() -> None:
    ruled = {(rule.method, rule.shown_path) for rule in RULES}
    others = changing_routes() - ruled - UNSCOPED
    table = REFERENCE.read_text(encoding="utf-8").split("## Scopes")[1].split("\n## ")[0]

    assert ruled <= all_routes()
    assert all(path.startswith("/connections") for _, path in others)
    assert re.findall(r"^\| `(\w+) (\S+)` \| `(\w+)` \|$", table, re.MULTILINE) == [
        (rule.method, rule.shown_path, rule.scope.value) for rule in RULES
    ]


QUERY_ROUTES = {(method, path) for method, path in all_routes() if re.search(r"/quer(ies|y)\b", path)}
"""Routes that render SQL of users, or show and keep alive what they started."""
WITH_BODY = {(method, path) for method, path in QUERY_ROUTES if method != "HEAD"}


def test_every_route_of_queries_needs_the_scope() -> None:
    found = {method: scope_of(method, "/s/x/queries/y") for method in ("GET", "HEAD", "OPTIONS")}
    assert set(found.values()) == {TokenScope.QUERY}
    assert scope_of("GET", "/s/x/diff/a/b/query") is TokenScope.QUERY
    assert {scope_of(method, path) for method, path in QUERY_ROUTES} == {TokenScope.QUERY, TokenScope.WRITE}
    assert {path for method, path in QUERY_ROUTES if scope_of(method, path) is TokenScope.WRITE} == {
        "/s/{store}/queries/{job}/save"
    }


@pytest.mark.parametrize("method, path", sorted((changing_routes() - UNSCOPED) | WITH_BODY))
def test_only_tokens_with_the_scope_may_send_a_request(shop: Connected, method: str, path: str) -> None:
    address = re.sub(r"{\w+}", "nothing", path)
    needed = scope_of(method, address)
    for scope in TokenScope:
        found = shop.client.request(method, address, headers=shop.bearer(scope), json={})
        is_refused = found.status_code == 403 and "the scope" in found.text
        assert is_refused == (not allows([scope], needed)), (scope, found.text)
        if is_refused and path.startswith(API):
            assert found.json()["error"]["code"] == "wrong_scope"
            assert f"--scope {needed.value}" in found.json()["error"]["hint"]


def test_every_token_reads_pages_and_api(shop: Connected) -> None:
    for scope in TokenScope:
        for path in (SHOP, "/api/stores", "/s/default/runs", "/connections", f"/connections/{CONNECTION}"):
            found = shop.client.get(path, headers=shop.bearer(scope))
            assert found.status_code == 200, (scope, path)
            assert scope is TokenScope.ADMIN or '<button type="submit">Extract' not in found.text
    assert shop.client.get("/connections/new", headers=shop.bearer(TokenScope.WRITE)).status_code == 403


def test_a_session_of_the_token_of_serve_may_do_everything_on_own_pages(shop: Connected) -> None:
    headers = {"Authorization": f"Bearer {SERVE_TOKEN}", "Origin": "https://evil.example"}

    assert shop.client.post(f"{SHOP}/extract", headers=headers).status_code == 202
    assert shop.client.patch(SHOP, headers=headers, json={"token_env": None}).status_code == 200
    shop.client.post("/login", data={"token": SERVE_TOKEN})
    try:
        foreign = shop.client.post(f"{SHOP}/extract", headers={"Origin": "https://evil.example"})
        assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "foreign_origin")
        own = {"Sec-Fetch-Site": "same-origin"}
        assert shop.client.post(f"{SHOP}/extract").status_code == 403
        assert shop.client.post(f"{SHOP}/extract", headers=own).status_code == 202
        assert shop.client.post(f"/connections/{CONNECTION}/extract", headers=own).status_code == 303
    finally:
        shop.client.post("/logout", headers=own)
        shop.client.cookies.clear()


def test_unknown_expired_and_removed_tokens_are_refused_and_counted(shop: Connected) -> None:
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    _, expired = add_token(shop.state, "expired", [TokenScope.ADMIN], expires_at=yesterday)
    gone, removed = add_token(shop.state, "gone", [TokenScope.ADMIN])
    remove_token(shop.state, gone.id)
    wrong = shop.texts[TokenScope.READ][:-1] + "?"
    client = TestClient(shop.client.app, base_url="http://127.0.0.1", client=("198.51.100.7", 1))

    def status(text: str) -> int:
        return client.get(SHOP, headers={"Authorization": f"Bearer {text}"}).status_code

    assert client.get(SHOP).status_code == 401
    assert [status(text) for text in (expired, removed, wrong)] == [401] * 3
    assert [status("rm_x") for _ in range(FAILURES - 3)][:-1] == [401] * (FAILURES - 4)
    assert status("rm_x") == 429
    assert status(shop.texts[TokenScope.ADMIN]) == 200, "wrong tokens exclude no valid one"
    client.post("/login", data={"token": shop.texts[TokenScope.ADMIN]})
    assert client.get(SHOP).status_code == 401


@pytest.mark.extensive
def test_without_a_token_of_serve_a_given_token_still_decides(tmp_path: Path) -> None:
    url = file_url(tmp_path / "shop.duckdb")
    record_side(url)
    with connected(tmp_path, store_at(url)) as shop:
        refused = shop.client.post(f"{SHOP}/extract", headers=shop.bearer(TokenScope.QUERY))
        assert refused.status_code == 403
        assert shop.client.post(f"{SHOP}/extract").status_code == 202
        assert shop.client.get(SHOP, headers={"Authorization": "Bearer rm_x"}).status_code == 401
        assert shop.client.get(SHOP, headers={"Authorization": "Bearer other"}).status_code == 200
        job = shop.client.get(f"{SHOP}/progress").json()["job_id"]
        by = shop.client.get(f"{SHOP}/extractions/{job}").json()["job"]["requested_by"]
        assert by == "testclient"
