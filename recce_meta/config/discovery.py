"""Discovery of the configuration: recce_meta.yml and pyproject.toml, by the place of the dbt project.

The files are looked for in one folder: that of dbt_project.yml. Without a dbt project it is the nearest
folder upward with a recce_meta.yml, or with a pyproject.toml that has `[tool.recce-meta]`. A command without
a configuration pays for a few calls of `stat`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from recce_meta.profiles.discovery import PROJECT_FILE, dbt_variable, nearest_with

CONFIG_FILE = "recce_meta.yml"
PYPROJECT_FILE = "pyproject.toml"
TABLE = "tool.recce-meta"
"""Table of pyproject.toml that holds the configuration."""
# Larger files are not written by hand, and would slow down every command.
MAX_PYPROJECT_BYTES = 5_000_000


class ConfigFiles(Struct, frozen=True, kw_only=True):
    """Files of a configuration; None for a file that does not exist."""

    own: Path | None = None
    """The recce_meta.yml."""
    pyproject: Path | None = None
    """The pyproject.toml, if it has the table."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the existing files; an earlier one takes precedence."""
        return tuple(path for path in (self.own, self.pyproject) if path is not None)


def find_config_files(
    project_dir: str | Path | None, environment: Mapping[str, str], directory: Path
) -> ConfigFiles:
    """Return the files of the configuration that applies in *directory*.

    *project_dir* is the value of --project-dir. *environment* is read for DBT_PROJECT_DIR.
    """
    named = project_dir or dbt_variable(environment, "PROJECT_DIR")
    folder = directory / Path(named).expanduser() if named else nearest_with(PROJECT_FILE, directory)
    if folder is not None:
        return _files_in(folder)
    return next(
        (files for path in (directory, *directory.parents) if (files := _files_in(path)).paths), _NONE
    )


_NONE = ConfigFiles()


def _files_in(folder: Path) -> ConfigFiles:
    own, pyproject = folder / CONFIG_FILE, folder / PYPROJECT_FILE
    # A special file or a dangling link must not count as missing: reading it is an error.
    return ConfigFiles(
        own=own if os.path.lexists(own) else None, pyproject=pyproject if _has_table(pyproject) else None
    )


def _has_table(path: Path) -> bool:
    """Return True if the pyproject.toml *path* mentions the table; the TOML parser is not loaded for this."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_PYPROJECT_BYTES:
            return False
    except OSError:
        return False  # in a folder above that may not be searched
    try:
        content = path.read_bytes()
    except OSError:
        return True  # it may have the table: reading it reports why not
    # Most files do not mention it, so they need not be decoded.
    return b"recce-meta" in content and has_header(content.decode("utf-8-sig", "replace"))


def has_header(text: str) -> bool:
    """Return True if *text* has a header of the table or of one of its subtables.

    >>> has_header("[tool.recce-meta.store]"), has_header('dependencies = ["recce-meta"]')
    (True, False)
    """
    for line in text.splitlines():
        header = line.partition("#")[0].strip()
        # A header without its end is an error that the parser reports.
        if header.startswith("["):
            name = "".join(header.strip("[]").split()).replace('"', "").replace("'", "")
            if name == TABLE or name.startswith(f"{TABLE}."):
                return True
    return False
