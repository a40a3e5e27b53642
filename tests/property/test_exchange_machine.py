"""Three replicas with wrong clocks exchange runs, annotations and deletions, and are equal in the end.

Exchanges stop between two batches or inside a transaction, batches arrive twice, and ids are used again for
other contents. The machine is also run with faults in the engine, each of which it must find.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.errors import StoreError
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.models.marks.annotation import AnnotationEvent, AnnotationTarget
from recce_meta.models.stored import NodeStatistics
from recce_meta.store import prune as pruning
from recce_meta.store.marks import annotations
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations, list_annotations
from recce_meta.store.prune import Retention, find_tombstones, prune
from recce_meta.store.read import list_runs
from recce_meta.store.session import init_store, open_store
from recce_meta.store.statistics import load_statistics, write_statistics
from recce_meta.store.write import record_run
from recce_meta.sync import stores
from recce_meta.sync.encoding import batch_lines
from recce_meta.sync.exchange import BatchSizes, exchange
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.tables import RUN_REFERENCES
from recce_meta.sync.types import Batch, ExchangeStatus, Inventory, Key, ObjectKind, WriteResult
from tests.proofs import IS_WHOLE, sampled

pytestmark = pytest.mark.extensive

AT = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=2)
NAMES = ("a", "b", "c")
RUNS = ("r0", "r1")
NODES = ("model.shop.x", "model.shop.y")
PAIRS = (("a", "b"), ("b", "c"), ("a", "c"))
places = st.sampled_from(NAMES)
TEN_YEARS = 10 * 365 * 86_400
skews = st.sampled_from([-TEN_YEARS, -100, 0, 100, TEN_YEARS])
"""Seconds by which a clock is wrong."""


class Stopped(Exception):
    """The process of an exchange is no more."""


def project(run_id: str, body: int) -> Project:
    """Return a run of two models, the second of which depends on *body*."""
    return Project(
        run=RunMetadata(
            run_id=run_id,
            run_at=AT + timedelta(minutes=RUNS.index(run_id)),
            project_name="shop",
            environment="prod",
        ),
        nodes=tuple(
            NodeMetadata(
                unique_id=unique_id,
                name=unique_id[-1],
                resource_type="model",
                package_name="shop",
                path=f"{unique_id[-1]}.sql",
                raw_code=f"select {body * number}",
                code_hash=f"hash-{body * number}",
                parents=NODES[:number],
            )
            for number, unique_id in enumerate(NODES)
        ),
    )


def pack(batch: Batch) -> bytes:
    """Return the rows of a conflict as bytes."""
    return b"\n".join(line for lines in batch_lines(batch).values() for line in lines)


class Noting(StoreReplica):
    """Store that keeps the batches that it is given, so that they can arrive again."""

    delivered: list[Batch]

    def write(self, batch: Batch, peer: str) -> list[WriteResult]:
        """Write *batch*."""
        self.delivered.append(batch)
        return super().write(batch, peer)


@contextmanager
def stopping_after(statements: int | None) -> Iterator[None]:
    """Let only so many statements of both sides through; None for all."""
    left = statements

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Stopped
            left = None if left is None else left - 1
            return method(*arguments, **keywords)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("query", "execute", "insert_rows"):
            patch.setattr(Session, name, counted(getattr(Session, name)))
        yield


_template: list[Path] = []


def new_folder() -> Path:
    """Return a folder in memory if there is one, because SQLite waits for the disk at each commit."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="recce-meta-", dir=memory if memory.is_dir() else None))


def empty_store() -> Path:
    """Return an empty store in a SQLite file, which the tests copy."""
    if not _template:
        path = new_folder() / "empty.db"
        path.touch()
        with UnifiedSqlAdapter.from_url(f"sqlite:///{path}") as adapter:
            init_store(adapter)
        _template.append(path)
    return _template[0]


