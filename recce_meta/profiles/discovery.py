"""Where profiles.yml and the dbt project are, found as dbt finds them.

Every environment variable has a `DBT_ENGINE_` twin that wins over the older name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from recce_meta.errors import ConfigurationError, ProfileError

PROFILES_FILE = "profiles.yml"
PROJECT_FILE = "dbt_project.yml"


def working_directory() -> Path:
    """Return the working directory; if it was deleted, a folder that holds nothing."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path(os.devnull)


def dbt_variable(environment: Mapping[str, str], name: str) -> str | None:
    """The value of `DBT_ENGINE_<name>`, else of `DBT_<name>`; empty ones count as absent."""
    return environment.get(f"DBT_ENGINE_{name}") or environment.get(f"DBT_{name}") or None


def find_profiles_file(
    given: str | Path | None, environment: Mapping[str, str], directory: Path, home: Path
) -> Path:
    """The profiles.yml that dbt would read; *given* is a file, or a directory that has one."""
    if given is not None:
        path = Path(given).expanduser()
        return _existing(path if path.is_file() else path / PROFILES_FILE, "")
    named = dbt_variable(environment, "PROFILES_DIR")
    if named is not None:
        path = directory / Path(named).expanduser() / PROFILES_FILE
        return _existing(path, ", where the environment's DBT_PROFILES_DIR points")
    local, fallback = directory / PROFILES_FILE, home / ".dbt" / PROFILES_FILE
    return local if local.is_file() else _existing(fallback, f", and none in {directory}")


def find_project_dir(directory: Path, environment: Mapping[str, str]) -> Path | None:
    """The dbt project at hand: `DBT_PROJECT_DIR`, else *directory* or its nearest parent that is one."""
    named = dbt_variable(environment, "PROJECT_DIR")
    if named is not None:
        project = directory / Path(named).expanduser()
        if not (project / PROJECT_FILE).is_file():
            raise ConfigurationError(
                f"No {PROJECT_FILE} in {project}",
                hint="DBT_PROJECT_DIR must name the directory of a dbt project",
            )
        return project
    return nearest_with(PROJECT_FILE, directory)


def nearest_with(name: str, directory: Path) -> Path | None:
    """The nearest folder, *directory* or above it, that holds a file called *name*."""
    return next((path for path in (directory, *directory.parents) if (path / name).is_file()), None)


def _existing(path: Path, remark: str) -> Path:
    if path.is_file():
        return path
    raise ProfileError(
        f"No {PROFILES_FILE} at {path}{remark}",
        hint="pass --profiles-dir DIRECTORY or --url URL; profiles.example.yml shows one block per warehouse",
    )
