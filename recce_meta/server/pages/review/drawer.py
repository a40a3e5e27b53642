"""The drawer of the review page: one node with its tabs, the checks, or the editor of queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from recce_meta.api.data.option_texts import list_field
from recce_meta.api.runs import find_node
from recce_meta.errors import UsageError, did_you_mean, quoted
from recce_meta.models.change import Change, Status
from recce_meta.models.data_diff import (
    AnyDataDiff,
    FiguresDiff,
    QueryDiff,
    RowsDiff,
    SchemaDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.diff_kinds import DETAIL, QUERY, REQUESTED_KINDS
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.models.run import RunMetadata
from recce_meta.report.data.verdicts import split_columns
from recce_meta.report.diff_details import CONTEXT
from recce_meta.report.html.code import code_sentence
from recce_meta.report.html.listing import ReviewList, ReviewRow
from recce_meta.report.html.nodes import PageNode
from recce_meta.report.labels import node_label
from recce_meta.server.pages.forms.editor import editor_values, lines_at_fault
from recce_meta.server.pages.forms.offers import OF_PROFILE, StartForms, forms_in_diff
from recce_meta.server.pages.graph.pages import DiffGraph
from recce_meta.server.pages.review.checklist import checklist_values, proposals, query_proposals
from recce_meta.server.pages.review.grid import grid_of, grid_values
from recce_meta.server.pages.review.lists import IMPACTED_COLUMNS, impacted_listing
from recce_meta.server.pages.runs.blocks import all_codes, data_blocks
from recce_meta.server.pages.runs.checks import check_columns, reviewed_check_rows
from recce_meta.server.pages.runs.pair import ReportedPair
from recce_meta.server.pages.runs.results import asked_job, fields_of, result_values, values_in_memory
from recce_meta.server.site.annotations import NotesPanel, annotated_nodes, notes_panel
from recce_meta.server.site.handlers import Request
from recce_meta.server.site.listing import Listing
from recce_meta.server.stores.stores import StoreView

TABS = {
    "code": "Code",
    "columns": "Columns",
    "data": "Data",
    "profile": "Profile",
    "query": "Query",
    "notes": "Notes",
}
"""Titles of the tabs of a node by their value in the address."""
PANELS = ("checks", "query")
MOST_BUTTONS = 20
"""Columns whose differing rows are one click away; a form has the others."""
MOST_COLUMNS = 500
"""Columns in the tab of a node, those that changed first."""
_CHECKS = {False: ("value_diff", "row_count_diff"), True: ("profile_diff",)}
"""Types of checks that each tab proposes: data, and profile."""
_KINDS = (SchemaDiff, ValueDiff, RowsDiff, ValueDetail, *get_args(FiguresDiff), QueryDiff)
"""Data diffs of a node in their order."""


class Drawer(NamedTuple):
    """What the drawer shows."""

    title: str
    key: str
    """Value of `node` in the address; empty for a panel."""
    tab: str
    """Tab of a node, or the panel."""
    values: Mapping[str, Any]


def one_of(request: Request, name: str, known: Sequence[str], default: str = "") -> str:
    """Return the parameter *name* of the address. Raises UsageError unless it is one of *known*."""
    given = request.query.get(name, default)
    if given not in (*known, default):
        hint = did_you_mean(given, known) or f"{name} is one of {', '.join(known)}"
        raise UsageError(f"Invalid {name}: {quoted(given)}", hint=hint)
    return given


def drawer_of(request: Request, pair: ReportedPair, found: ReviewList) -> Drawer | None:
    """Return the drawer that the address asks for; None if it is closed."""
    panel, node = one_of(request, "panel", PANELS), request.query.get("node")
    if node:
        return _node(request, pair, found, node)
    if panel == "checks":
        columns = check_columns(pair.to, with_runs=False)
        checks = Listing(
            "Checks", columns, reviewed_check_rows(pair.report.checks, pair.reviews), empty=_NO_CHECKS
        )
        return Drawer("Checklist", "", panel, {"checks": checks, **checklist_values(request.view, pair)})
    if panel == "query":
        named = {node.unique_id for node in pair.nodes if node.unique_id}
        stored = [one for node in pair.nodes if node.unique_id not in named for one in node.results]
        values = {**_asked_query(request, pair), "blocks": list(data_blocks(stored))}
        return Drawer("Query of both runs", "", panel, values)
    return None


_NO_CHECKS = (
    "No check of these runs is stored. Next: add one in the tab Data of a node whose values were compared, "
    "or recce-meta check run checks.yml --save."
)


def _node(request: Request, pair: ReportedPair, found: ReviewList, node: str) -> Drawer:
    key, unique_id = _asked_node(request.view, pair, found, node)
    diff = pair.report.diff
    change = next((one for one in diff.changes if one.unique_id == unique_id), None)
    impact = next((one for one in diff.impacted if one.unique_id == unique_id), None)
    listed = [row for row in found.rows if row.key == key]
    named = change or impact
    name = node if named is None else node_label(named)
    known = next((one for one in pair.nodes if one.unique_id == unique_id), None)
    shown = known or PageNode("", name, unique_id, change, None, ())
    tab = one_of(request, "tab", list(TABS), "code")
    values = {
        "node": shown,
        "row": listed[0] if listed else None,
        "change": change,
        "impact": impact,
        "about": code_sentence(diff, change, impact, unique_id),
        "sides": _sides(pair, change, unique_id),
        "tabs": [(name, title, name == tab) for name, title in TABS.items()],
        "changed_columns": len(change.columns) if change else 0,
        "marks": pair.reviews.nodes.get(unique_id, ()),
        "review_fields": pair.review_fields(unique_id),
        "notes": pair.annotations.below(unique_id),
        **_neighbours(found, key),
        **_TAB_VALUES[tab](request, pair, shown, change),
    }
    return Drawer(name, key, tab, values)


def _sides(pair: ReportedPair, change: Change | None, unique_id: str) -> list[tuple[str, RunMetadata, str]]:
    sides = (("base", pair.base, Status.ADDED), ("current", pair.current, Status.REMOVED))
    return [
        (side, run, pair.to.node(run.run_id, unique_id))
        for side, run, absent in sides
        if change is None or change.status is not absent
    ]


def _neighbours(found: ReviewList, key: str) -> dict[str, Any]:
    """Return the rows before and after a node, and its position among them."""
    group: Sequence[ReviewRow] = next(
        (
            rows
            for rows in (found.changed, found.affected, found.tests)
            if any(row.key == key for row in rows)
        ),
        (),
    )
    place = next((place for place, row in enumerate(group) if row.key == key), None)
    if place is None:
        return {"place": None, "count": 0, "previous": None, "following": None, "group": ""}
    return {
        "place": place + 1,
        "count": len(group),
        "group": "change"
        if group is found.changed
        else "affected node"
        if group is found.affected
        else "test",
        "previous": group[place - 1].key if place else None,
        "following": group[place + 1].key if place + 1 < len(group) else None,
    }


def _source(pair: ReportedPair, change: Change | None) -> RunMetadata:
    """Return the run that has the node, current if both do."""
    return pair.base if change is not None and change.status is Status.REMOVED else pair.current


def _code_tab(request: Request, pair: ReportedPair, node: PageNode, change: Change | None) -> dict[str, Any]:
    is_unfolded = one_of(request, "unfold", ["all"]) == "all"
    context = None if is_unfolded else CONTEXT
    codes = all_codes(request.view, change, _source(pair, change), context) if change else []
    return {"codes": codes, "is_unfolded": is_unfolded}


def _columns_tab(
    request: Request, pair: ReportedPair, node: PageNode, change: Change | None
) -> dict[str, Any]:
    run, asked = _source(pair, change), _column(request)
    impacted, graph = impacted_listing(pair, node.unique_id), DiffGraph(request.view, pair)
    return {
        "columns": graph.columns(node.unique_id, "", 1, MOST_COLUMNS),
        "column": asked,
        "path": graph.path(node.unique_id, asked) if asked else None,
        "impacted": impacted.narrowed(IMPACTED_COLUMNS),
        "impact_address": pair.to.impact(run.run_id, node.unique_id, asked or None),
    }


def _column(request: Request) -> str:
    """Return the column in `column=NODE.COLUMN`, or `column=COLUMN`; empty without one."""
    return request.query.get("column", "").removeprefix(f"{request.query.get('node', '')}.")


def _query_tab(request: Request, pair: ReportedPair, node: PageNode, change: Change | None) -> dict[str, Any]:
    forms = forms_in_diff(request.view, pair.base, pair.current, node.unique_id)
    blocks = _blocks([one for one in node.results if isinstance(one, QueryDiff)])
    return {**_asked_query(request, pair, forms.first_rows), "blocks": blocks}


def _asked_query(request: Request, pair: ReportedPair, first: str = "") -> dict[str, Any]:
    """Return the editor with the query of the address, and the answer to it if it was started."""
    job = asked_job(request, pair, [QUERY.name])
    # The text of a query that is too long for an address is that of its job.
    form = fields_of(job.request) if job is not None and "result" in request.query else {}
    editor = editor_values(request, pair.base, pair.current, first, form, is_rendered=job is None)
    answer = job and result_values(request, pair, job)
    if answer and job and job.message:
        answer["at_fault"] = lines_at_fault(job.message, fields_of(job.request))
    return {"editor": editor, "result": answer, "proposals": query_proposals(pair, job)}


def _results(request: Request, pair: ReportedPair, node: PageNode, *, is_profile: bool) -> dict[str, Any]:
    """Return the answer to the question of the address, stored results, and the forms of a tab."""
    forms = _forms(request, pair, node, is_profile=is_profile)
    kinds = [name for name in REQUESTED_KINDS if (name in OF_PROFILE) is is_profile]
    kind = one_of(request, "kind", kinds)
    job = asked_job(request, pair, kinds, node.unique_id)
    shown = [
        one
        for one in node.results
        if isinstance(one, FiguresDiff) is is_profile
        and not isinstance(one, QueryDiff)
        # A saved answer is shown once.
        and not (job and job.saved_at and isinstance(one, type(job.result)))
    ]
    detail = job.result if job and isinstance(job.result, ValueDetail) else None
    # A list of rows has a limit: the counts are those of the values.
    is_listing = job is not None and job.request.kind is DETAIL
    counted = [*values_in_memory(request, job)] if job and is_listing else []
    values = [one for one in (job and job.result, *counted, *node.results) if isinstance(one, ValueDiff)]
    can_list = forms.is_allowed and any(one.kind == DETAIL.name for one in forms.offers)
    names = [one.name for one in split_columns(values[0])[0] if one.mismatched] if values and can_list else []
    answer = job and result_values(request, pair, job)
    grid = None if is_profile else grid_of(request.query, [*([detail] if detail else []), *shown])
    page = None if grid is None else (grid.result, grid.part)
    is_docked = grid is not None and grid.result is detail
    if answer and detail and is_docked:
        answer["blocks"] = list(data_blocks([detail], is_open=True, page=page))
    return {
        "counted": values[0] if is_listing and values else None,
        "blocks": list(data_blocks(sorted(shown, key=_order), page=page)),
        "grid": grid and grid_values(request, pair, node.unique_id, grid),
        "is_docked": is_docked,
        "differing": [(name, list_field(name)) for name in names[:MOST_BUTTONS]],
        "proposals": proposals(pair, node, _CHECKS[is_profile]),
        "forms": forms,
        "result": answer,
        "asked": {**request.query, "column": request.query.get("columns", "")} if kind else {},
    }


_TAB_VALUES: Mapping[str, Callable[[Request, ReportedPair, PageNode, Change | None], Mapping[str, Any]]] = {
    "code": _code_tab,
    "columns": _columns_tab,
    "data": lambda request, pair, node, _: _results(request, pair, node, is_profile=False),
    "profile": lambda request, pair, node, _: _results(request, pair, node, is_profile=True),
    "query": _query_tab,
    "notes": lambda request, pair, node, _: {"panels": _panels(request.view, pair, node.unique_id)},
}


def _blocks(results: Sequence[AnyDataDiff]) -> list[Any]:
    return list(data_blocks(sorted(results, key=_order)))


def _order(result: AnyDataDiff) -> int:
    """Return the position of a data diff among those of a node."""
    return next((place for place, kind in enumerate(_KINDS) if isinstance(result, kind)), len(_KINDS))


def _forms(request: Request, pair: ReportedPair, node: PageNode, *, is_profile: bool) -> StartForms:
    found = forms_in_diff(request.view, pair.base, pair.current, node.unique_id, _column(request) or None)
    offers = [offer for offer in found.offers if (offer.kind in OF_PROFILE) is is_profile]
    return found._replace(offers=offers, editor=None)


def _panels(view: StoreView, pair: ReportedPair, unique_id: str) -> list[NotesPanel]:
    """Return the notes on a node, and those on its columns and on the edges that lead to it."""
    project, place = pair.current.project_name, {"current": pair.current.run_id, "base": pair.base.run_id}
    # Read for this node, because the diff has those of changed and affected nodes only.
    found = annotated_nodes(view, project, [unique_id])
    own = AnnotationTarget(project_name=project, unique_id=unique_id)
    below = [one for one in found.below(unique_id) if one[0] != own]
    return [notes_panel(view, *one, place) for one in ((own, found.of_node(unique_id)), *below)]


def _asked_node(view: StoreView, pair: ReportedPair, found: ReviewList, node: str) -> tuple[str, str]:
    """Return key and unique id of the node that an address calls *node*. Raises SelectorError if none is."""
    row = found.find(node)
    if row is not None:
        return row.key, row.unique_id
    # An unchanged node can be shown as well: the graph leads to it.
    names = {**view.graph(pair.base).names, **view.graph(pair.current).names}
    return node, node if node in names else find_node(node, names)
