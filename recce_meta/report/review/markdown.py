"""Marks of reviewers as a section of a Markdown comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from recce_meta.errors import plural
from recce_meta.models.change import RunDiff
from recce_meta.models.marks.review import PairReviews, ReviewMark, ReviewStatus
from recce_meta.report.labels import PASSED, node_label
from recce_meta.report.review.phrases import mark_phrase, review_sentences
from recce_meta.report.terminal import code, prose, shorten

COMMENT_SHOWN = 200
"""Characters of a comment in a report; the store has all of it."""
MARKS_SHOWN = 30
"""Marks in a Markdown comment."""
MARK_SIGNS = {ReviewStatus.APPROVED.value: PASSED, ReviewStatus.SEEN.value: "👀"}
OTHER_SIGN = "⚪"
"""Sign of a mark on another version."""


def reviews_markdown(diff: RunDiff, reviews: PairReviews | None, room: int) -> str:
    """Return the progress and a folded table of marks in *room* characters; empty without marks."""
    if not reviews:
        return ""
    text = "".join(f"\n{sentence}\n" for sentence in review_sentences(diff, reviews))
    names = {change.unique_id: node_label(change) for change in diff.changes}
    rows = [*_rows(reviews.nodes, names), *_rows(reviews.checks, {})]
    room -= len(text) + 200
    shown = []
    for row in islice(rows, MARKS_SHOWN):
        room -= len(row)
        if room < 0:
            break
        shown.append(row)
    if not shown:
        return text
    left_out = len(rows) - len(shown)
    more = f"\n{plural(left_out, 'more mark')} left out for length.\n" if left_out else ""
    table = "| | reviewed | mark | comment |\n|---|---|---|---|\n" + "".join(shown) + more
    summary = f"{plural(len(rows), 'mark')} of reviewers"
    return f"{text}\n<details><summary>{summary}</summary>\n\n{table}\n</details>\n"


def _rows(reviewed: Mapping[str, Sequence[ReviewMark]], names: Mapping[str, str]) -> list[str]:
    return [
        f"| {MARK_SIGNS.get(mark.status, OTHER_SIGN) if mark.is_valid else OTHER_SIGN} "
        f"| {code(names.get(name, name), 80)} | {prose(mark_phrase(mark))} "
        f"| {prose(shorten(' '.join(mark.comment.split()), COMMENT_SHOWN))} |\n"
        for name, marks in reviewed.items()
        for mark in marks
    ]
