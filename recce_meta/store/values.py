"""Cells' values as text that loses nothing, and as JSON that loses nothing. Pure.

A value comes back as it went in: equal, and of the same Python type. Three things change: a tuple comes
back as a list, any other sequence of bytes as `bytes`, and a value of a type not listed in `KINDS` as the
text that Python makes of it. A time with a zone comes back with the same offset.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import inf, isfinite, nan
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from recce_meta.errors import StoreError
from recce_meta.models.data_diff import Value

JsonTree: TypeAlias = Any

LARGEST_INTEGER = 2**53 - 1
"""Beyond it, readers of JSON that have only floats would round; RFC 8259, section 6."""
TAG = "$"
"""What the name of an object's only member begins with, where the object stands for something else."""
LIST, MAP = "list", "map"
TEXT, ESCAPED = "text", "escaped"
"""Text as it is; and text that databases refuse (U+0000, halves of surrogate pairs), as a JSON string."""


def _interval(text: str) -> timedelta:
    return msgspec.convert(text, timedelta)


def _nested(text: str) -> Value:
    return value_of_tree(msgspec.json.decode(text))


KINDS: Mapping[str, Callable[[str], Value]] = {
    "bool": lambda text: text == "true",
    "int": lambda text: int(text, 0),
    "float": float,
    "decimal": Decimal,
    TEXT: lambda text: text,
    ESCAPED: json.loads,
    "bytes": lambda text: bytes.fromhex(text.removeprefix("\\x")),
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "interval": _interval,
    "uuid": UUID,
    LIST: _nested,
    MAP: _nested,
}
"""What a text stands for, and how it is read."""


def kind_and_text(value: Value) -> tuple[str, str]:
    """Which of `KINDS` *value*, which is not None, is, and the text that stands for it."""
    if isinstance(value, str):
        return (TEXT, str.__str__(value)) if is_storable(value) else (ESCAPED, json.dumps(value))
    for kind, types, text in _SCALARS:
        if isinstance(value, types):
            return kind, text(value)
    if isinstance(value, (list, tuple)):
        return LIST, json_text(value)
    if isinstance(value, Mapping):
        return MAP, json_text(value)
    return kind_and_text(str(value))


def value_of(kind: str, text: str) -> Value:
    """The value that `kind_and_text` gave *kind* and *text* for.

    Raises StoreError for a kind of a later recce_meta.
    """
    read = KINDS.get(kind)
    if read is None:
        raise StoreError(f"A kept value is of the unknown kind '{kind}'", hint="upgrade recce-meta")
    return read(text)


def number_of(value: Value) -> float | None:
    """*value* as a double where it is a number; one beyond their range is infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    if isinstance(value, Decimal) and value.is_nan():
        return nan  # a signalling NaN refuses to be converted
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def json_text(value: Value) -> str:
    """*value* as JSON text; `value_of_tree` reads what it decodes to."""
    return msgspec.json.encode(tree_of(value)).decode()


def tree_of(value: Value) -> JsonTree:
    """*value* as JSON has it where JSON has it, anything else as an object `{"$kind": "text"}`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and is_storable(value):
        return str.__str__(value)
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return int(value)
    if isinstance(value, float) and isfinite(value):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [tree_of(item) for item in value]
    if isinstance(value, Mapping):
        return _tree_of_mapping(value)
    kind, text = kind_and_text(value)
    return text if kind == TEXT else {TAG + kind: text}


def value_of_tree(tree: JsonTree) -> Value:
    """The value that `tree_of` made *tree* of."""
    if isinstance(tree, list):
        return [value_of_tree(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if len(tree) == 1:
        ((name, content),) = tree.items()
        if name == TAG + MAP:
            return {_hashable(value_of_tree(key)): value_of_tree(item) for key, item in content}
        if name.startswith(TAG):
            return value_of(name.removeprefix(TAG), content)
    return {name: value_of_tree(item) for name, item in tree.items()}


def is_storable(text: str) -> bool:
    """Whether every warehouse can hold *text*, also inside JSON."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def storable(text: str) -> str:
    """*text* with U+FFFD for what databases refuse: U+0000, and halves of surrogate pairs."""
    if is_storable(text):
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _tree_of_mapping(value: Mapping[Value, Value]) -> JsonTree:
    """An object, unless a key is no text, or could be taken for a tag: then pairs."""
    if all(isinstance(key, str) and not key.startswith(TAG) and is_storable(key) for key in value):
        return {str.__str__(key): tree_of(item) for key, item in value.items()}
    return {TAG + MAP: [[tree_of(key), tree_of(item)] for key, item in value.items()]}


def _hashable(key: Value) -> Value:
    """*key* as a dict takes it: DuckDB's maps may have lists for keys."""
    return tuple(map(_hashable, key)) if isinstance(key, list) else key


def _int_text(value: int) -> str:
    """Decimal digits, of which Python converts 4,300 at most unasked; hexadecimal ones beyond."""
    return int.__repr__(value) if value.bit_length() < 8_192 else hex(value)


def _interval_text(value: timedelta) -> str:
    text: str = msgspec.to_builtins(value)
    return text


_SCALARS: tuple[tuple[str, type | tuple[type, ...], Callable[[Any], str]], ...] = (
    ("bool", bool, lambda value: "true" if value else "false"),
    ("int", int, _int_text),
    ("float", float, float.__repr__),
    ("decimal", Decimal, str),
    ("bytes", (bytes, bytearray, memoryview), lambda value: "\\x" + bytes(value).hex()),
    ("timestamp", datetime, datetime.isoformat),
    ("date", date, date.isoformat),
    ("time", time, time.isoformat),
    ("interval", timedelta, _interval_text),
    ("uuid", UUID, str),
)
"""Each kind after those that Python counts among it: a bool is an int, a datetime a date."""
