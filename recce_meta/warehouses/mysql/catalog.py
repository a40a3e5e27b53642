"""Catalog of MySQL 8 and MariaDB 10.6 and later: information_schema.

Run on MariaDB 10.11; MySQL follows its manual. Comments separate the two: only MariaDB executes `/*M! … */`,
only MySQL `/*!80016 … */`.
https://mariadb.com/kb/en/comment-syntax/, https://dev.mysql.com/doc/refman/8.0/en/information-schema.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from recce_meta.warehouses.catalog import BaseCatalog, Part

# A schema is a database. If the URL names one, only that one is listed; names that differ only in case are
# different, unless the server is configured otherwise. In the queries below, {same a b} is an exact
# comparison, {each a} a grouping expression, and {here a} restricts a to the requested schemas.
_SCHEMAS = """
SELECT s.schema_name, NULL, /*M! NULLIF(s.schema_comment, '') *//*!80000 NULL */, NULL
FROM information_schema.schemata s
WHERE DATABASE() IS NULL OR s.schema_name = DATABASE()
    AND (@@lower_case_table_names > 0 OR CAST(s.schema_name AS BINARY) = CAST(DATABASE() AS BINARY))
ORDER BY s.schema_name
"""

# The comment of a view is a fixed word or an error; its definer is its owner.
_RELATIONS = """
SELECT t.table_schema, t.table_name,
    CASE WHEN t.table_type LIKE '%VIEW' THEN 'view' ELSE 'table' END,
    v.definer,
    CASE WHEN t.table_type LIKE '%VIEW' THEN NULL ELSE NULLIF(t.table_comment, '') END,
    NULLIF(v.view_definition, ''),
    p.partition_key, NULL, NULL, NULL, p.partitions,
    NULLIF(CAST(JSON_MERGE_PATCH('{}', JSON_OBJECT(
        'engine', t.engine,
        'collation', t.table_collation,
        'create_options', NULLIF(TRIM(REPLACE(t.create_options, 'partitioned', '')), ''),
        'system_versioned', CASE WHEN t.table_type = 'SYSTEM VERSIONED' THEN 'yes' END,
        'invisible_columns', unseen.columns,
        'security', CASE WHEN v.security_type <> 'DEFINER' THEN LOWER(v.security_type) END,
        'check_option', CASE WHEN v.check_option <> 'NONE' THEN LOWER(v.check_option) END
        /*M!, 'algorithm', CASE WHEN v.algorithm <> 'UNDEFINED' THEN LOWER(v.algorithm) END */
    )) AS CHAR), '{}'),
    t.table_rows, t.data_length + t.index_length, t.create_time, t.update_time, NULL
FROM information_schema.tables t
LEFT JOIN information_schema.views v
    ON {same v.table_schema t.table_schema} AND {same v.table_name t.table_name}
LEFT JOIN (
    SELECT table_schema, table_name,
        MAX(CONCAT(partition_method, ' (', COALESCE(partition_expression, ''), ')',
            COALESCE(CONCAT(' SUBPARTITION BY ', subpartition_method, ' (',
                COALESCE(subpartition_expression, ''), ')'), ''))) AS partition_key,
        CONCAT('[', GROUP_CONCAT(DISTINCT JSON_MERGE_PATCH('{}', JSON_OBJECT(
            'name', partition_name, 'bound', partition_description
        )) ORDER BY partition_ordinal_position SEPARATOR ', '), ']') AS partitions
    FROM information_schema.partitions
    WHERE partition_name IS NOT NULL AND {here table_schema}
    GROUP BY {each table_schema}, {each table_name}
) p ON {same p.table_schema t.table_schema} AND {same p.table_name t.table_name}
LEFT JOIN (
    SELECT table_schema, table_name,
        GROUP_CONCAT(column_name ORDER BY ordinal_position SEPARATOR ', ') AS columns
    FROM information_schema.columns
    WHERE extra LIKE '%INVISIBLE%' AND {here table_schema}
    GROUP BY {each table_schema}, {each table_name}
) unseen ON {same unseen.table_schema t.table_schema} AND {same unseen.table_name t.table_name}
WHERE t.table_type <> 'SEQUENCE' AND {here t.table_schema}
ORDER BY t.table_schema, t.table_name
"""

# Columns of a view inherit defaults and comments, so they are omitted. MariaDB returns a default as SQL
# text, `NULL` if there is none; MySQL returns the bare value and the expression.
_COLUMNS = """
SELECT c.table_schema, c.table_name, c.column_name, c.column_type,
    CASE WHEN t.table_type LIKE '%VIEW' THEN NULL ELSE c.is_nullable = 'NO' END,
    CASE WHEN t.table_type LIKE '%VIEW' OR c.generation_expression <> '' THEN NULL ELSE NULLIF(TRIM(CONCAT(
        COALESCE(/*M! NULLIF(c.column_default, 'NULL') */
            /*!80000 CASE WHEN c.extra LIKE '%DEFAULT_GENERATED%' OR c.numeric_precision IS NOT NULL
                THEN c.column_default ELSE QUOTE(c.column_default) END */, ''),
        CASE WHEN c.extra LIKE '%on update%'
            THEN CONCAT(' ', SUBSTRING(c.extra, LOCATE('on update', c.extra))) ELSE '' END
    )), '') END,
    NULLIF(c.generation_expression, ''),
    CASE WHEN c.generation_expression <> '' THEN
        CASE WHEN c.extra LIKE '%VIRTUAL%' THEN 'virtual' ELSE 'stored' END END,
    CASE WHEN c.extra LIKE '%auto_increment%' THEN 'auto_increment' END,
    CASE WHEN t.table_type NOT LIKE '%VIEW' THEN c.collation_name END,
    CASE WHEN t.table_type LIKE '%VIEW' THEN NULL ELSE NULLIF(c.column_comment, '') END
