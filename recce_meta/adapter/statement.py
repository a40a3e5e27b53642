"""The user's SQL as one statement: sent as it is written, but for the semicolon that ends it."""

from __future__ import annotations

from recce_meta.errors import UsageError

COMMENTS = ("--", "/*", "#")
"""How comments begin, in one warehouse or another."""


def single_statement(sql: str, dialect: str) -> str:
    """*sql* without its final semicolon; an error if there are several statements, or none.

    PostgreSQL and DuckDB would run several and give the last one's rows; other warehouses refuse them.
    """
    if ";" in sql:
        sql = sql[: _end(sql, dialect)]
    if not sql.strip() or _is_comment(sql, dialect):
        raise UsageError("There is no SQL to run")
    return sql


def _is_comment(sql: str, dialect: str) -> bool:
    """Whether *sql*, which is not empty, holds comments alone."""
    if not sql.lstrip().startswith(COMMENTS):
        return False
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        return not Dialect.get_or_raise(dialect).tokenize(sql)
    except SqlglotError:
        return False  # whatever it is, the warehouse will say


def _end(sql: str, dialect: str) -> int:
    """Where the only statement ends: at its semicolon, or at the end of the text."""
    from sqlglot import TokenType
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(sql)
    except SqlglotError as error:
        raise UsageError(
            f"Cannot tell where the statement ends: {error}",
            hint="remove the semicolon, or close what is open",
        ) from error
    is_end = [token.token_type == TokenType.SEMICOLON for token in tokens]
    if True not in is_end:
        return len(sql)
    first = is_end.index(True)
    if not all(is_end[first:]):
        raise UsageError("The SQL holds several statements", hint="run them one by one")
    return tokens[first].start
