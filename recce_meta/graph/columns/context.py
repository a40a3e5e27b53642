"""What every part of the resolver shares while it works on one statement."""

from __future__ import annotations

import time
from collections.abc import Callable

from recce_meta.dialects.types import Sql
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph.columns.names import Folding, Tables
from recce_meta.graph.columns.query import Query
from recce_meta.graph.columns.references import Names
from recce_meta.graph.columns.scope import Ctes, Lookup, Scope

Resolve = Callable[[Sql, Ctes, "Scope | None"], Query]


class Deadline:
    """A point in time after which `check` raises; none where *timeout* is None."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def check(self) -> None:
        """Raise SqlNotAnalysed where the time is over."""
        if self._end is not None and time.monotonic() > self._end:
            raise self.error()

    def error(self) -> SqlNotAnalysed:
        """What is raised where the time is over."""
        return SqlNotAnalysed(f"no result within {self.timeout:g} s")

    @property
    def left(self) -> float | None:
        """Seconds until then."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())


class Context:
    """Facts of the dialect, known tables, and the way back into the resolver for nested queries."""

    def __init__(self, dialect: str, tables: Tables, deadline: Deadline) -> None:
        self.dialect = dialect
        self.folding = Folding(dialect)
        self.tables = tables
        self.lookup = Lookup(dialect)
        self.deadline = deadline
        self.names = Names()
        self.resolve: Resolve
        """Set by `resolve.Resolver`, which is what nested queries need."""
