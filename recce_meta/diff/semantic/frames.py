"""The keys of a query, and the place in which they are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from recce_meta.diff.semantic.expressions import short
from recce_meta.graph.columns.query import Output, Query, Source

ANYWHERE = 1_000_000
"""In the place of a depth: the same at every one."""


@dataclass(slots=True, eq=False)
class Keyed:
    """The keys of one query."""

    query: Query
    rows: str = ""
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the rows key is made of, by the name that a reason calls it."""
    values: tuple[str, ...] = ()
    """By output, in order."""
    inputs: tuple[tuple[str, str, Keyed | None], ...] = ()
    """Of sources and operands: what to call each, its rows key, and its keys where it is a query."""
    outermost: int = ANYWHERE
    """The outermost of the queries around it that it reads, counted from the outside."""
    core: Query | None = None
    """The query whose rows these are, if they pass through subqueries that only choose columns."""
    unstable: bool = False
    """Whether a second run may give other rows or values."""
    guessed: bool = False
    """Whether names of its columns are of a later operand, as the first one is a `*` over unknown columns."""


class Frame:
    """A query whose expressions are being read, with the places of its sources."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.slots: dict[int, str] = {}
        self.sources: list[Source] = []
        self.below: Source | None = None
        """The only source, if its rows and the expressions of its columns are also those of this query."""
        self.passes = False
        """Whether window functions and random values of `below` are computed from the same rows here."""
        self.shuts = False
        """Whether `below` removes rows after window functions: one in this query has other rows."""
        self.padded: set[int] = set()
        """Sources whose columns may all be NULL in a row, by `id`: an outer join found no row of theirs."""
        self._seen: Counter[str] = Counter()
        self._named: dict[str, list[Output]] | None = None

    def place(self, source: Source, rows: str) -> str:
        """Put *source* in reach, and name its place."""
        self._seen[rows] += 1
        slot = self.slots[id(source)] = f"{short(rows)}.{self._seen[rows]}"
        self.sources.append(source)
        return slot

    def pads(self, source: Source) -> bool:
        """Whether *source* has rows of NULLs here, in which its expressions are not computed."""
        return id(source) in self.padded

    def before(self, output: Output, name: str) -> list[Output]:
        """The expressions called *name* that stand before *output*; none where it is of another query."""
        if self._named is None:
            self._named = {}
            for one in self.query.outputs:
                self._named.setdefault(one.name.lower(), []).append(one)
        if not any(one is output for one in self._named.get(output.name.lower(), [])):
            return []
        return [
            one for one in self._named.get(name, []) if one.ordinal < output.ordinal and one.node is not None
        ]


def names_and_values(keyed: Keyed) -> str:
    """A key of all columns of a query, names included."""
    outputs = zip(keyed.query.outputs, keyed.values, strict=True)
    return short(str([(output.name.lower(), value) for output, value in outputs]))
