"""Pages of scanned databases: schemas, tables, keys, indexes, sizes over time, and changes between scans."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup, escape

from recce_meta.api.browse import database as browse
from recce_meta.api.browse.database import (
    DatabaseSize,
    ScannedChange,
    ScannedDatabase,
    ScannedIndex,
    ScannedRelations,
    ScannedSchema,
    ScannedTable,
)
from recce_meta.api.browse.overview import store_overview
from recce_meta.errors import UnknownNameError, did_you_mean, plural
from recce_meta.models.catalog import VIEWS, schema_id
from recce_meta.models.run import RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import moment
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.nodes.relation import (
    CATALOG,
    RELATION,
    SCHEMA,
    filled,
    narrow,
    object_name,
    relation_sizes_list,
    size_charts,
)
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ITEM, ListColumn, Listing, shown
from recce_meta.server.site.rendering import Page, file_size
from recce_meta.server.stores.stores import StoreView

pages = PageSet()

NO_SCAN = "No database is scanned: recce-meta scan records the structure of one."


@dataclass(frozen=True)
class DatabasePage:
    """Latest scan that an address names, and the addresses of its pages."""

    view: StoreView
    database: ScannedDatabase
    others: Sequence[ScannedDatabase]
    """Latest scans of the project in its other environments."""
    asked: str | None
    """Environment in the address."""

    def address(self, *parts: str, **parameters: object) -> str:
        """Return the address of a page of this database, in the environment of the address."""
        return self.view.to.database(self.database.project_name, *parts, environment=self.asked, **parameters)

    def crumbs(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        """Return the pages above a page of this database."""
        first = ("Databases", self.view.to.of("databases"))
        return [first, (self.database.project_name, self.address()), *more]

    def link(self, unique_id: str) -> str:
        """Return the page of a scanned schema or relation."""
        return object_address(self.view.to, self.database, unique_id, self.asked)

    @cached_property
    def relations(self) -> ScannedRelations:
        """Tables, views, foreign keys and indexes of the scan."""
        view = self.view
        return view.cached(
            ("scanned relations", self.database.run_id),
            lambda: browse.scanned_relations(view.adapter, self.database),
        )

    @property
    def tables(self) -> Sequence[ScannedTable]:
        """Tables and views of the scan."""
        return self.relations.tables

    @cached_property
    def schemas(self) -> Sequence[ScannedSchema]:
        """Schemas of the scan."""
        view = self.view
        return browse.scanned_schemas(view.adapter, self.database, self.tables)

    @cached_property
    def changes(self) -> Sequence[ScannedChange]:
        """Changes since the previous scan; empty for the first."""
        view, run_id = self.view, self.database.run_id
        if self.database.previous_run_id is None:
            return ()
        return view.cached(
            ("scanned changes", run_id),
            lambda: browse.scan_changes(view.adapter, run_id),
        )


def scanned_databases(view: StoreView) -> Sequence[ScannedDatabase]:
    """Return the latest scan of each project and environment, newest first."""
    return view.cached(("scanned databases",), lambda: browse.scanned_databases(view.adapter))


def scanned(request: Request) -> DatabasePage:
    """Return the latest scan that the address of *request* names. Raises NotFound."""
    databases, project = scanned_databases(request.view), request.parts["project"]
    asked = request.query.get("environment")
    try:
        found = browse.database_named(databases, project, asked)
    except UnknownNameError as error:
        raise NotFound(
            f"No scan of {project} is recorded" + (f" as {asked}" if asked else ""),
            hint=error.hint or "the list of databases shows all scans",
        ) from error
    others = [one for one in databases if one.project_name == project and one is not found]
    return DatabasePage(request.view, found, others, asked)


def object_address(
    to: Addresses, database: ScannedDatabase, unique_id: str, environment: str | None = None
) -> str:
    """Return the page of a schema of *database*, or the node page of one of its relations."""
    if not unique_id.startswith(SCHEMA):
        return to.node(database.run_id, unique_id)
    name = unique_id.removeprefix(SCHEMA)
    # Ids have names with unusual characters in quotes, as JSON.
    plain = json.loads(name) if name.startswith('"') else name
    return to.database(database.project_name, "schemas", plain, environment=environment)


def size_text(tables: Sequence[ScannedTable]) -> str:
    """Return `1,200 rows, 3.1 MB`; empty if neither is known.

    A sum without some tables is `at least 1,200 rows in 1 of 8 tables`.
    """
    held = [one for one in tables if one.resource_type not in VIEWS]
    rows = [one.row_estimate for one in tables if one.row_estimate is not None]
    sizes = [one.bytes for one in tables if one.bytes is not None]
    gaps = (sum(one.row_estimate is None for one in held), sum(one.bytes is None for one in held))
    texts = (plural(sum(rows), "row") if rows else "", file_size(sum(sizes)) if sizes else "")
    return ", ".join(
        f"at least {text} in {len(held) - missing:,} of {plural(len(held), 'table')}" if missing else text
        for text, missing in zip(texts, gaps, strict=True)
        if text
    )


def _sum(text: str, left_out: int) -> Markup:
    return escape(f"at least {text}" if left_out else text)


_SUMS = (
    ListColumn(
        "row_estimate",
        "rows",
        "number",
        about=CATALOG,
        body=lambda one: _sum(f"{one.row_estimate:,}", one.without_rows),
    ),
    ListColumn(
        "bytes",
        "size",
        "bytes",
        about=CATALOG,
        body=lambda one: _sum(file_size(one.bytes), one.without_bytes),
    ),
)
"""Columns of sums; `at least` if some tables have no figure."""


@pages.listing("/databases")
def databases(request: Request) -> Listing:
    """List the scanned databases."""
    to = request.to
    columns = [
        ListColumn(
            "project_name",
            "database",
            # With the environment: without it, the address means the latest scan of any.
            link=lambda one: to.database(one.project_name, environment=one.environment),
            has_facets=True,
        ),
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("run_at", "latest scan", "time", link=lambda one: to.run(one.run_id)),
        ListColumn("adapter_type", "warehouse", has_facets=True),
        ListColumn("target_database", "name in the warehouse"),
        ListColumn(
            "scope", "scope", "code", about="Options that limited the scan; scan is the whole database."
        ),
        ListColumn("schema_count", "schemas", "number"),
        ListColumn("table_count", "tables", "number"),
        ListColumn("view_count", "views", "number"),
        *_SUMS,
        ListColumn(
            "changes",
            "changes",
            "number",
            # Zero would claim a comparison that a first scan does not have.
            of=lambda one: one.change_count if one.previous_run_id else None,
            link=lambda one: to.database(one.project_name, "changes", environment=one.environment),
            about="Schemas, tables and views that differ from the previous scan of the same scope.",
        ),
        ListColumn("previous_run_at", "previous scan", "time"),
    ]
    return Listing.of("Databases", columns, scanned_databases(request.view), empty=NO_SCAN)


@pages.page("/databases/{project}")
def database(request: Request) -> Page:
    """Show the latest scan of a database."""
    here = scanned(request)
    one, view = here.database, request.view
    run = view.run(one.run_id)
    tables, changes, keys = tables_list(here), changes_list(here), foreign_keys_list(here)
    unindexed = [row for row in keys.rows if not row["is_indexed"]]
    sizes = browse.database_sizes(view.adapter, one)
    by_id = {row[ITEM].unique_id: row for row in tables.rows}
    grown = [by_id[table.unique_id] for table in browse.grown_most(here.tables)]
    keyless = [by_id[table.unique_id] for table in browse.without_primary_key(here.tables)]
    values = {
        "here": here,
        "database": one,
        "run": run,
        "failed": browse.failed_scan(view.adapter, one),
        "columns": sum(table.column_count for table in here.tables),
        "size": size_text(here.tables),
        "schemas": filled(schemas_list(here)),
        "changes": filled(changes),
        "charts": size_charts(sizes),
        "sizes": filled(sizes_list(here, sizes)),
        "grown": narrow(tables, "name", "schema_name", *_SIZES, rows=grown),
        "other_scopes": _other_scopes(view, one),
        "has_growth": any(
            delta is not None for table in here.tables for delta in (table.byte_delta, table.row_delta)
        ),
        "has_foreign_keys": bool(keys.rows),
        "keyless": narrow(tables, "name", "schema_name", *_SIZES[::2], "column_count", rows=keyless),
        "unindexed": narrow(keys, *_KEY, rows=unindexed),
        # As in `without_primary_key`: a partition has the key of its table.
        "keyless_address": here.address(
            "tables", has_primary_key=shown(False), resource_type="table", is_partition=shown(False)
        ),
        "unindexed_address": here.address("foreign-keys", is_indexed=shown(False)),
        "notes_of_scan": list(run.warnings),
    }
    return Page(
        "database.html",
        one.project_name,
        values,
        crumbs=[("Databases", request.to.of("databases"))],
    )


def _other_scopes(view: StoreView, database: ScannedDatabase) -> list[RunMetadata]:
    """Return the latest scans of the same database and environment with other scopes."""
    name = database.project_name
    overview = view.cached(("overview", name), lambda: store_overview(view.adapter, project=name))
    states = [state for states in overview.databases.values() for state in states]
    return [
        state.run
        for state in states
        # Scans of different scopes are not compared, so a page of one leads to the others.
        if state.run.environment == database.environment
        and state.run.run_id != database.run_id
        and state.run_count
    ]


_SIZES = ("row_estimate", "row_delta", "bytes", "byte_delta")
_KEY = ("relation", "column_names", "parent", "name", "on_delete")


def _listing(
    here: DatabasePage,
    title: str,
    columns: Sequence[ListColumn],
    items: Iterable[Any],
    empty: str,
    *notes: str,
) -> Listing:
    """Return a list of the database; it has a column of the environment if the address names one."""
    # Without the column, `environment` in the address would be an unknown filter.
    more: list[ListColumn] = []
    if here.asked is not None:
        more = [ListColumn("environment", "environment", of=lambda _: here.asked)]
    as_of = f"As of the scan at {moment(here.database.run_at)}"
    return Listing.of(
        title, [*columns, *more], items, empty=empty, notes=[as_of, *notes], crumbs=here.crumbs()
    )


def sizes_list(here: DatabasePage, sizes: Sequence[DatabaseSize]) -> Listing:
    """Return the list of sizes of a database over time."""
    columns = [
        ListColumn("run_at", "scan", "time", link=lambda size: here.view.to.run(size.run_id)),
        ListColumn("row_estimate", "rows", "number", about=CATALOG),
        ListColumn("bytes", "size", "bytes", about=CATALOG),
        ListColumn("counted", "relations with a row estimate", "number"),
    ]
    return _listing(here, "Size over time", columns, sizes, "The catalog has no sizes.", CATALOG)


@pages.listing("/databases/{project}/sizes")
def sizes(request: Request) -> Listing:
    """List the sizes of a database over time."""
    here, view = scanned(request), request.view
    return sizes_list(here, browse.database_sizes(view.adapter, here.database))


def schemas_list(here: DatabasePage) -> Listing:
    """Return the list of schemas."""
    columns = [
        ListColumn("schema_name", "schema", link=lambda one: here.address("schemas", one.schema_name)),
        ListColumn("table_count", "tables", "number"),
        ListColumn("view_count", "views", "number"),
        ListColumn("column_count", "columns", "number"),
        *_SUMS,
        ListColumn("owner", "owner", has_facets=True),
        ListColumn("description", "comment"),
    ]
    return _listing(here, "Schemas", columns, here.schemas, "The scan found no schema.", CATALOG)


@pages.listing("/databases/{project}/schemas")
def schemas(request: Request) -> Listing:
    """List the schemas of a database."""
    return schemas_list(scanned(request))


@pages.page("/databases/{project}/schemas/{schema}")
def schema(request: Request) -> Page:
    """Show one schema."""
    here, name = scanned(request), request.parts["schema"]
    found = next((one for one in here.schemas if one.schema_name == name), None)
    if found is None:
        raise NotFound(
            f"The latest scan of {here.database.project_name} has no schema {name}",
            hint=did_you_mean(name, [one.schema_name for one in here.schemas])
            or "the list of schemas shows all",
        )
    tables = tables_list(here)
    rows = [row for row in tables.rows if row["schema_name"] == name]
    ids = {row[ITEM].unique_id for row in rows}
    keys = foreign_keys_list(here)
    values = {
        "schema": found,
        "size": size_text([one for one in here.tables if one.schema_name == name]),
        "tables": narrow(
            tables,
            "name",
            "resource_type",
            *_SIZES,
            "column_count",
            "has_primary_key",
            "description",
            rows=rows,
        ),
        "tables_address": here.address("tables", schema_name=name),
        "keys": narrow(
            keys, *_KEY, "is_indexed", rows=[row for row in keys.rows if row[ITEM].node_id in ids]
        ),
        # A search, because keys have no column of the schema: it may find more.
        "keys_address": here.address("foreign-keys", q=name),
        "changes": [change for change in here.changes if _is_in(change.unique_id, name)],
        "changes_address": here.address("changes"),
        "has_previous": here.database.previous_run_id is not None,
    }
    return Page("schema.html", name, values, crumbs=here.crumbs(("Schemas", here.address("schemas"))))


def _relation(one: ScannedChange | ScannedIndex) -> str:
    return object_name(one.unique_id)


def _is_in(unique_id: str, schema_name: str) -> bool:
    part = schema_id(schema_name).removeprefix(SCHEMA)
    return unique_id == SCHEMA + part or unique_id.startswith(f"{RELATION}{part}.")


def tables_list(here: DatabasePage) -> Listing:
    """Return the list of tables and views."""
    since = "Difference from the previous scan of the same scope."
    columns = [
        ListColumn(
            "schema_name",
            "schema",
            link=lambda one: here.address("schemas", one.schema_name),
            has_facets=True,
        ),
        ListColumn("name", "table", link=lambda one: here.link(one.unique_id)),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("row_estimate", "rows", "number", about=CATALOG),
        ListColumn("row_delta", "row change", "number", about=since),
        ListColumn("bytes", "size", "bytes", about=CATALOG),
        ListColumn("byte_delta", "size change", "bytes", about=since),
        ListColumn("column_count", "columns", "number"),
        ListColumn("has_primary_key", "primary key", "flag", has_facets=True),
        ListColumn(
            "is_partition",
            "partition",
            "flag",
            has_facets=True,
            of=lambda one: one.partition_of is not None,
        ),
        ListColumn("foreign_key_count", "foreign keys", "number"),
        ListColumn("index_count", "indexes", "number", about="Indexes that do not belong to a constraint."),
        ListColumn("owner", "owner", has_facets=True),
        ListColumn("altered_at", "changed", "time"),
        ListColumn("description", "comment"),
    ]
    return _listing(
        here, "Tables and views", columns, here.tables, "The scan found no table or view.", CATALOG
    )


@pages.listing("/databases/{project}/tables")
def tables(request: Request) -> Listing:
    """List the tables and views of a database."""
    return tables_list(scanned(request))


@pages.page("/databases/{project}/tables/{table}")
def table(request: Request) -> Redirect:
    """Lead to the node page of a table in the latest scan: *table* is its unique id, or `schema.table`."""
    here, name = scanned(request), request.parts["table"]
    ids = {one.unique_id: f"{one.schema_name}.{one.name}" for one in here.tables}
    # Exact ids first: a name with a dot may look like another schema and table.
    found = next((known for known in (name, RELATION + name) if known in ids), None)
    found = found or next((known for known, plain in ids.items() if plain == name), None)
    if found is None:
        raise NotFound(
            f"The latest scan of {here.database.project_name} has no table {name}",
            hint=did_you_mean(name, list(ids.values())) or "the list of tables shows all",
        )
    return Redirect(here.link(found))


def changes_list(here: DatabasePage) -> Listing:
    """Return the list of changes since the previous scan."""
    view, one = here.view, here.database

    def link(change: ScannedChange) -> str:
        # Only the previous scan has a removed object.
        if change.status == "removed" and one.previous_run_id:
            return view.to.node(one.previous_run_id, change.unique_id)
        return here.link(change.unique_id)

    columns = [
        ListColumn("status", "change", "tag", has_facets=True),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("object", "object", link=link, of=_relation),
        ListColumn(
            "parts",
            "differs in",
            has_facets=True,
            of=lambda change: ", ".join(browse.changed_parts(change)),
        ),
        ListColumn("columns", "columns", of=browse.column_phrase),
    ]
    empty, notes = f"Nothing changed since the previous scan at {moment(one.previous_run_at)}.", []
    if one.previous_run_id is None:
        empty = "This is the first scan of this scope: changes are shown from the next scan on."
    else:
        notes = [f"Compared with the previous scan at {moment(one.previous_run_at)}"]
    return _listing(here, "Changes since the previous scan", columns, here.changes, empty, *notes)


@pages.listing("/databases/{project}/changes")
def changes(request: Request) -> Listing:
    """List the changes since the previous scan."""
    return changes_list(scanned(request))


def foreign_keys_list(here: DatabasePage) -> Listing:
    """Return the list of foreign keys."""
    columns = [
        ListColumn(
            "relation",
            "table",
            of=lambda key: object_name(key.node_id),
            link=lambda key: here.link(key.node_id),
        ),
        ListColumn("column_names", "columns", "code", of=lambda key: ", ".join(key.column_names)),
        ListColumn(
            "parent",
            "refers to",
            of=lambda key: object_name(key.parent_id),
            link=lambda key: here.link(key.parent_id),
        ),
        ListColumn(
            "parent_column_names",
            "columns there",
            "code",
            of=lambda key: ", ".join(key.parent_column_names),
        ),
        ListColumn("name", "name"),
        ListColumn("on_delete", "on delete", has_facets=True),
        ListColumn("on_update", "on update"),
        ListColumn(
            "is_indexed",
            "has an index",
            "flag",
            has_facets=True,
            about="An index or a key of the table starts with the columns in this order.",
        ),
    ]
    note = "Expression indexes are not detected."
    return _listing(
        here, "Foreign keys", columns, here.relations.foreign_keys, "The scan found no foreign key.", note
    )


@pages.listing("/databases/{project}/foreign-keys")
def foreign_keys(request: Request) -> Listing:
    """List the foreign keys of a database."""
    return foreign_keys_list(scanned(request))


@pages.listing("/databases/{project}/indexes")
def indexes(request: Request) -> Listing:
    """List the indexes of a database."""
    here = scanned(request)
    columns = [
        ListColumn("relation", "table", of=_relation, link=lambda one: here.link(one.unique_id)),
        ListColumn("index_name", "index"),
        ListColumn("is_unique", "unique", "flag", has_facets=True),
        ListColumn("definition", "definition", "code"),
    ]
    note = "Indexes of primary keys and unique constraints are not listed."
    empty = f"The scan found no index. {note}"
    return _listing(here, "Indexes", columns, here.relations.indexes, empty, note)


@pages.listing("/databases/{project}/tables/{table}/sizes")
def table_sizes(request: Request) -> Listing:
    """List the sizes of one relation over time."""
    here, view = scanned(request), request.view
    run, unique_id = view.run(here.database.run_id), request.parts["table"]
    found = browse.relation_sizes(view.adapter, run, unique_id)
    return relation_sizes_list(view, run, unique_id, found)
