"""DuckDB: files in the oldest storage version, interrupts, and bulk loads without Arrow.

Rows go in as newline-delimited JSON through a temporary file, which DuckDB reads 1.5 to 2 times faster
than it takes lists of parameters, and 50 times faster than `executemany`. Every column is read as text and
cast by the INSERT itself, so that text comes back to the byte and no type is guessed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import MAXYEAR, datetime
from functools import cache
from itertools import chain
from math import isfinite
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

from recce_meta.adapter.drivers.base import (
    BATCH_CHARACTERS,
    BaseDriver,
    Converter,
    batches,
    bounded_batches,
    json_value,
    raw,
    refuse_nul,
    storable,
)
from recce_meta.adapter.temporary import temporary_folder
from recce_meta.errors import ConfigurationError, ConnectionFailed, MissingDriverError
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


NO_PYTHON = {"python_enable_replacements": False}
"""A name in a user's SQL is not to be found among the variables of this program."""


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
            made = duckdb.connect(plan.url.database or ":memory:", config={**NO_PYTHON, **config})
            _register_filesystems(made, plan.connect_args.get("filesystems", ()))
            return ConnectionWrapper(made)

        try:
            import duckdb_engine  # noqa: F401 - looked for before anything is opened
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "duckdb_engine") from error
        return self.bare_engine(plan, _dialect(), connect)

    def close_cursor(self, cursor: Any) -> None:
        """Nothing: a cursor of DuckDB's is the connection."""

    def set_up(self, connection: Connection, statement: str) -> None:
        """Straight to DuckDB."""
        raw(connection).execute(statement)

    def send(self, connection: Connection, sql: str) -> Any:
        """Straight to DuckDB: duckdb-engine takes `register` for a call of Python's."""
        return _Result(raw(connection).execute(sql))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """What makes JSON, at any depth, values; arrays of fixed length lists; infinite moments text.

        An infinite date, or timestamp without a zone, cannot be told: DuckDB gives the last or the first that
        Python has.
        """
        return _converters(cursor, json_value)

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """The same, but for JSON."""
        return _converters(cursor, None)

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
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        key: Sequence[str] = (),
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
        with temporary_folder() as folder, ThreadPoolExecutor(1) as writer:
            ahead = writer.submit(_write_file, folder, pieces)
            while (file := ahead.result()) is not None:
                ahead = writer.submit(_write_file, folder, pieces)
                _load_from_file(driver, table, names, len(columns), *file)
                Path(file[0]).unlink()


@cache
def _dialect() -> Any:
    """duckdb-engine's dialect, which many engines may share, but for one thing."""
    from duckdb_engine import Dialect
    from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer

    class Quick(Dialect):
        # duckdb-engine's opens a database in memory to ask for reserved words. We quote every name.
        preparer = PGIdentifierPreparer  # type: ignore[assignment]
        supports_statement_cache = False

    return Quick(dbapi=Dialect.dbapi())


class _Result:
    """What DuckDB gives, in the words of SQLAlchemy's results."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    @property
    def returns_rows(self) -> bool:
        """Whether there are columns."""
        return bool(self.cursor.description)

    def close(self) -> None:
        """DuckDB has nothing to close: the next statement ends the one before."""


def _converters(cursor: Any, of_json: Converter | None) -> dict[int, Converter]:
    found = (_converter(column[1], of_json) for column in cursor.description or ())
    return {place: converter for place, converter in enumerate(found) if converter is not None}


def _converter(of: Any, of_json: Converter | None) -> Converter | None:
    """What makes a value of ours of one of the type *of*; None where it is one already.

    DuckDB before 1.4 tells types by a word that hides what a list or struct holds: only JSON itself is found.
    """
    if str(of) == "JSON":
        return of_json
    if isinstance(of, str):
        return list if _FIXED.search(of) else None
    kind = getattr(of, "id", None)
    if kind == "timestamp with time zone":
        return _finite
    if kind in ("list", "array"):
        item = of.children[0][1]
        return _of_list(_converter(item, of_json), is_fixed=kind == "array")
    if kind == "struct":
        members = ((name, _converter(member, of_json)) for name, member in of.children)
        return _of_struct({name: converter for name, converter in members if converter is not None})
    if kind == "map":
        (_, key), (_, value) = of.children
        return _of_map(_converter(key, of_json), _converter(value, of_json), key.id in _UNHASHABLE)
    return None


_FIXED = re.compile(r"\[\d+\]$")
_UNHASHABLE = ("list", "array", "struct", "map", "union")
"""What DuckDB gives no dict for as a key."""


def _finite(moment: Any) -> Any:
    """DuckDB gives infinity as a moment without a zone, though its type has one."""
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return "infinity" if moment.year == MAXYEAR else "-infinity"
    return moment


def _of_list(item: Converter | None, *, is_fixed: bool) -> Converter | None:
    if item is None:
        return list if is_fixed else None
    return lambda values: [None if value is None else item(value) for value in values]


def _of_struct(members: Mapping[str, Converter]) -> Converter | None:
    if not members:
        return None

    def convert(struct: Any) -> Any:
        changed = {name: struct[name] for name in members}
        return struct | {
            name: value if value is None else members[name](value) for name, value in changed.items()
        }

    return convert


def _of_map(key: Converter | None, value: Converter | None, is_nested: bool) -> Converter | None:
    if key is None and value is None and not is_nested:
        return None

    def convert(entries: Any) -> Any:
        pairs = zip(entries["key"], entries["value"], strict=True) if is_nested else entries.items()
        found = [(key(k) if key else k, value(v) if value and v is not None else v) for k, v in pairs]
        return found if is_nested else dict(found)

    return convert


def _register_filesystems(connection: Any, entries: Any) -> None:
    """Let *connection* read through fsspec, as dbt-duckdb does with the entries of `filesystems`."""
    if not entries:
        return
    try:
        import fsspec
    except ImportError as error:
        raise ConfigurationError(
            "Field 'filesystems' needs the package fsspec, which is not installed",
            hint="pip install fsspec, and the file system's own package, such as s3fs",
        ) from error
    for entry in entries:
        arguments = {name: value for name, value in entry.items() if name != "fs"}
        try:
            connection.register_filesystem(fsspec.filesystem(entry["fs"], **arguments))
        except (ImportError, OSError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"The file system '{entry['fs']}' of 'filesystems' cannot be made: {type(error).__name__}",
                hint="check that fsspec knows it, and its arguments",
            ) from None


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
