"""Columns of a whole project with their lineage: one pass over the nodes' queries, parents before children.

A node's columns depend only on its SQL, its dialect and its parents' columns. These are hashed into its
lineage id, and a node with a known id is not analysed again. Relations are replaced by tokens first
(`models/relation_tokens.py`), so that ids do not depend on the environment.

Other processes may analyse queries (`jobs.Analyst`). So each node takes two steps: one starts its analysis,
the other takes the answer. The second steps run in the order of the first ones, and at the latest when the
columns of the node are needed. So the results are those of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property, partial
from typing import NamedTuple

from msgspec.structs import replace

from recce_meta.graph import by_levels, parents_first
from recce_meta.models.catalog import TABLES, VIEWS
from recce_meta.models.lineage import (
    EVERYTHING,
    UNSURE,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    Kind,
    KnownColumns,
    NodeColumns,
    Tier,
    lineage_id_of,
)
from recce_meta.models.node import Json, NodeMetadata
from recce_meta.models.node_types import WITH_QUERY
from recce_meta.models.run import Project
from recce_meta.sql_lineage.project.jobs import (
    AnalysisJob,
    Analyst,
    Answer,
    Failure,
    Found,
    LocalAnswer,
    attempt,
)
from recce_meta.sql_lineage.project.names import QueryNames, RelationFinder, dialect_of
from recce_meta.sql_lineage.project.nodes import (
    OTHER_FIXTURE,
    SETTINGS,
    UNIT_TEST,
    ArgumentReads,
    ConversionSettings,
    Spelling,
    argument_columns,
    argument_reads,
    canonical_spelling,
    configured,
    counts_rows,
    deciding_uses,
    elements,
    elements_query,
    exposure_columns,
    exposure_reads,
    fixture_columns,
    fixture_reads,
    named_columns,
    naming,
    node_columns,
    snapshot_columns,
    snapshot_names,
    test_columns,
    touched,
    with_expressions,
)
from recce_meta.sql_lineage.project.readable import (
    NOTHING_KNOWN,
    ReadableColumns,
    digest_of,
    listed_names,
    offered_columns,
)
from recce_meta.sql_lineage.project.semantics import DEFINITIONS, SEMANTIC_MODEL, SemanticLayer
from recce_meta.warehouses import rules_of
from recce_meta.warehouses.builds import Edit, deciding_columns, incremental_words
from recce_meta.warehouses.hooks import hook_writers, names_in_configuration

ANALYSIS_VERSION = 14
"""Increases with every change of the analysis that changes its results: all nodes are then analysed again.

