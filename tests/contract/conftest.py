"""The warehouses that every contract test runs on: DuckDB always, PostgreSQL where a server answers."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter

POSTGRES_URL = os.environ.get("RECCE_META_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
BACKENDS = ("duckdb", "postgres")


@dataclass(frozen=True)
class Backend:
    """A warehouse to test on."""

    name: str
    url: str

    def connect(self, **options: float) -> UnifiedSqlAdapter:
        """Another adapter for the same database."""
        return UnifiedSqlAdapter.from_url(self.url, **options)


def postgres_answers() -> bool:
    """Whether something listens where the PostgreSQL tests would connect."""
    place = urlsplit(POSTGRES_URL)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 5432), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.fixture
def postgres_url() -> str:
    """The PostgreSQL to test with; skips the test where there is none."""
    if not postgres_answers():
        pytest.skip("no PostgreSQL at RECCE_META_TEST_POSTGRES_URL (127.0.0.1:5432 unless set)")
    return POSTGRES_URL


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """Each warehouse in turn."""
    if request.param == "duckdb":
        return Backend("duckdb", f"duckdb:///{tmp_path / 'warehouse.duckdb'}")
    return Backend("postgres", request.getfixturevalue("postgres_url"))


@pytest.fixture
def adapter(backend: Backend) -> Iterator[UnifiedSqlAdapter]:
    """An adapter for the warehouse, closed afterwards."""
    with backend.connect() as adapter:
        yield adapter


@pytest.fixture
def schema_name() -> str:
    """A name of a schema that nobody else uses; needs quoting."""
    return f"Recce {uuid4().hex[:12]}"


@pytest.fixture
def schema(adapter: UnifiedSqlAdapter, schema_name: str) -> Iterator[str]:
    """An empty schema, dropped afterwards."""
    quoted = adapter.quote_identifier(schema_name)
    adapter.execute(f"CREATE SCHEMA {quoted}")
    yield schema_name
    adapter.execute(f"DROP SCHEMA {quoted} CASCADE")
