"""The rows of one statement, some at a time, so that a result of any size fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType

from recce_meta.adapter.drivers.base import Rows
from recce_meta.adapter.link import Cursor, Link


class Stream:
    """Batches of rows; an iterator that is used up once.

    Its adapter runs nothing else until the last row was read, or until it is closed. Ctrl-C, and `cancel` of
    the adapter, stop it in the warehouse.
    """

    def __init__(self, link: Link, sql: str, batch_rows: int) -> None:
        self._link = link
        self._size = batch_rows
        self._transaction = ExitStack()
        self._cursor: Cursor | None = None
        with ExitStack() as opening:
            opening.enter_context(link.transaction(atomic=True))
            self.columns, cursor = link.open_cursor(sql)
            opening.callback(link.close_cursor, cursor)
            self._transaction = opening.pop_all()
            self._cursor = cursor

    def __iter__(self) -> Iterator[Rows]:
        return self

    def __next__(self) -> Rows:
        """The next batch: never an empty one."""
        if self._cursor is None:
            raise StopIteration
        with ExitStack() as on_error:
            on_error.push(self._fail)
            rows = self._link.fetch(self._cursor, self._size)
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
        """Whether there may be more rows."""
        return self._cursor is not None

    def _fail(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cursor = None
        self._transaction.__exit__(kind, error, trace)

    def close(self) -> None:
        """Leave the rows that are not read yet; the adapter is free for other statements."""
        if self._cursor is not None:
            self._cursor = None
            self._transaction.close()
