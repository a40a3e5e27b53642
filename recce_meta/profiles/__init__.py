"""profiles.yml, found and read as dbt does it, without dbt."""

from __future__ import annotations

from recce_meta.profiles.profile import Profile, find_project_dir, load_profile, read_project_name
from recce_meta.profiles.project_file import ProjectSettings, read_project_settings

__all__ = [
    "Profile",
    "ProjectSettings",
    "find_project_dir",
    "load_profile",
    "read_project_name",
    "read_project_settings",
]
