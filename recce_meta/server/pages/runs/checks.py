"""Pages of stored results of checks, and the forms in which reviewers mark nodes and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from recce_meta.api.browse.checks import CheckEntry, check_entries
from recce_meta.api.reviews import check_fingerprints, list_reviews, marks_of_checks, review, runs_of
from recce_meta.errors import UsageError
from recce_meta.models.checks import StoredCheck
from recce_meta.models.marks.review import PairReviews, Review, ReviewStatus
from recce_meta.report.addresses import Addresses
from recce_meta.report.data.check_findings import CHECK_MARKS, check_word
from recce_meta.report.labels import short_run_id
from recce_meta.report.review.phrases import marks_phrase
from recce_meta.server.access.problems import NotFound
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row

pages = PageSet()

RESULTS = 5_000
"""Most results in a list; older ones are left out."""


@pages.listing("/checks")
def checks(request: Request) -> Listing:
    """List the stored results of all checks: the worst of the latest first."""
    view = request.view
    found = view.cached("checks", lambda: check_entries(view.adapter, limit=RESULTS))
    found = sorted(found, key=lambda entry: (not entry.is_latest, rank(entry.check)))
    notes = (f"Only the last {RESULTS:,} results are listed.",) if len(found) >= RESULTS else ()
    return Listing(
        "Checks",
        [
            *check_columns(request.to, with_runs=True),
            ListColumn(
                "latest",
                "latest",
                "flag",
                has_facets=True,
                about="Whether it is the last result of the check in this environment.",
            ),
        ],
        _rows(found, request),
        empty="No check result is stored: recce-meta check run FILE --save stores them.",
        notes=notes,
        sql="SELECT * FROM check_history",
    )


@pages.listing("/checks/{check}/history")
def history(request: Request) -> Listing:
    """List the stored results of one check, newest first."""
    view, name = request.view, request.parts["check"]
    found = check_entries(view.adapter, check_name=name, limit=RESULTS)
    if not found:
        raise NotFound(
            f"No result of a check {name} is stored", hint="the list of checks has all stored results"
        )
    newest = found[0].check
    bad = sum(entry.check.status in ("failed", "error") for entry in found)
    notes = [f"{newest.check_type}: {newest.description}" if newest.description else newest.check_type]
    notes.append(f"{bad:,} of {len(found):,} stored results failed. The latest {_phrase(newest)}")
    notes += [f"{one.name}: {one.text}" for one in newest.findings[:FINDINGS_SHOWN]]
    return Listing(
        name,
        check_columns(request.to, with_runs=True)[1:],
        _rows(found, request),
        notes=notes,
        crumbs=[("Checks", request.to.checks())],
        template="check.html",
        values={"review_fields": _fields(newest, found, request)},
        sql="SELECT * FROM check_history WHERE check_name = 'NAME'",
    )


FINDINGS_SHOWN = 20


def _phrase(check: StoredCheck) -> str:
    words = _OUTCOMES.get(check.status, check.status)
    return f"{words}: {check.message}" if check.message else f"{words}."


_OUTCOMES = {"error": "ended with an error", "skipped": "was skipped"}


def rank(check: StoredCheck) -> int:
    """Return the position of a result among others: 0 is the worst."""
    # An outcome of a newer version comes first, so that it is noticed.
    return list(CHECK_MARKS).index(check_word(check)) if check_word(check) in CHECK_MARKS else 0


def worst_first(found: Iterable[StoredCheck]) -> list[StoredCheck]:
    """Return check results, the worst first."""
    return sorted(found, key=lambda check: (rank(check), check.ordinal, check.check_name))


def _tone(row: Row) -> str:
    """Return the class of an outcome; none for that of a newer version."""
    mark = CHECK_MARKS.get(row["outcome"])
    return mark.tone if mark is not None else ""


def check_columns(to: Addresses, *, with_runs: bool) -> list[ListColumn]:
    """Return the columns of a list of check results; *with_runs* adds runs, project and time."""
    columns = [
        ListColumn("check_name", "check", link=lambda row: to.check(row["check_name"])),
        ListColumn("outcome", "outcome", "tag", has_facets=True, tone=_tone),
        ListColumn("message", "finding"),
        ListColumn("differing_nodes", "nodes that differ", "number"),
        ListColumn("check_type", "type", has_facets=True),
        ListColumn("checked_at", "time", "time"),
        ListColumn("review", "review"),
    ]
    if not with_runs:
        return [*columns, ListColumn("description", "description")]
    return [
        *columns,
        ListColumn("project_name", "project", has_facets=True),
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("runs", "runs", "code", link=lambda row: row["address"], has_facets=True),
        ListColumn("seconds", "seconds", "seconds"),
        ListColumn("description", "description"),
        ListColumn("status", "status", has_facets=True),
    ]


def check_rows(found: Sequence[StoredCheck]) -> list[Row]:
    """Return the rows of check results."""
    return [_values(check) for check in found]


def reviewed_check_rows(checks: Iterable[StoredCheck], reviews: PairReviews) -> list[Row]:
    """Return the rows of the results of one pair of runs, the worst first, with the marks of reviewers."""
    found = worst_first(checks)
    marks = [marks_phrase(reviews.checks.get(check.check_name, ())) for check in found]
    return [{**row, "review": text} for row, text in zip(check_rows(found), marks, strict=True)]


def _values(check: StoredCheck) -> dict[str, Any]:
    # The message may be the first violation.
    phrases = [check.message, *(one for one in check.violations if one != check.message)]
    return {
        "check_name": check.check_name,
        "outcome": check_word(check),
        "status": check.status,
        "message": "; ".join(filter(None, phrases)),
        "differing_nodes": check.differing_nodes,
        "check_type": check.check_type,
        "checked_at": check.checked_at,
        "seconds": check.seconds,
        "description": check.description,
    }


def _rows(found: Sequence[CheckEntry], request: Request) -> list[Row]:
    """Return the rows of *found* with the marks of reviewers on those that are the last of their runs."""
    view = request.view
    events = view.cached("reviews", lambda: list_reviews(view.adapter))
    marks = marks_of_checks([entry.check for entry in found], events)
    return [
        {**_row(entry, request.to), "review": marks_phrase(marks.get(entry.check.check_result_id, ()))}
        for entry in found
    ]


def _fields(newest: StoredCheck, found: Sequence[CheckEntry], request: Request) -> ReviewFields | None:
    """Return the form that reviews the newest result; None if users may not write."""
    if not request.view.store.permissions.writes:
        return None
    base, current = runs_of(newest)
    same = [entry.check for entry in found if runs_of(entry.check) == (base, current)]
    fields = {
        "base": base,
        "current": current,
        "check": newest.check_name,
        "fingerprint": check_fingerprints(same)[newest.check_name],
    }
    # A check of one run has no base.
    return ReviewFields(request.to.reviews(), {name: value for name, value in fields.items() if value})


def _row(entry: CheckEntry, to: Addresses) -> dict[str, Any]:
    check, run = entry.check, entry.run
    address = None
    # Runs may be gone from the store, while results of their checks stay.
    if entry.base and entry.current and entry.base.run_id != entry.current.run_id:
        address = to.diff(entry.base.run_id, entry.current.run_id)
    return {
        **_values(check),
        "project_name": run and run.project_name,
        "environment": run and run.environment,
        "runs": _runs_phrase(check),
        "address": address,
        "latest": entry.is_latest,
    }


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
            reviewer=form.get("reviewer") or request.author or "",
            # From the page that the reviewer saw: a result that changed since then is not reviewed by it.
            fingerprint=form.get("fingerprint"),
        )
    return Redirect(reviewed_at(mark, request.to))


def reviewed_at(mark: Review, to: Addresses) -> str:
    """Return the page of what was reviewed."""
    if mark.unique_id is None:
        return to.check(str(mark.check_name))
    if mark.base_run_id is None:
        return to.node(mark.current_run_id, mark.unique_id)
    return to.diff(mark.base_run_id, mark.current_run_id, node=mark.unique_id)


@pages.listing("/reviews")
def reviews(request: Request) -> Listing:
    """List the marks of all reviewers, newest first."""
    view = request.view
    found = list_reviews(view.adapter, limit=MARKS)
    notes = ["Names are those that reviewers gave: recce_meta does not verify them."]
    notes += [f"Only the last {MARKS:,} marks are listed."] if len(found) >= MARKS else []
    notes += [] if view.store.permissions.writes else [f"To review on these pages, {ALLOW}."]
    withdrawn: set[tuple[str | None, ...]] = set()
    standing: set[str] = set()
    for mark in found:  # newest first
        # With the fingerprint, because a mark is about one version of the node or check.
        place = (mark.project_name, mark.unique_id, mark.check_name, mark.fingerprint, mark.reviewer)
        if mark.status == ReviewStatus.WITHDRAWN:
            withdrawn.add(place)
        elif place not in withdrawn:
            standing.add(mark.review_id)
    return Listing.of(
        "Reviews",
        [
            ListColumn("reviewed_at", "time", "time"),
            ListColumn("reviewer", "reviewer", has_facets=True),
            ListColumn(
                "status",
                "mark",
                "tag",
                has_facets=True,
                tone=lambda mark: TONES.get(mark.status, ""),
                about="A mark is about the version in its runs: pages show it as current only for that one.",
            ),
            ListColumn(
                "reviewed",
                "reviewed",
                "code",
                of=lambda mark: mark.unique_id or mark.check_name,
                link=lambda mark: reviewed_at(mark, request.to),
            ),
            ListColumn(
                "kind",
                "kind",
                has_facets=True,
                of=lambda mark: "check" if mark.unique_id is None else "node",
            ),
            ListColumn("comment", "comment"),
            ListColumn("runs", "runs", "code", of=_runs_phrase),
            ListColumn("project_name", "project", has_facets=True),
            ListColumn(
                "stands",
                "stands",
                "flag",
                has_facets=True,
                of=lambda mark: mark.review_id in standing,
                about="Whether the mark counts: the reviewer has not withdrawn it later.",
            ),
        ],
        found,
        empty="No review is stored: the page of a diff has a form for each changed node.",
        notes=notes,
        sql="SELECT * FROM reviews",
    )


def _runs_phrase(about: Review | StoredCheck) -> str:
    ids = [run_id for run_id in (about.base_run_id, about.current_run_id) if run_id]
    return " → ".join(map(short_run_id, ids))
