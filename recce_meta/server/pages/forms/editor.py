"""Forms that start data diffs: the editor of queries, and the actions of a lineage graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from recce_meta.adapter.read_only import require_query
from recce_meta.api.browse.query_text import LARGEST_RUN, RenderedQuery, render_pair
from recce_meta.api.browse.run import default_base
from recce_meta.errors import RecceMetaError, StoreError, UsageError, WarehouseError
from recce_meta.models import RunMetadata
from recce_meta.models.diff_kinds import LIMIT, QUERY
from recce_meta.report.labels import short_run_id
from recce_meta.server.pages.forms.offers import (
    ALLOW,
    OF_COLUMN,
    allowed_offers,
    run_words,
    withheld_reason,
)
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.query_jobs import refuse_unknown_fields
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.select import require_complete

pages = PageSet()
LONGEST_ADDRESS = 6_000
"""Number of characters of an address that holds a query: servers and proxies refuse longer headers."""
SHARED = ("base_sql", "key", "limit")
"""Fields that have the same name in the form and in the address."""


class PreviewSide(NamedTuple):
    """SQL of one side, or of both if it is the same."""

    name: str
    run: str
    sql: str
    stale: tuple[str, ...]


@pages.page("/runs/{run}/query")
def editor_of_run(request: Request) -> Page | Redirect:
    """Lead to the query editor for a run and its default base."""
    view = request.view
    run = require_complete(view.run(request.parts["run"], request.query.get("project")))
    base = default_base(view.adapter, run)
    if base is not None:
        return Redirect(view.to.query_editor(base.run_id, run.run_id, **_kept(request.query)))
    values = {"reason": "The store has no other run to compare this run with."}
    crumbs = [("Runs", request.to.runs()), (short_run_id(run.run_id), request.to.run(run.run_id))]
    return Page("query_editor.html", "Query", {"editor": _shared_values(request, values)}, crumbs=crumbs)


@pages.action("/queries/preview")
def preview(request: Request) -> Page | Redirect:
    """Show the SQL of the query in a form: at its own address, unless it is too long for one."""
    request.view.store.permissions.require_queries()
    view, form = request.view, request.form
    refuse_unknown_fields(form)
    base, current = (view.run(_required(form, side)) for side in ("base", "current"))
    values = {name: form[name] for name in SHARED if form.get(name, "").strip()}
    text = _lines(form.get("current_sql", ""))
    if "base_sql" in values:
        values["base_sql"] = _lines(values["base_sql"])
    address = view.to.query_editor(base.run_id, current.run_id, sql=text or None, **values)
    # With an address of its own, a query can be shared, reloaded and found in the history.
    if len(address) <= LONGEST_ADDRESS:
        return Redirect(address)
    ids = [base.run_id, current.run_id]
    shown = editor_values(request, base, current, form={"current_sql": text, **values})
    crumbs = [(" → ".join(map(short_run_id, ids)), view.to.diff(*ids))]
    return Page(
        "query_editor.html",
        "Query",
        {"editor": shown},
        crumbs=crumbs,
        status=400 if shown["failure"] else 200,
    )


def _required(form: Mapping[str, str], side: str) -> str:
    if not form.get(side):
        raise UsageError(f"The form has no run of {side}", hint=f"fill in {side}")
    return form[side]


def _lines(text: str) -> str:
    """Return *text* with the line breaks that it had before a browser sent it."""
    return text.replace("\r\n", "\n")


def _kept(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in ("sql", *SHARED) if name in query}


def editor_values(
    request: Request,
    base: RunMetadata,
    current: RunMetadata,
    first: str = "",
    form: Mapping[str, str] = {},
    *,
    is_rendered: bool = True,
) -> dict[str, Any]:
    """Return the values of the editor, with the SQL of the query in the address, or in *form*.

    *first* is the query that the editor opens at. A query in *form* is too long for an address.
    Without *is_rendered*, the SQL is left out.
    """
    for run in (base, current):
        require_complete(run)
    given = form or {"current_sql": request.query.get("sql", ""), **request.query}
    withheld = withheld_reason(request.view, QUERY)
    is_allowed = request.view.store.permissions.queries and not withheld
    failure: RecceMetaError | None = None
    sides: list[PreviewSide] = []
    warnings: tuple[str, ...] = ()
    # Rendering runs Jinja of the user, in a sandbox: only for those who may run the query too.
    if is_allowed and is_rendered and given.get("current_sql", "").strip():
        try:
            pair = rendered_sides(request, base, current, given)
            sides = list(_sides(pair, base, current))
            warnings = tuple(dict.fromkeys(one for side in pair for one in side.warnings))
        # These are failures of the server, not mistakes in the query.
        except (StoreError, WarehouseError):
            raise
        except RecceMetaError as error:
            failure = error
    fields = {name: given.get(name, "") for name in ("current_sql", *SHARED)}
    values = {
        "base": base,
        "current": current,
        "withheld": withheld,
        "limit": LIMIT.default,
        "runs": f"Base is {run_words(base)}; current is {run_words(current)}.",
        "fields": {**fields, "current_sql": fields["current_sql"] or first},
        "failure": failure,
        "at_fault": lines_at_fault(failure.message, given) if failure else [],
        "sides": sides,
        "is_same": len(sides) == 1,
        "warnings": warnings,
        "is_long": bool(form),
        "largest_run": LARGEST_RUN,
    }
    return _shared_values(request, values)


def _shared_values(request: Request, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "reason": "",
        "withheld": "",
        "is_allowed": request.view.store.permissions.queries,
        "allow": ALLOW,
        "action": request.to.queries(),
        "preview_action": request.to.queries("preview"),
        **values,
    }


_LINE = re.compile(r"^line (\d+), column \d+: |, in line (\d+) of the query: ")
"""Line of the query in the message of a failure."""
AROUND = 2
"""Lines of a query that are shown before and after the one at fault."""


def lines_at_fault(message: str, fields: Mapping[str, str]) -> list[tuple[int, str, bool]]:
    """Return number and text of the lines around the one that *message* names, and True for that one.

    *fields* has the query of both sides, or of each. The list is empty if the message names no line.
    """
    found = _LINE.search(message)
    of_base = fields.get("base_sql", "").strip() and message.endswith("(in the base run)")
    lines = fields["base_sql" if of_base else "current_sql"].splitlines()
    place = int(found[1] or found[2]) if found else 0
    if not 0 < place <= len(lines):
        return []
    shown = range(max(1, place - AROUND), min(len(lines), place + AROUND) + 1)
    return [(number, lines[number - 1], number == place) for number in shown]


def rendered_sides(
    request: Request, base: RunMetadata, current: RunMetadata, fields: Mapping[str, str]
) -> tuple[RenderedQuery, RenderedQuery]:
    """Return the SQL of both sides of the query in *fields*.

    Raises TemplateError if it cannot be rendered, and UsageError unless it is a single statement that reads.
    """
    view = request.view
    pair = render_pair(
        view.reader(base),
        view.reader(current),
        fields["current_sql"],
        fields["base_sql"] if fields.get("base_sql", "").strip() else None,
        project_dir=view.store.queries.settings.rules.project_dir,
    )
    for rendered in pair:
        # Before the user presses the button: the job would refuse the statement only later.
        require_query(rendered.sql, view.adapter.warehouse, is_guarded=True)
    return pair


def _sides(
    pair: tuple[RenderedQuery, RenderedQuery], base: RunMetadata, current: RunMetadata
) -> Iterator[PreviewSide]:
    before, after = pair
    # The common case: the query names no node, or both runs read the same relations.
    if before.sql == after.sql:
        stale = tuple(dict.fromkeys((*before.stale, *after.stale)))
        yield PreviewSide("Both sides", "", after.sql, stale)
        return
    yield PreviewSide("Base", run_words(base), before.sql, before.stale)
    yield PreviewSide("Current", run_words(current), after.sql, after.stale)


_QUERY = (QUERY.name, QUERY.label)
"""Kind and label of the link to the query editor."""


def graph_actions(view: StoreView, graph: str) -> str:
    """Return the attribute `data-actions` of the *graph* of a run, given by its address.

    It is JSON: `[{"label": "Row count", "href": "/…/data?kind=row_count&node={node}"}]`. Actions with
    `{column}` are those of columns. The list is empty if users may not start data diffs.
    """
    if not view.store.permissions.queries:
        return "[]"
    # The script replaces `{node}` and `{column}`, so that it knows no other address of the server.
    address = f"{graph.removesuffix('graph')}data"
    offers = [(offer.kind, offer.label) for offer in allowed_offers(view)]
    query = [] if withheld_reason(view, QUERY) else [_QUERY]
    actions = [(one, "") for one in offers + query]
    actions += [(one, "&column={column}") for one in offers + query if one[0] in (*OF_COLUMN, QUERY.name)]
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


def _node(request: Request) -> str:
    if "node" not in request.query:
        raise UsageError(
            "The address names no node", hint="add the parameter node, or open the page of a run"
        )
    return request.query["node"]


def _anchor(request: Request) -> str:
    """Return the position of the form on its page."""
    kinds = [QUERY.name, *(offer.kind for offer in allowed_offers(request.view))]
    kind = request.query.get("kind")
    # Only known kinds: the parameter comes from the address, and ends up in one.
    return f"#start-{kind}" if kind in kinds else "#compare"