Not if `hook_writers` or `names_in_configuration` finds more: the ids of analyses hash what they find."""
SECONDS = 10.0
"""Default time limit for the query of one node."""

OUTSIDE = frozenset(["source", "seed"]) | TABLES
"""Resource types with columns from outside the project."""

PYTHON = "a Python model: its columns cannot be traced"
NOT_COMPILED = {
    Tier.GOLD: "not compiled: run dbt compile or build",
    Tier.SILVER: "its SQL could not be written without dbt",
    Tier.BRONZE: "no query fills it",
}
"""Reasons why a node has no SQL to analyse."""
NO_ELEMENTS = "its elements could not be read as SQL of one model"
NO_READS = "its definition names no measure, metric or column"
NO_EXPRESSION = "its expression could not be read as SQL of one model"
HIDDEN = "its SQL is not shown to the user who scanned"
EMPTY = "its compiled SQL is empty"
UNDOCUMENTED = "neither a catalog nor documentation names its columns"

WITHOUT_QUERY = frozenset({PYTHON, HIDDEN, EMPTY, UNDOCUMENTED, *NOT_COMPILED.values()})
"""Reasons that mean a node has no SQL to analyse. Any other reason means its SQL was not understood."""

_TIERS = {"dbt-sql": Tier.SILVER, "sql": Tier.BRONZE}
_CERTAINTY = {Tier.GOLD: 1.0, Tier.SILVER: 0.9, Tier.BRONZE: 0.8}
_ASSUMED = 0.5
"""Confidence of an edge from SQL that may not be what dbt would compile: below that of `fails`."""
_UNKNOWN_DIALECT = 0.9
"""Confidence of an edge from SQL parsed as standard SQL because its dialect is unknown."""
_NAMED = 3
"""Number of nodes named in a warning about many nodes."""


def analyse_project(
    project: Project,
    known: KnownColumns | None = None,
    *,
    timeout: float | None = SECONDS,
    assumed: Collection[str] = (),
    writers: Mapping[str, Collection[str]] | None = None,
    analyst: Analyst = LocalAnswer,
) -> ColumnGraph:
    """Return the column lineage of *project*, reusing the results in *known*.

    The query of one node may take *timeout* seconds. A node that cannot be analysed loses its own column
    edges and adds one warning; it never raises. Nodes without columns, such as unit tests, are left out.
    *assumed* are nodes whose SQL may not be what dbt would compile: their edges are less certain. *writers*
    are the `hook_writers` of the whole project, if *project* is a part of it. *analyst* starts each analysis.
    """
    if writers is None:
        writers = hook_writers(project.nodes, project.macros)
    work = _Pass(project, known or {}, timeout, writers, analyst)
    analysis = _Analysis(project, assumed, work)
    # Parents come first, because the columns of a `*` follow from theirs.
    parents_of = {node.unique_id: node.parents for node in project.nodes if _is_analysed(node)}
    order, circles = parents_first(parents_of)
    for unique_id in by_levels(order, parents_of):
        analysis.add(unique_id)
    work.finish()
    unknown = (f"Nodes form a cycle, so the columns of one are unknown: {', '.join(one)}" for one in circles)
    warnings = (*unknown, *analysis.warnings())
    return ColumnGraph(lineage_ids=work.lineage_ids, analyses=work.analyses, warnings=warnings)


EXPOSURE = "exposure"
_ANALYSED = WITH_QUERY | OUTSIDE | DEFINITIONS | {"test", UNIT_TEST, SEMANTIC_MODEL}


def _is_analysed(node: NodeMetadata) -> bool:
    is_listed = node.resource_type == EXPOSURE and exposure_columns(node) is not None
    return is_listed or node.resource_type in _ANALYSED


class _Started(NamedTuple):
    """A node whose analysis has started, with the state of the pass at its start."""

    finish: Callable[[], None]
    tier: Tier
    is_assumed: bool
    answer: Answer | None


class _Pass:
    """Results of a pass over a project's nodes, stored in the order in which their analyses started."""

    def __init__(
        self,
        project: Project,
        known: KnownColumns,
        timeout: float | None,
        writers: Mapping[str, Collection[str]],
        analyst: Analyst,
    ) -> None:
        self.nodes = {node.unique_id: node for node in project.nodes}
        self.dialect = dialect_of(project.run.adapter_type) or ""
        self._known, self._writers = known, writers
        self._timeout, self._analyst = timeout, analyst
        self.tier, self.is_assumed = Tier.GOLD, False
        """Those of the node in progress."""
        self._started: dict[str, _Started] = {}
        """Nodes in the order in which they are finished."""
        self._ids_started: set[str] = set()
        self._is_finishing = False
        self.lineage_ids: dict[str, str] = {}
        self.analyses: dict[str, NodeColumns] = {}
        self.warnings: list[str] = []
        self._columns: dict[str, ReadableColumns] = {}
        self._spellings: dict[str, Spelling] = {}
        self._is_late = False
        """Whether the last analysed query took too long."""

    def finish_ready(self) -> None:
        """Store the results of nodes whose answer is there, up to the first whose answer is not."""
        while self._started:
            answer = self._started[next(iter(self._started))].answer
            if answer is not None and not answer.is_ready:
                break
            self._finish_first()

    def finish(self) -> None:
        """Wait for the analyses of all nodes."""
        while self._started:
            self._finish_first()

    def _later(self, unique_id: str, finish: Callable[[], None], answer: Answer | None = None) -> None:
        """Call *finish* after that of each node that was started before."""
        self._started[unique_id] = _Started(finish, self.tier, self.is_assumed, answer)

    def _finish_first(self) -> None:
        unique_id = next(iter(self._started))
        started = self._started.pop(unique_id)
        present = self.tier, self.is_assumed
        self.tier, self.is_assumed, self._is_finishing = started.tier, started.is_assumed, True
        if failure := attempt(started.finish):
            self._fail(unique_id, failure.reason)
        self.tier, self.is_assumed, self._is_finishing = *present, False

    @property
    def certainty(self) -> float:
        """Confidence of an edge of the node that is analysed."""
        of_sql = _ASSUMED if self.is_assumed else _CERTAINTY[self.tier]
        return of_sql * (1.0 if self.dialect else _UNKNOWN_DIALECT)

    def query(
        self, node: NodeMetadata, lineage_id: str, names: QueryNames, compute: Callable[[Found], NodeColumns]
    ) -> None:
        """Start the analysis of a query, unless its columns are known or will be; then do as `keep` does."""
        lineage_id = self._written_id(node, lineage_id)
        places = (self._known, self.analyses, self._ids_started)
        late_id = self.id_of("late", lineage_id, self._timeout)
        answer = None
        if not any(one in place for one in (lineage_id, late_id) for place in places):
            self._ids_started.add(lineage_id)
            answer = self._analyst(self._job(names), self._timeout)

        def computed() -> NodeColumns:
            # Without an answer, an equal query failed in an unexpected way.
            found = (answer or LocalAnswer(self._job(names), self._timeout)).result()
            self._is_late = isinstance(found, Failure) and found.is_late
            return compute(found)

        self._later(node.unique_id, lambda: self._store(node, lineage_id, computed), answer)

    def _job(self, names: QueryNames) -> AnalysisJob:
        schemas: dict[str, Mapping[str, str]] = {}
        for unique_id, keys in names.keys().items():
            columns = self.columns_of(unique_id)
            if columns.names is not None or columns.documented:
                schemas.update(dict.fromkeys(keys, columns.types))
        for name, unique_id in names.injected.items():
            schemas[name] = self.columns_of(unique_id).types
        # Without dbt, several statements of one file may fill a relation.
        return AnalysisJob(names.sql, self.dialect, schemas, is_script=self.tier is Tier.BRONZE)

    def keep(self, node: NodeMetadata, lineage_id: str, compute: Callable[[], NodeColumns]) -> None:
        """Store *node* under *lineage_id* in its turn, computing its columns if they are not known."""
        lineage_id = self._written_id(node, lineage_id)
        self._later(node.unique_id, lambda: self._store(node, lineage_id, compute))

    def _written_id(self, node: NodeMetadata, lineage_id: str) -> str:
        writers = sorted(self._writers.get(node.unique_id, ()))
        return self.id_of("written", lineage_id, writers) if writers else lineage_id

    def _store(self, node: NodeMetadata, lineage_id: str, compute: Callable[[], NodeColumns]) -> None:
        late_id = self.id_of("late", lineage_id, self._timeout)
        if late_id in self._known or late_id in self.analyses:
            lineage_id = late_id  # it is known to exceed this time limit: retry only with more time
        if lineage_id not in self._known:
            found = self.analyses.get(lineage_id)
            if found is None:
                self._is_late = False
                found = touched(compute(), sorted(self._writers.get(node.unique_id, ())))
                lineage_id = late_id if self._is_late else lineage_id
                self.analyses[lineage_id] = found
            if found.reason is not None and node.resource_type not in OUTSIDE:
                self._warn(node.unique_id, found.reason)
            inferred = found.names
        else:
            inferred = tuple(self._known[lineage_id])
        self.lineage_ids[node.unique_id] = lineage_id
        if node.resource_type in WITH_QUERY:
            self._columns[node.unique_id] = offered_columns(node, inferred)
            self._spellings.pop(node.unique_id, None)  # a node that reads itself was looked up before

    def give_up(self, node: NodeMetadata, reason: str, reads: Collection[str] = ()) -> None:
        """Record that *node* is expected to have no column edges, but may name any column of *reads*."""
        self._later(node.unique_id, lambda: self._store_reason(node, reason, reads))

    def fail(self, unique_id: str, reason: str) -> None:
        """Record in its turn that *reason* prevents the analysis of a node, and warn."""
        self._later(unique_id, partial(self._fail, unique_id, reason))

    def _fail(self, unique_id: str, reason: str) -> None:
        self._warn(unique_id, reason)
        self._store_reason(self.nodes[unique_id], reason)

    def _store_reason(self, node: NodeMetadata, reason: str, reads: Collection[str] = ()) -> None:
        named = tuple(ColumnSource(parent, EVERYTHING, UNSURE) for parent in sorted(reads))
        columns = NodeColumns(tier=self.tier, references=named, reason=reason)
        found = touched(columns, self._writers.get(node.unique_id, ()))
        lineage_id = self.id_of("reason", reason, *filter(None, (named, found.uses)))
        self.lineage_ids[node.unique_id] = lineage_id
        if lineage_id not in self._known:
            self.analyses[lineage_id] = found

    def _warn(self, unique_id: str, reason: str) -> None:
        self.warnings.append(f"Columns of {unique_id} are not traced: {reason}")

    def columns_of(self, unique_id: str) -> ReadableColumns:
        """Return the known columns of a parent: the warehouse's, if the parent is not analysed yet."""
        # While a node is finished, nodes after it are as unknown as if they had not been started.
        while unique_id in self._started and not self._is_finishing:
            self._finish_first()
        found = self._columns.get(unique_id)
        if found is None:
            node = self.nodes.get(unique_id)
            found = offered_columns(node, ()) if node is not None else NOTHING_KNOWN
            self._columns[unique_id] = found
        return found

    def names_of(self, parent: str) -> tuple[str, ...]:
        """Return the names of the columns of *parent*."""
        return (found := self.columns_of(parent)).names or found.documented

    def spelling_of(self, unique_id: str) -> Spelling | None:
        """Return the column names of a node; None if it has none."""
        found = self._spellings.get(unique_id)
        if found is None:
            columns = self.columns_of(unique_id)
            names = columns.names or columns.documented
            if not names:
                return None
            found = self._spellings[unique_id] = Spelling(names)
        return found

    def source(self, named: tuple[str, str]) -> ColumnSource:
        """Return the column *named* by a node and a name as a source."""
        parent, column = named
        spelt = canonical_spelling(column.strip('"`[]'), self.spelling_of(parent), self.dialect)
        return ColumnSource(parent, spelt, self.certainty)

    def id_of(self, *content: object) -> str:
        """Return the lineage id of the node in progress, whose analysis depends on *content*."""
        # Everything that scales the stored confidences is part of the id.
        digest = digest_of((ANALYSIS_VERSION, self.dialect, self.certainty, self.tier, *content))
        return lineage_id_of(ANALYSIS_VERSION, digest)


