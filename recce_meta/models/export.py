"""One recorded run with all that is kept with it: what `recce-meta export` hands to an exporter.

An export is whole: writing it into an empty store gives the rows that the run has in the one it came from, so
it carries the ids under which contents are kept, and does not count on computing the same ones again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from msgspec import Raw, Struct

from recce_meta.models.column_lineage import Tier
from recce_meta.models.quality import Quality
from recce_meta.models.run import Project
from recce_meta.models.statistics import NodeStatistics
from recce_meta.models.stored_check import StoredCheck


class CutFrom(Struct, frozen=True, kw_only=True):
    """The run that an export is a part of, and how the part was chosen."""

    run_id: str
    select: tuple[str, ...] = ()
    """In dbt's selection grammar; empty for all nodes."""
    exclude: tuple[str, ...] = ()
    node_count: int = 0
    """How many nodes the whole run has."""


class AnalysisEdge(Struct, frozen=True, gc=False):
    """One row of what an analysis of a node's SQL found, in the order of its query.

    An output column has one for each column that its value comes from, or one without a parent where there is
    none; a column that decides over rows has one without `column_name`, and `kind` says what it is read for.
    """

    column_name: str | None
    parent_id: str | None
    parent_column: str | None
    kind: str
    """A `Kind`, or a `Usage` where there is no `column_name`."""
    expression: str | None = None
    confidence: float | None = None


class Analysis(Struct, frozen=True, gc=False, kw_only=True):
    """What is known of the columns of one query; nodes of equal SQL over equal parents share it."""

    lineage_id: str
    tier: Tier
    reason: str | None = None
    """Why there are no columns."""
    edges: tuple[AnalysisEdge, ...] = ()


class ColumnLineage(Struct, frozen=True, kw_only=True):
    """The column lineage of a run."""

    parts: dict[str, dict[str, str]]
    """Lineage ids by unique id, by the part of the column graph that the node is in."""
    analyses: tuple[Analysis, ...]
    """Sorted by lineage id; each of those that `parts` name, once."""


class ExportedDiff(Struct, frozen=True, kw_only=True):
    """A kept data diff that belongs to the run: to its current run, or to base where it has no other."""

    diff_id: str
    taken_at: datetime
    base_run_id: str | None
    current_run_id: str | None
    parameters: Raw
    """JSON, as it is stored."""
    result: Raw
    """JSON, as it is stored."""
    recorder_version: str


class Export(Struct, frozen=True, kw_only=True):
    """One run with all that is kept with it. All times are time-zone aware, in UTC."""

    project: Project
    """The run, with its nodes, groups, macros, results and facts, each sorted by unique id."""
    graph: dict[str, dict[str, str]]
    """Version ids by unique id of nodes and groups, by the part of the graph that they are in."""
    macro_ids: dict[str, str]
    """Version ids by unique id."""
    column_lineage: ColumnLineage | None = None
    """None where the run was recorded without columns."""
    statistics: tuple[NodeStatistics, ...] = ()
    """Row counts and profiles kept with the run, by unique id."""
    quality: tuple[Quality, ...] = ()
    """Measurements of its nodes, the oldest first."""
    data_diffs: tuple[ExportedDiff, ...] = ()
    """The oldest first."""
    check_results: tuple[StoredCheck, ...] = ()
    """Results of checks that belong to the run, the oldest first."""
    cut_from: CutFrom | None = None
    """None where this is a whole run."""
    producer: str = ""
    """Which recce_meta read the run."""


Exporter: TypeAlias = Callable[[Export, Path], Sequence[Path]]
"""Writes an export to a path that does not exist yet, as a file or a folder, and returns the paths it wrote.

What a user can do about a failure is a RecceMetaError, or an OSError."""
