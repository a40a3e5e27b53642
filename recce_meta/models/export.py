"""Export of one recorded run with everything stored with it, passed to exporters by `recce-meta export`.

An export is complete: importing it into an empty store gives the same rows as in the original store. It
therefore contains the ids of stored contents, instead of relying on computing them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from msgspec import Raw, Struct

from recce_meta.models.checks import StoredCheck
from recce_meta.models.lineage import Tier
from recce_meta.models.marks.review import Review
from recce_meta.models.quality import Quality
from recce_meta.models.run import CutFrom, Project
from recce_meta.models.stored import NodeStatistics


class AnalysisEdge(Struct, frozen=True, gc=False):
    """One edge found by the analysis of a node's SQL, in the order of its query.

    An output column has one edge for each column that its value is derived from, or a single edge without a
    parent. A column that determines rows has an edge without `column_name`, and `kind` says how it is used.
    """

    column_name: str | None
    parent_id: str | None
    parent_column: str | None
    kind: str
    """A `Kind`, or a `Usage` if there is no `column_name`."""
    expression: str | None = None
    confidence: float | None = None


class Analysis(Struct, frozen=True, gc=False, kw_only=True):
    """Column lineage of one query, shared by nodes with equal SQL and equal parents."""

    lineage_id: str
    tier: Tier
    reason: str | None = None
    """Why there is no column lineage."""
    edges: tuple[AnalysisEdge, ...] = ()


class ColumnLineage(Struct, frozen=True, kw_only=True):
    """Column lineage of a run."""

    parts: dict[str, dict[str, str]]
    """Lineage ids by unique id, grouped by part of the column graph."""
    analyses: tuple[Analysis, ...]
    """Every analysis referenced by `parts`, once, sorted by lineage id."""


class ExportedDiff(Struct, frozen=True, kw_only=True):
    """Stored data diff of the run: the run is its current run, or its base if it has no current run."""

    diff_id: str
    taken_at: datetime
    base_run_id: str | None
    current_run_id: str | None
    # Undecoded, so that an import writes the stored text byte for byte.
    parameters: Raw
    """Stored JSON."""
    result: Raw
    """Stored JSON."""
    recorder_version: str


class Export(Struct, frozen=True, kw_only=True):
    """One run with everything stored with it. All times are time-zone aware, in UTC."""

    project: Project
    """The run, with its nodes, groups, macros, results and facts, each sorted by unique id."""
    graph: dict[str, dict[str, str]]
    """Version ids of nodes and groups by unique id, grouped by part of the graph."""
    macro_ids: dict[str, str]
    """Version ids of macros by unique id."""
    column_lineage: ColumnLineage | None = None
    """None if the run was recorded without columns."""
    statistics: tuple[NodeStatistics, ...] = ()
    """Row counts and profiles stored with the run, sorted by unique id."""
    quality: tuple[Quality, ...] = ()
    """Quality measurements of its nodes, oldest first."""
    data_diffs: tuple[ExportedDiff, ...] = ()
    """Data diffs, oldest first."""
    check_results: tuple[StoredCheck, ...] = ()
    """Check results of the run, oldest first."""
    reviews: tuple[Review, ...] = ()
    """Marks of reviewers with this current run, oldest first."""
    cut_from: CutFrom | None = None
    """None for a complete run."""
    producer: str = ""
    """Version of recce_meta that read the run."""


Exporter: TypeAlias = Callable[[Export, Path], Sequence[Path]]
"""Function that writes an export to a new path, as a file or a folder, and returns the written paths.

It raises RecceMetaError or OSError for failures that a user can fix."""
