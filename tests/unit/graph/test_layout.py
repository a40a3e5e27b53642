"""Layout of graphs: layers, rows, cycles, waypoints, and positions that stay."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.graph.layout import Edge, GraphLayout, layout
from recce_meta.models.graph_view import BOX_HEIGHT, BOX_WIDTH, LAYER_PITCH, ROW_PITCH
from tests.proofs import sampled

Parents = Mapping[str, Sequence[str]]
NAMES = [f"n{number:02}" for number in range(18)]
graphs = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from([*NAMES, "unknown"]), max_size=5), max_size=18
)


def edges_of(parents: Parents) -> set[Edge]:
    return {(parent, child) for child, found in parents.items() for parent in found if parent in parents}


def boxes_overlap(found: GraphLayout) -> bool:
    columns: dict[int, list[int]] = {}
    for place in found.positions.values():
        columns.setdefault(place.x, []).append(place.y)
    xs = sorted(columns)
    return any(two - one < BOX_WIDTH for one, two in pairwise(xs)) or any(
        two - one < BOX_HEIGHT + 10 for own in columns.values() for one, two in pairwise(sorted(own))
    )


def seed_of(found: GraphLayout) -> dict[str, tuple[int, int]]:
    return {one: (place.x, place.y) for one, place in found.positions.items()}


def random_project(count: int, chance: random.Random) -> dict[str, list[str]]:
    ids = [f"model.shop.m{number:05}" for number in range(count)]
    return {
        one: [
            ids[chance.randrange(max(0, i - 40), i)] for _ in range(chance.choice((1, 2, 3)) if i > 10 else 0)
        ]
        for i, one in enumerate(ids)
    }


@settings(max_examples=sampled(200, 40), deadline=None)
@given(graphs)
def test_parents_are_left_of_children_and_boxes_apart(parents: dict[str, list[str]]) -> None:
    found = layout(parents, parents)

    assert found.positions.keys() == parents.keys()
    assert not boxes_overlap(found)
    edges = edges_of(parents)
    assert found.backward <= edges
    for parent, child in edges - found.backward:
        left, right = found.positions[parent], found.positions[child]
        assert right.x - left.x == (right.layer - left.layer) * LAYER_PITCH > 0
        assert len(found.bends.get((parent, child), ())) == right.layer - left.layer - 1
    assert {(one, one) for one in parents} & edges <= found.backward


@pytest.mark.extensive
@settings(max_examples=sampled(200, 40), deadline=None)
@given(graphs, st.randoms(use_true_random=False))
def test_the_layout_depends_on_the_graph_alone(parents: dict[str, list[str]], chance: random.Random) -> None:
    ids = list(parents)
    chance.shuffle(ids)
    shuffled = {one: chance.sample(parents[one] * 2, len(parents[one]) * 2) for one in ids}

    assert layout(ids, shuffled) == layout(parents, parents)


@settings(max_examples=sampled(150, 30), deadline=None)
@given(graphs, graphs)
def test_with_earlier_positions_boxes_stay_apart_and_edges_run_right(
    before: dict[str, list[str]], after: dict[str, list[str]]
) -> None:
    found = layout(after, after, seed_of(layout(before, before)))

    assert found.positions.keys() == after.keys()
    assert not boxes_overlap(found)
    for parent, child in edges_of(after) - found.backward:
        assert found.positions[parent].x < found.positions[child].x
    again = layout(after, after, seed_of(found))
    assert seed_of(again) == seed_of(found)


def test_an_acyclic_graph_has_no_backward_edge_and_a_cycle_has_one() -> None:
    assert layout("abc", {"b": "a", "c": "ab"}).backward == frozenset()
    assert layout("abc", {"a": "c", "b": "a", "c": "b"}).backward == {("c", "a")}
    assert layout("a", {"a": "a"}).backward == {("a", "a")}


def test_a_source_is_next_to_its_first_reader() -> None:
    parents = {"b": ["a"], "c": ["b"], "d": ["c", "late"]}
    found = layout(["a", "b", "c", "d", "late"], parents)

    assert found.positions["late"].layer == found.positions["c"].layer == 2


def test_a_long_edge_runs_between_boxes() -> None:
    parents = {"b": ["a"], "c": ["b"], "d": ["c", "a"], **{f"x{i}": ["a"] for i in range(9)}}
    parents |= {f"y{i}": [f"x{i}"] for i in range(9)}
    found = layout({"a", *parents}, parents)

    bends = found.bends["a", "d"]
    assert len(bends) == 2
    for layer, bend in enumerate(bends, 1):
        for place in found.positions.values():
            assert place.layer != layer or not place.y <= bend <= place.y + BOX_HEIGHT


@pytest.mark.parametrize("seed", range(5))
def test_adding_or_removing_a_node_moves_no_other(seed: int) -> None:
    chance = random.Random(seed)
    parents = random_project(300, chance)
    before = seed_of(layout(parents, parents))
    parent = chance.choice(list(parents))
    more = {**parents, "model.shop.new": [parent], "model.shop.alone": []}
    after = seed_of(layout(more, more, before))

    assert {one: after[one] for one in before} == before
    assert not boxes_overlap(layout(more, more, before))

    leaf = next(one for one in parents if not any(one in found for found in parents.values()))
    fewer = {one: found for one, found in parents.items() if one != leaf}
    assert seed_of(layout(fewer, fewer, before)) == {one: before[one] for one in fewer}


def test_a_new_layer_on_the_left_moves_no_node_and_one_in_between_moves_only_what_follows() -> None:
    parents: dict[str, list[str]] = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["a"]}
    before = seed_of(layout(parents, parents))
    left = seed_of(layout([*parents, "new"], {**parents, "a": ["new"]}, before))
    between = seed_of(layout([*parents, "new"], {**parents, "new": ["b"], "c": ["new"]}, before))

    assert {one: left[one] for one in before} == before
    assert left["new"][0] == before["a"][0] - LAYER_PITCH
    moved = {one for one in before if between[one] != before[one]}
    assert moved == {"c", "d"}
    assert all(between[one][1] == before[one][1] for one in before)


def test_nodes_without_neighbours_are_a_block_and_no_tower() -> None:
    found = layout([f"n{number:03}" for number in range(300)], {})

    width = len({place.x for place in found.positions.values()})
    height = len({place.y for place in found.positions.values()})
    assert 6 <= width <= 15 and height <= 40
    assert not boxes_overlap(found)


def test_extreme_graphs_are_laid_out() -> None:
    chain = {f"n{number:05}": [f"n{number - 1:05}"] for number in range(1, 5_000)}
    assert max(place.layer for place in layout({"n00000", *chain}, chain).positions.values()) == 4_999
    hub = {f"n{number:05}": ["hub"] for number in range(3_500)}
    found = layout({"hub", *hub}, hub)
    tops = sorted(place.y for one, place in found.positions.items() if one != "hub")
    assert all(two - one >= ROW_PITCH - 1 for one, two in pairwise(tops))
    assert tops[1_000] < found.positions["hub"].y < tops[2_500]
    assert layout([], {}) == GraphLayout({})
    assert not layout(["a"], {"a": ["gone"], "gone": ["a"]}).backward


def test_fewer_edges_cross_than_in_the_order_of_names() -> None:
    parents = random_project(120, random.Random(7))
    found = layout(parents, parents).positions
    rows: dict[int, int] = {}
    by_name = {}
    for one in sorted(found):
        layer = found[one].layer
        by_name[one] = rows[layer] = rows.get(layer, 0) + 1
    direct = [edge for edge in edges_of(parents) if found[edge[1]].layer - found[edge[0]].layer == 1]

    def crossings(place: Mapping[str, float]) -> int:
        return sum(
            found[one[0]].layer == found[two[0]].layer
            and (place[one[0]] - place[two[0]]) * (place[one[1]] - place[two[1]]) < 0
            for index, one in enumerate(direct)
            for two in direct[:index]
        )

    assert crossings({one: place.y for one, place in found.items()}) < 0.6 * crossings(by_name)
