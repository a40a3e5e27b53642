"""Snowflake's catalog: INFORMATION_SCHEMA, and SHOW for everything it lacks.

Only SHOW returns keys, and the queries of materialized views and dynamic tables. RESULT_SCAN reads the
results of SHOW, so the statements of one part run one after the other in one session.

"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from recce_meta.errors import UsageError
from recce_meta.warehouses.catalog import BaseCatalog, Part, quoted_name, select_list

# https://docs.snowflake.com/en/sql-reference/info-schema/schemata
_SCHEMAS = {"name": "schema_name", "owner": "schema_owner", "comment": "comment"}

# https://docs.snowflake.com/en/sql-reference/info-schema/tables; changed rows also update LAST_ALTERED
_RELATIONS = {
    "schema": "t.table_schema",
    "name": "t.table_name",
    "kind": (
        "CASE WHEN t.table_type = 'VIEW' THEN 'view'"
        " WHEN t.table_type = 'MATERIALIZED VIEW' OR t.is_dynamic = 'YES' THEN 'materialized_view'"
        " WHEN t.table_type = 'EXTERNAL TABLE' THEN 'external_table' ELSE 'table' END"
    ),
    "owner": "t.table_owner",
    "comment": "t.comment",
    "definition": "COALESCE(v.view_definition, s.definition)",
    "options": (
        "NULLIF(TO_JSON(OBJECT_CONSTRUCT("
        "'cluster_by', t.clustering_key, "
        "'dynamic', IFF(t.is_dynamic = 'YES', TRUE, NULL), "
        "'iceberg', IFF(t.is_iceberg = 'YES', TRUE, NULL), "
        "'secure', IFF(v.is_secure = 'YES', TRUE, NULL), "
        "'transient', IFF(t.is_transient = 'YES', TRUE, NULL)"
        ")), '{}')"
    ),
    "row_estimate": "t.row_count",
    "bytes": "t.bytes",
    "created_at": "t.created",
    "altered_at": "t.last_altered",
}

# https://docs.snowflake.com/en/sql-reference/info-schema/columns
_COLUMNS = {
    "schema": "table_schema",
    "relation": "table_name",
    "name": "column_name",
    "type": (
        "CASE data_type"
        " WHEN 'NUMBER' THEN 'NUMBER(' || numeric_precision || ',' || numeric_scale || ')'"
        " WHEN 'TEXT' THEN COALESCE('VARCHAR(' || character_maximum_length || ')', 'VARCHAR')"
        " WHEN 'BINARY' THEN COALESCE('BINARY(' || character_octet_length || ')', 'BINARY')"
        " ELSE data_type END"
    ),
    "is_not_null": "is_nullable = 'NO'",
    "default": "column_default",
    "identity": (
        "IFF(is_identity = 'YES', 'start ' || identity_start || ' increment ' || identity_increment, NULL)"
    ),
    "collation": "collation_name",
    "comment": "comment",
}

_KEY = {
    "schema": '"schema_name"',
    "relation": '"table_name"',
    # Snowflake generates SYS_CONSTRAINT_ and a number that differs for each table.
    "name": 'IFF(STARTSWITH("constraint_name", \'SYS_CONSTRAINT_\'), NULL, "constraint_name")',
    "columns": 'TO_JSON(ARRAY_AGG("column_name") WITHIN GROUP (ORDER BY "key_sequence"))',
}
# https://docs.snowflake.com/en/sql-reference/sql/show-imported-keys does not exist; the columns are those
# of the driver and of JDBC's getImportedKeys
_FOREIGN_KEY = {
    "schema": '"fk_schema_name"',
    "relation": '"fk_table_name"',
    "name": 'IFF(STARTSWITH("fk_name", \'SYS_CONSTRAINT_\'), NULL, "fk_name")',
    "type": "'foreign_key'",
    "columns": 'TO_JSON(ARRAY_AGG("fk_column_name") WITHIN GROUP (ORDER BY "key_sequence"))',
    "ref_schema": '"pk_schema_name"',
    "ref_relation": '"pk_table_name"',
    "ref_columns": 'TO_JSON(ARRAY_AGG("pk_column_name") WITHIN GROUP (ORDER BY "key_sequence"))',
    "on_update": 'LOWER("update_rule")',
    "on_delete": 'LOWER("delete_rule")',
}


class Catalog(BaseCatalog):
    """Snowflake's catalog queries."""

    has_escapes = True
    system_schemas: ClassVar[tuple[str, ...]] = ("INFORMATION_SCHEMA",)
    # https://docs.snowflake.com/en/sql-reference/name-resolution: $current, $public
    default_schema = "PUBLIC"
    reads_one_moment = False

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return the SQL for *part* of *schemas*; Snowflake has no indexes."""
        if not database:
            raise UsageError("Missing Snowflake database", hint="add 'database:' to the profile")
        where = quoted_name(database)
        if part is Part.SCHEMAS:
            fields = select_list(part, _SCHEMAS, quoted_name)
            return (f"SELECT\n  {fields}\nFROM {where}.INFORMATION_SCHEMA.SCHEMATA\nORDER BY 1",)
        within = f"SCHEMA {where}.{quoted_name(schemas[0])}" if len(schemas) == 1 else f"DATABASE {where}"
        if part is Part.RELATIONS:
            return self._relations(where, within, self.listed(schemas))
        if part is Part.COLUMNS:
            fields = select_list(part, _COLUMNS, quoted_name)
            return (
                f"SELECT\n  {fields}\nFROM {where}.INFORMATION_SCHEMA.COLUMNS\n"
                f"WHERE table_schema IN ({self.listed(schemas)})\n"
                "ORDER BY table_schema, table_name, ordinal_position",
            )
        if part is Part.CONSTRAINTS:
            return self._constraints(within, self.listed(schemas))
        return ()

    def _relations(self, where: str, within: str, schemas: str) -> tuple[str, ...]:
        """Use SHOW for materialized views, which INFORMATION_SCHEMA.VIEWS lacks.

        https://docs.snowflake.com/en/sql-reference/info-schema/views
        """
        fields = select_list(Part.RELATIONS, _RELATIONS, quoted_name)
        shown = '"schema_name" AS of_schema, "name" AS of_name, "text" AS definition'
        return (
            f"SHOW MATERIALIZED VIEWS IN {within}",
            f"SHOW DYNAMIC TABLES IN {within}",
            f"SELECT\n  {fields}\n"  # noqa: S608 - quoted
            f"FROM {where}.INFORMATION_SCHEMA.TABLES AS t\n"
            f"LEFT JOIN {where}.INFORMATION_SCHEMA.VIEWS AS v\n"
            "  ON v.table_schema = t.table_schema AND v.table_name = t.table_name\n"
            "LEFT JOIN (\n"
            f"  SELECT {shown} FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-2)))\n"
            f"  UNION ALL SELECT {shown} FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-1)))\n"
            ") AS s ON s.of_schema = t.table_schema AND s.of_name = t.table_name\n"
            f"WHERE t.table_schema IN ({schemas})\n"
            "ORDER BY t.table_schema, t.table_name",
        )

    def _constraints(self, within: str, schemas: str) -> tuple[str, ...]:
        """https://docs.snowflake.com/en/sql-reference/sql/show-primary-keys, and -unique-keys"""
        keys = [
            f"SELECT\n  {select_list(Part.CONSTRAINTS, {**_KEY, 'type': kind}, quoted_name)}\n"
            f"FROM TABLE(RESULT_SCAN(LAST_QUERY_ID({place})))\n"
            f'WHERE "schema_name" IN ({schemas})\n'
            'GROUP BY "schema_name", "table_name", "constraint_name"'
            for kind, place in (("'primary_key'", -3), ("'unique'", -2))
        ]
        foreign = (
            f"SELECT\n  {select_list(Part.CONSTRAINTS, _FOREIGN_KEY, quoted_name)}\n"
            "FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-1)))\n"
            f'WHERE "fk_schema_name" IN ({schemas})\n'
            'GROUP BY "fk_schema_name", "fk_table_name", "fk_name", "pk_schema_name", "pk_table_name",'
            ' "update_rule", "delete_rule"'
        )
        return (
            f"SHOW PRIMARY KEYS IN {within}",
            f"SHOW UNIQUE KEYS IN {within}",
            f"SHOW IMPORTED KEYS IN {within}",
            "\nUNION ALL\n".join([*keys, foreign]),
        )
