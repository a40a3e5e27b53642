"""Which statements of a user count as queries that only read."""

from __future__ import annotations

import pytest

from recce_meta.adapter.read_only import require_query
from recce_meta.errors import UsageError
from recce_meta.warehouses import available, warehouse_named

WAREHOUSES = available()


@pytest.mark.parametrize("name", WAREHOUSES)
@pytest.mark.parametrize(
    "statement",
    [
        "select 1",
        "with a as (select 1 as x) select x from a union all select 2;",
        "select 'drop table x; delete' as note -- insert",
        'select "delete" from (select 1 as "delete") as t'.replace('"', "'"),
        "select count(*), coalesce(null, 1) from runs",
    ],
)
def test_a_query_is_accepted(name: str, statement: str) -> None:
    assert require_query(statement, warehouse_named(name)) == statement.removesuffix(";")


@pytest.mark.parametrize("name", WAREHOUSES)
@pytest.mark.parametrize(
    "statement",
    [
        "drop table runs",
        "update runs set branch = 'x'",
        "call wipe()",
        "explain analyze delete from runs",
        "with gone as (delete from runs) select 1",
        "select 1; select 2",
        "create table x as select 1",
        "grant select on runs to public",
        "-- only a comment",
        "",
    ],
)
def test_anything_else_is_refused(name: str, statement: str) -> None:
    with pytest.raises(UsageError):
        require_query(statement, warehouse_named(name))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("postgres", "pg_terminate_backend(1)"),
        ("postgres", 'pg_catalog."pg_cancel_backend" (1)'),
        ("postgres", "lo_export(1, '/x')"),
        ("postgres", "query_to_xml('delete from runs', true, true, '')"),
        ("redshift", "PG_TERMINATE_BACKEND(1)"),
        ("snowflake", "SYSTEM$CANCEL_QUERY('x')"),
        ("databricks", "reflect('java.lang.System', 'exit', 0)"),
        ("postgres", 'U&"query\\005fto\\005fxml"(1)'),
        ("postgres", "ts_stat('select lo_create(0)')"),
        ("duckdb", "nextval('s')"),
        ("duckdb", "enable_logging(storage='file', storage_path='/x')"),
        ("duckdb", "query('from x')"),
    ],
)
def test_a_function_that_changes_something_is_refused(name: str, call: str) -> None:
    with pytest.raises(UsageError, match="is refused"):
        require_query(f"select {call}", warehouse_named(name))


def test_without_read_only_transactions_the_statement_must_be_understood() -> None:
    statement = "select (1"
    assert require_query(statement, warehouse_named("postgres")) == statement  # the server reports the error
    with pytest.raises(UsageError, match="Cannot verify that the statement only reads"):
        require_query(statement, warehouse_named("snowflake"))


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("duckdb", "from query_table('orders')"),
        ("duckdb", "from 'pg_settings'"),
        ("duckdb", "from $$pragma_database_list$$"),
        ("duckdb", "select current_setting\u200b('threads')"),
        ("postgres", "select table_to_xml('orders', true, false, '')"),
        ("postgres", "select 'pg_stat_activity'::regclass"),
        ("postgres", "select * from xpath_table('id', 'x', 'pg_' || 'authid', '/', 'true') as t(a int)"),
        ("redshift", "select 'a\\', current_setting('port') --'"),
        ("redshift", "select 'a\\', 'b', ' --'"),
        ("redshift", "select * from stl_querytext"),
    ],
)
def test_what_a_string_names_is_refused_for_users_of_a_server(name: str, statement: str) -> None:
    with pytest.raises(UsageError, match="is refused"):
        require_query(statement, warehouse_named(name), is_guarded=True)


@pytest.mark.parametrize("name", ["duckdb", "postgres", "redshift"])
def test_letters_of_names_cannot_be_hidden(name: str) -> None:
    with pytest.raises(UsageError, match="UESCAPE"):
        require_query("select U&\"lo!005fimport\" UESCAPE '!' ('/x')", warehouse_named(name))


@pytest.mark.parametrize("name", ["duckdb", "postgres", "redshift"])
def test_plain_names_and_strings_are_accepted_from_users_of_a_server(name: str) -> None:
    sql = "select query, lo_price, replace(note, '\\n', ''), 'it''s' from lo_orders -- a user's"
    assert require_query(sql, warehouse_named(name), is_guarded=True) == sql
