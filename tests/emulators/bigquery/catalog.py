"""BigQuery's INFORMATION_SCHEMA over DuckDB's catalog, and definitions that DuckDB does not store.

Keys, partitions, clusters, descriptions and the text of views are taken from CREATE statements, and stored in
the emulator's own tables, outside the projects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

TABLES = (
    "CREATE TABLE memory.main.bq_datasets (project VARCHAR, dataset VARCHAR, location VARCHAR,"
    " description VARCHAR)",
    "CREATE TABLE memory.main.bq_made (project VARCHAR, dataset VARCHAR, name VARCHAR, partition_by VARCHAR,"
    " partition_column VARCHAR, cluster_by VARCHAR[], description VARCHAR, definition VARCHAR,"
    " made_at TIMESTAMPTZ DEFAULT now())",
    "CREATE TABLE memory.main.bq_columns (project VARCHAR, dataset VARCHAR, name VARCHAR,"
    " column_name VARCHAR, description VARCHAR, kind VARCHAR)",
    "CREATE TABLE memory.main.bq_keys (project VARCHAR, dataset VARCHAR, name VARCHAR, key VARCHAR,"
    " kind VARCHAR, columns VARCHAR[], of_dataset VARCHAR, of_name VARCHAR, of_columns VARCHAR[])",
)

_KEYS = "memory.main.bq_keys WHERE project = {project} AND dataset = {dataset}"
# The columns that scans query, as in https://cloud.google.com/bigquery/docs/information-schema-intro
VIEWS = {
    "TABLES": """
        SELECT t.table_catalog, t.table_schema, t.table_name,
            CASE t.table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'BASE TABLE' END AS table_type,
            m.made_at AS creation_time,
            'CREATE TABLE ...' || COALESCE(chr(10) || 'PARTITION BY ' || m.partition_by, '') AS ddl
        FROM information_schema.tables AS t
        LEFT JOIN memory.main.bq_made AS m
            ON m.project = t.table_catalog AND m.dataset = t.table_schema AND m.name = t.table_name
        WHERE t.table_catalog = {project} AND t.table_schema = {dataset}""",
    "VIEWS": """
        SELECT project AS table_catalog, dataset AS table_schema, name AS table_name,
            definition AS view_definition
        FROM memory.main.bq_made
        WHERE definition IS NOT NULL AND project = {project} AND dataset = {dataset}""",
    "COLUMNS": """
        SELECT c.table_catalog, c.table_schema, c.table_name, c.column_name, c.ordinal_position,
            c.is_nullable,
            COALESCE(n.kind, CASE
                WHEN c.data_type IN ('BIGINT', 'INTEGER') THEN 'INT64'
                WHEN c.data_type = 'DOUBLE' THEN 'FLOAT64'
                WHEN c.data_type = 'VARCHAR' THEN 'STRING' WHEN c.data_type LIKE 'DECIMAL%' THEN 'NUMERIC'
                WHEN c.data_type = 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP' ELSE c.data_type END
            ) AS data_type,
            'NEVER' AS is_generated, CAST(NULL AS VARCHAR) AS generation_expression,
            COALESCE(c.column_default, 'NULL') AS column_default, 'NULL' AS collation_name,
            CASE WHEN m.partition_column = c.column_name THEN 'YES' ELSE 'NO' END AS is_partitioning_column,
            NULLIF(list_position(COALESCE(m.cluster_by, []), c.column_name), 0) AS clustering_ordinal_position
        FROM information_schema.columns AS c
        LEFT JOIN memory.main.bq_made AS m
            ON m.project = c.table_catalog AND m.dataset = c.table_schema AND m.name = c.table_name
        LEFT JOIN memory.main.bq_columns AS n
            ON n.project = c.table_catalog AND n.dataset = c.table_schema AND n.name = c.table_name
                AND n.column_name = c.column_name
        WHERE c.table_catalog = {project} AND c.table_schema = {dataset}""",
    "COLUMN_FIELD_PATHS": """
        SELECT c.table_schema, c.table_name, c.column_name, c.column_name AS field_path, n.description
        FROM information_schema.columns AS c
        LEFT JOIN memory.main.bq_columns AS n
            ON n.project = c.table_catalog AND n.dataset = c.table_schema AND n.name = c.table_name
                AND n.column_name = c.column_name
        WHERE c.table_catalog = {project} AND c.table_schema = {dataset}""",
    "TABLE_OPTIONS": """
        SELECT dataset AS table_schema, name AS table_name, 'description' AS option_name,
            CAST(to_json(description) AS VARCHAR) AS option_value
        FROM memory.main.bq_made
        WHERE description IS NOT NULL AND project = {project} AND dataset = {dataset}""",
    "SCHEMATA": """
        SELECT s.catalog_name, s.schema_name, d.location FROM information_schema.schemata AS s
        JOIN memory.main.bq_datasets AS d ON d.project = s.catalog_name AND d.dataset = s.schema_name
        WHERE s.catalog_name = {project} AND lower(d.location) = {region}""",
    "SCHEMATA_OPTIONS": """
        SELECT dataset AS schema_name, 'description' AS option_name,
            CAST(to_json(description) AS VARCHAR) AS option_value
        FROM memory.main.bq_datasets
        WHERE description IS NOT NULL AND project = {project} AND lower(location) = {region}""",
    "TABLE_CONSTRAINTS": f"""
        SELECT dataset AS table_schema, name AS table_name, key AS constraint_name, kind AS constraint_type
        FROM {_KEYS}""",
    "KEY_COLUMN_USAGE": f"""
        SELECT dataset AS table_schema, name AS table_name, key AS constraint_name,
            unnest(columns) AS column_name, unnest(range(1, len(columns) + 1)) AS ordinal_position,
            CASE WHEN kind = 'FOREIGN KEY' THEN unnest(range(1, len(columns) + 1)) END
                AS position_in_unique_constraint
        FROM {_KEYS}""",
    "CONSTRAINT_COLUMN_USAGE": f"""
        SELECT COALESCE(of_dataset, dataset) AS table_schema, COALESCE(of_name, name) AS table_name,
            unnest(COALESCE(of_columns, columns)) AS column_name, key AS constraint_name
        FROM {_KEYS}""",
    "__TABLES__": """
        SELECT t.schema_name AS dataset_id, t.table_name AS table_id, t.estimated_size AS row_count,
            t.estimated_size * 100 AS size_bytes, epoch_ms(m.made_at) AS last_modified_time
        FROM duckdb_tables() AS t
        LEFT JOIN memory.main.bq_made AS m
            ON m.project = t.database_name AND m.dataset = t.schema_name AND m.name = t.table_name
        WHERE t.database_name = {project} AND t.schema_name = {dataset}""",
}
OF_REGIONS = ("SCHEMATA", "SCHEMATA_OPTIONS")


@dataclass
class Definition:
    """Parts of a CREATE statement that DuckDB does not store."""

    place: tuple[str, str, str]
    partition_by: str | None = None
    partition_column: str | None = None
    cluster_by: list[str] = field(default_factory=list)
    description: str | None = None
    definition: str | None = None
    columns: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    """Name, description and type."""
    keys: list[tuple[str, str, list[str], str | None, str | None, list[str] | None]] = field(
        default_factory=list
    )

    def keep(self, cursor: Any) -> None:
        """Write it to the emulator's tables, replacing any previous definition of that name."""
        for table in ("bq_made", "bq_columns", "bq_keys"):
            cursor.execute(
                f"DELETE FROM memory.main.{table} WHERE project = ? AND dataset = ? AND name = ?",
                list(self.place),
            )
        cursor.execute(
            "INSERT INTO memory.main.bq_made BY NAME SELECT ? AS project, ? AS dataset, ? AS name,"
            " ? AS partition_by, ? AS partition_column, ?::VARCHAR[] AS cluster_by, ? AS description,"
            " ? AS definition",
            [
                *self.place, self.partition_by, self.partition_column, self.cluster_by, self.description,
                self.definition,
            ],
        )  # fmt: skip
        for column in self.columns:
            cursor.execute(
                "INSERT INTO memory.main.bq_columns VALUES (?, ?, ?, ?, ?, ?)", [*self.place, *column]
            )
        for key in self.keys:
            cursor.execute(
                "INSERT INTO memory.main.bq_keys VALUES (?, ?, ?, ?, ?, ?::VARCHAR[], ?, ?, ?::VARCHAR[])",
                [*self.place, *key],
            )


