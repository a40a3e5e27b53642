"""Stored results of data diffs, for reports of changes.

A module of its own, because comparing data imports much that showing earlier results does not need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import RunDiff, RunMetadata
from recce_meta.models.catalog import WITH_DATA
from recce_meta.models.change import Change, Impact
from recce_meta.models.data_diff import (
    AnyDataDiff,
    NotCompared,
    RowCountDiff,
    Subject,
)
from recce_meta.report.labels import node_label
from recce_meta.store.data_diffs import load_diffs_of_pair, one_subject_each, subject_of

ALL_DIFFS = "data_diff"
"""Type of a result for all diffs of a node."""
NOT_STORED = "no result is stored"


class StoredData(Struct, frozen=True, kw_only=True):
    """Stored results of data diffs of two runs."""

    results: tuple[AnyDataDiff, ...] = ()
    """Latest result of each kind and node; row counts of all nodes are one result."""
    taken_at: datetime | None = None
    """Time of the oldest result, in UTC; None if nothing is stored."""

    def of_diff(self, diff: RunDiff) -> tuple[AnyDataDiff, ...]:
        """Return the results, and a NotCompared for each changed or affected node with data without one.

        Nothing without results.

        Results of nodes outside the selection of *diff* are left out.
        """
        nodes: list[Change | Impact] = [*diff.changed, *diff.impacted]
        results = list(one_subject_each(self.results))
        if diff.selected is not None:
            known = diff.subjects
            results = [one for one in results if subject_of(one).unique_id in known]
        # Without any stored result, a note on each node would only say that --data was not used.
        if not results:
            return ()
        compared = {subject_of(one).unique_id for one in results}
        missing = (
            Subject(name=node_label(node), unique_id=node.unique_id)
            for node in nodes
            if node.resource_type in WITH_DATA and node.unique_id not in compared
        )
        left_out = (NotCompared(subject=one, diff=ALL_DIFFS, reason=NOT_STORED) for one in missing)
        return (*_with_one_row_count(results), *left_out)


def stored_data(adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata) -> StoredData:
    """Return the stored results of data diffs of *base* and *current*."""
    found = load_diffs_of_pair(adapter, base, current)
    return StoredData(
        results=tuple(_with_one_row_count([one.result for one in found])),
        # The oldest, so that a reader does not take old figures for new ones.
        taken_at=min((one.stored.taken_at for one in found), default=None),
    )


def _with_one_row_count(results: Sequence[AnyDataDiff]) -> Iterator[AnyDataDiff]:
    """Yield *results* with all row counts, which are stored by node, in one result."""
    counts = [result for result in results if isinstance(result, RowCountDiff)]
    if counts:
        rows = sorted((row for one in counts for row in one.counts), key=lambda row: row.subject.name)
        notes = dict.fromkeys(note for one in counts for note in one.notes)
        yield replace(counts[0], counts=tuple(rows), notes=tuple(notes))
    yield from (result for result in results if not isinstance(result, RowCountDiff))
