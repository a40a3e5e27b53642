"""The HTML report: one complete file, in which no text of a project becomes markup."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime, timezone
from hashlib import sha256

import pytest
from msgspec.structs import replace

from recce_meta.models import Change, Impact, LineageEdge, RunDiff, RunMetadata, Status
from recce_meta.models.change import Category, ChangeDetail, ColumnChange, Reason
from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import (
    ColumnValues,
    Failed,
    KeyCounts,
    RowCount,
    RowCountDiff,
    SchemaDiff,
    Subject,
    ValueDiff,
)
from recce_meta.models.graph_view import ADDED, INDIRECT, REMOVED
from recce_meta.models.marks.review import PairContext
from recce_meta.report import html_report
from recce_meta.report.html.graph import CHANGED_FIRST, NODES_DRAWN, view_of

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
    return RunDiff(base=RUN, current=RUN, changes=changes, impacted=impacted, edges=edges, names=names)


def test_text_is_escaped_where_it_meets_markup() -> None:
    page = html_report('<b>&"', None, [SchemaDiff(subject=Subject(name='<i>"\x1b[31m\u202e'), columns=())])

    assert '<p class="title">&lt;b&gt;&amp;&#34;</p>' in page and '<b>&"' not in page
    assert 'data-name="&lt;i&gt;&#34;\\x1b[31m\\u202e ' in page
    assert "\x1b" not in page and "\u202e" not in page


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else() -> None:
    page = html_report("shop")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    style, script = (
        re.search(r"<style>(.*?)</style>", page, re.S),
        re.search(r"<script>(.*?)</script>", page, re.S),
    )
    assert policy and style and script

    hashes = [
        f"&#39;sha256-{b64encode(sha256(inline[1].encode()).digest()).decode()}&#39;"
        for inline in (style, script)
    ]

    assert policy[1].startswith("default-src &#39;none&#39;;")
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
    assert "of 2 downstream nodes affected" in page
    assert "spared" not in page and "spared" in html_report("shop", diff)


def test_where_nothing_is_impacted_the_page_says_so_and_its_links_lead_somewhere() -> None:
    diff = run_diff("a", edge("a", "spared"))

    for unreached in (0, 3):
        page = html_report("shop", replace(diff, unreached=unreached))
        anchors = set(re.findall(r'\bid="([^"]+)"', page))
        assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert "None of the 3 downstream nodes is affected." in page


def test_what_looks_like_a_place_of_the_template_is_text() -> None:
    page = html_report("{{ script }}", None, [SchemaDiff(subject=Subject(name="{{ style }}"), columns=())])

    assert page.count("<script>") == 1 and page.count("<style>") == 1
    assert "<title>{{ script }}</title>" in page


def test_a_page_about_nothing_says_so() -> None:
    assert "Nothing was compared" in html_report("shop")


def test_a_child_stands_right_of_its_parents() -> None:
    edges = (edge("a", "b"), edge("b", "c"), edge("a", "c"), edge("b", "far"))
    diff = run_diff("abc", *edges, impacted=(impact("far", 1, "b"),))

    places = {node.name: node.x for node in view_of(diff).nodes}

    assert places["a"] < places["b"] < min(places["c"], places["far"])


def test_what_is_far_is_joined_by_a_line_that_says_so() -> None:
    edges = (edge("a", "b"), edge("b", "hidden"), edge("hidden", "c"), edge("c", "d"))
    found = run_diff("a", *edges, impacted=(impact("b", 1, "a"), impact("c", 3, "a"), impact("d", 4, "a")))
    view = view_of(found)

    drawn = {(view.nodes[one.parent].name, view.nodes[one.child].name, one.flags) for one in view.edges}
    assert drawn == {("a", "b", 0), ("b", "c", INDIRECT), ("c", "d", 0)}


def test_lines_of_one_run_have_a_sign_and_a_legend() -> None:
    kept, new, old = edge("a", "b"), edge("a", "c"), edge("b", "c")
    diff = replace(run_diff("abc", kept, new, old), added_edges=(new,), removed_edges=(old,))

    page = html_report("shop", diff)

    assert [one.flags for one in view_of(diff).edges] == [0, ADDED, REMOVED]
    for name, sign in (("added", "+"), ("removed", "−")):
        assert (
            page.count(f'class="edge {name}"')
            == page.count(f'class="sign {name}" aria-hidden="true">{sign}</text>')
            == 1
        )
    assert "<title>a → c: reads directly, only in the current run</title>" in page
    # Both lines end at one box, where their signs would cover each other.
    places = [(int(x), int(y)) for x, y in re.findall(r'<text x="(\d+)" y="(\d+)" class="sign', page)]
    assert max(abs(one - other) for one, other in zip(*places, strict=True)) > 13
    assert "line with −: only in the base run" in page
    assert "line with" not in html_report("shop", run_diff("abc", kept, new, old))


@pytest.mark.parametrize("edges", [["ab", "ba"], ["ab", "bc", "ca"], ["aa"]])
def test_a_circle_is_drawn_all_the_same(edges: list[str]) -> None:
    diff = run_diff("abc", *(edge(parent, child) for parent, child in edges))

    view = view_of(diff)

    assert len({(node.x, node.y) for node in view.nodes}) == len(view.nodes) == 3
    assert len(view.edges) == len(edges)
    assert html_report("shop", diff).count("</title><rect") == 3


def test_each_node_of_the_list_has_its_part_of_the_drawer() -> None:
    body = ChangeDetail(Reason.BODY, "raw_code", base="select 1 as a", current="select 2 as a")
    edited = replace(change("a"), reasons=(Reason.BODY,), details=(body,))
    changes = (edited, change("b", Status.REMOVED), change("c", Status.ADDED))
    diff = replace(run_diff("", impacted=(impact("d", 1, "a"),)), changes=changes)
    results = [
        SchemaDiff(subject=Subject(name=one, unique_id=f"model.shop.{one}"), columns=()) for one in "ax"
    ]

    page = html_report("shop", diff, results, context=PairContext(code={"model.shop.b": "select '<b>'"}))

    parts = {
        one[1]: one[0]
        for one in re.findall(r'(<article class="node".*?<h2>.*?(\w+)</h2>.*?</article>)', page)
    }
    assert sorted(parts) == list("abcdx")
    assert "select <mark>1</mark> as a" in parts["a"] and "select <mark>2</mark> as a" in parts["a"]
    assert "select &#39;&lt;b&gt;&#39;" in parts["b"]
    assert "The code of this node is not in this file." in parts["c"]
    anchor = re.search(r'id="([^"]+)"', parts["a"])
    assert anchor and f'because of the change of <a href="#{anchor[1]}">' in parts["d"]
    assert "The data of this node were not compared." in parts["b"] and "not compared" not in parts["a"]
    assert "Other compared nodes" in page


def test_a_file_of_500_nodes_has_all_of_them_in_less_than_two_megabytes() -> None:
    names = [f"node_{number:03}" for number in range(500)]
    lines = [f"    column_{number} as name_{number}," for number in range(40)]
    body = ChangeDetail(
        Reason.BODY, "raw_code", "\n".join(lines), "\n".join([*lines[:9], "new", *lines[12:]])
    )
    columns = tuple(
        ColumnValues(name=f"column_{number}", base_type="INT", current_type="INT", matched=9, mismatched=1)
        for number in range(10)
    )
    results = [
        ValueDiff(
            subject=Subject(name=one, unique_id=f"model.shop.{one}"),
            key=("id",), key_source="option", base=KeyCounts(rows=10), current=KeyCounts(rows=10),
            common=10, changed=1, columns=columns,
        )
        for one in names
    ]  # fmt: skip
    changes = tuple(replace(change(one), reasons=(Reason.BODY,), details=(body,)) for one in names)

    page = html_report("shop", replace(run_diff(""), changes=changes), results)

    articles = re.findall(r'<article class="node".*?</article>', page)
    assert len(page) < 2_000_000 and len(articles) == 500
    assert "<mark>" not in articles[-1] and "further rows" in articles[-1] and "column_9" in articles[0]
    assert "1 of 10 rows changed (10.0%)" in articles[-1]
    assert "Its tables are not in this file of many nodes" in articles[-1]


def test_a_large_lineage_is_cut_and_says_so() -> None:
    far = tuple(impact(f"m{index:04}", 1 + index % 5, "a") for index in range(3_000))

    page = html_report("shop", run_diff("a", impacted=far))

    assert page.count("</title><rect") == 1 + NODES_DRAWN - CHANGED_FIRST
    assert "31 of 3,001 nodes are drawn." in page
