"""The pair of runs that a page reviews: its diff, and everything that is stored about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recce_meta.api.browse.diffs import PairReport, pair_report
from recce_meta.api.reviews import reviews_of_pair
from recce_meta.models.marks.annotation import AnnotatedObjects
from recce_meta.models.marks.review import PairReviews
from recce_meta.models.run import RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.html.listing import ReviewList, review_list
from recce_meta.report.html.nodes import PageNode, nodes_of
from recce_meta.report.labels import moment, pull_request, revision, short_run_id
from recce_meta.report.review.annotations import annotated_ids
from recce_meta.server.pages.runs.checks import ReviewFields
from recce_meta.server.site.annotations import annotated_nodes
from recce_meta.server.site.handlers import Redirect, Request
from recce_meta.server.stores.stores import StoreView

PARTS_OF_DIFF = 6
"""Number of parts of `/s/STORE/diff/BASE/CURRENT`, with the empty one before the first slash."""


def run_phrase(run: RunMetadata) -> str:
    """Return `prod 1f0a22c4, main@4c1d2aa, 2026-11-19 08:00 UTC`."""
    facts = [f"{run.environment} {short_run_id(run.run_id)}", revision(run), moment(run.run_at)]
    return ", ".join(filter(None, facts))


class ReportedPair(NamedTuple):
    """Two runs and their report."""

    base: RunMetadata
    current: RunMetadata
    report: PairReport
    nodes: Sequence[PageNode]
    """Changed nodes and nodes with data diffs."""
    to: Addresses
    reviews: PairReviews
    can_review: bool
    """True if the pages have forms of reviews."""
    annotations: AnnotatedObjects
    """Notes, tags and owners of changed and affected nodes."""

    def review_fields(self, unique_id: str) -> ReviewFields | None:
        """Return the form that reviews a node; None if users may not write."""
        sides = {"base": self.base.run_id, "current": self.current.run_id}
        return ReviewFields(self.to.reviews(), {**sides, "node": unique_id}) if self.can_review else None

    @property
    def address(self) -> str:
        """Page of the diff."""
        return self.to.diff(self.base.run_id, self.current.run_id)

    def view(self, **parameters: object) -> str:
        """Return the page of the diff with *parameters*, such as `node` and `tab`."""
        return self.to.diff(self.base.run_id, self.current.run_id, **parameters)

    def of_node(self, unique_id: str) -> str:
        """Return the page of the diff at a node."""
        return self.view(node=unique_id)

    def part(self, name: str, **parameters: object) -> str:
        """Return the address of a list of the diff, such as `changes.csv`."""
        return self.to.of("diff", self.base.run_id, self.current.run_id, name, **parameters)

    @property
    def title(self) -> str:
        """Pull request, or both runs."""
        sides = f"{short_run_id(self.base.run_id)} → {short_run_id(self.current.run_id)}"
        return pull_request(self.current) or f"Diff {sides}"

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Pages above those below the diff."""
        return [("Diff", self.to.of("diff")), (self.title.removeprefix("Diff "), self.address)]


def pair_of(request: Request) -> ReportedPair:
    """Return the pair of runs that the address names by ids or selectors."""
    # Without `project`: an ambiguous selector leads to the address with ids, see `serving`.
    base, current = (request.view.run(request.parts[side]) for side in ("base", "current"))
    return known_pair(request.view, base, current)


def with_ids(request: Request) -> Redirect | None:
    """Return the address with the ids of both runs, if it has selectors."""
    given = [request.parts[side] for side in ("base", "current")]
    ids = [request.view.run(selector, request.query.get("project")).run_id for selector in given]
    if ids == given:
        return None
    # Parts of the path still have the encoding of `segment`.
    below = "/".join(request.path.split("/")[PARTS_OF_DIFF:])
    # `project` has resolved the selectors; an address with ids no longer needs it.
    query = request.query.without("project").encoded()
    return Redirect("/".join(filter(None, (request.to.diff(*ids), below))) + query)


def known_pair(view: StoreView, base: RunMetadata, current: RunMetadata) -> ReportedPair:
    """Return the pair of two runs, from the cache if it is there."""
    return view.cached(("diff", base.run_id, current.run_id), lambda: _pair(view, base, current))


def known_list(view: StoreView, pair: ReportedPair) -> ReviewList:
    """Return the list of *pair*, from the cache if it is there."""
    return view.cached(
        ("review", pair.base.run_id, pair.current.run_id),
        lambda: review_list(pair.report.diff, pair.nodes, pair.report.data, pair.reviews),
    )


def _pair(view: StoreView, base: RunMetadata, current: RunMetadata) -> ReportedPair:
    report = pair_report(view.adapter, view.diff(base, current))
    reviews = reviews_of_pair(view.adapter, base, current)
    # One query for all nodes of the diff.
    annotations = annotated_nodes(view, current.project_name, annotated_ids(report.diff))
    nodes = nodes_of(report.diff, report.data)
    can_review = view.store.permissions.writes
    return ReportedPair(base, current, report, nodes, view.to, reviews, can_review, annotations)
