"""Values that templates show of data diffs, beyond what all reports share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnHistogram,
    ColumnProfile,
    ColumnValues,
    Example,
)
from recce_meta.report.data.figures import (
    bin_text,
    column_differs,
    compared_figures,
    edge_text,
    highest_count,
    highest_share,
    largest_shift,
    rows_phrases,
    top_lines,
)
from recce_meta.report.data.text import key_text, plain_rows, schema_phrase, shown_values, times, type_phrase
from recce_meta.report.data.verdicts import (
    EQUAL_ROWS,
    Outcome,
    answer_of,
    equal_names,
    equal_phrase,
    equal_word,
    explanations,
    figures_word,
    has_odd_keys,
    key_phrase,
    reasons_of,
    row_count_differs,
    saved_sides,
    single_side,
    split_columns,
    title_of,
    verdict,
)
from recce_meta.report.values import (
    UNKNOWN,
    cell_text,
    change_percent,
    count,
    difference_figures,
    pair_text,
    percent,
    signed_count,
)
from recce_meta.tables.gaps import narrowed_by

ROWS_SHOWN = 200
"""Rows and columns of one table; JSON contains all."""
EXAMPLES_SHOWN = 5

OUTCOME_SIGNS = {
    Outcome.EQUAL: "=",
    Outcome.DIFFERENT: "≠",
    Outcome.PARTIAL: "?",
    Outcome.ONE_SIDED: "–",
    Outcome.NOT_COMPARED: "?",
    Outcome.FAILED: "!",
}
"""Signs of the outcomes, so that colour is not the only distinction."""
OUTCOME_CLASSES = {
    Outcome.EQUAL: "same",
    Outcome.DIFFERENT: "differs",
    Outcome.PARTIAL: "partial",
    Outcome.ONE_SIDED: "one-sided",
    Outcome.NOT_COMPARED: "not-compared",
    Outcome.FAILED: "failed",
}
STATUS_SIGNS = {"added": "+", "removed": "−", "changed": "≠", "retyped": "≠", "moved": "↕"}

LEAST_BAR = 1.2
"""Minimum width of a bar above zero, of 100."""
LEAST_PART = 0.8
BASE_GAP, CURRENT_GAP = 0.08, 0.26
"""Margins on either side of a bar, relative to the bin; a current bar is narrower, so both are visible."""


def type_name(result: AnyDataDiff) -> str:
    """Return the name of the type of *result*."""
    return type(result).__name__


def examples_of(columns: Sequence[ColumnValues]) -> list[tuple[ColumnValues, Example]]:
    """Return the first examples of each column."""
    return [(column, one) for column in columns[:ROWS_SHOWN] for one in column.examples[:EXAMPLES_SHOWN]]


def stacked_bars(parts: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """Return name, position and width of each part above zero, in per cent; each is wide enough to see."""
    total = sum(parts.values())
    # Widened parts can exceed the whole, so the widths below are of their sum.
    sizes = {name: max(100 * number / total, LEAST_PART) for name, number in parts.items() if number}
    whole, position, bars = sum(sizes.values()), 0.0, []
    for name, size in sizes.items():
        bars.append((name, 100 * position / whole, 100 * size / whole))
        position += size
    return bars


def differing_first(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns of a profile, those that differ first."""
    return sorted(columns, key=lambda column: not column_differs(column))


def histogram_facts(column: ColumnHistogram) -> list[str]:
    """Return the rows of each side, those in no bin, and the largest shift."""
    sides = zip(
        ("base", "current"), (column.base_total, column.current_total), rows_phrases(column), strict=True
    )
    facts = [f"{side} {phrase}" for side, total, phrase in sides if total is not None]
    shift = largest_shift(column)
    if shift is not None:
        shares = f"from {percent(shift.base)} to {percent(shift.current)}"
        facts.append(f"largest shift: {bin_text(column, shift.bin)} {shares} of {shift.whole}")
    return facts


def bin_title(column: ColumnHistogram, index: int) -> str:
    """Return a bin's edges and its rows on each side."""
    sides = (("base", column.base), ("current", column.current))
    figures = [f"{side} {count(rows[index])}" for side, rows in sides if rows is not None]
    return f"{bin_text(column, index)}: {', '.join(figures)}"


def axis(column: ColumnHistogram) -> Sequence[str]:
    """Return the outermost edges, and the middle one if there are more than four."""
    edges = [edge_text(edge) for edge in column.edges]
    return (edges[0], edges[len(edges) // 2], edges[-1]) if len(edges) > 4 else (edges[0], edges[-1])


DATA_GLOBALS: dict[str, Any] = {
    function.__name__: function
    for function in (
        answer_of,
        axis, bin_text, bin_title, cell_text, change_percent, column_differs, count,
        difference_figures, differing_first, equal_names, equal_phrase, equal_word, examples_of, explanations,
        figures_word,
        has_odd_keys, highest_count, highest_share, histogram_facts, saved_sides, key_phrase, key_text,
        compared_figures, narrowed_by, pair_text, percent, plain_rows, reasons_of, row_count_differs,
        schema_phrase, shown_values, signed_count, single_side, split_columns, stacked_bars, times, title_of,
        top_lines, type_name, type_phrase, verdict,
    )
} | {
    "BASE_GAP": BASE_GAP,
    "CURRENT_GAP": CURRENT_GAP,
    "EQUAL_ROWS": EQUAL_ROWS,
    "LEAST_BAR": LEAST_BAR,
    "OUTCOME_CLASSES": OUTCOME_CLASSES,
    "OUTCOME_SIGNS": OUTCOME_SIGNS,
    "ROWS_SHOWN": ROWS_SHOWN,
    "STATUS_SIGNS": STATUS_SIGNS,
    "UNKNOWN": UNKNOWN,
}  # fmt: skip
"""Functions and constants that templates use."""
