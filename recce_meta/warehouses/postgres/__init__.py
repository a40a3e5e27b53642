"""PostgreSQL: connection, SQL dialect, catalog and driver."""
