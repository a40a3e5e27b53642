"""Tables for a terminal that fit its width: aligned columns, and wide ones give way first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from textwrap import wrap

from recce_meta.report.characters import display_width, neutralise, one_line, shorten
from recce_meta.report.terminal import Line, Span, Style

GAP = 2
INDENT = 2
LEAST_TEXT = 20
LEAST_COLUMN = 8
LEAST_FIGURE = 16
"""Cells below which a column, and one of figures, is not narrowed; rather the line is cut."""


def heads(*names: str) -> list[Span]:
    """A row of headings."""
    return [Span(name, Style.DIM) for name in names]


def grid(
    rows: Sequence[Sequence[Span]], *, width: int, right: Collection[int] = (), indent: int = INDENT
) -> list[Line]:
    """*rows*, the first of which is the heading, as aligned lines of at most *width* cells (0: any).

    Columns of which every cell below the heading is empty are left out. Those in *right* are aligned to the
    right, and the last to give way, since half a figure is worse than none.
    """
    shown, sizes = _measured(rows)
    if width:
        room = width - indent - GAP * (len(sizes) - 1)
        sizes = _narrowed(sizes, room, LEAST_COLUMN, [index not in right for index in shown])
        sizes = _narrowed(sizes, room, LEAST_FIGURE, [True] * len(sizes))
    return [
        _line([row[index] for index in shown], sizes, [index in right for index in shown], indent)
        for row in rows
    ]


def wrapped(lead: Span, text: str, width: int, style: Style = Style.PLAIN) -> list[Line]:
    """*text* behind *lead* in lines of *width* cells (0: one line), each indented as far as the first."""
    indent = display_width(lead.text)
    clean = neutralise(one_line(text))
    pieces = wrap(clean, width - indent) if width - indent >= LEAST_TEXT else [clean]
    rest = [(Span(" " * indent), Span(piece, style)) for piece in pieces[1:]]
    return [(lead, Span(pieces[0] if pieces else "", style)), *rest]


def natural_width(rows: Sequence[Sequence[Span]], indent: int = INDENT) -> int:
    """The cells that `grid` takes when nothing gives way."""
    sizes = _measured(rows)[1]
    return indent + sum(sizes) + GAP * (len(sizes) - 1)


def _measured(rows: Sequence[Sequence[Span]]) -> tuple[list[int], list[int]]:
    """Which columns have anything to show, and how wide they are."""
    columns = list(zip(*rows, strict=True))
    sizes = [max(display_width(neutralise(cell.text)) for cell in column) for column in columns]
    shown = [index for index, column in enumerate(columns) if any(cell.text for cell in column[1:])]
    return shown, [sizes[index] for index in shown]


def _narrowed(sizes: list[int], room: int, least: int, may_give: Sequence[bool]) -> list[int]:
    """*sizes* with the widest cut to one limit, so that together they take *room*.

    >>> _narrowed([4, 30, 50], 44, 8, [True] * 3)
    [4, 20, 20]
    """
    excess = sum(sizes) - room
    givers = [size for size, gives in zip(sizes, may_give, strict=True) if gives]
    limit = max(givers, default=0)
    while excess > 0 and limit > least:
        limit -= 1
        excess -= sum(size > limit for size in givers)
    return [min(size, limit) if gives else size for size, gives in zip(sizes, may_give, strict=True)]


def _line(cells: Sequence[Span], sizes: Sequence[int], is_right: Sequence[bool], indent: int) -> Line:
    spans = [Span(" " * indent)]
    for cell, size, right in zip(cells, sizes, is_right, strict=True):
        text = shorten(neutralise(cell.text), size)
        blank = Span(" " * (size - display_width(text)))
        shown = Span(text, cell.style)
        spans += [blank, shown] if right else [shown, blank]
        spans.append(Span(" " * GAP))
    return spans[:-1]
