"""Scanned databases: latest scans, their schemas, tables, keys and indexes, changes, and sizes over time.

Most functions take the run of a latest scan, as `scanned_databases` returns it, because the public views
describe the latest scan of each project and environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import UnknownNameError
from recce_meta.models import RunMetadata
from recce_meta.models.catalog import VIEWS, RelationFacts
from recce_meta.models.rows import ResultList, Tabular
from recce_meta.models.run import FAILED
from recce_meta.store.read import list_runs, read_facts, structs_of
from recce_meta.store.session import open_store

DATABASE = "database"
"""Extractor of scans."""
WHOLE_SCOPE = "scan"
"""Scope of a scan of the whole database."""
SCANS_SHOWN = 60
"""Number of scans in a history of sizes."""


class ScannedDatabase(Tabular, frozen=True):
    """Latest scan of one project and environment. Times are in UTC."""

    project_name: str
    environment: str
    run_id: str
    run_at: datetime
    adapter_type: str | None
    """Kind of warehouse: `duckdb`, `postgres` …"""
    target_name: str | None
    target_database: str | None
    command: str | None
    """Scope of the scan, as the options that requested it."""
    graph_id: str
    """Id of the stored schemas, tables and views."""
    schema_count: int
    table_count: int
    """Tables, including external tables."""
    view_count: int
    """Views, including materialized views."""
    row_estimate: int | None
    """Sum of the warehouse's row estimates; None if the catalog has none."""
    bytes: int | None
    """Sum of the sizes in bytes; None if the catalog has none."""
    without_rows: int
    """Tables without a row estimate, which the sum does not contain."""
    without_bytes: int
    """Tables without a size."""
    previous_run_id: str | None
    """Previous scan of the same scope; None for the first."""
    previous_run_at: datetime | None
    added: int
    """Objects added since the previous scan."""
    removed: int
    modified: int

    @property
    def scope(self) -> str:
        """Scope of the scan; `scan` is the whole database."""
        return self.command or WHOLE_SCOPE

    @property
    def change_count(self) -> int:
        """Number of objects that differ from the previous scan."""
        return self.added + self.removed + self.modified


class ScannedSchema(Tabular, frozen=True):
    """Schema of a latest scan."""

    unique_id: str
    schema_name: str
    owner: str | None
    description: str | None
    table_count: int
    view_count: int
    column_count: int
    row_estimate: int | None
    bytes: int | None
    without_rows: int
    """Tables without a row estimate, which the sum does not contain."""
    without_bytes: int
    """Tables without a size."""


class ScannedTable(Tabular, frozen=True):
    """Table or view of a latest scan. Differences are from the previous scan of the same scope."""

    unique_id: str
    schema_name: str
    name: str
    resource_type: str
    """table, view, materialized_view or external_table."""
    description: str | None
    column_count: int
    row_estimate: int | None
    row_delta: int | None
    bytes: int | None
    byte_delta: int | None
    created_at: datetime | None
    altered_at: datetime | None
    has_primary_key: bool
    foreign_key_count: int
    index_count: int
    """Indexes that do not belong to a constraint."""
    owner: str | None
    partition_of: str | None
    """Unique id of the table that this is a partition of."""


class ScannedChange(Tabular, frozen=True):
    """Schema, table or view that differs from the previous scan."""

    unique_id: str
    resource_type: str
    status: str
    """added, removed, modified, moved or rewritten."""
    code_changed: bool | None
    columns_changed: bool | None
    description_changed: bool | None
    columns: tuple[ScannedColumnChange, ...] = ()
    """Columns that differ; empty if the whole object was added or removed."""


class ScannedColumnChange(Tabular, frozen=True):
    """Column that differs from the previous scan."""

    column_name: str
    status: str
    """added, removed, retyped, altered or reordered."""
    column_type: str | None
    previous_column_type: str | None


class ScannedForeignKey(Tabular, frozen=True):
    """Foreign key of a latest scan."""

    node_id: str
    """Relation whose rows refer to rows of *parent_id*."""
    name: str | None
    column_names: tuple[str, ...]
    parent_id: str
    parent_column_names: tuple[str, ...]
    on_update: str | None
    on_delete: str | None
    is_indexed: bool
    """True if an index or a key of the relation starts with the columns of the foreign key."""


class ScannedIndex(Tabular, frozen=True):
    """Index of a latest scan that does not belong to a constraint."""

    unique_id: str
    index_name: str
    is_unique: bool | None
    definition: str | None


class ScannedRelations(Tabular, frozen=True):
    """Tables and views of a latest scan, by schema and name, with their foreign keys and indexes."""

    tables: Sequence[ScannedTable]
    foreign_keys: Sequence[ScannedForeignKey]
    indexes: Sequence[ScannedIndex]


