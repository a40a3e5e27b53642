"""PostgreSQL through psycopg 3: COPY, cancel, and a limit that the server itself keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from recce_meta.adapter.drivers.base import BaseDriver, raw, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection

CANCEL_SECONDS = 5.0
"""How long one request to cancel may take: it travels on a connection of its own."""

_TYPE_NAMES = """
SELECT format_type(type_id, modifier)
FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY AS types (type_id, modifier, position)
ORDER BY position
"""


class Driver(BaseDriver):
    """psycopg 3."""

    limits_in_server = True

    def error_types(self) -> tuple[type[Exception], ...]:
        """SQLAlchemy's errors and psycopg's."""
        from psycopg import Error

        return (*super().error_types(), Error)

    def configure(self, connection: Connection) -> None:
        """Let JSON come back as text, to the byte, as it does from every other warehouse."""
        from psycopg.types.string import TextLoader

        for name in ("json", "jsonb"):
            raw(connection).adapters.register_loader(name, TextLoader)

    def cancel(self, connection: Connection) -> None:
        """Ask the server to stop the running statement."""
        raw(connection).cancel_safe(timeout=CANCEL_SECONDS)

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set `statement_timeout` for the rest of the transaction."""
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """What the server says of the statement once parsed: types by their own names, with lengths."""
        from psycopg import pq
        from psycopg.errors import error_from_result

        server = raw(connection).pgconn
        encoding = raw(connection).info.encoding
        for answer in (server.prepare(b"", sql.encode(encoding)), server.describe_prepared(b"")):
            if answer.status != pq.ExecStatus.COMMAND_OK:
                raise error_from_result(answer, encoding)
        fields = range(answer.nfields)
        types = [(answer.ftype(field), answer.fmod(field)) for field in fields]
        names = [(answer.fname(field) or b"").decode(encoding) for field in fields]
        cursor = raw(connection).execute(_TYPE_NAMES, [[oid for oid, _ in types], [mod for _, mod in types]])
        return list(zip(names, (name for (name,) in cursor.fetchall()), strict=True))

    def insert_rows(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Send *rows* with COPY, which streams: one row is held at a time."""
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        with raw(connection).cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in storable(table, columns, rows):
                copy.write_row(row)
