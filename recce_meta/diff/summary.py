"""The whole answer of a diff: changes, what they touch, and what could not be compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec.structs import replace

from recce_meta.diff.reach import Reached
from recce_meta.graph import LineageGraph
from recce_meta.models import Change, Impact, LineageEdge, NodeMetadata, RunDiff, RunMetadata, Status
from recce_meta.models.change import Reach, ReachedBy


def changed_ids(changes: Mapping[str, Change]) -> list[str]:
    """The added, removed and modified ones."""
    return [unique_id for unique_id, change in changes.items() if change.status is not Status.UNCHANGED]


def run_diff(
    base: RunMetadata,
    current: RunMetadata,
    changes: Mapping[str, Change],
    graph: LineageGraph,
    named: Mapping[str, NodeMetadata],
    unseen: Iterable[str] = (),
    notes: Iterable[str] = (),
    unselected: Collection[str] = (),
    reached: Mapping[str, Reached] | None = None,
) -> RunDiff:
    """*changes* with what they touch in *graph*, which has the edges of both runs.

    *named* holds at least every node that the changes touch; *unseen* are seeds whose rows no artifact
    tells; *notes* go before what is said of them; *unselected* nodes changed too, and are not asked for.
    Only nodes that are *reached* are impacted; without it, all downstream are.
    """
    changed = changed_ids(changes)
    downstream = {
        unique_id: place
        for unique_id, place in graph.impact(changed).items()
        if unique_id in named and unique_id not in unselected
    }
    impacted = list(_impacts(downstream, named, reached))
    children = [LineageEdge(child, parent) for parent in changed for child in graph.children(parent)]
    return RunDiff(
        base=base,
        current=current,
        changes=tuple(
            _with_reach(changes[unique_id], (reached or {}).get(unique_id)) for unique_id in sorted(changes)
        ),
        impacted=tuple(sorted(impacted, key=lambda impact: (impact.distance, impact.unique_id))),
        unreached=len(downstream) - len(impacted),
        children=tuple(sorted(children)),
        names={
            unique_id: named[unique_id].label
            for edge in children
            for unique_id in (edge.node_id, edge.parent_id)
            if unique_id in named
        },
        notes=(*notes, *_notes(sorted(unseen))),
    )


def _impacts(
    downstream: Mapping[str, tuple[int, str]],
    named: Mapping[str, NodeMetadata],
    reached: Mapping[str, Reached] | None,
) -> Iterator[Impact]:
    for unique_id, (distance, origin) in downstream.items():
        node = named[unique_id]
        impact = Impact(
            unique_id=unique_id,
            name=node.label,
            resource_type=node.resource_type,
            distance=distance,
            origin=origin,
        )
        if reached is None:
            yield impact
        elif found := reached.get(unique_id):
            yield replace(
                impact,
                distance=found.distance,
                origin=found.origin,
                reach=found.reach,
                columns=tuple(sorted(found.columns)) if found.reach is Reach.COLUMNS else (),
                confidence=found.fails or found.confidence,
                fails=found.fails > 0,
            )


def _with_reach(change: Change, found: Reached | None) -> Change:
    """*change* with what other changes do to the node; what is new or gone has no readers to tell it to."""
    if found is None or change.status is not Status.MODIFIED:
        return change
    return replace(
        change,
        reached=ReachedBy(
            origins=tuple(sorted(found.origins)),
            reach=found.reach,
            columns=tuple(sorted(found.columns)) if found.reach is Reach.COLUMNS else (),
            confidence=found.fails or found.confidence,
            fails=found.fails > 0,
        ),
    )


def is_unseen_seed(before: NodeMetadata, after: NodeMetadata) -> bool:
    """Whether the rows are unknown: over 1 MiB to dbt, and the file was not at hand on both sides."""
    if after.resource_type != "seed" or "path" not in (before.checksum_rule, after.checksum_rule):
        return False
    return not (before.code_hash and after.code_hash) and before.checksum_rule == after.checksum_rule


def _notes(unseen: list[str]) -> Iterable[str]:
    if unseen:
        names = ", ".join(unique_id.split(".", 2)[-1] for unique_id in unseen)
        yield (
            f"Rows not compared: {names} (over 1 MiB, which dbt does not hash; "
            "record where the files of the seeds are)"
        )
