"""Text primitives of all formats: styled lines and tables, Markdown and Mermaid escaping, bars.

A line is a sequence of spans, and `render` is the only conversion from spans to text. It neutralises every
span, so nothing from a project can colour, move or clear the terminal. In Markdown, names and values from a
project are always code, where markup, mentions and references have no effect.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum
from itertools import zip_longest
from textwrap import wrap
from typing import NamedTuple, TypeAlias
from unicodedata import category, east_asian_width

import msgspec

from recce_meta.redaction import harmless_json, neutralise, without_colors

_ONE_CELL_EACH = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u0391-\u03a1\u03a3-\u0482"
                            "\u2010-\u2027\u2190-\u22ff\u2500-\u259f]*")  # fmt: skip
"""Letters, punctuation and drawings that take one cell each, so that most text needs no further look."""
_JOINER = "\u200d"
_EMOJI_STYLE = "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_KEYCAPS = "0123456789#*"


def pretty_json(document: object, *, is_sorted: bool = False) -> str:
    """Return *document* as indented JSON in which no character can control a terminal."""
    encoded = msgspec.json.encode(document, order="deterministic" if is_sorted else None)
    return harmless_json(msgspec.json.format(encoded, indent=2)).decode() + "\n"


def one_line(text: str) -> str:
    """Return a message of several lines as one.

    >>> one_line("connection refused" + chr(10) + "  Is the server running?")
    'connection refused Is the server running?'
    """
    return " ".join(line.strip() for line in text.splitlines()) if "\n" in text else text


def display_width(text: str) -> int:
    """Return the number of terminal cells that *text* takes, colours aside.

    >>> display_width("数据"), display_width("e\u0301"), display_width("\U0001f469\u200d\U0001f4bb")
    (4, 1, 2)
    """
    text = without_colors(text)
    if _ONE_CELL_EACH.fullmatch(text):
        return len(text)
    return sum(cells for _cluster, cells in _clusters(text))


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield what a terminal draws in one place, such as a letter with its accents, and its cells."""
    cluster, cells = "", 0
    for char in text:
        own = _cells(char)
        if cluster and (not own or _extends(cluster, cells, char)):
            cluster += char
            is_emoji = char == _EMOJI_STYLE and (cluster[0] in _KEYCAPS or not cluster[0].isalnum())
            cells = 2 if is_emoji or ord(char) in _FLAG_LETTERS else cells
        else:
            if cluster:
                yield cluster, cells
            cluster, cells = char, own
    if cluster:
        yield cluster, cells


def _extends(cluster: str, cells: int, char: str) -> bool:
    """Return True if *char*, which has a width, is drawn in the same place as *cluster*."""
    if ord(char) in _FLAG_LETTERS:
        return len(cluster) == 1 and ord(cluster) in _FLAG_LETTERS
    return cells == 2 and (ord(char) in _SKIN_TONES or cluster[-1] == _JOINER)


def _cells(char: str) -> int:
    """Return the cells of a character by itself: 0 for accents and Korean vowels, 2 if it is wide."""
    kind = category(char)
    if kind in ("Mn", "Me", "Cf") or "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff":
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """Return *text*, cut with an ellipsis if it takes more than *width* cells.

    >>> shorten("orders_daily", 8)
    'orders_…'
    """
    if display_width(text) <= width:
        return text
    # Each ASCII character takes one cell, so that no cluster has to be found.
    if text.isascii():
        return text[: max(width - 1, 0)] + "…"
    used, kept = 1, []
    for cluster, cells in _clusters(text):
        used += cells
        if used > width:
            break
        kept.append(cluster)
    return "".join(kept) + "…"


def fold_text(text: str, width: int) -> list[str]:
    """Return *text* in lines of at most *width* cells, broken at spaces if possible.

    >>> fold_text("数据库 of the shop", 8)
    ['数据库', 'of the', 'shop']
    """
    # `wrap` counts characters, which is only right if each takes one cell.
    if _ONE_CELL_EACH.fullmatch(text):
        return wrap(text, width)
    lines: list[str] = []
    used = 0
    for word in text.split():
        size = display_width(word)
        if lines and used + 1 + size <= width:
            lines[-1] += f" {word}"
            used += 1 + size
        elif size <= width:
            lines.append(word)
            used = size
        else:
            lines += _broken(word, width)
            used = display_width(lines[-1])
    return lines


def _broken(word: str, width: int) -> Iterator[str]:
    """Yield *word* in pieces of at most *width* cells, but at least one character."""
    piece, used = "", 0
    for cluster, cells in _clusters(word):
        if piece and used + cells > width:
            yield piece
            piece, used = "", 0
        piece += cluster
        used += cells
    yield piece


