"""Stores that a newer recce_meta migrated: readers go on, writers are told which version to install."""

from __future__ import annotations

import re

import duckdb
import pytest

from recce_meta import __version__
from recce_meta.api.demo import doctor
from recce_meta.errors import MissingRelation, StoreError, StoreOutdated
from recce_meta.store import session, sql_files
from recce_meta.store.prune import Retention, prune
from recce_meta.store.read import RUN_FILTERS, list_runs
from recce_meta.store.select import load_run
from recce_meta.store.session import (
    READ_VERSION,
    SCHEMA_VERSION,
    VIEWS_GROW_SINCE,
    InitAction,
    init_store,
    open_store,
    refuse_newer,
    store_versions,
)
from recce_meta.store.write import record_run
from tests.contract.store.test_store_migrate import RUNS, old_file

OF_THE_FUTURE = (
    "CREATE TABLE {s}.run_costs (run_id VARCHAR(64), amount INTEGER)",
    "ALTER TABLE {s}.store_node_versions ADD COLUMN owner VARCHAR(64)",
    "ALTER TABLE {s}.store ADD COLUMN codename VARCHAR(64)",
    "INSERT INTO {s}.run_costs SELECT run_id, 5 FROM {s}.runs",
    "CREATE VIEW {s}.costs AS SELECT run_id, amount FROM {s}.run_costs",
    "UPDATE {s}.store SET schema_version = {write}, read_version = {read}, migrated_by = '{by}' WHERE TRUE",
)
"""What a migration of a later version may do without raising the read version."""


@pytest.fixture
def recorded(recorded_store, make_project):
    """A store with one run."""
    return recorded_store("one run", [make_project()])


def age(store, *, write=SCHEMA_VERSION + 1, read=READ_VERSION, by="9.8.7", statements=OF_THE_FUTURE):
    """Migrate *store* as a later recce_meta would."""
    quoted = store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))
    for statement in statements:
        named = statement.replace("{s}", quoted).replace("{write}", str(write)).replace("{read}", str(read))
        if store.adapter.warehouse.name == "bigquery":
            named = named.replace("VARCHAR(64)", "STRING").replace("INTEGER", "INT64")
        store.adapter.execute(named.replace("{by}", by))
    store.adapter.store_versions.clear()


def relations(store):
    """The names of tables and views."""
    with open_store(store.adapter.at(store.schema)) as opened:
        return opened.tables()


def test_a_reader_opens_a_newer_store_with_a_read_version_that_it_knows(recorded, make_project):
    age(recorded)

    assert [run.run_id for run in list_runs(recorded.adapter.at(recorded.schema))] == ["run-1"]
    project = load_run(recorded.adapter.at(recorded.schema), "run-1")
    assert project.nodes == make_project().nodes
    assert prune(recorded.adapter.at(recorded.schema), Retention(keep_last=0), dry_run=True).runs == (
        project.run,
    )


def test_a_writer_is_told_which_version_to_install(recorded, make_project):
    age(recorded)
    before = recorded.counts(), recorded.scalar("SELECT written_at FROM {s}.store")

    for attempt in (
        lambda: record_run(recorded.adapter.at(recorded.schema), make_project("run-2")),
        lambda: prune(recorded.adapter.at(recorded.schema), Retention(keep_last=0)),
        lambda: refuse_newer(recorded.adapter.at(recorded.schema)),
    ):
        for is_known in (False, True):  # what a command has read before it writes changes nothing
            if is_known:
                list_runs(recorded.adapter.at(recorded.schema))
            with pytest.raises(StoreError) as caught:
                attempt()
            assert caught.value.message == (
                f"The store in '{recorded.schema}' has version {SCHEMA_VERSION + 1}, but recce_meta "
                f"{__version__} writes version {SCHEMA_VERSION} only"
            )
            assert caught.value.hint == (
                "install recce_meta 9.8.7, which migrated the store; commands that only read still work"
            )
    assert (recorded.counts(), recorded.scalar("SELECT written_at FROM {s}.store")) == before


