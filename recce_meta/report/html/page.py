"""HTML report: verdict, nodes, lineage, checks and details on one page.

The file is self-contained: its policy forbids every request, and allows its style and its script by their
hashes. The page is readable without the script, which only sorts, filters and unfolds.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from recce_meta.models.change import RunDiff
from recce_meta.models.checks import CheckReport
from recce_meta.models.data_diff import AnyDataDiff, RowCountDiff
from recce_meta.models.graph_view import GraphNode, GraphView
from recce_meta.models.marks.review import NO_CONTEXT, NO_REVIEWS, PairContext
from recce_meta.models.run import RunChoice, RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.data.summary import NodeSummary, data_summary
from recce_meta.report.data.verdicts import Outcome
from recce_meta.report.html.checks import check_rows, check_tiles
from recce_meta.report.html.drawer import DrawerNode, FileLinks, drawer_of, shown_in_file
from recce_meta.report.html.graph import Drawing, draw_lineage, view_of
from recce_meta.report.html.listing import ONLY, ReviewList, ReviewRow, review_list
from recce_meta.report.html.nodes import PageNode, nodes_of
from recce_meta.report.html.templates import render_template, static_file
from recce_meta.report.labels import (
    SEVERE,
    dirty_legend,
    moment,
    pull_request,
    revision,
    short_run_id,
    stored_phrase,
)
from recce_meta.report.review.parts import headline_of
from recce_meta.report.review.phrases import review_sentences
from recce_meta.report.review.verdict import Checks, verdict_of
from recce_meta.report.run_choice import choice_line, default_reason, header_notes

OPEN_NODES = 40
"""Number of node sections up to which they are unfolded."""

_FILTERS = {
    "": "all",
    "differs": "differs",
    "failed": "failed",
    "not-compared": "not compared",
    "partial": "partly compared",
    "one-sided": "one-sided",
    "same": "same",
    "code": "code only",
}


class Tile(NamedTuple):
    """Figure at the top of the page."""

    target: str
    """Section that the tile links to; may be empty."""
    figure: int
    text: str
    tone: str


class Lineage(NamedTuple):
    """Graph of the changes."""

    view: GraphView
    drawing: Drawing

    @property
    def nodes(self) -> Mapping[str, GraphNode]:
        """Drawn nodes by id."""
        return {node.id: node for node in self.view.nodes}


class FileReview(NamedTuple):
    """List, graph and drawer of a diff in a file."""

    found: ReviewList
    rows: Sequence[ReviewRow]
    """Rows that the file shows, without tests."""
    tests: Sequence[ReviewRow]
    listed: Sequence[DrawerNode]
    link: FileLinks
    others: Sequence[PageNode]
    """Compared nodes that are not part of the diff."""
    graph: Lineage | None

    @property
    def hidden(self) -> int:
        """Number of rows that the file does not show."""
        return len(self.found.rows) - len(self.rows) - len(self.tests)

    @property
    def by_id(self) -> Mapping[str, ReviewRow]:
        """Rows by unique id."""
        return {row.unique_id: row for row in self.found.rows}


def html_report(
    title: str,
    diff: RunDiff | None = None,
    results: Sequence[AnyDataDiff] = (),
    checks: Checks | None = None,
    choice: RunChoice | None = None,
    *,
    to: Addresses | None = None,
    context: PairContext = NO_CONTEXT,
) -> str:
    """Return one HTML document about all that is given; *title* is its heading.

    *choice* is how the runs of *results* or *checks* were chosen; that of *diff* is part of it. With *to*,
    the page links to the server's page of the diff, and severe changes to those of their nodes. *context* has
    the marks of reviewers, the notes, tags and owners of the nodes, and the source of added and removed
    nodes. Stored *checks* are part of the verdict only. Names and values are escaped: none can become markup
    or script.
    """
    nodes, run = nodes_of(diff, results), checks if isinstance(checks, CheckReport) else None
    review = _review(diff, nodes, results, context) if diff else None
    details = [node for node in nodes if node.has_section]
    sections = {
        "Nodes": nodes or review,
        "Checks": run and run.checks,
        "Lineage": review and review.graph,
        "Row counts": () if review else [one for one in results if isinstance(one, RowCountDiff)],
        "Details": () if review else details,
        "Notes": diff and diff.notes,
    }
    names = ("report.css", "review.css") if review else ("report.css",)
    style, script = "\n".join(map(static_file, names)), static_file("report.js")
    return render_template(
        "page.html",
        title=title,
        policy=_policy(style, script),
        style=style,
        script=script,
        diff=diff,
        review=review,
        sections=[name for name, content in sections.items() if content],
        nodes=nodes,
        checks=check_rows(run) if run else (),
        row_counts=sections["Row counts"],
        are_details_open=len(details) <= OPEN_NODES,
        tiles=() if review else _tiles(run, nodes),
        chips=_chips_of(review.found) if review else _chips(nodes),
        page=to.diff(diff.base.run_id, diff.current.run_id) if to and diff else "",
        addresses=_addresses(diff, to) if to and diff else {},
        reviews=context.reviews or NO_REVIEWS,
        annotations=context.annotations,
        **_head(title, diff, results, checks, choice, context),
    )


def _review(
    diff: RunDiff,
    nodes: Sequence[PageNode],
    results: Sequence[AnyDataDiff],
    context: PairContext,
) -> FileReview:
    found = review_list(diff, nodes, results, context.reviews or NO_REVIEWS)
    rows, tests = shown_in_file(found)
    listed, link = drawer_of(diff, found, nodes, context.code)
    others = [one.node for one in listed if one.row is None]
    return FileReview(found, rows, tests, listed, link, others, lineage_of(diff))


def _head(
    title: str,
    diff: RunDiff | None,
    results: Sequence[AnyDataDiff],
    checks: Checks | None,
    choice: RunChoice | None,
    context: PairContext,
) -> dict[str, Any]:
    """Return `heading_of`, with the first line that the review of the server has."""
    found = heading_of(diff, results, checks, choice, context)
    if diff is None:
        return found | {"headline": None}
    marks = None if context.reviews == NO_REVIEWS else context.reviews
    return found | {
        "headline": headline_of(diff, results, checks, marks),
        "pair": pull_request(diff.current) or title,
    }


def _addresses(diff: RunDiff, to: Addresses) -> dict[str, str]:
    """Return the server's pages of the nodes with severe changes, by unique id."""
    return {
        change.unique_id: to.diff(diff.base.run_id, diff.current.run_id, node=change.unique_id)
        for change in diff.changed
        if change.category in SEVERE
    }


