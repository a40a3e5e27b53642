"""Redshift through redshift_connector: no transaction to read, many rows an insert, texts of any length."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from recce_meta.adapter.drivers.base import BaseDriver, Converter, json_value, plainly, raw, storable, url_of
from recce_meta.adapter.drivers.redshift_long import (
    TABLE,
    LongTexts,
    parts,
    restored,
    restored_json,
    super_expression,
)
from recce_meta.adapter.drivers.redshift_sql import (
    Batch,
    Row,
    batches_of,
    schema_read,
    type_name,
    with_split_lines,
)
from recce_meta.adapter.drivers.redshift_token import fetch_token
from recce_meta.adapter.drivers.sockets import answers_postgres, limit_unanswered, shut
from recce_meta.errors import MissingDriverError, RecceMetaError
from recce_meta.warehouses import ConnectionPlan, Warehouse
from recce_meta.warehouses.redshift import AUTOCOMMIT, TOKEN_ENDPOINT

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine

SUPER, VARBYTE, VARCHAR = 4000, 6551, 1043
"""Numbers of types: redshift_connector/utils/oids.py."""
AS_TEXT = 0
CURSOR = "recce_meta_rows"
FIRST_ROWS = 1000
"""What is fetched to learn the columns of a cursor on the server."""


class Driver(BaseDriver):
    """Amazon's own driver, below sqlalchemy-redshift's dialect."""

    limits_in_server = True

    def error_types(self) -> tuple[type[Exception], ...]:
        """SQLAlchemy's errors, the driver's, and those of the socket that it lets through."""
        from redshift_connector import Error

        return (*super().error_types(), Error, OSError, struct.error)

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse)
        self._autocommit = True
        self._session_id = 0
        self._is_limited = False
        self._schema: str | None = None
        """Where what our own SQL read last would have its long texts."""
        self._connect: Any = None

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine whose connections are the driver's own, which asks the server nothing by itself."""
        try:
            import redshift_connector
            from sqlalchemy_redshift.dialect import RedshiftDialect_redshift_connector
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "redshift_connector") from error
        dialect = RedshiftDialect_redshift_connector(dbapi=redshift_connector)
        _, arguments = dialect.create_connect_args(url_of(plan))
        arguments |= plan.connect_args
        self._autocommit = bool(arguments.pop(AUTOCOMMIT, True))
        endpoint = arguments.pop(TOKEN_ENDPOINT, None)

        def connect() -> Any:
            given = dict(arguments)
            if endpoint is not None:
                given |= {"credentials_provider": "IdpTokenAuthPlugin", "token_type": "EXT_JWT"}
                given["token"] = fetch_token(endpoint)
            return _connected(given)

        self._connect = connect
        return self.bare_engine(plan, dialect, connect)

    def configure(self, connection: Connection) -> None:
        """Take bytes as they are, and learn by which number the session is cancelled."""
        driver = raw(connection)
        driver.redshift_types[VARBYTE] = (AS_TEXT, _bytes)
        self._session_id = int(_tell(driver, "SELECT pg_backend_pid()").fetchone()[0])
        self._is_limited = False

    def set_up(self, connection: Connection, statement: str) -> None:
        """Without a transaction around it, which would cost two round trips."""
        _tell(raw(connection), statement)

    def is_lost(self, connection: Connection) -> bool:
        """The driver forgets its socket once it has been closed."""
        return connection.invalidated or raw(connection)._sock is None

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """A transaction where it must be atomic, or where the profile does without `autocommit`."""
        raw(connection).autocommit = self._autocommit and not atomic
        connection.begin()

    def commit(self, connection: Connection) -> None:
        """Keep what was done; of statements that stand for themselves nothing is left to keep."""
        if raw(connection).autocommit:
            connection.rollback()  # which sends nothing
        else:
            connection.commit()
        self._lift_limit(connection)

    def rollback(self, connection: Connection) -> None:
        """Undo what was done since `begin`, and lift the limit of the statement that failed."""
        connection.rollback()
        if not connection.invalidated:
            self._lift_limit(connection)

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set `statement_timeout`, until the next commit or roll-back.

        https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
        """
        with _watched(connection):
            _tell(raw(connection), f"SET statement_timeout TO {max(1, round(seconds * 1000))}")
        self._is_limited = True

    def _lift_limit(self, connection: Connection) -> None:
        if self._is_limited:
            self._is_limited = False
            with _watched(connection):
                _tell(raw(connection), "RESET statement_timeout")

    def cancel(self, connection: Connection) -> None:
        """Ask the server over a connection of its own: on a busy one it hears nothing."""
        other = self._connect()
        try:
            _tell(other, f"SELECT pg_cancel_backend({self._session_id:d})")
        finally:
            with suppress(*self.error_types()):
                other.close()

    def answers(self, connection: Connection, seconds: float) -> bool:
        """Ask the server, over a new TCP connection, whether it speaks TLS."""
        host, port = raw(connection)._usock.getpeername()[:2]
        return answers_postgres(host, port, seconds)

    def disconnect(self, connection: Connection) -> None:
        """End the connection on this side; the driver meets its end."""
        shut(raw(connection)._usock.fileno())

    def send(self, connection: Connection, sql: str) -> CursorResult[Any]:
        """Run *sql* of a user's, unchanged."""
        self._schema = None
        with _watched(connection):
            return super().send(connection, sql)

    def send_own(
        self, connection: Connection, sql: str, parameters: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run *sql* of ours; a list of lines that is too long for one parameter is sent in several."""
        self._schema = schema_read(sql)
        sql, given = with_split_lines(sql, parameters)
        with _watched(connection):
            return super().send_own(connection, sql, given)

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """SUPER comes as JSON text."""
        return {place: json_value for place, number in _types(cursor) if number == SUPER}

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Texts of ours that were too long for a column are put together again, also within JSON."""
        if self._schema is None:
            return {}
        find = partial(_long_text, cursor._c, self._schema, {})
        found: dict[int, Converter] = {}
        for place, number in _types(cursor):
            if number in (SUPER, VARCHAR):
                found[place] = partial(restored_json if number == SUPER else restored, whole_of=find)
        return found

    def open_cursor(self, connection: Connection, sql: str) -> Any:
        """A cursor on the server, which needs a transaction: the driver would take all rows at once."""
        raw(connection).autocommit = False
        self._schema = None
        with _watched(connection):
            plainly(connection, f"DECLARE {CURSOR} NO SCROLL CURSOR FOR {sql}")
            return _ServerCursor(raw(connection).cursor())

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """The columns of *sql*, run for no row: the driver cannot prepare a statement without running it."""
        with _watched(connection):
            wrapped = f"SELECT * FROM (\n{sql}\n) AS described WHERE 1 = 0"  # noqa: S608 - the user's own
            result = super().send(connection, wrapped)
            cursor = result.cursor
            names = [str(column[0]) for column in cursor.description]
            types = [type_name(entry["type_oid"], entry["type_modifier"]) for entry in cursor.ps["row_desc"]]
            result.close()
        return list(zip(names, types, strict=True))

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Send *rows* many at a time, as many as parameters and bytes allow."""
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        described = self.describe(connection, f"SELECT {names} FROM {table}")  # noqa: S608 - quoted
        as_sent = partial(_as_sent, [name == "super" for _, name in described])
        schema, _, table_name = table.rpartition(".")
        for batch in batches_of(storable(table, columns, rows), as_sent):
            with _watched(connection):
                if batch.long:
                    _keep_long_texts(raw(connection), f"{schema}.{TABLE}", table_name.strip('"'), batch.long)
                _insert(raw(connection), table, names, batch)


class _ServerCursor:
    """A cursor on the server as the driver's own cursors are used."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._rows = self._fetched(FIRST_ROWS)

    @property
    def description(self) -> Any:
        """The columns, as the DB-API has them."""
        return self._cursor.description

    def fetchmany(self, most: int) -> list[Any]:
        """The next rows, up to *most*."""
        while len(self._rows) < most and (more := self._fetched(most - len(self._rows))):
            self._rows += more
        rows, self._rows = self._rows[:most], self._rows[most:]
        return rows

    def close(self) -> None:
        """Forget the rows; the cursor on the server ends with its transaction."""
        self._rows = []
        self._cursor.close()

    def _fetched(self, count: int) -> list[Any]:
        self._cursor.execute(f"FETCH FORWARD {count:d} FROM {CURSOR}")
        return list(self._cursor.fetchall())


@contextmanager
def _watched(connection: Connection) -> Iterator[None]:
    """Within the block, a connection that may be out of step with the server is given up.

    Only what the server says leaves it in step. A value that cannot be decoded, or an end of the connection,
    leaves messages unread, which the next statement would take for its own answer.
    """
    try:
        yield
    except UnicodeEncodeError:
        raise  # before anything was sent
    except Exception as error:
        original = getattr(error, "orig", None) or error
        if not (original.args and isinstance(original.args[0], dict)):
            connection.invalidate()
        raise


def _connected(arguments: Mapping[str, Any]) -> Any:
    """A new connection of the driver's; what AWS's own library raises becomes an error of the driver's."""
    import redshift_connector

    try:
        driver = redshift_connector.connect(**arguments)
    except (redshift_connector.Error, OSError, struct.error, RecceMetaError):
        raise
    except Exception as error:
        raise redshift_connector.InterfaceError(f"{type(error).__name__}: {error}") from error
    # The time to connect would else be the longest that any statement may take.
    driver._usock.settimeout(None)
    limit_unanswered(driver._usock)
    return driver


def _tell(driver: Any, sql: str) -> Any:
    """Run *sql* by itself, within a transaction only where one is open."""
    was, driver.autocommit = driver.autocommit, True
    try:
        return _run(driver, sql, None)
    finally:
        driver.autocommit = was


def _run(driver: Any, sql: str, parameters: Sequence[object] | None) -> Any:
    """A cursor of the driver's after *sql*, whose parameters are question marks."""
    cursor = driver.cursor()
    cursor.paramstyle = "qmark"
    cursor.execute(sql, None if parameters is None else list(parameters))
    return cursor


def _types(cursor: Any) -> Iterator[tuple[int, int]]:
    """The place of each column and the number of its type."""
    return ((place, column[1]) for place, column in enumerate(cursor.description or ()))


def _bytes(data: bytes, offset: int, length: int) -> bytes:
    """VARBYTE, which comes as hexadecimal digits; the driver itself would take them for UTF-8."""
    return bytes.fromhex(bytes(data[offset : offset + length]).decode("ascii"))


def _as_sent(is_super: Sequence[bool], values: Sequence[object]) -> Row:
    """How one row is sent."""
    long = LongTexts()
    expressions: list[str] = []
    parameters: list[object] = []
    for value, as_super in zip(values, is_super, strict=True):
        if as_super and isinstance(value, str):
            expression, own = super_expression(value, long)
            expressions.append(expression)
            parameters += own
        else:
            expressions.append("?")
            parameters.append(long.cut(value) if isinstance(value, str) else value)
    return Row(f"({', '.join(expressions)})", parameters, long.whole, str(values[0]))


def _keep_long_texts(driver: Any, table: str, of: str, texts: Sequence[tuple[str, str, str]]) -> None:
    """Write what was cut of rows of the table *of*, a few parts in each statement."""
    rows = (
        (of, name, digest, number, part)
        for name, digest, text in texts
        for number, part in enumerate(parts(text))
    )
    for batch in batches_of(rows, lambda values: Row("(?, ?, ?, ?, ?)", list(values), {}, "")):
        _insert(driver, table, "table_name, row_name, text_id, number, part", batch)


def _insert(driver: Any, table: str, names: str, batch: Batch) -> None:
    values = ", ".join(batch.expressions)
    sql = f"INSERT INTO {table} ({names}) VALUES {values}"  # noqa: S608 - quoted, and question marks
    _run(driver, sql, batch.parameters)


def _long_text(driver: Any, schema: str, known: dict[str, str | None], digest: str) -> str | None:
    """The text with this hash; None where there is none, and the mark is a text's own."""
    if digest not in known:
        table = f"{schema}.{TABLE}"
        asked = f"SELECT DISTINCT number, part FROM {table} WHERE text_id = ? ORDER BY number"  # noqa: S608
        rows = _run(driver, asked, [digest]).fetchall()
        known[digest] = "".join(row[1] for row in rows) if rows else None
    return known[digest]
