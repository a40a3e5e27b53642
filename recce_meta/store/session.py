"""Sessions of a store: opening, creation, migration, and retries while another writer blocks the store.

A store has two versions. Its write version, `store.schema_version`, is the exact version of its tables: a
writer needs that one. Its read version is the oldest version whose readers can read the store.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from enum import Enum

from msgspec import Struct

from recce_meta._version import __version__
from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.adapter.errors import recorder_hint
from recce_meta.adapter.statements import Right, need_of
from recce_meta.adapter.waiting import retrying
from recce_meta.errors import (
    MissingRelation,
    PermissionDenied,
    StoreError,
    StoreNotFound,
    StoreOutdated,
    TransientFailure,
    UsageError,
    WarehouseError,
)
from recce_meta.models.rows import Tabular
from recce_meta.store import sql_files
from recce_meta.store.sql_files import DEFAULT_SCHEMA, KEYS, SqlFile
from recce_meta.warehouses import Warehouse, available

_LOG = logging.getLogger(__name__)
SCHEMA_VERSION = 20
"""Version of the tables in `sql/ddl`; `sql/migrations` has the steps from each previous version."""
READ_VERSION = 9
"""The oldest version whose readers can read a store of SCHEMA_VERSION.

It stays if tables and views only gain columns, and if no stored value is new to these readers. Otherwise it
becomes SCHEMA_VERSION.
"""
VIEWS_GROW_SINCE = 6
"""From this version on, views only gain columns, at their end."""
USE_A_FILE = "use a file: 'path: FILE.duckdb' in the profile, or --url duckdb:///FILE.duckdb"
IDS_AT_ONCE = 200
"""Ids in one statement that deletes rows: warehouses limit the number of parameters."""
_VERSION_7 = 7
"""The first version whose stores have a read version."""
_PREFIXED_SINCE = 9
"""The first version whose tables have a prefix."""


class StoreVersions(Struct, frozen=True):
    """The versions of a store."""

    write: int
    """The version of its tables."""
    read: int
    """The oldest version whose readers can read it."""
    migrated_by: str | None = None
    """The version of recce_meta that created or migrated it. None before version 7."""

    @property
    def is_current(self) -> bool:
        """True if the tables have the version that this recce_meta writes."""
        return self.write == SCHEMA_VERSION

    @property
    def is_newer(self) -> bool:
        """True if this recce_meta cannot write the store because a newer one migrated it."""
        return self.write > SCHEMA_VERSION

    @property
    def is_readable(self) -> bool:
        """True if this recce_meta can read the store, if necessary after `init` has migrated it."""
        return self.read <= SCHEMA_VERSION

    @property
    def remedy(self) -> str:
        """Hint with the recce_meta version to install."""
        if self.migrated_by is None:
            return "upgrade recce-meta"
        if self.migrated_by == __version__:
            return f"update recce-meta: the store was migrated by a newer build of version {__version__}"
        return f"install recce_meta {self.migrated_by}, which migrated the store"


def is_in_memory(adapter: UnifiedSqlAdapter) -> bool:
    """Return True if the database of *adapter* could hold a store, but is in memory."""
    return adapter.warehouse.has_store and not adapter.is_shareable


def refuse_memory(adapter: UnifiedSqlAdapter) -> None:
    """Raise StoreError if the database is in memory, because the next command would not see the store."""
    if is_in_memory(adapter):
        problem = "Cannot create a store in an in-memory database: it is discarded when the command exits"
        raise StoreError(problem, hint=USE_A_FILE)


class InitAction(str, Enum):
    """Action that `init_store` performed."""

    CREATED = "created"
    MIGRATED = "migrated"
    REFRESHED = "refreshed"
    """The tables were current; only the views were rewritten."""
    UNCHANGED = "unchanged"
    """The store is newer and was not changed."""


class InitResult(Tabular, frozen=True):
    """Action and versions of one call of `init_store`."""

    action: InitAction
    schema: str
    version: int
    previous_version: int | None = None
    """None if there was no store."""
    remedy: str | None = None
    """Hint with the recce_meta version to install, if the store is newer."""


class StoreSession:
    """One session on a store: runs its queries and fills its tables by name."""

    def __init__(
        self, session: Session, warehouse: Warehouse, schema: str, *, has_comments: bool = True
    ) -> None:
        self.schema = warehouse.folded(schema)
        self._has_comments = has_comments
        self._session = session
        self._warehouse = warehouse
        self._quoted_schema = schema_text(warehouse, schema)
        # A colon in a statement starts a parameter unless a backslash precedes it.
        self._schema_in_statements = self._quoted_schema.replace(":", "\\:")

    @property
    def dialect(self) -> str:
        """Dialect of the rendered files that this store uses."""
        return dialect_of(self._warehouse)

    @property
    def has_transactions(self) -> bool:
        """True if one of two concurrent recorders waits or fails; otherwise each statement commits alone."""
        return self._warehouse.has_transactions

    @property
    def replaces_views(self) -> bool:
        """True if a view can be replaced by one with other columns."""
        return self._warehouse.replaces_views

    @property
    def stores_changes(self) -> bool:
        """True if `node_changes` reads stored changes of graphs."""
        return self._warehouse.stores_changes

    def query(self, name: str, position: int = 0, /, **parameters: object) -> list[tuple[object, ...]]:
        """Return the rows of the query at *position* in `sql/queries/<name>.sql`; most files have one."""
        statement = sql_files.query(name, self.dialect).statements(self._schema_in_statements)[position]
        return self._session.query(statement, parameters)

    def execute(self, name: str, **parameters: object) -> None:
        """Run the statements of `sql/queries/<name>.sql`, each with *parameters*."""
        for statement in sql_files.query(name, self.dialect).statements(self._schema_in_statements):
            self._session.execute(statement, parameters)

    def run_file(self, file: SqlFile) -> None:
        """Run the statements of a file without parameters."""
        for statement in file.statements(self._schema_in_statements):
            self._session.execute(statement)

    def write_comments(self) -> None:
        """Comment on the views and their columns, if CREATE VIEW does not.

        If each statement is a round trip, only the views get comments: there are several hundred columns.
        A store in memory has no comments.
        """
        files = sql_files.comments(self.dialect) if self._has_comments else ()
        found = [text for file in files for text in file.statements(self._schema_in_statements)]
        if self._warehouse.sends_scripts and found:
            found = [";\n".join(found)]
        for statement in found:
            if statement.startswith("COMMENT ON VIEW"):
                self._session.execute(statement)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add *rows* to one of the store's tables, named without its prefix."""
        fold = self._warehouse.folded  # the DDL does not quote names
        name = self._table(self._quoted_schema, table)
        self._session.insert_rows(name, [*map(fold, columns)], rows, [*map(fold, KEYS[table])])

    def remove(self, table: str, ids: Sequence[str]) -> None:
        """Delete the rows of one of the store's tables whose first key column is one of *ids*."""
        column = self._warehouse.quote_identifier(self._warehouse.folded(KEYS[table][0]))
        for start in range(0, len(ids), IDS_AT_ONCE):
            given = {f"id{number}": one for number, one in enumerate(ids[start : start + IDS_AT_ONCE])}
            listed = ", ".join(f":{name}" for name in given)
            name = self._table(self._schema_in_statements, table)
            self._session.execute(f"DELETE FROM {name} WHERE {column} IN ({listed})", given)  # noqa: S608

    def _table(self, quoted_schema: str, table: str) -> str:
        name = self._warehouse.folded(sql_files.table_name(table))
        return f"{quoted_schema}.{self._warehouse.quote_identifier(name)}"

    def count_deletable(self, name: str) -> dict[str, int]:
        """Return the number of rows that each statement of `sql/queries/<name>.sql` deletes, by its table."""
        file = sql_files.query(name, self.dialect)
        here = file.statements(self._schema_in_statements)
        counts: dict[str, int] = {}
        for plain, statement in zip(file.statements(), here, strict=True):
            table = plain.partition("DELETE FROM ")[2].split()[0].rpartition(".")[2]
            rest = statement.partition("DELETE FROM ")[2]
            ((count,),) = self._session.query(f"SELECT COUNT(*) FROM {rest}", {})  # noqa: S608 - our own file
            counts[table] = max(counts.get(table, 0), int(str(count)))
        return counts

    def changes_without_stored(self, run_ids: Sequence[str]) -> list[tuple[object, ...]]:
        """Return the rows of `node_changes` of the runs *run_ids*, computed although they are stored.

        A row has the columns of the view. For warehouses that store changes.
        """
        given = {f"id{number}": one for number, one in enumerate(run_ids)}
        listed = ", ".join(f":{name}" for name in given)
        view = sql_files.computed_changes(self.dialect, self._schema_in_statements)
        return self._session.query(f"SELECT * FROM ({view}) AS fresh WHERE run_id IN ({listed})", given)  # noqa: S608

    def read_no_rows(self) -> None:
        """Read all columns of all tables, but no rows."""
        self._session.query(sql_files.no_rows(self.dialect, self._schema_in_statements), {})

    def rename_tables(self) -> Iterator[str]:
        """Give each table without a prefix its prefix. Yield each renamed table; a repetition continues."""
        present = self.tables()
        for table, statement in sql_files.renames(self.dialect, self._schema_in_statements):
            if table in present and sql_files.table_name(table) not in present:
                self._session.execute(statement)
                yield table

    def refresh_statistics(self, *, is_large: bool = False) -> None:
        """Run ANALYZE if many rows are new, or if the planner's statistics are missing or outdated."""
        asked = sql_files.query("statistics_outdated", self.dialect).statements(self._schema_in_statements)
        if is_large or any(self._session.query(one, {"schema": self.schema})[0][0] for one in asked):
            self.execute("refresh_statistics")

    def drop_views(self) -> list[str]:
        """Drop the views of the store, and those of users that read them. Return statements that undo it.

        They create the views of users, and give all views what a new one does not have, such as grants.
        """
        texts = sql_files.query("views_to_restore", self.dialect).statements(self._schema_in_statements)
        given = {"schema": self.schema, "names": "\n".join(sql_files.public_relations(self.dialect))}
        found = [self._session.query(text, given) for text in texts]
        of_users, lost = found or ([], [])
        for statement, _ in of_users:
            self.run(str(statement))
        self.run_file(sql_files.query("drop_views", self.dialect))
        return [str(row[-1]) for row in (*reversed(of_users), *lost)]

    def run(self, statement: str) -> None:
        """Run a *statement* without parameters."""
        self._session.execute(statement.replace(":", "\\:"))

    def copy_grants(self) -> None:
        """Let the readers of each renamed table read the view that has its former name."""
        grants = sql_files.query("grants_to_copy", self.dialect)
        for question in grants.statements(self._schema_in_statements):
            for (statement,) in self._session.query(question, {"schema": self.schema}):
                self.run(str(statement))

    def tables(self) -> frozenset[str]:
        """Return the names of tables and views in the schema; in SHOW TABLES they are the second column."""
        rows = self.query_if_there("store_tables")
        return frozenset(str(row[min(1, len(row) - 1)]).lower() for row in rows)

    def refuse_taken(self) -> None:
        """Raise StoreError if relations without a store have names of its views, which would replace them.

        In a schema that all stores share, no relation may have a name of the store. Views next to the table
        `store`, which is created first, are those of an interrupted creation.
        """
        present = self.tables()
        if "store" in present:
            return
        if self._warehouse.shared_schema is None:
            names = {*sql_files.public_relations(self.dialect)}
            place, hint = f"schema '{self.schema}'", "use another schema for the store, with --schema"
        else:
            names = {*sql_files.relations(self.dialect), sql_files.FOREIGN_STORE}
            place = "this file"
            hint = f"use a separate file for the store, such as --url {self._warehouse.name}:///recce_meta.db"
        taken = sorted(present & names)
        if not taken:
            return
        _refuse_without_rights(self)  # of a role that reads the views alone, the catalog hides `store`
        raise StoreError(
            f"The store cannot be created in {place}, which has relations with its names: {', '.join(taken)}",
            hint=hint,
        )

    def query_if_there(self, name: str) -> list[tuple[object, ...]]:
        """Return the rows of a query about the schema; empty if the schema does not exist."""
        try:
            return self.query(name, schema=self.schema)
        except MissingRelation:
            return []


