"""Reader of a SQL project's files, and the database, schema and relation names derived from them.

A file that cannot be read is skipped with a warning.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from recce_meta.extractors.git import DBT_IGNORE

LARGEST = 2_000_000
"""Maximum size of a file in bytes: larger files are generated data, not queries."""
_NEVER = frozenset(
    "dbt_packages dbt_modules dbt_internal_packages node_modules target logs venv site-packages".split()
)
"""Folders without project code, which are skipped, as hidden ones are, in a search of the whole project."""
_UNREAD = (".", "#", "~")
"""First characters of the names of files that dbt does not read; it does read hidden folders."""
_WILD = re.compile(r"(/\*\*/|\*\*/|/\*\*|\*|\?)")
_WILDCARDS = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
"""Regular expressions for the wildcards of git's patterns."""
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class SourceFile(Struct, frozen=True, kw_only=True):
    """Path and text of one file."""

    path: str
    """Path relative to the project, with forward slashes."""
    text: str

    @property
    def name(self) -> str:
        """Return the file's name without folders and extension."""
        return Path(self.path).stem


class DbtRefusal(str):
    """Warning about a file because of which dbt reads nothing of the project.

    A project has its text, and a node with its path (`refused`): msgspec encodes no subclass of `str`.
    """

    path: str
    """Path of the file, relative to the project."""
    unless: str | None
    """What would let dbt read the file; None if nothing does."""

    @classmethod
    def of(cls, path: str, text: str, *, unless: str | None = None) -> DbtRefusal:
        """Return the warning *text* about the file at *path*."""
        found = cls(text)
        found.path, found.unless = path, unless
        return found


def find_files(
    root: Path, folders: Sequence[str], endings: tuple[str, ...], warnings: list[str] | None = None
) -> Iterator[Path]:
    """Yield the files with *endings* below *folders* of *root*, in order; no folder is searched twice.

    Files that `.dbtignore` names are left out, as are pipes and devices: reading one may never end. So are
    files whose path is not UTF-8, which neither JSON nor a store can contain; each has a sentence in
    *warnings*.
    """
    seen: set[Path] = set()
    entered: set[str] = set()
    ignored = _ignored(root / DBT_IGNORE)
    for folder in folders:
        # The folder of the whole project also has those of git, editors and virtual environments.
        is_whole = os.path.normpath(folder) == "."
        for place, inner, names in os.walk(root / folder, followlinks=True):
            # A link may lead to a folder above it, or to one that was searched already.
            real = os.path.realpath(place)
            if real in entered:
                inner[:] = []
                continue
            entered.add(real)
            # File systems list names in any order.
            inner[:] = sorted(
                name for name in inner if not (is_whole and (name in _NEVER or name.startswith(".")))
            )
            for name in sorted(names):
                path = Path(place) / name
                if name.lower().endswith(endings) and not name.startswith(_UNREAD) and path not in seen:
                    seen.add(path)
                    relative = os.fsencode(os.path.relpath(path, root))
                    shown = relative.decode("utf-8", "replace")
                    if _is_ignored(Path(shown).as_posix(), ignored):
                        continue
                    if shown.encode() != relative:
                        if warnings is not None:
                            warnings.append(f"{shown} was skipped: its name is not UTF-8")
                    elif not _is_special(path):
                        yield path


def _ignored(path: Path) -> list[tuple[re.Pattern[str], bool]]:
    """Return the patterns of a `.dbtignore`, written as for git; with False for those that include again."""
    lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    found = []
    for line in (line.rstrip() for line in lines if line.strip() and not line.startswith("#")):
        pattern = line.removeprefix("!")
        parts = _WILD.split(pattern.strip("/"))
        text = "".join(_WILDCARDS.get(part, re.escape(part)) for part in parts)
        start = "" if "/" in pattern.rstrip("/") else "(?:.*/)?"
        end = "/.*" if pattern.endswith("/") else "(?:/.*)?"
        found.append((re.compile(start + text + end), not line.startswith("!")))
    return found


def _is_ignored(path: str, patterns: Sequence[tuple[re.Pattern[str], bool]]) -> bool:
    """Return True if the last of *patterns* that *path* has ignores it."""
    return next(
        (is_left_out for pattern, is_left_out in reversed(patterns) if pattern.fullmatch(path)), False
    )


def _is_special(path: Path) -> bool:
    """Return True for a pipe or device; False for any other file, also for one that cannot be read."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def read_files(
    root: Path, folders: Sequence[str], endings: tuple[str, ...], warnings: list[str]
) -> list[SourceFile]:
    """Return the found files with their text; skip unreadable files with a warning in *warnings*."""
    found = []
    for path in find_files(root, folders, endings, warnings):
        relative = Path(os.path.relpath(path, root)).as_posix()
        text = read_source(path, relative, warnings)
        if text is not None:
            found.append(SourceFile(path=relative, text=text))
    return found


def read_source(path: Path, relative: str, warnings: list[str]) -> str | None:
    """Return the text of the file at *path*; if it is not readable text, add a warning and return None."""
    try:
        if path.stat().st_size > LARGEST:
            warnings.append(f"{relative} is larger than {LARGEST:,} bytes and was skipped")
            return None
        data = path.read_bytes()
    except OSError as error:
        warnings.append(f"{relative} cannot be read and was skipped: {error.strerror or error}")
        return None
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # Text never has NUL. A binary file does, and so does UTF-16 without a mark.
        if b"\0" not in data:
            warnings.append(DbtRefusal.of(relative, f"{relative} is not UTF-8 and was read as Windows-1252"))
            return data.decode("cp1252", "replace").replace("\r\n", "\n")
        warnings.append(DbtRefusal.of(relative, f"{relative} is not text and was skipped"))
        return None
    if encoding == "utf-16":
        warnings.append(DbtRefusal.of(relative, f"{relative} is UTF-16, not UTF-8"))
    if "\0" in text:
        warnings.append(f"{relative} is not text and was skipped")
        return None
    # Git may convert line ends at checkout, which must not look like a change.
    return text.replace("\r\n", "\n")


BACKTICKS = frozenset("bigquery databricks spark mysql mariadb hive".split())


class TargetSchema(Struct, frozen=True, kw_only=True):
    """The database and schema of the profile's target."""

    schema: str
    database: str | None = None
    is_target: bool = False
    """Whether the schema comes from a profile; otherwise it is a placeholder."""

    def schema_of(self, custom: str | None) -> str:
        """Return the schema of a node with the setting *custom*, by dbt's default `generate_schema_name`."""
        if not custom:
            return self.schema
        return f"{self.schema}_{custom.strip()}" if self.is_target else custom.strip()


def relation_name(
    database: str | None,
    schema: str | None,
    identifier: str,
    dialect: str | None,
    quoted: tuple[bool, bool, bool] = (True, True, True),
) -> str:
    """Return the relation's name; *quoted* says which of its three parts are quoted.

    >>> relation_name(None, "shop", "orders", "duckdb")
    '"shop"."orders"'
    """
    quote = "`" if dialect in BACKTICKS else '"'
    parts = zip((database, schema, identifier), quoted, strict=True)
    return ".".join(
        f"{quote}{part.replace(quote, quote * 2)}{quote}" if is_quoted else part
        for part, is_quoted in parts
        if part
    )
