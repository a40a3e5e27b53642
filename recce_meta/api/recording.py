"""`record`: what dbt left behind, into the store."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.columns import ColumnsKept, Tell, Tracer
from recce_meta.errors import StoreError, UsageError, quoted
from recce_meta.extractors.commit_proof import Checkout, clean_checkout
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project, project_above
from recce_meta.graph.columns.project import SECONDS
from recce_meta.models import Project, RunMetadata
from recce_meta.models.column_lineage import shortened
from recce_meta.models.statistics import NodeStatistics
from recce_meta.profiles import find_project_dir
from recce_meta.store import write
from recce_meta.store.files import DEFAULT_SCHEMA

LONGEST_NAME = 64
"""What `runs.run_id` holds in every warehouse."""
RESERVED = re.compile(r"[:~\x00-\x1f]")
"""What run selectors read as something else than a name."""


class Recorded(Struct, frozen=True, kw_only=True):
    """What `record` did."""

    run: RunMetadata
    is_new: bool
    """Whether the run was written; otherwise it was there before."""
    counts: dict[str, int]
    """Nodes by resource type."""
    versions_written: int
    counted: int = 0
    """Nodes whose row counts were kept with the run."""
    profiled: int = 0
    columns: ColumnsKept | None = None
    """Of how many nodes the columns were traced; None where none were written."""
    warnings: tuple[str, ...]


def record_run(
    adapter: UnifiedSqlAdapter,
    project: Project,
    *,
    schema: str = DEFAULT_SCHEMA,
    now: datetime | None = None,
    statistics: Sequence[NodeStatistics] = (),
    columns: bool = True,
    column_timeout: float = SECONDS,
) -> write.RecordResult:
    """Write *project* as one run, with *statistics* of its nodes, creating the store where there is none.

    With *columns*, column lineage is written with it: of what is not known from an earlier run, the SQL of
    each node is analysed, which may take *column_timeout* seconds for each. What could not be analysed is in
    the result's `column_warnings`. A run whose id is stored already is left as it is; of *statistics* and
    column lineage, what it lacks is added. *now* is the time of recording.
    """
    analyse = Tracer(project, column_timeout) if columns else None
    return write.record_run(adapter, project, schema=schema, now=now, statistics=statistics, analyse=analyse)


def record_project(
    adapter: UnifiedSqlAdapter,
    project: Project,
    *,
    schema: str = DEFAULT_SCHEMA,
    statistics: Sequence[NodeStatistics] = (),
    columns: bool = True,
    column_timeout: float = SECONDS,
    tell: Tell | None = None,
) -> Recorded:
    """Write *project* as `record_run` does, and say how that went.

    *tell* is called with what takes time. Raises StoreError where the run's id is another project's.
    """
    tracer = Tracer(project, column_timeout, tell) if columns else None
    result = write.record_run(adapter, project, schema=schema, statistics=statistics, analyse=tracer)
    warnings = (*project.warnings, *shortened(result.column_warnings))
    if result.run.project_name != project.run.project_name:
        raise StoreError(
            f"Run id {result.run.run_id} belongs to project '{result.run.project_name}' in this store",
            hint="record it under another one with --run-id",
        )
    if result.run.environment != project.run.environment:
        warnings += (
            f"Run {result.run.run_id} is recorded as {result.run.environment} and stays so; "
            f"--run-id records it as {project.run.environment} too",
        )
    if result.differs:
        without = ", and no statistics with them" if statistics else ""
        warnings += (
            f"Run {result.run.run_id} was recorded before with other contents, which stay{without}; "
            "--run-id records these beside them",
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


def target_folder(
    target_path: Path | None, project_dir: Path | None, environ: Mapping[str, str] | None = None
) -> Path:
    """Where dbt writes its artifacts: the option, dbt's own variables, else `target/` of the project.

    Source: https://docs.getdbt.com/reference/global-configs/json-artifacts
    """
    variables = os.environ if environ is None else environ
    root = find_project_dir(project_dir) or project_dir or Path()
    if target_path is not None:
        return target_path
    named = variables.get("DBT_ENGINE_TARGET_PATH") or variables.get("DBT_TARGET_PATH")
    return root / (named or "target")


def checkout_of(target_path: Path, project_dir: Path | None) -> Checkout:
    """Return the checkout that a command is about to build *target_path* from."""
    return clean_checkout(project_dir or project_above(target_path) or Path(), os.environ)


def check_name(kind: str, name: str) -> None:
    """Raise UsageError for a run id or environment that no run selector could name afterwards."""
    if not name.strip() or len(name) > LONGEST_NAME or RESERVED.search(name) or name == "latest":
        raise UsageError(
            f"Not a name for {kind}: {quoted(name)}",
            hint=f"1 to {LONGEST_NAME} characters without ':' and '~', and not 'latest'",
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
    """Return the artifacts in *target_path* as a run of *environment*; *git* overrides what is detected.

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
