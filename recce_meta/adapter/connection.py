"""Connection of an adapter: runs every statement, streams rows, and translates every driver error."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from recce_meta.adapter.cancellation import (
    SILENCE_SECONDS,
    is_hurried,
    is_within_call,
    run_for_seconds,
    run_stoppable,
)
from recce_meta.adapter.errors import translate_error
from recce_meta.errors import QueryCancelled, QueryTimeout, RecceMetaError, WarehouseError, mask_errors
from recce_meta.redaction import redact
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.driver import BaseDriver, Converter, Policy, Rows, Snapshot, converted, in_utc

if TYPE_CHECKING:
    from sqlalchemy import Connection, Inspector

NO_PARAMETERS: Mapping[str, object] = MappingProxyType({})

Result = TypeVar("Result")
_LOG = logging.getLogger(__name__)

SERVER_PATIENCE_SECONDS = 1.0
"""Grace period beyond the limit for a server that enforces the limit itself."""
ABANDONED_SECONDS = 1.0
"""How long to wait for the cursor of a connection that was closed on this side."""
MINIMUM_SECONDS = 0.001
"""Time limit of a fetch after the time of its stream is over."""
CLOSE_SECONDS = 10.0
"""How long closing may take; the server cleans up the session by itself."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Cursor of one statement, from which rows are fetched in batches."""

    raw: Any
    converters: Mapping[int, Converter]
    sql: str


_IMPORTING = Lock()
"""Held while an engine is created, which imports SQLAlchemy: two threads would meet half of its modules."""


