"""Databricks: STRING and TIMESTAMP_NTZ, literals of JSON and binary by functions, schemas without a space."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.spelling.base import Spelling, written


class Databricks(Spelling):
    """How tests write SQL for Databricks."""

    def literal(self, value: Any, kind: str) -> str:
        """*value* as SQL, of PostgreSQL's type *kind*."""
        of = self.type(kind)
        if value is not None and of == "VARIANT":
            return f"PARSE_JSON({self.text(written(value))})"
        return super().literal(value, kind)

    def binary(self, value: bytes, of: str) -> str:
        """*value* as SQL of the type *of*."""
        return f"X'{value.hex()}'"

    def schema_name(self) -> str:
        """A name of a schema that nobody else uses: Unity Catalog allows no space, no period, no slash."""
        return f"recce_{uuid4().hex[:12]}"


SPELLING = Databricks(
    "databricks",
    {
        "timestamp": "TIMESTAMP_NTZ",
        "timestamptz": "TIMESTAMP",
        "timestamp with time zone": "TIMESTAMP",
        "json": "VARIANT",
        "jsonb": "VARIANT",
        "bytea": "BINARY",
        "uuid": "STRING",
        "text": "STRING",
        "varchar": "STRING",
        "numeric": "DECIMAL(38, 10)",
        "double precision": "DOUBLE",
        "real": "FLOAT",
        "integer[]": "ARRAY<INT>",
        "text[]": "ARRAY<STRING>",
    },
    kept_json="text",
)
