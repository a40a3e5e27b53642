"""Pages of a diff: the report, one changed node, and lists of changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup
from msgspec.structs import replace

from recce_meta.api.browse.diffs import PairReport, pair_report
from recce_meta.api.reviews import reviews_of_pair
from recce_meta.errors import UsageError, quoted
from recce_meta.models.change import Category, Change, Impact, Reason, Status
from recce_meta.models.data_diff import (
    AnyDataDiff,
    HistogramDiff,
    ProfileDiff,
    QueryDiff,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.marks.annotation import AnnotatedObjects, AnnotationTarget
from recce_meta.models.marks.review import PairReviews
from recce_meta.models.run import RunMetadata
from recce_meta.report.addresses import Addresses, segment
from recce_meta.report.data.summary import key_of
from recce_meta.report.diff_details import CONTEXT, effect_label, is_text, reach_phrase
from recce_meta.report.html.nodes import EFFECT_CLASSES, PageNode, code_details, nodes_of
from recce_meta.report.html.page import Tile, heading_of, lineage_of, tiles_of
from recce_meta.report.html.side_by_side import CodeDiff, CodeRow, side_by_side
from recce_meta.report.labels import (
    TESTS,
    by_harm,
    main_reasons,
    moment,
    node_label,
    revision,
    short_run_id,
    unaffected,
)
from recce_meta.report.review.annotations import annotated_ids
from recce_meta.report.review.phrases import marks_phrase, progress_phrase
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.forms.offers import forms_in_diff, start_rows_of
from recce_meta.server.pages.runs.checks import CHECK_TONES, ReviewFields, check_columns, reviewed_check_rows
from recce_meta.server.site.annotations import NotesPanel, annotated_nodes, notes_panel
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page, environment, highlighted
from recce_meta.server.stores.stores import StoreView
from recce_meta.tables.gaps import counts_differ

pages = PageSet()

ROWS_SHOWN = 50
"""Nodes in the table of the report."""
DETAILS_SHOWN = 25
DETAILS_CHARACTERS = 70_000
"""Size of the sections of nodes; further nodes are links to their pages."""
SECTION_CHARACTERS = 20_000
"""Size of a section, above which its data diffs are sentences."""
DRAWING_CHARACTERS = 50_000
IMPACTED_SHOWN = 25
IMPACTED_COLUMNS = ("name", "resource_type", "affected", "distance", "origin", "confidence")
COUNTS_SHOWN = 50
CODE_ROWS = 80
"""Rows of code in the section of a node."""
CODE_ROWS_OF_NODE = 500
"""Rows of code on the page of a node."""
CODE_CHARACTERS = 70_000
ROW_CHARACTERS = 90
"""Size of a row of code without its lines."""
DATA_CHARACTERS = 70_000
"""Size of the data diffs on the page of a node."""
ROWS_OF_NODE = (100, 50, 20, 5)
COLUMNS_OF_NODE = (50, 20, 10, 5, 3, 1)
PARTS_OF_DIFF = 6
"""Number of parts of `/s/STORE/diff/BASE/CURRENT`, with the empty one before the first slash."""
SEVERE = {Category.BREAKING: 1, Category.PARTIAL_BREAKING: 2, Category.UNKNOWN: 2}


_KINDS = (SchemaDiff, ValueDiff, RowsDiff, ValueDetail, ProfileDiff, TopKDiff, HistogramDiff, QueryDiff)
"""Data diffs of a node in their order."""


def _place(result: AnyDataDiff) -> int:
    """Return the position of a data diff among those of a node."""
    return next((place for place, kind in enumerate(_KINDS) if isinstance(result, kind)), len(_KINDS))


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
    """Changed nodes and nodes with data diffs, breaking first."""
    to: Addresses
    reviews: PairReviews
    can_review: bool
    """True if the pages have forms of reviews."""
    annotations: AnnotatedObjects
    """Notes, tags and owners of changed and affected nodes."""

    def review_fields(self, unique_id: str, place: str) -> ReviewFields | None:
        """Return the form that reviews a node, and shows *place* afterwards; None if users may not write."""
        sides = {"base": self.base.run_id, "current": self.current.run_id}
        fields = ReviewFields(self.to.reviews(), {**sides, "node": unique_id, "place": place})
        return fields if self.can_review and unique_id else None

    @property
    def address(self) -> str:
        """Page of the diff."""
        return self.to.diff(self.base.run_id, self.current.run_id)

    def of_node(self, unique_id: str) -> str:
        """Return the page of a node of the diff."""
        return self.to.diff_node(self.base.run_id, self.current.run_id, unique_id)

    def part(self, name: str, **parameters: object) -> str:
        """Return the address of a list of the diff: `changes` or `impacted`."""
        return self.to.of("diff", self.base.run_id, self.current.run_id, name, **parameters)

    def tabs(self, current: str) -> list[tuple[str, str, bool]]:
        """Return title and address of each tab of the diff, and True for the one called *current*."""
        tabs = {
            "Report": self.address,
            "Lineage": self.to.diff_graph(self.base.run_id, self.current.run_id),
        }
        return [(title, address, title == current) for title, address in tabs.items()]

    @property
    def title(self) -> str:
        """Heading of the pages below the diff."""
        return f"Diff {short_run_id(self.base.run_id)} → {short_run_id(self.current.run_id)}"

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


def _pair(view: StoreView, base: RunMetadata, current: RunMetadata) -> ReportedPair:
    report = pair_report(view.adapter, base, current, view.diff(base, current))
    found = nodes_of(report.diff, report.data)
    ranks = {change.unique_id: rank for rank, change in enumerate(by_harm(report.diff.changed), 1)}

    def order(node: PageNode) -> tuple[int, int]:
        change = node.change
        fails = change is not None and change.fails
        rank = 0 if fails else SEVERE.get(change.category, 4) if change and change.category else 4
        # A proven difference of data comes before changes that are harmless by their code.
        if node.state in ("failed", "differs"):
            rank = min(rank, 3)
        return rank, ranks.get(node.unique_id, 0 if change is None else len(ranks))

    found.sort(key=order)
    nodes = [
        node._replace(
            # By id, because links of comments and of reviews lead to the section of a node.
            anchor=f"node-{segment(node.unique_id)}" if node.unique_id else f"data-{index}",
            results=sorted(node.results, key=lambda result: _place(result)),
        )
        for index, node in enumerate(found, 1)
    ]
    reviews = reviews_of_pair(view.adapter, base, current, schema=view.schema)
    can_review = view.store.permissions.writes
    # One query for all nodes of the diff.
    annotations = annotated_nodes(view, current.project_name, annotated_ids(report.diff))
    return ReportedPair(base, current, report, nodes, view.to, reviews, can_review, annotations)


@pages.page("/diff/{base}/{current}")
def report_page(request: Request) -> Page | Redirect:
    """Show the report of two runs."""
    if (redirect := with_ids(request)) is not None:
        return redirect
    pair, view = pair_of(request), request.view
    diff, nodes, ids = pair.report.diff, pair.nodes, (pair.base.run_id, pair.current.run_id)
    sections = list(_sections(pair, view))
    # Links lead to a section if the page has it, and else to the page of the node.
    open_ids = {node.unique_id for node, _ in sections}
    addresses = {
        node.unique_id: pair.of_node(node.unique_id)
        for node in nodes
        if node.change is not None and not (node.has_section and node.unique_id in open_ids)
    }
    impacted = impacted_listing(pair)
    heading = heading_of(diff, pair.report.data, pair.report.checks, None)
    values = {
        **heading,
        "runs": [
            label | {"address": pair.to.run(run.run_id)}
            for label, run in zip(heading["runs"], (diff.base, diff.current), strict=True)
        ],
        "pair": pair,
        "tabs": pair.tabs("Report"),
        "graph": pair.to.diff_graph(*ids),
        "diff": diff,
        "reviews": pair.reviews,
        "annotations": pair.annotations,
        "progress": progress_phrase(diff, pair.reviews) if pair.reviews or pair.can_review else "",
        "nodes": nodes[:ROWS_SHOWN],
        "all_nodes": len(nodes),
        "addresses": addresses,
        "details": [html for _, html in sections],
        "more_details": sum(node.has_section or node.change is not None for node in nodes) - len(sections),
        "tests": sum(change.resource_type in TESTS for change in diff.changed),
        "tiles": _tiles(pair),
        "drawing": _drawing(pair, open_ids),
        "row_counts": _row_counts(pair),
        "impacted": impacted.narrowed(IMPACTED_COLUMNS),
        "impacted_shown": IMPACTED_SHOWN,
        "checks": Listing(
            "Checks",
            check_columns(pair.to, with_runs=False),
            reviewed_check_rows(pair.report.checks, pair.reviews),
        ),
        "data_taken_at": pair.report.data_taken_at,
        "editor": view.to.query_editor(*ids) if view.store.permissions.queries else None,
    }
    return Page("diff.html", pair.title, values, crumbs=[("Diff", pair.to.of("diff"))])


def _tiles(pair: ReportedPair) -> list[Tile]:
    found = tiles_of(pair.report.diff, None, pair.nodes)
    checks = pair.report.checks
    bad = sum(CHECK_TONES.get(check.status) == "failed" for check in checks)
    if checks:
        text = f"of {len(checks):,} checks failed"
        found.insert(0, Tile("checks", bad, text, "failed" if bad else "same"))
    return found


def _sections(pair: ReportedPair, view: StoreView) -> Iterator[tuple[PageNode, Markup]]:
    """Yield the first nodes with their sections as HTML, until these are too long."""
    room = DETAILS_CHARACTERS
    shown = [node for node in pair.nodes if node.has_section or node.change is not None][:DETAILS_SHOWN]
    addresses = {node.unique_id: pair.of_node(node.unique_id) for node in shown}
    start_rows = start_rows_of(view, pair.base, pair.current, addresses)
    for node in shown:
        start_row = start_rows.get(node.unique_id, Markup())
        # A section that is too long loses its tables before it pushes other nodes off the page.
        for kinds in _BLOCKS:
            html = node_section(pair, node, kinds, start_row)
            if len(html) <= SECTION_CHARACTERS:
                break
        room -= len(html)
        if room < 0:
            return
        yield node, html


_BLOCKS = (tuple(kind.__name__ for kind in _KINDS), ("SchemaDiff", "ValueDiff"), ())
"""Kinds of data diffs that are shown with their tables; fewer kinds if a section is too large."""


def node_section(pair: ReportedPair, node: PageNode, kinds: Sequence[str], start_row: str = "") -> Markup:
    """Return the section of a node as HTML; data diffs of other kinds than *kinds* are sentences."""
    parts: Any = environment().get_template("diff_parts.html").module
    change = node.change
    codes = [] if change is None else list(_codes(change, code_details(change), CODE_ROWS))
    address = pair.of_node(node.unique_id) if change is not None else None
    marks = pair.reviews.nodes.get(node.unique_id, ())
    fields = pair.review_fields(node.unique_id, "diff") if change is not None else None
    notes = pair.annotations.below(node.unique_id)
    return Markup(parts.section(node, codes, address, kinds, start_row, marks, fields, notes))


def _codes(
    change: Change, details: Sequence[Any], most: int, context: int | None = CONTEXT
) -> Iterator[tuple[str, CodeDiff]]:
    """Yield title and diff of each changed text of *change*, with *context* unchanged lines; None for all."""
    highlight = partial(highlighted, language="python" if change.path.endswith(".py") else "sql")
    for detail in details:
        found = side_by_side(detail.base, detail.current, highlight, most=most, context=context)
        if any(row.is_changed for row in found.rows):
            title = _CODE_TITLES.get(detail.reason) or f"Macro {detail.key}"
            yield title, found


_CODE_TITLES = {Reason.BODY: "Code", Reason.COMPILED: "Compiled code"}


def _drawing(pair: ReportedPair, open_ids: set[str]) -> Markup | None:
    """Return the lineage of the changes as SVG; None without any, empty if it is too large for the page."""
    # Without a change, the drawing does not link the node: its section is not on the page.
    known = [
        node if node.unique_id in open_ids else node._replace(change=None, results=()) for node in pair.nodes
    ]
    found = lineage_of(pair.report.diff, known)
    if found is None:
        return None
    parts: Any = environment().get_template("lineage.html").module
    html = Markup(parts.section(found.drawing))
    return html if len(html) <= DRAWING_CHARACTERS else Markup()


def _row_counts(pair: ReportedPair) -> list[tuple[RowCountDiff, int]]:
    """Return row counts, those of the most severe nodes first, and the number of those that are left out."""
    ranks = {key_of(node.summary.subject): rank for rank, node in enumerate(pair.nodes) if node.summary}
    found = []
    for one in pair.report.data:
        if isinstance(one, RowCountDiff):
            rows = sorted(one.counts, key=lambda row: ranks.get(key_of(row.subject), len(ranks)))
            shown = tuple(rows[:COUNTS_SHOWN])
            found.append((replace(one, counts=shown), len(rows) - len(shown)))
    return found


@pages.listing("/diff/{base}/{current}/changes")
def changes(request: Request) -> Listing:
    """List all changes, breaking first."""
    pair = pair_of(request)
    rows = [
        {
            "name": node_label(change),
            "status": change.status.value,
            "category": change.category and change.category.value,
            "resource_type": change.resource_type,
            "reasons": ", ".join(main_reasons(change)),
            "columns": ", ".join(column.name for column in change.columns),
            "effect": "; ".join(change.category_reasons),
            "path": change.path,
            "review": marks_phrase(pair.reviews.nodes.get(change.unique_id, ())),
            "unique_id": change.unique_id,
            "_effect": EFFECT_CLASSES.get(change.category, ""),
        }
        for change in by_harm(pair.report.diff.changed)
    ]
    columns = [
        ListColumn("name", "node", link=lambda row: pair.of_node(row["unique_id"])),
        ListColumn("status", "status", "tag", has_facets=True),
        ListColumn("category", "effect", "tag", has_facets=True, tone=lambda row: row["_effect"]),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("reasons", "what changed", has_facets=True),
        ListColumn("columns", "changed columns", "code"),
        ListColumn("effect", "why"),
        ListColumn("path", "file", "code"),
        ListColumn("review", "review"),
        ListColumn("unique_id", "unique id", "code"),
    ]
    return Listing(
        "Changes",
        columns,
        rows,
        empty="No node changed between these runs.",
        notes=pair.report.diff.notes,
        crumbs=pair.crumbs,
    )


@pages.listing("/diff/{base}/{current}/impacted")
def impacted_list(request: Request) -> Listing:
    """List all affected nodes, failing ones and the nearest first."""
    return impacted_listing(pair_of(request))


def impacted_listing(pair: ReportedPair, origin: str | None = None) -> Listing:
    """Return the affected nodes, of the change of *origin* if it is given; failing nodes are first."""
    found = [one for one in pair.report.diff.impacted if origin is None or one.origin == origin]
    found.sort(key=lambda one: (not one.fails, one.distance, one.resource_type in TESTS, node_label(one)))
    rows = [_impacted_row(one) for one in found]
    columns = [
        ListColumn("name", "node", link=lambda row: pair.to.node(pair.current.run_id, row["unique_id"])),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("affected", "affected"),
        ListColumn("distance", "steps", "number"),
        ListColumn("origin", "by the change of", "code", link=lambda row: pair.of_node(row["origin"])),
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
    return Listing("Affected nodes", columns, rows, empty="No further node is affected.", crumbs=pair.crumbs)


def _impacted_row(one: Impact) -> Mapping[str, Any]:
    return {
        "name": node_label(one),
        "resource_type": one.resource_type,
        "affected": reach_phrase(one, 8) or (one.reach.value if one.reach else ""),
        "distance": one.distance,
        "origin": one.origin,
        "confidence": one.confidence,
        "reach": one.reach and one.reach.value,
        "fails": one.fails,
        "may_fail": one.may_fail,
        "unique_id": one.unique_id,
    }


@pages.page("/diff/{base}/{current}/nodes/{node}")
def node_page(request: Request) -> Page | Redirect:
    """Show one node of the diff: its code, columns, data and what its change affects."""
    if (redirect := with_ids(request)) is not None:
        return redirect
    pair = pair_of(request)
    unique_id, diff = request.parts["node"], pair.report.diff
    change = next((one for one in diff.changes if one.unique_id == unique_id), None)
    node = next((one for one in pair.nodes if one.unique_id == unique_id), None)
    impact = next((one for one in diff.impacted if one.unique_id == unique_id), None)
    # An unchanged node has a page as well: the graph leads to its forms for data diffs.
    if change is None and node is None and impact is None:
        _require_node(request.view, pair, unique_id)
    # In the order of the report, so that previous and next follow it.
    listed = [one.unique_id for one in by_harm(diff.changed)]
    place = listed.index(unique_id) if unique_id in listed else None
    shown = node or PageNode("", _name(change, impact, unique_id), unique_id, change, None, ())
    sides = [
        (side, run, pair.to.node(run.run_id, unique_id))
        for side, run, absent in (
            ("base", pair.base, Status.ADDED),
            ("current", pair.current, Status.REMOVED),
        )
        if change is None or change.status is not absent
    ]
    source, is_seed = sides[-1][1], unique_id.startswith("seed.")
    is_unfolded = _is_unfolded(request)
    values = {
        "pair": pair,
        "node": shown,
        "blocks": list(data_blocks(shown.results)),
        "change": change,
        "marks": pair.reviews.nodes.get(unique_id, ()),
        "review_fields": pair.review_fields(unique_id, "node"),
        "panels": _panels(request.view, pair, unique_id),
        "impact": impact,
        "affected": reach_phrase(impact, 8) if impact else "",
        "effect": effect_label(change) if change else "",
        "codes": _all_codes(request.view, change, source, None if is_unfolded else CONTEXT) if change else [],
        "unfold": None if is_unfolded else f"{pair.of_node(unique_id)}?unfold=all#code",
        "sides": sides,
        "columns": _columns(pair, change, source) if change else None,
        "impacted": impacted_listing(pair, unique_id).narrowed(IMPACTED_COLUMNS),
        "impact_address": pair.to.impact(source.run_id, unique_id),
        "graph": pair.to.diff_graph(pair.base.run_id, pair.current.run_id, node=unique_id),
        "not_compared": [note for note in diff.notes if is_seed and note.startswith("Rows not compared")],
        "unaffected": unaffected(diff.notes),
        "forms": forms_in_diff(request.view, pair.base, pair.current, unique_id, request.query.get("column")),
        "place": place,
        "count": len(listed),
        "previous": pair.of_node(listed[place - 1]) if place else None,
        "following": pair.of_node(listed[place + 1])
        if place is not None and place + 1 < len(listed)
        else None,
    }
    return Page("diff_node.html", shown.name, values, crumbs=pair.crumbs)


def _is_unfolded(request: Request) -> bool:
    """Return True if the address asks for all lines of code. Raises UsageError for another value."""
    asked = request.query.get("unfold")
    if asked not in (None, "all"):
        raise UsageError(f"Invalid unfold: {quoted(asked)}", hint="unfold=all shows all lines")
    return asked is not None


def _panels(view: StoreView, pair: ReportedPair, unique_id: str) -> list[NotesPanel]:
    """Return the notes on a node, and those on its columns and on the edges that lead to it."""
    project, place = pair.current.project_name, {"current": pair.current.run_id, "base": pair.base.run_id}
    # Read for this node, because the diff has those of changed and affected nodes only.
    found = annotated_nodes(view, project, [unique_id])
    own = AnnotationTarget(project_name=project, unique_id=unique_id)
    below = [one for one in found.below(unique_id) if one[0] != own]
    return [notes_panel(view, *one, place) for one in ((own, found.of_node(unique_id)), *below)]


def _name(change: Change | None, impact: Impact | None, unique_id: str) -> str:
    return node_label(change) if change else node_label(impact) if impact else unique_id


def _require_node(view: StoreView, pair: ReportedPair, unique_id: str) -> None:
    """Raise NotFound unless one of the runs has the node."""
    if not any(unique_id in view.graph(run).names for run in (pair.current, pair.base)):
        raise NotFound(
            f"Neither run has the node {unique_id}", hint="the page of the diff lists all changed nodes"
        )


def _all_codes(
    view: StoreView, change: Change, run: RunMetadata, context: int | None
) -> list[tuple[str, CodeDiff]]:
    """Return source, compiled SQL and macros that differ, or the source of an added or removed node.

    *context* is the number of unchanged lines around changed ones; None for all.
    """
    # The diff has no code of nodes that only one run has: it is read for this page alone.
    if change.status in (Status.ADDED, Status.REMOVED):
        node = view.reader(run).nodes([change.unique_id]).get(change.unique_id)
        code = node.raw_code if node else None
        if not code:
            return []
        highlight = partial(highlighted, language="python" if change.path.endswith(".py") else "sql")
        base, current = (None, code) if change.status is Status.ADDED else (code, None)
        whole = side_by_side(base, current, highlight, most=CODE_ROWS_OF_NODE)
        shown, _ = _fitting(whole.rows, CODE_CHARACTERS)
        return [("Code", CodeDiff(shown, whole.hidden + len(whole.rows) - len(shown)))]
    wanted = (Reason.BODY, Reason.COMPILED, Reason.MACROS)
    details = [one for one in change.details if one.reason in wanted and is_text(one)]
    found, room = [], CODE_CHARACTERS
    for title, one in _codes(change, details, CODE_ROWS_OF_NODE, context):
        rows, room = _fitting(one.rows, room)
        found.append((title, CodeDiff(rows, one.hidden + len(one.rows) - len(rows))))
    return found


def _fitting(rows: Sequence[CodeRow], room: int) -> tuple[Sequence[CodeRow], int]:
    """Return the first of *rows* that fit into *room* characters of HTML, and the rest of it."""
    for number, row in enumerate(rows):
        room -= ROW_CHARACTERS + sum(len(line.html) for line in (row.base, row.current) if line)
        if room < 0:
            return rows[:number], 0
    return rows, room


def data_blocks(results: Sequence[AnyDataDiff]) -> Iterator[Markup]:
    """Yield the data diffs of a node as HTML, with fewer rows or as a sentence if they are too long."""
    parts: Any = environment().get_template("diff_parts.html").module
    room = DATA_CHARACTERS
    for result in results:
        for shown in _shortened(result):
            html = Markup(parts.result(result, shown))
            if len(html) <= room:
                break
        room -= len(html)
        yield html


def _shortened(result: AnyDataDiff) -> Iterator[AnyDataDiff | None]:
    """Yield *result* with fewer and fewer rows or columns; at last None, for a sentence."""
    yield result
    if isinstance(result, ValueDetail | RowsDiff):
        yield from (replace(result, rows=result.rows[:most]) for most in ROWS_OF_NODE)
    elif isinstance(result, TopKDiff):
        top_values = sorted(result.columns, key=counts_differ, reverse=True)
        yield from (replace(result, columns=tuple(top_values[:most])) for most in COLUMNS_OF_NODE)
    elif isinstance(result, HistogramDiff):
        histograms = sorted(result.columns, key=counts_differ, reverse=True)
        yield from (replace(result, columns=tuple(histograms[:most])) for most in COLUMNS_OF_NODE)
    yield None


def _columns(pair: ReportedPair, change: Change, run: RunMetadata) -> Listing:
    """Return the changed columns; each links to what it affects."""
    rows = [
        {"name": one.name, "status": one.status.value, "renamed_to": one.renamed_to} for one in change.columns
    ]

    def affected(row: Mapping[str, Any]) -> str:
        # The impact is that of the run which has the column.
        is_new = row["status"] == Status.ADDED.value
        return pair.to.impact(
            (
                pair.current if is_new or (run is pair.current and row["status"] != "removed") else pair.base
            ).run_id,
            change.unique_id,
            row["name"],
        )

    columns = [
        ListColumn("name", "column", "code", link=affected, about="Links to what the column affects."),
        ListColumn("status", "status", "tag"),
        ListColumn("renamed_to", "renamed to", "code"),
    ]
    return Listing("Changed columns", columns, rows)
