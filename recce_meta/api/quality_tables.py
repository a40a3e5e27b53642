"""Tables that `quality` measures: their selection, their rules, and their concurrent measurement.

A table that cannot be measured does not stop the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.api.data.execution import QueryExecutor, RelationResolver, has_relation
from recce_meta.api.run_reader import RunReader
from recce_meta.api.runs import find_node, ids_by_name
from recce_meta.data_diff.plan import Query
from recce_meta.errors import (
    ConfigurationError,
    QueryCancelled,
    RecceMetaError,
    SelectorError,
    UsageError,
    first_line,
    first_of,
)
from recce_meta.extractors.database import EXTRACTOR, ScanScope
from recce_meta.graph import build_lineage_graph, nearest_names, select
from recce_meta.models import NodeMetadata
from recce_meta.models.catalog import RELATIONS
from recce_meta.models.node_types import WITH_RELATION, WITH_ROWS
from recce_meta.models.quality import CustomMetric, QualityRules, TableQuality, TableRules
from recce_meta.quality.conditions import has_conditions
from recce_meta.quality.figures import holds
from recce_meta.quality.measure import QualitySettings, QualityTarget, declared_unique, table_quality
from recce_meta.quality.metrics import MetricQuery
from recce_meta.quality.privacy import NO_CHOICES
from recce_meta.warehouses.dialect import dialect_named

EXACT = QualitySettings()
"""Default settings: all rows, values of columns that are not private, the ten most frequent values."""
VIEWS = ("view",)

OnMeasured = Callable[[TableQuality], None]


class TableRequest(Struct, frozen=True, kw_only=True):
    """One table to measure: a node, or the name of a relation in the warehouse's SQL."""

    relation: NodeMetadata | str
    keys: tuple[tuple[str, ...], ...] = ()
    """Keys, each a tuple of columns that identify a row, in addition to those that the node declares."""
    metrics: tuple[MetricQuery, ...] = ()
    private: Mapping[str, bool] = NO_CHOICES
    """Whether values are withheld, by column name; for other columns, the patterns of *settings* decide."""


def measure_tables(
    adapter: UnifiedSqlAdapter,
    wanted: Sequence[TableRequest],
    settings: QualitySettings = EXACT,
    *,
    tests: Iterable[NodeMetadata] = (),
    threads: int | None = None,
    deadline: float | None = None,
    on_done: OnMeasured | None = None,
) -> list[TableQuality]:
    """Return the quality of each of *wanted*, in order; a table that cannot be measured has a reason.

    *tests* are nodes that declare unique columns; all nodes of a run may be passed. *threads* is the number
    of concurrent queries, by default the profile's. *deadline* is a reading of `time.monotonic` at which
    queries are cancelled; tables not measured by then have this as their reason. *on_done* is called with
    each result when it is complete, in any order. Raises QueryCancelled.
    """
    tables = _tables(adapter, wanted, tests)
    pool = Pool(adapter, threads, deadline=deadline)
    warehouses = QueryExecutor(pool)

    def measured(table: QualityTarget) -> TableQuality:
        now = datetime.now(timezone.utc)
        try:
            found = warehouses.run(table_quality(table, settings, measured_at=now))
        except QueryCancelled:
            raise
        except RecceMetaError as error:  # this connection failed; other threads have their own
            found = TableQuality(
                unique_id=table.unique_id,
                name=table.name,
                relation=table.source.text,
                measured_at=now,
                reason=first_line(error),
            )
        if on_done is not None:
            on_done(found)
        return found

    try:
        return warehouses.each(measured, tables)
    finally:
        pool.close()


def measuring_statements(
    adapter: UnifiedSqlAdapter,
    wanted: Sequence[TableRequest],
    settings: QualitySettings = EXACT,
    *,
    tests: Iterable[NodeMetadata] = (),
) -> list[Query]:
    """Return the queries that would measure *wanted*, except those that depend on data.

    Reads the columns from the warehouse, and raises the errors of that.
    """
    pool = Pool(adapter, 1)
    try:
        warehouses = QueryExecutor(pool)
        now = datetime.now(timezone.utc)
        return [
            query
            for table in _tables(adapter, [_unjudged(one) for one in wanted], tests)
            for query in warehouses.print(table_quality(table, settings, measured_at=now))
        ]
    finally:
        pool.close()


