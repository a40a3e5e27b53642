"""Cache of analysed projects: one SQLite store for each project path, in the user's folder for caches.

A store in the cache only repeats what files and other stores contain, so it may be deleted at any time. Each
has a file with the suffix `.use` next to it. This file contains the path of the project, its time is that of
the last use, and every process that uses the store holds a shared lock on it: a store that another process
uses is never evicted. On Windows, the system itself refuses to delete an open file.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from msgspec import Struct

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

CACHE_DIR = "RECCE_META_CACHE_DIR"
"""Variable that replaces the user's folder for caches."""
MOST_BYTES = 500_000_000
"""Size of all stores above which the least recently used ones are removed."""
RESULT = ".md"
"""Suffix of the file next to the cached store with the last result of a command that an editor showed."""
_LOG = logging.getLogger(__name__)
_SIDE_FILES = ("-wal", "-shm", "-journal")
_PAUSE = 0.05
_PRIVATE = 0o700


class CachedStore(Struct, frozen=True, kw_only=True):
    """Place of the store of one project."""

    path: Path
    note: str | None = None
    """Why the store is not in the user's folder for caches, in one sentence."""

    @property
    def url(self) -> str:
        """URL of the store."""
        return f"sqlite:///{self.path}"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for stores of the user that *environ* describes; it may not exist."""
    if named := environ.get(CACHE_DIR):
        base = Path(named)
    elif sys.platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or Path("~", "AppData", "Local")) / "recce_meta" / "Cache"
    elif sys.platform == "darwin":
        base = Path(environ.get("HOME") or "~", "Library", "Caches", "recce_meta")
    else:
        # A relative XDG path is invalid: https://specifications.freedesktop.org/basedir-spec/latest/
        xdg = environ.get("XDG_CACHE_HOME") or ""
        cache = Path(xdg) if Path(xdg).is_absolute() else Path(environ.get("HOME") or "~", ".cache")
        base = cache / "recce_meta"
    return base.expanduser().absolute() / "editor"


def find_store(root: Path, environ: Mapping[str, str]) -> CachedStore:
    """Return the store of the project in *root*; create its folder, but not the store.

    The store is in a temporary folder if the user's folder for caches cannot be written.
    """
    real = os.path.realpath(root)
    digest = sha256(os.fsencode(os.path.normcase(real))).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(real).name)[:40] or "project"
    folder = cache_folder(environ)
    try:
        _make_private(folder)
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home
        reason = getattr(error, "strerror", None) or str(error)
        note = f"The cache folder {folder} cannot be written ({reason}); a temporary folder is used"
        return CachedStore(path=_temporary_folder() / f"{name}-{digest}.db", note=note)
    return CachedStore(path=folder / f"{name}-{digest}.db")


def _make_private(folder: Path) -> None:
    """Create *folder*, which only its owner can read. Raise OSError if no file can be created in it."""
    folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    with suppress(OSError):  # a file system without modes
        folder.chmod(_PRIVATE)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _temporary_folder() -> Path:
    """Return a folder that later processes of this user find again, if no other user has taken its name."""
    if sys.platform == "win32":
        folder = Path(tempfile.gettempdir(), "recce_meta_editor")
        folder.mkdir(exist_ok=True)
        return folder
    folder = Path(tempfile.gettempdir(), f"recce_meta_editor_{os.geteuid()}")
    with suppress(OSError):
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        found = folder.lstat()
        # Every user can create this name first, also as a link.
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            _make_private(folder)
            return folder
    return Path(tempfile.mkdtemp(prefix="recce_meta_editor_"))


def write_result(store: CachedStore, text: str) -> Path:
    """Replace the file with the last shown result, which only its owner can read; return its path."""
    path = store.path.with_suffix(RESULT)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return path


class StoreUse:
    """Use of a store by this process, which prevents that other processes evict it until `close`.

    *root* is the path of the project. The time of the last use is now.
    """

    def __init__(self, store: CachedStore, root: Path) -> None:
        self.store = store
        self._descriptor = _locked_use(store.path)
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, os.fsencode(os.path.realpath(root)))
            os.utime(_use_file(store.path))

    def close(self) -> None:
        """End the use. A second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> StoreUse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _locked_use(path: Path) -> int:
    """Return the open `.use` file of the store *path*, with a shared lock."""
    file = _use_file(path)
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        _wait_for_lock(descriptor, is_shared=True, seconds=None)
        # Another process may have evicted the store, and removed this file, before the lock was free.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return descriptor
        os.close(descriptor)


