"""The warehouses that every contract test runs on: DuckDB always, PostgreSQL where a server answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter

BACKENDS = ("duckdb", "postgres")


@dataclass(frozen=True)
class Backend:
    """A warehouse to test on."""

    name: str
    url: str

    def connect(self, **options: float) -> UnifiedSqlAdapter:
        """Another adapter for the same database."""
        return UnifiedSqlAdapter.from_url(self.url, **options)


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
