"""Page of the quality of one column: its figures over time, and its most frequent values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recce_meta.api.browse import quality as browse
from recce_meta.models.quality import ColumnQuality, QualityRun
from recce_meta.quality.compare import QualityHistory
from recce_meta.report.labels import moment, short_run_id
from recce_meta.report.quality import issues_of, score_text, value_text
from recce_meta.report.quality_history import history_table
from recce_meta.report.values import cell_text, count, percent
from recce_meta.server.pages.projects.quality import column_row, crumbs_of, measured_table, tone
from recce_meta.server.pages.projects.quality_lists import NOTHING, SCORE, table_address
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page, TimeChart, time_chart

pages = PageSet()

VALUES_OVER_TIME = 6
"""Number of measurements whose frequent values are side by side."""


@pages.page("/quality/{project}/{node}/columns/{column}")
def column(request: Request) -> Page:
    """Show the figures of one column over time, and its most frequent values."""
    view, (latest, _) = request.view, measured_table(request)
    history = browse.column_history(view.adapter, latest, request.parts["column"])
    subjects = [(point.run, point.subject) for point in history.points]
    found = [(run, one) for run, one in subjects if isinstance(one, ColumnQuality)]
    # The last measurement that has the column: it may be missing in the latest of the table.
    run, newest = found[0]
    heads, rows = history_table(history)
    values = {
        "latest": latest,
        "table_address": table_address(request, latest),
        "column": newest,
        "row": column_row(newest),
        "run": run,
        "is_current": run.quality_run_id == latest.quality_run_id,
        "score": score_text(newest.score),
        "tone": tone(newest.score),
        "issues": issues_of(newest),
        "metrics": [("", metric, value_text(metric.name, metric.value)) for metric in newest.metrics],
        "charts": _column_charts(history),
        "heads_of_history": heads,
        "rows": rows,
        "top": _top(newest),
        "values_over_time": values_over_time(found[:VALUES_OVER_TIME]),
        "history_address": table_address(request, latest, "columns", newest.name, "history"),
        "about": SCORE,
    }
    return Page("column_quality.html", newest.name, values, crumbs=crumbs_of(request, latest))


_COLUMN_CHARTS: Sequence[tuple[str, Callable[[ColumnQuality], float | None], Callable[[float], str]]] = (
    ("Score", lambda one: one.score, score_text),
    ("NULL, share of the rows", lambda one: one.null_share, percent),
    ("Distinct, share of the rows with a value", lambda one: one.distinct_share, percent),
    (
        "Distinct values",
        lambda one: None if one.profile is None else one.profile.distinct_count,
        lambda value: count(round(value)),
    ),
)


def _column_charts(history: QualityHistory) -> list[TimeChart]:
    points = [
        (point.run.started_at, point.subject)
        for point in reversed(history.points)
        if isinstance(point.subject, ColumnQuality)
    ]
    charts = [
        time_chart(title, [(at, figure(one)) for at, one in points], text)
        for title, figure, text in _COLUMN_CHARTS
    ]
    return [chart for chart in charts if chart is not None]


def _top(column: ColumnQuality) -> list[tuple[str, int, float]]:
    """Return the most frequent values with their rows, and their share of the measured rows."""
    rows = column.profile.row_count if column.profile else 0
    return [
        (cell_text(top.value, 80), top.count, top.count / rows if rows else 0.0) for top in column.top_values
    ]


def values_over_time(found: Sequence[tuple[QualityRun, ColumnQuality]]) -> dict[str, Any]:
    """Return the share of each frequent value in the measurements *found*, newest first.

    A value that was not among the most frequent of a measurement has no share there.
    """
    shares = [{text: share for text, _, share in _top(column)} for _, column in found]
    texts = list(dict.fromkeys(text for one in shares for text in one))
    return {
        "measured": [(moment(run.finished_at), short_run_id(run.quality_run_id)) for run, _ in found],
        "rows": [(text, [one.get(text) for one in shares]) for text in texts],
    }


@pages.listing("/quality/{project}/{node}/columns/{column}/history")
def column_history(request: Request) -> Listing:
    """List the figures of one column in all measurements."""
    view, (latest, _) = request.view, measured_table(request)
    name = request.parts["column"]
    history = browse.column_history(view.adapter, latest, name, limit=10_000)
    types = history.to_table().types
    rows = [{**row, "environment": latest.environment} for row in history.to_dicts()]
    columns = [
        ListColumn(one, one.replace("_", " "), "time" if one == "finished_at" else "text")
        # The address has the environment, which without a column would be an unknown filter.
        for one in dict.fromkeys([*types, "environment"])
        if one != "name" and any(row.get(one) is not None for row in rows)
    ]
    crumbs = [
        *crumbs_of(request, latest),
        (name, table_address(request, latest, "columns", name)),
    ]
    return Listing(f"Figures of {latest.name}.{name}", columns, rows, empty=NOTHING, crumbs=crumbs)
