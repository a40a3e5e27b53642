"""What one data diff found, on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recce_meta.diff.data.gaps import narrowed_by
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnValues,
    DetailRow,
    Failed,
    HistogramDiff,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.report.data.cells import are_same
from recce_meta.report.data.figures import change_percent, count, difference_figures, percent, signed
from recce_meta.report.data.text import schema_phrase
from recce_meta.report.data.text_values import key_text, plain_rows, times, type_phrase
from recce_meta.report.data.wording import (
    Outcome,
    equal_phrase,
    key_phrase,
    reasons_of,
    row_count_differs,
    single_side,
    title_of,
    verdict,
)
from recce_meta.report.html.charts import match_bar
from recce_meta.report.html.distributions import histograms, profile, top_values
from recce_meta.report.html.markup import EMPTY, Child, Markup, el, join, source
from recce_meta.report.html.tables import (
    count_cell,
    figure_cell,
    fold,
    from_to,
    name_cell,
    names,
    quiet,
    row,
    table,
    value,
)

ROWS_SHOWN = 200
"""Rows and columns of one table; JSON has all."""
EXAMPLES_SHOWN = 5

SIGNS = {
    Outcome.EQUAL: "=",
    Outcome.DIFFERENT: "≠",
    Outcome.PARTIAL: "?",
    Outcome.ONE_SIDED: "–",
    Outcome.NOT_COMPARED: "?",
    Outcome.FAILED: "!",
}
"""So that nothing is said by colour alone."""
CLASSES = {
    Outcome.EQUAL: "same",
    Outcome.DIFFERENT: "differs",
    Outcome.PARTIAL: "partial",
    Outcome.ONE_SIDED: "one-sided",
    Outcome.NOT_COMPARED: "not-compared",
    Outcome.FAILED: "failed",
}


def badge(outcome: Outcome) -> Markup:
    """The outcome's sign in its colour."""
    return el("span", SIGNS[outcome], class_=f"badge {CLASSES[outcome]}", title=outcome.value)


def result_block(result: AnyDataDiff, *, is_open: bool = True) -> Markup:
    """*result* with its verdict; folded where nothing differs, or unless *is_open*."""
    outcome, told = verdict(result)
    title = el("b", title_of(result).capitalize())
    summary = [badge(outcome), " ", title, " ", el("span", told, class_="told")]
    return fold(
        summary, result_body(result), is_open=is_open and outcome is not Outcome.EQUAL, class_="result"
    )


def result_body(result: AnyDataDiff) -> list[Child]:
    """Everything under the verdict."""
    return [_BODIES[type(result)](result), notes(result.notes)]


def notes(told: Sequence[str]) -> Markup:
    """Notes as a list; nothing where there are none."""
    return el("ul", [el("li", note) for note in told], class_="notes") if told else EMPTY


def _row_counts(result: RowCountDiff) -> Child:
    rows = []
    for one in result.counts:
        state = "differs" if row_count_differs(one) else "quiet"
        rows.append(
            row(
                name_cell(one.subject.name),
                count_cell(one.base),
                count_cell(one.current),
                figure_cell("" if one.delta is None else signed(one.delta), one.delta, class_=state),
                figure_cell(change_percent(one.change), one.change, class_=state),
                reasons_of(one),
            )
        )
    heads = ["node", "base", "current", "delta", "change", ""]
    return table(heads, rows, label="Row counts", numbers=range(1, 5))


def _schema(result: SchemaDiff) -> Child:
    words = {"added": "+", "removed": "−", "retyped": "≠", "moved": "↕"}
    rows = [
        row(
            el(
                "td",
                el("span", f"{words.get(column.status, '')} {column.status}", class_=f"tag {column.status}"),
            ),
            name_cell(column.name),
            el("code", schema_phrase(column)),
        )
        for column in result.changed[:ROWS_SHOWN]
    ]
    source = quiet("As recorded with the runs.") if result.source != "live" else None
    return [table(["", "column", "type"], rows, label="Schema") if rows else None, source]


