"""The supported warehouses: one file each, found by name."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from recce_meta.errors import UnknownNameError
from recce_meta.plugins import WAREHOUSES, broken, clashes, installed, loaded
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
    "clashing",
    "masked",
    "url_schemes",
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
    """The warehouse of a profile's `type:`; *where* completes the message if there is none.

    What is not built in is looked for among the packages that bring a warehouse. Raises UnknownNameError
    where none does, PluginError where its package cannot be used.
    """
    if name in available():
        import_module(f"{__name__}.{name}")
        return REGISTRY[name]()
    brought = loaded(WAREHOUSES, name)
    if brought is not None:
        return _checked(name, brought)
    raise UnknownNameError("warehouse type", name, (*available(), *installed(WAREHOUSES)), where=where)


def url_schemes() -> tuple[str, ...]:
    """Return every word that a URL may start with, except those of other packages."""
    own = (scheme for name in available() for scheme in warehouse_named(name).url_schemes)
    return tuple(dict.fromkeys([*own, *backends()]))


def warehouse_for_scheme(scheme: str) -> Warehouse:
    """The warehouse of a URL that starts with *scheme* (`postgresql`, `postgresql+psycopg`, `duckdb`)."""
    backend = scheme.partition("+")[0]
    for name in available():
        warehouse = warehouse_named(name)
        if backend in warehouse.url_schemes:
            return warehouse
    if backend in backends():
        return database_of(backend)
    for name in installed(WAREHOUSES):
        if name not in available() and backend in (warehouse := warehouse_named(name)).url_schemes:
            return warehouse
    known = (*available(), *backends(), *installed(WAREHOUSES))
    raise UnknownNameError("database", backend, known, where="in the URL")


def clashing() -> tuple[str, ...]:
    """One sentence for each warehouse that a package brings under a name that is built in."""
    return clashes(WAREHOUSES, (*available(), *backends()))


def _checked(name: str, brought: object) -> Warehouse:
    """The warehouse that a package registers as *name*, of the class *brought*."""
    if not (isinstance(brought, type) and issubclass(brought, Warehouse)):
        raise broken(WAREHOUSES, name, f"{brought!r} is no subclass of recce_meta.warehouses.Warehouse")
    if brought.name != name or not brought.dialect:
        problem = f"its name is '{brought.name}'" if brought.name != name else "it names no SQL dialect"
        raise broken(WAREHOUSES, name, problem)
    return brought()
