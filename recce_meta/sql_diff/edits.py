"""Edits between two texts of a query: the smallest groups of changed tokens that work alone on the old text.

Tokens are matched, so white space, comments and the case of words are no edits. Changed tokens of one item,
with no comma or clause between them, are one edit. Edits that do not work alone are joined: a new CTE with
its reader, an alias with its uses.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from difflib import SequenceMatcher
from itertools import combinations
from typing import NamedTuple

from sqlglot import Token, exp, parse_one
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

MOST_EDITS = 8
"""Edits above which none is tried."""
_MOST_TOKENS = 20_000
_LONGEST_ITEM, _READABLE = 60, 10
_CLAUSES = frozenset(
    """
    SELECT FROM WHERE GROUP_BY HAVING QUALIFY ORDER_BY LIMIT JOIN LEFT INNER FULL CROSS RIGHT ON UNION EXCEPT
    INTERSECT WITH AND OR WHEN ELSE THEN
    """.split()
)


class SqlEdit(NamedTuple):
    """Edit of a query that works without the others."""

    old: str
    """Replaced text; empty for an insertion. Parts of one edit are joined by ` … `."""
    new: str
    line: int
    """First line of the edit in the new text, from 1."""
    sql: str
    """The old text with this edit alone."""


class _Hunk(NamedTuple):
    """Tokens that differ: positions in the old and in the new text."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


Works = Generator[list[str], Sequence[bool], tuple[SqlEdit, ...]]
"""Generator of texts, which receives True for each that the warehouse can bind, and returns the edits."""


def separate_edits(old: str, new: str, dialect: str) -> Works:
    """Return the edits from *old* to *new*; none if the texts have too many differences to try.

    It yields lists of texts. The caller sends back which of them the warehouse can bind.
    """
    edited = _Edited(old, new, dialect)
    hunks = edited.hunks()
    if not 0 < len(hunks) <= 3 * MOST_EDITS:
        return ()
    works = yield from edited.ask([(hunk,) for hunk in hunks])
    groups: list[tuple[_Hunk, ...]] = [(hunk,) for hunk, is_ok in zip(hunks, works, strict=True) if is_ok]
    rest = [hunk for hunk, is_ok in zip(hunks, works, strict=True) if not is_ok]
    for size in (2, 3):
        sets = list(combinations(rest, size))[:_MOST_SETS]
        for group, is_ok in zip(sets, (yield from edited.ask(sets)), strict=True):
            if is_ok and all(hunk in rest for hunk in group):
                groups.append(group)
                rest = [hunk for hunk in rest if hunk not in group]
    for hunk in list(rest):
        # Else it may need an edit that works alone.
        near = [(*group, hunk) for group in groups]
        joined = next((i for i, is_ok in enumerate((yield from edited.ask(near))) if is_ok), None)
        if joined is not None:
            groups[joined] = near[joined]
            rest.remove(hunk)
    if rest:
        (is_ok,) = yield from edited.ask([tuple(rest)])
        groups = [*groups, tuple(rest)] if is_ok else [tuple(hunks)]
    return tuple(sorted((edited.edit(group) for group in groups), key=lambda one: one.line))


_MOST_SETS = 60
"""Groups of edits that are tried at once."""


