"""Reviews: the form that stores a mark, and the list of all marks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from recce_meta.api.reviews import list_reviews, review
from recce_meta.errors import UsageError
from recce_meta.models.marks.review import Review, ReviewStatus
from recce_meta.report.addresses import Addresses, segment
from recce_meta.report.labels import short_run_id
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing

pages = PageSet()


class ReviewFields(NamedTuple):
    """Form of a review: where it is sent, and what it is about."""

    action: str
    hidden: Mapping[str, str]


MARKS = 5_000
"""Most marks in a list; older ones are left out."""
TONES = {
    ReviewStatus.APPROVED.value: "same",
    ReviewStatus.SEEN.value: "info",
    ReviewStatus.WITHDRAWN.value: "one-sided",
}
"""Classes of the report's style sheet by mark."""
ALLOW = "start the server with recce-meta serve --allow-writes"


@pages.action("/reviews")
def add(request: Request) -> Redirect:
    """Store the mark of a form, and show the reviewed node or check with it."""
    form, store = request.form, request.view.store
    store.permissions.require_writes()
    if not form.get("current"):
        raise UsageError("The form names no run", hint="review a node or a check on its page")
    with store.writing() as adapter:
        mark = review(
            adapter,
            form.get("node"),
            form["current"],
            form.get("base"),
            check=form.get("check"),
            status=form.get("status", ReviewStatus.APPROVED.value),
            comment=form.get("comment", ""),
            reviewer=form.get("reviewer", ""),
            # From the page that the reviewer saw: a result that changed since then is not reviewed by it.
            fingerprint=form.get("fingerprint"),
            schema=request.view.schema,
        )
    return Redirect(reviewed_at(mark, request.to, form.get("place")))


def reviewed_at(mark: Review, to: Addresses, place: str | None = None) -> str:
    """Return the page of what was reviewed; with *place* `diff`, its section on the page of the diff."""
    if mark.unique_id is None:
        return to.check(str(mark.check_name))
    if mark.base_run_id is None:
        return to.node(mark.current_run_id, mark.unique_id)
    if place == "diff":
        return f"{to.diff(mark.base_run_id, mark.current_run_id)}#node-{segment(mark.unique_id)}"
    return to.diff_node(mark.base_run_id, mark.current_run_id, mark.unique_id) + "#review"


@pages.listing("/reviews")
def reviews(request: Request) -> Listing:
    """List the marks of all reviewers, newest first."""
    view = request.view
    found = list_reviews(view.adapter, limit=MARKS, schema=view.schema)
    notes = ["Names are those that reviewers gave: recce_meta does not verify them."]
    notes += [f"Only the last {MARKS:,} marks are listed."] if len(found) >= MARKS else []
    notes += [] if view.store.permissions.writes else [f"To review on these pages, {ALLOW}."]
    known: set[tuple[str | None, ...]] = set()
    rows = []
    for mark in found:  # newest first
        # With the fingerprint, because a mark is about one version of the node or check.
        place = (mark.project_name, mark.unique_id, mark.check_name, mark.fingerprint, mark.reviewer)
        rows.append(_row(mark, request.to, is_last=place not in known))
        known.add(place)
    return Listing(
        "Reviews",
        [
            ListColumn("reviewed_at", "time", "time"),
            ListColumn("reviewer", "reviewer", has_facets=True),
            ListColumn(
                "status",
                "mark",
                "tag",
                has_facets=True,
                tone=lambda row: TONES.get(row["status"], ""),
                about="A mark is about the version in its runs: pages show it as current only for that one.",
            ),
            ListColumn("reviewed", "reviewed", "code", link=lambda row: row["_address"]),
            ListColumn("kind", "kind", has_facets=True),
            ListColumn("comment", "comment"),
            ListColumn("runs", "runs", "code"),
            ListColumn("project_name", "project", has_facets=True),
            ListColumn(
                "last",
                "last",
                "flag",
                has_facets=True,
                about="Whether it is the last mark of the reviewer on this version; only last marks count.",
            ),
        ],
        rows,
        empty="No review is stored: the page of a diff has a form for each changed node.",
        notes=notes,
        sql="SELECT * FROM reviews",
    )


def _row(mark: Review, to: Addresses, *, is_last: bool) -> Mapping[str, Any]:
    ids = [run_id for run_id in (mark.base_run_id, mark.current_run_id) if run_id]
    return {
        "reviewed_at": mark.reviewed_at,
        "reviewer": mark.reviewer,
        "status": mark.status,
        "reviewed": mark.unique_id or mark.check_name,
        "kind": "check" if mark.unique_id is None else "node",
        "comment": mark.comment,
        "runs": " → ".join(map(short_run_id, ids)),
        "project_name": mark.project_name,
        "last": is_last,
        "_address": reviewed_at(mark, to),
    }
