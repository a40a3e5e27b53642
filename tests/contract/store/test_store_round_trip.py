"""What is read back is what was recorded, to the field."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from recce_meta.models import Column, EdgeOrigin, MacroMetadata, NodeMetadata, NodeResult
from recce_meta.models.node import SourceFreshness
from recce_meta.models.run import BuildJob, Extraction, ExtractionTier, IsolationKind, Trigger
from recce_meta.store.read import load_macros, load_narrow_nodes, load_nodes_by_id, load_results
from recce_meta.store.select import load_lineage_from_warehouse, load_nodes_from_warehouse, load_run
from recce_meta.store.write import record_run

MOMENT = datetime(2026, 11, 1, 10, 0, 0, 250_000, tzinfo=timezone.utc)
NASTY = "ünï 漢字 🦆 'single' \"double\" \\back\\slash \\n %s %% 100% :name ::int {{ x }} $1 ⟦ ⟧ \t\r\n end"


def everything(name: str = "nasty") -> NodeMetadata:
    """A node in which no field has its default."""
    return NodeMetadata(
        unique_id=f"model.shop.{name}",
        name=NASTY,
        resource_type="model",
        package_name=NASTY,
        path=NASTY,
        fqn=("a", NASTY),
        database_name=NASTY,
        schema_name=NASTY,
        identifier=NASTY,
        relation_name=f'"db"."{NASTY}"',
        materialized=NASTY,
        language="python",
        raw_code=NASTY,
        compiled_code=f'{NASTY} "db"."{NASTY}" ⟦model.shop.{name}⟧ ⟦⟧',
        checksum=NASTY,
        checksum_rule="stripped",
        code_hash="0" * 64,
        config={"z": 1, "a": {"deep": [None, True, 1.0, 1, -0.0, 1e300, 1e16, 2**70, NASTY]}, NASTY: ""},
        unrendered_config={"x": "{{ env_var('X') }}"},
        columns=(
            Column("b", type="NUMERIC(10,2)", description=NASTY, tags=("t",), meta={"k": 1.50}),
            Column(
                "a", constraints=({"type": "not_null"},), quote=False, documented=True, documented_type="int"
            ),
            Column(NASTY),
        ),
        columns_from="manifest",
        description=NASTY,
        tags=("z", "a"),
        meta={"owner": NASTY},
        access="public",
        group_name=NASTY,
        version="2",
        source_name=NASTY,
        contract={"enforced": True},
        parents=("model.shop.unknown", "source.shop.raw.x"),
        edge_origins={"model.shop.unknown": EdgeOrigin("ref"), "source.shop.raw.x": EdgeOrigin("sql", 0.9)},
        macros=("macro.a", "macro.b"),
        properties={"type_params": {"measure": None}},
    )


def test_no_field_of_the_richest_node_has_its_default():
    node = everything()
    bare = NodeMetadata(unique_id="", name="", resource_type="")
    assert [f for f in node.__struct_fields__ if getattr(node, f) == getattr(bare, f)] == []


EXTRACTION = Extraction(
    connection="shop",
    job="0123456789ab:main:1",
    trigger=Trigger.WEBHOOK,
    requested_by="ada",
    tier=ExtractionTier.SILVER,
    isolation=IsolationKind.BUBBLEWRAP,
    adapter="duckdb",
    is_stand_in=True,
    manifest_digest="f" * 64,
    fallback=NASTY,
)


def test_a_loaded_run_equals_what_was_extracted(store, make_project):
    project = make_project(
        git_sha="abc",
        branch=NASTY,
        git_dirty=True,
        git_proven=False,
        command="build",
        target_schema="prod",
        pull_request="7",
        warnings=("half", NASTY),
        reason=NASTY,
        extraction=EXTRACTION,
        variables={NASTY: "00ff"},
        run_started_at=MOMENT,
        run_completed_at=MOMENT,
        elapsed_time=0.5,
        full_refresh=False,
        args={"select": "a b+", "threads": 4, "empty": True},
        job=BuildJob(orchestrator="gitlab", job_name="ünï", job_run_url="https://ci.acme.com/"),
        commit_url="https://acme.com",
        critical_path=0.25,
    )
    bare = NodeMetadata(unique_id="exposure.shop.e", name="", resource_type="exposure")
    macro = MacroMetadata(
        unique_id="macro.a", name=NASTY, package_name="p", path="m", macro_sql=NASTY, macros=("x",)
    )
    project = replace(
        project,
        nodes=tuple(sorted((*project.nodes, everything(), bare), key=lambda node: node.unique_id)),
        macros=(macro, *project.macros),
        results=(
            NodeResult(
                unique_id="model.shop.a", status="error", message=NASTY, completed_at="2026-11-01T10:00:00Z"
            ),
            NodeResult(
                unique_id="model.shop.b",
                status="pass",
                seconds=0.1,
                rows=0,
                bytes=2**40,
                failures=0,
                compile_started_at=MOMENT,
                compile_completed_at=MOMENT,
                execute_started_at=MOMENT,
                execute_completed_at=MOMENT - timedelta(hours=1),
                thread_id="Thread-1 (worker)",
                query_id="01b",
                adapter_response={"code": "SUCCESS", "slot_ms": 2**40, "nested": {"ünï": [1, None]}},
                failed_rows=({"ünï": 1, "amount": "0.50"}, {"ünï": None, "amount": "***"}),
            ),
        ),
    )

    freshness = SourceFreshness(
        unique_id="source.shop.raw",
        status="warn",
        max_loaded_at=MOMENT,
        snapshotted_at=MOMENT,
        max_loaded_at_time_ago_in_s=0.5,
        criteria={"warn_after": {"count": 1, "period": "day"}},
        error="ünï",
    )
    empty = SourceFreshness(unique_id="source.shop.z", status="runtime error")
    project = replace(project, freshness=(freshness, empty))

    recorded = record_run(store.adapter.at(store.schema), project)
    loaded = load_run(store.adapter.at(store.schema), "run-1")

    assert loaded.freshness == project.freshness
    assert loaded.nodes == project.nodes
    assert loaded.groups == project.groups
    assert loaded.macros == project.macros
    assert loaded.results == project.results
    assert loaded.run == recorded.run
    assert loaded.run.warnings == ("half", NASTY.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    assert loaded.run.extraction == replace(EXTRACTION, fallback=loaded.run.reason)
    assert loaded.run.variables == {loaded.run.reason: "00ff"}
    assert (loaded.run.job, loaded.run.args) == (project.run.job, project.run.args)
    build = loaded.run.build_status, loaded.run.build_errors, loaded.run.build_skipped
    assert build == ("failed", 1, 0)
    assert loaded.edges == project.edges
    assert (loaded.run.node_count, loaded.run.edge_count) == (len(project.nodes), len(project.edges))


def test_numbers_keep_their_kind(store, make_project, make_node):
    numbers = {
        "int": 1,
        "float": 1.0,
        "big": 2**63,
        "bigger": 10**30,
        "zero": -0.0,
        "huge": 1e308,
        "round": 1e16,
    }
    project = replace(make_project(), nodes=(make_node("n", "prod", config=numbers),))
    record_run(store.adapter.at(store.schema), project)

    config = load_run(store.adapter.at(store.schema), "run-1").nodes[0].config

    assert {key: repr(value) for key, value in config.items()} == {key: repr(v) for key, v in numbers.items()}


def test_empty_and_missing_stay_apart(store, make_project, make_node):
    fields = ("raw_code", "compiled_code", "checksum", "access", "version", "schema_name", "relation_name")
    empty = make_node("empty", "p", **dict.fromkeys(fields, ""), contract={})
    missing = make_node("missing", "p", **dict.fromkeys(fields), contract=None)
    record_run(store.adapter.at(store.schema), replace(make_project(), nodes=(empty, missing)))

    assert load_run(store.adapter.at(store.schema), "run-1").nodes == (empty, missing)


@pytest.mark.emulated("snowflake", "bigquery", "redshift")
def test_a_megabyte_of_sql_in_one_node_survives(store, make_project, make_node):
    code = "".join(f'select {n} as "c%{n}", \'é:{n}\' from "db"."prod"."m000";\n' for n in range(25_000))
    assert len(code) > 1_000_000
    node = make_node("x", "prod", raw_code=code, compiled_code=code, parents=("model.shop.m000",))
    project = make_project()
    record_run(store.adapter.at(store.schema), replace(project, nodes=(*project.nodes, node)))

    loaded = load_run(store.adapter.at(store.schema), "run-1").nodes[-1]

    assert loaded.raw_code == code and loaded.compiled_code == code


def test_a_project_without_nodes_can_be_recorded(store, make_project):
    project = replace(make_project(), nodes=(), macros=(), groups=(), results=())
    record_run(store.adapter.at(store.schema), project)

    loaded = load_run(store.adapter.at(store.schema), "latest")

    assert (loaded.nodes, loaded.groups, loaded.macros, loaded.results) == ((), (), (), ())


def test_the_pieces_of_a_run_can_be_read_alone(store, make_project):
    project = make_project()
    run = record_run(store.adapter.at(store.schema), project).run

    assert load_nodes_from_warehouse(store.adapter.at(store.schema), "run-1") == list(project.nodes)
    assert tuple(load_lineage_from_warehouse(store.adapter.at(store.schema), "run-1")) == project.edges
    assert load_results(store.adapter.at(store.schema), run) == list(project.results)
    assert load_macros(store.adapter.at(store.schema), run) == list(project.macros)
    ids = ["model.shop.m003", "model.shop.m001", "model.none"]
    assert load_nodes_by_id(store.adapter.at(store.schema), run, ids) == [
        project.nodes[1],
        project.nodes[3],
    ]
    assert load_nodes_by_id(store.adapter.at(store.schema), run, []) == []


def test_narrow_nodes_name_every_node_without_its_code(store, make_project):
    project = make_project()
    run = record_run(store.adapter.at(store.schema), project).run

    narrow = load_narrow_nodes(store.adapter.at(store.schema), run)

    assert [(n.unique_id, n.name, n.fqn, n.macros) for n in narrow] == [
        (n.unique_id, n.name, n.fqn, n.macros) for n in project.nodes
    ]
    assert {(n.raw_code, n.columns, n.schema_name) for n in narrow} == {(None, (), None)}


def test_a_nul_character_does_not_keep_a_run_from_being_recorded(store, make_project, make_node):
    node = make_node("n", "prod", description="a\0b", compiled_code="\0", meta={"key": "a\0b"})
    result = NodeResult(unique_id=node.unique_id, status="error", message="\0")
    macro = MacroMetadata(unique_id="macro.a", name="a", macro_sql="\0")
    project = replace(make_project(), nodes=(node,), macros=(macro,), results=(result,))

    record_run(store.adapter.at(store.schema), project)

    loaded = load_run(store.adapter.at(store.schema), "run-1")
    assert (loaded.nodes[0].description, loaded.nodes[0].compiled_code) == ("a\ufffdb", "\ufffd")
    assert loaded.nodes[0].meta == {"key": "a\N{REPLACEMENT CHARACTER}b"}
    assert (loaded.results[0].message, loaded.macros[0].macro_sql) == ("\ufffd", "\ufffd")
