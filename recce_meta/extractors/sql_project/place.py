"""Where nodes live, as far as files tell, and how their relations are written."""

from __future__ import annotations

from msgspec import Struct

BACKTICKS = frozenset("bigquery databricks spark mysql mariadb hive".split())


class Place(Struct, frozen=True, kw_only=True):
    """The database and schema of the profile's target."""

    schema: str
    database: str | None = None
    is_target: bool = False
    """Whether a profile says so; otherwise the schema only stands for one."""

    def schema_of(self, custom: str | None) -> str:
        """The schema of a node whose setting is *custom*, by dbt's own `generate_schema_name`."""
        if not custom:
            return self.schema
        return f"{self.schema}_{custom.strip()}" if self.is_target else custom.strip()


def relation_name(database: str | None, schema: str | None, identifier: str, dialect: str | None) -> str:
    """The relation, every part of it quoted.

    >>> relation_name(None, "shop", "orders", "duckdb")
    '"shop"."orders"'
    """
    quote = "`" if dialect in BACKTICKS else '"'
    parts = [part for part in (database, schema, identifier) if part]
    return ".".join(f"{quote}{part.replace(quote, quote * 2)}{quote}" for part in parts)
