"""Diffs of thousands of nodes still give a screen, and a comment that its host takes."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from recce_meta.models import Change, ChangeDetail, Impact, LineageEdge, Reason, RunDiff, RunMetadata, Status
from recce_meta.report import diff_markdown, diff_text

RUN = RunMetadata(run_id="r1", run_at=datetime(2026, 11, 19, tzinfo=timezone.utc), project_name="shop")


def modified(index: int) -> Change:
    old = "".join(f"line {number} of {index}\n" for number in range(60))
    new = old.replace("line 7 ", "line seven ").replace("line 40 ", "line forty ")
    return Change(
        unique_id=f"model.shop.model_{index:05}",
        name=f"model_{index:05}",
        resource_type="model",
        path=f"models/model_{index:05}.sql",
        status=Status.MODIFIED,
        reasons=(Reason.BODY, Reason.COLUMNS),
        details=(
            ChangeDetail(Reason.BODY, "raw_code", old, new),
            ChangeDetail(Reason.COLUMNS, "c", None, "INT"),
        ),
    )


@pytest.fixture(scope="module")
def large() -> RunDiff:
    changes = tuple(modified(index) for index in range(5_000))
    ids = [change.unique_id for change in changes]
    impacted = tuple(
        Impact(
            unique_id=f"model.shop.m{index}",
            name=f"m{index}",
            resource_type="model",
            distance=1,
            origin=ids[0],
        )
        for index in range(5_000)
    )
    children = tuple(LineageEdge(impact.unique_id, ids[0]) for impact in impacted)
    return RunDiff(base=RUN, current=RUN, changes=changes, impacted=impacted, edges=children)


def test_a_diff_of_five_thousand_nodes_fits_on_a_screen(large: RunDiff) -> None:
    text = diff_text(large, width=100, color=False)

    assert len(text.splitlines()) <= 42
    assert "(--details lists all)" in text


@pytest.mark.parametrize("max_chars", [8_000, 20_000, 60_000])
def test_a_comment_on_five_thousand_nodes_says_what_it_leaves_out(large: RunDiff, max_chars: int) -> None:
    markdown = diff_markdown(large, max_chars=max_chars)

    assert len(markdown) <= max_chars
    assert "left out for length" in markdown
    assert markdown.count("<details>") == markdown.count("</details>")


def test_texts_that_share_no_line_are_compared() -> None:
    old, new = ("".join(f"{word} {number}\n" for number in range(50_000)) for word in ("old", "new"))
    detail = ChangeDetail(Reason.BODY, "raw_code", old, new)
    change = Change(
        unique_id="model.shop.a",
        name="a",
        resource_type="model",
        status=Status.MODIFIED,
        reasons=(Reason.BODY,),
        details=(detail,),
    )

    text = diff_text(RunDiff(base=RUN, current=RUN, changes=(change,)), width=80, color=False)

    assert "body: 50,000 lines added, 50,000 removed" in text
