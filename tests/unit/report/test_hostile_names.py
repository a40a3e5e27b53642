"""Whatever a project is called, its reports stay what they are."""

from __future__ import annotations

import json
import re
import string
from datetime import datetime, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.models import Change, ChangeDetail, Impact, LineageEdge, Reason, RunDiff, RunMetadata, Status
from recce_meta.models.change import Category, ColumnChange, Reach, ReachedBy
from recce_meta.models.run import ChosenRun, RunChoice
from recce_meta.redaction import neutralise
from recce_meta.report import diff_json, diff_markdown, diff_text
from recce_meta.report.diff_details import column_effects
from recce_meta.report.terminal import code, display_width, mermaid_label, shorten
from tests.proofs import sampled

FRAGMENTS = [
    "|", "\\|", "`", "```", "\n", "\r\n", "\t", "\x1b[31m", "\x07", "\u202e", "\u2028", "<!--", "</details>",
    "<b>", "@admin", "#12", '"', "]", ")", "end", ";", "%%", "-->", "subgraph",
    "[bold]", "[/]", "数据", "é", "\\", "_", "$", "*",
]  # fmt: skip
hostile = (
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=6)
    .map("".join)
    .map(lambda text: text.encode("utf-8", "replace").decode())
)
values = st.none() | st.booleans() | hostile | st.lists(hostile, max_size=3)
texts = st.none() | hostile


def run_of(environment: str, name: str) -> RunMetadata:
    run_at = datetime(2026, 11, 19, tzinfo=timezone.utc)
    return RunMetadata(run_id=name, run_at=run_at, project_name=name, environment=environment, branch=name)


@st.composite
def details(draw: st.DrawFn) -> ChangeDetail:
    reason = draw(st.sampled_from(Reason))
    is_text = reason in (Reason.BODY, Reason.COMPILED, Reason.COLUMNS, Reason.DESCRIPTIONS)
    kind = texts if is_text else values
    return ChangeDetail(reason, draw(hostile), draw(kind), draw(kind))


@st.composite
def effects(draw: st.DrawFn) -> dict[str, Any]:
    """What a change breaks; often that was not looked into."""
    category = draw(st.none() | st.sampled_from(Category))
    if category is None:
        return {}
    name, status, count = draw(hostile), draw(st.sampled_from(list(Status)[:3])), draw(st.integers(0, 7))
    return {
        "category": category,
        "category_reasons": (name,) * count,
        "columns": tuple(ColumnChange(f"{name}{i}", status, name if i == 1 else None) for i in range(count)),
        "columns_moved": count > 3,
        "reached": ReachedBy(
            origins=(f"model.shop.{name}", name)[: 1 + count % 2],
            reach=Reach.COLUMNS if count else Reach.ROWS,
            columns=(name,) * count,
            confidence=0.4 if count > 4 else 1.0,
        )
        if count % 3
        else None,
    }


@st.composite
def diffs(draw: st.DrawFn) -> RunDiff:
    changes = []
    for index in range(draw(st.integers(0, 4))):
        status = draw(st.sampled_from(Status))
        found = tuple(draw(st.lists(details(), max_size=3))) if status is Status.MODIFIED else ()
        reasons = tuple(sorted({detail.reason for detail in found}, key=list(Reason).index))
        changes.append(
            Change(
                unique_id=f"model.shop.{index}{draw(hostile)}",
                name=f"node{index}x{draw(hostile)}",
                resource_type=draw(st.sampled_from(["model", "source", "test"]) | hostile),
                path=draw(hostile),
                status=status,
                reasons=reasons,
                details=found,
                **draw(effects()),
            )
        )
    changes.sort(key=lambda change: change.unique_id)
    ids = [change.unique_id for change in changes]
    children = tuple(LineageEdge(f"model.shop.child{draw(hostile)}", parent) for parent in ids)
    impacted = tuple(
        Impact(
            unique_id=e.node_id,
            name=draw(hostile),
            resource_type="model",
            distance=1,
            origin=e.parent_id,
            reach=draw(st.none() | st.sampled_from(Reach)),
            columns=(e.node_id, e.parent_id, "c", "d", "e", "f")[: draw(st.integers(0, 6))],
            confidence=0.4 if len(ids) % 2 else 1.0,
        )
        for e in children
    )
    return RunDiff(
        base=run_of("base", draw(hostile)),
        current=run_of(draw(hostile), draw(hostile)),
        changes=tuple(changes),
        impacted=impacted,
        unreached=draw(st.integers(0, 3)),
        edges=children,
        names={e.node_id: draw(hostile) for e in children},
        notes=tuple(draw(st.lists(hostile, max_size=2))),
        choice=choice_of(draw(hostile)) if len(ids) % 2 else None,
    )


def choice_of(branch: str) -> RunChoice:
    """Default runs of a branch with a hostile name."""
    base, current = (
        ChosenRun(run_id=side, selector=None, reason=f"{side} {branch}") for side in ("base", "current")
    )
    return RunChoice(base=base, current=current, notes=(f"No run of branch {branch} is recorded",))


def without_code(markdown: str) -> str:
    """*markdown* without its fenced blocks."""
    return re.sub(r"^(`{3,})\w+\n.*?^\1$", "", markdown, flags=re.MULTILINE | re.DOTALL)


