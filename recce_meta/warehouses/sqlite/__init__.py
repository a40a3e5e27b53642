"""SQLite: connection, SQL dialect, catalog and driver."""
