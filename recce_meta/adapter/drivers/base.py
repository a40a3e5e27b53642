"""What the adapter asks of a driver beyond SQLAlchemy: waiting, cancelling, loading in bulk.

A warehouse needs a file here only where its driver can do better than these defaults; the file has the
warehouse's name and a class `Driver`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from recce_meta.errors import MissingDriverError
from recce_meta.warehouses import ConnectionPlan, Warehouse

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

ROWS_PER_BATCH = 500


class BaseDriver:
    """SQLAlchemy's own ways, for every warehouse that has nothing faster."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine without a pool: what is closed is closed, and releases its locks."""
        from sqlalchemy import URL, create_engine
        from sqlalchemy.pool import NullPool

        url = plan.url
        try:
            return create_engine(
                URL.create(
                    url.scheme, url.username, url.password, url.host, url.port, url.database, dict(url.query)
                ),
                connect_args=dict(plan.connect_args),
                poolclass=NullPool,
                hide_parameters=True,
                **plan.engine_args,
            )
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or str(error)) from error

    def prepare(self, plan: ConnectionPlan) -> None:
        """Do what must precede the first connection: nothing, for a server."""

    def cancel(self, connection: Connection) -> None:
        """Stop what runs on *connection*, from another thread; harmless when nothing runs."""
        raise NotImplementedError(f"{self.warehouse.name} cannot cancel a statement")

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Tell the server to stop the statements of this transaction after *seconds*, where it can."""

    def insert_rows(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Insert *rows* into *table* (SQL text) within the open transaction."""
        from sqlalchemy import column, insert
        from sqlalchemy.sql import quoted_name, table as sql_table

        target = sql_table(quoted_name(table, quote=False), *(column(name) for name in columns))
        iterator = iter(rows)
        while batch := list(islice(iterator, ROWS_PER_BATCH)):
            connection.execute(insert(target), [dict(zip(columns, row, strict=True)) for row in batch])


def driver_for(warehouse: Warehouse) -> BaseDriver:
    """The driver of *warehouse*: its own file here, or the defaults."""
    module = f"recce_meta.adapter.drivers.{warehouse.name}"
    if find_spec(module) is None:
        return BaseDriver(warehouse)
    driver: BaseDriver = import_module(module).Driver(warehouse)
    return driver


def raw(connection: Connection) -> Any:
    """The driver's own connection below *connection*."""
    return connection.connection.driver_connection
