"""Sizes of what a worker keeps in its work folder: checkouts, mirrors, packages and environments of dbt."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

LONGEST = 5.0
"""Seconds after which a count ends: an environment of dbt has 10,000 files."""


class FolderSize(Struct, frozen=True, kw_only=True):
    """Size of a folder with everything in it."""

    name: str
    """Name in the work folder, such as `mirrors`."""
    entries: int
    """Number of files and folders directly in it, such as jobs or environments."""
    files: int
    size: int
    """Bytes."""
    is_complete: bool
    """False if the count ended early, so there is more."""


class FreeSpace(Struct, frozen=True, kw_only=True):
    """Space of the disk that holds the work folder, in bytes."""

    total: int
    free: int


def folder_sizes(work: Path, *, seconds: float = LONGEST) -> list[FolderSize]:
    """Return the size of each folder in *work*, by name; none if a worker has never used it.

    The count ends after *seconds*, and sizes are then lower bounds.
    """
    until = time.monotonic() + seconds
    try:
        names = sorted(entry.name for entry in os.scandir(work) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return [_size(work / name, until) for name in names]


def free_space(work: Path) -> FreeSpace | None:
    """Return the space of the disk of *work*; None if the folder does not exist."""
    try:
        usage = shutil.disk_usage(work)
    except OSError:
        return None
    return FreeSpace(total=usage.total, free=usage.free)


def _size(folder: Path, until: float) -> FolderSize:
    files = size = 0
    is_complete = True
    # Environments link to shared files of uv's cache: each counts once, as `du` counts it.
    known: set[tuple[int, int]] = set()
    for entry in _files(folder):
        if time.monotonic() > until:
            is_complete = False
            break
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:  # a job removes its files while they are counted
            continue
        files += 1
        place = (found.st_dev, found.st_ino)
        if found.st_nlink > 1 and place in known:
            continue
        known.add(place)
        size += found.st_size
    return FolderSize(
        name=folder.name, entries=_entries(folder), files=files, size=size, is_complete=is_complete
    )


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield everything below *folder* that is not a folder."""
    waiting: list[str | Path] = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    # Links are not followed: a repository may have one to the top of the disk.
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        yield entry
        except OSError:
            continue


def _entries(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(1 for _ in entries)
    except OSError:
        return 0
