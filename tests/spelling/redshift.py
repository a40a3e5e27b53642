"""Redshift: texts have lengths, JSON and arrays are SUPER, a backslash in a text escapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.store import sql_files
from tests.spelling.base import ByValues, written


class Redshift(ByValues):
    """How tests write SQL for Redshift."""

    def literal(self, value: Any, kind: str) -> str:
        """*value* as SQL, of PostgreSQL's type *kind*."""
        if value is not None and self.type(kind) == "SUPER":
            return f"JSON_PARSE({self.text(written(value))})"
        return super().literal(value, kind)

    def text(self, value: str) -> str:
        """*value* as a literal."""
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"

    def binary(self, value: bytes, of: str) -> str:
        """*value* as SQL of the type *of*."""
        return f"TO_VARBYTE('{value.hex()}', 'hex')"

    def schema_name(self) -> str:
        """A name that needs quotes, in lower case: others are folded."""
        return f'recce "test" {uuid4().hex[:12]}'

    def create_table(
        self,
        adapter: UnifiedSqlAdapter,
        table: str,
        columns: Mapping[str, str],
        rows: Sequence[Sequence[Any]] = (),
    ) -> None:
        """Make *table*, and beside it what keeps texts that are too long for a column, as a store has it."""
        (long_texts,) = (file for file in sql_files.ddl("redshift") if file.name.endswith("_long_texts"))
        for statement in long_texts.statements(table.rpartition(".")[0]):
            adapter.execute(statement)
        super().create_table(adapter, table, columns, rows)


SPELLING = Redshift(
    "redshift",
    {
        "text": "VARCHAR(65535)",
        "varchar": "VARCHAR(65535)",
        "uuid": "VARCHAR(36)",
        "double": "DOUBLE PRECISION",
        "json": "SUPER",
        "jsonb": "SUPER",
        "bytea": "VARBYTE(65535)",
        "binary": "VARBYTE(65535)",
        "integer[]": "SUPER",
        "text[]": "SUPER",
    },
    kept_json="SUPER",
)
