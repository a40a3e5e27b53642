"""How far changes travel: which nodes downstream they really reach, and which of their columns.

A change of rows reaches the rows of everything below. A change of columns follows the column lineage: a value
carries it to a column, a filter, join or grouping to the rows of the node that has it. What was not analysed
is reached as a whole by whatever reaches what it reads. A new column reaches only what takes it for an old
one (an unqualified name), or counts it in (`select distinct *`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from recce_meta.graph import LineageGraph
from recce_meta.graph.impact import structs_around
from recce_meta.models import LineageEdge, Status
from recce_meta.models.category import Category, SqlChange
from recce_meta.models.change import Reach
from recce_meta.models.column_lineage import NodeColumns

EVERYTHING = "*"
"""The column that stands for those which nothing names."""

ColumnsOf: TypeAlias = Callable[[Collection[str]], Mapping[str, NodeColumns]]
"""The column lineage of some nodes, as far as there is any, and of what reads them as ephemeral models."""


class Reading(NamedTuple):
    """How the SQL of a node reads one of its parents."""

    by_position: bool = False
    """Whether it is in trouble where columns of the parent are added or change places."""
    whole: bool = False
    """Whether it takes over every column of the parent, and so its order too."""


ReadingsOf: TypeAlias = Callable[[Collection[LineageEdge]], Mapping[LineageEdge, Reading]]
"""How some nodes read a parent each; where that is not known, the edge is left out."""


NamersOf: TypeAlias = Callable[[str, Collection[str]], Collection[str]]
"""Those of some nodes whose SQL names a parent."""


class Readers(NamedTuple):
    """What is known of those that read; nothing is asked before it is needed."""

    current: ColumnsOf
    base: ColumnsOf
    """Asked only where columns came or went."""
    readings: ReadingsOf
    """Asked only where columns come, go, or change places."""
    namers: NamersOf
    """Asked only of nodes that read no column of a parent."""
    is_blind: bool = False
    """Whether current has no column lineage: whoever reads what changed may be reached then."""


class Start(NamedTuple):
    """Where a change begins to travel."""

    unique_id: str
    effect: SqlChange
    origin: str
    """The changed node that it is due to; another one only for readers of ephemeral models."""
    distance: int = 0


class Reached(Struct):
    """What of one node is reached, and how surely."""

    distance: int
    origin: str
    rows: float = 0.0
    unknown: float = 0.0
    columns: dict[str, float] = {}
    origins: set[str] = set()
    """The changed nodes that it comes from; of those on one way, the nearest."""

    @property
    def reach(self) -> Reach:
        """The widest of what is reached."""
        if self.rows:
            return Reach.ROWS
        return Reach.UNKNOWN if self.unknown else Reach.COLUMNS

    @property
    def confidence(self) -> float:
        """How sure it is that anything is reached."""
        return max(self.rows, self.unknown, *self.columns.values(), 0.0)


class _Step(NamedTuple):
    """Something of a node that a change has reached; the nearest sorts first."""

    distance: int
    origin: str
    unique_id: str
    what: Reach
    column: str = ""
    status: Status = Status.MODIFIED
    """Whether the column has other values, is gone, or is new, which as such hurts nobody."""
    confidence: float = 1.0


class _Shape(NamedTuple):
    """A node whose columns came or changed places."""

    unique_id: str
    distance: int
    origin: str


def reached_by(starts: Iterable[Start], graph: LineageGraph, readers: Readers) -> dict[str, Reached]:
    """What the changes at *starts* reach in *graph*, by unique id: nearest first, with the nearest origin.

    Of the starts only readers of ephemeral models count as reached for what they start with.
    """
    ordered = sorted(starts, key=lambda start: (start.distance, start.origin, start.unique_id))
    return _Walk(graph, readers, ordered).run()


class _Walk:
    """One walk from all starts at once."""

    def __init__(self, graph: LineageGraph, readers: Readers, starts: list[Start]) -> None:
        self._graph, self._readers, self._starts = graph, readers, starts
        self._found: dict[str, Reached] = {}
        self._passed: dict[tuple[str, Reach, str, Status], float] = {}
        self._now, self._then = _Index(readers.current), _Index(readers.base)
        self._new = {(start.unique_id, name) for start in starts for name in _new_columns(start.effect)}

    def run(self) -> dict[str, Reached]:
        """Everything that is reached."""
        waiting: list[_Step] = []
        self._read_ahead()
        for start in self._starts:
            for step in _steps(start):
                self._take(step, waiting, is_reached=start.distance > 0)
        for step in list(self._positional()):
            self._take(step, waiting)
        while waiting:
            for step in list(self._from(heappop(waiting))):
                self._take(step, waiting)
        nearest = sorted(self._found, key=lambda node: (self._found[node].distance, node))
        return {unique_id: self._found[unique_id] for unique_id in nearest}

    def _read_ahead(self) -> None:
        """Ask at once for all that certainly matters."""
        for index, matters in ((self._now, _touches), (self._then, _changes_names)):
            starts = [start.unique_id for start in self._starts if matters(start.effect)]
            index.read([child for start in starts for child in self._graph.children(start)])

    def _take(self, step: _Step, waiting: list[_Step], *, is_reached: bool = True) -> None:
        """Note *step*, and go on from there, unless something as sure has come there before."""
        if step.status is not Status.ADDED and self._is_new(step):
            return
        key = step.unique_id, step.what, step.column.lower(), step.status
        if step.confidence > self._passed.get(key, 0.0):
            self._passed[key] = step.confidence
            heappush(waiting, step)
        if is_reached and step.status is not Status.ADDED:
            self._reach(step)

    def _is_new(self, step: _Step) -> bool:
        """Whether the column is one that the node's own change adds: nobody knows other values of it."""
        if (step.unique_id, step.column.lower()) not in self._new:
            return False
        self._then.read([step.unique_id])
        before = self._then.columns.get(step.unique_id)
        return before is None or not _has(before, step.column)

    def _reach(self, step: _Step) -> None:
        found = self._found.get(step.unique_id)
        if found is None:
            found = self._found[step.unique_id] = Reached(step.distance, step.origin)
        elif (step.distance, step.origin) < (found.distance, found.origin):
            found.distance, found.origin = step.distance, step.origin
        found.origins.add(step.origin)
        if step.what is Reach.ROWS:
            found.rows = max(found.rows, step.confidence)
        elif step.what is Reach.UNKNOWN:
            found.unknown = max(found.unknown, step.confidence)
        else:
            found.columns[step.column] = max(found.columns.get(step.column, 0.0), step.confidence)

    def _from(self, step: _Step) -> Iterator[_Step]:
        """What *step* leads to one edge further."""
        distance = step.distance + 1
        children = self._graph.children(step.unique_id)
        if step.what is not Reach.COLUMNS:
            for child in children:
                yield step._replace(unique_id=child, distance=distance)
            return
        readers = self._now.readers(step.unique_id, children)
        earlier = self._then.readers(step.unique_id, children) if step.status is not Status.MODIFIED else {}
        if step.status is not Status.ADDED or self._readers.is_blind:
            for child in self._in_the_dark(step, children, {**earlier, **readers}):
                yield _Step(distance, step.origin, child, Reach.UNKNOWN, confidence=step.confidence)
        for index in (readers, earlier) if step.status is Status.REMOVED else (readers,):
            for child, edges in index.items():
                for edge in edges.of(step.column):
                    yield self._along(step, child, edge)

    def _in_the_dark(
        self, step: _Step, children: Collection[str], readers: Mapping[str, _Edges]
    ) -> Iterator[str]:
        """Those of *children* that may read a column though no edge says so."""
        if step.status is Status.REMOVED and self._then.is_blind:
            # Whoever read it may have done so by a star, of which nothing is left.
            yield from (
                child for child in children if child not in readers or not any(readers[child].of(step.column))
            )
        else:
            yield from self._dark(step.unique_id, [child for child in children if child not in readers])

    def _along(self, step: _Step, child: str, edge: _Edge) -> _Step:
        return _Step(
            step.distance + 1,
            step.origin,
            child,
            Reach.COLUMNS if edge.column else Reach.ROWS,
            edge.column,
            self._status(step, child, edge.column) if edge.column else Status.MODIFIED,
            min(step.confidence, edge.confidence),
        )

    def _status(self, step: _Step, child: str, column: str) -> Status:
        """What happens to a column of *child* that is made of the one of *step*."""
        now, before = self._now.columns.get(child), self._then.columns.get(child)
        if step.status is Status.REMOVED and now is not None and not _has(now, column):
            return Status.REMOVED
        if step.status is Status.ADDED:
            was = _has(before, column) if before is not None else column.lower() != step.column.lower()
            was = was and column != EVERYTHING
            return Status.MODIFIED if was else Status.ADDED
        return Status.MODIFIED

    def _dark(self, parent: str, children: Collection[str]) -> Iterator[str]:
        """Those of *children*, none of whose columns lead to *parent*, that may read it all the same."""
        silent = []
        # Code of an ephemeral parent is part of the child's, whose columns lead to what is behind it.
        behind = [self._now.known(one) for one in self._graph.parents(parent)]
        for child in children:
            known = self._now.columns.get(child)
            if known is None or known.reason is not None or not (known.outputs or known.uses):
                yield child
            elif not any(child in readers for readers in behind):
                silent.append(child)
        if silent:  # `select count(*)` names what it reads; what looks at it while it compiles does not
            named = self._readers.namers(parent, silent)
            yield from (child for child in silent if child not in named)

    def _positional(self) -> Iterator[_Step]:
        """The rows of those that read by place what has new columns, or columns in other places."""
        shapes = [
            _Shape(start.unique_id, start.distance, start.origin)
            for start in self._starts
            if _changes_shape(start.effect)
        ]
        seen = {shape.unique_id for shape in shapes}
        if self._readers.is_blind:
            for shape in shapes:
                children = self._graph.children(shape.unique_id)
                self._now.read(children)  # in vain, which is noted
                for child in children:
                    yield _Step(shape.distance + 1, shape.origin, child, Reach.UNKNOWN)
            return
        while shapes:
            edges = {
                LineageEdge(child, shape.unique_id): shape
                for shape in shapes
                for child in self._graph.children(shape.unique_id)
            }
            shapes = []
            for edge, reading in self._readers.readings(edges.keys()).items():
                shape, child = edges[edge], edge.node_id
                if reading.by_position:
                    yield _Step(shape.distance + 1, shape.origin, child, Reach.ROWS)
                if reading.whole and child not in seen:
                    seen.add(child)
                    shapes.append(_Shape(child, shape.distance + 1, shape.origin))