class DatabaseSize(Tabular, frozen=True):
    """Sums of the sizes of all relations in one scan."""

    run_id: str
    run_at: datetime
    counted: int
    """Number of relations with a row estimate."""
    row_estimate: int | None
    bytes: int | None


class RelationSize(Tabular, frozen=True):
    """Size of one relation in one scan."""

    run_id: str
    run_at: datetime
    row_estimate: int | None
    """Estimate of the warehouse, which may lag."""
    bytes: int | None
    row_count: int | None
    """Rows that were counted; None if they were not."""


def scanned_databases(adapter: UnifiedSqlAdapter) -> ResultList[ScannedDatabase]:
    """Return the latest scan of each project and environment, newest first."""
    with open_store(adapter) as store:
        return structs_of(ScannedDatabase, store.query("scanned_databases"))


def database_named(
    databases: Sequence[ScannedDatabase], project: str, environment: str | None = None
) -> ScannedDatabase:
    """Return the latest of *databases* in *project*, and in *environment* if one is given.

    Raises UnknownNameError if none matches.
    """
    there = [one for one in databases if one.project_name == project]
    if not there:
        raise UnknownNameError("database", project, sorted({one.project_name for one in databases}))
    for one in there:
        if environment in (None, one.environment):
            return one
    raise UnknownNameError("environment", str(environment), [one.environment for one in there])


def failed_scan(adapter: UnifiedSqlAdapter, database: ScannedDatabase) -> RunMetadata | None:
    """Return the latest scan of *database* that failed after the latest complete one; None if none did."""
    found = list_runs(
        adapter,
        project=database.project_name,
        environment=database.environment,
        extractor=DATABASE,
        status=None,
        limit=1,
    )
    # A later complete scan has superseded the failure.
    return next((run for run in found if run.status == FAILED), None)


def scanned_schemas(
    adapter: UnifiedSqlAdapter,
    database: ScannedDatabase,
    tables: Iterable[ScannedTable],
) -> ResultList[ScannedSchema]:
    """Return the schemas of *database*, by name, with counts and sums of its *tables*."""
    held: dict[str, list[ScannedTable]] = {}
    for table in tables:
        held.setdefault(table.schema_name, []).append(table)
    with open_store(adapter) as store:
        found = store.query("scanned_schemas", graph_id=database.graph_id)
    return structs_of(ScannedSchema, [(*row, *_sums(held.get(str(row[1]), ()))) for row in found])


def _sums(tables: Sequence[ScannedTable]) -> tuple[int | None, ...]:
    """Return the numbers of tables, views and columns, known rows and bytes, and tables without them."""
    held = [table for table in tables if table.resource_type not in VIEWS]
    rows = [table.row_estimate for table in tables if table.row_estimate is not None]
    sizes = [table.bytes for table in tables if table.bytes is not None]
    columns = sum(table.column_count for table in tables)
    return (
        len(held), len(tables) - len(held), columns,
        sum(rows) if rows else None, sum(sizes) if sizes else None,
        sum(table.row_estimate is None for table in held), sum(table.bytes is None for table in held),
    )  # fmt: skip


def scanned_relations(adapter: UnifiedSqlAdapter, database: ScannedDatabase) -> ScannedRelations:
    """Return the tables, views, foreign keys and indexes of *database*."""
    with open_store(adapter) as store:
        found = store.query("scanned_relations", graph_id=database.graph_id, run_id=database.run_id)
        facts = {one.unique_id: one for one in read_facts(store, database.run_id)}
        previous = database.previous_run_id
        earlier = {one.unique_id: one for one in read_facts(store, previous)} if previous else {}
    tables: list[tuple[object, ...]] = []
    keys: list[ScannedForeignKey] = []
    indexes: list[ScannedIndex] = []
    for *cells, text in found:
        unique_id, properties = str(cells[0]), _properties(str(text))
        sizes = _sizes(facts.get(unique_id), earlier.get(unique_id))
        tables.append((*cells, *sizes, *_table_properties(properties)))
        own = [
            ScannedIndex(unique_id, one.get("name") or "", one.get("unique"), one.get("definition"))
            for one in properties.get("indexes", ())
        ]
        indexes += own
        keys += _foreign_keys(unique_id, properties.get("constraints", ()), own)
    return ScannedRelations(structs_of(ScannedTable, tables), keys, indexes)


_properties = msgspec.json.Decoder(dict[str, Any]).decode


def _sizes(fact: RelationFacts | None, earlier: RelationFacts | None) -> tuple[object, ...]:
    """Return rows and bytes of a table, each with its difference from before, and the times of the table."""
    # Some catalogs have no sizes of views, and some have none at all.
    if fact is None:
        return (None,) * 6
    pairs = [
        (fact.row_estimate, earlier.row_estimate if earlier else None),
        (fact.bytes, earlier.bytes if earlier else None),
    ]
    figures = [
        figure
        for now, before in pairs
        for figure in (now, None if now is None or before is None else now - before)
    ]
    return (*figures, fact.created_at, fact.altered_at)


