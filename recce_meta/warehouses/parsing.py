"""Parser input that sqlglot reads unambiguously: arrows of JSON and lambdas, and relations in strings.

- `f(p -> 'k')` is JSON access to `p` in dialects without arrow lambdas. sqlglot parses a lambda with the
  parameter `p`.
- In DuckDB an arrow is a lambda after the first argument of a function that takes lambdas, if its body uses
  the parameter. DuckDB 1 has such lambdas and decides by the function too; DuckDB 2 rejects them.
- In other dialects it is a lambda if its body uses the parameter, or if it has several parameters.
- DuckDB's catalog writes `list_transform(l, (lambda x: (x + 1)))`; sqlglot cannot parse a lambda in brackets.
- `date_trunc(k, at)` reads the column `k` in dialects that write units as strings. sqlglot parses a unit.
- DuckDB's `query_table('p')` and `IDENTIFIER('p')` elsewhere are the relation `p`.
- DuckDB's `query('SELECT …')` is the query in the string.
- Such a call whose argument is not one string cannot be analysed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING, Any

from sqlglot.errors import SqlglotError

from recce_meta.errors import SqlNotAnalysed, first_line
from recce_meta.warehouses.types import Sql

if TYPE_CHECKING:
    from sqlglot import Token

STUMBLES = (SqlglotError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Exceptions that sqlglot raises for SQL that it cannot parse: its own, and internal failures."""
_LAMBDA = "lambda"
_ARROW = "->"
_OPENING = frozenset({"L_PAREN", "L_BRACKET", "L_BRACE"})
_CLOSING = frozenset({"R_PAREN", "R_BRACKET", "R_BRACE"})
_QUOTED = "IDENTIFIER"

WITHOUT_ARROW_LAMBDAS = frozenset({"materialize", "mysql", "postgres", "redshift", "risingwave", "sqlite"})
"""Dialects in which `->` is only an operator.

https://www.postgresql.org/docs/current/functions-json.html
https://dev.mysql.com/doc/refman/8.4/en/json-search-functions.html#operator_json-column-path
https://www.sqlite.org/json1.html#the_and_operators
"""
LAMBDA_FUNCTIONS = {
    "duckdb": frozenset(
        """
        apply array_apply array_filter array_reduce array_transform filter list_apply list_filter list_reduce
        list_transform reduce
        """.split()
    )
}
"""Functions whose arguments after the first may be arrow lambdas, in dialects where no other function takes
them.

https://duckdb.org/docs/stable/sql/functions/lambda
"""

_UNITS_ARE_STRINGS = ("athena", "duckdb", "materialize", "postgres", "presto", "risingwave", "trino")
_UNIT_FIRST = frozenset(
    {"date_add", "date_diff", "date_sub", "date_trunc", "datediff", "datesub", "datetrunc"}
)
TAKING_UNITS = dict.fromkeys(_UNITS_ARE_STRINGS, _UNIT_FIRST)
"""Functions whose first argument is a unit if it is a string, and an expression otherwise.

https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-TRUNC
https://trino.io/docs/current/functions/datetime.html#truncation-function
"""


def unambiguous(tokens: list[Token], dialect: str) -> list[Token]:
    """Return *tokens* changed so that sqlglot parses their arrows and lambdas as *dialect* does."""
    words = {text.lower() for text in {token.text for token in tokens}}
    if _LAMBDA in words:
        tokens = without_brackets(tokens)
    units = TAKING_UNITS.get(dialect, frozenset())
    if _ARROW in words or (not units.isdisjoint(words) and _has_columns_as_units(tokens, units)):
        return _with_columns_in_brackets(tokens, units, dialect)
    return tokens


def without_added_brackets(tree: Sql) -> None:
    """Remove the brackets that `unambiguous` added around columns from *tree*."""
    from sqlglot import exp

    for brackets in list(tree.find_all(exp.Paren)):
        inner = brackets.this
        while isinstance(inner, exp.Paren):
            inner = inner.this
        is_added = inner is not brackets.this and isinstance(inner, (exp.Column, exp.Identifier))
        if is_added and not isinstance(brackets.parent, (exp.Paren, exp.Dot)):
            brackets.replace(inner)


