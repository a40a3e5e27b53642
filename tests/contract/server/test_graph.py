"""Graphs of runs and diffs: every edge and hidden neighbour is that of the view `lineage`."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.graph import diff_graph, places_of, run_graph
from recce_meta.api.browse.graph_columns import LACKS_LINEAGE, column_path, graph_columns
from recce_meta.api.browse.graph_query import HUB, GraphQuery, graph_query
from recce_meta.api.diff import diff
from recce_meta.api.impact import Address, impact_in
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.errors import SelectorError, UsageError
from recce_meta.models import EdgeOrigin, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.change import Reach
from recce_meta.models.graph_view import ADDED, BACKWARD, INDIRECT, REMOVED, UNCERTAIN, GraphView
from recce_meta.models.lineage import Direction, Usage
from recce_meta.report.labels import TESTS
from recce_meta.server.pages.graph.section import nodes_listing
from recce_meta.store.select import resolve_run
from recce_meta.store.write import record_run
from tests.support.impact_shop import SHOP, analyse

AT = datetime(2026, 11, 20, tzinfo=timezone.utc)
ODD = "model.shop.m\"'><script>/.. é"
Edges = set[tuple[str, str]]


class Drawn(NamedTuple):
    """Edges of a view by the ids of parent and child."""

    direct: Edges
    indirect: Edges


def drawn(view: GraphView) -> Drawn:
    ids = [node.id for node in view.nodes]
    found = [(ids[edge.parent], ids[edge.child], edge.flags) for edge in view.edges]
    assert len({(*edge[:2], edge[2] & INDIRECT) for edge in found}) == len(found)
    return Drawn(
        {(parent, child) for parent, child, flags in found if not flags & INDIRECT},
        {(parent, child) for parent, child, flags in found if flags & INDIRECT},
    )


def stored_edges(reader: StoredRunReader) -> Edges:
    adapter = reader.adapter
    place = adapter.quote_table(adapter.warehouse.folded(adapter.schema), adapter.warehouse.folded("lineage"))
    _, rows = adapter.execute(f"SELECT run_id, parent_id, node_id FROM {place}")
    return {(str(parent), str(child)) for found, parent, child in rows if found == reader.run.run_id}


def reachable(start: str, edges: Edges, through: Iterable[str] | None = None) -> set[str]:
    children: dict[str, list[str]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    allowed = None if through is None else set(through)
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                if allowed is None or child in allowed:
                    waiting.append(child)
    return found


def check(view: GraphView, edges: Edges, reader: StoredRunReader, *, has_tests: bool = False) -> None:
    """Compare the edges and hidden neighbours of *view* with *edges*, those of the store."""
    tests = {one for one, node in reader.names.items() if node.resource_type in TESTS}
    shown = {node.id for node in view.nodes}
    listed = edges if has_tests else {edge for edge in edges if not (tests - shown) & {*edge}}
    found = drawn(view)
    assert found.direct == {edge for edge in listed if shown >= {*edge}}
    for node in view.nodes:
        assert node.parents == sum(child == node.id and parent not in shown for parent, child in listed)
        assert node.children == sum(parent == node.id and child not in shown for parent, child in listed)
    for parent, child in found.indirect:
        assert child in reachable(parent, listed, {one for edge in listed for one in edge} - shown)


def project(seed: int, run_id: str, *, count: int = 90) -> Project:
    """Return a project of models in a random graph, with a hub, a cycle, tests and unknown parents."""
    chance = random.Random(seed)
    ids = [f"model.shop.m{number:02}" for number in range(count)]
    ids[7] = ODD
    nodes = []
    for number, one in enumerate(ids):
        parents = (
            {ids[chance.randrange(max(0, number - 12), number)] for _ in range(2)} if number > 4 else set()
        )
        if number > 10 and number % 2 == seed % 2:
            parents.add(ids[2])  # a hub
        if number == 3:
            parents |= {"source.shop.raw.gone", one, ids[9]}
        nodes.append(
            NodeMetadata(
                unique_id=one,
                name=one.split(".", 2)[2],
                resource_type="model" if number % 7 else "seed",
                package_name="shop" if number % 5 else "other",
                path=f"models/{'staging' if number < 20 else 'marts'}/m{number:02}.sql",
                fqn=("shop", one.split(".", 2)[2]),
                tags=("daily",) if number % 3 else (),
                meta={"owner": "Ann <a@b>"} if number % 4 == 0 else {},
                parents=tuple(sorted(parents)),
                edge_origins={parent: EdgeOrigin("sql", 0.5) for parent in parents if parent == ids[2]},
            )
        )
    for number in range(40):
        read = ids[chance.randrange(count)]
        nodes.append(
            NodeMetadata(
                unique_id=f"test.shop.t{number:02}",
                name=f"t{number:02}",
                resource_type="test",
                parents=(read,),
            )
        )
    results = tuple(
        NodeResult(unique_id=node.unique_id, status=chance.choice(("pass", "fail", "warn")))
        for node in nodes
        if node.resource_type == "test" and node.unique_id[-1] != "0"
    )
    run = RunMetadata(run_id=run_id, run_at=AT, project_name="shop")
    return Project(run=run, nodes=tuple(sorted(nodes, key=lambda node: node.unique_id)), results=results)


Readers = tuple[StoredRunReader, StoredRunReader]


@pytest.fixture
def readers(backend: Any, prepared_databases: Any, request: pytest.FixtureRequest) -> Iterator[Readers]:
    """Yield two runs of a random project, recorded once for each warehouse."""

    def fill(adapter: UnifiedSqlAdapter) -> None:
        for seed in range(2):
            record_run(adapter, project(seed, f"run-{seed}"))

    def read(adapter: UnifiedSqlAdapter) -> Readers:
        runs = [resolve_run(adapter, f"run-{seed}") for seed in range(2)]
        base, current = (StoredRunReader(adapter, run) for run in runs)
        return base, current

    with prepared_databases.copied(backend, (request.path, "readers"), fill) as copy:
        if copy is None:
            adapter = request.getfixturevalue("adapter").at(request.getfixturevalue("schema"))
            fill(adapter)
            yield read(adapter)
            return
        with copy[0].connect() as adapter:
            yield read(adapter.at(copy[1]))


QUERIES = [
    GraphQuery(),
    GraphQuery(node="m30"),
    GraphQuery(node=ODD, up=3, down=2),
    GraphQuery(node="m30", up=0, down=0, expand=("model.shop.m30:up", "model.shop.m02:down")),
    GraphQuery(type=("seed",)),
    GraphQuery(tag=("dail*",), package=("shop",)),
    GraphQuery(path=("models/marts",), exclude="m40+"),
    GraphQuery(owner=("ann",)),
    GraphQuery(most=10),
    GraphQuery(select="+m50,path:models/marts m10+1", exclude="tag:daily"),
    GraphQuery(select="config.materialized:table"),
]


@pytest.mark.extensive
def test_edges_and_hidden_neighbours_are_those_of_the_store(readers: Readers) -> None:
    reader = readers[0]
    edges = stored_edges(reader)
    for query in QUERIES:
        check(run_graph(reader, query), edges, reader)
    everything = run_graph(reader, GraphQuery(type=("model", "seed", "source", "test")))
    check(everything, edges, reader, has_tests=True)
    assert len(everything.nodes) == everything.total == 131
    assert drawn(everything).direct == edges
    assert run_graph(reader, GraphQuery()).total == run_graph(reader, GraphQuery(node="m30")).total == 91
    assert run_graph(reader, GraphQuery(node="t01")).total == 92


def test_a_hidden_node_leaves_its_paths(readers: Readers) -> None:
    reader = readers[0]
    edges = stored_edges(reader)
    for query in QUERIES:
        if query.node or query.hubs:
            continue
        view = run_graph(reader, query)
        shown = {node.id for node in view.nodes}
        own = {edge for found in drawn(view) for edge in found}
        for one in shown:
            assert reachable(one, own) - {one} == reachable(one, edges) & shown - {one}


def test_hubs_are_hidden_on_request_and_named(readers: Readers) -> None:
    reader = readers[0]
    view = run_graph(reader, GraphQuery())
    hub = run_graph(reader, GraphQuery(hubs="hide"))
    degrees = {node.id: 0 for node in view.nodes}
    for parent, child in drawn(view).direct:
        degrees[parent] += 1
        degrees[child] += 1

    assert hub.hidden_hubs == ("model.shop.m02",)
    assert set(hub.hidden_hubs) == {one for one, degree in degrees.items() if degree > HUB}
    assert {node.id for node in hub.nodes} == degrees.keys() - set(hub.hidden_hubs)
    focused = run_graph(reader, GraphQuery(node="m02", hubs="hide"))
    assert "model.shop.m02" in {node.id for node in focused.nodes}


def test_the_flags_of_edges_and_the_words_of_tests(
    readers: Readers,
) -> None:
    reader = readers[0]
    view = run_graph(reader, GraphQuery())
    nodes = {node.id: node for node in view.nodes}
    places = {node.id: node for node in view.nodes}
    for edge in view.edges:
        parent, child = view.nodes[edge.parent], view.nodes[edge.child]
        assert bool(edge.flags & UNCERTAIN) == (parent.id == "model.shop.m02")
        assert edge.flags & BACKWARD or parent.x < child.x
        is_back = edge.flags & BACKWARD
        assert is_back or len(edge.bends) == child.layer - parent.layer - 1
    assert sum(bool(edge.flags & BACKWARD) for edge in view.edges) >= 2
    assert places["source.shop.raw.gone"].type == "source"
    assert nodes[ODD].name == ODD.split(".", 2)[2]
    results = reader.results_of([one for one in reader.names if one.startswith("test.")])
    for one, node in nodes.items():
        tests = [edge.node_id for edge in reader.edges if edge.parent_id == one and "test." in edge.node_id]
        statuses = [results[test].status if test in results else None for test in tests]
        failed, warned = statuses.count("fail"), statuses.count("warn")
        tone = "failed" if failed else "warned" if warned else "passed" if "pass" in statuses else ""
        assert node.tests_tone == tone
        assert bool(node.tests) == bool(tests)
        if failed or warned:
            assert node.tests.startswith(f"{failed or warned} of {len(tests)} ")


def test_a_diff_has_the_edges_of_both_runs(readers: Readers) -> None:
    base, current = readers
    changes = diff(lambda: base.adapter, base.run, current.run)
    old, new = map(stored_edges, readers)
    tests = {one for one in current.names if one.startswith("test.")}
    for query in (GraphQuery(), GraphQuery(node="m30", up=2), GraphQuery(select="state:modified+1")):
        view = diff_graph(changes, (base, current), query)
        shown = {node.id for node in view.nodes}
        edges = drawn(view)
        assert edges.direct == {edge for edge in old | new if shown >= {*edge}}
        for edge in view.edges:
            pair = (view.nodes[edge.parent].id, view.nodes[edge.child].id)
            if not edge.flags & INDIRECT:
                assert bool(edge.flags & ADDED) == (pair in new - old)
                assert bool(edge.flags & REMOVED) == (pair in old - new)
        for node in view.nodes:
            hidden = {parent for parent, child in old | new if child == node.id} - shown - tests
            assert node.parents == len(hidden)
    known, added, removed = (
        {(one.parent_id, one.node_id) for one in some}
        for some in (changes.edges, changes.added_edges, changes.removed_edges)
    )
    assert (added, removed) == (known & new - old, known & old - new)
    assert added and removed
    opened = diff_graph(changes, (base, current), GraphQuery())
    changed = {one.unique_id for one in changes.changed} | {one.unique_id for one in changes.impacted}
    assert {node.id for node in opened.nodes} == changed - tests
    assert all(node.status for node in opened.nodes)


def test_positions_stay_between_runs_and_expansions(
    readers: Readers,
) -> None:
    reader, later = readers
    query = GraphQuery(node="m30")
    view = run_graph(reader, query)
    before = places_of(view)
    near = next(node.id for node in view.nodes if node.children and node.id != "model.shop.m30")
    after = places_of(run_graph(reader, GraphQuery(node="m30", expand=(f"{near}:down",))))
    columns = {after[one][0] - before[one][0] for one in before}
    assert after.keys() > before.keys()
    assert {one: after[one][1] for one in before} == {one: before[one][1] for one in before}
    assert 0 in columns
    again = places_of(run_graph(later, query, earlier=before))
    assert all(again[one][1] == before[one][1] for one in before.keys() & again.keys())


def test_a_wrong_query_is_a_usage_error(readers: Readers) -> None:
    def asked(**given: str) -> GraphQuery:
        return graph_query(lambda name: (given[name],) if name in given else ())

    assert asked() == GraphQuery()
    assert asked(up="3", tag="a", expand="x:y:up") == GraphQuery(up=3, tag=("a",), expand=("x:y:up",))
    for wrong in ({"up": "-1"}, {"down": "51"}, {"most": "0"}, {"most": "²"}, {"expand": "x"}, {"hubs": "x"}):
        with pytest.raises(UsageError):
            asked(**wrong)
    for query in (
        GraphQuery(node="nothing"),
        GraphQuery(type=("nothing",)),
        GraphQuery(expand=("nothing:up",)),
        GraphQuery(select="nothing:x"),
    ):
        with pytest.raises(UsageError):
            run_graph(readers[0], query)
    empty = run_graph(readers[0], GraphQuery(tag=("nothing",)))
    assert (empty.nodes, len(empty.notes)) == ((), 2)
    cut = run_graph(readers[0], GraphQuery(most=5))
    assert cut.is_cut and len(cut.nodes) == 5


@pytest.mark.extensive
def test_a_path_has_the_columns_of_the_impact(adapter: UnifiedSqlAdapter, schema: str) -> None:
    run = record_run(adapter.at(schema), SHOP, analyse=analyse).run
    compare_paths(StoredRunReader(adapter.at(schema), run))


def compare_paths(reader: StoredRunReader, nodes: Sequence[str] | None = None) -> int:
    """Compare the path of every column with the impact in both directions; return the number of columns."""
    compared = 0
    usages = {usage.value for usage in Usage}
    for unique_id in sorted(nodes or reader.names):
        for column in reader.output_names([unique_id]).get(unique_id, ()):
            if column == "*":
                continue
            path = column_path(reader, unique_id, column)
            with reader.session():
                view = impact_in(reader, Address(unique_id, column), Direction.BOTH, None)
            expected: dict[str, set[tuple[str, str]]] = {
                "up": set(),
                "down": set(),
                "": {(unique_id, column)},
            }
            edges = set()
            for node in view.nodes:
                for one in node.columns:
                    place = (node.unique_id, one.name)
                    if one.reach is Reach.COLUMNS and place != (unique_id, column):
                        expected["up" if one.distance < 0 else "down"].add(place)
                        edges |= {
                            ((s.parent_id, s.column), place) for s in one.sources if s.kind not in usages
                        }
                    elif place == (unique_id, column):
                        edges |= {
                            ((s.parent_id, s.column), place) for s in one.sources if s.kind not in usages
                        }
            for side, places in expected.items():
                assert {(one.node, one.column) for one in path.columns if one.side == side} == places
            flows = {(one.node, one.column) for one in path.columns}
            found = {
                tuple((path.columns[end].node, path.columns[end].column) for end in edge)
                for edge in path.edges
            }
            assert found == {edge for edge in edges if flows >= {*edge}}
            decided = {(one.node, one.column, one.reader, one.usage) for one in path.rows}
            below = {
                (use.parent_id, use.column, node.unique_id, use.kind)
                for node in view.nodes
                if node.distance > 0
                for use in node.uses
                if (use.parent_id, use.column) in expected["down"] | expected[""] and use.kind in usages
            }
            assert below <= decided
            compared += 1
    return compared


def test_without_column_lineage_a_path_and_columns_are_not_known(
    readers: Readers,
) -> None:
    reader = readers[0]
    run = replace(reader.run, column_graph_id=None)
    reader = StoredRunReader(reader.adapter, run)
    path = column_path(reader, "m30", "id")
    assert path.notes == (LACKS_LINEAGE,)
    assert [(one.node, one.column) for one in path.columns] == [("model.shop.m30", "id")]
    assert graph_columns(reader, "m30").note.startswith("The columns are not known")
    assert graph_columns(reader, "t01").note == "A node of type test has no columns."
    with pytest.raises(SelectorError):
        graph_columns(reader, "nothing")


def test_names_and_reads_of_a_graph_are_exact(adapter: UnifiedSqlAdapter, schema: str) -> None:
    sources = [
        NodeMetadata(unique_id=f"source.shop.{one}.orders", name="orders", resource_type="source")
        for one in ("raw", "erp")
    ]
    models = [
        NodeMetadata(unique_id=f"model.shop.{one}", name=one, resource_type="model", parents=parents)
        for one, parents in (
            ("middle", tuple(one.unique_id for one in sources)),
            ("last", ("model.shop.middle", "source.shop.raw.orders")),
        )
    ]
    run = RunMetadata(run_id="sources", run_at=AT, project_name="shop")
    reader = StoredRunReader(
        adapter.at(schema), record_run(adapter.at(schema), Project(run=run, nodes=(*sources, *models))).run
    )

    view = run_graph(reader, GraphQuery(exclude="middle"))

    assert {node.name for node in view.nodes} == {"raw.orders", "erp.orders", "last"}
    listing = nodes_listing(view, lambda *_: "")
    assert {row["name"]: row["reads"] for row in listing.rows}["last"] == (
        "erp.orders (through nodes that are not shown), raw.orders"
    )
