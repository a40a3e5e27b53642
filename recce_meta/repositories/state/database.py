"""Database of the state: a SQLite file, or a schema in PostgreSQL, that several processes share.

A state is created by the process that opens it first. SQLite is used in WAL mode, and a transaction that
writes locks the file at its begin: one that began as a reader could not wait for the lock.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
import sqlalchemy
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    RowMapping,
    event,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError

from recce_meta.adapter.errors import translate_error
from recce_meta.errors import (
    ConfigurationError,
    RecceMetaError,
    StoreError,
    StoreLocked,
    WarehouseError,
    install_hint,
)
from recce_meta.repositories.options.connections import ConnectionOptions
from recce_meta.repositories.options.declaring import options_of
from recce_meta.repositories.state.tables import UtcTime, metadata, state_version
from recce_meta.warehouses import UrlParts, Warehouse, warehouse_for_scheme

STATE_URL = "RECCE_META_STATE_URL"
VERSION = 13
"""Version of the tables."""
DEFAULT_SCHEMA = "recce_meta_state"
BUSY_SECONDS = 60
"""Seconds to wait for another process that writes to the SQLite file."""

_IS_WRITER = "recce_meta_is_writer"
_CREATION_LOCK = 0x7265636365
"""Key of PostgreSQL's advisory lock that the creator of a state holds."""
_OWNERS_LOCK = 0x6F776E72
"""First key of PostgreSQL's advisory lock of the owners of projects."""
_LOCK_NOT_AVAILABLE = "55P03"
_URL_HINT = f"set --state or {STATE_URL} to sqlite:///FILE or to postgresql://USER@HOST:PORT/DATABASE"


Kind = TypeVar("Kind", bound=msgspec.Struct)


class State:
    """An open state. Threads may share it; a process that forks may not."""

    def __init__(self, engine: Engine, url: URL, warehouse: Warehouse, secrets: tuple[str, ...]) -> None:
        self.engine = engine
        self.url = url
        """Address for SQLAlchemy; its `str` and `repr` hide the password."""
        self.id = ""
        """Random id; workers of several states may share a work folder, and leave each other's jobs alone."""
        self._warehouse = warehouse
        self._secrets = secrets

    def __repr__(self) -> str:
        return f"State({str(self.url)!r})"

    @property
    def is_sqlite(self) -> bool:
        """True if the state is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """File of the state; None if it is in PostgreSQL."""
        return Path(self.url.database or "") if self.is_sqlite else None

    @property
    def schema(self) -> str | None:
        """Schema of the tables in PostgreSQL; None for SQLite."""
        translation: Mapping[str | None, str | None] = self.engine.get_execution_options().get(
            "schema_translate_map", {}
        )
        return translation.get(None)

    def neighbour(self, name: str) -> Path:
        """Return a file next to that of the state, such as `state-jobs.db`; create it if it is missing."""
        assert self.file is not None
        file = self.file.with_name(f"{self.file.stem}-{name}{self.file.suffix}")
        # SQLite would create it with the mode of the umask, and other users could read it.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        return file

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def now(self) -> ColumnElement[datetime]:
        """Return the time as an expression: of the database's clock if workers may run on other machines."""
        if self.is_sqlite:
            return literal(datetime.now(timezone.utc), UtcTime)
        return func.clock_timestamp(type_=UtcTime)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that only reads.

        Raises WarehouseError if the database fails.
        """
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that is committed at the end of the block.

        Raises WarehouseError if the database fails. An IntegrityError of SQLAlchemy passes.
        """
        # The event for SQLite's BEGIN only sees the connection, so its options carry the kind.
        with self._translated(), self.engine.execution_options(**{_IS_WRITER: True}).begin() as connection:
            yield connection

    @contextmanager
    def lock_owners(self, *, is_exclusive: bool) -> Iterator[None]:
        """Hold the lock of the owners of projects within the block.

        Writers of runs share it while they write; who changes an owner excludes them. It ends with its
        process. Raises StoreLocked if it is not free within a minute.
        """
        with self._locked_file(is_exclusive) if self.is_sqlite else self._locked_row(is_exclusive):
            yield

    @contextmanager
    def _locked_file(self, is_exclusive: bool) -> Iterator[None]:
        # Another file than the state: the lock is held while a run is written, and jobs write to the state.
        file = self.neighbour("owners")
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE" if is_exclusive else "BEGIN")
                # A transaction that shares has no lock before it reads.
                connection.execute("SELECT count(*) FROM sqlite_master")
            except sqlite3.OperationalError:
                raise _owners_are_locked() from None
            yield

    @contextmanager
    def _locked_row(self, is_exclusive: bool) -> Iterator[None]:
        lock = func.pg_advisory_xact_lock if is_exclusive else func.pg_advisory_xact_lock_shared
        with self.read() as connection:
            connection.execute(select(func.set_config("lock_timeout", f"{BUSY_SECONDS}s", True)))
            try:
                connection.execute(select(lock(_OWNERS_LOCK, func.hashtext(self.schema))))
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
                raise _owners_are_locked() from None
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise _translate(error, self.url, self._warehouse, self._secrets) from None


