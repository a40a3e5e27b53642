"""Access to the server: names, origins, tokens, sessions, and the headers of every answer."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import Message

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import UsageError
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.database import open_state
from recce_meta.server.access import sessions as rules
from recce_meta.server.access.sessions import COOKIE, FAILURES, HEADERS, SECURE_COOKIE, Access
from recce_meta.server.app import create_app
from recce_meta.server.main import ServerOptions, access_rules, serve_stores
from recce_meta.server.site import serving
from recce_meta.server.stores.stores import Store
from tests.contract.server.small_store import LOCAL, client_of, file_url, record_side, store_at

TOKEN = "correct horse battery staple"
RUNS = "/s/default/runs"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    file = tmp_path_factory.mktemp("access") / "shop.duckdb"
    record_side(file_url(file))
    found = store_at(file_url(file))
    yield found
    found.close()


@pytest.fixture
def guarded(store: Store) -> TestClient:
    return client_of(store, access=Access(TOKEN))


def log_in(client: TestClient, token: str = TOKEN, target: str = "/", **headers: str):  # type: ignore[no-untyped-def]
    return client.post("/login", data={"token": token, "next": target}, headers=headers)


def api_of(client: TestClient) -> Any:
    """Return the application at `/api`."""
    return next(route.app for route in client.app.router.routes if isinstance(route, Mount))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    ["/", RUNS, f"{RUNS}.csv", f"{RUNS}.json", "/static/server.css", "/static/nothing", "/nothing", "/login",
     "/api/nothing", "/s/nothing/runs", f"{RUNS}?page=x", "/x" * 5000, "/s/default/runs/%00", "/logout"],
)  # fmt: skip
def test_every_answer_has_the_headers_of_safety(store: Store, path: str) -> None:
    client = client_of(store)
    etag = client.get(path).headers.get("etag", "none")
    for answer in (client.get(path), client.head(path), client.get(path, headers={"If-None-Match": etag})):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.status_code < 500
        assert "server" not in answer.headers and "access-control-allow-origin" not in answer.headers
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_a_known_answer_is_not_sent_again(store: Store) -> None:
    client = client_of(store)
    for path in (RUNS, f"{RUNS}.csv", "/static/server.css"):
        etag = client.get(path).headers["etag"]
        known = f'"other", {etag}' if path == RUNS else etag.removeprefix("W/")
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


def test_pages_are_compressed_and_static_files_kept_by_their_bytes(store: Store) -> None:
    client = client_of(store)
    page = client.get(RUNS)
    plain = client.get(RUNS, headers={"Accept-Encoding": "gzip;q=0"})
    (address, *_) = re.findall(r'src="(/static/[^"]+)"', page.text)
    kept, other = client.get(address), client.get(f"{address}0")

    assert page.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert page.text == plain.text and page.headers["etag"] == plain.headers["etag"]
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert other.headers["cache-control"] == "public, max-age=300"


def test_head_has_the_headers_of_get(store: Store) -> None:
    got, head = (getattr(client_of(store), method)(RUNS) for method in ("get", "head"))

    assert head.status_code == got.status_code == 200
    assert head.headers["etag"] == got.headers["etag"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "",
        "[::1",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost/evil.example",
        "localhost?",
        "localhost#",
        "localhost:123456",
        "localhost\\evil",
        "[::1%25lo]",
    ],
)
def test_a_foreign_host_is_refused(store: Store, host: str) -> None:
    client = client_of(store)

    assert client.get(RUNS, headers={"Host": host}).status_code == 400
    assert client.get("/api/x", headers={"Host": host}).json()["error"]["code"] == "unknown_host"


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1:1", "[::1]:8765", "LOCALHOST", "localhost."])
def test_names_of_this_machine_are_answered(store: Store, host: str) -> None:
    assert client_of(store).get(RUNS, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example", "Authorization": f"Bearer {TOKEN}"}, 403),
        ({"Origin": "http://127.0.0.1"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({}, 303),
    ],
)
def test_only_own_pages_may_send_a_form(guarded: TestClient, headers: dict[str, str], status: int) -> None:
    assert log_in(guarded, **headers).status_code == status


def test_pages_of_named_origins_read_the_api_with_a_token(store: Store) -> None:
    client = client_of(store, access=Access(TOKEN, origins={"https://app.example.com"}))
    own, api = {"Origin": "https://app.example.com"}, "/api/stores"
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    token = {"Authorization": f"Bearer {TOKEN}"}

    preflight, answer = (
        client.options(api, headers={**own, **asked}),
        client.get(api, headers={**own, **token}),
    )
    assert preflight.status_code == answer.status_code == 200
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    for one in (preflight, answer):
        assert one.headers["access-control-allow-origin"] == own["Origin"] and "Origin" in one.headers["vary"]
        assert "access-control-allow-credentials" not in one.headers
    assert client.get(api, headers=own).status_code == 401
    other = {"Origin": "https://app.example.com.evil.test"}
    assert client.options(api, headers={**other, **asked}).status_code == 400
    for path, headers in ((api, other), (RUNS, own)):
        found = client.get(path, headers={**headers, **token})
        assert "access-control-allow-origin" not in found.headers
    guarded = client_of(store, access=Access(TOKEN))
    assert "access-control-allow-origin" not in guarded.get(api, headers={**own, **token}).headers


@pytest.mark.parametrize("address", ["app.example.com", "https://app.example.com/page", "*", "null"])
def test_an_origin_is_a_scheme_and_a_host(address: str) -> None:
    with pytest.raises(UsageError, match="is not an origin"):
        options = ServerOptions(host="127.0.0.1", port=0, token=None, origins=(address,))
        serve_stores({}, options, page=None, say=print)


def test_a_token_is_required_and_a_session_replaces_it(guarded: TestClient) -> None:
    refused = guarded.get(f"{RUNS}?q=a b")
    assert refused.headers["location"] == "/login?next=%2Fs%2Fdefault%2Fruns%3Fq%3Da%2520b"
    assert "Log out" not in guarded.get("/login").text

    answer = log_in(guarded, target=f"{RUNS}?q=x")
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, f"{RUNS}?q=x")
    assert cookie.startswith(f"{COOKIE}=") and TOKEN not in cookie
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/")) and "Secure" not in cookie
    assert "Log out" in guarded.get(RUNS).text

    session = guarded.cookies[COOKIE]
    own = {"Origin": "http://127.0.0.1"}
    assert guarded.post("/logout", headers=own).headers["location"] == "/login"
    assert guarded.get(RUNS, headers={"Cookie": f"{COOKIE}={session}"}).status_code == 303


def test_a_session_ends_after_its_time(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(guarded)
    assert guarded.get(RUNS).status_code == 200
    now = rules.time.monotonic()
    monkeypatch.setattr(rules.time, "monotonic", lambda: now + rules.SESSION_SECONDS)

    assert guarded.get(RUNS).status_code == 303


@pytest.fixture
def server_of(store: Store, tmp_path: Path) -> Iterator[Callable[[str], TestClient]]:
    """Yield a function that returns a client of a further server with one state and the given token."""
    with ExitStack() as stack:

        def client(token: str) -> TestClient:
            state = stack.enter_context(closing(open_state(f"sqlite:///{tmp_path / 'state.db'}", {})))
            app = create_app({store.name: store}, Access(token), RepositoryService(state, environ={}))
            return TestClient(app, LOCAL, follow_redirects=False)

        yield client


def test_servers_with_one_state_and_token_share_sessions(
    server_of: Callable[[str], TestClient], tmp_path: Path
) -> None:
    first, second, changed = map(server_of, (TOKEN, TOKEN, f"{TOKEN}!"))
    log_in(first)
    session = {"Cookie": f"{COOKIE}={first.cookies[COOKIE]}"}

    assert second.get(RUNS, headers=session).status_code == 200
    assert second.post("/logout", headers={**session, "Origin": "http://evil.example"}).status_code == 403
    # With another token, the server refuses the sessions of the old one.
    assert changed.get(RUNS, headers=session).status_code == 303
    assert session["Cookie"].partition("=")[2].encode() not in b"".join(
        file.read_bytes() for file in tmp_path.iterdir()
    )

    # Every browser sends one of the two headers with its session.
    assert second.post("/logout", headers=session).status_code == 403
    assert second.post("/logout", headers={**session, "Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert first.get(RUNS, headers=session).status_code == 303

    with sqlite3.connect(tmp_path / "state.db") as database:
        database.execute("DROP TABLE sessions")
    answer = first.get(RUNS, headers=session)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.text == "The state of the server does not answer: try again in a moment.\n"
    assert second.get(RUNS, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("path", [RUNS, f"{RUNS}.json", f"{RUNS}.csv", "/api/anything"])
def test_programs_send_the_token_with_each_request(guarded: TestClient, path: str) -> None:
    allowed = guarded.get(path, headers={"Authorization": f"bearer  {TOKEN}"})
    wrong = guarded.get(path, headers={"Authorization": f"Bearer {TOKEN}x"})

    assert allowed.status_code in (200, 404)
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    assert wrong.json()["error"]["code"] == "unauthorized"


def test_nothing_of_the_stores_is_shown_without_the_token(guarded: TestClient) -> None:
    for path in ("/", "/s/default", "/nothing", "/loginx", "/login/x", "/api/nothing"):
        assert guarded.get(path).status_code in (303, 401), path
    assert guarded.post("/logout", headers={"Sec-Fetch-Site": "none"}).status_code == 303
    assert "default" not in guarded.get("/login").text


def test_many_wrong_tokens_exclude_no_valid_one(store: Store) -> None:
    access = Access(TOKEN)
    client, other = client_of(store, access=access), client_of(store, access=access)
    log_in(other)
    for _ in range(FAILURES - 1):
        assert log_in(client, "wrong token").status_code == 401
    assert client.get(RUNS, headers={"Authorization": "Bearer wrong"}).status_code == 429

    answer = log_in(client, "wrong token")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert client.get(RUNS, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert log_in(client).status_code == 303
    assert other.get(RUNS).status_code == 200
    for number in range(rules.KNOWN_ADDRESSES + 5):
        access.count_failure(str(number))
    assert len(access._failures) == rules.KNOWN_ADDRESSES


@pytest.mark.parametrize(
    ("proxy", "forwarded", "counted"),
    [
        ("testclient", "203.0.113.9", "203.0.113.9"),
        ("testclient", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("testclient", "not an address", "testclient"),
        ("testclient", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9", "testclient"),
        (None, "203.0.113.9", "testclient"),
    ],
)
def test_clients_of_the_known_proxy_have_their_own_address(
    store: Store, proxy: str | None, forwarded: str, counted: str
) -> None:
    access = Access(TOKEN, proxy=proxy)
    client_of(store, access=access).get(
        RUNS, headers={"Authorization": "Bearer wrong", "X-Forwarded-For": forwarded}
    )
    assert list(access._failures) == [counted]


@pytest.mark.parametrize("proxy", ["10.0.0.1", "::ffff:10.0.0.1"])
@pytest.mark.parametrize("client", ["10.0.0.1", "::ffff:10.0.0.1", "0:0:0:0:0:ffff:a00:1"])
def test_a_proxy_is_known_by_each_spelling_of_its_address(store: Store, proxy: str, client: str) -> None:
    """A socket for both versions of IP names a client of IPv4 by an address of IPv6."""
    access = access_rules("127.0.0.1", TOKEN, None, proxy)
    app = client_of(store, access=access).app

    async def named(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"client": (client, 1)}, receive, send)

    TestClient(named, "http://127.0.0.1").get(
        RUNS, headers={"Authorization": "Bearer wrong", "X-Forwarded-For": "203.0.113.9"}
    )
    assert list(access._failures) == ["203.0.113.9"]


def test_behind_tls_the_cookie_is_secure_and_for_this_host_alone(store: Store) -> None:
    access = access_rules("127.0.0.1", TOKEN, "https://recce.example.com")
    client = client_of(store, access=access, address="https://recce.example.com")

    cookie = log_in(client, Origin="https://recce.example.com").headers["set-cookie"]

    assert cookie.startswith(f"{SECURE_COOKIE}=") and "Secure" in cookie and "Domain" not in cookie
    assert client.get(RUNS).status_code == 200
    assert "https://recce.example.com/api" in client.get("/api/docs").text
    assert "http://" not in client.get(f"{RUNS}/").headers["location"]
    own = {"Origin": "https://recce.example.com"}
    assert "Secure" in client.post("/logout", headers=own).headers["set-cookie"]
    assert client.get(RUNS, headers={"Host": "other.example.com"}).status_code == 400


def test_a_malformed_host_is_refused_although_any_name_is_answered(store: Store) -> None:
    client = client_of(store, access=access_rules("0.0.0.0", TOKEN, None))
    log_in(client)

    for host, status in (("any.example", 200), ("[", 400), ("a/b", 400), ("a@b", 400)):
        assert client.get("/api/docs", headers={"Host": host}).status_code == status
        assert client.get("/login", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (f"{RUNS}/", RUNS),
        (f"{RUNS}//?q=a%20b", f"{RUNS}?q=a%20b"),
        ("//evil.example/", None),
        ("//evil.example/s/default/runs/", None),
        ("/nothing/", None),
    ],
)
def test_a_redirect_names_no_host(store: Store, path: str, target: str | None) -> None:
    answer = client_of(store, address="http://localhost").get(f"http://localhost{path}")

    assert answer.headers.get("location") == target
    assert answer.status_code == (307 if target else 404)


def test_headers_of_proxies_are_ignored(store: Store) -> None:
    client = client_of(store)
    forwarded = {
        "X-Forwarded-Host": "recce.example.com",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "9.9.9.9",
    }

    assert client.get(RUNS, headers=forwarded).text == client.get(RUNS).text
    assert client.get(RUNS, headers={**forwarded, "Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/\t/x.net",
               "javascript:alert(1)", "", "/a\r\nSet-Cookie: x=y"],
)  # fmt: skip
def test_a_login_leads_to_no_other_site(guarded: TestClient, target: str) -> None:
    answer = log_in(guarded, target=target)

    assert answer.headers["location"] == "/" and "x=y" not in str(answer.headers)


def test_a_login_after_a_wrong_token_leads_to_the_same_page(guarded: TestClient) -> None:
    answer = log_in(guarded, "wrong token", target=f"{RUNS}?q=x")

    assert answer.status_code == 401
    assert f'name="next" value="{RUNS}?q=x"' in answer.text


def test_a_form_that_does_not_arrive_ends_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "FORM_SECONDS", 0.01)

    async def receive() -> Message:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b"", "more_body": True}

    with pytest.raises(ClientDisconnect):
        asyncio.run(rules.read_form(Request({"type": "http"}, receive), 10))


def test_a_large_form_is_refused(guarded: TestClient) -> None:
    assert guarded.post("/login", content=b"token=" + b"x" * 100_000).status_code == 413
    assert guarded.post("/login", content=b"\xff\xfe\x00=&&==").status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_pages_are_only_read(store: Store, method: str) -> None:
    answer = client_of(store).request(method, RUNS)

    assert answer.status_code == 405 and "GET" in answer.headers["allow"]


ODD = [
    *("%", "%zz", "%00", "~00", "%ff%fe", "~ff~fe", "%ed%a0%80", "~", "..%2f..%2fetc%2fpasswd", "%0d%0aX: y"),
    *("\u202e", "a" * 7000, "%F0%9F%90%98", "'; DROP TABLE runs; --", "<script>alert(1)</script>"),
]


@pytest.mark.cases(5)
@pytest.mark.parametrize("text", ODD)
def test_odd_addresses_are_no_failures_of_the_server(store: Store, text: str) -> None:
    client = client_of(store)
    for path in (f"/s/default/runs/{text}", f"/s/{text}/runs", f"/{text}", f"/static/{text}", f"/api/{text}"):
        answer = client.get(path)
        assert answer.status_code in (200, 303, 307, 400, 404, 414), (path, answer.status_code)
        assert "<script>alert" not in answer.text and "Traceback" not in answer.text


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    "query",
    ["%00=1", "sort=%00", "page=99999999999999999999", "page=-1", "page=1e9", "sort=nothing", "limit=0",
     "&&&===", "q=%ff", "q=" + "x" * 60_000, "page=" + "9" * 5000, "&".join(["a=1"] * 300)],
)  # fmt: skip
def test_odd_parameters_are_no_failures_of_the_server(store: Store, query: str) -> None:
    for path in (RUNS, f"{RUNS}.json", f"{RUNS}.csv", "/s/default", "/"):
        answer = client_of(store).get(f"{path}?{query}")
        assert answer.status_code in (200, 400, 404), (path, answer.text)


def test_unexpected_failures_are_logged_and_show_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> UnifiedSqlAdapter:
        raise ValueError("inner detail of /srv/secret.py")

    answer = client_of(Store("default", fail)).get(RUNS)

    assert (answer.status_code, answer.headers["cache-control"]) == (500, "no-store")
    assert "inner detail" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert "inner detail" in caplog.text


def test_the_api_reports_unexpected_failures_as_json(store: Store) -> None:
    client = client_of(store)

    @api_of(client).get("/failing")  # type: ignore[untyped-decorator]
    def failing(number: int = 0) -> None:
        raise ValueError("inner detail")

    answer = client.get("/api/failing")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": {
            "code": "internal",
            "message": "The server could not make this page",
            "hint": "its log has the details",
        }
    }
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert client.get("/api/failing?number=x").json()["error"]["code"] == "invalid_parameter"
    assert client.post("/api/failing").json()["error"]["code"] == "wrong_method"


def test_a_token_is_never_printed(
    guarded: TestClient, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("DEBUG")
    texts = [
        log_in(guarded).text,
        str(log_in(guarded).headers),
        guarded.get(RUNS, headers={"Authorization": f"Bearer {TOKEN}"}).text,
        guarded.get("/login").text,
        repr(guarded.app),
    ]

    assert all(TOKEN not in text for text in [*texts, caplog.text])


def test_long_addresses_do_not_fill_the_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "CACHED_BYTES", 200_000)
    client = client_of(store)
    for number in range(20):
        assert client.get(f"{RUNS}.json?q={number}{'x' * 50_000}").json() == []

    kept = api_of(client).state.site._rendered._entries
    assert 0 < len(str(list(kept))) < 200_000


PASSWORD = "pa55w0rd-canary"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"nonsense://user:{PASSWORD}@127.0.0.1/x", "Unknown database"),
        (f"postgresql://user:{PASSWORD}@127.0.0.1:1/x?password={PASSWORD}", "Connection refused"),
        (f"duckdb:////missing/shop.duckdb?motherduck_token={PASSWORD}", "not found"),
    ],
)
def test_a_store_that_cannot_be_opened_is_unavailable_and_shows_no_password(
    url: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    client = client_of(store_at(url))

    for path in (RUNS, f"{RUNS}.csv", "/api/stores/default/runs"):
        answer = client.get(path)
        assert answer.status_code == 503 and message in answer.text
        assert PASSWORD not in answer.text and "\\n" not in answer.text
    assert PASSWORD not in client.get("/").text + caplog.text
