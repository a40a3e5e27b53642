"""Macros that dbt runs around the SQL of a node, and those that a project or package puts in their place.

dbt does not list them with the node: a materialization calls `create_table_as`, and dbt itself calls
`get_incremental_default_sql`. A macro of the project with such a name, or with an adapter's prefix before it
(`duckdb__create_table_as`), takes the place of dbt's own. Macros are therefore followed by name here: a macro
reaches what it depends on, the macros behind its calls of `adapter.…`, and other macros of these names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from recce_meta.diff.side import is_builtin
from recce_meta.errors import first_of
from recce_meta.models import MacroMetadata, NodeMetadata

BUILT = frozenset(["model", "seed", "snapshot", "test"])
"""Resource types that dbt builds with a materialization."""

MOST_NAMES = 5
CALLED_BY_DBT = "Changed {} that dbt itself may call, with effects on nodes that are not known: {}"

_ADAPTER_CALL = re.compile(r"\badapter\.(\w+)")
"""Methods of the adapter, many of which run the macro of their name."""
_CALL = re.compile(r"[|.]\s*\w+|\b(\w+)\s*\(")
"""What may be a call of a macro, but for filters and methods; `dispatch` is within a macro of its name."""


class _LookedUp(NamedTuple):
    """How the macro is called that dbt looks up for a strategy."""

    prefix: str
    suffix: str

    def fits(self, name: str, strategy: str | None) -> bool:
        """Return True if *name* is the macro of *strategy*; of any strategy if that is None."""
        if strategy is not None:
            return name == f"{self.prefix}{strategy}{self.suffix}"
        return name.startswith(self.prefix) and name.endswith(self.suffix)


LOOKED_UP = {
    "incremental": _LookedUp("get_incremental_", "_sql"),
    "snapshot": _LookedUp("snapshot_", "_strategy"),
    "test": _LookedUp("get_where_", "subquery"),
}
"""By materialization: macros that dbt calls by a name it puts together, or from Python."""


class _Built(NamedTuple):
    """What of a node decides which macros build it; without a strategy, it may be any."""

    materialized: str
    strategy: str | None = None


class RunByDbt:
    """The macros of one side that dbt runs without a node that calls them."""

    def __init__(self, macros: Mapping[str, MacroMetadata]) -> None:
        self._macros = macros
        self._reached: dict[_Built, frozenset[str]] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the macros of dbt and its adapter, without the adapter's prefix."""
        return frozenset(
            base_name(macro.name) for macro in self._macros.values() if is_builtin(macro.package_name)
        )

    def overrides(self) -> Iterator[str]:
        """Unique ids of macros of the project and its packages that have the name of one of dbt's."""
        for macro in self._macros.values():
            if not is_builtin(macro.package_name) and base_name(macro.name) in self.names:
                yield macro.unique_id

    def behind_overrides(self) -> frozenset[str]:
        """Return the overrides, and what they call in turn."""
        return self._closure(self.overrides())

    def around(self, node: NodeMetadata, *, any_strategy: bool = False) -> frozenset[str]:
        """Return the macros that dbt runs to build *node*; with *any_strategy*, as if it had each one."""
        if node.resource_type not in BUILT or not node.materialized:
            return frozenset()
        strategy = None if any_strategy else _strategy(node)
        built = _Built(str(node.materialized), strategy)
        if built not in self._reached:
            self._reached[built] = self._closure(self._roots(built))
        return self._reached[built]

    @cached_property
    def _has_overrides(self) -> bool:
        return next(self.overrides(), None) is not None

    def _roots(self, built: _Built) -> Iterator[str]:
        """Macros that dbt looks up by name to build what is *built* so."""
        if not self._has_overrides:
            return
        starts = f"materialization_{built.materialized}_"
        looked_up = LOOKED_UP.get(built.materialized)
        for macro in self._macros.values():
            name = base_name(macro.name)
            if name.startswith(starts) or (looked_up and looked_up.fits(name, built.strategy)):
                yield macro.unique_id

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for macro in self._macros.values():
            found[base_name(macro.name)].append(macro.unique_id)
        return found

    @cached_property
    def _lists_calls(self) -> bool:
        """Return True if dbt's macros have dependencies; dbt 2.0 writes none."""
        return any(macro.macros for macro in self._macros.values() if is_builtin(macro.package_name))

    def _calls(self, code: str) -> Iterator[str]:
        """Names that *code* calls without listing them as dependencies."""
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
            waiting += macro.macros
            for name in {base_name(macro.name), *self._calls(macro.macro_sql)}:
                waiting += self._by_name.get(name, ())
        return frozenset(found)


def base_name(name: str) -> str:
    """Return the name that `adapter.dispatch` looks up.

    >>> base_name("duckdb__create_table_as"), base_name("create_table_as"), base_name("__own")
    ('create_table_as', 'create_table_as', '__own')
    """
    prefix, separator, rest = name.partition("__")
    return rest if prefix and separator and rest else name


def unattributed(
    sides: Collection[RunByDbt], left: Collection[str], nodes: Iterable[NodeMetadata]
) -> list[str]:
    """Return a note that names those of the changed macros *left* that none of *nodes* is built with."""
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
    return str(node.config.get(key) or "default").replace("+", "_")
