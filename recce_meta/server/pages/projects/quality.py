"""Pages of quality: table scores over time, violated conditions, and the figures of one table or column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from recce_meta.api.browse import quality as browse
from recce_meta.api.browse.quality import MeasuredTable, QualityViolation, TableReport, TableScore
from recce_meta.errors import did_you_mean, plural
from recce_meta.models.quality import ColumnQuality, Quality, QualityRun
from recce_meta.models.run import FAILED
from recce_meta.report.labels import moment, short_run_id
from recce_meta.report.quality import (
    FAIR,
    GOOD,
    WITHHELD,
    column_changes,
    facts_of,
    figure_change,
    issues_of,
    length_text,
    range_text,
    score_text,
    top_text,
    value_text,
)
from recce_meta.report.values import count
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.projects.quality_lists import (
    NOTHING,
    SCORE,
    all_tables,
    all_violations,
    difference,
    measurements_list,
    table_address,
    tables_list,
    violations_list,
)
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import Page, TimeChart, time_chart
from recce_meta.store.quality import list_quality_runs

pages = PageSet()

WORST = 15
"""Number of tables with a line of their scores on the overview."""


def tone(score: float | None) -> str:
    """Return the class of a score in the style sheet."""
    if score is None:
        return "one-sided"
    return "same" if score >= GOOD else "differs" if score >= FAIR else "failed"


@dataclass(frozen=True)
class Measured:
    """Latest measurements that an address selects."""

    request: Request
    tables: Sequence[MeasuredTable]

    @cached_property
    def places(self) -> list[tuple[str, str]]:
        """Projects and environments with a measurement."""
        every = all_tables(self.request.view)
        return sorted({(one.project_name, one.environment) for one in every})

    @property
    def filters(self) -> dict[str, str]:
        """Filters in the address."""
        return {name: self.request.query[name] for name in _FILTERS if self.request.query.get(name)}

    def address(self, *parts: str) -> str:
        """Return a list of the same selection."""
        return self.request.to.quality(*parts, **self.filters)


_FILTERS = ("project", "environment")


@pages.page("/quality")
def overview(request: Request) -> Page:
    """Show the latest scores, worst first, and the conditions that are not met."""
    view, query = request.view, request.query
    chosen = [
        one
        for one in all_tables(view)
        if query.get("project") in (None, one.project_name)
        and query.get("environment") in (None, one.environment)
    ]
    measured = Measured(request, chosen)
    project, environment = query.get("project"), query.get("environment")
    runs = list_quality_runs(view.adapter, project=project, environment=environment, with_failed=True)
    broken = [
        one
        for one in all_violations(view)
        if project in (None, one.project_name) and environment in (None, one.environment)
    ]
    scored = [one for one in chosen if one.reason is None]
    scores = [one.score for one in scored if one.score is not None]
    lists = {
        "unmeasured": _shorter(
            tables_list(request, [one for one in chosen if one.reason is not None]),
            "name", "project", "environment", "reason", "measured_at",
        ),
        "broken": _with_texts(_shorter(violations_list(request, broken), *_VIOLATION)),
        "runs": _shorter(measurements_list(request, runs), *_MEASUREMENT),
    }  # fmt: skip
    values = {
        "measured": measured,
        "tables": scored,
        "mean": sum(scores) / len(scores) if scores else None,
        "conditions": conditions_phrase(sum(one.conditions for one in chosen), broken),
        "scored": len(scores),
        # A measurement may be of some tables only: the page reports how many scores are older.
        "older": len(scored) - len(of_last_measurement(scored)),
        "fallen": sum((one.score_change or 0) < 0 for one in scored),
        "worst": _worst(request, scored[:WORST]),
        "charts": _mean_charts(runs),
        "has_several": len({(one.project_name, one.environment) for one in chosen}) > 1,
        "about": SCORE,
        "score_text": score_text,
        "nothing": NOTHING,
        "latest": max((one.measured_at for one in chosen), default=None),
        "failed": runs[0] if runs and runs[0].status == FAILED else None,
        **lists,
    }
    return Page("quality.html", "Quality", values)


def of_last_measurement(tables: Sequence[MeasuredTable]) -> list[MeasuredTable]:
    """Return those of *tables* that are in the last measurement of any table of their environment."""
    last: dict[tuple[str, str], MeasuredTable] = {}
    # Oldest first, so that the last one stays.
    for one in sorted(tables, key=lambda one: one.measured_at):
        last[one.project_name, one.environment] = one
    ids = {one.quality_run_id for one in last.values()}
    return [one for one in tables if one.quality_run_id in ids]


def conditions_phrase(conditions: int, broken: Sequence[QualityViolation]) -> str:
    """Return how many of the *conditions* of the latest measurements are not met or not measured."""
    # What could not be measured is neither met nor violated.
    unknown = sum(one.reason is not None for one in broken)
    unmet = len(broken) - unknown
    phrases = [f"{plural(unmet, 'condition')} {'is' if unmet == 1 else 'are'} not met"] if unmet else []
    if unknown:
        phrases.append(f"{plural(unknown, 'figure')} could not be measured")
    if phrases:
        return "; ".join(phrases)
    return "Every measured condition holds" if conditions else "No condition is defined"


_VIOLATION = ("name", "column", "metric_name", "status", "value", "threshold", "previous_value", "reason")
_MEASUREMENT = (
    "finished_at", "project", "environment", "status", "score", "table_count", "failed_count", "sample",
    "reason",
)  # fmt: skip


def _shorter(listing: Listing, *names: str) -> Listing:
    """Return *listing* with those of its columns *names* that have values."""
    columns = [
        column
        for column in map(listing.column, names)
        if any(row.get(column.name) not in (None, "") for row in listing.rows)
    ]
    return replace(listing, columns=columns)


def _with_texts(listing: Listing) -> Listing:
    """Return the list of violations with figures as reports show them: shares in per cent."""
    rows = [
        {
            **row,
            **{name: value_text(row["metric_name"], row[name]) for name in _VALUES if row[name] is not None},
        }
        for row in listing.rows
    ]
    return replace(listing, rows=rows)


_VALUES = ("value", "previous_value")


@pages.page("/quality/{project}")
def project_overview(request: Request) -> Redirect:
    """Lead to the overview of one project."""
    return Redirect(request.to.quality(project=request.parts["project"]))


def _worst(request: Request, found: Sequence[MeasuredTable]) -> list[dict[str, Any]]:
    """Return *found* with address, tone and the line of the scores over time."""
    view = request.view
    # One query for all lines of the page.
    scores = browse.table_scores(view.adapter, {one.unique_id for one in found})
    every = [one.score for of_table in scores.values() for one in of_table]
    return [
        {
            "table": one,
            "address": table_address(request, one),
            "tone": tone(one.score),
            "score": score_text(one.score),
            "change": _signed(one.score_change),
            "line": score_chart(
                scores.get((one.project_name, one.environment, one.unique_id), ()), shared=every
            ),
        }
        for one in found
    ]


def _signed(change: float | None) -> str:
    """Return `-3.0`; empty without a difference."""
    if not change:
        return ""
    # `-0.0` would look like no change.
    return f"{change:+.1f}" if abs(change) >= 0.05 else ("+" if change > 0 else "-") + "<0.1"


def score_chart(scores: Sequence[TableScore], *, shared: Sequence[float | None] = ()) -> TimeChart | None:
    """Return the chart of *scores*, oldest first, on one scale with the scores *shared*."""
    points = [(one.started_at, one.score) for one in scores[-browse.POINTS_SHOWN :]]
    return time_chart("Score", points, score_text, shared=shared)


def _mean_charts(runs: Sequence[QualityRun]) -> list[TimeChart]:
    """Return the chart of the mean score of each project and environment of *runs*, newest first."""
    by_place: dict[tuple[str, str], list[QualityRun]] = {}
    for run in reversed(runs):
        by_place.setdefault((run.project_name, run.environment), []).append(run)
    charts = [
        time_chart(
            f"Mean score of {project} as {environment}",
            [(run.finished_at, run.score) for run in there[-browse.POINTS_SHOWN :]],
            score_text,
        )
        for (project, environment), there in sorted(by_place.items())
    ]
    return [chart for chart in charts if chart is not None][:4]


def measured_table(request: Request) -> tuple[MeasuredTable, Sequence[MeasuredTable]]:
    """Return the table that the address of *request* names, and its measurements in other environments.

    Without an environment in the address, the latest measurement is chosen. Raises NotFound.
    """
    view, project, node = request.view, request.parts["project"], request.parts["node"]
    found = browse.measured_tables(view.adapter, project=project, unique_id=node)
    environment = request.query.get("environment")
    there = sorted(found, key=lambda one: one.measured_at, reverse=True)
    # One id may be measured in several environments, whose figures must not be mixed.
    chosen = next((one for one in there if environment in (None, one.environment)), None)
    if chosen is None:
        known = [one.unique_id for one in all_tables(view) if one.project_name == project]
        raise NotFound(
            f"{node} of {project} is not measured" + (f" as {environment}" if environment else ""),
            hint=did_you_mean(node, known) or "measure it with recce-meta quality",
        )
    return chosen, [one for one in there if one is not chosen]


def crumbs_of(request: Request, table: MeasuredTable | None = None) -> list[tuple[str, str]]:
    """Return the pages above the page of *table*, or of its columns."""
    project = request.parts["project"]
    found = [("Quality", request.to.quality()), (project, request.to.quality(project=project))]
    return found if table is None else [*found, (table.name, table_address(request, table))]


@pages.page("/quality/{project}/{node}")
def table(request: Request) -> Page:
    """Show the latest measurement of a table, its changes, and its scores over time."""
    view = request.view
    latest, others = measured_table(request)
    report = browse.table_report(view.adapter, latest)
    scores = _scores(request, latest)
    columns = columns_list(request, latest, report)
    history = history_list(request, latest, scores)
    metrics = [("", metric) for metric in report.table.metrics]
    metrics += [(column.name, metric) for column in report.table.columns for metric in column.metrics]
    values = {
        "latest": latest,
        "report": report,
        "score": score_text(latest.score),
        "tone": tone(latest.score),
        "change": _signed(latest.score_change),
        "others": [(one, table_address(request, one)) for one in others],
        "charts": _charts(scores),
        "columns": _shorter(columns, *_COLUMN),
        "columns_address": table_address(request, latest, "columns"),
        "metrics": [(name, metric, value_text(metric.name, metric.value)) for name, metric in metrics],
        "changes": change_phrases(report),
        "history": _shorter(history, *_POINT),
        "history_address": table_address(request, latest, "history"),
        "notes_of_table": [*facts_of(Quality(run=report.run, tables=(report.table,))), *_notes(report)],
        "issues": [(column.name, issues_of(column)) for column in report.table.columns if issues_of(column)],
        "about": SCORE,
        "short_run_id": short_run_id,
        "column_address": lambda name: table_address(request, latest, "columns", name),
    }
    return Page("table_quality.html", latest.name, values, crumbs=crumbs_of(request))


_COLUMN = (
    "column_name", "column_type", "score", "null_share", "distinct_count", "distinct_share", "min", "max",
    "mean", "length", "top",
)  # fmt: skip
_POINT = ("started_at", "score", "score_change", "row_count", "row_delta", "sampled_rows", "quality_run_id")


def _notes(report: TableReport) -> list[str]:
    found = list(report.table.notes)
    found += list(report.change.notes) if report.change else []
    if any(column.is_private for column in report.table.columns):
        found.append("Values of private columns are withheld: they were neither fetched nor stored")
    return found


def _scores(request: Request, latest: MeasuredTable) -> Sequence[TableScore]:
    found = browse.table_scores(
        request.view.adapter,
        [latest.unique_id],
        project=latest.project_name,
        environment=latest.environment,
    )
    return next(iter(found.values()), ())


def _charts(scores: Sequence[TableScore]) -> list[TimeChart]:
    rows = [(one.started_at, one.row_count) for one in scores[-browse.POINTS_SHOWN :]]
    charts = [score_chart(scores), time_chart("Rows", rows, lambda value: count(round(value)))]
    return [chart for chart in charts if chart is not None]


def change_phrases(report: TableReport) -> list[str]:
    """Return one phrase for each figure of the table, and each column, that differs from before."""
    change = report.change
    if change is None:
        return []
    found = [figure_change(one) for one in change.figures]
    found += [text for column in change.columns for text in column_changes(column)]
    found += [f"{column.name}: {text}" for column in change.columns for text in column.regressions]
    # The score has its own place on the page.
    found += [text for text in change.regressions if not text.startswith("score")]
    return list(dict.fromkeys(found))


def columns_list(request: Request, latest: MeasuredTable, report: TableReport) -> Listing:
    """Return the list of measured columns of one table."""
    rows = [column_row(column) for column in report.table.columns]
    for row in rows:
        # The address has the environment, which without a column would be an unknown filter.
        row["environment"] = latest.environment
    columns = [
        ListColumn(
            "column_name",
            "column",
            link=lambda row: table_address(request, latest, "columns", row["column_name"]),
        ),
        ListColumn("column_type", "type", has_facets=True),
        ListColumn("score", "score", "bar", about=SCORE),
        ListColumn("null_share", "NULL", "share"),
        ListColumn("blank_count", "blank", "number"),
        ListColumn("distinct_count", "distinct", "number"),
        ListColumn("distinct_share", "distinct share", "share", about="Share of the rows with a value."),
        ListColumn("min", "min", "code"),
        ListColumn("max", "max", "code"),
        ListColumn("mean", "mean"),
        ListColumn("length", "length"),
        ListColumn("top", "most frequent"),
        ListColumn("issues", "issues"),
        ListColumn("is_private", "private", "flag", has_facets=True),
        ListColumn("environment", "environment"),
    ]
    return Listing(
        f"Columns of {latest.name}",
        columns,
        rows,
        empty=f"No column was measured: {latest.reason or 'the table has none'}.",
        notes=[f"Measured at {moment(latest.measured_at)}"],
        crumbs=crumbs_of(request, latest),
        sql="SELECT * FROM latest_column_quality",
    )


def column_row(column: ColumnQuality) -> dict[str, Any]:
    """Return the row of *column* in the list of columns."""
    profile = column.profile
    smallest, largest, mean = range_text(column)
    return {
        "column_name": column.name,
        "column_type": None if profile is None else profile.type.lower(),
        "score": column.score,
        "null_share": column.null_share,
        "blank_count": column.blank_count,
        "distinct_count": None if profile is None else profile.distinct_count,
        "distinct_share": column.distinct_share,
        "min": smallest,
        "max": largest,
        "mean": mean,
        "length": length_text(column),
        "top": WITHHELD if column.is_private else top_text(column),
        "issues": "; ".join(issues_of(column)),
        "is_private": column.is_private,
    }


@pages.listing("/quality/{project}/{node}/columns")
def columns(request: Request) -> Listing:
    """List the measured columns of one table."""
    latest, _ = measured_table(request)
    report = browse.table_report(request.view.adapter, latest)
    return columns_list(request, latest, report)


def history_list(request: Request, latest: MeasuredTable, scores: Sequence[TableScore]) -> Listing:
    """Return the list of measurements of one table, newest first."""
    newest = list(scores)[::-1]
    earlier: list[TableScore | None] = [*newest[1:], None]
    rows: list[Row] = [
        {
            "started_at": one.started_at,
            "score": one.score,
            "score_change": None
            if before is None or before.score is None or one.score is None
            else one.score - before.score,
            "row_count": one.row_count,
            "row_delta": None if before is None else difference(one.row_count, before.row_count),
            "sampled_rows": one.sampled_rows,
            "column_count": one.column_count,
            "quality_run_id": one.quality_run_id,
            "run_id": one.run_id,
            "environment": one.environment,
        }
        for one, before in zip(newest, earlier, strict=True)
    ]
    columns = [
        ListColumn("started_at", "measured", "time"),
        ListColumn("score", "score", "bar", about=SCORE),
        ListColumn("score_change", "score change", "number"),
        ListColumn("row_count", "rows", "number"),
        ListColumn("row_delta", "row change", "number"),
        ListColumn("sampled_rows", "sample", "number", about="Number of measured rows; empty if all were."),
        ListColumn("column_count", "columns", "number"),
        ListColumn("quality_run_id", "measurement", "code", about="recce-meta quality --show prints it."),
        ListColumn(
            "run_id", "node of run", "code", link=lambda row: request.to.node(row["run_id"], latest.unique_id)
        ),
        ListColumn("environment", "environment"),
    ]
    return Listing(
        f"Measurements of {latest.name}",
        columns,
        rows,
        empty="The table could not be measured so far.",
        crumbs=crumbs_of(request, latest),
        sql="SELECT * FROM table_quality_history",
    )


@pages.listing("/quality/{project}/{node}/history")
def history(request: Request) -> Listing:
    """List the measurements of one table."""
    latest, _ = measured_table(request)
    return history_list(request, latest, _scores(request, latest))
