"""Plugins of other packages: warehouses, SQL dialects, extractors and exporters, as entry points.

Reading entry points takes some milliseconds. It is done once, and only for names that are not built in. A
built-in name always wins over a plugin of the same name.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from recce_meta.errors import PluginError, RecceMetaError, UnknownNameError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

WAREHOUSES = "recce_meta.warehouses"
"""Entry points of warehouses: the `type:` in profiles.yml, and a subclass of `warehouses.Warehouse`."""
DIALECTS = "recce_meta.dialects"
"""Entry points of SQL dialects: sqlglot's name, and a subclass of `warehouses.dialect.Dialect`."""
EXTRACTORS = "recce_meta.extractors"
"""Entry points of extractors: the NAME of `record --from NAME`, and the function that reads a folder."""
EXPORTERS = "recce_meta.exporters"
"""Entry points of exporters: the name of a format, and the function that writes it."""
FORGES = "recce_meta.repositories.forges"
"""Package with a folder for each forge."""
GIT = "git"
"""Type of a connection to a git server of another kind."""


@cache
def folders_of(package: str) -> tuple[str, ...]:
    """Return the sorted names of the folders of *package*; their modules are not imported."""
    modules = pkgutil.iter_modules(import_module(package).__path__)
    return tuple(sorted(module.name for module in modules if module.ispkg))


def forge_names() -> tuple[str, ...]:
    """Return the sorted names of all forges."""
    return folders_of(FORGES)


def connection_types() -> tuple[str, ...]:
    """Return the types of connections: all forges, and `git` for any other server."""
    return (*forge_names(), GIT)


def class_of(module: str, base: type[T]) -> type[T]:
    """Import *module*, and return the only public subclass of *base* that it defines."""
    # A module also has the classes that it imports.
    (only,) = (
        value
        for name, value in vars(import_module(module)).items()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module
        and not name.startswith("_")
    )
    return only


@cache
def _entry_points(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for one in entry_points(group=group):
        # A package can be on the path twice; Python imports the first.
        if all(_package(one) != _package(other) for other in found.get(one.name, ())):
            found[one.name] = (*found.get(one.name, ()), one)
    return found


def plugin_names(group: str) -> tuple[str, ...]:
    """Return the names that packages register in *group*, sorted."""
    return tuple(sorted(_entry_points(group)))


def clash_warnings(group: str, built_in: Sequence[str]) -> tuple[str, ...]:
    """Return one sentence for each plugin of *group* whose name is *built_in* already."""
    return tuple(
        f"Plugin '{name}' of {_package(one)} is ignored: recce_meta has {_a(_kind(group))} of that name"
        for name, found in sorted(_entry_points(group).items())
        if name in built_in
        for one in found
    )


def load_plugin(group: str, name: str) -> Any:
    """Load the plugin *name* of *group*; return None if no package registers it.

    Raises PluginError if it cannot be imported, or if two packages register the name.
    """
    found = _entry_points(group).get(name, ())
    if not found:
        return None
    if len(found) > 1:
        raise PluginError(
            f"{_kind(group).capitalize()} '{name}' is registered by two packages: "
            f"{', '.join(sorted(map(_package, found)))}",
            hint="uninstall one of them",
        )
    (one,) = found
    try:
        return one.load()
    except (
        Exception,
        SystemExit,
    ) as error:  # any error of the package's code: the message must name the package
        raise plugin_error(group, name, f"{type(error).__name__}: {error}") from error


def plugin_error(group: str, name: str, cause: str) -> PluginError:
    """Return the error for an unusable plugin *name* of *group*."""
    packages = ", ".join(map(_package, _entry_points(group).get(name, ()))) or "a package"
    return PluginError(
        f"Cannot use {_kind(group)} '{name}' of {packages}: {cause}",
        hint=f"update {packages}, or uninstall it",
    )


def class_at(path: str) -> Any:
    """Import the class at *path*: `package.module:Class`. Raise PluginError if that fails."""
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except Exception as error:  # as above
        raise PluginError(
            f"Cannot import {path}: {type(error).__name__}: {error}",
            hint=f"update or uninstall the package that provides {module.partition('.')[0]}",
        ) from error


def exporter_named(name: str, built_in: Sequence[str] = ()) -> Callable[..., Any]:
    """Return the exporter plugin *name*, a `models.export.Exporter`.

    Raises UnknownNameError, which lists the *built_in* and plugin formats, if there is no such exporter, and
    PluginError if it cannot be imported or called.
    """
    return _function_named(EXPORTERS, "format", name, built_in)


def extractor_named(name: str, built_in: Sequence[str] = ()) -> Callable[..., Any]:
    """Return the extractor plugin *name*, a `models.run.Extractor`.

    Raises UnknownNameError, which lists the *built_in* and plugin extractors, for an unknown name, and
    PluginError if it cannot be imported or called.
    """
    return _function_named(EXTRACTORS, "extractor", name, built_in)


def _function_named(group: str, kind: str, name: str, built_in: Sequence[str]) -> Callable[..., Any]:
    found = load_plugin(group, name)
    if found is None:
        raise UnknownNameError(kind, name, (*built_in, *plugin_names(group)))
    if not callable(found):
        raise plugin_error(group, name, f"{found!r} is not callable")
    called: Callable[..., Any] = found
    return called


def call_plugin(group: str, name: str, work: Callable[[], T]) -> T:
    """Return the result of *work*, which calls the plugin *name* of *group*.

    Raises PluginError for errors of the plugin's code, except RecceMetaError and OSError.
    """
    try:
        return work()
    except (RecceMetaError, OSError):
        raise
    except (Exception, SystemExit) as error:  # as above
        raise plugin_error(group, name, f"{type(error).__name__}: {error}") from error


def _kind(group: str) -> str:
    kinds = {WAREHOUSES: "warehouse", DIALECTS: "SQL dialect", EXTRACTORS: "extractor", EXPORTERS: "exporter"}
    return kinds[group]


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _package(one: EntryPoint) -> str:
    return one.dist.name if one.dist is not None else one.value.partition(".")[0]
