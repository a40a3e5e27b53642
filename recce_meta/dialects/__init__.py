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
from recce_meta.plugins import DIALECTS, broken, installed, loaded

_SHARED = ("arithmetic", "base", "hugeints", "named_in_text", "rewriting", "standard", "tokens", "types")

__all__ = ["ColumnType", "Dialect", "Kind", "Sql", "column_type", "dialect_named", "dialect_names"]


def dialect_names() -> tuple[str, ...]:
    """The names of all dialects that statements can be written in, sorted."""
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _SHARED)
    )


def dialect_named(name: str) -> Dialect:
    """The dialect that sqlglot calls *name*: one of the files here, a package's, or the defaults.

    Raises UnknownNameError where sqlglot knows none, PluginError where a package's cannot be used.
    """
    if name in dialect_names():
        import_module(f"{__name__}.{name}")
        return REGISTRY[name]()
    if name and (brought := loaded(DIALECTS, name)) is not None:
        if not (isinstance(brought, type) and issubclass(brought, Dialect)):
            raise broken(DIALECTS, name, f"{brought!r} is no subclass of recce_meta.dialects.Dialect")
        return brought()
    if name and SqlglotDialect.get(name) is not None:
        return standard_dialect(name)
    raise UnknownNameError("SQL dialect", name, (*dialect_names(), *installed(DIALECTS)))