def without_brackets(tokens: list[Token]) -> list[Token]:
    """Return *tokens* without the brackets around each `lambda x: …`, which sqlglot cannot parse.

    Nothing else in SQL is a bracket, that word, names and a colon.
    """
    if not any(token.text.lower() == _LAMBDA for token in tokens):
        return tokens
    left_out: set[int] = set()
    opened: list[int | None] = []
    for place, token in enumerate(tokens):
        kind = token.token_type.name
        if kind == "L_PAREN":
            is_call = place > 0 and _is_name(tokens[place - 1])
            opened.append(place if not is_call and _is_lambda(tokens, place + 1) else None)
        elif kind == "R_PAREN" and opened:
            start = opened.pop()
            if start is not None:
                left_out |= {start, place}
    return [token for place, token in enumerate(tokens) if place not in left_out]


def _is_lambda(tokens: Sequence[Token], place: int) -> bool:
    """Return True if `lambda`, comma-separated names and a colon begin at *place*."""
    if place >= len(tokens) or tokens[place].text.lower() != _LAMBDA:
        return False
    for behind in range(place + 2, len(tokens), 2):
        kind = tokens[behind].token_type.name
        if kind != "COMMA":
            return kind == "COLON"
    return False


def _has_columns_as_units(tokens: Sequence[Token], units: Set[str]) -> bool:
    """Return True if a function of *units* is called with a name first."""
    return any(
        token.text.lower() in units and _is_alone(tokens, place + 2) for place, token in enumerate(tokens)
    )


def _with_columns_in_brackets(tokens: list[Token], units: Set[str], dialect: str) -> list[Token]:
    """Return *tokens* with two brackets around each column that sqlglot would misread."""
    found: list[Token] = []
    opened: list[tuple[str, int]] = []  # the function of each bracket, and the commas in it so far
    for place, token in enumerate(tokens):
        kind = token.token_type.name
        if kind in _OPENING:
            is_call = kind == "L_PAREN" and place > 0 and _is_name(tokens[place - 1])
            opened.append((tokens[place - 1].text.lower() if is_call else "", 0))
        elif kind in _CLOSING and opened:
            opened.pop()
        elif kind == "COMMA" and opened:
            opened[-1] = (opened[-1][0], opened[-1][1] + 1)
        found.append(token)
        if _starts_lambda(tokens, place):
            is_column = not _is_arrow_lambda(tokens, place, opened, dialect)
        else:
            is_column = bool(opened) and opened[-1][0] in units and _is_alone(tokens, place)
        if is_column:
            # Two, so that `without_added_brackets` leaves a single pair of the user alone.
            found[-1:] = [*[_bracket(token, "(")] * 2, token, *[_bracket(token, ")")] * 2]
    return found


def _is_alone(tokens: Sequence[Token], place: int) -> bool:
    """Return True if the name at *place* is the first of several arguments."""
    is_first = _kind(tokens, place - 1) == "L_PAREN" and _kind(tokens, place + 1) == "COMMA"
    return is_first and _is_name(tokens[place])


def _starts_lambda(tokens: Sequence[Token], place: int) -> bool:
    """Return True if sqlglot may read the name at *place* as the only parameter of a lambda."""
    if not place or not _is_name(tokens[place]):
        return False
    behind, before = place + 1, place - 1
    if _kind(tokens, behind) == "R_PAREN" and _kind(tokens, before) == "L_PAREN":
        behind, before = behind + 1, before - 1
    return _kind(tokens, behind) == "ARROW" and _kind(tokens, before) in ("L_PAREN", "COMMA")


def _is_arrow_lambda(
    tokens: Sequence[Token], place: int, opened: Sequence[tuple[str, int]], dialect: str
) -> bool:
    """Return True if the arrow after the name at *place* makes a lambda in *dialect*."""
    if dialect in WITHOUT_ARROW_LAMBDAS:
        return False
    is_bracketed = _kind(tokens, place + 1) == "R_PAREN"
    around = opened[: len(opened) - is_bracketed]
    function, commas = around[-1] if around else ("", 0)
    if (functions := LAMBDA_FUNCTIONS.get(dialect)) is not None and (not commas or function not in functions):
        return False
    return _is_used(tokens, place + 2 + is_bracketed, tokens[place].text.lower())


def _is_used(tokens: Sequence[Token], place: int, name: str) -> bool:
    """Return True if the argument that begins at *place* contains *name* as a separate name."""
    depth = 0
    for at in range(place, len(tokens)):
        kind = _kind(tokens, at)
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if depth < 0 or (depth == 0 and kind == "COMMA"):
            return False
        is_name = _is_name(tokens[at]) and tokens[at].text.lower() == name
        if is_name and _kind(tokens, at - 1) != "DOT" and _kind(tokens, at + 1) != "L_PAREN":
            return True
    return False


def _kind(tokens: Sequence[Token], place: int) -> str:
    """Return the type name of the token at *place*, or an empty string outside the list."""
    return tokens[place].token_type.name if 0 <= place < len(tokens) else ""


