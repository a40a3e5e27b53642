"""A small history of one project in a store on each backend, recorded by the program itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Column, MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.lineage import (
    Analyse,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    KnownColumns,
    NodeColumns,
    Tier,
    Usage,
)
from recce_meta.store import sql_files
from recce_meta.store.quality import write_quality
from recce_meta.store.write import record_run
from tests.spelling import spelling_of
from tests.support.scanned_shop import measurements, scans

NOW = datetime.now(timezone.utc).replace(microsecond=0)
"""The last run's time: questions about this week are asked of the warehouse's clock."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class SqlStore:
    """A store that is asked in SQL alone."""

    adapter: UnifiedSqlAdapter
    schema: str

    def rows(self, sql: str) -> list[Row]:
        """The rows of *sql*, `{s}` standing for the schema."""
        return [tuple(row) for row in self.adapter.execute(sql.replace("{s}", self._quoted()))[1]]

    def answer(self, question: str) -> list[dict[str, Any]]:
        """What the cookbook file of that name answers, each row by column, whose name is in lower case."""
        (file,) = [file for file in sql_files.cookbook(self.adapter.warehouse.name) if file.name == question]
        (statement,) = file.statements(self._quoted())
        columns, rows = self.adapter.execute(statement)
        names = [name.lower() for name in columns]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def columns(self, view: str) -> list[str]:
        """The names of the view's columns, in order and in lower case."""
        names = self.adapter.execute(f"SELECT * FROM {self._quoted()}.{view} WHERE 1 = 0")[0]
        return [name.lower() for name in names]

    def record(self, project: Project, analyse: Analyse | None = None) -> None:
        record_run(self.adapter.at(self.schema), project, analyse=analyse)

    def _quoted(self) -> str:
        return self.adapter.quote_identifier(self.adapter.warehouse.folded(self.schema))


