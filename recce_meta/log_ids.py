"""Ids of the connection, job and request of the current work, which each line of a JSON log has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

FIELDS = "json_fields"
"""Attribute of a record of the log with further members of its JSON object, by name."""
_IDS: ContextVar[Mapping[str, str]] = ContextVar("ids of the work", default={})  # noqa: B039


def log_ids() -> Mapping[str, str]:
    """Return the ids of the current work, by name: `connection`, `job`, `request`."""
    return _IDS.get()


@contextmanager
def logged_for(**ids: str) -> Iterator[None]:
    """Add *ids* within the block, also in tasks and threads that get a copy of its context."""
    token = _IDS.set({**_IDS.get(), **ids})
    try:
        yield
    finally:
        _IDS.reset(token)
