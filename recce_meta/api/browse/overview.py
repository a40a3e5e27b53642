"""State of all projects and scanned databases of a store: latest run of each environment, and its failures.

The number of statements does not depend on the number of projects and runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.diff.scan import is_scan
from recce_meta.models.node import NodeResult
from recce_meta.models.rows import Tabular
from recce_meta.models.run import FAILED, RunMetadata
from recce_meta.store.read import in_utc, result_of, run_of
from recce_meta.store.session import StoreSession, open_store

WARN = "warn"
"""Status of a test that warns."""
PROBLEMS = 5
"""Number of failed results of one environment that an overview lists."""
FAILING_RUNS = 5
"""Number of environments whose failed results an overview lists: each is one query."""


class ChangeCounts(Tabular, frozen=True, kw_only=True):
    """Number of nodes that differ from the previous run, by status of the view `node_changes`."""

    added: int = 0
    removed: int = 0
    modified: int = 0
    moved: int = 0
    """Nodes with the same content in another location."""
    rewritten: int = 0
    """Nodes that only another version of dbt wrote in another way."""

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> ChangeCounts:
        """Return *counts* by status; a status of a newer version is left out."""
        return cls(**{status: count for status, count in counts.items() if status in cls.__struct_fields__})

    @property
    def total(self) -> int:
        """Number of nodes that were added, removed or modified."""
        return self.added + self.removed + self.modified


class Score(Tabular, frozen=True, kw_only=True):
    """Score of the latest measurement of quality of an environment."""

    score: float | None
    """Mean score of the tables, from 0 to 100."""
    table_count: int
    measured_at: datetime
    quality_run_id: str
    failed_count: int = 0
    """Number of tables that could not be measured."""
    violations: int = 0
    """Number of conditions that do not hold, and of metrics that could not be measured."""


class EnvironmentState(Tabular, frozen=True, kw_only=True):
    """Latest run of one environment of a project, or of one scope of a scanned database."""

    run: RunMetadata
    """The latest complete run; the failed run if no run is complete."""
    run_count: int
    """Number of complete runs."""
    previous_run_id: str | None = None
    changes: ChangeCounts | None = None
    """Changes since the previous run; None for the first run."""
    failed_run: RunMetadata | None = None
    """The latest failed run if it is later than `run`."""
    quality: Score | None = None
    failing_checks: int = 0
    """Number of stored checks of `run` that failed or could not run, by their latest result."""

    @property
    def is_scan(self) -> bool:
        """True for a scan of a live database."""
        return is_scan(self.run)

    @property
    def problem_count(self) -> int:
        """Number of nodes with an error and of failed tests."""
        return (self.run.build_errors or 0) + (self.run.build_failures or 0)


class FailedResult(Tabular, frozen=True, kw_only=True):
    """A node that failed in the latest run of an environment."""

    run: RunMetadata
    result: NodeResult


class StoreOverview(Tabular, frozen=True, kw_only=True):
    """State of all projects and databases of a store."""

    environments: tuple[EnvironmentState, ...]
    """By project, environment and scope."""
    failing: tuple[FailedResult, ...] = ()
    """The first failed results of the newest of these runs."""
    failing_count: int = 0
    """Number of all failed results of the latest runs."""

    @property
    def projects(self) -> Mapping[str, list[EnvironmentState]]:
        """Return the environments of each project, without scans."""
        return _by_project(state for state in self.environments if not state.is_scan)

    @property
    def databases(self) -> Mapping[str, list[EnvironmentState]]:
        """Return the scans of each database."""
        return _by_project(state for state in self.environments if state.is_scan)


def store_overview(adapter: UnifiedSqlAdapter, *, project: str | None = None) -> StoreOverview:
    """Return the state of all projects and databases in the store, or of *project* alone."""
    with open_store(adapter) as store:
        states = _states(store, project)
        failed = [state.run for state in states if state.problem_count]
        failing = [
            FailedResult(run=run, result=result_of(row))
            for run in sorted(failed, key=lambda run: run.counted_at, reverse=True)[:FAILING_RUNS]
            # The query also returns tests that warn, which have not failed.
            for row in store.query("result_problems", run_id=run.run_id, most=PROBLEMS)
            if row[1] != WARN
        ]
    return StoreOverview(
        environments=tuple(states),
        failing=tuple(failing),
        failing_count=sum(state.problem_count for state in states),
    )


def _by_project(states: Iterable[EnvironmentState]) -> Mapping[str, list[EnvironmentState]]:
    found: dict[str, list[EnvironmentState]] = defaultdict(list)
    for state in states:
        found[state.run.project_name].append(state)
    return found


def _states(store: StoreSession, project: str | None) -> list[EnvironmentState]:
    """Return the states by project; the environments of a project by their latest run, newest first."""
    rows = [
        (run_of(tuple(row)), None if previous is None else str(previous), int(count))
        for *row, previous, count in _any(store.query("latest_states", project=project))
    ]
    complete = {_key(run): (run, previous, count) for run, previous, count in rows if run.status != FAILED}
    failed = {_key(run): run for run, _, _ in rows if run.status == FAILED}
    counts = change_counts(store, [run.run_id for run, previous, _ in complete.values() if previous])
    scores = _scores(store, project)
    ids = "\n".join(run.run_id for run, _, _ in complete.values())
    failing = dict(_any(store.query("failing_checks", ids=ids))) if complete else {}
    found = [
        EnvironmentState(
            run=run,
            run_count=count,
            previous_run_id=previous,
            # A run without changes has no counts in the store.
            changes=counts.get(run.run_id, ChangeCounts()) if previous else None,
            failed_run=_later(failed.get(key), run),
            quality=scores.get(key),
            failing_checks=int(failing.get(run.run_id, 0)),
        )
        for key, (run, previous, count) in complete.items()
    ]
    # An environment in which every run failed must not be missing.
    found += [
        EnvironmentState(run=run, run_count=0, failed_run=run)
        for key, run in failed.items()
        if key not in complete
    ]
    return sorted(found, key=_place)


def _place(state: EnvironmentState) -> tuple[str, str, float, str]:
    run = state.run
    return run.project_name.casefold(), run.project_name, -run.counted_at.timestamp(), run.run_id


def _key(run: RunMetadata) -> tuple[str, str, str | None]:
    """Return what the runs of one history share: see the view `run_steps`."""
    # Scans of other schemas have other tables, which would all look added or removed.
    scope = (run.command or "scan") if is_scan(run) else None
    return run.project_name, run.environment, scope


def _later(failed: RunMetadata | None, run: RunMetadata) -> RunMetadata | None:
    return failed if failed is not None and failed.counted_at > run.counted_at else None


def change_counts(store: StoreSession, run_ids: Sequence[str]) -> dict[str, ChangeCounts]:
    """Return the changes of each of *run_ids* against its previous run; a run without changes is missing.

    Stored changes are counted first, because a condition on several runs does not reach into the view
    `node_changes` everywhere.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)
    unknown: list[str] = []
    if run_ids:
        rows = _any(store.query("stored_change_counts", ids="\n".join(run_ids)))
        for run_id, is_known, status, nodes in rows:
            if not int(is_known):
                unknown.append(str(run_id))
            elif status is not None:
                found[str(run_id)][str(status)] = int(nodes)
    if unknown:
        for run_id, status, nodes in _any(store.query("change_counts", ids="\n".join(unknown))):
            found[str(run_id)][str(status)] = int(nodes)
    return {run_id: ChangeCounts.of(counts) for run_id, counts in found.items()}


def _scores(store: StoreSession, project: str | None) -> dict[tuple[str, str, str | None], Score]:
    """Return the scores by `_key`: those of one scope say nothing of the tables of another."""
    return {
        (str(name), str(environment), scope): Score(
            score=score,
            table_count=tables,
            measured_at=in_utc(started_at),
            quality_run_id=str(quality_run_id),
            failed_count=failed,
            violations=int(violations),
        )
        for name, environment, scope, quality_run_id, started_at, tables, failed, score, violations in _any(
            store.query("latest_scores", project=project)
        )
    }


def _any(rows: list[tuple[object, ...]]) -> list[tuple[Any, ...]]:
    return rows
