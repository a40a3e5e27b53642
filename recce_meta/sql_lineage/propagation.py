"""Propagation of changes: which downstream nodes and columns a change affects.

A change of rows affects the rows of every downstream node. A change of columns follows the column lineage:
through a value it affects a column; through a filter, join or grouping it affects the rows of the node. A
node without column lineage is affected as a whole if any of its inputs is. A new column affects only queries
that mistake it for an existing one (an unqualified name) or include it (`select distinct *`). A node that
names a removed or renamed column fails; a `*` passes the removal on.

Edges and their lookup are those of `impact`. The queue is separate because the answers differ: `impact.walk`
reports one shortest path from one node of one run. A propagation has many origins and the lineage of two
runs, loads lineage when needed, and expands a column again if a longer path has a higher confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from recce_meta.graph import LineageGraph
from recce_meta.models import LineageEdge, Status
from recce_meta.models.change import CERTAIN, Category, ColumnChange, Reach, SqlChange
from recce_meta.models.lineage import UNSURE, ColumnEdge, Kind, NodeColumns
from recce_meta.sql_lineage.impact import ANY, loses_all
from recce_meta.sql_lineage.project.columns import PYTHON, WITHOUT_QUERY
from recce_meta.sql_lineage.project.loaded import ColumnsOf, EdgesToReader, LoadedLineage
from recce_meta.sql_lineage.project.semantics import DEFINITION_PREFIXES
from recce_meta.warehouses.builds import (
    CHECKED_STAYS,
    KEEPS_TYPE,
    KEY_STAYS,
    NOT_ADDED,
    REMOVED_STAYS,
    Outcome,
)

NOT_PROVEN = "its SQL is not proven"
NOT_TRACED = "its columns are not traced"
TESTED_FAILS = "the model that it tests fails"
ABOVE_MAY_FAIL = "it reads a definition that fails or may fail"
UNTRACED_ABOVE = "a node above it may lose the removed column: its columns are not traced"
KEPT_ABOVE = "a table above it keeps the removed column until a full refresh"
NOT_ADDED_ABOVE = "a table above it gets the new column only by a full refresh"
TYPE_KEPT_ABOVE = "a table above it keeps the column's earlier type until a full refresh"
NAMES_GONE = "it names the relation, which the node no longer builds there"
STAR_ABOVE = "a `*` above it has columns that are not known, so it may lose the column"
LOST_FIELD = "a struct that it reads may lose the field {}"
SKIPPED = "a node above it fails, so dbt skips it; it fails once that table is built anew"


class ParentRead(NamedTuple):
    """How a node's SQL reads one of its parents."""

    by_position: bool = False
    """True if the query depends on the parent's column order."""
    whole: bool = False
    """True if a `*` passes columns of the parent on to its result, and so their order."""
    fault: str = ""
    """Why the query may fail over the parent's columns in current, although it did not over those in base."""
    is_certain: bool = False
    """True if it certainly fails."""


ParentReadsOf: TypeAlias = Callable[[Mapping[LineageEdge, Collection[str]]], Mapping[LineageEdge, ParentRead]]
"""Returns how nodes read a parent that has new columns, whose names are given with the edge.

Edges for which this is unknown are missing."""

MentionsOf: TypeAlias = Callable[[str, Collection[str]], Collection[str]]
"""Returns which of some nodes name a parent in their SQL."""

ExistingRowsOf: TypeAlias = Callable[[str, ColumnChange, bool], Outcome | None]
"""Returns what a run does with a node's existing rows if a column changes, with or without another type."""

FailingWith: TypeAlias = Callable[[str], Collection[str]]
"""Returns the nodes with the SQL of a node: readers of an ephemeral model, and unit tests."""


