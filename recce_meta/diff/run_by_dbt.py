"""Macros that dbt runs although no node calls them.

dbt does not list the macros that it runs around a node's SQL: a materialization calls `create_table_as`, and
dbt itself calls `get_incremental_default_sql`. A project macro with such a name, optionally with an adapter's
prefix (`duckdb__create_table_as`), overrides dbt's own. Macros are therefore followed by name: from a macro
to its dependencies, to the macros behind its `adapter.…` calls, and to other macros with these names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from recce_meta.diff.project_side import MOST_NAMES
from recce_meta.errors import first_of
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.models.adapters import base_name, is_builtin, macros_of_dbt

BUILT = frozenset(["model", "seed", "snapshot", "test"])
"""Resource types that dbt builds with a materialization."""

CALLED_BY_DBT = "Changed {} that dbt itself may call, with unknown effects on nodes: {}"
_ADAPTER_CALL = re.compile(r"\badapter\.(\w+)")
"""Adapter methods, many of which run the macro with the same name."""
_CALL = re.compile(r"[|.]\s*\w+|\b(\w+)\s*\(")
"""Possible macro calls, without filters and methods; `dispatch` occurs inside a macro of the same name."""


class _LookedUp(NamedTuple):
    """Name pattern of the macro that dbt looks up for a strategy."""

    prefix: str
    suffix: str

    def fits(self, name: str, strategy: str | None) -> bool:
        """Return True if *name* is the macro for *strategy*, or for any strategy if that is None."""
        if strategy is not None:
            return name == f"{self.prefix}{strategy}{self.suffix}"
        return name.startswith(self.prefix) and name.endswith(self.suffix)


LOOKED_UP = {
    "incremental": _LookedUp("get_incremental_", "_sql"),
    "snapshot": _LookedUp("snapshot_", "_strategy"),
    "test": _LookedUp("get_where_", "subquery"),
}
"""Macros whose names dbt assembles or calls from Python, by materialization."""


class _Built(NamedTuple):
    """Properties of a node that determine which macros build it. None matches any strategy."""

    materialized: str
    strategy: str | None = None


class RunByDbt:
    """Macros of one side that dbt runs although no node calls them."""

    def __init__(self, macros: Mapping[str, MacroMetadata]) -> None:
        self._macros = macros
        self._reached: dict[_Built, frozenset[str]] = {}
        self._run_by: dict[str, tuple[str, ...]] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of the macros of dbt and its adapter, without the adapter's prefix."""
        # Files are read without those of dbt.
        return self._of_dbt or frozenset(macros_of_dbt())

    def overrides(self) -> Iterator[str]:
        """Yield unique ids of project and package macros that have the same name as a built-in macro."""
        for macro in self._macros.values():
            if not is_builtin(macro.package_name) and base_name(macro.name) in self.names:
                yield macro.unique_id

    def behind_overrides(self) -> frozenset[str]:
        """Return the overrides and the macros that they call."""
        return self._closure(self.overrides())

    def in_place_of(self, names: Iterable[str]) -> frozenset[str]:
        """Return the macros that run if one of *names*, a macro of dbt, is called; none without overrides."""
        found = self.names.intersection(names) if self._has_overrides else ()
        return self._closure(one for name in found for one in self._by_name[name])

    def around(self, node: NodeMetadata, *, any_strategy: bool = False) -> frozenset[str]:
        """Return the macros that dbt runs to build *node*, for every strategy if *any_strategy* is set."""
        if node.resource_type not in BUILT or not node.materialized:
            return frozenset()
        strategy = None if any_strategy else _strategy(node)
        built = _Built(str(node.materialized), strategy)
        if built not in self._reached:
            self._reached[built] = self._closure(self._roots(built))
        return self._reached[built]

    def own_texts(self, node: NodeMetadata) -> list[str]:
        """Return the texts of those macros around *node*, which has rows, that are not dbt's own."""
        if node.resource_type == "test":
            return []
        reached = (self._macros[one] for one in self.around(node))
        return [macro.macro_sql for macro in reached if not is_builtin(macro.package_name)]

    @cached_property
    def _has_overrides(self) -> bool:
        return next(self.overrides(), None) is not None

    def _roots(self, built: _Built) -> Iterator[str]:
        """Yield macros that dbt looks up by name for this materialization and strategy."""
        starts = f"materialization_{built.materialized}_"
        looked_up = LOOKED_UP.get(built.materialized)
        kinds = {} if self._of_dbt else macros_of_dbt()
        for macro in self._macros.values():
            # Only overrides lead from dbt's own macros to those of the project.
            if not self._has_overrides and is_builtin(macro.package_name):
                continue
            name = base_name(macro.name)
            is_looked_up = looked_up is not None and looked_up.fits(name, built.strategy)
            if name.startswith(starts) or is_looked_up or built.materialized in kinds.get(name, ()):
                yield macro.unique_id

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for macro in self._macros.values():
            found[base_name(macro.name)].append(macro.unique_id)
        return found

    @cached_property
    def _of_dbt(self) -> frozenset[str]:
        own = (macro.name for macro in self._macros.values() if is_builtin(macro.package_name))
        return frozenset(map(base_name, own))

    @cached_property
    def _lists_calls(self) -> bool:
        """Return True if dbt's macros list dependencies; dbt 2.0 does not write them."""
        return any(macro.macros for macro in self._macros.values() if is_builtin(macro.package_name))

    def _calls(self, code: str) -> Iterator[str]:
        """Yield names that *code* calls without listing them as dependencies."""
        yield from _ADAPTER_CALL.findall(code)
        if not self._lists_calls:
            yield from (base_name(name) for name in _CALL.findall(code) if name)

    def _closure(self, roots: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            macro = self._macros.get(unique_id := waiting.pop())
            if unique_id in found or macro is None:
                continue
            found.add(unique_id)
            waiting += self._run_in(macro)
        return frozenset(found)

    def _run_in(self, macro: MacroMetadata) -> tuple[str, ...]:
        """Return the macros that *macro* may run, which are searched for once."""
        if macro.unique_id not in self._run_by:
            # dbt dispatches by name, so any macro of this name may run.
            names = {base_name(macro.name), *self._calls(macro.macro_sql)}
            named = [one for name in names for one in self._by_name.get(name, ())]
            self._run_by[macro.unique_id] = (*macro.macros, *named)
        return self._run_by[macro.unique_id]


def unattributed_note(
    sides: Collection[RunByDbt], left: Collection[str], nodes: Iterable[NodeMetadata]
) -> list[str]:
    """Return a note that lists the changed macros in *left* that build none of *nodes*."""
    names = set(left)
    for node in nodes if names else ():
        for side in sides:
            names -= side.around(node, any_strategy=True)
    if not names:
        return []
    shown = first_of([unique_id.removeprefix("macro.") for unique_id in sorted(names)], MOST_NAMES)
    return [CALLED_BY_DBT.format("macro" if len(names) == 1 else "macros", shown)]


def _strategy(node: NodeMetadata) -> str | None:
    key = {"incremental": "incremental_strategy", "snapshot": "strategy"}.get(str(node.materialized))
    if key is None:
        return None
    # `delete+insert` runs `get_incremental_delete_insert_sql`.
    return str(node.config.get(key) or "default").replace("+", "_")
