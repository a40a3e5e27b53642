"""`scan`: what a live database consists of, recorded as one run, and what differs from the scan before."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.comparing import NOTHING_MORE, whole_diff
from recce_meta.api.recording import check_name, record_project, record_run
from recce_meta.api.stored import stored_diff
from recce_meta.diff.scanned_scope import DATABASE, is_scan, narrowed, scan_before, seen_by_both
from recce_meta.diff.scanned_summary import scan_counts, tallies
from recce_meta.errors import PermissionDenied, RecceMetaError, UnknownNameError, UsageError, WarehouseError
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.extractors.live import Scope, extract_database, scan_run
from recce_meta.graph.columns.project import SECONDS
from recce_meta.models import NodeMetadata, Project, RunDiff, RunMetadata, Status
from recce_meta.models.run import FAILED
from recce_meta.models.scan import ScanReport
from recce_meta.store import read
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import open_store, refuse_newer, store_versions
from recce_meta.store.select import load_run
from recce_meta.warehouses import available

Tell = Callable[[str], None]

ELSEWHERE = "name another place for the store with --store, such as --store duckdb:///recce_meta.duckdb"


class ScanOptions(Struct, frozen=True, kw_only=True):
    """What a scan is recorded as."""

    environment: str = "current"
    project: str | None = None
    """The run's project; else the name of the database."""
    run_id: str | None = None
    git: GitState = GitState()
    """What is not in it, the repository and the CI's variables tell."""
    columns: bool = True
    """Whether column lineage is recorded with it."""
    column_timeout: float = SECONDS
    is_kept: bool = True
    """Whether the run is recorded at all."""


def scan(
    database: UnifiedSqlAdapter,
    *,
    store: UnifiedSqlAdapter | None = None,
    scope: Scope | None = None,
    options: ScanOptions | None = None,
    schema: str = DEFAULT_SCHEMA,
    tell: Tell | None = None,
) -> ScanReport:
    """Record what *database* consists of in *store* (else in itself), and compare it with the scan before.

    That is the last scan of the same project, environment and scope, else the last of any scope. *schema*
    holds the store; where that is in *database* itself, *scope* hides it. *tell* is called with what takes
    time. Raises UsageError where the store cannot be kept there, or a name cannot be used, UnknownNameError
    for a schema that is not there, and StoreError where nothing is to be kept and there is no store to
    compare with.
    """
    given = options or ScanOptions()
    place = store or database
    refuse_place(place)
    check_name("an environment", given.environment)
    if given.run_id:
        check_name("a run", given.run_id)
    chosen = scope or Scope()
    if place is database:
        chosen = replace(chosen, hidden=(*chosen.hidden, database.warehouse.folded(schema)))
    if given.is_kept:
        refuse_newer(place, schema)
    extracted = _extracted(database, chosen, given, place, schema, tell)
    project = replace(extracted, run=_with_git(extracted.run, given.git))
    run, is_new, warnings = project.run, False, project.warnings
    if given.is_kept:
        try:
            recorded = record_project(
                place,
                project,
                schema=schema,
                columns=given.columns,
                column_timeout=given.column_timeout,
                tell=tell,
            )
        except PermissionDenied as error:
            if place is database:  # who may only read it is to know that this is enough
                error.hint = f"{error.hint or 'ask for this right'}; or {ELSEWHERE}"
            raise
        run, is_new, warnings = recorded.run, recorded.is_new, recorded.warnings
    if tell is not None:
        tell("comparing with the scan before")
    found = ScanReport(
        run=run, is_new=is_new, counts=scan_counts(project), previous=None, warnings=tuple(warnings)
    )
    return _compared(found, project, place, schema)


def _extracted(
    database: UnifiedSqlAdapter,
    scope: Scope,
    options: ScanOptions,
    store: UnifiedSqlAdapter,
    schema: str,
    tell: Tell | None,
) -> Project:
    """Return what *database* consists of. If the scan fails and is to be kept, the failure is stored."""
    try:
        return extract_database(
            database,
            scope=scope,
            environment=options.environment,
            project=options.project,
            run_id=options.run_id,
            tell=tell,
        )
    except (WarehouseError, UnknownNameError) as error:
        if options.is_kept:
            _keep_failure(error, database, scope, options, store, schema)
        raise


