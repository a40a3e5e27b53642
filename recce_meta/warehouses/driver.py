"""Driver interface on top of SQLAlchemy: prepare, cancel, limit, describe and bulk insert.

A warehouse's folder has a module `driver` with one class `Driver` if the warehouse can do better than these
defaults. Helpers of several drivers are here too: rows as JSON arrays, TCP options, and checks of key files.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recce_meta.errors import (
    ConfigurationError,
    ConnectionFailed,
    MissingDriverError,
    ProfileError,
    WarehouseError,
    did_you_mean,
    quoted,
)
from recce_meta.warehouses import ConnectionPlan, Warehouse, warehouse_named, warehouse_of_adapter
from recce_meta.warehouses.registry import class_at_reference

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult, Engine

    from recce_meta.warehouses.binding import Binder


def refuse_unreadable(files: Mapping[str, object]) -> None:
    """Raise ProfileError for the first unreadable file of *files*, which maps field names to paths."""
    for field, value in files.items():
        path = Path(str(value)).expanduser()
        try:
            with path.open("rb"):
                continue
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ProfileError(
                f"Cannot read the file of '{field}': {path} ({reason})",
                hint="use a file that this user can read; relative paths start at the dbt project",
            ) from error


def refuse_special(file: Path) -> None:
    """Raise ConnectionFailed if *file* is a pipe, device or folder: opening a pipe may never end."""
    if file.exists() and not file.is_file():
        raise ConnectionFailed(f"Not a database file: '{file}'", hint="check the path in the URL or profile")


def in_utc(value: Any) -> Any:
    """Return *value* in UTC if it is a datetime with a time zone, else unchanged."""
    has_zone = isinstance(value, datetime) and value.tzinfo is not None
    return value.astimezone(timezone.utc) if has_zone else value


def refuse_unknown_parameters(
    plan: ConnectionPlan, known: Sequence[str], library: str, tls_hints: Mapping[str, str]
) -> None:
    """Raise ConfigurationError for a parameter of the URL that *library* does not know.

    *tls_hints* replace the nearest name as the hint, by parameter.
    """
    for name in plan.url.query:
        if name not in known:
            raise ConfigurationError(
                f"Unknown parameter '{name}' in the URL: not a parameter of {library}",
                hint=tls_hints.get(name) or did_you_mean(name, known),
            )


def invalid_parameter(library: str, error: object) -> ConfigurationError:
    """Return the error for a parameter of the URL whose value *library* rejects."""
    return ConfigurationError(
        f"{library} cannot use a parameter of the URL: {error}", hint="check what follows the ? in the URL"
    )


def as_text(value: object, moment: Callable[[datetime], str]) -> str | None:
    """Return *value* as a string that CAST reads in every warehouse; *moment* formats timestamps."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment(value)
    return repr(value) if isinstance(value, float) else str(value)


def arrays(lines: Iterable[tuple[bytes, int]], most: int) -> Iterator[bytes]:
    """Yield JSON arrays of *lines*, pairs of text and length, up to *most* long unless one line is longer."""
    pieces: list[bytes] = []
    size = 0
    for line, length in lines:
        if pieces and size + length > most:
            yield b"[" + b",".join(pieces) + b"]"
            pieces, size = [], 0
        pieces.append(line)
        size += length + 1
    if pieces:
        yield b"[" + b",".join(pieces) + b"]"


KEEPALIVE_IDLE = 30
KEEPALIVE_INTERVAL = 10
KEEPALIVE_COUNT = 3
USER_TIMEOUT = 60
"""Seconds, except for the count of probes. A connection ends at most a minute after its peer is gone.

The kernel of a busy server answers the probes, however long a statement runs.
"""

# https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest, the shortest message
# that every server answers before login.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def keep_alive(connected: socket.socket) -> None:
    """Set keep-alive and the user timeout on *connected*, if the system supports them."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    limit_unanswered(connected)
    for names, value in (
        (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), KEEPALIVE_IDLE),  # the second name is for macOS
        (("TCP_KEEPINTVL",), KEEPALIVE_INTERVAL),
        (("TCP_KEEPCNT",), KEEPALIVE_COUNT),
    ):
        option = next((getattr(socket, name) for name in names if hasattr(socket, name)), None)
        if option is not None:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


def limit_unanswered(connected: socket.socket) -> None:
    """Set the time after which unacknowledged data ends *connected*."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT * 1000)


