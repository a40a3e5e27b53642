"""Results of data diffs that are kept in the store: what a list of them tells, and one of them whole."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.node import Json


class Headline(Struct, frozen=True, kw_only=True):
    """The figures of a data diff that history is made of; None where its kind has no such figure."""

    is_equal: bool | None = None
    """Whether nothing was seen to differ; None where that could not be told."""
    base_rows: int | None = None
    current_rows: int | None = None
    added_rows: int | None = None
    removed_rows: int | None = None
    common_rows: int | None = None
    changed_rows: int | None = None
    differing_columns: int | None = None
    """Columns that differ, that one side alone has, or that could not be compared."""
    error: str | None = None
    """Why there is no result, or no figure of one side."""


class KeptDiff(Struct, frozen=True, kw_only=True):
    """One kept data diff without its result."""

    diff_id: str
    taken_at: datetime
    """When the data were compared, in UTC."""
    base_run_id: str | None
    current_run_id: str | None
    unique_id: str | None
    """The node compared; None for a relation or a query."""
    subject_name: str
    base_relation: str | None
    current_relation: str | None
    diff_type: str
    """`value_diff`, `row_count_diff`, …: what the result is; of a failed diff, what it was to be."""
    headline: Headline
    parameters: dict[str, Json]


class LoadedDiff(Struct, frozen=True, kw_only=True):
    """One kept data diff with its result."""

    kept: KeptDiff
    result: AnyDataDiff
