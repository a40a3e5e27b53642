"""DuckDB: connection, SQL dialect, catalog and driver."""

from recce_meta.warehouses.duckdb.connection import DuckDB

__all__ = ["DuckDB"]
