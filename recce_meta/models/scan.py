"""What a scan of a live database found, and how it differs from the one before."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from recce_meta.models.change import RunDiff
from recce_meta.models.run import RunMetadata


class ScanCounts(Struct, frozen=True, kw_only=True):
    """How much of each there is."""

    schemas: int = 0
    tables: int = 0
    """External ones among them."""
    views: int = 0
    """Materialized ones among them."""
    columns: int = 0
    constraints: int = 0
    """Foreign keys among them; NOT NULL is a column's."""
    foreign_keys: int = 0
    indexes: int = 0
    """Those that no constraint brings along."""
    edges: int = 0
    """From views to what they read."""


class Tally(Struct, frozen=True, kw_only=True):
    """How many of one kind came, went, changed, and stayed as they were."""

    added: int = 0
    removed: int = 0
    modified: int = 0
    unchanged: int = 0


class ScanReport(Struct, frozen=True, kw_only=True):
    """The answer of `recce-meta scan`."""

    run: RunMetadata
    is_new: bool
    """Whether the run was written; otherwise one of that id was there before."""
    counts: ScanCounts
    previous: RunMetadata | None
    """The scan before of this project, environment and scope, else of any scope; None for the first."""
    tallies: Mapping[str, Tally] = {}
    """Schemas, tables, views and columns against the scan before; empty where there is none."""
    diff: RunDiff | None = None
    warnings: tuple[str, ...] = ()
    """What could not be read, one sentence each."""
