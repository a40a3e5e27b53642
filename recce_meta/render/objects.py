"""Allow-list of the attributes that a template may read, and errors for names that need a running dbt.

Jinja's sandbox rejects attributes that are known to be dangerous. This module rejects every attribute
that is not listed, so no path leads from a value to Python's internals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from types import FunctionType, MethodType
from typing import Any, ClassVar, NoReturn

from jinja2.runtime import LoopContext, Macro
from jinja2.utils import Joiner, Namespace

from recce_meta.errors import TemplateError


class TemplateObject:
    """Base class of objects exposed to templates; `readable` lists the attributes they may read."""

    __slots__ = ()
    readable: ClassVar[frozenset[str]] = frozenset()
    is_mapping: ClassVar[bool] = False
    """True if the object passes Jinja's test `mapping`, as packages expect of a relation."""
    has_known_members: ClassVar[bool] = False
    """True if the attributes are those of dbt; the database, the target or the command may decide others."""

    def __str__(self) -> str:
        raise TemplateError(
            f"A value of type {kind_of(self)} cannot be written as text",
            hint="write one of its members, or call it",
        )

    def __repr__(self) -> str:
        return f"<{kind_of(self)}>"

    def refuse(self, name: str) -> TemplateError | None:
        """Return the error for reading *name*, which is not readable; None if it just does not exist."""
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
"""Readable attributes of Python's and Jinja's own types."""

_OPEN = (date, datetime, time, timedelta, timezone, tzinfo)
"""Classes whose public attributes may all be read, on the class and on its instances."""


def is_readable(value: object, name: str) -> bool:
    """Return True if a template may read the attribute *name* of *value*."""
    # Such names lead to Python's internals.
    if name.startswith("_"):
        return False
    kind = type(value)
    # By exact type, because a subclass may have more attributes.
    if kind in READABLE:
        return name in READABLE[kind]
    if isinstance(value, TemplateObject):
        return name in value.readable
    # Jinja's `namespace` has only what the template puts into it.
    if isinstance(value, Namespace):
        return True
    return isinstance(value, _OPEN) or value in _OPEN


def refusal(value: object, name: str) -> TemplateError | None:
    """Return the error for reading *name* of *value*; None if *value* has no such attribute."""
    if isinstance(value, TemplateObject):
        own = value.refuse(name)
        if own is not None:
            return own
    if isinstance(value, (FunctionType, MethodType)):
        return TemplateError(
            f"'{value.__name__}' is a function and has no attribute '{name}'",
            name=name,
            hint=f"call it: {value.__name__}(…); its other uses need a running dbt",
        )
    if name.startswith("_") or (not isinstance(value, TemplateObject) and hasattr(value, name)):
        return TemplateError(
            f"'{name}' of a value of type {kind_of(value)} may not be used in a template",
            name=name,
            hint="use only values and methods that dbt documents",
            is_broken=name.startswith("_") and not isinstance(value, TemplateObject),
        )
    return None


def kind_of(value: object) -> str:
    """Return the type name of *value* for a message."""
    return type(value).__name__.lstrip("_")


RAISING = "raise_compiler_error"
"""Function of `exceptions` by which a template raises an error of its own."""
ASK_DATABASE = frozenset(
    [
        *("run_query", "statement", "noop_statement", "load_result", "store_result", "store_raw_result"),
        *("get_columns_in_query", "get_column_schema_from_query", "get_empty_schema_sql_from_query"),
        *("get_relations_by_pattern", "get_relations_by_prefix", "run_hooks", "load_agate_table"),
        "submit_python_job",
    ]
)
"""Names that query the database; some of them are dbt macros."""
BELONG_TO_DBT = frozenset(
    "write metric api_client defer_relation sql_now validation render try_or_compiler_error column sql "
    "pre_hooks post_hooks compiled_code adapter_macro context_macro_stack _sql_results".split()
)
"""Names that need a running dbt."""


def database_error(name: str) -> TemplateError:
    """Return the error for *name*, which queries the database."""
    return TemplateError(
        f"'{name}' needs a database, but templates are rendered without one",
        name=name,
        needs_database=True,
        hint="compile the node with dbt (dbt compile) and use its compiled code, or write the result "
        "into the template",
    )


def not_recorded(problem: str, name: str) -> TemplateError:
    """Return the error for a fact that is missing because the run has no catalog."""
    return TemplateError(
        problem,
        name=name,
        needs_database=True,
        hint="record the run with its catalog.json (dbt docs generate)",
    )


def dbt_error(name: str) -> TemplateError:
    """Return the error for *name*, which only dbt provides."""
    return TemplateError(
        f"'{name}' needs a running dbt",
        name=name,
        hint="compile the node with dbt (dbt compile) and use its compiled code",
    )


class Refused(TemplateObject):
    """Name that exists in dbt but is not supported here; every use of it raises the same error."""

    __slots__ = ("error",)

    def __init__(self, error: TemplateError) -> None:
        self.error = error

    def _raise(self, *_: Any, **__: Any) -> NoReturn:
        raise self.error

    __call__ = __str__ = __iter__ = __bool__ = __len__ = __getitem__ = __eq__ = __contains__ = _raise

    # Without this line, `__eq__` would make the objects unhashable.
    __hash__ = TemplateObject.__hash__

    def refuse(self, name: str) -> TemplateError:
        """Return the same error for every attribute."""
        return self.error