@contextmanager
def open_store(
    adapter: UnifiedSqlAdapter, *, create: bool = False, writes: bool = False
) -> Iterator[StoreSession]:
    """Open a session on the store of *adapter*, in its schema.

    With *writes*, an older store is migrated to this version, a missing one is created if *create* is set,
    and the session waits for other writers. A reader migrates nothing: an older store raises StoreOutdated,
    because recorders of that version could no longer record. It opens a newer store if it supports the
    store's read version. Its session may have no transaction in warehouses where transactions are expensive.
    """
    known = adapter.store_versions
    # A newer store that was admitted may be read again, but never written.
    is_ready = known.get(adapter.schema) == SCHEMA_VERSION or (adapter.schema in known and not writes)
    if not is_ready and not writes:
        _require_readable(adapter)
        is_ready = True
    elif not is_ready and not _creates_at_once(adapter):
        _prepare(adapter, create=create)
        is_ready = True
    with _session(adapter, atomic=writes) as store:
        with _rights_to_record(adapter) if writes else nullcontext():
            if not is_ready:
                # A version created here is remembered only by the next session: it is not committed yet.
                _remember(adapter, _make_ready(adapter, store, create=create))
            if writes:
                store.execute("begin_write")
                _require_write_version(store)
        yield store


@contextmanager
def _rights_to_record(adapter: UnifiedSqlAdapter) -> Iterator[None]:
    """Let the hint name the rights to write even if the role may not read the store either."""
    try:
        yield
    except PermissionDenied as error:
        need = need_of(error.sql or "", adapter.warehouse.dialect, error.message)
        if need is not None and need.right is Right.READ:
            error.hint = recorder_hint(adapter.warehouse, adapter.role)
        raise


