"""Scopes of a text's SELECTs by its tokens: positions and tables, also of SQL that does not parse.

`query_text` resolves names, but needs SQL that parses. Completion runs where it does not parse yet, and needs
only the tables of the SELECT around the cursor.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recce_meta.lsp.text.positions import TextSpan

_BACKSLASH = frozenset(
    ("bigquery", "clickhouse", "databricks", "hive", "mysql", "snowflake", "spark", "spark2")
)
"""Dialects where a backslash escapes a quote."""
_HASH = frozenset(("bigquery", "mysql"))
"""Dialects where `#` begins a comment."""
_TEXT_IN_DOUBLE = frozenset(("bigquery", "databricks", "hive", "mysql", "spark", "spark2"))
"""Dialects where double quotes enclose strings."""

_QUERY_STARTS = frozenset(("select", "with", "values"))
_BEFORE_QUERY = frozenset(
    ("as", "in", "exists", "any", "all", "some", "union", "except", "intersect", "materialized")
)
"""Words before parentheses of a query; other words are the name of a function."""
_SET_OPERATIONS = frozenset(("union", "intersect", "except", "minus"))
_CLAUSES = frozenset(
    "select from join where group having order limit offset qualify window on using with fetch".split()
)
_WITH_FROM = frozenset(("extract", "substring", "trim", "overlay", "position"))
"""Functions with FROM between their arguments."""
_NOT_ALIASES = frozenset(
    "on using where group having order limit offset qualify window union intersect except minus join left"
    " right inner outer full cross natural lateral tablesample pivot unpivot asof anti semi fetch for select"
    " from as global positional any all final sample prewhere array settings match_recognize connect start"
    " with".split()
)
_BEFORE_JOIN = frozenset(("only", "lateral", "table"))


class ScopeWord(NamedTuple):
    """Token of a text in SQL."""

    kind: str
    """comment, string, quoted, word or sign."""
    start: int
    end: int
    text: str
    """Lower case for a word; without quotes for a quoted identifier."""

    @property
    def is_name(self) -> bool:
        """True for an identifier, and also for a keyword."""
        return self.kind in ("word", "quoted")


@dataclass
class ScopeTable:
    """Item of FROM or JOIN."""

    span: TextSpan
    """Its dotted name, or the subquery without its parentheses."""
    name: str
    """Dotted name without quotes; empty for a subquery."""
    alias: str | None = None

    @property
    def key(self) -> str:
        """Name that qualifies its columns."""
        return self.alias or self.name.rpartition(".")[2]


@dataclass
class SelectScope:
    """One SELECT: the text of a query, or of one operand of a set operation, without nested queries."""

    start: int
    end: int
    parent: SelectScope | None = None
    """Query around it, if it can read that query's tables: None for a CTE and a query in FROM."""
    cte: str | None = None
    """Name of the CTE whose query it is."""
    tables: list[ScopeTable] = field(default_factory=list)
    clauses: list[tuple[int, str]] = field(default_factory=list)
    """Keywords that begin a clause, with their offset."""

    def clause_at(self, offset: int) -> str:
        """Return the keyword of the clause around *offset*; empty before the first."""
        index = bisect_left(self.clauses, (offset, ""))
        return self.clauses[index - 1][1] if index else ""

    def table(self, key: str) -> ScopeTable | None:
        """Return the table that *key* qualifies, also of a query around this one."""
        found = next((table for table in self.tables if table.key.lower() == key.lower()), None)
        return found or (self.parent.table(key) if self.parent else None)


class SqlScopes:
    """Tokens and scopes of one text."""

    def __init__(self, masked: str, dialect: str) -> None:
        """Read the scopes of *masked*, the mask of a template (see `ModelTemplate.masked`)."""
        self.words = scope_words(masked, dialect)
        walk = _ScopeWalk(masked, [word for word in self.words if word.kind != "comment"])
        self.scopes = walk.scopes

    def at(self, offset: int) -> SelectScope:
        """Return the innermost scope around *offset*."""
        around = [scope for scope in self.scopes if scope.start <= offset <= scope.end]
        return max(around, key=lambda scope: (scope.start, -scope.end))

    def word_at(self, offset: int) -> ScopeWord | None:
        """Return the token that *offset* is inside of, its start excluded and its end included."""
        index = bisect_left(self.words, offset, key=lambda word: word.start)
        word = self.words[index - 1] if index else None
        return word if word is not None and word.end >= offset else None

    def before(self, offset: int) -> Sequence[ScopeWord]:
        """Return the tokens that end at *offset* or before it, comments excluded."""
        index = bisect_right(self.words, offset, key=lambda word: word.end)
        return [word for word in self.words[:index] if word.kind != "comment"]

    def tables_of_star(self, star: TextSpan) -> list[ScopeTable]:
        """Return the tables whose columns the `*` at *star* stands for."""
        scope = self.at(star.start)
        index = bisect_left(self.words, star.start, key=lambda word: word.start)
        # The span of a star may include its qualifier.
        end = bisect_right(self.words, star.end, key=lambda word: word.end)
        names = [word for word in self.words[index:end] if word.is_name]
        if not names and index > 1 and self.words[index - 1].text == ".":
            names = [self.words[index - 2]]
        if not names:
            return scope.tables
        table = scope.table(names[-1].text)
        return [table] if table is not None else []


