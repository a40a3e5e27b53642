"""Diffs of two stored runs with everything that is stored about the pair, and suggestions of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.stored import stored_data
from recce_meta.diff.scan import is_scan
from recce_meta.models.change import RunDiff
from recce_meta.models.checks import StoredCheck
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.run import RunMetadata
from recce_meta.report.labels import pull_request
from recce_meta.store.check_results import checks_of_diff

BASE, CURRENT = "base", "current"
"""Environments that `diff` compares by default; pull requests are compared with the first."""


class PairReport(Struct, frozen=True, kw_only=True):
    """Changes between two runs, with the data diffs and check results that are stored about both."""

    diff: RunDiff
    data: tuple[AnyDataDiff, ...]
    """Latest stored result of each kind and node; row counts of all nodes are one result.

    If there are any, a `NotCompared` for each other changed or affected node.
    """
    data_taken_at: datetime | None
    """Time of the oldest of `data`, in UTC; None if nothing is stored."""
    checks: tuple[StoredCheck, ...]
    """Latest stored result of each check."""


def pair_report(adapter: UnifiedSqlAdapter, found: RunDiff) -> PairReport:
    """Return *found*, the changes between two stored runs, and what is stored about this pair."""
    data = stored_data(adapter, found)
    return PairReport(
        diff=found,
        data=data.results,
        data_taken_at=data.taken_at,
        checks=tuple(checks_of_diff(adapter, found)),
    )


class SuggestedPair(Struct, frozen=True, kw_only=True):
    """Two runs that a reader may want to compare."""

    reason: str
    """Short phrase: `pull request 12`, `branch feature`, `last two runs of prod`."""
    base: RunMetadata
    current: RunMetadata


def suggested_pairs(runs: Sequence[RunMetadata], most: int = 20) -> list[SuggestedPair]:
    """Return at most *most* pairs of *runs*, which are newest first.

    The latest run of each pull request and branch, and of `current`, is paired with the latest earlier run of
    `base`, or with the next one if all are later. In a project without runs of `base`, the latest run is
    paired with the latest of another environment. Then follow the last two runs of each environment.
    """
    found = [*_against_base(runs), *_two_environments(runs), *_last_two(runs)]
    # Reversed twice: the first reason of a pair wins, and the order stays.
    unique = {(pair.base.run_id, pair.current.run_id): pair for pair in reversed(found)}
    return list(reversed(unique.values()))[:most]


def _against_base(runs: Sequence[RunMetadata]) -> Iterator[SuggestedPair]:
    seen: set[tuple[str, str]] = set()
    bases: dict[str, list[RunMetadata]] = {}
    for run in runs:
        if run.environment == BASE:
            bases.setdefault(run.project_name, []).append(run)
    for run in runs:
        named = pull_request(run) or (run.branch and f"branch {run.branch}")
        reason = named or (run.environment if run.environment == CURRENT else "")
        if run.environment == BASE or not reason:
            continue
        known = bases.get(run.project_name)
        if not known or (run.project_name, reason) in seen:
            continue
        seen.add((run.project_name, reason))
        # A later run of `base` may contain changes that the branch lacks, which would look removed.
        earlier = next((one for one in known if one.counted_at <= run.counted_at), known[-1])
        yield SuggestedPair(reason=f"{reason} against {BASE}", base=earlier, current=run)


def _two_environments(runs: Sequence[RunMetadata]) -> Iterator[SuggestedPair]:
    latest: dict[str, list[RunMetadata]] = {}
    for run in runs:
        # A scan of another environment is of another database.
        if not is_scan(run):
            latest.setdefault(run.project_name, []).append(run)
    for current, *others in latest.values():
        base = next((one for one in others if one.environment != current.environment), None)
        if base is not None and BASE not in {one.environment for one in (current, *others)}:
            reason = f"{current.environment} against {base.environment}"
            yield SuggestedPair(reason=reason, base=base, current=current)


def _last_two(runs: Sequence[RunMetadata]) -> Iterator[SuggestedPair]:
    by_environment: dict[tuple[str, str], list[RunMetadata]] = {}
    for run in runs:
        by_environment.setdefault((run.project_name, run.environment), []).append(run)
    for (_, environment), group in by_environment.items():
        if len(group) > 1:
            yield SuggestedPair(reason=f"last two runs of {environment}", base=group[1], current=group[0])
