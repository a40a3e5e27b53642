"""Small stores for tests of the server: one run or two, in a DuckDB file or a schema of PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_project
from recce_meta.extractors.project import extract_project
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.marks.annotations import insert_events, list_annotations
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA

LOCAL = "http://127.0.0.1"


def record_side(url: str, side: demo_data.Side = "base", schema: str = DEFAULT_SCHEMA) -> None:
    """Record one side of the demo into the store at *url*."""
    with UnifiedSqlAdapter.from_url(url) as adapter:
        record_project(adapter.at(schema), extract_project(demo_data.artifacts(side), environment=side))


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
