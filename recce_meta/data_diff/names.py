"""Names of columns as users write them, and the rule on their expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from recce_meta.errors import UsageError, quoted

LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL, the shortest limit; the rest is cut."""

Guard: TypeAlias = Callable[[str], None]
"""Raises UsageError for an expression that is refused."""

_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|.""", re.DOTALL)
_CAST = re.compile(r"""("(?:[^"]|"")+"|`[^`]+`|[^=]+)=(.+)""", re.DOTALL)


def unquote(name: str) -> str:
    """Return the column *name* without surrounding quotes, if any."""
    for quote in ('"', "`"):
        if len(name) > 2 and name.startswith(quote) and name.endswith(quote):
            inner = name[1:-1]
            # An expression may begin and end with a quoted name: "a" || "b"
            if quote not in inner.replace(quote * 2, ""):
                return inner.replace(quote * 2, quote)
    return name


def comma_parts(text: str) -> list[str]:
    """Split *text* at the commas outside of parentheses and quotes.

    >>> comma_parts('id,coalesce(a, b),"x,y"')
    ['id', 'coalesce(a, b)', '"x,y"']
    """
    depth = 0
    parts = [""]
    for token in _TOKEN.findall(text):
        depth += (token in "([{") - (token in ")]}")
        if token == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def read_casts(text: str) -> tuple[tuple[str, str], ...]:
    """Return the column and the type of each part of *text*. Raises UsageError for an invalid part.

    A column that contains a comma or `=` is in quotes. A part as a whole may be in quotes, too.

    >>> read_casts('price=decimal(12,2), "a,b"=text, "cost=numeric(3,1)"')
    (('price', 'decimal(12,2)'), ('a,b', 'text'), ('cost', 'numeric(3,1)'))
    """
    found: dict[str, str] = {}
    for part in comma_parts(text):
        read = _CAST.fullmatch(unquote(part.strip()))
        column, of = (unquote(read[1].strip()), read[2].strip()) if read else ("", "")
        if not column or not of:
            hint = "separate casts by commas, such as price=decimal(12,2),flag=int"
            raise UsageError(f"cast must be COLUMN=TYPE, not {quoted(part.strip())}", hint=hint)
        if column in found:
            raise UsageError(f"cast names {column} twice", hint="remove one of its types")
        found[column] = of
    return tuple(found.items())
