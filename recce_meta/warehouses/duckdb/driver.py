"""DuckDB driver: files in the oldest storage version, interrupts, and bulk inserts without Arrow.

Rows are inserted through temporary files of newline-delimited JSON. DuckDB reads these 1.5 to 2 times faster
than lists of parameters, and 50 times faster than `executemany`. Every column is read as text and cast by the
INSERT, so text stays identical and DuckDB guesses no type.
"""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import MAXYEAR, datetime
from itertools import chain
from math import isfinite
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

from recce_meta.errors import ConfigurationError, DatabaseNotFound, MissingDriverError
from recce_meta.lazy import LazyModule
from recce_meta.temporary import temporary_folder
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.driver import (
    BATCH_CHARACTERS,
    BaseDriver,
    Converter,
    batches,
    bounded_batches,
    json_value,
    raw,
    refuse_nul,
    refuse_special,
    storable,
)
from recce_meta.warehouses.duckdb.connection import is_file
from recce_meta.warehouses.duckdb.snapshot import copied_plan, file_state, linked_plan

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from recce_meta.warehouses.binding import Binder
    from recce_meta.warehouses.duckdb import binder as binding
    from recce_meta.warehouses.duckdb import engine
else:
    # It imports SQLAlchemy and DuckDB, which no command needs before it connects.
    engine = LazyModule("recce_meta.warehouses.duckdb.engine")
    binding = LazyModule("recce_meta.warehouses.duckdb.binder")

OLDEST_STORAGE = "v1.0.0"
"""Every DuckDB 1.x opens this version; only DuckDB 2.0 opens its own default version."""
SMALLEST_OBJECT = 64 * 1024
"""Minimum of `maximum_object_size`; DuckDB allocates several times this size in each thread."""
ROWS_AT_A_TIME = 16
FILE_BYTES = 2 * 1024 * 1024
"""Size of one file, and so of one INSERT: with 64 MB, DuckDB needs three times the memory and the same time
(docs/internals/benchmarks.md)."""
ESCAPED_NUL = b"\\u0000"
_ATTACHED = re.compile(r"ATTACH IF NOT EXISTS '((?:[^']|'')+)'")


NO_PYTHON = {"python_enable_replacements": False}
"""Keeps names in a user's SQL from being resolved to Python variables."""


