"""Relations that SQL names in strings, put into a statement's tree as ordinary ones.

Rules of this module:

- DuckDB's `query_table('p')` and `IDENTIFIER('p')` elsewhere are the relation `p`.
- DuckDB's `query('SELECT …')` is the query in the string.
- Such a call whose argument is not one string cannot be analysed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from recce_meta.dialects.types import Sql
from recce_meta.errors import SqlNotAnalysed

_PART = r'(?:"(?:[^"]|"")+"|`[^`]+`|[^\W\d][\w$]*)'
_DOTTED = re.compile(rf"\s*{_PART}(?:\s*\.\s*{_PART})*\s*")
QUERY, RELATION = "QUERY", "RELATION"
_IDENTIFIER = "IDENTIFIER"
_CALLS = {"duckdb": {"QUERY": QUERY, "QUERY_TABLE": RELATION}}


def put_named_relations(tree: Sql, dialect: str) -> None:
    """Put the relations and queries that strings in *tree* name into the place of the calls.

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
            raise SqlNotAnalysed(f"{name.lower()}(…) of anything but one string is not understood")
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
    """Return what the string in the function *call* is: QUERY, RELATION, or None if it names nothing."""
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
    """Return the string that *call* has as its only argument."""
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
        raise SqlNotAnalysed(f"the text of query(…) does not parse: {str(error).splitlines()[0]}") from error
    if not isinstance(query, (exp.Select, exp.SetOperation)):
        raise SqlNotAnalysed("the text of query(…) is not a query")
    put_named_relations(query, dialect)
    kept = {key: value for key, value in table.args.items() if key != "this" and value}
    table.replace(exp.Subquery(this=query, **kept))
