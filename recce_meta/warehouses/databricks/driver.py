"""Databricks driver on databricks-sql-connector: rows as Arrow, server-side parameters, inserts as MERGE.

There are no transactions. Each statement is atomic, and every insert can be repeated because it is a MERGE by
the table's key. Its rows come from one parameter with a JSON array, because a statement takes at most 256
parameters (databricks-sqlalchemy #24) and `executemany` sends one statement per row. The login is a token, or
databricks-sdk's. Arrow maps become dicts and timestamps are in UTC, at any nesting depth.
"""

from __future__ import annotations

import logging
import math
import random
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from recce_meta.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    QueryCancelled,
    TransientFailure,
)
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.databricks.connection import SDK_LOGINS
from recce_meta.warehouses.driver import (
    BaseDriver,
    Converter,
    Rows,
    as_text,
    bounded_batches,
    in_utc,
    json_value,
    raw,
    storable,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

REACH_SECONDS = 10.0
HTTP_PORT, HTTPS_PORT = 80, 443

Headers = Callable[[], dict[str, str]]


def refuse_unreachable(plan: ConnectionPlan) -> None:
    """Raise ConnectionFailed if the plan's host cannot be resolved or does not listen.

    Behind a proxy, nothing is tried: only the proxy could detect this.
    """
    if getproxies():
        return
    uri = urlsplit(server_of(plan))
    try:
        socket.create_connection((uri.hostname or "", uri.port or 0), timeout=REACH_SECONDS).close()
    except OSError as error:
        raise ConnectionFailed(
            f"Cannot reach {uri.netloc}: {error}",
            hint="check 'host' in the profile; recce-meta doctor shows the settings in use",
            code=type(error).__name__,
        ) from error


def server_of(plan: ConnectionPlan) -> str:
    """Return the scheme, host and port of the plan's server as a URL."""
    arguments = plan.connect_args
    uri = urlsplit(str(arguments.get("_connection_uri") or f"https://{plan.url.host}"))
    port = uri.port or arguments.get("_port") or (HTTP_PORT if uri.scheme == "http" else HTTPS_PORT)
    return f"{uri.scheme}://{uri.hostname}:{port}"


def connect_arguments(plan: ConnectionPlan) -> dict[str, object]:
    """Return the connector's arguments: the plan's, with a credentials provider if they have no token."""
    arguments = dict(plan.connect_args)
    logins: Any = arguments.pop(SDK_LOGINS, ())
    if logins:
        arguments["credentials_provider"] = _provider(logins)
    return arguments


def _provider(logins: tuple[Mapping[str, object], ...]) -> Callable[[], Headers]:
    """Return a provider of the connector's HTTP headers, which requests a token on first use."""
    try:
        from databricks.sdk.core import Config
    except ImportError:
        raise ConfigurationError(
            f"Package databricks-sdk, needed to log in with '{logins[0]['auth_type']}', is not installed",
            hint="pip install databricks-sdk",
        ) from None
    return lambda: _headers(Config, logins)


def _headers(config: Any, logins: tuple[Mapping[str, object], ...]) -> Headers:
    """Return the headers of the first login that the server accepts."""
    refused = []
    for login in logins:
        try:
            headers: Headers = config(**_known(config, login)).authenticate
            # The token is requested now, so that a refused login falls through to the next one.
            headers()
        except (ValueError, OSError) as error:  # all errors of the SDK are one of these
            refused.append(f"{login['auth_type']}: {error}")
        else:
            return headers
    raise AuthenticationFailed("; ".join(refused), hint="check client_id and secret, and the host")


def _known(config: Any, login: Mapping[str, object]) -> dict[str, object]:
    """Return *login* without `workspace_id` if this version of the SDK does not support it."""
    if "workspace_id" in login and not hasattr(config, "workspace_id"):
        return {name: value for name, value in login.items() if name != "workspace_id"}
    return dict(login)


ArrowConverter = Callable[[Any], Any]


def values_of(column: Any) -> list[Any]:
    """Return the values of a pyarrow column or chunked column."""
    values: list[Any] = column.to_pylist()
    convert = _converter(column.type)
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def _converter(kind: Any) -> ArrowConverter | None:
    """Return the function that converts pyarrow's values of type *kind* to ours; None if they are equal."""
    from pyarrow import types

    if types.is_timestamp(kind):
        return None if kind.tz is None else in_utc
    if types.is_map(kind):
        return _of_map(_converter(kind.key_type), _converter(kind.item_type))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _of_list(_converter(kind.value_type))
    if types.is_struct(kind):
        fields = {kind.field(place).name: _converter(kind.field(place).type) for place in range(len(kind))}
        return _of_struct({name: convert for name, convert in fields.items() if convert is not None})
    return None


def _of_map(key: ArrowConverter | None, item: ArrowConverter | None) -> ArrowConverter:
    return lambda pairs: {_maybe(key, name): _maybe(item, value) for name, value in pairs}


def _of_list(item: ArrowConverter | None) -> ArrowConverter | None:
    return item and (lambda values: [_maybe(item, value) for value in values])


def _of_struct(fields: dict[str, ArrowConverter]) -> ArrowConverter | None:
    if not fields:
        return None
    return lambda struct: {name: _maybe(fields.get(name), value) for name, value in struct.items()}


def _maybe(convert: ArrowConverter | None, value: Any) -> Any:
    return value if convert is None or value is None else convert(value)


Result = TypeVar("Result")

BATCH_CHARACTERS = 4_000_000
"""Characters in one MERGE; the limit for a statement is 16 MiB."""
ATTEMPTS = 10
"""How often a MERGE is sent if it conflicts with other writers."""
LONGEST_PAUSE = 2.0
_ID_SECONDS = 10.0
"""How long cancelling waits for the statement's id."""

_RUNNING, _CANCELLED, _LOST, _LIMITED = (
    f"recce_meta_{name}" for name in ("running", "cancelled", "lost", "limited")
)
_PARAMETER = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)")
_GONE = re.compile(r"Invalid SessionHandle|Session was closed|session is closed|SESSION_NOT_FOUND", re.I)


