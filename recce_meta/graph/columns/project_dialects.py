"""Which of sqlglot's dialects reads the SQL of a dbt adapter. Static, so that sqlglot need not be loaded."""

from __future__ import annotations

import re

_READ_AS = {
    "athena": "athena",
    "bigquery": "bigquery",
    "clickhouse": "clickhouse",
    "cockroachdb": "postgres",
    "crate": "postgres",
    "databricks": "databricks",
    "doris": "doris",
    "drill": "drill",
    "druid": "druid",
    "duckdb": "duckdb",
    "fabric": "tsql",
    "fabricspark": "spark",
    "firebolt": "postgres",
    "glue": "spark",
    "greenplum": "postgres",
    "hive": "hive",
    "hologres": "postgres",
    "impala": "hive",
    "ksql": "",
    "layer_bigquery": "bigquery",
    "mariadb": "mysql",
    "materialize": "materialize",
    "motherduck": "duckdb",
    "mysql": "mysql",
    "mysql5": "mysql",
    "netezza": "postgres",
    "oracle": "oracle",
    "postgres": "postgres",
    "postgresql": "postgres",
    "presto": "presto",
    "redshift": "redshift",
    "risingwave": "risingwave",
    "singlestore": "mysql",
    "snowflake": "snowflake",
    "spark": "spark",
    "spark2": "spark2",
    "sqlite": "sqlite",
    "sqlserver": "tsql",
    "starburst": "trino",
    "starrocks": "starrocks",
    "synapse": "tsql",
    "teradata": "teradata",
    "tidb": "mysql",
    "timescaledb": "postgres",
    "trino": "trino",
    "tsql": "tsql",
    "vertica": "postgres",
    "yellowbrick": "postgres",
}
"""Dialects that sqlglot 26 has, by dbt's adapter type, and by sqlglot's own name."""


_CASE_COUNTS = frozenset(["clickhouse"])
"""Dialects in which `id` and `ID` are two columns."""


_DECORATOR = re.compile(r"\$(\d+|__\w+__)$", re.ASCII | re.IGNORECASE)


def dialect_of(adapter_type: str | None) -> str | None:
    """sqlglot's name of what *adapter_type* speaks; None where nobody knows, and the standard has to do."""
    return _READ_AS.get((adapter_type or "").lower()) or None


def folded(column: str, dialect: str | None) -> str:
    """One spelling for all of a *column* that no list of columns spells.

    >>> folded("Amount", "snowflake"), folded("Amount", "clickhouse")
    ('amount', 'Amount')
    """
    return column if dialect in _CASE_COUNTS else column.lower()


def without_partition(name: str, dialect: str) -> str:
    """Return *name*, of a table, without a decorator that chooses one of its partitions.

    https://cloud.google.com/bigquery/docs/managing-partition-data#partition_decorators

    >>> without_partition("shop.orders$20240101", "bigquery")
    'shop.orders'
    """
    return _DECORATOR.sub("", name) if dialect == "bigquery" and "$" in name else name
