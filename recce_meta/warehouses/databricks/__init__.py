"""Databricks: connection, SQL dialect, catalog and driver."""

from recce_meta.warehouses.databricks.connection import Databricks

__all__ = ["Databricks"]
