"""BigQuery: names of datasets are words, a statement is short, arrays and bytes are literals of their own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.spelling.base import ByValues, written


class BigQuery(ByValues):
    """How tests write SQL for BigQuery."""

    def literal(self, value: Any, kind: str) -> str:
        """*value* as SQL, of PostgreSQL's type *kind*."""
        of = self.type(kind)
        if value is not None and of == "JSON":
            return f"PARSE_JSON({self.text(written(value))}, wide_number_mode => 'round')"
        if isinstance(value, list):
            items = ", ".join(self.literal(item, kind.removesuffix("[]")) for item in value)
            return f"[{items}]"
        return super().literal(value, kind)

    def binary(self, value: bytes, of: str) -> str:
        """*value* as SQL of the type *of*."""
        return f"FROM_HEX({self.text(value.hex())})"

    def schema_name(self) -> str:
        """A name of a dataset that nobody else uses: letters, digits and underscores."""
        return f"Recce_{uuid4().hex[:12]}"


SPELLING = BigQuery(
    "bigquery",
    {
        "smallint": "INT64",
        "integer": "INT64",
        "int": "INT64",
        "bigint": "INT64",
        "text": "STRING",
        "varchar": "STRING",
        "uuid": "STRING",
        "decimal(38,0)": "BIGNUMERIC(38, 0)",
        "boolean": "BOOL",
        "real": "FLOAT64",
        "double precision": "FLOAT64",
        "double": "FLOAT64",
        "timestamp": "DATETIME",
        "timestamptz": "TIMESTAMP",
        "timestamp with time zone": "TIMESTAMP",
        "json": "JSON",
        "jsonb": "JSON",
        "bytea": "BYTES",
        "integer[]": "ARRAY<INT64>",
        "text[]": "ARRAY<STRING>",
    },
)
