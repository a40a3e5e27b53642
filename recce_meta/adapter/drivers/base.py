"""What the adapter asks of a driver beyond SQLAlchemy: to prepare, cancel, limit, and load in bulk.

A warehouse needs a file in this package only where its driver can do better than these defaults; the file
has the warehouse's name and a class `Driver`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from recce_meta.adapter.drivers.sockets import answers_http
from recce_meta.errors import MissingDriverError, WarehouseError, quoted
from recce_meta.warehouses import ConnectionPlan, Warehouse

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult, Engine

Converter = Callable[[Any], Any]
Rows = list[tuple[Any, ...]]

PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""A parameter of our own SQL, as SQLAlchemy's `text` sees it: a backslash stands before any other colon."""

ROWS_PER_STATEMENT = 500
BATCH_CHARACTERS = 16_000_000
"""How much text is held and sent at once, whatever a table's rows come to."""


class BaseDriver:
    """SQLAlchemy's own ways, for every warehouse that has nothing faster."""

    endpoint: str | None = None
    limits_in_server = False
    """Whether `limit_statement` makes the server stop a statement by itself."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine that holds nothing back: what is closed releases its locks at once."""
        return self._create_engine(plan, {"connect_args": dict(plan.connect_args)})

    def _create_engine(self, plan: ConnectionPlan, arguments: Mapping[str, object]) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import NoSuchModuleError
        from sqlalchemy.pool import NullPool

        everything: dict[str, Any] = {
            "poolclass": NullPool,
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
        """An engine of SQLAlchemy's *dialect* around *connect*, which asks the server nothing by itself.

        `create_engine` would send several statements over each new connection, and we use no answer to them.
        """
        from sqlalchemy import Engine
        from sqlalchemy.pool import NullPool

        return Engine(NullPool(connect, dialect=dialect), dialect, url_of(plan), hide_parameters=True)

    def error_types(self) -> tuple[type[Exception], ...]:
        """What is raised when the database refuses or fails: SQLAlchemy's errors, and the driver's own."""
        from sqlalchemy.exc import SQLAlchemyError

        return (SQLAlchemyError,)

    def prepare(self, plan: ConnectionPlan) -> None:
        """Do what must precede a connection: for a server, nothing."""

    def configure(self, connection: Connection) -> None:
        """Adjust a new connection through the driver's own interface."""

    def set_up(self, connection: Connection, statement: str) -> None:
        """Run *statement*, one of the plan's, on a new connection; a commit follows the last one."""
        plainly(connection, statement)

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Begin what ends with `commit` or `rollback`.

        Where it need not be *atomic*, a warehouse whose transactions cost something may let each statement
        stand for itself.
        """
        connection.begin()

    def commit(self, connection: Connection) -> None:
        """Keep what was done since `begin`."""
        connection.commit()

    def rollback(self, connection: Connection) -> None:
        """Undo what was done since `begin`, where the warehouse can."""
        connection.rollback()

    def region(self, connection: Connection) -> str | None:
        """Where statements run that name no data, where a warehouse has several such places."""
        return None

    def send(self, connection: Connection, sql: str) -> CursorResult[Any]:
        """Run *sql* of a user's, unchanged: nothing in it is taken for a parameter."""
        return plainly(connection, sql)

    def send_own(
        self, connection: Connection, sql: str, parameters: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run *sql* of ours, with `:name` for parameters and a backslash before any other colon."""
        from sqlalchemy import text

        return connection.execute(text(sql), dict(parameters))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """What makes a value of ours of the driver's, by the column's place, where they differ.

        *cursor* is the driver's, after a statement that gives rows. A column of JSON text has `json_value`.
        A column that needs nothing has no entry, and costs nothing.
        """
        return {}

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Like `converters`, where JSON is wanted as text: for our own SQL, and for data diffs."""
        found = self.converters(cursor).items()
        return {place: converter for place, converter in found if converter is not json_value}

    def open_cursor(self, connection: Connection, sql: str) -> Any:
        """A cursor of the driver's, from which `fetch_some` takes the rows of the query *sql*.

        Neither this process nor the driver may hold all rows at once, wherever the driver allows that.
        """
        return self.send(connection, sql).cursor

    def close_cursor(self, cursor: Any) -> None:
        """Leave what `open_cursor` gave, whether all its rows were fetched or not."""
        cursor.close()

    def fetch_all(self, cursor: Any) -> Rows:
        """All rows that *cursor* has."""
        return _tuples(cursor.fetchall())

    def fetch_some(self, cursor: Any, most: int) -> Rows:
        """The next rows that *cursor* has, up to *most*; none where there are no more."""
        return _tuples(cursor.fetchmany(most))

    def is_lost(self, connection: Connection) -> bool:
        """Whether nothing can be sent on *connection* any more, told without sending anything."""
        return connection.invalidated

    def cancel(self, connection: Connection) -> None:
        """Stop what runs on *connection*; called from another thread, harmless when nothing runs."""
        raise NotImplementedError(f"A statement cannot be cancelled on {self.warehouse.name}")

    def answers(self, connection: Connection, seconds: float) -> bool:
        """Return False if the server does not answer a new connection within *seconds*.

        Called from another thread while *connection* waits. Drivers that ask over HTTP name an `endpoint`:
        their own limits, with all repetitions of a request, come to a quarter of an hour.
        """
        return self.endpoint is None or answers_http(self.endpoint, seconds)

    def disconnect(self, connection: Connection) -> None:
        """End *connection* from another thread, without a word to the server, if the driver can."""

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Tell the server to stop any statement of the transaction that begins now after *seconds*."""

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """The name and type, as the warehouse writes it, of each column that the SELECT *sql* gives."""
        raise NotImplementedError(f"A statement cannot be described on {self.warehouse.name}")

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Insert *rows* into *table*, which is SQL text, within what `begin` began.

        A warehouse without transactions leaves out rows whose *key*, the names of some columns, is there.
        """
        from sqlalchemy import insert
        from sqlalchemy.sql import column, quoted_name
        from sqlalchemy.sql import table as table_clause

        target = table_clause(quoted_name(table, quote=False), *(column(name) for name in columns))
        for batch in batches(storable(table, columns, rows), ROWS_PER_STATEMENT):
            connection.execute(insert(target), [dict(zip(columns, row, strict=True)) for row in batch])


def plainly(connection: Connection, sql: str, **options: object) -> CursorResult[Any]:
    """Run *sql* as it stands: nothing in it is taken for a parameter. Events are given *options*."""
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True, **options})


