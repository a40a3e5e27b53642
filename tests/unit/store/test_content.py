"""Ids say what a thing is, and nothing else."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from msgspec.structs import replace

from recce_meta.models import Column, EdgeOrigin, MacroMetadata, NodeMetadata, Project, RunMetadata
from recce_meta.store import content
from recce_meta.store.content import contents, part_count, version_id

PLACE = {"database_name", "schema_name", "identifier", "relation_name"}
NODE = NodeMetadata(
    unique_id="model.p.a",
    name="a",
    resource_type="model",
    relation_name="db.prod.a",
    compiled_code="select * from db.prod.b where x in (select y from db.prod.a)",
    parents=("model.p.b",),
    edge_origins={"model.p.b": EdgeOrigin("ref")},
    config={"x": 1, "a": 2},
)
PARENT = NodeMetadata(unique_id="model.p.b", name="b", resource_type="model", relation_name="db.prod.b")
OTHER_VALUES = {str: "other", "tuple": ("other",), "dict": {"other": 1}}


def other(field):
    if field == "columns":
        return (Column("other"),)
    if field in ("fqn", "tags", "parents", "macros"):
        return ("other",)
    if field in ("config", "unrendered_config", "meta", "contract", "properties"):
        return {"other": 1}
    return "other"


def project(*nodes, macros=()):
    run = RunMetadata(run_id="r", run_at=datetime(2026, 1, 1, tzinfo=timezone.utc), project_name="p")
    return Project(run=run, nodes=nodes, macros=macros)


FIELDS = [field for field in NodeMetadata.__struct_fields__ if field != "edge_origins"]


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_but_the_place_makes_another_version(field):
    changed = replace(NODE, **{field: other(field)})
    differs = version_id(changed) != version_id(NODE)
    assert differs == (field not in PLACE - {"relation_name"}), "relation_name stands in this node's own code"


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_makes_another_graph(field):
    assert (
        contents(project(replace(NODE, **{field: other(field)}))).graph_id != contents(project(NODE)).graph_id
    )


def test_how_an_edge_is_known_makes_no_other_version_and_no_other_graph():
    otherwise = replace(NODE, edge_origins={"model.p.b": EdgeOrigin("sql", 0.5)})

    assert version_id(otherwise) == version_id(NODE)
    assert contents(project(otherwise)).graph_id == contents(project(NODE)).graph_id
    assert list(content.parent_rows([("v", NODE), ("w", replace(NODE, edge_origins={}))])) == [
        ("v", "model.p.b", "ref", 1.0),
        ("w", "model.p.b", None, None),
    ]


def test_the_same_code_in_another_schema_is_the_same_version():
    moved = [
        replace(
            node,
            schema_name="pr_7",
            relation_name=node.relation_name.replace("prod", "pr_7"),
            compiled_code=node.compiled_code and node.compiled_code.replace("prod", "pr_7"),
        )
        for node in (NODE, PARENT)
    ]
    here, there = contents(project(NODE, PARENT)), contents(project(*moved))
    assert here.versions.keys() == there.versions.keys()
    assert here.graph_id != there.graph_id
    assert version_id(NODE, [PARENT]) in here.versions


def test_ids_do_not_depend_on_the_order_of_nodes_or_keys():
    turned = replace(NODE, config={"a": 2, "x": 1})
    assert contents(project(NODE, PARENT)) != contents(project(PARENT))
    assert contents(project(NODE, PARENT)).graph_id == contents(project(PARENT, turned)).graph_id
    assert contents(project(NODE, PARENT)).parts.keys() == contents(project(PARENT, turned)).parts.keys()


def test_numbers_of_another_kind_make_another_version():
    assert version_id(replace(NODE, config={"x": 1})) != version_id(replace(NODE, config={"x": 1.0}))


def test_rows_have_a_value_for_every_column():
    assert len(content.version_row("v", NODE, None, content.ObjectTexts())) == len(content.VERSION_COLUMNS)
    macro = MacroMetadata(unique_id="macro.p.m", name="m")
    assert len(content.macro_row("v", macro)) == len(content.MACRO_COLUMNS)
    (part, rows), *_ = contents(project(NODE)).parts.items()
    assert [len(row) for row in content.part_rows([(part, rows)])] == [len(content.NODE_COLUMNS)]
    assert [len(row) for row in content.parent_rows([("v", NODE)])] == [len(content.PARENT_COLUMNS)]


def test_every_field_of_a_node_has_a_column():
    stored = {*content.VERSION_COLUMNS, *content.NODE_COLUMNS, "parents", "edge_origins"}
    assert set(NodeMetadata.__struct_fields__) <= stored
    assert set(MacroMetadata.__struct_fields__) <= set(content.MACRO_COLUMNS)


def test_a_change_of_one_node_in_a_large_graph_changes_one_part():
    nodes = [
        NodeMetadata(unique_id=f"model.p.n{n}", name=f"n{n}", resource_type="model") for n in range(3000)
    ]
    before = contents(project(*nodes)).parts
    after = contents(project(*nodes[:7], replace(nodes[7], description="new"), *nodes[8:])).parts
    new = after.keys() - before.keys()
    assert len(new) == 1 and len(before) == len(after)
    assert sum(len(after[part]) for part in new) + len(after) < 400


@pytest.mark.parametrize(
    ("nodes", "parts"), [(0, 1), (1, 4), (20, 16), (500, 64), (5000, 256), (25_000, 512)]
)
def test_parts_are_about_as_many_as_the_root_of_the_nodes(nodes, parts):
    assert part_count(nodes) == parts
