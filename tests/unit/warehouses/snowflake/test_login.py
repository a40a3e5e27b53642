"""What the connector of Snowflake is called with: keys as files hold them, tokens as a server gives them."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from recce_meta.errors import AuthenticationFailed, ConnectionFailed, ProfileError
from recce_meta.warehouses import ConnectionPlan, Fields, warehouse_named
from recce_meta.warehouses.snowflake.login import access_token, connect_arguments, private_key

SECRET = "hush hush"


def plan(**values: object) -> ConnectionPlan:
    given = {"account": "acc", "user": "u", "database": "d", "schema": "s", **values}
    return warehouse_named("snowflake").plan(Fields(given))


# --- versions -------------------------------------------------------------------------------------------


def test_version_4_is_told_about_ocsp_and_locks() -> None:
    made = connect_arguments(plan(insecure_mode=True, proxy_host="p", proxy_port=3128), 4)

    assert made["disable_ocsp_checks"] is True
    assert made["ocsp_root_certs_dict_lock_timeout"] == 10
    assert made["proxy_port"] == "3128"
    assert connect_arguments(plan(), 4)["disable_ocsp_checks"] is False


def test_version_5_gets_nothing_that_it_warns_of() -> None:
    made = connect_arguments(plan(insecure_mode=True, authenticator="externalbrowser", proxy_port=3128), 5)

    assert not {"insecure_mode", "disable_ocsp_checks", "client_request_mfa_token"} & made.keys()
    assert made["client_store_temporary_credential"] is True
    assert made["proxy_port"] == 3128


@pytest.mark.parametrize("major", [4, 5])
def test_parameters_are_the_servers(major: int) -> None:
    assert connect_arguments(plan(), major)["paramstyle"] == "qmark"


# --- keys -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> Any:
    """A private key, small because it guards nothing."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def written(key: Any) -> Callable[..., bytes]:
    """The key as bytes: PEM or DER, encrypted where a passphrase is given."""
    from cryptography.hazmat.primitives import serialization

    def write(passphrase: str | None = None, encoding: str = "PEM", form: str = "PKCS8") -> bytes:
        guard = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else None
        found: bytes = key.private_bytes(
            getattr(serialization.Encoding, encoding),
            getattr(serialization.PrivateFormat, form),
            guard or serialization.NoEncryption(),
        )
        return found

    return write


def test_a_key_is_read_in_every_form(written: Callable[..., bytes], tmp_path: Path) -> None:
    plain, der = written(), written(encoding="DER")
    file = tmp_path / "key.p8"
    file.write_bytes(written(SECRET))
    one_line = plain.decode().replace("\n", "\\n")
    in_base64 = base64.b64encode(der).decode()
    guarded = base64.b64encode(written(SECRET, "DER")).decode()

    assert {
        private_key(plain.decode(), None, None),
        private_key(written(form="TraditionalOpenSSL").decode(), None, None),
        private_key(one_line, None, None),
        private_key(in_base64, None, None),
        private_key(guarded, None, SECRET),
        private_key(None, str(file), SECRET),
        private_key(plain.decode(), None, SECRET),  # a passphrase that it does not need
    } == {der}


def test_a_plan_with_a_key_gives_the_connector_the_key_alone(
    written: Callable[..., bytes], tmp_path: Path
) -> None:
    file = tmp_path / "key.p8"
    file.write_bytes(written(SECRET))

    made = connect_arguments(plan(private_key_path=str(file), private_key_passphrase=SECRET), 4)

    assert made["private_key"] == written(encoding="DER")
    assert made["authenticator"] == "SNOWFLAKE_JWT"
    assert not {"private_key_path", "private_key_text", "private_key_passphrase"} & made.keys()


def test_a_key_that_cannot_be_loaded_is_told_without_its_secrets(
    written: Callable[..., bytes], tmp_path: Path
) -> None:
    guarded = written(SECRET).decode()
    no_text = tmp_path / "key.der"
    no_text.write_bytes(written(encoding="DER"))
    faults = [
        ((None, str(tmp_path / "none.p8"), None), "Cannot read the private key at .*No such file"),
        ((None, str(tmp_path), None), "Cannot read the private key at"),
        ((None, str(no_text), None), "it is not PEM"),
        ((guarded, None, None), "is encrypted"),
        ((guarded, None, "wrong-one"), "cannot be loaded with this passphrase"),
        (("-----BEGIN nothing", None, None), "cannot be loaded"),
        (("bm90IGEga2V5", None, None), "cannot be loaded"),
        (("a", None, None), "neither PEM nor DER"),
    ]
    for given, message in faults:
        with pytest.raises(ProfileError, match=message) as caught:
            private_key(*given)
        assert "wrong-one" not in str(caught.value) and "BEGIN" not in str(caught.value)
        assert caught.value.hint or "neither" in message


# --- OAuth ----------------------------------------------------------------------------------------------


@contextmanager
def authorization_server(status: int, answer: bytes) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """A server that answers every request so: how to reach it, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append((self.path, self.headers["Authorization"], parse_qs(body)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        place = {"account": "a", "host": "127.0.0.1", "port": server.server_port, "protocol": "http"}
        yield place, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_refresh_token_becomes_an_access_token() -> None:
    with authorization_server(200, json.dumps({"access_token": "new"}).encode()) as (place, asked):
        values = {"authenticator": "oauth", "token": "rt", "oauth_client_id": "id"}
        made = connect_arguments(plan(**{**values, **place, "oauth_client_secret": "s&s"}), 4)

    assert (made["token"], made["authenticator"]) == ("new", "oauth")
    assert not {"oauth_refresh_token", "oauth_client_id", "oauth_client_secret"} & made.keys()
    form = {
        "grant_type": ["refresh_token"],
        "refresh_token": ["rt"],
        "redirect_uri": ["http://localhost:9999"],
    }
    credentials = base64.b64encode(b"id:s&s").decode()
    assert asked == [("/oauth/token-request", f"Basic {credentials}", form)]


@pytest.mark.parametrize(
    ("status", "answer", "message"),
    [
        (400, b'{"error": "invalid_grant", "message": "expired"}', "expired"),
        (200, b"{}", "no reason given"),
        (200, b"<html>", "no reason given"),
        (200, b'["a"]', "no reason given"),
    ],
)
def test_without_an_access_token_the_reason_is_told(status: int, answer: bytes, message: str) -> None:
    with (
        authorization_server(status, answer) as (place, _),
        pytest.raises(AuthenticationFailed, match=message) as caught,
    ):
        access_token(place, SECRET, "id", "secret-1")

    assert SECRET not in str(caught.value) and "secret-1" not in str(caught.value)


def test_a_server_that_nobody_reaches_is_told() -> None:
    with authorization_server(200, b"{}") as (place, _):
        pass  # and now nobody listens there

    with pytest.raises(ConnectionFailed, match="Cannot reach 127"):
        access_token(place, "rt", "id", "secret")
