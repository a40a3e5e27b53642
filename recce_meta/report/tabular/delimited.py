"""Writer of CSV and TSV.

Both formats have a header, UTF-8 without BOM, lines that end in LF, and quotes as in RFC 4180; only the
separator differs. NULL is an empty field, and an empty string is `""`. Values are written as in JSON:
numbers with all their digits, times in ISO 8601. Control characters are escaped, as in every report.
Nothing is added to text that a spreadsheet would take for a formula: a reader gets the exact values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from recce_meta.models.data_diff import Value
from recce_meta.models.rows import RowTable
from recce_meta.redaction import neutralise
from recce_meta.report.json import data_tree

SEPARATORS = {"csv": ",", "tsv": "\t"}
"""Separator of each format."""
_SPECIAL = re.compile(r'[,\t"\r\n]')
_KEPT = "\t\r\n"


def delimited(table: RowTable, style: str) -> str:
    """Return *table* with its header in the format *style*, `csv` or `tsv`."""
    return delimited_lines([tuple(table.types), *table.rows], style)


def delimited_lines(rows: Iterable[Sequence[Value]], style: str) -> str:
    """Return *rows*, of which the first may be a header, in the format *style*.

    >>> delimited_lines([("a", "b", "c"), (1, None, ""), ("x,y", True, "z")], "csv").splitlines()
    ['a,b,c', '1,,""', '"x,y",true,z']
    """
    separator = SEPARATORS[style]
    return "".join(_line(row, separator) for row in rows)


def _line(row: Sequence[Value], separator: str) -> str:
    fields = [_field(value) for value in row]
    if len(fields) == 1 and not fields[0]:
        return '""\n'  # many readers skip an empty line
    return separator.join(fields) + "\n"


def _field(value: Value) -> str:
    text = _text(value)
    if text is None:
        return ""
    text = neutralise(text, keep=_KEPT)
    if text and not _SPECIAL.search(text) and text.strip() == text:
        return text
    return '"' + text.replace('"', '""') + '"'


def _text(value: Value) -> str | None:
    """Return the text of *value*; None for NULL."""
    tree = data_tree(value)
    if tree is None or isinstance(tree, str):
        return tree
    if isinstance(tree, bool):
        return "true" if tree else "false"
    if isinstance(tree, (int, float)):
        return repr(tree)
    return msgspec.json.encode(tree).decode()
