"""How a run was extracted from a connected repository."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class IsolationKind(str, Enum):
    """How programs that run files of a repository are kept apart, strongest first."""

    DOCKER = "docker"
    BUBBLEWRAP = "bubblewrap"
    PROCESS = "process"


class ExtractionTier(str, Enum):
    """How a run was read: dbt's manifest, our reader of a dbt project, or plain SQL."""

    GOLD = "GOLD"
    SILVER = "SILVER"
    BRONZE = "BRONZE"


class Trigger(str, Enum):
    """Why a job was requested."""

    CONNECT = "connect"
    MANUAL = "manual"
    POLL = "poll"
    WEBHOOK = "webhook"
    UPLOAD = "upload"


class Extraction(Struct, frozen=True, kw_only=True):
    """How a run was extracted from a repository, stored with the run."""

    connection: str
    """Name of the connection."""
    job: str
    trigger: Trigger
    requested_by: str
    tier: ExtractionTier
    isolation: IsolationKind | None = None
    """None for an uploaded manifest; else that of dbt in the tier GOLD, and of our reader in other tiers."""
    adapter: str | None = None
    """Adapter of dbt that parsed the project."""
    is_stand_in: bool = False
    """Whether another adapter than the project's own parsed it."""
    manifest_digest: str | None = None
    """SHA-256 of the manifest."""
    fallback: str | None = None
    """Why a lower tier was used."""
