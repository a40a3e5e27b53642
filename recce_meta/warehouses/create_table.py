"""Parser of CREATE TABLE statements for facts that the catalog does not expose.

In SQLite: checks, names of constraints, expressions of computed columns, collations, AUTOINCREMENT and
DEFERRABLE. In DuckDB: computed columns, and collations.
https://www.sqlite.org/lang_createtable.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

# The order matters: comments and strings come first, because they may contain any other token.
_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))"""
    r"""|(?P<string>'(?:[^']|'')*')"""
    r"""|(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])"""
    r"""|(?P<word>[^\W\d][\w$]*)"""
    r"""|(?P<other>.)""",
    re.DOTALL,
)
_TABLE_WORDS = frozenset(["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"])
"""First words of a table constraint, as opposed to a column definition."""


class Token(Struct, frozen=True):
    """A word, quoted name, string or symbol."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """Return the text in upper case if it is an unquoted word, else an empty string."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """Return the identifier without quotes."""
        first = self.text[0]
        if first == "[":
            return self.text[1:-1]
        return self.text[1:-1].replace(first * 2, first) if first in "\"'`" else self.text


class TableConstraint(Struct, frozen=True, kw_only=True):
    """A constraint as written in the SQL."""

    type: str
    name: str | None
    columns: tuple[str, ...]
    expression: str | None = None
    is_deferrable: bool = False
    is_deferred: bool = False


class TableColumn(Struct, kw_only=True):
    """Properties of a column in the SQL."""

    generated: str | None = None
    collation: str | None = None
    is_autoincrement: bool = False


class TableText(Struct):
    """Columns and constraints of one CREATE TABLE."""

    columns: dict[str, TableColumn]
    """By name in lower case."""
    constraints: list[TableConstraint]


def read_table(sql: str) -> TableText:
    """Parse *sql*, a CREATE TABLE; return an empty result for any other statement."""
    found = TableText({}, [])
    for part in _parts(sql):
        if part[0].kind == "word" and part[0].word in _TABLE_WORDS:
            _Definition(sql, part, found, None).read()
        else:
            name = part[0].name
            found.columns[name.lower()] = TableColumn()
            _Definition(sql, part[1:], found, name).read()
    return found


def by_table(
    answer: Sequence[Sequence[Any]], correct: Callable[[list[list[Any]]], list[list[Any]]]
) -> list[list[Any]]:
    """Return the rows of *answer*, which begin with schema and table, after *correct* corrects each
    table's rows.
    """
    # `groupby` only joins neighbours.
    rows = sorted((list(row) for row in answer), key=lambda row: (row[0], row[1]))
    return [row for _, some in groupby(rows, key=lambda row: (row[0], row[1])) for row in correct(list(some))]


def tokens_of(sql: str) -> list[Token]:
    """Return the tokens of *sql* without blanks and comments."""
    return [
        Token(match.lastgroup or "other", match[0], match.start(), match.end())
        for match in _TOKEN.finditer(sql)
        if match.lastgroup != "blank"
    ]


def _parts(sql: str) -> list[list[Token]]:
    """Return the comma-separated definitions between the outermost parentheses."""
    tokens = tokens_of(sql)
    start = next((i for i, token in enumerate(tokens) if token.text == "("), len(tokens))
    if any(token.word in ("AS", "USING") for token in tokens[:start]):
        return []  # CREATE TABLE … AS is stored without its query; USING is for virtual tables
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens[start:]:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0:
            break
        if depth == 1 and token.text == "(" and not parts[-1] and len(parts) == 1:
            continue
        if depth == 1 and token.text == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


class _Definition:
    """One column with its constraints, or one table constraint."""

    def __init__(self, sql: str, tokens: Sequence[Token], found: TableText, column: str | None) -> None:
        self._sql, self._tokens, self._found, self._column = sql, tokens, found, column
        self._at = 0
        self._name: str | None = None

    def read(self) -> None:
        """Parse the definition into the result."""
        column = self._found.columns.get((self._column or "").lower(), TableColumn())
        while self._at < len(self._tokens):
            word = self._next().word
            if word == "CONSTRAINT":
                self._name = self._next().name
            elif word == "CHECK":
                self._keep("check", self._own(), expression=self._parenthesised())
            elif word in ("PRIMARY", "UNIQUE"):
                if word == "PRIMARY":
                    self._next()
                self._keep("primary_key" if word == "PRIMARY" else "unique", self._listed())
            elif word == "FOREIGN":
                self._next()
                self._foreign_key(self._listed())
            elif word == "REFERENCES":
                self._foreign_key(self._own(), is_told=True)
            elif word in ("AS", "GENERATED") and self._column is not None:
                column.generated = column.generated or self._generated()
            elif word == "COLLATE" and self._column is not None:
                column.collation = self._dotted()
            elif word == "AUTOINCREMENT":
                column.is_autoincrement = True
            # A name in front of NOT NULL must not become that of the next constraint.
            elif word in ("NOT", "NULL", "DEFAULT"):
                if word == "DEFAULT" and self._peek() == "(":
                    self._parenthesised()
                self._name = None

    def _own(self) -> tuple[str, ...]:
        return () if self._column is None else (self._column,)

    def _keep(self, kind: str, columns: tuple[str, ...], **values: object) -> None:
        self._found.constraints.append(
            TableConstraint(type=kind, name=self._name, columns=columns, **values)  # type: ignore[arg-type]
        )
        self._name = None

    def _dotted(self) -> str:
        """Return a dotted name: DuckDB's collations can be combined, as in `NOCASE.NOACCENT`."""
        names = [self._next().name]
        while self._peek() == ".":
            self._next()
            names.append(self._next().name)
        return ".".join(names)

    def _generated(self) -> str | None:
        while self._at < len(self._tokens) and self._peek() != "(":
            self._next()
        return self._parenthesised()

    def _foreign_key(self, columns: tuple[str, ...], *, is_told: bool = False) -> None:
        """Parse a foreign key from REFERENCES up to the next clause."""
        # A foreign key of a column ends at the next clause, one of the table at its end.
        words: list[str] = []
        while self._at < len(self._tokens):
            word = self._tokens[self._at].word
            if is_told and word in ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "DEFAULT", "COLLATE", "AS"):
                break
            if is_told and word in ("GENERATED", "REFERENCES"):
                break
            words.append(self._next().word)
        text = " ".join(words)
        is_deferrable = "DEFERRABLE" in words and "NOT DEFERRABLE" not in text
        self._keep(
            "foreign_key",
            columns,
            is_deferrable=is_deferrable,
            is_deferred=is_deferrable and "INITIALLY DEFERRED" in text,
        )

    def _listed(self) -> tuple[str, ...]:
        """Return the columns in the parentheses that follow, or the definition's own column without
        parentheses.
        """
        if self._peek() != "(":
            return self._own()
        names: list[str] = []
        depth = 0
        is_name = False
        while self._at < len(self._tokens):
            token = self._next()
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                break
            if is_name:
                names.append(token.name)
            is_name = depth == 1 and token.text in ("(", ",")
        return tuple(names)

    def _parenthesised(self) -> str | None:
        """Return the text of the parentheses that follow."""
        if self._peek() != "(":
            return None
        start = self._tokens[self._at].end
        depth = 0
        while self._at < len(self._tokens):
            token = self._next()
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return self._sql[start : token.start].strip()
        return None

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _next(self) -> Token:
        token = self._tokens[self._at] if self._at < len(self._tokens) else Token("other", " ", 0, 0)
        self._at += 1
        return token
