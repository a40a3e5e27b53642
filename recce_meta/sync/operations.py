"""Push, pull and sync of a store: checks, the exchange, and its entry in the history."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qs

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import RecceMetaError, StoreNotFound, UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.rows import ResultList, RowTable, Tabular
from recce_meta.store.prune import login_name
from recce_meta.store.session import refuse_memory
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.sync.bundle import BundleReplica
from recce_meta.sync.client import RemoteReplica, WorkspaceOf
from recce_meta.sync.encoding import pack
from recce_meta.sync.exchange import PULL, PUSH, SYNC, exchange
from recce_meta.sync.history import (
    ReplacedAnnotation,
    list_conflicts,
    list_syncs,
    record_of,
    replaced_annotations,
    save_sync,
    stale_since,
    status_of,
)
from recce_meta.sync.selection import newest_first, runs_of, select_runs
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.types import ExchangeStatus, ObjectOutcome, Replica, SyncConflict, SyncReport
from recce_meta.sync.verify import VerifyingReplica

Progress = Callable[[str], None]
SUFFIX = ".zip"
"""End of the names of bundles."""
WEB = ("https://", "http://")
"""Starts of the addresses of servers."""


class SyncResult(Tabular, frozen=True, kw_only=True):
    """Result of a push, pull or sync."""

    report: SyncReport
    """What happened to each object."""
    replaced: tuple[ReplacedAnnotation, ...] = ()
    """Annotations whose value another one replaced, or that are in conflict with another value."""
    conflicts: tuple[SyncConflict, ...] = ()
    """Conflicts that this exchange found and that the local store keeps."""

    def to_table(self) -> RowTable:
        """Return the outcomes as rows."""
        return ResultList(ObjectOutcome, self.report.outcomes).to_table()

    @property
    def exit_code(self) -> int:
        """0 for success, also without changes; 1 if a part failed or is a new conflict; 3 for failure."""
        if self.report.dry_run:
            return 0
        codes = {"success": 0, "partial": 1, "failed": RecceMetaError.exit_code}
        return codes[status_of(self.report)]


def store_replica(adapter: UnifiedSqlAdapter, *, creates: bool = False) -> StoreReplica:
    """Return the store of *adapter* as one side of an exchange."""
    suffix = "" if adapter.schema == DEFAULT_SCHEMA else f" ({adapter.schema})"
    name = f"{adapter.place.address}{suffix}"
    return StoreReplica(adapter, name=name, pack=pack, creates=creates)


class ExchangeRequest(Struct, frozen=True, kw_only=True):
    """Runs to push, pull or sync, and how."""

    runs: tuple[str, ...] = ()
    """Run selectors; empty for all runs."""
    project: str | None = None
    """Project of the runs."""
    author: str
    """Name in the history."""
    dry_run: bool = False
    """True to write nothing."""


def run_exchange(
    local: StoreReplica,
    peer: Replica,
    direction: str,
    request: ExchangeRequest,
    progress: Progress | None = None,
) -> SyncResult:
    """Exchange objects of *local* with *peer*, and keep the result in the history of *local*.

    *direction* is `push`, `pull` or `sync`. *progress* is called with messages. *peer* is closed. Raises
    UsageError if both are the same store, and the error of a side that cannot be reached.
    """
    started_at = datetime.now(timezone.utc)
    try:
        # A bundle is written when it is closed, and the history must not say so before.
        with closing(peer):
            refuse_same(local, peer)
            report = exchange(
                # A bundle or a server is not trusted: ids are computed again before anything is written.
                local if isinstance(peer, StoreReplica) else VerifyingReplica(local),
                peer,
                direction,
                runs=_selected(local, peer, direction, request) if request.runs else None,
                stale_since=lambda: _stale(local, peer.name, started_at),
                dry_run=request.dry_run,
                report=progress,
            )
    except RecceMetaError as error:
        if not request.dry_run and not isinstance(error, UsageError):
            _save_failure(local, peer, direction, request.author, started_at, error)
        raise
    if request.dry_run:
        return SyncResult(report=report)
    save_sync(local.adapter, record_of(report, author=request.author))
    return SyncResult(
        report=report,
        replaced=replaced_annotations(local.adapter, report),
        conflicts=_new_conflicts(local, report),
    )


def refuse_same(local: StoreReplica, peer: Replica) -> None:
    """Raise UsageError if *local* and *peer* are the same store."""
    if not isinstance(peer, StoreReplica):
        return
    names = [one.adapter.warehouse.folded(one.adapter.schema) for one in (local, peer)]
    if names[0] == names[1] and _has_same_place(local.adapter, peer.adapter):
        raise UsageError(
            f"The remote is the local store: {peer.name}",
            hint="name another store, or another schema with --remote-schema",
        )


def _has_same_place(one: UnifiedSqlAdapter, other: UnifiedSqlAdapter) -> bool:
    files = one.place.file_path(), other.place.file_path()
    if files[0] is not None and files[1] is not None:
        # Another spelling or a link may name the same file.
        with suppress(OSError):  # a missing file
            return files[0].samefile(files[1])
        return files[0].resolve() == files[1].resolve()
    return one.place.address == other.place.address


def _selected(local: StoreReplica, peer: Replica, direction: str, request: ExchangeRequest) -> frozenset[str]:
    """Return the runs that *request* name on the sending side, or on either side of a sync."""
    sides = {PUSH: (local,), PULL: (peer,), SYNC: (local, peer)}[direction]
    runs: list[RunMetadata] = []
    for side in sides:
        try:
            runs += runs_of(side)
        except StoreNotFound:  # a sync creates a missing store
            if direction != SYNC:
                raise
    return select_runs(newest_first(runs), request.runs, project=request.project)


def _stale(local: StoreReplica, peer: str, now: datetime) -> datetime | None:
    try:
        records = list_syncs(local.adapter, peer=peer, most=1)
    except RecceMetaError:  # no store yet
        return None
    return stale_since(records, peer, now)


def _save_failure(
    local: StoreReplica,
    peer: Replica,
    direction: str,
    author: str,
    started_at: datetime,
    error: RecceMetaError,
) -> None:
    file = local.adapter.place.file_path()
    if file is not None and not file.exists():  # a connection would create it
        return
    report = SyncReport(
        direction=direction,
        local=local.name,
        peer=peer.name,
        started_at=started_at,
        finished_at=datetime.now(timezone.utc),
    )
    try:
        save_sync(local.adapter, record_of(report, author=author, error=error.message))
    except RecceMetaError:  # the local store may be the side that cannot be reached
        return


def _new_conflicts(local: StoreReplica, report: SyncReport) -> tuple[SyncConflict, ...]:
    """Return the conflicts of objects that arrived in *local* with this exchange."""
    new = {
        (one.kind.value, one.object_id)
        for one in report.outcomes
        if one.status is ExchangeStatus.CONFLICT and one.is_new and one.direction == PULL
    }
    if not new:
        return ()
    found = list_conflicts(local.adapter)
    return tuple(
        one for one in found if (one.kind, one.object_id) in new and one.detected_at >= report.started_at
    )


def push_runs(
    adapter: UnifiedSqlAdapter,
    to: UnifiedSqlAdapter | Replica | str | Path,
    runs: str | Sequence[str] = (),
    *,
    project: str | None = None,
    author: str | None = None,
    dry_run: bool = False,
) -> SyncResult:
    """Send runs, annotations and deletions that *to* lacks from the store of *adapter*.

    *to* is the adapter of another store, which is created if needed; the path of a bundle; or the address of
    a server, whose token is in RECCE_META_TOKEN. *runs* are run selectors (default: all runs), where
    `branch:NAME`, an environment and `project:NAME` mean all their runs; *project* limits them to one
    project. Objects with the same id and other contents are kept aside as conflicts. *author* is the name in
    the history. A *dry_run* writes nothing.
    """
    local = store_replica(adapter)
    return _exchanged(local, PUSH, to, runs, project, author, dry_run)


def pull_runs(
    adapter: UnifiedSqlAdapter,
    source: UnifiedSqlAdapter | Replica | str | Path,
    runs: str | Sequence[str] = (),
    *,
    project: str | None = None,
    author: str | None = None,
    dry_run: bool = False,
) -> SyncResult:
    """Receive runs, annotations and deletions of *source* that the store of *adapter* lacks.

    *source* is the adapter of another store, the path of a bundle, or the address of a server. The store of
    *adapter* is created if needed. *runs*, *project*, *author* and *dry_run* are as for `push_runs`.
    """
    local = store_replica(adapter, creates=True)
    return _exchanged(local, PULL, source, runs, project, author, dry_run)


def sync_runs(
    adapter: UnifiedSqlAdapter,
    other: UnifiedSqlAdapter | Replica | str | Path,
    runs: str | Sequence[str] = (),
    *,
    project: str | None = None,
    author: str | None = None,
    dry_run: bool = False,
) -> SyncResult:
    """Do what `pull_runs` and `push_runs` do, in one exchange.

    *other* is the adapter of another store, the path of a bundle, or the address of a server. The stores of
    *adapter* and *other* are created if needed. *runs*, *project*, *author* and *dry_run* are as for
    `push_runs`.
    """
    local = store_replica(adapter, creates=True)
    return _exchanged(local, SYNC, other, runs, project, author, dry_run)


def _exchanged(
    local: StoreReplica,
    direction: str,
    place: UnifiedSqlAdapter | Replica | str | Path,
    runs: str | Sequence[str],
    project: str | None,
    author: str | None,
    dry_run: bool,
) -> SyncResult:
    refuse_memory(local.adapter)
    request = ExchangeRequest(
        runs=(runs,) if isinstance(runs, str) else tuple(runs),
        project=project,
        author=author or login_name(),
        dry_run=dry_run,
    )
    return run_exchange(local, _replica_of(place, creates=direction != PULL), direction, request)


def _replica_of(place: UnifiedSqlAdapter | Replica | str | Path, *, creates: bool) -> Replica:
    if isinstance(place, UnifiedSqlAdapter):
        refuse_memory(place)
        return store_replica(place, creates=creates)
    if not isinstance(place, (str, Path)):
        return place
    found = outside_replica(str(place), creates=creates)
    if found is None:
        raise UsageError(
            f"'{place}' is neither a bundle nor the address of a server",
            hint="give the path of a .zip file, an https:// address, or an adapter",
        )
    return found


def outside_replica(
    place: str,
    *,
    creates: bool,
    workspace: WorkspaceOf | None = None,
    cache: Path | None = None,
    say: Progress | None = None,
) -> Replica | None:
    """Return the bundle or the server that *place* names; None if it is neither.

    With *creates*, a missing bundle is an empty one. *workspace* is the project for which a server notes the
    exchange, and *cache* a folder for its last inventory. *say* is called with what delays a request. Raises
    UsageError for an invalid address, and ConfigurationError for an invalid token.
    """
    if place.lower().startswith(WEB):
        address, store = _address(place)
        return RemoteReplica(
            address, os.environ, store=store, workspace=workspace, cache=cache, say=say or (lambda _: None)
        )
    if place.lower().endswith(SUFFIX) and "://" not in place:
        # Absolute, because the history names it for commands in any folder.
        return BundleReplica(Path(place).expanduser().absolute(), creates=creates)
    return None


def _address(place: str) -> tuple[str, str | None]:
    """Return the address of a server, and the store that its query names."""
    address, _, query = place.partition("?")
    fields = parse_qs(query, keep_blank_values=True)
    if fields.keys() - {"store"} or len(fields.get("store", ())) > 1 or fields.get("store") == [""]:
        raise UsageError(
            "Invalid address of the remote: only ?store=NAME can follow it",
            hint="for example https://recce.example.com?store=team",
        )
    return address, fields["store"][0] if fields else None
