"""Quality measurements as text and Markdown.

Tables are ordered by score, lowest first. A single table is shown with all its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from recce_meta.errors import plural
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import SHARES, ColumnQuality, Quality, TableQuality
from recce_meta.models.run import FAILED
from recce_meta.quality.compare import (
    ColumnQualityChange,
    FigureChange,
    QualityResult,
    TableChange,
    table_labels,
    worst_first,
)
from recce_meta.quality.figures import failed_text
from recce_meta.report.labels import moment, more_phrase, short_run_id
from recce_meta.report.terminal import (
    BLANK,
    Line,
    Span,
    Style,
    code,
    grid,
    heading_row,
    md_table,
    plain_line,
    prose,
    render,
    shorten,
    wrap_text,
)
from recce_meta.report.values import cell_text, count, figure, percent

REASON_WIDTH = 60
"""Display width of the reason why something was not measured."""
ISSUES_SHOWN = 3
"""Columns mentioned in the row of a table."""
WITHHELD = "withheld"
PRIMARY_FIGURES = frozenset(["null_share", "blank_count"])
"""Figures whose changes are shown first."""
GOOD, FAIR = 99.0, 90.0
"""Lowest scores that are shown as good and as fair."""


def score_text(score: float | None) -> str:
    """Return `98.4`; only a complete score is shown as 100, and only a score of zero as 0.

    >>> score_text(100.0), score_text(99.999), score_text(0.01), score_text(None)
    ('100', '99.9', '0.1', '–')
    """
    if score is None:
        return "–"
    if score in (0, 100):
        return f"{score:.0f}"
    return f"{min(max(score, 0.1), 99.9):.1f}"


def score_style(score: float | None) -> Style:
    """Return the colour of a score."""
    if score is None:
        return Style.DIM
    return Style.GREEN if score >= GOOD else Style.YELLOW if score >= FAIR else Style.RED


def score_change(change: TableChange | ColumnQualityChange | None) -> str:
    """Return the difference from the previous score, such as `-3.0`; empty if it is the same."""
    for one in () if change is None else change.figures:
        if one.name == "score" and one.base is not None and one.current is not None:
            delta = float(one.current) - float(one.base)
            # A smaller change would be rounded to zero.
            return f"{delta:+.1f}" if abs(delta) >= 0.05 else ("+" if delta > 0 else "-") + "<0.1"
    return ""


def issues_of(column: ColumnQuality) -> list[str]:
    """Return why *column* scores less than 100, and its failed expectations."""
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
    """Return the metrics that miss their threshold."""
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
    """Return `rating 12.3% NULL; 2 more columns`, lowest score first, or why nothing was measured."""
    if table.reason is not None:
        return f"could not be measured: {table.reason}"
    found = [(column, issues_of(column)) for column in _worst(table.columns)]
    text = failed_metrics(table)
    text += [f"{column.name} {', '.join(issues)}" for column, issues in found if issues]
    rest = len(text) - ISSUES_SHOWN
    return "; ".join(text[:ISSUES_SHOWN] + ([f"{rest:,} more"] if rest > 0 else []))


def _worst(columns: Iterable[ColumnQuality]) -> list[ColumnQuality]:
    return sorted(
        columns,
        # Columns that could not be measured come first, those without a score last.
        key=lambda column: (column.profile is not None, 101 if column.score is None else column.score),
    )


def changes_text(change: TableChange | None) -> str:
    """Return `1,000 → 1,012 rows; rating null_share 1.0% → 12.3%; 2 more`."""
    if change is None:
        return ""
    phrases = [
        f"{count(one.base)} → {count(one.current)} rows" if one.name == "row_count" else figure_change(one)
        for one in change.figures
        if one.name != "score"
    ]
    phrases += [text for column in sorted(change.columns, key=_weight) for text in column_changes(column)]
    phrases += [text for text in change.regressions if not text.startswith("score")]
    rest = len(phrases) - ISSUES_SHOWN
    return "; ".join(phrases[:ISSUES_SHOWN] + ([f"{rest:,} more"] if rest > 0 else []))


def _weight(column: ColumnQualityChange) -> int:
    """Return the sort key: added, removed and worse columns first, changes of row counts last."""
    if column.status != "changed" or column.regressions:
        return 0
    return 1 if any(one.name in PRIMARY_FIGURES for one in column.figures) else 2


def column_changes(column: ColumnQualityChange) -> list[str]:
    """Return the changes of a column as one phrase; a share replaces the equivalent count."""
    if column.status != "changed":
        return [f"column {column.name} {column.status}"]
    names = {one.name for one in column.figures}
    said = {"null_count"} if "null_share" in names else set()
    phrases = [one for one in column.figures if one.name not in {"score", "distinct_share", *said}]
    figures = [figure_change(one) for one in phrases[:2]]
    return [f"{column.name} {', '.join(figures)}"] if figures else []


def figure_change(change: FigureChange) -> str:
    """Return `null_share 1.0% → 12.3%`."""
    before, after = (value_text(change.name, value) for value in (change.base, change.current))
    return f"{change.name} {before} → {after}"


def value_text(name: str, value: Value, width: int = 24) -> str:
    """Format a figure: shares in per cent, numbers rounded, anything else as a cell."""
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
    """Return the environment, the time, the number of tables, and the failures."""
    run = result.quality.run
    scores = [run.environment, moment(run.finished_at)]
    parts = [*scores, plural(run.table_count, "table")]
    if run.failed_count:
        parts.append(f"{run.failed_count:,} could not be measured")
    return parts


def facts_of(quality: Quality) -> list[str]:
    """Return notes on how *quality* was measured."""
    run, text = quality.run, []
    if run.status == FAILED:
        text.append(f"The measurement failed: {run.reason or 'reason unknown'}")
    measured = [table for table in quality.tables if table.reason is None]
    if run.sample is not None and measured and all(table.sampled_rows is None for table in measured):
        text.append(f"All rows were measured: no table has more rows than a sample of {run.sample}")
    elif run.sample is not None:
        how = f"a sample of {run.sample} with seed {run.sample.seed}"
        text.append(f"Figures of columns are of {how}; row counts and metrics are of all rows")
    if not run.keeps_values:
        text.append("Values were neither fetched nor saved")
    return text


def bases(changes: Sequence[TableChange]) -> list[tuple[str, str]]:
    """Return the time and id of each measurement that *changes* compare with, latest first."""
    runs = {change.base.quality_run_id: change.base for change in changes}
    latest = sorted(runs.values(), key=lambda run: run.started_at, reverse=True)
    return [(moment(run.finished_at), short_run_id(run.quality_run_id)) for run in latest]


def notes_of(result: QualityResult) -> list[str]:
    """Return the distinct notes on the run, the tables and the comparison."""
    notes = [*facts_of(result.quality), *result.notes]
    notes += [note for change in result.changes for note in change.notes]
    notes += [note for table in result.quality.tables for note in table.notes]
    return list(dict.fromkeys(notes))


def by_id(result: QualityResult) -> Mapping[str, TableChange]:
    """Return the changes by table."""
    return {change.unique_id: change for change in result.changes}


def sorted_tables(result: QualityResult) -> list[TableQuality]:
    """Return the tables, lowest score first."""
    return worst_first(result.quality.tables)


def rows_text(table: TableQuality) -> str:
    """Return `1,000`, followed by the size of the sample if there is one."""
    sampled = f" ({count(table.sampled_rows)} sampled)" if table.sampled_rows is not None else ""
    return count(table.row_count) + sampled


def range_text(column: ColumnQuality) -> tuple[str, str, str]:
    """Return the smallest value, the largest and the mean."""
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
    """Return the shortest and longest text: `3 to 27`."""
    profile = column.profile
    if profile is None or profile.min_length is None or profile.max_length is None:
        return ""
    if profile.min_length == profile.max_length:
        return count(profile.min_length)
    return f"{count(profile.min_length)} to {count(profile.max_length)}"


def top_text(column: ColumnQuality, most: int = 3) -> str:
    """Return the most frequent values, such as `PG 40.2%, R 20.1%`; empty if all are unique."""
    profile = column.profile
    if profile is None or not column.top_values or not profile.row_count:
        return ""
    if column.top_values[0].count <= 1:
        return ""
    rows = profile.row_count
    return ", ".join(
        f"{cell_text(top.value, 16)} {percent(top.count / rows)}" for top in column.top_values[:most]
    )


TABLES_SHOWN = 30
MEASURED_SHOWN = 60
VIOLATIONS_SHOWN = 40
COLUMNS = ("column", "type", "NULL", "distinct", "min", "max", "mean", "length", "top", "score", "issues")


def quality_text(result: QualityResult, *, width: int, color: bool) -> str:
    """Return *result* on about one screen; a single table with every column."""
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
        text = ", ".join(f"{at} ({run_id})" for at, run_id in bases(result.changes))
        lines += [BLANK, (Span(f"Compared with {text}", Style.DIM),)]
    for note in notes_of(result):
        lines += wrap_text(Span("note: ", Style.YELLOW), note, width)
    # Violations are never cut, since their figures are often at the end of the line.
    return render(lines, width=width, color=color) + render(_violations(result), width=0, color=color)


def _many(tables: Sequence[TableQuality], result: QualityResult, width: int) -> list[Line]:
    labels, changes = table_labels(tables), by_id(result)
    rows = [heading_row("table", "rows", "score", "", "columns", "issues", "changed")]
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
        lines.append((Span(f"  {more_phrase(len(tables) - TABLES_SHOWN, hint=True)}", Style.DIM),))
    return lines


def _one(table: TableQuality, change: TableChange | None, width: int) -> list[Line]:
    title: Line = (
        Span(table.name, Style.BOLD),
        Span(f"  rows: {rows_text(table)}, columns: {count(table.column_count)}", Style.DIM),
    )
    rows = [heading_row(*COLUMNS)]
    rows += [_column(column) for column in table.columns[:MEASURED_SHOWN]]
    lines: list[Line] = [title, *grid(rows, width=width, right={2, 3, 9})]
    if len(table.columns) > MEASURED_SHOWN:
        lines.append((Span(f"  {more_phrase(len(table.columns) - MEASURED_SHOWN, hint=True)}", Style.DIM),))
    for metric in table.metrics:
        wanted = f", expected {metric.threshold}" if metric.threshold else ""
        said = metric.reason or value_text(metric.name, metric.value)
        style = Style.RED if metric.threshold and not metric.holds else Style.PLAIN
        lines.append((Span(f"  {metric.name} "), Span(said, style), Span(wanted, Style.DIM)))
    if change is not None and change.is_changed:
        phrase = [changes_text(_alone(change))] if change.figures or change.regressions else []
        phrase += [text for column in change.columns for text in column_changes(column)]
        lines += [BLANK, (Span("Changed", Style.BOLD),)]
        lines += [plain_line(f"  {text}") for text in phrase[:MEASURED_SHOWN] if text]
    return lines


def _alone(change: TableChange) -> TableChange:
    """Return the changes of the table itself."""
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
    lines += [plain_line(f"  {violation.message}") for violation in found[:VIOLATIONS_SHOWN]]
    if len(found) > VIOLATIONS_SHOWN:
        lines.append((Span(f"  {more_phrase(len(found) - VIOLATIONS_SHOWN, hint=True)}", Style.DIM),))
    return lines


TABLES_LISTED = 100
COLUMNS_LISTED = 200
VIOLATIONS_LISTED = 50
CELL = 160
"""Maximum characters of a cell."""


def quality_markdown(result: QualityResult) -> str:
    """Return *result* as violations, a table of tables, and notes; a single table by its columns."""
    run, tables = result.quality.run, sorted_tables(result)
    text = f"### Quality of {code(run.project_name)}\n\n"
    environment, *facts = headline(result)
    facts = [code(environment), *facts, f"score {score_text(run.score)}"]
    text += f"{' · '.join(facts)} · {code(short_run_id(run.quality_run_id))}\n"
    text += _markdown_violations(result)
    if len(tables) == 1 and tables[0].reason is None:
        text += _columns(tables[0])
    else:
        text += _tables(tables, result)
    if result.changes:
        phrase = ", ".join(f"{at} ({code(run_id)})" for at, run_id in bases(result.changes))
        text += f"\nCompared with {phrase}\n"
    return text + "".join(f"\n> {prose(note)}\n" for note in notes_of(result))


def _markdown_violations(result: QualityResult) -> str:
    found = result.violations
    if not found:
        return ""
    lines = "".join(f"- {prose(violation.message)}\n" for violation in found[:VIOLATIONS_LISTED])
    rest = len(found) - VIOLATIONS_LISTED
    return f"\n**Failed: {failed_text(found)}**\n\n{lines}" + (f"- {more_phrase(rest)}\n" if rest > 0 else "")


def _tables(tables: Sequence[TableQuality], result: QualityResult) -> str:
    labels, changes = table_labels(tables), by_id(result)
    rows = []
    for table in tables[:TABLES_LISTED]:
        change = changes.get(table.unique_id)
        rows.append(
            [
                code(labels[table.unique_id]),
                rows_text(table),
                score_text(table.score),
                _figure(score_change(change)),
                "" if table.reason is not None else count(table.column_count),
                _cell(table_issues(table)),
                _cell(changes_text(change)),
            ]
        )
    titles = ("table", "rows", "score", "", "columns", "issues", "changed")
    rest = len(tables) - TABLES_LISTED
    return "\n" + md_table(titles, rows, right=range(1, 5)) + (f"\n{more_phrase(rest)}\n" if rest > 0 else "")


def _columns(table: TableQuality) -> str:
    text = f"\n{code(table.name)}: rows: {rows_text(table)}, columns: {count(table.column_count)}\n"
    titles = ("column", "type", "NULL", "distinct", "min", "max", "mean", "top", "score", "issues")
    text += "\n" + md_table(titles, map(_markdown_column, table.columns[:COLUMNS_LISTED]), right=(2, 3, 8))
    rest = len(table.columns) - COLUMNS_LISTED
    return text + (f"\n{more_phrase(rest)}\n" if rest > 0 else "")


def _markdown_column(column: ColumnQuality) -> list[str]:
    # The share of NULL has a column of its own.
    profile, issues = column.profile, [one for one in issues_of(column) if not one.endswith(" NULL")]
    cells = [code(column.name)]
    if profile is None:
        cells += [""] * 7
    else:
        distinct = "" if profile.distinct_count is None else count(profile.distinct_count)
        cells += [
            code(profile.type.lower()),
            _figure(percent(column.null_share)) if column.null_share else "",
            ("≈ " if profile.is_approximate and distinct else "") + distinct,
            *(_cell(one) for one in range_text(column)),
            _cell(top_text(column)),
        ]
    return [*cells, score_text(column.score), _cell("; ".join(issues))]


def _cell(text: str) -> str:
    return code(text, CELL) if text else ""


def _figure(text: str) -> str:
    """Escape a figure such as `<0.1%`."""
    return text.replace("<", "&lt;").replace(">", "&gt;")
