"""Values and rows that differ, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from recce_meta.diff.data.gaps import narrowed_by
from recce_meta.models.data_diff import (
    ColumnValues,
    DetailRow,
    Example,
    KeyCounts,
    RowsDiff,
    Value,
    ValueDetail,
    ValueDiff,
)
from recce_meta.report.characters import display_width, neutralise
from recce_meta.report.data.bars import bar
from recce_meta.report.data.cells import are_same, cell_text, pair_text
from recce_meta.report.data.figures import count, difference_figures, percent
from recce_meta.report.data.grid import INDENT, grid, heads, natural_width, wrapped
from recce_meta.report.data.wording import equal_phrase, key_phrase, listed
from recce_meta.report.terminal import Line, Span, Style
from recce_meta.report.wording import more

COLUMNS_SHOWN = 60
EXAMPLES_SHOWN = 3
"""For each column; JSON has all."""
BAR_WIDTH = 10
LEAST_WIDTH = 90
"""Cells below which a bar is left out."""

MARKS = {
    "added": Span("+", Style.GREEN),
    "removed": Span("-", Style.RED),
    "changed": Span("~", Style.YELLOW),
}


def value_lines(result: ValueDiff, width: int) -> list[Line]:
    """Key, rows of each side, and the columns with examples."""
    lines = _facts([key_phrase(result), *narrowed_by(result)], width)
    lines += _side_lines(result, width)
    lines += _only_lines(result.base_only, result.current_only)
    return lines + _column_lines(result, width)


def _facts(phrases: Iterable[str], width: int) -> list[Line]:
    return wrapped(Span("  "), " · ".join(phrases), width, Style.DIM)


def _side_lines(result: ValueDiff, width: int) -> list[Line]:
    """The rows of each side and what became of them; NULL and duplicate keys only where there are any."""
    names = ("rows", "NULL keys", "duplicate keys", "rows of these", "compared")
    rows = [heads("", *names)]
    is_odd = any(side is not None and _is_odd(side) for side in (result.base, result.current))
    for label, side in (("base", result.base), ("current", result.current)):
        if side is not None:
            rows.append([Span(label, Style.DIM), *map(Span, _side_figures(side))])
    if result.base is None or result.current is None or (result.is_equal and not is_odd):
        return []
    rows = rows if is_odd else [row[:2] for row in rows]
    told = (
        f"{count(result.common)} on both sides: {count(result.common - result.changed)} equal, "
        f"{count(result.changed)} changed · {count(result.added)} added · {count(result.removed)} removed"
    )
    return [*grid(rows, width=width, right={1, 2, 3, 4, 5}), *wrapped(Span("  "), told, width)]


def _is_odd(side: KeyCounts) -> bool:
    return bool(side.null_keys or side.duplicate_keys or side.duplicate_rows)


def _side_figures(side: KeyCounts) -> list[str]:
    figures = (side.rows, side.null_keys, side.duplicate_keys, side.duplicate_rows, side.compared)
    return [count(number) for number in figures]


def _only_lines(base_only: Sequence[str], current_only: Sequence[str]) -> list[Line]:
    sides = (("-", "base", base_only, Style.RED), ("+", "current", current_only, Style.GREEN))
    return [
        (Span(f"  {sign} only in {side}: ", style), Span(listed(names)))
        for sign, side, names, style in sides
        if names
    ]


def _column_lines(result: ValueDiff, width: int) -> list[Line]:
    """A row for each column that differs or could not be compared; the others are named together."""
    telling = [column for column in result.columns if column.mismatched or column.reason]
    equal = [column.name for column in result.columns if not (column.mismatched or column.reason)]
    lines: list[Line] = []
    if telling:
        titles = ("column", "match", "", "mismatched", "NULL→value", "value→NULL", "mean diff", "largest")
        hidden = len(telling) - COLUMNS_SHOWN
        telling = telling[:COLUMNS_SHOWN]
        rows = [heads(*titles), *(_column_cells(column, width) for column in telling)]
        told = grid(rows, width=width, right={1, 3, 4, 5, 6, 7})
        lines.append(told[0])
        for column, line in zip(telling, told[1:], strict=True):
            types = type_phrase(column)
            lines += [line, *([(Span(f"      {types}", Style.DIM),)] if types else [])]
            lines += _example_lines(result.key, column.examples)
        if hidden > 0:
            lines.append((Span(f"  {more(hidden, hint=True)}", Style.DIM),))
    if equal and result.common:
        lines.append((Span(f"  {equal_phrase(result)}: {listed(equal)}", Style.DIM),))
    return lines


def _column_cells(column: ColumnValues, width: int) -> list[Span]:
    share = column.match_share
    drawn = bar(share, BAR_WIDTH) if share is not None and not 0 < width < LEAST_WIDTH else ""
    nulls = [count(number) if number else "" for number in (column.null_to_value, column.value_to_null)]
    return [
        Span(column.name, Style.YELLOW),
        Span(percent(share)),
        Span(drawn, Style.DIM),
        Span(count(column.mismatched), Style.BOLD),
        *map(Span, nulls),
        *map(Span, difference_figures(column)),
    ]


def type_phrase(column: ColumnValues) -> str:
    """The types where they differ, what they were compared as, and why the values could not be."""
    types = f"{column.base_type} → {column.current_type}" if column.base_type != column.current_type else ""
    common = f"{types} as {column.compared_as}".strip() if column.compared_as else types
    return ": ".join(filter(None, (common, column.reason)))


def _example_lines(key: Sequence[str], examples: Sequence[Example]) -> list[Line]:
    return [
        (
            Span(f"      {key_text(key, example.key)}: ", Style.DIM),
            *_from_to(example.base, example.current),
        )
        for example in examples[:EXAMPLES_SHOWN]
    ]


def key_text(names: Sequence[str], values: Sequence[Value]) -> str:
    """`order_id=12, line=3`."""
    pairs = zip_longest(names, values, fillvalue="?")
    return ", ".join(f"{name}={cell_text(value)}" for name, value in pairs)


def _from_to(base: Value, current: Value) -> tuple[Span, Span, Span]:
    before, after = pair_text(base, current)
    return (
        Span(before, Style.DIM if base is None else Style.RED),
        Span(" → ", Style.DIM),
        Span(after, Style.DIM if current is None else Style.GREEN),
    )


def detail_lines(result: ValueDetail, width: int) -> list[Line]:
    """The rows that differ: as a table where it fits, otherwise one entry for each row."""
    lines = _facts([key_phrase(result), *narrowed_by(result)], width)
    lines += _only_lines(result.base_only, result.current_only)
    lines += _row_lines(result.key, result.columns, result.rows, width)
    return lines + _cut_line(result.is_cut, result.limit)


def rows_lines(result: RowsDiff, width: int) -> list[Line]:
    """Rows of each side, and some of those that only one has."""
    facts = [f"compared as whole rows of {len(result.columns):,} columns", *narrowed_by(result)]
    lines = _facts(facts, width)
    if result.base_rows is not None and result.current_rows is not None:
        sides = f"{count(result.base_rows)} → {count(result.current_rows)} rows"
        changed = f"{count(result.added)} added · {count(result.removed)} removed"
        lines += wrapped(Span("  "), f"{sides} · {count(result.common)} in both · {changed}", width)
    lines += _only_lines(result.base_only, result.current_only)
    if result.incomparable:
        lines.append((Span("  not compared: ", Style.YELLOW), Span(listed(result.incomparable))))
    lines += _row_lines((), result.columns, result.rows, width)
    return lines + _cut_line(result.is_cut, result.limit)


def result_lines(result: RowsDiff, width: int) -> list[Line]:
    """Return the rows of a query on one side: there is nothing that they could be added to."""
    rows = [[*map(Span, cells)] for cells in plain_rows(result)]
    lines = grid([heads(*result.columns), *rows], width=width) if rows else []
    return lines + ([(Span(f"  … more than {result.limit:,} rows", Style.DIM),)] if result.is_cut else [])


def plain_rows(result: RowsDiff) -> list[list[str]]:
    """Return the cells of a query's rows on one side, each row as often as it is there."""
    found = []
    for row in result.rows:
        values, times_there = (
            (row.base, row.base_count) if row.current is None else (row.current, row.current_count)
        )
        found += [[cell_text(value) for value in values or ()]] * max(times_there, 1)
    return found


