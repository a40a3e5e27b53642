"""BigQuery's catalog: INFORMATION_SCHEMA, which exists for each dataset.

Partitions are omitted, since they arrive with the data, a new one each day. Row counts come from
`__TABLES__`, which is free to read. https://cloud.google.com/bigquery/docs/information-schema-intro
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from recce_meta.errors import UsageError
from recce_meta.warehouses.catalog import BaseCatalog, Part, select_list

# Option values are GoogleSQL literals:
# https://cloud.google.com/bigquery/docs/information-schema-table-options
_UNQUOTED = "COALESCE(JSON_VALUE(option_value, '$'), option_value)"

_RELATIONS = {
    "schema": "t.table_schema",
    "name": "t.table_name",
    "kind": (
        "CASE t.table_type WHEN 'VIEW' THEN 'view' WHEN 'MATERIALIZED VIEW' THEN 'materialized_view'"
        " WHEN 'EXTERNAL' THEN 'external_table' ELSE 'table' END"
    ),
    "comment": "o.description",
    "definition": "COALESCE(v.view_definition, IF(t.table_type = 'MATERIALIZED VIEW', t.ddl, NULL))",
    # Only the DDL shows the partition expression.
    "partition_key": (
        "IF(c.partitioned_by IS NULL, NULL,"
        " COALESCE(REGEXP_EXTRACT(t.ddl, r'\\nPARTITION BY ([^\\n]+)'), c.partitioned_by))"
    ),
    "options": (
        "NULLIF(TO_JSON_STRING(JSON_STRIP_NULLS(JSON_OBJECT("
        "'cluster_by', c.clustered_by, "
        "'expires', o.expires, "
        "'labels', o.labels, "
        "'partition_expiration_days', o.partition_expiration_days, "
        "'require_partition_filter', o.require_partition_filter, "
        "'uris', o.uris"
        "))), '{}')"
    ),
    "row_estimate": "IF(t.table_type IN ('VIEW', 'EXTERNAL'), NULL, s.row_count)",
    "bytes": "IF(t.table_type IN ('VIEW', 'EXTERNAL'), NULL, s.size_bytes)",
    "created_at": "t.creation_time",
    "altered_at": "TIMESTAMP_MILLIS(s.last_modified_time)",
}

_OPTIONS = {
    "expires": "expiration_timestamp",
    "labels": "labels",
    "partition_expiration_days": "partition_expiration_days",
    "require_partition_filter": "require_partition_filter",
    "uris": "uris",
}
"""Options that define a table, and BigQuery's names of them."""

# https://cloud.google.com/bigquery/docs/information-schema-columns; NULL is the string 'NULL'
_COLUMNS = {
    "schema": "c.table_schema",
    "relation": "c.table_name",
    "name": "c.column_name",
    "type": "c.data_type",
    "is_not_null": "c.is_nullable = 'NO'",
    "default": "NULLIF(c.column_default, 'NULL')",
    "generated": "IF(c.is_generated = 'ALWAYS', c.generation_expression, NULL)",
    "generated_kind": "IF(c.is_generated = 'ALWAYS', 'stored', NULL)",
    "collation": "NULLIF(c.collation_name, 'NULL')",
    "comment": "f.description",
}

# https://cloud.google.com/bigquery/docs/information-schema-key-column-usage. A name begins with the table's
# name; generated names end in a dollar sign, or in a dollar sign and a number.
_CONSTRAINTS = {
    "schema": "n.table_schema",
    "relation": "n.table_name",
    "name": (
        "IF(REGEXP_CONTAINS(n.constraint_name, r'[.](?:pk|fk)[$][0-9]*$'), NULL,"
        " REGEXP_EXTRACT(n.constraint_name, r'[^.]+$'))"
    ),
    "type": "IF(n.constraint_type = 'PRIMARY KEY', 'primary_key', 'foreign_key')",
    "columns": "TO_JSON_STRING(ARRAY_AGG(k.column_name ORDER BY k.ordinal_position))",
    "ref_schema": "u.table_schema",
    "ref_relation": "u.table_name",
    "ref_columns": (
        "IF(u.table_name IS NULL, NULL,"
        " TO_JSON_STRING(ARRAY_AGG(COALESCE(p.column_name, u.column_name) ORDER BY k.ordinal_position)))"
    ),
}


