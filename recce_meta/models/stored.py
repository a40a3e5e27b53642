"""Statistics stored with a run, and stored data diffs.

Statistics are row counts of nodes, and profiles of their columns. A stored figure never changes. Missing
figures may be added later: a row count that failed before, or the profile of a node that was only counted.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.data_diff import AnyDataDiff, Profile
from recce_meta.models.node import Json


class ColumnStatistics(Struct, frozen=True, kw_only=True):
    """Figures of one column."""

    name: str
    profile: Profile


class NodeStatistics(Struct, frozen=True, kw_only=True):
    """Figures of one node's relation. All times are time-zone aware."""

    unique_id: str
    counted_at: datetime
    """Time of the row count, even if it failed."""
    row_count: int | None = None
    reason: str | None = None
    """Why the row count failed; None if it succeeded."""
    profiled_at: datetime | None = None
    """When the columns were profiled; None if they were not."""
    columns: tuple[ColumnStatistics, ...] = ()
    """Columns in the order of the relation, all from one profile; empty if it was not profiled."""
    profile_reason: str | None = None
    """Why profiling failed; None if it succeeded or was not requested."""

    def with_missing_from(self, later: NodeStatistics) -> NodeStatistics:
        """Return these statistics, completed with missing figures from *later*.

        A count and a profile are each taken over completely, with their time. A reason is replaced only by
        the figure whose absence it explains.

        """
        merged = self
        # A stored figure never changes, because diffs may have used it.
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


class StatisticsSummary(Struct, frozen=True, kw_only=True):
    """Amount of statistics stored with a run, and their times."""

    nodes_counted: int
    nodes_not_counted: int
    """Nodes whose row count failed; they are stored with the reason."""
    nodes_profiled: int
    columns_profiled: int
    first_counted_at: datetime | None = None
    last_counted_at: datetime | None = None


class Headline(Struct, frozen=True, kw_only=True):
    """Summary figures of a data diff; None if its kind has no such figure."""

    is_equal: bool | None = None
    """True if no difference was found; None if that is unknown."""
    base_rows: int | None = None
    current_rows: int | None = None
    added_rows: int | None = None
    removed_rows: int | None = None
    common_rows: int | None = None
    changed_rows: int | None = None
    differing_columns: int | None = None
    """Columns that differ, exist on one side only, or could not be compared."""
    error: str | None = None
    """Why the result, or a figure of one side, is missing."""


class StoredDiff(Struct, frozen=True, kw_only=True):
    """Stored data diff without its result."""

    diff_id: str
    taken_at: datetime
    """When the data were compared, in UTC."""
    base_run_id: str | None
    current_run_id: str | None
    unique_id: str | None
    """Unique id of the compared node; None for a relation or a query."""
    subject_name: str
    base_relation: str | None
    current_relation: str | None
    diff_type: str
    """Type of the result: `value_diff`, `row_count_diff`, …; for a failed diff, the intended type."""
    headline: Headline
    parameters: dict[str, Json]


class LoadedDiff(Struct, frozen=True, kw_only=True):
    """Stored data diff with its result."""

    stored: StoredDiff
    result: AnyDataDiff
