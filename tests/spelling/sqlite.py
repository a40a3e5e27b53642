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
        """It stays, and what it holds goes."""
        with adapter.session() as session:  # one write to the disk
            found = session.query("SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view')")
            for kind, relation in sorted(found, reverse=True):  # views first
                session.execute(f"DROP {kind} {adapter.quote_identifier(relation)}")


SPELLING = SQLite(
    "sqlite", types={"binary": "blob", "bytea": "blob", "double precision": "double"}, oldest_store=12
)
