"""Catalog of DuckDB 1.1 to 2.0: table functions, for the connection's own database.

https://duckdb.org/docs/stable/sql/meta/duckdb_table_functions
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from recce_meta.warehouses.catalog import BaseCatalog, Part
from recce_meta.warehouses.create_table import by_table, read_table

# The functions list every attached database; temporary objects are in a separate one.
_HERE = "lower(c.database_name) = lower({database}) AND c.schema_name IN ({schemas})"

_SCHEMAS = """
SELECT schema_name, NULL, comment, NULL
FROM duckdb_schemas() AS c
WHERE lower(c.database_name) = lower({database})
ORDER BY schema_name
"""

# `sql` is CREATE VIEW … AS …, as DuckDB writes it; its reader extracts the query.
_RELATIONS = """
SELECT schema_name, name, kind, NULL, comment, sql, NULL, NULL, NULL, NULL, NULL, NULL, size, NULL, NULL, NULL
FROM (
    SELECT database_name, schema_name, table_name AS name, 'table' AS kind, comment, NULL AS sql,
        estimated_size AS size
    FROM duckdb_tables()
    WHERE NOT internal AND NOT temporary
    UNION ALL
    SELECT database_name, schema_name, view_name, 'view', comment, sql, NULL
    FROM duckdb_views()
    WHERE NOT internal AND NOT temporary
) AS c
WHERE {here}
ORDER BY schema_name, name
"""

# Only DuckDB 2.0 shows computed columns, and no version shows collations. The first column's row therefore
# includes the CREATE TABLE if it may contain them.
_COLUMNS = """
SELECT c.schema_name, c.table_name, c.column_name, c.data_type, NOT c.is_nullable, c.column_default,
    NULL, NULL, NULL, NULL, c.comment, t.sql
FROM duckdb_columns() AS c
LEFT JOIN duckdb_tables() AS t ON t.database_oid = c.database_oid AND t.schema_oid = c.schema_oid
    AND t.table_oid = c.table_oid AND c.column_index = 1
    AND (contains(t.sql, ' GENERATED ALWAYS AS') OR contains(t.sql, ' COLLATE '))
WHERE {here} AND NOT c.internal
ORDER BY c.schema_name, c.table_name, c.column_index
"""

# DuckDB generates the names from the table and columns; it does not store names given by users.
_CONSTRAINTS = """
SELECT schema_name, table_name, constraint_name,
    lower(replace(constraint_type, ' ', '_')),
    CAST(to_json(coalesce(constraint_column_names, [])) AS VARCHAR),
    CASE WHEN constraint_type = 'CHECK' THEN expression END,
    CASE WHEN constraint_type = 'FOREIGN KEY' THEN schema_name END,
    CASE WHEN constraint_type = 'FOREIGN KEY' THEN referenced_table END,
    CASE WHEN constraint_type = 'FOREIGN KEY' THEN CAST(to_json(referenced_column_names) AS VARCHAR) END,
    CASE WHEN constraint_type = 'FOREIGN KEY' THEN 'no action' END,
    CASE WHEN constraint_type = 'FOREIGN KEY' THEN 'no action' END,
    NULL
FROM duckdb_constraints() AS c
WHERE {here} AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY', 'CHECK')
ORDER BY schema_name, table_name, constraint_index
"""

_INDEXES = """
SELECT schema_name, table_name, index_name, rtrim(sql, ';'), is_unique
FROM duckdb_indexes() AS c
WHERE {here} AND sql IS NOT NULL
ORDER BY schema_name, table_name, index_name
"""

_TEMPLATES = {
    Part.SCHEMAS: _SCHEMAS,
    Part.RELATIONS: _RELATIONS,
    Part.COLUMNS: _COLUMNS,
    Part.CONSTRAINTS: _CONSTRAINTS,
    Part.INDEXES: _INDEXES,
}


class Catalog(BaseCatalog):
    """DuckDB's catalog, without owners, times and foreign key actions."""

    system_schemas: ClassVar[tuple[str, ...]] = ("information_schema", "pg_catalog")
    default_schema = "main"
    views_can_break = True

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return one statement for each part."""
        name = "current_database()" if database is None else self.literal(database)
        here = _HERE.format(database=name, schemas=self.listed(schemas))
        return (_TEMPLATES[part].format(here=here, database=name),)

    def rows(self, part: Part, answer: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """Return the rows completed with facts from CREATE TABLE."""
        return by_table(answer, _columns) if part is Part.COLUMNS else answer


def _columns(rows: list[list[Any]]) -> list[list[Any]]:
    """Complete the columns of one table with computed columns and collations."""
    text = next((row[-1] for row in rows if row[-1]), None)
    if text is not None:
        columns = read_table(text).columns
        for row in rows:
            column = columns.get(row[2].lower())
            if column is not None and column.generated is not None:
                row[5], row[6], row[7] = None, row[5] or column.generated, "virtual"
            row[9] = column.collation if column is not None else None
    return [row[:-1] for row in rows]