def refuse_newer(adapter: UnifiedSqlAdapter) -> None:
    """Raise StoreError if the store is newer than this recce_meta writes. Long work calls this first."""
    if adapter.store_versions.get(adapter.schema) == SCHEMA_VERSION:
        return
    with _rights_to_record(adapter):
        versions = store_versions(adapter)
    if versions is not None:
        _refuse_writing(versions, adapter.schema)
        _remember(adapter, versions.write)


def _remember(adapter: UnifiedSqlAdapter, version: int | None) -> None:
    """Cache the version of a store that needs no migration."""
    if version is not None and version >= SCHEMA_VERSION:
        if adapter.schema not in adapter.store_versions:
            _LOG.info("Use the store in schema %s of %s, version %d", adapter.schema, adapter.name, version)
        adapter.store_versions[adapter.schema] = version


def _creates_at_once(adapter: UnifiedSqlAdapter) -> bool:
    """Return True if the store is created and migrated in one transaction."""
    return adapter.warehouse.has_transactional_ddl and not adapter.warehouse.creates_store_apart


def _require_readable(adapter: UnifiedSqlAdapter) -> None:
    """Raise StoreError if the store is missing, or if this recce_meta cannot read it."""
    versions = store_versions(adapter)
    if versions is None:
        raise no_store(adapter)
    _refuse_reading(versions, adapter.schema)
    if versions.write < SCHEMA_VERSION:
        raise outdated(versions, adapter.schema)
    _remember(adapter, versions.write)