def json_value(text: Any) -> Any:
    """The value that JSON *text* writes; the text itself where Python cannot hold it.

    >>> json_value('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    """
    if not isinstance(text, (str, bytes, bytearray)):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # integers of thousands of digits, arrays in a thousand arrays
        return text


def _tuples(rows: Sequence[Any]) -> Rows:
    """*rows* as a list of tuples; nothing is copied where they are."""
    if isinstance(rows, list) and (not rows or type(rows[0]) is tuple):
        return rows
    return [tuple(row) for row in rows]


def url_of(plan: ConnectionPlan) -> URL:
    """The URL of *plan* as SQLAlchemy has it."""
    from sqlalchemy import URL

    url = plan.url
    return URL.create(
        url.scheme, url.username, url.password, url.host, url.port, url.database, dict(url.query)
    )


def raw(connection: Connection) -> Any:
    """The driver's own connection below *connection*."""
    return connection.connection.driver_connection


def storable(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[Sequence[object]]:
    """*rows*, up to one that holds the NUL character."""
    for row in rows:
        refuse_nul(table, columns, row)
        yield row


def refuse_nul(table: str, columns: Sequence[str], row: Sequence[object]) -> None:
    """Raise WarehouseError where *row* holds the NUL character, which PostgreSQL and others cannot store."""
    for name, value in zip(columns, row, strict=True):
        if type(value) is str and "\0" in value:
            raise WarehouseError(
                f"A text for column '{name}' of {table} holds the NUL character (U+0000)",
                hint=f"remove it at its source; the row begins with {quoted(str(row[0])[:80])}",
            )


def batches(rows: Iterable[Sequence[object]], size: int) -> Iterator[list[Sequence[object]]]:
    """*rows* in lists of at most *size*."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def bounded_batches(rows: Iterable[Sequence[object]], characters: int) -> Iterator[list[Sequence[object]]]:
    """*rows* in lists whose texts come to about *characters*: more only where a single row does."""
    batch: list[Sequence[object]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += 16 * len(row)
        for value in row:
            if type(value) is str:
                size += len(value)
        if size >= characters:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
