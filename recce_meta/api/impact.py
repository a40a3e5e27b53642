"""Impact analysis: nodes and columns downstream and upstream of a node or column.

`NODE.COLUMN` is resolved to a node and one of its columns. Both names may contain dots, so any dot may
separate them; the longest node name is tried first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.run_reader import MemoryRunReader, RunReader, open_run
from recce_meta.api.runs import SHOWN, find_node, is_scanned, names_of
from recce_meta.errors import SelectorError, did_you_mean, first_of
from recce_meta.graph import LineageGraph, build_lineage_graph, failing_with, is_ephemeral
from recce_meta.lazy import LazyModule
from recce_meta.models import LineageEdge, NodeMetadata
from recce_meta.models.lineage import UNSURE, ColumnEdge, Direction, FailingNode, ImpactView, Stop
from recce_meta.models.node_types import WITH_QUERY, WITH_RELATION
from recce_meta.report.labels import kind_plural
from recce_meta.sql_lineage.impact import (
    ANY,
    COLUMNS,
    ROWS,
    ColumnRef,
    Step,
    Steps,
    downstream,
    impact_view,
    removal,
    upstream,
    walk,
)
from recce_meta.sql_lineage.project.names import canonical_name, dialect_of
from recce_meta.sql_lineage.project.semantics import DEFINITION_PREFIXES
from recce_meta.store.select import RunSelector

if TYPE_CHECKING:
    from recce_meta.api import bound_removal
else:
    # Only a column of a DuckDB project is removed in a database.
    bound_removal = LazyModule("recce_meta.api.bound_removal")


class ColumnNames(NamedTuple):
    """Column names of a node, in its own spelling."""

    known: Sequence[str]
    are_all: bool = True
    dialect: str | None = None
    """Dialect that determines the spelling of unknown columns, if `are_all` is False."""


ColumnsOf = Callable[[str], ColumnNames]

WITH_COLUMNS = frozenset({*WITH_RELATION, "source", "analysis", "function"})
"""Resource types that can have columns, even if these are unknown."""
_QUOTES = {'"': '"', "`": "`", "[": "]"}


class Address(NamedTuple):
    """Node, or one of its columns in the node's spelling."""

    unique_id: str
    column: str | None = None

    def __str__(self) -> str:
        return self.unique_id if self.column is None else f"column {self.column} of {self.unique_id}"


class _NodePrefix(NamedTuple):
    unique_id: str
    column: str | None
    """Column as the user wrote it."""


def find_address(text: str, nodes: Mapping[str, NodeMetadata], columns_of: ColumnsOf) -> Address:
    """Return the node or column that *text* names: a unique id, else the only reading that exists.

    Column names match exactly, or ignoring case if that matches one column; quoted names match only exactly.
    If not all columns of a node are known, an unknown name is accepted as a column. Raises SelectorError if
    nothing or more than one thing matches.
    """
    if text in nodes:
        return Address(text)
    found: list[Address] = []
    unknown: list[Address] = []
    nearest: _NodePrefix | None = None
    for reading in _readings(text, nodes):
        if reading.column is None:
            found.append(Address(reading.unique_id))
            continue
        nearest = nearest or reading
        names = columns_of(reading.unique_id)
        matches = _matching(reading.column, names.known)
        found += [Address(reading.unique_id, name) for name in matches]
        if not names.are_all and nodes[reading.unique_id].resource_type in WITH_COLUMNS:
            asked = _unquoted(reading.column) or reading.column
            unknown.append(Address(reading.unique_id, canonical_name(asked, names.dialect)))
    # The longest node name comes first, so that its column is the likeliest.
    possible = found or unknown[:1]
    if len(possible) == 1:
        return possible[0]
    if possible:
        raise _ambiguous(text, possible)
    if nearest is None:
        _no_node(text, nodes)
    raise _no_column(nearest, columns_of(nearest.unique_id).known)


def _readings(text: str, nodes: Mapping[str, NodeMetadata]) -> Iterator[_NodePrefix]:
    """Yield each node that a prefix of *text* names, with the rest of *text*; the longest prefix first."""
    ends = [len(text), *(end for end in range(len(text) - 1, 0, -1) if text[end] == ".")]
    starts = {text[:end]: text[end + 1 :] if end < len(text) else None for end in ends}
    by_name: dict[str, list[str]] = {}
    for unique_id, node in nodes.items():
        # Checking the plain name first avoids building all names of thousands of nodes.
        if unique_id in starts:
            by_name[unique_id] = [unique_id]
        elif node.name in starts or node.version is not None or node.source_name or is_scanned(node):
            for name in starts.keys() & names_of(node):
                by_name.setdefault(name, []).append(unique_id)
    for start, column in starts.items():
        ids = by_name.get(start, [])
        built = [unique_id for unique_id in ids if nodes[unique_id].resource_type in WITH_RELATION]
        for unique_id in sorted(built if len(built) == 1 else ids):
            if column != "":
                yield _NodePrefix(unique_id, column)


