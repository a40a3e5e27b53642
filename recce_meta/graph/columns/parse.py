"""SQL text to the one query in it, within limits.

Rules of this module:

- Of several statements the last counts that yields columns.
- `INSERT … SELECT`, `CREATE TABLE AS` and `CREATE VIEW` mean their query, under the target's column names.
- `UPDATE` and `MERGE` mean a SELECT of what they assign, from the relations that they read.
- sqlglot's parser descends once for every level of nesting, and nothing can stop it from outside. So the
  text is cut into tokens first, which is quick and flat: too many tokens for the time that is left, or
  levels too many, are refused before the parser sees them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect

from recce_meta.dialects.named_in_text import put_named_relations
from recce_meta.dialects.tokens import STUMBLES, unambiguous, without_added_brackets
from recce_meta.dialects.types import Sql
from recce_meta.errors import SqlNotAnalysed, UsageError
from recce_meta.graph.columns.context import Deadline
from recce_meta.graph.columns.hidden import reveal_columns
from recce_meta.graph.columns.room import IS_COMPILED, in_time, on_deep_stack
from recce_meta.graph.columns.statements import Created, created_by, deleted_by, query_of, text_within

MOST_LEVELS = 1000
"""Of nesting: parentheses, brackets, CASE, and prefix operators in a row."""
SHALLOW = 25
"""Up to so many levels the caller's own stack is enough."""
FEW_JOINS, MOST_JOINS = 200, 3000
"""The parser descends at joins without condition, too."""
FEW_TOKENS = 20_000
"""In longer texts there may be more that it descends at."""
TOKENS_PER_SECOND = 60_000 if IS_COMPILED else 20_000
"""What sqlglot's parser manages at least, on a slow machine."""

_BYTE_ORDER_MARK = "\ufeff"
_TOKEN = re.compile(r"<Token token_type: .*?, text: (.*?), line: \d+, col: .*?>")
"""How sqlglot shows what it stumbled over."""
_SILENCE = logging.NullHandler()

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_PREFIXES = ("NOT", "DASH", "PLUS", "TILDA", "TILDE", "LT", "FROM")
_PREFIX = frozenset(kind for kind in TokenType if kind.name in _PREFIXES)
_GENERICS = ("ARRAY", "LIST", "MAP", "NULLABLE", "OBJECT", "ROW", "STRUCT")
_GENERIC = frozenset(kind for kind in TokenType if kind.name in _GENERICS)
"""Types that hold types in angle brackets."""
_COUNTED = _OPENING | _CLOSING | _PREFIX | {TokenType.GT}


class Statement:
    """A query, and what the statement around it says about its columns."""

    def __init__(
        self,
        query: Sql,
        names: tuple[str, ...],
        target: str | None,
        variables: Mapping[str, Sql],
        created: Sequence[Created] = (),
        kind: str = "",
    ) -> None:
        self.query = query
        self.kind = kind
        """sqlglot's word of the statement in a script, such as `create` or `insert`."""
        self.created = created
        """What the statements before it create, in order."""
        self.variables = variables
        """What the statements before it declare, and the declarations."""
        self.names = names
        """What the statement calls the columns, in order; empty where the query's own names count."""
        self.target = target
        """The relation that an INSERT without a list of columns writes."""


@lru_cache(maxsize=2)
def tokens_of(sql: str, dialect: str) -> list[Token]:
    """The tokens of *sql*, kept for the two texts of a comparison. Callers must not change the list."""
    return list(Dialect.get_or_raise(dialect or None).tokenize(sql.removeprefix(_BYTE_ORDER_MARK)))


def parse(sql: str, dialect: str, deadline: Deadline) -> tuple[Statement, int]:
    """The query in *sql*, and how many levels deep it is.

    Raises SqlNotAnalysed where there is none, where it does not parse, and where it is too deep or too long.
    """
    if not isinstance(sql, str):
        raise UsageError(f"sql is {sql!r:.60}, and no text")
    sql = sql.removeprefix(_BYTE_ORDER_MARK)
    trees, levels = _trees(sql, dialect, deadline)
    for tree in reversed(trees):
        if tree is None:
            continue
        found = query_of(tree)
        if found is not None:
            return Statement(*found, _declared(trees), created_by(trees, tree)), levels
        body = text_within(tree)
        if body is not None and len(body) < len(sql):
            return parse(body, dialect, deadline)
    raise SqlNotAnalysed("no statement in it yields columns")


