"""Opens a store: creates it where it may, brings an older one forward, reads a newer one if it can.

A store has two versions. Its write version, `store.schema_version`, is the exact version of its tables: a
writer needs that one. Its read version is the oldest version whose readers can read the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum

from msgspec import Struct

from recce_meta._version import __version__
from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.errors import MissingRelation, PermissionDenied, StoreError, UsageError
from recce_meta.store import files
from recce_meta.store.files import DEFAULT_SCHEMA, SqlFile
from recce_meta.store.tables import KEYS
from recce_meta.warehouses import Warehouse, available

SCHEMA_VERSION = 8
"""The version of the tables in `sql/ddl`; `sql/migrations` says how each came from the one before."""
READ_VERSION = 7
"""The oldest version whose readers can read a store of SCHEMA_VERSION.

It stays if tables and views only gain columns, and if no stored value is new to these readers. Otherwise it
becomes SCHEMA_VERSION.
"""
VIEWS_GROW_SINCE = 6
"""From this version on, views only gain columns, at their end."""
_VERSION_7 = 7
"""The first version whose stores have a read version."""


class StoreVersions(Struct, frozen=True):
    """The versions of a store."""

    write: int
    """The version of its tables."""
    read: int
    """The oldest version whose readers can read it."""
    migrated_by: str | None = None
    """The version of recce_meta that created or migrated it. None before version 7."""

    @property
    def is_newer(self) -> bool:
        """Whether this recce_meta cannot write the store because a newer one migrated it."""
        return self.write > SCHEMA_VERSION

    @property
    def is_readable(self) -> bool:
        """Whether this recce_meta can read the store, once it has migrated an older one."""
        return self.read <= SCHEMA_VERSION

    @property
    def remedy(self) -> str:
        """The hint that says which recce_meta to install."""
        if self.migrated_by is None:
            return "upgrade recce-meta"
        if self.migrated_by == __version__:
            return f"update recce-meta: the store was migrated by a newer build of version {__version__}"
        return f"install recce_meta {self.migrated_by}, which migrated the store"


def refuse_memory(adapter: UnifiedSqlAdapter) -> None:
    """Raise StoreError where nothing that a command writes would be there for the next one."""
    if adapter.warehouse.has_store and not adapter.is_shareable:
        raise StoreError(
            "No store is kept here: the database is in memory, and ends with the command",
            hint="name a file: 'path: FILE.duckdb' in the profile, or --url duckdb:///FILE.duckdb",
        )


class InitAction(str, Enum):
    """What `init_store` did."""

    CREATED = "created"
    MIGRATED = "migrated"
    REFRESHED = "refreshed"
    """The tables were there and current; the views were written again."""
    UNCHANGED = "unchanged"
    """The store is newer: it was left as it is."""


class InitResult(Struct, frozen=True):
    """What `init_store` did, and to which versions."""

    action: InitAction
    schema: str
    version: int
    previous_version: int | None = None
    """None where there was no store."""
    remedy: str | None = None
    """Which recce_meta to install, if the store is newer."""


class StoreSession:
    """One transaction on one store: its queries by name, its tables by name."""

    def __init__(self, session: Session, warehouse: Warehouse, schema: str) -> None:
        self.schema = warehouse.folded(schema)
        self._session = session
        self._warehouse = warehouse
        self._quoted_schema = schema_text(warehouse, schema)
        # A colon in a statement begins a parameter unless a backslash stands before it.
        self._schema_in_statements = self._quoted_schema.replace(":", "\\:")

    @property
    def dialect(self) -> str:
        """Which rendered files this store uses."""
        return _dialect_of(self._warehouse)

    @property
    def has_transactions(self) -> bool:
        """Whether of two recorders one waits or fails: otherwise each statement stands alone."""
        return self._warehouse.has_transactions

    @property
    def replaces_wider_views(self) -> bool:
        """Whether a view can be replaced by one with more columns at its end."""
        return self._warehouse.replaces_wider_views

    @property
    def stores_changes(self) -> bool:
        """Whether `node_changes` reads stored changes of graphs."""
        return self._warehouse.stores_changes

    def query(self, name: str, **parameters: object) -> list[tuple[object, ...]]:
        """The rows of the query in `sql/queries/<name>.sql`."""
        (statement,) = files.query(name, self.dialect).statements(self._schema_in_statements)
        return self._session.query(statement, parameters)

    def execute(self, name: str, **parameters: object) -> None:
        """Run the statements of `sql/queries/<name>.sql`, each with *parameters*."""
        for statement in files.query(name, self.dialect).statements(self._schema_in_statements):
            self._session.execute(statement, parameters)

    def run_file(self, file: SqlFile) -> None:
        """Run the statements of a file that takes no parameters."""
        for statement in file.statements(self._schema_in_statements):
            self._session.execute(statement)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add *rows* to one of the store's tables."""
        fold = self._warehouse.folded  # the tables' definitions write names without quotes
        name = f"{self._quoted_schema}.{self._warehouse.quote_identifier(fold(table))}"
        self._session.insert_rows(name, [*map(fold, columns)], rows, [*map(fold, KEYS[table])])

    def tables(self) -> frozenset[str]:
        """The names of tables and views in the schema; SHOW TABLES gives them second, after the schema."""
        rows = self.query_if_there("store_tables")
        return frozenset(str(row[min(1, len(row) - 1)]).lower() for row in rows)

    def query_if_there(self, name: str) -> list[tuple[object, ...]]:
        """The rows of a query about the schema; none where it is missing, also where that is an error."""
        try:
            return self.query(name, schema=self.schema)
        except MissingRelation:
            return []