def rename(cursor: Any, place: tuple[str, str, str], name: str) -> None:
    """Give the table at *place* another *name* in the emulator's tables."""
    for table in ("bq_made", "bq_columns", "bq_keys"):
        cursor.execute(
            f"UPDATE memory.main.{table} SET name = ? WHERE project = ? AND dataset = ? AND name = ?",
            [name, *place],
        )


def definition_of(tree: exp.Create, place: tuple[str, str, str]) -> Definition:
    """Return the definition of *tree* at *place*; remove keys from *tree*, since DuckDB would enforce
    them.
    """
    found = Definition(place)
    for property_ in tree.args["properties"].expressions if tree.args.get("properties") else ():
        if isinstance(property_, exp.PartitionedByProperty):
            found.partition_by = property_.this.sql("bigquery")
            column = property_.find(exp.Column, exp.Identifier)
            found.partition_column = column.name if column is not None else None
        elif type(property_).__name__.startswith("Cluster"):  # its name depends on the version of sqlglot
            found.cluster_by = [one.name for one in property_.expressions]
        elif property_.name == "description":
            found.description = property_.args["value"].name
    if tree.args.get("kind") == "VIEW":
        found.definition = tree.expression.sql("bigquery")
    for column in tree.find_all(exp.ColumnDef):
        options = column.find(exp.Properties)
        notes = [one.args["value"].name for one in options.expressions] if options is not None else []
        kind = column.kind.sql("bigquery") if column.kind is not None else None  # a view's have none
        found.columns.append((column.name, notes[0] if notes else None, kind))
        if options is not None:
            options.parent.pop()
    found.keys = _keys(tree, place)
    return found


def _keys(tree: exp.Create, place: tuple[str, str, str]) -> list[Any]:
    keys: list[Any] = []
    for key in list(tree.find_all(exp.ForeignKey)):
        of = key.args["reference"].this
        table = of.this
        names = [one.name for one in key.expressions]
        outer = key.parent if isinstance(key.parent, exp.Constraint) else key
        name = outer.name if outer is not key else f"fk${len(keys) + 1}"
        of_names = [one.name for one in of.expressions]
        dataset = table.db or place[1]
        keys.append((f"{place[2]}.{name}", "FOREIGN KEY", names, dataset, table.name, of_names))
        outer.pop()
    for key in list(tree.find_all(exp.PrimaryKey)):
        names = [one.name for one in key.expressions]
        keys.append((f"{place[2]}.pk$", "PRIMARY KEY", names, None, None, None))
    return keys
