"""Finder of the parts of a warehouse: built-in classes by folder, and classes of other packages.

A folder of this package is one warehouse, with up to four modules: `connection`, `dialect`, `catalog` and
`driver`. Each defines one public subclass of that part's base class. The folder `generic` serves databases
without a folder. Modules are imported when their class is first requested.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Literal, TypeVar

from recce_meta.plugins import class_at, class_of, folders_of, load_plugin, plugin_error

T = TypeVar("T")
Part = Literal["connection", "dialect", "catalog", "driver"]

GENERIC = "generic"
"""Folder that serves databases without a folder."""


@cache
def folders_with(part: Part) -> tuple[str, ...]:
    """Return the folders of warehouses that hold the module *part*, sorted, without `generic`."""
    names = folders_of(__package__)
    return tuple(name for name in names if name != GENERIC and find_spec(f"{__package__}.{name}.{part}"))


def built_in(part: Part, folder: str, base: type[T]) -> type[T] | None:
    """Return the subclass of *base* that the module *part* of *folder* defines; None without one."""
    if folder != GENERIC and folder not in folders_with(part):
        return None
    return class_of(f"{__package__}.{folder}.{part}", base)


def plugin(group: str, name: str, base: type[T]) -> type[T] | None:
    """Return the class that a package registers as *name* in *group*; None if no package does.

    Raises PluginError if it cannot be imported or is not a subclass of *base*.
    """
    found = load_plugin(group, name)
    if found is None or (isinstance(found, type) and issubclass(found, base)):
        return found
    module = base.__module__.removesuffix(".base")
    raise plugin_error(group, name, f"{found!r} is not a subclass of {module}.{base.__name__}")


def class_at_reference(part: Part, reference: str, base: type[T]) -> type[T] | None:
    """Return the class at *reference*: a folder, or `package.module:Class` of another package."""
    if ":" not in reference:
        return built_in(part, reference, base)
    found: type[T] = class_at(reference)
    return found
