"""Position of an error in a statement: line and column, both counted from 1."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

EXCERPT_CHARACTERS = 100
"""Number of characters of a line to show around the error."""

_POINTED_AT = re.compile(r"^(?P<head>LINE (?P<line>\d+): )(?P<text>.*)\n(?P<caret> *\^)", re.M)


def line_and_column(offset: int, sql: str) -> tuple[int, int]:
    """Return the line and column of character number *offset* of *sql*, counted from 1.

    >>> line_and_column(10, "SELECT\\n a, b")
    (2, 3)
    """
    before = sql[: offset - 1]
    return before.count("\n") + 1, offset - 1 - (before.rfind("\n") + 1) + 1


def place_by_caret(message: str, sql: str) -> tuple[int, int] | None:
    """Return the line and column of the caret in *message*, which is below an excerpt of *sql*.

    DuckDB truncates long lines at both ends, marked by `...`, and counts wide characters double.
    """
    found = _POINTED_AT.search(message)
    lines = sql.split("\n")
    if found is None or int(found["line"]) > len(lines):
        return None
    shown = found["text"]
    index = _character_at(len(found["caret"]) - 1 - len(found["head"]), shown)
    cut = 3 if shown.startswith("...") and not lines[int(found["line"]) - 1].startswith("...") else 0
    piece = shown[cut:-3] if shown.endswith("...") and len(shown) > 6 else shown[cut:]
    start = lines[int(found["line"]) - 1].find(piece)
    return None if start < 0 else (int(found["line"]), start + index - cut + 1)


def excerpt(sql: str, line: int, column: int) -> str | None:
    """Return that line of *sql*, truncated around the error if it is long, above a caret at *column*.

    Returns None if *sql* has no such line or column.

    >>> print(excerpt("SELECT a,\\n  FORM t", 2, 3))
      FORM t
      ^
    """
    lines = sql.split("\n")
    if not 1 <= line <= len(lines):
        return None
    text = lines[line - 1].rstrip("\r").replace("\t", " ")
    if not 1 <= column <= len(text) + 1:
        return None
    first = max(0, min(column - 1 - EXCERPT_CHARACTERS // 2, len(text) - EXCERPT_CHARACTERS))
    shown = text[first : first + EXCERPT_CHARACTERS]
    before = sum(_width(character) for character in shown[: column - 1 - first])
    return f"{shown}\n{' ' * before}^"


def _character_at(place: int, text: str) -> int:
    """Return the index of the character of *text* at screen column *place*."""
    for index, character in enumerate(text):
        if place <= 0:
            return index
        place -= _width(character)
    return len(text)


def _width(character: str) -> int:
    return 2 if east_asian_width(character) in "WF" else 1
