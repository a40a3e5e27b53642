"""The catalogs of warehouses: one file each, found by the warehouse's name."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from recce_meta.plugins import class_at
from recce_meta.warehouses.base import Warehouse
from recce_meta.warehouses.catalogs.base import ROWS, BaseCatalog, Part

OTHER = "other"
"""The file of databases whose catalog is not known."""

__all__ = ["ROWS", "BaseCatalog", "Part", "catalog_of"]


def catalog_of(warehouse: Warehouse) -> BaseCatalog:
    """The catalog of *warehouse*: its own, or what SQLAlchemy's inspector tells where it has none."""
    catalog: BaseCatalog
    if ":" in warehouse.catalog:
        catalog = class_at(warehouse.catalog)()
        return catalog
    module = f"{__name__}.{warehouse.catalog or warehouse.name}"
    catalog = import_module(module if find_spec(module) else f"{__name__}.{OTHER}").Catalog()
    return catalog
