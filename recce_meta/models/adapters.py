"""dbt's adapters: packages with their macros, and the adapters whose macros they fall back to."""

from __future__ import annotations

from collections.abc import Mapping

_ADAPTERS = frozenset(
    """
    alloydb athena bigquery clickhouse databricks duckdb fabric mysql oracle postgres redshift singlestore
    snowflake spark sqlite sqlserver starrocks synapse trino
    """.split()
)
ADAPTER_PARENTS: Mapping[str, tuple[str, ...]] = {
    "alloydb": ("postgres",),
    "databricks": ("spark",),
    "redshift": ("postgres",),
    "sqlserver": ("fabric",),
    "synapse": ("fabric", "sqlserver"),
}
"""Adapters whose macros serve as fallback, by adapter: the `dependencies` of its plugin."""


def is_recording(macro: str) -> bool:
    """Return True if *macro*, a unique id, is of recce_meta's dbt package: what it reads changes no data."""
    return macro.startswith("macro.recce_meta.")


def is_builtin(package: str) -> bool:
    """Return True if macros of *package* are part of dbt or an adapter, and change only with its version."""
    return package == "dbt" or package.removeprefix("dbt_") in _ADAPTERS
