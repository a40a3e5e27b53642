"""Places of the data of two runs: the store's connection, or other targets, and the connections to them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.runs import RunPair
from recce_meta.temporary import temporary_folder

OfEnvironment = Callable[[str], str | None]
"""Returns the target or URL of the data of an environment in the configuration; None for the store's."""


class DataPlaces(Struct, frozen=True, kw_only=True):
    """Targets or URLs of the data of both sides; None for the store's connection."""

    base: str | None = None
    current: str | None = None
    is_asked: bool = False
    """True if the user names them, so that both are connected to even on one server."""


def data_places(
    runs: RunPair | None, data_target: str | None, base_target: str | None, of_environment: OfEnvironment
) -> DataPlaces:
    """Return the places of the data of *runs*.

    *data_target* and *base_target* are those of the user. Without them, the data of a run is where the
    configuration has that of its environment.
    """
    base = current = None
    if runs is not None:
        base, current = (of_environment(side.run.environment) for side in (runs.base, runs.current))
    return DataPlaces(
        # `--data-target` alone means both sides, but the configuration knows the base better.
        base=base_target or base or data_target,
        current=data_target or current,
        is_asked=bool(data_target or base_target),
    )


def open_reader(opened: ExitStack, adapter: UnifiedSqlAdapter) -> UnifiedSqlAdapter:
    """Return an adapter of the data of *adapter* whose queries only read; *opened* closes both.

    A database file is read as a private copy, because a reader of the file would exclude writers.
    """
    opened.enter_context(adapter)
    if adapter.place.file_state() is not None:
        adapter = adapter.snapshot(opened.enter_context(temporary_folder()))
    return opened.enter_context(adapter.guarded())


def open_sides(
    places: DataPlaces, store: Callable[[], UnifiedSqlAdapter], target: Callable[[str], UnifiedSqlAdapter]
) -> tuple[UnifiedSqlAdapter, UnifiedSqlAdapter | None]:
    """Return the adapters of current and base; base is None if one connection reads both.

    *store* returns the store's adapter, and *target* that of a target or URL. One connection to a server
    reads both sides, so that rows can be matched, unless the user asks for two.
    """
    current = target(places.current) if places.current else store()
    # Equal texts are one place, which saves a second login.
    if places.base == places.current:
        return current, None
    base = target(places.base) if places.base else store()
    # Two targets of one server often differ only in the schema, which names in queries contain.
    if not places.is_asked and base.place.shares_server_with(current.place):
        return current, None
    return current, base
