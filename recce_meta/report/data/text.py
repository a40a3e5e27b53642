"""Results of data diffs on a terminal: one block for each, the verdict first, the figures under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnDelta,
    Failed,
    HistogramDiff,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.report.characters import neutralise, shorten
from recce_meta.report.data.figures import change_percent, count, signed
from recce_meta.report.data.grid import grid, heads, natural_width, wrapped
from recce_meta.report.data.summary import data_verdict, summarise_nodes
from recce_meta.report.data.text_columns import histogram_lines, profile_lines, top_k_lines
from recce_meta.report.data.text_values import detail_lines, result_lines, rows_lines, value_lines
from recce_meta.report.data.wording import (
    Outcome,
    reasons_of,
    row_count_differs,
    single_side,
    subject_of,
    title_of,
    verdict,
)
from recce_meta.report.terminal import BLANK, Line, Span, Style, render, table

SUBJECT_WIDTH = 80
SQL_LINES = 12
"""Lines of a query that are shown."""

_OUTCOMES = {
    Outcome.EQUAL: Span("= ", Style.GREEN),
    Outcome.DIFFERENT: Span("~ ", Style.YELLOW),
    Outcome.PARTIAL: Span("? ", Style.CYAN),
    Outcome.ONE_SIDED: Span("? ", Style.CYAN),
    Outcome.NOT_COMPARED: Span("? ", Style.CYAN),
    Outcome.FAILED: Span("! ", Style.RED),
}
_COLUMN_MARKS = {
    "added": Span("+", Style.GREEN),
    "removed": Span("-", Style.RED),
    "retyped": Span("~", Style.YELLOW),
    "moved": Span("↕", Style.CYAN),
}


def data_text(results: Sequence[AnyDataDiff], *, width: int, color: bool) -> str:
    """*results* for people, in lines of *width* cells (0: without limit); empty for no results.

    NULL is shown as `NULL`, a text of these letters as `'NULL'`: see `cells`.
    """
    lines: list[Line] = []
    skipped = [result for result in results if isinstance(result, NotCompared)]
    for result in results:
        if not isinstance(result, NotCompared):
            lines += [BLANK] if lines else []
            lines += _block(result, width)
    lines += [BLANK] if lines and skipped else []
    return render([*lines, *_skipped(skipped, width)], width=width, color=color)


def data_summary_text(results: Sequence[AnyDataDiff], *, width: int, color: bool) -> str:
    """One line that counts the nodes that differ, are the same, and were not compared."""
    outcome, text = data_verdict(summarise_nodes(results))
    mark = _OUTCOMES[outcome]
    lines = [
        (Span("Data", Style.BOLD),),
        *wrapped(Span(f"  {mark.text}", mark.style), text, width, mark.style),
    ]
    return render(lines if results else [], width=width, color=color)


def _skipped(results: Sequence[NotCompared], width: int) -> list[Line]:
    """The nodes that an option or a limit left out, under their reasons."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for result in results:
        by_reason.setdefault((title_of(result), result.reason), []).append(result.subject.name)
    lines: list[Line] = []
    for (title, reason), names in by_reason.items():
        mark = _OUTCOMES[Outcome.NOT_COMPARED]
        lines += wrapped(Span(mark.text, mark.style), f"{title} not compared: {reason}", width, mark.style)
        lines += wrapped(Span("    "), ", ".join(names), width)
    return lines


def _block(result: AnyDataDiff, width: int) -> list[Line]:
    outcome, text = verdict(result)
    mark = _OUTCOMES[outcome]
    return [
        _title(result),
        *wrapped(Span(f"  {mark.text}", mark.style), text, width, mark.style),
        *body_lines(result, width),
    ]


def body_lines(result: AnyDataDiff, width: int) -> list[Line]:
    """Return the figures of *result* and its notes, without title and verdict."""
    return [*_BODIES[type(result)](result, width), *_notes(result.notes, width)]


