"""Scratch database: a DuckDB file for rows of two warehouses, which no query of either can join.

Rows arrive as lines (`CanonicalTexts.line`) and become tables of texts with the columns c0, c1, … They go
through a CSV file, so that only some are in memory. The files lie in a temporary folder, which `close`
removes, and after a kill the next process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

from recce_meta.adapter.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.errors import ConfigurationError, QueryCancelled, WarehouseError
from recce_meta.temporary import temporary_folder
from recce_meta.warehouses.dialect import LINE_BREAKS, PORTABLE_NULL
from recce_meta.warehouses.driver import Rows

LINES_AT_ONCE = 200_000
"""Lines of a CSV file: more need more of the disk, fewer more statements."""
_SETTINGS = ("memory_limit = '64MB'", "threads = 1", "preserve_insertion_order = false")
_BUFFER_BYTES = 8_000_000
"""Size of the buffer for a CSV file, which is 32 MB by default."""
# A first field, because DuckDB skips empty lines, and a byte order mark at the start of a file.
_FIRST = ".|"


class Scratch:
    """Tables of one comparison, in a file that exists from the first statement until `close`.

    Statements stop at *deadline*, as those of a pool.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._deadline = deadline
        self._lock = Lock()  # both sides are read at the same time
        self._opened = ExitStack()
        self._folder = ""
        self._pool: Pool | None = None
        self._is_cancelled = False

    def load(
        self, table: str, columns: int, batches: Iterable[Rows], note_rows: Callable[[int], None]
    ) -> int:
        """Create *table* from *batches* of rows of one line each, and return the number of rows.

        *note_rows* is called with the number so far. Raises WarehouseError, also if the disk is full.
        """
        names = [f"c{i}" for i in range(columns)]
        self.execute(f"CREATE TABLE {table} ({', '.join(f'{name} VARCHAR' for name in names)})")
        path = Path(self._folder, f"{table}.csv")
        total = held = longest = 0
        try:
            for rows in batches:
                written = _as_lines([str(line) for (line,) in rows])
                with path.open("a" if held else "w", encoding="utf-8", newline="") as file:
                    file.write(written)
                # Characters have up to four bytes in UTF-8.
                longest = max(longest, *(4 * len(line) for line in written.split("\n")))
                total, held = total + len(rows), held + len(rows)
                note_rows(total)
                if held >= LINES_AT_ONCE:
                    self._move(path, table, names, longest)
                    held = 0
            if held:
                self._move(path, table, names, longest)
        except OSError as error:
            hint = "free space, or set TMPDIR to a folder with more"
            raise WarehouseError(f"Writing {path} failed: {error.strerror}", hint=hint) from error
        return total

    def _move(self, path: Path, table: str, names: list[str], longest: int) -> None:
        """Move the lines of the CSV file *path*, the *longest* of that many bytes, to *table*."""
        types = ", ".join(f"'{name}': 'VARCHAR'" for name in ("first", *names))
        options = (
            "delim = '|', quote = '', escape = '', header = false, auto_detect = false, new_line = '\\n', "
            f"nullstr = '{PORTABLE_NULL}', columns = {{{types}}}, max_line_size = {longest}, "
            f"buffer_size = {max(_BUFFER_BYTES, 2 * longest)}"
        )
        rows = f"SELECT {', '.join(names)} FROM read_csv({_literal(str(path))}, {options})"  # noqa: S608 - ours
        self.execute(f"INSERT INTO {table} {rows}")
        path.unlink()

    def execute(self, sql: str) -> Rows:
        """Run one statement and return its rows."""
        return self._connected().execute(sql)

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """Return the name and type of each column of *sql*."""
        return self._connected().describe(sql)

    def cancel(self) -> None:
        """Stop the running statement, and refuse new ones."""
        with self._lock:
            self._is_cancelled = True
        if self._pool is not None:
            self._pool.cancel()

    def close(self) -> None:
        """Remove the files."""
        self._opened.close()

    def _connected(self) -> Pool:
        """Return the only connection; the first call creates the database."""
        with self._lock:
            if self._is_cancelled:
                raise QueryCancelled("Query cancelled before it started")
            if self._pool is None:
                named = os.environ.get("TMPDIR")
                # Python would write the rows to another folder.
                if named and not Path(named).is_dir():
                    raise ConfigurationError(
                        f"TMPDIR is not a folder: {named}", hint="create it, or name another one"
                    )
                self._folder = self._opened.enter_context(temporary_folder())
                url = f"duckdb:///{self._folder}/scratch.duckdb"
                adapter = self._opened.enter_context(UnifiedSqlAdapter.from_url(url))
                for setting in (*_SETTINGS, f"temp_directory = {_literal(self._folder)}"):
                    adapter.execute(f"SET {setting}")
                self._pool = Pool(adapter, threads=1, deadline=self._deadline)
            return self._pool


def _as_lines(texts: list[str]) -> str:
    """Return *texts* as lines of a CSV file, with codes for the line breaks within them."""
    joined = "\n".join(texts)
    if joined.count("\n") >= len(texts) or "\r" in joined:
        for character, code in LINE_BREAKS:
            texts = [text.replace(character, code) for text in texts]
        joined = "\n".join(texts)
    return _FIRST + joined.replace("\n", "\n" + _FIRST) + "\n"


def _literal(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
