"""Values of options that have fields of their own."""

from __future__ import annotations

from msgspec import Struct


class ProfileTarget(Struct, frozen=True, kw_only=True):
    """Values of the target in profiles.yml that decide names of relations."""

    target: str | None = None
    """Name of the target. Default: `dev`."""
    schema: str | None = None
    """Schema, or dataset. Default: `analytics`."""
    database: str | None = None
    """Database, catalog or project. Default: `analytics`."""


class GitHubApp(Struct, frozen=True, kw_only=True):
    """Installation of a GitHub App, which gives tokens; its private key is a secret of the connection."""

    app_id: str
    installation_id: str
