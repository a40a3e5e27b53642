"""Exchange of two replicas: finds what each side lacks, and sends it in batches.

The state of an exchange follows from the replicas alone, so an exchange that was stopped continues when it
is repeated. Each replica is asked for its inventory once; then only the objects that the other side lacks
are read, and only the pieces of them that it lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timezone

from msgspec import Struct

from recce_meta.errors import RecceMetaError
from recce_meta.sync.arriving import NO_PIECES, Arrived
from recce_meta.sync.tables import COLUMNS_REFERENCES, PIECE_REFERENCES, RUN_REFERENCES, values_of
from recce_meta.sync.types import (
    Batch,
    Entry,
    ExchangeStatus,
    Inventory,
    Key,
    ObjectKind,
    ObjectOutcome,
    Piece,
    Replica,
    Row,
    SyncReport,
    WriteResult,
)

PUSH, PULL, SYNC = "push", "pull", "sync"
Report = Callable[[str], None]


class BatchSizes(Struct, frozen=True, kw_only=True):
    """Sizes of batches, which are held in memory."""

    runs: int = 25
    """Number of runs of one batch."""
    objects: int = 500
    """Number of annotations or deletions of one batch."""


BATCH_SIZES = BatchSizes()


class ExchangePlan(Struct, frozen=True):
    """What one side lacks of the other one's objects."""

    deletions: tuple[Key, ...]
    runs: Mapping[str, tuple[Key, ...]]
    """Objects to send by run, in the order of recording."""
    annotations: tuple[Key, ...]
    skipped: Mapping[Key, str]
    """Objects that are not sent, each with the reason."""
    present: int
    """Number of objects that both sides have."""


def exchange(
    local: Replica,
    peer: Replica,
    direction: str,
    *,
    runs: Collection[str] | None = None,
    stale_since: Callable[[], datetime | None] | None = None,
    dry_run: bool = False,
    report: Report | None = None,
    sizes: BatchSizes = BATCH_SIZES,
) -> SyncReport:
    """Send the objects that one side lacks: to *peer* (`push`), from it (`pull`), or both (`sync`).

    *runs* limits the exchange to these runs and what belongs to them, with the annotations of their
    projects. *stale_since* returns the time of the last exchange with *peer* if its deletions since then may
    have been dropped: runs that were recorded before and that one side lacks are skipped. It is only called
    if one side lacks a run. A *dry_run* writes nothing. *report* is called with the progress. *sizes* are
    the sizes of batches.

    A failed object does not stop the others. Raises the error of a replica that cannot be reached before
    anything was sent; after that, the remaining objects count as failed.
    """
    started_at = datetime.now(timezone.utc)
    # The sender first: if it cannot be read, no store of the receiver is created.
    if direction == PUSH:
        mine, theirs = local.inventory(), peer.inventory()
    else:
        theirs, mine = peer.inventory(), local.inventory()
    since = stale_since() if stale_since is not None and _has_new_runs(mine, theirs) else None
    outcomes: list[ObjectOutcome] = []
    present = 0
    for way in (PULL, PUSH) if direction == SYNC else (direction,):
        sides = (local, peer, mine, theirs) if way == PUSH else (peer, local, theirs, mine)
        source, target, source_has, target_has = sides
        plan = plan_of(source_has, target_has, runs, since)
        present = max(present, plan.present)
        sender = _Sender(source, target, way, source_has, report or _silent)
        has_sent = any(one.status is not ExchangeStatus.SKIPPED for one in outcomes)
        outcomes += sender.skip(plan)
        if dry_run:
            outcomes += sender.predict(plan, target_has)
        else:
            outcomes += sender.send(_batches(plan, sizes), raises=not has_sent)
    return SyncReport(
        direction=direction,
        local=local.name,
        peer=peer.name,
        started_at=started_at,
        finished_at=datetime.now(timezone.utc),
        outcomes=tuple(outcomes),
        present=present,
        dry_run=dry_run,
    )


def _has_new_runs(mine: Inventory, theirs: Inventory) -> bool:
    """Return True if one side lacks a run of the other."""
    return any(key.kind is ObjectKind.RUN for key in mine.entries.keys() ^ theirs.entries.keys())


def _silent(_: str) -> None:
    return None


def plan_of(
    source: Inventory, target: Inventory, runs: Collection[str] | None, stale_since: datetime | None
) -> ExchangePlan:
    """Return what *target* lacks of *source*, and what differs."""
    deleted = {key.id for side in (source, target) for key in side.entries if key.kind is ObjectKind.DELETION}
    projects = None if runs is None else _projects(source, runs)
    wanted: dict[str, list[Key]] = {}
    deletions: list[Key] = []
    annotations: list[Key] = []
    skipped: dict[Key, str] = {}
    present = 0
    for key, entry in source.entries.items():
        if projects is not None and not _is_selected(key, entry, runs or (), projects):
            continue
        other = target.entries.get(key)
        if other is not None and (entry.content == other.content):
            present += 1
        elif key.kind is ObjectKind.DELETION:
            deletions.append(key)
        elif key.kind is ObjectKind.ANNOTATION:
            annotations.append(key)
        elif (reason := _reason_to_skip(entry, source, target, deleted, stale_since)) is not None:
            skipped[key] = reason
        else:
            wanted.setdefault(entry.run_id or "", []).append(key)
    return ExchangePlan(
        deletions=tuple(sorted(deletions)),
        runs={run_id: tuple(wanted[run_id]) for run_id in _by_age(wanted, source)},
        annotations=tuple(sorted(annotations)),
        skipped=_reported(skipped, target),
        present=present,
    )


