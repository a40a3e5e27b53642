"""A store on each backend, and projects to record in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Column, MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.store.write import record_run


@dataclass
class Store:
    """Where one test records: a database and a schema of its own."""

    backend: Any
    schema: str
    adapter: UnifiedSqlAdapter

    @property
    def url(self) -> str:
        """The URL of the database, where it has one."""
        return str(self.backend.url)

    def another(self) -> UnifiedSqlAdapter:
        """A second connection to the same database."""
        adapter: UnifiedSqlAdapter = self.backend.connect()
        return adapter

    def scalar(self, sql: str) -> Any:
        """The one value that *sql* gives, `{s}` standing for the schema."""
        quoted = self.adapter.quote_identifier(self.adapter.warehouse.folded(self.schema))
        return self.adapter.execute(sql.replace("{s}", quoted))[1][0][0]

    def counts(self) -> dict[str, int]:
        tables = (
            "runs",
            "run_results",
            "graph_parts",
            "part_nodes",
            "node_versions",
            "version_parents",
            "macros",
        )
        return {table: self.scalar(f"SELECT COUNT(*) FROM {{s}}.store_{table}") for table in tables}


@pytest.fixture
def database(backend: Any) -> Iterator[Store]:
    """Yield an empty database with an unused schema name, which needs quotes if it may."""
    schema = backend.spelling.schema_name().replace("Recce ", 'Meta "')
    adapter = backend.connect()
    try:
        yield Store(backend, schema, adapter)
    finally:
        if backend.name not in ("duckdb", "sqlite"):  # a file goes with its folder
            backend.spelling.drop_schema(adapter, schema)
        adapter.close()


@pytest.fixture
def store(backend: Any, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Yield an empty store in a database of its own.

    The first recorder creates it if nothing can be prepared, or if the marker `without_store` asks for that.
    """
    has_none = request.node.get_closest_marker("without_store") is not None
    prepared = None if has_none else request.getfixturevalue("prepared")
    if prepared is None:
        yield request.getfixturevalue("database")
        return
    backend, schema = prepared
    with backend.connect() as adapter:
        yield Store(backend, schema, adapter)


@pytest.fixture
def adapter(store: Store) -> UnifiedSqlAdapter:
    """The adapter of the store."""
    return store.adapter


@pytest.fixture
def schema(store: Store) -> str:
    """The schema of the store."""
    return store.schema


Recorded = Callable[..., Store]


@pytest.fixture
def recorded_store(
    backend: Any, prepared_databases: Any, request: pytest.FixtureRequest
) -> Iterator[Recorded]:
    """Yield a function that returns a store with the given projects, in order.

    A store with the same projects, by *key*, is recorded once.
    """
    with ExitStack() as stack:

        def recorded(key: object, projects: Sequence[Project]) -> Store:
            def fill(adapter: UnifiedSqlAdapter) -> None:
                for project in projects:
                    record_run(adapter, project)

            copied = prepared_databases.copied(backend, (request.path, key), fill)
            copy = stack.enter_context(copied)
            if copy is None:
                store: Store = request.getfixturevalue("database")
                fill(store.adapter.at(store.schema))
                return store
            return Store(*copy, stack.enter_context(copy[0].connect()))

        yield recorded


def _node(name: str, place: str, **fields: Any) -> NodeMetadata:
    return NodeMetadata(
        **{
            "unique_id": f"model.shop.{name}",
            "name": name,
            "resource_type": "model",
            "package_name": "shop",
            "path": f"models/{name}.sql",
            "fqn": ("shop", name),
            "database_name": "db",
            "schema_name": place,
            "identifier": name,
            "relation_name": f'"db"."{place}"."{name}"',
            "materialized": "table",
            "language": "sql",
            **fields,
        }
    )


def _project(
    run_id: str = "run-1",
    *,
    environment: str = "current",
    place: str = "prod",
    project_name: str = "shop",
    run_at: datetime = datetime(2026, 11, 1, 10, tzinfo=timezone.utc),
    changed: tuple[str, ...] = (),
    size: int = 12,
    **run_fields: Any,
) -> Project:
    """A chain of *size* models with a macro, a group and results; *changed* models have other code."""
    nodes = []
    for number in range(size):
        name = f"m{number:03}"
        parent = f"m{number - 1:03}"
        body = "changed" if name in changed else "plain"
        source = f'"db"."{place}"."{parent}"' if number else "nothing"
        nodes.append(
            _node(
                name,
                place,
                raw_code=f"select '{body}' from {{{{ ref('{parent}') }}}}",
                compiled_code=f"select '{body}' from {source}",
                code_hash=f"hash-{body}-{name}",
                config={"materialized": "table"},
                columns=(Column("id", type="INTEGER"),),
                columns_from="catalog",
                parents=(f"model.shop.{parent}",) if number else (),
                macros=("macro.shop.cents",),
            )
        )
    return Project(
        run=RunMetadata(
            run_id=run_id, run_at=run_at, project_name=project_name, environment=environment, **run_fields
        ),
        nodes=tuple(nodes),
        macros=(MacroMetadata(unique_id="macro.shop.cents", name="cents", macro_sql="x", code_hash="y"),),
        groups=(NodeMetadata(unique_id="group.shop.finance", name="finance", resource_type="group"),),
        results=(NodeResult(unique_id="model.shop.m000", status="success", seconds=0.5, rows=3),),
    )


@pytest.fixture
def make_project() -> Callable[..., Project]:
    """The function that makes projects."""
    return _project


@pytest.fixture
def make_node() -> Callable[..., NodeMetadata]:
    """The function that makes models: a name, a schema, other fields."""
    return _node
