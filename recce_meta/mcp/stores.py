"""The store of an MCP server, opened for one call at a time.

A database file is never kept open, because a reader would exclude `dbt build`: the file is copied when it has
changed, and the copy is read. While a process writes, the previous copy answers, with its time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreLocked
from recce_meta.report.labels import moment
from recce_meta.temporary import temporary_folder

_WAIT = 5.0
"""Seconds that the first call waits while a process writes to the file."""


class AgentStore:
    """Store for calls from any thread; one call reads it at a time."""

    def __init__(self, connect: Callable[[], UnifiedSqlAdapter], schema: str) -> None:
        """*connect* returns the adapter of the store in *schema*, which connects on first use."""
        self.schema = schema
        self._connect = connect
        # Reentrant: a comparison of data reads both runs first.
        self._lock = threading.RLock()
        self._source: UnifiedSqlAdapter | None = None
        self._copy: tuple[Hashable, UnifiedSqlAdapter, datetime, ExitStack] | None = None
        self.note: str | None = None
        """Why the last call read an older copy."""

    @contextmanager
    def reading(self) -> Iterator[UnifiedSqlAdapter]:
        """Yield the adapter of the store, which only reads. Raises the errors of connecting."""
        with self._lock:
            data = self._data()
            # Only this process has the copy; on a server, the transactions only read.
            with data.sibling() if self._copy else data.reader(self.schema) as adapter:
                yield adapter

    @contextmanager
    def data(self) -> Iterator[UnifiedSqlAdapter]:
        """Yield an adapter of the data in the store's database, for queries of users: it only reads."""
        with self._lock, self._data().guarded() as adapter:
            yield adapter

    def close(self) -> None:
        """Close the connection, and remove the copy."""
        if self._copy is not None:
            self._copy[3].close()
        if self._source is not None:
            self._source.close()
        self._copy = self._source = None

    def _data(self) -> UnifiedSqlAdapter:
        """Return the adapter of the database, or of a copy of its file as it is now."""
        if self._source is None:
            self._source = self._connect()
        state = self._source.file_state()
        if state is None:
            return self._source
        self.note = None
        if self._copy is None or self._copy[0] != state:
            with ExitStack() as opened:
                folder, read_at = opened.enter_context(temporary_folder()), datetime.now(timezone.utc)
                try:
                    copy = self._source.snapshot(folder, 0.0 if self._copy else _WAIT)
                except StoreLocked:
                    if self._copy is None:
                        raise
                    self.note = f"A process writes to the store: this is its state of {moment(self._copy[2])}"
                    return self._copy[1]
                last, self._copy = self._copy, (state, copy, read_at, opened.pop_all())
            if last is not None:
                last[3].close()
        return self._copy[1]
