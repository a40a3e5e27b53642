"""Any database that SQLAlchemy has a dialect for: tried nowhere, as far as the SQL standard goes."""

from __future__ import annotations

from typing import ClassVar

from recce_meta.warehouses.base import ConnectionPlan, UrlParts
from recce_meta.warehouses.by_url.base import UrlDatabase, url_secrets

_BACKTICKS = frozenset(["clickhouse", "doris", "drill", "hive", "singlestore", "spark", "starrocks"])


class OtherDatabase(UrlDatabase):
    """A database whose driver is SQLAlchemy's own affair."""

    name = "other"
    driver: ClassVar[str] = "other"
    catalog: ClassVar[str] = "other"
    version_sql = "SELECT 1"

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """How to connect: the URL goes to SQLAlchemy as it is."""
        return ConnectionPlan(url, database=url.database, secrets=url_secrets(url))


class _WithBackslashes(OtherDatabase):
    """A database that reads a backslash in a quoted name as the beginning of another character."""

    name = "other_with_backslashes"

    def quote_identifier(self, name: str) -> str:
        """https://clickhouse.com/docs/sql-reference/syntax#identifiers"""
        return super().quote_identifier(name.replace("\\", "\\\\") if name else name)


def other_database(backend: str, dialect: str) -> OtherDatabase:
    """The database that SQLAlchemy calls *backend*, and sqlglot *dialect*."""
    facts = {
        "__doc__": f"{backend}, as far as the SQL standard goes.",
        "name": backend,
        "dialect": dialect,
        "url_schemes": (backend,),
        "quote_character": "`" if dialect in _BACKTICKS else '"',
    }
    kind = _WithBackslashes if dialect == "clickhouse" else OtherDatabase
    made: OtherDatabase = type(backend.capitalize(), (kind,), facts)()
    return made
