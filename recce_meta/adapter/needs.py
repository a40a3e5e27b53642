"""What a statement needs, as far as its words tell: which right, and whether it only reads.

Words are sqlglot's tokens, so that nothing inside a text, a comment or a quoted name is taken for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import Token

_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE", "("})
"""How a statement begins whose rows can be fetched little by little."""
_READING = _QUERIES | {"SHOW", "DESCRIBE", "DESC", "SUMMARIZE"}
_WRITING = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "CALL", "COPY", "CREATE", "DROP", "ALTER"}
)
"""What no statement that only reads holds: `FOR UPDATE` and `SELECT … INTO` neither."""


class Right(Enum):
    """What a role must be allowed to do."""

    CREATE_SCHEMA = "create schema"
    CREATE_TABLE = "create table"
    WRITE = "write"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Need:
    """A right, and where."""

    right: Right
    schema: str | None = None


def is_query(sql: str, dialect: str) -> bool:
    """Whether *sql* is a query: it begins like one, and no word in it writes."""
    words = _words(_tokens(sql, dialect))
    return bool(words) and words[0] in _QUERIES and _WRITING.isdisjoint(words)


def only_reads(sql: str, dialect: str) -> bool:
    """Whether *sql*, run twice, does no more than run once.

    It begins with SELECT, WITH, VALUES, FROM, TABLE, SHOW, DESCRIBE or SUMMARIZE, holds no word that writes,
    and calls no function but those that sqlglot knows: any other may be the user's own, and write.
    """
    tokens = _tokens(sql, dialect)
    words = _words(tokens)
    return (
        bool(words)
        and words[0] in _READING
        and _WRITING.isdisjoint(words)
        and not _has_unknown_call(tokens, dialect)
    )


def need_of(sql: str, dialect: str) -> Need | None:
    """The right that *sql* needs most; None where its first words do not tell."""
    tokens = _tokens(sql, dialect)
    words = _words(tokens)
    if not words:
        return None
    if words[0] == "CREATE":
        if "SCHEMA" in words[:4] or "DATABASE" in words[:4]:
            return Need(Right.CREATE_SCHEMA)
        return Need(Right.CREATE_TABLE, _schema_after(tokens, ("TABLE", "VIEW", "EXISTS")))
    if words[0] in ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE"):
        return Need(Right.WRITE, _schema_after(tokens, ("INTO", "UPDATE", "FROM", "COPY", "TABLE")))
    if words[0] in _READING:
        return Need(Right.READ, _schema_after(tokens, ("FROM",)))
    return None


def _tokens(sql: str, dialect: str) -> list[Token]:
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        return list(Dialect.get_or_raise(dialect or None).tokenize(sql))
    except SqlglotError:
        return []  # whatever it is, it is not known to read


def _words(tokens: Sequence[Token]) -> list[str]:
    """What is neither a text nor a quoted name, in upper case."""
    from sqlglot import TokenType

    hidden = (TokenType.STRING, TokenType.IDENTIFIER, TokenType.HEREDOC_STRING, TokenType.RAW_STRING)
    return ["" if token.token_type in hidden else token.text.upper() for token in tokens]


def _has_unknown_call(tokens: Sequence[Token], dialect: str) -> bool:
    from sqlglot import TokenType
    from sqlglot.dialects.dialect import Dialect

    known = Dialect.get_or_raise(dialect or None).parser_class.FUNCTIONS
    for index, token in enumerate(tokens[:-1]):
        if tokens[index + 1].token_type is not TokenType.L_PAREN:
            continue
        if token.token_type is TokenType.IDENTIFIER:
            return True
        is_name = token.token_type is TokenType.VAR
        is_member = index > 0 and tokens[index - 1].token_type is TokenType.DOT
        if is_member or (is_name and token.text.upper() not in known and token.text.upper() not in _SYNTAX):
            return True
    return False


_SYNTAX = frozenset({"CAST", "TRY_CAST", "CONVERT", "EXTRACT", "TRIM", "SUBSTRING", "POSITION", "OVERLAY"})
"""Words before a parenthesis that sqlglot parses by rules of their own."""


def _schema_after(tokens: Sequence[Token], words: Sequence[str]) -> str | None:
    """The schema of the first qualified name after one of *words*."""
    from sqlglot import TokenType

    names = (TokenType.VAR, TokenType.IDENTIFIER)
    found = _words(tokens)
    for index, word in enumerate(found):
        parts = []
        place = index + 1
        if word in words:
            while place < len(tokens) and tokens[place].token_type in names:
                parts.append(tokens[place].text)
                if place + 1 >= len(tokens) or tokens[place + 1].token_type is not TokenType.DOT:
                    break
                place += 2
        if len(parts) > 1:
            return parts[-2]
    return None