class Exchanges(RuleBasedStateMachine):
    """Three stores; the model knows what was deleted, and which values the author of each edit saw."""

    keeps_tombstones = True
    deletes_events = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = new_folder()
        self.replicas: dict[str, Noting] = {}
        for name in NAMES:
            path = self.folder / f"{name}.db"
            shutil.copy(empty_store(), path)
            adapter = UnifiedSqlAdapter.from_url(f"sqlite:///{path}")
            self.replicas[name] = replica = Noting(adapter, name=name, pack=pack)
            replica.delivered = []
        self.seconds = 0
        self.deleted: set[str] = set()
        self.graphs: dict[tuple[str, str], str | None] = {}
        """Graph of each run at each replica, which never changes."""
        self.edits: list[tuple[tuple[str, str, str], AnnotationEvent | None, set[str]]] = []
        """Field, event and the events that its author saw; no event if they were deleted from the table."""

    @initialize(first=skews, second=skews, third=skews)
    def set_clocks(self, first: int, second: int, third: int) -> None:
        self.skews = dict(zip(NAMES, (first, second, third), strict=True))

    def clock(self, place: str) -> datetime:
        """Return the time at *place*; all clocks go on by a second each time."""
        self.seconds += 1
        return AT + timedelta(seconds=self.seconds + self.skews[place])

    @rule(place=places, run_id=st.sampled_from(RUNS), body=st.integers(1, 2))
    def record(self, place: str, run_id: str, body: int) -> None:
        store = self.replicas[place].adapter
        try:
            record_run(store, project(run_id, body), now=self.clock(place))
        except StoreError:
            assert run_id in self.deleted
        self.look(place)

    @rule(place=places, run_id=st.sampled_from(RUNS), node=st.sampled_from(NODES))
    def count_rows(self, place: str, run_id: str, node: str) -> None:
        store = self.replicas[place].adapter
        figures = NodeStatistics(unique_id=node, counted_at=AT, row_count=NODES.index(node) + 5)
        for run in list_runs(store):
            if run.run_id == run_id:
                write_statistics(store, run, [figures])

    @rule(
        place=places,
        source=places,
        field=st.sampled_from(["note", "tag"]),
        text=st.sampled_from([None, "x", "y"]),
    )
    def annotate(self, place: str, source: str, field: str, text: str | None) -> None:
        if source != place:
            exchange(self.replicas[place], self.replicas[source], "pull")
        store, node = self.replicas[place].adapter, NODES[0]
        item, value = ("", text) if field == "note" else ("pii", text and "true")
        target = AnnotationTarget(project_name="shop", unique_id=node)
        there = list_annotations(store, unique_ids=[node], with_history=True)
        saw = {event.event_id for event in there if event.field == field}
        now = self.clock(place)
        if value is None and self.deletes_events:
            store.execute(f"DELETE FROM store_annotation_events WHERE unique_id = '{node}'")
            self.edits.append(((node, field, item), None, saw))
            return
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(annotations, "writer_id", lambda: place)
            changes = [AnnotationChange(target, field, item, value)]
            for event in add_annotations(store, changes, author=place, now=now):
                self.edits.append(((node, field, item), event, saw))

    @rule(place=places, keep_last=st.integers(0, 1))
    def prune(self, place: str, keep_last: int) -> None:
        store = self.replicas[place].adapter
        done = prune(
            store, Retention(keep_last=keep_last), local=not self.keeps_tombstones, now=self.clock(place)
        )
        self.deleted |= {run.run_id for run in done.runs}

    @rule(
        pair=st.permutations(NAMES),
        direction=st.sampled_from(["push", "pull", "sync"]),
        runs=st.integers(1, 2),
        objects=st.integers(1, 3),
        statements=st.none() | st.none() | st.integers(1, 60),
    )
    def exchange(
        self, pair: list[str], direction: str, runs: int, objects: int, statements: int | None
    ) -> None:
        local, peer = (self.replicas[name] for name in pair[:2])
        try:
            with stopping_after(statements):
                exchange(local, peer, direction, sizes=BatchSizes(runs=runs, objects=objects))
        except Stopped:
            pass
        for name in pair[:2]:
            self.look(name)

    @rule()
    def exchange_all(self) -> None:
        for first, second in PAIRS:
            exchange(self.replicas[first], self.replicas[second], "sync")
        for name in NAMES:
            self.look(name)

    @rule(place=places, number=st.integers(0, 20), to=places)
    def deliver_again(self, place: str, number: int, to: str) -> None:
        batches = self.replicas[place].delivered
        if batches:
            # Another store may lack pieces of it: then it is refused.
            StoreReplica.write(self.replicas[to], batches[number % len(batches)], "again")
            self.look(to)

    def look(self, place: str) -> None:
        """Check that no run has changed at *place*."""
        for run in list_runs(self.replicas[place].adapter, status=None):
            stored = self.graphs.setdefault((place, run.run_id), run.graph_id)
            assert stored == run.graph_id, f"run {run.run_id} was overwritten at {place}"

    def teardown(self) -> None:
        try:
            if hasattr(self, "skews"):
                self.check_end()
        finally:
            for replica in self.replicas.values():
                replica.close()
            shutil.rmtree(self.folder)

    def check_end(self) -> None:
        """Exchange everything, and check that the stores are equal and that nothing was lost."""
        for first, second in (*PAIRS, *PAIRS):
            report = exchange(self.replicas[first], self.replicas[second], "sync")
            self.look(first)
            self.look(second)
            assert report.count(ExchangeStatus.FAILED) == 0, report.outcomes
        found = {name: replica.inventory() for name, replica in self.replicas.items()}
        for name in NAMES:
            assert not self.deleted & ids(found[name], ObjectKind.RUN), "a deleted run is there"
            assert self.shared(name, found) == self.shared("a", found)
        for first, second in PAIRS:
            self.check_pair(first, second, found)
        self.check_values()

    def shared(self, name: str, found: dict[str, Inventory]) -> set[Key]:
        """Return the objects of a replica, without what belongs to runs with other contents elsewhere."""
        return {
            key
            for key in found[name].entries
            if key.kind is not ObjectKind.STATISTICS or not self.is_conflict(key, NAMES, any)
        }

    def check_pair(self, first: str, second: str, found: dict[str, Inventory]) -> None:
        """Check that equal ids have equal contents, or that both stores know of the conflict."""
        for key in self.shared(first, found):
            contents = [found[name].entries[key].content for name in (first, second)]
            if contents[0] != contents[1]:
                assert self.is_conflict(key, (first, second), all), key
        for run in list_runs(self.replicas[first].adapter):
            sides = [load_statistics(self.replicas[name].adapter, run) for name in (first, second)]
            conflicts = self.is_conflict(Key(ObjectKind.RUN, run.run_id), (first, second), all)
            assert sides[0] == sides[1] or conflicts
        for name in (first, second):
            with open_store(self.replicas[name].adapter) as store:
                assert {one.run_id for one in find_tombstones(store)} >= (
                    self.deleted if self.keeps_tombstones else set()
                )

    def is_conflict(self, key: Key, names: Iterable[str], of: Callable[[Iterable[bool]], bool]) -> bool:
        """Return True if a run with other contents is kept aside at any or all of *names*."""
        stores = (self.replicas[name].adapter for name in names)
        kept = (store.answer("SELECT object_id FROM store_sync_conflicts") for store in stores)
        return of((key.id,) in map(tuple, rows) for rows in kept)

    def check_values(self) -> None:
        """Check that stores show the same: every change that no later author saw, and no other."""
        sides = [list_annotations(replica.adapter) for replica in self.replicas.values()]
        assert [*sides[0]] == [*sides[1]] == [*sides[2]]
        present = {(event.unique_id, event.field, event.item): event.event_id for event in sides[0]}
        for field, _, saw in self.edits:
            assert present.get(field) not in saw, "an edit was lost although its author saw the value before"
        histories = [
            {event.event_id for event in list_annotations(replica.adapter, with_history=True)}
            for replica in self.replicas.values()
        ]
        by_item: dict[tuple[str, str, str], list[AnnotationEvent]] = {}
        seen = {one for _, _, saw in self.edits for one in saw}
        for field, event, _ in self.edits:
            if event is not None and event.event_id not in seen:
                by_item.setdefault(field, []).append(event)
        unseen = {
            one.event_id
            for events in by_item.values()
            for one in events
            if any(other.value is not None for other in events)
        }
        shown = {event.event_id for event in sides[0]}
        assert self.deletes_events or shown == unseen, "an edit was lost that no author of a later one saw"
        written = {event.event_id for _, event, _ in self.edits if event is not None}
        if not self.deletes_events:
            assert histories == [written] * 3