def outdated(versions: StoreVersions, schema: str) -> StoreOutdated:
    """Return the error of a reader for a store of an older version."""
    return StoreOutdated(
        f"The store in schema '{schema}' has version {versions.write}, "
        f"but this recce-meta needs version {SCHEMA_VERSION}",
        hint="migrate it with recce-meta init; update recce-meta first wherever it records",
    )


def _prepare(adapter: UnifiedSqlAdapter, *, create: bool) -> None:
    """Create or migrate a store in a separate session, before the one that writes."""
    with _session(adapter, atomic=False) as store:
        versions = _versions(store)
        if versions is not None and versions.write >= SCHEMA_VERSION:
            _refuse_writing(versions, adapter.schema)
            _remember(adapter, versions.write)
            return
    with _migrating(adapter, is_there=versions is not None) as store:
        _make_ready(adapter, store, create=create)


@contextmanager
def _migrating(adapter: UnifiedSqlAdapter, *, is_there: bool) -> Iterator[StoreSession]:
    """Open the session that creates or migrates a store: one transaction if the warehouse can roll back DDL.

    A store that is created in a separate session is still migrated in one transaction, so that a killed
    migration can be repeated.
    """
    at_once = _creates_at_once(adapter)
    migrates = is_there and not at_once and adapter.warehouse.has_transactional_ddl
    with _session(adapter, atomic=at_once or migrates) as store:
        if migrates:
            _wait_for_migration(store)
        yield store