class _Edge(NamedTuple):
    """To a column of the reader, or to its rows where that is empty."""

    column: str
    confidence: float


class _Edges:
    """What one node makes of the columns of one parent."""

    def __init__(self) -> None:
        self._by_column: dict[str, list[_Edge]] = {}

    def add(self, source: str, edge: _Edge) -> None:
        self._by_column.setdefault(source.lower(), []).append(edge)

    def of(self, column: str) -> Iterator[_Edge]:
        """The edges from *column*; what nothing names may be any, on either side."""
        if column == EVERYTHING:
            for edges in self._by_column.values():
                yield from edges
            return
        for name in (column.lower(), *structs_around(column.lower()), EVERYTHING):
            yield from self._by_column.get(name, ())


class _Index:
    """Who makes what of which columns, on one side; read as the walk comes to it."""

    def __init__(self, load: ColumnsOf) -> None:
        self._load = load
        self._asked: set[str] = set()
        self._edges: dict[str, dict[str, _Edges]] = {}
        self.columns: dict[str, NodeColumns] = {}

    @property
    def is_blind(self) -> bool:
        """Whether there is no column lineage on this side at all."""
        return bool(self._asked) and not self.columns

    def readers(self, parent: str, children: Collection[str]) -> Mapping[str, _Edges]:
        """Those that read columns of *parent*, whose children in the graph of nodes are *children*."""
        self.read(children)
        return self.known(parent)

    def read(self, readers: Iterable[str]) -> None:
        """Read what *readers* make of the columns that they read."""
        new = dict.fromkeys(reader for reader in readers if reader not in self._asked)
        if new:
            self._asked.update(new)
            for reader, known in self._load(list(new)).items():
                if reader not in self.columns:
                    self._add(reader, known)

    def known(self, parent: str) -> Mapping[str, _Edges]:
        """Those that are known to read columns of *parent* by now."""
        return self._edges.get(parent, {})

    def _add(self, reader: str, known: NodeColumns) -> None:
        self.columns[reader] = known
        for output in known.outputs:
            for source in output.sources:
                self._of(source.parent, reader).add(source.column, _Edge(output.name, source.confidence))
        for use in known.uses:
            self._of(use.parent, reader).add(use.column, _Edge("", use.confidence))

    def _of(self, parent: str, reader: str) -> _Edges:
        return self._edges.setdefault(parent, {}).setdefault(reader, _Edges())


