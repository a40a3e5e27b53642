"""SQLite driver on Python's sqlite3 module: interrupts, declared types, and extra SQL functions.

SQLite stores times and JSON as text and truth values as numbers, and the type of an expression is unknown.
The store's columns are therefore recognized by name: times end in `_at`, and `BOOLEANS` and `JSON_COLUMNS`
list the others. Only a value of the expected form is converted.

A new file is put into WAL mode: an editor reads it while a command records, and neither waits. An existing
file keeps its mode, because it may hold a user's data. In the other modes, a writer waits for readers, and
readers wait for its commit.

`recce_hash`, `recce_hex`, `recce_md5`, `recce_median`, `recce_scientific` and `recce_text` are defined on
every connection, because the queries of data diffs call them.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from recce_meta.errors import DatabaseNotFound
from recce_meta.warehouses import ConnectionPlan, Warehouse
from recce_meta.warehouses.driver import (
    BaseDriver,
    Converter,
    Snapshot,
    json_value,
    raw,
    refuse_nul,
    refuse_special,
)
from recce_meta.warehouses.sqlite.connection import MEMORY

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BUSY_SECONDS = 2.0
_VIEW = "recce_meta_described"

BOOLEANS = frozenset(
    (
        "code_changed", "columns_changed", "compiled_changed", "config_changed", "contract_changed",
        "description_changed", "documented", "full_refresh", "git_dirty", "git_proven", "has_conflict",
        "has_expectations", "has_primary_key", "holds", "is_approximate", "is_certain", "is_current",
        "is_declared_unique", "is_equal", "is_latest", "is_optional", "is_private", "is_replaced",
        "is_stored", "is_unique", "keeps_values", "not_null", "place_changed", "same_dbt",
        "same_macros",
    )
)  # fmt: skip
"""Truth values in the store's tables, views and queries."""
JSON_COLUMNS = frozenset(
    (
        "adapter_response", "args", "columns", "config", "contract", "criteria", "extraction", "failed_rows",
        "findings", "fqn", "job", "macros", "meta", "notes", "parameters", "parent_columns", "properties",
        "result", "tags", "unrendered_config", "value_kinds", "variables", "violations", "warnings",
    )
)  # fmt: skip
"""JSON in the store's tables and views."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00", re.ASCII)
"""The only spelling of times in the store, so that they sort and compare."""


class Driver(BaseDriver):
    """Driver on the sqlite3 module."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse)
        self._is_new = False

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return SQLAlchemy's errors and sqlite3's, and that of integers of more than 64 bits."""
        return (*super().error_types(), sqlite3.Error, OverflowError)

    def prepare(self, plan: ConnectionPlan) -> None:
        """Raise DatabaseNotFound if the file does not exist and may not be created."""
        path = str(plan.url.database)
        if path != MEMORY:
            refuse_special(Path(path).expanduser())
        self._is_new = path != MEMORY and not Path(path).expanduser().exists()
        if self._is_new and not plan.may_create:
            raise DatabaseNotFound(
                f"SQLite file not found: {path}", hint="check the path; recce-meta init and record create it"
            )

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine of plain sqlite3 connections, which any thread may use."""
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

        path = str(plan.url.database)
        uri = path if path == MEMORY else f"file:{quote(str(Path(path).expanduser()))}"
        if plan.url.query:
            uri += "?" + urlencode({name: str(value) for name, value in plan.url.query.items()})

        def connect() -> Any:
            made = _opened(uri)
            if path == MEMORY or not _is_frozen(Path(path).expanduser()) or _is_readable(made):
                return made
            made.close()
            return _opened(f"{uri}{'&' if '?' in uri else '?'}immutable=1")

        return self.bare_engine(plan, SQLiteDialect_pysqlite(dbapi=sqlite3), connect)

    def configure(self, connection: Connection) -> None:
        """Define the functions that the queries of data diffs call; set the mode of a new file."""
        driver = raw(connection)
        if self._is_new:
            with suppress(sqlite3.OperationalError):  # another process creates the file at the same time
                driver.execute("PRAGMA journal_mode = WAL")
        driver.create_function("recce_hash", -1, _hash, deterministic=True)
        driver.create_function("recce_hex", 1, _from_hex, deterministic=True)
        driver.create_function("recce_md5", 1, _md5, deterministic=True)
        driver.create_function("recce_scientific", 1, _scientific, deterministic=True)
        driver.create_function("recce_text", 1, _text, deterministic=True)
        driver.create_aggregate("recce_median", 1, _Median)

    def begin(self, connection: Connection, *, atomic: bool) -> None:
        """Begin a transaction that takes the lock of writers with its first statement that writes.

        The first statement of a recorder writes, so that concurrent recorders wait for each other.
        """
        connection.begin()
        raw(connection).execute("BEGIN")

    def commit(self, connection: Connection) -> None:
        """Commit in SQLite first: SQLAlchemy forgets a transaction even if its commit fails."""
        raw(connection).commit()
        connection.commit()

    def rollback(self, connection: Connection) -> None:
        """Roll back in SQLite first, for the same reason."""
        raw(connection).rollback()
        connection.rollback()

    def send_own(self, connection: Connection, sql: str, parameters: Mapping[str, object]) -> Any:
        """Run our own *sql*: SQLite itself reads `:name`."""
        cursor = raw(connection).cursor(_StoreCursor)
        values = {name: _stored(value) for name, value in parameters.items()}
        return _Result(cursor.execute(sql.replace("\\:", ":"), values))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters for columns with the name of a time, a truth value or JSON of the store."""
        return _converters(cursor, json_value)

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return the same converters, except for JSON; none for the queries of data diffs."""
        return _converters(cursor, None) if isinstance(cursor, _StoreCursor) else {}

    def insert_rows(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
    ) -> None:
        """Insert *rows* through one prepared statement."""
        names = ", ".join(map(self.warehouse.quote_identifier, columns))
        values = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608 - quoted names
        raw(connection).executemany(sql, _bindable(table, columns, rows))

    def cancel(self, connection: Connection) -> None:
        """Interrupt the running statement."""
        raw(connection).interrupt()

    def take_snapshot(self, connection: Connection) -> Snapshot | None:
        """Begin to read if the file is in WAL mode; in the others, writers would wait for the end.

        https://www.sqlite.org/isolation.html
        """
        driver = raw(connection)
        ((mode,),) = driver.execute("PRAGMA journal_mode").fetchall()
        if mode != "wal":
            return None
        driver.execute("SELECT COUNT(*) FROM sqlite_schema").fetchall()
        return Snapshot()

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Return declared types, which a view passes on; for an expression, the type of its first value."""
        driver = raw(connection)
        with _with_temporary_objects(driver):
            driver.execute(f"DROP VIEW IF EXISTS temp.{_VIEW}")
            driver.execute(f"CREATE TEMP VIEW {_VIEW} AS {sql}")
        try:
            declared = driver.execute(f"PRAGMA temp.table_info({_VIEW})").fetchall()
            return [(str(name), str(kind) or self._kind(driver, name)) for _, name, kind, *_ in declared]
        finally:
            with _with_temporary_objects(driver):
                driver.execute(f"DROP VIEW temp.{_VIEW}")

    def _kind(self, driver: Any, name: str) -> str:
        column = self.warehouse.quote_identifier(name)
        sql = f"SELECT typeof({column}) FROM temp.{_VIEW} WHERE {column} IS NOT NULL LIMIT 1"  # noqa: S608
        row = driver.execute(sql).fetchone()
        return "TEXT" if row is None else str(row[0]).upper()


@contextmanager
def _with_temporary_objects(driver: Any) -> Iterator[None]:
    """Let a connection that only reads create temporary objects within the block; its file stays the same."""
    (is_read_only,) = driver.execute("PRAGMA query_only").fetchone()
    if not is_read_only:
        yield
        return
    driver.execute("PRAGMA query_only = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA query_only = ON")


class _StoreCursor(sqlite3.Cursor):
    """Cursor of a statement of our own, which returns columns of the store."""


class _Result:
    """A cursor with the interface of SQLAlchemy's results."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.cursor = cursor

    @property
    def returns_rows(self) -> bool:
        """True if the result has columns."""
        return self.cursor.description is not None

    def close(self) -> None:
        """Close the cursor, which ends its lock on the file."""
        self.cursor.close()


