"""DuckDB 1.1 to 2.0: its own table functions, of the connection's own database.

https://duckdb.org/docs/stable/sql/meta/duckdb_table_functions
"""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.warehouses.catalogs.base import BaseCatalog, Part

# Functions tell of every database that is attached; what is temporary has a database of its own.
_HERE = "lower(c.database_name) = lower({database}) AND c.schema_name IN ({schemas})"

_SCHEMAS = """
SELECT schema_name, NULL, comment, NULL
FROM duckdb_schemas() AS c
WHERE lower(c.database_name) = lower({database})
ORDER BY schema_name
"""

# `sql` is CREATE VIEW … AS …, as DuckDB writes it: what reads it takes the query out.
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

# Until 1.4 nothing but the text of CREATE TABLE tells a computed column from a default: `is_generated` is the
# function's column where there is one, and else that of `unknown`. A collation is only in that text.
_COLUMNS = """
WITH unknown AS (
    SELECT CAST(NULL AS BOOLEAN) AS is_generated
), columns AS (
    SELECT c.*
    FROM unknown, LATERAL (
        SELECT schema_name, table_name, table_oid, column_name, column_index, data_type, is_nullable,
            column_default, comment, is_generated AS is_told,
            '(?:[(]|, )(?:' || regexp_escape(column_name) || '|'
                || regexp_escape('"' || replace(column_name, '"', '""') || '"') || ') '
                || regexp_escape(data_type) AS is_written
        FROM duckdb_columns() AS c
        WHERE {here} AND NOT internal
    ) AS c
), texts AS (
    SELECT schema_name, table_oid, sql
    FROM duckdb_tables() AS c
    WHERE {here} AND NOT internal AND (contains(sql, ' GENERATED ALWAYS AS') OR contains(sql, ' COLLATE '))
), told AS (
    SELECT c.*, t.sql,
        coalesce(c.is_told, CASE WHEN t.sql IS NULL OR c.column_default IS NULL THEN false
            ELSE regexp_matches(t.sql, c.is_written || ' GENERATED ALWAYS AS') END) AS is_computed
    FROM columns AS c LEFT JOIN texts AS t ON t.schema_name = c.schema_name AND t.table_oid = c.table_oid
)
SELECT schema_name, table_name, column_name, data_type, NOT is_nullable,
    CASE WHEN NOT is_computed THEN column_default END,
    CASE WHEN is_computed THEN column_default END,
    CASE WHEN is_computed THEN 'virtual' END,
    NULL,
    CASE WHEN data_type = 'VARCHAR' AND contains(sql, ' COLLATE ')
        THEN nullif(regexp_extract(sql, is_written || ' COLLATE ([\\w.]+)', 1), '') END,
    comment
FROM told
ORDER BY schema_name, table_name, column_index
"""

# The names are DuckDB's own, made of the table's and its columns': a name that a user gave is not kept.
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
    """DuckDB's catalog. It has no owners, no times and no actions of foreign keys."""

    system_schemas = ("information_schema", "pg_catalog")
    default_schema = "main"
    views_can_break = True

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """One statement for each part."""
        name = "current_database()" if database is None else self.literal(database)
        here = _HERE.format(database=name, schemas=self.listed(schemas))
        return (_TEMPLATES[part].format(here=here, database=name),)
