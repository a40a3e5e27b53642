"""Generic driver for any SQLAlchemy dialect; relies only on PEP 249."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recce_meta.errors import MissingDriverError
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.driver import BaseDriver, execute_unchanged

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_TYPES = (
    ("STRING", "VARCHAR"),
    ("BINARY", "VARBINARY"),
    ("NUMBER", "DECIMAL(38, 10)"),
    ("DATETIME", "TIMESTAMP"),
)
"""A SQL type for each type object of PEP 249: drivers report no more about a query's columns."""


class Driver(BaseDriver):
    """Driver on the package that SQLAlchemy finds for the URL."""

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return SQLAlchemy's engine; recce_meta has no extra for a missing driver."""
        try:
            return super().create_engine(plan)
        except MissingDriverError as error:
            raise MissingDriverError(
                self.warehouse.name,
                error.module,
                hint=f"install a SQLAlchemy dialect for {self.warehouse.name}",
            ) from error

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Run *sql* for no rows; return its columns with the broad types that PEP 249 defines."""
        wrapped = f"SELECT * FROM (\n{sql}\n) recce_meta_q WHERE 1 = 0"  # noqa: S608 - the user's own
        result = execute_unchanged(connection, wrapped)
        cursor = result.cursor
        described = [(str(name), self._type(connection, code)) for name, code, *_ in cursor.description]
        result.close()
        return described

    def _type(self, connection: Connection, code: Any) -> str:
        driver = connection.dialect.dbapi
        return next(
            (
                name
                for kind, name in _TYPES
                if (known := getattr(driver, kind, None)) is not None and bool(known == code)
            ),
            "unknown",
        )
