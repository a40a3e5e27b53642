"""Patterns that choose columns by name, matched in time that grows with the name and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph.columns.tree import NODE, args, unwrapped

PATTERNS = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.RegexpLike)
"""Operators that match a text, or behind a `*` the names of its columns, with a pattern."""

_LONGEST = 300
_MOST_REPEATS = 3
_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
"""What stands for itself, or for one sign: nothing in it repeats."""


def like(pattern: str, *, capitals: bool = False, signs: str = "%_") -> Callable[[str], bool]:
    """Whether a name matches *pattern* of ILIKE; with *capitals*, which count then, of LIKE.

    *signs* are those that stand for any text, and for one sign: `*?` of GLOB.
    """
    wanted = pattern if capitals else pattern.lower()
    many = signs[0]

    def matches(name: str) -> bool:
        # All places of the pattern that what was read of the name may lead to.
        places = _past_any(wanted, many, {0})
        for sign in name if capitals else name.lower():
            places = _past_any(
                wanted,
                many,
                {
                    place if wanted[place] == many else place + 1
                    for place in places
                    if place < len(wanted) and wanted[place] in (*signs, sign)
                },
            )
        return len(wanted) in places

    return matches


def glob(pattern: str) -> Callable[[str], bool]:
    """Whether a name matches *pattern* of GLOB. Raises SqlNotAnalysed for lists of signs."""
    if "[" in pattern or "\\" in pattern:
        raise SqlNotAnalysed(f"the pattern {pattern:.60} for names of columns is too involved")
    return like(pattern, capitals=True, signs="*?")


def _past_any(pattern: str, many: str, places: set[int]) -> set[int]:
    """*places*, and those behind each *many* at one of them, which may stand for nothing."""
    found = set(places)
    for place in places:
        while place < len(pattern) and pattern[place] == many:
            place += 1
            found.add(place)
    return found


def regular(pattern: str) -> Callable[[str], bool]:
    """Whether a regular expression is found in a name.

    Raises SqlNotAnalysed where it is none, and where it repeats so much that Python may never end.
    """
    bare = _ESCAPED.sub("", pattern)
    repeats = len(re.findall(r"[*+{]", bare))
    if len(pattern) > _LONGEST or repeats > _MOST_REPEATS or re.search(r"\)[*+{]", bare):
        raise SqlNotAnalysed(f"the pattern {pattern:.60} for names of columns is too involved")
    try:
        found = re.compile(pattern)
    except (re.error, OverflowError) as error:
        reason = f"the pattern {pattern:.60} for names of columns cannot be read: {error}"
        raise SqlNotAnalysed(reason) from error
    return lambda name: found.search(name[:_LONGEST]) is not None


def by_lambda(node: Sql) -> Callable[[str], bool]:
    """Whether the lambda *node*, of `COLUMNS(lambda c: c like 'a%')`, is true of a name.

    Raises SqlNotAnalysed if it has anything but comparisons of its parameter with literals.
    """
    parameters = [one.name for one in args(node, "expressions")]
    if len(parameters) != 1:
        raise SqlNotAnalysed("COLUMNS with a lambda of several parameters is not understood")
    return _condition(node.this, parameters[0].lower())


def by_operator(node: Sql, *, negated: bool = False) -> Callable[[str], bool] | None:
    """Whether a name matches the pattern behind `*` in *node*; None if *node* does not match a text.

    *negated*: whether a NOT stands before it, which is left to the caller.
    """
    pattern = node.args.get("expression")
    if not isinstance(node, PATTERNS):
        return None
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        raise SqlNotAnalysed("a pattern for names of columns that is not a string is not understood")
    if isinstance(node, exp.Glob):
        found = glob(pattern.name)
    elif isinstance(node, (exp.SimilarTo, exp.RegexpLike)):
        # As `COLUMNS('a')`, any part may match. `NOT` leaves out names that match as a whole.
        negate = bool(node.args.get("negate")) is not negated
        found = regular(f"^(?:{pattern.name})$" if negate else pattern.name)
    else:
        found = like(pattern.name, capitals=not isinstance(node, exp.ILike))
    return (lambda name: not found(name)) if node.args.get("negate") else found


def _condition(node: Sql, parameter: str) -> Callable[[str], bool]:
    node = unwrapped(node)
    if isinstance(node, exp.Not):
        inner = _condition(node.this, parameter)
        return lambda name: not inner(name)
    if isinstance(node, (exp.And, exp.Or)):
        left, right = (_condition(part, parameter) for part in (node.this, node.expression))
        if isinstance(node, exp.And):
            return lambda name: left(name) and right(name)
        return lambda name: left(name) or right(name)
    if _is_parameter(node.args.get("this"), parameter):
        is_regular = isinstance(node, (exp.SimilarTo, exp.RegexpLike))
        if not is_regular and (found := by_operator(node)) is not None:
            return found
        values = args(node, "expressions") if isinstance(node, exp.In) else [node.args.get("expression")]
        texts = [value.name for value in values if isinstance(value, exp.Literal) and value.is_string]
        if values and len(texts) == len(values):
            if isinstance(node, (exp.EQ, exp.In)) and not node.args.get("negate"):
                return lambda name: name in texts
            if isinstance(node, exp.NEQ):
                return lambda name: name not in texts
            if isinstance(node, exp.StartsWith):
                return lambda name: name.startswith(texts[0])
    raise SqlNotAnalysed("what COLUMNS(…) chooses is not understood")


def _is_parameter(node: object, parameter: str) -> bool:
    is_name = isinstance(node, exp.Identifier) or (isinstance(node, exp.Column) and not node.table)
    return is_name and isinstance(node, NODE) and node.name.lower() == parameter
