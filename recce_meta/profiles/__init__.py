"""Reader of profiles.yml that follows dbt's rules without using dbt."""

from __future__ import annotations

from recce_meta.profiles.load import (
    RenderedProfile,
    find_project_dir,
    load_profile,
    read_project_name,
    read_target_path,
)
from recce_meta.profiles.project_file import ProjectSettings, read_project_settings

__all__ = [
    "ProjectSettings",
    "RenderedProfile",
    "find_project_dir",
    "load_profile",
    "read_project_name",
    "read_project_settings",
    "read_target_path",
]
