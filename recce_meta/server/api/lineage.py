"""Lineage and impact in the last run of a connection, in the shapes that its clients expect.

The id of an object is the unique id of its node. The id of a column is that of its object, a dot and its
name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from recce_meta.api.browse.neighbours import neighbours
from recce_meta.api.browse.node import column_names
from recce_meta.api.runs import find_node
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.lineage import Direction, ImpactView, NodeColumns, ReachedNode
from recce_meta.report.labels import TESTS
from recce_meta.server.api.answers import MOST_IMPACTED, impact_of
from recce_meta.server.stores.stores import StoreView
from recce_meta.sql_lineage.impact import ANY
from recce_meta.store.read import load_parents

MOST_OBJECTS = 1000
"""Largest number of objects of a lineage."""
_HIDDEN = frozenset({*TESTS, "group", "operation"})
"""Types of nodes that are not objects of a lineage."""


class ObjectColumn(Struct, frozen=True, kw_only=True):
    """Column of an object."""

    id: str
    """Id of the object, a dot, and the name."""
    name: str
    data_type: str | None
    """Type in the warehouse or in the YAML; null if unknown."""


class LineageObject(Struct, frozen=True, kw_only=True):
    """Model, source, seed, snapshot, table or view."""

    id: str
    """Unique id of the node."""
    name: str
    object_type: str
    """Type of the node: model, source, seed, snapshot, table, view, …"""
    columns: Sequence[ObjectColumn]


class Dependency(Struct, frozen=True, kw_only=True):
    """Dependency between objects: *source* depends on *target*."""

    source: str
    """Id of the object that reads."""
    target: str
    """Id of the object that is read."""
    confidence: float
    """From 0 to 1."""


class ColumnDerivation(Struct, frozen=True, kw_only=True):
    """Derivation of a column: *target* is derived from *source*."""

    target: str
    """Id of the derived column."""
    source: str
    """Id of the column that its value comes from."""
    transformation: str
    """SQL expression; the name of the source column if it is unchanged."""
    confidence: float
    """From 0 to 1."""


class LineageAnswer(Struct, frozen=True, kw_only=True):
    """Objects of the last run of a connection, and what they depend on."""

    run_id: str
    objects: Sequence[LineageObject]
    dependencies: Sequence[Dependency]
    """Dependencies between `objects`."""
    column_lineage: Sequence[ColumnDerivation]
    """Derivations between columns of `objects`; empty unless `include_column_lineage` is true."""
    truncated: bool
    """True if objects were left out."""


class ImpactedObject(Struct, frozen=True, kw_only=True):
    """Object that a change affects; upstream, an object that the changed one is derived from."""

    id: str
    """Unique id of the node."""
    name: str
    object_type: str
    """Type of the node: model, source, seed, snapshot, exposure, …"""
    distance: int
    """Number of dependencies on the shortest path."""
    direction: Direction
    """Side of the changed object: upstream or downstream."""
    path: Sequence[str]
    """Ids of the objects on a shortest path, from the changed object to this one."""


class ImpactedColumn(Struct, frozen=True, kw_only=True):
    """Column that is derived from a changed column, or determined by it."""

    column: str
    """Id of the column."""
    affected_by: str
    """Id of a column that it is directly derived from."""
    confidence: float
    """From 0 to 1."""


class ImpactAnswer(Struct, frozen=True, kw_only=True):
    """What a change of an object, or of one of its columns, affects in the last run of a connection."""

    run_id: str
    impacted_objects: Sequence[ImpactedObject]
    """Objects, the nearest first."""
    impacted_columns: Sequence[ImpactedColumn]
    truncated: bool
    """True if objects were left out."""


def column_id(object_id: str, name: str) -> str:
    """Return the id of a column.

    >>> column_id("model.shop.orders", "amount")
    'model.shop.orders.amount'
    """
    return f"{object_id}.{name}"


def lineage_answer(
    view: StoreView, run: RunMetadata, name: str | None, depth: int, *, has_columns: bool
) -> LineageAnswer:
    """Return the objects of *run* within *depth* dependencies of the object *name*, or all objects.

    With *has_columns*, the answer has the lineage of columns. Raises SelectorError unless *name* names
    exactly one object.
    """
    graph = view.graph(run)
    # Before the walk: tests and groups must not connect objects.
    shown = {key: node for key, node in graph.names.items() if node.resource_type not in _HIDDEN}
    if name is None:
        ids, is_cut = sorted(shown)[:MOST_OBJECTS], len(shown) > MOST_OBJECTS
    else:
        root = find_node(name, shown)
        near = neighbours(
            root, shown, (_within(graph.parents, shown), _within(graph.children, shown)), lambda _: {},
            depth=depth,
        )  # fmt: skip
        ids, is_cut = [node.unique_id for node in near.view.nodes], near.truncated
    kept = frozenset(ids)
    reader = view.reader(run)
    with reader.session():
        nodes = reader.described(ids)
        columns = reader.columns_of(ids) if reader.has_columns else {}
    objects = [_object(shown[key], nodes.get(key), columns.get(key)) for key in ids]
    return LineageAnswer(
        run_id=run.run_id,
        objects=objects,
        dependencies=list(_dependencies(view, run, graph.parents, kept)),
        column_lineage=list(_column_lineage(columns, kept)) if has_columns else [],
        truncated=is_cut,
    )


def _within(
    neighbours_of: Mapping[str, Sequence[str]], shown: Collection[str]
) -> Mapping[str, Sequence[str]]:
    return {
        key: [one for one in others if one in shown] for key, others in neighbours_of.items() if key in shown
    }


def _object(named: NodeMetadata, node: NodeMetadata | None, columns: NodeColumns | None) -> LineageObject:
    types = {column.name: column.type for column in node.columns} if node else {}
    names = column_names(node, columns) if node else ()
    return LineageObject(
        id=named.unique_id,
        name=named.label,
        object_type=named.resource_type,
        columns=[
            ObjectColumn(id=column_id(named.unique_id, name), name=name, data_type=types.get(name))
            for name in names
            if name != ANY
        ],
    )


def _dependencies(
    view: StoreView, run: RunMetadata, parents: Mapping[str, Sequence[str]], kept: Collection[str]
) -> Iterator[Dependency]:
    # Origins are read only of edges within the answer.
    readers = sorted(key for key in kept if any(parent in kept for parent in parents.get(key, ())))
    origins = load_parents(view.adapter, run, ids=readers) if readers else {}
    for reader in readers:
        for parent in parents[reader]:
            if parent in kept:
                origin = origins.get(reader, {}).get(parent)
                yield Dependency(source=reader, target=parent, confidence=origin.confidence if origin else 1)


def _column_lineage(columns: Mapping[str, NodeColumns], kept: Collection[str]) -> Iterator[ColumnDerivation]:
    for unique_id, found in columns.items():
        for output in found.outputs:
            for source in output.sources:
                # `*` stands for columns that are unknown, so it is not the id of a column.
                if source.parent in kept and ANY not in (source.column, output.name):
                    yield ColumnDerivation(
                        target=column_id(unique_id, output.name),
                        source=column_id(source.parent, source.column),
                        transformation=output.expression or source.column,
                        confidence=source.confidence,
                    )


def impact_answer(
    view: StoreView, run: RunMetadata, name: str, column: str | None, direction: Direction
) -> ImpactAnswer:
    """Return what a change of the object *name*, or of its *column*, affects in *run*.

    Raises SelectorError unless *name* names exactly one object, and for an unknown column.
    """
    root = find_node(name, view.graph(run).names)
    found = impact_of(view, run, root, column, direction)
    # The changed object itself has the distance zero.
    others = [node for node in found.nodes if node.distance and node.resource_type not in _HIDDEN]
    kept = sorted(others, key=lambda node: (abs(node.distance), node.unique_id))[:MOST_IMPACTED]
    return ImpactAnswer(
        run_id=run.run_id,
        impacted_objects=[_impacted(node) for node in kept],
        impacted_columns=list(_impacted_columns(found, kept)),
        truncated=len(kept) < len(others),
    )


def _impacted(node: ReachedNode) -> ImpactedObject:
    return ImpactedObject(
        id=node.unique_id,
        name=node.name,
        object_type=node.resource_type,
        distance=abs(node.distance),
        direction=Direction.UPSTREAM if node.distance < 0 else Direction.DOWNSTREAM,
        path=[stop.unique_id for stop in node.path],
    )


def _impacted_columns(found: ImpactView, kept: Collection[ReachedNode]) -> Iterator[ImpactedColumn]:
    """Yield one row for each derivation between columns of the result."""
    ids = {found.root, *(node.unique_id for node in kept)}
    for node in found.nodes:
        if node.unique_id not in ids:
            continue
        for column in node.columns:
            for source in column.sources:
                if source.parent_id in ids and ANY not in (source.column, column.name):
                    yield ImpactedColumn(
                        column=column_id(node.unique_id, column.name),
                        affected_by=column_id(source.parent_id, source.column),
                        confidence=column.confidence,
                    )
