"""PostgreSQL driver on psycopg 3: COPY, cancel, cursors, and statement timeouts on the server.

Values are Python's types, or the server's text: for JSON (parsed later on request), ranges, network
addresses, records, and times that Python cannot represent, such as infinity, years before Christ or after
9999, and 24:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from recce_meta.errors import MissingDriverError
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.driver import (
    BaseDriver,
    Converter,
    Policy,
    Reads,
    Rows,
    Snapshot,
    answers_postgres,
    invalid_parameter,
    json_value,
    raw,
    refuse_unknown_parameters,
    refuse_unreadable,
    shut,
    storable,
    url_of,
)
from recce_meta.warehouses.postgres.connection import SSL_FILES, SYSTEM

if TYPE_CHECKING:
    from psycopg.abc import Loader
    from psycopg.adapt import AdaptersMap
    from sqlalchemy import Connection, Engine

CANCEL_SECONDS = 5.0
"""How long one cancel request may take; it uses a separate connection."""
CURSOR = "recce_meta"
"""Name of the server-side cursor of a stream."""
_FIRST = "recce_meta first statements"
"""Key in `Connection.info` of the statements to send first."""

_TYPE_NAMES = """
SELECT format_type(type_id, modifier)
FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY AS types (type_id, modifier, position)
ORDER BY position
"""

# Locks last until the end of the transaction, and also show what views and conditions read.
_EXAMINED = """
WITH held AS (
  SELECT relation FROM pg_locks
  WHERE pid = pg_backend_pid() AND locktype = 'relation'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT EXISTS (
    SELECT FROM held
    WHERE NOT EXISTS (
      SELECT FROM pg_class AS known
      WHERE known.oid = held.relation
        AND (known.relfilenode = 0 OR known.relfilenode = pg_relation_filenode(known.oid))
    )
  ),
  ARRAY(
    SELECT concat(n.nspname, '.', known.relname)
    FROM held JOIN pg_class AS known ON known.oid = held.relation
    JOIN pg_namespace AS n ON n.oid = known.relnamespace
    WHERE known.relrowsecurity AND row_security_active(known.oid)
  )
"""
_AS_TEXT = (
    *("json", "jsonb", "inet", "cidr", "record"),
    *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
    *("int4multirange", "int8multirange", "nummultirange"),
    *("datemultirange", "tsmultirange", "tstzmultirange"),
)
_BEYOND_PYTHON = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")
"""Types with values that Python cannot represent."""


class Driver(BaseDriver):
    """Driver on psycopg 3."""

    examines_transaction = True
    limits_in_server = True

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return SQLAlchemy's errors and psycopg's."""
        from psycopg import Error

        return (*super().error_types(), Error)

    def prepare(self, plan: ConnectionPlan) -> None:
        """Check that certificates and keys are readable: libpq silently skips some missing files."""
        given = {**plan.url.query, **plan.connect_args}
        refuse_unreadable({name: given[name] for name in SSL_FILES if given.get(name, SYSTEM) != SYSTEM})

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine of plain psycopg connections with our loaders."""
        try:
            import psycopg.pq  # fails early if it is missing
            from sqlalchemy.exc import ArgumentError
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "psycopg") from error
        dialect = _dialect()
        known = [option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()]
        refuse_unknown_parameters(plan, known, "libpq", {"ssl": "for TLS, use sslmode=require"})
        try:
            _, arguments = dialect.create_connect_args(url_of(plan))
        except (ArgumentError, ValueError) as error:
            raise invalid_parameter("psycopg", error) from error
        # Without autocommit, psycopg would send a BEGIN before every single query.
        arguments |= {**plan.connect_args, "context": _adapters(), "autocommit": True}
        return self.bare_engine(plan, dialect, lambda: _connect(arguments))

    def set_up(self, connection: Connection, statement: str) -> None:
        """Queue *statement*: all of them are sent with the first round trip."""
        connection.info.setdefault(_FIRST, []).append(statement)

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Send BEGIN if *atomic*; a single statement is a transaction anyway."""
        connection.begin()
        first = connection.info.get(_FIRST, [])
        if first:  # committed separately, so that a later rollback does not undo them
            first = ["BEGIN", *first, "COMMIT"]
        if sent := [*first, *(["BEGIN"] if atomic else [])]:
            # Without parameters, psycopg uses the simple protocol, which takes several statements at once.
            raw(connection).execute("; ".join(sent).encode())
        connection.info.pop(_FIRST, None)  # only after they ran: one of them may set a role with fewer rights

    def commit(self, connection: Connection) -> None:
        """Commit; raise if a statement has failed, because PostgreSQL then rolls back without an error."""
        from psycopg.errors import InFailedSqlTransaction
        from psycopg.pq import TransactionStatus

        if raw(connection).info.transaction_status == TransactionStatus.INERROR:
            raise InFailedSqlTransaction("the transaction is rolled back: one of its statements failed")
        connection.commit()

    def is_lost(self, connection: Connection) -> bool:
        """Return True once psycopg has noticed the end of the connection."""
        return connection.invalidated or raw(connection).closed

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters for JSON and arrays of JSON, which are loaded as text."""
        oids = _json_oids()
        places = enumerate(column.type_code for column in cursor.description or ())
        return {place: oids[oid] for place, oid in places if oid in oids}

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return no converters: JSON stays text, in arrays too."""
        return {}

    def open_cursor(self, connection: Connection, sql: str) -> Any:
        """Open a server-side cursor; parse *sql* separately first, so that errors have a position."""
        self._parse(connection, sql)
        cursor = raw(connection).cursor(CURSOR)
        cursor.execute(sql.encode())
        return cursor

    def fetch_all(self, cursor: Any) -> Rows:
        """Return all rows; read them again, more slowly, if Python cannot represent one of the values."""
        try:
            rows: Rows = cursor.fetchall()
        except _unreadable():
            return _read_leniently(cursor)
        return rows

    def fetch_some(self, cursor: Any, most: int) -> Rows:
        """Return the next rows."""
        try:
            rows: Rows = cursor.fetchmany(most)
        except _unreadable():
            return _read_leniently(cursor)
        return rows

    def cancel(self, connection: Connection) -> None:
        """Ask the server to stop the running statement."""
        raw(connection).cancel_safe(timeout=CANCEL_SECONDS)

    def answers(self, connection: Connection, seconds: float) -> bool:
        """Ask the server over a new TCP connection whether it supports TLS; a local socket cannot freeze."""
        info = raw(connection).info
        host = info.hostaddr or info.host
        # libpq takes a path, or an abstract name after @, for a local socket.
        return not host or host[0] in "/@" or answers_postgres(host, info.port, seconds)

    def disconnect(self, connection: Connection) -> None:
        """Close the connection on this side; psycopg notices its end."""
        shut(raw(connection).fileno())

    def take_snapshot(self, connection: Connection) -> Snapshot:
        """Export the snapshot, and keep it although the transaction does nothing else.

        Foreign tables are read in transactions of their own servers.

        https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
        """
        driver = raw(connection)
        driver.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        sql = "SELECT pg_export_snapshot(), NOT EXISTS (SELECT FROM pg_foreign_table)"
        ((name, is_whole),) = driver.execute(sql).fetchall()
        return Snapshot(str(name), is_whole)

    def read_snapshot(self, connection: Connection, name: str) -> None:
        """Begin a transaction with the snapshot; it must be the first statement."""
        from psycopg import sql

        text = "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT {}"
        driver = raw(connection)
        driver.execute(sql.SQL(text).format(sql.Literal(name)))

    def examine(self, connection: Connection, sql: str) -> Reads:
        """Compare the files of the locked relations in the snapshot's catalog with those of now.

        A table that was created or rewritten after the snapshot looks empty in it. Policies of a table below
        a view count even if the view's owner is exempt from them.
        https://www.postgresql.org/docs/current/mvcc-caveats.html
        """
        ((is_rebuilt, names),) = raw(connection).execute(_EXAMINED).fetchall()
        return Reads(is_rebuilt, tuple(Policy("row security", name) for name in names))

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set `statement_timeout` for the rest of the transaction; begin one if none is open."""
        from psycopg.pq import TransactionStatus

        driver = raw(connection)
        begin = b"BEGIN; " if driver.info.transaction_status == TransactionStatus.IDLE else b""
        # 0 would mean no limit.
        driver.execute(begin + b"SET LOCAL statement_timeout = %d" % max(1, round(seconds * 1000)))

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Parse *sql* on the server, and return its columns with full type names."""
        answer = self._parse(connection, sql)
        encoding = raw(connection).info.encoding
        fields = range(answer.nfields)
        types = [(answer.ftype(field), answer.fmod(field)) for field in fields]
        names = [(answer.fname(field) or b"").decode(encoding) for field in fields]
        cursor = raw(connection).execute(_TYPE_NAMES, [[oid for oid, _ in types], [mod for _, mod in types]])
        return list(zip(names, (name for (name,) in cursor.fetchall()), strict=True))

    def _parse(self, connection: Connection, sql: str) -> Any:
        """Prepare *sql* on the server and return the result that describes it.

        Other threads can run meanwhile, unlike during `PGconn.prepare`.
        """
        from psycopg import generators, pq
        from psycopg.errors import error_from_result

        driver = raw(connection)
        server, encoding = driver.pgconn, driver.info.encoding
        text = sql.encode(encoding)
        for send, arguments in ((server.send_prepare, (b"", text)), (server.send_describe_prepared, (b"",))):
            send(*arguments)
            answer = driver.wait(generators.execute(server))[-1]
            if answer.status != pq.ExecStatus.COMMAND_OK:
                raise error_from_result(answer, encoding)
        return answer

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Stream *rows* with COPY: one row is in memory at a time."""
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        with raw(connection).cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in storable(table, columns, rows):
                copy.write_row(row)


@cache
def _dialect() -> Any:
    """Return SQLAlchemy's dialect, which engines share because it stores nothing about a server."""
    import psycopg
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

    return PGDialect_psycopg(dbapi=psycopg)  # type: ignore[no-untyped-call]


def _unreadable() -> tuple[type[Exception], ...]:
    """Return the errors of psycopg for values that Python cannot represent or psycopg cannot parse."""
    from psycopg import DataError

    return (DataError, NotImplementedError, OverflowError, ValueError)


def _read_leniently(cursor: Any) -> Rows:
    """Return the rows that *cursor* fetched last, with text for values that Python cannot represent."""
    from psycopg.adapt import Transformer

    result = cursor.pgresult
    # Loaders stay registered with their cursor, so the slow ones get a cursor of their own.
    reader = cursor.connection.cursor()
    for name in _BEYOND_PYTHON:
        reader.adapters.register_loader(name, _lenient(name))
    values = Transformer(reader)
    values.set_pgresult(result)
    rows: Rows = values.load_rows(0, result.ntuples, tuple)
    return rows


@cache
def _lenient(name: str) -> type[Loader]:
    """Return psycopg's loader of the type *name*, changed to return text where it would raise."""
    from psycopg import adapters
    from psycopg.adapt import Loader as Base
    from psycopg.pq import Format

    strict: Any = adapters.get_loader(adapters.types[name].oid, Format.TEXT)

    class Lenient(Base):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = strict(oid, context)

        def load(self, data: Any) -> Any:
            try:
                return self._strict.load(data)
            except _unreadable():
                return bytes(data).decode()

    return Lenient


def _connect(arguments: Mapping[str, Any]) -> Any:
    """Return a new connection; raise ConfigurationError for a value that psycopg cannot read."""
    import psycopg

    try:
        return psycopg.connect(**arguments)
    except psycopg.ProgrammingError as error:
        raise invalid_parameter("psycopg", error) from error


@cache
def _adapters() -> AdaptersMap:
    """Return psycopg's adapters, changed to load some types as text."""
    from psycopg import adapters
    from psycopg.adapt import AdaptersMap
    from psycopg.types.string import TextLoader

    own = AdaptersMap(adapters)
    for name in _AS_TEXT:
        own.register_loader(name, TextLoader)
    return own


@cache
def _json_oids() -> Mapping[int, Converter]:
    """Return converters of JSON text by type OID."""
    from psycopg import adapters

    types = [adapters.types[name] for name in ("json", "jsonb")]
    return {each.oid: json_value for each in types} | {each.array_oid: _json_values for each in types}


def _json_values(texts: Any) -> Any:
    """Parse an array of JSON with any number of dimensions."""
    return [_json_values(text) if isinstance(text, list) else json_value(text) for text in texts]
