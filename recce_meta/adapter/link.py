"""One open connection, and the door through which everything that is sent to it passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from recce_meta.adapter.cancellation import (
    SILENCE_SECONDS,
    is_hurried,
    is_within_call,
    run_briefly,
    run_stoppable,
)
from recce_meta.adapter.drivers.base import BaseDriver, Converter, Rows
from recce_meta.adapter.errors import translated
from recce_meta.errors import QueryCancelled, RecceMetaError, WarehouseError, masking_errors
from recce_meta.warehouses import ConnectionPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection, Inspector

Result = TypeVar("Result")

SERVER_PATIENCE_SECONDS = 1.0
"""How much longer than the limit a server may take that keeps the limit itself."""
ABANDONED_SECONDS = 1.0
"""How long to wait for the cursor of a connection that was ended on this side."""
CLOSE_SECONDS = 10.0
"""How long closing may take; the server ends what is left of a session by itself."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the rows of one statement come from, some at a time."""

    raw: Any
    converters: Mapping[int, Converter]
    sql: str


class Link:
    """A connection with its driver, opened by `open`; every error of the driver leaves as one of ours.

    Statements run in a thread of their own, so that Ctrl-C stops them in the warehouse: DuckDB does not hear
    it while it works.
    """

    def __init__(self, driver: BaseDriver, plan: ConnectionPlan) -> None:
        self._driver = driver
        self._plan = plan
        self._is_abandoned = False
        self._is_cancelled = False
        self._is_open = False
        self._is_connected = False
        self._connection: Connection

    def open(self) -> None:
        """Connect."""
        self._over_network(self._connect)

    @property
    def is_connected(self) -> bool:
        """Whether the connection was opened."""
        return self._is_connected

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether `cancel` was called since the last statement began."""
        return self._is_cancelled

    @property
    def is_lost(self) -> bool:
        """Whether the connection cannot be used any more."""
        return self._is_abandoned or self._driver.is_lost(self._connection)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._is_open

    def run_text(
        self, sql: str, timeout: float | None = None, *, has_json_text: bool = False
    ) -> tuple[list[str], Rows]:
        """The columns and rows of *sql*, sent unchanged; a transaction of its own unless one is open.

        JSON comes as values, or as text where *has_json_text*.
        """
        patience = SERVER_PATIENCE_SECONDS if self._driver.limits_in_server else 0.0
        run = self._run_within if self.in_transaction else self._run_alone
        return self._stoppable(lambda: run(sql, timeout, has_json_text), timeout=timeout, patience=patience)

    def open_cursor(self, sql: str) -> tuple[list[str], Cursor]:
        """The columns of the query *sql*, and where its rows are fetched from; within a transaction."""

        def run() -> tuple[list[str], Cursor]:
            with self.door(sql):
                cursor = self._driver.open_cursor(self._connection, sql)
                return _columns(cursor), Cursor(cursor, self._driver.converters(cursor), sql)

        return self._stoppable(run)

    def fetch(self, cursor: Cursor, most: int) -> Rows:
        """The next rows of *cursor*, up to *most*; none where there are no more."""

        def run() -> Rows:
            with self.door(cursor.sql):
                return _converted(self._driver.fetch_some(cursor.raw, most), cursor.converters)

        return self._stoppable(run)

    def close_cursor(self, cursor: Cursor) -> None:
        """Leave what *cursor* still has."""

        def run() -> None:
            with self.door(cursor.sql):
                self._driver.close_cursor(cursor.raw)

        if not self._is_abandoned:
            with suppress(*([WarehouseError] if is_hurried() else [])):  # Ctrl-C is what to report
                self._stoppable(run)
        elif not self._driver.warehouse.is_in_process:
            with suppress(WarehouseError):  # the connection has ended, and the cursor with it
                run_briefly(run, ABANDONED_SECONDS)

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """Name and type of each column that *sql* would give; a transaction of its own unless one is open."""
        return self._stoppable(lambda: self._describe(sql))

    def inspect(self, read: Callable[[Inspector], Result]) -> Result:
        """What *read* makes of SQLAlchemy's inspector; a transaction of its own unless one is open."""

        def run() -> Result:
            from sqlalchemy import inspect

            with nullcontext() if self.in_transaction else self.transaction(), self.door():
                # Where SQLAlchemy did not make the engine, its dialect does not know the server yet.
                if getattr(self._connection.dialect, "server_version_info", None) is None:
                    self._connection.dialect.initialize(self._connection)
                return read(inspect(self._connection))

        return self._stoppable(run)

    def region(self) -> str | None:
        """Where statements run, as far as the driver knows."""

        def run() -> str | None:
            with self.door():
                return self._driver.region(self._connection)

        return self._over_network(run)

    def query(self, sql: str, parameters: Mapping[str, object]) -> Rows:
        """The rows of our own *sql*, with `:name` for parameters."""
        _, rows = self._stoppable(lambda: self._run_own(sql, parameters))
        return rows if self._plan.timezone_is_utc else [tuple(map(_in_utc, row)) for row in rows]

    def execute(self, sql: str, parameters: Mapping[str, object]) -> None:
        """Run one statement of our own, with `:name` for parameters."""
        self._stoppable(lambda: self._run_own(sql, parameters))

    def insert_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], key: Sequence[str] = ()
    ) -> None:
        """Insert *rows* in bulk."""
        self._stoppable(lambda: self._insert(table, columns, self._until_cancelled(rows), key))

    @contextmanager
    def transaction(self, *, atomic: bool = False) -> Iterator[None]:
        """What ends with a commit when the block ends, and with a roll-back when it raises.

        Where it must be *atomic*, it is one transaction, if the warehouse has any.
        """
        try:
            self._over_network(lambda: self._begin(atomic=atomic))
            self._is_open = True
            yield
            self._over_network(self._commit)
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._is_open = False

    def cancel(self) -> None:
        """Let the thread that waits for a statement stop it; harmless when nothing runs."""
        self._is_cancelled = True

    def send_cancel(self) -> None:
        """Ask the server to stop what runs, from another thread."""
        self._is_cancelled = True
        with self.door():
            self._driver.cancel(self._connection)

    def answers(self, seconds: float) -> bool:
        """Whether the server answers a new connection within *seconds*; any answer counts, also a refusal."""
        try:
            with self.door():
                return self._driver.answers(self._connection, seconds)
        except WarehouseError:
            return True

    def abandon(self) -> None:
        """Leave the connection to a statement that cannot be stopped, and end it on this side."""
        self._is_abandoned = True
        if self._is_connected:
            with suppress(WarehouseError), self.door():  # it has ended by itself
                self._driver.disconnect(self._connection)

    def close(self) -> None:
        """Close the connection and release what it holds."""
        if self._is_abandoned:
            return

        def run() -> None:
            with self.door():
                self._connection.close()

        if self._driver.warehouse.is_in_process:
            run()
        elif not run_briefly(run, SILENCE_SECONDS if is_hurried() else CLOSE_SECONDS):
            self.abandon()

    @contextmanager
    def door(self, sql: str | None = None) -> Iterator[None]:
        """Within the block, what the driver raises becomes an error of ours about *sql*."""
        try:
            yield
        except RecceMetaError:
            raise  # and no look at the driver's errors: it may be the driver that is missing
        except self._driver.error_types() as error:
            raise self._translated(error, sql)  # noqa: B904

    def _translated(self, error: Exception, sql: str | None) -> WarehouseError:
        return translated(
            error,
            self._driver.warehouse,
            sql=sql,
            secrets=self._plan.secrets,
            is_lost=self._is_connected and self._driver.is_lost(self._connection),
            database=self._plan.database,
            role=self._plan.role or self._plan.url.username,
        )

    def _begin(self, *, atomic: bool) -> None:
        with self.door("BEGIN"):
            self._driver.begin(self._connection, atomic=atomic)

    def _commit(self) -> None:
        with self.door("COMMIT"):
            self._driver.commit(self._connection)

    def _roll_back(self) -> None:
        """Undo what was begun; a connection that cannot even do that is given up: it is lost, or in ruins.

        What made the roll-back necessary is the error to tell, and it is on its way.
        """
        if self._is_abandoned:
            return

        def run() -> None:
            with self.door("ROLLBACK"):
                self._driver.rollback(self._connection)

        try:
            self._over_network(run)
        except WarehouseError:
            if not self._is_abandoned:
                run_briefly(self._connection.invalidate, CLOSE_SECONDS)

    def _over_network(self, function: Callable[[], Result]) -> Result:
        """What *function* gives, on a thread of its own unless the database is within this process."""
        return function() if self._driver.warehouse.is_in_process else self._stoppable(function)

    def _stoppable(
        self, function: Callable[[], Result], *, timeout: float | None = None, patience: float = 0.0
    ) -> Result:
        if is_within_call():
            return function()
        self._is_cancelled = False

        def run() -> Result:
            try:
                return function()
            finally:
                if self._is_abandoned:
                    self._discard()

        return run_stoppable(run, self, timeout=timeout, patience=patience)

    def _discard(self) -> None:
        """Let go of a connection that was abandoned; SQLAlchemy would else try to reset it at some time."""
        if self._is_connected and not self._driver.warehouse.is_in_process:
            with suppress(WarehouseError), self.door():
                self._connection.invalidate()

    def _run_alone(self, sql: str, timeout: float | None, has_json_text: bool) -> tuple[list[str], Rows]:
        with self.transaction():
            if timeout is not None:
                with self.door(sql):
                    self._driver.limit_statement(self._connection, timeout)
            return self._run_within(sql, None, has_json_text)

    def _run_within(self, sql: str, _timeout: float | None, has_json_text: bool) -> tuple[list[str], Rows]:
        # A limit set here would outlast the statement: within a session, the clock on this side keeps it.
        with self.door(sql):
            return self._everything(self._driver.send(self._connection, sql), has_json_text=has_json_text)

    def _describe(self, sql: str) -> list[tuple[str, str]]:
        with nullcontext() if self.in_transaction else self.transaction(), self.door(sql):
            return self._driver.describe(self._connection, sql)

    def _run_own(self, sql: str, parameters: Mapping[str, object]) -> tuple[list[str], Rows]:
        with self.door(sql.replace("\\:", ":")):  # as it is sent
            result = self._driver.send_own(self._connection, sql, parameters)
            return self._everything(result, has_json_text=True)

    def _everything(self, result: Any, *, has_json_text: bool) -> tuple[list[str], Rows]:
        """What the driver's own cursor gives: SQLAlchemy's rows cost three times as much to build."""
        if not result.returns_rows:
            result.close()
            return [], []
        cursor = result.cursor
        columns = _columns(cursor)
        find = self._driver.text_converters if has_json_text else self._driver.converters
        converters = find(cursor)
        rows = _converted(self._driver.fetch_all(cursor), converters)
        result.close()
        return columns, rows

    def _insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], key: Sequence[str]
    ) -> None:
        with self.door(f"INSERT INTO {table}"):
            try:
                self._driver.insert_rows(self._connection, table, columns, rows, key)
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

    def _connect(self) -> None:
        # A driver's file tells by itself what it cannot use: a key, a certificate.
        with self.door(), masking_errors(lambda: self._plan.secrets):
            self._driver.prepare(self._plan)
            connection = self._driver.create_engine(self._plan).connect()
        try:
            with self.door():
                self._driver.configure(connection)
            for statement in self._plan.statements:
                with self.door(statement):
                    self._driver.set_up(connection, statement)
            with self.door():
                connection.commit()
            if self._is_abandoned:
                raise QueryCancelled("Stopped while connecting")
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._is_connected = True


def _columns(cursor: Any) -> list[str]:
    return [str(column[0]) for column in cursor.description or ()]


def _converted(rows: Rows, converters: Mapping[int, Converter]) -> Rows:
    """*rows* with the values of some columns converted; the very same where none need it."""
    if not converters:
        return rows
    changed = []
    for row in rows:
        values = list(row)
        for place, convert in converters.items():
            if values[place] is not None:
                values[place] = convert(values[place])
        changed.append(tuple(values))
    return changed


def _in_utc(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(timezone.utc)
    return value
