"""Plan of a build: the nodes that must be built so that the data are those of the current run's code.

A node must be built if it changed, other than in formatting or environment, or if a change affects its rows,
values, or columns. What was not traced counts as affected. Tests are run for each node that is built.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from recce_meta.models import NodeMetadata
from recce_meta.models.change import Category, Change, RunDiff, Status
from recce_meta.models.node_types import BUILT
from recce_meta.report.labels import TESTS

_KEEPING = frozenset({"incremental", "snapshot", "materialized_view", "dynamic_table"})
"""Materializations whose next build may leave rows as they are."""
PERHAPS_OLD = "existing rows may keep their values until a full refresh"


class PlannedNode(Struct, frozen=True, kw_only=True):
    """Node that must be built."""

    unique_id: str
    resource_type: str
    why: str
    """`added`, `modified`, or the change upstream that affects it."""
    existing_rows: tuple[str, ...] = ()
    """What the build does with rows that the table holds already; a full refresh may be needed."""


class BuildPlan(Struct, frozen=True, kw_only=True):
    """Nodes that must be built, in an order without meaning, and what is left."""

    nodes: tuple[PlannedNode, ...]
    removed: tuple[str, ...]
    """Nodes whose relations are left in the warehouse."""
    skipped: int
    """Number of downstream nodes that no change affects."""
    tests: int
    """Number of changed or affected tests."""

    @property
    def full_refresh(self) -> tuple[str, ...]:
        """Nodes whose existing rows keep what the old code made, unless they are built anew."""
        return tuple(node.unique_id for node in self.nodes if node.existing_rows)


def plan_build(diff: RunDiff, nodes_by_id: Mapping[str, NodeMetadata]) -> BuildPlan:
    """Return the nodes that the changes of *diff* require to be built.

    *nodes_by_id* are those of the current run, by unique id, with their materializations.
    """

    def existing(unique_id: str, known: tuple[str, ...], *, is_reached: bool) -> tuple[str, ...]:
        node = nodes_by_id.get(unique_id)
        keeps = node is None or node.materialized in _KEEPING
        return (*known, PERHAPS_OLD) if is_reached and keeps else known

    nodes = [
        PlannedNode(
            unique_id=change.unique_id,
            resource_type=change.resource_type,
            why=change.status.value,
            existing_rows=existing(
                change.unique_id, change.about_existing, is_reached=change.reached is not None
            ),
        )
        for change in diff.changed
        if _must_be_built(change)
    ]
    planned = {node.unique_id for node in nodes}
    nodes += [
        PlannedNode(
            unique_id=impact.unique_id,
            resource_type=impact.resource_type,
            why=f"after {impact.origin}",
            existing_rows=existing(impact.unique_id, (), is_reached=True),
        )
        for impact in diff.impacted
        if impact.resource_type in BUILT and impact.unique_id not in planned
    ]
    planned.update(node.unique_id for node in nodes)
    more = [
        PlannedNode(
            unique_id=unique_id,
            resource_type=unique_id.split(".", 1)[0],
            why="gets the columns that a change adds, removes or moves",
            existing_rows=existing(unique_id, (), is_reached=True),
        )
        for unique_id in diff.reshaped
        if unique_id in nodes_by_id and unique_id not in planned and unique_id.split(".", 1)[0] in BUILT
    ]
    tests = sum(one.resource_type in TESTS for one in diff.changed)
    tests += sum(one.resource_type in TESTS for one in diff.impacted)
    removed = [c.unique_id for c in diff.changed if c.status is Status.REMOVED and c.resource_type in BUILT]
    changed = {change.unique_id for change in diff.changed}
    skipped = diff.unreached - sum(node.unique_id not in changed for node in more)
    return BuildPlan(nodes=(*nodes, *more), removed=tuple(removed), skipped=skipped, tests=tests)


def _must_be_built(change: Change) -> bool:
    if change.status is Status.REMOVED or change.resource_type not in BUILT:
        return False
    # An upstream change affects a node whose own change is harmless.
    return change.category is not Category.NONE or change.reached is not None
