"""Synced metadata of an editor: a request with lists of objects, columns and edges becomes a project.

Clients name an object by its id or by its name, and a column by its id or by its object, a dot and its name.
An item that names an unknown object is left out, and is a conflict of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from recce_meta.errors import UsageError, quoted
from recce_meta.models import Column, EdgeOrigin, NodeMetadata, Project, RunMetadata
from recce_meta.models.lineage import (
    MOST_EXPRESSION,
    REFERENCES_SINCE,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    Kind,
    NodeColumns,
    Tier,
    lineage_id_of,
)
from recce_meta.models.run import IDE, OF_WORKSPACE

MOST_OBJECTS = 20_000
"""Largest number of objects of a sync."""
MOST_ITEMS = 200_000
"""Largest number of columns, of dependencies, and of derivations of a sync."""
MOST_CONFLICTS = 100
"""Largest number of conflicts of an answer."""
_LONGEST = 300
"""Characters of the id of a conflict."""
_MOST_SPLITS = 8
"""Dots of a column's id that are tried as the end of its object, from the right."""

# Databases refuse U+0000 in text.
Name = Annotated[str, Meta(min_length=1, max_length=1000, pattern="^[^\\u0000]*$")]
TypeName = Annotated[str, Meta(min_length=1, max_length=50, pattern="^[A-Za-z][A-Za-z0-9_ -]*$")]
DataType = Annotated[str, Meta(max_length=1000, pattern="^[^\\u0000]*$")]
Expression = Annotated[str, Meta(max_length=100_000)]
Confidence = Annotated[float, Meta(ge=0, le=1)]


class NestedColumn(Struct, frozen=True, kw_only=True, gc=False):
    """Column of a synced object, in the object itself."""

    id: Name | None = None
    name: Name
    data_type: DataType | None = None


class SyncedObject(Struct, frozen=True, kw_only=True, gc=False):
    """Model, source, seed, snapshot, table or view of an editor."""

    id: Name | None = None
    """Unique id; by default the name."""
    name: Name | None = None
    """Name; by default the id. One of both is required."""
    object_type: TypeName = "model"
    """Type of the node: model, source, seed, snapshot, table, view, …"""
    columns: Annotated[tuple[NestedColumn, ...], Meta(max_length=MOST_ITEMS)] = ()
    """Columns, in addition to those of the request."""


class SyncedColumn(Struct, frozen=True, kw_only=True, gc=False):
    """Column of an object."""

    id: Name | None = None
    """Id by which derivations name the column; by default the id of the object, a dot, and the name."""
    object: Name | None = None
    """Id or name of the object."""
    object_id: Name | None = None
    """Other name of `object`. Without both, the object is the part of the id before the name."""
    name: Name
    data_type: DataType | None = None


class SyncedDependency(Struct, frozen=True, kw_only=True, gc=False):
    """Dependency between objects: *source* depends on *target*."""

    source: Name
    """Id or name of the object that reads."""
    target: Name
    """Id or name of the object that is read."""
    confidence: Confidence = 1.0


class SyncedDerivation(Struct, frozen=True, kw_only=True, gc=False):
    """Derivation of a column: *target* is derived from *source*."""

    target: Name
    """Id of the derived column."""
    source: Name
    """Id of the column that its value comes from."""
    transformation: Expression | None = None
    """SQL expression; null or the name of the source column if it is unchanged."""
    confidence: Confidence = 1.0


class SyncRequest(Struct, frozen=True, kw_only=True):
    """State of a workspace, which replaces the one that was synced before."""

    workspace_id: Name
    objects: Annotated[tuple[SyncedObject, ...], Meta(max_length=MOST_OBJECTS)] = ()
    columns: Annotated[tuple[SyncedColumn, ...], Meta(max_length=MOST_ITEMS)] = ()
    dependencies: Annotated[tuple[SyncedDependency, ...], Meta(max_length=MOST_ITEMS)] = ()
    column_lineage: Annotated[tuple[SyncedDerivation, ...], Meta(max_length=MOST_ITEMS)] = ()


class IdeConflict(Struct, frozen=True, kw_only=True):
    """Item of a sync that was not stored."""

    kind: str
    """`object`, `column`, `dependency` or `column lineage`."""
    id: str
    """Id of the item; of an edge, those of both ends."""
    reason: str


class IdeItems(NamedTuple):
    """Items of a stored state, for the number of those that are new."""

    objects: frozenset[tuple[object, ...]]
    columns: frozenset[tuple[object, ...]]
    dependencies: frozenset[tuple[object, ...]]
    column_lineage: frozenset[tuple[object, ...]]


class IdeProject(Struct, frozen=True, kw_only=True):
    """Project of a sync."""

    project: Project
    columns: ColumnGraph | None
    """Column lineage; None without any."""
    items: IdeItems
    conflicts: tuple[IdeConflict, ...]
    """The first MOST_CONFLICTS conflicts."""


