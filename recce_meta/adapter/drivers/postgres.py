"""PostgreSQL through psycopg 3: COPY, cancel, and a limit that the server itself keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from recce_meta.adapter.drivers.base import BaseDriver, raw, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection

CANCEL_SECONDS = 5.0
"""How long one request to cancel may take: it travels on a connection of its own."""


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

    def insert_rows(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Send *rows* with COPY, which streams: one row is held at a time."""
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        with raw(connection).cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in storable(table, columns, rows):
                copy.write_row(row)
