"""Snowflake: connection, SQL dialect, catalog and driver."""
