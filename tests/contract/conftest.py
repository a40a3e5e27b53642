"""The warehouses of the contract tests: DuckDB always, PostgreSQL if a server is running, SQLite for stores.

With `--warehouse NAME` the tests run only on that warehouse: with `--profile` on a real one, else on its
emulator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from sqlite3 import connect

import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from tests import emulators
from tests.spelling import Spelling, spelling_of

BACKENDS = ("duckdb", "postgres")
STORE_BACKENDS = (*BACKENDS, "sqlite")
"""Also for tests of the store and its SQL: data diffs and scans run on SQLite only if it is selected."""
OF_STORES = ("store", "sql", "sync")
"""Folders of these tests."""
LIMITS = Path(__file__).parent / "limits"
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
    """Run each warehouse test on all of them, or on the selected one."""
    if "backend" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--warehouse")
        is_of_stores = metafunc.definition.path.parent.name in OF_STORES
        backends = [chosen] if chosen else STORE_BACKENDS if is_of_stores else BACKENDS
        metafunc.parametrize("backend", backends, indirect=True, scope="function")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a selected warehouse, deselect tests of other warehouses and mark those beyond its emulator."""
    chosen = config.getoption("--warehouse")
    if chosen is None:
        return
    is_emulated = config.getoption("--profile") is None and chosen in emulators.NAMES
    kept, left_out = [], []
    for item in items:
        is_about_it = "backend" in getattr(item, "fixturenames", ())
        is_too_much = is_emulated and item.get_closest_marker("beyond_emulators") is not None
        (kept if is_about_it and not is_too_much else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
    if is_emulated:
        _mark_limits(chosen, emulators.limits(chosen), items)
    if (limits := LIMITS / f"{chosen}.yml").exists():
        _mark_limits(chosen, emulators.read_limits(limits), items)


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
def reachable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Yield the selected warehouse, by its profile or its emulator, which runs for the whole session."""
    config = request.config
    name = config.getoption("--warehouse")
    profile = config.getoption("--profile")
    if profile is not None:
        given = (("--profiles-dir", config.getoption("--profiles-dir")), ("--profile", profile))
        given = (*given, ("--target", config.getoption("--target")))
        yield Backend(name, [word for option, value in given if value for word in (option, value)])
        return
    scratch = tmp_path_factory.mktemp(name)
    with emulators.running(name, scratch) as output:
        profiles = {EMULATED: {"target": EMULATED, "outputs": {EMULATED: dict(output)}}}
        (scratch / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
        yield Backend(name, ["--profiles-dir", str(scratch), "--profile", EMULATED])


@pytest.fixture
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """Return each warehouse in turn."""
    name = request.param
    if request.config.getoption("--profile") is not None:
        return request.getfixturevalue("reachable")
    if name == "duckdb":
        return Backend(name, ["--url", f"duckdb:///{tmp_path / 'warehouse.duckdb'}"])
    if name == "postgres":
        return Backend(name, ["--url", request.getfixturevalue("postgres_url")])
    if name == "mysql":
        return Backend(name, ["--url", request.getfixturevalue("mysql_url")])
    if name == "sqlite":
        connect(tmp_path / "warehouse.db").close()
        return Backend(name, ["--url", f"sqlite:///{tmp_path / 'warehouse.db'}"])
    return request.getfixturevalue("reachable")


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