def _is_name(token: Token) -> bool:
    """Return True if *token* may be a name, as many keywords may."""
    kind = token.token_type.name
    return kind == _QUOTED or (kind not in ("STRING", "NUMBER") and token.text.isidentifier())


def _bracket(neighbour: Token, text: str) -> Token:
    """Return a bracket at the position of *neighbour*, so that text positions stay correct."""
    from sqlglot import Token, TokenType

    kind = TokenType.L_PAREN if text == "(" else TokenType.R_PAREN
    return Token(kind, text, neighbour.line, neighbour.col, neighbour.start, neighbour.end)


_PART = r'(?:"(?:[^"]|"")+"|`[^`]+`|[^\W\d][\w$]*)'
_DOTTED = re.compile(rf"\s*{_PART}(?:\s*\.\s*{_PART})*\s*")
QUERY, RELATION = "QUERY", "RELATION"
_IDENTIFIER = "IDENTIFIER"
_CALLS = {"duckdb": {"QUERY": QUERY, "QUERY_TABLE": RELATION}}


def may_name_relations(sql: str, dialect: str) -> bool:
    """Return whether *sql* may have calls that `put_named_relations` replaces."""
    text = sql.upper()
    return _IDENTIFIER in text or any(call in text for call in _CALLS.get(dialect, ()))


def put_named_relations(tree: Sql, dialect: str) -> None:
    """Replace calls in *tree* that name a relation or query in a string with that relation or query.

    Raise SqlNotAnalysed if such a call has an argument that is not one string, or a string that is not SQL.
    """
    from sqlglot import exp

    for table in list(tree.find_all(exp.Table)):
        name = _name_of(table.this)
        kind = named_by(name, dialect)
        if kind is None:
            continue
        text = _text_of(table.this)
        if text is None:
            raise SqlNotAnalysed(f"{name.lower()}(…) is only supported with a single string argument")
        if kind == QUERY:
            _put_query(table, text, dialect)
        else:
            _put_name(table, text, dialect)


def _parts_of(argument: Any) -> list[Any]:
    """Return the elements of an array, the operands of `||`, or else the argument itself."""
    from sqlglot import exp

    if isinstance(argument, exp.Array):
        return list(argument.expressions)
    return list(argument.flatten()) if isinstance(argument, exp.DPipe) else [argument]


def named_by(call: str, dialect: str) -> str | None:
    """Return what the string argument of function *call* is: QUERY, RELATION, or None if it names nothing."""
    name = call.upper()
    return RELATION if name == _IDENTIFIER else _CALLS.get(dialect, {}).get(name)


def strings_of_calls(tree: Sql, dialect: str) -> Iterator[str]:
    """Yield the strings in the arguments of such calls in *tree*."""
    from sqlglot import exp

    for table in tree.find_all(exp.Table):
        if named_by(_name_of(table.this), dialect):
            given = table.this.expressions or [table.this.this]
            parts = [part for one in given for part in _parts_of(one)]
            yield from (part.name for part in parts if isinstance(part, exp.Literal) and part.is_string)


def _name_of(call: Any) -> str:
    from sqlglot import exp

    if type(call).__name__ == "DynamicIdentifier":
        return _IDENTIFIER
    return call.name.upper() if isinstance(call, exp.Anonymous) else ""


def _text_of(call: Any) -> str | None:
    """Return the only argument of *call* if it is a string."""
    from sqlglot import exp

    given = call.expressions or [call.this]
    is_text = len(given) == 1 and isinstance(given[0], exp.Literal) and given[0].is_string
    return given[0].name if is_text else None


def _put_name(table: Any, text: str, dialect: str) -> None:
    from sqlglot import exp

    if _DOTTED.fullmatch(text):
        named = exp.to_table(text, dialect=dialect or None)
        for key in ("this", "db", "catalog"):
            table.set(key, named.args.get(key))
    else:
        table.set("this", exp.to_identifier(text, quoted=True))


def _put_query(table: Any, text: str, dialect: str) -> None:
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        query = parse_one(text, read=dialect)
    except SqlglotError as error:
        raise SqlNotAnalysed(f"invalid SQL in query(…): {first_line(error)}") from error
    if not isinstance(query, (exp.Select, exp.SetOperation)):
        raise SqlNotAnalysed("the string in query(…) is not a query")
    put_named_relations(query, dialect)
    kept = {key: value for key, value in table.args.items() if key != "this" and value}
    table.replace(exp.Subquery(this=query, **kept))