def _matching(asked: str, known: Sequence[str]) -> list[str]:
    """Return the columns of *known* that *asked* can mean."""
    exact = _unquoted(asked)
    if exact is not None:
        return [exact] if exact in known else []
    if asked in known:
        return [asked]
    return [name for name in dict.fromkeys(known) if name.lower() == asked.lower()]


def _unquoted(asked: str) -> str | None:
    """Return the text between the quotes; None if *asked* is not quoted."""
    if len(asked) > 2 and _QUOTES.get(asked[0]) == asked[-1]:
        return asked[1:-1].replace('""', '"') if asked[0] == '"' else asked[1:-1]
    return None


def _ambiguous(text: str, possible: Sequence[Address]) -> SelectorError:
    ids = {address.unique_id for address in possible}
    columns = {address.column and address.column.lower() for address in possible}
    # If two dots may precede the column, only quotes can show which dot is meant.
    if None not in columns and (len(ids) == 1 or len(columns) > 1):
        hint = "put the column name in quotes, in its exact spelling"
    elif len({address.column is None for address in possible}) == 1:
        hint = "start with one of these unique ids"
    else:
        hint = "use the unique id of a node, or put the column name in quotes"
    shown = first_of([str(address) for address in possible], SHOWN)
    return SelectorError(f"'{text}' is ambiguous, {len(possible)} matches: {shown}", hint=hint)


def _no_node(text: str, nodes: Mapping[str, NodeMetadata]) -> NoReturn:
    """Raise SelectorError for an unknown node; the hint may suggest another node for the column in *text*."""
    try:
        find_node(text, nodes)
    except SelectorError as error:
        start, dot, column = text.rpartition(".")
        having = [node for node in nodes.values() if node.resource_type in WITH_COLUMNS]
        known = {name for node in having for name in (*names_of(node), node.unique_id)}
        # A test may have a name like that of the column.
        if dot and (near := get_close_matches(start, sorted(known), n=3)):
            hint = did_you_mean(text, [f"{name}.{column}" for name in near])
            raise SelectorError(error.message, hint=hint or error.hint) from None
        raise
    raise SelectorError(f"Missing column name in '{text}'", hint="write NODE or NODE.COLUMN")


def _no_column(reading: _NodePrefix, known: Sequence[str]) -> SelectorError:
    if not known:
        return SelectorError(
            f"{reading.unique_id} has no columns", hint="name a model, seed, snapshot or source"
        )
    near = did_you_mean(reading.column or "", known)
    return SelectorError(
        f"{reading.unique_id} has no column '{reading.column}'",
        hint=near or f"its columns: {first_of(known, SHOWN)}",
    )


UNCHECKED = (
    "References not checked: nodes that fail if the column is removed or renamed are not listed; "
    "record the run again"
)


def load_impact(
    connect: Callable[[], UnifiedSqlAdapter],
    selector: RunSelector,
    target: str,
    *,
    direction: Direction = Direction.DOWNSTREAM,
    depth: int | None = None,
    project: str | None = None,
) -> ImpactView:
    """Return what *target*, `NODE` or `NODE.COLUMN`, affects in the run *selector* (or `path:DIR`).

    The columns of a run recorded without column lineage are analysed now. Raises SelectorError if *target*
    matches nothing, or more than one thing.
    """
    run = open_run(connect, selector, project=project)
    reader = run if run.has_columns else MemoryRunReader(run.project)
    with run.session():
        view = impact_in(reader, target, direction, depth)
        view = replace(view, annotations=run.annotations([node.unique_id for node in view.nodes]))
    return as_bound(view, reader, depth)


def impact_in(run: RunReader, target: str | Address, direction: Direction, depth: int | None) -> ImpactView:
    """Return what *target* affects, and what it depends on, in *run*."""
    # Several readings of a name may ask for the same node, each with queries.
    columns_of = cache(partial(column_names, run))
    address = target if isinstance(target, Address) else find_address(target, run.names, columns_of)
    return impact_at(run, address, columns_of(address.unique_id), direction, depth)