class LineageSource(NamedTuple):
    """Lazy access to the lineage of downstream nodes."""

    current: ColumnsOf
    base: ColumnsOf
    """Called only if columns were added or removed."""
    parent_reads: ParentReadsOf
    """Called only if columns were added, removed or moved."""
    mentions: MentionsOf
    """Called only for nodes that read no column of a parent."""
    is_blind: bool = False
    """True if the current run has no column lineage, so any reader of a change may be affected."""
    has_references: bool = True
    """True if the current run's column lineage includes the columns that SQL names."""
    existing: ExistingRowsOf = lambda unique_id, column, is_retyped: None
    """Called for affected and for removed columns."""
    failing_with: FailingWith = lambda unique_id: ()
    """Called for nodes that name a removed column."""
    is_inlined: Callable[[str], bool] = lambda unique_id: False
    """Returns True for ephemeral models, which are part of the SQL of their readers."""
    lost_field: Callable[[str, Collection[str], bool], ParentRead] = lambda child, fields, bare: ParentRead()
    """Returns whether a node fails without some fields, also as columns that a `*` has unpacked."""
    names_rows: Callable[[str, str], bool] = lambda child, column: False
    """Returns whether a node reads whole rows of a relation or alias that is called as a column."""
    renames: Mapping[str, Mapping[str, Mapping[str, str]]] = {}
    """New names of columns, with which the SQL of an edited node was compared, by node and parent."""
    with_assumed: tuple[bool, bool] = (False, False)
    """True for base, and for current, if lineage of tier silver follows from SQL that is not proven."""

    def follows_rename(self, child: str, part: _AffectedPart) -> bool:
        """Return True if the SQL of *child* was compared as if the column had the same name on both sides."""
        renamed = self.renames.get(child, {}).get(part.unique_id, {})
        return part.status is not Status.MODIFIED and part.column in {*renamed, *renamed.values()}

    def surest(self, child: str, column: str, now: float, before: float) -> float:
        """Return the confidence that *child* names the lost *column*, by those of current and base."""
        stands_for_rows = not now and self.names_rows(child, column)
        return min(before, UNSURE) if stands_for_rows else max(now, before)


class Start(NamedTuple):
    """Starting point of a change's propagation."""

    unique_id: str
    effect: SqlChange
    origin: str
    """Changed node that caused it; differs from the start only for readers of ephemeral models."""
    distance: int = 0
    may_fail: str = ""
    """Why the start itself may fail."""


class AffectedNode(Struct):
    """Affected parts of one node, with confidences."""

    distance: int
    origin: str
    rows: float = 0.0
    unknown: float = 0.0
    fails: float = 0.0
    """Confidence that the node names a removed column."""
    may_fail: str = ""
    """Why it is not known whether the node names a removed column; empty if it is, or if none was removed."""
    failure: str = ""
    """Why the node fails; empty if it does not, or only names a removed column."""
    columns: dict[str, float] = {}
    origins: set[str] = set()
    """Changed nodes that cause the effect; of several on one path, the nearest."""
    is_reshaped: bool = False
    """True if it may have other columns, or another order of them. This alone does not affect its readers."""

    @property
    def reach(self) -> Reach:
        """Return the widest reach."""
        if self.rows:
            return Reach.ROWS
        return Reach.UNKNOWN if self.unknown else Reach.COLUMNS

    @property
    def confidence(self) -> float:
        """Return the confidence that anything is affected."""
        return max(self.rows, self.unknown, *self.columns.values(), 0.0)


