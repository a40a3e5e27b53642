"""Selection and distribution of tests, and shared fixtures: servers, and projects that differ in one edit.

`python -m pytest` runs the core: every test without a marker of `parts.BEYOND_CORE`. `--gate` runs what the
gate has besides: the journeys, and tests of the core with drivers of warehouses. `--part=NAME` runs one of
`parts.PARTS`, and `--all` every test. These three list the programs and servers that were missing.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import HealthCheck, settings

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project
from recce_meta.store.session import init_store
from recce_meta.warehouses.registry import folders_with
from scripts import render_sql
from tests.proofs import sampled
from tests.support import needs, parts
from tests.support.binders import forked_binders
from tests.support.once import built_once

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

settings.register_profile(
    "busy machines",
    deadline=None,
    max_examples=sampled(100, 25),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("busy machines")

DATA_HOME = Path(tempfile.gettempdir()) / f"recce-meta-tests-{os.getpid()}"
NUMBERS = count()
SECONDS: defaultdict[str, float] = defaultdict(float)
"""Time of the tests of each module, in all processes."""
SLOW = 5
"""Seconds from which a module is in the table of the gate."""

if sys.dont_write_bytecode:
    # Many containers set PYTHONDONTWRITEBYTECODE. Each of the processes that run tests would rewrite all
    # assertions, and each of the thousands that tests start would compile the package: half of all CPU.
    # A folder of its own for bytecode would have none of the installed packages.
    sys.dont_write_bytecode = False
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""

BEYOND_CORE = re.compile(rf"^pytestmark = .*\bpytest\.mark\.({'|'.join(parts.BEYOND_CORE)})\b", re.M)
"""Line of a module that marks all of its tests."""
LEFT_TO_OTHERS = pytest.StashKey[frozenset[Path]]()
GATED = re.compile(rf"\bmark\.({'|'.join(parts.GATED)})\b")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return two processes more than there are cores, since many tests wait; none for named files."""
    return 0 if _named_files(config) else (os.cpu_count() or 1) + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return a scheduler of whole modules."""
    from tests.support.shares import Scheduling

    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Choose the share of the modules that this process collects."""
    config = session.config
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return
    gc.disable()  # until `pytest_collection_finish`: nearly everything that a collection creates stays
    from tests.support.shares import is_of_core, left_to_others

    if not is_of_core(config):
        return
    folder = config.invocation_params.dir
    files = sorted(
        file
        for name in config.args
        for file in Path(folder, name).rglob("test_*.py")
        if not pytest_ignore_collect(file, config)
    )
    process = int(worker["workerid"].removeprefix("gw"))
    config.stash[LEFT_TO_OTHERS] = left_to_others(files, process, worker["workercount"])


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a module of another process, or without a test of the core or gate, before it is imported."""
    if collection_path in config.stash.get(LEFT_TO_OTHERS, ()):
        return True
    is_test = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    if not is_test or any(config.getoption(name) for name in ("--all", "--part", "--warehouse")):
        return None
    if collection_path.resolve() in _named_files(config):
        return None
    text = collection_path.read_text(encoding="utf-8")
    if config.getoption("--gate"):
        return None if GATED.search(text) else True
    marked = BEYOND_CORE.search(text)
    if marked is not None:
        _part_of(collection_path, config, {marked[1]})
    return marked is not None or None


def _named_files(config: pytest.Config) -> set[Path]:
    """Return the files that the command line names; folders are no files."""
    folder = config.invocation_params.dir
    paths = (Path(folder, argument.partition("::")[0]) for argument in config.args)
    return {path.resolve() for path in paths if path.is_file()}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is beyond the core, unless an option or the name of its file asks for it.

    A test in no part ends the run of the gate.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        core = item.get_closest_marker("core")
        if core is not None and not _warehouses_of(item) <= {*core.args}:
            item.add_marker("extensive")
    _leave_cases_out(items)
    if config.getoption("--all") or config.getoption("--warehouse"):
        return
    part, is_gate, named = config.getoption("--part"), config.getoption("--gate"), _named_files(config)
    left_out = set()
    for item in items:
        marked = {name for name in (*parts.BEYOND_CORE, *parts.GATED) if item.get_closest_marker(name)}
        own = _part_of(item.path, config, marked) if marked & {*parts.BEYOND_CORE} else None
        if part:
            is_wanted = own == part
        elif is_gate:
            is_wanted = bool(marked & {*parts.GATED})
        else:
            is_wanted = own is None or item.path in named
        if not is_wanted:
            left_out.add(item)
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _leave_cases_out(items: list[pytest.Item]) -> None:
    """Mark as extensive what `@pytest.mark.cases(8)` leaves out of the core: always the same cases."""
    tables: dict[str, list[pytest.Item]] = {}
    for item in sorted(items, key=lambda item: item.nodeid):
        if item.get_closest_marker("cases") and not item.get_closest_marker("extensive"):
            tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in tables.values():
        marker = cases[0].get_closest_marker("cases")
        assert marker is not None
        (count,) = marker.args
        kept = {number * (len(cases) - 1) // max(count - 1, 1) for number in range(count)}
        for number, case in enumerate(cases):
            if number not in kept:
                case.add_marker("extensive")


def _part_of(path: Path, config: pytest.Config, markers: set[str]) -> str:
    file = path.relative_to(config.rootpath).as_posix()
    found = parts.part_of(file, markers)
    if found is None:
        raise pytest.UsageError(f"{file} is in no part: add its folder to PARTS in tests/support/parts.py")
    return found


def _warehouses_of(item: pytest.Item) -> set[str]:
    """Return the warehouses among the parameters of the test."""
    callspec = getattr(item, "callspec", None)
    values = callspec.params.values() if callspec else ()
    return {value for value in values if isinstance(value, str)} & {*folders_with("connection")}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add the time of a test, or of its fixtures, to that of its module."""
    SECONDS[report.nodeid.partition("::")[0]] += report.duration


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """List the slow modules with `--durations`, and beyond the core what was missing and whom it skipped."""
    slow = [(seconds, module) for module, seconds in SECONDS.items() if seconds > SLOW]
    if slow and config.getoption("durations") is not None:
        terminalreporter.section(f"modules that took more than {SLOW} s")
        for seconds, module in sorted(slow, reverse=True):
            terminalreporter.write_line(f"{seconds:6.1f} s  {module}")
    if not any(config.getoption(name) for name in ("--all", "--gate", "--part")):
        return
    found = Counter(filter(None, map(needs.missing_need, terminalreporter.stats.get("skipped", ()))))
    if found:
        terminalreporter.section("not run, because something is missing")
    for need, tests in sorted(found.items()):
        terminalreporter.write_line(f"{need}: {tests} tests ({needs.NEEDS[need]})")


