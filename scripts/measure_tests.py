"""Cost of the tests: CPU and time of each test and fixture, by kind, module and cause.

    MEASURE_TESTS=FOLDER python -m pytest -p scripts.measure_tests …     # a file for each process
    python -m scripts.measure_tests FOLDER                               # the tables

CPU of child processes counts for the test that waited for them. The CPU of a server, such as PostgreSQL, is
not measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, TextIO

import pytest

Row = dict[str, Any]
_processes = 0
_start = subprocess.Popen.__init__
_output: TextIO | None = None
_patch = pytest.MonkeyPatch()


def _counted(self: subprocess.Popen[Any], *arguments: Any, **options: Any) -> None:
    global _processes
    _processes += 1
    _start(self, *arguments, **options)


def pytest_configure() -> None:
    """Open the file of this process, and count the processes that it starts."""
    global _output
    folder = Path(os.environ["MEASURE_TESTS"])
    folder.mkdir(parents=True, exist_ok=True)
    _output = (folder / f"{os.getpid()}.jsonl").open("w", encoding="utf-8", buffering=1)
    _patch.setattr(subprocess.Popen, "__init__", _counted)


def pytest_unconfigure() -> None:
    """Close the file, and count no more."""
    _patch.undo()
    if _output is not None:
        _output.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure a test with its fixtures."""
    with _Measured(test=item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    """Measure the set-up of a fixture, with that of the fixtures it requests itself."""
    with _Measured(fixture=f"{fixturedef.argname} ({fixturedef.baseid or 'plugin'})"):
        return (yield)


class _Measured:
    """Block whose cost is written as one row."""

    def __init__(self, **about: str) -> None:
        self._about = about

    def __enter__(self) -> None:
        self._before = self._now()

    def __exit__(self, *_: object) -> None:
        seconds, cpu, children, processes = (b - a for a, b in zip(self._before, self._now(), strict=True))
        row = {
            **self._about,
            "seconds": seconds,
            "cpu": cpu,
            "cpu_of_children": children,
            "processes": processes,
        }
        if _output is not None:
            _output.write(json.dumps(row) + "\n")

    @staticmethod
    def _now() -> tuple[float, float, float, int]:
        times = os.times()
        return time.monotonic(), times[0] + times[1], times[2] + times[3], _processes


def table(rows: Iterable[Row], key: Callable[[Row], str], most: int) -> list[str]:
    """Return the lines of a table with the sums of *rows* by *key*, the *most* expensive first."""
    names = ("cpu", "cpu_of_children", "seconds", "processes")
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * (len(names) + 1))
    for row in rows:
        found = sums[key(row)]
        for position, value in enumerate((1, *(row[name] for name in names))):
            found[position] += value
    ordered = sorted(sums.items(), key=lambda pair: -(pair[1][1] + pair[1][2]))[:most]
    return [
        f"| {name} | {found[0]:.0f} | {found[1]:.0f} | {found[2]:.0f} | {found[3]:.0f} | {found[4]:.0f} |"
        for name, found in ordered
    ]


def main() -> None:
    """Print the tables of the folder that the command line names."""
    files = Path(sys.argv[1]).glob("*.jsonl")
    rows: list[Row] = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    tests, fixtures = ([row for row in rows if kind in row] for kind in ("test", "fixture"))
    for title, chosen, key, most in (
        ("kind", tests, lambda row: row["test"].split("/")[1], 10),
        ("module", tests, lambda row: row["test"].partition("::")[0], 40),
        ("test", tests, lambda row: row["test"], 30),
        ("fixture", fixtures, lambda row: row["fixture"], 30),
    ):
        print(f"| {title} | number | CPU | CPU of children | seconds | processes |")
        print("| --- | --- | --- | --- | --- | --- |")
        print("\n".join(table(chosen, key, most)), end="\n\n")


if __name__ == "__main__":
    main()
