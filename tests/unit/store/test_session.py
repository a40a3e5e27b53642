"""The keys that statements are told are those of the tables' definitions."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from recce_meta.store.sql_files import KEYS
from scripts.render_sql import SQL


def test_keys_are_the_primary_keys_of_the_tables() -> None:
    found = {}
    for path in sorted((SQL / "ddl").glob("*.sql")):
        (statement,) = sqlglot.parse(path.read_text(encoding="utf-8"), read="postgres")
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            found[statement.find(exp.Table).name.removeprefix("store_")] = tuple(_key(statement))

    assert found.pop("store") == ()
    assert found == KEYS


def _key(statement: exp.Create) -> list[str]:
    for column in statement.find_all(exp.ColumnDef):
        if column.find(exp.PrimaryKeyColumnConstraint):
            return [column.name]
    return [part.name for key in statement.find_all(exp.PrimaryKey) for part in key.expressions]
