"""Fixtures of the tests of the server: one rich store for all of them, on DuckDB and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.public.store import copy_runs
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.read import list_runs
from tests.contract.server import rich_store
from tests.contract.server.small_store import copy_annotations

POSTGRES_SCHEMA = f"rich_store_{uuid4().hex[:12]}"
"""Schema of the copy in PostgreSQL: another one in each process."""


@pytest.fixture(scope="session")
def rich_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a store with everything: see `rich_store`. Tests must not write to it."""
    return rich_store.copy(tmp_path_factory)


@pytest.fixture(scope="session")
def client(rich_url: str) -> Iterator[TestClient]:
    """Yield a client of the server of the rich store, which is called `default`."""
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(rich_url))
    with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="session")
def postgres_client(rich_url: str, postgres_url: str) -> Iterator[TestClient]:
    """Yield the same for a copy of the store in PostgreSQL."""
    with UnifiedSqlAdapter.from_url(rich_url) as source, UnifiedSqlAdapter.from_url(postgres_url) as target:
        target.execute(f"DROP SCHEMA IF EXISTS {POSTGRES_SCHEMA} CASCADE")
        found = list_runs(source, status=None)
        copy_runs(source, target.at(POSTGRES_SCHEMA), [run.run_id for run in found])
        copy_annotations(source, target, POSTGRES_SCHEMA)
        try:
            store = Store("default", lambda: UnifiedSqlAdapter.from_url(postgres_url).at(POSTGRES_SCHEMA))
            app = create_app({"default": store}, Access())
            with TestClient(app, base_url="http://127.0.0.1") as client:
                yield client
        finally:
            target.execute(f"DROP SCHEMA IF EXISTS {POSTGRES_SCHEMA} CASCADE")
