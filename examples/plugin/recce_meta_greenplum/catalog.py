"""Scan queries for Greenplum: PostgreSQL's catalog without Greenplum's system schemas."""

from recce_meta.warehouses.postgres.catalog import Catalog as PostgresCatalog


class Catalog(PostgresCatalog):
    """PostgreSQL's queries."""

    system_schemas = (*PostgresCatalog.system_schemas, "gp_*")