@pytest.fixture
def empty_store(prepared: tuple[Any, str] | None, request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """Yield a store without a run."""
    if prepared is None:
        yield SqlStore(request.getfixturevalue("adapter"), request.getfixturevalue("schema"))
        return
    backend, schema = prepared
    with backend.connect() as adapter:
        yield SqlStore(adapter, schema)


@pytest.fixture(scope="session")
def told_file(tmp_path_factory: pytest.TempPathFactory, default_file: Path) -> tuple[Path, str]:
    """The history that the module's functions tell in a file of DuckDB, and its schema; tests take a copy."""
    file = tmp_path_factory.mktemp("told") / "told.duckdb"
    shutil.copy(default_file, file)
    with UnifiedSqlAdapter.from_url(f"duckdb:///{file}") as adapter:
        told(SqlStore(adapter, sql_files.DEFAULT_SCHEMA))
    return file, sql_files.DEFAULT_SCHEMA


@pytest.fixture(scope="session")
def read_stores() -> Iterator[dict[str, SqlStore]]:
    """The stores that tests only read, by warehouse; they go at the end."""
    stores: dict[str, SqlStore] = {}
    yield stores
    for name, store in stores.items():
        if name == "postgres":
            store.adapter.execute("SET default_transaction_read_only = off")
        if name != "duckdb":  # the file goes with its folder
            spelling_of(name).drop_schema(store.adapter, store.schema)
        store.adapter.close()


@pytest.fixture
def store(backend: Any, read_stores: dict[str, SqlStore], request: pytest.FixtureRequest) -> SqlStore:
    """The history in a store that tests only read: DuckDB and PostgreSQL refuse to write to it."""
    if backend.name not in read_stores:
        if backend.name == "duckdb":
            file, schema = request.getfixturevalue("told_file")
            adapter = UnifiedSqlAdapter.from_url(f"duckdb:///{file}?access_mode=read_only")
            read_stores[backend.name] = SqlStore(adapter, schema)
        else:
            read_stores[backend.name] = _told_on(backend)
    return read_stores[backend.name]


def _told_on(backend: Any) -> SqlStore:
    schema, adapter = backend.spelling.schema_name(), backend.connect()
    backend.spelling.create_schema(adapter, schema)
    store = told(SqlStore(adapter, schema))
    if backend.name == "postgres":
        adapter.execute("SET default_transaction_read_only = on")
    return store


@pytest.fixture
def own_store(backend: Any, prepared_databases: Any, request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """The same in a store that the test may change."""
    if backend.name == "duckdb":
        with _copied(request, "told_file") as store:
            yield store
        return
    with prepared_databases.copied(backend, "told", lambda at: told(SqlStore(at, at.schema))) as copy:
        if copy is None:
            yield told(request.getfixturevalue("empty_store"))
            return
        with copy[0].connect() as adapter:
            yield SqlStore(adapter, copy[1])


@pytest.fixture
def store_on_duckdb(request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """The same in a file of DuckDB."""
    with _copied(request, "told_file") as store:
        yield store


@contextmanager
def _copied(request: pytest.FixtureRequest, kept: str) -> Iterator[SqlStore]:
    """A store in a copy of the file that the fixture *kept* gives."""
    file, schema = request.getfixturevalue(kept)
    folder = request.getfixturevalue("tmp_path_factory").mktemp("copied")
    copy = shutil.copy(file, folder / file.name)
    with UnifiedSqlAdapter.from_url(f"duckdb:///{copy}") as adapter:
        yield SqlStore(adapter, schema)


def told(store: SqlStore) -> SqlStore:
    """*store*, with the history recorded in it; all but the branch with column lineage."""
    store.record(first(), column_graph({}))
    store.record(second(), column_graph({}))
    store.record(third(), column_graph(CHANGED_COLUMNS))
    store.record(branch())
    return store


@pytest.fixture
def scanned_store(empty_store: SqlStore) -> SqlStore:
    """The history of one live database, and measurements of its quality."""
    return scanned(empty_store)


def scanned(store: SqlStore) -> SqlStore:
    """*store*, with the scans and measurements of `tests.support.scanned_shop` in it."""
    for project in scans(NOW):
        store.record(project)
    for quality in measurements(NOW):
        write_quality(store.adapter.at(store.schema), quality)
    return store


@pytest.fixture
def scan_too() -> Callable[[SqlStore], SqlStore]:
    """The function that puts that history into a store."""
    return scanned


def column_graph(changed: dict[str, NodeColumns]) -> Analyse:
    """A function that finds `COLUMNS`, but for those that *changed*, in any project."""

    def analyse(known: KnownColumns) -> ColumnGraph:
        columns = {**COLUMNS, **changed}
        ids = {unique_id: f"{unique_id}, {len(found.outputs)}" for unique_id, found in columns.items()}
        analyses = {ids[unique_id]: found for unique_id, found in columns.items()}
        return ColumnGraph(
            lineage_ids=ids, analyses={key: found for key, found in analyses.items() if key not in known}
        )

    return analyse


def made(name: str, kind: Kind, *sources: ColumnSource, expression: str | None = None) -> ColumnOutput:
    return ColumnOutput(name, kind, expression, sources)


RAW, STG, SHOP = "source.shop.raw.orders", "model.shop.stg_orders", "model.shop.orders"
COLUMNS = {
    RAW: NodeColumns(outputs=tuple(made(name, Kind.SOURCE) for name in ("id", "amount", "code"))),
    STG: NodeColumns(
        outputs=(
            made("id", Kind.PASSTHROUGH, ColumnSource(RAW, "id")),
            made("amount", Kind.PASSTHROUGH, ColumnSource(RAW, "amount")),
            made("discount_code", Kind.RENAMED, ColumnSource(RAW, "code", 0.9)),
        ),
        uses=(ColumnUse(Usage.FILTER, RAW, "amount"),),
        references=(ColumnSource(RAW, "amount"), ColumnSource(RAW, "code", 0.9)),
    ),
    SHOP: NodeColumns(
        outputs=(
            made("id", Kind.PASSTHROUGH, ColumnSource(STG, "id")),
            made("amount", Kind.PASSTHROUGH, ColumnSource(STG, "amount")),
            made("discount_code", Kind.PASSTHROUGH, ColumnSource(STG, "discount_code")),
        ),
    ),
    "model.shop.report": NodeColumns(
        tier=Tier.SILVER,
        outputs=(
            made("total", Kind.AGGREGATED, ColumnSource(SHOP, "amount", 0.9), expression="SUM(amount)"),
            made("one", Kind.CONSTANT, expression="1"),
        ),
        uses=(ColumnUse(Usage.GROUP, SHOP, "id", 0.9),),
    ),
    "model.shop.legacy": NodeColumns(reason="the SQL cannot be parsed"),
    "test.shop.unique_orders": NodeColumns(uses=(ColumnUse(Usage.FILTER, SHOP, "id"),)),
    "test.shop.long_broken": NodeColumns(uses=(ColumnUse(Usage.FILTER, STG, "amount"),)),
}
"""What the runs of the history hold of columns: of the exposure nothing, and of `legacy` why not."""
CHANGED_COLUMNS = {
    SHOP: NodeColumns(
        outputs=(
            made("id", Kind.PASSTHROUGH, ColumnSource(STG, "id")),
            made("AMOUNT", Kind.DERIVED, ColumnSource(STG, "amount"), expression="amount * 2"),
        ),
        references=(ColumnSource(STG, "amount"),),
    ),
    "model.shop.report": NodeColumns(
        tier=Tier.SILVER,
        outputs=(
            made("total", Kind.AGGREGATED, ColumnSource(SHOP, "AMOUNT", 0.9), expression="SUM(amount)"),
        ),
        uses=(ColumnUse(Usage.GROUP, SHOP, "id", 0.9),),
        references=(ColumnSource(SHOP, "AMOUNT", 0.9), ColumnSource(SHOP, "id", 0.9)),
    ),
    "model.shop.fresh": NodeColumns(
        tier=Tier.BRONZE, outputs=(made("*", Kind.PASSTHROUGH, ColumnSource(SHOP, "*", 0.5)),)
    ),
}
"""The same once `orders` is edited, and `fresh` selects whatever there is."""


@pytest.fixture
def make_model() -> Callable[..., NodeMetadata]:
    """The function that makes models: a name, the names of its parents, other fields."""
    return model


def first() -> Project:
    """A month ago: everything is new, and a test fails already."""
    results = (ran("orders", 10.0), tested("unique_orders", "pass"), tested("long_broken", "fail"))
    return run("base-1", timedelta(days=30), "sha1", (*shop(), LEGACY), results=results)


def second() -> Project:
    """Two days ago: the same graph, from a tree with uncommitted changes."""
    results = (
        ran("orders", 20.0),
        ran("stg_orders", 1.5),
        tested("unique_orders", "pass"),
        tested("long_broken", "fail"),
    )
    return run("base-2", timedelta(days=2), "sha2", (*shop(), LEGACY), results=results, git_dirty=True)


def third() -> Project:
    """Now: `orders` is edited and loses a column, `legacy` is gone, `fresh` is new, a macro changed."""
    edited = msgspec.structs.replace(
        ORDERS,
        raw_code="select id, amount * 2 as amount from {{ ref('stg_orders') }}",
        compiled_code='select id, amount * 2 as amount from "prod"."shop"."stg_orders" -- ⟦ 100% :x',
        code_hash="orders, second edition",
        columns=(Column("id", "INTEGER", documented=True), Column("AMOUNT", "NUMERIC")),
    )
    nodes = (*(edited if node is ORDERS else node for node in shop()), model("fresh", "orders"))
    results = (
        ran("orders", 60.0),
        ran("stg_orders", 1.5),
        tested("unique_orders", "fail", failures=3),
        tested("long_broken", "fail"),
    )
    return run("base-3", timedelta(), "sha3", nodes, results=results, cents="round(x / 100, 2)")


def branch() -> Project:
    """A pull request made from the month-old state: `stg_orders` is edited, and it builds elsewhere."""
    nodes = [moved(node) for node in (*shop(), LEGACY)]
    nodes = [
        msgspec.structs.replace(node, raw_code="select 1", compiled_code="select 1", code_hash="edited")
        if node.name == "stg_orders"
        else node
        for node in nodes
    ]
    return run(
        "current-1",
        timedelta(hours=1),
        "sha9",
        nodes,
        environment="current",
        branch="tidy",
        pull_request="812",
    )


def run(
    run_id: str,
    age: timedelta,
    git_sha: str,
    nodes: tuple[NodeMetadata, ...] | list[NodeMetadata],
    *,
    environment: str = "base",
    branch: str = "main",
    results: tuple[NodeResult, ...] = (),
    cents: str = "x / 100",
    **fields: Any,
) -> Project:
    metadata = RunMetadata(
        run_id=run_id,
        run_at=NOW - age,
        project_name="shop",
        environment=environment,
        git_sha=git_sha,
        branch=branch,
        **fields,
    )
    macro = MacroMetadata(
        unique_id="macro.shop.cents", name="cents", package_name="shop", macro_sql=cents, code_hash=cents
    )
    return Project(
        run=metadata,
        nodes=tuple(sorted(nodes, key=lambda node: node.unique_id)),
        macros=(macro,),
        groups=(NodeMetadata(unique_id="group.shop.finance", name="finance", resource_type="group"),),
        results=results,
    )


def node(resource_type: str, name: str, *parents: str, **fields: Any) -> NodeMetadata:
    known: dict[str, Any] = {
        "unique_id": f"{resource_type}.shop.{name}",
        "name": name.rpartition(".")[2],
        "resource_type": resource_type,
        "package_name": "shop",
        "path": f"{resource_type}s/{name}.sql",
        "parents": tuple(sorted(parents)),
    }
    return NodeMetadata(**{**known, **fields})


def model(name: str, *parents: str, **fields: Any) -> NodeMetadata:
    known: dict[str, Any] = {
        "database_name": "prod",
        "schema_name": "shop",
        "identifier": name,
        "relation_name": f'"prod"."shop"."{name}"',
        "materialized": "table",
        "raw_code": f"select * from {name}",
        "compiled_code": " join ".join(
            ["select * from x", *(f'"prod"."shop"."{parent}"' for parent in parents)]
        ),
        "code_hash": f"{name}, first edition",
    }
    ids = (parent if "." in parent else f"model.shop.{parent}" for parent in parents)
    return node("model", name, *ids, **{**known, **fields})


def moved(node: NodeMetadata) -> NodeMetadata:
    """*node* as built in a pull request's database."""
    if node.relation_name is None or node.resource_type == "source":
        return node
    compiled = node.compiled_code and node.compiled_code.replace('"prod"."shop"', '"pr"."shop"')
    return msgspec.structs.replace(
        node,
        database_name="pr",
        relation_name=node.relation_name.replace('"prod"', '"pr"'),
        compiled_code=compiled,
    )


def ran(name: str, seconds: float) -> NodeResult:
    return NodeResult(unique_id=f"model.shop.{name}", status="success", seconds=seconds)


def tested(name: str, status: str, failures: int = 0) -> NodeResult:
    return NodeResult(unique_id=f"test.shop.{name}", status=status, seconds=0.1, failures=failures)


def source(name: str) -> NodeMetadata:
    return node(
        "source",
        f"raw.{name}",
        source_name="raw",
        database_name="prod",
        schema_name="raw",
        identifier=name,
        relation_name=f'"prod"."raw"."{name}"',
    )


STG_ORDERS = model(
    "stg_orders",
    "source.shop.raw.orders",
    compiled_code='select * from "prod"."raw"."orders"',
    description="Orders as they come",
    macros=("macro.shop.cents",),
)
ORDERS = model(
    "orders",
    "stg_orders",
    description="One row per order",
    columns=(
        Column("id", "INTEGER", description="Key", documented=True),
        Column("amount", "INTEGER"),
        Column("discount_code", "TEXT"),
    ),
    columns_from="catalog",
)
LEGACY = model("legacy", "orders")


def shop() -> tuple[NodeMetadata, ...]:
    """What every run holds."""
    return (
        source("orders"),
        source("coupons"),
        STG_ORDERS,
        ORDERS,
        model("report", "orders"),
        node("test", "unique_orders", "model.shop.orders"),
        node("test", "long_broken", "model.shop.stg_orders"),
        node("exposure", "dashboard", "model.shop.report"),
    )


@pytest.fixture
def last_run_at() -> datetime:
    """When `base-3` ran."""
    return NOW


@pytest.fixture
def make_run() -> Callable[..., Project]:
    """The function that makes runs: an id, an age, a commit, nodes."""
    return run
