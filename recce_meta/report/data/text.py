"""Results of data diffs as text: an overview of the nodes, then a block for each that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import TypeAlias

from msgspec.structs import replace

from recce_meta.errors import plural
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnDelta,
    ColumnValues,
    DetailRow,
    Example,
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
    Value,
    ValueDetail,
    ValueDiff,
)
from recce_meta.redaction import neutralise
from recce_meta.report.data.overview import outcome_lead, overview_lines, verdict_lines
from recce_meta.report.data.summary import by_severity, count_order, row_verdict
from recce_meta.report.data.text_columns import histogram_lines, profile_lines, top_k_lines
from recce_meta.report.data.verdicts import (
    EQUAL_ROWS,
    Outcome,
    columns_phrase,
    equal_names,
    equal_nodes,
    equal_phrase,
    equal_word,
    explanations,
    has_odd_keys,
    is_exact,
    key_phrase,
    match_phrases,
    moved_phrases,
    reasons_of,
    row_count_differs,
    single_side,
    split_columns,
    subject_of,
    title_of,
    verdict,
)
from recce_meta.report.labels import DETAILS, more_phrase
from recce_meta.report.terminal import (
    BLANK,
    INDENT,
    Line,
    Span,
    Style,
    bar,
    display_width,
    grid,
    heading_row,
    name_lines,
    natural_width,
    render,
    shorten,
    table,
    wrap_text,
)
from recce_meta.report.values import (
    are_same,
    cell_text,
    change_percent,
    count,
    difference_figures,
    pair_text,
    percent,
    signed_count,
)
from recce_meta.tables.gaps import narrowed_by

VALUE_COLUMNS_SHOWN = 60
ROWS_SHOWN = 10
"""Rows of one node that are shown without a key if several nodes are compared; `--details` shows all."""
EXAMPLES_SHOWN = 3
"""Examples shown for each column; JSON contains all."""
BAR_WIDTH = 10

SIDE_TITLES = ("", "rows", "NULL keys", "duplicate keys", "rows duplicate on either side", "compared rows")
COLUMN_TITLES = (EQUAL_ROWS, "different", "NULL → value", "value → NULL", "mean change", "largest change")

WithRows: TypeAlias = ValueDiff | ValueDetail | RowsDiff

MARKS = {
    "added": Span("+", Style.GREEN),
    "removed": Span("-", Style.RED),
    "changed": Span("~", Style.YELLOW),
}


def value_lines(result: ValueDiff, width: int, *, details: bool = False) -> list[Line]:
    """Return the key, the rows of each side, and the columns with examples."""
    lines = _facts([key_phrase(result), *narrowed_by(result)], width)
    lines += side_lines(result, width)
    lines += only_lines(result, width, details=details)
    lines += why_lines(result, width)
    return lines + _column_lines(result, width, details=details)


def _facts(phrases: Iterable[str], width: int) -> list[Line]:
    return wrap_text(Span("  "), " · ".join(phrases), width, Style.DIM)


def side_lines(result: ValueDiff, width: int) -> list[Line]:
    """Return the rows of each side by outcome; NULL and duplicate keys only if there are any."""
    is_odd = has_odd_keys(result)
    if result.base is None or result.current is None or (result.is_equal and not is_odd):
        return []
    facts = wrap_text(Span("  "), " · ".join(match_phrases(result)), width)
    rows = [[Span(side, Style.DIM), *map(Span, figures)] for side, *figures in side_figures(result)]
    sides = grid([heading_row(*SIDE_TITLES), *rows], width=width, right=range(1, 6)) if is_odd else []
    return [*sides, *facts]


def side_figures(result: ValueDiff) -> list[list[str]]:
    """Return each side that has a relation, with its figures below `SIDE_TITLES`."""
    return [
        [
            name,
            *map(count, (side.rows, side.null_keys, side.duplicate_keys, side.duplicate_rows, side.compared)),
        ]
        for name, side in (("base", result.base), ("current", result.current))
        if side is not None
    ]


def why_lines(result: ValueDiff, width: int) -> list[Line]:
    """Return what explains the rows that differ."""
    return [
        line
        for label, phrase in explanations(result)
        for line in wrap_text(Span(f"  {label:<6} "), phrase, width)
    ]


def only_lines(result: WithRows, width: int, *, details: bool) -> list[Line]:
    """Return the columns that only one side has."""
    sides = (("removed", "base", result.base_only), ("added", "current", result.current_only))
    lines: list[Line] = []
    for status, side, names in sides:
        if names:
            lead = Span(f"  {MARKS[status].text} ", MARKS[status].style)
            text = f"{plural(len(names), 'column')} only in {side}"
            lines += name_lines(lead, text, names, width, is_whole=details)
    return lines


def _column_lines(result: ValueDiff, width: int, *, details: bool) -> list[Line]:
    """Return a row for each column that differs or was not compared, and the names of the rest."""
    telling, equal = split_columns(result)
    lines: list[Line] = []
    if telling:
        phrase = columns_phrase(result)
        lines += wrap_text(Span("  "), phrase, width) if phrase else []
        hidden = 0 if details else len(telling) - VALUE_COLUMNS_SHOWN
        telling = telling if details else telling[:VALUE_COLUMNS_SHOWN]
        rows = [heading_row("column", COLUMN_TITLES[0], "", *COLUMN_TITLES[1:]), *map(_column_cells, telling)]
        if 0 < width < natural_width(rows):
            # The bar only draws the percentage, so that it is omitted first.
            rows = [[*row[:2], Span(""), *row[3:]] for row in rows]
        text = grid(rows, width=width, right={1, 3, 4, 5, 6, 7})
        lines.append(text[0])
        for column, line in zip(telling, text[1:], strict=True):
            types = type_phrase(column)
            lines += [line, *(wrap_text(Span("      "), types, width, Style.DIM) if types else [])]
            lines += example_lines(result.key, column.examples, details=details)
        if hidden > 0:
            lines.append((Span(f"  {more_phrase(hidden, hint=True, option=DETAILS)}", Style.DIM),))
    if equal and result.common:
        is_equal = is_exact(result) and not result.subject.is_stale
        lead = Span("  = " if is_equal else "  ? ", Style.DIM)
        lines += name_lines(lead, equal_phrase(result), equal_names(result), width, is_whole=details)
    return lines


def _column_cells(column: ColumnValues) -> list[Span]:
    drawn = "" if column.match_share is None else bar(column.match_share, BAR_WIDTH)
    share, different, *others = column_figures(column)
    return [
        Span(column.name, Style.YELLOW),
        Span(share),
        Span(drawn, Style.DIM),
        Span(different, Style.BOLD),
        *map(Span, others),
    ]


def column_figures(column: ColumnValues) -> list[str]:
    """Return the figures of *column* below `COLUMN_TITLES`."""
    nulls = [count(number) if number else "" for number in (column.null_to_value, column.value_to_null)]
    return [percent(column.match_share), count(column.mismatched), *nulls, *difference_figures(column)]


def type_phrase(column: ColumnValues) -> str:
    """Return `type INTEGER → BIGINT, compared as BIGINT`, or why the values were not compared."""
    before, after = column.base_type, column.current_type
    phrases = [f"type {before} → {after}"] if before != after else []
    phrases += [f"compared as {column.compared_as}"] if column.compared_as else []
    phrases += [f"not compared: {column.reason}"] if column.reason else []
    return ", ".join(phrases)


def example_lines(key: Sequence[str], examples: Sequence[Example], *, details: bool) -> list[Line]:
    """Return the values of both sides in some of the cells that differ."""
    return [
        (Span(f"      {key_text(key, example.key)}: ", Style.DIM), *_from_to(example.base, example.current))
        for example in (examples if details else examples[:EXAMPLES_SHOWN])
    ]


def key_text(names: Sequence[str], values: Sequence[Value]) -> str:
    """Return `order_id=12, line=3`."""
    pairs = zip_longest(names, values, fillvalue="?")
    return ", ".join(f"{name}={cell_text(value)}" for name, value in pairs)


def _from_to(base: Value, current: Value) -> tuple[Span, Span, Span]:
    before, after = pair_text(base, current)
    return (
        Span(before, Style.DIM if base is None else Style.RED),
        Span(" → ", Style.DIM),
        Span(after, Style.DIM if current is None else Style.GREEN),
    )


def detail_lines(result: ValueDetail, width: int, *, details: bool = False) -> list[Line]:
    """Return the rows that differ, as a table if it fits, else one entry for each row."""
    lines = _facts([key_phrase(result), *narrowed_by(result)], width)
    lines += only_lines(result, width, details=details)
    lines += row_lines(result.key, result.columns, result.rows, width)
    return lines + _cut_line(result)


def rows_lines(result: RowsDiff, width: int, *, details: bool = False) -> list[Line]:
    """Return the row counts of each side, and some rows that only one side has."""
    facts = [f"no key: whole rows of {plural(len(result.columns), 'column')} compared", *narrowed_by(result)]
    lines = _facts(facts, width)
    if result.base_rows is not None and result.current_rows is not None:
        lines += wrap_text(Span("  "), " · ".join(rows_phrases(result)), width)
    lines += only_lines(result, width, details=details)
    if result.incomparable:
        text = f"{plural(len(result.incomparable), 'column')} not compared"
        lines += name_lines(Span("  ? ", Style.YELLOW), text, result.incomparable, width, is_whole=details)
    columns, rows, left_out = (result.columns, result.rows, "") if details else telling_columns(result)
    lines += row_lines((), columns, rows, width)
    lines += [(Span(f"  … {left_out}", Style.DIM),)] if left_out else []
    return lines + _cut_line(result)


MANY_COLUMNS = 12
"""Columns of whole rows from which equal values are left out."""


def telling_columns(result: RowsDiff) -> tuple[Sequence[str], Sequence[DetailRow], str]:
    """Return the columns that distinguish rows of a wide table, the rows, and a sentence on other columns."""
    width = len(result.columns)
    values = [side for row in result.rows for side in (row.base, row.current) if side is not None]
    if width <= MANY_COLUMNS or not values:
        return result.columns, result.rows, ""
    first = values[0]
    differing = [at for at in range(width) if not all(are_same(first[at], other[at]) for other in values)]
    shown = (differing or range(width))[:MANY_COLUMNS]
    rows = [
        replace(
            row,
            base=None if row.base is None else tuple(row.base[at] for at in shown),
            current=None if row.current is None else tuple(row.current[at] for at in shown),
        )
        for row in result.rows
    ]
    has_all = len(differing) == len(shown)
    left_out = plural(width - len(shown), "other column")
    text = f"{left_out} with one value in the rows shown" if has_all else left_out
    return [result.columns[at] for at in shown], rows, text


def rows_phrases(result: RowsDiff) -> list[str]:
    """Return `900 → 900 rows`, `830 on both sides`, and `moved_phrases`."""
    word = equal_word(result)
    return [
        f"{count(result.base_rows)} → {plural(result.current_rows or 0, 'row')}",
        f"{count(result.common)} on both sides{'' if word == 'equal' else f', {word}'}",
        *moved_phrases(result),
    ]


def plain_rows(result: RowsDiff) -> list[list[str]]:
    """Return the cells of a one-sided query's rows; duplicate rows are repeated."""
    rows = []
    for row in result.rows:
        is_base = row.current is None
        values, number = (row.base, row.base_count) if is_base else (row.current, row.current_count)
        rows += [[*map(cell_text, values or ())]] * max(number, 1)
    return rows


