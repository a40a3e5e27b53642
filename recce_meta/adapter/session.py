"""`Session`: one transaction on an adapter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from recce_meta.adapter.drivers.base import Rows
from recce_meta.adapter.link import Link

NO_PARAMETERS: Mapping[str, object] = MappingProxyType({})


class Session:
    """One transaction: what is executed here happens wholly or not at all."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def query(self, sql: str, parameters: Mapping[str, object] = NO_PARAMETERS) -> Rows:
        """The rows that our own *sql* gives, with `:name` for parameters; JSON as text, times in UTC."""
        return self._link.query(sql, parameters)

    def execute(self, sql: str, parameters: Mapping[str, object] = NO_PARAMETERS) -> None:
        """Run one statement of our own, with `:name` for parameters."""
        self._link.execute(sql, parameters)

    def insert_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], key: Sequence[str] = ()
    ) -> None:
        """Insert *rows* in bulk into *table*, which is SQL text such as `"schema"."table"`.

        Values are None, str, int, float, bool or an aware datetime; a JSON column takes JSON text. About
        16 MB of text are held at a time, so *rows* may well be a generator. A warehouse without transactions
        leaves out rows whose *key*, the names of some columns, is there: the statement may be repeated.
        """
        self._link.insert_rows(table, columns, rows, key)
