"""Results of checks in the store: figures and sentences, without a value of the users' data."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recce_meta.models.node import Json

OWN_ORIGIN = "recce_meta"
"""The origin of what `check run --save` stored."""


class StoredFinding(Struct, frozen=True, kw_only=True):
    """What a check found of one node, relation or query."""

    unique_id: str | None = None
    """None for a relation or a query."""
    name: str
    finding: str
    """`differs`, `same`, `only_in_base`, `only_in_current`, `not_compared`, `shown` or `failed`."""
    text: str
    """Counts in words: `100 → 101 (+1, +1.0%)`."""


class StoredCheck(Struct, frozen=True, kw_only=True):
    """The result of one check, stored with the runs that it compared."""

    check_result_id: str
    """The hash of the result: storing it again is a no-op."""
    checked_at: datetime
    """When the check ran, in UTC."""
    base_run_id: str | None
    current_run_id: str | None
    origin: str = OWN_ORIGIN
    """`recce_meta`, or `recce` and its version if it was imported."""
    file_name: str = ""
    """The name of the file of checks, without its folder."""
    ordinal: int
    """Place in the file, from 1."""
    check_name: str
    check_type: str
    description: str = ""
    status: str
    """`passed`, `failed`, `error` or `skipped`."""
    has_expectations: bool
    is_optional: bool = False
    node_count: int | None = None
    """Nodes with a finding; None if nothing was found out."""
    differing_nodes: int | None = None
    uncompared_nodes: int | None = None
    message: str = ""
    violations: tuple[str, ...] = ()
    findings: tuple[StoredFinding, ...] = ()
    seconds: float | None = None
    parameters: dict[str, Json] = {}
    recorder_version: str
