"""Lossless conversion of cell values to text and to JSON, and back. No I/O.

A value is restored equal and with the same Python type, with three exceptions: a tuple becomes a list,
any other byte sequence becomes `bytes`, and a value of a type not listed in `KINDS` becomes its Python
string. A time with a zone is restored with the same offset.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import inf, isfinite, nan
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from recce_meta.errors import StoreError
from recce_meta.models.data_diff import Profile, Value
from recce_meta.redaction import without_passwords

JsonTree: TypeAlias = Any

LARGEST_INTEGER = 2**53 - 1
"""JSON readers that use only floats would round larger integers; RFC 8259, section 6."""
TAG = "$"
"""Prefix of the only member of an object that encodes a value without a JSON equivalent."""
LIST, MAP = "list", "map"
TEXT, ESCAPED = "text", "escaped"
"""Plain text, and text that databases reject (U+0000, unpaired surrogates), encoded as a JSON string."""


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
    "interval": lambda text: msgspec.convert(text, timedelta),
    "uuid": UUID,
    LIST: _nested,
    MAP: _nested,
}
"""Kinds of value, and the function that parses the text of each."""


def kind_and_text(value: Value) -> tuple[str, str]:
    """Return the kind of *value*, one of `KINDS`, and its text. *value* must not be None."""
    if isinstance(value, str):
        # A subclass of `str`, such as an enum, may override its own text.
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
    """Return the value from the *kind* and *text* of `kind_and_text`.

    Raises StoreError for a kind that a newer recce_meta introduced.
    """
    read = KINDS.get(kind)
    if read is None:
        raise StoreError(f"Unknown kind of stored value: '{kind}'", hint="upgrade recce-meta")
    return read(text)


def number_of(value: Value) -> float | None:
    """Return *value* as a double if it is a number, else None; numbers out of range become infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    if isinstance(value, Decimal) and value.is_nan():
        return nan  # converting a signalling NaN raises an error
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def json_text(value: Value) -> str:
    """Return *value* as JSON text; `value_of_tree` reads the decoded JSON."""
    return msgspec.json.encode(tree_of(value)).decode()


def masked_json(fields: Struct | JsonTree) -> str:
    """Return a struct, an object or a list as JSON text, its strings storable and without passwords."""
    return msgspec.json.encode(_masked(msgspec.to_builtins(fields))).decode()


def _masked(value: JsonTree) -> JsonTree:
    if isinstance(value, dict):
        return {storable(name): _masked(member) for name, member in value.items()}
    if isinstance(value, list):
        return [*map(_masked, value)]
    return without_passwords(storable(value)) if isinstance(value, str) else value


def tree_of(value: Value) -> JsonTree:
    """Return *value* as JSON; a value without a JSON equivalent becomes an object `{"$kind": "text"}`."""
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
    """Return the value from *tree*, the result of `tree_of`."""
    if isinstance(tree, list):
        return [value_of_tree(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    # A user's key never looks like a tag here, because such mappings are written as pairs.
    if len(tree) == 1:
        ((name, content),) = tree.items()
        if name == TAG + MAP:
            return {_hashable(value_of_tree(key)): value_of_tree(item) for key, item in content}
        if name.startswith(TAG):
            return value_of(name.removeprefix(TAG), content)
    return {name: value_of_tree(item) for name, item in tree.items()}


def is_storable(text: str) -> bool:
    """Return True if every warehouse can store *text*, also inside JSON."""
    if "\0" in text:
        return False
    # Looking at each character is slow, and most texts are ASCII.
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def storable(text: str) -> str:
    """Return *text* with U+FFFD in place of what databases reject: U+0000 and unpaired surrogates."""
    if is_storable(text):
        return text
    # UTF-16 joins pairs of surrogates, so that only unpaired ones are replaced.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _tree_of_mapping(value: Mapping[Value, Value]) -> JsonTree:
    """Return an object; or pairs, if a key is not a string or looks like a tag."""
    if all(isinstance(key, str) and not key.startswith(TAG) and is_storable(key) for key in value):
        return {str.__str__(key): tree_of(item) for key, item in value.items()}
    return {TAG + MAP: [[tree_of(key), tree_of(item)] for key, item in value.items()]}


def _hashable(key: Value) -> Value:
    """Return *key* in a hashable form, because DuckDB's maps may have lists as keys."""
    return tuple(map(_hashable, key)) if isinstance(key, list) else key


def _int_text(value: int) -> str:
    """Return decimal digits, or hexadecimal ones for large numbers: Python limits decimals to 4,300."""
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
"""Subtypes come first: a bool is an int, a datetime is a date."""


FIGURES = ("min", "max", "average", "median")
"""Figures of a profile stored both as text and as a number; they are the keys of `value_kinds`."""

_kinds = msgspec.json.Decoder(dict[str, str]).decode


def value_from(kind: object, text: object) -> Value:
    """Return the value of *text*; None if *kind* or *text* is None."""
    return None if kind is None or text is None else value_of(str(kind), str(text))


def profile_fields(profile: Profile) -> tuple[object, ...]:
    """Return the stored fields of *profile*, from `column_type` to `average_length`."""
    values = (profile.min, profile.max, profile.avg, profile.median)
    texts = [None if value is None else kind_and_text(value) for value in values]
    kinds = {name: text[0] for name, text in zip(FIGURES, texts, strict=True) if text}
    return (
        storable(profile.type),
        profile.row_count,
        profile.not_null_count,
        profile.distinct_count,
        profile.is_approximate,
        # The texts are exact; the numbers are for users of SQL.
        *(text and text[1] for text in texts),
        *map(number_of, values),
        msgspec.json.encode(kinds).decode(),
        profile.true_count,
        profile.min_length,
        profile.max_length,
        profile.avg_length,
    )


def profile_from(fields: Sequence[Any]) -> Profile:
    """Return the profile of its stored *fields*, without the numbers of figures."""
    (
        column_type, row_count, not_null_count, distinct_count, is_approximate,
        *texts, value_kinds, true_count, min_length, max_length, average_length,
    ) = fields  # fmt: skip
    kinds = _kinds(value_kinds)
    smallest, largest, average, median = (
        value_from(kinds.get(figure), text) for figure, text in zip(FIGURES, texts, strict=True)
    )
    return Profile(
        type=column_type,
        row_count=row_count,
        not_null_count=not_null_count,
        distinct_count=distinct_count,
        is_approximate=is_approximate,
        min=smallest,
        max=largest,
        avg=average,
        median=median,
        true_count=true_count,
        min_length=min_length,
        max_length=max_length,
        avg_length=average_length,
    )
