"""The warehouses of the contract tests: DuckDB always, PostgreSQL if a server is running, SQLite for stores.

With `--warehouse NAME` the tests run only on that warehouse: with `--profile` on a real one, else on its
emulator.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, partial
from pathlib import Path
from sqlite3 import connect
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.store.session import init_store
from tests import emulators
from tests.spelling import Spelling, spelling_of
from tests.support.once import built_once

BACKENDS = ("duckdb", "postgres")
STORE_BACKENDS = (*BACKENDS, "sqlite")
"""Also for tests of the store and its SQL: data diffs and scans run on SQLite only if it is selected."""
OF_STORES = ("store", "sql", "sync")
"""Folders of these tests."""
OF_DUCKDB = ("test_store_comments.py", "test_store_migrate.py", "test_store_prefix.py", "test_waiting.py")
"""Their modules about what SQLite has not: comments, stores of early versions, and writers that wait."""
LIMITS = Path(__file__).parents[1] / "data" / "limits"
"""Limits of databases that run live."""
EMULATED = "emulated"
"""Name of the profile and target of an emulator."""


@dataclass(frozen=True)
class Backend:
    """A warehouse to test on."""

    name: str
    arguments: Sequence[str]
    """Command-line arguments that connect to it."""

    @property
    def spelling(self) -> Spelling:
        """Return the SQL spelling of tests for it."""
        return spelling_of(self.name)

    @property
    def url(self) -> str:
        """Return its URL; skip the test if it is reached by a profile."""
        if self.arguments[0] != "--url":
            pytest.skip("reached by a profile, which has no URL")
        return self.arguments[1]

    def connect(self, **options: float) -> UnifiedSqlAdapter:
        """Return another adapter for the same database."""
        given = dict(zip(self.arguments[::2], self.arguments[1::2], strict=True))
        if "--url" in given:
            return UnifiedSqlAdapter.from_url(given["--url"], **options)
        return UnifiedSqlAdapter.from_dbt_profile(
            given.get("--profiles-dir"), given["--profile"], given.get("--target"), **options
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each warehouse test on all of them, or on the selected one.

    The marker `emulated` adds emulators: those that it names, else all.
    """
    if "backend" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--warehouse")
        is_of_stores = metafunc.definition.path.parent.name in OF_STORES
        backends: list[Any] = [chosen] if chosen else list(STORE_BACKENDS if is_of_stores else BACKENDS)
        emulated = metafunc.definition.get_closest_marker("emulated")
        if emulated and not chosen:
            names = emulated.args or emulators.NAMES
            backends += [pytest.param(name, marks=pytest.mark.emulator) for name in names]
        metafunc.parametrize("backend", backends, indirect=True, scope="function")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what a warehouse or its emulator cannot do; with a selected warehouse, deselect other tests.

    The core runs all tests of stores on SQLite, which takes a fifth of DuckDB's time, and the first of each
    module on DuckDB, or the reverse in those of OF_DUCKDB; all others on DuckDB; and the first case of each
    test on PostgreSQL. The parts repeat the rest there.
    """
    chosen = config.getoption("--warehouse")
    seen = set()
    # Not in the order of a run, which is random.
    for item in sorted(items, key=lambda item: item.nodeid):
        few = {"postgres": item.nodeid.partition("[")[0]}
        if item.path.parent.name in OF_STORES:
            few["sqlite" if item.path.name in OF_DUCKDB else "duckdb"] = str(item.path)
        of = few.get(_backend_of(item) or "")
        if of is not None and item.get_closest_marker("core") is None:
            if of in seen:
                item.add_marker("extensive")
            seen.add(of)
    is_emulated = config.getoption("--profile") is None
    if chosen is not None:
        kept, left_out = [], []
        for item in items:
            is_about_it = "backend" in getattr(item, "fixturenames", ())
            is_too_much = item.get_closest_marker("beyond_emulators") is not None
            is_too_much = is_too_much and is_emulated and chosen in emulators.NAMES
            (kept if is_about_it and not is_too_much else left_out).append(item)
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept
    for warehouse in (chosen,) if chosen else emulators.NAMES:
        of_warehouse = [item for item in items if _backend_of(item) == warehouse]
        if of_warehouse and is_emulated and warehouse in emulators.NAMES:
            _mark_limits(warehouse, emulators.limits(warehouse), of_warehouse)
        if of_warehouse and (limits := LIMITS / f"{warehouse}.yml").exists():
            _mark_limits(warehouse, emulators.read_limits(limits), of_warehouse)


def _backend_of(item: pytest.Item) -> str | None:
    """Return the warehouse that the test runs on."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("backend") if callspec else None


