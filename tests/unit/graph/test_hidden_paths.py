"""Edges of a drawing and paths through hidden nodes, compared with a search of all paths."""

from __future__ import annotations

import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.graph.hidden_paths import DrawnEdge, closing_cycles, drawn_edges, paths_through
from recce_meta.models.graph_view import ADDED, BACKWARD, INDIRECT, REMOVED
from tests.proofs import sampled

NAMES = [f"n{number}" for number in range(9)]
graphs = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=24)


def reachable(start: str, children: dict[str, list[str]], through: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                if child in through:
                    waiting.append(child)
    return found


@settings(max_examples=sampled(400, 80), deadline=None)
@given(graphs, st.sets(st.sampled_from(NAMES)))
def test_shown_nodes_are_connected_as_in_the_whole_graph(
    edges: set[tuple[str, str]], hidden: set[str]
) -> None:
    children: dict[str, list[str]] = {}
    for parent, child in sorted(edges):
        children.setdefault(parent, []).append(child)
    shown = [one for one in NAMES if one not in hidden]

    added = paths_through(hidden, shown, children)

    drawn: dict[str, list[str]] = {one: [] for one in shown}
    for parent, child in [*(edge for edge in edges if not hidden & {*edge}), *added]:
        drawn[parent].append(child)
    for one in shown:
        before = reachable(one, children, set(NAMES)) & set(shown)
        assert reachable(one, drawn, set(NAMES)) - {one} == before - {one}
    for parent, child in added:
        assert (parent, child) not in edges
        assert child in reachable(parent, children, hidden)


def test_an_edge_that_others_imply_is_left_out() -> None:
    children = {"a": ["h", "b"], "b": ["c"], "h": ["c", "d"]}

    assert paths_through({"h"}, ["a", "b", "c", "d"], children) == [("a", "d")]


Edges = set[tuple[str, str]]


def children_of(edges: Edges) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for parent, child in sorted(edges):
        found.setdefault(parent, []).append(child)
    return found


def of_runs(base: Edges, current: Edges, shown: list[str]) -> list[DrawnEdge]:
    marks = {**dict.fromkeys(current - base, ADDED), **dict.fromkeys(base - current, REMOVED)}
    hidden = {end for edge in base | current for end in edge}.difference(shown)
    return drawn_edges(shown, children_of(base | current), hidden, marks)


@settings(max_examples=sampled(400, 80), deadline=None)
@given(graphs, graphs, graphs, st.sets(st.sampled_from(NAMES)))
def test_each_run_has_its_own_edges_and_paths(
    common: Edges, before: Edges, after: Edges, hidden: set[str]
) -> None:
    base, current = common | before, common | after
    shown = [one for one in NAMES if one not in hidden]

    found = of_runs(base, current, shown)

    assert len({(*edge.pair, edge.flags & INDIRECT) for edge in found}) == len(found)
    for run, other in ((base, ADDED), (current, REMOVED)):
        drawn = [edge for edge in found if not edge.flags & other]
        direct = {edge.pair for edge in drawn if not edge.flags & INDIRECT}
        assert direct == {edge for edge in run if not hidden & {*edge}}
        for edge in drawn:
            if edge.flags & INDIRECT:
                assert edge.child in reachable(edge.parent, children_of(run), hidden)
        for one in shown:
            there = reachable(one, children_of(run), set(NAMES)) & {*shown}
            assert reachable(one, children_of({edge.pair for edge in drawn}), set(NAMES)) - {one} == there - {
                one
            }


def test_halves_of_a_path_in_different_runs_are_no_path() -> None:
    assert of_runs({("a", "h")}, {("h", "c")}, ["a", "c"]) == []
    assert of_runs({("a", "h")}, {("a", "h"), ("h", "c")}, ["a", "c"]) == [
        DrawnEdge("a", "c", INDIRECT | ADDED)
    ]


def test_an_edge_that_became_a_path_is_drawn_as_both() -> None:
    found = of_runs({("a", "c")}, {("a", "h"), ("h", "c")}, ["a", "c"])

    assert found == [DrawnEdge("a", "c", REMOVED), DrawnEdge("a", "c", INDIRECT | ADDED)]


def test_an_edge_that_turned_round_closes_no_cycle() -> None:
    turned = of_runs({("a", "b")}, {("b", "a")}, ["a", "b"])
    cycle = of_runs({("a", "b")}, {("a", "b"), ("b", "a")}, ["a", "b"])

    assert closing_cycles(turned, {("b", "a")}) == turned
    assert [edge.flags for edge in closing_cycles(cycle, {("b", "a")})] == [0, ADDED | BACKWARD]


def test_the_steps_grow_with_the_edges_and_not_with_the_pairs_of_shown_nodes() -> None:
    count = 60
    # Each start leads to each later end through the hidden nodes, which the ends imply but for the first.
    children = {f"start{number}": [f"hidden{number}"] for number in range(count)}
    for number in range(count):
        for name in ("hidden", "end"):
            children[f"{name}{number}"] = [f"{name}{number + 1}"] if number + 1 < count else []
        children[f"hidden{number}"].append(f"end{number}")
    ends = [f"end{number}" for number in reversed(range(count))]
    hidden = {f"hidden{number}" for number in range(count)}
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(step)
    try:
        found = paths_through(hidden, [*ends, *(f"start{number}" for number in range(count))], children)
    finally:
        sys.setprofile(None)

    assert found == sorted((f"start{number}", f"end{number}") for number in range(count))
    assert steps < 60 * sum(map(len, children.values()))
