"""What each driver does in its own way: one file per warehouse that needs one."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from recce_meta.adapter.drivers.base import BaseDriver
from recce_meta.plugins import class_at
from recce_meta.warehouses import Warehouse

__all__ = ["BaseDriver", "driver_for"]


def driver_for(warehouse: Warehouse) -> BaseDriver:
    """The driver of *warehouse*: its own file here, the class that its package brings, or the defaults."""
    if ":" in warehouse.driver:
        brought: BaseDriver = class_at(warehouse.driver)(warehouse)
        return brought
    module = f"{__name__}.{warehouse.driver or warehouse.name}"
    if find_spec(module) is None:
        return BaseDriver(warehouse)
    driver: BaseDriver = import_module(module).Driver(warehouse)
    return driver
