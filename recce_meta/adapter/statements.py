"""User's SQL by keywords: the single statement, the privilege it needs, and whether it only reads.

Keywords come from sqlglot's tokens, so strings, comments and quoted names are never mistaken for keywords.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from recce_meta.errors import UsageError

if TYPE_CHECKING:
    from sqlglot import Token

COMMENTS = ("--", "/*", "#")
"""Comment markers of all warehouses."""


def single_statement(sql: str, dialect: str) -> str:
    """Return *sql* without its final semicolon; raise UsageError if it is empty or has several statements.

    PostgreSQL and DuckDB would run all statements and return the last one's rows; other warehouses refuse.
    """
    if ";" in sql:
        sql = sql[: _end(sql, dialect)]
    if not sql.strip() or _is_comment(sql, dialect):
        raise UsageError("No SQL to run")
    return sql


def _is_comment(sql: str, dialect: str) -> bool:
    """Return True if *sql*, which is not empty, consists of comments only."""
    if not sql.lstrip().startswith(COMMENTS):
        return False
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        return not Dialect.get_or_raise(dialect).tokenize(sql)
    except SqlglotError:
        return False  # the warehouse will report the error


def _end(sql: str, dialect: str) -> int:
    """Return the position of the final semicolon, or the length of *sql* without one."""
    from sqlglot import TokenType
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(sql)
    except SqlglotError as error:
        raise UsageError(
            f"Cannot find the end of the statement: {error}",
            hint="remove the semicolon, or close the open quote or comment",
        ) from error
    is_end = [token.token_type == TokenType.SEMICOLON for token in tokens]
    if True not in is_end:
        return len(sql)
    first = is_end.index(True)
    if not all(is_end[first:]):
        raise UsageError("The SQL contains several statements", hint="run them one by one")
    return tokens[first].start


_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE", "("})
"""First words of statements whose rows can be fetched in batches."""
_READING = _QUERIES | {"SHOW", "DESCRIBE", "DESC", "SUMMARIZE"}
_WRITING = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "CALL", "COPY", "CREATE", "DROP", "ALTER", "UESCAPE"}
)
"""Words that never occur in a statement that only reads; they exclude `FOR UPDATE` and `SELECT … INTO`.

