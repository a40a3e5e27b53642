"""Snowflake: types with a T of their own, and binary by its hexadecimal digits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.spelling.base import Spelling, written


class Snowflake(Spelling):
    """How tests write SQL for Snowflake."""

    def literal(self, value: Any, kind: str) -> str:
        """*value* as SQL, of PostgreSQL's type *kind*."""
        of = self.type(kind)
        if value is None:
            return f"CAST(NULL AS {of})"
        if of == "VARIANT":
            return f"PARSE_JSON({self.text(written(value))})"
        if isinstance(value, list):
            items = ", ".join(self.literal(item, kind.removesuffix("[]")) for item in value)
            return f"ARRAY_CONSTRUCT({items})"
        return super().literal(value, kind)

    def insert(self, table: str, kinds: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
        """Texts alone in VALUES, which takes few functions, and cast as they are read."""
        columns = ", ".join(self._read(f"column{place}", kind) for place, kind in enumerate(kinds, 1))
        values = ", ".join("(" + ", ".join(map(self._text_of, row)) + ")" for row in rows)
        return f"INSERT INTO {table} SELECT {columns} FROM VALUES {values}"

    def _read(self, column: str, kind: str) -> str:
        of = self.type(kind)
        if of in ("VARIANT", "ARRAY"):
            return f"PARSE_JSON({column})"
        return f"TO_BINARY({column}, 'HEX')" if of == "BINARY" else f"CAST({column} AS {of})"

    def _text_of(self, value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, bytes):
            return self.text(value.hex())
        return self.text(json.dumps(value, default=str) if isinstance(value, list) else written(value))

    def binary(self, value: bytes, of: str) -> str:
        """*value* as SQL of the type *of*."""
        return f"TO_BINARY({self.text(value.hex())}, 'HEX')"


SPELLING = Snowflake(
    "snowflake",
    {
        "timestamp": "TIMESTAMP_NTZ",
        "timestamptz": "TIMESTAMP_TZ",
        "timestamp with time zone": "TIMESTAMP_TZ",
        "json": "VARIANT",
        "jsonb": "VARIANT",
        "bytea": "BINARY",
        "uuid": "VARCHAR",
        "text": "VARCHAR",
        "double precision": "FLOAT",
        "real": "FLOAT",
        "integer[]": "ARRAY",
        "text[]": "ARRAY",
    },
)