def _unjudged(wanted: TableRequest) -> TableRequest:
    """Return *wanted* with metrics that have no condition: there are no values to check."""
    return replace(wanted, metrics=tuple(replace(metric, holds=None) for metric in wanted.metrics))


def _tables(
    adapter: UnifiedSqlAdapter, wanted: Sequence[TableRequest], tests: Iterable[NodeMetadata]
) -> list[QualityTarget]:
    dialect = dialect_named(adapter.warehouse.dialect)
    places = RelationResolver(base=dialect, current=dialect)
    # Filtered once, since the tests are searched for each table.
    known = [node for node in tests if node.resource_type == "test"]
    return [_table(one, places, known) for one in wanted]


def _table(wanted: TableRequest, places: RelationResolver, tests: Sequence[NodeMetadata]) -> QualityTarget:
    relation = wanted.relation
    pair = places.pair(None, relation)
    if pair.current is None:
        raise UsageError(f"{pair.subject.name} has no relation: nothing to measure")
    keys, is_view = wanted.keys, False
    if isinstance(relation, NodeMetadata):
        keys = (*keys, *declared_unique(relation, tests))
        is_view = relation.resource_type in VIEWS or relation.materialized in VIEWS
    name = pair.subject.name
    return QualityTarget(
        source=replace(pair.current, name=name),
        unique_id=pair.subject.unique_id or pair.current.text,
        name=name,
        is_view=is_view,
        keys=keys,
        metrics=wanted.metrics,
        private=wanted.private,
    )


MEASURED = frozenset(["table", "materialized_view"])
"""Types of a scan's nodes that are measured by default. Views are queried only on demand, and an external
table may cost by the byte."""
_QUOTES = re.compile(r"[\"`\[\]]")
_GRAMMAR = re.compile(r"[:+@,\s]")
_SHOWN = 5


class TableSelection(Struct, frozen=True, kw_only=True):
    """Nodes of a run to measure."""

    names: tuple[str, ...] = ()
    """Nodes by name, `schema.table` or unique id."""
    selection: tuple[str, ...] = ()
    """Selectors in dbt's selection grammar."""
    exclude: tuple[str, ...] = ()
    """Globs of `name` or `schema.name`, or selectors in dbt's selection grammar."""
    scope: ScanScope = ScanScope()
    """Schemas, and globs of relations; does not apply to nodes in `names`."""
    may_be_empty: bool = False
    """Whether a selection may match no table."""


