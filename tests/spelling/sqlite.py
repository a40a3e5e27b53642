"""SQLite."""

from __future__ import annotations

from recce_meta.adapter import UnifiedSqlAdapter
from tests.spelling.mysql import MySQL


class SQLite(MySQL):
    def schema_name(self) -> str:
        """The only one: each test has a file of its own."""
        return "main"

    def create_schema(self, adapter: UnifiedSqlAdapter, name: str) -> None:
        """It is there."""

    def drop_schema(self, adapter: UnifiedSqlAdapter, name: str) -> None:
        """It goes with the file."""


SPELLING = SQLite("sqlite", types={"binary": "blob", "bytea": "blob", "double precision": "double"})
