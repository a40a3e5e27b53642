"""Plugin of pytest that traces each test, or runs the tests of a mutant.

With `--mutation-trace` the lines that a test executes are saved with its id as the context. What a fixture
of a module, package or session executes counts for all tests that use the fixture. What a module executes
when it is collected counts for all its tests. Caches of the package are emptied before each test.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from scripts.mutation.child import tracer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("mutation")
    group.addoption("--mutation-trace", type=Path, help="folder of the data of coverage")
    group.addoption("--mutation-list", type=Path, help="file that receives the ids of all collected tests")
    group.addoption("--mutation-ids", type=Path, help="file with ids of the tests to run, in their order")
    group.addoption("--mutation-log", type=Path, help="file that receives the id of each test, then failures")


def pytest_configure(config: pytest.Config) -> None:
    """Start to trace, except in the process that only hands tests out."""
    folder = config.getoption("--mutation-trace")
    if folder and (hasattr(config, "workerinput") or not config.getoption("numprocesses", None)):
        config.pluginmanager.register(Tracing(folder), "mutation-tracing")
    log = config.getoption("--mutation-log")
    if log:
        config.pluginmanager.register(Log(log), "mutation-log")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select and order the tests of a mutant."""
    ids = config.getoption("--mutation-ids")
    if ids:
        by_id = {item.nodeid: item for item in items}
        items[:] = [by_id[name] for name in json.loads(ids.read_text()) if name in by_id]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the list of all tests."""
    path = session.config.getoption("--mutation-list")
    if path:
        path.write_text(json.dumps([item.nodeid for item in session.items]))


class Log:
    """Log of a run in which the last line is the test that runs or has failed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        print(json.dumps(["start", nodeid]), file=self._file)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            print(json.dumps(["failed", report.nodeid]), file=self._file)


class Tracing:
    """Tracer of one process of the tests."""

    def __init__(self, folder: Path) -> None:
        pid = os.getpid()
        self._place = folder / f"{pid}.context"
        self._draft = folder / f"{pid}.draft"
        self._tests = (folder / f"{pid}.tests").open("w", encoding="utf-8", buffering=1)
        self._context = ""
        self._result: dict[str, Any] = {}
        self._fixtures: set[str] = set()
        self._caches: list[Any] = []
        self._modules = 0
        self._cov = tracer(str(folder / f"test.{pid}.data"))
        self._cov.start()
        self._switch("collection")

    def _switch(self, context: str) -> str:
        previous, self._context = self._context, context
        self._draft.write_text(context, encoding="utf-8")
        self._draft.replace(self._place)
        self._cov.switch_context(context)
        return previous

    def _clear_caches(self) -> None:
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            ours = [module for name, module in list(sys.modules.items()) if name.startswith("recce_meta.")]
            self._caches = [
                value for module in ours for value in vars(module).values() if hasattr(value, "cache_clear")
            ]
        for cached in self._caches:
            cached.cache_clear()

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        previous = self._switch(f"module {collector.nodeid}") if "::" not in collector.nodeid else None
        try:
            return (yield)
        finally:
            if previous is not None:
                self._switch(previous)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._clear_caches()
        self._fixtures = set()
        self._result = {"id": item.nodeid, "outcome": "passed"}
        self._switch(item.nodeid)
        start = perf_counter()
        try:
            return (yield)
        finally:
            seconds = round(perf_counter() - start, 4)
            self._switch("between tests")
            print(
                json.dumps({**self._result, "seconds": seconds, "fixtures": sorted(self._fixtures)}),
                file=self._tests,
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        if fixturedef.scope == "function":
            return (yield)
        previous = self._switch(_context_of(fixturedef))
        try:
            return (yield)
        finally:
            self._switch(previous)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        # `_fixture_defs` has fixtures that the test asked for while it ran as well.
        used = getattr(getattr(item, "_request", None), "_fixture_defs", {})
        self._fixtures |= {_context_of(each) for each in used.values() if each.scope != "function"}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "passed":
            self._result["outcome"] = report.outcome

    def pytest_unconfigure(self) -> None:
        self._cov.stop()
        self._cov.save()
        self._place.unlink(missing_ok=True)


def _context_of(fixture: pytest.FixtureDef[Any]) -> str:
    return f"fixture {fixture.baseid} {fixture.argname}"
