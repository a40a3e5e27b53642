"""Choice of two runs to compare: suggested pairs, and a form for two others."""

from __future__ import annotations

from recce_meta.api.browse.diffs import suggested_pairs
from recce_meta.errors import RecceMetaError, RunNotFound, SelectorError
from recce_meta.redaction import presentable
from recce_meta.server.pages.diff import run_phrase
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page
from recce_meta.store.read import list_runs

pages = PageSet()
RUNS_OFFERED = 200


@pages.page("/diff")
def choose(request: Request) -> Page | Redirect:
    """Offer pairs of runs, and a form for two others."""
    view, query = request.view, request.query
    failure: RecceMetaError | None = None
    if query.get("base") and query.get("current"):
        try:
            # Ids in the address: it still shows the same diff when `latest` is another run.
            ids = [view.run(query[side], query.get("project")).run_id for side in ("base", "current")]
            return Redirect(request.to.diff(*ids))
        # Shown above the form with the typed text, instead of a page of its own.
        except (RunNotFound, SelectorError) as error:
            failure = error
    runs = list_runs(view.adapter, schema=view.schema, limit=RUNS_OFFERED)
    rows = [
        {
            "reason": pair.reason,
            "project": pair.current.project_name,
            "base": run_phrase(pair.base),
            "current": run_phrase(pair.current),
            "address": request.to.diff(pair.base.run_id, pair.current.run_id),
        }
        for pair in suggested_pairs(runs)
    ]
    pairs = Listing(
        "Suggested pairs",
        [
            ListColumn("reason", "pair", link=lambda row: str(row["address"])),
            ListColumn("project", "project"),
            ListColumn("base", "base"),
            ListColumn("current", "current"),
        ],
        rows,
        empty="No pair to suggest: a diff needs two runs of one project. recce-meta record records a run.",
    )
    offered = [(run.run_id, f"{run.project_name} · {run_phrase(run)}") for run in runs]
    values = {
        "pairs": pairs,
        "runs": offered,
        "base": query.get("base", ""),
        "current": query.get("current", ""),
        "projects": sorted({run.project_name for run in runs}),
        "project": query.get("project", ""),
        "failure": failure and presentable(failure.message),
    }
    return Page("diff_choice.html", "Diff of two runs", values, status=404 if failure else 200)
