"""BigQuery: connection, SQL dialect, catalog and driver."""
