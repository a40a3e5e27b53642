"""The supported warehouses: one file each, found by name."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from recce_meta.errors import UnknownNameError
from recce_meta.warehouses.base import REGISTRY, ConnectionPlan, UrlParts, Warehouse
from recce_meta.warehouses.by_url import backends, database_of
from recce_meta.warehouses.fields import Fields, masked

_SHARED = ("base", "fields", "position")

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


@cache
def available() -> tuple[str, ...]:
    """The names of all supported warehouses, sorted."""
    return tuple(
        sorted(
            module.name
            for module in pkgutil.iter_modules(__path__)
            if module.name not in _SHARED and not module.ispkg
        )
    )


def warehouse_named(name: str, *, where: str = "") -> Warehouse:
    """The warehouse of a profile's `type:`; *where* completes the message if there is none."""
    if name in available():
        import_module(f"{__name__}.{name}")
        return REGISTRY[name]()
    raise UnknownNameError("warehouse type", name, available(), where=where)


def warehouse_for_scheme(scheme: str) -> Warehouse:
    """The warehouse of a URL that starts with *scheme* (`postgresql`, `postgresql+psycopg`, `duckdb`)."""
    backend = scheme.partition("+")[0]
    for name in available():
        warehouse = warehouse_named(name)
        if backend in warehouse.url_schemes:
            return warehouse
    if backend in backends():
        return database_of(backend)
    raise UnknownNameError("database", backend, (*available(), *backends()), where="in the URL")
