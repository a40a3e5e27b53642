"""SHOW, RESULT_SCAN and views of INFORMATION_SCHEMA that fakesnow lacks or implements differently.

RESULT_SCAN runs the query of SHOW again, since nothing changes in between. DuckDB has neither materialized
views nor dynamic tables, so there are none.
"""

from __future__ import annotations

import re
from typing import Any

import sqlglot
from sqlglot import exp

KEYS = """
SELECT database_name AS "database_name", schema_name AS "schema_name", table_name AS "table_name",
    unnest(constraint_column_names) AS "column_name",
    unnest(range(1, len(constraint_column_names) + 1)) AS "key_sequence",
    'SYS_CONSTRAINT_' || md5(table_name) AS "constraint_name", 'false' AS "rely"
FROM duckdb_constraints() WHERE constraint_type = '{}' AND {}"""
IMPORTED = """
SELECT database_name AS "pk_database_name", schema_name AS "pk_schema_name",
    referenced_table AS "pk_table_name",
    unnest(referenced_column_names) AS "pk_column_name", database_name AS "fk_database_name",
    schema_name AS "fk_schema_name", table_name AS "fk_table_name",
    unnest(constraint_column_names) AS "fk_column_name",
    unnest(range(1, len(constraint_column_names) + 1)) AS "key_sequence",
    'NO ACTION' AS "update_rule", 'NO ACTION' AS "delete_rule",
    'SYS_CONSTRAINT_' || md5(table_name) AS "fk_name"
FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND {}"""
NONE = "SELECT '' AS \"database_name\", '' AS \"schema_name\", '' AS \"name\", '' AS \"text\" WHERE FALSE"
SHOWN = {
    "PRIMARY KEYS": KEYS.replace("'{}'", "'PRIMARY KEY'"),
    "UNIQUE KEYS": KEYS.replace("'{}'", "'UNIQUE'"),
    "IMPORTED KEYS": IMPORTED,
    "MATERIALIZED VIEWS": NONE,
    "DYNAMIC TABLES": NONE,
}
_SHOW = re.compile(rf"(?is)\s*SHOW\s+({'|'.join(SHOWN)})\s+IN\s+(DATABASE|SCHEMA)\s+(.+?)\s*\Z")
_RESULT = re.compile(r"(?i)RESULT_SCAN\(LAST_QUERY_ID\((-?\d+)\)\)")

# https://docs.snowflake.com/en/sql-reference/info-schema/tables lists views too
VIEWS_AS_TABLES = """
SELECT * FROM {tables} UNION ALL BY NAME
SELECT database_name AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", view_name AS "TABLE_NAME",
    'SYSADMIN' AS "TABLE_OWNER", 'VIEW' AS "TABLE_TYPE", 'NO' AS "IS_DYNAMIC", 'NO' AS "IS_ICEBERG",
    'NO' AS "IS_TRANSIENT", NULL::VARCHAR AS "COMMENT", to_timestamp(0)::timestamptz AS "CREATED",
    to_timestamp(0)::timestamptz AS "LAST_ALTERED"
FROM duckdb_views() WHERE NOT internal AND database_name = {database}"""


def shown(command: str) -> str | None:
    """Return a DuckDB query for *command*, a SHOW; None for any other statement."""
    found = _SHOW.match(command)
    if found is None:
        return None
    parts = [
        part.name
        for part in sqlglot.parse_one(f"SELECT 1 FROM {found[3]}", read="snowflake").find(exp.Table).parts
    ]
    names = ("database_name", "schema_name")[: len(parts)]
    where = " AND ".join(
        f"{name} = {exp.Literal.string(part).sql()}" for name, part in zip(names, parts, strict=True)
    )
    return SHOWN[found[1].upper()].format(where)


def scanned(expression: Any, history: list[str | None]) -> Any:
    """Replace RESULT_SCAN in *expression* with the query of an earlier SHOW."""
    for rows in list(expression.find_all(exp.TableFromRows)):
        found = _RESULT.search(rows.sql("snowflake").replace(" ", ""))
        if found is not None:
            before = history[int(found[1])]
            if before is None:
                raise ValueError(f"query {found[1]} was no SHOW")
            rows.replace(
                exp.Subquery(
                    this=sqlglot.parse_one(before, read="duckdb"),
                    alias=exp.TableAlias(this=exp.to_identifier("shown")),
                )
            )
    return expression


def with_views(expression: Any) -> Any:
    """Add views to the tables of the INFORMATION_SCHEMA in *expression*."""
    for table in list(expression.find_all(exp.Table)):
        if table.name == "_FS_TABLES" and table.catalog:
            name = exp.Table(
                this=table.this.copy(), db=table.args["db"].copy(), catalog=table.args["catalog"].copy()
            )
            query = VIEWS_AS_TABLES.format(
                tables=name.sql("duckdb"), database=exp.Literal.string(table.catalog).sql()
            )
            alias = exp.TableAlias(this=exp.to_identifier(table.alias or "TABLES"))
            table.replace(exp.Subquery(this=sqlglot.parse_one(query, read="duckdb"), alias=alias))
    return expression
