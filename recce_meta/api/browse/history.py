"""One project over time: the runs of its environments, branches and pull requests.

Runs are read once, newest first; figures that need more are read for the shown runs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.overview import ChangeCounts, change_counts
from recce_meta.api.browse.run import BASE, ResultCounts, result_counts
from recce_meta.diff.scan import is_scan
from recce_meta.models.rows import Tabular
from recce_meta.models.run import FAILED, OF_WORKSPACE, RunMetadata
from recce_meta.store.read import find_runs
from recce_meta.store.session import open_store

MOST_RUNS = 5_000
"""Number of newest runs of a project that are read."""
RECENT = 10
"""Number of newest runs of all environments."""
SHOWN = 40
"""Number of newest runs of an environment in its history."""


class RunGroup(Tabular, frozen=True, kw_only=True):
    """Runs that share an environment, a branch or a pull request."""

    name: str
    latest: RunMetadata
    run_count: int
    """Number of runs, failed ones included."""
    environments: tuple[str, ...]
    """Environments of the runs, the latest first."""
    branches: tuple[str, ...]
    """Branches of the runs, the latest first."""


class RunPoint(Tabular, frozen=True, kw_only=True):
    """Figures of one run in a history."""

    run: RunMetadata
    changes: ChangeCounts | None
    """Changes since the previous run; None for the first run."""
    results: ResultCounts | None = None
    """None for a run without results."""

    @property
    def problem_count(self) -> int:
        """Number of nodes with an error and of failed tests."""
        return (self.run.build_errors or 0) + (self.run.build_failures or 0)


class ProjectHistory(Tabular, frozen=True, kw_only=True):
    """A project: its groups of runs, and the history of one environment."""

    project_name: str
    run_count: int
    """Number of runs, at most MOST_RUNS."""
    environments: tuple[RunGroup, ...]
    branches: tuple[RunGroup, ...]
    pull_requests: tuple[RunGroup, ...]
    environment: str | None
    """Environment of `points`; None if the project has no complete run."""
    points: tuple[RunPoint, ...] = ()
    """The newest complete runs of `environment`, oldest first."""
    environment_run_count: int = 0
    """Number of complete runs of `environment`."""
    base: RunMetadata | None = None
    """The latest run of the environment `base`."""
    recent: tuple[RunMetadata, ...] = ()
    """The newest runs of all environments."""


def project_history(
    adapter: UnifiedSqlAdapter,
    project: str,
    *,
    environment: str | None = None,
    known: Mapping[str, ResultCounts] | None = None,
) -> ProjectHistory | None:
    """Return *project* with the history of *environment*, by default the one with most runs.

    *known* has results of runs that were counted before: counting reads many rows, and results never change.
    Scans are left out, and runs of workspaces unless *environment* is one. Return None if the project, or its
    *environment*, has no runs.
    """
    with open_store(adapter) as store:
        of_workspace = environment is not None and environment.startswith(OF_WORKSPACE)
        # Editors may sync every minute, which would hide all other environments.
        hidden = None if of_workspace else OF_WORKSPACE
        found = find_runs(store, project=project, status=None, without=hidden, most=MOST_RUNS)
        runs = [run for run in found if not is_scan(run)]
        complete = [run for run in runs if run.status != FAILED]
        environments = run_groups(runs, lambda run: run.environment)
        chosen = environment if environment is not None else _busiest(environments)
        if chosen is None or chosen not in {group.name for group in environments}:
            return None
        of_environment = [run for run in complete if run.environment == chosen]
        # Charts run from the oldest to the newest.
        shown = of_environment[:SHOWN][::-1]
        ids = [run.run_id for run in shown]
        counts = change_counts(store, ids)
        results = dict(known or {})
        # A run without a build status has no results to count.
        results |= result_counts(
            store, [run.run_id for run in shown if run.build_status and run.run_id not in results]
        )
        points = [
            RunPoint(
                run=run,
                # A run without changes has no counts; only the first run has none to compare with.
                changes=None if run is of_environment[-1] else counts.get(run.run_id, ChangeCounts()),
                results=results.get(run.run_id),
            )
            for run in shown
        ]
    return ProjectHistory(
        project_name=project,
        run_count=len(runs),
        environments=environments,
        branches=run_groups(runs, lambda run: run.branch),
        pull_requests=run_groups(runs, lambda run: run.pull_request),
        environment=chosen,
        points=tuple(points),
        environment_run_count=len(of_environment),
        recent=tuple(runs[:RECENT]),
        base=next((run for run in complete if run.environment == BASE), None),
    )


def run_groups(runs: Iterable[RunMetadata], key: Callable[[RunMetadata], str | None]) -> tuple[RunGroup, ...]:
    """Return the groups of *runs*, which are newest first, by *key*; runs without a key are left out."""
    found: dict[str, list[RunMetadata]] = {}
    for run in runs:
        name = key(run)
        if name:
            found.setdefault(name, []).append(run)
    return tuple(
        RunGroup(
            name=name,
            # A failed run has no nodes, so that a link to it would show nothing.
            latest=next((run for run in members if run.status != FAILED), members[0]),
            run_count=len(members),
            environments=tuple(dict.fromkeys(run.environment for run in members)),
            branches=tuple(dict.fromkeys(run.branch for run in members if run.branch)),
        )
        for name, members in found.items()
    )


def _busiest(groups: Sequence[RunGroup]) -> str | None:
    """Return the environment with most runs; of several, the one with the latest run."""
    return max(groups, key=lambda group: group.run_count).name if groups else None
