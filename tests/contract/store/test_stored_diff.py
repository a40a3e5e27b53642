"""The diff of two stored runs is that of the two projects, though it reads only what differs."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.api import diff, run_reader
from recce_meta.diff.changes import detect_changes
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Change, MacroMetadata, NodeMetadata, Project, RunMetadata, Status
from recce_meta.models.node import code_hash
from recce_meta.store import read
from recce_meta.store.write import record_run
from tests.proofs import sampled

GENERATED = Path(__file__).parents[2] / "data" / "artifacts" / "generated"


@pytest.fixture
def store(recorded_store: Any, state_cases: Any) -> Any:
    """A store with the run that most tests record first."""
    return recorded_store("base", [state_cases("base")])


def named(variants: Any, name: str) -> Project:
    """The variant, as a run whose id is its name."""
    project = variants(name)
    return replace(project, run=replace(project.run, run_id=name))


def answers(changes: Any) -> dict[str, tuple[Status, tuple[str, ...]]]:
    return {
        change.unique_id: (change.status, tuple(reason.value for reason in change.reasons))
        for change in changes
    }


@pytest.mark.extensive
@pytest.mark.parametrize("collection", ["state_cases", "state_variants"])
def test_every_edit_has_the_same_answer_from_the_store(
    store: Any, collection: str, request: pytest.FixtureRequest
) -> None:
    variants = request.getfixturevalue(collection)
    names = variants.names[:: sampled(1, 8 if collection == "state_variants" else 3)]
    base = named(variants, "base")
    record_run(store.adapter.at(store.schema), base)
    wrong: dict[str, Any] = {}
    for name in names:
        project = named(variants, name)
        record_run(store.adapter.at(store.schema), project)
        expected = answers(detect_changes(base, project).values())
        found = answers(diff.diff(lambda: store.adapter.at(store.schema), "base", project.run.run_id).changes)
        if found != expected:
            wrong[name] = {
                key: (expected.get(key), found.get(key))
                for key in expected.keys() | found.keys()
                if expected.get(key) != found.get(key)
            }
    assert len(variants.names) > 50 and len(names) > 15
    assert wrong == {}


def test_unchanged_code_is_not_fetched(store: Any, state_cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base, current = state_cases("base"), state_cases("macro_dispatch_impl")
    for project in (base, current):
        record_run(store.adapter.at(store.schema), project)
    read_nodes: set[str] = set()
    whole = read.load_nodes_by_id
    differing = read.load_differences

    def by_id(adapter: Any, run: Any, ids: Any, **options: Any) -> Any:
        read_nodes.update(ids)
        return whole(adapter, run, ids, **options)

    def differences(*arguments: Any, **options: Any) -> Any:
        sides = differing(*arguments, **options)
        read_nodes.update(node.unique_id for side in sides for node in side)
        return sides

    # Of a small run, all nodes are read.
    monkeypatch.setattr(run_reader, "FEW_NODES", 0)
    monkeypatch.setattr(read, "load_nodes_by_id", by_id)
    monkeypatch.setattr(read, "load_differences", differences)
    found = diff.diff(lambda: store.adapter.at(store.schema), base.run.run_id, current.run.run_id)
    assert [change.name for change in found.changed] == ["m_dispatch"]
    assert "model.jaffle_ext.m_dispatch" in read_nodes
    # Its parent's columns decide over what the SQL means, and a binder derives them from those above.
    above = ("model.jaffle_ext.stg_orders", "model.jaffle_ext.stg_payments")
    sources = ("source.jaffle_ext.ecom.orders", "seed.jaffle_ext.raw_payments")
    read_by_it = {"model.jaffle_ext.orders", *above, *sources}
    assert read_nodes <= {node.unique_id for node in current.nodes if may_call(node)} | read_by_it
    assert len(read_nodes) < len(current.nodes) / 4


def may_call(node: NodeMetadata) -> bool:
    """Whether the node may call the macro that changed, as far as its entry tells."""
    keys = ("pre-hook", "post-hook", "incremental_strategy")
    return (
        "macro.jaffle_ext.default__safe_num" in node.macros
        or "macro.jaffle_ext.safe_num" in node.macros
        or any(node.config.get(key) for key in keys)
        or "is_incremental" in (node.raw_code or "")
        # dbt's list lacks the macros of a branch that it did not take, also of `a if … else b`.
        or "if " in (node.raw_code or "").partition("{")[2]
    )


def test_a_removed_nodes_readers_are_downstream(store: Any, state_cases: Any) -> None:
    base = state_cases("base")
    gone = "model.jaffle_ext.orders"
    nodes = tuple(
        replace(node, parents=tuple(parent for parent in node.parents if parent != gone))
        for node in base.nodes
        if node.unique_id != gone
    )
    current = replace(base, nodes=nodes, run=replace(base.run, run_id="without-orders"))
    for project in (base, current):
        record_run(store.adapter.at(store.schema), project)
    found = diff.diff(lambda: store.adapter.at(store.schema), base.run.run_id, "without-orders")
    by_id: dict[str, Change] = {change.unique_id: change for change in found.changes}
    assert by_id[gone].status is Status.REMOVED
    readers = {node.unique_id for node in base.nodes if gone in node.parents}
    assert readers
    assert readers <= {edge.node_id for edge in found.children}


def test_the_diff_of_two_runs_of_one_graph_is_empty(store: Any, state_cases: Any) -> None:
    base = state_cases("base")
    again = replace(base, run=replace(base.run, run_id="again"))
    for project in (base, again):
        record_run(store.adapter.at(store.schema), project)
    found = diff.diff(lambda: store.adapter.at(store.schema), base.run.run_id, "again")
    assert found.changes == ()
    assert found.impacted == ()


def test_a_stored_run_and_artifacts_on_disk_can_be_compared(
    store: Any, state_cases: Any, tmp_path: Path
) -> None:
    base = state_cases("base")
    record_run(store.adapter.at(store.schema), base)
    target = Path(__file__).parents[2] / "data" / "state_cases" / "base.json.gz"
    found = diff.diff(lambda: store.adapter.at(store.schema), base.run.run_id, f"path:{target}")
    assert found.changes == ()
    assert found.current.environment == str(target)


@pytest.mark.extensive
def test_what_only_dbts_engine_renamed_is_told_alike_and_once(store: Any) -> None:
    artifacts = Path(__file__).parents[2] / "data" / "artifacts" / "real" / "bouncer"
    sides = [extract_project(artifacts / name, git=GitState()) for name in ("dbt_110", "dbt_20")]
    for side in sides:
        record_run(store.adapter.at(store.schema), side)
    stored = diff.diff(lambda: store.adapter.at(store.schema), sides[0].run.run_id, sides[1].run.run_id)
    whole = diff.diff(lambda: store.adapter, f"path:{artifacts / 'dbt_110'}", f"path:{artifacts / 'dbt_20'}")

    assert answers(stored.changes) == answers(whole.changes) == answers(detect_changes(*sides).values())
    assert stored.impacted == whole.impacted
    known = {node.unique_id for node in sides[1].nodes}
    assert {impact.unique_id for impact in stored.impacted} <= known


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    "name", ["create_table_as", "get_incremental_default_sql", "generate_schema_name", "get_catalog"]
)
def test_a_macro_in_the_place_of_dbts_has_the_same_answer_from_the_store(store: Any, name: str) -> None:
    project = extract_project(GENERATED / "jaffle_ext_full" / "dbt_1.10", git=GitState())
    own = MacroMetadata(
        unique_id=f"macro.jaffle_ext.{name}",
        name=name,
        package_name="jaffle_ext",
        macro_sql=f"{{% macro {name}() %}}1{{% endmacro %}}",
    )
    current = replace(
        project, macros=(*project.macros, own), run=replace(project.run, run_id="with-override")
    )
    for side in (project, current):
        record_run(store.adapter.at(store.schema), side)
    whole = diff.whole_diff(project, current, diff.DiffQuestion())
    found = diff.diff(lambda: store.adapter.at(store.schema), project.run.run_id, "with-override")

    assert answers(found.changes) == answers(whole.changes)
    assert {*found.notes} <= {*whole.notes}
    assert bool(found.changed) is (name != "get_catalog")
    assert any(name in note for note in found.notes) is (name == "get_catalog")


def chains(run_id: str, count: int, edited: int) -> Project:
    """*count* models with a reader and two models above, without a catalog; *edited* have another query."""

    def model(name: str, sql: str, *parents: str) -> NodeMetadata:
        return NodeMetadata(
            unique_id=f"model.shop.{name}",
            name=name,
            resource_type="model",
            raw_code=sql,
            compiled_code=sql,
            code_hash=code_hash(sql),
            materialized="table",
            database_name="db",
            schema_name="prod",
            identifier=name,
            relation_name=f'"db"."prod"."{name}"',
            parents=parents,
        )

    nodes = []
    for number in range(count):
        edit = " limit 10" if number < edited else ""
        top = model(f"top_{number}", "select 1 as id, 'x' as kind")
        above = model(f"above_{number}", f'select * from "db"."prod"."top_{number}"', top.unique_id)
        sql = f'select distinct id, kind from "db"."prod"."above_{number}"{edit}'
        below = f'select id, count(*) as n from "db"."prod"."a_{number}" group by id'
        nodes += [
            top,
            above,
            model(f"a_{number}", sql, above.unique_id),
            model(f"b_{number}", below, f"model.shop.a_{number}"),
        ]
    run = RunMetadata(
        run_id=run_id,
        run_at=datetime(2026, 11, 30, tzinfo=timezone.utc),
        project_name="shop",
        adapter_type="duckdb",
        dbt_version="1.10.0",
        command="build",
        target_name="prod",
    )
    return Project(run=run, nodes=tuple(sorted(nodes, key=lambda one: one.unique_id)))


@pytest.mark.core("sqlite")
@pytest.mark.with_store
def test_the_number_of_statements_does_not_grow_with_edits(
    store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = store.adapter.at(store.schema)
    record_run(adapter, chains("chains-base", 60, 0))
    sent = []
    for edited in (2, 20, 60):
        record_run(adapter, chains(f"chains-{edited}", 60, edited))
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="recce_meta"):
            found = diff.diff(lambda: adapter, "chains-base", f"chains-{edited}", project="shop")
        assert len(found.changes) == edited and len(found.impacted) == edited
        sent.append(sum(hasattr(record, "statement_seconds") for record in caplog.records))

    assert len(set(sent)) == 1 and 0 < sent[0] < 40, sent
