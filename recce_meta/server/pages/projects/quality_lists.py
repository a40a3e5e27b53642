"""Lists of quality: latest measurements of tables, conditions that are not met, and measurements.

The application registers them before `quality`, whose `/quality/{project}` matches their addresses as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from recce_meta.api.browse import quality as browse
from recce_meta.api.browse.quality import MeasuredTable, QualityViolation
from recce_meta.models.quality import QualityRun
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.quality import list_quality_runs

pages = PageSet()

NOTHING = "Nothing is measured: recce-meta quality measures the tables of a recorded run or of a database."
SCORE = (
    "A score is 100 times the mean of the parts that apply: completeness (rows with a value that is not "
    "blank), uniqueness (of columns that are declared unique), and validity (conditions that hold)."
)

_PROJECT = ListColumn("project", "project", of=lambda one: one.project_name, has_facets=True)


def all_tables(view: StoreView) -> Sequence[MeasuredTable]:
    """Return the latest measurement of each table, unmeasured tables first, then the lowest score."""
    return view.cached(("measured tables",), lambda: browse.measured_tables(view.adapter))


def all_violations(view: StoreView) -> Sequence[QualityViolation]:
    """Return the conditions that do not hold in the latest measurement of their table."""
    return view.cached(("quality violations",), lambda: browse.quality_violations(view.adapter))


def table_address(request: Request, table: MeasuredTable | QualityViolation, *more: str) -> str:
    """Return the quality page of *table*."""
    return request.to.quality(table.project_name, table.unique_id, *more, environment=table.environment)


@pages.listing("/quality/tables")
def tables(request: Request) -> Listing:
    """List the latest measurement of every table, worst first."""
    return tables_list(request, all_tables(request.view))


def tables_list(request: Request, found: Sequence[MeasuredTable]) -> Listing:
    """Return the list of measured tables *found*."""

    def link(one: MeasuredTable) -> str:
        return table_address(request, one)

    since = "Difference from the previous measurement of the table."
    columns = [
        ListColumn("name", "table", link=link),
        _PROJECT,
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("score", "score", "bar", about=SCORE),
        ListColumn("score_change", "score change", "number", about=since),
        ListColumn(
            "violations",
            "conditions not met",
            "number",
            about="Expectations that do not hold, and metrics that could not be measured.",
        ),
        ListColumn("row_count", "rows", "number"),
        ListColumn(
            "row_delta",
            "row change",
            "number",
            about=since,
            of=lambda one: difference(one.row_count, one.previous_row_count),
        ),
        ListColumn("sampled_rows", "sample", "number", about="Number of measured rows; empty if all were."),
        ListColumn("column_count", "columns", "number"),
        ListColumn("reason", "not measured because"),
        ListColumn("measured_at", "measured", "time"),
        ListColumn("relation", "relation", "code"),
    ]
    return Listing.of(
        "Quality of tables",
        columns,
        found,
        empty=NOTHING,
        notes=[SCORE],
        crumbs=[("Quality", request.to.quality())],
        sql="SELECT * FROM latest_table_quality",
    )


def difference(current: int | None, previous: int | None) -> int | None:
    """Return the difference of two counts; None if either is missing."""
    # Zero would claim that the number of rows is unchanged.
    return None if current is None or previous is None else current - previous


@pages.listing("/quality/violations")
def violations(request: Request) -> Listing:
    """List the conditions that do not hold in the latest measurements."""
    return violations_list(request, all_violations(request.view))


def violations_list(request: Request, found: Iterable[QualityViolation]) -> Listing:
    """Return the list of the violations *found*."""

    def link(one: QualityViolation) -> str:
        more = () if one.column_name is None else ("columns", one.column_name)
        return table_address(request, one, *more)

    columns = [
        ListColumn("name", "table", link=link),
        ListColumn(
            "column",
            "column",
            of=lambda one: one.column_name,
            link=lambda one: link(one) if one.column_name else None,
        ),
        ListColumn("metric_name", "figure or metric", "code"),
        ListColumn(
            "status",
            "status",
            "tag",
            of=lambda one: "not measured" if one.reason else "not met",
            tone=lambda one: "one-sided" if one.reason else "failed",
            has_facets=True,
        ),
        ListColumn("value", "value", "number"),
        ListColumn("threshold", "expected", "code"),
        ListColumn("previous_value", "value before", "number"),
        ListColumn("reason", "reason"),
        _PROJECT,
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("started_at", "measured", "time"),
    ]
    return Listing.of(
        "Conditions that are not met",
        columns,
        found,
        empty="No condition is violated in the latest measurements, or none is defined. Conditions are "
        "defined in quality.yml.",
        crumbs=[("Quality", request.to.quality())],
        sql="SELECT * FROM metric_history WHERE NOT holds",
    )


@pages.listing("/quality/measurements")
def measurements(request: Request) -> Listing:
    """List the measurements, newest first."""
    view = request.view
    # Failed measurements explain why figures are old.
    return measurements_list(request, list_quality_runs(view.adapter, with_failed=True))


def measurements_list(request: Request, found: Sequence[QualityRun]) -> Listing:
    """Return the list of the measurements *found*."""
    to = request.to
    columns = [
        ListColumn("finished_at", "measured", "time"),
        replace(_PROJECT, link=lambda run: to.quality(project=run.project_name)),
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("status", "status", "tag", has_facets=True),
        ListColumn("score", "score", "bar", about=f"Mean of the scores of the tables. {SCORE}"),
        ListColumn("table_count", "tables", "number"),
        ListColumn("failed_count", "not measured", "number"),
        # As text, because a sample is a number of rows or a share.
        ListColumn("sample", "sample", of=lambda run: None if run.sample is None else str(run.sample)),
        ListColumn(
            "seconds",
            "duration",
            "seconds",
            of=lambda run: (run.finished_at - run.started_at).total_seconds(),
        ),
        ListColumn("run_id", "nodes of run", "code", link=lambda run: to.run(run.run_id)),
        ListColumn("reason", "reason"),
        ListColumn("quality_run_id", "measurement", "code", about="recce-meta quality --show prints it."),
    ]
    return Listing.of("Measurements", columns, found, empty=NOTHING, crumbs=[("Quality", to.quality())])
