"""One run: its contents, results and statistics, and its changes against the previous run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.overview import ChangeCounts
from recce_meta.diff.scan import is_scan
from recce_meta.models.node import NodeResult
from recce_meta.models.rows import ResultList, Tabular
from recce_meta.models.run import FAILED, RunMetadata
from recce_meta.models.stored import StatisticsSummary
from recce_meta.report.labels import TESTS, kind_order
from recce_meta.store.read import find_runs, in_utc, result_of
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.statistics import statistics_of

BASE = "base"
"""Environment of production by convention."""
PROBLEMS = 50
"""Number of failed results and warnings that the details of a run list."""
SLOWEST = 10
CHANGES_SHOWN = 10


class NodeChange(Tabular, frozen=True, kw_only=True):
    """Node that differs from the previous run: a row of the view `node_changes`."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    """added, removed, modified, moved or rewritten."""
    aspects: tuple[str, ...] = ()
    """Parts of the node that differ: code, compiled code, config, columns, description, contract, place."""
    relation_name: str | None = None
    previous_relation_name: str | None = None
    previous_run_id: str


class ResultCounts(Tabular, frozen=True, kw_only=True):
    """Number of results of a run by status, and the sum of their seconds."""

    by_status: dict[str, int]
    seconds: float
    """Seconds of work: a sum over nodes, which is more than the elapsed time of concurrent nodes."""

    @property
    def total(self) -> int:
        """Number of results."""
        return sum(self.by_status.values())


class RunDetails(Tabular, frozen=True, kw_only=True):
    """A run with what is stored with it, in bounded lists."""

    run: RunMetadata
    counts: dict[str, int]
    """Number of nodes by resource type."""
    results: ResultCounts
    problems: tuple[NodeResult, ...] = ()
    """Failed results, then warnings: at most PROBLEMS."""
    slowest: tuple[NodeResult, ...] = ()
    statistics: StatisticsSummary | None = None
    previous_run_id: str | None = None
    previous_run_at: datetime | None = None
    next_run_id: str | None = None
    changes: ChangeCounts | None = None
    """Changes since the previous run; None for the first run."""
    macros_differ: bool = False
    """Whether the macros differ from those of the previous run, which had the same version of dbt."""
    first_changes: tuple[NodeChange, ...] = ()
    base: RunMetadata | None = None
    """The latest run of the environment `base`, if it is another run of the same project."""


def run_details(adapter: UnifiedSqlAdapter, run: RunMetadata) -> RunDetails:
    """Return *run* with counts, problems, slowest nodes, statistics and changes."""
    if run.status == FAILED:
        return RunDetails(run=run, counts={}, results=ResultCounts(by_status={}, seconds=0.0))
    with open_store(adapter) as store:
        counts = {str(kind): int(str(n)) for kind, n in store.query("node_counts", graph_id=run.graph_id)}
        results = result_counts(store, [run.run_id]).get(run.run_id, ResultCounts(by_status={}, seconds=0.0))
        # Runs without results are common, and need neither statement.
        problems = store.query("result_problems", run_id=run.run_id, most=PROBLEMS) if results.total else []
        slowest = store.query("slowest_results", run_id=run.run_id, most=SLOWEST) if results.total else []
        step, next_run_id = _steps(store, run.run_id)
        changes = _changes(store, step)
        # A scan is compared with earlier scans of its own scope only.
        bases = [] if is_scan(run) else find_runs(store, project=run.project_name, environment=BASE, most=1)
        return RunDetails(
            run=run,
            counts=counts,
            results=results,
            problems=tuple(map(result_of, problems)),
            slowest=tuple(map(result_of, slowest)),
            statistics=statistics_of(store, run.run_id),
            previous_run_id=step and step.previous_run_id,
            previous_run_at=step and step.previous_run_at,
            next_run_id=next_run_id,
            changes=step and ChangeCounts.of(Counter(change.status for change in changes)),
            macros_differ=step is not None and step.same_dbt and not step.same_macros,
            first_changes=tuple(changes[:CHANGES_SHOWN]),
            base=next((base for base in bases if base.run_id != run.run_id), None),
        )


def run_changes(adapter: UnifiedSqlAdapter, run: RunMetadata) -> ResultList[NodeChange]:
    """Return the nodes of *run* that differ from its previous run: removed, modified, added, the rest."""
    with open_store(adapter) as store:
        return ResultList(NodeChange, _changes(store, _steps(store, run.run_id)[0]))


def runs_around(adapter: UnifiedSqlAdapter, run: RunMetadata) -> tuple[str | None, str | None]:
    """Return the ids of the previous and the next run that *run* is compared with; None if there is none."""
    with open_store(adapter) as store:
        step, next_run_id = _steps(store, run.run_id)
    return step and step.previous_run_id, next_run_id


class DefaultBase(NamedTuple):
    """Run with which a run is compared if a reader names no other."""

    run_id: str
    run_at: datetime
    is_previous: bool
    """True for the previous run of the same environment, False for the latest run of `base`."""


def default_base(adapter: UnifiedSqlAdapter, run: RunMetadata) -> DefaultBase | None:
    """Return the latest run of `base`, else the previous run; None without another run to compare with."""
    if run.status == FAILED:
        return None
    with open_store(adapter) as store:
        if not is_scan(run) and run.environment != BASE:
            for base in find_runs(store, project=run.project_name, environment=BASE, most=1):
                return DefaultBase(base.run_id, base.run_at, False)
        step, _ = _steps(store, run.run_id)
    return step and DefaultBase(step.previous_run_id, step.previous_run_at, True)


def result_counts(store: StoreSession, run_ids: Iterable[str]) -> dict[str, ResultCounts]:
    """Return the results of each of *run_ids* by status; a run without results is missing."""
    ids = "\n".join(run_ids)
    found: dict[str, tuple[dict[str, int], float]] = {}
    rows: list[tuple[Any, ...]] = list(store.query("result_counts", ids=ids)) if ids else []
    for run_id, status, results, seconds in rows:
        by_status, total = found.get(str(run_id), ({}, 0.0))
        by_status[str(status)] = int(results)
        found[str(run_id)] = by_status, total + float(seconds or 0)
    return {
        run_id: ResultCounts(
            by_status=dict(sorted(by_status.items(), key=lambda item: (-item[1], item[0]))), seconds=seconds
        )
        for run_id, (by_status, seconds) in found.items()
    }


class _Step(NamedTuple):
    """The step from the previous run to a run: a row of `sql/queries/run_step.sql`."""

    run_id: str
    previous_run_id: str
    previous_run_at: datetime
    previous_graph_id: str
    graph_id: str
    same_dbt: bool
    same_macros: bool
    is_known: int


def _steps(store: StoreSession, run_id: str) -> tuple[_Step | None, str | None]:
    """Return the step to the run, and the id of the next run."""
    rows: list[tuple[Any, ...]] = list(store.query("run_step", run_id=run_id))
    found = {row[0]: _Step(*map(in_utc, row)) for row in rows}
    # The query returns the step to this run and the step from it.
    return found.pop(run_id, None), next(iter(found), None)


_RANKS: Mapping[str, int] = {"removed": 0, "modified": 1, "added": 2, "moved": 3, "rewritten": 4}


def _changes(store: StoreSession, step: _Step | None) -> list[NodeChange]:
    """Return the changes of *step*: the stored ones, or those that the view computes."""
    if step is None:
        return []
    rows: list[tuple[Any, ...]]
    # The view compares two whole graphs, which takes longer.
    if step.is_known:
        rows = store.query(
            "stored_changes",
            previous_graph_id=step.previous_graph_id,
            graph_id=step.graph_id,
            same_dbt=step.same_dbt,
        )
    else:
        rows = store.query("run_changes", run_id=step.run_id)
    return sorted((_change_of(row, step.previous_run_id) for row in rows), key=_weight)


def _change_of(row: tuple[Any, ...], previous_run_id: str) -> NodeChange:
    unique_id, name, resource_type, status, *flags, relation, previous_relation = row
    code, compiled, config, columns, description, contract, place = flags
    marks = {
        "code": code,
        # Edited code changes the compiled code as well.
        "compiled code": compiled and not code,
        "config": config,
        "columns": columns,
        "description": description,
        "contract": contract,
        "place": place,
    }
    return NodeChange(
        unique_id=unique_id,
        name=name,
        resource_type=resource_type,
        status=status,
        aspects=tuple(word for word, differs in marks.items() if differs),
        relation_name=relation,
        previous_relation_name=previous_relation,
        previous_run_id=previous_run_id,
    )


def _weight(change: NodeChange) -> tuple[int, bool, tuple[int, str], str, str]:
    kind = change.resource_type
    rank = _RANKS.get(change.status, len(_RANKS))
    return rank, kind in TESTS, kind_order(kind), change.name, change.unique_id
