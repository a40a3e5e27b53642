"""Marks of reviewers: order and repetition of events do not matter, and only the same version counts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from recce_meta.models.marks.review import Review, ReviewStatus, is_approved, marks_of

AT = datetime(2026, 11, 1, tzinfo=timezone.utc)
EVENTS = st.lists(
    st.builds(
        lambda minute, number, status, reviewer, fingerprint: Review(
            review_id=f"{number}",
            reviewed_at=AT + timedelta(minutes=minute),
            project_name="shop",
            current_run_id="run",
            unique_id="model.shop.orders",
            status=status,
            reviewer=reviewer,
            fingerprint=fingerprint,
            recorder_version="0",
        ),
        st.integers(0, 3),
        st.uuids(),
        st.sampled_from([*map(str, ReviewStatus)]),
        st.sampled_from(["Ann", "Bob", "Zoë", "Ann "]),
        st.sampled_from(["one", "two"]),
    ),
    max_size=12,
)


@given(EVENTS, st.randoms(use_true_random=False), st.sampled_from(["one", "two", "three", None]))
def test_order_and_repetition_do_not_matter(events, random, fingerprint):
    shuffled = [*events, *(random.choices(events, k=3) if events else [])]
    random.shuffle(shuffled)

    assert marks_of(shuffled, fingerprint) == marks_of(events, fingerprint)


@given(EVENTS, st.sampled_from(["one", "two", "three"]))
def test_an_approval_of_this_version_stands_until_its_reviewer_withdraws_it(events, fingerprint):
    marks = marks_of(events, fingerprint)

    for reviewer in {event.reviewer for event in events}:
        own = [event for event in events if event.reviewer == reviewer and event.fingerprint == fingerprint]
        own.sort(key=lambda event: (event.reviewed_at, event.review_id))
        statuses = [str(event.status) for event in own]
        later = statuses[len(statuses) - ["withdrawn", *statuses][::-1].index("withdrawn") :]
        found = [mark for mark in marks if mark.reviewer == reviewer]
        assert {mark.status for mark in found if mark.is_valid} == set(later)
        assert not own or all(mark.is_valid for mark in found)


@given(EVENTS)
def test_a_version_that_no_one_reviewed_is_not_approved(events):
    marks = marks_of(events, "three")

    assert not is_approved(marks)
    assert not any(mark.is_valid for mark in marks)
