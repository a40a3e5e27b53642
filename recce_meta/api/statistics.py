"""`record --stats`: row counts and profiles of what a run built, kept with it; and answers from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from enum import Enum
from functools import partial

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.comparing_data import Job, open_comparison
from recce_meta.api.data_jobs import each, row_count_job
from recce_meta.api.on_disk import folder_of
from recce_meta.api.places import Places, has_relation
from recce_meta.api.run_pair import RunPair
from recce_meta.api.subjects import Sides
from recce_meta.diff.data.counts import row_counts
from recce_meta.diff.data.kept import kept_profile_diff, kept_row_counts, node_statistics
from recce_meta.diff.data.plan import Plan
from recce_meta.diff.data.profile import profile_diff
from recce_meta.diff.data.source import Pair
from recce_meta.errors import MissingRelation
from recce_meta.models import Project
from recce_meta.models.data_diff import Failed, ProfileDiff, RowCountDiff, Subject
from recce_meta.models.kinds import RELATIONS
from recce_meta.models.statistics import NodeStatistics
from recce_meta.store.statistics import load_statistics

BUILT = ("model", "seed", "snapshot", *sorted(RELATIONS))
"""Resource types whose relations a run builds, or a scan finds."""

Kept = Mapping[str, NodeStatistics]


class Stats(str, Enum):
    """What `record --stats` keeps."""

    ROW_COUNT = "row-count"
    PROFILE = "profile"


def take_statistics(
    adapter: UnifiedSqlAdapter, project: Project, stats: Stats, *, threads: int | None = None
) -> tuple[NodeStatistics, ...]:
    """The rows of every model, seed and snapshot of *project* as they are now, and profiles where asked.

    A node that cannot be counted or profiled has the reason. As many statements run at once as the profile
    says, unless *threads* does. Raises what would stop all, such as a lost connection.
    """
    chosen = [
        Sides(None, node) for node in project.nodes if node.resource_type in BUILT and has_relation(node)
    ]
    if not chosen:
        return ()
    taken_at = datetime.now(timezone.utc)
    comparison = open_comparison(adapter, threads=threads)
    try:
        counts = comparison.run(row_count_job(comparison.places, chosen).plan())
        assert isinstance(counts, RowCountDiff)
        profiles = []
        if stats is Stats.PROFILE:
            there = {count.subject.unique_id for count in counts.counts if count.current is not None}
            jobs = each("profile_diff", comparison.places, chosen, profile_diff)
            profiles = comparison.run_all([job for job in jobs if job.subject.unique_id in there])
    finally:
        comparison.close()
    found = [result for result in profiles if isinstance(result, (ProfileDiff, Failed))]
    return node_statistics(counts, found, taken_at=taken_at)


def load_kept(
    store: UnifiedSqlAdapter, runs: RunPair, chosen: Sequence[Sides], selectors: tuple[str, str], schema: str
) -> tuple[Kept, Kept]:
    """What is kept with either run of *chosen*; nothing with a run that is on disk."""
    ids = [sides.node.unique_id for sides in chosen if sides.node is not None]
    base, current = (
        {} if folder_of(selector) else load_statistics(store, project.run, ids, schema=schema)
        for selector, project in zip(selectors, (runs.base, runs.current), strict=True)
    )
    return base, current


def counts_with_kept(places: Places, chosen: Sequence[Sides], base: Kept, current: Kept) -> Job:
    """Row counts where base's kept figures spare its scan, and either's stand in for what is gone."""
    return Job("row_count_diff", Subject(name="row counts"), partial(_counts, places, chosen, base, current))


def _counts(places: Places, chosen: Sequence[Sides], base: Kept, current: Kept) -> Plan[RowCountDiff]:
    asked = []
    for sides in chosen:
        countable = sides.countable(places)
        if (kept := _of(sides, base)) is not None and kept.row_count is not None:
            countable = replace(countable, pair=replace(countable.pair, base=None), base_reason=None)
        asked.append(countable)
    live = yield from row_counts(asked)
    subjects = [sides.pair(places).subject for sides in chosen]
    return kept_row_counts(subjects, base=base, current=current, live=live)


def profiles_with_kept(
    places: Places,
    chosen: Sequence[Sides],
    base: Kept,
    current: Kept,
    *,
    columns: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[Job]:
    """Profiles likewise, of *columns* (all, where none are named) less *exclude*."""
    jobs = []
    for sides in chosen:
        kept = [_with_columns(_of(sides, side)) for side in (base, current)]
        plan = partial(_profile, sides.pair(places), places, kept[0], kept[1], tuple(columns), tuple(exclude))
        jobs.append(Job("profile_diff", sides.pair(places).subject, plan))
    return jobs


def _profile(
    pair: Pair,
    places: Places,
    base: NodeStatistics | None,
    current: NodeStatistics | None,
    columns: tuple[str, ...],
    exclude: tuple[str, ...],
) -> Plan[ProfileDiff]:
    asked = pair if base is None else replace(pair, base=None)
    live = None
    if asked.sides:
        try:
            live = yield from profile_diff(asked, columns, exclude)
        except MissingRelation:
            if base is None or current is None:
                raise
    if base is None and current is None and live is not None:
        return live
    used = current if live is None else None
    return kept_profile_diff(
        pair.subject,
        dialect=places.current,
        base=base,
        current=used,
        live=live,
        columns=columns,
        exclude=exclude,
    )


def _of(sides: Sides, kept: Kept) -> NodeStatistics | None:
    return None if sides.node is None else kept.get(sides.node.unique_id)


def _with_columns(kept: NodeStatistics | None) -> NodeStatistics | None:
    return kept if kept is not None and kept.columns else None
