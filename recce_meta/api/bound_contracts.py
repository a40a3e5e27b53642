"""Types of bound queries that an enforced contract does not allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from recce_meta import sql_diff
from recce_meta.api.bound_queries import BoundQuery, QueryBinder
from recce_meta.diff.materializations import REBUILT
from recce_meta.models import NodeMetadata


def contract_of(node: NodeMetadata) -> dict[str, str]:
    """Return the types that the enforced contract of *node* declares, by the name of the column."""
    listed = node.columns if node.contract else ()
    return {one.name.lower(): one.documented_type for one in listed if one.documented_type}


class BoundContract:
    """The types of the columns of a node with an enforced contract, and those that it declares."""

    def __init__(
        self, nodes: Sequence[NodeMetadata], bound: Sequence[BoundQuery | None], asking: QueryBinder
    ) -> None:
        """Take the node and its bound query of base, if it has one, and of current."""
        self._nodes, self._asking = nodes, asking
        self._given = [
            {name.lower(): kind for name, kind in each.answer.columns} for each in bound if each is not None
        ]

    @cached_property
    def _known(self) -> Mapping[str, tuple[str, str]]:
        return self._differing(0) if len(self._given) > 1 else {}

    @cached_property
    def _new(self) -> Mapping[str, tuple[str, str]]:
        return self._differing(-1)

    @property
    def has_types(self) -> bool:
        """Return True if the types of all columns are known."""
        return all(given for given, _ in self._new.values())

    def _differing(self, index: int) -> dict[str, tuple[str, str]]:
        """Return the types of the query and of the contract, by column, if they differ.

        dbt compares what DuckDB calls them, and the fields of a struct by themselves.
        """
        declared = contract_of(self._nodes[index])
        types = dict(zip(declared, self._asking.types(declared.values()), strict=True))
        pairs = {name: (kind, types.get(name, kind)) for name, kind in self._given[index].items()}
        return {
            name: (given * bool(kind), kind)
            for name, (given, kind) in pairs.items()
            if given != kind and "STRUCT(" not in given
        }

    def fault(self, place: str) -> sql_diff.Fault | None:
        """Return the fault of a column that DuckDB gives another type than its contract declares."""
        for name, (given, declared) in sorted(self._new.items(), key=lambda each: each[0] in self._known):
            # Base may have failed already if its type is unknown.
            if given and not self._known.get(name, ("", ""))[0]:
                text = f"column {name} is {given}, its contract says {declared} ({place})"
                is_certain = self._nodes[-1].materialized in REBUILT and name not in self._known
                return sql_diff.Fault(text, is_certain)
        return None

    def doubt(self, place: str, type_of: Callable[[str], str], *, is_same: bool) -> sql_diff.Fault | None:
        """Return the fault of a column that has, or whose contract declares, another type than in base.

        *type_of* returns what the binder calls a declared type. *is_same*: both queries have the same text.
        """
        contracts = [contract_of(node) for node in self._nodes]
        names = sorted(contracts[0].keys() & contracts[1].keys() & self._given[1].keys())
        kinds = [(contracts[0][name], contracts[1][name]) for name in names]
        types = iter(self._asking.types([type_of(kind) for pair in kinds for kind in pair]))
        for name, pair in zip(names, kinds, strict=True):
            was, now = (kind.partition("(")[0] for kind in (next(types), next(types)))
            had, has = (each.get(name, "").partition("(")[0] for each in self._given)
            is_kept = had == has if had and has else is_same
            if (was == now and had and has and had != has) or (was and now and was != now and is_kept):
                what = "the type of base" if was != now else f"another type than in base ({had} → {has})"
                says = " instead of ".join(dict.fromkeys(reversed(pair)))
                return sql_diff.Fault(f"column {name} has {what}, its contract says {says} ({place})", False)
        return None
