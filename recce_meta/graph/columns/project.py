"""Column lineage of a whole project: every node's query once, parents before their children.

What a node's columns are made of depends on its SQL, its dialect and its parents' columns, and on nothing
else: these are hashed into its lineage id, and a node whose id is known already is not looked at again.
Relations are replaced by tokens first (`models/tokens.py`), so that ids do not depend on the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from itertools import chain

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.graph.columns.project_dialects import dialect_of
from recce_meta.graph.columns.project_engine import Failure, Query, analysed, attempt
from recce_meta.graph.columns.project_order import parents_first
from recce_meta.graph.columns.project_results import (
    EVERYTHING,
    Reading,
    Spelling,
    as_read_by_a_test,
    node_columns,
    spelt,
)
from recce_meta.graph.columns.project_snapshots import SETTINGS, added_names, named_columns, snapshot_columns
from recce_meta.graph.columns.project_tests import ArgumentReads, read_by_arguments, uses_of
from recce_meta.graph.columns.project_tokens import ProjectNames, QueryNames
from recce_meta.models.column_lineage import (
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    Kind,
    KnownColumns,
    NodeColumns,
    Tier,
    lineage_id_of,
)
from recce_meta.models.kinds import TABLES, VIEWS
from recce_meta.models.node import Json, NodeMetadata
from recce_meta.models.run import Project

ANALYSIS_VERSION = 7
"""Goes up with every change of the analysis that changes its answers: all is then computed anew."""
SECONDS = 10.0
"""How long the query of one node may take, unless told otherwise."""

QUERIES = frozenset(["model", "snapshot", "analysis"]) | VIEWS
"""Resource types with a query that has output columns."""
OUTSIDE = frozenset(["source", "seed"]) | TABLES
"""Resource types whose columns come from outside the project."""

PYTHON = "a Python model: its columns cannot be traced"
NOT_COMPILED = {
    Tier.GOLD: "not compiled: run dbt compile or build",
    Tier.SILVER: "its SQL could not be written without dbt",
    Tier.BRONZE: "no query fills it",
}
"""Why there is no SQL to analyse."""
HIDDEN = "its SQL is not shown to the user who scanned"
EMPTY = "its compiled SQL is empty"
UNDOCUMENTED = "neither a catalog nor documentation names its columns"

WITHOUT_QUERY = frozenset({PYTHON, HIDDEN, EMPTY, UNDOCUMENTED, *NOT_COMPILED.values()})
"""Reasons for which a node has no SQL to analyse; by any other its SQL is not understood."""

_TIERS = {"dbt-sql": Tier.SILVER, "sql": Tier.BRONZE}
_CERTAINTY = {Tier.GOLD: 1.0, Tier.SILVER: 0.9, Tier.BRONZE: 0.8}
_UNKNOWN_DIALECT = 0.9
"""How sure an edge is in SQL of a dialect that had to be read as the standard's."""
NOT_LISTED = 0.9
"""How sure it is that a test reads a column which the tested node is not known to have."""
_NAMED = 3
"""Nodes that a warning about many of them names."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def analyse_project(
    project: Project, known: KnownColumns | None = None, *, timeout: float | None = SECONDS
) -> ColumnGraph:
    """The column lineage of *project*, but for what is *known* already.

    The query of one node may take *timeout* seconds. A node that cannot be analysed costs its own column
    edges, and one warning; it never raises. Metrics, exposures and the like have no columns and are left out.
    """
    work = _Analysis(project, known or {}, timeout)
    order, circles = parents_first(
        {node.unique_id: node.parents for node in project.nodes if node.resource_type in _ANALYSED}
    )
    for unique_id in order:
        if failure := attempt(partial(work.add, unique_id)):
            work.fail(unique_id, failure.reason)
    return ColumnGraph(
        lineage_ids=work.lineage_ids,
        analyses=work.analyses,
        warnings=(*map(_circle, circles), *work.warnings()),
    )


_ANALYSED = QUERIES | OUTSIDE | {"test"}


class Columns(Struct, frozen=True):
    """What is known of the columns that a node offers to its readers."""

    names: tuple[str, ...] | None
    """All of them, in order; None where they are not known."""
    types: Mapping[str, str]
    """Types by name, in the order of the names; with `*` among the names where there may be others."""
    documented: tuple[str, ...]
    """Columns that are there, though maybe not all, where `names` is None."""
    digest: str


class _Analysis:
    """One pass over a project's nodes."""

    def __init__(self, project: Project, known: KnownColumns, timeout: float | None) -> None:
        dialect = dialect_of(project.run.adapter_type)
        self.tier = _TIERS.get(project.run.extractor, Tier.GOLD)
        self.dialect = dialect or ""
        self.certainty = _CERTAINTY[self.tier] * (1.0 if dialect else _UNKNOWN_DIALECT)
        self.timeout = timeout
        self.known = known
        self.nodes = {node.unique_id: node for node in project.nodes}
        self.names = ProjectNames(project.nodes, self.dialect)
        self.lineage_ids: dict[str, str] = {}
        self.analyses: dict[str, NodeColumns] = {}
        self._columns: dict[str, Columns] = {}
        self._spellings: dict[str, Spelling] = {}
        self._not_compiled: list[str] = []
        self._failed: list[str] = []
        self._is_late = False
        """Whether the last query that was analysed took too long."""

    def add(self, unique_id: str) -> None:
        """Analyse one node, all of whose parents were there before."""
        node = self.nodes[unique_id]
        if node.resource_type in OUTSIDE:
            self._keep(node, self._id("outside", _names(node)), lambda: self._outside(node))
        elif node.resource_type == "test":
            self._add_test(node)
        elif node.language == "python":
            self._give_up(node, PYTHON)
        elif node.compiled_code is not None and not node.compiled_code.strip():
            self.fail(unique_id, EMPTY)
        elif not node.compiled_code and node.resource_type in VIEWS:
            self._give_up(node, HIDDEN)  # the scan has told of it
        elif not node.compiled_code:
            self._not_compiled.append(unique_id)
            self._give_up(node, NOT_COMPILED[self.tier])
        else:
            self._add_query(node)

    def fail(self, unique_id: str, reason: str) -> None:
        """Note that what is known of a node could not even be looked at."""
        self._warn(unique_id, reason)
        self._give_up(self.nodes[unique_id], reason)

    def warnings(self) -> Iterable[str]:
        """What could not be analysed now."""
        yield from self._failed
        if self.tier is not Tier.GOLD:
            return  # whoever read the files has said which could not be read
        if len(self._not_compiled) == 1:
            yield f"Columns of {self._not_compiled[0]} are not traced: {NOT_COMPILED[self.tier]}"
        elif self._not_compiled:
            some = ", ".join(self._not_compiled[:_NAMED])
            more = ", …" if len(self._not_compiled) > _NAMED else ""
            count = f"{len(self._not_compiled):,} nodes"
            yield f"Columns of {count} are not traced ({some}{more}): {NOT_COMPILED[self.tier]}"

    def _outside(self, node: NodeMetadata) -> NodeColumns:
        outputs = tuple(ColumnOutput(name, Kind.SOURCE) for name in _names(node))
        return NodeColumns(tier=self.tier, outputs=outputs, reason=None if outputs else UNDOCUMENTED)

    def _add_query(self, node: NodeMetadata) -> None:
        names = self.names.of(node)
        own = _names(node) if node.columns_from == "catalog" or node.contract else None
        settings = [node.config.get(name) for name in SETTINGS] if node.resource_type == "snapshot" else None
        lineage_id = self._query_id(names, own, settings or bool(node.contract))

        if settings is None:
            self._keep(node, lineage_id, lambda: self._model(node, names, own))
        else:
            self._keep(node, lineage_id, lambda: self._snapshot(node, names, own))

    def _snapshot(self, node: NodeMetadata, names: QueryNames, own: tuple[str, ...] | None) -> NodeColumns:
        dbts = added_names(node)
        columns = self._analysed(names, own and tuple(name for name in own if name.lower() not in dbts))
        spelling = Spelling(own or ())
        added = snapshot_columns(node, columns.outputs) if columns.outputs else ()
        spelt = tuple(replace(output, name=spelling.of(output.name)) for output in added)
        named = named_columns(node, columns.outputs)
        return _naming(replace(columns, outputs=columns.outputs + spelt), named)

    def _model(self, node: NodeMetadata, names: QueryNames, own: tuple[str, ...] | None) -> NodeColumns:
        """Return the columns of a query; a contract names all of them, those that a `*` yields too."""
        columns = self._analysed(names, own)
        if not node.contract:
            return columns
        return _naming(columns, (source for output in columns.outputs for source in output.sources))

    def _add_test(self, node: NodeMetadata) -> None:
        reads = read_by_arguments(node)
        compiled = (node.compiled_code or "").strip()
        if reads.whole or (reads.columns and not compiled):
            self._keep(node, self._arguments_id(reads), lambda: self._by_arguments(reads))
        elif not compiled:
            self._give_up(node, NOT_COMPILED[self.tier])
        else:
            names = self.names.of(node)
            lineage_id = self._query_id(names, None, "test")
            self._keep(node, lineage_id, lambda: as_read_by_a_test(self._analysed(names, None)))

    def _by_arguments(self, reads: ArgumentReads) -> NodeColumns:
        uses = []
        for use in uses_of(reads, self.certainty):
            spelling = self._spelling(use.parent)
            if spelling is None or use.column not in spelling:
                use = replace(use, confidence=round(use.confidence * NOT_LISTED, 2))
            uses.append(replace(use, column=spelt(use.column, spelling, self.dialect)))
        named = sorted(ColumnSource(use.parent, use.column, use.confidence) for use in uses)
        return NodeColumns(tier=self.tier, uses=tuple(sorted(uses)), references=tuple(named))

    def _analysed(self, names: QueryNames, own: tuple[str, ...] | None) -> NodeColumns:
        schemas: dict[str, Mapping[str, str]] = {}
        for unique_id, keys in names.keys().items():
            columns = self.columns_of(unique_id)
            if columns.names is not None or columns.documented:
                schemas.update(dict.fromkeys(keys, columns.types))
        is_script = self.tier is Tier.BRONZE
        found = analysed(Query(names.sql, self.dialect, schemas, is_script), self.timeout)
        if isinstance(found, Failure):
            self._is_late = found.is_late
            return NodeColumns(tier=self.tier, reason=names.readable(found.reason))
        reading = Reading(
            names=names,
            spelling_of=self._spelling,
            dialect=self.dialect,
            tier=self.tier,
            certainty=self.certainty,
            own=own,
        )
        return node_columns(found, reading)

    def _keep(self, node: NodeMetadata, lineage_id: str, compute: Callable[[], NodeColumns]) -> None:
        """Note *node* under *lineage_id*; what is not known under it is computed."""
        late_id = self._id("late", lineage_id, self.timeout)
        if late_id in self.known or late_id in self.analyses:
            lineage_id = late_id  # that it takes longer than this is known: only more time is worth a try
        if lineage_id not in self.known:
            found = self.analyses.get(lineage_id)
            if found is None:
                self._is_late = False
                found = compute()
                lineage_id = late_id if self._is_late else lineage_id
                self.analyses[lineage_id] = found
            if found.reason is not None and node.resource_type not in OUTSIDE:
                self._warn(node.unique_id, found.reason)
            inferred = found.names
        else:
            inferred = tuple(self.known[lineage_id])
        self.lineage_ids[node.unique_id] = lineage_id
        if node.resource_type in QUERIES:
            self._columns[node.unique_id] = offered_columns(node, inferred)
            self._spellings.pop(node.unique_id, None)  # a node that reads itself was asked for before

    def _give_up(self, node: NodeMetadata, reason: str) -> None:
        """Note that *node* has no column edges, which is no surprise."""
        lineage_id = self._id("reason", reason)
        self.lineage_ids[node.unique_id] = lineage_id
        if lineage_id not in self.known:
            self.analyses[lineage_id] = NodeColumns(tier=self.tier, reason=reason)

    def _warn(self, unique_id: str, reason: str) -> None:
        self._failed.append(f"Columns of {unique_id} are not traced: {reason}")

    def columns_of(self, unique_id: str) -> Columns:
        """What is known of a parent's columns; of one that was not reached yet, what the warehouse says."""
        found = self._columns.get(unique_id)
        if found is None:
            node = self.nodes.get(unique_id)
            found = NOTHING_KNOWN if node is None else offered_columns(node, ())
            self._columns[unique_id] = found
        return found

    def _spelling(self, unique_id: str) -> Spelling | None:
        found = self._spellings.get(unique_id)
        if found is None:
            columns = self.columns_of(unique_id)
            names = columns.names or columns.documented
            if not names:
                return None
            found = self._spellings[unique_id] = Spelling(names)
        return found

    def _query_id(self, names: QueryNames, own: tuple[str, ...] | None, settings: Json) -> str:
        parents = [
            (unique_id, self.columns_of(unique_id).digest, unique_id in names.hard_coded)
            for unique_id in names.read
        ]
        return self._id("query", names.tokenised, own, settings, parents)

    def _arguments_id(self, reads: ArgumentReads) -> str:
        parents = sorted({parent for parent, _ in reads.columns})
        return self._id("test", reads.columns, [(p, self.columns_of(p).digest) for p in parents])

    def _id(self, *content: object) -> str:
        digest = _digest((ANALYSIS_VERSION, self.dialect, self.certainty, self.tier, *content))
        return lineage_id_of(ANALYSIS_VERSION, digest)