class _AffectedPart(NamedTuple):
    """Affected part of a node; the nearest sorts first."""

    distance: int
    origin: str
    unique_id: str
    what: Reach
    column: str = ""
    status: Status = Status.MODIFIED
    """Whether the column has other values, is removed, or is new. A new column alone breaks no reader."""
    confidence: float = 1.0
    fails: bool = False
    """True if the node names a removed column."""
    failure: str = ""
    """Why the node fails if it does not name a removed column."""
    may_fail: str = ""
    """Why the node may name a removed column; empty if that is known."""
    doubt: str = ""
    """Why the column of this node's table may not be as its query returns it; empty if it is."""
    is_end: bool = False
    """True if readers of the node are not affected."""
    is_retyped: bool = False
    """True if the column may have another type."""
    lost: frozenset[str] = frozenset()
    """Fields that structs in the column may no longer have."""
    is_covered: bool = False
    """True if the rows of all readers are affected or unknown anyway, so that only failures count."""

    @property
    def way(self) -> tuple[object, ...]:
        """Return what the part leads to; distances, origins and confidences aside."""
        what = self.unique_id, self.what, self.column.lower(), self.status
        return (*what, self.breaks_readers, self.doubt, self.is_retyped, self.lost, self.is_covered)

    @property
    def is_missing(self) -> bool:
        """Return True if readers may not find the column as they name it: it is removed, or never arrives."""
        return self.status is Status.REMOVED or (self.status is Status.ADDED and bool(self.doubt))

    @property
    def why_it_may_fail(self) -> str:
        """Why a reader that names the column may fail; the cause comes before what dbt does next."""
        return f"it references {self.column}; {SKIPPED}" if self.doubt == SKIPPED else self.doubt

    @property
    def breaks_readers(self) -> bool:
        """Return True if the node is a definition that may be invalid, and so what reads it."""
        return self.unique_id.startswith(DEFINITION_PREFIXES) and bool(self.may_fail)


def propagate(starts: Iterable[Start], graph: LineageGraph, source: LineageSource) -> dict[str, AffectedNode]:
    """Return what the changes at *starts* affect in *graph*, by unique id, nearest node and origin first.

    Among the starts, only readers of ephemeral models count as affected by their own effect.
    """
    ordered = sorted(starts, key=lambda start: (start.distance, start.origin, start.unique_id))
    return _Propagation(graph, source, ordered).run()