def parse_all(sql: str, dialect: str, deadline: Deadline) -> tuple[list[Statement], int]:
    """Return every statement in *sql* that reads columns, and how many levels deep it is.

    Raise SqlNotAnalysed as `parse` does, and if a statement is not understood.
    """
    trees, levels = _trees(sql, dialect, deadline)
    found: list[Statement] = []
    for tree in trees:
        if tree is None:
            continue
        query = deleted_by(tree) or query_of(tree)
        body = text_within(tree)
        if query is not None:
            found.append(Statement(*query, _declared(trees), created_by(trees, tree), kind=tree.key))
        elif body is not None and len(body) < len(sql):
            found.append(parse(body, dialect, deadline)[0])
        elif isinstance(tree, exp.Command):
            raise SqlNotAnalysed(f"{tree.name or 'a statement'} is not understood")
    if not found:
        raise SqlNotAnalysed("no statement in it yields columns")
    return found, levels


def _trees(sql: str, dialect: str, deadline: Deadline) -> tuple[list[Sql | None], int]:
    reader = Dialect.get_or_raise(dialect or None)
    # sqlglot warns of statements that it does not know. Where nobody set up logging, Python would print that
    # between our own words; whoever did set it up reads it as before.
    logging.getLogger("sqlglot").addHandler(_SILENCE)
    try:
        written = tokens_of(sql, dialect)
        tokens = unambiguous(written, dialect)
    except STUMBLES as error:
        raise SqlNotAnalysed(f"does not parse: {_first_line(error)}") from error
    _check_size(tokens, deadline)
    levels = levels_of(tokens)
    if levels > MOST_LEVELS:
        raise SqlNotAnalysed(f"nested deeper than {MOST_LEVELS} levels")
    joins = [token.token_type for token in tokens].count(TokenType.JOIN)
    if joins > MOST_JOINS:
        raise SqlNotAnalysed(f"{joins:,} joins are more than can be parsed")
    needs_room = levels > SHALLOW or joins > FEW_JOINS or len(tokens) > FEW_TOKENS

    def parsed() -> list[Sql | None]:
        trees = list(reader.parser().parse(tokens, sql))
        for tree in trees:
            if tree is not None and len(tokens) > len(written):
                without_added_brackets(tree)
            if tree is not None:
                put_named_relations(tree, dialect)
                reveal_columns(tree, dialect)
        return trees

    try:
        run = on_deep_stack if needs_room else in_time
        trees = run(parsed, deadline)
    except RecursionError as error:
        raise SqlNotAnalysed("nested too deep to be parsed") from error
    except STUMBLES as error:
        raise SqlNotAnalysed(f"does not parse: {_first_line(error)}") from error
    deadline.check()
    return trees, levels


def _declared(trees: list[Sql | None]) -> dict[str, Sql]:
    """The variables that a script declares (BigQuery, Snowflake), by name."""
    return {
        name.name: item
        for tree in trees
        if type(tree).__name__ == "Declare" and tree is not None
        for item in tree.expressions
        for name in (item.this if isinstance(item.this, list) else [item.this])
    }


def _check_size(tokens: list[Token], deadline: Deadline) -> None:
    left = deadline.left
    if left is not None and len(tokens) > left * TOKENS_PER_SECOND:
        raise SqlNotAnalysed(
            f"{len(tokens):,} tokens are too many to be parsed in {deadline.timeout:g} s",
        )


def levels_of(tokens: list[Token]) -> int:
    """How deep the parser would descend at the deepest place of *tokens*."""
    level = angles = deepest = run = 0
    before: TokenType | None = None
    for token in tokens:
        kind = token.token_type
        if kind not in _COUNTED:
            run, before = 0, kind
            continue
        if kind in _OPENING:
            level += 1
        elif kind in _CLOSING:
            level -= level > 0
        elif kind is TokenType.LT and before in _GENERIC:
            angles += 1
        elif angles and kind is TokenType.GT:
            angles -= 1
        if kind in _PREFIX:
            run += 1
        elif run and kind not in _OPENING:
            run = 0
        if level + angles + run > deepest:
            deepest = level + angles + run
        before = kind
    return deepest


def _first_line(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if details:
        first = details[0]
        what, line, column = (first.get(key, "") for key in ("description", "line", "col"))
        return f"{_TOKEN.sub(_quoted, str(what)).rstrip('.')} (line {line}, column {column})"
    lines = str(error).splitlines() or [type(error).__name__]
    return _TOKEN.sub(_quoted, lines[0]).rstrip(".")


def _quoted(token: re.Match[str]) -> str:
    return f"'{token[1]}'" if token[1] not in ("", "SENTINEL") else "the end"
