"""A store as one side of an exchange: its inventory, rows of its objects and pieces, and writing of both.

An arriving run is written in one transaction with all that belongs to it, its own row last. The runs of a
batch share one, for fewer statements; if one of them fails, each is written in its own. Pieces that runs
share are looked up in the same transaction, so neither a concurrent recorder nor a concurrent prune can leave
one incomplete.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.api.record import compare_codes
from recce_meta.errors import (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    StoreError,
    StoreLocked,
    StoreNotFound,
    StoreOutdated,
    TransientFailure,
    WarehouseError,
)
from recce_meta.models.marks.annotation import AnnotationEvent
from recce_meta.store.change_counter import change_counter
from recce_meta.store.content import digest
from recce_meta.store.graphs import STEPS_AT_ONCE, store_changes
from recce_meta.store.marks.annotations import insert_events
from recce_meta.store.prune import Tombstone, apply_tombstones
from recce_meta.store.read import in_utc
from recce_meta.store.session import SCHEMA_VERSION, StoreSession, open_store, refuse_newer
from recce_meta.sync.arriving import (
    ArrivalRefused,
    Arrived,
    Conflict,
    RunWriter,
    add_hashes,
    encode,
    hashes_of_stored,
    known_pieces,
    stored_rows,
)
from recce_meta.sync.tables import OBJECT_TABLES, PIECE_TABLES, fields_of
from recce_meta.sync.types import (
    Batch,
    Entry,
    ExchangeStatus,
    Inventory,
    Key,
    ObjectKind,
    Piece,
    Row,
    SyncConflict,
    WriteResult,
)

PIECE_COLUMNS = ("conflict_id", "ordinal", "content")
LARGEST_PIECE = 60_000
"""Characters of one piece of a kept object: Redshift's limit of a text is 65,535 bytes."""
RUNS_TO_HASH = 200
"""Number of old runs that get their hashes in one transaction."""
_OF_ALL = (ConnectionFailed, PermissionDenied, StoreLocked, StoreNotFound, TransientFailure)
"""Errors that do not depend on the object that is written."""
Pack = Callable[[Batch], bytes]