class RunTables:
    """Nodes of one run, with lookup by all their names."""

    def __init__(self, run: RunReader) -> None:
        self._run = run
        self._nodes = run.names
        self._by_name = ids_by_name(self._nodes)
        for unique_id, node in self._nodes.items():
            # Users of a database name its relations with their schemas.
            if node.resource_type in RELATIONS:
                self._by_name.setdefault(".".join(node.fqn), []).append(unique_id)

    def chosen(self, chosen: TableSelection, rules: QualityRules | None = None) -> list[NodeMetadata]:
        """Return the nodes to measure with all fields, sorted by unique id.

        If none are named or selected, the nodes of *rules* are included. Raises SelectorError for a name of
        no node, of several nodes or of a node without rows, and if nothing is chosen.
        """
        named = [self.named(name) for name in chosen.names]
        ids = set(named)
        if chosen.selection:
            ids |= {one for one in self.selected(chosen.selection) if self._has_rows(one)}
        elif not named:
            ids = {unique_id for unique_id, node in self._nodes.items() if self._is_default(node)}
            named = [_named(rule, rules, self) for rule in rules.tables if rule.name] if rules else []
            ids |= set(named)
        if chosen.exclude:
            ids -= self._excluded(chosen.exclude, ids)
        is_open = not chosen.names and not chosen.selection
        nodes = self._run.nodes(sorted(ids)).values()
        found = [
            node
            for node in sorted(nodes, key=lambda node: node.unique_id)
            if has_relation(node)
            and ((not is_open and node.unique_id in named) or _is_in(node, chosen.scope))
            # The rows of a partition are measured with its table.
            and not (is_open and node.properties.get("partition_of") and node.unique_id not in named)
        ]
        if not found and not chosen.may_be_empty:
            raise SelectorError("No table to measure", hint=self._hint(chosen))
        return found

    def named(self, name: str) -> str:
        """Return the unique id of the node that *name* means. Raises SelectorError if it has no rows."""
        try:
            unique_id = find_node(name, self._nodes, self._by_name)
        except SelectorError:
            placed = self._placed(name)
            if len(placed) != 1:
                raise
            unique_id = placed[0]
        node = self._nodes[unique_id]
        if not self._has_rows(unique_id):
            kind = node.materialized if node.is_ephemeral else node.resource_type
            raise SelectorError(f"'{unique_id}' is of type {kind}, which has no rows to measure")
        return unique_id

    def selected(self, selection: Sequence[str]) -> set[str]:
        """Return the unique ids that *selection* matches in dbt's selection grammar."""
        project = self._run.project
        nodes = {node.unique_id: node for node in project.nodes}
        return set(
            select(
                selection,
                nodes,
                build_lineage_graph(project.nodes, project.edges),
                project=project,
            )
        )

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """Return the tests that read one of *ids*; none for a scan."""
        return [] if self._run.run.extractor == EXTRACTOR else self._run.tests_of(ids)

    def _placed(self, name: str) -> list[str]:
        """Return the nodes with the relation *name*, given as `schema.table` or `database.schema.table`."""
        if "." not in name:
            return []
        wanted = _QUOTES.sub("", name).casefold()
        return [
            unique_id
            for unique_id, node in self._nodes.items()
            if node.relation_name
            # The dot prevents that `orders` matches `old_orders`.
            and f".{_QUOTES.sub('', node.relation_name).casefold()}".endswith(f".{wanted}")
        ]

    def _has_rows(self, unique_id: str) -> bool:
        node = self._nodes.get(unique_id)
        return node is not None and node.resource_type in WITH_ROWS and not node.is_ephemeral

    def _is_default(self, node: NodeMetadata) -> bool:
        if self._run.run.extractor == EXTRACTOR:
            return node.resource_type in MEASURED
        return node.resource_type in WITH_RELATION and not node.is_ephemeral

    def _excluded(self, exclude: Sequence[str], ids: Iterable[str]) -> set[str]:
        # Globs match names alone; selectors need the whole run.
        globs = [text for text in exclude if not _GRAMMAR.search(text)]
        found = {
            unique_id
            for unique_id in ids
            if _fits_any([self._nodes[unique_id].name, ".".join(self._nodes[unique_id].fqn)], globs)
        }
        grammar = [text for text in exclude if text not in globs]
        return found | (self.selected(grammar) if grammar else set())

    def _hint(self, chosen: TableSelection) -> str | None:
        if chosen.selection or chosen.exclude or chosen.scope.schemas or chosen.scope.include:
            grammar = (
                "use dbt's selection grammar with --select, and globs with --schema, --include, --exclude"
            )
            near = nearest_names(chosen.selection, self._nodes.values())
            return "; ".join([*(near or [grammar]), "--allow-empty accepts an empty selection"])
        views = sum(node.resource_type in RELATIONS for node in self._nodes.values())
        if views:
            return "name views or external tables to measure them, such as -s resource_type:view"
        return "the run has no tables"


def _bare(relation: str) -> str:
    return _QUOTES.sub("", relation).casefold()


def _is_in(node: NodeMetadata, scope: ScanScope) -> bool:
    schema = node.schema_name or ""
    folded = {name.casefold() for name in scope.schemas}
    if scope.schemas and not _fits_any([schema], scope.schemas) and schema.casefold() not in folded:
        return False
    return not scope.include or _fits_any([node.name, f"{schema}.{node.name}"], scope.include)


