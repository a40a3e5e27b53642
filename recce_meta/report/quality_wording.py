"""The words in which all reports tell of quality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from recce_meta.diff.quality_change import ColumnChange, FigureChange, TableChange, worst_first
from recce_meta.diff.quality_result import QualityResult
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import ColumnQuality, Quality, TableQuality
from recce_meta.models.quality_conditions import SHARES
from recce_meta.models.run import FAILED
from recce_meta.report.characters import shorten
from recce_meta.report.data.cells import cell_text
from recce_meta.report.data.figures import count, figure, percent
from recce_meta.report.terminal import Style
from recce_meta.report.wording import moment, short_run_id

REASON_WIDTH = 60
"""Cells of why something was not measured, in the line of a table."""
ISSUES_SHOWN = 3
"""Columns of one table that are told in its line."""
WITHHELD = "withheld"
WEIGHTY = frozenset(["null_share", "blank_count"])
"""Figures of which a change is told before others."""
GOOD, FAIR = 99.0, 90.0
"""Scores from which on a score is shown as good, and as fair."""


def score_text(score: float | None) -> str:
    """`98.4`; only what is whole is 100, and only nothing is 0.

    >>> score_text(100.0), score_text(99.999), score_text(0.01), score_text(None)
    ('100', '99.9', '0.1', '–')
    """
    if score is None:
        return "–"
    if score in (0, 100):
        return f"{score:.0f}"
    return f"{min(max(score, 0.1), 99.9):.1f}"


def score_style(score: float | None) -> Style:
    """The colour of a score."""
    if score is None:
        return Style.DIM
    return Style.GREEN if score >= GOOD else Style.YELLOW if score >= FAIR else Style.RED


def score_change(change: TableChange | ColumnChange | None) -> str:
    """`-3.0`: what the score changed by; empty where it did not."""
    for one in () if change is None else change.figures:
        if one.name == "score" and one.base is not None and one.current is not None:
            delta = float(one.current) - float(one.base)
            return f"{delta:+.1f}" if abs(delta) >= 0.05 else ("+" if delta > 0 else "-") + "<0.1"
    return ""


def issues_of(column: ColumnQuality) -> list[str]:
    """What keeps *column* from a score of 100, and what is expected and does not hold."""
    if column.profile is None:
        return [f"not measured: {column.reason}" if column.reason else "not measured"]
    issues = []
    rows = column.profile.row_count
    if column.null_share:
        issues.append(f"{percent(column.null_share)} NULL")
    if column.blank_count and rows:
        issues.append(f"{percent(column.blank_count / rows)} blank")
    if column.is_declared_unique and (column.distinct_share or 1) < 1:
        issues.append("not unique")
    return issues + failed_metrics(column)


def failed_metrics(subject: TableQuality | ColumnQuality) -> list[str]:
    """The metrics that do not meet their threshold."""
    return [
        f"{metric.name} {value_text(metric.name, metric.value)}, not {metric.threshold}"
        for metric in subject.metrics
        if metric.threshold is not None and metric.holds is False
    ] + [
        f"{metric.name}: {shorten(metric.reason, REASON_WIDTH)}"
        for metric in subject.metrics
        if metric.reason is not None and metric.holds is None
    ]


def table_issues(table: TableQuality) -> str:
    """`rating 12.3% NULL; 2 more columns`: the worst columns of *table* first; why it was not measured."""
    if table.reason is not None:
        return f"could not be measured: {table.reason}"
    found = [(column, issues_of(column)) for column in _worst(table.columns)]
    told = failed_metrics(table)
    told += [f"{column.name} {', '.join(issues)}" for column, issues in found if issues]
    rest = len(told) - ISSUES_SHOWN
    return "; ".join(told[:ISSUES_SHOWN] + ([f"{rest:,} more"] if rest > 0 else []))


def _worst(columns: Iterable[ColumnQuality]) -> list[ColumnQuality]:
    return sorted(
        columns,
        key=lambda column: (column.profile is not None, 101 if column.score is None else column.score),
    )


def changes_text(change: TableChange | None) -> str:
    """`1,000 → 1,012 rows; rating null_share 1.0% → 12.3%; 2 more`."""
    if change is None:
        return ""
    told = [
        f"{count(one.base)} → {count(one.current)} rows" if one.name == "row_count" else figure_change(one)
        for one in change.figures
        if one.name != "score"
    ]
    told += [text for column in sorted(change.columns, key=_weight) for text in column_changes(column)]
    told += [text for text in change.regressions if not text.startswith("score")]
    rest = len(told) - ISSUES_SHOWN
    return "; ".join(told[:ISSUES_SHOWN] + ([f"{rest:,} more"] if rest > 0 else []))


def _weight(column: ColumnChange) -> int:
    """What came and went and became worse is told first, and what may only follow from more rows last."""
    if column.status != "changed" or column.regressions:
        return 0
    return 1 if any(one.name in WEIGHTY for one in column.figures) else 2


def column_changes(column: ColumnChange) -> list[str]:
    """What changed in a column, in one text; shares before counts that say the same."""
    if column.status != "changed":
        return [f"column {column.name} {column.status}"]
    names = {one.name for one in column.figures}
    said = {"null_count"} if "null_share" in names else set()
    told = [one for one in column.figures if one.name not in {"score", "distinct_share", *said}]
    figures = [figure_change(one) for one in told[:2]]
    return [f"{column.name} {', '.join(figures)}"] if figures else []


def figure_change(change: FigureChange) -> str:
    """`null_share 1.0% → 12.3%`."""
    before, after = (value_text(change.name, value) for value in (change.base, change.current))
    return f"{change.name} {before} → {after}"


def value_text(name: str, value: Value, width: int = 24) -> str:
    """A figure: shares in per cent, numbers rounded, anything else as a cell."""
    if value is None:
        return "–"
    if name in SHARES:
        return percent(float(value))
    if name == "score":
        return score_text(float(value))
    if isinstance(value, bool):
        return cell_text(value)
    if isinstance(value, int):
        return count(value)
    if isinstance(value, (float, Decimal, Fraction)):
        return figure(float(value))
    return cell_text(value, width)


def headline(result: QualityResult) -> list[str]:
    """What was measured, when, and how it is, a phrase each."""
    run = result.quality.run
    scores = [run.environment, moment(run.finished_at)]
    tables = f"{run.table_count:,} table{'' if run.table_count == 1 else 's'}"
    parts = [*scores, tables]
    if run.failed_count:
        parts.append(f"{run.failed_count:,} could not be measured")
    return parts


def facts_of(quality: Quality) -> list[str]:
    """What a reader has to know of how *quality* was measured."""
    run, told = quality.run, []
    if run.status == FAILED:
        told.append(f"The measurement failed: {run.reason or 'reason unknown'}")
    measured = [table for table in quality.tables if table.reason is None]
    if run.sample is not None and measured and all(table.sampled_rows is None for table in measured):
        told.append(f"All rows were looked at: no table has more than a sample of {run.sample}")
    elif run.sample is not None:
        how = f"a sample of {run.sample} with seed {run.sample.seed}"
        told.append(f"Figures of columns are of {how}; row counts and metrics are of all rows")
    if not run.keeps_values:
        told.append("Values were neither fetched nor kept")
    return told


def bases(changes: Sequence[TableChange]) -> list[tuple[str, str]]:
    """When the earlier measurements were made that the changes are from, and their ids, the latest first."""
    runs = {change.base.quality_run_id: change.base for change in changes}
    latest = sorted(runs.values(), key=lambda run: run.started_at, reverse=True)
    return [(moment(run.finished_at), short_run_id(run.quality_run_id)) for run in latest]


def notes_of(result: QualityResult) -> list[str]:
    """All notes, each once: of the run, of the tables, and of what was compared."""
    notes = [*facts_of(result.quality), *result.notes]
    notes += [note for change in result.changes for note in change.notes]
    notes += [note for table in result.quality.tables for note in table.notes]
    return list(dict.fromkeys(notes))


def by_id(result: QualityResult) -> Mapping[str, TableChange]:
    """The changes by table."""
    return {change.unique_id: change for change in result.changes}


def sorted_tables(result: QualityResult) -> list[TableQuality]:
    """The worst first."""
    return worst_first(result.quality.tables)


def rows_text(table: TableQuality) -> str:
    """`1,000`, and of how many the figures are, where they are of a sample."""
    sampled = f" ({count(table.sampled_rows)} looked at)" if table.sampled_rows is not None else ""
    return count(table.row_count) + sampled


def range_text(column: ColumnQuality) -> tuple[str, str, str]:
    """Smallest value, largest and mean."""
    if column.profile is None:
        return "", "", ""
    profile = column.profile
    if column.is_private:
        return WITHHELD, "", ""
    texts = [
        "" if value is None else value_text("", value) for value in (profile.min, profile.max, profile.avg)
    ]
    return texts[0], texts[1], texts[2]


def length_text(column: ColumnQuality) -> str:
    """`3 to 27`: shortest and longest text."""
    profile = column.profile
    if profile is None or profile.min_length is None or profile.max_length is None:
        return ""
    if profile.min_length == profile.max_length:
        return count(profile.min_length)
    return f"{count(profile.min_length)} to {count(profile.max_length)}"


def top_text(column: ColumnQuality, most: int = 3) -> str:
    """`PG 40.2%, R 20.1%`: the most frequent values, unless all are."""
    profile = column.profile
    if profile is None or not column.top_values or not profile.row_count:
        return ""
    if column.top_values[0].count <= 1:
        return ""
    rows = profile.row_count
    return ", ".join(
        f"{cell_text(top.value, 16)} {percent(top.count / rows)}" for top in column.top_values[:most]
    )
