"""The supported warehouses: one file each, found by name."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from recce_meta.errors import ConfigurationError, UnknownNameError
from recce_meta.warehouses.base import REGISTRY, ConnectionPlan, UrlParts, Warehouse
from recce_meta.warehouses.fields import Fields, masked

PLANNED = ("bigquery", "databricks", "redshift", "snowflake")
"""Warehouses that dbt users name and that have no file here yet."""

_SHARED = ("base", "fields")

__all__ = [
    "ConnectionPlan",
    "Fields",
    "UrlParts",
    "Warehouse",
    "available",
    "masked",
    "warehouse_for_scheme",
    "warehouse_named",
]


def available() -> tuple[str, ...]:
    """The names of all supported warehouses, sorted."""
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _SHARED)
    )


def warehouse_named(name: str, *, where: str = "") -> Warehouse:
    """The warehouse of a profile's `type:`; *where* completes the message if there is none."""
    if name in available():
        import_module(f"{__name__}.{name}")
        return REGISTRY[name]()
    if name in PLANNED:
        raise ConfigurationError(
            f"Warehouse type '{name}' is not supported yet{where and f' {where}'}",
            hint=f"supported today: {', '.join(available())}",
        )
    raise UnknownNameError("warehouse type", name, (*available(), *PLANNED), where=where)


def warehouse_for_scheme(scheme: str) -> Warehouse:
    """The warehouse of a URL that starts with *scheme* (`postgresql`, `postgresql+psycopg`, `duckdb`)."""
    backend = scheme.partition("+")[0]
    for name in available():
        warehouse = warehouse_named(name)
        if backend in warehouse.url_schemes:
            return warehouse
    return warehouse_named(backend, where="in the URL")