class StoppableConnection:
    """Connection of one driver whose calls Ctrl-C and other threads can stop; raises driver errors as ours.

    Calls run in a separate thread so that Ctrl-C can stop them in the warehouse: DuckDB does not notice
    Ctrl-C while it works.
    """

    def __init__(self, driver: BaseDriver, plan: ConnectionPlan) -> None:
        self._driver = driver
        self._plan = plan
        self.raw: Connection
        self.is_connected = False
        """True if the connection was opened."""
        self.is_asked_to_stop = False
        """True if `cancel` was called since the last statement began."""
        self.is_abandoned = False
        """True if a statement could not be stopped; the connection is never used again."""

    def open(self) -> None:
        """Connect to the database."""
        self.over_network(self._connect)

    @property
    def is_lost(self) -> bool:
        """True if the connection can no longer be used."""
        return self.is_abandoned or self._driver.is_lost(self.raw)

    def cancel(self) -> None:
        """Make the thread that waits for a statement stop it; harmless when nothing runs."""
        self.is_asked_to_stop = True

    def send_cancel(self) -> None:
        """Ask the server to stop the running statement; called from another thread."""
        self.is_asked_to_stop = True
        with self.translate_errors():
            self._driver.cancel(self.raw)

    def answers(self, seconds: float) -> bool:
        """Return True if the server answers a new connection within *seconds*; a refusal is an answer."""
        try:
            with self.translate_errors():
                return self._driver.answers(self.raw, seconds)
        except WarehouseError:
            return True

    def abandon(self) -> None:
        """Disconnect from a statement that cannot be stopped, and never use it again."""
        self.is_abandoned = True
        if self.is_connected:
            with suppress(WarehouseError), self.translate_errors():  # the connection has already ended
                self._driver.disconnect(self.raw)

    def close(self) -> None:
        """Close the connection and release its resources."""
        if self.is_abandoned:
            return

        def run() -> None:
            with self.translate_errors():
                self.raw.close()

        if self._driver.warehouse.is_in_process:
            run()
        elif not run_for_seconds(run, SILENCE_SECONDS if is_hurried() else CLOSE_SECONDS):
            self.abandon()

    def run(
        self, function: Callable[[], Result], *, timeout: float | None = None, patience: float = 0.0
    ) -> Result:
        """Return the result of *function*; stop it after *timeout* seconds, on Ctrl-C, or after `cancel`."""
        if is_within_call():
            return function()
        # An earlier request concerned an earlier statement.
        self.is_asked_to_stop = False

        def run() -> Result:
            try:
                return function()
            finally:
                # The caller has given up, so this thread cleans up when the driver returns.
                if self.is_abandoned:
                    self._discard()

        return run_stoppable(run, self, timeout=timeout, patience=patience)

    def over_network(self, function: Callable[[], Result]) -> Result:
        """Call *function*, on a separate thread unless the database runs in this process."""
        return function() if self._driver.warehouse.is_in_process else self.run(function)

    @contextmanager
    def translate_errors(self, sql: str | None = None) -> Iterator[None]:
        """Translate driver errors raised in the block to our errors about *sql*."""
        try:
            yield
        except RecceMetaError:
            raise  # without importing the driver's errors: the driver may be missing
        except self._driver.error_types() as error:
            raise self._translated(error, sql)  # noqa: B904

    @contextmanager
    def statement(self, sql: str) -> Iterator[None]:
        """Translate errors about *sql*, and log it with the duration of the block; never its parameters."""
        if not _LOG.isEnabledFor(logging.DEBUG):
            with self.translate_errors(sql):
                yield
            return
        started, outcome = time.perf_counter(), "failed"
        try:
            with self.translate_errors(sql):
                yield
            outcome = "done"
        finally:
            seconds = time.perf_counter() - started
            _LOG.debug(
                "Statement %s in %.3f s on %s:\n%s",
                *(outcome, seconds, self._driver.warehouse.name, redact(sql.strip(), self._plan.secrets)),
                extra={"statement_seconds": seconds},
            )

    def _translated(self, error: Exception, sql: str | None) -> WarehouseError:
        found = translate_error(
            error,
            self._driver.warehouse,
            sql=sql,
            secrets=self._plan.secrets,
            is_lost=self.is_connected and self._driver.is_lost(self.raw),
            database=self._plan.database,
            role=self._plan.role or self._plan.url.username,
        )
        found.url = self._plan.url
        return found

    def _discard(self) -> None:
        """Invalidate an abandoned connection; otherwise SQLAlchemy would try to reset it later."""
        if self.is_connected and not self._driver.warehouse.is_in_process:
            with suppress(WarehouseError), self.translate_errors():
                self.raw.invalidate()

    def _connect(self) -> None:
        started = time.perf_counter()
        # Drivers raise our own errors for files that they cannot use, such as keys and certificates.
        with self.translate_errors(), mask_errors(lambda: self._plan.secrets):
            self._driver.prepare(self._plan)
            with _IMPORTING:
                engine = self._driver.create_engine(self._plan)
            connection = engine.connect()
        try:
            with self.translate_errors():
                self._driver.configure(connection)
            for statement in self._plan.statements:
                with self.translate_errors(statement):
                    self._driver.set_up(connection, statement)
            with self.translate_errors():
                connection.commit()
            # The caller stopped waiting while the driver was connecting.
            if self.is_abandoned:
                raise QueryCancelled("Connecting cancelled")
        except BaseException:
            connection.close()
            raise
        # Set last, because a cancel request needs a connection that is set up.
        self.raw = connection
        self.is_connected = True
        if _LOG.isEnabledFor(logging.INFO):
            database = redact(self._plan.url.database or self._plan.database or "", self._plan.secrets)
            seconds = time.perf_counter() - started
            _LOG.info("Connected to %s %s in %.2f s", self._driver.warehouse.name, database, seconds)


