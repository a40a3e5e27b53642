"""Tables by the tokens of a text are those that the parser finds, if the text parses."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from recce_meta.lsp.text.sql_scopes import SqlScopes
from tests.unit.lsp.real_models import real_models


def parsed_tables(sql: str, dialect: str) -> Counter[str]:
    """Return the tables of FROM and JOIN with their aliases."""
    tables: Counter[str] = Counter()
    for tree in filter(None, sqlglot.parse(sql, dialect=dialect)):
        for table in tree.find_all(exp.Table):
            if isinstance(table.this, exp.Identifier) and isinstance(
                table.parent, (exp.From, exp.Join, exp.Table)
            ):
                name = ".".join(part.name for part in table.parts).lower()
                # sqlglot adds an alias to tables of BigQuery's catalog.
                alias = "" if "information_schema" in name else table.alias.lower()
                tables[f"{name} {alias}"] += 1
    return tables


@pytest.mark.parametrize("part", [0, *(pytest.param(one, marks=pytest.mark.extensive) for one in (1, 2))])
def test_tables_of_real_models_are_those_of_the_parser(part: int) -> None:
    compared, different = 0, []
    for model in real_models()[part::3]:
        sql = model.compiled or ""
        try:
            tables = parsed_tables(sql, model.dialect)
        except (SqlglotError, ValueError):
            continue
        compared += bool(tables)
        scopes = SqlScopes(sql, model.dialect).scopes
        read = [table for scope in scopes for table in scope.tables if table.name]
        # A call in FROM is a table of a scope, and not one for the parser.
        named = [table for table in read if not sql[table.span.end :].lstrip().startswith("(")]
        found = Counter(f"{table.name} {table.alias or ''}".lower() for table in named)
        if found != tables:
            different.append((model.unique_id, found - tables, tables - found))

    assert different == []
    assert compared > 100