def _projects(source: Inventory, runs: Collection[str]) -> set[str | None]:
    keys = (Key(ObjectKind.RUN, run_id) for run_id in runs)
    return {source.entries[key].project for key in keys if key in source.entries}


def _is_selected(key: Key, entry: Entry, runs: Collection[str], projects: Collection[str | None]) -> bool:
    if key.kind is ObjectKind.ANNOTATION:
        return entry.project in projects
    return key.kind is not ObjectKind.DELETION and entry.run_id in runs


def _reason_to_skip(
    entry: Entry,
    source: Inventory,
    target: Inventory,
    deleted: Collection[str],
    stale_since: datetime | None,
) -> str | None:
    """Return why an object that the target lacks is not sent; None if it is sent."""
    if entry.run_id in deleted:
        return "the run was deleted"
    run = Key(ObjectKind.RUN, entry.run_id or "")
    if run in target.entries:
        return None
    if run not in source.entries:
        return "its run is on neither side"
    recorded_at = source.entries[run].recorded_at
    if stale_since is not None and recorded_at is not None and recorded_at < stale_since:
        return "it was probably deleted there: the last exchange is too long ago to know"
    return None


def _reported(skipped: Mapping[Key, str], target: Inventory) -> dict[Key, str]:
    """Return the skipped objects to report: runs, and what belongs to no run of the source."""
    return {
        key: reason
        for key, reason in skipped.items()
        if key.kind is ObjectKind.RUN and key not in target.entries
    }


def _by_age(run_ids: Iterable[str], source: Inventory) -> list[str]:
    oldest = datetime.min.replace(tzinfo=timezone.utc)

    def age(run_id: str) -> tuple[datetime, str]:
        entry = source.entries.get(Key(ObjectKind.RUN, run_id))
        return (entry.recorded_at if entry and entry.recorded_at else oldest), run_id

    return sorted(run_ids, key=age)


