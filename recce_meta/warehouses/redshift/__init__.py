"""Amazon Redshift: connection, SQL dialect, catalog and driver."""

from recce_meta.warehouses.redshift.connection import Redshift

__all__ = ["Redshift"]
