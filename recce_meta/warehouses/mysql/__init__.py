"""MySQL and MariaDB: connection, SQL dialect, catalog and driver."""
