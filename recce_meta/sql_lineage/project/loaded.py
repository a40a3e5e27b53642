"""Column lineage of one side of a diff, loaded when a propagation needs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from recce_meta.models.lineage import REFERENCED, UNSURE, ColumnEdge, NodeColumns, Tier
from recce_meta.sql_lineage.impact import EdgesByColumn, columns_read, structs_around

ColumnsOf: TypeAlias = Callable[[Collection[str]], Mapping[str, NodeColumns]]
"""Returns the available column lineage of nodes, and of readers that inline them as ephemeral models."""


class EdgesToReader:
    """Edges from the columns of one parent to one reader, ignoring case."""

    def __init__(self) -> None:
        self._used, self._named = EdgesByColumn(), EdgesByColumn()

    def add(self, edge: ColumnEdge) -> None:
        edges = self._named if edge.kind == REFERENCED else self._used
        edges.add(edge.parent_column.lower(), edge)

    def named(self, column: str) -> float:
        """Return the confidence that the reader names *column*; it may read another field of a struct."""
        structs = frozenset(structs_around(column.lower()))
        return max(
            (
                min(edge.confidence, UNSURE) if name in structs else edge.confidence
                for name in self._named.names(column.lower())
                for edge in self._named.get(name, ())
            ),
            default=0.0,
        )

    def of(self, column: str) -> Iterator[ColumnEdge]:
        """Yield the edges whose values or rows come from *column*."""
        return self._used.of(column.lower())


class LoadedLineage:
    """Readers of columns on one side, loaded when the traversal needs them."""

    def __init__(self, load: ColumnsOf, has_assumed: bool) -> None:
        self._load, self._has_assumed = load, has_assumed
        self._asked: set[str] = set()
        self._reads: dict[str, dict[str, EdgesToReader]] = {}
        self.columns: dict[str, NodeColumns] = {}

    @property
    def is_blind(self) -> bool:
        """Return True if this side has no column lineage."""
        return bool(self._asked) and not self.columns

    def readers(self, parent: str, children: Collection[str]) -> Mapping[str, EdgesToReader]:
        """Return the readers of columns of *parent*, whose direct children are *children*."""
        self.read(children)
        return self.known(parent)

    def read(self, readers: Iterable[str]) -> None:
        """Load the column lineage of *readers*."""
        new = dict.fromkeys(reader for reader in readers if reader not in self._asked)
        if not new:
            return
        self._asked.update(new)
        for reader, known in self._load(list(new)).items():
            if reader not in self.columns:
                self.columns[reader] = known
                # Without a lineage, only the nodes that it may read are known.
                for edge in columns_read(reader, known) if known.reason is None else ():
                    by_reader = self._reads.setdefault(edge.parent_id, {})
                    reads = by_reader.get(reader)
                    if reads is None:  # edges are many: `setdefault` would make an object for each
                        reads = by_reader[reader] = EdgesToReader()
                    reads.add(edge)

    def assumed(self, readers: Iterable[str]) -> set[str]:
        """Return those of *readers* whose lineage follows from SQL that is not proven."""
        if not self._has_assumed:
            return set()
        return {one for one in readers if self.columns[one].tier is Tier.SILVER}

    def known(self, parent: str) -> Mapping[str, EdgesToReader]:
        """Return the readers of columns of *parent* that are loaded so far."""
        return self._reads.get(parent, {})
