"""Ephemeral models as common table expressions, put where dbt puts them."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
    (?P<skip> --[^\n]* | \#[^\n]* | /\*.*?\*/ | '(?:[^'\\]|''|\\.)*' | "(?:[^"]|"")*" | `[^`]*`
            | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | \s+ )
  | (?P<open> \( ) | (?P<close> \) ) | (?P<word> \w+ ) | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def inject(sql: str, expressions: list[str]) -> str:
    """*sql* with *expressions* (`name as (…)`) as its first common table expressions.

    A `with` that the statement has takes them; else one is put before its first word.
    """
    if not expressions:
        return sql
    joined = ", ".join(f" {expression}" for expression in expressions)
    position = _after_with(sql)
    if position is None:
        start = len(sql) - len(sql.lstrip())
        return f"{sql[:start]}with{joined} {sql[start:]}"
    return f"{sql[:position]}{joined}, {sql[position:].lstrip()}"


def wrap(sql: str, expressions: list[str]) -> str:
    """*sql* behind *expressions* as dbt 2 writes it: within another query, unless it has a `with`."""
    if not expressions or _after_with(sql) is not None:
        return inject(sql, expressions)
    return (
        f"with {', '.join(expressions)}\n--EPHEMERAL-SELECT-WRAPPER-START\nselect * from (\n"
        f"{sql}\n--EPHEMERAL-SELECT-WRAPPER-END\n)"
    )


def _after_with(sql: str) -> int | None:
    """Where the first `with`, or `with recursive`, outside of parentheses ends."""
    depth = 0
    found: int | None = None
    for token in _TOKEN.finditer(sql):
        kind = token.lastgroup
        if kind in ("skip", "tag"):
            continue
        word = token["word"]
        if found is not None:
            return token.end() if word is not None and word.lower() == "recursive" else found
        depth += (kind == "open") - (kind == "close")
        if word is not None and word.lower() == "with" and depth == 0:
            found = token.end()
    return found
