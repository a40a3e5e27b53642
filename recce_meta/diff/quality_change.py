"""Two measurements of the same tables: which figures changed, and which changes are regressions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from recce_meta.diff.quality_figures import column_of, exact, figure_of, figures_of
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import ColumnQuality, Quality, QualityRun, Sample, TableQuality

NOISE = 1e-9
"""Relative difference of means that the order of summation can explain."""
OF_SAMPLE = frozenset(["null_count", "blank_count", "distinct_count", "distinct_share", "true_count"])
"""Figures that follow from how many rows were looked at, and are not compared between unequal samples."""


class Earlier(Struct, frozen=True, kw_only=True):
    """One table as it was measured before."""

    run: QualityRun
    table: TableQuality

    @property
    def sample(self) -> Sample | None:
        """The rows that were looked at; None where all were."""
        return looked_at(self.run, self.table)


def looked_at(run: QualityRun, table: TableQuality) -> Sample | None:
    """The sample of *table* that was taken; None where all rows were looked at, as a small table's are."""
    return None if table.sampled_rows is None else run.sample


class FigureChange(Struct, frozen=True, kw_only=True):
    """A figure that differs."""

    name: str
    base: Value
    current: Value


class ColumnChange(Struct, frozen=True, kw_only=True):
    """What changed in a column."""

    name: str
    status: str
    """changed, added or removed."""
    figures: tuple[FigureChange, ...] = ()
    regressions: tuple[str, ...] = ()
    """What became worse, a sentence each."""


class TableChange(Struct, frozen=True, kw_only=True):
    """What changed in a table since it was last measured."""

    unique_id: str
    base: QualityRun
    figures: tuple[FigureChange, ...] = ()
    columns: tuple[ColumnChange, ...] = ()
    """Those that differ, in the order of the relation, removed ones last."""
    regressions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether anything differs."""
        return bool(self.figures or self.columns or self.regressions)


Subject: TypeAlias = TableQuality | ColumnQuality


def compare_quality(current: Quality, earlier: Mapping[str, Earlier]) -> tuple[TableChange, ...]:
    """How each table of *current* differs from what it was before, where *earlier* has it."""
    return tuple(
        _table(table, earlier[table.unique_id], current.run)
        for table in current.tables
        if table.unique_id in earlier
    )


def table_labels(tables: Iterable[TableQuality]) -> dict[str, str]:
    """What to call each table, by unique id: its name, or its relation where several have one name."""
    tables = list(tables)
    taken = Counter(table.name for table in tables)
    return {
        table.unique_id: table.name if taken[table.name] == 1 else table.relation or table.unique_id
        for table in tables
    }


def _table(current: TableQuality, earlier: Earlier, run: QualityRun) -> TableChange:
    base = earlier.table
    samples = earlier.sample, looked_at(run, current)
    left_out = OF_SAMPLE if samples[0] != samples[1] else frozenset()
    if current.reason is not None or base.reason is not None:
        is_lost = base.reason is None
        return TableChange(
            unique_id=current.unique_id,
            base=earlier.run,
            regressions=("is not measured any more",) if is_lost else (),
        )
    columns = [_column(column, base, left_out) for column in current.columns]
    removed = [
        ColumnChange(name=column.name, status="removed", regressions=("is not there any more",))
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
        f"Not exactly comparable: the earlier measurement looked at {looked[0]}, this one at {looked[1]}; "
        "counts of NULLs, blanks, distinct and true values are left out",
    )


def _column(current: ColumnQuality, table: TableQuality, left_out: frozenset[str]) -> ColumnChange | None:
    base = column_of(table, current.name)
    if base is None:
        return ColumnChange(name=current.name, status="added")
    lost = ("is not measured any more",) if base.profile is not None and current.profile is None else ()
    figures = () if lost or base.profile is None else _figures(base, current, left_out)
    regressions = lost or _regressions(base, current)
    if not figures and not regressions:
        return None
    return ColumnChange(name=current.name, status="changed", figures=figures, regressions=regressions)


def _figures(base: Subject, current: Subject, left_out: frozenset[str]) -> tuple[FigureChange, ...]:
    # What is not known on one side, as it was withheld or there was no row, is not known to differ.
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
    """A figure of *subject*; None where it has no such metric."""
    try:
        return figure_of(subject, name)
    except KeyError:
        return None


def _is_same(base: Value, current: Value) -> bool:
    if type(base) is type(current) and base == current:
        return True
    before, after = exact(base), exact(current)
    if before is None or after is None:
        return bool(base == current) or (base != base and current != current)  # NaN is NaN
    return before == after or math.isclose(before, after, rel_tol=NOISE, abs_tol=0)


def _regressions(base: Subject, current: Subject) -> tuple[str, ...]:
    found = []
    if isinstance(base, TableQuality) and isinstance(current, TableQuality):
        found += ["has no rows any more"] if base.row_count and current.row_count == 0 else []
    before, after = figure_of(base, "score"), figure_of(current, "score")
    if before is not None and after is not None and after < before:
        found.append(f"score fell from {before:.1f} to {after:.1f}")
    held = {(metric.name, metric.threshold) for metric in base.metrics if metric.holds}
    found += [
        f"{metric.name} {metric.threshold} held before"
        for metric in current.metrics
        if not metric.holds and (metric.name, metric.threshold) in held
    ]
    return tuple(found)


def worst_first(tables: Sequence[TableQuality]) -> list[TableQuality]:
    """*tables* as a reader wants them: what could not be measured, and then by score."""
    return sorted(
        tables,
        key=lambda table: (
            table.reason is None,
            math.inf if table.score is None else table.score,
            table.name,
            table.unique_id,
        ),
    )
