"""dbt's adapters: their macros, and the adapters whose macros they fall back to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

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
EXACT_NAMES = frozenset(["bigquery"])
"""Adapters that find a relation by its exact name: the others refuse names that differ only in case."""
MATERIALIZATION = "materialization_"
"""Start of the names of macros that are materializations."""


def is_recording(macro: str) -> bool:
    """Return True if *macro*, a unique id, is of recce_meta's dbt package: what it reads changes no data."""
    return macro.startswith("macro.recce_meta.")


def is_builtin(package: str) -> bool:
    """Return True if macros of *package* are part of dbt or an adapter, and change only with its version."""
    return package == "dbt" or package.removeprefix("dbt_") in _ADAPTERS


def base_name(name: str) -> str:
    """Return the name that `adapter.dispatch` looks up.

    >>> base_name("duckdb__create_table_as"), base_name("create_table_as"), base_name("__own")
    ('create_table_as', 'create_table_as', '__own')
    """
    prefix, separator, rest = name.partition("__")
    return rest if prefix and separator and rest else name


@cache
def macros_of_dbt() -> Mapping[str, frozenset[str]]:
    """Return the macros of dbt and the adapters of dbt Labs, each with the materializations that run it.

    Names have no adapter's prefix. Materializations are left out.
    """
    listed = _listed()
    return {name: frozenset(listed[name]) for name in listed if not name.startswith(MATERIALIZATION)}


def materializations_of_dbt() -> Iterator[str]:
    """Yield the macros that are materializations of dbt and the adapters of dbt Labs, by name."""
    return (name for name in _listed() if name.startswith(MATERIALIZATION))


def adapters_of(materialization: str, macros: Iterable[str]) -> set[str]:
    """Return the adapters for which one of *macros* is *materialization*; `default` stands for all adapters.

    >>> adapters_of("dynamic_table", materializations_of_dbt())
    {'snowflake'}
    """
    start = f"{MATERIALIZATION}{materialization}_"
    # The name of an adapter has no underscore, but that of a materialization may have one.
    return {name[len(start) :] for name in macros if name.startswith(start) and "_" not in name[len(start) :]}


@cache
def _listed() -> Mapping[str, Sequence[str]]:
    lines = Path(__file__).with_name("dbt_macros.txt").read_text("utf-8").splitlines()
    return {name: kinds for name, *kinds in map(str.split, lines)}
