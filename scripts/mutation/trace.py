"""Which tests execute a line: a traced run of all tests, and the question."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
from coverage.numbits import register_sqlite_functions

from scripts.mutation.run import Copy, Suite

if TYPE_CHECKING:
    from scripts.mutation.sample import Mutant

QUICK = 15.0
"""Seconds of tests that run before pytest collects the modules of all others."""
COLLECTING = 0.3
"""Assumed seconds to collect a module."""
IMPORT_ALL = """
import importlib, pkgutil, recce_meta
for module in pkgutil.walk_packages(recce_meta.__path__, "recce_meta."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def collect(copy: Copy, suite: Suite, work: Path) -> None:
    """Write the ids of the core."""
    listed = work / "core.json"
    draft = work / "core.draft"
    if copy.pytest("--collect-only", "-q", "-n0", f"--mutation-list={draft}", *suite.tests):
        sys.exit(f"pytest cannot collect the core: see {copy.folder}/output.log")
    draft.replace(listed)


def record(copy: Copy, suite: Suite, work: Path, jobs: int) -> None:
    """Run all tests once and save which lines each executes, also in processes that it starts."""
    folder = work / "trace"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    before = os.times()
    with _tracing_children(copy, folder):
        code = copy.pytest("-q", f"-n{jobs}", f"--mutation-trace={folder}", *suite.everything)
    after = os.times()
    shutil.copy(copy.folder / "output.log", work / "traced.log")
    if code not in (0, 1):
        sys.exit(f"pytest ended with {code}: see {work}/traced.log")
    _relabel(folder)
    cov = coverage.Coverage(data_file=str(work / "coverage.data"), config_file=False, messages=False)
    cov.combine([str(path) for path in folder.glob("*.data")], keep=True)
    cov.save()
    results = [path.read_text(encoding="utf-8").splitlines() for path in folder.glob("*.tests")]
    tests = [json.loads(line) for lines in results for line in lines]
    slow = copy.passing(suite, [test["id"] for test in tests if test["outcome"] == "failed"])
    tests = [test | {"outcome": "passed"} if test["id"] in slow else test for test in tests]
    started = [path for path in folder.glob("*.started") if not path.with_suffix(".data").exists()]
    lost = sorted({path.read_text(encoding="utf-8") for path in started})
    seconds = sum(after[2:4]) - sum(before[2:4])
    print(f"traced in {after.elapsed - before.elapsed:.0f} s, {seconds:.0f} s of CPU:", end=" ")
    print(
        *(f"{count} {name}," for name, count in Counter(test["outcome"] for test in tests).items()), end=" "
    )
    print(f"of which {len(slow)} failed only while traced;", end=" ")
    print(f"{len(lost)} tests or fixtures with processes that left no data", flush=True)
    draft = work / "tests.draft"
    draft.write_text(json.dumps({"tests": tests, "lost": lost}))
    draft.replace(work / "tests.json")


@contextmanager
def _tracing_children(copy: Copy, folder: Path) -> Iterator[None]:
    """Trace all processes of the copy's environment within the block, first one that imports all modules."""
    (packages,) = copy.venv.glob("lib/*/site-packages")
    module, start = packages / "mutation_child.py", packages / "mutation_child.pth"
    shutil.copy(copy.checkout / "scripts" / "mutation" / "child.py", module)
    start.write_text(f"import mutation_child; mutation_child.trace({str(folder)!r})\n")
    try:
        own = folder / f"{os.getpid()}.context"
        own.write_text("import")
        copy.start("-c", IMPORT_ALL).wait()
        own.unlink()
        yield
    finally:
        start.unlink()
        module.unlink()


def _relabel(folder: Path) -> None:
    """Let what a process executed count for all tests of the modules between which it lived."""
    for ended in folder.glob("*.ended"):
        data = ended.with_suffix(".data")
        if data.exists():
            context = "\n".join(
                ["span", ended.with_suffix(".started").read_text("utf-8"), ended.read_text("utf-8")]
            )
            with closing(sqlite3.connect(data)) as connection, connection:
                connection.execute("UPDATE context SET context = ?", [context])


class Traced:
    """What the traced run found."""

    def __init__(self, work: Path) -> None:
        known = json.loads((work / "tests.json").read_text())
        self._core = set(json.loads((work / "core.json").read_text()))
        self.seconds: dict[str, float] = {}
        self._users: dict[str, list[str]] = defaultdict(list)
        """Tests by context, if that is more than one test."""
        self._modules: dict[str, list[str]] = defaultdict(list)
        for test in known["tests"]:
            if test["outcome"] == "passed":
                self.seconds[test["id"]] = test["seconds"]
                self._modules[test["id"].partition("::")[0]].append(test["id"])
                for fixture in test["fixtures"]:
                    self._users[fixture].append(test["id"])
        self._lost = {test for context in known["lost"] for test in self._tests(context)}
        self._data = str(work / "coverage.data")

    def _tests(self, context: str) -> list[str]:
        kind, _, name = context.partition(" ")
        if kind == "fixture":
            return self._users[context]
        if kind == "module":
            return self._modules[name]
        if context.startswith("span\n"):
            return [test for each in context.splitlines()[1:] for test in self._around(each)]
        return [context] if context in self.seconds else []

    def _around(self, context: str) -> list[str]:
        return self._modules.get(context.partition("::")[0]) or self._tests(context)

    def tests_of(self, mutant: Mutant) -> Iterator[list[list[str]]]:
        """Yield stages of tests of the core that execute the statement of *mutant*, then those of the rest.

        All others follow if the statement runs at import, else those whose processes left no data.
        """
        contexts = self._contexts(mutant.file, mutant.first, mutant.last)
        at_import = mutant.at_import or "import" in contexts
        if at_import:
            contexts |= self._contexts(mutant.file, 1, 100_000)
        near = {test for context in contexts for test in self._tests(context)}
        far = set(self.seconds) if at_import else self._lost if near else set()
        for is_core in (True, False):
            direct, later = (
                [test for test in group if (test in self._core) is is_core] for group in (near, far - near)
            )
            yield [stage for stage in (*self._by_speed(direct), sorted(later)) if stage]

    def _by_speed(self, tests: list[str]) -> tuple[list[str], list[str]]:
        """Return the quickest tests, of few modules, and all others; those of a module together."""
        stages: tuple[list[str], list[str]] = ([], [])
        room, modules = QUICK, set()
        for test in sorted(tests, key=self.seconds.__getitem__):
            module = test.partition("::")[0]
            room -= self.seconds[test] + (0 if module in modules else COLLECTING)
            modules.add(module)
            stages[room < 0].append(test)
        for stage in stages:
            stage.sort(key=lambda test: test.partition("::")[0])
        return stages

    def _contexts(self, file: str, first: int, last: int) -> set[str]:
        with closing(sqlite3.connect(self._data)) as connection:
            register_sqlite_functions(connection)
            rows = connection.execute(
                """
                SELECT DISTINCT context FROM line_bits
                JOIN context ON context.id = context_id JOIN file ON file.id = file_id
                WHERE path LIKE '%/checkout/' || ? AND EXISTS (
                    WITH RECURSIVE line(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM line WHERE n < ?)
                    SELECT 1 FROM line WHERE num_in_numbits(n, numbits)
                )
                """,
                [file, first, last],
            )
            return {context for (context,) in rows}