class _Failures:
    """Readers that fail, or may fail, without the columns that they name."""

    def __init__(
        self,
        graph: LineageGraph,
        source: LineageSource,
        starts: list[Start],
        base: LoadedLineage,
        current: LoadedLineage,
    ) -> None:
        self._graph, self._source, self._base, self._current = graph, source, base, current
        self._changed = {start.unique_id for start in starts}
        self._added = {
            (start.unique_id, column.name.lower())
            for start in starts
            for column in start.effect.columns
            if column.status is Status.ADDED
        }

    def of_readers(
        self, part: _AffectedPart, readers: Mapping[str, EdgesToReader], earlier: Mapping[str, EdgesToReader]
    ) -> dict[str, float]:
        """Return the readers that still name the column of *part*, with confidences.

        Current lineage cannot attribute a removed column to its parent with certainty; base's lineage can.
        """
        found: dict[str, float] = {}
        is_there = (part.unique_id, part.column.lower()) in self._added  # only its case changed
        if part.column == ANY or (part.status is Status.REMOVED and is_there):
            return found
        if part.status is not Status.REMOVED:
            # Only an edited or a new reader may rely on what the table lacks.
            edited = [child for child in readers if part.doubt and self._is_edited(child)]
            return {child: sure for child in edited if (sure := readers[child].named(part.column))}
        for child in {**earlier, **readers}:
            before = earlier[child].named(part.column) if child in earlier else 0.0
            now = readers[child].named(part.column) if child in readers else 0.0
            if not now and (child in self._changed or self._is_named_elsewhere(child, part)):
                continue
            if child != part.unique_id and (now or before):
                found[child] = self._source.surest(child, part.column, now, before)
        return found

    def _is_edited(self, unique_id: str) -> bool:
        self._base.read([unique_id])
        return unique_id in self._changed or unique_id not in self._base.columns

    def _is_named_elsewhere(self, child: str, part: _AffectedPart) -> bool:
        """Return True if the removed column's name now refers to a column of another parent.

        If not, the query relied on its position.
        """
        others = [parent for parent in self._graph.parents(child) if parent != part.unique_id]
        return any(
            child in self._current.known(parent)
            and self._current.known(parent)[child].named(part.column)
            and not (child in self._base.known(parent) and self._base.known(parent)[child].named(part.column))
            for parent in others
        )

    def doubt(self, unique_id: str, part: _AffectedPart) -> str:
        """Return why the table of *unique_id* lacks the edit of *part*'s column; empty if it does not."""
        if part.status is Status.MODIFIED and not part.is_retyped:
            return ""
        changed = ColumnChange(part.column, part.status)
        outcome = self._source.existing(unique_id, changed, part.is_retyped)
        if part.status is Status.REMOVED and outcome is not None and outcome.fails:
            return SKIPPED
        return _DOUBTS.get(outcome, "") if outcome is not None else ""

    def of_query(self, failed: _AffectedPart) -> Iterator[_AffectedPart]:
        """Yield the failure of a node, and of nodes with its SQL."""
        whole = failed._replace(what=Reach.ROWS, column="", status=Status.MODIFIED)
        yield whole
        for other in self._source.failing_with(failed.unique_id):
            found = whole._replace(unique_id=other, distance=whole.distance + 1)
            is_unsure = other.startswith("unit_test.")
            yield found._replace(fails=False, may_fail=TESTED_FAILS) if is_unsure else found

    def of_columns(
        self, failed: _AffectedPart, reads: Iterable[EdgesToReader | None]
    ) -> Iterator[_AffectedPart]:
        """Yield the columns of a definition that fail without the column of *failed*; others stay valid."""
        edges = [edge for one in reads if one is not None for edge in one.of(failed.column)]
        names = {edge.column_name: None for edge in edges if edge.column_name is not None}
        if any(loses_all(edge) for edge in edges):
            for side in (self._base.columns, self._current.columns):
                names |= dict.fromkeys(side[failed.unique_id].names if failed.unique_id in side else ())
        for name in names:
            sure = max(edge.confidence for edge in edges if edge.column_name == name or loses_all(edge))
            yield failed._replace(column=name, confidence=min(failed.confidence, sure))
        if not names:
            yield failed._replace(what=Reach.ROWS, column="", status=Status.MODIFIED, is_end=True)

    def of_star(
        self, part: _AffectedPart, reading: ParentRead, parent: str, added: Collection[str]
    ) -> Iterator[_AffectedPart]:
        """Yield the effect on a reader of *parent*, which fails if the columns *added* to it arrive."""
        parts = (part._replace(column=name, status=Status.ADDED) for name in added)
        doubt = next(filter(None, (self.doubt(parent, one) for one in parts)), "")
        self._current.read([part.unique_id])
        if reading.fault and self._current.assumed([part.unique_id]):
            doubt = NOT_PROVEN
        fails = reading.is_certain and not doubt
        may_fail = "" if fails or not reading.fault else doubt or reading.fault
        yield from self.of_query(part._replace(fails=fails, failure=reading.fault, may_fail=may_fail))