def heading_of(
    diff: RunDiff | None,
    results: Sequence[AnyDataDiff],
    checks: Checks | None,
    choice: RunChoice | None,
    context: PairContext = NO_CONTEXT,
) -> dict[str, Any]:
    """Return the verdict, the runs, the meaning of `*` after a commit, and the review."""
    found = verdict_of(diff, results, checks)
    heading: dict[str, Any] = {
        "tone": found.tone,
        "sentences": found.sentences,
        "remarks": () if choice is None else (choice_line(choice), *choice.notes),
    }
    if diff is None:
        return heading
    remarks = [dirty_legend(diff.base, diff.current), *header_notes(diff)]
    remarks += review_sentences(diff, context.reviews)
    remarks += [] if context.taken_at is None else [f"{stored_phrase(context.taken_at)}."]
    return heading | {
        "project": " → ".join(dict.fromkeys((diff.base.project_name, diff.current.project_name))),
        "runs": [
            _run_label(side, run, default_reason(diff.choice, side))
            for side, run in (("base", diff.base), ("current", diff.current))
        ],
        "remarks": [remark for remark in remarks if remark],
    }


def _run_label(side: str, run: RunMetadata, reason: str) -> dict[str, str]:
    facts = [short_run_id(run.run_id), revision(run), pull_request(run), moment(run.run_at), reason]
    return {"side": side, "name": run.environment or side, "facts": " · ".join(filter(None, facts))}


def _policy(style: str, script: str) -> str:
    """Return the Content Security Policy: see https://www.w3.org/TR/CSP3/#source-list-syntax for hashes."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(inline: str) -> str:
    # Browsers hash what the elements contain, so the template must insert these texts unchanged.
    return f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'"


def _tiles(checks: CheckReport | None, nodes: Sequence[PageNode]) -> list[Tile]:
    """Return the figures at the top of a page without a diff, whose first lines have none."""
    tiles = [Tile("checks", figure, text, tone) for figure, text, tone in check_tiles(checks)]
    return tiles + _data_tiles([node.summary for node in nodes if node.summary])


def _data_tiles(compared: Sequence[NodeSummary]) -> list[Tile]:
    """Return tiles for differing nodes and nodes not compared; green only if all are equal."""
    if not compared:
        return []
    counts = data_summary(compared)
    tone = "differs" if counts.different else "same" if counts.same == counts.nodes else "quiet"
    tiles = [Tile("nodes", counts.different, f"of {counts.nodes:,} nodes differ in data", tone)]
    failed = sum(node.outcome is Outcome.FAILED for node in compared)
    if failed:
        tiles.append(Tile("nodes", failed, "could not be compared", "failed"))
    if counts.not_compared > failed:
        text = "not compared or partly compared"
        tiles.append(Tile("nodes", counts.not_compared - failed, text, "not-compared"))
    return tiles


def _chips(nodes: Sequence[PageNode]) -> list[tuple[str, str, int]]:
    """Return state, label and number of nodes of each filter."""
    states = Counter(node.state for node in nodes)
    return [
        (state, label, states[state] if state else len(nodes))
        for state, label in _FILTERS.items()
        if not state or states[state]
    ]


def _chips_of(found: ReviewList) -> list[tuple[str, str, int]]:
    """Return name, title and number of nodes of each filter of the list."""
    counts = [(name, title, sum(map(holds, found.rows))) for name, (title, holds) in ONLY.items()]
    return [("", "all", len(found.rows)), *counts]


def lineage_of(diff: RunDiff) -> Lineage | None:
    """Return the lineage of the changes, if any."""
    view = view_of(diff)
    drawing = draw_lineage(view)
    return Lineage(view, drawing) if drawing else None
