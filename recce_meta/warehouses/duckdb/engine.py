"""A thin SQLAlchemy dialect over the duckdb package.

duckdb-engine's dialect is PostgreSQL's: it imports all of SQLAlchemy's dialects for PostgreSQL and opens a
database to learn what DuckDB can do, a tenth of the time of a small command. We send text and read rows, so
SQLAlchemy's default dialect is enough. Only reflection needs duckdb-engine's (`reflecting`).
"""

from __future__ import annotations

from typing import Any

import duckdb
from sqlalchemy import Connection, Engine
from sqlalchemy.engine.default import DefaultDialect

from recce_meta.errors import MissingDriverError


class _Dbapi:
    """What SQLAlchemy reads of a module of PEP 249."""

    paramstyle = "numeric_dollar"
    Error = duckdb.Error


class ThinDialect(DefaultDialect):
    """Dialect that sends text unchanged and converts nothing."""

    name = "duckdb"
    driver = "duckdb"
    supports_statement_cache = False
    supports_native_boolean = True
    supports_native_decimal = True
    supports_native_uuid = True

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin a transaction: DuckDB commits each statement outside one."""
        dbapi_connection.begin()

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Roll back the transaction, unless DuckDB has ended it already."""
        try:
            dbapi_connection.rollback()
        except duckdb.TransactionException as error:
            if "no transaction is active" not in str(error):
                raise

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """Return True if *connection* is closed."""
        return bool(getattr(connection, "closed", False))


class DuckDBConnection:
    """Connection of the duckdb package, with cursors that SQLAlchemy may close."""

    closed = False

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, is_read_only: bool) -> None:
        self._connection, self._is_read_only = connection, is_read_only

    def begin(self) -> None:
        """Begin a transaction, of which a reading plan allows no writes."""
        self._connection.execute("BEGIN TRANSACTION READ ONLY" if self._is_read_only else "BEGIN TRANSACTION")

    def cursor(self) -> _Cursor:
        """Return the connection itself: another connection would not see the transaction."""
        return _Cursor(self._connection)

    def close(self) -> None:
        """Close the connection, which unlocks the file."""
        self._connection.close()
        self.closed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Cursor:
    """DuckDB's connection as a cursor, whose end leaves the connection open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def close(self) -> None:
        """Do nothing: the next statement ends the previous one."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def reflecting(connection: Connection) -> Connection:
    """Return *connection*, which is in a transaction, with duckdb-engine's dialect, which can reflect.

    Raises MissingDriverError without duckdb-engine.
    """
    try:
        from duckdb_engine import Dialect
    except ImportError as error:
        raise MissingDriverError("duckdb", error.name or "duckdb_engine") from error

    class Reflecting(Dialect):
        def do_begin(self, connection: Any) -> None:
            """Do nothing: the transaction is open."""

    dialect = Reflecting(dbapi=Dialect.dbapi())
    engine = Engine(connection.engine.pool, dialect, connection.engine.url, hide_parameters=True)
    return Connection(engine, connection.connection)


THIN = ThinDialect(dbapi=_Dbapi)  # type: ignore[arg-type]
"""The dialect of every engine."""
