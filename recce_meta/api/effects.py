"""What the changes of a diff break, and what they reach: the rules of `recce_meta.diff`, with their facts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from recce_meta.api.parent_columns import ParentColumns
from recce_meta.api.run_facts import RunFacts
from recce_meta.diff.breaking import SQL_BUILT, readers_of_ephemeral, with_categories
from recce_meta.diff.reach import Reached, Readers, Reading, Start, reached_by
from recce_meta.diff.side import Side
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph import LineageGraph
from recce_meta.graph.columns.project import SECONDS
from recce_meta.graph.columns.project_dialects import dialect_of
from recce_meta.graph.columns.project_tokens import (
    ProjectNames,
    QueryNames,
    last_part,
    parent_name,
    parseable,
    schemas_key,
    unquoted,
)
from recce_meta.models import Change, LineageEdge, NodeMetadata, Reason, Status
from recce_meta.models.category import Category, SqlChange
from recce_meta.models.tokens import CLOSING, OPENING

if TYPE_CHECKING:
    from recce_meta.graph.columns.query import Query

Schemas = Mapping[str, Mapping[str, str]]

_BUILT_BY_SQL = SQL_BUILT | {"relation"}
"""What the unique ids begin with of those whose rows and columns a query tells: of relations, views read."""

BREAKING = SqlChange(category=Category.BREAKING)

WITHOUT_COLUMNS = (
    "{} was recorded without column lineage, so that more may count as impacted than really is; "
    "record it again, without --no-columns"
)

WITHOUT_REFERENCES = (
    "References not checked in {}: nodes that fail without a removed or renamed column may be missing; "
    "record it again"
)

_BY_PLACE = re.compile(
    rf"""
    \b(union | intersect | except | minus | insert)\b
    | \bby\s (?: (?!\bby\s) [^()] )*? \b\d  # an ordinal
    | {CLOSING}\s+(as\s+)?\w+\s*\(  # an alias with names for the columns
    | \(\s*{OPENING}[^{OPENING}{CLOSING}]*{CLOSING}\s*[,)]  # a row that is called like its relation
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What a text has in it if it reads columns by their place, unless it takes a whole row for a value."""

_INSERT = re.compile(
    r"\s* insert \s+ (?:into|overwrite) (?:\s+table)? \s+ [^\s(]+ \s* \(? \s* (?:select|with)\b",
    re.IGNORECASE | re.VERBOSE,
)
"""An INSERT that does not name the columns that it fills."""

_NAMED = re.compile(
    rf"""
    {OPENING}[^{OPENING}{CLOSING}]*?(\w+){CLOSING}(?:\s+(?:as\s+)?(\w+))?
    | \b(\w+)\s+as\s*\(
    | \)\s*(?:as\s+)?(\w+)\b(?!\s*(?:,|from\b))
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A relation and its alias, a CTE, a subquery: the names that a whole row may have."""

_ALONE = re.compile(
    r"(?<![\w.])(?<!from\s)(?<!join\s)(\w+)(?=\s*(?:[,)]|\bas\b(?!\s*\()|\bfrom\b))", re.IGNORECASE
)
"""A word that may be a value: `f(row)`, `row as value`, `select row from`."""


class Effects:
    """Tells of the changes between two runs what they break and reach."""

    def __init__(
        self,
        sides: tuple[Side, Side],
        facts: tuple[RunFacts, RunFacts],
        graph: LineageGraph,
        changed: Iterable[str],
    ) -> None:
        """*changed* are all nodes that changed, of which only some may be asked for."""
        self._sides, self._facts, self._graph = sides, facts, graph
        self._dialect = dialect_of(sides[1].adapter or sides[0].adapter) or ""
        self._columns = ParentColumns(facts, graph, changed)
        self._names: dict[int, ProjectNames] = {}
        self._read: dict[int, int] = {}
        self._compared: dict[str, SqlChange] = {}
        self._loses_columns = False
        self._resolved: dict[str, tuple[QueryNames, list[Query]]] = {}

    def of(self, changes: Mapping[str, Change]) -> tuple[dict[str, Change], dict[str, Reached]]:
        """*changes* with their categories, and what they reach; both sides' nodes must have their code."""
        self._read_ahead(changes.values())
        judged, effects, moved = with_categories(changes, *self._sides, self._compare)
        starts = [Start(unique_id, effect, unique_id) for unique_id, effect in effects.items()]
        through = readers_of_ephemeral(judged, *self._sides, self._graph, self._compare)
        starts += [
            Start(reader, effect, origin, distance) for reader, (origin, distance, effect) in through.items()
        ]
        starts += [
            Start(child, BREAKING, parent, 1)
            for parent in moved
            for child in self._graph.children(parent)
            if child.startswith("exposure.")
        ]
        base, current = self._facts
        self._loses_columns = any(
            column.status is Status.REMOVED for start in starts for column in start.effect.columns
        )
        readers = Readers(
            current.columns,
            base.columns,
            self._readings,
            self._namers,
            is_blind=not current.has_columns,
            has_references=not self._loses_columns or current.has_references,
        )
        return judged, reached_by(starts, self._graph, readers)

    def notes(self) -> Iterable[str]:
        """What could not be told, and why."""
        for facts, side in zip(self._facts, ("base", "current"), strict=True):
            if facts.lacks_columns:
                yield WITHOUT_COLUMNS.format(side)
            elif self._loses_columns and facts.has_columns and not facts.has_references:
                yield WITHOUT_REFERENCES.format(side)

    def _read_ahead(self, changes: Iterable[Change]) -> None:
        """Read all at once what comparing SQL needs."""
        ids = [
            change.unique_id
            for change in changes
            if change.status is Status.MODIFIED
            and change.resource_type in SQL_BUILT
            and not {Reason.BODY, Reason.COMPILED, Reason.MACROS, Reason.PARENTS}.isdisjoint(change.reasons)
        ]
        if ids:
            for facts in self._facts:
                facts.nodes(ids)

    def _compare(self, before: NodeMetadata, old: str, after: NodeMetadata, new: str) -> SqlChange:
        unique_id = after.unique_id
        if unique_id not in self._compared:
            self._compared[unique_id] = self._compare_sql(unique_id)
        return self._compared[unique_id]

    def _compare_sql(self, unique_id: str) -> SqlChange:
        from recce_meta.diff.semantic.compare import compare_sql  # parses: not needed where no SQL changed

        old, new = (self._query(index, unique_id) for index in (0, 1))
        # A relation is called alike on both sides, also where an environment has its own names for tables.
        relations = {**old.relations, **new.relations}
        found = compare_sql(
            parseable(old.tokenised, relations),
            parseable(new.tokenised, relations),
            self._dialect,
            self._schemas(0, old, relations),
            self._schemas(1, new, relations),
            timeout=SECONDS,
        )
        reasons = tuple(_readable(reason, relations) for reason in found.reasons)
        return SqlChange(category=found.category, columns=found.columns, reasons=reasons, moved=found.moved)

    def _query(self, index: int, unique_id: str) -> QueryNames:
        """The SQL of a node on one side, and what the relations in it are."""
        nodes = self._facts[index].nodes([unique_id])
        if len(nodes) != self._read.get(index):
            self._read[index] = len(nodes)
            self._names[index] = ProjectNames(nodes.values(), self._dialect)
        return self._names[index].of(nodes[unique_id])

    def _schemas(self, index: int, names: QueryNames, relations: Mapping[str, str]) -> Schemas:
        """The columns of all that a query reads, as far as they are known."""
        keys = _called(names, relations)
        columns = self._columns.of(index, keys)
        return {name: columns[key] for key, called in keys.items() if key in columns for name in called}

    def _readings(self, edges: Collection[LineageEdge]) -> dict[LineageEdge, Reading]:
        """How SQL reads its parents; what can neither read by place nor pass columns on is not parsed."""
        children = {edge.node_id for edge in edges}
        texts = self._facts[1].tokenised(children) if children else {}
        counts = {child: _may_read_by_place(sql) for child, sql in texts.items()}
        asked = [
            edge
            for edge in edges
            if edge.node_id in texts
            and f"{OPENING}{edge.parent_id}{CLOSING}" in (sql := texts[edge.node_id])
            and (counts[edge.node_id] or ("*" in sql and self._is_read_by_sql(edge.node_id)))
        ]
        self._facts[1].nodes({edge.node_id for edge in asked})
        found: dict[LineageEdge, Reading] = {}
        for edge in asked:
            names, queries = self._resolved_queries(edge.node_id)
            called = _called(names, names.relations).get(edge.parent_id)
            if queries and called:
                from recce_meta.diff.semantic import reads_by_position, reads_star

                by_place = counts[edge.node_id] and any(
                    reads_by_position(query, name) for query in queries for name in called
                )
                whole = any(reads_star(query, name) for query in queries for name in called)
                filled = whole and _INSERT.search(names.tokenised) is not None
                found[edge] = Reading(by_place or filled, whole)
        return found

    def _is_read_by_sql(self, unique_id: str) -> bool:
        kinds = {child.split(".", 1)[0] for child in self._graph.children(unique_id)}
        return not kinds.isdisjoint(_BUILT_BY_SQL)

    def _resolved_queries(self, unique_id: str) -> tuple[QueryNames, list[Query]]:
        """Return the SQL of a node of current, and its queries; none if it is not understood."""
        if unique_id not in self._resolved:
            from recce_meta.graph.columns import resolve_query, resolve_statements

            names = self._query(1, unique_id)
            queries: list[Query] = []
            with suppress(SqlNotAnalysed):
                schemas = self._schemas(1, names, names.relations)
                queries = [resolve_query(names.sql, self._dialect, schemas, timeout=SECONDS)]
                queries = resolve_statements(names.sql, self._dialect, schemas, timeout=SECONDS)
            self._resolved[unique_id] = names, queries
        return self._resolved[unique_id]

    def _namers(self, parent: str, children: Collection[str]) -> list[str]:
        token = f"{OPENING}{parent}{CLOSING}"
        return [child for child, sql in self._facts[1].tokenised(children).items() if token in sql]


def _called(names: QueryNames, relations: Mapping[str, str]) -> dict[str, list[str]]:
    """What a query calls each node that it reads."""
    found: dict[str, list[str]] = {}
    for name, unique_id in names.named.items():
        found.setdefault(unique_id, []).append(name)
    for unique_id in names.relations:
        found.setdefault(unique_id, []).append(schemas_key(unique_id, relations[unique_id]))
    return found


def _may_read_by_place(sql: str) -> bool:
    """Whether *sql* has anything in it that makes the place of a column matter."""
    if _BY_PLACE.search(sql):
        return True
    rows = {name.lower() for found in _NAMED.findall(sql) for name in found if name}
    return any(word.lower() in rows for word in _ALONE.findall(sql))


def _readable(reason: str, relations: Mapping[str, str]) -> str:
    """*reason* with the names of nodes in the place of those that were made for the comparison."""
    for unique_id, relation in relations.items():
        name = parent_name(unique_id)
        if name in reason:
            last = re.escape(unquoted(last_part(relation)))
            is_scanned = unique_id.startswith("relation.")
            label = unique_id.split(".", 1 if is_scanned else 2)[-1].replace("\\", "")
            reason = re.sub(rf"{name}(\W{{1,3}}{last}\b[\"`\]]?)?", label, reason)
    return reason