def environment_of(workspace_id: str) -> str:
    """Return the environment of the runs of a workspace."""
    return f"{OF_WORKSPACE}{workspace_id}"


def ide_project(request: SyncRequest, project_name: str, now: datetime) -> IdeProject:
    """Return *request* as a project, whose run id depends on the workspace and on the contents alone.

    Raises UsageError for an object with neither an id nor a name.
    """
    read = _Reading(request)
    analyses = {key: found for key, found in read.analyses() if found.outputs}
    nodes = tuple(read.nodes(project_name, analyses))
    items = items_of(nodes, analyses)
    ids = {key: _lineage_id(found) for key, found in analyses.items()}
    columns = ColumnGraph(lineage_ids=ids, analyses={ids[key]: found for key, found in analyses.items()})
    run = RunMetadata(
        run_id=_run_id(request.workspace_id, project_name, items),
        run_at=now,
        project_name=project_name,
        environment=environment_of(request.workspace_id),
        extractor=IDE,
    )
    found = read.conflicts
    warnings = (f"{len(found):,} items of the sync were left out",) if found else ()
    return IdeProject(
        project=Project(run=run, nodes=nodes, warnings=warnings),
        columns=columns if ids else None,
        items=items,
        conflicts=tuple(found[:MOST_CONFLICTS]),
    )


def items_of(nodes: Iterable[NodeMetadata], columns: Mapping[str, NodeColumns]) -> IdeItems:
    """Return the items of *nodes* with their column lineage."""
    known = list(nodes)
    return IdeItems(
        frozenset((node.unique_id, node.name, node.resource_type) for node in known),
        frozenset((node.unique_id, one.name, one.type) for node in known for one in node.columns),
        frozenset((node.unique_id, one, _confidence(node, one)) for node in known for one in node.parents),
        frozenset(
            (key, output.name, output.expression, one.parent, one.column, one.confidence)
            for key, found in columns.items()
            for output in found.outputs
            for one in output.sources
        ),
    )


def new_counts(items: IdeItems, before: IdeItems) -> dict[str, int]:
    """Return the number of *items* of each kind that *before* lacks."""
    return {kind: len(now - then) for kind, now, then in zip(IdeItems._fields, items, before, strict=True)}


def _confidence(node: NodeMetadata, parent: str) -> float:
    origin = node.edge_origins.get(parent)
    return 1.0 if origin is None else origin.confidence


def _digest(value: object) -> str:
    return sha256(msgspec.json.encode(value)).hexdigest()[:32]


def _lineage_id(found: NodeColumns) -> str:
    # Another kind of input than the SQL of our own analyses, which must never have the same id.
    return lineage_id_of(REFERENCES_SINCE, f"{IDE}.{_digest(found)}")


def _run_id(workspace_id: str, project_name: str, items: IdeItems) -> str:
    # By `repr`: items have None and text at the same position, which do not compare.
    return f"{IDE}-{_digest((workspace_id, project_name, [sorted(kind, key=repr) for kind in items]))}"


