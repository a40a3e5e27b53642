"""DuckDB: files in the oldest storage version, interrupts, and bulk loads without Arrow.

Rows go in as newline-delimited JSON through a temporary file, which DuckDB reads 1.5 to 2 times faster
than it takes lists of parameters, and 50 times faster than `executemany`. Every column is read as text and
cast by the INSERT itself, so that text comes back to the byte and no type is guessed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory, mkstemp
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

from recce_meta.adapter.drivers.base import (
    BATCH_CHARACTERS,
    BaseDriver,
    batches,
    bounded_batches,
    raw,
    refuse_nul,
    storable,
)
from recce_meta.errors import ConnectionFailed
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.duckdb import is_file

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

OLDEST_STORAGE = "v1.0.0"
"""Opened by every DuckDB 1.x; what 2.0 creates by default is opened by 2.0 alone."""
SMALLEST_OBJECT = 64 * 1024
"""The longest JSON line that DuckDB makes room for at least; it holds several times that in each thread."""
ROWS_AT_A_TIME = 16
FILE_BYTES = 2 * 1024 * 1024
"""How much goes into one file, and so into one INSERT: at 64 MB, DuckDB takes three times the memory and no
less time (docs/benchmarks.md)."""
ESCAPED_NUL = b"\\u0000"


class Driver(BaseDriver):
    """The duckdb package, through duckdb-engine."""

    def error_types(self) -> tuple[type[Exception], ...]:
        """SQLAlchemy's errors and DuckDB's."""
        from duckdb import Error

        return (*super().error_types(), Error)

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """An engine that connects here: duckdb-engine itself would first open a database in memory."""

        def connect() -> Any:
            import duckdb
            from duckdb_engine import ConnectionWrapper

            config: Any = plan.connect_args.get("config", {})
            return ConnectionWrapper(duckdb.connect(plan.url.database or ":memory:", config=dict(config)))

        return self._create_engine(plan, {"creator": connect})

    def prepare(self, plan: ConnectionPlan) -> None:
        """Create the file, where there is none and one may be, in the oldest storage version."""
        path = plan.url.database or ":memory:"
        config: Any = plan.connect_args.get("config", {})
        if not is_file(path):
            return
        file = Path(path).expanduser()
        if not plan.may_create and not file.exists():
            raise ConnectionFailed(
                f"No DuckDB file at {file}", hint="check the path; recce-meta init and record create it"
            )
        if str(config.get("access_mode", "")).lower() != "read_only":
            _create(file)

    def cancel(self, connection: Connection) -> None:
        """Interrupt the running statement."""
        raw(connection).interrupt()

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """DuckDB binds the statement and does not run it."""
        rows = raw(connection).execute(f"DESCRIBE {sql}").fetchall()
        return [(str(row[0]), str(row[1])) for row in rows]

    def insert_rows(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Insert *rows* through a file, or as parameters where the profile shuts DuckDB off from files."""
        driver = raw(connection)
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        if not _may_read_files(driver):
            for batch in bounded_batches(storable(table, columns, rows), BATCH_CHARACTERS):
                _load_from_parameters(driver, table, names, len(columns), batch)
            return
        pieces = _lines_of(iter(rows), table, columns)
        # While DuckDB loads one file, the next one is written.
        with TemporaryDirectory(prefix="recce_meta_") as folder, ThreadPoolExecutor(1) as writer:
            ahead = writer.submit(_write_file, folder, pieces)
            while (file := ahead.result()) is not None:
                ahead = writer.submit(_write_file, folder, pieces)
                _load_from_file(driver, table, names, len(columns), *file)
                Path(file[0]).unlink()


def _create(path: Path) -> None:
    """Make *path* a database, unless it exists: whole under another name first, then put in its place.

    DuckDB refuses an empty file, so a process killed while it creates one must not leave it behind.
    """
    if path.exists() or not path.parent.is_dir():
        return
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        _create_in_oldest_version(draft)
        os.link(draft, path)
    except FileExistsError:
        return  # another process was faster
    except OSError:
        _create_in_oldest_version(path)  # no hard links on this file system
    finally:
        draft.unlink(missing_ok=True)


def _create_in_oldest_version(path: Path) -> None:
    import duckdb

    has_versions = tuple(int(part) for part in duckdb.__version__.split(".")[:2]) >= (1, 2)
    option = f" (STORAGE_VERSION '{OLDEST_STORAGE}')" if has_versions else ""  # 1.1 knows the oldest alone
    literal = "'" + str(path).replace("'", "''") + "'"
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH {literal} AS created{option}")


def _may_read_files(driver: Any) -> bool:
    sql = "SELECT current_setting('enable_external_access') AND current_setting('disabled_filesystems') = ''"
    return bool(driver.execute(sql).fetchone()[0])


def _load_from_file(driver: Any, table: str, names: str, width: int, path: str, longest: int) -> None:
    values = ", ".join(f"line[{number}]" for number in range(1, width + 1))
    driver.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM read_json($1,"  # noqa: S608 - quoted
        " format = 'newline_delimited', records = false, compression = 'uncompressed',"
        " maximum_object_size = $2, columns = {line: 'VARCHAR[]'})",
        [path, max(SMALLEST_OBJECT, longest)],
    )


def _load_from_parameters(
    driver: Any, table: str, names: str, width: int, batch: list[Sequence[object]]
) -> None:
    values = ", ".join(f"unnest(${number})" for number in range(1, width + 1))
    driver.execute(
        f"INSERT INTO {table} ({names}) SELECT {values}",
        [list(column) for column in zip(*batch, strict=True)],
    )


def _write_file(folder: str, pieces: Iterator[bytes]) -> tuple[str, int] | None:
    """The path of a new file of JSON lines, and a bound on their length; None where *pieces* has no more."""
    piece = next(pieces, None)
    if piece is None:
        return None
    descriptor, path = mkstemp(suffix=".ndjson", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        return path, _write(file, chain((piece,), pieces))


def _write(file: BinaryIO, pieces: Iterable[bytes]) -> int:
    """Write *pieces* until the file is large enough; the length of the longest."""
    written = longest = 0
    for piece in pieces:
        written += file.write(piece)
        longest = max(longest, len(piece))
        if written >= FILE_BYTES:
            break
    return longest


def _lines_of(rows: Iterator[Sequence[object]], table: str, columns: Sequence[str]) -> Iterator[bytes]:
    """*rows* as JSON lines, some at a time: what is asked of each row costs more than writing it."""
    from msgspec.json import Encoder

    encode_lines = Encoder().encode_lines
    for some in batches(rows, ROWS_AT_A_TIME):
        if set(map(len, some)) != {len(columns)}:
            raise ValueError(f"A row for {table} has not {len(columns)} values")
        has_floats = float in map(type, chain.from_iterable(some))
        lines = encode_lines([list(map(_encodable, row)) for row in some] if has_floats else some)
        if ESCAPED_NUL in lines:
            for row in some:
                refuse_nul(table, columns, row)
        yield lines


def _encodable(value: object) -> object:
    """*value* as JSON can say it: NaN and the infinities by name, which DuckDB casts back."""
    return str(value) if type(value) is float and not isfinite(value) else value
