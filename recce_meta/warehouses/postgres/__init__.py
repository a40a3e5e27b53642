"""PostgreSQL: connection, SQL dialect, catalog and driver."""

from recce_meta.warehouses.postgres.connection import Postgres

__all__ = ["Postgres"]