def _cut_line(result: ValueDetail | RowsDiff) -> list[Line]:
    text = f"  … more rows differ than the {result.limit:,} shown"
    return [(Span(text, Style.DIM),)] if result.is_cut else []


def row_lines(
    key: Sequence[str], columns: Sequence[str], rows: Sequence[DetailRow], width: int
) -> list[Line]:
    """Return the cells of *rows*, as a table if it fits."""
    if not rows:
        return []
    cells = [heading_row("", *key, *columns, "times"), *(_row_cells(row) for row in rows)]
    if len({len(line) for line in cells}) == 1 and (not width or natural_width(cells) <= width):
        return grid(cells, width=width)
    return [line for row in rows for line in _row_entry(key, columns, row, width)]


def _row_cells(row: DetailRow) -> list[Span]:
    mark = MARKS.get(row.status, MARKS["changed"])
    keys = [Span(cell_text(value), mark.style) for value in row.key]
    return [mark, *keys, *_row_values(row), Span(times(row), Style.BOLD)]


def times(row: DetailRow) -> str:
    """Return `×2 → ×3` for a row that occurs more than once; empty otherwise."""
    before, after = row.base_count, row.current_count
    has_both = row.base is not None and row.current is not None
    if (has_both and before != after) or (row.status == "changed" and (before, after) != (1, 1)):
        return f"×{before:,} → ×{after:,}"
    own = before if row.status == "removed" else after
    return f"×{own:,}" if own > 1 else ""


