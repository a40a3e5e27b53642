"""Warehouses by name and by URL scheme: the built-in ones and those of other packages."""

from __future__ import annotations

from functools import cache

from recce_meta.errors import UnknownNameError
from recce_meta.plugins import WAREHOUSES, clash_warnings, plugin_error, plugin_names
from recce_meta.warehouses.base import ConnectionPlan, OneMoment, StoreRights, UrlParts, Warehouse
from recce_meta.warehouses.builds import BuildRules
from recce_meta.warehouses.fields import Fields, masked
from recce_meta.warehouses.generic.connection import DATABASES, other_database
from recce_meta.warehouses.registry import built_in, folders_with, plugin

__all__ = [
    "ConnectionPlan",
    "Fields",
    "OneMoment",
    "StoreRights",
    "UrlParts",
    "Warehouse",
    "available",
    "clashing",
    "masked",
    "rules_of",
    "url_databases",
    "url_schemes",
    "warehouse_for_scheme",
    "warehouse_named",
    "warehouse_of_adapter",
    "warehouse_of_store",
]

URL_FOLDERS = {"mariadb": "mysql", "mysql": "mysql", "sqlite": "sqlite"}
"""Folders by URL scheme, for databases without dbt profiles and without the store."""


@cache
def available() -> tuple[str, ...]:
    """Return the sorted names of all warehouses that profiles and the store support."""
    return tuple(name for name in folders_with("connection") if name not in URL_FOLDERS.values())


def url_databases() -> tuple[str, ...]:
    """Return the sorted URL schemes of databases that are only reached by a URL."""
    return tuple(sorted((*URL_FOLDERS, *DATABASES)))


def warehouse_named(name: str, *, where: str = "") -> Warehouse:
    """Return the warehouse for the `type:` of a profile; *where* is added to the error message.

    Falls back to warehouses of installed packages. Raises UnknownNameError if no package has it, PluginError
    if the package's warehouse is unusable.
    """
    found = built_in("connection", name, Warehouse) if name in available() else _plugin(name)
    if found is None:
        known = (*available(), *plugin_names(WAREHOUSES))
        raise UnknownNameError("warehouse type", name, known, where=where)
    return found()


@cache
def warehouse_of_adapter(adapter: str | None) -> Warehouse | None:
    """Return the warehouse that dbt's *adapter* serves; None if it is unknown."""
    try:
        return warehouse_named(adapter) if adapter else None
    except UnknownNameError:
        return None


def rules_of(adapter: str | None) -> BuildRules | None:
    """Return how dbt's *adapter* builds incremental models, None if that is not known."""
    found = warehouse_of_adapter(adapter)
    return None if found is None else found.build_rules


def enforced_constraints(adapter: str | None) -> frozenset[str] | None:
    """Return the kinds of constraints of dbt that the warehouse of *adapter* enforces; None if unknown."""
    found = warehouse_of_adapter(adapter)
    return None if found is None else found.enforced_constraints


def warehouse_of_store(dialect: str) -> Warehouse:
    """Return the warehouse whose store has the SQL of *dialect*, also if profiles do not support it."""
    found = built_in("connection", URL_FOLDERS.get(dialect, ""), Warehouse)
    return warehouse_named(dialect) if found is None else found()


def url_schemes() -> tuple[str, ...]:
    """Return all URL schemes, except those of other packages."""
    own = (scheme for name in available() for scheme in warehouse_named(name).url_schemes)
    return tuple(dict.fromkeys([*own, *url_databases()]))


def warehouse_for_scheme(scheme: str) -> Warehouse:
    """Return the warehouse for URLs with *scheme* (`postgresql`, `postgresql+psycopg`, `duckdb`)."""
    backend = scheme.partition("+")[0]
    # The folder that the scheme names comes first, so that the modules of the others are not imported.
    for name in sorted(available(), key=lambda name: not backend.startswith(name)):
        warehouse = warehouse_named(name)
        if backend in warehouse.url_schemes:
            return warehouse
    if (found := built_in("connection", URL_FOLDERS.get(backend, ""), Warehouse)) is not None:
        return found()
    if backend in DATABASES:
        return other_database(backend)
    for name in plugin_names(WAREHOUSES):
        if name not in available() and backend in (warehouse := warehouse_named(name)).url_schemes:
            return warehouse
    known = (*available(), *url_databases(), *plugin_names(WAREHOUSES))
    raise UnknownNameError("database", backend, known, where="in the URL")


def clashing() -> tuple[str, ...]:
    """Return one warning for each warehouse that a package registers under a built-in name."""
    return clash_warnings(WAREHOUSES, (*available(), *url_databases()))


def _plugin(name: str) -> type[Warehouse] | None:
    """Return the warehouse that a package registers as *name*. Raises PluginError if it is unusable."""
    found = plugin(WAREHOUSES, name, Warehouse)
    if found is not None and found.name != name:
        raise plugin_error(WAREHOUSES, name, f"its name is '{found.name}'")
    if found is not None and not found.dialect:
        raise plugin_error(WAREHOUSES, name, "it has no SQL dialect")
    return found
