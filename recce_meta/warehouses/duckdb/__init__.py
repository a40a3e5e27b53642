"""DuckDB: connection, SQL dialect, catalog and driver."""
