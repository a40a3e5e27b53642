"""One data diff in Markdown: tables of figures and values, which stand in code whatever they hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
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
    Value,
    ValueDetail,
    ValueDiff,
)
from recce_meta.report.characters import shorten
from recce_meta.report.data.cells import are_same, cell_text, pair_text
from recce_meta.report.data.figures import (
    UNKNOWN,
    change_percent,
    count,
    difference_figures,
    percent,
    signed,
)
from recce_meta.report.data.profile_figures import column_differs, metrics_of
from recce_meta.report.data.text import schema_phrase
from recce_meta.report.data.text_columns import histogram_lines, top_k_lines
from recce_meta.report.data.text_values import plain_rows, times, type_phrase
from recce_meta.report.data.wording import (
    equal_phrase,
    kept_phrase,
    key_phrase,
    reasons_of,
    single_side,
)
from recce_meta.report.escape import code, fenced, prose
from recce_meta.report.terminal import render

ROWS_SHOWN = 10
"""Of examples and of rows that differ."""
COLUMNS_SHOWN = 12
LINES_SHOWN = 40
"""Of tables with a row for each node or column."""
DRAWING_WIDTH = 96
SQL_LINES = 30
SQL_WIDTH = 160
ADDED, REMOVED, CHANGED = "🟢", "🔴", "🟡"
_MARKS = {"added": ADDED, "removed": REMOVED}


def result_markdown(result: AnyDataDiff) -> str:
    """What *result* found, without its verdict."""
    parts = [part for part in _BODIES[type(result)](result) if part]
    parts += ["".join(f"- {prose(note)}\n" for note in result.notes)] if result.notes else []
    return "\n\n".join(part.rstrip("\n") for part in parts)


def md_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """A table of cells that are Markdown already; the columns in *right* are aligned to the right."""
    rule = ["--:" if index in right else "---" for index in range(len(titles))]
    return "".join(f"| {' | '.join(line)} |\n" for line in (titles, rule, *rows))


def value_code(value: Value) -> str:
    """A cell; NULL is no code, so that it is not the text `NULL`."""
    return "NULL" if value is None else code(cell_text(value))


def _pair(base: Value, current: Value) -> tuple[str, str]:
    texts = pair_text(base, current)
    return (
        "NULL" if base is None else code(texts[0]),
        "NULL" if current is None else code(texts[1]),
    )


def _more(hidden: int, what: str) -> str:
    return f"… and {hidden:,} more {what}" if hidden > 0 else ""


def _row_counts(result: RowCountDiff) -> Iterable[str]:
    rows = [
        (
            code(one.subject.name),
            count(one.base),
            count(one.current),
            signed(one.delta),
            change_percent(one.change),
            prose(reasons_of(one)),
        )
        for one in result.counts[:LINES_SHOWN]
    ]
    yield md_table(["node", "base", "current", "delta", "change", ""], rows, right=range(1, 5))
    yield _more(len(result.counts) - LINES_SHOWN, "nodes")


def _schema(result: SchemaDiff) -> Iterable[str]:
    if result.source != "live":
        yield "As recorded with the runs."
    rows = [
        (
            _MARKS.get(column.status, CHANGED) + f" {column.status}",
            code(column.name),
            code(schema_phrase(column)),
        )
        for column in result.changed[:LINES_SHOWN]
    ]
    if rows:
        yield md_table(["", "column", ""], rows)
    yield _more(len(result.changed) - LINES_SHOWN, "columns")


def _values(result: ValueDiff) -> Iterable[str]:
    yield _facts(key_phrase(result), narrowed_by(result))
    if result.base is not None and result.current is not None:
        yield _sides(result)
    yield from _only(result.base_only, result.current_only)
    telling = [column for column in result.columns if column.mismatched or column.reason]
    if telling:
        titles = ["column", "match", "mismatched", "NULL → value", "value → NULL", "mean diff", "largest", ""]
        yield md_table(titles, [_column_row(column) for column in telling[:LINES_SHOWN]], right=range(1, 7))
        yield _more(len(telling) - LINES_SHOWN, "columns")
        yield _examples(result, telling)
    equal = [column.name for column in result.columns if not (column.mismatched or column.reason)]
    if equal and result.common:
        yield f"{equal_phrase(result).capitalize()}: {names_code(equal)}"


def _facts(key: str, others: Sequence[str]) -> str:
    return " · ".join(code(fact, 200) for fact in (key, *others))


def _sides(result: ValueDiff) -> str:
    titles = ["", "rows", "NULL keys", "duplicate keys", "rows of these", "compared"]
    rows = [
        (label, *map(count, figures))
        for label, side in (("base", result.base), ("current", result.current))
        if side is not None
        for figures in [(side.rows, side.null_keys, side.duplicate_keys, side.duplicate_rows, side.compared)]
    ]
    told = (
        f"{count(result.common)} on both sides: {count(result.common - result.changed)} equal, "
        f"{count(result.changed)} changed · {count(result.added)} added · {count(result.removed)} removed"
    )
    return f"{md_table(titles, rows, right=range(1, 6))}\n{told}"


def _only(base_only: Sequence[str], current_only: Sequence[str]) -> Iterable[str]:
    for mark, side, names in ((REMOVED, "base", base_only), (ADDED, "current", current_only)):
        if names:
            yield f"{mark} only in {side}: {names_code(names)}"


def names_code(names: Sequence[str], shown: int = COLUMNS_SHOWN) -> str:
    """The first of *names* in code, and how many more there are."""
    rest = _more(len(names) - shown, "")
    return ", ".join(code(name, 60) for name in names[:shown]) + (f" {rest.rstrip()}" if rest else "")


def _column_row(column: ColumnValues) -> Sequence[str]:
    types = type_phrase(column)
    return (
        code(column.name),
        percent(column.match_share),
        count(column.mismatched),
        count(column.null_to_value) if column.null_to_value else "",
        count(column.value_to_null) if column.value_to_null else "",
        *difference_figures(column),
        code(types) if types else "",
    )


def _examples(result: ValueDiff, columns: Sequence[ColumnValues]) -> str:
    """The first examples of every column in turn, so that one column does not take all places."""
    each = max(ROWS_SHOWN // max(len(columns), 1), 2)
    found = list(chain.from_iterable([(column, one) for one in column.examples[:each]] for column in columns))
    rows = [
        (code(column.name), *map(value_code, one.key), *_pair(one.base, one.current))
        for column, one in found[: 2 * ROWS_SHOWN]
        if len(one.key) == len(result.key)
    ]
    return (
        md_table(["column", *(code(name, 60) for name in result.key), "base", "current"], rows)
        if rows
        else ""
    )


def _detail(result: ValueDetail) -> Iterable[str]:
    yield _facts(key_phrase(result), narrowed_by(result))
    yield from _only(result.base_only, result.current_only)
    yield from _rows_table(result.key, result.columns, result.rows)
    yield _cut(len(result.rows), is_cut=result.is_cut, limit=result.limit)


def _rows(result: RowsDiff) -> Iterable[str]:
    facts = [
        f"{count(result.base_rows)} → {count(result.current_rows)} rows",
        f"{count(result.common)} in both",
    ]
    facts += [f"{count(result.added)} added", f"{count(result.removed)} removed"]
    yield " · ".join([*facts, *(code(one, 200) for one in narrowed_by(result))])
    yield from _only(result.base_only, result.current_only)
    if result.incomparable:
        yield f"Not compared: {names_code(result.incomparable)}"
    yield from _rows_table((), result.columns, result.rows)
    yield _cut(len(result.rows), is_cut=result.is_cut, limit=result.limit)


def _cut(total: int, *, is_cut: bool, limit: int) -> str:
    if is_cut:
        return f"More rows differ than the {limit:,} that were asked for."
    return _more(total - ROWS_SHOWN, "rows")


def _rows_table(key: Sequence[str], columns: Sequence[str], rows: Sequence[DetailRow]) -> Iterable[str]:
    """The first rows; of many columns those with a difference, since a table is only read when it fits."""
    if not rows:
        return
    shown = list(range(len(columns)))
    if len(shown) > COLUMNS_SHOWN:
        differing = {index for row in rows[:ROWS_SHOWN] for index in _differing(row)}
        shown = sorted(shown, key=lambda index: (index not in differing, index))[:COLUMNS_SHOWN]
        shown.sort()
    counted = any(times(row) for row in rows[:ROWS_SHOWN])
    titles = ["", *(code(name, 60) for name in key), *(code(columns[index], 60) for index in shown)]
    lines = []
    for row in rows[:ROWS_SHOWN]:
        cells = [_cell(row, index) for index in shown]
        keys = [value_code(value) for value in row.key[: len(key)]]
        keys += [""] * (len(key) - len(keys))
        lines.append([_MARKS.get(row.status, CHANGED), *keys, *cells, *([times(row)] if counted else [])])
    yield md_table([*titles, *(["times"] if counted else [])], lines)
    yield _more(len(columns) - len(shown), "columns")


def _differing(row: DetailRow) -> Iterable[int]:
    if row.base is None or row.current is None:
        return []
    pairs = zip(row.base, row.current, strict=False)
    return [index for index, (before, after) in enumerate(pairs) if not are_same(before, after)]


def _cell(row: DetailRow, index: int) -> str:
    before = row.base[index] if row.base is not None and index < len(row.base) else None
    after = row.current[index] if row.current is not None and index < len(row.current) else None
    if row.base is None or row.current is None:
        return value_code(after if row.base is None else before)
    return value_code(after) if are_same(before, after) else " → ".join(_pair(before, after))


def _query(result: QueryDiff) -> Iterable[str]:
    single = single_side(result)
    if single is not None:
        yield _sql(result.base_sql or result.current_sql)
        rows = plain_rows(single)
        yield md_table(
            [code(name, 60) for name in single.columns[:COLUMNS_SHOWN]],
            [[code(cell, 60) for cell in row[:COLUMNS_SHOWN]] for row in rows[:ROWS_SHOWN]],
        )
        yield _more(len(single.columns) - COLUMNS_SHOWN, "columns")
        yield _more(len(rows) - ROWS_SHOWN, "rows")
        return
    if result.base_sql == result.current_sql:
        yield _sql(result.current_sql)
    else:
        yield f"Base\n\n{_sql(result.base_sql)}"
        yield f"Current\n\n{_sql(result.current_sql)}"
    for part in (result.values, result.detail, result.rows):
        if part is not None:
            yield result_markdown(part)


def _sql(sql: str) -> str:
    lines = sql.splitlines()
    shown = [shorten(line, SQL_WIDTH) for line in lines[:SQL_LINES]]
    return fenced([*shown, *([_more(len(lines) - SQL_LINES, "lines")] * (len(lines) > SQL_LINES))], "sql")


def _profile(result: ProfileDiff) -> Iterable[str]:
    for side, kept_at in (("Base", result.base_kept_at), ("Current", result.current_kept_at)):
        if kept_at:
            yield f"{side} is {kept_phrase(kept_at)}."
    rows = []
    for column in filter(column_differs, result.columns):
        telling = [metric for metric in metrics_of(column) if metric.differs]
        for index, metric in enumerate(telling):
            name = "" if index else code(column.name)
            rows.append((name, metric.name, _figure(metric.base), _figure(metric.current)))
    yield md_table(["column", "", "base", "current"], rows[:LINES_SHOWN]) if rows else ""
    yield _more(len(rows) - LINES_SHOWN, "figures")
    same = [column.name for column in result.columns if not column_differs(column)]
    yield f"Same figures: {names_code(same)}" if same else ""


def _figure(text: str) -> str:
    return code(text) if text else UNKNOWN


def _drawn(result: TopKDiff | HistogramDiff) -> Iterable[str]:
    """Bars stand in a block of code, where they are aligned."""
    drawn = (
        top_k_lines(result, DRAWING_WIDTH)
        if isinstance(result, TopKDiff)
        else histogram_lines(result, DRAWING_WIDTH)
    )
    lines = render(drawn, width=DRAWING_WIDTH, color=False).splitlines()
    yield fenced([line[2:] for line in lines[: 2 * LINES_SHOWN]], "text") if lines else ""
    yield _more(len(lines) - 2 * LINES_SHOWN, "lines")


def _failed(result: Failed) -> Iterable[str]:
    yield prose(shorten(result.error, 2_000))
    yield f"Hint: {prose(shorten(result.hint, 500))}" if result.hint else ""


_BODIES: dict[type, Callable[[Any], Iterable[str]]] = {
    RowCountDiff: _row_counts,
    SchemaDiff: _schema,
    ValueDiff: _values,
    ValueDetail: _detail,
    RowsDiff: _rows,
    QueryDiff: _query,
    ProfileDiff: _profile,
    TopKDiff: _drawn,
    HistogramDiff: _drawn,
    Failed: _failed,
    NotCompared: lambda _result: (),
}
