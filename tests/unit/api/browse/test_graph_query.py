"""Choice of the nodes of a view: each node is judged a few times, however many edges it has."""

from __future__ import annotations

import pytest

from recce_meta.api.browse import graph_query
from recce_meta.api.browse.graph_query import GraphPart, GraphQuery, WholeGraph


def test_a_node_is_judged_a_few_times_however_many_edges_the_graph_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = [f"model.shop.m{number:02}" for number in range(40)]
    tests = [f"test.shop.t{number:02}" for number in range(40)]
    parents = {one: ids[:number] for number, one in enumerate(ids)} | dict.fromkeys(tests, ids)
    children = {one: [*ids[number + 1 :], *tests] for number, one in enumerate(ids)}
    part = GraphPart(
        WholeGraph({}, parents, children),
        GraphQuery(),
        selected=lambda *_: frozenset(),
        owners=lambda _: {},
    )
    judged: list[str] = []
    kind_of = graph_query.kind_of
    monkeypatch.setattr(graph_query, "kind_of", lambda one, names: judged.append(one) or kind_of(one, names))

    order = part.by_degree()
    assert order == ids  # all have the same number of neighbours, without tests
    assert len(judged) == 80

    judged.clear()
    assert [part.unshown(one, set(ids)) for one in ids] == [(0, 0)] * 40
    assert set(judged) == {*tests}
    assert part.unshown(ids[1], {ids[1]}) == (1, 38)
