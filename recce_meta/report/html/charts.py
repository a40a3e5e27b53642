"""Charts as inline SVG: shapes stretch with the page, and every text beside them is HTML."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.models.data_diff import ColumnHistogram
from recce_meta.report.data.distribution import bin_text, edge_text, highest_count
from recce_meta.report.data.figures import count, percent
from recce_meta.report.html.markup import Markup, el, join

LEAST = 1.2
"""Of 100: how wide a bar is at least that stands for more than nothing."""

HEIGHT = 100
GAP = 0.08
"""Of a bin's width, on either side of base's bar; current's is narrower, so that both are seen."""
INNER = 0.26


def bar(share: float | None, kind: str) -> Markup:
    """A horizontal bar of *share* of its room."""
    size = 0.0 if not share else max(100 * min(share, 1.0), LEAST)
    return el(
        "svg",
        el("rect", width=100, height=10, class_="track"),
        el("rect", width=size, height=10, class_=kind) if size else None,
        class_="bar",
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def match_bar(share: float | None) -> Markup:
    """What matched and, however little it is, what did not."""
    if share is None:
        return bar(None, "equal")
    wrong = 0.0 if share == 1 else max(100 * (1 - share), 2 * LEAST)
    return el(
        "svg",
        el("rect", width=100 - wrong, height=10, class_="match"),
        el("rect", x=100 - wrong, width=wrong, height=10, class_="mismatch") if wrong else None,
        class_="bar",
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def histogram(column: ColumnHistogram) -> Markup:
    """Both sides over the same bins and on one scale, base behind current; each bin tells its figures."""
    bins = len(column.edges) - 1
    highest = highest_count(column)
    return el(
        "div",
        el("div", el("span", f"{count(highest)} rows"), class_="scale", aria_hidden="true"),
        el(
            "svg",
            [_bin(column, index, highest) for index in range(bins)],
            class_="histogram",
            viewBox=f"0 0 {bins} {HEIGHT}",
            preserveAspectRatio="none",
            role="img",
            aria_label=f"Rows of base and current in {bins} bins of {column.name}",
        ),
        el("div", [el("span", one) for one in _axis(column)], class_="axis"),
        class_="chart",
    )


def _bin(column: ColumnHistogram, index: int, highest: int) -> Markup:
    sides = (("base", column.base, GAP), ("current", column.current, INNER))
    told = [f"{side} {count(rows[index])}" for side, rows, _gap in sides if rows is not None]
    return el(
        "g",
        el("title", f"{bin_text(column, index)}: {', '.join(told)}"),
        el("rect", x=index, y=0, width=1, height=HEIGHT, class_="hit"),
        [_column(side, index, rows[index], highest, gap) for side, rows, gap in sides if rows is not None],
    )


def _column(side: str, index: int, rows: int, highest: int, gap: float) -> Markup | None:
    if not rows or not highest:
        return None
    size = max(HEIGHT * rows / highest, LEAST)
    return el("rect", x=index + gap, y=HEIGHT - size, width=1 - 2 * gap, height=size, class_=side)


def _axis(column: ColumnHistogram) -> Sequence[str]:
    """The outermost edges, and the one in the middle where bins are many enough."""
    edges = [edge_text(edge) for edge in column.edges]
    return (edges[0], edges[len(edges) // 2], edges[-1]) if len(edges) > 4 else (edges[0], edges[-1])


def bar_cell(size: float, number: int, share: float | None, kind: str) -> Markup:
    """A bar of *size* with its figures."""
    told = join([count(number), " ", el("small", percent(share))])
    figures = el("span", told, class_="num")
    drawn = el("div", bar(size, kind), figures, class_="barred")
    return el("td", drawn, class_="bar-cell", data_v=number)


def legend() -> Markup:
    """What the two colours of charts are."""
    sides = ("base", "current")
    return el("ul", [el("li", el("span", class_=f"swatch {side}"), side) for side in sides], class_="legend")
