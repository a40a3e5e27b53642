"""Stored results of data diffs, for reports of changes.

A module of its own, because comparing data imports much that showing earlier results does not need.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.models import RunDiff
from recce_meta.models.change import Change, Impact
from recce_meta.models.data_diff import (
    AnyDataDiff,
    NotCompared,
    RowCountDiff,
    Subject,
)
from recce_meta.models.node_types import WITH_ROWS
from recce_meta.report.labels import node_label
from recce_meta.store.data_diffs import load_diffs_of_pair, one_subject_each, subject_of

ALL_DIFFS = "data_diff"
"""Type of a result for all diffs of a node."""
NOT_STORED = "no result is stored"


class StoredData(Struct, frozen=True, kw_only=True):
    """Stored results of data diffs of two runs."""

    results: tuple[AnyDataDiff, ...] = ()
    """Latest result of each kind and node; row counts of all nodes are one result.

    If there are any, a NotCompared for each other changed or affected node with rows.
    """
    taken_at: datetime | None = None
    """Time of the oldest result, in UTC; None if nothing is stored."""


def stored_data(adapter: UnifiedSqlAdapter, diff: RunDiff) -> StoredData:
    """Return the stored results of data diffs of the runs of *diff*, without nodes outside its selection."""
    found = load_diffs_of_pair(adapter, diff.base, diff.current)
    results = list(one_subject_each(_with_one_row_count([one.result for one in found])))
    if diff.selected is not None:
        known = diff.subjects
        results = [one for one in results if subject_of(one).unique_id in known]
    compared = {subject_of(one).unique_id for one in results}
    nodes: list[Change | Impact] = [*diff.changed, *diff.impacted]
    missing = {
        node.unique_id: Subject(name=node_label(node), unique_id=node.unique_id)
        for node in nodes
        if node.resource_type in WITH_ROWS and node.unique_id not in compared
    }
    # Without any stored result, a note on each node would only say that --data was not used.
    left_out = _with_rows(adapter, diff, missing) if results else ()
    return StoredData(
        results=(
            *_with_one_row_count(results),
            *(NotCompared(subject=missing[one], diff=ALL_DIFFS, reason=NOT_STORED) for one in left_out),
        ),
        # The oldest, so that a reader does not take old figures for new ones.
        taken_at=min((one.stored.taken_at for one in found), default=None),
    )


def _with_rows(adapter: UnifiedSqlAdapter, diff: RunDiff, ids: Collection[str]) -> list[str]:
    """Return those of *ids* that are not ephemeral: the readers of an ephemeral model have its rows."""
    sides = [StoredRunReader(adapter, run).nodes(ids) if ids else {} for run in (diff.base, diff.current)]
    return [one for one in ids if not all(side[one].is_ephemeral for side in sides if one in side)]


def _with_one_row_count(results: Sequence[AnyDataDiff]) -> Iterator[AnyDataDiff]:
    """Yield *results* with all row counts, which are stored by node, in one result."""
    counts = [result for result in results if isinstance(result, RowCountDiff)]
    if counts:
        rows = sorted((row for one in counts for row in one.counts), key=lambda row: row.subject.name)
        notes = dict.fromkeys(note for one in counts for note in one.notes)
        yield replace(counts[0], counts=tuple(rows), notes=tuple(notes))
    yield from (result for result in results if not isinstance(result, RowCountDiff))