def _mark_limits(warehouse: str, limits: Sequence[emulators.Limit], items: Sequence[pytest.Item]) -> None:
    for limit in limits:
        files = {pattern.partition("::")[0] for pattern in limit.tests}
        gone = [file for file in files if not list(Path(__file__).parent.glob(file))]
        assert not gone, f"limits of {warehouse} name files that do not exist: {gone}"
        for item in items:
            if any(fnmatch(_id(item, warehouse), pattern) for pattern in limit.tests):
                mark = pytest.mark.xfail(reason=limit.reason, run=not limit.crashes, strict=not limit.crashes)
                item.add_marker(mark)


def _id(item: pytest.Item, warehouse: str) -> str:
    """Return the test's id from `tests/contract/` on, without the warehouse: `store/test_x.py::test_y[z]`."""
    path, _, name = item.nodeid.partition("::")
    name = name.replace(f"[{warehouse}-", "[").replace(f"-{warehouse}]", "]").replace(f"[{warehouse}]", "")
    return f"{path.rpartition('contract/')[2]}::{name}"


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Backend]]:
    """Yield a function that starts the emulator of a warehouse, once for the whole session."""
    with ExitStack() as stack:

        @cache
        def start(name: str) -> Backend:
            scratch = tmp_path_factory.mktemp(name)
            output = stack.enter_context(emulators.running(name, scratch))
            profiles = {EMULATED: {"target": EMULATED, "outputs": {EMULATED: dict(output)}}}
            (scratch / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
            return Backend(name, ["--profiles-dir", str(scratch), "--profile", EMULATED])

        yield start


@pytest.fixture
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Backend:
    """Return each warehouse in turn; a database in a file is a copy of an empty one."""
    name, config = request.param, request.config
    if (profile := config.getoption("--profile")) is not None:
        options = {
            "--profiles-dir": config.getoption("--profiles-dir"),
            "--profile": profile,
            "--target": config.getoption("--target"),
        }
        return Backend(name, [word for option, value in options.items() if value for word in (option, value)])
    if name == "duckdb":
        empty = built_once(tmp_path_factory, "empty DuckDB", _create_empty) / "empty.duckdb"
        file = shutil.copy(empty, tmp_path / "warehouse.duckdb")
        return Backend(name, ["--url", f"duckdb:///{file}"])
    if name == "postgres":
        return Backend(name, ["--url", request.getfixturevalue("postgres_url")])
    if name == "mysql":
        return Backend(name, ["--url", request.getfixturevalue("mysql_url")])
    if name == "sqlite":
        connect(tmp_path / "warehouse.db").close()
        return Backend(name, ["--url", f"sqlite:///{tmp_path / 'warehouse.db'}"])
    start: Callable[[str], Backend] = request.getfixturevalue("emulated")
    return start(name)


@pytest.fixture
def adapter(backend: Backend) -> Iterator[UnifiedSqlAdapter]:
    """Yield an adapter for the warehouse, and close it afterwards."""
    with backend.connect() as adapter:
        yield adapter


@pytest.fixture
def schema_name(request: pytest.FixtureRequest) -> str:
    """Return a unique schema name, which needs quotes if the warehouse allows such names."""
    names = "backend" in request.fixturenames
    return spelling_of(request.getfixturevalue("backend").name if names else "postgres").schema_name()


@pytest.fixture
def schema(adapter: UnifiedSqlAdapter, backend: Backend, schema_name: str) -> Iterator[str]:
    """Yield an empty schema, and drop it afterwards."""
    backend.spelling.create_schema(adapter, schema_name)
    yield schema_name
    backend.spelling.drop_schema(adapter, schema_name)


STORE_SCHEMA = 'Meta "prepared'
"""Schema of stores in databases of their own; it needs quotes."""
Fill = Callable[[UnifiedSqlAdapter], object]
"""Function that fills a store."""


class PreparedDatabases:
    """Databases with a store, each made once for all tests of a process, which get copies.

    Creating a store takes 0.7 s of CPU in DuckDB and 1 s in PostgreSQL, which is more than most tests take. A
    copy takes milliseconds in DuckDB and SQLite, and 0.1 s in PostgreSQL 15 and newer. Earlier servers need a
    checkpoint for a copy, which takes longer than the creation.
    """

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._files: dict[object, Path] = {}
        self._templates: dict[object, str] = {}
        self._server: psycopg.Connection[Any] | None = None

    @contextmanager
    def copied(
        self, backend: Backend, key: object = None, fill: Fill = init_store
    ) -> Iterator[tuple[Backend, str] | None]:
        """Yield a copy of the database *key* with the schema of its store; drop that of a server afterwards.

        The first call with *key* creates the database and runs *fill* on its store, which is empty without a
        key. Yield None if the warehouse has no copies.
        """
        if backend.name in ("duckdb", "sqlite"):
            shutil.copy(self._file(backend.name, key, fill), backend.url.partition(":///")[2])
            yield backend, _schema_of(backend.name)
        elif backend.name == "postgres" and self._can_copy(backend.url):
            name = self._created(self._template(backend.url, key, fill))
            try:
                yield Backend(backend.name, ["--url", _with_database(backend.url, name)]), STORE_SCHEMA
            finally:
                self._drop(name)
        else:
            yield None

    def close(self) -> None:
        """Drop the templates of the server."""
        if self._server is not None:
            for name in self._templates.values():
                self._drop(name)
            self._server.close()

    def _file(self, name: str, key: object, fill: Fill) -> Path:
        if (name, key) not in self._files:
            if key is None:
                folder = built_once(self._factory, f"empty store of {name}", partial(_create_file, name))
                file = folder / "store.db"
            else:
                file = self._factory.mktemp("prepared") / "store.db"
                shutil.copy(self._file(name, None, init_store), file)
                _fill(f"{name}:///{file}", _schema_of(name), fill)
            self._files[name, key] = file
        return self._files[name, key]

    def _can_copy(self, url: str) -> bool:
        """Return True if the server copies databases without a checkpoint, and the role may create them."""
        if self._server is None:
            self._server = psycopg.connect(url, autocommit=True)
        right = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
        return bool(self._templates) or (
            self._server.info.server_version >= 150000 and self._server.execute(right).fetchone() == (True,)
        )

    def _template(self, url: str, key: object, fill: Fill) -> str:
        if key not in self._templates:
            name = self._created("template1" if key is None else self._template(url, None, init_store))
            try:
                _fill(_with_database(url, name), STORE_SCHEMA, fill)
            except BaseException:
                self._drop(name)
                raise
            self._templates[key] = name
        return self._templates[key]

    def _created(self, template: str) -> str:
        assert self._server is not None
        name = f"recce_meta_tests_{uuid4().hex[:12]}"
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return name

    def _drop(self, name: str) -> None:
        assert self._server is not None
        self._server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _create_empty(folder: Path) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'empty.duckdb'}") as adapter:
        adapter.connect()


def _create_file(name: str, folder: Path) -> None:
    if name == "sqlite":
        (folder / "store.db").touch()  # as an existing file, which keeps its mode
    _fill(f"{name}:///{folder / 'store.db'}", _schema_of(name), init_store)


def _fill(url: str, schema: str, fill: Fill) -> None:
    with UnifiedSqlAdapter.from_url(url) as adapter:
        fill(adapter.at(schema))


def _schema_of(name: str) -> str:
    return "main" if name == "sqlite" else STORE_SCHEMA


def _with_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def prepared_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedDatabases]:
    """Yield databases with stores that were made once."""
    with closing(PreparedDatabases(tmp_path_factory)) as databases:
        yield databases


@pytest.fixture
def prepared(backend: Backend, prepared_databases: PreparedDatabases) -> Iterator[tuple[Backend, str] | None]:
    """Yield a database with an empty store, and the store's schema; None if it has to be created."""
    with prepared_databases.copied(backend) as copy:
        yield copy
