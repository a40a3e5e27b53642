"""Scan of a database compared with a dbt run: relations without a node, and nodes without a relation.

Relations are matched by schema and name, folded as in the warehouse. Only schemas that both sides contain are
compared, because a warehouse holds the tables of several projects. The effects of a relation's change are
those on its readers: a new constraint rejects new rows but does not change existing ones.
docs/reference/scan.md has the rules for users.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from recce_meta.diff.properties import same_type
from recce_meta.diff.scan import ORDER, ScanCoverage, column_of, column_status, rows_come_from_elsewhere
from recce_meta.errors import UnknownNameError, first_of, plural
from recce_meta.models import Change, ChangeDetail, Column, NodeMetadata, Project, Reason, RunDiff, Status
from recce_meta.models.catalog import RELATIONS, SCHEMA, TABLES, VIEWS
from recce_meta.models.change import Category, ColumnChange, ScanCounts, SqlChange, Tally
from recce_meta.models.node import matching_name
from recce_meta.warehouses import warehouse_named

BUILT = frozenset(["model", "seed", "snapshot"])
CLAIMING = BUILT | {"source"}
"""Resource types that expect a relation to exist."""
KINDS: Mapping[str, frozenset[str]] = {
    "view": frozenset(["view"]),
    "table": frozenset(["table"]),
    "incremental": frozenset(["table"]),
    "seed": frozenset(["table"]),
    "snapshot": frozenset(["table"]),
    "materialized_view": frozenset(["materialized_view"]),
    "dynamic_table": frozenset(["materialized_view", "table"]),
    "streaming_table": frozenset(["materialized_view", "table"]),
}
"""Relation kinds that dbt's materializations create; unlisted materializations are not checked."""

_NAMED = 5
_QUOTED = re.compile(r'(?:"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])$')
_PARAMETERS = re.compile(r"\s*\(.*\)\s*$")

Key = tuple[str, str]
"""Schema and name."""


class Drift(Struct, frozen=True):
    """Differences between a database and a project."""

    changes: dict[str, Change]
    """Changes by unique id, of the project's node if it has one."""
    notes: tuple[str, ...]


def drift(base: Project, current: Project) -> Drift:
    """Return the differences between *base* and *current*, one of which is a scan, the other a dbt run."""
    is_current = current.run.extractor == "database"
    return (
        _DriftFinder(current, base, True).drift()
        if is_current
        else _DriftFinder(base, current, False).drift()
    )


