"""One open connection, and the door through which everything that is sent to it passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from recce_meta.adapter.cancellation import run_stoppable
from recce_meta.adapter.drivers.base import BaseDriver
from recce_meta.adapter.errors import translated
from recce_meta.errors import QueryCancelled, RecceMetaError, WarehouseError
from recce_meta.warehouses import ConnectionPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection, RootTransaction

Result = TypeVar("Result")
Rows = list[tuple[Any, ...]]

SERVER_PATIENCE_SECONDS = 1.0
"""How much longer than the limit a server may take that keeps the limit itself."""


class Link:
    """An open connection with its driver; every error of the driver leaves as one of ours.

    Statements run in a thread of their own, so that Ctrl-C stops them in the warehouse: DuckDB does not hear
    it while it works.
    """

    def __init__(self, driver: BaseDriver, plan: ConnectionPlan) -> None:
        self._driver = driver
        self._plan = plan
        self._is_abandoned = False
        self._is_cancelled = False
        self._connection = self._connect()

    @property
    def is_lost(self) -> bool:
        """Whether the connection cannot be used any more."""
        return self._is_abandoned or self._connection.invalidated

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction()

    def run_text(self, sql: str, timeout: float | None = None) -> tuple[list[str], Rows]:
        """The columns and rows of *sql*, sent unchanged; a transaction of its own unless one is open."""
        patience = SERVER_PATIENCE_SECONDS if self._driver.limits_in_server else 0.0
        run = self._run_within if self.in_transaction else self._run_alone
        return self._stoppable(lambda: run(sql, timeout), timeout=timeout, patience=patience)

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """Name and type of each column that *sql* would give; a transaction of its own unless one is open."""
        return self._stoppable(lambda: self._describe(sql))

    def query(self, sql: str, parameters: Mapping[str, object]) -> Rows:
        """The rows of our own *sql*, with `:name` for parameters."""
        _, rows = self._stoppable(lambda: self._run_own(sql, parameters))
        return rows if self._plan.timezone_is_utc else [tuple(map(_in_utc, row)) for row in rows]

    def execute(self, sql: str, parameters: Mapping[str, object]) -> None:
        """Run one statement of our own, with `:name` for parameters."""
        self._stoppable(lambda: self._run_own(sql, parameters))

    def insert_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Insert *rows* in bulk."""
        self._stoppable(lambda: self._insert(table, columns, self._until_cancelled(rows)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self.door("BEGIN"):
            transaction = self._connection.begin()
        try:
            yield
            with self.door("COMMIT"):
                transaction.commit()
        except BaseException:
            self._roll_back(transaction)
            raise

    def cancel(self) -> None:
        """Stop what runs, from another thread; harmless when nothing runs."""
        self._is_cancelled = True
        with self.door():
            self._driver.cancel(self._connection)

    def abandon(self) -> None:
        """Leave the connection to a statement that cannot be stopped."""
        self._is_abandoned = True

    def close(self) -> None:
        """Close the connection and release what it holds."""
        if not self._is_abandoned:
            with self.door():
                self._connection.close()

    @contextmanager
    def door(self, sql: str | None = None) -> Iterator[None]:
        """Within the block, what the driver raises becomes an error of ours about *sql*."""
        try:
            yield
        except RecceMetaError:
            raise  # and no look at the driver's errors: it may be the driver that is missing
        except self._driver.error_types() as error:
            raise translated(error, self._driver.warehouse, sql=sql, secrets=self._plan.secrets)  # noqa: B904

    def _roll_back(self, transaction: RootTransaction) -> None:
        """Undo *transaction*; a connection that cannot even do that is given up: it is lost, or in ruins.

        What made the roll-back necessary is the error to tell, and it is on its way.
        """
        try:
            with self.door("ROLLBACK"):
                transaction.rollback()
        except WarehouseError:
            self._connection.invalidate()

    def _stoppable(
        self, function: Callable[[], Result], *, timeout: float | None = None, patience: float = 0.0
    ) -> Result:
        self._is_cancelled = False
        return run_stoppable(function, self, timeout=timeout, patience=patience)

    def _run_alone(self, sql: str, timeout: float | None) -> tuple[list[str], Rows]:
        with self.transaction():
            if timeout is not None:
                with self.door(sql):
                    self._driver.limit_statement(self._connection, timeout)
            return self._run_within(sql)

    def _run_within(self, sql: str, timeout: float | None = None) -> tuple[list[str], Rows]:
        # A limit set here would outlast the statement: within a session, the clock on this side keeps it.
        with self.door(sql):
            return _columns_and_rows(
                self._connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
            )

    def _describe(self, sql: str) -> list[tuple[str, str]]:
        with nullcontext() if self.in_transaction else self.transaction(), self.door(sql):
            return self._driver.describe(self._connection, sql)

    def _run_own(self, sql: str, parameters: Mapping[str, object]) -> tuple[list[str], Rows]:
        from sqlalchemy import text

        with self.door(sql):
            return _columns_and_rows(self._connection.execute(text(sql), dict(parameters)))

    def _insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        with self.door(f"INSERT INTO {table}"):
            try:
                self._driver.insert_rows(self._connection, table, columns, rows)
            except UnicodeEncodeError as error:
                raise WarehouseError(
                    f"A text for {table} is not valid Unicode: {error.reason}",
                    hint="half of a surrogate pair stands alone in it; repair the source",
                ) from error

    def _until_cancelled(self, rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
        """*rows*, unless a request to cancel comes while no statement runs that could hear it."""
        for row in rows:
            if self._is_cancelled:
                raise QueryCancelled("Stopped while rows were being inserted")
            yield row

    def _connect(self) -> Connection:
        with self.door():
            self._driver.prepare(self._plan)
            connection = self._driver.create_engine(self._plan).connect()
        try:
            with self.door():
                self._driver.configure(connection)
            for statement in self._plan.statements:
                with self.door(statement):
                    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
            with self.door():
                connection.commit()
        except BaseException:
            connection.close()
            raise
        return connection


def _columns_and_rows(result: Any) -> tuple[list[str], Rows]:
    """What the driver's own cursor gives: SQLAlchemy's rows cost three times as much to build."""
    if not result.returns_rows:
        result.close()
        return [], []
    cursor = result.cursor
    columns = [str(column[0]) for column in cursor.description]
    rows = [tuple(row) for row in cursor.fetchall()]
    result.close()
    return columns, rows


def _in_utc(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(timezone.utc)
    return value