def scope_words(text: str, dialect: str) -> list[ScopeWord]:
    """Return the tokens of *text*; a string or comment that is not closed reaches to its end."""
    found = []
    for match in _pattern(dialect).finditer(text):
        kind, value = str(match.lastgroup), match[0]
        if kind == "word":
            value = value.lower()
        elif kind == "quoted":
            value = value[1:-1] if len(value) > 1 and value[-1] in '"`]' else value[1:]
        found.append(ScopeWord(kind, match.start(), match.end(), value))
    return found


def _pattern(dialect: str) -> re.Pattern[str]:
    inner = r"[^'\\]|''|\\." if dialect in _BACKSLASH else "[^']|''"
    double = r"\"(?:[^\"\\]|\\.)*(?:\"|\Z)" if dialect in _TEXT_IN_DOUBLE else r"(?!)"
    comments = [r"--[^\r\n]*", r"/\*.*?(?:\*/|\Z)", *([r"\#[^\r\n]*"] if dialect in _HASH else [])]
    return re.compile(
        rf"(?P<comment>{'|'.join(comments)})"
        rf"|(?P<string>'(?:{inner})*(?:'|\Z)|{double}|\$\$.*?(?:\$\$|\Z))"
        r"|(?P<quoted>\"(?:[^\"]|\"\")*(?:\"|\Z)|`[^`]*(?:`|\Z))"
        r"|(?P<word>[\w$]+)|(?P<sign>\S)",
        re.DOTALL,
    )


@dataclass
class _Paren:
    """Open parenthesis of the walk."""

    scope: SelectScope
    """Scope to go back to."""
    is_query: bool
    is_tables: bool
    """True for parentheses around joined tables."""
    function: str = ""
    table: ScopeTable | None = None
    """Table that a subquery of FROM becomes."""


