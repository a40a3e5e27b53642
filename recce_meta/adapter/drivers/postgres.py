"""PostgreSQL through psycopg 3: COPY, cancel, and a limit in the server itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from recce_meta.adapter.drivers.base import BaseDriver, raw

if TYPE_CHECKING:
    from sqlalchemy import Connection

CANCEL_SECONDS = 5.0


class Driver(BaseDriver):
    """psycopg 3."""

    def cancel(self, connection: Connection) -> None:
        """Ask the server to stop the running statement."""
        raw(connection).cancel_safe(timeout=CANCEL_SECONDS)

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Set `statement_timeout` for the rest of the transaction."""
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")

    def insert_rows(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Insert *rows* with COPY."""
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        with raw(connection).cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
