"""How much a scan found, and how much of it is other than it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from recce_meta.diff.scanned import column_status
from recce_meta.models import Change, NodeMetadata, Project, RunDiff, Status
from recce_meta.models.kinds import SCHEMA, TABLES, VIEWS
from recce_meta.models.scan import ScanCounts, Tally

KINDS: Mapping[str, frozenset[str]] = {"schemas": frozenset([SCHEMA]), "tables": TABLES, "views": VIEWS}
"""What is counted together."""


def scan_counts(project: Project) -> ScanCounts:
    """What *project*, a scanned database, consists of."""
    kinds = Counter(node.resource_type for node in project.nodes)
    constraints = [one for node in project.nodes for one in node.properties.get("constraints", ())]
    return ScanCounts(
        **{name: sum(kinds[kind] for kind in group) for name, group in KINDS.items()},
        columns=sum(len(node.columns) for node in project.nodes),
        constraints=len(constraints),
        foreign_keys=sum(one.get("type") == "foreign_key" for one in constraints),
        indexes=sum(len(node.properties.get("indexes", ())) for node in project.nodes),
        edges=sum(len(node.parents) for node in project.nodes),
    )


def tallies(
    diff: RunDiff, current: Iterable[NodeMetadata], removed: Iterable[NodeMetadata]
) -> dict[str, Tally]:
    """Schemas, tables, views and columns of *diff*, whose *current* nodes are all there are now.

    *removed* are the nodes that went, whole. A relation of another kind counts as what it is now.
    """
    changes = {change.unique_id: change for change in diff.changes}
    now, gone = list(current), list(removed)
    found = {
        name: _tally(
            [changes.get(node.unique_id) for node in now if node.resource_type in group], gone, group
        )
        for name, group in KINDS.items()
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
        counts[Status.UNCHANGED] += len(node.columns) - statuses[Status.ADDED] - statuses[Status.MODIFIED]
    return Tally(**{status.value: counts[status] for status in Status})
