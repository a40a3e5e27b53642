"""Annotations: the order and repetition of events do not matter, and an edit replaces what its author saw."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta.models.marks.annotation import (
    MAX_AHEAD,
    AnnotationEvent,
    current_annotations,
    event_problem,
    latest_event_ids,
    next_clock,
    ordered_events,
    with_id,
)

AT = datetime(2026, 11, 1, tzinfo=timezone.utc)


def event(wall: int, counter: int, writer: str, value: str | None, field: str, node: str) -> AnnotationEvent:
    is_note = field == "note"
    return with_id(
        AnnotationEvent(
            event_id="",
            project_name="shop",
            unique_id=node,
            field=field,
            item="" if is_note else (value or "x"),
            value=value if is_note else (value and "true"),
            author="Ann",
            wall_ms=wall,
            counter=counter,
            writer_id=writer,
            recorder_version="0",
        )
    )


EVENTS = st.lists(
    st.builds(
        event,
        st.integers(0, 3),
        st.integers(0, 2),
        st.sampled_from("ab"),
        st.sampled_from([None, "x", "y"]),
        st.sampled_from(["note", "tag"]),
        st.sampled_from(["model.shop.a", "model.shop.b"]),
    ),
    max_size=14,
)
SKEWS = st.lists(st.integers(-100_000, 100_000), min_size=2, max_size=4)
"""Milliseconds by which the clock of each writer is wrong."""


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(events, random):
    shuffled = [*events, *(random.choices(events, k=4) if events else [])]
    random.shuffle(shuffled)

    assert current_annotations(shuffled) == current_annotations(events)
    assert ordered_events(shuffled) == ordered_events(events)
    assert latest_event_ids(shuffled) == latest_event_ids(events)


@given(EVENTS, EVENTS, EVENTS)
def test_merged_histories_have_one_value_of_each_field_and_item(first, second, third):
    merged = current_annotations([*first, *second, *third])

    assert merged == current_annotations([*third, *first, *second, *first])
    keys = [(one.target, one.field, one.item) for one in merged]
    assert len(keys) == len(set(keys))
    assert {one.event_id for one in merged} <= latest_event_ids([*first, *second, *third])


@given(SKEWS, st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 50)), max_size=30))
def test_an_edit_wins_over_the_value_that_its_author_saw(skews, steps):
    """Writers edit their own replica, or first pull all events of another."""
    replicas = [[] for _ in skews]
    wall = AT
    for number, (who, source, pause) in enumerate(steps):
        wall += timedelta(milliseconds=pause)
        mine, other = who % len(skews), source % len(skews)
        replicas[mine] = list(ordered_events([*replicas[mine], *replicas[other]]))
        now = wall + timedelta(milliseconds=skews[mine])
        clock = next_clock(now, replicas[mine])
        edit = replace(
            event(*clock, f"writer {mine}", f"value {number}", "note", "model.shop.a"), event_id=""
        )
        seen = list(replicas[mine])
        replicas[mine].append(with_id(edit))
        (present,) = current_annotations(replicas[mine])
        assert present.value == f"value {number}"
        assert all(present.clock > one.clock for one in seen)
    everything = [one for replica in replicas for one in replica]
    for replica in replicas:
        merged = current_annotations([*replica, *everything])
        assert merged == current_annotations(everything)


@given(EVENTS, st.sampled_from(["author", "value", "wall_ms", "counter", "writer_id", "unique_id", "item"]))
def test_a_changed_event_is_not_accepted(events, name):
    now = datetime.fromtimestamp(1, timezone.utc)
    for one in events:
        assert event_problem(one, now) is None
        before = getattr(one, name)
        forged = replace(one, **{name: before + 1 if isinstance(before, int) else f"{before}!"})
        assert event_problem(forged, now)


def test_invalid_events_are_refused_with_their_own_id_too():
    one = event(int(AT.timestamp() * 1_000), 0, "a", "text", "note", "model.shop.a")
    limit = int((AT + MAX_AHEAD).timestamp() * 1_000)
    assert event_problem(with_id(replace(one, wall_ms=limit)), AT) is None
    for change in (
        {"wall_ms": limit + 1},
        {"wall_ms": -1},
        {"counter": -1},
        {"counter": 2**31},
        {"field": "colour"},
        {"item": "x"},
        {"field": "tag", "item": "x", "value": "maybe"},
        {"field": "tag", "item": "", "value": "true"},
        {"value": "x" * 4_001},
        {"author": "x" * 201},
        {"unique_id": ""},
        {"parent_column": "id"},
        {"writer_id": "x" * 65},
    ):
        assert event_problem(with_id(replace(one, **change)), AT), change


def test_the_clock_stays_valid_after_the_greatest_counter():
    last = event(int(AT.timestamp() * 1_000), 2**31 - 1, "z", "text", "note", "model.shop.a")
    wall, counter = next_clock(AT, [last])
    newer = event(wall, counter, "a", "newer", "note", "model.shop.a")

    assert current_annotations([newer, last]) == (newer,)
    assert event_problem(newer, AT) is None


def test_every_stored_time_can_be_shown():
    for wall in (-(2**63), -1, 0, 2**63 - 1):
        one = event(wall, 0, "a", "text", "note", "model.shop.a")
        assert (
            datetime(1970, 1, 1, tzinfo=timezone.utc)
            <= one.edited_at
            <= datetime.max.replace(tzinfo=timezone.utc)
        )
