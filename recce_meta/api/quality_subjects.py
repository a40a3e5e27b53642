"""Which tables `quality` measures, and which rules of a file of metrics are about each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial

from msgspec import Struct

from recce_meta.api.inspecting import find_node, ids_by_name
from recce_meta.api.measuring import Wanted
from recce_meta.api.one_run import OneRun
from recce_meta.api.places import has_relation
from recce_meta.api.statistics import BUILT
from recce_meta.diff.data.quality_metrics import Metric
from recce_meta.diff.quality_figures import holds
from recce_meta.errors import ConfigurationError, SelectorError, UsageError, first_of
from recce_meta.extractors.live import EXTRACTOR, Scope
from recce_meta.graph import build_lineage_graph, nearest_names, select
from recce_meta.models import NodeMetadata
from recce_meta.models.kinds import RELATIONS
from recce_meta.models.quality_rules import CustomMetric, QualityRules, TableRules

WITH_ROWS = RELATIONS | {"model", "seed", "snapshot", "source"}
"""Resource types that can be measured."""
MEASURED = frozenset(["table", "materialized_view"])
"""Of a scan, what is measured unless something else is selected: views are asked for their rows only on
demand, and an external table may cost by the byte."""
_QUOTES = re.compile(r"[\"`\[\]]")
_GRAMMAR = re.compile(r"[:+@,\s]")
_SHOWN = 5


class Chosen(Struct, frozen=True, kw_only=True):
    """What is to be measured of a run."""

    names: tuple[str, ...] = ()
    """Nodes by name, `schema.table` or unique id."""
    selection: tuple[str, ...] = ()
    """In dbt's selection grammar."""
    exclude: tuple[str, ...] = ()
    """Globs of `name` or `schema.name`, or dbt's selection grammar."""
    scope: Scope = Scope()
    """Schemas, and globs of relations; not held against nodes that are named."""
    may_be_empty: bool = False
    """Whether a selection may name no table."""


class Subjects:
    """The nodes of one run, by everything that they may be called."""

    def __init__(self, run: OneRun) -> None:
        self._run = run
        self._nodes = run.names
        self._by_name = ids_by_name(self._nodes)
        for unique_id, node in self._nodes.items():
            if node.resource_type in RELATIONS:
                self._by_name.setdefault(".".join(node.fqn), []).append(unique_id)

    def chosen(self, chosen: Chosen, rules: QualityRules | None = None) -> list[NodeMetadata]:
        """The nodes to measure, whole, by unique id; where none are named or selected, those of *rules* too.

        Raises SelectorError for a name of no node or of several, or of one without rows, and where nothing is
        chosen at all.
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
        nodes = self._run.whole(sorted(ids)).values()
        found = [
            node
            for node in sorted(nodes, key=lambda node: node.unique_id)
            if has_relation(node)
            and ((not is_open and node.unique_id in named) or _is_in(node, chosen.scope))
            and not (is_open and node.properties.get("partition_of") and node.unique_id not in named)
        ]
        if not found and not chosen.may_be_empty:
            raise SelectorError("No table is chosen: there is nothing to measure", hint=self._hint(chosen))
        return found

    def named(self, name: str) -> str:
        """The unique id of the node that *name* means."""
        try:
            unique_id = find_node(name, self._nodes, self._by_name)
        except SelectorError:
            placed = self._placed(name)
            if len(placed) != 1:
                raise
            unique_id = placed[0]
        node = self._nodes[unique_id]
        if not self._has_rows(unique_id):
            kind = node.materialized if node.materialized == "ephemeral" else node.resource_type
            raise SelectorError(f"'{unique_id}' is of type {kind}, and has no rows to measure")
        return unique_id

    def selected(self, selection: Sequence[str]) -> set[str]:
        """The unique ids that dbt's grammar selects."""
        project = self._run.project
        nodes = {node.unique_id: node for node in project.nodes}
        return set(
            select(
                selection,
                nodes,
                build_lineage_graph(project.nodes, project.edges),
                results={result.unique_id: result for result in project.results},
                project_name=project.run.project_name,
                dbt_version=project.run.dbt_version,
            )
        )

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """The tests that read one of *ids*."""
        return [] if self._run.run.extractor == EXTRACTOR else self._run.tests_of(ids)

    def _placed(self, name: str) -> list[str]:
        """Nodes whose relation is *name*: `schema.table`, or with the database before it."""
        if "." not in name:
            return []
        wanted = _QUOTES.sub("", name).casefold()
        return [
            unique_id
            for unique_id, node in self._nodes.items()
            if node.relation_name
            and f".{_QUOTES.sub('', node.relation_name).casefold()}".endswith(f".{wanted}")
        ]

    def _has_rows(self, unique_id: str) -> bool:
        node = self._nodes.get(unique_id)
        return node is not None and node.resource_type in WITH_ROWS and node.materialized != "ephemeral"

    def _is_default(self, node: NodeMetadata) -> bool:
        if self._run.run.extractor == EXTRACTOR:
            return node.resource_type in MEASURED
        return node.resource_type in BUILT and node.materialized != "ephemeral"

    def _excluded(self, exclude: Sequence[str], ids: Iterable[str]) -> set[str]:
        globs = [text for text in exclude if not _GRAMMAR.search(text)]
        found = {
            unique_id
            for unique_id in ids
            if _fits_any([self._nodes[unique_id].name, ".".join(self._nodes[unique_id].fqn)], globs)
        }
        grammar = [text for text in exclude if text not in globs]
        return found | (self.selected(grammar) if grammar else set())

    def _hint(self, chosen: Chosen) -> str | None:
        if chosen.selection or chosen.exclude or chosen.scope.schemas or chosen.scope.include:
            grammar = "dbt's selection grammar names nodes, and --schema, --include and --exclude take globs"
            names = sorted({node.name for node in self._nodes.values()})
            near = nearest_names(chosen.selection, names)
            return "; ".join([*(near or [grammar]), "--allow-empty accepts an empty selection"])
        views = sum(node.resource_type in RELATIONS for node in self._nodes.values())
        if views:
            return "views and external tables are measured where they are named: -s resource_type:view"
        return "the run has no table of its own"


