"""What every test may ask for: a PostgreSQL, and projects that differ in one edit.

Where PostgreSQL is required, its absence fails a test instead of skipping it.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
import signal
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

KEPT_TOGETHER = (
    "test_dbt_package.py",
    "test_dbt_package_statements.py",
    "test_html_report.py",
    "test_installs.py",
    "test_postgres_failures.py",
    "test_postgres_views.py",
    "test_recce_agreement.py",
    "test_rendering.py",
)
"""Modules whose fixtures are dear: the tests of each run in one process, which makes them once."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Tests go to whichever process is free, those that are kept together first."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return module if Path(module).name in KEPT_TOGETHER else nodeid

    return Scheduling(config, log)


def pytest_configure() -> None:
    """Let commands be interrupted, even where a shell started the tests in its background.

    It ignores these signals there, and processes inherit that.
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_finish() -> None:
    """Spare each search for garbage ten thousand tests, which stay to the end, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the contract tests run: on DuckDB and PostgreSQL, unless a warehouse is named."""
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
}
"""Words of a skip, and the variable that is set in CI, so that a server that did not start cannot pass for a
green run."""

POSTGRES_URL = os.environ.get("RECCE_META_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
MYSQL_URL = os.environ.get("RECCE_META_TEST_MYSQL_URL", "mysql+pymysql://root@127.0.0.1:3306/test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip for want of a server into a failure where the server is required."""
    report = yield
    for words, variable in REQUIRED.items():
        if report.skipped and words in str(report.longrepr) and os.environ.get(variable):
            report.outcome = "failed"
            report.longrepr = f"{variable} is set, but the test was skipped: {report.longrepr}"
    return report


DATA = Path(__file__).parent / "data"


def applied(value: Any, difference: dict[str, Any]) -> Any:
    """*value* with a recorded difference, in the form that tests/data/state_cases/README.md tells."""
    if "=" in difference:
        return difference["="]
    kept = {key: member for key, member in value.items() if key not in difference["-"]}
    return kept | {key: applied(value.get(key), inner) for key, inner in difference["+"].items()}


class Variants:
    """A manifest and its variants, as the projects that they are; each is extracted once."""

    def __init__(self, base: dict[str, Any], differences: dict[str, dict[str, Any]], scratch: Path) -> None:
        self._base = base
        self._differences = differences
        self._scratch = scratch
        self._extracted: dict[str, Project] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The variants' names, without `base`."""
        return tuple(self._differences)

    def __call__(self, name: str) -> Project:
        """The variant of that name; `base` is the project itself."""
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
    """The function that makes variants: a manifest, and differences from it by name."""
    return lambda base, differences: Variants(base, differences, tmp_path_factory.mktemp("variants"))


@pytest.fixture(scope="session")
def state_cases(variants_of: VariantsOf) -> Variants:
    """The 54 variants that came with dbt's own answers."""
    folder = DATA / "state_cases"
    return variants_of(unzipped(folder / "base.json.gz"), unzipped(folder / "variants.json.gz"))


@pytest.fixture(scope="session")
def state_variants(variants_of: VariantsOf) -> Variants:
    """The variants that scripts/build_state_variants.py made."""
    folder = DATA / "state_variants"
    return variants_of(unzipped(folder / "base.json.gz"), unzipped(folder / "variants.json.gz"))


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The PostgreSQL to test with; skips the test where nothing listens there."""
    place = urlsplit(POSTGRES_URL)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 5432), timeout=2).close()
    except OSError:
        pytest.skip("no PostgreSQL at RECCE_META_TEST_POSTGRES_URL (127.0.0.1:5432 unless set)")
    return POSTGRES_URL


@pytest.fixture(scope="session")
def mysql_url() -> str:
    """The MySQL or MariaDB to test with; skips the test where nothing listens there."""
    place = urlsplit(MYSQL_URL)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 3306), timeout=2).close()
    except OSError:
        pytest.skip("no MySQL at RECCE_META_TEST_MYSQL_URL (127.0.0.1:3306 unless set)")
    return MYSQL_URL