def answers_postgres(host: str, port: int, seconds: float) -> bool:
    """Return False if the PostgreSQL server at *host* is silent for *seconds*.

    A refusal counts as an answer: the network works.
    """
    try:
        with socket.create_connection((host, port), timeout=seconds) as connected:
            connected.sendall(_SSL_REQUEST)
            connected.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def answers_http(url: str, seconds: float) -> bool:
    """Return False if the server at *url* is silent for *seconds*, or cannot be reached.

    A refusal or any TLS message counts as an answer. Returns True behind a proxy, which would answer instead.
    """
    import ssl  # together with urllib.request, 30 ms that most commands can do without
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    place = urlsplit(url)
    host = place.hostname or ""
    if place.scheme in getproxies() and not proxy_bypass(host):
        return True
    is_tls = place.scheme == "https"
    try:
        with socket.create_connection((host, place.port or (443 if is_tls else 80)), seconds) as connected:
            if not is_tls:
                connected.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
                connected.recv(1)
                return True
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent
            context.wrap_socket(connected, server_hostname=host).close()
    except (ConnectionError, ssl.SSLError):
        return True
    except OSError:  # a timeout, or no way to the host
        return False
    return True


def shut(descriptor: int) -> None:
    """Shut the connection of *descriptor* down in both directions, which wakes a thread waiting for data."""
    try:
        # Python's socket closes its descriptor, and the driver still needs its own.
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the connection has already ended


Converter = Callable[[Any], Any]
Rows = list[tuple[Any, ...]]

PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""Parameter of our own SQL, in the syntax of SQLAlchemy's `text`: a backslash escapes any other colon."""

ROWS_PER_STATEMENT = 500
BATCH_CHARACTERS = 16_000_000
"""Number of characters that are held in memory and sent in one batch."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The moment that a transaction sees."""

    name: str | None = None
    """Name for other connections; None if the warehouse has no such names."""
    is_whole: bool = True
    """False if some tables are not part of it, such as foreign tables."""


class Policy(NamedTuple):
    """Policy of a warehouse that hides rows or values of *relation* from some roles."""

    kind: str
    """Its name in the warehouse's documentation: `row security`."""
    relation: str
    """Name without quotes: `sales.orders`."""
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Reads:
    """Relations that a query read."""

    is_rebuilt: bool = False
    """True if a relation is newer than the snapshot of the transaction."""
    policies: tuple[Policy, ...] = ()
    """Policies that hide rows or values from the role."""


