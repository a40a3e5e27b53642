"""Editor that talks to the real `recce-meta lsp` over pipes, byte by byte as the protocol says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from tests.e2e.conftest import KEPT, ROOT

PATIENCE = 30.0
Json = dict[str, Any]
COMMAND = (sys.executable, "-W", "error", "-m", "recce_meta", "lsp", "--stdio")


def variables(home: Path) -> dict[str, str]:
    """Return the variables of a user whose folders are below *home*."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "GIT_CEILING_DIRECTORIES": str(home.parent)}


class Editor:
    """Process of the server, with the messages that it sends."""

    def __init__(
        self,
        home: Path,
        folder: Path,
        *,
        starts: bool = True,
        options: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        settings: Json | None = None,
        **capabilities: Json,
    ) -> None:
        """Start the server with *options* and the variables *environ*.

        With *starts*, initialize it in *folder* with *settings* and *capabilities*.
        """
        home.mkdir(exist_ok=True, parents=True)
        self.log = home / "stderr.log"
        self.folder = folder
        with self.log.open("wb") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, *options],
                # Not in the project: `-m` imports from the current folder.
                cwd=home,
                env=variables(home) | dict(environ or {}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self.noise: list[bytes] = []
        self.received: list[Json] = []
        self.answers: Queue[Json] = Queue()
        self._messages: Queue[Json] = Queue()
        self._last = 0
        self._reader = Thread(target=self._receive, daemon=True)
        self._reader.start()
        if starts:
            self.capabilities = self.initialize(folder, settings, **capabilities)["capabilities"]

    def __enter__(self) -> Editor:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()
        self._reader.join(PATIENCE)

    def initialize(self, folder: Path, settings: Json | None = None, **capabilities: Json) -> Json:
        """Initialize the server with *folder* as the folder of the editor."""
        params = {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": capabilities}
        params |= {"initializationOptions": settings} if settings is not None else {}
        found: Json = self.call("initialize", params)
        self.notify("initialized", {})
        return found

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object) -> Json:
        """Return the answer to a request: a result or an error."""
        self._last += 1
        self.send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while True:
            answer = self.answers.get(timeout=PATIENCE)
            if answer["id"] == self._last:
                return answer

    def call(self, method: str, params: object) -> Any:
        """Return the result of a request, which must not be an error."""
        answer = self.request(method, params)
        assert "error" not in answer, answer
        assert "result" in answer, "an answer without a result is not valid"
        return answer["result"]

    def command(self, name: str, *arguments: object) -> Any:
        """Return the result of a command."""
        return self.call(
            "workspace/executeCommand", {"command": f"recce-meta.{name}", "arguments": arguments}
        )

    def refused(self, name: str, *arguments: object) -> str:
        """Return the message of the error of a command."""
        params = {"command": f"recce-meta.{name}", "arguments": arguments}
        error = self.request("workspace/executeCommand", params)["error"]
        assert "data" not in error
        return str(error["message"])

    def wait_for(self, method: str, accepts: Callable[[Json], bool] = lambda _: True) -> Json:
        """Return the parameters of the next notification *method* that *accepts* accepts."""
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self._messages.get(timeout=left)
            except Empty:
                break
            if message["method"] == method and accepts(message["params"]):
                params: Json = message["params"]
                return params
        raise TimeoutError(f"{method} did not arrive; received: {self.received[-5:]}, {self.log.read_text()}")

    def status(self, state: str, **fields: object) -> Json:
        """Wait for the status *state* of a project, with these *fields*."""
        expected = {"state": state, **fields}
        return self.wait_for("recceMeta/status", lambda found: expected.items() <= found.items())

    def open(self, path: Path | str, text: str | None = None, *, version: int = 1) -> str:
        """Open a file, or the URI of one, and return its URI."""
        uri = path if isinstance(path, str) else path.as_uri()
        found = text if text is not None else Path(path).read_text(encoding="utf-8")
        document = {"uri": uri, "languageId": "sql", "version": version, "text": found}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def edit(self, uri: str, version: int, text: str, place: tuple[int, int, int, int] | None = None) -> None:
        """Replace a range (line, character, line, character) of a text, or all of it."""
        change: Json = {"text": text}
        if place is not None:
            start, end = place[:2], place[2:]
            change["range"] = {
                "start": dict(zip(("line", "character"), start, strict=True)),
                "end": dict(zip(("line", "character"), end, strict=True)),
            }
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def save(self, uri: str) -> None:
        """Say that a text was written to its file."""
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def hover(self, uri: str, line: int, character: int) -> str | None:
        """Return the text of a hover."""
        found = self.call("textDocument/hover", at(uri, line, character))
        return None if found is None else str(found["contents"]["value"])

    def symbols(self, uri: str) -> list[str]:
        """Return the names of the symbols of a text, children after their parents."""
        return list(_names(self.call("textDocument/documentSymbol", {"textDocument": {"uri": uri}}) or []))

    def exit(self) -> int:
        """Shut the server down, and return its exit code."""
        assert self.call("shutdown", None) is None
        self.notify("exit", None)
        return self.process.wait(PATIENCE)

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message."""
        self.send_bytes(json.dumps(message).encode())

    def send_bytes(self, body: bytes) -> None:
        """Send the body of a message, which may be anything."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def logged(self) -> str:
        """Return all messages and lines of the log."""
        lines = [message["params"]["message"] for message in self.received if "window/" in message["method"]]
        return "\n".join([*lines, self.log.read_text(encoding="utf-8")])

    def _receive(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            if not header.lower().startswith((b"content-length:", b"content-type:")):
                self.noise.append(header)
                continue
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = stream.readline()
            self._take(json.loads(stream.read(length)))

    def _take(self, message: Json) -> None:
        if "method" not in message:
            self.answers.put(message)
            return
        self.received.append(message)
        if "id" in message:
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
        else:
            self._messages.put(message)


def at(uri: str, line: int, character: int) -> Json:
    """Return the parameters of a request at a position."""
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


def _names(symbols: list[Json]) -> Any:
    for symbol in symbols:
        yield symbol["name"]
        yield from _names(symbol.get("children") or [])
