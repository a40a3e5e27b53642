"""Notes and owners in reports: shown with their nodes, cut, and never markup or a mention."""

from __future__ import annotations

import html
import re
from pathlib import Path

import msgspec
import pytest

from recce_meta.models import RunDiff
from recce_meta.models.change import Impact
from recce_meta.models.marks.annotation import (
    NO_ANNOTATIONS,
    PRESENT,
    AnnotatedObjects,
    AnnotationEvent,
    with_id,
)
from recce_meta.models.marks.review import PairContext
from recce_meta.report import diff_markdown, diff_text, html_report, pull_request_markdown, whole_text
from recce_meta.report.labels import SEVERE
from recce_meta.report.review.annotations import annotated_ids, annotation_phrase, annotations_markdown

CASE = Path(__file__).parents[2] / "golden" / "report" / "categories" / "input.json"
PROJECT = "jaffle_shop"
HOSTILE = "x|`\n</details><script>alert(1)</script> @team #12 www.example.com [a](javascript:b)\u202e\x1b[31m"
WALL = 1_793_534_400_000
"""2026-11-01 12:00 UTC."""


@pytest.fixture(scope="module")
def diff() -> RunDiff:
    return msgspec.json.decode(CASE.read_bytes(), type=RunDiff)


def event(unique_id: str, field: str, value: str | None, **parts: object) -> AnnotationEvent:
    fields = {"author": "Ann", "wall_ms": WALL, "counter": 0, "writer_id": "w", "recorder_version": "1"}
    given = {"event_id": "", "project_name": PROJECT, "unique_id": unique_id, "field": field, "value": value}
    return with_id(AnnotationEvent(**{**given, **fields, **parts}))


def note(unique_id: str, text: str, **parts: object) -> AnnotationEvent:
    return event(unique_id, "note", text, **parts)


def owner(unique_id: str, name: str, **parts: object) -> AnnotationEvent:
    return event(unique_id, "owner", PRESENT, item=name, **parts)


def reports(diff: RunDiff, annotations: AnnotatedObjects | None) -> dict[str, str]:
    context = PairContext(annotations=annotations)
    return {
        "markdown": diff_markdown(diff, context=context),
        "comment": pull_request_markdown(diff, context=context),
        "html": html_report("Diff", diff, context=context),
        "text": diff_text(diff, width=100, color=False, context=context),
        "whole text": whole_text(diff, (), None, width=100, color=False, context=context),
    }


def severe(diff: RunDiff) -> str:
    return next(one.unique_id for one in diff.changed if one.category in SEVERE)


def impacted(diff: RunDiff) -> Impact:
    changed = {one.unique_id for one in diff.changed}
    return next(one for one in diff.impacted if one.unique_id not in changed)


def test_comments_name_owners_of_severe_changes_and_affected_nodes(diff: RunDiff) -> None:
    harmless = next(one.unique_id for one in diff.changed if one.category not in SEVERE)
    annotations = AnnotatedObjects(
        [owner(severe(diff), "Finance"), owner(impacted(diff).unique_id, "Ops"), owner(harmless, "Nobody")]
    )
    for name in ("markdown", "comment"):
        text = reports(diff, annotations)[name]
        owners = text[text.index("**Owners of the") :].split("\n\n")[1].splitlines()
        assert [line.partition(":")[0] for line in owners] == ["- Finance", "- Ops"], name
        assert owners[0] == "- Finance: `forecast` (unknown effect)"
        assert owners[1].endswith("(affected)")


def test_the_text_names_some_owners(diff: RunDiff) -> None:
    owners = [owner(severe(diff), f"Team {number}") for number in range(7)]
    found = reports(diff, AnnotatedObjects(owners))

    for name in ("text", "whole text"):
        text = " ".join(found[name].split())
        assert "Owners: Team 0 (forecast), Team 1 (forecast)" in text, name
        assert "Team 4 (forecast), … and 2 more" in text and "Team 5" not in text


def test_comments_show_notes_of_changed_nodes_columns_and_edges(diff: RunDiff) -> None:
    changed = severe(diff)
    annotations = AnnotatedObjects(
        [
            note(changed, "First\nline", author="Ann <ann@example.com>"),
            note(changed, "Of a column", column_name="amount"),
            note(changed, "Of an edge", parent_id="model.jaffle_shop.stg_orders"),
            note(impacted(diff).unique_id, "Not changed"),
        ]
    )
    for name in ("markdown", "comment"):
        text = reports(diff, annotations)[name]
        assert "3 notes on changed nodes" in text
        assert "| First line | Ann, 2026-11-01 12:00 UTC |" in text
        assert "`amount` | Of a column |" in text and "stg_orders` | Of an edge |" in text
        assert "Not changed" not in text and "example" not in text