def _owners_are_locked() -> StoreLocked:
    return StoreLocked(
        "A run is written at this moment, or a project is handed over", hint="try again in a minute"
    )


def values_of(row: RowMapping) -> dict[str, Any]:
    """Return the values of *row* by column; msgspec rejects its own keys, of a subclass of `str`."""
    return {str(name): value for name, value in row.items()}


def rows_as(session: Connection, query: Executable, kind: type[Kind]) -> list[Kind]:
    """Return the rows of *query* as *kind*, which may have fewer fields than they have columns."""
    return [msgspec.convert(values_of(row), kind) for row in session.execute(query).mappings()]


def row_as(session: Connection, query: Executable, kind: type[Kind]) -> Kind | None:
    """Return the first row of *query* as *kind*; None without any."""
    return next(iter(rows_as(session, query, kind)), None)


def default_state_file(environ: Mapping[str, str]) -> Path:
    """Return the state's file in the folder for data of the user that *environ* describes."""
    if os.name == "nt":
        folder = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        folder = Path(environ.get("XDG_DATA_HOME") or Path(environ.get("HOME") or "~", ".local", "share"))
    return folder.expanduser() / "recce_meta" / "state.db"


def has_state(environ: Mapping[str, str]) -> bool:
    """Return True if *environ* names a state, or the default file exists."""
    return bool(environ.get(STATE_URL)) or default_state_file(environ).exists()