def _steps(start: Start) -> Iterator[_Step]:
    """What of a changed node travels."""
    whole = {Category.BREAKING: Reach.ROWS, Category.UNKNOWN: Reach.UNKNOWN}.get(start.effect.category)
    where = (start.distance, start.origin, start.unique_id)
    if whole is not None:
        yield _Step(*where, whole)
        return
    for column in start.effect.columns:
        yield _Step(*where, Reach.COLUMNS, column.name, column.status)


def _has(known: NodeColumns, column: str) -> bool:
    folded = column.lower()
    return any(name.lower() == folded for name in known.names)


def _new_columns(effect: SqlChange) -> Iterator[str]:
    renamed = {column.renamed_to for column in effect.columns if column.renamed_to}
    for column in effect.columns:
        if column.status is Status.ADDED and column.name not in renamed:
            yield column.name.lower()


def _touches(effect: SqlChange) -> bool:
    return effect.category not in (Category.BREAKING, Category.UNKNOWN) and bool(effect.columns)


def _changes_names(effect: SqlChange) -> bool:
    return _touches(effect) and any(column.status is not Status.MODIFIED for column in effect.columns)


def _changes_shape(effect: SqlChange) -> bool:
    is_milder = effect.category not in (Category.BREAKING, Category.UNKNOWN)
    return _changes_names(effect) or (effect.moved and is_milder)
