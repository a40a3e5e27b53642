"""Stores of older versions come forward whole. Newer ones are in `test_store_versions.py`."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from recce_meta import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import MissingRelation, StoreOutdated
from recce_meta.models import Column, NodeResult
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.lineage import ColumnGraph, ColumnOutput, Kind, NodeColumns
from recce_meta.models.marks.annotation import event_id_of, event_states
from recce_meta.models.quality import Quality, QualityRun
from recce_meta.models.run import Extraction, ExtractionTier, ProblemKind, Trigger
from recce_meta.models.stored import NodeStatistics
from recce_meta.store import session, sql_files
from recce_meta.store.columns import load_columns
from recce_meta.store.grants import init_sql
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations, list_annotations
from recce_meta.store.prune import Retention, prune
from recce_meta.store.quality import write_quality
from recce_meta.store.read import list_runs
from recce_meta.store.select import load_run
from recce_meta.store.session import READ_VERSION, SCHEMA_VERSION, InitAction, init_store
from recce_meta.store.sql_files import split_statements
from recce_meta.store.statistics import load_statistics, write_statistics
from recce_meta.store.write import record_run
from recce_meta.sync.fsck import fsck

pytestmark = pytest.mark.without_store

DATA = Path(__file__).parents[2] / "data"
RUNS = {1: ["run-1"], **{version: ["run-2", "run-1"] for version in range(2, SCHEMA_VERSION)}}
"""The runs that the stores of older versions hold, newest first."""


CORE = (min(RUNS), max(RUNS))
"""The versions that tests of the core migrate."""


OLD_VERSIONS = [
    pytest.param(version, id=f"version {version}", marks=() if version in CORE else pytest.mark.extensive)
    for version in RUNS
]


def old_file(version, name):
    """Return the bytes of a file that *version* left: store.duckdb, store.sql or store.sqlite.sql."""
    return gzip.decompress((DATA / f"store_v{version}" / f"{name}.gz").read_bytes())


@pytest.fixture(params=OLD_VERSIONS)
def old_version(request):
    """Each version before this one."""
    return request.param


@pytest.fixture
def old_store(store, old_version):
    """A store as that version left it, the same in all of them but for runs that came later."""
    if old_version < store.backend.spelling.oldest_store:
        pytest.skip(f"no store of version {old_version} was ever in this warehouse")
    if store.adapter.warehouse.name == "duckdb":
        store.adapter.close()
        file = Path(store.url.removeprefix("duckdb:///"))
        file.write_bytes(old_file(old_version, "store.duckdb"))
        store.schema = "recce_metadata"
    else:
        name = "store.sqlite.sql" if store.adapter.warehouse.name == "sqlite" else "store.sql"
        script = old_file(old_version, name).decode()
        quoted = store.adapter.quote_identifier(store.schema)
        for statement in split_statements(script.replace("recce_metadata", quoted)):
            store.adapter.execute(statement)
    return store


@pytest.fixture(scope="module")
def migrated_files():
    """The DuckDB files of migrated stores by version, as bytes: each is migrated once."""
    return {}


@pytest.fixture
def migrated_store(old_store, old_version, migrated_files):
    """An old store after its migration."""
    if old_store.adapter.warehouse.name != "duckdb":
        init_store(old_store.adapter.at(old_store.schema))
        return old_store
    file = Path(old_store.url.removeprefix("duckdb:///"))
    if old_version not in migrated_files:
        with old_store.another() as adapter:
            init_store(adapter.at(old_store.schema))
        migrated_files[old_version] = file.read_bytes()
    file.write_bytes(migrated_files[old_version])
    return old_store


@pytest.fixture(scope="module")
def tables_of_new_stores():
    """Rows of information_schema.columns of a new store, by warehouse."""
    return {}


def test_fsck_finds_in_a_migrated_store_what_its_author_made_up_and_nothing_else(migrated_store, old_version):
    found = fsck(migrated_store.adapter.at(migrated_store.schema))

    # A finding is an object, and the id of a review is a hash: no version wrote these two rows.
    made_up = {"check-1": 6, "review-1": 10}
    problems = {one.object_id for one in found.problems if one.kind is not ProblemKind.UNVERIFIED}
    assert problems == {one for one, since in made_up.items() if old_version >= since}


def test_there_is_a_store_of_every_version_before_this_one():
    assert list(RUNS) == list(range(1, SCHEMA_VERSION))


@pytest.mark.cases(2)
@pytest.mark.core("duckdb", "postgres")
def test_an_old_store_is_migrated_without_losing_a_row(old_store, old_version):
    result = init_store(old_store.adapter.at(old_store.schema))

    assert (result.action, result.previous_version) == (InitAction.MIGRATED, old_version)
    runs = list_runs(old_store.adapter.at(old_store.schema))
    assert [run.run_id for run in runs] == RUNS[old_version]
    project = load_run(old_store.adapter.at(old_store.schema), "base")
    orders, raw = project.nodes
    assert (project.run.run_id, project.run.git_sha, project.run.recorder_version) == (
        "run-1",
        "abcdef0123",
        "0.1.0",
    )
    assert (orders.unique_id, raw.unique_id) == ("model.shop.orders", "seed.shop.raw")
    what = "*" if old_version == 1 else "id, amount"
    assert orders.compiled_code == f'select {what} from "db"."prod"."raw" -- ünï'
    assert orders.columns == (Column("id", type="INTEGER"), Column("amount"))
    assert orders.parents == ("seed.shop.raw",)
    assert orders.config == {"materialized": "table", "n": 1.0}
    assert [group.properties for group in project.groups] == [{"owner": {"name": "Ada"}}]
    assert [macro.name for macro in project.macros] == ["cents"]
    assert project.results == (
        NodeResult(
            unique_id="model.shop.orders",
            status="success",
            seconds=1.5,
            rows=10,
            message="OK",
            completed_at="2026-01-01T10:00:01.250000Z",
        ),
    )


def test_runs_that_share_parts_still_differ_where_they_did(migrated_store, old_version):
    if old_version == 1:
        pytest.skip("the store of version 1 holds one run")
    runs = list_runs(migrated_store.adapter.at(migrated_store.schema))
    current, base = (load_run(migrated_store.adapter.at(migrated_store.schema), run) for run in runs)

    assert current.nodes[0].compiled_code == 'select id, amount * 2 from "db"."pr_7"."raw" -- ünï'
    assert base.nodes[1].code_hash == current.nodes[1].code_hash
    assert (current.macros, current.groups, current.results) == (base.macros, base.groups, base.results)
    rows = ROWS
    for version, since in ROWS_SINCE.items():
        rows = rows | (since if old_version >= version else {})
    counts = {table: migrated_store.scalar(f"SELECT COUNT(*) FROM {{s}}.store_{table}") for table in rows}
    assert counts == rows


ROWS = {
    "runs": 2,
    "run_results": 2,
    "graph_parts": 4,
    "part_nodes": 6,
    "node_versions": 4,
    "version_parents": 2,
    "macros": 1,
    "macro_sets": 1,
    "node_statistics": 0,
    "column_statistics": 0,
    "data_diffs": 0,
    "column_diffs": 0,
    "column_parts": 0,
    "column_part_nodes": 0,
    "column_analyses": 0,
    "column_edges": 0,
    "fact_parts": 0,
    "relation_facts": 0,
    "version_references": 0,
    "quality_runs": 0,
    "table_quality": 0,
    "column_quality": 0,
    "column_top_values": 0,
    "quality_metrics": 0,
    "check_results": 0,
    "reviews": 0,
}
ROWS_SINCE = {
    3: {"graph_parts": 6, "part_nodes": 5, "node_statistics": 1, "column_statistics": 1},
    4: {"column_parts": 2, "column_part_nodes": 2, "column_analyses": 2, "column_edges": 5},
    5: {
        "quality_runs": 1,
        "table_quality": 1,
        "column_quality": 1,
        "column_top_values": 1,
        "quality_metrics": 1,
    },
    6: {"check_results": 1},
    10: {"reviews": 1},
}
"""Rows added in stores of later versions: shared parts and statistics; column lineage; quality; checks;
reviews."""


@pytest.mark.core("sqlite")
def test_statistics_can_be_added_to_a_run_of_an_old_store(migrated_store, old_version):
    run = list_runs(migrated_store.adapter.at(migrated_store.schema))[0 if old_version >= 3 else -1]
    node = NodeStatistics(unique_id="model.shop.orders", counted_at=run.run_at, row_count=3)

    write_statistics(migrated_store.adapter.at(migrated_store.schema), run, [node])

    assert load_statistics(migrated_store.adapter.at(migrated_store.schema), run) == {node.unique_id: node}


@pytest.mark.core("sqlite")
def test_column_lineage_can_be_recorded_beside_the_runs_of_an_old_store(migrated_store, old_version):
    before = list_runs(migrated_store.adapter.at(migrated_store.schema))
    with_columns = [run.run_id for run in before if run.column_graph_id]
    assert with_columns == (["run-1"] if old_version >= 4 else [])
    assert load_columns(migrated_store.adapter.at(migrated_store.schema), before[0]) is None
    project = load_run(migrated_store.adapter.at(migrated_store.schema), before[0].run_id)
    again = replace(project, run=replace(project.run, run_id="run-again"))
    columns = {"c" * 32: NodeColumns(outputs=(ColumnOutput("id", Kind.CONSTANT, "1"),))}
    graph = ColumnGraph(lineage_ids={"model.shop.orders": "c" * 32}, analyses=columns)

    done = record_run(migrated_store.adapter.at(migrated_store.schema), again, analyse=lambda known: graph)

    assert (done.written, done.new_graph, done.analyses_written) == (True, old_version < 3, 1)
    loaded = load_columns(migrated_store.adapter.at(migrated_store.schema), done.run)
    assert loaded == {"model.shop.orders": columns["c" * 32]}


@pytest.mark.core("sqlite")
def test_scans_and_quality_can_be_kept_in_an_old_store(migrated_store):
    before = list_runs(migrated_store.adapter.at(migrated_store.schema))[0]
    project = load_run(migrated_store.adapter.at(migrated_store.schema), before.run_id)
    assert project.facts == ()
    facts = (RelationFacts(unique_id="relation.shop.raw", row_estimate=3),)
    scan = replace(project, run=replace(project.run, run_id="scan", extractor="database"), facts=facts)
    record_run(migrated_store.adapter.at(migrated_store.schema), scan)
    run = QualityRun(
        quality_run_id="q",
        run_id="scan",
        project_name="shop",
        environment="current",
        started_at=before.run_at,
        finished_at=before.run_at,
    )

    assert write_quality(
        migrated_store.adapter.at(migrated_store.schema), Quality(run=run, tables=())
    ).written
    assert load_run(migrated_store.adapter.at(migrated_store.schema), "scan").facts == facts


def test_the_build_of_an_old_run_is_counted_from_its_results(old_store, old_version):
    if old_version >= 6:
        pytest.skip("counted when it was recorded")
    quoted = old_store.adapter.quote_identifier(old_store.schema)
    old_store.adapter.execute(
        f"INSERT INTO {quoted}.run_results (run_id, unique_id, status) VALUES "
        "('run-1', 'a', 'error'), ('run-1', 'b', 'fail'), ('run-1', 'c', 'skipped'),"
        "('run-1', 'd', 'skipped')"
    )
    init_store(old_store.adapter.at(old_store.schema))

    *newer, run = list_runs(old_store.adapter.at(old_store.schema))

    build = run.build_status, run.build_errors, run.build_failures, run.build_warnings, run.build_skipped
    assert build == ("failed", 1, 1, 0, 2)
    assert [(new.build_status, new.build_errors) for new in newer] == [("success", 0)] * len(newer)
    assert (run.status, run.git_proven, run.warnings) == ("complete", None, ())


@pytest.mark.core("sqlite")
def test_an_old_run_was_not_extracted_from_a_repository_and_a_new_one_can_be(migrated_store, make_project):
    extraction = Extraction(
        connection="shop",
        job="a:main:1",
        trigger=Trigger.POLL,
        requested_by="poller",
        tier=ExtractionTier.GOLD,
    )
    project = make_project("run-new")
    record_run(
        migrated_store.adapter.at(migrated_store.schema),
        replace(project, run=replace(project.run, extraction=extraction, variables={})),
    )

    runs = list_runs(migrated_store.adapter.at(migrated_store.schema))
    found = {run.run_id: (run.extraction, run.variables) for run in runs}

    assert found.pop("run-new") == (extraction, {})
    assert set(found.values()) == {(None, None)}


def test_how_edges_of_an_old_store_are_known_is_derived_for_dbt_and_unknown_else(migrated_store, old_version):
    quoted = migrated_store.adapter.quote_identifier(migrated_store.schema)
    known = f"SELECT DISTINCT kind, confidence FROM {quoted}.lineage"
    assert migrated_store.adapter.execute(known)[1] == [("ref", 1.0)]
    is_stored = old_version >= 8
    assert migrated_store.scalar("SELECT COUNT(kind) FROM {s}.store_version_parents") == (
        2 if is_stored else 0
    )

    migrated_store.adapter.execute(f"UPDATE {quoted}.store_runs SET extractor = 'database'")

    assert migrated_store.adapter.execute(known)[1] == [("ref", 1.0) if is_stored else (None, None)]
    loaded = load_run(migrated_store.adapter.at(migrated_store.schema), "base")
    assert [len(node.edge_origins) for node in loaded.nodes] == [int(is_stored), 0]


@pytest.mark.cases(1)
def test_reading_leaves_an_old_store_as_it_is_and_recording_migrates_it(old_store, old_version, make_project):
    for adapter in (old_store.adapter, old_store.adapter.read_only()):
        with adapter.at(old_store.schema) as reader, pytest.raises(StoreOutdated) as raised:
            list_runs(reader)
        assert f"has version {old_version}, " in raised.value.message
        assert "recce-meta init" in str(raised.value.hint)
    assert old_store.scalar("SELECT MAX(schema_version) FROM {s}.store") == old_version

    assert record_run(old_store.adapter.at(old_store.schema), make_project("run-new")).written
    assert len(list_runs(old_store.adapter.at(old_store.schema))) == len(RUNS[old_version]) + 1
    assert old_store.scalar("SELECT schema_version FROM {s}.store") == SCHEMA_VERSION
    assert old_store.scalar("SELECT read_version FROM {s}.store") == READ_VERSION
    assert old_store.scalar("SELECT migrated_by FROM {s}.store") == __version__


def test_changes_of_annotations_in_an_old_store_keep_their_order_and_ids(migrated_store, old_version):
    if old_version < 12:
        pytest.skip("the stores of these versions hold no annotations")
    adapter, schema = migrated_store.adapter, migrated_store.schema
    history = list_annotations(adapter.at(schema), with_history=True)
    assert [(one.field, one.value) for one in history] == [
        ("note", "the last one"),
        ("note", "by a clock ten years ahead — ünï"),
        ("note", "first"),
        ("tag", None),
        ("tag", "true"),
        ("owner", "true"),
    ]
    assert [one.event_id for one in history] == [event_id_of(one) for one in history]
    assert {one.replaces for one in history} == {None}
    assert [str(one) for one in event_states(history).values()].count("conflict") == 0
    present = [one.value for one in list_annotations(adapter.at(schema))]
    assert present == ["the last one", "true"]

    # The present clock is ten years behind the last change.
    target = history[0].target
    changes = [AnnotationChange(target, "note", value="now")]
    (edit,) = add_annotations(adapter.at(schema), changes, author="Bob")

    assert edit.replaces == history[0].event_id and edit.clock < history[0].clock
    assert [one.value for one in list_annotations(adapter.at(schema))] == ["now", "true"]


def test_a_deletion_in_an_old_store_is_kept_from_now_on(migrated_store, old_version, make_project):
    if old_version < 12:
        pytest.skip("the stores of these versions hold no deletions")
    adapter, schema = migrated_store.adapter, migrated_store.schema
    dated = "SELECT COUNT(*) FROM {s}.store_tombstones WHERE first_seen_at IS NULL"
    assert migrated_store.scalar(dated) == 1
    record_run(adapter.at(schema), make_project("run-new"))

    prune(adapter.at(schema), Retention(keep_last=9))

    assert migrated_store.scalar(dated) == 0
    assert migrated_store.scalar("SELECT COUNT(*) FROM {s}.store_tombstones") == 1


@pytest.mark.cases(1)
def test_a_migrated_store_has_the_tables_of_a_new_one(migrated_store, tables_of_new_stores, tmp_path):
    columns = """
        SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
        WHERE table_schema = '{}' ORDER BY table_name, column_name
    """
    adapter = migrated_store.adapter
    if adapter.warehouse.name == "sqlite":
        columns = """
            SELECT tables.name, columns.name, columns.type, columns."notnull" FROM sqlite_schema AS tables,
            pragma_table_info(tables.name) AS columns ORDER BY 1, 2
        """
        new = UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'new.db'}")
        init_store(new)
        tables_of_new_stores["sqlite"] = new.execute(columns)[1]
        new.close()
    elif adapter.warehouse.name not in tables_of_new_stores:
        fresh = f"{migrated_store.schema}_fresh"  # several test runs may share the database
        init_store(adapter.at(fresh))
        tables_of_new_stores[adapter.warehouse.name] = adapter.execute(columns.format(fresh))[1]
        adapter.execute(f"DROP SCHEMA {adapter.quote_identifier(fresh)} CASCADE")
    migrated = adapter.execute(columns.format(migrated_store.schema))[1]
    assert migrated and migrated == tables_of_new_stores[adapter.warehouse.name]


def test_a_migration_that_fails_leaves_the_old_store(old_store, old_version, monkeypatch):
    text = "SELECT * FROM recce_metadata.there_is_no_such_table;"
    broken = sql_files.SqlFile("9999_broken", "migrations", text)
    real = sql_files.migrations(old_store.adapter.warehouse.name)
    monkeypatch.setattr(session.sql_files, "migrations", lambda dialect: (*real, (9999, broken)))

    everything_of_store = f"SELECT * FROM {old_store.adapter.quote_identifier(old_store.schema)}.store"
    everything_of_runs = f"SELECT * FROM {old_store.adapter.quote_identifier(old_store.schema)}.runs"
    prefix = sql_files.TABLE_PREFIX if old_version >= 9 else ""

    with pytest.raises(Exception, match="there_is_no_such_table"):
        init_store(old_store.adapter.at(old_store.schema))

    assert old_store.scalar("SELECT schema_version FROM {s}.store") == old_version
    assert old_store.scalar(f"SELECT COUNT(*) FROM {{s}}.{prefix}graph_nodes") == 3 * len(RUNS[old_version])
    columns = old_store.adapter.execute(everything_of_runs)[0]
    assert ("column_graph_id" in columns) == (old_version >= 4)
    assert ("build_status" in columns) == (old_version >= 6)
    assert ("read_version" in old_store.adapter.execute(everything_of_store)[0]) == (old_version >= 7)
    assert ("extraction" in columns) == (old_version >= 11)
    assert ("variables" in columns) == (old_version >= 17)
    edges = f"SELECT * FROM {old_store.adapter.quote_identifier(old_store.schema)}.{prefix}version_parents"
    assert ("kind" in old_store.adapter.execute(edges)[0]) == (old_version >= 8)
    if old_version < 5:
        with pytest.raises(MissingRelation):
            old_store.scalar("SELECT COUNT(*) FROM {s}.quality_runs")
    assert old_store.scalar("SELECT COUNT(*) FROM {s}.runs") == len(RUNS[old_version])


def test_init_creates_once_and_refreshes_afterwards(store):
    actions = [init_store(store.adapter.at(store.schema)).action for _ in range(3)]

    assert actions == [InitAction.CREATED, InitAction.REFRESHED, InitAction.REFRESHED]


def test_a_schema_that_an_administrator_made_is_used(store, make_project):
    store.backend.spelling.create_schema(store.adapter, store.schema)

    assert record_run(store.adapter.at(store.schema), make_project()).written


@pytest.mark.extensive
def test_the_printed_script_makes_a_store_that_init_finds_complete(store, make_project):
    for statement in split_statements(init_sql(store.adapter.warehouse, store.schema)):
        store.adapter.execute(statement)

    assert init_store(store.adapter.at(store.schema)).action is InitAction.REFRESHED
    assert record_run(store.adapter.at(store.schema), make_project()).written


def test_a_migration_drops_every_view_before_it_writes_them(store):
    dropped = sql_files.query("drop_views", store.adapter.warehouse.name).text
    for view in sql_files.views(store.adapter.warehouse.name):
        assert re.search(rf"[ .]{view.name};", dropped)


def test_a_migration_that_stopped_is_repeated_where_creating_ends_a_transaction(store, make_project):
    if store.adapter.warehouse.has_transactional_ddl:
        pytest.skip("half a migration is undone here")
    record_run(store.adapter.at(store.schema), make_project())
    with store.another() as adapter:
        quoted = adapter.quote_identifier(adapter.warehouse.folded(store.schema))
        # As if all but that was done.
        adapter.execute(f"UPDATE {quoted}.store SET schema_version = 3 WHERE TRUE")

        result = init_store(adapter.at(store.schema))

        assert (result.action, result.previous_version) == (InitAction.MIGRATED, 3)
        assert load_run(adapter.at(store.schema), "run-1").nodes == make_project().nodes
        assert record_run(adapter.at(store.schema), make_project("run-2")).written
