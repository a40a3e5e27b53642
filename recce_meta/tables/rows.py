"""Cells and rows of results: values as scalars, and tables as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from html import escape
from math import isfinite
from typing import Any, get_args

import msgspec
from msgspec import Struct

from recce_meta.models.rows import ResultList, RowTable, Scalar, Tabular

ROWS_SHOWN = 100
"""Maximum number of rows in a notebook."""

_SCALARS = (bool, int, float, Decimal, str, bytes, date, time, timedelta)
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def title_of(kind: type) -> str:
    """Return the name of the class *kind* as words.

    >>> title_of(ResultList)
    'Result list'
    """
    return _WORD.sub(" ", kind.__name__).lower().capitalize()


@cache
def field_types(kind: type[Struct]) -> dict[str, type]:
    """Return the columns of a result that is one row: its fields."""
    return {field.name: _column_type(field.type) for field in msgspec.structs.fields(kind)}


def _column_type(annotation: object) -> type:
    """Return the type of the column for a field with *annotation*."""
    # An optional field has the type of its value.
    options = [one for one in get_args(annotation) or (annotation,) if one is not type(None)]
    if len(options) == 1 and isinstance(options[0], type):
        kind = options[0]
        if issubclass(kind, (Enum, Struct)):
            return str
        if kind in (str, int, float, bool, datetime):
            return kind
    return object if annotation is Any else str


def field_row(result: Struct) -> tuple[Scalar, ...]:
    """Return the fields of *result* as one row.

    Sequences of names are joined, a run is its id, and other containers are JSON text.
    """
    return tuple(_field(getattr(result, name)) for name in result.__struct_fields__)


def _field(value: object) -> Scalar:
    if isinstance(value, (tuple, list)) and all(isinstance(one, str) for one in value):
        return joined(value)
    if isinstance(value, Struct):
        if hasattr(value, "run_id"):
            return value.run_id
        # Some types have a text of their own.
        return str(value) if type(value).__str__ is not Struct.__str__ else scalar(value)
    return scalar(value)


def joined(names: Iterable[str]) -> str | None:
    """Return *names*, strings or enumerations of strings, separated by semicolons; None without names."""
    return "; ".join(str(scalar(name)) for name in names) or None


def scalar(value: object) -> Scalar:
    """Return *value* if it is a scalar, else its text: JSON for containers.

    >>> scalar(Decimal("1.50")), scalar({"a": [1, None]})
    (Decimal('1.50'), '{"a":[1,null]}')
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, _SCALARS):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (list, tuple, set, frozenset, Mapping, Struct)):
        return msgspec.json.encode(_tree(value)).decode()
    return str(value)


def _tree(value: object) -> object:
    """Return *value* as JSON objects, arrays, strings, numbers, booleans and null, without loss."""
    if isinstance(value, Struct):
        return {name: _tree(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: _tree(one) for key, one in value.items()}
        # JSON only has strings as keys.
        return [[_tree(key), _tree(one)] for key, one in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_tree(one) for one in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        # JSON has neither NaN nor infinity.
        return value if isfinite(value) else str(value)
    return text(scalar(value))


def text(value: Scalar) -> str:
    """Return the scalar *value* as text, exact and in ISO 8601."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)


def html_of(result: Tabular | ResultList[Any]) -> str:
    """Return *result* as an HTML table for notebooks, with its notes."""
    if isinstance(result, ResultList):
        return html_table(result.to_table(), f"{title_of(result.item_type)}: {len(result):,}")
    return html_table(result.to_table(), title_of(type(result)), getattr(result, "notes", ()))


def html_table(
    table: RowTable, title: str, notes: Sequence[str] = (), *, most: int | None = ROWS_SHOWN
) -> str:
    """Return *table* as escaped HTML without scripts, styles or addresses, and *notes* below it.

    At most *most* rows are shown (None: all).
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in table.types)
    shown = table.rows[:most]
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in shown)
    more = len(table.rows) - len(shown)
    lines = [*([f"{more:,} more rows are not shown"] if more else []), *notes]
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines)
    head_and_body = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f"<table><caption>{escape(title)}</caption>{head_and_body}</table>{paragraphs}"


def _cell(value: Scalar) -> str:
    return "<td></td>" if value is None else f"<td>{escape(text(value))}</td>"


def distinct_names(names: Iterable[str]) -> Iterator[str]:
    """Yield *names*, a repeated one with underscores at its end."""
    used: set[str] = set()
    for name in names:
        while name in used:
            name += "_"
        used.add(name)
        yield name