COLUMN_CAP = 40
"""A longer cell shifts the rest of its own row only."""


class Style(str, Enum):
    """Parameters of the ECMA-48 control function SGR."""

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


class Span(NamedTuple):
    """Part of a line in one style."""

    text: str
    style: Style = Style.PLAIN


Line: TypeAlias = Sequence[Span]
BLANK: Line = ()


def plain_line(text: str) -> Line:
    """Return a line of one unstyled span."""
    return (Span(text),)


def render(lines: Iterable[Line], *, width: int, color: bool) -> str:
    """Return *lines* as text, each cut to *width* cells (0: not cut), with a final line break."""
    return "".join(f"{_render_line(line, width, color)}\n" for line in lines)


def _render_line(line: Line, width: int, color: bool) -> str:
    # Before the styles are added, because those are control characters as well.
    spans = [Span(neutralise(span.text), span.style) for span in line]
    if width and sum(display_width(span.text) for span in spans) > width:
        spans = _cut(spans, width)
    return "".join(_styled(span) if color else span.text for span in spans).rstrip()


def _cut(spans: list[Span], width: int) -> list[Span]:
    kept, room = [], width
    for span in spans:
        size = display_width(span.text)
        if size >= room:
            # The blank makes `shorten` add its ellipsis even if this span alone fits.
            kept.append(Span(shorten(span.text + " ", room), span.style))
            break
        kept.append(span)
        room -= size
    return kept


def _styled(span: Span) -> str:
    return f"\x1b[{span.style.value}m{span.text}\x1b[0m" if span.style is not Style.PLAIN else span.text


GAP = 2
INDENT = 2
LEAST_TEXT = 20
LEAST_COLUMN = 8
LEAST_FIGURE = 16
"""Widths below which a column, and one of figures, is not narrowed; the line is cut instead."""
LEAST_FOLDED = 24
"""Width below which a column is not folded; the row becomes an entry of several lines instead."""


def table(rows: Sequence[Sequence[Span]], *, indent: int = INDENT, gap: int = GAP) -> list[Line]:
    """Return *rows* as aligned lines of any width; columns that are empty in every row are left out."""
    sizes = _widths(rows)
    shown = [index for index, size in enumerate(sizes) if size]
    sizes = [min(sizes[index], COLUMN_CAP) for index in shown]
    return [
        _row([row[index] for index in shown], sizes, [False] * len(sizes), indent=indent, gap=gap)
        for row in rows
    ]


def heading_row(*names: str) -> list[Span]:
    """Return a row of headings."""
    return [Span(name, Style.DIM) for name in names]


def grid(
    rows: Sequence[Sequence[Span]], *, width: int, right: Collection[int] = (), indent: int = INDENT
) -> list[Line]:
    """Return *rows* below the headings in their first row, as lines of at most *width* cells (0: no limit).

    Columns without values are left out. Columns in *right* are aligned to the right and narrowed last, since
    a truncated figure is misleading.
    """
    shown, sizes = _measured(rows)
    if width:
        room = width - indent - GAP * (len(sizes) - 1)
        # Texts give way before figures do.
        sizes = _narrowed(sizes, room, LEAST_COLUMN, [index not in right for index in shown])
        sizes = _narrowed(sizes, room, LEAST_FIGURE, [True] * len(sizes))
    is_right = [index in right for index in shown]
    lines = []
    for row in rows:
        cells = [row[index] for index in shown]
        fitting = [
            Span(shorten(neutralise(cell.text), size), cell.style)
            for cell, size in zip(cells, sizes, strict=True)
        ]
        lines.append(_row(fitting, sizes, is_right, indent=indent, gap=GAP))
    return lines


def folded_grid(
    rows: Sequence[Sequence[Span]], *, width: int, right: Collection[int] = (), indent: int = INDENT
) -> list[Line]:
    """Return `grid`, with cells folded into several lines rather than cut.

    If the columns would be too narrow, each row becomes an entry: its first cell, and below it every other
    cell after its heading.
    """
    shown, sizes = _measured(rows)
    room = width - indent - GAP * (len(sizes) - 1)
    if not width or sum(sizes) <= room:
        return grid(rows, width=width, right=right, indent=indent)
    sizes = _narrowed(sizes, room, LEAST_FOLDED, [index not in right for index in shown])
    if sum(sizes) > room:
        return [line for row in rows[1:] for line in _entry(rows[0], row, shown, width, indent)]
    is_right = [index in right for index in shown]
    lines: list[Line] = []
    for row in rows:
        cells = [row[index] for index in shown]
        pieces = [
            fold_text(neutralise(one_line(cell.text)), size) for cell, size in zip(cells, sizes, strict=True)
        ]
        for texts in zip_longest(*pieces, fillvalue=""):
            folded = [Span(text, cell.style) for text, cell in zip(texts, cells, strict=True)]
            lines.append(_row(folded, sizes, is_right, indent=indent, gap=GAP))
    return lines


