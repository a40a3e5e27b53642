"""What a scan asks of Greenplum: PostgreSQL's catalog, less the schemas that Greenplum keeps for itself."""

from recce_meta.warehouses.catalogs.postgres import Catalog as PostgresCatalog


class Catalog(PostgresCatalog):
    """PostgreSQL's statements."""

    system_schemas = (*PostgresCatalog.system_schemas, "gp_*")