def _opened(uri: str) -> sqlite3.Connection:
    """Return a connection without implicit transactions."""
    return sqlite3.connect(
        uri, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri != MEMORY
    )


def _is_readable(connection: sqlite3.Connection) -> bool:
    """Return False if SQLite cannot read the file."""
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as error:
        return not re.search("unable to open|readonly", str(error))
    except sqlite3.DatabaseError:
        return True  # the first statement raises it again
    return True


def _is_frozen(file: Path) -> bool:
    """Return True if no process changes *file*: its folder is read-only and it has no log.

    There, SQLite reads a file in WAL mode only as immutable: https://www.sqlite.org/wal.html#readonly
    """
    return file.exists() and not os.access(file.parent, os.W_OK) and not Path(f"{file}-wal").exists()


def _converters(cursor: Any, of_json: Converter | None) -> dict[int, Converter]:
    found: dict[int, Converter] = {}
    for place, (name, *_) in enumerate(cursor.description or ()):
        if name.endswith("_at"):
            found[place] = _moment
        elif name in BOOLEANS:
            found[place] = lambda value: bool(value) if type(value) is int and value in (0, 1) else value
        elif of_json is not None and name in JSON_COLUMNS:
            found[place] = of_json
    return found


def _moment(value: Any) -> Any:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.fromisoformat(value)
    return value


