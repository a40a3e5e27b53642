"""Scan of a live database: records its structure as one run and compares it with the previous scan."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import NOTHING_MORE, stored_diff, whole_diff
from recce_meta.api.record import check_name, record_project, record_run
from recce_meta.diff.scan import DATABASE, is_scan, nodes_in_scope, previous_scan, shared_scope
from recce_meta.diff.scan_models import scan_counts, tallies
from recce_meta.errors import PermissionDenied, RecceMetaError, UnknownNameError, UsageError, WarehouseError
from recce_meta.extractors.database import ScanScope, extract_database, scan_run
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.models import NodeMetadata, Project, RunDiff, RunMetadata, Status
from recce_meta.models.change import ScanReport
from recce_meta.models.run import FAILED
from recce_meta.sql_lineage.project.columns import SECONDS
from recce_meta.store import read
from recce_meta.store.select import load_run
from recce_meta.store.session import dialect_of, open_store, refuse_newer, store_versions
from recce_meta.store.sql_files import relations
from recce_meta.warehouses import available

Tell = Callable[[str], None]

ELSEWHERE = "put the store elsewhere with --store, such as --store duckdb:///recce_meta.duckdb"


class ScanOptions(Struct, frozen=True, kw_only=True):
    """Options of a scan and its run."""

    environment: str = "current"
    """Label of the run."""
    project: str | None = None
    """Project of the run. Default: the name of the database."""
    run_id: str | None = None
    """Id of the run. Default: a new one."""
    git: GitState | None = GitState()
    """Git state; missing fields come from the repository and the CI's variables. None to record none."""
    columns: bool = True
    """Whether to record column lineage."""
    column_timeout: float = SECONDS
    """Seconds of the analysis of one node."""
    is_kept: bool = True
    """Whether to record the run."""
    keeps_failure: bool = True
    """Whether a scan that fails is recorded with its reason."""


def scan(
    database: UnifiedSqlAdapter,
    *,
    store: UnifiedSqlAdapter | None = None,
    scope: ScanScope = ScanScope(),
    options: ScanOptions = ScanOptions(),
    tell: Callable[[str], None] | None = None,
) -> ScanReport:
    """Record the structure of *database* in *store* (default: itself) and compare with the previous scan.

    The previous scan is the latest of the same project, environment and scope, else the latest of any scope.
    If the store is in *database* itself, its schema is excluded from *scope*. *tell* is called with progress
    messages. *options* are those of the run.

    Raises UsageError if the store cannot be in that place, or a name is invalid; UnknownNameError for a
    schema that does not exist; StoreError if the run is not recorded and no store exists to compare with.
    """
    place = store or database
    refuse_place(place)
    check_name("an environment", options.environment)
    if options.run_id:
        check_name("a run", options.run_id)
    scope = without_store(scope, database, place)
    # Checked before the scan, which may take minutes.
    if options.is_kept:
        refuse_newer(place)
    extracted = _extracted(database, scope, options, place, tell)
    project = replace(extracted, run=_with_git(extracted.run, options.git))
    run, is_new, warnings = project.run, False, project.warnings
    if options.is_kept:
        try:
            recorded = record_project(
                place,
                project,
                columns=options.columns,
                column_timeout=options.column_timeout,
                tell=tell,
            )
        except PermissionDenied as error:
            if place is database:  # a scan needs only read permissions on the database
                error.hint = f"{error.hint or 'ask for this right'}; or {ELSEWHERE}"
            raise
        run, is_new, warnings = recorded.run, recorded.is_new, recorded.warnings
    if tell is not None:
        tell("comparing with the previous scan")
    found = ScanReport(
        run=run, is_new=is_new, counts=scan_counts(project), previous=None, warnings=tuple(warnings)
    )
    return _compared(found, project, place)


def _extracted(
    database: UnifiedSqlAdapter,
    scope: ScanScope,
    options: ScanOptions,
    store: UnifiedSqlAdapter,
    tell: Tell | None,
) -> Project:
    """Return the structure of *database*. If the scan fails and is to be recorded, store the failure."""
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
        if options.is_kept and options.keeps_failure:
            _keep_failure(error, database, scope, options, store)
        raise