@contextmanager
def open_store(
    adapter: UnifiedSqlAdapter,
    schema: str = DEFAULT_SCHEMA,
    *,
    create: bool = False,
    writes: bool = False,
) -> Iterator[StoreSession]:
    """One transaction on the store of *schema*, brought to this version first.

    Without *create*, a missing store is an error that says how to make one. A reader opens a newer store as
    it is if it knows the store's read version. Who *writes* needs the exact write version, and waits for
    others who do; who does not may be given no transaction where one would cost something.
    """
    known = adapter.store_versions
    is_ready = known.get(schema) == SCHEMA_VERSION or (schema in known and not writes)
    if not is_ready and not (writes and _creates_at_once(adapter)):
        _prepare(adapter, schema, create=create, writes=writes)
        is_ready = True
    with _session(adapter, schema, atomic=writes) as store:
        if not is_ready:
            # What is made current here is remembered by the next session: it is not committed yet.
            _remember(adapter, schema, _make_ready(store, schema, create=create, writes=writes))
        if writes:
            store.execute("begin_write")
            _require_write_version(store)
        yield store


def refuse_newer(adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA) -> None:
    """Raise StoreError if the store is newer than this recce_meta writes. Long work calls this first."""
    if adapter.store_versions.get(schema) == SCHEMA_VERSION:
        return
    versions = store_versions(adapter, schema)
    if versions is not None:
        _refuse_writing(versions, schema)
        _remember(adapter, schema, versions.write)


def _remember(adapter: UnifiedSqlAdapter, schema: str, version: int | None) -> None:
    """Keep the version of a store that needs no migration."""
    if version is not None and version >= SCHEMA_VERSION:
        adapter.store_versions[schema] = version


def _creates_at_once(adapter: UnifiedSqlAdapter) -> bool:
    """Whether creating and migrating the store is one transaction."""
    return adapter.warehouse.has_transactional_ddl and not adapter.warehouse.creates_store_apart


