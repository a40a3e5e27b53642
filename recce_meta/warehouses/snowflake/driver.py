"""Snowflake driver on snowflake-connector-python 4 or 5: server-side parameters, and rows in batches of JSON.

It sends no extra statements. SQLAlchemy's queries at the first connection, and its COMMIT and ROLLBACK after
statements that commit themselves, are turned off: each is a round trip of about 50 ms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recce_meta.errors import MissingDriverError
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.driver import (
    PARAMETER,
    BaseDriver,
    Converter,
    arrays,
    as_text,
    execute_unchanged,
    json_value,
    raw,
    storable,
)
from recce_meta.warehouses.snowflake.login import connect_arguments

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine

BATCH_BYTES = 4 * 1024 * 1024
"""Bytes of JSON in one INSERT. A VARIANT holds 16 MB on every account, and 128 MB on new accounts. Statements
with parameters should have at most 1 MB compressed, and code compresses more than fourfold.

https://docs.snowflake.com/en/user-guide/query-size-limits
"""

_LIMIT = "recce_meta_statement_seconds"
_IN_TRANSACTION = "recce_meta_in_transaction"
_NAMED = re.compile(PARAMETER.pattern + r"|\\(:)")
"""Parameter, or escaped colon."""

# Snowflake's types by type code in the Python connector's `description`.
# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#label-python-connector-type-codes
_FIXED, _TEXT, _BINARY = 0, 2, 11
_PARSED = frozenset({5, 9, 10, 16, 17})  # VARIANT, OBJECT, ARRAY, VECTOR, MAP
_NAMES = {
    0: "NUMBER",
    1: "FLOAT",
    2: "VARCHAR",
    3: "DATE",
    4: "TIMESTAMP_NTZ",
    5: "VARIANT",
    6: "TIMESTAMP_LTZ",
    7: "TIMESTAMP_TZ",
    8: "TIMESTAMP_NTZ",
    9: "OBJECT",
    10: "ARRAY",
    11: "BINARY",
    12: "TIME",
    13: "BOOLEAN",
    14: "GEOGRAPHY",
    15: "GEOMETRY",
    16: "VECTOR",
    17: "MAP",
    18: "FILE",
    19: "INTERVAL YEAR TO MONTH",
    20: "INTERVAL DAY TO SECOND",
}
_WITH_FRACTION = frozenset({4, 6, 7, 8, 12})


class Driver(BaseDriver):
    """Driver on snowflake-connector-python."""

    limits_in_server = True

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine that sends no extra statements, with arguments that a URL cannot hold."""
        from sqlalchemy import event

        try:
            from snowflake import connector
            from snowflake.sqlalchemy.snowdialect import SnowflakeDialect
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "snowflake") from error
        arguments = connect_arguments(plan, int(connector.__version__.partition(".")[0]))
        # A proxy would answer even if Snowflake does not.
        if not arguments.get("proxy_host"):
            host = arguments.get("host") or f"{arguments.get('account')}.snowflakecomputing.com"
            self.endpoint = f"{arguments.get('protocol') or 'https'}://{host}:{arguments.get('port') or 443}"
        dialect = SnowflakeDialect(dbapi=connector)
        for name in ("do_commit", "do_rollback"):
            setattr(dialect, name, _nothing)
        engine = self.bare_engine(plan, dialect, lambda: connector.connect(**arguments))
        event.listen(engine, "do_execute_no_params", _execute)
        return engine

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return SQLAlchemy's errors and the connector's."""
        from snowflake.connector.errors import Error

        return (*super().error_types(), Error)

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Begin a transaction if *atomic*; otherwise each statement commits itself."""
        if atomic:
            execute_unchanged(connection, "BEGIN TRANSACTION")
        connection.info[_IN_TRANSACTION] = atomic

    def commit(self, connection: Connection) -> None:
        """Commit the changes since `begin`."""
        self._end(connection, "COMMIT")

    def rollback(self, connection: Connection) -> None:
        """Undo the changes since `begin`."""
        self._end(connection, "ROLLBACK")

    def send(self, connection: Connection, sql: str) -> CursorResult[Any]:
        """Run a user's *sql* with the limit set by `limit_statement`."""
        return execute_unchanged(connection, sql, **{_LIMIT: connection.info.pop(_LIMIT, None)})

    def send_own(
        self, connection: Connection, sql: str, parameters: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run our own *sql*: `:name` becomes a server-side parameter."""
        values: list[object] = []

        def place(found: re.Match[str]) -> str:
            if found[2]:
                return ":"
            values.append(_bound(parameters[found[1]]))
            return "?"

        text = _NAMED.sub(place, sql)
        if not values:
            return execute_unchanged(connection, text)
        return connection.exec_driver_sql(text, tuple(values))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters for JSON of semi-structured types, and for binary values."""
        found: dict[int, Converter] = {}
        for place, column in enumerate(cursor.description):
            if column[1] in _PARSED:
                found[place] = json_value
            elif column[1] == _BINARY:
                found[place] = _bytes
        return found

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set STATEMENT_TIMEOUT_IN_SECONDS for the next statement only."""
        # 0 would mean the longest limit, seven days.
        connection.info[_LIMIT] = max(1, math.ceil(seconds))

    def cancel(self, connection: Connection) -> None:
        """Cancel all queries of the session from a separate session, like dbt.

        https://docs.snowflake.com/en/sql-reference/functions/system_cancel_all_queries
        """
        session = int(raw(connection).session_id)
        with connection.engine.connect() as other:
            execute_unchanged(other, f"SELECT SYSTEM$CANCEL_ALL_QUERIES({session})")

    def is_lost(self, connection: Connection) -> bool:
        """Return True if the connection is invalid, or its session is known to be closed or expired."""
        if super().is_lost(connection):
            return True
        session = raw(connection)
        return bool(session.is_closed()) or bool(getattr(session, "expired", False))

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Return the columns of the query, which Snowflake compiles without running it."""
        with raw(connection).cursor() as cursor:
            return [(str(column[0]), _type_name(column)) for column in cursor.describe(sql)]

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Insert *rows* as JSON arrays of strings, one parameter per statement, which the server flattens.

        The statement casts the strings, so numbers and times never pass through JSON's types.
        """
        names = [self.warehouse.quote_identifier(self.warehouse.folded(name)) for name in columns]
        sql = None
        for batch in json_batches(storable(table, columns, rows), BATCH_BYTES):
            # Described only once there is a row, because it is a round trip.
            sql = sql or self._insert_statement(connection, table, names)
            connection.exec_driver_sql(sql, (batch.decode(),)).close()

    def _insert_statement(self, connection: Connection, table: str, names: Sequence[str]) -> str:
        listed = ", ".join(names)
        types = self.describe(connection, f"SELECT {listed} FROM {table}")  # noqa: S608 - quoted
        values = ", ".join(_value(place, kind) for place, (_, kind) in enumerate(types))
        return (
            f"INSERT INTO {table} ({listed}) SELECT {values}"  # noqa: S608 - quoted
            " FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS batch"
        )

    def _end(self, connection: Connection, statement: str) -> None:
        connection.info.pop(_LIMIT, None)
        if connection.info.pop(_IN_TRANSACTION, False):
            execute_unchanged(connection, statement).close()
        connection.rollback()  # only ends SQLAlchemy's own transaction state: see `_nothing`


def _nothing(_: object) -> None:
    """Replace SQLAlchemy's COMMIT and ROLLBACK: the driver's `commit` and `rollback` send them."""


def _execute(cursor: Any, statement: str, context: Any) -> bool:
    """Run *statement* with its limit; return True so that SQLAlchemy does not run it again."""
    limit = context.execution_options.get(_LIMIT)
    parameters = None if limit is None else {"STATEMENT_TIMEOUT_IN_SECONDS": limit}
    cursor.execute(statement, _statement_params=parameters)
    return True


def json_batches(rows: Iterable[Sequence[object]], most: int) -> Iterator[bytes]:
    """Yield *rows* as JSON arrays of arrays of strings, up to *most* bytes long unless one row is longer."""
    from msgspec.json import Encoder

    encode = Encoder().encode
    lines = (encode([as_text(value, _moment) for value in row]) for row in rows)
    return arrays(((line, len(line)) for line in lines), most)


def _moment(value: datetime) -> str:
    return value.isoformat(sep=" ", timespec="microseconds")


def _bound(value: object) -> object:
    """Return *value* as a parameter; datetimes as strings, which preserve the zone in every version."""
    return _moment(value) if isinstance(value, datetime) else value


def _value(place: int, kind: str) -> str:
    """Return SQL for a column of type *kind* from the element at position *place* of a row."""
    text = f"CAST(batch.value[{place}] AS VARCHAR)"
    if kind in ("VARIANT", "OBJECT", "ARRAY"):
        return f"PARSE_JSON({text})"
    return text if kind.startswith("VARCHAR") else f"CAST({text} AS {kind})"


def _type_name(column: Any) -> str:
    """Return the SQL type for one column of a `description`."""
    code, precision, scale = column[1], column[4], column[5]
    name = _NAMES.get(code, "VARCHAR")
    if code == _FIXED:
        return f"{name}({38 if precision is None else precision}, {scale or 0})"
    if code in _WITH_FRACTION and scale is not None:
        return f"{name}({scale})"
    return name


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value