def shown_values(row: DetailRow) -> list[tuple[Value, ...]]:
    """Return the values of each column of *row*: two if those of the sides differ, else one."""
    if row.base is None or row.current is None:
        return [(value,) for value in (row.current if row.base is None else row.base) or ()]
    return [
        (after,) if are_same(before, after) else (before, after)
        for before, after in zip(row.base, row.current, strict=False)
    ]


def _row_values(row: DetailRow) -> list[Span]:
    """Return the values of *row*; differing values as `base → current`."""
    is_changed = row.base is not None and row.current is not None
    style = Style.DIM if is_changed else MARKS.get(row.status, MARKS["changed"]).style
    return [
        Span(" → ".join(pair_text(*values)), Style.YELLOW)
        if len(values) > 1
        else Span(cell_text(values[0]), Style.DIM if values[0] is None else style)
        for values in shown_values(row)
    ]


def _row_entry(key: Sequence[str], columns: Sequence[str], row: DetailRow, width: int) -> list[Line]:
    """Return `~ order_id=12 amount: 10 → 12 · status: paid`, wrapped to *width*."""
    mark = MARKS.get(row.status, MARKS["changed"])
    head = " ".join(filter(None, (key_text(key, row.key), times(row))))
    is_changed = row.base is not None and row.current is not None
    pieces = [
        (f"{neutralise(name)}: ", text, style)
        for name, (text, style) in zip(columns, _row_values(row), strict=False)
    ]
    # Dim values are equal on both sides; a row of which only the number differs has no others.
    telling = [piece for piece in pieces if piece[2] is not Style.DIM] if is_changed else []
    pieces = telling or pieces
    lines: list[list[Span]] = [[Span(f"{' ' * INDENT}{mark.text} {head}".rstrip(), mark.style)]]
    used = display_width(lines[0][0].text)
    for name, text, style in pieces:
        size = display_width(name) + display_width(text) + 3
        if width and used + size > width:
            lines.append([Span(" " * (INDENT + 4))])
            used = INDENT + 4
        lines[-1] += [Span("  " if len(lines[-1]) == 1 and len(lines) == 1 else ""), Span(name, Style.DIM)]
        lines[-1] += [Span(text, style), Span("  ")]
        used += size
    return list(lines)


