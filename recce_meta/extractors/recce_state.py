"""State files of recce (`recce_state.json`, schema version v0): checks, runs, and artifacts of both sides.

https://github.com/DataRecce/recce/blob/main/recce/state/state.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.errors import ArtifactError, quoted

SCHEMA_VERSION = "v0"
_REWRITE = "write it again with recce run"


class RecceMetadata(Struct, frozen=True, kw_only=True):
    """Which recce wrote the file, and when."""

    schema_version: str | None = None
    recce_version: str = ""
    generated_at: str | None = None


class RecceRun(Struct, frozen=True, kw_only=True):
    """One answer of recce."""

    type: str
    run_id: str
    run_at: str
    name: str | None = None
    params: dict[str, Any] | None = None
    check_id: str | None = None
    result: dict[str, Any] | None = None
    error: str | None = None
    status: str | None = None

    @property
    def title(self) -> str:
        """What reports call the run."""
        return (self.name or self.type).strip()


class RecceCheck(Struct, frozen=True, kw_only=True):
    """One entry of recce's checklist."""

    name: str
    type: str
    check_id: str
    description: str | None = None
    params: dict[str, Any] | None = None
    view_options: dict[str, Any] | None = None
    is_checked: bool = False
    created_at: str | None = None
    updated_at: str | None = None


class RecceArtifacts(Struct, frozen=True, kw_only=True):
    """Manifest and catalog of both sides, by name."""

    base: dict[str, dict[str, Any] | None] = {}
    current: dict[str, dict[str, Any] | None] = {}


class RecceState(Struct, frozen=True, kw_only=True):
    """Everything in a state file that can be imported."""

    metadata: RecceMetadata
    runs: tuple[RecceRun, ...] | None = ()
    checks: tuple[RecceCheck, ...] | None = ()
    artifacts: RecceArtifacts | None = None
    git: dict[str, Any] | None = None
    pull_request: dict[str, Any] | None = None

    @property
    def origin(self) -> str:
        """The tool and its version."""
        return f"recce {self.metadata.recce_version}".strip()


def is_recce_state(data: bytes) -> bool:
    """Return True if *data* begins as recce's state does, and ours never."""
    head = data[:4_096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and b'"recce_version"' in head


def recce_state_of(data: bytes, name: str) -> RecceState:
    """Return the state in *data*, which errors call *name*.

    Raises ArtifactError if it is damaged, lacks what a state has, or is of another schema version.
    """
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(
            f"{name} cannot be imported: it is not valid JSON: {error}", hint=_REWRITE
        ) from None
    metadata = tree.get("metadata") if isinstance(tree, Mapping) else None
    version = metadata.get("schema_version") if isinstance(metadata, Mapping) else None
    if version not in (None, SCHEMA_VERSION):
        raise ArtifactError(
            f"{name} cannot be imported: it has version {quoted(version)} of recce's state",
            hint=f"recce-meta reads version {SCHEMA_VERSION}",
        )
    try:
        return msgspec.convert(tree, RecceState)
    except msgspec.ValidationError as error:
        raise ArtifactError(
            f"{name} cannot be imported: it is not a whole state of recce: {error}", hint=_REWRITE
        ) from None


def moment_of(text: str | None) -> datetime | None:
    """Return a time as recce writes it (`2026-11-21T02:40:26Z`), in UTC; None if it is not a time."""
    try:
        found = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.replace(tzinfo=timezone.utc) if found.tzinfo is None else found.astimezone(timezone.utc)
