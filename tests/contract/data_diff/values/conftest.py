"""Tables to compare in each warehouse, and plans run there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.api.data.execution import QueryExecutor
from recce_meta.data_diff import across
from recce_meta.data_diff.plan import Plan, Query
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.models.data_diff import DataSide, Subject
from recce_meta.warehouses.dialect import Dialect, dialect_named
from tests.spelling import spelling_of

Result = TypeVar("Result")
Rows = Sequence[Sequence[Any]]


@dataclass
class Site:
    """One warehouse with a schema of its own."""

    adapter: UnifiedSqlAdapter
    schema: str
    dialect: Dialect
    pool: Pool
    asked: list[Query] = field(repr=False)
    is_joined: bool = True
    """False to compare as if each table was in a target of its own."""

    def create(self, name: str, columns: Mapping[str, str], rows: Rows) -> None:
        """A table of *columns*, by name, with *rows*."""
        spelling_of(self.adapter.warehouse.name).create_table(
            self.adapter, self.relation(name), columns, rows
        )

    def relation(self, name: str) -> str:
        """The table's qualified name."""
        return self.adapter.quote_table(self.schema, name)

    def source(self, name: str, side: DataSide) -> SideRelation:
        """The table as one side of a diff."""
        return SideRelation(
            relation=table(self.dialect, self.relation(name)), dialect=self.dialect, side=side, name=name
        )

    def pair(self, base: str | None = "base", current: str | None = "current") -> Pair:
        """Two tables to compare."""
        return Pair(
            subject=Subject(name="orders"),
            base=None if base is None else self.source(base, DataSide.BASE),
            current=None if current is None else self.source(current, DataSide.CURRENT),
            is_joined=self.is_joined,
        )

    def run(self, plan: Plan[Result]) -> Result:
        """What *plan* comes to here; `asked` then holds its queries."""
        self.asked.clear()
        return QueryExecutor(self.pool, around=self._noted).run(plan)

    @contextmanager
    def _noted(self, query: Query) -> Iterator[Callable[[int], None]]:
        self.asked.append(query)
        yield lambda rows: None


def opened(backend: Any, schema: str) -> Iterator[Site]:
    with backend.connect() as adapter, Pool(adapter, threads=2) as pool:
        spelling = spelling_of(backend.name)
        spelling.create_schema(adapter, schema)
        try:
            yield Site(adapter, schema, dialect_named(adapter.warehouse.dialect), pool, [])
        finally:
            spelling.drop_schema(adapter, schema)


@pytest.fixture
def way() -> str:
    """One target; a module has two targets as well, for which it makes a parameter of this."""
    return "one target"


@pytest.fixture
def site(backend: Any, schema_name: str, way: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Each warehouse in turn. With two targets, no query can read both tables."""
    if way == "two targets, in parts":
        monkeypatch.setattr(across, "FEW_ROWS", 0)
    for site in opened(backend, schema_name):
        site.is_joined = way == "one target"
        yield site


@pytest.fixture
def sites(request: pytest.FixtureRequest, tmp_path: Any, schema_name: str) -> Iterator[tuple[Site, Site]]:
    """DuckDB and PostgreSQL, or the two kinds of warehouses that the parameter names."""
    files = {name: f"{name}:///{tmp_path / name}.db" for name in ("duckdb", "sqlite")}

    @dataclass
    class Place:
        name: str

        def connect(self) -> UnifiedSqlAdapter:
            return UnifiedSqlAdapter.from_url(
                files.get(self.name) or request.getfixturevalue(f"{self.name}_url")
            )

    first, second = (
        opened(Place(name), "main" if name == "sqlite" else schema_name)
        for name in getattr(request, "param", "duckdb-postgres").split("-")
    )
    pair = next(first), next(second)
    yield pair
    for site in (first, second):
        next(site, None)


@pytest.fixture
def tables(site: Site) -> Callable[..., None]:
    """The function that makes both tables: columns of base, rows of base and current, columns of current."""

    def make(
        columns: Mapping[str, str],
        base: Rows,
        current: Rows,
        current_columns: Mapping[str, str] | None = None,
    ) -> None:
        site.create("base", columns, base)
        site.create("current", current_columns or columns, current)

    return make