class DriverConnection:
    """Statements, cursors and transactions on one connection of a driver, opened by `open`."""

    def __init__(self, driver: BaseDriver, plan: ConnectionPlan) -> None:
        self._driver = driver
        self._plan = plan
        self._connection = StoppableConnection(driver, plan)
        self._is_open = False
        self.policies: tuple[Policy, ...] = ()
        """Policies that hid rows or values of the last query of ours from the role."""

    def open(self) -> None:
        """Connect to the database."""
        self._connection.open()

    @property
    def is_lost(self) -> bool:
        """True if the connection can no longer be used."""
        return self._connection.is_lost

    def cancel(self) -> None:
        """Make the thread that waits for a statement stop it; harmless when nothing runs."""
        self._connection.cancel()

    def close(self) -> None:
        """Close the connection and release its resources."""
        self._connection.close()

    @property
    def in_transaction(self) -> bool:
        """True if a transaction is open."""
        return self._is_open

    def run_text(
        self,
        sql: str,
        timeout: float | None = None,
        *,
        is_ours: bool = False,
        snapshot: str | None = None,
    ) -> tuple[list[str], Rows]:
        """Run *sql* unchanged and return its columns and rows; in its own transaction unless one is open.

        If *is_ours*, JSON is returned as text, and `policies` are those of what *sql* read. Its own
        transaction sees *snapshot*, the name that `take_snapshot` returned.
        """
        timeout = self._plan.statement_seconds if timeout is None else timeout
        patience = SERVER_PATIENCE_SECONDS if self._driver.limits_in_server else 0.0

        def run() -> tuple[list[str], Rows]:
            if self.in_transaction:
                return self._run_within(sql, is_ours)
            return self._run_alone(sql, timeout, is_ours, snapshot)

        return self._connection.run(run, timeout=timeout, patience=patience)

    def take_snapshot(self) -> Snapshot | None:
        """Make the open transaction see one moment; return None if that is not possible."""
        with self._connection.translate_errors():
            return self._connection.run(lambda: self._driver.take_snapshot(self._connection.raw))

    def read_snapshot(self, name: str) -> None:
        """See in the transaction that begins now the snapshot called *name*."""
        with self._connection.translate_errors():
            self._connection.over_network(lambda: self._driver.read_snapshot(self._connection.raw, name))

    def release_locks(self) -> None:
        """Let others change what the open transaction has read; it still sees its moment."""
        with self._connection.translate_errors():
            self._connection.over_network(lambda: self._driver.release_locks(self._connection.raw))

    def open_cursor(self, sql: str, timeout: float | None = None) -> tuple[list[str], Cursor]:
        """Return the columns of the query *sql* and a cursor for its rows; requires an open transaction.

        After *timeout* seconds, the query is stopped.
        """

        def run() -> tuple[list[str], Cursor]:
            with self._connection.statement(sql):
                cursor = self._driver.open_cursor(self._connection.raw, sql)
                return _columns(cursor), Cursor(cursor, self._driver.converters(cursor), sql)

        return self._connection.run(run, timeout=timeout)

    def fetch(self, cursor: Cursor, most: int, timeout: float | None = None) -> Rows:
        """Return up to *most* further rows of *cursor*; an empty list at the end.

        After *timeout* seconds, the query is stopped.
        """

        def run() -> Rows:
            with self._connection.translate_errors(cursor.sql):
                return converted(self._driver.fetch_some(cursor.raw, most), cursor.converters)

        return self._connection.run(run, timeout=timeout)

    def close_cursor(self, cursor: Cursor) -> None:
        """Close *cursor* and discard its remaining rows."""

        def run() -> None:
            with self._connection.translate_errors(cursor.sql):
                self._driver.close_cursor(cursor.raw)

        if not self._connection.is_abandoned:
            with suppress(*([WarehouseError] if is_hurried() else [])):  # report Ctrl-C instead
                self._connection.run(run)
        elif not self._driver.warehouse.is_in_process:
            with suppress(WarehouseError):  # the connection has ended, and the cursor with it
                run_for_seconds(run, ABANDONED_SECONDS)

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """Return name and type of each column of *sql*; in its own transaction unless one is open."""
        return self._connection.run(lambda: self._describe(sql))

    def inspect(self, read: Callable[[Inspector], Result]) -> Result:
        """Call *read* with SQLAlchemy's inspector; in its own transaction unless one is open."""

        def run() -> Result:
            from sqlalchemy import inspect

            within = nullcontext() if self.in_transaction else self.transaction()
            with within, self._connection.translate_errors():
                return read(inspect(self._driver.reflecting(self._connection.raw)))

        return self._connection.run(run)

    def region(self) -> str | None:
        """Return the region of statements, if the driver knows it."""
        with self._connection.translate_errors():
            return self._connection.over_network(lambda: self._driver.region(self._connection.raw))

    def query(self, sql: str, parameters: Mapping[str, object]) -> Rows:
        """Return the rows of our own *sql*, with `:name` for parameters."""
        return self._connection.run(lambda: self._run_own(sql, parameters))[1]

    def execute(self, sql: str, parameters: Mapping[str, object]) -> None:
        """Run one statement of our own, with `:name` for parameters."""
        self._connection.run(lambda: self._run_own(sql, parameters))

    def insert_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], key: Sequence[str] = ()
    ) -> None:
        """Insert *rows* in bulk."""
        self._connection.run(lambda: self._insert(table, columns, self._until_cancelled(rows), key))

    @contextmanager
    def transaction(self, *, atomic: bool = False) -> Iterator[None]:
        """Commit when the block ends, roll back when it raises.

        With *atomic*, all statements form one transaction if the warehouse has transactions.
        """
        try:
            with self._connection.translate_errors("BEGIN"):
                self._connection.over_network(lambda: self._driver.begin(self._connection.raw, atomic=atomic))
            self._is_open = True
            yield
            # Within the `try`, because a refused commit leaves the transaction open in some drivers.
            with self._connection.translate_errors("COMMIT"):
                self._connection.over_network(lambda: self._driver.commit(self._connection.raw))
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._is_open = False

    def _roll_back(self) -> None:
        """Roll back; invalidate the connection if that fails.

        An error of the rollback is suppressed: the error that caused it is already being raised.
        """
        if self._connection.is_abandoned:
            return

        def run() -> None:
            with self._connection.translate_errors("ROLLBACK"):
                self._driver.rollback(self._connection.raw)

        try:
            self._connection.over_network(run)
        except WarehouseError:
            if not self._connection.is_abandoned:
                # A connection in an unknown transaction must not run another statement.
                run_for_seconds(self._connection.raw.invalidate, CLOSE_SECONDS)

    def _run_alone(
        self, sql: str, timeout: float | None, is_ours: bool, snapshot: str | None
    ) -> tuple[list[str], Rows]:
        with self.transaction(atomic=is_ours and self._driver.examines_transaction and snapshot is None):
            if snapshot is not None:
                with self._connection.translate_errors(sql):
                    self._driver.read_snapshot(self._connection.raw, snapshot)
            if timeout is not None:
                # A limit in the server ends with the transaction, which has only this statement.
                with self._connection.translate_errors(sql):
                    self._driver.limit_statement(self._connection.raw, timeout)
            found = self._run_within(sql, is_ours)
            if is_ours:
                self._examine(sql)
            return found

    def _examine(self, sql: str) -> None:
        """Raise WarehouseError if the transaction's snapshot does not have the rows of what *sql* read."""
        with self._connection.translate_errors(sql):
            reads = self._driver.examine(self._connection.raw, sql)
        self.policies = reads.policies
        if reads.is_rebuilt:
            raise WarehouseError(
                "A relation was rebuilt during the comparison", hint="compare again after the build", sql=sql
            )

    def _run_within(self, sql: str, is_ours: bool) -> tuple[list[str], Rows]:
        # A server-side limit would outlast the statement, so within a session only our own clock applies.
        with self._connection.statement(sql):
            result = self._driver.send(self._connection.raw, sql)
            return _everything(self._driver, result, has_json_text=is_ours)

    def _describe(self, sql: str) -> list[tuple[str, str]]:
        within = nullcontext() if self.in_transaction else self.transaction()
        with within, self._connection.statement(sql):
            return self._driver.describe(self._connection.raw, sql)

    def _run_own(self, sql: str, parameters: Mapping[str, object]) -> tuple[list[str], Rows]:
        # Logs and errors show what the warehouse receives.
        sent = sql.replace("\\:", ":")
        with self._connection.statement(sent):
            result = self._driver.send_own(self._connection.raw, sql, parameters)
            return _everything(self._driver, result, has_json_text=True)

    def _insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], key: Sequence[str]
    ) -> None:
        with self._connection.statement(f"INSERT INTO {table}"):
            try:
                self._driver.insert_rows(self._connection.raw, table, columns, rows, key)
            except UnicodeEncodeError as error:
                raise WarehouseError(
                    f"Invalid Unicode in a string for {table}: {error.reason}",
                    hint="remove the unpaired surrogate at its source",
                ) from error

    def _until_cancelled(self, rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
        """Yield *rows*; raise QueryCancelled if a cancel request arrives between two statements."""
        for row in rows:
            if self._connection.is_asked_to_stop:
                raise QueryCancelled("Insert cancelled")
            yield row


def _everything(driver: BaseDriver, result: Any, *, has_json_text: bool) -> tuple[list[str], Rows]:
    """Fetch from the driver's own cursor: SQLAlchemy's rows take three times as long to build."""
    if not result.returns_rows:
        result.close()
        return [], []
    cursor = result.cursor
    columns = _columns(cursor)
    find = driver.text_converters if has_json_text else driver.converters
    converters = find(cursor)
    rows = converted(driver.fetch_all(cursor), converters)
    if has_json_text:  # drivers return times in the zone of the session, which is the user's
        rows = [tuple(map(in_utc, row)) for row in rows]
    result.close()
    return columns, rows


def _columns(cursor: Any) -> list[str]:
    return [str(column[0]) for column in cursor.description or ()]


class Stream:
    """Iterator over batches of rows.

    Its adapter runs nothing else until the last row is read or the stream is closed. Ctrl-C, and `cancel` of
    the adapter, stop the query in the warehouse.
    """

    def __init__(
        self,
        link: DriverConnection,
        sql: str,
        batch_rows: int,
        timeout: float | None = None,
        *,
        snapshot: str | None = None,
    ) -> None:
        """Within a session, the stream is a part of its transaction; else it sees *snapshot*, if given."""
        self._link = link
        self._size = batch_rows
        self._timeout = timeout
        self._left = timeout
        """Seconds that the warehouse may still take."""
        self._transaction = ExitStack()
        self._cursor: Cursor | None = None
        # A failure ends the transaction here; otherwise it stays open for the stream.
        with ExitStack() as opening:
            if not link.in_transaction:
                opening.enter_context(link.transaction(atomic=snapshot is None))
                if snapshot is not None:
                    link.read_snapshot(snapshot)
            self.columns, cursor = self._timed(lambda left: link.open_cursor(sql, left))
            opening.callback(link.close_cursor, cursor)
            self._transaction = opening.pop_all()
            self._cursor = cursor

    def __iter__(self) -> Iterator[Rows]:
        return self

    def __next__(self) -> Rows:
        """Return the next batch, which is never empty."""
        if self._cursor is None:
            raise StopIteration
        with ExitStack() as on_error:
            # A failed fetch ends the stream and frees the adapter.
            on_error.push(self._fail)
            rows = self._timed(partial(self._link.fetch, self._cursor, self._size))
            on_error.pop_all()
        if not rows:
            self.close()
            raise StopIteration
        return rows

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """True if there may be more rows."""
        return self._cursor is not None

    def _timed(self, work: Callable[[float | None], Result]) -> Result:
        """Return the result of *work*, which receives the remaining seconds."""
        if self._timeout is None or self._left is None:
            return work(None)
        started = time.monotonic()
        try:
            return work(max(self._left, MINIMUM_SECONDS))
        except QueryTimeout as error:
            message = f"Query stopped after {self._timeout:g} s"
            raise QueryTimeout(message, hint=error.hint, code=error.code, sql=error.sql) from error
        finally:
            self._left -= time.monotonic() - started

    def _fail(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cursor = None
        self._transaction.__exit__(kind, error, trace)

    def close(self) -> None:
        """Discard the remaining rows, and free the adapter for other statements."""
        if self._cursor is not None:
            self._cursor = None
            self._transaction.close()


class Session:
    """One transaction: all of its statements take effect, or none."""

    def __init__(self, link: DriverConnection) -> None:
        self._link = link

    def query(self, sql: str, parameters: Mapping[str, object] = NO_PARAMETERS) -> Rows:
        """Return the rows of our own *sql*, with `:name` for parameters; JSON as text, times in UTC."""
        return self._link.query(sql, parameters)

    def execute(self, sql: str, parameters: Mapping[str, object] = NO_PARAMETERS) -> None:
        """Run one statement of our own, with `:name` for parameters."""
        self._link.execute(sql, parameters)

    def insert_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], key: Sequence[str] = ()
    ) -> None:
        """Insert *rows* in bulk into *table*, which is SQL text such as `"schema"."table"`.

        Values are None, str, int, float, bool or an aware datetime; a JSON column takes JSON text. *rows* may
        be a generator: about 16 MB of text are in memory at a time. A warehouse without transactions skips
        rows whose *key* columns match an existing row, because the statement may be repeated.
        """
        self._link.insert_rows(table, columns, rows, key)

    def take_snapshot(self) -> Snapshot | None:
        """Make this transaction see one moment; return None if that is not possible."""
        return self._link.take_snapshot()

    def answer(self, sql: str, timeout: float | None = None) -> Rows:
        """Return the rows of *sql*, a query that we generated, after `take_snapshot`."""
        rows = self._link.run_text(sql, timeout, is_ours=True)[1]
        self._link.release_locks()
        return rows

    def stream(self, sql: str, batch_rows: int, timeout: float | None = None) -> Stream:
        """Return the rows of *sql* in batches, after `take_snapshot`; nothing else runs meanwhile."""
        return Stream(self._link, sql, batch_rows, timeout)
