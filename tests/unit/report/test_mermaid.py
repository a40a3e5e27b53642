"""What a graph shows where it cannot show everything."""

from __future__ import annotations

from datetime import datetime, timezone

from msgspec.structs import replace

from recce_meta.models import Change, Impact, LineageEdge, RunDiff, RunMetadata, Status
from recce_meta.models.change import Category, Reach
from recce_meta.models.lineage import LineageNode, LineageView
from recce_meta.report import diff_markdown
from recce_meta.report.mermaid import (
    CHANGED_FIRST,
    EDGES_DRAWN,
    NODES_DRAWN,
    diff_flowchart,
    lineage_flowchart,
)

RUN = RunMetadata(run_id="r1", run_at=datetime(2026, 11, 19, tzinfo=timezone.utc), project_name="shop")


def diff_of(count: int, edges: list[tuple[str, str]]) -> RunDiff:
    changes = tuple(
        Change(unique_id=f"model.shop.m{i:02}", name=f"m{i:02}", resource_type="model", status=Status.ADDED)
        for i in range(count)
    )
    children = tuple(LineageEdge(child, parent) for parent, child in edges)
    return RunDiff(base=RUN, current=RUN, changes=changes, edges=children)


def test_children_that_are_tests_are_not_drawn() -> None:
    edges = [("model.shop.m00", "test.shop.unique_m00.ab"), ("model.shop.m00", "model.shop.child")]

    chart = diff_flowchart(diff_of(1, edges))

    assert (chart.drawn, chart.edges) == (2, 1)
    assert "unique" not in chart.text


def test_nodes_without_an_edge_give_no_graph() -> None:
    assert "mermaid" not in diff_markdown(diff_of(3, []))


def test_children_have_room_beside_many_changed_nodes() -> None:
    edges = [(f"model.shop.m{index:02}", f"model.shop.child{index:02}") for index in range(60)]

    chart = diff_flowchart(diff_of(60, edges))

    assert (chart.drawn, chart.total) == (NODES_DRAWN, 120)
    assert chart.text.count(":::added") == CHANGED_FIRST
    assert chart.edges == NODES_DRAWN - CHANGED_FIRST


def test_children_that_a_change_does_not_reach_are_not_drawn() -> None:
    diff = diff_of(1, [("model.shop.m00", "model.shop.hit"), ("model.shop.m00", "model.shop.spared")])
    judged = replace(
        diff,
        changes=(replace(diff.changes[0], status=Status.MODIFIED, category=Category.BREAKING),),
        impacted=(
            Impact(
                unique_id="model.shop.hit",
                name="hit",
                resource_type="model",
                distance=1,
                origin="model.shop.m00",
                reach=Reach.COLUMNS,
                columns=("a", "b"),
            ),
        ),
        unreached=1,
    )

    chart = diff_flowchart(judged)

    assert 'n0["m00<br/>breaking"]:::breaking' in chart.text
    assert 'n1["hit<br/>a, b"]:::impacted' in chart.text
    assert "spared" not in chart.text and "spared" in diff_flowchart(diff).text


def test_a_node_called_end_is_named_by_number() -> None:
    chart = diff_flowchart(diff_of(1, [("model.shop.m00", "model.shop.end")]))

    assert '  n1["end"]:::impacted' in chart.text
    assert "  n0 --> n1" in chart.text


def test_edges_of_one_run_are_labelled() -> None:
    edges = [
        (f"model.shop.m{parent:02}", f"model.shop.m{child:02}") for parent, child in ((0, 1), (1, 2), (0, 2))
    ]
    diff = diff_of(3, edges)

    chart = diff_flowchart(replace(diff, added_edges=diff.edges[:1], removed_edges=diff.edges[1:2]))

    assert [line for line in chart.text.splitlines() if "-->" in line] == [
        "  n0 -- added --> n1",
        "  n0 --> n2",
        "  n1 -- removed --> n2",
    ]


def test_a_cut_graph_says_how_many_nodes_and_edges_it_shows() -> None:
    names = [f"model.shop.m{index:02}" for index in range(30)]
    edges = [(parent, child) for place, parent in enumerate(names) for child in names[place + 1 :]]

    text = diff_markdown(diff_of(30, edges))

    assert text.count(" --> ") == EDGES_DRAWN
    assert "\nThe graph shows 300 of 435 edges.\n" in text


def test_paths_through_nodes_that_are_left_out_are_dotted() -> None:
    names = [f"model.shop.m{index:02}" for index in range(NODES_DRAWN + 1)]
    nodes = [
        LineageNode(unique_id=one, name=one[-3:], resource_type="model", distance=index)
        for index, one in enumerate(names)
    ]
    edges = [
        LineageEdge(names[1], names[0]),
        LineageEdge(names[-1], names[0]),
        LineageEdge(names[2], names[-1]),
    ]

    chart = lineage_flowchart(LineageView(root=names[0], nodes=tuple(nodes), edges=tuple(edges)))

    assert "  n0 -.-> n2" in chart.text
    *_, sentences = chart.markdown("the nearest ").splitlines()
    assert sentences == (
        "The graph shows the nearest 40 of 41 nodes. "
        "A dotted line is a path through nodes that are not drawn."
    )