def _keep_failure(
    error: WarehouseError | UnknownNameError,
    database: UnifiedSqlAdapter,
    scope: Scope,
    options: ScanOptions,
    store: UnifiedSqlAdapter,
    schema: str,
) -> None:
    """Record that a scan failed. If the store cannot be written either, *error* says so.

    A misspelt schema creates no store.
    """
    try:
        if isinstance(error, UnknownNameError) and store_versions(store, schema) is None:
            return
        run = _with_git(scan_run(database, scope, options.environment, options.project), options.git)
        failed = replace(run, status=FAILED, reason=error.message)
        record_run(store, Project(run=failed, nodes=()), schema=schema, columns=False)
    except RecceMetaError as another:
        hint = f"{error.hint}; " if error.hint else ""
        error.hint = f"{hint}the failed scan was not stored: {another.message}"


def refuse_place(store: UnifiedSqlAdapter) -> None:
    """Raise UsageError where the store cannot be kept in the place that is meant."""
    if not store.warehouse.has_store:
        raise UsageError(
            f"The store cannot be kept in {store.warehouse.name}",
            hint=f"{ELSEWHERE}; it is kept in one of {', '.join(available())}",
        )


def _with_git(run: RunMetadata, git: GitState) -> RunMetadata:
    seen = detect_git(Path(), os.environ)
    return replace(
        run,
        git_sha=git.sha or seen.sha,
        branch=git.branch or seen.branch,
        git_dirty=seen.dirty if git.dirty is None else git.dirty,
        pull_request=git.pull_request or seen.pull_request,
        recorder_version=__version__,
    )


def _previous(
    store: UnifiedSqlAdapter, run: RunMetadata, schema: str
) -> tuple[RunMetadata | None, tuple[str, ...]]:
    """The scan of its project and environment that *run* follows, and what is odd about the runs there."""
    filters = {"project": run.project_name, "environment": run.environment, "before": run.run_at}
    with open_store(store, schema) as opened:
        last = next(iter(read.find_runs(opened, **filters, most=1)), None)
        earlier = read.find_runs(opened, **filters, extractor=DATABASE)
    found, told = scan_before(run, earlier), []
    if last is not None and not is_scan(last):
        told.append(
            f"The run before of {run.project_name} as {run.environment} is no scan ({last.run_id}): with -e "
            f"or --project, '{run.environment}' means one of both"
        )
    if found is not None and found.adapter_type != run.adapter_type:
        told.append(
            f"The scan before of {run.project_name} as {run.environment} is of another database, in "
            f"{found.adapter_type}, not {run.adapter_type}: -e or --project keeps the two apart"
        )
    return found, tuple(told)


def _compared(report: ScanReport, project: Project, store: UnifiedSqlAdapter, schema: str) -> ScanReport:
    """*report* with what differs, in *project*, from the scan before."""
    previous, told = _previous(store, report.run, schema)
    if previous is None and report.run is not project.run and not report.is_new:
        # The run of that id was the first one, and what is there now may be another state.
        previous, told = _previous(store, project.run, schema)
    report = replace(report, previous=previous, warnings=(*report.warnings, *told))
    if previous is None:
        return report
    if report.is_new:
        diff = stored_diff(store, previous, report.run, schema)
    else:
        diff = whole_diff(load_run(store, previous, schema=schema), project, NOTHING_MORE)
    seen = seen_by_both(previous, project.run, schema)
    current: Sequence[NodeMetadata] = project.nodes if seen is None else narrowed(project.nodes, seen)
    removed = _removed(diff, store, previous, schema)
    return replace(report, diff=diff, tallies=tallies(diff, current, removed))


def _removed(
    diff: RunDiff, store: UnifiedSqlAdapter, previous: RunMetadata, schema: str
) -> list[NodeMetadata]:
    """The nodes that went, as they were."""
    ids = [change.unique_id for change in diff.changes if change.status is Status.REMOVED]
    return read.load_nodes_by_id(store, previous, ids, schema=schema) if ids else []
