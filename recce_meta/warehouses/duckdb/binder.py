"""DuckDB as a binder: one process for some queries, which may end without harm to this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from select import select
from time import monotonic
from types import TracebackType
from typing import Any

from recce_meta.provisional import note_provisional
from recce_meta.warehouses.binding import Answer, Columns, Refusal

SCRIPT = Path(__file__).with_name("binder_process.py")
SECONDS = 20.0
"""Longest wait for one answer; the process itself has a limit of processor time."""
LONGEST = 1_000_000
"""Most characters of a query."""
OUT_OF_MEMORY = "Out of Memory"
MOST_ENDS = 3
"""Processes that may end before no query is bound any more."""
_KEPT = ("LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")
"""Variables that the process gets; others may be secrets."""
NOT_BOUND = "Some SQL was not bound, so it is not known whether it can be built"


class Binder:
    """DuckDB in a process without files, network, extensions and secrets, and with limits of time and memory.

    Use it as a context manager; it ends its process.
    """

    dialect = "duckdb"

    def __init__(self) -> None:
        self.said_by, self.problem = "DuckDB", ""
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._ends = 0
        self._failed = False
        """True if the last process ended with an error of its own."""

    def __enter__(self) -> Binder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def process_id(self) -> int | None:
        """Return the id of the process; None if there is none."""
        return None if self._process is None else self._process.pid

    def bind(
        self,
        sql: str,
        relations: Mapping[tuple[str, ...], Columns],
        functions: Collection[str] = (),
        tables: Collection[tuple[str, ...]] | None = None,
    ) -> Answer | None:
        """Return the answer for *sql*; see `recce_meta.warehouses.binding.Binder`."""
        if len(sql) > LONGEST:
            self._none(f"one has more than {LONGEST:,} characters")
            return None
        if self._ends >= MOST_ENDS or (self._process is None and not self._start()):
            return None
        views = [[list(name), [list(one) for one in columns]] for name, columns in relations.items()]
        request: dict[str, Any] = {"sql": sql, "views": views, "functions": sorted(functions)}
        if tables is not None:
            request["tables"] = [list(name) for name in tables]
        found = self._ask(request)
        if found is None and self._failed and self._start():
            found = self._ask(request)
        if found is None or (found.get("refusal") or {}).get("kind") == OUT_OF_MEMORY:
            # What it allocated before is not returned to the system.
            self._end()
            self._ends += 1
            self._none("DuckDB's limits of time or memory were reached, or its process was ended")
            return None
        if (said := found.get("refusal")) is not None:
            return Answer(refusal=Refusal(said["kind"], said["text"], said.get("line"), said.get("name", "")))
        return Answer(tuple((name, kind) for name, kind in found["columns"]))

    def _none(self, why: str) -> None:
        """Note why a query is not bound."""
        note_provisional()
        self.problem = self.problem or f"{NOT_BOUND}: {why}"

    def _start(self, *, may_repeat: bool = True) -> bool:
        """Start the process, and return whether it limits itself."""
        spec = find_spec("duckdb")
        if spec is None or not spec.submodule_search_locations or find_spec("resource") is None:
            return self._give_up("it needs DuckDB, and a system that limits processes")
        packages = str(Path(next(iter(spec.submodule_search_locations))).parent)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SCRIPT), packages],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
            )
        except OSError as error:
            return self._give_up(f"no process can be started ({error.strerror})")
        hello = self._line()
        if hello is None or "version" not in hello:
            self._end()
            if self._failed and may_repeat:
                return self._start(may_repeat=False)
            limits = "this system does not limit the memory of a process"
            return self._give_up("DuckDB cannot be loaded" if self._failed else limits)
        self.said_by = f"DuckDB {hello['version']}"
        return True

    def _give_up(self, why: str) -> bool:
        self._ends = MOST_ENDS
        self._none(why)
        return False

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the answer of the process; None if it ended, or was ended."""
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            found = None
        else:
            found = self._line()
        if found is None:
            self._end()
        return found

    def _line(self) -> dict[str, Any] | None:
        assert self._process is not None and self._process.stdout is not None
        until, file = monotonic() + SECONDS, self._process.stdout.fileno()
        while b"\n" not in self._unread:
            if not select([file], [], [], max(0.0, until - monotonic()))[0]:
                return None
            if not (part := os.read(file, 1 << 20)):
                return None
            self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self) -> None:
        process, self._process, self._unread = self._process, None, b""
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        # By itself, and not by a limit: loading a library while threads start fails now and then.
        self._failed = process.wait() > 0
