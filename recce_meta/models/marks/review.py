"""Marks of reviewers: a node or a check was seen or approved, in the version that the reviewer looked at.

A mark is an event that is only added. It has a fingerprint of what was reviewed on both sides, so that it is
never shown for something that changed afterwards. The reviewer's name is text that the reviewer gave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from recce_meta.models.marks.annotation import AnnotatedObjects
from recce_meta.models.rows import StringEnum, Tabular

LONGEST_COMMENT = 2_000
"""Characters of a comment."""
LONGEST_REVIEWER = 100
"""Characters of the name of a reviewer."""


class ReviewStatus(StringEnum):
    """Mark of a reviewer."""

    SEEN = "seen"
    """The reviewer looked at it."""
    APPROVED = "approved"
    """The reviewer agrees with it."""
    WITHDRAWN = "withdrawn"
    """The reviewer takes back the earlier marks on the same version."""


class Review(Tabular, frozen=True, kw_only=True):
    """Mark of one reviewer on a node or a check, as it is stored."""

    review_id: str
    """Hash of the other fields: storing it again is a no-op."""
    reviewed_at: datetime
    """Time of the mark, in UTC."""
    project_name: str
    """Project of both runs."""
    base_run_id: str | None = None
    """None if the current run was reviewed alone."""
    current_run_id: str
    """The mark is deleted with this run."""
    unique_id: str | None = None
    """Node; None for a check."""
    check_name: str | None = None
    """Check; None for a node."""
    status: str
    """`seen`, `approved` or `withdrawn`."""
    comment: str = ""
    """Sentence of the reviewer; may be empty."""
    reviewer: str
    """Name that the reviewer gave; it is not verified."""
    fingerprint: str
    """Hash of what was reviewed on both sides."""
    recorder_version: str
    """Version of recce_meta that stored the mark."""


class ReviewMark(Struct, frozen=True, kw_only=True):
    """Mark of one reviewer, compared with the present version of the node or check."""

    status: str
    """`seen` or `approved`."""
    reviewer: str
    comment: str = ""
    reviewed_at: datetime
    run_id: str
    """Current run of the review."""
    is_valid: bool
    """True if the reviewer saw this version; False if it was another one."""


class PairReviews(Struct, frozen=True, kw_only=True):
    """Marks on the nodes and checks of two runs."""

    nodes: Mapping[str, tuple[ReviewMark, ...]] = {}
    """Marks by unique id; nodes without marks are missing."""
    checks: Mapping[str, tuple[ReviewMark, ...]] = {}
    """Marks by name of the check; checks without marks are missing."""

    def __bool__(self) -> bool:
        return bool(self.nodes or self.checks)


NO_REVIEWS = PairReviews()


class PairContext(Struct, frozen=True, kw_only=True):
    """What a report of two runs shows with their diff, data and checks; empty for runs on disk."""

    reviews: PairReviews | None = None
    """Marks of reviewers; None if the report has no place for them."""
    annotations: AnnotatedObjects | None = None
    """Notes, tags and owners of the nodes; None if the report shows none."""
    taken_at: datetime | None = None
    """Time of the oldest data diff that is stored; None if all are new."""
    code: Mapping[str, str] = {}
    """Source of added and removed nodes by unique id, for a page in HTML."""


NO_CONTEXT = PairContext()


def marks_of(events: Iterable[Review], fingerprint: str | None) -> tuple[ReviewMark, ...]:
    """Return the marks of *events* on one node or check whose present fingerprint is *fingerprint*.

    The events of each reviewer on this version count, up to a withdrawal: a later note does not end an
    approval. If a reviewer has none, those on the version of the last event are marks that are not valid.
    Neither the order of *events* nor repeated events matter. Valid marks are first, the newest of them first.
    """
    ordered = sorted(events, key=_age)
    versions = {event.reviewer: event.fingerprint for event in ordered}
    versions |= {event.reviewer: fingerprint for event in ordered if event.fingerprint == fingerprint}
    standing: dict[str, dict[tuple[str, str], Review]] = {}
    for event in ordered:
        if event.fingerprint == versions[event.reviewer]:
            own = standing.setdefault(event.reviewer, {})
            if event.status == ReviewStatus.WITHDRAWN:
                own.clear()
            else:
                own[event.status, event.comment] = event
    found = [
        ReviewMark(
            status=event.status,
            reviewer=event.reviewer,
            comment=event.comment,
            reviewed_at=event.reviewed_at,
            run_id=event.current_run_id,
            is_valid=event.fingerprint == fingerprint,
        )
        for own in standing.values()
        for event in own.values()
    ]
    # Stable sorts from the least to the most important key.
    found.sort(key=lambda mark: mark.reviewer)
    found.sort(key=lambda mark: mark.reviewed_at, reverse=True)
    return tuple(sorted(found, key=lambda mark: not mark.is_valid))


def _age(event: Review) -> tuple[datetime, str]:
    # The id decides ties, so that the order of events does not matter.
    return event.reviewed_at, event.review_id


def is_approved(marks: Iterable[ReviewMark]) -> bool:
    """Return True if one of *marks* approves the present version."""
    return any(mark.is_valid and mark.status == ReviewStatus.APPROVED for mark in marks)
