"""Any database by its SQLAlchemy dialect: what PEP 249 promises of every driver, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recce_meta.adapter.drivers.base import BaseDriver, plainly
from recce_meta.errors import MissingDriverError
from recce_meta.warehouses import ConnectionPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_TYPES = (
    ("STRING", "VARCHAR"),
    ("BINARY", "VARBINARY"),
    ("NUMBER", "DECIMAL(38, 10)"),
    ("DATETIME", "TIMESTAMP"),
)
"""Type objects of PEP 249, and a type to stand for each: drivers tell no more of a query's columns."""


class Driver(BaseDriver):
    """Whatever SQLAlchemy finds for the URL."""

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """SQLAlchemy's engine; what it lacks is nothing that recce_meta brings."""
        try:
            return super().create_engine(plan)
        except MissingDriverError as error:
            raise MissingDriverError(
                self.warehouse.name,
                error.module,
                hint=f"install SQLAlchemy's dialect for {self.warehouse.name}",
            ) from error

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Names, and the kind of each type as far as PEP 249 tells it, of a query that gives no row."""
        wrapped = f"SELECT * FROM (\n{sql}\n) recce_meta_q WHERE 1 = 0"  # noqa: S608 - the user's own
        result = plainly(connection, wrapped)
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
