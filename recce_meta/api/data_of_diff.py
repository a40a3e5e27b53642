"""`diff --data`: how the data of what changed, and of what that touches, differs; the cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from recce_meta.api.comparing_data import Comparison, Job
from recce_meta.api.data_jobs import each
from recce_meta.api.run_pair import RunPair
from recce_meta.api.statistics import Kept, counts_with_kept
from recce_meta.api.subjects import Sides
from recce_meta.api.value_jobs import limited_value_job
from recce_meta.diff.data.schema import schema_diff
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import AnyDataDiff, DataSide, Failed, NotCompared, RowCount, RowCountDiff

OnProgress = Callable[[int, int], None]
"""Called with how many diffs are done, and how many there are in this round."""

MAX_ROWS = 10_000_000
MAX_BYTES = 1_000_000_000
"""Of the larger side of a relation whose rows are compared whole."""
ALWAYS_SMALL = 10_000
"""Rows below which the catalog is not asked for bytes."""
ROWS_SHOWN = 10
"""Of those that one side has alone, where rows are compared whole."""
SWITCHED_OFF = "switched off by --no-values"


class ValueLimits(Struct, frozen=True, kw_only=True):
    """Limits of the comparison of values."""

    with_values: bool = True
    max_rows: int | None = None
    """Rows up to which whole rows are compared, whatever their bytes. None: MAX_ROWS, and MAX_BYTES."""


NO_LIMITS = ValueLimits()


def data_of_diff(
    comparison: Comparison,
    runs: RunPair,
    chosen: Sequence[Sides],
    on_progress: OnProgress,
    *,
    kept: tuple[Kept, Kept] = ({}, {}),
    limits: ValueLimits = NO_LIMITS,
) -> list[AnyDataDiff]:
    """Row counts of all of *chosen*, and schemas and values of those that have a relation on both sides.

    Values are compared by key, or as whole rows within *limits*, small relations first. *kept* are the
    statistics of either run: those of base spare counting it. What is left out is a NotCompared among the
    results. What fails, or is not reached before the deadline, is a Failed; the others go on.
    """
    both = [sides for sides in chosen if len(sides.pair(comparison.places).sides) == 2]
    first = [
        counts_with_kept(comparison.places, chosen, *kept),
        *each("schema_diff", comparison.places, both, schema_diff),
    ]
    results = _run(comparison, first, on_progress) if chosen else []
    unread = {result.subject.unique_id: result.error for result in results if isinstance(result, Failed)}
    counts = _counts_by_id(results)
    left_out: list[AnyDataDiff] = []
    jobs: list[tuple[int, Job]] = []
    bytes_of = _bytes(comparison, both, counts) if limits.with_values and limits.max_rows is None else {}
    for sides in both:
        subject = sides.pair(comparison.places).subject
        reason = unread.get(subject.unique_id) if limits.with_values else SWITCHED_OFF
        if reason is not None:
            left_out.append(NotCompared(subject=subject, diff="value_diff", reason=reason))
            continue
        count = counts.get(subject.unique_id)
        too_large = _too_large(count, bytes_of.get(subject.unique_id or "", {}), limits.max_rows)
        options = ValueOptions(limit=ROWS_SHOWN)
        job = limited_value_job(comparison.places, runs, sides, options, too_large)
        jobs.append((sum(_rows(count).values()), job))
    jobs.sort(key=lambda each: each[0])
    return results + _run(comparison, [job for _, job in jobs], on_progress) + left_out


def _run(comparison: Comparison, jobs: Sequence[Job], on_progress: OnProgress) -> list[AnyDataDiff]:
    done = 0

    def count(_result: AnyDataDiff) -> None:
        nonlocal done
        done += 1
        on_progress(done, len(jobs))

    on_progress(0, len(jobs))
    return comparison.run_all(jobs, count)


def _counts_by_id(results: Iterable[AnyDataDiff]) -> dict[str | None, RowCount]:
    return {
        count.subject.unique_id: count
        for result in results
        if isinstance(result, RowCountDiff)
        for count in result.counts
    }


def _rows(count: RowCount | None) -> dict[DataSide, int]:
    """The rows of each side that was counted."""
    if count is None:
        return {}
    sides = {DataSide.BASE: count.base, DataSide.CURRENT: count.current}
    return {side: rows for side, rows in sides.items() if rows is not None}


def _too_large(count: RowCount | None, bytes_of: Mapping[DataSide, int], most: int | None) -> str | None:
    """Why whole rows are not compared; None if both sides are within the limits."""
    rows = _rows(count)
    for side, reason in (
        (DataSide.BASE, count.base_reason if count else None),
        (DataSide.CURRENT, count.current_reason if count else None),
    ):
        if side not in rows:
            return f"no key, and the rows of {side.value} could not be counted: {reason or 'unknown'}"
        limit = MAX_ROWS if most is None else most
        if rows[side] > limit:
            return f"no key, and {rows[side]:,} rows in {side.value} are more than --max-rows {limit:,}"
        if most is None and bytes_of.get(side, 0) > MAX_BYTES:
            size = f"{bytes_of[side] / 1e9:,.1f} GB in {side.value}"
            return f"no key, and {size} are more than {MAX_BYTES / 1e9:g} GB; --max-rows sets another limit"
    return None


def _bytes(
    comparison: Comparison, both: Sequence[Sides], counts: Mapping[str | None, RowCount]
) -> dict[str, dict[DataSide, int]]:
    """The bytes of the relations of *both* with many rows, by unique id; none if a catalog has none."""
    found: dict[str, dict[DataSide, int]] = {}
    for side in DataSide:
        nodes = [
            node
            for sides in both
            for node in [sides.base if side is DataSide.BASE else sides.current]
            if isinstance(node, NodeMetadata)
            and node.schema_name
            and _rows(counts.get(node.unique_id)).get(side, 0) > ALWAYS_SMALL
        ]
        if not nodes:
            continue
        sizes = comparison.relation_bytes(side, sorted({node.schema_name or "" for node in nodes}))
        for node in nodes:
            size = sizes.get(((node.schema_name or "").casefold(), (node.identifier or node.name).casefold()))
            if size is not None:
                found.setdefault(node.unique_id, {})[side] = size
    return found
