"""Quality over time: latest measurement of each table, violated conditions, histories of columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import UnknownNameError
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import QualityRun, TableQuality
from recce_meta.models.rows import ResultList, Tabular
from recce_meta.quality.compare import (
    EarlierQuality,
    QualityHistory,
    QualityPoint,
    TableChange,
    compare_quality,
)
from recce_meta.store.quality import (
    list_quality_runs,
    load_column_history,
    load_quality,
    previous_quality,
    resolve_quality_run,
)
from recce_meta.store.read import structs_of
from recce_meta.store.session import open_store
from recce_meta.store.values import value_from

POINTS_SHOWN = 60
"""Number of measurements in a history."""
MOST_EARLIER = 20
"""Number of earlier measurements to search for one in which the table could be measured."""


class MeasuredTable(Tabular, frozen=True):
    """Latest measurement of one table in a project and environment. Times are in UTC."""

    project_name: str
    environment: str
    unique_id: str
    name: str
    relation: str
    quality_run_id: str
    run_id: str
    measured_at: datetime
    row_count: int | None
    sampled_rows: int | None
    """Number of measured rows; None if all rows were measured."""
    column_count: int
    score: float | None
    reason: str | None
    """Why the table could not be measured."""
    previous_score: float | None
    previous_row_count: int | None
    previous_quality_run_id: str | None
    violations: int
    """Conditions that do not hold, and metrics that could not be measured."""
    conditions: int = 0
    """Conditions of the table and its columns in this measurement."""

    @property
    def score_change(self) -> float | None:
        """Difference from the previous score; None if either is missing."""
        if self.score is None or self.previous_score is None:
            return None
        return self.score - self.previous_score


class TableScore(Tabular, frozen=True):
    """Figures of one table in one measurement."""

    project_name: str
    environment: str
    unique_id: str
    quality_run_id: str
    run_id: str
    started_at: datetime
    row_count: int | None
    sampled_rows: int | None
    column_count: int | None
    score: float | None


class QualityViolation(Tabular, frozen=True):
    """Metric or expectation of a latest measurement that does not hold, or could not be measured."""

    project_name: str
    environment: str
    unique_id: str
    name: str
    """Name of the table."""
    column_name: str | None
    """None for a metric of the table."""
    metric_name: str
    value: Value
    threshold: str | None
    previous_value: float | None
    reason: str | None
    """Why it could not be measured."""
    quality_run_id: str
    started_at: datetime


class TableReport(Struct, frozen=True, kw_only=True):
    """Measurement of one table, compared with the previous one."""

    run: QualityRun
    table: TableQuality
    change: TableChange | None = None
    """Changes since the previous measurement; None for the first."""


def measured_tables(
    adapter: UnifiedSqlAdapter, *, project: str | None = None, unique_id: str | None = None
) -> ResultList[MeasuredTable]:
    """Return the latest measurement of each table that matches all given filters.

    Tables that could not be measured are first, then those with the lowest score.
    """
    with open_store(adapter) as store:
        found = store.query("quality_of_tables", project=project, environment=None, unique_id=unique_id)
    return structs_of(MeasuredTable, found)


def table_scores(
    adapter: UnifiedSqlAdapter,
    unique_ids: Iterable[str],
    *,
    project: str | None = None,
    environment: str | None = None,
) -> dict[tuple[str, str, str], list[TableScore]]:
    """Return the measurements of *unique_ids*, oldest first, by project, environment and unique id."""
    # A query has a fixed number of parameters, so that all ids are one text.
    ids = "\n".join(unique_ids)
    with open_store(adapter) as store:
        found = store.query("quality_scores", project=project, environment=environment, ids=ids)
    scores: dict[tuple[str, str, str], list[TableScore]] = {}
    for one in structs_of(TableScore, found):
        scores.setdefault((one.project_name, one.environment, one.unique_id), []).append(one)
    return scores


def quality_violations(adapter: UnifiedSqlAdapter) -> ResultList[QualityViolation]:
    """Return the metrics and expectations that do not hold in the latest measurement of their table."""
    with open_store(adapter) as store:
        found = store.query("quality_violations", project=None, environment=None)
    rows = [(*row[:6], value_from(row[6], row[7]), *row[8:]) for row in found]
    return structs_of(QualityViolation, rows)


def table_report(adapter: UnifiedSqlAdapter, latest: MeasuredTable) -> TableReport:
    """Return the measurement *latest* with its columns and metrics, compared with the previous one."""
    ids = [latest.unique_id]
    run = resolve_quality_run(adapter, latest.quality_run_id)
    quality = load_quality(adapter, run, unique_ids=ids)
    earlier = _earlier(adapter, run, latest.unique_id)
    changes = compare_quality(quality, earlier)
    return TableReport(run=run, table=quality.tables[0], change=changes[0] if changes else None)


def _earlier(adapter: UnifiedSqlAdapter, run: QualityRun, unique_id: str) -> Mapping[str, EarlierQuality]:
    """Return the last measurement before *run* in which the table could be measured."""
    before = run
    # Bounded: a table that can never be measured would otherwise be searched through its whole history.
    for _ in range(MOST_EARLIER):
        found = previous_quality(adapter, before, unique_ids=[unique_id], top_values=False)
        if found is None:
            break
        for table in found.tables:
            if table.reason is None:
                return {unique_id: EarlierQuality(run=found.run, table=table)}
        before = found.run
    return {}


def column_history(
    adapter: UnifiedSqlAdapter,
    latest: MeasuredTable,
    column_name: str,
    *,
    limit: int = POINTS_SHOWN,
) -> QualityHistory:
    """Return the last *limit* measurements of a column in the project and environment of *latest*.

    Raises UnknownNameError if none of them has the column.
    """
    runs = list_quality_runs(
        adapter,
        project=latest.project_name,
        environment=latest.environment,
        unique_ids=[latest.unique_id],
        limit=limit,
    )
    found = load_column_history(adapter, runs, latest.unique_id, column_name)
    if not found:
        raise UnknownNameError("column", column_name, _columns(adapter, latest))
    points = [
        QualityPoint(run=run, subject=found[run.quality_run_id])
        for run in runs
        if run.quality_run_id in found
    ]
    return QualityHistory(name=f"{latest.name}.{column_name}", points=tuple(points))


def _columns(adapter: UnifiedSqlAdapter, latest: MeasuredTable) -> list[str]:
    run = resolve_quality_run(adapter, latest.quality_run_id)
    quality = load_quality(adapter, run, unique_ids=[latest.unique_id], top_values=False)
    return [column.name for table in quality.tables for column in table.columns]
