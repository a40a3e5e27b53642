"""What all processes of one run of the tests share: built once, by the first that needs it."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.store.session import init_store


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """Return the folder that *build* has filled in this run; tests take copies of what they change.

    pytest-xdist gives each of its processes a folder below that of the run.
    """
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"
    shared.mkdir(exist_ok=True)
    made = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            draft = Path(tempfile.mkdtemp(dir=shared))
            build(draft)
            draft.rename(made)
    return made


@contextmanager
def empty_store() -> Iterator[UnifiedSqlAdapter]:
    """Yield an empty store in a SQLite file, a copy of the first one of this process."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "store.db")
        file.write_bytes(_empty_store())
        with UnifiedSqlAdapter.from_url(f"sqlite:///{file}") as store:
            yield store


@cache
def _empty_store() -> bytes:
    with TemporaryDirectory() as folder, UnifiedSqlAdapter.from_url(f"sqlite:///{folder}/store.db") as store:
        init_store(store)
        store.close()
        return Path(folder, "store.db").read_bytes()
