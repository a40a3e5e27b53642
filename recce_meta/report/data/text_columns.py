"""Profiles, top values and histograms as text."""

from __future__ import annotations

from itertools import chain

from recce_meta.errors import plural
from recce_meta.models.data_diff import (
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    HistogramDiff,
    ProfileDiff,
    TopKDiff,
)
from recce_meta.report.data.figures import (
    bin_text,
    compared_figures,
    differing_columns,
    edge_text,
    highest_count,
    highest_share,
    largest_shift,
    rows_phrases,
    top_lines,
)
from recce_meta.report.data.verdicts import (
    equal_figures,
    figures_phrase,
    saved_sides,
    unread_columns,
    unread_phrase,
)
from recce_meta.report.labels import DETAILS, more_phrase
from recce_meta.report.terminal import (
    Line,
    Span,
    Style,
    bar,
    display_width,
    grid,
    heading_row,
    name_lines,
    sparkline,
)
from recce_meta.report.values import count, percent
from recce_meta.tables.gaps import figures_limited_by

BAR_WIDTH = 12
LEAST_BAR = 4
PROFILES_SHOWN = 40
"""Columns of a profile; JSON contains all."""


def profile_lines(result: ProfileDiff, width: int, *, details: bool = False) -> list[Line]:
    """Return a row for each differing figure of a column; columns without differences are listed."""
    compared = [column for column in result.columns if not column.unread]
    differing = compared if details else differing_columns(result)
    hidden = 0 if details else len(differing) - PROFILES_SHOWN
    same = [] if details else equal_figures(result)
    rows = [heading_row("column", "figure", "base", "current", "")]
    rows += chain.from_iterable(map(_profile_rows, differing if details else differing[:PROFILES_SHOWN]))
    lines: list[Line] = [
        (Span(f"  {side} was {saved}", Style.DIM),) for side, saved in saved_sides(result).items()
    ]
    lines += grid(rows, width=width, right={2, 3}) if len(rows) > 1 else []
    if hidden > 0:
        lines.append((Span(f"  {more_phrase(hidden, hint=True, option=DETAILS)}", Style.DIM),))
    if unread := unread_columns(result):
        lead = Span("  ? ", Style.YELLOW)
        lines += name_lines(lead, unread_phrase(unread), unread, width, is_whole=details)
    if not same:
        return lines
    lead = Span("  ? " if figures_limited_by(result) else "  = ", Style.DIM)
    return lines + name_lines(lead, figures_phrase(result, len(same)), same, width, is_whole=details)


def _profile_rows(column: ColumnProfile) -> list[list[Span]]:
    """Return the figures of *column*; differing figures also have a mark, for output without colour."""
    rows = []
    for index, metric in enumerate(compared_figures(column)):
        is_both = column.base is not None and column.current is not None
        strong = metric.differs and is_both
        rows.append(
            [
                Span("" if index else column.name, Style.BOLD),
                Span(metric.name, Style.PLAIN if strong else Style.DIM),
                Span(metric.base, Style.RED if strong else Style.DIM),
                Span(metric.current, Style.GREEN if strong else Style.DIM),
                Span("≠" if strong else "", Style.YELLOW),
            ]
        )
    return rows


def top_k_lines(result: TopKDiff, width: int, *, details: bool = False) -> list[Line]:
    """Return the values of each column with a bar on each side, then other values, then NULL."""
    lines: list[Line] = []
    for column in result.columns:
        lines.append(_column_title(column.name, column.reason))
        if column.reason is None:
            lines += _top_table(column, width)
    return lines


def _column_title(name: str, reason: str | None, about: str = "") -> Line:
    text = reason or about
    return Span(f"  {name}", Style.BOLD), Span(f"  {text}" if text else "", Style.DIM)


def _top_table(column: ColumnTopK, width: int) -> list[Line]:
    lines = top_lines(column)
    rows = [heading_row("value", "base", "", "", "current", "", "")]
    # One scale for both sides, so that their bars can be compared.
    highest = highest_share(lines)
    size = BAR_WIDTH if not width or width >= 90 else LEAST_BAR
    for line in lines:
        name = Span(line.text, Style.PLAIN if line.is_value else Style.DIM)
        base = _top_cells(line.base, line.base_share, highest, size)
        current = _top_cells(line.current, line.current_share, highest, size)
        rows.append([name, *base, *current])
    return grid(rows, width=width, right={2, 3, 5, 6}, indent=4) if lines else []


def _top_cells(number: int | None, share: float | None, highest: float, size: int) -> list[Span]:
    drawn = bar((share or 0) / highest, size) if highest else ""
    return [Span(drawn, Style.CYAN), Span(count(number)), Span(percent(share), Style.DIM)]


def histogram_lines(result: HistogramDiff, width: int, *, details: bool = False) -> list[Line]:
    """Return a sparkline per column and side, on one scale, above the edges of the bins."""
    lines: list[Line] = []
    for column in result.columns:
        lines.append(_column_title(column.name, column.reason, _bins_phrase(column)))
        if column.reason is None and column.edges:
            lines += _histogram(column)
    return lines


def _bins_phrase(column: ColumnHistogram) -> str:
    bins = plural(max(len(column.edges) - 1, 0), "bin")
    return f"{bins} of {column.unit}" if column.unit else bins


def _histogram(column: ColumnHistogram) -> list[Line]:
    highest = highest_count(column)
    lines: list[Line] = []
    for side, counts, about in zip(
        ("base", "current"), (column.base, column.current), rows_phrases(column), strict=True
    ):
        drawn = [Span(f"not in {side}", Style.DIM)]
        if counts is not None:
            shown = sparkline(counts, highest)
            drawn = [Span(shown, Style.CYAN), Span(f"  {about}", Style.DIM)]
        lines.append((Span(f"    {side:<9}", Style.DIM), *drawn))
    lines.append((Span(f"    {'':<9}{_axis(column)}", Style.DIM),))
    shift = largest_shift(column)
    if shift is not None:
        place = bin_text(column, shift.bin)
        text = f"{place}: {percent(shift.base)} → {percent(shift.current)} of {shift.whole}"
        lines.append((Span("    largest change  ", Style.DIM), Span(text)))
    return lines


def _axis(column: ColumnHistogram) -> str:
    """Return the outermost edges, aligned with the first bin and the last."""
    low, high = edge_text(column.edges[0]), edge_text(column.edges[-1])
    bins = len(column.edges) - 1
    return f"{low}{' ' * max(bins - display_width(low) - display_width(high), 1)}{high}"
