"""PostgreSQL through psycopg 3: COPY, cancel, cursors, and a limit that the server itself keeps.

Values come as Python's own, or as the text that the server writes: JSON (made a value later, where that is
wanted), ranges, network addresses, records, and moments that Python cannot hold: infinity, years before
Christ and after 9999, 24:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from recce_meta.adapter.drivers.base import (
    BaseDriver,
    Converter,
    Rows,
    json_value,
    raw,
    storable,
    url_of,
)
from recce_meta.adapter.drivers.key_files import refuse_unreadable
from recce_meta.adapter.drivers.sockets import answers_postgres, shut
from recce_meta.errors import ConfigurationError, MissingDriverError, did_you_mean
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.postgres import SSL_FILES, SYSTEM

if TYPE_CHECKING:
    from psycopg.abc import Loader
    from psycopg.adapt import AdaptersMap
    from sqlalchemy import Connection, Engine

CANCEL_SECONDS = 5.0
"""How long one request to cancel may take: it travels on a connection of its own."""
CURSOR = "recce_meta"
"""The name of the cursor on the server that a stream reads."""
_FIRST = "recce_meta first statements"
"""Where SQLAlchemy's connection keeps what is to be sent first."""

_TYPE_NAMES = """
SELECT format_type(type_id, modifier)
FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY AS types (type_id, modifier, position)
ORDER BY position
"""

_AS_TEXT = (
    *("json", "jsonb", "inet", "cidr", "record"),
    *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
    *("int4multirange", "int8multirange", "nummultirange"),
    *("datemultirange", "tsmultirange", "tstzmultirange"),
)
_BEYOND_PYTHON = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")
"""Types with values that Python has none for."""


class Driver(BaseDriver):
    """psycopg 3."""

    limits_in_server = True

    def error_types(self) -> tuple[type[Exception], ...]:
        """SQLAlchemy's errors and psycopg's."""
        from psycopg import Error

        return (*super().error_types(), Error)

    def prepare(self, plan: ConnectionPlan) -> None:
        """See that certificates and keys can be read: libpq passes over some that it does not find."""
        given = {**plan.url.query, **plan.connect_args}
        refuse_unreadable({name: given[name] for name in SSL_FILES if given.get(name, SYSTEM) != SYSTEM})

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine whose connections are psycopg's own, with our ways to read values."""
        try:
            import psycopg  # noqa: F401 - an error before anything is tried
            from sqlalchemy.exc import ArgumentError
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "psycopg") from error
        dialect = _dialect()
        _refuse_unknown(plan)
        try:
            _, arguments = dialect.create_connect_args(url_of(plan))
        except (ArgumentError, ValueError) as error:
            raise _unusable(error) from error
        arguments |= {**plan.connect_args, "context": _adapters(), "autocommit": True}
        return self.bare_engine(plan, dialect, lambda: _connect(arguments))

    def set_up(self, connection: Connection, statement: str) -> None:
        """Keep *statement* for the first round trip, which takes all of them along."""
        connection.info.setdefault(_FIRST, []).append(statement)

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """BEGIN where it must be atomic; a statement by itself is a transaction to the server anyway."""
        connection.begin()
        first = connection.info.get(_FIRST, [])
        if first:  # BEGIN and COMMIT, so that a roll-back of what follows does not undo them
            first = ["BEGIN", *first, "COMMIT"]
        if sent := [*first, *(["BEGIN"] if atomic else [])]:
            raw(connection).execute("; ".join(sent).encode())
        connection.info.pop(_FIRST, None)  # not before they have been obeyed: a role among them limits rights

    def commit(self, connection: Connection) -> None:
        """PostgreSQL answers COMMIT after an error with a roll-back, and calls that a success: we do not."""
        from psycopg.errors import InFailedSqlTransaction
        from psycopg.pq import TransactionStatus

        if raw(connection).info.transaction_status == TransactionStatus.INERROR:
            raise InFailedSqlTransaction("the transaction is undone: a statement in it has failed")
        connection.commit()

    def is_lost(self, connection: Connection) -> bool:
        """psycopg knows once it has met the end of the connection."""
        return connection.invalidated or raw(connection).closed

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """JSON and arrays of JSON come as text."""
        oids = _json_oids()
        places = enumerate(column.type_code for column in cursor.description or ())
        return {place: oids[oid] for place, oid in places if oid in oids}

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """JSON stays the text that it comes as, in arrays too."""
        return {}

    def open_cursor(self, connection: Connection, sql: str) -> Any:
        """A cursor on the server; the statement is parsed first by itself, so that errors tell where."""
        self._parse(connection, sql)
        cursor = raw(connection).cursor(CURSOR)
        cursor.execute(sql.encode())
        return cursor

    def fetch_all(self, cursor: Any) -> Rows:
        """All rows; again, more slowly, where one of them has a value that Python does not."""
        try:
            rows: Rows = cursor.fetchall()
        except _unreadable():
            return _read_leniently(cursor)
        return rows

    def fetch_some(self, cursor: Any, most: int) -> Rows:
        """The next rows."""
        try:
            rows: Rows = cursor.fetchmany(most)
        except _unreadable():
            return _read_leniently(cursor)
        return rows

    def cancel(self, connection: Connection) -> None:
        """Ask the server to stop the running statement."""
        raw(connection).cancel_safe(timeout=CANCEL_SECONDS)

    def answers(self, connection: Connection, seconds: float) -> bool:
        """Ask the server, over a new TCP connection, whether it speaks TLS; a local socket cannot freeze."""
        info = raw(connection).info
        host = info.hostaddr or info.host
        return not host or host[0] in "/@" or answers_postgres(host, info.port, seconds)

    def disconnect(self, connection: Connection) -> None:
        """End the connection on this side; psycopg meets its end."""
        shut(raw(connection).fileno())

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set `statement_timeout` for the rest of the transaction, which begins here if none has."""
        from psycopg.pq import TransactionStatus

        driver = raw(connection)
        begin = b"BEGIN; " if driver.info.transaction_status == TransactionStatus.IDLE else b""
        driver.execute(begin + b"SET LOCAL statement_timeout = %d" % max(1, round(seconds * 1000)))

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """What the server says of the statement once parsed: types by their own names, with lengths."""
        answer = self._parse(connection, sql)
        encoding = raw(connection).info.encoding
        fields = range(answer.nfields)
        types = [(answer.ftype(field), answer.fmod(field)) for field in fields]
        names = [(answer.fname(field) or b"").decode(encoding) for field in fields]
        cursor = raw(connection).execute(_TYPE_NAMES, [[oid for oid, _ in types], [mod for _, mod in types]])
        return list(zip(names, (name for (name,) in cursor.fetchall()), strict=True))

    def _parse(self, connection: Connection, sql: str) -> Any:
        """What the server says of *sql* before it is run.

        Other threads run meanwhile, as `PGconn.prepare` would not let them.
        """
        from psycopg import generators, pq
        from psycopg.errors import error_from_result

        driver = raw(connection)
        server, encoding = driver.pgconn, driver.info.encoding
        text = sql.encode(encoding)
        for send, arguments in ((server.send_prepare, (b"", text)), (server.send_describe_prepared, (b"",))):
            send(*arguments)
            answer = driver.wait(generators.execute(server))[-1]
            if answer.status != pq.ExecStatus.COMMAND_OK:
                raise error_from_result(answer, encoding)
        return answer

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Send *rows* with COPY, which streams: one row is held at a time."""
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        with raw(connection).cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in storable(table, columns, rows):
                copy.write_row(row)