FROM information_schema.columns c
JOIN information_schema.tables t
    ON {same t.table_schema c.table_schema} AND {same t.table_name c.table_name}
WHERE t.table_type <> 'SEQUENCE' AND {here c.table_schema}
ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""

# MariaDB hides table_constraints and referential_constraints from read-only users, but not key columns and
# checks. The kinds are therefore derived from those, and actions are included if visible.
_CONSTRAINTS = """
SELECT k.table_schema, k.table_name, k.constraint_name,
    CASE WHEN MAX(k.referenced_table_name) IS NOT NULL THEN 'foreign_key'
        WHEN k.constraint_name = 'PRIMARY' THEN 'primary_key' ELSE 'unique' END,
    CONCAT('[', GROUP_CONCAT(JSON_QUOTE(k.column_name) COLLATE utf8mb4_bin
        ORDER BY k.ordinal_position SEPARATOR ', '), ']'),
    NULL, MAX(k.referenced_table_schema), MAX(k.referenced_table_name),
    CONCAT('[', GROUP_CONCAT(JSON_QUOTE(k.referenced_column_name) COLLATE utf8mb4_bin
        ORDER BY k.ordinal_position SEPARATOR ', '), ']'),
    LOWER(MAX(r.update_rule)), LOWER(MAX(r.delete_rule)), NULL
FROM information_schema.key_column_usage k
LEFT JOIN information_schema.referential_constraints r
    ON {same r.constraint_schema k.constraint_schema} AND {same r.table_name k.table_name}
    AND {same r.constraint_name k.constraint_name} AND k.referenced_table_name IS NOT NULL
WHERE {here k.table_schema}
GROUP BY {each k.table_schema}, {each k.table_name}, {each k.constraint_name}, k.referenced_table_name IS NULL
UNION ALL
SELECT c.constraint_schema, /*M! c.table_name *//*!80016 t.table_name */, c.constraint_name, 'check', '[]',
    c.check_clause, NULL, NULL, NULL, NULL, NULL,
    /*M! NULL *//*!80016 CASE WHEN t.enforced = 'NO' THEN '{"not_enforced": true}' END */
FROM information_schema.check_constraints c
/*!80016 JOIN information_schema.table_constraints t
    ON {same t.constraint_schema c.constraint_schema} AND {same t.constraint_name c.constraint_name}
    AND t.constraint_type = 'CHECK' */
WHERE {here c.constraint_schema}
"""

# Unique indexes are reported as constraints; one on a prefix or on expressions is listed here too.
_INDEXES = """
SELECT i.table_schema, i.table_name, i.index_name,
    CONCAT(i.index_type, ' (', GROUP_CONCAT(CONCAT(
        COALESCE(CONCAT('`', REPLACE(i.column_name, '`', '``'), '`'), /*!80013 i.expression, */ ''),
        COALESCE(CONCAT('(', i.sub_part, ')'), ''),
        CASE WHEN i.collation = 'D' THEN ' DESC' ELSE '' END
    ) ORDER BY i.seq_in_index SEPARATOR ', '), ')',
        MAX(/*M!100600 CASE WHEN i.ignored = 'YES' THEN ' IGNORED' ELSE '' END */
            /*!80000 CASE WHEN i.is_visible = 'NO' THEN ' INVISIBLE' ELSE '' END */)),
    i.non_unique = 0
FROM information_schema.statistics i
WHERE {here i.table_schema}
GROUP BY {each i.table_schema}, {each i.table_name}, {each i.index_name}, i.index_type, i.non_unique
HAVING i.non_unique = 1 OR MAX(i.sub_part IS NOT NULL OR i.column_name IS NULL)
ORDER BY i.table_schema, i.table_name, i.index_name
"""

_TEMPLATES = {
    Part.SCHEMAS: _SCHEMAS,
    Part.RELATIONS: _RELATIONS,
    Part.COLUMNS: _COLUMNS,
    Part.CONSTRAINTS: _CONSTRAINTS,
    Part.INDEXES: _INDEXES,
}
_PLACE = re.compile(r"\{(\w+) (\S+?)(?: (\S+))?\}")


class Catalog(BaseCatalog):
    """Catalog of MySQL and MariaDB: without a database in the URL, everything that is visible to the user."""

    # https://dev.mysql.com/doc/refman/8.0/en/string-literals.html
    has_escapes = True
    system_schemas: ClassVar[tuple[str, ...]] = ("information_schema", "mysql", "performance_schema", "sys")
    has_databases = False
    reads_one_moment = False
    views_can_break = True

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return one statement for each part."""
        named = self.listed(schemas)

        def written(place: re.Match[str]) -> str:
            """Expand a placeholder: the catalog compares and groups names without case and accents."""
            kind, one, other = place.groups()
            if kind == "each":
                return f"CAST({one} AS BINARY)"
            if kind == "same":
                return f"{one} = {other} AND CAST({one} AS BINARY) = CAST({other} AS BINARY)"
            # The plain list lets the server restrict its search to these schemas.
            return f"{one} IN ({named}) AND CAST({one} AS BINARY) IN ({named})"

        return (_PLACE.sub(written, _TEMPLATES[part]),)
