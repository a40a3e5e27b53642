"""How far changes travel: which nodes downstream they really reach, and which of their columns.

A change of rows reaches the rows of everything below. A change of columns follows the column lineage: a value
carries it to a column, a filter, join or grouping to the rows of the node that has it. What was not analysed
is reached as a whole by whatever reaches what it reads. A new column reaches only what takes it for an old
one (an unqualified name), or counts it in (`select distinct *`). A node that names a column which was removed
or renamed fails; a `*` passes the removal on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from recce_meta.graph import LineageGraph
from recce_meta.graph.columns.project import WITHOUT_QUERY
from recce_meta.graph.impact import UNSURE, structs_around
from recce_meta.models import LineageEdge, Status
from recce_meta.models.category import Category, ColumnChange, SqlChange
from recce_meta.models.change import Reach
from recce_meta.models.column_lineage import Kind, NodeColumns

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
    has_references: bool = True
    """Whether the column lineage of current has the columns that SQL names."""


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
    fails: float = 0.0
    """How sure it is that the node names a column that is gone."""
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
    fails: bool = False
    """Whether the node names a column that is gone."""


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
        self._changed = {start.unique_id for start in starts}
        self._added = {
            (start.unique_id, column.name.lower())
            for start in starts
            for column in start.effect.columns
            if column.status is Status.ADDED
        }
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
        if step.fails:
            found.fails = max(found.fails, step.confidence)
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
                yield step._replace(unique_id=child, distance=distance, fails=False)
            return
        readers = self._now.readers(step.unique_id, children)
        earlier = self._then.readers(step.unique_id, children) if step.status is not Status.MODIFIED else {}
        if step.status is not Status.ADDED or self._readers.is_blind:
            for child in self._in_the_dark(step, children, {**earlier, **readers}):
                yield _Step(distance, step.origin, child, Reach.UNKNOWN, confidence=step.confidence)
        else:
            for child in self._not_understood(children):
                yield _Step(distance, step.origin, child, Reach.UNKNOWN, confidence=step.confidence)
        failing = self._failing(step, readers, earlier)
        for child, sure in failing.items():
            yield _Step(
                distance, step.origin, child, Reach.ROWS, confidence=min(step.confidence, sure), fails=True
            )
        for index in (readers, earlier) if step.status is Status.REMOVED else (readers,):
            for child, edges in index.items():
                for edge in edges.of(step.column) if child not in failing else ():
                    yield self._along(step, child, edge, is_now=index is readers)

    def _failing(
        self, step: _Step, readers: Mapping[str, _Edges], earlier: Mapping[str, _Edges]
    ) -> dict[str, float]:
        """Return the readers that still name the column of *step*, with how sure that is.

        That a column is gone makes it doubtful whose it was: base knows.
        """
        found: dict[str, float] = {}
        is_there = (step.unique_id, step.column.lower()) in self._added  # in other capitals
        if step.status is not Status.REMOVED or step.column == EVERYTHING or is_there:
            return found
        for child in {**earlier, **readers}:
            before = earlier[child].named(step.column) if child in earlier else 0.0
            now = readers[child].named(step.column) if child in readers else 0.0
            if not now and (child in self._changed or self._is_named_elsewhere(child, step)):
                continue
            if child != step.unique_id and (now or before):
                found[child] = max(now, before)
        return found

    def _is_named_elsewhere(self, child: str, step: _Step) -> bool:
        """Return whether the name of the column that is gone means a column of another parent now.

        If it does not, the query relied on its position.
        """
        others = [parent for parent in self._graph.parents(child) if parent != step.unique_id]
        return any(
            child in self._now.known(parent)
            and self._now.known(parent)[child].named(step.column)
            and not (child in self._then.known(parent) and self._then.known(parent)[child].named(step.column))
            for parent in others
        )

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

    def _not_understood(self, children: Collection[str]) -> Iterator[str]:
        """Yield those of *children* whose SQL is not understood: a star in it may take a new column."""
        self._now.read(children)
        for child in children:
            known = self._now.columns.get(child)
            if known is not None and known.reason is not None and known.reason not in WITHOUT_QUERY:
                yield child

    def _along(self, step: _Step, child: str, edge: _Edge, *, is_now: bool) -> _Step:
        is_starred = is_now and edge.is_plain and self._readers.has_references
        status = Status.MODIFIED
        if step.status is Status.REMOVED and is_starred:
            status = Status.REMOVED  # the reader does not name it, though its catalog may still list it
        elif edge.column:
            status = self._status(step, child, edge.column)
        return _Step(
            step.distance + 1,
            step.origin,
            child,
            Reach.COLUMNS if edge.column else Reach.ROWS,
            edge.column,
            status,
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
    is_plain: bool = False
    """Whether the column is the one of the parent, under its name."""


class _Edges:
    """What one node makes of the columns of one parent."""

    def __init__(self) -> None:
        self._by_column: dict[str, list[_Edge]] = {}
        self._named: dict[str, float] = {}

    def name(self, source: str, sure: float) -> None:
        """Note that the reader names the column *source*."""
        self._named[source.lower()] = max(sure, self._named.get(source.lower(), 0.0))

    def named(self, column: str) -> float:
        """Return how sure it is that the reader names *column*; of a struct it may read another field."""
        sure = max(self._named.get(name, 0.0) for name in (column.lower(), EVERYTHING))
        structs = (self._named.get(name, 0.0) for name in structs_around(column.lower()))
        return max(sure, *(min(one, UNSURE) for one in structs), 0.0)

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
                edge = _Edge(output.name, source.confidence, output.kind is Kind.PASSTHROUGH)
                self._of(source.parent, reader).add(source.column, edge)
        for use in known.uses:
            self._of(use.parent, reader).add(use.column, _Edge("", use.confidence))
        for named in known.references:
            self._of(named.parent, reader).name(named.column, named.confidence)

    def _of(self, parent: str, reader: str) -> _Edges:
        return self._edges.setdefault(parent, {}).setdefault(reader, _Edges())


def _steps(start: Start) -> Iterator[_Step]:
    """What of a changed node travels."""
    whole = {Category.BREAKING: Reach.ROWS, Category.UNKNOWN: Reach.UNKNOWN}.get(start.effect.category)
    where = (start.distance, start.origin, start.unique_id)
    if whole is not None:
        yield _Step(*where, whole)
    for column in start.effect.columns if whole is None else _removed(start.effect):
        yield _Step(*where, Reach.COLUMNS, column.name, column.status)


def _has(known: NodeColumns, column: str) -> bool:
    folded = column.lower()
    return any(name.lower() == folded for name in known.names)


def _new_columns(effect: SqlChange) -> Iterator[str]:
    renamed = {column.renamed_to for column in effect.columns if column.renamed_to}
    for column in effect.columns:
        if column.status is Status.ADDED and column.name not in renamed:
            yield column.name.lower()


def _removed(effect: SqlChange) -> list[ColumnChange]:
    return [column for column in effect.columns if column.status is Status.REMOVED]


def _is_milder(effect: SqlChange) -> bool:
    return effect.category not in (Category.BREAKING, Category.UNKNOWN)


def _touches(effect: SqlChange) -> bool:
    return bool(effect.columns if _is_milder(effect) else _removed(effect))


def _changes_names(effect: SqlChange) -> bool:
    if not _is_milder(effect):
        return bool(_removed(effect))
    return any(column.status is not Status.MODIFIED for column in effect.columns)


def _changes_shape(effect: SqlChange) -> bool:
    return _is_milder(effect) and (_changes_names(effect) or effect.moved)
