"""Storage of check results: writes them, so that their history can be queried, and reads them back.

A result references the runs that it compared. It is pruned with its current run; if it has none, with its
base run.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timezone
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.errors import UsageError
from recce_meta.models import RunDiff, RunMetadata
from recce_meta.models.checks import StoredCheck, StoredFinding
from recce_meta.store.content import Row, digest
from recce_meta.store.read import names_of, require_run
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import json_text, storable, value_of_tree

COLUMNS = StoredCheck.__struct_fields__
ALL = 2**31


class SavedChecks(Struct, frozen=True, kw_only=True):
    """Result of `save_checks`."""

    ids: tuple[str, ...]
    """Ids of all checks passed in, in order."""
    written: int
    """Number of new results."""


def with_id(check: StoredCheck) -> StoredCheck:
    """Return *check* with a hash of its content as its id; the recorder's version is not part of it."""
    fields = [getattr(check, name) for name in COLUMNS if name not in ("check_result_id", "recorder_version")]
    return msgspec.structs.replace(check, check_result_id=digest(msgspec.json.encode(fields)))


def save_checks(adapter: UnifiedSqlAdapter, checks: Iterable[StoredCheck]) -> SavedChecks:
    """Store *checks* in one transaction; results that are already stored are not changed.

    Waits for other writers. Raises UsageError if a result belongs to no run, StoreError if one of its
    runs is not in the store.
    """
    # Built before, because `work` runs again after a conflict with another writer.
    wanted = {check.check_result_id: check for check in map(with_id, checks)}

    def work() -> SavedChecks:
        with open_store(adapter, writes=True) as store:
            for run_id in {run_id for check in wanted.values() for run_id in _runs_of(check)}:
                require_run(store, run_id, "check results")
            return SavedChecks(ids=tuple(wanted), written=insert_checks(store, wanted.values()))

    return retrying(adapter, work)


def list_checks(
    adapter: UnifiedSqlAdapter,
    *,
    check_name: str | None = None,
    run: RunMetadata | None = None,
    project: str | None = None,
    file_name: str | None = None,
    limit: int | None = None,
) -> list[StoredCheck]:
    """Return the stored results that match all given filters, newest first."""
    with open_store(adapter) as store:
        asked = {"check_name": check_name, "project": project, "file_name": file_name}
        return find_checks(
            store, **asked, run_id=None if run is None else run.run_id, most=ALL if limit is None else limit
        )


def checks_of_diff(adapter: UnifiedSqlAdapter, diff: RunDiff) -> list[StoredCheck]:
    """Return the latest stored result of each check that compared the runs of *diff*.

    Checks that are about nodes outside the selection of *diff* only are left out.
    """
    latest: dict[tuple[str, str], StoredCheck] = {}
    for check in list_checks(adapter, run=diff.current):  # newest first
        if check.base_run_id == diff.base.run_id:
            latest.setdefault((check.file_name, check.check_name), check)
    return [one for one in latest.values() if not one.is_removed and not _is_outside(one, diff)]


def _is_outside(check: StoredCheck, diff: RunDiff) -> bool:
    """Return True if *check* has findings, and all are about nodes that were not selected."""
    if diff.selected is None or not check.findings:
        return False
    known = diff.subjects
    return all(one.unique_id is not None and one.unique_id not in known for one in check.findings)


def find_checks(
    store: StoreSession,
    *,
    check_name: str | None = None,
    run_id: str | None = None,
    project: str | None = None,
    file_name: str | None = None,
    most: int = ALL,
) -> list[StoredCheck]:
    """Return the result of `list_checks` from an open store."""
    asked = {"check_name": check_name, "run_id": run_id, "project": project, "file_name": file_name}
    rows = store.query("check_results", **asked, most=most)
    return [check_of(row) for row in rows]


def insert_checks(store: StoreSession, checks: Iterable[StoredCheck]) -> int:
    """Insert the *checks* that are not stored yet. Return their number."""
    wanted = {check.check_result_id: check for check in checks}
    if not wanted:
        return 0
    # An id is a hash of the content, so that ids alone show what is stored.
    known = set(names_of(store.query("stored_check_results", ids="\n".join(wanted))))
    new = [check for check_id, check in wanted.items() if check_id not in known]
    store.insert("check_results", COLUMNS, map(_row, new))
    return len(new)


def _runs_of(check: StoredCheck) -> list[str]:
    runs = [run_id for run_id in (check.base_run_id, check.current_run_id) if run_id is not None]
    if not runs:
        raise UsageError(
            "A check result cannot be stored without a run",
            hint="pass a recorded run as base or current",
        )
    return runs


def _row(check: StoredCheck) -> Row:
    """Return the row of `check_results`, in the order of `COLUMNS`."""
    values = (getattr(check, name) for name in COLUMNS)
    return tuple(_cell(value) for value in values)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, (tuple, dict)):
        return json_text(msgspec.to_builtins(value))
    return value


def check_of(row: tuple[Any, ...]) -> StoredCheck:
    """Return the check result of a row of `check_results`."""
    fields = dict(zip(COLUMNS, row, strict=True))
    for name in ("violations", "findings", "parameters"):
        fields[name] = value_of_tree(msgspec.json.decode(fields[name]))
    findings = tuple(StoredFinding(**finding) for finding in fields.pop("findings"))
    violations = tuple(fields.pop("violations"))
    checked_at = fields.pop("checked_at").astimezone(timezone.utc)
    return StoredCheck(**fields, checked_at=checked_at, findings=findings, violations=violations)
