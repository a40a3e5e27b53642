"""Shared fixtures: a PostgreSQL server, and projects that differ in one edit.

If PostgreSQL is required, its absence fails a test instead of skipping it.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Generator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings

from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

settings.register_profile("busy machines", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machines")

DATA_HOME = Path(tempfile.gettempdir()) / f"recce-meta-tests-{os.getpid()}"
NUMBERS = count()

EXPENSIVE = (
    "test_against_python.py",
    "test_categories_by_execution.py",
    "test_ci_recipes.py",
    "test_cli_connection_worker.py",
    "test_cli_serve.py",
    "test_dbt_package.py",
    "test_dbt_package_statements.py",
    "test_dbt_parse.py",
    "test_durability.py",
    "test_every_page.py",
    "test_extraction.py",
    "test_frozen.py",
    "test_hostile_dbt.py",
    "test_html_report.py",
    "test_installs.py",
    "test_keyboard.py",
    "test_lineage_by_execution.py",
    "test_pages_in_a_browser.py",
    "test_postgres_failures.py",
    "test_postgres_views.py",
    "test_recce_agreement.py",
    "test_rendering.py",
    "test_sqlmesh.py",
    "test_store_prune.py",
    "test_store_record.py",
    "test_stored_diff.py",
    "test_stores.py",
)
"""Modules with few, slow tests: they begin first, so that no process is left alone with one in the end."""
TOGETHER = ("tests/e2e/server",)
"""Folders of which one process runs all modules: they share a server and a browser."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return a scheduler that gives whole modules to any free process, expensive ones first.

    All tests of a module run in one process, which creates the fixtures of the module once.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return next((folder for folder in TOGETHER if f"{folder}/" in module), module)

        def _assign_work_unit(self, node: WorkerController) -> None:
            expensive = [
                module for module in self.workqueue if module in TOGETHER or Path(module).name in EXPENSIVE
            ]
            if expensive:
                self.workqueue.move_to_end(expensive[0], last=False)
            super()._assign_work_unit(node)

    return Scheduling(config, log)


def pytest_configure() -> None:
    """Let commands receive signals even if a shell in the background or `nohup` started the tests.

    Both ignore some signals, and processes inherit that.
    """
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


def pytest_runtest_setup() -> None:
    """Let each test have an own folder for data of the user: with a state in it, `serve` runs a worker."""
    os.environ["XDG_DATA_HOME"] = str(DATA_HOME / str(next(NUMBERS)))


def pytest_collection_finish() -> None:
    """Freeze the collected tests, ten thousand long-lived objects, and collect garbage less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure() -> None:
    """Remove data of the user that tests wrote."""
    shutil.rmtree(DATA_HOME, ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options for the warehouse of the contract tests, by default DuckDB and PostgreSQL."""
    group = parser.getgroup("warehouses")
    group.addoption("--warehouse", help="run tests/contract on this warehouse alone")
    group.addoption(
        "--profile", help="the profile in profiles.yml that reaches it; else its emulator is used"
    )
    group.addoption("--target", help="the target of that profile")
    group.addoption("--profiles-dir", help="the folder of profiles.yml")


REQUIRED = {
    "no PostgreSQL": "RECCE_META_REQUIRE_POSTGRES",
    "no MySQL": "RECCE_META_REQUIRE_MYSQL",
    "no git http-backend": "RECCE_META_REQUIRE_GIT",
    "no bubblewrap": "RECCE_META_REQUIRE_BUBBLEWRAP",
    "no Docker": "RECCE_META_REQUIRE_DOCKER",
    "no Neovim": "RECCE_META_REQUIRE_NEOVIM",
}
"""Reasons of skips, and the variables that CI sets so that a missing server cannot pass for a green run."""

POSTGRES_URL = os.environ.get("RECCE_META_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
MYSQL_URL = os.environ.get("RECCE_META_TEST_MYSQL_URL", "mysql+pymysql://root@127.0.0.1:3306/test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip because of a missing server into a failure if the server is required."""
    report = yield
    for words, variable in REQUIRED.items():
        if report.skipped and words in str(report.longrepr) and os.environ.get(variable):
            report.outcome = "failed"
            report.longrepr = f"{variable} is set, but the test was skipped: {report.longrepr}"
    return report


DATA = Path(__file__).parent / "data"


def applied(value: Any, difference: dict[str, Any]) -> Any:
    """Apply a recorded difference, in the format of tests/data/state_cases/README.md, to *value*."""
    if "=" in difference:
        return difference["="]
    kept = {key: member for key, member in value.items() if key not in difference["-"]}
    return kept | {key: applied(value.get(key), inner) for key, inner in difference["+"].items()}


class Variants:
    """A manifest and its variants as projects, each extracted once."""

    def __init__(self, base: dict[str, Any], differences: dict[str, dict[str, Any]], scratch: Path) -> None:
        self._base = base
        self._differences = differences
        self._scratch = scratch
        self._extracted: dict[str, Project] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the variants, without `base`."""
        return tuple(self._differences)

    def __call__(self, name: str) -> Project:
        """Return the variant of that name; `base` is the project itself."""
        if name not in self._extracted:
            path = self._scratch / f"{name}.json"
            manifest = self._base if name == "base" else applied(self._base, self._differences[name])
            path.write_text(json.dumps(manifest), encoding="utf-8")
            self._extracted[name] = extract_project(
                self._scratch, manifest_path=path, git=GitState(), hash_seed_files=False
            )
            path.unlink()
        return self._extracted[name]


def unzipped(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return content


VariantsOf = Callable[[dict[str, Any], dict[str, dict[str, Any]]], Variants]


@pytest.fixture(scope="session")
def variants_of(tmp_path_factory: pytest.TempPathFactory) -> VariantsOf:
    """Return the function that creates variants from a manifest and its differences by name."""
    return lambda base, differences: Variants(base, differences, tmp_path_factory.mktemp("variants"))


@pytest.fixture(scope="session")
def state_cases(variants_of: VariantsOf) -> Variants:
    """Return the 54 variants recorded with dbt's own answers."""
    folder = DATA / "state_cases"
    return variants_of(unzipped(folder / "base.json.gz"), unzipped(folder / "variants.json.gz"))


@pytest.fixture(scope="session")
def state_variants(variants_of: VariantsOf) -> Variants:
    """Return the variants of scripts/build_state_variants.py."""
    folder = DATA / "state_variants"
    return variants_of(unzipped(folder / "base.json.gz"), unzipped(folder / "variants.json.gz"))


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """Return the URL of the PostgreSQL server for tests; skip the test if it is not running."""
    place = urlsplit(POSTGRES_URL)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 5432), timeout=30).close()
    except OSError:
        pytest.skip("no PostgreSQL at RECCE_META_TEST_POSTGRES_URL (127.0.0.1:5432 unless set)")
    return POSTGRES_URL


@pytest.fixture(scope="session")
def mysql_url() -> str:
    """Return the URL of the MySQL or MariaDB server for tests; skip the test if it is not running."""
    place = urlsplit(MYSQL_URL)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 3306), timeout=30).close()
    except OSError:
        pytest.skip("no MySQL at RECCE_META_TEST_MYSQL_URL (127.0.0.1:3306 unless set)")
    return MYSQL_URL
