"""Results of data diffs as JSON for programs; `docs/data-json.md` and its JSON Schema describe the document.

Every field stands under its name, and so does every figure that a type computes. A cell's value is a JSON
value that every reader keeps exactly, or a text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from recce_meta.diff.data.gaps import gaps
from recce_meta.models.data_diff import MEAN_DIGITS, AnyDataDiff, Value
from recce_meta.models.numbers import digits_of
from recce_meta.report.characters import pretty_json
from recce_meta.report.data.cells import number_text
from recce_meta.report.data.summary import data_summary, summarise_nodes

DATA_SCHEMA = "recce_meta/data-diff/v2"
SCHEMA_VERSION = 2
KIND = "data_diff"

LARGEST_INTEGER = 2**53 - 1
"""Beyond it a reader that has only floats, such as JavaScript, would round."""

_FIGURES = frozenset(["mean_difference", "largest_difference", "tolerance", "relative_tolerance"])
"""Fields that are computed, or options: cells of decimals are always texts."""

JsonTree: TypeAlias = Any


def data_json(results: Sequence[AnyDataDiff]) -> str:
    """*results* in the order given, complete: nothing is cut. Equal results give equal bytes."""
    document = {
        "schema": DATA_SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "summary": summary_tree(results),
        "not_compared": gap_trees(results),
        "results": [data_tree(result) for result in results],
    }
    return pretty_json(document)


def summary_tree(results: Sequence[AnyDataDiff]) -> JsonTree:
    """How many nodes of *results* are the same, differ, and were not compared."""
    return data_tree(data_summary(summarise_nodes(results)))


def gap_trees(results: Sequence[AnyDataDiff]) -> list[JsonTree]:
    """Everything of *results* that was not compared, with its reason."""
    return [data_tree(gap) for gap in gaps(results)]


def data_tree(value: Struct | Value) -> JsonTree:
    """A result, or anything in one, as what JSON has: objects, arrays, texts, numbers, booleans and null."""
    if isinstance(value, Struct):
        tag = type(value).__struct_config__.tag
        fields = {name: _field(name, getattr(value, name)) for name in _names(type(value))}
        return {"type": tag} | fields if tag else fields
    if isinstance(value, Enum):
        return data_tree(value.value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float, Decimal)):
        return _number(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [data_tree(item) for item in value]
    if isinstance(value, Mapping):
        return _mapping(value)
    return _text(value)


def _field(name: str, value: Value) -> JsonTree:
    """The field called *name*; a decimal that is no cell is a number if a float holds it."""
    if name not in _FIGURES or not isinstance(value, Decimal) or not value.is_finite():
        return data_tree(value)
    near = float(value)
    is_endless = len(value.as_tuple().digits) >= MEAN_DIGITS and abs(near) <= LARGEST_INTEGER
    if math.isfinite(near) and (is_endless or Decimal(repr(near)) == value):
        return int(value) if value == int(near) else near
    return f"{value:f}"


@cache
def _names(kind: type[Struct]) -> tuple[str, ...]:
    """Fields as they are declared, and after them what the type computes."""
    computed = [
        name for base in reversed(kind.__mro__) for name, member in vars(base).items() if _is_computed(member)
    ]
    return tuple(dict.fromkeys((*kind.__struct_fields__, *computed)))


def _is_computed(member: object) -> bool:
    return isinstance(member, property)


def _number(value: float | Decimal) -> JsonTree:
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_INTEGER else digits_of(value)
    if isinstance(value, Decimal) or not math.isfinite(value):
        return number_text(value)
    return value


def _mapping(value: Mapping[Value, Value]) -> JsonTree:
    """An object; a map with other keys than texts is an array of pairs, so that no key is lost."""
    if all(isinstance(key, str) for key in value):
        return {_clean(key): data_tree(item) for key, item in value.items()}
    return [[data_tree(key), data_tree(item)] for key, item in value.items()]


def _text(value: Value) -> str:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, (datetime, date, time, timedelta)):
        text: str = msgspec.to_builtins(value, str_keys=True)
        return text
    return _clean(str(value))


def _clean(text: str) -> str:
    """*text* with U+FFFD in place of halves of surrogate pairs, which UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