@cache
def _dialect() -> Any:
    """SQLAlchemy's dialect, which many engines may share: nothing of a server is kept in it."""
    import psycopg
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

    return PGDialect_psycopg(dbapi=psycopg)  # type: ignore[no-untyped-call]


def _unreadable() -> tuple[type[Exception], ...]:
    """What psycopg raises for a value that Python has none for, or is written in a style it does not read."""
    from psycopg import DataError

    return (DataError, NotImplementedError, OverflowError, ValueError)


def _read_leniently(cursor: Any) -> Rows:
    """The rows that *cursor* has fetched last, text in the place of what Python has no value for."""
    from psycopg.adapt import Transformer

    result = cursor.pgresult
    reader = cursor.connection.cursor()
    for name in _BEYOND_PYTHON:
        reader.adapters.register_loader(name, _lenient(name))
    values = Transformer(reader)
    values.set_pgresult(result)
    rows: Rows = values.load_rows(0, result.ntuples, tuple)
    return rows


@cache
def _lenient(name: str) -> type[Loader]:
    """psycopg's loader of the type *name*, made to give the text where it would raise."""
    from psycopg import adapters
    from psycopg.adapt import Loader as Base
    from psycopg.pq import Format

    strict: Any = adapters.get_loader(adapters.types[name].oid, Format.TEXT)

    class Lenient(Base):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = strict(oid, context)

        def load(self, data: Any) -> Any:
            try:
                return self._strict.load(data)
            except _unreadable():
                return bytes(data).decode()

    return Lenient


def _refuse_unknown(plan: ConnectionPlan) -> None:
    """Raise ConfigurationError for a parameter of the URL that libpq does not know."""
    from psycopg.pq import Conninfo

    names = [option.keyword.decode() for option in Conninfo.get_defaults()]
    for name in plan.url.query:
        if name not in names:
            raise ConfigurationError(
                f"Unknown parameter '{name}' in the URL: libpq has none of this name",
                hint="for TLS: sslmode=require" if name == "ssl" else did_you_mean(name, names),
            )


def _connect(arguments: Mapping[str, Any]) -> Any:
    """Return a new connection; raise ConfigurationError for a value that psycopg cannot read."""
    import psycopg

    try:
        return psycopg.connect(**arguments)
    except psycopg.ProgrammingError as error:
        raise _unusable(error) from error


def _unusable(error: object) -> ConfigurationError:
    return ConfigurationError(
        f"psycopg cannot use a parameter of the URL: {error}", hint="check what follows the ? in the URL"
    )


@cache
def _adapters() -> AdaptersMap:
    """How values of each type are read and written: as psycopg does, but for what is wanted as text."""
    from psycopg import adapters
    from psycopg.adapt import AdaptersMap
    from psycopg.types.string import TextLoader

    own = AdaptersMap(adapters)
    for name in _AS_TEXT:
        own.register_loader(name, TextLoader)
    return own


@cache
def _json_oids() -> Mapping[int, Converter]:
    """What makes values of JSON text, by the type's number in PostgreSQL's catalog."""
    from psycopg import adapters

    types = [adapters.types[name] for name in ("json", "jsonb")]
    return {each.oid: json_value for each in types} | {each.array_oid: _json_values for each in types}


def _json_values(texts: Any) -> Any:
    """Arrays of JSON, of any number of dimensions."""
    return [_json_values(text) if isinstance(text, list) else json_value(text) for text in texts]