class _DriftFinder:
    """Comparison of one scan with one dbt run."""

    def __init__(self, scan: Project, project: Project, scan_is_current: bool) -> None:
        self.scan, self.project, self._scan_is_current = scan, project, scan_is_current
        self._looked = ScanCoverage.of(scan.run)
        self._adapter = scan.run.adapter_type or project.run.adapter_type
        self._keeps_case = _keeps_case(self._adapter)
        self._there = {
            (node.schema_name or "", node.name): node
            for node in scan.nodes
            if node.resource_type in RELATIONS
        }
        self._schemas = {node.name for node in scan.nodes if node.resource_type == SCHEMA}
        self._schemas |= {schema for schema, _ in self._there}
        self._by_fold: dict[Key, list[Key]] = defaultdict(list)
        for key in self._there:
            self._by_fold[_folded(key)].append(key)
        self._documented: list[str] = []
        self._unknown: list[str] = []

    def drift(self) -> Drift:
        """Return the changes and notes on what was not compared."""
        claims, elsewhere, unseen = self._claims()
        known = {schema for schema, _ in claims.values()}
        found = {node.unique_id: self._claimed(node, claims[node.unique_id]) for node in self._nodes(claims)}
        made = {*claims.values(), *self._made_otherwise()}
        beyond = [key for key in self._there if key not in made]
        for key in beyond:
            if key[0] in known:
                node = self._there[key]
                found[node.unique_id] = _change(node, self._status(Status.ADDED))
        others = Counter(schema for schema, _ in beyond if schema not in known)
        changes = {unique_id: change for unique_id, change in sorted(found.items()) if change is not None}
        return Drift(changes, tuple(self._notes(others, elsewhere, unseen)))

    def _nodes(self, claims: Mapping[str, Key]) -> Iterator[NodeMetadata]:
        return (node for node in self.project.nodes if node.unique_id in claims)

    def _claims(self) -> tuple[dict[str, Key], list[NodeMetadata], list[NodeMetadata]]:
        """Return the place of each expected relation, and nodes of other databases or schemas not scanned."""
        claims: dict[str, Key] = {}
        elsewhere: list[NodeMetadata] = []
        unseen: list[NodeMetadata] = []
        for node in self.project.nodes:
            if node.resource_type not in CLAIMING or not _has_relation(node):
                continue
            schema = self._schema_of(node)
            if not self._is_in_database(node):
                elsewhere.append(node)
            elif schema is None or not self._looked.sees(schema, node.identifier):
                unseen.append(node)
            else:
                claims[node.unique_id] = self._found(node) or (schema, node.identifier or "")
        return claims, elsewhere, unseen

    def _is_in_database(self, node: NodeMetadata) -> bool:
        # An unknown database on one side must not exclude every node.
        ours, theirs = self.scan.run.target_database, node.database_name
        return ours is None or theirs is None or ours.casefold() == theirs.casefold()

    def _schema_of(self, node: NodeMetadata) -> str | None:
        """Return the scan's schema that contains *node*, or None if the scan does not include it."""
        name = node.schema_name or ""
        if name in self._schemas:
            return name
        folded = [schema for schema in self._schemas if schema.casefold() == name.casefold()]
        return folded[0] if len(folded) == 1 else None

    def _found(self, node: NodeMetadata) -> Key | None:
        """Return the existing relation that *node* refers to, or None."""
        schema, name = self._schema_of(node) or "", node.identifier or ""
        if (schema, name) in self._there:
            return schema, name
        # A quoted name in another case is another relation.
        if self._keeps_case and _QUOTED.search(node.relation_name or ""):
            return None
        fitting = self._by_fold.get(_folded((schema, name)), [])
        return fitting[0] if len(fitting) == 1 else None

    def _made_otherwise(self) -> Iterator[Key]:
        """Yield existing relations of other nodes, such as stored test failures."""
        for node in self.project.nodes:
            if node.resource_type not in CLAIMING and _has_relation(node):
                found = self._found(node)
                if found is not None:
                    yield found

    def _claimed(self, node: NodeMetadata, key: Key) -> Change | None:
        there = self._there.get(key)
        if there is None:
            return _change(node, self._status(Status.REMOVED))
        details = [*self._kind(node, there), *self._columns(node, there)]
        return _change(node, Status.MODIFIED, details) if details else None

    def _status(self, from_project: Status) -> Status:
        """Return the status from base to current, given the status from project to database."""
        if self._scan_is_current:
            return from_project
        return Status.REMOVED if from_project is Status.ADDED else Status.ADDED

    def _detail(
        self, reason: Reason, key: str, claimed: str | None, actual: str | None
    ) -> Iterator[ChangeDetail]:
        # Details lead from base to current, whichever of them is the scan.
        sides = (claimed, actual) if self._scan_is_current else (actual, claimed)
        yield ChangeDetail(reason, key, *sides)

    def _kind(self, node: NodeMetadata, there: NodeMetadata) -> Iterator[ChangeDetail]:
        expected = KINDS.get(node.materialized or "") if node.resource_type in BUILT else None
        if expected is not None and there.resource_type not in expected:
            yield from self._detail(Reason.CONFIG, "materialized", node.materialized, there.resource_type)

    def _columns(self, node: NodeMetadata, there: NodeMetadata) -> Iterator[ChangeDetail]:
        """Yield missing and different columns; extra columns only if the project's come from a catalog."""
        if not node.columns:
            self._unknown.append(node.label)
            return
        if node.columns_from != "catalog":
            self._documented.append(node.label)
        left = {column.name: column for column in there.columns}
        for claimed in node.columns:
            actual = _like(claimed, left)
            if actual is None:
                yield from self._detail(Reason.COLUMNS, claimed.name, claimed.type or "", None)
                continue
            del left[actual.name]
            if claimed.type and not self._same_type(claimed.type, actual.type):
                yield from self._detail(Reason.COLUMNS, actual.name, claimed.type, actual.type or "")
        for column in left.values() if node.columns_from == "catalog" else ():
            yield from self._detail(Reason.COLUMNS, column.name, None, column.type or "")

    def _same_type(self, claimed: str, actual: str | None) -> bool:
        """Return True if two catalogs may mean the same type; one of them may omit length and precision."""
        if actual is None or same_type(claimed, actual, self._adapter):
            return True
        plain = [_PARAMETERS.sub("", text) for text in (claimed, actual)]
        leaves_out = (plain[0] == claimed) != (plain[1] == actual)
        return leaves_out and same_type(plain[0], plain[1], self._adapter)

    def _notes(
        self, others: Mapping[str, int], elsewhere: Sequence[NodeMetadata], unseen: Sequence[NodeMetadata]
    ) -> Iterator[str]:
        there, claimed = ("added", "removed") if self._scan_is_current else ("removed", "added")
        yield (
            f"A database is compared with a dbt run: {there} relations have no node, {claimed} relations "
            "are expected by a node but do not exist, modified relations differ from their node"
        )
        if others:
            yield (
                f"Not compared: {_relations(sum(others.values()))} of the database in schemas "
                f"that the run does not use ({first_of(sorted(others), _NAMED)})"
            )
        if unseen:
            names = sorted({node.schema_name or "" for node in unseen})
            yield (
                f"Not compared: {_relations(len(unseen))} of the run that the scan excluded, or in schemas "
                f"that it did not find ({first_of(names, _NAMED)})"
            )
        if elsewhere:
            names = sorted({node.database_name or "" for node in elsewhere})
            yield (
                f"Not compared: {_relations(len(elsewhere))} of the run in other databases "
                f"({first_of(names, _NAMED)})"
            )
        if self._documented:
            yield (
                f"Only documented columns are known for {_nodes(self._documented)}: "
                "record the run with catalog.json to compare all"
            )
        if self._unknown:
            yield f"No columns are known for {_nodes(self._unknown)}: record the run with catalog.json"


