"""What a data diff is asked about: nodes of two runs, by name or selection, or pairs of relations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.api.comparing import NOTHING_MORE, Question, diff_of_pair
from recce_meta.api.places import Places, Relation, absence
from recce_meta.api.run_pair import WITH_DATA, RunPair
from recce_meta.diff.data.counts import Countable
from recce_meta.diff.data.source import Pair
from recce_meta.errors import UsageError
from recce_meta.models import NodeMetadata, RunDiff


class Sides(Struct, frozen=True):
    """One subject on both sides."""

    base: Relation
    current: Relation
    name: str | None = None
    """What to call it; None: as the node or relation is called."""
    reason: str | None = None
    """Why it is on neither side, where that is known."""
    base_stale: str | None = None
    """Why base holds data of an earlier build."""
    current_stale: str | None = None

    @property
    def node(self) -> NodeMetadata | None:
        """The node, current's where both sides have one; None for relations that are named outright."""
        return next((side for side in (self.current, self.base) if isinstance(side, NodeMetadata)), None)

    def pair(self, places: Places) -> Pair:
        """The two sides as plans take them."""
        pair = places.pair(self.base, self.current, name=self.name)
        if not (self.base_stale or self.current_stale):
            return pair
        subject = replace(
            pair.subject,
            base_stale=self.base_stale if pair.base else None,
            current_stale=self.current_stale if pair.current else None,
        )
        return replace(pair, subject=subject)

    def countable(self, places: Places) -> Countable:
        """The two sides for counting, with the reason for each that cannot be."""
        return Countable(
            pair=self.pair(places),
            base_reason=self.reason or absence(self.base, "current"),
            current_reason=self.reason or absence(self.current, "base"),
        )

    def of_current(self) -> Sides:
        """The current side alone, under the same name."""
        name = self.name if self.node is None else self.node.label
        return Sides(None, self.current, name, self.reason, current_stale=self.current_stale)


def node_sides(runs: RunPair, ids: Iterable[str], *, whole: bool = True) -> list[Sides]:
    """The two sides of each of *ids*, with a remark on each that holds data of an earlier build.

    Nodes need not be *whole* to be named and found.
    """
    wanted = list(ids)
    found = runs.sides(wanted) if whole else runs.placed(wanted)
    return [
        Sides(
            base,
            current,
            base_stale=runs.base.stale.get(unique_id),
            current_stale=runs.current.stale.get(unique_id),
        )
        for unique_id, (base, current) in zip(wanted, found, strict=True)
    ]


def subjects(
    runs: RunPair | None,
    tables: Sequence[tuple[str, str]],
    names: Sequence[str],
    selection: Sequence[str] = (),
    exclude: Sequence[str] = (),
    *,
    whole: bool = True,
) -> list[Sides]:
    """The subjects that the user names: relations, or nodes of *runs* by name and by dbt's selection grammar.

    Where nodes need not be *whole*, they may have names and relations alone, which is quicker.
    Raises UsageError where none is named, and SelectorError where a name is not one node's.
    """
    if runs is None:
        if names or selection or exclude:
            raise UsageError("--tables names the relations: there are no nodes to choose from")
        return [Sides(base, current) for base, current in tables]
    if not names and not selection:
        raise UsageError(
            "No node is named", hint="name one or more nodes, or use --select, or --tables BASE CURRENT"
        )
    found = [*runs.named(names), *(runs.selected(selection, exclude) if selection else ())]
    return node_sides(runs, dict.fromkeys(found), whole=whole)


def touched(runs: RunPair) -> list[Sides]:
    """The nodes with data that changed between *runs*, and then those downstream of them, nearest first."""
    return touched_by(diff_of_pair(runs.base, runs.current, NOTHING_MORE), runs)


def touched_by(diff: RunDiff, runs: RunPair) -> list[Sides]:
    """The nodes with data that *diff*, of *runs*, has changed, and those downstream of them."""
    return node_sides(runs, _touched_ids(diff, runs))


def asked_by(diff: RunDiff, runs: RunPair, question: Question) -> list[Sides]:
    """The nodes that *diff* touches, then others that *question* selects and both sides have.

    Changes that are not selected may reach a selected node, so that each is compared. With `exclude` alone,
    only nodes that any change of *runs* touches are.
    """
    ids = _touched_ids(diff, runs)
    if question.selection or question.exclude:
        more = runs.selected(question.selection, question.exclude)
        if not question.selection:
            asked = Question(like_dbt=question.like_dbt)
            touched = set(_touched_ids(diff_of_pair(runs.base, runs.current, asked), runs))
            more = [unique_id for unique_id in more if unique_id in touched]
        known = set(ids)
        ids += [
            unique_id
            for unique_id in more
            if unique_id not in known and unique_id in runs.base.names and unique_id in runs.current.names
        ]
    return node_sides(runs, ids)


def _touched_ids(diff: RunDiff, runs: RunPair) -> list[str]:
    ids = [change.unique_id for change in diff.changed] + [impact.unique_id for impact in diff.impacted]
    nodes = runs.names
    return [
        unique_id for unique_id in ids if unique_id in nodes and nodes[unique_id].resource_type in WITH_DATA
    ]
