"""Paths through hidden nodes, compared with a search of all paths."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.graph.hidden_paths import paths_through

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


@settings(max_examples=400, deadline=None)
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