class _Reading:
    """Resolution of the names in a request."""

    def __init__(self, request: SyncRequest) -> None:
        self._request = request
        self.conflicts: list[IdeConflict] = []
        self._objects: dict[str, SyncedObject] = {}
        self._by_name: dict[str, set[str]] = {}
        self._by_folded: dict[str, set[str]] = {}
        """Ids of objects by their names and ids, ignoring case."""
        self._columns: dict[str, dict[str, str | None]] = {}
        """Type of each column, by object and name."""
        self._spelled: dict[str, dict[str, str]] = {}
        """Names of columns by object and folded name."""
        self._column_ids: dict[str, tuple[str, str]] = {}
        self._read_objects()
        self._read_columns()
        self._parents = self._read_dependencies()

    def nodes(self, project_name: str, analyses: Mapping[str, NodeColumns]) -> Iterator[NodeMetadata]:
        """Yield the objects as nodes, sorted by id."""
        for key in sorted(self._objects):
            given, parents = self._objects[key], self._parents.get(key, {})
            origins = {
                parent: EdgeOrigin(self._origin_of(parent), confidence)
                for parent, confidence in sorted(parents.items())
            }
            columns = self._columns.get(key, {})
            name = given.name or key
            yield NodeMetadata(
                unique_id=key,
                name=name,
                resource_type=given.object_type,
                package_name=project_name,
                fqn=(project_name, name),
                columns=tuple(Column(name=one, type=kind) for one, kind in columns.items()),
                columns_from="manifest" if columns else None,
                parents=tuple(origins),
                edge_origins=origins,
                # A graph with an equal id gets the column lineage and the origins of the stored one.
                checksum=_digest((sorted(parents.items()), analyses.get(key))),
            )

    def analyses(self) -> Iterator[tuple[str, NodeColumns]]:
        """Yield the column lineage of each object that has some."""
        found: dict[str, dict[str, dict[tuple[str, str], SyncedDerivation]]] = {}
        for given in self._request.column_lineage:
            target, source = self._column(given.target), self._column(given.source)
            if target is None or source is None:
                unknown = given.target if target is None else given.source
                self._conflict("column lineage", f"{given.target} ← {given.source}", _unknown(unknown))
                continue
            of_column = found.setdefault(target[0], {}).setdefault(target[1], {})
            known = of_column.get(source)
            if known is None or known.confidence < given.confidence:
                of_column[source] = given
        for key in sorted(found):
            outputs = (_output(name, found[key][name]) for name in sorted(found[key]))
            yield key, NodeColumns(tier=Tier.SILVER, outputs=tuple(outputs))

    def _read_objects(self) -> None:
        for position, given in enumerate(self._request.objects):
            key = given.id or given.name
            if key is None:
                raise UsageError(
                    f"Invalid request: objects[{position}] has neither an id nor a name",
                    hint="/api/docs describes the request",
                )
            known = self._objects.setdefault(key, given)
            if (known.name or key, known.object_type) != (given.name or key, given.object_type):
                self._conflict("object", key, "Another object of the sync has this id")
        for key, given in self._objects.items():
            name = given.name or key
            self._by_name.setdefault(name, set()).add(key)
            for folded in (name.casefold(), key.casefold()):
                self._by_folded.setdefault(folded, set()).add(key)

    def _read_columns(self) -> None:
        for given in self._request.objects:
            key = given.id or given.name or ""
            for one in given.columns:
                self._add_column(key, one.id, one.name, one.data_type)
        for column in self._request.columns:
            reference = column.object_id or column.object
            if reference is None and column.id is not None:
                reference = column.id.removesuffix(f".{column.name}")
            found = self._object(reference or "")
            if found is None:
                self._conflict("column", column.id or column.name, _unknown(reference or ""))
            else:
                self._add_column(found, column.id, column.name, column.data_type)

    def _add_column(self, key: str, column_id: str | None, name: str, data_type: str | None) -> None:
        known = self._columns.setdefault(key, {})
        if known.get(name) is None:
            known[name] = data_type
        elif data_type is not None and known[name] != data_type:
            self._conflict("column", column_id or f"{key}.{name}", "The column has another type in the sync")
        self._spelled.setdefault(key, {}).setdefault(name.casefold(), name)
        if column_id is not None:
            self._column_ids.setdefault(column_id, (key, name))

    def _read_dependencies(self) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        for given in self._request.dependencies:
            source, target = self._object(given.source), self._object(given.target)
            edge = f"{given.source} → {given.target}"
            if source is None or target is None:
                self._conflict("dependency", edge, _unknown(given.source if source is None else given.target))
            elif source == target:
                self._conflict("dependency", edge, "An object cannot depend on itself")
            else:
                parents = found.setdefault(source, {})
                parents[target] = max(parents.get(target, 0.0), given.confidence)
        return found

    def _object(self, reference: str) -> str | None:
        """Return the id of the object *reference*, an id or a name; None if no or several objects have it."""
        if reference in self._objects:
            return reference
        found = self._by_name.get(reference) or self._by_folded.get(reference.casefold()) or set()
        return next(iter(found)) if len(found) == 1 else None

    def _column(self, reference: str) -> tuple[str, str] | None:
        """Return the object and the name of the column *reference*."""
        if reference in self._column_ids:
            return self._column_ids[reference]
        parts = reference.rsplit(".", _MOST_SPLITS)
        for end in range(len(parts) - 1, 0, -1):
            found, name = self._object(".".join(parts[:end])), ".".join(parts[end:])
            if found is not None and name:
                known = self._columns.get(found, {})
                is_known = name in known
                return found, name if is_known else self._spelled.get(found, {}).get(name.casefold(), name)
        return None

    def _origin_of(self, parent: str) -> str:
        return "source" if self._objects[parent].object_type == "source" else "ref"

    def _conflict(self, kind: str, item: str, reason: str) -> None:
        self.conflicts.append(IdeConflict(kind=kind, id=item[:_LONGEST], reason=reason))


def _unknown(reference: str) -> str:
    return f"No object of the sync is meant by {quoted(reference)}, or several are"


def _output(name: str, given: Mapping[tuple[str, str], SyncedDerivation]) -> ColumnOutput:
    """Return the output column *name* with its sources."""
    sources = tuple(
        ColumnSource(parent, column, one.confidence) for (parent, column), one in sorted(given.items())
    )
    texts = [
        one.transformation
        for (_, column), one in sorted(given.items())
        if one.transformation and one.transformation != column
    ]
    if texts:
        return ColumnOutput(name, Kind.DERIVED, _cut(texts), sources)
    is_same = {source.column.casefold() for source in sources} == {name.casefold()}
    return ColumnOutput(name, Kind.PASSTHROUGH if is_same else Kind.RENAMED, None, sources)


def _cut(texts: Sequence[str]) -> str:
    """Return the first of *texts*, cut to the length of stored expressions."""
    text = texts[0].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if len(text) <= MOST_EXPRESSION else f"{text[: MOST_EXPRESSION - 1]}…"
