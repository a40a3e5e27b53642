"""Annotations: the order and repetition of events do not matter, and an edit replaces what its author saw."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta.models.marks.annotation import (
    MOST_REPLACED,
    AnnotationEvent,
    EventState,
    annotations_of,
    current_annotations,
    event_problem,
    event_states,
    latest_event_ids,
    next_clock,
    ordered_events,
    replaced_by,
    unreplaced,
    with_id,
)

AT = datetime(2026, 11, 1, tzinfo=timezone.utc)


def event(wall: int, counter: int, writer: str, value: str | None, field: str, node: str) -> AnnotationEvent:
    is_note = field == "note"
    return with_id(  # of a version before 13
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
TEN_YEARS = 10 * 365 * 86_400_000
SKEWS = st.lists(
    st.integers(-100_000, 100_000) | st.sampled_from([-TEN_YEARS, TEN_YEARS]), min_size=2, max_size=4
)
"""Milliseconds by which the clock of each writer is wrong."""


@st.composite
def histories(draw):
    """Events of versions before 13, and of later ones that replace any of them."""
    events = draw(EVENTS)
    for one in draw(EVENTS):
        ids = [other.event_id for other in events if (other.target, other.field) == (one.target, one.field)]
        chosen = draw(st.sets(st.sampled_from(ids)) if ids else st.just(set()))
        events.append(with_id(replace(one, replaces=" ".join(sorted(chosen)))))
    return events


@given(histories(), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(events, random):
    shuffled = [*events, *(random.choices(events, k=4) if events else [])]
    random.shuffle(shuffled)

    assert current_annotations(shuffled) == current_annotations(events)
    assert ordered_events(shuffled) == ordered_events(events)
    assert latest_event_ids(shuffled) == latest_event_ids(events)
    assert unreplaced(shuffled) == unreplaced(events)
    assert event_states(shuffled) == event_states(events)


@given(histories())
def test_a_change_precedes_those_that_it_replaces_and_they_are_replaced(events):
    ordered = [one.event_id for one in ordered_events(events)]
    items = {one.event_id: (one.target, one.field, one.item) for one in events}
    states = event_states(events)

    assert sorted(ordered) == sorted(states)
    for event in events:
        for one in (event.replaces or "").split():
            if items[one] == items[event.event_id]:
                assert ordered.index(event.event_id) < ordered.index(one)
                assert states[one] is EventState.REPLACED
    heads = {one.event_id for one in unreplaced(events)}
    assert heads == {one for one, state in states.items() if state is not EventState.REPLACED}
    assert latest_event_ids(events) <= heads
    shown = {items[one] for one in latest_event_ids(events)}
    assert shown == set(items.values())


@given(EVENTS)
def test_events_of_versions_before_13_are_never_in_conflict(events):
    states = event_states(events)

    assert EventState.CONFLICT not in states.values()
    assert {one for one, state in states.items() if state is not EventState.REPLACED} == latest_event_ids(
        events
    )
    assert not any(one.conflicts for one in annotations_of(events))
    for group in by_item(events).values():
        last = max(group, key=lambda one: one.clock)
        assert last.event_id in latest_event_ids(events)


def by_item(events):
    """Return *events* by target, field and item."""
    found = {}
    for one in events:
        found.setdefault((one.target, one.field, one.item), []).append(one)
    return found


@given(histories(), histories(), histories())
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
    authors = {}
    wall = AT
    for number, (who, source, pause) in enumerate(steps):
        wall += timedelta(milliseconds=pause)
        mine, other = who % len(skews), source % len(skews)
        replicas[mine] = list(ordered_events([*replicas[mine], *replicas[other]]))
        now = wall + timedelta(milliseconds=skews[mine])
        seen = list(replicas[mine])
        edit = replace(
            event(*next_clock(now, seen), f"writer {mine}", f"value {number}", "note", "model.shop.a"),
            replaces=replaced_by(seen),
        )
        replicas[mine].append(with_id(edit))
        assert [one.value for one in unreplaced(replicas[mine])] == [f"value {number}"]
        authors[replicas[mine][-1].event_id] = {one.event_id for one in seen}
    everything = [one for replica in replicas for one in replica]
    # What is shown, as the present value or in conflict with it, is what no author of another edit saw.
    unseen = set(authors) - {one for saw in authors.values() for one in saw}
    assert {one.event_id for one in unreplaced(everything)} == unseen
    for replica in replicas:
        assert unreplaced([*replica, *everything]) == unreplaced(everything)


@given(
    histories(),
    st.sampled_from(["author", "value", "wall_ms", "counter", "writer_id", "unique_id", "item", "replaces"]),
)
def test_a_changed_event_is_not_accepted(events, name):
    for one in events:
        assert event_problem(one) is None
        before = getattr(one, name)
        forged = replace(one, **{name: before + 1 if isinstance(before, int) else f"{before}!"})
        assert event_problem(forged)


def test_invalid_events_are_refused_with_their_own_id_too():
    one = event(int(AT.timestamp() * 1_000), 0, "a", "text", "note", "model.shop.a")
    for change in (
        {"wall_ms": 0},
        {"wall_ms": one.wall_ms + TEN_YEARS},
        {"replaces": ""},
        {"replaces": "a b"},
        {"replaces": " ".join(f"{number:04}" for number in range(MOST_REPLACED))},
    ):
        assert event_problem(with_id(replace(one, **change))) is None, change
    for change in (
        {"wall_ms": 2**60},
        {"wall_ms": -1},
        {"replaces": " "},
        {"replaces": "b a"},
        {"replaces": "a a"},
        {"replaces": "a%"},
        {"replaces": "x" * 65},
        {"replaces": " ".join(f"{number:04}" for number in range(MOST_REPLACED + 1))},
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
        assert event_problem(with_id(replace(one, **change))), change


def test_the_clock_stays_valid_after_the_greatest_counter():
    last = event(int(AT.timestamp() * 1_000), 2**31 - 1, "z", "text", "note", "model.shop.a")
    wall, counter = next_clock(AT, [last])
    newer = event(wall, counter, "a", "newer", "note", "model.shop.a")

    assert current_annotations([newer, last]) == (newer,)
    assert event_problem(newer) is None


def test_every_stored_time_can_be_shown():
    for wall in (-(2**63), -1, 0, 2**63 - 1):
        one = event(wall, 0, "a", "text", "note", "model.shop.a")
        assert (
            datetime(1970, 1, 1, tzinfo=timezone.utc)
            <= one.edited_at
            <= datetime.max.replace(tzinfo=timezone.utc)
        )
