"""Opens a store: creates it where it may, brings an older one forward, refuses a newer one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum

from msgspec import Struct

from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.errors import MissingRelation, PermissionDenied, StoreError, UsageError
from recce_meta.store import files
from recce_meta.store.files import DEFAULT_SCHEMA, SqlFile
from recce_meta.store.tables import KEYS
from recce_meta.warehouses import Warehouse, available

SCHEMA_VERSION = 6
"""The version of the tables in `sql/ddl`; `sql/migrations` says how each came from the one before."""


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


class InitResult(Struct, frozen=True):
    """What `init_store` did, and to which versions."""

    action: InitAction
    schema: str
    version: int
    previous_version: int | None = None
    """None where there was no store."""


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

    Without *create*, a missing store is an error that says how to make one. Who *writes* waits for others
    who do; who does not may be given no transaction where one would cost something.
    """
    is_known = schema in adapter.current_stores
    if not is_known and not _creates_at_once(adapter):
        with _session(adapter, schema, atomic=False) as store:
            was_current = _make_current(store, schema, create=create)
        if was_current:
            adapter.current_stores.add(schema)
        is_known = True
    with _session(adapter, schema, atomic=writes) as store:
        # What is made current here is remembered by the next session: it is not committed yet.
        if not is_known and _make_current(store, schema, create=create):
            adapter.current_stores.add(schema)
        if writes:
            store.execute("begin_write")
        yield store


def _creates_at_once(adapter: UnifiedSqlAdapter) -> bool:
    """Whether creating and migrating the store is one transaction."""
    return adapter.warehouse.has_transactional_ddl and not adapter.warehouse.creates_store_apart


def init_store(adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA) -> InitResult:
    """Create the store, migrate an older one, or write the views of a current one again."""
    with _session(adapter, schema, atomic=_creates_at_once(adapter)) as store:
        previous = _version(store)
        if previous != SCHEMA_VERSION:
            previous = _bring_forward(store)
        else:
            _write_views(store)
    if previous is None:
        action = InitAction.CREATED
    else:
        action = InitAction.REFRESHED if previous == SCHEMA_VERSION else InitAction.MIGRATED
    return InitResult(action, schema, SCHEMA_VERSION, previous)


def store_version(adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA) -> int | None:
    """Return the version of the store in *schema*, as it is; None if there is no store.

    Raises PermissionDenied if there is one that the role may not use.
    """
    with _session(adapter, schema, atomic=False) as store:
        version = _version(store)
        if version is None:
            _refuse_without_rights(store)
        return version


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
    texts.append(f"{version_row.replace(':version', str(SCHEMA_VERSION))};\n")
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


def _make_current(store: StoreSession, schema: str, *, create: bool) -> bool:
    """Bring the store to this version; whether it was current before."""
    version = _version(store)
    if version is None and not create:
        _refuse_without_rights(store)
        raise StoreError(
            f"There is no store in schema '{schema}'",
            hint="recce-meta init creates it, recce-meta record too",
        )
    if version != SCHEMA_VERSION:
        _bring_forward(store)
    return version == SCHEMA_VERSION


def _refuse_without_rights(store: StoreSession) -> None:
    """Raise PermissionDenied if the store is there, but hidden from this role: catalogs hide such tables."""
    with suppress(MissingRelation):
        store.query("schema_version")


def _version(store: StoreSession) -> int | None:
    """The store's version; None where there is none. Nothing is read from a table that may not exist."""
    if "store" not in store.tables():
        return None
    rows = store.query("schema_version")
    return int(str(rows[0][0])) if rows else None


def _bring_forward(store: StoreSession) -> int | None:
    """Create or migrate, one process at a time; the version that was there before."""
    store.execute("lock_schema", schema=store.schema)
    version = _version(store)
    if version is None:
        _create(store)
    elif version > SCHEMA_VERSION:
        raise StoreError(
            f"The store in '{store.schema}' has version {version}, this recce-meta knows {SCHEMA_VERSION}",
            hint="upgrade recce-meta",
        )
    elif version < SCHEMA_VERSION:
        _migrate(store, version)
    return version


def _create(store: StoreSession) -> None:
    if not store.query_if_there("schema_exists"):
        store.run_file(files.query("create_schema", store.dialect))
    for file in files.ddl(store.dialect):
        store.run_file(file)
    _write_views(store)
    store.execute("set_first_version", version=SCHEMA_VERSION)


def _migrate(store: StoreSession, version: int) -> None:
    # PostgreSQL replaces a view only by one with the same columns: new columns need a new version.
    store.run_file(files.query("drop_views", store.dialect))
    for number, file in files.migrations(store.dialect):
        if number > version:
            store.run_file(file)
    _write_views(store)
    store.execute("set_version", version=SCHEMA_VERSION)


def _write_views(store: StoreSession) -> None:
    for file in files.views(store.dialect):
        store.run_file(file)
