"""Analyses of single queries, as values that another process can do.

Each query is analysed in isolation: a failure affects this query only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from recce_meta import sql_lineage
from recce_meta.errors import RecceMetaError
from recce_meta.models.lineage import is_late
from recce_meta.provisional import note_provisional

if TYPE_CHECKING:
    from recce_meta.sql_lineage import QueryColumns


T = TypeVar("T")

LONGEST_REASON = 300
INTERNAL = "internal: "
"""Beginning of the reason for a failure that is not an error of ours."""


class AnalysisJob(Struct, frozen=True):
    """Input of one analysis."""

    sql: str
    dialect: str
    schemas: Mapping[str, Mapping[str, str]]
    """Columns and types of the relations with known columns."""
    is_script: bool = False
    """Whether every statement counts, instead of only the last that yields columns."""


class Failure(Struct, frozen=True):
    """Reason why a query could not be analysed."""

    reason: str
    is_late: bool = False
    """Whether the analysis ran out of time: a longer time limit may succeed."""


Found: TypeAlias = "QueryColumns | Failure"


class Answer(Protocol):
    """Columns of one query, which may not be known yet."""

    @property
    def is_ready(self) -> bool:
        """Whether `result` returns without waiting for another process."""

    def result(self) -> Found:
        """Return the columns of the query, or the reason for a failure; wait for them if necessary."""


Analyst: TypeAlias = "Callable[[AnalysisJob, float | None], Answer]"
"""Starts the analysis of a query with a time limit in seconds."""


class LocalAnswer:
    """Columns of one query, which this process analyses when they are needed."""

    is_ready = True

    def __init__(self, query: AnalysisJob, timeout: float | None) -> None:
        self._query, self._timeout = query, timeout

    def result(self) -> Found:
        """Return the columns of the query, or the reason for a failure."""
        return analyse_job(self._query, self._timeout)


def analyse_job(query: AnalysisJob, timeout: float | None) -> Found:
    """Return the columns of *query*, or the reason for a failure."""
    start = monotonic()
    found = attempt(lambda: _analyse(query, timeout))
    if isinstance(found, Failure) and timeout is not None:
        is_over = monotonic() - start >= timeout
        if is_over:
            note_provisional()
        # Report the time limit on a timeout, and on any error that occurs after it.
        if is_late(found.reason):
            return Failure(found.reason, is_late=True)
        if is_over:
            return Failure(f"{found.reason} (after {timeout:g} s)", is_late=True)
    return found


def attempt(work: Callable[[], T]) -> T | Failure:
    """Return the result of *work*, or the reason for its failure."""
    try:
        return work()
    except RecceMetaError as error:
        return Failure(_short(error.message))
    # A query may be anything, and sqlglot's parser recurses, as do the functions that read its trees. An
    # error in one query must not affect the other nodes of a project.
    except Exception as error:  # noqa: BLE001
        return Failure(_short(f"{INTERNAL}{type(error).__name__}: {error}"))


def _analyse(query: AnalysisJob, timeout: float | None) -> QueryColumns:
    # Loads the parser, which is not needed if every query is already known.
    analyse = sql_lineage.analyse_script if query.is_script else sql_lineage.analyse_query
    return analyse(query.sql, query.dialect, query.schemas, timeout=timeout)


def _short(text: str) -> str:
    # Lone surrogates from a damaged file could not be stored.
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"
