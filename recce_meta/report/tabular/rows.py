"""Rows of a user's query as a table, Markdown, JSON, CSV and TSV.

The last three are written batch by batch, so that a result may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.models.data_diff import Value
from recce_meta.redaction import harmless_json
from recce_meta.report.json import data_tree
from recce_meta.report.tabular.delimited import delimited_lines
from recce_meta.report.terminal import (
    GAP,
    INDENT,
    LEAST_COLUMN,
    Line,
    Span,
    Style,
    code,
    display_width,
    grid,
    heading_row,
    md_table,
    natural_width,
    one_line,
    plain_line,
    prose,
    render,
    wrap_text,
)
from recce_meta.report.values import NULL, cell_text, value_text

QUERY_SCHEMA = "recce_meta/query/v1"
CELL_CHARACTERS = 1000
"""Maximum length of a value in a table; JSON, CSV and TSV are not cut."""

Row = Sequence[Any]
_COLLECTIONS = (list, tuple, dict, set, frozenset)


class QueryDocument(Struct, kw_only=True):
    """Output of `query --format json`."""

    schema: str = QUERY_SCHEMA
    columns: Sequence[str]
    """Names of the columns in order. A repeated name gets a number: `id`, `id_2`."""
    rows: Sequence[dict[str, Any]]
    """Each row as an object of column and value."""
    is_complete: bool
    """False if `--limit` left out rows."""


def rows_text(
    columns: Sequence[str], rows: Sequence[Row], *, is_complete: bool, width: int, color: bool
) -> str:
    """Return *rows* as a table of at most *width* cells (0: no limit), or as blocks if it is too narrow."""
    cells = [[_span(value) for value in row] for row in rows]
    table = [heading_row(*map(one_line, columns)), *cells]
    room = len(columns) * (LEAST_COLUMN + GAP) + INDENT
    # Even the narrowest columns would not fit side by side.
    if rows and width and natural_width(table) > width and room > width:
        lines = _blocks(columns, cells, width)
    else:
        lines = grid(table, width=width, right=_numeric(rows, len(columns))) if rows else []
        lines = lines or [[Span("  "), *_joined(heading_row(*columns))]]
    return render([*lines, plain_line(_count(rows, is_complete))], width=width, color=color)


def _joined(spans: Sequence[Span]) -> Iterator[Span]:
    for span in spans:
        yield span
        yield Span(" " * GAP)


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[Span]], width: int) -> list[Line]:
    """Return one line per value, and an empty line between two rows."""
    names = [one_line(column) for column in columns]
    longest = max(map(display_width, names))
    lines: list[Line] = []
    for row in rows:
        for name, cell in zip(names, row, strict=True):
            lead = Span(f"  {name}{' ' * (longest - display_width(name))}  ", Style.DIM)
            lines += wrap_text(lead, cell.text, width, cell.style)
        lines.append(())
    return lines[:-1]


def _span(value: Value) -> Span:
    if value is None:
        return Span(NULL, Style.DIM)
    if isinstance(value, str):
        text = one_line(value[:CELL_CHARACTERS]) or "''"
        return Span(text)
    if isinstance(value, _COLLECTIONS):
        return Span(value_text(data_tree(value))[:CELL_CHARACTERS])
    return Span(cell_text(value, CELL_CHARACTERS))


def _numeric(rows: Sequence[Row], width: int) -> list[int]:
    """Return the places of the columns that hold numbers only."""
    return [place for place in range(width) if all(_is_number(row[place]) for row in rows)]


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, (int, float, Decimal)) and not isinstance(value, bool))


def _count(rows: Sequence[Row], is_complete: bool) -> str:
    shown = f"{len(rows):,} row{'' if len(rows) == 1 else 's'}"
    return shown if is_complete else f"First {shown}. There are more: --limit 0 shows all"


def rows_markdown(columns: Sequence[str], rows: Sequence[Row], *, is_complete: bool) -> str:
    """Return *rows* as a Markdown table."""
    heads = [prose(column) or "&nbsp;" for column in unique_names(columns)]
    cells = [[*map(_markdown_cell, row)] for row in rows]
    return f"{md_table(heads, cells, is_whole=True)}\n{_count(rows, is_complete)}\n"


def _markdown_cell(value: Value) -> str:
    if value is None:
        return ""
    return code(_span(value).text, CELL_CHARACTERS) if value != "" else ""


def unique_names(columns: Sequence[str]) -> list[str]:
    """Return *columns* with a number behind each repeated name.

    >>> unique_names(["id", "id", "id_2"])
    ['id', 'id_3', 'id_2']
    """
    names: list[str] = []
    for name in columns:
        number, candidate = 1, name
        while candidate in names or (number > 1 and candidate in columns):
            number += 1
            candidate = f"{name}_{number}"
        names.append(candidate)
    return names


def rows_json(columns: Sequence[str], batches: Iterable[tuple[Sequence[Row], bool]]) -> Iterator[bytes]:
    """Yield *batches* as one document of schema `recce_meta/query/v1`, with one row per line.

    Each batch says whether the rows up to its end are all rows.
    """
    # A JSON object would lose all but the last of two columns with one name.
    names = unique_names(columns)
    yield b'{\n  "schema": %s,\n  "columns": %s,\n  "rows": [' % (_json(QUERY_SCHEMA), _json(names))
    is_complete, separator = True, b"\n    "
    for rows, is_whole in batches:
        is_complete = is_whole
        for row in rows:
            yield separator + _json(dict(zip(names, map(data_tree, row), strict=True)))
            separator = b",\n    "
    ending = b"" if separator == b"\n    " else b"\n  "
    yield ending + b'],\n  "is_complete": %s\n}\n' % _json(is_complete)


def _json(value: object) -> bytes:
    return harmless_json(msgspec.json.encode(value))


def rows_delimited(
    columns: Sequence[str], batches: Iterable[tuple[Sequence[Row], bool]], style: str
) -> Iterator[bytes]:
    """Yield *batches* in the format *style*, `csv` or `tsv`, with the names of the columns first."""
    # Names of columns may hold unpaired surrogates.
    yield delimited_lines([columns], style).encode("utf-8", "replace")
    for rows, _ in batches:
        yield delimited_lines(rows, style).encode("utf-8", "replace")