def _bare(relation: str) -> str:
    return _QUOTES.sub("", relation).casefold()


def _is_in(node: NodeMetadata, scope: Scope) -> bool:
    schema = node.schema_name or ""
    folded = {name.casefold() for name in scope.schemas}
    if scope.schemas and not _fits_any([schema], scope.schemas) and schema.casefold() not in folded:
        return False
    return not scope.include or _fits_any([node.name, f"{schema}.{node.name}"], scope.include)


def _fits_any(names: Iterable[str], globs: Sequence[str]) -> bool:
    return any(name == glob or fnmatchcase(name, glob) for name in names for glob in globs)


def rules_by_table(
    rules: QualityRules | None, subjects: Subjects, chosen: Sequence[NodeMetadata]
) -> dict[str, list[TableRules]]:
    """What the file says of each of *chosen*, by unique id.

    Raises ConfigurationError, with the line, for a table that is none of the run, and for a metric that two
    entries give one table.
    """
    found: dict[str, list[TableRules]] = {}
    if rules is None:
        return found
    ids = {node.unique_id for node in chosen}
    for rule in rules.tables:
        for unique_id in _of_rule(rule, rules, subjects):
            if unique_id in ids:
                found.setdefault(unique_id, []).append(rule)
    for unique_id, several in found.items():
        _refuse_twice(rules, unique_id, several)
    return found


def _named(rule: TableRules, rules: QualityRules, subjects: Subjects) -> str:
    """The node that an entry of the file names."""
    (found,) = _of_rule(rule, rules, subjects)
    return found


def _of_rule(rule: TableRules, rules: QualityRules, subjects: Subjects) -> Iterable[str]:
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
                f"{rules.path}:{metric.line}: the metric '{metric.name}' of {unique_id} stands in line "
                f"{line} already"
            )


def _metrics(rule: TableRules) -> list[tuple[str | None, CustomMetric]]:
    of_columns = [(column.name, metric) for column in rule.columns for metric in column.metrics]
    return [*((None, metric) for metric in rule.metrics), *of_columns]


def wanted(node: NodeMetadata, rules: Sequence[TableRules]) -> Wanted:
    """*node* with the metrics that *rules* give it, and which of its columns they say to be private."""
    metrics = [
        Metric(
            name=metric.name,
            sql=metric.sql,
            column=column,
            threshold=None if metric.condition is None else metric.condition.text,
            holds=None if metric.condition is None else _judge(metric),
        )
        for rule in rules
        for column, metric in _metrics(rule)
    ]
    private = {
        column.name: column.is_private
        for rule in rules
        for column in rule.columns
        if column.is_private is not None
    }
    return Wanted(relation=node, metrics=tuple(metrics), private=private)


def _judge(metric: CustomMetric) -> Callable[[object], bool | None]:
    assert metric.condition is not None
    return partial(holds, metric.condition)


def not_looked_at(rules: QualityRules | None, found: Mapping[str, Sequence[TableRules]]) -> str | None:
    """The note on selections of the file that are about none of the tables that are measured."""
    used = {rule.line for several in found.values() for rule in several}
    unused = [rule.select for rule in rules.tables if rule.select and rule.line not in used] if rules else []
    if not unused or rules is None:
        return None
    return f"Of {rules.path}, nothing that is measured is selected by: {first_of(unused, _SHOWN)}"