def _prepare(adapter: UnifiedSqlAdapter, schema: str, *, create: bool, writes: bool) -> None:
    """Make a store ready ahead of the session that uses it: that of a reader may be no transaction."""
    with _session(adapter, schema, atomic=False) as store:
        versions = _versions(store)
        if versions is not None and versions.write >= SCHEMA_VERSION:
            _admit(versions, schema, writes=writes)
            _remember(adapter, schema, versions.write)
            return
    with _migrating(adapter, schema, is_there=versions is not None) as store:
        _make_ready(store, schema, create=create, writes=writes)


@contextmanager
def _migrating(adapter: UnifiedSqlAdapter, schema: str, *, is_there: bool) -> Iterator[StoreSession]:
    """The session that creates or migrates a store: one transaction if the warehouse can undo that.

    A store that is created apart is still migrated in one transaction, so that a migration that is killed
    leaves nothing that stops its repetition.
    """
    at_once = _creates_at_once(adapter)
    migrates = is_there and not at_once and adapter.warehouse.has_transactional_ddl
    with _session(adapter, schema, atomic=at_once or migrates) as store:
        if migrates:
            store.execute("begin_write")  # of two migrations the second waits here
        yield store


def init_store(adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA) -> InitResult:
    """Create the store, migrate an older one, or write the views of a current one again.

    A newer store that this recce_meta can read stays as it is. Raises StoreError if it cannot read it.
    """
    with _session(adapter, schema, atomic=False) as store:
        before = _versions(store)
    is_older = before is not None and before.write < SCHEMA_VERSION
    with _migrating(adapter, schema, is_there=is_older) as store:
        versions = _versions(store)
        if versions is None or versions.write < SCHEMA_VERSION:
            versions = _bring_forward(store)
        elif not versions.is_newer:
            _write_views(store)
    if versions is not None and versions.is_newer:
        _refuse_reading(versions, schema)
        return InitResult(InitAction.UNCHANGED, schema, versions.write, versions.write, versions.remedy)
    previous = None if versions is None else versions.write
    if previous is None:
        action = InitAction.CREATED
    else:
        action = InitAction.REFRESHED if previous == SCHEMA_VERSION else InitAction.MIGRATED
    return InitResult(action, schema, SCHEMA_VERSION, previous)


def store_versions(adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA) -> StoreVersions | None:
    """Return the versions of the store in *schema*, as it is; None if there is no store.

    Raises PermissionDenied if there is one that the role may not use.
    """
    with _session(adapter, schema, atomic=False) as store:
        versions = _versions(store)
        if versions is None:
            _refuse_without_rights(store)
        return versions


def can_record(adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA) -> bool:
    """Return True if the role may write runs into the current store in *schema*. Nothing is written."""
    try:
        with _session(adapter, schema, atomic=True) as store:
            store.execute("begin_write")
            store.execute("try_record")
    except PermissionDenied:
        return False
    return True


def init_sql(warehouse: Warehouse, schema: str = DEFAULT_SCHEMA) -> str:
    """The script that creates a new store: what `init_store` would run where there is none."""
    quoted = schema_text(warehouse, schema)
    dialect = _dialect_of(warehouse)
    scripts = (
        files.query("create_schema", dialect),
        *files.ddl(dialect),
        *files.views(dialect),
    )
    (version_row,) = files.query("set_first_version", dialect).statements(quoted)
    texts = [file.in_schema(quoted) for file in scripts]
    for name, value in _own_versions().items():
        version_row = version_row.replace(f":{name}", f"'{value}'" if isinstance(value, str) else str(value))
    texts.append(f"{version_row};\n")
    return "\n".join(texts)


def schema_text(warehouse: Warehouse, schema: str) -> str:
    """*schema* as the statements name it: the default one as the files have it, others quoted."""
    if not warehouse.has_store or _dialect_of(warehouse) not in files.dialects():
        raise StoreError(
            f"The store cannot be kept in {warehouse.name}",
            hint=f"keep it in one of {', '.join(available())}; --tables compares data here without a store",
        )
    most = warehouse.max_identifier_length
    if most is not None and len(schema.encode()) > most:
        raise UsageError(
            f"The schema's name '{schema}' is longer than the {most} bytes that {warehouse.name} keeps",
            hint="it would be cut short, and two stores would be one",
        )
    return schema if schema == DEFAULT_SCHEMA else warehouse.quote_identifier(warehouse.folded(schema))


