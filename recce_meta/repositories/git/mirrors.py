"""Mirrors: bare repositories of fetched commits, one of each address, shared by its connections.

A mirror is a cache: it holds shallow commits under `refs/fetched/SHA`, and is begun anew if it is too large,
has too many packs, or is damaged. A lock file next to it keeps other processes away while it is used. The
time of that file is the time of the last use.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from pathlib import Path

from recce_meta.repositories.git.address import RepositoryAddress

MOST_PACKS = 100
"""Packs of a mirror that is begun anew; each fetch adds one."""
UNUSED_SECONDS = 3600.0
"""A mirror that was used within this time is not removed."""
_PAUSE = 0.05


def mirror_path(folder: Path, address: RepositoryAddress) -> Path:
    """Return the path of the mirror of an address in *folder*."""
    # For people who look into the folder; the digest makes it unique.
    name = re.sub(r"[^A-Za-z0-9_-]", "-", address.name)[:40]
    return folder / f"{name}-{hashlib.sha256(address.url.encode()).hexdigest()[:16]}.git"


def reference(sha: str) -> str:
    """Return the reference that keeps a fetched commit."""
    return f"refs/fetched/{sha}"


def has_commit(mirror: Path, sha: str) -> bool:
    """Return True if a commit was fetched, with all its files."""
    # git writes the reference last, so a fetch that was killed has none.
    return (mirror / reference(sha)).is_file()


def pack_bytes(mirror: Path) -> int:
    """Return the size of the packs of a mirror in bytes."""
    return sum(size for path, size in _packs(mirror) if path.suffix == ".pack")


def is_worn(mirror: Path, most_bytes: int) -> bool:
    """Return True if a mirror is to be begun anew."""
    sizes = [size for path, size in _packs(mirror) if path.suffix == ".pack"]
    return sum(sizes) > most_bytes or len(sizes) > MOST_PACKS


def is_full(mirror: Path, most_bytes: int) -> bool:
    """Return True if a pack, finished or not, has reached the limit of its size."""
    return any(size >= most_bytes for _, size in _packs(mirror))


def clean_up(mirror: Path) -> None:
    """Remove the lock files and unfinished packs that killed processes have left."""
    for path, _ in [*_packs(mirror)]:
        if path.name.startswith("tmp_"):
            path.unlink(missing_ok=True)
    for pattern in ("*.lock", "refs/fetched/*.lock", "refs/histories/*.lock"):
        for path in mirror.glob(pattern):
            path.unlink(missing_ok=True)


def _packs(mirror: Path) -> Iterator[tuple[Path, int]]:
    with contextlib.suppress(FileNotFoundError), os.scandir(mirror / "objects" / "pack") as entries:
        for entry in entries:
            yield Path(entry.path), entry.stat(follow_symlinks=False).st_size


@contextlib.asynccontextmanager
async def lock(mirror: Path) -> AsyncIterator[None]:
    """Keep other tasks and processes from using a mirror within the block; wait for them first."""
    mirror.parent.mkdir(parents=True, exist_ok=True)
    with _open_lock(mirror) as descriptor:
        # A blocking flock would hold up the event loop with all other jobs.
        while not _try_lock(descriptor):
            await asyncio.sleep(_PAUSE)
        os.utime(descriptor)
        yield


@contextlib.contextmanager
def _open_lock(mirror: Path) -> Iterator[int]:
    # Not inherited: a git process that survives would keep the lock.
    descriptor = os.open(mirror.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove_old_mirrors(
    folder: Path,
    most_bytes: int,
    *,
    caches: Iterable[Path] = (),
    needed: Collection[str] = (),
    unused_seconds: float = UNUSED_SECONDS,
) -> list[Path]:
    """Remove mirrors in *folder*, and *caches*, until they have at most *most_bytes* together.

    The least recently used are removed first, and all caches whose names are not in *needed*. What is in use,
    or was within *unused_seconds*, stays. Return the removed folders.
    """
    found = [(_last_use(mirror), mirror, pack_bytes(mirror)) for mirror in folder.glob("*.git")]
    for cache in caches:
        with contextlib.suppress(FileNotFoundError):  # another worker has removed it
            found.append((cache.stat().st_mtime, cache, _size(cache)))
    total = sum(size for _, _, size in found)
    removed = []
    for used_at, path, size in sorted(found):
        # Sorted by time, so all that follow were used even later.
        if used_at > time.time() - unused_seconds:
            break
        is_mirror = path.parent == folder
        if total <= most_bytes and (is_mirror or path.name in needed):
            continue
        with _open_lock(path) if is_mirror else contextlib.nullcontext() as descriptor:
            if descriptor is None or _try_lock(descriptor):
                total -= size
                if path.exists():  # else another job or worker has removed it
                    shutil.rmtree(path, ignore_errors=not is_mirror)
                    removed.append(path)
    return removed


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _last_use(mirror: Path) -> float:
    try:
        return mirror.with_suffix(".lock").stat().st_mtime
    except FileNotFoundError:
        return 0.0
