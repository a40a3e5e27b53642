"""Tab of a node: its stored data diffs, and forms that start further ones."""

from __future__ import annotations

from recce_meta.models.stored import StoredDiff
from recce_meta.report.data.verdicts import words_for
from recce_meta.report.labels import short_run_id
from recce_meta.server.pages.forms.offers import forms_of_run
from recce_meta.server.pages.nodes.node import OpenedNode, name_of, open_node
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import Page
from recce_meta.store.data_diffs import list_data_diffs

pages = PageSet()
MOST = 500
"""Largest number of stored data diffs of one node that are read."""
SHOWN = 10
VERDICTS = {True: "same", False: "differs", None: "unknown"}


@pages.page("/runs/{run}/nodes/{node}/data")
def data(request: Request) -> Page:
    """Show the stored data diffs of a node, and forms that start further ones."""
    opened = open_node(request, "data")
    values = {
        "forms": forms_of_run(request.view, opened.run, opened.node),
        "stored": stored_listing(opened),
        "shown": SHOWN,
    }
    return opened.page("node_data.html", "Data", values)


@pages.listing("/runs/{run}/nodes/{node}/data-diffs")
def data_diffs(request: Request) -> Listing:
    """List the stored data diffs of a node."""
    return stored_listing(open_node(request, "data-diffs"))


def stored_listing(opened: OpenedNode) -> Listing:
    """Return the stored data diffs of a node between any runs of its project, newest first."""
    view, node = opened.request.view, opened.node
    found = list_data_diffs(
        view.adapter, unique_id=node.unique_id, project=opened.run.project_name, limit=MOST
    )
    columns = [
        ListColumn("taken_at", "time", "time", link=lambda row: row["_address"]),
        ListColumn("diff", "data diff", has_facets=True),
        ListColumn("verdict", "result", "tag", tone=lambda row: row["verdict"], has_facets=True),
        ListColumn("base_rows", "rows of base", "number"),
        ListColumn("current_rows", "rows of current", "number"),
        ListColumn("changed_rows", "changed rows", "number"),
        ListColumn("differing_columns", "differing columns", "number"),
        ListColumn("base", "base run", "code"),
        ListColumn("current", "current run", "code"),
        ListColumn("error", "reason"),
    ]
    rows: list[Row] = [_row(one, opened) for one in found]
    return Listing(
        f"Data diffs of {name_of(node)}",
        columns,
        rows,
        empty="No data diff of this node is stored.",
        notes=[f"The latest {MOST} data diffs are shown."] if len(found) == MOST else [],
        crumbs=opened.inner_crumbs,
    )


def _row(one: StoredDiff, opened: OpenedNode) -> Row:
    headline, to = one.headline, opened.request.to
    words = words_for(one.diff_type)
    has_pair = one.base_run_id is not None and one.current_run_id is not None
    return {
        "taken_at": one.taken_at,
        "diff": words.stored or words.title,
        "verdict": VERDICTS[headline.is_equal],
        "base_rows": headline.base_rows,
        "current_rows": headline.current_rows,
        "changed_rows": headline.changed_rows,
        "differing_columns": headline.differing_columns,
        "base": one.base_run_id and short_run_id(one.base_run_id),
        "current": one.current_run_id and short_run_id(one.current_run_id),
        "error": headline.error,
        # Keys with an underscore are not columns, so CSV and JSON lack them.
        "_address": to.diff(one.base_run_id or "", one.current_run_id or "", node=opened.node.unique_id)
        if has_pair
        else None,
    }