def _wait_for_migration(store: StoreSession) -> None:
    """Wait for the recorders of an older store, and for another process that migrates it."""
    is_prefixed = sql_files.table_name("runs") in store.tables()
    try:
        store.execute("begin_write" if is_prefixed else "begin_migration")
    except MissingRelation as error:
        raise TransientFailure(
            "Another process migrated the store in the meantime", hint="run the command again"
        ) from error


def init_store(adapter: UnifiedSqlAdapter) -> InitResult:
    """Create the store, migrate an older one, or rewrite the views of a current one.

    Waits for other writers, and for others that create it. A newer store that this recce_meta can read is not
    changed. Raises StoreError if it cannot read it.
    """
    return retrying(adapter, lambda: _init_store(adapter))


def _init_store(adapter: UnifiedSqlAdapter) -> InitResult:
    with _session(adapter, atomic=False) as store:
        before = _versions(store)
    is_older = before is not None and before.write < SCHEMA_VERSION
    with _migrating(adapter, is_there=is_older) as store:
        versions = _versions(store)
        if versions is None or versions.write < SCHEMA_VERSION:
            versions = _bring_forward(store)
        elif not versions.is_newer:
            write_views(store)
        if versions is not None and not versions.is_newer:
            store.refresh_statistics()
    if versions is not None and versions.is_newer:
        _refuse_reading(versions, adapter.schema)
        return InitResult(
            InitAction.UNCHANGED, adapter.schema, versions.write, versions.write, versions.remedy
        )
    previous = None if versions is None else versions.write
    if previous is None:
        action = InitAction.CREATED
    else:
        action = InitAction.REFRESHED if previous == SCHEMA_VERSION else InitAction.MIGRATED
    return InitResult(action, adapter.schema, SCHEMA_VERSION, previous)


def store_versions(adapter: UnifiedSqlAdapter) -> StoreVersions | None:
    """Return the versions of the store of *adapter* without migrating it; None if there is no store.

    Raises PermissionDenied if the store exists but the role may not use it.
    """
    if (found := _recent_versions(adapter)) is not None:
        return found
    with _session(adapter, atomic=False) as store:
        versions = _versions(store)
        if versions is None:
            _refuse_without_rights(store)
        return versions


def _recent_versions(adapter: UnifiedSqlAdapter) -> StoreVersions | None:
    """Return the versions of the store in one statement; None if the catalog must be asked why it fails."""
    try:
        with _session(adapter, atomic=False) as store:
            (row,) = store.query("store_versions")
    except WarehouseError as error:
        # DuckDB has no code of its own for some missing columns.
        if type(error) in (WarehouseError, MissingRelation, PermissionDenied):
            return None
        raise
    return None if row[0] is None else _versions_in(row)