def _table_properties(properties: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the last fields of a table."""
    types = [one.get("type") for one in properties.get("constraints", ())]
    return (
        "primary_key" in types,
        types.count("foreign_key"),
        len(properties.get("indexes", ())),
        properties.get("owner"),
        properties.get("partition_of"),
    )


def _foreign_keys(
    unique_id: str, constraints: Sequence[Mapping[str, Any]], indexes: Sequence[ScannedIndex]
) -> Iterator[ScannedForeignKey]:
    keys = [
        tuple(one.get("columns", ())) for one in constraints if one.get("type") in ("primary_key", "unique")
    ]
    # Catalogs may quote names in definitions, and constraints do not.
    definitions = [(one.definition or "").replace('"', "") for one in indexes]
    for one in constraints:
        if one.get("type") != "foreign_key":
            continue
        columns, references = tuple(one.get("columns", ())), one.get("references") or {}
        start = f"({', '.join(columns)}"
        # A key has an index of its own, whose first columns serve a search.
        # The end of a name counts as well: `(a` must not match an index on `ab`.
        is_indexed = any(key[: len(columns)] == columns for key in keys) or any(
            start + end in definition for definition in definitions for end in (")", ",")
        )
        yield ScannedForeignKey(
            unique_id,
            one.get("name"),
            columns,
            references.get("relation") or "",
            tuple(references.get("columns", ())),
            one.get("on_update"),
            one.get("on_delete"),
            is_indexed,
        )


def grown_most(tables: Iterable[ScannedTable]) -> list[ScannedTable]:
    """Return the *tables* that grew since the previous scan, those with the most new bytes and rows first."""
    grown = [table for table in tables if (table.byte_delta or 0) > 0 or (table.row_delta or 0) > 0]
    return sorted(grown, key=lambda table: (-(table.byte_delta or 0), -(table.row_delta or 0)))


def without_primary_key(tables: Iterable[ScannedTable]) -> list[ScannedTable]:
    """Return the *tables* without a primary key, largest first; a partition has the key of its table."""
    found = [
        table
        for table in tables
        if table.resource_type == "table" and not table.has_primary_key and table.partition_of is None
    ]
    return sorted(found, key=lambda table: -(table.row_estimate or 0))


def scan_changes(adapter: UnifiedSqlAdapter, run_id: str) -> ResultList[ScannedChange]:
    """Return the differences of the scan *run_id* from the previous scan of the same scope, by unique id."""
    with open_store(adapter) as store:
        nodes = store.query("scanned_changes", run_id=run_id)
        # No column differs if no object does, which saves a statement.
        columns = store.query("scanned_column_changes", run_id=run_id) if nodes else []
    by_node: dict[object, list[ScannedColumnChange]] = {}
    for unique_id, *rest in columns:
        by_node.setdefault(unique_id, []).extend(structs_of(ScannedColumnChange, [rest]))
    return structs_of(ScannedChange, [(*row, tuple(by_node.get(row[0], ()))) for row in nodes])


def database_sizes(adapter: UnifiedSqlAdapter, database: ScannedDatabase) -> ResultList[DatabaseSize]:
    """Return the size of *database* in the last `SCANS_SHOWN` scans of the same scope, newest first."""
    with open_store(adapter) as store:
        found = store.query(
            "scanned_sizes",
            project=database.project_name,
            environment=database.environment,
            command=database.scope,
            most=SCANS_SHOWN,
        )
    return structs_of(DatabaseSize, found)


def relation_sizes(adapter: UnifiedSqlAdapter, run: RunMetadata, unique_id: str) -> ResultList[RelationSize]:
    """Return the sizes of *unique_id* in the last `SCANS_SHOWN` scans of the environment of *run*."""
    with open_store(adapter) as store:
        found = store.query(
            "relation_sizes",
            project=run.project_name,
            environment=run.environment,
            unique_id=unique_id,
            most=SCANS_SHOWN,
        )
    return structs_of(RelationSize, found)


def column_phrase(change: ScannedChange) -> str:
    """Return `retyped price (INTEGER → DOUBLE); added tax`; empty if no column differs."""
    phrases = []
    for column in change.columns:
        types = f" ({column.previous_column_type} → {column.column_type})"
        phrases.append(f"{column.status} {column.column_name}{types if column.status == 'retyped' else ''}")
    return "; ".join(phrases)


def changed_parts(change: ScannedChange) -> list[str]:
    """Return the parts of a modified object that differ: query, columns, comment, else other properties."""
    parts: Mapping[str, bool | None] = {
        "query": change.code_changed,
        "columns": change.columns_changed,
        "comment": change.description_changed,
    }
    found = [name for name, is_changed in parts.items() if is_changed]
    return found or (["other properties"] if change.status == "modified" else [])
