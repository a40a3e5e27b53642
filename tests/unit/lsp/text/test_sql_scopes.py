"""Tables by the tokens of a text are those that the parser finds, if the text parses."""

from __future__ import annotations

from collections import Counter

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from recce_meta.lsp.text.sql_scopes import SqlScopes
from tests.unit.lsp.real_models import real_models


def parsed_tables(sql: str, dialect: str) -> tuple[Counter[str], set[str]]:
    """Return the tables of FROM and JOIN with their aliases, and the names of functions there."""
    tables: Counter[str] = Counter()
    functions: set[str] = set()
    for tree in filter(None, sqlglot.parse(sql, dialect=dialect)):
        for table in tree.find_all(exp.Table):
            if not isinstance(table.this, exp.Identifier):
                functions.add(table.this.name.lower() or table.this.key)
            elif isinstance(table.parent, (exp.From, exp.Join, exp.Table)):
                tables[f"{'.'.join(part.name for part in table.parts)} {table.alias}".lower()] += 1
    return tables, functions


def test_tables_of_real_models_are_those_of_the_parser() -> None:
    compared, different = 0, []
    for model in real_models():
        try:
            tables, functions = parsed_tables(model.compiled or "", model.dialect)
        except (SqlglotError, ValueError):
            continue
        compared += bool(tables)
        scopes = SqlScopes(model.compiled or "", model.dialect).scopes
        read = [
            f"{one.name} {one.alias or ''}".lower() for scope in scopes for one in scope.tables if one.name
        ]
        # A call in FROM is a table of a scope, and not one for the parser.
        if Counter(name for name in read if name.split()[0] not in functions) != tables:
            different.append((model.unique_id, Counter(read) - tables, tables - Counter(read)))

    assert compared > 300
    assert different == []