def impact_at(
    run: RunReader, address: Address, names: ColumnNames, direction: Direction, depth: int | None = None
) -> ImpactView:
    """Return what the node or column *address* affects, and what it depends on, in *run*.

    *names* are the columns of the node, the result of `column_names`.
    """
    root, column = address
    if column is not None:
        starts = [ColumnRef(root, COLUMNS, column)]
    else:
        # A change of the whole node may change its rows and each of its columns.
        all_of_them = names.known if names.are_all else [*names.known, ANY]
        starts = [ColumnRef(root, ROWS), *(ColumnRef(root, COLUMNS, name) for name in all_of_them)]
    around = {
        way: surroundings(run, root, way)
        for way in (Direction.UPSTREAM, Direction.DOWNSTREAM)
        if direction in (way, Direction.BOTH)
    }
    reasons = {unique_id: reason for near in around.values() for unique_id, reason in near.reasons.items()}
    below = around.get(Direction.DOWNSTREAM) if column is not None else None
    is_known = below is None or run.has_references
    view = impact_view(
        Stop(root, column),
        direction,
        {way: walk(starts, near.steps, depth) for way, near in around.items()},
        run.names,
        reasons=reasons,
        removed=walk(starts, below.removal, depth) if below and is_known and not below.is_inlined else None,
        queries=frozenset[str]().union(*(near.queries for near in around.values())),
    )
    return replace(view, notes=(*_notes(address, names, around, reasons), *([] if is_known else [UNCHECKED])))


def as_bound(view: ImpactView, run: RunReader, depth: int | None = None) -> ImpactView:
    """Return *view* of *run* with the nodes that fail without the column as a database says.

    It adds nodes that it refuses, and leaves out those that it binds over columns that are all known. *run*
    has no open session.
    """
    is_removed = view.fails is not None and view.column is not None and len(view.nodes) > 1
    judged = bound_removal.judged_without(run, view.root, view.column or "") if is_removed else {}
    graph, start = build_lineage_graph([], run.edges), Stop(view.root, view.column)
    distances = graph.descendants(view.root, depth)
    found = {one.unique_id: one for one in view.fails or ()}
    for one, judgement in judged.items():
        fault, known = judgement.fault, run.names[one]
        if fault is None and judgement.is_complete:
            found.pop(one, None)
        elif fault is not None and one not in found and one in distances:
            found[one] = FailingNode(
                unique_id=one,
                name=known.label,
                resource_type=known.resource_type,
                distance=distances[one],
                confidence=1.0 if fault.is_certain else UNSURE,
                path=(start, Stop(one)),
                references=(start,),
            )
    listed = sorted(found.values(), key=lambda one: (one.distance, one.unique_id))
    return replace(view, fails=tuple(listed)) if judged else view


def find_column(asked: str, address: Address, names: ColumnNames) -> Address:
    """Return the column *asked* of the node *address*, in the node's spelling.

    If not all columns of the node are known, an unknown name is accepted. Raises SelectorError if the node
    has no such column.
    """
    matches = _matching(asked, names.known)
    if len(matches) == 1:
        return Address(address.unique_id, matches[0])
    if matches:
        raise _ambiguous(asked, [Address(address.unique_id, match) for match in matches])
    if names.are_all:
        raise _no_column(_NodePrefix(address.unique_id, asked), names.known)
    return Address(address.unique_id, canonical_name(_unquoted(asked) or asked, names.dialect))


def column_names(run: RunReader, unique_id: str) -> ColumnNames:
    """Return the output columns of a node; if these are incomplete, add the columns that other nodes read."""
    names = dict.fromkeys(run.output_names([unique_id]).get(unique_id, ()))
    are_all = bool(names) and ANY not in names
    if not are_all:
        names |= dict.fromkeys(sorted({edge.parent_column for edge in run.column_children([unique_id])}))
    return ColumnNames([name for name in names if name != ANY], are_all, dialect_of(run.run.adapter_type))


class Surroundings(Struct, frozen=True):
    """Lineage on one side of a node, upstream or downstream."""

    steps: Steps
    queries: frozenset[str]
    """Nodes that were analysed, or that have a query."""
    others: int
    """Number of other nodes with a query that has columns."""
    known: int
    """Number of these with known columns."""
    reasons: dict[str, str]
    """Why the columns of a node are unknown, by unique id."""
    removal: Steps
    """Steps downstream from a removed column."""
    is_inlined: bool = False
    """Whether the readers were analysed with the SQL of the node as part of theirs: no edge leads to it."""


