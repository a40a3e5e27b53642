"""PostgreSQL with Greenplum's differences."""

from dataclasses import replace

from recce_meta.warehouses import ConnectionPlan, UrlParts
from recce_meta.warehouses.postgres.connection import Postgres


class Greenplum(Postgres):
    """Greenplum 7, through psycopg 3."""

    name = "greenplum"
    dialect = "postgres"
    store_dialect = "postgres"
    driver = "recce_meta_greenplum.driver:Driver"
    catalog = "recce_meta_greenplum.catalog:Catalog"
    url_schemes = ("greenplum",)

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for `greenplum://user:password@host:port/database`."""
        return super().plan_url(replace(url, scheme="postgresql"))