class _Edited:
    """Tokens of two texts, and the texts between them."""

    def __init__(self, old: str, new: str, dialect: str) -> None:
        self.old, self.new, self.dialect = old, new, dialect
        tokenize = Dialect.get_or_raise(dialect).tokenize
        self.before: Sequence[Token] = tokenize(old)
        self.after: Sequence[Token] = tokenize(new)
        self._depths = _depths(self.before)

    def hunks(self) -> list[_Hunk]:
        """Return the hunks; those of one item, with no comma or clause between them, are one."""
        if len(self.before) + len(self.after) > _MOST_TOKENS:
            return []
        depths = self._depths
        matcher = SequenceMatcher(
            None, _keys(self.before, depths), _keys(self.after, _depths(self.after)), autojunk=False
        )
        found: list[_Hunk] = []
        for tag, *ends in matcher.get_opcodes():
            if tag == "equal":
                continue
            hunk = _Hunk(*ends)
            if found and self._is_one_item(found[-1], hunk, depths):
                last = found.pop()
                hunk = _Hunk(last.old_start, hunk.old_end, last.new_start, hunk.new_end)
            found.append(hunk)
        return found

    def _is_one_item(self, one: _Hunk, other: _Hunk, depths: Sequence[int]) -> bool:
        edges = [
            *self.before[max(one.old_start, one.old_end - 1) : one.old_end],
            *self.after[max(one.new_start, one.new_end - 1) : one.new_end],
            *self.before[other.old_start : min(other.old_end, other.old_start + 1)],
            *self.after[other.new_start : min(other.new_end, other.new_start + 1)],
        ]
        if any(map(_separates, edges)):
            return False
        between = range(one.old_end, other.old_start)
        ends = [depths[at] for at in (one.old_start, other.old_start) if at < len(depths)]
        low = min([*(depths[at] for at in between), *ends], default=0)
        return not any(depths[at] <= low and _separates(self.before[at]) for at in between)

    def text(self, hunks: Sequence[_Hunk]) -> str:
        """Return the old text with *hunks* alone."""
        found, end = [], 0
        for hunk in sorted(hunks):
            is_inside = hunk.old_start < len(self.before)
            start = self.before[hunk.old_start].start if is_inside else len(self.old)
            piece = _piece(self.new, self.after, hunk.new_start, hunk.new_end)
            found += [self.old[end:start], f" {piece} " if piece else " "]
            end = self.before[hunk.old_end - 1].end + 1 if hunk.old_end > hunk.old_start else start
        return "".join([*found, self.old[end:]])

    def ask(self, groups: Sequence[tuple[_Hunk, ...]]) -> Generator[list[str], Sequence[bool], list[bool]]:
        """Return for each of *groups* whether its text is a query that the warehouse can bind."""
        texts = [self.text(group) for group in groups]
        parsed = [one for one in texts if self._is_query(one)]
        bound = dict(zip(parsed, (yield parsed) if parsed else (), strict=True))
        return [bound.get(one, False) for one in texts]

    def _is_query(self, text: str) -> bool:
        try:
            return isinstance(parse_one(text, dialect=self.dialect), exp.Query)
        except (SqlglotError, RecursionError):
            return False

    def _item(self, hunk: _Hunk) -> _Hunk:
        """Return *hunk* with the rest of its item, if that is short: a word or a number alone reads badly."""
        pieces = _piece(self.old, self.before, *hunk[:2]), _piece(self.new, self.after, *hunk[2:])
        if min(map(len, pieces)) >= _READABLE:
            return hunk
        start, end = hunk.old_start, hunk.old_end
        depths = self._depths
        low = min(depths[start : end + 1], default=0)
        while start > 0 and depths[start - 1] >= low and not self._ends_item(start - 1, low):
            start -= 1
        while end < len(depths) and depths[end] >= low and not self._ends_item(end, low):
            end += 1
        whole = _Hunk(
            start, end, hunk.new_start - (hunk.old_start - start), hunk.new_end + (end - hunk.old_end)
        )
        longest = max(
            len(_piece(self.old, self.before, start, end)), len(_piece(self.new, self.after, *whole[2:]))
        )
        return whole if longest <= _LONGEST_ITEM else hunk

    def _ends_item(self, at: int, depth: int) -> bool:
        return self._depths[at] == depth and _separates(self.before[at])

    def edit(self, group: Sequence[_Hunk]) -> SqlEdit:
        """Return the edit of *group*."""
        hunks = [self._item(one) for one in sorted(group)]
        first = min(hunks[0].new_start, len(self.after) - 1)
        return SqlEdit(
            old=" … ".join(filter(None, (_piece(self.old, self.before, *one[:2]) for one in hunks))),
            new=" … ".join(filter(None, (_piece(self.new, self.after, *one[2:]) for one in hunks))),
            line=self.new.count("\n", 0, self.after[first].start) + 1,
            sql=self.text(group),
        )


def _depths(tokens: Sequence[Token]) -> list[int]:
    """Return how many brackets and CASE expressions are open at each token."""
    found, depth = [], 0
    for token in tokens:
        name = token.token_type.name
        depth -= name in ("R_PAREN", "END")
        found.append(depth)
        depth += name in ("L_PAREN", "CASE")
    return found


def _keys(tokens: Sequence[Token], depths: Sequence[int]) -> list[tuple[str, str, int | None]]:
    """Return what equal tokens have in common. A comma or clause only matches one of its depth."""
    return [
        (
            token.token_type.name,
            token.text if token.token_type.name in ("STRING", "IDENTIFIER") else token.text.upper(),
            depth if _separates(token) else None,
        )
        for token, depth in zip(tokens, depths, strict=True)
    ]


def _separates(token: Token) -> bool:
    return token.token_type.name == "COMMA" or token.token_type.name in _CLAUSES


def _piece(text: str, tokens: Sequence[Token], start: int, end: int) -> str:
    return text[tokens[start].start : tokens[end - 1].end + 1] if end > start else ""