def _keeps_case(adapter: str | None) -> bool:
    try:
        return adapter is not None and warehouse_named(adapter).quotes_keep_case
    except UnknownNameError:
        return False


def _has_relation(node: NodeMetadata) -> bool:
    return bool(node.relation_name and node.schema_name and node.identifier) and not node.is_ephemeral


def _folded(key: Key) -> Key:
    return key[0].casefold(), key[1].casefold()


def _like(claimed: Column, there: Mapping[str, Column]) -> Column | None:
    """Return the column with that name, ignoring case if that is unambiguous."""
    name = matching_name(claimed.name, there)
    return None if name is None else there[name]


def _change(node: NodeMetadata, status: Status, details: Iterable[ChangeDetail] = ()) -> Change:
    found = tuple(details)
    reasons = {detail.reason for detail in found}
    return Change(
        unique_id=node.unique_id,
        name=node.label,
        resource_type=node.resource_type,
        path=node.path,
        status=status,
        reasons=tuple(reason for reason in Reason if reason in reasons),
        details=found,
    )


def _relations(count: int) -> str:
    return plural(count, "relation")


def _nodes(names: Sequence[str]) -> str:
    return f"{plural(len(names), 'node')} ({first_of(sorted(names), _NAMED)})"


OTHER_VALUES = frozenset(["generated", "collation"])
"""Column attributes that affect the values or their comparison; the other attributes only affect writers."""

BY_SQL = frozenset([Reason.BODY, Reason.PARENTS])


def scanned_effects(
    change: Change, before: NodeMetadata, after: NodeMetadata, of_sql: Callable[[], SqlChange]
) -> Iterator[SqlChange]:
    """Yield the effect of each detail of *change*; *of_sql* compares the queries of a view."""
    are_views = before.resource_type in VIEWS and after.resource_type in VIEWS
    if are_views and not BY_SQL.isdisjoint(change.reasons):
        yield of_sql()
    for detail in change.details:
        match detail.reason:
            case Reason.COLUMNS:
                yield _of_column(detail)
            case Reason.CONTRACT:
                yield SqlChange(category=Category.NON_BREAKING, reasons=("constraints changed",))
            case Reason.CONFIG:
                yield _of_config(detail, before, after)
            case _:
                pass


