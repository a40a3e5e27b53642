"""Removal of old runs and of the data that no remaining run references; deletions that other stores receive.

A removed run leaves a tombstone, written in the transaction that removes it. A run with a tombstone is not
recorded, imported or received again, so a deletion reaches every store that exchanges runs with this one.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.errors import StoreError, UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.rows import ResultList, RowTable, Tabular
from recce_meta.models.run import DBT
from recce_meta.redaction import without_passwords
from recce_meta.store.content import digest
from recce_meta.store.graphs import STEPS_AT_ONCE, store_changes
from recce_meta.store.read import find_runs, in_utc, names_of
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import storable

TOMBSTONE_AGE = timedelta(days=400)
"""Time from when this store first saw a tombstone until `prune` removes it.

It is longer than a store may go without an exchange.
"""
GRAPHS_READ = 50
"""Most graphs of old runs that are searched for the SQL of runs that remain."""
OTHER_STORE = "the deletion is in the view deleted_runs; import into another store with --schema"
"""Hint for a deleted run that a file or another store contains."""


class Tombstone(Tabular, frozen=True, kw_only=True):
    """Deletion of a run; a row of `store_tombstones`."""

    run_id: str
    project_name: str
    deleted_at: datetime
    """Time of the deletion, in UTC."""
    deleted_by: str
    """Who deleted the run; the name is not verified."""
    reason: str
    """Options of `prune`."""
    recorder_version: str


COLUMNS = Tombstone.__struct_fields__
STORED_COLUMNS = (*COLUMNS, "first_seen_at")
"""Columns of the table; stores do not exchange when they first saw a deletion."""


class PruneResult(Tabular, Struct, frozen=True, kw_only=True):
    """Runs and rows that `prune` removed, or would remove."""

    runs: tuple[RunMetadata, ...]
    """Newest first."""
    rows: dict[str, int] = {}
    """Rows removed by table; empty for a dry run, which only finds the runs."""
    dry_run: bool = False
    tombstones: tuple[Tombstone, ...] = ()
    """Deletions that other stores receive; empty if the runs were removed from this store only."""

    def to_table(self) -> RowTable:
        """Return the removed runs as rows."""
        return ResultList(RunMetadata, self.runs).to_table()


class Retention(Struct, frozen=True, kw_only=True):
    """Runs that are old. Raises UsageError if neither `keep_last` nor `older_than` is given.

    If both are given, both must hold. The latest run of each project and environment is not old unless
    `keep_last` is 0.
    """

    keep_last: int | None = None
    """Runs that are not among the last so many of their project and environment."""
    older_than: timedelta | None = None
    """Runs whose artifacts are older."""
    environment: str | None = None
    """Only runs of this environment."""
    project: str | None = None
    """Only runs of this project."""

    def __post_init__(self) -> None:
        if self.keep_last is None and self.older_than is None:
            raise UsageError(
                "Missing option: --keep-last or --older-than", hint="pass --keep-last, --older-than or both"
            )
        if self.keep_last is not None and self.keep_last < 0:
            raise UsageError(f"Invalid --keep-last: {self.keep_last}", hint="use 0 or more")

    @property
    def reason(self) -> str:
        """Options of the command, for tombstones."""
        age = None if self.older_than is None else f"{self.older_than.total_seconds() / 3_600:g}h"
        options = {"keep-last": self.keep_last, "older-than": age}
        options |= {"environment": self.environment, "project": self.project}
        given = (f"--{name} {value}" for name, value in options.items() if value is not None)
        return " ".join(["prune", *given])


def prune(
    adapter: UnifiedSqlAdapter,
    retention: Retention,
    *,
    dry_run: bool = False,
    local: bool = False,
    deleted_by: str | None = None,
    now: datetime | None = None,
) -> PruneResult:
    """Remove the runs that are old by *retention*, and the data that only they use.

    Each removed run leaves a tombstone with the name *deleted_by* (default: that of the login). A tombstone
    prevents that the run is recorded again, and removes it from other stores with the next exchange. With
    *local*, runs are only removed from this store, and the next exchange may restore them.

    *adapter* connects to the store. A *dry_run* only returns the runs. *now* is the time that `older_than`
    counts from (default: the current time).

    Runs on which answers about remaining runs stand are kept: they compiled what a partial run did not, or
    have the last result or row count of a node. All runs are removed in one transaction; recorders wait for
    it.
    """
    time = now or datetime.now(timezone.utc)
    before = None if retention.older_than is None else time - retention.older_than
    project = retention.project
    author = deleted_by or login_name()

    def work() -> PruneResult:
        with open_store(adapter, writes=not dry_run) as store:
            runs = find_runs(store, project=project, environment=retention.environment, status=None)
            old = tuple(removable(runs, keep_last=retention.keep_last, before=before))
            needed = _needed(store, old, project) if old else frozenset()
            chosen = tuple(run for run in old if run.run_id not in needed)
            tombstones = () if local else tuple(tombstones_of(chosen, author, retention.reason, time))
            if dry_run:
                return PruneResult(runs=chosen, dry_run=True, tombstones=tombstones)
            _expire_tombstones(store)
            rows = _remove(store, chosen, tombstones) if chosen else {}
        return PruneResult(runs=chosen, rows=rows, tombstones=tombstones)

    return retrying(adapter, work)


def remove_runs(
    adapter: UnifiedSqlAdapter, is_chosen: Callable[[RunMetadata], bool], *, environment: str
) -> PruneResult:
    """Remove the runs of *environment* for which *is_chosen* returns True, and the data that only they use.

    *adapter* connects to the store. No tombstones are written, because such a run can
    be recorded again: for example, the same commit is extracted when its pull request is reopened.
    """

    def chosen_of(store: StoreSession) -> tuple[RunMetadata, ...]:
        return tuple(filter(is_chosen, find_runs(store, environment=environment, status=None)))

    def work() -> PruneResult:
        # Without such a run, no recorder has to wait.
        with open_store(adapter) as store:
            if not chosen_of(store):
                return PruneResult(runs=())
        with open_store(adapter, writes=True) as store:
            chosen = chosen_of(store)
            return PruneResult(runs=chosen, rows=_remove(store, chosen) if chosen else {})

    return retrying(adapter, work)


def removable(
    runs: Iterable[RunMetadata], *, keep_last: int | None, before: datetime | None
) -> Iterable[RunMetadata]:
    """Yield the *runs* (newest first) that may be removed; failed runs are counted separately."""
    # With --older-than alone, a project that was not built for long must not lose its last run.
    kept = 1 if keep_last is None else keep_last
    newer: dict[tuple[str, str, str], int] = {}
    for run in runs:
        # A failed run must not take the place of a complete one.
        group = run.project_name, run.environment, run.status
        place = newer[group] = newer.get(group, 0) + 1
        if place > kept and (before is None or run.counted_at < before):
            yield run


class _Group(NamedTuple):
    project: str
    environment: str


_Code = tuple[object, object]
"""Unique id of a node and the hash of its code."""
_NodesOf = dict[_Group, dict[bool, set[_Code]]]
"""Nodes that dbt compiled, and those that it did not, by project and environment."""


def _needed(store: StoreSession, old: Sequence[RunMetadata], project: str | None) -> frozenset[str]:
    """Return those of the runs *old*, newest first, on which answers about the other runs stand."""
    removed = {run.run_id for run in old}
    kept = [run for run in find_runs(store, project=project, status=None) if run.run_id not in removed]
    groups = {_Group(run.project_name, run.environment) for run in kept}
    found = set(names_of(store.query("measuring_runs"))) & {
        run.run_id for run in old if (run.project_name, run.environment) in groups
    }
    nodes = _sql_nodes(store, [*(run.run_id for run in kept), *found])
    for group, codes in nodes.items():
        missing = codes[False] - codes[True]
        found |= _compiling(store, old, group, missing)
        for other, others in nodes.items():
            if other.project == group.project:
                missing -= others[True]
        found |= _compiling(store, old, _Group(group.project, ""), missing)
    return frozenset(found)


def _sql_nodes(store: StoreSession, ids: Iterable[str]) -> _NodesOf:
    found: _NodesOf = {}
    for project, environment, unique_id, code, is_compiled in store.query("kept_nodes", ids="\n".join(ids)):
        codes = found.setdefault(_Group(str(project), str(environment)), {False: set(), True: set()})
        codes[bool(is_compiled)].add((unique_id, code))
    return found


def _compiling(
    store: StoreSession, old: Sequence[RunMetadata], group: _Group, missing: set[_Code]
) -> set[str]:
    """Return the newest runs of *group* that compiled *missing*, and remove from it what they compiled."""
    found: set[str] = set()
    graphs: set[str | None] = set()
    for run in old:
        if not missing or len(graphs) == GRAPHS_READ:
            break
        is_member = run.project_name == group.project and group.environment in ("", run.environment)
        if not is_member or run.graph_id in graphs or run.extractor != DBT:
            continue
        graphs.add(run.graph_id)
        for codes in _sql_nodes(store, [run.run_id]).values():
            if missing & codes[True]:
                found.add(run.run_id)
                missing -= codes[True]
    return found


def tombstones_of(
    runs: Iterable[RunMetadata], deleted_by: str, reason: str, deleted_at: datetime
) -> Iterable[Tombstone]:
    """Yield the tombstones of *runs*."""
    for run in runs:
        yield _stored_form(
            Tombstone(
                run_id=run.run_id,
                project_name=run.project_name,
                deleted_at=deleted_at,
                deleted_by=deleted_by,
                reason=reason,
                recorder_version=__version__,
            )
        )


def login_name() -> str:
    """Return the name of the login; `unknown` if the system has none."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container may run under a number without a name
        return "unknown"


