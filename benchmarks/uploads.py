"""Uploads of artifacts to a server on this machine: from the command to the recorded run with its columns."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

import uvicorn

from benchmarks.generate import write
from benchmarks.measure import Figure, Timing, within
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.cli.run.upload import read_answer, upload_artifacts
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import add_connection
from recce_meta.repositories.state.database import open_state
from recce_meta.repositories.state.types import RepositoryConnection
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.sql_files import DEFAULT_SCHEMA

ROUNDS = 5
MODELS = 113
"""Number of models with about 1,000 columns together."""
SECONDS = 5.0
"""Maximum seconds of an upload with column lineage."""


def run(scratch: Path) -> list[Figure]:
    """Run all measurements."""
    folder = write(scratch / "project", MODELS, 0)
    with _serving(scratch) as url:
        walls, cpus, found = [], [], None
        for number in range(ROUNDS):
            _rename(folder, f"round {number}")
            began, cpu = time.perf_counter(), time.process_time()
            body = upload_artifacts(
                folder, {}, to=url, connection="shop", environ={}, say=print, report=lambda _: None
            )
            walls.append(time.perf_counter() - began)
            cpus.append(time.process_time() - cpu)
            found = read_answer(body).extraction
    assert found is not None
    what = f"upload {found.models} models and {found.columns:,} columns with column lineage"
    return [within(what, Timing(median(walls), median(cpus)), SECONDS)]


def _rename(folder: Path, run: str) -> None:
    """Let the manifest be that of another run, whose SQL no earlier round has analysed."""
    file = folder / "manifest.json"
    manifest = json.loads(file.read_bytes())
    manifest["metadata"]["invocation_id"] = run
    for node in manifest["nodes"].values():
        node["compiled_code"] = f"{node['compiled_code'].partition(' -- ')[0]} -- {run}"
    file.write_text(json.dumps(manifest))


@contextmanager
def _serving(scratch: Path) -> Iterator[str]:
    """Yield the address of a server with the connection `shop`."""
    state = open_state(f"sqlite:///{scratch / 'state.db'}", {})
    connection = RepositoryConnection(
        id="0a1b2c3d4e5f",
        name="shop",
        type="git",
        repo_url="",
        branches=("main",),
        is_upload_only=True,
        created_at=datetime.now(timezone.utc),
        created_by="benchmark",
    )
    add_connection(state, connection)
    url = f"duckdb:///{scratch / 'store.duckdb'}"
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url), DEFAULT_SCHEMA)
    app = create_app({"default": store}, Access(), RepositoryService(state, environ={}, stores=["default"]))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            state.close()
