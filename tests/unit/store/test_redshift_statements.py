"""Every statement sent to Redshift is one that it runs, as far as its documentation tells. No database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from recce_meta.store import sql_files
from recce_meta.store.sql_files import split_statements
from tests.emulators.redshift.refusals import refuse
from tests.emulators.redshift.rewriting import rewritten
from tests.emulators.redshift.statement import Refused, Statement

GOLDEN = Path(__file__).parents[2] / "golden" / "sql"


def of_the_store() -> Iterator[tuple[str, str]]:
    """Each statement of the store, and the file that it stands in."""
    for file in sql_files.files("redshift").values():
        for statement in split_statements(file.text):
            yield f"{file.kind}/{file.name}", statement


def of_data_diffs() -> Iterator[tuple[str, str]]:
    """Each statement of the recorded data diffs, and the case that it belongs to."""
    for path in sorted(GOLDEN.glob("**/redshift.sql")):
        for statement in split_statements(path.read_text(encoding="utf-8")):
            yield path.parent.name, statement


def test_redshift_has_all_that_statements_use() -> None:
    refused = []
    statements = [*of_the_store(), *of_data_diffs()]
    for name, sql in statements:
        try:
            refuse(Statement(sql))
        except Refused as refusal:
            refused.append((name, refusal.message))

    assert len(statements) > 200
    assert refused == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FILTER (WHERE a) FROM t",
        "SELECT 1 FROM t, LATERAL (SELECT 1) AS u",
        "SELECT DISTINCT ON (a) a FROM t",
        "SELECT a IS NOT DISTINCT FROM b FROM t",
        "SELECT * FROM (VALUES (1), (2)) AS v(x)",
        "SELECT UNNEST(STRING_TO_ARRAY('a', ','))",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "DELETE FROM t RETURNING a",
        "SELECT a FROM t EXCEPT ALL SELECT a FROM u",
        "SELECT j -> 'a' FROM t",
        "SELECT CAST(a AS JSONB) FROM t",
        "SELECT SUM(a) OVER (ORDER BY b) FROM t",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT n FROM r",
        "UPDATE t SET a = CURRENT_TIMESTAMP",
        "SELECT LISTAGG(a, ',') FROM (SELECT 1 AS a) AS t",
        "SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a) FROM t",
        "SELECT CAST(a AS DECIMAL(39, 2)) FROM t",
        "SELECT CONCAT(a, b, c) FROM t",
        "CREATE INDEX i ON t (a)",
    ],
)
def test_what_redshift_lacks_is_refused(sql: str) -> None:
    with pytest.raises(Refused):
        refuse(Statement(sql))


@pytest.mark.parametrize(
    ("sql", "postgres"),
    [
        ("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t WHERE b = 'x'"),
        (
            "CREATE TABLE t (a TEXT, b VARCHAR(MAX)) DISTKEY(a)",
            "CREATE TABLE t (a VARCHAR(256), b VARCHAR(65535)) ",
        ),
        ("SELECT APPROXIMATE COUNT(DISTINCT a) FROM t", "SELECT  COUNT(DISTINCT a) FROM t"),
        (
            "SELECT LISTAGG(a, ',') WITHIN GROUP (ORDER BY b) FROM t",
            "SELECT LISTED(STRING_AGG(a, ',' ORDER BY b)) FROM t",
        ),
        (
            "SELECT n.config.x, c.name FROM nodes AS n, n.columns AS c AT i",
            'SELECT SUPER_MEMBER("n"."config", \'x\'::text), SUPER_MEMBER("c "."c", \'name\'::text)'
            " FROM nodes AS n,"
            ' LATERAL SUPER_UNNEST("n"."columns") AS "c "("c", "i")',
        ),
        ('SELECT a AS "MiXed Ünï" FROM t', 'SELECT a AS "mixed Ünï" FROM t'),
    ],
)
def test_only_what_postgresql_cannot_read_is_rewritten(sql: str, postgres: str) -> None:
    assert rewritten(Statement(sql))[0] == postgres


def test_subqueries_that_look_outside_are_of_the_kinds_that_redshift_plans() -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html"""
    odd = []
    found = 0
    for name, sql in of_the_store():
        for scope in scopes(sql):
            outside = [column for column in scope.columns if column.table not in {"", *scope.sources}]
            if not (scope.is_subquery and outside):
                continue
            found += 1
            is_direct = scope.parent is not None and all(
                column.table in scope.parent.sources for column in outside
            )
            is_compared = all(
                isinstance(column.find_ancestor(exp.EQ, exp.Select), exp.EQ) for column in outside
            )
            in_where = isinstance(scope.expression.find_ancestor(exp.Where, exp.Join), exp.Where)
            is_exists = isinstance(scope.expression.parent, exp.Exists)
            if not (is_direct and is_compared and in_where and is_exists):
                odd.append((name, scope.expression.sql("redshift")[:100]))

    assert found > 10
    assert odd == []


def scopes(sql: str) -> Iterator[Scope]:
    """The scopes of the query within *sql*."""
    for statement in sqlglot.parse(sql, read="redshift"):
        if isinstance(statement, exp.Delete):
            query = exp.select("1").from_(statement.this.copy()).where(statement.args["where"].this.copy())
            yield from traverse_scope(query)
        elif isinstance(statement, exp.Expression) and (query := statement.find(exp.Query)) is not None:
            yield from traverse_scope(query)
