"""Redshift driver on redshift_connector: autocommitted reads, multi-row inserts, strings of any length.

For a login by an identity provider (Okta or Entra) it requests an access token. The request and its headers
are those of dbt-redshift 1.11, auth_providers.py.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingDriverError,
    RecceMetaError,
    TransientFailure,
)
from recce_meta.warehouses import ConnectionPlan, Warehouse
from recce_meta.warehouses.driver import (
    BaseDriver,
    Converter,
    Policy,
    Reads,
    answers_postgres,
    execute_unchanged,
    json_value,
    limit_unanswered,
    raw,
    shut,
    storable,
    url_of,
)
from recce_meta.warehouses.redshift.connection import AUTOCOMMIT, TOKEN_ENDPOINT
from recce_meta.warehouses.redshift.long_text import (
    TABLE,
    Batch,
    LongTexts,
    Row,
    batches_of,
    parts,
    restore,
    restore_json,
    schema_read,
    super_expression,
    type_name,
    with_split_lines,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine

SECONDS = 30.0
"""How long the provider may take to answer."""
TOO_MANY_REQUESTS = 429


def fetch_token(endpoint: Mapping[str, str], seconds: float = SECONDS) -> str:
    """Return an access token from the profile's *endpoint*.

    Raises AuthenticationFailed if it refuses, TransientFailure if it receives too many requests, and
    ConnectionFailed if it does not answer within *seconds*.
    """
    url = endpoint["request_url"]
    # urlopen would also open local files by file://.
    if not url.lower().startswith(("https://", "http://")):
        raise AuthenticationFailed(
            "Invalid 'request_url' of 'token_endpoint': not a web address", hint="use a URL with https://"
        )
    try:
        with urlopen(_request(endpoint), timeout=seconds) as answer:
            response = json.load(answer)
    except HTTPError as error:
        error.close()
        raise _refusal(error) from None
    except (URLError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise ConnectionFailed(
            f"Identity provider not reachable: {reason}", hint="check 'request_url' of 'token_endpoint'"
        ) from None
    except ValueError:
        raise AuthenticationFailed("Invalid answer of the identity provider: not JSON", hint=_HINT) from None
    token = response.get("access_token") if isinstance(response, dict) else None
    if not isinstance(token, str):
        raise AuthenticationFailed("Invalid answer of the identity provider: no access_token", hint=_HINT)
    return token


_HINT = "check 'token_endpoint', and that its refresh token is valid"


def _request(endpoint: Mapping[str, str]) -> Request:
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    if endpoint["type"] == "okta":
        headers["authorization"] = f"Basic {endpoint['idp_auth_credentials']}"
    data = endpoint["request_data"].encode()
    return Request(endpoint["request_url"], data=data, headers=headers, method="POST")


def _refusal(error: HTTPError) -> AuthenticationFailed | TransientFailure:
    if error.code == TOO_MANY_REQUESTS:
        return TransientFailure(
            "Token request failed: too many requests to the identity provider",
            hint="lower 'threads', or raise the provider's limit",
            code=str(error.code),
        )
    return AuthenticationFailed(
        f"Token request refused by the identity provider: {error.code} {error.reason}",
        hint=_HINT,
        code=str(error.code),
    )


SUPER, VARBYTE, VARCHAR = 4000, 6551, 1043
"""Type OIDs: redshift_connector/utils/oids.py."""
AS_TEXT = 0
CURSOR = "recce_meta_rows"
FIRST_ROWS = 1000
"""Number of rows of the first fetch, which also shows the columns of a server-side cursor."""
_SECURE_SCAN = re.compile(r"\b(RLS|LF) SecureScan(?: on)?(?: ([^\s(]+))?")
_SECURITY = {"RLS": "row-level security", "LF": "Lake Formation"}


class Driver(BaseDriver):
    """Driver on redshift_connector, with sqlalchemy-redshift's dialect."""

    limits_in_server = True

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return SQLAlchemy's errors, the driver's, and the socket errors that it does not catch."""
        from redshift_connector import Error

        return (*super().error_types(), Error, OSError, struct.error)

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse)
        self._autocommit = True
        self._session_id = 0
        self._is_limited = False
        self._is_read_only = False
        self._schema: str | None = None
        """Schema of the long strings of our own last query."""
        self._connect: Any = None

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine of plain redshift_connector connections that sends no statements by itself."""
        try:
            import redshift_connector
            from sqlalchemy_redshift.dialect import RedshiftDialect_redshift_connector
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "redshift_connector") from error
        dialect = RedshiftDialect_redshift_connector(dbapi=redshift_connector)
        _, arguments = dialect.create_connect_args(url_of(plan))
        arguments |= plan.connect_args
        self._autocommit = bool(arguments.pop(AUTOCOMMIT, True))
        self._is_read_only = plan.is_read_only
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
        """Register a reader for VARBYTE, and read the process id that cancels the session."""
        driver = raw(connection)
        driver.redshift_types[VARBYTE] = (AS_TEXT, _bytes)
        # Asked now, because a busy connection answers nothing.
        self._session_id = int(_tell(driver, "SELECT pg_backend_pid()").fetchone()[0])
        self._is_limited = False

    def set_up(self, connection: Connection, statement: str) -> None:
        """Run *statement* without a transaction, which would take two more round trips."""
        _tell(raw(connection), statement)

    def is_lost(self, connection: Connection) -> bool:
        """Return True once the driver has closed its socket."""
        return connection.invalidated or raw(connection)._sock is None

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Begin a transaction if *atomic*, or if the profile turns `autocommit` off."""
        raw(connection).autocommit = self._autocommit and not (atomic or self._is_read_only)
        connection.begin()
        if self._is_read_only:
            with _watched(connection):
                # Sent before the driver begins a transaction of its own, which could write.
                _tell(raw(connection), "BEGIN READ ONLY")

    def commit(self, connection: Connection) -> None:
        """Commit the changes since `begin`; with autocommit, nothing is left to commit."""
        if raw(connection).autocommit:
            connection.rollback()  # sends nothing
        else:
            connection.commit()
        self._lift_limit(connection)

    def rollback(self, connection: Connection) -> None:
        """Undo the changes since `begin`, and reset the limit of the failed statement."""
        connection.rollback()
        if not connection.invalidated:
            self._lift_limit(connection)

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set `statement_timeout` until the next commit or rollback.

        https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
        """
        with _watched(connection):
            # 0 would mean no limit.
            _tell(raw(connection), f"SET statement_timeout TO {max(1, round(seconds * 1000))}")
        self._is_limited = True

    def _lift_limit(self, connection: Connection) -> None:
        if self._is_limited:
            self._is_limited = False
            with _watched(connection):
                _tell(raw(connection), "RESET statement_timeout")

    def cancel(self, connection: Connection) -> None:
        """Cancel through a separate connection: the server does not listen on a busy one."""
        other = self._connect()
        try:
            _tell(other, f"SELECT pg_cancel_backend({self._session_id:d})")
        finally:
            with suppress(*self.error_types()):
                other.close()

    def answers(self, connection: Connection, seconds: float) -> bool:
        """Ask the server over a new TCP connection whether it supports TLS."""
        host, port = raw(connection)._usock.getpeername()[:2]
        return answers_postgres(host, port, seconds)

    def disconnect(self, connection: Connection) -> None:
        """Close the connection on this side; the driver notices its end."""
        shut(raw(connection)._usock.fileno())

    def send(self, connection: Connection, sql: str) -> CursorResult[Any]:
        """Run a user's *sql* unchanged."""
        # A user's own text may look like a cut one, so only our own SQL restores texts.
        self._schema = None
        with _watched(connection):
            return super().send(connection, sql)

    def send_own(
        self, connection: Connection, sql: str, parameters: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run our own *sql*; split a list of lines that is too long for one parameter."""
        self._schema = schema_read(sql)
        sql, given = with_split_lines(sql, parameters)
        with _watched(connection):
            return super().send_own(connection, sql, given)

    def examine(self, connection: Connection, sql: str) -> Reads:
        """Look for scans in the plan of *sql* whose conditions are hidden: RLS and Lake Formation.

        https://docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html
        """
        lines = [str(line) for (line,) in _run(raw(connection), f"EXPLAIN {sql}", None).fetchall()]
        found = dict.fromkeys(scan for line in lines for scan in _SECURE_SCAN.findall(line))
        return Reads(policies=tuple(Policy(_SECURITY[kind], name or "a table") for kind, name in found))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters for SUPER, which arrives as JSON text."""
        return {place: json_value for place, number in _types(cursor) if number == SUPER}

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters that restore our strings that were cut to fit a column, also within JSON."""
        if self._schema is None:
            return {}
        find = partial(_long_text, cursor._c, self._schema, {})
        found: dict[int, Converter] = {}
        for place, number in _types(cursor):
            if number in (SUPER, VARCHAR):
                found[place] = partial(restore_json if number == SUPER else restore, whole_of=find)
        return found

    def open_cursor(self, connection: Connection, sql: str) -> Any:
        """Open a server-side cursor in a transaction: the driver itself would fetch all rows."""
        raw(connection).autocommit = False
        self._schema = None
        with _watched(connection):
            execute_unchanged(connection, f"DECLARE {CURSOR} NO SCROLL CURSOR FOR {sql}")
            return _ServerCursor(raw(connection).cursor())

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Run *sql* for no rows and return its columns: the driver cannot prepare without running."""
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
        """Insert *rows* in multi-row statements, as large as parameters and bytes allow."""
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
    """Server-side cursor with the interface of the driver's own cursors."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._rows = self._fetched(FIRST_ROWS)

    @property
    def description(self) -> Any:
        """Columns in the format of the DB-API."""
        return self._cursor.description

    def fetchmany(self, most: int) -> list[Any]:
        """Return up to *most* further rows."""
        while len(self._rows) < most and (more := self._fetched(most - len(self._rows))):
            self._rows += more
        rows, self._rows = self._rows[:most], self._rows[most:]
        return rows

    def close(self) -> None:
        """Discard the rows; the server-side cursor ends with its transaction."""
        self._rows = []
        self._cursor.close()

    def _fetched(self, count: int) -> list[Any]:
        self._cursor.execute(f"FETCH FORWARD {count:d} FROM {CURSOR}")
        return list(self._cursor.fetchall())


@contextmanager
def _watched(connection: Connection) -> Iterator[None]:
    """Invalidate the connection if an error in the block may have left unread protocol messages.

    An error from the server itself leaves none. After a decoding error or a lost connection, the next
    statement would take the unread messages for its own answer.
    """
    try:
        yield
    except UnicodeEncodeError:
        raise  # nothing was sent yet
    except Exception as error:
        original = getattr(error, "orig", None) or error
        if not (original.args and isinstance(original.args[0], dict)):
            connection.invalidate()
        raise


def _connected(arguments: Mapping[str, Any]) -> Any:
    """Return a new connection of the driver; convert errors of AWS's library to the driver's."""
    import redshift_connector

    try:
        driver = redshift_connector.connect(**arguments)
    except (redshift_connector.Error, OSError, struct.error, RecceMetaError):
        raise
    except Exception as error:
        raise redshift_connector.InterfaceError(f"{type(error).__name__}: {error}") from error
    # Otherwise the connect timeout would also limit every statement.
    driver._usock.settimeout(None)
    limit_unanswered(driver._usock)
    return driver


def _tell(driver: Any, sql: str) -> Any:
    """Run *sql* without beginning a transaction."""
    was, driver.autocommit = driver.autocommit, True
    try:
        return _run(driver, sql, None)
    finally:
        driver.autocommit = was


def _run(driver: Any, sql: str, parameters: Sequence[object] | None) -> Any:
    """Run *sql*, with `?` for parameters, and return the driver's cursor."""
    cursor = driver.cursor()
    cursor.paramstyle = "qmark"
    cursor.execute(sql, None if parameters is None else list(parameters))
    return cursor


def _types(cursor: Any) -> Iterator[tuple[int, int]]:
    """Return the position and type OID of each column."""
    return ((place, column[1]) for place, column in enumerate(cursor.description or ()))


def _bytes(data: bytes, offset: int, length: int) -> bytes:
    """Decode VARBYTE from hexadecimal digits; the driver would decode them as UTF-8."""
    return bytes.fromhex(bytes(data[offset : offset + length]).decode("ascii"))


def _as_sent(is_super: Sequence[bool], values: Sequence[object]) -> Row:
    """Return the SQL expression and parameters of one row."""
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
    """Insert the full strings that were cut from rows of the table *of*."""
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
    """Return the string with this hash; None if the marker is user text."""
    if digest not in known:
        table = f"{schema}.{TABLE}"
        # Redshift enforces no keys, so two recorders may store the same parts.
        asked = f"SELECT DISTINCT number, part FROM {table} WHERE text_id = ? ORDER BY number"  # noqa: S608
        rows = _run(driver, asked, [digest]).fetchall()
        known[digest] = "".join(row[1] for row in rows) if rows else None
    return known[digest]
