"""Lists of quality: latest measurements of tables, conditions that are not met, and measurements.

The application registers them before `quality`, whose `/quality/{project}` matches their addresses as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recce_meta.api.browse import quality as browse
from recce_meta.api.browse.quality import MeasuredTable, QualityViolation
from recce_meta.models.quality import QualityRun
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.quality import list_quality_runs

pages = PageSet()

NOTHING = "Nothing is measured: recce-meta quality measures the tables of a recorded run or of a database."
SCORE = (
    "A score is 100 times the mean of the parts that apply: completeness (rows with a value that is not "
    "blank), uniqueness (of columns that are declared unique), and validity (conditions that hold)."
)


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
    rows: list[Row] = [
        {
            "name": one.name,
            "project": one.project_name,
            "environment": one.environment,
            "score": one.score,
            "score_change": one.score_change,
            "violations": one.violations,
            "row_count": one.row_count,
            "row_delta": difference(one.row_count, one.previous_row_count),
            "sampled_rows": one.sampled_rows,
            "column_count": one.column_count,
            "reason": one.reason,
            "measured_at": one.measured_at,
            "relation": one.relation,
            "unique_id": one.unique_id,
        }
        for one in found
    ]

    def link(row: Row) -> str:
        return request.to.quality(row["project"], row["unique_id"], environment=row["environment"])

    since = "Difference from the previous measurement of the table."
    columns = [
        ListColumn("name", "table", link=link),
        ListColumn("project", "project", has_facets=True),
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
        ListColumn("row_delta", "row change", "number", about=since),
        ListColumn("sampled_rows", "sample", "number", about="Number of measured rows; empty if all were."),
        ListColumn("column_count", "columns", "number"),
        ListColumn("reason", "not measured because"),
        ListColumn("measured_at", "measured", "time"),
        ListColumn("relation", "relation", "code"),
    ]
    return Listing(
        "Quality of tables",
        columns,
        rows,
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

    def link(row: Row) -> str:
        more = () if row["column"] is None else ("columns", row["column"])
        return request.to.quality(row["project"], row["unique_id"], *more, environment=row["environment"])

    rows: list[Row] = [
        {
            "name": one.name,
            "column": one.column_name,
            "metric_name": one.metric_name,
            "status": "not measured" if one.reason else "not met",
            "value": one.value,
            "threshold": one.threshold,
            "previous_value": one.previous_value,
            "reason": one.reason,
            "project": one.project_name,
            "environment": one.environment,
            "started_at": one.started_at,
            "unique_id": one.unique_id,
        }
        for one in found
    ]
    columns = [
        ListColumn("name", "table", link=link),
        ListColumn("column", "column", link=lambda row: link(row) if row["column"] else None),
        ListColumn("metric_name", "figure or metric", "code"),
        ListColumn("status", "status", "tag", tone=_status_tone, has_facets=True),
        ListColumn("value", "value", "number"),
        ListColumn("threshold", "expected", "code"),
        ListColumn("previous_value", "value before", "number"),
        ListColumn("reason", "reason"),
        ListColumn("project", "project", has_facets=True),
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("started_at", "measured", "time"),
    ]
    return Listing(
        "Conditions that are not met",
        columns,
        rows,
        empty="No condition is violated in the latest measurements, or none is defined. Conditions are "
        "defined in quality.yml.",
        crumbs=[("Quality", request.to.quality())],
        sql="SELECT * FROM metric_history WHERE NOT holds",
    )


def _status_tone(row: Row) -> str:
    return "failed" if row["status"] == "not met" else "one-sided"


@pages.listing("/quality/measurements")
def measurements(request: Request) -> Listing:
    """List the measurements, newest first."""
    view = request.view
    # Failed measurements explain why figures are old.
    return measurements_list(request, list_quality_runs(view.adapter, with_failed=True, schema=view.schema))


def measurements_list(request: Request, found: Sequence[QualityRun]) -> Listing:
    """Return the list of the measurements *found*."""
    to = request.to
    rows: list[Row] = [
        {
            "quality_run_id": run.quality_run_id,
            "finished_at": run.finished_at,
            "project": run.project_name,
            "environment": run.environment,
            "status": run.status,
            "score": run.score,
            "table_count": run.table_count,
            "failed_count": run.failed_count,
            # As text, because a sample is a number of rows or a share.
            "sample": None if run.sample is None else str(run.sample),
            "seconds": (run.finished_at - run.started_at).total_seconds(),
            "run_id": run.run_id,
            "reason": run.reason,
        }
        for run in found
    ]
    columns = [
        ListColumn("finished_at", "measured", "time"),
        ListColumn(
            "project", "project", link=lambda row: to.quality(project=row["project"]), has_facets=True
        ),
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("status", "status", "tag", has_facets=True),
        ListColumn("score", "score", "bar", about=f"Mean of the scores of the tables. {SCORE}"),
        ListColumn("table_count", "tables", "number"),
        ListColumn("failed_count", "not measured", "number"),
        ListColumn("sample", "sample"),
        ListColumn("seconds", "duration", "seconds"),
        ListColumn("run_id", "nodes of run", "code", link=lambda row: to.run(row["run_id"])),
        ListColumn("reason", "reason"),
        ListColumn("quality_run_id", "measurement", "code", about="recce-meta quality --show prints it."),
    ]
    return Listing("Measurements", columns, rows, empty=NOTHING, crumbs=[("Quality", to.quality())])
