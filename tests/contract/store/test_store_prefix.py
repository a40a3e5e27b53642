"""Tables have a prefix, public relations are views, and an older store is renamed on every warehouse."""

from __future__ import annotations

import pytest

from recce_meta.errors import PermissionDenied, RecceMetaError
from recce_meta.store import session, sql_files
from recce_meta.store.select import load_run
from recce_meta.store.session import READ_VERSION, InitAction, init_store, open_store, store_versions
from recce_meta.store.sql_files import KEYS
from recce_meta.store.write import record_run

FORMER_TABLES = (
    "runs",
    "run_results",
    "node_statistics",
    "column_statistics",
    "quality_runs",
    "table_quality",
    "column_quality",
    "column_top_values",
    "quality_metrics",
)
"""Public relations that were tables before version 9."""


@pytest.fixture
def recorded(recorded_store, make_project):
    """A store with one run."""
    return recorded_store("one run", [make_project()])


def quoted_schema(store):
    return store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))


def relations(store):
    """The names of tables and views."""
    with open_store(store.adapter.at(store.schema)) as opened:
        return opened.tables()


def columns_of(store, relation):
    names = store.adapter.execute(f"SELECT * FROM {quoted_schema(store)}.{relation} WHERE 1 = 0")[0]
    return [name.lower() for name in names]


def take_prefix_away(store):
    """Give *store* the names of version 8, without the views except the one behind the others."""
    if store.backend.spelling.oldest_store > 8:
        pytest.skip("no store without the prefix was ever in this warehouse")
    adapter, quoted = store.adapter, quoted_schema(store)
    dialect = adapter.warehouse.store_dialect or adapter.warehouse.name
    for statement in sql_files.query("drop_views", dialect).statements(quoted):
        adapter.execute(statement)
    (behind,) = (file for file in sql_files.ddl(dialect) if file.name.endswith("graph_nodes"))
    adapter.execute(f"DROP VIEW {quoted}.store_graph_nodes")
    for table, statement in sql_files.renames(dialect, quoted):
        back = statement.replace(table, "@").replace("store_@", table).replace("@", f"store_{table}")
        adapter.execute(back)
    (view,) = behind.statements(quoted)
    adapter.execute(view.replace("store_", ""))
    adapter.execute(f"UPDATE {quoted}.store SET schema_version = 8, read_version = 7 WHERE 1 = 1")
    adapter.store_versions.clear()


def test_every_table_has_the_prefix_and_every_public_relation_is_a_view(recorded):
    public = sql_files.public_relations(recorded.adapter.warehouse.name)

    others = relations(recorded) - set(public)

    assert set(FORMER_TABLES) <= set(public)
    assert all(name == "store" or name.startswith("store_") for name in others)
    assert {sql_files.table_name(table) for table in KEYS} <= others
    assert not any(name.startswith("store") for name in public)


@pytest.mark.cases(3)
@pytest.mark.parametrize("name", FORMER_TABLES)
def test_a_view_with_the_name_of_a_table_has_its_columns_in_their_order(recorded, name):
    assert columns_of(recorded, name) == columns_of(recorded, sql_files.table_name(name))


def test_an_older_store_is_renamed_without_losing_a_row(recorded, make_project):
    before, names = recorded.counts(), relations(recorded)
    take_prefix_away(recorded)
    recorded.scalar("SELECT COUNT(*) FROM {s}.node_versions")

    result = init_store(recorded.adapter.at(recorded.schema))

    assert (result.action, result.previous_version) == (InitAction.MIGRATED, 8)
    assert (recorded.counts(), relations(recorded)) == (before, names)
    loaded = load_run(recorded.adapter.at(recorded.schema), "run-1")
    assert loaded.nodes == make_project().nodes
    assert recorded.scalar("SELECT COUNT(*) FROM {s}.runs") == 1
    assert record_run(recorded.adapter.at(recorded.schema), make_project("run-2")).written


def test_renames_that_were_interrupted_continue(recorded, make_project, monkeypatch):
    before, names = recorded.counts(), relations(recorded)
    take_prefix_away(recorded)
    whole = session.StoreSession.rename_tables

    def interrupted(self):
        for number, table in enumerate(whole(self)):
            yield table
            if number == 4:
                raise RecceMetaError("killed")

    monkeypatch.setattr(session.StoreSession, "rename_tables", interrupted)
    with pytest.raises(RecceMetaError, match="killed"):
        init_store(recorded.adapter.at(recorded.schema))
    is_undone = recorded.adapter.warehouse.has_transactional_ddl
    versions = store_versions(recorded.adapter.at(recorded.schema))
    # An earlier recce_meta refuses a store with this read version.
    assert (versions.write, versions.read) == (8, 7 if is_undone else READ_VERSION)
    monkeypatch.setattr(session.StoreSession, "rename_tables", whole)

    assert record_run(recorded.adapter.at(recorded.schema), make_project("run-2")).written

    assert relations(recorded) == names
    assert recorded.counts() == before | {"runs": 2, "run_results": 2 * before["run_results"]}
    assert load_run(recorded.adapter.at(recorded.schema), "run-1").nodes == make_project().nodes


@pytest.mark.core("duckdb", "postgres")
def test_readers_and_views_of_users_follow_renamed_tables(recorded):
    if recorded.adapter.warehouse.name != "postgres":
        pytest.skip("grants and views of users follow a renamed table in PostgreSQL")
    take_prefix_away(recorded)
    quoted, reader = quoted_schema(recorded), f"reader_{recorded.schema}".lower()[:60]
    role = recorded.adapter.quote_identifier(reader)
    for statement in (
        f"CREATE ROLE {role}",
        f"GRANT USAGE ON SCHEMA {quoted} TO {role}",
        f"GRANT SELECT ON {quoted}.runs TO {role}",
        f"CREATE VIEW {quoted}.mine AS SELECT run_id FROM {quoted}.runs",
    ):
        recorded.adapter.execute(statement)
    try:
        init_store(recorded.adapter.at(recorded.schema))

        may = f"SELECT HAS_TABLE_PRIVILEGE('{reader}', CAST(:relation AS REGCLASS), 'SELECT')"
        with recorded.adapter.session() as opened:
            allowed = {
                name: opened.query(may, {"relation": f"{quoted}.{name}"})[0][0]
                for name in ("runs", "store_runs", "quality_runs", "store_quality_runs")
            }
        assert [name for name, is_allowed in allowed.items() if is_allowed] == ["runs", "store_runs"]
        assert recorded.scalar("SELECT COUNT(*) FROM {s}.mine") == 1
    finally:
        recorded.adapter.execute(f"DROP OWNED BY {role}")
        recorded.adapter.execute(f"DROP ROLE {role}")


def test_a_role_that_cannot_migrate_learns_which_role_can(recorded, monkeypatch):
    def denied(*_):
        raise PermissionDenied("must be owner of table macro_sets")

    take_prefix_away(recorded)
    monkeypatch.setattr(session, "_migrate", denied)

    with pytest.raises(PermissionDenied) as caught:
        init_store(recorded.adapter.at(recorded.schema))

    assert "run recce-meta init with the role that created it" in caught.value.hint
