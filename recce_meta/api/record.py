"""Recording of dbt artifacts as runs in the store, with the column lineage of their nodes."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.api.partial_run import (
    BUILDS_READ,
    RUNS_LISTED,
    Build,
    is_compiled,
    outdated_nodes,
    with_kept_sql,
)
from recce_meta.errors import RecceMetaError, StoreError, UsageError, quoted
from recce_meta.extractors.commit_proof import Checkout, clean_checkout
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project, project_above
from recce_meta.lazy import LazyModule
from recce_meta.models import Project, RunMetadata
from recce_meta.models.lineage import ColumnGraph, KnownColumns, first_warnings
from recce_meta.models.node_types import WITH_QUERY
from recce_meta.models.rows import Tabular
from recce_meta.models.run import DBT
from recce_meta.models.stored import NodeStatistics
from recce_meta.profiles import find_project_dir, read_target_path
from recce_meta.sql_lineage.project.columns import SECONDS, analyse_project
from recce_meta.store import read, write
from recce_meta.store.content import digest
from recce_meta.store.graphs import fill_changes
from recce_meta.store.session import StoreSession, open_store

if TYPE_CHECKING:
    from recce_meta.api.workers import pool
else:
    pool = LazyModule("recce_meta.api.workers.pool")

Tell = Callable[[str], None]
Complete = Callable[[Project], tuple[Project, Collection[str]]]
"""Returns a project with SQL of other runs, and the nodes whose SQL may not be what dbt would compile."""


class ColumnsKept(Struct, frozen=True):
    """Numbers of models, snapshots and analyses with and without column lineage in a recorded run."""

    traced: int = 0
    """Nodes with SQL analysed for this run."""
    reused: int = 0
    """Nodes with the same SQL and parents' columns as in an earlier run."""
    not_traced: int = 0
    """Nodes that could not be analysed, now or in an earlier run."""


class Tracer:
    """Computation of a project's column lineage, run when the store asks for it, with its counts."""

    def __init__(
        self,
        project: Project,
        timeout: float | None = SECONDS,
        tell: Tell | None = None,
        complete: Complete | None = None,
    ) -> None:
        """Create the computation; *complete* adds SQL of other runs, and is called if it is needed."""
        self._project, self._complete = project, complete
        self._timeout = timeout
        self._tell = tell
        self._kept: ColumnsKept | None = None

    def __call__(self, known: KnownColumns) -> ColumnGraph:
        """Return the column lineage of the project, except for nodes in *known*."""
        if self._tell is not None:
            self._tell(f"tracing columns of {len(self._project.nodes):,} nodes")
        whole, assumed = (self._project, ()) if self._complete is None else self._complete(self._project)
        with pool.AnalysisPool() as analyst:
            graph = analyse_project(whole, known, timeout=self._timeout, assumed=assumed, analyst=analyst)
        self._kept = self._counted(graph, known)
        return graph

    def kept(self, gaps: Collection[str] = ()) -> ColumnsKept:
        """Return the counts. If nothing was computed, all is reused, except *gaps*, which have no columns."""
        if self._kept is not None:
            return self._kept
        queries = {node.unique_id for node in self._project.nodes if node.resource_type in WITH_QUERY}
        missing = len(queries.intersection(gaps))
        return ColumnsKept(reused=len(queries) - missing, not_traced=missing)

    def _counted(self, graph: ColumnGraph, known: KnownColumns) -> ColumnsKept:
        traced = reused = not_traced = 0
        for node in self._project.nodes:
            if node.resource_type not in WITH_QUERY:
                continue
            lineage_id = graph.lineage_ids[node.unique_id]
            found = graph.analyses.get(lineage_id)
            if found.outputs if found is not None else known.get(lineage_id):
                traced += found is not None
                reused += found is None
            else:
                not_traced += 1
        return ColumnsKept(traced, reused, not_traced)


LONGEST_NAME = 64
"""Maximum length of `runs.run_id` in every warehouse."""
AHEAD = timedelta(minutes=5)
"""Difference of two clocks that is not worth a warning."""
RESERVED = re.compile(r"[:~\x00-\x1f]")
"""Characters with a special meaning in run selectors, and control characters."""


class Recorded(Tabular, frozen=True, kw_only=True):
    """Result of recording a run."""

    run: RunMetadata
    is_new: bool
    """Whether the run was written; False if it was in the store already."""
    counts: dict[str, int]
    """Number of nodes by resource type."""
    versions_written: int
    counted: int = 0
    """Number of nodes with row counts stored with the run."""
    profiled: int = 0
    columns: ColumnsKept | None = None
    """Numbers of nodes with column lineage; None if no column lineage was written."""
    warnings: tuple[str, ...]


