"""What a data diff is asked about: nodes of two runs, by name or selection, or pairs of relations."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from recce_meta.api.comparing import NOTHING_MORE, diff_of_pair
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

    @property
    def node(self) -> NodeMetadata | None:
        """The node, current's where both sides have one; None for relations that are named outright."""
        return next((side for side in (self.current, self.base) if isinstance(side, NodeMetadata)), None)

    def pair(self, places: Places) -> Pair:
        """The two sides as plans take them."""
        return places.pair(self.base, self.current, name=self.name)

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
        return Sides(None, self.current, name, self.reason)


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
    ids = dict.fromkeys(found)
    return [Sides(*both) for both in (runs.sides(ids) if whole else runs.placed(ids))]


def touched(runs: RunPair) -> list[Sides]:
    """The nodes with data that changed between *runs*, and then those downstream of them, nearest first."""
    return touched_by(diff_of_pair(runs.base, runs.current, NOTHING_MORE), runs)


def touched_by(diff: RunDiff, runs: RunPair) -> list[Sides]:
    """The nodes with data that *diff*, of *runs*, has changed, and those downstream of them."""
    ids = [change.unique_id for change in diff.changed] + [impact.unique_id for impact in diff.impacted]
    nodes = runs.names
    wanted = [
        unique_id for unique_id in ids if unique_id in nodes and nodes[unique_id].resource_type in WITH_DATA
    ]
    return [Sides(*both) for both in runs.sides(wanted)]
