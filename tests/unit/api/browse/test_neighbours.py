"""The lineage around a node is that of the command `lineage`, cut at the farthest nodes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recce_meta.api.browse.neighbours import DEEPEST, neighbours
from recce_meta.api.runs import lineage_view
from recce_meta.models import EdgeOrigin, NodeMetadata
from recce_meta.models.lineage import Direction

IDS = [f"model.p.n{number}" for number in range(8)]
NAMES = {
    unique_id: NodeMetadata(unique_id=unique_id, name=unique_id[8:], resource_type="model")
    for unique_id in IDS
}
edges = st.sets(st.tuples(st.sampled_from(IDS), st.sampled_from([*IDS, "source.p.unknown"])), max_size=20)


def around(root, found, *, origins=None, **options):
    parents, children = {}, {}
    for child, parent in sorted(found):
        parents.setdefault(child, []).append(parent)
        children.setdefault(parent, []).append(child)
    return neighbours(root, NAMES, (parents, children), lambda ids: origins or {}, **options)


@given(edges, st.sampled_from(IDS), st.sampled_from(Direction), st.integers(1, DEEPEST))
def test_it_is_the_lineage_of_the_command(found, root, direction, depth):
    found = {(child, parent) for child, parent in found if child != parent}
    origin = EdgeOrigin("ref", 0.5)
    known = {child: {parent: origin for one, parent in found if one == child} for child, _ in found}

    view, truncated = around(root, found, origins=known, direction=direction, depth=depth)
    expected = lineage_view(root, NAMES, known, direction, depth)

    assert not truncated
    assert (view.root, view.direction, view.nodes) == (expected.root, expected.direction, expected.nodes)
    assert sorted(view.edges) == sorted(expected.edges)


def test_the_nearest_nodes_stay_if_there_are_too_many():
    chain = {(IDS[number + 1], IDS[number]) for number in range(7)}
    view, truncated = around(IDS[3], chain, depth=5, most=3)
    assert truncated and [node.distance for node in view.nodes] == [-1, 0, 1]
    assert {(edge.node_id, edge.parent_id) for edge in view.edges} == {(IDS[3], IDS[2]), (IDS[4], IDS[3])}
    view, truncated = around(IDS[3], chain, depth=1, most=3)
    assert not truncated and len(view.nodes) == 3


def test_the_depth_is_limited():
    chain = {(IDS[number + 1], IDS[number]) for number in range(7)}
    for depth, farthest in ((-1, 1), (0, 1), (1, 1), (10**30, DEEPEST)):
        assert max(node.distance for node in around(IDS[0], chain, depth=depth).view.nodes) == farthest
