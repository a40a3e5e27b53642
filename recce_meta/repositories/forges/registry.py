"""Finder of forges: each folder of this package is one, and its module `forge` has the class.

`plugins.forge_names` lists them without importing any.
"""

from __future__ import annotations

from functools import cache

from recce_meta.errors import UnknownNameError
from recce_meta.plugins import FORGES, class_of, forge_names
from recce_meta.repositories.forges.forge import Forge


@cache
def find_forge(name: str) -> Forge | None:
    """Return the forge *name*; None for another name, such as `git` for a plain server."""
    found = next((one for one in forge_names() if one == name), None)
    if found is None:
        return None
    return class_of(f"{FORGES}.{found}.forge", Forge)()  # type: ignore[type-abstract]


def forge_named(name: str) -> Forge:
    """Return the forge *name*. Raises UnknownNameError."""
    found = find_forge(name)
    if found is None:
        raise UnknownNameError("forge", name, forge_names())
    return found