def _of_column(detail: ChangeDetail) -> SqlChange:
    if detail.key == ORDER:
        return SqlChange(category=Category.NON_BREAKING, moved=True)
    name, attribute = column_of(detail.key)
    if attribute is not None and attribute not in OTHER_VALUES:
        reason = f"{attribute.replace('_', ' ')} of {name} changed"
        return SqlChange(category=Category.NON_BREAKING, reasons=(reason,))
    if attribute is not None:
        reason = f"{attribute} of {name} changed"
        return _touching(ColumnChange(name, Status.MODIFIED), Category.PARTIAL_BREAKING, reason)
    if detail.base is None:
        return _touching(ColumnChange(name, Status.ADDED), Category.NON_BREAKING)
    if detail.current is None:
        return _touching(ColumnChange(name, Status.REMOVED), Category.PARTIAL_BREAKING)
    reason = f"type of {name} changed"
    return _touching(ColumnChange(name, Status.MODIFIED), Category.PARTIAL_BREAKING, reason)


def _touching(column: ColumnChange, category: Category, *reasons: str) -> SqlChange:
    return SqlChange(category=category, columns=(column,), reasons=reasons)


def _of_config(detail: ChangeDetail, before: NodeMetadata, after: NodeMetadata) -> SqlChange:
    key = detail.key.partition(".")[0]
    if key == "owner":
        return SqlChange(category=Category.NONE)
    if key == "materialized":
        reasons = (f"{detail.base} → {detail.current}".replace("_", " "),)
        other_rows = rows_come_from_elsewhere(before, after)
        return SqlChange(category=Category.BREAKING if other_rows else Category.NON_BREAKING, reasons=reasons)
    if key == "options" and "external_table" in (before.resource_type, after.resource_type):
        return SqlChange(category=Category.UNKNOWN, reasons=(f"{detail.key} changed",))  # e.g. its files
    return SqlChange(category=Category.NON_BREAKING, reasons=(f"{key.replace('_', ' ')} changed",))


SUMMARY_KINDS: Mapping[str, frozenset[str]] = {
    "schemas": frozenset([SCHEMA]),
    "tables": TABLES,
    "views": VIEWS,
}
"""Resource types that are counted together."""


def scan_counts(project: Project) -> ScanCounts:
    """Return the object counts of *project*, a scanned database."""
    kinds = Counter(node.resource_type for node in project.nodes)
    constraints = [one for node in project.nodes for one in node.properties.get("constraints", ())]
    return ScanCounts(
        **{name: sum(kinds[kind] for kind in group) for name, group in SUMMARY_KINDS.items()},
        columns=sum(len(node.columns) for node in project.nodes),
        constraints=len(constraints),
        foreign_keys=sum(one.get("type") == "foreign_key" for one in constraints),
        indexes=sum(len(node.properties.get("indexes", ())) for node in project.nodes),
        edges=sum(len(node.parents) for node in project.nodes),
    )


def tallies(
    diff: RunDiff, current: Iterable[NodeMetadata], removed: Iterable[NodeMetadata]
) -> dict[str, Tally]:
    """Return change counts of schemas, tables, views and columns in *diff*.

    *current* are all nodes of the current scan, *removed* the removed nodes with their columns. A relation
    that changed its kind is counted under its current kind.
    """
    changes = {change.unique_id: change for change in diff.changes}
    now, gone = list(current), list(removed)
    found = {
        name: _tally(
            [changes.get(node.unique_id) for node in now if node.resource_type in group], gone, group
        )
        for name, group in SUMMARY_KINDS.items()
    }
    return {**found, "columns": _columns(changes, now, gone)}


def _tally(changes: list[Change | None], gone: list[NodeMetadata], group: frozenset[str]) -> Tally:
    statuses = Counter(Status.UNCHANGED if change is None else change.status for change in changes)
    return Tally(
        added=statuses[Status.ADDED],
        removed=sum(node.resource_type in group for node in gone),
        modified=statuses[Status.MODIFIED],
        unchanged=statuses[Status.UNCHANGED],
    )


def _columns(changes: Mapping[str, Change], now: list[NodeMetadata], gone: list[NodeMetadata]) -> Tally:
    counts: Counter[Status] = Counter()
    counts[Status.REMOVED] = sum(len(node.columns) for node in gone)
    for node in now:
        change = changes.get(node.unique_id)
        if change is not None and change.status is Status.ADDED:
            counts[Status.ADDED] += len(node.columns)
            continue
        statuses = Counter(column_status(change.details).values()) if change is not None else Counter()
        counts.update(statuses)
        # Removed columns are no longer among the columns of the node.
        counts[Status.UNCHANGED] += len(node.columns) - statuses[Status.ADDED] - statuses[Status.MODIFIED]
    return Tally(**{status.value: counts[status] for status in Status})
