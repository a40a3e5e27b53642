"""Patterns that choose columns by name, matched in time that grows with the name and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

from recce_meta.errors import SqlNotAnalysed

_LONGEST = 300
_MOST_REPEATS = 3
_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
"""What stands for itself, or for one sign: nothing in it repeats."""


def like(pattern: str) -> Callable[[str], bool]:
    """Whether a name matches *pattern* of ILIKE: capitals do not count."""
    wanted = pattern.lower()

    def matches(name: str) -> bool:
        # All places of the pattern that what was read of the name may lead to.
        places = _past_any(wanted, {0})
        for sign in name.lower():
            places = _past_any(
                wanted,
                {
                    place if wanted[place] == "%" else place + 1
                    for place in places
                    if place < len(wanted) and wanted[place] in ("%", "_", sign)
                },
            )
        return len(wanted) in places

    return matches


def _past_any(pattern: str, places: set[int]) -> set[int]:
    """*places*, and those behind each `%` at one of them, which may stand for nothing."""
    found = set(places)
    for place in places:
        while place < len(pattern) and pattern[place] == "%":
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