def _values(result: ValueDiff) -> Child:
    telling = [column for column in result.columns if column.mismatched or column.reason]
    equal = [column.name for column in result.columns if not (column.mismatched or column.reason)]
    return [
        quiet(join([key_phrase(result), *narrowed_by(result)], " · ")),
        _sides(result),
        _only(result),
        _columns(telling) if telling else None,
        _examples(result, telling),
        quiet([f"{equal_phrase(result).capitalize()}: ", names(equal)]) if equal and result.common else None,
    ]


def _sides(result: ValueDiff) -> Child:
    """The rows as one bar: equal, changed, added, removed; and the keys that could not be compared."""
    if result.base is None or result.current is None:
        return None
    parts = {
        "equal": result.common - result.changed,
        "changed": result.changed,
        "added": result.added,
        "removed": result.removed,
    }
    told = [
        el("li", el("span", class_=f"swatch {name}"), f"{count(number)} {name}")
        for name, number in parts.items()
    ]
    figures = [
        (label, side.rows, side.null_keys, side.duplicate_keys, side.duplicate_rows, side.compared)
        for label, side in (("base", result.base), ("current", result.current))
    ]
    heads = ["side", "rows", "NULL keys", "duplicate keys", "rows of these", "compared"]
    odd = any(one[2] or one[3] or one[4] for one in figures)
    rows = [row(el("th", one[0], scope="row"), *map(count_cell, one[1:])) for one in figures]
    sides = f"{count(result.base.rows)} → {count(result.current.rows)} rows"
    return [
        _stacked(parts),
        el("ul", told, el("li", sides, class_="quiet"), class_="legend"),
        table(heads, rows, label="Rows of each side", numbers=range(1, 6)) if odd else None,
    ]


def _stacked(parts: dict[str, int]) -> Markup:
    """One bar of all parts; each that is there can be seen."""
    total = sum(parts.values())
    if not total:
        return EMPTY
    sizes = {name: max(100 * number / total, 0.8) for name, number in parts.items() if number}
    whole, at, drawn = sum(sizes.values()), 0.0, []
    for name, size in sizes.items():
        drawn.append(el("rect", x=100 * at / whole, width=100 * size / whole, height=10, class_=name))
        at += size
    return el(
        "svg", drawn, class_="stacked", viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true"
    )


def _only(result: ValueDiff | ValueDetail | RowsDiff) -> Child:
    sides = (("base", result.base_only, "removed"), ("current", result.current_only, "added"))
    return [
        el("p", el("span", f"only in {side}", class_=f"tag {kind}"), " ", names(listed))
        for side, listed, kind in sides
        if listed
    ]


def _columns(columns: Sequence[ColumnValues]) -> Markup:
    heads = ["column", "match", "mismatched", "NULL → value", "value → NULL", "mean diff", "largest", ""]
    return table(heads, [_column(one) for one in columns[:ROWS_SHOWN]], label="Columns", numbers=range(2, 7))


def _column(column: ColumnValues) -> Markup:
    share = column.match_share
    mean, largest = difference_figures(column)
    match = el("div", match_bar(share), el("span", percent(share), class_="num"), class_="barred")
    return row(
        name_cell(column.name),
        el("td", match, data_v=share),
        count_cell(column.mismatched),
        count_cell(column.null_to_value, is_quiet_zero=True),
        count_cell(column.value_to_null, is_quiet_zero=True),
        figure_cell(mean, column.mean_difference),
        figure_cell(largest, column.largest_difference),
        type_phrase(column),
    )


def _examples(result: ValueDiff, columns: Sequence[ColumnValues]) -> Child:
    rows = [
        row(name_cell(column.name), el("code", key_text(result.key, one.key)), from_to(one.base, one.current))
        for column in columns[:ROWS_SHOWN]
        for one in column.examples[:EXAMPLES_SHOWN]
    ]
    if not rows:
        return None
    return fold(
        "Examples", table(["column", "key", "base → current"], rows, label="Examples"), is_open=len(rows) < 16
    )


