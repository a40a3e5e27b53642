"""Binding: what a database says of a query over relations of which only the columns are known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import NamedTuple, Protocol, TypeAlias

Columns: TypeAlias = tuple[tuple[str, str], ...]
"""Names and types of columns, in order; the type is empty if it is unknown."""


class Refusal(NamedTuple):
    """Why a database refuses a query."""

    kind: str
    """Class of the error in the database: `Binder`, `Catalog`, `Parser`, …"""
    text: str
    """First line of the message."""
    line: int | None = None
    """Line of the query, from 1; None if the database does not say."""
    name: str = ""
    """Name that it does not know; empty if it does not say."""


class Answer(NamedTuple):
    """The columns of a query, or why it is refused."""

    columns: Columns = ()
    refusal: Refusal | None = None


class Binder(Protocol):
    """Database in a process of its own that binds queries, and runs none."""

    dialect: str
    """Its dialect of SQL."""
    said_by: str
    """Name and version of the database: `DuckDB 1.4.0`."""
    problem: str
    """Why queries were not bound; empty if all were."""

    def __enter__(self) -> Binder: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def bind(
        self,
        sql: str,
        relations: Mapping[tuple[str, ...], Columns],
        functions: Collection[str] = (),
        tables: Collection[tuple[str, ...]] | None = None,
    ) -> Answer | None:
        """Return the answer for the query *sql* over *relations*, by the parts of their names.

        *functions* are those that the database may lack, and that take and return anything. *tables*, if
        *sql* has statements instead of a query, are those of *relations* that are not views. None: this
        process, system or text allows no answer.
        """
