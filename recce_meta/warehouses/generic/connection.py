"""Any other database with a SQLAlchemy dialect: its URL and sqlglot's name of its dialect; not tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from recce_meta.warehouses.base import ConnectionPlan, UrlDatabase, UrlParts, url_secrets

# https://docs.sqlalchemy.org/en/20/dialects/
DATABASES: Mapping[str, str] = {
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

_BACKTICKS = frozenset(["clickhouse", "doris", "drill", "hive", "singlestore", "spark", "starrocks"])


class OtherDatabase(UrlDatabase):
    """A database with the driver that SQLAlchemy selects for the URL."""

    name = "other"
    driver: ClassVar[str] = "generic"
    catalog: ClassVar[str] = "generic"
    version_sql = "SELECT 1"

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return a plan that passes the URL to SQLAlchemy unchanged."""
        return ConnectionPlan(url, database=url.database, secrets=url_secrets(url))


class _WithBackslashes(OtherDatabase):
    """A database that treats backslashes in quoted names as escapes."""

    name = "other_with_backslashes"

    def quote_identifier(self, name: str) -> str:
        """https://clickhouse.com/docs/sql-reference/syntax#identifiers"""
        return super().quote_identifier(name.replace("\\", "\\\\") if name else name)


def other_database(backend: str) -> OtherDatabase:
    """Return the database with SQLAlchemy's name *backend*, a key of `DATABASES`."""
    dialect = DATABASES[backend]
    facts = {
        "__doc__": f"{backend}, with standard SQL.",
        "name": backend,
        "dialect": dialect,
        "url_schemes": (backend,),
        "quote_character": "`" if dialect in _BACKTICKS else '"',
    }
    kind = _WithBackslashes if dialect == "clickhouse" else OtherDatabase
    made: OtherDatabase = type(backend.capitalize(), (kind,), facts)()
    return made