def test_a_second_row_of_a_process_that_created_the_store_at_the_same_time_is_harmless(
    recorded, make_project
):
    table = recorded.adapter.quote_identifier(recorded.adapter.warehouse.folded(recorded.schema)) + ".store"
    recorded.adapter.execute(f"INSERT INTO {table} SELECT * FROM {table}")
    recorded.adapter.store_versions.clear()

    assert store_versions(recorded.adapter.at(recorded.schema)).write == SCHEMA_VERSION
    assert record_run(recorded.adapter.at(recorded.schema), make_project("run-2")).written
    assert len(list_runs(recorded.adapter.at(recorded.schema))) == 2


def test_relations_of_the_user_with_names_of_a_store_stay(database, make_project):
    warehouse, adapter = database.adapter.warehouse, database.adapter.at(database.schema)
    if warehouse.shared_schema is not None:
        pytest.skip("test_sqlite_files.py has the files that hold one store")
    schema = warehouse.quote_identifier(warehouse.folded(database.schema))
    database.adapter.execute(f"CREATE SCHEMA {schema}")
    kind = "TABLE" if warehouse.name == "snowflake" else "VIEW"  # the emulator's catalog lacks views
    database.adapter.execute(f"CREATE {kind} {schema}.runs AS SELECT 42 AS mine")

    for create in (lambda: init_store(adapter), lambda: record_run(adapter, make_project())):
        with pytest.raises(StoreError, match="which has relations with its names: runs\n"):
            create()

    assert database.adapter.execute(f"SELECT mine FROM {schema}.runs")[1] == [(42,)]
    database.adapter.execute(f"CREATE TABLE {schema}.store AS SELECT 42 AS mine")
    for use in (lambda: init_store(adapter), lambda: list_runs(adapter), lambda: store_versions(adapter)):
        with pytest.raises(StoreError, match=r"Relation 'store' in schema .* lacks columns of"):
            use()

    database.adapter.execute(f"DROP {kind} {schema}.runs")
    database.adapter.execute(f"DROP TABLE {schema}.store")
    assert init_store(adapter).action is InitAction.CREATED


def test_init_leaves_a_newer_store_as_it_is(recorded):
    age(recorded)
    before = relations(recorded)

    result = init_store(recorded.adapter.at(recorded.schema))

    assert (result.action, result.version) == (InitAction.UNCHANGED, SCHEMA_VERSION + 1)
    assert result.remedy == "install recce_meta 9.8.7, which migrated the store"
    assert relations(recorded) == before
    assert recorded.scalar("SELECT schema_version FROM {s}.store") == SCHEMA_VERSION + 1


def test_a_store_with_an_unknown_read_version_is_refused(recorded, make_project):
    age(recorded, write=99, read=SCHEMA_VERSION + 1)

    for attempt in (
        lambda: init_store(recorded.adapter.at(recorded.schema)),
        lambda: list_runs(recorded.adapter.at(recorded.schema)),
        lambda: record_run(recorded.adapter.at(recorded.schema), make_project("run-2")),
        lambda: refuse_newer(recorded.adapter.at(recorded.schema)),
    ):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert f"has read version {SCHEMA_VERSION + 1}, but recce_meta {__version__}" in caught.value.message
        assert caught.value.hint == "install recce_meta 9.8.7, which migrated the store"


def test_doctor_reports_both_versions(recorded):
    def said():
        with recorded.another() as adapter:
            check = doctor(lambda: adapter.at(recorded.schema))[-1]
        return check.ok, check.detail, check.hint

    current = f"version {SCHEMA_VERSION}, read version {READ_VERSION}"
    remedy = "install recce_meta 9.8.7, which migrated the store"
    recorded.adapter.close()  # a DuckDB file has one connection

    assert said() == (True, current, None)
    age(recorded)
    recorded.adapter.close()
    ok, detail, hint = said()
    assert (ok, hint) == (None, remedy)
    assert detail.startswith(f"version {SCHEMA_VERSION + 1}, read version {READ_VERSION}: newer")
    assert detail.endswith("which can read it, but not write to it")
    age(recorded, write=99, read=99, statements=OF_THE_FUTURE[-1:])
    recorded.adapter.close()
    ok, detail, hint = said()
    assert (ok, hint) == (False, remedy)
    assert detail.startswith("version 99, read version 99: newer")
    assert detail.endswith("which can neither read nor write to it")


