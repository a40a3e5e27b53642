"""The store of an MCP server, opened for one call at a time.

A database file is never kept open, because a reader would exclude `dbt build`: the file is copied when it has
changed, and the copy is read. While a process writes, the previous copy answers, with its time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreLocked
from recce_meta.mcp.calls import cancellable
from recce_meta.report.labels import moment
from recce_meta.temporary import temporary_folder

_WAIT = 5.0
"""Seconds that the first call waits while a process writes to the file."""


@dataclass
class _Copy:
    """Private copy of a database file; it is removed after its last call once there is a newer one."""

    state: Hashable
    adapter: UnifiedSqlAdapter
    queries: UnifiedSqlAdapter
    """The copy under another name, since one process opens a file of DuckDB with one configuration."""
    read_at: datetime
    opened: ExitStack
    users: int = 0


class AgentStore:
    """Store for concurrent calls from any thread; a query of one call keeps no other waiting."""

    def __init__(self, connect: Callable[[], UnifiedSqlAdapter]) -> None:
        """*connect* returns the adapter of the store, which connects on first use."""
        self._connect = connect
        self._lock = threading.Lock()
        self._source: UnifiedSqlAdapter | None = None
        self._copy: _Copy | None = None
        self._notes = threading.local()

    @property
    def note(self) -> str | None:
        """Why the last call of this thread read an older copy."""
        return getattr(self._notes, "text", None)

    @contextmanager
    def reading(self) -> Iterator[UnifiedSqlAdapter]:
        """Yield the adapter of the store, which only reads. Raises the errors of connecting."""
        with self._held() as (source, copy):
            # Only this process has the copy; on a server, the transactions only read.
            opened = source.reader(source.schema) if copy is None else copy.adapter.sibling()
            with opened as adapter, cancellable(adapter.cancel):
                yield adapter

    @contextmanager
    def data(self) -> Iterator[UnifiedSqlAdapter]:
        """Yield an adapter of the data in the store's database, for queries of users: it only reads."""
        with (
            self._held() as (source, copy),
            (source if copy is None else copy.queries).guarded() as adapter,
        ):
            yield adapter

    def close(self) -> None:
        """Close the connection, and remove the copy."""
        with self._lock:
            if self._copy is not None:
                self._copy.opened.close()
            if self._source is not None:
                self._source.close()
            self._copy = self._source = None

    @contextmanager
    def _held(self) -> Iterator[tuple[UnifiedSqlAdapter, _Copy | None]]:
        """Yield the adapter of the database, and the copy of its file as it is now, if it is one."""
        with self._lock:
            source, copy = self._current()
            if copy is not None:
                copy.users += 1
        try:
            yield source, copy
        finally:
            with self._lock:
                if copy is not None:
                    copy.users -= 1
                    if not copy.users and copy is not self._copy:
                        copy.opened.close()

    def _current(self) -> tuple[UnifiedSqlAdapter, _Copy | None]:
        if self._source is None:
            self._source = self._connect()
        state = self._source.place.file_state()
        if state is None:
            return self._source, None
        self._notes.text = None
        last = self._copy
        if last is None or last.state != state:
            with ExitStack() as opened:
                folder, read_at = opened.enter_context(temporary_folder()), datetime.now(timezone.utc)
                try:
                    adapter = self._source.snapshot(folder, 0.0 if last else _WAIT)
                except StoreLocked:
                    if last is None:
                        raise
                    self._notes.text = (
                        f"A process writes to the store: this is its state of {moment(last.read_at)}"
                    )
                    return self._source, last
                queries = adapter.linked(opened.enter_context(temporary_folder()))
                self._copy = _Copy(state, adapter, queries, read_at, opened.pop_all())
            if last is not None and not last.users:
                last.opened.close()
        return self._source, self._copy