class Driver(BaseDriver):
    """Driver on the duckdb package."""

    def error_types(self) -> tuple[type[Exception], ...]:
        """Return SQLAlchemy's errors and DuckDB's."""
        try:
            from duckdb import Error
        except ImportError:  # which `prepare` reports
            return super().error_types()
        return (*super().error_types(), Error)

    def create_engine(self, plan: ConnectionPlan) -> Engine:
        """Return an engine of DuckDB connections with a thin dialect."""

        def connect() -> Any:
            made = _opened(plan)
            _register_filesystems(made, plan.connect_args.get("filesystems", ()))
            return engine.DuckDBConnection(made, is_read_only=plan.is_read_only)

        return self.bare_engine(plan, engine.THIN, connect)

    def syntax_error(self, sql: str) -> str | None:
        """Return the message of DuckDB's parser, which needs no database, with its version."""
        try:
            import duckdb
        except ImportError:
            return None
        try:
            duckdb.extract_statements(sql)
        except duckdb.ParserException as error:
            return f"DuckDB {duckdb.__version__} cannot parse it: {str(error).removeprefix('Parser Error: ')}"
        return None

    def binder(self) -> Binder:
        """Return DuckDB in a process of its own, which starts with the first query."""
        return binding.Binder()

    def file_state(self, plan: ConnectionPlan) -> Hashable | None:
        """Return identity, size and time of the file and of its write-ahead log."""
        path = plan.url.database or ":memory:"
        return file_state(path) if is_file(path) else None

    def copy_file(self, plan: ConnectionPlan, folder: str) -> ConnectionPlan:
        """Return *plan* for a copy of the database file in *folder*; see `snapshot`."""
        return copied_plan(plan, folder, _opened)

    def link_file(self, plan: ConnectionPlan, folder: str) -> ConnectionPlan:
        """Return *plan* for the same copy under another name, which DuckDB opens with its own settings."""
        return linked_plan(plan, folder)

    def close_cursor(self, cursor: Any) -> None:
        """Do nothing: DuckDB's cursor is the connection."""

    def set_up(self, connection: Connection, statement: str) -> None:
        """Run *statement* directly in DuckDB."""
        try:
            raw(connection).execute(statement)
        except self.error_types() as error:
            # In a notebook without ipywidgets, DuckDB has no progress bar, and refuses to switch it off.
            if "ipywidgets" not in str(error):
                raise

    def send(self, connection: Connection, sql: str) -> Any:
        """Run *sql* directly in DuckDB."""
        return _Result(raw(connection).execute(sql))

    def converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return converters: JSON to values, fixed-length arrays to lists, infinite timestamps to text.

        An infinite date, or timestamp without a zone, cannot be detected: DuckDB returns Python's minimum or
        maximum.
        """
        return _converters(cursor, json_value)

    def text_converters(self, cursor: Any) -> Mapping[int, Converter]:
        """Return the same converters, except for JSON."""
        return _converters(cursor, None)

    def prepare(self, plan: ConnectionPlan) -> None:
        """Create a missing file in the oldest storage version, if the plan allows creating it."""
        try:
            import duckdb  # noqa: F401
        except ImportError as error:
            raise MissingDriverError(self.warehouse.name, error.name or "duckdb") from error
        path = plan.url.database or ":memory:"
        config: Any = plan.connect_args.get("config", {})
        if not is_file(path):
            return
        file = Path(path).expanduser()
        refuse_special(file)
        if not plan.may_create and not file.exists():
            raise DatabaseNotFound(
                f"DuckDB file not found: {file}", hint="check the path; recce-meta init and record create it"
            )
        if str(config.get("access_mode", "")).lower() != "read_only":
            _create(file)
        _refuse_twice(file, plan.statements)

    def cancel(self, connection: Connection) -> None:
        """Interrupt the running statement."""
        raw(connection).interrupt()

    def reflecting(self, connection: Connection) -> Connection:
        """Return *connection* with the dialect of duckdb-engine."""
        return engine.reflecting(connection)

    def describe(self, connection: Connection, sql: str) -> list[tuple[str, str]]:
        """Return name and type of each column: DuckDB binds the query without running it."""
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
        """Insert *rows* through files, or as parameters if the profile denies DuckDB access to files."""
        driver = raw(connection)
        names = ", ".join(self.warehouse.quote_identifier(name) for name in columns)
        if not _may_read_files(driver):
            for batch in bounded_batches(storable(table, columns, rows), BATCH_CHARACTERS):
                _load_from_parameters(driver, table, names, len(columns), batch)
            return
        pieces = _lines_of(iter(rows), table, columns)
        # The next file is written while DuckDB loads the current one.
        with temporary_folder() as folder, ThreadPoolExecutor(1) as writer:
            ahead = writer.submit(_write_file, folder, pieces)
            while (file := ahead.result()) is not None:
                ahead = writer.submit(_write_file, folder, pieces)
                _load_from_file(driver, table, names, len(columns), *file)
                # At most two files exist at a time, however many rows there are.
                Path(file[0]).unlink()


def _opened(plan: ConnectionPlan) -> Any:
    """Return a connection of the duckdb package.

    This process may already have opened the file for writing. A read-only plan then shares it, and only its
    transactions are read-only.
    """
    import duckdb

    path = plan.url.database or ":memory:"
    given: Any = plan.connect_args.get("config", {})
    config = {**NO_PYTHON, **given}
    try:
        return duckdb.connect(path, config=config)
    except duckdb.ConnectionException:
        if not plan.is_read_only:
            raise
    return duckdb.connect(path, config={name: config[name] for name in config if name != "access_mode"})


class _Result:
    """DuckDB's result with the interface of SQLAlchemy's results."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    @property
    def returns_rows(self) -> bool:
        """True if the result has columns."""
        return bool(self.cursor.description)

    def close(self) -> None:
        """Do nothing: the next statement ends the previous one."""


def _converters(cursor: Any, of_json: Converter | None) -> dict[int, Converter]:
    found = (_converter(column[1], of_json) for column in cursor.description or ())
    return {place: converter for place, converter in enumerate(found) if converter is not None}


