"""`UnifiedSqlAdapter`: one database, one connection, opened when it is first needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

from recce_meta.adapter.drivers.base import driver_for
from recce_meta.adapter.errors import translate
from recce_meta.errors import QueryTimeout, StoreLocked, UsageError
from recce_meta.profiles import load_profile
from recce_meta.warehouses import (
    ConnectionPlan,
    Fields,
    UrlParts,
    Warehouse,
    warehouse_for_scheme,
    warehouse_named,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

Rows = list[tuple[Any, ...]]
NO_PARAMETERS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Target:
    """What `profiles.yml` resolved to; holds no secret."""

    profile: str
    name: str
    type: str
    database: str | None
    schema: str | None
    threads: int


class Session:
    """One transaction: what is executed here happens wholly or not at all."""

    def __init__(self, adapter: UnifiedSqlAdapter, connection: Connection) -> None:
        self._adapter = adapter
        self._connection = connection

    def query(self, sql: str, parameters: Mapping[str, object] = NO_PARAMETERS) -> Rows:
        """The rows that our own *sql* gives, with `:name` for parameters."""
        from sqlalchemy import text

        with self._adapter._door(sql):
            result = self._connection.execute(text(sql), dict(parameters))
            return [tuple(row) for row in result.cursor.fetchall()] if result.returns_rows else []

    def execute(self, sql: str, parameters: Mapping[str, object] = NO_PARAMETERS) -> None:
        """Run one statement of our own, with `:name` for parameters."""
        from sqlalchemy import text

        with self._adapter._door(sql):
            self._connection.execute(text(sql), dict(parameters)).close()

    def insert_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Insert *rows* in bulk into *table*, which is SQL text such as `"schema"."table"`."""
        with self._adapter._door(f"INSERT INTO {table}"):
            self._adapter._driver.insert_rows(self._connection, table, columns, rows)