def _dialect_of(warehouse: Warehouse) -> str:
    return warehouse.store_dialect or warehouse.name


@contextmanager
def _session(adapter: UnifiedSqlAdapter, schema: str, *, atomic: bool) -> Iterator[StoreSession]:
    with adapter.session(atomic=atomic) as session:
        yield StoreSession(session, adapter.warehouse, schema)


def _make_ready(store: StoreSession, schema: str, *, create: bool, writes: bool) -> int | None:
    """Bring an older store to this version, and refuse a newer one; the version that was there before."""
    versions = _versions(store)
    if versions is None and not create:
        _refuse_without_rights(store)
        raise StoreError(
            f"There is no store in schema '{schema}'",
            hint="recce-meta init creates it, recce-meta record too",
        )
    if versions is None or versions.write < SCHEMA_VERSION:
        versions = _bring_forward(store)
    if versions is None:
        return None
    _admit(versions, schema, writes=writes)
    return versions.write


def _admit(versions: StoreVersions, schema: str, *, writes: bool) -> None:
    """Raise StoreError if this recce_meta cannot read the store, or cannot write it and has to."""
    _refuse_reading(versions, schema)
    if writes:
        _refuse_writing(versions, schema)


def _require_write_version(store: StoreSession) -> None:
    """Raise StoreError if the store was migrated since this writer looked."""
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
    """Raise PermissionDenied if the store is there, but hidden from this role: catalogs hide such tables."""
    with suppress(MissingRelation):
        store.query("schema_version")


def _versions(store: StoreSession) -> StoreVersions | None:
    """The store's versions; None where there is none. Nothing is read from a table that may not exist."""
    return _versions_of(store) if "store" in store.tables() else None


def _versions_of(store: StoreSession) -> StoreVersions | None:
    """The versions of a store that exists; None while another process creates it."""
    rows = store.query("schema_version")
    if not rows:
        return None
    version = int(str(rows[0][0]))
    if version < _VERSION_7:
        return StoreVersions(version, version)
    ((write, read, migrated_by),) = store.query("store_versions")
    return StoreVersions(
        write=int(str(write)),
        read=int(str(write if read is None else read)),
        migrated_by=None if migrated_by is None else str(migrated_by),
    )


def _bring_forward(store: StoreSession) -> StoreVersions | None:
    """Create or migrate, one process at a time; the versions that were there before."""
    store.execute("lock_schema", schema=store.schema)
    versions = _versions(store)
    if versions is None:
        _create(store)
    elif versions.write < SCHEMA_VERSION:
        _migrate(store, versions.write)
    return versions


def _own_versions() -> dict[str, object]:
    return {"version": SCHEMA_VERSION, "read_version": READ_VERSION, "migrated_by": __version__}


def _create(store: StoreSession) -> None:
    if not store.query_if_there("schema_exists"):
        store.run_file(files.query("create_schema", store.dialect))
    for file in files.ddl(store.dialect):
        store.run_file(file)
    _write_views(store)
    store.execute("set_first_version", **_own_versions())


def _migrate(store: StoreSession, version: int) -> None:
    if version < VIEWS_GROW_SINCE or not store.replaces_wider_views:
        # A dropped view loses its grants, and PostgreSQL drops none that a user's own view reads.
        store.run_file(files.query("drop_views", store.dialect))
    for number, file in files.migrations(store.dialect):
        if number > version:
            store.run_file(file)
    _write_views(store)
    store.execute("set_version", **_own_versions())


def _write_views(store: StoreSession) -> None:
    for file in files.views(store.dialect):
        store.run_file(file)