def find_tombstones(store: StoreSession, ids: Iterable[str] | None = None) -> list[Tombstone]:
    """Return the deletions of the runs *ids*, or all of the store, newest first."""
    wanted = None if ids is None else "\n".join(ids)
    rows = [] if wanted == "" else store.query("tombstones", ids=wanted)
    fields: Iterable[dict[str, Any]] = (dict(zip(COLUMNS, map(in_utc, row), strict=True)) for row in rows)
    return [Tombstone(**values) for values in fields]


def apply_tombstones(store: StoreSession, tombstones: Iterable[Tombstone]) -> list[str]:
    """Store the missing *tombstones*, and remove the runs that they delete. Return the ids of these runs."""
    arrived = {one.run_id: _stored_form(one) for one in tombstones}
    ids = "\n".join(arrived)
    if not arrived:
        return []
    known = {one.run_id for one in find_tombstones(store, arrived)}
    _insert(store, [one for run_id, one in arrived.items() if run_id not in known])
    removed = sorted(names_of(store.query("stored_run_ids", ids=ids)))
    if removed:
        store.execute("delete_runs", ids="\n".join(removed))
        store.execute("delete_garbage")
    return removed


def refuse_deleted(store: StoreSession, run_id: str, *, hint: str) -> None:
    """Raise StoreError with *hint* if the run *run_id* was deleted."""
    for one in find_tombstones(store, [run_id]):
        raise StoreError(
            f"Run {run_id} was pruned on {one.deleted_at:%Y-%m-%d %H:%M} UTC by {one.deleted_by} "
            "and is not recorded again",
            hint=hint,
        )