def pytest_configure() -> None:
    """Render the SQL of the store if `sql/` was edited, and let commands receive signals.

    A shell in the background and `nohup` ignore some signals, and processes inherit that.
    """
    render_sql.write()
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let each test have an own folder for data of the user: with a state in it, `serve` runs a worker.

    A test that needs drivers of warehouses is skipped if one of them is missing.
    """
    for marker in item.iter_markers("drivers"):
        needs.require_drivers(*marker.args)
    os.environ["XDG_DATA_HOME"] = str(DATA_HOME / str(next(NUMBERS)))


def pytest_collection_finish() -> None:
    """Freeze the collected tests, ten thousand long-lived objects, and collect garbage less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_unconfigure() -> None:
    """Remove data of the user that tests wrote."""
    shutil.rmtree(DATA_HOME, ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for all tests, and those for the warehouse of the contract tests."""
    parser.addoption(
        "--all", action="store_true", help="run every test, also those with a browser, emulators or a network"
    )
    parser.addoption(
        "--gate", action="store_true", help="run the journeys, and tests that need drivers of warehouses"
    )
    parser.addoption("--part", choices=parts.PARTS, help="run this part of what the core leaves out")
    group = parser.getgroup("warehouses")
    group.addoption("--warehouse", help="run tests/contract on this warehouse alone")
    group.addoption(
        "--profile", help="the profile in profiles.yml that reaches it; else its emulator is used"
    )
    group.addoption("--target", help="the target of that profile")
    group.addoption("--profiles-dir", help="the folder of profiles.yml")


POSTGRES_URL = os.environ.get("RECCE_META_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
MYSQL_URL = os.environ.get("RECCE_META_TEST_MYSQL_URL", "mysql+pymysql://root@127.0.0.1:3306/test")


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
            path.write_bytes(msgspec.json.encode(manifest))
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


@pytest.fixture(scope="session", autouse=True)
def _binders() -> Iterator[None]:
    with forked_binders():
        yield


@pytest.fixture(scope="session")
def default_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a DuckDB file with an empty store in the default schema; tests take copies."""

    def create(folder: Path) -> None:
        with UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'store.duckdb'}") as adapter:
            init_store(adapter)

    return built_once(tmp_path_factory, "default store", create) / "store.duckdb"


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """Return the URL of the PostgreSQL server for tests; skip the test if it is not running."""
    place = urlsplit(POSTGRES_URL)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 5432), timeout=30).close()
    except OSError:
        needs.missing("PostgreSQL")
    return POSTGRES_URL


@pytest.fixture(scope="session")
def mysql_url() -> str:
    """Return the URL of the MySQL or MariaDB server for tests; skip the test if it is not running."""
    place = urlsplit(MYSQL_URL)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 3306), timeout=30).close()
    except OSError:
        needs.missing("MySQL")
    return MYSQL_URL