class _Propagation:
    """Single traversal from all starts."""

    def __init__(self, graph: LineageGraph, source: LineageSource, starts: list[Start]) -> None:
        self._graph, self._source, self._starts = graph, source, starts
        self._found: dict[str, AffectedNode] = {}
        self._passed: dict[tuple[object, ...], float] = {}
        self._current = LoadedLineage(source.current, source.with_assumed[1])
        self._base = LoadedLineage(source.base, source.with_assumed[0])
        self._changed = {start.unique_id for start in starts}
        self._failures = _Failures(graph, source, starts, self._base, self._current)
        self._new = {(start.unique_id, name) for start in starts for name in _new_columns(start.effect)}

    def run(self) -> dict[str, AffectedNode]:
        """Return everything that is affected."""
        queue: list[_AffectedPart] = []
        self._prefetch()
        for start in self._starts:
            for part in _initial_parts(start):
                self._add(part, queue, is_reached=start.distance > 0)
        reshaped: dict[str, Start] = {}
        for part in list(self._positional(reshaped)):
            self._add(part, queue)
        while queue:
            for part in list(self._next_parts(heappop(queue))):
                self._add(part, queue)
        for unique_id, shape in reshaped.items():
            known = self._found.setdefault(unique_id, AffectedNode(shape.distance, shape.origin))
            known.is_reshaped = True
        nearest = sorted(self._found, key=lambda node: (self._found[node].distance, node))
        return {unique_id: self._found[unique_id] for unique_id in nearest}

    def _prefetch(self) -> None:
        """Prefetch lineage for nodes known to be needed."""
        for index, matters in ((self._current, _touches), (self._base, _changes_names)):
            # All starts together, because a load may be a query to the store.
            starts = [start.unique_id for start in self._starts if matters(start.effect)]
            index.read([child for start in starts for child in self._graph.children(start)])

    def _add(self, part: _AffectedPart, queue: list[_AffectedPart], *, is_reached: bool = True) -> None:
        """Record *part* and queue it, unless an earlier part had at least the same confidence."""
        if part.status is not Status.ADDED and self._is_new(part):
            return
        if is_reached and part.what is Reach.COLUMNS and (rows := self._of_existing_rows(part)) is not None:
            self._add(rows, queue)
        if part.confidence > self._passed.get(part.way, 0.0) and not part.is_end:
            self._passed[part.way] = part.confidence
            heappush(queue, part)
        # A node whose hook writes what it reads leads back to itself.
        if is_reached and part.status is not Status.ADDED and part.unique_id != part.origin:
            self._record(part)

    def _of_existing_rows(self, part: _AffectedPart) -> _AffectedPart | None:
        """Return the effect of a changed column on rows that its table has, if it affects other columns."""
        changed = ColumnChange(part.column, part.status)
        outcome = self._source.existing(part.unique_id, changed, part.is_retyped)
        if outcome is None or outcome.category not in _WHOLE:
            return None
        whole = part._replace(what=_WHOLE[outcome.category], column="", status=Status.MODIFIED)
        return whole._replace(fails=outcome.fails, failure=outcome.existing)

    def _is_new(self, part: _AffectedPart) -> bool:
        """Return True if the node's own change adds the column, so it has no earlier values."""
        if (part.unique_id, part.column.lower()) not in self._new:
            return False
        self._base.read([part.unique_id])
        before = self._base.columns.get(part.unique_id)
        return before is None or not _has(before, part.column)

    def _record(self, part: _AffectedPart) -> None:
        found = self._found.get(part.unique_id)
        if found is None:
            found = self._found[part.unique_id] = AffectedNode(part.distance, part.origin)
        elif (part.distance, part.origin) < (found.distance, found.origin):
            found.distance, found.origin = part.distance, part.origin
        found.origins.add(part.origin)
        if part.fails:
            found.fails = max(found.fails, part.confidence)
            found.failure = found.failure or part.failure
        found.may_fail = found.may_fail or part.may_fail
        if part.what is Reach.ROWS:
            found.rows = max(found.rows, part.confidence)
        elif part.what is Reach.UNKNOWN:
            found.unknown = max(found.unknown, part.confidence)
        else:
            found.columns[part.column] = max(found.columns.get(part.column, 0.0), part.confidence)

    def _next_parts(self, part: _AffectedPart) -> Iterator[_AffectedPart]:
        """Yield the parts one edge further from *part*."""
        distance = part.distance + 1
        children = self._readers_of_values(part)
        if part.what is not Reach.COLUMNS:
            may_fail = ABOVE_MAY_FAIL if part.breaks_readers else ""
            for child in children:
                yield part._replace(unique_id=child, distance=distance, fails=False, may_fail=may_fail)
            return
        part = part._replace(doubt=part.doubt or self._failures.doubt(part.unique_id, part))
        readers = self._current.readers(part.unique_id, children)
        earlier = self._base.readers(part.unique_id, children) if part.status is not Status.MODIFIED else {}
        is_new, known = part.status is Status.ADDED and not self._source.is_blind, {**earlier, **readers}
        unknown = _AffectedPart(distance, part.origin, "", Reach.UNKNOWN, confidence=part.confidence)
        for child in self._unparsed(children) if is_new else self._possible_readers(part, children, known):
            why = _why_unknown(self._current.columns.get(child)) if part.is_missing else ""
            yield unknown._replace(unique_id=child, may_fail=why)
            if why and part.column != ANY:
                doubt = part.doubt or UNTRACED_ABOVE
                yield part._replace(
                    unique_id=child, distance=distance, fails=False, may_fail=why, doubt=doubt
                )
        assumed = set()
        if part.is_missing:
            # SQL that is not proven makes no reader fail, and passes no removal on.
            assumed = self._current.assumed(readers) | (self._base.assumed(earlier) - readers.keys())
            unproven = unknown._replace(confidence=min(part.confidence, UNSURE), may_fail=NOT_PROVEN)
            yield from (unproven._replace(unique_id=child) for child in assumed)
            readers = {child: reads for child, reads in readers.items() if child not in assumed}
            earlier = {child: reads for child, reads in earlier.items() if child not in assumed}
        failing = self._failures.of_readers(part, readers, earlier)
        for child, sure in failing.items():
            failed = part._replace(distance=distance, unique_id=child, confidence=min(part.confidence, sure))
            failed = failed._replace(fails=not part.doubt, may_fail=part.why_it_may_fail)
            if child.startswith(DEFINITION_PREFIXES):
                yield from self._failures.of_columns(failed, [earlier.get(child), readers.get(child)])
            else:
                yield from self._failures.of_query(failed)
        for index in (readers, earlier) if part.status is Status.REMOVED else (readers,):
            for child, edges in index.items():
                if child not in failing and self._source.follows_rename(child, part):
                    continue  # its own change has what differs
                # If it is not certain that it fails, or its table stays, its own readers may.
                if failing.get(child, 0.0) < CERTAIN or self._failures.doubt(child, part) == SKIPPED:
                    for edge in edges.of(part.column):
                        followed = self._follow(part, child, edge, is_current=index is readers)
                        if followed.fails or not part.is_covered or followed.what is Reach.COLUMNS:
                            yield from self._failures.of_query(followed) if followed.fails else [followed]

    def _readers_of_values(self, part: _AffectedPart) -> Collection[str]:
        """Return the children of a node, without unit tests if only values differ that these do not read.

        They run the query of their model over rows of their own, which have the types of the inputs.
        """
        children = self._graph.children(part.unique_id)
        is_of_rows = part.what is Reach.ROWS and not part.breaks_readers
        is_of_values = part.what is Reach.COLUMNS and part.status is Status.MODIFIED and not part.is_retyped
        if not (is_of_rows or is_of_values):
            return children
        return [one for one in children if not one.startswith("unit_test.") or self._is_tested(one, part)]

    def _is_tested(self, unit_test: str, part: _AffectedPart) -> bool:
        """Return True if the node of *part* has changed itself, and is the model that *unit_test* names."""
        is_named = unit_test.split(".")[2:3] == part.unique_id.split(".")[2:3]
        return is_named and part.unique_id in self._changed

    def _possible_readers(
        self, part: _AffectedPart, children: Collection[str], readers: Mapping[str, EdgesToReader]
    ) -> Iterator[str]:
        """Yield children that may read the column although lineage has no edge for it."""
        if part.status is Status.REMOVED and self._base.is_blind:
            # Readers may have selected it with `*`, which leaves no trace in current lineage.
            yield from (
                child for child in children if child not in readers or not any(readers[child].of(part.column))
            )
        else:
            yield from self._without_edges(
                part.unique_id, [child for child in children if child not in readers]
            )

    def _unparsed(self, children: Collection[str]) -> Iterator[str]:
        """Yield *children* whose code was not understood: it may select every column."""
        self._current.read(children)
        for child in children:
            known = self._current.columns.get(child)
            if known is not None and known.reason not in {None, *WITHOUT_QUERY} - {PYTHON}:
                yield child

    def _follow(
        self, part: _AffectedPart, child: str, edge: ColumnEdge, *, is_current: bool
    ) -> _AffectedPart:
        # Without references, a column that SQL names looks like a column that comes through a `*`.
        is_starred = is_current and edge.kind == Kind.PASSTHROUGH and self._source.has_references
        column = edge.column_name or ""
        status, sure = Status.MODIFIED, 1.0
        if part.status is Status.REMOVED and is_starred:
            status = Status.REMOVED  # the catalog may still list it
        elif column:
            status, sure = self._status(part, child, column)
        reading = self._source.lost_field(child, part.lost, part.column == ANY) if part.lost else ParentRead()
        # Other queries read a removed column as part of the whole row.
        in_row = part.status is Status.REMOVED and status is Status.MODIFIED and child not in self._changed
        return part._replace(
            distance=part.distance + 1,
            unique_id=child,
            what=Reach.COLUMNS if column else Reach.ROWS,
            column=column,
            status=status,
            confidence=min(part.confidence, edge.confidence, sure),
            fails=reading.is_certain,
            failure=reading.fault if reading.is_certain else "",
            may_fail="" if reading.is_certain else reading.fault,
            lost=part.lost | ({part.column} if in_row else set()),
        )

    def _status(self, part: _AffectedPart, child: str, column: str) -> tuple[Status, float]:
        """Return the status of a column of *child* that is derived from that of *part*, with a confidence."""
        now, before = self._current.columns.get(child), self._base.columns.get(child)
        if part.status is Status.REMOVED and now is not None and not _has(now, column):
            return Status.REMOVED, 1.0
        if part.status is Status.ADDED and column != ANY:
            was = _has(before, column) if before is not None else column.lower() != part.column.lower()
            may_be = before is not None and not was and _is_open(before, part.unique_id)
            return Status.MODIFIED if was or may_be else Status.ADDED, UNSURE if may_be else 1.0
        return part.status if part.status is Status.ADDED else Status.MODIFIED, 1.0

    def _without_edges(self, parent: str, children: Collection[str]) -> Iterator[str]:
        """Yield *children* that may read *parent* although none of their columns lead to it."""
        silent = []
        # An ephemeral parent is inlined into the child, so edges lead to the parent's own parents.
        behind = [self._current.known(one) for one in self._graph.parents(parent)]
        for child in children:
            known = self._current.columns.get(child)
            is_empty = known is not None and not (known.outputs or known.uses or child.startswith("test."))
            if known is None or known.reason is not None or is_empty:
                yield child
            elif not child.startswith(DEFINITION_PREFIXES) and not any(
                child in readers for readers in behind
            ):
                silent.append(child)
        if silent:  # `select count(*)` names its parent; a query that runs during compilation does not
            named = self._source.mentions(parent, silent)
            yield from (child for child in silent if child not in named)

    def _positional(self, reshaped: dict[str, Start]) -> Iterator[_AffectedPart]:
        """Yield the effects on queries that depend on the order or number of a parent's changed columns.

        Add the nodes that a `*` gives other columns to *reshaped*, and nodes that may read with one.
        """
        shapes = [start for start in self._starts if _changes_names(start.effect) or start.effect.moved]
        seen = {shape.unique_id for shape in shapes}
        reshaped.update((shape.unique_id, shape) for shape in shapes if shape.distance)
        if self._source.is_blind:
            for shape in shapes:
                children = self._graph.children(shape.unique_id)
                self._current.read(children)  # returns nothing, which marks the index as blind
                for child in children:
                    yield _AffectedPart(shape.distance + 1, shape.origin, child, Reach.UNKNOWN)
            return
        while shapes:
            edges = {
                LineageEdge(child, shape.unique_id): shape
                for shape in shapes
                if not self._source.is_inlined(shape.unique_id)
                for child in self._readers_of(shape.unique_id)
            }
            shapes = []
            added = {edge: _added(shape.effect) for edge, shape in edges.items()}
            readings = self._source.parent_reads(added) if edges else {}
            untraced = {*self._unparsed({edge.node_id for edge in edges if edge not in readings})}
            for edge, shape in edges.items():
                child, reading = edge.node_id, readings.get(edge)
                part = _AffectedPart(shape.distance + 1, shape.origin, child, Reach.ROWS)
                if reading is not None and (reading.by_position or reading.fault):
                    yield from self._failures.of_star(part, reading, edge.parent_id, added[edge])
                if reading is None and child in untraced:
                    yield part._replace(what=Reach.UNKNOWN)
                if (reading is None or reading.whole) and child not in seen:
                    seen.add(child)
                    reshaped[child] = shape._replace(unique_id=child, distance=shape.distance + 1)
                    shapes.append(reshaped[child])

    def _readers_of(self, unique_id: str) -> set[str]:
        """Return the nodes that read *unique_id*, also through ephemeral models."""
        children = self._graph.children(unique_id)
        is_inlined = self._source.is_inlined
        return {*children, *self._graph.downstream(filter(is_inlined, children), through=is_inlined)}


