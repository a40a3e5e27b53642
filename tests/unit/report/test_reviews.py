"""Marks of reviewers in every report: shown with their version, escaped, and absent without reviews."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from recce_meta.models import RunDiff
from recce_meta.models.marks.review import NO_REVIEWS, PairContext, PairReviews, ReviewMark
from recce_meta.report import diff_markdown, diff_text, html_report, pull_request_markdown, whole_text
from recce_meta.report.review.phrases import mark_phrase, progress_phrase

CASE = Path(__file__).parents[2] / "golden" / "report" / "pull_request" / "input.json"
AT = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
HOSTILE = "x|`\n</details><script>alert(1)</script> @team [a](javascript:b)\u202e\x1b[31m"
MARK = ReviewMark(
    status="approved", reviewer="Ann", comment="fine", reviewed_at=AT, run_id="run-1", is_valid=True
)


@pytest.fixture(scope="module")
def diff() -> RunDiff:
    return msgspec.json.decode(CASE.read_bytes(), type=RunDiff)


def reports(diff: RunDiff, reviews: PairReviews | None) -> dict[str, str]:
    context = PairContext(reviews=reviews)
    return {
        "text": diff_text(diff, width=100, color=False, context=context),
        "whole text": whole_text(diff, (), None, width=100, color=False, context=context),
        "markdown": diff_markdown(diff, context=context),
        "comment": pull_request_markdown(diff, context=context),
        "html": html_report("Diff", diff, context=context),
    }


def changed(diff: RunDiff) -> str:
    return next(change.unique_id for change in diff.changed if change.resource_type == "model")


def test_every_report_shows_the_progress(diff: RunDiff) -> None:
    reviews = PairReviews(nodes={changed(diff): (MARK,)}, checks={"Rows": (MARK,)})
    phrase = progress_phrase(diff, reviews)

    assert phrase.startswith("1 of ") and phrase.endswith("changed nodes approved · 1 check approved")
    for name, text in reports(diff, reviews).items():
        assert f"Review: {phrase}" in " ".join(text.split()), name
    assert "approved by Ann" in reports(diff, reviews)["comment"]
    assert "approved by Ann" in reports(diff, reviews)["html"]


def test_nothing_appears_without_reviews(diff: RunDiff) -> None:
    assert reports(diff, None) == reports(diff, NO_REVIEWS)
    assert not any("Review: " in text for text in reports(diff, None).values())


def test_a_mark_on_another_version_is_never_an_approval(diff: RunDiff) -> None:
    other = replace(MARK, is_valid=False)
    reviews = PairReviews(nodes={changed(diff): (other,)})

    assert mark_phrase(other) == "another version (run run-1) approved by Ann"
    assert progress_phrase(diff, reviews).startswith("0 of ")
    found = reports(diff, reviews)
    assert "| ⚪ |" in found["comment"] and "✅ |" not in found["comment"]
    assert "not this version" in found["html"]


def test_hostile_names_and_comments_stay_text(diff: RunDiff) -> None:
    mark = replace(MARK, reviewer=HOSTILE, comment=HOSTILE * 100)
    nodes = {change.unique_id: (mark,) * 9 for change in diff.changed}
    reviews = PairReviews(nodes=nodes, checks={HOSTILE: (mark,)})

    for name, text in reports(diff, reviews).items():
        assert "<script>alert" not in text, name
        assert "\x1b" not in text and "\u202e" not in text, name
    comment = reports(diff, reviews)["comment"]
    assert len(comment) <= 60_000
    table = comment[comment.index("| | reviewed |") :]
    rows = table[: table.index("\n\n")].splitlines()
    assert {row.count("|") for row in rows} == {5}
    assert comment.count("<details>") == comment.count("</details>")
    assert "@team" not in comment.replace("@&#8203;team", "")
