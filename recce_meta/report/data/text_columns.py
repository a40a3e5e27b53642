"""Profiles, most frequent values and histograms, on a terminal."""

from __future__ import annotations

from recce_meta.models.data_diff import (
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    HistogramDiff,
    ProfileDiff,
    TopKDiff,
)
from recce_meta.report.characters import display_width
from recce_meta.report.data.bars import bar, sparkline
from recce_meta.report.data.distribution import (
    bin_text,
    edge_text,
    highest_count,
    largest_shift,
    outside_phrase,
    top_lines,
)
from recce_meta.report.data.figures import count, percent
from recce_meta.report.data.grid import grid, heads
from recce_meta.report.data.profile_figures import differing_columns, metrics_of
from recce_meta.report.data.wording import kept_phrase, listed
from recce_meta.report.terminal import Line, Span, Style
from recce_meta.report.wording import more

BAR_WIDTH = 12
LEAST_BAR = 4
COLUMNS_SHOWN = 40
"""Of a profile; JSON has all."""


def profile_lines(result: ProfileDiff, width: int) -> list[Line]:
    """A row for each figure of a column that differs; columns that are the same are named together."""
    differing = differing_columns(result)
    names = {column.name for column in differing}
    same = [column.name for column in result.columns if column.name not in names]
    rows = [heads("column", "", "base", "current", "")]
    rows += [row for column in differing[:COLUMNS_SHOWN] for row in _profile_rows(column)]
    lines: list[Line] = []
    for side, kept_at in (("base", result.base_kept_at), ("current", result.current_kept_at)):
        lines += [(Span(f"  {side} is {kept_phrase(kept_at)}", Style.DIM),)] if kept_at else []
    lines += grid(rows, width=width, right={2, 3}) if len(rows) > 1 else []
    if len(differing) > COLUMNS_SHOWN:
        lines.append((Span(f"  {more(len(differing) - COLUMNS_SHOWN, hint=True)}", Style.DIM),))
    return lines + ([(Span(f"  same figures: {listed(same)}", Style.DIM),)] if same else [])


def _profile_rows(column: ColumnProfile) -> list[list[Span]]:
    """The figures of *column*; those that differ stand out and carry a mark, for where there is no colour."""
    rows = []
    for index, metric in enumerate(metrics_of(column)):
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


def top_k_lines(result: TopKDiff, width: int) -> list[Line]:
    """For each column its values with a bar on each side, then all others, then NULL."""
    lines: list[Line] = []
    for column in result.columns:
        lines.append(_column_title(column.name, column.reason))
        if column.reason is None:
            lines += _top_table(column, width)
    return lines


def _column_title(name: str, reason: str | None, about: str = "") -> Line:
    told = reason or about
    return Span(f"  {name}", Style.BOLD), Span(f"  {told}" if told else "", Style.DIM)


def _top_table(column: ColumnTopK, width: int) -> list[Line]:
    lines = top_lines(column)
    rows = [heads("value", "base", "", "", "current", "", "")]
    shares = [share or 0 for line in lines for share in (line.base_share, line.current_share)]
    highest = max(shares, default=0)
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


def histogram_lines(result: HistogramDiff, width: int) -> list[Line]:
    """For each column a sparkline on each side, both on one scale, over the edges of the bins."""
    lines: list[Line] = []
    for column in result.columns:
        lines.append(_column_title(column.name, column.reason, _bins_phrase(column)))
        if column.reason is None and column.edges:
            lines += _histogram(column)
    return lines


def _bins_phrase(column: ColumnHistogram) -> str:
    bins = max(len(column.edges) - 1, 0)
    return f"{bins} bins of {column.unit}" if column.unit else f"{bins} bins"


def _histogram(column: ColumnHistogram) -> list[Line]:
    highest = highest_count(column)
    lines: list[Line] = []
    for side, counts, total, outside in (
        ("base", column.base, column.base_total, column.base_outside),
        ("current", column.current, column.current_total, column.current_outside),
    ):
        drawn = [Span("not there", Style.DIM)]
        if counts is not None:
            about = ", ".join(filter(None, (f"{count(total)} rows", outside_phrase(column, outside))))
            shown = sparkline(counts, highest)
            drawn = [Span(shown, Style.CYAN), Span(f"  {about}", Style.DIM)]
        lines.append((Span(f"    {side:<9}", Style.DIM), *drawn))
    lines.append((Span(f"    {'':<9}{_axis(column)}", Style.DIM),))
    shift = largest_shift(column)
    if shift is not None:
        place = bin_text(column, shift.bin)
        told = f"{place}: {percent(shift.base)} → {percent(shift.current)} of the rows"
        lines.append((Span("    largest shift  ", Style.DIM), Span(told)))
    return lines


def _axis(column: ColumnHistogram) -> str:
    """The outermost edges, under the first bin and the last."""
    low, high = edge_text(column.edges[0]), edge_text(column.edges[-1])
    bins = len(column.edges) - 1
    return f"{low}{' ' * max(bins - display_width(low) - display_width(high), 1)}{high}"
