"""What a measurement of data quality found: of tables, of their columns, and of the users' own metrics.

Shares are fractions from 0 to 1, scores are from 0 to 100 (docs/quality.md has the formulas). Values of cells
are Python's own, as in data diffs. All times are time-zone aware, in UTC.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recce_meta.models.data_diff import Profile, Value


class Sample(Struct, frozen=True, kw_only=True):
    """Which rows were looked at, where not all were."""

    percent: float | None = None
    """Each row's chance, as the warehouse samples; None where a number of rows was asked for."""
    rows: int | None = None
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.rows is None else f"{self.rows} rows"


class ValueCount(Struct, frozen=True, kw_only=True):
    """One of the most frequent values, and in how many rows it is."""

    value: Value
    count: int


class MetricResult(Struct, frozen=True, kw_only=True):
    """One of the users' own metrics, of a table or of a column."""

    name: str
    value: Value = None
    """A number, text, boolean or moment; None where the metric is NULL or failed."""
    threshold: str | None = None
    """The condition as it was written; None where the metric has none."""
    holds: bool | None = None
    """Whether it meets its threshold; None where it has none, and where it could not be measured."""
    reason: str | None = None
    """Why it could not be measured."""


class ColumnQuality(Struct, frozen=True, kw_only=True):
    """One column."""

    name: str
    profile: Profile | None = None
    """None where the column could not be measured."""
    blank_count: int | None = None
    """Of texts: rows whose value is empty or of spaces alone; it is no NULL, and not complete either."""
    is_declared_unique: bool = False
    """Whether a primary key, a unique constraint or a unique test of this column alone says so."""
    top_values: tuple[ValueCount, ...] = ()
    """The most frequent first; none where values are not kept."""
    is_private: bool = False
    """Whether its values are withheld: profile has no minimum, maximum, mean, median and true_count then."""
    score: float | None = None
    metrics: tuple[MetricResult, ...] = ()
    reason: str | None = None
    """Why something is missing here."""

    @property
    def null_count(self) -> int | None:
        """Rows without a value."""
        return None if self.profile is None else self.profile.row_count - self.profile.not_null_count

    @property
    def null_share(self) -> float | None:
        """Rows without a value as a share of all rows; None of no rows."""
        profile = self.profile
        if profile is None or not profile.row_count:
            return None
        return (profile.row_count - profile.not_null_count) / profile.row_count

    @property
    def distinct_share(self) -> float | None:
        """Distinct values as a share of rows with a value; None where there is none."""
        profile = self.profile
        if profile is None or profile.distinct_count is None or not profile.not_null_count:
            return None
        return profile.distinct_count / profile.not_null_count


class TableQuality(Struct, frozen=True, kw_only=True):
    """One table."""

    unique_id: str
    name: str
    relation: str
    """As SQL names it."""
    measured_at: datetime
    row_count: int | None = None
    """All rows, also where only a sample was measured; None where they could not be counted."""
    sampled_rows: int | None = None
    """How many rows the figures are of; None where they are of all."""
    columns: tuple[ColumnQuality, ...] = ()
    """In the order of the relation."""
    metrics: tuple[MetricResult, ...] = ()
    score: float | None = None
    reason: str | None = None
    """Why the table could not be measured; it has no columns then."""
    notes: tuple[str, ...] = ()

    @property
    def column_count(self) -> int:
        """How many columns were measured."""
        return len(self.columns)


class QualityRun(Struct, frozen=True, kw_only=True):
    """One measurement of several tables, which are nodes of one recorded run."""

    quality_run_id: str
    run_id: str
    """The run whose nodes were measured."""
    project_name: str
    environment: str
    started_at: datetime
    finished_at: datetime
    target_name: str | None = None
    sample: Sample | None = None
    keeps_values: bool = True
    """Whether values of columns that are not private are kept."""
    table_count: int = 0
    failed_count: int = 0
    """Tables that could not be measured."""
    score: float | None = None
    """The mean of the tables' scores."""
    recorder_version: str | None = None
    status: str = "complete"
    """`complete`, or `failed`: a failed measurement is stored without tables, and is never the latest one."""
    reason: str | None = None
    """Why the measurement failed."""


class Quality(Struct, frozen=True, kw_only=True):
    """A measurement, and all that it found."""

    run: QualityRun
    tables: tuple[TableQuality, ...]
    """Sorted by unique id."""
