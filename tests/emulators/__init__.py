"""Stand-ins for the warehouses that cannot run here, each a process of its own.

A warehouse's folder has `emulator.py` with `problem() -> str | None`, which says why it cannot run, a context
manager `running(scratch)` that starts it and gives the fields of an output of profiles.yml that reaches it,
`INSTALL`, the steps that `python -m tests.emulators.install` takes, and `limits.yml`: what it cannot do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
import yaml

NAMES = ("snowflake", "bigquery", "redshift", "databricks")
REQUIRED = bool(os.environ.get("RECCE_META_REQUIRE_EMULATORS"))
"""Set in CI, so that an emulator that did not start cannot pass for a green run."""


def emulator(name: str) -> ModuleType:
    """The module that starts the emulator of the warehouse *name*."""
    return import_module(f"tests.emulators.{name}.emulator")


@contextmanager
def running(name: str, scratch: Path) -> Iterator[Mapping[str, object]]:
    """The emulator of *name* while the block lasts: an output of profiles.yml. Skips where it cannot run."""
    module = emulator(name)
    problem = module.problem()
    if problem is not None:
        hint = f"no emulator of {name}: {problem}; python -m tests.emulators.install {name}"
        if REQUIRED:
            pytest.fail(hint)
        pytest.skip(hint)
    with module.running(scratch) as output:
        yield output


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tests that an emulator cannot pass."""

    tests: tuple[str, ...]
    """Patterns of test ids, as `fnmatch` reads them: from `tests/contract/` on, without the warehouse."""
    reason: str
    crashes: bool = False
    """Whether the test is not even tried, because it would harm the emulator or hang."""


def limits(name: str) -> tuple[Limit, ...]:
    """What the emulator of *name* cannot do."""
    path = Path(__file__).parent / name / "limits.yml"
    return read_limits(path) if path.exists() else ()


def read_limits(path: Path) -> tuple[Limit, ...]:
    """The limits in a file."""
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")) or [], tuple[Limit, ...])