`UESCAPE` hides the names of functions: U&"lo!005fimport" UESCAPE '!'.
"""


class Right(Enum):
    """Privilege that a role needs."""

    CREATE_SCHEMA = "create schema"
    CREATE_TABLE = "create table"
    WRITE = "write"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Need:
    """Required privilege, with the schema if known."""

    right: Right
    schema: str | None = None


def is_query(sql: str, dialect: str) -> bool:
    """Return True if *sql* begins like a query and contains no word that writes."""
    words = _words(_tokens(sql, dialect))
    return bool(words) and words[0] in _QUERIES and _WRITING.isdisjoint(words)


def only_reads(sql: str, dialect: str) -> bool:
    """Return True if *sql* can safely be run twice.

    It must begin with SELECT, WITH, VALUES, FROM, TABLE, SHOW, DESCRIBE or SUMMARIZE and contain no word that
    writes. It must call only functions that sqlglot knows, because a user-defined function may write.
    """
    tokens = _tokens(sql, dialect)
    words = _words(tokens)
    return (
        bool(words)
        and words[0] in _READING
        and _WRITING.isdisjoint(words)
        and not _has_unknown_call(tokens, dialect)
    )


def need_of(sql: str, dialect: str, message: str = "") -> Need | None:
    """Return the main privilege that *sql* needs; None if its first words do not show it.

    *message* is the server's, which may name the relation that it refuses.
    """
    tokens = _tokens(sql, dialect)
    words = _words(tokens)
    if not words:
        return None
    if words[0] == "CREATE":
        # `OR REPLACE` may come before the word.
        if "SCHEMA" in words[:4] or "DATABASE" in words[:4]:
            return Need(Right.CREATE_SCHEMA)
        return Need(Right.CREATE_TABLE, _schema_after(tokens, ("TABLE", "VIEW", "EXISTS")))
    if words[0] in ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE"):
        return Need(Right.WRITE, _schema_after(tokens, ("INTO", "UPDATE", "FROM", "COPY", "TABLE")))
    if words[0] in _READING:
        return Need(Right.READ, _schema_after(tokens, ("FROM", "JOIN"), message))
    return None


def writing_word(sql: str, dialect: str) -> tuple[str, bool] | None:
    """Return the first word of *sql* that a query does not have, and True if the statement begins with it.

    Return None for a query. Strings and quoted names are not words.
    """
    words = _words(_tokens(sql, dialect))
    if not words or words[0] not in _QUERIES:
        return (words[0] if words else sql.split(maxsplit=1)[0]), True
    return next(((word, False) for word in words if word in _WRITING), None)


def refuse_statement(sql: str, dialect: str) -> None:
    """Raise UsageError if *sql* begins with a word that writes, such as DROP."""
    found = writing_word(sql, dialect)
    if found is not None and found[0] in _WRITING and found[1]:
        raise UsageError(
            f"Not a query: the statement begins with {found[0]}",
            hint="only queries can be compared: SELECT, WITH, VALUES, FROM and TABLE",
        )


def called_names(sql: str, dialect: str) -> list[str]:
    """Return the names in *sql* that an opening parenthesis follows, without their schema."""
    from sqlglot import TokenType

    tokens = _tokens(sql, dialect)
    return [
        token.text
        for token, following in pairwise(tokens)
        if following.token_type is TokenType.L_PAREN and token.token_type is not TokenType.STRING
    ]


def names_in(sql: str, dialect: str) -> list[str]:
    """Return all names in *sql*, quoted or not: columns, relations, schemas, functions and keywords."""
    from sqlglot import TokenType

    literals = (TokenType.STRING, TokenType.HEREDOC_STRING, TokenType.RAW_STRING, TokenType.NUMBER)
    return [token.text for token in _tokens(sql, dialect) if token.token_type not in literals]


def _tokens(sql: str, dialect: str) -> list[Token]:
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        return list(Dialect.get_or_raise(dialect or None).tokenize(sql))
    except SqlglotError:
        return []  # treated as a statement that may write


def _words(tokens: Sequence[Token]) -> list[str]:
    """Return the tokens in upper case, with "" for strings and quoted names."""
    from sqlglot import TokenType

    hidden = (TokenType.STRING, TokenType.IDENTIFIER, TokenType.HEREDOC_STRING, TokenType.RAW_STRING)
    # Empty texts keep the positions of the tokens, which callers rely on.
    return ["" if token.token_type in hidden else token.text.upper() for token in tokens]


def _has_unknown_call(tokens: Sequence[Token], dialect: str) -> bool:
    from sqlglot import TokenType
    from sqlglot.dialects.dialect import Dialect

    known = Dialect.get_or_raise(dialect or None).parser_class.FUNCTIONS
    for index, token in enumerate(tokens[:-1]):
        if tokens[index + 1].token_type is not TokenType.L_PAREN:
            continue
        # A quoted name before a parenthesis is a function of a user, which may write.
        if token.token_type is TokenType.IDENTIFIER:
            return True
        is_name = token.token_type is TokenType.VAR
        # A function with a schema may be a user's own, whatever its name.
        is_member = index > 0 and tokens[index - 1].token_type is TokenType.DOT
        if is_member or (is_name and token.text.upper() not in known and token.text.upper() not in _SYNTAX):
            return True
    return False


_SYNTAX = frozenset({"CAST", "TRY_CAST", "CONVERT", "EXTRACT", "TRIM", "SUBSTRING", "POSITION", "OVERLAY"})
"""Functions with special syntax, which sqlglot does not list among its functions."""


def _schema_after(tokens: Sequence[Token], words: Sequence[str], message: str = "") -> str | None:
    """Return the schema of the first qualified name after one of *words*, or of the one that *message* names.

    Return None if *message* names a relation that *tokens* have in several schemas.
    """
    from sqlglot import TokenType

    names = (TokenType.VAR, TokenType.IDENTIFIER)
    found: list[list[str]] = []
    for index, word in enumerate(_words(tokens)):
        parts = []
        place = index + 1
        if word in words:
            while place < len(tokens) and tokens[place].token_type in names:
                parts.append(tokens[place].text)
                if place + 1 >= len(tokens) or tokens[place + 1].token_type is not TokenType.DOT:
                    break
                place += 2
        if len(parts) > 1:
            found.append(parts)
    # A statement may read several schemas, and the server names what it refuses.
    named = set(re.findall(r"\w+", message))
    refused = [parts for parts in found if parts[-1] in named or parts[-2] in named]
    schemas = list(dict.fromkeys(parts[-2] for parts in refused or found[:1]))
    return schemas[0] if len(schemas) == 1 else None
