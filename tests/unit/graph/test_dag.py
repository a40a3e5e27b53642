"""The lineage graph: distances, impact, paths; dangling ids and cycles."""

from __future__ import annotations

from recce_meta.graph import build_lineage_graph
from recce_meta.models import LineageEdge, NodeMetadata


def node(unique_id: str, *parents: str) -> NodeMetadata:
    return NodeMetadata(unique_id=unique_id, name=unique_id, resource_type="model", parents=parents)


DIAMOND = [node("a"), node("b", "a"), node("c", "a"), node("d", "b", "c"), node("e", "d"), node("lone")]


def test_parents_and_children_are_the_direct_ones_in_order() -> None:
    graph = build_lineage_graph(reversed(DIAMOND))

    assert graph.parents("d") == ("b", "c")
    assert graph.children("a") == ("b", "c")
    assert graph.children("lone") == ()
    assert len(graph) == 6


def test_relatives_come_with_their_shortest_distance_nearest_first() -> None:
    graph = build_lineage_graph([*DIAMOND, node("short", "a", "e")])

    assert graph.ancestors("e") == {"d": 1, "b": 2, "c": 2, "a": 3}
    assert graph.descendants("a") == {"b": 1, "c": 1, "short": 1, "d": 2, "e": 3}
    assert list(graph.descendants("a").values()) == [1, 1, 1, 2, 3]


def test_a_depth_ends_the_walk() -> None:
    graph = build_lineage_graph(DIAMOND)

    assert graph.descendants("a", 1) == {"b": 1, "c": 1}
    assert graph.ancestors("e", 2) == {"d": 1, "b": 2, "c": 2}
    assert graph.ancestors("e", 0) == {}


def test_impact_names_the_nearest_changed_node_and_never_a_changed_one() -> None:
    graph = build_lineage_graph(DIAMOND)

    assert graph.impact(["a", "d"]) == {"b": (1, "a"), "c": (1, "a"), "e": (1, "d")}
    assert graph.impact([]) == {}


def test_impact_names_the_first_by_id_of_changed_nodes_that_are_equally_near() -> None:
    graph = build_lineage_graph(
        [node("z"), node("y"), node("t1", "z", "y"), node("t2", "t1"), node("u", "z")]
    )

    assert graph.impact(["z", "y"]) == {"t1": (1, "y"), "u": (1, "z"), "t2": (2, "y")}


def test_a_tie_further_down_goes_to_the_first_changed_node_too() -> None:
    graph = build_lineage_graph([node("b"), node("a"), node("p", "b"), node("q", "a"), node("end", "p", "q")])

    assert graph.impact(["b", "a"])["end"] == (2, "a")


def test_an_id_that_only_an_edge_names_is_a_member_without_parents() -> None:
    graph = build_lineage_graph([node("a", "gone"), node("b", "a")])

    assert "gone" in graph
    assert graph.descendants("gone") == {"a": 1, "b": 2}
    assert graph.parents("gone") == ()
    assert graph.ancestors("b") == {"a": 1, "gone": 2}


def test_an_id_that_the_graph_does_not_hold_has_no_relatives() -> None:
    graph = build_lineage_graph(DIAMOND)

    assert graph.parents("nowhere") == ()
    assert graph.descendants("nowhere") == {}
    assert graph.impact(["nowhere", "d"]) == {"e": (1, "d")}


def test_a_cycle_ends_where_it_began() -> None:
    graph = build_lineage_graph([node("a", "c"), node("b", "a"), node("c", "b"), node("self", "self")])

    assert graph.descendants("a") == {"b": 1, "c": 2}
    assert graph.descendants("self") == {}
    assert graph.impact(["a"]) == {"b": (1, "a"), "c": (2, "a")}


def test_given_edges_replace_the_nodes_own_parents() -> None:
    graph = build_lineage_graph(DIAMOND, [LineageEdge("lone", "e"), LineageEdge("lone", "e")])

    assert graph.parents("lone") == ("e",)
    assert graph.parents("d") == ()


def test_a_deep_chain_does_not_exhaust_the_stack() -> None:
    chain = [node("n00000"), *(node(f"n{i:05}", f"n{i - 1:05}") for i in range(1, 20_000))]

    graph = build_lineage_graph(chain)

    assert graph.descendants("n00000")["n19999"] == 19_999


def test_a_path_is_followed_only_through_accepted_nodes_and_past_its_starts() -> None:
    graph = build_lineage_graph([node("a"), node("b", "a"), node("c", "b"), node("d", "c")])

    assert graph.descendants("a", through={"b"}.__contains__) == {"b": 1, "c": 2}
    assert graph.downstream(["a"], through={"c"}.__contains__) == {"a", "b"}
    assert graph.upstream(["d"], through={"c"}.__contains__) == {"d", "c", "b"}
