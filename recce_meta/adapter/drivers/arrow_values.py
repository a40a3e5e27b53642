"""From Arrow's columns to our values: maps as dicts, instants in UTC, whatever is within whatever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timezone
from typing import Any

Converter = Callable[[Any], Any]


def values_of(column: Any) -> list[Any]:
    """The values of a column or chunked column of pyarrow."""
    values: list[Any] = column.to_pylist()
    convert = _converter(column.type)
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def _converter(kind: Any) -> Converter | None:
    """What makes our value of what pyarrow makes of *kind*; None where it is the same."""
    from pyarrow import types

    if types.is_timestamp(kind):
        return None if kind.tz is None else _in_utc
    if types.is_map(kind):
        return _of_map(_converter(kind.key_type), _converter(kind.item_type))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _of_list(_converter(kind.value_type))
    if types.is_struct(kind):
        fields = {kind.field(place).name: _converter(kind.field(place).type) for place in range(len(kind))}
        return _of_struct({name: convert for name, convert in fields.items() if convert is not None})
    return None


def _in_utc(value: Any) -> Any:
    return value.astimezone(timezone.utc)


def _of_map(key: Converter | None, item: Converter | None) -> Converter:
    return lambda pairs: {_maybe(key, name): _maybe(item, value) for name, value in pairs}


def _of_list(item: Converter | None) -> Converter | None:
    return item and (lambda values: [_maybe(item, value) for value in values])


def _of_struct(fields: dict[str, Converter]) -> Converter | None:
    if not fields:
        return None
    return lambda struct: {name: _maybe(fields.get(name), value) for name, value in struct.items()}


def _maybe(convert: Converter | None, value: Any) -> Any:
    return value if convert is None or value is None else convert(value)
