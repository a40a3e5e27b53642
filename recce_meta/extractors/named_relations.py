"""Finder of the relations that a statement names, for SQL that cannot be parsed.

Rules of this module:

- A relation's name follows FROM, JOIN, USING of a MERGE, or a comma of a FROM list.
- A relation's name also follows PIVOT and UNPIVOT (`PIVOT p ON …`), and SUMMARIZE (`SUMMARIZE p`).
- No relation follows FROM in functions such as `extract(… from …)`, and in `is distinct from`.
- The names of CTEs and functions are not relations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# The SQL may be invalid, so a string or comment that is not closed ends with the text.
_TOKEN = re.compile(
    r"""(?xs)
    (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<string> '(?:[^']|'')*(?:'|\Z) | \$\w*\$.*?(?:\$\w*\$|\Z) )
    | (?P<quoted> "(?:[^"]|"")*" | `[^`]*` )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<sign> \S )
    """
)
_BRACKETED = re.compile(r"\[[^\]\[]+\]")
_BRACKETS_QUOTE = frozenset({"fabric", "tsql"})
_BEFORE = frozenset({"FROM", "JOIN", "STRAIGHT_JOIN"})
_ENDS = frozenset(
    """
    EXCEPT FETCH GROUP HAVING INTERSECT LIMIT MINUS OFFSET ORDER QUALIFY RETURNING SELECT SET UNION VALUES
    WHEN WHERE WINDOW
    """.split()
)
_BESIDE_NAMES = frozenset({"ONLY", "LATERAL", "TABLE"})
_WITH_FROM = frozenset({"EXTRACT", "OVERLAY", "POSITION", "SUBSTRING", "TRIM"})
_PIVOTS = frozenset({"PIVOT", "PIVOT_LONGER", "PIVOT_WIDER", "UNPIVOT"})
_QUERIES = frozenset("DESCRIBE FROM PIVOT SELECT SUMMARIZE TABLE UNPIVOT VALUES WITH".split())
_FILLING = frozenset({"INSERT", "MERGE", "REPLACE", "UPDATE"})


class SqlWord(NamedTuple):
    """A token of the SQL: a word, a quoted name, or a symbol."""

    text: str
    is_quoted: bool
    start: int

    @property
    def upper(self) -> str:
        """Return the word in upper case; empty for a quoted name, which is not a keyword."""
        return "" if self.is_quoted else self.text.upper()

    @property
    def is_name(self) -> bool:
        """Return True if the word may be a part of a name."""
        return self.is_quoted or self.text[0].isalpha() or self.text[0] == "_"


Name = tuple[SqlWord, ...]
"""The parts of a dotted name."""


class Built(NamedTuple):
    """Relation that a statement creates or fills; the target is empty for a query."""

    target: Name
    materialized: str


def sql_words(text: str, dialect: str = "") -> list[SqlWord]:
    """Return the tokens of *text* without comments and strings, even if *text* is invalid SQL."""
    found: list[SqlWord] = []
    place = 0
    while place < len(text):
        match = _BRACKETED.match(text, place) if dialect in _BRACKETS_QUOTE else None
        if match is not None:
            found.append(SqlWord(match[0][1:-1], True, place))
        elif (match := _TOKEN.match(text, place)) is not None:
            if match.lastgroup == "quoted":
                quote = match[0][0]
                found.append(SqlWord(match[0][1:-1].replace(quote * 2, quote), True, place))
            elif match.lastgroup in ("word", "sign"):
                found.append(SqlWord(match[0], False, place))
        place = match.end() if match is not None else place + 1
    return found


def statements_in(text: str, dialect: str = "") -> Iterator[tuple[str, int]]:
    """Yield the statements of *text*, which sqlglot cannot tokenize, each with its first line number."""
    start = None
    for word in sql_words(text, dialect):
        if word.text == ";" and not word.is_quoted:
            if start is not None:
                yield text[start : word.start].strip(), text.count("\n", 0, start) + 1
            start = None
        elif start is None:
            start = word.start
    if start is not None:
        yield text[start:].strip(), text.count("\n", 0, start) + 1


def built_by(words: Sequence[SqlWord]) -> Built | None:
    """Return the relation that the statement *words* builds; None if it neither builds one nor is a query."""
    first = next((word.upper for word in words if word.text != "("), "")
    if first == "CREATE":
        for place, word in enumerate(words):
            if word.upper in ("TABLE", "VIEW"):
                name, _ = _name_at(words, _behind(words, place + 1, ("IF", "NOT", "EXISTS")))
                return Built(name, word.upper.lower()) if name else None
            if word.upper in ("AS", "FUNCTION", "PROCEDURE", "MACRO", "SCHEMA", "TYPE"):
                return None
        return None
    if first in _FILLING:
        place = _behind(words, 0, (first, "OR", "IGNORE", "INTO", "OVERWRITE", "TABLE", "ONLY"))
        name, _ = _name_at(words, place)
        return Built(name, "incremental") if name else None
    return Built((), "view") if first in _QUERIES else None


def find_relation_names(words: Sequence[SqlWord]) -> list[Name]:
    """Return the names in *words* at positions for relations only, in order, without duplicates."""
    found: dict[tuple[str, ...], Name] = {}
    for name in names_in(words):
        found.setdefault(tuple(part.text.lower() for part in name), name)
    return list(found.values())


def names_in(words: Sequence[SqlWord]) -> Iterator[Name]:
    """Yield the names in *words* at positions where only relations can occur."""
    ctes = {_cte_at(words, place) for place in range(len(words))} - {""}
    opened: list[str] = []
    lists: list[bool] = [False]  # for each open parenthesis, whether a FROM list continues
    expects, place = False, 0
    while place < len(words):
        word = words[place]
        upper = word.upper
        if word.text == "(" and not word.is_quoted:
            opened.append(words[place - 1].upper if place else "")
            lists.append(False)
        elif word.text == ")" and not word.is_quoted:
            opened = opened[:-1]
            lists = lists[:-1] or [False]
            expects = False
        # In other statements, USING begins the condition of a join.
        elif upper in _BEFORE or (upper == "USING" and any(word.upper == "MERGE" for word in words[:20])):
            expects = not _is_no_clause(words, place, opened)
            lists[-1] = lists[-1] or expects
        elif _is_before_name(words, place):
            expects = True
        elif upper in ("ON", "USING"):
            expects = False  # a comma after the condition of a join continues the list
        elif upper in _ENDS:
            lists[-1] = expects = False
        elif word.text == "," and lists[-1]:
            expects = True
        elif expects and word.is_name and upper not in _BESIDE_NAMES:
            name, place = _name_at(words, place)
            expects = False
            is_call = place < len(words) and words[place].text == "("
            if not is_call and not (len(name) == 1 and name[0].text.lower() in ctes):
                yield name
            continue
        place += 1


def _is_before_name(words: Sequence[SqlWord], place: int) -> bool:
    """Return True if the word at *place* is a PIVOT or SUMMARIZE before a relation."""
    upper = words[place].upper
    if upper == "SUMMARIZE":
        return place == 0
    if upper not in _PIVOTS or place + 1 == len(words) or not words[place + 1].is_name:
        return False
    _, behind = _name_at(words, place + 1)
    return behind < len(words) and words[behind].upper in ("AS", "GROUP", "ON", "USING")


def _is_no_clause(words: Sequence[SqlWord], place: int, opened: Sequence[str]) -> bool:
    """Return True if the FROM at *place* belongs to a function or to a comparison."""
    before = words[place - 1].upper if place else ""
    return words[place].upper == "FROM" and (
        before == "DISTINCT" or bool(opened and opened[-1] in _WITH_FROM)
    )


def _cte_at(words: Sequence[SqlWord], place: int) -> str:
    """Return the name of the CTE defined at *place*, in lower case; empty if there is no CTE."""
    word = words[place]
    before = words[place - 1] if place else None
    if not word.is_name or before is None:
        return ""
    if before.upper not in ("WITH", "RECURSIVE") and before.text != ",":
        return ""
    behind = place + 1
    if behind < len(words) and words[behind].text == "(":
        while behind < len(words) and words[behind].text != ")":
            behind += 1
        behind += 1
    kinds = [one.upper or one.text for one in words[behind : behind + 4]]
    if kinds[:1] == ["AS"] and "(" in kinds[1:]:
        return word.text.lower()
    return ""


def _behind(words: Sequence[SqlWord], place: int, passed: Sequence[str]) -> int:
    while place < len(words) and words[place].upper in passed:
        place += 1
    return place


def _name_at(words: Sequence[SqlWord], place: int) -> tuple[Name, int]:
    """Return the dotted name that begins at *place*, and the position after it."""
    parts: list[SqlWord] = []
    while place < len(words) and words[place].is_name:
        parts.append(words[place])
        place += 1
        if place + 1 >= len(words) or words[place].text != "." or words[place].is_quoted:
            break
        place += 1
    return tuple(parts), place
