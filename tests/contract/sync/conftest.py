"""Two sides of an exchange: a store on each warehouse, and a store in a DuckDB file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Project, RunMetadata
from recce_meta.store.read import list_runs
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA, KEYS
from recce_meta.store.write import record_run
from recce_meta.sync.encoding import pack
from recce_meta.sync.exchange import exchange
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.types import ExchangeStatus, ObjectKind, ObjectOutcome, SyncReport
from tests.contract.store.conftest import Store, database, make_node, make_project, store

__all__ = ["Side", "database", "make_node", "make_project", "store"]


class Side:
    """Store of one side, and what the tests ask it."""

    def __init__(self, adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA, *, creates: bool = True):
        self.adapter, self.schema = adapter, schema
        self.replica = StoreReplica(
            adapter.at(schema), name=adapter.warehouse.name, pack=pack, creates=creates
        )

    def record(self, project: Project, **options: Any) -> RunMetadata:
        """Record *project*."""
        return record_run(self.adapter.at(self.schema), project, **options).run

    def runs(self) -> list[str]:
        """Return the ids of the runs that a reader finds, sorted."""
        return sorted(run.run_id for run in list_runs(self.adapter.at(self.schema), status=None))

    def answer(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query; `{s}` stands for the schema."""
        quoted = self.adapter.quote_identifier(self.adapter.warehouse.folded(self.schema))
        return [tuple(row) for row in self.adapter.answer(sql.replace("{s}.", self._prefix(quoted)))]

    def execute(self, sql: str) -> None:
        """Run a statement; `{s}` stands for the schema."""
        quoted = self.adapter.quote_identifier(self.adapter.warehouse.folded(self.schema))
        self.adapter.execute(sql.replace("{s}.", self._prefix(quoted)))

    def _prefix(self, quoted: str) -> str:
        return "" if self.adapter.warehouse.name == "sqlite" else f"{quoted}."

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table, and when the store was written."""
        found = {name: self.answer(f"SELECT COUNT(*) FROM {{s}}.store_{name}")[0][0] for name in KEYS}
        return {**found, "written_at": self.answer("SELECT written_at FROM {s}.store")[0][0]}

    def conflicts(self) -> list[tuple[Any, ...]]:
        """Return kind and id of each object that is kept aside, sorted."""
        return sorted(self.answer("SELECT kind, object_id FROM {s}.store_sync_conflicts"))

    def hashes(self) -> dict[str, str | None]:
        """Return the hash of each run."""
        return {key.id: one.content for key, one in self.entries() if key.kind is ObjectKind.RUN}

    def entries(self) -> list[tuple[Any, Any]]:
        """Return the inventory, sorted."""
        return sorted(self.replica.inventory().entries.items())

    def opened(self) -> Any:
        """Return a session of a reader."""
        return open_store(self.adapter.at(self.schema))


def push(source: Side, target: Side, **options: Any) -> SyncReport:
    """Push from one side to the other."""
    return exchange(source.replica, target.replica, "push", **options)


def outcomes(report: SyncReport, status: ExchangeStatus) -> list[ObjectOutcome]:
    """Return the outcomes with *status*."""
    return [one for one in report.outcomes if one.status is status]


@pytest.fixture
def here(store: Store) -> Side:
    """A store on each warehouse, which does not exist yet."""
    return Side(store.adapter, store.schema)


@pytest.fixture
def make_side(default_file: Path, tmp_path: Path) -> Iterator[Callable[[str], Side]]:
    """The function that makes empty stores in DuckDB files."""
    made: list[Side] = []

    def make(name: str) -> Side:
        path = tmp_path / f"{name}.duckdb"
        shutil.copy(default_file, path)
        made.append(Side(UnifiedSqlAdapter.from_url(f"duckdb:///{path}")))
        return made[-1]

    yield make
    for side in made:
        side.adapter.close()


@pytest.fixture
def there(make_side: Callable[[str], Side]) -> Side:
    """An empty store in a DuckDB file."""
    return make_side("there")
