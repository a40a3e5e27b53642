"""Effects of the changes of a diff: what they break and affect, by the rules of `recce_meta.diff`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from msgspec.structs import replace as with_fields

from recce_meta import sql_diff
from recce_meta.api import view_hooks
from recce_meta.api.partial_run import filled, lacks_sql
from recce_meta.api.project_queries import ParentColumns, ProjectQueries, called_names
from recce_meta.api.run_reader import RunReader
from recce_meta.diff.breaking import SQL_BUILT, categorise, readers_of_ephemeral
from recce_meta.diff.materializations import COMPUTED_WHEN_READ, REBUILT, keeps_rows, reached_outcome
from recce_meta.diff.project_side import MOST_NAMES, ProjectSide
from recce_meta.diff.unseen_values import WITHOUT_COLUMNS, WITHOUT_REFERENCES, built_sources_note
from recce_meta.diff.variant_effects import CompareSql
from recce_meta.errors import first_of
from recce_meta.graph import LineageGraph, build_lineage_graph, cycles_of, failing_with, is_ephemeral
from recce_meta.lazy import LazyModule
from recce_meta.models import Change, LineageEdge, NodeMetadata, Reason, Status
from recce_meta.models.change import (
    BUILD_FAILS,
    BUILD_MAY_FAIL,
    CERTAIN,
    SEVERITY,
    Category,
    ColumnChange,
    Reach,
    SqlChange,
    TableFacts,
)
from recce_meta.models.node import GUESS
from recce_meta.models.node_types import WITH_QUERY
from recce_meta.models.relation_tokens import CLOSING, OPENING, resolve, token_ids
from recce_meta.models.run import DBT
from recce_meta.provisional import note_provisional
from recce_meta.sql_lineage.names import RenamedColumns, Schemas
from recce_meta.sql_lineage.project.columns import SECONDS
from recce_meta.sql_lineage.project.names import (
    QueryNames,
    RelationFinder,
    dialect_of,
    last_part,
    may_read_by_place,
    parent_name,
    parseable_sql,
    schemas_key,
    without_quotes,
)
from recce_meta.sql_lineage.project.semantics import DEFINITIONS, SEMANTIC_MODEL, is_semantic
from recce_meta.sql_lineage.propagation import (
    LOST_FIELD,
    NAMES_GONE,
    AffectedNode,
    LineageSource,
    ParentRead,
    Start,
    propagate,
)
from recce_meta.warehouses.builds import Outcome, incremental_words
from recce_meta.warehouses.hooks import OPERATION, hooks_and_macros

if TYPE_CHECKING:
    from recce_meta.diff import facts
else:
    # Few edits depend on facts.
    facts = LazyModule("recce_meta.diff.facts")


Renames = Mapping[str, Mapping[str, str]]
"""New names of the columns that a node has renamed without another value, by unique id."""
BREAKING = SqlChange(category=Category.BREAKING)
_UNKNOWN = SqlChange(category=Category.UNKNOWN)

_INSERT = re.compile(
    r"\s* insert \s+ (?:into|overwrite) (?:\s+table)? \s+ [^\s(]+ \s* \(? \s* (?:select|with)\b",
    re.IGNORECASE | re.VERBOSE,
)
"""An INSERT without a list of columns."""

_HARMLESS = (Category.NONE, Category.NON_BREAKING)
_BY_REACH = {
    Reach.ROWS: Category.BREAKING,
    Reach.UNKNOWN: Category.UNKNOWN,
    Reach.COLUMNS: Category.PARTIAL_BREAKING,
}
"""Category of a change for a reader, by what it reaches there."""
_EFFECT_ON_READERS = {
    Category.BREAKING: "changes the rows of",
    Category.UNKNOWN: "has an unknown effect on",
    Category.PARTIAL_BREAKING: "changes columns of",
}

MOST_NEW = 200
"""Maximum number of nodes whose SQL is checked for names that nothing has; 5,000 take minutes."""
_FOLLOWING = WITH_QUERY | {"seed", "source", "test"}  # also without an edge of dbt


def _has_hooks(side: ProjectSide, unique_id: str) -> bool:
    node = side.nodes.get(unique_id)
    return node is not None and bool(hooks_and_macros(node, side.macros))


class _UndeclaredReads:
    """Reads and writes of nodes without an edge of dbt."""

    def __init__(
        self,
        sides: tuple[ProjectSide, ProjectSide],
        runs: tuple[RunReader, RunReader],
        changed: frozenset[str],
        gone: frozenset[str],
    ) -> None:
        self._sides, self._runs, self._changed, self._gone = sides, runs, changed, gone
        self.direct: dict[str, set[str]] = {}
        """Nodes that read or follow each node."""

    def with_direct(self, graph: LineageGraph) -> LineageGraph:
        """Return *graph* with nodes that read others, or whose rows others write, without an edge of dbt."""
        runs = [run for run in reversed(self._runs) if run.has_columns]
        # A reader whose read was removed has changed itself, unlike the table that a removed hook wrote.
        is_lost = bool(self._gone) or any(_has_hooks(self._sides[0], one) for one in self._changed)
        runs = runs if is_lost else runs[:1]
        is_inlined = partial(is_ephemeral, nodes=self._runs[1].names)
        asked, wanted = set[str](), graph.downstream(self._changed)
        while runs and wanted:
            found = [
                (child, parent)
                for run in runs
                for child, parent in run.column_readers(wanted)
                if child != parent and child.split(".", 1)[0] in _FOLLOWING and not is_inlined(parent)
            ]
            new = {child for child, parent in found if parent not in graph.parents(child)}
            # The parents of an ephemeral model are read through it.
            new = {child for child in new if not any(map(is_inlined, graph.parents(child)))}
            found = [each for each in found if each[0] in new]
            for child, parent in found:
                self.direct.setdefault(parent, set()).add(child)
            graph = _joined(graph, found)
            asked |= wanted
            wanted = graph.downstream(new) - asked
        return graph

    def with_semantic(self, graph: LineageGraph) -> LineageGraph:
        """Return *graph* with the semantic models that filters and groups join, and with time spines."""
        definitions = [one for one in graph.parents_of if one.split(".", 1)[0] in DEFINITIONS]
        if not definitions:
            return graph
        changed = (side.nodes.get(one) for side in self._sides for one in self._changed)
        is_read = any(node is not None and is_semantic(node) for node in changed) or any(
            one.startswith(f"{SEMANTIC_MODEL}.") for one in graph.downstream(self._changed)
        )
        return self.with_columns(graph, definitions) if is_read else graph

    def with_columns(self, graph: LineageGraph, readers: Collection[str]) -> LineageGraph:
        """Return *graph* with the nodes whose columns *readers* read without an edge of dbt."""
        runs = (run for run in self._runs if run.has_columns)
        reads = (edge for run in runs for edge in run.column_parents(readers))
        return _joined(graph, ((edge.node_id, edge.parent_id) for edge in reads))

    def of_gone(self, graph: LineageGraph, side: ProjectSide) -> Iterable[Start]:
        """Yield the nodes that name relations which are gone, directly or as sources."""
        base, current = self._runs
        nodes = {one: node for one in self._gone if (node := side.nodes.get(one)) is not None}
        words = {one: node.identifier.lower() for one, node in nodes.items() if node.identifier}
        if not words or not base.has_columns:
            return
        found = set(base.column_readers(words))
        left = set(current.column_readers(words)) if current.has_columns else set()
        texts = base.tokenised({child for child, _ in found - left})
        for child, parent in sorted(found - left):
            # A hook of the parent may write the child, which does not name it.
            if child.startswith("source."):
                readers = graph.children(child)
            elif child in self.direct.get(parent, ()) and words[parent] in texts.get(child, "").lower():
                readers = (child,)
            else:
                readers = ()
            for reader in (one for one in readers if one in current.names):
                yield Start(reader, BREAKING, parent, 1, NAMES_GONE)
        yield from _references_to_gone(nodes, self._runs, graph, self.direct)

    def is_new_writer(self, change: Change, side: ProjectSide) -> bool:
        """Return True if a new node or its hooks, or an operation or test that has changed, write others."""
        if change.unique_id not in self.direct or change.status is Status.UNCHANGED:
            return False
        is_built = any(child.startswith("source.") for child in self.direct[change.unique_id])
        is_new = change.status is Status.ADDED and (is_built or _has_hooks(side, change.unique_id))
        return is_new or change.resource_type == OPERATION or (is_built and change.resource_type == "test")


class _Readings:
    """How the SQL of current reads its parents."""

    def __init__(self, run: RunReader, queries: ProjectQueries) -> None:
        self._run, self._queries = run, queries

    def of_edges(self, edges: Mapping[LineageEdge, Collection[str]]) -> dict[LineageEdge, ParentRead]:
        """Return how SQL reads its parents, which have new columns, if it can be analysed."""
        texts = self._run.tokenised({edge.node_id for edge in edges})
        by_place = {child for child, sql in texts.items() if may_read_by_place(sql)}
        lower = {child: sql.lower() for child, sql in texts.items()}
        asked = [
            edge
            for edge, added in edges.items()
            if edge.node_id in by_place
            or any(word in lower.get(edge.node_id, "") for word in map(str.lower, added))
        ]
        found = {edge: ParentRead() for edge in edges if edge.node_id in texts}
        self._run.with_parents({edge.node_id for edge in asked})
        for edge in asked:
            names, queries = self._queries.resolved(1, edge.node_id)
            if not (called := called_names(names, names.relations).get(edge.parent_id)) or not queries:
                del found[edge]
                continue
            is_placed = any(sql_diff.reads_by_position(query, name) for query in queries for name in called)
            whole = any(sql_diff.reads_star(query, name) for query in queries for name in called)
            filled = whole and _INSERT.search(names.tokenised) is not None
            fault = self._queries.new_fault(edge.node_id)
            found[edge] = ParentRead(is_placed or filled, whole, fault.text, fault.is_certain)
        return found

    def lost_field(self, child: str, fields: Collection[str], bare: bool) -> ParentRead:
        """Return how *child* reads a struct without *fields*, which it may name also if not *bare*."""
        sql = self._run.tokenised([child]).get(child, "")
        start = r"\b" if bare else r"""[.'"`\[]\s*"""
        named = [one for one in fields if re.search(rf"(?i){start}{re.escape(one)}\b(?!{CLOSING})", sql)]
        if not named:
            return ParentRead()
        fault = self._queries.new_fault(child)
        text = fault.text if fault.is_certain else LOST_FIELD.format(min(named))
        return ParentRead(fault=text, is_certain=fault.is_certain)

    def namers(self, parent: str, children: Collection[str]) -> list[str]:
        """Return those of *children* whose SQL names *parent*."""
        texts, token = self._run.tokenised(children), f"{OPENING}{parent}{CLOSING}"
        return [child for child, sql in texts.items() if token in sql]


class Effects:
    """Determines what the changes between two runs break and which nodes they affect."""

    def __init__(
        self,
        sides: tuple[ProjectSide, ProjectSide],
        runs: tuple[RunReader, RunReader],
        graph: LineageGraph,
        changed: Iterable[str],
        gone: Collection[str] = (),
        not_built: Collection[str] = (),
    ) -> None:
        """Create the effects; *changed* are all changed nodes, including any left out of `of`.

        The relations of the nodes *gone* are no longer where they were. dbt could not build those of
        *not_built* in current.
        """
        self._not_built = not_built
        self._sides, self._runs = sides, runs
        self._dialect = dialect_of(sides[1].adapter or sides[0].adapter) or ""
        self._changed = frozenset(changed)
        left = frozenset(gone) - sides[0].heirs.keys()
        self._reads = _UndeclaredReads(sides, runs, self._changed, left)
        self.graph = self._reads.with_semantic(self._reads.with_direct(graph))
        """The lineage of both sides, and what metrics and saved queries read without an edge of dbt."""
        self._columns = ParentColumns(runs, graph, self._changed)
        self._queries = ProjectQueries(
            sides, runs, self._columns, self.graph, self._changed, self._keeps_columns
        )
        self._readings = _Readings(runs[1], self._queries)
        self._compared: dict[str, SqlChange] = {}
        self._by_text: dict[str, SqlChange] = {}
        self._renames: dict[str, Renames] = {}
        self._read_first: frozenset[str] = frozenset()
        """Changed nodes of which all that comparing SQL needs was read at once."""
        self._loses_columns = False

    def of(self, changes: Mapping[str, Change]) -> tuple[dict[str, Change], dict[str, AffectedNode]]:
        """Return *changes* with categories, and the affected nodes; nodes of both sides must have code."""
        compared = _compared_ids(changes.values())
        self._read_ahead(compared)
        self._fill_sides([*compared, *self._readers_of_ephemeral(compared)])
        self._add_views_above(changes.values())
        judged, effects, moved, elsewhere = categorise(changes, *self._sides, self._compare)
        # What certainly fails replaces what may fail.
        refused = self._refused(judged)
        judged |= refused
        _add_unbuilt(judged, effects, self._not_built)
        writers = [one for one in judged.values() if self._reads.is_new_writer(one, self._sides[1])]
        judged |= {one.unique_id: view_hooks.as_writer(one, self._sides[1]) for one in writers}
        broken = [one for one in refused.values() if one.category is Category.BREAKING]
        effects |= {one.unique_id: BREAKING for one in broken if one.status is Status.MODIFIED}
        starts = [Start(unique_id, effect, unique_id) for unique_id, effect in effects.items()]
        through = readers_of_ephemeral(judged, *self._sides, self.graph, self._compare)
        starts += [
            Start(reader, effect, origin, distance) for reader, (origin, distance, effect) in through.items()
        ]
        starts += [
            # A new hook writes rows of tables that were there before.
            Start(child, _UNKNOWN, change.unique_id, 1)
            for change in writers
            for child in sorted(self._reads.direct[change.unique_id])
        ]
        self.graph = _joined(self.graph, ((one, macro) for one, (macro, _) in elsewhere.items()))
        starts += [Start(one, effect, macro, 1) for one, (macro, effect) in elsewhere.items()]
        # An exposure reads the relation by its name, outside of dbt.
        exposed = [(one, child) for one in moved for child in self.graph.children(one)]
        starts += [Start(one, BREAKING, parent, 1) for parent, one in exposed if one.startswith("exposure.")]
        starts += self._reads.of_gone(self.graph, self._sides[0])
        starts += _readers_by_time(changes, self.graph, self._runs[1])
        on_views = [*view_hooks.of_others(judged, self._sides[1], self._runs[1])]
        self.graph = _joined(self.graph, ((one.unique_id, one.origin) for one in on_views))
        starts += on_views
        (base, current), bound = self._runs, self._queries.bound_faults()
        changed = {column.status for start in starts for column in start.effect.columns}
        is_kept = any(start.effect.retyped for start in starts) or Status.ADDED in changed
        # A table that keeps rows may lack an added column.
        self._loses_columns = Status.REMOVED in changed or (is_kept and bool(self._accumulating))
        readers = LineageSource(
            current.columns,
            base.columns,
            self._readings.of_edges,
            self._readings.namers,
            is_blind=not current.has_columns,
            # Only the loss of a column affects references.
            has_references=not self._loses_columns or current.has_references,
            existing=self._existing_rows,
            failing_with=self._failing_with,
            is_inlined=partial(is_ephemeral, nodes=current.names),
            lost_field=self._readings.lost_field,
            names_rows=self._queries.names_rows,
            renames=self._renames,
            with_assumed=(base.run.extractor == DBT, current.run.extractor == DBT),
        )
        reached = propagate(starts, self._with_inputs() if self._loses_columns else self.graph, readers)
        _add_faults(reached, judged, bound, self.graph.impact(self._changed))
        return _with_effects_on_readers(judged, reached, current.names)

    def _refused(self, judged: Mapping[str, Change]) -> dict[str, Change]:
        """Return the nodes that cannot be built, or may not be, for another reason than a compared query."""
        on_views = view_hooks.refused(judged, self._sides)
        changes = {**judged, **on_views}.values()
        found = {one.unique_id: one for one in changes if _may_be_refused(one, self._sides[1].nodes)}
        # Models and snapshots before tests. Disabled nodes have no names.
        asked = {one: found[one] for one in sorted(found)[:MOST_NEW] if one in self._runs[1].names}
        self._queries.read_ahead(1, asked)
        bound = self._queries.bound_faults()
        edited = bound.keys() & self._changed
        asked |= {one.unique_id: one for one in changes if one.unique_id in edited and not _is_said(one)}
        faults = {one: self._queries.new_fault(one) for one in asked}
        new = {one: fault for one, fault in faults.items() if fault.is_certain or fault == bound.get(one)}
        refused = {one: _with_fault(asked[one], fault) for one, fault in new.items()}
        return on_views | refused | _in_cycles(changes, self._runs[1], self._current_graph)

    def notes(self) -> Iterable[str]:
        """Yield notes on effects that could not be determined, and why."""
        yield from self._queries.not_bound
        for run, side in zip(self._runs, ("base", "current"), strict=True):
            if run.lacks_columns:
                yield WITHOUT_COLUMNS.format(side)
            elif self._loses_columns and run.has_columns and not run.has_references:
                yield WITHOUT_REFERENCES.format(side)
        if self._runs[1].has_columns:
            below = {one: {*self.graph.children(one)} for one in self.graph.downstream(self._changed)}
            yield from built_sources_note(self._runs[1].names, below)

    def _read_ahead(self, ids: Collection[str]) -> None:
        """Prefetch what comparing the SQL of *ids* needs."""
        for run in self._runs if ids else ():
            run.with_parents(ids)
        if ids and all(run.has_columns for run in self._runs):
            self._read_first = frozenset(ids)
            for index in (0, 1):
                self._columns.of(index, ids)
                self._queries.read_ahead(index, ids)

    def _readers_of_ephemeral(self, ids: Iterable[str]) -> set[str]:
        """Return the nodes that inline an ephemeral model of *ids*, whose SQL changes without an edit."""
        is_inlined = partial(is_ephemeral, nodes=self._sides[1].nodes)
        return set(self.graph.downstream(filter(is_inlined, ids), through=is_inlined))

    def _add_views_above(self, changes: Iterable[Change]) -> None:
        """Add the views that nodes with another materialization read: they may compute it at each read."""
        waiting = {
            change.unique_id
            for change in changes
            if any(detail.key == "materialized" for detail in change.details)
        }
        found: dict[str, NodeMetadata] = {}
        seen: set[str] = set()
        side = self._sides[1]
        while waiting:
            above = {
                parent
                for unique_id in waiting
                for parent in self.graph.parents(unique_id)
                if parent.startswith("model.") and parent not in seen
            }
            seen |= above
            new = self._runs[1].nodes(above - side.nodes.keys())
            found.update(new)
            known = {**new, **{one: side.nodes[one] for one in above if one in side.nodes}}
            waiting = {one for one, node in known.items() if node.materialized in COMPUTED_WHEN_READ}
        if found:
            self._sides = (self._sides[0], replace(side, nodes={**side.nodes, **found}))

    def _existing_rows(self, unique_id: str, column: ColumnChange, is_retyped: bool) -> Outcome | None:
        node = self._accumulating.get(unique_id)
        if node is None:
            return None
        words = incremental_words(node, self._sides[1].macros)
        adapter = self._sides[1].adapter or self._sides[0].adapter
        return reached_outcome(node, column, adapter, words, is_retyped=is_retyped)

    def _failing_with(self, unique_id: str) -> list[str]:
        return failing_with(self._current_graph, partial(is_ephemeral, nodes=self._runs[1].names), unique_id)

    @cached_property
    def _current_graph(self) -> LineageGraph:
        # A node that only base inlines an ephemeral model into does not fail.
        return build_lineage_graph([], self._runs[1].edges)

    def _with_inputs(self) -> LineageGraph:
        """Return the graph with the inputs of unit tests: these fail if an input loses a column."""
        tests = [one for one in self.graph.downstream(self._changed) if one.startswith("unit_test.")]
        return self._reads.with_columns(self.graph, tests) if tests else self.graph

    @cached_property
    def _accumulating(self) -> Mapping[str, NodeMetadata]:
        """Return the nodes downstream of the changes whose tables may hold rows of earlier builds."""
        before, names = (run.names for run in self._runs)
        below = [one for one in self.graph.downstream(self._changed) if one in names]
        ids = [one for one in below if keeps_rows(names[one], is_edited=one in self._changed)]
        ids = [one for one in ids if one in before and before[one].materialized not in COMPUTED_WHEN_READ]
        return self._runs[1].nodes(ids) if ids else {}

    def _fill_sides(self, ids: Collection[str]) -> None:
        """Add proven SQL of other runs to the nodes *ids* that one side did not compile."""
        # Assumed SQL proves no effect: its node stays without SQL, and the effect unknown.
        self._sides = (self._with_kept(0, ids), self._with_kept(1, ids))

    def _with_kept(self, index: int, ids: Collection[str]) -> ProjectSide:
        side, run = self._sides[index], self._runs[index]
        missing = {key: side.nodes[key] for key in ids if key in side.nodes and lacks_sql(side.nodes[key])}
        kept = {key: sql for key, sql in run.kept_sql(missing).items() if not sql.is_assumed}
        if not kept:
            return side
        if side.tokenised:
            added = {
                key: with_fields(node, compiled_code=kept[key].code)
                for key, node in missing.items()
                if key in kept
            }
        else:
            added = {node.unique_id: node for node in filled(missing.values(), kept, run.with_parents(kept))}
        return replace(side, nodes={**side.nodes, **added})

    def _compare(self, before: NodeMetadata, old: str, after: NodeMetadata, new: str) -> SqlChange:
        unique_id = after.unique_id
        if before is not self._sides[0].nodes.get(before.unique_id):
            # SQL of another target than that of the run.
            variant = self._queries.variant
            return self._compare_queries(variant(0, before.unique_id, old), variant(1, unique_id, new), {})
        # `categorise` and `readers_of_ephemeral` ask for the same nodes.
        if unique_id not in self._compared:
            found = self._compare_texts(before, old, after, new)
            self._compared[unique_id] = self._queries.with_fault(before, after, found)
        return self._compared[unique_id]

    def _compare_texts(self, before: NodeMetadata, old: str, after: NodeMetadata, new: str) -> SqlChange:
        """Return the change of the query of a node, whether it can be built or not."""
        unique_id = after.unique_id
        if unique_id not in self._by_text:
            self._by_text[unique_id] = _UNKNOWN  # a query may name its own relation
            names, names_now = self._queries.query(0, before.unique_id), self._queries.query(1, unique_id)
            parents = names.relations.keys() & names_now.relations.keys() & self._changed
            renames = {one: _renamed(one, self._sides, self._columns, self._compare_texts) for one in parents}
            self._renames[unique_id] = renames
            self._by_text[unique_id] = _as_stored(
                self._compare_queries(names, names_now, renames), before, after
            )
        return self._by_text[unique_id]

    def _keeps_columns(self, unique_id: str) -> bool:
        """Return True if the query of a node, which is compared, has its columns and types of base."""
        before, after = (side.nodes.get(unique_id) for side in self._sides)
        if unique_id not in self._read_first or before is None or after is None:
            return False
        old, new = (side.compiled(node) for side, node in zip(self._sides, (before, after), strict=True))
        if not old or not new:
            return False
        change = self._compare_texts(before, old, after, new)
        return change.category is not Category.UNKNOWN and not (
            change.columns or change.moved or change.facts
        )

    def _compare_queries(self, old: QueryNames, new: QueryNames, renames: Renames) -> SqlChange:
        # Environments may name tables differently; both sides must use the same name for a relation.
        heirs = self._sides[0].heirs
        named = {heirs.get(unique_id, unique_id): name for unique_id, name in old.relations.items()}
        relations = {**old.relations, **named, **new.relations}
        found = sql_diff.compare_sql(
            parseable_sql(self._sides[0].with_heirs(old.tokenised), relations),
            parseable_sql(new.tokenised, relations),
            self._dialect,
            _with_renames(self._queries.schemas(0, old, relations), renames, relations),
            self._queries.schemas(1, new, relations),
            facts=lambda tables: self._facts_of(tables, old, new, relations),
            timeout=SECONDS,
            resolve=self._queries.resolve,
        )
        reasons = tuple(_readable(reason, relations) for reason in found.reasons)
        return with_fields(found, reasons=reasons)

    @cached_property
    def _known_facts(self) -> facts.KnownFacts:
        differing = self.graph.downstream(self._changed)
        known = facts.KnownFacts(self._sides, self._runs, self._changed, differing)
        # A query asks for facts of some of its parents; one read of all costs no more than one of each.
        known.of({parent for one in self._read_first for parent in self.graph.parents(one)})
        return known

    def _facts_of(
        self, tables: AbstractSet[str], old: QueryNames, new: QueryNames, relations: Mapping[str, str]
    ) -> Mapping[str, TableFacts]:
        """Return what is known of the rows of the relations that the queries call *tables*."""
        called: dict[str, set[str]] = {}
        for names in (old, new):
            for key, all_of in called_names(names, relations).items():
                for name in tables & {*all_of}:
                    called.setdefault(name, set()).add(key)
        # A name for two nodes stands for neither.
        ids = {name: next(iter(keys)) for name, keys in called.items() if len(keys) == 1}
        found = self._known_facts.of(set(ids.values()))
        return {name: found[key] for name, key in ids.items()}


def _add_unbuilt(judged: dict[str, Change], effects: dict[str, SqlChange], not_built: Iterable[str]) -> None:
    """Make harmless changes of nodes that dbt could not build unknown, whatever their SQL proves."""
    for one in judged.keys() & {*not_built}:
        change = judged[one]
        if change.category in (Category.NONE, Category.NON_BREAKING):
            reasons = (*(change.category_reasons or ()), "dbt could not build it in current")
            judged[one] = with_fields(change, category=Category.UNKNOWN, category_reasons=reasons)
            effects[one] = _UNKNOWN


def _as_stored(found: SqlChange, before: NodeMetadata, after: NodeMetadata) -> SqlChange:
    """Return *found*, non-breaking if only the order of the rows that fill a table differs."""
    is_stored = {before.materialized, after.materialized} <= {"table", "incremental", "snapshot"}
    is_order = bool(found.reasons) and all(one.startswith(sql_diff.FINAL_ORDER) for one in found.reasons)
    is_harmless = is_stored and is_order and not found.columns and found.category is Category.BREAKING
    return with_fields(found, category=Category.NON_BREAKING) if is_harmless else found


def _compared_ids(changes: Iterable[Change]) -> list[str]:
    """Return the unique ids of the nodes whose SQL of both sides is compared."""
    reasons = {Reason.BODY, Reason.COMPILED, Reason.MACROS, Reason.PARENTS}
    return [
        change.unique_id
        for change in changes
        if change.status is Status.MODIFIED
        and change.resource_type in SQL_BUILT
        and not reasons.isdisjoint(change.reasons)
    ]


def _add_faults(
    reached: dict[str, AffectedNode],
    judged: Mapping[str, Change],
    faults: Mapping[str, sql_diff.Fault],
    places: Mapping[str, tuple[int, str]],
) -> None:
    """Add the nodes to *reached* that a database refuses because of the changes above them."""
    for one, fault in faults.items():
        change = judged.get(one)
        if one not in places or (change is not None and _is_said(change)):
            continue
        distance, origin = places[one]
        found = reached.setdefault(one, AffectedNode(distance, origin))
        found.origins.add(origin)
        if fault.is_certain and found.fails < CERTAIN:
            found.fails, found.failure, found.rows = 1.0, fault.text, 1.0
        elif not fault.is_certain and not found.fails:
            found.may_fail = found.may_fail or fault.text
            found.unknown = max(found.unknown, 1.0)


def _with_effects_on_readers(
    judged: dict[str, Change], affected: dict[str, AffectedNode], names: Mapping[str, NodeMetadata]
) -> tuple[dict[str, Change], dict[str, AffectedNode]]:
    """Return both; changes that are harmless by their own SQL have their worst effect on a reader.

    A reader may take columns by position, or by a name that a new column has as well.
    """
    found: dict[str, dict[Category, list[str]]] = {}
    for unique_id, node in affected.items():
        # A failure is reported by itself.
        for origin in () if node.fails or node.may_fail else node.origins:
            if origin in judged and judged[origin].category in _HARMLESS:
                named = names[unique_id].name if unique_id in names else unique_id
                found.setdefault(origin, {}).setdefault(_BY_REACH[node.reach], []).append(named)
    judged = dict(judged)
    for origin, readers in found.items():
        worst = max(readers, key=SEVERITY.__getitem__)
        reason = f"{_EFFECT_ON_READERS[worst]} {first_of(sorted(readers[worst]), MOST_NAMES)}"
        reasons = (*judged[origin].category_reasons, reason)
        judged[origin] = with_fields(judged[origin], category=worst, category_reasons=reasons)
    return judged, affected


def _in_cycles(changes: Iterable[Change], current: RunReader, graph: LineageGraph) -> dict[str, Change]:
    """Return the nodes whose new references close a cycle in *graph*, with its path: dbt builds no node."""
    found = {
        one.unique_id: one
        for one in changes
        if one.status is Status.ADDED or (one.status is Status.MODIFIED and Reason.PARENTS in one.reasons)
    }
    if found and current.run.extractor != DBT:
        # A later run with the same code may store surer origins.
        note_provisional()
    below = graph.downstream(found)
    parents_of = {
        one: [
            parent
            for parent, origin in parents.items()
            # Names in SQL are no references: a statement may write the table that it reads.
            if parent in below and (origin is None or (origin.kind == "ref" and origin.confidence > GUESS))
        ]
        for one, parents in (current.origins.items() if found else ())
        if one in below
    }
    refused = {}
    for cycle in cycles_of(parents_of):
        for one in found.keys() & cycle:
            start = cycle.index(one)
            path = " → ".join(current.names[each].name for each in (*cycle[start:], *cycle[:start], one))
            fault = f"{BUILD_FAILS}: dbt builds no node, because references form a cycle: {path}"
            reasons = (*found[one].category_reasons, fault)
            refused[one] = with_fields(found[one], category=Category.BREAKING, category_reasons=reasons)
    return refused


def _with_fault(change: Change, fault: sql_diff.Fault) -> Change:
    """Return *change* with why its build fails, or may fail."""
    is_breaking = fault.is_certain and change.resource_type in SQL_BUILT
    reason = f"{BUILD_FAILS if fault.is_certain else BUILD_MAY_FAIL}: {fault.text}"
    category = Category.BREAKING if is_breaking else change.category
    return with_fields(change, category=category, category_reasons=(*change.category_reasons, reason))


def _is_said(change: Change) -> bool:
    """Return True if *change* has why its build fails, or may fail."""
    return bool(change.build_failure or change.build_doubt)


def _may_be_refused(change: Change, nodes: Mapping[str, NodeMetadata]) -> bool:
    """Return True if *change* has no query to compare that decides whether the node can be built."""
    node = nodes.get(change.unique_id)
    is_test = change.resource_type == "test" and node is not None
    is_asked = change.status is Status.ADDED or (is_test and change.status is Status.MODIFIED)
    is_asked = is_asked or any(
        one.reason is Reason.CONTRACT or one.key == "indexes" for one in change.details
    )
    return is_asked and (is_test or change.resource_type in SQL_BUILT) and not change.build_failure


def _references_to_gone(
    nodes: Mapping[str, NodeMetadata],
    runs: tuple[RunReader, RunReader],
    graph: LineageGraph,
    direct: Mapping[str, AbstractSet[str]],
) -> Iterable[Start]:
    """Yield the nodes with an edge of dbt to one of *nodes* whose SQL also names its former relation."""
    base, current = runs
    children = {child for one in nodes for child in graph.children(one) if child in current.names}
    dialect = dialect_of(base.run.adapter_type) or ""
    finder = RelationFinder([*base.nodes(children).values(), *nodes.values()], dialect)
    texts = {**base.tokenised(children), **current.tokenised(children)}
    for child, text in sorted(texts.items()):
        for parent in sorted(finder.named_in(text) & nodes.keys()):
            if child in graph.children(parent) and child not in direct.get(parent, ()):
                yield Start(child, BREAKING, parent, 1, NAMES_GONE)


def _readers_by_time(
    changes: Mapping[str, Change], graph: LineageGraph, current: RunReader
) -> Iterable[Start]:
    """Yield the microbatch models that dbt gives other rows, because `event_time` of a parent changed."""
    for parent, change in changes.items():
        if any((one.reason, one.key) == (Reason.CONFIG, "event_time") for one in change.details):
            for child, node in current.nodes(graph.children(parent)).items():
                if node.config.get("incremental_strategy") == "microbatch":
                    yield Start(child, BREAKING, parent, 1)


def _renamed(
    unique_id: str, sides: tuple[ProjectSide, ProjectSide], columns: ParentColumns, compare: CompareSql
) -> Mapping[str, str]:
    """Return the columns that a model renames without other values, if all columns are known.

    Its relation has the values of its query, whatever it had before, and no contract that may convert them.
    """
    nodes = [side.nodes[unique_id] for side in sides if unique_id in side.nodes]
    texts = [side.compiled(node) or "" for side, node in zip(sides, nodes, strict=False)]
    if len(nodes) < 2 or not all(texts) or texts[0] == texts[1]:
        return {}
    for node in nodes:
        is_sql = node.resource_type == "model" and node.language != "python"
        if not is_sql or node.contract or node.materialized not in REBUILT:
            return {}
    change = compare(nodes[0], texts[0], nodes[1], texts[1])
    lists = [columns.of(index, [unique_id]).get(unique_id) for index in (0, 1)]
    if None in lists or change.facts:
        return {}
    before, after = ({name.lower(): name for name in types or ()} for types in lists)
    renames = ((one.name.lower(), one.renamed_to.lower()) for one in change.columns if one.renamed_to)
    return {
        before[old]: after[new]
        for old, new in renames
        if old in before and new in after and old not in after and new not in before
    }


def _with_renames(schemas: Schemas, renames: Renames, relations: Mapping[str, str]) -> Schemas:
    """Return *schemas* with the new names of columns of each node in *renames*."""
    called = {schemas_key(one, relations[one]): renamed for one, renamed in renames.items()}
    return {name: RenamedColumns(types, called.get(name, {})) for name, types in schemas.items()}


def _joined(graph: LineageGraph, reads: Iterable[tuple[str, str]]) -> LineageGraph:
    """Return *graph* with the edges of *reads*, pairs of a node and a parent."""
    found = {LineageEdge(child, parent) for child, parent in reads if parent not in graph.parents(child)}
    if not found:
        return graph
    edges = {LineageEdge(child, parent) for child, all_of in graph.parents_of.items() for parent in all_of}
    return build_lineage_graph([], {*edges, *found})


def _readable(reason: str, relations: Mapping[str, str]) -> str:
    """Return *reason* with node names instead of the generated relation names."""
    counts = Counter(map(_label, relations))
    for unique_id, relation in relations.items():
        name = parent_name(unique_id)
        if name in reason:
            last = re.escape(without_quotes(last_part(relation)))
            # Packages may have models of one name.
            label = _label(unique_id, 2 if counts[_label(unique_id)] == 1 else 1)
            reason = re.sub(rf"{name}(\W{{1,3}}{last}\b[\"`\]]?)?", label, reason)
    # A run lacks the parents that only another target has.
    others = {unique_id: _label(unique_id) for unique_id in token_ids(reason)}
    return resolve(reason, others) if others else reason


def _label(unique_id: str, dots: int = 2) -> str:
    """Return *unique_id* after its first *dots*, or the whole name of a scanned relation."""
    is_scanned = unique_id.startswith("relation.")
    return unique_id.split(".", 1 if is_scanned else dots)[-1].replace("\\", "")
