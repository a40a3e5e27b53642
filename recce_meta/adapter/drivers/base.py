"""What the adapter asks of a driver beyond SQLAlchemy: to prepare, cancel, limit, and load in bulk.

A warehouse needs a file in this package only where its driver can do better than these defaults; the file
has the warehouse's name and a class `Driver`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from recce_meta.errors import MissingDriverError, WarehouseError
from recce_meta.warehouses import ConnectionPlan, Warehouse

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

ROWS_PER_STATEMENT = 500
BATCH_CHARACTERS = 16_000_000
"""How much text is held and sent at once, whatever a table's rows come to."""


class BaseDriver:
    """SQLAlchemy's own ways, for every warehouse that has nothing faster."""

    limits_in_server = False
    """Whether `limit_statement` makes the server stop a statement by itself."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine that holds nothing back: what is closed releases its locks at once."""
        return self._create_engine(plan, {"connect_args": dict(plan.connect_args)})

    def _create_engine(self, plan: ConnectionPlan, arguments: Mapping[str, object]) -> Engine:
        from sqlalchemy import URL, create_engine
        from sqlalchemy.exc import NoSuchModuleError
        from sqlalchemy.pool import NullPool

        url = plan.url
        parts = (url.scheme, url.username, url.password, url.host, url.port, url.database, dict(url.query))
        everything: dict[str, Any] = {
            "poolclass": NullPool,
            "hide_parameters": True,
            **plan.engine_args,
            **arguments,
        }
        try:
            return create_engine(URL.create(*parts), **everything)
        except (ImportError, NoSuchModuleError) as error:
            missing = getattr(error, "name", None) or url.scheme
            raise MissingDriverError(self.warehouse.name, missing) from error

    def error_types(self) -> tuple[type[Exception], ...]:
        """What is raised when the database refuses or fails: SQLAlchemy's errors, and the driver's own."""
        from sqlalchemy.exc import SQLAlchemyError

        return (SQLAlchemyError,)

    def prepare(self, plan: ConnectionPlan) -> None:
        """Do what must precede a connection: for a server, nothing."""

    def configure(self, connection: Connection) -> None:
        """Adjust a new connection through the driver's own interface."""

    def cancel(self, connection: Connection) -> None:
        """Stop what runs on *connection*; called from another thread, harmless when nothing runs."""
        raise NotImplementedError(f"A statement cannot be cancelled on {self.warehouse.name}")

    def limit_statement(self, connection: Connection, seconds: float) -> None:
        """Tell the server to stop any statement of the transaction that begins now after *seconds*."""

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """The name and type, as the warehouse writes it, of each column that the SELECT *sql* gives."""
        raise NotImplementedError(f"A statement cannot be described on {self.warehouse.name}")

    def insert_rows(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Insert *rows* into *table*, which is SQL text, within the open transaction."""
        from sqlalchemy import insert
        from sqlalchemy.sql import column, quoted_name
        from sqlalchemy.sql import table as table_clause

        target = table_clause(quoted_name(table, quote=False), *(column(name) for name in columns))
        for batch in batches(storable(table, columns, rows), ROWS_PER_STATEMENT):
            connection.execute(insert(target), [dict(zip(columns, row, strict=True)) for row in batch])


def raw(connection: Connection) -> Any:
    """The driver's own connection below *connection*."""
    return connection.connection.driver_connection


def storable(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[Sequence[object]]:
    """*rows*, up to one that holds the NUL character."""
    for row in rows:
        refuse_nul(table, columns, row)
        yield row


def refuse_nul(table: str, columns: Sequence[str], row: Sequence[object]) -> None:
    """Raise WarehouseError where *row* holds the NUL character, which PostgreSQL and others cannot store."""
    for name, value in zip(columns, row, strict=True):
        if type(value) is str and "\0" in value:
            raise WarehouseError(
                f"A text for column '{name}' of {table} holds the NUL character (U+0000)",
                hint=f"remove it at its source; the row begins with {str(row[0])[:80]!r}",
            )


def batches(rows: Iterable[Sequence[object]], size: int) -> Iterator[list[Sequence[object]]]:
    """*rows* in lists of at most *size*."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def bounded_batches(rows: Iterable[Sequence[object]], characters: int) -> Iterator[list[Sequence[object]]]:
    """*rows* in lists whose texts come to about *characters*: more only where a single row does."""
    batch: list[Sequence[object]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += 16 * len(row)
        for value in row:
            if type(value) is str:
                size += len(value)
        if size >= characters:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