class StoreReplica:
    """Store in a schema of a warehouse."""

    def __init__(self, adapter: UnifiedSqlAdapter, *, name: str, pack: Pack, creates: bool = False) -> None:
        """*pack* encodes an object of a conflict. With *creates*, a missing store is created."""
        self.adapter = adapter
        self._name = name
        self._pack = pack
        self._creates = creates

    @property
    def name(self) -> str:
        """Name for reports and the history."""
        return self._name

    def close(self) -> None:
        """Close the connection."""
        self.adapter.close()

    def inventory(self) -> Inventory:
        """Return the objects of the store; compute and store missing hashes of runs."""
        try:
            rows = self._inventory_rows()
        except StoreNotFound:
            if not self._creates:
                raise
            return Inventory({}, SCHEMA_VERSION)
        entries: dict[Key, Entry] = {}
        unhashed: list[str] = []
        for kind, object_id, content, run_id, project, recorded_at in rows:
            if kind == ObjectKind.RUN and content is None:
                unhashed.append(str(object_id))
            time = in_utc(recorded_at)
            if kind == ObjectKind.STATISTICS and time is not None:
                # Sums of different nodes may be equal, but not the times of their measurements.
                content, time = f"{content} {time:%Y-%m-%dT%H:%M:%S.%f}", None
            entries[Key(ObjectKind(kind), str(object_id))] = Entry(content, run_id, project, time)
        for run_id, content in self._hash_runs(unhashed).items():
            key = Key(ObjectKind.RUN, run_id)
            entries[key] = entries[key]._replace(content=content)
        return Inventory(entries, SCHEMA_VERSION)

    def _inventory_rows(self) -> list[tuple[Any, ...]]:
        # One statement instead of three to learn that the store is current.
        try:
            change_counter(self.adapter)
        except (StoreOutdated, MissingRelation):
            self.adapter.store_versions.pop(self.adapter.schema, None)
        with open_store(self.adapter) as store:
            return store.query("exchange_inventory")

    def _hash_runs(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(run_ids), RUNS_TO_HASH):
            found |= self._hash_some(run_ids[start : start + RUNS_TO_HASH])
        return found

    def _hash_some(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        with open_store(self.adapter) as store:
            hashes = hashes_of_stored(store, run_ids)

        def work() -> None:
            with open_store(self.adapter, writes=True) as store:
                add_hashes(store, hashes)

        # A reader computes them again each time; so does a writer of a newer store.
        with suppress(PermissionDenied, StoreError):
            retrying(self.adapter, work)
        return hashes

    def lacking(self, piece: Piece, ids: Iterable[str]) -> set[str]:
        """Return those of *ids* for which the store has no piece."""
        wanted = set(ids)
        if not wanted:
            return set()
        try:
            with open_store(self.adapter) as store:
                return wanted - known_pieces(store, piece, wanted)
        except StoreNotFound:
            if not self._creates:
                raise
            return wanted

    def read(self, keys: Iterable[Key]) -> Batch:
        """Return the rows of the objects *keys*, without the pieces that they refer to."""
        wanted: dict[str, dict[str, None]] = {}
        keys = tuple(keys)
        for key in keys:
            for table in OBJECT_TABLES[key.kind]:
                wanted.setdefault(table, {})[key.id] = None
        with open_store(self.adapter) as store:
            tables = {table: stored_rows(store, table, ids) for table, ids in wanted.items()}
        found = {table: {row[0] for row in rows} for table, rows in tables.items()}
        present = (key for key in keys if key.id in found[OBJECT_TABLES[key.kind][0]])
        return Batch(tuple(present), tables)

    def read_pieces(self, piece: Piece, ids: Iterable[str]) -> Mapping[str, list[Row]]:
        """Return the rows of the pieces *ids* by table, without the pieces that they refer to."""
        wanted = tuple(ids)
        with open_store(self.adapter) as store:
            return {table: stored_rows(store, table, wanted) for table in PIECE_TABLES[piece]}

    def write(self, batch: Batch, peer: str) -> list[WriteResult]:
        """Write the objects of *batch*, each run completely or not, and return what happened to each."""
        refuse_newer(self.adapter)
        arrived = Arrived(batch)
        results = [
            WriteResult(key, ExchangeStatus.FAILED, "its rows are missing") for key in arrived.without_rows
        ]
        results += self._write_deletions(arrived)
        results += self._write_runs(arrived, arrived.by_run(), peer)
        results += self._write_annotations(arrived)
        if any(key.kind is ObjectKind.RUN and status is ExchangeStatus.SENT for key, status, *_ in results):
            self._store_changes()
        return results

    def _write_deletions(self, arrived: Arrived) -> list[WriteResult]:
        keys = arrived.of(ObjectKind.DELETION)
        if not keys:
            return []
        rows = [row for key in keys for row in arrived.rows("tombstones", key.id)]
        tombstones = [Tombstone(**fields_of("tombstones", row)) for row in rows]

        def work() -> None:
            with self._writing() as store:
                apply_tombstones(store, tombstones)

        try:
            failure = _failure(lambda: retrying(self.adapter, work))
        except PermissionDenied:
            # A recorder cannot delete runs; it can still exchange all others.
            reason = f"the role may not delete runs in {self._name}"
            return [WriteResult(key, ExchangeStatus.SKIPPED, reason) for key in keys]
        return [
            WriteResult(key, ExchangeStatus.SENT if failure is None else ExchangeStatus.FAILED, failure)
            for key in keys
        ]

    def _write_runs(
        self, arrived: Arrived, keys: Mapping[str, Sequence[Key]], peer: str
    ) -> list[WriteResult]:
        """Write the objects of all runs in one transaction; if it fails, each run in its own one."""
        if not keys:
            return []
        results: list[WriteResult] = []
        conflicts: list[Conflict] = []

        def work() -> None:
            results.clear()
            conflicts.clear()
            with self._writing() as store:
                writer = RunWriter(store, arrived, keys)
                results.extend(writer.write(run_id, key) for run_id, some in keys.items() for key in some)
                conflicts.extend(writer.conflicts)
                writer.finish()

        failure = _failure(lambda: retrying(self.adapter, work))
        if failure is None:
            return [self._with_conflict(result, conflicts, arrived, peer) for result in results]
        if len(keys) == 1:
            return [
                WriteResult(key, ExchangeStatus.FAILED, failure) for some in keys.values() for key in some
            ]
        each = (self._write_runs(arrived, {run_id: some}, peer) for run_id, some in keys.items())
        return [result for some in each for result in some]

    def _with_conflict(
        self, result: WriteResult, conflicts: Sequence[Conflict], arrived: Arrived, peer: str
    ) -> WriteResult:
        """Keep the object of a conflict aside, and mark conflicts that are known already."""
        for conflict in conflicts:
            if conflict.key == result.key:
                return result._replace(is_new=self._keep(conflict, arrived, peer))
        return result

    def _keep(self, conflict: Conflict, arrived: Arrived, peer: str) -> bool:
        """Store the arriving object of *conflict*; return False if it is stored already."""
        key = conflict.key
        conflict_id = digest(encode((key.kind, key.id, conflict.stored, conflict.arriving)))
        text = b64encode(self._pack(arrived.only(key))).decode()
        row = (
            conflict_id, datetime.now(timezone.utc), key.kind.value, key.id, arrived.run_of(key),
            arrived.project_of(key), peer, conflict.stored, conflict.arriving, __version__,
        )  # fmt: skip
        pieces = [
            (conflict_id, number, text[start : start + LARGEST_PIECE])
            for number, start in enumerate(range(0, len(text), LARGEST_PIECE), 1)
        ]

        def work() -> bool:
            with self._writing() as store:
                if store.query("exchange_conflict", conflict_id=conflict_id):
                    return False
                store.insert("sync_conflict_pieces", PIECE_COLUMNS, pieces)
                store.insert("sync_conflicts", SyncConflict.__struct_fields__, [row])
                return True

        return retrying(self.adapter, work)

    def _write_annotations(self, arrived: Arrived) -> list[WriteResult]:
        keys = arrived.of(ObjectKind.ANNOTATION)
        if not keys:
            return []
        rows = (arrived.rows("annotation_events", key.id) for key in keys)
        events = [AnnotationEvent(**fields_of("annotation_events", row)) for row, *_ in rows]

        def work() -> set[str]:
            with self._writing() as store:
                return {event.event_id for event in insert_events(store, events)}

        new: set[str] = set()
        failure = _failure(lambda: new.update(retrying(self.adapter, work)))
        if failure is not None:
            return [WriteResult(key, ExchangeStatus.FAILED, failure) for key in keys]
        return [
            WriteResult(key, ExchangeStatus.SENT if key.id in new else ExchangeStatus.PRESENT) for key in keys
        ]

    def _store_changes(self) -> None:
        """Store the changes of the new graphs, which the next recorder would store otherwise."""

        def work() -> None:
            with self._writing() as store:
                store_changes(store, STEPS_AT_ONCE)
                store.refresh_statistics(is_large=True)

        # The runs are there without them.
        _failure(lambda: retrying(self.adapter, work))
        compare_codes(self.adapter)

    @contextmanager
    def _writing(self) -> Iterator[StoreSession]:
        with open_store(self.adapter, create=self._creates, writes=True) as store:
            yield store


def _failure(work: Callable[[], object]) -> str | None:
    """Run *work*, and return why it failed; None if it succeeded.

    A failure of one run must not stop the others. Raises a failure that each run would have.
    """
    try:
        work()
    except ArrivalRefused as error:
        return str(error)
    except _OF_ALL:
        raise
    except (StoreError, WarehouseError) as error:
        return error.message
    return None
