"""Runs that are not stored: `path:DIR` in the place of a run selector names dbt's artifacts."""

from __future__ import annotations

from pathlib import Path

from recce_meta.errors import ArtifactError
from recce_meta.models import Project

PREFIX = "path:"


def folder_of(selector: str) -> Path | None:
    """The folder that *selector* names; None where it means a stored run."""
    return Path(selector[len(PREFIX) :]) if selector.startswith(PREFIX) else None


def read_run(folder: Path, *, hash_seed_files: bool) -> Project:
    """The run whose artifacts lie in *folder*, by whose name its environment goes."""
    # Most commands ask about stored runs, and need not wait for what reads artifacts.
    from recce_meta.extractors.git import GitState
    from recce_meta.extractors.project import extract_project

    if not folder.exists():
        raise ArtifactError(f"No such folder: {folder}", hint="path:DIR names dbt's target folder")
    # Artifacts need not come from the checkout that they lie in.
    no_git = GitState()
    return extract_project(folder, environment=str(folder), git=no_git, hash_seed_files=hash_seed_files)
