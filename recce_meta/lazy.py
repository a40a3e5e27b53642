"""Lazy imports of own modules: the names of a package, and whole modules, are loaded on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType


def lazy_names(
    package: str, submodules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of *package*.

    *submodules* maps the dotted name of a submodule to the names that it defines, separated by spaces. The
    package's `if TYPE_CHECKING` block repeats them as imports, which type checkers and editors read.
    """
    homes = {name: submodule for submodule, names in submodules.items() for name in names.split()}

    def getattribute(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return getattribute, lambda: sorted(homes)


class LazyModule(ModuleType):
    """Stand-in for the module *name*, which is imported when one of its attributes is first read.

    Use it for a slow import that most calls do not need. An `if TYPE_CHECKING` import of the same name tells
    type checkers what the module holds.
    """

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)
