"""Snowflake: connection, SQL dialect, catalog and driver."""

from recce_meta.warehouses.snowflake.connection import Snowflake

__all__ = ["Snowflake"]