class BaseDriver:
    """Default driver: plain SQLAlchemy, for warehouses that have nothing faster."""

    endpoint: str | None = None
    examines_transaction = False
    """True if `examine` needs the transaction of the query."""
    limits_in_server = False
    """True if `limit_statement` makes the server stop a statement by itself."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine without a pool: a closed connection releases its locks immediately."""
        return self._create_engine(plan, {"connect_args": dict(plan.connect_args)})

    def syntax_error(self, sql: str) -> str | None:
        """Return why the warehouse cannot parse *sql*, without running it; None if it can, or is unknown.

        By default, only semicolons in the query of a node are known to be wrong.
        """
        if ";" not in sql or sql.split(maxsplit=2)[1] not in self.warehouse.bracketed_queries:
            return None
        from sqlglot import TokenType
        from sqlglot.dialects.dialect import Dialect
        from sqlglot.errors import SqlglotError

        try:
            tokens = Dialect.get_or_raise(self.warehouse.dialect).tokenize(sql)
        except SqlglotError:
            return None
        lines = [token.line for token in tokens if token.token_type is TokenType.SEMICOLON]
        said = "a semicolon ends the query, which dbt puts into parentheses"
        return f"{said}\nLINE {lines[0]}:" if lines else None

    def binder(self) -> Binder | None:
        """Return a new binder of the warehouse's SQL, which needs no connection; None if there is none."""
        return None

    def file_state(self, plan: ConnectionPlan) -> Hashable | None:
        """Return a value that changes when a process changes the database file; None without a file."""
        return None

    def copy_file(self, plan: ConnectionPlan, folder: str) -> ConnectionPlan:
        """Return *plan* for a copy of the database file in *folder*, made while no process writes.

        Raises StoreLocked if a process is writing.
        """
        raise NotImplementedError

    def link_file(self, plan: ConnectionPlan, folder: str) -> ConnectionPlan:
        """Return *plan*, of a private copy that does not change, for another name of the file in *folder*."""
        raise NotImplementedError

    def _create_engine(self, plan: ConnectionPlan, arguments: Mapping[str, object]) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import NoSuchModuleError
        from sqlalchemy.pool import NullPool

        everything: dict[str, Any] = {
            "poolclass": NullPool,
            # Messages of errors would otherwise quote parameters, which may be values of tables.
            "hide_parameters": True,
            **plan.engine_args,
            **arguments,
        }
        try:
            return create_engine(url_of(plan), **everything)
        except (ImportError, NoSuchModuleError) as error:
            missing = getattr(error, "name", None) or plan.url.scheme
            raise MissingDriverError(self.warehouse.name, missing) from error

    def bare_engine(self, plan: ConnectionPlan, dialect: Any, connect: Callable[[], Any]) -> Engine:
        """Return an engine of *dialect* around *connect* that sends no statements by itself.

        SQLAlchemy's `create_engine` would send several statements over each new connection, which we do not
        need.
        """
        from sqlalchemy import Engine
        from sqlalchemy.pool import NullPool

        return Engine(NullPool(connect, dialect=dialect), dialect, url_of(plan), hide_parameters=True)

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return the errors raised when the database refuses or fails: SQLAlchemy's and the driver's."""
        from sqlalchemy.exc import SQLAlchemyError

        return (SQLAlchemyError,)

    def prepare(self, plan: ConnectionPlan) -> None:
        """Prepare for a connection; by default, do nothing."""

    def configure(self, connection: Connection) -> None:
        """Adjust a new connection through the driver's own interface."""

    def set_up(self, connection: Connection, statement: str) -> None:
        """Run *statement*, one of the plan's, on a new connection; a commit follows the last one."""
        execute_unchanged(connection, statement)

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Begin a unit of work that ends with `commit` or `rollback`.

        If it need not be *atomic*, a warehouse with expensive transactions may commit each statement by
        itself.
        """
        connection.begin()

    def commit(self, connection: Connection) -> None:
        """Commit the changes since `begin`."""
        connection.commit()

    def rollback(self, connection: Connection) -> None:
        """Undo the changes since `begin`, if the warehouse can."""
        connection.rollback()

    def region(self, connection: Connection) -> str | None:
        """Return the region of statements that reference no data, if the warehouse has several regions."""
        return None

    def send(self, connection: Connection, sql: str) -> CursorResult[Any]:
        """Run a user's *sql* unchanged: nothing in it is a parameter."""
        return execute_unchanged(connection, sql)

    def send_own(
        self, connection: Connection, sql: str, parameters: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run our own *sql*, with `:name` for parameters and a backslash before any other colon."""
        from sqlalchemy import text

        return connection.execute(text(sql), dict(parameters))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return functions that convert the driver's values to ours, by column position.

        *cursor* is the driver's cursor of a statement with rows. A column of JSON text has `json_value`. A
        column that needs no conversion has no entry.
        """
        return {}

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return `converters` that leave JSON as text, for our own SQL and for data diffs."""
        found = self.converters(cursor).items()
        return {place: converter for place, converter in found if converter is not json_value}

    def open_cursor(self, connection: Connection, sql: str) -> Any:
        """Run the query *sql* and return the driver's cursor for `fetch_some`.

        If the driver allows it, neither the driver nor this process holds all rows in memory.
        """
        return self.send(connection, sql).cursor

    def close_cursor(self, cursor: Any) -> None:
        """Close the cursor of `open_cursor`, even if rows remain."""
        cursor.close()

    def fetch_all(self, cursor: Any) -> Rows:
        """Return all rows of *cursor*."""
        return _tuples(cursor.fetchall())

    def fetch_some(self, cursor: Any, most: int) -> Rows:
        """Return up to *most* further rows of *cursor*; an empty list at the end."""
        return _tuples(cursor.fetchmany(most))

    def is_lost(self, connection: Connection) -> bool:
        """Return True if *connection* is known to be unusable, without sending anything."""
        return connection.invalidated

    def cancel(self, connection: Connection) -> None:
        """Stop the statement of *connection*; called from another thread, harmless when nothing runs."""
        raise NotImplementedError(f"Cancelling statements is not supported on {self.warehouse.name}")

    def answers(self, connection: Connection, seconds: float) -> bool:
        """Return False if the server does not answer a new connection within *seconds*.

        Called from another thread while *connection* waits. Drivers that use HTTP set an `endpoint`, because
        their own timeouts add up to 15 minutes with retries.
        """
        return self.endpoint is None or answers_http(self.endpoint, seconds)

    def disconnect(self, connection: Connection) -> None:
        """Close *connection* from another thread without contacting the server, if the driver can."""

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Limit each statement of the transaction that begins now to *seconds* on the server."""

    def take_snapshot(self, connection: Connection) -> Snapshot | None:
        """Make the open transaction see one moment; return None if that is not possible or harms others."""
        return None

    def read_snapshot(self, connection: Connection, name: str) -> None:
        """See in the transaction that begins now the snapshot called *name*."""
        raise NotImplementedError(f"{self.warehouse.name} has no names of snapshots")

    def release_locks(self, connection: Connection) -> None:
        """Let others change what the transaction of `take_snapshot` has read, and keep its moment."""

    def reflecting(self, connection: Connection) -> Connection:
        """Return *connection*, which is in a transaction, for SQLAlchemy's inspector."""
        # The dialect of an engine that SQLAlchemy did not create does not know the server yet.
        if getattr(connection.dialect, "server_version_info", None) is None:
            connection.dialect.initialize(connection)
        return connection

    def examine(self, connection: Connection, sql: str) -> Reads:
        """Return what *sql*, the query that the open transaction has just run, read."""
        return Reads()

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Return the name and the warehouse's type of each column of the query *sql*."""
        raise NotImplementedError(f"Describing a query is not supported on {self.warehouse.name}")

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Insert *rows* into *table*, which is SQL text, after `begin`.

        A warehouse without transactions skips rows whose *key* columns match an existing row.
        """
        from sqlalchemy import insert
        from sqlalchemy.sql import column, quoted_name
        from sqlalchemy.sql import table as table_clause

        # *table* is SQL already, so quoting it again would change the name.
        target = table_clause(quoted_name(table, quote=False), *(column(name) for name in columns))
        for batch in batches(storable(table, columns, rows), ROWS_PER_STATEMENT):
            connection.execute(insert(target), [dict(zip(columns, row, strict=True)) for row in batch])


def execute_unchanged(connection: Connection, sql: str, **options: object) -> CursorResult[Any]:
    """Run *sql* unchanged: nothing in it is a parameter. *options* are passed to SQLAlchemy's events."""
    # With an empty list of parameters, drivers would still interpret % signs.
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True, **options})


