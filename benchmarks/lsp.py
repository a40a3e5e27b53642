"""Language server in an editor: its start, its answers, diagnostics after a keystroke, and its memory.

`python -m benchmarks.lsp [--models MODELS …]` runs only these. The client is another process, which speaks
the protocol over pipes as an editor does.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import Empty, Queue
from statistics import median, quantiles
from threading import Thread
from typing import Any

from benchmarks.generate import Shop
from benchmarks.measure import Figure, Timing, command, markdown, within

Json = dict[str, Any]

SIZES = (500, 5_000)
ROUNDS = 200
KEYSTROKES = 40
MOST_MEMORY = 150 * 2**20
SAFE_DIV = (
    "{% macro safe_div(column) %}case when r.b_amount = 0 then null else {{ column }} / r.b_amount end"
    "{% endmacro %}"
)
_PATIENCE = 600.0


def write_project(folder: Path, models: int) -> Path:
    """Write a dbt project of *models* models with its artifacts into *folder*; return *folder*."""
    shop = Shop(models, models // 2)
    tables = [{"name": node["name"]} for node in shop.sources.values()]
    files = {
        "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [models]\n",
        "macros/safe_div.sql": SAFE_DIV,
        "models/sources.yml": json.dumps({"sources": [{"name": "raw", "tables": tables}]}),
    }
    files |= {node["original_file_path"]: node["raw_code"] for node in shop.models.values()}
    manifest = shop.manifest("run-1")
    manifest["macros"]["macro.shop.safe_div"].update(macro_sql=SAFE_DIV, package_name="shop")
    files |= {"target/manifest.json": json.dumps(manifest), "target/catalog.json": json.dumps(shop.catalog())}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class Editor:
    """Client of a language server in a process of its own."""

    def __init__(self, project: Path, environ: Mapping[str, str]) -> None:
        """Start the server, and send `initialize`."""
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "recce_meta", "lsp"],
            cwd=project,
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._answers: dict[int, Queue[Json]] = {}
        self._events: dict[str, Queue[Json]] = {}
        self._last = 0
        Thread(target=self._receive, daemon=True).start()
        self.call("initialize", {"processId": None, "rootUri": project.as_uri(), "capabilities": {}})
        self.initialized = time.perf_counter() - self.started
        self.send("initialized", {})

    def send(self, method: str, params: object) -> None:
        """Send a notification."""
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def call(self, method: str, params: object) -> Any:
        """Return the result of a request."""
        self._last += 1
        answer = self._answers[self._last] = Queue()
        self._write({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        found = answer.get(timeout=_PATIENCE)
        if "error" in found:
            raise RuntimeError(f"{method}: {found['error']}")
        return found.get("result")

    def wait_for(self, method: str, accepts: Callable[[Json], bool]) -> Json:
        """Return the parameters of the next notification *method* that *accepts* accepts."""
        events = self._events.setdefault(method, Queue())
        deadline = time.perf_counter() + _PATIENCE
        while (left := deadline - time.perf_counter()) > 0:
            try:
                params = events.get(timeout=left)
            except Empty:
                break
            if accepts(params):
                return params
        raise TimeoutError(f"{method} did not arrive")

    @property
    def memory(self) -> int:
        """Resident memory of the server in bytes."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        """Shut the server down."""
        self.call("shutdown", None)
        self.send("exit", None)
        if self.process.wait(timeout=30) != 0:
            raise RuntimeError(f"the server exits with {self.process.returncode}")

    def _write(self, message: Json) -> None:
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def _receive(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            message = json.loads(stream.read(length))
            if "method" not in message:
                self._answers.pop(message["id"]).put(message)
            elif "id" in message:  # a request of the server, which this client does not support
                self._write({"jsonrpc": "2.0", "id": message["id"], "result": None})
            else:
                self._events.setdefault(message["method"], Queue()).put(message.get("params") or {})


class OpenModel:
    """Model that the editor shows."""

    def __init__(self, editor: Editor, path: Path) -> None:
        """Open the file."""
        self.editor, self.uri, self.version = editor, path.as_uri(), 1
        self.text = path.read_text(encoding="utf-8")
        document = {"uri": self.uri, "languageId": "sql", "version": 1, "text": self.text}
        editor.send("textDocument/didOpen", {"textDocument": document})

    def at(self, word: str) -> Json:
        """Return the parameters of a request at the last position of *word*."""
        before = self.text[: self.text.rindex(word) + 1]
        line = before.count("\n")
        position = {"line": line, "character": len(before) - before.rfind("\n") - 1}
        return {"textDocument": {"uri": self.uri}, "position": position}

    def replace(self, old: str, new: str) -> None:
        """Send the text with the last *old* replaced by *new*."""
        start = self.text.rindex(old)
        self.text = self.text[:start] + new + self.text[start + len(old) :]
        self.version += 1
        document = {"uri": self.uri, "version": self.version}
        self.editor.send(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": self.text}]}
        )


def answers(models: int, folder: Path) -> Iterator[Figure]:
    """Yield the figures of a project of *models* models."""
    project = write_project(folder / "shop", models)
    environ = {"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
    what = f"{models:,} models"
    first = Editor(project, environ)
    first.wait_for("recceMeta/status", lambda status: status["state"] == "ready")
    spent = time.perf_counter() - first.started
    yield Figure(f"{what}: first start until the project is analysed", f"{spent:.1f} s")
    first.close()

    (floor,) = [command([sys.executable, "-c", "import pygls.lsp.server"])() for _ in range(1)]
    editor = Editor(project, environ)
    yield _with_floor(f"{what}: start to `initialize`", editor.initialized, 0.4, floor)
    path = sorted((project / "models").rglob("int_*.sql"))[-1]
    model = OpenModel(editor, path)
    hover = editor.call("textDocument/hover", model.at("row_num"))
    yield _with_floor(f"{what}: start to first hover", time.perf_counter() - editor.started, 0.6, floor)
    assert hover, "no hover"
    yield from _requests(what, editor, project)
    yield from _keystrokes(what, editor, model)
    used = editor.memory
    yield Figure(f"{what}: memory", f"{used / 2**20:.0f} MB", target="< 150 MB", met=used < MOST_MEMORY)
    editor.close()


def _requests(what: str, editor: Editor, project: Path) -> Iterator[Figure]:
    """Yield the time of requests on models that were opened before."""
    paths = random.Random(7).sample(sorted((project / "models").rglob("*.sql")), 20)
    opened = [OpenModel(editor, path) for path in paths]
    for name, method, params in (
        ("hover", "hover", lambda model: model.at("parent_id")),
        ("definition", "definition", lambda model: model.at("b_amount")),
        ("code lenses", "codeLens", lambda model: {"textDocument": {"uri": model.uri}}),
    ):
        spent = []
        for index in range(ROUNDS):
            model = opened[index % len(opened)]
            start = time.perf_counter()
            assert editor.call(f"textDocument/{method}", params(model)), method
            spent.append(time.perf_counter() - start)
        yield _percentiles(f"{what}: {name}", spent, 0.02)


def _keystrokes(what: str, editor: Editor, model: OpenModel) -> Iterator[Figure]:
    """Yield the time from a keystroke to a hover, and to new diagnostics."""
    hovers, diagnostics = [], []
    for index in range(KEYSTROKES):
        names = ("as running_amount", "as running_amounts")
        model.replace(*names if index % 2 == 0 else reversed(names))
        start = time.perf_counter()
        editor.call("textDocument/hover", model.at("row_num"))
        hovers.append(time.perf_counter() - start)
        version = model.version
        editor.wait_for(
            "textDocument/publishDiagnostics",
            lambda params: params["uri"] == model.uri and params.get("version") == version,  # noqa: B023
        )
        diagnostics.append(time.perf_counter() - start)
    yield _percentiles(f"{what}: keystroke and hover", hovers, 0.1)
    yield _percentiles(f"{what}: diagnostics after a keystroke, 150 ms of waiting included", diagnostics, 0.3)


def _percentiles(what: str, spent: list[float], most: float) -> Figure:
    ninety_five = quantiles(spent, n=20)[-1]
    shown = f"p50 {median(spent) * 1e3:.1f} ms, p95 {ninety_five * 1e3:.1f} ms, max {max(spent) * 1e3:.0f} ms"
    return Figure(what, shown, target=f"p95 < {most * 1e3:.0f} ms", met=ninety_five < most)


def _with_floor(what: str, spent: float, most: float, floor: Timing) -> Figure:
    found = within(what, Timing(spent, 0.0), most)
    shown, ratio = f"importing pygls: {floor.wall * 1e3:.0f} ms", f"{spent / floor.wall:.2f}"
    return Figure(what, f"{spent * 1e3:.0f} ms", shown, ratio, found.target, found.met)


def run(folder: Path, sizes: tuple[int, ...] = SIZES) -> Iterator[Figure]:
    """Yield all figures."""
    for models in sizes:
        yield from answers(models, folder / str(models))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, nargs="+", default=list(SIZES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(markdown(list(run(Path(temporary), tuple(options.models)))))