def test_doctor_finds_a_table_that_is_gone(recorded):
    age(recorded, statements=("ALTER TABLE {s}.store_run_hashes RENAME TO lost",))
    recorded.adapter.close()
    with recorded.another() as adapter:
        check = doctor(lambda: adapter.at(recorded.schema))[-1]
    assert (check.name, check.ok) == ("tables", False)
    assert check.detail.startswith("incomplete: ")
    assert recorded.adapter.warehouse.folded("store_run_hashes") in check.detail
    assert (check.hint or "").endswith("or restore the schema from a backup")


def test_a_build_with_the_same_number_is_not_recommended(recorded):
    age(recorded, by=__version__)

    with pytest.raises(StoreError) as caught:
        refuse_newer(recorded.adapter.at(recorded.schema))

    assert f"migrated by a newer build of version {__version__}" in str(caught.value.hint)


def test_a_migration_between_looking_and_writing_is_seen_by_the_writer(recorded, make_project):
    adapter = recorded.adapter
    list_runs(adapter.at(recorded.schema))
    known = dict(adapter.store_versions)
    assert known == {recorded.schema: SCHEMA_VERSION}
    age(recorded)
    adapter.store_versions.update(known)  # as in a command that looked before another laptop migrated

    with pytest.raises(StoreError, match=r"install recce_meta 9\.8\.7"):
        record_run(adapter.at(recorded.schema), make_project("run-2"))

    assert recorded.counts()["runs"] == 1


def test_reading_a_newer_store_writes_nothing(recorded, monkeypatch):
    age(recorded)

    def refuse(self, *arguments, **given):
        raise AssertionError(f"a reader executed {arguments[0]!r}")

    for name in ("execute", "run_file", "insert"):
        monkeypatch.setattr(session.StoreSession, name, refuse)

    assert load_run(recorded.adapter.at(recorded.schema), "latest").run.run_id == "run-1"
    assert store_versions(recorded.adapter.at(recorded.schema)).migrated_by == "9.8.7"
    with open_store(recorded.adapter.at(recorded.schema)) as opened:
        assert opened.query("runs", **dict.fromkeys(RUN_FILTERS), most=5)


def test_a_migration_that_is_stopped_leaves_nothing_where_creating_can_be_undone(recorded, monkeypatch):
    if not recorded.adapter.warehouse.has_transactional_ddl:
        pytest.skip("statements are written so that they can be repeated")
    quoted = recorded.adapter.quote_identifier(recorded.adapter.warehouse.folded(recorded.schema))
    recorded.adapter.execute(f"UPDATE {quoted}.store SET schema_version = {SCHEMA_VERSION - 1} WHERE TRUE")
    recorded.adapter.store_versions.clear()
    text = "ALTER TABLE recce_metadata.store ADD COLUMN half INTEGER;\nSELECT * FROM recce_metadata.missing;"
    broken = sql_files.SqlFile("broken", "migrations", text)
    monkeypatch.setattr(session.sql_files, "migrations", lambda dialect: ((SCHEMA_VERSION, broken),))

    for attempt, error in (
        (lambda: init_store(recorded.adapter.at(recorded.schema)), MissingRelation),
        (lambda: list_runs(recorded.adapter.at(recorded.schema)), StoreOutdated),
    ):
        with pytest.raises(error):
            attempt()
        assert "half" not in recorded.adapter.execute(f"SELECT * FROM {quoted}.store")[0]
        assert recorded.scalar("SELECT schema_version FROM {s}.store") == SCHEMA_VERSION - 1