def _entry(
    heads: Sequence[Span], row: Sequence[Span], shown: Sequence[int], width: int, indent: int
) -> list[Line]:
    """Return the first cell of *row*, and below it the other cells with their headings."""
    parts = [
        f"{heads[index].text}: {row[index].text}".removeprefix(": ") for index in shown[1:] if row[index].text
    ]
    return [
        *wrap_text(Span(" " * indent), row[shown[0]].text, width, row[shown[0]].style),
        *(wrap_text(Span(" " * (indent + 2)), " · ".join(parts), width) if parts else []),
    ]


def name_lines(lead: Span, text: str, names: Sequence[str], width: int, *, is_whole: bool) -> list[Line]:
    """Return `= 12 nodes equal: a, b … and 10 more` in one line, or with all names if *is_whole*.

    In a narrow terminal the names are on a line of their own.
    """
    style = lead.style
    if is_whole or not width:
        return wrap_text(lead, f"{text}: {', '.join(names)}", width, style)
    room = width - display_width(lead.text) - display_width(text) - 2
    first = display_width(names[0]) + (LEAST_FIGURE if len(names) > 1 else 0)
    if room >= max(LEAST_TEXT, first):
        return [(lead, Span(f"{text}: {fitted_names(names, room)}", style))]
    indent = " " * display_width(lead.text)
    found = fitted_names(names, width - len(indent))
    return [*wrap_text(lead, f"{text}:", width, style), (Span(indent), Span(found, style))]


def fitted_names(names: Sequence[str], width: int) -> str:
    """Join as many of *names* as fit *width* cells (0: all), followed by the number of the rest."""
    line = ""
    for index, name in enumerate(names):
        joined = f"{line}, {name}" if line else name
        hidden = len(names) - index - 1
        rest = f" … and {hidden:,} more" if hidden else ""
        if width and display_width(joined + rest) > width:
            if line:
                return f"{line} … and {len(names) - index:,} more"
            return shorten(name, max(width - len(rest), LEAST_COLUMN)) + rest
        line = joined
    return line


def wrap_text(lead: Span, text: str, width: int, style: Style = Style.PLAIN) -> list[Line]:
    """Wrap *text* behind *lead* to *width* cells (0: one line), with a hanging indent."""
    indent = display_width(lead.text)
    clean = neutralise(one_line(text))
    # In less room, each word would take a line of its own.
    pieces = fold_text(clean, width - indent) if width - indent >= LEAST_TEXT else [clean]
    rest = [(Span(" " * indent), Span(piece, style)) for piece in pieces[1:]]
    return [(lead, Span(pieces[0] if pieces else "", style)), *rest]


def natural_width(rows: Sequence[Sequence[Span]]) -> int:
    """Return the width of `grid` without a limit."""
    sizes = _measured(rows)[1]
    return INDENT + sum(sizes) + GAP * (len(sizes) - 1)


def _measured(rows: Sequence[Sequence[Span]]) -> tuple[list[int], list[int]]:
    """Return the indexes of the columns with values, and their widths."""
    sizes = _widths(rows)
    shown = [index for index in range(len(sizes)) if any(row[index].text for row in rows[1:])]
    return shown, [sizes[index] for index in shown]


def _widths(rows: Sequence[Sequence[Span]]) -> list[int]:
    columns = zip(*rows, strict=True)
    return [max(display_width(neutralise(cell.text)) for cell in column) for column in columns]


