"""The catalogs of warehouses: one file each, found by the warehouse's name."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from recce_meta.errors import UsageError
from recce_meta.warehouses.base import Warehouse
from recce_meta.warehouses.catalogs.base import ROWS, BaseCatalog, Part

__all__ = ["ROWS", "BaseCatalog", "Part", "catalog_of"]


def catalog_of(warehouse: Warehouse) -> BaseCatalog:
    """The catalog of *warehouse*. Raises UsageError where it cannot be scanned."""
    module = f"{__name__}.{warehouse.name}"
    if find_spec(module) is None:
        raise UsageError(f"{warehouse.name} cannot be scanned", hint="its catalog is not known here")
    catalog: BaseCatalog = import_module(module).Catalog()
    return catalog
