"""Code of both sides in two columns, with line numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from recce_meta.redaction import neutralise
from recce_meta.report.diff_details import CONTEXT, Region, changed_regions, code_lines
from recce_meta.report.terminal import shorten

LINE_WIDTH = 400
"""Number of characters of a line; code with longer lines is not highlighted."""

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
        yield CodeRow(
            CodeLine(old + 1, left[old]) if old < region.base_end else None,
            CodeLine(new + 1, right[new]) if new < region.current_end else None,
            is_changed=True,
        )
