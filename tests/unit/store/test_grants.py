"""The printed grants of every warehouse."""

from __future__ import annotations

import pytest

from recce_meta.errors import UsageError
from recce_meta.store import sql_files
from recce_meta.store.grants import StoreRole, grants_sql
from recce_meta.warehouses import warehouse_of_store

NAMES = sql_files.dialects()


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_gets_no_right_to_change(name: str) -> None:
    text = grants_sql(StoreRole.READER, warehouse_of_store(name), to="bi")
    statements = [line for line in text.splitlines() if not line.startswith("--")]

    for word in ("INSERT", "UPDATE", "DELETE", "MODIFY", "CREATE", "dataEditor"):
        assert not [line for line in statements if word in line]
    assert all("bi" in line for line in statements)


@pytest.mark.parametrize("name", ["postgres", "redshift", "snowflake"])
def test_a_recorder_inserts_into_tables_and_deletes_no_run(name: str) -> None:
    text = grants_sql(StoreRole.RECORDER, warehouse_of_store(name), to="ci")
    assert text.count("recce_metadata.") >= len(sql_files.ddl(name)) - 2
    assert "store_tombstones" not in text, "a deletion removes runs of other stores"
    deleted = text[text.index("DELETE ON") :]
    assert "runs" not in deleted
    assert "node_statistics" in deleted


def test_snowflake_needs_no_manage_grants_and_replaced_views_keep_their_readers() -> None:
    """https://docs.snowflake.com/en/sql-reference/sql/grant-privilege and /create-view."""
    text = grants_sql(StoreRole.READER, warehouse_of_store("snowflake"), to="bi")
    statements = [line for line in text.splitlines() if not line.startswith("--")]
    assert len(statements) == 4 and not [line for line in statements if "FUTURE" in line]
    assert text.count("-- GRANT SELECT ON FUTURE ") == 2
    for view in sql_files.views("snowflake"):
        assert ")\nCOPY GRANTS\nCOMMENT = '" in view.text, view.name


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_a_line_break_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        grants_sql(StoreRole.READER, warehouse_of_store(name), to="x\nDROP SCHEMA y")
