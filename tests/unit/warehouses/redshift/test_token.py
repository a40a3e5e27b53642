"""The token that lets a user into Redshift: asked of a local server in the identity provider's place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from recce_meta.errors import AuthenticationFailed, ConnectionFailed, TransientFailure, WarehouseError
from recce_meta.warehouses.redshift.driver import fetch_token

DATA = "grant_type=refresh_token&refresh_token=s3cret"


@contextmanager
def provider(status: int, body: str) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers every request so, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"])).decode()))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_okta_is_shown_the_clients_credentials() -> None:
    with provider(200, json.dumps({"access_token": "t0ken"})) as (url, asked):
        endpoint = {
            "type": "okta",
            "request_url": url,
            "request_data": DATA,
            "idp_auth_credentials": "Y2w6cw==",
        }
        token = fetch_token(endpoint)

    ((headers, body),) = asked
    assert (token, body) == ("t0ken", DATA)
    told = {name.lower(): value for name, value in headers.items()}
    assert told["authorization"] == "Basic Y2w6cw=="
    assert told["content-type"] == "application/x-www-form-urlencoded"
    assert told["accept"] == "application/json"


def test_entra_is_shown_the_form_alone() -> None:
    with provider(200, json.dumps({"access_token": "t0ken"})) as (url, asked):
        assert fetch_token({"type": "entra", "request_url": url, "request_data": DATA}) == "t0ken"

    assert "authorization" not in {name.lower() for name in asked[0][0]}


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (429, "", TransientFailure, "too many requests to the identity provider"),
        (400, '{"error": "invalid_grant"}', AuthenticationFailed, "refused by the identity provider: 400"),
        (200, "<html>", AuthenticationFailed, "not JSON"),
        (200, "{}", AuthenticationFailed, "no access_token"),
        (200, "[]", AuthenticationFailed, "no access_token"),
    ],
)
def test_a_refusal_is_told_without_secrets(
    status: int, body: str, kind: type[WarehouseError], message: str
) -> None:
    with provider(status, body) as (url, _), pytest.raises(kind, match=message) as caught:
        fetch_token({"type": "entra", "request_url": url, "request_data": DATA})

    assert "s3cret" not in str(caught.value)


def test_a_provider_that_is_not_there_is_said() -> None:
    with provider(200, "") as (url, _):
        pass

    with pytest.raises(ConnectionFailed, match="Identity provider not reachable"):
        fetch_token({"type": "entra", "request_url": url, "request_data": DATA}, seconds=2)


def test_what_is_no_web_address_is_refused() -> None:
    with pytest.raises(AuthenticationFailed, match="not a web address"):
        fetch_token({"type": "entra", "request_url": "file:///etc/passwd", "request_data": DATA})
