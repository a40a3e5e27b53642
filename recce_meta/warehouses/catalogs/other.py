"""The catalog of any other database: what SQLAlchemy's inspector tells, and no statements of ours."""

from __future__ import annotations

from typing import ClassVar

from recce_meta.warehouses.catalogs.base import BaseCatalog


class Catalog(BaseCatalog):
    """What SQLAlchemy's dialect of the database tells."""

    uses_inspector = True
    # The parts of a name above the schema differ: none is written.
    has_databases = False
    reads_one_moment = False
    # What the manuals of the databases in `by_url.OTHERS` call their own; Oracle's names come in lower case.
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