SUBJECT_WIDTH = 80
SQL_LINES = 12
"""Lines of a query that are shown."""

_COLUMN_MARKS = MARKS | {"moved": Span("↕", Style.CYAN)}


def data_text(results: Sequence[AnyDataDiff], *, width: int, color: bool, details: bool = False) -> str:
    """Return *results* in lines of *width* cells (0: no limit); empty if there are none.

    Without *details*, equal nodes are only named.
    """
    if len(results) == 1 and not isinstance(results[0], NotCompared):
        return render(_block(results[0], width, details=details), width=width, color=color)
    lines = overview_lines(results, width, details=details) if results else []
    lines += block_lines(results, width, details=details)
    return render(lines, width=width, color=color)


def block_lines(results: Sequence[AnyDataDiff], width: int, *, details: bool) -> list[Line]:
    """Return a block for each result that differs, failed or was compared only in part.

    The nodes are in the order of the overview, which contains row counts, equal and skipped nodes.
    """
    found = [result for result in results if not isinstance(result, (NotCompared, RowCountDiff))]
    shown = [result for result in found if details or verdict(result).outcome is not Outcome.EQUAL]
    counted = [result for result in results if isinstance(result, RowCountDiff)]
    lines: list[Line] = []
    for result in (*(counted if details else ()), *by_severity(shown)):
        lines += [BLANK, *_block(within_limit(result, details=details), width, details=details)]
    if not details:
        lines += [line for result in counted for line in note_lines(result.notes, width)]
    return lines


def within_limit(result: AnyDataDiff, *, details: bool) -> AnyDataDiff:
    """Return *result* with the first rows only, since rows of many nodes hide the other nodes."""
    if details or not isinstance(result, RowsDiff) or len(result.rows) <= ROWS_SHOWN:
        return result
    return replace(result, rows=result.rows[:ROWS_SHOWN], limit=ROWS_SHOWN, is_cut=True)


def _block(result: AnyDataDiff, width: int, *, details: bool) -> list[Line]:
    return [
        _title(result),
        *verdict_lines(*verdict(result), width),
        *body_lines(result, width, details=details),
    ]


def body_lines(result: AnyDataDiff, width: int, *, details: bool = False) -> list[Line]:
    """Return the figures and notes of *result*, without title and verdict."""
    return [*_BODIES[type(result)](result, width, details=details), *note_lines(result.notes, width)]


def _title(result: AnyDataDiff) -> Line:
    subject = subject_of(result)
    title = title_of(result)
    if subject is None or subject.name == title:
        return (Span(title.capitalize(), Style.BOLD),)
    return Span(shorten(neutralise(subject.name), SUBJECT_WIDTH), Style.BOLD), Span(f" · {title}", Style.DIM)


def note_lines(notes: Sequence[str], width: int) -> list[Line]:
    """Return *notes*, each after `note:`."""
    lead = Span("  note: ", Style.DIM)
    return [line for note in notes for line in wrap_text(lead, note, width)]


