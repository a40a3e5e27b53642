"""Databases that no dbt profile leads to, and that a SQLAlchemy URL does: data can be compared there.

MySQL, MariaDB and SQLite have files here. Of any other that SQLAlchemy and sqlglot know, just the name of
its dialect is told: statements are rendered for it as the SQL standard has them, untried. The store is in
none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from recce_meta.warehouses.base import Warehouse
from recce_meta.warehouses.by_url.other import other_database

# https://docs.sqlalchemy.org/en/20/dialects/
OWN_FILES: Mapping[str, str] = {"mariadb": "mysql", "mysql": "mysql", "sqlite": "sqlite"}
"""What stands before `+driver://` in a URL, and the file in this package."""

OTHERS: Mapping[str, str] = {
    "awsathena": "athena",
    "clickhouse": "clickhouse",
    "clickhousedb": "clickhouse",
    "cockroachdb": "postgres",
    "doris": "doris",
    "dremio": "dremio",
    "drill": "drill",
    "druid": "druid",
    "exa": "exasol",
    "hive": "hive",
    "mssql": "tsql",
    "oracle": "oracle",
    "presto": "presto",
    "risingwave": "risingwave",
    "singlestoredb": "singlestore",
    "sparksql": "spark",
    "starrocks": "starrocks",
    "teradatasql": "teradata",
    "trino": "trino",
}
"""SQLAlchemy's names of dialects, and sqlglot's."""


def backends() -> tuple[str, ...]:
    """What may stand before `://` or `+driver://` in a URL, beside the names of warehouses."""
    return tuple(sorted({*OWN_FILES, *OTHERS}))


def database_of(backend: str) -> Warehouse:
    """The database that *backend*, one of `backends()`, names."""
    if backend in OWN_FILES:
        database: Warehouse = import_module(f"{__name__}.{OWN_FILES[backend]}").Database()
        return database
    return other_database(backend, OTHERS[backend])
