"""MySQL and MariaDB driver on PyMySQL: types from the wire protocol, and KILL QUERY to cancel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from inspect import signature
from typing import TYPE_CHECKING, Any

from recce_meta.errors import MissingDriverError
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.driver import (
    BaseDriver,
    Converter,
    Snapshot,
    invalid_parameter,
    json_value,
    keep_alive,
    raw,
    refuse_unknown_parameters,
    refuse_unreadable,
    shut,
    url_of,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html
_BINARY_CHARSET = 63
_UNSIGNED, _ENUM, _SET = 0x20, 0x100, 0x800
_INTEGERS = {1: "TINYINT", 2: "SMALLINT", 3: "INT", 8: "BIGINT", 9: "MEDIUMINT"}
_FLOATS = {4: "FLOAT", 5: "DOUBLE"}
_TIMES = {7: "TIMESTAMP", 11: "TIME", 12: "DATETIME"}
_PLAIN = {6: "NULL", 10: "DATE", 13: "YEAR", 245: "JSON", 255: "GEOMETRY"}
_LENGTHS = {7: 19, 11: 10, 12: 19}
"""Display length of times without a fraction."""
_FIXED_TEXT, _BIT, _DECIMALS = 254, 16, (0, 246)
_BLOBS = {255: "TINY", 65_535: "", 16_777_215: "MEDIUM"}
_TIME, _JSON = 11, 245
_DAY = timedelta(days=1)
CHARACTER_BYTES = 4
"""Bytes per character in utf8mb4, the connection's unit of lengths."""


_FILES = ("ssl_ca", "ssl_cert", "ssl_key")
_SSL = (*_FILES, "ssl_capath", "ssl_cipher", "ssl_check_hostname")
"""Parameters that SQLAlchemy takes from a URL for PyMySQL's `ssl`."""


class Driver(BaseDriver):
    """Driver on PyMySQL."""

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return SQLAlchemy's errors and PyMySQL's."""
        from pymysql import MySQLError

        return (*super().error_types(), MySQLError)

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine of plain PyMySQL connections."""
        try:
            import pymysql
            from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "pymysql") from error
        dialect = MySQLDialect_pymysql(dbapi=pymysql)
        names = signature(pymysql.connections.Connection.__init__).parameters
        hints = {name: "for TLS, use ssl_ca=FILE" for name in plan.url.query if "ssl" in name}
        refuse_unknown_parameters(plan, sorted({*names, *_SSL} - _NOT_TEXT), "PyMySQL", hints)
        refuse_unreadable({name: value for name, value in plan.url.query.items() if name in _FILES})
        try:
            _, arguments = dialect.create_connect_args(url_of(plan))
        except ValueError as error:
            raise invalid_parameter("PyMySQL", error) from error
        self._arguments = {**arguments, **plan.connect_args}
        charset = str(self._arguments["charset"])
        if pymysql.charset.charset_by_name(charset) is None:
            raise invalid_parameter("PyMySQL", f"unknown character set '{charset}'")
        return self.bare_engine(plan, dialect, self._connect)

    def _connect(self, seconds: float | None = None) -> Any:
        """Open a new connection; each answer during login may take *seconds*, or `connect_timeout`."""
        import pymysql

        limit = seconds or self._arguments.get("connect_timeout")
        login = {"read_timeout": limit, "write_timeout": limit, "connect_timeout": limit}
        try:
            connected: Any = pymysql.connect(**{**self._arguments, **login})
        except (LookupError, TypeError, ValueError) as error:
            raise invalid_parameter("PyMySQL", error) from error
        # Otherwise the limits of the login would apply to every statement.
        connected._read_timeout = self._arguments.get("read_timeout")
        connected._write_timeout = self._arguments.get("write_timeout")
        if not connected.unix_socket:
            keep_alive(connected._sock)
        return connected

    def answers(self, connection: Connection, seconds: float) -> bool:
        """Try a new login: the server blocks a host that often connects without logging in."""
        from pymysql import OperationalError

        if raw(connection).unix_socket:
            return True
        try:
            self._connect(seconds).close()
        except OperationalError as error:
            reason = getattr(error, "original_exception", None) or error.__context__
            return not isinstance(reason, TimeoutError)
        return True

    def disconnect(self, connection: Connection) -> None:
        """Close the connection on this side; PyMySQL notices its end."""
        driver = raw(connection)
        _forget_rows(driver._result)
        if driver._sock is not None:
            shut(driver._sock.fileno())

    def is_lost(self, connection: Connection) -> bool:
        """Return True once PyMySQL has noticed the end of the connection."""
        return connection.invalidated or not raw(connection).open

    def cancel(self, connection: Connection) -> None:
        """Send KILL QUERY through a separate connection."""
        thread = raw(connection).thread_id()
        with self._connect() as other, other.cursor() as cursor:
            cursor.execute(f"KILL QUERY {int(thread)}")

    def open_cursor(self, connection: Connection, sql: str) -> Any:
        """Return a cursor that reads rows from the socket on demand."""
        from pymysql.cursors import SSCursor

        cursor = raw(connection).cursor(SSCursor)
        cursor.execute(sql)
        return cursor

    def close_cursor(self, cursor: Any) -> None:
        """Read the remaining rows, unless the connection has ended."""
        if cursor.connection is not None and not cursor.connection.open:
            _forget_rows(cursor._result)
        super().close_cursor(cursor)

    def take_snapshot(self, connection: Connection) -> Snapshot:
        """Read from now on what InnoDB's tables have at this moment. A table rebuilt later is an error.

        https://mariadb.com/kb/en/start-transaction/, https://dev.mysql.com/doc/refman/8.0/en/commit.html
        """
        with raw(connection).cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            cursor.execute(_WITHOUT_SNAPSHOTS)
            ((is_whole,),) = cursor.fetchall()
            cursor.execute("SAVEPOINT recce_meta")
        return Snapshot(is_whole=bool(is_whole))

    def release_locks(self, connection: Connection) -> None:
        """Release the metadata locks of the tables read since the snapshot, as mysqldump does.

        Otherwise a table could not be rebuilt until the end, and its other readers would wait for that.
        """
        with raw(connection).cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT recce_meta")

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters for times of day and JSON."""
        found = {_TIME: _time_of_day, _JSON: json_value}
        codes = enumerate(column[1] for column in cursor.description)
        return {place: found[code] for place, code in codes if code in found}

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Run *sql* for no rows, and return its columns from the server's answer."""
        with raw(connection).cursor() as cursor:
            cursor.execute(f"SELECT * FROM (\n{sql}\n) AS recce_meta_q LIMIT 0")  # noqa: S608 - the user's own
            return [(field.name, _type_of(field)) for field in cursor._result.fields]


