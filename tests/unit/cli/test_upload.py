"""The client of uploads: attempts, refusals and redirects of servers, and documents of artifacts."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from recce_meta.cli.run import upload
from recce_meta.cli.run.upload import upload_artifacts
from recce_meta.errors import ArtifactError, ConfigurationError
from recce_meta.models.run import BuildJob
from recce_meta.sync import server_client
from recce_meta.sync.server_client import RequestFailed

TOKEN = "rm_0123456789ab_secret"
DONE = {
    "run_id": "one",
    "is_new": True,
    "project": "shop",
    "environment": "prod",
    "connection": "shop",
    "job_id": "0a:main:1",
    "extraction": {"models": 1, "extraction_tier": "GOLD"},
    "further": 1,
}
BUSY = (503, {"error": {"code": "busy", "message": "Other uploads are being read"}}, {"Retry-After": "2"})
Answer = tuple[int, Any, dict[str, str]]


class Standing(ThreadingHTTPServer):
    """Server that gives fixed answers to uploads, and stores what it got."""

    def __init__(self, answers: Sequence[Answer | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.uploads: list[tuple[str, dict[str, Any]]] = []
        self.tokens: set[str | None] = set()

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Standing
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, {"connection_id": "0a"}, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tokens.add(self.headers["Authorization"])
        self.server.uploads.append((self.path, json.loads(gzip.decompress(body))))
        answer = self.server.answers.pop(0)
        if answer is None:  # hangs up without an answer
            self.close_connection = True
            return
        self._answer(*answer)

    def _answer(self, status: int, document: Any, headers: dict[str, str]) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def failed(status: int, message: str, hint: str) -> Answer:
    """Return the answer of a server that refuses a request."""
    return status, {"error": {"code": "any", "message": message, "hint": hint}}, {}


@contextmanager
def standing(*answers: Answer | None) -> Iterator[Standing]:
    """Yield a server that gives *answers* to uploads, and none for None."""
    with Standing(answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that the client would have waited."""
    found: list[float] = []
    monkeypatch.setattr("time.sleep", found.append)
    return found


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return a folder of artifacts: a manifest with a BOM, and a compressed catalog."""
    (tmp_path / "manifest.json").write_bytes(b'\xef\xbb\xbf {"a": [1]} \n')
    (tmp_path / "catalog.json.gz").write_bytes(gzip.compress(b'{"b": "}"}'))
    return tmp_path


def send(server: Standing, target: Path, said: list[str] | None = None, **details: str) -> bytes:
    """Upload *target* to *server*."""
    tell = (said if said is not None else []).append
    return upload_artifacts(
        target,
        details,
        {"job": BuildJob(orchestrator="gitlab"), "commit_url": None},
        to=server.url,
        connection=None,
        environ={"RECCE_META_TOKEN": f"{TOKEN}\n"},
        say=tell,
        report=lambda _: None,
    )


def test_artifacts_are_one_document(target: Path, waits: list[float]) -> None:
    (target / "sources.json").write_text('{"c": 1}')
    with standing((200, DONE, {})) as server:
        assert json.loads(send(server, target, branch="a b", commit_sha="0a")) == DONE
    assert server.uploads == [
        (
            "/api/metadata/connections/0a/manifest?branch=a+b&commit_sha=0a",
            {
                "manifest": {"a": [1]},
                "catalog": {"b": "}"},
                "sources": {"c": 1},
                "job": {"orchestrator": "gitlab"},
            },
        )
    ]
    assert server.tokens == {f"Bearer {TOKEN}"} and waits == []


def test_uploads_are_repeated_while_the_server_is_busy_or_silent(target: Path, waits: list[float]) -> None:
    said: list[str] = []
    with standing(BUSY, None, (502, b"<html>", {}), (200, DONE, {})) as server:
        send(server, target, said)
    assert len(server.uploads) == 4 and len({json.dumps(one) for one in server.uploads}) == 1
    assert [round(seconds) >= least for seconds, least in zip(waits, (2, 4, 15), strict=True)] == [True] * 3
    assert "Other uploads are being read" in said[0] and "cannot be reached" in said[1]
    with standing(*[BUSY] * 4) as server, pytest.raises(RequestFailed, match="Other uploads"):
        send(server, target)
    assert len(server.uploads) == 4


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (failed(409, "of another project", "do x"), "of another project", "do x"),
        (failed(401, "A token is required", "send it"), "A token is required", "RECCE_META_TOKEN"),
        (failed(503, "no state", "create it"), "no state", "create it"),
        ((503, BUSY[1], {"Retry-After": "3600"}), "Other uploads", None),
        ((302, b"", {"Location": "https://evil.example/x?y"}), "redirects to https://evil.example", "--to"),
        ((307, b"", {"Location": "/elsewhere"}), "redirects to another address", "--to"),
        ((404, b"<html>not here</html>", {}), "answered with the status 404", "recce-meta serve"),
        ((200, b"<html>", {}), "is not a recce-meta server", "update"),
        ((200, {}, {}), "is not a recce-meta server", "update"),
    ],
)  # fmt: skip
def test_a_refusal_has_the_message_of_the_server(
    target: Path, waits: list[float], answer: Answer, message: str, hint: str | None
) -> None:
    with standing(answer) as server, pytest.raises(RequestFailed, match=message) as refused:
        send(server, target)
    assert len(server.uploads) == 1 and waits == []
    assert hint is None or hint in str(refused.value.hint)
    assert TOKEN not in str(refused.value)


def test_a_server_that_does_not_run_is_named(target: Path, waits: list[float]) -> None:
    with standing() as server:
        url = server.url
    with pytest.raises(RequestFailed, match=r"127\.0\.0\.1:[0-9]+ cannot be reached"):
        upload_artifacts(target, {}, {}, to=url, connection="x", environ={}, say=print, report=print)
    assert len(waits) == len(server_client.DELAYS)


@pytest.mark.parametrize("token", ["a\nb", "a b", "\N{EURO SIGN}"])
def test_a_text_that_no_header_can_have_is_no_token(target: Path, token: str) -> None:
    with pytest.raises(ConfigurationError, match="RECCE_META_TOKEN is not a token") as refused:
        upload_artifacts(
            target,
            {},
            {},
            to="https://x.example",
            connection="x",
            environ={"RECCE_META_TOKEN": token},
            say=print,
            report=print,
        )
    assert token not in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"[]", b'{"a": ', b'"}"', gzip.compress(b"{}", mtime=0)[:-3]]
)
def test_a_file_that_is_cut_is_no_artifact(target: Path, content: bytes) -> None:
    (target / "manifest.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json is not a complete"):
        upload.pack(upload.find_artifacts(target), target / "packed")
