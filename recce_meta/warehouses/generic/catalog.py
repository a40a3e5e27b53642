"""Catalog of any other database, read by SQLAlchemy's inspector."""

from __future__ import annotations

from typing import ClassVar

from recce_meta.warehouses.catalog import BaseCatalog


class Catalog(BaseCatalog):
    """Catalog of the database's SQLAlchemy dialect."""

    uses_inspector = True
    # The levels of a name above the schema vary, so they are omitted.
    has_databases = False
    reads_one_moment = False
    # System schemas in the manuals of the databases in `connection.DATABASES`; Oracle's are in lower case.
    system_schemas: ClassVar[tuple[str, ...]] = (
        "INFORMATION_SCHEMA",
        "information_schema",
        "pg_*",
        "sys",
        "SYS*",
        "system",
        "_statistics_",
        "appqossys",
        "audsys",
        "crdb_internal",
        "ctxsys",
        "db_*",
        "dbsnmp",
        "dvsys",
        "gsm*",
        "guest",
        "lbacsys",
        "mdsys",
        "mysql",
        "ojvmsys",
        "olapsys",
        "ord*sys",
        "outln",
        "performance_schema",
        "rw_catalog",
        "wmsys",
        "xdb",
    )
