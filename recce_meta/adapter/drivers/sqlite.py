"""SQLite through Python's own module: interrupts, declared types, and functions that it has none of.

`recce_hash`, `recce_hex`, `recce_md5`, `recce_median` and `recce_scientific` are defined on every connection:
statements of data diffs call them.
"""

from __future__ import annotations

import hashlib
import sqlite3
import statistics
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from recce_meta.adapter.drivers.base import BaseDriver, raw
from recce_meta.errors import ConnectionFailed
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.by_url.sqlite import MEMORY

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BUSY_SECONDS = 5.0
_VIEW = "recce_meta_described"


class Driver(BaseDriver):
    """sqlite3."""

    def error_types(self) -> tuple[type[Exception], ...]:
        """SQLAlchemy's errors and sqlite3's."""
        return (*super().error_types(), sqlite3.Error)

    def prepare(self, plan: ConnectionPlan) -> None:
        """A file that is not there is an error: SQLite would create it."""
        path = str(plan.url.database)
        if path != MEMORY and not Path(path).expanduser().exists():
            raise ConnectionFailed(f"No SQLite file at {path}", hint="check the path")

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine whose connections are sqlite3's own, which any thread may use."""
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

        path = str(plan.url.database)
        uri = path if path == MEMORY else f"file:{quote(str(Path(path).expanduser()))}"
        if plan.url.query:
            uri += "?" + urlencode({name: str(value) for name, value in plan.url.query.items()})

        def connect() -> Any:
            return sqlite3.connect(uri, timeout=_BUSY_SECONDS, check_same_thread=False, uri=uri != MEMORY)

        return self.bare_engine(plan, SQLiteDialect_pysqlite(dbapi=sqlite3), connect)

    def configure(self, connection: Connection) -> None:
        """Define what statements of data diffs call."""
        driver = raw(connection)
        driver.create_function("recce_hash", -1, _hash, deterministic=True)
        driver.create_function("recce_hex", 1, _from_hex, deterministic=True)
        driver.create_function("recce_md5", 1, _md5, deterministic=True)
        driver.create_function("recce_scientific", 1, _scientific, deterministic=True)
        driver.create_aggregate("recce_median", 1, _Median)

    def cancel(self, connection: Connection) -> None:
        """Interrupt the running statement."""
        raw(connection).interrupt()

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Declared types, which a view hands on; of an expression, that of its first value."""
        driver = raw(connection)
        driver.execute(f"DROP VIEW IF EXISTS temp.{_VIEW}")
        driver.execute(f"CREATE TEMP VIEW {_VIEW} AS {sql}")
        try:
            declared = driver.execute(f"PRAGMA temp.table_info({_VIEW})").fetchall()
            return [(str(name), str(kind) or self._stored(driver, name)) for _, name, kind, *_ in declared]
        finally:
            driver.execute(f"DROP VIEW temp.{_VIEW}")

    def _stored(self, driver: Any, name: str) -> str:
        column = self.warehouse.quote_identifier(name)
        sql = f"SELECT typeof({column}) FROM temp.{_VIEW} WHERE {column} IS NOT NULL LIMIT 1"  # noqa: S608
        row = driver.execute(sql).fetchone()
        return "TEXT" if row is None else str(row[0]).upper()


def _hash(*values: Any) -> int:
    """A hash of *values* in 64 bits, in which 1 and 1.0 are the same, and no other two but by chance."""
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


class _Median:
    """The median of numbers: the mean of the middle two where there are two."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def step(self, value: Any) -> None:
        if isinstance(value, (int, float)):
            self._values.append(value)

    def finalize(self) -> float | None:
        return float(statistics.median(self._values)) if self._values else None