@pytest.mark.without_store
@pytest.mark.core("duckdb", "postgres")
def test_views_keep_their_grants_and_readers_when_an_old_store_is_migrated(store):
    if store.adapter.warehouse.name != "postgres":
        pytest.skip("DuckDB has no roles, and drops what other views read")
    script = old_file(6, "store.sql").decode()
    quoted = store.adapter.quote_identifier(store.schema)
    for statement in sql_files.split_statements(script.replace("recce_metadata", quoted)):
        store.adapter.execute(statement)
    store.adapter.execute(f"CREATE VIEW {quoted}.mine AS SELECT unique_id, config FROM {quoted}.nodes")
    store.adapter.execute(f"CREATE MATERIALIZED VIEW {quoted}.kept AS SELECT unique_id FROM {quoted}.mine")
    store.adapter.execute(f"CREATE INDEX ON {quoted}.kept (unique_id)")
    store.adapter.execute(f"GRANT SELECT ON {quoted}.lineage, {quoted}.kept TO PUBLIC")

    assert init_store(store.adapter.at(store.schema)).action is InitAction.MIGRATED

    # As JSONB, configurations can be compared.
    assert store.scalar("SELECT COUNT(DISTINCT config) FROM {s}.mine") == 2
    assert store.scalar("SELECT COUNT(*) FROM {s}.kept") == 4
    assert store.scalar(
        f"SELECT COUNT(*) FROM pg_indexes WHERE schemaname = '{store.schema}' AND tablename = 'kept'"
    )
    for view in ("lineage", "kept"):
        acl = f"SELECT relacl::text FROM pg_class WHERE oid = '{quoted}.{view}'::regclass"
        assert "=r/" in store.scalar(acl)


RETYPED = {(view, "completed_at"): "TIMESTAMP WITH TIME ZONE" for view in ("run_results", "latest_results")}
"""Columns of views with another type since version 19. No earlier version reads them."""
TABLES_GROW_SINCE = 6
"""A migration that takes a column from a table raises READ_VERSION, and this with it."""


@pytest.fixture(scope="module")
def columns_now(default_file):
    """The columns of a new store."""
    return _columns(default_file)


@pytest.mark.parametrize("version", [version for version in RUNS if version >= TABLES_GROW_SINCE])
def test_tables_only_gain_columns_and_views_at_their_end(version, columns_now, tmp_path):
    file = tmp_path / "before.duckdb"
    file.write_bytes(old_file(version, "store.duckdb"))
    before, now = _columns(file), columns_now

    for table, columns in before["BASE TABLE"].items():
        is_named = version >= 9 or table == "store"
        name = table if is_named else sql_files.table_name(table)
        assert set(columns) <= set(now["BASE TABLE"][name])
        if table in now["VIEW"]:  # a public table until version 8
            assert now["VIEW"][table][: len(columns)] == _retyped(table, columns)
    if version >= VIEWS_GROW_SINCE:
        before["VIEW"].pop("graph_nodes", None)  # never public: `store_graph_nodes` since version 9
        for view, columns in before["VIEW"].items():
            assert now["VIEW"][view][: len(columns)] == _retyped(view, columns)


def test_migrations_after_the_read_version_only_add():
    for number, file in sql_files.migrations("duckdb"):
        if number > READ_VERSION:
            # Readers compute changes of graphs that are not stored, and take those of codes for unknown.
            text = re.sub(r"DELETE FROM \S+\.STORE_(GRAPH|CODE)_(CHANGES|STEPS)\b", "", file.text.upper())
            assert not any(word in text for word in ("DROP ", "RENAME ", "DELETE ", " TYPE "))


def _retyped(view, columns):
    return [(name, RETYPED.get((view, name), kind)) for name, kind in columns]


def _columns(file):
    """Columns with their types, in order, by kind of relation and its name."""
    with duckdb.connect(str(file), read_only=True) as connection:
        rows = connection.execute("""
            SELECT relation.table_type, relation.table_name, columns.column_name, columns.data_type
            FROM information_schema.tables AS relation
            JOIN information_schema.columns USING (table_catalog, table_schema, table_name)
            WHERE relation.table_schema = 'recce_metadata'
            ORDER BY relation.table_name, columns.ordinal_position
        """).fetchall()
    found = {"VIEW": {}, "BASE TABLE": {}}
    for kind, name, column, data_type in rows:
        found[kind].setdefault(name, []).append((column, data_type))
    return found
