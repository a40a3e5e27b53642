"""PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.spelling.base import Spelling


class Postgres(Spelling):
    def insert(self, table: str, kinds: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
        """Many rows at once: the server limits how deep a UNION may be."""
        values = ", ".join(
            "(" + ", ".join(self.literal(value, kind) for value, kind in zip(row, kinds, strict=True)) + ")"
            for row in rows
        )
        return f"INSERT INTO {table} VALUES {values}"


SPELLING = Postgres("postgres", types={"double": "double precision", "binary": "bytea"})
