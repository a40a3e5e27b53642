"""Code of both sides in two columns, with line numbers, and marks where two lines differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from html import unescape
from itertools import accumulate
from typing import NamedTuple

from markupsafe import Markup, escape

from recce_meta.redaction import neutralise
from recce_meta.report.diff_details import CONTEXT, Region, changed_regions, code_lines
from recce_meta.report.terminal import shorten

LINE_WIDTH = 400
"""Number of characters of a line; code with longer lines is not highlighted."""

ALIKE = 0.4
"""Share of common words above which two lines are marked: else the marks would cover nearly all of them."""
_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)
_PIECE = re.compile(r"<[^>]*>|&[^;]*;|[^<&]", re.DOTALL)
"""Tag, escaped character, or character of HTML."""

Highlight = Callable[[str], Markup]
"""Function that returns code as HTML, with as many lines as the code."""


class CodeLine(NamedTuple):
    """Line of one side."""

    number: int
    """Line number from 1."""
    html: Markup


class CodeRow(NamedTuple):
    """Row of the table: lines of both sides, or a gap of unchanged lines that are not shown."""

    base: CodeLine | None
    current: CodeLine | None
    is_changed: bool = False
    gap: int = 0
    """Number of unchanged lines that are not shown; the row then has no lines."""


class CodeDiff(NamedTuple):
    """Diff of one text."""

    rows: Sequence[CodeRow]
    hidden: int
    """Number of further rows that are not shown."""


def side_by_side(
    base: str | None,
    current: str | None,
    highlight: Highlight,
    *,
    most: int,
    context: int | None = CONTEXT,
) -> CodeDiff:
    """Return the first *most* rows of *base* and *current* in two columns.

    Changed lines have *context* unchanged lines around them; None shows all lines.
    """
    old, new = code_lines(base), code_lines(current)
    regions = changed_regions(old, new)
    left, right = shown_lines(old, highlight), shown_lines(new, highlight)
    rows = list(_rows(regions, left, right, context))
    return CodeDiff(rows[:most], max(0, len(rows) - most))


def shown_lines(lines: list[str], highlight: Highlight) -> list[Markup]:
    """Return *lines* as highlighted HTML; plain if a line is too long for it."""
    if all(len(line) <= LINE_WIDTH for line in lines):
        found = highlight("\n".join(lines)).split("\n")
        # A highlighter may add a line break at the end; otherwise lines would not match their numbers.
        if len(lines) <= len(found) <= len(lines) + 1:
            return found[: len(lines)]
    return [escape(neutralise(shorten(line, LINE_WIDTH), keep="\t")) for line in lines]


def _rows(
    regions: Sequence[Region], left: Sequence[Markup], right: Sequence[Markup], context: int | None
) -> Iterator[CodeRow]:
    # No change precedes the first lines, so they are context of none.
    position, after = 0, 0
    shift = 0
    for region in regions:
        yield from _equal(position, region.base_start, shift, left, right, (after, context))
        yield from _changed(region, left, right)
        position, after = region.base_end, context or 0
        shift = region.current_end - region.base_end
    # No change follows, so the end of the file is context of none.
    end = (after, 0 if context is not None else None)
    yield from _equal(position, len(left), shift, left, right, end)


def _equal(
    start: int,
    end: int,
    shift: int,
    left: Sequence[Markup],
    right: Sequence[Markup],
    kept: tuple[int, int | None],
) -> Iterator[CodeRow]:
    """Yield the unchanged lines *start* to *end*: the first and the last *kept*, and a gap in between.

    None keeps all lines. *shift* is added to a line of base to get that of current.
    """
    first, last = kept
    if last is None or end - start <= first + last:
        shown = [*range(start, end)]
    else:
        shown = [*range(start, start + first), -1, *range(end - last, end)]
    for line in shown:
        if line < 0:
            yield CodeRow(None, None, gap=end - start - first - (last or 0))
        else:
            yield CodeRow(CodeLine(line + 1, left[line]), CodeLine(line + shift + 1, right[line + shift]))


def _changed(region: Region, left: Sequence[Markup], right: Sequence[Markup]) -> Iterator[CodeRow]:
    size = max(region.base_end - region.base_start, region.current_end - region.current_start)
    for offset in range(size):
        old, new = region.base_start + offset, region.current_start + offset
        if old < region.base_end and new < region.current_end:
            base, current = marked(left[old], right[new])
            yield CodeRow(CodeLine(old + 1, base), CodeLine(new + 1, current), is_changed=True)
        elif old < region.base_end:
            yield CodeRow(CodeLine(old + 1, left[old]), None, is_changed=True)
        else:
            yield CodeRow(None, CodeLine(new + 1, right[new]), is_changed=True)


def marked(base: Markup, current: Markup) -> tuple[Markup, Markup]:
    """Return two lines with `<mark>` around words that differ; unchanged if they have little in common."""
    old, new = _words(base), _words(current)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < ALIKE:
        return base, current
    equal = matcher.get_matching_blocks()
    return (
        _with_marks(base, old, {place for first, _, size in equal for place in range(first, first + size)}),
        _with_marks(
            current, new, {place for _, first, size in equal for place in range(first, first + size)}
        ),
    )


def _words(line: Markup) -> list[str]:
    # From the HTML, because it may show other characters than the code: control characters are neutralised.
    return _WORD.findall(unescape(re.sub(r"<[^>]*>", "", line)))


def _with_marks(line: Markup, words: Sequence[str], equal: set[int]) -> Markup:
    """Return *line* with `<mark>` around its *words* except those at *equal*; a mark ends before each tag."""
    ends = list(accumulate(map(len, words)))
    differing = {
        place
        for number, end in enumerate(ends)
        if number not in equal
        for place in range(end - len(words[number]), end)
    }
    parts: list[str] = []
    place, is_open = 0, False
    for piece in _PIECE.findall(line):
        is_tag = piece.startswith("<")
        if is_open != (is_wanted := not is_tag and place in differing):
            parts.append("<mark>" if is_wanted else "</mark>")
            is_open = is_wanted
        parts.append(piece)
        place += not is_tag
    # The parts are those of the line, which is escaped, and our own tags.
    return Markup("".join(parts) + "</mark>" * is_open)
