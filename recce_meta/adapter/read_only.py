"""Check that a user's statement is one query, before it is sent to a connection that only reads.

The check prevents mistakes and does not replace privileges: a user-defined function may write, and in a
warehouse without read-only transactions nothing else stops it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from recce_meta.adapter.statements import called_names, names_in, single_statement, writing_word
from recce_meta.errors import UsageError, quoted, shorten
from recce_meta.warehouses import Warehouse

_WORD_LENGTH = 40
HIDDEN_NAME = "*\\*"
"""Pattern of a name whose letters are hidden: U&"…\\005f…"."""
_WORD = re.compile(r"\w+")


def require_query(sql: str, warehouse: Warehouse, *, is_guarded: bool = False) -> str:
    """Return *sql* without its final semicolon; raise UsageError unless it is one query that only reads.

    It must begin like a query, contain no word that writes, and call none of the warehouse's
    `changing_functions`. With *is_guarded*, for users who do not own the connection, it must not contain the
    names of `host_functions` either, not even in strings, which can name relations. If the warehouse has no
    read-only transactions, sqlglot must also understand it.
    """
    sql = single_statement(sql, warehouse.dialect)
    found = writing_word(sql, warehouse.dialect)
    if found is not None:
        word, is_first = found
        if is_first:
            raise UsageError(
                f"Not a query: the statement begins with {quoted(shorten(word, _WORD_LENGTH))}",
                hint="only queries can be run: SELECT, WITH, VALUES, FROM and TABLE",
            )
        raise UsageError(
            f"Not a query that only reads: the statement contains {word}",
            hint="if this is the name of a column or table, put it in quotes",
        )
    for name in called_names(sql, warehouse.dialect):
        if _matches(name, warehouse.changing_functions):
            raise UsageError(
                f"Function '{name}' is refused: it changes something although a query calls it",
                hint="run it with a client of the warehouse",
            )
    if is_guarded:
        _refuse_host(sql, warehouse)
    if not warehouse.has_read_only_transactions:
        _require_understood(sql, warehouse)
    return sql


def require_condition(sql: str, warehouse: Warehouse) -> None:
    """Raise UsageError unless *sql*, a user's condition on rows, is guarded like a query."""
    # A condition can call the same functions as a query.
    require_query(f"SELECT 1 WHERE (\n{sql}\n)", warehouse, is_guarded=True)


def require_expression(sql: str, warehouse: Warehouse) -> None:
    """Raise UsageError unless *sql*, a user's expression of columns, is guarded like a query."""
    require_query(f"SELECT (\n{sql}\n)", warehouse, is_guarded=True)


def _refuse_host(sql: str, warehouse: Warehouse) -> None:
    """Raise UsageError if *sql* contains a name of the warehouse's `host_functions`, called or not."""
    if warehouse.has_unsure_escapes and "\\'" in sql:
        raise UsageError(
            "A backslash before a quote is refused: settings decide if the string ends there",
            hint="use chr(92) for the backslash, or two quotes for the quote",
        )
    words = _WORD.findall(sql)  # of strings and comments, too: query_table('pg_settings')
    for name in (*names_in(sql, warehouse.dialect), *words):
        if _matches(name, warehouse.host_functions):
            raise UsageError(
                f"'{shorten(name, _WORD_LENGTH)}' is refused: it may show files, settings or sessions of the"
                " warehouse",
                hint="if this is a column or a table of yours, give it an alias or a view of another name",
            )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    """Return True if *name* is hidden or matches one of *patterns*; DuckDB skips invisible characters."""
    visible = "".join(filter(str.isprintable, name.lower()))
    return any(fnmatchcase(visible, pattern) for pattern in (HIDDEN_NAME, *patterns))


def _require_understood(sql: str, warehouse: Warehouse) -> None:
    """Raise UsageError unless sqlglot parses *sql* as a query without a statement that writes inside."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, dialect=warehouse.dialect)
    except SqlglotError as error:
        raise UsageError(
            f"Cannot verify that the statement only reads: {str(error).splitlines()[0]}",
            hint=f"{warehouse.name} has no read-only transactions; use SQL that sqlglot parses",
        ) from error
    # SELECT … INTO creates a table, and FOR UPDATE locks rows.
    writing = tree.find(exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock)
    if writing is not None or not isinstance(tree, (exp.Query, exp.Values)):
        raise UsageError(
            "Not a query that only reads", hint="only queries can be run: SELECT, WITH and VALUES"
        )