@contextmanager
def writing(store: CachedStore, seconds: float | None = None) -> Iterator[bool]:
    """Wait for other processes that index into *store*, at most *seconds*; yield False if one is left."""
    descriptor = os.open(store.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _wait_for_lock(descriptor, is_shared=False, seconds=seconds)
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, *, is_shared: bool, seconds: float | None) -> bool:
    deadline = None if seconds is None else time.monotonic() + seconds
    while not _try_lock(descriptor, is_shared=is_shared):
        if deadline is not None and time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _try_lock(descriptor: int, *, is_shared: bool) -> bool:
    """Return True if this process could lock the open file; the lock ends with the process."""
    try:
        if sys.platform != "win32":
            kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        elif not is_shared:  # Windows has no shared locks, and needs none: see the module
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except BlockingIOError:
        return False
    except OSError:
        # Some network file systems have no locks, and the editor is mostly the only process there.
        return sys.platform != "win32"
    return True


class CacheEntry(NamedTuple):
    """Store in the cache, sorted by what is removed first."""

    has_project: bool
    used_at: float
    path: Path
    size: int


def evict(store: CachedStore, most_bytes: int = MOST_BYTES) -> list[Path]:
    """Remove stores in the folder of *store* until all have at most *most_bytes*; return the removed ones.

    Stores of deleted projects are removed first, then the least recently used ones. *store* itself and those
    that other processes use stay.
    """
    found = sorted(_stores(store.path.parent))
    total = sum(one.size for one in found)
    removed = []
    for one in found:
        if total <= most_bytes:
            break
        if one.path != store.path and _remove_unused(one.path):
            total -= one.size
            removed.append(one.path)
            _LOG.info("Removed the store %s from the cache", one.path)
    return removed


def _stores(folder: Path) -> Iterator[CacheEntry]:
    for path in folder.glob("*.db"):
        with suppress(OSError):  # another process has removed it
            files = [path, *(Path(f"{path}{suffix}") for suffix in _SIDE_FILES)]
            size = sum(file.stat().st_size for file in files if file.exists())
            use = _use_file(path)
            used_at = (use if use.exists() else path).stat().st_mtime
            project = os.fsdecode(use.read_bytes()) if use.exists() else ""
            yield CacheEntry(bool(project) and Path(project).is_dir(), used_at, path, size)


def _remove_unused(path: Path) -> bool:
    """Remove the store *path* unless another process uses it."""
    use = _use_file(path)
    try:
        descriptor = os.open(use, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return False
    try:
        if not _try_lock(descriptor, is_shared=False):
            return False
        remove_store(path)
        if sys.platform != "win32":  # an open file cannot be deleted there
            for suffix in (".lock", ".base", ".changes", RESULT, ".use"):
                path.with_suffix(suffix).unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def remove_store(path: Path) -> None:
    """Delete the store *path* with its log files."""
    # The log last: SQLite deletes it with the next start, because it never replays it into an empty file.
    for file in (path, *(Path(f"{path}{suffix}") for suffix in _SIDE_FILES)):
        file.unlink(missing_ok=True)


def is_damaged(path: Path) -> bool:
    """Return True if SQLite finds the file *path* damaged; False if it is whole or missing."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.OperationalError:  # busy, or not readable
        return False
    except sqlite3.DatabaseError:
        return True


def _use_file(path: Path) -> Path:
    return path.with_suffix(".use")
