"""Which errors concern one statement alone, so that a plan can go on without its answer."""

from __future__ import annotations

from recce_meta.diff.data.plan import Answer
from recce_meta.errors import (
    ConnectionFailed,
    QueryCancelled,
    QueryTimeout,
    RecceMetaError,
    StoreLocked,
    WarehouseError,
)

OF_ALL: tuple[type[RecceMetaError], ...] = (QueryCancelled, ConnectionFailed, StoreLocked)
"""What every other statement would meet as well, or what the user wished for."""
OF_LONG_SCANS = (*OF_ALL, QueryTimeout)
"""The same where each statement that takes the place of the one that failed is about as long."""


def failure(answer: Answer, fatal: tuple[type[RecceMetaError], ...] = OF_LONG_SCANS) -> WarehouseError | None:
    """The error that *answer* is, where the others can go on; None for rows.

    Raises the error where it is one of *fatal*, or none that a warehouse gave.
    """
    if not isinstance(answer, RecceMetaError):
        return None
    if isinstance(answer, fatal) or not isinstance(answer, WarehouseError):
        raise answer
    return answer


def first_line(error: RecceMetaError) -> str:
    """What *error* says in its first line: drivers add the statement, and a caret under it."""
    return error.message.strip().partition("\n")[0]
