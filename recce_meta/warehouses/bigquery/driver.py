"""BigQuery driver: jobs with our own ids, sessions for writes, rows inserted as one parameter.

Each statement is a job. Reads need no transaction. Writes run in a session; if two of them touch the same
rows, BigQuery aborts one. Rows are inserted as JSON in one STRING parameter that the warehouse splits, so the
statement itself stays short. Load jobs would run outside the transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from json import dumps
from typing import TYPE_CHECKING, Any

from recce_meta.errors import MissingDriverError, WarehouseError, quoted
from recce_meta.lazy import LazyModule
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.driver import (
    PARAMETER,
    BaseDriver,
    Converter,
    Reads,
    Rows,
    arrays,
    as_text,
    json_value,
    raw,
    refuse_nul,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine

    from recce_meta.warehouses.bigquery import client as bigquery_client
    from recce_meta.warehouses.bigquery.client import JobClient
else:
    bigquery_client = LazyModule("recce_meta.warehouses.bigquery.client")  # an extra brings its libraries

# https://cloud.google.com/bigquery/quotas#query_jobs: 10 MB for a request with its parameters
MOST_BYTES = 9_000_000
"""Most bytes of the parameter of one INSERT, with quotes escaped as in the request."""
BATCH_BYTES = 6_000_000
"""Size at which a batch is sent."""

# The order matters: bool is a subclass of int, and datetime one of date.
_PARAMETER_TYPES: Sequence[tuple[type, str]] = (
    (bool, "BOOL"), (int, "INT64"), (float, "FLOAT64"), (Decimal, "BIGNUMERIC"), (bytes, "BYTES"),
    (date, "DATE"), (time, "TIME"), (str, "STRING"),
)  # fmt: skip

_INTERVAL = re.compile(r"(-?)(\d+)-(\d+) (-?\d+) (-?)(\d+):(\d+):(\d+)(?:\.(\d+))?")


class Driver(BaseDriver):
    """Driver on google-cloud-bigquery, with sqlalchemy-bigquery."""

    limits_in_server = True

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine whose connection owns its client, and closes it."""
        try:
            new_client = bigquery_client.JobClient
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "google.cloud.bigquery") from error
        from sqlalchemy import event

        settings: Any = plan.connect_args
        client = new_client(settings["key"], settings["place"], settings["jobs"])
        self.endpoint = settings["place"].api_endpoint or "https://bigquery.googleapis.com"
        # The Storage API would need another package and another permission.
        arguments = {"client": client, "prefer_bqstorage_client": False}
        engine = self._create_engine(
            plan, {"connect_args": arguments, "billing_project_id": client.project, "arraysize": None}
        )
        event.listen(engine, "close", lambda *_: client.end())
        return engine

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return SQLAlchemy's errors and those of Google's libraries."""
        return (*super().error_types(), *bigquery_client.error_types())

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Open a transaction if *atomic*; a single statement needs none."""
        client = _client(connection)
        client.limit_seconds = None
        if atomic:
            client.begin()

    def commit(self, connection: Connection) -> None:
        """Commit the session's transaction."""
        _client(connection).commit()
        connection.commit()

    def rollback(self, connection: Connection) -> None:
        """Roll back the session's transaction."""
        try:
            _client(connection).rollback()
        finally:
            connection.rollback()

    def region(self, connection: Connection) -> str | None:
        """Return the location of jobs: from the profile, or from its dataset."""
        client = _client(connection)
        client.find_location()
        return client.location  # type: ignore[no-any-return]

    def send(self, connection: Connection, sql: str) -> CursorResult[Any]:
        """Run a user's *sql* unchanged: double %% signs, because the cursor halves them."""
        return super().send(connection, sql.replace("%%", "%%%%"))

    def send_own(
        self, connection: Connection, sql: str, parameters: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run our own *sql*; the type of a parameter follows from its value, STRING for NULL."""
        if not parameters:
            return self.send(connection, sql.replace("\\:", ":"))
        statement = PARAMETER.sub(
            lambda match: f"%({match[1]}:{_parameter_type(parameters[match[1]])})s", sql.replace("%", "%%")
        ).replace("\\:", ":")
        used = {name: parameters[name] for name in PARAMETER.findall(sql)}
        return connection.exec_driver_sql(statement, used)

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters for JSON and intervals, at any nesting depth."""
        fields = getattr(cursor._query_rows, "typed_schema", ())
        found = ((place, _converter(field)) for place, field in enumerate(fields))
        return {place: converter for place, converter in found if converter is not None}

    def fetch_all(self, cursor: Any) -> Rows:
        """Return all rows, as the tuples inside the library's row objects."""
        return [row._xxx_values for row in cursor.fetchall()]

    def fetch_some(self, cursor: Any, most: int) -> Rows:
        """Return the next rows of the current page, or of the next page."""
        return [row._xxx_values for row in cursor.fetchmany(most)]

    def cancel(self, connection: Connection) -> None:
        """Cancel the running job."""
        _client(connection).cancel_running()

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set a time limit for each following job, enforced by BigQuery."""
        _client(connection).limit_seconds = seconds

    def examine(self, connection: Connection, sql: str) -> Reads:
        """Return the policies that the statistics of the last job name."""
        return Reads(policies=_client(connection).policies)

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Return the columns that a dry run reports, which is free of charge."""
        return [
            (field.name, bigquery_client.sql_type(field)) for field in _client(connection).columns_of(sql)
        ]

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Insert *rows* as JSON, about 6 MB per statement."""
        statement = None
        for batch in _batches(rows, table, columns):
            # Made only once there is a row, because it reads the table's schema.
            statement = statement or self._insert_statement(_client(connection), table, columns)
            self.send_own(connection, statement, {"rows": batch})

    def _insert_statement(self, client: JobClient, table: str, columns: Sequence[str]) -> str:
        types = _types_of(client, table)
        missing = [name for name in columns if name not in types]
        if missing:
            raise WarehouseError(f"Column not found in {table}: {', '.join(missing)}")
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        values = ", ".join(_from_json(place, types[name]) for place, name in enumerate(columns))
        return (
            f"INSERT INTO {table} ({names}) SELECT {values}"  # noqa: S608 - quoted
            " FROM UNNEST(JSON_QUERY_ARRAY(:rows)) AS line"
        )


def _client(connection: Connection) -> JobClient:
    client: JobClient = raw(connection)._client
    return client


def _types_of(client: JobClient, table: str) -> Mapping[str, str]:
    from sqlglot import exp

    parsed = exp.to_table(table, dialect="bigquery")
    return client.schema_of(parsed.db, parsed.name)


def _from_json(place: int, kind: str) -> str:
    """Return SQL that reads the value at position *place* as type *kind*; strings stay identical."""
    text = f"JSON_VALUE(line, '$[{place}]')"
    if kind == "STRING":
        return text
    if kind == "JSON":
        # By default, PARSE_JSON refuses numbers that a double cannot hold.
        return f"PARSE_JSON({text}, wide_number_mode => 'round')"
    if kind == "BYTES":
        return f"FROM_BASE64({text})"
    return f"CAST({text} AS {kind})"


def _parameter_type(value: object) -> str:
    if isinstance(value, datetime):
        return "DATETIME" if value.tzinfo is None else "TIMESTAMP"
    if value is None:
        return "STRING"
    if isinstance(value, (list, tuple)):
        return f"ARRAY<{_parameter_type(value[0]) if value else 'STRING'}>"
    return next(name for kind, name in _PARAMETER_TYPES if isinstance(value, kind))


def _batches(rows: Iterable[Sequence[object]], table: str, columns: Sequence[str]) -> Iterator[str]:
    """Return *rows* as JSON arrays, each short enough for one request."""
    return (batch.decode() for batch in arrays(_lines(rows, table, columns), BATCH_BYTES))


def _lines(
    rows: Iterable[Sequence[object]], table: str, columns: Sequence[str]
) -> Iterator[tuple[bytes, int]]:
    """Yield each of *rows* as JSON, with its length in a request."""
    from msgspec.json import encode

    for row in rows:
        refuse_nul(table, columns, row)
        line = encode([_encodable(value) for value in row])
        length = _length_in_request(line)
        if length > MOST_BYTES:
            raise WarehouseError(
                f"Row too long for {table}: {len(line):,} bytes; BigQuery's limit is 10 MB per request",
                hint=f"shorten the row that begins with {quoted(str(row[0])[:80])}",
            )
        yield line, length


def _length_in_request(line: bytes) -> int:
    """Return the length of *line* as a JSON string: the client escapes quotes and non-ASCII characters."""
    return len(dumps(line.decode()))


def _encodable(value: object) -> str | None:
    """Return *value* as a string that BigQuery can cast back, including `nan` and `inf`."""
    if isinstance(value, bytes):
        from base64 import b64encode

        return b64encode(value).decode()
    return as_text(value, lambda moment: moment.isoformat(sep=" "))


def _converter(field: Any) -> Converter | None:
    """Return the function that converts non-NULL values of *field* to ours; None if they are equal."""
    one = _converter_of_one(field)
    if one is None or field.mode != "REPEATED":
        return one
    return lambda values: [None if value is None else one(value) for value in values]


def _converter_of_one(field: Any) -> Converter | None:
    kind = field.field_type.upper()
    if kind == "JSON":
        return json_value
    if kind == "INTERVAL":
        return interval
    if kind not in ("RECORD", "STRUCT"):
        return None
    inner = {part.name: converter for part in field.fields if (converter := _converter(part))}
    if not inner:
        return None
    return lambda values: {
        name: inner[name](value) if name in inner and value is not None else value
        for name, value in values.items()
    }


def interval(text: str) -> timedelta | str:
    """Parse an INTERVAL; return *text* unchanged if it has months, whose length varies.

    https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#interval_type

    >>> interval("0-0 1 -2:00:00.5")
    datetime.timedelta(seconds=79199, microseconds=500000)
    >>> interval("0-1 0 0:0:0")
    '0-1 0 0:0:0'
    """
    found = _INTERVAL.fullmatch(text)
    if found is None or int(found[2]) or int(found[3]):
        return text
    sign = -1 if found[5] else 1
    micros = int((found[9] or "0").ljust(6, "0")[:6])
    clock = timedelta(hours=int(found[6]), minutes=int(found[7]), seconds=int(found[8]), microseconds=micros)
    return timedelta(days=int(found[4])) + sign * clock
