"""dbt's own notion of change: its recorded answers, and the rules that no recording shows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.dbt_state import (
    STATES,
    changed_macros,
    dbt_refusals,
    dbt_state,
    dbt_state_resolver,
    node_state,
)
from recce_meta.errors import SelectorError, UnknownNameError
from recce_meta.graph import build_lineage_graph, select
from recce_meta.graph.selection import FRESHER
from recce_meta.models import Column, MacroMetadata, NodeMetadata, Project, RunMetadata
from recce_meta.models.node import SourceFreshness

DATA = Path(__file__).parents[2] / "data" / "state_cases"
ORACLE = json.loads((DATA / "oracle.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)

Variants = Callable[[str], Project]
"""A project by the name of its variant."""


def unzipped(name: str) -> Any:
    return json.loads(gzip.decompress((DATA / name).read_bytes()))


def answers(base: Project, current: Project, names: Iterable[str]) -> dict[str, list[str] | None]:
    """What dbt selects with each state of *names*; None where it raises instead."""
    resolve = dbt_state_resolver(base, current)
    refused = {
        state for one in dbt_refusals(base, current) for state in ("modified", f"modified.{one.selector}")
    }
    return {name: None if name in refused else sorted(resolve(name)) for name in names}


def recorded_answers(variant: str) -> dict[str, list[str] | None]:
    """What dbt selected with each state."""
    return {
        selector.removeprefix("state:"): ids
        for selector, ids in ORACLE[variant]["dbt"].items()
        if not selector.endswith(")")
    }


def test_dbt_gives_the_same_answers(state_cases: Variants, subtests: pytest.Subtests) -> None:
    for variant in ORACLE:
        with subtests.test(variant):
            expected = recorded_answers(variant)
            assert answers(state_cases("base"), state_cases(variant), expected) == expected


def test_unmodified_and_old_are_the_rest_of_what_dbt_lists(
    state_cases: Variants, subtests: pytest.Subtests
) -> None:
    compared = [name for name in ORACLE if ORACLE[name]["dbt"]["state:modified"] is not None]
    assert compared
    for variant in compared:
        with subtests.test(variant):
            resolve = dbt_state_resolver(state_cases("base"), state_cases(variant))

            assert len(resolve("unmodified")) == ORACLE[variant]["dbt_unmodified_count"]
            assert len(resolve("old")) == ORACLE[variant]["dbt_old_count"]
            assert not resolve("unmodified") & resolve("modified")


RELEASES = (*(pytest.param(one, marks=pytest.mark.extensive) for one in ("1.8", "1.10")), "1.12")
NOT_TOLD = {
    "vcon_v3_disabled_off": "dbt reads the contract of the disabled node, which is not extracted",
}


@pytest.mark.parametrize("release", RELEASES)
def test_each_release_of_dbt_gives_the_same_answers(
    variants_of: Any, release: str, subtests: pytest.Subtests
) -> None:
    recorded = unzipped(f"dbt_{release}.json.gz")
    cases = recorded["cases"]
    project_of = variants_of(recorded["base"], {edit: case["delta"] for edit, case in cases.items()})
    assert cases
    for edit, case in cases.items():
        with subtests.test(edit):
            found = answers(project_of("base"), project_of(edit), case["dbt"])
            if edit in NOT_TOLD:
                assert found != case["dbt"], "the entry in NOT_TOLD no longer holds"
            else:
                assert found == case["dbt"]


def test_all_variants_were_recorded_with_all_selectors() -> None:
    assert len(ORACLE) == 54
    selectors = {name for variant in ORACLE for name in recorded_answers(variant)}
    assert selectors == {*STATES} - {"old", "unmodified"}


def test_states_serve_node_selection(state_cases: Variants) -> None:
    base, current = state_cases("base"), state_cases("cfg_alias")
    nodes = {node.unique_id: node for node in current.nodes}

    found = select(
        "state:modified.relation,resource_type:model",
        nodes,
        build_lineage_graph(current.nodes),
        state=dbt_state_resolver(base, current),
    )

    assert found == {"model.jaffle_ext.m_incr"}


def test_an_unknown_state_lists_the_nearest(state_cases: Variants) -> None:
    resolve = dbt_state_resolver(state_cases("base"), state_cases("reparse"))

    with pytest.raises(UnknownNameError, match=r"did you mean 'modified\.configs'"):
        resolve("modified.config")


def node(resource_type: str = "model", **fields: Any) -> NodeMetadata:
    return NodeMetadata(unique_id=f"{resource_type}.p.n", name="n", resource_type=resource_type, **fields)


def project(nodes: Iterable[NodeMetadata], *, macros: Iterable[MacroMetadata] = (), **run: Any) -> Project:
    header = RunMetadata(run_id="r", run_at=NOW, project_name="p", **run)
    return Project(run=header, nodes=tuple(nodes), macros=tuple(macros))


MORNING, NOON = (
    datetime(2026, 11, 20, 8, tzinfo=timezone.utc),
    datetime(2026, 11, 20, 12, tzinfo=timezone.utc),
)


@pytest.mark.parametrize(
    ("before", "after", "is_fresher"),
    [
        ({"max_loaded_at": MORNING}, {"max_loaded_at": NOON}, True),
        ({"max_loaded_at": NOON}, {"max_loaded_at": NOON}, False),
        ({}, {"max_loaded_at": NOON}, True),
        ({"error": "no table"}, {"max_loaded_at": NOON}, False),
        ({"max_loaded_at": NOON}, {"error": "no table"}, False),
        ({"unique_id": "source.shop.other"}, {"max_loaded_at": NOON}, True),
    ],
)
def test_a_source_is_fresher_if_it_has_newer_rows(
    before: dict[str, Any], after: dict[str, Any], is_fresher: bool
) -> None:
    base, current = (
        replace(project([]), freshness=(SourceFreshness(**{"unique_id": "s", "status": "pass", **one}),))
        for one in (before, after)
    )

    assert dbt_state_resolver(base, current)(FRESHER) == ({"s"} if is_fresher else set())
    for pair in ((project([]), current), (base, project([]))):
        with pytest.raises(SelectorError, match="requires the freshness of sources, but"):
            dbt_state_resolver(*pair)(FRESHER)


NEW_NODES = {
    "model": {"new", "modified", "body", "configs", "relation", "persisted_descriptions", "contract"},
    "source": {"new", "configs", "relation"},
    "exposure": {"new", "configs"},
    "metric": {"new", "configs"},
    "semantic_model": {"new", "configs"},
    "saved_query": {"new", "configs"},
    "unit_test": {"new", "modified"},
}


@pytest.mark.parametrize("resource_type", NEW_NODES)
def test_a_new_node_is_modified_only_if_dbt_builds_or_tests_it(resource_type: str) -> None:
    assert node_state(None, node(resource_type)) == NEW_NODES[resource_type]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (node("exposure", properties={"owner": {"name": "a"}}), node("exposure", properties={"owner": {}})),
        (node("exposure", parents=("a",)), node("exposure", parents=("b",))),
        (node("metric", properties={"type": "simple"}), node("metric", properties={"type": "derived"})),
        (node("metric", description="a"), node("metric", description="b")),
        (node("semantic_model", group_name="a"), node("semantic_model", group_name="b")),
        (node("semantic_model", properties={"measures": [{"name": "a"}]}), node("semantic_model")),
        (node("saved_query", properties={"query_params": {"where": None}}), node("saved_query", tags=("a",))),
        (node("saved_query", properties={"query_params": {"metrics": ["a"]}}), node("saved_query")),
        (
            node("saved_query", properties={"exports": [{"name": "e", "unrendered_config": {"alias": "a"}}]}),
            node("saved_query", properties={"exports": [{"name": "e", "unrendered_config": {"alias": "b"}}]}),
        ),
        (node("unit_test", checksum="a"), node("unit_test", checksum="b")),
        (
            node("source", properties={"freshness": {"filter": "a"}}),
            node("source", properties={"freshness": {}}),
        ),
        (node("source", properties={"external": {"location": "a"}}), node("source")),
        (node("function", properties={"returns": {"data_type": "int"}}), node("function")),
        (node("model", access="public"), node("model")),
        (node("model", properties={"deprecation_date": "2026-01-01"}), node("model")),
        (node("model", fqn=("p", "a", "n")), node("model", fqn=("p", "b", "n"))),
        (node("test", fqn=("p", "a"), properties={"test_metadata": {}}), node("test", fqn=("p", "b"))),
    ],
)
def test_contents_that_no_sub_selector_covers_are_modified_alone(
    before: NodeMetadata, after: NodeMetadata
) -> None:
    assert node_state(before, after) == {"modified"}
    assert node_state(before, before) == frozenset()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (node("metric", properties={"filter": "a"}), node("metric", properties={"filter": "b"})),
        (node("metric", unrendered_config={"group": "a"}), node("metric", unrendered_config={"group": "b"})),
        (node("source", description="a"), node("source", description="b")),
        (node("model", access="protected"), node("model")),
        (node("model", unrendered_config={"tags": ["a"]}), node("model", unrendered_config={"group": "b"})),
        (node("model", compiled_code="select 1"), node("model", compiled_code="select 2")),
        (
            node("source", properties={"quoting": {"column": None}}),
            node("source", properties={"quoting": {}}),
        ),
        (
            node("test", unrendered_config={"meta": 1}, properties={"test_metadata": {}}, raw_code="a"),
            node("test", unrendered_config={"meta": 2}, properties={"test_metadata": {}}, raw_code="a"),
        ),
    ],
)
def test_what_dbt_does_not_compare_is_unmodified(before: NodeMetadata, after: NodeMetadata) -> None:
    assert node_state(before, after) == frozenset()


def test_a_setting_added_with_its_default_is_a_change_as_it_is_written() -> None:
    after = node(unrendered_config={"materialized": None})

    assert node_state(node(), after) == {"modified", "configs"}


def test_a_generic_tests_own_text_is_a_body_but_not_modified() -> None:
    before = node("test", raw_code="a", properties={"test_metadata": {"name": "unique"}})

    assert node_state(before, replace(before, raw_code="b")) == {"body"}


def test_a_seed_too_large_to_hash_is_unmodified_whatever_it_holds() -> None:
    small = node("seed", checksum="abc", checksum_rule="stripped")
    large = node("seed", checksum="seeds/n.csv", checksum_rule="path", code_hash="1")

    assert node_state(large, replace(large, code_hash="2")) == frozenset()
    assert node_state(small, large) == {"modified", "body"}


def test_descriptions_count_where_the_current_configuration_persists_them() -> None:
    before = node(description="a", columns=(Column(name="c", description="a", documented=True),))
    after = replace(before, description="b", columns=(Column(name="c", description="b", documented=True),))
    persisted = {"persist_docs": {"relation": True}}

    assert node_state(replace(before, config=persisted), after) == frozenset()
    assert "persisted_descriptions" in node_state(before, replace(after, config=persisted))
    only_columns = replace(after, description="a", config={"persist_docs": {"columns": True}})
    assert "persisted_descriptions" in node_state(before, only_columns)


def test_a_catalog_does_not_make_documented_columns_differ() -> None:
    config = {"persist_docs": {"columns": True}}
    documented = (Column(name="id", description="key", documented=True), Column(name="x", documented=True))
    before = node(config=config, columns=documented, columns_from="manifest")
    found = (Column(name="ID", description="key", documented=True), Column(name="LOADED_AT"))
    absent = {"columns_not_in_catalog": [{"name": "x", "documented": True}]}
    after = node(config=config, columns=found, columns_from="catalog", properties=absent)

    assert node_state(before, after) == frozenset()


def macro(name: str, text: str = "", *calls: str) -> MacroMetadata:
    return MacroMetadata(unique_id=f"macro.p.{name}", name=name, macro_sql=text, macros=calls)


def test_a_changed_macro_reaches_all_that_call_it_however_indirectly() -> None:
    chain = [macro("a", "", "macro.p.b"), macro("b", "", "macro.p.c", "macro.p.a"), macro("c"), macro("d")]
    before = {one.unique_id: one for one in chain}
    after = before | {"macro.p.c": macro("c", "edited"), "macro.p.new": macro("new")}

    assert changed_macros(before, after) == {"macro.p.a", "macro.p.b", "macro.p.c", "macro.p.new"}
    assert changed_macros(after, before) == changed_macros(before, after)
    assert changed_macros(before, before) == frozenset()


def test_whatever_calls_a_changed_macro_is_modified() -> None:
    models = [node(macros=("macro.p.a",)), node("unit_test", macros=("macro.p.a",)), node("snapshot")]

    found = dbt_state(project(models, macros=[macro("a", "1")]), project(models, macros=[macro("a", "2")]))

    assert found == {
        "model.p.n": {"modified", "macros"},
        "unit_test.p.n": {"modified", "macros"},
        "snapshot.p.n": frozenset(),
    }


def test_operations_are_never_listed() -> None:
    hook = node("operation", raw_code="a")

    assert dbt_state(project([hook]), project([replace(hook, raw_code="b")])) == {}


def test_rules_are_those_of_the_release_that_wrote_the_current_run() -> None:
    query, test = node("saved_query"), node("test", properties={"test_metadata": {}})
    tagged, headed = replace(query, tags=("a",)), replace(test, unrendered_config={"sql_header": "x"})

    found = {
        version: dbt_state(project([query, test]), project([tagged, headed], dbt_version=version))
        for version in ("1.8.9", "1.9.1", "1.10.20", "1.12.6", "2025.11.4+d8fa9da")
    }

    states = {version: tuple(map(sorted, one.values())) for version, one in found.items()}
    assert states == {
        "1.8.9": ([],),
        "1.9.1": ([], []),
        "1.10.20": (["modified"], []),
        "1.12.6": (["modified"], ["configs", "modified"]),
        "2025.11.4+d8fa9da": (["modified"], ["configs", "modified"]),
    }


def contracted(**fields: Any) -> NodeMetadata:
    """A table with an enforced contract on one column, of a versioned model."""
    column = Column(
        name="id", documented=True, documented_type="varchar(10)", constraints=({"type": "not_null"},)
    )
    given = {"version": "1", "materialized": "table", "contract": {"enforced": True, "checksum": "a"}}
    return node(**{**given, "columns": (column,), **fields})


EDITED = {"enforced": True, "checksum": "b"}
COLUMN = contracted().columns[0]


@pytest.mark.parametrize(
    ("current", "reason"),
    [
        (contracted(contract=None), "its contract is no longer enforced"),
        (contracted(contract=EDITED, columns=()), "column id is removed"),
        (
            contracted(contract=EDITED, columns=(replace(COLUMN, documented_type="integer"),)),
            "column id changes its type from varchar(10) to integer",
        ),
        (
            contracted(contract=EDITED, columns=(replace(COLUMN, constraints=()),)),
            "constraint not_null of column id is removed",
        ),
        (contracted(contract=EDITED, materialized="view"), "it is no longer a table but a view"),
    ],
)
def test_dbt_refuses_to_break_the_contract_of_a_versioned_model(current: NodeMetadata, reason: str) -> None:
    base, after = project([contracted()]), project([current], adapter_type="duckdb")

    assert [one.reason for one in dbt_refusals(base, after)] == [reason]
    assert {"modified", "contract"} <= dbt_state(base, after)["model.p.n"]
    unversioned = [project([replace(one, version=None)]) for one in (contracted(), current)]
    assert dbt_refusals(*unversioned) == ()


def test_a_changed_contract_that_keeps_its_promises_is_modified_and_not_refused() -> None:
    wider = contracted(contract=EDITED, columns=(COLUMN, replace(COLUMN, name="more")))
    base, after = project([contracted()]), project([wider])

    assert dbt_refusals(base, after) == ()
    assert dbt_state(base, after)["model.p.n"] == {"modified", "contract"}


def test_since_dbt_1_11_another_size_of_a_type_keeps_the_contract() -> None:
    wider = contracted(contract=EDITED, columns=(replace(COLUMN, documented_type="VARCHAR(20)"),))

    refused = {
        version: len(dbt_refusals(project([contracted()]), project([wider], dbt_version=version)))
        for version in ("1.10.20", "1.11.16")
    }

    assert refused == {"1.10.20": 1, "1.11.16": 0}


def test_a_constraint_that_the_warehouse_does_not_uphold_may_go() -> None:
    base = project([contracted(properties={"constraints": [{"type": "primary_key", "columns": ["id"]}]})])
    after = contracted(contract=EDITED)

    refused = {
        adapter: len(dbt_refusals(base, project([after], adapter_type=adapter)))
        for adapter in ("duckdb", "snowflake", "unheard_of")
    }

    assert refused == {"duckdb": 1, "snowflake": 0, "unheard_of": 0}


def test_a_contracted_version_may_go_only_after_its_deprecation_date() -> None:
    def refusals(**fields: Any) -> list[str]:
        base = project([contracted(**fields)])
        return [one.unique_id for one in dbt_refusals(base, project([], dbt_version="1.10.20"))]

    assert refusals() == ["model.p.n"]
    assert refusals(properties={"deprecation_date": "2027-01-01T00:00:00+00:00"}) == ["model.p.n"]
    assert refusals(properties={"deprecation_date": "2026-01-01T00:00:00"}) == []
    assert refusals(contract=None) == []
    assert dbt_refusals(project([contracted()]), project([], dbt_version="1.8.9")) == ()


def test_dbt_refuses_a_test_whose_macro_is_gone() -> None:
    test = node("test", macros=("macro.p.test_even",), properties={"test_metadata": {"name": "even"}})
    base = project([test], macros=[macro("test_even")])

    refusals = dbt_refusals(base, project([replace(test, macros=())]))

    assert [(one.selector, one.reason) for one in refusals] == [
        ("macros", "its macro 'test_even' does not exist")
    ]
    assert dbt_refusals(base, base) == ()


def test_a_function_is_modified_by_its_signature(variants_of: Any) -> None:
    def with_function(returned: str) -> Project:
        function = {
            "name": "f",
            "package_name": "jaffle_ext",
            "fqn": ["f"],
            "returns": {"data_type": returned},
        }
        manifest = unzipped("base.json.gz") | {"functions": {"function.jaffle_ext.f": function}}
        project: Project = variants_of(manifest, {})("base")
        return project

    found = dbt_state(with_function("integer"), with_function("bigint"))

    assert {key for key, states in found.items() if "modified" in states} == {"function.jaffle_ext.f"}