def _narrowed(sizes: list[int], room: int, least: int, may_give: Sequence[bool]) -> list[int]:
    """Return *sizes* with the widest cut to a common limit, so that their sum is *room*.

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


def _row(
    cells: Sequence[Span], sizes: Sequence[int], is_right: Sequence[bool], *, indent: int, gap: int
) -> Line:
    """Return *cells* padded to *sizes*; a longer cell shifts the rest of the row."""
    spans = [Span(" " * indent)]
    for cell, size, right in zip(cells, sizes, is_right, strict=True):
        blank = size - display_width(neutralise(cell.text))
        if right:
            spans += [Span(" " * blank), cell, Span(" " * gap)]
        else:
            # A cell that is too long still needs a blank before the next one.
            spans += [cell, Span(" " * max(blank + gap, 1))]
    # The last blank would only lengthen the line.
    return spans[:-1]


NAME_WIDTH = 120

_SPECIAL = re.compile(
    r"(?!: |:[0-9]+(?![0-9:])|[+-]-?[A-Za-z0-9])[^A-Za-z0-9 /_%?]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
)
"""Characters that may have a meaning in Markdown where they stand."""
_BACKTICKS = re.compile(r"`+")
_REFERENCE = re.compile(r"(?<=[@#])|(?<=\bGH-)|(?<=\bgh-)|(?<=www)(?=\.)|(?<=:)(?=//)", re.I)
_LINK = re.compile(r"(?<=\w@)(?=[\w-]+\.)|(?<=www)(?=\.)|(?<=:)(?=//)", re.I)
"""Positions in addresses that GitHub turns into links even within `<code>`."""
_BREAK = "&#8203;"
"""Zero-width space."""
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*")
_MERMAID_SPECIAL = re.compile(r"[^\w .,()/+:-]|(?<=_)_", re.ASCII)


def code(text: str, width: int = NAME_WIDTH) -> str:
    """Return *text* as inline code that is safe in a paragraph, a list and a table.

    A code span cannot contain every text: a backtick ends it, and a pipe ends a table's cell.

    >>> code("orders"), code("a|b")
    ('`orders`', '<code>a&#124;b</code>')
    """
    text = shorten(neutralise(text), width)
    if not text.strip() or "|" in text or "`" in text or "\\" in text:
        return html_code(text, width)
    return f"`{text}`"


def html_code(text: str, width: int = NAME_WIDTH) -> str:
    """Return *text* as HTML code, for places such as `<summary>` where Markdown is not parsed."""
    return f"<code>{_unlinked(_LINK, shorten(neutralise(text), width))}</code>"


def prose(text: str) -> str:
    """Return a sentence that contains names as one line.

    A zero-width space keeps `@name`, `#12` and `www.example.com` from becoming links.

    >>> prose("see www.example.com")
    'see www&#8203;.example.com'
    """
    return _unlinked(_REFERENCE, neutralise(one_line(text)))


def _unlinked(places: re.Pattern[str], text: str) -> str:
    return _BREAK.join(_SPECIAL.sub(lambda found: _entity(found[0]), part) for part in places.split(text))


def plain_words(text: str) -> str:
    """Return plain words, such as a resource type, unchanged; anything else as code."""
    return text if _PLAIN_WORDS.fullmatch(text) else code(text)


def code_block(lines: list[str], language: str) -> str:
    """Return *lines* as a code block; the fence is longer than any in the lines."""
    clean = [neutralise(line, keep="\t") for line in lines]
    longest = max((len(run) for line in clean for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *clean, fence])


def md_table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[int] = (),
    is_whole: bool = False,
) -> str:
    """Return a table of cells that are Markdown already; columns in *right* are aligned to the right.

    Columns without a value are left out unless *is_whole*.
    """
    rule = ["--:" if index in right else "---" for index in range(len(titles))]
    lines = [*rows]
    kept = [index for index in range(len(titles)) if is_whole or any(line[index] for line in lines)]
    shown = ([line[index] for index in kept] for line in (titles, rule, *lines))
    return "".join(f"| {' | '.join(line)} |\n" for line in shown)


def mermaid_label(text: str) -> str:
    """Return *text* for a quoted Mermaid label, with special characters encoded.

    >>> mermaid_label('say "end"')
    'say #34;end#34;'
    """
    text = shorten(neutralise(text), 60)
    return _MERMAID_SPECIAL.sub(lambda found: _mermaid_entity(found[0]), text) or " "


def _mermaid_entity(char: str) -> str:
    # Mermaid's entities begin with # alone.
    return char if char.isalnum() else f"#{ord(char)};"


def _entity(char: str) -> str:
    # Without a meaning in Markdown, these stay readable in the source.
    return char if char.isalnum() or char in ".,;()'→…−·" else f"&#{ord(char)};"


_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
NOTHING = "·"
"""Empty bin, distinct from a bin with few rows."""


def bar(share: float, width: int) -> str:
    """Return a bar of *share* of *width* cells, padded; a share above zero is always visible.

    >>> bar(0.5, 4), bar(0.0001, 4), bar(0, 4)
    ('██  ', '▏   ', '    ')
    """
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


def sparkline(counts: Sequence[int], highest: int) -> str:
    """Return one character per count, as high as its share of *highest*.

    >>> sparkline([0, 1, 5, 10], 10)
    '·▁▅█'
    """
    if highest <= 0:
        return NOTHING * len(counts)
    return "".join(_level(one / highest) if one > 0 else NOTHING for one in counts)


def _level(share: float) -> str:
    # The highest count itself would be beyond the last level.
    return _LEVELS[min(int(share * len(_LEVELS)), len(_LEVELS) - 1)]
