"""Fixtures of tests with a real sandbox."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from recce_meta.repositories.isolation.base import Program, ProgramSandbox, Settings
from recce_meta.repositories.isolation.bubblewrap import Bubblewrap, missing
from recce_meta.repositories.processes import Completed, ProcessLimits
from tests import needs

READ_ONLY = tuple({Path(sys.prefix), Path(sys.base_prefix)})
"""Folders of the interpreter of the tests."""


@pytest.fixture(scope="session")
def bubblewrap() -> Bubblewrap:
    """Return bubblewrap; skip the test if it does not work."""
    reason = asyncio.run(missing(Settings()))
    if reason is not None:
        needs.missing("bubblewrap", f"{reason[0]}, see `{reason[1]}`")
    return Bubblewrap(Settings())


def program(folder: Path, code: str, *arguments: str | Path, **changes: object) -> Program:
    """Return a program of Python that may write *folder*."""
    made = Program(
        argv=(sys.executable, "-I", "-S", "-c", code, *map(str, arguments)),
        env={},
        writable=folder,
        read_only=READ_ONLY,
        cwd=folder,
        job="connection:main:1",
        limits=limited(),
    )
    return structs.replace(made, **changes)


def run(sandbox: ProgramSandbox, made: Program, on_line: Callable[[str], None] | None = None) -> Completed:
    """Run *made* and return its outcome."""
    return asyncio.run(sandbox.run(made, on_line=on_line))


def limited(**limits: object) -> ProcessLimits:
    """Return limits for quick tests."""
    return ProcessLimits(**{"seconds": 60, **limits})  # type: ignore[arg-type]
