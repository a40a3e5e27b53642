"""Temporary folders for code or data, and removal of the folders that killed processes left behind.

Only its owner can read a folder (mode 0700). The folder contains a file that its process keeps locked: if the
lock is free, the process is dead. Process ids cannot prove that: containers share folders, not ids.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "recce_meta_"
LOCK = "in_use"
_NAME = re.compile(rf"{PREFIX}[a-z0-9_]{{8}}")


@contextmanager
def temporary_folder() -> Iterator[str]:
    """Yield a new empty folder for the files of this process, and remove it in the end."""
    remove_leftovers()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        # Other processes leave a folder without a lock file alone, so it gets its name once it is locked.
        draft = Path(folder, f".{LOCK}")
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            if _lock(descriptor):
                draft.rename(Path(folder, LOCK))
            yield folder
        finally:
            os.close(descriptor)


def remove_leftovers() -> None:
    """Remove the folders of this user's dead processes; skip other users' folders, and links."""
    if not hasattr(os, "geteuid") or not shutil.rmtree.avoids_symlink_attacks:
        return
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_dead(entry.path)


def _remove_if_dead(folder: str) -> None:
    found = os.lstat(folder)
    is_ours = found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    if not stat.S_ISDIR(found.st_mode) or not is_ours:
        return
    descriptor = os.open(Path(folder, LOCK), os.O_RDWR | os.O_NOFOLLOW)
    try:
        if _lock(descriptor):
            shutil.rmtree(folder)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Return True if this process could lock the open file; the lock ends with the process."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
