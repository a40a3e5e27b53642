"""Fields of the forms of connections, as options of connections declare them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from recce_meta.errors import UsageError
from recce_meta.repositories.options.declaring import (
    FLAG,
    LIST,
    MINUTES,
    TEXT,
    VARIABLES,
    Declaration,
    options_of,
)

Fields = Mapping[str, str]


def inputs_of(
    *declared: type, without: Mapping[str, object], **texts: str
) -> dict[str, list[dict[str, str]]]:
    """Return the fields of forms by section, except options that are *without* one; *texts* complete help."""
    found: dict[str, list[dict[str, str]]] = {}
    for one in declared:
        for name, option in options_of(one).items():
            for shown in option.inputs if name not in without else ():
                row = {
                    "name": shown.name or name,
                    "kind": one.__annotations__[name],
                    "label": shown.label,
                    "help": shown.help.format(**texts),
                }
                found.setdefault(shown.section, []).append(row)
    return found


def read_options(declared: type, fields: Fields) -> dict[str, Any]:
    """Return the options that the *fields* of a form give; browsers send empty fields as well.

    A text with a default keeps it if its field is empty. Raises UsageError for an invalid value.
    """
    given: dict[str, Any] = {}
    for name, option in _plain(declared).items():
        kind, text = declared.__annotations__[name], fields.get(name, "")
        if kind == FLAG:  # browsers leave out a box that is not ticked
            given[name] = name in fields
        elif kind == MINUTES:
            given[name] = minutes_of(text)
        elif kind == LIST:
            given[name] = listed(text, r"[,\s]" if option.flags[0].kind == "words" else r"[,\n]")
        elif kind == VARIABLES:
            given[name] = _variables(text)
        elif text or kind != TEXT:
            given[name] = text or None
    return given


def shown_options(declared: type, found: Struct) -> dict[str, str]:
    """Return the fields that show the options of *found*: a form that is sent unchanged changes nothing."""
    shown: dict[str, str] = {}
    for name in _plain(declared).keys() & set(found.__struct_fields__):
        kind, value = declared.__annotations__[name], getattr(found, name)
        if not value:
            continue
        if kind == FLAG:
            shown[name] = "on"
        elif kind == MINUTES:
            shown[name] = f"{value:g}"
        elif kind == LIST:
            shown[name] = ", ".join(value)
        elif kind == VARIABLES:
            shown[name] = "\n".join(f"{key}={text}" for key, text in value.items())
        else:
            shown[name] = str(getattr(value, "value", value))
    return shown


def _plain(declared: type) -> dict[str, Declaration]:
    """Return the options with one field, which has the name of the option."""
    options = options_of(declared).items()
    return {name: one for name, one in options if one.inputs and not one.inputs[0].name}


def listed(text: str, signs: str = r"[,\n]") -> tuple[str, ...]:
    """Return the parts of *text* between *signs*."""
    return tuple(filter(None, map(str.strip, re.split(signs, text))))


def minutes_of(text: str | None) -> float | None:
    """Return the interval; None for an empty field. Raises UsageError unless it is a number."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError("The interval is not a number", hint="give minutes, or nothing for never") from None


def _variables(text: str) -> dict[str, str]:
    """Return the variables of lines such as `NAME=VALUE`. Raises UsageError for another line."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        # Only the first sign separates: values may contain others.
        name, sign, value = line.partition("=")
        if not sign:
            raise UsageError("A variable has no value", hint="write one NAME=VALUE in each line")
        found[name.strip()] = value
    return found
