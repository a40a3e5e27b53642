"""Syntax of selectors: unions of intersections of terms.

    selection     = intersection { blank intersection }      either of them: union
    intersection  = term { "," term }                        all of them
    term          = [ "@" ] [ [ depth ] "+" ] [ method { "." argument } ":" ] value [ "+" [ depth ] ]

`+` before a value adds its ancestors, `+` after it its descendants, a number limits the depth; `@` adds its
descendants and all their ancestors. Without a method, a value with a slash is a path, one that ends in .sql,
.py or .csv a file, anything else (part of) a fully qualified name.

Source: https://docs.getdbt.com/reference/node-selection/syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import accumulate

from msgspec import Struct

from recce_meta.errors import SelectorError

SELECTOR = "selector"
"""Method of YAML selectors."""
PREFIX = re.compile(r"(?P<at>@)?(?:(?P<depth>\d*)(?P<plus>\+))?(?:(?P<method>[\w.]+):)?")
SUFFIX = re.compile(r"\+(?P<depth>\d*)\Z")
FILE_ENDINGS = (".sql", ".py", ".csv")


class Indirect(str, Enum):
    """Selection of the tests that depend on the selected nodes.

    Source: https://docs.getdbt.com/reference/node-selection/test-selection-examples
    """

    EMPTY = "empty"
    """No tests: the named nodes alone."""
    EAGER = "eager"
    """Tests that read any selected node; dbt's default."""
    CAUTIOUS = "cautious"
    """Tests that read only selected nodes."""
    BUILDABLE = "buildable"
    """Tests that read only selected nodes, their ancestors and sources."""


class Term(Struct, frozen=True, kw_only=True):
    """One method and value with its graph operators."""

    text: str
    position: int
    """Position of its first character in the expression, from 1."""
    definition: str | None = None
    """YAML selector that has the term, with its file; None for a term of an expression."""
    method: str
    arguments: tuple[str, ...] = ()
    """`("meta", "owner")` for `config.meta.owner:me`."""
    value: str
    number: int | float | None = None
    """The value if it is a number of YAML, which text on the command line never is."""
    with_parents: bool = False
    parents_depth: int | None = None
    with_children: bool = False
    children_depth: int | None = None
    with_childrens_parents: bool = False

    @property
    def place(self) -> str:
        """Return the term and where it stands, such as `'tag:a' at character 3`."""
        if self.definition is not None:
            return f"'{self.text}' of the definition of {self.definition}"
        return _place(self.text, self.position)

    def error(self, problem: str, *, hint: str | None = None) -> SelectorError:
        """Return an error for this term that includes the problem and its place."""
        return SelectorError(f"Invalid selector {self.place}: {problem}", hint=hint)


Intersection = tuple[Term, ...]


def parse_selection(expressions: Iterable[str]) -> tuple[Intersection, ...]:
    """Return the intersections whose union *expressions* name, in order.

    Raise SelectorError with the position of the syntax error.
    """
    return tuple(_intersections(expressions))


def parse_term(text: str) -> Term:
    """Return the term that the whole of *text* is: blanks and commas are part of its value.

    Raise SelectorError with the position of the syntax error.
    """
    return _term(text, 1, text)


def _intersections(expressions: Iterable[str]) -> Iterator[Intersection]:
    for expression in expressions:
        for word in re.finditer(r"\S+", expression):
            parts = word[0].split(",")
            starts = accumulate((len(part) + 1 for part in parts), initial=word.start() + 1)
            yield tuple(_term(part, start, word[0]) for part, start in zip(parts, starts, strict=False))


def _term(text: str, position: int, word: str) -> Term:
    if not text:
        hint = "write a,b to select nodes in both a and b"
        raise _error("a comma requires a selector on both sides", word, position, hint)
    prefix = PREFIX.match(text)
    assert prefix is not None  # every part of the pattern is optional
    rest = text[prefix.end() :]
    suffix = SUFFIX.search(rest)
    value = rest[: suffix.start()] if suffix else rest
    _refuse(text, position, prefix, suffix, value)
    method, *arguments = (prefix["method"] or _default_method(value)).split(".")
    return Term(
        text=text,
        position=position,
        method=method,
        arguments=tuple(arguments),
        value=value,
        with_parents=prefix["plus"] is not None,
        parents_depth=_depth(prefix["depth"]),
        with_children=suffix is not None,
        children_depth=_depth(suffix["depth"]) if suffix else None,
        with_childrens_parents=prefix["at"] is not None,
    )


def _refuse(
    text: str, position: int, prefix: re.Match[str], suffix: re.Match[str] | None, value: str
) -> None:
    """Raise if the operators and the value do not make a term."""
    if not value:
        raise _error("a name is missing", text, position + prefix.end(), "write a name, or method:value")
    if prefix["at"] and suffix:
        hint = "@ already adds everything downstream"
        raise _error("'@' before and '+' after a selector cannot be combined", text, position, hint)
    # After a method, `+` may be part of the value, such as a tag.
    if prefix["method"] is None and (value.startswith("+") or value.endswith("+")):
        raise _error("only one '+' is allowed on each side", text, position, "write +name+ or 2+name+1")


def _default_method(value: str) -> str:
    if "/" in value or "\\" in value:
        return "path"
    return "file" if value.lower().endswith(FILE_ENDINGS) else "fqn"


def _depth(digits: str | None) -> int | None:
    return int(digits) if digits else None


def _error(problem: str, text: str, position: int, hint: str | None) -> SelectorError:
    return SelectorError(f"Invalid selector {_place(text, position)}: {problem}", hint=hint)


def _place(text: str, position: int) -> str:
    return f"'{text}' at character {position}"