class UnifiedSqlAdapter:
    """One way to run SQL, whatever the warehouse. Made by `from_dbt_profile` or `from_url`."""

    def __init__(
        self,
        warehouse: Warehouse,
        plan: ConnectionPlan,
        target: Target | None = None,
        *,
        lock_timeout: float = 60.0,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self.warehouse = warehouse
        self.target = target
        self._plan = plan
        self._lock_timeout = lock_timeout
        self._on_wait = on_wait
        self._driver = driver_for(warehouse)
        self._open: Connection | None = None

    @classmethod
    def from_dbt_profile(
        cls,
        profiles_path: str | Path | None = None,
        profile: str | None = None,
        target: str | None = None,
        *,
        project_dir: Path | None = None,
        variables: Mapping[str, object] | None = None,
        lock_timeout: float = 60.0,
        on_wait: Callable[[str], None] | None = None,
    ) -> UnifiedSqlAdapter:
        """The target that dbt would use, or the one named."""
        loaded = load_profile(profiles_path, profile, target, project_dir=project_dir, variables=variables)
        warehouse = warehouse_named(loaded.type, where=f"in {loaded.where}")
        fields = Fields(
            loaded.fields, aliases=warehouse.aliases, where=loaded.where, base_dir=loaded.project_dir
        )
        plan = warehouse.plan(fields)
        chosen = Target(loaded.name, loaded.target, loaded.type, plan.database, plan.schema, loaded.threads)
        return cls(warehouse, plan, chosen, lock_timeout=lock_timeout, on_wait=on_wait)

    @classmethod
    def from_url(
        cls,
        url: str,
        dialect: str | None = None,
        *,
        lock_timeout: float = 60.0,
        on_wait: Callable[[str], None] | None = None,
    ) -> UnifiedSqlAdapter:
        """The database at a SQLAlchemy URL: `duckdb:///file.duckdb`, `postgresql://user@host/database`."""
        from sqlalchemy import make_url

        parsed = make_url(url)
        parts = UrlParts(
            parsed.drivername,
            parsed.username,
            parsed.password,
            parsed.host,
            parsed.port,
            parsed.database,
            dict(parsed.query),
        )
        warehouse = warehouse_named(dialect) if dialect else warehouse_for_scheme(parts.scheme)
        return cls(warehouse, warehouse.plan_url(parts), lock_timeout=lock_timeout, on_wait=on_wait)

    def __enter__(self) -> UnifiedSqlAdapter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def quote_identifier(self, name: str) -> str:
        """*name* as it stands in this warehouse's SQL."""
        return self.warehouse.quote_identifier(name)

    def quote_table(self, schema: str, table: str, database: str | None = None) -> str:
        """The qualified name of a table in this warehouse's SQL."""
        return self.warehouse.quote_table(schema, table, database)

    def execute(self, sql: str) -> tuple[list[str], Rows]:
        """The columns and rows that *sql* gives: any one statement, sent as it is."""
        return self.execute_with_cancel(sql)

    def execute_with_cancel(self, sql: str, timeout: float | None = None) -> tuple[list[str], Rows]:
        """Like `execute`, and stopped in the warehouse after *timeout* seconds or by Ctrl-C."""
        connection = self._connect()
        outcome: list[Any] = []

        def run() -> None:
            try:
                with self._door(sql):
                    outcome.append(self._run(connection, sql))
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
                outcome.append(error)

        worker = Thread(target=run, daemon=True)
        worker.start()
        expired = self._wait(worker, connection, timeout)
        result = outcome[0]
        if isinstance(result, BaseException):
            if expired:
                raise QueryTimeout(f"Stopped after {timeout:g} s", sql=sql) from result
            raise result
        columns, rows = result
        return columns, rows

    def _wait(self, worker: Thread, connection: Connection, timeout: float | None) -> bool:
        try:
            worker.join(timeout)
            if not worker.is_alive():
                return False
            self._cancel(worker, connection)
            return True
        except KeyboardInterrupt:
            self._cancel(worker, connection)
            raise

    def _cancel(self, worker: Thread, connection: Connection) -> None:
        while worker.is_alive():
            self._driver.cancel(connection)
            worker.join(0.2)

    def _run(self, connection: Connection, sql: str) -> tuple[list[str], Rows]:
        joined = connection.in_transaction()
        try:
            result = connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
            columns = list(result.keys()) if result.returns_rows else []
            rows = [tuple(row) for row in result.cursor.fetchall()] if result.returns_rows else []
            result.close()
            if not joined:
                connection.commit()
            return columns, rows
        except BaseException:
            if not joined:
                connection.rollback()
            raise

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        connection = self._connect()
        if connection.in_transaction():
            raise UsageError("A session is already open on this adapter")
        with self._door("BEGIN"):
            transaction = connection.begin()
        try:
            yield Session(self, connection)
        except BaseException:
            transaction.rollback()
            raise
        with self._door("COMMIT"):
            transaction.commit()

    def close(self) -> None:
        """Close the connection, if one is open; a DuckDB file is free for others at once."""
        if self._open is not None:
            opened, self._open = self._open, None
            opened.close()

    @contextmanager
    def _door(self, sql: str | None = None) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise_from(error, self.warehouse, sql, self._plan.secrets)

    def _connect(self) -> Connection:
        if self._open is None:
            self._open = self._connect_when_free()
        return self._open

    def _connect_when_free(self) -> Connection:
        deadline = time.monotonic() + self._lock_timeout
        told = False
        while True:
            try:
                return self._connect_now()
            except StoreLocked as error:
                if time.monotonic() >= deadline:
                    error.hint = f"it was still locked after {self._lock_timeout:g} s"
                    raise
                if not told and self._on_wait is not None:
                    self._on_wait(f"Waiting for another process to release {self._plan.url.database}")
                told = True
                time.sleep(0.1)

    def _connect_now(self) -> Connection:
        with self._door():
            self._driver.prepare(self._plan)
            connection = self._driver.create_engine(self._plan).connect()
            for statement in self._plan.statements:
                connection.exec_driver_sql(statement)
            connection.commit()
            return connection


def raise_from(error: Exception, warehouse: Warehouse, sql: str | None, secrets: Iterable[str]) -> None:
    """Raise *error* as one of ours; what is ours already, and mistakes of our own, pass as they are."""
    from sqlalchemy.exc import SQLAlchemyError

    original = getattr(error, "orig", None) or error
    driver = type(original).__module__.partition(".")[0]
    if isinstance(error, SQLAlchemyError) or driver in ("_duckdb", "duckdb", "psycopg"):
        raise translate(error, warehouse, sql=sql, secrets=secrets) from None
    raise error