def _fits_any(names: Iterable[str], globs: Sequence[str]) -> bool:
    return any(name == glob or fnmatchcase(name, glob) for name in names for glob in globs)


def rules_by_table(
    rules: QualityRules | None,
    subjects: RunTables,
    chosen: Sequence[NodeMetadata],
    *,
    may_be_empty: bool = False,
) -> dict[str, list[TableRules]]:
    """Return the rules for each of *chosen*, by unique id.

    Raises ConfigurationError, with the line, for a table that is not in the run, for a metric that two
    entries define for one table, and unless *may_be_empty*, for a selection with conditions that matches no
    node of the run: they would seem to hold.
    """
    found: dict[str, list[TableRules]] = {}
    if rules is None:
        return found
    ids = {node.unique_id for node in chosen}
    for rule in rules.tables:
        of_rule = _of_rule(rule, rules, subjects)
        if not (of_rule or may_be_empty) and has_conditions(rule):
            raise ConfigurationError(
                f"{rules.path}:{rule.line}: '{rule.select}' matches no node of the run, so its conditions "
                "cannot be checked",
                hint="correct it, or accept it with --allow-empty",
            )
        for unique_id in of_rule:
            if unique_id in ids:
                found.setdefault(unique_id, []).append(rule)
    for unique_id, several in found.items():
        _refuse_twice(rules, unique_id, several)
    return found


def _named(rule: TableRules, rules: QualityRules, subjects: RunTables) -> str:
    """Return the node that an entry of the file names."""
    (found,) = _of_rule(rule, rules, subjects)
    return found


def _of_rule(rule: TableRules, rules: QualityRules, subjects: RunTables) -> Collection[str]:
    try:
        if rule.name is not None:
            return [subjects.named(rule.name)]
        return subjects.selected([rule.select or ""])
    except (SelectorError, UsageError) as error:
        raise ConfigurationError(f"{rules.path}:{rule.line}: {error.message}", hint=error.hint) from error


def _refuse_twice(rules: QualityRules, unique_id: str, several: Sequence[TableRules]) -> None:
    seen: dict[tuple[str | None, str], int] = {}
    for column, metric in (one for rule in several for one in _metrics(rule)):
        line = seen.setdefault((column, metric.name), metric.line)
        if line != metric.line:
            raise ConfigurationError(
                f"{rules.path}:{metric.line}: metric '{metric.name}' of {unique_id} is already defined "
                f"in line {line}"
            )


def _metrics(rule: TableRules) -> list[tuple[str | None, CustomMetric]]:
    of_columns = [(column.name, metric) for column in rule.columns for metric in column.metrics]
    return [*((None, metric) for metric in rule.metrics), *of_columns]


def table_request(
    node: NodeMetadata, rules: Sequence[TableRules], hidden: Collection[str] = ()
) -> TableRequest:
    """Return *node* with its metrics and private columns according to *rules*.

    The columns *hidden* are private unless *rules* say otherwise.
    """
    metrics = [
        MetricQuery(
            name=metric.name,
            sql=metric.sql,
            column=column,
            threshold=None if metric.condition is None else metric.condition.text,
            holds=None if metric.condition is None else _judge(metric),
        )
        for rule in rules
        for column, metric in _metrics(rule)
    ]
    private = dict.fromkeys(hidden, True) | {
        column.name: column.is_private
        for rule in rules
        for column in rule.columns
        if column.is_private is not None
    }
    return TableRequest(relation=node, metrics=tuple(metrics), private=private)


def _judge(metric: CustomMetric) -> Callable[[object], bool | None]:
    assert metric.condition is not None
    return partial(holds, metric.condition)


def unused_selections(rules: QualityRules | None, found: Mapping[str, Sequence[TableRules]]) -> str | None:
    """Return a note on selections of the file that match no measured table; None if there are none."""
    used = {rule.line for several in found.values() for rule in several}
    unused = [rule.select for rule in rules.tables if rule.select and rule.line not in used] if rules else []
    if not unused or rules is None:
        return None
    return f"Selections of {rules.path} that match no measured table: {first_of(unused, _SHOWN)}"
