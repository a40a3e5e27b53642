"""Node selection: dbt's own answers, and what dbt leaves unsaid."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import SelectorError, UnknownNameError
from recce_meta.extractors.manifest import read_manifest
from recce_meta.graph import Indirect, build_lineage_graph, select
from recce_meta.models import NodeMetadata, NodeResult, Project, RunMetadata

DATA = Path(__file__).parents[2] / "data" / "selection"
RECORDED = json.loads(gzip.decompress((DATA / "answers.json.gz").read_bytes()))


def load_nodes() -> dict[str, NodeMetadata]:
    raw = json.loads(gzip.decompress((DATA / "manifest.json.gz").read_bytes()))
    patches = {key: one.get("patch_path") for part in ("nodes", "sources") for key, one in raw[part].items()}
    nodes = read_manifest(DATA / "manifest.json.gz").nodes
    return {
        node.unique_id: replace(
            node, properties={**node.properties, "patch_path": patches.get(node.unique_id)}
        )
        for node in nodes
    }


NODES = load_nodes()
GRAPH = build_lineage_graph(NODES.values())
RESULTS = [NodeResult(unique_id=key, status=status) for key, status in RECORDED["statuses"].items()]
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
STATES = {
    answer["select"][0].removeprefix("state:"): answer["ids"]
    for answer in RECORDED["answers"]
    if len(answer["select"]) == 1 and answer["select"][0].startswith("state:")
}


def recorded_state(name: str) -> Collection[str]:
    if name not in STATES:
        raise UnknownNameError("state", name, sorted(STATES))
    return STATES[name]


def root(dbt_version: str | None, results: Iterable[NodeResult] = ()) -> Project:
    run = RunMetadata(run_id="1", run_at=AT, project_name="jaffle_ext", dbt_version=dbt_version)
    return Project(run=run, nodes=(), results=tuple(results))


def chosen(*expressions: str, dbt_version: str | None = "1.10.23", **options: Any) -> list[str]:
    """The names of what is selected, by dbt 1.10's rules unless told otherwise."""
    options = {"project": root(dbt_version), **options}
    ids = select(list(expressions), NODES, GRAPH, **options)
    return sorted(".".join(key.split(".")[2:]) for key in ids)


def described(answer: dict[str, Any]) -> str:
    return " ".join([*answer["select"], "-", *answer["exclude"], answer["indirect"]])


def test_dbt_selects_the_same_nodes(subtests: pytest.Subtests) -> None:
    assert RECORDED["answers"]
    for answer in RECORDED["answers"]:
        with subtests.test(described(answer)):
            found = select(
                answer["select"],
                NODES,
                GRAPH,
                exclude=answer["exclude"],
                indirect=Indirect(answer["indirect"]),
                state=recorded_state,
                project=root("1.10.23", RESULTS),
            )

            assert sorted(key for key in found if NODES[key].resource_type != "operation") == answer["ids"]


def test_a_blank_and_a_second_expression_both_mean_union() -> None:
    assert chosen("orders   customers") == chosen("orders", "customers") == ["customers", "orders"]


def test_nothing_selected_is_no_error() -> None:
    assert chosen("tag:nope") == []
    assert chosen("orders,tag:nope") == []


def test_no_expression_selects_every_enabled_node() -> None:
    nodes = {**NODES, "model.p.off": replace(NODES["model.jaffle_ext.orders"], config={"enabled": False})}

    assert select([], nodes, GRAPH) == set(NODES)


def test_a_disabled_node_is_neither_selected_nor_passed_through() -> None:
    off = replace(NODES["model.jaffle_ext.stg_orders"], config={"enabled": False})
    nodes = {**NODES, off.unique_id: off}

    found = select("+orders", nodes, GRAPH)

    assert off.unique_id not in found
    assert "source.jaffle_ext.ecom.orders" not in found


def test_since_dbt_1_11_a_bare_wildcard_names_nodes_in_folders() -> None:
    before = chosen("stg_*,resource_type:model", dbt_version="1.10.2")
    since = chosen("stg_*,resource_type:model", dbt_version="1.11.16")

    assert before == []
    assert since == ["stg_calendar", "stg_customers", "stg_orders", "stg_payments"]
    assert chosen("stg_*,resource_type:model", dbt_version="2025.11.4+d8fa9da") == since
    assert chosen("stg_*,resource_type:model", dbt_version=None) == since


