"""The warehouse has a comment on every public view, and on each column of it if it can."""

from __future__ import annotations

import pytest

from recce_meta.store import sql_files
from recce_meta.store.session import init_store

COMMENTED = {
    "duckdb": """
        SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = '{schema}'
        UNION ALL
        SELECT view_name, NULL, comment FROM duckdb_views() WHERE schema_name = '{schema}'
    """,
    "postgres": """
        SELECT own.relname, part.attname, COL_DESCRIPTION(own.oid, part.attnum)
        FROM pg_class AS own
        JOIN pg_attribute AS part ON part.attrelid = own.oid AND part.attnum > 0
        WHERE own.relnamespace = CAST('{quoted}' AS REGNAMESPACE) AND own.relkind = 'v'
        UNION ALL
        SELECT own.relname, NULL, OBJ_DESCRIPTION(own.oid)
        FROM pg_class AS own
        WHERE own.relnamespace = CAST('{quoted}' AS REGNAMESPACE) AND own.relkind = 'v'
    """,
}
"""Relations, columns (NULL for the relation itself) and comments, where the catalog is queried."""


@pytest.mark.parametrize("is_repeated", [False, True], ids=["created", "refreshed"])
def test_every_view_and_column_has_a_comment(store, prepared, is_repeated):
    query = COMMENTED.get(store.adapter.warehouse.name)
    if query is None:
        pytest.skip("tests/unit/store/test_sql_files.py reads the statements")
    for _ in range((prepared is None) + is_repeated):
        init_store(store.adapter.at(store.schema))

    quoted = store.adapter.quote_identifier(store.schema)
    rows = store.adapter.execute(query.format(schema=store.schema, quoted=quoted))[1]

    public = sql_files.public_relations(store.adapter.warehouse.name)
    found = {(relation, column): comment for relation, column, comment in rows if relation in public}
    assert {relation for relation, _ in found} == set(public)
    assert [place for place, comment in found.items() if not comment] == []
    assert found["runs", None] == "One row per recorded run, written last: a run with a row is complete"
    assert found["lineage", "node_id"] == "Unique id of the node that reads the parent"