def require_state(url: str | None, environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError if neither *url* nor *environ* names a state and no default file exists."""
    if url is None and not has_state(environ):
        raise ConfigurationError(
            "No repository is connected yet",
            hint="recce-meta connection add URL, or name the state with --state",
        )


def open_state(url: str | None, environ: Mapping[str, str]) -> State:
    """Open the state at *url*, by default that of RECCE_META_STATE_URL or the default file; create it if
    it does not exist.

    `?schema=NAME` at the end of a PostgreSQL URL sets the schema. Raises ConfigurationError if the URL is
    invalid, ConnectionFailed if the database cannot be reached, StoreError if its version is newer.
    """
    given = url or environ.get(STATE_URL)
    address = _parse(given) if given else URL.create("sqlite", database=str(default_state_file(environ)))
    opened = _sqlite(address) if address.get_backend_name() == "sqlite" else _postgres(address)
    # The pool must not stay open if the version is refused.
    with ExitStack() as stack:
        stack.callback(opened.close)
        opened.id = _create_or_check(opened)
        stack.pop_all()
    return opened


def existing_state(url: str | None, environ: Mapping[str, str]) -> State | None:
    """Return the state at *url* as `open_state` finds it, with tables of any version, or without any.

    Nothing is created or migrated. None if the file does not exist. Raises ConfigurationError if the URL is
    invalid.
    """
    given = url or environ.get(STATE_URL)
    address = _parse(given) if given else URL.create("sqlite", database=str(default_state_file(environ)))
    if address.get_backend_name() != "sqlite":
        return _postgres(address)
    exists = not address.database or Path(address.database).expanduser().is_file()
    return _sqlite(address) if exists else None


def stored_version(state: State) -> int | None:
    """Return the version of the tables of *state*; None without tables.

    Raises WarehouseError if the database cannot be read.
    """
    with state.read() as connection:
        if not sqlalchemy.inspect(connection).has_table(state_version.name, schema=state.schema):
            return None
        return connection.scalar(select(state_version.c.version))


def _parse(text: str) -> URL:
    try:
        url = sqlalchemy.make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigurationError("The URL of the state is invalid", hint=_URL_HINT) from None
    if url.get_backend_name() not in ("sqlite", "postgresql", "postgres"):
        raise ConfigurationError(f"The state cannot be stored in {url.get_backend_name()}", hint=_URL_HINT)
    return url


def _sqlite(url: URL) -> State:
    if not url.database or url.database == ":memory:" or url.query:
        raise ConfigurationError(
            "The state needs a SQLite file", hint="use sqlite:///FILE without parameters, not memory"
        )
    file = Path(url.database).expanduser().absolute()
    try:
        # The folder also gets the key of the secrets.
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its two other files the mode of this one.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigurationError(
            f"The state's file {file} cannot be written: {error.strerror}",
            hint=f"set --state or {STATE_URL} to a file that you may write",
        ) from None
    address = URL.create("sqlite", database=str(file))
    # A job that has run for an hour must not fail because threads wait for a connection.
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": BUSY_SECONDS}, pool_timeout=600)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return State(engine, address, warehouse_for_scheme("sqlite"), ())


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # Python's driver must not begin transactions: it would do so without the lock, before the first change.
    connection.isolation_level = None
    # SQLite checks foreign keys, and so cascades, only if each connection asks for it.
    for statement in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {statement}")


def _begin_sqlite(connection: Connection) -> None:
    is_writer = connection.get_execution_options().get(_IS_WRITER)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


def _postgres(url: URL) -> State:
    schema = url.query.get("schema", DEFAULT_SCHEMA)
    if not isinstance(schema, str) or not schema:
        raise ConfigurationError("The URL of the state names several schemas", hint="give one ?schema=NAME")
    # libpq would refuse the unknown parameter.
    url = url.difference_update_query(["schema"])
    warehouse = warehouse_for_scheme("postgresql")
    plan = warehouse.plan_url(
        UrlParts("postgresql", url.username, url.password, url.host, url.port, url.database, url.query)
    )
    address = url.set(drivername=plan.url.scheme)
    engine = sqlalchemy.create_engine(
        address,
        connect_args=dict(plan.connect_args),
        # A worker survives a restart of the database, which leaves dead connections in the pool.
        pool_pre_ping=True,
        pool_timeout=600,
        # Errors of SQLAlchemy would otherwise show the values of the statement, such as sealed secrets.
        hide_parameters=True,
        execution_options={"schema_translate_map": {None: schema}},
        **dict(plan.engine_args),
    )
    return State(engine, address, warehouse, plan.secrets)


def _create_or_check(state: State) -> str:
    """Create the tables, or check their version, and return the id of the state."""
    with state.write() as connection:
        if not state.is_sqlite:
            # CREATE SCHEMA IF NOT EXISTS can still fail when two sessions run it at the same time.
            connection.execute(select(func.pg_advisory_xact_lock(_CREATION_LOCK)))
        inspector = sqlalchemy.inspect(connection)
        if not inspector.has_table(state_version.name, schema=state.schema):
            if state.schema is not None and not inspector.has_schema(state.schema):
                connection.execute(sqlalchemy.schema.CreateSchema(state.schema))
            # The version's table is created with the others in one transaction, so it stands for all.
            metadata.create_all(connection, checkfirst=False)
            connection.execute(insert(state_version).values(version=VERSION, id=uuid4().hex))
        version = connection.scalar(select(state_version.c.version))
        if version and version < VERSION:
            _migrate(state, connection, version)
            version = VERSION
        found = connection.scalar(select(state_version.c.id)) if version == VERSION else None
    if version != VERSION:
        raise StoreError(
            f"The state {state.url} has version {version}; this version of recce_meta reads {VERSION}",
            hint=install_hint("server", "--upgrade "),
        )
    return str(found)


_ADDED: Mapping[int, tuple[tuple[str, str, str], ...]] = {
    2: (("state_version", "id", "TEXT"),),
    3: (
        ("connections", "repository_id", "TEXT"),
        ("connections", "forge_error", "TEXT"),
        ("jobs", "source", "TEXT DEFAULT 'branch' NOT NULL"),
        ("jobs", "pull_request", "INTEGER"),
        ("jobs", "wanted_sha", "TEXT"),
        ("api_tokens", "connection_id", "TEXT"),
    ),
    8: (("connections", "database", "JSON"),),
    9: (("jobs", "issues", "INTEGER"),),
    12: (("jobs", "is_working", "BOOLEAN DEFAULT FALSE NOT NULL"),),
}
"""Table, column and type of the columns that each version has added, without the options of connections."""
_NEW_TABLES: Mapping[int, tuple[str, ...]] = {
    3: ("job_files", "webhooks", "webhook_deliveries", "pull_requests", "stale_branches", "tasks"),
    4: ("workspaces",),
    5: ("project_owners",),
    6: ("audit_events",),
    7: ("sessions",),
}
"""Tables that each version has added."""


def _added(version: int) -> Iterator[tuple[str, str, str]]:
    """Yield table, column and type of the columns that *version* has added."""
    yield from _ADDED.get(version, ())
    for name, one in options_of(ConnectionOptions).items():
        if one.since is not None and one.since[0] == version:
            yield "connections", name, one.since[1]


def _migrate(state: State, connection: Connection, version: int) -> None:
    """Migrate a state of an earlier *version*."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    for added in range(version + 1, VERSION + 1):
        for table, column, kind in _added(added):
            # Raw SQL does not pass the translation of schemas, so the name has to be complete.
            name = ".".join(quote(part) for part in (state.schema, table) if part is not None)
            connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {quote(column)} {kind}")
    new = (name for added in range(version + 1, VERSION + 1) for name in _NEW_TABLES.get(added, ()))
    metadata.create_all(connection, tables=[metadata.tables[name] for name in new], checkfirst=False)
    found = connection.scalar(select(state_version.c.id)) or uuid4().hex
    connection.execute(update(state_version).values(version=VERSION, id=found))


def _translate(error: DBAPIError, url: URL, warehouse: Warehouse, secrets: tuple[str, ...]) -> RecceMetaError:
    """Return our error for *error*; the statement is left out."""
    found = translate_error(
        error,
        warehouse,
        sql=None,
        secrets=secrets,
        is_lost=error.connection_invalidated,
        database=url.database,
        role=url.username,
    )
    message = f"The state {url} failed: {found.message}"
    return type(found)(message, hint=_hint(found, url), code=found.code)


def _hint(error: WarehouseError, url: URL) -> str | None:
    if "not a database" in error.message:
        return f"set --state or {STATE_URL} to another file: {url.database} is not a SQLite database"
    return error.hint and error.hint.replace(
        "recce-meta doctor shows the settings in use", f"they come from --state or {STATE_URL}"
    )
