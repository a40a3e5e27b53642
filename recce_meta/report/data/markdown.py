"""Results of data diffs as Markdown: a table of nodes, and a fold for each diff with details.

If the text is too long, the least important folds are left out, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from recce_meta.errors import plural
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
from recce_meta.models.run import RunChoice
from recce_meta.report.data.figures import compared_figures, differing_columns
from recce_meta.report.data.summary import (
    ASPECTS,
    NodeSummary,
    by_severity,
    count_order,
    data_verdict,
    named_nodes,
    summarise_nodes,
)
from recce_meta.report.data.text import (
    COLUMN_TITLES,
    SIDE_TITLES,
    WithRows,
    column_figures,
    plain_rows,
    rows_phrases,
    schema_phrase,
    shown_values,
    side_figures,
    telling_columns,
    times,
    type_phrase,
)
from recce_meta.report.data.text_columns import histogram_lines, top_k_lines
from recce_meta.report.data.verdicts import (
    SIGNS,
    Outcome,
    columns_phrase,
    equal_figures,
    equal_names,
    equal_phrase,
    explanations,
    figures_phrase,
    has_odd_keys,
    key_phrase,
    match_phrases,
    reasons_of,
    saved_sides,
    single_side,
    split_columns,
    subject_of,
    title_of,
    unread_columns,
    unread_phrase,
    verdict,
)
from recce_meta.report.markdown import MAX_CHARS, first_fitting, fold, omission_note
from recce_meta.report.run_choice import choice_markdown
from recce_meta.report.terminal import (
    code,
    code_block,
    html_code,
    md_table,
    prose,
    render,
    shorten,
)
from recce_meta.report.values import (
    UNKNOWN,
    cell_text,
    change_percent,
    count,
    pair_text,
    signed_count,
)
from recce_meta.tables.gaps import count_gap, narrowed_by, stale_phrase

ROWS_SHOWN = 10
"""Maximum number of examples, and of rows that differ."""
MARKDOWN_COLUMNS_SHOWN = 12
LINES_SHOWN = 40
"""Maximum rows of a table with one row per node or column."""
DRAWING_WIDTH = 96
SQL_LINES = 30
SQL_WIDTH = 160
ADDED, REMOVED, CHANGED = "🟢", "🔴", "🟡"
_MARKS = {"added": ADDED, "removed": REMOVED}


def result_markdown(result: AnyDataDiff) -> str:
    """Return the details of *result*, without its verdict."""
    parts = [part for part in _BODIES[type(result)](result) if part]
    parts += ["".join(f"- {prose(note)}\n" for note in result.notes)] if result.notes else []
    return "\n\n".join(part.rstrip("\n") for part in parts)


def value_codes(*values: Value) -> list[str]:
    """Return a cell, or both of a pair, as code; NULL is not code, unlike the text `NULL`."""
    texts = pair_text(*values) if len(values) > 1 else map(cell_text, values)
    return ["NULL" if value is None else code(text) for value, text in zip(values, texts, strict=True)]


def _more(hidden: int, what: str) -> str:
    return f"… and {hidden:,} more {what}" if hidden > 0 else ""


def _row_counts(result: RowCountDiff) -> Iterable[str]:
    counts = sorted(result.counts, key=count_order)
    rows = [
        (
            code(one.subject.name),
            count(one.base),
            count(one.current),
            signed_count(one.delta),
            change_percent(one.change),
            prose(reasons_of(one)),
        )
        for one in counts[:LINES_SHOWN]
    ]
    yield md_table(["node", "base", "current", "change", "", ""], rows, right=range(1, 5)) if rows else ""
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
    yield from _only(result)
    yield from (f"{label} {code(phrase, 300)}" for label, phrase in explanations(result))
    telling, equal = split_columns(result)
    if telling:
        yield columns_phrase(result)
        rows = [
            (
                code(column.name),
                *column_figures(column),
                code(types) if (types := type_phrase(column)) else "",
            )
            for column in telling[:LINES_SHOWN]
        ]
        yield md_table(["column", *COLUMN_TITLES, ""], rows, right=range(1, 7))
        yield _more(len(telling) - LINES_SHOWN, "columns")
        yield _examples(result, telling)
    if equal and result.common:
        yield f"{equal_phrase(result)}: {names_code(equal_names(result))}"


def _facts(key: str, others: Sequence[str]) -> str:
    return " · ".join(code(fact, 200) for fact in (key, *others))


def _sides(result: ValueDiff) -> str:
    facts = " · ".join(match_phrases(result))
    if not has_odd_keys(result):
        return facts
    return f"{md_table(SIDE_TITLES, side_figures(result), right=range(1, 6))}\n{facts}"


def _only(result: WithRows) -> Iterable[str]:
    for mark, side, names in ((REMOVED, "base", result.base_only), (ADDED, "current", result.current_only)):
        if names:
            yield f"{mark} only in {side}: {names_code(names)}"


def names_code(names: Sequence[str], shown: int = MARKDOWN_COLUMNS_SHOWN) -> str:
    """Return the first of *names* as code, followed by the number of the rest."""
    rest = _more(len(names) - shown, "")
    return ", ".join(code(name, 60) for name in names[:shown]) + (f" {rest.rstrip()}" if rest else "")


def _examples(result: ValueDiff, columns: Sequence[ColumnValues]) -> str:
    """Return examples of every column in turn, so that one column does not take all rows."""
    each = max(ROWS_SHOWN // len(columns), 2)
    examples = [(column, example) for column in columns for example in column.examples[:each]]
    rows = [
        (code(column.name), *_key(example.key), *value_codes(example.base, example.current))
        for column, example in examples[: 2 * ROWS_SHOWN]
        # Without values, keys are removed as well.
        if len(example.key) == len(result.key)
    ]
    titles = ["column", *(code(name, 60) for name in result.key), "base", "current"]
    return md_table(titles, rows) if rows else ""


def _key(key: Sequence[Value]) -> list[str]:
    return [text for value in key for text in value_codes(value)]


def _detail(result: ValueDetail) -> Iterable[str]:
    yield _facts(key_phrase(result), narrowed_by(result))
    yield from _only(result)
    yield from _rows_table(result.key, result.columns, result.rows)
    yield _cut(result)


def _rows(result: RowsDiff) -> Iterable[str]:
    yield " · ".join([*rows_phrases(result), *(code(one, 200) for one in narrowed_by(result))])
    yield from _only(result)
    if result.incomparable:
        yield f"{plural(len(result.incomparable), 'column')} not compared: {names_code(result.incomparable)}"
    columns, rows, left_out = telling_columns(result)
    yield from _rows_table((), columns, rows)
    yield left_out
    yield _cut(result)


def _cut(result: ValueDetail | RowsDiff) -> str:
    if result.is_cut:
        return f"More rows differ than the {result.limit:,} shown."
    return _more(len(result.rows) - ROWS_SHOWN, "rows")


def _rows_table(key: Sequence[str], columns: Sequence[str], rows: Sequence[DetailRow]) -> Iterable[str]:
    """Yield a table of the first rows; if there are many columns, those with differences."""
    if not rows:
        return
    values = [shown_values(row) for row in rows[:ROWS_SHOWN]]
    shown = list(range(len(columns)))
    if len(shown) > MARKDOWN_COLUMNS_SHOWN:
        # A wide table would not fit, and columns without a difference say nothing.
        differing = {index for cells in values for index, cell in enumerate(cells) if len(cell) > 1}
        shown.sort(key=lambda index: index not in differing)
        # Back to the order of the relation.
        shown = sorted(shown[:MARKDOWN_COLUMNS_SHOWN])
    lines = []
    for row, cells in zip(rows, values, strict=False):
        keys = _key(row.key[: len(key)])
        keys += [""] * (len(key) - len(keys))
        own = [" → ".join(value_codes(*cells[index])) if index < len(cells) else "" for index in shown]
        lines.append([_MARKS.get(row.status, CHANGED), *keys, *own, times(row)])
    names = (code(name, 60) for name in (*key, *(columns[index] for index in shown)))
    yield md_table(["", *names, "times"], lines)
    yield _more(len(columns) - len(shown), "columns")


def _query(result: QueryDiff) -> Iterable[str]:
    single = single_side(result)
    if single is not None:
        yield _sql(result.base_sql or result.current_sql)
        rows = plain_rows(single)
        titles = [code(name, 60) for name in single.columns[:MARKDOWN_COLUMNS_SHOWN]]
        cells = [[code(cell, 60) for cell in row[:MARKDOWN_COLUMNS_SHOWN]] for row in rows[:ROWS_SHOWN]]
        yield md_table(titles, cells) if cells else ""
        yield _more(len(single.columns) - MARKDOWN_COLUMNS_SHOWN, "columns")
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
    return code_block([*shown, *([_more(len(lines) - SQL_LINES, "lines")] * (len(lines) > SQL_LINES))], "sql")


def _profile(result: ProfileDiff) -> Iterable[str]:
    for side, saved in saved_sides(result).items():
        yield f"{side.capitalize()} was {saved}."
    rows = []
    for column in differing_columns(result):
        telling = [metric for metric in compared_figures(column) if metric.differs]
        for index, metric in enumerate(telling):
            name = "" if index else code(column.name)
            rows.append((name, metric.name, _figure(metric.base), _figure(metric.current)))
    yield md_table(["column", "figure", "base", "current"], rows[:LINES_SHOWN]) if rows else ""
    yield _more(len(rows) - LINES_SHOWN, "figures")
    unread = unread_columns(result)
    yield f"{unread_phrase(unread)}: {names_code(unread)}" if unread else ""
    same = equal_figures(result)
    yield f"{figures_phrase(result, len(same))}: {names_code(same)}" if same else ""


def _figure(text: str) -> str:
    return code(text) if text else UNKNOWN


def _drawn(result: TopKDiff | HistogramDiff) -> Iterable[str]:
    """Yield the bars in a code block, which aligns them."""
    drawn = (
        top_k_lines(result, DRAWING_WIDTH)
        if isinstance(result, TopKDiff)
        else histogram_lines(result, DRAWING_WIDTH)
    )
    lines = render(drawn, width=DRAWING_WIDTH, color=False).splitlines()
    # Without the indent for a terminal.
    yield code_block([line[2:] for line in lines[: 2 * LINES_SHOWN]], "text") if lines else ""
    yield _more(len(lines) - 2 * LINES_SHOWN, "lines")


def _failed(result: Failed) -> Iterable[str]:
    yield prose(shorten(result.error, 2_000))
    yield f"Hint: {prose(shorten(result.hint, 500))}" if result.hint else ""


_BODIES: dict[type, Callable[[Any], Iterable[str]]] = {
    Failed: _failed,
    ValueDiff: _values,
    QueryDiff: _query,
    RowsDiff: _rows,
    SchemaDiff: _schema,
    ValueDetail: _detail,
    RowCountDiff: _row_counts,
    ProfileDiff: _profile,
    TopKDiff: _drawn,
    HistogramDiff: _drawn,
    NotCompared: lambda _result: (),
}
"""Bodies by type of result, the most important first."""

NODES_SHOWN = 40
VERDICT_WIDTH = 160
NAME_WIDTH = 80


class Fold(NamedTuple):
    """Folded text; folds with the highest rank are left out first."""

    rank: int
    text: str


def data_markdown(
    results: Sequence[AnyDataDiff],
    choice: RunChoice | None = None,
    *,
    max_chars: int = MAX_CHARS,
    details: bool = False,
) -> str:
    """Return *results* and the *choice* of runs in at most *max_chars* characters (at least 8,000).

    With *details*, equal nodes have a row and a fold as well.
    """
    nodes = summarise_nodes(results)
    outcome, phrase = data_verdict(nodes)
    text = (
        f"### {SIGNS[outcome]} {phrase[:1].upper()}{phrase[1:]}\n" if nodes else "### No data was compared\n"
    )
    text += choice_markdown(choice)
    text += nodes_section(nodes, max_chars // 3, details=details)
    return text + fit_folds(result_folds(results, details=details), max_chars - len(text))


def nodes_section(nodes: Sequence[NodeSummary], room: int, *, details: bool = False) -> str:
    """Return the table of nodes, and the nodes without a difference by claim."""
    telling = [node for node in nodes if details or node.outcome is not Outcome.EQUAL]
    shown = [aspect for aspect in ASPECTS if any(aspect in node.aspects for node in telling)]
    rows = [_row(node, shown) for node in (telling if details else telling[:NODES_SHOWN])]
    text = ""
    if rows:
        head = md_table(["", "node", *shown], [], is_whole=True)
        # The rest is for the sentence about omissions and the equal nodes.
        included = first_fitting(rows, room - len(head) - 600)
        text = "\n" + head + "".join(included)
        hidden = len(telling) - len(included)
        text += omission_note(plural(hidden, "more node")) if hidden else ""
    for outcome, phrase, names in named_nodes(nodes):
        listed = names_code(names, 8)
        text += f"\n{SIGNS[outcome]} {prose(phrase)}{f': {listed}' if len(listed) <= room // 4 else ''}\n"
    return text


def _row(node: NodeSummary, aspects: Sequence[str]) -> str:
    stale = prose(stale_phrase(node.subject))
    cells = [SIGNS[node.outcome], "<br>".join(filter(None, (code(node.subject.name, NAME_WIDTH), stale)))]
    for aspect in aspects:
        texts = [prose(shorten(found.text, VERDICT_WIDTH)) for found in node.aspects.get(aspect, ())]
        cells.append("<br>".join(texts))
    return f"| {' | '.join(cells)} |\n"


def result_folds(results: Sequence[AnyDataDiff], of: str = "", *, details: bool = False) -> list[Fold]:
    """Return a fold for each result with a difference, in the order of the table; *of* prefixes titles.

    With *details*, equal results have a fold as well.
    """
    lead = f"{prose(of)} · " if of else ""
    folds = []
    for result in by_severity(results):
        found = verdict(result)
        # The table of nodes has the counts, but not notes, and reasons of failures are cut in it.
        is_told = isinstance(result, RowCountDiff) and not (
            result.notes or any(map(count_gap, result.counts))
        )
        is_telling = details or not (is_told or found.outcome is Outcome.EQUAL)
        if is_telling and not isinstance(result, NotCompared):
            subject = subject_of(result)
            name = f"{html_code(subject.name, NAME_WIDTH)} · " if subject else ""
            kind = title_of(result)
            title = "" if isinstance(result, Failed) or kind == (subject and subject.name) else kind
            text = f"{name}{prose(': '.join(filter(None, (title, shorten(found.text, VERDICT_WIDTH)))))}"
            folds.append(Fold([*_BODIES].index(type(result)), fold(lead + text, result_markdown(result))))
    return folds


def fit_folds(folds: Sequence[Fold], room: int) -> str:
    """Return the most important of *folds* that fit *room*, in their order, and how many are left out."""
    # Reserved for the sentence about omissions.
    room -= 120
    included: set[int] = set()
    for index in sorted(range(len(folds)), key=lambda index: folds[index].rank):
        if len(folds[index].text) <= room:
            included.add(index)
            room -= len(folds[index].text)
    hidden = len(folds) - len(included)
    text = omission_note(plural(hidden, "detail")) if hidden else ""
    return "".join(folds[index].text for index in sorted(included)) + text