_WITHOUT_SNAPSHOTS = """
SELECT NOT EXISTS (
  SELECT 1 FROM information_schema.tables
  WHERE table_type = 'BASE TABLE' AND engine <> 'InnoDB'
    AND table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
)
"""

_NOT_TEXT = frozenset("self auth_plugin_map compress conv cursorclass defer_connect named_pipe ssl".split())
"""Arguments of PyMySQL that a URL cannot set: they are objects, or not supported."""


def _forget_rows(result: Any) -> None:
    """Keep PyMySQL from reading the rest of *result* when its cursor is closed: the connection has ended."""
    if result is not None:
        result.unbuffered_active = False


def _type_of(field: Any) -> str:
    """Return the type of a column in the syntax of CREATE TABLE."""
    code, flags = field.type_code, field.flags
    unsigned = " UNSIGNED" if flags & _UNSIGNED else ""
    if code in _INTEGERS:
        # TINYINT(1) is MySQL's BOOLEAN.
        is_flag = code == 1 and field.length == 1
        return f"{_INTEGERS[code]}{'(1)' if is_flag else ''}{unsigned}"
    if code in _DECIMALS:
        # The length includes the point and the sign.
        signs = (field.scale > 0) + (not flags & _UNSIGNED)
        return f"DECIMAL({field.length - signs},{field.scale}){unsigned}"
    if code in _FLOATS:
        return _FLOATS[code] + unsigned
    if code in _TIMES:
        digits = max(0, field.length - _LENGTHS[code] - 1)
        return f"{_TIMES[code]}({digits})" if digits else _TIMES[code]
    if code == _BIT:
        return f"BIT({field.length})"
    return _PLAIN.get(code) or _text_type(field)


def _text_type(field: Any) -> str:
    """Return the type of a string or binary column; the field's length is in bytes."""
    if field.flags & _ENUM:
        return "ENUM"
    if field.flags & _SET:
        return "SET"
    is_binary = field.charsetnr == _BINARY_CHARSET
    length = field.length if is_binary else field.length // CHARACTER_BYTES
    if field.type_code in range(249, 253):
        return _BLOBS.get(length, "LONG") + ("BLOB" if is_binary else "TEXT")
    name = ("" if field.type_code == _FIXED_TEXT else "VAR") + ("BINARY" if is_binary else "CHAR")
    return f"{name}({length})"


def _time_of_day(value: Any) -> Any:
    """Return *value*, a timedelta, as a time of day if it lies within one day."""

    if isinstance(value, timedelta) and timedelta() <= value < _DAY:
        return (datetime.min + value).time()
    return value
