"""Databricks through databricks-sql-connector: rows as Arrow, values bound by the server, inserts as MERGE.

There are no transactions. Each statement is atomic by itself, and every insert can be repeated: a MERGE by
the table's key, fed by one parameter that holds a JSON array of rows, because a statement takes 256
parameters at most (databricks-sqlalchemy #24) and `executemany` sends one statement for each row.
"""

from __future__ import annotations

import logging
import math
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from recce_meta.adapter.drivers.arrow_values import values_of
from recce_meta.adapter.drivers.base import (
    BaseDriver,
    Converter,
    Rows,
    bounded_batches,
    json_value,
    raw,
    storable,
)
from recce_meta.adapter.drivers.databricks_login import connect_arguments, refuse_unreachable, server_of
from recce_meta.adapter.drivers.json_rows import as_text
from recce_meta.errors import QueryCancelled, TransientFailure
from recce_meta.warehouses import ConnectionPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

Result = TypeVar("Result")

BATCH_CHARACTERS = 4_000_000
"""How much text one MERGE brings: a statement may hold 16 MiB in all."""
ATTEMPTS = 10
"""How often a MERGE is sent while other writers are in its way."""
LONGEST_PAUSE = 2.0
_ID_SECONDS = 10.0
"""How long stopping a statement waits for its id."""

_RUNNING, _CANCELLED, _LOST, _LIMITED = (
    f"recce_meta_{name}" for name in ("running", "cancelled", "lost", "limited")
)
_PARAMETER = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)")
_GONE = re.compile(r"Invalid SessionHandle|Session was closed|session is closed|SESSION_NOT_FOUND", re.I)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave, as the adapter takes it."""

    cursor: Any

    @property
    def returns_rows(self) -> bool:
        """Whether there are columns: DDL gives none."""
        return bool(self.cursor.description)

    def close(self) -> None:
        """Give up what the driver and the server hold of the result."""
        connection = self.cursor.connection
        self.cursor.close()
        if self.cursor in connection._cursors:  # the connector keeps every cursor, with its last result
            connection._cursors.remove(self.cursor)


class Driver(BaseDriver):
    """databricks-sql-connector, through databricks-sqlalchemy."""

    limits_in_server = True

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine for the plan's way to log in; the connector keeps its log to itself."""
        logging.getLogger("databricks").addHandler(logging.NullHandler())
        self.endpoint = server_of(plan)
        return self._create_engine(plan, {"connect_args": connect_arguments(plan)})

    def prepare(self, plan: ConnectionPlan) -> None:
        """Look whether anybody is there: the connector itself would try for a quarter of an hour.

        It must, for a warehouse that starts answers with 503 for minutes; nobody at all is another matter.
        """
        refuse_unreachable(plan)

    def error_types(self) -> tuple[type[Exception], ...]:
        """SQLAlchemy's errors, the connector's, and those of HTTP, which it lets through."""
        from databricks.sql.exc import Error
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        return (*super().error_types(), Error, HTTPError, RequestException)

    def is_lost(self, connection: Connection) -> bool:
        """Whether the session has ended, or the network has failed."""
        return connection.invalidated or bool(connection.info.get(_LOST)) or not raw(connection).open

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Nothing: each statement stands for itself."""

    def commit(self, connection: Connection) -> None:
        """Nothing but an end to the limit that was set."""
        self._unlimit(connection)

    def rollback(self, connection: Connection) -> None:
        """Nothing but an end to the limit that was set: what was done stays."""
        self._unlimit(connection)

    def send(self, connection: Connection, sql: str) -> Any:
        """Run *sql* of a user's, unchanged."""
        return self._run(connection, sql, {})

    def send_own(self, connection: Connection, sql: str, parameters: Mapping[str, object]) -> Any:
        """Run *sql* of ours: the server itself takes `:name` for a parameter."""
        named = set(_PARAMETER.findall(sql))
        given = {name: value for name, value in parameters.items() if name in named}
        return self._run(connection, sql.replace("\\:", ":"), given)

    def fetch_all(self, cursor: Any) -> Rows:
        """All rows, from Arrow by columns: in half the time of the connector's own way, through pandas."""
        return _rows(cursor.fetchall_arrow())

    def fetch_some(self, cursor: Any, most: int) -> Rows:
        """The next rows."""
        return _rows(cursor.fetchmany_arrow(most))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """VARIANT comes as JSON text; the rest is converted with its Arrow type."""
        columns = cursor.description or ()
        return {place: json_value for place, column in enumerate(columns) if column[1] == "variant"}

    def cancel(self, connection: Connection) -> None:
        """Stop the running statement; the connector lets another thread ask.

        A statement just sent has no id until the server has answered, which it does in a few seconds: it is
        waited for, or this request would be lost.
        """
        connection.info[_CANCELLED] = True
        cursor = connection.info.get(_RUNNING)
        deadline = time.monotonic() + _ID_SECONDS
        while (
            cursor is not None
            and cursor.active_command_id is None
            and connection.info.get(_RUNNING) is cursor
            and time.monotonic() < deadline
        ):
            time.sleep(0.05)
        if cursor is not None and cursor.active_command_id is not None:
            cursor.cancel()

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set STATEMENT_TIMEOUT, which a SQL warehouse keeps, and a cluster does not know."""
        # https://docs.databricks.com/en/sql/language-manual/parameters/statement_timeout.html
        self._run(connection, f"SET STATEMENT_TIMEOUT = {math.ceil(seconds)}", {}).close()
        connection.info[_LIMITED] = True

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """What Databricks says of the query, which is analysed and not run."""
        # https://docs.databricks.com/en/sql/language-manual/sql-ref-syntax-aux-describe-query.html
        answer = self._run(connection, f"DESCRIBE QUERY {sql}", {})
        rows = self.fetch_all(answer.cursor)
        answer.close()
        return [(str(row[0]), str(row[1])) for row in rows]

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Insert *rows* whose *key* is not there yet, a batch in each statement; all rows without *key*.

        A batch that another writer is in the way of is sent again.
        """
        places = [columns.index(name) for name in key]
        for batch in bounded_batches(storable(table, columns, rows), BATCH_CHARACTERS):
            some = list(_first_of_each(batch, places)) if key else batch
            sql = insert_statement(table, columns, some, key, self.warehouse.quote_identifier)
            values = {"rows": _json(some)}
            _repeated(
                lambda sql=sql, values=values: self._run(connection, sql, values).close(),  # type: ignore[misc]
                self._is_transient,
            )

    def _is_transient(self, error: Exception) -> bool:
        warehouse = self.warehouse
        return warehouse.error_class(warehouse.error_code(error), str(error)) is TransientFailure

    def _run(self, connection: Connection, sql: str, parameters: Mapping[str, object]) -> Answer:
        cursor = raw(connection).cursor()
        connection.info[_CANCELLED] = False
        connection.info[_RUNNING] = cursor
        try:
            cursor.execute(sql, dict(parameters) or None)
        except self.error_types() as error:
            Answer(cursor).close()
            if connection.info[_CANCELLED]:
                raise QueryCancelled("The statement was stopped", sql=sql) from error
            if _is_of_network(error) or _GONE.search(str(error)):
                connection.info[_LOST] = True
            raise
        finally:
            connection.info[_RUNNING] = None
        return Answer(cursor)

    def _unlimit(self, connection: Connection) -> None:
        if connection.info.pop(_LIMITED, False):
            own = (raw(connection).session.session_configuration or {}).get("STATEMENT_TIMEOUT")
            sql = "RESET STATEMENT_TIMEOUT" if own is None else f"SET STATEMENT_TIMEOUT = {int(own)}"
            self._run(connection, sql, {}).close()