def ids(inventory: Inventory, kind: ObjectKind) -> set[str]:
    """Return the ids of the objects of one *kind*."""
    return {key.id for key in inventory.entries if key.kind is kind}


SETTINGS = settings(
    deadline=None,
    stateful_step_count=20,
    max_examples=sampled(50, 15),
    database=None,
    suppress_health_check=list(HealthCheck),
)
SEARCH = settings(
    SETTINGS, max_examples=400, stateful_step_count=30, phases=[Phase.generate], derandomize=True
)
"""Settings to find a fault: without shrinking, and the same in each run."""


of_whole = pytest.mark.skipif(not IS_WHOLE, reason="takes a minute: RECCE_META_WHOLE_MATRIX=1 runs it")


def test_replicas_are_equal_in_the_end() -> None:
    run_state_machine_as_test(Exchanges, settings=SETTINGS)


def finds(machine: type[Exchanges], message: str) -> None:
    """Check that *machine* fails with *message*."""
    with pytest.raises(AssertionError, match=message):
        run_state_machine_as_test(machine, settings=SEARCH)


def test_an_order_by_clocks_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "replaced_by", lambda seen: "")
    finds(Exchanges, "an edit was lost")


@of_whole
def test_edits_that_replace_what_their_author_did_not_see_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # As before version 13: the greatest clock wins, and the other value is in no list.
    monkeypatch.setattr(annotations, "replaced_by", lambda seen: None)
    finds(Exchanges, "an edit was lost")


