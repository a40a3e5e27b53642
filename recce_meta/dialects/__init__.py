"""SQL of the six warehouses, of MySQL and of SQLite: one file of facts each, by sqlglot's name of it.

Other dialects that sqlglot knows have the defaults.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sqlglot.dialects.dialect import Dialect as SqlglotDialect

from recce_meta.dialects.base import REGISTRY, Dialect
from recce_meta.dialects.standard import standard_dialect
from recce_meta.dialects.types import ColumnType, Kind, Sql, column_type
from recce_meta.errors import UnknownNameError

_SHARED = ("base", "rewriting", "standard", "types")

__all__ = ["ColumnType", "Dialect", "Kind", "Sql", "column_type", "dialect_named", "dialect_names"]


def dialect_names() -> tuple[str, ...]:
    """The names of all dialects that statements can be written in, sorted."""
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _SHARED)
    )


def dialect_named(name: str) -> Dialect:
    """The dialect that sqlglot calls *name*."""
    if name not in dialect_names():
        if name and SqlglotDialect.get(name) is not None:
            return standard_dialect(name)
        raise UnknownNameError("SQL dialect", name, dialect_names())
    import_module(f"{__name__}.{name}")
    return REGISTRY[name]()
