"""What two runs differ in, compared where they are stored."""

from __future__ import annotations

from msgspec.structs import replace

from recce_meta.store.read import load_differences
from recce_meta.store.write import record_run


def test_only_nodes_that_differ_are_loaded(store, make_project):
    base = record_run(store.adapter.at(store.schema), make_project("b", environment="base", size=100)).run
    newer = make_project("c", size=100, changed=("m007",))
    newer = replace(newer, nodes=newer.nodes[:-1])
    current = record_run(store.adapter.at(store.schema), newer).run

    before, after = load_differences(store.adapter.at(store.schema), base, current)

    assert [node.name for node in before] == ["m007", "m099"]
    assert [node.name for node in after] == ["m007"]
    assert before[0].raw_code == "select 'plain' from {{ ref('m006') }}"
    assert after[0].raw_code == "select 'changed' from {{ ref('m006') }}"
    assert after[0].compiled_code == "select 'changed' from ⟦model.shop.m006⟧"
    assert after[0].parents == ("model.shop.m006",)
    assert before[1].raw_code is not None, "code of a removed node is there"


def test_code_that_is_equal_is_not_fetched(store, make_project):
    project = make_project("b")
    base = record_run(store.adapter.at(store.schema), project).run
    described = (replace(project.nodes[0], description="new"), *project.nodes[1:])
    newer = replace(project, run=replace(project.run, run_id="c"), nodes=described)
    current = record_run(store.adapter.at(store.schema), newer).run

    (before,), (after,) = load_differences(store.adapter.at(store.schema), base, current)

    assert (before.description, after.description) == ("", "new")
    assert (before.raw_code, before.compiled_code, after.raw_code, after.compiled_code) == (None,) * 4
    assert before.code_hash == after.code_hash == "hash-plain-m000"


def test_white_space_alone_is_told_because_a_literal_may_hold_it(store, make_project):
    project = make_project("b")
    base = record_run(store.adapter.at(store.schema), project).run
    first = project.nodes[0]
    spaced = replace(first, compiled_code=f"\n\n  {first.compiled_code}\n")
    newer = replace(project, run=replace(project.run, run_id="c"), nodes=(spaced, *project.nodes[1:]))
    current = record_run(store.adapter.at(store.schema), newer).run

    (before,), (after,) = load_differences(store.adapter.at(store.schema), base, current)

    assert (before.compiled_code, after.compiled_code) == (first.compiled_code, spaced.compiled_code)
    assert before.raw_code is after.raw_code is None


def test_another_place_is_a_difference_without_code(store, make_project):
    base = record_run(store.adapter.at(store.schema), make_project("b", place="prod")).run
    current = record_run(store.adapter.at(store.schema), make_project("c", place="pr_7")).run

    before, after = load_differences(store.adapter.at(store.schema), base, current)

    assert len(before) == len(after) == 12
    assert {node.schema_name for node in before} == {"prod"}
    assert {node.schema_name for node in after} == {"pr_7"}
    assert {node.compiled_code for node in (*before, *after)} == {None}


def test_equal_graphs_have_no_differences(store, make_project):
    base = record_run(store.adapter.at(store.schema), make_project("b")).run
    current = record_run(store.adapter.at(store.schema), make_project("c")).run

    assert load_differences(store.adapter.at(store.schema), base, current) == ([], [])


def test_graphs_cut_into_different_numbers_of_parts_compare_node_by_node(store, make_project):
    base = record_run(store.adapter.at(store.schema), make_project("b", size=20)).run
    current = record_run(store.adapter.at(store.schema), make_project("c", size=400)).run

    before, after = load_differences(store.adapter.at(store.schema), base, current)

    assert before == []
    assert [node.name for node in after] == [f"m{number:03}" for number in range(20, 400)]
