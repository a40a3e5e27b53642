"""Databricks: connection, SQL dialect, catalog and driver."""
