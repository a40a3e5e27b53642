"""Lists of the changes and of the affected nodes of a diff, as CSV and JSON; the review page shows both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recce_meta.models.change import Change
from recce_meta.report.diff_details import reach_phrase
from recce_meta.report.labels import TESTS, by_harm, main_reasons, node_label
from recce_meta.report.review.phrases import marks_phrase
from recce_meta.server.pages.runs.pair import ReportedPair, pair_of
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing

pages = PageSet()
IMPACTED_COLUMNS = ("name", "resource_type", "affected", "distance", "origin", "confidence")


@pages.table("/diff/{base}/{current}/changes")
def changes(request: Request) -> Listing:
    """List all changes, the most harmful first."""
    pair = pair_of(request)
    values: dict[str, Callable[[Change], Any]] = {
        "name": node_label,
        "status": lambda change: change.status,
        "category": lambda change: change.category,
        "resource_type": lambda change: change.resource_type,
        "reasons": lambda change: ", ".join(main_reasons(change)),
        "columns": lambda change: ", ".join(column.name for column in change.columns),
        "effect": lambda change: "; ".join(change.category_reasons),
        "path": lambda change: change.path,
        "review": lambda change: marks_phrase(pair.reviews.nodes.get(change.unique_id, ())),
        "unique_id": lambda change: change.unique_id,
    }
    columns = [ListColumn(name, name, of=value) for name, value in values.items()]
    return Listing.of("Changes", columns, by_harm(pair.report.diff.changed))


@pages.table("/diff/{base}/{current}/impacted")
def impacted_list(request: Request) -> Listing:
    """List all affected nodes, failing ones and the nearest first."""
    return impacted_listing(pair_of(request))


def impacted_listing(pair: ReportedPair, origin: str | None = None) -> Listing:
    """Return the affected nodes, of the change of *origin* if it is given; failing nodes are first."""
    found = [one for one in pair.report.diff.impacted if origin is None or one.origin == origin]
    found.sort(key=lambda one: (not one.fails, one.distance, one.resource_type in TESTS, node_label(one)))
    columns = [
        ListColumn(
            "name", "node", of=node_label, link=lambda one: pair.to.node(pair.current.run_id, one.unique_id)
        ),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn(
            "affected",
            "affected",
            of=lambda one: reach_phrase(one, 8) or (one.reach.value if one.reach else ""),
        ),
        ListColumn("distance", "steps", "number"),
        ListColumn("origin", "by the change of", "code", link=lambda one: pair.of_node(one.origin)),
        ListColumn(
            "confidence",
            "confidence",
            "share",
            about="That of the least certain step of the most certain path.",
        ),
        ListColumn("reach", "part", has_facets=True),
        ListColumn("fails", "fails", "flag", has_facets=True),
        ListColumn("may_fail", "may fail", has_facets=True, about="Why a removed column may make it fail"),
        ListColumn("unique_id", "unique id", "code"),
    ]
    return Listing.of("Affected nodes", columns, found)