class Catalog(BaseCatalog):
    """BigQuery's catalog queries."""

    system_schemas: ClassVar[tuple[str, ...]] = ("INFORMATION_SCHEMA",)
    reads_one_moment = False
    is_by_schema = True
    needs_region = True

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return the SQL for *part* of *schemas*, a single dataset; the only indexes are search
        indexes, omitted.
        """
        if not database:
            raise UsageError("Missing BigQuery project", hint="add 'project:' to the profile")
        if part is Part.SCHEMAS:
            return (self._datasets(_quoted(database)),)
        where = f"{_quoted(database)}.{_quoted(schemas[0])}"
        if part is Part.RELATIONS:
            return (self._relations(where),)
        if part is Part.COLUMNS:
            return (
                f"SELECT\n  {select_list(part, _COLUMNS, _quoted)}\n"
                f"FROM {where}.INFORMATION_SCHEMA.COLUMNS AS c\n"
                f"LEFT JOIN {where}.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS AS f\n"
                "  ON f.table_name = c.table_name AND f.field_path = c.column_name\n"
                "WHERE c.ordinal_position IS NOT NULL\n"
                "ORDER BY c.table_schema, c.table_name, c.ordinal_position",
            )
        if part is Part.CONSTRAINTS:
            return (self._constraints(where),)
        return ()

    def _datasets(self, project: str) -> str:
        """Return the query for the datasets of one region; without a region, BigQuery lists the United
        States.

        https://cloud.google.com/bigquery/docs/information-schema-datasets-schemata
        """
        where = f"{project}.{_quoted(f'region-{self.region.lower()}')}" if self.region else project
        fields = select_list(Part.SCHEMAS, {"name": "s.schema_name", "comment": "o.description"}, _quoted)
        return (
            f"SELECT\n  {fields}\nFROM {where}.INFORMATION_SCHEMA.SCHEMATA AS s\n"  # noqa: S608 - quoted
            "LEFT JOIN (\n"
            f"  SELECT schema_name, {_UNQUOTED} AS description\n"
            f"  FROM {where}.INFORMATION_SCHEMA.SCHEMATA_OPTIONS WHERE option_name = 'description'\n"
            ") AS o ON o.schema_name = s.schema_name\nORDER BY 1"
        )

    def _relations(self, where: str) -> str:
        options = "".join(
            f",\n    MAX(IF(option_name = {self.literal(option)}, option_value, NULL)) AS {name}"
            for name, option in _OPTIONS.items()
        )
        return (
            f"SELECT\n  {select_list(Part.RELATIONS, _RELATIONS, _quoted)}\n"
            f"FROM {where}.INFORMATION_SCHEMA.TABLES AS t\n"
            f"LEFT JOIN {where}.INFORMATION_SCHEMA.VIEWS AS v ON v.table_name = t.table_name\n"
            f"LEFT JOIN {where}.__TABLES__ AS s ON s.table_id = t.table_name\n"
            "LEFT JOIN (\n"
            f"  SELECT\n    table_name,\n    MAX(IF(option_name = 'description', {_UNQUOTED}, NULL))"
            f" AS description{options}\n"
            f"  FROM {where}.INFORMATION_SCHEMA.TABLE_OPTIONS GROUP BY table_name\n"
            ") AS o ON o.table_name = t.table_name\n"
            "LEFT JOIN (\n"
            "  SELECT\n    table_name,\n"
            "    MAX(IF(is_partitioning_column = 'YES', column_name, NULL)) AS partitioned_by,\n"
            "    STRING_AGG(IF(clustering_ordinal_position IS NULL, NULL, column_name), ', '"
            " ORDER BY clustering_ordinal_position) AS clustered_by\n"
            f"  FROM {where}.INFORMATION_SCHEMA.COLUMNS GROUP BY table_name\n"
            ") AS c ON c.table_name = t.table_name\n"
            "ORDER BY t.table_schema, t.table_name"
        )

    def _constraints(self, where: str) -> str:
        """Match columns by position: a foreign key refers to positions in the other table's primary key."""
        usage = f"{where}.INFORMATION_SCHEMA.KEY_COLUMN_USAGE"
        return (
            f"SELECT\n  {select_list(Part.CONSTRAINTS, _CONSTRAINTS, _quoted)}\n"  # noqa: S608 - quoted
            f"FROM {where}.INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS n\n"
            f"JOIN {usage} AS k ON k.constraint_name = n.constraint_name\n"
            "LEFT JOIN (\n"
            "  SELECT constraint_name, MIN(table_schema) AS table_schema, MIN(table_name) AS table_name,"
            " MIN(column_name) AS column_name\n"
            f"  FROM {where}.INFORMATION_SCHEMA.CONSTRAINT_COLUMN_USAGE GROUP BY constraint_name\n"
            ") AS u ON u.constraint_name = n.constraint_name AND n.constraint_type = 'FOREIGN KEY'\n"
            "LEFT JOIN (\n"
            "  SELECT w.table_schema, w.table_name, w.column_name, w.ordinal_position\n"
            f"  FROM {usage} AS w\n"
            f"  JOIN {where}.INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS m\n"
            "    ON m.constraint_name = w.constraint_name AND m.constraint_type = 'PRIMARY KEY'\n"
            ") AS p ON p.table_schema = u.table_schema AND p.table_name = u.table_name"
            " AND p.ordinal_position = k.position_in_unique_constraint\n"
            "GROUP BY n.table_schema, n.table_name, n.constraint_name, n.constraint_type,"
            " u.table_schema, u.table_name"
        )

    def literal(self, text: str) -> str:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#string_and_bytes_literals"""
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