def _stored(value: Any) -> Any:
    """Return *value* as SQLite stores it. Python's own conversion of times is deprecated."""
    if not isinstance(value, datetime):
        return value
    zone = value.tzinfo or timezone.utc
    return value.replace(tzinfo=zone).astimezone(timezone.utc).isoformat(" ", "microseconds")


def _bindable(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterable[Sequence[object]]:
    for row in rows:
        refuse_nul(table, columns, row)
        yield list(map(_stored, row)) if any(isinstance(value, datetime) for value in row) else row


def _hash(*values: Any) -> int:
    """Return a 64-bit hash of *values*; 1 and 1.0 have the same hash."""
    digest = hashlib.blake2b(digest_size=8)
    for value in values:
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
            value = int(value)
        if isinstance(value, int):
            part = b"i" + str(value).encode()
        elif isinstance(value, float):
            part = b"f" + pack("<d", value)
        elif isinstance(value, bytes):
            part = b"b" + value
        else:
            part = b"n" if value is None else b"t" + str(value).encode("utf-8", "surrogatepass")
        digest.update(len(part).to_bytes(8, "little") + part)
    return int.from_bytes(digest.digest(), "little", signed=True)


def _md5(value: Any) -> str | None:
    if value is None:
        return None
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _from_hex(value: Any) -> int | None:
    return None if value is None else int(value, 16)


def _scientific(value: Any) -> str | None:
    return None if value is None else f"{float(value):.14e}"


def _text(value: Any) -> str | None:
    """Return the shortest digits of a double without an exponent, a blob in hexadecimal, else the text."""
    if isinstance(value, float):
        return f"{Decimal(repr(value)).normalize() or Decimal():f}"
    return f"X'{value.hex()}'" if isinstance(value, bytes) else value if value is None else str(value)


class _Median:
    """Median of numbers; the mean of the middle two if their count is even."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def step(self, value: Any) -> None:
        if isinstance(value, (int, float)):
            self._values.append(value)

    def finalize(self) -> float | None:
        return float(statistics.median(self._values)) if self._values else None
