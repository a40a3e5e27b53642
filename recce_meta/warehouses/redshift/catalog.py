"""Redshift's catalog: PostgreSQL's old catalog on the leader node, and Redshift's own views.

Catalog queries only run on the leader node, without LISTAGG and without the tables for table sizes
(`svv_table_info`). Row counts are from the last ANALYZE; byte counts are omitted.

"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from recce_meta.warehouses.catalog import BaseCatalog, Part, quoted_name, select_list

MOST_KEY_COLUMNS = 32
"""Maximum columns of a constraint, as in PostgreSQL."""
SORT_COLUMNS = 8
"""Number of sort key columns to list."""

_LATE_BOUND = "pg_get_late_binding_view_cols() AS cols(s NAME, v NAME, c NAME, t VARCHAR, n INT)"


def _json_name(name: str) -> str:
    """Return SQL for *name* as a JSON string."""
    text = f"CAST({name} AS VARCHAR)"
    for special, escaped in (("CHR(92)", "CHR(92) || CHR(92)"), ("'\"'", "CHR(92) || '\"'")):
        text = f"REPLACE({text}, {special}, {escaped})"
    return f"'\"' || {text} || '\"'"


def _json_list(whole: str, place: str, name: str, most: int) -> str:
    """Return SQL for a JSON array of *name*, already quoted, ordered by the position of *place* in
    *whole*.
    """
    first, *others = (
        f"MAX(CASE WHEN {place} = {whole.format(number)} THEN {name} END)" for number in range(1, most + 1)
    )
    rest = "".join(f"\n    || COALESCE(', ' || {one}, '')" for one in others)
    return f"'[' || COALESCE({first}, ''){rest} || ']'"


# PG_CLASS_INFO: https://docs.aws.amazon.com/redshift/latest/dg/r_PG_CLASS_INFO.html. With AUTO, Redshift
# chooses the style by the data, so it is not a property of the table.
_DIST_STYLE = (
    "CASE i.releffectivediststyle WHEN 0 THEN 'even' WHEN 1 THEN 'key' WHEN 8 THEN 'all' ELSE 'auto' END"
)
_RELATIONS = {
    "schema": "CAST(n.nspname AS VARCHAR)",
    "name": "CAST(c.relname AS VARCHAR)",
    # https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html
    "kind": (
        "CASE WHEN c.relkind <> 'v' THEN 'table'"
        " WHEN pg_get_viewdef(c.oid) ILIKE '%create materialized view%' THEN 'materialized_view'"
        " ELSE 'view' END"
    ),
    "owner": "CAST(u.usename AS VARCHAR)",
    "comment": "d.description",
    "definition": "CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END",
    "options": (
        f"CASE WHEN c.relkind <> 'v' THEN '{{\"dist_style\": \"' || {_DIST_STYLE} || '\"'"
        " || COALESCE(', \"dist_key\": ' || k.dist_key, '')"
        " || CASE WHEN k.sort_key = '[]' THEN '' ELSE COALESCE(', \"sort_key\": ' || k.sort_key, '') END"
        " || '}' END"
    ),
    "row_estimate": "CASE WHEN c.relkind <> 'v' AND c.reltuples >= 1 THEN CAST(c.reltuples AS BIGINT) END",
    "created_at": "CAST(i.relcreationtime AS TIMESTAMP)",
}

# https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_TABLES.html
_EXTERNAL = {
    "schema": "CAST(e.schemaname AS VARCHAR)",
    "name": "CAST(e.tablename AS VARCHAR)",
    "kind": "'external_table'",
    "options": "'{\"location\": ' || " + _json_name("e.location") + " || '}'",
}

_DEFAULT = "pg_get_expr(f.adbin, f.adrelid)"
_COLUMNS = {
    "schema": "CAST(n.nspname AS VARCHAR)",
    "relation": "CAST(c.relname AS VARCHAR)",
    "name": "CAST(a.attname AS VARCHAR)",
    "type": "format_type(a.atttypid, a.atttypmod)",
    "is_not_null": "a.attnotnull",
    # An identity is a default that contains the table's number: "identity"(100123, 0, '1,1'::text)
    "default": f"CASE WHEN {_DEFAULT} NOT LIKE '%identity\"(%' THEN {_DEFAULT} END",
    "identity": (
        f"CASE WHEN {_DEFAULT} LIKE '\"identity\"(%' THEN 'always ' || SPLIT_PART({_DEFAULT}, '''', 2)"
        f" WHEN {_DEFAULT} LIKE '\"default_identity\"(%'"
        f" THEN 'by default ' || SPLIT_PART({_DEFAULT}, '''', 2) END"
    ),
    "comment": "d.description",
}
_LATE_COLUMNS = {
    "schema": "CAST(s AS VARCHAR)",
    "relation": "CAST(v AS VARCHAR)",
    "name": "CAST(c AS VARCHAR)",
    "type": "CAST(t AS VARCHAR)",
}
# https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_COLUMNS.html
_EXTERNAL_COLUMNS = {
    "schema": "CAST(e.schemaname AS VARCHAR)",
    "relation": "CAST(e.tablename AS VARCHAR)",
    "name": "CAST(e.columnname AS VARCHAR)",
    "type": "CAST(e.external_type AS VARCHAR)",
}

_CONSTRAINTS = {
    "schema": "n.nspname",
    "relation": "c.relname",
    "name": "o.conname",
    "type": "CASE o.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' ELSE 'foreign_key' END",
    "columns": _json_list("o.conkey[{}]", "a.attnum", "a.quoted", MOST_KEY_COLUMNS),
    "ref_schema": "m.nspname",
    "ref_relation": "r.relname",
    "ref_columns": (
        "CASE WHEN r.relname IS NOT NULL THEN "
        + _json_list("o.confkey[{}]", "b.attnum", "b.quoted", MOST_KEY_COLUMNS)
        + " END"
    ),
}


class Catalog(BaseCatalog):
    """Redshift's catalog queries."""

    has_escapes = True
    system_schemas: ClassVar[tuple[str, ...]] = ("information_schema", "pg_*", "catalog_history")
    # https://docs.aws.amazon.com/redshift/latest/dg/r_search_path.html
    default_schema = "public"
    # Redshift's catalog ignores the snapshot of the transaction.
    reads_one_moment = False

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return the SQL for *part* of *schemas*; Redshift has no indexes and no CHECK."""
        if part is Part.SCHEMAS:
            values = {
                "name": "CAST(n.nspname AS VARCHAR)",
                "owner": "CAST(u.usename AS VARCHAR)",
                "is_readable": "HAS_SCHEMA_PRIVILEGE(n.nspname, 'usage')",
            }
            return (
                f"SELECT\n  {select_list(part, values, quoted_name)}\n"
                "FROM pg_namespace AS n\nLEFT JOIN pg_user AS u ON u.usesysid = n.nspowner\nORDER BY 1",
            )
        listed = self.listed(schemas)
        if part is Part.RELATIONS:
            return (self._relations(listed, self._of_database(database)),)
        if part is Part.COLUMNS:
            return (self._columns(listed, self._of_database(database)),)
        if part is Part.CONSTRAINTS:
            return (self._constraints(listed),)
        return ()

    def _of_database(self, database: str | None) -> str:
        return f" AND e.redshift_database_name = {self.literal(database)}" if database else ""

    def _relations(self, schemas: str, of_database: str) -> str:
        """Return the query for relations, without the tables behind materialized views (`mv_tbl__…`)."""
        sort_key = _json_list("{}", "ABS(a.attsortkeyord)", _json_name("a.attname"), SORT_COLUMNS)
        return (
            f"SELECT\n  {select_list(Part.RELATIONS, _RELATIONS, quoted_name)}\n"
            "FROM pg_class AS c\n"
            "JOIN pg_namespace AS n ON n.oid = c.relnamespace\n"
            "LEFT JOIN pg_class_info AS i ON i.reloid = c.oid\n"
            "LEFT JOIN pg_user AS u ON u.usesysid = c.relowner\n"
            "LEFT JOIN pg_description AS d ON d.objoid = c.oid AND d.objsubid = 0\n"
            "LEFT JOIN (\n"
            "  SELECT\n    a.attrelid,\n"
            f"    MAX(CASE WHEN a.attisdistkey THEN {_json_name('a.attname')} END) AS dist_key,\n"
            f"    {sort_key} AS sort_key\n"
            "  FROM pg_attribute AS a WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY a.attrelid\n"
            ") AS k ON k.attrelid = c.oid\n"
            f"WHERE c.relkind IN ('r', 'v') AND n.nspname IN ({schemas})\n"
            "  AND LEFT(c.relname, 8) <> 'mv_tbl__'\n"
            "UNION ALL\n"
            f"SELECT\n  {select_list(Part.RELATIONS, _EXTERNAL, quoted_name)}\n"
            "FROM svv_external_tables AS e\n"
            f"WHERE e.schemaname IN ({schemas}){of_database}\n"
            "ORDER BY 1, 2"
        )

    def _columns(self, schemas: str, of_database: str) -> str:
        """Return the query for columns, with separate sources for views WITH NO SCHEMA BINDING and external
        tables.

        https://docs.aws.amazon.com/redshift/latest/dg/PG_GET_LATE_BINDING_VIEW_COLS.html
        """
        parts = (
            (
                _COLUMNS,
                "a.attnum",
                "FROM pg_attribute AS a\n"
                "JOIN pg_class AS c ON c.oid = a.attrelid\n"
                "JOIN pg_namespace AS n ON n.oid = c.relnamespace\n"
                "LEFT JOIN pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum\n"
                "LEFT JOIN pg_description AS d ON d.objoid = a.attrelid AND d.objsubid = a.attnum\n"
                "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')\n"
                f"  AND n.nspname IN ({schemas}) AND LEFT(c.relname, 8) <> 'mv_tbl__'",
            ),
            (_LATE_COLUMNS, "n", f"FROM {_LATE_BOUND}\nWHERE s IN ({schemas})"),
            (
                _EXTERNAL_COLUMNS,
                "e.columnnum",
                f"FROM svv_external_columns AS e\nWHERE e.schemaname IN ({schemas}){of_database}",
            ),
        )
        united = "\nUNION ALL\n".join(
            f"SELECT\n  {select_list(Part.COLUMNS, values, quoted_name)},\n  {place} AS place\n{source}"
            for values, place, source in parts
        )
        names = {name: f"told.{quoted_name(name)}" for name in _FIELDS_OF_COLUMNS}
        return (
            f"SELECT\n  {select_list(Part.COLUMNS, names, quoted_name)}\n"
            f'FROM (\n{united}\n) AS told\nORDER BY told."schema", told."relation", told.place'
        )

    def _constraints(self, schemas: str) -> str:
        columns = (
            f"(SELECT attrelid, attnum, {_json_name('attname')} AS quoted"  # noqa: S608 - quoted
            " FROM pg_attribute WHERE attnum > 0)"
        )
        return (
            f"SELECT\n  {select_list(Part.CONSTRAINTS, _CONSTRAINTS, quoted_name)}\n"
            "FROM pg_constraint AS o\n"
            "JOIN pg_class AS c ON c.oid = o.conrelid\n"
            "JOIN pg_namespace AS n ON n.oid = c.relnamespace\n"
            f"JOIN {columns} AS a ON a.attrelid = o.conrelid AND a.attnum = ANY(o.conkey)\n"
            "LEFT JOIN pg_class AS r ON r.oid = o.confrelid AND o.contype = 'f'\n"
            "LEFT JOIN pg_namespace AS m ON m.oid = r.relnamespace\n"
            f"LEFT JOIN {columns} AS b ON b.attrelid = r.oid AND b.attnum = ANY(o.confkey)\n"
            f"WHERE o.contype IN ('p', 'u', 'f') AND n.nspname IN ({schemas})\n"
            "GROUP BY n.nspname, c.relname, o.conname, o.contype, m.nspname, r.relname"
        )


_FIELDS_OF_COLUMNS = (
    "schema", "relation", "name", "type", "is_not_null", "default", "generated", "generated_kind",
    "identity", "collation", "comment",
)  # fmt: skip
