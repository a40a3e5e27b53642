"""Amazon Redshift: connection, SQL dialect, catalog and driver."""