class _Sender:
    """Sender of objects from one side to the other."""

    def __init__(
        self, source: Replica, target: Replica, direction: str, inventory: Inventory, report: Report
    ) -> None:
        self._source, self._target, self._direction = source, target, direction
        self._inventory = inventory
        self._report = report

    def skip(self, plan: ExchangePlan) -> list[ObjectOutcome]:
        """Return the outcomes of objects that are not sent."""
        return [self._outcome(key, ExchangeStatus.SKIPPED, reason) for key, reason in plan.skipped.items()]

    def predict(self, plan: ExchangePlan, target: Inventory) -> list[ObjectOutcome]:
        """Return what sending would do, without knowledge of conflicts within statistics."""
        found = []
        for key in (
            *plan.deletions,
            *(key for keys in plan.runs.values() for key in keys),
            *plan.annotations,
        ):
            differs = key in target.entries and key.kind is not ObjectKind.STATISTICS
            status = ExchangeStatus.CONFLICT if differs else ExchangeStatus.SENT
            found.append(self._outcome(key, status, "the contents differ" if differs else None))
        return found

    def send(self, batches: Iterable[tuple[Key, ...]], *, raises: bool) -> list[ObjectOutcome]:
        """Send the objects of *batches*. Return their outcomes.

        An error before anything was sent is raised if *raises* is set; else all objects that are left fail.
        """
        outcomes: list[ObjectOutcome] = []
        listed = [*batches]
        total = sum(map(len, listed))
        for number, keys in enumerate(listed):
            self._report(f"{self._direction}: {len(outcomes):,} of {total:,} objects")
            try:
                outcomes += self._send(keys)
            except RecceMetaError as error:
                if raises and not outcomes:
                    raise
                rest = (key for some in listed[number:] for key in some)
                return outcomes + [self._outcome(key, ExchangeStatus.FAILED, error.message) for key in rest]
        return outcomes

    def _send(self, keys: tuple[Key, ...]) -> list[ObjectOutcome]:
        batch = self._source.read(keys)
        results = self._write(batch)
        # A prune on the other side may have removed a piece after it was looked up.
        if failed := _failed(results):
            results |= self._write(self._source.read(failed))
            failed = _failed(results)
        # A prune on this side may have deleted an object before or after its rows were read.
        gone = {*failed} - {*self._source.read(failed).keys} if failed else set()
        silent = f"{self._target.name} did not report it"
        for key in {*batch.keys} - results.keys():
            results[key] = WriteResult(key, ExchangeStatus.FAILED, silent)
        return [
            self._outcome(key, ExchangeStatus.SKIPPED, "it was deleted meanwhile")
            if key in gone or key not in results
            else self._result(results[key])
            for key in keys
        ]

    def _write(self, batch: Batch) -> dict[Key, WriteResult]:
        """Write the objects of *batch* with the pieces that they need."""
        whole, lost = self._with_pieces(batch)
        damaged = self._damaged(whole, lost) if lost else {}
        if damaged:
            # Read again: rows of one object must not arrive with another.
            whole, _ = self._with_pieces(self._source.read(key for key in batch.keys if key not in damaged))
        results = {key: WriteResult(key, ExchangeStatus.FAILED, reason) for key, reason in damaged.items()}
        if whole.keys:
            results |= {result.key: result for result in self._target.write(whole, self._source.name)}
        return results

    def _result(self, result: WriteResult) -> ObjectOutcome:
        return self._outcome(result.key, result.status, result.reason, is_new=result.is_new)

    def _damaged(self, batch: Batch, lost: Mapping[Piece, set[str]]) -> dict[Key, str]:
        """Return the objects that need one of the *lost* pieces, which the source lacks itself, and why."""
        arrived = Arrived(batch)
        found: dict[Key, str] = {}
        for key in batch.keys:
            references = {ObjectKind.RUN: RUN_REFERENCES, ObjectKind.COLUMNS: COLUMNS_REFERENCES}
            for piece, ids in arrived.pieces_of(references.get(key.kind, ()), key.id):
                if missing := sorted(lost.get(piece, set()) & {*ids}):
                    place = f"{missing[0]} of {piece.value}"
                    found[key] = f"it refers to {place}, which is missing in {self._source.name}"
        runs = {key.id for key in found if key.kind is ObjectKind.RUN}
        for key in batch.keys:
            if key.kind is not ObjectKind.RUN and self._inventory.entries[key].run_id in runs:
                found[key] = "its run is damaged"
        return found

    def _with_pieces(self, batch: Batch) -> tuple[Batch, dict[Piece, set[str]]]:
        """Return *batch* with the pieces that the target lacks, level by level, and those that both lack."""
        lost: dict[Piece, set[str]] = {}
        tables: dict[str, list[Row]] = {table: list(rows) for table, rows in batch.tables.items()}
        runs = {key.id for key in batch.keys if key.kind is ObjectKind.RUN}
        graphs = {key.id for key in batch.keys if key.kind is ObjectKind.COLUMNS}
        for references, owners in ((RUN_REFERENCES, runs), (COLUMNS_REFERENCES, graphs)):
            for reference in references:
                rows = (row for row in tables.get(reference.table, ()) if row[0] in owners)
                ids = values_of(rows, reference.table, reference.column)
                self._add_pieces(tables, reference.piece, ids, lost)
        return Batch(batch.keys, tables), lost

    def _add_pieces(
        self, tables: dict[str, list[Row]], piece: Piece, ids: set[str], lost: dict[Piece, set[str]]
    ) -> None:
        while ids:
            lacking = self._target.lacking(piece, ids)
            if not lacking:
                return
            found = self._source.read_pieces(piece, sorted(lacking))
            for table, rows in found.items():
                tables.setdefault(table, []).extend(rows)
            if gone := lacking - {row[0] for row in found.get(piece.value, ())} - {NO_PIECES}:
                lost.setdefault(piece, set()).update(gone)
            deeper = PIECE_REFERENCES.get(piece)
            if deeper is None:
                return
            piece, ids = deeper.piece, values_of(found.get(deeper.table, ()), deeper.table, deeper.column)

    def _outcome(
        self, key: Key, status: ExchangeStatus, reason: str | None = None, *, is_new: bool = True
    ) -> ObjectOutcome:
        entry = self._inventory.entries[key]
        run = self._inventory.entries.get(Key(ObjectKind.RUN, entry.run_id or ""))
        return ObjectOutcome(
            kind=key.kind,
            object_id=key.id,
            run_id=entry.run_id,
            project=entry.project or (run.project if run else None),
            status=status,
            direction=self._direction,
            is_new=is_new,
            reason=reason,
        )


def _failed(results: Mapping[Key, WriteResult]) -> list[Key]:
    return [key for key, result in results.items() if result.status is ExchangeStatus.FAILED]


def _batches(plan: ExchangePlan, sizes: BatchSizes) -> Iterator[tuple[Key, ...]]:
    """Yield the objects of *plan* in batches: deletions first, annotations last."""
    yield from _chunks(plan.deletions, sizes.objects)
    run_ids = [*plan.runs]
    for start in range(0, len(run_ids), sizes.runs):
        some = run_ids[start : start + sizes.runs]
        yield tuple(key for run_id in some for key in plan.runs[run_id])
    yield from _chunks(plan.annotations, sizes.objects)


def _chunks(keys: tuple[Key, ...], most: int) -> Iterator[tuple[Key, ...]]:
    for start in range(0, len(keys), most):
        yield keys[start : start + most]
