"""Demo of two real dbt runs in an embedded DuckDB, and doctor: checks of all that recording a run needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.doctor import check_connection
from recce_meta.adapter.waiting import TELL_SECONDS, writers
from recce_meta.api import diff as comparing
from recce_meta.api.data.execution import open_data_diff_runner
from recce_meta.api.data.jobs import NodePair, value_jobs
from recce_meta.api.export import FORMATS
from recce_meta.api.record import record_project
from recce_meta.api.runs import load_pair
from recce_meta.data_diff.options import ValueOptions
from recce_meta.errors import MissingRelation, PermissionDenied, RecceMetaError
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Check, RunDiff, Status
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.rows import RowTable, Tabular
from recce_meta.models.run import DBT
from recce_meta.plugins import DIALECTS, EXPORTERS, EXTRACTORS, clash_warnings
from recce_meta.store.session import SCHEMA_VERSION, can_record, read_no_rows, refuse_memory, store_versions
from recce_meta.warehouses import clashing
from recce_meta.warehouses.registry import folders_with


class Demo(Tabular, frozen=True, kw_only=True):
    """Results of the demo."""

    database: Path
    recorded: tuple[bool, bool]
    """True for each run that was new."""
    diff: RunDiff
    data: tuple[AnyDataDiff, ...]
    """Value diffs of the changed models."""

    def to_table(self) -> RowTable:
        """Return the changes of the project as rows."""
        return self.diff.to_table()


def demo(folder: Path) -> Demo:
    """Build the shop's two schemas in jaffle_shop.duckdb in *folder*, record both runs and compare them."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / f"{demo_data.DATABASE}.duckdb"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{database}") as adapter:
        demo_data.load_tables(adapter.execute)
        recorded = (_record(adapter, "base"), _record(adapter, "current"))
        diff = comparing.diff(lambda: adapter, "base", "current", project=demo_data.DATABASE)
        return Demo(database=database, recorded=recorded, diff=diff, data=tuple(_data(adapter, diff)))


def _record(adapter: UnifiedSqlAdapter, side: demo_data.Side) -> bool:
    origin = demo_data.origin(side)
    project = extract_project(
        demo_data.artifacts(side),
        environment=side,
        git=GitState(sha=origin.sha, branch=origin.branch, dirty=False, pull_request=origin.pull_request),
    )
    return record_project(adapter, project).is_new


def _data(adapter: UnifiedSqlAdapter, diff: RunDiff) -> list[AnyDataDiff]:
    """Compare the values of every changed model that exists on both sides."""
    runs = load_pair(lambda: adapter, "base", "current", project=demo_data.DATABASE)
    ids = [
        change.unique_id
        for change in diff.changes
        if change.status is Status.MODIFIED and change.resource_type == "model"
    ]
    changed = [NodePair(*both) for both in runs.sides(ids)]
    comparison = open_data_diff_runner(adapter)
    try:
        return comparison.run_all(value_jobs(comparison.places, runs, changed, ValueOptions()))
    finally:
        comparison.close()


def doctor(connect: Callable[[], UnifiedSqlAdapter]) -> list[Check]:
    """Run the checks from the profile to the store; later checks are skipped if an earlier one fails.

    No check shows a secret.
    """
    unused = (
        *clashing(),
        *clash_warnings(DIALECTS, folders_with("dialect")),
        *clash_warnings(EXTRACTORS, (DBT, "sql")),
        *clash_warnings(EXPORTERS, FORMATS),
    )
    brought = [Check("plug-in", None, sentence, "rename the plug-in") for sentence in unused]
    try:
        adapter = connect()
    except RecceMetaError as error:
        return [*brought, Check("profile", False, error.message, error.hint)]
    with adapter:
        checks = brought + check_connection(adapter)
        connected = any(check.name == "connection" and check.ok for check in checks)
        if not connected:
            return [*checks, Check("store", None, "no connection")]
        store = _store(adapter)
        return [*_with_role(adapter, checks, store), store, *_lacks(adapter, store), *_writers(adapter)]


def _lacks(adapter: UnifiedSqlAdapter, store: Check) -> list[Check]:
    """Return a check that failed if the store lacks a table or column of its version."""
    if not store.ok or store.detail.endswith(MIGRATES):
        return []
    try:
        read_no_rows(adapter)
    except PermissionDenied:
        return []  # a role that reads the views alone
    except MissingRelation as error:
        # Some warehouses say the same of a table that the role may not read.
        hint = "grant the role SELECT on all tables of the store, or restore the schema from a backup"
        return [Check("tables", False, f"incomplete: {error.message.splitlines()[0]}", hint)]
    except RecceMetaError as error:
        return [Check("tables", False, error.message, error.hint)]
    return []


def _writers(adapter: UnifiedSqlAdapter) -> list[Check]:
    """Return a check for each session that has written to the store for long: others wait for it."""
    held = (writer for writer in writers(adapter) if writer.seconds > TELL_SECONDS)
    return [Check("writer", None, str(writer), writer.remedy) for writer in held]


def _with_role(adapter: UnifiedSqlAdapter, checks: list[Check], store: Check) -> list[Check]:
    """Return *checks* with the role's permissions in an existing store: full, record-only or read-only.

    A role that may not create tables can still record into a current store, or read it.
    """
    if not store.ok or checks[-1].name != f"schema {adapter.schema}":
        return checks
    tried = checks[-1]
    if tried.ok is not False:
        return [*checks, Check("role", True, "full: creates and migrates the store, records and reads")]
    if store.detail.endswith(MIGRATES):
        hint = "run recce-meta init with the role that created the store"
        return [*checks, Check("role", False, "cannot migrate the store, which this recce-meta needs", hint)]
    if can_record(adapter):
        role = "record-only: records and reads, but cannot create or migrate the store"
    else:
        role = "read-only: reads, but cannot record"
    # An existing store needs no right to create tables, so no hint asks for it.
    return [*checks[:-1], Check(tried.name, True, "exists"), Check("role", True, role)]


MIGRATES = "; recce-meta init migrates it, and until then no command reads it"
"""End of the detail of an older store."""


def _store(adapter: UnifiedSqlAdapter) -> Check:
    if not adapter.warehouse.has_store:
        return Check(
            "store", None, f"not available in {adapter.warehouse.name}; --tables works without a store"
        )
    try:
        refuse_memory(adapter)
        versions = store_versions(adapter)
    except RecceMetaError as error:
        return Check("store", False, error.message, error.hint)
    if versions is None:
        hint = "run recce-meta init or recce-meta record to create it"
        return Check("store", None, f"none in schema {adapter.schema} yet", hint)
    versions_text = f"version {versions.write}, read version {versions.read}"
    if versions.is_newer:
        can = "read it, but not write to it" if versions.is_readable else "neither read nor write to it"
        state = None if versions.is_readable else False
        detail = f"{versions_text}: newer than this recce-meta's {SCHEMA_VERSION}, which can {can}"
        return Check("store", state, detail, versions.remedy)
    older = "" if versions.write == SCHEMA_VERSION else MIGRATES
    return Check("store", True, f"{versions_text}{older}")
