"""Databricks' catalog: the information_schema of a catalog in Unity Catalog.

`hive_metastore` has none and cannot be scanned. Row and byte counts are only available table by table, so
they are omitted. https://docs.databricks.com/sql/language-manual/sql-ref-information-schema.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from recce_meta.errors import UsageError
from recce_meta.warehouses.catalog import BaseCatalog, Part, select_list

WITHOUT_SCHEMA = "hive_metastore"
"""Catalog outside Unity Catalog, and dbt's default catalog."""

_SCHEMAS = {"name": "schema_name", "owner": "schema_owner", "comment": "comment"}

# https://docs.databricks.com/sql/language-manual/information-schema/tables.html. A metric view is defined
# by YAML, not by a query.
_RELATIONS = {
    "schema": "t.table_schema",
    "name": "t.table_name",
    "kind": (
        "CASE WHEN t.table_type IN ('VIEW', 'METRIC_VIEW') THEN 'view'"
        " WHEN t.table_type = 'MATERIALIZED_VIEW' THEN 'materialized_view'"
        " WHEN t.table_type IN ('EXTERNAL', 'EXTERNAL_SHALLOW_CLONE', 'FOREIGN') THEN 'external_table'"
        " ELSE 'table' END"
    ),
    "owner": "t.table_owner",
    "comment": "t.comment",
    "definition": "CASE WHEN t.table_type <> 'METRIC_VIEW' THEN v.view_definition END",
    "partition_key": "p.partitioned_by",
    "options": (
        "NULLIF(TO_JSON(NAMED_STRUCT("
        "'format', CASE WHEN t.table_type NOT LIKE '%VIEW' THEN t.data_source_format END, "
        "'location', CASE WHEN t.table_type LIKE 'EXTERNAL%' THEN t.storage_path END, "
        "'type', CASE WHEN t.table_type NOT IN ('MANAGED', 'EXTERNAL', 'VIEW', 'MATERIALIZED_VIEW')"
        " THEN t.table_type END"
        ")), '{}')"
    ),
    "created_at": "t.created",
    "altered_at": "t.last_altered",
}

# https://docs.databricks.com/sql/language-manual/information-schema/columns.html
_COLUMNS = {
    "schema": "table_schema",
    "relation": "table_name",
    "name": "column_name",
    "type": "full_data_type",
    "is_not_null": "is_nullable = 'NO'",
    "default": "column_default",
    "generated": "generation_expression",
    "generated_kind": "CASE WHEN generation_expression IS NOT NULL THEN 'stored' END",
    "identity": "CASE WHEN is_identity = 'YES' THEN LOWER(COALESCE(identity_generation, 'always')) END",
    "collation": "NULLIF(collation_name, 'UTF8_BINARY')",
    "comment": "comment",
}

_IN_ORDER = "TO_JSON(TRANSFORM(ARRAY_SORT(COLLECT_LIST(STRUCT({place}, {name} AS c))), x -> x.c))"
_CONSTRAINTS = {
    "schema": "n.table_schema",
    "relation": "n.table_name",
    "name": "n.constraint_name",
    "type": "LOWER(REPLACE(n.constraint_type, ' ', '_'))",
    "columns": _IN_ORDER.format(place="k.ordinal_position", name="k.column_name"),
    "expression": "MAX(h.check_clause)",
    "ref_schema": "u.table_schema",
    "ref_relation": "u.table_name",
    "ref_columns": (
        "CASE WHEN u.table_name IS NOT NULL THEN "
        + _IN_ORDER.format(place="k.ordinal_position", name="u.column_name")
        + " END"
    ),
    "on_update": "LOWER(r.update_rule)",
    "on_delete": "LOWER(r.delete_rule)",
}