def _cut_line(is_cut: bool, limit: int) -> list[Line]:
    if not is_cut:
        return []
    return [(Span(f"  … more rows differ than the {limit:,} that were asked for", Style.DIM),)]


def _row_lines(
    key: Sequence[str], columns: Sequence[str], rows: Sequence[DetailRow], width: int
) -> list[Line]:
    if not rows:
        return []
    cells = [heads("", *key, *columns, "times"), *(_row_cells(row) for row in rows)]
    if len({len(line) for line in cells}) == 1 and (not width or natural_width(cells) <= width):
        return grid(cells, width=width)
    return [line for row in rows for line in _row_entry(key, columns, row, width)]


def _row_cells(row: DetailRow) -> list[Span]:
    mark = MARKS.get(row.status, MARKS["changed"])
    values = [Span(text, style) for text, style in _row_values(row)]
    keys = [Span(cell_text(value), mark.style) for value in row.key]
    return [mark, *keys, *values, Span(times(row), Style.BOLD)]


def times(row: DetailRow) -> str:
    """`×2 → ×3` where a row is there more than once; empty otherwise."""
    counts = row.base_count, row.current_count
    if row.status == "changed" and counts != (1, 1):
        return f"×{counts[0]:,} → ×{counts[1]:,}"
    own = counts[0] if row.status == "removed" else counts[1]
    other = counts[1] if row.status == "removed" else counts[0]
    has_both = row.base is not None and row.current is not None
    if has_both and own != other:
        return f"×{counts[0]:,} → ×{counts[1]:,}"
    return f"×{own:,}" if own > 1 else ""


def _row_values(row: DetailRow) -> list[tuple[str, Style]]:
    """Each value of *row*, and what differs as `base → current`."""
    mark = MARKS.get(row.status, MARKS["changed"])
    if row.base is None or row.current is None:
        only = row.current if row.base is None else row.base
        return [(cell_text(value), Style.DIM if value is None else mark.style) for value in only or ()]
    return [
        (cell_text(after), Style.DIM)
        if are_same(before, after)
        else (" → ".join(pair_text(before, after)), Style.YELLOW)
        for before, after in zip(row.base, row.current, strict=False)
    ]


def _row_entry(key: Sequence[str], columns: Sequence[str], row: DetailRow, width: int) -> list[Line]:
    """One row as `~ order_id=12  amount: 10 → 12 · status: paid`, over several lines where it is long."""
    mark = MARKS.get(row.status, MARKS["changed"])
    head = " ".join(filter(None, (key_text(key, row.key), times(row))))
    is_changed = row.base is not None and row.current is not None
    pieces = [
        (f"{neutralise(name)}: ", text, style)
        for name, (text, style) in zip(columns, _row_values(row), strict=False)
        if not (is_changed and style is Style.DIM)
    ]
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