def insert_statement(
    table: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    key: Sequence[str],
    quote: Callable[[str], str],
) -> str:
    """The statement that inserts *rows*, which its parameter `:rows` brings as JSON, all values as texts."""
    values = ", ".join(
        f"{_typed(place, (row[place] for row in rows))} AS {quote(name)}"
        for place, name in enumerate(columns)
    )
    source = f"SELECT {values} FROM (SELECT explode(from_json(:rows, 'array<array<string>>')) AS value)"  # noqa: S608
    names = ", ".join(map(quote, columns))
    if not key:
        return f"INSERT INTO {table} ({names}) {source}"
    same = " AND ".join(f"kept.{quote(name)} = new.{quote(name)}" for name in key)
    new = ", ".join(f"new.{quote(name)}" for name in columns)
    merge = f"MERGE INTO {table} AS kept USING ({source}) AS new ON {same}"
    return f"{merge} WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({new})"  # noqa: S608 - quoted names


def _typed(place: int, values: Iterable[object]) -> str:
    """The value at *place* of a row, in the type that the values there have."""
    found = {type(value) for value in values if value is not None}
    if not found:
        return "NULL"
    # A date with a time is an instant here: all of ours are.
    for kind, name in ((str, None), (float, "DOUBLE"), (int, "BIGINT"), (bool, "BOOLEAN")):
        if kind in found:
            return f"value[{place}]" if name is None else f"CAST(value[{place}] AS {name})"
    return f"CAST(value[{place}] AS TIMESTAMP)"


def _first_of_each(rows: Iterable[Sequence[object]], places: Sequence[int]) -> Iterator[Sequence[object]]:
    """*rows* without those whose values at *places* have come before: MERGE would insert them all."""
    seen = set()
    for row in rows:
        identity = tuple(row[place] for place in places)
        if identity not in seen:
            seen.add(identity)
            yield row


def _json(rows: Iterable[Sequence[object]]) -> str:
    from msgspec.json import encode

    return encode([[as_text(value, _moment) for value in row] for row in rows]).decode()


def _moment(value: datetime) -> str:
    return value.astimezone(timezone.utc).isoformat()


def _repeated(send: Callable[[], Result], is_transient: Callable[[Exception], bool]) -> Result:
    """What *send* gives, sent again while others are in its way."""
    from databricks.sql.exc import Error

    for attempt in range(1, ATTEMPTS):
        try:
            return send()
        except Error as error:
            if not is_transient(error):
                raise
        time.sleep(min(LONGEST_PAUSE, 0.05 * 2**attempt) * random.uniform(0.2, 1.0))
    return send()


def _rows(table: Any) -> Rows:
    columns = [values_of(column) for column in table.columns]
    return list(zip(*columns, strict=True))


def _is_of_network(error: Exception) -> bool:
    """Whether *error* is of HTTP and not of a server that answered."""
    return type(error).__module__.startswith(("urllib3", "requests"))