_DOUBTS = {
    **dict.fromkeys((REMOVED_STAYS, CHECKED_STAYS, KEY_STAYS), KEPT_ABOVE),
    NOT_ADDED: NOT_ADDED_ABOVE,
    KEEPS_TYPE: TYPE_KEPT_ABOVE,
}
"""Why a table does not have a column as the edited query returns it, by what becomes of its rows."""

_WHOLE = {Category.BREAKING: Reach.ROWS, Category.UNKNOWN: Reach.UNKNOWN}
"""Reach of the categories that affect a node as a whole."""


def _initial_parts(start: Start) -> Iterator[_AffectedPart]:
    """Yield the initial parts of a changed node."""
    whole = _WHOLE.get(start.effect.category)
    where = (start.distance, start.origin, start.unique_id)
    is_open = any(one.name == ANY and one.status is Status.ADDED for one in start.effect.columns)
    if whole is not None:
        yield _AffectedPart(*where, whole, may_fail=start.may_fail)
    # The rows cover every other column. Only a column that is not there as named makes readers fail.
    for column in start.effect.columns if whole is None else _renamed(start.effect):
        is_retyped = column.name in start.effect.retyped
        part = _AffectedPart(*where, Reach.COLUMNS, column.name, column.status, is_retyped=is_retyped)
        fields = (field.rsplit(".", 1) for field in start.effect.lost_fields)
        lost = frozenset(name for path, name in fields if path.split(".")[0].lower() == column.name.lower())
        is_removed = column.status is Status.REMOVED
        # A `*` of base stood for columns that current may list.
        doubt = STAR_ABOVE if is_removed and (is_open or column.name == ANY) else ""
        yield part._replace(lost=lost, doubt=doubt, is_covered=whole is not None and not is_removed)