def surroundings(run: RunReader, root: str, way: Direction) -> Surroundings:
    """Return everything that a walk from *root* can reach, usually with two queries: edges and analyses."""
    is_down = way is Direction.DOWNSTREAM
    graph = build_lineage_graph([], run.edges)
    relatives = graph.descendants if is_down else graph.ancestors
    edges: list[ColumnEdge] = []
    asked: set[str] = set()
    wanted = {root, *relatives(root)}
    while wanted:
        found = run.column_children(wanted) if is_down else run.column_parents(wanted)
        edges += found
        asked |= wanted
        # SQL can name relations directly; dbt's graph does not have these edges.
        ends = {edge.node_id if is_down else edge.parent_id for edge in found} - asked
        wanted = {relative for end in ends for relative in (end, *relatives(end))} - asked
    analyses = run.gaps(asked)
    known = {unique_id for unique_id, reason in analyses.items() if reason is None}
    whole = _with_reads(run, graph, edges)
    is_inlined = partial(is_ephemeral, nodes=run.names)
    is_traced = any(edge.parent_id == root for edge in edges)
    inlined = {root} if is_down and is_inlined(root) and not is_traced else ()
    others = {one for one in asked - {root} if _has_query(run.names.get(one))}
    return Surroundings(
        steps=_without_mocked(downstream(edges, whole, known, inlined), root)
        if is_down
        else upstream(edges, whole, known),
        queries=frozenset(others.union(analyses)),
        others=len(others),
        known=len(others & known),
        reasons={
            unique_id: analyses.get(unique_id) or _has_none(run.names.get(unique_id))
            for unique_id in asked - known
        },
        removal=removal(edges, partial(failing_with, graph, is_inlined)),
        is_inlined=bool(inlined) and len(asked) > 1,
    )


def _without_mocked(steps: Steps, root: str) -> Steps:
    """Return *steps* without those into unit tests of other models than *root*, which mock their inputs."""

    def of_values(ref: ColumnRef) -> Iterable[Step]:
        for step in steps(ref):
            if ref.unique_id == root or not step.target.unique_id.startswith("unit_test."):
                yield step

    return of_values


def _with_reads(run: RunReader, graph: LineageGraph, reads: Iterable[ColumnEdge]) -> LineageGraph:
    """Return *graph* with edges that only SQL has, except those through inlined ephemeral models."""
    pairs = {(read.node_id, read.parent_id) for read in reads}
    unknown = [
        LineageEdge(child, parent)
        for child, parent in pairs
        if parent not in graph.parents(child)
        and parent not in _behind_inlined(run, graph, child)
        # Its inputs do not affect a unit test, which has rows of its own.
        and not child.startswith("unit_test.")
        # A definition may name an element that it also reads through a metric.
        and not (child.startswith(DEFINITION_PREFIXES) and parent in graph.ancestors(child))
    ]
    return build_lineage_graph([], [*run.edges, *unknown]) if unknown else graph


def _behind_inlined(run: RunReader, graph: LineageGraph, child: str) -> set[str]:
    """Return the ephemeral models that are inlined into *child*, and their parents."""
    is_inlined = partial(is_ephemeral, nodes=run.names)
    return graph.upstream(filter(is_inlined, graph.parents(child)), through=is_inlined)


def _has_query(node: NodeMetadata | None) -> bool:
    return node is not None and node.resource_type in WITH_QUERY


def _has_none(node: NodeMetadata | None) -> str:
    """Return why a node without an analysis has no columns."""
    if node is None:
        return "not a node of this run"
    return f"{kind_plural(node.resource_type)} have no column lineage"


def _notes(
    address: Address,
    names: ColumnNames,
    around: Mapping[Direction, Surroundings],
    reasons: Mapping[str, str],
) -> Iterator[str]:
    """Yield notes on lineage that could not be determined."""
    root, column = address
    if column is not None and column not in names.known:
        why = f" ({reasons[root]})" if root in reasons else ""
        yield f"Not all columns of {root} are known{why}: '{column}' is assumed to exist"
    for way, near in around.items():
        if near.others and not near.known:
            yield f"No columns are known {way.value}: whole nodes are listed"
        if near.is_inlined:
            yield f"{root} is ephemeral: columns that depend on it downstream are unknown"