def _detail(result: ValueDetail) -> Child:
    told = join([key_phrase(result), *narrowed_by(result)], " · ")
    return [quiet(told), _only(result), _rows_table(result.key, result.columns, result.rows), _cut(result)]


def _rows(result: RowsDiff) -> Child:
    changed = f"{count(result.added)} added · {count(result.removed)} removed"
    sides = f"{count(result.base_rows)} → {count(result.current_rows)} rows"
    return [
        quiet(join([sides, f"{count(result.common)} in both", changed, *narrowed_by(result)], " · ")),
        _only(result),
        el("p", "Not compared: ", names(result.incomparable)) if result.incomparable else None,
        _rows_table((), result.columns, result.rows),
        _cut(result),
    ]


def _cut(result: ValueDetail | RowsDiff) -> Child:
    if result.is_cut:
        return quiet(f"More rows differ than the {result.limit:,} that were asked for.")
    hidden = len(result.rows) - ROWS_SHOWN
    return quiet(f"… and {hidden:,} more rows") if hidden > 0 else None


def _rows_table(key: Sequence[str], columns: Sequence[str], rows: Sequence[DetailRow]) -> Child:
    if not rows:
        return None
    shown = rows[:ROWS_SHOWN]
    is_counted = any(times(one) for one in shown)
    heads = ["", *key, *columns, *(["times"] if is_counted else [])]
    return table(heads, [_row(one, is_counted=is_counted) for one in shown], label="Rows that differ")


def _row(one: DetailRow, *, is_counted: bool) -> Markup:
    signs = {"added": "+", "removed": "−", "changed": "≠"}
    sign = el("td", el("span", f"{signs.get(one.status, '')} {one.status}", class_=f"tag {one.status}"))
    cells: list[Child] = [el("td", value(part)) for part in one.key]
    if one.base is None or one.current is None:
        cells += [el("td", value(part)) for part in (one.current if one.base is None else one.base) or ()]
    else:
        cells += [
            el("td", value(after), class_="quiet")
            if are_same(before, after)
            else el("td", from_to(before, after))
            for before, after in zip(one.base, one.current, strict=False)
        ]
    return row(sign, *cells, *([times(one)] if is_counted else []))


def _query(result: QueryDiff) -> Child:
    single = single_side(result)
    if single is not None:
        return [_sql_fold("SQL", result.base_sql or result.current_sql), _plain_rows(single)]
    if result.base_sql == result.current_sql:
        sql: Child = _sql_fold("SQL", result.current_sql)
    else:
        sides = (("Base", result.base_sql), ("Current", result.current_sql))
        sql = [_sql_fold(f"{side}'s SQL", told) for side, told in sides]
    parts = [part for part in (result.values, result.detail, result.rows) if part is not None]
    return [sql, [result_body(part) for part in parts]]


def _sql_fold(title: str, sql: str) -> Markup:
    return fold(title, el("pre", el("code", source(sql))))


def _plain_rows(result: RowsDiff) -> Child:
    """The rows of a query on one side, as they are."""
    rows = plain_rows(result)
    shown = [row(*cells) for cells in rows[:ROWS_SHOWN]]
    hidden = quiet(f"… and {len(rows) - ROWS_SHOWN:,} more rows") if len(rows) > ROWS_SHOWN else None
    return [table(result.columns, shown, label="Rows of the query"), hidden]


def _failed(result: Failed) -> Child:
    return el("p", el("b", "Hint: "), result.hint) if result.hint else None


_BODIES: dict[type, Callable[[Any], Child]] = {
    RowCountDiff: _row_counts,
    SchemaDiff: _schema,
    ValueDiff: _values,
    ValueDetail: _detail,
    RowsDiff: _rows,
    QueryDiff: _query,
    ProfileDiff: profile,
    TopKDiff: top_values,
    HistogramDiff: histograms,
    Failed: _failed,
    NotCompared: lambda _result: None,
}