def _why_unknown(known: NodeColumns | None) -> str:
    return (known and known.reason) or NOT_TRACED


def _has(known: NodeColumns, column: str) -> bool:
    folded = column.lower()
    return any(name.lower() == folded for name in known.names)


def _is_open(known: NodeColumns, parent: str) -> bool:
    """Return True if a `*` yields columns of another node than *parent* that are not known."""
    return any(
        output.name == ANY and any(source.parent != parent for source in output.sources)
        for output in known.outputs
    )


def _new_columns(effect: SqlChange) -> Iterator[str]:
    # A renamed column has earlier values, under its old name.
    renamed = {column.renamed_to for column in effect.columns if column.renamed_to}
    for column in effect.columns:
        if column.status is Status.ADDED and column.name not in renamed:
            yield column.name.lower()


def _renamed(effect: SqlChange) -> list[ColumnChange]:
    """Return the columns that are added, removed, or of another type."""
    return [
        column
        for column in effect.columns
        if column.status is not Status.MODIFIED or column.name in effect.retyped
    ]


def _touches(effect: SqlChange) -> bool:
    return bool(effect.columns if effect.category not in _WHOLE else _renamed(effect))


def _changes_names(effect: SqlChange) -> bool:
    return any(column.status is not Status.MODIFIED for column in effect.columns)


def _added(effect: SqlChange) -> list[str]:
    return [column.name for column in effect.columns if column.status is Status.ADDED]
