"""Statistics kept with a run: how many rows its nodes had, and what was in their columns.

A kept figure never changes. What a run lacks may be added later: the rows of a node that could not be counted
before, the profile of one that was only counted.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.data_diff import Profile


class ColumnStatistics(Struct, frozen=True, kw_only=True):
    """The figures of one column."""

    name: str
    profile: Profile


class NodeStatistics(Struct, frozen=True, kw_only=True):
    """The figures of one node's relation. All times are time-zone aware."""

    unique_id: str
    counted_at: datetime
    """When the rows were counted, or could not be."""
    row_count: int | None = None
    reason: str | None = None
    """Why the rows could not be counted; None where they were."""
    profiled_at: datetime | None = None
    """When the columns were profiled; None where they were not."""
    columns: tuple[ColumnStatistics, ...] = ()
    """In the order of the relation. All are from one look at it, or there are none."""
    profile_reason: str | None = None
    """Why the columns could not be profiled; None where they were, or nobody asked."""

    def with_missing_from(self, later: NodeStatistics) -> NodeStatistics:
        """These statistics, and of *later* ones what is missing here.

        A count and a profile are taken over whole, each with its own time. A reason gives way to what it
        says is missing, and to nothing else.
        """
        merged = self
        if self.row_count is None and later.row_count is not None:
            merged = replace(
                merged, row_count=later.row_count, counted_at=later.counted_at, reason=later.reason
            )
        if not self.columns and later.columns:
            merged = replace(
                merged, columns=later.columns, profiled_at=later.profiled_at, profile_reason=None
            )
        elif not self.columns and self.profile_reason is None:
            merged = replace(merged, profile_reason=later.profile_reason)
        return merged


class StatisticsKept(Struct, frozen=True, kw_only=True):
    """How much is kept with a run, and from when."""

    nodes_counted: int
    nodes_not_counted: int
    """Nodes that were to be counted, and are kept with the reason why they could not be."""
    nodes_profiled: int
    columns_profiled: int
    first_counted_at: datetime | None = None
    last_counted_at: datetime | None = None
