"""Requests go only to checked hosts, follow no redirect, end in time, and their failures hide the address."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from recce_meta.repositories.git.http import HttpAnswer, HttpClient, HttpFailure, HttpFailureKind

SECRET = "T0p-s3cret-path"


class Server(ThreadingHTTPServer):
    """Plain HTTP server that echoes what it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.targets: list[str] = []
        self.host = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.server.targets.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "redirect" in self.path:
            self.send_response(307)
            self.send_header("Location", "/other")
        else:
            self.send_response(201)
        self.send_header("X-Twice", "one")
        self.send_header("x-twice", "two")
        self.send_header("X-Agent", self.headers.get("User-Agent", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.shutdown()
    found.server_close()


def post(client: HttpClient, url: str, body: bytes = b"hello", **headers: str) -> HttpAnswer:
    return asyncio.run(client.send("POST", url, headers=headers, body=body))


def failure(client: HttpClient, url: str, body: bytes = b"", **headers: str) -> HttpFailure:
    with pytest.raises(HttpFailure) as failed:
        post(client, url, body, **headers)
    assert failed.value.__cause__ is None or failed.value.__suppress_context__
    assert SECRET not in f"{failed.value!r} {failed.value} {failed.value.hint}" and failed.value.hint
    return failed.value


def test_an_allowed_host_may_use_plain_http(server: Server) -> None:
    answer = post(HttpClient({"RECCE_META_ALLOWED_HOSTS": server.host}), f"http://{server.host}/a?b=c")
    assert (answer.status, answer.body, server.targets) == (201, b"hello", ["/a?b=c"])
    assert answer.headers["x-twice"] == "one, two" and answer.headers["x-agent"] == "recce-meta"
    assert "hello" not in repr(answer)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_private_host_is_refused(server: Server, scheme: str) -> None:
    found = failure(HttpClient({}), f"{scheme}://{server.host}/{SECRET}")
    assert found.kind is HttpFailureKind.ADDRESS and server.targets == []


def test_a_redirect_is_an_answer(server: Server) -> None:
    client = HttpClient({"RECCE_META_ALLOWED_HOSTS": server.host})
    assert post(client, f"http://{server.host}/redirect").status == 307
    assert server.targets == ["/redirect"]


def test_a_large_answer_is_refused(server: Server) -> None:
    client = HttpClient({"RECCE_META_ALLOWED_HOSTS": server.host}, largest=1_000)
    assert failure(client, f"http://{server.host}/{SECRET}", bytes(2_000)).kind is HttpFailureKind.ANSWER


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://example.com/{SECRET}",
        f"https://user:{SECRET}@example.com/",
        f"https://example.com/{SECRET} x",
        f"https://example.com/{SECRET}\r\nHost: x",
        f"https://[::1/{SECRET}",
        f"https://0x7f.1/{SECRET}",
        f"https://example.com:99999/{SECRET}",
        f"/{SECRET}",
    ],
)
def test_an_invalid_address_is_refused_without_quoting_it(url: str) -> None:
    assert failure(HttpClient({}), url).kind is HttpFailureKind.ADDRESS


def test_a_header_with_a_line_break_is_refused_without_quoting_it(server: Server) -> None:
    client = HttpClient({"RECCE_META_ALLOWED_HOSTS": server.host})
    failure(client, f"http://{server.host}/", Authorization=f"Bearer {SECRET}\nX: y")
    assert server.targets == []


def test_certificates_that_cannot_be_read_are_named(server: Server) -> None:
    client = HttpClient({"RECCE_META_ALLOWED_HOSTS": server.host, "GIT_SSL_CAINFO": "/nonexistent.pem"})
    found = failure(client, f"https://{server.host}/")
    assert found.kind is HttpFailureKind.CERTIFICATE and "/nonexistent.pem" in found.message


def test_a_server_without_tls_cannot_be_reached_with_https(server: Server) -> None:
    client = HttpClient({"RECCE_META_ALLOWED_HOSTS": server.host})
    assert failure(client, f"https://{server.host}/{SECRET}").kind is HttpFailureKind.NETWORK


def test_a_proxy_is_used_unless_the_host_is_exempt(server: Server) -> None:
    environ = {"RECCE_META_ALLOWED_HOSTS": "git.internal", "http_proxy": f"http://{server.host}"}
    post(HttpClient(environ), "http://git.internal/path")
    assert server.targets == ["http://git.internal/path"]
    found = failure(HttpClient({**environ, "no_proxy": "example.org, .internal"}), "http://git.internal/path")
    assert found.kind is HttpFailureKind.NETWORK and len(server.targets) == 1


def test_a_broken_proxy_does_not_show_its_password(server: Server) -> None:
    proxy = f"http://user:{SECRET}@{server.host}"
    environ = {"RECCE_META_ALLOWED_HOSTS": "git.internal", "https_proxy": proxy}
    assert failure(HttpClient(environ), "https://git.internal/path").kind is HttpFailureKind.NETWORK
