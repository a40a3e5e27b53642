"""Lines for a terminal.

A line is a sequence of spans, and `render` is the only way from spans to text. It neutralises every
span, so nothing that comes from a project can colour, move or clear anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from recce_meta.report.characters import display_width, neutralise, shorten

COLUMN_CAP = 40
"""Longer cells push their own row to the right rather than every row."""


class Style(str, Enum):
    """ECMA-48 `SGR` parameters."""

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


class Span(NamedTuple):
    """A piece of a line in one style."""

    text: str
    style: Style = Style.PLAIN


Line: TypeAlias = Sequence[Span]
BLANK: Line = ()


def plain(text: str) -> Line:
    """A line in one piece, without style."""
    return (Span(text),)


def render(lines: Iterable[Line], *, width: int, color: bool) -> str:
    """The text of *lines*, each cut to *width* cells (0: never cut), with a final line end."""
    return "".join(f"{_render_line(line, width, color)}\n" for line in lines)


def _render_line(line: Line, width: int, color: bool) -> str:
    spans = [Span(neutralise(span.text), span.style) for span in line]
    if width and sum(display_width(span.text) for span in spans) > width:
        spans = _cut(spans, width)
    return "".join(_styled(span) if color else span.text for span in spans).rstrip()


def _cut(spans: list[Span], width: int) -> list[Span]:
    kept, room = [], width
    for span in spans:
        size = display_width(span.text)
        if size >= room:
            kept.append(Span(shorten(span.text + " ", room), span.style))
            break
        kept.append(span)
        room -= size
    return kept


def _styled(span: Span) -> str:
    return f"\x1b[{span.style.value}m{span.text}\x1b[0m" if span.style is not Style.PLAIN else span.text


def table(rows: Sequence[Sequence[Span]], *, indent: int = 2, gap: int = 2) -> list[Line]:
    """*rows* as aligned lines; a column that is empty in every row is left out."""
    if not rows:
        return []
    widths = [
        max(display_width(neutralise(cell.text)) for cell in column) for column in zip(*rows, strict=True)
    ]
    shown = [index for index, width in enumerate(widths) if width]
    padding = [min(widths[index], COLUMN_CAP) + gap for index in shown]
    return [_table_row([row[index] for index in shown], padding, indent) for row in rows]


def _table_row(cells: list[Span], padding: list[int], indent: int) -> Line:
    spans = [Span(" " * indent)]
    for cell, width in zip(cells, padding, strict=True):
        blank = width - display_width(neutralise(cell.text))
        spans += [cell, Span(" " * max(blank, 1))]
    return spans[:-1]