def is_clean(text: str, allowed: str) -> bool:
    return all(char.isprintable() or char in allowed + "\u200c\u200d" for char in text)


@given(diff=diffs(), width=st.sampled_from([0, 40, 80, 200]))
def test_no_control_character_reaches_the_terminal(diff: RunDiff, width: int) -> None:
    assert is_clean(diff_text(diff, width=width, color=False), "\n")


@given(diff=diffs(), width=st.sampled_from([20, 40, 80]))
def test_no_line_is_wider_than_the_terminal(diff: RunDiff, width: int) -> None:
    lines = diff_text(diff, width=width, color=False).splitlines()

    assert [line for line in lines if display_width(line) > width] == []


@given(diff=diffs())
def test_colours_are_the_only_escape_sequences(diff: RunDiff) -> None:
    colored = diff_text(diff, width=80, color=True)

    without_colors = re.sub(r"\x1b\[\d*m", "", colored)

    assert is_clean(without_colors, "\n")
    assert [line.rstrip() for line in without_colors.splitlines()] == diff_text(
        diff, width=80, color=False
    ).splitlines()


@given(diff=diffs())
def test_every_row_of_the_markdown_table_has_as_many_cells_as_its_head(diff: RunDiff) -> None:
    markdown = without_code(diff_markdown(diff))

    rows = [line for line in markdown.splitlines() if line.startswith("| ")]

    pipes = 6 if any(change.category is not None for change in diff.changes) else 5
    assert [row for row in rows if row.count("|") != pipes] == []


@given(diff=diffs())
def test_markdown_holds_no_control_character_and_folds_are_closed(diff: RunDiff) -> None:
    markdown = diff_markdown(diff)

    assert is_clean(markdown, "\n\t")
    outside = re.sub(r"`[^`\n]*`", "", without_code(markdown))
    assert outside.count("<details>") == outside.count("</details>")
    tags = set(re.findall(r"<[^>]*>?", outside))
    assert tags <= {
        "<!-- recce_meta diff -->", "<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>"
    }  # fmt: skip


@given(diff=diffs())
def test_nobody_is_mentioned_outside_code(diff: RunDiff) -> None:
    outside = re.sub(r"`[^`\n]*`", "", without_code(diff_markdown(diff)))

    assert "@" not in outside
    assert not re.search(r"(?<!&)#\d", outside)


@given(diff=diffs())
def test_every_mermaid_line_has_a_known_form(diff: RunDiff) -> None:
    graph = re.search(r"^```mermaid\n(.*?)\n```$", diff_markdown(diff), re.MULTILINE | re.DOTALL)
    lines = graph[1].split("\n") if graph else []

    form = re.compile(
        r"flowchart LR|  classDef \w+ [\w:#, -]+|  n\d+ --> n\d+"
        r"|  n\d+(\[|\[\(|\(\[)\"[^\"\[\]<>`]*\"(\]|\)\]|\]\)):::\w+"
    )
    assert [line for line in lines if not form.fullmatch(line.replace("<br/>", ""))] == []


@given(diff=diffs())
def test_every_changed_node_appears(diff: RunDiff) -> None:
    told = diff_text(diff, width=0, color=False, details=True), diff_markdown(diff)
    listed = {change["unique_id"]: change for change in json.loads(diff_json(diff))["changes"]}

    for change in diff.changed:
        assert change.unique_id in listed
        mark = change.unique_id.split(".")[2][:1] if change.resource_type == "source" else change.name[:6]
        assert all(mark in text for text in told)


@given(diff=diffs(), max_chars=st.integers(8_000, 12_000))
@settings(max_examples=sampled(50, 15))
def test_markdown_stays_within_its_size(diff: RunDiff, max_chars: int) -> None:
    assert len(diff_markdown(diff, max_chars=max_chars)) <= max_chars


@given(name=hostile)
def test_json_gives_every_text_back(name: str) -> None:
    change = Change(unique_id=name, name=name, resource_type=name, status=Status.ADDED)
    diff = RunDiff(base=run_of("base", name), current=run_of("current", name), changes=(change,))

    assert json.loads(diff_json(diff))["changes"][0]["name"] == name


@given(name=hostile)
def test_a_mermaid_label_decodes_to_the_name(name: str) -> None:
    label = mermaid_label(name)

    assert set(re.sub(r"#\d+;", "", label)) & set(string.punctuation) <= set("_.,()/+:-")
    decoded = re.sub(r"#(\d+);", lambda entity: chr(int(entity[1])), label)
    assert decoded == (shorten(neutralise(name), 60) or " ")


def test_a_long_name_of_a_column_leaves_no_half_tag_in_markdown() -> None:
    effects = tuple(ColumnChange(f"a|{'b' * 200}{index}", Status.ADDED) for index in range(2))
    renamed = ColumnChange("c|" + "d" * 200, Status.REMOVED, renamed_to="e|" + "f" * 200)
    phrases = [*column_effects((*effects, renamed), written=lambda name: code(name, 60))]

    assert [phrase.count("<code>") for phrase in phrases] == [2, 2]
    assert all(phrase.count("<code>") == phrase.count("</code>") for phrase in phrases)