def read_no_rows(adapter: UnifiedSqlAdapter) -> None:
    """Raise MissingRelation if the store of *adapter* lacks a table or a column that this version has."""
    with _session(adapter, atomic=False) as store:
        store.read_no_rows()


def can_record(adapter: UnifiedSqlAdapter) -> bool:
    """Return True if the role may write runs into the current store of *adapter*. Nothing is written."""
    try:
        with _session(adapter, atomic=True) as store:
            store.execute("begin_write")
            store.execute("try_record")
    except PermissionDenied:
        return False
    except TransientFailure:  # waits for another writer, so it may write
        return True
    return True


def schema_text(warehouse: Warehouse, schema: str) -> str:
    """Return *schema* as used in statements: quoted unless it is the default schema."""
    if warehouse.shared_schema is not None and schema not in (DEFAULT_SCHEMA, warehouse.shared_schema):
        raise UsageError(
            f"Schema '{schema}' is not supported in {warehouse.name}: a file holds one store",
            hint="use another file for another store, without --schema",
        )
    if not sql_files.dialects():
        raise sql_files.not_rendered()
    if not warehouse.has_store or dialect_of(warehouse) not in sql_files.dialects():
        raise StoreError(
            f"The store cannot be created in {warehouse.name}",
            hint=f"use one of {', '.join(available())}; --tables compares data here without a store",
        )
    most = warehouse.max_identifier_length
    if most is not None and len(schema.encode()) > most:
        raise UsageError(
            f"Schema name '{schema}' is longer than the limit of {most} bytes in {warehouse.name}",
            hint="use a shorter name, because truncated names of two stores could be equal",
        )
    if warehouse.shared_schema is not None:
        return warehouse.shared_schema
    return schema if schema == DEFAULT_SCHEMA else warehouse.quote_identifier(warehouse.folded(schema))


def no_store(adapter: UnifiedSqlAdapter) -> StoreNotFound:
    """Return the error for an *adapter* whose schema has no store."""
    if is_in_memory(adapter):
        return StoreNotFound("A database in memory holds no store", hint=USE_A_FILE)
    hint = "create it with recce-meta init or recce-meta record"
    return StoreNotFound(f"No store found in schema '{adapter.schema}'", hint=hint)


def dialect_of(warehouse: Warehouse) -> str:
    """Return the dialect of the rendered files for *warehouse*."""
    return warehouse.store_dialect or warehouse.name


@contextmanager
def _session(adapter: UnifiedSqlAdapter, *, atomic: bool) -> Iterator[StoreSession]:
    with adapter.session(atomic=atomic) as session:
        if atomic:
            for statement in adapter.warehouse.writing_statements(adapter.lock_wait.seconds):
                session.query(statement, {})
        yield StoreSession(session, adapter.warehouse, adapter.schema, has_comments=adapter.is_shareable)


def _make_ready(adapter: UnifiedSqlAdapter, store: StoreSession, *, create: bool) -> int | None:
    """Migrate an older store, and reject a newer one. Return the previous version."""
    versions = _versions(store)
    if versions is None and not create:
        _refuse_without_rights(store)
        raise no_store(adapter)
    if versions is None or versions.write < SCHEMA_VERSION:
        versions = _bring_forward(store)
    if versions is None:
        return None
    _refuse_writing(versions, adapter.schema)
    return versions.write


def _require_write_version(store: StoreSession) -> None:
    """Raise StoreError if the store was migrated after this writer checked its version."""
    versions = _versions_of(store)
    if versions is not None:
        _refuse_writing(versions, store.schema)


def _refuse_reading(versions: StoreVersions, schema: str) -> None:
    if not versions.is_readable:
        raise StoreError(
            f"The store in '{schema}' has read version {versions.read}, "
            f"but recce_meta {__version__} reads versions up to {SCHEMA_VERSION}",
            hint=versions.remedy,
        )


