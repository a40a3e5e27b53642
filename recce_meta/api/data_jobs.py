"""Data diffs as jobs: what the commands, the checks and `diff --data` have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from recce_meta.api.comparing_data import Job
from recce_meta.api.places import Places
from recce_meta.api.subjects import Sides
from recce_meta.diff.data.counts import row_counts
from recce_meta.diff.data.plan import Plan
from recce_meta.diff.data.schema import stored_schema_diff
from recce_meta.diff.data.source import Pair
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import AnyDataDiff, Subject

PairPlan = Callable[[Pair], Plan[AnyDataDiff]]


def row_count_job(places: Places, chosen: Sequence[Sides]) -> Job:
    """The rows of all of *chosen*, counted together."""
    counted = [sides.countable(places) for sides in chosen]
    return Job("row_count_diff", Subject(name="row counts"), partial(row_counts, counted))


def each(diff: str, places: Places, chosen: Sequence[Sides], plan: PairPlan) -> list[Job]:
    """One job of type *diff* for each of *chosen*: what *plan* makes of its two sides."""
    pairs = [sides.pair(places) for sides in chosen]
    return [Job(diff, pair.subject, partial(plan, pair)) for pair in pairs]


def stored_schema_jobs(places: Places, chosen: Sequence[Sides]) -> list[Job]:
    """How the columns differ that were recorded with both runs; nothing is asked of the warehouse."""
    jobs = []
    for sides in chosen:
        subject = sides.pair(places).subject
        base, current = (
            side.columns if isinstance(side, NodeMetadata) else None for side in (sides.base, sides.current)
        )
        documented = [
            name
            for name, side in (("base", sides.base), ("current", sides.current))
            if isinstance(side, NodeMetadata) and side.columns_from == "manifest"
        ]
        result = stored_schema_diff(subject, base, current, places.current, documented=documented)
        jobs.append(Job("schema_diff", subject, partial(known, result)))
    return jobs


def known(result: AnyDataDiff) -> Plan[AnyDataDiff]:
    """A plan that has nothing to ask."""
    yield from ()
    return result
