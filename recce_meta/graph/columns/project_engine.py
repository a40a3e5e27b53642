"""One query through the analysis of queries; whatever happens there costs this query alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from recce_meta.errors import RecceMetaError
from recce_meta.models.column_lineage import is_late

if TYPE_CHECKING:
    from recce_meta.graph.columns import QueryColumns

T = TypeVar("T")

LONGEST_REASON = 300


class Query(Struct, frozen=True):
    """What is analysed."""

    sql: str
    dialect: str
    schemas: Mapping[str, Mapping[str, str]]
    """Columns and types of the relations whose columns are known."""
    is_script: bool = False
    """Whether every statement counts, and not only the last that yields columns."""


class Failure(Struct, frozen=True):
    """Why a query could not be analysed."""

    reason: str
    is_late: bool = False
    """Whether it needs more time than there was: with more, there might be an answer."""


def analysed(query: Query, timeout: float | None) -> QueryColumns | Failure:
    """The columns of *query*, or why there are none."""
    start = monotonic()
    found = attempt(lambda: _analyse(query, timeout))
    if isinstance(found, Failure) and timeout is not None:
        # What ends for want of time says how many seconds were too few; so must what broke by then.
        if is_late(found.reason):
            return Failure(found.reason, is_late=True)
        if monotonic() - start >= timeout:
            return Failure(f"{found.reason} (after {timeout:g} s)", is_late=True)
    return found


def attempt(work: Callable[[], T]) -> T | Failure:
    """What *work* returns, or why it could not."""
    try:
        return work()
    except RecceMetaError as error:
        return Failure(_short(error.message))
    # A query may be anything, and sqlglot's parser as well as what reads its trees recurse: whatever one of
    # them trips over, the other thousand nodes of a project must not pay for.
    except Exception as error:  # noqa: BLE001
        return Failure(_short(f"internal: {type(error).__name__}: {error}"))


def _analyse(query: Query, timeout: float | None) -> QueryColumns:
    # Where nothing has to be analysed, the parser need not even be loaded.
    from recce_meta.graph.columns import analyse_query, analyse_script

    analyse = analyse_script if query.is_script else analyse_query
    return analyse(query.sql, query.dialect, query.schemas, timeout=timeout)


def _short(text: str) -> str:
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"
