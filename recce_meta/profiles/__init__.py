"""profiles.yml, found and read as dbt does it, without dbt."""

from __future__ import annotations

from recce_meta.profiles.profile import Profile, find_project_dir, load_profile, read_project_name

__all__ = ["Profile", "find_project_dir", "load_profile", "read_project_name"]
