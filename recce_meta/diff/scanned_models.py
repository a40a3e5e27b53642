"""A scan of a database against a dbt run: what is there that no node makes, and what nodes claim that is not.

Relations are matched by schema and name, as the warehouse folds them. Only schemas that both sides know are
compared: a warehouse holds more than one project's tables.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from recce_meta.diff.columns import same_type
from recce_meta.diff.scanned_scope import Looked
from recce_meta.errors import UnknownNameError, first_of
from recce_meta.models import Change, ChangeDetail, Column, NodeMetadata, Project, Reason, Status
from recce_meta.models.kinds import RELATIONS, SCHEMA
from recce_meta.warehouses import warehouse_named

BUILT = frozenset(["model", "seed", "snapshot"])
CLAIMING = BUILT | {"source"}
"""Resource types that say that a relation is there."""
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
"""What each of dbt's materializations makes; of others that is not known."""

_NAMED = 5
_QUOTED = re.compile(r'(?:"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])$')
_PARAMETERS = re.compile(r"\s*\(.*\)\s*$")

Key = tuple[str, str]
"""Schema and name."""


class Drift(Struct, frozen=True):
    """What differs between a database and what a project says of it."""

    changes: dict[str, Change]
    """Of what both have, by the id of the project's node."""
    notes: tuple[str, ...]


def drift(base: Project, current: Project) -> Drift:
    """What differs from *base* to *current*, of which one is a scan and the other a dbt run."""
    is_current = current.run.extractor == "database"
    return (
        _Comparison(current, base, True).drift() if is_current else _Comparison(base, current, False).drift()
    )


class _Comparison:
    """Both sides, and how to turn what differs into changes."""

    def __init__(self, scan: Project, project: Project, scan_is_current: bool) -> None:
        self.scan, self.project, self._scan_is_current = scan, project, scan_is_current
        self._looked = Looked.of(scan.run)
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
        """The changes, and what was not compared."""
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
        """Where each claimed relation is, or should be; those of other databases, and of unseen schemas."""
        claims: dict[str, Key] = {}
        elsewhere: list[NodeMetadata] = []
        unseen: list[NodeMetadata] = []
        for node in self.project.nodes:
            if node.resource_type not in CLAIMING or not _has_place(node):
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
        ours, theirs = self.scan.run.target_database, node.database_name
        return ours is None or theirs is None or ours.casefold() == theirs.casefold()

    def _schema_of(self, node: NodeMetadata) -> str | None:
        """The schema of the scan that *node* is in; None where the scan did not see it."""
        name = node.schema_name or ""
        if name in self._schemas:
            return name
        folded = [schema for schema in self._schemas if schema.casefold() == name.casefold()]
        return folded[0] if len(folded) == 1 else None

    def _found(self, node: NodeMetadata) -> Key | None:
        """The relation that *node* means, if it is there."""
        schema, name = self._schema_of(node) or "", node.identifier or ""
        if (schema, name) in self._there:
            return schema, name
        if self._keeps_case and _QUOTED.search(node.relation_name or ""):
            return None
        fitting = self._by_fold.get(_folded((schema, name)), [])
        return fitting[0] if len(fitting) == 1 else None

    def _made_otherwise(self) -> Iterator[Key]:
        """What other nodes make: tests whose failures are kept."""
        for node in self.project.nodes:
            if node.resource_type not in CLAIMING and _has_place(node):
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
        """What it is from base to current, given what it is from the project to the database."""
        if self._scan_is_current:
            return from_project
        return Status.REMOVED if from_project is Status.ADDED else Status.ADDED

    def _detail(
        self, reason: Reason, key: str, claimed: str | None, actual: str | None
    ) -> Iterator[ChangeDetail]:
        sides = (claimed, actual) if self._scan_is_current else (actual, claimed)
        yield ChangeDetail(reason, key, *sides)

    def _kind(self, node: NodeMetadata, there: NodeMetadata) -> Iterator[ChangeDetail]:
        expected = KINDS.get(node.materialized or "") if node.resource_type in BUILT else None
        if expected is not None and there.resource_type not in expected:
            yield from self._detail(Reason.CONFIG, "materialized", node.materialized, there.resource_type)

    def _columns(self, node: NodeMetadata, there: NodeMetadata) -> Iterator[ChangeDetail]:
        """Columns that are claimed and not there, or otherwise; others too where a catalog told all."""
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
        """Whether two catalogs may mean one type: one of them may leave out lengths and precisions."""
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
            f"A database and a dbt run are compared: {there} is what exists and no node makes or declares, "
            f"{claimed} is what a node claims and does not exist, modified what differs from the claim"
        )
        if others:
            yield (
                f"Not compared: {_relations(sum(others.values()))} of the database in schemas "
                f"that the run does not use ({first_of(sorted(others), _NAMED)})"
            )
        if unseen:
            names = sorted({node.schema_name or "" for node in unseen})
            yield (
                f"Not compared: {_relations(len(unseen))} of the run that the scan did not look for, or in "
                f"schemas that it did not find ({first_of(names, _NAMED)})"
            )
        if elsewhere:
            names = sorted({node.database_name or "" for node in elsewhere})
            yield (
                f"Not compared: {_relations(len(elsewhere))} of the run in other databases "
                f"({first_of(names, _NAMED)})"
            )
        if self._documented:
            yield (
                f"Only documented columns are known of {_nodes(self._documented)}: "
                "record the run with catalog.json to compare all"
            )
        if self._unknown:
            yield f"No columns are known of {_nodes(self._unknown)}: record the run with catalog.json"


def _keeps_case(adapter: str | None) -> bool:
    try:
        return adapter is not None and warehouse_named(adapter).quotes_keep_case
    except UnknownNameError:
        return False


def _has_place(node: NodeMetadata) -> bool:
    return (
        bool(node.relation_name and node.schema_name and node.identifier) and node.materialized != "ephemeral"
    )


def _folded(key: Key) -> Key:
    return key[0].casefold(), key[1].casefold()


def _like(claimed: Column, there: Mapping[str, Column]) -> Column | None:
    """The column of that name, in whatever case where that leaves one."""
    if claimed.name in there:
        return there[claimed.name]
    fitting = [column for name, column in there.items() if name.casefold() == claimed.name.casefold()]
    return fitting[0] if len(fitting) == 1 else None


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
    return f"{count:,} relation{'s' * (count != 1)}"


def _nodes(names: Sequence[str]) -> str:
    return f"{len(names):,} node{'s' * (len(names) != 1)} ({first_of(sorted(names), _NAMED)})"
