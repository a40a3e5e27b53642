"""Small stores for tests of the server: one run or two, in a DuckDB file or a schema of PostgreSQL."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

import pytest
from starlette.testclient import TestClient

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.demo import demo
from recce_meta.api.record import record_project
from recce_meta.extractors.project import extract_project
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.marks.annotations import insert_events, list_annotations
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.support.once import built_once

LOCAL = "http://127.0.0.1"


def record_side(url: str, *sides: demo_data.Side, schema: str = DEFAULT_SCHEMA) -> None:
    """Record sides of the demo, or base, into the store at *url*; a new DuckDB file is a copy."""
    file, sides = Path(url.removeprefix("duckdb:///")), sides or ("base",)
    if url.startswith("duckdb:///") and not file.exists():
        file.write_bytes(_recorded(*sides, schema=schema))
    else:
        _record(url, *sides, schema=schema)


@cache
def _recorded(*sides: demo_data.Side, schema: str) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder, "store.duckdb")
        _record(file_url(file), *sides, schema=schema)
        return file.read_bytes()


def _record(url: str, *sides: demo_data.Side, schema: str) -> None:
    with UnifiedSqlAdapter.from_url(url) as adapter:
        for side in sides:
            record_project(adapter.at(schema), extract_project(demo_data.artifacts(side), environment=side))


def copy_demo(factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Copy the file of `recce-meta demo`, which is built once, to *folder*."""
    file = built_once(factory, "demo", demo) / f"{demo_data.DATABASE}.duckdb"
    return Path(copy(file, folder))


def copy_annotations(source: UnifiedSqlAdapter, target: UnifiedSqlAdapter, schema: str) -> None:
    """Copy all changes of annotations into the store of *target* in *schema*."""
    events = list_annotations(source, with_history=True)
    with open_store(target.at(schema), writes=True) as store:
        insert_events(store, events)


def file_url(file: Path) -> str:
    """Return the URL of a DuckDB file."""
    return f"duckdb:///{file}"


def store_at(url: str, schema: str = DEFAULT_SCHEMA, *, name: str = "default", seconds: float = 30) -> Store:
    """Return the store at *url*, as `serve` opens it."""
    return Store(name, lambda: UnifiedSqlAdapter.from_url(url, may_create=False).at(schema), seconds=seconds)


def client_of(*stores: Store, access: Access | None = None, address: str = LOCAL) -> TestClient:
    """Return a client of a server with *stores*, which does not follow redirects."""
    app = create_app({store.name: store for store in stores}, access or Access())
    return TestClient(app, base_url=address, follow_redirects=False)
