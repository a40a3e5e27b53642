"""Readers of single values in a file of checks: what YAML gives, as what a check holds.

A reader takes the value and gives what it means, or raises MalformedValue, whose message follows the field's
name: `max_mismatch` + ` must be …`, or `max_mismatch` + `.amount must be …`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from recce_meta.errors import ConfigurationError, did_you_mean
from recce_meta.models.check_expect import OTHERS, Amount

Reader: TypeAlias = Callable[[object], Any]

_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*%\s*")
_EXPONENT = re.compile(r"\d+(?:\.\d+)?[eE][-+]?\d{1,3}")
_LONGEST_SHOWN = 40


class MalformedValue(ConfigurationError):
    """A value that a field cannot have; `line` is where, if that is not the field's own line."""

    def __init__(self, message: str, *, hint: str | None = None, line: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.line = line


class Lined(dict[str, Any]):
    """A mapping of the file that knows the line of each key."""

    def __init__(self, **entries: Any) -> None:
        super().__init__(entries)
        self.lines: dict[str, int] = {}


class WrittenFloat(float):
    """A float of the file, as text with all the digits that are written there."""

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text


def shown(value: object) -> str:
    """*value* as it may have stood in the file, for a message.

    >>> shown(True), shown("few"), shown([1]), shown(None)
    ('true', "'few'", 'a list', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple, set)):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, str):
        return f"'{value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + '…'}'"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of very many digits"
    return str(value)


def text(value: object) -> str:
    """A text that is not empty."""
    if isinstance(value, str):
        if value.strip():
            return value
        raise MalformedValue("must not be empty")
    is_scalar = isinstance(value, (bool, int, float, date))
    hint = "put it in quotes: YAML reads some words as true, false, a number or a date" if is_scalar else None
    raise MalformedValue(f"must be a text, not {shown(value)}", hint=hint)


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, each once; one text alone is a list of one."""
    if isinstance(value, str):
        return (text(value),)
    if not isinstance(value, list):
        raise MalformedValue(f"must be a text or a list of texts, not {shown(value)}")
    for position, entry in enumerate(value, start=1):
        try:
            text(entry)
        except MalformedValue as error:
            raise MalformedValue(f"entry {position} {error.message}", hint=error.hint) from error
    return tuple(dict.fromkeys(value))


def flag(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise MalformedValue(f"must be true or false, not {shown(value)}")


def whole_from(least: int) -> Reader:
    """A whole number that is *least* or more."""

    def read(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        raise MalformedValue(f"must be a whole number from {least}, not {shown(value)}")

    return read


def number(value: object) -> Decimal:
    """A number that is 0 or more, in the digits that are written."""
    given = _number(value)
    if given is not None and given >= 0:
        return given
    raise MalformedValue(f"must be a number from 0, not {shown(value)}")


def one_of(*words: str) -> Reader:
    """One of *words*."""

    def read(value: object) -> str:
        if value in words:
            return str(value)
        hint = did_you_mean(str(value), words) or f"one of: {', '.join(words)}"
        raise MalformedValue(f"cannot be {shown(value)}", hint=hint)

    return read


def sample(value: object) -> float:
    """A share of keys, in per cent: above 0 and at most 100."""
    share = _share(value)
    if share is not None and 0 < share <= 1:
        return float(share * 100)
    raise MalformedValue(f"must be a share of the keys such as 10%, not {shown(value)}")


def rows(value: object) -> Amount:
    """A number of rows, or a share of them."""
    share = _share(value)
    if share is not None:
        return Amount(share, is_share=True)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Amount(Decimal(value))
    is_fraction = isinstance(value, float) and 0 < value < 1
    raise MalformedValue(
        f"must be a number of rows such as 10 or a share such as 1%, not {shown(value)}",
        hint=f"{float(str(value)) * 100:.6g}% is that share of the rows" if is_fraction else None,
    )


def few_rows(value: object) -> Amount:
    """A number of rows, where there is nothing that a share could be of."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Amount(Decimal(value))
    raise MalformedValue(f"must be a number of rows such as 10, not {shown(value)}")


def difference(value: object) -> Amount:
    """The difference of two figures, or a share of the first."""
    share = _share(value)
    if share is not None:
        return Amount(share, is_share=True)
    given = _number(value)
    if given is not None and given >= 0:
        return Amount(given)
    raise MalformedValue(f"must be a difference such as 0.5 or a share such as 1%, not {shown(value)}")


def distance(value: object) -> Amount:
    """A share from 0 to 1, also in per cent."""
    share = _share(value)
    if share is None:
        share = _number(value)
    if share is not None and 0 <= share <= 1:
        return Amount(share, is_share=True)
    raise MalformedValue(f"must be a share from 0 to 1 such as 0.05 or 5%, not {shown(value)}")


def by_name(read: Reader, what: str) -> Reader:
    """A mapping with at least one entry, whose keys are names and whose values *read* reads."""

    def read_mapping(value: object) -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or not value:
            raise MalformedValue(f"must be a mapping by {what}, not {shown(value or None)}")
        return {str(key): _entry(read, value, key) for key in value}

    return read_mapping


def plain_or_by_column(read: Reader) -> Reader:
    """What *read* reads, or a mapping of such by column."""
    by_column = by_name(read, "column")
    return lambda value: by_column(value) if isinstance(value, Mapping) else read(value)


def for_columns(read: Reader) -> Reader:
    """What *read* reads, for all columns, or a mapping of such by column; a mapping either way."""
    by_column = by_name(read, "column")
    return lambda value: by_column(value) if isinstance(value, Mapping) else {OTHERS: read(value)}


def by_figure(figures: tuple[str, ...]) -> Reader:
    """A mapping of differences by one of *figures*."""
    differences = by_name(difference, "figure")

    def read(value: object) -> Mapping[str, Amount]:
        limits: Mapping[str, Amount] = differences(value)
        for name in limits:
            if name not in figures:
                hint = did_you_mean(name, figures) or f"one of: {', '.join(figures)}"
                raise MalformedValue(f"has no figure '{name}'", hint=hint, line=_line(value, name))
        return limits

    return read


def words_of(*words: str) -> Reader:
    """A list of some of *words*; one alone is a list of one."""

    def read(value: object) -> frozenset[str]:
        if value == []:
            return frozenset()
        given = texts(value)
        for word in given:
            if word not in words:
                hint = did_you_mean(word, words) or f"any of: {', '.join(words)}"
                raise MalformedValue(f"cannot have '{word}'", hint=hint)
        return frozenset(given)

    return read


def cell(value: object) -> Any:
    """A single value of any type that YAML has."""
    if value is None or isinstance(value, (str, bool, int, float, date, datetime)):
        return float(value) if isinstance(value, float) else value
    raise MalformedValue(f"must be a single value, not {shown(value)}")


def _share(value: object) -> Decimal | None:
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    return Decimal(found[1]) / 100 if found else None


def _number(value: object) -> Decimal | None:
    """A finite number; YAML 1.1 takes `1e-9`, which has no point, for a text."""
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    given = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return given if given.is_finite() else None


def _entry(read: Reader, mapping: Mapping[Any, Any], key: Any) -> Any:
    """The value of *key*; what is wrong with it is told with its key and line."""
    try:
        return read(mapping[key])
    except MalformedValue as error:
        line = error.line or _line(mapping, key)
        message = error.message if error.message.startswith(".") else f" {error.message}"
        raise MalformedValue(f".{key}{message}", hint=error.hint, line=line) from error


def _line(mapping: object, key: Any) -> int | None:
    return mapping.lines.get(key) if isinstance(mapping, Lined) else None