def _converter(of: Any, of_json: Converter | None) -> Converter | None:
    """Return the function that converts values of type *of* to ours; None if they are equal.

    DuckDB before 1.4 reports types without the element types of lists and structs, so nested JSON is not
    detected.
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
"""Key types of maps for which DuckDB does not return a dict."""


def _finite(moment: Any) -> Any:
    """Convert infinity: DuckDB returns it without a zone, although its type has one."""
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
    """Register fsspec file systems with *connection*, like dbt-duckdb for `filesystems`."""
    if not entries:
        return
    try:
        import fsspec
    except ImportError as error:
        raise ConfigurationError(
            "Package fsspec, needed for field 'filesystems', is not installed",
            hint="pip install fsspec, and the package of the file system, such as s3fs",
        ) from error
    for entry in entries:
        arguments = {name: value for name, value in entry.items() if name != "fs"}
        try:
            connection.register_filesystem(fsspec.filesystem(entry["fs"], **arguments))
        # Only the type is shown, because the message may quote a secret argument.
        except (ImportError, OSError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"Cannot create file system '{entry['fs']}' of 'filesystems': {type(error).__name__}",
                hint="check that fsspec supports it, and its arguments",
            ) from None


def _create(path: Path) -> None:
    """Create a database at *path* unless it exists; write it under another name first, then rename it.

    DuckDB refuses an empty file, so a process that is killed meanwhile must not leave one at *path*.
    """
    if path.exists() or not path.parent.is_dir():
        return
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        _create_in_oldest_version(draft)
        os.link(draft, path)
    except FileExistsError:
        return  # another process has created it meanwhile
    except OSError:
        _create_in_oldest_version(path)  # no hard links on this file system
    finally:
        draft.unlink(missing_ok=True)


def _refuse_twice(file: Path, statements: Iterable[str]) -> None:
    """Raise ConfigurationError if an attachment is *file* or another attachment, such as a link to it.

    DuckDB would read one table as two, and two writers would damage it.
    """
    files = [file]
    for text in statements:
        attached = _ATTACHED.match(text)
        path = Path(attached[1].replace("''", "'")).expanduser() if attached is not None else None
        if path is None or not path.exists():
            continue
        first = next((one for one in files if one.exists() and one.samefile(path)), None)
        if first is not None and first.absolute() != path.absolute():
            raise ConfigurationError(
                f"The profile attaches {path}, which is the same file as {first}",
                hint="remove this entry of 'attach', and name the relations of the file once",
            )
        files.append(path)


def _create_in_oldest_version(path: Path) -> None:
    import duckdb

    has_versions = tuple(int(part) for part in duckdb.__version__.split(".")[:2]) >= (1, 2)
    option = f" (STORAGE_VERSION '{OLDEST_STORAGE}')" if has_versions else ""  # 1.1 has only the oldest
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
    """Write a file of JSON lines; return path and a bound on line length, or None if *pieces* is empty."""
    piece = next(pieces, None)
    if piece is None:
        return None
    descriptor, path = mkstemp(suffix=".ndjson", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        return path, _write(file, chain((piece,), pieces))


def _write(file: BinaryIO, pieces: Iterable[bytes]) -> int:
    """Write *pieces* until the file is large enough; return the length of the longest piece."""
    written = longest = 0
    for piece in pieces:
        written += file.write(piece)
        longest = max(longest, len(piece))
        if written >= FILE_BYTES:
            break
    return longest


def _lines_of(rows: Iterator[Sequence[object]], table: str, columns: Sequence[str]) -> Iterator[bytes]:
    """Yield *rows* as JSON lines in small groups, because checking each row costs more than writing it."""
    from msgspec.json import Encoder

    encode_lines = Encoder().encode_lines
    for some in batches(rows, ROWS_AT_A_TIME):
        if set(map(len, some)) != {len(columns)}:
            raise ValueError(f"Row for {table} does not have {len(columns)} values")
        has_floats = float in map(type, chain.from_iterable(some))
        lines = encode_lines([list(map(_encodable, row)) for row in some] if has_floats else some)
        if ESCAPED_NUL in lines:
            for row in some:
                refuse_nul(table, columns, row)
        yield lines


def _encodable(value: object) -> object:
    """Return *value* for JSON: NaN and infinities by name, which DuckDB casts back."""
    return str(value) if type(value) is float and not isfinite(value) else value