def record_run(
    adapter: UnifiedSqlAdapter,
    project: Project,
    *,
    now: datetime | None = None,
    statistics: Sequence[NodeStatistics] = (),
    columns: bool = True,
    column_timeout: float = SECONDS,
) -> write.RecordResult:
    """Write *project* as one run, with *statistics* of its nodes, to the store of *adapter*.

    The store is created if it does not exist. With *columns*, column lineage is written as well: the SQL of
    nodes not known from an earlier run is analysed, for at most *column_timeout* seconds each. Nodes that
    could not be analysed are in the result's `column_warnings`. A run with an id that is stored already stays
    unchanged, except that missing *statistics* and column lineage are added. *now* is the time of recording.
    """
    result = write.record_run(
        adapter,
        project,
        now=now,
        statistics=statistics,
        analyse=_tracer(adapter, project, column_timeout) if columns else None,
        is_compiled=is_compiled(project),
    )
    if result.written or result.statistics.nodes_counted:
        compare_codes(adapter, result.run)
    return result


def compare_codes(adapter: UnifiedSqlAdapter, run: RunMetadata | None = None) -> str | None:
    """Store what the views of last results and counts need after *run* was written, or any runs.

    No error is raised: the runs are there, and until the next one is written, the views say unknown. Return
    the reason if this failed.
    """
    if run is None or run.extractor == DBT:
        try:
            fill_code_changes(adapter, run)
        except RecceMetaError as error:
            return f"It is not stored which results are current: {error}; recce-meta init repeats it"
    return None


def fill_derived(adapter: UnifiedSqlAdapter) -> None:
    """Store everything that the views read and that follows from the runs, where it is missing."""
    fill_changes(adapter)
    while fill_code_changes(adapter):
        pass


def fill_code_changes(adapter: UnifiedSqlAdapter, run: RunMetadata | None = None) -> int:
    """Store which nodes of latest runs have other code than in the runs that measured them last.

    *run* limits it to the latest run of its project and environment. Return the number of compared codes.
    At most `BUILDS_READ` are compared for each latest run; the next call continues.
    """
    place = (None, None) if run is None else (run.project_name, run.environment)
    # Environments may share codes.
    compared: dict[str, tuple[tuple[str, ...], dict[str, bool]]] = {}
    # Most runs repeat compared codes, and wait for no writer.
    with open_store(adapter) as store:
        for run_id, builds in _to_compare(store, *place).items():
            latest = read.run_by_id(store, run_id)
            assert latest is not None
            for build, outdated in outdated_nodes(store, latest, builds):
                code = (str(latest.graph_id), str(latest.macro_set_id), *build.code)
                compared[digest(msgspec.json.encode(code))] = code, outdated
    if not compared:
        return 0

    def work() -> None:
        with open_store(adapter, writes=True) as store:
            known = set(read.names_of(store.query("known_code_steps", ids="\n".join(compared))))
            new = {step_id: found for step_id, found in compared.items() if step_id not in known}
            rows = (
                (one, *change) for one, (_, outdated) in new.items() for change in sorted(outdated.items())
            )
            store.insert("code_changes", CODE_CHANGES, rows)
            store.insert("code_steps", CODE_STEPS, ((*code, one) for one, (code, _) in new.items()))

    retrying(adapter, work)
    return len(compared)


CODE_STEPS = ("graph_id", "macro_set_id", "previous_graph_id", "previous_macro_set_id", "step_id")
CODE_CHANGES = ("step_id", "unique_id", "is_certain")


def _to_compare(store: StoreSession, project: str | None, environment: str | None) -> dict[str, list[Build]]:
    """Return the codes that are not compared yet, the newest ones of each latest run by its id."""
    found: dict[str, list[Build]] = defaultdict(list)
    given = {"project": project, "environment": environment, "most": RUNS_LISTED}
    for run_id, graph_id, macro_set_id, at in store.query("codes_to_compare", **given):
        if len(found[str(run_id)]) < BUILDS_READ:
            found[str(run_id)].append(Build.of(graph_id, macro_set_id, at, None))
    return found


def _tracer(adapter: UnifiedSqlAdapter, project: Project, timeout: float, tell: Tell | None = None) -> Tracer:
    """Return the computation for *project*, with SQL from other runs for nodes that dbt did not compile."""
    complete = None if is_compiled(project) else lambda given: with_kept_sql(adapter, given)
    return Tracer(project, timeout, tell, complete)


