"""Emulators of the warehouses that cannot run locally, each a separate process.

A warehouse's folder has `emulator.py` and `limits.yml`, which lists the tests that the emulator cannot pass.
`emulator.py` has `problem() -> str | None`, the reason why it cannot run; a context manager
`running(scratch)` that starts it and returns the fields of a profiles.yml output for it; and `INSTALL`, the
steps of `python -m tests.emulators.install`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec
import yaml

from tests.support.needs import missing

NAMES = ("snowflake", "bigquery", "redshift", "databricks")


def emulator(name: str) -> ModuleType:
    """Return the module that starts the emulator of the warehouse *name*."""
    return import_module(f"tests.emulators.{name}.emulator")


@contextmanager
def running(name: str, scratch: Path) -> Iterator[Mapping[str, object]]:
    """Run the emulator of *name* in the block; yield its profiles.yml output.

    Skip the test if it cannot run.
    """
    module = emulator(name)
    problem = module.problem()
    if problem is not None:
        missing("emulator", f"{problem}; python -m tests.emulators.install {name}")
    with module.running(scratch) as output:
        yield output


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tests that an emulator cannot pass."""

    tests: tuple[str, ...]
    """`fnmatch` patterns of test ids: from `tests/contract/` on, without the warehouse."""
    reason: str
    crashes: bool = False
    """True if the test must not run, because it would harm the emulator or hang."""


def limits(name: str) -> tuple[Limit, ...]:
    """Return the limits of the emulator of *name*."""
    path = Path(__file__).parent / name / "limits.yml"
    return read_limits(path) if path.exists() else ()


def read_limits(path: Path) -> tuple[Limit, ...]:
    """Read the limits in a file."""
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")) or [], tuple[Limit, ...])