def _keep_failure(
    error: WarehouseError | UnknownNameError,
    database: UnifiedSqlAdapter,
    scope: ScanScope,
    options: ScanOptions,
    store: UnifiedSqlAdapter,
) -> None:
    """Record that a scan failed. If the store cannot be written either, *error* says so.

    A misspelt schema creates no store.
    """
    try:
        if isinstance(error, UnknownNameError) and store_versions(store) is None:
            return
        run = _with_git(scan_run(database, scope, options.environment, options.project), options.git)
        failed = replace(run, status=FAILED, reason=error.message)
        record_run(store, Project(run=failed, nodes=()), columns=False)
    except RecceMetaError as another:
        hint = f"{error.hint}; " if error.hint else ""
        error.hint = f"{hint}the failed scan was not stored: {another.message}"


def refuse_place(store: UnifiedSqlAdapter) -> None:
    """Raise UsageError if the warehouse of *store* cannot hold a store."""
    if not store.warehouse.has_store:
        raise UsageError(
            f"The store cannot be created in {store.warehouse.name}",
            hint=f"{ELSEWHERE}; supported are {', '.join(available())}",
        )


def without_store(scope: ScanScope, database: UnifiedSqlAdapter, store: UnifiedSqlAdapter) -> ScanScope:
    """Return *scope* without the relations of *store*, which change with every recording."""
    if not store.place.reaches_same(database.place):
        return scope
    warehouse = database.warehouse
    if warehouse.shared_schema is not None:
        return replace(scope, own=frozenset(relations(dialect_of(warehouse))))
    # Folded as the catalog has it, or the store would be scanned together with the database.
    return replace(scope, hidden=(*scope.hidden, warehouse.folded(store.schema)))


def _with_git(run: RunMetadata, git: GitState | None) -> RunMetadata:
    if git is None:
        return replace(run, recorder_version=__version__)
    seen = detect_git(Path(), os.environ)
    return replace(
        run,
        git_sha=git.sha or seen.sha,
        branch=git.branch or seen.branch,
        git_dirty=seen.dirty if git.dirty is None else git.dirty,
        pull_request=git.pull_request or seen.pull_request,
        recorder_version=__version__,
    )


def _previous(store: UnifiedSqlAdapter, run: RunMetadata) -> tuple[RunMetadata | None, tuple[str, ...]]:
    """Return the scan of the same project and environment before *run*, and warnings about earlier runs."""
    filters = {"project": run.project_name, "environment": run.environment, "before": run.run_at}
    with open_store(store) as opened:
        last = next(iter(read.find_runs(opened, **filters, most=1)), None)
        earlier = read.find_runs(opened, **filters, extractor=DATABASE)
    found, notes = previous_scan(run, earlier), []
    if last is not None and not is_scan(last):
        notes.append(
            f"The previous run of {run.project_name} as {run.environment} is not a scan ({last.run_id}); "
            "use -e or --project to keep scans and other runs apart"
        )
    if found is not None and found.adapter_type != run.adapter_type:
        notes.append(
            f"The previous scan of {run.project_name} as {run.environment} is of another database, in "
            f"{found.adapter_type}, not {run.adapter_type}; use -e or --project to keep the two apart"
        )
    return found, tuple(notes)


def _compared(report: ScanReport, project: Project, store: UnifiedSqlAdapter) -> ScanReport:
    """Return *report* with the changes in *project* since the previous scan."""
    previous, notes = _previous(store, report.run)
    if previous is None and report.run is not project.run and not report.is_new:
        # The stored run of this id is the first scan, but the database may have changed since.
        previous, notes = _previous(store, project.run)
    report = replace(report, previous=previous, warnings=(*report.warnings, *notes))
    if previous is None:
        return report
    # A scan that was not recorded is only in memory.
    if report.is_new:
        diff = stored_diff(store, previous, report.run)
    else:
        diff = whole_diff(load_run(store, previous), project, NOTHING_MORE, store.schema)
    seen = shared_scope(previous, project.run, store.schema)
    current: Sequence[NodeMetadata] = project.nodes if seen is None else nodes_in_scope(project.nodes, seen)
    removed = _removed(diff, store, previous)
    return replace(report, diff=diff, tallies=tallies(diff, current, removed))


def _removed(diff: RunDiff, store: UnifiedSqlAdapter, previous: RunMetadata) -> list[NodeMetadata]:
    """Return the removed nodes, read from the previous run."""
    ids = [change.unique_id for change in diff.changes if change.status is Status.REMOVED]
    return read.load_nodes_by_id(store, previous, ids) if ids else []