@dataclass(frozen=True, slots=True)
class Answer:
    """Result of a statement, with the interface that the adapter expects."""

    cursor: Any

    @property
    def returns_rows(self) -> bool:
        """True if the result has columns; DDL returns none."""
        return bool(self.cursor.description)

    def close(self) -> None:
        """Release the result in the driver and on the server."""
        connection = self.cursor.connection
        self.cursor.close()
        if self.cursor in connection._cursors:  # the connector would hold every cursor with its last result
            connection._cursors.remove(self.cursor)


class Driver(BaseDriver):
    """Driver on databricks-sql-connector, with databricks-sqlalchemy."""

    limits_in_server = True

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine with the plan's login method, and silence the connector's log."""
        logging.getLogger("databricks").addHandler(logging.NullHandler())
        self.endpoint = server_of(plan)
        return self._create_engine(plan, {"connect_args": connect_arguments(plan)})

    def prepare(self, plan: ConnectionPlan) -> None:
        """Raise ConnectionFailed if the server is unreachable: the connector would retry for 15 minutes.

        The connector retries because a starting warehouse answers with 503 for minutes.
        """
        refuse_unreachable(plan)

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return SQLAlchemy's errors, the connector's, and the HTTP errors that it does not catch."""
        from databricks.sql.exc import Error
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        return (*super().error_types(), Error, HTTPError, RequestException)

    def is_lost(self, connection: Connection) -> bool:
        """Return True if the session has ended or the network has failed."""
        return connection.invalidated or bool(connection.info.get(_LOST)) or not raw(connection).open

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Do nothing: each statement commits by itself."""

    def commit(self, connection: Connection) -> None:
        """Reset the statement limit; each statement has already committed."""
        self._unlimit(connection)

    def rollback(self, connection: Connection) -> None:
        """Reset the statement limit; changes cannot be undone."""
        self._unlimit(connection)

    def send(self, connection: Connection, sql: str) -> Any:
        """Run a user's *sql* unchanged."""
        return self._run(connection, sql, {})

    def send_own(self, connection: Connection, sql: str, parameters: Mapping[str, object]) -> Any:
        """Run our own *sql*: the server itself supports `:name` parameters."""
        named = set(_PARAMETER.findall(sql))
        given = {name: value for name, value in parameters.items() if name in named}
        return self._run(connection, sql.replace("\\:", ":"), given)

    def fetch_all(self, cursor: Any) -> Rows:
        """Return all rows from Arrow columns, in half the time of the connector's own way through pandas."""
        return _rows(cursor.fetchall_arrow())

    def fetch_some(self, cursor: Any, most: int) -> Rows:
        """Return the next rows."""
        return _rows(cursor.fetchmany_arrow(most))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters for VARIANT, which arrives as JSON text; Arrow types are already converted."""
        columns = cursor.description or ()
        return {place: json_value for place, column in enumerate(columns) if column[1] == "variant"}

    def cancel(self, connection: Connection) -> None:
        """Cancel the running statement; the connector allows this from another thread.

        A new statement has no id until the server answers after a few seconds. Cancelling waits for the id,
        because the request would otherwise be lost.
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
        """Set STATEMENT_TIMEOUT, which SQL warehouses enforce and clusters do not support."""
        # https://docs.databricks.com/en/sql/language-manual/parameters/statement_timeout.html
        self._run(connection, f"SET STATEMENT_TIMEOUT = {math.ceil(seconds)}", {}).close()
        connection.info[_LIMITED] = True

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Return the columns of the query, which Databricks analyses without running it."""
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
        """Insert the *rows* whose *key* does not exist yet, in batches; without *key*, insert all rows.

        A batch that conflicts with another writer is sent again.
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
                raise QueryCancelled("Query cancelled", sql=sql) from error
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
    """Return the statement that inserts *rows* from its parameter `:rows`, JSON with string values."""
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
    """Return SQL for the value at position *place* of a row, cast to the type of *values*."""
    found = {type(value) for value in values if value is not None}
    if not found:
        return "NULL"
    # All of our datetimes are timestamps with a zone.
    for kind, name in ((str, None), (float, "DOUBLE"), (int, "BIGINT"), (bool, "BOOLEAN")):
        if kind in found:
            return f"value[{place}]" if name is None else f"CAST(value[{place}] AS {name})"
    return f"CAST(value[{place}] AS TIMESTAMP)"


def _first_of_each(rows: Iterable[Sequence[object]], places: Sequence[int]) -> Iterator[Sequence[object]]:
    """Yield *rows* without repeated values at *places*: MERGE would insert all of them."""
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
    """Call *send* and return its result; retry after conflicts with other writers."""
    from databricks.sql.exc import Error

    for attempt in range(1, ATTEMPTS):
        try:
            return send()
        except Error as error:
            if not is_transient(error):
                raise
        # At random, so that writers that collided do not collide again.
        time.sleep(min(LONGEST_PAUSE, 0.05 * 2**attempt) * random.uniform(0.2, 1.0))
    return send()


def _rows(table: Any) -> Rows:
    columns = [values_of(column) for column in table.columns]
    return list(zip(*columns, strict=True))


def _is_of_network(error: Exception) -> bool:
    """Return True if *error* comes from the HTTP client and not from the server."""
    return type(error).__module__.startswith(("urllib3", "requests"))