def free_id(store: StoreSession, run_id: str) -> str:
    """Return *run_id*; if that run was deleted, return an id that follows from it.

    For ids that follow from the contents of a run: the same contents may be recorded again later.
    """
    while find_tombstones(store, [run_id]):
        # Not random: two machines that record the same contents must find the same id.
        run_id = digest(msgspec.json.encode(["again", run_id]))
    return run_id


def _stored_form(tombstone: Tombstone) -> Tombstone:
    """Return *tombstone* with storable texts without passwords."""
    texts = {name: storable(getattr(tombstone, name)) for name in ("project_name", "deleted_by", "reason")}
    texts |= {name: without_passwords(texts[name]) for name in ("deleted_by", "reason")}
    return msgspec.structs.replace(tombstone, **texts)


def _insert(store: StoreSession, tombstones: Sequence[Tombstone]) -> None:
    if tombstones:
        seen_at = _seen_at(_clocks(store))
        rows = ((*(getattr(one, name) for name in COLUMNS), seen_at) for one in tombstones)
        store.insert("tombstones", STORED_COLUMNS, rows)


def _expire_tombstones(store: StoreSession) -> None:
    """Remove the tombstones that this store has had for TOMBSTONE_AGE; date those from before version 13.

    The time of a deletion is that of another machine and does not count. If a clock is wrong, a tombstone is
    kept for longer: it counts from the later of the two times to the earlier of them.
    """
    clocks = _clocks(store)
    if (seen_at := _seen_at(clocks)) is not None:
        store.execute("date_tombstones", seen_at=seen_at)
        store.execute("delete_tombstones", before=min(clocks) - TOMBSTONE_AGE)


def _seen_at(clocks: Sequence[datetime]) -> datetime | None:
    """Return the time from which a deletion counts; None if a later `prune` must date it.

    Without a run, there is nothing to check the warehouse's clock with.
    """
    return max(clocks) if len(clocks) > 1 else None


def _clocks(store: StoreSession) -> list[datetime]:
    """Return the time of the warehouse and, if the store has runs, the latest time of a recording."""
    [row] = store.query("store_clock")
    return [time for time in map(in_utc, row) if isinstance(time, datetime)]


def _remove(
    store: StoreSession, runs: Sequence[RunMetadata], tombstones: Sequence[Tombstone] = ()
) -> dict[str, int]:
    # Counted before and after, because not every driver reports deleted rows.
    counts = _counts(store)
    store.execute("delete_runs", ids="\n".join(run.run_id for run in runs))
    # In the same transaction: a recorder could otherwise reuse a part that is about to be deleted.
    store.execute("delete_garbage")
    # A run may have a tombstone: without transactions, a recorder can write it while it is pruned.
    known = {one.run_id for one in find_tombstones(store, [one.run_id for one in tombstones])}
    _insert(store, [one for one in tombstones if one.run_id not in known])
    left = _counts(store)
    # The runs around a removed one are a new pair, which views would compute until the next recording.
    store_changes(store, STEPS_AT_ONCE)
    return {table: count - left[table] for table, count in counts.items()}


def _counts(store: StoreSession) -> dict[str, int]:
    return {str(table): int(str(count)) for table, count in store.query("row_counts")}
