"""Quality on a terminal: the worst tables first; the columns of one that is alone; what failed."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.diff.quality_change import TableChange, table_labels
from recce_meta.diff.quality_result import QualityResult
from recce_meta.diff.quality_verdict import failed_text
from recce_meta.models.quality import ColumnQuality, TableQuality
from recce_meta.report.data.figures import count, percent
from recce_meta.report.data.grid import grid, heads, wrapped
from recce_meta.report.quality_wording import (
    bases,
    by_id,
    changes_text,
    column_changes,
    headline,
    issues_of,
    length_text,
    notes_of,
    range_text,
    rows_text,
    score_change,
    score_style,
    score_text,
    sorted_tables,
    table_issues,
    top_text,
    value_text,
)
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render
from recce_meta.report.wording import more, short_run_id

TABLES_SHOWN = 30
COLUMNS_SHOWN = 60
VIOLATIONS_SHOWN = 40
COLUMNS = ("column", "type", "NULL", "distinct", "min", "max", "mean", "length", "top", "score", "issues")


def quality_text(result: QualityResult, *, width: int, color: bool) -> str:
    """*result* in one screen; a table that is alone with every column."""
    run, tables = result.quality.run, sorted_tables(result)
    title: Line = (
        Span(f"Quality of {run.project_name}", Style.BOLD),
        Span(f"  {' · '.join(headline(result))} · score ", Style.DIM),
        Span(score_text(run.score), score_style(run.score)),
        Span(f"  {short_run_id(run.quality_run_id)}", Style.DIM),
    )
    lines: list[Line] = [title, BLANK]
    if len(tables) == 1 and tables[0].reason is None:
        lines += _one(tables[0], by_id(result).get(tables[0].unique_id), width)
    else:
        lines += _many(tables, result, width)
    if result.changes:
        told = ", ".join(f"{at} ({run_id})" for at, run_id in bases(result.changes))
        lines += [BLANK, (Span(f"Compared with {told}", Style.DIM),)]
    for note in notes_of(result):
        lines += wrapped(Span("note: ", Style.YELLOW), note, width)
    # What failed is never cut: the figures stand at the end of a line as often as not.
    return render(lines, width=width, color=color) + render(_violations(result), width=0, color=color)


def _many(tables: Sequence[TableQuality], result: QualityResult, width: int) -> list[Line]:
    labels, changes = table_labels(tables), by_id(result)
    rows = [heads("table", "rows", "score", "", "columns", "issues", "changed")]
    for table in tables[:TABLES_SHOWN]:
        change = changes.get(table.unique_id)
        is_lost = table.reason is not None
        rows.append(
            [
                Span(labels[table.unique_id]),
                Span(rows_text(table)),
                Span(score_text(table.score), score_style(table.score)),
                Span(score_change(change), Style.DIM),
                Span("" if is_lost else count(table.column_count)),
                Span(table_issues(table), Style.RED if is_lost else Style.PLAIN),
                Span(changes_text(change), Style.DIM),
            ]
        )
    lines = grid(rows, width=width, right={1, 2, 3, 4})
    if len(tables) > TABLES_SHOWN:
        lines.append((Span(f"  {more(len(tables) - TABLES_SHOWN, hint=True)}", Style.DIM),))
    return lines


def _one(table: TableQuality, change: TableChange | None, width: int) -> list[Line]:
    title: Line = (
        Span(table.name, Style.BOLD),
        Span(f"  rows: {rows_text(table)}, columns: {count(table.column_count)}", Style.DIM),
    )
    rows = [heads(*COLUMNS)]
    rows += [_column(column) for column in table.columns[:COLUMNS_SHOWN]]
    lines: list[Line] = [title, *grid(rows, width=width, right={2, 3, 9})]
    if len(table.columns) > COLUMNS_SHOWN:
        lines.append((Span(f"  {more(len(table.columns) - COLUMNS_SHOWN, hint=True)}", Style.DIM),))
    for metric in table.metrics:
        wanted = f", expected {metric.threshold}" if metric.threshold else ""
        said = metric.reason or value_text(metric.name, metric.value)
        style = Style.RED if metric.threshold and not metric.holds else Style.PLAIN
        lines.append((Span(f"  {metric.name} "), Span(said, style), Span(wanted, Style.DIM)))
    if change is not None and change.is_changed:
        told = [changes_text(_alone(change))] if change.figures or change.regressions else []
        told += [text for column in change.columns for text in column_changes(column)]
        lines += [BLANK, (Span("Changed", Style.BOLD),)]
        lines += [plain(f"  {text}") for text in told[:COLUMNS_SHOWN] if text]
    return lines


def _alone(change: TableChange) -> TableChange:
    """What changed in the table itself."""
    return TableChange(
        unique_id=change.unique_id, base=change.base, figures=change.figures, regressions=change.regressions
    )


def _column(column: ColumnQuality) -> list[Span]:
    profile = column.profile
    if profile is None:
        blanks = [Span("")] * 8
        return [Span(column.name), *blanks, Span("–"), Span("; ".join(issues_of(column)), Style.RED)]
    smallest, largest, mean = range_text(column)
    distinct = "" if profile.distinct_count is None else count(profile.distinct_count)
    return [
        Span(column.name),
        Span(profile.type.lower(), Style.DIM),
        Span(percent(column.null_share) if column.null_share else ""),
        Span(("≈ " if profile.is_approximate and distinct else "") + distinct),
        Span(smallest, Style.DIM if column.is_private else Style.PLAIN),
        Span(largest),
        Span(mean),
        Span(length_text(column)),
        Span(top_text(column)),
        Span(score_text(column.score), score_style(column.score)),
        Span("; ".join(text for text in issues_of(column) if not text.endswith(" NULL"))),
    ]


def _violations(result: QualityResult) -> list[Line]:
    found = result.violations
    if not found:
        return []
    lines: list[Line] = [BLANK, (Span(f"Failed: {failed_text(found)}", Style.RED),)]
    lines += [plain(f"  {violation.message}") for violation in found[:VIOLATIONS_SHOWN]]
    if len(found) > VIOLATIONS_SHOWN:
        lines.append((Span(f"  {more(len(found) - VIOLATIONS_SHOWN, hint=True)}", Style.DIM),))
    return lines
