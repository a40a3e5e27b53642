"""BigQuery: connection, SQL dialect, catalog and driver."""

from recce_meta.warehouses.bigquery.connection import BigQuery

__all__ = ["BigQuery"]
