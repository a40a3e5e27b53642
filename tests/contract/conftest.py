"""The warehouses that every contract test runs on: DuckDB always, PostgreSQL where a server answers.

With `--warehouse NAME` they run on that one alone: with `--profile` on a real one, else on its emulator.
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
LIMITS = Path(__file__).parent / "limits"
"""What databases that run live have none of."""
EMULATED = "emulated"
"""The profile and target under which an emulator is reached."""


@dataclass(frozen=True)
class Backend:
    """A warehouse to test on."""

    name: str
    arguments: Sequence[str]
    """What tells commands to connect there."""

    @property
    def spelling(self) -> Spelling:
        """How tests write SQL for it."""
        return spelling_of(self.name)

    @property
    def url(self) -> str:
        """Its URL; skips the test where a profile leads there."""
        if self.arguments[0] != "--url":
            pytest.skip("reached by a profile, which has no URL")
        return self.arguments[1]

    def connect(self, **options: float) -> UnifiedSqlAdapter:
        """Another adapter for the same database."""
        given = dict(zip(self.arguments[::2], self.arguments[1::2], strict=True))
        if "--url" in given:
            return UnifiedSqlAdapter.from_url(given["--url"], **options)
        return UnifiedSqlAdapter.from_dbt_profile(
            given.get("--profiles-dir"), given["--profile"], given.get("--target"), **options
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of a warehouse on all of them, or on the one that is named."""
    if "backend" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--warehouse")
        metafunc.parametrize("backend", [chosen] if chosen else BACKENDS, indirect=True, scope="function")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where one warehouse is named, leave out what is not about it, and mark what its emulator cannot do."""
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
        for item in items:
            if any(fnmatch(_id(item, warehouse), pattern) for pattern in limit.tests):
                mark = pytest.mark.xfail(reason=limit.reason, run=not limit.crashes, strict=not limit.crashes)
                item.add_marker(mark)


def _id(item: pytest.Item, warehouse: str) -> str:
    """The test's id from `tests/contract/` on, without the warehouse: `store/test_x.py::test_y[z]`."""
    path, _, name = item.nodeid.partition("::")
    name = name.replace(f"[{warehouse}-", "[").replace(f"-{warehouse}]", "]").replace(f"[{warehouse}]", "")
    return f"{path.rpartition('contract/')[2]}::{name}"


@pytest.fixture(scope="session")
def reachable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The warehouse that is named: by its profile, or its emulator, which runs as long as the session."""
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
    """Each warehouse in turn."""
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
    """An adapter for the warehouse, closed afterwards."""
    with backend.connect() as adapter:
        yield adapter


@pytest.fixture
def schema_name(request: pytest.FixtureRequest) -> str:
    """A name of a schema that nobody else uses; it needs quotes where names may."""
    names = "backend" in request.fixturenames
    return spelling_of(request.getfixturevalue("backend").name if names else "postgres").schema_name()


@pytest.fixture
def schema(adapter: UnifiedSqlAdapter, backend: Backend, schema_name: str) -> Iterator[str]:
    """An empty schema, dropped afterwards."""
    backend.spelling.create_schema(adapter, schema_name)
    yield schema_name
    backend.spelling.drop_schema(adapter, schema_name)
