"""Trace a process that a test started, for the test that ran at that time.

Tests give commands an environment of their own, so no variable says which test it was. The process of the
tests writes that into a file with its process id as the name. A child looks for the file of an ancestor. A
`.pth` file calls `trace` in each process of the environment, so heavy modules are imported inside functions.
Linux only (`/proc`).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

PACKAGES = ("sql_diff", "diff", "data_diff", "sql_lineage", "store", "report")
"""Packages of recce_meta that are traced and mutated."""
QUIET = ("no-data-collected", "module-not-imported", "module-not-measured", "trace-changed")


def current(folder: str, pid: int) -> str | None:
    """Return what the process *pid* is doing, if it is a process of the tests."""
    try:
        return Path(folder, f"{pid}.context").read_text(encoding="utf-8")
    except OSError:
        return None


def ancestor(folder: str) -> int | None:
    """Return the id of the next ancestor that is a process of the tests."""
    pid = os.getppid()
    while pid > 1:
        if current(folder, pid) is not None:
            return pid
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()[1])
        except OSError:
            return None
    return None


def tracer(data_file: str, context: str | None = None) -> Any:
    """Return a coverage object for the packages, which saves before `os._exit` and on SIGTERM, too."""
    import coverage

    import recce_meta

    (root,) = recce_meta.__path__
    cov = coverage.Coverage(
        data_file=data_file,
        config_file=False,
        source=[f"{root}/{package}" for package in PACKAGES],
        context=context,
        messages=False,
        auto_data=context is not None,
    )
    cov.set_option("run:core", "ctrace")
    cov.set_option("run:patch", ["_exit", "execv"] if context else ["_exit"])
    cov.set_option("run:sigterm", bool(context))
    cov.set_option("run:disable_warnings", list(QUIET))
    return cov


class Trigger:
    """Finder of modules that finds none, but starts to trace before the first import of a traced package."""

    def __init__(self, folder: str, pid: int) -> None:
        self._folder = folder
        self._pid = pid
        self._prefixes = tuple(f"recce_meta.{package}" for package in PACKAGES)

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Find nothing."""
        if name.startswith(self._prefixes) and name.split(".")[1] in PACKAGES and self in sys.meta_path:
            sys.meta_path.remove(self)
            self._start()

    def _start(self) -> None:
        import atexit

        start = current(self._folder, self._pid)
        if start is None:
            return
        stem = f"{self._folder}/child.{os.getpid()}.{time.time_ns()}"
        Path(f"{stem}.started").write_text(start, encoding="utf-8")

        def ended() -> None:
            end = current(self._folder, self._pid)
            if end is not None and end != start:
                Path(f"{stem}.ended").write_text(end, encoding="utf-8")

        tracer(f"{stem}.data", start).start()
        atexit.register(ended)


def trace(folder: str) -> None:
    """Trace this process if a process of the tests is among its ancestors."""
    pid = ancestor(folder)
    # Python reads `.pth` files twice in some environments.
    if pid is not None and not any(isinstance(finder, Trigger) for finder in sys.meta_path):
        sys.meta_path.insert(0, Trigger(folder, pid))