def test_annotations_that_are_deleted_from_the_table_are_found() -> None:
    class Deleting(Exchanges):
        deletes_events = True

    finds(Deleting, "an edit was lost")


def test_a_prune_without_tombstones_is_found() -> None:
    class Forgetful(Exchanges):
        keeps_tombstones = False

    finds(Forgetful, "a deleted run is there")


def test_deletions_that_are_ignored_on_arrival_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "apply_tombstones", lambda store, tombstones: [])
    finds(Exchanges, "a deleted run is there")


def test_deletions_that_do_not_prevent_another_arrival_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_store(store: Any, tombstones: Any) -> list[str]:
        known = {one.run_id for one in find_tombstones(store)}
        pruning._insert(store, [one for one in tombstones if one.run_id not in known])
        return []

    monkeypatch.setattr(stores, "apply_tombstones", only_store)
    finds(Exchanges, "a deleted run is there")


@of_whole
def test_conflicts_that_overwrite_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def overwrite(self: Any, run: Any, key: Key, content: str) -> WriteResult:
        self._add_pieces(run, RUN_REFERENCES)
        session = self._store._session
        values = {"id": key.id, "graph": run.value("graph_id"), "hash": content}
        session.execute("UPDATE store_runs SET graph_id = :graph WHERE run_id = :id", values)
        session.execute("UPDATE store_run_hashes SET content_hash = :hash WHERE run_id = :id", values)
        return WriteResult(key, ExchangeStatus.SENT)

    monkeypatch.setattr("recce_meta.sync.arriving.RunWriter._compare_run", overwrite)
    finds(Exchanges, "was overwritten")