def record_project(
    adapter: UnifiedSqlAdapter,
    project: Project,
    *,
    statistics: Sequence[NodeStatistics] = (),
    columns: bool = True,
    column_timeout: float = SECONDS,
    id_of_contents: bool = False,
    tell: Tell | None = None,
) -> Recorded:
    """Write *project* as `record_run` does, and return counts and warnings.

    With *id_of_contents*, the run gets another id if a run with its id was pruned. *tell* is called with
    progress messages. Raises StoreError if the run's id belongs to another project, or was pruned.
    """
    tracer = _tracer(adapter, project, column_timeout, tell) if columns else None
    result = write.record_run(
        adapter,
        project,
        statistics=statistics,
        analyse=tracer,
        id_of_contents=id_of_contents,
        is_compiled=is_compiled(project),
    )
    warnings = (*project.warnings, *first_warnings(result.column_warnings))
    if result.written or result.statistics.nodes_counted:
        failure = compare_codes(adapter, result.run)
        warnings += () if failure is None else (failure,)
    # A run with a known id is never changed, so that nothing has been written.
    if result.run.project_name != project.run.project_name:
        raise StoreError(
            f"Run id {result.run.run_id} belongs to project '{result.run.project_name}' in this store",
            hint="use another id with --run-id",
        )
    if result.run.environment != project.run.environment:
        warnings += (
            f"Run {result.run.run_id} is already recorded as {result.run.environment} and was not changed; "
            f"use --run-id to record it as {project.run.environment} as well",
        )
    if result.written:
        warnings += _wrong_clock(result.run)
    if result.differs:
        without = ", and no statistics were stored" if statistics else ""
        warnings += (
            f"Run {result.run.run_id} is already recorded with other contents and was not changed{without}; "
            "use --run-id to record these artifacts as another run",
        )
    has_new_columns = result.written or result.columns_added
    return Recorded(
        run=result.run,
        is_new=result.written,
        counts=dict(Counter(node.resource_type for node in project.nodes)),
        versions_written=result.versions_written,
        counted=result.statistics.nodes_counted,
        profiled=result.statistics.nodes_profiled,
        columns=tracer.kept(result.column_gaps) if tracer is not None and has_new_columns else None,
        warnings=warnings,
    )


def _wrong_clock(run: RunMetadata) -> tuple[str, ...]:
    """Return a warning if *run* has a time after its recording."""
    if run.recorded_at is None or run.run_at <= run.recorded_at + AHEAD:
        return ()
    dated = f"A clock is wrong: run {run.run_id} is dated {run.run_at:%Y-%m-%d %H:%M} UTC"
    return (f"{dated}; it counts as run when it was recorded, on {run.recorded_at:%Y-%m-%d %H:%M} UTC",)


def target_folder(
    target_path: Path | None, project_dir: Path | None, environ: Mapping[str, str] | None = None
) -> Path:
    """Return dbt's target folder: *target_path*, else that of the project's settings."""
    if target_path is not None:
        return target_path
    return read_target_path(find_project_dir(project_dir) or project_dir or Path(), environ)


def checkout_of(target_path: Path, project_dir: Path | None) -> Checkout:
    """Return the checkout from which a command will build *target_path*."""
    return clean_checkout(project_dir or project_above(target_path) or Path(), os.environ)


def check_name(kind: str, name: str) -> None:
    """Raise UsageError for a run id or environment that no run selector could name."""
    if not name.strip() or len(name) > LONGEST_NAME or RESERVED.search(name) or name == "latest":
        raise UsageError(
            f"Invalid name for {kind}: {quoted(name)}",
            hint=f"use 1 to {LONGEST_NAME} characters without ':' and '~', and not 'latest'",
        )


def read_target(
    target_path: Path,
    *,
    environment: str,
    project_dir: Path | None = None,
    run_id: str | None = None,
    target_name: str | None = None,
    git: GitState,
    before: Checkout | None = None,
) -> Project:
    """Return the artifacts in *target_path* as a run of *environment*; *git* overrides the detected state.

    *before* is the checkout before the command that may have built the artifacts.

    Raises UsageError for an *environment* or *run_id* that no run selector could name, ArtifactError as
    `extract_project` does.
    """
    check_name("an environment", environment)
    if run_id:
        check_name("a run", run_id)
    project = extract_project(
        target_path,
        environment=environment,
        project_dir=project_dir,
        run_id=run_id,
        target_name=target_name,
        before=before,
    )
    detected = project.run.git_sha
    # The proof is about the detected commit, not about one that the user names.
    if git.sha and detected and not detected.startswith(git.sha):
        project = replace(project, run=replace(project.run, git_proven=False))
    given = {
        "git_sha": git.sha,
        "branch": git.branch,
        "git_dirty": git.dirty,
        "pull_request": git.pull_request,
    }
    known = {name: value for name, value in given.items() if value is not None}
    return replace(project, run=replace(project.run, **known))
