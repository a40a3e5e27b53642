"""Tokens of one connection reach its routes and nothing else, and learn nothing of other connections."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

import pytest

from recce_meta.models.run import Trigger
from recce_meta.repositories.state.connections import add_connection, update_connection
from recce_meta.repositories.state.jobs import request_job
from recce_meta.repositories.state.tokens import TokenScope, add_token
from recce_meta.repositories.state.types import JobRequest, RepositoryConnection
from recce_meta.server.access.scopes import BOUND, DELIVERIES
from recce_meta.server.access.sessions import Access
from tests.contract.server.connected_shop import (
    API,
    CONNECTION,
    SERVE_TOKEN,
    Connected,
    artifact,
    connected,
    upload_of,
)
from tests.contract.server.small_store import file_url, record_side, store_at
from tests.contract.server.test_connections_api import _forget_limits as forget_limits
from tests.contract.server.test_scopes import all_routes
from tests.support.forge_names import Forge

OTHER, SECRET = "5f4e3d2c1b0a", "secretname"
OPEN = {"/login", "/logout", "/healthz", "/readyz", "/static/{name}", *DELIVERIES}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """Yield a server with two connections, each with a waiting job."""
    folder = tmp_path_factory.mktemp("bound")
    url = file_url(folder / "shop.duckdb")
    record_side(url)
    with connected(folder, store_at(url), Access(SERVE_TOKEN)) as found:
        other = RepositoryConnection(
            id=OTHER,
            name=SECRET,
            type=Forge.GIT,
            repo_url="https://git.example.com/secret",
            branches=("main",),
            created_at=datetime.now(timezone.utc),
            created_by="ann",
        )
        add_connection(found.state, other)
        for one in (CONNECTION, OTHER):
            request_job(
                found.state, one, JobRequest(branch="main", trigger=Trigger.MANUAL, requested_by="ann")
            )
        yield found


@pytest.fixture(scope="module")
def bound(shop: Connected) -> dict[str, str]:
    """Return the header of a token of the connection `shop` with all scopes that it may have."""
    scopes = [TokenScope.WRITE, TokenScope.EXTRACT]
    _, text = add_token(shop.state, "bound", scopes, connection_id=CONNECTION)
    return {"Authorization": f"Bearer {text}"}


def code(response: Any) -> tuple[int, str]:
    """Return status and code of a failure."""
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize("method", sorted({method for method, _ in all_routes()}))
def test_every_route_but_those_of_its_connection_is_closed(
    shop: Connected, bound: dict[str, str], method: str, subtests: pytest.Subtests
) -> None:
    listed = {(one, route.replace(":path}", "}")) for one, route in BOUND}
    paths = sorted({path for one, path in all_routes() if one == method} - OPEN)
    assert paths
    for path in paths:
        is_listed = ("GET" if method == "HEAD" else method, path) in listed
        for name in (CONNECTION, OTHER, "nothing") if "{id}" in path else ("nothing",):
            with subtests.test(path=path, name=name):
                address = re.sub(r"{\w+}", "nothing", path.replace("{id}", name))
                found = shop.client.request(method, address, headers=bound, json={})
                if not is_listed:
                    assert found.status_code == 403, (address, found.text)
                # Errors repeat the name that was asked for.
                assert SECRET not in found.text and (name == OTHER or OTHER not in found.text)


@pytest.mark.parametrize("method, path", [one for one in BOUND if "{id}" in one[1]])
def test_another_connection_does_not_exist(
    shop: Connected, bound: dict[str, str], method: str, path: str
) -> None:
    path = path.replace("{job:path}", f"{OTHER}:main:1")
    given = {"object_name": "orders"} if path.endswith("/impact") else {}
    answers = [
        shop.client.request(method, path.replace("{id}", name), headers=bound, params=given)
        for name in (OTHER, SECRET, "nothing")
    ]
    texts = {one.text.replace(OTHER, "X").replace(SECRET, "X").replace("nothing", "X") for one in answers}
    assert [code(one) for one in answers] == [(404, "not_found")] * 3
    assert len(texts) == 1, "an unknown connection and another one have the same answer"


@pytest.mark.extensive
def test_lists_have_only_its_connection(shop: Connected, bound: dict[str, str]) -> None:
    # Other tests may have cancelled the job of the fixture.
    assert shop.client.post(f"{API}/connections/{CONNECTION}/extract", headers=bound).status_code == 202
    listed = shop.client.get(f"{API}/connections", headers=bound).json()
    active = shop.client.get(f"{API}/extractions/active", headers=bound).json()

    assert [one["id"] for one in listed["items"]] == [CONNECTION] and listed["total"] == 1
    assert [one["connection"] for one in active["items"]] == ["shop"]
    token = shop.client.get(f"{API}/token", headers=bound).json()
    assert token == {
        "name": "token bound",
        "scopes": ["write", "extract"],
        "connection_id": CONNECTION,
        "connection": "shop",
    }
    serve = shop.client.get(f"{API}/token", headers={"Authorization": f"Bearer {SERVE_TOKEN}"}).json()
    assert (serve["scopes"], serve["connection_id"]) == (["admin"], None)


@pytest.mark.extensive
def test_it_reads_extracts_and_uploads(shop: Connected, bound: dict[str, str]) -> None:
    own = f"{API}/connections/{CONNECTION}"
    assert shop.client.get(own, headers=bound).json()["name"] == "shop"
    asked = shop.client.post(f"{own}/extract", headers=bound)
    assert asked.status_code == 202
    cancelled = shop.client.post(f"{own}/extractions/{asked.json()['job_id']}/cancel", headers=bound)
    assert cancelled.status_code == 202
    # An invocation of its own: a stored run keeps the environment that it was recorded with.
    manifest = json.loads(upload_of())["manifest"]
    manifest["metadata"]["invocation_id"] = str(uuid4())
    content = upload_of(manifest=manifest)
    refused = shop.client.post(f"{own}/manifest?environment=qa", headers=bound, content=content)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "other_project")
    usual = shop.service.get(CONNECTION).environment
    update_connection(shop.service.state, CONNECTION, environment="ci")
    found = shop.client.post(f"{own}/manifest?environment=ci", headers=bound, content=content)
    update_connection(shop.service.state, CONNECTION, environment=usual)
    assert (found.status_code, found.json()["environment"]) == (200, "ci")
    assert shop.client.get(f"{own}/lineage", headers=bound).status_code == 200
    for method, path in (("PATCH", own), ("DELETE", own), ("POST", f"{own}/test")):
        assert code(shop.client.request(method, path, headers=bound, json={})) == (403, "wrong_scope")


def test_scopes_of_a_bound_token_count_as_well(shop: Connected) -> None:
    own = f"{API}/connections/{CONNECTION}"
    _, text = add_token(shop.state, "reader", [TokenScope.READ], connection_id=CONNECTION)
    header = {"Authorization": f"Bearer {text}"}
    assert shop.client.get(own, headers=header).status_code == 200
    for path in ("extract", "manifest"):
        refused = shop.client.post(f"{own}/{path}", headers=header, content=b"{}")
        assert code(refused) == (403, "wrong_scope") and "the scope" in refused.text


def form_of(**fields: Any) -> dict[str, Any]:
    """Return a form with the artifacts of the demo."""
    manifest = fields.pop("manifest", json.dumps(artifact("manifest")).encode())
    files = {"manifest": ("manifest.json", manifest), "catalog": ("", b""), "run_results": ("", b"")}
    return {"data": fields, "files": files}


@pytest.mark.extensive
def test_the_form_uploads_and_is_shown_again(shop: Connected) -> None:
    page = f"/connections/{CONNECTION}/upload"
    write = shop.bearer(TokenScope.UPLOAD)
    forget_limits(shop)
    shown = shop.client.get(page, headers=write)
    assert shown.status_code == 200 and 'enctype="multipart/form-data"' in shown.text
    done = shop.client.post(page, headers=write, **form_of(branch="feature/x", commit_sha="0A1B2C3"))
    assert done.status_code == 303, done.text
    job = shop.client.get(done.headers["location"], headers=write)
    assert "feature/x" in job.text and "0a1b2c3" in job.text

    for fields, message in (
        ({"branch": "nope"}, "does not follow the branch"),
        ({"pull_request": "-1"}, "The pull request is not a number"),
        ({"commit_sha": "main"}, "The commit is not a hash"),
        ({"environment": "a:b"}, "Invalid name for an environment"),
        ({"manifest": b""}, "The upload has no manifest"),
        ({"manifest": b"[]"}, "not a dbt manifest"),
        ({"manifest": b'{"metadata": {'}, "not complete JSON"),
        ({"manifest": b"\x1f\x8b\x08"}, "is compressed"),
    ):
        refused = shop.client.post(page, headers=write, **form_of(**fields))
        assert refused.status_code == 400 and message in refused.text, refused.text
        assert refused.headers["connection"] == "close"
    failed = shop.client.get(f"{API}/connections/{CONNECTION}/extractions?limit=1", headers=write).json()
    assert (failed["items"][0]["status"], failed["items"][0]["failure"]) == ("failed", "upload")
    forget_limits(shop)
    plain = shop.client.post(page, headers=write, data={"branch": "main"})
    assert plain.status_code == 415 and "The form has no files" in plain.text


def test_only_an_uploader_of_this_site_sends_the_form(shop: Connected, bound: dict[str, str]) -> None:
    page = f"/connections/{CONNECTION}/upload"
    for header in (shop.bearer(TokenScope.READ), shop.bearer(TokenScope.EXTRACT), bound):
        assert shop.client.get(page, headers=header).status_code == 403
        assert shop.client.post(page, headers=header, **form_of()).status_code == 403
    shop.client.post("/login", data={"token": SERVE_TOKEN})
    try:
        foreign = shop.client.post(page, headers={"Origin": "https://evil.example"}, **form_of())
        assert foreign.status_code == 403
        assert shop.client.get("/connections/nothing/upload").status_code == 404
        assert f'href="{page}"' in shop.client.get(f"/connections/{CONNECTION}").text
    finally:
        shop.client.post("/logout", headers={"Sec-Fetch-Site": "none"})
        shop.client.cookies.clear()
