"""MySQL and MariaDB through PyMySQL: types as the protocol tells them, and KILL QUERY to stop a statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from inspect import signature
from typing import TYPE_CHECKING, Any

from recce_meta.adapter.drivers.base import BaseDriver, Converter, json_value, raw, url_of
from recce_meta.adapter.drivers.key_files import refuse_unreadable
from recce_meta.adapter.drivers.sockets import keep_alive, shut
from recce_meta.errors import ConfigurationError, MissingDriverError, did_you_mean
from recce_meta.warehouses import ConnectionPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html
_BINARY_CHARSET = 63
_UNSIGNED, _ENUM, _SET = 0x20, 0x100, 0x800
_NO_SCALE = 31
_INTEGERS = {1: "TINYINT", 2: "SMALLINT", 3: "INT", 8: "BIGINT", 9: "MEDIUMINT"}
_FLOATS = {4: "FLOAT", 5: "DOUBLE"}
_TIMES = {7: "TIMESTAMP", 11: "TIME", 12: "DATETIME"}
_PLAIN = {6: "NULL", 10: "DATE", 13: "YEAR", 245: "JSON", 255: "GEOMETRY"}
_LENGTHS = {7: 19, 11: 10, 12: 19}
"""Characters of a time without a fraction."""
_FIXED_TEXT, _BIT, _DECIMALS = 254, 16, (0, 246)
_BLOBS = {255: "TINY", 65_535: "", 16_777_215: "MEDIUM"}
_TIMESTAMP, _TIME, _JSON = 7, 11, 245
_DAY = timedelta(days=1)
CHARACTER_BYTES = 4
"""Of one character in utf8mb4, in which the connection has lengths."""


_FILES = ("ssl_ca", "ssl_cert", "ssl_key")
_SSL = (*_FILES, "ssl_capath", "ssl_cipher", "ssl_check_hostname")
"""What SQLAlchemy takes out of a URL for PyMySQL's `ssl`."""


class Driver(BaseDriver):
    """PyMySQL."""

    def error_types(self) -> tuple[type[Exception], ...]:
        """SQLAlchemy's errors and PyMySQL's."""
        from pymysql import MySQLError

        return (*super().error_types(), MySQLError)

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine whose connections are PyMySQL's own."""
        try:
            import pymysql
            from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "pymysql") from error
        dialect = MySQLDialect_pymysql(dbapi=pymysql)
        _refuse_unknown(plan, signature(pymysql.connections.Connection.__init__).parameters)
        refuse_unreadable({name: value for name, value in plan.url.query.items() if name in _FILES})
        try:
            _, arguments = dialect.create_connect_args(url_of(plan))
        except ValueError as error:
            raise _unusable(error) from error
        self._arguments = {**arguments, **plan.connect_args}
        charset = str(self._arguments["charset"])
        if pymysql.charset.charset_by_name(charset) is None:
            raise _unusable(f"no character set is called '{charset}'")
        return self.bare_engine(plan, dialect, self._connect)

    def _connect(self, seconds: float | None = None) -> Any:
        """A new connection. Every answer of the login has *seconds*, or those of `connect_timeout`."""
        import pymysql

        limit = seconds or self._arguments.get("connect_timeout")
        login = {"read_timeout": limit, "write_timeout": limit, "connect_timeout": limit}
        try:
            connected: Any = pymysql.connect(**{**self._arguments, **login})
        except (LookupError, TypeError, ValueError) as error:
            raise _unusable(error) from error
        # The limits of the login would else be those of every statement.
        connected._read_timeout = self._arguments.get("read_timeout")
        connected._write_timeout = self._arguments.get("write_timeout")
        if not connected.unix_socket:
            keep_alive(connected._sock)
        return connected

    def answers(self, connection: Connection, seconds: float) -> bool:
        """Log in anew: the server blocks a host that connects often and does not log in."""
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
        """End the connection on this side; PyMySQL meets its end."""
        driver = raw(connection)
        _forget_rows(driver._result)
        if driver._sock is not None:
            shut(driver._sock.fileno())

    def is_lost(self, connection: Connection) -> bool:
        """PyMySQL closes its socket once it has met the end of the connection."""
        return connection.invalidated or not raw(connection).open

    def cancel(self, connection: Connection) -> None:
        """KILL QUERY, from a connection of its own."""
        thread = raw(connection).thread_id()
        with self._connect() as other, other.cursor() as cursor:
            cursor.execute(f"KILL QUERY {int(thread)}")

    def open_cursor(self, connection: Connection, sql: str) -> Any:
        """A cursor that reads rows from the socket as they are wanted."""
        from pymysql.cursors import SSCursor

        cursor = raw(connection).cursor(SSCursor)
        cursor.execute(sql)
        return cursor

    def close_cursor(self, cursor: Any) -> None:
        """Read the remaining rows, unless the connection has ended."""
        if cursor.connection is not None and not cursor.connection.open:
            _forget_rows(cursor._result)
        super().close_cursor(cursor)

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Moments with a zone, times of a day, and parsed JSON, where PyMySQL gives something else."""
        found = {_TIMESTAMP: _in_utc, _TIME: _time_of_day, _JSON: json_value}
        codes = enumerate(column[1] for column in cursor.description)
        return {place: found[code] for place, code in codes if code in found}

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """What the server says of the columns of the query, which gives no row."""
        with raw(connection).cursor() as cursor:
            cursor.execute(f"SELECT * FROM (\n{sql}\n) AS recce_meta_q LIMIT 0")  # noqa: S608 - the user's own
            return [(field.name, _type_of(field)) for field in cursor._result.fields]


_NOT_TEXT = frozenset("self auth_plugin_map compress conv cursorclass defer_connect named_pipe ssl".split())
"""Arguments of PyMySQL that a URL cannot give: they are objects, or not supported."""


def _refuse_unknown(plan: ConnectionPlan, known: Iterable[str]) -> None:
    """Raise ConfigurationError for a parameter of the URL that PyMySQL does not know."""
    names = sorted({*known, *_SSL} - _NOT_TEXT)
    for name in plan.url.query:
        if name not in names:
            raise ConfigurationError(
                f"Unknown parameter '{name}' in the URL: PyMySQL reads no such text",
                hint="for TLS: ssl_ca=FILE" if "ssl" in name else did_you_mean(name, names),
            )


def _forget_rows(result: Any) -> None:
    """Let PyMySQL read no more rows of *result* when its cursor is closed: the connection has ended."""
    if result is not None:
        result.unbuffered_active = False


def _unusable(error: object) -> ConfigurationError:
    return ConfigurationError(
        f"PyMySQL cannot use a parameter of the URL: {error}", hint="check what stands behind the ? in it"
    )


def _type_of(field: Any) -> str:
    """The type of a column as CREATE TABLE would have it."""
    code, flags = field.type_code, field.flags
    unsigned = " UNSIGNED" if flags & _UNSIGNED else ""
    if code in _INTEGERS:
        is_flag = code == 1 and field.length == 1
        return f"{_INTEGERS[code]}{'(1)' if is_flag else ''}{unsigned}"
    if code in _DECIMALS:
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
    """A text's or a binary's: its length is in bytes."""
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


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value


def _time_of_day(value: Any) -> Any:
    """*value*, a length of time, as the time of a day, where it is within one."""
    if isinstance(value, timedelta) and timedelta() <= value < _DAY:
        return (datetime.min + value).time()
    return value