class _ScopeWalk:
    """Walk over tokens that collects scopes."""

    def __init__(self, masked: str, words: Sequence[ScopeWord]) -> None:
        self.words, self.masked, self.length = words, masked, len(masked)
        self.scope = SelectScope(0, self.length)
        self.scopes = [self.scope]
        self.parens: list[_Paren] = []
        self.wants_table = False
        self.last: ScopeTable | None = None
        """Table that an alias may follow."""
        position = 0
        while position < len(words):
            position = self._step(position)
        for scope in self.scopes:
            scope.clauses.sort()

    def _text(self, position: int) -> str:
        return self.words[position].text if 0 <= position < len(self.words) else ""

    def _name(self, word: ScopeWord) -> str:
        """Return the identifier *word* in its own case."""
        return self.masked[word.start : word.end] if word.kind == "word" else word.text

    def _step(self, position: int) -> int:
        """Read the token at *position*, and return the position of the next one to read."""
        word = self.words[position]
        if word.text == "(" and word.kind == "sign":
            self._open(position)
        elif word.text == ")" and word.kind == "sign":
            self._close(word)
        elif word.text == ";" or (word.kind == "word" and self._is_set_operation(position)):
            self._next_operand(word)
        elif word.kind == "word" and word.text in _CLAUSES and not self._is_member(position):
            if not self._is_comparison(position):
                self._clause(word)
        elif self.wants_table and word.is_name and word.text not in _BEFORE_JOIN:
            return self._table(position)
        elif self.last is not None and word.is_name:
            self._alias(word)
        elif word.text == ",":
            self.last = None
            self.wants_table = self._in_tables() and self.scope.clause_at(word.start) in ("from", "join")
        elif word.text != "as" and word.kind != "word":
            self.last = None
        return position + 1

    def _is_member(self, position: int) -> bool:
        """Return True for a part of a dotted name; in the half-typed `o. from`, the keyword is none."""
        word, before, after = (
            self.words[position],
            self.words[position - 1],
            self.words[position + 1 : position + 2],
        )
        is_after = position > 0 and before.text == "." and before.end == word.start
        return is_after or (bool(after) and after[0].text == "." and after[0].start == word.end)

    def _is_comparison(self, position: int) -> bool:
        """Return True for the FROM of `a is [not] distinct from b`."""
        return self._text(position - 1) == "distinct" and self._text(position - 2) in ("is", "not")

    def _in_tables(self) -> bool:
        """Return True unless in parentheses of an expression."""
        return not self.parens or self.parens[-1].is_query or self.parens[-1].is_tables

    def _is_set_operation(self, position: int) -> bool:
        word = self._text(position)
        if word not in _SET_OPERATIONS or not self._in_tables() or self._is_member(position):
            return False
        # `* except (a)` names columns to leave out.
        return word != "except" or self._text(position - 1) != "*"

    def _next_operand(self, word: ScopeWord) -> None:
        scope = self.scope
        end, scope.end = scope.end, word.start
        self.scope = SelectScope(word.end, end, scope.parent, scope.cte)
        self.scopes.append(self.scope)
        self.last, self.wants_table = None, False

    def _clause(self, word: ScopeWord) -> None:
        if word.text == "from":
            # A call that is not closed yet: `count( from orders`.
            while self.parens and not (self.parens[-1].is_query or self.parens[-1].is_tables):
                if self.parens[-1].function in _WITH_FROM:
                    return
                self.parens.pop()
        if not self._in_tables():
            return
        self.scope.clauses.append((word.start, word.text))
        self.wants_table, self.last = word.text in ("from", "join"), None

    def _table(self, position: int) -> int:
        first = self.words[position]
        parts, end = [self._name(first)], first.end
        position += 1
        while self._text(position) == "." and position + 1 < len(self.words):
            following = self.words[position + 1]
            if not following.is_name:
                break
            parts.append(self._name(following))
            end, position = following.end, position + 2
        self.last = ScopeTable(TextSpan(first.start, end), ".".join(parts))
        self.scope.tables.append(self.last)
        self.wants_table = False
        return position

    def _alias(self, word: ScopeWord) -> None:
        if word.text == "as" and word.kind == "word":
            return
        if self.last is not None and (word.kind == "quoted" or word.text not in _NOT_ALIASES):
            self.last.alias = self._name(word)
        self.last = None

    def _open(self, position: int) -> None:
        word, following = self.words[position], self._text(position + 1)
        before = self.words[position - 1] if position else None
        function = before.text if before is not None and before.kind == "word" else ""
        is_query = following in _QUERY_STARTS or (following == "(" and self.wants_table)
        # DuckDB accepts `(from orders)`; `count( from orders` is a call that is not closed yet.
        is_query = is_query or (following == "from" and (not function or function in _BEFORE_QUERY))
        paren = _Paren(self.scope, is_query, self.wants_table and not is_query, function)
        if paren.is_query:
            self._open_query(paren, word, position)
        elif self.last is not None and before is not None and before.end == self.last.span.end:
            # A function of tables, such as `unnest(x) as u`, or `t (a, b)`.
            paren.table = self.last
        self.parens.append(paren)
        self.last = None

    def _open_query(self, paren: _Paren, word: ScopeWord, position: int) -> None:
        cte = self._cte_before(position)
        start = TextSpan(word.end, self.length)
        if self.wants_table:
            paren.table = ScopeTable(start, "")
            self.scope.tables.append(paren.table)
        outer = None if cte is not None or self.wants_table else self.scope
        self.scope = SelectScope(word.end, self.length, outer, cte)
        self.scopes.append(self.scope)
        self.wants_table = False

    def _cte_before(self, position: int) -> str | None:
        """Return the name in `name [(columns)] as [not materialized] (`."""
        position -= 1
        while self._text(position) in ("materialized", "not"):
            position -= 1
        if self._text(position) != "as" or self.wants_table:
            return None
        position -= 1
        if self._text(position) == ")":
            while position >= 0 and self._text(position) != "(":
                position -= 1
            position -= 1
        return self._name(self.words[position]) if position >= 0 and self.words[position].is_name else None

    def _close(self, word: ScopeWord) -> None:
        if not self.parens:
            return
        paren = self.parens.pop()
        if paren.is_query:
            self.scope.end = word.start
            self.scope = paren.scope
        if paren.table is not None and not paren.table.name:
            paren.table.span = TextSpan(paren.table.span.start, word.start)
        self.last, self.wants_table = paren.table, False