class _Analysis:
    """Analyses of nodes of each type in one pass."""

    def __init__(self, project: Project, assumed: Collection[str], work: _Pass) -> None:
        self._tier = _TIERS.get(project.run.extractor, Tier.GOLD)
        self._adapter = project.run.adapter_type
        self._macros = {macro.unique_id: macro for macro in project.macros}
        self._assumed = frozenset(assumed)
        self._pass = work
        self._nodes = work.nodes
        self._names = RelationFinder(project.nodes, work.dialect)
        self._not_compiled: list[str] = []

    def add(self, unique_id: str) -> None:
        """Start the analysis of a node, after that of its parents; finish nodes whose answer is there."""
        if failure := attempt(partial(self._start, unique_id)):
            self._pass.fail(unique_id, failure.reason)
        self._pass.finish_ready()

    def _start(self, unique_id: str) -> None:
        node = self._nodes[unique_id]
        self._pass.is_assumed = unique_id in self._assumed
        self._pass.tier = Tier.SILVER if self._pass.is_assumed else self._tier
        if node.resource_type in OUTSIDE:
            lineage_id = self._pass.id_of("outside", listed_names(node))
            self._pass.keep(node, lineage_id, lambda: self._outside(node))
        elif node.resource_type == "test":
            self._add_test(node)
        elif node.resource_type == SEMANTIC_MODEL:
            self._add_semantic_model(node)
        elif node.resource_type in DEFINITIONS:
            self._add_definition(node)
        elif node.resource_type == EXPOSURE:
            self._add_exposure(node)
        elif node.resource_type == UNIT_TEST:
            self._add_unit_test(node)
        elif node.language == "python":
            self._pass.give_up(node, PYTHON, self._names.direct_reads(node))
        elif node.compiled_code is not None and not node.compiled_code.strip():
            self._pass.fail(unique_id, EMPTY)
        elif not node.compiled_code and node.resource_type in VIEWS:
            self._pass.give_up(node, HIDDEN)  # the scan has reported it
        elif not node.compiled_code:
            self._not_compiled.append(unique_id)
            self._pass.give_up(node, NOT_COMPILED[self._pass.tier])
        else:
            self._add_query(node)

    def warnings(self) -> Iterable[str]:
        """Yield a warning for each node that this pass could not analyse."""
        yield from self._pass.warnings
        if self._tier is not Tier.GOLD:
            return  # the file reader has already reported unreadable files
        if len(self._not_compiled) == 1:
            yield f"Columns of {self._not_compiled[0]} are not traced: {NOT_COMPILED[self._tier]}"
        elif self._not_compiled:
            some = ", ".join(self._not_compiled[:_NAMED])
            more = ", …" if len(self._not_compiled) > _NAMED else ""
            count = f"{len(self._not_compiled):,} nodes"
            yield f"Columns of {count} are not traced ({some}{more}): {NOT_COMPILED[self._tier]}"

    def _outside(self, node: NodeMetadata) -> NodeColumns:
        outputs = tuple(ColumnOutput(name, Kind.SOURCE) for name in listed_names(node))
        return NodeColumns(tier=self._pass.tier, outputs=outputs, reason=None if outputs else UNDOCUMENTED)

    def _add_query(self, node: NodeMetadata) -> None:
        names = self._names.of(node)
        # Documentation may be incomplete, so it does not name the outputs of a query.
        own = listed_names(node) if node.columns_from == "catalog" or node.contract else None
        is_snapshot = node.resource_type == "snapshot"
        deciding = self._deciding(node)
        settings: list[Json] = [node.config.get(name) for name in SETTINGS] if is_snapshot else []
        settings += [[key, sorted(words)] for key, words in sorted(deciding.items())]
        if settings and not is_snapshot:
            settings += [bool(node.contract), self._fails_on_removal(node)]
        named = names_in_configuration(node, self._adapter, self._macros, self._nodes, self._pass.names_of)
        settings += named.settings
        columns_of = self._snapshot if is_snapshot else self._model

        def compute(answer: Found) -> NodeColumns:
            read = {*names.read, *names.injected.values()} - {node.unique_id}
            known = {one: self._pass.names_of(one) for one in sorted(read)}
            columns = columns_of(node, names, own, answer)
            found = deciding_uses(node, columns, deciding, known, self._pass.certainty)
            if found.reason is None:
                found = configured(found, named, self._pass.source)
                if names.hard_coded:
                    # `select count(*)` names no column. Without `ref`, dbt has no edge either.
                    found = touched(found, names.hard_coded - {*found.parents, node.unique_id})
            return found

        self._pass.query(node, self._query_id(names, own, settings or bool(node.contract)), names, compute)

    def _deciding(self, node: NodeMetadata) -> Mapping[str, Collection[str]]:
        """Return the columns by which a run replaces existing rows; none if each run builds all of them."""
        if node.materialized not in ("snapshot", "incremental") or node.config.get("full_refresh") is True:
            return {}
        return deciding_columns(node, rules_of(self._adapter), incremental_words(node, self._macros))

    def _fails_on_removal(self, node: NodeMetadata) -> bool:
        """Return True if the statement of an incremental model names each of its columns."""
        rules = rules_of(self._adapter)
        policy = node.config.get("on_schema_change") or "ignore"
        if rules is None or rules.statement_of(node.config) is None or policy not in ("ignore", "fail"):
            return False
        exception = rules.exceptions.get((rules.strategy_of(node.config), Edit.REMOVED))
        return policy == "fail" or exception is None or exception.fails

    def _snapshot(
        self, node: NodeMetadata, names: QueryNames, own: tuple[str, ...] | None, answer: Found
    ) -> NodeColumns:
        dbts = snapshot_names(node)
        # The catalog also lists the columns that dbt adds, which the query does not yield.
        queried = own and tuple(name for name in own if name.lower() not in dbts)
        columns = self._converted(names, answer, queried)
        spelling = Spelling(own or ())
        added = snapshot_columns(node, columns.outputs) if columns.outputs else ()
        spelt = tuple(replace(output, name=spelling.of(output.name)) for output in added)
        named = named_columns(node, columns.outputs)
        return naming(replace(columns, outputs=columns.outputs + spelt), named)

    def _model(
        self, node: NodeMetadata, names: QueryNames, own: tuple[str, ...] | None, answer: Found
    ) -> NodeColumns:
        """Return the columns of a query.

        A contract names all of them, including those from a `*`, and so do most incremental models.
        """
        columns = self._converted(names, answer, own)
        is_kept = node.materialized == "incremental" and node.config.get("full_refresh") is not True
        if not node.contract and not (is_kept and self._fails_on_removal(node)):
            return columns
        return naming(columns, (source for output in columns.outputs for source in output.sources))

    def _add_test(self, node: NodeMetadata) -> None:
        reads = argument_reads(node)
        named = names_in_configuration(node, self._adapter, self._macros, self._nodes, self._pass.names_of)
        source, compiled = self._pass.source, (node.compiled_code or "").strip()
        # The arguments of dbt's own tests are exact and need no compiled SQL.
        if reads.whole or (reads.columns and not compiled):
            self._pass.is_assumed, self._pass.tier = False, self._tier
            lineage_id = self._arguments_id(reads, named.settings)
            self._pass.keep(node, lineage_id, lambda: configured(self._by_arguments(reads), named, source))
        elif not compiled:
            self._pass.give_up(node, NOT_COMPILED[self._pass.tier])
        else:
            names = self._names.of(node)
            lineage_id = self._query_id(names, None, ["test", counts_rows(node), *named.settings])

            def compute(answer: Found) -> NodeColumns:
                return configured(test_columns(self._converted(names, answer), node), named, source)

            self._pass.query(node, lineage_id, names, compute)

    def _add_semantic_model(self, node: NodeMetadata) -> None:
        """Analyse the elements of a semantic model as the columns of a query of its model."""
        parent = self._nodes.get(node.parents[0]) if len(node.parents) == 1 else None
        query = self._names_of_elements(node, parent, elements(node) or ())
        if query is None:
            self._pass.give_up(node, NO_ELEMENTS)
            return
        lineage_id = self._query_id(query, None, SEMANTIC_MODEL)
        self._pass.query(node, lineage_id, query, partial(self._converted, query))

    def _names_of_elements(
        self, node: NodeMetadata, model: NodeMetadata | None, named: Iterable[tuple[str, Json]]
    ) -> QueryNames | None:
        """Return the query of *model* for the elements *named* of *node*; None if there is none."""
        query = (
            model and model.relation_name and elements_query(named, model.relation_name, self._pass.dialect)
        )
        if not query or model is None:
            return None
        return self._names.of(replace(node, compiled_code=query, parents=(model.unique_id,)))

    def _add_definition(self, node: NodeMetadata) -> None:
        """Take the elements and metrics that a metric or saved query names as the columns that it reads."""
        found = self._layer.columns_of(node)
        certain = found.scaled(self._pass.certainty, self._pass.tier)
        if not found.expressions and not certain.references:
            self._pass.give_up(node, NO_READS)
            return
        if not found.expressions:
            self._pass.keep(node, self._pass.id_of(node.resource_type, certain), lambda: certain)
            return
        names = self._names_of_elements(node, self._nodes.get(found.model or ""), found.expressions)
        if names is None:
            self._pass.give_up(node, NO_EXPRESSION)
            return

        def compute(answer: Found) -> NodeColumns:
            return with_expressions(certain, self._converted(names, answer))

        self._pass.query(node, self._query_id(names, None, [node.resource_type, certain]), names, compute)

    @cached_property
    def _layer(self) -> SemanticLayer:
        return SemanticLayer(self._nodes.values())

    def _add_exposure(self, node: NodeMetadata) -> None:
        """Take the columns that the project lists for an exposure as those that it reads."""
        reads = exposure_reads(node, self._nodes)
        if isinstance(reads, str):
            self._pass.give_up(node, reads)
        else:
            lineage_id = self._arguments_id(reads, [])
            self._pass.keep(node, lineage_id, lambda: self._by_arguments(reads))

    def _add_unit_test(self, node: NodeMetadata) -> None:
        """Take the columns of its rows: a unit test fails if its model or an input lacks one."""
        reads = fixture_reads(node, self._nodes)
        if reads is None:
            self._pass.give_up(node, OTHER_FIXTURE)
            return
        named = reads.given + reads.expected
        parents = sorted({(parent, self._pass.columns_of(parent).digest) for parent, _ in named})

        def compute() -> NodeColumns:
            sides = (map(self._pass.source, side) for side in (reads.expected, reads.given))
            return fixture_columns(self._pass.tier, *sides)

        self._pass.keep(node, self._pass.id_of(UNIT_TEST, reads, parents), compute)

    def _by_arguments(self, reads: ArgumentReads) -> NodeColumns:
        work = self._pass
        return argument_columns(reads, work.tier, work.certainty, work.spelling_of, work.dialect)

    def _converted(self, names: QueryNames, found: Found, own: tuple[str, ...] | None = None) -> NodeColumns:
        """Return the columns *found* in the query of a node with the parents of the project."""
        if isinstance(found, Failure):
            return NodeColumns(tier=self._pass.tier, reason=names.readable(found.reason))
        reading = ConversionSettings(
            names=names,
            spelling_of=self._pass.spelling_of,
            dialect=self._pass.dialect,
            tier=self._pass.tier,
            certainty=self._pass.certainty,
            own=own,
        )
        return node_columns(found, reading)

    def _query_id(self, names: QueryNames, own: tuple[str, ...] | None, settings: Json) -> str:
        parents = [
            # Hard-coded reads lower the stored confidence, so they are part of the id.
            (unique_id, self._pass.columns_of(unique_id).digest, unique_id in names.hard_coded and "any")
            for unique_id in sorted({*names.read, *names.injected.values()})
        ]
        return self._pass.id_of("query", names.tokenised, own, settings, parents)

    def _arguments_id(self, reads: ArgumentReads, settings: list[Json]) -> str:
        read = sorted({parent for parent, _ in reads.columns})
        parents = [(one, self._pass.columns_of(one).digest) for one in read]
        return self._pass.id_of("test", reads.columns, parents, *settings)
