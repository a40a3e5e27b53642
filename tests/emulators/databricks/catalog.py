"""Unity Catalog's information_schema over Spark's own catalog, and keys, which Spark's tables lack.

The views are created for each statement, for the schemas in its text, or for all. Only the names and columns
that scans query exist, as in https://docs.databricks.com/sql/language-manual/sql-ref-information-schema.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from pyspark.sql import SparkSession

_VIEW = re.compile(r"`?spark_catalog`?\.`?information_schema`?\.`?(\w+)`?", re.I)
_NAME = r"`?(\w+)`?\.`?(\w+)`?"
_KEY = re.compile(
    rf"\AALTER\s+TABLE\s+{_NAME}\s+ADD\s+CONSTRAINT\s+`?(\w+)`?\s+(PRIMARY|FOREIGN)\s+KEY\s*\(([^)]*)\)"
    rf"(?:\s+REFERENCES\s+{_NAME}\s*(?:\(([^)]*)\))?)?\s*\Z",
    re.I,
)
_keys: dict[tuple[str, str], dict[str, Any]] = {}
"""Keys by schema and name."""

_COLUMNS = {
    "schemata": "schema_name string, schema_owner string, comment string",
    "tables": "table_schema string, table_name string, table_type string, table_owner string, comment string,"
    " created timestamp, last_altered timestamp, data_source_format string, storage_path string",
    "views": "table_schema string, table_name string, view_definition string",
    "columns": "table_schema string, table_name string, column_name string, ordinal_position int,"
    " full_data_type string, is_nullable string, column_default string, generation_expression string,"
    " is_identity string, identity_generation string, collation_name string, partition_index int,"
    " comment string",
    "table_constraints": "constraint_catalog string, constraint_schema string, constraint_name string,"
    " table_schema string, table_name string, constraint_type string",
    "key_column_usage": "constraint_catalog string, constraint_schema string, constraint_name string,"
    " table_schema string, table_name string, column_name string, ordinal_position int,"
    " position_in_unique_constraint int",
    "referential_constraints": "constraint_catalog string, constraint_schema string, constraint_name string,"
    " unique_constraint_catalog string, unique_constraint_schema string, unique_constraint_name string,"
    " update_rule string, delete_rule string",
    "check_constraints": "constraint_catalog string, constraint_schema string, constraint_name string,"
    " check_clause string",
}
_CATALOG = "spark_catalog"


def adds_key(statement: str) -> bool:
    """Return True if *statement* adds a key to a table; store the key."""
    found = _KEY.match(statement.strip())
    if found is None:
        return False
    schema, table, name, kind, columns, of_schema, of_table, of_columns = found.groups()
    _keys[schema.lower(), name] = {
        "schema": schema.lower(), "table": table.lower(), "name": name, "kind": kind.upper(),
        "columns": _listed(columns), "of": (of_schema or "").lower(), "of_table": (of_table or "").lower(),
        "of_columns": _listed(of_columns),
    }  # fmt: skip
    return True


def asked(statement: str) -> bool:
    """Return True if *statement* reads the information_schema."""
    return _VIEW.search(statement) is not None


def schemas_of(spark: SparkSession, statement: str) -> list[str]:
    """Return the schemas that *statement* names in quotes, or all."""
    every = [row[0] for row in spark.sql("SHOW SCHEMAS").collect()]
    return [name for name in every if f"'{name}'" in statement] or every


def placed(spark: SparkSession, statement: str) -> str:
    """Replace each view of the information_schema in *statement* with a view of this session."""
    schemas = schemas_of(spark, statement)
    for view in sorted({name.lower() for name in _VIEW.findall(statement)}):
        rows = _ROWS[view](spark, schemas)
        names = [column.split()[0] for column in _COLUMNS[view].split(", ")]
        kinds = [column.split()[1] for column in _COLUMNS[view].split(", ")]
        # Spark runs a query immediately; a frame of Python rows takes seconds.
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        listed = f"VALUES {values}" if rows else f"VALUES ({', '.join(['NULL'] * len(names))})"
        cast = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in zip(names, kinds, strict=True))
        query = f"SELECT {cast} FROM {listed} AS v({', '.join(names)})" + " WHERE FALSE" * (not rows)
        spark.sql(query).createOrReplaceTempView(f"information_schema_{view}")
    return _VIEW.sub(lambda found: f"information_schema_{found[1].lower()}", statement)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _listed(text: str | None) -> list[str]:
    return [name.strip().strip("`") for name in (text or "").split(",") if name.strip()]


def _schemata(spark: SparkSession, schemas: list[str]) -> list[Any]:
    return [(name, "emulated", None) for name in schemas]


def _relations(spark: SparkSession, schemas: list[str]) -> list[tuple[str, str, Any]]:
    """Return schema, name and Spark's own description of every table and view."""
    catalog = spark._jsparkSession.sessionState().catalog().externalCatalog()
    found = []
    for schema in schemas:
        names = catalog.listTables(schema)
        for place in range(names.size()):
            name = names.apply(place)
            found.append((schema, name, catalog.getTable(schema, name)))
    return found


