"""One file of DuckDB for all tests that have a schema of their own: it stays open, so opening it is cheap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from tests.contract.conftest import Backend


@pytest.fixture(scope="session")
def open_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = f"duckdb:///{tmp_path_factory.mktemp('shared') / 'warehouse.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.connect()
        yield url


@pytest.fixture
def backend(backend: Any, request: pytest.FixtureRequest) -> Any:
    if backend.name == "duckdb" and "schema_name" in request.fixturenames:
        return Backend("duckdb", ["--url", request.getfixturevalue("open_file")])
    return backend
