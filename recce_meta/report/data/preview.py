"""Previews of edits as text: a sentence for each node, its columns that differ, and those that cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from recce_meta.errors import first_of, plural
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnValues,
    Failed,
    NotCompared,
    RowsDiff,
    SchemaDiff,
    ValueDiff,
)
from recce_meta.redaction import neutralise
from recce_meta.report.data.text import (
    ROWS_SHOWN,
    SUBJECT_WIDTH,
    body_lines,
    example_lines,
    note_lines,
    only_lines,
    row_lines,
    side_lines,
    type_phrase,
    why_lines,
    within_limit,
)
from recce_meta.report.data.verdicts import (
    has_odd_keys,
    is_retyped,
    split_columns,
    subject_of,
    value_phrases,
    verdict,
)
from recce_meta.report.labels import DETAILS, more_phrase
from recce_meta.report.terminal import Line, Span, Style, render, shorten, wrap_text
from recce_meta.report.values import count, difference_figures
from recce_meta.tables.gaps import narrowed_by

PREVIEW_COLUMNS_SHOWN = 20
_NAMED = 6
_CHANGES = ("mean change", "largest change")
NOT_BY_EDIT = "not by this edit"
"""Words of the note on rows that differ although the SQL proves that the edit leaves them the same."""
NOTHING_EDITED = "No file of a model differs from base, except in formatting"
NOTHING_SELECTED = "No edited or affected model is selected"
DOWNSTREAM = "--downstream"


class PreviewFacts(Struct, frozen=True, kw_only=True):
    """Facts of a report of previews in addition to the results."""

    base: str
    """Run of base, in words."""
    edited: Sequence[str]
    """Resource type of each edited node among the results."""
    is_edited: bool
    """True if any node is edited, selected or not."""
    notes: Sequence[str]
    proven: Mapping[str, frozenset[str]]
    """Columns that may differ, in lower case, of each node whose other columns cannot, by its SQL."""
    readers: Sequence[str]
    """Names of affected models that were not previewed."""


def preview_text(
    results: Sequence[AnyDataDiff], facts: PreviewFacts, *, width: int, color: bool, details: bool = False
) -> str:
    """Return the header, a block for each of *results*, and the readers that were not previewed."""
    kinds = Counter(facts.edited)
    edited = ", ".join(plural(number, f"edited {kind}") for kind, number in kinds.items()) or "nothing edited"
    lines = wrap_text(Span(""), f"base {facts.base} · {edited}, previewed, not built", width, Style.DIM)
    if not results:
        nothing = NOTHING_SELECTED if facts.is_edited else NOTHING_EDITED
        lines = wrap_text(Span(""), f"base {facts.base} · {nothing}", width)
    lines += note_lines(facts.notes, width)
    for result in results:
        lines += _block(result, facts, width, details=details)
    if facts.readers:
        number = plural(len(facts.readers), "reader")
        text = f"{number} affected: {first_of(facts.readers, _NAMED)} ({DOWNSTREAM})"
        lines += wrap_text(Span(""), text, width)
    return render(lines, width=0, color=color)


def _block(result: AnyDataDiff, facts: PreviewFacts, width: int, *, details: bool) -> list[Line]:
    subject = subject_of(result)
    assert subject is not None, "row counts alone are not previewed"
    lead = Span(f"{shorten(neutralise(subject.name), SUBJECT_WIDTH)} · ", Style.BOLD)
    body = body_lines(within_limit(result, details=details), width, details=details)
    if isinstance(result, Failed):
        return [*wrap_text(lead, result.error, width, Style.RED), *body]
    if isinstance(result, NotCompared):
        return [*wrap_text(lead, f"not previewed: {result.reason}", width, Style.YELLOW), *body]
    lines = wrap_text(lead, headline(result), width)
    if is_new(result):
        assert isinstance(result, RowsDiff), "the rows of a new node"
        rows = row_lines((), result.columns, result.rows if details else result.rows[:ROWS_SHOWN], width)
        return [*lines, *rows, *note_lines(result.notes, width)]
    if not isinstance(result, ValueDiff):
        return [*lines, *body]
    proven = facts.proven.get(subject.unique_id or "")
    return [*lines, *_value_lines(result, proven, width, details=details)]


def is_new(result: AnyDataDiff) -> bool:
    """Return True if base has no SQL of the node of *result*."""
    return isinstance(result, RowsDiff) and result.base_rows is None


def headline(result: AnyDataDiff) -> str:
    """Return `76 of 900 rows change (8.4%)`, or that rows differ not by this edit."""
    noise = next((note for note in result.notes if NOT_BY_EDIT in note), None)
    if noise is not None:
        return noise
    if isinstance(result, RowsDiff) and is_new(result):
        columns = plural(len(result.columns), "column")
        return f"new: {plural(result.current_rows or 0, 'row')}, {columns}"
    if isinstance(result, SchemaDiff) and all(one.status == "added" for one in result.columns):
        return f"new: {plural(len(result.columns), 'column')}"
    if isinstance(result, ValueDiff) and result.common and not value_phrases(result):
        return f"0 of {plural(result.common, 'row')} change"
    return verdict(result).text.replace(" changed", " change", 1)


def _value_lines(
    result: ValueDiff, proven: frozenset[str] | None, width: int, *, details: bool
) -> list[Line]:
    """Return the key, the columns that differ, with examples, and those that cannot."""
    moved = [f"{count(result.added)} added", f"{count(result.removed)} removed"]
    key = f"rows matched by {', '.join(result.key)}"
    facts = " · ".join([key, *moved, *narrowed_by(result)])
    lines = wrap_text(Span("  "), facts, width, Style.DIM)
    lines += side_lines(result, width) if has_odd_keys(result) else []
    lines += only_lines(result, width, details=details)
    lines += why_lines(result, width)
    telling, equal = split_columns(result)
    telling += filter(is_retyped, equal)
    equal = [one for one in equal if not is_retyped(one)]
    shown = telling if details else telling[:PREVIEW_COLUMNS_SHOWN]
    for column in shown:
        lines += wrap_text(Span(f"  {neutralise(column.name)}  ", Style.YELLOW), _figures(column), width)
        lines += example_lines(result.key, column.examples, details=details)
    if hidden := len(telling) - len(shown):
        lines.append((Span(f"  {more_phrase(hidden, hint=True, option=DETAILS)}", Style.DIM),))
    fixed = [] if proven is None else [one.name for one in equal if one.name.lower() not in proven]
    if fixed:
        number = plural(len(fixed), "column")
        names = f"the other {number}" if len(fixed) == len(equal) and telling else ", ".join(fixed)
        names = f"all {number}" if len(fixed) == len(result.columns) else names
        lines += wrap_text(Span("  "), f"cannot differ, by the SQL: {names}", width, Style.DIM)
    notes = [note for note in result.notes if NOT_BY_EDIT not in note]
    return [*lines, *note_lines(notes, width)]


def _figures(column: ColumnValues) -> str:
    """Return `76 different, mean change -31.7224, largest change 62.75`."""
    figures = difference_figures(column)
    words = [f"{name} {figure}" for name, figure in zip(_CHANGES, figures, strict=True) if figure]
    types = [found] if (found := type_phrase(column)) else []
    different = [f"{count(column.mismatched)} different"] if column.mismatched else []
    return ", ".join([*different, *words, *types])
