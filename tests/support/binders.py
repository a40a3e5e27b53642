"""Binders forked from one process that has DuckDB open: starting each anew takes 0.1 s of CPU.

A binder ends when its pipes are closed, or by its own limits. That process waits for all of them, so their
CPU is that of the tests.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recce_meta.warehouses.duckdb import binder

ORIGIN = Path(__file__).with_name("binder_origin.py")


class ForkedProcess:
    """A forked binder, with what `Binder` uses of `subprocess.Popen`."""

    def __init__(self, origin: socket.socket) -> None:
        (questions, asking), (answering, answers) = os.pipe(), os.pipe()
        socket.send_fds(origin, [b"."], [questions, answers])
        self.pid = int(origin.recv(20))
        os.close(questions)
        os.close(answers)
        self.stdin, self.stdout = os.fdopen(asking, "wb"), os.fdopen(answering, "rb", buffering=0)

    def kill(self) -> None:
        """Do nothing: the caller closes the pipes."""

    def wait(self) -> int:
        """Return that the process did not end by an error of its own."""
        return 0


@contextmanager
def forked_binders() -> Iterator[None]:
    """Fork the binders of this process, as soon as there is one."""
    started: list[tuple[subprocess.Popen[bytes], socket.socket]] = []

    def start(arguments: Sequence[str], **options: Any) -> ForkedProcess:
        if not started:
            ours, theirs = socket.socketpair()
            *python, script, packages = arguments
            program = [*python, str(ORIGIN), str(Path(script).parent), packages]
            with theirs:
                started.append((subprocess.Popen(program, **{**options, "stdin": theirs}), ours))
        return ForkedProcess(started[0][1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binder, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": start}))
        yield
    for process, caller in started:
        caller.close()
        process.communicate()
