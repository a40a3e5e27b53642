"""DuckDB: files in the oldest storage version, interrupts, and bulk loads without Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from recce_meta.adapter.drivers.base import BaseDriver, raw
from recce_meta.warehouses import ConnectionPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection

STORAGE_VERSION = "v1.0.0"
"""The oldest one: every DuckDB 1.x opens it (a file that 2.0 creates by default opens in 2.0 only)."""


class Driver(BaseDriver):
    """The duckdb package, through duckdb-engine."""

    def prepare(self, plan: ConnectionPlan) -> None:
        """Create the database file, if there is none, so that any DuckDB beside dbt opens it."""
        path = plan.url.database or ":memory:"
        if path == ":memory:" or ":" in path.split("/")[0] or Path(path).exists():
            return
        import duckdb

        with duckdb.connect(":memory:") as connection:
            quoted = path.replace("'", "''")
            connection.execute(f"ATTACH '{quoted}' AS created (STORAGE_VERSION '{STORAGE_VERSION}')")

    def cancel(self, connection: Connection) -> None:
        """Interrupt the running statement."""
        raw(connection).interrupt()

    def insert_rows(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Insert *rows*: one list per column, unnested by DuckDB."""
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        values = ", ".join(f"unnest(${number})" for number in range(1, len(columns) + 1))
        sql = f"INSERT INTO {table} ({names}) SELECT {values}"  # noqa: S608 - identifiers only
        iterator = iter(rows)
        while batch := list(islice(iterator, 2000)):
            raw(connection).execute(sql, [list(column) for column in zip(*batch, strict=True)])
