"""The HTML report: one complete file, in which no text of a project becomes markup."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime, timezone
from hashlib import sha256

import pytest
from msgspec.structs import replace

from recce_meta.models import Change, Impact, LineageEdge, RunDiff, RunMetadata, Status
from recce_meta.models.category import Category, ColumnChange
from recce_meta.models.check_result import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import Failed, RowCount, RowCountDiff, SchemaDiff, Subject
from recce_meta.report import html_report
from recce_meta.report.html.lineage import (
    CHANGED_FIRST,
    NODES_DRAWN,
    graph_of,
    layers_of,
    lineage_svg,
    ordered,
)
from recce_meta.report.html.markup import Markup, el, join, text

RUN = RunMetadata(run_id="r1", run_at=datetime(2026, 11, 19, tzinfo=timezone.utc), project_name="shop")


def change(name: str, status: Status = Status.MODIFIED) -> Change:
    return Change(unique_id=f"model.shop.{name}", name=name, resource_type="model", status=status)


def impact(name: str, distance: int, origin: str) -> Impact:
    return Impact(
        unique_id=f"model.shop.{name}",
        name=name,
        resource_type="model",
        distance=distance,
        origin=f"model.shop.{origin}",
    )


def edge(parent: str, child: str) -> LineageEdge:
    return LineageEdge(f"model.shop.{child}", f"model.shop.{parent}")


def run_diff(changed: str, *edges: LineageEdge, impacted: tuple[Impact, ...] = ()) -> RunDiff:
    names = {end.node_id: end.node_id.split(".")[2] for end in edges}
    changes = tuple(change(name) for name in changed)
    return RunDiff(base=RUN, current=RUN, changes=changes, impacted=impacted, children=edges, names=names)


def test_text_is_escaped_where_it_meets_markup() -> None:
    assert el("p", "<b>", el("i", "&"), title='"x"') == '<p title="&quot;x&quot;">&lt;b&gt;<i>&amp;</i></p>'
    assert join(["a<", Markup("<br>")], " & ") == "a&lt; &amp; <br>"
    assert text("\x1b[31m\u202e") == "\\x1b[31m\\u202e"


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else() -> None:
    page = html_report("shop")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    style, script = (
        re.search(r"<style>(.*?)</style>", page, re.S),
        re.search(r"<script>(.*?)</script>", page, re.S),
    )
    assert policy and style and script

    hashes = [
        f"&#x27;sha256-{b64encode(sha256(inline[1].encode()).digest()).decode()}&#x27;"
        for inline in (style, script)
    ]

    assert policy[1].startswith("default-src &#x27;none&#x27;;")
    assert f"style-src {hashes[0]}; script-src {hashes[1]}; img-src data:;" in policy[1]


def test_the_page_refers_to_nothing_outside_itself() -> None:
    page = html_report("shop", run_diff("ab", edge("a", "b")))

    targets = re.findall(r'\b(?:href|src|action)="([^"]*)"', page)

    assert targets
    assert [target for target in targets if not target.startswith("#")] == ["data:,"]
    assert "@import" not in page and "url(" not in page
    assert not re.search(r"\sstyle=", page)


def test_every_link_leads_somewhere() -> None:
    counted = RowCountDiff(counts=(RowCount(subject=Subject(name="n"), base=1, current=2),))
    failed = Failed(subject=Subject(name="m"), diff="value_diff", error="gone")
    checks = CheckReport(checks=(CheckResult(name="c", type="value_diff", status=CheckStatus.PASSED),))
    diff = run_diff("ab", edge("a", "b"), edge("a", "c"), impacted=(impact("c", 1, "a"),))

    page = html_report("shop", diff, [counted, failed], checks)

    anchors = set(re.findall(r'\bid="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert len(anchors) == len(re.findall(r'\bid="', page))


def test_the_page_says_what_breaks_and_leaves_out_what_is_not_reached() -> None:
    diff = run_diff("a", edge("a", "hit"), edge("a", "spared"), impacted=(impact("hit", 1, "a"),))
    effect = {"category": Category.PARTIAL_BREAKING, "columns": (ColumnChange("<x>", Status.MODIFIED),)}
    judged = replace(diff, changes=(replace(diff.changes[0], **effect),), unreached=1)

    page = html_report("shop", judged)

    assert "partial breaking" in page and "~ &lt;x&gt;" in page
    assert "of 2 nodes downstream impacted" in page
    assert "spared" not in page and "spared" in html_report("shop", diff)


def test_where_nothing_is_impacted_the_page_says_so_and_its_links_lead_somewhere() -> None:
    diff = run_diff("a", edge("a", "spared"))

    for unreached in (0, 3):
        page = html_report("shop", replace(diff, unreached=unreached))
        anchors = set(re.findall(r'\bid="([^"]+)"', page))
        assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert "Of 3 nodes downstream none is impacted." in page


def test_what_looks_like_a_place_of_the_template_is_text() -> None:
    page = html_report("{{ script }}", None, [SchemaDiff(subject=Subject(name="{{ style }}"), columns=())])

    assert page.count("<script>") == 1 and page.count("<style>") == 1
    assert "<title>{{ script }}</title>" in page


def test_a_page_about_nothing_says_so() -> None:
    assert "Nothing was compared" in html_report("shop")


def test_a_child_stands_right_of_its_parents() -> None:
    diff = run_diff("abc", edge("a", "b"), edge("b", "c"), edge("a", "c"), impacted=(impact("far", 3, "b"),))

    layers = layers_of(graph_of(diff), {"model.shop.far": 3})

    assert {node.split(".")[2]: layer for node, layer in layers.items()} == {"a": 0, "b": 1, "c": 2, "far": 4}


def test_what_is_far_is_joined_by_a_line_that_says_so() -> None:
    graph = graph_of(run_diff("a", edge("a", "b"), impacted=(impact("b", 1, "a"), impact("c", 2, "a"))))

    assert {(e.child.split(".")[2], e.is_direct) for e in graph.edges} == {("b", True), ("c", False)}


@pytest.mark.parametrize("edges", [["ab", "ba"], ["ab", "bc", "ca"], ["aa"]])
def test_a_circle_is_drawn_all_the_same(edges: list[str]) -> None:
    diff = run_diff("abc", *(edge(parent, child) for parent, child in edges))
    graph = graph_of(diff)

    layers = layers_of(graph, {})

    assert sum(map(len, ordered(graph, layers))) == len(layers)
    assert lineage_svg(diff, {}).count("<title>") == 3


def test_uncrossed_edges_stay_uncrossed() -> None:
    edges = [edge("a", "y"), edge("b", "x")]
    graph = graph_of(run_diff("ab", *edges))

    first, second = ordered(graph, layers_of(graph, {}))

    pairs = {"model.shop.a": "model.shop.y", "model.shop.b": "model.shop.x"}
    assert [pairs[node] for node in first] == second


def test_a_large_lineage_is_cut_and_says_so() -> None:
    far = tuple(impact(f"m{index:04}", 1 + index % 5, "a") for index in range(3_000))

    drawing = lineage_svg(run_diff("a", impacted=far), {})

    assert drawing.count("<title>") == 1 + NODES_DRAWN - CHANGED_FIRST
    assert "31 of 3,001 nodes are drawn." in drawing
