"""Profiles, most frequent values and histograms, on the page."""

from __future__ import annotations

from recce_meta.models.data_diff import (
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    HistogramDiff,
    ProfileDiff,
    TopKDiff,
)
from recce_meta.report.data.distribution import bin_text, largest_shift, outside_phrase, top_lines
from recce_meta.report.data.figures import UNKNOWN, count, percent
from recce_meta.report.data.profile_figures import column_differs, metrics_of
from recce_meta.report.data.wording import histogram_differs, kept_phrase, top_k_differs
from recce_meta.report.html.charts import bar_cell, histogram, legend
from recce_meta.report.html.markup import Child, Markup, el
from recce_meta.report.html.tables import count_cell, fold, quiet, row, table


def profile(result: ProfileDiff) -> Child:
    """A table for each column; those that differ first, the figures that differ marked."""
    ordered = sorted(result.columns, key=lambda column: not column_differs(column))
    kept = (("Base", result.base_kept_at), ("Current", result.current_kept_at))
    return [
        [quiet(f"{side} is {kept_phrase(at)}.") for side, at in kept if at],
        el("div", [_profile(column) for column in ordered], class_="columns"),
    ]


def _profile(column: ColumnProfile) -> Markup:
    differs = column_differs(column)
    metrics = metrics_of(column)
    both = column.base is not None and column.current is not None
    rows = [
        row(
            el("th", metric.name, scope="row"),
            el("td", metric.base, class_="num"),
            el("td", metric.current, class_="num"),
            el("td", "≠" if metric.differs and both else "", class_="sign"),
            class_="differs" if metric.differs and both else "quiet",
        )
        for metric in metrics
    ]
    changed = sum(metric.differs for metric in metrics)
    told = "same figures" if not differs else f"{changed:,} of {len(metrics):,} figures differ"
    if not both:
        told = f"only in {'base' if column.current is None else 'current'}"
    summary = [el("code", column.name), " ", el("span", told, class_="told")]
    body = table(["figure", "base", "current", ""], rows, label=f"Profile of {column.name}", numbers=(1, 2))
    return fold(summary, body, is_open=differs, class_="column")


def top_values(result: TopKDiff) -> Child:
    """For each column its values with a bar on each side."""
    return el("div", [_top(column) for column in result.columns], class_="columns")


def _top(column: ColumnTopK) -> Markup:
    if column.reason is not None:
        return _uncounted(column.name, column.reason)
    lines = top_lines(column)
    highest = max(
        (share or 0 for line in lines for share in (line.base_share, line.current_share)), default=0
    )
    rows = []
    for line in lines:
        name = el("code", line.text) if line.is_value else el("span", line.text, class_="null")
        sides = (
            bar_cell((share or 0) / highest if highest else 0, number, share, kind)
            if number is not None
            else el("td", UNKNOWN, class_="bar-cell")
            for share, number, kind in (
                (line.base_share, line.base, "base"),
                (line.current_share, line.current, "current"),
            )
        )
        rows.append(row(el("th", name, scope="row"), *sides))
    body = table(["value", "base", "current"], rows, label=f"Top values of {column.name}")
    return fold(el("code", column.name), body, is_open=top_k_differs(column), class_="column")


def _uncounted(name: str, reason: str) -> Markup:
    return el("p", el("code", name), " ", el("span", reason, class_="told"), class_="column")


def histograms(result: HistogramDiff) -> Child:
    """A chart for each column, and its figures for those who want to copy them."""
    return [legend(), el("div", [_histogram(column) for column in result.columns], class_="columns")]


def _histogram(column: ColumnHistogram) -> Markup:
    if column.reason is not None or len(column.edges) < 2:
        return _uncounted(column.name, column.reason or "no values")
    sides = (
        ("base", column.base_total, column.base_outside),
        ("current", column.current_total, column.current_outside),
    )
    told = [
        " and ".join(filter(None, (f"{side} {count(total)} rows", outside_phrase(column, outside))))
        for side, total, outside in sides
        if total is not None
    ]
    shift = largest_shift(column)
    if shift is not None:
        place = bin_text(column, shift.bin)
        told.append(f"largest shift: {place} from {percent(shift.base)} to {percent(shift.current)}")
    summary = [el("code", column.name), " ", el("span", " · ".join(told), class_="told")]
    body = [histogram(column), fold("Figures", _bins(column))]
    return fold(summary, body, is_open=histogram_differs(column), class_="column")


def _bins(column: ColumnHistogram) -> Markup:
    rows = [
        row(
            el("th", bin_text(column, index), scope="row"),
            count_cell(column.base[index] if column.base is not None else None),
            count_cell(column.current[index] if column.current is not None else None),
        )
        for index in range(len(column.edges) - 1)
    ]
    return table(["bin", "base", "current"], rows, label=f"Bins of {column.name}", numbers=(1, 2))