def _naming(columns: NodeColumns, sources: Iterable[ColumnSource]) -> NodeColumns:
    """Return *columns*, whose references have *sources* among them."""
    known = {(source.parent, source.column) for source in columns.references}
    more = {source for source in sources if (source.parent, source.column) not in known}
    return replace(columns, references=tuple(sorted((*columns.references, *more)))) if more else columns


def _names(node: NodeMetadata) -> tuple[str, ...]:
    return tuple(column.name for column in node.columns)


def offered_columns(node: NodeMetadata, inferred: tuple[str, ...]) -> Columns:
    """The columns that readers of *node* find, when its own query has the columns *inferred*.

    The catalog's; those that the query has besides are newer than the catalog. Without a catalog, the
    query's, or those that a contract promises. Documentation alone need not be complete.
    """
    complete = () if EVERYTHING in inferred else tuple(dict.fromkeys(inferred))
    types = {column.name: column.type or "" for column in node.columns}
    if node.columns_from == "catalog":
        known = {name.lower() for name in types}
        names = (*types, *(name for name in complete if name.lower() not in known))
    elif complete:
        names = complete
    elif node.contract:
        names = tuple(types)
    else:
        documented = tuple(dict.fromkeys(chain(types, (name for name in inferred if name != EVERYTHING))))
        some = {name: types.get(name, "") for name in (*documented, EVERYTHING)}
        return Columns(None, some, documented, _digest((None, *documented)))
    return Columns(names, {name: types.get(name, "") for name in names}, (), _digest(names))


def _digest(content: object) -> str:
    return sha256(_encode(content)).hexdigest()[:32]


NOTHING_KNOWN = Columns(None, {}, (), _digest((None,)))


def _circle(ids: tuple[str, ...]) -> str:
    return f"Nodes read each other in a circle, so the columns of one were not known: {', '.join(ids)}"
