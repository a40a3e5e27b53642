"""Reader of the edited project: dbt's manifest, merged with the files that changed since dbt wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from recce_meta.api.record import target_folder
from recce_meta.api.record_sql import Known, SqlOptions, read_sql_project
from recce_meta.errors import RecceMetaError
from recce_meta.extractors.artifact import find_artifact
from recce_meta.extractors.git import detect_git
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project


class ManifestUnfinished(RecceMetaError):
    """The manifest is not valid JSON, probably because dbt is writing it."""


class ProjectState(Struct, frozen=True, kw_only=True):
    """Project as it is now."""

    project: Project
    source: str
    """`manifest`, `files` or `both`."""


def read_state(
    root: Path, environ: Mapping[str, str], known: Known, *, tell: Callable[[str], None]
) -> ProjectState:
    """Return the project in *root*."""
    git = detect_git(root, environ)
    target = target_folder(None, root, environ)
    if find_artifact(target, "manifest.json") is None:
        project = read_sql_project(root, SqlOptions(git=git, environ=environ), known=known)
        return ProjectState(project=project, source="files")
    project = extract_project(target, project_dir=root, git=git, environ=environ)
    return ProjectState(project=project, source="manifest")
