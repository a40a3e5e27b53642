"""DuckDB."""

from __future__ import annotations

from tests.spelling.base import ByValues


class DuckDB(ByValues):
    def binary(self, value: bytes, of: str) -> str:
        return f"unhex('{value.hex()}')"


SPELLING = DuckDB("duckdb", types={"binary": "blob", "bytea": "blob"})
