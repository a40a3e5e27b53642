"""Start of the server: its token, its names, and its socket."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import uvicorn

from recce_meta.errors import ConfigurationError, UsageError
from recce_meta.server import main
from recce_meta.server.access.sessions import LOCAL_NAMES, Access
from recce_meta.server.main import access_rules, bound_socket, has_browser, read_token

TOKEN = "a token of many characters"


def test_the_token_of_the_file_wins_over_that_of_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)

    assert read_token(file, {"RECCE_META_TOKEN": "another one of many characters"}) == TOKEN
    assert read_token(None, {"RECCE_META_TOKEN": TOKEN}) == TOKEN
    assert read_token(None, {"RECCE_META_TOKEN": ""}) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(mode)

    with pytest.raises(UsageError, match="Others can read") as found:
        read_token(file, {})
    assert found.value.hint == f"chmod 600 {file}"


@pytest.mark.parametrize("content", [b"", b" \n", b"short", b"\xff" * 40, b"two words\nof two lines"])
def test_a_malformed_token_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(0o600)

    with pytest.raises(UsageError) as found:
        read_token(file, {})
    assert "short" not in str(found.value)


def test_a_token_is_not_shown_in_messages() -> None:
    assert TOKEN not in repr(Access(TOKEN))
    assert TOKEN not in repr(main.ServerOptions(host="127.0.0.1", port=0, token=TOKEN))


def test_a_server_for_other_machines_needs_a_token() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "shop.lan", "127.0.0.1.example.com"):
        with pytest.raises(UsageError, match="requires a token"):
            access_rules(host, None, None)
        assert access_rules(host, TOKEN, None) == Access(TOKEN, frozenset())
    for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"):
        assert access_rules(host, None, None) == Access(None, LOCAL_NAMES | {host.lower()})


def test_the_public_url_limits_the_names() -> None:
    found = access_rules("0.0.0.0", TOKEN, "https://Recce.Example.com:8443/")

    assert found.public_origin == "https://recce.example.com:8443"
    assert found.is_known("recce.example.com:8443") and not found.is_known("example.com")
    assert found.is_https and not access_rules("::1", None, "http://recce.example.com").is_https


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://APP.example.com:443", "https://app.example.com"),
        ("http://app.example.com:80/", "http://app.example.com"),
        ("https://app.example.com:80", "https://app.example.com:80"),
        ("http://[::443]:8080", "http://[::443]:8080"),
    ],
)
def test_an_allowed_origin_is_as_browsers_send_it(given: str, origin: str) -> None:
    assert main._origin(given) == origin


@pytest.mark.parametrize(
    "url",
    [
        "recce.example.com",
        "ftp://a",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "http://[::1",
        "",
    ],
)
def test_a_malformed_public_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="public URL"):
        access_rules("127.0.0.1", None, url)


def test_a_socket_is_bound_to_any_free_port_and_its_failures_are_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(bound_socket("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} is in use"):
            bound_socket("127.0.0.1", port)

    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ConfigurationError, match="needs more rights"):
        bound_socket("127.0.0.1", 80)


def test_a_server_that_cannot_listen_starts_no_worker() -> None:
    @contextmanager
    def worker() -> Iterator[None]:
        pytest.fail("the worker started")
        yield

    def serve(host: str, port: int) -> None:
        options = main.ServerOptions(host=host, port=port, token=None)
        main.serve_stores({}, options, page=None, say=print, worker=worker())

    with (
        closing(socket.create_server(("127.0.0.1", 0))) as taken,
        pytest.raises(ConfigurationError, match="is in use"),
    ):
        serve("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(UsageError, match="requires a token"):
        serve("::", 0)


def test_a_browser_needs_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert not has_browser({}) and not has_browser({"DISPLAY": ""})
    assert has_browser({"WAYLAND_DISPLAY": "wayland-0"}) and has_browser({"WSL_DISTRO_NAME": "Ubuntu"})
    monkeypatch.setattr("sys.platform", "darwin")
    assert has_browser({})


@pytest.mark.extensive
def test_a_connection_without_a_request_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "REQUEST_SECONDS", 1.0)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1.5)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def ask(text: bytes, following: bytes = b"") -> bytes:
        config = uvicorn.Config(answer, log_config=None, lifespan="off")
        config.load()
        state = uvicorn.server.ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: main.Protocol(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(text)
        try:
            if not following:
                return await asyncio.wait_for(reader.readline(), 60)
            answered = await reader.readuntil(b"\r\n\r\n")
            writer.write(following)
            return answered + await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()
            server.close()

    assert asyncio.run(ask(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")) == b""
    assert asyncio.run(ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")) == b"HTTP/1.1 204 No Content\r\n"
    # The headers of the second request have the same limit, and its answer may take longer.
    first = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert asyncio.run(ask(first, b"GET / HTTP/1.1\r\nHost: a\r\nX: ")).count(b"HTTP/1.1 204") == 1
    assert asyncio.run(ask(first, first)).count(b"HTTP/1.1 204") == 2


def test_the_browser_opens_the_page_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "any")
    opened: Queue[str] = Queue()
    monkeypatch.setattr(main.webbrowser, "open", opened.put)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        main._started(listening, print, "/s/default/pr/42")
        assert opened.get(timeout=30) == f"http://127.0.0.1:{listening.getsockname()[1]}/s/default/pr/42"
        main._started(listening, print, None)
    assert opened.empty()
