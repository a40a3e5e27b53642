"""Runs that are not stored: `path:DIR` in the place of a run selector names dbt's artifacts."""

from __future__ import annotations

from pathlib import Path

from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project

PREFIX = "path:"
NO_GIT = GitState()
"""Artifacts need not come from the checkout that they lie in."""


def folder_of(selector: str) -> Path | None:
    """The folder that *selector* names; None where it means a stored run."""
    return Path(selector[len(PREFIX) :]) if selector.startswith(PREFIX) else None


def read_run(folder: Path, *, hash_seed_files: bool) -> Project:
    """The run whose artifacts lie in *folder*, by whose name its environment goes."""
    return extract_project(folder, environment=str(folder), git=NO_GIT, hash_seed_files=hash_seed_files)
