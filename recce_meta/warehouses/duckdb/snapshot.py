"""Copies of DuckDB files, for processes that read for hours.

DuckDB refuses a writer while any other process has the file open, even for reading. A server therefore reads
a copy. The file is copied without a lock. Afterwards it is locked for less than a millisecond, to prove that
no process has written in the meantime: only then the copy is complete. A writer never waits for a copy.

POSIX locks belong to the process: closing the file would end the locks of a database that this process has
open. Such a database is copied by DuckDB itself.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from recce_meta.errors import ConnectionFailed, DatabaseNotFound, StoreLocked, first_line
from recce_meta.warehouses import ConnectionPlan

TICK_SECONDS = 0.05
"""Coarsest resolution of file times: two writes within it may have the same time."""
COPY_SETTINGS = {"memory_limit": "128MiB", "threads": "2"}
"""Settings of a copy's connections. DuckDB's defaults are most of the memory, and all cores."""
LINK_SETTINGS = {"memory_limit": "1GiB", "threads": "2"}
"""Settings of a link's connections, for data diffs, instead of those of the copy."""
ATTACH = "ATTACH "
_BUSY_ON_WINDOWS = 32
"""ERROR_SHARING_VIOLATION: https://learn.microsoft.com/windows/win32/debug/system-error-codes--0-499-"""


def file_state(path: str) -> Hashable:
    """Return identity, size and time of the database file at *path*, and of its write-ahead log."""
    return tuple(map(_state_of, _files(path)))


def copied_plan(
    plan: ConnectionPlan, folder: str, connect: Callable[[ConnectionPlan], Any]
) -> ConnectionPlan:
    """Return *plan* for a copy of its database file in *folder*.

    *connect* opens a database that this process already has open. The copy's connections attach no other
    database, because an attached file would be locked. Raises StoreLocked if a process writes,
    DatabaseNotFound if the file is missing, and ConnectionFailed if it cannot be copied.
    """
    path = plan.url.database or ""
    file, log = _files(path)
    copied = Path(folder, file.name)
    try:
        with _turn(str(file)):
            if _is_open_here(file):
                _copy_open_database(lambda: connect(plan), copied)
            else:
                _copy_files(file, log, copied)
    except FileNotFoundError as error:
        raise DatabaseNotFound(
            f"DuckDB file not found: {file}", hint="check the path; recce-meta init and record create it"
        ) from error
    except PermissionError as error:
        if getattr(error, "winerror", None) == _BUSY_ON_WINDOWS:
            raise _locked(file) from error
        raise ConnectionFailed(
            f"Cannot read the DuckDB file {file}: {error.strerror}", hint="check its permissions"
        ) from error
    except OSError as error:
        raise ConnectionFailed(
            f"Cannot copy the DuckDB file {file}: {error.strerror or error}",
            hint=f"make room in {folder}, or name another folder with TMPDIR",
        ) from error
    given: Any = plan.connect_args.get("config", {})
    arguments = {**plan.connect_args, "config": {**COPY_SETTINGS, **given}}
    statements = tuple(one for one in plan.statements if not one.startswith(ATTACH))
    url = replace(plan.url, database=str(copied))
    return replace(plan, url=url, connect_args=arguments, statements=statements, may_create=False)


def linked_plan(plan: ConnectionPlan, folder: str) -> ConnectionPlan:
    """Return *plan*, of a copy that does not change, for a hard link to it in *folder*.

    The link stays valid if the copy is removed. Without hard links, the copy is copied.
    """
    files = _files(plan.url.database or "")
    for file in files:
        target = Path(folder, file.name)
        try:
            if file.exists():
                os.link(file, target)
        except OSError:
            shutil.copyfile(file, target)
    given: Any = plan.connect_args.get("config", {})
    changed = {name: value for name, value in LINK_SETTINGS.items() if given.get(name) == COPY_SETTINGS[name]}
    arguments = {**plan.connect_args, "config": {**given, **changed}}
    url = replace(plan.url, database=str(Path(folder, files[0].name)))
    return replace(plan, url=url, connect_args=arguments)


def _files(path: str) -> tuple[Path, Path]:
    """Return the database file and its write-ahead log."""
    file = Path(path).expanduser()
    return file, file.with_name(f"{file.name}.wal")


def _state_of(file: Path) -> Hashable:
    try:
        found = file.stat()
    except OSError:  # copying reports why
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@cache
def _turn(path: str) -> Lock:
    """Return the lock for copies of *path* in this process: one would unlock the file of another."""
    return Lock()


def _locked(file: Path) -> StoreLocked:
    return StoreLocked(f"Another process writes to the DuckDB file {file}", hint="try again in a moment")


def _copy_files(file: Path, log: Path, copied: Path) -> None:
    """Copy *file* and *log*; raise StoreLocked if a process has the file open for writing, or changes it."""
    _require_unlocked(file)
    # A write after the copy then has another time than the state that is compared.
    if abs(time.time() - file.stat().st_mtime) < TICK_SECONDS:
        time.sleep(TICK_SECONDS)
    before = tuple(map(_state_of, (file, log)))
    # Checked first, because a full disk would disturb other processes too.
    if shutil.disk_usage(copied.parent).free < sum(one.stat().st_size for one in (file, log) if one.exists()):
        raise OSError("not enough free space")
    shutil.copyfile(file, copied)
    if before[1] is not None:
        shutil.copyfile(log, copied.with_name(log.name))
    _require_unlocked(file, before)


def _require_unlocked(file: Path, state: Hashable = None) -> None:
    """Raise StoreLocked if a process writes to *file*, or if *file* is not in *state* any more."""
    # Closing the file releases the lock.
    with file.open("rb") as opened:
        try:
            import fcntl
        except ImportError:  # Windows, where copying a file that DuckDB writes to fails
            pass
        else:
            try:
                fcntl.lockf(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError) as error:  # EAGAIN or EACCES, says POSIX
                raise _locked(file) from error
        if state is not None and state != file_state(str(file)):
            raise _locked(file)


def _is_open_here(file: Path) -> bool:
    """Return True if this process has *file* open."""
    # Windows has no /dev/fd, and no POSIX locks that closing a file could end.
    try:
        own = file.stat()
        descriptors = list(Path("/dev/fd").iterdir())
    except OSError:
        return False
    for descriptor in descriptors:
        try:
            found = os.fstat(int(descriptor.name))
        except (OSError, ValueError):
            continue
        if (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino):
            return True
    return False


def _copy_open_database(connect: Callable[[], Any], copied: Path) -> None:
    """Copy the database that *connect* opens, and that this process already has open."""
    from duckdb import Error

    target = "'" + str(copied).replace("'", "''") + "'"
    try:
        with connect() as connection:
            ((name,),) = connection.execute("SELECT current_database()").fetchall()
            source = '"' + str(name).replace('"', '""') + '"'
            connection.execute(f"ATTACH {target} AS recce_meta_copy")
            try:
                connection.execute(f"COPY FROM DATABASE {source} TO recce_meta_copy")
            finally:
                connection.execute("DETACH recce_meta_copy")
    except Error as error:
        raise StoreLocked(
            f"This process writes to the DuckDB file: {first_line(error)}", hint="try again in a moment"
        ) from error
