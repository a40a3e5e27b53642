"""Tables of any columns on each warehouse, and plans that run on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.api.data.execution import QueryExecutor
from recce_meta.data_diff.plan import Plan, Query
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.models.data_diff import DataSide, Subject
from recce_meta.warehouses.dialect import Dialect, dialect_named
from tests.spelling import spelling_of


class Bench:
    """One warehouse with a schema to fill; keeps the queries that plans have asked."""

    def __init__(self, adapter: UnifiedSqlAdapter, schema: str) -> None:
        self.adapter = adapter
        self.schema = schema
        self.asked: list[Query] = []

    def __repr__(self) -> str:
        return f"<Bench {self.dialect.name}>"

    @property
    def dialect(self) -> Dialect:
        """The warehouse's SQL."""
        return dialect_named(self.adapter.warehouse.dialect)

    def quoted(self, name: str) -> str:
        """The table *name* as SQL names it."""
        return self.adapter.quote_table(self.schema, name)

    def fill(self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]] = ()) -> str:
        """A table of *columns*, by name and type, with *rows*, in place of what has its name."""
        spelling = spelling_of(self.adapter.warehouse.name)
        spelling.create_table(self.adapter, self.quoted(name), columns, rows)
        return name

    def pair(self, base: str | None, current: str | None, *, is_joined: bool = True) -> Pair:
        """The tables *base* and *current*; a side that has none is None."""
        return Pair(
            subject=Subject(name=current or base or "nothing", base=base, current=current),
            base=self._source(base, DataSide.BASE),
            current=self._source(current, DataSide.CURRENT),
            is_joined=is_joined,
        )

    def _source(self, name: str | None, side: DataSide) -> SideRelation | None:
        if name is None:
            return None
        relation = table(self.dialect, self.quoted(name))
        return SideRelation(relation=relation, dialect=self.dialect, side=side, name=name)

    def run(self, plan: Plan[Any], base: Bench | None = None) -> Any:
        """The result of *plan*, whose base is that of another bench if it is given."""
        self.asked.clear()
        pools = [Pool(bench.adapter, threads=1) for bench in (self, base) if bench is not None]
        return QueryExecutor(*pools, around=self._noted).run(plan)

    @contextmanager
    def _noted(self, query: Query) -> Iterator[Callable[[int], None]]:
        self.asked.append(query)
        yield lambda rows: None


@pytest.fixture
def bench(adapter: UnifiedSqlAdapter, schema: str) -> Bench:
    """Each warehouse in turn."""
    return Bench(adapter, schema)


@pytest.fixture
def benches(request: pytest.FixtureRequest) -> Iterator[list[Bench]]:
    """DuckDB and PostgreSQL side by side."""
    urls = "duckdb:///:memory:", request.getfixturevalue("postgres_url")
    name = request.getfixturevalue("schema_name")
    adapters = [UnifiedSqlAdapter.from_url(url) for url in urls]
    for adapter in adapters:
        adapter.execute(f"CREATE SCHEMA {adapter.quote_identifier(name)}")
    yield [Bench(adapter, name) for adapter in adapters]
    for adapter in adapters:
        adapter.execute(f"DROP SCHEMA {adapter.quote_identifier(name)} CASCADE")
        adapter.close()
