"""Small files of a checkout that are stored with the job: checks, quality rules and the configuration."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from recce_meta.api.checks import DEFAULT_FILES as CHECK_FILES
from recce_meta.api.quality import DEFAULT_FILES as QUALITY_FILES
from recce_meta.config.discovery import CONFIG_FILE
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.repositories.state.jobs import LARGEST

_NAMES = {"checks.yml": CHECK_FILES, "quality.yml": QUALITY_FILES, CONFIG_FILE: (CONFIG_FILE,)}
"""Names that a file may have in the repository, by the name that it is stored under."""


class RefusedFile(Exception):
    """A file that is not read; the message has its name and the reason."""


def find_job_files(checkout: Path, folder: Path) -> tuple[dict[str, str], list[str]]:
    """Return the content of files of *folder* in *checkout* by the name to store, and why others are refused.

    The configuration is that of the folder with dbt_project.yml; without dbt, that of the nearest folder
    upward.
    """
    found: dict[str, str] = {}
    refused: list[str] = []
    for name, paths in _candidates(checkout, folder):
        for path in paths:
            try:
                content = _read(path)
            except RefusedFile as error:
                refused.append(str(error))
                break
            if content is not None:
                found[name] = content
                break
    return found, refused


def _candidates(checkout: Path, folder: Path) -> Iterator[tuple[str, list[Path]]]:
    for name, names in _NAMES.items():
        folders = [folder]
        if name == CONFIG_FILE and not (folder / PROJECT_FILE).is_file():
            folders += [above for above in folder.parents if above.is_relative_to(checkout)]
        yield name, [place / one for place in folders for one in names]


def _read(path: Path) -> str | None:
    """Return the text of a regular file; None if it does not exist."""
    try:
        # Without waiting: a pipe would block the worker.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        raise RefusedFile(f"{path.name} is not read: it is not a regular file") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RefusedFile(f"{path.name} is not read: it is not a regular file")
        # A regular file is read at once.
        content = os.read(descriptor, LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise RefusedFile(f"{path.name} is not read: it has more than {LARGEST:,} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise RefusedFile(f"{path.name} is not read: it is not UTF-8") from None
    # PostgreSQL stores no null character.
    if "\0" in text:
        raise RefusedFile(f"{path.name} is not read: it contains a null character")
    return text
