"""History of the exchanges of a store, and the conflicts that they keep."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta, timezone

import pytest

from recce_meta.errors import SelectorError
from recce_meta.models.marks.annotation import PRESENT, AnnotationTarget
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.prune import TOMBSTONE_AGE
from recce_meta.store.session import init_store, open_store
from recce_meta.sync.history import (
    list_conflicts,
    list_syncs,
    load_conflict,
    record_of,
    replaced_annotations,
    save_sync,
    stale_since,
)
from recce_meta.sync.types import ExchangeStatus, ObjectKind, ObjectOutcome, SyncConflict, SyncReport

pytestmark = pytest.mark.core("sqlite")

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
TARGET = AnnotationTarget(project_name="shop", unique_id="model.shop.orders")


def report(*outcomes: ObjectOutcome, peer: str = "team", at: datetime = NOW) -> SyncReport:
    return SyncReport(
        direction="sync", local="mine", peer=peer, started_at=at, finished_at=at, outcomes=outcomes
    )


def outcome(status: ExchangeStatus, direction: str = "push", **fields: object) -> ObjectOutcome:
    values = {"kind": ObjectKind.RUN, "object_id": "r1", "run_id": "r1", "project": "shop", **fields}
    return ObjectOutcome(status=status, direction=direction, **values)


@pytest.fixture
def place(store, prepared):
    """A store without runs."""
    if prepared is None:
        init_store(store.adapter.at(store.schema))
    return store.adapter, store.schema


def test_an_exchange_is_kept_with_its_counts(place):
    adapter, schema = place
    done = report(
        outcome(ExchangeStatus.SENT),
        outcome(ExchangeStatus.SENT, "pull"),
        outcome(ExchangeStatus.SENT, "pull", object_id="r2"),
        outcome(ExchangeStatus.CONFLICT, object_id="r3"),
        outcome(ExchangeStatus.CONFLICT, object_id="r4", is_new=False),
        outcome(ExchangeStatus.SKIPPED, object_id="r5"),
        outcome(ExchangeStatus.FAILED, object_id="r6"),
        peer="postgresql://me:hunter2@host/db",
    )
    record = record_of(done, author="ada")

    assert save_sync(adapter.at(schema), record)

    (found,) = list_syncs(adapter.at(schema))
    assert found == record
    assert (found.sent, found.received, found.conflicts, found.skipped, found.failed) == (1, 2, 1, 1, 1)
    assert found.status == "partial" and "hunter2" not in found.peer


def test_the_last_exchanges_of_each_peer(place):
    adapter, schema = place
    for days, peer in ((3, "team"), (2, "team"), (1, "other")):
        save_sync(adapter.at(schema), record_of(report(peer=peer, at=NOW - timedelta(days=days)), author="a"))

    assert [one.peer for one in list_syncs(adapter.at(schema))] == ["other", "team", "team"]
    assert [one.finished_at for one in list_syncs(adapter.at(schema), peer="team", most=1)] == [
        NOW - timedelta(days=2)
    ]


def test_an_exchange_without_a_store_is_not_kept(adapter, schema_name):
    assert not save_sync(adapter.at(schema_name), record_of(report(), author="ada"))


def test_a_peer_is_stale_if_its_deletions_may_be_forgotten():
    old = record_of(report(at=NOW - TOMBSTONE_AGE - timedelta(days=1)), author="a")
    recent = record_of(report(at=NOW - TOMBSTONE_AGE + timedelta(days=1)), author="a")
    failed = record_of(report(at=NOW), author="a", error="unreachable")

    assert stale_since([], "team", NOW) is None
    assert stale_since([old, failed], "team", NOW) == old.finished_at
    assert stale_since([old, failed], "other", NOW) is None
    assert stale_since([old, recent], "team", NOW) is None


@pytest.mark.core("duckdb", "sqlite")
def test_a_conflict_is_found_by_the_beginning_of_its_id(place):
    adapter, schema = place
    content = bytes(range(256)) * 4
    text = b64encode(content).decode()
    conflicts = [
        SyncConflict(
            conflict_id=name, detected_at=NOW, kind="run", object_id="r1", run_id="r1", project_name="shop",
            peer="team", stored_hash="a", arriving_hash="b", recorder_version="1",
        )
        for name in ("abc1", "abd2")
    ]  # fmt: skip
    with open_store(adapter.at(schema), writes=True) as store:
        names = SyncConflict.__struct_fields__
        store.insert("sync_conflicts", names, [[getattr(one, name) for name in names] for one in conflicts])
        pieces = [("abc1", 2, text[100:]), ("abc1", 1, text[:100])]
        store.insert("sync_conflict_pieces", ("conflict_id", "ordinal", "content"), pieces)

    assert list(list_conflicts(adapter.at(schema))) == conflicts
    assert load_conflict(adapter.at(schema), "abc") == (conflicts[0], content)
    with pytest.raises(SelectorError, match="ambiguous"):
        load_conflict(adapter.at(schema), "ab")
    with pytest.raises(SelectorError, match="Conflict 'x' not found"):
        load_conflict(adapter.at(schema), "x")


def test_a_newer_value_of_an_annotation_replaces_another(place):
    adapter, schema = place

    def note(text: str, minute: int) -> str:
        (event,) = add_annotations(
            adapter.at(schema),
            [AnnotationChange(TARGET, "note", "", text)],
            author="ada",
            now=NOW + timedelta(minutes=minute),
        )
        return event.event_id

    note("old", 0)
    arrived = note("new", 1)
    (tag,) = add_annotations(
        adapter.at(schema), [AnnotationChange(TARGET, "tag", "pii", PRESENT)], author="ada"
    )
    outcomes = [
        outcome(ExchangeStatus.SENT, "pull", kind=ObjectKind.ANNOTATION, object_id=one, run_id=None)
        for one in (arrived, tag.event_id)
    ]

    (found,) = replaced_annotations(adapter.at(schema), report(*outcomes))

    assert (found.winner.value, found.loser.value, found.field) == ("new", "old", "note")
    assert replaced_annotations(adapter.at(schema), report()) == ()
