"""Actions of a lineage graph: links from its details to the forms that start data diffs.

The script of the graph knows ids of nodes and names of columns. The links have them as parameters, and
lead to the page with the form.
"""

from __future__ import annotations

import msgspec

from recce_meta.api.data.requests import DiffKind
from recce_meta.errors import UsageError
from recce_meta.report.addresses import with_query
from recce_meta.server.data_forms.offers import OF_COLUMN, allowed_offers, withheld_reason
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.stores.stores import StoreView

pages = PageSet()
QUERY = (DiffKind.QUERY.value, "Query")
"""Kind and label of the link to the query editor."""


def graph_actions(view: StoreView, graph: str) -> str:
    """Return the attribute `data-actions` of the *graph* of a run or a diff, given by its address.

    It is JSON: `[{"label": "Row count", "href": "/…/data?kind=row_count&node={node}"}]`. Actions with
    `{column}` are those of columns. The list is empty if users may not start data diffs.
    """
    if not view.store.permissions.queries:
        return "[]"
    # The script replaces `{node}` and `{column}`, so that it knows no other address of the server.
    address = f"{graph.removesuffix('graph')}data"
    offers = [(offer.kind, offer.label) for offer in allowed_offers(view)]
    query = [] if withheld_reason(view, DiffKind.QUERY) else [QUERY]
    actions = [(one, "") for one in offers + query]
    actions += [(one, "&column={column}") for one in offers + query if one[0] in (*OF_COLUMN, QUERY[0])]
    return msgspec.json.encode(
        [
            {"label": label, "href": f"{address}?kind={kind}&node={{node}}{column}"}
            for (kind, label), column in actions
        ]
    ).decode()


@pages.page("/runs/{run}/data")
def of_run(request: Request) -> Redirect:
    """Lead to the forms of the node, or its column, that the parameters name."""
    run = request.view.run(request.parts["run"], request.query.get("project"))
    node, column = _node(request), request.query.get("column")
    to = request.to
    page = to.column(run.run_id, node, column) if column else to.node(run.run_id, node, "data")
    return Redirect(page + _anchor(request))


@pages.page("/diff/{base}/{current}/data")
def of_diff(request: Request) -> Redirect:
    """Lead to the forms of the node, or its column, that the parameters name, for both runs."""
    project = request.query.get("project")
    base, current = (request.view.run(request.parts[side], project).run_id for side in ("base", "current"))
    node = request.to.diff_node(base, current, _node(request))
    page = with_query(node, column=request.query.get("column"))
    return Redirect(page + _anchor(request))


def _node(request: Request) -> str:
    if "node" not in request.query:
        raise UsageError(
            "The address names no node", hint="add the parameter node, or open the page of a run"
        )
    return request.query["node"]


def _anchor(request: Request) -> str:
    """Return the position of the form on its page."""
    kinds = [QUERY[0], *(offer.kind for offer in allowed_offers(request.view))]
    kind = request.query.get("kind")
    # Only known kinds: the parameter comes from the address, and ends up in one.
    return f"#start-{kind}" if kind in kinds else "#compare"
