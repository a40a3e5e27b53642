"""`modules.re`, for patterns whose cost is bounded.

A backtracking match cannot be stopped, so patterns that may take exponential time are refused, and the
text that a pattern is tried on is bounded by how many of its parts can grow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from math import factorial
from typing import Any, ClassVar

from recce_meta.errors import TemplateError, quoted
from recce_meta.render.attributes import TemplateObject

_MOST_TRIES = 20_000_000
_MOST_REPEATS = 1_000
_LONGEST_PATTERN = 5_000
_FLAGS = ("IGNORECASE", "I", "MULTILINE", "M", "DOTALL", "S", "VERBOSE", "X", "ASCII", "A")
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def re_module() -> dict[str, Any]:
    """The functions of `re` that a template may call, by name."""
    functions: dict[str, Callable[..., Any]] = {
        name: _function(name) for name in ("match", "search", "fullmatch", "findall", "split", "sub")
    }
    functions |= {"compile": SafePattern, "escape": re.escape}
    return {**functions, **{name: int(getattr(re, name)) for name in _FLAGS}}


def _function(name: str) -> Callable[..., Any]:
    def call(pattern: str | SafePattern, *args: Any, flags: int = 0, **kwargs: Any) -> Any:
        compiled = pattern if isinstance(pattern, SafePattern) else SafePattern(pattern, flags)
        return getattr(compiled, name)(*args, **kwargs)

    return call


class SafePattern(TemplateObject):
    """A compiled pattern that has been looked at."""

    __slots__ = ("_compiled", "_growing", "pattern")
    readable: ClassVar[frozenset[str]] = frozenset(
        ["match", "search", "fullmatch", "findall", "split", "sub", "pattern"]
    )

    def __init__(self, pattern: str, flags: int = 0) -> None:
        if not isinstance(pattern, str):
            raise TemplateError("A pattern must be text", name="re")
        if len(pattern) > _LONGEST_PATTERN:
            raise TemplateError(
                f"A pattern of {len(pattern):,} characters; at most {_LONGEST_PATTERN:,} are compiled",
                name="re",
            )
        self.pattern = pattern
        try:
            # The module that parses patterns became private in Python 3.11.
            parser: Any = import_module("re._parser" if hasattr(re, "_parser") else "sre_parse")
            self._growing = _growing_parts(parser.parse(pattern, flags), pattern)
            self._compiled = re.compile(pattern, flags)
        except (re.error, OverflowError, RecursionError) as error:
            raise TemplateError(f"Not a pattern: {quoted(pattern)} ({error})", name="re") from None

    def match(self, text: str) -> re.Match[str] | None:
        """The match at the beginning of *text*."""
        return self._compiled.match(self._checked(text))

    def search(self, text: str) -> re.Match[str] | None:
        """The first match in *text*."""
        return self._compiled.search(self._checked(text))

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """The match that is the whole of *text*."""
        return self._compiled.fullmatch(self._checked(text))

    def findall(self, text: str) -> list[Any]:
        """Every match in *text*."""
        return self._compiled.findall(self._checked(text))

    def split(self, text: str, maxsplit: int = 0) -> list[Any]:
        """What stands between the matches."""
        return self._compiled.split(self._checked(text), maxsplit)

    def sub(self, replacement: str, text: str, count: int = 0) -> str:
        """*text* with every match replaced."""
        if not isinstance(replacement, str) or len(replacement) * (len(text) + 1) > _MOST_TRIES:
            raise TemplateError("A replacement must be short text", name="re.sub")
        return self._compiled.sub(replacement, self._checked(text), count)

    def _checked(self, text: str) -> str:
        length, parts = len(text) + 1, self._growing + 1
        if length**parts // factorial(parts) > _MOST_TRIES:
            raise TemplateError(
                f"The pattern {quoted(self.pattern)} may take too long on {length - 1:,} characters",
                name="re",
                hint="use fewer * and +, or shorter text",
            )
        return text


def _growing_parts(parsed: Any, pattern: str, *, inside: bool = False) -> int:
    """How many parts of *parsed* can match texts of many lengths; raises where one holds another."""
    count = 0
    for operation, argument in parsed:
        name = str(operation)
        if name in _REPEATS:
            least, most, body = argument
            grows = most != least
            if (grows and inside) or (inside and int(most) > _MOST_REPEATS) or (least > _MOST_REPEATS):
                raise _too_costly(pattern)
            count += grows + _growing_parts(body, pattern, inside=inside or int(most) > 1)
        elif name == "BRANCH":
            if inside:
                raise _too_costly(pattern)
            count += sum(_growing_parts(branch, pattern) for branch in argument[1])
        elif name in ("GROUPREF", "GROUPREF_EXISTS") and inside:
            raise _too_costly(pattern)
        else:
            count += sum(_growing_parts(part, pattern, inside=inside) for part in _parts(argument))
    return count


def _parts(argument: Any) -> list[Any]:
    """The patterns that an operation holds: a group's, a look-ahead's."""
    values = argument if isinstance(argument, (tuple, list)) else [argument]
    return [value for value in values if type(value).__name__ == "SubPattern"]


def _too_costly(pattern: str) -> TemplateError:
    return TemplateError(
        f"The pattern {quoted(pattern)} repeats what itself repeats or chooses, and may take for ever",
        name="re",
        hint="write it without a * or + around another, or around |",
    )
