"""Names of columns as users write them, and the rule on their expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL, the shortest limit; the rest is cut."""

Guard: TypeAlias = Callable[[str], None]
"""Raises UsageError for an expression that is refused."""


def unquote(name: str) -> str:
    """Return the column *name* without surrounding quotes, if any."""
    for quote in ('"', "`"):
        if len(name) > 2 and name.startswith(quote) and name.endswith(quote):
            inner = name[1:-1]
            # An expression may begin and end with a quoted name: "a" || "b"
            if quote not in inner.replace(quote * 2, ""):
                return inner.replace(quote * 2, quote)
    return name
