"""Snowflake through snowflake-connector-python 4 or 5: server-side parameters, and rows in batches of JSON.

Nothing is sent that was not asked for: SQLAlchemy's own questions at the first connection, and its COMMIT and
ROLLBACK after statements that commit themselves, are switched off, for each is a round trip of some 50 ms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recce_meta.adapter.drivers.base import (
    PARAMETER,
    BaseDriver,
    Converter,
    json_value,
    plainly,
    raw,
    storable,
)
from recce_meta.adapter.drivers.json_rows import arrays, as_text
from recce_meta.adapter.drivers.snowflake_login import connect_arguments
from recce_meta.errors import MissingDriverError
from recce_meta.warehouses import ConnectionPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine

BATCH_BYTES = 4 * 1024 * 1024
"""How much JSON one INSERT brings. A VARIANT holds 16 MB on every account, 128 MB on new ones; statements and
their parameters should have 1 MB at most, packed, and code can be packed more than fourfold.

https://docs.snowflake.com/en/user-guide/query-size-limits
"""

_LIMIT = "recce_meta_statement_seconds"
_IN_TRANSACTION = "recce_meta_in_transaction"
_NAMED = re.compile(PARAMETER.pattern + r"|\\(:)")
"""A parameter, or a colon that is none."""

# Snowflake's types by the numbers of the Python connector's `description`.
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
    """snowflake-connector-python."""

    limits_in_server = True

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine that sends what it is given and no more, connected with more than a URL can hold."""
        from sqlalchemy import event

        try:
            from snowflake import connector
            from snowflake.sqlalchemy.snowdialect import SnowflakeDialect
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "snowflake") from error
        arguments = connect_arguments(plan, int(connector.__version__.partition(".")[0]))
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
        """SQLAlchemy's errors and the connector's."""
        from snowflake.connector.errors import Error

        return (*super().error_types(), Error)

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """A transaction where it must be *atomic*; otherwise each statement commits itself."""
        if atomic:
            plainly(connection, "BEGIN TRANSACTION")
        connection.info[_IN_TRANSACTION] = atomic

    def commit(self, connection: Connection) -> None:
        """Keep what was done since `begin`."""
        self._end(connection, "COMMIT")

    def rollback(self, connection: Connection) -> None:
        """Undo what was done since `begin`."""
        self._end(connection, "ROLLBACK")

    def send(self, connection: Connection, sql: str) -> CursorResult[Any]:
        """Run *sql* of a user's, with the limit that was set for it."""
        return plainly(connection, sql, **{_LIMIT: connection.info.pop(_LIMIT, None)})

    def send_own(
        self, connection: Connection, sql: str, parameters: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run *sql* of ours: `:name` becomes a parameter of the server's."""
        values: list[object] = []

        def place(found: re.Match[str]) -> str:
            if found[2]:
                return ":"
            values.append(_bound(parameters[found[1]]))
            return "?"

        text = _NAMED.sub(place, sql)
        if not values:
            return plainly(connection, text)
        return connection.exec_driver_sql(text, tuple(values))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Semi-structured values come as JSON, binary as whatever the connector's version gives."""
        found: dict[int, Converter] = {}
        for place, column in enumerate(cursor.description):
            if column[1] in _PARSED:
                found[place] = json_value
            elif column[1] == _BINARY:
                found[place] = _bytes
        return found

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """The next statement brings STATEMENT_TIMEOUT_IN_SECONDS with it, and none after it has a limit."""
        connection.info[_LIMIT] = max(1, math.ceil(seconds))

    def cancel(self, connection: Connection) -> None:
        """Stop everything that the session runs, from a session of its own, as dbt does.

        https://docs.snowflake.com/en/sql-reference/functions/system_cancel_all_queries
        """
        session = int(raw(connection).session_id)
        with connection.engine.connect() as other:
            plainly(other, f"SELECT SYSTEM$CANCEL_ALL_QUERIES({session})")

    def is_lost(self, connection: Connection) -> bool:
        """Also a session that was closed, or was idle for too long, as far as the driver knows by itself."""
        if super().is_lost(connection):
            return True
        session = raw(connection)
        return bool(session.is_closed()) or bool(getattr(session, "expired", False))

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """What Snowflake says of the statement, which is compiled and not run."""
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
        """Send *rows* as arrays of texts in JSON, one parameter a statement, which the server takes apart.

        Texts are cast by the statement itself, so that no number and no time passes through JSON's types.
        """
        names = [self.warehouse.quote_identifier(self.warehouse.folded(name)) for name in columns]
        sql = None
        for batch in json_batches(storable(table, columns, rows), BATCH_BYTES):
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
            plainly(connection, statement).close()
        connection.rollback()  # of SQLAlchemy's own book-keeping alone: see `_nothing`


def _nothing(_: object) -> None:
    """What SQLAlchemy does to end a transaction: `commit` and `rollback` say when one is to end."""


def _execute(cursor: Any, statement: str, context: Any) -> bool:
    """Run *statement* with the limit that it brings; says that nothing is left to do."""
    limit = context.execution_options.get(_LIMIT)
    parameters = None if limit is None else {"STATEMENT_TIMEOUT_IN_SECONDS": limit}
    cursor.execute(statement, _statement_params=parameters)
    return True


def json_batches(rows: Iterable[Sequence[object]], most: int) -> Iterator[bytes]:
    """*rows* as JSON arrays of arrays of texts, of up to *most* bytes; more only where one row has more."""
    from msgspec.json import Encoder

    encode = Encoder().encode
    lines = (encode([as_text(value, _moment) for value in row]) for row in rows)
    return arrays(((line, len(line)) for line in lines), most)


def _moment(value: datetime) -> str:
    return value.isoformat(sep=" ", timespec="microseconds")


def _bound(value: object) -> object:
    """*value* as a parameter; points in time as texts, which keep their zone in every version."""
    return _moment(value) if isinstance(value, datetime) else value


def _value(place: int, kind: str) -> str:
    """The expression for a column of type *kind* from the element at *place* of one row."""
    text = f"CAST(batch.value[{place}] AS VARCHAR)"
    if kind in ("VARIANT", "OBJECT", "ARRAY"):
        return f"PARSE_JSON({text})"
    return text if kind.startswith("VARCHAR") else f"CAST({text} AS {kind})"


def _type_name(column: Any) -> str:
    """A type as SQL writes it, from one column of a `description`."""
    code, precision, scale = column[1], column[4], column[5]
    name = _NAMES.get(code, "VARCHAR")
    if code == _FIXED:
        return f"{name}({38 if precision is None else precision}, {scale or 0})"
    if code in _WITH_FRACTION and scale is not None:
        return f"{name}({scale})"
    return name


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value
