"""Queries in progress, with the positions of their sources and the meaning of the names in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sqlglot import exp

from recce_meta.errors import SqlNotAnalysed
from recce_meta.sql_diff.expressions import short
from recce_meta.sql_lineage.query import (
    Output,
    Pivot,
    Query,
    QuerySource,
    Reference,
    Select,
    SetOperation,
    SourceColumn,
    Table,
    Values,
)
from recce_meta.warehouses.types import Sql


class Frame:
    """A query in progress, with the positions of its sources."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.slots: dict[int, str] = {}
        self.sources: list[QuerySource] = []
        self.below: QuerySource | None = None
        """The only source, if its rows and column expressions are also those of this query."""
        self.passes = False
        """Whether window functions and random values of `below` are computed from the same rows here."""
        self.shuts = False
        """Whether `below` removes rows after window functions: a window function here sees fewer rows."""
        self.is_joined = False
        """Whether all joins are read, so that `padded` is complete."""
        self.padded: set[int] = set()
        """Sources by `id` that an outer join may fill with NULLs because it found no matching row."""
        self._seen: Counter[str] = Counter()
        self._named: dict[str, list[Output]] | None = None

    def place(self, source: QuerySource, rows: str) -> str:
        """Make *source* visible, and return its position."""
        self._seen[rows] += 1
        slot = self.slots[id(source)] = f"{short(rows)}.{self._seen[rows]}"
        self.sources.append(source)
        return slot

    def pads(self, source: QuerySource) -> bool:
        """Return whether *source* has rows of NULLs here, for which its expressions are not computed."""
        return id(source) in self.padded

    def before(self, output: Output, name: str) -> list[Output]:
        """Return the expressions called *name* before *output*, or none if it belongs to another query."""
        if self._named is None:
            self._named = {}
            for one in self.query.outputs:
                self._named.setdefault(one.name.lower(), []).append(one)
        if not any(one is output for one in self._named.get(output.name.lower(), [])):
            return []
        return [
            one for one in self._named.get(name, []) if one.ordinal < output.ordinal and one.node is not None
        ]


class Frames(list[Frame]):
    """Queries in progress, outermost first; *elsewhere* returns the key of a source that none of them has."""

    def __init__(self, elsewhere: Callable[[QuerySource], str]) -> None:
        super().__init__()
        self._elsewhere = elsewhere
        self.outermost = 0
        """The outermost frame that the query in progress refers to."""

    def slot(self, source: QuerySource) -> str:
        """Return how many queries further out *source* is, and its position."""
        slot = self[-1].slots.get(id(source))
        if slot is not None:
            return f"0.{slot}"
        for level, frame in enumerate(reversed(self)):
            slot = frame.slots.get(id(source))
            if slot is not None:
                self.outermost = min(self.outermost, len(self) - 1 - level)
                return f"{level}.{slot}"
        return self._elsewhere(source)

    def reference_of(self, node: Sql) -> Reference | None:
        """Return what the column *node* means."""
        for frame in reversed(self):
            if isinstance(frame.query, (Select, SetOperation, Pivot)):
                reference = frame.query.references.get(id(node))
                if reference is not None:
                    return reference
        return None

    def query_of(self, node: Sql) -> Query | None:
        """Return the resolved query of *node*, which is in an expression."""
        bare = node
        while isinstance(bare, exp.Subquery):
            bare = bare.this
        for frame in reversed(self):
            if isinstance(frame.query, (Select, SetOperation)):
                found = frame.query.subqueries.get(id(node))
                if found is not None:
                    return found
            elif isinstance(frame.query, Values):
                for output in frame.query.outputs:
                    for query in (*output.reads.subqueries, *output.reads.tests):
                        if any(getattr(query, "node", None) is one for one in (node, bare)):
                            return query
        return None

    def named_window(self, name: str) -> Sql | None:
        """Return the window *name* of the WINDOW clause."""
        query = self[-1].query
        clause = query.windows.get(name) if isinstance(query, Select) else None
        return clause.node if clause is not None else None

    def namesake(self, node: Sql, reference: Reference) -> QuerySource | None:
        """Return the source that the qualifier of *node* names, if *reference* belongs to a different source.

        A table with an alias cannot be called by its own name. That name may be that of a source further out.
        """
        qualifier = node.args["table"].name.lower()
        if not isinstance(reference, SourceColumn) or qualifier == reference.name.lower():
            return None
        if not reference.source.alias or reference.source.alias.lower() == qualifier:
            return None
        for frame in reversed(self):
            for source in frame.sources:
                if called_by(source) == qualifier and source is not reference.source:
                    return source
        return None

    def argument(self, node: Sql) -> str | None:
        """Return the position of an argument; None if it is the name of a table, which is not also a CTE."""
        for frame in reversed(self):
            for source in frame.sources:
                if source.node is node:
                    return self.slot(source)
        for frame in self:
            ctes = frame.query.ctes if isinstance(frame.query, (Select, SetOperation)) else []
            if any(cte.name.lower() == node.name.lower() for cte in ctes):
                raise SqlNotAnalysed(f"{node.name} is both a CTE and an argument")
        return None


def called_by(source: QuerySource) -> str:
    """Return the name that qualifies columns of *source*, in lower case."""
    if source.alias or not isinstance(source.relation, Table):
        return source.alias.lower()
    return (source.node.name or source.relation.name.rsplit(".", 1)[-1]).lower()
