"""Discovery of profiles.yml, the dbt project and its `.env` file by dbt's rules.

Every environment variable also has a `DBT_ENGINE_` form, which wins over the older name. dbt 1.12 and later
load `.env` before anything else, with python-dotenv, which parses it here too. `${OTHER}` is expanded here,
because python-dotenv takes values from `os.environ` alone. The real environment wins over the file.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from recce_meta.errors import ConfigurationError, ProfileError

PROFILES_FILE = "profiles.yml"
PROJECT_FILE = "dbt_project.yml"


def working_directory() -> Path:
    """Return the working directory; a path without files if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path(os.devnull)


def dbt_variable(environment: Mapping[str, str], name: str) -> str | None:
    """Return the value of `DBT_ENGINE_<name>`, else of `DBT_<name>`; empty values count as missing."""
    return environment.get(f"DBT_ENGINE_{name}") or environment.get(f"DBT_{name}") or None


def find_profiles_file(
    given: str | Path | None, environment: Mapping[str, str], directory: Path, home: Path
) -> Path:
    """Return the profiles.yml that dbt would read; *given* is a file, or a directory that contains it."""
    if given is not None:
        path = Path(given).expanduser()
        return _existing(path if path.is_file() else path / PROFILES_FILE, "")
    named = dbt_variable(environment, "PROFILES_DIR")
    if named is not None:
        path = directory / Path(named).expanduser() / PROFILES_FILE
        return _existing(path, ", the directory in DBT_PROFILES_DIR")
    local, fallback = directory / PROFILES_FILE, home / ".dbt" / PROFILES_FILE
    return local if local.is_file() else _existing(fallback, f", and none in {directory}")


def find_project_dir(directory: Path, environment: Mapping[str, str]) -> Path | None:
    """Return the dbt project: `DBT_PROJECT_DIR`, else *directory* or its nearest parent that is a project."""
    named = dbt_variable(environment, "PROJECT_DIR")
    if named is not None:
        project = directory / Path(named).expanduser()
        if not (project / PROJECT_FILE).is_file():
            raise ConfigurationError(
                f"No {PROJECT_FILE} in {project}",
                hint="set DBT_PROJECT_DIR to the directory of a dbt project",
            )
        return project
    return nearest_with(PROJECT_FILE, directory)


def nearest_with(name: str, directory: Path) -> Path | None:
    """Return *directory* or its nearest parent that contains a file called *name*."""
    return next((path for path in (directory, *directory.parents) if (path / name).is_file()), None)


def _existing(path: Path, remark: str) -> Path:
    if path.is_file():
        return path
    raise ProfileError(
        f"No {PROFILES_FILE} at {path}{remark}",
        hint="pass --profiles-dir DIRECTORY or --url URL; profiles.example.yml shows one block per warehouse",
    )


DOTENV_FILE = ".env"

_REFERENCE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
"""References of python-dotenv: `${NAME}` and `${NAME:-default}`."""
_SILENCE = logging.NullHandler()


def with_dotenv(environment: Mapping[str, str], directory: Path) -> Mapping[str, str]:
    """Return *environment* plus the variables of the nearest `.env` in *directory* or above."""
    folder = nearest_with(DOTENV_FILE, directory)
    if folder is None:
        return environment
    path = folder / DOTENV_FILE
    try:
        # Editors on Windows may write a byte order mark.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"Cannot read {path}: {error}") from error
    return {**parse_dotenv(text, environment), **environment}


def parse_dotenv(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that *text* sets; skip invalid lines, like dbt."""
    from dotenv import dotenv_values

    logging.getLogger("dotenv").addHandler(_SILENCE)  # its warning about a line does not name the file
    values: dict[str, str | None] = {}
    for name, value in dotenv_values(stream=StringIO(text), interpolate=False).items():
        values[name] = None if value is None else _expand(value, {**values, **environment})
    return {name: value for name, value in values.items() if value is not None}


def _expand(value: str, known: Mapping[str, str | None]) -> str:
    return _REFERENCE.sub(lambda match: known.get(match["name"], match["default"]) or "", value)
