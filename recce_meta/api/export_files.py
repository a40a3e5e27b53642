"""Files and folders that are there whole or not at all: written under another name, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recce_meta.errors import UsageError


@contextmanager
def written_whole(path: Path, *, overwrite: bool, ours: Collection[str] = ()) -> Iterator[Path]:
    """A path beside *path* to write a file or a folder to, which takes the place of *path* in the end.

    What fails leaves *path* as it was. With *overwrite*, a file is replaced, and a folder that holds no other
    files than those that *ours* names. A device or pipe is written to directly.

    Raises UsageError where *path* is there and may not be replaced, OSError that names *path*.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file() and not path.is_dir():
        with _naming(path):
            yield path
        return
    _refuse(path, overwrite, ours)
    if not path.parent.is_dir():
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    part = path.with_name(f".part-{os.getpid()}-{path.name}")  # who writes it may look at how it ends
    try:
        with _naming(path):
            yield part
            if part.exists():
                _move(part, path)
    finally:
        _remove(part)


def _refuse(path: Path, overwrite: bool, ours: Collection[str]) -> None:
    if path.is_dir():
        names = {entry.name for entry in path.iterdir()}
        others = sorted(names - set(ours))
        if names and not ours:
            raise UsageError(f"{path} is a folder, and not an empty one", hint="name a file")
        if others:
            raise UsageError(
                f"The folder {path} holds what no export wrote: {others[0]}", hint="name a folder of its own"
            )
        if names and not overwrite:
            raise UsageError(f"The folder {path} is not empty", hint="--force replaces what is there")
    elif path.exists() and ours:
        raise UsageError(f"{path} is a file, and a folder is to be written", hint="name a folder")
    elif path.exists() and not overwrite:
        raise UsageError(f"The file {path} is there already", hint="--force replaces it")


def _move(part: Path, path: Path) -> None:
    if not path.is_dir():
        part.replace(path)
        return
    old = part.with_name(f".old-{os.getpid()}-{path.name}")
    path.replace(old)
    try:
        part.replace(path)
    except OSError:
        old.replace(path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors of the system name *path*, and not the name that it has while it is written."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