def _tables(spark: SparkSession, schemas: list[str]) -> list[Any]:
    from datetime import datetime, timezone

    rows = []
    for schema, name, table in _relations(spark, schemas):
        kind = table.tableType().name()
        created = datetime.fromtimestamp(table.createTime() / 1000, timezone.utc)
        comment = table.comment().get() if table.comment().isDefined() else None
        provider = None if kind == "VIEW" else "DELTA"  # Parquet represents Delta
        rows.append((schema, name, kind, "emulated", comment, created, created, provider, None))
    return rows


def _views(spark: SparkSession, schemas: list[str]) -> list[Any]:
    return [
        (schema, name, table.viewText().get())
        for schema, name, table in _relations(spark, schemas)
        if table.viewText().isDefined()
    ]


def _columns(spark: SparkSession, schemas: list[str]) -> list[Any]:
    rows: list[Any] = []
    # Delta sets NOT NULL for columns of a primary key; Parquet does not.
    keys = {
        (key["schema"], key["table"], name)
        for key in _of(schemas)
        for name in key["columns"]
        if key["kind"] == "PRIMARY"
    }
    for schema, name, table in _relations(spark, schemas):
        parts = table.partitionColumnNames()
        cut = [parts.apply(place) for place in range(parts.size())]
        described = table.schema()
        for place, field in enumerate(json.loads(described.json())["fields"]):
            kind = described.apply(place).dataType().sql().lower()
            notes = field["metadata"]
            is_key = (schema, name, field["name"]) in keys
            rows.append((
                schema, name, field["name"], place + 1, kind,
                "YES" if field["nullable"] and not is_key else "NO",
                notes.get("CURRENT_DEFAULT"), None, "NO", None, None,
                cut.index(field["name"]) + 1 if field["name"] in cut else None, notes.get("comment"),
            ))  # fmt: skip
    return rows


def _of(schemas: list[str]) -> list[dict[str, Any]]:
    return [key for key in _keys.values() if key["schema"] in schemas]


def _constraints(spark: SparkSession, schemas: list[str]) -> list[Any]:
    return [
        (_CATALOG, key["schema"], key["name"], key["schema"], key["table"], f"{key['kind']} KEY")
        for key in _of(schemas)
    ]


def _usage(spark: SparkSession, schemas: list[str]) -> list[Any]:
    return [
        (
            _CATALOG, key["schema"], key["name"], key["schema"], key["table"], column, place,
            place if key["kind"] == "FOREIGN" else None,
        )
        for key in _of(schemas)
        for place, column in enumerate(key["columns"], 1)
    ]  # fmt: skip


def _references(spark: SparkSession, schemas: list[str]) -> list[Any]:
    rows = []
    for key in _of(schemas):
        for of in _keys.values():
            if (of["schema"], of["table"], of["kind"]) == (key["of"], key["of_table"], "PRIMARY"):
                rules = ("NO ACTION", "NO ACTION")
                rows.append(
                    (_CATALOG, key["schema"], key["name"], _CATALOG, of["schema"], of["name"], *rules)
                )
    return rows


_ROWS = {
    "schemata": _schemata,
    "tables": _tables,
    "views": _views,
    "columns": _columns,
    "table_constraints": _constraints,
    "key_column_usage": _usage,
    "referential_constraints": _references,
    "check_constraints": lambda spark, schemas: [],
}
