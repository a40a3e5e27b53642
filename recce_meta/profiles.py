"""profiles.yml, read as dbt reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Profile:
    """One output of `profiles.yml`, rendered; its fields may hold secrets and never show."""

    path: Path
    profile: str
    target: str
    type: str
    threads: int
    fields: Mapping[str, object] = field(repr=False)


def load_profile(
    profiles_path: str | Path | None = None,
    profile: str | None = None,
    target: str | None = None,
    *,
    project_dir: Path | None = None,
    variables: Mapping[str, object] | None = None,
) -> Profile:
    """The output that dbt would use."""
    raise NotImplementedError
