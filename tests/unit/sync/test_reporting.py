"""Texts of exchanges."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec import structs

from recce_meta.models.marks.annotation import AnnotationEvent, with_id
from recce_meta.sync.history import replaced_values
from recce_meta.sync.operations import SyncResult
from recce_meta.sync.reporting import status_json, status_text, sync_json, sync_text
from recce_meta.sync.types import (
    ExchangeStatus,
    ObjectKind,
    ObjectOutcome,
    SyncConflict,
    SyncRecord,
    SyncReport,
)

NOW = datetime(2026, 12, 1, 8, tzinfo=timezone.utc)
SCREEN: dict[str, Any] = {"width": 80, "color": False}


def outcome(
    kind: ObjectKind, status: ExchangeStatus, direction: str = "push", **fields: Any
) -> ObjectOutcome:
    values = {"object_id": "r1", "run_id": "r1", "project": "shop", **fields}
    return ObjectOutcome(kind=kind, status=status, direction=direction, **values)


def report(*outcomes: ObjectOutcome, direction: str = "sync", **fields: Any) -> SyncReport:
    return SyncReport(
        direction=direction,
        local="mine",
        peer="team",
        started_at=NOW,
        finished_at=NOW,
        outcomes=outcomes,
        **fields,
    )


def event(text: str | None, author: str, minute: int) -> AnnotationEvent:
    return with_id(
        AnnotationEvent(
            event_id="",
            project_name="shop",
            unique_id="model.shop.orders",
            column_name="id",
            field="note",
            value=text,
            author=author,
            wall_ms=int((NOW + timedelta(minutes=minute)).timestamp() * 1_000),
            counter=0,
            writer_id="w",
            recorder_version="1",
        )
    )


def test_an_exchange_is_summarised_before_what_needs_attention() -> None:
    old, new = event("old", "Ada", 0), event("new\nlines", "Grace", 1)
    conflict = SyncConflict(
        conflict_id="0123456789abcdef",
        detected_at=NOW,
        kind="run",
        object_id="r3",
        peer="team",
        stored_hash="a",
        arriving_hash="b",
        recorder_version="1",
    )
    result = SyncResult(
        report=report(
            outcome(ObjectKind.RUN, ExchangeStatus.SENT, "pull"),
            outcome(ObjectKind.RUN, ExchangeStatus.SENT, "pull", object_id="r2", run_id="r2"),
            outcome(ObjectKind.STATISTICS, ExchangeStatus.SENT, "pull"),
            outcome(ObjectKind.DELETION, ExchangeStatus.SENT, object_id="r9", run_id="r9"),
            outcome(
                ObjectKind.RUN,
                ExchangeStatus.CONFLICT,
                "pull",
                object_id="r3",
                run_id="r3",
                reason="it differs",
            ),
            outcome(
                ObjectKind.RUN,
                ExchangeStatus.CONFLICT,
                "push",
                object_id="r3",
                run_id="r3",
                reason="it differs",
            ),
            outcome(ObjectKind.REVIEW, ExchangeStatus.CONFLICT, object_id="v1", is_new=False),
            outcome(
                ObjectKind.RUN,
                ExchangeStatus.SKIPPED,
                object_id="r4",
                run_id="r4",
                reason="the run was deleted",
            ),
            outcome(
                ObjectKind.RUN,
                ExchangeStatus.SKIPPED,
                object_id="r9",
                run_id="r9",
                reason="the run was deleted",
            ),
            outcome(
                ObjectKind.DATA_DIFF, ExchangeStatus.FAILED, object_id="d1", reason="denied\nby the server"
            ),
        ),
        replaced=replaced_values([old, new], {new.event_id}),
        conflicts=(conflict,),
    )

    assert sync_text(result, **SCREEN).splitlines() == [
        "Received from team: 2 runs, 1 set of statistics",
        "Sent to team: 1 deletion",
        "  run r9 of shop deleted in team",
        "  note of model.shop.orders.id: 'new lines' by Grace (2026-12-01 08:01 UTC) replaced "
        "'old' by Ada (2026-12-01 08:00 UTC)",
        "conflict: receiving run r3 of shop: it differs; kept as conflict 0123456789ab",
        "conflict: sending run r3 of shop: it differs; kept there",
        "conflict: sending review v1 of run r1 of shop, known from an earlier exchange; kept there",
        "The stored objects are unchanged; see recce-meta sync --status",
        "skipped 1 run: the run was deleted",
        "failed: sending data diff d1 of run r1 of shop: denied by the server",
    ]
    assert result.exit_code == 1
    document = json.loads(sync_json(result))
    assert document["status"] == "partial" and len(document["outcomes"]) == 10
    assert document["replaced"][0]["winner"]["author"] == "Grace"


@pytest.mark.parametrize(
    ("direction", "present", "text"),
    [
        ("push", 0, "Nothing to push to team\n"),
        ("pull", 1, "Nothing to pull from team; both have the same 1 object\n"),
        ("sync", 1_000, "Nothing to exchange with team; both have the same 1,000 objects\n"),
    ],
)
def test_nothing_to_do_says_so(direction: str, present: int, text: str) -> None:
    result = SyncResult(report=report(direction=direction, present=present))

    assert (sync_text(result, **SCREEN), result.exit_code) == (text, 0)


def test_a_dry_run_says_what_would_happen_and_succeeds() -> None:
    outcomes = (
        outcome(ObjectKind.RUN, ExchangeStatus.SENT),
        outcome(ObjectKind.DELETION, ExchangeStatus.SENT),
        outcome(ObjectKind.RUN, ExchangeStatus.CONFLICT, object_id="r2"),
    )
    result = SyncResult(report=report(*outcomes, direction="push", dry_run=True))

    assert sync_text(result, **SCREEN).startswith(
        "Would send to team: 1 deletion, 1 run\n  run r1 of shop would be deleted in team\n"
    )
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 0),
        ([ExchangeStatus.SENT], 0),
        ([ExchangeStatus.SKIPPED], 0),
        ([ExchangeStatus.CONFLICT], 1),
        ([ExchangeStatus.CONFLICT, ExchangeStatus.FAILED], 1),
        ([ExchangeStatus.SENT, ExchangeStatus.FAILED], 1),
        ([ExchangeStatus.FAILED], 3),
    ],
)
def test_exit_codes(statuses: list[ExchangeStatus], code: int) -> None:
    outcomes = [outcome(ObjectKind.RUN, status) for status in statuses]

    assert SyncResult(report=report(*outcomes)).exit_code == code


def test_a_newer_value_wins_wherever_it_comes_from() -> None:
    old, new = event("old", "Ada", 0), event("new", "Grace", 1)

    for arrived in (old, new):
        (found,) = replaced_values([new, old], {arrived.event_id})
        assert (found.winner, found.loser) == (new, old)
    assert replaced_values([old], {old.event_id}) == ()
    assert replaced_values([old, event("old", "Grace", 1)], {old.event_id}) == (), "the same value"


def of(
    text: str | None, author: str, minute: int, *replaced: AnnotationEvent, **fields: str
) -> AnnotationEvent:
    """Return an event whose author saw the events *replaced*."""
    ids = " ".join(sorted(one.event_id for one in replaced))
    return with_id(structs.replace(event(text, author, minute), replaces=ids, **fields))


def told(events: list[AnnotationEvent], *new: AnnotationEvent) -> set[tuple[str | None, str | None, bool]]:
    """Return winner, loser and whether they are in conflict, for each line of an exchange."""
    found = replaced_values(events, {one.event_id for one in new})
    return {(one.winner.value, one.loser.value, one.is_conflict) for one in found}


def test_every_new_conflict_and_every_replaced_value_is_told() -> None:
    first = of("first", "Ann", 0)
    low, high = of("low", "Bob", 1, first), of("high", "Cy", 2, first)
    both = [first, low, high]
    assert told(both, low) == {("high", "low", True)}
    assert told(both, high) == {("high", "low", True)}
    assert told(both, low, high) == {("high", "low", True), ("high", "first", False)}
    assert told(both, *both) == {("high", "low", True)}

    after = of("after", "Di", 3, high)
    assert told([*both, after], after) == {("after", "low", True), ("after", "high", False)}
    end = of("end", "Ed", 0, low, after)
    assert told([*both, after, end], end) == {("end", "low", False), ("end", "after", False)}
    assert told([*both, after, end], low) == {("end", "low", False)}

    same = of("same", "Ann", 0)
    again, other, third = of("same", "Bob", 3), of("other", "Cy", 2), of("third", "Di", 1)
    assert told([same, again, other], again, other) == {("same", "other", True)}
    assert told([same, again, other, third], third) == {("same", "other", True), ("same", "third", True)}


def test_tags_are_told_as_added_and_removed() -> None:
    tag = {"field": "tag", "item": "pii"}
    added, removed = of("true", "Ann", 0, **tag), of(None, "Bob", 1, **tag)
    replaced = replaced_values([added, removed], {removed.event_id})
    text = sync_text(SyncResult(report=report(), replaced=replaced), **SCREEN)
    assert "conflict: tag pii of model.shop.orders.id: removed by Bob (2026-12-01 08:01 UTC) is shown" in text
    assert "added by Ann (2026-12-01 08:00 UTC) is in the history; the next edit ends the conflict" in text


def record(peer: str, status: str, minute: int, **fields: Any) -> SyncRecord:
    at = NOW + timedelta(minutes=minute)
    values = {"sent": 0, "received": 0, "conflicts": 0, "skipped": 0, "failed": 0, **fields}
    return SyncRecord(
        sync_id=f"{peer}{minute}",
        started_at=at,
        finished_at=at,
        direction="sync",
        peer=peer,
        author="ada",
        status=status,
        recorder_version="1",
        **values,
    )


def test_the_status_shows_the_last_exchange_of_each_remote() -> None:
    syncs = [
        record("team", "failed", 5, error="refused"),
        record("other", "success", 4, sent=1_000),
        record("team", "success", 1, received=2, skipped=1),
    ]

    assert status_text(syncs, (), "team", **SCREEN).splitlines() == [
        "Default remote: team",
        "team: sync 2026-12-01 08:05 UTC, failed, 0 sent, 0 received",
        "  refused",
        "  last success: 2026-12-01 08:01 UTC",
        "other: sync 2026-12-01 08:04 UTC, success, 1,000 sent, 0 received",
    ]
    assert status_text((), (), None, **SCREEN).startswith("No exchange with another store yet")
    assert len(json.loads(status_json(syncs, (), None))["syncs"]) == 3