def _refuse_writing(versions: StoreVersions, schema: str) -> None:
    _refuse_reading(versions, schema)
    if versions.is_newer:
        raise StoreError(
            f"The store in '{schema}' has version {versions.write}, "
            f"but recce_meta {__version__} writes version {SCHEMA_VERSION} only",
            hint=f"{versions.remedy}; commands that only read still work",
        )


def _refuse_without_rights(store: StoreSession) -> None:
    """Raise PermissionDenied if the store exists but the catalog hides it from this role."""
    with suppress(MissingRelation):
        store.query("schema_version")


def _versions(store: StoreSession) -> StoreVersions | None:
    """Return the store's versions; None if there is no store. Reads no table that may not exist."""
    # A query of a missing table would end the transaction in PostgreSQL.
    if "store" not in store.tables():
        return None
    try:
        return _versions_of(store)
    except MissingRelation as error:
        raise StoreError(
            f"Relation 'store' in schema '{store.schema}' lacks columns of recce_meta's table of this name",
            hint="use another schema for the store, with --schema",
        ) from error


def _versions_of(store: StoreSession) -> StoreVersions | None:
    """Return the versions of an existing store; None while another process creates it."""
    rows = store.query("schema_version")
    if not rows:
        return None
    version = int(str(rows[0][0]))
    if version < _VERSION_7:
        return StoreVersions(version, version)
    (row,) = store.query("store_versions")
    return _versions_in(row)


def _versions_in(row: tuple[object, ...]) -> StoreVersions:
    write, read, migrated_by = row
    return StoreVersions(
        write=int(str(write)),
        read=int(str(write if read is None else read)),
        migrated_by=None if migrated_by is None else str(migrated_by),
    )


def _bring_forward(store: StoreSession) -> StoreVersions | None:
    """Create or migrate the store, one process at a time. Return the previous versions."""
    store.execute("lock_schema", schema=store.schema)
    # Another process may have created or migrated it while this one waited for the lock.
    versions = _versions(store)
    if versions is None:
        _create(store)
    elif versions.write < SCHEMA_VERSION:
        try:
            _migrate(store, versions.write)
        except PermissionDenied as error:
            remedy = "run recce-meta init with the role that created it"
            error.hint = f"the store has version {versions.write} and must be migrated: {remedy}"
            raise
    return versions


def own_versions() -> dict[str, object]:
    """Return the versions of the stores that this recce_meta writes, and its own version."""
    return {"version": SCHEMA_VERSION, "read_version": READ_VERSION, "migrated_by": __version__}


def _create(store: StoreSession) -> None:
    store.refuse_taken()
    if not store.query_if_there("schema_exists"):
        store.run_file(sql_files.query("create_schema", store.dialect))
    for file in sql_files.ddl(store.dialect):
        store.run_file(file)
    write_views(store)
    store.execute("set_first_version", **own_versions())


def _migrate(store: StoreSession, version: int) -> None:
    if version < _PREFIXED_SINCE:
        _rename_tables(store, version)
    lost: list[str] = []
    if version < VIEWS_GROW_SINCE or not store.replaces_views:
        # Only if needed: dropping a view loses its grants.
        lost = store.drop_views()
    for number, file in sql_files.migrations(store.dialect):
        if number > version:
            store.run_file(file)
    write_views(store)
    for statement in lost:
        store.run(statement)
    if version < _PREFIXED_SINCE:
        store.copy_grants()
    store.execute("set_version", **own_versions())


def _rename_tables(store: StoreSession, version: int) -> None:
    """Give the tables their prefix before the other steps, which use the new names.

    Where each rename commits itself, earlier recce_meta must not use the half-renamed store. They are
    excluded after the first rename: a role that may not rename leaves the store usable.
    """
    announcement = {"read_version": READ_VERSION, "migrated_by": __version__}
    for number, _ in enumerate(store.rename_tables()):
        if number == 0 and version >= _VERSION_7:
            store.execute("announce_migration", **announcement)


def write_views(store: StoreSession) -> None:
    """Create or replace the views of a current store."""
    for file in sql_files.views(store.dialect):
        store.run_file(file)
    store.write_comments()
