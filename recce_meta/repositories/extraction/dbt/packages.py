"""Packages of a project: installed by `dbt deps` in a folder of their own, checked, and kept.

`dbt deps` empties the folder it installs to. It never sees the project: only the files that name packages,
and local packages, at their places in an otherwise empty copy.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import yaml

from recce_meta.errors import ConfigurationError
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.repositories.extraction.dbt.commands import InstalledDbt
from recce_meta.repositories.extraction.dbt.project import (
    DEFAULT_INSTALL_PATH,
    LOCK_FILE,
    PACKAGES_FILES,
    DbtProject,
    has_installed_packages,
    install_path,
    local_folders,
    refuse_package_escapes,
)

_UNLOCKED_SECONDS = 86_400
"""Packages without a lock file are resolved again after a day."""
_NOT_COPIED = shutil.ignore_patterns(".git")
_MOST_KEPT = 8
"""Number of sets of packages that are kept for a connection."""
_COPY = "project"
"""Folder of the copy of the repository, in the folder that `dbt deps` writes to."""


def needs_deps(project: DbtProject, environ: Mapping[str, str]) -> bool:
    """Return True if the project has packages, and the repository does not contain them.

    Raises ConfigurationError if `packages-install-path` is invalid.
    """
    return bool(project.packages) and not has_installed_packages(project, environ)


def packages_key(project: DbtProject, dbt: InstalledDbt, variables: Mapping[str, str]) -> str | None:
    """Return the key of kept packages; None if they are part of the commit, and not to be kept."""
    # Files of a local package change with each commit, and no digest covers them.
    if project.packages_digest is None or any(package.local is not None for package in project.packages):
        return None
    parts = [project.packages_digest, dbt.minor, *(f"{name}={variables[name]}" for name in sorted(variables))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def find_packages(kept: Path, key: str, project: DbtProject) -> Path | None:
    """Return the folder of packages kept under *key*; None if there is none, or it is too old.

    *kept* belongs to one connection: packages may be private.
    """
    folder = kept / key
    try:
        if project.lock_file is not None:
            # The oldest sets are removed.
            os.utime(folder)
            return folder
        # A lock file fixes the versions; without it, a range may have a newer one.
        is_old = time.time() - folder.stat().st_mtime > _UNLOCKED_SECONDS
    except FileNotFoundError:  # also if the job of another branch removes it at this moment
        return None
    return None if is_old else folder


def prepare_deps(project: DbtProject, clone: Path, out: Path, environ: Mapping[str, str]) -> Path:
    """Create in *out* the folder that `dbt deps` runs in, and return it.

    It contains a dbt_project.yml of ours, the files that name packages, and the local packages of *clone*.
    Raises ConfigurationError if a local package is missing, or leaves the clone.
    """
    root = out / _COPY
    folder = root / project.folder.resolve().relative_to(clone.resolve())
    folder.mkdir(parents=True)
    for local in local_folders(clone, project, environ):
        place = root / local.relative_to(clone.resolve())
        shutil.copytree(local, place, symlinks=True, ignore=_NOT_COPIED, dirs_exist_ok=True)
    # The project's own file could set other paths, and has templates that need variables.
    content = {"name": project.name, "version": "1.0.0", "config-version": 2, "profile": "recce_meta"}
    (folder / PROJECT_FILE).write_text(yaml.safe_dump(content), encoding="utf-8")
    for name in (*PACKAGES_FILES, LOCK_FILE):
        if (project.folder / name).is_file():
            shutil.copyfile(project.folder / name, folder / name)
    return folder


def collect_packages(
    out: Path, folder: Path, kept: Path, key: str | None, environ: Mapping[str, str]
) -> Path:
    """Copy the packages that `dbt deps` has installed in *folder* of *out* to *kept*; return their folder.

    Without *key* they are copied to *out*. Links to local packages become copies. Raises ConfigurationError
    if a package leads out of its folder.
    """
    home = out if key is None else kept
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f".draft-{uuid4().hex[:8]}"
    draft.mkdir()
    root = (out / _COPY).resolve()
    try:
        for entry in sorted((folder / DEFAULT_INSTALL_PATH).glob("*")):
            package = entry.resolve()
            # dbt worked on files of other people, so that what it wrote is not trusted.
            if not package.is_relative_to(root):
                raise ConfigurationError(f"The package {entry.name} is a link that leaves the repository")
            if (package / PROJECT_FILE).is_file():
                refuse_package_escapes(package, environ)
                shutil.copytree(
                    package, draft / entry.name, ignore=_NOT_COPIED, ignore_dangling_symlinks=True
                )
        lock = folder / LOCK_FILE
        if lock.is_file() and not lock.is_symlink():
            shutil.copyfile(lock, draft / LOCK_FILE)
        final = home / (key or "collected")
        _remove(final)
        draft.rename(final)
        if key is not None:
            _remove_oldest(kept)
        return final
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _remove_oldest(kept: Path) -> None:
    """Remove all but the newest packages: branches need different ones."""
    used = {}
    for folder in kept.glob("[!.]*"):
        with suppress(FileNotFoundError):  # the job of another branch has removed it
            used[folder] = folder.stat().st_mtime
    for folder in sorted(used, key=lambda folder: used[folder], reverse=True)[_MOST_KEPT:]:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a set of packages, which jobs of other branches may copy at this moment."""
    # Renamed first: a copy then fails, where it would only miss the files that are gone already.
    gone = folder.with_name(f".draft-{uuid4().hex[:8]}")
    with suppress(FileNotFoundError):
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def place_packages(installed: Path, project: DbtProject, environ: Mapping[str, str]) -> bool:
    """Copy packages into the folder of the project where `dbt parse` looks for them, and their lock file.

    Without it, `dbt parse` of the Rust engine fetches packages again, and has no network. Return False if
    another job has removed or replaced the packages meanwhile. Raises ConfigurationError if
    `packages-install-path` is invalid.
    """
    folder, before = install_path(project, environ), _identity(installed)
    try:
        shutil.copytree(installed, folder, dirs_exist_ok=True)
    except OSError:
        if _identity(installed) == before is not None:
            raise
    if before is None or _identity(installed) != before:
        return False
    if (folder / LOCK_FILE).is_file():
        (folder / LOCK_FILE).replace(project.folder / LOCK_FILE)
    return True


def _identity(folder: Path) -> int | None:
    """Return the number of a folder, which another one in its place does not have; None if it is missing."""
    try:
        return folder.stat().st_ino
    except FileNotFoundError:
        return None
