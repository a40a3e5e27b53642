"""Options of data diffs, read from the texts of a form, an address, or the arguments of an agent."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from recce_meta.data_diff.names import read_casts
from recce_meta.errors import UsageError, quoted
from recce_meta.models.diff_kinds import MOST_SERVED, Option, OptionType

_YES = ("true", "1", "yes", "on")


def read_options(options: Mapping[str, Option], given: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of those of *options*, by their names in *given*, that are given, by their own names.

    Raises UsageError for an invalid value.
    """
    return {
        one.name: _READERS[one.type](name, text)
        for name, one in options.items()
        if (text := str(given.get(name) or "").strip())
    }


def read_names(name: str, text: str) -> tuple[str, ...]:
    """Return the names in the field *name*, separated by commas; one that contains a comma is in quotes.

    >>> read_names("key", 'id, "a,b"')
    ('id', 'a,b')
    """
    try:
        # csv refuses line breaks outside quotes.
        line = text.replace("\r", " ").replace("\n", " ")
        found = next(csv.reader([line], skipinitialspace=True), [])
    except csv.Error as error:
        raise UsageError(
            f"{name} is not a list of names: {error}", hint="separate names by commas"
        ) from error
    return tuple(dict.fromkeys(one.strip() for one in found if one.strip()))


def list_field(*names: str) -> str:
    """Return *names* as the text of a field, which `read_names` reads.

    >>> list_field("id", "a,b")
    'id, "a,b"'
    """
    return ", ".join(_quoted(name) if set(name) & set(',"') else name for name in names)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def write_option(option: Option, value: Any) -> str:
    """Return the text of *value* of *option*, which `read_options` reads."""
    if option.type is OptionType.NAMES:
        return list_field(*value)
    if option.type is OptionType.CASTS:
        return ", ".join(
            f"{column if column.isidentifier() else _quoted(column)}={of}" for column, of in value
        )
    return str(value).lower() if option.type is OptionType.FLAG else str(value)


def _whole(name: str, text: str) -> int:
    # Python's `int` also accepts signs, underscores and digits of other scripts.
    if not (text.isascii() and text.isdecimal()) or len(text) > 4 or not 1 <= int(text) <= MOST_SERVED:
        raise UsageError(f"{name} must be a number from 1 to {MOST_SERVED:,}", hint=f"change {name}")
    return int(text)


def _number(name: str, text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("nan")
    # A comparison with NaN is never true, so that every difference would be accepted or none.
    if found.is_nan():
        raise UsageError(f"{name} must be a number, not {quoted(text)}", hint=f"change {name}")
    return found


_READERS: Mapping[OptionType, Callable[[str, str], Any]] = {
    OptionType.NAMES: read_names,
    OptionType.SQL: lambda name, text: text,
    OptionType.WHOLE: _whole,
    OptionType.PERCENT: lambda name, text: float(_number(name, text.removesuffix("%"))),
    OptionType.NUMBER: _number,
    OptionType.CHOICE: lambda name, text: text,
    OptionType.FLAG: lambda name, text: text.lower() in _YES,
    OptionType.CASTS: lambda name, text: read_casts(text),
}