def _row_counts(result: RowCountDiff, width: int, *, details: bool) -> list[Line]:
    """Return the row counts that differ or are missing, then the equal ones in one line."""
    counts = sorted(result.counts, key=count_order)
    shown = counts if details else [one for one in counts if row_verdict(one).outcome is not Outcome.EQUAL]
    rows = [heading_row("node", "base", "current", "change", "", "remark"), *map(_row_count, shown)]
    lines = _count_grid(rows, width) if shown else []
    # Equal counts are the last in this order.
    equal = [f"{one.subject.name} ({count(one.current)})" for one in counts[len(shown) :]]
    if equal:
        text = equal_nodes(len(equal), "row count")
        lines += name_lines(outcome_lead(Outcome.EQUAL), text, equal, width, is_whole=details)
    return lines


def _count_grid(rows: Sequence[Sequence[Span]], width: int) -> list[Line]:
    """Return the table of row counts; remarks that do not fit are below their row."""
    right = {1, 2, 3, 4}
    if not width or natural_width(rows) <= width:
        return grid(rows, width=width, right=right)
    lines: list[Line] = []
    for row, line in zip(rows, grid([row[:-1] for row in rows], width=width, right=right), strict=True):
        remark = row[-1].text if lines else ""
        lines += [line, *(wrap_text(Span("      "), remark, width, Style.DIM) if remark else [])]
    return lines


def _row_count(one: RowCount) -> list[Span]:
    differs = row_count_differs(one)
    delta = "" if one.delta is None else signed_count(one.delta)
    return [
        Span(one.subject.name),
        Span(count(one.base)),
        Span(count(one.current), Style.BOLD if differs else Style.PLAIN),
        Span(delta, Style.YELLOW if differs else Style.DIM),
        Span(change_percent(one.change), Style.YELLOW),
        Span(reasons_of(one), Style.DIM),
    ]


def _schema(result: SchemaDiff, width: int, *, details: bool) -> list[Line]:
    columns = result.columns if details else result.changed
    lines = table([_schema_cells(column) for column in columns])
    if result.source != "live":
        lines.append((Span("  as recorded with the runs", Style.DIM),))
    return lines


def _schema_cells(column: ColumnDelta) -> list[Span]:
    if column.status == "unchanged":
        return [Span(f"= {column.name}", Style.DIM), Span(column.current_type or "", Style.DIM)]
    mark = _COLUMN_MARKS.get(column.status, MARKS["changed"])
    return [Span(f"{mark.text} {column.name}", mark.style), Span(schema_phrase(column))]


def schema_phrase(column: ColumnDelta) -> str:
    """Return `INTEGER → BIGINT`, `position 3 → 1`, or the type only."""
    if column.status == "moved":
        return f"position {column.base_position} → {column.current_position}"
    if column.status == "retyped":
        return f"{column.base_type} → {column.current_type}"
    return (column.base_type if column.status == "removed" else column.current_type) or ""


def _query(result: QueryDiff, width: int, *, details: bool) -> list[Line]:
    single = single_side(result)
    if single is not None:
        lines = _sql("query", result.base_sql or result.current_sql, details=details)
        rows = [[*map(Span, cells)] for cells in plain_rows(single)]
        lines += grid([heading_row(*single.columns), *rows], width=width) if rows else []
        return lines + [(Span(f"  … more than {single.limit:,} rows", Style.DIM),)] * single.is_cut
    if result.base_sql == result.current_sql:
        lines = _sql("query", result.current_sql, details=details)
    else:
        lines = _sql("base", result.base_sql, details=details)
        lines += _sql("current", result.current_sql, details=details)
    for part in (result.values, result.detail, result.rows):
        if part is not None:
            lines += body_lines(part, width, details=details)
    return lines


def _sql(label: str, sql: str, *, details: bool) -> list[Line]:
    # The width of a tab depends on the terminal.
    lines = [line for line in sql.replace("\t", "    ").splitlines() if line.strip()]
    shown: list[Line] = [
        (Span(f"    {line}", Style.DIM),) for line in (lines if details else lines[:SQL_LINES])
    ]
    if len(shown) < len(lines):
        shown.append((Span(f"    … and {len(lines) - SQL_LINES:,} more lines", Style.DIM),))
    return [(Span(f"  {label}", Style.DIM),), *shown]


def _failed(result: Failed, width: int, *, details: bool) -> list[Line]:
    return wrap_text(Span("  hint: ", Style.CYAN), result.hint, width) if result.hint else []


_BODIES: dict[type, Callable[..., list[Line]]] = {
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
    NotCompared: lambda _result, _width, **_options: [],
}
