"""The store's SQL for Snowflake, where that is stricter than the emulator on which other tests run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import sqlglot
from sqlglot import exp

from recce_meta.store.sql_files import KINDS, files

# https://docs.snowflake.com/en/sql-reference/reserved-keywords
RESERVED = frozenset(
    "account all alter and any as between by case cast check column connect connection constraint"
    " create cross current database delete distinct drop else exists false following for from full"
    " grant group gscluster having ilike in increment inner insert intersect into is issue join"
    " lateral left like localtime localtimestamp minus natural not null of on or order organization"
    " qualify regexp revoke right rlike row rows sample schema select set some start table"
    " tablesample then to trigger true try_cast union unique update using values view when whenever"
    " where with".split()
)
Files = Mapping[str, tuple[str, Sequence[exp.Expr]]]
"""Text and statements of each file; tests do not change the statements."""


@pytest.fixture(scope="module", name="files")
def parsed_files() -> Files:
    """Return the parsed files, at least one of each kind."""
    found = {}
    for kind in KINDS:
        own = [file for file in files("snowflake").values() if file.kind == kind]
        assert own, kind
        for file in own:
            statements = [tree for tree in sqlglot.parse(file.text, read="snowflake") if tree is not None]
            found[f"{kind}/{file.name}"] = file.text, statements
    return found


def test_no_name_of_ours_is_reserved_and_none_needs_quotes(files: Files, subtests: pytest.Subtests) -> None:
    for file, (_, statements) in files.items():
        with subtests.test(file):
            names = [name for statement in statements for name in statement.find_all(exp.Identifier)]

            assert [name.name for name in names if name.name.lower() in RESERVED or name.quoted] == []


def test_recursive_queries_name_their_columns(files: Files, subtests: pytest.Subtests) -> None:
    """https://docs.snowflake.com/en/sql-reference/constructs/with."""
    found = {name: statements for name, (text, statements) in files.items() if "WITH RECURSIVE" in text}
    assert found
    for file, statements in found.items():
        with subtests.test(file):
            recursive = [
                cte
                for statement in statements
                for cte in statement.find_all(exp.CTE)
                if any(table.name == cte.alias for table in cte.this.find_all(exp.Table) if not table.db)
            ]

            assert recursive
            assert all(cte.args["alias"].columns for cte in recursive)
            assert not any(cte.this.args["distinct"] for cte in recursive)


def test_subqueries_that_look_outside_only_ask_whether_rows_exist(
    files: Files, subtests: pytest.Subtests
) -> None:
    """https://docs.snowflake.com/en/user-guide/querying-subqueries."""
    for file, (_, statements) in files.items():
        with subtests.test(file):
            for statement in statements:
                for subquery in statement.find_all(exp.Subquery):
                    if isinstance(subquery.parent, (exp.From, exp.Join, exp.CTE, exp.Exists)):
                        continue
                    inner = {table.alias_or_name for table in subquery.find_all(exp.Table, exp.TableAlias)}
                    outer = {column.table for column in subquery.find_all(exp.Column) if column.table} - inner
                    assert outer - {"line"} == set()