def _title(result: AnyDataDiff) -> Line:
    subject = subject_of(result)
    title = title_of(result)
    if subject is None or subject.name == title:
        return (Span(title.capitalize(), Style.BOLD),)
    return Span(shorten(neutralise(subject.name), SUBJECT_WIDTH), Style.BOLD), Span(f" · {title}", Style.DIM)


def _notes(notes: Sequence[str], width: int) -> list[Line]:
    lead = Span("  note: ", Style.DIM)
    return [line for note in notes for line in wrapped(lead, note, width)]


def _row_counts(result: RowCountDiff, width: int) -> list[Line]:
    rows = [heads("node", "base", "current", "delta", "change", "reason")]
    rows += [_row_count(one) for one in result.counts]
    if not width or natural_width(rows) <= width:
        return grid(rows, width=width, right={1, 2, 3, 4})
    lines: list[Line] = []
    for row, line in zip(
        rows, grid([row[:-1] for row in rows], width=width, right={1, 2, 3, 4}), strict=True
    ):
        reason = row[-1].text if lines else ""
        lines += [line, *(wrapped(Span("      "), reason, width, Style.DIM) if reason else [])]
    return lines


def _row_count(one: RowCount) -> list[Span]:
    differs = row_count_differs(one)
    delta = "" if one.delta is None else signed(one.delta)
    return [
        Span(one.subject.name),
        Span(count(one.base)),
        Span(count(one.current), Style.BOLD if differs else Style.PLAIN),
        Span(delta, Style.YELLOW if differs else Style.DIM),
        Span(change_percent(one.change), Style.YELLOW),
        Span(reasons_of(one), Style.DIM),
    ]


def _schema(result: SchemaDiff, width: int) -> list[Line]:
    lines = table([_schema_cells(column) for column in result.changed])
    if result.source != "live":
        lines.append((Span("  as recorded with the runs", Style.DIM),))
    return lines


def _schema_cells(column: ColumnDelta) -> list[Span]:
    mark = _COLUMN_MARKS.get(column.status, Span("~", Style.YELLOW))
    return [Span(f"{mark.text} {column.name}", mark.style), Span(schema_phrase(column))]


def schema_phrase(column: ColumnDelta) -> str:
    """`INTEGER → BIGINT`, `position 3 → 1`, or the type alone."""
    if column.status == "moved":
        return f"position {column.base_position} → {column.current_position}"
    if column.status == "retyped":
        return f"{column.base_type} → {column.current_type}"
    return (column.base_type if column.status == "removed" else column.current_type) or ""


def _query(result: QueryDiff, width: int) -> list[Line]:
    lines: list[Line] = []
    single = single_side(result)
    if single is not None:
        return _sql("query", result.base_sql or result.current_sql) + result_lines(single, width)
    if result.base_sql == result.current_sql:
        lines += _sql("query", result.current_sql)
    else:
        lines += [*_sql("base", result.base_sql), *_sql("current", result.current_sql)]
    for part in (result.values, result.detail, result.rows):
        if part is not None:
            lines += [*_BODIES[type(part)](part, width), *_notes(part.notes, width)]
    return lines


def _sql(label: str, sql: str) -> list[Line]:
    lines = [line for line in sql.replace("\t", "    ").splitlines() if line.strip()]
    shown: list[Line] = [(Span(f"    {line}", Style.DIM),) for line in lines[:SQL_LINES]]
    if len(lines) > SQL_LINES:
        shown.append((Span(f"    … and {len(lines) - SQL_LINES:,} lines more", Style.DIM),))
    return [(Span(f"  {label}", Style.DIM),), *shown]


def _failed(result: Failed, width: int) -> list[Line]:
    return wrapped(Span("  hint: ", Style.CYAN), result.hint, width) if result.hint else []


_BODIES: dict[type, Callable[[Any, int], list[Line]]] = {
    RowCountDiff: _row_counts,
    SchemaDiff: _schema,
    ValueDiff: value_lines,
    ValueDetail: detail_lines,
    RowsDiff: rows_lines,
    QueryDiff: _query,
    ProfileDiff: profile_lines,
    TopKDiff: top_k_lines,
    HistogramDiff: histogram_lines,
    Failed: _failed,
}
