"""Phrases about marks of reviewers, and the progress of a review."""

from __future__ import annotations

from collections.abc import Iterable

from recce_meta.errors import plural
from recce_meta.models.change import RunDiff
from recce_meta.models.marks.review import PairReviews, ReviewMark, is_approved
from recce_meta.report.labels import TESTS, short_run_id


def mark_phrase(mark: ReviewMark) -> str:
    """Return `approved by Ann`, or `another version (run 1f0a22c4) approved by Ann`."""
    text = f"{mark.status} by {mark.reviewer}"
    return text if mark.is_valid else f"another version (run {short_run_id(mark.run_id)}) {text}"


def marks_phrase(marks: Iterable[ReviewMark]) -> str:
    """Return the phrases of *marks* in one sentence."""
    return "; ".join(map(mark_phrase, marks))


def progress_phrase(diff: RunDiff, reviews: PairReviews) -> str:
    """Return `3 of 8 changed nodes approved`, with the number of approved checks; empty without changes."""
    changed = [change.unique_id for change in diff.changed if change.resource_type not in TESTS]
    approved = sum(is_approved(reviews.nodes.get(unique_id, ())) for unique_id in changed)
    phrases = [f"{approved:,} of {plural(len(changed), 'changed node')} approved"] if changed else []
    checks = sum(map(is_approved, reviews.checks.values()))
    phrases += [f"{plural(checks, 'check')} approved"] if checks else []
    return " · ".join(phrases)


def review_sentences(diff: RunDiff, reviews: PairReviews | None) -> list[str]:
    """Return the progress of a review in one sentence; empty if no node or check has a mark."""
    phrase = progress_phrase(diff, reviews) if reviews else ""
    return [f"Review: {phrase}"] if phrase else []
