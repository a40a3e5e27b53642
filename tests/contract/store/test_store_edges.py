"""How edges are known is stored with them, and does not change what a node is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.api import runs
from recce_meta.api.export import cut
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.models import EdgeOrigin, NodeMetadata, Project
from recce_meta.models.lineage import KnownEdge
from recce_meta.report import lineage_json
from recce_meta.store import graphs
from recce_meta.store.export import read_export, write_export
from recce_meta.store.read import load_nodes_by_id, run_by_id
from recce_meta.store.select import load_run
from recce_meta.store.session import open_store
from recce_meta.store.write import record_run

pytestmark = pytest.mark.core("sqlite")

LINEAGE = "SELECT node_id, parent_id, kind, confidence FROM {s}.lineage WHERE run_id = '%s'"
CATALOG, PARSED, NAMED = EdgeOrigin("catalog"), EdgeOrigin("sql", 0.9), EdgeOrigin("sql", 0.5)


def scan(
    run_id: str, make_project: Callable[..., Project], extractor: str = "database", **origins: EdgeOrigin
) -> Project:
    """A view `v` of tables, each of which it reads as *origins* say; and one, `w`, that reads `v`."""
    project = make_project(run_id, extractor=extractor, size=0)
    tables = [relation(name) for name in origins]
    known = {f"relation.main.{name}": origin for name, origin in origins.items()}
    v = relation("v", parents=tuple(sorted(known)), edge_origins=known)
    w = relation("w", parents=("relation.main.v",), edge_origins={"relation.main.v": PARSED})
    nodes = sorted([*tables, v, w], key=lambda node: node.unique_id)
    return replace(project, nodes=tuple(nodes), macros=(), groups=(), results=())


def relation(name: str, **fields: Any) -> NodeMetadata:
    kind = "view" if fields else "table"
    return NodeMetadata(unique_id=f"relation.main.{name}", name=name, resource_type=kind, **fields)


def record(store: Any, project: Project) -> Any:
    return record_run(store.adapter.at(store.schema), project)


def lineage(store: Any, run_id: str) -> dict[str, tuple[str | None, float | None]]:
    """Kind and confidence of each edge of the run, by its ends."""
    quoted = store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))
    _, rows = store.adapter.execute((LINEAGE % run_id).replace("{s}", quoted))
    return {
        f"{child.rpartition('.')[2]} reads {parent.rpartition('.')[2]}": (
            kind,
            None if confidence is None else float(confidence),
        )
        for child, parent, kind, confidence in rows
    }


def forget(store: Any) -> None:
    """Leave the edges as a recorder before version 8 stored them."""
    quoted = store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))
    edges = f"{quoted}.store_version_parents"
    store.adapter.execute(f"UPDATE {edges} SET kind = NULL, confidence = NULL WHERE TRUE")


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_the_view_lineage_shows_how_each_edge_of_a_scan_is_known(store, make_project):
    record(store, scan("s", make_project, a=CATALOG, b=PARSED, c=NAMED))

    assert lineage(store, "s") == {
        "v reads a": ("catalog", 1.0),
        "v reads b": ("sql", 0.9),
        "v reads c": ("sql", 0.5),
        "w reads v": ("sql", 0.9),
    }


def test_origins_of_edges_come_back_with_their_nodes(store, make_project):
    project = scan("s", make_project, a=CATALOG, b=NAMED)
    run = record(store, project).run

    assert load_run(store.adapter.at(store.schema), "s").nodes == project.nodes
    (v,) = load_nodes_by_id(store.adapter.at(store.schema), run, ["relation.main.v"])
    assert v.edge_origins == {"relation.main.a": CATALOG, "relation.main.b": NAMED}
    outlines = StoredRunReader(store.adapter.at(store.schema), run).outlines(["relation.main.v"])
    assert outlines["relation.main.v"].uncertain == {"relation.main.b"}


def test_edges_that_dbt_wrote_are_refs_and_sources_also_if_that_was_not_stored(
    store, make_project, make_node
):
    parents = ("model.shop.m000", "source.shop.raw.x")
    project = make_project(size=1)
    reader = replace(make_node("reader", "prod"), parents=parents)
    record(store, replace(project, nodes=(*project.nodes, reader)))

    assert lineage(store, "run-1") == {"reader reads m000": ("ref", 1.0), "reader reads x": ("source", 1.0)}


@pytest.mark.parametrize("extractor", ["database", "sql", "dbt-sql"])
def test_edges_that_were_stored_without_origin_get_it_from_the_next_run(store, make_project, extractor):
    record(store, scan("before", make_project, extractor, a=CATALOG, b=NAMED))
    forget(store)
    assert set(lineage(store, "before").values()) == {(None, None)}

    done = record(store, scan("after", make_project, extractor, a=CATALOG, b=NAMED))

    known = {"v reads a": ("catalog", 1.0), "v reads b": ("sql", 0.5), "w reads v": ("sql", 0.9)}
    assert lineage(store, "after") == known == lineage(store, "before")
    assert (done.new_graph, done.versions_written) == (False, 0)


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_the_surest_origin_of_an_edge_stays(store, make_project):
    record(store, scan("first", make_project, a=NAMED, b=CATALOG))
    record(store, scan("second", make_project, a=PARSED, b=NAMED))

    known = {"v reads a": ("sql", 0.9), "v reads b": ("catalog", 1.0), "w reads v": ("sql", 0.9)}
    assert lineage(store, "first") == known == lineage(store, "second")


def test_a_node_whose_edges_are_known_in_another_way_is_no_change(store, make_project):
    first = record(store, scan("first", make_project, a=NAMED)).run
    second = record(store, scan("second", make_project, a=CATALOG)).run

    assert first.graph_id == second.graph_id
    assert store.scalar("SELECT COUNT(*) FROM {s}.node_changes") == 0


def test_many_edges_are_told_in_statements_of_bounded_length(store, make_project, monkeypatch):
    monkeypatch.setattr(graphs, "MOST_BYTES", 120)
    names = [f"t{number}" for number in range(9)]
    record(store, scan("before", make_project, **dict.fromkeys(names, PARSED)))
    forget(store)

    record(store, scan("after", make_project, **dict.fromkeys(names, PARSED)))

    assert set(lineage(store, "before").values()) == {("sql", 0.9)}


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_the_command_lineage_says_in_json_how_each_edge_is_known(store, make_project):
    record(store, scan("s", make_project, a=CATALOG))

    view = runs.load_lineage(lambda: store.adapter.at(store.schema), "s", "v")

    assert json.loads(lineage_json(view))["edges"] == [
        {"node_id": "relation.main.v", "parent_id": "relation.main.a", "kind": "catalog", "confidence": 1.0},
        {"node_id": "relation.main.w", "parent_id": "relation.main.v", "kind": "sql", "confidence": 0.9},
    ]
    forget(store)
    (first, _) = runs.load_lineage(lambda: store.adapter.at(store.schema), "s", "v").edges
    assert first == KnownEdge("relation.main.v", "relation.main.a")


def test_the_command_lineage_derives_how_edges_of_dbt_are_known(store, make_project):
    record(store, make_project(size=2))

    (edge,) = runs.load_lineage(lambda: store.adapter.at(store.schema), "run-1", "m000").edges

    assert edge == KnownEdge("model.shop.m001", "model.shop.m000", "ref", 1.0)


def test_an_export_takes_the_origins_of_edges_along(store, make_project):
    run = record(store, scan("s", make_project, a=CATALOG, b=NAMED)).run
    before = lineage(store, "s")
    with open_store(store.adapter.at(store.schema)) as session:
        export = read_export(session, run_by_id(session, run.run_id))
    forget(store)
    part = cut(export, ["a", "v"], [])

    done = write_export(store.adapter.at(store.schema), part)

    assert lineage(store, done.run.run_id) == {"v reads a": ("catalog", 1.0)}
    (v,) = [node for node in part.project.nodes if node.name == "v"]
    assert v.edge_origins == {"relation.main.a": CATALOG}
    assert before["v reads b"] == ("sql", 0.5)