def json_value(text: Any) -> Any:
    """Return the value of JSON *text*; the text itself if Python cannot represent it.

    >>> json_value('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    """
    if not isinstance(text, (str, bytes, bytearray)):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # integers of thousands of digits, arrays nested a thousand deep
        return text


def _tuples(rows: Sequence[Any]) -> Rows:
    """Return *rows* as a list of tuples; the same list if it already is one."""
    if isinstance(rows, list) and (not rows or type(rows[0]) is tuple):
        return rows
    return [tuple(row) for row in rows]


def converted(rows: Rows, converters: Mapping[int, Converter]) -> Rows:
    """Return *rows* with some columns converted; the same list if there are no *converters*."""
    if not converters:
        return rows
    changed = []
    for row in rows:
        values = list(row)
        for place, convert in converters.items():
            if values[place] is not None:
                values[place] = convert(values[place])
        changed.append(tuple(values))
    return changed


def url_of(plan: ConnectionPlan) -> URL:
    """Return the URL of *plan* as a SQLAlchemy URL."""
    from sqlalchemy import URL

    url = plan.url
    return URL.create(
        url.scheme, url.username, url.password, url.host, url.port, url.database, dict(url.query)
    )


def raw(connection: Connection) -> Any:
    """Return the driver's own connection below *connection*."""
    return connection.connection.driver_connection


def storable(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[Sequence[object]]:
    """Yield *rows*; raise WarehouseError at a row that contains the NUL character."""
    for row in rows:
        refuse_nul(table, columns, row)
        yield row


def refuse_nul(table: str, columns: Sequence[str], row: Sequence[object]) -> None:
    """Raise WarehouseError if *row* contains the NUL character, which PostgreSQL and others cannot store."""
    for name, value in zip(columns, row, strict=True):
        if type(value) is str and "\0" in value:
            raise WarehouseError(
                f"Invalid string for column '{name}' of {table}: it contains the NUL character (U+0000)",
                hint=f"remove it at its source; the row begins with {quoted(str(row[0])[:80])}",
            )


def batches(rows: Iterable[Sequence[object]], size: int) -> Iterator[list[Sequence[object]]]:
    """Yield *rows* in lists of at most *size*."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def bounded_batches(rows: Iterable[Sequence[object]], characters: int) -> Iterator[list[Sequence[object]]]:
    """Yield *rows* in lists of about *characters* in all; more only if a single row is longer."""

    batch: list[Sequence[object]] = []
    size = 0
    for row in rows:
        batch.append(row)
        # An allowance for numbers, quotes and separators, so that rows without strings count as well.
        size += 16 * len(row)
        for value in row:
            if type(value) is str:
                size += len(value)
        if size >= characters:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def parser_of(adapter_type: str | None) -> Callable[[str], str | None]:
    """Return `syntax_error` of the warehouse of a dbt adapter."""
    warehouse = warehouse_of_adapter(adapter_type)
    return (BaseDriver(Warehouse()) if warehouse is None else driver_for(warehouse)).syntax_error


def binder_of(adapter_type: str | None) -> Binder | None:
    """Return a binder for the SQL of a dbt adapter: its warehouse's own, else DuckDB's for translated SQL."""
    warehouse = warehouse_of_adapter(adapter_type)
    own = None if warehouse is None else driver_for(warehouse).binder()
    return own or driver_for(warehouse_named("duckdb")).binder()


def driver_for(warehouse: Warehouse) -> BaseDriver:
    """Return the driver of *warehouse*: its module here, the class of its plugin, or the defaults."""
    own = class_at_reference("driver", warehouse.driver or warehouse.name, BaseDriver)
    return (own or BaseDriver)(warehouse)
