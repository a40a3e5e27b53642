"""MySQL and MariaDB."""

from __future__ import annotations

from math import isfinite
from typing import Any

from recce_meta.adapter import UnifiedSqlAdapter
from tests.spelling.base import ByValues, written


class MySQL(ByValues):
    def literal(self, value: Any, kind: str) -> str:
        """*value* in quotes: there are few types that can be cast to, and each is read from text."""
        if value is None:
            return "NULL"
        if isinstance(value, bytes):
            return f"x'{value.hex()}'"
        if isinstance(value, bool) or kind.lower() == "boolean":
            return "1" if value in (True, "true") else "0"
        return self.text(written(value).removesuffix("+00:00"))

    def kept(self, value: Any) -> Any:
        """Doubles are neither infinite nor NaN."""
        return None if isinstance(value, float) and not isfinite(value) else value

    def create_schema(self, adapter: UnifiedSqlAdapter, name: str) -> None:
        """A database is a schema."""
        adapter.execute(f"CREATE DATABASE {adapter.quote_identifier(name)} CHARACTER SET utf8mb4")

    def drop_schema(self, adapter: UnifiedSqlAdapter, name: str) -> None:
        """It goes with all that it holds."""
        adapter.execute(f"DROP DATABASE IF EXISTS {adapter.quote_identifier(name)}")


SPELLING = MySQL(
    "mysql",
    types={
        "text": "longtext",
        "varchar": "varchar(255)",
        "double precision": "double",
        "real": "float",
        "numeric": "decimal(38, 10)",
        "timestamp": "datetime(6)",
        "timestamptz": "timestamp(6)",
        "time": "time(6)",
        "binary": "longblob",
        "bytea": "longblob",
    },
)