class Catalog(BaseCatalog):
    """Databricks' catalog queries."""

    system_schemas: ClassVar[tuple[str, ...]] = ("information_schema",)
    default_schema = "default"
    reads_one_moment = False

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return the SQL for *part* of *schemas*; Databricks has no indexes."""
        if not database:
            raise UsageError("Missing Databricks catalog", hint="add 'catalog:' to the profile")
        if database == WITHOUT_SCHEMA:
            raise UsageError(
                f"The catalog {database} cannot be scanned: it has no information_schema",
                hint="set 'catalog:' in the profile to a catalog of Unity Catalog",
            )
        where = f"{_quoted(database)}.information_schema"
        if part is Part.SCHEMAS:
            return (f"SELECT\n  {select_list(part, _SCHEMAS, _quoted)}\nFROM {where}.schemata\nORDER BY 1",)
        if part is Part.RELATIONS:
            return (self._relations(where, self.listed(schemas)),)
        if part is Part.COLUMNS:
            return (
                f"SELECT\n  {select_list(part, _COLUMNS, _quoted)}\n"
                f"FROM {where}.columns\nWHERE table_schema IN ({self.listed(schemas)})\n"
                "ORDER BY table_schema, table_name, ordinal_position",
            )
        if part is Part.CONSTRAINTS:
            return (self._constraints(where, self.listed(schemas)),)
        return ()

    def _relations(self, where: str, schemas: str) -> str:
        return (
            f"SELECT\n  {select_list(Part.RELATIONS, _RELATIONS, _quoted)}\n"  # noqa: S608 - quoted
            f"FROM {where}.tables AS t\n"
            f"LEFT JOIN {where}.views AS v\n"
            "  ON v.table_schema = t.table_schema AND v.table_name = t.table_name\n"
            "LEFT JOIN (\n"
            "  SELECT table_schema, table_name, CONCAT_WS(', ', TRANSFORM(ARRAY_SORT("
            "COLLECT_LIST(STRUCT(partition_index, column_name AS c))), x -> x.c)) AS partitioned_by\n"
            f"  FROM {where}.columns WHERE partition_index IS NOT NULL AND table_schema IN ({schemas})\n"
            "  GROUP BY table_schema, table_name\n"
            ") AS p ON p.table_schema = t.table_schema AND p.table_name = t.table_name\n"
            f"WHERE t.table_schema IN ({schemas})\n"
            "ORDER BY t.table_schema, t.table_name"
        )

    def _constraints(self, where: str, schemas: str) -> str:
        """https://docs.databricks.com/sql/language-manual/information-schema/table_constraints.html"""
        fields = select_list(Part.CONSTRAINTS, _CONSTRAINTS, _quoted)
        return (
            f"SELECT\n  {fields}\n"
            f"FROM {where}.table_constraints AS n\n"
            f"LEFT JOIN {where}.key_column_usage AS k\n"
            "  ON k.constraint_schema = n.constraint_schema AND k.constraint_name = n.constraint_name\n"
            "    AND k.table_name = n.table_name\n"
            f"LEFT JOIN {where}.check_constraints AS h\n"
            "  ON h.constraint_schema = n.constraint_schema AND h.constraint_name = n.constraint_name\n"
            "    AND n.constraint_type = 'CHECK'\n"
            f"LEFT JOIN {where}.referential_constraints AS r\n"
            "  ON r.constraint_schema = n.constraint_schema AND r.constraint_name = n.constraint_name\n"
            f"LEFT JOIN {where}.key_column_usage AS u\n"
            "  ON u.constraint_catalog = r.unique_constraint_catalog"
            " AND u.constraint_schema = r.unique_constraint_schema\n"
            "    AND u.constraint_name = r.unique_constraint_name"
            " AND u.ordinal_position = k.position_in_unique_constraint\n"
            f"WHERE n.table_schema IN ({schemas})"
            " AND n.constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY', 'CHECK')\n"
            "GROUP BY n.table_schema, n.table_name, n.constraint_name, n.constraint_type,"
            " u.table_schema, u.table_name, r.update_rule, r.delete_rule"
        )

    def literal(self, text: str) -> str:
        """https://docs.databricks.com/sql/language-manual/data-types/string-type.html#literals"""
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
