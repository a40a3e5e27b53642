"""Statistics of `record --stats`: row counts and profiles stored with a run, and diffs that use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from enum import Enum
from functools import partial

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.execution import Job, RelationResolver, has_relation, open_data_diff_runner
from recce_meta.api.data.figures import figures_within
from recce_meta.api.data.jobs import NodePair, each, row_count_job
from recce_meta.api.data.node_settings import figure_scope
from recce_meta.api.run_reader import folder_of
from recce_meta.api.runs import RunPair
from recce_meta.config.nodes import EffectiveSettings
from recce_meta.data_diff.options import FigureScope
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.row_count import row_counts
from recce_meta.data_diff.source import Pair
from recce_meta.data_diff.stored import kept_profile_diff, kept_row_counts, node_statistics
from recce_meta.errors import MissingRelation
from recce_meta.models import Project
from recce_meta.models.data_diff import Failed, ProfileDiff, RowCountDiff, Subject
from recce_meta.models.diff_kinds import PROFILE
from recce_meta.models.node_types import WITH_RELATION
from recce_meta.models.stored import NodeStatistics
from recce_meta.store.select import RunSelector
from recce_meta.store.statistics import load_statistics

StatisticsByNode = Mapping[str, NodeStatistics]


class Stats(str, Enum):
    """Kinds of statistics that `record --stats` stores."""

    ROW_COUNT = "row-count"
    PROFILE = "profile"


def take_statistics(
    adapter: UnifiedSqlAdapter,
    project: Project,
    stats: Stats,
    *,
    threads: int | None = None,
    hides_values: bool = False,
) -> tuple[NodeStatistics, ...]:
    """Count the current rows of every model, seed and snapshot of *project*, and profile them if requested.

    A node that cannot be counted or profiled has a reason; *hides_values* withholds error messages that may
    quote values. *threads* is the number of concurrent queries, by default the profile's. Raises errors that
    affect all nodes, such as a lost connection.
    """
    chosen = [
        NodePair(None, node)
        for node in project.nodes
        if node.resource_type in WITH_RELATION and has_relation(node)
    ]
    if not chosen:
        return ()
    taken_at = datetime.now(timezone.utc)
    # A long transaction over all tables would cost more than figures of several moments.
    comparison = open_data_diff_runner(adapter, threads=threads or adapter.threads, hides_values=hides_values)
    try:
        counts = comparison.run(row_count_job(comparison.places, chosen).plan())
        assert isinstance(counts, RowCountDiff)
        profiles = []
        if stats is Stats.PROFILE:
            # What could not be counted cannot be profiled either.
            there = {count.subject.unique_id for count in counts.counts if count.current is not None}
            jobs = each("profile_diff", comparison.places, chosen, lambda pair, _: profile_diff(pair))
            profiles = comparison.run_all([job for job in jobs if job.subject.unique_id in there])
    finally:
        comparison.close()
    found = [result for result in profiles if isinstance(result, (ProfileDiff, Failed))]
    return node_statistics(counts, found, taken_at=taken_at)


def load_stored_statistics(
    store: UnifiedSqlAdapter,
    runs: RunPair,
    chosen: Sequence[NodePair],
    selectors: tuple[RunSelector | None, RunSelector | None],
) -> tuple[StatisticsByNode, StatisticsByNode]:
    """Return the statistics of *chosen* stored with each run; none for a run on disk."""
    ids = [sides.node.unique_id for sides in chosen if sides.node is not None]
    base, current = (
        {} if folder_of(selector) else load_statistics(store, project.run, ids)
        for selector, project in zip(selectors, (runs.base, runs.current), strict=True)
    )
    return base, current


def stored_counts_job(
    resolver: RelationResolver, chosen: Sequence[NodePair], base: StatisticsByNode, current: StatisticsByNode
) -> Job:
    """Return a row count job that uses base's stored counts, and both sides' for missing relations."""
    return Job(
        "row_count_diff", Subject(name="row counts"), partial(_counts, resolver, chosen, base, current)
    )


def _counts(
    resolver: RelationResolver, chosen: Sequence[NodePair], base: StatisticsByNode, current: StatisticsByNode
) -> Plan[RowCountDiff]:
    counted = [sides.countable(resolver) for sides in chosen]
    # Stored counts are of all rows, and nodes that are skipped are not shown.
    limited = {
        countable.pair.subject.unique_id
        for sides, countable in zip(chosen, counted, strict=True)
        if countable.where or bool(countable.pair.sides) != bool(sides.pair(resolver).sides)
    }
    base, current = ({key: kept[key] for key in kept if key not in limited} for kept in (base, current))
    asked = []
    for sides, countable in zip(chosen, counted, strict=True):
        if (kept := _of(sides, base)) is not None and kept.row_count is not None:
            # Base was counted when its run was recorded, so only current is queried.
            countable = replace(countable, pair=replace(countable.pair, base=None), base_reason=None)
        asked.append(countable)
    live = yield from row_counts(asked)
    subjects = [sides.pair(resolver).subject for sides in chosen]
    return kept_row_counts(subjects, base=base, current=current, live=live)


def stored_profile_jobs(
    resolver: RelationResolver,
    chosen: Sequence[NodePair],
    base: StatisticsByNode,
    current: StatisticsByNode,
    scope: FigureScope,
) -> list[Job]:
    """Return profile jobs that use stored profiles, of the columns of *scope*, which has no condition.

    A node with a condition in its settings is profiled now, because stored profiles are of all rows.
    """
    jobs = []
    for sides in chosen:
        kept = [_with_columns(_of(sides, side)) for side in (base, current)]
        plan = partial(_profile, resolver=resolver, base=kept[0], current=kept[1], scope=scope)
        # Figures that were stored with base are of another time than those of current.
        is_live = kept[0] is None or bool(figure_scope(scope, sides.resolved.settings).where)
        jobs += each("profile_diff", resolver, [sides], plan, is_live=is_live)
    return jobs


def _profile(
    pair: Pair,
    settings: EffectiveSettings,
    resolver: RelationResolver,
    base: NodeStatistics | None,
    current: NodeStatistics | None,
    scope: FigureScope,
) -> Plan[ProfileDiff]:
    wanted = figure_scope(scope, settings)
    if wanted.where or (base is None and current is None):
        profiled: ProfileDiff = yield from figures_within(pair, settings, PROFILE, scope)
        return profiled
    asked = pair if base is None else replace(pair, base=None)
    live = None
    if asked.sides:
        try:
            live = yield from profile_diff(
                asked, wanted.columns, wanted.exclude_columns, may_lack_excluded=True
            )
        # The stored profiles of both runs outlive the relation.
        except MissingRelation:
            if base is None or current is None:
                raise
    used = current if live is None else None
    return kept_profile_diff(
        pair.subject,
        dialect=resolver.current,
        base=base,
        current=used,
        live=live,
        scope=wanted,
    )


def _of(sides: NodePair, kept: StatisticsByNode) -> NodeStatistics | None:
    return None if sides.node is None else kept.get(sides.node.unique_id)


def _with_columns(kept: NodeStatistics | None) -> NodeStatistics | None:
    return kept if kept is not None and kept.columns else None
