"""Files of a project of SQL, found and read so that no one of them can stop the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

LARGEST = 2_000_000
"""Bytes of the largest file that is read: generated data is no query."""
_NEVER = frozenset(
    "dbt_packages dbt_modules dbt_internal_packages node_modules target logs venv site-packages".split()
)
"""Folders that hold no code of a project's own, where it is all of a folder that is looked through."""
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class SourceFile(Struct, frozen=True, kw_only=True):
    """One file that was read."""

    path: str
    """Relative to the project, with forward slashes."""
    text: str

    @property
    def name(self) -> str:
        """The file's name without folders and ending."""
        return Path(self.path).stem


def find_files(root: Path, folders: Sequence[str], endings: tuple[str, ...]) -> Iterator[Path]:
    """The files below *folders* of *root* that end so, in order; no folder is looked through twice."""
    seen: set[Path] = set()
    entered: set[str] = set()
    for folder in folders:
        left_out = _NEVER if folder == "." else frozenset[str]()
        for place, inner, names in os.walk(root / folder, followlinks=True):
            real = os.path.realpath(place)
            if real in entered:
                inner[:] = []
                continue
            entered.add(real)
            inner[:] = sorted(name for name in inner if name not in left_out and not name.startswith("."))
            for name in sorted(names):
                path = Path(place) / name
                if name.lower().endswith(endings) and not name.startswith(".") and path not in seen:
                    seen.add(path)
                    yield path


def read_files(
    root: Path, folders: Sequence[str], endings: tuple[str, ...], warnings: list[str]
) -> list[SourceFile]:
    """Those files, read; one that cannot be read costs itself, and one of *warnings*."""
    found = []
    for path in find_files(root, folders, endings):
        relative = Path(os.path.relpath(path, root)).as_posix()
        text = read_source(path, relative, warnings)
        if text is not None:
            found.append(SourceFile(path=relative, text=text))
    return found


def read_source(path: Path, relative: str, warnings: list[str]) -> str | None:
    """The text of the file at *path*; None, and one of *warnings*, where it is none."""
    try:
        if path.stat().st_size > LARGEST:
            warnings.append(f"{relative} is larger than {LARGEST:,} bytes and was left out")
            return None
        data = path.read_bytes()
    except OSError as error:
        warnings.append(f"{relative} cannot be read and was left out: {error.strerror or error}")
        return None
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if b"\0" not in data:
            warnings.append(f"{relative} is not UTF-8 and was read as Windows-1252")
            return data.decode("cp1252", "replace").replace("\r\n", "\n")
        text = "\0"
    if "\0" in text:
        warnings.append(f"{relative} is not text and was left out")
        return None
    return text.replace("\r\n", "\n")