def test_since_dbt_1_11_a_bare_wildcard_names_a_versioned_model_by_its_name() -> None:
    assert chosen("*versioned,resource_type:model", dbt_version="1.11.16") == [
        *("dim_versioned.v1", "dim_versioned.v2", "dim_versioned.v3")
    ]


def test_a_node_that_no_manifest_describes_is_named_by_its_name() -> None:
    table = NodeMetadata(unique_id="table.shop.orders", name="orders", resource_type="table")
    nodes = {table.unique_id: table}

    assert select("orders", nodes, build_lineage_graph([table])) == {table.unique_id}
    assert select("resource_type:table", nodes, build_lineage_graph([table])) == {table.unique_id}


def test_paths_may_be_written_with_backslashes() -> None:
    assert chosen("models\\staging\\*.sql") == chosen("models/staging/*.sql") != []


def test_without_a_root_project_paths_are_those_of_all_packages() -> None:
    assert chosen("path:models/calendar.sql") == []
    assert chosen("path:models/calendar.sql", project=None) == ["calendar"]


def test_an_unknown_method_lists_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        chosen("orders tga:nightly")

    assert caught.value.message == "Unknown selection method 'tga' in selector 'tga:nightly' at character 8"
    assert caught.value.hint == "did you mean 'tag'?"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("orders,,customers", "Invalid selector 'orders,,customers' at character 8: a comma requires"),
        ("orders,", "Invalid selector 'orders,' at character 8: a comma requires"),
        ("stg_orders ,orders", "Invalid selector ',orders' at character 12: a comma requires"),
        ("+", "Invalid selector '+' at character 2: a name is missing"),
        ("a tag:", "Invalid selector 'tag:' at character 7: a name is missing"),
        ("@orders+", "Invalid selector '@orders+' at character 1: '@' before and '+' after"),
        ("a,orders++", "Invalid selector 'orders++' at character 3: only one '+' is allowed"),
        ("++orders", "Invalid selector '++orders' at character 1: only one '+' is allowed"),
        ("config:table", "Invalid selector 'config:table' at character 1: 'config' requires a key"),
        ("config.:table", "Invalid selector 'config.:table' at character 1: 'config' requires a key"),
        ("source:a.b.c.d", "Invalid selector 'source:a.b.c.d' at character 1: 'a.b.c.d' has too many"),
        ("metric:a.b.c", "Invalid selector 'metric:a.b.c' at character 1: 'a.b.c' has too many"),
        ("path:/abs", "Invalid selector 'path:/abs' at character 1: a path must be relative"),
        ("../models/x", "Invalid selector '../models/x' at character 1: a path must be relative"),
        ("state:modified", "Invalid selector 'state:modified' at character 1: 'state:' requires a run"),
        ("result:error", "Invalid selector 'result:error' at character 1: 'result:' requires run results"),
        ("source_status:fresher+", "'source_status:' requires a run to compare with"),
        ("selector:nightly", "YAML selectors are not read here"),
    ],
)
def test_a_malformed_selector_is_refused_with_its_position(expression: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        select(expression, NODES, GRAPH)

    assert message in caught.value.message
    assert caught.value.hint or "results" in message


@pytest.mark.parametrize(
    ("expression", "kind"),
    [("resource_type:nope", "resource type"), ("version:newest", "version"), ("test_type:nope", "test type")],
)
def test_an_unknown_value_of_a_closed_set_is_refused(expression: str, kind: str) -> None:
    with pytest.raises(UnknownNameError, match=f"Unknown {kind} "):
        select(expression, NODES, GRAPH)


def test_an_unknown_state_is_refused_by_whoever_resolves_it() -> None:
    with pytest.raises(UnknownNameError, match="Unknown state 'changed'"):
        chosen("state:changed", state=recorded_state)


def test_this_package_needs_the_root_project() -> None:
    with pytest.raises(SelectorError, match="root project"):
        chosen("package:this", project=None)


def test_a_version_is_compared_as_a_number_where_it_is_one() -> None:
    model = NODES["model.jaffle_ext.dim_versioned.v2"]
    nodes = {
        name: replace(model, unique_id=name, version=name, properties={"latest_version": latest})
        for name, latest in [("10", 9), ("9", 10), ("beta", "alpha"), ("2", 2)]
    }
    graph = build_lineage_graph(nodes.values())

    assert select("version:prerelease", nodes, graph) == {"10", "beta"}
    assert select("version:old", nodes, graph) == {"9"}
    assert select("version:latest", nodes, graph) == {"2"}
