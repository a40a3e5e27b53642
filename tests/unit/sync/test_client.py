"""The client of an exchange: answers of servers that are damaged, cut, too large or hostile."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import ArtifactError, ConfigurationError, RecceMetaError, StoreError, UsageError
from recce_meta.store.session import SCHEMA_VERSION
from recce_meta.sync import client
from recce_meta.sync.client import RemoteReplica
from recce_meta.sync.encoding import MEDIA_TYPE, OF_REQUESTS, pack
from recce_meta.sync.server_client import RequestFailed
from recce_meta.sync.types import Batch, ExchangeStatus, Key, ObjectKind, Piece

TOKEN = "rm_0123456789ab_secret"
KEY = Key(ObjectKind.ANNOTATION, "one")
EMPTY = json.dumps({"store_version": SCHEMA_VERSION, "producer": "1.0", "objects": []}).encode()
Answer = tuple[int, bytes, dict[str, str]]


class Answering(ThreadingHTTPServer):
    """Server that gives fixed answers, and remembers the requests."""

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.requests: list[tuple[str, str, bytes, dict[str, str]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Answering
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, body, headers))
        status, content, given = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **given}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def answering(*answers: Answer | bytes) -> Iterator[tuple[RemoteReplica, Answering]]:
    """Yield the store of a server that gives *answers*; bytes alone have the status 200."""
    given = [one if isinstance(one, tuple) else (200, one, {}) for one in answers]
    with Answering(given) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}/team/"
            yield RemoteReplica(address, {"RECCE_META_TOKEN": TOKEN}, say=print), server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client try again at once."""
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"store_version": 1}',
        b'{"store_version": 12, "producer": "1", "objects": [{"kind": "other", "id": "a"}]}',
        b'{"store_version": 12, "producer": "1", "objects": [{"kind": "run", "id": 5}]}',
        b"\xff\xfe",
        b"[" * 100_000,
        gzip.compress(EMPTY, mtime=0)[:-9],
        b"\x1f\x8b nonsense",
    ],
)
def test_a_damaged_inventory_is_an_error(body: bytes) -> None:
    with answering(body) as (replica, _), pytest.raises(RequestFailed):
        replica.inventory()


def test_an_inventory_that_inflates_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "OF_REQUESTS", replace(OF_REQUESTS, inflated=2**20))
    with answering(gzip.compress(b" " * 2**24)) as (replica, _), pytest.raises(RequestFailed):
        replica.inventory()


def test_a_newer_store_is_named() -> None:
    body = EMPTY.replace(str(SCHEMA_VERSION).encode(), b"99")
    with answering(body) as (replica, _), pytest.raises(StoreError, match="version 99, which is too new"):
        replica.inventory()


def test_the_token_and_the_path_of_a_proxy_are_sent() -> None:
    with answering(gzip.compress(EMPTY)) as (replica, server):
        assert replica.inventory().entries == {}
        assert TOKEN not in replica.name
        ((method, path, _, headers),) = server.requests
    assert (method, path) == ("GET", "/team/api/metadata/sync/inventory")
    assert headers["authorization"] == f"Bearer {TOKEN}"


def test_a_cut_answer_is_asked_for_again() -> None:
    cut = (200, EMPTY[:-5], {"Content-Length": str(len(EMPTY))})
    with answering(cut, EMPTY) as (replica, server):
        assert replica.inventory().entries == {}
        assert len(server.requests) == 2


def test_a_length_that_is_no_number_is_a_damaged_answer() -> None:
    answers = [(200, EMPTY, {"Content-Length": "abc"})] * 4
    with answering(*answers) as (replica, _), pytest.raises(RequestFailed, match="cannot be reached"):
        replica.inventory()


@pytest.mark.parametrize("body", [b"", b"{}", b"PK\x03\x04", pack(Batch((), {}))[:-4]])
def test_a_damaged_bundle_is_an_error(body: bytes) -> None:
    with answering(body) as (replica, _), pytest.raises(ArtifactError):
        replica.read([KEY])


def test_ids_that_were_not_asked_for_are_ignored() -> None:
    with answering(json.dumps({"ids": ["a", "stranger"]}).encode()) as (replica, _):
        assert replica.lacking(Piece.MACRO, ["a", "b"]) == {"a"}


def test_an_object_without_an_outcome_has_failed() -> None:
    found = {"success": True, "outcomes": [{"kind": "run", "id": "other", "status": "sent"}]}
    with answering(json.dumps(found).encode()) as (replica, server):
        (result,) = replica.write(Batch((KEY,), {}), "mine")
        ((_, path, body, headers),) = server.requests
    assert result.status is ExchangeStatus.FAILED and "did not report" in (result.reason or "")
    assert path == "/team/api/metadata/sync-from-ide" and body.startswith(b"PK")
    assert headers["content-type"] == MEDIA_TYPE


def test_a_refused_part_of_an_answer_is_divided() -> None:
    large: Answer = (413, b'{"error": {"code": "answer_too_large", "message": "too large"}}', {})
    one = pack(Batch((), {"macro_sets": [("set", "a")]}))
    with answering(large, one, one) as (replica, server):
        assert replica.read_pieces(Piece.MACRO_SET, ["a", "b"]) == {"macro_sets": [("set", "a")]}
        asked = [json.loads(body)["ids"] for _, _, body, _ in server.requests]
    assert asked == [["a", "b"], ["a"], ["b"]]


def test_a_redirect_is_not_followed() -> None:
    away = (302, b"", {"Location": "https://evil.example.com/"})
    with answering(away) as (replica, server), pytest.raises(RequestFailed, match="redirects to") as failed:
        replica.inventory()
    assert len(server.requests) == 1 and "--to" not in str(failed.value)


@pytest.mark.parametrize(
    ("address", "token", "kind"),
    [
        ("http://team.example.com", "", UsageError),
        ("https://user:secret@team.example.com", "", UsageError),
        ("ftp://team.example.com", "", UsageError),
        ("https://team.example.com/?a=1", "", UsageError),
        ("https://team.example.com", "a b", ConfigurationError),
    ],
)
def test_addresses_and_tokens_are_checked_first(address: str, token: str, kind: type[RecceMetaError]) -> None:
    with pytest.raises(kind) as failed:
        RemoteReplica(address, {"RECCE_META_TOKEN": token}, say=print)
    assert "secret" not in str(failed.value) and "--to" not in str(failed.value)


def test_the_name_of_a_server_has_neither_its_usual_port_nor_a_token() -> None:
    def name(address: str, **others: Any) -> str:
        return RemoteReplica(address, {}, say=print, **others).name

    assert name("https://team.example.com:443/") == "https://team.example.com"
    assert name("https://team.example.com:8443/x/") == "https://team.example.com:8443/x"
    assert name("http://[::1]:80", store="ci") == "http://[::1] (ci)"
