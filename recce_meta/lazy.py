"""Lazy imports of own modules: the names of a package, and whole modules, are loaded on first use."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

_IMPORT = re.compile(r"^from (\S+) import (\w+) as \2$", re.MULTILINE)


def lazy_names(file: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return the `__getattr__`, the `__dir__` and the `__all__` of the package with the `__init__.py` *file*.

    The names, and the modules that define them, are the imports of `__init__.pyi`, which type checkers and
    editors read as well: `from module import name as name`.
    """
    stub = Path(file).with_suffix(".pyi").read_text(encoding="utf-8")
    homes = {name: module for module, name in _IMPORT.findall(stub)}

    def getattribute(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {Path(file).parent.name!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return getattribute, lambda: sorted(homes), sorted(homes)


class LazyModule(ModuleType):
    """Stand-in for the module *name*, which is imported when one of its attributes is first read.

    Use it for a slow import that most calls do not need. An `if TYPE_CHECKING` import of the same name tells
    type checkers what the module holds.
    """

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)


def load(target: str) -> Any:
    """Import and return the object that *target* names as `module:name`, or a whole module."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name) if name else import_module(module)
