"""Which attributes a template may read: a list of what is harmless, nothing else.

Jinja's sandbox refuses what is known to be dangerous. Here everything is refused that is not named, so
that no path leads from a value to Python's internals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from types import FunctionType, MethodType
from typing import ClassVar

from jinja2.runtime import LoopContext, Macro
from jinja2.utils import Joiner, Namespace

from recce_meta.errors import TemplateError


class TemplateObject:
    """An object made for templates, which name what of it they may read."""

    __slots__ = ()
    readable: ClassVar[frozenset[str]] = frozenset()
    is_mapping: ClassVar[bool] = False
    """Whether it passes Jinja's test `mapping`, as packages expect of a relation."""

    def __str__(self) -> str:
        raise TemplateError(
            f"A value of type {kind_of(self)} is written as if it were text",
            hint="write one of its members, or call it",
        )

    def __repr__(self) -> str:
        return f"<{kind_of(self)}>"

    def refuse(self, name: str) -> TemplateError | None:
        """Why *name*, which is not readable, is not; None where it merely does not exist."""
        return None


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


READABLE: Mapping[type, frozenset[str]] = {
    str: _names(
        "capitalize casefold center count endswith expandtabs find format format_map index isalnum isalpha "
        "isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join "
        "ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit "
        "rstrip split splitlines startswith strip swapcase title upper zfill"
    ),
    list: _names("append clear copy count extend index insert pop remove reverse sort"),
    tuple: _names("count index"),
    dict: _names("clear copy get items keys pop popitem setdefault update values"),
    set: _names(
        "add clear copy difference discard intersection isdisjoint issubset issuperset pop remove "
        "symmetric_difference union update"
    ),
    int: _names("bit_length real imag numerator denominator"),
    float: _names("is_integer real imag"),
    re.Match: _names("group groups groupdict start end span string pos endpos lastgroup lastindex"),
    LoopContext: _names(
        "index index0 revindex revindex0 first last length cycle depth depth0 previtem nextitem changed"
    ),
    Macro: _names("name arguments catch_kwargs catch_varargs caller"),
    Joiner: frozenset(),
}
"""What may be read of the values that Python and Jinja bring."""

_OPEN = (date, datetime, time, timedelta, timezone, tzinfo)
"""Values, and classes, of which everything public may be read."""


def is_readable(value: object, name: str) -> bool:
    """Whether a template may read the attribute *name* of *value*."""
    if name.startswith("_"):
        return False
    kind = type(value)
    if kind in READABLE:
        return name in READABLE[kind]
    if isinstance(value, TemplateObject):
        return name in value.readable
    if isinstance(value, Namespace):
        return True
    return isinstance(value, _OPEN) or value in _OPEN


def refusal(value: object, name: str) -> TemplateError | None:
    """The error that reading *name* of *value* is; None where there is nothing to be read."""
    if isinstance(value, TemplateObject):
        own = value.refuse(name)
        if own is not None:
            return own
    if isinstance(value, (FunctionType, MethodType)):
        return TemplateError(
            f"'{value.__name__}' is a function here, and has no '{name}'",
            name=name,
            hint=f"call it: {value.__name__}(…); what else it is in dbt, a running dbt alone knows",
        )
    if name.startswith("_") or (not isinstance(value, TemplateObject) and hasattr(value, name)):
        return TemplateError(
            f"'{name}' of a value of type {kind_of(value)} may not be used in a template",
            name=name,
            hint="templates read what dbt documents: values, and their plain methods",
        )
    return None


def kind_of(value: object) -> str:
    """What to call *value* in a message."""
    return type(value).__name__.lstrip("_")
