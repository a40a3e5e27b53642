"""What other packages bring: warehouses, SQL dialects and exporters, found by their entry points.

Looking takes some milliseconds, so that it is done only for a name that is not built in, and once. A name
that is built in stays what it is, whatever a package calls so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from recce_meta.errors import PluginError, RecceMetaError, UnknownNameError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

WAREHOUSES = "recce_meta.warehouses"
"""Entry points of warehouses: the `type:` of profiles.yml, and a subclass of `warehouses.base.Warehouse`."""
DIALECTS = "recce_meta.dialects"
"""Of SQL dialects: sqlglot's name, and a subclass of `dialects.base.Dialect`."""
EXPORTERS = "recce_meta.exporters"
"""Of exporters: the name of a format, and the function that writes it."""


@cache
def _entry_points(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for one in entry_points(group=group):
        # The same package can be met twice on the path: the first is the one that is imported.
        if all(_package(one) != _package(other) for other in found.get(one.name, ())):
            found[one.name] = (*found.get(one.name, ()), one)
    return found


def installed(group: str) -> tuple[str, ...]:
    """The names that packages register in *group*, sorted."""
    return tuple(sorted(_entry_points(group)))


def clashes(group: str, built_in: Sequence[str]) -> tuple[str, ...]:
    """One sentence for each name of *group* that a package registers and that is *built_in* already."""
    return tuple(
        f"'{name}' of {_package(one)} is not used: recce_meta has {_a(_kind(group))} of that name"
        for name, found in sorted(_entry_points(group).items())
        if name in built_in
        for one in found
    )


def loaded(group: str, name: str) -> Any:
    """What a package registers as *name* in *group*; None where no package does.

    Raises PluginError where it cannot be imported, or where two packages register the name.
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
    ) as error:  # whatever the package's own code raises: its user has to know whose it is
        raise broken(group, name, f"{type(error).__name__}: {error}") from error


def broken(group: str, name: str, cause: str) -> PluginError:
    """The error that tells that what is registered as *name* in *group* does not serve, and why."""
    packages = ", ".join(map(_package, _entry_points(group).get(name, ()))) or "a package"
    return PluginError(
        f"The {_kind(group)} '{name}' of {packages} cannot be used: {cause}",
        hint=f"update {packages}, or uninstall it",
    )


def class_at(path: str) -> Any:
    """The class that *path* names: `package.module:Class`, imported now.

    Raises PluginError where there is none.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except Exception as error:  # as above
        raise PluginError(
            f"{path} cannot be used: {type(error).__name__}: {error}",
            hint=f"update the package that brings {module.partition('.')[0]}, or uninstall it",
        ) from error


def exporter_named(name: str, built_in: Sequence[str] = ()) -> Callable[..., Any]:
    """The exporter that a package registers as *name*: a `models.export.Exporter`.

    Raises UnknownNameError, which lists the *built_in* formats and those of packages, where there is none,
    and PluginError where it cannot be imported, or called.
    """
    exporter = loaded(EXPORTERS, name)
    if exporter is None:
        raise UnknownNameError("format", name, (*built_in, *installed(EXPORTERS)))
    if not callable(exporter):
        raise broken(EXPORTERS, name, f"{exporter!r} is no function")
    called: Callable[..., Any] = exporter
    return called


def called(group: str, name: str, work: Callable[[], T]) -> T:
    """What *work*, which calls what a package registers as *name* in *group*, gives.

    Raises PluginError for whatever the package's own code raises that is neither ours nor the system's.
    """
    try:
        return work()
    except (RecceMetaError, OSError):
        raise
    except (Exception, SystemExit) as error:  # as above
        raise broken(group, name, f"{type(error).__name__}: {error}") from error


def _kind(group: str) -> str:
    return {WAREHOUSES: "warehouse", DIALECTS: "SQL dialect", EXPORTERS: "exporter"}[group]


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _package(one: EntryPoint) -> str:
    return one.dist.name if one.dist is not None else one.value.partition(".")[0]
