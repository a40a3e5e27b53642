"""`diff --data`: how the data of what changed, and of what that touches, differs; the cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recce_meta.api.comparing_data import Comparison, Job
from recce_meta.api.data_jobs import each
from recce_meta.api.run_pair import RunPair
from recce_meta.api.statistics import Kept, counts_with_kept
from recce_meta.api.subjects import Sides
from recce_meta.api.value_jobs import value_jobs
from recce_meta.diff.data.schema import schema_diff
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.models.data_diff import AnyDataDiff, Failed, RowCountDiff

OnProgress = Callable[[int, int], None]
"""Called with how many diffs are done, and how many there are in this round."""


def data_of_diff(
    comparison: Comparison,
    runs: RunPair,
    chosen: Sequence[Sides],
    on_progress: OnProgress,
    *,
    kept: tuple[Kept, Kept] = ({}, {}),
) -> list[AnyDataDiff]:
    """Row counts of all of *chosen*, and schemas and values of those that have a relation on both sides.

    Values are compared where a key is known, small relations first. *kept* are the statistics of either run:
    those of base spare counting it. What fails, or is not reached before the
    deadline, is a Failed among the results; the others go on.
    """
    both = [sides for sides in chosen if len(sides.pair(comparison.places).sides) == 2]
    first = [
        counts_with_kept(comparison.places, chosen, *kept),
        *each("schema_diff", comparison.places, both, schema_diff),
    ]
    results = _run(comparison, first, on_progress) if chosen else []
    unread = {result.subject.unique_id for result in results if isinstance(result, Failed)}
    read = [sides for sides in both if sides.node is not None and sides.node.unique_id not in unread]
    values = value_jobs(comparison.places, runs, read, ValueOptions(), keyed_alone=True)
    values.sort(key=_by_size(results))
    return results + _run(comparison, values, on_progress)


def _run(comparison: Comparison, jobs: Sequence[Job], on_progress: OnProgress) -> list[AnyDataDiff]:
    done = 0

    def count(_result: AnyDataDiff) -> None:
        nonlocal done
        done += 1
        on_progress(done, len(jobs))

    on_progress(0, len(jobs))
    return comparison.run_all(jobs, count)


def _by_size(results: Sequence[AnyDataDiff]) -> Callable[[Job], int]:
    """Rows of both sides of a job's subject, as counted."""
    rows = {
        count.subject.unique_id: (count.base or 0) + (count.current or 0)
        for result in results
        if isinstance(result, RowCountDiff)
        for count in result.counts
    }
    return lambda job: rows.get(job.subject.unique_id, 0)