def test_comments_mark_a_conflict_also_without_a_note(diff: RunDiff) -> None:
    changed = severe(diff)
    annotations = AnnotatedObjects(
        [
            note(changed, "Mine", replaces=""),
            note(changed, "Theirs", wall_ms=WALL + 1, author="Grace", replaces=""),
            event(changed, "tag", PRESENT, item="pii", column_name="amount", replaces=""),
            event(changed, "tag", None, item="pii", column_name="amount", wall_ms=WALL + 1, replaces=""),
        ]
    )
    for name in ("markdown", "comment"):
        text = html.unescape(reports(diff, annotations)[name])
        assert "1 note, 2 conflicts on changed nodes" in text
        assert "| conflict: note (notes --history has all values); Theirs | Grace, " in text
        assert "`amount` | conflict: tag pii (notes --history has all values) |  |" in text


def test_the_html_report_shows_all_of_a_note_with_its_lines(diff: RunDiff) -> None:
    changed = severe(diff)
    found = [note(changed, "First\nsecond <b>"), owner(changed, "Finance"), owner(changed, "Ann")]
    text = reports(diff, AnnotatedObjects([*found, event(changed, "tag", PRESENT, item="pii")]))["html"]

    assert '<div class="note">First\nsecond &lt;b&gt;</div><small>Ann, 2026-11-01 12:00 UTC</small>' in text
    assert re.search("Owners: <b [^>]*>Ann</b>, <b [^>]*>Finance</b>", text) and ">pii</span>" in text


def test_the_html_report_shows_notes_of_nodes_without_details(diff: RunDiff) -> None:
    text = html_report(
        "Diff",
        diff,
        context=PairContext(
            annotations=AnnotatedObjects([note("model.jaffle_shop.refunds", "why it is new")])
        ),
    )

    assert text.count("why it is new") == 1


def test_nothing_appears_without_annotations(diff: RunDiff) -> None:
    assert reports(diff, None) == reports(diff, NO_ANNOTATIONS)
    assert annotations_markdown(diff, NO_ANNOTATIONS, 6_000) == ""
    other = AnnotatedObjects([note("model.other.node", "x"), owner("model.other.node", "y")])
    assert annotations_markdown(diff, other, 6_000) == ""


def test_hostile_texts_stay_text_and_notify_nobody(diff: RunDiff) -> None:
    events = [
        one
        for unique_id in annotated_ids(diff)
        for one in (
            note(unique_id, HOSTILE, author=HOSTILE),
            owner(unique_id, HOSTILE, author=HOSTILE),
            event(unique_id, "tag", PRESENT, item=HOSTILE),
            note(unique_id, HOSTILE, column_name=HOSTILE),
        )
    ]
    for name, text in reports(diff, AnnotatedObjects(events)).items():
        assert "<script>alert" not in text or "text" in name, name
        assert "\x1b" not in text and "\u202e" not in text, name
        if name in ("markdown", "comment"):
            assert "&#64;&#8203;team" in text
            assert not any(mention in text for mention in ("@team", "#12 ", "www.example", "[a]("))
            table = text[text.index("| node | note | by |") :]
            rows = table[: table.index("\n\n")].splitlines()
            assert {row.count("|") for row in rows} == {4}
            assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("room", [8_000, 20_000, 60_000])
def test_comments_keep_their_limit(diff: RunDiff, room: int) -> None:
    events = [
        one
        for unique_id in annotated_ids(diff)
        for number in range(50)
        for one in (
            owner(unique_id, f"Team {number} {'@x' * 90}"),
            note(unique_id, "<" * 4_000, column_name=f"c{number}"),
        )
    ]
    annotations = AnnotatedObjects(events)

    assert len(annotations_markdown(diff, annotations, room // 10)) <= room // 10
    assert len(diff_markdown(diff, max_chars=room, context=PairContext(annotations=annotations))) <= room
    if room >= 20_000:
        assert (
            len(pull_request_markdown(diff, max_chars=room, context=PairContext(annotations=annotations)))
            <= room
        )


def test_the_latest_change_counts_and_a_deleted_value_is_gone() -> None:
    first = [note("n", "old"), owner("n", "Ann"), owner("n", "Bob")]
    later = [note("n", "new", wall_ms=WALL + 1), event("n", "owner", None, item="Ann", counter=1)]
    found = AnnotatedObjects([*later, *first]).of_node("n")

    assert annotation_phrase(found) == "owners: Bob; new"
    assert not AnnotatedObjects([note("n", "x"), event("n", "note", None, counter=1)])


def test_objects_of_one_node_are_kept_apart() -> None:
    events = [
        note("n", "node"),
        note("n", "column", column_name="ID"),
        note("n", "edge", parent_id="p"),
        note("n", "column edge", column_name="ID", parent_id="p", parent_column="id"),
    ]
    found = AnnotatedObjects(events)

    assert found.of_node("n").note_text == "node"
    columns = found.of_columns("n")
    assert {name: (target.column_name, one.note_text) for name, (target, one) in columns.items()} == {
        "id": ("ID", "column")
    }
    assert found.of_edge("p", "n").note_text == "edge"
    assert [one.note_text for _, one in found.of_edges("n")] == ["edge", "column edge"]
    assert not found.of_node("p") and not found.of_edge("n", "p")
