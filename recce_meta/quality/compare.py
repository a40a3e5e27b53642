"""Comparison of two measurements of the same tables: changed figures and regressions, and its results."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from recce_meta.lazy import LazyModule
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import ColumnQuality, Quality, QualityRun, Sample, TableQuality
from recce_meta.models.rows import RowTable, Tabular, published
from recce_meta.quality.figures import Violation, column_of, exact_number, figure_of, figures_of

if TYPE_CHECKING:
    from recce_meta.tables import results as tables
else:
    # Only data frames and lists need the columns of all results.
    tables = LazyModule("recce_meta.tables.results")

NOISE = 1e-9
"""Relative difference of means that summation order can cause."""
OF_SAMPLE = frozenset(["null_count", "blank_count", "distinct_count", "distinct_share", "true_count"])
"""Figures that depend on the number of sampled rows; not compared between different samples."""


class EarlierQuality(Struct, frozen=True, kw_only=True):
    """Earlier measurement of one table."""

    run: QualityRun
    table: TableQuality

    @property
    def sample(self) -> Sample | None:
        """Return the sample that was measured, or None if all rows were."""
        return measured_sample(self.run, self.table)


def measured_sample(run: QualityRun, table: TableQuality) -> Sample | None:
    """Return the sample of *table* that was measured, or None if all rows were, as in small tables."""
    return None if table.sampled_rows is None else run.sample


class FigureChange(Struct, frozen=True, kw_only=True):
    """Figure that differs."""

    name: str
    base: Value
    current: Value


class ColumnQualityChange(Struct, frozen=True, kw_only=True):
    """Changes of one column."""

    name: str
    status: str
    """changed, added or removed."""
    figures: tuple[FigureChange, ...] = ()
    regressions: tuple[str, ...] = ()
    """Figures that became worse, one sentence each."""


class TableChange(Struct, frozen=True, kw_only=True):
    """Changes of a table since it was last measured."""

    unique_id: str
    base: QualityRun
    figures: tuple[FigureChange, ...] = ()
    columns: tuple[ColumnQualityChange, ...] = ()
    """Columns that differ, in the order of the relation, removed columns last."""
    regressions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @published
    def is_changed(self) -> bool:
        """Return True if anything differs."""
        return bool(self.figures or self.columns or self.regressions)


Subject: TypeAlias = TableQuality | ColumnQuality


def compare_quality(current: Quality, earlier: Mapping[str, EarlierQuality]) -> tuple[TableChange, ...]:
    """Return the changes of each table in *current* that is also in *earlier*."""
    return tuple(
        _table(table, earlier[table.unique_id], current.run)
        for table in current.tables
        if table.unique_id in earlier
    )


def table_labels(tables: Iterable[TableQuality]) -> dict[str, str]:
    """Return a label for each table by unique id: its name, or its relation if the name is not unique."""
    tables = list(tables)
    taken = Counter(table.name for table in tables)
    return {
        table.unique_id: table.name if taken[table.name] == 1 else table.relation or table.unique_id
        for table in tables
    }


def _table(current: TableQuality, earlier: EarlierQuality, run: QualityRun) -> TableChange:
    base = earlier.table
    samples = earlier.sample, measured_sample(run, current)
    left_out = OF_SAMPLE if samples[0] != samples[1] else frozenset()
    if current.reason is not None or base.reason is not None:
        is_lost = base.reason is None
        return TableChange(
            unique_id=current.unique_id,
            base=earlier.run,
            regressions=("is no longer measured",) if is_lost else (),
        )
    columns = [_column(column, base, left_out) for column in current.columns]
    removed = [
        ColumnQualityChange(name=column.name, status="removed", regressions=("no longer exists",))
        for column in base.columns
        if column_of(current, column.name) is None
    ]
    return TableChange(
        unique_id=current.unique_id,
        base=earlier.run,
        figures=_figures(base, current, left_out),
        columns=tuple([column for column in columns if column is not None] + removed),
        regressions=_regressions(base, current),
        notes=_notes(*samples),
    )


def _notes(base: Sample | None, current: Sample | None) -> tuple[str, ...]:
    if current == base:
        return ()
    looked = [f"a sample of {sample}" if sample else "all rows" for sample in (base, current)]
    return (
        f"Not exactly comparable: the earlier measurement used {looked[0]}, this one {looked[1]}; "
        "counts of NULLs, blanks, distinct and true values are left out",
    )


def _column(
    current: ColumnQuality, table: TableQuality, left_out: frozenset[str]
) -> ColumnQualityChange | None:
    base = column_of(table, current.name)
    if base is None:
        return ColumnQualityChange(name=current.name, status="added")
    lost = ("is no longer measured",) if base.profile is not None and current.profile is None else ()
    figures = () if lost or base.profile is None else _figures(base, current, left_out)
    regressions = lost or _regressions(base, current)
    if not figures and not regressions:
        return None
    return ColumnQualityChange(name=current.name, status="changed", figures=figures, regressions=regressions)


def _figures(base: Subject, current: Subject, left_out: frozenset[str]) -> tuple[FigureChange, ...]:
    # A figure that is missing on one side (withheld, or no rows) is not reported as different.
    before = dict(figures_of(base))
    return tuple(
        FigureChange(name=name, base=before[name], current=value)
        for name, value in figures_of(current)
        if value is not None
        and before.get(name) is not None
        and name not in left_out
        and not _is_same(before[name], value)
    )


def earlier_figure(subject: Subject, name: str) -> Value:
    """Return a figure of *subject*, or None if it has no such metric."""
    try:
        return figure_of(subject, name)
    except KeyError:
        return None


def _is_same(base: Value, current: Value) -> bool:
    if type(base) is type(current) and base == current:
        return True
    before, after = exact_number(base), exact_number(current)
    if before is None or after is None:
        return bool(base == current) or (base != base and current != current)  # two NaNs are equal
    return before == after or math.isclose(before, after, rel_tol=NOISE, abs_tol=0)


def _regressions(base: Subject, current: Subject) -> tuple[str, ...]:
    found = []
    if isinstance(base, TableQuality) and isinstance(current, TableQuality):
        found += ["no longer has rows"] if base.row_count and current.row_count == 0 else []
    before, after = figure_of(base, "score"), figure_of(current, "score")
    if before is not None and after is not None and after < before:
        found.append(f"score fell from {before:.1f} to {after:.1f}")
    # With the threshold: a metric that fails a stricter one has not become worse.
    held = {(metric.name, metric.threshold) for metric in base.metrics if metric.holds}
    found += [
        f"{metric.name} {metric.threshold} held before"
        for metric in current.metrics
        if not metric.holds and (metric.name, metric.threshold) in held
    ]
    return tuple(found)


def worst_first(tables: Sequence[TableQuality]) -> list[TableQuality]:
    """Return *tables* with unmeasured tables first, then by ascending score."""
    return sorted(
        tables,
        key=lambda table: (
            table.reason is None,
            # A table without a score has nothing to judge, so it comes last.
            math.inf if table.score is None else table.score,
            table.name,
            table.unique_id,
        ),
    )


class QualityResult(Tabular, frozen=True, kw_only=True):
    """Result of `quality`."""

    quality: Quality
    changes: tuple[TableChange, ...] = ()
    """Changes of the tables that were measured before."""
    violations: tuple[Violation, ...] = ()
    """Expectations that are not met, and conditions of `--fail-on` that are."""
    notes: tuple[str, ...] = ()
    """One sentence for each fact needed to interpret the figures."""

    def to_table(self) -> RowTable:
        """Return the measured tables and columns as rows."""
        return self.quality.to_table()


class QualityPoint(Struct, frozen=True, kw_only=True):
    """Figures of a table or column from one measurement."""

    run: QualityRun
    subject: TableQuality | ColumnQuality


class QualityHistory(Tabular, frozen=True, kw_only=True):
    """Figures of a table or column over time."""

    name: str
    points: tuple[QualityPoint, ...]
    """Measurements, newest first."""

    def to_table(self) -> RowTable:
        """Return the measurements as rows, with all figures."""
        types = {"quality_run_id": str, "run_id": str, "finished_at": datetime, "environment": str}
        rows = []
        for one in self.points:
            run, sample = one.run, None if one.run.sample is None else str(one.run.sample)
            named = (run.quality_run_id, run.run_id, run.finished_at, run.environment, sample, self.name)
            rows.append((*named, *tables.quality_figures(one.subject)))
        return RowTable({**types, "sample": str, "name": str, **tables.QUALITY_FIGURES}, rows)
